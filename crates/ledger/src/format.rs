//! The layout of everything that a ledger keeps on disk, in one place. The pages in `docs/reference/ledger.md` say the same in words.
//!
//! ```text
//! genesis.json                      the genesis, as JSON
//! lock                              held by whoever has the folder open
//! journal/00000000000000000000.log  segments of blocks, each named for its first height
//! receipts/00000000000000000000.log what the blocks did; can be rebuilt
//! store/                            the authenticated store's own; can be rebuilt
//! ```
//!
//! Numbers are big-endian. A segment is a row of records: length of the body (4 bytes), CRC-32 of the body (4 bytes), body; the first byte of a
//! body is its [kind](record). The first record names the ledger and the version.

/// The version of the layout. A folder of another version is refused with what to do.
pub const FORMAT: u16 = 1;

/// The file with the genesis.
pub const GENESIS_FILE: &str = "genesis.json";
/// The folder of the journal's segments.
pub const JOURNAL_FOLDER: &str = "journal";
/// The folder of the receipts' segments.
pub const RECEIPTS_FOLDER: &str = "receipts";
/// The folder that belongs to the authenticated store.
pub const STORE_FOLDER: &str = "store";
/// The file that says what a snapshot holds.
pub const MANIFEST_FILE: &str = "manifest.json";
/// The file that is locked while a folder is open.
pub const LOCK_FILE: &str = "lock";

/// Kinds of records: the first byte of a body.
pub mod record {
    /// The first record of a segment: magic, [`FORMAT`](super::FORMAT), genesis digest, first height.
    pub const OPENING: u8 = 1;
    /// An item: height, then its bytes.
    pub const ITEM: u8 = 2;
    /// Everything before this record was synced: the record's own offset, and the height of what comes next. A segment that is followed by another ends with one.
    pub const SEALED: u8 = 3;
}

/// What a segment of the journal begins with.
pub const JOURNAL_MAGIC: [u8; 8] = *b"SRTYJRNL";
/// What a segment of the receipts begins with.
pub const RECEIPTS_MAGIC: [u8; 8] = *b"SRTYRCPT";
/// What a seal contains, so that it can be found behind damage.
pub const SEAL_MAGIC: [u8; 8] = *b"SRTYSEAL";

/// A segment that has grown to this many bytes is followed by the next.
pub const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;
/// The most bytes of a record's body.
pub const RECORD_BYTES_MAX: u32 = 1 << 30;
/// The most operations of a block.
pub const BLOCK_OPERATIONS_MAX: usize = 10_000;
/// The most bytes of a block, header and lengths included.
pub const BLOCK_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most boundaries that one block may pass.
pub const BOUNDARIES_PER_BLOCK_MAX: u64 = 64;
/// The most bytes of an entry of the state in the authenticated store. No rule makes one that comes near.
pub const ENTRY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The most bytes of a genesis file.
pub const GENESIS_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The most bytes of a proof file.
pub const PROOF_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// The most bytes of a snapshot's manifest.
pub const MANIFEST_BYTES_MAX: u64 = 64 * 1024 * 1024;
