//! Parameters, figures of assets, and what a guardian may stop.

use protocol::ops::govern_asset::GovernAsset;
use protocol::ops::guard::{Guard, Stop};
use protocol::ops::propose_parameters::ProposeParameters;
use protocol::units::{Address, Amount, Epoch};

use super::records::Change;
use super::{Model, Verdict, ensure};

/// Changes that may wait at the same time.
const PENDING_MAX: usize = 64;
/// The largest ledger value of 10^9 base units.
const VALUE_MAX: u64 = 1 << 34;

impl Model {
    pub(crate) fn propose_parameters(&mut self, op: &ProposeParameters, sender: Address) -> Verdict {
        ensure!(sender == self.genesis.governor, "NotTheGovernor");
        let new = &op.parameters;
        ensure!(new.check(&self.genesis.bounds).is_ok(), "OutOfBounds");
        let from = self.epoch.next().later(self.rules().notice);
        // Whoever leaves in `from` or later must stay until every capture of earlier rules is closed; what was announced is replaced.
        let last_executions = (0..from.number()).map(|capture| {
            let rules = self.rules_in(self.epoch.min(Epoch::new(capture)));
            Epoch::new(capture).later(rules.slash_window + rules.veto + rules.execution)
        });
        let needed = last_executions.map(|last| last.since(from)).max().unwrap_or(0);
        ensure!(new.unbonding >= needed, "ExitsTooShort");
        ensure!(self.changes.len() < PENDING_MAX, "TooManyPending");
        let now = self.epoch;
        self.parameters.retain(|(start, _)| *start <= now);
        self.parameters.push((from, (**new).clone()));
        self.changes.retain(|(_, change)| !matches!(change, Change::Parameters));
        self.changes.push((from, Change::Parameters));
        Ok(())
    }

    pub(crate) fn govern_asset(&mut self, op: &GovernAsset, sender: Address) -> Verdict {
        ensure!(sender == self.genesis.governor, "NotTheGovernor");
        let asset = self.asset(op.asset).ok_or("AssetNotFound")?;
        ensure!(op.value.is_some() || op.cap.is_some() || op.stake_min.is_some(), "NothingToChange");
        ensure!(op.value.is_none_or(|value| value <= VALUE_MAX), "ValueTooLarge");
        let is_large = |amount: Option<Amount>| amount.is_some_and(|amount| amount > Amount::LIMIT);
        ensure!(!is_large(op.cap) && !is_large(op.stake_min), "AmountTooLarge");
        ensure!(self.changes.len() + 3 <= PENDING_MAX, "TooManyPending");
        let (old_value, old_cap) = (asset.value, asset.cap);
        let later = self.epoch.next().later(self.rules().notice);
        // A newer figure replaces one that is announced.
        self.changes.retain(|(_, change)| match change {
            Change::Parameters => true,
            Change::Value(asset, _) => *asset != op.asset || op.value.is_none(),
            Change::Cap(asset, _) => *asset != op.asset || op.cap.is_none(),
            Change::StakeMin(asset, _) => *asset != op.asset || op.stake_min.is_none(),
        });
        if let Some(value) = op.value {
            let from = if value < old_value { self.epoch } else { later };
            self.changes.push((from, Change::Value(op.asset, value)));
        }
        if let Some(cap) = op.cap.map(|cap| cap.units()) {
            let from = if cap < old_cap { self.epoch } else { later };
            self.changes.push((from, Change::Cap(op.asset, cap)));
        }
        if let Some(amount) = op.stake_min {
            self.changes.push((later, Change::StakeMin(op.asset, amount.units())));
        }
        self.start_changes();
        Ok(())
    }

    /// Carries out every change whose epoch has come.
    pub(crate) fn start_changes(&mut self) {
        let now = self.epoch;
        let due: Vec<Change> =
            self.changes.iter().filter(|(from, _)| *from <= now).map(|(_, change)| change.clone()).collect();
        self.changes.retain(|(from, _)| *from > now);
        for change in due {
            match change {
                Change::Parameters => {}
                Change::Value(asset, value) => self.asset_mut(asset).value = value,
                Change::Cap(asset, cap) => self.asset_mut(asset).cap = cap,
                Change::StakeMin(asset, amount) => self.asset_mut(asset).stake_min = amount,
            }
        }
    }

    pub(crate) fn guard(&mut self, op: &Guard, sender: Address) -> Verdict {
        ensure!(sender == self.genesis.guardian, "NotTheGuardian");
        let (until, next) = (self.epoch.later(7), self.epoch.later(28));
        ensure!(self.stops.next <= self.epoch || self.stops.next == next, "TooSoon");
        match op.stop {
            Stop::Joins => self.stops.joins = until,
            Stop::Listings => self.stops.listings = until,
            Stop::Sets => self.stops.sets = until,
            Stop::Allocations => self.stops.allocations = until,
        }
        self.stops.next = next;
        Ok(())
    }
}
