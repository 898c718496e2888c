//! Trees above long lists, against those that are built from the definition.

use evidence::ethereum::{Fork, GeneralizedIndex, Hash, ListTree, ProofError, SharedBranches, Validator};
use fixtures::{Tree, balanced, chance, list, progressive};

fn index(number: u64) -> GeneralizedIndex {
    GeneralizedIndex::new(number).unwrap()
}

fn leaves(label: &str, count: u64) -> Vec<Hash> {
    (0..count).map(|place| chance(label, &[place])).collect()
}

/// The same list from the definition. A small balanced tree stands far down in one of depth 40.
fn expected(fork: Fork, leaves: &[Hash], depth: u32, length: u64) -> Tree {
    let leaves = leaves.iter().map(|leaf| Tree::Known(*leaf)).collect();
    let items = if fork == Fork::Gloas { progressive(leaves) } else { balanced(leaves, depth) };
    list(items, length)
}

const FORKS: [Fork; 2] = [Fork::Fulu, Fork::Gloas];

#[test]
fn a_list_has_the_root_of_its_definition_at_every_length() {
    for fork in FORKS {
        for count in (0..30).chain([84, 85, 86, 341, 500]) {
            let leaves = leaves("leaf", count);
            let tree = ListTree::of_validators(fork, leaves.clone());
            assert_eq!(tree.root(), expected(fork, &leaves, 40, count).root(), "{fork}, {count}");

            let balances: Vec<u64> = (0..count).map(|place| 32_000_000_000 + place).collect();
            let leaf = |four: &[u64]| -> Hash {
                let bytes: Vec<u8> = four.iter().flat_map(|balance| balance.to_le_bytes()).collect();
                [bytes, vec![0; 32]].concat()[..32].try_into().unwrap()
            };
            let chunks: Vec<Hash> = balances.chunks(4).map(leaf).collect();
            let tree = ListTree::of_balances(fork, &balances);
            assert_eq!(tree.root(), expected(fork, &chunks, 38, count).root(), "{fork}, {count} balances");
        }
    }
}

#[test]
fn changes_and_additions_come_to_what_a_new_list_has() {
    for fork in FORKS {
        let mut all = leaves("first", 3);
        let mut tree = ListTree::of_validators(fork, all.clone());
        // Each round changes some, and adds more: from within a part over its end into several new ones.
        for round in 1_u64..9 {
            let count = u64::try_from(all.len()).unwrap();
            let changed = (0..count).filter(|place| place % (round + 1) == 0);
            let added = count..count + round * round * 3;
            let changes: Vec<(u64, Hash)> =
                changed.chain(added).map(|place| (place, chance("change", &[round, place]))).collect();
            for (place, leaf) in &changes {
                let place = usize::try_from(*place).unwrap();
                if place == all.len() { all.push(*leaf) } else { all[place] = *leaf }
            }
            let length = u64::try_from(all.len()).unwrap();
            assert_eq!(tree.change(&changes, length), Some(()));
            assert_eq!(tree.root(), expected(fork, &all, 40, length).root(), "{fork}, round {round}");
            assert_eq!(tree.root(), ListTree::of_validators(fork, all.clone()).root());
        }
    }
}

#[test]
fn changes_out_of_order_or_past_the_end_change_nothing() {
    for fork in FORKS {
        let mut tree = ListTree::of_validators(fork, leaves("leaf", 10));
        let before = tree.root();
        for places in [vec![2, 1], vec![3, 3], vec![11], vec![0, 10, 12], vec![u64::MAX]] {
            let changes: Vec<(u64, Hash)> = places.iter().map(|place| (*place, [9; 32])).collect();
            assert_eq!(tree.change(&changes, 10), None, "{places:?}");
            assert_eq!(tree.root(), before, "{places:?}");
        }
        assert_eq!(tree.change(&[], 10), Some(()));
        assert_eq!(tree.root(), before);
    }
}

#[test]
fn every_node_is_that_of_the_definition_and_makes_proofs() {
    for fork in FORKS {
        let leaves = leaves("leaf", 100);
        let tree = ListTree::of_validators(fork, leaves.clone());
        let expected = expected(fork, &leaves, 40, 100);
        // The way from the list to an item, as it is from a state to one without its first steps.
        let validators = fork.validator(0).unwrap();
        let above = if fork == Fork::Gloas { validators.depth() - 2 } else { validators.depth() - 41 };
        let within = |place: u64| {
            let whole = fork.validator(place).unwrap();
            let depth = whole.depth() - above;
            index(1 << depth | whole.get() & ((1 << depth) - 1))
        };
        let mut known = Vec::new();
        for (place, leaf) in leaves.iter().enumerate() {
            let at = within(u64::try_from(place).unwrap());
            assert_eq!(tree.node(at), Some(*leaf), "{fork}, {place}");
            let mut node = Some(at);
            while let Some(this) = node {
                assert_eq!(tree.node(this), Some(expected.at(this.get()).root()), "{fork}, node {this}");
                node = this.parent();
            }
            known.push((at, *leaf));
        }
        let some: Vec<_> = known.iter().copied().step_by(7).collect();
        let proof = SharedBranches::gather(&some, |node| tree.node(node)).unwrap();
        let places: Vec<u64> = some.iter().map(|(at, _)| at.get()).collect();
        assert_eq!(proof.siblings(), expected.shared(&places));
        assert_eq!(proof.verify(&some, &tree.root()), Ok(()));
        assert_eq!(tree.node(index(6)), None, "nothing stands below the length");
        let none = SharedBranches::gather(&some, |_| None);
        assert!(matches!(none, Err(ProofError::Missing { .. })));
    }
}

#[test]
fn a_validator_is_read_as_a_state_holds_it() {
    let mut bytes = [7; 121];
    for (place, field) in [(80, 1_u64), (89, 2), (97, 3), (105, 4), (113, 5)] {
        bytes[place..place + 8].copy_from_slice(&field.to_le_bytes());
    }
    bytes[88] = 1;
    let found = Validator::from_ssz(&bytes).unwrap();
    let expected = Validator {
        key_root: evidence::ethereum::key_root(&[7; 48]),
        withdrawal_credentials: [7; 32],
        effective_balance: 1,
        slashed: true,
        activation_eligibility_epoch: 2,
        activation_epoch: 3,
        exit_epoch: 4,
        withdrawable_epoch: 5,
    };
    assert_eq!(found, expected);
    bytes[88] = 2;
    assert_eq!(Validator::from_ssz(&bytes), None);
}
