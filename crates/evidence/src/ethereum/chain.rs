//! Which chain is followed: what a ledger's configuration fixes of it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::wire::{decimal, fixed};
use super::{Hash, Schedule};

/// Finalized headers remembered at most.
pub const KEPT_MAX: u16 = 1024;

/// What a ledger's configuration says of the chain that it follows.
///
/// Invariant: between 1 and [`KEPT_MAX`] headers are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chain {
    #[serde(with = "fixed")]
    genesis_validators_root: Hash,
    #[serde(with = "decimal")]
    genesis_time: u64,
    schedule: Schedule,
    kept: u16,
}

impl<'de> Deserialize<'de> for Chain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Parts {
            #[serde(with = "fixed")]
            genesis_validators_root: Hash,
            #[serde(with = "decimal")]
            genesis_time: u64,
            schedule: Schedule,
            kept: u16,
        }
        let Parts { genesis_validators_root, genesis_time, schedule, kept } =
            Parts::deserialize(deserializer)?;
        Self::new(genesis_validators_root, genesis_time, schedule, kept).map_err(serde::de::Error::custom)
    }
}

impl Chain {
    /// The chain that began with these validators, at `genesis_time` in seconds since 1970. Of the headers accepted, the
    /// newest `kept` can be proven against.
    ///
    /// # Refuses
    /// [`KeptError`].
    pub fn new(
        genesis_validators_root: Hash,
        genesis_time: u64,
        schedule: Schedule,
        kept: u16,
    ) -> Result<Self, KeptError> {
        if !(1..=KEPT_MAX).contains(&kept) {
            return Err(KeptError { kept });
        }
        Ok(Self { genesis_validators_root, genesis_time, schedule, kept })
    }

    /// Ethereum mainnet under `schedule`.
    ///
    /// # Refuses
    /// [`KeptError`].
    pub fn mainnet(schedule: Schedule, kept: u16) -> Result<Self, KeptError> {
        let genesis_validators_root = [
            0x4b, 0x36, 0x3d, 0xb9, 0x4e, 0x28, 0x61, 0x20, 0xd7, 0x6e, 0xb9, 0x05, 0x34, 0x0f, 0xdd, 0x4e,
            0x54, 0xbf, 0xe9, 0xf0, 0x6b, 0xf3, 0x3f, 0xf6, 0xcf, 0x5a, 0xd2, 0x7f, 0x51, 0x1b, 0xfe, 0x95,
        ];
        Self::new(genesis_validators_root, 1_606_824_023, schedule, kept)
    }

    /// What distinguishes the chain from every other.
    pub fn genesis_validators_root(&self) -> &Hash {
        &self.genesis_validators_root
    }

    /// When slot 0 began, in seconds since 1970.
    pub fn genesis_time(&self) -> u64 {
        self.genesis_time
    }

    /// From when on which fork rules.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// How many finalized headers are remembered.
    pub fn kept(&self) -> usize {
        usize::from(self.kept)
    }

    /// The slot at a time in milliseconds since 1970. `None` before slot 0.
    pub fn slot_at(&self, time_ms: u64) -> Option<u64> {
        let since = time_ms.checked_sub(self.genesis_time.checked_mul(1000)?)?;
        since.checked_div(12_000)
    }
}

/// The number of headers to be kept is not between 1 and [`KEPT_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptError {
    /// The number given.
    pub kept: u16,
}

impl fmt::Display for KeptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kept headers are not between 1 and {KEPT_MAX}", self.kept)
    }
}

impl std::error::Error for KeptError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024 began in UTC (1704067200 - 1606824023) / 12 slots after the chain.
    #[test]
    fn slots_follow_from_time() {
        let chain = Chain::mainnet(Schedule::mainnet(None), 8).unwrap();
        let cases = [
            (0, None),
            (1_606_824_022_999, None),
            (1_606_824_023_000, Some(0)),
            (1_606_824_034_999, Some(0)),
            (1_606_824_035_000, Some(1)),
            (1_704_067_200_000, Some(8_103_598)),
            (u64::MAX, Some(1_537_228_538_907_127)),
        ];
        for (time, expected) in cases {
            assert_eq!(chain.slot_at(time), expected, "{time}");
        }
    }

    #[test]
    fn a_chain_is_written_and_read() {
        let chain = Chain::mainnet(Schedule::mainnet(Some(500_000)), 8).unwrap();
        let text = serde_json::to_string(&chain).unwrap();
        assert_eq!(serde_json::from_str::<Chain>(&text).unwrap(), chain);
        let bytes = postcard::to_stdvec(&chain).unwrap();
        assert_eq!(postcard::from_bytes::<Chain>(&bytes).unwrap(), chain);
        for kept in ["0", "1025"] {
            let bad = text.replace("\"kept\":8", &format!("\"kept\":{kept}"));
            let refused = serde_json::from_str::<Chain>(&bad).unwrap_err().to_string();
            assert!(refused.contains("kept headers are not between 1 and 1024"), "{refused}");
        }
    }
}
