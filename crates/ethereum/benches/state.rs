//! How long it takes to prove validators of a state with 2.5 million of them, and how much memory.
//!
//! `cargo bench -p ethereum --bench state [-- VALIDATORS]`. The state is made in the folder for passing things, which needs 400 MB of room.

#![allow(clippy::print_stdout, reason = "a bench says its figures")]

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::time::Instant;

use ethereum::{State, Wanted};
use fixtures::World;

/// The most memory that the process has had, in kB; of Linux only.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Makes the state, if this process is to. Memory is counted in one that has not made it.
fn make(path: &std::path::Path, slot: u64, validators: u64) {
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    World::new(8).write_state(slot, validators, &mut file).expect("room on the disk");
    file.flush().expect("room on the disk");
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [task, path, slot, validators] = arguments.as_slice() {
        let (slot, validators) = (slot.parse().expect("a slot"), validators.parse().expect("a number"));
        match task.as_str() {
            "make" => make(path.as_ref(), slot, validators),
            _ => prove(path.as_ref(), validators),
        }
        return;
    }
    let validators = arguments.first().map_or("2500000", String::as_str);
    let program = std::env::current_exe().expect("this program");
    for (fork, slot) in [("fulu", 3 * 8192 + 640), ("gloas", 4 * 8192 + 640)] {
        println!("{fork}, {validators} validators");
        let path = std::env::temp_dir().join(format!("surety-bench-{}.ssz", std::process::id()));
        for task in ["make", "prove"] {
            let words = [task, &path.display().to_string(), &slot.to_string(), validators];
            let ended = std::process::Command::new(&program).args(words).status().expect("this program");
            assert!(ended.success(), "{task}");
        }
        std::fs::remove_file(&path).expect("it was made");
    }
}

/// Proves a thousand validators, scattered over the whole list.
fn prove(path: &std::path::Path, validators: u64) {
    let world = World::new(8);
    let step = (validators / 1000).max(1);
    let wanted = Wanted {
        indices: (0..validators).step_by(usize::try_from(step).expect("small")).collect(),
        ..Wanted::default()
    };
    for round in ["first", "again"] {
        let file = File::open(path).expect("it was made");
        let length = file.metadata().expect("a file").len();
        let start = Instant::now();
        let mut source = BufReader::with_capacity(1 << 20, file);
        let state = State::read(&mut source, length, world.chain().schedule(), &wanted, &mut |_| {});
        let state = state.expect("a state");
        let read = start.elapsed();
        let start = Instant::now();
        let proven = state.prove().expect("a proof");
        let (count, siblings) = (proven.balances.len(), proven.validators.siblings.siblings().len());
        println!(
            "  {round}: {length} bytes read in {read:.2?}, {count} validators proven in {:.2?}, {siblings} siblings",
            start.elapsed()
        );
    }
    println!("  most memory: {} kB", peak().unwrap_or_default());
}
