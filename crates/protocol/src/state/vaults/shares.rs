//! Shares of vaults and of whatever else issues them: who has how many, and who may move them.

use super::super::State;
use super::records::{Holding, Issuer, ShareRecord};
use crate::units::{AccountId, Address, ShareId, Shares, VaultId};

impl State {
    pub(crate) fn share(&self, id: ShareId) -> Option<&ShareRecord> {
        self.vaults.shares.get(id.index())
    }

    /// Adds a sort of shares.
    pub(crate) fn issue(&mut self, issuer: Issuer) -> ShareId {
        let id = ShareId::at(self.vaults.shares.len());
        self.vaults.shares.push(ShareRecord { issuer, supply: Shares::ZERO });
        id
    }

    /// The council of who issued shares.
    pub(crate) fn council_of(&self, id: ShareId) -> Option<Address> {
        match self.share(id)?.issuer {
            Issuer::Vault(vault) | Issuer::Junior(vault) => Some(self.vault(vault)?.terms.council),
            Issuer::Basket(basket) => Some(self.basket(basket)?.terms.council),
        }
    }

    /// All shares of a vault, those that wait included.
    pub(crate) fn supply_of(&self, vault: VaultId) -> Shares {
        let share = self.vault(vault).and_then(|vault| self.share(vault.share));
        share.map_or(Shares::ZERO, |share| share.supply)
    }

    /// What an account has of a sort of shares.
    pub(crate) fn holding(&self, share: ShareId, account: AccountId) -> Holding {
        self.vaults.holdings.get(&(share, account)).cloned().unwrap_or_default()
    }

    /// How many shares an address has, whether or not the ledger knows it.
    pub(crate) fn shares_of(&self, share: ShareId, address: Address) -> Shares {
        let account = self.accounts.find(address);
        let holding = account.and_then(|account| self.vaults.holdings.get(&(share, account)));
        holding.map_or(Shares::ZERO, |holding| holding.shares)
    }

    /// Changes what an account has; its points are counted up to now first, and what is empty takes no room.
    pub(crate) fn change_holding(
        &mut self,
        share: ShareId,
        account: AccountId,
        change: impl FnOnce(&mut Holding),
    ) {
        let now = self.epoch;
        let key = (share, account);
        let change = |holding: &mut Holding| {
            holding.count_points(now);
            if holding.fresh_in != now {
                (holding.fresh_in, holding.fresh) = (now, Shares::ZERO);
            }
            change(holding);
            holding.is_empty()
        };
        // Who has some already stays in the index of holders as it is.
        if let Some(holding) = self.vaults.holdings.get_mut(&key) {
            if change(holding) {
                self.vaults.holdings.remove(&key);
                self.vaults.held.remove(&(account, share));
            }
            return;
        }
        let mut holding = Holding::default();
        if !change(&mut holding) {
            self.vaults.holdings.insert(key, holding);
            self.vaults.held.insert((account, share), ());
        }
    }

    /// Whether more shares of a sort may be there: an `Err` says how many there are.
    pub(crate) fn can_mint(&self, share: ShareId, shares: Shares) -> Result<(), Shares> {
        let supply = self.share(share).map_or(Shares::ZERO, |share| share.supply);
        if supply.plus(shares).is_some_and(|supply| supply <= Shares::LIMIT) { Ok(()) } else { Err(supply) }
    }

    /// Mints shares that [`State::can_mint`] has checked.
    pub(crate) fn mint(&mut self, share: ShareId, account: AccountId, shares: Shares) {
        self.share_mut(share).supply.grow(shares);
        self.change_holding(share, account, |holding| {
            holding.shares.grow(shares);
            holding.fresh.grow(shares);
        });
    }

    /// Takes shares from an account that has them; they are still there.
    pub(crate) fn take_shares(&mut self, share: ShareId, account: AccountId, shares: Shares) {
        self.change_holding(share, account, |holding| {
            holding.shares.shrink(shares);
            holding.fresh = holding.fresh.min(holding.shares);
        });
    }

    /// Gives back shares that were taken, as fresh ones: which they were nobody has kept.
    pub(crate) fn give_shares(&mut self, share: ShareId, account: AccountId, shares: Shares) {
        self.change_holding(share, account, |holding| {
            holding.shares.grow(shares);
            holding.fresh.grow(shares);
        });
    }

    /// Shares that were taken are no more.
    pub(crate) fn burn_taken(&mut self, share: ShareId, shares: Shares) {
        self.share_mut(share).supply.shrink(shares);
    }

    /// Moves shares. The oldest go first; what is fresh stays fresh.
    pub(crate) fn move_shares(&mut self, share: ShareId, from: AccountId, to: AccountId, shares: Shares) {
        let ripe = self.holding(share, from).ripe(self.epoch);
        let fresh = ripe.room_below(shares);
        self.change_holding(share, from, |holding| {
            holding.shares.shrink(shares);
            holding.fresh.shrink(fresh);
        });
        self.change_holding(share, to, |holding| {
            holding.shares.grow(shares);
            holding.fresh.grow(fresh);
        });
    }

    fn share_mut(&mut self, id: ShareId) -> &mut ShareRecord {
        self.vaults.shares.get_mut(id.index()).expect("the shares were checked")
    }
}
