//! `kill -9` of the node under load: whatever was acknowledged is there, once, and a replay ends with the same root.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use evidence::{Scheme, SecretKey, address_of};
use protocol::Operation;
use protocol::ops::{deposit::Deposit, list_asset::ListAsset};
use protocol::units::{Address, Amount, AssetId};
use protocol::{AssetKind, Origin, RateSource};
use serde_json::{Value, json};
use signing::{Domain, Draft, SignedOperation, seal_with};

use crate::binary::{Home, Node};
use crate::http::{ask, get};

const CLIENTS: u8 = 4;

struct Client {
    key: SecretKey,
    account: Address,
    /// Numbers are never used twice, not even after a restart.
    nonce: u64,
}

impl Client {
    fn new(number: u8) -> Self {
        let key = SecretKey::from_seed(Scheme::Secp256k1, [number; 32]);
        let account = Address(address_of(&key.public_key()).expect("a key of people"));
        Self { key, account, nonce: 0 }
    }

    fn sign(&mut self, domain: &Domain, now: u64, operation: Operation) -> SignedOperation {
        self.nonce = (self.nonce + 1).max(now);
        let draft = Draft { account: self.account, delegate: None, expires: now + 3_600_000, operation };
        let seal = seal_with(&self.key, domain, &draft, self.nonce).expect("a key that seals");
        draft.seal(vec![seal])
    }
}

fn send(node: &str, signed: &SignedOperation) -> Option<Value> {
    let bytes = format!("0x{}", hex(&signed.encode()));
    let answer = ask(node, "POST", "/v1/operations", Some(&json!({ "bytes": bytes }).to_string()))?;
    // A node that is ending says so; anything else that is no receipt is a mistake of the test or of the node.
    assert!(matches!(answer.status, 200 | 202 | 503), "{}: {}", answer.status, answer.text());
    (answer.status == 200).then(|| answer.json())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes it");
        text
    })
}

fn domain(node: &Node) -> Domain {
    let genesis = get(&node.address, "/v1/genesis");
    let domain = &genesis["domain"];
    Domain {
        chain_id: domain["chain_id"].as_u64().expect("a chain"),
        custody: domain["custody"].as_str().and_then(|text| text.parse().ok()).expect("an address"),
        ledger: domain["ledger"].as_str().expect("a name").to_owned(),
    }
}

fn now(node: &str) -> Option<u64> {
    ask(node, "GET", "/v1/status", None)?.json()["node"]["now_ms"].as_u64()
}

fn deposit() -> Operation {
    Operation::Deposit(Deposit {
        account: None,
        asset: AssetId::new(0),
        amount: Amount::new(1),
        index: None,
        proof: Default::default(),
    })
}

/// What a client has sent: by id, whether it was acknowledged as applied.
type Sent = Arc<Mutex<BTreeMap<String, bool>>>;

/// Sends deposits of one unit until the node is gone.
fn load(node: &str, domain: &Domain, mut client: Client, sent: &Sent, stop: &AtomicBool) -> Client {
    let Some(start) = now(node) else { return client };
    while !stop.load(Ordering::Relaxed) {
        let signed = client.sign(domain, start, deposit());
        let id = signed.id().to_string();
        sent.lock().expect("no client panics").insert(id.clone(), false);
        match send(node, &signed) {
            Some(answer) if answer["receipt"]["outcome"]["outcome"] == "applied" => {
                sent.lock().expect("no client panics").insert(id, true);
            }
            Some(answer) => panic!("an answer that says nothing: {answer}"),
            None => break,
        }
    }
    client
}

fn rounds() -> u64 {
    std::env::var("SURETY_KILL_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

/// Whatever was acknowledged is there; what is there counts once.
fn check(node: &Node, clients: &[Client], sent: &[Sent], checked: &mut BTreeMap<String, bool>) {
    for (client, sent) in clients.iter().zip(sent) {
        let sent = sent.lock().expect("no client panics");
        for (id, acknowledged) in sent.iter() {
            if checked.contains_key(id) {
                continue;
            }
            let answer = ask(&node.address, "GET", &format!("/v1/operations/{id}"), None).expect("an answer");
            let is_there = answer.status == 200;
            assert!(is_there || !acknowledged, "operation {id} was acknowledged and is gone");
            checked.insert(id.clone(), is_there);
        }
        let there = sent.keys().filter(|id| checked.get(*id) == Some(&true)).count();
        // Whose first operation was lost with the node has no account, and nothing.
        let account = ask(&node.address, "GET", &format!("/v1/accounts/{}", client.account), None);
        let account = account.expect("an answer").json();
        let free = account["balances"].as_array().and_then(|balances| balances.first().cloned());
        let free = free.and_then(|balance| balance["free"].as_str().map(str::to_owned));
        assert_eq!(free.as_deref().unwrap_or("0"), there.to_string(), "deposits of {}", client.account);
    }
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_however_often_the_node_is_killed() {
    let home = Home::new();
    home.run(&["init", "--epoch", "1s"]);
    let mut node = home.start();
    let domain = domain(&node);
    let mut clients: Vec<Client> = (1..=CLIENTS).map(Client::new).collect();
    let list = ListAsset {
        origin: Origin { chain: 1, contract: String::new() },
        decimals: 18,
        kind: AssetKind::Token,
        rate: RateSource::One,
    };
    let time = now(&node.address).expect("a time");
    let listed = clients[0].sign(&domain, time, Operation::ListAsset(list));
    assert!(send(&node.address, &listed).is_some(), "the asset is listed");
    let sent: Vec<Sent> = clients.iter().map(|_| Sent::default()).collect();
    let mut checked = BTreeMap::new();
    let mut acknowledged = 0;
    for round in 0..rounds() {
        let stop = AtomicBool::new(false);
        clients = std::thread::scope(|scope| {
            let address = node.address.clone();
            let (domain, stop) = (&domain, &stop);
            let running: Vec<_> = clients
                .into_iter()
                .zip(&sent)
                .map(|(client, sent)| {
                    let address = address.clone();
                    scope.spawn(move || load(&address, domain, client, sent, stop))
                })
                .collect();
            // Another moment of a block's life in each round.
            std::thread::sleep(Duration::from_millis(30 + (round * 37) % 211));
            node.kill();
            running.into_iter().map(|client| client.join().expect("a client ends")).collect()
        });
        node = home.start();
        check(&node, &clients, &sent, &mut checked);
        acknowledged =
            sent.iter().map(|sent| sent.lock().expect("alive").values().filter(|a| **a).count()).sum();
    }
    node.kill();
    assert!(acknowledged > 0, "nothing was acknowledged: the kills came too early to prove anything");
    let verified = home.run(&["verify", &home.data().display().to_string()]);
    println!(
        "{} kills, {acknowledged} operations acknowledged, {} found; {verified}",
        rounds(),
        checked.values().filter(|is_there| **is_there).count()
    );
}
