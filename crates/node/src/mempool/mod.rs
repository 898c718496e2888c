//! What waits for a block: bounded in number and bytes, fair between senders, with room that only exits can take.
//!
//! Each sender (the account, or the delegate that acts for it) has one queue, so its operations keep their order; those with a number are
//! ordered by it, and held until whoever draws says that it is the next. A block is drawn one operation a sender at a time. A part of every block and of the pool itself is kept for exits: whatever others send, who wants to leave
//! gets in. Senders that the ledger does not know yet share one small part of the pool, since names cost nothing.
//!
//! It knows no rules and verifies nothing: what comes in was verified.

mod lanes;
mod queue;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::hash::RandomState;
use std::ops::Bound;

use evidence::PublicKey;
use hashbrown::{HashMap, HashSet};
use protocol::Kind;
use protocol::units::Address;

use self::lanes::{Lane, Lanes};
pub use self::queue::Turn;
use self::queue::{Queue, Row};

/// How many senders with held operations a draw looks at, beside those of whom there is news: nobody tells of keys that have changed, and
/// of what has expired.
const LOOKED_AT: usize = 64;
/// How many senders whose first operation is too large for what is left of a block are passed before it is called full.
const PASSED_MAX: usize = 1_024;
/// Which part of the pool, and of the newcomers' room, may be held: one in so many.
const HELD_PART: usize = 8;

/// What the pool must know of an operation, and what it carries for the caller.
#[derive(Debug)]
pub struct Candidate<T> {
    /// Its id.
    pub id: [u8; 32],
    /// Who sends it: the delegate if there is one, or the account.
    pub sender: Address,
    /// What it does.
    pub kind: Kind,
    /// Its length on the wire.
    pub bytes: usize,
    /// The last time, in milliseconds, at which it may be in a block.
    pub expires: u64,
    /// The keys that signed it, each with its nonce.
    pub seals: Vec<(PublicKey, u64)>,
    /// Whether the ledger knows the sender.
    pub known: bool,
    /// What goes with it.
    pub payload: T,
}

/// The sizes of the pool and of a block.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most operations that wait.
    pub operations: usize,
    /// The most bytes that wait.
    pub bytes: usize,
    /// The most operations of one sender.
    pub per_sender: usize,
    /// The most operations of senders that the ledger does not know.
    pub newcomers: usize,
    /// Percent of the room that only exits can take.
    pub exit_percent: usize,
}

/// Why an operation may not wait. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// It waits already.
    Waiting,
    /// Another operation of the sender waits with the same nonce.
    NonceTaken {
        /// The nonce.
        nonce: u64,
    },
    /// Its time is over.
    Expired {
        /// The last time at which it might have been in a block.
        expires: u64,
        /// The time of the ledger.
        now: u64,
    },
    /// The sender has too many waiting.
    SenderFull {
        /// How many may wait.
        limit: usize,
    },
    /// Too many operations of unknown senders wait.
    NewcomersFull {
        /// How many may wait.
        limit: usize,
    },
    /// Its turn has not come, and too many others wait for theirs.
    TooEarly {
        /// The nonce.
        nonce: u64,
    },
    /// There is no room.
    Full {
        /// How many wait.
        waiting: usize,
    },
}

/// What was drawn for a block.
#[derive(Debug)]
pub struct Drawn<T> {
    /// In the order of the block.
    pub operations: Vec<Candidate<T>>,
    /// Whose time is over.
    pub expired: Vec<Candidate<T>>,
    /// Whose turn has not come, and whose room others need.
    pub early: Vec<Candidate<T>>,
}

/// Whether an operation takes stake or funds out, so that the reserved room is open to it.
pub const fn is_exit(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Undelegate
            | Kind::Withdraw
            | Kind::Release
            | Kind::ReplaceFollowUp
            | Kind::Claim
            | Kind::LowerBond
            | Kind::ReleaseBond
            | Kind::ReleasePod
            | Kind::VaultRequest
            | Kind::VaultCancel
            | Kind::VaultClaim
            | Kind::VaultInstant
            | Kind::VaultTick
            | Kind::VaultJuniorLeave
            | Kind::BasketRedeem
    )
}

/// Room in operations and bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Room {
    operations: usize,
    bytes: usize,
}

impl Room {
    fn fits(self, bytes: usize) -> bool {
        self.operations > 0 && self.bytes >= bytes
    }

    fn take(&mut self, bytes: usize) {
        self.operations = self.operations.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    fn add(&mut self, bytes: usize) {
        self.operations = self.operations.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// What is left of it without the part that is kept for exits.
    fn without(self, percent: usize) -> Self {
        let kept = |whole: usize| whole.saturating_mul(percent).div_ceil(100);
        Self {
            operations: self.operations.saturating_sub(kept(self.operations)),
            bytes: self.bytes.saturating_sub(kept(self.bytes)),
        }
    }
}

/// The numbers that an operation takes of its sender: that of its one key, or, where several signed, one of the account.
fn nonces_taken<T>(candidate: &Candidate<T>) -> impl Iterator<Item = (Address, Row, u64)> {
    let sender = candidate.sender;
    let (alone, together) = match candidate.seals.as_slice() {
        [(key, nonce)] => (Some((sender, Some(key.clone()), *nonce)), BTreeSet::new()),
        several => (None, several.iter().map(|(_, nonce)| *nonce).collect()),
    };
    alone.into_iter().chain(together.into_iter().map(move |nonce| (sender, None, nonce)))
}

/// The operations that wait.
#[derive(Debug)]
pub struct Pool<T> {
    limits: Limits,
    /// Nothing depends on the order of the maps by hash; each has a seed of its own, so that nobody can choose what collides.
    queues: HashMap<Address, Queue<T>, RandomState>,
    /// Senders with something that may be drawn, in the order of their turns.
    lanes: Lanes,
    /// Senders of whom it must be seen what may be drawn.
    stirred: BTreeSet<Address>,
    /// Senders with something held.
    holding: BTreeSet<Address>,
    /// The last of them that was looked at without news.
    looked_at: Option<Address>,
    /// How many came so far.
    arrivals: u64,
    ids: HashSet<[u8; 32], RandomState>,
    nonces: HashSet<(Address, Row, u64), RandomState>,
    all: Room,
    /// Of all, those that are no exits.
    others: Room,
    newcomers: usize,
}

impl<T> Pool<T> {
    /// An empty pool.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            queues: HashMap::default(),
            lanes: Lanes::default(),
            stirred: BTreeSet::new(),
            holding: BTreeSet::new(),
            looked_at: None,
            arrivals: 0,
            ids: HashSet::default(),
            nonces: HashSet::default(),
            all: Room::default(),
            others: Room::default(),
            newcomers: 0,
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.all.operations
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.all.operations == 0
    }

    /// How many bytes wait.
    pub fn bytes(&self) -> usize {
        self.all.bytes
    }

    /// How many senders have something waiting.
    pub fn senders(&self) -> usize {
        self.queues.len()
    }

    /// Whether an operation waits.
    pub fn holds(&self, id: &[u8; 32]) -> bool {
        self.ids.contains(id)
    }

    /// The keys and nonces of what waits of a sender.
    pub fn nonces_of(&self, sender: &Address) -> impl Iterator<Item = (PublicKey, u64)> {
        let queue = self.queues.get(sender).into_iter().flat_map(Queue::iter);
        queue.flat_map(|candidate| candidate.seals.iter().cloned())
    }

    /// Takes an operation in.
    ///
    /// # Errors
    /// The first of [`Rejected`] that holds; the candidate comes back.
    pub fn insert(&mut self, candidate: Candidate<T>, now: u64) -> Result<(), (Rejected, Candidate<T>)> {
        if let Some(why) = self.refuses(&candidate, now) {
            return Err((why, candidate));
        }
        self.ids.insert(candidate.id);
        self.nonces.extend(nonces_taken(&candidate));
        self.all.add(candidate.bytes);
        if !is_exit(candidate.kind) {
            self.others.add(candidate.bytes);
        }
        if !candidate.known {
            self.newcomers = self.newcomers.saturating_add(1);
        }
        let sender = candidate.sender;
        let queue = self.queues.entry(sender).or_default();
        if queue.push(self.arrivals, candidate) {
            self.stirred.insert(sender);
            self.holding.insert(sender);
        } else {
            self.give_turn(sender);
        }
        self.arrivals = self.arrivals.saturating_add(1);
        Ok(())
    }

    fn refuses(&self, candidate: &Candidate<T>, now: u64) -> Option<Rejected> {
        if self.ids.contains(&candidate.id) {
            return Some(Rejected::Waiting);
        }
        if let Some((_, _, nonce)) = nonces_taken(candidate).find(|taken| self.nonces.contains(taken)) {
            return Some(Rejected::NonceTaken { nonce });
        }
        if candidate.expires < now {
            return Some(Rejected::Expired { expires: candidate.expires, now });
        }
        let limits = self.limits;
        if self.queues.get(&candidate.sender).is_some_and(|queue| queue.len() >= limits.per_sender) {
            return Some(Rejected::SenderFull { limit: limits.per_sender });
        }
        if !candidate.known && self.newcomers >= limits.newcomers {
            return Some(Rejected::NewcomersFull { limit: limits.newcomers });
        }
        let whole = Room { operations: limits.operations, bytes: limits.bytes };
        let fits = |room: Room, taken: Room| {
            taken.operations < room.operations && taken.bytes.saturating_add(candidate.bytes) <= room.bytes
        };
        let has_room = fits(whole, self.all)
            && (is_exit(candidate.kind) || fits(whole.without(limits.exit_percent), self.others));
        (!has_room).then_some(Rejected::Full { waiting: self.all.operations })
    }

    /// Takes out what goes into the next block: first exits into the room that is theirs, then others into theirs, then exits into
    /// what is left. What has expired comes out as well. `turn` says of an operation with a number which numbers of its row are next, before
    /// anything that is drawn now: every number that is drawn is used in the block.
    pub fn draw(
        &mut self,
        operations: usize,
        bytes: usize,
        now: u64,
        turn: &dyn Fn(&Candidate<T>) -> Turn,
    ) -> Drawn<T> {
        let mut drawn = Drawn { operations: Vec::new(), expired: Vec::new(), early: Vec::new() };
        self.settle(now, turn, &mut drawn);
        let whole = Room { operations, bytes };
        let mut others = whole.without(self.limits.exit_percent);
        let mut exits = Room {
            operations: whole.operations.saturating_sub(others.operations),
            bytes: whole.bytes.saturating_sub(others.bytes),
        };
        self.rounds(Lane::Exits, &mut exits, now, &mut drawn);
        self.rounds(Lane::Others, &mut others, now, &mut drawn);
        let mut rest = Room {
            operations: exits.operations.saturating_add(others.operations),
            bytes: exits.bytes.saturating_add(others.bytes),
        };
        self.rounds(Lane::Exits, &mut rest, now, &mut drawn);
        drawn
    }

    /// One operation a sender at a time, until nobody in the lane has a first operation that fits. Room never grows meanwhile, so who is passed
    /// once is not asked again.
    fn rounds(&mut self, lane: Lane, room: &mut Room, now: u64, drawn: &mut Drawn<T>) {
        let mut passed = Vec::new();
        while room.operations > 0 && passed.len() < PASSED_MAX {
            let Some((sender, place)) = self.lanes.next(lane) else { break };
            let Some(queue) = self.queues.get_mut(&sender) else { continue };
            if queue.place != Some(place) {
                continue;
            }
            let Some(first) = queue.first() else { continue };
            let is_over = first.expires < now;
            if !is_over && !room.fits(first.bytes) {
                passed.push((sender, place));
                continue;
            }
            let Some(taken) = queue.pop() else { continue };
            queue.place = None;
            if taken.kind.is_ordered() && !taken.seals.is_empty() {
                self.stirred.insert(sender);
                if is_over {
                    // What was to follow it has a gap before it now.
                    queue.hold();
                    self.holding.insert(sender);
                }
            }
            self.give_turn(sender);
            self.forget(&taken);
            if is_over {
                drawn.expired.push(taken);
            } else {
                room.take(taken.bytes);
                drawn.operations.push(taken);
            }
        }
        self.lanes.put_back(passed);
    }

    /// Gives a sender its place in the lane of its first operation, unless it has one there. Who has nothing is forgotten.
    fn give_turn(&mut self, sender: Address) {
        let Some(queue) = self.queues.get_mut(&sender) else { return };
        if queue.is_empty() {
            self.queues.remove(&sender);
            return;
        }
        let lane = queue.first().map(|first| if is_exit(first.kind) { Lane::Exits } else { Lane::Others });
        if lane != queue.place.map(|place| place.lane) {
            queue.place = lane.map(|lane| self.lanes.give(sender, lane));
        }
    }

    /// Looks whose turn it is: of the senders of whom there is news, and of some others that hold something.
    fn settle(&mut self, now: u64, turn: &dyn Fn(&Candidate<T>) -> Turn, drawn: &mut Drawn<T>) {
        let mut senders = std::mem::take(&mut self.stirred);
        if self.holding.len() <= LOOKED_AT {
            senders.extend(self.holding.iter().copied());
        } else {
            let last = self.looked_at.map_or(Bound::Unbounded, Bound::Excluded);
            let after = self.holding.range((last, Bound::Unbounded));
            let some: Vec<Address> = after.chain(&self.holding).take(LOOKED_AT).copied().collect();
            self.looked_at = some.last().copied();
            senders.extend(some);
        }
        for sender in senders {
            let Some(queue) = self.queues.get_mut(&sender) else {
                self.holding.remove(&sender);
                continue;
            };
            let expired = queue.settle(now, turn);
            if queue.held().next().is_none() {
                self.holding.remove(&sender);
            }
            self.give_turn(sender);
            expired.iter().for_each(|gone| self.forget(gone));
            drawn.expired.extend(expired);
        }
        self.make_room(drawn);
    }

    /// Holds a part of the pool at most: beyond it those go that have waited for their turn the longest.
    fn make_room(&mut self, drawn: &mut Drawn<T>) {
        let queues = || self.holding.iter().filter_map(|sender| self.queues.get(sender));
        let (mut all, mut newcomers) = (Room::default(), 0_usize);
        for (_, held) in queues().flat_map(Queue::held) {
            all.add(held.bytes);
            newcomers = newcomers.saturating_add(usize::from(!held.known));
        }
        let limits = self.limits;
        let is_over = |all: Room, newcomers: usize| {
            all.operations > limits.operations / HELD_PART
                || all.bytes > limits.bytes / HELD_PART
                || newcomers > limits.newcomers / HELD_PART
        };
        if !is_over(all, newcomers) {
            return;
        }
        let held = queues().flat_map(Queue::held);
        let mut held: Vec<_> = held.map(|(arrived, held)| (arrived, held.sender, held.known)).collect();
        held.sort_unstable();
        for (arrived, sender, known) in held {
            let is_needed =
                all.operations > limits.operations / HELD_PART || all.bytes > limits.bytes / HELD_PART;
            if !is_needed && (known || newcomers <= limits.newcomers / HELD_PART) {
                continue;
            }
            let Some(queue) = self.queues.get_mut(&sender) else { continue };
            let Some(early) = queue.remove_held(arrived) else { continue };
            if queue.held().next().is_none() {
                self.holding.remove(&sender);
            }
            self.give_turn(sender);
            all.take(early.bytes);
            newcomers = newcomers.saturating_sub(usize::from(!known));
            self.forget(&early);
            drawn.early.push(early);
        }
    }

    fn forget(&mut self, taken: &Candidate<T>) {
        self.ids.remove(&taken.id);
        for nonce in nonces_taken(taken) {
            self.nonces.remove(&nonce);
        }
        self.all.take(taken.bytes);
        if !is_exit(taken.kind) {
            self.others.take(taken.bytes);
        }
        if !taken.known {
            self.newcomers = self.newcomers.saturating_sub(1);
        }
    }

    /// Takes out everything: the node stops.
    pub fn drain(&mut self) -> Vec<Candidate<T>> {
        let queues = std::mem::take(&mut self.queues);
        self.lanes.clear();
        self.stirred.clear();
        self.holding.clear();
        self.ids.clear();
        self.nonces.clear();
        (self.all, self.others, self.newcomers) = (Room::default(), Room::default(), 0);
        queues.into_values().flat_map(Queue::into_candidates).collect()
    }
}
