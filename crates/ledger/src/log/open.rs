//! Opens a log: every record is checked, the torn end is cut, anything else stops.

use std::sync::Arc;

use super::scan::{Scanner, Step};
use super::{
    Care, Identity, Log, LogReader, NEWEST, Segment, Shared, Since, Table, begin_segment, scan, segment_name,
};
use crate::cursor::{Cursor, Malformed, wide};
use crate::fault::Fault;
use crate::files::{Access, Files, read_exact_at};
use crate::format::{FORMAT, SEGMENT_BYTES, record};

/// What was cut away when a log was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) file: String,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) what: String,
}

/// How the scan of a segment ended.
pub(super) enum Ending {
    Whole { is_sealed: bool },
    Torn { offset: u64, what: String },
}

/// Sees every item that is read: its height and bytes. The text says why it is not what it must be.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(u64, &[u8]) -> Result<(), String>;

impl Log {
    /// Opens a log, makes it if there is none, and shows every item that it reads to `visit`: of the segments from the one with `since` on.
    ///
    /// # Errors
    /// [`Fault::Io`], [`Fault::Damaged`], [`Fault::Format`], [`Fault::OtherLedger`].
    pub(crate) fn open(
        files: Arc<dyn Files>,
        identity: Identity,
        since: Since,
        visit: Visit<'_>,
    ) -> Result<(Self, Vec<Cut>), Fault> {
        let mut scanned = scan_all(files.as_ref(), &identity, since, visit)?;
        let mut cuts = Vec::new();
        if let Some(Torn { mut segment, rest, offset, what }) = scanned.torn.take() {
            cuts.push(cut(files.as_ref(), &identity, &mut segment, &rest, offset, what)?);
            if segment.count > 0 {
                scanned.is_sealed = false;
                scanned.table.segments.push(segment);
            }
        }
        let log = Self::finish(files, identity, scanned.table, scanned.is_sealed)?;
        Ok((log, cuts))
    }

    /// Reads a log without changing anything, and shows every item to `visit`. A torn end is left alone, and said in words.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub(crate) fn look(
        files: Arc<dyn Files>,
        identity: Identity,
        visit: Visit<'_>,
    ) -> Result<(LogReader, Option<String>), Fault> {
        let mut scanned = scan_all(files.as_ref(), &identity, Since::Height(0), visit)?;
        let torn = scanned.torn.take().map(|torn| {
            let what = format!(
                "{} at byte {}: {}",
                segment_name(identity.folder, torn.segment.first),
                torn.offset,
                torn.what
            );
            scanned.table.segments.push(torn.segment);
            what
        });
        let shared = Shared::default();
        *shared.write() = scanned.table;
        Ok((LogReader::new(files, identity, shared), torn))
    }

    /// Forgets the items from a height on. Readers of before must not be used any more.
    ///
    /// # Errors
    /// [`Fault::Io`]; then this must be opened again.
    pub(crate) fn cut(self, next: u64) -> Result<Self, Fault> {
        let Self { files, identity, table, .. } = self;
        let mut kept = std::mem::take(&mut *table.write());
        let at = kept.segments.partition_point(|segment| segment.first + segment.count <= next);
        let mut removed = kept.segments.split_off(at);
        if let Some(segment) = removed.first_mut() {
            let firsts: Vec<u64> = kept_firsts(&files, &identity, segment.first)?;
            let offset = segment_offset(files.as_ref(), &identity, segment, next)?;
            segment.count = next.saturating_sub(segment.first);
            cut(files.as_ref(), &identity, segment, &firsts, offset, String::new())?;
            if segment.count > 0 {
                let mut read = Segment::new(segment.first, 0);
                scan_segment(files.as_ref(), &identity, &mut read, &mut |_, _| Ok(()))?;
                kept.segments.push(read);
            }
        }
        Self::finish(files, identity, kept, false)
    }

    /// Opens the end for writing. What was found there is made durable before anybody acts on it.
    fn finish(
        files: Arc<dyn Files>,
        identity: Identity,
        mut table: Table,
        mut is_sealed: bool,
    ) -> Result<Self, Fault> {
        let tail = match table.segments.last_mut() {
            None => {
                let (tail, segment) = begin_segment(files.as_ref(), &identity, 0)?;
                table.segments.push(segment);
                tail
            }
            Some(last) => {
                let name = segment_name(identity.folder, last.first);
                let opened = files.open(&name, Access::Append);
                let mut tail = opened.map_err(Fault::io("opening", name.as_str()))?;
                if identity.care == Care::Truth {
                    write_again(files.as_ref(), &name, last)?;
                }
                tail.sync().map_err(Fault::io("syncing", name.as_str()))?;
                files
                    .sync_folder(identity.folder)
                    .map_err(Fault::io("syncing the folder of", name.as_str()))?;
                if !is_sealed && identity.care == Care::Truth {
                    let seal = scan::seal(last.size, last.first + last.count);
                    tail.append(&seal).map_err(Fault::io("writing", name))?;
                    last.size += wide(seal.len());
                    is_sealed = true;
                }
                tail
            }
        };
        let shared = Shared::default();
        *shared.write() = table;
        let (segment_bytes, buffer) = (SEGMENT_BYTES, Vec::new());
        Ok(Self { files, identity, table: shared, tail, segment_bytes, is_sealed, buffer })
    }
}

/// Writes what is doubtful of a segment again, the same bytes in the same place: what a failed sync has left in memory only is then written by the
/// next, and what is on the disk stays there meanwhile.
fn write_again(files: &dyn Files, name: &str, segment: &Segment) -> Result<(), Fault> {
    let opened = files.open(name, Access::Over(segment.doubtful));
    let mut file = opened.map_err(Fault::io("opening", name))?;
    let length = usize::try_from(segment.size.saturating_sub(segment.doubtful)).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length];
    read_exact_at(file.as_ref(), segment.doubtful, &mut bytes).map_err(Fault::io("reading", name))?;
    file.append(&bytes).map_err(Fault::io("writing", name))
}

/// What is on disk.
struct Scanned {
    /// The segments that are whole.
    table: Table,
    /// Whether a seal follows the last item.
    is_sealed: bool,
    torn: Option<Torn>,
}

/// Where a log ends that does not end well.
struct Torn {
    /// The segment, as far as it is whole.
    segment: Segment,
    /// The first heights of this segment and those that follow.
    rest: Vec<u64>,
    offset: u64,
    what: String,
}

/// Which of the segments is the first that is read whole.
fn first_read(firsts: &[u64], since: Since) -> usize {
    let newest = firsts.len().saturating_sub(NEWEST);
    match since {
        Since::Newest => newest,
        Since::Height(height) => {
            newest.min(firsts.partition_point(|first| *first <= height).saturating_sub(1))
        }
    }
}

/// Checks every record of the segments from the one with `since` on, and both ends of those before.
fn scan_all(
    files: &dyn Files,
    identity: &Identity,
    since: Since,
    visit: Visit<'_>,
) -> Result<Scanned, Fault> {
    let firsts = list_segments(files, identity)?;
    let first_read = first_read(&firsts, since);
    let mut scanned = Scanned { table: Table::default(), is_sealed: true, torn: None };
    for (index, first) in firsts.iter().copied().enumerate() {
        let next = scanned.table.next();
        let mut segment = Segment::new(first, 0);
        let follower = firsts.get(index + 1).copied().filter(|_| index < first_read);
        let ending = match follower {
            _ if first != next => Err(missing(identity, first, next)),
            Some(follower) => look_at_ends(files, identity, &mut segment, follower),
            None => scan_segment(files, identity, &mut segment, visit),
        };
        let is_last = index + 1 == firsts.len();
        let (offset, what) = match (ending, identity.care) {
            (Ok(Ending::Whole { is_sealed }), _) => {
                scanned.is_sealed = is_sealed;
                scanned.table.segments.push(segment);
                continue;
            }
            (Ok(Ending::Torn { offset, what }), Care::Truth) if !is_last => {
                let file = segment_name(identity.folder, first);
                return Err(Fault::Damaged { file, offset, what, remedy: identity.remedy });
            }
            (Ok(Ending::Torn { offset, what }), _) => (offset, what),
            (Err(Fault::Damaged { offset, what, .. }), Care::Rebuildable) => (offset, what),
            (Err(Fault::OtherLedger { .. } | Fault::Format { .. }), Care::Rebuildable) => {
                (0, "it belongs to another ledger or version".to_owned())
            }
            (Err(fault), _) => return Err(fault),
        };
        let rest = firsts.get(index..).unwrap_or_default().to_vec();
        scanned.torn = Some(Torn { segment, rest, offset, what });
        break;
    }
    Ok(scanned)
}

/// The first heights of the segments, in order.
fn list_segments(files: &dyn Files, identity: &Identity) -> Result<Vec<u64>, Fault> {
    let names = files.list(identity.folder).map_err(Fault::io("listing", identity.folder))?;
    let first = |name: &String| {
        let digits = name.strip_suffix(".log")?;
        (digits.len() == 20).then(|| digits.parse::<u64>().ok())?
    };
    let mut firsts: Vec<u64> = names.iter().filter_map(first).collect();
    firsts.sort_unstable();
    Ok(firsts)
}

/// The first heights of the segments on disk, from one on.
fn kept_firsts(files: &Arc<dyn Files>, identity: &Identity, from: u64) -> Result<Vec<u64>, Fault> {
    let firsts = list_segments(files.as_ref(), identity)?;
    Ok(firsts.into_iter().filter(|first| *first >= from).collect())
}

/// Where the item of a height begins in its segment, or would begin.
fn segment_offset(
    files: &dyn Files,
    identity: &Identity,
    segment: &Segment,
    height: u64,
) -> Result<u64, Fault> {
    let name = segment_name(identity.folder, segment.first);
    let file = files.open(&name, Access::Read).map_err(Fault::io("opening", name.as_str()))?;
    let mut scanner = Scanner::new(file, 0).map_err(Fault::io("reading", name.as_str()))?;
    while let Step::Record { offset, body } = scanner.next().map_err(Fault::io("reading", name.as_str()))? {
        let mut cursor = Cursor::new(body);
        let is_item = cursor.u8("the kind of a record") == Ok(record::ITEM);
        if is_item && cursor.u64("a height").is_ok_and(|found| found >= height) {
            return Ok(offset);
        }
    }
    Ok(segment.size)
}

fn missing(identity: &Identity, first: u64, next: u64) -> Fault {
    let what = format!("it begins with height {first}, and height {next} is in no file before it");
    Fault::Damaged { file: segment_name(identity.folder, first), offset: 0, what, remedy: identity.remedy }
}

/// Checks the opening of a segment, and that it ends with the seal before `follower`, the first height of the next.
fn look_at_ends(
    files: &dyn Files,
    identity: &Identity,
    segment: &mut Segment,
    follower: u64,
) -> Result<Ending, Fault> {
    let name = segment_name(identity.folder, segment.first);
    let failed = || Fault::io("reading", name.as_str());
    let file = files.open(&name, Access::Read).map_err(Fault::io("opening", name.as_str()))?;
    let size = file.size().map_err(failed())?;
    let damaged = |offset: u64, what: &str| {
        let (file, what) = (name.clone(), what.to_owned());
        Err(Fault::Damaged { file, offset, what, remedy: identity.remedy })
    };
    let mut scanner = Scanner::sparing(file, 0).map_err(failed())?;
    match scanner.next().map_err(failed())? {
        Step::Record { body, .. } => match body.split_first() {
            Some((&record::OPENING, rest)) => check_opening(identity, segment.first, &name, rest)?,
            _ => return damaged(0, "it begins with something else than an opening"),
        },
        Step::Broken { offset, what } => return damaged(offset, &what),
        Step::End => return damaged(0, "the file is empty"),
    }
    let mut seal = [0; scan::SEAL];
    let Some(end) = size.checked_sub(wide(scan::SEAL)) else {
        return damaged(size, "the file ends before its last record");
    };
    scanner.read_at(end, &mut seal).map_err(failed())?;
    if seal != scan::seal(end, follower) {
        let what = format!("it does not end with the seal of the height before {follower}");
        return damaged(end, &what);
    }
    (segment.count, segment.size, segment.marks) = (follower - segment.first, size, None);
    Ok(Ending::Whole { is_sealed: true })
}

/// Checks every record of a segment.
pub(super) fn scan_segment(
    files: &dyn Files,
    identity: &Identity,
    segment: &mut Segment,
    visit: Visit<'_>,
) -> Result<Ending, Fault> {
    let name = segment_name(identity.folder, segment.first);
    let file = files.open(&name, Access::Read).map_err(Fault::io("opening", name.as_str()))?;
    let mut scanner = Scanner::new(file, 0).map_err(Fault::io("reading", name.as_str()))?;
    let (mut is_sealed, mut item_end) = (true, 0);
    loop {
        let size = scanner.size();
        let (offset, body) = match scanner.next().map_err(Fault::io("reading", name.as_str()))? {
            Step::End if segment.size == 0 => {
                return Ok(Ending::Torn { offset: 0, what: "the file is empty".to_owned() });
            }
            Step::End => return Ok(Ending::Whole { is_sealed }),
            Step::Broken { offset, what } => {
                let seal = scanner.seal_ahead().map_err(Fault::io("reading", name.as_str()))?;
                return match seal {
                    Some(seal) => {
                        let what = format!("{what}, and it was whole when byte {seal} was written");
                        Err(Fault::Damaged { file: name, offset, what, remedy: identity.remedy })
                    }
                    None => Ok(Ending::Torn { offset, what }),
                };
            }
            Step::Record { offset, body } => (offset, body),
        };
        let end = offset + wide(scan::FRAME) + wide(body.len());
        let damaged =
            |what: String| Fault::Damaged { file: name.clone(), offset, what, remedy: identity.remedy };
        match body.split_first() {
            Some((&record::OPENING, rest)) if offset == 0 => {
                check_opening(identity, segment.first, &name, rest)?;
                item_end = end;
            }
            Some((&record::ITEM, rest)) if offset > 0 => {
                let height = segment.first + segment.count;
                visit_item(height, rest, visit).map_err(damaged)?;
                segment.push(offset, end);
                (segment.doubtful, item_end) = (item_end, end);
                is_sealed = false;
            }
            Some((&record::SEALED, _)) if offset > 0 => {
                if scan::sealed(body, offset) != Some(segment.first + segment.count) {
                    return Err(damaged("a seal names another place or height".to_owned()));
                }
                (segment.doubtful, is_sealed) = (item_end, true);
            }
            _ => {
                return Err(damaged(format!(
                    "a record of an unknown kind or in the wrong place, of {size} bytes"
                )));
            }
        }
        segment.size = end;
    }
}

fn visit_item(height: u64, rest: &[u8], visit: Visit<'_>) -> Result<(), String> {
    let mut cursor = Cursor::new(rest);
    let found = cursor.u64("a height").map_err(|why| why.to_string())?;
    if found != height {
        return Err(format!("an item of height {found} where {height} is next"));
    }
    let item = cursor.bytes("an item", cursor.left()).map_err(|why| why.to_string())?;
    visit(height, item)
}

fn check_opening(identity: &Identity, first: u64, name: &str, rest: &[u8]) -> Result<(), Fault> {
    let remedy = identity.remedy;
    let damaged = |what: String| Fault::Damaged { file: name.to_owned(), offset: 0, what, remedy };
    let mut cursor = Cursor::new(rest);
    let what = "the opening of the segment";
    let short = |why: Malformed| damaged(why.to_string());
    let magic: [u8; 8] = cursor.array(what).map_err(short)?;
    if magic != identity.magic {
        return Err(damaged("it is no file of this kind".to_owned()));
    }
    let found = cursor.u16(what).map_err(short)?;
    if found != FORMAT {
        return Err(Fault::Format { file: name.to_owned(), found, known: FORMAT });
    }
    let found = cursor.digest(what).map_err(short)?;
    if found != identity.chain {
        return Err(Fault::OtherLedger { file: name.to_owned(), found, expected: identity.chain });
    }
    let height = cursor.u64(what).map_err(short)?;
    cursor.end(what).map_err(short)?;
    if height != first {
        return Err(damaged(format!("it begins with height {height}, and its name says {first}")));
    }
    Ok(())
}

/// Cuts the first of `rest` at `offset`, and removes the others. A segment without items is removed as well.
fn cut(
    files: &dyn Files,
    identity: &Identity,
    segment: &mut Segment,
    rest: &[u64],
    offset: u64,
    what: String,
) -> Result<Cut, Fault> {
    let file = segment_name(identity.folder, segment.first);
    let mut bytes = 0;
    for first in rest.iter().skip(1).rev() {
        let name = segment_name(identity.folder, *first);
        files.remove(&name).map_err(Fault::io("removing", name))?;
    }
    {
        let opened = files.open(&file, Access::Append);
        let mut opened = opened.map_err(Fault::io("opening", file.as_str()))?;
        bytes += opened.size().map_err(Fault::io("reading", file.as_str()))?.saturating_sub(offset);
        if segment.count > 0 {
            opened.truncate(offset).map_err(Fault::io("cutting", file.as_str()))?;
            opened.sync().map_err(Fault::io("syncing", file.as_str()))?;
        }
    }
    if segment.count == 0 {
        files.remove(&file).map_err(Fault::io("removing", file.as_str()))?;
    }
    files.sync_folder(identity.folder).map_err(Fault::io("syncing the folder of", file.as_str()))?;
    segment.size = offset;
    Ok(Cut { file, offset, bytes, what })
}
