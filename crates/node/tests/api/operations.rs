//! Sending operations in, and finding them again.

use evidence::SecretKey;
use ledger::files::memory::{MemoryFiles, Plan, Trouble};
use ledger::{Ledger, Outcome, Verified};
use serde_json::{Value, json};
use signing::{SignedOperation, json as form};

use crate::memory::MemoryStore;
use crate::world::{
    DAY_MS, START, World, address, begin, bytes_of, config, delegation, key, open, small, small_genesis,
    small_with,
};

const NONCE: u64 = crate::world::START + 1_000;

async fn alice_delegates(world: &World, nonce: u64) -> signing::SignedOperation {
    let operation = delegation(world, &key(1), 100).await;
    world.signed(&key(1), nonce, operation)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_answered_with_its_receipt_and_then_found_by_its_id() {
    let world = small();
    let signed = alice_delegates(&world, NONCE).await;
    let answer = world.submit(&signed).await.ok();
    let receipt = &answer["receipt"];
    assert_eq!(answer["id"], json!(signed.id()));
    assert_eq!((&receipt["height"], &receipt["index"]), (&json!(1), &json!(0)));
    assert_eq!(receipt["outcome"]["events"][0]["event"], "delegated");
    let found = world.get(&format!("/v1/operations/{}", signed.id())).await.ok();
    assert_eq!((&found["status"], &found["receipt"]), (&json!("applied"), receipt));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_get_the_same_answer_however_often_they_come() {
    let world = small();
    let signed = alice_delegates(&world, NONCE).await;
    let bytes = bytes_of(&signed);
    let (first, second) =
        tokio::join!(world.post("/v1/operations", &bytes), world.post("/v1/operations", &bytes));
    assert_eq!(first.ok(), second.ok());
    let as_json = world.post("/v1/operations", &form::signed_to_json(&signed)).await.ok();
    assert_eq!(as_json, first.json());
    let status = world.get("/v1/status").await.ok();
    assert_eq!(status["as_of"]["height"], 1, "it is in one block only");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_rules_refuse_is_a_problem_with_the_receipt() {
    let world = small();
    let operation = delegation(&world, &key(1), 5_000).await;
    let refused = world.submit(&world.signed(&key(1), NONCE, operation)).await;
    assert_eq!(refused.problem(), (422, "delegate.ExceedsFree".to_owned()));
    let body = refused.json();
    assert_eq!(body["receipt"]["outcome"]["code"], "delegate.ExceedsFree");
    assert!(body["cause"].as_str().expect("a cause").contains("5000"), "both values are named: {body}");
    let found = world.get(&format!("/v1/operations/{}", body["id"].as_str().expect("an id"))).await.ok();
    assert_eq!(found["status"], "refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_wait_is_given_the_id() {
    let world = small();
    let signed = alice_delegates(&world, NONCE).await;
    let accepted = world.post("/v1/operations?wait=none", &bytes_of(&signed)).await;
    assert_eq!((accepted.status.as_u16(), accepted.json()), (202, json!({ "id": signed.id() })));
    let outcome = world.submit(&signed).await.ok();
    assert_eq!(outcome["receipt"]["outcome"]["outcome"], "applied");
}

/// What comes out for one change of a good request.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_at_the_door_never_gets_into_a_block() {
    let world = small();
    let good = alice_delegates(&world, NONCE).await;
    let mut unsigned = good.clone();
    unsigned.seals.clear();
    let mut other_amount = form::signed_to_json(&good);
    other_amount["operation"]["amount"] = "101".into();
    let mut by_stranger = world.signed(&key(2), NONCE, delegation(&world, &key(1), 1).await);
    by_stranger.account = crate::world::address(&key(1));
    let expired = world.signed_until(&key(1), NONCE, 5, delegation(&world, &key(1), 1).await);
    let cases: [(&str, Value, u16, &str); 9] = [
        ("no object", json!([1]), 400, "malformed_operation"),
        ("no hex", json!({ "bytes": "0xzz" }), 400, "malformed_operation"),
        ("no operation", json!({ "bytes": "0x00" }), 400, "malformed_operation"),
        ("too much", json!({ "bytes": format!("0x{}", "00".repeat(90_000)) }), 400, "malformed_operation"),
        ("nobody signed", bytes_of(&unsigned), 400, "unsigned"),
        ("another amount", other_amount, 422, "authority.NoKeySet"),
        ("a stranger", bytes_of(&by_stranger), 422, "authority.NoKeySet"),
        ("too late", bytes_of(&expired), 409, "expired"),
        (
            "another nonce",
            bytes_of(&world.signed(&key(1), 5, delegation(&world, &key(1), 1).await)),
            409,
            "authority.NonceOutsideWindow",
        ),
    ];
    for (what, body, status, code) in cases {
        let answer = world.post("/v1/operations", &body).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{what}");
    }
    assert_eq!(world.get("/v1/status").await.ok()["as_of"]["height"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ordered_operations_that_come_together_are_executed_in_their_order() {
    let world = small();
    let withdraw = |nonce| {
        world.signed(&key(1), nonce, json!({ "op": "withdraw", "asset": 0, "amount": "10", "to": "0xab" }))
    };
    let signed: Vec<_> = (0..5).map(withdraw).collect();
    for later in &signed {
        let accepted = world.post("/v1/operations?wait=none", &bytes_of(later)).await;
        assert!(accepted.status.is_success(), "{}", accepted.text());
    }
    for later in &signed {
        assert_eq!(world.submit(later).await.ok()["receipt"]["outcome"]["outcome"], "applied");
    }
    let used = world.submit(&withdraw(0)).await.ok();
    assert_eq!(used["id"], json!(signed[0].id()), "the same bytes, answered from the archive");
    let other =
        world.signed(&key(1), 0, json!({ "op": "withdraw", "asset": 0, "amount": "11", "to": "0xab" }));
    assert_eq!(world.submit(&other).await.problem(), (409, "authority.WrongNonce".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_with_too_much_waiting_is_told_when_to_come_back() {
    let world = small_with(|config| {
        config.mempool.per_sender_max = 2;
        config.blocks.gather_ms = 1_000;
        config.mempool.verifiers = 1;
    });
    let claim = |nonce| {
        world.signed(&key(1), nonce, json!({ "op": "claim", "account": null, "operator": null, "asset": null, "token": 0, "to": null }))
    };
    // While the sequencer is given ten a millisecond it goes on gathering; nothing is in a block yet.
    let signed: Vec<_> = (0..60).map(|number| claim(NONCE + number)).collect();
    let answers: Vec<_> = signed.iter().filter_map(|signed| world.node.submit(signed.encode())).collect();
    let mut full = 0;
    for answer in answers {
        if matches!(answer.await, Ok(node::Answer::Rejected(node::Rejected::SenderFull { limit: 2 }))) {
            full += 1;
        }
    }
    assert!(full > 0, "some of 60 at once exceed 2");
}

/// A node around files, as after a restart.
fn restart(files: &MemoryFiles) -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(&folder);
    begin(files.clone(), MemoryStore::default(), folder, config, NONCE)
}

/// A withdrawal of 10 by a key.
fn withdrawal(world: &World, secret: &SecretKey, nonce: u64) -> SignedOperation {
    let withdraw = json!({ "op": "withdraw", "asset": 0, "amount": "10", "to": "0xab" });
    world.signed_until(secret, nonce, START + DAY_MS / 2, withdraw)
}

/// Puts operations into a block of a ledger, before there is a node.
fn append(files: &MemoryFiles, operations: Vec<Verified>) {
    let mut ledger = open(files, MemoryStore::default());
    ledger.append(operations, START + 1).expect("a block");
    ledger.close().expect("a clean end");
}

fn verified(world: &World, signed: &SignedOperation) -> Verified {
    Verified::check_signed(&world.genesis.domain(), signed.clone()).expect("good seals")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordered_operation_that_overtakes_its_predecessor_waits_for_it() {
    let world = small();
    let signed: Vec<_> = (0..40).map(|nonce| withdrawal(&world, &key(1), nonce)).collect();
    // The last comes first, and then, however many threads verify them, all others at once in the wrong order.
    let last = world.node.submit(signed[39].encode()).expect("a node that takes operations");
    while world.get(&format!("/v1/operations/{}", signed[39].id())).await.status == 404 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.node.reader().height(), 0, "it is in no block");
    let others: Vec<_> =
        signed[..39].iter().rev().filter_map(|signed| world.node.submit(signed.encode())).collect();
    for answer in others.into_iter().chain([last]) {
        let Ok(node::Answer::Executed(placed)) = answer.await else { panic!("all are executed") };
        assert!(matches!(placed.receipt().outcome, Outcome::Applied { .. }), "{:?}", placed.receipt());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_before_its_turn_is_taken_when_it_comes_again_also_after_a_restart() {
    let files = MemoryFiles::new();
    Ledger::init(&files, &small_genesis()).expect("a new ledger");
    let elsewhere = small();
    let (first, second) = (withdrawal(&elsewhere, &key(1), 0), withdrawal(&elsewhere, &key(1), 1));
    // As another sequencer might have done.
    append(&files, vec![verified(&elsewhere, &second)]);
    let world = restart(&files);
    let id = second.id();
    let early = world.get(&format!("/v1/operations/{id}")).await.ok();
    assert_eq!(early["receipt"]["outcome"]["code"], "authority.WrongNonce");
    world.submit(&first).await.ok();
    assert_eq!(world.submit(&second).await.ok()["receipt"]["height"], 3);
    tokio::task::block_in_place(|| drop(world));
    let world = restart(&files);
    assert_eq!(world.submit(&second).await.ok()["receipt"]["height"], 3, "and now it has its answer");
    assert_eq!(world.node.reader().height(), 3, "nothing that was applied is in a block again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stranger_was_refused_is_answered_as_it_was_also_once_it_is_known() {
    let files = MemoryFiles::new();
    Ledger::init(&files, &small_genesis()).expect("a new ledger");
    let elsewhere = small();
    let stranger = key(77);
    let refused = withdrawal(&elsewhere, &stranger, 0);
    append(&files, vec![verified(&elsewhere, &refused)]);
    let deposit = json!({ "op": "deposit", "account": address(&stranger), "asset": 0, "amount": "100" });
    let deposit = form::operation_from_json(&deposit).expect("an operation");
    append(&files, vec![Verified::plain(elsewhere.genesis.protocol.governor, deposit)]);
    let world = restart(&files);
    let again = world.submit(&refused).await;
    assert_eq!(again.json()["receipt"]["height"], 1, "{}", again.text());
    assert_eq!(world.node.reader().height(), 2, "no operation is in two blocks");
    // Nobody can say what was answered: then it does not get in.
    files.plan(Some(Plan { trouble: Trouble::ReadError, at: 0, seed: 0 }));
    let unread = world.submit(&refused).await;
    assert_eq!(unread.problem(), (503, "busy".to_owned()), "{}", unread.text());
    assert_eq!(world.node.reader().height(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_the_second_bundle_of_several_keys_first_kills_neither() {
    let world = crate::world::story();
    let state = world.node.reader().head().state.clone();
    let account = story::address("treasury");
    let next = protocol::query::account(&state, account).expect("an account").nonces[0].next;
    let withdraw = json!({ "op": "withdraw", "asset": 0, "amount": "1", "to": "0xab" });
    let bundle = |nonce| {
        let operation = form::operation_from_json(&withdraw).expect("an operation");
        let draft = signing::Draft { account, delegate: None, expires: u64::MAX, operation };
        let seal =
            |key: story::DemoKey| signing::seal_with(&key.secret(), &world.genesis.domain(), &draft, nonce);
        let seals =
            story::signers(&state, account).into_iter().map(|key| seal(key).expect("a seal")).collect();
        draft.clone().seal(seals)
    };
    let (first, second) = (bundle(next), bundle(next + 1));
    let early = world.node.submit(second.encode()).expect("a node that takes operations");
    while world.get(&format!("/v1/operations/{}", second.id())).await.status == 404 {
        tokio::task::yield_now().await;
    }
    let first = world.submit(&first).await;
    assert!(first.json()["receipt"]["height"].is_u64(), "{}", first.text());
    let Ok(node::Answer::Executed(placed)) = early.await else { panic!("its turn has come") };
    let outcome = &placed.receipt().outcome;
    assert!(!format!("{outcome:?}").contains("authority."), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_exceeds_a_limit_is_in_no_block_and_right_once_there_is_room() {
    let world = small();
    let grant = |amount: &str| {
        json!({
            "op": "grant", "delegate": address(&key(5)), "kinds": ["delegate"],
            "limits": [{ "asset": 0, "amount": amount }], "expires": 100,
        })
    };
    world.submit(&world.signed(&key(1), 0, grant("50"))).await.ok();
    let operation = crate::world::operation(delegation(&world, &key(1), 100).await);
    let (account, delegate) = (address(&key(1)), Some(address(&key(5))));
    let draft = signing::Draft { account, delegate, expires: u64::MAX, operation };
    let seal = signing::seal_with(&key(5), &world.genesis.domain(), &draft, NONCE).expect("a seal");
    let signed = draft.seal(vec![seal]);
    assert_eq!(world.submit(&signed).await.problem(), (422, "authority.LimitExceeded".to_owned()));
    assert_eq!(world.node.reader().height(), 1, "it was no operation");
    world.submit(&world.signed(&key(1), 1, grant("100"))).await.ok();
    world.submit(&signed).await.ok();
}
