//! The operator's bond: liable by capture epoch like stake, and first to lose.

use protocol::ops::lower_bond::LowerBond;
use protocol::ops::raise_bond::RaiseBond;
use protocol::ops::release_bond::ReleaseBond;
use protocol::units::{Address, Epoch};

use super::pool::{Bond, Pool};
use super::{Model, Verdict, ensure};

impl Pool {
    /// Takes `amount` of what is liable for `capture`: what leaves first before what stays, the oldest first.
    pub(crate) fn pay_bond(&mut self, capture: Epoch, amount: u128) {
        let is_liable = |bond: &Bond| bond.from <= capture && capture <= bond.until;
        self.bonds.sort_by_key(|bond| (bond.until, bond.from));
        let mut missing = amount;
        for bond in self.bonds.iter_mut().filter(|bond| is_liable(bond)) {
            let part = bond.amount.min(missing);
            bond.amount -= part;
            missing -= part;
        }
        self.bonds.retain(|bond| bond.amount > 0);
    }
}

impl Model {
    pub(crate) fn raise_bond(&mut self, op: &RaiseBond, sender: Address) -> Verdict {
        ensure!(!op.amount.is_zero(), "AmountIsZero");
        let pool = self.own_pool(sender, op.asset)?;
        ensure!(!self.is_native(op.asset), "NativeStake");
        let amount = op.amount.units();
        ensure!(amount <= self.free_of(sender, op.asset), "ExceedsFree");
        self.take_free(sender, op.asset, amount);
        let from = self.epoch.next();
        self.pool_mut(pool).bonds.push(Bond { from, until: Epoch::NEVER, amount });
        Ok(())
    }

    pub(crate) fn lower_bond(&mut self, op: &LowerBond, sender: Address) -> Verdict {
        ensure!(!op.amount.is_zero(), "AmountIsZero");
        let pool = self.own_pool(sender, op.asset)?;
        let mut missing = op.amount.units();
        ensure!(missing <= self.pool(pool).standing_bond(), "ExceedsBond");
        let until = self.epoch.later(self.rules().notice);
        let bonds = &mut self.pool_mut(pool).bonds;
        bonds.sort_by_key(|bond| (bond.until, bond.from));
        let mut leaving = Vec::new();
        for bond in bonds.iter_mut().filter(|bond| bond.until == Epoch::NEVER) {
            let part = bond.amount.min(missing);
            bond.amount -= part;
            missing -= part;
            leaving.push(Bond { until, amount: part, ..*bond });
        }
        bonds.extend(leaving);
        bonds.retain(|bond| bond.amount > 0);
        Ok(())
    }

    pub(crate) fn release_bond(&mut self, op: &ReleaseBond) -> Verdict {
        let pool = self.pool_of(op.operator, op.asset).ok_or("PoolNotFound")?;
        let (free, kept): (Vec<Bond>, Vec<Bond>) =
            self.pool(pool).bonds.iter().partition(|bond| self.is_free(bond.until));
        ensure!(!free.is_empty(), "NothingFree");
        self.pool_mut(pool).bonds = kept;
        let amount = free.iter().map(|bond| bond.amount).sum();
        if let Some(account) = self.operator(op.operator).map(|operator| operator.account) {
            self.add_free(account, op.asset, amount);
        }
        Ok(())
    }
}
