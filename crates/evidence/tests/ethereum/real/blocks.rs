//! Blocks of the execution layer from Capella to Electra: their headers, and every receipt in them.

use std::collections::BTreeMap;

use evidence::ethereum::{
    Bytes, Execution, Fork, Hash, Kind, Limited, Opening, OpeningError, Receipt, ReceiptError, ReceiptProof,
    TrieError, keccak256,
};
use fixtures::{Trie, encode_bytes, encode_list, encode_number};

use super::forms::{Rlp, unpack_lines};
use super::{accepted_state, hash, hex, sample, unhex};
use crate::mutation::refuses_changes;

pub(super) const FILES: [&str; 5] = [
    "el-blocks-mainnet/block-data-17062257.yaml.gz",
    "el-blocks-mainnet/block-data-19426587.yaml.gz",
    "el-blocks-mainnet/block-data-22162263.yaml.gz",
    "el-blocks-mainnet/block-data-22431083.yaml.gz",
    "el-blocks-mainnet/block-data-22431084.yaml.gz",
];

/// Number, hash, receipts and fork.
const BLOCKS: [(u64, &str, usize, Fork); 5] = [
    (17_062_257, "0x059771c1aa04d33c99edffbb19044a6189721f339775e46bcb1b1c60edbfe79b", 208, Fork::Capella),
    (19_426_587, "0xf8e2f40d98fe5862bc947c8c83d34799c50fb344d7445d020a8a946d891b62ee", 37, Fork::Deneb),
    (22_162_263, "0xfbf884a87d9b41c39363242970cea015afbc9b5ba6ab1ed34f407b2621987353", 142, Fork::Deneb),
    (22_431_083, "0x28fb2c1d988435955e569451c6ad772f7fb5e61cddd7463c7b60e933ed5ff237", 139, Fork::Deneb),
    (22_431_084, "0x50c8cab760b2948349c590461b166773c45d8f4858cccf5a43025ab2960152e8", 95, Fork::Electra),
];

/// What the data says of a block.
pub(super) struct BlockData {
    header: Vec<u8>,
    receipts: Vec<u8>,
    hash: Hash,
    fork: Fork,
}

/// A block of the data.
pub(super) fn block(number: u64) -> Option<BlockData> {
    let (_, expected, _, fork) = BLOCKS.into_iter().find(|(known, ..)| *known == number)?;
    let packed = super::bytes(&format!("el-blocks-mainnet/block-data-{number}.yaml.gz"))?;
    let lines: BTreeMap<String, Vec<u8>> = unpack_lines(&packed).into_iter().collect();
    let (header, receipts) = (lines["header"].clone(), lines["receipts"].clone());
    Some(BlockData { header, receipts, hash: hash(expected), fork })
}

impl BlockData {
    pub(super) fn opening(&self) -> Opening {
        Opening::Header(Bytes::new(&self.header).unwrap())
    }

    /// The block, as if a finalized header had named it.
    pub(super) fn execution(&self) -> Execution {
        accepted_state(0, &[0; 32], self.fork, &self.hash).open(&self.opening()).unwrap()
    }

    /// Root of the consensus block before, from Deneb on: field 19.
    pub(super) fn parent_beacon_root(&self) -> Option<Hash> {
        let fields = Rlp::first(&self.header).items();
        fields.get(19).map(|field| field.content.try_into().unwrap())
    }

    fn listed(&self) -> Vec<Listed<'_>> {
        Rlp::first(&self.receipts).items().iter().map(Listed::read).collect()
    }
}

/// A receipt as clients hand them to each other: kind, status, gas, logs, and no filter of the logs.
struct Listed<'a> {
    kind: u8,
    status: Rlp<'a>,
    gas: Rlp<'a>,
    logs: Rlp<'a>,
}

impl<'a> Listed<'a> {
    fn read(receipt: &Rlp<'a>) -> Self {
        let [kind, status, gas, logs] = receipt.items().try_into().unwrap();
        Self { kind: u8::try_from(kind.number()).unwrap(), status, gas, logs }
    }

    /// Three bits of 2048 for each address and each topic. Yellow paper, 4.3.1.
    fn bloom(&self) -> [u8; 256] {
        let mut bloom = [0; 256];
        for log in self.logs.items() {
            let [address, topics, _] = log.items().try_into().unwrap();
            for entry in [vec![address], topics.items()].concat() {
                let hash = keccak256(entry.content);
                for pair in hash[..6].chunks(2) {
                    let bit = usize::from(u16::from_be_bytes([pair[0], pair[1]])) % 2048;
                    bloom[255 - bit / 8] |= 1 << (bit % 8);
                }
            }
        }
        bloom
    }

    /// As it stands in the trie.
    fn encoded(&self) -> Vec<u8> {
        let bloom = encode_bytes(&self.bloom());
        let fields =
            [self.status.encoded.to_vec(), self.gas.encoded.to_vec(), bloom, self.logs.encoded.to_vec()];
        let body = encode_list(&fields);
        if self.kind == 0 { body } else { [vec![self.kind], body].concat() }
    }

    fn compare(&self, receipt: &Receipt) {
        let kinds = [Kind::Legacy, Kind::AccessList, Kind::DynamicFee, Kind::Blob, Kind::SetCode];
        assert_eq!(receipt.kind(), kinds[usize::from(self.kind)]);
        assert_eq!(receipt.has_succeeded(), self.status.number() == 1);
        assert_eq!(receipt.cumulative_gas(), self.gas.number());
        let logs = self.logs.items();
        assert_eq!(receipt.logs().len(), logs.len());
        for (found, log) in receipt.logs().iter().zip(logs) {
            let [address, topics, data] = log.items().try_into().unwrap();
            assert_eq!((&found.address[..], found.data.as_slice()), (address.content, data.content));
            let topics: Vec<Hash> =
                topics.items().iter().map(|topic| topic.content.try_into().unwrap()).collect();
            assert_eq!(found.topics, topics);
        }
    }
}

/// The trie of a block's receipts.
fn trie(listed: &[Listed<'_>]) -> Trie {
    let key = |place: usize| encode_number(u128::try_from(place).unwrap());
    let values = listed.iter().enumerate().map(|(place, receipt)| (key(place), receipt.encoded()));
    Trie::new(&values.collect())
}

fn proof(trie: &Trie, place: usize) -> ReceiptProof {
    let nodes = trie.proof(&encode_number(u128::try_from(place).unwrap()));
    let nodes = nodes.iter().map(|node| Bytes::new(node).unwrap()).collect();
    ReceiptProof { index: u64::try_from(place).unwrap(), nodes: Limited::new(nodes).unwrap() }
}

#[test]
fn every_receipt_of_five_blocks_is_proven() {
    let mut kinds = [0_usize; 5];
    for (number, name, count, _) in BLOCKS {
        let Some(block) = block(number) else { return };
        assert_eq!(hex(&keccak256(&block.header)), name);
        let execution = block.execution();
        assert_eq!((execution.number(), execution.hash()), (number, &block.hash));
        let listed = block.listed();
        assert_eq!(listed.len(), count, "{number}");
        let trie = trie(&listed);
        assert_eq!(&trie.root(), execution.receipts_root(), "{number}");
        for (place, expected) in listed.iter().enumerate() {
            expected.compare(&execution.receipt(&proof(&trie, place)).unwrap());
            kinds[usize::from(expected.kind)] += 1;
        }
        let past = execution.receipt(&proof(&trie, count));
        assert_eq!(past, Err(ReceiptError::None { index: u64::try_from(count).unwrap() }));
    }
    // Legacy, with access lists, of dynamic fees, with blobs; none that sets code.
    assert_eq!(kinds, [57, 5, 554, 5, 0]);
}

/// Data of the event: five offsets, then each value behind its length.
#[test]
fn a_deposit_to_the_consensus_layer_is_read_from_its_receipt() {
    let Some(block) = block(17_062_257) else { return };
    let trie = trie(&block.listed());
    let proof = proof(&trie, 50);
    let bytes = proof.nodes.as_slice().iter().map(|node| node.as_slice().len()).sum::<usize>();
    assert_eq!((proof.nodes.as_slice().len(), bytes), (3, 1755));
    let receipt = block.execution().receipt(&proof).unwrap();
    let log = &receipt.logs()[0];
    assert_eq!(hex(&log.address), "0x00000000219ab540356cbb839cbe05303d7705fa");
    assert_eq!(log.topics, [keccak256(b"DepositEvent(bytes,bytes,bytes,bytes,bytes)")]);
    let value = |field: usize| {
        let word = |at: usize| usize::from(u16::from_be_bytes([log.data[at + 30], log.data[at + 31]]));
        let start = word(32 * field);
        &log.data[start + 32..start + 32 + word(start)]
    };
    let number = |field: usize| u64::from_le_bytes(value(field).try_into().unwrap());
    let key =
        "0xb4499a04d9b0aa469abcc5e5e021bc1881efff9763ff77117f0ab1ae312538ec67af8e4e3dbba60925b65f57f4f40157";
    assert_eq!(value(0), unhex(key));
    assert_eq!(hex(value(1)), "0x010000000000000000000000d4fde7d81e48c9f8bf9c628dcd23b5e602589ca2");
    assert_eq!((number(2), number(4)), (32_000_000_000, 593_462));
}

#[test]
fn every_changed_byte_of_headers_and_receipt_proofs_is_refused() {
    for (number, _, count, fork) in BLOCKS {
        let Some(block) = block(number) else { return };
        let header = accepted_state(0, &[0; 32], fork, &block.hash);
        refuses_changes("header", &block.opening(), 3, |opening| header.open(opening).is_err());
        let (execution, trie) = (block.execution(), trie(&block.listed()));
        for place in sample(0..count, 37) {
            let good = proof(&trie, place);
            refuses_changes("receipt", &good, 31, |proof| execution.receipt(proof).is_err());
        }
    }
}

#[test]
fn receipts_of_other_places_and_blocks_are_refused() {
    let Some(block) = block(22_431_084) else { return };
    let (execution, trie) = (block.execution(), trie(&block.listed()));
    for place in 0..94 {
        let moved = ReceiptProof { index: u64::try_from(place + 1).unwrap(), ..proof(&trie, place) };
        assert!(execution.receipt(&moved).is_err(), "{place} as the next");
    }
    let other = super::blocks::block(22_431_083).unwrap().execution();
    let refused = other.receipt(&proof(&trie, 0));
    assert!(matches!(refused, Err(ReceiptError::Trie(TrieError::Hash { .. }))));
}

/// The last block of Deneb is the parent of the first one of Electra.
#[test]
fn an_ancestor_is_found_across_the_fork() {
    let Some(last) = block(22_431_083) else { return };
    let newest = block(22_431_084).unwrap().execution();
    let found = newest.ancestor(&Limited::new(vec![Bytes::new(&last.header).unwrap()]).unwrap()).unwrap();
    assert_eq!(found, last.execution());
    let wrong = block(22_162_263).unwrap();
    let refused = newest.ancestor(&Limited::new(vec![Bytes::new(&wrong.header).unwrap()]).unwrap());
    assert_eq!(refused, Err(OpeningError::Hash { expected: last.hash, actual: wrong.hash }));
}

#[test]
fn blocks_from_deneb_on_name_the_consensus_block_before() {
    let Some(first) = block(19_426_587) else { return };
    let expected = hash("0xb35bb80bc5f4e3d8f19b62f6274add24dca334db242546c3024403027aaf6412");
    assert_eq!(first.parent_beacon_root(), Some(expected));
    assert_eq!(block(17_062_257).unwrap().parent_beacon_root(), None);
    // No requests in the first block that could have some.
    let electra = block(22_431_084).unwrap();
    let requests = Rlp::first(&electra.header).items()[20].content.to_vec();
    assert_eq!(hex(&requests), "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
