//! What readers ask: one account, one pool, one set, the three questions, and how a figure comes about.
//!
//! The one source of every figure that an API, a command or a page shows: they render what comes from here and compute nothing of
//! their own. Every answer is plain data with serialisable fields: amounts and fractions are decimal texts, epochs are numbers, and what
//! never happens is `null`. `docs/reference/figures.md` says what each figure means and how it is computed.
//!
//! - Records, one by one or in pages: [`account`], [`operator`], [`pool`], [`service`], [`set`], [`asset`], [`stream`], [`request`],
//!   [`slash`], [`ledger`], [`network`].
//! - The three questions: [`earnings`] (what do I earn), [`exposure`] (what can slash me, and how much at worst), [`exits`] (when am I
//!   out).
//! - [`balances`]: what an account has outside of pools, at the cost of nothing else.
//! - Vaults and their shares: [`vault`], [`rate_feed`], [`limits`], `convert_*`, `preview_*`, [`exit_time_estimate`], [`tickets`], [`holders`].
//! - [`notices`]: what is scheduled that concerns an account, when it counts and what cancels it.
//! - [`mod@explain`]: figures with their inputs and formulas, down to what is stored.
//! - [`stands_on`]: the entries that an answer is made of, for which the ledger has proofs.
//!
//! # What it does not do
//! It changes nothing, knows no names, heights or wall times, and looks at no other account to answer for one: each answer costs as much
//! as what it shows, and where it costs more its documentation says so. Others may put sets, streams and requests behind an account's
//! entries of stake: what entries have in common is worked out once, and what is shown beneath them comes in pages.

macro_rules! answer {
    ($(#[$meta:meta])* pub struct $name:ident $(<$generic:ident>)? { $($body:tt)* }) => {
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        $(#[$meta])*
        pub struct $name $(<$generic>)? { $($body)* }
    };
    ($(#[$meta:meta])* pub enum $name:ident { $($body:tt)* }) => {
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        $(#[$meta])*
        pub enum $name { $($body)* }
    };
}

mod accounts;
mod alike;
mod assets;
mod baskets;
mod earnings;
mod ethereum;
mod exits;
pub mod explain;
mod exposure;
mod ledger;
mod liability;
mod notices;
mod operators;
mod pools;
mod positions;
mod services;
mod sets;
mod slashes;
mod stands;
mod streams;
mod vaults;

#[cfg(test)]
mod tests;

use crate::state::State;
use crate::state::positions::Position;
use crate::units::{Address, Amount, AssetId, Epoch, Fraction};

pub use accounts::{
    AccountDetail, CompoundingView, GrantView, KeysView, NonceView, PendingKeysView, ValidatorView, account,
    accounts, balances,
};
pub use assets::{AssetDetail, asset, assets};
pub use baskets::{BasketDetail, InKind, LegView, PriceView, ReportedView, basket, baskets, in_kind};
pub use earnings::{
    Claimable, CommissionEarnings, EarningsAnswer, Expected, PositionEarnings, Source, earnings,
    earnings_page,
};
pub use ethereum::{ChainView, FlowView, HaltView, HeaderView, PodDetail, chain, pod, pods};
pub use exits::{Exit, ExitState, ExitsAnswer, exits};
pub use explain::{Explained, FIGURES, Figure, FigureName, explain};
pub use exposure::{
    ExposureAnswer, ExposureTotal, MandateBound, Offence, OffenceKind, PositionExposure, RequestAgainst,
    SetExposure, Verdict, When, WorseTerms, exposure, exposure_page,
};
pub use ledger::{Counts, Governed, LedgerView, StopsView, ledger, network};
pub use notices::{NOTICES_MAX, Notice, NoticeKind, Subject, Weight, notices};
pub use operators::{MemberKeyView, MembershipView, OperatorDetail, ShareView, operator, operators};
pub use pools::{BondView, OwnerView, PoolDetail, SliceView, pool, pools};
pub(crate) use positions::Earned;
pub use positions::{PositionState, PositionView, positions};
pub use services::{ServiceDetail, service, services};
pub use sets::{
    Contribution, PendingTermsView, SetDetail, SetMemberView, TableRow, TableView, set, sets, table,
};
pub use slashes::{
    HeldView, RequestDetail, RequestFilter, RequestStatus, SlashDetail, request, requests, slash, slashes,
};
pub use stands::{Read, stands_on, unbounded};
pub use streams::{StreamDetail, stream, streams};
pub use vaults::*;

/// The most items of one page; more asked for is cut to it.
pub const PAGE_MAX: usize = 1000;

/// What a page of entries of stake shows at most beneath them: sources of rewards, sets and requests. The entry that reaches it is the
/// last of its page, so an answer stays small whatever others have put behind an entry.
pub const ROWS_MAX: usize = 4096;

answer! {
    /// A part of a list, in the order of the ledger.
    pub struct Page<T> {
        /// The items.
        pub items: Vec<T>,
        /// After which number the next page goes on; none on the last page.
        pub next: Option<u32>,
    }
}

answer! {
    /// A value that is known and does not count yet.
    pub struct Scheduled<T> {
        /// The first epoch in which it counts.
        pub from: Epoch,
        /// The value.
        pub value: T,
    }
}

answer! {
    /// How much may be lost.
    pub struct Loss {
        /// In base units, rounded up.
        pub amount: Amount,
        /// As a fraction of what it is taken from, rounded up.
        pub fraction: Fraction,
    }
}

answer! {
    /// What takes something back, or changes it, before it counts or while it lasts.
    pub struct Way {
        /// The operation, by its name on the wire.
        pub operation: String,
        /// Who may send it; anybody where it is not given.
        pub by: Option<Address>,
        /// Last epoch in which it helps; as long as the thing lasts where it is not given.
        pub until: Option<Epoch>,
    }
}

impl Loss {
    fn of(amount: Amount, whole: Amount) -> Self {
        let amount = amount.min(whole);
        let fraction = if whole.is_zero() {
            Fraction::ZERO
        } else {
            Fraction::ratio_down(amount.room_below(whole), whole).complement()
        };
        Self { amount, fraction }
    }
}

impl Way {
    fn of(kind: crate::Kind, by: Option<Address>, until: Option<Epoch>) -> Self {
        Self { operation: kind.name().to_owned(), by, until }
    }
}

/// Reads the numbers after `after` in a dense list of `count` records.
fn page_of<T>(count: usize, after: Option<u32>, limit: usize, read: impl Fn(u32) -> Option<T>) -> Page<T> {
    let first = after.map_or(0, |after| after.saturating_add(1));
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let most = u32::try_from(limit.clamp(1, PAGE_MAX)).unwrap_or(1);
    let last = first.saturating_add(most).min(count);
    let items = (first..last).filter_map(read).collect();
    Page { items, next: last.checked_sub(1).filter(|_| last < count && first < last) }
}

/// Shows entries of stake after one of them, in the order of the list, until the page has enough of them or of rows.
fn cut_entries<T>(
    listed: &[(u32, Position)],
    after: Option<u32>,
    limit: usize,
    mut show: impl FnMut(&(u32, Position)) -> T,
    rows: impl Fn(&T) -> usize,
) -> Page<T> {
    let limit = limit.clamp(1, PAGE_MAX);
    let place = after.and_then(|after| listed.iter().position(|(id, _)| *id == after));
    let mut rest = listed.iter().skip(place.map_or(0, |place| place.saturating_add(1))).peekable();
    let (mut items, mut shown, mut last) = (Vec::new(), 0_usize, None);
    while items.len() < limit
        && shown < ROWS_MAX
        && let Some(entry) = rest.next()
    {
        let item = show(entry);
        shown = shown.saturating_add(rows(&item));
        items.push(item);
        last = Some(entry.0);
    }
    Page { items, next: last.filter(|_| rest.peek().is_some()) }
}

/// [`Epoch::NEVER`] is no epoch that a reader should see.
fn ever(epoch: Epoch) -> Option<Epoch> {
    (epoch != Epoch::NEVER).then_some(epoch)
}

/// Adds an amount of a token to a list that is kept by token.
pub(crate) fn add_token(list: &mut Vec<TokenAmount>, token: AssetId, amount: Amount) {
    if amount.is_zero() {
        return;
    }
    match list.binary_search_by_key(&token, |entry| entry.token) {
        Ok(index) => {
            if let Some(entry) = list.get_mut(index) {
                entry.amount.grow(amount);
            }
        }
        Err(index) => list.insert(index, TokenAmount { token, amount }),
    }
}

pub use crate::view::RewardView as TokenAmount;

impl State {
    fn address_of(&self, account: crate::units::AccountId) -> Address {
        self.accounts.get(account).address
    }
}
