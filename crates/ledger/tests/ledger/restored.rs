//! A state that was restored from its entries goes on exactly as the one that wrote them: the same entries are touched, with the same bytes. The
//! root depends on it.

use protocol::entries::Key;
use protocol::{State, advance_epoch, apply};

use crate::world::{EPOCH_MS, History, Planned, START_MS, history};

fn execute(state: &mut State, block: &Planned) -> Vec<(Key, Option<Vec<u8>>)> {
    state.begin_block(block.time_ms);
    let target = (block.time_ms - START_MS) / EPOCH_MS;
    while u64::from(state.epoch().number()) < target {
        advance_epoch(state);
    }
    for operation in &block.operations {
        drop(apply(state, operation.authority(), &operation.signed().operation));
    }
    let touched = state.take_touched();
    touched.into_iter().map(|key| (key, state.entry(&key))).collect()
}

fn restored(state: &State) -> State {
    // In whatever order a store has them.
    let entries = state.keys().into_iter().rev().map(|key| (key, state.entry(&key).expect("a listed entry")));
    let mut restored = State::restore(entries).expect("its own entries");
    // As the ledger does when it opens.
    restored.track();
    drop(restored.take_touched());
    restored
}

fn check(history: &History, seed: u64) {
    let mut state = State::new(history.genesis.protocol.clone()).expect("a genesis that holds");
    state.track();
    for opening in &history.genesis.opening {
        let verified = ledger::Verified::plain(opening.account, opening.operation.clone());
        drop(apply(&mut state, verified.authority(), &opening.operation));
    }
    drop(state.take_touched());
    for (index, block) in history.blocks.iter().enumerate() {
        let mut other = restored(&state);
        let written = execute(&mut state, block);
        let again = execute(&mut other, block);
        let keys = |writes: &[(Key, Option<Vec<u8>>)]| {
            writes.iter().map(|(key, _)| key.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(keys(&again), keys(&written), "history {seed}, block {index}: other entries are touched");
        for (one, other) in written.iter().zip(&again) {
            assert_eq!(one, other, "history {seed}, block {index}: {} has other bytes", one.0);
        }
    }
}

#[test]
fn a_restored_state_goes_on_as_the_one_that_wrote_it() {
    for seed in 0..4 {
        check(&history(seed, 60, 5), seed);
    }
    check(&history(9, 600, 20), 9);
}
