//! When an epoch begins: in the ledger's time, on the wall, and at about which height.

use ledger::Head;
use protocol::units::Epoch;
use serde::Serialize;

use crate::app::App;

/// When something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct When {
    /// At the start of this epoch.
    pub(crate) epoch: u32,
    /// In the ledger's time, in milliseconds since 1970.
    pub(crate) time_ms: u64,
    /// On the clocks of people, in milliseconds since 1970: other than `time_ms` only where the ledger's time stands still while the node
    /// is off, and then only right if it is not.
    pub(crate) wall_ms: u64,
    /// Milliseconds from the time of the answer; 0 for what is past.
    pub(crate) in_ms: u64,
    /// At least this height: each epoch begins in a block of its own once the node is up.
    pub(crate) height_at_least: u64,
    /// About this height, if blocks keep coming as in the heights that the node holds.
    pub(crate) height_about: u64,
}

impl App {
    /// When an epoch begins, seen from a head.
    pub(crate) fn when(&self, head: &Head, epoch: Epoch) -> When {
        let (number, now) = (epoch.number(), head.state.epoch());
        let time_ms = self.genesis.epoch_start_ms(u64::from(number));
        let in_ms = time_ms.saturating_sub(head.header.time_ms);
        let height = head.header.height;
        let height_at_least = height.saturating_add(u64::from(epoch.since(now)));
        let (blocks, span_ms) = self.heads.pace();
        let pace = u128::from(in_ms) * u128::from(blocks) / u128::from(span_ms.max(1));
        let height_about = height.saturating_add(u64::try_from(pace).unwrap_or(u64::MAX / 2));
        When {
            epoch: number,
            time_ms,
            wall_ms: self.clock.machine_time_of(time_ms),
            in_ms,
            height_at_least,
            height_about: height_about.max(height_at_least),
        }
    }
}
