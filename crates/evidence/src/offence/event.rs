//! A signed statement about an event on Ethereum, and the receipt that says otherwise.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{EvidenceRefused, Offence, Rule, digest};
use crate::ethereum::serde_form::{decimal, fixed};
use crate::ethereum::{Chain, Execution, Hash, Log, ReceiptError, ReceiptProof, keccak256};
use crate::signature::{PublicKey, Signature, verify};
use crate::statement::Statement;

const TAG: &[u8] = b"surety/ethereum/event/v1";

/// What a statement says of Ethereum: which log stands at a place, or that none does. Its hash is the content of the statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EventClaim {
    /// Number of the execution block.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub number: u64,
    /// Place of the transaction in it, from 0.
    #[serde(with = "decimal")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub transaction: u64,
    /// Place of the log in the transaction's receipt, from 0.
    pub log: u32,
    /// [`event_digest`] of the log. Zeros say that there is none at that place.
    #[serde(with = "fixed")]
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("pattern" = "^0x[0-9a-f]{64}$")))]
    pub event: Hash,
}

impl EventClaim {
    /// The content of a statement that says this: the SHA-256 of these bytes, integers big-endian.
    ///
    /// | Offset | Bytes | Field |
    /// |---|---|---|
    /// | 0 | 24 | `surety/ethereum/event/v1` |
    /// | 24 | 32 | root of the chain's first validators |
    /// | 56 | 8 | number of the block |
    /// | 64 | 8 | place of the transaction |
    /// | 72 | 4 | place of the log |
    /// | 76 | 32 | digest of the log |
    pub fn content(&self, chain: &Chain) -> Hash {
        Sha256::new()
            .chain_update(TAG)
            .chain_update(chain.genesis_validators_root())
            .chain_update(self.number.to_be_bytes())
            .chain_update(self.transaction.to_be_bytes())
            .chain_update(self.log.to_be_bytes())
            .chain_update(self.event)
            .finalize()
            .into()
    }
}

/// What distinguishes a log: the Keccak-256 of the contract's address, the number of topics in one byte, the topics, and the data.
pub fn event_digest(log: &Log) -> Hash {
    let mut bytes = log.address.to_vec();
    bytes.push(u8::try_from(log.topics.len()).unwrap_or(u8::MAX));
    bytes.extend(log.topics.as_flattened());
    bytes.extend(&log.data);
    keccak256(&bytes)
}

/// Evidence that `key` has stated something about Ethereum that is not so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FalseEvent {
    /// The key that signed.
    pub key: PublicKey,
    /// The operator set in whose domain it signed.
    pub set: u32,
    /// The epoch that it named.
    pub epoch: u32,
    /// The kind of duty.
    pub kind: u16,
    /// The slot within the kind.
    pub slot: u64,
    /// What it stated.
    pub claim: EventClaim,
    /// Its signature of the statement whose content is [`EventClaim::content`].
    pub signature: Signature,
    /// What stands at that place.
    pub receipt: ReceiptProof,
}

impl Offence {
    /// The offence that `evidence` proves on the ledger `ledger`, against a block that is final.
    ///
    /// # Refuses
    /// 1. [`EvidenceRefused::OtherBlock`]
    /// 2. [`EvidenceRefused::FirstSignature`]
    /// 3. [`EvidenceRefused::Receipt`]
    /// 4. [`EvidenceRefused::True`]
    pub fn from_false_event(
        ledger: &[u8; 32],
        chain: &Chain,
        block: &Execution,
        evidence: &FalseEvent,
    ) -> Result<Self, EvidenceRefused> {
        let FalseEvent { key, set, epoch, kind, slot, claim, signature, receipt } = evidence;
        if block.number() != claim.number || receipt.index != claim.transaction {
            return Err(EvidenceRefused::OtherBlock { stated: claim.number, shown: block.number() });
        }
        let content = claim.content(chain);
        let statement =
            Statement { ledger: *ledger, set: *set, epoch: *epoch, kind: *kind, slot: *slot, content };
        verify(key, &statement.signing_bytes(), signature).map_err(EvidenceRefused::FirstSignature)?;
        let found = match block.receipt(receipt) {
            Ok(found) => {
                let place = usize::try_from(claim.log).unwrap_or(usize::MAX);
                found.logs().get(place).map(event_digest).unwrap_or_default()
            }
            // The nodes have shown that the block has no such transaction.
            Err(ReceiptError::None { .. }) => Hash::default(),
            Err(error) => return Err(EvidenceRefused::Receipt(error)),
        };
        if found == claim.event {
            return Err(EvidenceRefused::True { event: found });
        }
        let digest = digest(Rule::FalseEvent, ledger, (*set, *epoch, *kind, *slot), key);
        let key = key.clone();
        Ok(Self { rule: Rule::FalseEvent, key, set: *set, epoch: *epoch, kind: *kind, slot: *slot, digest })
    }
}
