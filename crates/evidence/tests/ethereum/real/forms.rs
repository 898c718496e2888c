//! Forms in which the data lies: RLP, the YAML of its blocks, archives. Read by other code than that of the crate.

use std::io::Read as _;

use flate2::read::{DeflateDecoder, GzDecoder};

/// A value in RLP, with its encoding.
#[derive(Clone, Debug)]
pub(super) struct Rlp<'a> {
    /// The whole, with its head.
    pub(super) encoded: &'a [u8],
    /// What follows the head.
    pub(super) content: &'a [u8],
}

impl<'a> Rlp<'a> {
    /// The first value.
    pub(super) fn first(bytes: &'a [u8]) -> Self {
        let long = |head: u8, base: u8| {
            let digits = usize::from(head - base);
            let length = bytes[1..=digits].iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
            (1 + digits, length)
        };
        let (start, length) = match bytes[0] {
            0..=0x7f => (0, 1),
            head @ 0x80..=0xb7 => (1, usize::from(head - 0x80)),
            head @ 0xb8..=0xbf => long(head, 0xb7),
            head @ 0xc0..=0xf7 => (1, usize::from(head - 0xc0)),
            head @ 0xf8..=0xff => long(head, 0xf7),
        };
        Self { encoded: &bytes[..start + length], content: &bytes[start..start + length] }
    }

    /// The values of a list.
    pub(super) fn items(&self) -> Vec<Self> {
        let (mut items, mut rest) = (Vec::new(), self.content);
        while !rest.is_empty() {
            let item = Self::first(rest);
            rest = &rest[item.encoded.len()..];
            items.push(item);
        }
        items
    }

    /// A number.
    pub(super) fn number(&self) -> u64 {
        self.content.iter().fold(0, |number, digit| number << 8 | u64::from(*digit))
    }
}

/// The lines `name: 0x…` of a packed text.
pub(super) fn unpack_lines(packed: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let lines = text.lines().map(|line| line.split_once(": ").unwrap());
    lines.map(|(name, value)| (name.to_owned(), super::unhex(value.trim_matches('"')))).collect()
}

/// The one file of an archive. Its length and its checksum are compared by whoever made it.
pub(super) fn unzip(archive: &[u8]) -> Vec<u8> {
    let short = |at: usize| usize::from(u16::from_le_bytes([archive[at], archive[at + 1]]));
    assert_eq!(archive[..4], *b"PK\x03\x04", "a local header begins an archive");
    assert_eq!(short(8), 8, "deflated");
    let start = 30 + short(26) + short(28);
    let mut content = Vec::new();
    DeflateDecoder::new(&archive[start..]).read_to_end(&mut content).unwrap();
    content
}
