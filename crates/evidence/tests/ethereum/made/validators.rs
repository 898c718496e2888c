//! Validators and balances in the states of every fork.

use evidence::ethereum::{
    BalanceLeaf, Branch, Credentials, Finalized, Fork, GeneralizedIndex, Limited, Phase, ProofError,
    SharedBranches, Validator, ValidatorClaim, ValidatorsError, ValidatorsProof,
};
use fixtures::{Block, Contents};

use super::{SLOTS, WORLD, finalized};
use crate::mutation::refuses_changes;

struct Made {
    contents: Contents,
    block: Block,
    header: Finalized,
}

fn made(slot: u64) -> Made {
    let contents = WORLD.contents(slot, [0; 32], 0);
    let block = Block::new(&contents);
    let header = finalized(&block);
    Made { contents, block, header }
}

/// The proof of these validators, from the tree.
fn proof(made: &Made, indices: &[u64], with_balances: bool) -> ValidatorsProof {
    let fork = made.block.fork;
    let claim =
        |index: &u64| ValidatorClaim { index: *index, validator: made.contents.validators[index].clone() };
    let mut places: Vec<u64> = indices.iter().map(|index| fork.validator(*index).unwrap().get()).collect();
    let mut chunks: Vec<u64> = indices.iter().map(|index| index / 4).collect();
    chunks.dedup();
    let chunks: Vec<u64> = chunks.into_iter().map(|chunk| fork.balances(chunk).unwrap().get()).collect();
    let leaves = chunks.iter().map(|index| BalanceLeaf::new(made.block.state.at(*index).root()));
    let balances = if with_balances { leaves.collect() } else { Vec::new() };
    if with_balances {
        places.extend(chunks);
    }
    ValidatorsProof {
        validators: Limited::new(indices.iter().map(claim).collect()).unwrap(),
        balances: Limited::new(balances).unwrap(),
        siblings: SharedBranches::new(made.block.state.shared(&places)).unwrap(),
    }
}

#[test]
fn validators_of_every_fork_are_proven_alone_and_together() {
    for slot in SLOTS {
        let made = made(slot);
        let all: Vec<u64> = made.contents.validators.keys().copied().collect();
        let sets = [vec![0], vec![all[1]], vec![*all.last().unwrap()], all[3..20].to_vec(), all.clone()];
        for (indices, with_balances) in sets.iter().flat_map(|set| [(set, false), (set, true)]) {
            let proof = proof(&made, indices, with_balances);
            let proven = made.header.validators(&proof).unwrap();
            assert_eq!(proven.len(), indices.len());
            for (found, index) in proven.iter().zip(indices) {
                assert_eq!((found.slot(), found.index()), (slot, *index));
                assert_eq!(found.validator(), &made.contents.validators[index]);
                assert_eq!(found.balance(), with_balances.then_some(32_000_000_000 + index));
            }
        }
    }
}

/// Neighbours share a leaf of four balances.
#[test]
fn balances_of_one_leaf_are_told_apart() {
    for slot in SLOTS {
        let mut made = made(slot);
        let validator = made.contents.validators[&0].clone();
        for index in [100, 101, 103, 104] {
            made.contents.validators.insert(index, validator.clone());
            made.contents.balances.insert(index, index * 1_000_000_000);
        }
        made.block = Block::new(&made.contents);
        made.header = finalized(&made.block);
        let proof = proof(&made, &[100, 101, 103, 104], true);
        assert_eq!(proof.balances.as_slice().len(), 2);
        let proven = made.header.validators(&proof).unwrap();
        let balances: Vec<_> = proven.iter().map(|found| found.balance().unwrap() / 1_000_000_000).collect();
        assert_eq!(balances, [100, 101, 103, 104]);
    }
}

#[test]
fn every_changed_byte_of_a_validator_proof_is_refused() {
    for slot in SLOTS {
        let made = made(slot);
        let all: Vec<u64> = made.contents.validators.keys().copied().collect();
        let proof = proof(&made, &all[10..13], true);
        refuses_changes("validators", &proof, 1, |proof| made.header.validators(proof).is_err());
    }
}

#[test]
fn what_does_not_stand_in_the_state_is_refused() {
    let made = made(SLOTS[4]);
    let all: Vec<u64> = made.contents.validators.keys().copied().collect();
    let good = proof(&made, &all[..4], true);
    let refused = |proof: &ValidatorsProof| made.header.validators(proof).unwrap_err();
    let with = |change: &dyn Fn(&mut Vec<ValidatorClaim>)| {
        let mut claims = good.validators.as_slice().to_vec();
        change(&mut claims);
        refused(&ValidatorsProof { validators: Limited::new(claims).unwrap(), ..good.clone() })
    };
    assert_eq!(with(&|claims| claims[1].index = u64::MAX), ValidatorsError::Index { index: u64::MAX });
    let swapped = with(&|claims| claims.swap(0, 1));
    assert!(matches!(swapped, ValidatorsError::Proof(ProofError::Order { place: 0, .. })), "{swapped}");
    let twice = with(&|claims| claims[1] = claims[0].clone());
    assert_eq!(twice, ValidatorsError::Balances { expected: 3, actual: 4 });
    let richer = with(&|claims| claims[2].validator.effective_balance += 1);
    assert!(matches!(richer, ValidatorsError::Proof(ProofError::Root { .. })));
    let none = ValidatorsProof {
        validators: Limited::default(),
        balances: Limited::default(),
        siblings: SharedBranches::default(),
    };
    assert_eq!(refused(&none), ValidatorsError::Proof(ProofError::NoLeaves));
    // A proof of one fork says nothing in a state of another.
    let other = self::made(SLOTS[3]);
    assert!(other.header.validators(&good).is_err());
}

/// Single proofs, as a client may have them, become one.
#[test]
fn single_branches_are_joined() {
    for slot in SLOTS {
        let made = made(slot);
        let all: Vec<u64> = made.contents.validators.keys().copied().collect();
        let leaf = |index: &u64| {
            let at = made.block.fork.validator(*index).unwrap();
            let branch = Branch::new(made.block.state.branch(at.get())).unwrap();
            (at, made.contents.validators[index].root(), branch)
        };
        let leaves: Vec<(GeneralizedIndex, _, _)> = all.iter().map(leaf).collect();
        let joined = SharedBranches::join(&leaves).unwrap();
        assert_eq!(joined, proof(&made, &all, false).siblings);
        let singles: usize = leaves.iter().map(|(.., branch)| branch.siblings().len()).sum();
        assert!(joined.siblings().len() * 4 < singles * 3, "{} of {singles}", joined.siblings().len());
    }
}

#[test]
fn the_tree_of_a_validator_is_what_its_root_says() {
    let made = made(SLOTS[0]);
    for (index, validator) in &made.contents.validators {
        assert_eq!(validator.root(), fixtures::validator(validator).root(), "{index}");
    }
}

#[test]
fn credentials_and_phases() {
    let mut validator = Validator {
        key_root: [1; 32],
        withdrawal_credentials: [0; 32],
        effective_balance: 32_000_000_000,
        slashed: false,
        activation_eligibility_epoch: 1,
        activation_epoch: 10,
        exit_epoch: u64::MAX,
        withdrawable_epoch: u64::MAX,
    };
    let cases = [
        ([0, 0, 0, 5], Credentials::Key),
        ([1, 0, 0, 5], Credentials::Address([5; 20])),
        ([2, 0, 0, 5], Credentials::Compounding([5; 20])),
        ([3, 0, 0, 5], Credentials::Other { prefix: 3 }),
        ([1, 1, 0, 5], Credentials::Other { prefix: 1 }),
        ([2, 0, 1, 5], Credentials::Other { prefix: 2 }),
    ];
    for ([prefix, first, last, address], expected) in cases {
        validator.withdrawal_credentials = [address; 32];
        validator.withdrawal_credentials[..12].fill(0);
        validator.withdrawal_credentials[0] = prefix;
        validator.withdrawal_credentials[1] = first;
        validator.withdrawal_credentials[11] = last;
        assert_eq!(validator.credentials(), expected);
    }
    let phases = |validator: &Validator, epochs: [u64; 4]| epochs.map(|epoch| validator.phase(epoch));
    assert_eq!(
        phases(&validator, [0, 9, 10, u64::MAX - 1]),
        [Phase::Pending, Phase::Pending, Phase::Active, Phase::Active]
    );
    (validator.exit_epoch, validator.withdrawable_epoch) = (20, 30);
    assert_eq!(
        phases(&validator, [10, 19, 20, 30]),
        [Phase::Exiting, Phase::Exiting, Phase::Exited, Phase::Withdrawable]
    );
    // Under 716 the first subtree is on the left; on the right follow the next, of four leaves, and what comes after.
    assert_eq!(Fork::Gloas.validator(1).map(GeneralizedIndex::get), Some((716 * 4 + 2) << 2));
}
