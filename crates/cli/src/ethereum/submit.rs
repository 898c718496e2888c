//! What a follower hands over, sent to a node as operations of an account.

use ethereum::{News, Sink};
use evidence::ethereum::{LightClient, period_of};
use serde_json::Value;

use crate::context::Context;
use crate::failure::Failure;
use crate::write::{Wanted, Writing};

/// A ledger that is told what is new.
pub(super) struct Node<'a> {
    pub(super) context: &'a Context,
    pub(super) writing: &'a Writing,
}

/// How a ledger follows the chain.
///
/// # Errors
/// What the node says; that the ledger follows none.
pub(super) fn following(context: &Context) -> Result<Value, Failure> {
    let status = context.get("/v1/ethereum")?;
    if status.get("trusted").is_some_and(Value::is_string) {
        return Ok(status);
    }
    Err(Failure::usage("ethereum.not-followed", "the ledger follows no Ethereum").help(
        "a genesis names the chain that its ledger follows; leave out --submit to follow without a ledger",
    ))
}

/// Whether a ledger lacks something that is known here: then it has to be told again.
pub(super) fn is_behind(status: &Value, client: &LightClient) -> bool {
    let period = status.get("period").and_then(Value::as_u64);
    let knows_next = status.get("knows_next").and_then(Value::as_bool) == Some(true);
    let committees = (Some(client.period()), client.next().is_some());
    newest(status) < Some(client.newest().header().slot) || (period, knows_next) < committees
}

/// Slot of the newest final block that a ledger knows.
fn newest(status: &Value) -> Option<u64> {
    status.get("headers")?.as_array()?.last()?.get("slot")?.as_u64()
}

/// Whether a ledger knows it already. It may have it from somebody else.
fn is_known(status: &Value, news: &News) -> bool {
    let number = |name: &str| status.get(name).and_then(Value::as_u64);
    let (newest, period) = (newest(status), number("period"));
    match news {
        News::BeginChain { .. } => period.is_some(),
        News::UpdateChain { update } => {
            let attested = period_of(update.attested.slot);
            let knows_next = status.get("knows_next").and_then(Value::as_bool) == Some(true);
            let has_committee = period > Some(attested) || (period == Some(attested) && knows_next);
            newest >= Some(update.finalized.slot) && (update.next.is_none() || has_committee)
        }
        News::OpenBlock { slot, .. } => {
            let headers = status.get("headers").and_then(Value::as_array);
            let is_open = |header: &Value| header["slot"] == *slot && header["block"].is_number();
            newest > Some(*slot) || headers.is_some_and(|headers| headers.iter().any(is_open))
        }
        News::ReportContradiction { .. } => status.get("halt").is_some_and(Value::is_object),
    }
}

/// The operation, by its kind and its fields.
fn wanted(news: &News) -> Option<Wanted> {
    let kind = match news {
        News::BeginChain { .. } => "begin_chain",
        News::UpdateChain { .. } => "update_chain",
        News::OpenBlock { .. } => "open_block",
        News::ReportContradiction { .. } => "report_contradiction",
    };
    let Ok(Value::Object(mut fields)) = serde_json::to_value(news) else { return None };
    fields.remove("op");
    Some(Wanted::new(kind, fields))
}

/// What a failure says, in one line.
fn line(failure: &Failure) -> String {
    let told = failure.to_json();
    let part = |name: &str| told["error"][name].as_str().unwrap_or_default().to_owned();
    format!("{}: {}", part("what"), part("why"))
}

impl Node<'_> {
    fn send(&self, news: &News) -> Result<(), Failure> {
        if is_known(&following(self.context)?, news) {
            return Ok(());
        }
        let Some(wanted) = wanted(news) else { return Ok(()) };
        let sent = self.writing.send(self.context, wanted);
        // Somebody else may have been faster.
        match sent {
            Err(_) if is_known(&following(self.context)?, news) => Ok(()),
            Err(failure) if line(&failure).contains("and nothing else is new") => Ok(()),
            sent => sent.map(|_| ()),
        }
    }
}

impl Sink for Node<'_> {
    fn submit(&mut self, news: &News) -> Result<(), String> {
        self.send(news).map_err(|failure| line(&failure))
    }
}

/// Several that are all told.
pub(super) struct All<'a>(pub(super) Vec<Box<dyn Sink + 'a>>);

impl Sink for All<'_> {
    fn submit(&mut self, news: &News) -> Result<(), String> {
        self.0.iter_mut().try_for_each(|sink| sink.submit(news))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_ledger_knows_is_not_sent_again() {
        let world = fixtures::World::new(8);
        let (_, bootstrap) = world.bootstrap(64);
        let begin = News::BeginChain { bootstrap: Box::new(bootstrap) };
        let update = |told| News::UpdateChain { update: Box::new(world.update(told)) };
        let (finality, committee) = (fixtures::Told::finality(128), fixtures::Told::committee(128));
        let opening = world.block(128, 0).opening();
        let open = News::OpenBlock { slot: 128, opening };
        let status = |newest: u64, period: Option<u64>, knows_next: bool, block: Option<u64>| {
            let headers = period.map(|_| json!([{ "slot": newest, "block": block }])).unwrap_or(json!([]));
            json!({ "headers": headers, "period": period, "knows_next": knows_next, "halt": null })
        };
        let none = status(0, None, false, None);
        let begun = status(64, Some(0), false, None);
        let newer = status(128, Some(0), false, None);
        let complete = status(128, Some(0), true, Some(7));
        let cases = [
            (&begin, [false, true, true, true]),
            (&update(finality), [false, false, true, true]),
            (&update(committee), [false, false, false, true]),
            (&open, [false, false, false, true]),
        ];
        for (news, expected) in cases {
            assert_eq!(
                [&none, &begun, &newer, &complete].map(|status| is_known(status, news)),
                expected,
                "{news:?}"
            );
        }
        assert!(is_known(&status(9_000, Some(1), false, None), &update(committee)));
    }
}
