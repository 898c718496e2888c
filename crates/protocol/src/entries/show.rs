//! An entry's bytes as named fields, for people.

use serde::Serialize;
use serde::de::DeserializeOwned;

use evidence::ethereum::{Candidate, SyncCommittee};

use super::fields::Field;
use super::{AccountEntry, Key, Network, PositionEntry};
use crate::certificate::Exposure;
use crate::codec::from_bytes;
use crate::genesis::Genesis;
use crate::state::accounts::Account;
use crate::state::ethereum::{HeaderEntry, Pod, Record};
use crate::state::keys::Registered;
use crate::state::records::{
    Asset, Operator, PoolRecord, Request, Service, Set, Slash, Stream, Table, Validator,
};
use crate::state::value::Values;
use crate::state::vaults::baskets::{Basket, DoorRequest};
use crate::state::vaults::records::{
    Contingent, DepositTicket, ExitTicket, Holdback, Holding, JuniorExit, Outcome, ShareRecord, Vault,
    Verdict,
};
use crate::state::vaults::routes::{Arrival, Route};
use crate::vault::queue::{Batch, Cohort};

/// What the bytes of an entry say, with the names of its fields: as a store keeps it, so accounts are numbers within.
///
/// # Errors
/// That the bytes are not those of such an entry.
pub fn show(key: &Key, bytes: &[u8]) -> Result<Field, String> {
    match key {
        Key::Genesis => as_a::<Genesis>(bytes),
        Key::Network => as_a::<Network>(bytes),
        Key::Values => as_a::<Values>(bytes),
        Key::Exposure => as_a::<Exposure>(bytes),
        Key::Asset(_) => as_a::<Asset>(bytes),
        Key::Account(_) => as_a::<AccountEntry<Account>>(bytes),
        Key::Position { .. } => as_a::<PositionEntry>(bytes),
        Key::Operator(_) => as_a::<Operator>(bytes),
        Key::Pool(_) => as_a::<PoolRecord>(bytes),
        Key::Validator(_) => as_a::<Validator>(bytes),
        Key::Service(_) => as_a::<Service>(bytes),
        Key::Set(_) => as_a::<Set>(bytes),
        Key::Table(..) => as_a::<Table>(bytes),
        Key::Request(_) => as_a::<Request>(bytes),
        Key::Slash(_) => as_a::<Slash>(bytes),
        Key::Stream(_) => as_a::<Stream>(bytes),
        Key::KeyOwner(_) => as_a::<Registered>(bytes),
        Key::Chain => as_a::<Record>(bytes),
        Key::Committee(_) => as_a::<SyncCommittee>(bytes),
        Key::Candidate => as_a::<Candidate>(bytes),
        Key::Header(_) => as_a::<HeaderEntry>(bytes),
        Key::Pod(_) => as_a::<Pod>(bytes),
        of_vaults => show_of_vaults(of_vaults, bytes),
    }
}

fn show_of_vaults(key: &Key, bytes: &[u8]) -> Result<Field, String> {
    match key {
        Key::Vault(_) => as_a::<Vault>(bytes),
        Key::Basket(_) => as_a::<Basket>(bytes),
        Key::Share(_) => as_a::<ShareRecord>(bytes),
        Key::Holding { .. } => as_a::<Holding>(bytes),
        Key::VaultDeposit(..) => as_a::<DepositTicket>(bytes),
        Key::VaultExit(..) => as_a::<ExitTicket>(bytes),
        Key::VaultHoldback(..) => as_a::<Holdback>(bytes),
        Key::VaultJunior(..) => as_a::<JuniorExit>(bytes),
        Key::BasketRequest(..) => as_a::<DoorRequest>(bytes),
        Key::VaultCohort(..) => as_a::<Cohort>(bytes),
        Key::VaultBatch(..) => as_a::<Batch>(bytes),
        Key::VaultGap(..) | Key::VaultLoss(..) => as_a::<u128>(bytes),
        Key::VaultContingent(..) => as_a::<Contingent>(bytes),
        Key::VaultOutcome(..) => as_a::<Outcome>(bytes),
        Key::Verdict(_) => as_a::<Verdict>(bytes),
        Key::Route(_) => as_a::<Route>(bytes),
        Key::Arrival(..) => as_a::<Arrival>(bytes),
        _ => Err(format!("nobody reads the entry {key}")),
    }
}

fn as_a<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<Field, String> {
    Field::of(&from_bytes::<T>(bytes)?)
}
