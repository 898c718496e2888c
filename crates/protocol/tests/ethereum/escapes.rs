//! Ways out that a proof might open: for stake that is liable, for a loss, for what is known better already.

use evidence::ethereum::{HISTORY, Limited, ReceiptProof, history_slot};
use evidence::{EventClaim, FalseEvent, Scheme, SecretKey, Statement, event_digest};
use protocol::ethereum::ExistingPod;
use protocol::ops;
use protocol::units::{Amount, AssetId, SetId, ValidatorId};
use protocol::{AssetKind, Event, Genesis, Operation, Origin, RateSource, State, invariants};

use crate::chain::{ETHER, Held, NATIVE, PERIOD, Run, WORLD, address, factory};
use crate::slashings::{self, E};

const SLOT: u64 = 3 * PERIOD + 320;

/// 32 ETH in validator 5, all bonded.
fn bonded() -> Run {
    let mut run = Run::new(3);
    slashings::offer(&mut run, NATIVE, NATIVE);
    run.validator(5, run.pod("alice"), 32 * ETHER);
    run.finalize(SLOT);
    run.checkpoint("alice", SLOT);
    run.must("alice", slashings::delegation(&run, NATIVE, 32 * E));
    slashings::join_set(&mut run, NATIVE);
    run.advance(1);
    run
}

/// Validator 5 has left, and this much is left in it.
fn leave(run: &mut Run, slot: u64, balance: u64) {
    let left = run.validators.get_mut(&5).unwrap();
    (left.exit_epoch, left.withdrawable_epoch) = (slot / 32 - 1, slot / 32);
    run.balances.insert(5, balance);
}

/// A whole report with these validators only.
fn report_of(run: &Run, slot: u64, validators: &[u64]) -> Operation {
    let mut report = run.report("alice", slot, true);
    report.validators = run.blocks[&slot].validators(validators, true);
    Operation::ReportPod(report)
}

fn pod(run: &Run) -> protocol::query::PodDetail {
    protocol::query::pod(&run.state, ValidatorId::new(0)).unwrap()
}

fn pooled(run: &Run) -> u128 {
    invariants::conservation(&run.state, NATIVE).pooled.units()
}

/// What a validator of the pod has consolidated into one that nobody has shown is not lost, whoever leaves it out.
#[test]
fn stake_that_moves_to_a_validator_nobody_has_shown_stays_liable() {
    let mut run = bonded();
    let slot = SLOT + 64;
    leave(&mut run, slot, 0);
    run.validator(6, run.pod("alice"), 32 * ETHER);
    run.finalize(slot);
    let events = run.must("alice", report_of(&run, slot, &[5]));
    assert!(matches!(events[..], [Event::PodFlagged { slot: at, .. }] if at == slot), "{events:?}");
    assert_eq!((pooled(&run), pod(&run).balance.units()), (32 * E, 32 * E), "nothing is lost");
    assert_eq!(run.refused("alice", report_of(&run, slot, &[5])), "report_pod.Unseen");
    run.state = run.restored();
    // It is slashed as before, and what was slashed does not come back either.
    slashings::slash(&mut run, protocol::units::Fraction::from_percent(25));
    run.finalize(slot + 64);
    assert_eq!(run.refused("alice", report_of(&run, slot + 64, &[5])), "report_pod.Unseen");
    run.advance(1);
    let stale = ops::declare_stale::DeclareStale { validator: ValidatorId::new(0) };
    let mut other = run.restored();
    std::mem::swap(&mut other, &mut run.state);
    run.must("anyone", Operation::DeclareStale(stale));
    run.state = other;
    // Once it is shown, all is as it was.
    run.must("bob", report_of(&run, slot + 64, &[5, 6]));
    let shown = pod(&run);
    let held = invariants::conservation(&run.state, NATIVE).held.units();
    assert_eq!((pooled(&run), held, shown.free.units()), (24 * E, 8 * E, 0));
    assert_eq!((shown.flagged, shown.validators), (None, 1));
}

/// A real loss is told at a slot before the payout, or once nothing is liable.
#[test]
fn a_loss_beside_a_payout_is_told_at_a_slot_before_it() {
    let mut run = bonded();
    leave(&mut run, SLOT + 64, 31 * ETHER);
    run.finalize(SLOT + 64);
    run.balances.insert(5, 0);
    run.accounts.entry(run.pod("alice").0).or_default().wei = 31 * 10_u128.pow(18);
    run.finalize(SLOT + 128);
    let mut late = run.restored();
    // While it is withdrawable and still there, nobody has taken anything from it but Ethereum: but the report can't know.
    assert_eq!(run.must("anyone", report_of(&run, SLOT + 64, &[5])).len(), 1);
    assert_eq!(pooled(&run), 32 * E);
    std::mem::swap(&mut run.state, &mut late);
    // An exit that is no payout yet is a loss as any other.
    run.validators.get_mut(&5).unwrap().withdrawable_epoch = u64::MAX;
    run.balances.insert(5, 31 * ETHER);
    run.accounts.get_mut(&run.pod("alice").0).unwrap().wei = 0;
    run.finalize(SLOT + 192);
    run.must("anyone", report_of(&run, SLOT + 192, &[5]));
    assert_eq!(pooled(&run), 31 * E);
    leave(&mut run, SLOT + 256, 0);
    run.accounts.get_mut(&run.pod("alice").0).unwrap().wei = 31 * 10_u128.pow(18);
    run.finalize(SLOT + 256);
    run.must("anyone", report_of(&run, SLOT + 256, &[5]));
    assert_eq!(pooled(&run), 31 * E, "a payout is no loss");
}

#[test]
fn where_nothing_is_liable_any_fall_counts() {
    let mut run = Run::new(3);
    run.validator(5, run.pod("alice"), 32 * ETHER);
    run.finalize(SLOT);
    run.checkpoint("alice", SLOT);
    leave(&mut run, SLOT + 64, 0);
    run.accounts.entry(run.pod("alice").0).or_default().wei = 31 * 10_u128.pow(18);
    run.finalize(SLOT + 64);
    run.must("anyone", report_of(&run, SLOT + 64, &[5]));
    assert_eq!(pod(&run).balance.units(), 31 * E);
}

/// What was slashed and waits to be burned does not come back as free stake either, once nothing is bonded any more.
#[test]
fn what_was_slashed_does_not_come_back_from_a_validator_nobody_has_shown() {
    let mut run = bonded();
    slashings::slash(&mut run, protocol::units::Fraction::from_percent(25));
    let (operator, asset) = (protocol::units::OperatorId::new(0), NATIVE);
    let follow_up = protocol::FollowUp::Free;
    let undelegate =
        ops::undelegate::Undelegate { operator, asset, amount: None, validator: None, follow_up };
    run.must("alice", Operation::Undelegate(undelegate));
    run.advance(15);
    leave(&mut run, SLOT + 64, 0);
    run.validator(6, run.pod("alice"), 32 * ETHER);
    run.finalize(SLOT + 64);
    for is_released in [false, true] {
        let mut other = run.restored();
        std::mem::swap(&mut other, &mut run.state);
        if is_released {
            run.must("alice", Operation::Release(ops::release::Release { account: None, operator, asset }));
        }
        run.must("alice", report_of(&run, SLOT + 64, &[5]));
        assert_eq!(pod(&run).balance.units(), 32 * E, "released: {is_released}");
        run.state = other;
    }
}

/// What is free does not leave before a loss that is to be shared; nor is it held for longer than a report may take.
#[test]
fn nothing_is_released_between_a_flag_and_its_report() {
    let mut run = bonded();
    run.validator(6, run.pod("alice"), 32 * ETHER);
    run.finalize(SLOT + 64);
    run.must("bob", report_of(&run, SLOT + 64, &[5, 6]));
    run.validators.get_mut(&5).unwrap().slashed = true;
    run.finalize(SLOT + 128);
    let flag = |run: &Run, slot: u64| {
        Operation::ReportSlashed(ops::report_slashed::ReportSlashed {
            asset: NATIVE,
            account: Some(address("alice")),
            slot,
            validators: run.blocks[&slot].validators(&[5], false),
        })
    };
    run.must("watcher", flag(&run, SLOT + 128));
    let release = ops::release_pod::ReleasePod { validator: ValidatorId::new(0), amount: None };
    let release = Operation::ReleasePod(release);
    assert_eq!(run.refused("alice", release.clone()), "release_pod.Flagged");
    let mut later = run.restored();
    std::mem::swap(&mut later, &mut run.state);
    run.advance(2);
    run.must("alice", release.clone());
    run.state = later;
    run.balances.insert(5, 16 * ETHER);
    run.finalize(SLOT + 192);
    run.must("watcher", report_of(&run, SLOT + 192, &[5, 6]));
    assert_eq!((pooled(&run), pod(&run).free.units()), (24 * E, 24 * E), "each half has lost a quarter");
    run.must("alice", release);
    // A slashing that a report has counted is no news: nobody takes the deposit with it piece by piece, or holds the owner up.
    run.finalize(SLOT + 256);
    assert_eq!(run.refused("watcher", flag(&run, SLOT + 256)), "report_slashed.KnownLoss");
}

/// Whoever lists first must not decide what the genesis' amounts mean, nor have the same validators counted twice.
#[test]
fn native_stake_of_the_chain_is_listed_once_and_as_the_genesis_says() {
    let list = |contract: &str, decimals: u8| {
        let origin = Origin { chain: crate::chain::NUMBER, contract: contract.to_owned() };
        let (kind, rate) = (AssetKind::Native, RateSource::One);
        Operation::ListAsset(ops::list_asset::ListAsset { origin, decimals, kind, rate })
    };
    let mut run = Run::with(3, |genesis| {
        let config = genesis.ethereum.as_mut().unwrap();
        let token =
            protocol::ethereum::ChainAsset { contract: "0xaa".to_owned(), ..config.assets[0].clone() };
        config.assets.push(token);
    });
    assert_eq!(run.refused("anyone", list("0xaa", 9)), "list_asset.NoCoin");
    assert_eq!(run.refused("anyone", list("0xbb", 9)), "list_asset.NoCoin");
    for decimals in [0, 8, 18, 36] {
        assert_eq!(run.refused("anyone", list("", decimals)), "list_asset.OtherDecimals");
    }
    assert_eq!(run.refused("anyone", list("", 9)), "list_asset.AlreadyListed");
}

#[test]
fn a_genesis_that_counts_something_twice_is_refused() {
    let with = |change: fn(&mut protocol::ethereum::Ethereum)| {
        let (trusted, _) = WORLD.bootstrap(0);
        let mut config = crate::chain::config(trusted);
        change(&mut config);
        State::new(Genesis { ethereum: Some(Box::new(config)), ..Genesis::development() })
    };
    assert!(with(|_| {}).is_ok());
    let cases: [fn(&mut protocol::ethereum::Ethereum); 4] = [
        |config| config.assets[0].decimals = Some(8),
        |config| config.assets[0].decimals = Some(28),
        |config| config.assets[0].contract = "0xAA".to_owned(),
        |config| {
            let custody = crate::custody::custody();
            for contract in ["0xaa", "0xbb"] {
                let (contract, custody) = (contract.to_owned(), Some(custody.clone()));
                config.assets.push(protocol::ethereum::ChainAsset {
                    contract,
                    custody,
                    decimals: None,
                    ..config.assets[0].clone()
                });
            }
        },
    ];
    for (place, change) in cases.into_iter().enumerate() {
        assert!(with(change).is_err(), "case {place}");
    }
    // A pod that the list gives to one account is not the factory's for another.
    let mut run = Run::with(3, |genesis| {
        let pod = protocol::units::Address(factory().pod(&address("alice").0));
        genesis.ethereum.as_mut().unwrap().existing.push(ExistingPod { account: address("old"), pod });
    });
    run.validator(5, run.pod("alice"), 32 * ETHER);
    run.finalize(SLOT);
    let report = run.report("alice", SLOT, true);
    assert_eq!(run.refused("prover", Operation::ReportPod(report)), "report_pod.NoPod");
}

/// An operator has stated something about a block that the state of a final one remembers.
#[test]
fn a_statement_about_an_earlier_block_is_judged_by_what_a_later_state_remembers() {
    let mut run = bonded();
    let secret = SecretKey::from_seed(Scheme::Ed25519, [8; 32]);
    let ledger = run.state.genesis().ledger.0;
    let possession = secret.prove_possession(&ledger, 0, 0);
    let register =
        ops::register_key::RegisterKey { set: SetId::new(0), key: secret.public_key(), possession };
    run.must("op", Operation::RegisterKey(register));
    run.advance(1);

    let past = WORLD.block(SLOT + 32, 7);
    let never = WORLD.block(SLOT + 32, 8);
    let number = WORLD.contents(SLOT + 32, [0; 32], 7).number;
    let hash = fixtures::keccak256(&past.execution);
    let storage = [(history_slot(number), hash)].into();
    run.accounts.insert(HISTORY, Held { wei: 0, storage });
    let slot = SLOT + 64;
    run.finalize(slot);
    let header: evidence::ethereum::Finalized =
        serde_json::from_str(&run.blocks[&slot].block.finalized_text()).unwrap();
    let open = header.open(&run.blocks[&slot].block.opening()).unwrap();
    assert_ne!(open.number(), number);
    let nodes = run.blocks[&slot].nodes(&[(HISTORY, vec![history_slot(number)])]);
    let block = open.remembered(&past.execution_bytes(), &nodes).unwrap();
    let receipt = |index: u64| {
        let nodes = WORLD.receipts().proof(&fixtures::encode_number(u128::from(index)));
        let nodes = nodes.iter().map(|node| evidence::ethereum::Bytes::new(node).unwrap()).collect();
        ReceiptProof { index, nodes: Limited::new(nodes).unwrap() }
    };
    let truth = event_digest(&block.receipt(&receipt(3)).unwrap().logs()[0]);
    let accuse = |number: u64, event: [u8; 32], earlier| {
        let claim = EventClaim { number, transaction: 3, log: 0, event };
        let content = claim.content(WORLD.chain());
        let statement = Statement { ledger, set: 0, epoch: 2, kind: 2, slot: 77, content };
        let signature = secret.sign(&statement.signing_bytes());
        let (key, receipt) = (secret.public_key(), receipt(3));
        let evidence = FalseEvent { key, set: 0, epoch: 2, kind: 2, slot: 77, claim, signature, receipt };
        Operation::SubmitFalseEvent(ops::submit_false_event::SubmitFalseEvent { slot, evidence, earlier })
    };
    let shown = |block: &fixtures::Block| {
        let header = block.execution_bytes();
        Some(ops::submit_false_event::EarlierBlock { header, nodes: nodes.clone() })
    };
    let refused = |run: &mut Run, operation| run.refused("anyone", operation);
    // It is about another block than the open one, and a block that never was proves nothing.
    assert_eq!(refused(&mut run, accuse(number, [5; 32], None)), "submit_false_event.EvidenceRefused");
    let forged = accuse(number, [5; 32], shown(&never));
    assert_eq!(refused(&mut run, forged), "submit_false_event.NotRemembered");
    let mut cut = shown(&past).unwrap();
    cut.nodes = Limited::default();
    let cut = accuse(number, [5; 32], Some(cut));
    assert_eq!(refused(&mut run, cut), "submit_false_event.NotRemembered");
    let other = accuse(open.number(), [5; 32], shown(&past));
    assert_eq!(refused(&mut run, other), "submit_false_event.EvidenceRefused");
    let told = accuse(number, truth, shown(&past));
    assert_eq!(refused(&mut run, told), "submit_false_event.EvidenceRefused", "it is so");
    let events = run.must("anyone", accuse(number, [5; 32], shown(&past)));
    assert!(events.iter().any(|event| matches!(event, Event::Slashed { .. })), "{events:?}");
    assert_eq!(invariants::conservation(&run.state, NATIVE).held.units(), 16 * E, "half of what was bonded");
    let again = accuse(number, [6; 32], shown(&past));
    assert_eq!(refused(&mut run, again), "submit_false_event.SlashRefused", "one offence, one slash");
}

/// A rate of yesterday is no way back from a loss of today.
#[test]
fn an_old_rate_does_not_follow_a_newer_one() {
    let token = AssetId::new(1);
    let mut run = crate::custody::run(|_| {});
    let e18 = 10_u128.pow(18);
    let pay = |run: &mut Run, numerator: u128| {
        let word = crate::chain::word;
        let storage = [(word(1), word(numerator)), (word(3), word(1000))].into();
        run.accounts.insert(crate::custody::RATES, Held { wei: 0, storage });
    };
    let report = |run: &Run, slot: u64, thousandths: u128| {
        let questions: Vec<_> = crate::custody::rate()
            .questions()
            .into_iter()
            .map(|asked| (asked.address, asked.slots))
            .collect();
        let proof = evidence::Proof::Storage { slot, nodes: run.blocks[&slot].nodes(&questions) };
        let rate = Amount::new(e18 / 1000 * thousandths);
        Operation::ReportRate(ops::report_rate::ReportRate { asset: token, rate, proof })
    };
    pay(&mut run, 1004);
    run.finalize(SLOT);
    pay(&mut run, 900);
    run.finalize(SLOT + 64);
    run.advance(1);
    run.must("anyone", report(&run, SLOT, 1004));
    run.must("anyone", report(&run, SLOT + 64, 900));
    run.state = run.restored();
    run.advance(1);
    assert_eq!(run.refused("anyone", report(&run, SLOT, 1004)), "report_rate.NotLater");
    // The same block may tell it again, for a rise takes several steps.
    assert_eq!(run.refused("anyone", report(&run, SLOT + 64, 900)), "report_rate.Unchanged");
}
