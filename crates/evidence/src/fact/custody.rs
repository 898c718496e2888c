//! What contracts of Ethereum say: deposits in custody, and what a token is worth.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Fact, Verified};
use crate::encoding::to_hex;
use crate::ethereum::serde_form::{decimal128, fixed};
use crate::ethereum::{
    Answer, Execution, Hash, Question, StateError, StateNodes, Word, keccak256, mapping_slot, slot,
};

/// Where a custody contract keeps the deposits of an asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Custody {
    /// The contract.
    #[serde(with = "fixed")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^0x[0-9a-f]{40}$")))]
    pub contract: [u8; 20],
    /// The slot of their number.
    #[serde(with = "fixed")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^0x[0-9a-f]{64}$")))]
    pub count: Hash,
    /// The slot at which the mapping from number to deposit stands: from 0, each the hash of [`DepositClaim::word`].
    #[serde(with = "fixed")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^0x[0-9a-f]{64}$")))]
    pub deposits: Hash,
}

/// A deposit, as the custody contract has hashed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DepositClaim {
    /// Who paid.
    #[serde(with = "fixed")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^0x[0-9a-f]{40}$")))]
    pub from: [u8; 20],
    /// Who is credited.
    #[serde(with = "fixed")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^0x[0-9a-f]{40}$")))]
    pub account: [u8; 20],
    /// Base units.
    #[serde(with = "decimal128")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^(0|[1-9][0-9]{0,38})$")))]
    pub amount: u128,
}

impl DepositClaim {
    /// What the contract keeps: the Keccak-256 of payer, account and amount, each in 32 bytes with zeros in front, as
    /// Solidity's `abi.encode` puts them.
    pub fn word(&self) -> Hash {
        let mut amount = [0; 32];
        if let Some(end) = amount.last_chunk_mut() {
            *end = self.amount.to_be_bytes();
        }
        keccak256([padded(&self.from), padded(&self.account), amount].as_flattened())
    }
}

/// An address as a word: with zeros in front.
fn padded(address: &[u8; 20]) -> Hash {
    let mut word = [0; 32];
    if let Some(end) = word.last_chunk_mut() {
        *end = *address;
    }
    word
}

impl Custody {
    /// What has to be asked of a state to take `deposits` from number `first` on: their count, then each.
    pub fn question(&self, first: u64, deposits: usize) -> Question {
        let numbers =
            (0..deposits).map(|place| first.saturating_add(u64::try_from(place).unwrap_or(u64::MAX)));
        let each = numbers.map(|number| mapping_slot(&slot(number), &self.deposits));
        Question { address: self.contract, slots: std::iter::once(self.count).chain(each).collect() }
    }
}

/// Verifies that `claims` are the deposits of an asset from number `first` on, as the contract holds them after a block. Without
/// claims it tells how many there are.
///
/// # Refuses
/// [`DepositsRefused`], in its order.
pub fn verify_deposits(
    block: &Execution,
    custody: &Custody,
    (asset, first): (u32, u64),
    claims: &[DepositClaim],
    nodes: &StateNodes,
) -> Result<(u64, Vec<Verified<Fact>>), DepositsRefused> {
    let answers =
        block.state(&[custody.question(first, claims.len())], nodes).map_err(DepositsRefused::State)?;
    let mut words = answers.iter().flat_map(|answer| &answer.values);
    let count = words.next().and_then(Word::number).and_then(|count| u64::try_from(count).ok());
    let count = count.ok_or(DepositsRefused::Count)?;
    let mut facts = Vec::with_capacity(claims.len());
    for (number, (claim, word)) in (first..).zip(claims.iter().zip(words)) {
        if number >= count {
            return Err(DepositsRefused::None { number, count });
        }
        let (expected, actual) = (*word.get(), claim.word());
        if expected != actual {
            return Err(DepositsRefused::Other { number, expected, actual });
        }
        let fact = Fact::Deposit { index: number, account: claim.account, asset, amount: claim.amount };
        facts.push(Verified(fact));
    }
    Ok((count, facts))
}

/// Why deposits are not believed. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepositsRefused {
    /// The state does not say what the contract holds.
    State(StateError),
    /// What should be the number of deposits is none.
    Count,
    /// There is no such deposit.
    None {
        /// The number asked for.
        number: u64,
        /// How many there are.
        count: u64,
    },
    /// The deposit is another.
    Other {
        /// Its number.
        number: u64,
        /// What the contract holds.
        expected: Hash,
        /// What the claim hashes to.
        actual: Hash,
    },
}

impl fmt::Display for DepositsRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(error) => error.fmt(f),
            Self::Count => write!(f, "the slot for the number of deposits holds no number below 2^64"),
            Self::None { number, count } => {
                write!(f, "deposit {number} is not among the {count} of the contract")
            }
            Self::Other { number, expected, actual } => {
                write!(f, "deposit {number} is {} and not {}", to_hex(expected), to_hex(actual))
            }
        }
    }
}

impl std::error::Error for DepositsRefused {}

/// Words that a rate has at most.
pub const TERMS_MAX: usize = 16;

/// How a token's contracts keep what it is worth: `10^18 * sum(numerator) / sum(denominator)`, or the sum of the numerator where
/// there is no denominator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RateLayout {
    /// At least one.
    pub numerator: Vec<Term>,
    /// None, or some.
    #[serde(default)]
    pub denominator: Vec<Term>,
}

/// A part of a word of storage, and how often it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The contract.
    #[serde(with = "fixed")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^0x[0-9a-f]{40}$")))]
    pub contract: [u8; 20],
    /// The slot.
    #[serde(with = "fixed")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^0x[0-9a-f]{64}$")))]
    pub slot: Hash,
    /// Which part of the word.
    #[serde(default)]
    pub part: Part,
    /// How often it counts; once where it is not given.
    #[serde(default = "once", with = "decimal128")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^(0|[1-9][0-9]{0,38})$")))]
    pub times: u128,
    /// Whether it is taken off.
    #[serde(default)]
    pub is_subtracted: bool,
}

/// Which part of a word of storage is a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// All of it, which must be below 2^128.
    #[default]
    Whole,
    /// The lower 128 bits.
    Low,
    /// The upper 128 bits.
    High,
}

fn once() -> u128 {
    1
}

impl RateLayout {
    /// Whether it has a numerator and not too many words; the text says why not.
    ///
    /// # Errors
    /// A sentence that names both values.
    pub fn check(&self) -> Result<(), String> {
        let terms = self.numerator.len().saturating_add(self.denominator.len());
        match self.numerator.is_empty() || terms > TERMS_MAX {
            true => Err(format!("a rate of {terms} words has no numerator, or more than {TERMS_MAX}")),
            false => Ok(()),
        }
    }

    /// What has to be asked of a state: each contract once, in the order of its first word.
    pub fn questions(&self) -> Vec<Question> {
        let mut questions: Vec<Question> = Vec::new();
        for term in self.numerator.iter().chain(&self.denominator) {
            match questions.iter_mut().find(|question| question.address == term.contract) {
                Some(question) if question.slots.contains(&term.slot) => {}
                Some(question) => question.slots.push(term.slot),
                None => questions.push(Question { address: term.contract, slots: vec![term.slot] }),
            }
        }
        questions
    }
}

/// Verifies what a token is worth after a block.
///
/// # Refuses
/// [`RateRefused`], in its order.
pub fn verify_rate(
    block: &Execution,
    layout: &RateLayout,
    asset: u32,
    nodes: &StateNodes,
) -> Result<Verified<Fact>, RateRefused> {
    let questions = layout.questions();
    let answers = block.state(&questions, nodes).map_err(RateRefused::State)?;
    let top = sum(&layout.numerator, &questions, &answers)?;
    let rate = match layout.denominator.is_empty() {
        true => top,
        false => {
            fixed_point(top, sum(&layout.denominator, &questions, &answers)?).ok_or(RateRefused::Range)?
        }
    };
    Ok(Verified(Fact::Rate { asset, rate }))
}

fn sum(terms: &[Term], questions: &[Question], answers: &[Answer]) -> Result<u128, RateRefused> {
    let (mut more, mut less) = (0_u128, 0_u128);
    for term in terms {
        let asked = questions.iter().zip(answers).find(|(question, _)| question.address == term.contract);
        let word = asked.and_then(|(question, answer)| {
            let place = question.slots.iter().position(|slot| *slot == term.slot)?;
            answer.values.get(place)
        });
        let value =
            word.and_then(|word| part(word, term.part)).and_then(|value| value.checked_mul(term.times));
        let value = value.ok_or(RateRefused::Range)?;
        let side = if term.is_subtracted { &mut less } else { &mut more };
        *side = side.checked_add(value).ok_or(RateRefused::Range)?;
    }
    more.checked_sub(less).ok_or(RateRefused::Range)
}

fn part(word: &Word, part: Part) -> Option<u128> {
    let half = |bytes: &[u8]| <[u8; 16]>::try_from(bytes).ok().map(u128::from_be_bytes);
    let (high, low) = word.get().split_at(16);
    match part {
        Part::Whole => word.number(),
        Part::Low => half(low),
        Part::High => half(high),
    }
}

/// `10^18 * top / bottom`, rounded down, digit by digit. `None` past 128 bits, or where the bottom is zero or from 2^124 on.
fn fixed_point(top: u128, bottom: u128) -> Option<u128> {
    if bottom >> 124 != 0 {
        return None;
    }
    let mut quotient = top.checked_div(bottom)?;
    let mut rest = top.checked_rem(bottom)?;
    for _ in 0..18 {
        rest = rest.checked_mul(10)?;
        quotient = quotient.checked_mul(10)?.checked_add(rest.checked_div(bottom)?)?;
        rest = rest.checked_rem(bottom)?;
    }
    Some(quotient)
}

/// Why a rate is not believed. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateRefused {
    /// The state does not say what the contracts hold.
    State(StateError),
    /// The words make no rate: a sum is negative or past 128 bits, or nothing is to be divided by.
    Range,
}

impl fmt::Display for RateRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(error) => error.fmt(f),
            Self::Range => {
                write!(
                    f,
                    "the words of the contracts make no rate: a sum is negative, zero below or past 128 bits"
                )
            }
        }
    }
}

impl std::error::Error for RateRefused {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotient_has_eighteen_places_and_is_rounded_down() {
        let one = 10_u128.pow(18);
        let cases = [
            (1, 1, Some(one)),
            (1, 3, Some(333_333_333_333_333_333)),
            (2, 3, Some(666_666_666_666_666_666)),
            (9_600_000 * one, 8_000_000 * one, Some(1_200_000_000_000_000_000)),
            (1, 0, None),
            (1, 1 << 124, None),
            (u128::MAX, 1, None),
        ];
        for (top, bottom, expected) in cases {
            assert_eq!(fixed_point(top, bottom), expected, "{top} / {bottom}");
        }
    }

    /// `cast abi-encode "f(address,address,uint256)"` of the same values, hashed.
    #[test]
    fn a_deposit_is_hashed_as_solidity_encodes_it() {
        let claim = DepositClaim { from: [0x11; 20], account: [0x22; 20], amount: 1 };
        let mut encoded = vec![0; 12];
        encoded.extend([0x11; 20]);
        encoded.extend([0; 12]);
        encoded.extend([0x22; 20]);
        encoded.extend([0; 31]);
        encoded.push(1);
        assert_eq!(claim.word(), keccak256(&encoded));
    }
}
