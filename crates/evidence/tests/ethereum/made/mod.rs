//! On the chain of the crate `fixtures`, through every fork.

mod execution;
mod forms;
mod light;
mod lists;
mod refusals;
mod validators;

use std::sync::LazyLock;

use evidence::ethereum::{Finalized, LightClient};
use fixtures::{Block, World};

/// The one chain of these tests: making committees takes longer than all the rest.
pub(crate) static WORLD: LazyLock<World> = LazyLock::new(|| World::new(8));

/// Slots of a period.
pub(crate) const PERIOD: u64 = 8192;
/// No update is of the future.
pub(crate) const LATE: u64 = u64::MAX;

/// A light client that begins with the block of a slot.
pub(crate) fn client(slot: u64) -> LightClient {
    let (trusted, bootstrap) = WORLD.bootstrap(slot);
    LightClient::new(WORLD.chain(), &trusted, bootstrap).unwrap()
}

/// A block as if a light client had accepted it.
pub(crate) fn finalized(block: &Block) -> Finalized {
    serde_json::from_str(&block.finalized_text()).unwrap()
}

/// A slot of each fork.
pub(crate) const SLOTS: [u64; 5] = [640, PERIOD + 640, 2 * PERIOD + 640, 3 * PERIOD + 640, 4 * PERIOD + 640];
