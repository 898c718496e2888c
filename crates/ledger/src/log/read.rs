//! Reads a log while it is written.

use std::sync::Arc;

use super::open::{Ending, scan_segment};
use super::scan::{Scanner, Step};
use super::{Identity, STRIDE, Segment, Shared, segment_name};
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

    /// The first height of the segment of a height, and where to begin in it; `None` if it has not been appended.
    fn locate(&self, height: u64) -> Result<Option<(u64, u64)>, Fault> {
        let Some((first, begin)) = self.begin(height) else { return Ok(None) };
        if let Some(begin) = begin {
            return Ok(Some((first, begin)));
        }
        self.index(first)?;
        Ok(self.begin(height).map(|(first, begin)| (first, begin.unwrap_or(0))))
    }

    /// The first height of the segment of a height, and where to begin in it if that is known.
    fn begin(&self, height: u64) -> Option<(u64, Option<u64>)> {
        let table = self.table.read();
        if height >= table.next() {
            return None;
        }
        let index = table.segments.partition_point(|segment| segment.first <= height).checked_sub(1)?;
        let segment = table.segments.get(index)?;
        let mark = usize::try_from((height - segment.first) / STRIDE).ok()?;
        // Whoever begins with the first item passes the opening.
        let first = (height == segment.first).then_some(0);
        let begin = segment.marks.as_ref().and_then(|marks| marks.get(mark).copied());
        Some((segment.first, begin.or(first)))
    }

    /// Reads a segment that nobody has read since the log was opened, checks it, and keeps the places of its items.
    fn index(&self, first: u64) -> Result<(), Fault> {
        let mut read = Segment::new(first, 0);
        let ending = scan_segment(self.files.as_ref(), &self.identity, &mut read, &mut |_, _| Ok(()))?;
        let mut table = self.table.write();
        let known = table.segments.iter_mut().find(|segment| segment.first == first);
        let Some(known) = known.filter(|known| known.marks.is_none()) else { return Ok(()) };
        let (file, remedy) = (segment_name(self.identity.folder, first), self.identity.remedy);
        match ending {
            Ending::Torn { offset, what } => Err(Fault::Damaged { file, offset, what, remedy }),
            Ending::Whole { .. } if read.count != known.count => {
                let what = format!("it has {} items, and {} are missing", read.count, known.count);
                Err(Fault::Damaged { file, offset: read.size, what, remedy })
            }
            Ending::Whole { .. } => {
                known.marks = read.marks;
                Ok(())
            }
        }
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
        let Some((first, mark)) = self.reader.locate(self.height)? else { return Ok(None) };
        let name = segment_name(self.reader.identity.folder, first);
        let failed = || Fault::io("reading", name.as_str());
        let remedy = self.reader.identity.remedy;
        if self.place.as_ref().is_none_or(|(open, _)| *open != first) {
            let file = self.reader.files.open(&name, Access::Read).map_err(failed())?;
            self.place = Some((first, Scanner::new(file, mark).map_err(failed())?));
        }
        let Some((_, scanner)) = &mut self.place else { return Ok(None) };
        scanner.refresh().map_err(failed())?;
        let damaged = |offset: u64, what: String| Fault::Damaged { file: name.clone(), offset, what, remedy };
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
