//! What an operation moves of the sender's, as the limits of a delegate count it, and whether it names where something goes.
//!
//! One unit for all: base units of an asset. Shares count as what they are worth: those of a vault at its high price in the vault's asset,
//! those of a basket as the part of every leg that they are. It is read before the operation, and rounded up: a limit is what is given away at
//! most, whatever comes back for it.

use std::collections::BTreeMap;

use super::Operation;
use crate::ops::basket_mint;
use crate::state::State;
use crate::state::records::FollowUp;
use crate::units::{Amount, AssetId, BasketId, Shares, VaultId};
use crate::vault::doors::part_up;
use crate::vault::rate::Rate;

/// What a limit never lets pass: an amount that was not given, or is past the range.
const EVERYTHING: Amount = Amount::new(u128::MAX);

/// What is moved of each asset.
pub(crate) type Moved = BTreeMap<AssetId, Amount>;

impl Operation {
    /// What it moves of the sender's; an amount that is not given counts as everything. Of what does not exist nothing is moved: the operation
    /// is refused for that.
    pub(crate) fn moves(&self, state: &State) -> Moved {
        let one = |asset: AssetId, amount: Amount| Moved::from([(asset, amount)]);
        match self {
            Self::Delegate(op) => one(op.asset, op.amount),
            Self::Undelegate(op) => one(op.asset, op.amount.unwrap_or(EVERYTHING)),
            Self::RaiseBond(op) => one(op.asset, op.amount),
            Self::LowerBond(op) => one(op.asset, op.amount),
            Self::OpenStream(op) => {
                let funding = op.per_epoch.units().checked_mul(u128::from(op.epochs));
                one(op.token, funding.map_or(EVERYTHING, Amount::new))
            }
            Self::PayWork(op) => {
                let total = Amount::total(op.payments.iter().map(|payment| payment.amount));
                one(op.token, total.unwrap_or(EVERYTHING))
            }
            Self::VaultDeposit(op) => {
                state.vault(op.vault).map_or_else(Moved::new, |vault| one(vault.asset, op.amount))
            }
            Self::VaultRequest(op) => worth(state, [(op.vault, op.shares)]),
            Self::VaultInstant(op) => worth(state, [(op.vault, Some(op.shares))]),
            Self::VaultJuniorJoin(op) => {
                state.vault(op.vault).map_or_else(Moved::new, |vault| one(vault.asset, op.amount))
            }
            Self::VaultJuniorLeave(op) => state.vault(op.vault).map_or_else(Moved::new, |vault| {
                let worth = |shares| state.junior_rate(op.vault).map(|rate| rate.assets_up(shares));
                one(vault.asset, op.shares.map_or(EVERYTHING, |shares| worth(shares).unwrap_or_default()))
            }),
            Self::BasketMint(op) => minted(state, op.basket, op.shares),
            Self::BasketEnter(op) => worth(state, [(op.vault, Some(op.shares))]),
            Self::BasketRedeem(op) => left(state, op.basket, op.shares),
            Self::BasketLeave(op) => left(state, op.basket, op.shares),
            _ => Moved::new(),
        }
    }

    /// Whether others gain by it what the sender loses: it pays a fee, goes by a price that somebody reports, or bears losses for others. A delegate does it within limits
    /// only.
    pub(crate) fn gives_away(&self) -> bool {
        matches!(
            self,
            Self::VaultInstant(_) | Self::BasketEnter(_) | Self::BasketLeave(_) | Self::VaultJuniorJoin(_)
        )
    }

    /// Whether it names where something of the sender's goes, which a delegate may not: an account, or, of a vault, who gets its fees, and the
    /// council that could name somebody.
    pub(crate) fn names_destination(&self, state: &State) -> bool {
        match self {
            Self::Claim(op) => op.to.is_some() || op.account.is_some(),
            Self::Undelegate(op) => matches!(op.follow_up, FollowUp::Withdraw { .. }),
            Self::ChangeVault(op) => state.vault(op.vault).is_some_and(|vault| {
                (op.terms.fee_to, op.terms.council) != (vault.terms.fee_to, vault.terms.council)
            }),
            _ => false,
        }
    }
}

/// What shares of vaults are worth at their high prices, by asset.
fn worth(state: &State, shares: impl IntoIterator<Item = (VaultId, Option<Shares>)>) -> Moved {
    let mut moved = Moved::new();
    for (id, shares) in shares {
        let Some((vault, value)) = state.vault(id).zip(state.value_vault(id)) else { continue };
        let rate = Rate::of(value.nav, state.supply_of(id));
        let amount = shares.map_or(EVERYTHING, |shares| rate.assets_up(shares));
        let sum = moved.entry(vault.asset).or_default();
        *sum = sum.plus(amount).unwrap_or(EVERYTHING);
    }
    moved
}

/// What a basket asks of each leg for shares of it.
fn minted(state: &State, id: BasketId, shares: Shares) -> Moved {
    let Some(basket) = state.basket(id) else { return Moved::new() };
    let costs = basket_mint::cost(state, id, shares).unwrap_or_default();
    worth(state, basket.legs.iter().map(|leg| leg.vault).zip(costs.into_iter().map(Some)))
}

/// What shares of a basket are of each leg.
fn left(state: &State, id: BasketId, shares: Shares) -> Moved {
    let Some(basket) = state.basket(id) else { return Moved::new() };
    let supply = state.basket_supply(id);
    let part = |held: Shares| part_up(held, shares, supply).unwrap_or(held);
    worth(state, basket.legs.iter().map(|leg| (leg.vault, Some(part(leg.held)))))
}
