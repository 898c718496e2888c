//! Requests, vetoes, and the one way in which stake is slashed.

use std::collections::BTreeMap;

use protocol::Event;
use protocol::Victim;
use protocol::event::PoolReceipt;
use protocol::ops::approve_slash::ApproveSlash;
use protocol::ops::execute_slash::ExecuteSlash;
use protocol::ops::release_proceeds::ReleaseProceeds;
use protocol::ops::request_slash::RequestSlash;
use protocol::ops::veto_slash::VetoSlash;
use protocol::terms::Beneficiary;
use protocol::units::{Address, Epoch, Fraction, OperatorId, PoolId, SetId, SlashId};

use super::exact::{self, Ratio};
use super::pool::Slashed;
use super::records::{Executed, Offence, Proceeds, Request, RequestState};
use super::{Fault, Model, Verdict, ensure, index};

/// What is to be slashed, and why.
pub(crate) struct Order {
    pub(crate) set: SetId,
    pub(crate) operator: OperatorId,
    pub(crate) capture: Epoch,
    pub(crate) fraction: Fraction,
    pub(crate) offence: Offence,
    pub(crate) victims: Vec<Victim>,
}

/// What may be taken of what is left; and what the caps count.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    taken: Fraction,
    counted: Fraction,
}

impl Model {
    pub(crate) fn request_slash(&mut self, op: &RequestSlash, sender: Address) -> Verdict {
        let set = self.set(op.set).ok_or("SetNotFound")?;
        ensure!(op.capture <= self.epoch, "EpochInFuture");
        ensure!(self.epoch <= op.capture.later(self.rules_in(op.capture).slash_window), "TooLate");
        let terms = set.terms_in(op.capture);
        ensure!(terms.slasher == sender, "NotTheSlasher");
        ensure!(!op.fraction.is_zero(), "FractionIsZero");
        ensure!(op.fraction <= terms.offences.subjective.unwrap_or_default(), "ExceedsTerms");
        let compensates =
            terms.destinations.iter().any(|destination| destination.to == Beneficiary::Compensate);
        ensure!(op.victims.is_empty() || compensates, "BadVictims");
        ensure!(set.is_on_duty(op.operator, op.capture), "NotOnDuty");
        let against =
            |request: &&Request| request.asked.set == op.set && request.asked.operator == op.operator;
        let others: Vec<&Request> = self.requests.iter().filter(against).collect();
        ensure!(others.iter().all(|request| request.asked.capture != op.capture), "AlreadyRequested");
        let open = others.iter().filter(|request| request.state == RequestState::Open).count();
        ensure!(open < 2, "TooManyOpen");
        let deposit = self.rules().request_deposit.units();
        self.post(sender, deposit)?;
        self.requests.push(Request {
            asked: op.clone(),
            requester: sender,
            requested: self.epoch,
            deposit,
            vetoes: Default::default(),
            approvals: Default::default(),
            state: RequestState::Open,
        });
        Ok(())
    }

    /// The first and the last epoch in which a request may be executed.
    pub(crate) fn request_window(&self, request: &Request) -> (Epoch, Epoch) {
        let rules = self.rules_in(request.asked.capture);
        let veto = self.set(request.asked.set).map_or(0, |set| set.terms_in(request.asked.capture).veto);
        let last_veto = request.requested.later(veto.min(rules.veto));
        (last_veto.next(), last_veto.later(rules.execution))
    }

    /// A request that is open; what is vetoed, lapsed or executed is forgotten some time after nothing can come of it.
    fn open_request(&self, id: protocol::units::RequestId) -> Verdict<&Request> {
        let request = self.requests.get(index(id.number())).ok_or("RequestNotFound")?;
        let is_remembered = self.last_execution(request.asked.capture) >= self.epoch;
        ensure!(request.state == RequestState::Open || is_remembered, "RequestNotFound");
        ensure!(request.state == RequestState::Open, "NotOpen");
        Ok(request)
    }

    /// How many resolvers of the capture epoch it takes, if the sender is one of them and not the operator.
    fn check_resolver(&self, request: &Request, sender: Address) -> Verdict<usize> {
        let terms = self
            .set(request.asked.set)
            .map(|set| set.terms_in(request.asked.capture))
            .ok_or("NotAResolver")?;
        ensure!(terms.resolvers.contains(&sender), "NotAResolver");
        ensure!(self.operator_of(sender) != Some(request.asked.operator), "IsTheOperator");
        Ok(terms.threshold.map_or(terms.resolvers.len() / 2 + 1, usize::from))
    }

    pub(crate) fn veto_slash(&mut self, op: &VetoSlash, sender: Address) -> Verdict {
        let request = self.open_request(op.request)?;
        let threshold = self.check_resolver(request, sender)?;
        ensure!(self.epoch < self.request_window(request).0, "TooLate");
        ensure!(!request.vetoes.contains(&sender), "AlreadyVetoed");
        let is_ignored = self.has(Fault::VetoIgnored);
        let request = &mut self.requests[index(op.request.number())];
        request.vetoes.insert(sender);
        if request.vetoes.len() >= threshold && !is_ignored {
            request.state = RequestState::Vetoed;
            let deposit = std::mem::take(&mut request.deposit);
            self.burn_deposit(deposit);
        }
        Ok(())
    }

    pub(crate) fn approve_slash(&mut self, op: &ApproveSlash, sender: Address) -> Verdict {
        let request = self.open_request(op.request)?;
        self.check_resolver(request, sender)?;
        ensure!(!request.approvals.contains(&sender), "AlreadyApproved");
        self.requests[index(op.request.number())].approvals.insert(sender);
        Ok(())
    }

    pub(crate) fn execute_slash(&mut self, op: &ExecuteSlash, sender: Address, events: &[Event]) -> Verdict {
        let request = self.open_request(op.request)?.clone();
        let (first, last) = self.request_window(&request);
        ensure!(self.epoch >= first, "TooEarly");
        ensure!(self.epoch <= last, "Lapsed");
        ensure!(self.is_within_mass_bound(&request), "NeedsApproval");
        let RequestSlash { set, operator, capture, fraction, victims, .. } = request.asked;
        let order = Order { set, operator, capture, fraction, offence: Offence::Reason, victims };
        let plan = self.plan_slash(&order).map_err(|_| "SlashRefused")?;
        self.slash(&order, plan, events);
        let tip = exact::share_down(request.deposit, self.rules().execution_tip);
        self.return_deposit(sender, tip);
        self.return_deposit(request.requester, request.deposit - tip);
        let request = &mut self.requests[index(op.request.number())];
        (request.state, request.deposit) = (RequestState::Executed, 0);
        Ok(())
    }

    /// Slashes for reasons within the window that take more of the weight than the bound need the resolvers' yes.
    fn is_within_mass_bound(&self, request: &Request) -> bool {
        let Some(set) = self.set(request.asked.set) else { return true };
        let terms = set.terms_in(request.asked.capture);
        let rules = self.rules_in(request.asked.capture);
        let since = self.epoch.next().earlier(rules.slash_window + rules.veto + rules.execution);
        let mut offenders: BTreeMap<OperatorId, Epoch> = BTreeMap::new();
        offenders.insert(request.asked.operator, request.asked.capture);
        for executed in
            set.executed.iter().filter(|executed| executed.is_subjective && executed.executed >= since)
        {
            let earliest = offenders.entry(executed.operator).or_insert(executed.capture);
            *earliest = (*earliest).min(executed.capture);
        }
        let shares = offenders.iter().map(|(operator, capture)| {
            set.tables.get(capture).map_or(Fraction::ZERO, |table| table.share(*operator))
        });
        let threshold = terms.threshold.map_or(terms.resolvers.len() / 2 + 1, usize::from);
        let is_approved = !terms.resolvers.is_empty() && request.approvals.len() >= threshold;
        exact::sum_up_to_one(shares) <= terms.mass_slash_max || is_approved
    }

    /// What may be taken: the difference to what the offence has cost already, cut to what the window caps leave.
    pub(crate) fn plan_slash(&self, order: &Order) -> Verdict<Plan> {
        let set = self.set(order.set).ok_or("SetNotFound")?;
        let key = (order.operator, order.capture, order.offence);
        let (prior, before) = set.punished.get(&key).copied().unwrap_or_default();
        ensure!(order.fraction > prior, "AlreadyPunished");
        let forgets = self.has(Fault::GraverReportTakesAll);
        let (prior, before) = if forgets { Default::default() } else { (prior, before) };
        let cap = set.terms_in(order.capture).window_cap;
        let rules = self.rules_in(order.capture);
        let reach = (rules.slash_window + rules.veto + rules.execution).max(1);
        let own: Vec<&Executed> =
            set.executed.iter().filter(|executed| executed.operator == order.operator).collect();
        let by_execution = heaviest_window(&own, |executed| executed.executed, self.epoch, reach);
        let by_capture = heaviest_window(&own, |executed| executed.capture, order.capture, reach);
        let room = cap.above(by_execution.max(by_capture));
        let room = if self.has(Fault::WindowCapIgnored) { Fraction::ONE } else { room };
        let counted = order.fraction.above(prior).min(room);
        ensure!(!counted.is_zero(), "CapReached");
        let taken = exact::fraction_down(&(exact::ratio(counted) / exact::ratio(before.complement())));
        Ok(Plan { taken, counted })
    }

    /// Takes what the plan says and sends it where the set's destinations say.
    pub(crate) fn slash(&mut self, order: &Order, plan: Plan, events: &[Event]) {
        let Order { set, operator, capture, .. } = *order;
        let announced = events.iter().find_map(|event| match event {
            Event::Slashed { taken, pools, .. } => Some((*taken, pools.as_slice())),
            _ => None,
        });
        let (taken, receipts) = announced.unwrap_or((Fraction::ZERO, &[]));
        if taken != plan.taken {
            self.object(|| format!("a slash of {} is announced as {taken}", plan.taken));
        }
        let mut held = Vec::new();
        let mut hit = 0;
        for pool in self.pools_of(operator) {
            if self.pool(pool).parts_in(set, capture) == 0 {
                continue;
            }
            hit += 1;
            let asset = self.pool(pool).asset;
            let receipt = receipts.iter().find(|receipt| receipt.asset == asset);
            let lost = self.slash_pool(pool, order, plan.taken, receipt);
            self.send(order, pool, lost, &mut held);
        }
        if hit != receipts.len() {
            self.object(|| format!("a slash of {hit} pools is announced with {} receipts", receipts.len()));
        }
        let now = self.epoch;
        let record = self.set_mut(set);
        let punished = record.punished.entry((operator, capture, order.offence)).or_default();
        *punished =
            (order.fraction.max(punished.0), exact::sum_up_to_one([punished.1, plan.counted].into_iter()));
        let is_subjective = order.offence == Offence::Reason;
        record.executed.push(Executed {
            operator,
            executed: now,
            capture,
            counted: plan.counted,
            is_subjective,
        });
        let id = SlashId::new(self.slash_count);
        self.slash_count += 1;
        if !held.is_empty() {
            self.proceeds.insert(id, Proceeds { capture, victims: order.victims.clone(), held });
        }
    }

    /// Slashes one pool, the bond first; returns the whole units that were lost.
    fn slash_pool(
        &mut self,
        pool: PoolId,
        order: &Order,
        taken: Fraction,
        receipt: Option<&PoolReceipt>,
    ) -> u128 {
        let (set, capture) = (order.set, order.capture);
        let owed_exactly = exact::ratio(taken) * self.slashable(pool, set, capture);
        let liable = self.pool(pool).liable_bond(capture);
        let (seen_stake, seen_bond) =
            receipt.map_or((0, 0), |receipt| (receipt.stake.units(), receipt.bond.units()));
        // The bond pays whole units. Where what is owed is nearly whole, the ledger's rounding decides which.
        let mut owed = exact::floor(&owed_exactly);
        if exact::is_nearly_whole(&owed_exactly) && liable > 0 {
            let seen = seen_stake + seen_bond;
            owed = seen.clamp(owed.saturating_sub(1), owed + 1);
        }
        let paid = if self.has(Fault::BondPaysLast) { 0 } else { liable.min(owed) };
        let share =
            if paid == 0 { exact::ratio(taken) } else { exact::ratio(taken) * portion(owed - paid, owed) };
        let expected = &share * self.slashable(pool, set, capture);
        let bound = exact::floor(&expected).saturating_sub(1)..=exact::floor(&expected) + 1;
        if paid != seen_bond || !bound.contains(&seen_stake) {
            self.object(|| {
                format!(
                    "pool {pool} owes {owed_exactly}: bond {paid}, stake {expected}; announced {receipt:?}"
                )
            });
        }
        let record = self.pool_mut(pool);
        record.slashes.push(Slashed { set, capture, kept: exact::whole(1) - share });
        record.touch();
        record.held = record.held.saturating_sub(seen_stake);
        record.pay_bond(capture, paid.min(liable));
        seen_stake + paid
    }

    /// What a set can slash of a pool for an epoch. Nothing of it may be free: the exits are longer than that.
    pub(crate) fn slashable(&self, pool: PoolId, set: SetId, capture: Epoch) -> Ratio {
        let record = self.pool(pool);
        let liable = self.stakes.iter().filter(|stake| {
            stake.pool == pool
                && record.is_liable(capture, (stake.entered, stake.until))
                && !self.is_free(stake.until)
        });
        let amounts = liable.map(|stake| {
            record.share(set, capture, stake.entered, stake.until) * exact::whole(stake.principal)
        });
        amounts.sum()
    }

    fn send(
        &mut self,
        order: &Order,
        pool: PoolId,
        lost: u128,
        held: &mut Vec<(protocol::units::AssetId, u128, Option<Address>)>,
    ) {
        let asset = self.pool(pool).asset;
        if self.is_native(asset) {
            self.pool_mut(pool).slashed += lost;
            return;
        }
        let Some(terms) = self.set(order.set).map(|set| set.terms_in(order.capture)) else { return };
        let mut rest = lost;
        let mut sent = Vec::new();
        for destination in &terms.destinations {
            let amount = exact::share_down(lost, destination.share);
            let to = match destination.to {
                Beneficiary::Burn => continue,
                Beneficiary::Redistribute(address) => Some(address),
                Beneficiary::Compensate => None,
            };
            rest -= amount;
            if amount > 0 {
                sent.push((asset, amount, to));
            }
        }
        held.extend(sent);
        self.asset_mut(asset).burnt += rest;
    }

    pub(crate) fn release_proceeds(&mut self, op: &ReleaseProceeds) -> Verdict {
        let proceeds = self.proceeds.get(&op.slash).ok_or("NothingHeld")?.clone();
        ensure!(self.epoch > self.last_execution(proceeds.capture), "TooEarly");
        for (asset, amount, to) in proceeds.held {
            match to {
                Some(to) => self.add_free(to, asset, amount),
                None => self.compensate(asset, amount, &proceeds.victims),
            }
        }
        self.proceeds.remove(&op.slash);
        Ok(())
    }

    /// Pays the victims pro rata, each at most what it is owed; burns the rest.
    fn compensate(&mut self, asset: protocol::units::AssetId, amount: u128, victims: &[Victim]) {
        let owed: Vec<&Victim> = victims.iter().filter(|victim| victim.asset == asset).collect();
        let total: u128 = owed.iter().map(|victim| victim.amount.units()).sum();
        let mut rest = amount;
        for victim in owed {
            let own = victim.amount.units();
            let share = if total > amount { exact::portion_down(amount, own, total) } else { own };
            rest -= share;
            self.add_free(victim.account, asset, share);
        }
        self.asset_mut(asset).burnt += rest;
    }
}

fn portion(part: u128, all: u128) -> Ratio {
    exact::whole(part) / exact::whole(all)
}

/// The largest sum of fractions over any window of `reach` epochs that contains `epoch`.
fn heaviest_window(
    own: &[&Executed],
    when: impl Fn(&Executed) -> Epoch,
    epoch: Epoch,
    reach: u32,
) -> Fraction {
    let first = epoch.next().earlier(reach);
    let windows = (first.number()..=epoch.number()).map(Epoch::new);
    let sums = windows.map(|start| {
        let last = start.later(reach - 1);
        let within = own.iter().filter(|executed| start <= when(executed) && when(executed) <= last);
        exact::sum_up_to_one(within.map(|executed| executed.counted))
    });
    sums.max().unwrap_or_default()
}
