//! The line of those who leave: settling it, and what was withheld from it.

use super::super::State;
use super::nav::Valuation;
use super::records::{Contingent, ExitTicket};
use crate::event::Event;
use crate::units::{Amount, AssetId, Epoch, Fraction, RequestId, Shares, TicketId, VaultId};
use crate::vault::queue::{self, Batch, Cohort, Settlement};
use crate::vault::rate::Rate;

impl State {
    /// Contingent amounts of a vault, by request.
    pub(crate) fn contingents_of(&self, vault: VaultId) -> impl Iterator<Item = (RequestId, Contingent)> {
        let listed = self.vaults.contingents.starting_at((vault, RequestId::new(0)));
        listed.take_while(move |((of, _), _)| *of == vault).map(|((_, id), contingent)| (*id, *contingent))
    }

    /// The cohort that a place belongs to.
    pub(crate) fn cohort_at(&self, vault: VaultId, place: u128) -> Option<(u128, Cohort)> {
        let mut listed = self.vaults.cohorts.starting_at((vault, place.saturating_add(1)));
        listed.next().filter(|((of, _), _)| *of == vault).map(|((_, end), cohort)| (*end, *cohort))
    }

    /// The batch that a settled place belongs to; `None` in a gap.
    pub(crate) fn batch_at(&self, vault: VaultId, place: u128) -> Option<(u128, &Batch)> {
        let mut listed = self.vaults.batches.starting_at((vault, place.saturating_add(1)));
        let found = listed.next().filter(|((of, _), batch)| *of == vault && batch.start <= place);
        found.map(|((_, end), batch)| (*end, batch))
    }

    /// One step of settling: passes over a gap, or settles what can be paid of the cohort at the mark. `false` where there is nothing to do.
    pub(crate) fn settle_step(
        &mut self,
        id: VaultId,
        value: &mut Valuation,
        events: &mut Vec<Event>,
    ) -> bool {
        let vault = self.vault(id).expect("the vault was checked");
        let (line, idle, now) = (vault.queue, vault.buckets.idle, vault.tick.epoch);
        if line.settled >= line.end {
            return false;
        }
        let gap = self
            .vaults
            .gaps
            .starting_at((id, line.settled))
            .next()
            .map(|((of, start), end)| (*of, *start, *end));
        let gap = gap.filter(|(of, _, _)| *of == id);
        if let Some((_, start, end)) = gap
            && start == line.settled
        {
            self.vaults.gaps.remove(&(id, start));
            self.move_mark(id, end);
            return true;
        }
        let (end, cohort) = self.cohort_at(id, line.settled).expect("who waits has a cohort");
        if cohort.epoch >= now {
            return false;
        }
        let upto = gap.map_or(end, |(_, start, _)| start.min(end));
        let (high, low) = self.vault_rates(id, value);
        let payable = payable(cohort.rate.min(high), idle).min(queue::between(line.settled, upto));
        if payable.is_zero() {
            return false;
        }
        let settled = queue::settle(payable, cohort.rate, low, high);
        self.write_batch(id, line.settled, &settled, value, events);
        true
    }

    /// Burns the shares and moves what they get out of the net asset value, in one step.
    fn write_batch(
        &mut self,
        id: VaultId,
        start: u128,
        settled: &Settlement,
        value: &mut Valuation,
        events: &mut Vec<Event>,
    ) {
        let Settlement { shares, assets, withheld, forfeited } = *settled;
        let end = start.saturating_add(shares.units());
        let parts = queue::split(withheld, &value.pending);
        for (request, amount) in &parts {
            self.withhold(id, *request, *amount);
            if let Some((_, cost)) = value.pending.iter_mut().find(|(open, _)| open == request) {
                *cost = amount.room_below(*cost);
            }
        }
        let vault = self.vault_mut(id);
        let (share, epoch, window) = (vault.share, vault.tick.epoch, vault.terms.drip);
        vault.buckets.idle.shrink(assets);
        vault.buckets.idle.shrink(withheld);
        vault.buckets.escrow.grow(assets);
        vault.buckets.contingent.grow(withheld);
        vault.drip.credit(epoch, window, forfeited);
        vault.queue.waiting.shrink(shares);
        for out in [assets, withheld, forfeited] {
            value.nav.shrink(out);
        }
        self.burn_taken(share, shares);
        let (claimed, paid, closed) = (Shares::ZERO, Amount::ZERO, Shares::ZERO);
        let batch = Batch { start, epoch, assets, withheld: parts, claimed, paid, closed };
        self.vaults.batches.insert((id, end), batch);
        self.move_mark(id, end);
        events.push(Event::VaultSettled { vault: id, shares, assets, withheld, forfeited });
    }

    /// Moves the mark, and forgets the cohorts that it has passed.
    fn move_mark(&mut self, id: VaultId, place: u128) {
        let before = self.vault(id).expect("the vault was checked").queue.settled;
        self.vault_mut(id).queue.settled = place;
        while let Some((end, _)) = self.cohort_at(id, before).filter(|(end, _)| *end <= place) {
            self.vaults.cohorts.remove(&(id, end));
        }
    }

    fn withhold(&mut self, id: VaultId, request: RequestId, amount: Amount) {
        let mut contingent = self.vaults.contingents.get(&(id, request)).copied().unwrap_or_default();
        if contingent.batches == 0 {
            let mut verdict = self.vaults.verdicts.get(&request).cloned().unwrap_or_default();
            verdict.watchers = verdict.watchers.saturating_add(1);
            self.vaults.verdicts.insert(request, verdict);
        }
        contingent.amount.grow(amount);
        contingent.batches = contingent.batches.saturating_add(1);
        self.vaults.contingents.insert((id, request), contingent);
    }

    /// What was withheld for requests that have ended leaves the contingent bucket. The caller has valued the vault, and gives it what the
    /// slashes took. Whether there was any.
    pub(crate) fn end_contingents(&mut self, id: VaultId) -> bool {
        let asset = self.vault(id).expect("the vault was checked").asset;
        let open: Vec<_> =
            self.contingents_of(id).filter(|(_, contingent)| contingent.taken.is_none()).collect();
        let mut any = false;
        for (request, mut contingent) in open {
            let Some(verdict) = self.vaults.verdicts.get_mut(&request).filter(|verdict| verdict.is_over)
            else {
                continue;
            };
            let taken = verdict.taken.iter().find(|(of, _)| *of == asset);
            let taken = taken.map_or(Fraction::ZERO, |(_, fraction)| *fraction);
            verdict.watchers = verdict.watchers.saturating_sub(1);
            if verdict.watchers == 0 {
                self.vaults.verdicts.remove(&request);
            }
            let released = taken.of_up(contingent.amount).room_below(contingent.amount);
            let buckets = &mut self.vault_mut(id).buckets;
            buckets.contingent.shrink(contingent.amount);
            buckets.escrow.grow(released);
            contingent.taken = Some(taken);
            contingent.released = released;
            self.vaults.contingents.insert((id, request), contingent);
            any = true;
        }
        any
    }

    /// A request is there that may be executed.
    pub(crate) fn note_open(&mut self, request: RequestId) {
        let Some(operator) = self.requests.get(&request).map(|request| request.operator) else { return };
        self.vaults.open_requests.insert((operator, request), ());
    }

    /// A request has ended: vaults that wait for it learn how. By asset, the share of what it could cost that it took.
    pub(crate) fn note_ended(&mut self, request: RequestId, taken: Vec<(AssetId, Fraction)>) {
        let Some(operator) = self.requests.get(&request).map(|request| request.operator) else { return };
        self.vaults.open_requests.remove(&(operator, request));
        if let Some(verdict) = self.vaults.verdicts.get_mut(&request) {
            verdict.taken = taken;
            verdict.is_over = true;
        }
    }

    /// The epoch through which a vault's line can be settled at once: that before its own.
    pub(crate) fn vault_epoch(&self, id: VaultId) -> Epoch {
        self.vault(id).expect("the vault was checked").tick.epoch
    }
}

/// The most shares that assets pay for: where a share is worth nothing, all of them.
fn payable(rate: Rate, idle: Amount) -> Shares {
    let one_more = idle.plus(Amount::new(1)).unwrap_or(idle);
    let first_unpayable = rate.shares_up(one_more).unwrap_or(Shares::new(u128::MAX));
    Shares::new(first_unpayable.units().saturating_sub(1))
}

impl State {
    /// Places of the line from `start` on are of a cohort: the last one's if it is of the same epoch and no dearer, otherwise a new one's.
    pub(crate) fn extend_cohort(&mut self, id: VaultId, start: u128, end: u128, new: Cohort) {
        let last = self.vaults.cohorts.get(&(id, start)).copied();
        let cohort = match last {
            Some(last) if last.epoch == new.epoch && last.rate <= new.rate => {
                self.vaults.cohorts.remove(&(id, start));
                last
            }
            _ => new,
        };
        self.vaults.cohorts.insert((id, end), cohort);
    }

    /// Places that were cancelled: one gap with those around them.
    pub(crate) fn open_gap(&mut self, id: VaultId, start: u128, end: u128) {
        let (mut start, mut end) = (start, end);
        if let Some(after) = self.vaults.gaps.remove(&(id, end)) {
            end = after;
        }
        let before = self.vaults.gaps.last_upto(&(id, start)).map(|((of, first), last)| (*of, *first, *last));
        if let Some((of, first, last)) = before
            && (of, last) == (id, start)
        {
            self.vaults.gaps.remove(&(id, first));
            start = first;
        }
        self.vaults.gaps.insert((id, start), end);
    }

    /// Whether anything of an exit is settled that was not paid.
    pub(crate) fn is_claimable(&self, id: VaultId, ticket: TicketId) -> bool {
        let Some(exit) = self.vaults.exits.get(&(id, ticket)) else { return false };
        let settled = self.vault(id).map_or(0, |vault| vault.queue.settled);
        exit.paid < settled.min(exit.end) || self.is_closable(id, exit)
    }

    /// Whether what was withheld from the first batch of an exit that is not closed can be paid.
    fn is_closable(&self, id: VaultId, exit: &ExitTicket) -> bool {
        if exit.closed >= exit.paid {
            return false;
        }
        let Some((_, batch)) = self.batch_at(id, exit.closed) else { return false };
        batch.withheld.iter().all(|(request, _)| self.is_ended(id, *request))
    }

    fn is_ended(&self, id: VaultId, request: RequestId) -> bool {
        let contingent = self.vaults.contingents.get(&(id, request));
        let is_over = self.vaults.verdicts.get(&request).is_some_and(|verdict| verdict.is_over);
        contingent.is_none_or(|contingent| contingent.taken.is_some() || is_over)
    }

    /// Pays what an exit is owed: as many batches as an operation may read.
    pub(crate) fn pay_exit(&mut self, id: VaultId, ticket: TicketId, events: &mut Vec<Event>) {
        let Some(mut exit) = self.vaults.exits.get(&(id, ticket)).copied() else { return };
        let settled = self.vault(id).map_or(0, |vault| vault.queue.settled).min(exit.end);
        let mut steps = self.genesis.vaults.steps_per_operation;
        let mut paid = Amount::ZERO;
        while steps > 0 && exit.paid < settled {
            paid.grow(self.pay_batch(id, &mut exit));
            steps = steps.saturating_sub(1);
        }
        while steps > 0 && self.is_closable(id, &exit) {
            paid.grow(self.close_part(id, &mut exit));
            steps = steps.saturating_sub(1);
        }
        if exit.closed >= exit.end {
            self.vaults.exits.remove(&(id, ticket));
        } else {
            self.vaults.exits.insert((id, ticket), exit);
        }
        self.vault_mut(id).buckets.escrow.shrink(paid);
        self.pay_from_vault(id, exit.owner, paid);
        let account = self.accounts.get(exit.owner).address;
        let is_closed = exit.closed >= exit.end;
        events.push(Event::VaultClaimed { vault: id, ticket, account, amount: paid, is_closed });
    }

    /// What an exit gets of the batch at which it stands.
    fn pay_batch(&mut self, id: VaultId, exit: &mut ExitTicket) -> Amount {
        let (end, batch) =
            self.batch_at(id, exit.paid).expect("a place that is settled and no gap has a batch");
        let shares = queue::between(exit.paid, end.min(exit.end));
        let amount = queue::part(batch.assets, shares, queue::between(batch.start, end));
        exit.paid = end.min(exit.end);
        let batch = self.vaults.batches.get_mut(&(id, end)).expect("it was just read");
        batch.claimed.grow(shares);
        batch.paid.grow(amount);
        amount
    }

    /// What an exit gets of what was withheld from the batch at which it stands: all requests have ended. Closes the batch with its last share.
    fn close_part(&mut self, id: VaultId, exit: &mut ExitTicket) -> Amount {
        let (end, batch) = self.batch_at(id, exit.closed).expect("a paid place has a batch");
        let all = queue::between(batch.start, end);
        let shares = queue::between(exit.closed, end.min(exit.end));
        let withheld = batch.withheld.clone();
        exit.closed = end.min(exit.end);
        let mut amount = Amount::ZERO;
        for (request, of_batch) in &withheld {
            let Some(mut contingent) = self.vaults.contingents.get(&(id, *request)).copied() else {
                continue;
            };
            let taken = contingent.taken.unwrap_or(Fraction::ZERO);
            let released = taken.of_up(*of_batch).room_below(*of_batch);
            // Each batch rounds what was taken up, so together they get no more than was released.
            let part =
                queue::part(released, shares, all).min(contingent.paid.room_below(contingent.released));
            contingent.paid.grow(part);
            amount.grow(part);
            self.vaults.contingents.insert((id, *request), contingent);
        }
        let batch = self.vaults.batches.get_mut(&(id, end)).expect("it was just read");
        batch.closed.grow(shares);
        if batch.closed == all {
            self.close_batch(id, end, &withheld);
        }
        amount
    }

    /// A batch that all have fetched is gone; what its divisions left joins the drip.
    fn close_batch(&mut self, id: VaultId, end: u128, withheld: &[(RequestId, Amount)]) {
        let Some(batch) = self.vaults.batches.remove(&(id, end)) else { return };
        let mut dust = batch.paid.room_below(batch.assets);
        for (request, _) in withheld {
            let Some(mut contingent) = self.vaults.contingents.get(&(id, *request)).copied() else {
                continue;
            };
            contingent.batches = contingent.batches.saturating_sub(1);
            if contingent.batches == 0 {
                dust.grow(contingent.paid.room_below(contingent.released));
                self.vaults.contingents.remove(&(id, *request));
            } else {
                self.vaults.contingents.insert((id, *request), contingent);
            }
        }
        let vault = self.vault_mut(id);
        vault.buckets.escrow.shrink(dust);
        vault.buckets.idle.grow(dust);
        vault.drip.credit(vault.tick.epoch, vault.terms.drip, dust);
    }
}
