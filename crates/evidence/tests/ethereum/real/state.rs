//! An account and a slot of July 2024, under the state root that the light client has led to.

use evidence::ethereum::api::{AccountProof, Answered};
use evidence::ethereum::{
    Bytes, Execution, Limited, Question, StateError, StateNodes, TrieError, arrange_state, slot,
};

use super::light::inclusion;
use super::{hash, unhex};
use crate::mutation::refuses_changes;

pub(super) const PROOF: &str = "lc-mainnet-deneb-2024/inclusion/EthGetProof.json";

/// The final block, what was asked of it, and the nodes that answer.
fn answered() -> Option<(Execution, Question, StateNodes)> {
    let (_, execution) = inclusion()?;
    let answer: Answered<AccountProof> = super::json(PROOF)?;
    let question = answer.data.question().unwrap();
    let nodes = answer.data.nodes();
    assert_eq!(nodes.len(), 16);
    let nodes = arrange_state(execution.state_root(), std::slice::from_ref(&question), &nodes).unwrap();
    Some((execution, question, nodes.unwrap()))
}

#[test]
fn a_factory_and_a_slot_where_nothing_was_written_are_proven_from_the_trusted_root_on() {
    let Some((execution, question, nodes)) = answered() else { return };
    assert_eq!(question.address.to_vec(), unhex("0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f"));
    let sizes: usize = nodes.as_slice()[..10].iter().map(|node| node.as_slice().len()).sum();
    assert_eq!((nodes.as_slice().len(), sizes), (16, 3804));
    let answers = execution.state(&[question], &nodes).unwrap();
    let [answer] = answers.as_slice() else { panic!("one answer") };
    let account = answer.account.unwrap();
    assert_eq!((account.nonce, account.balance), (346_165, [0; 32]));
    let expected = hash("0x14f391cf42a5e4885a0ff2e9a524c43a9638684cefe15ac947b8076eb577edb4");
    assert_eq!(account.storage_root, expected);
    assert_eq!(answer.values.len(), 1);
    assert_eq!((answer.values[0].get(), answer.values[0].number()), (&[0; 32], Some(0)));
}

#[test]
fn every_changed_byte_of_the_account_proof_is_refused() {
    let Some((execution, question, nodes)) = answered() else { return };
    refuses_changes("nodes", &nodes, 3, |nodes| {
        execution.state(std::slice::from_ref(&question), nodes).is_err()
    });
}

#[test]
fn the_account_proof_says_nothing_of_other_places_or_blocks() {
    let Some((execution, question, nodes)) = answered() else { return };
    let mut elsewhere = question.clone();
    elsewhere.address[19] ^= 1;
    let refused = execution.state(&[elsewhere], &nodes);
    assert!(matches!(refused, Err(StateError::Trie(_))), "{refused:?}");
    let other_slot = Question { slots: vec![slot(0)], ..question.clone() };
    assert!(matches!(execution.state(&[other_slot], &nodes), Err(StateError::Trie(_))));
    let two_slots = Question { slots: vec![question.slots[0], slot(0)], ..question.clone() };
    let refused = execution.state(&[two_slots], &nodes);
    assert!(matches!(refused, Err(StateError::Trie(TrieError::Missing { .. }))), "{refused:?}");
    let twice = Question { slots: vec![question.slots[0]; 2], ..question.clone() };
    assert!(execution.state(&[twice], &nodes).is_ok(), "what is known need not be shown again");

    // Without the storage, the account; without the last of its nodes, nothing.
    let account = Question { slots: Vec::new(), ..question };
    let given: Vec<Bytes<1024>> = nodes.into_inner();
    let ask = |count: usize| {
        let nodes = Limited::new(given[..count].to_vec()).unwrap();
        execution.state(std::slice::from_ref(&account), &nodes)
    };
    assert!(ask(10).is_ok());
    assert!(matches!(ask(9), Err(StateError::Trie(TrieError::Missing { .. }))));
    assert_eq!(ask(11), Err(StateError::Trie(TrieError::Unused { left: 1 })));

    // The proof belongs to one state.
    let block = super::blocks::block(22_431_083).unwrap().execution();
    assert!(matches!(block.state(&[account], &Limited::default()), Err(StateError::Trie(_))));
}
