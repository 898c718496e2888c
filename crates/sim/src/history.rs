//! A history against the ledger and the model; and the shortest one on which they still differ.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use protocol::{Genesis, State};

use crate::model::{Fault, Model};
use crate::script::{Script, Step};

/// The ledger and the model, side by side.
#[derive(Debug)]
pub struct Session {
    state: State,
    model: Model,
    counts: Counts,
    effort: Effort,
}

/// How often the ledger checks itself. What both say is compared after every step: the model goes on with the whole units that it has
/// seen and found right.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Steps between two checks of the ledger's own invariants.
    pub check_every: u64,
}

impl Effort {
    /// The invariants after every fifth step.
    pub const FULL: Self = Self { check_every: 5 };
}

/// What became of the steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Operations that both carried out.
    pub applied: u64,
    /// Operations that both refused, with the same code.
    pub refused: u64,
    /// Operations that were too close to call, and that neither was asked.
    pub skipped: u64,
    /// Epochs that began.
    pub epochs: u64,
}

impl Counts {
    /// Operations that were decided.
    pub const fn operations(&self) -> u64 {
        self.applied + self.refused
    }

    /// Adds what became of the steps of another history.
    pub const fn add(&mut self, other: &Self) {
        self.applied += other.applied;
        self.refused += other.refused;
        self.skipped += other.skipped;
        self.epochs += other.epochs;
    }
}

/// Where the two differ, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The step after which they differ, from zero.
    pub step: usize,
    /// What differs.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after step {}: {}", self.step, self.what)
    }
}

/// What became of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out.
    Applied,
    /// It was refused, with this code.
    Refused(String),
    /// It was too close to call.
    Skipped,
}

impl Session {
    /// A ledger in its first epoch, and its model.
    ///
    /// # Panics
    /// If the genesis does not hold together: it comes from the workload, or from a file that somebody broke.
    pub fn new(genesis: Genesis, fault: Option<Fault>, effort: Effort) -> Self {
        let state = State::new(genesis.clone()).expect("the genesis holds together");
        let model = Model::new(genesis, protocol::view::view(&state), fault);
        Self { state, model, counts: Counts::default(), effort }
    }

    /// The model, from which the workload reads what could happen next.
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// What became of the steps so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes one step on both.
    ///
    /// # Errors
    /// What differs afterwards.
    pub fn step(&mut self, step: &Step) -> Result<Outcome, String> {
        let outcome = match step {
            Step::Advance => {
                self.advance()?;
                Outcome::Applied
            }
            Step::Apply(authority, operation) => {
                if self.model.is_borderline(authority, operation) {
                    self.counts.skipped += 1;
                    return Ok(Outcome::Skipped);
                }
                let state = &mut self.state;
                let result = guarded("ledger", || protocol::apply(state, authority, operation))?;
                let events = result.as_deref().unwrap_or(&[]);
                let model = &mut self.model;
                let known = guarded("model", || model.apply(authority, operation, events))?;
                let shown = result.as_ref().map(|_| ()).map_err(protocol::Refusal::code);
                if shown != known {
                    let why = result.err().map_or_else(String::new, |refusal| format!(" ({refusal})"));
                    return Err(format!("the ledger says {shown:?}{why}, the model {known:?}"));
                }
                match shown {
                    Ok(()) => Outcome::Applied,
                    Err(code) => Outcome::Refused(code),
                }
            }
        };
        self.count(step, &outcome);
        self.compare()?;
        Ok(outcome)
    }

    fn advance(&mut self) -> Result<(), String> {
        let state = &mut self.state;
        let events = guarded("ledger", || protocol::advance_epoch(state))?;
        let (model, state) = (&mut self.model, &self.state);
        guarded("model", || model.advance(&protocol::view::view(state), &events))
    }

    fn count(&mut self, step: &Step, outcome: &Outcome) {
        match (step, outcome) {
            (Step::Advance, _) => self.counts.epochs += 1,
            (_, Outcome::Refused(_)) => self.counts.refused += 1,
            _ => self.counts.applied += 1,
        }
    }

    fn compare(&mut self) -> Result<(), String> {
        let steps = self.counts.operations() + self.counts.epochs;
        self.model.verify(protocol::view::view(&self.state)).map_err(|difference| difference.0)?;
        if steps.is_multiple_of(self.effort.check_every) {
            self.check()?;
        }
        Ok(())
    }

    /// Checks the ledger's own invariants.
    ///
    /// # Errors
    /// The first that does not hold.
    pub fn check(&self) -> Result<(), String> {
        protocol::invariants::check(&self.state).map_err(|violation| format!("invariant: {violation}"))
    }
}

/// Whatever one of the two does; a panic becomes a text, so that its history can be shrunk too.
fn guarded<T>(who: &str, act: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(act)).map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        format!("the {who} panics: {}", text.unwrap_or_default())
    })
}

/// Runs a history on both.
///
/// # Errors
/// The first difference.
pub fn run(script: &Script, fault: Option<Fault>, effort: Effort) -> Result<Counts, Failure> {
    let mut session = Session::new(script.genesis.clone(), fault, effort);
    for (index, step) in script.steps.iter().enumerate() {
        session.step(step).map_err(|what| Failure { step: index, what })?;
    }
    let last = script.steps.len();
    session.check().map_err(|what| Failure { step: last, what })?;
    Ok(session.counts())
}

impl Failure {
    /// What kind of failure it is: its text without numbers, cut where details begin.
    fn kind(&self) -> String {
        const LENGTH: usize = 48;
        self.what.chars().filter(|letter| !letter.is_ascii_digit()).take(LENGTH).collect()
    }
}

/// Drops whatever a history fails without in the same way: large pieces first, then single steps, until nothing can go.
pub fn shrink(script: &Script, fault: Option<Fault>) -> (Script, Failure) {
    let effort = Effort { check_every: 1 };
    let mut best = script.clone();
    let mut failure = match run(&best, fault, effort) {
        Err(failure) => failure,
        Ok(_) => {
            return (best, Failure { step: 0, what: "it does not fail when it is run again".to_owned() });
        }
    };
    let kind = failure.kind();
    best.steps.truncate(failure.step + 1);
    let mut size = best.steps.len().div_ceil(2);
    loop {
        let mut start = 0;
        let mut is_shorter = false;
        while start < best.steps.len() {
            let mut shorter = best.clone();
            shorter.steps.drain(start..(start + size).min(best.steps.len()));
            match run(&shorter, fault, effort) {
                Err(found) if found.kind() == kind => {
                    shorter.steps.truncate(found.step + 1);
                    (best, failure, is_shorter) = (shorter, found, true);
                }
                _ => start += size,
            }
        }
        if size == 1 && !is_shorter {
            return (best, failure);
        }
        size = if is_shorter { size } else { size / 2 }.clamp(1, best.steps.len().max(1));
    }
}
