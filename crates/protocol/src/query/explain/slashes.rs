//! What a request to slash would take.

use std::collections::BTreeSet;

use super::super::slashes::{at_most, most_of, takes};
use super::{Explained, Figure, pools, units_of};
use crate::entries::Key;
use crate::state::State;
use crate::state::records::{Executed, Request, RequestState};
use crate::units::{AssetId, Epoch, Fraction, RequestId};

const FRACTION: &str = "fraction";

pub(super) fn of(state: &State, figure: &Figure) -> Option<Explained> {
    let open = |id: RequestId| state.requests.get(&id).filter(|request| request.state == RequestState::Open);
    match *figure {
        Figure::Takes { request } => explain_takes(state, request, open(request)?),
        Figure::RequestAtMost { request, asset } => request_at_most(state, request, open(request)?, asset),
        Figure::ExecutedInWindow { request, epoch } => {
            let windows = Windows::of(state, open(request)?)?;
            Some(windows.of_start("executed_in_window", epoch, |executed| executed.executed))
        }
        Figure::CapturedInWindow { request, epoch } => {
            let windows = Windows::of(state, open(request)?)?;
            Some(windows.of_start("captured_in_window", epoch, |executed| executed.capture))
        }
        _ => None,
    }
}

/// The most that a request takes of what is left: what it asks for, or the cap.
pub(super) fn most(state: &State, id: RequestId, request: &Request) -> Explained {
    let cap = state.set(request.set).map_or(Fraction::ONE, |set| set.terms_in(request.capture).window_cap);
    let inputs = vec![
        Explained::stored("fraction", request.fraction, FRACTION, Key::Request(id)),
        Explained::stored("window_cap", cap, FRACTION, Key::Set(request.set)),
    ];
    Explained::computed("most", most_of(state, request), FRACTION, "min(fraction, window_cap)", inputs)
}

fn request_at_most(state: &State, id: RequestId, request: &Request, asset: AssetId) -> Option<Explained> {
    let listed = &state.operator(request.operator)?.pools;
    let (_, pool) = listed.iter().find(|(known, _)| *known == asset)?;
    let value = at_most(state, request).into_iter().find(|own| own.asset == asset)?.amount;
    let mut inputs = vec![most(state, id, request)];
    inputs.extend(pools::backing(state, *pool, request.set, request.capture));
    let formula = "floor(most * sum(backing) / 2^120)";
    Some(Explained::computed("request_at_most", value, &units_of(asset), formula, inputs))
}

/// The slashes that count against the cap that a request meets.
struct Windows<'a> {
    executed: &'a [Executed],
    reach: u32,
    request: &'a Request,
}

impl<'a> Windows<'a> {
    fn of(state: &'a State, request: &'a Request) -> Option<Self> {
        let record = state.set(request.set)?;
        let executed = record.executed.get(&request.operator).map_or(&[][..], Vec::as_slice);
        Some(Self { executed, reach: state.parameters.at(request.capture).reach().max(1), request })
    }

    /// The slashes of the window that starts in an epoch.
    fn of_start(&self, name: &str, start: Epoch, when: impl Fn(&Executed) -> Epoch) -> Explained {
        let last = start.later(self.reach).previous();
        let within = self.executed.iter().filter(|own| start <= when(own) && when(own) <= last);
        let (mut sum, mut inputs) = (Fraction::ZERO, Vec::new());
        for executed in within {
            sum = sum.plus_up_to_one(executed.fraction);
            inputs.push(Explained::stored(
                "counted",
                executed.fraction,
                FRACTION,
                Key::Set(self.request.set),
            ));
        }
        Explained::computed(name, sum, FRACTION, "min(1, sum(counted))", inputs)
    }

    /// Every window that contains an epoch and starts with a slash, or with the epoch itself; the heaviest of them counts.
    fn around(
        &self,
        name: &str,
        epoch: Epoch,
        when: impl Fn(&Executed) -> Epoch + Copy,
        by: impl Fn(Epoch) -> Figure,
    ) -> (Fraction, Explained) {
        let earliest = epoch.next().earlier(self.reach);
        let starts: BTreeSet<Epoch> = self.executed.iter().map(when).chain([epoch]).collect();
        let (mut heaviest, mut inputs) = (Fraction::ZERO, Vec::new());
        for start in starts.range(earliest..=epoch) {
            let sum: Fraction = self.of_start("", *start, when).value.parse().unwrap_or(Fraction::ZERO);
            heaviest = heaviest.max(sum);
            inputs.push(Explained::said("window", sum, FRACTION, &by(*start)));
        }
        (heaviest, Explained::computed(name, heaviest, FRACTION, "max(window)", inputs))
    }
}

fn explain_takes(state: &State, id: RequestId, request: &Request) -> Option<Explained> {
    let record = state.set(request.set)?;
    let at = Key::Set(request.set);
    let prior = record.punished.get(&(request.operator, request.offence())).copied().unwrap_or_default();
    let cap = record.terms_in(request.capture).window_cap;
    let windows = Windows::of(state, request)?;
    let by = |epoch| Figure::ExecutedInWindow { request: id, epoch };
    let (lately, executed) = windows.around("executed", state.epoch, |own| own.executed, by);
    let by = |epoch| Figure::CapturedInWindow { request: id, epoch };
    let (then, captured) = windows.around("captured", request.capture, |own| own.capture, by);
    let room = cap.above(lately).min(cap.above(then));
    let own = vec![Explained::stored("window_cap", cap, FRACTION, at), executed, captured];
    let formula = "max(0, min(window_cap - executed, window_cap - captured))";
    let room_node = Explained::computed("room", room, FRACTION, formula, own);
    let counted = request.fraction.above(prior.asked).min(room);
    let own = vec![
        Explained::stored("fraction", request.fraction, FRACTION, Key::Request(id)),
        Explained::stored("asked", prior.asked, FRACTION, at),
        room_node,
    ];
    let formula = "min(max(0, fraction - asked), room)";
    let counted_node = Explained::computed("counted", counted, FRACTION, formula, own);
    let inputs = vec![counted_node, Explained::stored("punished", prior.counted, FRACTION, at)];
    // Nothing is left to take from after an offence that has cost everything.
    let formula = match (counted.is_zero(), prior.counted == Fraction::ONE) {
        (true, _) => "counted",
        (false, true) => "1",
        (false, false) => "min(1, floor18(counted / (1 - punished)))",
    };
    Some(Explained::computed("takes", takes(state, request), FRACTION, formula, inputs))
}
