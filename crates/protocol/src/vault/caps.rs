//! The caps of a vault, and what some of them are at an age.

use crate::macros::record;
use crate::units::{Amount, Fraction};
use crate::wide;

record! {
    /// Caps on what a vault holds, as shares of its net asset value; a share of one is no cap. They refuse what would exceed them and
    /// never stop an exit.
    pub struct VaultCaps {
        /// With one operator.
        #[serde(rename = "per_operator")]
        pub operator: Fraction,
        /// With operators of one owner, as the bands name owners.
        #[serde(rename = "per_owner")]
        pub owner: Fraction,
        /// Slashable by the sets of one service.
        #[serde(rename = "per_service")]
        pub service: Fraction,
        /// Slashable by the sets that one account may slash for.
        #[serde(rename = "per_slasher")]
        pub slasher: Fraction,
        /// With operators that declared the same client, cloud, custody or code; those that declared none are one group.
        #[serde(rename = "per_group")]
        pub group: Fraction,
        /// Lost by the worst single event: everything that one service, one slasher, or the operators of one group or owner can lose.
        pub event: Fraction,
        /// Lost by the worst two events at once.
        pub two_events: Fraction,
        /// How many times its bond an operator's pool may be when the vault adds to it: at first or after a slash, and in the end; it
        /// grows between them over `ramp`. Zero for no such cap.
        pub bond_multiples: [u16; 2],
        /// Epochs over which an operator or a service that is new to the vault grows from a hundredth to its cap: none, or at least four
        /// exit times.
        pub ramp: u32,
        /// Epochs after a slash in which nothing is added to the operator and to those that share something with it.
        pub freeze: u32,
        /// How much more than the profit it declared a set must cost to attack, for anything to be added to what it can slash.
        pub gamma: Fraction,
        /// Which share must be there within how many epochs.
        pub ladder: Vec<Rung>,
        /// The largest share that takes longer than some epochs to come back.
        pub slow: Rung,
        /// The largest share that is asked back in one epoch though no cap, band, term or exit demands it.
        pub turnover: Fraction,
        /// By how much of the net asset value something must exceed its cap before stake is asked back because of drift alone.
        pub slack: Fraction,
    }
}

record! {
    /// A share of the net asset value and a number of epochs.
    #[derive(Copy)]
    pub struct Rung {
        /// Epochs.
        pub epochs: u32,
        /// The share.
        pub share: Fraction,
    }
}

impl VaultCaps {
    /// No caps at all.
    pub const fn off() -> Self {
        let one = Fraction::ONE;
        Self {
            operator: one,
            owner: one,
            service: one,
            slasher: one,
            group: one,
            event: one,
            two_events: one,
            bond_multiples: [0, 0],
            ramp: 0,
            freeze: 0,
            gamma: Fraction::ZERO,
            ladder: Vec::new(),
            slow: Rung { epochs: 0, share: one },
            turnover: one,
            slack: Fraction::ZERO,
        }
    }

    /// Whether no cap of it could ever be exceeded.
    pub(crate) fn bounds_nothing(&self) -> bool {
        let Self { operator, owner, service, slasher, group, event, two_events, .. } = self;
        [operator, owner, service, slasher, group, event, two_events]
            .into_iter()
            .all(|share| *share == Fraction::ONE)
    }

    /// What `docs/explanation/curation.md` starts from.
    pub fn usual() -> Self {
        let percent = Fraction::from_percent;
        Self {
            operator: percent(15),
            owner: percent(20),
            service: percent(20),
            slasher: percent(25),
            group: percent(30),
            event: percent(5),
            two_events: percent(10),
            bond_multiples: [10, 40],
            ramp: 60,
            freeze: 14,
            gamma: percent(25),
            ladder: vec![Rung { epochs: 0, share: percent(1) }, Rung { epochs: 1, share: percent(5) }],
            slow: Rung { epochs: 14, share: Fraction::ONE },
            turnover: percent(5),
            slack: percent(1),
        }
    }
}

/// How much of `idle` may be tied up: for each rung, what comes back in time must stay at least its share; and what is slow, at most its own.
pub(crate) fn ladder_room(
    caps: &VaultCaps,
    (nav, idle, staked): (Amount, Amount, Amount),
    returning: &[(u32, Amount)],
    exit_time: u32,
) -> Amount {
    let mut room = idle;
    for rung in caps.ladder.iter().filter(|rung| rung.epochs < exit_time) {
        let back = returning.iter().filter(|(epochs, _)| *epochs <= rung.epochs).map(|(_, amount)| *amount);
        let there = Amount::total(std::iter::once(idle).chain(back)).unwrap_or(idle);
        room = room.min(rung.share.of_up(nav).room_below(there));
    }
    if caps.slow.share < Fraction::ONE && caps.slow.epochs < exit_time {
        room = room.min(staked.room_below(caps.slow.share.of_down(nav)));
    }
    room
}

/// The share that something new may have so many epochs after it came: from a hundredth to its cap, evenly.
pub(crate) fn ramped(cap: Fraction, age: u32, ramp: u32) -> Fraction {
    let first = Fraction::from_percent(1).min(cap);
    if age >= ramp {
        return cap;
    }
    let rest = u128::from(cap.above(first).steps());
    let grown = wide::checked_mul_div_down(rest, u128::from(age), u128::from(ramp)).unwrap_or(rest);
    let grown = u64::try_from(grown).ok().and_then(Fraction::from_steps).unwrap_or(Fraction::ZERO);
    first.plus_up_to_one(grown)
}

/// How many times its bond: as [`ramped`], between two multiples.
pub(crate) fn multiple([first, last]: [u16; 2], age: u32, ramp: u32) -> u16 {
    if age >= ramp || last <= first {
        return last;
    }
    let rest = u32::from(last.saturating_sub(first));
    let grown = rest.saturating_mul(age).checked_div(ramp).unwrap_or(rest);
    first.saturating_add(u16::try_from(grown).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_grows_from_a_hundredth() {
        let cap = Fraction::from_percent(15);
        let of = |age| ramped(cap, age, 60).to_string();
        assert_eq!([of(0), of(15), of(30), of(60), of(1000)], ["0.01", "0.045", "0.08", "0.15", "0.15"]);
        assert_eq!(ramped(Fraction::from_steps(7).unwrap(), 0, 60).steps(), 7, "never above the cap");
        assert_eq!(ramped(cap, 0, 0), cap);
        let k = |age| multiple([10, 40], age, 60);
        assert_eq!([k(0), k(30), k(60), k(61)], [10, 25, 40, 40]);
        assert_eq!(multiple([40, 10], 0, 60), 10, "a fall is no ramp");
    }

    #[test]
    fn each_rung_keeps_its_share_there() {
        let percent = Fraction::from_percent;
        let ladder = vec![Rung { epochs: 0, share: percent(2) }, Rung { epochs: 7, share: percent(20) }];
        let caps = VaultCaps { ladder, ..VaultCaps::off() };
        let room = |idle, returning: &[(u32, Amount)]| {
            ladder_room(
                &caps,
                (Amount::new(1000), Amount::new(idle), Amount::new(1000 - idle)),
                returning,
                15,
            )
            .units()
        };
        assert_eq!(room(300, &[]), 100, "a fifth must be there within a week");
        assert_eq!(room(300, &[(7, Amount::new(150))]), 250);
        assert_eq!(room(300, &[(7, Amount::new(500))]), 280, "and a fiftieth at once");
        assert_eq!(room(300, &[(8, Amount::new(500))]), 100, "what comes later does not count");
        assert_eq!(room(150, &[]), 0);
        let slow = VaultCaps { slow: Rung { epochs: 14, share: percent(70) }, ..VaultCaps::off() };
        let nav = (Amount::new(1000), Amount::new(400), Amount::new(600));
        assert_eq!(ladder_room(&slow, nav, &[], 15).units(), 100);
        assert_eq!(ladder_room(&slow, nav, &[], 14).units(), 400, "no longer than that");
    }
}
