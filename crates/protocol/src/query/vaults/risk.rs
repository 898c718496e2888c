//! With whom a vault's stake is, and the three questions of those who hold its shares.

use super::super::Loss;
use super::super::earnings::claimable_of;
use super::super::exposure::totals_of;
use super::ByOperator;
use super::exit_time::{ExitTimeEstimate, exit_time_estimate};
use super::shares::{held, vault_of};
use super::tickets::{TicketKind, VaultTicket};
use crate::state::State;
use crate::state::vaults::records::Vault;
use crate::units::{Address, Amount, AssetId, Epoch, Fraction, OperatorId, Shares, VaultId};
use crate::vault::rate::Rate;
use crate::wide;

answer! {
    /// What a vault has with an operator.
    #[derive(Copy)]
    pub struct VaultStake {
        /// The operator.
        pub operator: OperatorId,
        /// What it is worth, with what was asked back.
        pub worth: Amount,
        /// Of it, asked back.
        pub leaving: Amount,
        /// Its share of all of the vault's stake, rounded down.
        pub share: Fraction,
    }
}

answer! {
    /// What can slash those who hold shares of a vault: they bear its losses alike, those who wait to leave as well.
    pub struct VaultShareExposure {
        /// The vault; what can slash it is the exposure of its account.
        pub vault: VaultId,
        /// Its account.
        pub vault_account: Address,
        /// Its asset.
        pub asset: AssetId,
        /// Shares that the account has.
        pub shares: Shares,
        /// Shares that it has asked back and that are not settled.
        pub waiting: Shares,
        /// What both are worth.
        pub worth: Amount,
        /// What they lose if every set takes its window cap of all of the vault's stake. What the fund and the junior tranche pay first is not
        /// counted.
        pub worst_case: Loss,
        /// What they lose if every open request takes the most that it may.
        pub pending: Loss,
    }
}

answer! {
    /// What those earn who hold shares of a vault: it is in what a share is worth, and nothing is to be claimed.
    #[derive(Copy)]
    pub struct VaultEarnings {
        /// The vault.
        pub vault: VaultId,
        /// Its asset.
        pub asset: AssetId,
        /// Shares that the account has. Those that were asked back earn nothing.
        pub shares: Shares,
        /// What they are worth.
        pub worth: Amount,
        /// What counts for them in the next epoch, if nothing changes, before the fee.
        pub vests_next: Amount,
        /// All that has been gained for them and does not count yet, before the fee.
        pub unvested: Amount,
        /// What the vault's stake has earned in its asset and nobody has harvested: the part of these shares.
        pub unharvested: Amount,
        /// The share of new highs that the vault takes.
        pub fee: Fraction,
    }
}

answer! {
    /// When those are out who hold shares of a vault, if they asked them back now.
    pub struct VaultExit {
        /// The vault.
        pub vault: VaultId,
        /// How long it would take, and how that is known.
        pub estimate: ExitTimeEstimate,
        /// The epoch at whose tick everything asked back now is settled at the latest, whatever others do, if the vault has enough that is not
        /// slashed and somebody advances its tick.
        pub at_the_latest: Epoch,
    }
}

/// By operator, the largest first.
pub(in crate::query) fn stakes_of(state: &State, vault: &Vault) -> Vec<VaultStake> {
    let mut sums = ByOperator::new();
    let mut all = Amount::ZERO;
    for (_, position) in state.positions.list(state.accounts.get(vault.account).first_position) {
        let pool = state.pool(position.pool);
        if pool.asset != vault.asset {
            continue;
        }
        let worth = pool.stake.worth(position.principal, position.entered, position.until);
        let (sum, leaving) = sums.entry(pool.operator).or_default();
        sum.grow(worth);
        all.grow(worth);
        if position.until != Epoch::NEVER {
            leaving.grow(worth);
        }
    }
    let show = |(operator, (worth, leaving)): (OperatorId, (Amount, Amount))| {
        let share = if all.is_zero() { Fraction::ZERO } else { Fraction::ratio_down(worth, all) };
        VaultStake { operator, worth, leaving, share }
    };
    let mut stakes: Vec<VaultStake> = sums.into_iter().map(show).collect();
    stakes.sort_by(|a, b| b.worth.cmp(&a.worth).then(a.operator.cmp(&b.operator)));
    stakes
}

/// `floor18(sum(floor(worth * worth / all)) / all)`: the Herfindahl index of the operators; zero without stake.
pub(in crate::query) fn concentration(stakes: &[VaultStake]) -> Fraction {
    let all = Amount::total(stakes.iter().map(|stake| stake.worth)).unwrap_or(Amount::ZERO);
    if all.is_zero() {
        return Fraction::ZERO;
    }
    let square = |stake: &VaultStake| {
        Amount::new(wide::mul_div_down(stake.worth.units(), stake.worth.units(), all.units()))
    };
    Fraction::ratio_down(Amount::total(stakes.iter().map(square)).unwrap_or(all), all)
}

/// A vault that an account has a part of.
struct Part<'a> {
    id: VaultId,
    vault: &'a Vault,
    shares: Shares,
    waiting: Shares,
    rate: Rate,
    low: Rate,
    supply: Shares,
    nav: Amount,
}

fn parts<'a>(state: &'a State, account: Address, tickets: &[VaultTicket]) -> Vec<Part<'a>> {
    let owner = state.accounts.find(account);
    let mut own: std::collections::BTreeMap<VaultId, (Shares, Shares)> = std::collections::BTreeMap::new();
    for (share, holding) in owner.map_or_else(Vec::new, |owner| held(state, owner)) {
        if let Some(vault) = vault_of(state, share) {
            own.entry(vault).or_default().0.grow(holding.shares);
        }
    }
    for ticket in tickets.iter().filter(|ticket| ticket.kind == TicketKind::Exit) {
        own.entry(ticket.vault).or_default().1.grow(ticket.pending_shares);
    }
    own.retain(|_, (shares, waiting)| !shares.is_zero() || !waiting.is_zero());
    let part = |(id, (shares, waiting)): (VaultId, (Shares, Shares))| {
        let value = state.value_vault(id)?;
        let (rate, low) = state.vault_rates(id, &value);
        let (vault, supply) = (state.vault(id)?, state.supply_of(id));
        Some(Part { id, vault, shares, waiting, rate, low, supply, nav: value.nav })
    };
    own.into_iter().filter_map(part).collect()
}

/// What can slash an account through vaults.
pub(in crate::query) fn exposures_of(
    state: &State,
    account: Address,
    tickets: &[VaultTicket],
) -> Vec<VaultShareExposure> {
    let show = |part: Part<'_>| {
        let asset = part.vault.asset;
        let vault_account = state.address_of(part.vault.account);
        let totals = totals_of(state, vault_account);
        let worst = totals.iter().find(|total| total.asset == asset);
        let worst = worst.map_or(Amount::ZERO, |total| total.worst_case.amount);
        let mut shares = part.shares;
        shares.grow(part.waiting);
        let worth = part.rate.assets_up(shares);
        let after = |left: Rate| Loss::of(left.assets_down(shares).room_below(worth), worth);
        VaultShareExposure {
            vault: part.id,
            vault_account,
            asset,
            shares: part.shares,
            waiting: part.waiting,
            worth: part.rate.assets_down(shares),
            worst_case: if worst.is_zero() {
                Loss::of(Amount::ZERO, worth)
            } else {
                after(Rate::of(worst.room_below(part.nav), part.supply))
            },
            pending: if part.low == part.rate { Loss::of(Amount::ZERO, worth) } else { after(part.low) },
        }
    };
    parts(state, account, tickets).into_iter().map(show).collect()
}

/// What an account earns through vaults.
pub(in crate::query) fn earnings_of(state: &State, account: Address) -> Vec<VaultEarnings> {
    let show = |part: Part<'_>| {
        let asset = part.vault.asset;
        let drip = &part.vault.drip;
        let next = state.epoch.next();
        let (first, coming) = drip.schedule();
        let due =
            (0..).zip(coming).take_while(|(place, _)| first.later(*place) <= next).map(|(_, amount)| *amount);
        let due = Amount::total(due).unwrap_or(Amount::ZERO);
        let earned = claimable_of(state, part.vault.account);
        let earned = earned.iter().find(|claimable| claimable.token == asset);
        let earned = earned.map_or(Amount::ZERO, |claimable| claimable.total);
        let own = |amount: Amount| {
            let (_, all) = part.rate.ratio();
            Amount::new(wide::mul_div_down(amount.units(), part.shares.units(), all))
        };
        VaultEarnings {
            vault: part.id,
            asset,
            shares: part.shares,
            worth: part.rate.assets_down(part.shares),
            vests_next: own(due),
            unvested: own(drip.unvested()),
            unharvested: own(earned),
            fee: part.vault.terms.fee,
        }
    };
    let with_shares = parts(state, account, &[]).into_iter();
    with_shares.map(show).collect()
}

/// When an account is out of vaults.
pub(in crate::query) fn exits_of(state: &State, account: Address) -> Vec<VaultExit> {
    let show = |part: Part<'_>| {
        let estimate = exit_time_estimate(state, part.id, part.shares)?;
        Some(VaultExit { vault: part.id, estimate, at_the_latest: state.epoch.later(state.full_exit()) })
    };
    parts(state, account, &[]).into_iter().filter_map(show).collect()
}
