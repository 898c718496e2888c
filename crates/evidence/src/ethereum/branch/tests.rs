use super::*;

fn index(number: u64) -> GeneralizedIndex {
    GeneralizedIndex::new(number).unwrap()
}

fn leaf(number: u64) -> Hash {
    let mut leaf = [0; 32];
    leaf[..8].copy_from_slice(&number.to_le_bytes());
    leaf
}

/// The tree of depth 4 whose leaves are their own indices.
fn node(number: u64) -> Hash {
    if number >= 16 { leaf(number) } else { pair(&node(2 * number), &node(2 * number + 1)) }
}

fn branch(mut number: u64) -> Branch {
    let mut siblings = Vec::new();
    while number > 1 {
        siblings.push(node(number ^ 1));
        number >>= 1;
    }
    Branch::new(siblings).unwrap()
}

#[test]
fn every_node_is_proven_at_its_place_and_nowhere_else() {
    for number in 1..32 {
        let branch = branch(number);
        assert_eq!(branch.verify(&node(number), index(number), &node(1)), Ok(()), "{number}");
        for other in 1..32 {
            let refused = branch.verify(&node(number), index(other), &node(1));
            assert_eq!(refused.is_err(), other != number, "{number} as {other}");
        }
    }
}

#[test]
fn every_changed_byte_of_a_branch_is_refused() {
    let (leaf, good) = (node(21), branch(21));
    for byte in 0..32 {
        for place in 0..4 {
            let mut siblings = good.siblings().to_vec();
            siblings[place][byte] ^= 1;
            let refused = Branch::new(siblings).unwrap().verify(&leaf, index(21), &node(1));
            assert!(matches!(refused, Err(ProofError::Root { .. })));
        }
        let mut changed = leaf;
        changed[byte] ^= 0x80;
        assert!(good.verify(&changed, index(21), &node(1)).is_err());
    }
    let short = Branch::new(good.siblings()[1..].to_vec()).unwrap();
    assert_eq!(
        short.verify(&leaf, index(21), &node(1)),
        Err(ProofError::Siblings { expected: 4, actual: 3 })
    );
}

/// What the leaves lack, in the verifier's order: worked out by another way, from the definition.
fn shared(leaves: &[u64]) -> Vec<Hash> {
    fn visit(number: u64, leaves: &[u64], out: &mut Vec<Hash>) {
        if leaves.contains(&number) {
            return;
        }
        let is_above = |child: u64| leaves.iter().any(|leaf| index(child).is_above(index(*leaf)));
        let (left, right) = (2 * number, 2 * number + 1);
        match (is_above(left), is_above(right)) {
            (true, true) => {
                visit(left, leaves, out);
                visit(right, leaves, out);
            }
            (true, false) => {
                visit(left, leaves, out);
                out.push(node(right));
            }
            (false, true) => {
                visit(right, leaves, out);
                out.push(node(left));
            }
            (false, false) => panic!("{number} is above no leaf"),
        }
    }
    let mut out = Vec::new();
    visit(1, leaves, &mut out);
    out
}

fn with_nodes(numbers: &[u64]) -> Vec<(GeneralizedIndex, Hash)> {
    numbers.iter().map(|number| (index(*number), node(*number))).collect()
}

/// All sets of leaves of the tree, and sets of nodes at several depths.
#[test]
fn every_set_of_leaves_has_its_shared_proof() {
    let sets = (1_u32..1 << 16).step_by(7).map(|mask| (0..16_u32).filter(move |bit| mask >> bit & 1 == 1));
    let mut sets: Vec<Vec<u64>> = sets.map(|set| set.map(|bit| 16 + u64::from(bit)).collect()).collect();
    sets.extend([vec![1], vec![2, 3], vec![8, 18, 5, 3], vec![4, 20, 21, 11, 24], vec![19, 5, 7]]);
    for set in sets {
        let proof = SharedBranches::new(shared(&set)).unwrap();
        assert_eq!(proof.verify(&with_nodes(&set), &node(1)), Ok(()), "{set:?}");
    }
}

#[test]
fn whatever_a_shared_proof_lacks_or_has_too_much_is_refused() {
    let set = [17, 9, 11, 28];
    let leaves = with_nodes(&set);
    let good = shared(&set);
    let verify = |siblings: &[Hash], leaves: &[(GeneralizedIndex, Hash)]| {
        SharedBranches::new(siblings.to_vec()).unwrap().verify(leaves, &node(1))
    };
    assert_eq!(verify(&good, &leaves), Ok(()));
    for place in 0..good.len() {
        let mut fewer = good.clone();
        fewer.remove(place);
        assert!(verify(&fewer, &leaves).is_err());
        for byte in 0..32 {
            let mut changed = good.clone();
            changed[place][byte] ^= 1;
            assert!(matches!(verify(&changed, &leaves), Err(ProofError::Root { .. })));
        }
    }
    assert_eq!(verify(&good[..good.len() - 1], &leaves), Err(ProofError::Missing { node: index(6) }));
    assert_eq!(verify(&[good.clone(), vec![[0; 32]]].concat(), &leaves), Err(ProofError::Unused { left: 1 }));
    assert_eq!(verify(&good, &[]), Err(ProofError::NoLeaves));
    assert!(verify(&good, &leaves[..3]).is_err());
    let many = vec![leaves[0]; LEAVES_MAX + 1];
    assert_eq!(
        verify(&good, &many),
        Err(ProofError::TooManyLeaves { limit: LEAVES_MAX, actual: LEAVES_MAX + 1 })
    );
}

#[test]
fn leaves_stand_from_left_to_right_and_none_above_another() {
    for (left, right) in [(17, 16), (16, 16), (4, 17), (17, 4), (4, 16), (16, 4), (1, 31), (7, 14), (31, 15)]
    {
        assert_eq!(
            SharedBranches::default().verify(&with_nodes(&[left, right]), &node(1)),
            Err(ProofError::Order { place: 0, left: index(left), right: index(right) }),
            "{left} {right}"
        );
    }
}

#[test]
fn a_branch_is_text_or_bytes_and_never_too_long() {
    let good = branch(19);
    let text = serde_json::to_string(&good).unwrap();
    assert!(text.starts_with("[\"0x1200000000"), "{text}");
    assert_eq!(serde_json::from_str::<Branch>(&text).unwrap(), good);
    let bytes = postcard::to_stdvec(&good).unwrap();
    assert_eq!(bytes.len(), 1 + 4 * 32);
    assert_eq!(postcard::from_bytes::<Branch>(&bytes).unwrap(), good);
    assert_eq!(Branch::new(vec![[0; 32]; BRANCH_MAX + 1]), None);
    let long = vec![format!("0x{}", "00".repeat(32)); BRANCH_MAX + 1];
    assert!(serde_json::from_str::<Branch>(&serde_json::to_string(&long).unwrap()).is_err());
    let mut long = vec![u8::try_from(BRANCH_MAX + 1).unwrap()];
    long.extend([0; 32 * (BRANCH_MAX + 1)]);
    assert!(postcard::from_bytes::<Branch>(&long).is_err());
}
