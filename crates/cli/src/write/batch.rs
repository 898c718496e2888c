//! Many operations, one after the other.

use serde_json::{Value, json};
use signing::Domain;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Answer, Column, Section, Shape};
use crate::progress::Progress;
use crate::write::{Prepared, Wanted, Writing, confirm, deliver, preview};

const COLUMNS: [Column; 6] = [
    Column::plain("line", "/line"),
    Column::plain("action", "/action"),
    Column::plain("outcome", "/outcome"),
    Column::plain("why", "/why"),
    Column::plain("height", "/height"),
    Column::digest("id", "/id"),
];

const SECTIONS: [Section; 4] = [
    Section { title: "What is signed", at: "/items", columns: &COLUMNS, empty: "nothing there" },
    Section {
        title: "The ledger that it is signed for",
        at: "/domains",
        columns: &[
            Column::plain("ledger", "/ledger"),
            Column::plain("chain", "/chain_id"),
            Column::account("custody", "/custody"),
        ],
        empty: "",
    },
    preview::MANDATES,
    preview::TERMS,
];

/// What was shown of a batch, which is what is signed and nothing else.
#[derive(Default)]
struct Shown {
    items: Vec<Value>,
    /// The operations with the digests and bounds that stood in the preview.
    lines: Vec<(u64, Wanted)>,
    domain: Option<Domain>,
    domains: Vec<Value>,
    mandates: Vec<Value>,
    terms: Vec<Value>,
}

impl Shown {
    /// Takes note of an operation. What several of them sign by its digest is shown once.
    fn add(&mut self, line: u64, wanted: &Wanted, prepared: &Prepared) -> Result<(), Failure> {
        self.expect_domain(prepared)?;
        if self.domain.is_none() {
            self.domain = Some(prepared.bundle.domain().clone());
            self.domains.push(prepared.bundle.to_json()["domain"].clone());
        }
        self.items.push(looked_at(line, prepared));
        self.lines.push((line, wanted.completed(prepared.bundle.draft())));
        for (name, known) in [("mandates", &mut self.mandates), ("terms", &mut self.terms)] {
            let pledged = prepared.pledged.get(name).and_then(Value::as_array).into_iter().flatten();
            for pledge in pledged {
                if !known.contains(pledge) {
                    known.push(pledge.clone());
                }
            }
        }
        Ok(())
    }

    /// All of it is for one ledger.
    fn expect_domain(&self, prepared: &Prepared) -> Result<(), Failure> {
        let found = prepared.bundle.domain();
        match &self.domain {
            Some(domain) if domain != found => {
                let said = |domain: &Domain| {
                    format!("{}, chain {}, custody {}", domain.ledger, domain.chain_id, domain.custody)
                };
                let (shown, found) = (said(domain), said(found));
                Err(super::strange(format!("a draft is for the ledger {found}, and one before for {shown}")))
            }
            _ => Ok(()),
        }
    }

    fn preview(&self) -> Answer {
        let document = json!({
            "items": self.items, "domains": self.domains,
            "pledged": { "mandates": self.mandates, "terms": self.terms },
        });
        Answer::new(document, Shape::Page(&[], &SECTIONS))
    }
}

impl Writing {
    /// Previews all operations, confirms them together, then signs and sends one after the other. It stops at the first that fails: what came before it is
    /// done.
    ///
    /// # Errors
    /// As [`Writing::send`]; if one of them would be refused as things stand, before anything is sent.
    pub(crate) fn send_all(&self, context: &Context, lines: Vec<(u64, Wanted)>) -> Result<Answer, Failure> {
        if self.unsigned_out.is_some() {
            let what = "--unsigned-out takes one operation, and this is a batch";
            return Err(Failure::usage("batch.unsigned", what)
                .help("build one file for each operation with surety tx build"));
        }
        let mut shown = Shown::default();
        for (line, wanted) in &lines {
            shown.add(*line, wanted, &self.drafting.prepare(context, wanted, super::HERE)?)?;
        }
        let refused = shown.items.iter().filter(|item| item["outcome"] != "would be applied").count();
        let preview = shown.preview();
        if self.dry_run {
            return Ok(if refused > 0 { preview.ending(Exit::Refused) } else { preview });
        }
        if refused > 0 {
            let what = format!("{refused} of {} operations would be refused; nothing was sent", lines.len());
            return Err(
                Failure::new(Exit::Refused, "batch.refused", what).help("look at each with --dry-run")
            );
        }
        if let Some(domain) = &shown.domain {
            confirm::ask_about(context, self.yes, domain, &preview)?;
        }
        self.carry_out(context, &shown)
    }

    fn carry_out(&self, context: &Context, shown: &Shown) -> Result<Answer, Failure> {
        let mut sealer = self.sealer(context);
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        let (all, mut progress) = (count(shown.lines.len()), Progress::new("operations"));
        let mut items: Vec<Value> = Vec::new();
        let mut exit = Exit::Success;
        for (line, wanted) in &shown.lines {
            // Nonces are those of the moment, so each is prepared when its turn has come, with the digests and bounds that were shown: what has changed
            // since is refused.
            let done = self.drafting.prepare(context, wanted, super::HERE).and_then(|prepared| {
                shown.expect_domain(&prepared)?;
                let action = prepared.bundle.to_json()["action"].clone();
                Ok((action, deliver(context, sealer.seal(prepared.bundle)?)?))
            });
            match done {
                Ok((action, answer)) => items.push(json!({
                    "line": line, "action": action, "outcome": "applied",
                    "height": answer.pointer("/receipt/height"), "id": answer.get("id"),
                })),
                // What came before is done, and must be told.
                Err(failure) => {
                    exit = failure.exit();
                    let error = failure.to_json()["error"].clone();
                    let why = if error["why"].is_null() { &error["what"] } else { &error["why"] };
                    items.push(json!({
                        "line": line, "action": wanted.kind(), "outcome": failure.code(), "why": why,
                    }));
                    break;
                }
            }
            progress.show(count(items.len()), all);
        }
        drop(progress);
        Ok(Answer::list(items, &COLUMNS).ending(exit))
    }
}

fn looked_at(line: u64, prepared: &Prepared) -> Value {
    let refused = prepared.preview.get("refused").filter(|code| !code.is_null());
    json!({
        "line": line,
        "action": prepared.bundle.to_json()["action"],
        "outcome": refused.cloned().unwrap_or_else(|| json!("would be applied")),
        "why": prepared.preview.get("why"),
        "id": prepared.bundle.id().to_string(),
    })
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::io::BufRead;
    use std::rc::Rc;

    use protocol::terms::Mandate;
    use protocol::units::{Address, AssetId, OperatorId};
    use signing::bundle::{Bundle, Who};

    use super::*;
    use crate::transport::{Response, Transport};

    /// A node whose operator takes more, and which may name another ledger, from the second look on.
    #[derive(Clone, Default)]
    struct Fickle {
        other_ledger: bool,
        prepared: Rc<RefCell<Vec<Value>>>,
        sent: Rc<Cell<usize>>,
    }

    fn mandate(commission: &str) -> Value {
        json!({
            "worst_case": "0.25", "elsewhere": "0", "own_verifiers": "0", "uncertified": false,
            "commission": commission,
        })
    }

    fn digest(mandate: &Value) -> String {
        let mandate: Mandate = serde_json::from_value(mandate.clone()).expect("a mandate");
        mandate.digest(OperatorId::new(1), AssetId::new(0), None).to_string()
    }

    impl Fickle {
        /// The mandate of the moment.
        fn mandate(&self) -> Value {
            mandate(if self.prepared.borrow().len() < 2 { "0.1" } else { "0.9" })
        }

        fn prepare(&self, body: &Value) -> Value {
            self.prepared.borrow_mut().push(body["operation"].clone());
            let mut operation = body["operation"].clone();
            let fields = operation.as_object_mut().expect("fields");
            fields.entry("mandate").or_insert_with(|| json!(digest(&self.mandate())));
            fields.entry("worst_case").or_insert_with(|| json!("0.25"));
            let is_other = self.other_ledger && self.prepared.borrow().len() > 1;
            let domain = Domain {
                chain_id: 1,
                custody: Address([7; 20]),
                ledger: if is_other { "other:00000002" } else { "main:00000001" }.to_owned(),
            };
            let draft = signing::Draft {
                account: body["account"].as_str().and_then(|text| text.parse().ok()).expect("an account"),
                delegate: None,
                expires: body["expires"].as_str().and_then(|text| text.parse().ok()).expect("a time"),
                operation: signing::json::operation_from_json(&operation).expect("an operation"),
            };
            let asked = [(Who::Address(draft.account), 0)];
            json!({ "bundle": Bundle::new(domain, draft, 1, asked).to_json(), "preview": { "ok": true } })
        }
    }

    impl Transport for Fickle {
        fn get(&self, path: &str) -> Result<Response, Failure> {
            let document = match path {
                "/v1/operators/1" => json!({ "pools": [{ "asset": 0, "mandate": self.mandate() }] }),
                _ => json!({ "items": [] }),
            };
            let (media_type, body) = ("application/json".to_owned(), document.to_string().into_bytes());
            Ok(Response { status: 200, media_type, body })
        }

        fn post(&self, path: &str, body: &Value) -> Result<Response, Failure> {
            if path != "/v1/operations/prepare" {
                self.sent.set(self.sent.get() + 1);
                return self.get(path);
            }
            let (media_type, body) =
                ("application/json".to_owned(), self.prepare(body).to_string().into_bytes());
            Ok(Response { status: 200, media_type, body })
        }

        fn stream(&self, _: &str, _: Option<&str>) -> Result<Box<dyn BufRead>, Failure> {
            Ok(Box::new(std::io::empty()))
        }

        fn name(&self) -> String {
            "the test".to_owned()
        }
    }

    fn batch(node: &Fickle, is_dry: bool) -> Value {
        let Value::Object(fields) = json!({ "operator": 1, "asset": 0, "amount": "5" }) else {
            panic!("fields")
        };
        let drafting =
            crate::write::Drafting { from: Some(format!("0x{}", "aa".repeat(20))), ..Default::default() };
        let writing = Writing { drafting, yes: !is_dry, dry_run: is_dry, ..Default::default() };
        let lines = vec![(2, Wanted::new("delegate", fields))];
        let answer = writing.send_all(&Context::over(node.clone()), lines).expect("an answer");
        answer.document().clone()
    }

    #[test]
    fn a_batch_signs_the_mandate_that_was_shown_and_no_later_one() {
        let node = Fickle::default();
        batch(&node, false);
        let prepared = node.prepared.borrow();
        let mandates: Vec<&Value> = prepared.iter().map(|operation| &operation["mandate"]).collect();
        assert_eq!(mandates, [&Value::Null, &json!(digest(&mandate("0.1")))]);
        assert_eq!(prepared[1]["worst_case"], json!("0.25"));
    }

    #[test]
    fn a_batch_shows_mandates_and_ledger_once() {
        let shown = batch(&Fickle::default(), true);
        assert_eq!(shown["pledged"]["mandates"][0]["commission"], json!("0.1"));
        assert_eq!(shown["pledged"]["mandates"].as_array().map(Vec::len), Some(1));
        let custody = Address([7; 20]).to_string();
        assert_eq!(
            shown["domains"],
            json!([{ "chain_id": 1, "custody": custody, "ledger": "main:00000001" }])
        );
    }

    #[test]
    fn a_batch_signs_for_no_other_ledger_than_it_has_shown() {
        let node = Fickle { other_ledger: true, ..Fickle::default() };
        let done = batch(&node, false);
        assert_eq!(done["items"][0]["outcome"], json!("network.strange-draft"), "{done}");
        assert_eq!(node.sent.get(), 0);
    }

    #[test]
    fn the_ledger_that_was_named_is_the_only_one_that_is_signed_for() {
        let Value::Object(fields) = json!({ "operator": 1, "asset": 0, "amount": "5" }) else {
            panic!("fields")
        };
        let drafting = crate::write::Drafting {
            from: Some(format!("0x{}", "aa".repeat(20))),
            ledger: Some("main:00000003".to_owned()),
            ..Default::default()
        };
        let (context, wanted) = (Context::over(Fickle::default()), Wanted::new("delegate", fields));
        let failure = drafting.prepare(&context, &wanted, "10m").err().expect("another ledger");
        assert_eq!(failure.code(), "network.strange-draft");
    }
}
