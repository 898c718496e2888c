//! The rules of shared security: what an operation does to the state. Pure, synchronous, total.
//!
//! # The model on one page
//! **Stakers** delegate an asset to an **operator**: that stake is one **pool**. A pool has 256 equal parts; a **set** of a service may
//! own some of them from one epoch to another. A **slash** names a set, an operator, a capture epoch and a fraction, and scales what is
//! left of the parts that the set owned in that epoch, of the stake that was bonded in it, and of nothing else (module `pool`). So only
//! stake that was bonded when the offence happened pays for it; slashes commute; and who undelegates is free `U` epochs later, whatever
//! anybody does: a slash can only be executed while all stake that it concerns is still there.
//!
//! **Time** is epochs. Inside an epoch operations record intent; stake, allocations, rewards and stake tables move at the boundary
//! ([`advance_epoch`]).
//!
//! **Reuse** of stake by several sets is bounded per part by their risk weights, and priced by a certificate ([`certificate`]).
//!
//! **Rewards** are computed here, exactly, and claimable the next epoch.
//!
//! # Entry points
//! [`State::new`], [`apply`], [`advance_epoch`], [`invariants::check`], [`view::view`].
//!
//! # What it does not do
//! No I/O, clock, randomness, floats, async or threads; no signatures of senders (they are checked before); nothing about another chain
//! is believed but by the `evidence` crate.
//!
//! # Refusals and bugs
//! An operation applies whole or is refused, and then has changed nothing but the nonces of the keys that signed it. A refusal is data.
//! A broken invariant is a bug and panics with its reason.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::float_arithmetic,
        clippy::indexing_slicing,
        clippy::integer_division,
        clippy::panic,
        clippy::unwrap_used,
        clippy::let_underscore_must_use
    )
)]

// Tests inside and outside of the crate share their worlds.
#[cfg(test)]
extern crate self as protocol;

pub mod authority;
mod boundary;
pub mod certificate;
pub mod codec;
pub mod entries;
pub mod ethereum;
pub mod event;
pub mod genesis;
pub mod invariants;
mod macros;
pub mod operation;
pub mod ops;
mod pool;
pub mod query;
mod quorum;
mod rewards;
pub mod slashing;
mod state;
pub mod terms;
pub mod units;
mod vault;
pub mod view;
mod wide;

pub use authority::{Authority, KeyUse, Signer};
pub use boundary::advance_epoch;
pub use event::Event;
pub use genesis::Genesis;
pub use operation::{Kind, Operation, Refusal};
pub use state::State;
pub use state::records::{AssetKind, FollowUp, Groups, Origin, RateSource, Row, Table, Victim};
pub use state::value::OverCap;

/// Applies one operation. The state is untouched on a refusal, but for the nonces of the keys that signed.
///
/// # Errors
/// The first refusal of the operation's list that holds, after those of [`authority::Refused`].
pub fn apply(state: &mut State, authority: &Authority, operation: &Operation) -> Result<Vec<Event>, Refusal> {
    authority::check(state, authority, operation).map_err(Refusal::Authority)?;
    // A stranger leaves nothing behind unless it succeeds.
    let is_known = authority::is_known(state, authority);
    if is_known {
        authority::count_nonces(state, authority, operation.kind());
    }
    let moved = authority::spending(state, authority, operation);
    let mut events = Vec::new();
    operation.dispatch(state, authority.account, &mut events)?;
    if !is_known {
        authority::count_nonces(state, authority, operation.kind());
    }
    authority::count_spending(state, authority, moved);
    Ok(events)
}

/// What an operation would do if its account, or the delegate, had signed it: as [`apply`] without keys and nonces, for previews on a clone
/// of the state. A delegate must have the grant.
///
/// # Errors
/// As [`apply`]; of [`authority::Refused`] only those about grants.
pub fn rehearse(
    state: &mut State,
    account: units::Address,
    delegate: Option<units::Address>,
    operation: &Operation,
) -> Result<Vec<Event>, Refusal> {
    authority::check_owned(account).map_err(Refusal::Authority)?;
    if let Some(delegate) = delegate {
        authority::check_grant(state, account, delegate, operation).map_err(Refusal::Authority)?;
    }
    let mut events = Vec::new();
    operation.dispatch(state, account, &mut events)?;
    Ok(events)
}
