//! RLP, read strictly: what has two encodings has one too many.
//!
//! Source: yellow paper, appendix B.

use std::fmt;

/// A value: bytes, or a list whose content is not yet read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    Bytes(&'a [u8]),
    List(List<'a>),
}

/// The values of a list that are not yet read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct List<'a>(&'a [u8]);

/// Why bytes are not RLP of what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RlpError {
    /// The bytes end before the value does.
    Short,
    /// Bytes follow after the value.
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// The value has a shorter encoding.
    NotCanonical,
    /// A list stands where bytes should, or the other way round.
    Kind,
    /// A value has not the length that it should have.
    Length {
        /// The most bytes, or the exact number.
        expected: usize,
        /// Bytes found.
        actual: usize,
    },
}

impl fmt::Display for RlpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => write!(f, "value ends too early"),
            Self::Trailing { bytes } => write!(f, "{bytes} bytes follow after the value"),
            Self::NotCanonical => write!(f, "value has a shorter encoding"),
            Self::Kind => write!(f, "list stands for bytes, or bytes for a list"),
            Self::Length { expected, actual } => {
                write!(f, "value has {actual} bytes instead of {expected}")
            }
        }
    }
}

impl std::error::Error for RlpError {}

/// The one value in `bytes`.
pub(super) fn only(bytes: &[u8]) -> Result<Item<'_>, RlpError> {
    let (item, rest) = first(bytes)?;
    match rest.len() {
        0 => Ok(item),
        bytes => Err(RlpError::Trailing { bytes }),
    }
}

/// The first value in `bytes`, and what follows.
fn first(bytes: &[u8]) -> Result<(Item<'_>, &[u8]), RlpError> {
    let (head, rest) = bytes.split_first().ok_or(RlpError::Short)?;
    let (is_list, length, rest) = match head {
        0..=0x7f => return Ok((Item::Bytes(std::slice::from_ref(head)), rest)),
        0x80..=0xb7 => (false, usize::from(head & 0x3f), rest),
        0xb8..=0xbf => long(head & 7, rest).map(|(length, rest)| (false, length, rest))?,
        0xc0..=0xf7 => (true, usize::from(head & 0x3f), rest),
        0xf8..=0xff => long(head & 7, rest).map(|(length, rest)| (true, length, rest))?,
    };
    let (content, rest) = rest.split_at_checked(length).ok_or(RlpError::Short)?;
    match (is_list, content) {
        (true, _) => Ok((Item::List(List(content)), rest)),
        (false, [0..=0x7f]) => Err(RlpError::NotCanonical),
        (false, _) => Ok((Item::Bytes(content), rest)),
    }
}

/// A length of more than 55 in `count` + 1 bytes.
fn long(count: u8, bytes: &[u8]) -> Result<(usize, &[u8]), RlpError> {
    let (digits, rest) =
        bytes.split_at_checked(usize::from(count).saturating_add(1)).ok_or(RlpError::Short)?;
    if digits.first() == Some(&0) {
        return Err(RlpError::NotCanonical);
    }
    let mut padded = [0; 8];
    padded.iter_mut().rev().zip(digits.iter().rev()).for_each(|(place, digit)| *place = *digit);
    let length = usize::try_from(u64::from_be_bytes(padded)).map_err(|_| RlpError::Short)?;
    if length <= 55 { Err(RlpError::NotCanonical) } else { Ok((length, rest)) }
}

impl<'a> Item<'a> {
    pub(super) fn bytes(self) -> Result<&'a [u8], RlpError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::List(_) => Err(RlpError::Kind),
        }
    }

    pub(super) fn list(self) -> Result<List<'a>, RlpError> {
        match self {
            Self::List(list) => Ok(list),
            Self::Bytes(_) => Err(RlpError::Kind),
        }
    }

    /// Bytes of exactly this length.
    pub(super) fn fixed<const N: usize>(self) -> Result<[u8; N], RlpError> {
        let bytes = self.bytes()?;
        <[u8; N]>::try_from(bytes).map_err(|_| RlpError::Length { expected: N, actual: bytes.len() })
    }

    /// A number as big-endian bytes without zeros in front, filled up to `N` bytes.
    pub(super) fn number<const N: usize>(self) -> Result<[u8; N], RlpError> {
        let bytes = self.bytes()?;
        if bytes.first() == Some(&0) {
            return Err(RlpError::NotCanonical);
        }
        if bytes.len() > N {
            return Err(RlpError::Length { expected: N, actual: bytes.len() });
        }
        let mut number = [0; N];
        number.iter_mut().rev().zip(bytes.iter().rev()).for_each(|(place, byte)| *place = *byte);
        Ok(number)
    }

    /// A number of up to 64 bits.
    pub(super) fn u64(self) -> Result<u64, RlpError> {
        self.number().map(u64::from_be_bytes)
    }
}

impl<'a> List<'a> {
    /// The next value.
    pub(super) fn next(&mut self) -> Result<Item<'a>, RlpError> {
        let (item, rest) = first(self.0)?;
        self.0 = rest;
        Ok(item)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// That nothing is left.
    pub(super) fn end(self) -> Result<(), RlpError> {
        match self.0.len() {
            0 => Ok(()),
            bytes => Err(RlpError::Trailing { bytes }),
        }
    }
}

/// The encoding of a number of up to 64 bits: the key of a receipt.
pub(super) fn encode_u64(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let digits = bytes.iter().position(|byte| *byte != 0).and_then(|zeros| bytes.get(zeros..));
    match digits.unwrap_or_default() {
        [small @ 0..=0x7f] => vec![*small],
        digits => {
            let length = u8::try_from(digits.len()).expect("eight at most");
            let mut encoded = vec![0x80 | length];
            encoded.extend_from_slice(digits);
            encoded
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        let long = [&[0xb8, 56][..], &[7; 56]].concat();
        let cases: [(&[u8], Item<'_>); 7] = [
            (&[0], Item::Bytes(&[0])),
            (&[0x7f], Item::Bytes(&[0x7f])),
            (&[0x80], Item::Bytes(&[])),
            (&[0x81, 0x80], Item::Bytes(&[0x80])),
            (&long, Item::Bytes(&[7; 56])),
            (&[0xc0], Item::List(List(&[]))),
            (&[0xc2, 1, 0x80], Item::List(List(&[1, 0x80]))),
        ];
        for (bytes, expected) in cases {
            assert_eq!(only(bytes), Ok(expected), "{bytes:?}");
        }
    }

    #[test]
    fn what_has_another_form_is_refused() {
        let cases: [(&[u8], RlpError); 12] = [
            (&[], RlpError::Short),
            (&[0x81], RlpError::Short),
            (&[0x82, 1], RlpError::Short),
            (&[0xb8], RlpError::Short),
            (&[0xf8, 56, 1], RlpError::Short),
            (&[0xbf, 255, 255, 255, 255, 255, 255, 255, 255], RlpError::Short),
            (&[1, 2], RlpError::Trailing { bytes: 1 }),
            (&[0x81, 0x7f], RlpError::NotCanonical),
            (&[0xb8, 55], RlpError::NotCanonical),
            (&[0xb9, 0, 56], RlpError::NotCanonical),
            (&[0xf8, 0], RlpError::NotCanonical),
            (&[0xc0, 0], RlpError::Trailing { bytes: 1 }),
        ];
        for (bytes, expected) in cases {
            assert_eq!(only(bytes), Err(expected), "{bytes:?}");
        }
    }

    #[test]
    fn numbers_have_one_form() {
        let number = |bytes: &[u8]| only(bytes).and_then(Item::u64);
        assert_eq!(number(&[0x80]), Ok(0));
        assert_eq!(number(&[0x82, 1, 0]), Ok(256));
        assert_eq!(number(&[0]), Err(RlpError::NotCanonical));
        assert_eq!(number(&[0x82, 0, 1]), Err(RlpError::NotCanonical));
        assert_eq!(
            number(&[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
            Err(RlpError::Length { expected: 8, actual: 9 })
        );
        assert_eq!(number(&[0xc0]), Err(RlpError::Kind));
        for value in [0, 1, 127, 128, 255, 256, u64::MAX] {
            assert_eq!(number(&encode_u64(value)), Ok(value));
        }
    }
}
