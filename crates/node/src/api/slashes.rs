//! Slashes and requests to slash of the whole history, with their lives: open, executed, vetoed, lapsed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use ledger::Fault;
use protocol::event::PoolReceipt;
use protocol::query::{self, HeldView};
use protocol::units::{Digest, Epoch, Fraction, OperatorId, RequestId, SetId, SlashId};
use protocol::{Event, Operation, Victim};
use serde::{Deserialize, Serialize};

use super::lists::{Paging, bad_cursor};
use super::{Pinned, Reply, Shared, not_found, value};
use crate::app::App;
use crate::http::extract::{Path, Query};
use crate::http::problem::{Code, Problem};
use crate::slashes::{Case, NotYet, Stage, Status};
use crate::topics::{Sequence, Told};

/// How long one page reads blocks; then it is short and has a `next`.
const READ_FOR: Duration = Duration::from_millis(500);

/// Which cases.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SlashesOf {
    /// Only those of this set: its number or label.
    #[cfg_attr(test, schemars(length(min = 1, max = 64)))]
    set: Option<String>,
    /// Only those against this operator: its number or label.
    #[cfg_attr(test, schemars(length(min = 1, max = 64)))]
    operator: Option<String>,
    /// Only those that are there in their life.
    status: Option<Status>,
    /// The most items.
    #[cfg_attr(test, schemars(range(min = 1)))]
    limit: Option<u16>,
    /// The `next` of the page before.
    #[cfg_attr(test, schemars(length(max = 256)))]
    after: Option<String>,
    /// The height to read at: any.
    as_of: Option<u64>,
}

/// A moment of the ledger.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Moment {
    /// The height of its block.
    height: u64,
    /// The time of the block, in milliseconds since 1970.
    time_ms: u64,
}

/// A request to slash with what became of it, or a slash for evidence, which needs no request.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct SlashCase {
    /// Its number, by order of appearance.
    pub(crate) case: u32,
    /// The request; none of a slash for evidence.
    request: Option<RequestId>,
    /// The slash; none of what was not executed.
    slash: Option<SlashId>,
    /// Where it is in its life.
    pub(crate) status: Status,
    /// For which set.
    pub(crate) set: SetId,
    /// Against whom.
    pub(crate) operator: OperatorId,
    /// When the offence happened.
    pub(crate) capture: Epoch,
    /// Why.
    pub(crate) reason: String,
    /// The digest of the evidence; none of what was asked for with a reason.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    evidence: Option<Digest>,
    /// How much of what the set owned then was asked for.
    pub(crate) asked: Fraction,
    /// How much was taken: what the window caps left of it; none of what was not executed.
    pub(crate) taken: Option<Fraction>,
    /// First epoch in which the request may be executed, or might have been.
    executable_from: Option<Epoch>,
    /// Last epoch in which it may be, or might have been.
    lapses_after: Option<Epoch>,
    /// First epoch in which anyone may have the proceeds paid out.
    released_from: Option<Epoch>,
    /// When it was asked for, or for evidence executed.
    began: Moment,
    /// When it was executed, vetoed, or lapsed.
    ended: Option<Moment>,
    /// What was taken of each pool.
    pools: Vec<PoolReceipt>,
    /// Proceeds that wait; none where the state of that height is not held any more.
    held: Option<Vec<HeldView>>,
    /// Who is harmed, as the request says.
    victims: Vec<Victim>,
    /// Everything that happened to it, as `/v1/events` tells it.
    life: Vec<Told>,
}

/// What an event about a case says, put together from all of them.
#[derive(Debug, Default)]
struct Facts {
    capture: Option<Epoch>,
    reason: String,
    evidence: Option<Digest>,
    asked: Option<Fraction>,
    taken: Option<Fraction>,
    window: Option<(Epoch, Epoch)>,
    released_from: Option<Epoch>,
    pools: Vec<PoolReceipt>,
}

impl Facts {
    fn learn(&mut self, event: Event) {
        match event {
            Event::SlashRequested { capture, fraction, reason, executable_from, lapses_after, .. } => {
                (self.capture, self.asked, self.reason) = (Some(capture), Some(fraction), reason);
                self.window = Some((executable_from, lapses_after));
            }
            Event::Slashed { capture, asked, taken, reason, evidence, pools, released_from, .. } => {
                (self.capture, self.asked, self.reason) = (Some(capture), Some(asked), reason);
                (self.taken, self.evidence, self.pools) = (Some(taken), evidence, pools);
                self.released_from = Some(released_from);
            }
            _ => {}
        }
    }
}

/// Slashes and requests, the newest first. A page may be short and still have a `next`: then it has read for as long as one request may.
pub(crate) async fn slashes(State(app): Shared, Query(of): Query<SlashesOf>) -> Reply {
    app.read_slashes(move |app| {
        let started = Instant::now();
        let set = of.set.as_deref().map(|set| app.number("set", set)).transpose()?.map(SetId::new);
        let operator = of.operator.as_deref().map(|operator| app.number("operator", operator)).transpose()?;
        let operator = operator.map(OperatorId::new);
        let paging = Paging { limit: of.limit, after: of.after, as_of: of.as_of };
        let past = app.past("slashes", &paging)?;
        let below = past.after.as_deref().map(|after| after.parse().map_err(|_| bad_cursor())).transpose()?;
        let is_of = |case: &Case| {
            set.is_none_or(|set| set == case.set) && operator.is_none_or(|operator| operator == case.operator)
        };
        let height = past.header.height;
        let found: Vec<(u32, Case)> = app.cases(height, |cases| {
            let of_both = cases.below(below).filter(|(_, case)| is_of(case));
            let then = of_both.filter_map(|(number, case)| Some((number, case.at(height)?)));
            let wanted = then.filter(|(_, case)| of.status.is_none_or(|status| status == case.status()));
            wanted.take(past.limit.saturating_add(1)).collect()
        })?;
        let (mut items, mut last) = (Vec::new(), None);
        for (number, case) in found.iter().take(past.limit) {
            items.push(value(&app.slash_case(height, *number, case)?));
            last = Some(*number);
            if started.elapsed() > READ_FOR {
                break;
            }
        }
        let next = last.filter(|_| items.len() < found.len()).map(|last| last.to_string());
        app.page_of_past("slashes", &past, &items, next)
    })
    .await
}

/// One slash.
pub(crate) async fn slash(State(app): Shared, path: Path, Query(pinned): Query<Pinned>) -> Reply {
    app.read_slashes(move |app| {
        let id = SlashId::new(app.number("slash", path.text("id"))?);
        let past = app.past("slashes", &Paging { as_of: pinned.as_of, ..Paging::default() })?;
        let height = past.header.height;
        let found = app.cases(height, |cases| {
            let (number, case) = cases.of_slash(id)?;
            case.at(height).filter(|case| case.slash == Some(id)).map(|case| (number, case))
        })?;
        let (number, case) = found.ok_or_else(|| not_found("slash", height))?;
        let case = app.slash_case(height, number, &case)?;
        app.answer_as_of(app.as_of_header(&past.header, past.digest), &app.heads.newest(), &case)
    })
    .await
}

impl App {
    /// Does a read of slashes. Until the index is as far as the ledger it waits without one of the threads that all reads share.
    pub(crate) async fn read_slashes<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let height = self.heads.newest().header.height;
        self.slashes.reaches(height).await;
        self.read(read).await
    }

    /// Reads the index of slashes.
    fn cases<T>(&self, height: u64, read: impl FnOnce(&crate::slashes::Cases) -> T) -> Result<T, Problem> {
        self.slashes.read(height, read).map_err(|why| {
            let what = "the slashes could not be listed";
            match why {
                NotYet::Reading(next) => {
                    let cause = format!("the node reads its history, and is at height {next} of {height}");
                    Problem::new(Code::Busy, what, cause).retry_after(2)
                }
                NotYet::Fault(why) => Problem::new(Code::Stopped, what, why),
            }
        })
    }

    /// The newest cases up to a height, and whether there are more.
    pub(crate) fn newest_cases(&self, height: u64, most: usize) -> Result<(Vec<SlashCase>, bool), Problem> {
        let mut found: Vec<(u32, Case)> = self.cases(height, |cases| {
            let then = cases.below(None).filter_map(|(number, case)| Some((number, case.at(height)?)));
            then.take(most.saturating_add(1)).collect()
        })?;
        let is_cut = found.len() > most;
        found.truncate(most);
        let cases = found.iter().map(|(number, case)| self.slash_case(height, *number, case));
        Ok((cases.collect::<Result<_, _>>()?, is_cut))
    }

    /// The newest slashes up to a height.
    pub(crate) fn newest_slashes(
        &self,
        height: u64,
        most: usize,
        is_wanted: impl Fn(OperatorId) -> bool,
    ) -> Result<Vec<SlashCase>, Problem> {
        let found: Vec<(u32, Case)> = self.cases(height, |cases| {
            let then = cases.below(None).filter_map(|(number, case)| Some((number, case.at(height)?)));
            let executed = then.filter(|(_, case)| case.slash.is_some() && is_wanted(case.operator));
            executed.take(most).collect()
        })?;
        found.iter().map(|(number, case)| self.slash_case(height, *number, case)).collect()
    }

    /// Puts a case together from the blocks that tell of it.
    fn slash_case(&self, height: u64, number: u32, case: &Case) -> Result<SlashCase, Problem> {
        let fault = |fault: Fault| self.fault(&fault);
        let (mut life, mut facts) = (Vec::new(), Facts::default());
        let (mut began, mut ended) = (None, None);
        for (place, stage) in &case.life {
            let Some(told) = self.told(*place).map_err(fault)? else { continue };
            let moment = Moment { height: place.height, time_ms: told.time_ms };
            began.get_or_insert(moment);
            if matches!(stage, Stage::Ended(_)) {
                ended = Some(moment);
            }
            facts.learn(
                serde_json::from_value(told.event.clone()).expect("an event is read as it was written"),
            );
            life.push(told);
        }
        let state = self.heads.at(Some(height)).ok();
        let held = state.map(|head| {
            let slash = case.slash.and_then(|slash| query::slash(&head.state, slash));
            slash.map_or_else(Vec::new, |slash| slash.held)
        });
        let victims = self.victims(case).map_err(fault)?;
        let first = case.life.first().map_or(height, |(place, _)| place.height);
        Ok(SlashCase {
            case: number,
            request: case.request,
            slash: case.slash,
            status: case.status(),
            set: case.set,
            operator: case.operator,
            capture: facts.capture.unwrap_or(Epoch::ZERO),
            reason: facts.reason,
            evidence: facts.evidence,
            asked: facts.asked.unwrap_or(Fraction::ZERO),
            taken: facts.taken,
            executable_from: facts.window.map(|(from, _)| from),
            lapses_after: facts.window.map(|(_, after)| after),
            released_from: facts.released_from,
            began: began.unwrap_or(Moment { height: first, time_ms: 0 }),
            ended,
            pools: facts.pools,
            held,
            victims,
            life,
        })
    }

    fn told(&self, place: Sequence) -> Result<Option<Told>, Fault> {
        Ok(self.told_at(place.height)?.and_then(|events| events.get(place.place()).cloned()))
    }

    /// Who is harmed, from the operation that has asked.
    fn victims(&self, case: &Case) -> Result<Vec<Victim>, Fault> {
        let Some((place, Stage::Requested)) = case.life.first() else { return Ok(Vec::new()) };
        let Some(told) = self.told(*place)? else { return Ok(Vec::new()) };
        let block = self.reader.block(place.height)?;
        let operations = block.map(|block| block.operations).unwrap_or_default();
        let is_it = |signed: &&signing::SignedOperation| {
            told.operation.as_ref().is_some_and(|operation| operation.id == signed.id().to_string())
        };
        let asked = operations.iter().filter(|signed| matches!(signed.operation, Operation::RequestSlash(_)));
        Ok(asked
            .filter(is_it)
            .find_map(|signed| match &signed.operation {
                Operation::RequestSlash(request) => Some(request.victims.clone()),
                _ => None,
            })
            .unwrap_or_default())
    }
}

impl SlashCase {
    /// The sentence that a feed tells of it, and when it was executed.
    pub(crate) fn told(&self) -> (String, Option<u64>) {
        let evidence = if self.evidence.is_some() { "for evidence" } else { "for a reason" };
        let slash = self.slash.map_or_else(String::new, |slash| slash.to_string());
        let taken = self.taken.unwrap_or(Fraction::ZERO);
        let text = format!(
            "Slash {slash}: set {} took {taken} of what it owned of operator {} in epoch {}, {evidence}",
            self.set, self.operator, self.capture
        );
        (text, self.ended.map(|ended| ended.time_ms))
    }

    /// Its reason, and the number of the slash.
    pub(crate) fn reason(&self) -> (&str, Option<SlashId>) {
        (&self.reason, self.slash)
    }
}
