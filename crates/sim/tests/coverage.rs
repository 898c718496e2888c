//! What the workload reaches: a test that never asks for something proves nothing about it.

use std::collections::BTreeMap;

use protocol::operation::Kind;
use sim::history::{Effort, Outcome, Session};
use sim::script::Step;
use sim::workload::play;

/// Never more than what the fast suite plays.
const SEEDS: u64 = 64;
const OPERATIONS: u64 = 220;

/// How often each operation was applied, by name, and how often each refusal occurred, by code.
fn outcomes() -> BTreeMap<String, u64> {
    let effort = Effort { verify_every: 1, check_every: 64 };
    let mut outcomes = BTreeMap::new();
    for seed in 0..SEEDS {
        let script = play(seed, OPERATIONS, None, effort).script;
        let mut session = Session::new(script.genesis.clone(), None, effort);
        for step in &script.steps {
            let Step::Apply(_, operation) = step else {
                session.step(step).unwrap();
                continue;
            };
            let code = match session.step(step) {
                Ok(Outcome::Refused(code)) => code,
                _ => operation.kind().name().to_owned(),
            };
            *outcomes.entry(code).or_default() += 1;
        }
    }
    outcomes
}

#[test]
fn every_operation_succeeds_and_is_refused_somewhere() {
    let outcomes = outcomes();
    if let Ok(p) = std::env::var("COV") {
        let mut report = String::new();
        for (k, v) in &outcomes {
            report += &format!("{k} {v}\n");
        }
        std::fs::write(p, report).unwrap();
    }
    let asked = Kind::ALL.iter().filter(|kind| !matches!(kind, Kind::SetKeys | Kind::SetGroups));
    let missing: Vec<&str> =
        asked.map(|kind| kind.name()).filter(|name| !outcomes.contains_key(*name)).collect();
    assert!(missing.is_empty(), "never applied: {missing:?}");
}
