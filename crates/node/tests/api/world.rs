//! Nodes for tests: a small one, and the one of the story with thirty days behind it.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use evidence::{Scheme, SecretKey, address_of};
use http_body_util::BodyExt;
use ledger::files::memory::MemoryFiles;
use ledger::{Genesis, Ledger, Opening, Options, Store, Verified};
use node::{Clock, Config, Node};
use protocol::units::Address;
use protocol::{Operation, query};
use serde_json::{Value, json};
use signing::{Domain, Draft, SignedOperation, json as form, seal_with};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::memory::MemoryStore;

/// When the ledgers of tests begin.
pub(crate) const START: u64 = 1_790_000_000_000;
/// How long an epoch is.
pub(crate) const EPOCH_MS: u64 = 60_000;

/// The longest time ahead at which what a stranger signs may expire.
pub(crate) const DAY_MS: u64 = 86_400_000;

/// A node with its API.
pub(crate) struct World {
    pub(crate) node: Node,
    pub(crate) router: Router,
    pub(crate) genesis: Genesis,
    /// Gone with the node.
    _folder: TempDir,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The JSON of an answer that must be a success.
    pub(crate) fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text());
        self.json()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("plain text"))
    }

    /// Status and code of a problem.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        (self.status.as_u16(), self.json()["code"].as_str().unwrap_or_default().to_owned())
    }
}

/// Somebody with a key.
pub(crate) fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(Scheme::Secp256k1, [number; 32])
}

pub(crate) fn address(key: &SecretKey) -> Address {
    Address(address_of(&key.public_key()).expect("a key of people"))
}

pub(crate) fn operation(json: Value) -> Operation {
    form::operation_from_json(&json).expect("an operation")
}

/// The folder of a node.
pub(crate) fn config(folder: &TempDir) -> Config {
    Config { folder: folder.path().to_owned(), listen: None, ..Config::default() }
}

/// A ledger with one asset, and 1,000 units of it for each of the keys 1 to 9. Key 9 is operator 0.
pub(crate) fn small_genesis() -> Genesis {
    let protocol = protocol::Genesis::development();
    let governor = protocol.governor;
    let mut opening = vec![Opening {
        account: governor,
        operation: operation(json!({
            "op": "list_asset", "origin": { "chain": 1, "contract": "" }, "decimals": 2, "kind": "token", "rate": "one",
        })),
    }];
    for number in 1..=9 {
        let account = address(&key(number));
        let deposit = json!({ "op": "deposit", "account": account, "asset": 0, "amount": "1000" });
        opening.push(Opening { account: governor, operation: operation(deposit) });
    }
    let olga = address(&key(9));
    opening.push(Opening { account: olga, operation: operation(json!({ "op": "register_operator" })) });
    let mandate = json!({ "worst_case": "0.25", "elsewhere": "0", "own_verifiers": "0", "uncertified": false, "commission": "0" });
    let pool = json!({ "op": "open_pool", "asset": 0, "mandate": mandate });
    opening.push(Opening { account: olga, operation: operation(pool) });
    Genesis {
        name: "test".to_owned(),
        chain_id: 31_337,
        custody: Address([0xcc; 20]),
        start_ms: START,
        epoch_ms: EPOCH_MS,
        protocol,
        opening,
    }
}

/// A ledger in memory.
pub(crate) fn open(files: &MemoryFiles, store: impl Store + 'static) -> Ledger {
    Ledger::open(Arc::new(files.clone()), Box::new(store), Options::default()).expect("a ledger")
}

/// A small node whose clock stands a second after its start.
pub(crate) fn small() -> World {
    small_with(|_| {})
}

/// A small node with another configuration.
pub(crate) fn small_with(change: impl FnOnce(&mut Config)) -> World {
    let files = MemoryFiles::new();
    Ledger::init(&files, &small_genesis()).expect("a new ledger");
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(&folder);
    change(&mut config);
    begin(files, MemoryStore::default(), folder, config, START + 1_000)
}

/// A node around files, with a clock that stands.
pub(crate) fn begin(
    files: MemoryFiles,
    store: impl Store + 'static,
    folder: TempDir,
    config: Config,
    now: u64,
) -> World {
    let ledger = open(&files, store);
    let genesis = ledger.genesis().clone();
    let node = Node::start_with(config, ledger, Clock::set_by_hand(now)).expect("a node");
    World { router: node.router(), node, genesis, _folder: folder }
}

/// The genesis of the story.
pub(crate) fn story_genesis() -> Genesis {
    Genesis {
        name: story::world::LEDGER_NAME.to_owned(),
        chain_id: story::world::CHAIN_ID,
        custody: story::world::custody(),
        start_ms: START,
        epoch_ms: EPOCH_MS,
        protocol: story::genesis(),
        opening: Vec::new(),
    }
}

/// The journal of the story: thirty epochs, each operation signed, in a block of its own.
pub(crate) fn story_files() -> MemoryFiles {
    static FILES: OnceLock<MemoryFiles> = OnceLock::new();
    FILES.get_or_init(|| tell_story(MemoryStore::default())).fork()
}

/// The same with the roots of a store.
pub(crate) fn tell_story(store: impl Store + 'static) -> MemoryFiles {
    let genesis = story_genesis();
    let steps = story::steps(&genesis.protocol.ledger);
    let files = MemoryFiles::new();
    Ledger::init(&files, &genesis).expect("a new ledger");
    let mut ledger = open(&files, store);
    let domain = ledger.domain().clone();
    for (number, step) in (0..).zip(steps) {
        let time = genesis.epoch_start_ms(u64::from(step.epoch)).max(ledger.head().header.time_ms);
        if genesis.epoch_at(time) > genesis.epoch_at(ledger.head().header.time_ms) {
            ledger.append(Vec::new(), time).expect("a boundary");
        }
        let account = story::address(step.account);
        let delegate = step.delegate.map(story::address);
        let draft = Draft { account, delegate, expires: time + DAY_MS, operation: step.operation };
        let signed = sealed(&ledger.head().state, &domain, draft, time + number);
        let verified = Verified::check_signed(&domain, signed).expect("good seals");
        let block = ledger.append(vec![verified], time).expect("a block");
        let outcome = &block.receipts[0].outcome;
        assert!(matches!(outcome, ledger::Outcome::Applied { .. }), "{}: {outcome:?}", step.note);
    }
    ledger.close().expect("a clean end");
    files
}

/// A draft with the seals of as many keys of the story as must sign in a state. `nonce` is for kinds that are not ordered.
pub(crate) fn sealed(state: &protocol::State, domain: &Domain, draft: Draft, nonce: u64) -> SignedOperation {
    let sender = draft.delegate.unwrap_or(draft.account);
    let view = query::account(state, sender);
    let nonces = view.as_ref().map_or(&[][..], |view| &view.nonces);
    let seals = story::signers(state, sender).into_iter().map(|key| {
        let known =
            nonces.iter().find(|nonces| nonces.key.as_ref().is_none_or(|own| *own == key.public_key()));
        let nonce = match draft.operation.kind().is_ordered() {
            true => known.map_or(0, |nonces| nonces.next),
            false => nonce,
        };
        seal_with(&key.secret(), domain, &draft, nonce).expect("a seal")
    });
    let seals = seals.collect();
    draft.clone().seal(seals)
}

/// A node with the story behind it, and its names.
pub(crate) fn story() -> World {
    story_on(story_files())
}

/// The same on files that a test keeps.
pub(crate) fn story_on(files: MemoryFiles) -> World {
    story_from(files, MemoryStore::default())
}

pub(crate) fn story_from(files: MemoryFiles, store: impl Store + 'static) -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let labels: serde_json::Map<String, Value> =
        story::labels().into_iter().map(|label| (label.key, label.label.into())).collect();
    let labels = Value::Object(labels).to_string();
    std::fs::write(folder.path().join(node::LABELS_FILE), labels).expect("a file");
    let config = config(&folder);
    let now = START + u64::from(story::PRESENT) * EPOCH_MS + 1_000;
    begin(files, store, folder, config, now)
}

impl World {
    /// Sends a request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("the router answers always");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Request::delete(path).body(Body::empty()).expect("a request")).await
    }

    /// Signs an operation with one key.
    pub(crate) fn signed(&self, key: &SecretKey, nonce: u64, json: Value) -> SignedOperation {
        self.signed_until(key, nonce, u64::MAX, json)
    }

    pub(crate) fn signed_until(
        &self,
        key: &SecretKey,
        nonce: u64,
        expires: u64,
        json: Value,
    ) -> SignedOperation {
        let draft = Draft { account: address(key), delegate: None, expires, operation: operation(json) };
        let seal = seal_with(key, &self.genesis.domain(), &draft, nonce).expect("a seal");
        draft.seal(vec![seal])
    }

    /// Sends a signed operation as bytes.
    pub(crate) async fn submit(&self, signed: &SignedOperation) -> Answer {
        self.post("/v1/operations", &bytes_of(signed)).await
    }

    /// Moves the clock, and waits until the ledger is there.
    pub(crate) async fn go_to_epoch(&self, epoch: u64) {
        self.node.clock().set(START + epoch * EPOCH_MS + 1);
        while self.get("/v1/status").await.ok()["as_of"]["epoch"].as_u64() < Some(epoch) {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    }
}

/// The body that carries an operation as bytes.
pub(crate) fn bytes_of(signed: &SignedOperation) -> Value {
    json!({ "bytes": format!("0x{}", hex::encode(signed.encode())) })
}

/// What key 1 to 9 delegate to operator 0, with everything filled in.
pub(crate) async fn delegation(world: &World, key: &SecretKey, amount: u64) -> Value {
    let asked = json!({
        "account": address(key),
        "operation": { "op": "delegate", "operator": 0, "asset": 0, "amount": amount.to_string() },
    });
    world.post("/v1/operations/prepare", &asked).await.ok()["draft"]["operation"].clone()
}
