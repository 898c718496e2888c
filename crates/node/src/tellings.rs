//! The events of blocks as they are told. Those of the newest blocks are made once for all who follow.

use std::cell::LazyCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use ledger::Fault;
use protocol::units::Address;

use crate::app::App;
use crate::topics::{Filter, Interest, Sequence, Told, told};

/// So many of the newest blocks are kept,
const BLOCKS_KEPT: u64 = 32;
/// with so many events in all, or one block.
const EVENTS_KEPT: usize = 20_000;

/// The newest blocks whose events somebody has asked for.
#[derive(Debug, Default)]
pub(crate) struct Tellings(Mutex<VecDeque<Telling>>);

#[derive(Clone, Debug)]
struct Telling {
    height: u64,
    events: Arc<[Told]>,
}

impl Tellings {
    fn find(&self, height: u64) -> Option<Arc<[Told]>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().rev().find(|telling| telling.height == height).map(|telling| Arc::clone(&telling.events))
    }

    fn keep(&self, telling: Telling) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.iter().any(|known| known.height == telling.height) {
            return;
        }
        kept.push_back(telling);
        let newest = kept.iter().map(|telling| telling.height).max().unwrap_or_default();
        kept.retain(|telling| newest.saturating_sub(telling.height) < BLOCKS_KEPT);
        let mut events: usize = kept.iter().map(|telling| telling.events.len()).sum();
        while events > EVENTS_KEPT && kept.len() > 1 {
            events = events.saturating_sub(kept.pop_front().map_or(0, |telling| telling.events.len()));
        }
    }
}

impl App {
    /// Every event of a block, in order; none above the newest.
    pub(crate) fn told_at(&self, height: u64) -> Result<Option<Arc<[Told]>>, Fault> {
        if let Some(events) = self.tellings.find(height) {
            return Ok(Some(events));
        }
        let Some(block) = self.reader.executed(height)? else { return Ok(None) };
        let events: Arc<[Told]> = told(&block).into();
        // Whoever reads the past does not push out what everybody waits for.
        if height.saturating_add(BLOCKS_KEPT) > self.reader.height() {
            self.tellings.keep(Telling { height, events: Arc::clone(&events) });
        }
        Ok(Some(events))
    }

    /// The events of a block that somebody wants, after one of them.
    pub(crate) fn wanted_at(
        &self,
        height: u64,
        filter: &Filter,
        after: Option<Sequence>,
    ) -> Result<VecDeque<Told>, Fault> {
        let Some(events) = self.told_at(height)? else { return Ok(VecDeque::new()) };
        let interest = LazyCell::new(|| {
            filter.account.map(|account| self.interest(account, height)).unwrap_or_default()
        });
        let is_new = |event: &&Told| after.is_none_or(|after| event.id > after);
        let wanted = events.iter().filter(is_new).filter(|event| filter.wants(event, &interest));
        Ok(wanted.cloned().collect())
    }

    /// What stands behind an account before and after a block, as far as those states are held; now, where they are not.
    pub(crate) fn interest(&self, account: Address, height: u64) -> Interest {
        let around = [height.checked_sub(1), Some(height)].into_iter().flatten();
        let held: Vec<_> = around.filter_map(|height| self.heads.at(Some(height)).ok()).collect();
        if held.is_empty() {
            return Interest::of(&self.heads.newest().state, account);
        }
        held.iter().map(|head| Interest::of(&head.state, account)).fold(Interest::default(), Interest::join)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn telling(height: u64, events: usize) -> Telling {
        let event = |index| Told::plain(Sequence { height, index }, "slashed");
        let events = (0..u32::try_from(events).expect("few")).map(event).collect();
        Telling { height, events }
    }

    fn heights(tellings: &Tellings) -> Vec<u64> {
        tellings.0.lock().expect("no panic").iter().map(|telling| telling.height).collect()
    }

    #[test]
    fn the_newest_blocks_are_kept_and_no_more_than_there_is_room_for() {
        let tellings = Tellings::default();
        (0..100).for_each(|height| tellings.keep(telling(height, 1)));
        assert_eq!(heights(&tellings), (68..100).collect::<Vec<u64>>());
        tellings.keep(telling(100, EVENTS_KEPT + 1));
        assert_eq!(heights(&tellings), [100], "one large block is kept alone");
        tellings.keep(telling(100, 1));
        assert_eq!(tellings.find(100).map(|events| events.len()), Some(EVENTS_KEPT + 1), "and once");
    }
}
