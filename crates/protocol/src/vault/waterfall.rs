//! Who pays for a loss, after the operator's bond: what was kept back from those who left while it was pending, the fund, the junior
//! tranche, and what is left over the pool.

use crate::units::Amount;

/// How a loss is shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recognised {
    /// What the positions have lost.
    pub(crate) loss: Amount,
    /// Paid by what was withheld from exits.
    pub(crate) withheld: Amount,
    /// Withheld from exits, and more than this loss: it joins the drip.
    pub(crate) surplus: Amount,
    /// Paid by the fund.
    pub(crate) fund: Amount,
    /// Paid by the junior tranche.
    pub(crate) junior: Amount,
    /// Borne by all shares alike.
    pub(crate) pool: Amount,
}

impl Recognised {
    /// What flows into the vault's idle assets.
    pub(crate) fn inflow(&self) -> Amount {
        let mut inflow = self.withheld;
        for more in [self.surplus, self.fund, self.junior] {
            inflow.grow(more);
        }
        inflow
    }
}

/// Shares a loss: `withheld` is what the slashes really cost of what was kept back from exits.
pub(crate) fn recognise(loss: Amount, withheld: Amount, fund: Amount, junior: Amount) -> Recognised {
    let by_withheld = withheld.min(loss);
    let rest = by_withheld.room_below(loss);
    let by_fund = fund.min(rest);
    let rest = by_fund.room_below(rest);
    let by_junior = junior.min(rest);
    Recognised {
        loss,
        withheld: by_withheld,
        surplus: by_withheld.room_below(withheld),
        fund: by_fund,
        junior: by_junior,
        pool: by_junior.room_below(rest),
    }
}

/// What is left of a share after every loss so far, in `1 / 2^120`: holdbacks compare two of them.
pub(crate) const WHOLE: u128 = 1 << 120;

/// What is left after one more loss of `pool` out of `nav`. Rounded up: a holdback pays no more than was lost.
pub(crate) fn left_after(left: u128, pool: Amount, nav: Amount) -> u128 {
    if pool.is_zero() {
        return left;
    }
    if nav.is_zero() {
        return 0;
    }
    let kept = pool.room_below(nav);
    crate::wide::mul_div_up(left, kept.units(), nav.units())
}

/// What an amount lost between two readings of what is left. Rounded down, at most all of it.
pub(crate) fn lost_between(amount: Amount, before: u128, now: u128) -> Amount {
    if now >= before {
        return Amount::ZERO;
    }
    let kept = crate::wide::mul_div_up(amount.units(), now, before);
    Amount::new(kept).room_below(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pays_before_the_next() {
        let of = |loss, withheld, fund, junior| {
            let amount = Amount::new;
            let r = recognise(amount(loss), amount(withheld), amount(fund), amount(junior));
            assert_eq!(
                r.inflow(),
                amount(r.withheld.units() + r.surplus.units() + r.fund.units() + r.junior.units())
            );
            [r.withheld, r.surplus, r.fund, r.junior, r.pool].map(Amount::units)
        };
        assert_eq!(of(0, 0, 10, 10), [0, 0, 0, 0, 0]);
        assert_eq!(of(100, 0, 10, 20), [0, 0, 10, 20, 70]);
        assert_eq!(of(100, 30, 100, 20), [30, 0, 70, 0, 0]);
        assert_eq!(of(100, 95, 3, 20), [95, 0, 3, 2, 0]);
        assert_eq!(of(20, 30, 100, 20), [20, 10, 0, 0, 0]);
    }

    #[test]
    fn two_losses_of_a_tenth_leave_81_percent() {
        let once = left_after(WHOLE, Amount::new(100), Amount::new(1000));
        let twice = left_after(once, Amount::new(90), Amount::new(900));
        assert_eq!(lost_between(Amount::new(1000), WHOLE, twice), Amount::new(189), "190 less what rounds");
        assert_eq!(lost_between(Amount::new(1000), once, twice), Amount::new(99));
        assert_eq!(lost_between(Amount::new(1000), twice, twice), Amount::ZERO);
        assert_eq!(left_after(twice, Amount::new(5), Amount::new(5)), 0);
        assert_eq!(lost_between(Amount::new(7), once, 0), Amount::new(7));
    }
}
