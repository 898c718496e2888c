//! The whole life of a stake, as its people live it: keys, deposit, delegation, duty, reward, slash, exit, withdrawal; alice by commands, bob by HTTP. The
//! node is killed in the middle, and in the end it is proven offline that every operation stands in its block, and what the state has and has not.

use std::cell::Cell;

use evidence::{Scheme, SecretKey, address_of};
use protocol::units::Address;
use serde_json::{Value, json};
use signing::bundle::Bundle;
use signing::seal_with;

use crate::binary::{Home, Node};
use crate::http::{ask, get};

/// A development ledger with epochs of a moment, on which leaving takes some seconds. Where many tests run at once a command may take an epoch or two,
/// so what has to be done within a time has twenty.
fn begin(home: &Home) {
    home.make_keys(&["gov", "alice", "olga", "meridian", "rosa"]);
    let mut genesis: Value =
        serde_json::from_str(&home.run(&["init", "--print", "--epoch", "400ms", "--governor", "gov"]))
            .expect("a genesis");
    let parameters = &mut genesis["protocol"]["parameters"];
    for (name, epochs) in
        [("unbonding", 42), ("slash_window", 20), ("veto", 1), ("execution", 20), ("notice", 1)]
    {
        parameters[name] = json!(epochs);
    }
    std::fs::write(home.path("genesis.json"), genesis.to_string()).expect("a file");
    home.run(&["init", "--genesis", &home.path("genesis.json").display().to_string()]);
}

/// Signs and sends; the id of what was applied.
fn act(home: &Home, from: &str, arguments: &[&str]) -> String {
    let mut all = arguments.to_vec();
    all.extend(["--from", from, "--yes"]);
    let receipt = home.json(&all);
    assert_eq!(receipt["receipt"]["outcome"]["outcome"], "applied", "{arguments:?}: {receipt}");
    receipt["id"].as_str().expect("an id").to_owned()
}

/// The address of a key of the keystore.
fn address(home: &Home, name: &str) -> String {
    home.json(&["keys", "show", name])["address"].as_str().expect("an address").to_owned()
}

/// Everything up to a set that pays for the stake that secures it.
fn set_up(home: &Home, ids: &mut Vec<String>) {
    let mut act = |from: &str, arguments: &[&str]| ids.push(act(home, from, arguments));
    act("gov", &["asset", "new", "--origin-chain", "1", "--origin-contract", "", "--decimals", "18"]);
    let usd = ["asset", "new", "--origin-chain", "1", "--origin-contract", "0xaa", "--decimals", "6"];
    act("gov", &usd);
    act("alice", &["stake", "deposit", "100000base", "--asset", "asset/0"]);
    act("meridian", &["stake", "deposit", "100000base", "--asset", "asset/1"]);
    act("olga", &["operator", "register"]);
    let mandate = ["--mandate-worst-case", "25%", "--mandate-commission", "10%"];
    act("olga", &[&["operator", "open-pool", "asset/0"], &mandate[..]].concat());
    act("meridian", &["service", "create"]);
    let terms = json!({
        "assets": [{"asset": 0, "weight": 1_000_000_000}], "admission": {"operators_max": 10},
        "offences": {"subjective": "0.5"}, "window_cap": "0.5", "veto": 1, "resolvers": [address(home, "rosa")],
        "slasher": address(home, "meridian"), "reward_tokens": [1],
    });
    act("meridian", &["service", "open-set", "--terms", &terms.to_string()]);
    act("olga", &["operator", "join", "set/0", "--allocations", "asset/0=128"]);
    act("alice", &["stake", "delegate", "op/0", "10000base", "--asset", "asset/0"]);
}

/// A staker who knows nothing but HTTP: an own key, and the API.
struct Bob {
    key: SecretKey,
    address: Address,
    /// How often what was foretold was compared with what happened: where no epoch began between the two, which would change the figures.
    compared: Cell<u32>,
}

impl Bob {
    fn new() -> Self {
        let key = SecretKey::from_seed(Scheme::Secp256k1, [66; 32]);
        let address = Address(address_of(&key.public_key()).expect("a key of people"));
        Self { key, address, compared: Cell::new(0) }
    }

    /// Has an operation prepared, seals what was prepared, and sends it; the id of what was applied.
    fn act(&self, node: &Node, operation: &Value) -> String {
        let post = |path: &str, body: &Value| {
            let answer = ask(&node.address, "POST", path, Some(&body.to_string())).expect("an answer");
            assert_eq!(answer.status, 200, "{path} {operation}: {}", answer.text());
            answer.json()
        };
        let asked = json!({ "account": self.address.to_string(), "operation": operation });
        let epoch = node.epoch();
        let foretold = post("/v1/simulate", &asked);
        let prepared = post("/v1/operations/prepare", &asked);
        let mut bundle = Bundle::from_json(&prepared["bundle"].to_string()).expect("a bundle");
        let nonce = bundle.nonce_of(&self.key.public_key()).expect("bob is asked");
        let seal = seal_with(&self.key, bundle.domain(), bundle.draft(), nonce).expect("a key that seals");
        bundle.add(seal).expect("it holds");
        let sent = post("/v1/operations", &signing::json::signed_to_json(&bundle.into_signed()));
        assert_eq!(sent["receipt"]["outcome"]["outcome"], "applied", "{operation}: {sent}");
        if node.epoch() == epoch {
            assert_eq!(prepared["preview"]["events"], foretold["events"], "{operation}");
            assert_eq!(sent["receipt"]["outcome"]["events"], foretold["events"], "{operation}: as foretold");
            self.compared.set(self.compared.get() + 1);
        }
        sent["id"].as_str().expect("an id").to_owned()
    }
}

/// The amount of `asset` that an account has, free, by the API.
fn free(node: &Node, account: &str, asset: u64) -> u128 {
    let account = get(&node.address, &format!("/v1/accounts/{account}"));
    let balances = account["balances"].as_array().expect("balances").clone();
    let balance = balances.into_iter().find(|balance| balance["asset"] == asset);
    balance.map_or(0, |balance| balance["free"].as_str().expect("text").parse().expect("a number"))
}

/// What the entries of an account are worth.
fn worth(node: &Node, account: &str) -> Vec<String> {
    let positions = get(&node.address, &format!("/v1/accounts/{account}/positions"));
    let items = positions["items"].as_array().expect("a list").iter();
    items.map(|position| position["worth"].as_str().expect("an amount").to_owned()).collect()
}

/// The three questions, by command and by HTTP at the same height, have the same answers.
fn ask_three_questions(home: &Home, node: &Node, alice: &str) {
    let by_http = |answer: &Value, what: &str| {
        let height = &answer["as_of"]["height"];
        get(&node.address, &format!("/v1/accounts/{alice}/{what}?as_of={height}"))["positions"].clone()
    };
    let exposure = home.json(&["position", "slashable", "alice"]);
    assert_eq!(exposure["positions"], by_http(&exposure, "exposure"));
    assert_eq!(exposure["positions"][0]["worst_case"]["amount"], "2500");
    let earned = home.json(&["position", "earn", "alice"]);
    assert_eq!(earned["positions"], by_http(&earned, "rewards"));
    let exits = home.json(&["position", "exit", "alice"]);
    assert_eq!(exits["positions"][0]["exit"], by_http(&exits, "exits")[0]["exit"]);
}

#[test]
fn a_stake_is_born_secures_is_slashed_earns_and_leaves() {
    let home = Home::new();
    begin(&home);
    let node = home.start();
    let (bob, mut ids) = (Bob::new(), Vec::new());
    set_up(&home, &mut ids);
    let (alice, bob_address) = (address(&home, "alice"), bob.address.to_string());
    ids.push(bob.act(&node, &json!({ "op": "deposit", "asset": 0, "amount": "4000" })));
    ids.push(bob.act(&node, &json!({ "op": "delegate", "operator": 0, "asset": 0, "amount": "4000" })));
    let stream = ["service", "stream", "set/0", "1000base", "90", "--token", "asset/1"];
    ids.push(act(&home, "meridian", &stream));
    node.wait_for_epoch(node.epoch() + 2);
    ask_three_questions(&home, &node, &alice);

    // An offence of this epoch is reported; alice asks half back; then the node is killed.
    let capture = node.epoch().to_string();
    let request = ["slash", "request", "set/0", "op/0", &capture, "50%", "--reason", "signed a false price"];
    ids.push(act(&home, "meridian", &request));
    ids.push(act(&home, "alice", &["stake", "undelegate", "op/0", "5000base", "--asset", "asset/0"]));
    let before = worth(&node, &alice);
    node.kill();
    let node = home.start();
    assert_eq!(worth(&node, &alice), before);

    // Nobody vetoes. The slash takes a quarter of what was bonded then, also of what has asked to leave since.
    let executable = get(&node.address, "/v1/requests/0")["executable_from"].as_u64().expect("an epoch");
    node.wait_for_epoch(executable);
    ids.push(act(&home, "gov", &["slash", "execute", "request/0"]));
    assert_eq!(worth(&node, &alice), ["3750", "3750"]);
    assert_eq!(worth(&node, &bob_address), ["3000"]);
    assert!(home.run(&["slash", "list"]).contains("executed"), "the slash is in the list of all");

    // Both claim what they have earned and leave with the rest; no slash is left to wait for.
    ids.push(act(&home, "alice", &["rewards", "claim", "op/0"]));
    ids.push(bob.act(&node, &json!({ "op": "claim", "operator": 0 })));
    assert!(free(&node, &alice, 1) > 0 && free(&node, &bob_address, 1) > 0, "both were paid");
    ids.push(act(&home, "alice", &["stake", "undelegate", "op/0", "--asset", "asset/0"]));
    ids.push(bob.act(&node, &json!({ "op": "undelegate", "operator": 0, "asset": 0 })));
    let exits = get(&node.address, &format!("/v1/accounts/{bob_address}/exits"));
    let last = exits["positions"][0]["free"]["epoch"].as_u64().expect("an epoch");
    node.wait_for_epoch(last);
    ids.push(act(&home, "alice", &["stake", "release", "op/0", "asset/0"]));
    let release = json!({ "op": "release", "account": bob_address, "operator": 0, "asset": 0 });
    ids.push(bob.act(&node, &release));
    assert_eq!((free(&node, &alice, 0), free(&node, &bob_address, 0)), (97_500, 3_000));
    let to = "0x00000000000000000000000000000000000000a1";
    ids.push(act(&home, "alice", &["withdraw", "97500base", to, "--asset", "asset/0"]));
    ids.push(bob.act(&node, &json!({ "op": "withdraw", "asset": 0, "amount": "3000", "to": to })));
    assert_eq!((free(&node, &alice, 0), free(&node, &bob_address, 0)), (0, 0));
    let more =
        json!({ "account": alice, "operation": { "op": "withdraw", "asset": 0, "amount": "1", "to": to } });
    let refused = ask(&node.address, "POST", "/v1/simulate", Some(&more.to_string())).expect("an answer");
    assert_eq!(refused.json()["refused"], "withdraw.ExceedsFree");
    assert!(bob.compared.get() > 0, "nothing that was foretold was compared with what happened");
    verify_everything(&home, node, &ids);
}

/// An answer with its proofs shows the entries that it is made of by the names of their fields, and no answer of another moment.
fn verify_answer(home: &Home, file: &str, alice: &str) {
    let proven = home.json(&["verify", file]);
    assert_eq!(proven["proves"], "answer", "{proven}");
    let entries = proven["entries"].as_array().expect("entries");
    let own = entries.iter().find(|entry| entry["key"] == alice).expect("alice's account");
    assert_eq!(own["value"]["account"]["address"], alice.trim_start_matches("account/"), "{own}");
    let mut answer: Value =
        serde_json::from_str(&std::fs::read_to_string(file).expect("the answer")).expect("JSON");
    assert_eq!(answer["account"], alice.trim_start_matches("account/"));
    answer["as_of"]["height"] = 1.into();
    std::fs::write(file, answer.to_string()).expect("written");
    let output = home.output(&["verify", file]);
    assert_eq!(output.status.code(), Some(2), "an answer of another moment than its proofs");
}

/// That every operation stands in its block, that alice's account is in the state and another is not, each by a proof that needs nothing but the digest
/// of a header; and the whole history, with what came of every operation, by executing it again.
fn verify_everything(home: &Home, node: Node, ids: &[String]) {
    let alice = format!("account/{}", address(home, "alice"));
    let nobody = format!("account/0x{}", "77".repeat(20));
    let entries = [
        ("account/alice", "entry", alice.clone()),
        (nobody.as_str(), "absence", format!("there is no {nobody}")),
    ];
    let operations = ids.iter().map(|id| (id.as_str(), "operation", id.clone()));
    let mut files = Vec::new();
    for (number, (what, proves, words)) in operations.chain(entries).enumerate() {
        let file = home.path(&format!("proof-{number}.json")).display().to_string();
        home.run(&["proof", "get", what, "--out", &file]);
        // What is proven of an entry is claimed by a header some blocks later.
        let text = std::fs::read_to_string(&file).expect("the proof");
        let proof: Value = serde_json::from_str(&text).expect("JSON");
        let height = proof["header"]["height"].as_u64().expect("a height");
        let proven = home.json(&["verify", &file])["height"].as_u64().expect("a height");
        assert!(proven == height || (proves != "operation" && proven < height), "{what}: {proven}, {height}");
        let block = get(&node.address, &format!("/v1/blocks/{height}"));
        let digest = block["digest"].as_str().expect("a digest").to_owned();
        files.push((what, proves, words, file, digest));
    }
    let answer = home.path("answer.json").display().to_string();
    home.run(&["proof", "get", "account/alice", "--answer", "--out", &answer]);
    // From here on there is no node to ask.
    node.kill();
    verify_answer(home, &answer, &alice);
    let other = format!("0x{}", "11".repeat(32));
    for (what, proves, words, file, digest) in files {
        let proven = home.json(&["verify", &file, "--trusted", &digest]);
        assert_eq!(proven["proves"], proves, "{what}: {proven}");
        assert!(proven["what"].as_str().is_some_and(|what| what.contains(&words)), "{what}: {proven}");
        let foreign = home.output(&["verify", &file, "--trusted", &other]);
        assert_eq!(foreign.status.code(), Some(2), "{what} under a foreign header");
    }
    home.run(&["verify", &home.data().display().to_string()]);
}
