//! What holds between a state and the next: what one operation, or one boundary, may do to vaults.

use super::Violation;
use crate::operation::Kind;
use crate::state::State;
use crate::state::vaults::nav::Valuation;
use crate::state::vaults::records::Vault;
use crate::units::{Amount, VaultId};
use crate::vault::queue::Batch;
use crate::vault::rate::Rate;

/// Checks a step: the kind of the operation, none for a boundary.
///
/// # Errors
/// The first invariant that does not hold, with the values.
pub fn check_step(before: &State, after: &State, kind: Option<Kind>) -> Result<(), Violation> {
    check_routes(before, after)?;
    for index in 0..before.vaults.list.len() {
        let id = VaultId::at(index);
        let (Some(old), Some(new)) = (before.vault(id), after.vault(id)) else {
            return Err(Violation(format!("vault {id} is gone")));
        };
        let (Some(was), Some(is)) = (before.value_vault(id), after.value_vault(id)) else { continue };
        let named = |why: String| Violation(format!("vault {id}: {why}"));
        check_rate(before, after, id, (&was, &is), kind).map_err(named)?;
        check_drip(old, new, &is).map_err(named)?;
        check_line(before, after, id).map_err(named)?;
        check_fee(before, after, id).map_err(named)?;
        check_time(old, new).map_err(named)?;
        super::caps::check_caps(before, after, id).map_err(named)?;
    }
    Ok(())
}

/// I19: what comes home by a route is locked there, and with it what came home in the window less what went out is at most the cap.
fn check_routes(before: &State, after: &State) -> Result<(), Violation> {
    for (index, (old, new)) in before.vaults.routes.iter().zip(after.vaults.routes.iter()).enumerate() {
        let home = new.meter.locked.room_below(old.meter.locked);
        let net = new.meter.net_home(after.epoch, new.terms.window);
        if !home.is_zero() && net > old.terms.cap {
            let cap = old.terms.cap;
            return Err(Violation(format!(
                "I19: {home} came home by route {index}, {net} in the window, above {cap}"
            )));
        }
    }
    Ok(())
}

/// Whether an operation may take stake.
fn is_slash(kind: Option<Kind>) -> bool {
    matches!(
        kind,
        Some(Kind::ExecuteSlash | Kind::Correlate | Kind::SubmitEquivocation | Kind::SubmitFalseEvent)
    )
}

/// Whether an operation is one of vaults.
fn is_of_vaults(kind: Option<Kind>) -> bool {
    let slash_or_other = [
        Kind::VaultDeposit,
        Kind::VaultRequest,
        Kind::VaultCancel,
        Kind::VaultClaim,
        Kind::VaultInstant,
        Kind::VaultTick,
        Kind::VaultHarvest,
        Kind::VaultFund,
        Kind::VaultGuard,
        Kind::AllocateVault,
        Kind::VaultJuniorJoin,
        Kind::VaultJuniorLeave,
    ];
    kind.is_some_and(|kind| slash_or_other.contains(&kind))
}

/// I3: the rate falls by slashes only, and then by what the waterfall left. I17, I21: what others do moves nothing at all.
fn check_rate(
    before: &State,
    after: &State,
    id: VaultId,
    (was, is): (&Valuation, &Valuation),
    kind: Option<Kind>,
) -> Result<(), String> {
    let old = before.vault_rates(id, was).0;
    // I17: each entry that was cut may have lost a unit to rounding.
    let mut rounded = is.nav;
    rounded.grow(moved(before, after, id));
    let new = Rate::of(rounded, after.supply_of(id));
    if is_slash(kind) {
        let more = was.recognised.pool.room_below(is.recognised.pool);
        let fell = is.nav.room_below(was.nav);
        // What rounds is in favour of the holders: nobody else gets it.
        return if fell <= more {
            Ok(())
        } else {
            Err(format!("I3: its value fell by {fell} with a loss of {more}"))
        };
    }
    if new < old {
        return Err(format!("I3: its rate fell from {old:?} to {new:?}"));
    }
    if !is_of_vaults(kind) && after.vault_rates(id, is).0 > old {
        return Err(format!("I21: its rate rose from {old:?} to {new:?}"));
    }
    if matches!(kind, Some(Kind::VaultGuard)) && is.nav > was.nav {
        return Err(format!("I17: its value rose from {} to {} as it moved stake", was.nav, is.nav));
    }
    Ok(())
}

/// How many entries of stake a vault has that it had not, as units that rounding may have cost it.
fn moved(before: &State, after: &State, id: VaultId) -> Amount {
    let entries = |state: &State| -> Vec<_> {
        let account = state.vault(id).map(|vault| vault.account);
        let first = account
            .map_or(crate::state::positions::NONE, |account| state.accounts.get(account).first_position);
        let listed = state.positions.list(first);
        listed.map(|(_, p)| (p.pool, p.entered, p.until, p.principal)).collect()
    };
    let old = entries(before);
    let new = entries(after).iter().filter(|entry| !old.contains(entry)).count();
    Amount::new(u128::try_from(new).unwrap_or(0))
}

/// I14: what vests was there to vest, and only the vault's own clock does it.
fn check_drip(old: &Vault, new: &Vault, is: &Valuation) -> Result<(), String> {
    let (was, now) = (old.drip.unvested(), new.drip.unvested());
    let mut gross = new.buckets.idle;
    gross.grow(is.staked);
    if now < was && new.tick.epoch == old.tick.epoch && now < gross {
        return Err(format!("I14: of {was} that does not count yet {now} is left, in the same epoch"));
    }
    Ok(())
}

/// I7: what is settled stays as it was settled. I8: the mark and the end of the line only go forward.
fn check_line(before: &State, after: &State, id: VaultId) -> Result<(), String> {
    let (Some(old), Some(new)) = (before.vault(id), after.vault(id)) else { return Ok(()) };
    if new.queue.settled < old.queue.settled || new.queue.end < new.queue.settled {
        return Err(format!("I8: the line went back from {:?} to {:?}", old.queue, new.queue));
    }
    for ((_, end), batch) in before.vaults.batches.iter().filter(|((of, _), _)| *of == id) {
        let Some(later) = after.vaults.batches.get(&(id, *end)) else { continue };
        let fixed =
            |batch: &Batch| (batch.start, batch.assets, batch.held, batch.held_until, batch.withheld.clone());
        let is_released = batch.held_released.is_none() || later.held_released == batch.held_released;
        if fixed(later) != fixed(batch)
            || !is_released
            || later.paid < batch.paid
            || later.claimed < batch.claimed
        {
            return Err(format!("I7: a settled batch was {batch:?} and is {later:?}"));
        }
    }
    for ((_, end), batch) in after.vaults.batches.iter().filter(|((of, _), _)| *of == id) {
        if before.vaults.batches.contains_key(&(id, *end)) {
            continue;
        }
        let cohort = before.cohort_at(id, batch.start).map(|(_, cohort)| cohort);
        let Some(cohort) = cohort else { return Err(format!("I8: {batch:?} is of no cohort that waited")) };
        if cohort.epoch >= new.tick.epoch {
            return Err(format!(
                "I8: shares asked back in epoch {} were settled in {}",
                cohort.epoch, new.tick.epoch
            ));
        }
        let asked = cohort.rate.assets_down(crate::vault::queue::between(batch.start, *end));
        let withheld =
            Amount::total(batch.withheld.iter().map(|(_, amount)| *amount)).unwrap_or(Amount::ZERO);
        if Amount::total([batch.assets, batch.held, withheld]).is_none_or(|all| all > asked) {
            return Err(format!("I9: {batch:?} gets more than the {asked} that it asked back"));
        }
    }
    Ok(())
}

/// I13: a fee is never more than its share of what lies above the highest rate that was charged.
fn check_fee(before: &State, after: &State, id: VaultId) -> Result<(), String> {
    let (Some(old), Some(new)) = (before.vault(id), after.vault(id)) else { return Ok(()) };
    let minted = old.fees_minted.room_below(new.fees_minted);
    if minted.is_zero() {
        return Ok(());
    }
    let price: Rate = new.tick.price;
    let fee = old.terms.fee.max(new.terms.fee);
    let worth = price.assets_down(minted);
    let (assets, shares) = old.high_water.ratio();
    let held = price.ratio().1;
    let base = crate::wide::checked_mul_div_up(held.saturating_sub(minted.units()), assets, shares)
        .unwrap_or(u128::MAX);
    let most = fee.of_down(Amount::new(price.ratio().0.saturating_sub(base)));
    if worth > most || price < old.high_water {
        return Err(format!("I13: a fee of {minted} shares is worth {worth}, more than {most}"));
    }
    Ok(())
}

/// I20: a stop of deposits ends by itself. The vault's clock does not go back.
fn check_time(old: &Vault, new: &Vault) -> Result<(), String> {
    if (new.tick.epoch, new.tick.phase) < (old.tick.epoch, old.tick.phase) && new.tick.epoch == old.tick.epoch
    {
        return Err(format!("I8: its tick went back from {:?} to {:?}", old.tick, new.tick));
    }
    if new.stop.until > old.stop.until && new.stop.until.since(new.tick.epoch) > 1_000 {
        return Err(format!("I20: deposits are stopped until epoch {}", new.stop.until));
    }
    Ok(())
}
