//! Requests to slash in every stage, and slashes whose proceeds are held.

use super::{PAGE_MAX, Page};
use crate::slashing::{self, Order};
use crate::state::State;
use crate::state::records::{Request, RequestState, Victim};
use crate::units::{Address, Amount, AssetId, Epoch, Fraction, OperatorId, RequestId, SetId, SlashId};

answer! {
    /// A request to slash for a reason.
    pub struct RequestDetail {
        /// Which.
        pub request: RequestId,
        /// For which set.
        pub set: SetId,
        /// Against whom.
        pub operator: OperatorId,
        /// When the offence happened.
        pub capture: Epoch,
        /// How much of what the set owned then is asked for.
        pub fraction: Fraction,
        /// How much would be taken now: what the window caps leave of it.
        pub takes: Fraction,
        /// Why, in the words of the slasher.
        pub reason: String,
        /// Who is harmed.
        pub victims: Vec<Victim>,
        /// Who asked.
        pub requester: Address,
        /// What it has posted.
        pub deposit: Amount,
        /// When it asked.
        pub requested: Epoch,
        /// Who may veto.
        pub resolvers: Vec<Address>,
        /// Last epoch in which they may; none where nobody can.
        pub veto_until: Option<Epoch>,
        /// How many vetoes end it; none where nobody can.
        pub threshold: Option<u32>,
        /// Who has vetoed it.
        pub vetoes: Vec<Address>,
        /// Who has said yes to it.
        pub approvals: Vec<Address>,
        /// First epoch in which it may be executed.
        pub executable_from: Epoch,
        /// Last epoch in which it may be.
        pub lapses_after: Epoch,
        /// Where it is in its life.
        pub status: RequestStatus,
        /// What it would take at most of each of the operator's pools, bonds included: at its fraction or the window cap, whatever earlier
        /// slashes have used of it.
        pub at_most: Vec<AssetAmount>,
    }
}

answer! {
    /// An amount of an asset.
    pub struct AssetAmount {
        /// The asset.
        pub asset: AssetId,
        /// How much.
        pub amount: Amount,
    }
}

answer! {
    /// Where a request is in its life.
    #[derive(Copy)]
    pub enum RequestStatus {
        /// It may still be executed.
        Open,
        /// Resolvers have ended it.
        Vetoed,
        /// It was carried out, as this slash.
        Executed(SlashId),
        /// Its time is over.
        Lapsed,
    }
}

answer! {
    /// Which requests to show; what is not given is not asked for.
    #[derive(Default)]
    pub struct RequestFilter {
        /// Those of a set.
        pub set: Option<SetId>,
        /// Those against an operator.
        pub operator: Option<OperatorId>,
        /// Those that may still be executed.
        pub open_only: bool,
    }
}

answer! {
    /// An executed slash whose proceeds wait.
    pub struct SlashDetail {
        /// Which.
        pub slash: SlashId,
        /// When the offence happened.
        pub capture: Epoch,
        /// What goes to each destination but burn.
        pub held: Vec<HeldView>,
        /// Who is harmed, and is paid first.
        pub victims: Vec<Victim>,
        /// First epoch in which anyone may have it paid out.
        pub released_from: Epoch,
    }
}

answer! {
    /// Proceeds that wait.
    pub struct HeldView {
        /// Of which asset.
        pub asset: AssetId,
        /// How much.
        pub amount: Amount,
        /// For whom; none for the users that the request names as harmed.
        pub to: Option<Address>,
    }
}

/// One request, as long as offences of its capture epoch can be asked about.
pub fn request(state: &State, id: RequestId) -> Option<RequestDetail> {
    state.requests.get(&id).map(|request| show(state, id, request))
}

/// How many requests a page without a set or an operator looks at.
pub(super) const LOOKED_AT_MAX: usize = 16_384;

/// Requests by their numbers, after one of them. Costs as the requests of the set or against the operator that is named. Where neither
/// is, a page looks at so many requests at most: it may be short, or empty, and still have a `next`.
pub fn requests(
    state: &State,
    filter: &RequestFilter,
    after: Option<RequestId>,
    limit: usize,
) -> Page<RequestDetail> {
    let first = RequestId::new(after.map_or(0, |after| after.number().saturating_add(1)));
    let is_asked = |request: &Request| !filter.open_only || request.state == RequestState::Open;
    let show = |(id, request)| show(state, id, request);
    let Some(named) = named(state, filter) else {
        let looked_at = state.requests.starting_at(first).map(|(id, request)| (*id, request));
        return look_through(looked_at, is_asked, limit, show);
    };
    let mut named: Vec<RequestId> = named.into_iter().filter(|id| *id >= first).collect();
    named.sort_unstable();
    let found = named.into_iter().filter_map(|id| Some((id, state.requests.get(&id)?)));
    let found = found.filter(|(_, request)| is_asked(request));
    cut(found.map(|(id, request)| (id.number(), (id, request))), limit, show)
}

/// The requests of the set and against the operator that a filter names; none if it names neither.
fn named(state: &State, filter: &RequestFilter) -> Option<Vec<RequestId>> {
    let of = |set: SetId, operator: OperatorId| state.requests_against(set, operator).map(|(_, id)| id);
    match (filter.set, filter.operator) {
        (Some(set), Some(operator)) => Some(of(set, operator).collect()),
        (Some(set), None) => {
            let members = state.set(set).into_iter().flat_map(|record| record.members.keys());
            Some(members.flat_map(|operator| of(set, *operator)).collect())
        }
        (None, Some(operator)) => {
            let sets = state.operator(operator).into_iter().flat_map(|record| &record.sets);
            Some(sets.flat_map(|set| of(*set, operator)).collect())
        }
        (None, None) => None,
    }
}

/// One page of those that are asked for among the first that are looked at.
pub(super) fn look_through<'a, T>(
    mut looked_at: impl Iterator<Item = (RequestId, &'a Request)>,
    is_asked: impl Fn(&Request) -> bool,
    limit: usize,
    show: impl Fn((RequestId, &'a Request)) -> T,
) -> Page<T> {
    let limit = limit.clamp(1, PAGE_MAX);
    let (mut items, mut last) = (Vec::new(), None);
    for (id, request) in looked_at.by_ref().take(LOOKED_AT_MAX) {
        last = Some(id.number());
        if is_asked(request) {
            items.push(show((id, request)));
        }
        if items.len() >= limit {
            break;
        }
    }
    Page { items, next: last.filter(|_| looked_at.next().is_some()) }
}

/// One slash whose proceeds are held.
pub fn slash(state: &State, id: SlashId) -> Option<SlashDetail> {
    state.slashes.get(&id)?;
    slashes_from(state, id, 1).items.pop()
}

/// Slashes whose proceeds are held, by their numbers, after one of them.
pub fn slashes(state: &State, after: Option<SlashId>, limit: usize) -> Page<SlashDetail> {
    let first = after.map_or(0, |after| after.number().saturating_add(1));
    slashes_from(state, SlashId::new(first), limit)
}

fn slashes_from(state: &State, first: SlashId, limit: usize) -> Page<SlashDetail> {
    let held =
        |held: &crate::state::records::Held| HeldView { asset: held.asset, amount: held.amount, to: held.to };
    let found = state.slashes.starting_at(first).map(|(id, slash)| (id.number(), (*id, slash)));
    cut(found, limit, |(id, slash)| SlashDetail {
        slash: id,
        capture: slash.capture,
        held: slash.held.iter().map(held).collect(),
        victims: slash.victims.clone(),
        released_from: state.last_execution(slash.capture).next(),
    })
}

/// One page of what is found, by number.
pub(super) fn cut<F, T>(
    found: impl Iterator<Item = (u32, F)>,
    limit: usize,
    show: impl Fn(F) -> T,
) -> Page<T> {
    let limit = limit.clamp(1, PAGE_MAX);
    let mut found = found.peekable();
    let (mut items, mut last) = (Vec::new(), None);
    while items.len() < limit
        && let Some((number, item)) = found.next()
    {
        items.push(show(item));
        last = Some(number);
    }
    Page { items, next: last.filter(|_| found.peek().is_some()) }
}

/// Last epoch in which a request may be vetoed, where anybody can.
pub(super) fn veto_until(state: &State, request: &Request) -> Option<Epoch> {
    let terms = state.set(request.set)?.terms_in(request.capture);
    let (executable_from, _) = state.request_window(request);
    (!terms.resolvers.is_empty()).then(|| executable_from.previous())
}

fn show(state: &State, id: RequestId, request: &Request) -> RequestDetail {
    let (executable_from, lapses_after) = state.request_window(request);
    let terms = state.set(request.set).map(|record| record.terms_in(request.capture));
    let is_open = request.state == RequestState::Open;
    let takes = if is_open { takes(state, request) } else { Fraction::ZERO };
    RequestDetail {
        request: id,
        set: request.set,
        operator: request.operator,
        capture: request.capture,
        fraction: request.fraction,
        takes,
        reason: request.reason.clone(),
        victims: request.victims.clone(),
        requester: state.address_of(request.requester),
        deposit: request.deposit,
        requested: request.requested,
        resolvers: terms.map_or_else(Vec::new, |terms| terms.resolvers.clone()),
        veto_until: veto_until(state, request),
        threshold: terms.and_then(|terms| super::sets::veto_threshold(terms)),
        vetoes: request.vetoes.iter().copied().collect(),
        approvals: request.approvals.iter().copied().collect(),
        executable_from,
        lapses_after,
        status: match request.state {
            RequestState::Open => RequestStatus::Open,
            RequestState::Vetoed => RequestStatus::Vetoed,
            RequestState::Executed(slash) => RequestStatus::Executed(slash),
            RequestState::Lapsed => RequestStatus::Lapsed,
        },
        at_most: if is_open { at_most(state, request) } else { Vec::new() },
    }
}

/// What a request would take now, of what is left.
pub(super) fn takes(state: &State, request: &Request) -> Fraction {
    let order = Order {
        set: request.set,
        operator: request.operator,
        capture: request.capture,
        fraction: request.fraction,
        offence: request.offence(),
        reason: String::new(),
        evidence: None,
        victims: Vec::new(),
    };
    slashing::plan(state, &order).map_or(Fraction::ZERO, |plan| plan.fraction)
}

/// The most that a request may take of what is left, whenever it is executed: earlier slashes that use a cap now leave the window.
pub(super) fn most_of(state: &State, request: &Request) -> Fraction {
    let cap = state.set(request.set).map_or(Fraction::ONE, |set| set.terms_in(request.capture).window_cap);
    request.fraction.min(cap)
}

pub(super) fn at_most(state: &State, request: &Request) -> Vec<AssetAmount> {
    let pools = state.operator(request.operator).map(|record| record.pools.clone()).unwrap_or_default();
    let most = most_of(state, request);
    let amount = |pool| state.pool(pool).stake.assess(request.set, request.capture, most);
    let amounts = pools.into_iter().map(|(asset, pool)| AssetAmount { asset, amount: amount(pool) });
    amounts.filter(|entry| !entry.amount.is_zero()).collect()
}
