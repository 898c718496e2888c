//! Anyone lists a token. Whether it counts for anything is for the terms of each set to say.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::{Asset, AssetKind, Origin, RateSource};
use crate::state::stake::RATE_ONE;
use crate::units::{Address, Amount, AssetId, Epoch};

record! {
    /// Lists an asset under the next free id.
    pub struct ListAsset {
        /// Where it comes from.
        pub origin: Origin,
        /// Its decimals, 0 to 36: for people; the ledger counts base units.
        pub decimals: u8,
        /// Token or native stake.
        #[serde(default = "token")]
        pub kind: AssetKind,
        /// Where its exchange rate comes from.
        #[serde(default = "one")]
        pub rate: RateSource,
    }
}

fn token() -> AssetKind {
    AssetKind::Token
}

fn one() -> RateSource {
    RateSource::One
}

refusals! {
    /// Why a listing is refused.
    {
        ListingsStopped { until: Epoch } => "the guardian has stopped listings until epoch {until}",
        BadOrigin { contract: String } => "the contract {contract:?} is not empty or 0x and 1 to 32 lower-case hex bytes",
        BadDecimals { decimals: u8 } => "{decimals} decimals exceed 36",
        NoCoin { contract: String } => "native stake of the chain that this ledger follows is its coin, whose contract is empty and not {contract:?}",
        OtherDecimals { decimals: u8, expected: u8 } => "{decimals} decimals are not the {expected} on which the genesis' caps of this asset rest",
        AlreadyListed { asset: AssetId } => "that origin is listed as asset {asset}",
        DepositMissing { deposit: Amount, free: Amount } => "the deposit of {deposit} exceeds the free balance {free}",
    }
}

impl ListAsset {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let until = state.stops.listings;
        if until > state.epoch {
            return Err(Refused::ListingsStopped { until });
        }
        if !is_contract(&self.origin.contract) {
            return Err(Refused::BadOrigin { contract: self.origin.contract.chars().take(80).collect() });
        }
        if self.decimals > 36 {
            return Err(Refused::BadDecimals { decimals: self.decimals });
        }
        self.check_followed(state)?;
        let key = (self.origin.clone(), self.kind);
        if let Some(asset) = state.asset_ids.get(&key).copied() {
            return Err(Refused::AlreadyListed { asset });
        }
        let id = AssetId::at(state.assets.len());
        // Nobody can have any of the deposit asset before it is listed.
        let is_deposit_asset = id == state.genesis.deposit_asset;
        let deposit = if is_deposit_asset { Amount::ZERO } else { state.parameters().object_deposit };
        state.can_post(sender, deposit).map_err(|free| Refused::DepositMissing { deposit, free })?;

        // From here on nothing can fail.
        let account = state.accounts.open(sender);
        state.post(account, deposit);
        state.asset_ids.insert(key, id);
        state.assets.push(Asset {
            origin: self.origin.clone(),
            decimals: self.decimals,
            kind: self.kind,
            source: self.rate,
            rate: u64::try_from(RATE_ONE).expect("one fits a rate"),
            rate_raised: state.epoch,
            value: 0,
            cap: Amount::LIMIT,
            stake_min: Amount::ZERO,
            next_deposit: 0,
            deposited: Amount::ZERO,
            gained: Amount::ZERO,
            withdrawn: Amount::ZERO,
            burnt: Amount::ZERO,
            lost: Amount::ZERO,
        });
        events.push(Event::AssetListed { asset: id, origin: self.origin.clone(), decimals: self.decimals });
        Ok(())
    }
}

impl ListAsset {
    /// Whoever lists an asset of the followed chain first must not decide what its amounts mean, nor list its validators a second time.
    fn check_followed(&self, state: &State) -> Result<(), Refused> {
        let Origin { chain, contract } = &self.origin;
        let Some(config) = state.genesis.ethereum.as_ref().filter(|config| config.number == *chain) else {
            return Ok(());
        };
        if self.kind == AssetKind::Native && !contract.is_empty() {
            return Err(Refused::NoCoin { contract: contract.clone() });
        }
        let expected = config.asset(contract).and_then(|asset| asset.listed_decimals());
        match expected.filter(|expected| *expected != self.decimals) {
            Some(expected) => Err(Refused::OtherDecimals { decimals: self.decimals, expected }),
            None => Ok(()),
        }
    }
}

/// Whether a contract is written as an origin has it: the empty text, or `0x` and lower-case digits.
pub(crate) fn is_contract(text: &str) -> bool {
    let Some(digits) = text.strip_prefix("0x") else { return text.is_empty() };
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    is_hex && (2..=64).contains(&digits.len()) && digits.len().is_multiple_of(2)
}
