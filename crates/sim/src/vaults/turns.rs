//! What happens in a history: each turn somebody does something, or an epoch ends.

use protocol::ops;
use protocol::ops::vault_guard::GuardAction;
use protocol::units::{Address, Amount, Epoch, OperatorId, SetId, Shares};
use protocol::{Event, Operation, advance_epoch, invariants};

use super::world::{self, COUNCIL, GUARDIAN, HOLDERS, RESOLVER, SERVICE, holder};
use super::{BASKET, Player, QUIET, VAULT};
use crate::model::exact::portion_down;

/// Shares of which prices are reported.
const PER: u128 = 1_000_000_000_000_000_000;

impl Player {
    /// One turn.
    pub(super) fn next(&mut self) -> Result<(), String> {
        match self.prng.below(100) {
            0..22 => self.deposit(),
            22..35 => self.request(),
            35..41 => self.ticket(false),
            41..52 => self.ticket(true),
            52..57 => self.leave(),
            57..61 => self.transfer(),
            61..66 => self.donate(),
            66..72 => self.slash(),
            72..73 => self.guard(),
            73..76 => self.fund(),
            76..84 => self.use_basket(),
            _ => self.boundary(),
        }
    }

    /// Somebody uses the basket; time passes.
    fn use_basket(&mut self) -> Result<(), String> {
        let time = self.state.time() + self.prng.below(240_000);
        self.state.begin_block(time);
        let account = self.someone();
        let (basket, own) = (BASKET, self.basket.shares_of(account));
        let vault = if self.prng.chance(50) { VAULT } else { QUIET };
        let there =
            if vault == VAULT { self.book.shares_of(account).units() } else { self.quiet_of(account) };
        match self.prng.below(12) {
            0..3 => {
                let most = self.book.shares_of(account).units().min(self.quiet_of(account));
                let shares = Shares::new(self.prng.amount(most.max(1)));
                let mint = ops::basket_mint::BasketMint { basket, shares, legs_max: Vec::new() };
                self.act(account, &Operation::BasketMint(mint)).map(drop)
            }
            3..5 => {
                let shares = Shares::new(self.prng.amount(own.max(1)));
                let redeem = ops::basket_redeem::BasketRedeem { basket, shares, legs_min: Vec::new() };
                self.act(account, &Operation::BasketRedeem(redeem)).map(drop)
            }
            5..7 => {
                self.open_doors()?;
                let (shares, shares_min) = (Shares::new(self.prng.amount((there / 2).max(1))), Shares::ZERO);
                let enter = ops::basket_enter::BasketEnter { basket, vault, shares, shares_min };
                self.act(account, &Operation::BasketEnter(enter)).map(drop)
            }
            7..9 => {
                self.open_doors()?;
                let (shares, shares_min) = (Shares::new(self.prng.amount((own / 2).max(1))), Shares::ZERO);
                let leave = ops::basket_leave::BasketLeave { basket, vault, shares, shares_min };
                self.act(account, &Operation::BasketLeave(leave)).map(drop)
            }
            _ => self.report_prices(),
        }
    }

    /// Mostly: both vaults are ticked, and both prices new.
    fn open_doors(&mut self) -> Result<(), String> {
        if self.prng.chance(20) {
            return Ok(());
        }
        self.tick()?;
        self.report_prices()
    }

    /// The prices of both legs are reported, mostly near what they are; mostly a rise is accepted.
    fn report_prices(&mut self) -> Result<(), String> {
        for vault in [VAULT, QUIET] {
            let seen = if vault == VAULT { self.book.seen() } else { &self.quiet };
            let own = portion_down(PER, seen.nav.units() + 1, seen.supply.units() + 1000);
            let thousandths = if self.prng.chance(10) { 700 } else { 997 } + u128::from(self.prng.below(6));
            let price = Amount::new((own / 1000 * thousandths).min(1 << 100));
            let report = ops::basket_report::BasketReport { basket: BASKET, vault, price };
            let events = self.act(SERVICE, &Operation::BasketReport(report))?;
            let waits = |event: &Event| matches!(event, Event::BasketReported { is_risen, is_fallen, .. } if *is_risen || *is_fallen);
            if events.iter().any(waits) && self.prng.chance(70) {
                let accept = ops::basket_accept::BasketAccept { basket: BASKET, vault, price };
                self.act(GUARDIAN, &Operation::BasketAccept(accept))?;
            }
        }
        let tick = ops::vault_tick::VaultTick { vault: QUIET, steps: None };
        self.act(COUNCIL, &Operation::VaultTick(tick)).map(drop)
    }

    /// What somebody has of the vault that nothing happens to.
    fn quiet_of(&self, account: Address) -> u128 {
        let own = self.quiet.holders.iter().find(|(holder, _)| *holder == account);
        own.map_or(0, |(_, shares)| shares.units())
    }

    fn someone(&mut self) -> Address {
        holder(u8::try_from(self.prng.below(u64::from(HOLDERS))).expect("few"))
    }

    fn tick(&mut self) -> Result<(), String> {
        let steps = self.prng.chance(20).then(|| 1 + u16::try_from(self.prng.below(4)).expect("few"));
        for steps in [steps, None, None] {
            if !self.book.seen().tick.1 || self.book.seen().tick.0 < self.state.epoch() {
                let tick = Operation::VaultTick(ops::vault_tick::VaultTick { vault: VAULT, steps });
                self.act(COUNCIL, &tick)?;
            }
        }
        Ok(())
    }

    /// A tick that was begun is done before the epoch ends, so that nobody has to guess what came first.
    fn boundary(&mut self) -> Result<(), String> {
        if !self.book.seen().tick.1 || self.prng.chance(70) {
            self.tick()?;
        }
        let before = self.checks.then(|| self.state.clone());
        advance_epoch(&mut self.state);
        self.counts.epochs += 1;
        if let Some(before) = before {
            invariants::check_step(&before, &self.state, None)
                .map_err(|why| format!("after a boundary: {why}"))?;
        }
        self.compare(None, &[]).map_err(|why| format!("after a boundary: {why}"))?;
        if self.prng.chance(50) { self.tick() } else { Ok(()) }
    }

    fn deposit(&mut self) -> Result<(), String> {
        let (account, amount) = (self.someone(), Amount::new(self.prng.amount(1 << 60)));
        let deadline = if self.prng.chance(80) { Epoch::NEVER } else { self.state.epoch().next() };
        let shares_min = if self.prng.chance(90) { Shares::ZERO } else { Shares::new(amount.units() * 1000) };
        let put = ops::vault_deposit::VaultDeposit { vault: VAULT, amount, shares_min, deadline };
        self.act(account, &Operation::VaultDeposit(put)).map(drop)
    }

    fn part(&mut self, account: Address) -> Shares {
        let all = self.book.shares_of(account).units();
        Shares::new(match self.prng.below(4) {
            0 => all,
            1 => all / 2,
            2 => self.prng.amount(all.max(1)),
            _ => all + 1,
        })
    }

    fn request(&mut self) -> Result<(), String> {
        let account = self.someone();
        let shares = if self.prng.chance(30) { None } else { Some(self.part(account)) };
        let request = ops::vault_request::VaultRequest { vault: VAULT, shares };
        self.act(account, &Operation::VaultRequest(request)).map(drop)
    }

    /// Claims a ticket, or has its owner take it back.
    fn ticket(&mut self, claims: bool) -> Result<(), String> {
        let Some(ticket) = self.prng.pick(&self.book.tickets()).copied() else { return Ok(()) };
        if claims {
            let claim = ops::vault_claim::VaultClaim { vault: VAULT, ticket };
            return self.act(COUNCIL, &Operation::VaultClaim(claim)).map(drop);
        }
        let cancel = Operation::VaultCancel(ops::vault_cancel::VaultCancel { vault: VAULT, ticket });
        for number in 0..HOLDERS {
            let applied = self.counts.applied;
            self.act(holder(number), &cancel)?;
            if self.counts.applied > applied {
                break;
            }
        }
        Ok(())
    }

    fn leave(&mut self) -> Result<(), String> {
        let account = self.someone();
        let shares = Shares::new(self.prng.amount(self.book.shares_of(account).units().max(1)));
        let leave = ops::vault_instant::VaultInstant { vault: VAULT, shares, amount_min: Amount::ZERO };
        self.act(account, &Operation::VaultInstant(leave)).map(drop)
    }

    fn transfer(&mut self) -> Result<(), String> {
        let (from, to) = (self.someone(), self.someone());
        let (share, shares) = match self.prng.below(4) {
            0 => (self.quiet.share, Shares::new(self.prng.amount(self.quiet_of(from).max(1)))),
            1 => (self.basket.share(), Shares::new(self.prng.amount(self.basket.shares_of(from).max(1)))),
            _ => (self.book.seen().share, self.part(from)),
        };
        let transfer = ops::transfer_shares::TransferShares { share, owner: None, to, shares };
        self.act(from, &Operation::TransferShares(transfer)).map(drop)
    }

    /// Somebody gives the vault's account something, and mostly it is harvested at once.
    fn donate(&mut self) -> Result<(), String> {
        let amount = self.prng.amount(self.book.seen().nav.units() / 8 + 1);
        let account = self.book.seen().account;
        self.act(COUNCIL, &world::deposit_to(Some(account), amount))?;
        if self.prng.chance(80) {
            let harvest = ops::vault_harvest::VaultHarvest { vault: VAULT, operator: None };
            self.act(COUNCIL, &Operation::VaultHarvest(harvest))?;
        }
        Ok(())
    }

    fn fund(&mut self) -> Result<(), String> {
        let (account, amount) = (self.someone(), Amount::new(self.prng.amount(1 << 40)));
        let fund = ops::vault_fund::VaultFund { vault: VAULT, amount };
        self.act(account, &Operation::VaultFund(fund)).map(drop)
    }

    fn guard(&mut self) -> Result<(), String> {
        let operator = OperatorId::new(u32::from(self.prng.chance(50)));
        let amount = Some(Amount::new(self.prng.amount(1 << 58)));
        let action = match self.prng.below(8) {
            0 => GuardAction::StopDeposits,
            1 => GuardAction::CutCap { cap: Amount::new(1 << 80) },
            _ => GuardAction::Undelegate { operator, amount },
        };
        self.act(GUARDIAN, &Operation::VaultGuard(ops::vault_guard::VaultGuard { vault: VAULT, action }))
            .map(drop)
    }

    /// A slash is asked for, vetoed or carried out.
    fn slash(&mut self) -> Result<(), String> {
        let known = self.prng.pick(&self.requests).copied();
        if let Some(request) = known.filter(|_| self.prng.chance(70)) {
            let (account, operation) = if self.prng.chance(15) {
                (RESOLVER, Operation::VetoSlash(ops::veto_slash::VetoSlash { request }))
            } else {
                (COUNCIL, Operation::ExecuteSlash(ops::execute_slash::ExecuteSlash { request }))
            };
            return self.act(account, &operation).map(drop);
        }
        let back = u32::try_from(self.prng.below(3)).expect("few");
        let steps = [10_u8, 50, 1, 25, 100];
        let fraction = world::percent(*self.prng.pick(&steps).expect("some"));
        let request = ops::request_slash::RequestSlash {
            set: SetId::new(0),
            operator: OperatorId::new(u32::from(self.prng.chance(50))),
            capture: self.state.epoch().earlier(back),
            fraction,
            reason: "a history".to_owned(),
            victims: Vec::new(),
        };
        let events = self.act(SERVICE, &Operation::RequestSlash(request))?;
        self.requests.extend(events.iter().filter_map(|event| match event {
            Event::SlashRequested { request, .. } => Some(*request),
            _ => None,
        }));
        Ok(())
    }
}
