//! What a simulation says is what execution does: for every operation of the story, in the block that follows.

use std::collections::BTreeSet;

use ledger::Ledger;
use ledger::files::memory::MemoryFiles;
use protocol::Kind;
use serde_json::{Value, json};
use signing::{Draft, SignedOperation, json as form};

use crate::memory::MemoryStore;
use crate::world::{DAY_MS, START, World, begin, config, sealed, story_genesis};

/// The story at its first moment, before anybody has asked for anything.
fn beginning() -> World {
    let files = MemoryFiles::new();
    Ledger::init(&files, &story_genesis()).expect("a new ledger");
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(&folder);
    begin(files, MemoryStore::default(), folder, config, START + 1)
}

/// A step, signed by as many of the keys of its account as must sign.
fn signed(world: &World, step: &story::Step, nonce: u64) -> SignedOperation {
    let head = world.node.reader().head();
    let (account, delegate) = (story::address(step.account), step.delegate.map(story::address));
    let expires = world.node.clock().now_ms() + DAY_MS;
    let draft = Draft { account, delegate, expires, operation: step.operation.clone() };
    sealed(&head.state, &world.genesis.domain(), draft, nonce)
}

/// Whether the account has what the simulation has said it would.
async fn holds(world: &World, account: &str, simulated: &Value) {
    let view = world.get(&format!("/v1/accounts/{account}")).await;
    if !view.status.is_success() {
        return;
    }
    let balances = view.ok()["balances"].as_array().cloned().unwrap_or_default();
    for change in simulated["changes"].as_array().expect("changes") {
        let Some(figure @ ("free" | "claimable")) = change["figure"].as_str() else { continue };
        let found = balances.iter().find(|balance| balance["asset"] == change["asset"]);
        let after = found.map_or(json!("0"), |balance| balance[figure].clone());
        assert_eq!(after, change["after"], "{account} {figure}: {simulated}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_of_the_story_does_exactly_what_its_simulation_has_said() {
    let world = beginning();
    let steps = story::steps(&world.genesis.protocol.ledger);
    let mut kinds: BTreeSet<Kind> = BTreeSet::new();
    for (number, step) in (1..).zip(&steps) {
        world.go_to_epoch(u64::from(step.epoch)).await;
        let account = story::address(step.account).to_string();
        let asked = json!({
            "account": account,
            "delegate": step.delegate.map(story::address),
            "operation": form::operation_to_json(&step.operation),
        });
        let simulated = world.post("/v1/simulate", &asked).await.ok();
        assert_eq!(simulated["ok"], true, "{}: {simulated}", step.note);
        let nonce = START + u64::from(step.epoch) * crate::world::EPOCH_MS + number;
        let answer = world.submit(&signed(&world, step, nonce)).await.ok();
        let events = &answer["receipt"]["outcome"]["events"];
        assert_eq!(&simulated["events"], events, "{}: {}", step.account, step.note);
        holds(&world, &account, &simulated).await;
        kinds.insert(step.operation.kind());
    }
    let told: BTreeSet<Kind> = steps.iter().map(|step| step.operation.kind()).collect();
    assert_eq!(kinds, told);
    assert!(kinds.len() > 30, "the story has {} kinds of operations", kinds.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_refused_is_refused_with_the_same_words() {
    let world = beginning();
    let steps = story::steps(&world.genesis.protocol.ledger);
    let mut refused = 0;
    // Each step out of its place: whoever comes too early is refused, mostly.
    for (number, step) in (1..).zip(steps.iter().rev()) {
        let asked = json!({
            "account": story::address(step.account),
            "delegate": step.delegate.map(story::address),
            "operation": form::operation_to_json(&step.operation),
        });
        let simulated = world.post("/v1/simulate", &asked).await.ok();
        if simulated["ok"] == true || step.delegate.is_some() {
            continue;
        }
        refused += 1;
        let answer = world.submit(&signed(&world, step, START + number)).await;
        let outcome = answer.json()["receipt"]["outcome"].clone();
        assert_eq!(outcome["code"], simulated["refused"], "{}: {}", step.note, answer.text());
        assert_eq!(outcome["text"], simulated["why"], "{}", step.note);
    }
    assert!(refused > 30, "{refused} steps were refused out of their place");
}
