//! Mainnet, as its clients answered in July 2024 and June 2026: from the shared folder beside the project (or where `SURETY_SHARED` points). Without it the tests say
//! that they skipped.

use std::path::PathBuf;

use ethereum::{Beacon, ExecutionClient, Follower, Keeper, Plan};
use evidence::ethereum::{Chain, Fork, Hash, LightClient, Question, Schedule, slot};
use fixtures::{Answers, Mood, Server};
use serde_json::{Value, json};

use super::{Ledger, patience};

#[allow(clippy::print_stdout, reason = "a skipped test says so")]
fn read(path: &str) -> Option<Value> {
    let root = std::env::var_os("SURETY_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let folder = root.join("data/ethereum");
    if !folder.is_dir() {
        println!("skipped: the shared folder with data of the real chain is missing");
        return None;
    }
    Some(serde_json::from_slice(&std::fs::read(folder.join(path)).unwrap()).unwrap())
}

fn hash(text: &str) -> Hash {
    hex::decode(&text[2..]).unwrap().try_into().unwrap()
}

fn mainnet() -> Chain {
    Chain::mainnet(Schedule::mainnet(None), 8).unwrap()
}

/// A time at which a slot is over.
fn after(slot: u64) -> u64 {
    (1_606_824_023 + (slot + 1) * 12) * 1000
}

fn plan(server: &Server, trusted: Hash) -> Plan {
    Plan {
        chain: mainnet(),
        trusted,
        beacons: vec![Beacon::new(&server.url(), patience()).unwrap()],
        executions: vec![ExecutionClient::new(&server.url(), patience()).unwrap()],
        keeper: None,
        seed: 1,
    }
}

fn of(path: &str) -> Option<Value> {
    let answer = read(path)?;
    Some(answer.get(0).cloned().unwrap_or(answer))
}

#[test]
fn a_change_of_committees_is_followed_in_july_2024() {
    let folder = "lc-mainnet-deneb-2024/committee-change";
    let Some(bootstrap) = read(&format!("{folder}/BootstrapDeneb.json")) else { return };
    let trusted = "0xefb4338d596b9d335b2da176dc85ee97469fc80c7e2d35b9b9c1558b4602077a";
    let mut answers = Answers::default();
    answers.bootstraps.insert(trusted.into(), bootstrap);
    answers.updates.insert(1150, of(&format!("{folder}/UpdateDeneb.json")).unwrap());
    let newest = of(&format!("{folder}/UpdateNewPeriodDeneb.json")).unwrap();
    answers.updates.insert(1151, newest.clone());
    answers.finality = Some(newest);
    let server = Server::start(answers, Mood::Honest);
    let mut follower = Follower::new(plan(&server, hash(trusted))).unwrap();
    let mut ledger = Ledger::default();
    let round = follower.round(after(9_430_577), &mut ledger).unwrap();
    assert_eq!(round.complaints, []);
    let root = hash("0x04883763d888e7d9629d064a114c81b1e7c515494b77e2718490e9741f1cb810");
    let client = follower.client().unwrap();
    assert_eq!((client.newest().header().slot, client.newest().root()), (9_430_496, &root));
    assert_eq!(client.period(), 1151);
    assert_eq!(ledger.opened(), [9_430_496]);
    let replayed = ledger.replayed(&mainnet(), &hash(trusted)).unwrap();
    assert_eq!(&replayed, client);
}

/// From the trusted root over the wire to an account and a slot of its storage.
#[test]
fn an_account_is_proven_through_the_servers_in_july_2024() {
    let folder = "lc-mainnet-deneb-2024/inclusion";
    let Some(bootstrap) = read(&format!("{folder}/BootstrapDeneb.json")) else { return };
    let trusted = "0xf783c545d2dd90cee6c4cb92a9324323ef397f6ec85e1a3d61c48cf6cfc979e2";
    let mut answers = Answers::default();
    answers.bootstraps.insert(trusted.into(), bootstrap);
    answers.updates.insert(1167, of(&format!("{folder}/UpdateDeneb.json")).unwrap());
    answers.finality = of(&format!("{folder}/FinalityUpdateDeneb.json"));
    let proof = read(&format!("{folder}/EthGetProof.json")).unwrap();
    let address = "0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f";
    answers.proofs.insert(address.into(), proof.get("result").cloned().unwrap_or(proof.clone()));
    let server = Server::start(answers, Mood::Honest);
    let mut follower = Follower::new(plan(&server, hash(trusted))).unwrap();
    let mut ledger = Ledger::default();
    let round = follower.round(after(9_567_543), &mut ledger).unwrap();
    assert_eq!(round.complaints, []);
    assert_eq!((follower.head(), ledger.opened()), (Some(9_567_456), vec![9_567_456]));

    let client = follower.client().unwrap();
    let Some(ethereum::News::OpenBlock { opening, .. }) = ledger.news.last() else { panic!("an opening") };
    let execution = client.newest().open(opening).unwrap();
    let upstream = ExecutionClient::new(&server.url(), patience()).unwrap();
    let listed = &proof.get("result").unwrap_or(&proof)["storageProof"][0]["key"];
    let key = hash(&format!("0x{:0>64}", listed.as_str().unwrap().trim_start_matches("0x")));
    let asked =
        Question { address: hex::decode(&address[2..]).unwrap().try_into().unwrap(), slots: vec![key] };
    let (nodes, answer) = upstream.account(&execution, &asked).unwrap();
    assert_eq!((nodes.as_slice().len(), answer.account.unwrap().nonce), (16, 346_165));
    assert_eq!(answer.values[0].number(), Some(0));
    // An answer about other slots is no answer.
    let other = Question { slots: vec![slot(0)], ..asked };
    assert!(upstream.account(&execution, &other).is_err());
}

/// The data of June 2026 has no bootstrap, so the follower goes on from a file.
#[test]
fn fulu_is_followed_in_june_2026() {
    let Some(data) = read("lc-mainnet-fulu-2026-06/proof_inputs.json") else { return };
    let header: evidence::ethereum::api::LightHeader =
        serde_json::from_value(data["store"]["finalized_header"].clone()).unwrap();
    let block_hash = format!("0x{}", hex::encode(header.claim().unwrap().block_hash));
    let client: LightClient = serde_json::from_value(json!({
        "period": 1777, "current": data["store"]["current_sync_committee"], "next": null, "best": null,
        "finalized": [{ "header": header.beacon, "fork": Fork::Fulu, "block_hash": block_hash }],
    }))
    .unwrap();
    let path = std::env::temp_dir().join(format!("surety-follow-fulu-{}", std::process::id()));
    let keeper = Keeper::new(&path);
    keeper.save(&mainnet(), &[6; 32], &client).unwrap();
    let mut answers = Answers::default();
    answers.updates.insert(1777, json!({ "version": "fulu", "data": data["updates"][0] }));
    answers.finality = Some(json!({ "version": "fulu", "data": data["finality_update"] }));
    let server = Server::start(answers, Mood::Honest);
    let mut follower = Follower::new(Plan { keeper: Some(keeper), ..plan(&server, [6; 32]) }).unwrap();
    let mut ledger = Ledger::default();
    let round = follower.round(after(14_562_032), &mut ledger).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(round.complaints, []);
    let newest = follower.client().unwrap().newest();
    let root = hash("0x9e0baf2f5ee5093c4f3c40ffc3fe8202f3ef56df3f0b9e681e23d61319e3e57e");
    assert_eq!((newest.header().slot, newest.root()), (14_561_952, &root));
    assert_eq!(ledger.opened(), [14_561_952]);
}
