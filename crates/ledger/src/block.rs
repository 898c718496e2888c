//! A block: a header and the bytes of its operations; and an operation whose seals were verified.
//!
//! It does not know what operations do.

use protocol::Authority;
use protocol::units::{Address, Digest};
use protocol::{Operation, Signer};
use sha2::{Digest as _, Sha256};
use signing::{Domain, NEVER, SIGNED_BYTES_MAX, SignedOperation, SigningError, Verifier};

use crate::cursor::{Cursor, Malformed, length, narrow, put_sized, wide};
use crate::format::{BLOCK_BYTES_MAX, BLOCK_OPERATIONS_MAX};
use crate::header::Header;
use crate::merkle;

/// A block, as readers want it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The header, whose digest names the block.
    pub header: Header,
    /// The operations, in their order.
    pub operations: Vec<SignedOperation>,
}

impl Block {
    /// Its bytes: the header, how many operations (4 bytes), each operation behind its length (4 bytes).
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.header.encode().to_vec();
        bytes.extend_from_slice(&narrow(self.operations.len()).to_be_bytes());
        for operation in &self.operations {
            put_sized(&mut bytes, &operation.encode());
        }
        bytes
    }

    /// Reads a block. Whether it follows another, and whether its root is that of its operations, is not looked at.
    ///
    /// # Errors
    /// As [`Malformed`] lists them.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let raw = RawBlock::decode(bytes)?;
        let decode = |(index, bytes): (usize, &&[u8])| {
            let operation = SignedOperation::decode(bytes);
            operation.map_err(|why| Malformed::Operation { index, why: why.to_string() })
        };
        let operations = raw.operations.iter().enumerate().map(decode).collect::<Result<_, _>>()?;
        Ok(Self { header: raw.header, operations })
    }

    /// The root over the ids of its operations.
    pub fn operations_root(&self) -> Digest {
        operations_root(self.operations.iter().map(SignedOperation::id))
    }
}

/// The bytes of a block with its parts found.
#[derive(Clone, Debug)]
pub(crate) struct RawBlock<'a> {
    pub(crate) header: Header,
    pub(crate) operations: Vec<&'a [u8]>,
}

impl<'a> RawBlock<'a> {
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        if bytes.len() > BLOCK_BYTES_MAX {
            let (found, limit) = (wide(bytes.len()), wide(BLOCK_BYTES_MAX));
            return Err(Malformed::TooMany { what: "bytes of a block", found, limit });
        }
        let mut cursor = Cursor::new(bytes);
        let header = Header::read(&mut cursor)?;
        let count = length(cursor.u32("the number of operations")?);
        if count > BLOCK_OPERATIONS_MAX {
            let (found, limit) = (wide(count), wide(BLOCK_OPERATIONS_MAX));
            return Err(Malformed::TooMany { what: "operations", found, limit });
        }
        let mut operations = Vec::with_capacity(count);
        for _ in 0..count {
            operations.push(cursor.sized("bytes of an operation", SIGNED_BYTES_MAX)?);
        }
        cursor.end("the block")?;
        Ok(Self { header, operations })
    }

    /// The ids of its operations.
    pub(crate) fn ids(&self) -> Vec<Digest> {
        self.operations.iter().map(|bytes| Digest(Sha256::digest(bytes).into())).collect()
    }
}

/// The root over ids of operations, each at its place.
pub(crate) fn operations_root(ids: impl Iterator<Item = Digest>) -> Digest {
    merkle::root::<Sha256>(operation_leaves(ids))
}

/// The leaves of a block's tree of operations.
pub(crate) fn operation_leaves(ids: impl Iterator<Item = Digest>) -> Vec<Digest> {
    ids.enumerate().map(|(index, id)| operation_leaf(narrow(index), &id)).collect()
}

/// The leaf of an operation. Its place is a part of it: a path alone fits places of trees of other sizes as well.
pub(crate) fn operation_leaf(index: u32, id: &Digest) -> Digest {
    merkle::leaf::<Sha256>(&[index.to_be_bytes().as_slice(), &id.0].concat())
}

/// An operation whose seals hold, ready to be ordered. Whether its keys may act, and whether its nonce is next, is for the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    signed: SignedOperation,
    bytes: Vec<u8>,
    id: Digest,
    authority: Authority,
}

/// Why bytes are no verified operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// They are no operation in its canonical form.
    #[error("{0}")]
    Decode(#[from] signing::DecodeError),
    /// A seal does not hold.
    #[error("{0}")]
    Seal(#[from] SigningError),
    /// Nobody signed it.
    #[error("nobody has signed the operation")]
    Plain,
}

impl Verified {
    /// Decodes an operation and verifies its seals. Pure, so it may run on many threads.
    ///
    /// # Errors
    /// In the order of [`VerifyError`].
    pub fn check(domain: &Domain, bytes: Vec<u8>) -> Result<Self, VerifyError> {
        Self::check_with(&Verifier::new(domain), bytes)
    }

    /// The same for whoever checks many operations of one ledger.
    ///
    /// # Errors
    /// As [`Verified::check`].
    pub fn check_with(verifier: &Verifier, bytes: Vec<u8>) -> Result<Self, VerifyError> {
        let signed = SignedOperation::decode(&bytes)?;
        Self::of(verifier, signed, bytes)
    }

    /// Verifies the seals of an operation.
    ///
    /// # Errors
    /// [`VerifyError::Seal`], [`VerifyError::Plain`].
    pub fn check_signed(domain: &Domain, signed: SignedOperation) -> Result<Self, VerifyError> {
        let bytes = signed.encode();
        Self::of(&Verifier::new(domain), signed, bytes)
    }

    fn of(verifier: &Verifier, signed: SignedOperation, bytes: Vec<u8>) -> Result<Self, VerifyError> {
        if signed.is_plain() {
            return Err(VerifyError::Plain);
        }
        let authority = verifier.verify(&signed)?;
        let id = Digest(Sha256::digest(&bytes).into());
        Ok(Self { signed, bytes, id, authority })
    }

    /// An operation whose sender is named and has signed nothing: the rules refuse it on every ledger but those for development.
    pub fn plain(account: Address, operation: Operation) -> Self {
        Self::plain_by(account, None, operation)
    }

    /// The same, by a delegate that is named and has signed nothing.
    pub fn plain_by(account: Address, delegate: Option<Address>, operation: Operation) -> Self {
        let signed = SignedOperation { account, delegate, expires: NEVER, operation, seals: Vec::new() };
        let bytes = signed.encode();
        let id = Digest(Sha256::digest(&bytes).into());
        let signer = match delegate {
            Some(address) => Signer::Delegate { address, keys: Vec::new() },
            None => Signer::Plain,
        };
        Self { signed, bytes, id, authority: Authority { account, signer, expires: NEVER } }
    }

    /// An operation of a block, which may name its sender plainly.
    pub(crate) fn in_block(verifier: &Verifier, bytes: &[u8], id: Digest) -> Result<Self, VerifyError> {
        let signed = SignedOperation::decode(bytes)?;
        let authority = verifier.verify(&signed)?;
        Ok(Self { signed, bytes: bytes.to_vec(), id, authority })
    }

    /// The operation with its seals.
    pub const fn signed(&self) -> &SignedOperation {
        &self.signed
    }

    /// Its canonical bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its id: the SHA-256 of its bytes.
    pub const fn id(&self) -> Digest {
        self.id
    }

    /// For whom it acts, and who signed.
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }
}
