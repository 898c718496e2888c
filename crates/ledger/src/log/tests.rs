use std::sync::Arc;

use super::*;
use crate::files::Files;
use crate::files::memory::{MemoryFiles, Plan, Restart, Trouble};

const CHAIN: Digest = Digest([5; 32]);

fn identity(care: Care) -> Identity {
    Identity { folder: "log", magic: *b"TESTTEST", chain: CHAIN, care, remedy: "mend it" }
}

/// A log with what was cut away and what was seen when it was opened.
type Opened = (Log, Vec<Cut>, Vec<Vec<u8>>);

fn open(files: &MemoryFiles, care: Care) -> Result<Opened, Fault> {
    let mut seen = Vec::new();
    let since = Since::Height(0);
    let (mut log, cuts) = Log::open(Arc::new(files.clone()), identity(care), since, &mut |height, item| {
        assert_eq!(height, seen.len() as u64);
        seen.push(item.to_vec());
        Ok(())
    })?;
    log.set_segment_bytes(300);
    Ok((log, cuts, seen))
}

fn item(height: u64) -> Vec<u8> {
    vec![u8::try_from(height % 251).unwrap(); usize::try_from(height * 7 % 90).unwrap()]
}

fn filled(care: Care, items: u64) -> MemoryFiles {
    let files = MemoryFiles::new();
    let (mut log, _, _) = open(&files, care).unwrap();
    for height in 0..items {
        log.append(|out| out.extend(item(height))).unwrap();
    }
    log.sync().unwrap();
    files
}

fn names(files: &MemoryFiles) -> Vec<String> {
    files.list("log").unwrap().into_iter().map(|name| format!("log/{name}")).collect()
}

#[test]
fn items_come_back_in_order_and_by_height() {
    let files = filled(Care::Truth, 100);
    assert!(names(&files).len() > 5);
    let (log, cuts, seen) = open(&files, Care::Truth).unwrap();
    assert_eq!((log.next(), cuts, seen.len()), (100, Vec::new(), 100));
    let reader = log.reader();
    for height in 0..100 {
        assert_eq!(seen[height as usize], item(height));
        assert_eq!(reader.read(height).unwrap(), Some(item(height)));
        let walked: Vec<_> = reader.walk(height).map(Result::unwrap).collect();
        assert_eq!(walked.len() as u64, 100 - height);
        assert_eq!(walked[0], (height, item(height)));
    }
    assert_eq!(reader.read(100).unwrap(), None);
}

#[test]
fn a_reader_sees_what_is_appended_after_it_was_made() {
    let files = MemoryFiles::new();
    let (mut log, _, _) = open(&files, Care::Truth).unwrap();
    let reader = log.reader();
    let mut walk = reader.walk(0);
    for height in 0..50 {
        assert_eq!(reader.read(height).unwrap(), None);
        log.append(|out| out.extend(item(height))).unwrap();
        assert_eq!(walk.next().unwrap().unwrap(), (height, item(height)));
    }
    assert!(walk.next().is_none());
}

/// A log whose last item was cut after each number of bytes: it opens with the items before.
#[test]
fn a_torn_end_is_cut_wherever_it_is() {
    let files = filled(Care::Truth, 3);
    let whole = files.bytes(&names(&files)[0]).unwrap();
    let (mut log, _, _) = open(&files, Care::Truth).unwrap();
    log.append(|out| out.extend([9; 40])).unwrap();
    let longer = files.bytes(&names(&files)[0]).unwrap();
    for size in whole.len()..longer.len() {
        let torn = files.fork();
        let name = names(&torn)[0].clone();
        torn.open(&name, Access::Append).unwrap().truncate(size as u64).unwrap();
        let (log, cuts, seen) = open(&torn, Care::Truth).unwrap();
        // Once the item is whole, only its seal is missing.
        let kept = if size >= longer.len() - scan::SEAL { 4 } else { 3 };
        assert_eq!((log.next(), seen.len()), (kept, kept as usize), "{size}");
        let is_clean = size == whole.len() || size == longer.len() - scan::SEAL;
        assert_eq!(cuts.is_empty(), is_clean, "{size}: {cuts:?}");
        drop(log);
        torn.restart(Restart::PowerLost { seed: size as u64 });
        let (_, cuts, seen) = open(&torn, Care::Truth).unwrap();
        // The seal that says so need not be.
        assert!(
            cuts.iter().all(|cut| cut.bytes <= scan::SEAL as u64) && seen.len() == kept as usize,
            "the cut is durable"
        );
    }
}

#[test]
fn damage_before_a_seal_stops_and_names_the_place() {
    let files = filled(Care::Truth, 40);
    for name in names(&files) {
        let size = files.bytes(&name).unwrap().len();
        // The last seal has none behind it: what it says is known from the item before.
        let last = if Some(&name) == names(&files).last() { size - scan::SEAL } else { size };
        for offset in 0..last {
            let spoilt = files.fork();
            spoilt.flip(&name, offset, (offset % 8) as u8);
            match open(&spoilt, Care::Truth) {
                Err(Fault::Damaged { file, offset: place, .. }) => {
                    assert!(file == name && place <= offset as u64, "{name} {offset}: {file} {place}");
                }
                Err(Fault::Format { .. } | Fault::OtherLedger { .. }) => panic!("the checksum comes first"),
                Err(fault) => panic!("{name} {offset}: {fault}"),
                Ok((_, cuts, _)) => panic!("{name} {offset}: opened, {cuts:?}"),
            }
        }
    }
}

#[test]
fn a_log_that_can_be_rebuilt_is_cut_at_the_damage() {
    let files = filled(Care::Rebuildable, 60);
    for (index, name) in names(&files).into_iter().enumerate() {
        let spoilt = files.fork();
        let size = spoilt.bytes(&name).unwrap().len();
        spoilt.flip(&name, size / 2 + index, 1);
        let (mut log, cuts, seen) = open(&spoilt, Care::Rebuildable).unwrap();
        assert_eq!(cuts.len(), 1);
        assert!(seen.len() < 60);
        for height in log.next()..60 {
            log.append(|out| out.extend(item(height))).unwrap();
        }
        drop(log);
        let (_, cuts, seen) = open(&spoilt, Care::Rebuildable).unwrap();
        assert_eq!((cuts.len(), seen.len()), (0, 60));
    }
}

#[test]
fn a_log_can_be_cut_at_any_height() {
    let files = filled(Care::Rebuildable, 60);
    for next in 0..=60 {
        let cut = files.fork();
        let (log, _, _) = open(&cut, Care::Rebuildable).unwrap();
        let mut log = log.cut(next).unwrap();
        assert_eq!(log.next(), next);
        log.append(|out| out.extend([1, 2, 3])).unwrap();
        assert_eq!(log.reader().read(next).unwrap(), Some(vec![1, 2, 3]));
        drop(log);
        let (_, cuts, seen) = open(&cut, Care::Rebuildable).unwrap();
        assert_eq!((cuts.len(), seen.len() as u64), (0, next + 1));
    }
}

#[test]
fn files_of_other_ledgers_versions_and_kinds_are_refused() {
    let files = filled(Care::Truth, 5);
    let opened = |identity: Identity| {
        let opened = Log::open(Arc::new(files.fork()), identity, Since::Height(0), &mut |_, _| Ok(()));
        opened.map(|_| ()).expect_err("refused")
    };
    let own = identity(Care::Truth);
    let fault = opened(Identity { chain: Digest([6; 32]), ..own });
    assert!(matches!(fault, Fault::OtherLedger { .. }), "{fault}");
    let fault = opened(Identity { magic: *b"OTHEROTH", ..own });
    assert!(matches!(fault, Fault::Damaged { .. }), "{fault}");

    let mut bytes = vec![0; scan::FRAME];
    bytes.push(record::OPENING);
    bytes.extend_from_slice(&own.magic);
    bytes.extend_from_slice(&(FORMAT + 1).to_be_bytes());
    bytes.extend_from_slice(&[0; 40]);
    scan::close(&mut bytes);
    let newer = MemoryFiles::new();
    newer.open("log/00000000000000000000.log", Access::Append).unwrap().append(&bytes).unwrap();
    let fault = open(&newer, Care::Truth).map(|_| ()).expect_err("refused");
    assert!(fault.to_string().contains("use the program that wrote it, or a newer one"), "{fault}");
}

#[test]
fn a_missing_segment_is_damage() {
    let files = filled(Care::Truth, 60);
    let all = names(&files);
    for (index, name) in all.iter().enumerate() {
        let spoilt = files.fork();
        spoilt.remove(name).unwrap();
        let result = open(&spoilt, Care::Truth);
        // Without the last there is nothing that shows it: the ledger's store and headers do.
        assert_eq!(result.is_err(), index + 1 < all.len(), "{name}");
    }
}

fn open_newest(files: &MemoryFiles, care: Care) -> Result<(Log, usize), Fault> {
    let mut seen = 0;
    let (log, _) = Log::open(Arc::new(files.clone()), identity(care), Since::Newest, &mut |_, _| {
        seen += 1;
        Ok(())
    })?;
    Ok((log, seen))
}

#[test]
fn of_old_segments_only_the_ends_are_read_until_somebody_asks() {
    let cases =
        [(Care::Truth, Since::Newest), (Care::Rebuildable, Since::Newest), (Care::Truth, Since::Height(500))];
    for (care, since) in cases {
        let files = filled(care, 600);
        let segments = names(&files).len();
        assert!(segments > 50);
        files.plan(None);
        let mut seen = 0;
        let opened = Log::open(Arc::new(files.clone()), identity(care), since, &mut |height, bytes| {
            assert_eq!(bytes, item(height));
            seen += 1;
            Ok(())
        });
        let (mut log, cuts) = opened.unwrap();
        let (_, reads) = files.points();
        assert!(cuts.is_empty() && log.next() == 600);
        match since {
            Since::Newest => assert!(seen < 30, "{seen}"),
            Since::Height(height) => assert!((600 - height..640 - height).contains(&seen), "{seen}"),
        }
        assert!(reads < 3 * segments as u64, "{reads} reads of {segments} segments");
        log.append(|out| out.extend(item(600))).unwrap();
        let reader = log.reader();
        for height in [0, 299, 7, 600, 301, 1] {
            assert_eq!(reader.read(height).unwrap(), Some(item(height)));
        }
        let walked: Vec<_> = reader.walk(3).map(Result::unwrap).collect();
        assert!(walked.iter().map(|(height, _)| *height).eq(3..=600));
        assert!(walked.iter().all(|(height, bytes)| *bytes == item(*height)));
    }
}

#[test]
fn damage_in_an_old_segment_is_told_by_whoever_reads_it() {
    let files = filled(Care::Truth, 100);
    let all = names(&files);
    let size = files.bytes(&all[1]).unwrap().len();
    for offset in 0..size {
        let spoilt = files.fork();
        spoilt.flip(&all[1], offset, (offset % 8) as u8);
        let Ok((log, _)) = open_newest(&spoilt, Care::Truth) else {
            // The ends are read at once.
            assert!(offset < 67 || offset >= size - scan::SEAL, "{offset}");
            continue;
        };
        let firsts = log.reader().firsts();
        let (first, next) = (firsts[1], firsts[2]);
        let read = log.reader().read(next - 1);
        assert!(matches!(read, Err(Fault::Damaged { remedy: "mend it", .. })), "byte {offset}");
        assert_eq!(log.reader().walk(0).filter(Result::is_err).count(), 1, "byte {offset}");
        assert_eq!(log.reader().read(first - 1).unwrap(), Some(item(first - 1)));
        assert_eq!(log.reader().read(next).unwrap(), Some(item(next)));
        assert!(Log::look(Arc::new(spoilt), identity(Care::Truth), &mut |_, _| Ok(())).is_err());
    }
}

#[test]
fn an_old_segment_that_is_missing_or_shorter_is_noticed_at_once() {
    let files = filled(Care::Truth, 100);
    let all = names(&files);
    for (index, name) in all.iter().enumerate().take(all.len() - 1) {
        let missing = files.fork();
        missing.remove(name).unwrap();
        assert!(open_newest(&missing, Care::Truth).is_err(), "{name}");
        if index + 2 >= all.len() {
            continue;
        }
        let size = files.bytes(name).unwrap().len();
        for shorter in 0..size {
            let cut = files.fork();
            cut.open(name, Access::Append).unwrap().truncate(shorter as u64).unwrap();
            assert!(open_newest(&cut, Care::Truth).is_err(), "{name} of {shorter} bytes");
        }
    }
}

#[test]
fn a_record_that_nobody_could_read_again_is_not_written() {
    assert!(check_size(RECORD_BYTES_MAX as usize, "log/1").is_ok());
    let fault = check_size(RECORD_BYTES_MAX as usize + 1, "log/1").unwrap_err();
    assert!(fault.to_string().contains("a record of 1073741825 bytes is larger than 1073741824"), "{fault}");
}

/// Whoever opens a log acts on what it shows: a sync that has failed before must not make that less than durable.
#[test]
fn what_opening_shows_after_a_failed_sync_is_durable() {
    for at in 0..60 {
        let files = filled(Care::Truth, 9);
        let (mut log, _, _) = open(&files, Care::Truth).unwrap();
        files.plan(Some(Plan { trouble: Trouble::LostSync, at, seed: at }));
        let done = (9..18).take_while(|height| log.append(|out| out.extend(item(*height))).is_ok()).count();
        assert_eq!(files.struck(), done < 9, "{at}");
        drop(log);
        files.restart(Restart::Killed);
        let (log, _, seen) = open(&files, Care::Truth).unwrap();
        assert!(seen.len() >= 9 + done, "{at}");
        drop(log);
        for seed in 0..24 {
            let files = files.fork();
            files.restart(Restart::PowerLost { seed });
            let (_, _, again) = open(&files, Care::Truth).unwrap();
            assert_eq!(again, seen, "{at} {seed}");
        }
    }
}

/// What is on the disk stays there while opening writes it again, wherever that is interrupted.
#[test]
fn opening_never_loses_what_is_durable() {
    let files = filled(Care::Truth, 9);
    files.restart(Restart::PowerLost { seed: 0 });
    for at in 0..12 {
        for trouble in [Trouble::Crash, Trouble::TornWrite, Trouble::LostSync] {
            let files = files.fork();
            files.plan(Some(Plan { trouble, at, seed: at }));
            drop(open(&files, Care::Truth));
            files.restart(Restart::PowerLost { seed: at });
            let (_, _, seen) = open(&files, Care::Truth).unwrap();
            assert_eq!(seen.len(), 9, "{trouble:?} at {at}");
        }
    }
}
