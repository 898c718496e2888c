//! What can slash me, and how much at worst?

use std::collections::BTreeMap;

use super::alike::{Alike, Stakes};
use super::liability::Threat;
use super::positions::{PositionState, place_of, state_of};
use super::slashes::veto_until;
use super::vaults::{VaultShareExposure, exposures_of, tickets_of};
use super::{Loss, PAGE_MAX, Page, Scheduled, cut_entries, ever};
use crate::state::State;
use crate::state::positions::Position;
use crate::terms::{Destination, Mandate, Terms};
use crate::units::{
    Address, Amount, AssetId, Digest, Epoch, Fraction, OperatorId, PoolId, RequestId, ServiceId, SetId,
};

answer! {
    /// What can slash an account, and how much at worst.
    pub struct ExposureAnswer {
        /// Whose.
        pub account: Address,
        /// As of which epoch.
        pub epoch: Epoch,
        /// Entry by entry, free ones left out.
        pub positions: Vec<PositionExposure>,
        /// All of them, by asset, those on other pages included.
        pub totals: Vec<ExposureTotal>,
        /// Through shares of vaults, with what was asked back of them; in no total.
        pub vaults: Vec<VaultShareExposure>,
        /// After which entry the next page goes on; none on the last page.
        pub next: Option<u32>,
    }
}

answer! {
    /// What can be lost of one asset.
    pub struct ExposureTotal {
        /// The asset.
        pub asset: AssetId,
        /// What all entries are worth.
        pub worth: Amount,
        /// What they lose if each loses its worst case.
        pub worst_case: Loss,
    }
}

answer! {
    /// What can slash an entry of stake.
    pub struct PositionExposure {
        /// The entry.
        pub position: u32,
        /// With which operator.
        pub operator: OperatorId,
        /// In which pool.
        pub pool: PoolId,
        /// Of which asset.
        pub asset: AssetId,
        /// Where it is in its life.
        pub state: PositionState,
        /// What it is worth.
        pub worth: Amount,
        /// What is lost if every set takes its window cap: figure `position_worst_case`. Ordered allocations and announced terms are in
        /// it.
        pub worst_case: Loss,
        /// What could still be lost if it were asked back now; the worst case itself of what was asked back.
        pub if_asked_back_now: Loss,
        /// The sets that can take a part of it, each by itself.
        pub sets: Vec<SetExposure>,
        /// Open requests that would take a part of it.
        pub requests: Vec<RequestAgainst>,
        /// The operator's bond, which pays before stake does; what of it is liable for this epoch.
        pub bond: Amount,
        /// How far the operator may go without asking: none once it has been asked back.
        pub mandate: Option<MandateBound>,
    }
}

answer! {
    /// How far an operator may go from one epoch to the next, by the mandate that the delegator has signed.
    pub struct MandateBound {
        /// The mandate in force.
        pub mandate: Mandate,
        /// One that is announced.
        pub later: Option<Scheduled<Mandate>>,
        /// Last epoch in which stake can be asked back that the announced one never concerns.
        pub undelegate_by: Option<Epoch>,
    }
}

answer! {
    /// When a set can take a part of an entry.
    #[derive(Copy)]
    pub enum When {
        /// It owns parts in this epoch, in which the entry is bonded.
        Now,
        /// It owns parts from a later epoch on, in which the entry would be bonded.
        Later,
        /// It owns no more parts, or the entry is bonded no more; offences of past epochs may still be punished.
        Still,
    }
}

answer! {
    /// A set that can take a part of an entry.
    pub struct SetExposure {
        /// The set.
        pub set: SetId,
        /// Of which service.
        pub service: ServiceId,
        /// When it can.
        pub when: When,
        /// Parts of 256 that it owns in any epoch that matters.
        pub parts: u16,
        /// Of them, in this epoch.
        pub parts_now: u16,
        /// First epoch whose offences it could punish.
        pub liable_from: Epoch,
        /// Last such epoch; none while neither the parts were given back nor the entry was asked back.
        pub liable_through: Option<Epoch>,
        /// Last epoch in which anything can be taken; none without a last liable epoch.
        pub punishable_until: Option<Epoch>,
        /// The most that all its slashes take together of what is left of its parts, within `W + V + X` epochs.
        pub window_cap: Fraction,
        /// What the cap would take of the entry: figure `set_exposure`.
        pub worst_case: Loss,
        /// What it punishes, by the terms in force, or those of the last liable epoch.
        pub offences: Vec<Offence>,
        /// Where slashed stake goes.
        pub destinations: Vec<Destination>,
        /// Terms that are announced, while the entry would be bonded under them.
        pub announced: Option<WorseTerms>,
    }
}

answer! {
    /// What kind of offence.
    #[derive(Copy)]
    pub enum OffenceKind {
        /// Two different statements for one slot, by a registered key.
        Equivocation,
        /// Whatever the slasher gives as a reason.
        Subjective,
        /// A signed statement about an event on Ethereum that is not so.
        FalseEvent,
        /// How many offended together.
        Correlation,
    }
}

impl std::fmt::Display for OffenceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Equivocation => "equivocation",
            Self::Subjective => "subjective",
            Self::FalseEvent => "false_event",
            Self::Correlation => "correlation",
        })
    }
}

answer! {
    /// An offence that a set punishes.
    pub struct Offence {
        /// Which kind.
        pub kind: OffenceKind,
        /// The most that one offence takes of what is left of the set's parts, cut by the window cap.
        pub fraction: Fraction,
        /// Who decides.
        pub verdict: Verdict,
    }
}

answer! {
    /// Who decides whether an offence happened.
    pub enum Verdict {
        /// The ledger itself: anyone submits the proof, it executes at once, and nobody can veto it.
        BuiltIn,
        /// The ledger computes it once the offences of a window are known; anyone may ask for it.
        Rule,
        /// An account of the service asks for it.
        Judged {
            /// Who may ask.
            slasher: Address,
            /// Who may veto; nobody can if there are none.
            resolvers: Vec<Address>,
            /// How many of them it takes.
            threshold: Option<u32>,
            /// Epochs in which they may.
            veto: u32,
        },
    }
}

answer! {
    /// Terms that are announced.
    pub struct WorseTerms {
        /// The first epoch in which they count.
        pub from: Epoch,
        /// Their digest.
        pub digest: Digest,
        /// Whether they are worse for somebody. What is not clearly better is worse.
        pub is_worse: bool,
        /// Whether the operator has consented. Without its consent it leaves the set when worse ones start.
        pub consented: bool,
        /// Last epoch in which stake can be asked back that they never concern.
        pub undelegate_by: Epoch,
        /// The cap that they set.
        pub window_cap: Fraction,
        /// What it would take of the entry.
        pub worst_case: Loss,
        /// What they punish.
        pub offences: Vec<Offence>,
    }
}

answer! {
    /// An open request that would take a part of an entry.
    pub struct RequestAgainst {
        /// Which.
        pub request: RequestId,
        /// For which set.
        pub set: SetId,
        /// When the offence happened.
        pub capture: Epoch,
        /// How much is asked for.
        pub fraction: Fraction,
        /// What it would take of the entry at most; what the bond pays is less for the entry.
        pub at_most: Loss,
        /// Last epoch in which resolvers may veto it; none where nobody can.
        pub veto_until: Option<Epoch>,
        /// First epoch in which it may be executed.
        pub executable_from: Epoch,
        /// Last epoch in which it may be.
        pub lapses_after: Epoch,
    }
}

/// What can slash an account, and how much at worst; empty for an account that nobody knows: the totals and the first page of entries.
/// Costs as its entries of stake, what is shown of them, the slices of their pools and the sets of their operators.
///
/// The worst case covers one window of `W + V + X` epochs: who stays longer can be slashed again for what it does later. The bond, which
/// pays first, is not counted, nor what earlier slashes have used of a cap.
pub fn exposure(state: &State, account: Address) -> ExposureAnswer {
    exposure_page(state, account, None, PAGE_MAX)
}

/// The same, with the entries after one of them, at most so many. An unknown `after` begins at the start.
pub fn exposure_page(state: &State, account: Address, after: Option<u32>, limit: usize) -> ExposureAnswer {
    let stakes = Stakes::of(state, account);
    let is_free = |position: &Position| state_of(state, position) == PositionState::Free;
    let mut listed: Vec<(u32, Position)> =
        stakes.entries.iter().filter(|(_, position)| !is_free(position)).copied().collect();
    listed.sort_by_key(|entry| place_of(state, entry));
    let rows = |entry: &PositionExposure| entry.sets.len().saturating_add(entry.requests.len());
    let show = |(id, position): &(u32, Position)| of_position(&stakes, *id, position);
    let Page { items, next } = cut_entries(&listed, after, limit, show, rows);
    let vaults = exposures_of(state, account, &tickets_of(state, account));
    ExposureAnswer {
        account,
        epoch: state.epoch,
        positions: items,
        totals: totals(&stakes, &listed),
        vaults,
        next,
    }
}

/// What an account's own stake loses at worst, by asset.
pub(super) fn totals_of(state: &State, account: Address) -> Vec<ExposureTotal> {
    let stakes = Stakes::of(state, account);
    let is_free = |position: &Position| state_of(state, position) == PositionState::Free;
    let listed: Vec<_> = stakes.entries.iter().filter(|(_, position)| !is_free(position)).copied().collect();
    totals(&stakes, &listed)
}

fn totals(stakes: &Stakes<'_>, entries: &[(u32, Position)]) -> Vec<ExposureTotal> {
    let mut sums: BTreeMap<AssetId, (Amount, Amount)> = BTreeMap::new();
    for (_, position) in entries {
        let alike = stakes.alike(position);
        let (worth, lost) = sums.entry(alike.liability.record.asset).or_default();
        worth.grow(alike.worth(position));
        lost.grow(alike.worst_case(position).amount);
    }
    let total = |(asset, (worth, lost))| ExposureTotal { asset, worth, worst_case: Loss::of(lost, worth) };
    sums.into_iter().map(total).collect()
}

pub(super) fn of_position(stakes: &Stakes<'_>, id: u32, position: &Position) -> PositionExposure {
    let state = stakes.state;
    let alike = stakes.alike(position);
    let record = alike.liability.record;
    let stays = position.until == Epoch::NEVER;
    let mandate = || MandateBound {
        mandate: record.mandate,
        later: record.pending_mandate.map(|(from, value)| Scheduled { from, value }),
        undelegate_by: record.pending_mandate.map(|(from, _)| from.previous()),
    };
    let requests = alike.requests.iter();
    PositionExposure {
        position: id,
        operator: record.operator,
        pool: position.pool,
        asset: record.asset,
        state: state_of(state, position),
        worth: alike.worth(position),
        worst_case: alike.worst_case(position),
        if_asked_back_now: alike.if_asked_back_now(position),
        sets: alike.threats.iter().filter_map(|threat| of_set(state, alike, position, threat)).collect(),
        requests: requests
            .filter_map(|(id, lost)| against(state, *id, alike.loss(position, *lost)))
            .collect(),
        bond: record.stake.bond().liable(state.epoch),
        mandate: stays.then(mandate),
    }
}

fn of_set(state: &State, alike: &Alike<'_>, position: &Position, threat: &Threat) -> Option<SetExposure> {
    let record = state.set(threat.set)?;
    let now = state.epoch;
    let through = ever(threat.last);
    let terms = record.terms_in(threat.last.min(now));
    let announced = record.pending.as_ref().filter(|pending| pending.from <= threat.last);
    let announced = announced.map(|pending| WorseTerms {
        from: pending.from,
        digest: pending.digest,
        is_worse: pending.is_worse,
        consented: pending.consents.contains(&alike.liability.record.operator),
        undelegate_by: pending.from.previous(),
        window_cap: pending.terms.window_cap,
        worst_case: alike.loss(position, threat.lost_announced),
        offences: offences(&pending.terms),
    });
    Some(SetExposure {
        set: threat.set,
        service: record.service,
        when: if threat.parts_now > 0 {
            When::Now
        } else if threat.last > now {
            When::Later
        } else {
            When::Still
        },
        parts: threat.parts,
        parts_now: threat.parts_now,
        liable_from: threat.first,
        liable_through: through,
        punishable_until: through.map(|last| state.last_execution_through(last)),
        window_cap: threat.cap,
        worst_case: alike.loss(position, threat.lost),
        offences: offences(terms),
        destinations: terms.destinations.clone(),
        announced,
    })
}

/// What terms punish, and who decides.
pub(super) fn offences(terms: &Terms) -> Vec<Offence> {
    let capped = |fraction: Fraction| fraction.min(terms.window_cap);
    let mut offences = Vec::new();
    if let Some(fraction) = terms.offences.equivocation {
        let (kind, verdict) = (OffenceKind::Equivocation, Verdict::BuiltIn);
        offences.push(Offence { kind, fraction: capped(fraction), verdict });
    }
    if let Some(fraction) = terms.offences.false_event {
        let (kind, verdict) = (OffenceKind::FalseEvent, Verdict::BuiltIn);
        offences.push(Offence { kind, fraction: capped(fraction), verdict });
    }
    if let Some(fraction) = terms.offences.subjective {
        let verdict = Verdict::Judged {
            slasher: terms.slasher,
            resolvers: terms.resolvers.clone(),
            threshold: super::sets::veto_threshold(terms),
            veto: terms.veto,
        };
        offences.push(Offence { kind: OffenceKind::Subjective, fraction: capped(fraction), verdict });
    }
    if let Some(curve) = &terms.offences.correlation {
        let (kind, verdict) = (OffenceKind::Correlation, Verdict::Rule);
        offences.push(Offence { kind, fraction: capped(curve.at(Fraction::ONE)), verdict });
    }
    offences
}

/// An open request that would take something of an entry.
pub(super) fn against(state: &State, id: RequestId, at_most: Loss) -> Option<RequestAgainst> {
    let request = state.requests.get(&id).filter(|_| !at_most.amount.is_zero())?;
    let (executable_from, lapses_after) = state.request_window(request);
    Some(RequestAgainst {
        request: id,
        set: request.set,
        capture: request.capture,
        fraction: request.fraction,
        at_most,
        veto_until: veto_until(state, request),
        executable_from,
        lapses_after,
    })
}
