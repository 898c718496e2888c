//! What waits, who waits for it, and what was answered lately: behind one lock, so that no operation falls between two places.

use std::collections::VecDeque;
use std::hash::RandomState;
use std::sync::Arc;
use std::time::Instant;

use evidence::PublicKey;
use hashbrown::HashMap;
use ledger::Verified;
use protocol::Signer;
use protocol::units::Address;
use tokio::sync::oneshot;

use super::{Load, Submission};
use crate::answer::{Answer, Placed};
use crate::mempool::{Candidate, Drawn, Limits, Pool, Rejected, Turn};
use crate::refused::is_final;

/// How many answers are remembered, so that the same bytes find theirs before the archive has them.
const RECENT_MAX: usize = 32_768;

/// The most who wait for the answer to one operation.
const REPLIES_MAX: usize = 64;

type Id = [u8; 32];
type Replies = Vec<oneshot::Sender<Answer>>;

/// Everything between arrival and answer.
#[derive(Debug)]
pub(super) struct Waiting {
    pool: Pool<Box<Verified>>,
    /// By id, of what waits or is in a block that is being appended.
    replies: HashMap<Id, Replies, RandomState>,
    recent: HashMap<Id, Placed, RandomState>,
    recent_order: VecDeque<Id>,
    /// Sender, key and nonce of what is in the block that is being appended.
    in_block: Vec<(Address, PublicKey, u64)>,
    /// When the oldest operation that waits came.
    pub(super) since: Option<Instant>,
    /// Why no more is taken.
    stopped: Option<Arc<str>>,
}

impl Waiting {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            pool: Pool::new(limits),
            replies: HashMap::default(),
            recent: HashMap::default(),
            recent_order: VecDeque::new(),
            in_block: Vec::new(),
            since: None,
            stopped: None,
        }
    }

    pub(super) fn take(&mut self, submission: Submission, now: u64) {
        let Submission { operation, known, reply } = submission;
        if let Some(why) = &self.stopped {
            return send(reply, Answer::Stopped(Arc::clone(why)));
        }
        let id = operation.id().0;
        if let Some(replies) = self.replies.get_mut(&id) {
            return listen(replies, reply);
        }
        if let Some(placed) = self.recent.get(&id) {
            return send(reply, Answer::Executed(placed.clone()));
        }
        match self.pool.insert(candidate(operation, known), now) {
            Ok(()) => {
                self.replies.insert(id, vec![reply]);
                self.since.get_or_insert_with(Instant::now);
            }
            Err((Rejected::Expired { expires, now }, _)) => send(reply, Answer::Expired { expires, now }),
            Err((why, _)) => send(reply, Answer::Rejected(why)),
        }
    }

    /// Waits with those who wait already.
    pub(super) fn join(&mut self, id: &Id) -> Option<oneshot::Receiver<Answer>> {
        let (reply, answer) = oneshot::channel();
        if let Some(replies) = self.replies.get_mut(id) {
            listen(replies, reply);
        } else {
            send(reply, Answer::Executed(self.recent.get(id)?.clone()));
        }
        Some(answer)
    }

    /// Whether an operation waits, is in a block that is being appended, or was in one of the newest.
    pub(super) fn holds(&self, id: &Id) -> bool {
        self.replies.contains_key(id) || self.recent.contains_key(id)
    }

    /// The keys and nonces of what a sender has under way.
    pub(super) fn nonces_of(&self, sender: &Address) -> Vec<(PublicKey, u64)> {
        let in_block = self.in_block.iter().filter(|(of, _, _)| of == sender);
        let in_block = in_block.map(|(_, key, nonce)| (key.clone(), *nonce));
        self.pool.nonces_of(sender).chain(in_block).collect()
    }

    pub(super) fn load(&self) -> Load {
        Load { operations: self.pool.len(), bytes: self.pool.bytes(), senders: self.pool.senders() }
    }

    pub(super) fn len(&self) -> usize {
        self.pool.len()
    }

    /// What goes into the next block; the senders of what has expired are answered here.
    pub(super) fn draw(
        &mut self,
        (operations, bytes): (usize, usize),
        now: u64,
        turn: impl Fn(&Verified) -> Turn,
    ) -> Vec<Verified> {
        let turn = |candidate: &Candidate<Box<Verified>>| turn(&candidate.payload);
        let Drawn { operations, expired, early } = self.pool.draw(operations, bytes, now, &turn);
        for gone in expired {
            self.answer(&gone.id, &Answer::Expired { expires: gone.expires, now });
        }
        for gone in early {
            let nonce = gone.seals.first().map_or(0, |(_, nonce)| *nonce);
            self.answer(&gone.id, &Answer::Rejected(Rejected::TooEarly { nonce }));
        }
        self.since = (!self.pool.is_empty()).then(Instant::now);
        for drawn in &operations {
            let seals = drawn.seals.iter().map(|(key, nonce)| (drawn.sender, key.clone(), *nonce));
            self.in_block.extend(seals);
        }
        operations.into_iter().map(|candidate| *candidate.payload).collect()
    }

    /// Answers everybody whose operation is in a block.
    pub(super) fn executed(&mut self, block: &Arc<ledger::Executed>) {
        for (index, receipt) in block.receipts.iter().enumerate() {
            let Some(placed) = Placed::new(Arc::clone(block), index) else { continue };
            let id = receipt.id.0;
            self.answer(&id, &Answer::Executed(placed.clone()));
            if !is_final(&receipt.outcome) {
                continue; // The same bytes may be taken again.
            }
            self.recent.insert(id, placed);
            self.recent_order.push_back(id);
        }
        self.in_block.clear();
        while self.recent_order.len() > RECENT_MAX {
            if let Some(oldest) = self.recent_order.pop_front() {
                self.recent.remove(&oldest);
            }
        }
    }

    /// Answers everybody: there are no more blocks.
    pub(super) fn stop(&mut self, why: &Arc<str>) {
        self.stopped = Some(Arc::clone(why));
        self.pool.drain();
        self.since = None;
        for replies in std::mem::take(&mut self.replies).into_values() {
            for reply in replies {
                send(reply, Answer::Stopped(Arc::clone(why)));
            }
        }
    }

    fn answer(&mut self, id: &Id, answer: &Answer) {
        for reply in self.replies.remove(id).unwrap_or_default() {
            send(reply, answer.clone());
        }
    }
}

/// One more who waits for the same answer. Those who have left make room; beyond it nobody is kept, and who asked looks it up.
fn listen(replies: &mut Replies, reply: oneshot::Sender<Answer>) {
    if replies.len() >= REPLIES_MAX {
        replies.retain(|reply| !reply.is_closed());
    }
    if replies.len() < REPLIES_MAX {
        replies.push(reply);
    }
}

/// Whoever asked may have left.
fn send(reply: oneshot::Sender<Answer>, answer: Answer) {
    drop(reply.send(answer));
}

fn candidate(operation: Box<Verified>, known: bool) -> Candidate<Box<Verified>> {
    let authority = operation.authority();
    let (sender, keys) = match &authority.signer {
        Signer::Plain => (authority.account, &[][..]),
        Signer::Keys(keys) => (authority.account, keys.as_slice()),
        Signer::Delegate { address, keys } => (*address, keys.as_slice()),
    };
    Candidate {
        id: operation.id().0,
        sender,
        kind: operation.signed().operation.kind(),
        bytes: operation.bytes().len(),
        expires: authority.expires,
        seals: keys.iter().map(|used| (used.key().clone(), used.nonce)).collect(),
        known,
        payload: operation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_wait_for_one_answer_are_bounded_and_those_who_left_make_room() {
        let mut replies = Replies::new();
        let mut waiting = Vec::new();
        for _ in 0..REPLIES_MAX + 5 {
            let (reply, answer) = oneshot::channel();
            listen(&mut replies, reply);
            waiting.push(answer);
        }
        assert_eq!(replies.len(), REPLIES_MAX);
        waiting.truncate(1);
        let (reply, _answer) = oneshot::channel();
        listen(&mut replies, reply);
        assert_eq!(replies.len(), 2, "one who has stayed, and one more");
    }
}
