//! What holds of vaults in any state. Numbers are those of `docs/explanation/vaults.md`.

use std::collections::BTreeMap;

use super::Violation;
use crate::state::State;
use crate::state::vaults::address_of;
use crate::state::vaults::records::{Contingent, Issuer, Vault};
use crate::units::{Amount, RequestId, ShareId, Shares, VaultId};
use crate::vault::queue::between;

/// Checks every vault and everybody who has shares. Costs as much as the state is large.
pub(super) fn check(state: &State) -> Result<(), Violation> {
    for index in 0..state.vaults.list.len() {
        let id = VaultId::at(index);
        let Some(vault) = state.vault(id) else { continue };
        let named = |why: String| Violation(format!("vault {id}: {why}"));
        check_account(state, id, vault).map_err(named)?;
        check_value(state, id, vault).map_err(named)?;
        check_waiting(state, id, vault).map_err(named)?;
        check_junior(state, vault).map_err(named)?;
        check_escrow(state, id, vault).map_err(named)?;
        check_ranges(state, id, vault).map_err(named)?;
    }
    check_supplies(state)?;
    check_routes(state)?;
    check_verdicts(state)
}

/// I1: the account holds what the buckets say, and nothing that the buckets don't know counts. I22: everything in range.
fn check_account(state: &State, id: VaultId, vault: &Vault) -> Result<(), String> {
    let account = state.accounts.get(vault.account);
    if account.address != address_of(id) {
        return Err(format!("its account is {}", account.address));
    }
    let free = account.free(vault.asset);
    match vault.buckets.total() {
        Some(total) if total <= free => {}
        total => return Err(format!("I1: the buckets hold {total:?}, the account {free}")),
    }
    if vault.buckets.total().is_none_or(|total| total > Amount::LIMIT) || state.supply_of(id) > Shares::LIMIT
    {
        return Err(format!("I22: {:?} of {} shares is out of range", vault.buckets, state.supply_of(id)));
    }
    Ok(())
}

/// I2: the value by buckets is that of an independent look at every position of the ledger. I15: low is at most high.
fn check_value(state: &State, id: VaultId, vault: &Vault) -> Result<(), String> {
    let value = state.value_vault(id).ok_or("it can't be valued")?;
    let mut staked = Amount::ZERO;
    for (_, position) in state.positions.iter().filter(|(_, position)| position.account == vault.account) {
        let pool = state.pool(position.pool);
        if pool.asset == vault.asset {
            staked.grow(pool.stake.worth(position.principal, position.entered, position.until));
        }
    }
    if staked != value.staked {
        return Err(format!("I2: its positions are worth {staked}, and it is valued with {}", value.staked));
    }
    let mut gross = vault.buckets.idle;
    gross.grow(staked);
    gross.grow(value.recognised.inflow());
    if value.nav > gross {
        return Err(format!("I2: a value of {} exceeds all that it has, {gross}", value.nav));
    }
    if value.low() > value.nav {
        return Err(format!("I15: the low value {} exceeds the high one {}", value.low(), value.nav));
    }
    let recognised = value.recognised;
    let paid = Amount::total([recognised.withheld, recognised.fund, recognised.junior, recognised.pool]);
    let order = recognised.pool.is_zero()
        || (recognised.fund == vault.buckets.fund && recognised.junior == vault.buckets.junior);
    if paid != Some(recognised.loss) || !order {
        return Err(format!("I18: {recognised:?} is not shared in order"));
    }
    Ok(())
}

/// Deposits that wait are what the bucket says.
fn check_waiting(state: &State, id: VaultId, vault: &Vault) -> Result<(), String> {
    let deposits = state.vaults.deposits.iter().filter(|((of, _), _)| *of == id);
    let deposits: Vec<Amount> = deposits.map(|(_, deposit)| deposit.amount).collect();
    if u32::try_from(deposits.len()) != Ok(vault.deposits) {
        return Err(format!("I1: {} deposits wait, and the vault counts {}", deposits.len(), vault.deposits));
    }
    let deposits = Amount::total(deposits);
    if deposits != Some(vault.buckets.deposits) {
        return Err(format!("I1: {deposits:?} waits, and the bucket has {}", vault.buckets.deposits));
    }
    Ok(())
}

/// I18: what the junior tranche has earned is there, and what nobody owns is not.
fn check_junior(state: &State, vault: &Vault) -> Result<(), String> {
    let (there, unvested) = (vault.buckets.junior, vault.junior.drip.unvested());
    if unvested > there {
        return Err(format!("I18: {unvested} does not count yet of a junior tranche of {there}"));
    }
    let supply = vault.junior.share.and_then(|share| state.share(share)).map(|share| share.supply);
    if supply.is_none_or(Shares::is_zero) && !there.is_zero() {
        return Err(format!("I18: {there} is in a junior tranche that nobody has a share of"));
    }
    Ok(())
}

/// I5 and I6: the escrow is what settled exits are owed, with the dust of their divisions, below their number; what is withheld and held back
/// likewise.
fn check_escrow(state: &State, id: VaultId, vault: &Vault) -> Result<(), String> {
    let held = state.vaults.holdbacks.iter().filter(|((of, _), _)| *of == id);
    let mut held =
        Amount::total(held.map(|(_, holdback)| holdback.amount)).ok_or("I22: too much is held back")?;
    let (mut escrow, mut withheld) = (Amount::ZERO, BTreeMap::<RequestId, (Amount, u32)>::new());
    for ((_, end), batch) in state.vaults.batches.iter().filter(|((of, _), _)| *of == id) {
        let all = between(batch.start, *end);
        let released = batch.held_released.unwrap_or(Amount::ZERO);
        let is_over = batch.paid > batch.assets || batch.held_paid > released || released > batch.held;
        if is_over || batch.claimed > all || batch.closed > batch.claimed {
            return Err(format!("I6: {batch:?} of {all} shares has paid more than it has"));
        }
        escrow.grow(batch.paid.room_below(batch.assets));
        match batch.held_released {
            None => held.grow(batch.held),
            Some(released) => escrow.grow(batch.held_paid.room_below(released)),
        }
        for (request, amount) in &batch.withheld {
            let (sum, batches) = withheld.entry(*request).or_default();
            sum.grow(*amount);
            *batches = batches.saturating_add(1);
        }
    }
    let mut contingent = Amount::ZERO;
    for (request, Contingent { amount, batches }) in state.contingents_of(id) {
        let found = withheld.remove(&request);
        if found != Some((amount, batches)) {
            return Err(format!(
                "I5: {amount} is withheld for request {request} by {batches} batches, not {found:?}"
            ));
        }
        contingent.grow(amount);
    }
    for ((_, request), outcome) in state.vaults.outcomes.iter().filter(|((of, _), _)| *of == id) {
        let found = withheld.remove(request);
        if found.is_none_or(|(_, batches)| batches != outcome.batches) || outcome.paid > outcome.released {
            return Err(format!("I5: {outcome:?} of request {request} is not that of {found:?}"));
        }
        escrow.grow(outcome.paid.room_below(outcome.released));
    }
    if let Some((request, _)) = withheld.first_key_value() {
        return Err(format!("I5: batches withhold for request {request}, and nothing is kept for it"));
    }
    let buckets = vault.buckets;
    if (escrow, contingent, held) != (buckets.escrow, buckets.contingent, buckets.holdback) {
        return Err(format!(
            "I5: {escrow}, {contingent} and {held} are owed, withheld and held back, and there is {buckets:?}"
        ));
    }
    Ok(())
}

/// I8: what is settled is a prefix of the line; cohorts, gaps and tickets cover the rest of it, each share once.
fn check_ranges(state: &State, id: VaultId, vault: &Vault) -> Result<(), String> {
    let line = vault.queue;
    if line.settled > line.end {
        return Err(format!("I8: {} is settled of a line that ends at {}", line.settled, line.end));
    }
    let mut covered = Vec::new();
    for ((_, start), end) in state.vaults.gaps.iter().filter(|((of, _), _)| *of == id) {
        covered.push((*start, *end));
    }
    let mut waiting = Shares::ZERO;
    let exits: Vec<_> = state.vaults.exits.iter().filter(|((of, _), _)| *of == id).collect();
    for ((_, ticket), exit) in exits {
        let in_order = exit.start <= exit.closed
            && exit.closed <= exit.paid
            && exit.paid <= exit.end
            && exit.paid <= line.settled.max(exit.start);
        if !in_order {
            return Err(format!("I8: ticket {ticket} is out of order: {exit:?}"));
        }
        if exit.end > line.settled {
            covered.push((exit.start.max(line.settled), exit.end));
            waiting.grow(between(exit.start.max(line.settled), exit.end));
        }
    }
    if waiting != line.waiting {
        return Err(format!("I4: {waiting} shares wait, and the line counts {}", line.waiting));
    }
    check_cover(covered, line.settled, line.end, "tickets and gaps")?;
    let cohorts = state.vaults.cohorts.iter().filter(|((of, _), _)| *of == id);
    let cohorts = cohorts.map(|((_, end), cohort)| (cohort.start.max(line.settled), *end)).collect();
    check_cover(cohorts, line.settled, line.end, "cohorts")
}

/// Whether ranges cover a stretch, each place once.
fn check_cover(mut ranges: Vec<(u128, u128)>, from: u128, to: u128, what: &str) -> Result<(), String> {
    ranges.sort_unstable();
    let mut place = from;
    for (start, end) in ranges {
        if start != place || end <= start {
            return Err(format!("I8: {what} cover {start} to {end} after {place}"));
        }
        place = end;
    }
    if place == to { Ok(()) } else { Err(format!("I8: {what} end at {place}, the line at {to}")) }
}

/// I4: every share is held by somebody or waits.
fn check_supplies(state: &State) -> Result<(), Violation> {
    let mut held: BTreeMap<ShareId, Shares> = BTreeMap::new();
    for ((share, account), holding) in state.vaults.holdings.iter() {
        held.entry(*share).or_default().grow(holding.shares);
        if holding.fresh > holding.shares || holding.is_empty() {
            let address = state.accounts.get(*account).address;
            return Err(Violation(format!("I4: {address} has {holding:?} of shares {share}")));
        }
    }
    let mut leaving: BTreeMap<ShareId, Shares> = BTreeMap::new();
    for (_, exit) in state.vaults.junior_exits.iter() {
        leaving.entry(exit.share).or_default().grow(exit.shares);
    }
    for ((basket, _), request) in state.vaults.door_requests.iter() {
        leaving.entry(state.share_of_request(*basket, request)).or_default().grow(request.shares);
    }
    for index in 0..state.vaults.shares.len() {
        let id = ShareId::at(index);
        let Some(record) = state.share(id) else { continue };
        let waiting = match record.issuer {
            Issuer::Vault(vault) => state.vault(vault).map_or(Shares::ZERO, |vault| vault.queue.waiting),
            Issuer::Basket(_) | Issuer::Junior(_) => Shares::ZERO,
        };
        let mut locked = state.vaults.routes.iter().filter(|route| route.share == id);
        let locked = locked.try_fold(Shares::ZERO, |sum, route| sum.plus(route.meter.locked));
        let put_down = leaving.get(&id).copied().unwrap_or_default();
        let there = held.get(&id).copied().unwrap_or_default().plus(waiting);
        let there = there.and_then(|there| there.plus(put_down));
        let there = there.zip(locked).and_then(|(there, locked)| there.plus(locked));
        if there != Some(record.supply) {
            return Err(Violation(format!(
                "I4: {there:?} shares {id} are somewhere, and there are {}",
                record.supply
            )));
        }
    }
    Ok(())
}

/// I19: messages that wait have not come home before.
fn check_routes(state: &State) -> Result<(), Violation> {
    for (id, message) in state.vaults.arrivals.keys() {
        if state.route(*id).is_none_or(|route| route.next > *message) {
            return Err(Violation(format!(
                "I19: message {message} of route {id} waits, and came home before"
            )));
        }
    }
    Ok(())
}

/// A verdict is kept for as many vaults as wait for it, and the index of open requests is that of the requests.
fn check_verdicts(state: &State) -> Result<(), Violation> {
    let mut watchers: BTreeMap<RequestId, u32> = BTreeMap::new();
    for (_, request) in state.vaults.contingents.keys() {
        let count = watchers.entry(*request).or_default();
        *count = count.saturating_add(1);
    }
    let kept: BTreeMap<RequestId, u32> =
        state.vaults.verdicts.iter().map(|(request, verdict)| (*request, verdict.watchers)).collect();
    if kept != watchers {
        return Err(Violation(format!("I5: verdicts are kept for {kept:?}, and asked for by {watchers:?}")));
    }
    let open = state.requests.iter().filter(|(_, request)| request.is_open());
    let mut open: Vec<_> = open.map(|(id, request)| (request.operator, *id)).collect();
    open.sort_unstable();
    if !state.vaults.open_requests.keys().copied().eq(open) {
        return Err(Violation("I15: the index of open requests is not that of the requests".to_owned()));
    }
    Ok(())
}
