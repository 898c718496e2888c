//! What ends the work of a ledger, and what only ends one attempt.

use protocol::units::Digest;

use crate::cursor::Malformed;
use crate::store::StoreError;

/// Why the ledger did not do what it was asked. All but [`Fault::Block`] mean that the folder must be opened again, after the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The system refused an operation on a file.
    #[error("{doing} {file} failed: {cause}; {remedy}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file, in the ledger's folder.
        file: String,
        /// What the system says.
        cause: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A file is not what was written.
    #[error("{file} is damaged at byte {offset}: {what}; {remedy}")]
    Damaged {
        /// The file, in the ledger's folder.
        file: String,
        /// Where.
        offset: u64,
        /// What was found.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A folder of another version.
    #[error("{file} has format {found}, and this program knows format {known}; {}", migration(*found, *known))]
    Format {
        /// The file, in the ledger's folder.
        file: String,
        /// Its version.
        found: u16,
        /// The version of this program.
        known: u16,
    },
    /// A file of another ledger.
    #[error(
        "{file} belongs to ledger {found}, and the genesis here is that of {expected}; put the right {file} back"
    )]
    OtherLedger {
        /// The file, in the ledger's folder.
        file: String,
        /// The genesis digest that it names.
        found: Digest,
        /// The genesis digest of the folder.
        expected: Digest,
    },
    /// The genesis can't be used.
    #[error("the genesis can't be used: {why}")]
    Genesis {
        /// Why.
        why: String,
    },
    /// The authenticated store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The store is ahead of the journal.
    #[error(
        "the store has height {store}, and the journal ends at {journal}: blocks that were acknowledged are missing; put the journal back from a backup, or delete the folder `store` to go on without them"
    )]
    JournalBehindStore {
        /// The height of the store.
        store: u64,
        /// The height of the journal.
        journal: u64,
    },
    /// The receipts are ahead of the journal.
    #[error(
        "there are receipts of height {receipts}, and the journal ends at {journal}: blocks that were acknowledged are missing; put the journal back from a backup, or delete the folders `receipts` and `store` to go on without them"
    )]
    JournalBehindReceipts {
        /// The newest height of the receipts.
        receipts: u64,
        /// The height of the journal.
        journal: u64,
    },
    /// The store is of another history.
    #[error(
        "the store has block {store} at height {height}, and the journal has {journal}: they are of different histories; if the journal is the right one, delete the folder `store`, and it is rebuilt"
    )]
    StoreDiffers {
        /// The height of the store.
        height: u64,
        /// The digest that the store names.
        store: Digest,
        /// The digest in the journal.
        journal: Digest,
    },
    /// Executing the same blocks gave another state.
    #[error(
        "height {height} has state root {found} here, and {claimed} according to {by}; do not go on with this folder: run `surety verify` on it and on a backup"
    )]
    Diverged {
        /// The height.
        height: u64,
        /// The root that came out.
        found: Digest,
        /// The root that was claimed.
        claimed: Digest,
        /// Who claims it.
        by: String,
    },
    /// Executing the journal again gave another state than the store has, which was committed when the same blocks were executed before.
    #[error(
        "executing the journal up to height {height} gives another state than the store has: {what}; do not go on with this folder: run `surety verify` on it and on a backup"
    )]
    StateDiffers {
        /// The height of the store.
        height: u64,
        /// What differs first.
        what: String,
    },
    /// A snapshot that can't be made or used.
    #[error("the snapshot can't be made or used: {why}; {remedy}")]
    Snapshot {
        /// Why.
        why: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A block that can't be the next.
    #[error("the block can't be the next: {0}")]
    Block(#[from] BlockError),
    /// An earlier fault.
    #[error("the ledger has stopped, and must be opened again: {first}")]
    Stopped {
        /// The text of the first fault.
        first: String,
    },
    /// A reader waited for too long.
    #[error("no header has claimed the store's height {height} in time; try again when a block was made")]
    Unclaimed {
        /// The height.
        height: u64,
    },
}

const fn migration(found: u16, known: u16) -> &'static str {
    if found > known {
        "use the program that wrote it, or a newer one"
    } else {
        "see `Versions` in docs/reference/ledger.md"
    }
}

/// Why a block can't be the next. Nothing was written. In the order in which it is checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// Its bytes are no block.
    #[error("{0}")]
    Malformed(#[from] Malformed),
    /// It is of another ledger.
    #[error("it belongs to ledger {found}, and this is {expected}")]
    OtherLedger {
        /// The genesis digest that it names.
        found: Digest,
        /// The genesis digest of this one.
        expected: Digest,
    },
    /// It has another height than the next.
    #[error("it has height {found}, and {expected} is next")]
    Height {
        /// Its height.
        found: u64,
        /// The next height.
        expected: u64,
    },
    /// It follows another block.
    #[error("its parent is {found}, and the head is {expected}")]
    Parent {
        /// The parent that it names.
        found: Digest,
        /// The head.
        expected: Digest,
    },
    /// Its time is before the head's.
    #[error("its time {time_ms} is before the head's {head_ms}")]
    Time {
        /// Its time.
        time_ms: u64,
        /// The time of the head.
        head_ms: u64,
    },
    /// Its time is too far ahead for one block.
    #[error(
        "its time {time_ms} passes {boundaries} boundaries, and a block passes at most {limit}; make a block at {latest_ms} first"
    )]
    Boundaries {
        /// Its time.
        time_ms: u64,
        /// How many boundaries lie between the head and it.
        boundaries: u64,
        /// How many it may pass.
        limit: u64,
        /// The latest time that the next block can have.
        latest_ms: u64,
    },
    /// Too much in one block.
    #[error("{found} {what} are more than the {limit} of a block")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// How many.
        found: usize,
        /// How many a block may have.
        limit: usize,
    },
    /// Its operations are not those of its header.
    #[error("its operations have root {found}, and its header says {claimed}")]
    OperationsRoot {
        /// The root of the operations.
        found: Digest,
        /// The root in the header.
        claimed: Digest,
    },
    /// It claims a height that is not there yet, or goes back.
    #[error("it claims the state of height {claimed}, and may claim {lowest} to {highest}")]
    ExecutedHeight {
        /// The height that it claims.
        claimed: u64,
        /// What the head claims.
        lowest: u64,
        /// The height of the head.
        highest: u64,
    },
    /// It claims another root.
    #[error("it claims state root {claimed} for height {height}, and here that is {found}")]
    StateRoot {
        /// The height.
        height: u64,
        /// The root that it claims.
        claimed: Digest,
        /// The root here.
        found: Digest,
    },
    /// It claims a root that nobody here remembers.
    #[error("it claims a state root for height {height}, and none is remembered for that height here")]
    StateRootUnknown {
        /// The height.
        height: u64,
    },
    /// Its outbox is another.
    #[error("it claims outbox root {claimed}, and here that is {found}")]
    OutboxRoot {
        /// The root that it claims.
        claimed: Digest,
        /// The root here.
        found: Digest,
    },
    /// It names validators where there are none.
    #[error("it names the validator set {found}, and this ledger has none")]
    Validators {
        /// The set that it names.
        found: Digest,
    },
    /// A seal does not hold.
    #[error("operation {index} is not signed as it must be: {why}")]
    Seal {
        /// Its place in the block.
        index: usize,
        /// What does not hold.
        why: String,
    },
}

impl Fault {
    /// Whether nothing can go on until the folder is opened again.
    pub const fn is_fatal(&self) -> bool {
        !matches!(self, Self::Block(_) | Self::Unclaimed { .. })
    }

    /// A name that does not change: `ledger.Damaged`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "ledger.Io",
            Self::Damaged { .. } => "ledger.Damaged",
            Self::Format { .. } => "ledger.Format",
            Self::OtherLedger { .. } => "ledger.OtherLedger",
            Self::Genesis { .. } => "ledger.Genesis",
            Self::Store(_) => "ledger.Store",
            Self::JournalBehindStore { .. } => "ledger.JournalBehindStore",
            Self::JournalBehindReceipts { .. } => "ledger.JournalBehindReceipts",
            Self::StoreDiffers { .. } => "ledger.StoreDiffers",
            Self::Diverged { .. } => "ledger.Diverged",
            Self::StateDiffers { .. } => "ledger.StateDiffers",
            Self::Snapshot { .. } => "ledger.Snapshot",
            Self::Block(_) => "ledger.Block",
            Self::Stopped { .. } => "ledger.Stopped",
            Self::Unclaimed { .. } => "ledger.Unclaimed",
        }
    }

    /// Makes a fault of what the system says.
    pub(crate) fn io(doing: &'static str, file: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let file = file.into();
        move |error| {
            let remedy = match error.kind() {
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                    "make room on the disk and start again; nothing that was acknowledged is lost"
                }
                std::io::ErrorKind::PermissionDenied => {
                    "give the folder to the user that runs this, and start again"
                }
                std::io::ErrorKind::NotFound => "put the file back from a backup",
                _ => {
                    "check the disk and start again; if it goes on failing, restore a backup on another disk"
                }
            };
            Self::Io { doing, file, cause: error.to_string(), remedy }
        }
    }
}
