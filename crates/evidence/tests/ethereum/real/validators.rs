//! Validators of mainnet in 2024, and of a public test network under Electra.

use evidence::ethereum::{
    BalanceLeaf, Branch, Credentials, Finalized, Fork, GeneralizedIndex, Hash, Limited, Phase, ProofError,
    SharedBranches, Validator, ValidatorClaim, ValidatorsError, ValidatorsProof, key_root, pair,
};
use serde_json::Value;

use super::{accepted, accepted_state, hash, read, unhex};
use crate::mutation::refuses_changes;

pub(super) const DENEB: [&str; 4] = [
    "validator-proofs-deneb-mainnet/ValidatorFieldsProof_1256324_8746783.json",
    "validator-proofs-deneb-mainnet/ValidatorFieldsProof_1293592_8746783.json",
    "validator-proofs-deneb-mainnet/mainnet_withdrawal_credential_proof_1293592_1712964563.json",
    "validator-proofs-deneb-mainnet/mainnet_withdrawal_credential_proof_1293592_1718734943.json",
];
pub(super) const ELECTRA: &str = "validator-proofs-electra-devnet/fusaka-devnet-2-genesis-proofs.json";

/// Root of the header, slot, proposer, validators in the list, activation.
const EXPECTED: [(&str, u64, u64, u64, u64); 4] = [
    (
        "0xd180de7c35181730a04925bec5d66b5dca72c227e83fbe11c6bfe72f26cea916",
        8_746_783,
        854_500,
        1_327_290,
        267_155,
    ),
    (
        "0xd180de7c35181730a04925bec5d66b5dca72c227e83fbe11c6bfe72f26cea916",
        8_746_783,
        854_500,
        1_327_290,
        271_240,
    ),
    (
        "0x4867c3386b687d3309479255144d0188aea7544178d9a9e86e9334b887e68c59",
        8_845_045,
        841_311,
        1_358_521,
        271_240,
    ),
    (
        "0x4d64149fbd6781dc9452761263aabf34bb25f70cf60d3052dc6d333b07aeb7c0",
        9_325_910,
        688_883,
        1_449_751,
        271_240,
    ),
];

fn number(number: u64) -> Hash {
    let mut leaf = [0; 32];
    leaf[..8].copy_from_slice(&number.to_le_bytes());
    leaf
}

fn value(leaf: &Hash) -> u64 {
    assert_eq!(leaf[8..], [0; 24]);
    u64::from_le_bytes(leaf[..8].try_into().unwrap())
}

fn hashes(value: &Value) -> Vec<Hash> {
    read::<Vec<String>>(value).iter().map(|text| hash(text)).collect()
}

/// One validator with its branch up to the root of a state.
struct Single {
    claim: ValidatorClaim,
    branch: Vec<Hash>,
    state_root: Hash,
    header: Finalized,
}

/// A proof of mainnet, whose header is known to have a slot, a proposer and a state.
fn single(place: usize) -> Option<Single> {
    let data: Value = super::json(DENEB[place])?;
    let fields: [Hash; 8] = hashes(&data["ValidatorFields"]).try_into().unwrap();
    let validator = Validator {
        key_root: fields[0],
        withdrawal_credentials: fields[1],
        effective_balance: value(&fields[2]),
        slashed: value(&fields[3]) == 1,
        activation_eligibility_epoch: value(&fields[4]),
        activation_epoch: value(&fields[5]),
        exit_epoch: value(&fields[6]),
        withdrawable_epoch: value(&fields[7]),
    };
    let claim = ValidatorClaim { index: read(&data["validatorIndex"]), validator };
    let state_root = hash(data["beaconStateRoot"].as_str().unwrap());
    let header = accepted_state(EXPECTED[place].1, &state_root, Fork::Deneb, &[0; 32]);
    let branch = hashes(&data["WithdrawalCredentialProof"]);
    Some(Single { claim, branch, state_root, header })
}

impl Single {
    fn proof(&self) -> ValidatorsProof {
        ValidatorsProof {
            validators: Limited::new(vec![self.claim.clone()]).unwrap(),
            balances: Limited::default(),
            siblings: SharedBranches::new(self.branch.clone()).unwrap(),
        }
    }

    fn leaf(&self) -> (GeneralizedIndex, Hash, Branch) {
        let at = Fork::Deneb.validator(self.claim.index).unwrap();
        (at, self.claim.validator.root(), Branch::new(self.branch.clone()).unwrap())
    }
}

#[test]
fn validators_of_mainnet_are_proven_in_2024() {
    for (place, (root, slot, proposer, registry, activation)) in EXPECTED.into_iter().enumerate() {
        let Some(single) = single(place) else { return };
        assert_eq!(single.branch.len(), 46);
        assert_eq!(single.branch[40], number(registry), "the length of the list");
        let proven = single.header.validators(&single.proof()).unwrap();
        let [found] = proven.as_slice() else { panic!("one") };
        assert_eq!((found.slot(), found.index(), found.balance()), (slot, single.claim.index, None));
        let validator = found.validator();
        assert_eq!((validator.effective_balance, validator.slashed), (32_000_000_000, false));
        assert_eq!((validator.activation_epoch, validator.exit_epoch), (activation, u64::MAX));
        assert!(matches!(validator.credentials(), Credentials::Address(_)));
        let is_active = activation <= slot / 32;
        assert_eq!(found.phase(), if is_active { Phase::Active } else { Phase::Pending });

        // The header's other half was found by whoever made the data; it is of that slot and proposer.
        let data: Value = super::json(DENEB[place]).unwrap();
        let siblings = hashes(&data["StateRootAgainstLatestBlockHeaderProof"]);
        assert_eq!(siblings[1], pair(&number(slot), &number(proposer)));
        let up = Branch::new(siblings).unwrap();
        assert_eq!(up.verify(&single.state_root, Fork::STATE_ROOT, &hash(root)), Ok(()));
        let at = Fork::STATE_ROOT.then(Fork::Deneb.validator(single.claim.index).unwrap()).unwrap();
        let whole = Branch::new([&single.branch, up.siblings()].concat()).unwrap();
        assert_eq!(whole.verify(&validator.root(), at, &hash(root)), Ok(()), "49 siblings in one");
    }
}

#[test]
fn two_validators_of_one_state_share_their_siblings() {
    let (Some(left), Some(right)) = (single(0), single(1)) else { return };
    let siblings = SharedBranches::join(&[left.leaf(), right.leaf()]).unwrap();
    assert!(siblings.siblings().len() < 64, "{} instead of 92", siblings.siblings().len());
    let claims = vec![left.claim.clone(), right.claim.clone()];
    let proof = ValidatorsProof {
        validators: Limited::new(claims.clone()).unwrap(),
        balances: Limited::default(),
        siblings: siblings.clone(),
    };
    let proven = left.header.validators(&proof).unwrap();
    let indices: Vec<u64> = proven.iter().map(|found| found.index()).collect();
    assert_eq!(indices, [1_256_324, 1_293_592]);
    refuses_changes("two", &proof, 1, |proof| left.header.validators(proof).is_err());
    let swapped = Limited::new(claims.into_iter().rev().collect()).unwrap();
    let refused = left.header.validators(&ValidatorsProof { validators: swapped, ..proof });
    assert!(matches!(refused, Err(ValidatorsError::Proof(ProofError::Order { place: 0, .. }))));
    // The same validator, months later: another state.
    let later = single(3).unwrap();
    let old = later.header.validators(&right.proof());
    assert!(matches!(old, Err(ValidatorsError::Proof(ProofError::Root { .. }))));
}

#[test]
fn every_changed_byte_of_a_proof_of_mainnet_is_refused() {
    for place in 0..4 {
        let Some(single) = single(place) else { return };
        let header = &single.header;
        refuses_changes(DENEB[place], &single.proof(), 1, |proof| header.validators(proof).is_err());
        // In the layout of another fork the same bytes prove nothing.
        for fork in [Fork::Electra, Fork::Gloas] {
            let other = accepted_state(EXPECTED[place].1, &single.state_root, fork, &[0; 32]);
            assert!(other.validators(&single.proof()).is_err(), "{fork}");
        }
    }
}

/// The test network: its header, and what is known of each validator.
struct Devnet {
    data: Value,
    header: Finalized,
}

impl Devnet {
    fn read() -> Option<Self> {
        let data: Value = super::json(ELECTRA)?;
        let header = accepted(&data["header"], Fork::Electra, &[0; 32]);
        Some(Self { data, header })
    }

    fn claims(&self) -> Vec<ValidatorClaim> {
        let claim = |proof: &Value| {
            let mut validator = proof["validator"].clone();
            let key: [u8; 48] = unhex(validator["pubkey"].as_str().unwrap()).try_into().unwrap();
            validator.as_object_mut().unwrap().remove("pubkey");
            validator["key_root"] = Value::String(super::hex(&key_root(&key)));
            ValidatorClaim { index: read(&proof["validator_index"]), validator: read(&validator) }
        };
        self.data["proofs"].as_array().unwrap().iter().map(claim).collect()
    }

    /// All of them with their balances in one proof, from the single branches.
    fn proof(&self) -> ValidatorsProof {
        let proofs = self.data["proofs"].as_array().unwrap();
        // The last three siblings lead from the state to the header.
        let branch =
            |siblings: &Value, count: usize| Branch::new(hashes(siblings)[..count].to_vec()).unwrap();
        let claims = self.claims();
        let validators = proofs.iter().zip(&claims).map(|(proof, claim)| {
            let at = Fork::Electra.validator(claim.index).unwrap();
            (at, claim.validator.root(), branch(&proof["proof"], 47))
        });
        let balances = proofs.iter().zip(&claims).map(|(proof, claim)| {
            let at = Fork::Electra.balances(claim.index / 4).unwrap();
            (at, hash(proof["balance_chunk"].as_str().unwrap()), branch(&proof["balance_proof"], 45))
        });
        let leaves: Vec<_> = validators.chain(balances).collect();
        let balances = leaves[claims.len()..].iter().map(|(_, leaf, _)| BalanceLeaf::new(*leaf)).collect();
        ValidatorsProof {
            siblings: SharedBranches::join(&leaves).unwrap(),
            validators: Limited::new(claims).unwrap(),
            balances: Limited::new(balances).unwrap(),
        }
    }
}

#[test]
fn validators_and_balances_of_a_public_network_are_proven_under_electra() {
    let Some(devnet) = Devnet::read() else { return };
    let root = devnet.header.root();
    assert_eq!(root, &hash(devnet.data["block_root"].as_str().unwrap()));
    let state = "0xf68d4120d84068d672af6060f22f1df3ac4d5e30b29ffc4a29bbc2c0e3906c56";
    assert_eq!(devnet.header.header().state_root, hash(state));
    let indices: Vec<u64> = devnet.claims().iter().map(|claim| claim.index).collect();
    assert_eq!(indices, [0, 100, 575]);

    for (proof, claim) in devnet.data["proofs"].as_array().unwrap().iter().zip(devnet.claims()) {
        let leaf = claim.validator.root();
        assert_eq!(leaf, hash(proof["validator_root"].as_str().unwrap()));
        let at = Fork::STATE_ROOT.then(Fork::Electra.validator(claim.index).unwrap()).unwrap();
        assert_eq!(at.to_string(), read::<String>(&proof["gindex_in_header"]));
        let branch = Branch::new(hashes(&proof["proof"])).unwrap();
        assert_eq!((branch.siblings().len(), branch.verify(&leaf, at, root)), (50, Ok(())));
        // The list has 576 validators, and its root is what the network is known by.
        assert_eq!(branch.siblings()[40], number(576));
        let list = GeneralizedIndex::new(2).unwrap().leaf(40, claim.index).unwrap();
        let list = Branch::new(branch.siblings()[..41].to_vec()).unwrap().root(&leaf, list).unwrap();
        assert_eq!(list, hash(devnet.data["genesis_validators_root"].as_str().unwrap()));

        let chunk = hash(proof["balance_chunk"].as_str().unwrap());
        let at = Fork::STATE_ROOT.then(Fork::Electra.balances(claim.index / 4).unwrap()).unwrap();
        assert_eq!(at.to_string(), read::<String>(&proof["balance_gindex_in_header"]));
        let branch = Branch::new(hashes(&proof["balance_proof"])).unwrap();
        assert_eq!((branch.siblings().len(), branch.verify(&chunk, at, root)), (48, Ok(())));
    }

    let proven = devnet.header.validators(&devnet.proof()).unwrap();
    for (found, claim) in proven.iter().zip(devnet.claims()) {
        assert_eq!((found.index(), found.validator()), (claim.index, &claim.validator));
        assert_eq!((found.balance(), found.phase()), (Some(32_000_000_000), Phase::Active));
        assert_eq!(claim.validator.effective_balance, 32_000_000_000);
    }
    assert_eq!(proven.len(), 3);
}

#[test]
fn every_changed_byte_of_the_joined_proof_under_electra_is_refused() {
    let Some(devnet) = Devnet::read() else { return };
    refuses_changes("devnet", &devnet.proof(), 1, |proof| devnet.header.validators(proof).is_err());
}
