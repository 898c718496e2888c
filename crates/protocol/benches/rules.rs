//! What the rules cost: one thread, no signatures, everything through `apply` as a user's operation would come.
//!
//! `cargo bench -p protocol --bench rules`

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(clippy::disallowed_types, reason = "a bench measures time")]

mod network;

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use network::{SERVICE, STAKE, Size, build, delegate, deposit, must, operator, staker};
use protocol::certificate::Exposure;
use protocol::units::{Amount, AssetId, Fraction, OperatorId, SetId};
use protocol::{Authority, Event, FollowUp, Operation, Signer, State, advance_epoch, apply, ops};

/// Stakers of the pools that single operations are measured on.
const STAKERS: u32 = 100_000;

/// What one core does without any rules: an amount by address changed in maps of a million, at random.
fn baseline(c: &mut Criterion) {
    const ENTRIES: u32 = 1_000_000;
    let mut group = c.benchmark_group("baseline, 1000000 addresses");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    let mut tree: BTreeMap<[u8; 20], u128> = (0..ENTRIES).map(|number| (staker(number).0, 0)).collect();
    let mut hash: HashMap<[u8; 20], u128> =
        tree.iter().map(|(address, amount)| (*address, *amount)).collect();
    let mut number = 0_u32;
    let mut next = || {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        staker((number >> 4) % ENTRIES).0
    };
    group.bench_function("tree map", |b| b.iter(|| *tree.get_mut(&next()).expect("an entry") += 1));
    group.bench_function("hash map", |b| b.iter(|| *hash.get_mut(&next()).expect("an entry") += 1));
    group.finish();
}

fn one_pool(stakers: u32) -> State {
    build(Size { operators: 1, sets: 4, assets: 1, stakers })
}

/// Times `operation` of one staker after another, on a copy of the state whenever all have had their turn.
fn by_staker(base: &State, iterations: u64, operation: impl Fn(&State) -> Operation) -> Duration {
    let mut spent = Duration::ZERO;
    let mut left = iterations;
    while left > 0 {
        let mut state = base.clone();
        let operation = operation(&state);
        let batch = left.min(u64::from(STAKERS));
        let start = Instant::now();
        for number in 0..u32::try_from(batch).expect("a batch is small") {
            // In no order that a cache could guess; 48271 and the number of stakers have no common divisor.
            let number = u32::try_from(u64::from(number) * 48_271 % u64::from(STAKERS)).expect("a staker");
            let authority = Authority { account: staker(number), signer: Signer::Plain, expires: u64::MAX };
            black_box(apply(&mut state, &authority, &operation).expect("an operation that is not refused"));
        }
        spent += start.elapsed();
        left -= batch;
    }
    spent
}

fn operations(c: &mut Criterion) {
    let mut group = c.benchmark_group("operation");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    let bonded = one_pool(STAKERS);

    let mut funded = bonded.clone();
    for number in 0..STAKERS {
        must(&mut funded, staker(number), &deposit(0, STAKE));
    }
    group.bench_function("deposit", |b| b.iter_custom(|n| by_staker(&bonded, n, |_| deposit(0, STAKE))));
    group.bench_function("delegate", |b| {
        b.iter_custom(|n| by_staker(&funded, n, |state| delegate(state, 0, 0, STAKE)))
    });
    let undelegate = |amount| {
        Operation::Undelegate(ops::undelegate::Undelegate {
            operator: OperatorId::new(0),
            asset: AssetId::new(0),
            amount,
            validator: None,
            follow_up: FollowUp::Free,
        })
    };
    let half = Some(Amount::new(STAKE / 2));
    group.bench_function("undelegate half", |b| {
        b.iter_custom(|n| by_staker(&bonded, n, |_| undelegate(half)))
    });
    group
        .bench_function("undelegate all", |b| b.iter_custom(|n| by_staker(&bonded, n, |_| undelegate(None))));

    let mut left = bonded.clone();
    for number in 0..STAKERS {
        must(&mut left, staker(number), &undelegate(None));
    }
    (0..20).for_each(|_| drop(advance_epoch(&mut left)));
    let release =
        ops::release::Release { account: None, operator: OperatorId::new(0), asset: AssetId::new(0) };
    group.bench_function("release", |b| {
        b.iter_custom(|n| by_staker(&left, n, |_| Operation::Release(release.clone())))
    });

    let mut earned = bonded.clone();
    network::open_streams(&mut earned, 4, STAKE, 4);
    (0..3).for_each(|_| drop(advance_epoch(&mut earned)));
    let claim = ops::claim::Claim {
        account: None,
        operator: Some(OperatorId::new(0)),
        asset: Some(AssetId::new(0)),
        token: None,
        to: None,
    };
    group.bench_function("claim", |b| {
        b.iter_custom(|n| by_staker(&earned, n, |_| Operation::Claim(claim.clone())))
    });
    group.finish();
}

/// Slashes of one epoch after another, each through request and execution; only the executions are timed.
fn time_slashes(state: &mut State, iterations: u64) -> Duration {
    let mut spent = Duration::ZERO;
    for _ in 0..iterations {
        let request = Operation::RequestSlash(ops::request_slash::RequestSlash {
            set: SetId::new(0),
            operator: OperatorId::new(0),
            capture: state.epoch(),
            fraction: Fraction::from_steps(1_000_000).expect("a fraction"),
            reason: "measured".to_owned(),
            victims: Vec::new(),
        });
        let events = must(state, SERVICE, &request);
        let Some(Event::SlashRequested { request, .. }) = events.first() else { panic!("a receipt") };
        let execute = Operation::ExecuteSlash(ops::execute_slash::ExecuteSlash { request: *request });
        advance_epoch(state);
        let authority = Authority { account: SERVICE, signer: Signer::Plain, expires: u64::MAX };
        let start = Instant::now();
        black_box(apply(state, &authority, &execute).expect("a slash"));
        spent += start.elapsed();
    }
    spent
}

fn growth(c: &mut Criterion) {
    let mut group = c.benchmark_group("stakers in the pool");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for stakers in [1_000, 1_000_000] {
        let mut slashed = one_pool(stakers);
        let state = slashed.clone();
        group
            .bench_function(format!("slash/{stakers}"), |b| b.iter_custom(|n| time_slashes(&mut slashed, n)));
        let mut paying = state;
        network::open_streams(&mut paying, 1, STAKE, 1_000_000);
        group.bench_function(format!("epoch with one reward/{stakers}"), |b| {
            b.iter(|| black_box(advance_epoch(&mut paying)));
        });
    }
    group.finish();
}

fn boundary(c: &mut Criterion) {
    let mut group = c.benchmark_group("epoch boundary, 1000 operators x 50 sets x 5 assets, 1000000 stakers");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(5));
    let mut state = build(Size { operators: 1000, sets: 50, assets: 5, stakers: 1_000_000 });
    group.bench_function("quiet", |b| b.iter(|| black_box(advance_epoch(&mut state))));
    for number in 0..5000 {
        must(&mut state, staker(number), &deposit(number % 5, STAKE * 1000));
    }
    group.bench_function("every pool joined", |b| {
        b.iter_custom(|n| {
            let mut spent = Duration::ZERO;
            for _ in 0..n {
                for pool in 0..5000 {
                    let delegation = delegate(&state, pool / 5, pool % 5, 1000);
                    must(&mut state, staker(pool), &delegation);
                }
                let start = Instant::now();
                black_box(advance_epoch(&mut state));
                spent += start.elapsed();
            }
            spent
        });
    });
    network::open_streams(&mut state, 50, STAKE * 1000, 100_000);
    advance_epoch(&mut state);
    group.bench_function("every pool joined, every set pays", |b| {
        b.iter_custom(|n| {
            let mut spent = Duration::ZERO;
            for _ in 0..n {
                for pool in 0..5000 {
                    let delegation = delegate(&state, pool / 5, pool % 5, 1000);
                    must(&mut state, staker(pool), &delegation);
                }
                let start = Instant::now();
                black_box(advance_epoch(&mut state));
                spent += start.elapsed();
            }
            spent
        });
    });
    group.finish();
}

fn certificate(c: &mut Criterion) {
    let mut group = c.benchmark_group("certificate, 1000 operators x 40 sets");
    let mut state = build(Size { operators: 1000, sets: 40, assets: 1, stakers: 2000 });
    let genesis = state.genesis().clone();
    let value = ops::govern_asset::GovernAsset {
        asset: AssetId::new(0),
        value: Some(1_000_000_000),
        cap: None,
        stake_min: None,
    };
    must(&mut state, genesis.governor, &Operation::GovernAsset(value));
    (0..=genesis.parameters.notice + 1).for_each(|_| drop(advance_epoch(&mut state)));
    let mut profit = 1000_u128;
    group.bench_function("a rise of pi", |b| {
        b.iter(|| {
            profit += 1;
            let declare =
                ops::declare_profit::DeclareProfit { set: SetId::new(7), profit: Amount::new(profit) };
            let authority = Authority { account: SERVICE, signer: Signer::Plain, expires: u64::MAX };
            black_box(
                apply(&mut state, &authority, &Operation::DeclareProfit(declare)).expect("there is room"),
            )
        });
    });
    let mut joining = build(Size { operators: 1000, sets: 39, assets: 1, stakers: 2000 });
    must(
        &mut joining,
        SERVICE,
        &Operation::CreateSet(ops::create_set::CreateSet { terms: network::terms(1) }),
    );
    let set = SetId::new(39);
    let terms = joining.terms_digest(set).expect("a set");
    must(
        &mut joining,
        operator(0),
        &Operation::JoinSet(ops::join_set::JoinSet { set, terms, allocations: Vec::new() }),
    );
    group.bench_function("the capacity check of an opt-in", |b| {
        b.iter(|| black_box(joining.check_capacity(OperatorId::new(0), AssetId::new(0), set, black_box(6))));
    });
    let mut exposure = Exposure::default();
    for operator in 0..1000_u32 {
        let share = |set: u32| (SetId::new(set), Amount::new(STAKE + u128::from(operator * set)));
        exposure.add_operator(Amount::new(STAKE * 40), &(0..40).map(share).collect::<Vec<_>>());
    }
    let sets: Vec<_> =
        (0..40_u128).map(|set| (Amount::new(STAKE * (set + 1)), Fraction::from_percent(50))).collect();
    group.bench_function("gamma of the network", |b| {
        b.iter(|| black_box(exposure.certified(black_box(&sets))))
    });
    group.finish();
}

criterion_group!(benches, baseline, operations, growth, certificate, boundary);
criterion_main!(benches);
