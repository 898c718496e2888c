//! The balance of a validator that is restaked, as its chain tells it, by proof, by anyone's call.

use evidence::{Fact, FactRefused, Proof, Sources, verify_fact};

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::Validator;
use crate::units::{Address, Amount, AssetId, ValidatorId};
use crate::wide;

record! {
    /// Brings the balance of a validator up to date. A gain is new free stake; a loss takes the same share of all that was its balance.
    pub struct ReportValidator {
        /// The native asset.
        pub asset: AssetId,
        /// Its number on the chain.
        pub validator: u64,
        /// Whose it is; the sender's where it is not given.
        #[serde(default)]
        pub account: Option<Address>,
        /// Its balance in base units.
        pub balance: Amount,
        /// Why it is to be believed.
        #[serde(default)]
        pub proof: Proof,
    }
}

refusals! {
    /// Why a report is refused.
    {
        AssetNotFound { asset: AssetId } => "asset {asset} is not listed",
        NotNative { asset: AssetId } => "asset {asset} is a token; deposit it",
        FollowedChain { asset: AssetId } => "asset {asset} is of the chain that this ledger follows; report the pod",
        NotProven { refused: FactRefused } => "{refused}",
        OtherOwner { owner: Address, account: Address } => "the validator is {owner}'s, not {account}'s",
        NoBalance => "a validator without a balance is no stake",
        ExceedsCap { held: Amount, gain: Amount, cap: Amount } => "{held} on the ledger and {gain} more exceed the asset's cap {cap}",
    }
}

impl ReportValidator {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let asset = self.asset;
        let record = state.asset(asset).ok_or(Refused::AssetNotFound { asset })?;
        if !state.is_native(asset) {
            return Err(Refused::NotNative { asset });
        }
        if state.chain_asset(asset).is_some() {
            return Err(Refused::FollowedChain { asset });
        }
        let account = self.account.unwrap_or(sender);
        let fact = Fact::Validator {
            asset: asset.number(),
            validator: self.validator,
            account: account.0,
            balance: self.balance.units(),
        };
        let sources = Sources { development: state.genesis.development };
        verify_fact(fact, &self.proof, &sources).map_err(|refused| Refused::NotProven { refused })?;
        let known = state.validators.find(asset, self.validator);
        let old = known.and_then(|id| state.validator(id)).map_or(Amount::ZERO, |known| known.balance);
        if let Some(known) = known.and_then(|id| state.validator(id)) {
            let owner = state.accounts.get(known.account).address;
            if owner != account {
                return Err(Refused::OtherOwner { owner, account });
            }
        } else if self.balance.is_zero() {
            return Err(Refused::NoBalance);
        }
        let gain = old.room_below(self.balance);
        // The cap keeps new validators out. What a known one gains is there; refusing its proof would make it stale.
        let cap = if known.is_some() { Amount::LIMIT } else { record.cap.min(Amount::LIMIT) };
        let held = record.supply();
        let gross = record.gained.plus(gain).filter(|gross| *gross <= Amount::new(u128::MAX >> 1));
        if !gain.is_zero() && (held.plus(gain).is_none_or(|total| total > cap) || gross.is_none()) {
            return Err(Refused::ExceedsCap { held, gain, cap });
        }

        // From here on nothing can fail.
        let id = known.unwrap_or_else(|| self.add(state, account));
        state.validator_mut(id).proven = state.epoch;
        if self.balance < old {
            lose(state, id, self.balance);
        } else {
            state.validator_mut(id).balance = self.balance;
            state.validator_mut(id).free.grow(gain);
            state.asset_mut(asset).gained.grow(gain);
        }
        events.push(Event::ValidatorReported { validator: id, account, asset, old, balance: self.balance });
        Ok(())
    }

    fn add(&self, state: &mut State, account: Address) -> ValidatorId {
        let account = state.accounts.open(account);
        state.validators.push(Validator {
            number: self.validator,
            asset: self.asset,
            account,
            balance: Amount::ZERO,
            free: Amount::ZERO,
            slashed: Amount::ZERO,
            proven: state.epoch,
        })
    }
}

/// Everything that was the validator's balance shrinks by new/old: free, staked, leaving, and slashed but still in the validator. So it
/// makes no difference whether a loss on its chain or a slash here is proven first.
pub(crate) fn lose(state: &mut State, id: ValidatorId, balance: Amount) {
    let Some(validator) = state.validator(id).cloned() else { return };
    let old = validator.balance;
    let kept = |amount: Amount| Amount::new(wide::mul_div_down(amount.units(), balance.units(), old.units()));
    let first = state.accounts.get(validator.account).first_position;
    let own = state.positions.list(first).filter(|(_, position)| position.validator() == Some(id));
    let own: Vec<u32> = own.map(|(id, _)| id).collect();
    let mut staked = Amount::ZERO;
    for position in own {
        staked.grow(kept(state.positions.get(position).principal));
        shrink(state, position, kept);
    }
    let slashed = kept(validator.slashed);
    // The units that rounding leaves over are on the chain, and the owner's.
    let free =
        staked.plus(slashed).and_then(|rest| balance.minus(rest)).expect("parts rounded down fit the whole");
    let record = state.validator_mut(id);
    (record.balance, record.slashed, record.free) = (balance, slashed, free);
    state.asset_mut(validator.asset).lost.grow(balance.room_below(old));
}

/// A position of the validator shrinks; what of it was slashed before is still in the validator and shrinks alike.
fn shrink(state: &mut State, id: u32, kept: impl Fn(Amount) -> Amount) {
    state.settle(id);
    let position = *state.positions.get(id);
    let lost = kept(position.principal).room_below(position.principal);
    let record = state.pool_mut(position.pool);
    let worth = record.stake.worth(lost, position.entered, position.until);
    record.stake.lose_principal(lost, position.entered, position.until, worth);
    record.forward_slashed(worth.room_below(lost));
    state.shrink_position(id, lost);
}
