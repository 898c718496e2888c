//! Reads a log while it is written.

use std::sync::Arc;

use super::scan::{Scanner, Step};
use super::{Identity, STRIDE, Shared, segment_name};
use crate::cursor::Cursor;
use crate::fault::Fault;
use crate::files::{Access, Files};
use crate::format::record;

/// Reads items, from any thread. It sees what was appended completely.
#[derive(Clone)]
pub(crate) struct LogReader {
    files: Arc<dyn Files>,
    identity: Identity,
    table: Shared,
}

impl LogReader {
    pub(super) fn new(files: Arc<dyn Files>, identity: Identity, table: Shared) -> Self {
        Self { files, identity, table }
    }

    /// The height after the last item.
    pub(crate) fn next(&self) -> u64 {
        self.table.read().next()
    }

    /// The first heights of the segments, in order.
    pub(crate) fn firsts(&self) -> Vec<u64> {
        self.table.read().segments.iter().map(|segment| segment.first).collect()
    }

    /// The item of a height; `None` if it has not been appended.
    ///
    /// # Errors
    /// [`Fault::Io`], [`Fault::Damaged`].
    pub(crate) fn read(&self, height: u64) -> Result<Option<Vec<u8>>, Fault> {
        self.walk(height).next().transpose().map(|item| item.map(|(_, bytes)| bytes))
    }

    /// The items from a height on, as far as they go.
    pub(crate) fn walk(&self, from: u64) -> Walk {
        Walk { reader: self.clone(), height: from, place: None }
    }

    /// The name of the segment of a height, where to begin in it, and its first height.
    fn locate(&self, height: u64) -> Option<(u64, u64)> {
        let table = self.table.read();
        if height >= table.next() {
            return None;
        }
        let index = table.segments.partition_point(|segment| segment.first <= height).checked_sub(1)?;
        let segment = table.segments.get(index)?;
        let mark = usize::try_from((height - segment.first) / STRIDE).ok()?;
        Some((segment.first, *segment.marks.get(mark)?))
    }
}

/// Items one after the other.
pub(crate) struct Walk {
    reader: LogReader,
    height: u64,
    /// The segment that is read, and the place in it.
    place: Option<(u64, Scanner)>,
}

impl Iterator for Walk {
    type Item = Result<(u64, Vec<u8>), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let height = self.height;
        match self.advance() {
            Ok(item) => item.map(|bytes| Ok((height, bytes))),
            Err(fault) => {
                // Whoever goes on after a fault finds the end.
                self.height = u64::MAX;
                Some(Err(fault))
            }
        }
    }
}

impl Walk {
    fn advance(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let Some((first, mark)) = self.reader.locate(self.height) else { return Ok(None) };
        let name = segment_name(self.reader.identity.folder, first);
        let failed = || Fault::io("reading", name.as_str());
        if self.place.as_ref().is_none_or(|(open, _)| *open != first) {
            let file = self.reader.files.open(&name, Access::Read).map_err(failed())?;
            self.place = Some((first, Scanner::new(file, mark).map_err(failed())?));
        }
        let Some((_, scanner)) = &mut self.place else { return Ok(None) };
        scanner.refresh().map_err(failed())?;
        let damaged = |offset: u64, what: String| Fault::Damaged {
            file: name.clone(),
            offset,
            what,
            remedy: "run `surety verify` on the folder, and restore it from a snapshot or a backup",
        };
        loop {
            let (offset, body) = match scanner.next().map_err(failed())? {
                Step::Record { offset, body } => (offset, body),
                Step::Broken { offset, what } => return Err(damaged(offset, what)),
                Step::End => {
                    return Err(damaged(scanner.size(), format!("height {} is missing", self.height)));
                }
            };
            let mut cursor = Cursor::new(body);
            if cursor.u8("the kind of a record") != Ok(record::ITEM) {
                continue;
            }
            let found = cursor.u64("a height").map_err(|why| damaged(offset, why.to_string()))?;
            if found == self.height {
                self.height += 1;
                let skipped = body.len() - cursor.left();
                return Ok(Some(body.get(skipped..).unwrap_or_default().to_vec()));
            }
            if found > self.height {
                return Err(damaged(offset, format!("height {} is missing before {found}", self.height)));
            }
        }
    }
}

impl std::fmt::Debug for Walk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "items of {} from height {}", self.reader.identity.folder, self.height)
    }
}
