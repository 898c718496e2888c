//! What an operation has created, as its receipt says.

use protocol::Event;

use crate::replay::names::Thing;

/// The thing that the events tell of, and its number. No operation creates two that a history could name.
pub(crate) fn by(events: &[Event]) -> Option<(Thing, u32)> {
    events.iter().find_map(|event| {
        Some(match event {
            Event::AssetListed { asset, .. } => (Thing::Asset, asset.number()),
            _ => return None,
        })
    })
}
