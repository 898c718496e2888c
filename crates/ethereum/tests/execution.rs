//! Blocks, accounts and receipts as execution clients answer them: of the made chain in every fork, and five blocks of mainnet.

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use ethereum::{
    ExecutionClient, ExecutionFault, Fault, ListedReceipts, Patience, ReceiptsFault, prove_receipt,
};
use evidence::ethereum::{
    Execution, Finalized, Opening, OpeningError, Question, StateError, mapping_slot, slot,
};
use fixtures::{Answers, Mood, Server, Told, World, keccak256, text};
use serde_json::{Value, json};

static WORLD: LazyLock<World> = LazyLock::new(|| World::new(8));

/// A final block of each fork, by its slot.
const SLOTS: [u64; 5] = [640, 8_832, 17_024, 25_216, 33_408];

fn client(server: &Server) -> ExecutionClient {
    let long = Duration::from_secs(30);
    ExecutionClient::new(&server.url(), Patience { connect: long, answer: long, state: long }).unwrap()
}

fn answers() -> Answers {
    let mut answers = Answers { tries: Some(&WORLD), ..Answers::default() };
    for slot in SLOTS {
        answers.tell(&WORLD, Told::finality(slot));
    }
    answers
}

fn finalized(slot: u64) -> Finalized {
    serde_json::from_str(&WORLD.block(slot, 0).finalized_text()).unwrap()
}

#[test]
fn blocks_accounts_and_receipts_of_every_fork_are_proven() {
    let server = Server::start(answers(), Mood::Honest);
    let client = client(&server);
    for at in SLOTS {
        let header = finalized(at);
        let opening = client.opening(&header).unwrap();
        assert_eq!(opening, WORLD.block(at, 0).opening());
        let execution = header.open(&opening).unwrap();
        let slots = vec![slot(0), mapping_slot(&slot(7), &slot(1)), slot(99)];
        let asked = Question { address: WORLD.contract(), slots };
        let (nodes, answer) = client.account(&execution, &asked).unwrap();
        let numbers: Vec<_> = answer.values.iter().map(|word| word.number()).collect();
        assert_eq!(numbers, [Some(40), Some(1007), Some(0)]);
        assert_eq!(execution.state(&[asked], &nodes).unwrap(), [answer]);
        let nobody = Question { address: [0x77; 20], slots: Vec::new() };
        assert_eq!(client.account(&execution, &nobody).unwrap().1.account, None);

        let listed = client.receipts(&execution).unwrap();
        for index in [0, 1, 127, 128, 199] {
            let (proof, receipt) = prove_receipt(&execution, &listed, index).unwrap();
            assert_eq!(execution.receipt(&proof).unwrap(), receipt);
            assert_eq!(receipt.cumulative_gas(), 21_000 * (index + 1));
        }
        let refused = prove_receipt(&execution, &listed, 200).unwrap_err();
        assert_eq!(refused, ReceiptsFault::Index { index: 200, receipts: 200 });
    }
}

/// What a liar changes.
type Change<'a> = &'a dyn Fn(&mut Answers);

#[test]
fn answers_that_are_not_true_are_refused() {
    let header = finalized(SLOTS[3]);
    let hash = text(header.block_hash());
    let change = |change: Change<'_>| {
        let mut answers = answers();
        change(&mut answers);
        Server::start(answers, Mood::Honest)
    };
    // Another block, one without a field, one whose field is no number, none at all.
    let other = WORLD.block(SLOTS[2], 0).execution;
    let cases: [(Change<'_>, bool); 5] = [
        (&|answers| answers.blocks.get_mut(&hash).unwrap()["gasUsed"] = json!("0x1"), true),
        (
            &|answers| drop(answers.blocks.get_mut(&hash).unwrap().as_object_mut().unwrap().remove("miner")),
            true,
        ),
        (&|answers| answers.blocks.get_mut(&hash).unwrap()["number"] = json!("0xzz"), false),
        (&|answers| drop(answers.blocks.insert(hash.clone(), Value::Null)), false),
        (
            &|answers| {
                let another = answers.blocks[&text(&keccak256(&other))].clone();
                answers.blocks.insert(hash.clone(), another);
            },
            true,
        ),
    ];
    for (place, (how, is_other)) in cases.into_iter().enumerate() {
        let refused = client(&change(how)).opening(&header).unwrap_err();
        match refused {
            ExecutionFault::Opening(OpeningError::Hash { .. }) => assert!(is_other, "{place}"),
            ExecutionFault::Form(_) | ExecutionFault::Fault(Fault::Form(_)) => assert!(!is_other, "{place}"),
            refused => panic!("{place}: {refused}"),
        }
    }

    let execution = header.open(&WORLD.block(SLOTS[3], 0).opening()).unwrap();
    let asked = Question { address: WORLD.contract(), slots: vec![slot(0)] };
    let good = Server::start(answers(), Mood::Honest);
    let another = Question { address: [0x77; 20], slots: Vec::new() };
    let listed: Value = json!({ "address": text(&[0x77; 20]), "accountProof": [], "storageProof": [] });
    let named = text(&WORLD.contract());
    let liar = change(&|answers| drop(answers.proofs.insert(named.clone(), listed.clone())));
    assert_eq!(client(&liar).account(&execution, &asked).unwrap_err(), ExecutionFault::Other);
    let empty =
        json!({ "address": named, "accountProof": [], "storageProof": [{ "key": "0x0", "proof": [] }] });
    let liar = change(&|answers| drop(answers.proofs.insert(named.clone(), empty.clone())));
    let refused = client(&liar).account(&execution, &asked).unwrap_err();
    assert!(matches!(refused, ExecutionFault::State(StateError::Trie(_))), "{refused}");
    assert!(client(&good).account(&execution, &another).is_ok());

    let short = change(&|answers| {
        let listed = answers.receipts.get_mut(&hash).unwrap().as_array_mut().unwrap();
        listed.pop();
    });
    let listed = client(&short).receipts(&execution).unwrap();
    let refused = prove_receipt(&execution, &listed, 3).unwrap_err();
    assert!(matches!(refused, ReceiptsFault::Root { .. }), "{refused}");
    let none = change(&|answers| answers.receipts.clear());
    assert!(matches!(client(&none).receipts(&execution), Err(Fault::Form(_))));
}

#[test]
fn too_many_slots_are_refused_before_anybody_is_asked() {
    let server = Server::start(answers(), Mood::Honest);
    let header = finalized(SLOTS[0]);
    let execution = header.open(&WORLD.block(SLOTS[0], 0).opening()).unwrap();
    let asked = Question { address: [1; 20], slots: vec![[0; 32]; 4097] };
    let refused = client(&server).account(&execution, &asked).unwrap_err();
    assert!(matches!(refused, ExecutionFault::State(StateError::TooManySlots { .. })), "{refused}");
    assert_eq!(server.asked(), 0);
}

/// Blocks of mainnet from Capella to Electra, with how many receipts they have.
const BLOCKS: [(u64, usize); 5] =
    [(17_062_257, 208), (19_426_587, 37), (22_162_263, 142), (22_431_083, 139), (22_431_084, 95)];

/// A value in RLP: its content, and the rest behind it.
fn first(bytes: &[u8]) -> (&[u8], &[u8]) {
    let base = match bytes[0] {
        0..=0x7f => return bytes.split_at(1),
        0x80..=0xbf => 0x80,
        _ => 0xc0,
    };
    let short = usize::from(bytes[0] - base);
    let digits = short.saturating_sub(55);
    let length = match digits {
        0 => short,
        _ => bytes[1..=digits].iter().fold(0, |length, digit| length << 8 | usize::from(*digit)),
    };
    bytes[1 + digits..].split_at(length)
}

fn items(mut content: &[u8]) -> Vec<&[u8]> {
    let mut items = Vec::new();
    while !content.is_empty() {
        let (item, rest) = first(content);
        items.push(item);
        content = rest;
    }
    items
}

/// Three bits of 2048 for each address and each topic. Yellow paper, 4.3.1.
fn bloom(logs: &[&[u8]]) -> [u8; 256] {
    let mut bloom = [0; 256];
    for log in logs {
        let [address, topics, _] = items(log).try_into().unwrap();
        for entry in [vec![address], items(topics)].concat() {
            for pair in keccak256(entry)[..6].chunks(2) {
                let bit = usize::from(u16::from_be_bytes([pair[0], pair[1]])) % 2048;
                bloom[255 - bit / 8] |= 1 << (bit % 8);
            }
        }
    }
    bloom
}

/// The receipts of a file as a client would list them.
fn listed(receipts: &[u8]) -> ListedReceipts {
    let quantity = |digits: &[u8]| {
        format!("0x{:x}", digits.iter().fold(0_u64, |number, digit| number << 8 | u64::from(*digit)))
    };
    let receipt = |receipt: &&[u8]| {
        let [kind, status, gas, logs] = items(receipt).try_into().unwrap();
        let logs = items(logs);
        let log = |log: &&[u8]| {
            let [address, topics, data] = items(log).try_into().unwrap();
            let topics: Vec<String> = items(topics).iter().map(|topic| text(topic)).collect();
            json!({ "address": text(address), "topics": topics, "data": text(data) })
        };
        json!({
            "type": quantity(kind), "status": quantity(status), "cumulativeGasUsed": quantity(gas),
            "logsBloom": text(&bloom(&logs)), "logs": logs.iter().map(log).collect::<Vec<_>>(),
        })
    };
    let all: Vec<Value> = items(first(receipts).0).iter().map(receipt).collect();
    serde_json::from_value(Value::Array(all)).unwrap()
}

/// Header and receipts of a block.
#[allow(clippy::print_stdout, reason = "a skipped test says so")]
fn block(number: u64) -> Option<(Vec<u8>, Vec<u8>)> {
    let root = std::env::var_os("SURETY_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let folder = root.join("data/ethereum/el-blocks-mainnet");
    if !folder.is_dir() {
        println!("skipped: the shared folder with data of the real chain is missing");
        return None;
    }
    let packed = std::fs::read(folder.join(format!("block-data-{number}.yaml.gz"))).unwrap();
    let mut lines = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut lines).unwrap();
    let field = |name: &str| {
        let line = lines.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap();
        hex::decode(&line.trim_matches('"')[2..]).unwrap()
    };
    Some((field("header"), field("receipts")))
}

#[test]
fn receipts_of_mainnet_are_proven_from_what_clients_list() {
    for (number, count) in BLOCKS {
        let Some((header, receipts)) = block(number) else { return };
        let mut known: Value = serde_json::from_str(&WORLD.block(640, 0).finalized_text()).unwrap();
        known["block_hash"] = json!(text(&keccak256(&header)));
        let known: Finalized = serde_json::from_value(known).unwrap();
        let opening = Opening::Header(evidence::ethereum::HeaderBytes::new(&header).unwrap());
        let execution: Execution = known.open(&opening).unwrap();
        assert_eq!(execution.number(), number);
        let listed = listed(&receipts);
        assert_eq!(listed.as_slice().len(), count);
        for index in (0..count).step_by(11).chain([count - 1]) {
            let index = u64::try_from(index).unwrap();
            let (proof, receipt) = prove_receipt(&execution, &listed, index).unwrap();
            assert_eq!(execution.receipt(&proof).unwrap(), receipt);
        }
    }
}
