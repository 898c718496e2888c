//! Cases in the order in which they began: a request with what became of it, or a slash for evidence.

use std::collections::{BTreeMap, VecDeque};

use ledger::{Executed, Outcome, Receipt};
use protocol::units::{OperatorId, RequestId, SetId, SlashId};
use protocol::{Event, Kind};
use serde::{Deserialize, Serialize};

use crate::topics::Sequence;

/// The most cases that are known, of about two hundred bytes each. Beyond it the oldest are let go of; each request costs its deposit.
const CASES_MAX: usize = 200_000;

/// Where a case is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// It may still be executed.
    Open,
    /// It was carried out.
    Executed,
    /// Resolvers have ended it.
    Vetoed,
    /// Its time is over.
    Lapsed,
}

/// What an event means for its case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It was asked for.
    Requested,
    /// Something that does not end it: a veto or a yes is counted, proceeds are paid out.
    Noted,
    /// It has ended so.
    Ended(Status),
}

/// A request to slash, or a slash that needed none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) request: Option<RequestId>,
    pub(crate) slash: Option<SlashId>,
    pub(crate) set: SetId,
    pub(crate) operator: OperatorId,
    /// Where its events are, in order.
    pub(crate) life: Vec<(Sequence, Stage)>,
}

impl Case {
    /// As it was after a block; none before it began.
    pub(crate) fn at(&self, height: u64) -> Option<Self> {
        let known = self.life.partition_point(|(place, _)| place.height <= height);
        let life = self.life.get(..known).filter(|life| !life.is_empty())?.to_vec();
        let case = Self { life, ..self.clone() };
        let slash = case.slash.filter(|_| case.status() == Status::Executed);
        Some(Self { slash, ..case })
    }

    /// Where it is in its life.
    pub(crate) fn status(&self) -> Status {
        let ended = self.life.iter().find_map(|(_, stage)| match stage {
            Stage::Ended(status) => Some(*status),
            _ => None,
        });
        ended.unwrap_or(Status::Open)
    }
}

/// All cases.
#[derive(Debug, Default)]
pub(crate) struct Cases {
    known: VecDeque<Case>,
    /// How many of the oldest are not known any more; also the number of the first that is.
    forgotten: u32,
    by_request: BTreeMap<RequestId, u32>,
    by_slash: BTreeMap<SlashId, u32>,
}

impl Cases {
    /// Cases with their numbers, the newest first, below a number.
    pub(crate) fn below(&self, number: Option<u32>) -> impl Iterator<Item = (u32, &Case)> {
        let most = number.map_or(usize::MAX, |number| {
            usize::try_from(number.saturating_sub(self.forgotten)).unwrap_or(usize::MAX)
        });
        let cases = self.known.iter().enumerate().take(most).rev();
        cases.map(|(index, case)| {
            (self.forgotten.saturating_add(u32::try_from(index).unwrap_or(u32::MAX)), case)
        })
    }

    /// The case of a slash, with its number.
    pub(crate) fn of_slash(&self, slash: SlashId) -> Option<(u32, &Case)> {
        let number = *self.by_slash.get(&slash)?;
        self.get(number).map(|case| (number, case))
    }

    fn get(&self, number: u32) -> Option<&Case> {
        self.known.get(usize::try_from(number.checked_sub(self.forgotten)?).ok()?)
    }

    fn get_mut(&mut self, number: u32) -> Option<&mut Case> {
        self.known.get_mut(usize::try_from(number.checked_sub(self.forgotten)?).ok()?)
    }

    /// Takes in what a block did. `request_of` says which request the operation at a place has executed.
    pub(crate) fn add(&mut self, block: &Executed, request_of: impl Fn(u32) -> Option<RequestId>) {
        let mut place = Sequence { height: block.header.height, index: 0 };
        let mut add = |event: &Event, request: Option<RequestId>| {
            self.note(event, request, place);
            place.index = place.index.saturating_add(1);
        };
        block.boundary.iter().for_each(|event| add(event, None));
        for receipt in &block.receipts {
            let Outcome::Applied { events } = &receipt.outcome else { continue };
            let request = if executes_a_request(receipt) { request_of(receipt.index) } else { None };
            events.iter().for_each(|event| add(event, request));
        }
    }

    fn note(&mut self, event: &Event, executed: Option<RequestId>, place: Sequence) {
        let (request, slash, stage) = match event {
            Event::SlashRequested { request, set, operator, .. } => {
                let case = Case {
                    request: Some(*request),
                    slash: None,
                    set: *set,
                    operator: *operator,
                    life: vec![(place, Stage::Requested)],
                };
                return self.begin(case);
            }
            Event::Slashed { slash, set, operator, .. } => {
                let Some(number) = executed.and_then(|request| self.by_request.get(&request).copied()) else {
                    let life = vec![(place, Stage::Ended(Status::Executed))];
                    let (set, operator) = (*set, *operator);
                    return self.begin(Case { request: executed, slash: Some(*slash), set, operator, life });
                };
                self.by_slash.insert(*slash, number);
                if let Some(case) = self.get_mut(number) {
                    case.slash = Some(*slash);
                }
                (executed, None, Stage::Ended(Status::Executed))
            }
            Event::VetoCounted { request, .. } | Event::SlashApproved { request, .. } => {
                (Some(*request), None, Stage::Noted)
            }
            Event::SlashVetoed { request } => (Some(*request), None, Stage::Ended(Status::Vetoed)),
            Event::SlashLapsed { request } => (Some(*request), None, Stage::Ended(Status::Lapsed)),
            Event::ProceedsReleased { slash, .. } => (None, Some(*slash), Stage::Noted),
            _ => return,
        };
        let number = request.and_then(|request| self.by_request.get(&request));
        let number = number.or_else(|| slash.and_then(|slash| self.by_slash.get(&slash))).copied();
        if let Some(case) = number.and_then(|number| self.get_mut(number)) {
            case.life.push((place, stage));
        }
    }

    fn begin(&mut self, case: Case) {
        let length = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        let number = self.forgotten.saturating_add(length);
        if let Some(request) = case.request {
            self.by_request.insert(request, number);
        }
        if let Some(slash) = case.slash {
            self.by_slash.insert(slash, number);
        }
        self.known.push_back(case);
        if self.known.len() > CASES_MAX
            && let Some(oldest) = self.known.pop_front()
        {
            self.forgotten = self.forgotten.saturating_add(1);
            oldest.request.and_then(|request| self.by_request.remove(&request));
            oldest.slash.and_then(|slash| self.by_slash.remove(&slash));
        }
    }
}

/// Whether an operation has carried out a request.
pub(super) fn executes_a_request(receipt: &Receipt) -> bool {
    receipt.kind == Kind::ExecuteSlash && matches!(receipt.outcome, Outcome::Applied { .. })
}

#[cfg(test)]
mod tests {
    use protocol::units::{Address, Epoch, Fraction};

    use super::*;

    fn place(height: u64) -> Sequence {
        Sequence { height, index: 0 }
    }

    fn requested(request: u32) -> Event {
        Event::SlashRequested {
            request: RequestId::new(request),
            set: SetId::new(0),
            operator: OperatorId::new(1),
            capture: Epoch::new(2),
            fraction: Fraction::ONE,
            reason: "late".to_owned(),
            executable_from: Epoch::new(5),
            lapses_after: Epoch::new(7),
        }
    }

    fn slashed(slash: u32) -> Event {
        Event::Slashed {
            slash: SlashId::new(slash),
            set: SetId::new(0),
            operator: OperatorId::new(1),
            capture: Epoch::new(2),
            asked: Fraction::ONE,
            taken: Fraction::ONE,
            reason: "late".to_owned(),
            evidence: None,
            pools: Vec::new(),
            released_from: Epoch::new(9),
        }
    }

    #[test]
    fn a_request_and_the_slash_that_carries_it_out_are_one_case() {
        let mut cases = Cases::default();
        cases.note(&requested(4), None, place(1));
        let veto = Event::VetoCounted {
            request: RequestId::new(4),
            resolver: Address([1; 20]),
            vetoes: 1,
            threshold: 2,
        };
        cases.note(&veto, None, place(2));
        cases.note(&slashed(0), Some(RequestId::new(4)), place(3));
        cases.note(&slashed(1), None, place(4));
        let all: Vec<(u32, Case)> = cases.below(None).map(|(number, case)| (number, case.clone())).collect();
        assert_eq!(all.iter().map(|(number, _)| *number).collect::<Vec<u32>>(), [1, 0], "the newest first");
        let case = &all[1].1;
        assert_eq!((case.slash, case.status()), (Some(SlashId::new(0)), Status::Executed));
        let then = case.at(2).expect("it had begun");
        assert_eq!((then.slash, then.status(), then.life.len()), (None, Status::Open, 2), "as of height 2");
        assert_eq!(case.at(0), None);
        assert_eq!(cases.of_slash(SlashId::new(1)).map(|(number, _)| number), Some(1));
        assert_eq!(cases.below(Some(1)).count(), 1);
    }

    #[test]
    fn requests_end_by_veto_and_by_time() {
        let mut cases = Cases::default();
        for request in 0..2 {
            cases.note(&requested(request), None, place(1));
        }
        cases.note(&Event::SlashVetoed { request: RequestId::new(0) }, None, place(2));
        cases.note(&Event::SlashLapsed { request: RequestId::new(1) }, None, place(3));
        let status: Vec<Status> = cases.below(None).map(|(_, case)| case.status()).collect();
        assert_eq!(status, [Status::Lapsed, Status::Vetoed]);
    }

    #[test]
    fn the_oldest_cases_are_let_go_of_when_there_are_too_many() {
        let mut cases = Cases::default();
        let count = u32::try_from(CASES_MAX).expect("it fits") + 10;
        (0..count).for_each(|slash| cases.note(&slashed(slash), None, place(u64::from(slash))));
        assert_eq!((cases.forgotten, cases.known.len(), cases.by_slash.len()), (10, CASES_MAX, CASES_MAX));
        assert_eq!(cases.of_slash(SlashId::new(9)), None);
        assert_eq!(cases.of_slash(SlashId::new(10)).map(|(number, _)| number), Some(10));
        assert_eq!(cases.below(Some(12)).map(|(number, _)| number).collect::<Vec<u32>>(), [11, 10]);
    }
}
