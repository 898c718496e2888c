//! Blocks: when they are made, and when no more are.

use std::time::Duration;

use ledger::Ledger;
use ledger::files::memory::{MemoryFiles, Plan, Trouble};
use node::Stop;
use serde_json::json;

use crate::memory::MemoryStore;
use crate::world::{
    EPOCH_MS, START, begin, bytes_of, config, delegation, key, small, small_genesis, small_with,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_block_is_made_when_an_epoch_begins_and_only_then() {
    let world = small();
    assert_eq!(world.get("/v1/status").await.ok()["as_of"]["height"], 0);
    world.go_to_epoch(3).await;
    let status = world.get("/v1/status").await.ok();
    assert_eq!((&status["as_of"]["epoch"], &status["as_of"]["height"]), (&json!(3), &json!(1)));
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(
        world.get("/v1/status").await.ok()["as_of"]["height"],
        1,
        "nothing happens, so nothing is written"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_long_rest_the_epochs_are_passed_in_several_blocks() {
    let world = small();
    world.go_to_epoch(200).await;
    let reader = world.node.reader();
    let heights = reader.height();
    assert_eq!(heights, 4, "64 epochs a block");
    let times: Vec<u64> = (0..=heights)
        .map(|height| reader.header(height).expect("readable").expect("a header").time_ms)
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(times[4], START + 200 * EPOCH_MS + 1);
    assert_eq!(world.get("/readyz").await.ok()["ready"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_that_come_together_share_a_block() {
    let world = small_with(|config| config.blocks.gather_ms = 200);
    let operations: Vec<_> = (0..20)
        .map(|number| world.signed(&key(1), START + 1_000 + number, json!({ "op": "claim", "account": null, "operator": null, "asset": null, "token": 0, "to": null })))
        .collect();
    let answers: Vec<_> = operations.iter().filter_map(|signed| world.node.submit(signed.encode())).collect();
    let mut heights = Vec::new();
    for answer in answers {
        let Ok(node::Answer::Executed(placed)) = answer.await else { panic!("all are executed") };
        heights.push(placed.receipt().height);
    }
    heights.dedup();
    assert!(heights.len() < 10, "20 operations are in {} blocks", heights.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_disk_stops_the_node_with_a_clear_word() {
    let files = MemoryFiles::new();
    Ledger::init(&files, &small_genesis()).expect("a new ledger");
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(&folder);
    let world = begin(files.clone(), MemoryStore::default(), folder, config, START + 1_000);
    let good = world.signed(&key(1), START + 1_000, delegation(&world, &key(1), 5).await);
    world.submit(&good).await.ok();
    files.plan(Some(Plan { trouble: Trouble::DiskFull, at: 1, seed: 1 }));
    let mut stopped = None;
    for nonce in 1..50 {
        let next = world.signed(&key(1), START + 1_000 + nonce, delegation(&world, &key(1), 5).await);
        let answer = world.submit(&next).await;
        if !answer.status.is_success() {
            stopped = Some(answer);
            break;
        }
    }
    let stopped = stopped.expect("the disk fails within 50 blocks");
    assert_eq!(stopped.problem(), (503, "stopped".to_owned()));
    let Stop::Fault(text) = world.node.stopped().await else { panic!("it was not asked to stop") };
    assert!(text.contains("failed"), "{text}");
    let ready = world.get("/readyz").await;
    assert_eq!(ready.problem(), (503, "stopped".to_owned()));
    assert_eq!(ready.json()["cause"], json!(text), "the fault is named");
    assert_eq!(world.post("/v1/operations", &bytes_of(&good)).await.problem().1, "stopped");
    let status = world.get("/v1/status").await.ok();
    assert_eq!((&status["node"]["state"], &status["node"]["fault"]), (&json!("stopped"), &json!(text)));
    assert!(world.get("/metrics").await.text().contains("surety_stopped 1"));
    assert!(world.get("/").await.text().contains("has stopped making blocks"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_stops_the_node_as_well() {
    let files = MemoryFiles::new();
    Ledger::init(&files, &small_genesis()).expect("a new ledger");
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(&folder);
    let mut store = MemoryStore::default();
    store.fails_at = Some(2);
    let world = begin(files, store, folder, config, START + 1_000);
    for nonce in 0..200 {
        let next = world.signed(&key(1), START + 1_000 + nonce, delegation(&world, &key(1), 1).await);
        if !world.submit(&next).await.status.is_success() {
            break;
        }
    }
    let stop = tokio::time::timeout(Duration::from_secs(20), world.node.stopped()).await;
    assert!(matches!(stop, Ok(Stop::Fault(text)) if text.contains("the disk is full")));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_when_the_node_stops_is_told() {
    let world = small_with(|config| config.blocks.gather_ms = 1_000);
    let signed = world.signed(&key(1), START + 1_000, delegation(&world, &key(1), 1).await);
    let answer = world.node.submit(signed.encode()).expect("a node that takes operations");
    tokio::task::block_in_place(|| world.node.stop());
    let answer = answer.await.expect("an answer");
    let is_told =
        matches!(answer, node::Answer::Stopped(_) | node::Answer::Executed(_) | node::Answer::Barred(_));
    assert!(is_told, "{answer:?}");
    // What was executed just in time is answered as it was; nothing else is taken.
    let is_done = matches!(answer, node::Answer::Executed(_));
    assert_eq!(world.submit(&signed).await.status, if is_done { 200 } else { 503 });
    let other = world.signed(&key(1), START + 1_001, delegation(&world, &key(1), 2).await);
    assert_eq!(world.submit(&other).await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_only_reads_takes_nothing_and_makes_nothing() {
    let world = small_with(|config| config.role = node::config::Role::Read);
    world.node.clock().set(START + 5 * EPOCH_MS);
    let signed = world.signed(&key(1), START, delegation(&world, &key(1), 1).await);
    assert_eq!(world.submit(&signed).await.problem(), (503, "read_only".to_owned()));
    let status = world.get("/v1/status").await.ok();
    assert_eq!((&status["node"]["state"], &status["as_of"]["height"]), (&json!("reading"), &json!(0)));
    assert_eq!(world.get("/readyz").await.ok()["ready"], true);
}
