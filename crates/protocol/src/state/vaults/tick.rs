//! The tick of a vault: what happens once an epoch, in steps that anybody pays for.
//!
//! Order: what vests counts and the fee is taken, the price is fixed; stake that is free becomes idle; the line is settled; deposits come
//! in; the line is settled once more; stake is asked back for who waits, and what is idle is delegated. Nothing in it can be refused.

use super::super::State;
use super::nav::Valuation;
use super::records::{DepositTicket, Phase, Tick};
use crate::event::Event;
use crate::ops::vault_guard::STOP_EPOCHS;
use crate::units::{Amount, Shares, TicketId, VaultId};
use crate::vault::defence::{Defence, is_on};
use crate::vault::fee;
use crate::vault::instant::Bucket;
use crate::vault::rate::{Rate, VIRTUAL_SHARES};

impl State {
    /// Notices losses, and takes steps of the vault's tick as far as an operation may. Every operation of a vault begins so.
    pub(crate) fn wake_vault(&mut self, id: VaultId, events: &mut Vec<Event>) -> Valuation {
        let steps = if is_on(Defence::Wake) { u32::from(self.genesis.vaults.steps_per_operation) } else { 0 };
        self.tick_vault(id, steps, events)
    }

    /// As many steps of the tick as are given; what the vault is worth then.
    fn tick_vault(&mut self, id: VaultId, steps: u32, events: &mut Vec<Event>) -> Valuation {
        let (value, moved) = self.advance_vault(id, steps, events);
        // Entries that were cut may have lost a unit to rounding.
        if moved { self.value_vault(id).expect("the vault was checked") } else { value }
    }

    /// As many steps of the tick as are given; what the vault was worth before its last phase, and whether that moved anything.
    pub(crate) fn advance_vault(
        &mut self,
        id: VaultId,
        steps: u32,
        events: &mut Vec<Event>,
    ) -> (Valuation, bool) {
        let mut value = self.touch_vault(id, events);
        let mut left = steps;
        let mut moved = false;
        while left > 0 {
            let tick = self.vault(id).expect("the vault was checked").tick;
            if tick.phase == Phase::Done {
                if tick.epoch >= self.epoch {
                    break;
                }
                self.begin_tick(id, &mut value, events);
                left = left.saturating_sub(1);
                continue;
            }
            moved |= tick.phase == Phase::Allocate;
            if !self.step(id, tick.phase, &mut left, &mut value, events) {
                self.next_phase(id, tick.phase, events);
            }
        }
        (value, moved)
    }

    /// Whether a vault's tick for the epoch is done.
    pub(crate) fn is_ticked(&self, id: VaultId) -> bool {
        let done = |tick: Tick| tick.phase == Phase::Done && tick.epoch >= self.epoch;
        self.vault(id).is_some_and(|vault| done(vault.tick))
    }

    /// Does one thing of a phase; `false` where the phase is over.
    fn step(
        &mut self,
        id: VaultId,
        phase: Phase,
        left: &mut u32,
        value: &mut Valuation,
        events: &mut Vec<Event>,
    ) -> bool {
        let did = match phase {
            Phase::Release => return self.release_step(id, left, events),
            Phase::Settle | Phase::SettleAgain => self.settle_step(id, value, events),
            Phase::Deposits => self.deposit_step(id, value, events),
            Phase::Allocate => return self.allocate(id, left, value, events),
            Phase::Done => false,
        };
        *left = left.saturating_sub(u32::from(did));
        did
    }

    fn next_phase(&mut self, id: VaultId, phase: Phase, events: &mut Vec<Event>) {
        let next = match phase {
            Phase::Release => Phase::Settle,
            Phase::Settle => Phase::Deposits,
            Phase::Deposits => Phase::SettleAgain,
            Phase::SettleAgain => Phase::Allocate,
            Phase::Allocate | Phase::Done => Phase::Done,
        };
        let vault = self.vault_mut(id);
        vault.tick.phase = next;
        if next == Phase::Done {
            let epoch = vault.tick.epoch;
            events.push(Event::VaultTicked { vault: id, epoch });
        }
    }

    /// The vault's clock moves to the present: announced terms hold, what is due vests, the fee is taken, the price is fixed.
    fn begin_tick(&mut self, id: VaultId, value: &mut Valuation, events: &mut Vec<Event>) {
        let now = self.epoch;
        let before = Rate::of(value.nav, self.supply_of(id));
        let vault = self.vault_mut(id);
        if let Some((_, terms)) = vault.pending.take_if(|(from, _)| *from <= now) {
            vault.terms = terms;
            events.push(Event::VaultTermsStarted { vault: id });
        }
        let mut gross = vault.buckets.idle;
        gross.grow(vault.marked);
        vault.drip.vest(now);
        value.nav = vault.drip.unvested().room_below(gross);
        self.take_fee(id, value.nav, before, events);
        let price = Rate::of(value.nav, self.supply_of(id));
        let vault = self.vault_mut(id);
        vault.tick = Tick { epoch: now, phase: Phase::Release, price, nav: value.nav };
        vault.bucket = Bucket::of(&vault.terms.instant, value.nav);
    }

    /// The fee on what lies above the highest rate that was charged and above the rate before the tick.
    fn take_fee(&mut self, id: VaultId, nav: Amount, before: Rate, events: &mut Vec<Event>) {
        let supply = self.supply_of(id);
        let (limits, now) = (self.genesis.vaults, self.epoch);
        let vault = self.vault(id).expect("the vault was checked");
        let (mark, share, rate) = (vault.high_water.max(before), vault.terms.fee, vault.share);
        let due = fee::due(nav, supply, mark, share.min(limits.fee_max));
        let checked = fee::check(due.shares, (nav, supply), mark, limits.fee_max.min(share));
        match checked {
            Err(breach) => {
                let vault = self.vault_mut(id);
                vault.stop.until = vault.stop.until.max(now.later(STOP_EPOCHS));
                events.push(Event::VaultBreached { vault: id, why: breach.to_string() });
            }
            Ok(()) if !due.shares.is_zero() => {
                let receiver = self.accounts.open(vault.terms.fee_to);
                self.mint(rate, receiver, due.shares);
                let vault = self.vault_mut(id);
                vault.fees_minted.grow(due.shares);
                events.push(Event::VaultFeeTaken { vault: id, shares: due.shares, value: due.value });
            }
            Ok(()) => {}
        }
        let after = Rate::of(nav, self.supply_of(id));
        let vault = self.vault_mut(id);
        vault.high_water = vault.high_water.max(after);
    }

    /// Fetches the vault's stake that is free, as many entries as there are steps.
    fn release_step(&mut self, id: VaultId, left: &mut u32, events: &mut Vec<Event>) -> bool {
        let account = self.vault(id).expect("the vault was checked").account;
        let first = self.accounts.get(account).first_position;
        let most = usize::try_from(*left).unwrap_or(usize::MAX);
        let free = self.positions.list(first).filter(|(_, position)| self.is_free(position.until));
        let free: Vec<u32> = free.map(|(entry, _)| entry).take(most).collect();
        for entry in &free {
            crate::ops::release::release_entry(self, *entry, events);
            *left = left.saturating_sub(1);
        }
        *left == 0 && !free.is_empty()
    }

    /// Takes in, or returns, the first deposit of an earlier epoch.
    fn deposit_step(&mut self, id: VaultId, value: &mut Valuation, events: &mut Vec<Event>) -> bool {
        let Some((ticket, deposit)) = self.first_deposit(id) else { return false };
        let vault = self.vault(id).expect("the vault was checked");
        let (share, asset) = (vault.share, vault.asset);
        if deposit.epoch >= vault.tick.epoch {
            return false;
        }
        let verdict = self.admit_deposit(id, &deposit, value);
        self.drop_deposit(id, ticket);
        let DepositTicket { owner, amount, .. } = deposit;
        let account = self.accounts.get(owner).address;
        let vault = self.vault_mut(id);
        vault.buckets.deposits.shrink(amount);
        match verdict {
            Ok(shares) => {
                vault.buckets.idle.grow(amount);
                value.nav.grow(amount);
                self.mint(share, owner, shares);
                events.push(Event::VaultEntered { vault: id, ticket, account, amount, shares });
            }
            Err(why) => {
                self.pay_from_vault(id, owner, amount);
                events.push(Event::VaultDepositReturned { vault: id, ticket, account, asset, amount, why });
            }
        }
        true
    }

    /// The oldest deposit that waits.
    pub(crate) fn first_deposit(&self, id: VaultId) -> Option<(TicketId, DepositTicket)> {
        let mut listed = self.vaults.deposits.starting_at((id, TicketId::new(0)));
        listed.next().filter(|((of, _), _)| *of == id).map(|((_, ticket), deposit)| (*ticket, *deposit))
    }

    /// What a deposit gets, or why it is returned.
    fn admit_deposit(
        &self,
        id: VaultId,
        deposit: &DepositTicket,
        value: &Valuation,
    ) -> Result<Shares, String> {
        let vault = self.vault(id).expect("the vault was checked");
        let supply = self.supply_of(id);
        if vault.is_winding_down {
            return Err("the vault is winding down".to_owned());
        }
        if vault.stop.until > vault.tick.epoch {
            return Err(format!("deposits are stopped until epoch {}", vault.stop.until));
        }
        if deposit.deadline < vault.tick.epoch {
            return Err(format!("it was to come in by epoch {}", deposit.deadline));
        }
        if value.nav.is_zero() && !supply.is_zero() {
            return Err("the vault has lost everything".to_owned());
        }
        let cap = vault.terms.cap;
        if value.nav.plus(deposit.amount).is_none_or(|nav| nav > cap) {
            return Err(format!("with it {} would be over the cap {cap}", value.nav));
        }
        let price = vault.tick.price.max(Rate::of(value.nav, supply));
        let shares = price.shares_down(deposit.amount).unwrap_or(Shares::LIMIT);
        if shares.is_zero() || shares < deposit.shares_min {
            return Err(format!("it would be {shares} shares, and {} were asked for", deposit.shares_min));
        }
        // Fewer than the virtual ones, and rounding alone could take more than a thousandth.
        if shares.units() < VIRTUAL_SHARES && is_on(Defence::VirtualShares) {
            return Err(format!(
                "{shares} shares are fewer than {VIRTUAL_SHARES}, and would round too much away"
            ));
        }
        self.can_mint(vault.share, shares).map_err(|supply| {
            format!("{shares} shares with the {supply} that there are exceed {}", Shares::LIMIT)
        })?;
        Ok(shares)
    }

    /// Pays out of a vault's account what was taken from one of its buckets.
    pub(crate) fn pay_from_vault(&mut self, id: VaultId, to: crate::units::AccountId, amount: Amount) {
        let vault = self.vault(id).expect("the vault was checked");
        let (account, asset) = (vault.account, vault.asset);
        self.accounts.get_mut(account).take_free(asset, amount);
        self.accounts.get_mut(to).add_free(asset, amount);
    }
}
