//! Reads fixed layouts from bytes that may end early, and writes them.

use protocol::units::Digest;

/// Why bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The bytes end inside a field.
    #[error("the bytes end {missing} bytes before the end of {what}")]
    Short {
        /// The field.
        what: &'static str,
        /// How many bytes are missing.
        missing: usize,
    },
    /// Something follows where nothing should.
    #[error("{bytes} bytes follow the end of {what}")]
    Long {
        /// What has ended.
        what: &'static str,
        /// How many bytes follow.
        bytes: usize,
    },
    /// Another version of the format.
    #[error("{what} has version {found}, and this program knows version {known}")]
    Version {
        /// What has it.
        what: &'static str,
        /// The version that was found.
        found: u16,
        /// The version that is known.
        known: u16,
    },
    /// More of something than allowed.
    #[error("{found} {what} are more than {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        found: u64,
        /// How many are allowed.
        limit: u64,
    },
    /// An operation that can't be read.
    #[error("operation {index} can't be read: {why}")]
    Operation {
        /// Its place in the block.
        index: usize,
        /// What was found.
        why: String,
    },
    /// A value that has no meaning.
    #[error("{what}: {why}")]
    Value {
        /// Of what.
        what: &'static str,
        /// What was found.
        why: String,
    },
}

/// Bytes that are read from front to back.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes are left.
    pub(crate) const fn left(&self) -> usize {
        self.rest.len()
    }

    /// The next `count` bytes.
    pub(crate) fn bytes(&mut self, what: &'static str, count: usize) -> Result<&'a [u8], Malformed> {
        let missing = count.saturating_sub(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed::Short { what, missing })?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        self.bytes(what, N).map(|bytes| bytes.try_into().expect("as many bytes were taken"))
    }

    pub(crate) fn u8(&mut self, what: &'static str) -> Result<u8, Malformed> {
        self.array(what).map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self, what: &'static str) -> Result<u16, Malformed> {
        self.array(what).map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, Malformed> {
        self.array(what).map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, Malformed> {
        self.array(what).map(u64::from_be_bytes)
    }

    pub(crate) fn digest(&mut self, what: &'static str) -> Result<Digest, Malformed> {
        self.array(what).map(Digest)
    }

    /// Bytes behind their length of 4 bytes.
    pub(crate) fn sized(&mut self, what: &'static str, limit: usize) -> Result<&'a [u8], Malformed> {
        let length = length(self.u32(what)?);
        if length > limit {
            return Err(Malformed::TooMany { what, found: wide(length), limit: wide(limit) });
        }
        self.bytes(what, length)
    }

    /// Nothing may be left.
    pub(crate) fn end(&self, what: &'static str) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed::Long { what, bytes: self.rest.len() }) }
    }
}

/// A count that was read, as a length in memory.
pub(crate) fn length(count: u32) -> usize {
    usize::try_from(count).expect("a usize has at least 32 bits on every machine that this runs on")
}

/// A length in memory as a number of 64 bits.
pub(crate) fn wide(length: usize) -> u64 {
    u64::try_from(length).expect("a usize has at most 64 bits on every machine that this runs on")
}

/// A length in memory as a field of 4 bytes.
///
/// # Panics
/// Only on a bug: lengths are checked against limits far below.
pub(crate) fn narrow(length: usize) -> u32 {
    u32::try_from(length).expect("a checked length is below its limit")
}

/// Appends bytes behind their length of 4 bytes.
pub(crate) fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&narrow(bytes.len()).to_be_bytes());
    out.extend_from_slice(bytes);
}
