//! Stake of one account in one pool with one liability, by dense id.

use crate::units::{AccountId, Amount, Epoch, PoolId, ValidatorId};

/// No position, no validator.
pub(crate) const NONE: u32 = u32::MAX;

/// Stake of one account in one pool that entered and leaves together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Base units as they were delegated; what they are worth is the pool's to say.
    pub(crate) principal: Amount,
    pub(crate) account: AccountId,
    pub(crate) pool: PoolId,
    /// First bonded epoch.
    pub(crate) entered: Epoch,
    /// Last bonded epoch; [`Epoch::NEVER`] while it stays.
    pub(crate) until: Epoch,
    /// Rewards paid at boundaries into epochs up to this one are settled.
    pub(crate) settled: Epoch,
    /// The validator whose balance it is, [`NONE`] for tokens.
    pub(crate) validator_slot: u32,
    /// Next position of the same account.
    pub(crate) next: u32,
}

impl Position {
    pub(crate) fn new(
        account: AccountId,
        pool: PoolId,
        principal: Amount,
        entered: Epoch,
        validator: Option<ValidatorId>,
    ) -> Self {
        let validator_slot = validator.map_or(NONE, ValidatorId::number);
        let settled = entered.previous();
        Self { principal, account, pool, entered, until: Epoch::NEVER, settled, validator_slot, next: NONE }
    }

    pub(crate) fn validator(&self) -> Option<ValidatorId> {
        (self.validator_slot != NONE).then_some(ValidatorId::new(self.validator_slot))
    }

    /// The last work through which its rewards are settled, as its pool counts them.
    pub(crate) fn mark(&self) -> Epoch {
        self.entered.max(self.settled).previous()
    }

    /// Whether it can be told apart from another of the same account only by its amount.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.pool == other.pool
            && self.entered == other.entered
            && self.until == other.until
            && self.settled == other.settled
            && self.validator_slot == other.validator_slot
    }
}

/// Every position; the ids of removed ones are used again.
#[derive(Clone, Debug)]
pub(crate) struct Positions {
    slots: Vec<Position>,
    vacant: u32,
    count: u32,
}

impl Default for Positions {
    fn default() -> Self {
        Self { slots: Vec::new(), vacant: NONE, count: 0 }
    }
}

fn index(id: u32) -> usize {
    usize::try_from(id).expect("an index fits a word")
}

impl Positions {
    pub(crate) fn get(&self, id: u32) -> &Position {
        self.slots.get(index(id)).expect("a position id comes from the list of an account")
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> &mut Position {
        self.slots.get_mut(index(id)).expect("a position id comes from the list of an account")
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Puts a position before `first`; returns the new head of the list.
    pub(crate) fn push(&mut self, position: Position, first: u32) -> u32 {
        self.count = self.count.saturating_add(1);
        let position = Position { next: first, ..position };
        if self.vacant == NONE {
            self.slots.push(position);
            return u32::try_from(self.slots.len().saturating_sub(1)).expect("fewer than 2^32 positions");
        }
        let id = self.vacant;
        let slot = self.slots.get_mut(index(id)).expect("a vacant slot is there");
        self.vacant = slot.next;
        *slot = position;
        id
    }

    /// Takes a position out of the list that starts with `first`; returns the new head.
    pub(crate) fn remove(&mut self, id: u32, first: u32) -> u32 {
        let next = self.get(id).next;
        let mut head = first;
        if first == id {
            head = next;
        } else {
            let mut before = first;
            while self.get(before).next != id {
                before = self.get(before).next;
            }
            self.get_mut(before).next = next;
        }
        let vacant = self.vacant;
        self.get_mut(id).next = vacant;
        self.vacant = id;
        self.count = self.count.saturating_sub(1);
        head
    }

    /// The positions of the list that starts with `first`. As long as the list, which the genesis bounds per account.
    pub(crate) fn list(&self, first: u32) -> impl Iterator<Item = (u32, &Position)> {
        let mut next = first;
        std::iter::from_fn(move || {
            if next == NONE {
                return None;
            }
            let id = next;
            let position = self.get(id);
            next = position.next;
            Some((id, position))
        })
    }
}
