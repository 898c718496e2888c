//! Stake of one account in one pool with one liability, by dense id.

use serde::{Deserialize, Serialize};

use super::shelf::{Book, Shelf, Touched};
use crate::units::{AccountId, Amount, Epoch, PoolId, ValidatorId};

/// No position, no validator.
pub(crate) const NONE: u32 = u32::MAX;

/// Stake of one account in one pool that entered and leaves together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    const VACANT: Self = Self {
        principal: Amount::ZERO,
        account: AccountId::new(NONE),
        pool: PoolId::new(NONE),
        entered: Epoch::ZERO,
        until: Epoch::ZERO,
        settled: Epoch::ZERO,
        validator_slot: NONE,
        next: NONE,
    };

    fn is_vacant(&self) -> bool {
        self.pool == PoolId::new(NONE)
    }

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

/// Every position. The id of a removed one is used again, the lowest first: which ids are taken says all there is to know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Positions {
    slots: Shelf<Position, 64>,
    vacant: Book<u32, ()>,
    removed: Touched<(AccountId, PoolId, u32)>,
    count: u32,
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
        let Some(id) = self.vacant.first().copied() else {
            self.slots.push(position);
            return u32::try_from(self.slots.len().saturating_sub(1)).expect("fewer than 2^32 positions");
        };
        self.vacant.remove(&id);
        *self.slots.get_mut(index(id)).expect("a vacant slot is there") = position;
        id
    }

    /// Takes a position out of the list that starts with `first`; returns the new head.
    pub(crate) fn remove(&mut self, id: u32, first: u32) -> u32 {
        let Position { next, account, pool, .. } = *self.get(id);
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
        self.removed.note(&(account, pool, id));
        *self.get_mut(id) = Position::VACANT;
        self.vacant.insert(id, ());
        self.count = self.count.saturating_sub(1);
        head
    }

    /// The position of that id, if there is one.
    pub(crate) fn find(&self, id: u32) -> Option<&Position> {
        self.slots.get(index(id)).filter(|position| !position.is_vacant())
    }

    /// Every position with its id, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Position)> {
        let numbered = (0..).zip(self.slots.iter());
        numbered.filter(|(_, position)| !position.is_vacant())
    }

    /// Puts back a position with the id that it had; ids come ascending.
    pub(crate) fn restore(&mut self, id: u32, position: Position) {
        while self.slots.len() < index(id) {
            let vacant = u32::try_from(self.slots.len()).expect("fewer than 2^32 positions");
            self.slots.push(Position::VACANT);
            self.vacant.insert(vacant, ());
        }
        self.slots.push(position);
        self.count = self.count.saturating_add(1);
    }

    /// What notes the touched ids.
    pub(crate) fn touched(&mut self) -> &mut Touched<u32> {
        self.slots.touched()
    }

    /// What notes whose position with which id was removed.
    pub(crate) fn removed(&mut self) -> &mut Touched<(AccountId, PoolId, u32)> {
        &mut self.removed
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
