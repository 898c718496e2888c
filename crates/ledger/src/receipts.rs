//! The log of receipts, and where each operation is. Both can be rebuilt from the journal.
//!
//! The ids of the newest segment are in memory; those of each older one in a sorted file beside it: 8 bytes of magic, then for each operation the
//! first 16 bytes of its id, its height (8 bytes) and its place in the block (4 bytes).

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use protocol::units::Digest;

use crate::commit::ROOTS_KEPT;
use crate::cursor::{Cursor, narrow, wide};
use crate::fault::Fault;
use crate::files::{Access, Files, OpenFile, read_all, read_exact_at, replace};
use crate::format::{RECEIPTS_FOLDER, RECEIPTS_MAGIC};
use crate::log::{Care, Cut, Identity, Log, LogReader, Since, Walk};
use crate::receipt::Executed;

const IDS_MAGIC: [u8; 8] = *b"SRTYIDS1";
/// The bytes of an entry of a file of ids.
const ENTRY: usize = 28;

/// So much of an id tells operations apart: nobody finds two that agree in 128 bits.
type Short = [u8; 16];
/// Height and place in the block.
type Place = (u64, u32);
/// A map that is never iterated but to be sorted, with a seed of its own, so that nobody can choose ids that collide.
type Places = hashbrown::HashMap<Short, Place, std::hash::RandomState>;

/// The receipts as they are written.
pub(crate) struct Receipts {
    files: Arc<dyn Files>,
    log: Log,
    ids: Ids,
    /// The newest roots that it knew when it was opened.
    roots: BTreeMap<u64, Digest>,
}

/// The ids of the segment that grows, shared with readers.
#[derive(Clone, Default)]
struct Ids(Arc<RwLock<Places>>);

impl Ids {
    fn replace(&self, ids: Places) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = ids;
    }

    /// An operation that is in two blocks is found in the newest: one that was refused before its turn may come again.
    fn add(&self, found: impl Iterator<Item = (Short, Place)>) {
        let mut ids = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (id, place) in found {
            ids.insert(id, place);
        }
    }

    fn get(&self, id: &Short) -> Option<Place> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).copied()
    }

    fn sorted(&self) -> Vec<(Short, Place)> {
        let ids = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut sorted: Vec<(Short, Place)> = ids.iter().map(|(id, place)| (*id, *place)).collect();
        sorted.sort_unstable();
        sorted
    }
}

fn short(id: &Digest) -> Short {
    let mut short = Short::default();
    for (place, byte) in short.iter_mut().zip(id.0) {
        *place = byte;
    }
    short
}

fn ids_name(first: u64) -> String {
    format!("{RECEIPTS_FOLDER}/{first:020}.ids")
}

/// The receipts of a folder that nobody changes meanwhile but by appending, to be compared with what the journal does.
pub(crate) struct Recorded {
    files: Arc<dyn Files>,
    log: LogReader,
    walk: Walk,
    /// The ids of the segment that is read, and its first height.
    ids: Places,
    first: u64,
}

impl Recorded {
    /// Reads receipts without changing anything. Also returns what their end is where that is torn.
    pub(crate) fn look(files: Arc<dyn Files>, chain: Digest) -> Result<(Self, Option<String>), Fault> {
        // Here nothing is cut, and what is broken with a seal behind it is told.
        let identity = Identity { care: Care::Truth, ..identity(chain) };
        let (log, torn) = Log::look(Arc::clone(&files), identity, &mut |_, _| Ok(()))?;
        let walk = log.walk(0);
        Ok((Self { files, log, walk, ids: Places::default(), first: 0 }, torn))
    }

    /// The height after the last.
    pub(crate) fn next(&self) -> u64 {
        self.log.next()
    }

    /// The receipts of the next height must be these. Returns the root after the height before that stands beside them.
    pub(crate) fn compare(&mut self, executed: &Executed) -> Result<Option<Digest>, Fault> {
        let Some((height, bytes)) = self.walk.next().transpose()? else { return Ok(None) };
        let found = Executed::read(&bytes).map_err(|why| unreadable(height, &why))?;
        if found != *executed {
            return Err(unreadable(height, &"they are not what the block does"));
        }
        if height > self.first && self.log.firsts().contains(&height) {
            self.compare_ids()?;
            self.first = height;
        }
        let placed = executed.receipts.iter().map(|receipt| (short(&receipt.id), (height, receipt.index)));
        self.ids.extend(placed);
        let root = Executed::read_header(&bytes).map_err(|why| unreadable(height, &why))?.1;
        Ok(root)
    }

    /// The file of ids of a segment that was read to its end, if there is one.
    fn compare_ids(&mut self) -> Result<(), Fault> {
        let mut sorted: Vec<(Short, Place)> = std::mem::take(&mut self.ids).into_iter().collect();
        sorted.sort_unstable();
        let (file, expected) = (ids_name(self.first), ids_bytes(&sorted));
        match read_all(self.files.as_ref(), &file, wide(expected.len())) {
            Ok(found) if found == expected => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) if error.kind() != std::io::ErrorKind::FileTooLarge => {
                Err(Fault::io("reading", file)(error))
            }
            _ => {
                let what = "the places in it are not those of the operations".to_owned();
                Err(Fault::Damaged { file, offset: 0, what, remedy: REMEDY })
            }
        }
    }
}

const REMEDY: &str = "stop, delete the folder `receipts`, and start again: it is rebuilt from the journal";

const fn identity(chain: Digest) -> Identity {
    let (folder, magic) = (RECEIPTS_FOLDER, RECEIPTS_MAGIC);
    Identity { folder, magic, chain, care: Care::Rebuildable, remedy: REMEDY }
}

impl Receipts {
    /// Opens the receipts of a ledger. What is damaged is cut away with everything after it.
    pub(crate) fn open(files: Arc<dyn Files>, chain: Digest) -> Result<(Self, Vec<Cut>), Fault> {
        let mut roots = BTreeMap::new();
        let mut check = |height: u64, item: &[u8]| {
            let (header, root) = Executed::read_header(item).map_err(|why| why.to_string())?;
            if header.height != height || header.chain != chain {
                return Err("receipts of another block".to_owned());
            }
            roots.extend(height.checked_sub(1).zip(root));
            while roots.len() > ROOTS_KEPT {
                roots.pop_first();
            }
            Ok(())
        };
        let (log, cuts) = Log::open(Arc::clone(&files), identity(chain), Since::Newest, &mut check)?;
        let receipts = Self { files, log, ids: Ids::default(), roots };
        receipts.index()?;
        Ok((receipts, cuts))
    }

    /// Reads the ids of the newest segment, writes the files of ids that are missing, and removes those of segments that are gone or have yet to
    /// grow: what was cut away may come back in another place, and nobody must look for it where it was.
    fn index(&self) -> Result<(), Fault> {
        let firsts = self.log.firsts();
        let names = self.files.list(RECEIPTS_FOLDER).map_err(Fault::io("listing", RECEIPTS_FOLDER))?;
        let full = firsts.split_last().map_or(&[][..], |(_, full)| full);
        let known: Vec<String> = full.iter().map(|first| ids_name(*first)).collect();
        let found = names.iter().filter(|name| name.ends_with(".ids"));
        let found = found.map(|name| format!("{RECEIPTS_FOLDER}/{name}"));
        for stale in found.filter(|name| !known.contains(name)) {
            self.files.remove(&stale).map_err(Fault::io("removing", stale))?;
        }
        for (first, next) in firsts.iter().zip(firsts.iter().skip(1)) {
            let name = ids_name(*first);
            if !names.iter().any(|known| name.ends_with(known.as_str())) {
                let mut ids: Vec<(Short, Place)> = self.read_ids(*first, *next)?.into_iter().collect();
                ids.sort_unstable();
                write_ids(self.files.as_ref(), *first, &ids)?;
            }
        }
        let newest = firsts.last().copied().unwrap_or(0);
        self.ids.replace(self.read_ids(newest, u64::MAX)?);
        Ok(())
    }

    fn read_ids(&self, from: u64, to: u64) -> Result<Places, Fault> {
        let mut ids = Places::default();
        for item in self.log.reader().walk(from) {
            let (height, bytes) = item?;
            if height >= to {
                break;
            }
            let found = Executed::read_ids(&bytes).map_err(|why| unreadable(height, &why))?;
            for (index, id) in found.iter().enumerate() {
                ids.insert(short(id), (height, narrow(index)));
            }
        }
        Ok(ids)
    }

    /// The height of the next block.
    pub(crate) fn next(&self) -> u64 {
        self.log.next()
    }

    /// Another size of segments.
    pub(crate) const fn set_segment_bytes(&mut self, bytes: u64) {
        self.log.set_segment_bytes(bytes);
    }

    /// The newest roots that it knew when it was opened.
    pub(crate) const fn roots(&self) -> &BTreeMap<u64, Digest> {
        &self.roots
    }

    /// Appends the receipts of the next block, with the root after the height before.
    pub(crate) fn append(&mut self, executed: &Executed, root_before: Option<Digest>) -> Result<(), Fault> {
        let before = self.log.firsts().last().copied();
        self.log.append(|out| executed.write(root_before, out))?;
        let height = executed.header.height;
        let found = executed.receipts.iter().map(|receipt| (short(&receipt.id), (height, receipt.index)));
        let now = self.log.firsts().last().copied();
        if let (Some(before), true) = (before, before != now) {
            write_ids(self.files.as_ref(), before, &self.ids.sorted())?;
            self.ids.replace(Places::default());
            self.ids.add(found);
        } else {
            self.ids.add(found);
        }
        Ok(())
    }

    /// Makes everything durable.
    pub(crate) fn sync(&mut self) -> Result<(), Fault> {
        self.log.sync()
    }

    /// Forgets everything from a height on.
    pub(crate) fn cut(self, next: u64) -> Result<Self, Fault> {
        let Self { files, log, mut roots, .. } = self;
        roots.retain(|height, _| *height < next);
        let segment_bytes = log.segment_bytes();
        let mut log = log.cut(next)?;
        log.set_segment_bytes(segment_bytes);
        let receipts = Self { files, log, ids: Ids::default(), roots };
        receipts.index()?;
        Ok(receipts)
    }

    /// For reading, from any thread.
    pub(crate) fn reader(&self) -> ReceiptsReader {
        ReceiptsReader { files: Arc::clone(&self.files), log: self.log.reader(), ids: self.ids.clone() }
    }
}

fn unreadable(height: u64, why: &dyn std::fmt::Display) -> Fault {
    Fault::Damaged {
        file: format!("the folder {RECEIPTS_FOLDER}"),
        offset: 0,
        what: format!("the receipts of height {height} can't be read: {why}"),
        remedy: REMEDY,
    }
}

/// The content of a file of ids.
fn ids_bytes(ids: &[(Short, Place)]) -> Vec<u8> {
    let mut bytes = IDS_MAGIC.to_vec();
    for (id, (height, index)) in ids {
        bytes.extend_from_slice(id);
        bytes.extend_from_slice(&height.to_be_bytes());
        bytes.extend_from_slice(&index.to_be_bytes());
    }
    bytes
}

fn write_ids(files: &dyn Files, first: u64, ids: &[(Short, Place)]) -> Result<(), Fault> {
    let name = ids_name(first);
    replace(files, &name, &ids_bytes(ids)).map_err(Fault::io("writing", name.as_str()))
}

/// Reads receipts, from any thread.
#[derive(Clone)]
pub(crate) struct ReceiptsReader {
    files: Arc<dyn Files>,
    log: LogReader,
    ids: Ids,
}

impl ReceiptsReader {
    /// What the block of a height did; `None` if that is not in the log.
    pub(crate) fn read(&self, height: u64) -> Result<Option<Executed>, Fault> {
        let Some(bytes) = self.log.read(height)? else { return Ok(None) };
        Executed::read(&bytes).map(Some).map_err(|why| unreadable(height, &why))
    }

    /// The blocks of the log from a height on, one after the other.
    pub(crate) fn walk(&self, from: u64) -> impl Iterator<Item = Result<(u64, Executed), Fault>> {
        self.log.walk(from).map(|item| {
            let (height, bytes) = item?;
            let executed = Executed::read(&bytes).map_err(|why| unreadable(height, &why))?;
            Ok((height, executed))
        })
    }

    /// Where an operation is; `None` if the log does not have it.
    pub(crate) fn find(&self, id: &Digest) -> Result<Option<Place>, Fault> {
        let key = short(id);
        let mut candidates: Vec<Place> = self.ids.get(&key).into_iter().collect();
        let mut firsts = self.log.firsts();
        firsts.pop();
        while candidates.is_empty()
            && let Some(first) = firsts.pop()
        {
            candidates.extend(self.find_in(first, &key)?);
        }
        let Some((height, index)) = candidates.pop() else { return Ok(None) };
        let Some(bytes) = self.log.read(height)? else { return Ok(None) };
        let ids = Executed::read_ids(&bytes).map_err(|why| unreadable(height, &why))?;
        let found = usize::try_from(index).ok().and_then(|index| ids.get(index));
        Ok((found == Some(id)).then_some((height, index)))
    }

    /// Looks into the file of ids of a segment. A segment that was closed a moment ago may have none yet; then the id is in memory.
    fn find_in(&self, first: u64, key: &Short) -> Result<Option<Place>, Fault> {
        let name = ids_name(first);
        let file = match self.files.open(&name, Access::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(self.ids.get(key)),
            Err(error) => return Err(Fault::io("opening", name)(error)),
        };
        search(file.as_ref(), key).map_err(Fault::io("reading", name))
    }
}

fn search(file: &dyn OpenFile, key: &Short) -> std::io::Result<Option<Place>> {
    let start = wide(IDS_MAGIC.len());
    let count = file.size()?.saturating_sub(start) / wide(ENTRY);
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        let mut entry = [0; ENTRY];
        read_exact_at(file, start + middle * wide(ENTRY), &mut entry)?;
        let mut cursor = Cursor::new(&entry);
        let (Ok(found), Ok(height), Ok(index)) =
            (cursor.array::<16>("an id"), cursor.u64("a height"), cursor.u32("a place"))
        else {
            return Ok(None);
        };
        match found.cmp(key) {
            std::cmp::Ordering::Equal => return Ok(Some((height, index))),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Ok(None)
}
