//! Validators and their balances, proven against the state of a finalized header: one, or thousands that share their
//! siblings.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::branch::LEAVES_MAX;
use super::hash::{chunk_of, pair, two_chunks};
use super::wire::{decimal, fixed};
use super::{BeaconState, Finalized, GeneralizedIndex, Hash, Limited, ProofError, SharedBranches, epoch_of};

/// Validators in one proof at most: as many leaves again may be their balances.
pub const VALIDATORS_MAX: usize = LEAVES_MAX >> 1;

/// Bytes of a validator in the SSZ of a state.
pub const VALIDATOR_BYTES: usize = 121;

/// The epoch of what never happens.
pub const FAR_FUTURE: u64 = u64::MAX;

/// A validator, as it stands in a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validator {
    /// SHA-256 of the public key and 16 zero bytes: its root. See [`key_root`].
    #[serde(with = "fixed")]
    pub key_root: Hash,
    /// Whom withdrawals go to.
    #[serde(with = "fixed")]
    pub withdrawal_credentials: Hash,
    /// What counts of its balance, in gwei: whole ETH, up to 32 or 2048.
    #[serde(with = "decimal")]
    pub effective_balance: u64,
    /// Whether it was slashed.
    pub slashed: bool,
    /// When it had deposited enough.
    #[serde(with = "decimal")]
    pub activation_eligibility_epoch: u64,
    /// The first epoch in which it is on duty.
    #[serde(with = "decimal")]
    pub activation_epoch: u64,
    /// The first epoch in which it is not any more.
    #[serde(with = "decimal")]
    pub exit_epoch: u64,
    /// The first epoch in which its balance is paid out.
    #[serde(with = "decimal")]
    pub withdrawable_epoch: u64,
}

/// The first bytes of `rest`, which are taken from it.
fn front<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

/// The root of a validator's public key.
pub fn key_root(public_key: &[u8; 48]) -> Hash {
    two_chunks(public_key)
}

/// Whom the withdrawals of a validator go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// To a key of the consensus layer (0x00): nobody on the execution layer.
    Key,
    /// To an address; what is above 32 ETH leaves by itself (0x01).
    Address([u8; 20]),
    /// To an address; the balance grows up to 2048 ETH (0x02).
    Compounding([u8; 20]),
    /// Of a kind that is not known.
    Other {
        /// The first byte.
        prefix: u8,
    },
}

/// Where a validator is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not yet on duty.
    Pending,
    /// On duty, and no exit is set.
    Active,
    /// On duty until its exit.
    Exiting,
    /// Not on duty any more, and still liable.
    Exited,
    /// Its balance is being paid out, or was.
    Withdrawable,
}

impl Validator {
    /// The root of the validator.
    pub fn root(&self) -> Hash {
        let both = |left: u64, right: u64| pair(&chunk_of(left), &chunk_of(right));
        let who = pair(&self.key_root, &self.withdrawal_credentials);
        let what = both(self.effective_balance, u64::from(self.slashed));
        let begin = both(self.activation_eligibility_epoch, self.activation_epoch);
        let end = both(self.exit_epoch, self.withdrawable_epoch);
        pair(&pair(&who, &what), &pair(&begin, &end))
    }

    /// Reads a validator as a state holds it, in SSZ. `None` if the byte that says whether it was slashed is neither 0 nor 1.
    pub fn from_ssz(bytes: &[u8; VALIDATOR_BYTES]) -> Option<Self> {
        let mut rest = bytes.as_slice();
        let key: [u8; 48] = front(&mut rest)?;
        let withdrawal_credentials = front(&mut rest)?;
        let effective_balance = u64::from_le_bytes(front(&mut rest)?);
        let slashed = match front(&mut rest)? {
            [0] => false,
            [1] => true,
            _ => return None,
        };
        let [activation_eligibility_epoch, activation_epoch, exit_epoch, withdrawable_epoch] =
            [front(&mut rest)?, front(&mut rest)?, front(&mut rest)?, front(&mut rest)?]
                .map(u64::from_le_bytes);
        Some(Self {
            key_root: key_root(&key),
            withdrawal_credentials,
            effective_balance,
            slashed,
            activation_eligibility_epoch,
            activation_epoch,
            exit_epoch,
            withdrawable_epoch,
        })
    }

    /// Whom its withdrawals go to. An address is one only if the eleven bytes before it are zero.
    pub fn credentials(&self) -> Credentials {
        let [prefix, zeros @ .., a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] =
            self.withdrawal_credentials;
        let address = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t];
        match (prefix, zeros == [0; 11]) {
            (0, _) => Credentials::Key,
            (1, true) => Credentials::Address(address),
            (2, true) => Credentials::Compounding(address),
            _ => Credentials::Other { prefix },
        }
    }

    /// Where it is in its life in an epoch.
    pub fn phase(&self, epoch: u64) -> Phase {
        if epoch >= self.withdrawable_epoch {
            Phase::Withdrawable
        } else if epoch >= self.exit_epoch {
            Phase::Exited
        } else if epoch < self.activation_epoch {
            Phase::Pending
        } else if self.exit_epoch != FAR_FUTURE {
            Phase::Exiting
        } else {
            Phase::Active
        }
    }
}

/// What is claimed of one validator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidatorClaim {
    /// Its place in the list.
    #[serde(with = "decimal")]
    pub index: u64,
    /// How it stands there.
    pub validator: Validator,
}

/// Four balances that stand in one leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BalanceLeaf(#[serde(with = "fixed")] Hash);

impl BalanceLeaf {
    /// The leaf as it stands in the tree.
    pub const fn new(leaf: Hash) -> Self {
        Self(leaf)
    }

    /// The balance of a validator, in gwei. Of its index only the last two bits count.
    fn balance(&self, index: u64) -> u64 {
        let (balances, _) = self.0.as_chunks::<8>();
        let place = usize::try_from(index & 3).unwrap_or_default();
        balances.get(place).copied().map(u64::from_le_bytes).unwrap_or_default()
    }
}

/// Validators of one state, and their balances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidatorsProof {
    /// The validators, by ascending index.
    pub validators: Limited<ValidatorClaim, VALIDATORS_MAX>,
    /// The leaves with their balances, by ascending place, each once; or none, where balances are not asked for.
    pub balances: Limited<BalanceLeaf, VALIDATORS_MAX>,
    /// The siblings that they share.
    pub siblings: SharedBranches,
}

/// A validator that stands in a state that is final. To hold one is to hold the proof: only
/// [`BeaconState::validators`] makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenValidator {
    slot: u64,
    index: u64,
    validator: Validator,
    balance: Option<u64>,
}

impl ProvenValidator {
    /// Slot of the state. What a later state says counts instead.
    pub fn slot(&self) -> u64 {
        self.slot
    }

    /// The validator's place in the list: no other ever has it.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How it stands there.
    pub fn validator(&self) -> &Validator {
        &self.validator
    }

    /// What it has, in gwei, if that was proven as well.
    pub fn balance(&self) -> Option<u64> {
        self.balance
    }

    /// Where it was in its life in the epoch of the state.
    pub fn phase(&self) -> Phase {
        self.validator.phase(epoch_of(self.slot))
    }
}

impl Finalized {
    /// The validators that stand in the state of this header.
    ///
    /// # Refuses
    /// [`ValidatorsError`], in its order.
    pub fn validators(&self, proof: &ValidatorsProof) -> Result<Vec<ProvenValidator>, ValidatorsError> {
        self.state().validators(proof)
    }
}

impl BeaconState {
    /// The validators that stand in this state.
    ///
    /// # Refuses
    /// [`ValidatorsError`], in its order.
    pub fn validators(&self, proof: &ValidatorsProof) -> Result<Vec<ProvenValidator>, ValidatorsError> {
        let leaves = self.leaves(proof)?;
        proof.siblings.verify(&leaves, self.root()).map_err(ValidatorsError::Proof)?;

        let mut balances = proof.balances.as_slice().iter();
        let (mut leaf, mut place) = (balances.next(), None);
        let proven = |claim: &ValidatorClaim| {
            let chunk = claim.index >> 2;
            if place.replace(chunk).is_some_and(|before| before != chunk) {
                leaf = balances.next();
            }
            ProvenValidator {
                slot: self.slot(),
                index: claim.index,
                validator: claim.validator.clone(),
                balance: leaf.map(|leaf| leaf.balance(claim.index)),
            }
        };
        Ok(proof.validators.as_slice().iter().map(proven).collect())
    }

    /// The leaves of a proof, from left to right: the list of validators stands left of that of balances.
    fn leaves(&self, proof: &ValidatorsProof) -> Result<Vec<(GeneralizedIndex, Hash)>, ValidatorsError> {
        let claims = proof.validators.as_slice();
        let too_large = |index| ValidatorsError::Index { index };
        let mut leaves = Vec::with_capacity(claims.len().saturating_mul(2));
        for claim in claims {
            let at = self.fork().validator(claim.index).ok_or(too_large(claim.index))?;
            leaves.push((at, claim.validator.root()));
        }
        let balances = proof.balances.as_slice();
        if balances.is_empty() {
            return Ok(leaves);
        }
        let mut chunks: Vec<u64> = claims.iter().map(|claim| claim.index >> 2).collect();
        chunks.dedup();
        if chunks.len() != balances.len() {
            return Err(ValidatorsError::Balances { expected: chunks.len(), actual: balances.len() });
        }
        for (chunk, leaf) in chunks.into_iter().zip(balances) {
            let at = self.fork().balances(chunk).ok_or(too_large(chunk))?;
            leaves.push((at, leaf.0));
        }
        Ok(leaves)
    }
}

/// Why validators are not believed. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidatorsError {
    /// No list has room for such an index.
    Index {
        /// The index.
        index: u64,
    },
    /// The leaves with balances are neither none nor those of the validators.
    Balances {
        /// Leaves that hold the balances of the validators.
        expected: usize,
        /// Leaves given.
        actual: usize,
    },
    /// They do not stand in the state like this. Also if they are not in ascending order.
    Proof(ProofError),
}

impl fmt::Display for ValidatorsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index { index } => write!(f, "no list has room for validator {index}"),
            Self::Balances { expected, actual } => {
                write!(
                    f,
                    "{actual} leaves with balances are neither none nor the {expected} of the validators"
                )
            }
            Self::Proof(error) => write!(f, "validators: {error}"),
        }
    }
}

impl std::error::Error for ValidatorsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Proof(error) => Some(error),
            _ => None,
        }
    }
}
