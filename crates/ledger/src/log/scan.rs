//! Reads the records of a segment from front to back, and says where they stop making sense.

use std::io;

use crate::cursor::{length, wide};
use crate::files::OpenFile;
use crate::format::{RECORD_BYTES_MAX, SEAL_MAGIC, record};

/// What stands before a body: its length and its checksum.
pub(super) const FRAME: usize = 8;
/// How much is read at once.
const CHUNK: usize = 256 * 1024;
/// How much is read at once where one record is wanted.
const SMALL_CHUNK: usize = 512;
/// The bytes of a seal's body.
const SEAL_BODY: usize = 25;
/// The bytes of a seal.
pub(super) const SEAL: usize = FRAME + SEAL_BODY;

/// What stands at a place of a segment.
pub(super) enum Step<'a> {
    /// A record whose checksum holds.
    Record {
        /// Where it begins.
        offset: u64,
        /// Its body.
        body: &'a [u8],
    },
    /// The end of the file.
    End,
    /// Something that is no record.
    Broken {
        /// Where it begins.
        offset: u64,
        /// What is wrong with it.
        what: String,
    },
}

/// A place in a segment.
pub(super) struct Scanner {
    file: Box<dyn OpenFile>,
    size: u64,
    /// Where the next record begins.
    offset: u64,
    /// Bytes of the file from `offset` on, behind what was consumed.
    buffer: Vec<u8>,
    consumed: usize,
    chunk: usize,
}

impl Scanner {
    /// Begins at a place at which a record begins.
    pub(super) fn new(file: Box<dyn OpenFile>, offset: u64) -> io::Result<Self> {
        let size = file.size()?;
        Ok(Self { file, size, offset, buffer: Vec::new(), consumed: 0, chunk: CHUNK })
    }

    /// The same for whoever wants a record or two.
    pub(super) fn sparing(file: Box<dyn OpenFile>, offset: u64) -> io::Result<Self> {
        Ok(Self { chunk: SMALL_CHUNK, ..Self::new(file, offset)? })
    }

    /// Fills `into` from a place of the file.
    pub(super) fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        crate::files::read_exact_at(self.file.as_ref(), offset, into)
    }

    /// How many bytes the file has.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Takes it that the file has grown.
    pub(super) fn refresh(&mut self) -> io::Result<()> {
        self.size = self.file.size()?;
        Ok(())
    }

    /// The next record. The scanner stays where it is if there is none.
    pub(super) fn next(&mut self) -> io::Result<Step<'_>> {
        let offset = self.offset;
        let broken = |what: String| Ok(Step::Broken { offset, what });
        let left = self.size.saturating_sub(offset);
        if left == 0 {
            return Ok(Step::End);
        }
        if left < wide(FRAME) {
            return broken(format!("the file ends after {left} bytes of a record's first {FRAME}"));
        }
        self.fill(FRAME)?;
        let (size, checksum) = frame(self.ahead());
        if size == 0 {
            return broken("a record of no bytes".to_owned());
        }
        if size > RECORD_BYTES_MAX {
            return broken(format!("a record of {size} bytes, and it may have {RECORD_BYTES_MAX}"));
        }
        let whole = FRAME + length(size);
        if wide(whole) > left {
            return broken(format!("a record of {whole} bytes, and the file ends after {left}"));
        }
        self.fill(whole)?;
        let start = self.consumed + FRAME;
        let body_is_sound = {
            let body = self.buffer.get(start..start + length(size)).unwrap_or_default();
            crc32fast::hash(body) == checksum
        };
        if !body_is_sound {
            return broken(format!("the checksum of a record of {size} bytes does not hold"));
        }
        self.consumed += whole;
        self.offset += wide(whole);
        let body = self.buffer.get(start..start + length(size)).unwrap_or_default();
        Ok(Step::Record { offset, body })
    }

    /// What was read and not consumed.
    fn ahead(&self) -> &[u8] {
        self.buffer.get(self.consumed..).unwrap_or_default()
    }

    /// Reads until `count` bytes are ahead.
    fn fill(&mut self, count: usize) -> io::Result<()> {
        if self.ahead().len() >= count {
            return Ok(());
        }
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        let known = self.buffer.len();
        let from = self.offset + wide(known);
        let left = usize::try_from(self.size.saturating_sub(from)).unwrap_or(usize::MAX);
        let wanted = count.saturating_sub(known).max(self.chunk).min(left);
        self.buffer.resize(known + wanted, 0);
        let place = self.buffer.get_mut(known..).unwrap_or_default();
        crate::files::read_exact_at(self.file.as_ref(), from, place)
    }

    /// Where the first seal behind the current place is, if there is one.
    pub(super) fn seal_ahead(&mut self) -> io::Result<Option<u64>> {
        let left = usize::try_from(self.size.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        self.fill(left)?;
        let rest = self.ahead();
        let found = (0..rest.len()).find_map(|place| {
            let record = rest.get(place..place + SEAL)?;
            let offset = self.offset + wide(place);
            let next = sealed(record.get(FRAME..)?, offset)?;
            (record == seal(offset, next)).then_some(offset)
        });
        Ok(found)
    }
}

/// Length and checksum.
fn frame(bytes: &[u8]) -> (u32, u32) {
    let mut cursor = crate::cursor::Cursor::new(bytes);
    let length = cursor.u32("a record's length").unwrap_or(0);
    (length, cursor.u32("a record's checksum").unwrap_or(0))
}

/// Writes length and checksum before a body that begins at `FRAME`.
pub(super) fn close(record: &mut [u8]) {
    let Some((head, body)) = record.split_at_mut_checked(FRAME) else { return };
    let size = crate::cursor::narrow(body.len()).to_be_bytes();
    let checksum = crc32fast::hash(body).to_be_bytes();
    for (place, byte) in head.iter_mut().zip(size.into_iter().chain(checksum)) {
        *place = byte;
    }
}

/// The record that says: everything before `offset`, where it stands itself, was synced, and `next` is the height of what comes next.
pub(super) fn seal(offset: u64, next: u64) -> [u8; SEAL] {
    let mut bytes = Vec::with_capacity(SEAL);
    bytes.extend_from_slice(&[0; FRAME]);
    bytes.push(record::SEALED);
    bytes.extend_from_slice(&SEAL_MAGIC);
    bytes.extend_from_slice(&offset.to_be_bytes());
    bytes.extend_from_slice(&next.to_be_bytes());
    close(&mut bytes);
    bytes.try_into().expect("a seal has 33 bytes")
}

/// The height that a seal's body names as the next, if it is that of a seal at `offset`.
pub(super) fn sealed(body: &[u8], offset: u64) -> Option<u64> {
    let mut cursor = crate::cursor::Cursor::new(body);
    let what = "a seal";
    let is_seal = cursor.u8(what) == Ok(record::SEALED)
        && cursor.array::<8>(what) == Ok(SEAL_MAGIC)
        && cursor.u64(what) == Ok(offset);
    let next = cursor.u64(what).ok()?;
    (is_seal && cursor.left() == 0).then_some(next)
}
