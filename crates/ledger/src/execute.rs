//! Executes a block on the state: the boundaries up to its time, then its operations. Deterministic, and no block can make it fail.

use std::sync::Arc;

use protocol::entries::Key;
use protocol::units::Digest;
use protocol::{State, advance_epoch, apply};

use crate::block::Verified;
use crate::cursor::narrow;
use crate::genesis::Genesis;
use crate::header::Header;
use crate::receipt::{Executed, Outcome, Receipt};

/// Executes the operations of a block whose header was checked.
pub(crate) fn execute(
    state: &mut State,
    genesis: &Genesis,
    header: Header,
    digest: Digest,
    operations: &[Verified],
) -> Arc<Executed> {
    state.begin_block(header.time_ms);
    let target = genesis.epoch_at(header.time_ms);
    let mut boundary = Vec::new();
    while u64::from(state.epoch().number()) < target {
        boundary.extend(advance_epoch(state));
    }
    let height = header.height;
    let receipt = |(index, operation): (usize, &Verified)| {
        let signed = operation.signed();
        let outcome = match apply(state, operation.authority(), &signed.operation) {
            Ok(events) => Outcome::Applied { events },
            Err(refusal) => Outcome::Refused { code: refusal.code(), text: refusal.to_string() },
        };
        let kind = signed.operation.kind();
        Receipt { height, index: narrow(index), id: operation.id(), kind, account: signed.account, outcome }
    };
    let receipts = operations.iter().enumerate().map(receipt).collect();
    Arc::new(Executed { header, digest, boundary, receipts })
}

/// The keys of the entries that a block may have changed.
pub(crate) fn touched(state: &mut State, height: u64) -> Vec<Key> {
    let touched = state.take_touched();
    // Nobody has touched what was there from the start.
    if height == 0 { state.keys() } else { touched }
}
