//! The first states of mainnet and Sepolia, hashed whole. Their layout is of phase 0, whose 21 fields stand as deep as the 28 of Deneb, so
//! that proofs of all their validators can be made and verified.

use evidence::ethereum::{
    BalanceLeaf, Branch, Fork, Hash, Limited, ListTree, SharedBranches, Validator, ValidatorClaim,
    ValidatorsProof, key_root,
};
use fixtures::{Tree, balanced, container, list, number};
use serde_json::json;

use super::forms::unzip;
use super::{MAINNET as CHAIN, accepted, hash, hex};
use crate::mutation::{is_exhaustive, refuses_changes};

pub(super) const MAINNET: &str = "genesis-states/mainnet-genesis.ssz.zip";
pub(super) const SEPOLIA: &str = "genesis-states/sepolia-genesis.ssz.zip";

/// The bytes of a state, read from the front.
struct Reader<'a> {
    whole: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let taken = &self.whole[self.at..self.at + length];
        self.at += length;
        taken
    }

    fn short(&mut self) -> u64 {
        u64::from(u32::from_le_bytes(self.take(4).try_into().unwrap()))
    }

    fn long(&mut self) -> u64 {
        u64::from_le_bytes(self.take(8).try_into().unwrap())
    }

    fn hash(&mut self) -> Hash {
        self.take(32).try_into().unwrap()
    }

    /// What stands from an offset on, up to the next one.
    fn from(&self, offset: u64, end: u64) -> &'a [u8] {
        &self.whole[usize::try_from(offset).unwrap()..usize::try_from(end).unwrap()]
    }

    /// A vector of `count` hashes.
    fn hashes(&mut self, count: usize) -> Tree {
        leaves(self.take(32 * count), count.ilog2())
    }
}

/// Bytes as leaves of a balanced tree.
fn leaves(bytes: &[u8], depth: u32) -> Tree {
    let leaf = |piece: &[u8]| {
        let mut leaf = [0; 32];
        leaf[..piece.len()].copy_from_slice(piece);
        Tree::Known(leaf)
    };
    balanced(bytes.chunks(32).map(leaf).collect(), depth)
}

fn validator(bytes: &[u8]) -> Validator {
    let mut reader = Reader { whole: bytes, at: 48 };
    Validator {
        key_root: key_root(bytes[..48].try_into().unwrap()),
        withdrawal_credentials: reader.hash(),
        effective_balance: reader.long(),
        slashed: reader.take(1) == [1],
        activation_eligibility_epoch: reader.long(),
        activation_epoch: reader.long(),
        exit_epoch: reader.long(),
        withdrawable_epoch: reader.long(),
    }
}

/// A state with its tree.
struct Genesis {
    time: u64,
    validators_root: Hash,
    validators: Vec<Validator>,
    balances: Vec<u64>,
    header: [Hash; 2],
    state: Tree,
}

impl Genesis {
    fn read(path: &str) -> Option<Self> {
        let bytes = unzip(&super::bytes(path)?);
        let mut reader = Reader { whole: &bytes, at: 0 };
        let time = reader.long();
        let validators_root = reader.hash();
        let slot = number(reader.long());
        let fork =
            container(vec![leaves(reader.take(4), 0), leaves(reader.take(4), 0), number(reader.long())]);
        let header = [number(reader.long()), number(reader.long())].into_iter();
        let header: Vec<Tree> = header.chain((0..3).map(|_| Tree::Known(reader.hash()))).collect();
        let known = [header[2].root(), header[4].root()];
        let roots = [reader.hashes(8192), reader.hashes(8192)];
        let historical = reader.short();
        let eth1 =
            container(vec![Tree::Known(reader.hash()), number(reader.long()), Tree::Known(reader.hash())]);
        let votes = reader.short();
        let deposits = number(reader.long());
        let [validators, balances] = [reader.short(), reader.short()];
        let mixes = reader.hashes(65_536);
        let slashings = leaves(reader.take(8192 * 8), 11);
        let [previous, current] = [reader.short(), reader.short()];
        let bits = leaves(reader.take(1), 0);
        let mut checkpoint = || container(vec![number(reader.long()), Tree::Known(reader.hash())]);
        let checkpoints = [checkpoint(), checkpoint(), checkpoint()];
        let end = u64::try_from(bytes.len()).unwrap();
        assert_eq!(
            [historical, votes, previous, current],
            [historical, validators, end, end],
            "none of those"
        );
        assert_eq!(historical, votes, "no old roots");

        let validator_bytes = reader.from(validators, balances);
        let validators: Vec<Validator> = validator_bytes.chunks(121).map(validator).collect();
        let balance_bytes = reader.from(balances, end);
        let balances = balance_bytes.chunks(8).map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap()));
        let balances: Vec<u64> = balances.collect();
        let roots_of = validators.iter().map(|validator| Tree::Known(validator.root())).collect();
        let count = u64::try_from(validators.len()).unwrap();
        for (bytes, validator) in validator_bytes.chunks(121).zip(&validators) {
            assert_eq!(Validator::from_ssz(bytes.try_into().unwrap()).as_ref(), Some(validator));
        }
        let none = |depth: u32| list(balanced(Vec::new(), depth), 0);
        let [block_roots, state_roots] = roots;
        let mut fields = vec![
            number(time),
            Tree::Known(validators_root),
            slot,
            fork,
            container(header),
            block_roots,
            state_roots,
        ];
        fields.extend([none(24), eth1, none(11), deposits]);
        fields.extend([list(balanced(roots_of, 40), count), list(leaves(balance_bytes, 38), count)]);
        fields.extend([mixes, slashings, none(12), none(12), bits]);
        fields.extend(checkpoints);
        let state = container(fields);
        Some(Self { time, validators_root, validators, balances, header: known, state })
    }

    /// The proof of these validators with their balances, as it would be under Deneb.
    fn proof(&self, indices: &[usize]) -> ValidatorsProof {
        let wide = |index: usize| u64::try_from(index).unwrap();
        let claim = |index: &usize| ValidatorClaim {
            index: wide(*index),
            validator: self.validators[*index].clone(),
        };
        let mut chunks: Vec<u64> = indices.iter().map(|index| wide(index / 4)).collect();
        chunks.dedup();
        let chunks: Vec<u64> =
            chunks.into_iter().map(|chunk| Fork::Deneb.balances(chunk).unwrap().get()).collect();
        let places = indices.iter().map(|index| Fork::Deneb.validator(wide(*index)).unwrap().get());
        let places: Vec<u64> = places.chain(chunks.iter().copied()).collect();
        let leaves = chunks.iter().map(|chunk| BalanceLeaf::new(self.state.at(*chunk).root()));
        ValidatorsProof {
            validators: Limited::new(indices.iter().map(claim).collect()).unwrap(),
            balances: Limited::new(leaves.collect()).unwrap(),
            siblings: SharedBranches::new(self.state.shared(&places)).unwrap(),
        }
    }

    fn check(&self, count: usize, roots: [&str; 3]) -> evidence::ethereum::Finalized {
        let [validators_root, state_root, block_root] = roots.map(hash);
        assert_eq!((self.validators.len(), self.balances.len()), (count, count));
        assert_eq!(self.validators_root, validators_root);
        let list = Fork::Deneb.validator(0).unwrap().get() >> 41;
        assert_eq!(self.state.at(list).root(), validators_root, "what the chain is known by");
        assert_eq!(self.state.root(), state_root);
        let roots = self.validators.iter().map(Validator::root).collect();
        assert_eq!(ListTree::of_validators(Fork::Deneb, roots).root(), validators_root);
        let balances = Fork::Deneb.balances(0).unwrap().get() >> 39;
        assert_eq!(ListTree::of_balances(Fork::Deneb, &self.balances).root(), self.state.at(balances).root());
        let [parent, body] = self.header;
        let header = json!({
            "slot": "0", "proposer_index": "0", "parent_root": hex(&parent), "state_root": hex(&state_root),
            "body_root": hex(&body),
        });
        let header = accepted(&header, Fork::Deneb, &[0; 32]);
        assert_eq!(header.root(), &block_root);
        header
    }

    /// In proofs of as many as there is room for in each.
    fn prove_all(&self, header: &evidence::ethereum::Finalized) {
        let all: Vec<usize> = (0..self.validators.len()).collect();
        for indices in all.chunks(8192) {
            let proven = header.validators(&self.proof(indices)).unwrap();
            assert_eq!(proven.len(), indices.len());
            for (found, index) in proven.iter().zip(indices) {
                assert_eq!(found.validator(), &self.validators[*index]);
                assert_eq!(found.balance(), Some(self.balances[*index]));
            }
        }
    }
}

#[test]
fn the_first_state_of_mainnet_is_hashed_and_its_validators_proven() {
    let Some(genesis) = Genesis::read(MAINNET) else { return };
    let header = genesis.check(
        21_063,
        [
            "0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95",
            "0x7e76880eb67bbdc86250aa578958e9d0675e64e714337855204fb5abaaf82c2b",
            "0x4d611d5b93fdab69013a7f0a2f961caca0c853f87cfe9595fe50038163079360",
        ],
    );
    assert_eq!((&genesis.validators_root, genesis.time), (CHAIN.genesis_validators_root(), 1_606_824_023));
    assert_eq!(genesis.time, CHAIN.genesis_time());
    genesis.prove_all(&header);

    // Some alone, and what is changed in them.
    let step = if is_exhaustive() { 701 } else { 5003 };
    for index in (0..genesis.validators.len()).step_by(step) {
        let proof = genesis.proof(&[index]);
        refuses_changes("validator", &proof, 3, |proof| header.validators(proof).is_err());
        let at = Fork::Deneb.validator(u64::try_from(index).unwrap()).unwrap();
        let branch = Branch::new(genesis.state.branch(at.get())).unwrap();
        let root = genesis.validators[index].root();
        assert_eq!(branch.verify(&root, at, &genesis.state.root()), Ok(()));
    }
}

#[test]
fn the_first_state_of_sepolia_is_hashed_and_its_validators_proven() {
    let Some(genesis) = Genesis::read(SEPOLIA) else { return };
    let header = genesis.check(
        1570,
        [
            "0xd8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078",
            "0xfb9afe32150fa39f4b346be2519a67e2a4f5efcd50a1dc192c3f6b3d013d2798",
            "0xfb9b64fe445f76696407e1e3cc390371edff147bf712db86db6197d4b31ede43",
        ],
    );
    genesis.prove_all(&header);
}
