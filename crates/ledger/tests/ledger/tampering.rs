//! Folders that somebody has altered with care: every checksum holds, and the story is another. To verify them is to find it.

use std::sync::Arc;

use ledger::files::memory::MemoryFiles;
use ledger::files::{Access, Files};
use ledger::store::Committed;
use ledger::{Fault, Header, verify};
use protocol::units::Digest;
use sha2::{Digest as _, Sha256};

use crate::store::TestStore;
use crate::world::{History, begin, history, open, run};

/// What stands before the item in the body of a record: its kind and its height.
const ITEM: usize = 9;
/// Where a header has its fields.
const PARENT: usize = 42;
const STATE_ROOT: usize = 122;

fn names(files: &MemoryFiles, folder: &str, end: &str) -> Vec<String> {
    let names = files.list(folder).expect("listed");
    names.into_iter().filter(|name| name.ends_with(end)).map(|name| format!("{folder}/{name}")).collect()
}

fn write(files: &MemoryFiles, name: &str, bytes: &[u8]) {
    let mut file = files.open(name, Access::Append).expect("opened");
    file.truncate(0).expect("emptied");
    file.append(bytes).expect("written");
}

/// Changes the bodies of all records of a log, without changing their lengths, and mends every checksum.
fn rewrite(files: &MemoryFiles, folder: &str, mut change: impl FnMut(&mut [u8])) {
    for name in names(files, folder, ".log") {
        let mut bytes = files.bytes(&name).expect("a segment");
        let mut at = 0;
        while at < bytes.len() {
            let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            let body = at + 8..at + 8 + size;
            change(&mut bytes[body.clone()]);
            let checksum = crc32fast::hash(&bytes[body.clone()]).to_be_bytes();
            bytes[at + 4..at + 8].copy_from_slice(&checksum);
            at = body.end;
        }
        write(files, &name, &bytes);
    }
}

/// Changes the blocks of a journal, and lets every header name the new digest of the one before.
fn rewrite_blocks(files: &MemoryFiles, mut change: impl FnMut(u64, &mut [u8])) {
    let mut parent: Option<[u8; 32]> = None;
    rewrite(files, "journal", |body| {
        if body[0] != 2 {
            return;
        }
        let height = u64::from_be_bytes(body[1..ITEM].try_into().unwrap());
        let block = &mut body[ITEM..];
        if let Some(parent) = parent {
            block[PARENT..PARENT + 32].copy_from_slice(&parent);
        }
        change(height, block);
        parent = Some(Sha256::digest(&block[..Header::BYTES]).into());
    });
}

fn verified(files: &MemoryFiles, own: Option<Committed>) -> Result<verify::Checked, Fault> {
    verify::folder(Arc::new(files.clone()), Box::new(TestStore::default()), own, &mut |_, _| {})
}

fn folder() -> (History, MemoryFiles, TestStore) {
    let history = history(31, 160, 8);
    let (files, store, mut ledger) = begin(&history);
    assert_eq!(run(&mut ledger, &history.blocks).1, None);
    ledger.close().expect("nothing failed");
    (history, files, store)
}

#[test]
fn a_folder_as_it_was_written_holds_in_everything() {
    let (history, files, store) = folder();
    let own = store.content().0;
    let checked = verified(&files, own).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!((checked.receipts, checked.height), (checked.height + 1, history.blocks.len() as u64));
    rewrite_blocks(&files, |_, _| {});
    rewrite(&files, "receipts", |_| {});
    assert_eq!(verified(&files, own), Ok(checked), "to rewrite nothing changes nothing");
}

#[test]
fn whatever_is_altered_is_found() {
    let (_, whole, store) = folder();
    assert!(names(&whole, "journal", ".log").len() > 2 && names(&whole, "receipts", ".ids").len() > 2);
    let receipts = |body: &mut [u8], height: u64, change: &dyn Fn(&mut [u8])| {
        if body[0] == 2 && body[1..ITEM] == height.to_be_bytes() {
            change(&mut body[ITEM..]);
        }
    };
    type Alter<'a> = &'a dyn Fn(&MemoryFiles);
    let cases: [(&str, Alter<'_>, &str); 8] = [
        (
            "the state root of a header",
            &|files| rewrite_blocks(files, |height, block| block[STATE_ROOT] ^= u8::from(height == 9)),
            "it claims state root",
        ),
        (
            "the time of a header",
            &|files| rewrite_blocks(files, |height, block| block[81] ^= u8::from(height == 9)),
            "",
        ),
        (
            "an operation, under the root of the old one",
            &|files| {
                rewrite_blocks(files, |height, block| {
                    let last = block.len() - 3;
                    block[last] ^= u8::from(height == 9);
                })
            },
            "its operations have root",
        ),
        (
            "the parent of a header",
            &|files| {
                rewrite(files, "journal", |body| {
                    if body[0] == 2 && body[1..ITEM] == 5u64.to_be_bytes() {
                        body[ITEM + PARENT] ^= 1;
                    }
                })
            },
            "",
        ),
        (
            "a figure in the receipts",
            &|files| {
                rewrite(files, "receipts", |body| {
                    receipts(body, 5, &|item| {
                        let place = item.iter().rposition(|byte| byte.is_ascii_digit()).expect("a digit");
                        item[place] = if item[place] == b'9' { b'8' } else { item[place] + 1 };
                    })
                })
            },
            "the receipts of height 5",
        ),
        (
            "the root beside the receipts",
            &|files| rewrite(files, "receipts", |body| receipts(body, 5, &|item| item[Header::BYTES] ^= 1)),
            "according to the receipts",
        ),
        (
            "the place of an operation",
            &|files| {
                let name = names(files, "receipts", ".ids").remove(1);
                let mut bytes = files.bytes(&name).expect("ids");
                let last = bytes.len() - 1;
                bytes[last] ^= 1;
                write(files, &name, &bytes);
            },
            "the places in it are not those of the operations",
        ),
        (
            "the genesis",
            &|files| {
                let text = String::from_utf8(files.bytes("genesis.json").expect("a genesis")).expect("text");
                write(files, "genesis.json", text.replacen("1000,", "2000,", 1).as_bytes());
            },
            "",
        ),
    ];
    for (what, alter, expected) in cases {
        let files = whole.fork();
        alter(&files);
        let fault = verified(&files, store.content().0).err();
        let text = fault.as_ref().map(ToString::to_string).unwrap_or_default();
        assert!(fault.is_some() && text.contains(expected), "{what}: {text:?}");
    }
}

#[test]
fn a_store_that_says_something_else_than_the_journal_is_found() {
    let (_, files, store) = folder();
    let own = store.content().0.expect("it has heights");
    let root = Committed { root: [7; 32], ..own };
    let fault = verified(&files, Some(root)).expect_err("another root");
    assert!(matches!(&fault, Fault::Diverged { by, .. } if by == "the folder's store"), "{fault}");
    let digest = Committed { digest: [7; 32], ..own };
    let fault = verified(&files, Some(digest)).expect_err("another block");
    assert_eq!(
        fault,
        Fault::StoreDiffers { height: own.height, store: Digest([7; 32]), journal: Digest(own.digest) }
    );
    let ahead = Committed { height: own.height + 1, ..own };
    let fault = verified(&files, Some(ahead)).expect_err("a block that the journal does not have");
    assert_eq!(fault, Fault::JournalBehindStore { store: own.height + 1, journal: own.height + 1 });
}

#[test]
fn blocks_that_were_cut_off_are_missed() {
    let (_, files, _) = folder();
    // As after restoring an older copy of the newest file: it ends with a seal.
    let newest = names(&files, "journal", ".log").pop().expect("a segment");
    let bytes = files.bytes(&newest).expect("its bytes");
    let size = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize + 8;
    let shorter = if bytes.len() > size { &bytes[..size] } else { &bytes[..] };
    write(&files, &newest, shorter);
    let fault = verified(&files, None).expect_err("blocks are missing");
    assert!(matches!(fault, Fault::JournalBehindReceipts { .. }), "{fault}");
    let fault = open(&files, &TestStore::default()).err().expect("and it does not go on without them");
    assert!(matches!(fault, Fault::JournalBehindReceipts { .. }), "{fault}");
}

#[test]
fn a_folder_of_another_version_is_refused_with_what_to_do() {
    let (_, whole, store) = folder();
    for (format, expected) in [(0u16, "see `Versions` in docs/reference/ledger.md"), (2, "or a newer one")] {
        let files = whole.fork();
        rewrite(&files, "journal", |body| {
            if body[0] == 1 {
                body[9..11].copy_from_slice(&format.to_be_bytes());
            }
        });
        for fault in [open(&files, &store.fork()).err(), verified(&files, None).err()] {
            let text = fault.as_ref().map(ToString::to_string).unwrap_or_default();
            assert!(
                matches!(fault, Some(Fault::Format { found, known: 1, .. }) if found == format),
                "{text}"
            );
            assert!(text.contains(expected), "{text}");
        }
    }
    // Receipts of another version are made again: they are nobody's truth.
    let files = whole.fork();
    rewrite(&files, "receipts", |body| {
        if body[0] == 1 {
            body[9..11].copy_from_slice(&2u16.to_be_bytes());
        }
    });
    open(&files, &store).expect("it opens").close().expect("it goes on");
    assert!(verified(&files, None).is_ok());
}
