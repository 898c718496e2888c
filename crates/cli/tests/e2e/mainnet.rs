//! A follower tells a ledger of mainnet: servers give what its clients answered in July 2024, `surety ethereum follow --submit` brings it to a node, and an account is
//! proven under the execution root that it leads to; then the history is executed again without a node. The data lies in the shared folder beside the project (or
//! where `SURETY_SHARED` points); without it the test says that it skipped. What comes after, a stake's whole life on that data, is in `ethereum.rs`.

use std::path::PathBuf;

use evidence::ethereum::{Chain, Schedule};
use evidence::fact::custody::Custody;
use fixtures::{Answers, Mood, Server};
use protocol::ethereum::{ChainAsset, Ethereum};
use protocol::units::{Amount, Digest, Fraction};
use serde_json::{Value, json};

use crate::binary::{Home, Node};
use crate::http::get;

const CHANGE: &str = "0xefb4338d596b9d335b2da176dc85ee97469fc80c7e2d35b9b9c1558b4602077a";
const INCLUSION: &str = "0xf783c545d2dd90cee6c4cb92a9324323ef397f6ec85e1a3d61c48cf6cfc979e2";
const EXECUTION_ROOT: &str = "0xc51ad191ded785644e792e03583a54dcd4329d605560734c93f6cd9b5eaa9315";
/// The account of the proof, which stands for a custody contract that has no deposits.
const FACTORY: &str = "0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f";

fn read(path: &str) -> Option<Value> {
    let root = std::env::var_os("SURETY_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let folder = root.join("data/ethereum");
    if !folder.is_dir() {
        println!("skipped: the shared folder with data of the real chain is missing");
        return None;
    }
    let text = std::fs::read_to_string(folder.join(path)).expect(path);
    Some(serde_json::from_str(&text).expect(path))
}

/// An answer, alone or in a list.
fn answer(path: &str) -> Value {
    let answer = read(path).expect("the folder is there");
    answer.get(0).cloned().unwrap_or(answer)
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    let digits = &text.as_bytes()[2..];
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("text"), 16).expect("hex");
    digits.chunks(2).map(byte).collect::<Vec<_>>().try_into().expect("so many bytes")
}

/// Mainnet as the ledger's genesis has it: a root to begin at, and a token with a custody contract.
fn chain(count: [u8; 32]) -> Ethereum {
    let asset = |contract: &str, custody: Option<Custody>| ChainAsset {
        contract: contract.to_owned(),
        decimals: None,
        per_period: Amount::LIMIT,
        attested_above: None,
        custody,
        rate: None,
    };
    let custody = Custody { contract: bytes(FACTORY), count, deposits: [0; 32] };
    Ethereum {
        number: 1,
        chain: Chain::mainnet(Schedule::mainnet(None), 16).expect("sixteen are kept"),
        trusted: Digest(bytes(CHANGE)),
        states: Vec::new(),
        factory: None,
        existing: Vec::new(),
        assets: vec![asset("0xaa", Some(custody))],
        second: None,
        reward: Fraction::ZERO,
        reward_above: Fraction::ONE,
        due_epochs: 2,
        halt_epochs: 5,
    }
}

/// A client as mainnet's were in July 2024, twice: before and after sixteen periods of which nobody has the updates.
fn clients() -> Option<[Answers; 2]> {
    let folder = "lc-mainnet-deneb-2024";
    let mut first = Answers::default();
    first.bootstraps.insert(CHANGE.into(), read(&format!("{folder}/committee-change/BootstrapDeneb.json"))?);
    first.updates.insert(1150, answer(&format!("{folder}/committee-change/UpdateDeneb.json")));
    let newest = answer(&format!("{folder}/committee-change/UpdateNewPeriodDeneb.json"));
    first.updates.insert(1151, newest.clone());
    first.finality = Some(newest);
    let mut second = Answers::default();
    second.bootstraps.insert(INCLUSION.into(), answer(&format!("{folder}/inclusion/BootstrapDeneb.json")));
    second.updates.insert(1167, answer(&format!("{folder}/inclusion/UpdateDeneb.json")));
    second.finality = Some(answer(&format!("{folder}/inclusion/FinalityUpdateDeneb.json")));
    let proof = answer(&format!("{folder}/inclusion/EthGetProof.json"));
    second.proofs.insert(FACTORY.into(), proof.get("result").cloned().unwrap_or(proof));
    Some([first, second])
}

/// Signs and sends; it is applied.
fn act(home: &Home, from: &str, arguments: &[&str]) {
    let mut all = arguments.to_vec();
    all.extend(["--from", from, "--yes"]);
    let receipt = home.json(&all);
    assert_eq!(receipt["receipt"]["outcome"]["outcome"], "applied", "{arguments:?}: {receipt}");
}

fn begin(home: &Home, count: [u8; 32]) {
    home.make_keys(&["gov"]);
    let print = ["init", "--print", "--epoch", "400ms", "--governor", "gov"];
    let mut genesis: Value = serde_json::from_str(&home.run(&print)).expect("a genesis");
    genesis["protocol"]["parameters"]["notice"] = json!(1);
    let chain = chain(count);
    genesis["protocol"]["ethereum"] = serde_json::to_value(chain).expect("plain data");
    std::fs::write(home.path("genesis.json"), genesis.to_string()).expect("a file");
    home.run(&["init", "--genesis", &home.path("genesis.json").display().to_string()]);
}

/// Follows until nothing newer is to be had, and tells the ledger.
fn follow(home: &Home, server: &Server, slot: u64, name: &str) {
    let (state, out) =
        (home.path(name).display().to_string(), home.path(&format!("{name}.news")).display().to_string());
    let (slot, url) = (slot.to_string(), server.url());
    let words = ["ethereum", "follow", "--once", "--submit", "--from", "gov", "--yes", "--beacon", &url];
    home.run(&[&words[..], &["--at-slot", &slot, "--state", &state, "--out", &out]].concat());
}

fn newest(node: &Node) -> Value {
    let headers = get(&node.address, "/v1/ethereum")["headers"].clone();
    headers.as_array().expect("headers").last().cloned().unwrap_or_default()
}

/// Finality of July 2024, then the account and its storage under the execution root that it leads to.
fn follow_to_the_state(home: &Home, node: &Node, clients: [Answers; 2], key: &str) {
    let execution =
        &clients[0].finality.as_ref().expect("an update")["data"]["finalized_header"]["execution"];
    let number: u64 = execution["block_number"].as_str().expect("text").parse().expect("a number");
    let [first, second] = clients.map(|answers| Server::start(answers, Mood::Honest));
    follow(home, &first, 9_430_600, "first");
    let header = newest(node);
    assert_eq!((&header["slot"], &header["block"]), (&json!(9_430_496), &json!(number)), "{header}");

    // Governance names the later root; after the notice it is begun at.
    act(home, "gov", &["ethereum", "govern", "--trusted", INCLUSION]);
    node.wait_for_epoch(node.epoch() + 3);
    follow(home, &second, 9_567_600, "second");
    assert_eq!(newest(node)["slot"], 9_567_456);

    let path = |name: &str| home.path(name).display().to_string();
    let url = second.url();
    let words = ["ethereum", "prove-account", FACTORY, "--slot", key, "--execution", &url];
    let proven =
        home.json(&[&words[..], &["--followed", &path("second"), "--opened", &path("second.news")]].concat());
    assert_eq!(
        (&proven["block"]["state_root"], &proven["block"]["number"]),
        (&json!(EXECUTION_ROOT), &json!(20_360_596))
    );
    assert_eq!(proven["account"]["nonce"], 346_165);
    std::fs::write(home.path("nodes.json"), proven["nodes"].to_string()).expect("a file");
    // As a custody contract it has no deposits: the proof holds, and there is nothing to take.
    let nodes = format!("@{}", path("nodes.json"));
    let take = [
        "ethereum",
        "deposits",
        "asset/0",
        "9567456",
        "--deposits",
        "[]",
        "--nodes",
        &nodes,
        "--from",
        "gov",
        "--yes",
    ];
    let refused = home.output(&take);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        refused.status.code() == Some(2) && why.contains("the contract has 0 deposits and the next one is 0"),
        "{why}"
    );
}

#[test]
fn a_follower_tells_a_ledger_of_mainnet() {
    let Some(clients) = clients() else { return };
    let key = clients[1].proofs[FACTORY]["storageProof"][0]["key"].as_str().expect("a key");
    let key = format!("0x{:0>64}", key.trim_start_matches("0x"));
    let home = Home::new();
    begin(&home, bytes(&key));
    let node = home.start();
    let asset = ["asset", "new", "--origin-chain", "1", "--origin-contract", "0xaa", "--decimals", "18"];
    act(&home, "gov", &asset);
    follow_to_the_state(&home, &node, clients, &key);
    // From here on there is no node to ask: everything is executed and verified again, every proof included.
    node.kill();
    home.run(&["verify", &home.data().display().to_string()]);
}
