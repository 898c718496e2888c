//! Files in memory whose operations fail on demand, and which forget in a crash what a disk may forget.
//!
//! What was written and not synced may vanish, stay, be cut anywhere, or stay in some sectors and be zeros in others. A file that was made or
//! renamed may have its old name until its folder is synced. After a failed sync the data counts as written and is not: a later sync does
//! not bring it back, as on Linux. Every operation that changes something is a **write point** with a number; a [`Plan`] names the
//! point and what happens there. It imitates no file system's timing.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Access, Files, OpenFile};

/// The unit in which a disk writes.
const SECTOR: usize = 512;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The process ends before the operation.
    Crash,
    /// Some of the bytes are written, then the process ends.
    TornWrite,
    /// The next sync from there on fails, and what it should have made durable never is.
    LostSync,
    /// From there on nothing can be appended; the first attempt writes some of its bytes.
    DiskFull,
    /// From that read on no read of the file succeeds. The point counts reads.
    ReadError,
    /// One bit of the file is another from there on, on the disk and in memory.
    FlippedBit,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Crash, Self::TornWrite, Self::LostSync, Self::DiskFull, Self::ReadError, Self::FlippedBit];
}

/// When something goes wrong, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What.
    pub trouble: Trouble,
    /// At which write point, counted from 0; for [`Trouble::ReadError`] at which read.
    pub at: u64,
    /// Decides what is left to chance.
    pub seed: u64,
}

/// How it starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// The process was killed: everything that was written is there.
    Killed,
    /// The power failed: what was not synced is left to chance.
    PowerLost {
        /// Decides what is left to chance.
        seed: u64,
    },
}

/// Files in memory. Clones are the same files.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles(Arc<Mutex<Disk>>);

#[derive(Debug, Default)]
struct Disk {
    contents: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    writes: u64,
    reads: u64,
    plan: Option<Plan>,
    struck: bool,
    is_down: bool,
    is_full: bool,
    unreadable: Option<usize>,
}

#[derive(Clone, Debug, Default)]
struct Content {
    data: Vec<u8>,
    durable: Vec<u8>,
    /// Bytes before this place need no sync.
    clean: usize,
}

impl MemoryFiles {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts write points and reads anew, and lets something go wrong.
    pub fn plan(&self, plan: Option<Plan>) {
        let mut disk = self.disk();
        (disk.writes, disk.reads, disk.struck, disk.plan) = (0, 0, false, plan);
    }

    /// How many write points and reads there were since [`MemoryFiles::plan`].
    pub fn points(&self) -> (u64, u64) {
        let disk = self.disk();
        (disk.writes, disk.reads)
    }

    /// Whether what was planned has happened.
    pub fn struck(&self) -> bool {
        self.disk().struck
    }

    /// Starts again after a crash: nothing fails any more, and what was not durable may be lost.
    pub fn restart(&self, how: Restart) {
        let mut disk = self.disk();
        (disk.plan, disk.is_down, disk.is_full, disk.unreadable) = (None, false, false, None);
        let Restart::PowerLost { seed } = how else { return };
        let mut chance = Chance(seed);
        for content in &mut disk.contents {
            content.lose(&mut chance);
        }
        let Disk { names, durable_names, .. } = &mut *disk;
        for (name, id) in names.iter() {
            if !durable_names.contains_key(name) && chance.below(2) == 0 {
                durable_names.insert(name.clone(), *id);
            }
        }
        *names = durable_names.clone();
    }

    /// Turns one bit of a file, on the disk and in memory. Nothing happens where there is none.
    pub fn flip(&self, name: &str, offset: usize, bit: u8) {
        let mut disk = self.disk();
        if let Some(id) = disk.names.get(name).copied()
            && let Some(content) = disk.contents.get_mut(id)
        {
            content.flip(offset, bit);
        }
    }

    /// The bytes of a file, if it is there.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let disk = self.disk();
        disk.names.get(name).and_then(|id| disk.contents.get(*id)).map(|content| content.data.clone())
    }

    /// Whether a power failure would take nothing away from the files of a folder.
    pub fn is_durable(&self, folder: &str) -> bool {
        let disk = self.disk();
        disk.names.iter().filter(|(name, _)| super::folder_of(name) == folder).all(|(name, id)| {
            let content = disk.contents.get(*id);
            disk.durable_names.get(name) == Some(id)
                && content.is_some_and(|content| {
                    content.clean == content.data.len() && content.data == content.durable
                })
        })
    }

    /// A copy with the same files, whose changes are its own.
    pub fn fork(&self) -> Self {
        let disk = self.disk();
        Self(Arc::new(Mutex::new(Disk {
            contents: disk.contents.clone(),
            names: disk.names.clone(),
            durable_names: disk.durable_names.clone(),
            ..Disk::default()
        })))
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    fn flip(&mut self, offset: usize, bit: u8) {
        for bytes in [&mut self.data, &mut self.durable] {
            if let Some(byte) = bytes.get_mut(offset) {
                *byte ^= 1 << (bit & 7);
            }
        }
    }

    /// Writes at the end, or over what is there.
    fn write(&mut self, over: &mut Option<usize>, bytes: &[u8]) {
        let place = over.unwrap_or(usize::MAX).min(self.data.len());
        let end = (place + bytes.len()).min(self.data.len());
        self.data.splice(place..end, bytes.iter().copied());
        self.clean = self.clean.min(place);
        *over = over.map(|_| place + bytes.len());
    }

    fn sync(&mut self) {
        self.durable.resize(self.clean, 0);
        self.durable.extend_from_slice(self.data.get(self.clean..).unwrap_or_default());
        self.clean = self.data.len();
    }

    /// What a disk has of it after the power failed.
    fn lose(&mut self, chance: &mut Chance) {
        let (old, new) = (self.durable.len(), self.data.len());
        let size = match chance.below(4) {
            0 => old,
            1 => new,
            _ => old.min(new) + chance.below(old.abs_diff(new) + 1),
        };
        let whole = chance.below(2) == 0;
        let mut left = Vec::with_capacity(size);
        while left.len() < size {
            let (from, to) = (left.len(), (left.len() + SECTOR).min(size));
            let source = if whole || chance.below(2) == 0 { &self.data } else { &self.durable };
            left.extend_from_slice(source.get(from..to.min(source.len())).unwrap_or_default());
            left.resize(to, 0);
        }
        // What was durable and has not been written since is as it was.
        let kept = self.clean.min(old).min(size);
        if let (Some(place), Some(durable)) = (left.get_mut(..kept), self.durable.get(..kept)) {
            place.copy_from_slice(durable);
        }
        self.clean = left.len();
        self.durable.clone_from(&left);
        self.data = left;
    }
}

impl Disk {
    /// Counts a write point. Returns the trouble that happens there.
    fn point(&mut self, is_sync: bool) -> io::Result<Option<(Trouble, Chance)>> {
        if self.is_down {
            return Err(down());
        }
        let number = self.writes;
        self.writes += 1;
        let Some(plan) = self.plan.filter(|_| !self.struck) else { return Ok(None) };
        let is_due = match plan.trouble {
            Trouble::ReadError => false,
            Trouble::LostSync => is_sync && number >= plan.at,
            _ => number == plan.at,
        };
        if !is_due {
            return Ok(None);
        }
        self.struck = true;
        match plan.trouble {
            Trouble::Crash => {
                self.is_down = true;
                Err(down())
            }
            Trouble::DiskFull => {
                self.is_full = true;
                Ok(Some((Trouble::DiskFull, Chance(plan.seed))))
            }
            trouble => Ok(Some((trouble, Chance(plan.seed)))),
        }
    }

    /// A write point that writes no bytes of a file: done, or done by chance and then the process ends.
    fn change(&mut self, change: impl FnOnce(&mut Self)) -> io::Result<()> {
        match self.point(false)? {
            Some((Trouble::TornWrite, mut chance)) => {
                if chance.below(2) == 0 {
                    change(self);
                }
                self.is_down = true;
                Err(down())
            }
            Some((Trouble::FlippedBit, mut chance)) => {
                change(self);
                let id = chance.below(self.contents.len().max(1));
                self.flip_somewhere(id, &mut chance);
                Ok(())
            }
            _ => {
                change(self);
                Ok(())
            }
        }
    }

    fn flip_somewhere(&mut self, id: usize, chance: &mut Chance) {
        if let Some(content) = self.contents.get_mut(id) {
            let offset = chance.below(content.data.len().max(1));
            let bit = u8::try_from(chance.below(8)).expect("a number below 8 fits");
            content.flip(offset, bit);
        }
    }

    fn content(&mut self, id: usize) -> &mut Content {
        self.contents.get_mut(id).expect("an open file has a content")
    }
}

fn down() -> io::Error {
    io::Error::other("the process has ended (injected)")
}

fn missing(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("there is no file {name}"))
}

impl Files for MemoryFiles {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let disk = self.disk();
        if disk.is_down {
            return Err(down());
        }
        let inside = disk.names.keys().filter_map(|name| match name.rsplit_once('/') {
            Some((parent, file)) => (parent == folder).then(|| file.to_owned()),
            None => folder.is_empty().then(|| name.clone()),
        });
        Ok(inside.collect())
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn OpenFile>> {
        let mut disk = self.disk();
        if disk.is_down {
            return Err(down());
        }
        let id = match (disk.names.get(name).copied(), access) {
            (Some(id), _) => id,
            (None, Access::Read | Access::Over(_)) => return Err(missing(name)),
            (None, Access::Append) => {
                disk.change(|disk| {
                    disk.contents.push(Content::default());
                    let id = disk.contents.len() - 1;
                    disk.names.insert(name.to_owned(), id);
                })?;
                if disk.is_full {
                    disk.names.remove(name);
                    return Err(io::ErrorKind::StorageFull.into());
                }
                disk.names.get(name).copied().ok_or_else(|| missing(name))?
            }
        };
        let over = access.over().map(|from| usize::try_from(from).unwrap_or(usize::MAX));
        Ok(Box::new(MemoryFile { disk: self.clone(), id, over }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk().change(|disk| {
            disk.names.remove(name);
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.disk();
        if !disk.is_down && !disk.names.contains_key(from) {
            return Err(missing(from));
        }
        disk.change(|disk| {
            if let Some(id) = disk.names.remove(from) {
                disk.names.insert(to.to_owned(), id);
            }
        })
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        let mut disk = self.disk();
        let sync = |disk: &mut Disk| {
            let is_inside = |name: &String| super::folder_of(name) == folder;
            disk.durable_names.retain(|name, _| !is_inside(name));
            let inside = disk.names.iter().filter(|(name, _)| is_inside(name));
            disk.durable_names.extend(inside.map(|(name, id)| (name.clone(), *id)));
        };
        match disk.point(true)? {
            Some((Trouble::LostSync, _)) => Err(io::Error::other("the sync failed (injected)")),
            Some((Trouble::TornWrite, _)) => {
                disk.is_down = true;
                Err(down())
            }
            Some((Trouble::FlippedBit, mut chance)) => {
                sync(&mut disk);
                let id = chance.below(disk.contents.len().max(1));
                disk.flip_somewhere(id, &mut chance);
                Ok(())
            }
            _ => {
                sync(&mut disk);
                Ok(())
            }
        }
    }
}

/// An open file in memory.
struct MemoryFile {
    disk: MemoryFiles,
    id: usize,
    over: Option<usize>,
}

impl OpenFile for MemoryFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.disk.disk();
        let was_full = disk.is_full;
        let trouble = disk.point(false)?;
        if was_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        match trouble {
            Some((trouble @ (Trouble::TornWrite | Trouble::DiskFull), mut chance)) => {
                let written = chance.below(bytes.len() + 1);
                disk.content(self.id).write(&mut self.over, bytes.get(..written).unwrap_or_default());
                if trouble == Trouble::DiskFull {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                disk.is_down = true;
                Err(down())
            }
            Some((Trouble::FlippedBit, mut chance)) => {
                disk.content(self.id).write(&mut self.over, bytes);
                disk.flip_somewhere(self.id, &mut chance);
                Ok(())
            }
            _ => {
                disk.content(self.id).write(&mut self.over, bytes);
                Ok(())
            }
        }
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut disk = self.disk.disk();
        if disk.is_down {
            return Err(down());
        }
        let number = disk.reads;
        disk.reads += 1;
        if disk.plan.is_some_and(|plan| plan.trouble == Trouble::ReadError && plan.at == number) {
            (disk.struck, disk.unreadable) = (true, Some(self.id));
        }
        if disk.unreadable == Some(self.id) {
            return Err(io::Error::other("the disk can't read here (injected)"));
        }
        let data = &disk.content(self.id).data;
        let rest = usize::try_from(offset).ok().and_then(|offset| data.get(offset..)).unwrap_or_default();
        let count = rest.len().min(into.len());
        if let (Some(place), Some(found)) = (into.get_mut(..count), rest.get(..count)) {
            place.copy_from_slice(found);
        }
        Ok(count)
    }

    fn size(&self) -> io::Result<u64> {
        let mut disk = self.disk.disk();
        if disk.is_down {
            return Err(down());
        }
        Ok(crate::cursor::wide(disk.content(self.id).data.len()))
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.disk.disk();
        match disk.point(true)? {
            Some((Trouble::LostSync, _)) => {
                let content = disk.content(self.id);
                content.clean = content.data.len();
                Err(io::Error::other("the sync failed (injected)"))
            }
            Some((Trouble::TornWrite, _)) => {
                disk.is_down = true;
                Err(down())
            }
            Some((Trouble::FlippedBit, mut chance)) => {
                disk.content(self.id).sync();
                disk.flip_somewhere(self.id, &mut chance);
                Ok(())
            }
            _ => {
                disk.content(self.id).sync();
                Ok(())
            }
        }
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        let mut disk = self.disk.disk();
        let id = self.id;
        disk.change(|disk| {
            let content = disk.content(id);
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            content.data.truncate(size);
            content.clean = content.clean.min(content.data.len());
        })
    }
}

/// Numbers from a seed: SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Clone, Copy, Debug)]
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = z ^ (z >> 31);
        let bound = crate::cursor::wide(bound.max(1));
        usize::try_from(bits % bound).expect("a number below a length is a length")
    }
}
