//! A state of the consensus layer: read once, from its SSZ bytes, into what proofs are made of.
//!
//! The bytes pass by and are not kept. What stays is the root of each field, and of the two long lists that proofs lead into the tree above
//! them: 64 bytes for a validator, 24 for its balance, which is half of what the bytes of the state take.
//!
//! Nothing here is believed by anybody. A wrong byte gives another root, which no header has.

mod layout;
mod reading;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeSet;
use std::io::Read;

use evidence::ethereum::{
    BalanceLeaf, BeaconHeader, Branch, Credentials, Fork, GeneralizedIndex, Hash, Limited, ProofError,
    Schedule, SharedBranches, UnknownFork, VALIDATORS_MAX, ValidatorClaim, ValidatorsProof,
};
use serde::Serialize;

use self::reading::Front;
use self::tree::StateTree;
use crate::ssz::SszFault;

/// Which validators of a state are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Their places in the list.
    pub indices: BTreeSet<u64>,
    /// All whose withdrawals go to one of these addresses.
    pub addresses: BTreeSet<[u8; 20]>,
}

impl Wanted {
    fn wants(&self, index: u64, credentials: Credentials) -> bool {
        let is_listed = || match credentials {
            Credentials::Address(address) | Credentials::Compounding(address) => {
                self.addresses.contains(&address)
            }
            Credentials::Key | Credentials::Other { .. } => false,
        };
        self.indices.contains(&index) || is_listed()
    }
}

/// A state that was read.
pub struct State {
    fork: Fork,
    slot: u64,
    genesis_validators_root: Hash,
    header: BeaconHeader,
    tree: StateTree,
    validators: u64,
    wanted: Vec<ValidatorClaim>,
    withdrawals: Vec<Withdrawal>,
}

/// Validators of a state with everything that it takes to verify them.
#[derive(Clone, Debug, Serialize)]
pub struct ProvenState {
    /// Slot of the state.
    pub slot: u64,
    /// The fork under whose rules it is laid out.
    pub fork: Fork,
    /// Root of the state.
    #[serde(serialize_with = "crate::text::bytes")]
    pub state_root: Hash,
    /// Root of the newest block in it: of this a light client has to know that it is final.
    #[serde(serialize_with = "crate::text::bytes")]
    pub block_root: Hash,
    /// The header of that block.
    pub header: BeaconHeader,
    /// The validators, and the way from each to the root of the state.
    pub validators: ValidatorsProof,
    /// The withdrawals that the state holds under way; only from Gloas on there are any.
    pub under_way: Option<UnderWay>,
    /// What each has, in gwei, in the order of the validators.
    #[serde(skip)]
    pub balances: Vec<u64>,
}

/// All withdrawals that a state has deducted, and a later payload will pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnderWay {
    /// The withdrawals, in their order.
    pub withdrawals: Vec<Withdrawal>,
    /// Siblings of their list up to the root of the state.
    pub branch: Branch,
}

/// A withdrawal under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Withdrawal {
    /// Its number among all.
    #[serde(serialize_with = "crate::text::decimal")]
    pub index: u64,
    /// The validator that pays.
    #[serde(serialize_with = "crate::text::decimal")]
    pub validator_index: u64,
    /// Who is paid.
    #[serde(serialize_with = "crate::text::bytes")]
    pub address: [u8; 20],
    /// How much, in gwei.
    #[serde(serialize_with = "crate::text::decimal")]
    pub amount: u64,
}

/// Why a state is of no use.
#[derive(Debug, thiserror::Error)]
pub enum StateFault {
    /// The bytes are no state of its fork.
    #[error("state of {fork}: {fault}")]
    Ssz {
        /// The fork.
        fork: Fork,
        /// What is wrong.
        fault: SszFault,
    },
    /// Not even the first fields can be read.
    #[error("state: {0}")]
    Front(SszFault),
    /// Nothing is known about the fork of its slot.
    #[error("{0}")]
    Fork(UnknownFork),
    /// It says that it is of another fork than the schedule says of its slot.
    #[error("state of slot {slot} is under fork version 0x{}, but the schedule has 0x{} there", hex::encode(.actual), hex::encode(.expected))]
    Version {
        /// Slot of the state.
        slot: u64,
        /// The version that the schedule has.
        expected: [u8; 4],
        /// The version in the state.
        actual: [u8; 4],
    },
    /// It is the state of another chain.
    #[error("state is of the chain 0x{}, not of 0x{}", hex::encode(.actual), hex::encode(.expected))]
    Chain {
        /// Root of the first validators of the chain.
        expected: Hash,
        /// The one in the state.
        actual: Hash,
    },
    /// It is not that of the newest block in it, so its root stands in no header.
    #[error(
        "state of slot {slot} is later than its newest block, of slot {block}: take the state of a block"
    )]
    NoBlock {
        /// Slot of the state.
        slot: u64,
        /// Slot of the block.
        block: u64,
    },
    /// There are no such validators.
    #[error("state has {validators} validators, so there is none {index}")]
    Index {
        /// The index asked for.
        index: u64,
        /// How many there are.
        validators: u64,
    },
    /// No validator has what was asked for.
    #[error("no validator of the state pays out to 0x{}", hex::encode(.address))]
    Address {
        /// The address asked for.
        address: [u8; 20],
    },
    /// Nothing was asked for.
    #[error("no validators are asked for")]
    Nothing,
    /// More than one proof may have.
    #[error("{validators} validators are more than the {VALIDATORS_MAX} of one proof")]
    TooMany {
        /// How many.
        validators: usize,
    },
    /// The siblings can't be gathered.
    #[error("validators: {0}")]
    Proof(ProofError),
}

impl State {
    /// Reads a state of `length` bytes. `schedule` says under which fork it is laid out; `heard` is told how many bytes
    /// have passed by, now and then.
    ///
    /// # Errors
    /// [`StateFault`]: what is wrong with the bytes; an index that is past the end of the list; an address that nobody
    /// pays out to.
    pub fn read(
        source: &mut dyn Read,
        length: u64,
        schedule: &Schedule,
        wanted: &Wanted,
        heard: &mut dyn FnMut(u64),
    ) -> Result<Self, StateFault> {
        let mut source = reading::Counted::new(source, heard);
        let front = Front::read(&mut source)?;
        let (fork, version) =
            schedule.at_epoch(evidence::ethereum::epoch_of(front.slot)).map_err(StateFault::Fork)?;
        if front.version != version {
            return Err(StateFault::Version { slot: front.slot, expected: version, actual: front.version });
        }
        let read = reading::read(&layout::fields(fork), fork, &front, &mut source, length, wanted);
        let read = read.map_err(|fault| StateFault::Ssz { fork, fault })?;
        let state = Self {
            fork,
            slot: front.slot,
            genesis_validators_root: front.genesis_validators_root,
            header: front.header,
            tree: read.tree,
            validators: read.validators,
            wanted: read.wanted,
            withdrawals: read.withdrawals,
        };
        state.check_wanted(wanted)?;
        state.completed()
    }

    fn check_wanted(&self, wanted: &Wanted) -> Result<(), StateFault> {
        let validators = self.validators;
        if let Some(index) = wanted.indices.iter().copied().find(|index| *index >= validators) {
            return Err(StateFault::Index { index, validators });
        }
        let owner = |claim: &ValidatorClaim| match claim.validator.credentials() {
            Credentials::Address(address) | Credentials::Compounding(address) => Some(address),
            Credentials::Key | Credentials::Other { .. } => None,
        };
        let owners: BTreeSet<[u8; 20]> = self.wanted.iter().filter_map(owner).collect();
        match wanted.addresses.iter().copied().find(|address| !owners.contains(address)) {
            Some(address) => Err(StateFault::Address { address }),
            None => Ok(()),
        }
    }

    /// The header of the newest block lacks the root of the state after it, which is this one.
    fn completed(mut self) -> Result<Self, StateFault> {
        if self.header.state_root != [0; 32] || self.header.slot != self.slot {
            return Err(StateFault::NoBlock { slot: self.slot, block: self.header.slot });
        }
        self.header.state_root = self.root();
        Ok(self)
    }

    /// The fork under whose rules it is laid out.
    pub fn fork(&self) -> Fork {
        self.fork
    }

    /// Its slot.
    pub fn slot(&self) -> u64 {
        self.slot
    }

    /// What distinguishes the chain from every other.
    pub fn genesis_validators_root(&self) -> &Hash {
        &self.genesis_validators_root
    }

    /// The root of the state.
    pub fn root(&self) -> Hash {
        self.tree.node(GeneralizedIndex::ROOT).unwrap_or_default()
    }

    /// The header of the block after which the state is.
    pub fn header(&self) -> &BeaconHeader {
        &self.header
    }

    /// How many validators it has.
    pub fn validators(&self) -> u64 {
        self.validators
    }

    /// Proves the validators that were wanted, with their balances.
    ///
    /// # Errors
    /// [`StateFault::Nothing`], [`StateFault::TooMany`], [`StateFault::Proof`]
    pub fn prove(&self) -> Result<ProvenState, StateFault> {
        if self.wanted.is_empty() {
            return Err(StateFault::Nothing);
        }
        let too_many = StateFault::TooMany { validators: self.wanted.len() };
        let claims = Limited::new(self.wanted.clone()).ok_or(too_many)?;
        let mut leaves = Vec::with_capacity(self.wanted.len().saturating_mul(2));
        for claim in &self.wanted {
            let index = StateFault::Index { index: claim.index, validators: self.validators };
            leaves.push((self.fork.validator(claim.index).ok_or(index)?, claim.validator.root()));
        }
        let mut chunks: Vec<u64> = self.wanted.iter().map(|claim| claim.index >> 2).collect();
        chunks.dedup();
        let mut balances = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            let at = self.fork.balances(chunk);
            let leaf = at.and_then(|at| Some((at, self.tree.node(at)?)));
            let index = StateFault::Index { index: chunk, validators: self.validators };
            let (at, leaf) = leaf.ok_or(index)?;
            leaves.push((at, leaf));
            balances.push(BalanceLeaf::new(leaf));
        }
        let siblings =
            SharedBranches::gather(&leaves, |node| self.tree.node(node)).map_err(StateFault::Proof)?;
        let state_root = self.root();
        // What does not verify is not handed out.
        siblings.verify(&leaves, &state_root).map_err(StateFault::Proof)?;
        let too_many = StateFault::TooMany { validators: self.wanted.len() };
        let validators = ValidatorsProof {
            validators: claims,
            balances: Limited::new(balances).ok_or(too_many)?,
            siblings,
        };
        Ok(ProvenState {
            slot: self.slot,
            fork: self.fork,
            state_root,
            block_root: self.header.root(),
            header: self.header.clone(),
            validators,
            under_way: self.under_way()?,
            balances: self.balances(),
        })
    }

    /// What the wanted validators have.
    fn balances(&self) -> Vec<u64> {
        let balance = |claim: &ValidatorClaim| -> Option<u64> {
            let leaf = self.tree.node(self.fork.balances(claim.index >> 2)?)?;
            let place = usize::try_from(claim.index & 3).ok()?;
            leaf.as_chunks::<8>().0.get(place).copied().map(u64::from_le_bytes)
        };
        self.wanted.iter().map(|claim| balance(claim).unwrap_or_default()).collect()
    }

    /// The withdrawals under way, in forks whose states have such a list.
    fn under_way(&self) -> Result<Option<UnderWay>, StateFault> {
        let Some((at, root)) = self.tree.withdrawals() else { return Ok(None) };
        let (mut siblings, mut node) = (Vec::new(), at);
        while let (Some(beside), Some(above)) = (node.sibling(), node.parent()) {
            siblings.extend(self.tree.node(beside));
            node = above;
        }
        let branch = Branch::new(siblings).unwrap_or_default();
        branch.verify(&root, at, &self.root()).map_err(StateFault::Proof)?;
        Ok(Some(UnderWay { withdrawals: self.withdrawals.clone(), branch }))
    }
}
