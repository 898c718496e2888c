//! Who is next: senders in the order of their turns, those whose first operation is an exit apart from the others, so that looking for the
//! one kind passes none of the other.

use std::collections::VecDeque;

use protocol::units::Address;

/// The lane of a sender: that of its first operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Exits,
    Others,
}

/// A place in a lane. One that its sender has no more is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) lane: Lane,
    number: u64,
}

/// Both lanes.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    exits: VecDeque<(Address, Place)>,
    others: VecDeque<(Address, Place)>,
    given: u64,
    /// How often somebody was taken from a lane.
    #[cfg(test)]
    pub(super) looks: usize,
}

impl Lanes {
    fn lane(&mut self, lane: Lane) -> &mut VecDeque<(Address, Place)> {
        match lane {
            Lane::Exits => &mut self.exits,
            Lane::Others => &mut self.others,
        }
    }

    /// A place at the end of a lane.
    pub(super) fn give(&mut self, sender: Address, lane: Lane) -> Place {
        let place = Place { lane, number: self.given };
        self.given = self.given.saturating_add(1);
        self.lane(lane).push_back((sender, place));
        place
    }

    /// Who is next in a lane, if the place is one that the sender still has.
    pub(super) fn next(&mut self, lane: Lane) -> Option<(Address, Place)> {
        #[cfg(test)]
        {
            self.looks += 1;
        }
        self.lane(lane).pop_front()
    }

    /// Those who were passed keep their places.
    pub(super) fn put_back(&mut self, passed: Vec<(Address, Place)>) {
        for (sender, place) in passed.into_iter().rev() {
            self.lane(place.lane).push_front((sender, place));
        }
    }

    pub(super) fn clear(&mut self) {
        self.exits.clear();
        self.others.clear();
    }
}
