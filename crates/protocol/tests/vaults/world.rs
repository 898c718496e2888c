//! A small ledger with vaults in it. Every invariant is checked after every operation and every boundary, those about a step against what was
//! there before it, and a refusal must leave everything as it was.

use protocol::genesis::Genesis;
use protocol::ops;
use protocol::ops::create_vault::{InstantTerms, VaultTerms};
use protocol::terms::{
    AcceptedAsset, Admission, Beneficiary, Destination, JailTerms, Mandate, Offences, Terms,
};
use protocol::units::{
    Address, Amount, AssetId, Epoch, Fraction, OperatorId, RequestId, SetId, Shares, TicketId, VaultId,
};
use protocol::{
    AssetKind, Authority, Event, Operation, Origin, RateSource, Refusal, Signer, State, advance_epoch, apply,
    invariants,
};

/// The asset that every world has.
pub(crate) const ETH: AssetId = AssetId::new(0);
/// The account of the service that owns the sets, and slashes.
pub(crate) const SERVICE: &str = "service";
/// The first vault.
pub(crate) const VAULT: VaultId = VaultId::new(0);

pub(crate) const fn percent(percent: u8) -> Fraction {
    Fraction::from_percent(percent)
}

/// The account of a name.
pub(crate) fn address(name: &str) -> Address {
    let mut bytes = [0; 20];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    Address(bytes)
}

/// Terms of a set that takes everything for a reason, with a veto window of two epochs and one resolver, and burns.
pub(crate) fn set_terms() -> Terms {
    Terms {
        assets: vec![AcceptedAsset { asset: ETH, weight: 1_000_000_000 }],
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
            subjective: Some(Fraction::ONE),
            false_event: None,
            correlation: None,
        },
        window_cap: Fraction::ONE,
        veto: 2,
        resolvers: vec![address("resolver")],
        threshold: None,
        slasher: address(SERVICE),
        destinations: vec![Destination { to: Beneficiary::Burn, share: Fraction::ONE }],
        reward_tokens: vec![ETH],
        warm_up: 0,
        jail: JailTerms::default(),
        mass_slash_max: Fraction::ONE,
        risk_weight: Fraction::ONE,
        corruption_share: Fraction::ONE,
        quorum: None,
    }
}

/// A vault without a fee, which holds nothing back; gains vest over 7 epochs.
pub(crate) fn vault_terms() -> VaultTerms {
    VaultTerms {
        curator: address("curator"),
        guardian: address("guardian"),
        council: address("council"),
        fee: Fraction::ZERO,
        fee_to: address("treasury"),
        cap: Amount::new(1 << 90),
        deposit_min: Amount::new(1),
        drip: 7,
        fund_target: Fraction::ZERO,
        instant: InstantTerms {
            fee_low: Fraction::ZERO,
            fee_high: percent(2),
            bucket: percent(20),
            watermark: Fraction::ZERO,
            holdback: percent(0),
        },
        junior: None,
    }
}

/// A ledger.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) state: State,
}

impl World {
    /// A development ledger (U 14, W 7, V 5, X 2, N 7) with ETH listed, the service registered, and a set of it.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same with another genesis.
    pub(crate) fn with(change: impl FnOnce(&mut Genesis)) -> Self {
        let mut genesis = Genesis::development();
        genesis.vaults.holdback_min = Fraction::ZERO;
        change(&mut genesis);
        let mut world = Self { state: State::new(genesis).expect("a genesis that checks") };
        let origin = Origin { chain: 1, contract: String::new() };
        let (kind, rate) = (AssetKind::Token, RateSource::One);
        world.must(
            SERVICE,
            Operation::ListAsset(ops::list_asset::ListAsset { origin, decimals: 18, kind, rate }),
        );
        world.must(SERVICE, Operation::CreateService(ops::create_service::CreateService {}));
        world.must(SERVICE, Operation::CreateSet(ops::create_set::CreateSet { terms: set_terms() }));
        world
    }

    /// An operation of that account; every invariant is checked after it, and against what was there before.
    pub(crate) fn run(&mut self, sender: &str, operation: Operation) -> Result<Vec<Event>, Refusal> {
        self.run_at(address(sender), operation)
    }

    pub(crate) fn run_at(&mut self, account: Address, operation: Operation) -> Result<Vec<Event>, Refusal> {
        let before = self.state.clone();
        let authority = Authority { account, signer: Signer::Plain, expires: u64::MAX };
        let outcome = apply(&mut self.state, &authority, &operation);
        let text = format!("{operation:?}");
        invariants::check(&self.state).unwrap_or_else(|violation| panic!("after {text}: {violation}"));
        invariants::check_step(&before, &self.state, Some(operation.kind()))
            .unwrap_or_else(|violation| panic!("by {text}: {violation}"));
        if let Err(refusal) = &outcome {
            assert!(
                entries(&before) == entries(&self.state),
                "refused with {refusal}, and yet something changed"
            );
        }
        outcome
    }

    /// An operation that must not be refused.
    pub(crate) fn must(&mut self, sender: &str, operation: Operation) -> Vec<Event> {
        self.run(sender, operation.clone()).unwrap_or_else(|refusal| panic!("{operation:?}: {refusal}"))
    }

    /// An operation that must be refused; the code of the refusal.
    pub(crate) fn refused(&mut self, sender: &str, operation: Operation) -> String {
        match self.run(sender, operation.clone()) {
            Err(refusal) => refusal.code(),
            Ok(events) => panic!("{operation:?} must be refused, and did {events:?}"),
        }
    }

    /// Ends so many epochs; nobody ticks.
    pub(crate) fn advance(&mut self, epochs: u32) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..epochs {
            let before = self.state.clone();
            events.extend(advance_epoch(&mut self.state));
            invariants::check(&self.state)
                .unwrap_or_else(|violation| panic!("after a boundary: {violation}"));
            invariants::check_step(&before, &self.state, None)
                .unwrap_or_else(|violation| panic!("by a boundary: {violation}"));
        }
        events
    }

    /// Ends so many epochs; somebody ticks the first vault in each.
    pub(crate) fn pass(&mut self, epochs: u32) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..epochs {
            events.extend(self.advance(1));
            events.extend(self.tick());
        }
        events
    }

    pub(crate) fn now(&self) -> u32 {
        self.state.epoch().number()
    }

    pub(crate) fn give(&mut self, who: &str, amount: u128) {
        self.give_to(address(who), amount);
    }

    pub(crate) fn give_to(&mut self, account: Address, amount: u128) {
        let (amount, proof) = (Amount::new(amount), evidence::Proof::Development);
        let deposit =
            ops::deposit::Deposit { account: Some(account), asset: ETH, amount, index: None, proof };
        self.must("anyone", Operation::Deposit(deposit));
    }

    /// Registers an operator with a pool of ETH under a mandate that admits everything, in the set with so many parts.
    pub(crate) fn operator(&mut self, name: &str, parts: u16) -> OperatorId {
        let groups = Default::default();
        let events =
            self.must(name, Operation::RegisterOperator(ops::register_operator::RegisterOperator { groups }));
        let id = events.iter().find_map(|event| match event {
            Event::OperatorRegistered { operator, .. } => Some(*operator),
            _ => None,
        });
        let mandate = Mandate {
            worst_case: Fraction::ONE,
            elsewhere: Fraction::ONE,
            own_verifiers: Fraction::ONE,
            uncertified: true,
            commission: Fraction::ONE,
        };
        let commission = Fraction::ZERO;
        self.must(name, Operation::OpenPool(ops::open_pool::OpenPool { asset: ETH, mandate, commission }));
        if parts > 0 {
            let terms = self.state.terms_digest(SetId::new(0)).expect("the set is there");
            let allocations = vec![ops::join_set::Allocation { asset: ETH, parts }];
            let join = ops::join_set::JoinSet { set: SetId::new(0), terms, allocations };
            self.must(name, Operation::JoinSet(join));
        }
        id.expect("a receipt of the operator")
    }

    // ---- Vaults

    pub(crate) fn vault(&mut self, terms: VaultTerms) -> VaultId {
        let create = ops::create_vault::CreateVault { asset: ETH, terms };
        let events = self.must("creator", Operation::CreateVault(create));
        let id = events.iter().find_map(|event| match event {
            Event::VaultCreated { vault, .. } => Some(*vault),
            _ => None,
        });
        id.expect("a receipt of the vault")
    }

    pub(crate) fn depositing(amount: u128, shares_min: u128, deadline: Epoch) -> Operation {
        let (amount, shares_min) = (Amount::new(amount), Shares::new(shares_min));
        Operation::VaultDeposit(ops::vault_deposit::VaultDeposit {
            vault: VAULT,
            amount,
            shares_min,
            deadline,
        })
    }

    /// Gives somebody assets, who deposits them.
    pub(crate) fn deposit(&mut self, who: &str, amount: u128) {
        self.give(who, amount);
        self.must(who, Self::depositing(amount, 0, Epoch::NEVER));
    }

    pub(crate) fn requesting(shares: Option<u128>) -> Operation {
        let shares = shares.map(Shares::new);
        Operation::VaultRequest(ops::vault_request::VaultRequest { vault: VAULT, shares })
    }

    /// Asks shares back; the ticket.
    pub(crate) fn request(&mut self, who: &str, shares: Option<u128>) -> TicketId {
        let events = self.must(who, Self::requesting(shares));
        let ticket = events.iter().find_map(|event| match event {
            Event::VaultExitRequested { ticket, .. } => Some(*ticket),
            _ => None,
        });
        ticket.expect("a receipt of the request")
    }

    pub(crate) fn claiming(ticket: TicketId) -> Operation {
        Operation::VaultClaim(ops::vault_claim::VaultClaim { vault: VAULT, ticket })
    }

    /// Claims a ticket; what it paid.
    pub(crate) fn claim(&mut self, ticket: TicketId) -> u128 {
        let events = self.must("anyone", Self::claiming(ticket));
        let paid = events.iter().find_map(|event| match event {
            Event::VaultClaimed { amount, .. } => Some(amount.units()),
            Event::VaultHoldbackPaid { paid, .. } => Some(paid.units()),
            _ => None,
        });
        paid.expect("a receipt of the claim")
    }

    pub(crate) fn cancelling(ticket: TicketId) -> Operation {
        Operation::VaultCancel(ops::vault_cancel::VaultCancel { vault: VAULT, ticket })
    }

    pub(crate) fn leaving(shares: u128) -> Operation {
        let (shares, amount_min) = (Shares::new(shares), Amount::ZERO);
        Operation::VaultInstant(ops::vault_instant::VaultInstant { vault: VAULT, shares, amount_min })
    }

    /// Ticks the first vault until it is done.
    pub(crate) fn tick(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        let tick = || Operation::VaultTick(ops::vault_tick::VaultTick { vault: VAULT, steps: None });
        while let Ok(more) = self.run("anyone", tick()) {
            events.extend(more);
        }
        events
    }

    pub(crate) fn harvesting(operator: Option<OperatorId>) -> Operation {
        Operation::VaultHarvest(ops::vault_harvest::VaultHarvest { vault: VAULT, operator })
    }

    /// The service asks for a slash of everything that the set owned in an epoch.
    pub(crate) fn ask(&mut self, operator: OperatorId, capture: u32, fraction: Fraction) -> RequestId {
        let (set, capture) = (SetId::new(0), Epoch::new(capture));
        let (reason, victims) = ("a test".to_owned(), Vec::new());
        let request = ops::request_slash::RequestSlash { set, operator, capture, fraction, reason, victims };
        let events = self.must(SERVICE, Operation::RequestSlash(request));
        let id = events.iter().find_map(|event| match event {
            Event::SlashRequested { request, .. } => Some(*request),
            _ => None,
        });
        id.expect("a receipt of the request")
    }

    pub(crate) fn execute(&mut self, request: RequestId) {
        self.must("anyone", Operation::ExecuteSlash(ops::execute_slash::ExecuteSlash { request }));
    }

    pub(crate) fn veto(&mut self, request: RequestId) {
        self.must("resolver", Operation::VetoSlash(ops::veto_slash::VetoSlash { request }));
    }

    // ---- Questions

    pub(crate) fn free(&self, who: &str) -> u128 {
        let view = protocol::view::view(&self.state);
        let account = view.accounts.iter().find(|account| account.account == address(who));
        let balance =
            account.and_then(|account| account.balances.iter().find(|balance| balance.asset == ETH));
        balance.map_or(0, |balance| balance.free.units())
    }
}

/// Everything that a state holds, as a store would have it.
pub(crate) fn entries(state: &State) -> Vec<(protocol::entries::Key, Option<Vec<u8>>)> {
    state.keys().into_iter().map(|key| (key, state.entry(&key))).collect()
}
