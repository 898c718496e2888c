//! Anyone opens a basket of vault shares.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::vaults::baskets::{Basket, LEGS_MAX, Leg, basket_address};
use crate::state::vaults::records::Issuer;
use crate::units::{Address, Amount, BasketId, Shares, VaultId};

pub use crate::state::vaults::baskets::{BasketTerms, LegCaps};
pub use crate::vault::doors::DoorTerms;

record! {
    /// Opens a basket under the next number, with shares of its own.
    pub struct CreateBasket {
        /// What is in it, which never changes.
        pub legs: Vec<LegOrder>,
        /// Its roles and doors.
        pub terms: BasketTerms,
    }
}

record! {
    /// A leg of a basket.
    #[derive(Copy)]
    pub struct LegOrder {
        /// Shares of which vault.
        pub vault: VaultId,
        /// How many of them go into `10^18` shares of the basket while it is empty.
        pub per_unit: Shares,
    }
}

refusals! {
    /// Why a basket is refused.
    {
        BadLegs { why: String } => "{why}",
        VaultNotFound { vault: VaultId } => "vault {vault} does not exist",
        BadTerms { why: String } => "{why}",
        DepositMissing { deposit: Amount, free: Amount } => "the deposit of {deposit} exceeds the free balance {free}",
    }
}

impl CreateBasket {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        self.check_legs().map_err(|why| Refused::BadLegs { why })?;
        for LegOrder { vault, .. } in self.legs.iter().copied() {
            state.vault(vault).ok_or(Refused::VaultNotFound { vault })?;
        }
        self.terms.check(self.legs.len()).map_err(|why| Refused::BadTerms { why })?;
        let deposit = state.parameters().object_deposit;
        state.can_post(sender, deposit).map_err(|free| Refused::DepositMissing { deposit, free })?;

        // From here on nothing can fail.
        let creator = state.accounts.open(sender);
        state.post(creator, deposit);
        let id = BasketId::at(state.vaults.baskets.len());
        let account = state.accounts.open(basket_address(id));
        let share = state.issue(Issuer::Basket(id));
        let leg = |order: &LegOrder| Leg {
            vault: order.vault,
            per_unit: order.per_unit,
            held: Shares::ZERO,
            feed: Default::default(),
            inflow: Default::default(),
        };
        state.vaults.baskets.push(Basket {
            account,
            creator,
            share,
            legs: self.legs.iter().map(leg).collect(),
            terms: self.terms.clone(),
            pending: None,
            posted: deposit,
            tickets: 0,
        });
        events.push(Event::BasketCreated { basket: id, account: basket_address(id), share });
        Ok(())
    }

    fn check_legs(&self) -> Result<(), String> {
        let count = self.legs.len();
        if count == 0 || count > LEGS_MAX {
            return Err(format!("a basket has 1 to {LEGS_MAX} legs, and this one {count}"));
        }
        for (index, leg) in self.legs.iter().enumerate() {
            let LegOrder { vault, per_unit } = *leg;
            if per_unit.is_zero() || per_unit > Shares::LIMIT {
                return Err(format!("{per_unit} shares of vault {vault} are outside 1 to {}", Shares::LIMIT));
            }
            if self.legs.iter().take(index).any(|other| other.vault == vault) {
                return Err(format!("vault {vault} is named twice"));
            }
        }
        Ok(())
    }
}
