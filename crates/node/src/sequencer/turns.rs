//! Whose turn it is among the ordered operations of a key, or of the keys of an account.

use ledger::Verified;
use protocol::authority::{self, Refused};
use protocol::{Signer, State};

use crate::mempool::Turn;

/// Which numbers are next where this operation has its own.
pub(super) fn turn_of(state: &State, operation: &Verified) -> Turn {
    let authority = operation.authority();
    let mut probe = authority.clone();
    probe.expires = state.time();
    let sender = match &mut probe.signer {
        Signer::Plain => return Turn::Any,
        Signer::Keys(keys) => {
            keys.iter_mut().for_each(|used| used.nonce = 0);
            authority.account
        }
        Signer::Delegate { address, keys } => {
            keys.iter_mut().for_each(|used| used.nonce = 0);
            *address
        }
    };
    // The rules name the next number where the first one is not it; what they say of a grant they say after that.
    let next = match authority::screen(state, probe.expires, &probe, &operation.signed().operation) {
        Err(Refused::WrongNonce { expected, .. }) => expected,
        Ok(())
        | Err(
            Refused::NotADelegate { .. }
            | Refused::GrantExpired { .. }
            | Refused::KindNotGranted { .. }
            | Refused::DestinationNotGranted { .. }
            | Refused::LimitExceeded { .. },
        ) => 0,
        Err(_) => return Turn::Any,
    };
    // Of a stranger a number is used only where the operation succeeds.
    if state.knows(sender) { Turn::From(next) } else { Turn::Only(next) }
}
