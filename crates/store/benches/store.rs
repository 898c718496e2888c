//! What the store costs, beside the hashing of the same bytes in the same run.
//!
//! `cargo bench -p store [-- ENTRIES BATCH CACHE_MIB THREADS]`: inserts that many entries in batches, overwrites as many in random order, proves some, and opens the store again. Prints a table.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use ledger::store::{Store as _, Write};
use sha2::{Digest as _, Sha256};
use store::{Options, QmdbStore, verify};

/// Bytes of a value, about those of a position.
const VALUE: usize = 96;
/// Proofs of each kind.
const PROOFS: u64 = 2_000;

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let mut numbers =
        std::env::args().skip(1).filter_map(|argument| argument.replace('_', "").parse::<u64>().ok());
    let entries = numbers.next().unwrap_or(1_000_000);
    let batch = numbers.next().unwrap_or(10_000).max(1);
    let mut options = Options::default();
    if let Some(mebibytes) = numbers.next() {
        options.page_cache_bytes = usize::try_from(mebibytes)? << 20;
    }
    if let Some(threads) = numbers.next() {
        options.threads = usize::try_from(threads)?.try_into()?;
    }
    let folder = tempfile::tempdir()?;
    let mut out = io::stdout().lock();
    let hashing = hashing(entries);
    let rate = per_second(entries, hashing);
    writeln!(
        out,
        "entries {entries}, batches of {batch}, keys of 32 bytes, values of {VALUE}; hashing is SHA-256 of key and value, one core"
    )?;
    writeln!(out, "{:<44} {:>10.0} entries/s {:>8}", "hashing the same bytes", rate, "1.00")?;

    let mut height = 0;
    let mut store = QmdbStore::open(folder.path(), options.clone())?;
    let began = memory();
    for (name, order) in [("insert", in_order as fn(u64, u64) -> u64), ("overwrite", scattered)] {
        let mut times = Vec::new();
        let whole = Instant::now();
        for first in (0..entries).step_by(usize::try_from(batch)?) {
            let mut writes: Vec<Write> = (first..entries.min(first + batch))
                .map(|number| (key(order(number, entries)), Some(value(number ^ height))))
                .collect();
            writes.sort_unstable();
            let start = Instant::now();
            store.commit(height, [7; 32], writes)?;
            times.push(start.elapsed());
            height += 1;
        }
        store.sync()?;
        let rate_here = per_second(entries, whole.elapsed());
        writeln!(
            out,
            "{name:<44} {rate_here:>10.0} entries/s {:>8.2}  commit p50 {:?}, p99 {:?}",
            rate_here / rate,
            quantile(&mut times, 50),
            quantile(&mut times, 99)
        )?;
    }
    proofs(&mut out, &store, entries)?;
    writeln!(
        out,
        "{:<44} {:>10} MB",
        "memory of the process, grown by",
        (memory().saturating_sub(began)) / 1_000_000
    )?;
    drop(store);
    writeln!(
        out,
        "{:<44} {:>10} MB, {} MB of keys and values",
        "disk",
        size(folder.path())? / 1_000_000,
        entries * (32 + 96) / 1_000_000
    )?;
    reopen(&mut out, folder.path(), options, entries, hashing)
}

fn proofs(out: &mut impl io::Write, store: &QmdbStore, entries: u64) -> Outcome {
    for (name, shift) in [("proof of an entry", 0), ("proof of an absence", 1)] {
        let (mut making, mut checking, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..PROOFS {
            let mut key = key(scattered(number, entries));
            key[31] ^= shift;
            let start = Instant::now();
            let proof = store.prove(&key)?;
            making.push(start.elapsed());
            let start = Instant::now();
            verify(&proof.at.root, &key, proof.value.as_deref(), &proof.bytes)?;
            checking.push(start.elapsed());
            sizes.push(proof.bytes.len());
        }
        sizes.sort_unstable();
        writeln!(
            out,
            "{name:<44} {:>10} bytes, at most {}; made in p50 {:?}, p99 {:?}; checked in p50 {:?}",
            sizes[sizes.len() / 2],
            sizes[sizes.len() - 1],
            quantile(&mut making, 50),
            quantile(&mut making, 99),
            quantile(&mut checking, 50)
        )?;
    }
    Ok(())
}

fn reopen(
    out: &mut impl io::Write,
    folder: &Path,
    options: Options,
    entries: u64,
    hashing: Duration,
) -> Outcome {
    let start = Instant::now();
    let store = QmdbStore::open(folder, options)?;
    let opened = start.elapsed();
    let mut seen = 0;
    store.entries(&mut |key, value| {
        black_box((key, value));
        seen += 1;
        Ok(())
    })?;
    let whole = start.elapsed();
    if seen != entries {
        return Err(format!("{seen} entries came back, and {entries} are there").into());
    }
    writeln!(out, "{:<44} {:>10.2?}", "open again", opened)?;
    writeln!(
        out,
        "{:<44} {:>10.2?}  {:.1} times the hashing",
        "open again and stream all entries",
        whole,
        whole.as_secs_f64() / hashing.as_secs_f64()
    )?;
    Ok(())
}

fn hashing(entries: u64) -> Duration {
    let pairs: Vec<_> = (0..entries.min(100_000)).map(|number| (key(number), value(number))).collect();
    let start = Instant::now();
    for (key, value) in &pairs {
        black_box(Sha256::new().chain_update(key).chain_update(value).finalize());
    }
    start.elapsed().mul_f64(entries as f64 / pairs.len() as f64)
}

/// The key of an entry, spread like a hash.
fn key(number: u64) -> [u8; 32] {
    Sha256::digest(number.to_be_bytes()).into()
}

fn value(number: u64) -> Vec<u8> {
    number.to_be_bytes().repeat(VALUE / 8)
}

fn in_order(number: u64, _: u64) -> u64 {
    number
}

/// Another number of 0..entries for each number: a multiplication by a prime that is larger than any count used here.
fn scattered(number: u64, entries: u64) -> u64 {
    u64::try_from(u128::from(number) * 2_305_843_009_213_693_951 % u128::from(entries)).unwrap_or(0)
}

fn per_second(entries: u64, time: Duration) -> f64 {
    entries as f64 / time.as_secs_f64()
}

fn quantile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100]
}

/// Bytes of this process in memory, where the system says so.
fn memory() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1_024
}

fn size(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
