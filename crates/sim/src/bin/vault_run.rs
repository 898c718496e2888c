//! Plays histories of vaults and a basket, one seed after the other. A sequence is a history of its own on a fresh ledger.
//!
//! `cargo run --release -p sim --bin vault_run -- --sequences 1000000 --operations 24 --seed 1`; `--help` says the rest.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a command")]

use std::process::ExitCode;
use std::time::Instant;

use sim::vaults::{Counts, play, run};

const HELP: &str = "Plays random histories of vaults and a basket; the ledger and the books must say the same after every step.

  --sequences COUNT   histories, each on a fresh ledger (1000000)
  --operations COUNT  turns of each (24)
  --seed NUMBER       the histories are other ones (1)
  --seconds COUNT     end after so many, however few were played
  --stress            a run on a vault instead: 19.6 % of the supply asks out within 33 days

Progress every 10,000 sequences; the last line has the sums. It ends with 1 where anything differs, and says the sequence.";
/// How often it is said how far it is.
const TOLD: u64 = 10_000;
/// Every so many sequences, one in which the ledger's invariants are checked after every step.
const CHECKED: u64 = 16;

fn argument(name: &str, default: u64) -> Result<u64, String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    match (arguments.next(), arguments.next()) {
        (None, _) => Ok(default),
        (_, Some(value)) => value.parse().map_err(|error| format!("{name} {value}: {error}")),
        (_, None) => Err(format!("{name} needs a number")),
    }
}

fn stress() {
    let found = run::run();
    let waits = [50, 90, 99, 100].map(|percent| (percent, found.percentile(percent)));
    let (count, forced) = (found.waits.len(), found.forced);
    println!(
        "{count} tickets paid, {} not; {forced} forced moves; epochs waited by percentile: {waits:?}",
        found.unpaid
    );
}

fn histories() -> Result<(), String> {
    let (sequences, seed) = (argument("--sequences", 1_000_000)?, argument("--seed", 1)?);
    let (operations, seconds) = (argument("--operations", 24)?, argument("--seconds", u64::MAX)?);
    let started = Instant::now();
    let mut counts = Counts::default();
    let mut played = 0;
    while played < sequences && started.elapsed().as_secs() < seconds {
        let of_sequence = seed.wrapping_shl(32).wrapping_add(played);
        let found = play(of_sequence, operations, played.is_multiple_of(CHECKED));
        counts.add(&found.map_err(|why| format!("seed {seed}, sequence {played}: {why}"))?);
        played += 1;
        if played.is_multiple_of(TOLD) {
            println!("{}", so_far(seed, played, &counts, started));
        }
    }
    println!("no difference in {}", so_far(seed, played, &counts, started));
    Ok(())
}

fn so_far(seed: u64, played: u64, counts: &Counts, started: Instant) -> String {
    let Counts { applied, refused, epochs } = counts;
    let seconds = started.elapsed().as_secs();
    format!(
        "seed {seed}: {played} sequences, {applied} operations applied, {refused} refused, {epochs} epochs, {seconds} s"
    )
}

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--help") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    if std::env::args().any(|argument| argument == "--stress") {
        stress();
        return ExitCode::SUCCESS;
    }
    match histories() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
