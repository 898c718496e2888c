//! The last phase of a tick: stake is asked back for who waits.

use super::super::State;
use super::nav::Valuation;
use crate::event::Event;
use crate::units::{Amount, Epoch, OperatorId, VaultId};

impl State {
    /// One or more steps of the last phase; `false` where nothing is left to do. Takes what it uses off `left`.
    pub(crate) fn allocate_step(
        &mut self,
        id: VaultId,
        left: &mut u32,
        value: &mut Valuation,
        events: &mut Vec<Event>,
    ) -> bool {
        let missing = self.missing(id, value);
        let Some((operator, stake)) = self.largest_stake(id).filter(|_| !missing.is_zero()) else {
            return false;
        };
        *left = left.saturating_sub(1);
        let amount = (missing < stake).then_some(missing);
        let did = self.vault_undelegate(id, operator, amount, events).is_ok();
        self.remark_vault(id);
        did
    }

    /// What who waits is worth beyond what is idle and what is on its way back.
    pub(crate) fn missing(&self, id: VaultId, value: &Valuation) -> Amount {
        let vault = self.vault(id).expect("the vault was checked");
        let (high, _) = self.vault_rates(id, value);
        let mut there = vault.buckets.idle;
        let mut staying = Amount::ZERO;
        for (_, position) in self.positions.list(self.accounts.get(vault.account).first_position) {
            let worth =
                self.pool(position.pool).stake.worth(position.principal, position.entered, position.until);
            if position.until == Epoch::NEVER { staying.grow(worth) } else { there.grow(worth) }
        }
        if vault.is_winding_down {
            return staying;
        }
        there.room_below(high.assets_up(vault.queue.waiting)).min(staying)
    }

    /// The operator with which the vault has most that it has not asked back.
    fn largest_stake(&self, id: VaultId) -> Option<(OperatorId, Amount)> {
        let account = self.vault(id)?.account;
        let mut stakes: Vec<(OperatorId, Amount)> = Vec::new();
        for (_, position) in self.positions.list(self.accounts.get(account).first_position) {
            if position.until != Epoch::NEVER {
                continue;
            }
            let pool = self.pool(position.pool);
            let worth = pool.stake.worth(position.principal, position.entered, position.until);
            match stakes.iter_mut().find(|(operator, _)| *operator == pool.operator) {
                Some((_, sum)) => sum.grow(worth),
                None => stakes.push((pool.operator, worth)),
            }
        }
        stakes.into_iter().max_by_key(|(operator, worth)| (*worth, std::cmp::Reverse(*operator)))
    }
}
