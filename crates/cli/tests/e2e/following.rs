//! Following a chain and proving what it says, by commands, against servers of which some lie.

use std::path::Path;
use std::process::Output;
use std::time::{SystemTime, UNIX_EPOCH};

use evidence::ethereum::{Finalized, Opening, Question, ReceiptProof, StateNodes, ValidatorsProof, slot};
use fixtures::{Answers, Block, Mood, Server, World, text};
use serde_json::{Value, json};

use crate::demo::surety;

/// Slot of the newest final block.
const HEAD: u64 = 4 * 8192 + 640;

/// The chain, as if its newest update were of a minute ago; with its configuration and a state in a folder.
struct Made {
    folder: tempfile::TempDir,
    world: &'static World,
    answers: Answers,
    trusted: String,
    newest: Block,
}

fn made() -> Made {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let world: &'static World = Box::leak(Box::new(World::since(now - (HEAD + 70) * 12, 8)));
    let (answers, trusted, newest) = Answers::made(world);
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("written");
    write("chain.json", &serde_json::to_vec(world.chain()).expect("plain data"));
    write("state.ssz", &answers.states["finalized"]);
    Made { folder, world, answers, trusted: text(&trusted), newest }
}

impl Made {
    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, arguments: &str) -> Output {
        let words: Vec<&str> = arguments.split(' ').collect();
        surety(self.path(), &words)
    }

    /// It must end like that. Its standard output, and what it complains about.
    fn ends(&self, exit: i32, arguments: &str) -> (String, String) {
        let output = self.run(arguments);
        let said = String::from_utf8(output.stdout).expect("text");
        let complaint = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(exit), "surety {arguments}: {said} {complaint}");
        (said, complaint)
    }

    fn json(&self, arguments: &str) -> Value {
        let (said, _) = self.ends(0, &format!("-o json {arguments}"));
        serde_json::from_str(&said).expect(arguments)
    }

    fn finalized(&self) -> Finalized {
        serde_json::from_str(&self.newest.finalized_text()).expect("a header")
    }

    fn follow(&self, servers: &[&Server]) -> String {
        let urls = servers.iter().map(|server| format!(" --beacon {0} --execution {0}", server.url()));
        format!("ethereum follow --once --chain chain.json --state follow.state{}", urls.collect::<String>())
    }
}

#[test]
fn what_is_followed_is_proven_by_commands() {
    let made = made();
    let (honest, liar) = (
        Server::start(made.answers.clone(), Mood::Honest),
        Server::start(made.answers.clone(), Mood::WrongType),
    );
    let follow = made.follow(&[&liar, &honest]);

    let (_, why) = made.ends(1, &follow);
    assert!(why.contains("no trusted block is named"), "{why}");
    let first = made.json(&format!("{follow} --trusted {} --out news --metrics metrics", made.trusted));
    assert_eq!((&first["slot"], &first["root"]), (&json!(HEAD), &json!(text(&made.newest.root()))));
    assert_eq!((&first["fork"], &first["news"]), (&json!("gloas"), &json!(8)));
    let news = std::fs::read_to_string(made.path().join("news")).expect("news");
    let kinds: Vec<Value> =
        news.lines().map(|line| serde_json::from_str::<Value>(line).expect(line)["op"].clone()).collect();
    assert_eq!((kinds.len(), &kinds[0], &kinds[7]), (8, &json!("begin_chain"), &json!("open_block")));
    let metrics = std::fs::read_to_string(made.path().join("metrics")).expect("metrics");
    assert!(metrics.contains(&format!("surety_follow_slot {HEAD}\n")), "{metrics}");

    // The second time it goes on where it was, and says in a table who answered.
    let (said, why) = made.ends(0, &format!("{follow} --out again"));
    assert!(said.contains(&HEAD.to_string()) && why.contains("\"text/html\""), "{said} {why}");

    let url = honest.url();
    made.ends(0, &format!("ethereum state fetched.ssz --beacon {url}"));
    let bytes = |name: &str| std::fs::read(made.path().join(name)).expect(name);
    assert_eq!(bytes("fetched.ssz"), bytes("state.ssz"));
    check_validators(&made);
    check_execution(&made, &url);
}

fn check_validators(made: &Made) {
    let prove = "ethereum prove fetched.ssz --chain chain.json --validator 3,100-119";
    let document = made.json(&format!("{prove} --followed follow.state"));
    assert_eq!((&document["slot"], &document["final"]), (&json!(HEAD), &json!(true)));
    let proof: ValidatorsProof = serde_json::from_value(document["validators"].clone()).expect("a proof");
    let proven = made.finalized().validators(&proof).expect("it holds");
    assert_eq!(proven.len(), 21);
    assert_eq!(document["under_way"]["withdrawals"].as_array().map(Vec::len), Some(9));

    let alone = made.json(prove);
    assert_eq!((&alone["final"], &alone["validators"]), (&Value::Null, &document["validators"]));
    let credentials = &fixtures::registered(101).1.withdrawal_credentials[12..];
    let (table, _) = made.ends(
        0,
        &format!("ethereum prove fetched.ssz --chain chain.json --address {} --out proof", text(credentials)),
    );
    assert!(table.contains("101") && table.contains(&text(credentials)), "{table}");
    assert!(
        serde_json::from_slice::<Value>(&std::fs::read(made.path().join("proof")).expect("a proof")).is_ok()
    );
}

fn check_execution(made: &Made, url: &str) {
    let contract = text(&made.world.contract());
    let asked = format!("ethereum prove-account {contract} --slot 0,5 --followed follow.state");
    let online = made.json(&format!("{asked} --execution {url}"));
    let opening: Opening = serde_json::from_value(online["opening"].clone()).expect("an opening");
    let execution = made.finalized().open(&opening).expect("it opens");
    let nodes: StateNodes = serde_json::from_value(online["nodes"].clone()).expect("nodes");
    let question = Question { address: made.world.contract(), slots: vec![slot(0), slot(5)] };
    let answers = execution.state(&[question], &nodes).expect("it holds");
    assert_eq!(answers[0].values[0].number(), Some(40));
    assert_eq!(online["values"][0]["value"], json!(text(answers[0].values[0].get())));

    // The same from files, as somebody may have saved the answers.
    let (hash, block) =
        made.answers.blocks.iter().find(|(hash, _)| **hash == online["block"]["hash"]).expect("a block");
    let write = |name: &str, value: &Value| {
        std::fs::write(made.path().join(name), json!({ "result": value }).to_string()).expect("written");
    };
    write("block.json", block);
    write("receipts.json", &made.answers.receipts[hash]);
    let word = |number: u64| text(&slot(number));
    let trie = |key: &[u8]| {
        made.world
            .storage()
            .proof(&fixtures::keccak256(key))
            .iter()
            .map(|node| text(node))
            .collect::<Vec<_>>()
    };
    let storage = [0, 5].map(|number| json!({ "key": word(number), "proof": trie(&slot(number)) }));
    let account = made.world.accounts().proof(&fixtures::keccak256(&made.world.contract()));
    let account: Vec<String> = account.iter().map(|node| text(node)).collect();
    write("proof.json", &json!({ "address": contract, "accountProof": account, "storageProof": storage }));
    assert_eq!(made.json(&format!("{asked} --block block.json --answer proof.json")), online);

    let receipt = made.json(&format!("ethereum prove-receipt 128 --followed follow.state --execution {url}"));
    let proof: ReceiptProof = serde_json::from_value(receipt["receipt"].clone()).expect("a proof");
    assert_eq!(execution.receipt(&proof).expect("it holds").cumulative_gas(), 21_000 * 129);
    let offline =
        "ethereum prove-receipt 128 --followed follow.state --block block.json --answer receipts.json";
    assert_eq!(made.json(offline), receipt);
    let (_, why) = made.ends(3, &offline.replace("128", "200"));
    assert!(why.contains("block has 200 receipts, so there is none 200"), "{why}");
    let (_, why) = made.ends(2, &format!("{asked} --slot 6 --block block.json --answer proof.json"));
    assert!(why.contains("about another account or other slots"), "{why}");
}

#[test]
fn what_cannot_be_followed_or_proven_says_why() {
    let made = made();
    let server = Server::start(made.answers.clone(), Mood::Status(503));
    let (trusted, follow) = (&made.trusted, made.follow(&[&server]));
    let cases = [
        (1, "ethereum prove state.ssz --chain chain.json".to_owned(), "no validators are asked for"),
        (1, "ethereum prove state.ssz --chain chain.json --validator 9-3".to_owned(), "can't be \"9-3\""),
        (
            1,
            "ethereum prove state.ssz --chain chain.json --validator 0-9000".to_owned(),
            "more than the 8192 of one proof",
        ),
        (3, "ethereum prove state.ssz --chain chain.json --validator 300".to_owned(), "so there is none 300"),
        (1, "ethereum prove state.ssz --validator 3".to_owned(), "name the chain of the state"),
        (1, "ethereum prove chain.json --chain chain.json --validator 3".to_owned(), "chain.json"),
        (
            7,
            "ethereum prove nothing.ssz --chain chain.json --validator 3".to_owned(),
            "cannot read nothing.ssz",
        ),
        (
            3,
            "ethereum prove state.ssz --chain chian --validator 3".to_owned(),
            "there is no chain or file \"chian\"",
        ),
        (
            3,
            "ethereum prove state.ssz --chain chain.json --validator 3 --followed none".to_owned(),
            "there is no file none",
        ),
        (
            1,
            "ethereum follow --beacon https://example.org --trusted 0x11".to_owned(),
            "is not 0x and 64 hex digits",
        ),
        (1, format!("ethereum follow --beacon https://example.org --trusted {trusted}"), "needs TLS"),
        (7, format!("{follow} --trusted {trusted} --out missing/news"), "cannot write missing/news"),
    ];
    for (exit, arguments, expected) in cases {
        let (_, why) = made.ends(exit, &arguments);
        assert!(why.contains(expected), "surety {arguments}: {why}");
    }
    // Nobody answers, and nothing is accepted.
    let (_, why) = made.ends(4, &format!("{follow} --trusted {trusted}"));
    assert!(
        why.contains("the trusted block was not found") && why.contains("answered with status 503"),
        "{why}"
    );
    assert!(!made.path().join("follow.state").exists());
    // Somebody answers, but everything is old: what is true is kept, and that it is old is said.
    let mut old = made.answers.clone();
    old.updates.retain(|period, _| *period < 2);
    old.finality = old.updates.get(&1).cloned();
    let old = Server::start(old, Mood::Honest);
    let (_, why) = made.ends(4, &format!("{} --trusted {trusted}", made.follow(&[&old])));
    assert!(why.contains(&format!("is of slot {}", 8192 + 320)), "{why}");
    assert!(made.path().join("follow.state").exists());
}
