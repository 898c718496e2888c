//! How values of Ethereum are written: as its own interfaces do where people read (numbers as decimal texts, bytes as
//! `0x…`), and as short as possible where machines do. Every length has its limit.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Hash;
use crate::encoding::{HexError, from_hex, to_hex};

/// Serde of bytes of fixed length: text, or the bytes without a length.
pub(crate) mod fixed {
    use super::*;

    pub(crate) fn serialize<const N: usize, S: Serializer>(
        bytes: &[u8; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeTuple;
        if serializer.is_human_readable() {
            return serializer.serialize_str(&to_hex(bytes));
        }
        let mut tuple = serializer.serialize_tuple(N)?;
        for byte in bytes {
            tuple.serialize_element(byte)?;
        }
        tuple.end()
    }

    pub(crate) fn deserialize<'de, const N: usize, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_str(Form::<N>);
        }
        deserializer.deserialize_tuple(N, Form::<N>)
    }

    struct Form<const N: usize>;

    impl<'de, const N: usize> Visitor<'de> for Form<N> {
        type Value = [u8; N];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{N} bytes as 0x and lower-case hex digits")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<[u8; N], E> {
            let bytes = from_hex(text).map_err(E::custom)?;
            <[u8; N]>::try_from(bytes.as_slice())
                .map_err(|_| E::custom(HexError::Length { expected: N, actual: bytes.len() }))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<[u8; N], A::Error> {
            let mut bytes = [0; N];
            for (place, byte) in bytes.iter_mut().enumerate() {
                *byte = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(place, &self))?;
            }
            Ok(bytes)
        }
    }
}

/// Serde of a number: a decimal text in its one form, or the number. Epochs reach `2^64 - 1`, which not every reader of
/// JSON keeps apart from its neighbours.
pub(crate) mod decimal {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(number);
        }
        serializer.serialize_u64(*number)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_str(Form);
        }
        u64::deserialize(deserializer)
    }

    struct Form;

    impl Visitor<'_> for Form {
        type Value = u64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number up to 18446744073709551615 as decimal text")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
            let number: u64 =
                text.parse().map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))?;
            if number.to_string() != text {
                return Err(E::invalid_value(serde::de::Unexpected::Str(text), &self));
            }
            Ok(number)
        }
    }
}

/// Serde of a large number, as [`decimal`].
pub(crate) mod decimal128 {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(number: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(number);
        }
        serializer.serialize_u128(*number)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_str(Form);
        }
        u128::deserialize(deserializer)
    }

    struct Form;

    impl Visitor<'_> for Form {
        type Value = u128;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number up to 2^128 - 1 as decimal text")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<u128, E> {
            let number: u128 =
                text.parse().map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))?;
            if number.to_string() != text {
                return Err(E::invalid_value(serde::de::Unexpected::Str(text), &self));
            }
            Ok(number)
        }
    }
}

/// A hash that stands alone in a list.
struct One(Hash);

impl Serialize for One {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fixed::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for One {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fixed::deserialize(deserializer).map(Self)
    }
}

/// At most `MAX` hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hashes<const MAX: usize>(Vec<Hash>);

impl<const MAX: usize> Hashes<MAX> {
    pub(super) fn new(hashes: Vec<Hash>) -> Option<Self> {
        (hashes.len() <= MAX).then_some(Self(hashes))
    }

    pub(super) fn as_slice(&self) -> &[Hash] {
        &self.0
    }
}

impl<const MAX: usize> Serialize for Hashes<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|hash| One(*hash)))
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Hashes<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list: Limited<One, MAX> = Limited::deserialize(deserializer)?;
        Ok(Self(list.into_inner().into_iter().map(|hash| hash.0).collect()))
    }
}

/// At most `MAX` bytes of no fixed length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes<const MAX: usize>(Box<[u8]>);

impl<const MAX: usize> Bytes<MAX> {
    /// Takes the bytes. `None` if they are more than `MAX`.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (bytes.len() <= MAX).then(|| Self(bytes.into()))
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl<const MAX: usize> Serialize for Bytes<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(&to_hex(&self.0));
        }
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Bytes<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form<const MAX: usize>;
        impl<const MAX: usize> Visitor<'_> for Form<MAX> {
            type Value = Bytes<MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "at most {MAX} bytes as 0x and lower-case hex digits")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Bytes<MAX>, E> {
                self.visit_bytes(&from_hex(text).map_err(E::custom)?)
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes<MAX>, E> {
                Bytes::new(bytes).ok_or_else(|| E::invalid_length(bytes.len(), &self))
            }
        }
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Form)
        } else {
            deserializer.deserialize_bytes(Form)
        }
    }
}

/// At most `MAX` values. More are refused before they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limited<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> Default for Limited<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize> Limited<T, MAX> {
    /// Takes the values. `None` if they are more than `MAX`.
    pub fn new(values: Vec<T>) -> Option<Self> {
        (values.len() <= MAX).then_some(Self(values))
    }

    /// The values.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }

    /// The values, without the limit.
    pub fn into_inner(self) -> Vec<T> {
        self.0
    }
}

impl<T: Serialize, const MAX: usize> Serialize for Limited<T, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Limited<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form<T, const MAX: usize>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Form<T, MAX> {
            type Value = Limited<T, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MAX}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Limited<T, MAX>, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element()? {
                    if values.len() == MAX {
                        return Err(A::Error::invalid_length(MAX.saturating_add(1), &self));
                    }
                    values.push(value);
                }
                Ok(Limited(values))
            }
        }
        deserializer.deserialize_seq(Form(std::marker::PhantomData))
    }
}
