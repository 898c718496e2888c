//! The main job on real input, by commands: mainnet of July 2024 is followed from its root to finality, an account and its storage are
//! proven under the execution root, a validator that stood there is restaked, delegated, secures a service, is slashed, earns and leaves;
//! and the whole history is executed again without a node.
//!
//! The data lies in the shared folder beside the project (or where `SURETY_SHARED` points) and is not part of it; without it the test says
//! that it skipped. What nobody has recorded is left out: the proofs of validators are of other slots than the blocks that sync committees
//! have signed, so the genesis vouches for the states of those slots, as it does for the root that the light client begins with.

use std::path::PathBuf;

use evidence::ethereum::api::{AccountProof, Answered, LightBootstrap, LightUpdate};
use evidence::ethereum::{
    Chain, Limited, Schedule, SharedBranches, Validator, ValidatorClaim, ValidatorsProof, arrange_state,
};
use serde_json::{Value, json};

use crate::binary::{Home, Node};
use crate::http::get;

const FOLDER: &str = "lc-mainnet-deneb-2024";
const CHANGE_ROOT: &str = "0xefb4338d596b9d335b2da176dc85ee97469fc80c7e2d35b9b9c1558b4602077a";
const INCLUSION_ROOT: &str = "0xf783c545d2dd90cee6c4cb92a9324323ef397f6ec85e1a3d61c48cf6cfc979e2";
/// Slot and file of the two proofs of validator 1293592.
const PROOFS: [(u64, &str); 2] = [
    (8_845_045, "mainnet_withdrawal_credential_proof_1293592_1712964563"),
    (9_325_910, "mainnet_withdrawal_credential_proof_1293592_1718734943"),
];
const POD: &str = "0x169eb59289d14642dd285def3d75f63aea3218d2";

fn shared(path: &str) -> Option<Value> {
    let root = std::env::var_os("SURETY_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let folder = root.join("data/ethereum");
    if !folder.is_dir() {
        println!("skipped: the shared folder with data of the real chain is missing");
        return None;
    }
    let path = folder.join(path);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_slice(&bytes).expect("JSON"))
}

fn hashes(value: &Value) -> Vec<[u8; 32]> {
    let hash = |text: &Value| {
        let digits = text.as_str().expect("a hash").trim_start_matches("0x");
        hex::decode(digits).expect("hex").try_into().expect("32 bytes")
    };
    value.as_array().expect("a list").iter().map(hash).collect()
}

/// A validator of mainnet with its branch, and the root of the state.
fn validator(name: &str) -> (ValidatorsProof, String) {
    let data = shared(&format!("validator-proofs-deneb-mainnet/{name}.json")).expect("the folder is there");
    let fields = hashes(&data["ValidatorFields"]);
    let number = |place: usize| u64::from_le_bytes(fields[place][..8].try_into().expect("8 bytes"));
    let validator = Validator {
        key_root: fields[0],
        withdrawal_credentials: fields[1],
        effective_balance: number(2),
        slashed: number(3) == 1,
        activation_eligibility_epoch: number(4),
        activation_epoch: number(5),
        exit_epoch: number(6),
        withdrawable_epoch: number(7),
    };
    let claim = ValidatorClaim { index: data["validatorIndex"].as_u64().expect("an index"), validator };
    let proof = ValidatorsProof {
        validators: Limited::new(vec![claim]).expect("one"),
        balances: Limited::default(),
        siblings: SharedBranches::new(hashes(&data["WithdrawalCredentialProof"])).expect("46"),
    };
    (proof, data["beaconStateRoot"].as_str().expect("a root").to_owned())
}

fn light(path: &str) -> LightUpdate {
    let answer = shared(&format!("{FOLDER}/{path}.json")).expect("the folder is there");
    let answer = answer.get(0).unwrap_or(&answer).clone();
    serde_json::from_value::<Answered<LightUpdate>>(answer).expect("an update").data
}

fn account_proof() -> AccountProof {
    let proof = shared(&format!("{FOLDER}/inclusion/EthGetProof.json")).expect("the folder is there");
    serde_json::from_value::<Answered<AccountProof>>(proof).expect("a proof").data
}

/// A development ledger that follows mainnet from the root of July 2024; alice owns the pod.
fn begin(home: &Home) {
    home.make_keys(&["gov", "alice", "olga", "meridian"]);
    let alice = home.json(&["keys", "show", "alice"])["address"].clone();
    let mut genesis: Value =
        serde_json::from_str(&home.run(&["init", "--print", "--epoch", "400ms", "--governor", "gov"]))
            .expect("a genesis");
    let parameters = &mut genesis["protocol"]["parameters"];
    for (name, epochs) in
        [("unbonding", 42), ("slash_window", 20), ("veto", 1), ("execution", 20), ("notice", 1)]
    {
        parameters[name] = json!(epochs);
    }
    let question = account_proof().question().expect("a question");
    let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    let custody = json!({
        "contract": hex(&question.address), "count": hex(&question.slots[0]), "deposits": hex(&[0; 32]),
    });
    let chain = Chain::mainnet(Schedule::mainnet(None), 16).expect("so many are kept");
    let limit = "20282409603651670423947251286015";
    let states: Vec<Value> = PROOFS
        .iter()
        .map(|(slot, name)| json!({ "slot": slot, "state_root": validator(name).1, "until": 1_000_000 }))
        .collect();
    genesis["protocol"]["ethereum"] = json!({
        "number": 1, "chain": chain, "trusted": CHANGE_ROOT, "states": states,
        "existing": [{ "account": alice, "pod": POD }],
        "assets": [
            { "contract": "", "per_period": limit },
            { "contract": "0xaa", "per_period": limit, "custody": custody },
        ],
        "reward": "0.25", "reward_above": "0.01", "due_epochs": 5, "halt_epochs": 40,
    });
    std::fs::write(home.path("genesis.json"), genesis.to_string()).expect("a file");
    home.run(&["init", "--genesis", &home.path("genesis.json").display().to_string()]);
}

/// Signs and sends.
fn act(home: &Home, from: &str, arguments: &[&str]) {
    let mut all = arguments.to_vec();
    all.extend(["--from", from, "--yes"]);
    let receipt = home.json(&all);
    assert_eq!(receipt["receipt"]["outcome"]["outcome"], "applied", "{arguments:?}: {receipt}");
}

/// The same with fields that stand in a file; what the command says.
fn tell(home: &Home, verb: &[&str], fields: &Value) -> Result<(), String> {
    let file = home.path("fields.json");
    std::fs::write(&file, fields.to_string()).expect("a file");
    let file = format!("@{}", file.display());
    let output = home.output(&[verb, &["--json", &file, "--from", "olga", "--yes"]].concat());
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

fn begin_chain(home: &Home, folder: &str) {
    let answer = shared(&format!("{FOLDER}/{folder}/BootstrapDeneb.json")).expect("the folder is there");
    let answer: Answered<LightBootstrap> = serde_json::from_value(answer).expect("a bootstrap");
    let bootstrap = answer.data.bootstrap().expect("a header with its execution block");
    tell(home, &["ethereum", "begin"], &json!({ "bootstrap": bootstrap })).expect("the root is trusted");
}

fn update(home: &Home, path: &str) -> Result<(), String> {
    let update = light(path).update().expect("an update");
    tell(home, &["ethereum", "update"], &json!({ "update": update }))
}

/// From the root to finality, and on from a later root after the notice: nobody has the updates between the two.
fn follow(home: &Home, node: &Node) {
    begin_chain(home, "committee-change");
    update(home, "committee-change/UpdateDeneb").expect("the committee of period 1151");
    update(home, "committee-change/UpdateNewPeriodDeneb").expect("signed by it");
    let chain = get(&node.address, "/v1/ethereum");
    assert_eq!((chain["period"].clone(), chain["knows_next"].clone()), (json!(1151), json!(true)));
    assert_eq!(chain["headers"][1]["slot"], 9_430_496);
    let unknown = update(home, "inclusion/UpdateDeneb").expect_err("its committee is not known");
    assert!(unknown.contains("period 1167 is not known"), "{unknown}");
    act(home, "gov", &["ethereum", "govern", "--trusted", INCLUSION_ROOT]);
    node.wait_for_epoch(node.epoch() + 3);
    begin_chain(home, "inclusion");
    update(home, "inclusion/UpdateDeneb").expect("the committee of period 1168");
    let opening = light("inclusion/FinalityUpdateDeneb").finalized_header.opening().expect("a payload");
    let slot = 9_567_456;
    tell(home, &["ethereum", "open"], &json!({ "slot": slot, "opening": opening })).expect("its block");
    let status = home.run(&["ethereum", "status"]);
    assert!(status.contains("9567456") && status.contains("20360596"), "{status}");
}

/// A real account and a real slot of its storage. As a custody contract it would hold no deposit, and that is proven.
fn read_storage(home: &Home) {
    let root = "c51ad191ded785644e792e03583a54dcd4329d605560734c93f6cd9b5eaa9315";
    let root = hex::decode(root).expect("hex").try_into().expect("32 bytes");
    let (proof, question) = (account_proof(), account_proof().question().expect("a question"));
    let nodes = arrange_state(&root, &[question], &proof.nodes()).expect("they answer").expect("a few");
    let take = |nodes: &Value| json!({ "asset": 1, "slot": 9_567_456, "deposits": [], "nodes": nodes });
    let mut nodes = json!(nodes);
    let told = tell(home, &["ethereum", "deposits"], &take(&nodes)).expect_err("there is none");
    assert!(told.contains("the contract has 0 deposits"), "{told}");
    nodes.as_array_mut().expect("a list").pop();
    let told = tell(home, &["ethereum", "deposits"], &take(&nodes)).expect_err("a node is missing");
    assert!(!told.contains("the contract has 0 deposits"), "{told}");
}

fn report(home: &Home, alice: &str, place: usize) -> Result<(), String> {
    let (slot, name) = PROOFS[place];
    let fields = json!({
        "asset": 0, "account": alice, "slot": slot, "validators": validator(name).0, "nodes": null, "under_way": null,
    });
    tell(home, &["stake", "pod"], &fields)
}

fn pod(node: &Node) -> Value {
    get(&node.address, "/v1/pods/0")
}

#[test]
fn real_validators_are_restaked_secure_a_service_are_slashed_earn_and_leave() {
    if shared(&format!("{FOLDER}/inclusion/EthGetProof.json")).is_none() {
        return;
    }
    let home = Home::new();
    begin(&home);
    let node = home.start();
    let alice = home.json(&["keys", "show", "alice"])["address"].as_str().expect("an address").to_owned();
    let native = [
        "asset",
        "new",
        "--origin-chain",
        "1",
        "--origin-contract",
        "",
        "--decimals",
        "18",
        "--kind",
        "native",
    ];
    act(&home, "gov", &native);
    for contract in ["0xaa", "0xbb"] {
        let token = ["asset", "new", "--origin-chain", "1", "--origin-contract", contract, "--decimals", "6"];
        act(&home, "gov", &token);
    }
    follow(&home, &node);
    read_storage(&home);

    // The validator of July's registry, 32 ETH less the half that one on duty may lack.
    report(&home, &alice, 0).expect("a state that the genesis vouches for");
    let balance = "31500000000000000000";
    assert_eq!((pod(&node)["balance"].clone(), pod(&node)["pod"].clone()), (json!(balance), json!(POD)));
    let again = report(&home, &alice, 0).expect_err("of the same slot");
    assert!(again.contains("not later"), "{again}");
    act(&home, "olga", &["operator", "register"]);
    act(&home, "olga", &["operator", "open-pool", "asset/0", "--mandate-worst-case", "50%"]);
    act(&home, "meridian", &["stake", "deposit", "100000base", "--asset", "asset/2"]);
    act(&home, "meridian", &["service", "create"]);
    let meridian = home.json(&["keys", "show", "meridian"])["address"].clone();
    let terms = json!({
        "assets": [{"asset": 0, "weight": 1_000_000_000}], "admission": {"operators_max": 10},
        "offences": {"subjective": "0.5", "false_event": "0.1"}, "window_cap": "0.5", "veto": 0,
        "slasher": meridian, "reward_tokens": [2],
    });
    act(&home, "meridian", &["service", "open-set", "--terms", &terms.to_string()]);
    act(&home, "olga", &["operator", "join", "set/0", "--allocations", "asset/0=256"]);
    let delegate =
        ["stake", "delegate", "op/0", "20000000000000000000base", "--asset", "asset/0", "--validator", "0"];
    act(&home, "alice", &delegate);
    act(&home, "meridian", &["service", "stream", "set/0", "1000base", "40", "--token", "asset/2"]);
    node.wait_for_epoch(node.epoch() + 2);

    // Slashed for an epoch of duty; a later state shows that the validator is still there.
    let capture = node.epoch().to_string();
    act(
        &home,
        "meridian",
        &["slash", "request", "set/0", "op/0", &capture, "25%", "--reason", "a false price"],
    );
    let executable = get(&node.address, "/v1/requests/0")["executable_from"].as_u64().expect("an epoch");
    node.wait_for_epoch(executable);
    act(&home, "gov", &["slash", "execute", "request/0"]);
    report(&home, &alice, 1).expect("a later state");
    act(&home, "alice", &["rewards", "claim", "op/0"]);
    act(&home, "alice", &["stake", "undelegate", "op/0", "--asset", "asset/0"]);
    let exits = get(&node.address, &format!("/v1/accounts/{alice}/exits"));
    node.wait_for_epoch(exits["positions"][0]["free"]["epoch"].as_u64().expect("an epoch"));
    act(&home, "alice", &["stake", "release", "op/0", "asset/0"]);

    // 31.5 less a quarter of 20: what was slashed is still in the validator, and nobody's.
    let left = pod(&node);
    let figures = ["free", "slashed", "balance", "slot"].map(|name| left[name].clone());
    assert_eq!(figures[..2], [json!("26500000000000000000"), json!("5000000000000000000")]);
    assert_eq!(figures[2..], [json!(balance), json!(9_325_910)]);
    let account = get(&node.address, &format!("/v1/accounts/{alice}"));
    let earned = account["balances"].as_array().expect("a list").iter().find(|held| held["asset"] == 2);
    assert!(earned.is_some_and(|held| held["free"] != "0"), "{account}");
    assert!(home.run(&["ethereum", "pods"]).contains(&POD[..10]), "the pod is listed");
    node.kill();
    home.run(&["verify", &home.data().display().to_string()]);
}
