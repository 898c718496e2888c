//! What a vault's council lets its curator do: bands, caps and a mandate; and what of it was announced.

use serde::{Deserialize, Serialize};

use super::super::State;
use crate::macros::record;
use crate::terms::Mandate;
use crate::units::{Amount, Epoch, Fraction, OperatorId, ServiceId, SetId, VaultId};
use crate::vault::caps::{Rung, VaultCaps};

record! {
    /// Within what a vault is curated.
    pub struct Policy {
        /// What the pools that it delegates to may promise at most: a vault leaves a pool whose mandate goes beyond it, an announced one
        /// before it holds.
        pub mandate: Mandate,
        /// Caps.
        pub caps: VaultCaps,
        /// Operators, each with a band. To whom it names nobody nothing is delegated, and whatever is there is asked back.
        pub bands: Vec<Band>,
        /// Services with a band of their own; all others have the caps alone.
        pub services: Vec<ServiceBand>,
        /// The least that is delegated at once.
        pub move_min: Amount,
    }
}

record! {
    /// How much of the net asset value may be with an operator.
    #[derive(Copy)]
    pub struct Band {
        /// The operator.
        pub operator: OperatorId,
        /// Operators of one owner have the same number.
        #[serde(default)]
        pub owner: Option<u16>,
        /// Exits don't go below it while others have more than theirs.
        pub min: Fraction,
        /// What deposits fill up to.
        pub target: Fraction,
        /// What is beyond it is asked back.
        pub max: Fraction,
    }
}

record! {
    /// How much of the net asset value the sets of a service may slash.
    #[derive(Copy)]
    pub struct ServiceBand {
        /// The service.
        pub service: ServiceId,
        /// Exits don't go below it while others have more than theirs.
        pub min: Fraction,
        /// What deposits fill up to.
        pub target: Fraction,
        /// What is beyond it is asked back.
        pub max: Fraction,
    }
}

/// Bands, and service bands, of one vault.
pub(crate) const BANDS_MAX: usize = 64;
/// Rungs of a ladder.
const RUNGS_MAX: usize = 8;

/// What a vault's curation remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Curation {
    /// In force. `None` until the council has set one: then nothing is delegated.
    pub(crate) policy: Option<Policy>,
    /// What waits, and from when it holds.
    pub(crate) pending: Option<(Epoch, Policy)>,
    /// By operator of a band: since when it has one, and when it was slashed last.
    pub(crate) operators: Vec<(OperatorId, Epoch, Epoch)>,
    /// Services that can slash something of it, and since when they can.
    pub(crate) services: Vec<(ServiceId, Epoch)>,
    /// Sets whose terms have become worse since the council last looked.
    pub(crate) worsened: Vec<SetId>,
    /// Through which epoch terms were looked at.
    pub(crate) looked: Epoch,
    /// What was asked back in an epoch though nothing demanded it.
    pub(crate) turned: (Epoch, Amount),
}

impl Default for Curation {
    fn default() -> Self {
        Self {
            policy: None,
            pending: None,
            operators: Vec::new(),
            services: Vec::new(),
            worsened: Vec::new(),
            looked: Epoch::ZERO,
            turned: (Epoch::ZERO, Amount::ZERO),
        }
    }
}

impl Curation {
    /// Since when an operator has had a band, and when it was slashed last.
    pub(crate) fn since(&self, operator: OperatorId) -> (Epoch, Epoch) {
        let found = self.operators.iter().find(|(id, _, _)| *id == operator);
        found.map_or((Epoch::NEVER, Epoch::ZERO), |(_, since, struck)| (*since, *struck))
    }

    /// From now on a policy holds. Operators that are new to it have a band since `since`.
    pub(crate) fn start(&mut self, policy: Policy, since: Epoch) {
        let of = |band: &Band| {
            let known = self.operators.iter().find(|(id, _, _)| *id == band.operator);
            known.copied().unwrap_or((band.operator, since, Epoch::ZERO))
        };
        self.operators = policy.bands.iter().map(of).collect();
        self.policy = Some(policy);
    }

    /// What an epoch leaves of a bound on what is asked back.
    pub(crate) fn turnover_left(&self, now: Epoch, nav: Amount) -> Amount {
        let Some(policy) = &self.policy else { return Amount::ZERO };
        let used = if self.turned.0 == now { self.turned.1 } else { Amount::ZERO };
        used.room_below(policy.caps.turnover.of_down(nav))
    }

    /// Counts what was asked back though nothing demanded it.
    pub(crate) fn turn(&mut self, now: Epoch, amount: Amount) {
        if self.turned.0 != now {
            self.turned = (now, Amount::ZERO);
        }
        self.turned.1 = self.turned.1.plus(amount).unwrap_or(amount);
    }
}

fn is_ordered([min, target, max]: [Fraction; 3]) -> bool {
    min <= target && target <= max
}

impl Policy {
    /// The band of an operator.
    pub(crate) fn band(&self, operator: OperatorId) -> Option<&Band> {
        self.bands.iter().find(|band| band.operator == operator)
    }

    fn service(&self, service: ServiceId) -> Option<&ServiceBand> {
        self.services.iter().find(|band| band.service == service)
    }

    /// Checks it alone; the text names the first rule that does not hold. `exit_time` is how long stake takes to come back.
    pub(crate) fn check(&self, exit_time: u32) -> Result<(), String> {
        for (what, count, most) in [
            ("bands", self.bands.len(), BANDS_MAX),
            ("service bands", self.services.len(), BANDS_MAX),
            ("rungs", self.caps.ladder.len(), RUNGS_MAX),
        ] {
            if count > most {
                return Err(format!("{count} {what} exceed {most}"));
            }
        }
        let (mut targets, mut least) = (0_u64, 0_u64);
        for (index, band) in self.bands.iter().enumerate() {
            let Band { operator, min, target, max, .. } = *band;
            if !is_ordered([min, target, max]) {
                return Err(format!("operator {operator}: {min}, {target}, {max} do not rise"));
            }
            if self.bands.iter().take(index).any(|other| other.operator == operator) {
                return Err(format!("operator {operator} has two bands"));
            }
            targets = targets.saturating_add(target.steps());
            least = least.saturating_add(min.steps());
        }
        for (index, band) in self.services.iter().enumerate() {
            let ServiceBand { service, min, target, max } = *band;
            if !is_ordered([min, target, max]) {
                return Err(format!("service {service}: {min}, {target}, {max} do not rise"));
            }
            if self.services.iter().take(index).any(|other| other.service == service) {
                return Err(format!("service {service} has two bands"));
            }
        }
        if targets > Fraction::STEPS {
            return Err("the targets of all operators are more than the whole".to_owned());
        }
        let least_ramp = exit_time.saturating_mul(4);
        if self.caps.ramp != 0 && self.caps.ramp < least_ramp {
            return Err(format!(
                "a ramp of {} epochs is less than four exit times, {least_ramp}",
                self.caps.ramp
            ));
        }
        Ok(())
    }

    /// The tighter of two in everything: what holds at once when `new` is announced.
    pub(crate) fn tighter(&self, new: &Self) -> Self {
        let band = |band: &Band| {
            let other = new.band(band.operator);
            let zero = Band { min: Fraction::ZERO, target: Fraction::ZERO, max: Fraction::ZERO, ..*band };
            other.map_or(zero, |other| Band {
                operator: band.operator,
                owner: other.owner.or(band.owner),
                min: band.min.min(other.min),
                target: band.target.min(other.target),
                max: band.max.min(other.max),
            })
        };
        let service = |band: &ServiceBand| {
            new.service(band.service).map_or(*band, |other| ServiceBand {
                service: band.service,
                min: band.min.min(other.min),
                target: band.target.min(other.target),
                max: band.max.min(other.max),
            })
        };
        let mut services: Vec<ServiceBand> = self.services.iter().map(service).collect();
        services.extend(new.services.iter().filter(|band| self.service(band.service).is_none()));
        services.truncate(BANDS_MAX);
        Self {
            mandate: narrower(&self.mandate, &new.mandate),
            caps: tighter_caps(&self.caps, &new.caps),
            bands: self.bands.iter().map(band).collect(),
            services,
            move_min: self.move_min.max(new.move_min),
        }
    }

    /// Cuts an operator's band: for whoever can only lower risk.
    pub(crate) fn cut(&mut self, operator: OperatorId, most: Fraction) {
        for band in self.bands.iter_mut().filter(|band| band.operator == operator) {
            band.max = band.max.min(most);
            band.target = band.target.min(most);
            band.min = band.min.min(most);
        }
    }
}

fn narrower(one: &Mandate, other: &Mandate) -> Mandate {
    Mandate {
        worst_case: one.worst_case.min(other.worst_case),
        elsewhere: one.elsewhere.min(other.elsewhere),
        own_verifiers: one.own_verifiers.min(other.own_verifiers),
        uncertified: one.uncertified && other.uncertified,
        commission: one.commission.min(other.commission),
    }
}

fn tighter_caps(one: &VaultCaps, other: &VaultCaps) -> VaultCaps {
    let multiple =
        |one: u16, other: u16| if one == 0 || other == 0 { one.max(other) } else { one.min(other) };
    let [first, last] = one.bond_multiples;
    let [other_first, other_last] = other.bond_multiples;
    let mut ladder = one.ladder.clone();
    ladder.extend(other.ladder.iter().filter(|rung| !one.ladder.contains(rung)));
    ladder.truncate(RUNGS_MAX);
    let share = |get: fn(&VaultCaps) -> Fraction| get(one).min(get(other));
    VaultCaps {
        operator: share(|caps| caps.operator),
        owner: share(|caps| caps.owner),
        service: share(|caps| caps.service),
        slasher: share(|caps| caps.slasher),
        group: share(|caps| caps.group),
        event: share(|caps| caps.event),
        two_events: share(|caps| caps.two_events),
        bond_multiples: [multiple(first, other_first), multiple(last, other_last)],
        ramp: one.ramp.max(other.ramp),
        freeze: one.freeze.max(other.freeze),
        gamma: one.gamma.max(other.gamma),
        ladder,
        slow: Rung {
            epochs: one.slow.epochs.min(other.slow.epochs),
            share: one.slow.share.min(other.slow.share),
        },
        turnover: share(|caps| caps.turnover),
        slack: share(|caps| caps.slack),
    }
}

impl State {
    /// Lowers the upper end of an operator's band at once, announced or not.
    pub(crate) fn cut_bands(&mut self, id: VaultId, operator: OperatorId, most: Fraction) {
        let curation = &mut self.vault_mut(id).curation;
        if let Some(policy) = &mut curation.policy {
            policy.cut(operator, most);
        }
        if let Some((_, policy)) = &mut curation.pending {
            policy.cut(operator, most);
        }
    }

    /// A policy that was announced holds from its epoch on. Whether one has begun.
    pub(crate) fn start_policy(&mut self, id: VaultId) -> bool {
        let now = self.epoch;
        let curation = &mut self.vault_mut(id).curation;
        let Some((_, policy)) = curation.pending.take_if(|(from, _)| *from <= now) else { return false };
        curation.start(policy, now);
        curation.worsened.clear();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(number: u8) -> Fraction {
        Fraction::from_percent(number)
    }

    fn band(operator: u32, [min, target, max]: [u8; 3]) -> Band {
        let operator = OperatorId::new(operator);
        Band { operator, owner: None, min: percent(min), target: percent(target), max: percent(max) }
    }

    fn policy(bands: Vec<Band>) -> Policy {
        let mandate = Mandate {
            worst_case: percent(50),
            elsewhere: Fraction::ZERO,
            own_verifiers: Fraction::ZERO,
            uncertified: true,
            commission: percent(10),
        };
        Policy { mandate, caps: VaultCaps::usual(), bands, services: Vec::new(), move_min: Amount::ZERO }
    }

    #[test]
    fn what_lowers_risk_holds_at_once_and_nothing_else_does() {
        let old = policy(vec![band(0, [10, 20, 30]), band(1, [0, 10, 20])]);
        let mut new = policy(vec![band(0, [5, 25, 28]), band(2, [0, 10, 20])]);
        new.caps.operator = percent(10);
        new.caps.group = percent(90);
        new.mandate.uncertified = false;
        new.mandate.worst_case = percent(60);
        let now = old.tighter(&new);
        assert_eq!(now.bands, [band(0, [5, 20, 28]), band(1, [0, 0, 0])], "the third has to wait");
        assert_eq!((now.caps.operator, now.caps.group), (percent(10), percent(30)));
        assert_eq!((now.mandate.uncertified, now.mandate.worst_case), (false, percent(50)));
        assert_eq!(old.tighter(&old), old);
        assert_eq!(now.tighter(&new), now, "once is enough");
    }

    #[test]
    fn bands_that_make_no_sense_are_refused() {
        let check = |policy: &Policy| policy.check(15).unwrap_err();
        assert!(check(&policy(vec![band(0, [10, 5, 30])])).contains("do not rise"));
        assert!(check(&policy(vec![band(0, [0, 1, 2]), band(0, [0, 1, 2])])).contains("two bands"));
        assert!(
            check(&policy(vec![band(0, [0, 60, 90]), band(1, [0, 41, 90])])).contains("more than the whole")
        );
        let mut short = policy(Vec::new());
        short.caps.ramp = 59;
        assert!(check(&short).contains("less than four exit times, 60"));
        assert_eq!(policy(vec![band(0, [0, 60, 90]), band(1, [0, 40, 90])]).check(15), Ok(()));
        let many = (0..65).map(|operator| band(operator, [0, 1, 2])).collect();
        assert!(check(&policy(many)).contains("65 bands exceed 64"));
    }
}
