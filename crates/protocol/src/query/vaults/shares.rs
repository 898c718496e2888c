//! Shares: how many there are, who has them, who may move them.

use std::collections::BTreeMap;

use super::super::{Page, page_of};
use crate::state::State;
use crate::state::vaults::records::{Holding, Issuer};
use crate::units::{AccountId, Address, Amount, AssetId, ShareId, Shares, VaultId};

answer! {
    /// A sort of shares.
    #[derive(Copy)]
    pub struct ShareDetail {
        /// Its number.
        pub share: ShareId,
        /// The vault that issues it; none where something else does.
        pub vault: Option<VaultId>,
        /// The vault whose first-loss capital they are; none where they are not.
        pub junior_of: Option<VaultId>,
        /// All of them, those that wait to leave included.
        pub supply: Shares,
    }
}

answer! {
    /// What an account has of one sort of shares.
    pub struct HoldingView {
        /// Whose.
        pub account: Address,
        /// Which shares.
        pub share: ShareId,
        /// The vault that issues them; none where something else does.
        pub vault: Option<VaultId>,
        /// The vault whose first-loss capital they are; none where they are not.
        pub junior_of: Option<VaultId>,
        /// The vault's asset.
        pub asset: Option<AssetId>,
        /// How many it has, without those that it has asked back.
        pub shares: Shares,
        /// Of them, not for instant exits before the next epoch.
        pub fresh: Shares,
        /// What they are worth at the high rate, rounded down.
        pub worth: Amount,
        /// The same at the low rate.
        pub worth_low: Amount,
        /// Shares times epochs that they were held. They never touch the rate.
        pub points: String,
        /// Who may move how many.
        pub allowances: Vec<AllowanceView>,
    }
}

answer! {
    /// Who may move shares of somebody.
    #[derive(Copy)]
    pub struct AllowanceView {
        /// Who.
        pub spender: Address,
        /// How many; none for as many as there are.
        pub shares: Option<Shares>,
    }
}

/// A sort of shares.
pub fn share(state: &State, id: ShareId) -> Option<ShareDetail> {
    let record = state.share(id)?;
    let (vault, junior_of) = (vault_of(state, id), junior_of(state, id));
    Some(ShareDetail { share: id, vault, junior_of, supply: record.supply })
}

/// The sorts of shares by number, after one of them.
pub fn shares(state: &State, after: Option<ShareId>, limit: usize) -> Page<ShareDetail> {
    let after = after.map(ShareId::number);
    page_of(state.vaults.shares.len(), after, limit, |number| share(state, ShareId::new(number)))
}

/// Who has shares of a sort, by order of appearance in the ledger, after one of them; `next` is the number of an account. The rates are worked
/// out once.
pub fn holders(state: &State, id: ShareId, after: Option<AccountId>, limit: usize) -> Page<HoldingView> {
    let limit = limit.clamp(1, super::super::PAGE_MAX);
    let first = AccountId::new(after.map_or(0, |after| after.number().saturating_add(1)));
    let listed = state.vaults.holdings.starting_at((id, first));
    let mut listed = listed.take_while(|((of, _), _)| *of == id).peekable();
    let mut rates = Rates::default();
    let (mut items, mut last) = (Vec::new(), None);
    while items.len() < limit
        && let Some(((_, account), holding)) = listed.next()
    {
        items.push(rates.show(state, id, *account, holding));
        last = Some(account.number());
    }
    Page { items, next: last.filter(|_| listed.peek().is_some()) }
}

/// The shares of an account, by sort.
pub fn holdings(state: &State, account: Address) -> Vec<HoldingView> {
    let Some(owner) = state.accounts.find(account) else { return Vec::new() };
    let mut rates = Rates::default();
    held(state, owner).into_iter().map(|(id, holding)| rates.show(state, id, owner, &holding)).collect()
}

/// What an account has of which shares.
pub(super) fn held(state: &State, owner: AccountId) -> Vec<(ShareId, Holding)> {
    state.shares_held_by(owner).map(|id| (id, state.holding(id, owner))).collect()
}

/// The vault that issues shares.
pub(super) fn vault_of(state: &State, id: ShareId) -> Option<VaultId> {
    match state.share(id)?.issuer {
        Issuer::Vault(vault) => Some(vault),
        Issuer::Basket(_) | Issuer::Junior(_) => None,
    }
}

/// The vault whose first-loss capital shares are.
fn junior_of(state: &State, id: ShareId) -> Option<VaultId> {
    match state.share(id)?.issuer {
        Issuer::Junior(vault) => Some(vault),
        Issuer::Vault(_) | Issuer::Basket(_) => None,
    }
}

/// The rates of vaults, each worked out once.
#[derive(Default)]
struct Rates {
    known: BTreeMap<VaultId, (crate::vault::rate::Rate, crate::vault::rate::Rate)>,
}

impl Rates {
    fn show(&mut self, state: &State, id: ShareId, owner: AccountId, holding: &Holding) -> HoldingView {
        let vault = vault_of(state, id);
        let tranche = junior_of(state, id);
        let standing = tranche.and_then(|vault| state.junior_of(vault)).filter(|one| one.share == Some(id));
        let junior = standing.map(|standing| (standing.rate(), standing.rate()));
        let rates = vault.and_then(|vault| self.of(state, vault)).or(junior);
        let worth = |rate: crate::vault::rate::Rate| rate.assets_down(holding.shares);
        let fresh =
            if holding.fresh_in == state.epoch { holding.fresh.min(holding.shares) } else { Shares::ZERO };
        let allowances = holding.allowances.iter().map(|(spender, shares)| AllowanceView {
            spender: *spender,
            shares: (*shares != crate::ops::approve_shares::UNLIMITED).then_some(*shares),
        });
        HoldingView {
            account: state.address_of(owner),
            share: id,
            vault,
            junior_of: tranche,
            asset: vault.or(tranche).and_then(|vault| state.vault(vault)).map(|record| record.asset),
            shares: holding.shares,
            fresh,
            worth: rates.map_or(Amount::ZERO, |(high, _)| worth(high)),
            worth_low: rates.map_or(Amount::ZERO, |(_, low)| worth(low)),
            points: holding.points_at(state.epoch).to_string(),
            allowances: allowances.collect(),
        }
    }

    fn of(
        &mut self,
        state: &State,
        vault: VaultId,
    ) -> Option<(crate::vault::rate::Rate, crate::vault::rate::Rate)> {
        if let Some(known) = self.known.get(&vault) {
            return Some(*known);
        }
        let value = state.value_vault(vault)?;
        let rates = state.vault_rates(vault, &value);
        self.known.insert(vault, rates);
        Some(rates)
    }
}
