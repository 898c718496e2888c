//! Bytes that never change: what is on the wire and on disk, as hexadecimal text in `tests/vectors.json`.
//!
//! A change here is a new version of the format. `SURETY_VECTORS=write` writes the file.

use std::path::Path;
use std::sync::Arc;

use ledger::files::memory::MemoryFiles;
use ledger::{
    Block, Executed, Genesis, Header, Ledger, Message, Opening, Options, Outcome, Receipt, Verified, merkle,
};
use protocol::units::{Address, Amount, AssetId, Digest};
use protocol::{Event, Kind, Operation};
use serde_json::{Value, json};
use sha2::Sha256;
use sha3::Keccak256;

use crate::store::TestStore;

fn hex(bytes: &[u8]) -> Value {
    json!(format!("0x{}", hex::encode(bytes)))
}

fn operation(text: &str) -> Operation {
    signing::json::operation_from_json(&serde_json::from_str(text).expect("JSON")).expect("an operation")
}

fn list() -> Operation {
    operation(
        r#"{"op":"list_asset","origin":{"chain":1,"contract":"0x00000000000000000000000000000000000000aa"},"decimals":18}"#,
    )
}

fn genesis() -> Genesis {
    let mut protocol = protocol::Genesis::development();
    protocol.governor = Address([0xa1; 20]);
    Genesis {
        name: "vectors".to_owned(),
        chain_id: 560_048,
        custody: Address([0xcc; 20]),
        start_ms: 1_790_000_000_000,
        epoch_ms: 86_400_000,
        protocol,
        opening: vec![Opening { account: Address([0xa1; 20]), operation: list() }],
    }
}

fn header() -> Header {
    Header {
        version: 1,
        chain: Digest([0x11; 32]),
        height: 0x0102_0304_0506_0708,
        parent: Digest([0x22; 32]),
        time_ms: 0x1112_1314_1516_1718,
        operations_root: Digest([0x33; 32]),
        executed_height: 0x2122_2324_2526_2728,
        state_root: Digest([0x44; 32]),
        outbox_root: Digest([0x55; 32]),
        next_validators: Digest([0x66; 32]),
    }
}

fn deposit(number: u8) -> Verified {
    let text = format!(
        r#"{{"op":"deposit","asset":0,"amount":"{number}000","account":"0x{}"}}"#,
        hex::encode([number; 20])
    );
    Verified::plain(Address([number; 20]), operation(&text))
}

fn trees() -> Value {
    let leaves = |count: u8| (0..count).map(|number| vec![number; usize::from(number)]);
    let tree = |count: u8| {
        let sha256 =
            merkle::root::<Sha256>(leaves(count).map(|data| merkle::leaf::<Sha256>(&data)).collect());
        let keccak =
            merkle::root::<Keccak256>(leaves(count).map(|data| merkle::leaf::<Keccak256>(&data)).collect());
        json!({ "leaves": count, "sha256": hex(&sha256.0), "keccak256": hex(&keccak.0) })
    };
    (0..9).map(tree).collect()
}

fn message() -> Value {
    let message = Message {
        height: 77,
        index: 3,
        account: Address([0xab; 20]),
        asset: AssetId::new(5),
        amount: Amount::new(123_456_789_012_345_678_901),
        to: "0x00000000000000000000000000000000deadbeef".to_owned(),
    };
    json!({ "message": message, "bytes": hex(&message.encode()), "leaf": hex(&message.leaf().0) })
}

/// A short ledger, and every byte of its folder that is frozen.
fn folder() -> Value {
    let files = MemoryFiles::new();
    let genesis = genesis();
    Ledger::init(&files, &genesis).expect("begun");
    let store = Box::new(TestStore::default());
    let mut ledger = Ledger::open(Arc::new(files.clone()), store, Options::default()).expect("opened");
    let times = [genesis.start_ms + 5, genesis.start_ms + genesis.epoch_ms];
    for (time_ms, numbers) in times.into_iter().zip([1..4u8, 4..6]) {
        ledger.append(numbers.map(deposit).collect(), time_ms).expect("appended");
        ledger.sync().expect("nothing fails");
    }
    let reader = ledger.reader();
    let blocks: Vec<Value> = reader
        .blocks(0)
        .map(|block| {
            let block: Block = block.expect("readable");
            let ids: Vec<Value> = block.operations.iter().map(|operation| hex(&operation.id().0)).collect();
            json!({ "bytes": hex(&block.encode()), "digest": hex(&block.header.digest().0), "ids": ids })
        })
        .collect();
    ledger.close().expect("closed");
    let journal = files.bytes("journal/00000000000000000000.log").expect("a segment");
    let receipts = files.bytes("receipts/00000000000000000000.log").expect("a segment");
    json!({ "blocks": blocks, "journal": hex(&journal), "receipts": hex(&receipts) })
}

fn receipt() -> Value {
    let receipt = |outcome| Receipt {
        height: 7,
        index: 2,
        id: Digest([9; 32]),
        kind: Kind::Deposit,
        account: Address([1; 20]),
        outcome,
    };
    let events =
        vec![Event::Deposited { account: Address([1; 20]), asset: AssetId::new(0), amount: Amount::new(5) }];
    let applied = receipt(Outcome::Applied { events });
    let refused =
        receipt(Outcome::Refused { code: "deposit.UnknownAsset".to_owned(), text: "no".to_owned() });
    let executed = Executed {
        header: header(),
        digest: header().digest(),
        boundary: vec![Event::GovernanceStarted],
        receipts: vec![applied, refused],
    };
    json!(executed)
}

#[test]
fn the_bytes_on_wires_and_disks_never_change() {
    let genesis = genesis();
    let found = json!({
        // The order of names in JSON is nobody's.
        "genesis": { "file": serde_json::from_str::<Value>(&genesis.to_json()).expect("JSON"), "digest": hex(&genesis.digest().0), "ledger": genesis.domain().ledger },
        "header": { "bytes": hex(&header().encode()), "digest": hex(&header().digest().0) },
        "trees": trees(),
        "message": message(),
        "folder": folder(),
        "executed": receipt(),
    });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors.json");
    let mut text = serde_json::to_string_pretty(&found).expect("JSON");
    text.push('\n');
    if std::env::var("SURETY_VECTORS").is_ok_and(|what| what == "write") {
        std::fs::write(&path, &text).expect("the file of vectors is written");
    }
    let known: Value =
        serde_json::from_slice(&std::fs::read(&path).expect("the file of vectors")).expect("JSON");
    for part in ["genesis", "header", "trees", "message", "folder", "executed"] {
        assert_eq!(known[part], found[part], "{part}: another version of the format needs another number");
    }
    assert_eq!(Genesis::from_json(genesis.to_json().as_bytes()), Ok(genesis));
    assert_eq!(Header::decode(&header().encode()), Ok(header()));
    let executed: Executed = serde_json::from_value(receipt()).expect("its own JSON");
    assert_eq!(json!(executed), receipt());
}

#[test]
fn broken_headers_and_blocks_are_errors() {
    let bytes = header().encode();
    for size in 0..bytes.len() {
        assert!(Header::decode(&bytes[..size]).is_err(), "{size} bytes");
    }
    assert!(Header::decode(&[&bytes[..], &[0]].concat()).is_err());
    let mut newer = bytes;
    newer[1] = 2;
    let why = Header::decode(&newer).expect_err("a newer version");
    assert_eq!(why.to_string(), "the header has version 2, and this program knows version 1");

    let block = Block {
        header: header(),
        operations: vec![deposit(1).signed().clone(), deposit(2).signed().clone()],
    };
    let bytes = block.encode();
    assert_eq!(Block::decode(&bytes).as_ref(), Ok(&block));
    for size in 0..bytes.len() {
        assert!(Block::decode(&bytes[..size]).is_err(), "{size} bytes");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(Block::decode(&longer).is_err());
    let mut many = bytes;
    many[Header::BYTES..Header::BYTES + 4].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(
        Block::decode(&many).expect_err("too many").to_string(),
        "4294967295 operations are more than 10000"
    );
}

#[test]
fn a_genesis_that_does_not_hold_is_refused_with_its_reason() {
    type Change = fn(&mut Genesis);
    let cases: [(Change, &str); 8] = [
        (|genesis| genesis.name.clear(), "name \"\" is not 1 to 32"),
        (|genesis| genesis.name = "9lives".to_owned(), "name \"9lives\""),
        (|genesis| genesis.name = "a".repeat(33), "is not 1 to 32"),
        (|genesis| genesis.chain_id = 1 << 53, "chain_id 9007199254740992 is not below 2^53"),
        (|genesis| genesis.start_ms = u64::MAX, "start_ms 18446744073709551615 is not below 2^53"),
        (|genesis| genesis.epoch_ms = 99, "epoch_ms 99 is outside 100 to"),
        (|genesis| genesis.protocol.development = false, "only a development ledger has opening operations"),
        (|genesis| genesis.protocol.parameters.unbonding = 1, "unbonding of 1 epochs is less than"),
    ];
    for (change, expected) in cases {
        let mut genesis = genesis();
        change(&mut genesis);
        let why = genesis.check().expect_err(expected);
        assert!(why.contains(expected), "{why}");
        assert_eq!(Genesis::from_json(genesis.to_json().as_bytes()), Err(why));
    }
    let unknown = genesis().to_json().replacen("\"name\"", "\"nome\": \"x\", \"name\"", 1);
    assert!(Genesis::from_json(unknown.as_bytes()).is_err_and(|why| why.contains("nome")));
    let other = genesis();
    let mut later = genesis();
    later.start_ms += 1;
    assert_ne!(later.digest(), other.digest());
}
