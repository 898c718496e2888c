//! Quantities. None has operators: sums say what happens on overflow, divisions name their direction.
//!
//! # Arithmetic safety
//! `plus` and `minus` return `None` past the range. [`Amount::grow`] and [`Amount::shrink`] are for writes after all checks are done;
//! they panic on a bug only. Epochs saturate at [`Epoch::NEVER`] and at zero.

mod ids;
mod shares;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::wide;

pub use ids::{
    AccountId, AssetId, BasketId, OperatorId, PoolId, RequestId, RouteId, ServiceId, SetId, ShareId, SlashId,
    StreamId, TicketId, ValidatorId, VaultId,
};
pub use shares::Shares;

/// An amount of one asset, or of weight or value, in base units: `0 ..= 2^128 - 1`. Deposits of one asset stay below [`Amount::LIMIT`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u128);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The most of one asset that the ledger holds: `2^104 - 1`, so that a product with a factor of 120 bits fits 256 bits
    /// and a weight fits 128.
    pub const LIMIT: Self = Self((1 << 104) - 1);

    /// So many base units.
    pub const fn new(units: u128) -> Self {
        Self(units)
    }

    /// The number of base units.
    pub const fn units(self) -> u128 {
        self.0
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, `None` past the range.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, `None` below zero.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The difference, or nothing where `other` is more: for slack and room, never for money.
    pub fn room_below(self, other: Self) -> Self {
        Self(other.0.saturating_sub(self.0))
    }

    /// Adds in place.
    ///
    /// # Panics
    /// Only on a bug: the caller has checked the sum, or it is bounded by the supply.
    pub fn grow(&mut self, other: Self) {
        self.0 = self.0.checked_add(other.0).expect("a checked sum fits");
    }

    /// Subtracts in place.
    ///
    /// # Panics
    /// Only on a bug: the caller has checked that the amount is there.
    pub fn shrink(&mut self, other: Self) {
        self.0 = self.0.checked_sub(other.0).expect("a checked amount is there");
    }

    /// The sum of many, `None` past the range.
    pub fn total(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::plus)
    }

    /// `floor(self * part / whole)`.
    ///
    /// # Panics
    /// Only on a bug: `part` is at most `whole`, which is not zero.
    pub fn portion_down(self, part: Self, whole: Self) -> Self {
        Self(wide::mul_div_down(self.0, part.0, whole.0))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(&self.0);
        }
        serializer.serialize_u128(self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Amount;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount of base units as a decimal string, like \"1000\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                parse_units(text).map(Amount).map_err(E::custom)
            }
        }
        if !deserializer.is_human_readable() {
            return u128::deserialize(deserializer).map(Self);
        }
        deserializer.deserialize_str(Text)
    }
}

fn parse_units(text: &str) -> Result<u128, String> {
    let canonical = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    if !canonical {
        return Err(format!(
            "amount {text:?} is not a decimal number of base units without sign or leading zeros"
        ));
    }
    text.parse().map_err(|_| format!("amount {text} exceeds the largest amount {}", u128::MAX))
}

/// A fraction between 0 and 1, both included, in steps of `10^-18`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fraction(u64);

impl Fraction {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The whole.
    pub const ONE: Self = Self(Self::STEPS);
    /// The smallest that is not nothing.
    pub const STEP: Self = Self(1);
    /// Steps in the whole.
    pub const STEPS: u64 = 1_000_000_000_000_000_000;

    /// So many steps of `10^-18`, `None` past the whole.
    pub const fn from_steps(steps: u64) -> Option<Self> {
        if steps <= Self::STEPS { Some(Self(steps)) } else { None }
    }

    /// So many hundredths, at most the whole.
    pub const fn from_percent(percent: u8) -> Self {
        let percent = if percent > 100 { 100 } else { percent };
        Self(10_000_000_000_000_000_u64.saturating_mul(percent_u64(percent)))
    }

    /// Steps of `10^-18`.
    pub const fn steps(self) -> u64 {
        self.0
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The rest to the whole.
    pub const fn complement(self) -> Self {
        Self(Self::STEPS.saturating_sub(self.0))
    }

    /// The sum, at most the whole: for caps that count against one.
    pub fn plus_up_to_one(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0).min(Self::STEPS))
    }

    /// The difference, or nothing.
    pub const fn above(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `floor(amount * self)`.
    pub fn of_down(self, amount: Amount) -> Amount {
        Amount(wide::mul_div_down(amount.0, u128::from(self.0), u128::from(Self::STEPS)))
    }

    /// `ceil(amount * self)`.
    pub fn of_up(self, amount: Amount) -> Amount {
        Amount(wide::mul_div_up(amount.0, u128::from(self.0), u128::from(Self::STEPS)))
    }

    /// `floor(self * other)`.
    pub fn times_down(self, other: Self) -> Self {
        let steps = wide::mul_div_down(u128::from(self.0), u128::from(other.0), u128::from(Self::STEPS));
        Self(u64::try_from(steps).expect("a part of a fraction is a fraction"))
    }

    /// `part / whole` rounded down, at most the whole; the whole for an empty whole.
    pub fn ratio_down(part: Amount, whole: Amount) -> Self {
        let steps = wide::checked_mul_div_down(part.0, u128::from(Self::STEPS), whole.0);
        let steps = steps.and_then(|steps| u64::try_from(steps).ok()).unwrap_or(Self::STEPS);
        Self(steps.min(Self::STEPS))
    }
}

const fn percent_u64(percent: u8) -> u64 {
    u64::from_le_bytes([percent, 0, 0, 0, 0, 0, 0, 0])
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.checked_div(Self::STEPS).unwrap_or(0);
        let rest = self.0.checked_rem(Self::STEPS).unwrap_or(0);
        let digits = format!("{rest:018}");
        match digits.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            digits => write!(f, "{whole}.{digits}"),
        }
    }
}

impl FromStr for Fraction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let malformed = || {
            format!("fraction {text:?} is not a decimal from 0 to 1 with at most 18 places, like \"0.05\"")
        };
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        let has_dot = text.contains('.');
        if !matches!(whole, "0" | "1") || places.len() > 18 || (has_dot && places.is_empty()) {
            return Err(malformed());
        }
        if !places.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed());
        }
        let rest: u64 = format!("{places:0<18}").parse().map_err(|_| malformed())?;
        let whole = if whole == "1" { Self::STEPS } else { 0 };
        whole.checked_add(rest).and_then(Self::from_steps).ok_or_else(|| format!("fraction {text} exceeds 1"))
    }
}

impl Serialize for Fraction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for Fraction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Fraction;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a fraction from 0 to 1 as a decimal string, like \"0.05\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Fraction, E> {
                text.parse().map_err(E::custom)
            }
        }
        if !deserializer.is_human_readable() {
            let steps = u64::deserialize(deserializer)?;
            let above = || de::Error::custom(format_args!("{steps} steps of 10^-18 are more than one"));
            return Self::from_steps(steps).ok_or_else(above);
        }
        deserializer.deserialize_str(Text)
    }
}

/// A point in the ledger's time: `0 .. 2^32 - 1`; a day by default, seconds on a development ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Epoch(u32);

impl Epoch {
    /// The first epoch.
    pub const ZERO: Self = Self(0);
    /// Later than every epoch: "not yet left", "not yet given back".
    pub const NEVER: Self = Self(u32::MAX);

    /// The epoch of that number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The epoch after.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The epoch before, zero before zero.
    pub const fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// So many epochs later, at most [`Epoch::NEVER`].
    pub const fn later(self, epochs: u32) -> Self {
        Self(self.0.saturating_add(epochs))
    }

    /// So many epochs earlier, at least zero.
    pub const fn earlier(self, epochs: u32) -> Self {
        Self(self.0.saturating_sub(epochs))
    }

    /// How many epochs lie between an earlier one and this, zero if it is not earlier.
    pub const fn since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NEVER { f.write_str("never") } else { self.0.fmt(f) }
    }
}

/// 32 bytes that identify something by its content; `0x` and 64 hex digits in JSON.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// An account: 20 bytes, of an Ethereum address or of the hash of an ed25519 key; `0x` and 40 hex digits in JSON.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 20]);

macro_rules! hex_bytes {
    ($name:ident, $length:literal, $what:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut digits = [0; 2 * $length];
                hex::encode_to_slice(self.0, &mut digits).map_err(|_| fmt::Error)?;
                f.write_str("0x")?;
                f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                let malformed = || {
                    format!(concat!($what, " {:?} is not 0x and ", $length, " lower-case hex bytes"), text)
                };
                let digits = text.strip_prefix("0x").ok_or_else(malformed)?;
                if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    return Err(malformed());
                }
                let mut bytes = [0; $length];
                hex::decode_to_slice(digits, &mut bytes).map_err(|_| malformed())?;
                Ok(Self(bytes))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    return serializer.collect_str(self);
                }
                self.0.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!($what, " as 0x and ", $length, " lower-case hex bytes"))
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                if !deserializer.is_human_readable() {
                    return <[u8; $length]>::deserialize(deserializer).map(Self);
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}

hex_bytes!(Digest, 32, "digest");
hex_bytes!(Address, 20, "address");

#[cfg(feature = "schema")]
mod schema {
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{Address, Amount, Digest, Fraction};

    macro_rules! pattern {
        ($name:ident, $pattern:literal, $doc:literal) => {
            impl JsonSchema for $name {
                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }
                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({ "type": "string", "pattern": $pattern, "description": $doc })
                }
            }
        };
    }

    pattern!(Amount, "^(0|[1-9][0-9]{0,38})$", "Base units of one asset, 0 to 2^128 - 1.");
    pattern!(
        Fraction,
        "^(0(\\.[0-9]{1,18})?|1(\\.0{1,18})?)$",
        "A fraction from 0 to 1 with at most 18 places."
    );
    pattern!(Digest, "^0x[0-9a-f]{64}$", "32 bytes.");
    pattern!(Address, "^0x[0-9a-f]{40}$", "An account.");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_canonical_decimal_strings() {
        let parse =
            |text: &str| serde_json::from_str::<Amount>(text).map(Amount::units).map_err(|e| e.to_string());
        assert_eq!(parse("\"0\""), Ok(0));
        assert_eq!(parse("\"340282366920938463463374607431768211455\""), Ok(u128::MAX));
        for text in [
            "\"340282366920938463463374607431768211456\"",
            "\"01\"",
            "\"\"",
            "\"-1\"",
            "\"+1\"",
            "\"1.0\"",
            "1",
        ] {
            assert!(parse(text).is_err(), "{text} must be refused");
        }
    }

    #[test]
    fn fractions_read_as_they_print() {
        for (text, steps) in
            [("0", 0), ("1", Fraction::STEPS), ("0.05", 50_000_000_000_000_000), ("0.000000000000000001", 1)]
        {
            let fraction: Fraction = text.parse().expect(text);
            assert_eq!(fraction.steps(), steps);
            assert_eq!(fraction.to_string(), text);
        }
        for text in [
            "1.000000000000000001",
            "2",
            "0.",
            ".5",
            "0.0000000000000000001",
            "-0.1",
            "0,5",
            "",
            "00.5",
            "0.5 ",
        ] {
            assert!(text.parse::<Fraction>().is_err(), "{text} must be refused");
        }
    }

    #[test]
    fn addresses_have_one_text() {
        let address = Address([0xab; 20]);
        assert_eq!(address.to_string().parse(), Ok(address));
        assert!(address.to_string().to_uppercase().parse::<Address>().is_err());
        assert!("0xab".parse::<Address>().is_err());
    }
}
