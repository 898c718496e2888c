//! Which operations may have been refused in a block before.
//!
//! What was applied has used its nonces, and can't be applied again. What was refused may have used none, such as
//! that of a stranger. The same bytes would get into a second block; so whoever sends them again is given the first answer, from the archive. To ask the
//! archive for every operation would cost more the longer the history is. This filter says for which it is worth it: it never misses one,
//! and takes two megabytes however many there are. Where it is full of them, it says so for more that are not.

use std::hash::RandomState;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hashbrown::HashSet;
use ledger::{Executed, Outcome, Receipt};
use protocol::units::{Address, Digest};

/// Whether the same bytes get the same answer for ever. What came before its turn, or above what a grant left, was no operation and can be
/// right later. One below the next number never is: it gets no further than the door.
pub(crate) fn is_final(outcome: &Outcome) -> bool {
    const NOT_YET: [&str; 2] = ["authority.WrongNonce", "authority.LimitExceeded"];
    !matches!(outcome, Outcome::Refused { code, .. } if NOT_YET.contains(&code.as_str()))
}

/// The most accounts that are remembered: some thirty megabytes.
const SEEN_MAX: usize = 1 << 20;

/// Accounts that were there for certain: something was done for them. What the rules refuse them has used its number, and there may be millions
/// of it, free of charge.
#[derive(Debug, Default)]
pub(crate) struct Seen(HashSet<Address, RandomState>);

impl Seen {
    /// Whether the same bytes could get into a second block. Who acts for an account that is there and gets past its grants has an
    /// account as well.
    fn may_come_again(&mut self, receipt: &Receipt) -> bool {
        match &receipt.outcome {
            Outcome::Applied { .. } => {
                if self.0.len() < SEEN_MAX {
                    self.0.insert(receipt.account);
                }
                false
            }
            Outcome::Refused { code, .. } if code.starts_with("authority.") => is_final(&receipt.outcome),
            Outcome::Refused { .. } => !self.0.contains(&receipt.account),
        }
    }
}

/// Words of 64 bits: 2^24 bits, as many as three bytes can name.
const WORDS: usize = 1 << 18;
/// How many bits stand for an id.
const BITS: usize = 4;

/// A filter of the ids of refused operations, by bits that their ids name: they are hashes.
#[derive(Debug)]
pub(crate) struct Refused {
    words: Box<[AtomicU64]>,
    /// Whether it holds the whole history.
    is_whole: AtomicBool,
}

impl Default for Refused {
    fn default() -> Self {
        Self { words: (0..WORDS).map(|_| AtomicU64::new(0)).collect(), is_whole: AtomicBool::new(false) }
    }
}

/// The words and bits of an id.
fn places(id: &Digest) -> impl Iterator<Item = (usize, u64)> {
    id.0.chunks_exact(3).take(BITS).map(|bytes| {
        let bit = bytes.iter().fold(0_usize, |bit, byte| (bit << 8) | usize::from(*byte));
        (bit >> 6, 1 << (bit & 63))
    })
}

impl Refused {
    /// Notes what a block has refused and could come again. Blocks come in their order, `seen` from one to the next.
    pub(crate) fn add(&self, block: &Executed, seen: &mut Seen) {
        block
            .receipts
            .iter()
            .filter(|receipt| seen.may_come_again(receipt))
            .for_each(|receipt| self.note(&receipt.id));
    }

    fn note(&self, id: &Digest) {
        for (word, bit) in places(id) {
            if let Some(word) = self.words.get(word) {
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
    }

    /// From now on it holds the whole history, but for the newest blocks, which the sequencer remembers itself.
    pub(crate) fn is_whole_now(&self) {
        self.is_whole.store(true, Ordering::Release);
    }

    /// No further block can be read: from now on nothing is certain.
    pub(crate) fn is_cut_off(&self) {
        self.is_whole.store(false, Ordering::Release);
    }

    /// Whether an operation may have been refused before: always, until the history was read.
    pub(crate) fn may_hold(&self, id: &Digest) -> bool {
        let has = |(word, bit): (usize, u64)| {
            self.words.get(word).is_some_and(|word| word.load(Ordering::Relaxed) & bit != 0)
        };
        !self.is_whole.load(Ordering::Acquire) || places(id).all(has)
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    fn id(number: u32) -> Digest {
        Digest(Sha256::digest(number.to_be_bytes()).into())
    }

    #[test]
    fn what_has_used_its_number_or_may_be_right_later_is_not_noted() {
        let mut seen = Seen::default();
        let receipt = |account: u8, code: Option<&str>| Receipt {
            height: 1,
            index: 0,
            id: id(0),
            kind: protocol::Kind::Withdraw,
            account: Address([account; 20]),
            outcome: match code {
                None => Outcome::Applied { events: Vec::new() },
                Some(code) => Outcome::Refused { code: code.to_owned(), text: String::new() },
            },
        };
        let cases = [
            (1, Some("withdraw.ExceedsFree"), true, "perhaps a stranger's"),
            (1, None, false, "applied"),
            (1, Some("withdraw.ExceedsFree"), false, "its number is used"),
            (2, Some("withdraw.ExceedsFree"), true, "another's"),
            (1, Some("authority.TooManyKeys"), true, "no number is used"),
            (1, Some("authority.WrongNonce"), false, "before its turn"),
            (1, Some("authority.LimitExceeded"), false, "above a limit"),
        ];
        for (account, code, expected, why) in cases {
            assert_eq!(seen.may_come_again(&receipt(account, code)), expected, "{why}");
        }
    }

    #[test]
    fn no_refused_operation_is_missed_and_hardly_any_other_is_suspected() {
        let refused = Refused::default();
        assert!(refused.may_hold(&id(0)), "until the history was read, everything is");
        refused.is_whole_now();
        assert!(!refused.may_hold(&id(0)));
        (0..100_000).for_each(|number| refused.note(&id(number)));
        assert!((0..100_000).all(|number| refused.may_hold(&id(number))));
        let suspected = (100_000..200_000).filter(|number| refused.may_hold(&id(*number))).count();
        assert!(suspected < 10, "{suspected} of 100,000 are looked for in vain");
        refused.is_cut_off();
        assert!(refused.may_hold(&id(200_000)), "a history that can't be read further may hold anything");
    }
}
