//! The same on data of mainnet, which lies in the shared folder beside the project (or where `SURETY_SHARED` points) and is not part of
//! it. Without the folder the tests say that they skipped.

use std::path::PathBuf;

use evidence::ethereum::api::{AccountProof, Answered, LightBootstrap, LightUpdate};
use evidence::ethereum::{
    Chain, Limited, Schedule, SharedBranches, Validator, ValidatorClaim, ValidatorsProof, arrange_state,
};
use evidence::fact::custody::Custody;
use protocol::ethereum::{ChainAsset, Ethereum, ExistingPod, TrustedState};
use protocol::ops;
use protocol::units::{Address, Amount, AssetId, Digest, Epoch, Fraction};
use protocol::{AssetKind, Authority, Event, Genesis, Operation, Origin, RateSource, Signer, State, apply};
use serde_json::Value;

const FOLDER: &str = "lc-mainnet-deneb-2024";
const CHANGE_ROOT: &str = "efb4338d596b9d335b2da176dc85ee97469fc80c7e2d35b9b9c1558b4602077a";
const INCLUSION_ROOT: &str = "f783c545d2dd90cee6c4cb92a9324323ef397f6ec85e1a3d61c48cf6cfc979e2";
/// Slot and root of the states of the two proofs of validator 1293592.
const STATES: [(u64, &str); 2] = [
    (8_845_045, "mainnet_withdrawal_credential_proof_1293592_1712964563"),
    (9_325_910, "mainnet_withdrawal_credential_proof_1293592_1718734943"),
];
const POD: &str = "169eb59289d14642dd285def3d75f63aea3218d2";

#[allow(clippy::print_stdout, reason = "a skipped test says so")]
fn json(path: &str) -> Option<Value> {
    let root = std::env::var_os("SURETY_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let folder = root.join("data/ethereum");
    if !folder.is_dir() {
        println!("skipped: the shared folder with data of the real chain is missing");
        return None;
    }
    let path = folder.join(path);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_slice(&bytes).unwrap())
}

fn hash(text: &str) -> [u8; 32] {
    hex::decode(text.trim_start_matches("0x")).unwrap().try_into().unwrap()
}

fn hashes(value: &Value) -> Vec<[u8; 32]> {
    value.as_array().unwrap().iter().map(|text| hash(text.as_str().unwrap())).collect()
}

fn number(leaf: &[u8; 32]) -> u64 {
    u64::from_le_bytes(leaf[..8].try_into().unwrap())
}

/// A validator of mainnet with its branch, and the root of the state.
fn validator(name: &str) -> (ValidatorsProof, [u8; 32]) {
    let data = json(&format!("validator-proofs-deneb-mainnet/{name}.json")).unwrap();
    let fields = hashes(&data["ValidatorFields"]);
    let validator = Validator {
        key_root: fields[0],
        withdrawal_credentials: fields[1],
        effective_balance: number(&fields[2]),
        slashed: number(&fields[3]) == 1,
        activation_eligibility_epoch: number(&fields[4]),
        activation_epoch: number(&fields[5]),
        exit_epoch: number(&fields[6]),
        withdrawable_epoch: number(&fields[7]),
    };
    let claim = ValidatorClaim { index: data["validatorIndex"].as_u64().unwrap(), validator };
    let proof = ValidatorsProof {
        validators: Limited::new(vec![claim]).unwrap(),
        balances: Limited::default(),
        siblings: SharedBranches::new(hashes(&data["WithdrawalCredentialProof"])).unwrap(),
    };
    (proof, hash(data["beaconStateRoot"].as_str().unwrap()))
}

fn bootstrap(folder: &str) -> Option<Operation> {
    let answer = json(&format!("{FOLDER}/{folder}/BootstrapDeneb.json"))?;
    let answer: Answered<LightBootstrap> = serde_json::from_value(answer).unwrap();
    let bootstrap = answer.data.bootstrap().unwrap();
    Some(Operation::BeginChain(ops::begin_chain::BeginChain { bootstrap }))
}

fn light(path: &str) -> LightUpdate {
    let answer = json(&format!("{FOLDER}/{path}.json")).unwrap();
    let answer = answer.get(0).unwrap_or(&answer);
    serde_json::from_value::<Answered<LightUpdate>>(answer.clone()).unwrap().data
}

fn update(path: &str) -> Operation {
    Operation::UpdateChain(ops::update_chain::UpdateChain { update: light(path).update().unwrap() })
}

/// Mainnet, trusted at the root of July 2024; the states of two proofs are vouched for.
fn genesis() -> Option<Genesis> {
    json(&format!("{FOLDER}/inclusion/EthGetProof.json"))?;
    let trusted = |(slot, name): (u64, &str)| TrustedState {
        slot,
        state_root: Digest(validator(name).1),
        until: Epoch::new(3),
    };
    let proof: Answered<AccountProof> =
        serde_json::from_value(json(&format!("{FOLDER}/inclusion/EthGetProof.json"))?).unwrap();
    let question = proof.data.question().unwrap();
    let custody = Custody { contract: question.address, count: question.slots[0], deposits: [0; 32] };
    let asset = |contract: &str, custody: Option<Custody>| ChainAsset {
        contract: contract.to_owned(),
        decimals: None,
        per_period: Amount::LIMIT,
        attested_above: None,
        custody,
        rate: None,
    };
    let ethereum = Ethereum {
        number: 1,
        chain: Chain::mainnet(Schedule::mainnet(None), 16).unwrap(),
        trusted: Digest(hash(CHANGE_ROOT)),
        states: STATES.into_iter().map(trusted).collect(),
        factory: None,
        existing: vec![ExistingPod {
            account: Address([0xa1; 20]),
            pod: Address(hex::decode(POD).unwrap().try_into().unwrap()),
        }],
        assets: vec![asset("", None), asset("0xaa", Some(custody))],
        second: None,
        reward: Fraction::ZERO,
        reward_above: Fraction::ONE,
        due_epochs: 2,
        halt_epochs: 5,
    };
    Some(Genesis { ethereum: Some(Box::new(ethereum)), ..Genesis::development() })
}

fn run(state: &mut State, account: Address, operation: Operation) -> Result<Vec<Event>, String> {
    let bytes = operation.encode();
    assert_eq!(Operation::decode(&bytes).as_ref(), Ok(&operation), "{} bytes", bytes.len());
    let authority = Authority { account, signer: Signer::Plain, expires: u64::MAX };
    apply(state, &authority, &operation).map_err(|refusal| format!("{}: {refusal}", refusal.code()))
}

const ANYONE: Address = Address([1; 20]);
const ALICE: Address = Address([0xa1; 20]);

#[test]
fn mainnet_of_july_2024_is_followed_to_finality_and_its_state_read() {
    let Some(genesis) = genesis() else { return };
    let mut state = State::new(genesis).unwrap();
    let governor = state.genesis().governor;
    state.begin_block(1_722_000_000_000);
    let list = |contract: &str, kind, decimals| {
        let origin = Origin { chain: 1, contract: contract.to_owned() };
        Operation::ListAsset(ops::list_asset::ListAsset { origin, decimals, kind, rate: RateSource::One })
    };
    run(&mut state, ANYONE, list("", AssetKind::Native, 18)).unwrap();
    run(&mut state, ANYONE, list("0xaa", AssetKind::Token, 18)).unwrap();

    // Bootstrap from the root, the next committee, and finality signed by it.
    run(&mut state, ANYONE, bootstrap("committee-change").unwrap()).unwrap();
    run(&mut state, ANYONE, update("committee-change/UpdateDeneb")).unwrap();
    let events = run(&mut state, ANYONE, update("committee-change/UpdateNewPeriodDeneb")).unwrap();
    let told = Event::ChainUpdated { finalized: Some(9_430_496), committee: Some(1152), period: 1151 };
    assert_eq!(events, [told]);
    let opening = light("committee-change/UpdateNewPeriodDeneb").finalized_header.opening().unwrap();
    let open = |slot, opening| Operation::OpenBlock(ops::open_block::OpenBlock { slot, opening });
    run(&mut state, ANYONE, open(9_430_496, opening)).unwrap();

    // Nobody has the updates of the sixteen periods between; governance names the later root, after the notice.
    let refused = run(&mut state, ANYONE, update("inclusion/UpdateDeneb")).unwrap_err();
    assert!(refused.contains("period 1167 is not known"), "{refused}");
    let trusted = Some(Digest(hash(INCLUSION_ROOT)));
    let govern = ops::govern_chain::GovernChain { schedule: None, trusted, resume: false };
    run(&mut state, governor, Operation::GovernChain(govern)).unwrap();
    for _ in 0..8 {
        protocol::advance_epoch(&mut state);
    }
    run(&mut state, ANYONE, bootstrap("inclusion").unwrap()).unwrap();
    run(&mut state, ANYONE, update("inclusion/UpdateDeneb")).unwrap();
    // The finality update makes the trusted block itself final, which is no news; every proof of it is right, so it contradicts nothing.
    let refused = run(&mut state, ANYONE, update("inclusion/FinalityUpdateDeneb")).unwrap_err();
    assert!(refused.contains("finalized slot 9567456 is not after 9567456"), "{refused}");
    let finality = light("inclusion/FinalityUpdateDeneb");
    let contradict = ops::report_contradiction::ReportContradiction {
        update: finality.clone().update().unwrap(),
        remembered: None,
    };
    let refused = run(&mut state, ANYONE, Operation::ReportContradiction(contradict)).unwrap_err();
    assert!(refused.contains("contradicts nothing"), "{refused}");
    run(&mut state, ANYONE, open(9_567_456, finality.finalized_header.opening().unwrap())).unwrap();

    // A real account and a real slot of its storage, under the real execution root: as a custody contract it holds no deposit.
    let proof = json(&format!("{FOLDER}/inclusion/EthGetProof.json")).unwrap();
    let proof: Answered<AccountProof> = serde_json::from_value(proof).unwrap();
    let root = hash("c51ad191ded785644e792e03583a54dcd4329d605560734c93f6cd9b5eaa9315");
    let question = proof.data.question().unwrap();
    let nodes = arrange_state(&root, &[question], &proof.data.nodes()).unwrap().unwrap();
    let take = |nodes| {
        let (asset, slot, deposits) = (AssetId::new(1), 9_567_456, Vec::new());
        Operation::TakeDeposits(ops::take_deposits::TakeDeposits { asset, slot, deposits, nodes })
    };
    let refused = run(&mut state, ANYONE, take(nodes.clone())).unwrap_err();
    assert_eq!(
        refused,
        "take_deposits.NothingNew: the contract has 0 deposits and the next one is 0; none is given"
    );
    let cut = Limited::new(nodes.as_slice()[1..].to_vec()).unwrap();
    let refused = run(&mut state, ANYONE, take(cut)).unwrap_err();
    assert!(refused.starts_with("take_deposits.NotProven"), "{refused}");
    protocol::invariants::check(&state).unwrap();
    let entries: Vec<_> = state.keys().into_iter().map(|key| (key, state.entry(&key).unwrap())).collect();
    let restored = State::restore(entries.clone()).unwrap();
    for (key, bytes) in entries {
        assert_eq!(restored.entry(&key).as_ref(), Some(&bytes), "{key}");
    }
}

#[test]
fn a_real_validator_is_restaked_by_a_state_that_the_genesis_vouches_for() {
    let Some(genesis) = genesis() else { return };
    let mut state = State::new(genesis).unwrap();
    state.begin_block(1_722_000_000_000);
    let origin = Origin { chain: 1, contract: String::new() };
    let (decimals, kind, rate) = (18, AssetKind::Native, RateSource::One);
    let list = ops::list_asset::ListAsset { origin, decimals, kind, rate };
    run(&mut state, ANYONE, Operation::ListAsset(list)).unwrap();
    let report = |place: usize| {
        let (slot, name) = STATES[place];
        Operation::ReportPod(ops::report_pod::ReportPod {
            asset: AssetId::new(0),
            account: Some(ALICE),
            slot,
            validators: validator(name).0,
            nodes: None,
            under_way: None,
        })
    };
    let events = run(&mut state, ANYONE, report(0)).unwrap();
    let [Event::PodReported { balance, account, slot, .. }] = events[..] else { panic!("{events:?}") };
    // 32 ETH effective, less the half that a validator on duty may lack.
    assert_eq!((balance, account, slot), (Amount::new(31_500_000_000_000_000_000), ALICE, 8_845_045));
    run(&mut state, ANYONE, report(1)).unwrap();
    let refused = run(&mut state, ANYONE, report(0)).unwrap_err();
    assert!(refused.starts_with("report_pod.NotLater"), "{refused}");
    // It is not bob's, who has no pod, and the state is not believed for ever.
    let Operation::ReportPod(mut other) = report(1) else { panic!() };
    other.account = Some(Address([0xb0; 20]));
    let refused = run(&mut state, ANYONE, Operation::ReportPod(other)).unwrap_err();
    assert!(refused.starts_with("report_pod.NoPod"), "{refused}");
    let mut late = State::new(state.genesis().clone()).unwrap();
    for _ in 0..4 {
        protocol::advance_epoch(&mut late);
    }
    let origin = Origin { chain: 1, contract: String::new() };
    let list = ops::list_asset::ListAsset { origin, decimals, kind, rate };
    run(&mut late, ANYONE, Operation::ListAsset(list)).unwrap();
    let refused = run(&mut late, ANYONE, report(1)).unwrap_err();
    assert!(refused.starts_with("report_pod.StateNotFound"), "{refused}");
    protocol::invariants::check(&state).unwrap();
}
