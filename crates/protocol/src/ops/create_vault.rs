//! Anyone opens a vault.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::vaults::address_of;
use crate::state::vaults::records::{Buckets, DepositStop, Issuer, Phase, Tick, Vault};
use crate::units::{Address, Amount, AssetId, Shares, VaultId};
use crate::vault::instant::Bucket;
use crate::vault::rate::Rate;
use crate::vault::waterfall::WHOLE;

pub use crate::state::vaults::records::{JuniorTerms, VaultTerms};
pub use crate::vault::instant::InstantTerms;

record! {
    /// Opens a vault of one asset under the next number, with shares of its own.
    pub struct CreateVault {
        /// The asset, which is the only one that it ever counts.
        pub asset: AssetId,
        /// What it promises.
        pub terms: VaultTerms,
    }
}

refusals! {
    /// Why a vault is refused.
    {
        AssetNotFound { asset: AssetId } => "asset {asset} is not listed",
        NativeStake { asset: AssetId } => "asset {asset} is native stake, which stays in its owner's validators",
        BadTerms { why: String } => "{why}",
        DepositMissing { deposit: Amount, free: Amount } => "the deposit of {deposit} exceeds the free balance {free}",
    }
}

impl CreateVault {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let asset = self.asset;
        if state.asset(asset).is_none() {
            return Err(Refused::AssetNotFound { asset });
        }
        if state.is_native(asset) {
            return Err(Refused::NativeStake { asset });
        }
        self.terms.check(&state.genesis.vaults).map_err(|why| Refused::BadTerms { why })?;
        let deposit = state.parameters().object_deposit;
        state.can_post(sender, deposit).map_err(|free| Refused::DepositMissing { deposit, free })?;

        // From here on nothing can fail.
        let creator = state.accounts.open(sender);
        state.post(creator, deposit);
        let id = VaultId::at(state.vaults.list.len());
        let account = state.accounts.open(address_of(id));
        let share = state.issue(Issuer::Vault(id));
        let price = Rate::of(Amount::ZERO, Shares::ZERO);
        state.vaults.list.push(Vault {
            account,
            creator,
            asset,
            share,
            terms: self.terms.clone(),
            pending: None,
            is_winding_down: false,
            stop: DepositStop::default(),
            buckets: Buckets::default(),
            drip: Default::default(),
            marked: Amount::ZERO,
            touched: state.epoch,
            left: WHOLE,
            high_water: price,
            fees_minted: Shares::ZERO,
            queue: Default::default(),
            tick: Tick { epoch: state.epoch, phase: Phase::Done, price, nav: Amount::ZERO },
            bucket: Bucket::default(),
            tickets: 0,
            posted: deposit,
            curation: Default::default(),
            deposits: 0,
            junior: Default::default(),
        });
        events.push(Event::VaultCreated { vault: id, account: address_of(id), asset, share });
        Ok(())
    }
}
