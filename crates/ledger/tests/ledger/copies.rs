//! What leaves a ledger: snapshots, exports, and the verification of a whole history.

use std::sync::Arc;

use ledger::export::{Form, Table, export};
use ledger::files::memory::MemoryFiles;
use ledger::files::{Access, Files};
use ledger::{Executed, Fault, snapshot, verify};
use protocol::Event;

use crate::store::TestStore;
use crate::world::{begin, entries, history, run};

fn ignore(_: u64, _: u64) {}

#[test]
fn a_snapshot_that_is_taken_while_blocks_are_made_restores_the_same_root() {
    let history = history(11, 200, 8);
    let (_, _, mut ledger) = begin(&history);
    let half = history.blocks.len() / 2;
    run(&mut ledger, &history.blocks[..half]);
    ledger.sync().expect("nothing fails");
    let (height, state) = (ledger.head().header.height, entries(&ledger));
    let copy = MemoryFiles::new();
    let reader = ledger.reader();
    let target: Arc<dyn Files> = Arc::new(copy.clone());
    let taking = std::thread::spawn(move || snapshot::write(&reader, target, &mut ignore));
    run(&mut ledger, &history.blocks[half..]);
    let manifest = taking.join().expect("no panic").expect("a snapshot");
    assert!(manifest.height >= height);
    assert_eq!(snapshot::check(&copy), Ok(manifest.clone()));

    let store = TestStore::default();
    let restored = snapshot::restore(&copy, Arc::new(MemoryFiles::new()), Box::new(store.clone()), None);
    let (restored, _) = restored.unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(restored.head().header.height, manifest.height);
    assert_eq!(restored.head().digest, manifest.header);
    let root = store.content().0.map(|committed| committed.root);
    assert_eq!(root, Some(manifest.state_root.0));
    if manifest.height == height {
        assert!(entries(&restored) == state);
    }
    let again = snapshot::write(&ledger.reader(), Arc::new(copy), &mut ignore);
    assert!(matches!(again, Err(Fault::Snapshot { .. })), "the folder is not empty");
}

#[test]
fn a_snapshot_with_another_byte_anywhere_is_refused() {
    let history = history(12, 60, 8);
    let (_, _, mut ledger) = begin(&history);
    run(&mut ledger, &history.blocks);
    ledger.sync().expect("nothing fails");
    let copy = MemoryFiles::new();
    snapshot::write(&ledger.reader(), Arc::new(copy.clone()), &mut ignore).expect("a snapshot");
    for name in ["genesis.json", "journal/00000000000000000000.log", "manifest.json"] {
        let size = copy.bytes(name).expect("a file of the snapshot").len();
        for offset in (0..size).step_by(size / 23 + 1) {
            let spoilt = copy.fork();
            spoilt.flip(name, offset, 2);
            let restored = snapshot::restore(
                &spoilt,
                Arc::new(MemoryFiles::new()),
                Box::new(TestStore::default()),
                None,
            );
            assert!(restored.is_err(), "{name}, byte {offset}");
        }
    }
    // Every field of the manifest by itself, also where the byte that was flipped is in none.
    let text = copy.bytes("manifest.json").expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    for (field, value) in manifest.as_object().expect("an object") {
        let mut other = manifest.clone();
        other[field] = match value {
            serde_json::Value::Number(number) => (number.as_u64().expect("a number") + 1).into(),
            serde_json::Value::String(text) => {
                let last = if text.ends_with('0') { "1" } else { "0" };
                format!("{}{last}", &text[..text.len() - 1]).into()
            }
            _ => serde_json::json!([]),
        };
        let spoilt = copy.fork();
        spoilt.remove("manifest.json").expect("removed");
        let mut file = spoilt.open("manifest.json", Access::Append).expect("a file");
        file.append(other.to_string().as_bytes()).expect("written");
        let target = Arc::new(MemoryFiles::new());
        let restored = snapshot::restore(&spoilt, target, Box::new(TestStore::default()), None);
        assert!(restored.is_err(), "{field}");
    }
    let missing = copy.fork();
    missing.remove("journal/00000000000000000000.log").expect("removed");
    assert!(snapshot::check(&missing).is_err_and(|fault| fault.to_string().contains("is missing")));
}

#[test]
fn a_whole_history_is_executed_again_and_compared() {
    let history = history(13, 200, 8);
    let (files, store, mut ledger) = begin(&history);
    run(&mut ledger, &history.blocks);
    let head = ledger.head();
    ledger.close().expect("nothing failed");
    let mut heard = 0;
    let checked =
        verify::history(Arc::new(files.clone()), Box::new(TestStore::default()), &mut |height, last| {
            heard += 1;
            assert!(height <= last);
        });
    let checked = checked.unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!((checked.height, checked.digest), (head.header.height, head.digest));
    assert_eq!(Some(checked.state_root.0), store.content().0.map(|committed| committed.root));
    assert_eq!(heard, head.header.height);
    let planned: usize = history.blocks.iter().map(|block| block.operations.len()).sum();
    assert_eq!(checked.operations, (planned + history.genesis.opening.len()) as u64);

    assert_eq!(checked.receipts, head.header.height + 1);
    assert_eq!(checked.torn, None);

    // A journal whose every checksum holds, and whose story is another.
    let (forged, _, mut other) = begin(&history);
    let mut blocks = history.blocks.clone();
    blocks[5].operations.reverse();
    run(&mut other, &blocks);
    other.close().expect("nothing failed");
    assert!(verify::history(Arc::new(forged), Box::new(TestStore::default()), &mut ignore).is_ok());
    let name = "journal/00000000000000000000.log";
    let size = files.bytes(name).expect("the first segment").len();
    for offset in (60..size).step_by(size / 40 + 1) {
        let spoilt = files.fork();
        spoilt.flip(name, offset, 5);
        let found = verify::history(Arc::new(spoilt), Box::new(TestStore::default()), &mut ignore);
        assert!(found.is_err(), "byte {offset}");
    }
}

/// The rows that the events of blocks make.
fn count(blocks: &[Arc<Executed>], rows: impl Fn(&Event) -> usize) -> usize {
    blocks.iter().flat_map(|executed| executed.events()).map(rows).sum()
}

#[test]
fn exports_have_every_row_in_both_forms() {
    let history = history(14, 600, 20);
    let (_, _, mut ledger) = begin(&history);
    let (done, _) = run(&mut ledger, &history.blocks);
    let reader = ledger.reader();
    let view = protocol::view::view(&ledger.head().state);
    for table in Table::ALL {
        let (mut csv, mut lines) = (Vec::new(), Vec::new());
        let rows = export(&reader, table, Form::Csv, &mut csv).expect("written");
        assert_eq!(
            export(&reader, table, Form::Ndjson, &mut lines).expect("written"),
            rows,
            "{}",
            table.name()
        );
        assert!(rows > 0, "no {}", table.name());
        let (csv, lines) = (String::from_utf8(csv).expect("text"), String::from_utf8(lines).expect("text"));
        assert_eq!(csv.lines().count() as u64, rows + 1, "{}", table.name());
        assert_eq!(lines.lines().count() as u64, rows, "{}", table.name());
        // Read back, both forms say the same.
        let mut records = csv::Reader::from_reader(csv.as_bytes());
        let names = records.headers().expect("a line of names").clone();
        for (line, record) in lines.lines().zip(records.records()) {
            let row: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(line).expect("an object");
            let record = record.expect("a row");
            assert_eq!((row.len(), record.len()), (names.len(), names.len()), "{line}");
            for (name, text) in names.iter().zip(&record) {
                let same = match &row[name] {
                    serde_json::Value::Null => String::new(),
                    serde_json::Value::String(text) => text.clone(),
                    value => value.to_string(),
                };
                assert_eq!(text, same, "{name} in {line}");
            }
        }
        let expected = match table {
            Table::Accounts => view.accounts.iter().map(|account| account.balances.len().max(1)).sum(),
            Table::Positions => {
                let keys = ledger.head().state.keys();
                keys.iter().filter(|key| matches!(key, protocol::entries::Key::Position { .. })).count()
            }
            Table::Rewards => count(&done, |event| {
                usize::from(matches!(
                    event,
                    Event::StreamPaid { .. } | Event::WorkPaid { .. } | Event::Claimed { .. }
                ))
            }),
            Table::Slashes => count(&done, |event| match event {
                Event::Slashed { pools, .. } => pools.len(),
                Event::SlashRequested { .. }
                | Event::SlashVetoed { .. }
                | Event::SlashApproved { .. }
                | Event::SlashLapsed { .. }
                | Event::ProceedsReleased { .. } => 1,
                _ => 0,
            }),
        };
        assert_eq!(rows as usize, expected, "{}", table.name());
    }
    let claims = done.iter().flat_map(|executed| executed.events());
    let claims = claims.filter(|event| matches!(event, protocol::Event::Claimed { .. })).count();
    let mut lines = Vec::new();
    export(&reader, Table::Rewards, Form::Ndjson, &mut lines).expect("written");
    let text = String::from_utf8(lines).expect("text");
    assert_eq!(text.lines().filter(|line| line.contains("\"claimed\"")).count(), claims);
}
