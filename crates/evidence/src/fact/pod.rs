//! What is behind a withdrawal address of Ethereum, all at one slot.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Verified;
use crate::encoding::to_hex;
use crate::ethereum::serde_form::fixed;
use crate::ethereum::{
    Answer, BeaconState, Credentials, Execution, Hash, Phase, ProofError, ProvenValidator, Question,
    StateError, StateNodes, UnderWay, ValidatorsError, ValidatorsProof, Word, keccak256,
};

/// Gwei of an ETH.
const ETHER: u64 = 1_000_000_000;
/// The least effective balance of a validator that is stake: 32 ETH, in gwei.
const ACTIVATION_MIN: u64 = 32 * ETHER;
/// How far below its effective balance a validator on duty can be, in gwei: the specification lowers the effective balance at the end
/// of an epoch once the balance is a quarter of an ETH below it; within one epoch less than another quarter can be lost by whom nobody
/// slashed.
const HYSTERESIS: u64 = 500_000_000;

/// Whose pods are whose: the contracts that a factory makes for accounts (CREATE2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PodFactory {
    /// The factory.
    #[serde(with = "fixed")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^0x[0-9a-f]{40}$")))]
    pub factory: [u8; 20],
    /// Keccak-256 of the code that makes a pod.
    #[serde(with = "fixed")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^0x[0-9a-f]{64}$")))]
    pub code_hash: Hash,
    /// The slot at which a pod counts what it has paid out, in wei.
    #[serde(with = "fixed")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^0x[0-9a-f]{64}$")))]
    pub paid: Hash,
}

impl PodFactory {
    /// The pod of an account: the last 20 bytes of `keccak256(0xff, factory, account with 12 zeros in front, code hash)` (EIP-1014).
    pub fn pod(&self, account: &[u8; 20]) -> [u8; 20] {
        let mut bytes = vec![0xff];
        bytes.extend(self.factory);
        bytes.extend([0; 12]);
        bytes.extend(account);
        bytes.extend(self.code_hash);
        let hash = keccak256(&bytes);
        hash.last_chunk().copied().unwrap_or_default()
    }
}

/// What is claimed of a pod. All of it is of the same slot.
#[derive(Clone, Copy, Debug)]
pub struct PodClaim<'a> {
    /// The withdrawal address.
    pub address: &'a [u8; 20],
    /// Where its contract counts what it has paid out. `None` if it does not.
    pub paid: Option<&'a Hash>,
    /// Its validators; with balances, or without.
    pub validators: &'a ValidatorsProof,
    /// Its account, in the state after the execution block that the header names.
    pub account: Option<(&'a Execution, &'a StateNodes)>,
    /// What the state holds under way, from Gloas on.
    pub under_way: Option<&'a UnderWay>,
}

/// What is behind a withdrawal address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodWorth {
    /// Slot of the state.
    pub slot: u64,
    /// Gwei of validators, account and what is under way, and what the contract has paid out.
    pub gwei: u128,
    /// Whether everything was shown. Otherwise it has at least that.
    pub is_complete: bool,
    /// Validators shown, ascending, without those that are paid out to the end.
    pub validators: Vec<Shown>,
    /// Those that are.
    pub gone: Vec<Shown>,
}

/// A validator of a pod, as a state shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Its place in the list.
    pub index: u64,
    /// What of it counts, in gwei.
    pub gwei: u64,
    /// Whether Ethereum has slashed it.
    pub is_slashed: bool,
    /// Whether its balance is being paid out, or was. Nothing but a payment or a consolidation takes from one that nobody slashed.
    pub is_withdrawable: bool,
}

/// Verifies what is behind a withdrawal address, counting what was not shown as nothing.
///
/// A validator that is pending with less than 32 ETH effective counts as zero: whoever made that deposit may not have been the owner of
/// the address. Where no balances are shown, a validator that is on duty, not leaving, not slashed and pays out what is above 32 ETH by
/// itself counts as its effective balance less half an ETH, which it has at least; any other as zero.
///
/// # Refuses
/// [`PodRefused`], in its order.
pub fn verify_pod(state: &BeaconState, claim: &PodClaim<'_>) -> Result<Verified<PodWorth>, PodRefused> {
    let validators = claim.validators.validators.as_slice();
    let proven = match validators.is_empty() {
        true => Vec::new(),
        false => state.validators(claim.validators).map_err(PodRefused::Validators)?,
    };
    let mut worth =
        PodWorth { slot: state.slot(), gwei: 0, is_complete: true, validators: Vec::new(), gone: Vec::new() };
    for validator in &proven {
        check_owner(validator, claim.address)?;
        let (gwei, is_exact) = worth_of(validator);
        worth.gwei = worth.gwei.saturating_add(u128::from(gwei));
        worth.is_complete &= is_exact;
        let is_withdrawable = validator.phase() == Phase::Withdrawable;
        let is_gone = is_withdrawable && validator.balance() == Some(0);
        let list = if is_gone { &mut worth.gone } else { &mut worth.validators };
        let (index, is_slashed) = (validator.index(), validator.validator().slashed);
        list.push(Shown { index, gwei, is_slashed, is_withdrawable });
    }
    match claim.account {
        Some((block, nodes)) => {
            let slots = claim.paid.into_iter().copied().collect();
            let question = Question { address: *claim.address, slots };
            let answers = block.state(&[question], nodes).map_err(PodRefused::Account)?;
            worth.gwei = worth.gwei.saturating_add(answers.first().map_or(Ok(0), held)?);
        }
        None => worth.is_complete = false,
    }
    match claim.under_way {
        Some(list) => {
            let gwei = state.under_way(claim.address, list).map_err(PodRefused::UnderWay)?;
            worth.gwei = worth.gwei.saturating_add(gwei);
        }
        None => worth.is_complete &= !state.has_withdrawals_under_way(),
    }
    Ok(Verified(worth))
}

/// What an account has and has paid out, in gwei.
fn held(answer: &Answer) -> Result<u128, PodRefused> {
    let balance = answer.account.map(|account| account.balance).unwrap_or_default();
    let (high, low) = balance.split_at(16);
    let wei = <[u8; 16]>::try_from(low).map(u128::from_be_bytes).unwrap_or_default();
    if high != [0; 16] {
        return Err(PodRefused::TooMuch);
    }
    let paid = answer.values.first().map_or(Some(0), Word::number).ok_or(PodRefused::TooMuch)?;
    let wei = wei.checked_add(paid).ok_or(PodRefused::TooMuch)?;
    Ok(wei.checked_div(u128::from(ETHER)).unwrap_or_default())
}

fn check_owner(validator: &ProvenValidator, address: &[u8; 20]) -> Result<(), PodRefused> {
    let index = validator.index();
    match validator.validator().credentials() {
        Credentials::Address(owner) | Credentials::Compounding(owner) if owner == *address => Ok(()),
        Credentials::Address(owner) | Credentials::Compounding(owner) => {
            Err(PodRefused::Owner { index, owner, address: *address })
        }
        Credentials::Key => Err(PodRefused::Credentials { index, prefix: 0 }),
        Credentials::Other { prefix } => Err(PodRefused::Credentials { index, prefix }),
    }
}

/// What a validator counts, in gwei, and whether that is all it has.
fn worth_of(proven: &ProvenValidator) -> (u64, bool) {
    let validator = proven.validator();
    let phase = proven.phase();
    if phase == Phase::Pending && validator.effective_balance < ACTIVATION_MIN {
        return (0, true);
    }
    let is_steady = phase == Phase::Active
        && !validator.slashed
        && matches!(validator.credentials(), Credentials::Address(_));
    match proven.balance() {
        Some(balance) => (balance, true),
        None if is_steady => (validator.effective_balance.saturating_sub(HYSTERESIS), false),
        None => (0, false),
    }
}

/// A validator of a pod that Ethereum has slashed. To hold one verified is to hold the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlashedValidator {
    /// Slot of the state that says so.
    pub slot: u64,
    /// The validator.
    pub index: u64,
}

/// Verifies that one validator behind an address was slashed.
///
/// # Refuses
/// [`PodRefused`]: the proof, the owner, and [`PodRefused::NotSlashed`].
pub fn verify_slashed(
    state: &BeaconState,
    address: &[u8; 20],
    proof: &ValidatorsProof,
) -> Result<Verified<SlashedValidator>, PodRefused> {
    let proven = state.validators(proof).map_err(PodRefused::Validators)?;
    for validator in &proven {
        check_owner(validator, address)?;
    }
    let slashed = proven.iter().find(|proven| proven.validator().slashed).ok_or(PodRefused::NotSlashed)?;
    Ok(Verified(SlashedValidator { slot: slashed.slot(), index: slashed.index() }))
}

/// Why a pod is not believed. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodRefused {
    /// The validators do not stand in the state like this.
    Validators(ValidatorsError),
    /// A validator pays somebody else.
    Owner {
        /// The validator.
        index: u64,
        /// Whom it pays.
        owner: [u8; 20],
        /// The pod.
        address: [u8; 20],
    },
    /// A validator pays nobody on the execution layer, or has credentials of a kind that is not known.
    Credentials {
        /// The validator.
        index: u64,
        /// The first byte of its credentials.
        prefix: u8,
    },
    /// The state does not say what the account has.
    Account(StateError),
    /// More than there is ether.
    TooMuch,
    /// The withdrawals are not those that the state holds under way.
    UnderWay(ProofError),
    /// No validator of the proof was slashed.
    NotSlashed,
}

impl fmt::Display for PodRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Validators(error) => error.fmt(f),
            Self::Owner { index, owner, address } => {
                write!(f, "validator {index} pays {} and not the pod {}", to_hex(owner), to_hex(address))
            }
            Self::Credentials { index, prefix } => {
                write!(
                    f,
                    "validator {index} has withdrawal credentials 0x{prefix:02x}; 0x01 and 0x02 name an address"
                )
            }
            Self::Account(error) => write!(f, "account of the pod: {error}"),
            Self::TooMuch => write!(f, "account of the pod has more than 2^128 wei"),
            Self::UnderWay(error) => write!(f, "withdrawals under way: {error}"),
            Self::NotSlashed => write!(f, "no validator of the proof was slashed"),
        }
    }
}

impl std::error::Error for PodRefused {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first example of EIP-1014 with a salt of zeros has another code; this is its sixth: factory `0x00..00`, salt zero,
    /// empty code.
    #[test]
    fn pods_stand_where_create2_puts_them() {
        let code_hash = keccak256(&[]);
        let factory = PodFactory { factory: [0; 20], code_hash, paid: [0; 32] };
        assert_eq!(hex::encode(factory.pod(&[0; 20])), "e33c0c7f7df4809055c3eba6c09cfe4baf1bd9e0");
        assert_ne!(factory.pod(&[1; 20]), factory.pod(&[0; 20]));
    }
}
