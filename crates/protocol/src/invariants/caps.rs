//! I16 and I23: what curation and baskets promise.

use super::Violation;
use crate::state::State;
use crate::state::vaults::curate::Which;
use crate::units::{Amount, BasketId, Epoch, VaultId};
use crate::vault::portfolio::Limit;

/// I16: a step in which a vault delegated leaves every cap kept. Only slashes, terms and drift exceed one, and then nothing is added.
pub(super) fn check_caps(before: &State, after: &State, id: VaultId) -> Result<(), String> {
    let (Some(old), Some(new)) = (before.vault(id), after.vault(id)) else { return Ok(()) };
    let Some(policy) = &new.curation.policy else { return Ok(()) };
    let joined = |state: &State, account| -> Amount {
        let positions = state.positions.list(state.accounts.get(account).first_position);
        let joining = positions
            .filter(|(_, position)| position.entered > after.epoch && position.until == Epoch::NEVER);
        joining.fold(Amount::ZERO, |sum, (_, position)| sum.plus(position.principal).unwrap_or(sum))
    };
    if joined(after, new.account) <= joined(before, old.account) {
        return Ok(());
    }
    let Some(value) = after.value_vault(id) else { return Ok(()) };
    let holdings = after.holdings_of(id, policy);
    let portfolio = after.portfolio_of(id, policy, &holdings, (value.nav, Which::All));
    // Roundings of what was asked back in the same step may have lowered the net asset value by a unit each.
    let dust = Amount::new(u128::try_from(holdings.len()).unwrap_or(0));
    let is_over = |limit: &Limit| limit.excess() > dust;
    match portfolio.limits(&policy.caps).exceeded().into_iter().find(is_over) {
        Some(limit) => Err(format!(
            "I16: {} has {}, more than {}, after it delegated",
            limit.cap, limit.value, limit.most
        )),
        None => Ok(()),
    }
}

/// I23: a basket has what its legs say, and with the last of its shares nothing is left that anybody could be owed.
pub(super) fn check_baskets(state: &State) -> Result<(), Violation> {
    for index in 0..state.vaults.baskets.len() {
        let id = BasketId::at(index);
        let Some(basket) = state.basket(id) else { continue };
        for leg in &basket.legs {
            let share = state.share_of_vault(leg.vault);
            let there = state.holding(share, basket.account).shares;
            if there < leg.held {
                let (vault, held) = (leg.vault, leg.held);
                return Err(Violation(format!(
                    "I23: basket {id} has {there} shares of vault {vault}, and its leg says {held}"
                )));
            }
        }
    }
    Ok(())
}

/// The least that a test needs to know of a vault's stake: with whom how much stays.
#[cfg(test)]
pub(crate) fn staying(state: &State, id: VaultId) -> Vec<(crate::units::OperatorId, u128)> {
    let Some(policy) = state.vault(id).and_then(|vault| vault.curation.policy.clone()) else {
        return Vec::new();
    };
    let holdings = state.holdings_of(id, &policy);
    holdings.iter().map(|held| (held.operator, held.staying.units())).collect()
}
