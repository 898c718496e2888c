//! What can be lost as a fraction, of all of an account's stake, by a request; which parts of it a set can take, and by which offence.

use super::super::OffenceKind;
use super::super::liability::{Liability, caps_in};
use super::super::positions::{PositionState, entries, state_of, worth as worth_of};
use super::super::slashes::most_of;
use super::super::{Loss, exposure as shown};
use super::stake::{AT_WORST, lost, whole};
use super::{Entry, Explained, Figure, units_of};
use crate::entries::Key;
use crate::state::State;
use crate::state::records::RequestState;
use crate::units::{Address, Amount, AssetId, Epoch, Fraction, RequestId, SetId};

pub(super) fn of(state: &State, figure: &Figure) -> Option<Explained> {
    let find = |account, position| Entry::find(state, account, position);
    match *figure {
        Figure::PositionWorstCaseFraction { account, position }
        | Figure::CouldLoseFraction { account, position }
        | Figure::SetExposureFraction { account, position, .. }
        | Figure::AnnouncedExposureFraction { account, position, .. }
        | Figure::RequestLossFraction { account, position, .. } => {
            fraction_of_entry(state, &find(account, position)?, figure)
        }
        Figure::RequestLoss { account, position, request } => {
            request_loss(state, &find(account, position)?, request)
        }
        Figure::ExposureWorth { account, asset } => Some(total(state, account, asset)?.0),
        Figure::ExposureWorstCase { account, asset } => Some(total(state, account, asset)?.1),
        Figure::ExposureWorstCaseFraction { account, asset } => {
            let (worth, lost) = total(state, account, asset)?;
            let whole = (&worth, Figure::ExposureWorth { account, asset });
            let loss = (&lost, Figure::ExposureWorstCase { account, asset });
            fraction("exposure_worst_case_fraction", whole, loss)
        }
        Figure::ExposedParts { account, position, set } => {
            parts(state, &find(account, position)?, set, false)
        }
        Figure::ExposedPartsNow { account, position, set } => {
            parts(state, &find(account, position)?, set, true)
        }
        Figure::ExposureCap { account, position, set } => cap(state, &find(account, position)?, set),
        Figure::OffenceFraction { set, kind, epoch } => offence(state, set, kind, epoch),
        _ => None,
    }
}

/// A loss of an entry as a fraction of what it is worth.
fn fraction_of_entry(state: &State, entry: &Entry, figure: &Figure) -> Option<Explained> {
    let (name, by) = match *figure {
        Figure::PositionWorstCaseFraction { account, position } => {
            ("position_worst_case_fraction", Figure::PositionWorstCase { account, position })
        }
        Figure::CouldLoseFraction { account, position } => {
            ("could_lose_fraction", Figure::CouldLose { account, position })
        }
        Figure::SetExposureFraction { account, position, set } => {
            ("set_exposure_fraction", Figure::SetExposure { account, position, set })
        }
        Figure::AnnouncedExposureFraction { account, position, set } => {
            ("announced_exposure_fraction", Figure::AnnouncedExposure { account, position, set })
        }
        Figure::RequestLossFraction { account, position, request } => {
            ("request_loss_fraction", Figure::RequestLoss { account, position, request })
        }
        _ => return None,
    };
    let loss = super::stake::of(state, &by).or_else(|| of(state, &by))?;
    let of_entry = Figure::PositionWorth { account: entry.account, position: entry.id };
    let worth = super::stake::of(state, &of_entry)?;
    fraction(name, (&worth, of_entry), (&loss, by))
}

fn fraction(name: &str, whole: (&Explained, Figure), loss: (&Explained, Figure)) -> Option<Explained> {
    let amount = |node: &Explained| node.value.parse::<u128>().ok().map(Amount::new);
    let (worth, lost) = (amount(whole.0)?, amount(loss.0)?);
    let inputs = vec![
        Explained::said("worth", worth, &whole.0.unit, &whole.1),
        Explained::said("loss", lost, &loss.0.unit, &loss.1),
    ];
    let formula = if worth.is_zero() { "0" } else { "1 - floor18((worth - loss) / worth)" };
    Some(Explained::computed(name, Loss::of(lost, worth).fraction, "fraction", formula, inputs))
}

fn request_loss(state: &State, entry: &Entry, id: RequestId) -> Option<Explained> {
    let request = state.requests.get(&id).filter(|request| request.state == RequestState::Open)?;
    let liability = Liability::of(state, &entry.position);
    let is_bonded = entry.position.entered <= request.capture && request.capture <= entry.position.until;
    let is_concerned = is_bonded && !liability.is_over() && liability.record.operator == request.operator;
    let most = most_of(state, request);
    let loss = liability.loss(liability.lost_in(request.set, request.capture, most));
    shown::against(state, id, loss.clone()).filter(|_| is_concerned)?;
    let at = Key::Pool(entry.position.pool);
    let mut inputs = whole(state, entry);
    for (slice, left) in liability.owned_in(request.set, request.capture) {
        let own = vec![super::slashes::most(state, id, request)];
        let kept = Explained::computed("kept", most.complement(), "fraction", "1 - most", own);
        inputs.push(lost(at, slice.size, left, kept, most.complement()));
    }
    let unit = units_of(liability.record.asset);
    Some(Explained::computed("request_loss", loss.amount, &unit, AT_WORST, inputs))
}

/// What an account's stake of an asset is worth, and what is lost of it at worst; none where it has none that can be slashed.
fn total(state: &State, account: Address, asset: AssetId) -> Option<(Explained, Explained)> {
    let owner = state.accounts.find(account)?;
    let answer = shown::exposure_page(state, account, None, 1);
    let total = answer.totals.into_iter().find(|total| total.asset == asset)?;
    let unit = units_of(asset);
    let (mut worths, mut losses) = (Vec::new(), Vec::new());
    let stakes = super::super::alike::Stakes::of(state, account);
    for (id, position) in entries(state, owner) {
        let record = state.pool(position.pool);
        if record.asset == asset && state_of(state, &position) != PositionState::Free {
            let by = Figure::PositionWorth { account, position: id };
            worths.push(Explained::said("worth", worth_of(record, &position), &unit, &by));
            let by = Figure::PositionWorstCase { account, position: id };
            let lost = stakes.alike(&position).worst_case(&position).amount;
            losses.push(Explained::said("lost", lost, &unit, &by));
        }
    }
    let worth = Explained::computed("exposure_worth", total.worth, &unit, "sum(worth)", worths);
    let by = Figure::ExposureWorth { account, asset };
    losses.push(Explained::said("worth", total.worth, &unit, &by));
    let lost = total.worst_case.amount;
    Some((worth, Explained::computed("exposure_worst_case", lost, &unit, "min(worth, sum(lost))", losses)))
}

/// The parts that a set owns in any epoch that matters, or those of them that it owns in this one.
fn parts(state: &State, entry: &Entry, set: SetId, is_now: bool) -> Option<Explained> {
    let liability = Liability::of(state, &entry.position);
    let threat = liability.threats().into_iter().find(|threat| threat.set == set)?;
    let at = Key::Pool(entry.position.pool);
    let leaf = |size: u16| Explained::stored("parts", size, "parts of 256", at);
    let mut inputs = Vec::new();
    for (slice, owners) in liability.owned_slices(set) {
        if is_now {
            let is_liable = liability.first <= state.epoch && state.epoch <= liability.last;
            let now = owners.iter().filter(|owner| is_liable && owner.is_in(state.epoch));
            inputs.extend(now.map(|_| leaf(slice.size)));
        } else {
            inputs.push(leaf(slice.size));
        }
    }
    let (name, value) =
        if is_now { ("exposed_parts_now", threat.parts_now) } else { ("exposed_parts", threat.parts) };
    Some(Explained::computed(name, value, "parts of 256", "sum(parts)", inputs))
}

/// The highest cap of the terms that count in an epoch that matters, announced ones included.
fn cap(state: &State, entry: &Entry, set: SetId) -> Option<Explained> {
    let liability = Liability::of(state, &entry.position);
    let threat = liability.threats().into_iter().find(|threat| threat.set == set)?;
    let record = state.set(set)?;
    let pending = record.pending.as_ref().filter(|pending| pending.from <= liability.last);
    let caps = caps_in(record, liability.first, liability.last);
    let caps = caps.chain(pending.map(|pending| pending.terms.window_cap));
    let inputs = caps.map(|cap| Explained::stored("window_cap", cap, "fraction", Key::Set(set))).collect();
    Some(Explained::computed("exposure_cap", threat.cap, "fraction", "max(window_cap)", inputs))
}

fn offence(state: &State, set: SetId, kind: OffenceKind, epoch: Epoch) -> Option<Explained> {
    let record = state.set(set)?;
    let pending = record.pending.as_ref().filter(|pending| pending.from <= epoch);
    let terms = pending.map_or_else(|| record.terms_in(epoch), |pending| &pending.terms);
    let value = shown::offences(terms).into_iter().find(|offence| offence.kind == kind)?.fraction;
    let at = Key::Set(set);
    let stored = |name: &str, fraction: Fraction| Explained::stored(name, fraction, "fraction", at);
    let (taken, formula) = match kind {
        OffenceKind::Equivocation => {
            (stored("equivocation", terms.offences.equivocation?), "min(equivocation, window_cap)")
        }
        OffenceKind::Subjective => {
            (stored("subjective", terms.offences.subjective?), "min(subjective, window_cap)")
        }
        OffenceKind::FalseEvent => {
            (stored("false_event", terms.offences.false_event?), "min(false_event, window_cap)")
        }
        OffenceKind::Correlation => {
            let multiplier = terms.offences.correlation.as_ref()?.multiplier;
            (Explained::stored("multiplier", multiplier, "", at), "min(1, multiplier, window_cap)")
        }
    };
    let inputs = vec![taken, stored("window_cap", terms.window_cap)];
    Some(Explained::computed("offence_fraction", value, "fraction", formula, inputs))
}
