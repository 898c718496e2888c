//! Services and their sets.

use super::{Page, page_of};
use crate::state::State;
use crate::units::{Address, Amount, ServiceId, SetId};

answer! {
    /// A service.
    pub struct ServiceDetail {
        /// Which.
        pub service: ServiceId,
        /// Whose.
        pub account: Address,
        /// Its sets, closed ones included.
        pub sets: Vec<SetId>,
        /// The operators in its sets, counted once for each set.
        pub operators: u32,
        /// What its sets are declared to be worth corrupting, together.
        pub profit: Amount,
    }
}

/// One service. Costs as it has sets, and they operators.
pub fn service(state: &State, id: ServiceId) -> Option<ServiceDetail> {
    let record = state.services.get(id.index())?;
    let mut detail = ServiceDetail {
        service: id,
        account: state.address_of(record.account),
        sets: Vec::new(),
        operators: 0,
        profit: Amount::ZERO,
    };
    for set_id in state.sets_of(id) {
        let Some(set) = state.set(set_id) else { continue };
        detail.sets.push(set_id);
        let active = set.members.values().filter(|member| member.left.is_none()).count();
        detail.operators = detail.operators.saturating_add(u32::try_from(active).unwrap_or(u32::MAX));
        let profit = *set.profit.at(state.epoch);
        detail.profit = detail.profit.plus(profit).unwrap_or(Amount::new(u128::MAX));
    }
    Some(detail)
}

/// Services by their numbers, after one of them.
pub fn services(state: &State, after: Option<ServiceId>, limit: usize) -> Page<ServiceDetail> {
    let read = |number| service(state, ServiceId::new(number));
    page_of(state.services.len(), after.map(ServiceId::number), limit, read)
}
