//! Random histories on which the ledger and the naive model must agree, after every operation.
//!
//! A history that fails is shrunk and printed as lines that belong into `tests/histories`, where every file is replayed for ever.

use std::fs;
use std::path::Path;

use sim::history::{Counts, Effort, run, shrink};
use sim::script::Script;
use sim::workload::play;

/// Operations of each history, after its world has been set up.
const OPERATIONS: u64 = 220;
/// Histories of each test.
const SEEDS: u64 = 32;

fn check(seeds: std::ops::Range<u64>) {
    let mut counts = Counts::default();
    for seed in seeds {
        let played = play(seed, OPERATIONS, None, Effort::FULL);
        match played.result {
            Ok(found) => counts.add(&found),
            Err(failure) => {
                let (script, shrunk) = shrink(&played.script, None);
                panic!("seed {seed}, {failure}; shrunk, {shrunk}:\n{}", script.to_lines());
            }
        }
    }
    let refused = 100 * counts.refused / counts.operations();
    assert!((10..=40).contains(&refused), "{refused} % of the operations are refused: {counts:?}");
    assert!(
        50 * counts.skipped < counts.operations(),
        "more than 2 % of the operations are too close to call: {counts:?}"
    );
}

macro_rules! histories {
    ($($name:ident: $part:literal),* $(,)?) => {$(
        #[test]
        fn $name() {
            check($part * SEEDS..($part + 1) * SEEDS);
        }
    )*};
}

histories! {
    the_ledger_and_the_model_agree_on_the_first_histories: 0,
    the_ledger_and_the_model_agree_on_the_second_histories: 1,
    the_ledger_and_the_model_agree_on_the_third_histories: 2,
    the_ledger_and_the_model_agree_on_the_fourth_histories: 3,
    the_ledger_and_the_model_agree_on_the_fifth_histories: 4,
    the_ledger_and_the_model_agree_on_the_sixth_histories: 5,
    the_ledger_and_the_model_agree_on_the_seventh_histories: 6,
    the_ledger_and_the_model_agree_on_the_eighth_histories: 7,
}

#[test]
fn histories_that_once_failed_are_replayed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/histories");
    let files = fs::read_dir(&folder).expect("the folder of histories is there");
    for file in files {
        let path = file.expect("a file of the folder").path();
        let text = fs::read_to_string(&path).expect("a history is text");
        let script = Script::from_lines(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        if let Err(failure) = run(&script, None, Effort { check_every: 1 }) {
            panic!("{}: {failure}", path.display());
        }
    }
}

#[test]
fn a_seed_is_one_history_for_ever_and_its_lines_read_back() {
    let [first, second] = [7, 7].map(|seed| play(seed, 60, None, Effort::FULL).script);
    assert_eq!(first, second);
    assert_eq!(Script::from_lines(&first.to_lines()), Ok(first));
}
