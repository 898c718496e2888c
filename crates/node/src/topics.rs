//! Events for readers: their topics, whom they concern, and their place in the sequence of all events.

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use ledger::{Executed, Outcome};
use protocol::units::Address;
use protocol::{Event, State};
use serde::Serialize;
use serde_json::Value;

use crate::api::account::whole_exposure;

/// The place of an event among all events: its block, and its place in the block, events of the boundary first. The text is
/// `<height>.<index>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sequence {
    pub(crate) height: u64,
    pub(crate) index: u32,
}

impl Sequence {
    /// Its place in a list of the events of its block.
    pub(crate) fn place(self) -> usize {
        usize::try_from(self.index).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.height, self.index)
    }
}

impl FromStr for Sequence {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let malformed = || "a place in the sequence of events is `<height>.<index>`".to_owned();
        let (height, index) = text.split_once('.').ok_or_else(malformed)?;
        let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_plain(height) || !is_plain(index) {
            return Err(malformed());
        }
        Ok(Self {
            height: height.parse().map_err(|_| malformed())?,
            index: index.parse().map_err(|_| malformed())?,
        })
    }
}

/// An event as streams and webhooks tell it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Told {
    /// Its place in the sequence: `<height>.<index>`.
    #[cfg_attr(test, schemars(with = "String"))]
    #[serde(serialize_with = "as_text")]
    pub(crate) id: Sequence,
    /// What kind of event.
    pub(crate) topic: String,
    /// The time of its block, in milliseconds since 1970.
    pub(crate) time_ms: u64,
    /// The operation that did it; none for what happens at a boundary.
    pub(crate) operation: Option<ToldOperation>,
    /// The event itself.
    #[cfg_attr(test, schemars(with = "Event"))]
    pub(crate) event: Value,
}

#[cfg(test)]
impl Told {
    /// An event that says nothing but its topic.
    pub(crate) fn plain(id: Sequence, topic: &str) -> Self {
        let event = serde_json::json!({ "event": topic });
        Self { id, topic: topic.to_owned(), time_ms: 0, operation: None, event }
    }
}

/// The operation that an event comes from.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ToldOperation {
    /// Its id.
    pub(crate) id: String,
    /// Its kind.
    kind: String,
    /// The account that acted.
    account: Address,
}

fn as_text<S: serde::Serializer>(id: &Sequence, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

/// Every event of a block, in order.
pub(crate) fn told(block: &Executed) -> Vec<Told> {
    let mut all = Vec::new();
    let mut tell = |event: &Event, operation: Option<ToldOperation>| {
        let index = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let event = super::api::value(event);
        let topic = topic_of(&event).to_owned();
        let id = Sequence { height: block.header.height, index };
        all.push(Told { id, topic, time_ms: block.header.time_ms, operation, event });
    };
    block.boundary.iter().for_each(|event| tell(event, None));
    for receipt in &block.receipts {
        let Outcome::Applied { events } = &receipt.outcome else { continue };
        for event in events {
            let operation = ToldOperation {
                id: receipt.id.to_string(),
                kind: receipt.kind.name().to_owned(),
                account: receipt.account,
            };
            tell(event, Some(operation));
        }
    }
    all
}

/// The topic of an event: its name on the wire.
pub(crate) fn topic_of(event: &Value) -> &str {
    event.get("event").and_then(Value::as_str).unwrap_or("event")
}

/// Whether a text stands anywhere in a value.
pub(crate) fn mentions(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => found == text,
        Value::Array(items) => items.iter().any(|item| mentions(item, text)),
        Value::Object(fields) => fields.values().any(|field| mentions(field, text)),
        _ => false,
    }
}

/// Which events somebody wants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Only those that concern this account.
    pub(crate) account: Option<Address>,
    /// Only those of these topics; all where it is empty.
    pub(crate) topics: BTreeSet<String>,
}

/// What stands behind an account at a moment: events about these concern it as well.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interest {
    operators: BTreeSet<u64>,
    sets: BTreeSet<u64>,
}

impl Interest {
    /// The operators with which an account has stake, and the sets that can slash it.
    pub(crate) fn of(state: &State, account: Address) -> Self {
        let mut interest = Self::default();
        for position in whole_exposure(state, account) {
            interest.operators.insert(u64::from(position.operator.number()));
            interest.sets.extend(position.sets.iter().map(|set| u64::from(set.set.number())));
        }
        interest
    }

    /// Adds what stands behind the account at another moment.
    pub(crate) fn join(mut self, other: Self) -> Self {
        self.operators.extend(other.operators);
        self.sets.extend(other.sets);
        self
    }

    /// Whether stake of the account is with an operator.
    pub(crate) fn has_operator(&self, operator: u32) -> bool {
        self.operators.contains(&u64::from(operator))
    }
}

/// What an event is about, where interests matter.
enum About {
    Operator(u64),
    Set(u64),
    Neither,
}

impl About {
    fn of(event: &Value) -> Self {
        // What names an account is about that account, whoever else has stake with the same operator.
        if event.get("account").is_some() {
            return Self::Neither;
        }
        let number = |name: &str| event.get(name).and_then(Value::as_u64);
        match (number("operator"), number("set")) {
            (Some(operator), _) => Self::Operator(operator),
            (None, Some(set)) => Self::Set(set),
            (None, None) => Self::Neither,
        }
    }
}

impl Filter {
    /// Whether an event is wanted. `interest` is that of the filter's account; it is dear, and asked for only where it decides: for events
    /// about operators, and about sets without naming an operator.
    pub(crate) fn wants<F: FnOnce() -> Interest>(
        &self,
        told: &Told,
        interest: &LazyCell<Interest, F>,
    ) -> bool {
        if !self.topics.is_empty() && !self.topics.contains(&told.topic) {
            return false;
        }
        let Some(account) = self.account else { return true };
        let is_sender = told.operation.as_ref().is_some_and(|operation| operation.account == account);
        if is_sender || mentions(&told.event, &account.to_string()) {
            return true;
        }
        match About::of(&told.event) {
            About::Operator(operator) => interest.operators.contains(&operator),
            About::Set(set) => interest.sets.contains(&set),
            About::Neither => false,
        }
    }
}

/// The topics that a client lists, with commas between them.
pub(crate) fn topics(text: &str) -> Result<BTreeSet<String>, String> {
    const TOPICS_MAX: usize = 100;
    let mut topics = BTreeSet::new();
    for topic in text.split(',').filter(|topic| !topic.is_empty()).take(TOPICS_MAX) {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        if topic.len() > 64 || !topic.bytes().all(is_plain) {
            return Err("a topic is the name of an event, such as `slashed`".to_owned());
        }
        if !is_event(topic) {
            return Err(format!(
                "there is no event `{topic}`; the description of the API lists them, such as `slashed`"
            ));
        }
        topics.insert(topic.to_owned());
    }
    Ok(topics)
}

/// Whether events of that name exist: a name that nothing ever has would be waited for in vain.
fn is_event(topic: &str) -> bool {
    let named = serde_json::json!({ "event": topic });
    // A name that is known lacks its fields at most.
    serde_json::from_value::<protocol::Event>(named)
        .map_or_else(|why| !why.to_string().starts_with("unknown variant"), |_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_events_are_topics() {
        let listed = topics("slashed,slash_requested,stopped").expect("events");
        assert_eq!(listed.len(), 3);
        for text in ["slashd", "slashed,operator", "Slashed", "unknown variant"] {
            let why = topics(text).expect_err(text);
            assert!(why.contains("event"), "{text}: {why}");
        }
    }

    #[test]
    fn a_place_in_the_sequence_has_one_text() {
        let place = Sequence { height: 12, index: 3 };
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in ["12", "12.", ".3", "12.3.4", "-1.0", "+1.0", "1.99999999999", "a.b"] {
            assert!(text.parse::<Sequence>().is_err(), "{text}");
        }
    }
}
