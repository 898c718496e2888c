//! The library's database, opened, fed and read: everything that is async.
//!
//! Its mutating calls take it by value, and an error of one ends it; so do those here. Nobody can go on with a database that has failed.

use std::fs;
use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};
use std::path::Path;

use bytes::Bytes;
use commonware_codec::RangeCfg;
use commonware_cryptography::{Sha256, sha256};
use commonware_parallel::Rayon;
use commonware_runtime::buffer::paged::{CacheRef, page_size};
use commonware_runtime::{BLOB_PAGE_SIZE, Clock, Metrics, Storage, Strategizer};
use commonware_storage::journal::contiguous::variable;
use commonware_storage::merkle;
use commonware_storage::mmb;
use commonware_storage::qmdb::any::ordered::variable::Operation;
use commonware_storage::qmdb::current::VariableConfig;
use commonware_storage::qmdb::current::ordered::variable::Db;
use commonware_utils::bitmap::Readable as _;
use commonware_utils::sequence::FixedBytes;
use ledger::store::{Committed, EntryProof, Write};

use crate::floor::Sparing;
use crate::index::WholeKey;
use crate::options::Options;
use crate::proof::{KEY_BYTES, VALUE_BYTES_MAX, encode_absent, encode_present};
use crate::worker::Page;

/// Merkle mountain belts: appending costs a constant number of hashes.
pub(crate) type Family = mmb::Family;
/// A key as the library takes it.
pub(crate) type Key = FixedBytes<KEY_BYTES>;
/// Operations of one chunk of the bitmap of activity: as many bits as a digest has, which makes proofs shortest.
pub(crate) const CHUNK_BYTES: usize = 32;

/// What the library runs on: files, a clock and threads. The store's own is that of the machine; tests have one whose disk fails.
pub(crate) trait Machine: Storage + Clock + Metrics + Strategizer {}

impl<T: Storage + Clock + Metrics + Strategizer> Machine for T {}

type Database<M> = Db<Family, M, Key, Bytes, Sha256, WholeKey, CHUNK_BYTES, Rayon>;

/// An error of the library. Its text is all that leaves this crate.
pub(crate) type Error = commonware_storage::qmdb::Error<Family>;

/// Bytes of a page of the files, a part of their format.
const PAGE: NonZeroU16 = page_size(BLOB_PAGE_SIZE);
/// Operations in a file of the log, a part of its format; pruning removes whole files.
const LOG_ITEMS: NonZeroU64 = NonZeroU64::new(65_536).expect("not zero");
/// Nodes in a file of the tree, a part of its format.
const TREE_ITEMS: NonZeroU64 = NonZeroU64::new(262_144).expect("not zero");
/// Buffers for appending and for reading at opening, in bytes.
const BUFFER: NonZeroUsize = NonZeroUsize::new(1024 * 1024).expect("not zero");

/// Operations that are read at once when all entries are. Their entries are a page.
const READ_AHEAD: NonZeroU64 = NonZeroU64::new(4_096).expect("not zero");

/// An open database.
pub(crate) struct Engine<M: Machine> {
    database: Database<M>,
    committed: Option<Committed>,
}

impl<M: Machine> Engine<M> {
    /// Opens the database of this folder, which must be that of the runtime, at the newest whole height that it has.
    pub(crate) async fn open(context: M, folder: &Path, options: &Options) -> Result<Self, Error> {
        let pages = NonZeroUsize::new(options.page_cache_bytes / usize::from(PAGE.get()))
            .unwrap_or(NonZeroUsize::MIN);
        let page_cache = CacheRef::new(PAGE, pages);
        let config = VariableConfig {
            merkle_config: merkle::full::Config {
                journal_partition: "tree".to_owned(),
                metadata_partition: "tree-pins".to_owned(),
                items_per_blob: TREE_ITEMS,
                write_buffer: BUFFER,
                replay_buffer: BUFFER,
                strategy: context.strategy(options.threads),
                page_cache: page_cache.clone(),
            },
            journal_config: variable::Config {
                partition: "log".to_owned(),
                items_per_section: LOG_ITEMS,
                compression: None,
                codec_config: ((), RangeCfg::from(..=VALUE_BYTES_MAX)),
                page_cache,
                write_buffer: BUFFER,
                replay_buffer: BUFFER,
            },
            grafted_metadata_partition: "activity".to_owned(),
            translator: WholeKey,
            init_cache: NonZeroUsize::new(logged(folder).min(options.opening_cache_entries)),
            init_buffer: BUFFER,
            init_concurrency: (),
        };
        let database = Database::init(context.child("store"), config, None).await?;
        let committed = match database.get_metadata().await? {
            None => None,
            Some(bytes) => Some(
                read_metadata(&bytes, database.root())
                    .ok_or(Error::DataCorrupted("a commit without a height"))?,
            ),
        };
        Ok(Self { database, committed })
    }

    /// The newest height.
    pub(crate) fn committed(&self) -> Option<Committed> {
        self.committed
    }

    /// Appends the batch of a height. Not durable yet.
    pub(crate) async fn commit(
        mut self,
        height: u64,
        digest: [u8; 32],
        writes: Vec<Write>,
    ) -> Result<(Self, Committed), Error> {
        let mut batch = self.database.new_batch();
        for (key, value) in writes {
            batch = batch.write(Key::new(key), value.map(Bytes::from));
        }
        let batch = batch.merkleize(&self.database, Some(metadata(height, &digest)), &mut Sparing).await?;
        let root = batch.root();
        self.database = self.database.apply_batch(batch).await?;
        let at = Committed { height, digest, root: root.0 };
        self.committed = Some(at);
        Ok((self, at))
    }

    /// Makes every appended batch durable, and removes files of the log whose operations are all superseded.
    pub(crate) async fn sync(mut self) -> Result<Self, Error> {
        self.database = self.database.sync().await?;
        let boundary = self.database.sync_boundary();
        if *boundary >= self.database.bounds().start.saturating_add(2 * LOG_ITEMS.get()) {
            self.database = self.database.prune(boundary).await?;
        }
        Ok(self)
    }

    /// The value under a key.
    pub(crate) async fn get(&self, key: &[u8; 32]) -> Result<Option<Bytes>, Error> {
        self.database.get(&Key::new(*key)).await
    }

    /// The value under a key, or that there is none, with its proof against the newest root, which is that of `at`.
    pub(crate) async fn prove(&self, at: Committed, key: &[u8; 32]) -> Result<EntryProof, Error> {
        let key = Key::new(*key);
        Ok(match self.database.get(&key).await? {
            Some(value) => {
                let proof = self.database.key_value_proof(key).await?;
                EntryProof { at, value: Some(Vec::from(value)), bytes: encode_present(&proof) }
            }
            None => {
                let proof = self.database.exclusion_proof(&key).await?;
                EntryProof { at, value: None, bytes: encode_absent(&proof) }
            }
        })
    }

    /// Hands over all live entries, page by page and an empty page at the end, until `page` says that nobody wants more.
    ///
    /// The log is read in its own order, which is what disks like.
    pub(crate) async fn entries(&self, mut page: impl FnMut(Page) -> bool) -> Result<(), Error> {
        let end = self.database.bounds().end;
        let mut from = self.database.sync_boundary();
        while from < end {
            let (_, operations) = self.database.ops_historical_proof(end, from, READ_AHEAD).await?;
            let bitmap = self.database.bitmap();
            let mut live = Page::new();
            for operation in operations {
                if let (Operation::Update(update), true) = (operation, bitmap.get_bit(*from)) {
                    live.push((whole(&update.key), Vec::from(update.value)));
                }
                from = from.saturating_add(1);
            }
            if !live.is_empty() && !page(live) {
                return Ok(());
            }
        }
        let _wanted = page(Page::new());
        Ok(())
    }
}

fn whole(key: &Key) -> [u8; KEY_BYTES] {
    key.as_ref().try_into().expect("the type of a key has this length")
}

/// Operations in the log, rounded up to whole files. Opening looks every superseded one up once: what it does not remember, it reads from the disk.
fn logged(folder: &Path) -> usize {
    let files = fs::read_dir(folder.join("log_data")).map_or(0, Iterator::count);
    files.saturating_mul(usize::try_from(LOG_ITEMS.get()).unwrap_or(usize::MAX))
}

/// What the record of a commit says beside the operations: the height and the digest of its header.
fn metadata(height: u64, digest: &[u8; 32]) -> Bytes {
    let mut bytes = Vec::with_capacity(40);
    bytes.extend_from_slice(&height.to_be_bytes());
    bytes.extend_from_slice(digest);
    Bytes::from(bytes)
}

fn read_metadata(bytes: &[u8], root: sha256::Digest) -> Option<Committed> {
    let (height, digest) = bytes.split_first_chunk::<8>()?;
    Some(Committed { height: u64::from_be_bytes(*height), digest: digest.try_into().ok()?, root: root.0 })
}
