//! A small ledger in which everybody has a name. Every invariant is checked after every operation and every boundary, and a refusal
//! must leave everything as it was.

use std::collections::BTreeMap;

use evidence::{Equivocation, Scheme, SecretKey};
use protocol::genesis::{Genesis, Parameters};
use protocol::ops;
use protocol::terms::{Mandate, Terms};
use protocol::units::{Amount, AssetId, Epoch, Fraction, OperatorId, RequestId, SetId, StreamId};
use protocol::view::{self, StakeView, View};
use protocol::{
    AssetKind, Authority, Event, FollowUp, KeyUse, Operation, Origin, RateSource, Refusal, Signer, State,
    advance_epoch, apply, invariants,
};

use crate::offers::{ETH, SERVICE, address, any_mandate};
use crate::receipts::{requested, taken};

/// A ledger, and the ids of the operators by name.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) state: State,
    operators: BTreeMap<String, OperatorId>,
    sets: u32,
    assets: u32,
}

impl World {
    /// A development ledger (U 14, W 7, V 5, X 2, N 7) with ETH listed and the service registered.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same with another genesis.
    pub(crate) fn with(change: impl FnOnce(&mut Genesis)) -> Self {
        let mut genesis = Genesis::development();
        change(&mut genesis);
        let state = State::new(genesis).expect("a genesis that checks");
        let mut world = Self { state, operators: BTreeMap::new(), sets: 0, assets: 0 };
        world.list(AssetKind::Token, RateSource::One);
        world.must(SERVICE, Operation::CreateService(ops::create_service::CreateService {}));
        world
    }

    // ---- Operations and time

    /// Applies an operation and checks every invariant; a refusal leaves what anybody can see as it was.
    pub(crate) fn run(&mut self, sender: &str, operation: Operation) -> Result<Vec<Event>, Refusal> {
        self.run_as(Signer::Plain, sender, operation)
    }

    /// The same with signers.
    pub(crate) fn run_as(
        &mut self,
        signer: Signer,
        account: &str,
        operation: Operation,
    ) -> Result<Vec<Event>, Refusal> {
        let before = self.view();
        let outcome = apply(
            &mut self.state,
            &Authority { account: address(account), signer, expires: u64::MAX },
            &operation,
        );
        invariants::check(&self.state).unwrap_or_else(|violation| panic!("after {operation:?}: {violation}"));
        if let Err(refusal) = &outcome {
            assert_eq!(self.view(), before, "refused with {refusal}, and yet something changed");
        }
        outcome
    }

    /// Applies an operation by keys of the sender, with the nonces they are at.
    pub(crate) fn run_signed(
        &mut self,
        account: &str,
        keys: &[(&SecretKey, u64)],
        operation: Operation,
    ) -> Result<Vec<Event>, Refusal> {
        let used = keys.iter().map(|(key, nonce)| KeyUse::new(key.public_key(), *nonce)).collect();
        self.run_as(Signer::Keys(used), account, operation)
    }

    /// Applies an operation that must not be refused.
    pub(crate) fn must(&mut self, sender: &str, operation: Operation) -> Vec<Event> {
        self.run(sender, operation.clone()).unwrap_or_else(|refusal| panic!("{operation:?}: {refusal}"))
    }

    /// Applies an operation that must be refused; returns the code of the refusal.
    pub(crate) fn refused(&mut self, sender: &str, operation: Operation) -> String {
        match self.run(sender, operation.clone()) {
            Err(refusal) => refusal.code(),
            Ok(events) => panic!("{operation:?} must be refused, and did {events:?}"),
        }
    }

    /// Ends so many epochs.
    pub(crate) fn advance(&mut self, epochs: u32) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..epochs {
            events.extend(advance_epoch(&mut self.state));
            invariants::check(&self.state)
                .unwrap_or_else(|violation| panic!("after a boundary: {violation}"));
        }
        events
    }

    /// Goes to the start of an epoch that is not past.
    pub(crate) fn go_to(&mut self, epoch: u32) -> Vec<Event> {
        let now = self.now();
        assert!(now <= epoch, "epoch {epoch} is before the present, {now}");
        self.advance(epoch - now)
    }

    pub(crate) fn now(&self) -> u32 {
        self.state.epoch().number()
    }

    // ---- Who and what there is

    pub(crate) fn list(&mut self, kind: AssetKind, rate: RateSource) -> AssetId {
        let asset = self.assets;
        self.assets += 1;
        let origin = Origin { chain: 1, contract: format!("0x{asset:040x}") };
        let list = ops::list_asset::ListAsset { origin, decimals: 18, kind, rate };
        self.must(SERVICE, Operation::ListAsset(list));
        AssetId::new(asset)
    }

    pub(crate) fn deposit(&mut self, who: &str, asset: AssetId, amount: u128) {
        let (amount, proof) = (Amount::new(amount), evidence::Proof::Development);
        let deposit = ops::deposit::Deposit { account: None, asset, amount, index: None, proof };
        self.must(who, Operation::Deposit(deposit));
    }

    /// The governor rates ETH: so much ledger value for 10^9 base units. It counts after the notice.
    pub(crate) fn rate_eth(&mut self, value: u64) {
        self.govern(ETH, Some(value), None);
        let notice = self.state.parameters().notice;
        self.advance(notice + 1);
    }

    /// The governor announces the value and the smallest stake of an asset.
    pub(crate) fn govern(&mut self, asset: AssetId, value: Option<u64>, stake_min: Option<u128>) {
        let stake_min = stake_min.map(Amount::new);
        let govern = ops::govern_asset::GovernAsset { asset, value, cap: None, stake_min };
        let authority =
            Authority { account: self.state.genesis().governor, signer: Signer::Plain, expires: u64::MAX };
        apply(&mut self.state, &authority, &Operation::GovernAsset(govern)).expect("the governor may");
    }

    /// Registers an operator with a pool of ETH under a mandate that admits everything.
    pub(crate) fn operator(&mut self, name: &str) -> OperatorId {
        self.operator_with(name, any_mandate())
    }

    pub(crate) fn operator_with(&mut self, name: &str, mandate: Mandate) -> OperatorId {
        let groups = Default::default();
        self.must(name, Operation::RegisterOperator(ops::register_operator::RegisterOperator { groups }));
        let id = OperatorId::new(u32::try_from(self.operators.len()).expect("few"));
        self.operators.insert(name.to_owned(), id);
        self.open_pool(name, ETH, mandate, Fraction::ZERO);
        id
    }

    pub(crate) fn open_pool(
        &mut self,
        operator: &str,
        asset: AssetId,
        mandate: Mandate,
        commission: Fraction,
    ) {
        self.must(operator, Operation::OpenPool(ops::open_pool::OpenPool { asset, mandate, commission }));
    }

    pub(crate) fn id(&self, operator: &str) -> OperatorId {
        *self.operators.get(operator).expect("the operator was registered")
    }

    /// Creates a set of the service.
    pub(crate) fn set(&mut self, terms: Terms) -> SetId {
        self.must(SERVICE, Operation::CreateSet(ops::create_set::CreateSet { terms }));
        self.sets += 1;
        SetId::new(self.sets - 1)
    }

    /// An operator with a pool of ETH of alice's, all of it allocated to a set: the shortest world with stake at risk. It is the epoch
    /// in which both count.
    pub(crate) fn with_stake(terms: Terms, stake: u128) -> (Self, SetId) {
        let mut world = Self::new();
        world.operator("op");
        let set = world.set(terms);
        world.stake("alice", "op", stake);
        world.join("op", set, 256);
        world.advance(1);
        (world, set)
    }

    // ---- Stake

    /// The governor announces other parameters; returns the epoch from which they count.
    pub(crate) fn propose(&mut self, change: impl FnOnce(&mut Parameters)) -> Result<u32, Refusal> {
        let mut parameters = Box::new(self.state.parameters().clone());
        change(&mut parameters);
        let propose = Operation::ProposeParameters(ops::propose_parameters::ProposeParameters { parameters });
        let authority =
            Authority { account: self.state.genesis().governor, signer: Signer::Plain, expires: u64::MAX };
        let events = apply(&mut self.state, &authority, &propose)?;
        match events.first() {
            Some(Event::ParametersAnnounced { from }) => Ok(from.number()),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn delegation(&self, operator: &str, asset: AssetId, amount: u128) -> ops::delegate::Delegate {
        let operator = self.id(operator);
        let mandate = self.state.mandate_digest(operator, asset).expect("the operator has such a pool");
        let (amount, worst_case) = (Amount::new(amount), Fraction::ONE);
        ops::delegate::Delegate { operator, asset, amount, validator: None, mandate, worst_case }
    }

    /// Deposits ETH and delegates it; it is bonded from the next epoch on.
    pub(crate) fn stake(&mut self, who: &str, operator: &str, amount: u128) {
        self.stake_in(who, operator, ETH, amount);
    }

    pub(crate) fn stake_in(&mut self, who: &str, operator: &str, asset: AssetId, amount: u128) {
        self.deposit(who, asset, amount);
        let delegation = self.delegation(operator, asset, amount);
        self.must(who, Operation::Delegate(delegation));
    }

    pub(crate) fn undelegation(&self, operator: &str, amount: Option<u128>) -> ops::undelegate::Undelegate {
        let (operator, amount) = (self.id(operator), amount.map(Amount::new));
        ops::undelegate::Undelegate {
            operator,
            asset: ETH,
            amount,
            validator: None,
            follow_up: FollowUp::Free,
        }
    }

    /// Asks all of it back.
    pub(crate) fn leave(&mut self, who: &str, operator: &str) -> Vec<Event> {
        let undelegation = self.undelegation(operator, None);
        self.must(who, Operation::Undelegate(undelegation))
    }

    pub(crate) fn release(&mut self, who: &str, operator: &str) -> Result<Vec<Event>, Refusal> {
        let operator = self.id(operator);
        self.run(who, Operation::Release(ops::release::Release { account: None, operator, asset: ETH }))
    }

    pub(crate) fn raise_bond(&mut self, operator: &str, amount: u128) {
        self.deposit(operator, ETH, amount);
        let raise = ops::raise_bond::RaiseBond { asset: ETH, amount: Amount::new(amount) };
        self.must(operator, Operation::RaiseBond(raise));
    }

    // ---- Sets

    /// Joins a set with parts of the pool of ETH.
    pub(crate) fn join(&mut self, operator: &str, set: SetId, parts: u16) -> Vec<Event> {
        let join = self.joining(set, parts);
        self.must(operator, Operation::JoinSet(join))
    }

    pub(crate) fn joining(&self, set: SetId, parts: u16) -> ops::join_set::JoinSet {
        let terms = self.state.terms_digest(set).expect("the set is there");
        let allocation = ops::join_set::Allocation { asset: ETH, parts };
        ops::join_set::JoinSet { set, terms, allocations: vec![allocation] }
    }

    pub(crate) fn allocation(set: SetId, parts: u16) -> Operation {
        let (expected_parts, expected_slashes) = (None, None);
        Operation::Allocate(ops::allocate::Allocate {
            set,
            asset: ETH,
            parts,
            expected_parts,
            expected_slashes,
        })
    }

    pub(crate) fn leave_set(&mut self, operator: &str, set: SetId) {
        self.must(operator, Operation::LeaveSet(ops::leave_set::LeaveSet { set }));
    }

    pub(crate) fn change_terms(set: SetId, terms: Terms) -> Operation {
        Operation::ChangeTerms(ops::change_terms::ChangeTerms { set, terms })
    }

    pub(crate) fn declare(set: SetId, profit: u128) -> Operation {
        Operation::DeclareProfit(ops::declare_profit::DeclareProfit { set, profit: Amount::new(profit) })
    }

    // ---- Slashing

    pub(crate) fn request(&self, set: SetId, operator: &str, capture: u32, fraction: Fraction) -> Operation {
        Operation::RequestSlash(ops::request_slash::RequestSlash {
            set,
            operator: self.id(operator),
            capture: Epoch::new(capture),
            fraction,
            reason: "a test".to_owned(),
            victims: Vec::new(),
        })
    }

    /// The service requests a slash.
    pub(crate) fn ask(&mut self, set: SetId, operator: &str, capture: u32, fraction: Fraction) -> RequestId {
        let request = self.request(set, operator, capture, fraction);
        requested(&self.must(SERVICE, request))
    }

    pub(crate) fn execution(request: RequestId) -> Operation {
        Operation::ExecuteSlash(ops::execute_slash::ExecuteSlash { request })
    }

    /// Executes a request; what it took of stake and bond.
    pub(crate) fn execute(&mut self, request: RequestId) -> u128 {
        taken(&self.must("anyone", Self::execution(request)))
    }

    /// Requests now, executes in the next epoch; what it took. For sets without a veto window.
    pub(crate) fn slash(&mut self, set: SetId, operator: &str, capture: u32, fraction: Fraction) -> u128 {
        let request = self.ask(set, operator, capture, fraction);
        self.advance(1);
        self.execute(request)
    }

    pub(crate) fn veto(request: RequestId) -> Operation {
        Operation::VetoSlash(ops::veto_slash::VetoSlash { request })
    }

    /// Registers a key of an operator in a set; it counts from the next epoch on.
    pub(crate) fn key(&mut self, operator: &str, set: SetId, scheme: Scheme, seed: u8) -> SecretKey {
        let secret = SecretKey::from_seed(scheme, [seed; 32]);
        let register = self.registration(operator, set, &secret);
        self.must(operator, register);
        secret
    }

    pub(crate) fn registration(&self, operator: &str, set: SetId, secret: &SecretKey) -> Operation {
        let ledger = &self.state.genesis().ledger.0;
        let possession = secret.prove_possession(ledger, set.number(), self.id(operator).number());
        Operation::RegisterKey(ops::register_key::RegisterKey { set, key: secret.public_key(), possession })
    }

    /// Submits evidence that a key said two different things in a slot.
    pub(crate) fn submit(&mut self, evidence: Equivocation) -> Result<Vec<Event>, Refusal> {
        let submit = ops::submit_equivocation::SubmitEquivocation { evidence };
        self.run("anyone", Operation::SubmitEquivocation(submit))
    }

    // ---- Rewards

    /// The service opens a stream of ETH that it pays for.
    pub(crate) fn stream(&mut self, set: SetId, per_epoch: u128, epochs: u32) -> StreamId {
        self.deposit(SERVICE, ETH, per_epoch * u128::from(epochs));
        let per_epoch = Amount::new(per_epoch);
        let open = ops::open_stream::OpenStream { set, token: ETH, per_epoch, epochs };
        let events = self.must(SERVICE, Operation::OpenStream(open));
        let opened = events.iter().find_map(|event| match event {
            Event::StreamOpened { stream, .. } => Some(*stream),
            _ => None,
        });
        opened.expect("a receipt of the stream")
    }

    /// The service pays for the work of an operator in a past epoch.
    pub(crate) fn work(&self, set: SetId, operator: &str, epoch: u32, amount: u128) -> Operation {
        let payment = ops::pay_work::Payment { operator: self.id(operator), amount: Amount::new(amount) };
        let (epoch, payments) = (Epoch::new(epoch), vec![payment]);
        Operation::PayWork(ops::pay_work::PayWork { set, token: ETH, epoch, payments })
    }

    // ---- Questions

    pub(crate) fn view(&self) -> View {
        view::view(&self.state)
    }

    pub(crate) fn free(&self, who: &str, asset: AssetId) -> u128 {
        let view = self.view();
        let account = view.accounts.iter().find(|account| account.account == address(who));
        let balance =
            account.and_then(|account| account.balances.iter().find(|balance| balance.asset == asset));
        balance.map_or(0, |balance| balance.free.units())
    }

    fn stake_view(&self, who: &str, operator: &str, asset: AssetId) -> Option<StakeView> {
        let operator = self.id(operator);
        let account = self.view().accounts.into_iter().find(|account| account.account == address(who))?;
        account.stakes.into_iter().find(|stake| stake.operator == operator && stake.asset == asset)
    }

    /// All the stake of an account with an operator: joining, bonded and leaving.
    pub(crate) fn worth(&self, who: &str, operator: &str) -> u128 {
        self.worth_in(who, operator, ETH)
    }

    pub(crate) fn worth_in(&self, who: &str, operator: &str, asset: AssetId) -> u128 {
        let Some(stake) = self.stake_view(who, operator, asset) else { return 0 };
        let leaving = stake.unbonding.iter().fold(0, |sum, part| sum + part.amount.units());
        stake.joining.units() + stake.bonded.units() + leaving
    }

    /// Rewards earned by an account's stake with an operator, settled or not.
    pub(crate) fn earned(&self, who: &str, operator: &str) -> u128 {
        let view = self.view();
        let account = view.accounts.iter().find(|account| account.account == address(who));
        let balance =
            account.and_then(|account| account.balances.iter().find(|balance| balance.asset == ETH));
        let due = self
            .stake_view(who, operator, ETH)
            .map_or(0, |stake| stake.claimable.iter().fold(0, |sum, reward| sum + reward.amount.units()));
        due + balance.map_or(0, |balance| balance.claimable.units())
    }

    /// The weight of an operator in the stake table of this epoch.
    pub(crate) fn weight(&self, set: SetId, operator: &str) -> u128 {
        let id = self.id(operator);
        let view = self.view();
        let set = view.sets.iter().find(|view| view.set == set).expect("the set is there");
        set.operators.iter().find(|row| row.operator == id).map_or(0, |row| row.weight.units())
    }

    pub(crate) fn is_under_collateralised(&self, set: SetId) -> bool {
        self.view().sets.iter().any(|view| view.set == set && view.under_collateralised)
    }

    /// Parts of the pool of ETH that a set owns in this epoch, and those ordered.
    pub(crate) fn parts(&self, operator: &str, set: SetId) -> (u16, u16) {
        let (id, view) = (self.id(operator), self.view());
        let pool = view.pools.iter().find(|pool| pool.operator == id && pool.asset == ETH).expect("a pool");
        let allocation = pool.allocations.iter().find(|allocation| allocation.set == set);
        allocation.map_or((0, 0), |allocation| (allocation.parts, allocation.ordered))
    }

    pub(crate) fn burnt(&self, asset: AssetId) -> u128 {
        invariants::conservation(&self.state, asset).burnt.units()
    }
}
