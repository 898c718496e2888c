//! What a vault does with its stake: what any staker does, in the same code, with its buckets kept beside.

use super::super::State;
use super::address_of;
use crate::event::Event;
use crate::ops::delegate::{self, Delegate};
use crate::ops::undelegate::{self, Undelegate};
use crate::state::records::FollowUp;
use crate::units::{AccountId, Amount, AssetId, Digest, Fraction, OperatorId, VaultId};
use crate::vault::defence::{Defence, is_on};

impl State {
    /// A vault delegates some of what is idle, under the mandate and the bound that it was given. The caller has touched the vault, and calls
    /// [`State::remark_vault`] when it is done.
    ///
    /// # Errors
    /// As of any delegation; `ExceedsFree` where it is more than what is idle.
    pub(crate) fn vault_delegate(
        &mut self,
        id: VaultId,
        operator: OperatorId,
        amount: Amount,
        (mandate, worst_case): (Digest, Fraction),
        events: &mut Vec<Event>,
    ) -> Result<(), delegate::Refused> {
        let vault = self.vault(id).expect("the vault was checked");
        let (asset, idle) = (vault.asset, vault.buckets.idle);
        if amount > idle {
            return Err(delegate::Refused::ExceedsFree { amount, free: idle });
        }
        let delegation = Delegate { operator, asset, amount, validator: None, mandate, worst_case };
        delegation.apply(self, address_of(id), events)?;
        let vault = self.vault_mut(id);
        vault.buckets.idle.shrink(amount);
        vault.marked.grow(amount);
        Ok(())
    }

    /// Whether a vault can ask that back.
    ///
    /// # Errors
    /// As of any undelegation.
    pub(crate) fn check_vault_leave(
        &self,
        id: VaultId,
        operator: OperatorId,
        amount: Option<Amount>,
    ) -> Result<(), undelegate::Refused> {
        let asset = self.vault(id).expect("the vault was checked").asset;
        let leave = Undelegate { operator, asset, amount, validator: None, follow_up: FollowUp::Free };
        leave.check(self, address_of(id)).map(drop)
    }

    /// A vault asks stake back; all of a pool where no amount is given. As [`State::vault_delegate`].
    ///
    /// # Errors
    /// As of any undelegation.
    pub(crate) fn vault_undelegate(
        &mut self,
        id: VaultId,
        operator: OperatorId,
        amount: Option<Amount>,
        events: &mut Vec<Event>,
    ) -> Result<(), undelegate::Refused> {
        let asset = self.vault(id).expect("the vault was checked").asset;
        let leave = Undelegate { operator, asset, amount, validator: None, follow_up: FollowUp::Free };
        leave.apply(self, address_of(id), events)
    }

    /// Stake of an account has become free, by whoever's call: a vault's is idle at once.
    pub(crate) fn count_released(&mut self, account: AccountId, asset: AssetId, worth: Amount) {
        let Some(id) = self.vault_of(account) else { return };
        let vault = self.vault_mut(id);
        if vault.asset == asset && is_on(Defence::CountReleased) {
            vault.buckets.idle.grow(worth);
            vault.marked = worth.room_below(vault.marked);
        }
    }

    /// After moves: what roundings of cut entries took is gone, and what those of joined entries gave counts little by little.
    pub(crate) fn remark_vault(&mut self, id: VaultId) {
        let staked = self.staked_of(id);
        self.remark_vault_to(id, staked);
    }

    /// The same where it is known what the vault's positions are worth.
    pub(super) fn remark_vault_to(&mut self, id: VaultId, staked: Amount) {
        let now = self.epoch;
        let vault = self.vault_mut(id);
        let gain = if is_on(Defence::Recognition) { vault.marked.room_below(staked) } else { Amount::ZERO };
        vault.drip.credit(now, vault.terms.drip, gain);
        if is_on(Defence::Recognition) {
            vault.marked = staked;
        }
    }
}
