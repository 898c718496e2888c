//! Shares get a way to another ledger.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::vaults::routes::Route;
use crate::units::{Address, Amount, RouteId, ShareId};

pub use crate::state::vaults::routes::RouteTerms;

record! {
    /// Opens a route for shares, by the council of who issued them. Its terms never change; its cap may be cut.
    pub struct OpenRoute {
        /// Which shares.
        pub share: ShareId,
        /// How they come home.
        pub terms: RouteTerms,
    }
}

refusals! {
    /// Why a route is refused.
    {
        ShareNotFound { share: ShareId } => "there are no shares {share}",
        NotTheCouncil { council: Address } => "the council of who issued the shares is {council}",
        BadTerms { why: String } => "{why}",
        DepositMissing { deposit: Amount, free: Amount } => "the deposit of {deposit} exceeds the free balance {free}",
    }
}

impl OpenRoute {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let share = self.share;
        let council = state.council_of(share).ok_or(Refused::ShareNotFound { share })?;
        if sender != council {
            return Err(Refused::NotTheCouncil { council });
        }
        self.terms.check().map_err(|why| Refused::BadTerms { why })?;
        let deposit = state.parameters().object_deposit;
        state.can_post(sender, deposit).map_err(|free| Refused::DepositMissing { deposit, free })?;

        // From here on nothing can fail.
        let opener = state.accounts.open(sender);
        state.post(opener, deposit);
        let id = RouteId::at(state.vaults.routes.len());
        let terms = self.terms.clone();
        let meter = Default::default();
        let route = Route { share, terms, meter, next: 0, sent: 0, opener, posted: deposit };
        state.vaults.routes.push(route);
        events.push(Event::RouteOpened { route: id, share });
        Ok(())
    }
}
