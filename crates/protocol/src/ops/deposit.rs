//! A deposit on an asset's origin becomes a free balance, by proof, by anyone's call.

use evidence::{Fact, FactRefused, Proof, Sources, verify_fact};

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Amount, AssetId};

record! {
    /// Credits a deposit that was made on the asset's origin.
    pub struct Deposit {
        /// Who deposited; the sender where it is not given.
        #[serde(default)]
        pub account: Option<Address>,
        /// The asset.
        pub asset: AssetId,
        /// How much.
        pub amount: Amount,
        /// Its number on the origin: deposits are taken in order, each once. The next one where it is not given.
        #[serde(default)]
        pub index: Option<u64>,
        /// Why it is to be believed.
        #[serde(default)]
        pub proof: Proof,
    }
}

refusals! {
    /// Why a deposit is refused.
    {
        AmountIsZero => "the amount is zero",
        AssetNotFound { asset: AssetId } => "asset {asset} is not listed",
        NativeStake { asset: AssetId } => "asset {asset} is native stake; report its validators",
        FollowedChain { asset: AssetId } => "deposits of asset {asset} are proven by what the custody contract holds; take them",
        NotProven { refused: FactRefused } => "{refused}",
        OutOfOrder { index: u64, next: u64 } => "deposit {index} is not the next one, {next}",
        ExceedsCap { deposited: Amount, amount: Amount, cap: Amount } => "{deposited} on the ledger and {amount} more exceed the asset's cap {cap}",
    }
}

impl Deposit {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        if self.amount.is_zero() {
            return Err(Refused::AmountIsZero);
        }
        let asset = self.asset;
        let record = state.asset(asset).ok_or(Refused::AssetNotFound { asset })?;
        if state.is_native(asset) {
            return Err(Refused::NativeStake { asset });
        }
        if state.chain_asset(asset).is_some_and(|(_, config)| config.custody.is_some()) {
            return Err(Refused::FollowedChain { asset });
        }
        let next = record.next_deposit;
        let fact = Fact::Deposit {
            index: self.index.unwrap_or(next),
            account: self.account.unwrap_or(sender).0,
            asset: asset.number(),
            amount: self.amount.units(),
        };
        let sources = Sources { development: state.genesis.development };
        let fact =
            verify_fact(fact, &self.proof, &sources).map_err(|refused| Refused::NotProven { refused })?;
        let Fact::Deposit { index, account, amount, .. } = *fact.get() else {
            return Err(Refused::AssetNotFound { asset });
        };
        if index != next {
            return Err(Refused::OutOfOrder { index, next });
        }
        let (deposited, amount, cap) = (record.supply(), Amount::new(amount), record.cap.min(Amount::LIMIT));
        let gross = record.deposited.plus(amount).filter(|gross| *gross <= Amount::new(u128::MAX >> 1));
        if deposited.plus(amount).is_none_or(|total| total > cap) || gross.is_none() {
            return Err(Refused::ExceedsCap { deposited, amount, cap });
        }

        // From here on nothing can fail.
        let account = Address(account);
        let id = state.accounts.open(account);
        state.accounts.get_mut(id).add_free(asset, amount);
        let record = state.asset_mut(asset);
        record.deposited.grow(amount);
        record.next_deposit = next.saturating_add(1);
        events.push(Event::Deposited { account, asset, amount });
        Ok(())
    }
}
