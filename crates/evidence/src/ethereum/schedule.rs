//! From when on which fork rules: a part of the ledger's configuration, since nobody can prove a fork beforehand.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::fork::{Fork, epoch_of};
use super::wire::{decimal, fixed};

/// A fork in a schedule. Its layout need not be known: then everything from its epoch on is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduledFork {
    /// Its name in lower case, at most 32 letters and digits.
    pub name: String,
    /// The first epoch under its rules.
    #[serde(with = "decimal")]
    pub epoch: u64,
    /// What its signatures bind.
    #[serde(with = "fixed")]
    pub version: [u8; 4],
}

/// From when on which fork rules.
///
/// Invariant: 1 to 32 forks in ascending order; of several in one epoch the last counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Schedule {
    forks: Vec<ScheduledFork>,
    /// The first epoch about which nothing is known, as text: everything from there on is refused. `None`: the last
    /// fork of the list rules for good, until the configuration is changed.
    #[serde(with = "until")]
    until: Option<u64>,
}

/// Forks in one schedule at most.
const FORKS_MAX: usize = 32;
/// Letters of a fork's name at most.
const NAME_MAX: usize = 32;

/// Serde of an epoch that may be missing.
mod until {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Epoch(#[serde(with = "decimal")] u64);

    pub(super) fn serialize<S: serde::Serializer>(epoch: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
        epoch.map(Epoch).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        Ok(Option::<Epoch>::deserialize(from)?.map(|epoch| epoch.0))
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Parts {
            forks: super::wire::Limited<ScheduledFork, FORKS_MAX>,
            #[serde(with = "until")]
            until: Option<u64>,
        }
        let parts = Parts::deserialize(deserializer)?;
        Self::new(parts.forks.into_inner(), parts.until).map_err(serde::de::Error::custom)
    }
}

impl Schedule {
    /// The schedule of these forks, known up to the epoch before `until`.
    ///
    /// # Refuses
    /// [`ScheduleError`], in its order.
    pub fn new(forks: Vec<ScheduledFork>, until: Option<u64>) -> Result<Self, ScheduleError> {
        if forks.is_empty() || forks.len() > FORKS_MAX {
            return Err(ScheduleError::Forks { forks: forks.len(), limit: FORKS_MAX });
        }
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_name = |name: &str| (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(is_letter);
        if let Some(place) = forks.iter().position(|fork| !is_name(&fork.name)) {
            return Err(ScheduleError::Name { place });
        }
        for (earlier, later) in forks.iter().zip(forks.iter().skip(1)) {
            if earlier.epoch > later.epoch {
                return Err(ScheduleError::Order {
                    name: later.name.clone(),
                    epoch: later.epoch,
                    before: earlier.epoch,
                });
            }
        }
        Ok(Self { forks, until })
    }

    /// Ethereum mainnet up to Fulu, which rules from epoch 411,392 on. `until` is the first epoch about which nothing is
    /// known.
    ///
    /// # Panics
    /// Never: the list is in order.
    pub fn mainnet(until: Option<u64>) -> Self {
        let forks = [
            ("capella", 194_048, [3, 0, 0, 0]),
            ("deneb", 269_568, [4, 0, 0, 0]),
            ("electra", 364_032, [5, 0, 0, 0]),
            ("fulu", 411_392, [6, 0, 0, 0]),
        ];
        let forks = forks.map(|(name, epoch, version)| ScheduledFork { name: name.into(), epoch, version });
        Self::new(forks.into(), until).expect("the list is in order")
    }

    /// The forks, ascending.
    pub fn forks(&self) -> &[ScheduledFork] {
        &self.forks
    }

    /// The first epoch about which nothing is known.
    pub fn until(&self) -> Option<u64> {
        self.until
    }

    /// The fork that rules in an epoch, and its version.
    ///
    /// # Refuses
    /// [`UnknownFork`], in its order.
    pub fn at_epoch(&self, epoch: u64) -> Result<(Fork, [u8; 4]), UnknownFork> {
        if let Some(until) = self.until.filter(|until| epoch >= *until) {
            return Err(UnknownFork::PastSchedule { epoch, until });
        }
        let first = self.forks.first().map_or(u64::MAX, |fork| fork.epoch);
        let scheduled = self.forks.iter().rev().find(|fork| fork.epoch <= epoch);
        let scheduled = scheduled.ok_or(UnknownFork::BeforeSchedule { epoch, first })?;
        let fork = Fork::ALL.into_iter().find(|fork| fork.name() == scheduled.name);
        let name = || UnknownFork::Name { epoch, name: scheduled.name.clone() };
        Ok((fork.ok_or_else(name)?, scheduled.version))
    }

    /// The fork that rules at a slot.
    ///
    /// # Refuses
    /// As [`Schedule::at_epoch`].
    pub fn at_slot(&self, slot: u64) -> Result<Fork, UnknownFork> {
        Ok(self.at_epoch(epoch_of(slot))?.0)
    }

    /// The version that a signature of `slot` binds: that of the slot before, which the spec chose so that the first
    /// signatures after a fork are those of its last block.
    ///
    /// # Refuses
    /// As [`Schedule::at_epoch`].
    pub fn signature_version(&self, slot: u64) -> Result<[u8; 4], UnknownFork> {
        Ok(self.at_epoch(epoch_of(slot.saturating_sub(1)))?.1)
    }
}

/// Why a list of forks is no schedule. In the order in which it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleError {
    /// There are none, or too many.
    Forks {
        /// How many there are.
        forks: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A name is not made of 1 to 32 lower-case letters and digits.
    Name {
        /// The fork's place in the list, from 0.
        place: usize,
    },
    /// A fork is earlier than the one before it.
    Order {
        /// Its name.
        name: String,
        /// Its epoch.
        epoch: u64,
        /// The epoch of the one before.
        before: u64,
    },
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forks { forks, limit } => write!(f, "schedule has {forks} forks instead of 1 to {limit}"),
            Self::Name { place } => {
                write!(f, "name of fork {place} is not of 1 to {NAME_MAX} lower-case letters and digits")
            }
            Self::Order { name, epoch, before } => {
                write!(f, "fork {name} at epoch {epoch} stands after one at epoch {before}")
            }
        }
    }
}

impl std::error::Error for ScheduleError {}

/// Why nothing is known about an epoch. In the order in which it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownFork {
    /// The schedule ends before.
    PastSchedule {
        /// The epoch asked for.
        epoch: u64,
        /// The first epoch about which nothing is known.
        until: u64,
    },
    /// The schedule begins later.
    BeforeSchedule {
        /// The epoch asked for.
        epoch: u64,
        /// The epoch of the first fork.
        first: u64,
    },
    /// The fork is scheduled, but its layout is not known.
    Name {
        /// The epoch asked for.
        epoch: u64,
        /// The fork.
        name: String,
    },
}

impl fmt::Display for UnknownFork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PastSchedule { epoch, until } => {
                write!(f, "epoch {epoch} is not below {until}, up to which the schedule of forks is known")
            }
            Self::BeforeSchedule { epoch, first } => {
                write!(f, "epoch {epoch} is before {first}, at which the schedule of forks begins")
            }
            Self::Name { epoch, name } => {
                write!(f, "epoch {epoch} is under fork {name}, whose layout is not known")
            }
        }
    }
}

impl std::error::Error for UnknownFork {}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(names: &[(&str, u64)], until: Option<u64>) -> Result<Schedule, ScheduleError> {
        let forks = names.iter().map(|(name, epoch)| ScheduledFork {
            name: (*name).into(),
            epoch: *epoch,
            version: [u8::try_from(epoch % 256).unwrap(); 4],
        });
        Schedule::new(forks.collect(), until)
    }

    #[test]
    fn a_schedule_gives_the_fork_or_says_why_not() {
        let schedule =
            schedule(&[("capella", 10), ("deneb", 20), ("electra", 20), ("heze", 30)], Some(40)).unwrap();
        let cases = [
            (9, Err(UnknownFork::BeforeSchedule { epoch: 9, first: 10 })),
            (10, Ok((Fork::Capella, [10; 4]))),
            (19, Ok((Fork::Capella, [10; 4]))),
            (20, Ok((Fork::Electra, [20; 4]))),
            (29, Ok((Fork::Electra, [20; 4]))),
            (30, Err(UnknownFork::Name { epoch: 30, name: "heze".into() })),
            (40, Err(UnknownFork::PastSchedule { epoch: 40, until: 40 })),
        ];
        for (epoch, expected) in cases {
            assert_eq!(schedule.at_epoch(epoch), expected, "{epoch}");
        }
        assert_eq!(schedule.signature_version(20 * 32), Ok([10; 4]), "signed over the slot before");
        assert_eq!(schedule.signature_version(20 * 32 + 1), Ok([20; 4]));
        assert_eq!(
            schedule.at_epoch(30).unwrap_err().to_string(),
            "epoch 30 is under fork heze, whose layout is not known"
        );
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        let cases = [
            (schedule(&[], None), ScheduleError::Forks { forks: 0, limit: 32 }),
            (schedule(&[("a", 0); 33], None), ScheduleError::Forks { forks: 33, limit: 32 }),
            (schedule(&[("a", 0), ("", 0)], None), ScheduleError::Name { place: 1 }),
            (schedule(&[("Fulu", 0)], None), ScheduleError::Name { place: 0 }),
            (
                schedule(&[("a", 2), ("b", 1)], None),
                ScheduleError::Order { name: "b".into(), epoch: 1, before: 2 },
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, Err(expected));
        }
    }

    #[test]
    fn the_text_of_a_schedule_is_frozen() {
        let text = r#"{"forks":[{"name":"fulu","epoch":"411392","version":"0x06000000"}],"until":"500000"}"#;
        let schedule: Schedule = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&schedule).unwrap(), text);
        let open = text.replace("\"500000\"", "null");
        assert_eq!(serde_json::from_str::<Schedule>(&open).unwrap().until(), None);
        for bad in [("\"411392\"", "411392"), ("411392", "0411392"), ("fulu", "Fulu"), ("until", "till")] {
            assert!(serde_json::from_str::<Schedule>(&text.replace(bad.0, bad.1)).is_err(), "{bad:?}");
        }
    }
}
