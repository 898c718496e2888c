//! A ledger in memory, and the lines that happen to it.

use protocol::{Authority, Event, Genesis, Kind, Operation, Refusal, Signer, State};
use serde_json::Value;

use crate::replay::answer::Answer;
use crate::replay::command::{COMMON_FIELDS, Command, Instruction};
use crate::replay::explain::mistake_of;
use crate::replay::json::{Json, Path};
use crate::replay::mistake::Mistake;
use crate::replay::names::Names;
use crate::replay::resolve::{self, Labels};
use crate::replay::{created, genesis, sugar};

/// A ledger and the names of what is on it.
pub(crate) struct Session {
    state: State,
    names: Names,
    labels: Labels,
    has_begun: bool,
    /// Whether somebody checks each line: then the state before it is kept.
    is_checked: bool,
    /// The state before the last line, and what kind of operation that was.
    before: Option<(State, Option<Kind>)>,
}

impl Session {
    /// A development ledger on which nothing has happened.
    pub(crate) fn new(labels: Labels) -> Self {
        let state = State::new(Genesis::development()).expect("the development genesis holds together");
        Self { state, names: Names::default(), labels, has_begun: false, is_checked: false, before: None }
    }

    /// Carries out one line of the input. After a mistake the session is not to be used on.
    pub(crate) fn carry_out(&mut self, line: u64, json: &Json<'_>) -> Result<Answer, Mistake> {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        match Command::parse(json)? {
            Command::Genesis(changes) => {
                if !is_first {
                    let path = Path::root().field("genesis");
                    return Err(Mistake::at_key(&path, "a genesis stands on the first line or nowhere"));
                }
                self.state = genesis::start(json, changes, &mut self.names)?;
                Ok(self.passed(line, Vec::new(), None))
            }
            Command::Advance { epochs, note } => {
                self.keep(None);
                let events = (0..epochs).flat_map(|_| protocol::advance_epoch(&mut self.state)).collect();
                Ok(self.passed(line, events, note))
            }
            Command::Operation(instruction) => self.apply(line, json, instruction),
            Command::Preview(instruction) => self.preview(line, json, instruction),
        }
    }

    /// From now on [`Session::check`] follows each line.
    pub(crate) fn expect_checks(&mut self) {
        self.is_checked = true;
    }

    /// Keeps the state before a line for the check after it.
    fn keep(&mut self, kind: Option<Kind>) {
        self.before = self.is_checked.then(|| (self.state.clone(), kind));
    }

    /// Whether the state is as the protocol promises, and whether the last line did only what its kind may.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        let text = |violation: protocol::invariants::Violation| violation.to_string();
        protocol::invariants::check(&self.state).map_err(text)?;
        let Some((before, kind)) = self.before.take() else { return Ok(()) };
        protocol::invariants::check_step(&before, &self.state, kind).map_err(text)
    }

    /// The whole state, for readers.
    pub(crate) fn view(&self) -> Value {
        let mut view = serde_json::to_value(protocol::view::view(&self.state)).expect("a view is plain data");
        self.labels.put_into(&mut view, &self.names);
        view
    }

    fn apply(&mut self, line: u64, json: &Json<'_>, mut instruction: Instruction) -> Result<Answer, Mistake> {
        let (authority, operation) = self.read(json, &mut instruction)?;
        self.keep(Some(operation.kind()));
        let result = protocol::apply(&mut self.state, &authority, &operation);
        if let Some(name) = &instruction.name {
            let path = instruction.path.field("as");
            match &result {
                Ok(events) => {
                    let created = created::by(events);
                    let (thing, number) = created.ok_or_else(|| {
                        let cause = format!(
                            "{} has created nothing that could be called {name:?}",
                            instruction.kind.name()
                        );
                        Mistake::at_value(&path, cause)
                    })?;
                    self.names.give(thing, number, name).map_err(|cause| Mistake::at_value(&path, cause))?;
                }
                Err(_) => self.names.note_refused(name, line),
            }
        }
        Ok(self.answer(line, instruction, result))
    }

    /// Applies the operation to a copy of the state.
    fn preview(
        &mut self,
        line: u64,
        json: &Json<'_>,
        mut instruction: Instruction,
    ) -> Result<Answer, Mistake> {
        if instruction.name.is_some() {
            let path = instruction.path.field("as");
            return Err(Mistake::at_key(&path, "a preview creates nothing, so there is nothing to name"));
        }
        let (authority, operation) = self.read(json, &mut instruction)?;
        let result = protocol::apply(&mut self.state.clone(), &authority, &operation);
        Ok(Answer { preview: Some(true), ..self.answer(line, instruction, result) })
    }

    /// What the author of a line has typed, as the protocol takes it.
    fn read(
        &mut self,
        json: &Json<'_>,
        instruction: &mut Instruction,
    ) -> Result<(Authority, Operation), Mistake> {
        let Instruction { path, kind, from, by, body, .. } = instruction;
        let account = resolve::account(from, &mut self.names, &path.field("from"))?;
        let signer = match by {
            Some(by) => {
                let address = resolve::account(by, &mut self.names, &path.field("by"))?;
                Signer::Delegate { address, keys: Vec::new() }
            }
            None => Signer::Plain,
        };
        let mut fields = std::mem::take(body);
        resolve::resolve(kind.name(), &mut fields, &mut self.names, path)?;
        sugar::fill(kind.name(), &mut fields, &self.state);
        let mut track = serde_path_to_error::Track::new();
        let body = serde_path_to_error::Deserializer::new(Value::Object(fields), &mut track);
        let operation = Operation::deserialize_body(*kind, body);
        let operation = operation.map_err(|error| {
            let error = serde_path_to_error::Error::new(track.path(), error);
            mistake_of(json, path, &error, &COMMON_FIELDS)
        })?;
        Ok((Authority { account, signer, expires: u64::MAX }, operation))
    }

    fn passed(&self, line: u64, events: Vec<Event>, note: Option<String>) -> Answer {
        Answer {
            line,
            epoch: Some(self.state.epoch()),
            note,
            events: Some(self.told(&events)),
            ..Answer::default()
        }
    }

    fn answer(&self, line: u64, instruction: Instruction, result: Result<Vec<Event>, Refusal>) -> Answer {
        let answer = match result {
            Ok(events) => Answer {
                ok: Some(true),
                epoch: Some(self.state.epoch()),
                events: Some(self.told(&events)),
                ..Answer::default()
            },
            Err(refusal) => Answer {
                ok: Some(false),
                refused: Some(refusal.code()),
                why: Some(self.labels.put_into_sentence(refusal.to_string(), &self.names)),
                ..Answer::default()
            },
        };
        let expected = instruction.expect.filter(|expected| expected != answer.outcome());
        Answer { line, note: instruction.note, expected, ..answer }
    }

    /// Events as readers see them.
    fn told(&self, events: &[Event]) -> Vec<Value> {
        let told = events.iter().map(|event| {
            let mut event = serde_json::to_value(event).expect("an event is plain data");
            self.labels.put_into(&mut event, &self.names);
            event
        });
        told.collect()
    }
}
