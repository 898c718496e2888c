//! What does a demo show? Thirty days of a restaking network as data, and how it lives on.
//!
//! Stakers, operators and three services (an oracle, a bridge, a data-availability service) meet on a fresh development ledger. In thirty
//! epochs stake is delegated, shared and withdrawn, rewards flow in two tokens, one operator contradicts itself and is slashed, one
//! accusation is vetoed; two vaults pool stake, one of which is slashed while somebody
//! waits to leave it; and in the end an exit is under way, worse terms and a higher commission are announced. After that [`life()`]
//! goes on for as long as somebody asks.
//!
//! - [`genesis`] and [`steps`]: what the ledger starts with, and who asks for what in which epoch. Everything in it is a function of the
//!   ledger's identity alone.
//! - [`keys`] and [`signers`]: the keys of everybody, from published seeds. They protect nothing.
//! - [`labels()`]: what people call the accounts, assets, operators, services, sets and vaults.
//! - [`life()`]: what somebody asks for next, given a state.
//!
//! # What it does not do
//! It applies nothing and knows no time of day: whoever runs the demo puts the steps into blocks, by plainly named senders or signed with
//! the keys.

pub mod days;
pub mod labels;
pub mod life;
pub mod people;
mod pick;
pub mod world;

pub use days::{PRESENT, Step, steps};
pub use labels::labels;
pub use life::life;
pub use people::{DemoKey, Role, address, keys, signers};
pub use world::genesis;
