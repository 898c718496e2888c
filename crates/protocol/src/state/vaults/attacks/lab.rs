//! A ledger with one vault to attack.

#[allow(dead_code, reason = "each module takes what it needs of it")]
pub(super) use crate::state::vaults::world;

use crate::ops::create_vault::VaultTerms;
use crate::state::State;
use crate::state::vaults::address_of;
use crate::state::vaults::records::Vault;
use crate::units::{Amount, Epoch, Fraction, OperatorId, RequestId, SetId, Shares, TicketId};
use crate::vault::rate::Rate;
use crate::{Authority, Event, Operation, Refusal, Signer, advance_epoch, apply, invariants, ops};
use world::World;
pub(super) use world::{ETH, SERVICE, VAULT, address, percent, vault_terms};

/// A development ledger (U 14, W 7, V 5, X 2, N 7), an operator whose pool one set owns whole, and a vault.
#[derive(Clone)]
pub(super) struct Lab {
    pub(super) state: State,
    pub(super) operator: OperatorId,
    is_checked: bool,
}

impl Lab {
    /// Invariants are checked after every step where all defences are on.
    pub(super) fn new(is_checked: bool) -> Self {
        Self::with(is_checked, |_| {})
    }

    pub(super) fn with(is_checked: bool, change: impl FnOnce(&mut VaultTerms)) -> Self {
        let mut world = World::new();
        let operator = world.operator("op", 256);
        let mut terms = vault_terms();
        terms.instant.holdback = percent(10);
        change(&mut terms);
        world.vault(terms);
        Self { state: world.state, operator, is_checked }
    }

    pub(super) fn act(&mut self, sender: &str, operation: Operation) -> Result<Vec<Event>, Refusal> {
        let before = self.is_checked.then(|| self.state.clone());
        let authority = Authority { account: address(sender), signer: Signer::Plain, expires: u64::MAX };
        let outcome = apply(&mut self.state, &authority, &operation);
        if let Some(before) = before {
            self.check(&before, Some(&operation));
        }
        outcome
    }

    fn check(&self, before: &State, operation: Option<&Operation>) {
        invariants::check(&self.state).unwrap_or_else(|why| panic!("after {operation:?}: {why}"));
        invariants::check_step(before, &self.state, operation.map(Operation::kind))
            .unwrap_or_else(|why| panic!("by {operation:?}: {why}"));
    }

    pub(super) fn must(&mut self, sender: &str, operation: Operation) -> Vec<Event> {
        self.act(sender, operation.clone()).unwrap_or_else(|refusal| panic!("{operation:?}: {refusal}"))
    }

    // ---- Time

    /// Epochs end, and nobody ticks.
    pub(super) fn advance(&mut self, epochs: u32) {
        for _ in 0..epochs {
            let before = self.is_checked.then(|| self.state.clone());
            advance_epoch(&mut self.state);
            if let Some(before) = before {
                self.check(&before, None);
            }
        }
    }

    /// Somebody ticks until it is done.
    pub(super) fn tick(&mut self) {
        let tick = || Operation::VaultTick(ops::vault_tick::VaultTick { vault: VAULT, steps: None });
        while self.act("anyone", tick()).is_ok() {}
    }

    /// Epochs end, and somebody ticks in each.
    pub(super) fn pass(&mut self, epochs: u32) {
        for _ in 0..epochs {
            self.advance(1);
            self.tick();
        }
    }

    pub(super) fn now(&self) -> Epoch {
        self.state.epoch
    }

    // ---- Money

    /// Assets out of nowhere, for somebody.
    pub(super) fn give(&mut self, who: &str, amount: u128) {
        self.give_to(address(who), amount);
    }

    fn give_to(&mut self, account: crate::units::Address, amount: u128) {
        let (amount, proof) = (Amount::new(amount), evidence::Proof::Development);
        let deposit =
            ops::deposit::Deposit { account: Some(account), asset: ETH, amount, index: None, proof };
        self.must("anyone", Operation::Deposit(deposit));
    }

    /// Somebody gives the vault's account something, unasked.
    pub(super) fn donate(&mut self, amount: u128) {
        self.give_to(address_of(VAULT), amount);
    }

    pub(super) fn harvest(&mut self) {
        self.must("anyone", World::harvesting(None));
    }

    pub(super) fn deposit(&mut self, who: &str, amount: u128) {
        self.give(who, amount);
        self.must(who, World::depositing(amount, 0, Epoch::NEVER));
    }

    /// A deposit that comes in with the next boundary.
    pub(super) fn enter(&mut self, who: &str, amount: u128) {
        self.deposit(who, amount);
        self.pass(1);
    }

    pub(super) fn request(&mut self, who: &str, shares: Option<u128>) -> TicketId {
        let events = self.must(who, World::requesting(shares));
        let ticket = events.iter().find_map(|event| match event {
            Event::VaultExitRequested { ticket, .. } => Some(*ticket),
            _ => None,
        });
        ticket.expect("a receipt of the request")
    }

    pub(super) fn cancel(&mut self, who: &str, ticket: TicketId) {
        self.must(who, World::cancelling(ticket));
    }

    /// What a claim pays; nothing where there is nothing.
    pub(super) fn claim(&mut self, ticket: TicketId) -> u128 {
        let events = self.act("anyone", World::claiming(ticket)).unwrap_or_default();
        let paid = events.iter().map(|event| match event {
            Event::VaultClaimed { amount, .. } => amount.units(),
            Event::VaultHoldbackPaid { paid, .. } => paid.units(),
            _ => 0,
        });
        paid.sum()
    }

    /// Passes epochs until nothing is left of a ticket; what it paid.
    pub(super) fn wait(&mut self, ticket: TicketId) -> u128 {
        let mut paid = 0;
        for _ in 0..60 {
            paid += self.claim(ticket);
            let key = (VAULT, ticket);
            if !self.state.vaults.exits.contains_key(&key) && !self.state.vaults.holdbacks.contains_key(&key)
            {
                break;
            }
            self.pass(1);
        }
        paid
    }

    /// Leaves at once: what it paid, and the ticket of what is held back.
    pub(super) fn leave(&mut self, who: &str, shares: u128) -> (u128, TicketId) {
        let events = self.must(who, World::leaving(shares));
        let left = events.iter().find_map(|event| match event {
            Event::VaultLeft { paid, ticket, .. } => Some((paid.units(), *ticket)),
            _ => None,
        });
        left.expect("a receipt of the exit")
    }

    // ---- Stake

    /// The vault delegates, as its curator would have it do.
    pub(super) fn put(&mut self, amount: u128) {
        let mut events = Vec::new();
        let mandate = self.state.mandate_digest(self.operator, ETH).expect("the operator has a pool");
        self.state.touch_vault(VAULT, &mut events);
        let (amount, terms) = (Amount::new(amount), (mandate, Fraction::ONE));
        self.state.vault_delegate(VAULT, self.operator, amount, terms, &mut events).expect("it has so much");
        self.state.remark_vault(VAULT);
    }

    /// The service asks for a slash of what it owned in an epoch.
    pub(super) fn ask(&mut self, capture: Epoch, percents: u8) -> RequestId {
        let request = ops::request_slash::RequestSlash {
            set: SetId::new(0),
            operator: self.operator,
            capture,
            fraction: percent(percents),
            reason: "a test".to_owned(),
            victims: Vec::new(),
        };
        let events = self.must(SERVICE, Operation::RequestSlash(request));
        let id = events.iter().find_map(|event| match event {
            Event::SlashRequested { request, .. } => Some(*request),
            _ => None,
        });
        id.expect("a receipt of the request")
    }

    /// Carries out a request whose veto window is over.
    pub(super) fn execute(&mut self, request: RequestId) {
        self.must("anyone", Operation::ExecuteSlash(ops::execute_slash::ExecuteSlash { request }));
    }

    /// Asks for a slash of now, waits for the veto window and carries it out.
    pub(super) fn slash(&mut self, percents: u8) {
        let request = self.ask(self.now(), percents);
        self.pass(3);
        self.execute(request);
    }

    // ---- Questions

    pub(super) fn vault(&self) -> &Vault {
        self.state.vault(VAULT).expect("there is a vault")
    }

    pub(super) fn nav(&self) -> u128 {
        self.state.value_vault(VAULT).expect("there is a vault").nav.units()
    }

    pub(super) fn rate(&self) -> Rate {
        let value = self.state.value_vault(VAULT).expect("there is a vault");
        self.state.vault_rates(VAULT, &value).0
    }

    pub(super) fn shares(&self, who: &str) -> u128 {
        self.state.shares_of(self.vault().share, address(who)).units()
    }

    pub(super) fn supply(&self) -> u128 {
        self.state.supply_of(VAULT).units()
    }

    /// What somebody's shares are worth.
    pub(super) fn worth(&self, who: &str) -> u128 {
        self.rate().assets_down(Shares::new(self.shares(who))).units()
    }

    pub(super) fn free(&self, who: &str) -> u128 {
        self.state.free_of(address(who), ETH).units()
    }

    /// What somebody has, in shares and out of them.
    pub(super) fn has(&self, who: &str) -> u128 {
        self.free(who) + self.worth(who)
    }
}

/// `new - old`, signed.
pub(super) fn gain(new: u128, old: u128) -> i128 {
    i128::try_from(new).expect("small") - i128::try_from(old).expect("small")
}
