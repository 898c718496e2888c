//! Plays histories of one seed after the other until so many operations have been decided alike by the ledger and the model.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a command")]

use std::process::ExitCode;
use std::time::Instant;

use sim::history::{Counts, Effort, shrink};
use sim::workload::play;

/// Operations of most histories; every sixteenth is longer.
const SHORT: u64 = 250;
const LONG: u64 = 2_000;

fn argument(name: &str, default: u64) -> Result<u64, String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    match (arguments.next(), arguments.next()) {
        (None, _) => Ok(default),
        (_, Some(value)) => value.parse().map_err(|error| format!("{name} {value}: {error}")),
        (_, None) => Err(format!("{name} needs a number")),
    }
}

fn main() -> ExitCode {
    let arguments =
        argument("--operations", 10_000_000).and_then(|operations| Ok((operations, argument("--seed", 1)?)));
    match arguments {
        Ok((operations, seed)) => long_run(operations, seed),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn long_run(operations: u64, seed: u64) -> ExitCode {
    std::panic::set_hook(Box::new(|_| {}));
    let effort = Effort { check_every: 16 };
    let started = Instant::now();
    let mut counts = Counts::default();
    let mut histories = 0_u64;
    println!(
        "seed {seed}: everything is compared after every step, and the invariants are checked after every 16"
    );
    while counts.operations() < operations {
        let of_history = seed.wrapping_shl(32).wrapping_add(histories);
        let length = if histories % 16 == 15 { LONG } else { SHORT };
        let played = play(of_history, length, None, effort);
        match played.result {
            Ok(found) => counts.add(&found),
            Err(failure) => {
                let (script, shrunk) = shrink(&played.script, None);
                println!(
                    "seed {seed}, history {histories} ({of_history}), {failure}; shrunk, {shrunk}:\n{}",
                    script.to_lines()
                );
                return ExitCode::FAILURE;
            }
        }
        histories += 1;
        if histories.is_multiple_of(256) {
            report(&counts, histories, seed, started);
        }
    }
    report(&counts, histories, seed, started);
    ExitCode::SUCCESS
}

fn report(counts: &Counts, histories: u64, seed: u64, started: Instant) {
    let Counts { applied, refused, skipped, epochs } = counts;
    let (operations, seconds) = (counts.operations(), started.elapsed().as_secs());
    println!(
        "seed {seed}: {operations} operations ({applied} applied, {refused} refused, {skipped} too close to call) and {epochs} epochs \
         in {histories} histories, {seconds} s"
    );
}
