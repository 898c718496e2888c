//! Ledger value by operator, group, service and set, as the caps see it: frozen at the boundary, with what was added since.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::State;
use super::records::Groups;
use crate::genesis::Caps;
use crate::units::{Amount, AssetId, Fraction, OperatorId, ServiceId, SetId};

/// What an operator may declare about where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Dimension {
    Client,
    Cloud,
    Custody,
    Code,
}

/// Ledger value at the last boundary, and what joined or was allocated since.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Values {
    total: Amount,
    operators: Vec<Amount>,
    groups: BTreeMap<(Dimension, Option<String>), Amount>,
    services: Vec<Amount>,
    sets: Vec<Amount>,
}

/// An increase that a cap refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverCap {
    /// Which cap.
    pub cap: String,
    /// The value after the increase.
    pub value: Amount,
    /// All value after the increase.
    pub total: Amount,
    /// The largest share.
    pub share: Fraction,
}

impl std::fmt::Display for OverCap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { cap, value, total, share } = self;
        write!(
            f,
            "{cap} would have {value} of a ledger value of {total}, more than the largest share {share}"
        )
    }
}

fn at(values: &[Amount], index: usize) -> Amount {
    values.get(index).copied().unwrap_or(Amount::ZERO)
}

fn add(values: &mut Vec<Amount>, index: usize, amount: Amount) {
    if values.len() <= index {
        values.resize(index.saturating_add(1), Amount::ZERO);
    }
    if let Some(value) = values.get_mut(index) {
        *value = plus(*value, amount);
    }
}

fn sub(values: &mut [Amount], index: usize, amount: Amount) {
    if let Some(value) = values.get_mut(index) {
        *value = amount.room_below(*value);
    }
}

impl Groups {
    /// The four declarations; what is not declared is one group in each dimension.
    pub(crate) fn labels(&self) -> [(Dimension, &Option<String>); 4] {
        [
            (Dimension::Client, &self.client),
            (Dimension::Cloud, &self.cloud),
            (Dimension::Custody, &self.custody),
            (Dimension::Code, &self.code),
        ]
    }
}

impl State {
    /// Whether stake of `value` may join an operator.
    pub(crate) fn check_operator_caps(&self, operator: OperatorId, value: Amount) -> Result<(), OverCap> {
        let caps = &self.parameters().caps;
        if caps.is_off() {
            return Ok(());
        }
        let total = plus(self.values.total, value);
        let of_operator = plus(at(&self.values.operators, operator.index()), value);
        check_share(caps, || format!("operator {operator}"), of_operator, total, caps.operator)?;
        let Some(record) = self.operator(operator) else { return Ok(()) };
        for (dimension, label) in record.frozen_groups.labels() {
            let key = (dimension, label.clone());
            let of_group = plus(self.values.groups.get(&key).copied().unwrap_or(Amount::ZERO), value);
            let share = if label.is_some() { caps.group } else { caps.undeclared.min(caps.group) };
            let name = || match label {
                Some(label) => format!("the {dimension:?} group {label:?}"),
                None => format!("the group that declares no {dimension:?}"),
            };
            check_share(caps, name, of_group, total, share)?;
        }
        Ok(())
    }

    /// Whether `value` may be allocated to a set.
    pub(crate) fn check_set_caps(&self, set: SetId, value: Amount) -> Result<(), OverCap> {
        let caps = &self.parameters().caps;
        let Some(record) = self.set(set) else { return Ok(()) };
        if caps.is_off() {
            return Ok(());
        }
        let total = self.values.total;
        let service = record.service;
        let of_service = plus(at(&self.values.services, service.index()), value);
        check_share(caps, || format!("service {service}"), of_service, total, caps.service)?;
        let event = record.window_cap(self.epoch).of_up(plus(at(&self.values.sets, set.index()), value));
        check_share(caps, || format!("a slash of all operators of set {set}"), event, total, caps.event)
    }

    /// Counts stake that joined an operator since the boundary.
    pub(crate) fn add_operator_value(&mut self, operator: OperatorId, asset: AssetId, amount: Amount) {
        self.move_operator_value(operator, asset, amount, plus);
    }

    /// Stake that joined since the boundary was taken back.
    pub(crate) fn take_back_operator_value(&mut self, operator: OperatorId, asset: AssetId, amount: Amount) {
        self.move_operator_value(operator, asset, amount, |value, moved| moved.room_below(value));
    }

    fn move_operator_value(
        &mut self,
        operator: OperatorId,
        asset: AssetId,
        amount: Amount,
        change: impl Fn(Amount, Amount) -> Amount,
    ) {
        if self.parameters().caps.is_off() {
            return;
        }
        let moved = self.value(asset, amount);
        let labels = self.operator(operator).map(|record| record.frozen_groups.clone()).unwrap_or_default();
        let values = &mut *self.values;
        values.total = change(values.total, moved);
        add(&mut values.operators, operator.index(), Amount::ZERO);
        if let Some(value) = values.operators.get_mut(operator.index()) {
            *value = change(*value, moved);
        }
        for (dimension, label) in labels.labels() {
            let value = values.groups.entry((dimension, label.clone())).or_default();
            *value = change(*value, moved);
        }
    }

    /// Counts a change of what a set will own of a pool.
    pub(crate) fn move_set_value(&mut self, set: SetId, service: ServiceId, before: Amount, after: Amount) {
        if self.parameters().caps.is_off() {
            return;
        }
        let (more, less) = (before.room_below(after), after.room_below(before));
        add(&mut self.values.services, service.index(), more);
        add(&mut self.values.sets, set.index(), more);
        sub(&mut self.values.services, service.index(), less);
        sub(&mut self.values.sets, set.index(), less);
    }

    /// An operator's weight where others' moves have pushed its value over the cap: clipped in proportion, its stake untouched.
    pub(crate) fn capped_weight(&self, operator: OperatorId, weight: Amount) -> Amount {
        let caps = &self.parameters().caps;
        let (value, most) =
            (at(&self.values.operators, operator.index()), caps.operator.of_down(self.values.total));
        if caps.is_off() || value <= caps.above || value <= most {
            weight
        } else {
            weight.portion_down(most, value)
        }
    }

    /// Freezes the values of the epoch that begins.
    pub(crate) fn freeze_values(&mut self) {
        *self.values = Values::default();
        if self.parameters().caps.is_off() {
            return;
        }
        for index in 0..self.operators.len() {
            let operator = self.operator(OperatorId::at(index));
            if operator.is_some_and(|operator| operator.frozen_groups != operator.groups) {
                let operator = self.operator_mut(OperatorId::at(index));
                operator.frozen_groups = operator.groups.clone();
            }
        }
        let mut values = Values::default();
        for record in self.pools.iter() {
            let value = self.value(record.asset, record.stake.worth_in(self.epoch));
            values.total = plus(values.total, value);
            add(&mut values.operators, record.operator.index(), value);
            if let Some(operator) = self.operator(record.operator) {
                for (dimension, label) in operator.frozen_groups.labels() {
                    let sum = values.groups.entry((dimension, label.clone())).or_default();
                    *sum = plus(*sum, value);
                }
            }
            for (set, amount) in &record.owned {
                let value = self.value(record.asset, *amount);
                add(&mut values.sets, set.index(), value);
                if let Some(set) = self.set(*set) {
                    add(&mut values.services, set.service.index(), value);
                }
            }
        }
        *self.values = values;
    }
}

/// Values are for caps: where a sum leaves the range, any share of it is too much.
fn plus(a: Amount, b: Amount) -> Amount {
    a.plus(b).unwrap_or(Amount::new(u128::MAX))
}

fn check_share(
    caps: &Caps,
    cap: impl FnOnce() -> String,
    value: Amount,
    total: Amount,
    share: Fraction,
) -> Result<(), OverCap> {
    if share == Fraction::ONE || value <= caps.above || value <= share.of_down(total) {
        return Ok(());
    }
    Err(OverCap { cap: cap(), value, total, share })
}
