//! Why a light client does not believe something.

use std::fmt;

use crate::ethereum::{BadKey, CommitteeError, Hash, ProofError, UnknownFork};

/// Why a bootstrap is not taken. In the order in which it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BootstrapRefused {
    /// The header is not that of the trusted block.
    Root {
        /// The trusted root.
        trusted: Hash,
        /// The root of the header.
        actual: Hash,
    },
    /// Nothing is known about the epoch of the block.
    Fork(UnknownFork),
    /// The committee is not in the state of the block.
    Committee(ProofError),
    /// The execution block is not in the body of the block.
    Execution(ProofError),
    /// A key of the committee is no key.
    Key(BadKey),
}

impl fmt::Display for BootstrapRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root { trusted, actual } => write!(
                f,
                "header has root 0x{} instead of the trusted 0x{}",
                hex::encode(actual),
                hex::encode(trusted)
            ),
            Self::Fork(error) => error.fmt(f),
            Self::Committee(error) => write!(f, "current sync committee: {error}"),
            Self::Execution(error) => write!(f, "execution block hash: {error}"),
            Self::Key(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BootstrapRefused {}

/// Why an update is not taken. In the order in which it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateRefused {
    /// Too few have signed.
    Signers {
        /// How many have.
        signers: usize,
        /// How many must: two thirds of the seats.
        least: usize,
    },
    /// The signatures are not later than the attested block, or that is earlier than the finalized one.
    Slots {
        /// Slot of the finalized block.
        finalized: u64,
        /// Slot of the attested block.
        attested: u64,
        /// Slot of the signatures.
        signature: u64,
    },
    /// The signatures are of a slot to come.
    Future {
        /// Slot of the signatures.
        signature: u64,
        /// The slot at the caller's time.
        now: u64,
    },
    /// Nothing is known about the epoch of the signatures, the attested or the finalized block.
    Fork(UnknownFork),
    /// The committee that signed is not known: an update in between was left out, or this one is too old.
    Period {
        /// Period of the signatures.
        period: u64,
        /// The first period whose committee is known.
        first: u64,
        /// The last one.
        last: u64,
    },
    /// The update tells nothing that is not known.
    NotNewer {
        /// Slot of its finalized block.
        finalized: u64,
        /// Slot of the newest finalized block known.
        known: u64,
    },
    /// The finalized block is not the one that the attested state holds final.
    Finality(ProofError),
    /// The execution block is not in the body of the finalized block.
    Execution(ProofError),
    /// The next committee is not in the attested state.
    Committee(ProofError),
    /// A key of the next committee is no key.
    Key(BadKey),
    /// The committee has not signed the attested block.
    Signature(CommitteeError),
    /// The committee has signed, against what it signed before. The same update proves that to
    /// [`LightClient::contradiction`](super::LightClient::contradiction).
    Contradicts(Contradiction),
}

impl fmt::Display for UpdateRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signers { signers, least } => {
                write!(f, "{signers} of the sync committee have signed, fewer than {least}")
            }
            Self::Slots { finalized, attested, signature } => write!(
                f,
                "slots are not in order: finalized {finalized}, attested {attested}, signed {signature}"
            ),
            Self::Future { signature, now } => write!(f, "slot {signature} of the signatures is after {now}"),
            Self::Fork(error) => error.fmt(f),
            Self::Period { period, first, last } => {
                write!(f, "sync committee of period {period} is not known, only those of {first} to {last}")
            }
            Self::NotNewer { finalized, known } => {
                write!(f, "finalized slot {finalized} is not after {known}, and nothing else is new")
            }
            Self::Finality(error) => write!(f, "finalized block: {error}"),
            Self::Execution(error) => write!(f, "execution block hash: {error}"),
            Self::Committee(error) => write!(f, "next sync committee: {error}"),
            Self::Key(error) => error.fmt(f),
            Self::Signature(error) => error.fmt(f),
            Self::Contradicts(contradiction) => contradiction.fmt(f),
        }
    }
}

impl std::error::Error for UpdateRefused {}

/// Two thirds of a sync committee have signed one thing and another. To hold one is to hold the proof: only
/// [`LightClient`](super::LightClient) makes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contradiction {
    pub(super) about: Disputed,
    pub(super) accepted: Hash,
    pub(super) claimed: Hash,
}

/// What a [`Contradiction`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disputed {
    /// The finalized block at a slot.
    Block {
        /// The slot.
        slot: u64,
    },
    /// The sync committee of a period.
    Committee {
        /// The period.
        period: u64,
    },
}

impl Contradiction {
    /// What it is about.
    pub fn about(&self) -> Disputed {
        self.about
    }

    /// The root that was accepted.
    pub fn accepted(&self) -> &Hash {
        &self.accepted
    }

    /// The other root, signed as well.
    pub fn claimed(&self) -> &Hash {
        &self.claimed
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.about {
            Disputed::Block { slot } => write!(f, "finalized block of slot {slot}")?,
            Disputed::Committee { period } => write!(f, "sync committee of period {period}")?,
        }
        write!(
            f,
            " has root 0x{}, but 0x{} was signed as well",
            hex::encode(self.accepted),
            hex::encode(self.claimed)
        )
    }
}

/// Why something is no contradiction. In the order in which it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContradictionRefused {
    /// The update itself is not believed.
    Update(UpdateRefused),
    /// No header of that slot was accepted, or it is forgotten.
    UnknownHeader {
        /// The slot of the header that should remember.
        slot: u64,
    },
    /// The state of a header does not remember the slot.
    NotRemembered {
        /// The slot asked for.
        slot: u64,
        /// The slot of the header.
        remembered_by: u64,
    },
    /// The root is not in the state that should remember it.
    Remembered(ProofError),
    /// The update agrees with everything accepted, or is about something that was not.
    Agrees,
}

impl fmt::Display for ContradictionRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Update(error) => error.fmt(f),
            Self::UnknownHeader { slot } => write!(f, "no finalized header of slot {slot} is remembered"),
            Self::NotRemembered { slot, remembered_by } => {
                write!(f, "state of slot {remembered_by} does not remember slot {slot}")
            }
            Self::Remembered(error) => write!(f, "remembered block root: {error}"),
            Self::Agrees => write!(f, "update contradicts nothing that was accepted"),
        }
    }
}

impl std::error::Error for ContradictionRefused {}
