//! Accounts and their storage, proven against the state root of an execution block.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::rlp::{self, Item, RlpError};
use super::trie::{EMPTY_ROOT, Nodes, TrieError};
use super::wire::fixed;
use super::{Bytes, Execution, Hash, Limited, keccak256};

/// Accounts in one proof at most.
pub const ACCOUNTS_MAX: usize = 64;
/// Slots of one account in one proof at most.
pub const SLOTS_MAX: usize = 4096;
/// Nodes in one proof at most.
pub const NODES_MAX: usize = 1 << 14;
/// Bytes of a node at most. The largest, a branch of sixteen hashes, has 532.
pub const NODE_BYTES_MAX: usize = 1024;

/// Nodes of tries, each once, in the order in which the keys need them.
pub type StateNodes = Limited<Bytes<NODE_BYTES_MAX>, NODES_MAX>;

/// What is asked of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The account.
    pub address: [u8; 20],
    /// Slots of its storage, in any order.
    pub slots: Vec<Hash>,
}

/// What a state says of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The account. `None`: there is none with that address.
    pub account: Option<Account>,
    /// What stands in the slots that were asked for, in their order. A slot where nothing was written holds zero.
    pub values: Vec<Word>,
}

/// 32 bytes of a contract's storage. To hold one is to hold the proof: only [`Execution::state`] makes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(Hash);

impl Word {
    /// The bytes.
    pub fn get(&self) -> &Hash {
        &self.0
    }

    /// The bytes as a number, big-endian. `None` past 128 bits.
    pub fn number(&self) -> Option<u128> {
        let (high, low) = self.0.split_first_chunk::<16>()?;
        let low = <[u8; 16]>::try_from(low).ok()?;
        (*high == [0; 16]).then_some(u128::from_be_bytes(low))
    }
}

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Transactions that it sent, or contracts that it made.
    pub nonce: u64,
    /// Wei that it holds, big-endian.
    #[serde(with = "fixed")]
    pub balance: Hash,
    /// Root of its storage.
    #[serde(with = "fixed")]
    pub storage_root: Hash,
    /// Keccak-256 of its code.
    #[serde(with = "fixed")]
    pub code_hash: Hash,
}

impl Account {
    fn read(bytes: &[u8]) -> Result<Self, RlpError> {
        let mut fields = rlp::only(bytes)?.list()?;
        let account = Self {
            nonce: fields.next()?.u64()?,
            balance: fields.next()?.number()?,
            storage_root: fields.next()?.fixed()?,
            code_hash: fields.next()?.fixed()?,
        };
        fields.end()?;
        Ok(account)
    }
}

impl Execution {
    /// What the state after this block says of several accounts and their storage: what there is, and what there is not.
    ///
    /// The account of each question is looked up once, whatever is asked of it, and no node is needed twice.
    ///
    /// # Refuses
    /// [`StateError`], in its order.
    pub fn state(&self, questions: &[Question], nodes: &StateNodes) -> Result<Vec<Answer>, StateError> {
        if questions.len() > ACCOUNTS_MAX {
            return Err(StateError::TooManyAccounts { accounts: questions.len(), limit: ACCOUNTS_MAX });
        }
        let most = questions.iter().map(|question| question.slots.len()).max().unwrap_or_default();
        if most > SLOTS_MAX {
            return Err(StateError::TooManySlots { slots: most, limit: SLOTS_MAX });
        }
        let mut nodes = Nodes::new(nodes.as_slice().iter().map(Bytes::as_slice));
        let answers = answers(self.state_root(), questions, &mut nodes)?;
        nodes.end().map_err(StateError::Trie)?;
        Ok(answers)
    }
}

fn answers(
    state_root: &Hash,
    questions: &[Question],
    nodes: &mut Nodes<'_>,
) -> Result<Vec<Answer>, StateError> {
    let mut answers = Vec::with_capacity(questions.len());
    for (place, Question { address, slots }) in questions.iter().enumerate() {
        let found = nodes.find(state_root, &keccak256(address)).map_err(StateError::Trie)?;
        let malformed = |error| StateError::Malformed { place, error };
        let account = found.map(Account::read).transpose().map_err(malformed)?;
        let storage_root = account.map_or(EMPTY_ROOT, |account| account.storage_root);
        let mut values = Vec::with_capacity(slots.len());
        for slot in slots {
            let found = nodes.find(&storage_root, &keccak256(slot)).map_err(StateError::Trie)?;
            let value = found.map(|bytes| rlp::only(bytes).and_then(Item::number)).transpose();
            values.push(Word(value.map_err(malformed)?.unwrap_or_default()));
        }
        answers.push(Answer { account, values });
    }
    Ok(answers)
}

/// Puts nodes that answer `questions`, as an execution client gives them for one account and one slot after another, into
/// the one order of a proof. What is not needed is left out.
///
/// # Refuses
/// [`StateError::Trie`] if a node is missing, [`StateError::Malformed`]; `None` instead of nodes if they are more, or larger,
/// than a proof may have.
pub fn arrange_state(
    state_root: &Hash,
    questions: &[Question],
    nodes: &[Vec<u8>],
) -> Result<Option<StateNodes>, StateError> {
    let mut nodes = Nodes::unordered(nodes.iter().map(Vec::as_slice));
    answers(state_root, questions, &mut nodes)?;
    let order: Option<Vec<_>> = nodes.into_order().into_iter().map(Bytes::new).collect();
    Ok(order.and_then(Limited::new))
}

/// Where Solidity keeps the value of `key` in a mapping that stands at slot `base`.
pub fn mapping_slot(key: &Hash, base: &Hash) -> Hash {
    keccak256([*key, *base].as_flattened())
}

/// The contract that remembers the hashes of the last 8191 blocks (EIP-2935).
pub const HISTORY: [u8; 20] = [
    0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb, 0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20,
    0x00, 0x29, 0x35,
];

/// Where [`HISTORY`] keeps the hash of a block. The caller knows that the block is at most 8191 before that of the state.
pub fn history_slot(number: u64) -> Hash {
    slot(number % 8191)
}

/// A small number as the name of a slot, or as the key of a mapping.
pub fn slot(number: u64) -> Hash {
    let mut slot = [0; 32];
    if let Some(end) = slot.last_chunk_mut() {
        *end = number.to_be_bytes();
    }
    slot
}

/// Why a state does not say something. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateError {
    /// Too many accounts.
    TooManyAccounts {
        /// Accounts asked for.
        accounts: usize,
        /// [`ACCOUNTS_MAX`].
        limit: usize,
    },
    /// Too many slots of one account.
    TooManySlots {
        /// Slots asked for.
        slots: usize,
        /// [`SLOTS_MAX`].
        limit: usize,
    },
    /// The nodes do not lead to an answer.
    Trie(TrieError),
    /// What stands there is no account, or no value.
    Malformed {
        /// Place of the question, from 0.
        place: usize,
        /// What is wrong.
        error: RlpError,
    },
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyAccounts { accounts, limit } => {
                write!(f, "{accounts} accounts are asked for, more than {limit}")
            }
            Self::TooManySlots { slots, limit } => {
                write!(f, "{slots} slots of an account are asked for, more than {limit}")
            }
            Self::Trie(error) => error.fmt(f),
            Self::Malformed { place, error } => write!(f, "account {place}: {error}"),
        }
    }
}

impl std::error::Error for StateError {}
