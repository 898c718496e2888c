//! Operators, services and judges.

use protocol::Operation;
use protocol::ops;
use protocol::query::{self, NoticeKind, RequestFilter, RequestStatus};
use protocol::units::{Amount, AssetId, Epoch, OperatorId, RequestId, SetId};

use super::Day;
use crate::days::{claim_settled, pay_work, stream};
use crate::people::address;
use crate::world::{ETH, MER, OPERATORS, PRICES, RELAY, SAMPLING, USD, fraction, usd, whole};

/// Operators consent in time, return from jail, collect their commission, and change what they ask for.
pub(super) fn operators(day: &mut Day<'_>) {
    let now = day.state.epoch();
    for (place, (name, id)) in (0..).zip(OPERATORS) {
        let Some(operator) = query::operator(day.state, *id) else { continue };
        for member in operator.sets.iter().filter(|member| member.left.is_none()) {
            let set = member.set;
            if member.jailed_until.is_some_and(|until| until <= now) {
                day.ask(name, "returns to duty", Operation::Unjail(ops::unjail::Unjail { set }));
            }
            if let Some(terms) = member.consent_to.filter(|_| member.consent_by == Some(now)) {
                let consent = ops::consent::Consent { set, terms };
                day.ask(name, "consents to announced terms", Operation::Consent(consent));
            }
        }
        let has_settled =
            query::earnings(day.state, operator.account).claimable.iter().any(|own| !own.settled.is_zero());
        if has_settled && day.is_day(6, place) {
            day.ask(name, "claims its commission", claim_settled());
        }
        if day.is_day(25, place * 5) {
            change_commission(day, name, &operator);
        }
    }
}

fn change_commission(day: &mut Day<'_>, name: &'static str, operator: &query::OperatorDetail) {
    let Some(pool) = operator.pools.first().filter(|pool| pool.commission_later.is_empty()) else { return };
    let next = [300, 500, 800].map(fraction).into_iter().filter(|next| *next != pool.commission);
    let next: Vec<_> = next.collect();
    if let Some(commission) = day.picks.one(&next) {
        let asset = pool.view.asset;
        let change = ops::set_commission::SetCommission { asset, commission };
        day.ask(name, "changes its commission", Operation::SetCommission(change));
    }
}

/// Which streams each service keeps running.
const STREAMS: [(&str, SetId, AssetId, Amount); 4] = [
    ("meridian", PRICES, USD, usd(600)),
    ("meridian", PRICES, MER, whole(1_000)),
    ("harbor", RELAY, USD, usd(900)),
    ("stratum", SAMPLING, USD, usd(300)),
];

/// Epochs before its end in which a stream is followed by the next, and for how long that pays.
const BEFORE_END: u32 = 4;
const STREAM_EPOCHS: u32 = 90;

/// Services keep paying, report how well operators work, accuse them, and change terms.
pub(super) fn services(day: &mut Day<'_>) {
    for (service, set, token, per_epoch) in STREAMS {
        let all = query::streams(day.state, Some(set), None, query::PAGE_MAX).items;
        let lasts = |stream: &&query::StreamDetail| {
            stream.token == token
                && stream.per_epoch == per_epoch
                && stream.to.number() > day.epoch.saturating_add(BEFORE_END)
        };
        if !all.iter().any(|stream| lasts(&stream)) {
            let needed = Amount::new(per_epoch.units() * u128::from(STREAM_EPOCHS));
            day.bring(service, token, needed);
            day.ask(service, "goes on paying", stream(set, token, per_epoch, STREAM_EPOCHS));
        }
    }
    if day.is_day(3, 0) {
        let paid: Vec<(OperatorId, Amount)> = day
            .on_duty(PRICES)
            .into_iter()
            .map(|operator| (operator, whole(u128::from(40 + day.picks.below(60)))))
            .collect();
        if !paid.is_empty() {
            day.bring("meridian", MER, whole(1_000));
            day.ask("meridian", "pays measured work", pay_work(PRICES, MER, day.epoch - 1, &paid));
        }
    }
    if day.is_day(4, 1)
        && let Some(operator) = on_duty_now(day, RELAY)
    {
        let factor = fraction(9_000 + day.picks.below(1_000));
        let report = ops::report_performance::ReportPerformance { set: RELAY, operator, factor };
        day.ask("harbor", "reports how well an operator works", Operation::ReportPerformance(report));
    }
    accuse(day);
    change_terms(day);
}

fn on_duty_now(day: &mut Day<'_>, set: SetId) -> Option<OperatorId> {
    let members = query::set(day.state, set).map_or_else(Vec::new, |set| set.members);
    let on_duty: Vec<OperatorId> =
        members.iter().filter(|member| !member.weight.is_zero()).map(|member| member.operator).collect();
    day.picks.one(&on_duty)
}

const REASONS: [&str; 4] = [
    "answers came too late for a whole epoch",
    "the signed value was an hour old",
    "samples were not served",
    "a transfer was signed twice as long as promised",
];

/// Every twelve epochs somebody is accused of something small.
fn accuse(day: &mut Day<'_>) {
    if !day.is_day(12, 8) {
        return;
    }
    let accusers = [("meridian", PRICES), ("harbor", RELAY), ("stratum", SAMPLING)];
    let Some((service, set)) = day.picks.one(&accusers) else { return };
    let on_duty = day.on_duty(set);
    let open = RequestFilter { set: Some(set), open_only: true, ..RequestFilter::default() };
    let is_open = !query::requests(day.state, &open, None, 1).items.is_empty();
    let (Some(operator), Some(reason)) = (day.picks.one(&on_duty), day.picks.one(&REASONS)) else { return };
    if is_open {
        return;
    }
    day.bring(service, ETH, whole(4));
    let request = ops::request_slash::RequestSlash {
        set,
        operator,
        capture: Epoch::new(day.epoch - 1),
        fraction: fraction(50 + day.picks.below(150)),
        reason: reason.to_owned(),
        victims: Vec::new(),
    };
    day.ask(service, "accuses an operator", Operation::RequestSlash(request));
}

/// Every forty epochs the data service changes how hard it punishes, to and fro: worse terms one time, better ones the next.
fn change_terms(day: &mut Day<'_>) {
    let Some(set) = query::set(day.state, SAMPLING).filter(|set| set.pending.is_none()) else { return };
    if !day.is_day(40, 15) {
        return;
    }
    let mut terms = set.terms;
    let (mild, hard) = (fraction(1_000), fraction(1_200));
    terms.offences.subjective = Some(if terms.offences.subjective == Some(mild) { hard } else { mild });
    let change = ops::change_terms::ChangeTerms { set: SAMPLING, terms };
    day.ask("stratum", "announces other terms", Operation::ChangeTerms(change));
}

/// Two of three accusations are vetoed; the others are carried out.
pub(super) fn judges(day: &mut Day<'_>) {
    let now = day.state.epoch();
    let filter = RequestFilter { open_only: true, ..RequestFilter::default() };
    for request in query::requests(day.state, &filter, None, query::PAGE_MAX).items {
        let id: RequestId = request.request;
        let is_fair = id.number() % 3 == 1;
        if is_fair && request.executable_from <= now && !request.takes.is_zero() {
            let execute = ops::execute_slash::ExecuteSlash { request: id };
            day.ask("wanda", "has an accusation carried out", Operation::ExecuteSlash(execute));
        }
        if !is_fair && request.veto_until.is_some_and(|until| until >= now) {
            veto(day, &request);
        }
    }
}

/// The next resolver who has not objected does.
fn veto(day: &mut Day<'_>, request: &query::RequestDetail) {
    let resolvers = ["ines", "jonas", "kira"];
    let is_asked = |resolver: &&str| {
        let account = address(resolver);
        let notices = query::notices(day.state, account);
        notices.iter().any(|notice| {
            notice.kind == NoticeKind::VetoOpen && notice.subject.request == Some(request.request)
        })
    };
    if let Some(resolver) = resolvers.into_iter().find(|resolver| is_asked(resolver))
        && request.status == RequestStatus::Open
    {
        let veto = ops::veto_slash::VetoSlash { request: request.request };
        day.ask(resolver, "objects", Operation::VetoSlash(veto));
    }
}
