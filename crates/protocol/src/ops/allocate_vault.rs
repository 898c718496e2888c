//! A vault's curator moves stake inside the bands: a plan is data, and the ledger verifies it.

use crate::event::{Event, MoveReason};
use crate::macros::{record, refusals};
use crate::ops::{delegate, undelegate};
use crate::state::State;
use crate::state::vaults::bands::{BANDS_MAX, Policy};
use crate::state::vaults::curate::Which;
use crate::state::vaults::nav::Valuation;
use crate::units::{Address, Amount, Epoch, OperatorId, VaultId};
use crate::vault::portfolio::Limit;

record! {
    /// Carries out a plan whole or not at all: first what is asked back, then what is delegated.
    pub struct AllocateVault {
        /// The vault.
        pub vault: VaultId,
        /// The moves.
        pub moves: Vec<Move>,
    }
}

record! {
    /// A move of a plan.
    #[derive(Copy)]
    pub struct Move {
        /// The operator, which a plan names once.
        pub operator: OperatorId,
        /// Whether stake goes there or is asked back.
        pub way: Way,
        /// How much.
        pub amount: Amount,
    }
}

record! {
    /// A direction.
    #[derive(Copy)]
    pub enum Way {
        /// Idle assets are delegated.
        Delegate,
        /// Stake is asked back.
        AskBack,
    }
}

refusals! {
    /// Why a plan is refused.
    {
        VaultNotFound { vault: VaultId } => "vault {vault} does not exist",
        NotTheCurator { curator: Address } => "the vault's curator is {curator}",
        NoPolicy => "the vault's council has set no bands",
        WindingDown => "the vault is winding down",
        TickPending { epoch: Epoch, now: Epoch } => "the vault's tick of epoch {epoch} is not done, and it is epoch {now}; anyone may go on with it",
        BadPlan { why: String } => "{why}",
        LeaveRefused { operator: OperatorId, refused: undelegate::Refused } => "operator {operator}: {refused}",
        BelowBand { operator: OperatorId, left: Amount, least: Amount } => "{left} would stay with operator {operator}, less than its band's {least}",
        OverTurnover { asked: Amount, left: Amount } => "asking {asked} back exceeds the {left} that the epoch's turnover leaves",
        ExceedsIdle { amount: Amount, idle: Amount } => "delegating {amount} exceeds the {idle} that who waits, the ladder and the watermark leave of what is idle",
        AboveBand { operator: OperatorId, stake: Amount, most: Amount } => "{stake} would be with operator {operator}, more than its band's {most}",
        Closed { operator: OperatorId, why: String } => "nothing may be added to operator {operator}: {why}",
        CapExceeded { cap: String, value: Amount, most: Amount } => "{cap} has {value}, more than {most}: until that has changed the vault only asks back",
        OverCap { operator: OperatorId, amount: Amount, room: Amount } => "{amount} exceeds the {room} that the vault's caps leave for operator {operator}",
        EntryRefused { operator: OperatorId, refused: delegate::Refused } => "operator {operator}: {refused}",
    }
}

impl AllocateVault {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let (id, now) = (self.vault, state.epoch);
        let vault = state.vault(id).ok_or(Refused::VaultNotFound { vault: id })?;
        let curator = vault.terms.curator;
        if sender != curator {
            return Err(Refused::NotTheCurator { curator });
        }
        let policy = vault.curation.policy.clone().ok_or(Refused::NoPolicy)?;
        if vault.is_winding_down {
            return Err(Refused::WindingDown);
        }
        if !state.is_ticked(id) {
            return Err(Refused::TickPending { epoch: vault.tick.epoch, now });
        }
        self.check_form().map_err(|why| Refused::BadPlan { why })?;
        let value = state.value_vault(id).ok_or(Refused::VaultNotFound { vault: id })?;
        let asked = self.check_leaves(state, &policy, &value)?;
        self.check_entries(state, &policy, &value)?;

        // From here on nothing can fail.
        state.touch_vault(id, events);
        state.vault_mut(id).curation.turn(now, asked);
        for part in self.moves.iter().filter(|part| part.way == Way::AskBack) {
            state.vault_undelegate(id, part.operator, Some(part.amount), events).expect("it was checked");
        }
        for part in self.moves.iter().filter(|part| part.way == Way::Delegate) {
            let signed = state.signed_for(id, part.operator, &policy).expect("the pool was checked");
            state.vault_delegate(id, part.operator, part.amount, signed, events).expect("it was tried");
        }
        state.remark_vault(id);
        for Move { operator, amount, .. } in &self.moves {
            let (operator, amount, why) = (*operator, *amount, MoveReason::Plan);
            events.push(Event::VaultMoved { vault: id, operator, amount, why });
        }
        Ok(())
    }

    fn check_form(&self) -> Result<(), String> {
        let count = self.moves.len();
        if count == 0 || count > BANDS_MAX {
            return Err(format!("a plan has 1 to {BANDS_MAX} moves, and this one {count}"));
        }
        for (index, part) in self.moves.iter().enumerate() {
            let operator = part.operator;
            if part.amount.is_zero() {
                return Err(format!("the move of operator {operator} is of nothing"));
            }
            if self.moves.iter().take(index).any(|other| other.operator == operator) {
                return Err(format!("operator {operator} is named twice"));
            }
        }
        Ok(())
    }

    /// What is asked back; returns how much.
    fn check_leaves(&self, state: &State, policy: &Policy, value: &Valuation) -> Result<Amount, Refused> {
        let id = self.vault;
        let holdings = state.holdings_of(id, policy);
        let mut asked = Amount::ZERO;
        for part in self.moves.iter().filter(|part| part.way == Way::AskBack) {
            let Move { operator, amount, .. } = *part;
            state
                .check_vault_leave(id, operator, Some(amount))
                .map_err(|refused| Refused::LeaveRefused { operator, refused })?;
            let stake = holdings.iter().find(|held| held.operator == operator);
            let left = amount.room_below(stake.map_or(Amount::ZERO, |held| held.staying));
            let least = policy.band(operator).map_or(Amount::ZERO, |band| band.min.of_down(value.nav));
            if left < least {
                return Err(Refused::BelowBand { operator, left, least });
            }
            asked = asked.plus(amount).unwrap_or(Amount::new(u128::MAX));
        }
        let left = state
            .vault(id)
            .map_or(Amount::ZERO, |vault| vault.curation.turnover_left(state.epoch, value.nav));
        if asked > left {
            return Err(Refused::OverTurnover { asked, left });
        }
        Ok(asked)
    }

    fn check_entries(&self, state: &State, policy: &Policy, value: &Valuation) -> Result<(), Refused> {
        let id = self.vault;
        let entries: Vec<&Move> = self.moves.iter().filter(|part| part.way == Way::Delegate).collect();
        if entries.is_empty() {
            return Ok(());
        }
        let holdings = state.holdings_of(id, policy);
        let idle = state.deployable(id, policy, &holdings, value);
        let amount = Amount::total(entries.iter().map(|part| part.amount)).unwrap_or(Amount::new(u128::MAX));
        if amount > idle {
            return Err(Refused::ExceedsIdle { amount, idle });
        }
        let all = state.portfolio_of(id, policy, &holdings, (value.nav, Which::All));
        if let Some(Limit { cap, value, most, .. }) = all.limits(&policy.caps).exceeded().into_iter().next() {
            return Err(Refused::CapExceeded { cap: cap.to_string(), value, most });
        }
        let mut portfolio = state.portfolio_of(id, policy, &holdings, (value.nav, Which::Added));
        let closed = state.closed_slots(id, policy, &portfolio);
        for Move { operator, amount, .. } in entries.into_iter().copied() {
            let why = || "it has no band".to_owned();
            let slot = holdings.iter().position(|held| held.operator == operator);
            let slot = slot.ok_or_else(|| Refused::Closed { operator, why: why() })?;
            let held = holdings.get(slot).map_or(Amount::ZERO, |held| held.staying);
            let most = policy.band(operator).map_or(Amount::ZERO, |band| band.max.of_down(value.nav));
            let stake = held.plus(amount).unwrap_or(Amount::new(u128::MAX));
            if stake > most {
                return Err(Refused::AboveBand { operator, stake, most });
            }
            if let Some(why) = closed.get(slot).copied().flatten() {
                return Err(Refused::Closed { operator, why: why.to_owned() });
            }
            let room = portfolio.limits(&policy.caps).room(slot, amount);
            if room < amount {
                return Err(Refused::OverCap { operator, amount, room });
            }
            state
                .check_entry(id, operator, amount, policy)
                .map_err(|refused| Refused::EntryRefused { operator, refused })?;
            portfolio.add(slot, amount);
        }
        self.check_together(state, policy)
    }

    /// Several moves together may exceed a bound of the ledger that each alone does not: tried on a copy, which shares what it does not write.
    fn check_together(&self, state: &State, policy: &Policy) -> Result<(), Refused> {
        if self.moves.len() < 2 {
            return Ok(());
        }
        let (id, mut trial, mut events) = (self.vault, state.clone(), Vec::new());
        for Move { operator, way, amount } in self.moves.iter().copied() {
            if way == Way::AskBack {
                trial
                    .vault_undelegate(id, operator, Some(amount), &mut events)
                    .map_err(|refused| Refused::LeaveRefused { operator, refused })?;
            }
        }
        for Move { operator, way, amount } in self.moves.iter().copied() {
            let Some(signed) = state.signed_for(id, operator, policy).filter(|_| way == Way::Delegate) else {
                continue;
            };
            trial
                .vault_delegate(id, operator, amount, signed, &mut events)
                .map_err(|refused| Refused::EntryRefused { operator, refused })?;
        }
        Ok(())
    }
}
