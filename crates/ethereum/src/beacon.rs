//! The standard Beacon API, as far as a follower needs it.
//!
//! Source: ethereum/beacon-APIs, `apis/beacon/light_client` and `apis/debug`.

use std::io::Write;

use evidence::ethereum::api::{Answered, LightBootstrap, LightUpdate};
use evidence::ethereum::{BeaconHeader, Hash, Limited};
use serde::Deserialize;

use crate::http::{AddressError, Fault, Http, Patience};

/// Updates in one answer at most, which is what the specification allows.
const UPDATES_MAX: usize = 128;
/// Bytes of one committee with its proofs, as JSON; right ones have about 64,000.
const COMMITTEE_BYTES_MAX: u64 = 256 << 10;
/// Bytes of an update without a committee; right ones have about 6,000.
const FINALITY_BYTES_MAX: u64 = 64 << 10;
/// Bytes of a state; mainnet's have about 400 million.
pub const STATE_BYTES_MAX: u64 = 4 << 30;

/// A client of the consensus layer.
pub struct Beacon(Http);

/// The answer of `beacon/headers`.
#[derive(Debug, Deserialize)]
struct HeaderAnswer {
    #[serde(with = "text")]
    root: Hash,
    header: SignedHeader,
}

#[derive(Debug, Deserialize)]
struct SignedHeader {
    message: BeaconHeader,
}

mod text {
    use super::*;

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        let data = crate::hexadecimal::Data::deserialize(deserializer)?;
        data.0.try_into().map_err(|_| serde::de::Error::custom("not 32 bytes"))
    }
}

impl Beacon {
    /// The client at an address.
    ///
    /// # Errors
    /// [`AddressError`]
    pub fn new(address: &str, patience: Patience) -> Result<Self, AddressError> {
        Http::new(address, patience).map(Self)
    }

    /// Host and port.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// What a light client begins with at a block.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn bootstrap(&self, root: &Hash) -> Result<LightBootstrap, Fault> {
        let path = format!("/eth/v1/beacon/light_client/bootstrap/0x{}", hex::encode(root));
        Ok(self.0.get::<Answered<LightBootstrap>>(&path, COMMITTEE_BYTES_MAX)?.data)
    }

    /// The best update of each period from `start` on, at most `count` of them.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn updates(&self, start: u64, count: u64) -> Result<Vec<LightUpdate>, Fault> {
        let path = format!("/eth/v1/beacon/light_client/updates?start_period={start}&count={count}");
        let limit = COMMITTEE_BYTES_MAX.saturating_mul(count.max(1));
        let listed: Limited<Answered<LightUpdate>, UPDATES_MAX> = self.0.get(&path, limit)?;
        Ok(listed.into_inner().into_iter().map(|answered| answered.data).collect())
    }

    /// What is final, as the newest block shows it.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn finality_update(&self) -> Result<LightUpdate, Fault> {
        let path = "/eth/v1/beacon/light_client/finality_update";
        Ok(self.0.get::<Answered<LightUpdate>>(path, FINALITY_BYTES_MAX)?.data)
    }

    /// Root and header of a block: `finalized`, `head`, a slot or a root. A root that is not that of the header is refused.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn header(&self, block: &str) -> Result<(Hash, BeaconHeader), Fault> {
        let path = format!("/eth/v1/beacon/headers/{block}");
        let HeaderAnswer { root, header } =
            self.0.get::<Answered<HeaderAnswer>>(&path, FINALITY_BYTES_MAX)?.data;
        if root != header.message.root() {
            return Err(Fault::Form("root is not that of the header".into()));
        }
        Ok((root, header.message))
    }

    /// Writes the bytes of a state: `finalized`, a slot or the root of a state. Returns how many they are.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn state(&self, state: &str, to: &mut dyn Write, heard: &mut dyn FnMut(u64)) -> Result<u64, Fault> {
        let path = format!("/eth/v2/debug/beacon/states/{state}");
        self.0.download(&path, STATE_BYTES_MAX, to, heard)
    }
}
