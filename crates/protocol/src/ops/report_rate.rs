//! The exchange rate of an asset, as its origin tells it, by proof, by anyone's call.

use evidence::fact::custody::{RateRefused, verify_rate};
use evidence::{Fact, FactRefused, Proof, Sources, verify_fact};

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::RateSource;
use crate::units::{Address, Amount, AssetId, Epoch, Fraction};

record! {
    /// Brings the exchange rate of an asset up to date. It falls at once, and rises by at most the parameter `q` per epoch.
    pub struct ReportRate {
        /// The asset.
        pub asset: AssetId,
        /// What `10^18` base units are worth in what it stands for.
        pub rate: Amount,
        /// Why it is to be believed.
        #[serde(default)]
        pub proof: Proof,
    }
}

refusals! {
    /// Why a rate is refused.
    {
        AssetNotFound { asset: AssetId } => "asset {asset} is not listed",
        RateIsOne { asset: AssetId } => "the exchange rate of asset {asset} is always 1",
        OutOfBounds { rate: Amount, low: u64, high: u64 } => "a rate of {rate} is outside {low} to {high}",
        NotProven { refused: FactRefused } => "{refused}",
        NotFollowed { asset: AssetId } => "the genesis says no words of storage that would tell the rate of asset {asset}",
        NotLater { slot: u64, last: u64 } => "slot {slot} is earlier than {last}, of which the rate was last proven",
        BlockNotOpened { slot: u64 } => "no execution block of a finalized header of slot {slot} is open; open it first",
        NotShown { refused: RateRefused } => "{refused}",
        OtherRate { told: Amount, proven: Amount } => "the rate is {proven} and not {told}",
        Unchanged { rate: u64, since: Epoch } => "the rate stays {rate}: it may rise again in the epoch after {since}",
    }
}

/// A thousandth.
const RATE_MIN: u64 = 1_000_000_000_000_000;
/// Sixteen.
const RATE_MAX: u64 = 16_000_000_000_000_000_000;

impl ReportRate {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        _sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let asset = self.asset;
        let record = state.asset(asset).ok_or(Refused::AssetNotFound { asset })?;
        if record.source == RateSource::One {
            return Err(Refused::RateIsOne { asset });
        }
        let out = Refused::OutOfBounds { rate: self.rate, low: RATE_MIN, high: RATE_MAX };
        let rate = u64::try_from(self.rate.units()).map_err(|_| out.clone())?;
        if !(RATE_MIN..=RATE_MAX).contains(&rate) {
            return Err(out);
        }
        self.verify(state)?;
        let elapsed = state.epoch.since(record.rate_raised);
        let rate = rate.min(highest(record.rate, state.parameters().rate_rise_max, elapsed));
        if rate == record.rate {
            return Err(Refused::Unchanged { rate, since: record.rate_raised });
        }

        // From here on nothing can fail.
        let now = state.epoch;
        let record = state.asset_mut(asset);
        if rate > record.rate {
            record.rate_raised = now;
        }
        record.rate = rate;
        if let (Proof::Storage { slot, .. }, Some(following)) = (&self.proof, &mut state.ethereum) {
            following.record_mut().flows.entry(asset).or_default().rated = *slot;
        }
        events.push(Event::RateChanged { asset, rate: Amount::new(u128::from(rate)) });
        Ok(())
    }
}

impl ReportRate {
    fn verify(&self, state: &State) -> Result<(), Refused> {
        let (asset, told) = (self.asset, self.rate);
        let Proof::Storage { slot, nodes } = &self.proof else {
            let fact = Fact::Rate { asset: asset.number(), rate: told.units() };
            let sources = Sources { development: state.genesis.development };
            verify_fact(fact, &self.proof, &sources).map_err(|refused| Refused::NotProven { refused })?;
            return Ok(());
        };
        let layout = state.chain_asset(asset).and_then(|(_, config)| config.rate.as_ref());
        let layout = layout.ok_or(Refused::NotFollowed { asset })?;
        let last = state.ethereum.as_ref().map_or(0, |following| following.rated(asset));
        if *slot < last {
            return Err(Refused::NotLater { slot: *slot, last });
        }
        let block = state.ethereum.as_ref().and_then(|following| following.execution(*slot));
        let block = block.ok_or(Refused::BlockNotOpened { slot: *slot })?;
        let proven = verify_rate(block, layout, asset.number(), nodes)
            .map_err(|refused| Refused::NotShown { refused })?;
        let Fact::Rate { rate, .. } = *proven.get() else { return Err(Refused::NotFollowed { asset }) };
        let proven = Amount::new(rate);
        if proven == told { Ok(()) } else { Err(Refused::OtherRate { told, proven }) }
    }
}

/// The highest rate of an epoch: one step above the last. Anybody can report in every epoch, so unused steps don't add up.
fn highest(rate: u64, rise: Fraction, elapsed: u32) -> u64 {
    if elapsed == 0 {
        return rate;
    }
    let step = rise.of_down(Amount::new(u128::from(rate))).units();
    rate.saturating_add(u64::try_from(step).unwrap_or(u64::MAX))
}
