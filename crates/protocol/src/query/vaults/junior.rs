//! The junior tranche of a vault, as those ask who put capital in it.

use super::prices::RateView;
use crate::state::State;
use crate::state::vaults::records::{JuniorExit, JuniorTerms};
use crate::units::{Amount, ShareId, Shares, TicketId, VaultId};

answer! {
    /// First-loss capital: what it has, and at which rate.
    #[derive(Copy)]
    pub struct JuniorView {
        /// What it earns; none where the vault takes no more of it.
        pub terms: Option<JuniorTerms>,
        /// Its shares; none before the first has joined, and after losses have used them up.
        pub share: Option<ShareId>,
        /// All of them, those that wait to leave included.
        pub supply: Shares,
        /// What they own, with every loss shared already, and without what does not count yet.
        pub assets: Amount,
        /// What a share is worth.
        pub rate: RateView,
        /// Earned, and does not count yet.
        pub unvested: Amount,
    }
}

/// The tranche of a vault; none where its terms have none and nobody has a share of one.
pub(super) fn view(state: &State, id: VaultId) -> Option<JuniorView> {
    let vault = state.vault(id)?;
    let standing = state.junior_of(id)?;
    let (terms, share) = (vault.terms.junior, standing.share);
    (terms.is_some() || share.is_some()).then(|| JuniorView {
        terms,
        share,
        supply: standing.supply,
        assets: standing.assets,
        rate: RateView::of(standing.rate()),
        unvested: standing.unvested,
    })
}

/// Capital that waits to leave, by number, from one of them on.
pub(super) fn leaving_from(state: &State, from: (VaultId, TicketId)) -> impl Iterator<Item = TicketId> {
    let listed = state.vaults.junior_exits.starting_at(from).map(|(key, _)| *key);
    listed.take_while(move |(of, _)| *of == from.0).map(|(_, ticket)| ticket)
}

/// What capital that waits to leave is paid: what it was worth when it was asked back, or is now if that is less.
pub(super) fn worth_of(state: &State, id: VaultId, exit: &JuniorExit) -> Amount {
    let standing = state.junior_of(id).filter(|standing| standing.share == Some(exit.share));
    standing.map_or(Amount::ZERO, |standing| standing.rate().assets_down(exit.shares).min(exit.asked))
}
