//! What a staker's position costs in memory: resident set before and after a million of them.
//!
//! `cargo bench -p protocol --bench memory`

#![allow(clippy::print_stdout, reason = "a measurement is printed")]

mod network;

use network::{Size, build};

/// Resident bytes of this process, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

fn main() {
    let stakers = 1_000_000_u32;
    let Some(before) = resident() else {
        println!("skipped: this system does not tell a process's resident set");
        return;
    };
    let state = build(Size { operators: 10, sets: 4, assets: 1, stakers });
    let after = resident().expect("it told before");
    let each = (after - before) / u64::from(stakers);
    println!(
        "{stakers} stakers with one position each: {each} bytes a position, account and its index included"
    );
    drop(state);
}
