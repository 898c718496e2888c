//! What who leaves is owed: places in the line, and what was settled of them.

use super::super::State;
use super::records::ExitTicket;
use crate::event::Event;
use crate::units::{Amount, RequestId, TicketId, VaultId};
use crate::vault::defence::{Defence, is_on};
use crate::vault::queue::{self, Batch, Cohort};
use crate::vault::waterfall;

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

    /// Places that were cancelled: given back at the end of the line, otherwise one gap with those around them.
    pub(crate) fn open_gap(&mut self, id: VaultId, start: u128, end: u128) {
        if self.vault(id).is_some_and(|vault| vault.queue.end == end) {
            self.vault_mut(id).queue.end = start;
            let cohort = self.vaults.cohorts.remove(&(id, end));
            let settled = self.vault(id).map_or(0, |vault| vault.queue.settled);
            if let Some(cohort) = cohort.filter(|cohort| cohort.start < start && settled < start) {
                self.vaults.cohorts.insert((id, start), cohort);
            }
            return;
        }
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

    /// Whether what was withheld from the first batch of an exit that is not closed, and held back of it, can be paid.
    fn is_closable(&self, id: VaultId, exit: &ExitTicket) -> bool {
        if exit.closed >= exit.paid {
            return false;
        }
        let Some((_, batch)) = self.batch_at(id, exit.closed) else { return false };
        let is_held = !batch.held.is_zero() && batch.held_until > self.epoch;
        !is_held && batch.withheld.iter().all(|(request, _)| self.is_ended(id, *request))
    }

    fn is_ended(&self, id: VaultId, request: RequestId) -> bool {
        let is_over = self.vaults.verdicts.get(&request).is_some_and(|verdict| verdict.is_over);
        is_over || !self.vaults.contingents.contains_key(&(id, request))
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
            self.drop_exit(id, ticket);
        } else {
            self.put_exit(id, ticket, exit);
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
        let all = queue::between(batch.start, end);
        let amount = if is_on(Defence::FixedBatches) {
            queue::part(batch.assets, shares, all)
        } else {
            queue::part(batch.paid.room_below(batch.assets), shares, batch.claimed.room_below(all))
        };
        exit.paid = end.min(exit.end);
        let batch = self.vaults.batches.get_mut(&(id, end)).expect("it was just read");
        batch.claimed.grow(shares);
        batch.paid.grow(amount);
        amount
    }

    /// What an exit gets of what was withheld from the batch at which it stands, and held back: all requests have ended. Closes the batch
    /// with its last share.
    fn close_part(&mut self, id: VaultId, exit: &mut ExitTicket) -> Amount {
        let (end, batch) = self.batch_at(id, exit.closed).expect("a paid place has a batch");
        let batch = batch.clone();
        let held_released = self.release_held(id, end, &batch);
        let all = queue::between(batch.start, end);
        let shares = queue::between(exit.closed, end.min(exit.end));
        exit.closed = end.min(exit.end);
        let of_held = queue::part(held_released, shares, all);
        let mut amount = of_held;
        for (request, of_batch) in &batch.withheld {
            let Some(outcome) = self.vaults.outcomes.get_mut(&(id, *request)) else { continue };
            let released = outcome.taken.of_up(*of_batch).room_below(*of_batch);
            // Each batch rounds what was taken up, so together they get no more than was released.
            let part = queue::part(released, shares, all).min(outcome.paid.room_below(outcome.released));
            outcome.paid.grow(part);
            amount.grow(part);
        }
        let batch = self.vaults.batches.get_mut(&(id, end)).expect("it was just read");
        batch.closed.grow(shares);
        batch.held_paid.grow(of_held);
        if batch.closed == all {
            self.close_batch(id, end);
        }
        amount
    }

    /// What there is to fetch of what a batch held back: less what its exits lost until they could have been free, beyond what was withheld for
    /// it already; that joins the drip. Once for the batch.
    fn release_held(&mut self, id: VaultId, end: u128, batch: &Batch) -> Amount {
        if let Some(released) = batch.held_released {
            return released;
        }
        let (mut worth, mut borne) = (batch.assets, Amount::ZERO);
        worth.grow(batch.held);
        for (request, amount) in &batch.withheld {
            worth.grow(*amount);
            if let Some(outcome) = self.vaults.outcomes.get(&(id, *request)) {
                borne.grow(outcome.taken.of_up(*amount));
            }
        }
        let left = self.left_at(id, batch.held_until.previous());
        let lost = borne.room_below(waterfall::lost_between(worth, batch.left, left)).min(batch.held);
        let released = lost.room_below(batch.held);
        let now = self.epoch;
        let vault = self.vault_mut(id);
        vault.buckets.holdback.shrink(batch.held);
        vault.buckets.escrow.grow(released);
        vault.buckets.idle.grow(lost);
        vault.drip.credit(now, vault.terms.drip, lost);
        let batch = self.vaults.batches.get_mut(&(id, end)).expect("it was just read");
        batch.held_released = Some(released);
        released
    }

    /// A batch that all have fetched is gone; what its divisions left joins the drip.
    fn close_batch(&mut self, id: VaultId, end: u128) {
        let Some(batch) = self.vaults.batches.remove(&(id, end)) else { return };
        let mut dust = batch.paid.room_below(batch.assets);
        dust.grow(batch.held_paid.room_below(batch.held_released.unwrap_or(batch.held_paid)));
        for (request, _) in &batch.withheld {
            let Some(mut outcome) = self.vaults.outcomes.get(&(id, *request)).copied() else { continue };
            outcome.batches = outcome.batches.saturating_sub(1);
            if outcome.batches == 0 {
                dust.grow(outcome.paid.room_below(outcome.released));
                self.vaults.outcomes.remove(&(id, *request));
            } else {
                self.vaults.outcomes.insert((id, *request), outcome);
            }
        }
        let now = self.epoch;
        let vault = self.vault_mut(id);
        vault.buckets.escrow.shrink(dust);
        vault.buckets.idle.grow(dust);
        vault.drip.credit(now, vault.terms.drip, dust);
    }
}
