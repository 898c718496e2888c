//! Accounts, storage and receipts.

use evidence::ethereum::{
    Answer, Bytes, Execution, Kind, Limited, Opening, OpeningError, Question, ReceiptError, ReceiptProof,
    StateError, StateNodes, TrieError, arrange_state, mapping_slot, slot,
};
use fixtures::{encode_number, keccak256};

use super::{SLOTS, WORLD, finalized};
use crate::mutation::refuses_changes;

fn execution(slot: u64) -> Execution {
    let block = WORLD.block(slot, 0);
    finalized(&block).open(&block.opening()).unwrap()
}

/// The first slots of the mapping, one past it, and the count.
fn question(entries: u64) -> Question {
    let slots = (0..entries).map(|entry| mapping_slot(&slot(entry), &slot(1)));
    let slots = slots.chain([mapping_slot(&slot(40), &slot(1)), slot(0)]).collect();
    Question { address: WORLD.contract(), slots }
}

fn nodes(questions: &[Question]) -> Vec<Vec<u8>> {
    let accounts = questions.iter().flat_map(|asked| WORLD.accounts().proof(&keccak256(&asked.address)));
    let slots = questions.iter().flat_map(|asked| &asked.slots);
    let slots = slots.flat_map(|slot| WORLD.storage().proof(&keccak256(slot)));
    accounts.chain(slots).collect()
}

fn arranged(questions: &[Question]) -> StateNodes {
    let mut nodes = nodes(questions);
    nodes.reverse();
    arrange_state(&WORLD.accounts().root(), questions, &nodes).unwrap().unwrap()
}

#[test]
fn many_slots_share_the_account_and_each_other() {
    let asked = [question(40), Question { address: [0x77; 20], slots: vec![slot(3)] }];
    let nodes = arranged(&asked);
    let single: usize = self::nodes(&asked).len();
    assert!(nodes.as_slice().len() * 2 < single, "{} of {single}", nodes.as_slice().len());
    for slot in SLOTS {
        let answers = execution(slot).state(&asked, &nodes).unwrap();
        let [contract, nobody] = answers.as_slice() else { panic!("two answers") };
        let numbers: Vec<_> = contract.values.iter().map(|word| word.number().unwrap()).collect();
        assert_eq!(numbers, (1000..1040).chain([0, 40]).collect::<Vec<u128>>());
        let account = contract.account.unwrap();
        assert_eq!((account.nonce, account.storage_root), (0, WORLD.storage().root()));
        // Nobody is there, and nothing is in its storage.
        assert_eq!((nobody.account, nobody.values[0].get()), (None, &[0; 32]));
    }
}

#[test]
fn every_changed_byte_of_a_state_proof_is_refused() {
    let asked = [question(3)];
    let nodes = arranged(&asked);
    let execution = execution(SLOTS[4]);
    refuses_changes("state nodes", &nodes, 3, |nodes| execution.state(&asked, nodes).is_err());
}

#[test]
fn nodes_that_are_missing_superfluous_or_out_of_order_are_refused() {
    let asked = [question(3)];
    let execution = execution(SLOTS[0]);
    let good: Vec<Bytes<1024>> = arranged(&asked).into_inner();
    let ask = |nodes: Vec<Bytes<1024>>| execution.state(&asked, &Limited::new(nodes).unwrap());
    assert!(ask(good.clone()).is_ok());
    for place in 0..good.len() {
        let mut fewer = good.clone();
        let taken = fewer.remove(place);
        assert!(matches!(ask(fewer.clone()), Err(StateError::Trie(_))), "{place}");
        fewer.push(taken);
        assert_eq!(ask(fewer).is_ok(), place + 1 == good.len(), "{place}");
    }
    let mut more = good.clone();
    more.push(good[0].clone());
    assert_eq!(ask(more), Err(StateError::Trie(TrieError::Unused { left: 1 })));
    assert!(matches!(ask(Vec::new()), Err(StateError::Trie(TrieError::Missing { .. }))));
}

#[test]
fn too_much_at_once_is_refused_before_anything_is_hashed() {
    let execution = execution(SLOTS[0]);
    let many = vec![question(0); 65];
    let refused = execution.state(&many, &Limited::default());
    assert_eq!(refused, Err(StateError::TooManyAccounts { accounts: 65, limit: 64 }));
    let long = [Question { address: [1; 20], slots: vec![[0; 32]; 4097] }];
    let refused = execution.state(&long, &Limited::default());
    assert_eq!(refused, Err(StateError::TooManySlots { slots: 4097, limit: 4096 }));
    assert_eq!(execution.state(&[], &Limited::default()), Ok(Vec::<Answer>::new()));
}

fn receipt_proof(index: u64) -> ReceiptProof {
    let nodes = WORLD.receipts().proof(&encode_number(u128::from(index)));
    let nodes = nodes.iter().map(|node| Bytes::new(node).unwrap()).collect();
    ReceiptProof { index, nodes: Limited::new(nodes).unwrap() }
}

#[test]
fn receipts_of_every_kind_are_read() {
    let execution = execution(SLOTS[4]);
    let kinds = [Kind::Legacy, Kind::AccessList, Kind::DynamicFee, Kind::Blob, Kind::SetCode];
    for index in 0..200_usize {
        let proof = receipt_proof(u64::try_from(index).unwrap());
        let receipt = execution.receipt(&proof).unwrap();
        assert_eq!(receipt.kind(), kinds[index % 5]);
        assert_eq!(receipt.has_succeeded(), index % 3 != 2);
        assert_eq!(receipt.cumulative_gas(), 21_000 * (u64::try_from(index).unwrap() + 1));
        let logs = if receipt.has_succeeded() { index % 4 } else { 0 };
        assert_eq!(receipt.logs().len(), logs);
        for log in receipt.logs() {
            assert_eq!((log.address, log.topics.len(), log.data.len()), (WORLD.contract(), index % 5, index));
        }
    }
    for index in [200, 256, u64::MAX] {
        let refused = execution.receipt(&receipt_proof(index));
        assert_eq!(refused, Err(ReceiptError::None { index }));
    }
}

#[test]
fn every_changed_byte_of_a_receipt_proof_is_refused() {
    let execution = execution(SLOTS[1]);
    for index in [0, 5, 127, 128, 199] {
        let proof = receipt_proof(index);
        refuses_changes("receipt", &proof, 1, |proof| execution.receipt(proof).is_err());
    }
}

#[test]
fn every_changed_byte_of_an_opening_is_refused() {
    for slot in SLOTS {
        let block = WORLD.block(slot, 0);
        let header = finalized(&block);
        for opening in [Some(block.opening()), block.payload_opening()].into_iter().flatten() {
            refuses_changes("opening", &opening, 1, |opening| header.open(opening).is_err());
        }
    }
}

/// Three blocks, of which only the last is final.
#[test]
fn ancestors_are_found_along_the_hashes_of_parents() {
    let first = WORLD.block(700, 0);
    let mut contents = WORLD.contents(701, [0; 32], 0);
    contents.parent_hash = keccak256(&first.execution);
    let second = fixtures::Block::new(&contents);
    let mut contents = WORLD.contents(702, [0; 32], 0);
    contents.parent_hash = keccak256(&second.execution);
    let third = fixtures::Block::new(&contents);
    let newest = finalized(&third).open(&third.opening()).unwrap();
    let way = [second.execution_bytes(), first.execution_bytes()];
    let found = newest.ancestor(&Limited::new(way.to_vec()).unwrap()).unwrap();
    assert_eq!((found.number(), found.hash()), (700, &keccak256(&first.execution)));
    let skipped = newest.ancestor(&Limited::new(way[1..].to_vec()).unwrap());
    assert!(matches!(skipped, Err(OpeningError::Hash { .. })));
    assert_eq!(newest.ancestor(&Limited::default()), Ok(newest.clone()));
    let Opening::Header(header) = third.opening() else { panic!("a header") };
    let refused = newest.remembered(&header, &Limited::default());
    assert!(matches!(refused, Err(OpeningError::State(_))), "the chain has no contract that remembers");
}
