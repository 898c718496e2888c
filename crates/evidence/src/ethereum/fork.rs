//! Forks of the consensus layer: where things stand in its objects, and from when on.
//!
//! Every fork may move the fields of a state or a body. So the layout comes from the fork, the fork from the slot, and the
//! schedule from the ledger's configuration. A fork whose layout is not known here is refused by its name: whoever
//! guessed could be shown a proof of something else.
//!
//! | | Capella | Deneb | Electra, Fulu | Gloas |
//! |---|---|---|---|---|
//! | state | 28 fields | 28 | 37, 38 | 46, progressive |
//! | finalized root, current and next committee in the state | 105, 54, 55 | 105, 54, 55 | 169, 86, 87 | 735, 2945, 2946 |
//! | execution block hash in the body | 412 | 812 | 812 | 2856 |
//! | siblings of a validator up to the state | 46 | 46 | 47 | 10 to 43 for 2.25 million |
//!
//! Source: consensus-specs at a08d8a6e, `specs/{capella,deneb,electra,fulu,gloas}/beacon-chain.md` and
//! `light-client/sync-protocol.md`; EIP-7688, EIP-7732.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::index::GeneralizedIndex;

/// Slots in an epoch.
pub const SLOTS_PER_EPOCH: u64 = 32;
/// Slots for which one sync committee signs: 256 epochs, 27 hours.
pub const SLOTS_PER_PERIOD: u64 = 8192;
/// Slots whose block roots a state remembers.
pub(super) const BLOCK_ROOTS: u64 = 8192;

/// The epoch of a slot.
pub const fn epoch_of(slot: u64) -> u64 {
    slot >> SLOTS_PER_EPOCH.ilog2()
}

/// The sync committee period of a slot.
pub const fn period_of(slot: u64) -> u64 {
    slot >> SLOTS_PER_PERIOD.ilog2()
}

/// A fork whose layout is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fork {
    /// Withdrawals. The first fork whose bodies commit to withdrawals, and so the first that can be proven here.
    Capella,
    /// Blobs: the payload gets two more fields.
    Deneb,
    /// Validators of up to 2048 ETH: the state gets a level more.
    Electra,
    /// Column sampling.
    Fulu,
    /// Progressive shapes; the block holds a bid instead of the payload.
    Gloas,
}

/// How the fields of a container are put into a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// A balanced tree of this depth.
    Balanced(u32),
    /// A progressive tree beside the set of active fields.
    Progressive,
}

impl Shape {
    const fn field(self, number: u64) -> GeneralizedIndex {
        let index = match self {
            Self::Balanced(depth) => GeneralizedIndex::ROOT.leaf(depth, number),
            Self::Progressive => {
                GeneralizedIndex::ROOT.leaf(1, 0).expect("a root has children").progressive_leaf(number)
            }
        };
        index.expect("the number is below that of the fields")
    }
}

/// Fields of a state. Their numbers have been the same in every fork so far.
mod state {
    pub(super) const BLOCK_ROOTS: u64 = 5;
    pub(super) const VALIDATORS: u64 = 11;
    pub(super) const BALANCES: u64 = 12;
    pub(super) const FINALIZED_CHECKPOINT: u64 = 20;
    pub(super) const CURRENT_SYNC_COMMITTEE: u64 = 22;
    pub(super) const NEXT_SYNC_COMMITTEE: u64 = 23;
    pub(super) const PAYLOAD_EXPECTED_WITHDRAWALS: u64 = 44;
}

/// The depth of the list of validators, and of that of balances, of which a leaf holds four.
const VALIDATORS_DEPTH: u32 = 40;
const BALANCES_DEPTH: u32 = 38;
const BLOCK_ROOTS_DEPTH: u32 = 13;

impl Fork {
    /// Every fork known, oldest first.
    pub const ALL: [Self; 5] = [Self::Capella, Self::Deneb, Self::Electra, Self::Fulu, Self::Gloas];

    /// Where a block header keeps the root of its state.
    pub const STATE_ROOT: GeneralizedIndex = Shape::Balanced(3).field(3);

    /// The name in configurations and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capella => "capella",
            Self::Deneb => "deneb",
            Self::Electra => "electra",
            Self::Fulu => "fulu",
            Self::Gloas => "gloas",
        }
    }

    /// Whether long lists are progressive trees.
    pub(super) const fn is_progressive(self) -> bool {
        matches!(self.state(), Shape::Progressive)
    }

    const fn state(self) -> Shape {
        match self {
            Self::Capella | Self::Deneb => Shape::Balanced(5),
            Self::Electra | Self::Fulu => Shape::Balanced(6),
            Self::Gloas => Shape::Progressive,
        }
    }

    /// Where a state keeps the root of the block that it holds final.
    pub const fn finalized_root(self) -> GeneralizedIndex {
        let checkpoint = self.state().field(state::FINALIZED_CHECKPOINT);
        checkpoint.leaf(1, 1).expect("a checkpoint has an epoch and a root")
    }

    /// Where a state keeps the sync committee of its period.
    pub const fn current_sync_committee(self) -> GeneralizedIndex {
        self.state().field(state::CURRENT_SYNC_COMMITTEE)
    }

    /// Where a state keeps the sync committee of the next period.
    pub const fn next_sync_committee(self) -> GeneralizedIndex {
        self.state().field(state::NEXT_SYNC_COMMITTEE)
    }

    /// Where a state keeps the withdrawals that it has deducted and a payload to come will pay: from Gloas on. Before, a block's
    /// payload pays what its state has deducted.
    pub const fn withdrawals_under_way(self) -> Option<GeneralizedIndex> {
        match self {
            Self::Capella | Self::Deneb | Self::Electra | Self::Fulu => None,
            Self::Gloas => Some(self.state().field(state::PAYLOAD_EXPECTED_WITHDRAWALS)),
        }
    }

    /// Where a state keeps the root of the newest block up to `slot`. The caller knows that the slot is less than 8192
    /// before that of the state.
    pub const fn block_root(self, slot: u64) -> GeneralizedIndex {
        let roots = self.state().field(state::BLOCK_ROOTS);
        roots.leaf(BLOCK_ROOTS_DEPTH, slot % BLOCK_ROOTS).expect("the place is below that of the roots")
    }

    /// Where a state keeps the root of a validator. `None` for an index that no list has room for.
    pub const fn validator(self, index: u64) -> Option<GeneralizedIndex> {
        self.item(state::VALIDATORS, VALIDATORS_DEPTH, index)
    }

    /// Where a state keeps the balances of validators `4 * chunk` to `4 * chunk + 3`. `None` as in [`Fork::validator`].
    pub const fn balances(self, chunk: u64) -> Option<GeneralizedIndex> {
        self.item(state::BALANCES, BALANCES_DEPTH, chunk)
    }

    const fn item(self, field: u64, depth: u32, place: u64) -> Option<GeneralizedIndex> {
        let Some(items) = self.state().field(field).leaf(1, 0) else { return None };
        match self.state() {
            Shape::Balanced(_) => items.leaf(depth, place),
            Shape::Progressive => items.progressive_leaf(place),
        }
    }

    /// Where a body keeps the execution payload, before Gloas.
    pub const fn execution_payload(self) -> Option<GeneralizedIndex> {
        match self {
            Self::Capella | Self::Deneb | Self::Electra | Self::Fulu => Some(Shape::Balanced(4).field(9)),
            Self::Gloas => None,
        }
    }

    /// How deep the tree of a payload's fields is: 15 of them in Capella, 17 until Gloas.
    pub(super) const fn payload_depth(self) -> u32 {
        match self {
            Self::Capella => 4,
            Self::Deneb | Self::Electra | Self::Fulu | Self::Gloas => 5,
        }
    }

    /// Where a body keeps the hash of an execution block: of the payload it holds; in Gloas of the newest payload before
    /// it, since a block's own payload comes later.
    pub const fn execution_block_hash(self) -> GeneralizedIndex {
        let index = match self.execution_payload() {
            Some(payload) => payload.then(Shape::Balanced(self.payload_depth()).field(12)),
            None => {
                let signed_bid = Shape::Progressive.field(10);
                let bid = signed_bid.leaf(1, 0).expect("a signed bid has a bid and a signature");
                bid.then(Shape::Progressive.field(0))
            }
        };
        index.expect("bodies are shallow")
    }
}

impl fmt::Display for Fork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the specification, as it publishes them.
    #[test]
    fn indices_are_those_of_the_specification() {
        let cases = [
            (Fork::Capella, [105, 54, 55, 412], Some(25)),
            (Fork::Deneb, [105, 54, 55, 812], Some(25)),
            (Fork::Electra, [169, 86, 87, 812], Some(25)),
            (Fork::Fulu, [169, 86, 87, 812], Some(25)),
            (Fork::Gloas, [735, 2945, 2946, 2856], None),
        ];
        for (fork, expected, payload) in cases {
            let indices = [
                fork.finalized_root(),
                fork.current_sync_committee(),
                fork.next_sync_committee(),
                fork.execution_block_hash(),
            ];
            assert_eq!(indices.map(GeneralizedIndex::get), expected, "{fork}");
            assert_eq!(fork.execution_payload().map(GeneralizedIndex::get), payload, "{fork}");
        }
        assert_eq!(Fork::STATE_ROOT.get(), 11);
    }

    /// Siblings up to the root of the header, of which the state's root needs three.
    #[test]
    fn validators_and_balances_stand_as_deep_as_they_should() {
        let cases = [
            (Fork::Capella, 0, 49, 47),
            (Fork::Deneb, 2_250_000, 49, 47),
            (Fork::Electra, 0, 50, 48),
            (Fork::Fulu, 2_250_000, 50, 48),
            (Fork::Gloas, 0, 13, 13),
            (Fork::Gloas, 1_000_000, 43, 43),
            (Fork::Gloas, 2_250_000, 46, 46),
        ];
        for (fork, index, validator, balance) in cases {
            assert_eq!(fork.validator(index).unwrap().depth() + 3, validator, "{fork} {index}");
            assert_eq!(fork.balances(index).unwrap().depth() + 3, balance, "{fork} {index}");
        }
        assert_eq!(Fork::Fulu.validator(1 << 40), None);
        assert_eq!(Fork::Gloas.validator(u64::MAX), None);
        let devnet = Fork::STATE_ROOT.then(Fork::Electra.validator(100).unwrap()).unwrap();
        assert_eq!(devnet.get(), 1_572_301_627_719_780);
        let devnet = Fork::STATE_ROOT.then(Fork::Electra.balances(25).unwrap()).unwrap();
        assert_eq!(devnet.get(), 393_625_162_743_833);
    }
}
