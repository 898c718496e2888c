//! The bytes of a state, from front to end.

use std::io::{Chain, Cursor, Read};

use evidence::ethereum::{BeaconHeader, Fork, Hash, ListTree, VALIDATOR_BYTES, Validator, ValidatorClaim};

use super::layout::{BALANCES, EXPECTED_WITHDRAWALS, Field, VALIDATORS};
use super::tree::StateTree;
use super::{StateFault, Wanted, Withdrawal};
use crate::ssz::{self, Shape, SszFault};

/// Bytes of the fields that stand at the same place in every fork.
const FRONT_BYTES: usize = 176;

/// The first fields: what tells the fork.
pub(super) struct Front {
    bytes: [u8; FRONT_BYTES],
    pub(super) genesis_validators_root: Hash,
    pub(super) slot: u64,
    pub(super) version: [u8; 4],
    pub(super) header: BeaconHeader,
}

/// The first bytes of `rest`, which are taken from it.
fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let (taken, left) = rest.split_first_chunk().expect("the front is as long as its fields");
    *rest = left;
    *taken
}

impl Front {
    /// Reads it.
    ///
    /// # Errors
    /// [`StateFault::Front`].
    pub(super) fn read(source: &mut dyn Read) -> Result<Self, StateFault> {
        let mut bytes = [0; FRONT_BYTES];
        source.read_exact(&mut bytes).map_err(|error| StateFault::Front(error.into()))?;
        let mut rest = bytes.as_slice();
        let _time: [u8; 8] = take(&mut rest);
        let genesis_validators_root = take(&mut rest);
        let slot = u64::from_le_bytes(take(&mut rest));
        let _previous: [u8; 4] = take(&mut rest);
        let version = take(&mut rest);
        let _epoch: [u8; 8] = take(&mut rest);
        let header = BeaconHeader {
            slot: u64::from_le_bytes(take(&mut rest)),
            proposer_index: u64::from_le_bytes(take(&mut rest)),
            parent_root: take(&mut rest),
            state_root: take(&mut rest),
            body_root: take(&mut rest),
        };
        Ok(Self { bytes, genesis_validators_root, slot, version, header })
    }
}

/// A source that says now and then how much of it is read.
pub(super) struct Counted<'a> {
    inner: &'a mut dyn Read,
    heard: &'a mut dyn FnMut(u64),
    read: u64,
    told: u64,
}

/// Bytes between two tellings.
const STEP: u64 = 1 << 20;

impl<'a> Counted<'a> {
    pub(super) fn new(inner: &'a mut dyn Read, heard: &'a mut dyn FnMut(u64)) -> Self {
        Self { inner, heard, read: 0, told: 0 }
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.read = self.read.saturating_add(u64::try_from(length).unwrap_or_default());
        if self.read >= self.told.saturating_add(STEP) {
            self.told = self.read;
            (self.heard)(self.read);
        }
        Ok(length)
    }
}

/// What stays of a state.
pub(super) struct Known {
    pub(super) tree: StateTree,
    pub(super) validators: u64,
    pub(super) wanted: Vec<ValidatorClaim>,
    pub(super) withdrawals: Vec<Withdrawal>,
}

/// Reads what follows the front.
///
/// # Errors
/// [`SszFault`], with the name of the field.
pub(super) fn read(
    layout: &[Field],
    fork: Fork,
    front: &Front,
    source: &mut dyn Read,
    length: u64,
    wanted: &Wanted,
) -> Result<Known, SszFault> {
    let shapes: Vec<Shape> = layout.iter().map(|(_, shape)| *shape).collect();
    let mut whole: Chain<Cursor<&[u8]>, &mut dyn Read> = Cursor::new(front.bytes.as_slice()).chain(source);
    let (mut validators, mut balances, mut picked, mut withdrawals) = (None, None, Vec::new(), Vec::new());
    let mut visit = |place: usize, shape: &Shape, source: &mut dyn Read, length: u64| {
        let read = match place {
            VALIDATORS => {
                registry(fork, source, length, wanted, &mut picked).map(|tree| validators.insert(tree).root())
            }
            BALANCES => amounts(fork, source, length).map(|tree| balances.insert(tree).root()),
            EXPECTED_WITHDRAWALS => under_way(shape, source, length, &mut withdrawals),
            _ => ssz::root(shape, source, length),
        };
        let field = layout.get(place).map_or("field", |(name, _)| name);
        read.map_err(|fault| SszFault::Field { field, fault: Box::new(fault) })
    };
    let roots = ssz::fields(&shapes, &mut whole, length, &mut visit)?;
    if whole.read(&mut [0])? > 0 {
        return Err(SszFault::Length { expected: length, actual: length.saturating_add(1) });
    }
    let missing =
        |field| SszFault::Field { field, fault: Box::new(SszFault::Length { expected: 1, actual: 0 }) };
    let (count, validators) = match validators {
        Some(tree) => (tree.len(), tree.tree),
        None => return Err(missing("validators")),
    };
    let balances = balances.ok_or(missing("balances"))?;
    Ok(Known {
        tree: StateTree::new(fork, roots, validators, balances),
        validators: count,
        wanted: picked,
        withdrawals,
    })
}

/// The tree above the validators, and how many they are.
struct Registry {
    tree: ListTree,
    count: u64,
}

impl Registry {
    fn root(&self) -> Hash {
        self.tree.root()
    }

    fn len(&self) -> u64 {
        self.count
    }
}

/// Items for which there is room from the start: whatever a state says, it has so many bytes to come only when they came.
const RESERVED_MAX: u64 = 1 << 22;

fn reserved<T>(count: u64) -> Vec<T> {
    Vec::with_capacity(usize::try_from(count.min(RESERVED_MAX)).unwrap_or_default())
}

fn registry(
    fork: Fork,
    source: &mut dyn Read,
    length: u64,
    wanted: &Wanted,
    picked: &mut Vec<ValidatorClaim>,
) -> Result<Registry, SszFault> {
    let bytes = u64::try_from(VALIDATOR_BYTES).unwrap_or(u64::MAX);
    let count = ssz::count(&Shape::Bytes(bytes), length, u64::MAX)?;
    let mut roots: Vec<Hash> = reserved(count);
    let mut bytes = [0; VALIDATOR_BYTES];
    for index in 0..count {
        source.read_exact(&mut bytes)?;
        let validator = Validator::from_ssz(&bytes).ok_or(SszFault::Validator { index })?;
        roots.push(validator.root());
        if wanted.wants(index, validator.credentials()) {
            picked.push(ValidatorClaim { index, validator });
        }
    }
    Ok(Registry { tree: ListTree::of_validators(fork, roots), count })
}

fn amounts(fork: Fork, source: &mut dyn Read, length: u64) -> Result<ListTree, SszFault> {
    let count = ssz::count(&Shape::Basic(8), length, u64::MAX)?;
    let mut balances: Vec<u64> = reserved(count);
    let mut bytes = [0; 8];
    for _ in 0..count {
        source.read_exact(&mut bytes)?;
        balances.push(u64::from_le_bytes(bytes));
    }
    Ok(ListTree::of_balances(fork, &balances))
}

/// Bytes of a withdrawal, and of a list of them at most: a payload pays sixteen.
const WITHDRAWAL_BYTES: usize = 44;
const WITHDRAWALS_BYTES_MAX: u64 = 1 << 20;

/// The withdrawals under way, which are few.
fn under_way(
    shape: &Shape,
    source: &mut dyn Read,
    length: u64,
    withdrawals: &mut Vec<Withdrawal>,
) -> Result<Hash, SszFault> {
    if length > WITHDRAWALS_BYTES_MAX {
        return Err(SszFault::TooMany { items: length, limit: WITHDRAWALS_BYTES_MAX });
    }
    let mut bytes = Vec::new();
    source.take(length).read_to_end(&mut bytes)?;
    let read = |item: &[u8; WITHDRAWAL_BYTES]| {
        let mut rest = item.as_slice();
        Withdrawal {
            index: u64::from_le_bytes(take(&mut rest)),
            validator_index: u64::from_le_bytes(take(&mut rest)),
            address: take(&mut rest),
            amount: u64::from_le_bytes(take(&mut rest)),
        }
    };
    withdrawals.extend(bytes.as_chunks::<WITHDRAWAL_BYTES>().0.iter().map(read));
    ssz::root(shape, &mut bytes.as_slice(), length)
}
