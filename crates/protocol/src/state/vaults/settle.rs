//! The line of those who leave: settling it, and what was withheld from it.

use super::super::State;
use super::nav::Valuation;
use super::records::{Contingent, Outcome};
use crate::event::Event;
use crate::units::{Amount, AssetId, Epoch, Fraction, RequestId, Shares, VaultId};
use crate::vault::defence::{Defence, is_on};
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
        let price = if is_on(Defence::WaitersLose) { cohort.rate.min(high) } else { cohort.rate };
        let payable = payable(price, idle, queue::between(line.settled, upto));
        if payable.is_zero() {
            return false;
        }
        let settled = queue::settle(payable, cohort.rate, low, high);
        self.write_batch(id, line.settled, cohort.epoch, &settled, value, events);
        true
    }

    /// Burns the shares and moves what they get out of the net asset value, in one step.
    fn write_batch(
        &mut self,
        id: VaultId,
        start: u128,
        asked: Epoch,
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
        let (now, held_until) = (self.epoch, self.harmless_from(asked));
        let vault = self.vault_mut(id);
        let (share, window, left) = (vault.share, vault.terms.drip, vault.left);
        let held = if now < held_until { vault.terms.instant.holdback.of_up(assets) } else { Amount::ZERO };
        vault.buckets.idle.shrink(assets);
        vault.buckets.idle.shrink(withheld);
        vault.buckets.escrow.grow(held.room_below(assets));
        vault.buckets.holdback.grow(held);
        vault.buckets.contingent.grow(withheld);
        vault.drip.credit(now, window, forfeited);
        vault.queue.waiting.shrink(shares);
        for out in [assets, withheld, forfeited] {
            value.nav.shrink(out);
        }
        self.burn_taken(share, shares);
        let batch = Batch {
            start,
            assets: held.room_below(assets),
            held,
            held_until,
            left,
            withheld: parts,
            claimed: Shares::ZERO,
            paid: Amount::ZERO,
            closed: Shares::ZERO,
            held_released: None,
            held_paid: Amount::ZERO,
        };
        self.vaults.batches.insert((id, end), batch);
        self.move_mark(id, end);
        events.push(Event::VaultSettled { vault: id, shares, assets, held, withheld, forfeited });
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
        let open: Vec<_> = self.contingents_of(id).collect();
        let mut any = false;
        for (request, Contingent { amount, batches }) in open {
            let Some(taken) = self.taken_by(request, asset) else { continue };
            self.vaults.contingents.remove(&(id, request));
            if let Some(verdict) = self.vaults.verdicts.get_mut(&request) {
                verdict.watchers = verdict.watchers.saturating_sub(1);
                if verdict.watchers == 0 {
                    self.vaults.verdicts.remove(&request);
                }
            }
            let released = taken.of_up(amount).room_below(amount);
            let buckets = &mut self.vault_mut(id).buckets;
            buckets.contingent.shrink(amount);
            buckets.escrow.grow(released);
            let outcome = Outcome { taken, released, paid: Amount::ZERO, batches };
            self.vaults.outcomes.insert((id, request), outcome);
            any = true;
        }
        any
    }

    /// First epoch in which nothing that was bonded in an epoch can be slashed for it.
    pub(crate) fn harmless_from(&self, epoch: Epoch) -> Epoch {
        self.last_execution_through(epoch).next().max(self.free_at(epoch))
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
}

/// How many of the first shares of a piece assets pay for: all of them where they do, or where all of it is worth nothing. Otherwise as many as
/// use up what is there, and none where that would be worth nothing: nobody's shares are settled for what rounding leaves.
fn payable(rate: Rate, idle: Amount, all: Shares) -> Shares {
    if rate.assets_down(all) <= idle {
        return all;
    }
    let mut candidates = [rate.shares_up(idle), rate.shares_down(idle)].into_iter().flatten();
    let fitting = candidates.find(|shares| rate.assets_down(*shares) <= idle).unwrap_or(Shares::ZERO);
    if rate.assets_down(fitting).is_zero() { Shares::ZERO } else { fitting.min(all) }
}
