//! Items under consecutive heights, in segment files that only grow.
//!
//! Two logs are kept this way: the journal, whose items are the truth ([`Care::Truth`]: synced one by one, and damage stops), and the receipts
//! ([`Care::Rebuildable`]: damage is cut away and filled again). What an item means is not known here.
//!
//! **Torn or damaged?** After an item was synced, a small record, the *seal*, follows it, which is not synced itself. What is broken with a seal
//! behind it had been synced, so it is damage, and opening stops. What is broken with no seal behind it is the torn end of a write that nobody
//! was told about, and is cut.
//!
//! **Durable or in memory?** What is read at opening may be what a failed sync has left in the memory of the system, and the next sync
//! says nothing about it. So opening writes the newest item again, the same bytes in the same place, before it syncs: then a sync that
//! succeeds means what it says, and no item that is on the disk is ever missing from it.
//!
//! **What opening reads.** The newest segments are read whole, back to the height that the caller asks for. Of older ones only the two ends are: a
//! segment that is followed by another ends with a seal that names the other's first height, so a missing or shortened one is noticed. What is between is checked when it is read.

mod open;
mod read;
mod scan;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use protocol::units::Digest;

use crate::cursor::wide;
use crate::fault::Fault;
use crate::files::{Access, Files, OpenFile};
use crate::format::{FORMAT, RECORD_BYTES_MAX, record};

pub(crate) use open::Cut;
pub(crate) use read::{LogReader, Walk};

/// Of so many items the place of one is kept in memory.
const STRIDE: u64 = 32;

/// What a log is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// Each item is synced before anything else happens. Damage stops.
    Truth,
    /// Items are synced when asked. Damage, and everything after it, is cut away.
    Rebuildable,
}

/// Which log, of which ledger.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub(crate) folder: &'static str,
    pub(crate) magic: [u8; 8],
    pub(crate) chain: Digest,
    pub(crate) care: Care,
    /// What to do when it is damaged.
    pub(crate) remedy: &'static str,
}

/// From where on a log is read when it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// The item of this height, and all that follow.
    Height(u64),
    /// The newest segments.
    Newest,
}

/// Of the newest segments so many are always read: when a crash has torn the last one, the one before goes on.
const NEWEST: usize = 2;

/// A segment: its items have the heights `first .. first + count`.
#[derive(Clone, Debug)]
struct Segment {
    first: u64,
    count: u64,
    size: u64,
    /// From here on a failed sync may have left less on the disk than what is read: the newest item, and the seals on both sides of it.
    doubtful: u64,
    /// Where the items `first`, `first + STRIDE`, ... begin; `None`: nobody has read it yet.
    marks: Option<Vec<u64>>,
}

impl Segment {
    /// A segment without items, that is about to be read or written.
    const fn new(first: u64, size: u64) -> Self {
        Self { first, count: 0, size, doubtful: 0, marks: Some(Vec::new()) }
    }

    /// Takes note of the next item.
    fn push(&mut self, offset: u64, end: u64) {
        if let Some(marks) = &mut self.marks
            && self.count.is_multiple_of(STRIDE)
        {
            marks.push(offset);
        }
        self.count += 1;
        self.size = end;
    }
}

/// What readers share with the writer.
#[derive(Debug, Default)]
struct Table {
    segments: Vec<Segment>,
}

impl Table {
    /// The next height.
    fn next(&self) -> u64 {
        self.segments.last().map_or(0, |segment| segment.first + segment.count)
    }

    /// Of the newest segment: its first height, how many items it has, and its size.
    fn tail(&self) -> (u64, u64, u64) {
        self.segments.last().map_or((0, 0, 0), |last| (last.first, last.count, last.size))
    }
}

#[derive(Clone, Debug, Default)]
struct Shared(Arc<RwLock<Table>>);

impl Shared {
    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A log that is written.
pub(crate) struct Log {
    files: Arc<dyn Files>,
    identity: Identity,
    table: Shared,
    tail: Box<dyn OpenFile>,
    /// A segment of this size is followed by the next.
    segment_bytes: u64,
    /// Whether nothing was written after the last seal.
    is_sealed: bool,
    buffer: Vec<u8>,
}

/// The name of the segment that begins with a height.
fn segment_name(folder: &str, first: u64) -> String {
    format!("{folder}/{first:020}.log")
}

impl Log {
    /// The height of the next item.
    pub(crate) fn next(&self) -> u64 {
        self.table.read().next()
    }

    /// Another size after which a segment is followed by the next.
    pub(crate) const fn set_segment_bytes(&mut self, bytes: u64) {
        self.segment_bytes = bytes;
    }

    /// That size.
    pub(crate) const fn segment_bytes(&self) -> u64 {
        self.segment_bytes
    }

    /// The first heights of the segments, in order.
    pub(crate) fn firsts(&self) -> Vec<u64> {
        self.table.read().segments.iter().map(|segment| segment.first).collect()
    }

    /// For reading, from any thread.
    pub(crate) fn reader(&self) -> LogReader {
        LogReader::new(Arc::clone(&self.files), self.identity, self.table.clone())
    }

    /// Appends the next item, which `write` puts at the end of a buffer; in a log of the truth it is durable on return.
    ///
    /// # Errors
    /// [`Fault::Io`]. Then nothing is known about what was written, and this must not be used any more.
    pub(crate) fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Fault> {
        self.put(self.identity.care, write)
    }

    /// Appends the next item without making it durable: [`Log::sync`] does that for many at once.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub(crate) fn append_unsynced(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Fault> {
        self.put(Care::Rebuildable, write)
    }

    fn put(&mut self, care: Care, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Fault> {
        let (first, count, size) = self.table.read().tail();
        let height = first + count;
        let (first, size) = if size >= self.segment_bytes && count > 0 {
            (height, self.roll(first, height)?)
        } else {
            (first, size)
        };
        let name = segment_name(self.identity.folder, first);
        self.buffer.clear();
        self.buffer.extend_from_slice(&[0; scan::FRAME]);
        self.buffer.push(record::ITEM);
        self.buffer.extend_from_slice(&height.to_be_bytes());
        write(&mut self.buffer);
        check_size(self.buffer.len() - scan::FRAME, &name)?;
        scan::close(&mut self.buffer);
        let end = size + wide(self.buffer.len());
        self.is_sealed = false;
        self.tail.append(&self.buffer).map_err(Fault::io("writing", name.as_str()))?;
        if care == Care::Truth {
            self.tail.sync().map_err(Fault::io("syncing", name.as_str()))?;
            self.seal(end, height + 1, &name)?;
        }
        if let Some(last) = self.table.write().segments.last_mut() {
            last.push(size, end);
            last.size += if self.is_sealed { wide(scan::SEAL) } else { 0 };
        }
        Ok(())
    }

    /// Says that everything before was synced.
    fn seal(&mut self, offset: u64, next: u64, name: &str) -> Result<(), Fault> {
        self.tail.append(&scan::seal(offset, next)).map_err(Fault::io("writing", name))?;
        self.is_sealed = true;
        Ok(())
    }

    /// Makes everything durable.
    pub(crate) fn sync(&mut self) -> Result<(), Fault> {
        let first = self.table.read().segments.last().map_or(0, |last| last.first);
        self.tail.sync().map_err(Fault::io("syncing", segment_name(self.identity.folder, first)))
    }

    /// Begins the segment of `height`; the one before ends with a seal, and is durable. Returns its size.
    fn roll(&mut self, first: u64, height: u64) -> Result<u64, Fault> {
        let name = segment_name(self.identity.folder, first);
        if !self.is_sealed {
            self.sync()?;
            let (_, _, size) = self.table.read().tail();
            self.seal(size, height, &name)?;
            if let Some(last) = self.table.write().segments.last_mut() {
                last.size += wide(scan::SEAL);
            }
        }
        self.tail.sync().map_err(Fault::io("syncing", name))?;
        let (tail, segment) = begin_segment(self.files.as_ref(), &self.identity, height)?;
        let size = segment.size;
        self.tail = tail;
        self.is_sealed = false;
        self.table.write().segments.push(segment);
        Ok(size)
    }
}

/// What is longer than any record could not be read again.
fn check_size(bytes: usize, name: &str) -> Result<(), Fault> {
    if wide(bytes) <= u64::from(RECORD_BYTES_MAX) {
        return Ok(());
    }
    let why = format!("a record of {bytes} bytes is larger than {RECORD_BYTES_MAX}");
    Err(Fault::io("writing", name)(std::io::Error::new(std::io::ErrorKind::InvalidInput, why)))
}

/// Makes a segment with its opening, durable.
fn begin_segment(
    files: &dyn Files,
    identity: &Identity,
    first: u64,
) -> Result<(Box<dyn OpenFile>, Segment), Fault> {
    let name = segment_name(identity.folder, first);
    let mut file = files.open(&name, Access::Append).map_err(Fault::io("making", name.as_str()))?;
    let opening = opening(identity, first);
    file.truncate(0).map_err(Fault::io("emptying", name.as_str()))?;
    file.append(&opening).map_err(Fault::io("writing", name.as_str()))?;
    file.sync().map_err(Fault::io("syncing", name.as_str()))?;
    files.sync_folder(identity.folder).map_err(Fault::io("syncing the folder of", name.as_str()))?;
    files.sync_folder("").map_err(Fault::io("syncing the folder above", name.as_str()))?;
    Ok((file, Segment::new(first, wide(opening.len()))))
}

/// The first record of a segment.
fn opening(identity: &Identity, first: u64) -> Vec<u8> {
    let mut bytes = vec![0; scan::FRAME];
    bytes.push(record::OPENING);
    bytes.extend_from_slice(&identity.magic);
    bytes.extend_from_slice(&FORMAT.to_be_bytes());
    bytes.extend_from_slice(&identity.chain.0);
    bytes.extend_from_slice(&first.to_be_bytes());
    scan::close(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests;
