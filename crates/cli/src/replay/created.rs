//! What an operation has created, as its receipt says.

use protocol::Event;

use crate::replay::names::Thing;

/// The thing that the events tell of first, and its number. No operation creates two that a history could name.
pub(crate) fn by(events: &[Event]) -> Option<(Thing, u32)> {
    events.iter().find_map(|event| {
        Some(match event {
            Event::AssetListed { asset, .. } => (Thing::Asset, asset.number()),
            Event::OperatorRegistered { operator, .. } => (Thing::Operator, operator.number()),
            Event::PoolOpened { pool, .. } => (Thing::Pool, pool.number()),
            Event::ServiceCreated { service, .. } => (Thing::Service, service.number()),
            Event::SetCreated { set, .. } => (Thing::Set, set.number()),
            Event::SlashRequested { request, .. } => (Thing::Request, request.number()),
            Event::Slashed { slash, .. } => (Thing::Slash, slash.number()),
            Event::StreamOpened { stream, .. } => (Thing::Stream, stream.number()),
            Event::ValidatorReported { validator, .. } => (Thing::Validator, validator.number()),
            Event::PodReported { validator, .. } => (Thing::Validator, validator.number()),
            Event::VaultCreated { vault, .. } => (Thing::Vault, vault.number()),
            Event::RouteOpened { route, .. } => (Thing::Route, route.number()),
            Event::BasketCreated { basket, .. } => (Thing::Basket, basket.number()),
            _ => return None,
        })
    })
}
