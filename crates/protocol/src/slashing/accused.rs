//! Whose a statement is that was signed on duty: what every proof of such an offence is held against before it is looked into.

use evidence::PublicKey;

use crate::state::State;
use crate::terms::Offences;
use crate::units::{Epoch, Fraction, OperatorId, SetId};

/// An operator that a key stands for, and what the terms ask for the offence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accused {
    pub(crate) operator: OperatorId,
    pub(crate) fraction: Fraction,
}

/// Why nobody is accused, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotAccused {
    SetNotFound { set: SetId },
    EpochInFuture { epoch: Epoch, now: Epoch },
    TooLate { epoch: Epoch, last: Epoch },
    NotPunished { set: SetId },
    KeyNotRegistered { key: PublicKey, set: SetId },
    NotOnDuty { operator: OperatorId, epoch: Epoch },
}

/// For the refusals of an operation that has each of these reasons under the same name.
macro_rules! refuses_not_accused {
    ($refused:ident) => {
        impl From<$crate::slashing::accused::NotAccused> for $refused {
            fn from(why: $crate::slashing::accused::NotAccused) -> Self {
                use $crate::slashing::accused::NotAccused;
                match why {
                    NotAccused::SetNotFound { set } => Self::SetNotFound { set },
                    NotAccused::EpochInFuture { epoch, now } => Self::EpochInFuture { epoch, now },
                    NotAccused::TooLate { epoch, last } => Self::TooLate { epoch, last },
                    NotAccused::NotPunished { set } => Self::NotPunished { set },
                    NotAccused::KeyNotRegistered { key, set } => Self::KeyNotRegistered { key, set },
                    NotAccused::NotOnDuty { operator, epoch } => Self::NotOnDuty { operator, epoch },
                }
            }
        }
    };
}

pub(crate) use refuses_not_accused;

/// Who used `key` in a set in an epoch, if that can still be reported and `asked` finds a fraction in the terms of that epoch.
pub(crate) fn accused(
    state: &State,
    set: SetId,
    capture: Epoch,
    key: &PublicKey,
    asked: impl FnOnce(&Offences) -> Option<Fraction>,
) -> Result<Accused, NotAccused> {
    let record = state.set(set).ok_or(NotAccused::SetNotFound { set })?;
    let now = state.epoch;
    if capture > now {
        return Err(NotAccused::EpochInFuture { epoch: capture, now });
    }
    let last = capture.later(state.parameters.at(capture).slash_window);
    if now > last {
        return Err(NotAccused::TooLate { epoch: capture, last });
    }
    let fraction = asked(&record.terms_in(capture).offences).ok_or(NotAccused::NotPunished { set })?;
    let unregistered = || NotAccused::KeyNotRegistered { key: key.clone(), set };
    let (owner_set, operator) = state.key_owner(key).ok_or_else(unregistered)?;
    let member = record.members.get(&operator).filter(|member| member.had_key(key, capture));
    if owner_set != set || member.is_none() {
        return Err(unregistered());
    }
    if !record.was_on_duty(operator, capture) {
        return Err(NotAccused::NotOnDuty { operator, epoch: capture });
    }
    Ok(Accused { operator, fraction })
}
