//! A basket's council changes its roles and doors. What lets more in waits until every holder could have left.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::state::vaults::baskets::BasketTerms;
use crate::units::{Address, BasketId};

record! {
    /// Announces new terms of a basket; they replace those that wait. In-kind doors have no terms.
    pub struct ChangeBasket {
        /// The basket.
        pub basket: BasketId,
        /// Its new terms.
        pub terms: BasketTerms,
    }
}

refusals! {
    /// Why new terms are refused.
    {
        BasketNotFound { basket: BasketId } => "basket {basket} does not exist",
        NotTheCouncil { council: Address } => "the basket's council is {council}",
        BadTerms { why: String } => "{why}",
        Unchanged => "they are the basket's terms already",
    }
}

impl ChangeBasket {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let (id, now) = (self.basket, state.epoch);
        let basket = state.basket(id).ok_or(Refused::BasketNotFound { basket: id })?;
        let terms = basket.terms_in(now);
        let council = terms.council;
        if sender != council {
            return Err(Refused::NotTheCouncil { council });
        }
        self.terms.check(basket.legs.len()).map_err(|why| Refused::BadTerms { why })?;
        let waits = basket.pending.as_ref().is_some_and(|(from, _)| *from > now);
        if *terms == self.terms && !waits {
            return Err(Refused::Unchanged);
        }

        // From here on nothing can fail.
        state.start_basket_terms(id);
        let later = now.later(state.full_exit());
        let basket = state.basket_mut(id);
        let from = if basket.terms.is_tightened_by(&self.terms) {
            basket.terms = self.terms.clone();
            basket.pending = None;
            now
        } else {
            basket.pending = Some((later, self.terms.clone()));
            later
        };
        events.push(Event::BasketTermsSet { basket: id, from });
        Ok(())
    }
}
