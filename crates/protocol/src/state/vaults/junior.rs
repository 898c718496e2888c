//! The junior tranche: first-loss capital of accounts, in shares of its own at an exact ratio as the vault's. It pays after the fund and before
//! the holders, earns a part of the harvested rewards, which vests as gains of the vault do, and leaves when no slash of the stake of its time
//! can be executed any more.
//!
//! Its figures are its own: it is no part of the net asset value, and no operation of the vault reads its price.

use super::super::State;
use super::records::{Issuer, JuniorExit, JuniorTerms, Vault};
use crate::event::Event;
use crate::units::{Amount, Fraction, ShareId, Shares, TicketId, VaultId};
use crate::vault::rate::{Rate, VIRTUAL_SHARES};

/// The largest share of the rewards that a tranche may earn.
const SHARE_MAX: Fraction = Fraction::from_percent(50);
/// The smallest target: less could not carry a loss, and would be paid for it.
const TARGET_MIN: Fraction = Fraction::from_percent(1);
/// A tranche of which less than this part is left of what its shares were first worth is used up: at worse rates shares are past any range.
const USED_UP: u128 = 1_000_000;

impl JuniorTerms {
    /// Checks what no tranche may promise; the text names the first that does not hold.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.share > SHARE_MAX {
            return Err(format!("a junior share of {} exceeds {SHARE_MAX}", self.share));
        }
        if self.target < TARGET_MIN {
            return Err(format!("a junior target of {} is less than {TARGET_MIN}", self.target));
        }
        Ok(())
    }
}

/// What a tranche has that counts, and how many shares own it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Its shares; none where nobody has joined, or losses have used them up.
    pub(crate) share: Option<ShareId>,
    pub(crate) assets: Amount,
    pub(crate) supply: Shares,
    /// Earned, and does not count yet.
    pub(crate) unvested: Amount,
}

impl Standing {
    /// What its shares are worth: one ratio for those who come and those who go.
    pub(crate) fn rate(&self) -> Rate {
        Rate::of(self.assets, self.supply)
    }
}

/// Whether that little is left of so many shares that nobody could join at their rate.
fn is_used_up(assets: Amount, supply: Shares) -> bool {
    let first = assets.units().saturating_mul(VIRTUAL_SHARES);
    !supply.is_zero() && first.saturating_mul(USED_UP) < supply.units()
}

impl State {
    /// How the tranche of a vault stands once it has borne a loss that nobody has noticed yet.
    fn standing_after(&self, vault: &Vault, loss: Amount) -> Standing {
        let Some(share) = vault.junior.share else {
            let (assets, supply) = (Amount::ZERO, Shares::ZERO);
            return Standing { share: None, assets, supply, unvested: Amount::ZERO };
        };
        let mut drip = vault.junior.drip.clone();
        drip.vest(self.epoch);
        // What does not count yet pays first.
        let unvested = loss.room_below(drip.unvested());
        let there = loss.room_below(vault.buckets.junior);
        let assets = unvested.room_below(there);
        let supply = self.share(share).map_or(Shares::ZERO, |record| record.supply);
        let share = (loss.is_zero() || !is_used_up(assets, supply)).then_some(share);
        match share {
            Some(share) => Standing { share: Some(share), assets, supply, unvested },
            None => Standing { share, assets: Amount::ZERO, supply: Shares::ZERO, unvested: Amount::ZERO },
        }
    }

    /// How the tranche of a vault stands; none where there is no such vault.
    pub(crate) fn junior_of(&self, id: VaultId) -> Option<Standing> {
        let loss = self.value_vault(id)?.recognised.junior;
        Some(self.standing_after(self.vault(id)?, loss))
    }

    /// What its shares are worth.
    pub(crate) fn junior_rate(&self, id: VaultId) -> Option<Rate> {
        self.junior_of(id).map(|standing| standing.rate())
    }

    /// The tranche has paid for a loss out of its bucket. Where almost nothing is left, that joins the fund, and its shares are worth nothing.
    pub(crate) fn bear_junior_loss(&mut self, id: VaultId, loss: Amount, events: &mut Vec<Event>) {
        let now = self.epoch;
        let vault = self.vault_mut(id);
        vault.junior.drip.vest(now);
        let unvested = loss.room_below(vault.junior.drip.unvested());
        vault.junior.drip.cut_to(unvested);
        vault.buckets.junior.shrink(loss);
        let (there, share) = (vault.buckets.junior, vault.junior.share);
        let Some(share) = share else { return };
        let supply = self.share(share).map_or(Shares::ZERO, |record| record.supply);
        if is_used_up(unvested.room_below(there), supply) {
            let rest = self.close_junior(id);
            self.vault_mut(id).junior.share = None;
            events.push(Event::VaultJuniorUsedUp { vault: id, share, rest });
        }
    }

    /// What nobody owns of the tranche joins the fund; how much.
    fn close_junior(&mut self, id: VaultId) -> Amount {
        let vault = self.vault_mut(id);
        let rest = vault.buckets.junior;
        vault.buckets.junior = Amount::ZERO;
        vault.buckets.fund.grow(rest);
        vault.junior.drip = Default::default();
        rest
    }

    /// The tranche's part of harvested rewards; it leaves the rest to the holders. The vault has been touched.
    pub(crate) fn junior_part(&self, id: VaultId, earned: Amount, nav: Amount) -> Amount {
        let Some(vault) = self.vault(id) else { return Amount::ZERO };
        let Some(terms) = vault.terms.junior else { return Amount::ZERO };
        let Standing { assets, supply, .. } = self.standing_after(vault, Amount::ZERO);
        if supply.is_zero() {
            return Amount::ZERO;
        }
        let target = terms.target.of_up(nav).max(Amount::new(1));
        let filled = Fraction::ratio_down(assets.min(target), target);
        filled.of_down(terms.share.of_down(earned))
    }

    /// Rewards that came into the vault's account are the tranche's, and vest.
    pub(crate) fn earn_junior(&mut self, id: VaultId, amount: Amount, events: &mut Vec<Event>) {
        if amount.is_zero() {
            return;
        }
        let now = self.epoch;
        let vault = self.vault_mut(id);
        vault.buckets.junior.grow(amount);
        vault.junior.drip.vest(now);
        vault.junior.drip.credit(now, vault.terms.drip, amount);
        events.push(Event::VaultJuniorEarned { vault: id, amount });
    }

    /// The shares of the tranche, which are issued when the first joins.
    pub(crate) fn junior_share(&mut self, id: VaultId) -> ShareId {
        if let Some(share) = self.vault(id).and_then(|vault| vault.junior.share) {
            return share;
        }
        let share = self.issue(Issuer::Junior(id));
        self.vault_mut(id).junior.share = Some(share);
        share
    }

    /// Pays first-loss capital out whose time is over: what it was worth when it was asked back, or is now if that is less. Gains since then stay
    /// with the others; with the last share what is left joins the fund.
    pub(crate) fn pay_junior_exit(
        &mut self,
        id: VaultId,
        ticket: TicketId,
        exit: &JuniorExit,
        events: &mut Vec<Event>,
    ) {
        self.touch_vault(id, events);
        let JuniorExit { owner, share, shares, asked, .. } = *exit;
        self.drop_junior_exit(id, ticket);
        let now = self.epoch;
        let vault = self.vault_mut(id);
        vault.junior.drip.vest(now);
        let standing = self.junior_of(id).filter(|standing| standing.share == Some(share));
        let paid = standing.map_or(Amount::ZERO, |standing| standing.rate().assets_down(shares).min(asked));
        self.burn_taken(share, shares);
        self.vault_mut(id).buckets.junior.shrink(paid);
        self.pay_from_vault(id, owner, paid);
        let account = self.accounts.get(owner).address;
        events.push(Event::VaultJuniorPaid { vault: id, ticket, account, shares, paid });
        if standing.is_some() && self.share(share).is_some_and(|record| record.supply.is_zero()) {
            self.close_junior(id);
        }
    }
}
