//! What the receipts of operations say, and the evidence that some need.

use evidence::{Equivocation, SecretKey, Signed, Statement};
use protocol::Event;
use protocol::genesis::Genesis;
use protocol::units::{RequestId, SetId};

/// Two amounts that differ by the rounding of one position at most.
pub(crate) fn assert_near(got: u128, expected: u128) {
    assert!(got.abs_diff(expected) <= 1, "{got} is not {expected}");
}

/// The request that an operation opened.
pub(crate) fn requested(events: &[Event]) -> RequestId {
    let request = events.iter().find_map(|event| match event {
        Event::SlashRequested { request, .. } => Some(*request),
        _ => None,
    });
    request.expect("a receipt of the request")
}

/// What a slash took of stake and bond, all pools together.
pub(crate) fn taken(events: &[Event]) -> u128 {
    let pools = events.iter().find_map(|event| match event {
        Event::Slashed { pools, .. } => Some(pools),
        _ => None,
    });
    let pools = pools.expect("a receipt of the slash");
    pools.iter().fold(0, |sum, pool| sum + pool.stake.units() + pool.bond.units())
}

/// From which epoch on the parts of an allocation count.
pub(crate) fn counts_from(events: &[Event]) -> u32 {
    let from = events.iter().find_map(|event| match event {
        Event::AllocationChanged { from, .. } => Some(from.number()),
        _ => None,
    });
    from.expect("a receipt of the allocation")
}

/// What a key says for a slot, in the domain of a set and an epoch.
pub(crate) fn say(secret: &SecretKey, set: SetId, epoch: u32, slot: u64, content: u8) -> Signed {
    let ledger = Genesis::development().ledger.0;
    let content = [content; 32];
    let statement = Statement { ledger, set: set.number(), epoch, kind: 0, slot, content };
    Signed { content, signature: secret.sign(&statement.signing_bytes()) }
}

/// Evidence that a key said both for a slot.
pub(crate) fn equivocation(
    secret: &SecretKey,
    set: SetId,
    epoch: u32,
    slot: u64,
    said: [u8; 2],
) -> Equivocation {
    Equivocation {
        key: secret.public_key(),
        set: set.number(),
        epoch,
        kind: 0,
        slot,
        first: say(secret, set, epoch, slot, said[0]),
        second: say(secret, set, epoch, slot, said[1]),
    }
}
