//! Bytes as text: `0x` and lower-case hexadecimal digits, so that the same bytes have exactly one text.

use std::fmt;

/// Why a text is not `0x` followed by pairs of lower-case hexadecimal digits. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HexError {
    /// The text does not begin with `0x`.
    Prefix,
    /// A character is none of `0123456789abcdef`; `position` counts bytes after the `0x`.
    Digit {
        /// Bytes between the `0x` and the character.
        position: usize,
    },
    /// The last byte has one digit only.
    OddDigits {
        /// Number of digits after the `0x`.
        digits: usize,
    },
    /// The bytes are more or fewer than the value has.
    Length {
        /// Bytes that the value has.
        expected: usize,
        /// Bytes in the text.
        actual: usize,
    },
}

impl fmt::Display for HexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix => write!(f, "hexadecimal text does not begin with 0x"),
            Self::Digit { position } => {
                write!(f, "character {position} after 0x is not a lower-case hexadecimal digit")
            }
            Self::OddDigits { digits } => write!(f, "{digits} hexadecimal digits are not whole bytes"),
            Self::Length { expected, actual } => write!(f, "length is {actual} bytes instead of {expected}"),
        }
    }
}

impl std::error::Error for HexError {}

/// The one text of `bytes`.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// The bytes of `text`.
///
/// # Refuses
/// [`HexError::Prefix`], [`HexError::Digit`], [`HexError::OddDigits`].
pub(crate) fn from_hex(text: &str) -> Result<Vec<u8>, HexError> {
    let digits = text.strip_prefix("0x").ok_or(HexError::Prefix)?;
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if let Some(position) = digits.bytes().position(|byte| !is_digit(byte)) {
        return Err(HexError::Digit { position });
    }
    hex::decode(digits).map_err(|_| HexError::OddDigits { digits: digits.len() })
}

/// Serde of a type that is text where people read, and bytes where machines do.
macro_rules! text_or_bytes {
    ($name:ident, $expected:literal, $to_bytes:expr, $from_bytes:expr) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    return serializer.collect_str(self);
                }
                let to_bytes: fn(&Self) -> Vec<u8> = $to_bytes;
                serializer.serialize_bytes(&to_bytes(self))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Form;
                impl serde::de::Visitor<'_> for Form {
                    type Value = $name;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<$name, E> {
                        let from_bytes: fn(&[u8]) -> Result<$name, _> = $from_bytes;
                        from_bytes(bytes).map_err(E::custom)
                    }
                }
                if deserializer.is_human_readable() {
                    deserializer.deserialize_str(Form)
                } else {
                    deserializer.deserialize_bytes(Form)
                }
            }
        }
    };
}

pub(crate) use text_or_bytes;

/// Serde for a 32-byte hash, for `#[serde(with = "crate::encoding::hash")]`.
pub(crate) mod hash {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::{HexError, from_hex, to_hex};

    pub(crate) fn serialize<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(&to_hex(hash));
        }
        hash.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 32]>::deserialize(deserializer);
        }
        let text = String::deserialize(deserializer)?;
        let bytes = from_hex(&text).map_err(Error::custom)?;
        <[u8; 32]>::try_from(bytes.as_slice())
            .map_err(|_| Error::custom(HexError::Length { expected: 32, actual: bytes.len() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_malformed_text_has_its_refusal() {
        let cases = [
            ("", HexError::Prefix),
            ("00", HexError::Prefix),
            ("0X00", HexError::Prefix),
            ("0x0G", HexError::Digit { position: 1 }),
            ("0xAB", HexError::Digit { position: 0 }),
            ("0x00 ", HexError::Digit { position: 2 }),
            ("0x0é", HexError::Digit { position: 1 }),
            ("0x000", HexError::OddDigits { digits: 3 }),
            // Two at once: the earlier check speaks.
            ("A", HexError::Prefix),
            ("0xA", HexError::Digit { position: 0 }),
        ];
        for (text, expected) in cases {
            assert_eq!(from_hex(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn every_byte_survives_the_round_trip() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(from_hex(&to_hex(&bytes)), Ok(bytes));
        assert_eq!(from_hex("0x"), Ok(Vec::new()));
    }
}
