//! What vaults cost: one thread, no signatures, everything through `apply` as a user's operation would come.
//!
//! `cargo bench -p protocol --bench vaults`

#![allow(clippy::disallowed_methods, reason = "sums of tests are small")]
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(clippy::disallowed_types, reason = "a bench measures time")]

mod network;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use network::{SERVICE, Size, address, build, deposit, must, operator, staker};
use protocol::ops::create_vault::{InstantTerms, VaultTerms};
use protocol::ops::set_bands::{Band, Policy, Rung, VaultCaps};
use protocol::terms::Mandate;
use protocol::units::{
    Address, Amount, AssetId, Epoch, Fraction, OperatorId, SetId, Shares, TicketId, VaultId,
};
use protocol::{Authority, Event, Operation, Signer, State, advance_epoch, apply, ops};

/// What every holder deposits.
const STAKE: u128 = 1_000_000_000;
/// Operations timed on one copy of the state.
const BATCH: u32 = 1000;
const COUNCIL: Address = Address([7; 20]);
/// Positions of each vault in the bench of the tick.
const POSITIONS: u32 = 50;
const VAULTS: u32 = 1000;

fn terms() -> VaultTerms {
    VaultTerms {
        curator: COUNCIL,
        guardian: COUNCIL,
        council: COUNCIL,
        fee: Fraction::from_percent(10),
        fee_to: COUNCIL,
        cap: Amount::new(1 << 90),
        deposit_min: Amount::new(1),
        drip: 7,
        fund_target: Fraction::from_percent(1),
        instant: InstantTerms {
            fee_low: Fraction::ZERO,
            fee_high: Fraction::from_percent(1),
            bucket: Fraction::from_percent(2),
            watermark: Fraction::ZERO,
            holdback: Fraction::from_percent(5),
        },
        junior: None,
    }
}

fn create(state: &mut State) {
    must(state, SERVICE, &deposit(0, 1 << 80));
    let create = ops::create_vault::CreateVault { asset: AssetId::new(0), terms: terms() };
    must(state, SERVICE, &Operation::CreateVault(create));
}

fn put_in(vault: u32, amount: u128) -> Operation {
    let (vault, amount) = (VaultId::new(vault), Amount::new(amount));
    let (shares_min, deadline) = (Shares::ZERO, Epoch::NEVER);
    Operation::VaultDeposit(ops::vault_deposit::VaultDeposit { vault, amount, shares_min, deadline })
}

fn ask_back() -> Operation {
    Operation::VaultRequest(ops::vault_request::VaultRequest { vault: VaultId::new(0), shares: None })
}

fn tick(state: &mut State, vault: u32) {
    let vault = VaultId::new(vault);
    let tick = Operation::VaultTick(ops::vault_tick::VaultTick { vault, steps: None });
    let authority = Authority { account: SERVICE, signer: Signer::Plain, expires: u64::MAX };
    while apply(state, &authority, &tick).is_ok() {}
}

/// A vault that so many have deposited in, and everybody has as much again.
fn with_holders(holders: u32) -> State {
    let mut state = build(Size { operators: 1, sets: 1, assets: 1, stakers: 1 });
    create(&mut state);
    for number in 0..holders {
        must(&mut state, staker(number), &deposit(0, 2 * STAKE));
        must(&mut state, staker(number), &put_in(0, STAKE));
    }
    advance_epoch(&mut state);
    tick(&mut state, 0);
    state
}

/// Times one operation of each of many holders, spread over all of them, on a copy of the state per batch.
fn spread(base: &State, holders: u32, iterations: u64, operation: impl Fn(u32) -> Operation) -> Duration {
    let (mut spent, mut left) = (Duration::ZERO, iterations);
    while left > 0 {
        let mut state = base.clone();
        let batch = left.min(u64::from(BATCH.min(holders)));
        let operations: Vec<(Address, Operation)> = (0..u32::try_from(batch).expect("a batch is small"))
            .map(|number| {
                // In no order that a cache could guess; 48271 and the number of holders have no common divisor.
                let number =
                    u32::try_from(u64::from(number) * 48_271 % u64::from(holders)).expect("a holder");
                (staker(number), operation(number))
            })
            .collect();
        let start = Instant::now();
        for (account, operation) in operations {
            let authority = Authority { account, signer: Signer::Plain, expires: u64::MAX };
            black_box(apply(&mut state, &authority, &operation).expect("an operation that is not refused"));
        }
        spent += start.elapsed();
        left -= batch;
    }
    spent
}

fn growth(c: &mut Criterion) {
    for holders in [1_000_u32, 1_000_000] {
        let mut group = c.benchmark_group(format!("{holders} holders"));
        group.throughput(Throughput::Elements(1)).sample_size(20);
        let held = with_holders(holders);
        group.bench_function("deposit", |b| {
            b.iter_custom(|n| spread(&held, holders, n, |_| put_in(0, STAKE)))
        });
        group.bench_function("request", |b| b.iter_custom(|n| spread(&held, holders, n, |_| ask_back())));
        let mut waiting = held;
        let tickets: Vec<TicketId> = (0..holders)
            .map(|number| {
                let events = must(&mut waiting, staker(number), &ask_back());
                let ticket = events.iter().find_map(|event| match event {
                    Event::VaultExitRequested { ticket, .. } => Some(*ticket),
                    _ => None,
                });
                ticket.expect("a receipt of the request")
            })
            .collect();
        group.bench_function("deposit behind a line of as many", |b| {
            b.iter_custom(|n| spread(&waiting, holders, n, |_| put_in(0, STAKE)))
        });
        let settle = |base: &State| {
            let mut state = base.clone();
            advance_epoch(&mut state);
            let start = Instant::now();
            tick(&mut state, 0);
            (start.elapsed(), state)
        };
        group.bench_function("the tick that settles all of them", |b| {
            b.iter_custom(|n| (0..n).map(|_| settle(&waiting).0).sum())
        });
        let (_, settled) = settle(&waiting);
        let claim = |number: u32| {
            let ticket = tickets[usize::try_from(number).expect("a number of holders")];
            Operation::VaultClaim(ops::vault_claim::VaultClaim { vault: VaultId::new(0), ticket })
        };
        group.bench_function("claim", |b| b.iter_custom(|n| spread(&settled, holders, n, claim)));
        group.finish();
    }
}

/// A change to a map of a million addresses that a clone shares, and to one that nobody shares: what no record in memory gets below.
fn baseline(c: &mut Criterion) {
    const ENTRIES: u32 = 1_000_000;
    let mut group = c.benchmark_group("baseline, 1000000 addresses");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    let key = |number: u64| staker(u32::try_from(number * 48_271 % u64::from(ENTRIES)).expect("an entry")).0;
    let base: rpds::RedBlackTreeMapSync<[u8; 20], u128> =
        (0..ENTRIES).map(|number| (staker(number).0, 0)).collect();
    group.bench_function("tree map shared with a clone", |b| {
        b.iter_custom(|iterations| {
            let (mut spent, mut left) = (Duration::ZERO, iterations);
            while left > 0 {
                let mut tree = base.clone();
                let batch = left.min(u64::from(BATCH));
                let start = Instant::now();
                (0..batch).for_each(|number| *tree.get_mut(&key(number)).expect("an entry") += 1);
                spent += start.elapsed();
                left -= batch;
            }
            spent
        })
    });
    drop(base);
    let mut tree: std::collections::BTreeMap<[u8; 20], u128> =
        (0..ENTRIES).map(|number| (staker(number).0, 0)).collect();
    let mut number = 0;
    group.bench_function("tree map of its own", |b| {
        b.iter(|| {
            number += 1;
            *tree.get_mut(&key(number)).expect("an entry") += 1;
        })
    });
    group.finish();
}

/// Services that may slash a sixteenth of every pool each.
const SERVICES: u32 = 8;

/// Caps as a careful council sets them.
fn caps() -> VaultCaps {
    let percent = Fraction::from_percent;
    VaultCaps {
        operator: percent(4),
        group: percent(30),
        event: percent(20),
        two_events: percent(40),
        bond_multiples: [0, 0],
        ..VaultCaps::usual()
    }
}

/// Caps that bind nobody, and the same band for every operator.
fn policy() -> Policy {
    let (none, all) = (Fraction::ZERO, Fraction::ONE);
    let band = |number| Band {
        operator: OperatorId::new(number),
        owner: None,
        min: none,
        target: Fraction::from_percent(2),
        max: Fraction::from_percent(4),
    };
    Policy {
        mandate: Mandate {
            worst_case: all,
            elsewhere: all,
            own_verifiers: all,
            uncertified: true,
            commission: all,
        },
        caps: VaultCaps {
            operator: all,
            owner: all,
            service: all,
            slasher: all,
            group: all,
            event: all,
            two_events: all,
            bond_multiples: [0, 0],
            ramp: 0,
            freeze: 0,
            gamma: none,
            ladder: Vec::new(),
            slow: Rung { epochs: 1000, share: all },
            turnover: all,
            slack: none,
        },
        bands: (0..POSITIONS).map(band).collect(),
        services: Vec::new(),
        move_min: Amount::new(1),
    }
}

/// Fifty operators in sets of four services that share everything.
fn shared() -> State {
    build(Size { operators: POSITIONS, sets: 4, assets: 1, stakers: POSITIONS })
}

/// Fifty operators that say where they stand, in sets of services of which each may slash a little.
fn apart() -> State {
    let mut state = build(Size { operators: POSITIONS, sets: 0, assets: 1, stakers: POSITIONS });
    for number in 0..POSITIONS {
        let label = |of: u32| Some(format!("number {}", number % of));
        let groups =
            protocol::Groups { client: label(4), cloud: label(7), custody: label(5), code: label(6) };
        must(&mut state, operator(number), &Operation::SetGroups(ops::set_groups::SetGroups { groups }));
    }
    for number in 0..SERVICES {
        let service = address(8, number);
        must(&mut state, service, &Operation::CreateService(ops::create_service::CreateService {}));
        let terms = protocol::terms::Terms { slasher: service, ..network::terms(1) };
        must(&mut state, service, &Operation::CreateSet(ops::create_set::CreateSet { terms }));
        let set = SetId::new(number);
        for number in 0..POSITIONS {
            let allocations = vec![ops::join_set::Allocation { asset: AssetId::new(0), parts: 16 }];
            let terms = state.terms_digest(set).expect("a set");
            let join = ops::join_set::JoinSet { set, terms, allocations };
            must(&mut state, operator(number), &Operation::JoinSet(join));
        }
    }
    advance_epoch(&mut state);
    state
}

fn set_bands(state: &mut State, vault: u32, policy: &Policy) {
    let bands = ops::set_bands::SetBands { vault: VaultId::new(vault), policy: policy.clone() };
    must(state, COUNCIL, &Operation::SetBands(bands));
}

/// Vaults with a position at each of 50 operators, all bonded.
fn delegated(network: fn() -> State, policy: &Policy) -> State {
    let mut state = network();
    for vault in 0..VAULTS {
        create(&mut state);
        set_bands(&mut state, vault, policy);
        let owner = address(9, vault);
        must(&mut state, owner, &deposit(0, STAKE));
        must(&mut state, owner, &put_in(vault, STAKE));
    }
    for _ in 0..2 {
        advance_epoch(&mut state);
        (0..VAULTS).for_each(|vault| tick(&mut state, vault));
    }
    let stakes: usize =
        protocol::view::view(&state).accounts.iter().map(|account| account.stakes.len()).sum();
    assert_eq!(stakes, usize::try_from((VAULTS + 1) * POSITIONS).expect("few"), "every vault is everywhere");
    assert!(operator(0) != SERVICE);
    state
}

/// Times the tick of all vaults in the epoch after something was prepared in a copy.
fn run(base: &State, prepare: &dyn Fn(&mut State)) -> Duration {
    let mut state = base.clone();
    prepare(&mut state);
    advance_epoch(&mut state);
    let start = Instant::now();
    (0..VAULTS).for_each(|vault| tick(&mut state, vault));
    start.elapsed()
}

fn deposits(state: &mut State) {
    for vault in 0..VAULTS {
        let owner = address(9, vault);
        must(state, owner, &deposit(0, STAKE / 100));
        must(state, owner, &put_in(vault, STAKE / 100));
    }
}

/// One service takes a tenth of what it may slash of one operator.
fn slash(state: &mut State) {
    let request = Operation::RequestSlash(ops::request_slash::RequestSlash {
        set: SetId::new(0),
        operator: OperatorId::new(0),
        capture: state.epoch(),
        fraction: Fraction::from_percent(10),
        reason: "measured".to_owned(),
        victims: Vec::new(),
    });
    let events = must(state, SERVICE, &request);
    let Some(Event::SlashRequested { request, .. }) = events.first() else { panic!("a receipt") };
    let execute = Operation::ExecuteSlash(ops::execute_slash::ExecuteSlash { request: *request });
    advance_epoch(state);
    must(state, SERVICE, &execute);
}

/// The council lowers the bands of every fifth operator below what is there.
fn lowered(state: &mut State) {
    let mut policy = policy();
    for band in policy.bands.iter_mut().step_by(5) {
        (band.target, band.max) = (Fraction::from_percent(1), Fraction::from_percent(1));
    }
    (0..VAULTS).for_each(|vault| set_bands(state, vault, &policy));
}

fn ticks(c: &mut Criterion) {
    let mut group = c.benchmark_group(format!("the tick of {VAULTS} vaults x {POSITIONS} positions"));
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    let mut measure = |name: &str, base: &State, prepare: &dyn Fn(&mut State)| {
        group.bench_function(name, |b| b.iter_custom(|n| (0..n).map(|_| run(base, prepare)).sum()));
    };
    let base = delegated(shared, &policy());
    measure("nothing happened", &base, &|_| ());
    measure("a deposit of a hundredth came in, and is delegated", &base, &deposits);
    measure("one operator was slashed", &base, &slash);
    measure("a fifth of the bands were lowered, and ten positions of each vault leave", &base, &lowered);
    drop(base);
    let careful = Policy { caps: caps(), ..policy() };
    let base = delegated(apart, &careful);
    measure("caps are set, and nothing happened", &base, &|_| ());
    measure("caps are set, and a deposit came in", &base, &deposits);
    drop(base);
    let tight = Policy { caps: VaultCaps { group: Fraction::from_percent(24), ..caps() }, ..policy() };
    let base = delegated(apart, &tight);
    measure("caps bind two groups, and a deposit came in", &base, &deposits);
    group.finish();
}

criterion_group!(benches, ticks, baseline, growth);
criterion_main!(benches);
