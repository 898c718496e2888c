//! A set of places in a stake table.

use std::{fmt, str::FromStr};

use crate::{
    encoding::{HexError, from_hex, text_or_bytes, to_hex},
    signature::AGGREGATE_KEYS_MAX,
};

/// Bytes of a bitmap at most: a bit for each key of the largest aggregate.
const BYTES_MAX: usize = 128;
const _: () = assert!(BYTES_MAX * 8 == AGGREGATE_KEYS_MAX);

/// The bits of a byte, least significant first.
const MASKS: [u8; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// A set of places, each below 1024. Place `i` is bit `i mod 8`, counted from the least significant, of byte `i / 8`.
///
/// The text is `0x…` in lower case without trailing zero bytes, so a set has exactly one text; the empty set is `0x`.
///
/// Invariant: at most 128 bytes, and the last one is not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("pattern" = "^0x([0-9a-f]{2}){0,128}$")))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
pub struct Bitmap(Box<[u8]>);

text_or_bytes!(
    Bitmap,
    "a set of places as 0x and lower-case hex digits",
    |bitmap| bitmap.0.to_vec(),
    Bitmap::new
);

impl Bitmap {
    /// The set with these bytes.
    ///
    /// # Refuses
    /// 1. [`BitmapError::Length`]
    /// 2. [`BitmapError::TrailingZero`]
    pub fn new(bytes: &[u8]) -> Result<Self, BitmapError> {
        if bytes.len() > BYTES_MAX {
            return Err(BitmapError::Length { limit: BYTES_MAX, actual: bytes.len() });
        }
        if bytes.last() == Some(&0) {
            return Err(BitmapError::TrailingZero { bytes: bytes.len() });
        }
        Ok(Self(bytes.into()))
    }

    /// The set of these places, in any order; a place given twice is in it once.
    ///
    /// # Refuses
    /// [`BitmapError::Index`].
    pub fn from_indexes(indexes: impl IntoIterator<Item = usize>) -> Result<Self, BitmapError> {
        let mut bytes = [0; BYTES_MAX];
        for index in indexes {
            let byte = bytes.get_mut(index >> 3);
            let (Some(byte), Some(mask)) = (byte, MASKS.get(index & 7)) else {
                return Err(BitmapError::Index { limit: AGGREGATE_KEYS_MAX, index });
            };
            *byte |= mask;
        }
        let used = bytes.iter().rposition(|byte| *byte != 0);
        Ok(Self(used.and_then(|last| bytes.get(..=last)).unwrap_or_default().into()))
    }

    /// The places in the set, ascending.
    pub fn indexes(&self) -> impl Iterator<Item = usize> + '_ {
        let bits = self.0.iter().flat_map(|byte| MASKS.iter().map(move |mask| byte & mask != 0));
        bits.enumerate().filter_map(|(index, is_member)| is_member.then_some(index))
    }
}

impl fmt::Display for Bitmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl FromStr for Bitmap {
    type Err = BitmapError;

    /// Reads `0x…`.
    ///
    /// # Refuses
    /// [`BitmapError::Hex`], then as [`Bitmap::new`].
    fn from_str(text: &str) -> Result<Self, BitmapError> {
        Self::new(&from_hex(text).map_err(BitmapError::Hex)?)
    }
}

/// Why something is not a bitmap. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitmapError {
    /// The text is not lower-case hexadecimal.
    Hex(HexError),
    /// More bytes than the largest aggregate needs.
    Length {
        /// Bytes allowed.
        limit: usize,
        /// Bytes given.
        actual: usize,
    },
    /// The last byte is zero: the same set has a shorter text.
    TrailingZero {
        /// Bytes given.
        bytes: usize,
    },
    /// A place is not below the limit.
    Index {
        /// [`AGGREGATE_KEYS_MAX`].
        limit: usize,
        /// The place given.
        index: usize,
    },
}

impl fmt::Display for BitmapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hex(error) => write!(f, "bitmap is malformed: {error}"),
            Self::Length { limit, actual } => write!(f, "bitmap has {actual} bytes, more than {limit}"),
            Self::TrailingZero { bytes } => write!(f, "last of {bytes} bytes of a bitmap is zero"),
            Self::Index { limit, index } => write!(f, "place {index} is not below {limit}"),
        }
    }
}

impl std::error::Error for BitmapError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Hex(error) => Some(error),
            _ => None,
        }
    }
}
