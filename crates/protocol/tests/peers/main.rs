//! The peer's own numbers: histories recorded from EigenLayer's published contracts, replayed through the operations.
//!
//! The recordings lie in the shared folder beside the project (or where `SURETY_SHARED` points) and are not part of it; without them the
//! test says that it skipped. Each slash gets an epoch of its own, in which everybody is bonded; what the recording asks back in between
//! stays slashable there to the end of the history, so here it is asked back at the end.

#![allow(clippy::print_stdout, reason = "a skipped test says so")]
#![allow(clippy::disallowed_methods, reason = "sums of a test are small")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use protocol::genesis::Genesis;
use protocol::terms::{AcceptedAsset, Admission, Mandate, Offences, Terms};
use protocol::units::{Address, Amount, AssetId, Fraction, OperatorId, RequestId, SetId};
use protocol::{
    Authority, Event, FollowUp, Operation, Refusal, Signer, State, advance_epoch, apply, invariants, ops,
    view,
};
use serde_json::Value;

fn shared(path: &str) -> Option<String> {
    let root = std::env::var_os("SURETY_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    std::fs::read_to_string(root.join(path)).ok()
}

struct World {
    state: State,
    service: Address,
    operators: BTreeMap<String, (Address, OperatorId)>,
    sets: BTreeMap<(u64, u64), SetId>,
}

fn address(name: &str) -> Address {
    let mut bytes = [0; 20];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    Address(bytes)
}

fn number(value: &Value) -> u128 {
    value.as_str().expect("a decimal string").parse().expect("a number")
}

impl World {
    fn new() -> Self {
        let mut genesis = Genesis::development();
        let parameters = &mut genesis.parameters;
        (parameters.slash_window, parameters.veto, parameters.execution, parameters.unbonding) = (0, 0, 1, 3);
        let state = State::new(genesis).expect("a genesis");
        let service = address("service");
        let mut world = Self { state, service, operators: BTreeMap::new(), sets: BTreeMap::new() };
        world.must(service, Operation::CreateService(ops::create_service::CreateService {}));
        world
    }

    fn run(&mut self, sender: Address, operation: Operation) -> Result<Vec<Event>, Refusal> {
        let authority = Authority { account: sender, signer: Signer::Plain, expires: u64::MAX };
        let outcome = apply(&mut self.state, &authority, &operation);
        invariants::check(&self.state).expect("every invariant holds");
        outcome
    }

    fn must(&mut self, sender: Address, operation: Operation) -> Vec<Event> {
        self.run(sender, operation.clone()).unwrap_or_else(|refusal| panic!("{operation:?}: {refusal}"))
    }

    fn list(&mut self, asset: u64) {
        let origin = protocol::Origin { chain: 1, contract: format!("0x{asset:040x}") };
        let list = ops::list_asset::ListAsset {
            origin,
            decimals: 18,
            kind: protocol::AssetKind::Token,
            rate: protocol::RateSource::One,
        };
        self.must(self.service, Operation::ListAsset(list));
    }

    fn operator(&mut self, name: &str, assets: u64) -> OperatorId {
        if let Some((_, id)) = self.operators.get(name) {
            return *id;
        }
        let account = address(name);
        let id = OperatorId::new(u32::try_from(self.operators.len()).expect("few"));
        let register = ops::register_operator::RegisterOperator { groups: Default::default() };
        self.must(account, Operation::RegisterOperator(register));
        let mandate = Mandate {
            worst_case: Fraction::ONE,
            elsewhere: Fraction::ONE,
            own_verifiers: Fraction::ZERO,
            uncertified: true,
            commission: Fraction::ZERO,
        };
        for asset in 0..assets {
            let asset = AssetId::new(u32::try_from(asset).expect("few"));
            let open = ops::open_pool::OpenPool { asset, mandate, commission: Fraction::ZERO };
            self.must(account, Operation::OpenPool(open));
        }
        self.operators.insert(name.to_owned(), (account, id));
        id
    }

    /// The recording slashes one asset at a time; so each (set, asset) of it is a set of its own here.
    fn set(&mut self, set: u64, asset: u64) -> SetId {
        if let Some(id) = self.sets.get(&(set, asset)) {
            return *id;
        }
        let asset_id = AssetId::new(u32::try_from(asset).expect("few"));
        let terms = Terms {
            assets: vec![AcceptedAsset { asset: asset_id, weight: 1_000_000_000 }],
            admission: Admission {
                list_only: false,
                operators_max: 16,
                stake_min: Amount::ZERO,
                self_stake_min: Amount::ZERO,
                bond_min: Amount::ZERO,
            },
            operator_share_max: Fraction::ONE,
            offences: Offences {
                equivocation: None,
                subjective: Some(Fraction::ONE),
                correlation: None,
                false_event: None,
            },
            window_cap: Fraction::ONE,
            veto: 0,
            resolvers: Vec::new(),
            threshold: None,
            slasher: self.service,
            destinations: vec![protocol::terms::Destination {
                to: protocol::terms::Beneficiary::Burn,
                share: Fraction::ONE,
            }],
            reward_tokens: Vec::new(),
            warm_up: 0,
            jail: Default::default(),
            mass_slash_max: Fraction::ONE,
            risk_weight: Fraction::ONE,
            corruption_share: Fraction::ONE,
            quorum: None,
        };
        let id = SetId::new(u32::try_from(self.sets.len()).expect("few"));
        self.must(self.service, Operation::CreateSet(ops::create_set::CreateSet { terms }));
        self.sets.insert((set, asset), id);
        id
    }

    fn allocate(&mut self, step: &Value, assets: u64) {
        let (set, asset) = (step["set"].as_u64().expect("a set"), step["asset"].as_u64().expect("an asset"));
        let name = step["operator"].as_str().expect("an operator");
        self.operator(name, assets);
        let (account, _) = self.operators[name];
        let set = self.set(set, asset);
        let parts = number(&step["magnitude"]) * 256 / u128::from(Fraction::STEPS);
        let asset = AssetId::new(u32::try_from(asset).expect("few"));
        let allocation =
            ops::join_set::Allocation { asset, parts: u16::try_from(parts).expect("at most 256") };
        let terms = self.state.terms_digest(set).expect("the set is there");
        let join = ops::join_set::JoinSet { set, terms, allocations: vec![allocation] };
        self.must(account, Operation::JoinSet(join));
    }

    /// Requests in the current epoch for the current epoch, executes in the next; what was taken.
    fn slash(&mut self, step: &Value) -> u128 {
        let (set, asset) = (step["set"].as_u64().expect("a set"), step["asset"].as_u64().expect("an asset"));
        let (_, operator) = self.operators[step["operator"].as_str().expect("an operator")];
        let set = self.set(set, asset);
        let fraction =
            u64::try_from(number(&step["fraction"])).ok().and_then(Fraction::from_steps).expect("a fraction");
        let request = ops::request_slash::RequestSlash {
            set,
            operator,
            capture: self.state.epoch(),
            fraction,
            reason: "recorded".to_owned(),
            victims: Vec::new(),
        };
        let taken = match self.run(self.service, Operation::RequestSlash(request)) {
            Err(refusal) => {
                let is_nothing = ["request_slash.NotOnDuty", "request_slash.FractionIsZero"];
                assert!(is_nothing.contains(&refusal.code().as_str()), "{refusal}");
                0
            }
            Ok(events) => {
                let Some(Event::SlashRequested { request, .. }) = events.first() else { panic!("a receipt") };
                let request: RequestId = *request;
                advance_epoch(&mut self.state);
                let execute = ops::execute_slash::ExecuteSlash { request };
                let events = self.must(self.service, Operation::ExecuteSlash(execute));
                let slashed = events.iter().find_map(|event| match event {
                    Event::Slashed { pools, .. } => Some(pools.iter().map(|pool| pool.stake.units()).sum()),
                    _ => None,
                });
                slashed.expect("a receipt of the slash")
            }
        };
        advance_epoch(&mut self.state);
        taken
    }

    fn undelegate(&mut self, step: &Value, delegated_to: &BTreeMap<String, String>) {
        let staker = step["staker"].as_str().expect("a staker");
        let asset = AssetId::new(u32::try_from(step["asset"].as_u64().expect("an asset")).expect("few"));
        let (_, operator) = self.operators[&delegated_to[staker]];
        let part = step["of_remaining"].as_str().expect("a fraction");
        let (numerator, denominator): (u128, u128) = match part.split_once('/') {
            Some((n, d)) => (n.parse().expect("a number"), d.parse().expect("a number")),
            None => (part.parse().expect("a number"), 1),
        };
        let worth = self.stake_of(staker, operator, asset).0;
        let amount = (numerator != denominator).then(|| Amount::new(worth / denominator * numerator));
        if amount.is_some_and(Amount::is_zero) {
            return;
        }
        let undelegate = ops::undelegate::Undelegate {
            operator,
            asset,
            amount,
            validator: None,
            follow_up: FollowUp::Free,
        };
        match self.run(address(staker), Operation::Undelegate(undelegate)) {
            Ok(_) => {}
            Err(refusal) => assert_eq!(refusal.code(), "undelegate.NothingDelegated", "{refusal}"),
        }
    }

    /// Bonded and leaving worth of a staker.
    fn stake_of(&self, staker: &str, operator: OperatorId, asset: AssetId) -> (u128, u128) {
        let view = view::view(&self.state);
        let account = view.accounts.iter().find(|account| account.account == address(staker));
        let stake = account.into_iter().flat_map(|account| &account.stakes);
        let stake = stake.clone().find(|stake| stake.operator == operator && stake.asset == asset);
        stake.map_or((0, 0), |stake| {
            let leaving: u128 = stake.unbonding.iter().map(|part| part.amount.units()).sum();
            (stake.bonded.units() + stake.joining.units(), leaving)
        })
    }
}

/// The tolerance of the recording's own notes: 1e-6 relative plus 50 base units.
fn assert_close(what: &str, ours: u128, theirs: u128) {
    let bound = theirs / 1_000_000 + 50;
    assert!(ours.abs_diff(theirs) <= bound, "{what}: {ours} is not within {bound} of {theirs}");
}

fn replay(history: &Value) {
    let seed = &history["seed"];
    let assets = history["assets"].as_u64().expect("a count");
    let mut world = World::new();
    (0..assets).for_each(|asset| world.list(asset));
    let steps = history["steps"].as_array().expect("steps");
    let mut delegated_to: BTreeMap<String, String> = BTreeMap::new();
    let mut deposits: BTreeMap<(String, u64), u128> = BTreeMap::new();
    let mut taken_total = vec![0_u128; usize::try_from(assets).expect("few")];
    let mut asked_back = Vec::new();
    let mut has_begun = false;
    for step in steps {
        match step["op"].as_str().expect("an op") {
            "deposit" => {
                let (staker, asset) =
                    (step["staker"].as_str().expect("a staker"), step["asset"].as_u64().expect("an asset"));
                *deposits.entry((staker.to_owned(), asset)).or_default() += number(&step["amount"]);
                let asset = AssetId::new(u32::try_from(asset).expect("few"));
                let amount = Amount::new(number(&step["amount"]));
                let deposit = ops::deposit::Deposit {
                    account: None,
                    asset,
                    amount,
                    index: None,
                    proof: Default::default(),
                };
                world.must(address(staker), Operation::Deposit(deposit));
            }
            "delegate_all" => {
                let (staker, name) =
                    (step["staker"].as_str().expect("a staker"), step["operator"].as_str().expect("one"));
                let operator = world.operator(name, assets);
                delegated_to.insert(staker.to_owned(), name.to_owned());
                for asset in 0..assets {
                    let Some(amount) = deposits.get(&(staker.to_owned(), asset)).copied() else { continue };
                    let asset = AssetId::new(u32::try_from(asset).expect("few"));
                    let mandate = world.state.mandate_digest(operator, asset).expect("a pool");
                    let delegate = ops::delegate::Delegate {
                        operator,
                        asset,
                        amount: Amount::new(amount),
                        validator: None,
                        mandate,
                        worst_case: Fraction::ONE,
                    };
                    world.must(address(staker), Operation::Delegate(delegate));
                }
            }
            "allocate" => world.allocate(step, assets),
            "slash" => {
                if !has_begun {
                    advance_epoch(&mut world.state);
                    has_begun = true;
                }
                let taken = world.slash(step);
                assert_close(&format!("history {seed}, slash {step}"), taken, number(&step["taken"]));
                taken_total[usize::try_from(step["asset"].as_u64().expect("an asset")).expect("few")] +=
                    taken;
            }
            "undelegate" => asked_back.push(step),
            other => panic!("unknown step {other}"),
        }
    }
    advance_epoch(&mut world.state);
    for step in asked_back {
        world.undelegate(step, &delegated_to);
    }
    check_final(&world, history, &delegated_to, &deposits, &taken_total);
}

fn check_final(
    world: &World,
    history: &Value,
    delegated_to: &BTreeMap<String, String>,
    deposits: &BTreeMap<(String, u64), u128>,
    taken: &[u128],
) {
    for (staker, end) in history["final"].as_object().expect("final") {
        for asset in 0..taken.len() {
            let id = AssetId::new(u32::try_from(asset).expect("few"));
            let Some(name) = delegated_to.get(staker) else { continue };
            let (_, operator) = world.operators[name];
            let (stays, leaves) = world.stake_of(staker, operator, id);
            let what = format!("history {}, {staker}, asset {asset}", history["seed"]);
            assert_close(&format!("{what}, withdrawn"), leaves, number(&end["withdrawn"][asset]));
            assert_close(&format!("{what}, still delegated"), stays, number(&end["still_delegated"][asset]));
        }
    }
    for (asset, taken) in taken.iter().enumerate() {
        let id = AssetId::new(u32::try_from(asset).expect("few"));
        let deposited: u128 =
            deposits.iter().filter(|((_, a), _)| *a == asset as u64).map(|(_, amount)| amount).sum();
        let sum = invariants::conservation(&world.state, id);
        assert_eq!(sum.burnt.units(), *taken, "what was taken is what was burnt");
        assert_eq!(sum.holdings().expect("a sum").units() + taken, deposited, "ours is exact to the unit");
    }
}

#[test]
fn every_recorded_history_ends_as_it_did_on_the_peer() {
    let Some(text) = shared("data/eigenlayer/slashing_traces.jsonl") else {
        println!("skipped: the shared folder with the recordings is missing");
        return;
    };
    let histories: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a history")).collect();
    assert_eq!(histories.len(), 40, "every history was opened");
    histories.iter().for_each(replay);
}
