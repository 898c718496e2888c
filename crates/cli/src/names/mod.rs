//! Names wherever an address or a number is expected.
//!
//! A name comes from the address book of the configuration, from the keystore, or from the labels of the ledger, and an earlier one of
//! these stands over a later one: nobody else can give a name that is yours another meaning. A thing that has a number is also written
//! with its kind in front: `op/3`, `svc/0`, `set/2`.

mod amount;
mod book;

use protocol::units::Address;

pub(crate) use amount::{Quantity, decimal};
pub(crate) use book::Book;

/// Whether a line of the address book can be used.
///
/// # Errors
/// Says why not.
pub(crate) fn check_entry(name: &str, address: &str) -> Result<(), String> {
    crate::replay::check_name(name)?;
    address.parse::<Address>().map(drop).map_err(|why| format!("{name} can't be {address:?}: {why}"))
}
