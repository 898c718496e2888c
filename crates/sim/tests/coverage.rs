//! What the workload reaches: a test that never asks for something proves nothing about it.

use std::collections::BTreeMap;

use protocol::operation::Kind;
use sim::history::{Effort, Outcome, Session};
use sim::script::Step;
use sim::workload::play;

/// Never more than what the fast suite plays.
const SEEDS: u64 = 64;
const OPERATIONS: u64 = 220;
/// Different refusals that those histories reach, at least.
const REFUSALS: usize = 130;

/// How often each operation was applied, by name, and how often each refusal occurred, by code.
fn outcomes() -> BTreeMap<String, u64> {
    let effort = Effort { check_every: 64 };
    let mut outcomes = BTreeMap::new();
    for seed in 0..SEEDS {
        let script = play(seed, OPERATIONS, None, effort).script;
        let mut session = Session::new(script.genesis.clone(), None, effort);
        for step in &script.steps {
            let outcome = session.step(step).unwrap_or_else(|what| panic!("seed {seed}: {what}"));
            let code = match (step, outcome) {
                (_, Outcome::Refused(code)) => code,
                (Step::Apply(_, operation), Outcome::Applied) => operation.kind().name().to_owned(),
                _ => continue,
            };
            *outcomes.entry(code).or_default() += 1;
        }
    }
    outcomes
}

#[test]
fn every_operation_succeeds_somewhere() {
    let outcomes = outcomes();
    // What an account signs with is the authority's to test, labels are for caps, which the worlds here do not have, and neither do they
    // follow a chain: proofs of Ethereum are made in the tests of `protocol`.
    let of_chain = [
        Kind::BeginChain,
        Kind::UpdateChain,
        Kind::OpenBlock,
        Kind::AttestHeader,
        Kind::ReportContradiction,
        Kind::GovernChain,
        Kind::ReportPod,
        Kind::ReportSlashed,
        Kind::ReleasePod,
        Kind::TakeDeposits,
        Kind::SubmitFalseEvent,
    ];
    // Vaults have histories of their own (`sim::vaults`), and their tests say which operations those reach.
    let is_of_vaults = |kind: &&Kind| {
        let name = kind.name();
        ["vault", "shares", "basket", "bands", "route", "ticket"].iter().any(|word| name.contains(word))
    };
    let is_asked = |kind: &&Kind| {
        !is_of_vaults(kind) && !of_chain.contains(kind) && !matches!(kind, Kind::SetKeys | Kind::SetGroups)
    };
    let asked = Kind::ALL.iter().filter(is_asked);
    let names = asked.map(|kind| kind.name());
    let missing: Vec<&str> = names.filter(|name| !outcomes.contains_key(*name)).collect();
    assert!(missing.is_empty(), "never applied: {missing:?}");
    let refusals = outcomes.keys().filter(|code| code.contains('.')).count();
    assert!(refusals >= REFUSALS, "only {refusals} of {REFUSALS} kinds of refusal: {outcomes:?}");
}
