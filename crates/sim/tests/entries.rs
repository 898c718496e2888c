//! The entries of a state against the state itself, over random histories: what is noted as touched is all that changed, and a state
//! that was restored goes on as the one that wrote its entries.

use std::collections::BTreeMap;

use protocol::entries::Key;
use protocol::{State, advance_epoch, apply, view};
use sim::history::Effort;
use sim::script::{Script, Step};
use sim::workload;

/// The entries as a store has them: whatever was touched was copied, nothing else.
struct Copied {
    entries: BTreeMap<Key, Vec<u8>>,
}

impl Copied {
    fn of(state: &State) -> Self {
        let keys = state.keys().into_iter();
        Self {
            entries: keys.map(|key| (key, state.entry(&key).expect("a listed key has an entry"))).collect(),
        }
    }

    fn follow(&mut self, state: &State, touched: Vec<Key>) {
        for key in touched {
            match state.entry(&key) {
                Some(bytes) => drop(self.entries.insert(key, bytes)),
                None => drop(self.entries.remove(&key)),
            }
        }
    }
}

fn step(state: &mut State, step: &Step) {
    match step {
        Step::Apply(authority, operation) => drop(apply(state, authority, operation)),
        Step::Advance => drop(advance_epoch(state)),
    }
}

fn follow_history(seed: u64, script: &Script) {
    let mut state = State::new(script.genesis.clone()).expect("a genesis that was played");
    let mut restored = state.clone();
    state.track();
    restored.track();
    let mut copied = Copied::of(&state);
    for (number, next) in script.steps.iter().enumerate() {
        step(&mut state, next);
        step(&mut restored, next);
        let touched = state.take_touched();
        // What is committed decides the root, also where the bytes are the same.
        assert_eq!(
            restored.take_touched(),
            touched,
            "seed {seed}, step {number}: the restored state notes others"
        );
        copied.follow(&state, touched);
        if number % 50 == 49 || number + 1 == script.steps.len() {
            let at = format!("seed {seed}, after step {number}");
            let full = Copied::of(&state);
            for (key, bytes) in &full.entries {
                assert_eq!(copied.entries.get(key), Some(bytes), "{at}: {key} changed and was not noted");
            }
            assert_eq!(copied.entries.len(), full.entries.len(), "{at}: a removed entry was not noted");
            assert!(
                Copied::of(&restored).entries == full.entries,
                "{at}: the restored state went another way"
            );
            restored = State::restore(copied.entries.clone()).unwrap_or_else(|why| panic!("{at}: {why}"));
            restored.track();
            assert_eq!(view::view(&restored), view::view(&state), "{at}");
            protocol::invariants::check(&restored).unwrap_or_else(|violation| panic!("{at}: {violation}"));
        }
    }
}

#[test]
fn entries_follow_the_state_and_restore_it() {
    let rounds = std::env::var("SURETY_ENTRY_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    for seed in 0..rounds {
        let played = workload::play(seed, 1_000, None, Effort { check_every: 1_000 });
        assert!(played.result.is_ok(), "seed {seed}: the history itself fails");
        follow_history(seed, &played.script);
    }
}

#[test]
fn entries_with_a_gap_are_refused_by_name() {
    let played = workload::play(3, 600, None, Effort { check_every: 1_000 });
    let mut state = State::new(played.script.genesis.clone()).expect("a genesis that was played");
    for next in &played.script.steps {
        step(&mut state, next);
    }
    let whole = Copied::of(&state).entries;
    for missing in [Key::Genesis, Key::Network, Key::Asset(protocol::units::AssetId::new(0))] {
        let mut entries = whole.clone();
        entries.remove(&missing);
        let why = State::restore(entries).expect_err("something is missing");
        assert!(why.contains(&missing.to_string()), "{missing}: {why}");
    }
    let mut entries = whole;
    entries.insert(Key::Network, vec![1, 2, 3]);
    let why = State::restore(entries).expect_err("the network can't be read");
    assert!(why.starts_with("entry network: "), "{why}");
}
