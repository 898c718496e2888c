//! Streams of rewards.

use super::Page;
use super::slashes::cut;
use crate::state::State;
use crate::state::records::Stream;
use crate::units::{Address, Amount, AssetId, Epoch, SetId, StreamId};

answer! {
    /// A stream of rewards.
    pub struct StreamDetail {
        /// Which.
        pub stream: StreamId,
        /// Whom it pays.
        pub set: SetId,
        /// In which token.
        pub token: AssetId,
        /// How much an epoch.
        pub per_epoch: Amount,
        /// First epoch it pays for.
        pub from: Epoch,
        /// Last epoch it pays for.
        pub to: Epoch,
        /// Funding that is locked in it.
        pub locked: Amount,
        /// What rounding has left of past payments; it joins the next.
        pub dust: Amount,
        /// Who funds it, and gets back what is left.
        pub funder: Address,
    }
}

/// One stream.
pub fn stream(state: &State, id: StreamId) -> Option<StreamDetail> {
    state.streams.get(&id).map(|stream| show(state, id, stream))
}

/// Streams by their numbers, after one of them; those of one set where it is given. Costs as it shows, and as the set has streams.
pub fn streams(
    state: &State,
    set: Option<SetId>,
    after: Option<StreamId>,
    limit: usize,
) -> Page<StreamDetail> {
    let first = StreamId::new(after.map_or(0, |after| after.number().saturating_add(1)));
    let show = |(id, stream)| show(state, id, stream);
    let Some(set) = set else {
        let found = state.streams.starting_at(first);
        return cut(found.map(|(id, stream)| (id.number(), (*id, stream))), limit, show);
    };
    let listed = state.set(set).map_or(&[][..], |record| &record.streams);
    let mut listed: Vec<StreamId> = listed.iter().copied().filter(|id| *id >= first).collect();
    listed.sort_unstable();
    let found = listed.into_iter().filter_map(|id| Some((id.number(), (id, state.streams.get(&id)?))));
    cut(found, limit, show)
}

fn show(state: &State, id: StreamId, stream: &Stream) -> StreamDetail {
    StreamDetail {
        stream: id,
        set: stream.set,
        token: stream.token,
        per_epoch: stream.per_epoch,
        from: stream.from,
        to: stream.to,
        locked: stream.locked,
        dust: stream.dust,
        funder: state.address_of(stream.funder),
    }
}
