//! An account becomes an operator.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::records::{Groups, Operator};
use crate::units::{Address, Amount, OperatorId};

record! {
    /// Registers the sender as an operator. It has no stake until it opens pools.
    pub struct RegisterOperator {
        /// What it says it runs on.
        #[serde(default)]
        pub groups: Groups,
    }
}

refusals! {
    /// Why a registration is refused.
    {
        AlreadyRegistered { operator: OperatorId } => "the sender is operator {operator} already",
        LabelTooLong { length: usize } => "a declared group has {length} bytes, and may have 1 to 64",
        DepositMissing { deposit: Amount, free: Amount } => "the deposit of {deposit} exceeds the free balance {free}",
    }
}

/// The length of a declared group that is out of bounds.
pub(crate) fn bad_label(groups: &Groups) -> Option<usize> {
    let lengths = groups.labels().into_iter().filter_map(|(_, label)| label.as_ref().map(String::len));
    lengths.into_iter().find(|length| !(1..=64).contains(length))
}

impl RegisterOperator {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        if let Some(operator) = state.operator_of(sender) {
            return Err(Refused::AlreadyRegistered { operator });
        }
        if let Some(length) = bad_label(&self.groups) {
            return Err(Refused::LabelTooLong { length });
        }
        let deposit = state.parameters().object_deposit;
        state.can_post(sender, deposit).map_err(|free| Refused::DepositMissing { deposit, free })?;

        // From here on nothing can fail.
        let account = state.accounts.open(sender);
        state.post(account, deposit);
        let id = OperatorId::at(state.operators.len());
        state.operators.push(Operator {
            account,
            is_retired: false,
            groups: self.groups.clone(),
            frozen_groups: self.groups.clone(),
            pools: Default::default(),
            sets: Default::default(),
            split: Vec::new(),
            deposit,
        });
        state.accounts.get_mut(account).extra_mut().operator = Some(id);
        events.push(Event::OperatorRegistered { operator: id, account: sender });
        Ok(())
    }
}
