//! Bodies larger than other requests need, such as reports of pods with thousands of validators: taken where operations are, a few at once, and one
//! of an address, so that nobody fills the memory with them or keeps everybody else's out.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// How many are read and parsed at once.
pub(crate) const AT_ONCE: usize = 8;

/// Who has a large body under way; none for calls within the process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Desk(Arc<Mutex<Vec<Option<IpAddr>>>>);

/// A place at the desk, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    desk: Desk,
    of: Option<IpAddr>,
}

impl Desk {
    /// A place for somebody. `None` if all are taken, or one is by the same address, unless that is this machine.
    pub(crate) fn enter(&self, of: Option<IpAddr>) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_own = of.is_none_or(|address| address.is_loopback());
        if taken.len() >= AT_ONCE || (!is_own && taken.contains(&of)) {
            return None;
        }
        taken.push(of);
        Some(Place { desk: self.clone(), of })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.desk.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = taken.iter().position(|of| *of == self.of) {
            taken.swap_remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_place_and_this_machine_what_is_left() {
        let desk = Desk::default();
        let other = |number| Some(IpAddr::from([10, 0, 0, number]));
        let first = desk.enter(other(1));
        assert!(first.is_some() && desk.enter(other(1)).is_none());
        let own: Vec<Place> = (1..AT_ONCE).filter_map(|_| desk.enter(None)).collect();
        assert_eq!(own.len(), AT_ONCE - 1);
        assert!(desk.enter(None).is_none() && desk.enter(other(2)).is_none(), "all are taken");
        drop(first);
        assert!(desk.enter(other(1)).is_some());
    }
}
