//! Vaults at one moment, for those who check them from outside.

use crate::state::State;
use crate::state::vaults::records::{Buckets, Phase};
use crate::units::{Address, Amount, AssetId, Epoch, ShareId, Shares, VaultId};

/// One vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultBook {
    /// Its number.
    pub vault: VaultId,
    /// Its account.
    pub account: Address,
    /// Its asset.
    pub asset: AssetId,
    /// Its shares.
    pub share: ShareId,
    /// All of them.
    pub supply: Shares,
    /// Of them, those that wait to leave.
    pub waiting: Shares,
    /// What it is worth, and what it is if every open request to slash takes what it may.
    pub nav: Amount,
    /// The second of them.
    pub low: Amount,
    /// What its stake is worth, with what is on its way back.
    pub staked: Amount,
    /// What is idle, once a loss that is there is shared.
    pub idle: Amount,
    /// Owed to settled exits.
    pub escrow: Amount,
    /// Withheld from settled exits.
    pub contingent: Amount,
    /// Held back from exits.
    pub holdback: Amount,
    /// What pays for losses first.
    pub fund: Amount,
    /// What waits to come in.
    pub deposits: Amount,
    /// Gains that do not count yet: in which epoch how much does.
    pub unvested: Vec<(Epoch, Amount)>,
    /// The epoch of its tick, and whether that is done.
    pub tick: (Epoch, bool),
    /// Who has how many shares that don't wait.
    pub holders: Vec<(Address, Shares)>,
}

/// Every vault, by number. Costs as much as there are holders and vaults together.
pub fn vault_books(state: &State) -> Vec<VaultBook> {
    let count = state.vaults.list.len();
    (0..count).filter_map(|index| of(state, VaultId::at(index))).collect()
}

fn of(state: &State, id: VaultId) -> Option<VaultBook> {
    let vault = state.vault(id)?;
    let value = state.value_vault(id)?;
    let Buckets { idle, deposits, escrow, contingent, holdback, fund, .. } = vault.buckets;
    let idle = idle.plus(value.recognised.inflow()).unwrap_or(idle);
    let (first, parts) = vault.drip.schedule();
    let holdings = state.vaults.holdings.iter().filter(|((share, _), _)| *share == vault.share);
    Some(VaultBook {
        vault: id,
        account: state.accounts.get(vault.account).address,
        asset: vault.asset,
        share: vault.share,
        supply: state.supply_of(id),
        waiting: vault.queue.waiting,
        nav: value.nav,
        low: value.low(),
        staked: value.staked,
        idle,
        escrow,
        contingent,
        holdback,
        fund,
        deposits,
        unvested: (0..).zip(parts).map(|(place, amount)| (first.later(place), *amount)).collect(),
        tick: (vault.tick.epoch, vault.tick.phase == Phase::Done),
        holders: holdings
            .map(|((_, account), holding)| (state.accounts.get(*account).address, holding.shares))
            .filter(|(_, shares)| !shares.is_zero())
            .collect(),
    })
}
