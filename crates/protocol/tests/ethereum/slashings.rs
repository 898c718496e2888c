//! A beacon slashing and a slash of a service take the same, whichever is proven first.

use protocol::ops;
use protocol::terms::{
    AcceptedAsset, Admission, Beneficiary, Destination, JailTerms, Mandate, Offences, Terms,
};
use protocol::units::{Amount, AssetId, Epoch, Fraction, OperatorId, RequestId, SetId, ValidatorId};
use protocol::{FollowUp, Operation, invariants};

use crate::chain::{ETHER, NATIVE, PERIOD, Run, address};

pub(crate) const E: u128 = 1_000_000_000;
const OPERATOR: OperatorId = OperatorId::new(0);
const SET: SetId = SetId::new(0);

/// A mandate that admits everything.
pub(crate) const MANDATE: Mandate = Mandate {
    worst_case: Fraction::ONE,
    elsewhere: Fraction::ONE,
    own_verifiers: Fraction::ONE,
    uncertified: true,
    commission: Fraction::ONE,
};

/// Terms of a set that burns, has no veto, and takes half for a false event.
pub(crate) fn terms(asset: AssetId, token: AssetId) -> Terms {
    Terms {
        assets: vec![AcceptedAsset { asset, weight: 1_000_000_000 }],
        admission: Admission {
            list_only: false,
            operators_max: 64,
            stake_min: Amount::ZERO,
            self_stake_min: Amount::ZERO,
            bond_min: Amount::ZERO,
        },
        operator_share_max: Fraction::ONE,
        offences: Offences {
            equivocation: Some(Fraction::ONE),
            false_event: Some(Fraction::from_percent(50)),
            subjective: Some(Fraction::ONE),
            correlation: None,
        },
        window_cap: Fraction::ONE,
        veto: 0,
        resolvers: Vec::new(),
        threshold: None,
        slasher: address("service"),
        destinations: vec![Destination { to: Beneficiary::Burn, share: Fraction::ONE }],
        reward_tokens: vec![token],
        warm_up: 0,
        jail: JailTerms::default(),
        mass_slash_max: Fraction::ONE,
        risk_weight: Fraction::ONE,
        corruption_share: Fraction::ONE,
        quorum: None,
    }
}

/// An operator with a pool of an asset, all of it allocated to a set of a service.
pub(crate) fn offer(run: &mut Run, asset: AssetId, token: AssetId) {
    run.must("service", Operation::CreateService(ops::create_service::CreateService {}));
    let terms = terms(asset, token);
    run.must("service", Operation::CreateSet(ops::create_set::CreateSet { terms }));
    let groups = Default::default();
    run.must("op", Operation::RegisterOperator(ops::register_operator::RegisterOperator { groups }));
    let commission = Fraction::ZERO;
    let open = ops::open_pool::OpenPool { asset, mandate: MANDATE, commission };
    run.must("op", Operation::OpenPool(open));
}

pub(crate) fn join_set(run: &mut Run, asset: AssetId) {
    let terms = run.state.terms_digest(SET).unwrap();
    let allocations = vec![ops::join_set::Allocation { asset, parts: 256 }];
    run.must("op", Operation::JoinSet(ops::join_set::JoinSet { set: SET, terms, allocations }));
}

pub(crate) fn delegation(run: &Run, asset: AssetId, amount: u128) -> Operation {
    Operation::Delegate(ops::delegate::Delegate {
        operator: OPERATOR,
        asset,
        amount: Amount::new(amount),
        validator: run.state.genesis().ethereum.as_ref().map(|_| ValidatorId::new(0)),
        mandate: run.state.mandate_digest(OPERATOR, asset).unwrap(),
        worst_case: Fraction::ONE,
    })
}

/// The service slashes for epoch 1.
pub(crate) fn slash(run: &mut Run, fraction: Fraction) {
    run.must(
        "service",
        Operation::RequestSlash(ops::request_slash::RequestSlash {
            set: SET,
            operator: OPERATOR,
            capture: Epoch::new(1),
            fraction,
            reason: "a test".to_owned(),
            victims: Vec::new(),
        }),
    );
    run.advance(1);
    let request = RequestId::new(0);
    run.must("anyone", Operation::ExecuteSlash(ops::execute_slash::ExecuteSlash { request }));
}

/// Bonded, slashed, free, all together, and lost on the chain; in ETH. Rounding may leave a few gwei elsewhere.
fn standing(run: &Run) -> (u128, u128, u128, u128, u128) {
    let detail = protocol::query::account(&run.state, address("alice")).unwrap();
    let pod = detail.validators.first().unwrap();
    let sum = invariants::conservation(&run.state, NATIVE);
    let slashed = sum.held.units();
    let bonded = sum.pooled.units();
    let eth = |gwei: u128| (gwei + 10) / E;
    assert_eq!(bonded + slashed + pod.free.units(), pod.balance.units());
    (eth(bonded), eth(slashed), eth(pod.free.units()), eth(pod.balance.units()), eth(sum.lost.units()))
}

/// Steps, and what is bonded, slashed, free, there, and lost on Ethereum after them.
type Row<'a> = (&'a [&'a str], (u128, u128, u128, u128, u128));

/// The rows of ADR 0020: `L` is Ethereum's slashing of half a validator, `S` a service's of a quarter, `N` a second validator, `X` an
/// exit, `P` its payout, `U` leaving the pool; several letters are parts of one report.
#[test]
fn both_slashings_take_the_same_in_every_order() {
    let rows: [Row<'_>; 11] = [
        (&["L", "S"], (12, 4, 0, 16, 16)),
        (&["S", "L"], (12, 4, 0, 16, 16)),
        (&["L", "N", "S"], (12, 4, 32, 48, 16)),
        (&["S", "L", "N"], (12, 4, 32, 48, 16)),
        (&["LN", "S"], (24, 8, 16, 48, 0)),
        (&["S", "LN"], (24, 8, 16, 48, 0)),
        (&["N", "L", "S"], (18, 6, 24, 48, 16)),
        (&["N", "S", "L"], (18, 6, 24, 48, 16)),
        (&["S", "N", "L"], (18, 6, 24, 48, 16)),
        (&["S", "X", "L"], (12, 4, 0, 16, 16)),
        (&["S", "X", "P"], (24, 8, 0, 32, 0)),
    ];
    for (steps, expected) in rows {
        for period in [1, 2, 4] {
            let found = play(period, steps);
            assert_eq!(found, expected, "{steps:?} in period {period}");
        }
    }
}

/// Every order of: a loss on Ethereum, a slash here, a second validator, leaving the pool, and an exit with its payout. What leaves is taken from as
/// what stays; an exit is nothing. Only whether the new validator was there before the loss makes a difference, as ADR 0020 says.
#[test]
fn no_order_with_leaving_and_exits_takes_another_amount() {
    let mut orders = vec![Vec::new()];
    for step in ["L", "S", "N", "U", "X"] {
        let longer = |order: Vec<&'static str>| {
            (0..=order.len()).map(move |place| {
                let mut longer = order.clone();
                longer.insert(place, step);
                longer
            })
        };
        orders = orders.into_iter().flat_map(longer).collect();
    }
    assert_eq!(orders.len(), 120);
    for steps in orders {
        let place = |step: &str| steps.iter().position(|other| *other == step);
        let is_shared = place("N") < place("L");
        let expected = if is_shared { (18, 6, 24, 48, 16) } else { (12, 4, 32, 48, 16) };
        assert_eq!(play(4, &steps), expected, "{steps:?}");
    }
}

fn play(period: u64, steps: &[&str]) -> (u128, u128, u128, u128, u128) {
    let mut run = Run::new(period);
    offer(&mut run, NATIVE, NATIVE);
    let mut slot = period * PERIOD + 320;
    let pod = run.pod("alice");
    run.validator(5, pod, 32 * ETHER);
    run.finalize(slot);
    run.checkpoint("alice", slot);
    let delegate = delegation(&run, NATIVE, 32 * E);
    run.must("alice", delegate);
    join_set(&mut run, NATIVE);
    run.advance(1);
    for step in steps {
        if *step == "S" {
            slash(&mut run, Fraction::from_percent(25));
            continue;
        }
        if *step == "U" {
            let (operator, asset, follow_up) = (OPERATOR, NATIVE, FollowUp::Free);
            let leave =
                ops::undelegate::Undelegate { operator, asset, amount: None, validator: None, follow_up };
            run.must("alice", Operation::Undelegate(leave));
            continue;
        }
        slot += 64;
        for part in step.chars() {
            match part {
                'L' => {
                    run.validators.get_mut(&5).unwrap().slashed = true;
                    run.balances.insert(5, 16 * ETHER);
                }
                'N' => run.validator(6, pod, 32 * ETHER),
                'X' => run.validators.get_mut(&5).unwrap().exit_epoch = slot / 32,
                'P' => {
                    run.validators.get_mut(&5).unwrap().withdrawable_epoch = slot / 32;
                    run.balances.insert(5, 0);
                    run.accounts.entry(pod.0).or_default().wei = 32 * 10_u128.pow(18);
                }
                _ => panic!("{part}"),
            }
        }
        run.finalize(slot);
        run.checkpoint("alice", slot);
    }
    standing(&run)
}

/// An exit on Ethereum is no way out of a pool: what was paid to the pod stays bonded, and is slashed there.
#[test]
fn stake_whose_validator_has_left_is_still_slashed_and_then_withdrawn() {
    let mut run = Run::new(3);
    offer(&mut run, NATIVE, NATIVE);
    let (slot, pod) = (3 * PERIOD + 320, run.pod("alice"));
    run.validator(5, pod, 32 * ETHER);
    run.finalize(slot);
    run.checkpoint("alice", slot);
    let delegate = delegation(&run, NATIVE, 32 * E);
    run.must("alice", delegate.clone());
    join_set(&mut run, NATIVE);
    run.advance(1);
    run.validators.get_mut(&5).unwrap().exit_epoch = slot / 32;
    run.validators.get_mut(&5).unwrap().withdrawable_epoch = slot / 32;
    run.balances.insert(5, 0);
    run.accounts.entry(pod.0).or_default().wei = 32 * 10_u128.pow(18);
    run.finalize(slot + 64);
    run.checkpoint("alice", slot + 64);
    slash(&mut run, Fraction::from_percent(25));
    assert_eq!(standing(&run), (24, 8, 0, 32, 0));
    let (operator, asset) = (OPERATOR, NATIVE);
    let follow_up = FollowUp::Free;
    let leave = ops::undelegate::Undelegate { operator, asset, amount: None, validator: None, follow_up };
    run.must("alice", Operation::Undelegate(leave));
    run.advance(15);
    run.must("alice", Operation::Release(ops::release::Release { account: None, operator, asset }));
    assert_eq!(standing(&run), (0, 8, 24, 32, 0));
    let release = ops::release_pod::ReleasePod { validator: ValidatorId::new(0), amount: None };
    run.must("alice", Operation::ReleasePod(release));
    assert_eq!(standing(&run), (0, 0, 0, 0, 0));
    let sum = invariants::conservation(&run.state, NATIVE);
    assert_eq!(
        (sum.burnt.units() / E, sum.withdrawn.units() / E),
        (8, 24),
        "what was slashed is burned first"
    );
    // A validator that was paid out to the end is forgotten, and the pod may be empty.
    run.accounts.get_mut(&pod.0).unwrap().wei = 0;
    run.accounts.get_mut(&pod.0).unwrap().storage =
        [(crate::chain::word(0), crate::chain::word(32 * 10_u128.pow(18)))].into();
    run.finalize(slot + 128);
    run.checkpoint("alice", slot + 128);
    run.validators.clear();
    run.balances.clear();
    run.finalize(slot + 192);
    run.checkpoint("alice", slot + 192);
}

/// A slashed validator is told by its flag alone: nothing of the pod joins until it is reported, and without a report it is stale.
#[test]
fn a_flag_stops_delegations_pays_whoever_shows_it_and_makes_stale() {
    let mut run = Run::with(3, |genesis| {
        genesis.deposit_asset = AssetId::new(1);
    });
    run.list("0xaa", protocol::AssetKind::Token, 18, protocol::RateSource::One);
    let mut parameters = Box::new(run.state.parameters().clone());
    parameters.object_deposit = Amount::new(100);
    let propose = Operation::ProposeParameters(ops::propose_parameters::ProposeParameters { parameters });
    let account = run.state.genesis().governor;
    let authority = protocol::Authority { account, signer: protocol::Signer::Plain, expires: u64::MAX };
    protocol::apply(&mut run.state, &authority, &propose).unwrap();
    run.advance(8);
    for who in ["prover", "service", "op", "lister"] {
        let (asset, proof) = (AssetId::new(1), evidence::Proof::Development);
        let amount = Amount::new(1000);
        let deposit = ops::deposit::Deposit { account: None, asset, amount, index: None, proof };
        run.must(who, Operation::Deposit(deposit));
    }
    offer(&mut run, NATIVE, NATIVE);
    let (slot, pod) = (3 * PERIOD + 320, run.pod("alice"));
    run.validator(5, pod, 32 * ETHER);
    run.finalize(slot);
    run.checkpoint("alice", slot);
    run.must("alice", delegation(&run, NATIVE, 16 * E));
    run.validators.get_mut(&5).unwrap().slashed = true;
    run.finalize(slot + 64);
    let flag = ops::report_slashed::ReportSlashed {
        asset: NATIVE,
        account: Some(address("alice")),
        slot: slot + 64,
        validators: run.blocks[&(slot + 64)].validators(&[5], false),
    };
    run.must("watcher", Operation::ReportSlashed(flag));
    let free = |run: &Run, who: &str| -> u128 {
        let detail = protocol::query::account(&run.state, address(who)).unwrap();
        detail.balances.iter().find(|held| held.asset == AssetId::new(1)).map_or(0, |held| held.free.units())
    };
    assert_eq!(free(&run, "watcher"), 25, "a quarter of the deposit");
    assert_eq!(run.refused("alice", delegation(&run, NATIVE, E)), "delegate.SlashedOnChain");
    let stale = Operation::DeclareStale(ops::declare_stale::DeclareStale { validator: ValidatorId::new(0) });
    run.advance(1);
    assert_eq!(run.refused("anyone", stale.clone()), "declare_stale.StillFresh");
    run.advance(1);
    let mut silent = run.restored();
    std::mem::swap(&mut silent, &mut run.state);
    run.must("anyone", stale.clone());
    run.state = silent;
    run.balances.insert(5, 31 * ETHER);
    run.finalize(slot + 128);
    let events = run.checkpoint("alice", slot + 128);
    assert!(
        events.iter().any(|event| matches!(event, protocol::Event::ProofRewarded { .. })),
        "more than 1 %"
    );
    assert_eq!(run.refused("anyone", stale), "declare_stale.StillFresh");
    run.must("alice", delegation(&run, NATIVE, E));
}
