//! The light client as ledger state: begun, told, contradicted, decided.

use evidence::ethereum::{RememberedRoot, Update};
use protocol::ops;
use protocol::query::{self, Figure};
use protocol::units::Digest;
use protocol::{Event, Operation};

use crate::chain::{PERIOD, Run, WORLD};
use fixtures::Told;

fn tell(update: Update) -> Operation {
    Operation::UpdateChain(ops::update_chain::UpdateChain { update })
}

#[test]
fn a_ledger_follows_through_every_fork_and_is_restored_from_its_entries() {
    let mut run = Run::new(0);
    run.state.track();
    run.state.begin_block(5 * PERIOD * 12_000);
    for period in 0..5 {
        let finalized = period * PERIOD + 640;
        let events = run.must("anyone", tell(WORLD.update(Told::committee(finalized))));
        let told = Event::ChainUpdated { finalized: Some(finalized), committee: Some(period + 1), period };
        assert_eq!(events, [told]);
        let opening = WORLD.block(finalized, 0).opening();
        run.must("anyone", Operation::OpenBlock(ops::open_block::OpenBlock { slot: finalized, opening }));
        let names: Vec<String> = run.state.take_touched().iter().map(ToString::to_string).collect();
        for name in
            ["ethereum".to_owned(), format!("committee/{}", period + 1), format!("header/{finalized}")]
        {
            assert!(names.contains(&name), "{name} in {names:?}");
        }
        let keys: Vec<_> = run.state.keys();
        let restored = run.restored();
        assert_eq!(restored.keys(), keys);
        for key in keys {
            assert_eq!(restored.entry(&key), run.state.entry(&key), "{key}");
        }
    }
    // An update that was told before tells nothing, to the restored one as well.
    run.state = run.restored();
    let again = tell(WORLD.update(Told::committee(4 * PERIOD + 640)));
    assert_eq!(run.refused("anyone", again), "update_chain.NotProven");
    // Nobody knows the layout of what comes after Gloas.
    run.state.begin_block(7 * PERIOD * 12_000);
    run.must("anyone", tell(WORLD.update(Told::committee(5 * PERIOD + 640))));
}

#[test]
fn headers_that_are_forgotten_leave_no_entries() {
    let mut run = Run::new(1);
    run.state.track();
    for number in 1..=10 {
        run.must("anyone", tell(WORLD.update(Told::finality(PERIOD + 32 * number))));
    }
    let headers: Vec<String> =
        run.state.keys().iter().map(ToString::to_string).filter(|key| key.starts_with("header/")).collect();
    assert_eq!(headers.len(), 8, "as many as the genesis keeps");
    let touched: Vec<String> = run.state.take_touched().iter().map(ToString::to_string).collect();
    assert!(touched.contains(&format!("header/{PERIOD}")), "the first is gone, and the store has to know");
}

#[test]
fn what_is_not_true_or_comes_too_early_is_refused() {
    let mut run = Run::new(1);
    let (_, bootstrap) = WORLD.bootstrap(PERIOD);
    let again = Operation::BeginChain(ops::begin_chain::BeginChain { bootstrap });
    assert_eq!(run.refused("anyone", again), "begin_chain.Begun");
    let mut forged = WORLD.update(Told::finality(PERIOD + 640));
    forged.finalized.proposer_index += 1;
    assert_eq!(run.refused("anyone", tell(forged)), "update_chain.NotProven");
    let future = tell(WORLD.update(Told::finality(2 * PERIOD + 640)));
    assert_eq!(run.refused("anyone", future), "update_chain.NotProven");
    let opening = WORLD.block(PERIOD + 640, 0).opening();
    let block = |slot| Operation::OpenBlock(ops::open_block::OpenBlock { slot, opening: opening.clone() });
    assert_eq!(run.refused("anyone", block(PERIOD + 640)), "open_block.HeaderNotFound");
    assert_eq!(run.refused("anyone", block(PERIOD)), "open_block.NotProven");
    run.must("anyone", tell(WORLD.update(Told::finality(PERIOD + 640))));
    run.must("anyone", block(PERIOD + 640));
    assert_eq!(run.refused("anyone", block(PERIOD + 640)), "open_block.Opened");
}

/// Two thirds of a committee sign another block at a slot.
fn contradiction() -> (Update, Option<RememberedRoot>) {
    (WORLD.update(Told { salt: 9, ..Told::finality(PERIOD + 640) }), None)
}

#[test]
fn a_contradiction_stops_the_chain_until_it_is_decided_or_the_time_is_over() {
    let mut run = Run::new(1);
    let report = || {
        let (update, remembered) = contradiction();
        Operation::ReportContradiction(ops::report_contradiction::ReportContradiction { update, remembered })
    };
    assert_eq!(run.refused("anyone", report()), "report_contradiction.NotProven", "nothing was accepted yet");
    run.validator(5, run.pod("alice"), 32_000_000_000);
    run.validator(6, run.pod("bob"), 32_000_000_000);
    run.finalize(PERIOD + 320);
    run.checkpoint("bob", PERIOD + 320);
    run.must("anyone", tell(WORLD.update(Told::finality(PERIOD + 640))));
    let refused = run.refused("anyone", tell(contradiction().0));
    assert_eq!(refused, "update_chain.NotProven", "what contradicts is never taken");
    let events = run.must("anyone", report());
    assert!(matches!(events[..], [Event::ChainHalted { slot, .. }] if slot == PERIOD + 640));
    let checkpoint = Operation::ReportPod(run.report("alice", PERIOD + 320, true));
    assert_eq!(run.refused("anyone", checkpoint.clone()), "report_pod.Halted");
    assert_eq!(run.refused("anyone", report()), "report_contradiction.Halted");
    run.state = run.restored();
    assert_eq!(run.refused("anyone", checkpoint.clone()), "report_pod.Halted");

    // Nothing leaves and nothing joins, of this chain.
    let release =
        ops::release_pod::ReleasePod { validator: protocol::units::ValidatorId::new(0), amount: None };
    assert_eq!(run.refused("bob", Operation::ReleasePod(release)), "release_pod.Halted");
    let delegate = ops::delegate::Delegate {
        operator: protocol::units::OperatorId::new(0),
        asset: crate::chain::NATIVE,
        amount: protocol::units::Amount::new(1),
        validator: None,
        mandate: Digest([0; 32]),
        worst_case: protocol::units::Fraction::ONE,
    };
    assert_eq!(run.refused("bob", Operation::Delegate(delegate)), "delegate.ChainHalted");
    run.list("0xaa", protocol::AssetKind::Token, 18, protocol::RateSource::One);
    let (asset, amount) = (protocol::units::AssetId::new(1), protocol::units::Amount::new(1));
    let withdraw = ops::withdraw::Withdraw { asset, amount, to: "0xab".to_owned() };
    assert_eq!(run.refused("bob", Operation::Withdraw(withdraw)), "withdraw.ChainHalted");
    let raise = ops::raise_bond::RaiseBond { asset, amount };
    assert_eq!(run.refused("bob", Operation::RaiseBond(raise)), "raise_bond.ChainHalted");

    // Governance decides that what was accepted stands.
    let decide = |resume, trusted| {
        Operation::GovernChain(ops::govern_chain::GovernChain { schedule: None, trusted, resume })
    };
    assert_eq!(run.refused("anyone", decide(true, None)), "govern_chain.NotTheGovernor");
    let governor = run.state.genesis().governor;
    let by_governor = |run: &mut Run, operation| {
        let authority =
            protocol::Authority { account: governor, signer: protocol::Signer::Plain, expires: u64::MAX };
        protocol::apply(&mut run.state, &authority, &operation)
    };
    by_governor(&mut run, decide(true, None)).unwrap();
    assert_eq!(by_governor(&mut run, decide(true, None)).unwrap_err().code(), "govern_chain.NotHalted");
    // The same committee can't stop it again, or it could do so for ever.
    assert_eq!(run.refused("anyone", report()), "report_contradiction.Known");
    run.must("anyone", checkpoint);

    // Without a decision it is over after five epochs.
    let mut run = Run::new(1);
    run.must("anyone", tell(WORLD.update(Told::finality(PERIOD + 640))));
    run.must("anyone", report());
    run.validator(5, run.pod("alice"), 32_000_000_000);
    run.finalize(PERIOD + 960);
    run.advance(4);
    let checkpoint = Operation::ReportPod(run.report("alice", PERIOD + 960, true));
    assert_eq!(run.refused("anyone", checkpoint.clone()), "report_pod.Halted");
    run.advance(1);
    run.must("anyone", checkpoint);

    // Or governance believes the other one: the chain begins again, and stake stays.
    let mut run = Run::new(1);
    run.must("anyone", tell(WORLD.update(Told::finality(PERIOD + 640))));
    run.must("anyone", report());
    let (trusted, bootstrap) = WORLD.bootstrap(PERIOD + 704);
    by_governor(&mut run, decide(false, Some(Digest(trusted)))).unwrap();
    assert_eq!(
        run.refused("anyone", tell(WORLD.update(Told::finality(PERIOD + 960)))),
        "update_chain.NotBegun"
    );
    run.must("anyone", Operation::BeginChain(ops::begin_chain::BeginChain { bootstrap }));
    run.must("anyone", tell(WORLD.update(Told::finality(PERIOD + 960))));
    run.state = run.restored();
}

/// The chain began at the time 0 here, and a slot is 12 seconds: two periods and 700 slots since, and the newest final one is 640 into the second period.
#[test]
fn how_far_the_chain_is_can_be_explained() {
    let mut run = Run::new(1);
    run.must("anyone", tell(WORLD.update(Told::finality(PERIOD + 640))));
    run.state.begin_block((2 * PERIOD + 700) * 12_000 + 7);
    let shown = query::chain(&run.state).expect("it is followed");
    let explained = |figure: Figure| query::explain(&run.state, &figure).expect("it is explained");
    let (slot, age) = (explained(Figure::ChainSlot {}), explained(Figure::ChainAge {}));
    assert_eq!((slot.value.clone(), age.value.clone()), (shown.slot.to_string(), (PERIOD + 60).to_string()));
    assert_eq!(shown.age, Some(PERIOD + 60));
    let inputs: Vec<&str> = slot.inputs.iter().map(|input| input.value.as_str()).collect();
    let time = ((2 * PERIOD + 700) * 12_000 + 7).to_string();
    assert_eq!(inputs, [time.as_str(), "0"], "{}", slot.formula.unwrap_or_default());
    assert_eq!(age.inputs[0].source, "explain/chain_slot");
    let header = format!("header/{}", PERIOD + 640);
    assert_eq!(age.inputs[1].source, header);
    assert!(run.state.entry(&header.parse().expect("a key")).is_some(), "there is a proof of it");
    let page = include_str!("../../../../docs/reference/figures.md");
    for formula in [slot.formula, age.formula].into_iter().flatten() {
        assert!(page.contains(&formula), "{formula}");
    }
}
