//! What one line asks for.

use protocol::Kind;
use serde_json::{Map, Value};

use crate::replay::json::{Json, Path};
use crate::replay::mistake::Mistake;

/// Fields that every operation has beside its own.
pub(crate) const COMMON_FIELDS: [&str; 6] = ["op", "from", "by", "as", "note", "expect"];
/// What makes a line what it is.
const LEADS: [&str; 4] = ["op", "advance_epochs", "preview", "genesis"];
/// The longest note, in bytes.
const NOTE_BYTES_MAX: usize = 1_024;

/// The most boundaries that one line may pass: a slip of the keyboard shall not look like a hang.
const EPOCHS_MAX: u32 = 100_000;

/// One line of a history.
#[derive(Debug)]
pub(crate) enum Command {
    /// Start with this instead of the development genesis.
    Genesis(Value),
    /// Pass this many boundaries.
    Advance {
        /// How many.
        epochs: u32,
        /// Text to be echoed.
        note: Option<String>,
    },
    /// Apply an operation.
    Operation(Instruction),
    /// Say what an operation would do.
    Preview(Instruction),
}

/// An operation as it was typed: names are not resolved, and what may be left out is not filled in.
#[derive(Debug)]
pub(crate) struct Instruction {
    /// Where its object stands in the line.
    pub(crate) path: Path,
    /// Which operation.
    pub(crate) kind: Kind,
    /// The sender.
    pub(crate) from: Value,
    /// The delegate that signs for the sender.
    pub(crate) by: Option<Value>,
    /// The name of what the operation creates.
    pub(crate) name: Option<String>,
    /// Text to be echoed.
    pub(crate) note: Option<String>,
    /// `ok` or the code of the refusal that the author expects.
    pub(crate) expect: Option<String>,
    /// The operation's own fields.
    pub(crate) body: Map<String, Value>,
}

impl Command {
    /// Reads what a line asks for.
    pub(crate) fn parse(json: &Json<'_>) -> Result<Self, Mistake> {
        let mut fields = Fields::of(json, Path::root(), json.value())?;
        let lead = fields.lead()?;
        match lead {
            "op" => Ok(Self::Operation(Instruction::parse(fields)?)),
            "preview" => {
                let (path, value) = fields.take(lead)?;
                fields.finish(&LEADS)?;
                let fields = Fields::of(json, path, &value)?;
                Ok(Self::Preview(Instruction::parse(fields)?))
            }
            "genesis" => {
                let (_, value) = fields.take(lead)?;
                fields.finish(&LEADS)?;
                Ok(Self::Genesis(value))
            }
            _ => {
                let (path, value) = fields.take(lead)?;
                let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
                let epochs = count.filter(|count| (1..=EPOCHS_MAX).contains(count)).ok_or_else(|| {
                    let found = json.excerpt(&path);
                    let cause =
                        format!("{path}: expected a whole number from 1 to {EPOCHS_MAX}, found {found}");
                    Mistake::at_value(&path, cause)
                })?;
                let note = fields.take_note()?;
                fields.finish(&["advance_epochs", "note"])?;
                Ok(Self::Advance { epochs, note })
            }
        }
    }
}

impl Instruction {
    fn parse(mut fields: Fields<'_>) -> Result<Self, Mistake> {
        let (path, op) = fields.take_text("op")?.ok_or_else(|| fields.missing("op"))?;
        let kind = Kind::from_name(&op).ok_or_else(|| {
            let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            let all = || Some(format!("the operations are {}", known.join(", ")));
            let mistake = Mistake::at_value(&path, format!("there is no operation {op:?}"));
            mistake.with_nearest(&op, known.iter().copied(), all)
        })?;
        let (_, from) = fields.take("from")?;
        let by = fields.take_any("by");
        let name = match fields.take_text("as")? {
            Some((path, name)) => {
                super::names::check(&name).map_err(|cause| Mistake::at_value(&path, cause))?;
                Some(name)
            }
            None => None,
        };
        let note = fields.take_note()?;
        let expect = match fields.take_text("expect")? {
            Some((path, code)) => {
                check_outcome(kind, &code, &path)?;
                Some(code)
            }
            None => None,
        };
        Ok(Self { path: fields.path, kind, from, by, name, note, expect, body: fields.map })
    }
}

/// Refuses to expect what can't be.
fn check_outcome(kind: Kind, code: &str, path: &Path) -> Result<(), Mistake> {
    let own = kind.refusals().iter().map(|(refusal, _)| format!("{}.{refusal}", kind.name()));
    let common = protocol::authority::Refused::ALL.iter().map(|(refusal, _)| format!("authority.{refusal}"));
    let known: Vec<String> = std::iter::once("ok".to_owned()).chain(own).chain(common).collect();
    if known.iter().any(|known| known == code) {
        return Ok(());
    }
    let mistake = Mistake::at_value(path, format!("{} never comes to {code:?}", kind.name()));
    let all = || Some(format!("it comes to one of {}", known.join(", ")));
    Err(mistake.with_nearest(code, known.iter().map(String::as_str), all))
}

/// The fields of an object, from which the known ones are taken out.
struct Fields<'a> {
    json: &'a Json<'a>,
    path: Path,
    map: Map<String, Value>,
}

impl<'a> Fields<'a> {
    fn of(json: &'a Json<'a>, path: Path, value: &Value) -> Result<Self, Mistake> {
        match value {
            Value::Object(map) => Ok(Self { json, path, map: map.clone() }),
            _ => {
                let cause = format!("expected an object like {{\"op\":...}}, found {}", json.excerpt(&path));
                Err(Mistake::at_value(&path, cause))
            }
        }
    }

    /// The one field that says what the line is.
    fn lead(&self) -> Result<&'static str, Mistake> {
        let mut leads = self.map.keys().filter_map(|key| LEADS.into_iter().find(|lead| lead == key));
        match (leads.next(), leads.next()) {
            (Some(lead), None) => Ok(lead),
            (Some(lead), Some(other)) => {
                let cause = format!("a line has one of {lead:?} and {other:?}, not both");
                Err(Mistake::at_key(&self.path.field(other), cause))
            }
            (None, _) => {
                let misspelt = self.map.keys().map(|key| self.unknown(key, LEADS)).find(Mistake::has_remedy);
                let what = "a line has \"op\", \"advance_epochs\", \"preview\" or, at the start, \"genesis\"";
                Err(misspelt.unwrap_or_else(|| Mistake::at_value(&self.path, what)))
            }
        }
    }

    fn take(&mut self, name: &str) -> Result<(Path, Value), Mistake> {
        let value = self.take_any(name).ok_or_else(|| self.missing(name))?;
        Ok((self.path.field(name), value))
    }

    fn take_any(&mut self, name: &str) -> Option<Value> {
        self.map.shift_remove(name)
    }

    fn take_text(&mut self, name: &str) -> Result<Option<(Path, String)>, Mistake> {
        let path = self.path.field(name);
        match self.take_any(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some((path, text))),
            Some(_) => {
                let found = self.json.excerpt(&path);
                Err(Mistake::at_value(&path, format!("{path}: expected a text, found {found}")))
            }
        }
    }

    fn take_note(&mut self) -> Result<Option<String>, Mistake> {
        match self.take_text("note")? {
            Some((path, note)) if note.len() > NOTE_BYTES_MAX => {
                let cause = format!("a note of {} bytes is longer than {NOTE_BYTES_MAX}", note.len());
                Err(Mistake::at_value(&path, cause))
            }
            note => Ok(note.map(|(_, note)| note)),
        }
    }

    /// Refuses what is left over.
    fn finish(&self, known: &[&str]) -> Result<(), Mistake> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(key) => Err(self.unknown(key, known.iter().copied())),
        }
    }

    /// A field that has to be there; a field of nearly that name is what was meant.
    fn missing(&self, name: &str) -> Mistake {
        let misspelt = self.map.keys().filter(|key| !COMMON_FIELDS.contains(&key.as_str()));
        let misspelt = misspelt.map(|key| self.unknown(key, [name])).find(Mistake::has_remedy);
        misspelt.unwrap_or_else(|| Mistake::at_value(&self.path, format!("field {name:?} is missing")))
    }

    fn unknown<'k>(&self, key: &str, known: impl IntoIterator<Item = &'k str>) -> Mistake {
        Mistake::at_key(&self.path.field(key), format!("unknown field {key:?}")).with_nearest(
            key,
            known,
            || None,
        )
    }
}
