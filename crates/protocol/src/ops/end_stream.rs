//! The funder of a stream ends it, after notice.

use crate::event::Event;
use crate::macros::{record, refusals};
use crate::state::State;
use crate::units::{Address, Epoch, StreamId};

record! {
    /// Ends a stream after the notice. Until then its funding stays locked; the rest returns to the funder.
    pub struct EndStream {
        /// The stream.
        pub stream: StreamId,
    }
}

refusals! {
    /// Why ending is refused.
    {
        StreamNotFound { stream: StreamId } => "stream {stream} does not exist",
        NotTheFunder { stream: StreamId } => "the sender is not the funder of stream {stream}",
        EndsAlready { to: Epoch } => "the stream ends in epoch {to} already",
    }
}

impl EndStream {
    pub(crate) fn apply(
        &self,
        state: &mut State,
        sender: Address,
        events: &mut Vec<Event>,
    ) -> Result<(), Refused> {
        let id = self.stream;
        let stream = state.streams.get(&id).ok_or(Refused::StreamNotFound { stream: id })?;
        if state.accounts.find(sender) != Some(stream.funder) {
            return Err(Refused::NotTheFunder { stream: id });
        }
        let to = state.epoch.later(state.parameters().notice);
        if stream.to <= to {
            return Err(Refused::EndsAlready { to: stream.to });
        }

        // From here on nothing can fail.
        if let Some(stream) = state.streams.get_mut(&id) {
            stream.to = to;
        }
        events.push(Event::StreamEnding { stream: id, to });
        Ok(())
    }
}
