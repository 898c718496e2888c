//! An operation on its way: for whom it acts, until when it may be taken, and the seals of those who signed it.

use protocol::Operation;
use protocol::units::{Address, Digest};
use sha2::{Digest as _, Sha256};

/// What `contents` hashes before the delegate and the operation.
const CONTENTS_TAG: &[u8] = b"surety/contents/1";

/// The `expires` of a draft that never does.
pub const NEVER: u64 = u64::MAX;

/// What a signature is for: one ledger, on one chain, with one custody contract. A signature for another is worthless here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The chain of the custody contract: what the wallet must be switched to. Wallets take numbers below 2^53.
    pub chain_id: u64,
    /// The custody contract on that chain.
    pub custody: Address,
    /// The ledger: its name, a colon, and the first 8 hex digits of its genesis digest.
    pub ledger: String,
}

/// An operation that somebody is asked to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// For whom it acts.
    pub account: Address,
    /// Who acts, where that is not the account itself.
    pub delegate: Option<Address>,
    /// Milliseconds since 1970 after which no block takes it; [`NEVER`] is allowed.
    pub expires: u64,
    /// What it asks for.
    pub operation: Operation,
}

/// An operation with the seals of those who signed it: what travels, and what blocks contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedOperation {
    /// For whom it acts.
    pub account: Address,
    /// Who acts, where that is not the account itself.
    pub delegate: Option<Address>,
    /// Milliseconds since 1970 after which no block takes it; [`NEVER`] is allowed.
    pub expires: u64,
    /// What it asks for.
    pub operation: Operation,
    /// Who signed, at most [`SEALS_MAX`](crate::SEALS_MAX). Their order means nothing. Empty where the sender is named plainly.
    pub seals: Vec<Seal>,
}

/// One key's signature, with the nonce that it signed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seal {
    /// The number that the key spends on this operation. For ordered kinds the key's next; for others an unused one, by custom the
    /// milliseconds of the clock.
    pub nonce: u64,
    /// The signature.
    pub signature: Signature,
}

/// A signature by a person's or a machine's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signature {
    /// `r || s || v` over the hash of the typed data, as wallets make it. The key follows from it.
    Secp256k1([u8; 65]),
    /// Over [`ED25519_TAG`](crate::ED25519_TAG) and the hash of the typed data.
    Ed25519 {
        /// Who signed.
        key: [u8; 32],
        /// `R || s`.
        signature: [u8; 64],
    },
}

/// What an envelope costs those who have to look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Signatures to verify.
    pub signatures: usize,
    /// Bytes on the wire.
    pub bytes: usize,
}

impl Draft {
    /// The envelope of these seals.
    pub fn seal(self, seals: Vec<Seal>) -> SignedOperation {
        let Self { account, delegate, expires, operation } = self;
        SignedOperation { account, delegate, expires, operation, seals }
    }

    /// What stands for the delegate and the operation in what is signed: the SHA-256 of `surety/contents/1`, a zero byte or a one and
    /// the delegate's address, and the canonical bytes of the operation.
    pub fn contents(&self) -> Digest {
        contents(self.delegate, &self.operation)
    }
}

impl SignedOperation {
    /// What was signed.
    pub fn draft(&self) -> Draft {
        Draft {
            account: self.account,
            delegate: self.delegate,
            expires: self.expires,
            operation: self.operation.clone(),
        }
    }

    /// Names this envelope: the SHA-256 of its canonical bytes. The same operation with other seals has another id.
    pub fn id(&self) -> Digest {
        Digest(Sha256::digest(self.encode()).into())
    }

    /// Whether the sender is named plainly, without a signature. Only genesis blocks of development ledgers and tests have those.
    pub fn is_plain(&self) -> bool {
        self.seals.is_empty()
    }

    /// What it costs to verify and to store.
    pub fn cost(&self) -> Cost {
        Cost { signatures: self.seals.len(), bytes: self.encode().len() }
    }
}

/// A draft that is part of something else.
#[derive(Clone, Copy)]
pub(crate) struct DraftRef<'a> {
    pub(crate) account: Address,
    pub(crate) delegate: Option<Address>,
    pub(crate) expires: u64,
    pub(crate) operation: &'a Operation,
}

impl<'a> From<&'a Draft> for DraftRef<'a> {
    fn from(draft: &'a Draft) -> Self {
        let Draft { account, delegate, expires, operation } = draft;
        Self { account: *account, delegate: *delegate, expires: *expires, operation }
    }
}

impl<'a> From<&'a SignedOperation> for DraftRef<'a> {
    fn from(signed: &'a SignedOperation) -> Self {
        let SignedOperation { account, delegate, expires, operation, seals: _ } = signed;
        Self { account: *account, delegate: *delegate, expires: *expires, operation }
    }
}

/// See [`Draft::contents`].
pub(crate) fn contents(delegate: Option<Address>, operation: &Operation) -> Digest {
    let mut hash = Sha256::new_with_prefix(CONTENTS_TAG);
    match delegate {
        None => hash.update([0]),
        Some(delegate) => {
            hash.update([1]);
            hash.update(delegate.0);
        }
    }
    hash.update(operation.encode());
    Digest(hash.finalize().into())
}
