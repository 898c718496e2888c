//! What blocks did: an outcome for each operation, and the events of the boundaries that a block passed.
//!
//! Receipts follow from the blocks, so losing them costs time only.

use protocol::units::{Address, Digest};
use protocol::{Event, Kind};
use serde::{Deserialize, Serialize};

use crate::cursor::{Cursor, Malformed, length, narrow, put_sized};
use crate::format::BLOCK_OPERATIONS_MAX;
use crate::header::Header;

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The height of its block.
    pub height: u64,
    /// Its place in the block, from 0.
    pub index: u32,
    /// Its id.
    pub id: Digest,
    /// Its kind.
    pub kind: Kind,
    /// The account that acted.
    pub account: Address,
    /// What it did.
    pub outcome: Outcome,
}

/// What an operation did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was carried out.
    Applied {
        /// What happened.
        events: Vec<Event>,
    },
    /// The rules refused it. It stays in its block, and its nonce is used.
    Refused {
        /// The operation and the refusal, such as `delegate.ExceedsFree`.
        code: String,
        /// The refusal as a sentence with the values that were compared.
        text: String,
    },
}

/// A block that was executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executed {
    /// Its header.
    pub header: Header,
    /// The header's digest.
    pub digest: Digest,
    /// What happened at the boundaries that it passed, before its operations.
    pub boundary: Vec<Event>,
    /// The receipts of its operations, in their order.
    pub receipts: Vec<Receipt>,
}

impl Executed {
    /// Everything that happened, in order.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        let applied = self.receipts.iter().flat_map(|receipt| match &receipt.outcome {
            Outcome::Applied { events } => events.as_slice(),
            Outcome::Refused { .. } => &[],
        });
        self.boundary.iter().chain(applied)
    }

    /// Appends it as the receipts' log keeps it: the header, the state root after the height before (zeros: not known), the boundary's
    /// events as JSON, how many receipts, and of each its id, account, kind and outcome as JSON.
    pub(crate) fn write(&self, root_before: Option<Digest>, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.header.encode());
        out.extend_from_slice(&root_before.unwrap_or_default().0);
        put_json(out, &self.boundary);
        out.extend_from_slice(&narrow(self.receipts.len()).to_be_bytes());
        for receipt in &self.receipts {
            out.extend_from_slice(&receipt.id.0);
            out.extend_from_slice(&receipt.account.0);
            put_sized(out, receipt.kind.name().as_bytes());
            put_json(out, &receipt.outcome);
        }
    }

    /// Reads what [`Executed::write`] wrote.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(bytes);
        let header = Header::read(&mut cursor)?;
        cursor.digest("a root")?;
        let boundary = json(&mut cursor, "the events of the boundary")?;
        let count = length(cursor.u32("the number of receipts")?);
        let mut receipts = Vec::with_capacity(count.min(BLOCK_OPERATIONS_MAX));
        for index in 0..count {
            let (id, account) = (cursor.digest("an id")?, Address(cursor.array("an account")?));
            let name = cursor.sized("the name of a kind", 64)?;
            let name = String::from_utf8_lossy(name);
            let what = "a kind of operation";
            let kind =
                Kind::from_name(&name).ok_or_else(|| Malformed::Value { what, why: name.into_owned() })?;
            let outcome = json(&mut cursor, "an outcome")?;
            receipts.push(Receipt {
                height: header.height,
                index: narrow(index),
                id,
                kind,
                account,
                outcome,
            });
        }
        cursor.end("the receipts")?;
        Ok(Self { digest: header.digest(), header, boundary, receipts })
    }

    /// The header, and the root after the height before if it is known.
    pub(crate) fn read_header(bytes: &[u8]) -> Result<(Header, Option<Digest>), Malformed> {
        let mut cursor = Cursor::new(bytes);
        let header = Header::read(&mut cursor)?;
        let root = cursor.digest("a root")?;
        Ok((header, (root != Digest::default()).then_some(root)))
    }

    /// The ids alone, without reading any JSON.
    pub(crate) fn read_ids(bytes: &[u8]) -> Result<Vec<Digest>, Malformed> {
        let mut cursor = Cursor::new(bytes);
        Header::read(&mut cursor)?;
        cursor.digest("a root")?;
        cursor.sized("the events of the boundary", usize::MAX)?;
        let count = length(cursor.u32("the number of receipts")?);
        let mut ids = Vec::with_capacity(count.min(BLOCK_OPERATIONS_MAX));
        for _ in 0..count {
            ids.push(cursor.digest("an id")?);
            cursor.bytes("an account", 20)?;
            cursor.sized("the name of a kind", 64)?;
            cursor.sized("an outcome", usize::MAX)?;
        }
        cursor.end("the receipts")?;
        Ok(ids)
    }
}

fn put_json<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    serde_json::to_writer(&mut *out, value).expect("events are plain data, and a vector takes every byte");
    let size = narrow(out.len() - start - 4).to_be_bytes();
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&size);
    }
}

fn json<'a, T: Deserialize<'a>>(cursor: &mut Cursor<'a>, what: &'static str) -> Result<T, Malformed> {
    let bytes = cursor.sized(what, usize::MAX)?;
    serde_json::from_slice(bytes).map_err(|error| Malformed::Value { what, why: error.to_string() })
}
