//! What entries of stake have in common that are in one pool, entered together and leave together: everything but the amount. It is
//! worked out once for all of them, so that an answer costs as the entries and as what they have in common, and not as the product.

use std::collections::BTreeMap;

use super::Loss;
use super::liability::{Liability, Threat, loss_of};
use super::operators::open_requests;
use super::positions::entries;
use crate::pool;
use crate::state::State;
use crate::state::positions::Position;
use crate::units::{Address, Amount, Epoch, OperatorId, PoolId, RequestId};

/// What such entries have in common. What is lost is of a unit of principal, in `1 / 2^120`.
pub(super) struct Alike<'a> {
    pub(super) liability: Liability<'a>,
    /// What a unit of principal is worth, in `1 / 2^120`.
    factor: u128,
    at_worst: u128,
    leaving_now: u128,
    /// The sets that matter, ascending.
    pub(super) threats: Vec<Threat>,
    /// What open requests would take, by number; without those that would take nothing.
    pub(super) requests: Vec<(RequestId, u128)>,
}

impl Alike<'_> {
    /// What part of a unit of principal is of an entry.
    pub(super) fn loss(&self, position: &Position, lost: u128) -> Loss {
        loss_of(position.principal, self.factor, lost)
    }

    /// What an entry is worth.
    pub(super) fn worth(&self, position: &Position) -> Amount {
        pool::worth(position.principal, self.factor)
    }

    /// What all sets together may take of an entry within one window.
    pub(super) fn worst_case(&self, position: &Position) -> Loss {
        self.loss(position, self.at_worst)
    }

    /// The same if it were asked back now.
    pub(super) fn if_asked_back_now(&self, position: &Position) -> Loss {
        self.loss(position, self.leaving_now)
    }
}

/// The entries of stake of an account, and what those have in common that are alike.
pub(super) struct Stakes<'a> {
    pub(super) state: &'a State,
    /// In the order of the account's list.
    pub(super) entries: Vec<(u32, Position)>,
    alike: BTreeMap<(PoolId, Epoch, Epoch), Alike<'a>>,
}

impl<'a> Stakes<'a> {
    /// Those of an account; none of an account that nobody knows.
    pub(super) fn of(state: &'a State, account: Address) -> Self {
        let entries = state.accounts.find(account).map_or_else(Vec::new, |id| entries(state, id));
        let mut alike = BTreeMap::new();
        let mut requests = Requests { state, open: BTreeMap::new(), lost: BTreeMap::new() };
        for (_, position) in &entries {
            let key = (position.pool, position.entered, position.until);
            alike.entry(key).or_insert_with(|| work_out(state, position, &mut requests));
        }
        Self { state, entries, alike }
    }

    /// What an entry has in common with those that are alike.
    ///
    /// # Panics
    /// Only on a bug: for an entry of another account.
    pub(super) fn alike(&self, position: &Position) -> &Alike<'a> {
        let key = (position.pool, position.entered, position.until);
        self.alike.get(&key).expect("every entry has been worked out")
    }
}

fn work_out<'a>(state: &'a State, position: &Position, requests: &mut Requests<'a>) -> Alike<'a> {
    let liability = Liability::of(state, position);
    let now_leaving = Liability::leaving(state, position, position.until.min(state.epoch));
    Alike {
        factor: liability.record.stake.factor(position.entered, position.until),
        at_worst: liability.lost_at_worst(),
        leaving_now: now_leaving.lost_at_worst(),
        threats: liability.threats(),
        requests: requests.against(position, &liability),
        liability,
    }
}

/// Open requests, and what they would take of a unit of principal with a history.
struct Requests<'a> {
    state: &'a State,
    open: BTreeMap<OperatorId, Vec<RequestId>>,
    /// By pool and track.
    lost: BTreeMap<(PoolId, usize, RequestId), u128>,
}

impl Requests<'_> {
    /// Those that would take something, by number.
    fn against(&mut self, position: &Position, liability: &Liability<'_>) -> Vec<(RequestId, u128)> {
        let state = self.state;
        if liability.is_over() {
            return Vec::new();
        }
        let operator = liability.record.operator;
        let open = self.open.entry(operator).or_insert_with(|| {
            let mut open = open_requests(state, operator);
            open.sort_unstable();
            open
        });
        let track = liability.record.stake.track_index(position.entered, position.until);
        let mut against = Vec::new();
        for id in open {
            let Some(request) = state.requests.get(id) else { continue };
            if request.capture < position.entered || position.until < request.capture {
                continue;
            }
            let lost = self.lost.entry((position.pool, track, *id)).or_insert_with(|| {
                let most = super::slashes::most_of(state, request);
                liability.lost_in(request.set, request.capture, most)
            });
            if *lost > 0 {
                against.push((*id, *lost));
            }
        }
        against
    }
}
