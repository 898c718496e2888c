//! Pods: what is behind a withdrawal address, through every fork.
use protocol::ops;
use protocol::units::Amount;
use protocol::{Event, Kind, Operation};

use crate::chain::{ETHER, NATIVE, PERIOD, Run, address};
use evidence::ethereum::Withdrawal;

fn reported(events: &[Event]) -> (u128, u128, u128) {
    let found = events.iter().find_map(|event| match event {
        Event::PodReported { old, balance, withheld, .. } => {
            Some((old.units(), balance.units(), withheld.units()))
        }
        _ => None,
    });
    found.expect("a report")
}

const E: u128 = 1_000_000_000;

#[test]
fn moves_within_a_pod_leave_its_worth_as_it_is_in_every_fork() {
    for period in 0..5 {
        let mut run = Run::new(period);
        let pod = run.pod("alice");
        run.validator(5, pod, 32 * ETHER);
        run.validator(900_000, pod, 40 * ETHER);
        run.validator(7, run.pod("bob"), 32 * ETHER);
        run.finalize(period * PERIOD + 320);
        assert_eq!(
            reported(&run.checkpoint("alice", period * PERIOD + 320)),
            (0, 72 * E, 0),
            "period {period}"
        );
        // A sweep pays 8 ETH to the pod.
        run.balances.insert(900_000, 32 * ETHER);
        run.accounts.entry(pod.0).or_default().wei = 8 * 10_u128.pow(18);
        run.finalize(period * PERIOD + 640);
        assert_eq!(reported(&run.checkpoint("alice", period * PERIOD + 640)), (72 * E, 72 * E, 0));
        // A validator exits and is paid out; in Gloas the payment is still under way.
        run.validators.get_mut(&5).unwrap().exit_epoch = period * 256 + 2;
        run.validators.get_mut(&5).unwrap().withdrawable_epoch = period * 256 + 3;
        run.balances.insert(5, 0);
        let slot = period * PERIOD + 960;
        if period == 4 {
            let amount = 32 * ETHER;
            run.withdrawals = vec![
                Withdrawal { index: 1, validator_index: 9, address: [9; 20], amount: 7 },
                Withdrawal { index: 2, validator_index: 5, address: pod.0, amount },
            ];
            run.finalize(slot);
            let mut without = run.report("alice", slot, true);
            without.under_way = None;
            assert_eq!(run.refused("prover", Operation::ReportPod(without)), "report_pod.Incomplete");
            let mut other = run.report("alice", slot, true);
            let mut list = run.withdrawals.clone();
            list[1].amount += 1;
            let branch = other.under_way.unwrap().branch;
            let withdrawals = evidence::ethereum::Limited::new(list).unwrap();
            other.under_way = Some(evidence::ethereum::UnderWay { withdrawals, branch });
            assert_eq!(run.refused("prover", Operation::ReportPod(other)), "report_pod.NotProven");
        } else {
            run.accounts.entry(pod.0).or_default().wei = 40 * 10_u128.pow(18);
            run.finalize(slot);
        }
        assert_eq!(reported(&run.checkpoint("alice", slot)), (72 * E, 72 * E, 0), "period {period}");
        let restored = run.restored();
        assert_eq!(restored.keys(), run.state.keys());
    }
}

#[test]
fn reports_are_refused_in_their_order() {
    let mut run = Run::new(2);
    let pod = run.pod("alice");
    let slot = 2 * PERIOD + 320;
    run.validator(5, pod, 32 * ETHER);
    run.validator(6, pod, 32 * ETHER);
    run.validator(7, run.pod("bob"), 32 * ETHER);
    run.finalize(slot);
    run.checkpoint("alice", slot);
    let report = run.report("alice", slot, true);
    assert_eq!(run.refused("prover", Operation::ReportPod(report.clone())), "report_pod.NotLater");
    let mut unknown = report.clone();
    unknown.slot += 1;
    assert_eq!(run.refused("prover", Operation::ReportPod(unknown)), "report_pod.StateNotFound");

    run.finalize(slot + 64);
    let later = slot + 64;
    let mut stolen = run.report("alice", later, true);
    stolen.validators = run.blocks[&later].validators(&[5, 6, 7], true);
    assert_eq!(run.refused("prover", Operation::ReportPod(stolen)), "report_pod.NotProven");
    let mut missing = run.report("alice", later, true);
    missing.validators = run.blocks[&later].validators(&[5], true);
    assert_eq!(run.refused("prover", Operation::ReportPod(missing)), "report_pod.ValidatorMissing");
    let mut partial = run.report("alice", later, true);
    partial.nodes = None;
    run.balances.insert(5, 31 * ETHER);
    assert_eq!(reported(&run.must("prover", Operation::ReportPod(partial))), (64 * E, 64 * E, 0));
    run.finalize(later + 64);
    let mut partial = run.report("alice", later + 64, true);
    partial.nodes = None;
    assert_eq!(run.refused("prover", Operation::ReportPod(partial)), "report_pod.Incomplete", "31 + 32 < 64");
    let empty = run.report("carol", later, true);
    assert_eq!(run.refused("prover", Operation::ReportPod(empty)), "report_pod.NothingThere");
    let plain = ops::report_validator::ReportValidator {
        asset: NATIVE,
        validator: 5,
        account: None,
        balance: Amount::new(1),
        proof: evidence::Proof::Development,
    };
    assert_eq!(run.refused("alice", Operation::ReportValidator(plain)), "report_validator.FollowedChain");
}

#[test]
fn a_deposit_of_one_ether_is_not_yet_stake_and_credentials_of_no_address_are_refused() {
    let mut run = Run::new(3);
    let slot = 3 * PERIOD + 320;
    let pod = run.pod("alice");
    run.validator(5, pod, 32 * ETHER);
    run.validator(6, pod, ETHER);
    let young = run.validators.get_mut(&6).unwrap();
    young.activation_epoch = u64::MAX;
    run.finalize(slot);
    assert_eq!(reported(&run.checkpoint("alice", slot)), (0, 32 * E, 0));
    // Without balances a validator counts less than it has, and one that compounds not at all.
    run.validators.get_mut(&5).unwrap().withdrawal_credentials[0] = 2;
    run.finalize(slot + 64);
    let floor = run.report("alice", slot + 64, false);
    assert_eq!(run.refused("prover", Operation::ReportPod(floor)), "report_pod.Incomplete");
    run.validators.get_mut(&5).unwrap().withdrawal_credentials[0] = 0;
    run.finalize(slot + 128);
    let mut foreign = run.report("alice", slot + 128, true);
    foreign.validators = run.blocks[&(slot + 128)].validators(&[5, 6], true);
    assert_eq!(run.refused("prover", Operation::ReportPod(foreign)), "report_pod.NotProven");
}

#[test]
fn what_enters_in_a_period_is_capped_and_the_rest_bears_losses_first() {
    let mut run = Run::with(3, |genesis| {
        genesis.ethereum.as_mut().unwrap().assets[0].per_period = Amount::new(50 * E);
    });
    let slot = 3 * PERIOD + 320;
    let pod = run.pod("alice");
    run.validator(5, pod, 32 * ETHER);
    run.validator(6, pod, 32 * ETHER);
    run.finalize(slot);
    assert_eq!(reported(&run.checkpoint("alice", slot)), (0, 50 * E, 14 * E));
    run.balances.insert(5, 22 * ETHER);
    run.finalize(slot + 64);
    assert_eq!(reported(&run.checkpoint("alice", slot + 64)), (50 * E, 50 * E, 4 * E));
    run.balances.insert(5, 16 * ETHER);
    run.finalize(slot + 128);
    assert_eq!(reported(&run.checkpoint("alice", slot + 128)), (50 * E, 48 * E, 0));
    run.state = run.restored();
    run.balances.insert(5, 32 * ETHER);
    run.finalize(slot + 192);
    assert_eq!(
        reported(&run.checkpoint("alice", slot + 192)),
        (48 * E, 48 * E, 16 * E),
        "the cap is used up"
    );
}

#[test]
fn free_stake_leaves_by_the_pods_contract_and_what_it_paid_is_no_loss() {
    let mut run = Run::new(3);
    let slot = 3 * PERIOD + 320;
    let pod = run.pod("alice");
    run.validator(5, pod, 32 * ETHER);
    run.accounts.entry(pod.0).or_default().wei = 10 * 10_u128.pow(18);
    run.finalize(slot);
    run.checkpoint("alice", slot);
    let id = protocol::units::ValidatorId::new(0);
    let release = |amount| {
        Operation::ReleasePod(ops::release_pod::ReleasePod {
            validator: id,
            amount: Some(Amount::new(amount)),
        })
    };
    assert_eq!(run.refused("bob", release(E)), "release_pod.PodNotFound");
    assert_eq!(run.refused("alice", release(43 * E)), "release_pod.ExceedsFree");
    run.must("alice", release(10 * E));
    // Released and not yet paid, then paid: both times the same is there.
    run.finalize(slot + 64);
    assert_eq!(reported(&run.checkpoint("alice", slot + 64)), (32 * E, 32 * E, 0));
    let held = run.accounts.get_mut(&pod.0).unwrap();
    held.wei = 0;
    held.storage.insert(crate::chain::word(0), crate::chain::word(10 * 10_u128.pow(18)));
    run.finalize(slot + 128);
    assert_eq!(reported(&run.checkpoint("alice", slot + 128)), (32 * E, 32 * E, 0));
}

#[test]
fn a_slashed_validator_stops_delegations_and_rewards_whoever_proves_it() {
    let mut run = Run::with(3, |genesis| {
        genesis.parameters.object_deposit = Amount::new(0);
    });
    let slot = 3 * PERIOD + 320;
    run.validator(5, run.pod("alice"), 32 * ETHER);
    run.validator(6, run.pod("alice"), 32 * ETHER);
    run.finalize(slot);
    run.checkpoint("alice", slot);
    let flag = |run: &Run, slot: u64, index: u64| {
        Operation::ReportSlashed(ops::report_slashed::ReportSlashed {
            asset: NATIVE,
            account: Some(address("alice")),
            slot,
            validators: run.blocks[&slot].validators(&[index], false),
        })
    };
    assert_eq!(run.refused("prover", flag(&run, slot, 5)), "report_slashed.NotLater");
    run.validators.get_mut(&5).unwrap().slashed = true;
    run.finalize(slot + 64);
    assert_eq!(run.refused("prover", flag(&run, slot + 64, 6)), "report_slashed.NotProven");
    let events = run.must("prover", flag(&run, slot + 64, 5));
    assert!(matches!(events[..], [Event::PodFlagged { .. }]), "{events:?}");
    assert_eq!(run.refused("prover", flag(&run, slot + 64, 5)), "report_slashed.Flagged");
    run.state = run.restored();
    run.finalize(slot + 128);
    run.checkpoint("alice", slot + 128);
    assert_eq!(run.refused("prover", flag(&run, slot + 128, 5)), "report_slashed.NotLater");
}

/// As many as a large operator has, anywhere in the registry, under the balanced and the progressive layout.
#[test]
fn thousands_of_validators_are_one_report() {
    for period in [3, 4] {
        let mut run = Run::new(period);
        let (slot, pod) = (period * PERIOD + 320, run.pod("alice"));
        for number in 0..2_000 {
            run.validator(number * 1_100 + 7, pod, 32 * ETHER);
        }
        run.finalize(slot);
        let report = run.report("alice", slot, true);
        let mut without = report.clone();
        let bytes = Operation::ReportPod(report.clone()).encode().len();
        assert!(bytes > 500_000 && bytes < Kind::ReportPod.bytes_max(), "{bytes} bytes");
        let events = run.must("prover", Operation::ReportPod(report));
        assert_eq!(reported(&events), (0, 64_000 * E, 0));
        let known: Vec<u64> = run.validators.keys().copied().skip(1).collect();
        without.validators = run.blocks[&slot].validators(&known, true);
        assert_eq!(run.refused("prover", Operation::ReportPod(without.clone())), "report_pod.NotLater");
        run.finalize(slot + 64);
        without = run.report("alice", slot + 64, true);
        without.validators = run.blocks[&without.slot].validators(&known, true);
        assert_eq!(run.refused("prover", Operation::ReportPod(without)), "report_pod.ValidatorMissing");
        assert_eq!(run.restored().keys(), run.state.keys());
    }
}

#[test]
fn what_can_not_be_looked_up_is_refused_by_name() {
    let mut run = Run::with(2, |genesis| {
        let existing = protocol::ethereum::ExistingPod { account: address("old"), pod: address("contract") };
        genesis.ethereum.as_mut().unwrap().existing.push(existing);
    });
    let slot = 2 * PERIOD + 320;
    run.validator(5, run.pod("alice"), 32 * ETHER);
    run.validator(6, address("contract"), 32 * ETHER);
    let update = run.block_at(slot);
    run.must("anyone", Operation::UpdateChain(ops::update_chain::UpdateChain { update }));
    let report = run.report("alice", slot, true);
    assert_eq!(run.refused("prover", Operation::ReportPod(report.clone())), "report_pod.BlockNotOpened");
    let mut unlisted = report.clone();
    unlisted.asset = protocol::units::AssetId::new(9);
    assert_eq!(run.refused("prover", Operation::ReportPod(unlisted)), "report_pod.AssetNotFound");
    let opening = run.blocks[&slot].block.opening();
    run.must("anyone", Operation::OpenBlock(ops::open_block::OpenBlock { slot, opening }));
    run.must("prover", Operation::ReportPod(report));
    // A pod of another system: no slot counts what it has paid, and it takes no orders.
    let old = ops::report_pod::ReportPod {
        account: Some(address("old")),
        validators: run.blocks[&slot].validators(&[6], true),
        nodes: Some(run.blocks[&slot].nodes(&[(address("contract").0, Vec::new())])),
        ..run.report("alice", slot, true)
    };
    let events = run.must("prover", Operation::ReportPod(old));
    assert_eq!(reported(&events), (0, 32 * E, 0));
    let release = |validator, amount: Option<u128>| {
        let validator = protocol::units::ValidatorId::new(validator);
        Operation::ReleasePod(ops::release_pod::ReleasePod { validator, amount: amount.map(Amount::new) })
    };
    assert_eq!(run.refused("old", release(1, None)), "release_pod.NotOurs");
    assert_eq!(run.refused("alice", release(0, Some(0))), "release_pod.NothingFree");
    let none = ops::report_slashed::ReportSlashed {
        asset: NATIVE,
        account: Some(address("nobody")),
        slot,
        validators: run.blocks[&slot].validators(&[5], false),
    };
    assert_eq!(run.refused("prover", Operation::ReportSlashed(none)), "report_slashed.PodNotFound");
}
