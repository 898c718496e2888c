//! What cohorts that are hit alike share: what is left of each slice, and what a unit of principal has earned.

use serde::{Deserialize, Serialize};

use super::slices::{LEFT_ONE, Slice};
use super::{Cohort, Pool};
use crate::units::{Amount, Epoch, SetId};
use crate::wide::{self, PerUnit, Wide};

/// The history that cohorts share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Track {
    /// Per slice of the pool, in `1 / 2^112`.
    left: Vec<u128>,
    earned: Earned,
}

impl Track {
    /// Stake that was never slashed and has earned nothing.
    pub(crate) fn whole(slices: usize) -> Self {
        Self { left: vec![LEFT_ONE; slices], earned: Earned::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.left.len()
    }

    pub(crate) fn earned(&self) -> &Earned {
        &self.earned
    }

    pub(crate) fn earned_mut(&mut self) -> &mut Earned {
        &mut self.earned
    }

    pub(crate) fn left_of(&self, slice: usize) -> u128 {
        self.left.get(slice).copied().unwrap_or(0)
    }

    /// What a unit of principal is worth, in `1 / 2^120`.
    pub(crate) fn factor(&self, slices: &[Slice]) -> u128 {
        self.sum(slices, |_| true)
    }

    /// The part of the factor in slices that `set` owned in `epoch`.
    pub(crate) fn factor_owned(&self, slices: &[Slice], set: SetId, epoch: Epoch) -> u128 {
        self.sum(slices, |slice| slice.is_owned_by(set, epoch))
    }

    fn sum(&self, slices: &[Slice], chosen: impl Fn(&Slice) -> bool) -> u128 {
        let mut sum = 0_u128;
        for (slice, left) in slices.iter().zip(&self.left).filter(|(slice, _)| chosen(slice)) {
            // At most 256 parts of 2^112 each.
            sum = sum.saturating_add(left.saturating_mul(u128::from(slice.size)));
        }
        sum
    }

    /// Scales what is left of the slices that `set` owned in `epoch`.
    pub(crate) fn scale(
        &mut self,
        slices: &[Slice],
        set: SetId,
        epoch: Epoch,
        scaled: impl Fn(u128) -> u128,
    ) {
        for (slice, left) in slices.iter().zip(&mut self.left) {
            if slice.is_owned_by(set, epoch) {
                *left = scaled(*left);
            }
        }
    }

    /// Whether the same is left of two slices.
    pub(crate) fn is_even(&self, a: usize, b: usize) -> bool {
        self.left.get(a) == self.left.get(b)
    }

    /// Slice `index` became two.
    pub(crate) fn cut(&mut self, index: usize) {
        self.left.insert(index.saturating_add(1), self.left_of(index));
    }

    /// Slice `index` became part of the one before.
    pub(crate) fn unite(&mut self, index: usize) {
        self.left.remove(index);
    }
}

impl Pool {
    /// What the chosen `(slice, parts)` of the stake that is bonded in `epoch` and stays are worth, and what they would be worth undamaged.
    pub(crate) fn worth_of_slices(&self, chosen: &[(usize, u16)], epoch: Epoch) -> (Amount, Amount) {
        let (mut worth, mut whole) = (Wide::ZERO, Wide::ZERO);
        // Stake that leaves in the epoch will back nobody.
        for cohort in
            self.cohorts().filter(|cohort: &&Cohort| cohort.is_bonded_in(epoch) && cohort.until > epoch)
        {
            let track = self.tracks.get(cohort.track).expect("a cohort has a track");
            for (slice, parts) in chosen {
                let principal = cohort.principal.units();
                let scaled = |left: u128| wide::product(principal, left.saturating_mul(u128::from(*parts)));
                worth = wide::plus(worth, scaled(track.left_of(*slice)));
                whole = wide::plus(whole, scaled(LEFT_ONE));
            }
        }
        let down = |total: Wide| Amount::new(wide::shift_down(total, super::FACTOR_BITS_WIDE));
        (down(worth), down(whole))
    }
}

/// What one unit of principal has earned, by the epoch worked in, so that a position gets exactly what was paid for epochs in which
/// it was bonded, whenever it is paid.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Earned {
    /// For all work up to and including an epoch, ascending.
    rows: Vec<Row>,
    /// Payments that came later than the boundary after the work: a position that had settled in between still gets them.
    late: Vec<Late>,
    /// Rows after the last forgetting, so that it costs a constant per row.
    kept: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    work: Epoch,
    /// Per reserve of the pool; shorter rows end in zeros.
    sums: Vec<PerUnit>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Late {
    work: Epoch,
    paid: Epoch,
    reserve: usize,
    share: PerUnit,
}

impl Late {
    /// Whether it pays for an epoch of `entered ..= until` before `first`.
    fn is_within(&self, entered: Epoch, until: Epoch, first: Epoch) -> bool {
        entered <= self.work && self.work <= until && self.work < first
    }
}

impl Row {
    fn sum(&self, reserve: usize) -> PerUnit {
        self.sums.get(reserve).copied().unwrap_or(PerUnit::ZERO)
    }
}

impl Earned {
    /// For all work through `work`.
    fn through(&self, reserve: usize, work: Epoch) -> PerUnit {
        let after = self.rows.partition_point(|row| row.work <= work);
        let row = after.checked_sub(1).and_then(|index| self.rows.get(index));
        row.map_or(PerUnit::ZERO, |row| row.sum(reserve))
    }

    /// Whether the sum stays in range.
    pub(crate) fn can_add(&self, reserve: usize, share: PerUnit) -> bool {
        self.rows.last().is_none_or(|row| row.sum(reserve).plus(share).is_some())
    }

    /// A unit that worked in `work` gets `share` at the boundary into `paid`.
    ///
    /// # Panics
    /// Only on a bug: the caller has asked [`Earned::can_add`].
    pub(crate) fn add(&mut self, reserve: usize, work: Epoch, paid: Epoch, share: PerUnit) {
        let index = self.rows.partition_point(|row| row.work < work);
        if self.rows.get(index).is_none_or(|row| row.work != work) {
            let sums =
                index.checked_sub(1).and_then(|before| self.rows.get(before)).map(|row| row.sums.clone());
            self.rows.insert(index, Row { work, sums: sums.unwrap_or_default() });
        }
        for row in self.rows.iter_mut().skip(index) {
            if row.sums.len() <= reserve {
                row.sums.resize(reserve.saturating_add(1), PerUnit::ZERO);
            }
            if let Some(sum) = row.sums.get_mut(reserve) {
                *sum = sum.plus(share).expect("the caller asked whether the sum fits");
            }
        }
        if paid > work.next() {
            self.late.push(Late { work, paid, reserve, share });
        }
    }

    /// What a unit bonded in `entered ..= until` got by payments after the boundary into `settled`.
    pub(crate) fn between(&self, reserve: usize, entered: Epoch, until: Epoch, settled: Epoch) -> PerUnit {
        let first = entered.max(settled);
        let mut earned = self.worked(reserve, first, until);
        for late in self.late.iter().filter(|late| late.reserve == reserve && late.paid > settled) {
            if late.is_within(entered, until, first) {
                earned = earned.plus(late.share).expect("a part of a sum that fits");
            }
        }
        earned
    }

    /// The same of the first `reserves` reserves, in one pass over the late payments.
    pub(crate) fn all_between(
        &self,
        reserves: usize,
        entered: Epoch,
        until: Epoch,
        settled: Epoch,
    ) -> Vec<PerUnit> {
        let first = entered.max(settled);
        let mut all: Vec<PerUnit> = (0..reserves).map(|reserve| self.worked(reserve, first, until)).collect();
        for late in self.late.iter().filter(|late| late.paid > settled) {
            if late.is_within(entered, until, first)
                && let Some(earned) = all.get_mut(late.reserve)
            {
                *earned = earned.plus(late.share).expect("a part of a sum that fits");
            }
        }
        all
    }

    /// For all work in `first ..= until`.
    fn worked(&self, reserve: usize, first: Epoch, until: Epoch) -> PerUnit {
        if first > until {
            return PerUnit::ZERO;
        }
        let before = first.number().checked_sub(1).map(|epoch| self.through(reserve, Epoch::new(epoch)));
        self.through(reserve, until).minus(before.unwrap_or(PerUnit::ZERO))
    }

    /// Drops rows and late payments that no position can ask for: `asked` are the last settled works and the last bonded epochs.
    pub(crate) fn forget(&mut self, asked: &[Epoch], now: Epoch) {
        const SPARE: usize = 16;
        let spare = self.kept.saturating_mul(2).saturating_add(SPARE);
        if self.rows.len().saturating_add(self.late.len()) < spare {
            return;
        }
        // Payments for past work may still change the newest rows.
        let settled_before = now.earlier(RECENT_EPOCHS);
        let next: Vec<Epoch> = self.rows.iter().skip(1).map(|row| row.work).collect();
        let mut nexts = next.into_iter();
        self.rows.retain(|row| {
            let next = nexts.next();
            row.work >= settled_before || next.is_none_or(|next| any_within(asked, row.work, next.previous()))
        });
        self.late.retain(|late| any_within(asked, late.work, late.paid.earlier(2)));
        self.kept = self.rows.len().saturating_add(self.late.len());
    }
}

/// More than the longest slash window that a genesis admits, which is how late work may be paid.
const RECENT_EPOCHS: u32 = 130;

/// Whether one of the ascending `asked` lies in `first ..= last`.
fn any_within(asked: &[Epoch], first: Epoch, last: Epoch) -> bool {
    let index = asked.partition_point(|epoch| *epoch < first);
    asked.get(index).is_some_and(|epoch| *epoch <= last)
}
