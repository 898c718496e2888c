//! What the ledger tells contracts on other chains: messages of fixed layout, under a root of Keccak-256 that a contract checks cheaply.
//!
//! Each message is under the `outbox_root` of exactly one header: of the first that claims its height, or a later one, as executed. Messages are
//! never taken back. Whether a contract has acted on one is not known here.

use std::collections::BTreeMap;

use protocol::Event;
use protocol::units::{Address, Amount, AssetId, Digest};
use serde::{Deserialize, Serialize};
use sha3::{Digest as _, Keccak256};

use crate::merkle;
use crate::receipt::{Executed, Outcome};

/// A message: pay out what was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The height of its block.
    pub height: u64,
    /// Its place among the messages of that height, from 0.
    pub index: u32,
    /// Whose balance it was.
    pub account: Address,
    /// Of which asset.
    pub asset: AssetId,
    /// How much, in base units.
    pub amount: Amount,
    /// Where it goes, as the asset's origin writes addresses.
    pub to: String,
}

impl Message {
    /// What kind of message a withdrawal is.
    const WITHDRAWAL: u64 = 1;

    /// Its bytes, as a contract makes them with `abi.encode`: seven words of 32 bytes, the kind (1), height, index, account, asset,
    /// amount, and the Keccak-256 of `to`.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(224);
        let mut word = |value: &[u8]| {
            bytes.resize(bytes.len() + 32usize.saturating_sub(value.len()), 0);
            bytes.extend_from_slice(value);
        };
        word(&Self::WITHDRAWAL.to_be_bytes());
        word(&self.height.to_be_bytes());
        word(&self.index.to_be_bytes());
        word(&self.account.0);
        word(&self.asset.number().to_be_bytes());
        word(&self.amount.units().to_be_bytes());
        word(&Keccak256::digest(self.to.as_bytes()));
        bytes
    }

    /// Its leaf in the tree of messages.
    pub fn leaf(&self) -> Digest {
        merkle::leaf::<Keccak256>(&self.encode())
    }
}

/// The messages of a block that was executed.
pub fn messages(executed: &Executed) -> Vec<Message> {
    let mut messages = Vec::new();
    for receipt in &executed.receipts {
        let Outcome::Applied { events } = &receipt.outcome else { continue };
        for event in events {
            if let Event::Withdrawn { account, asset, amount, to } = event {
                messages.push(Message {
                    height: executed.header.height,
                    index: crate::cursor::narrow(messages.len()),
                    account: *account,
                    asset: *asset,
                    amount: *amount,
                    to: to.clone(),
                });
            }
        }
    }
    messages
}

/// The messages that no header has claimed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox(BTreeMap<u64, Vec<Digest>>);

impl Outbox {
    /// Adds the messages of a height.
    pub(crate) fn add(&mut self, executed: &Executed) {
        let leaves: Vec<Digest> = messages(executed).iter().map(Message::leaf).collect();
        if !leaves.is_empty() {
            self.0.insert(executed.header.height, leaves);
        }
    }

    /// The root over the messages through a height.
    pub(crate) fn root(&self, through: u64) -> Digest {
        let leaves = self.0.range(..=through).flat_map(|(_, leaves)| leaves.iter().copied());
        merkle::root::<Keccak256>(leaves.collect())
    }

    /// Forgets the messages through a height: a header has claimed them.
    pub(crate) fn claim(&mut self, through: u64) {
        self.0.retain(|height, _| *height > through);
    }
}
