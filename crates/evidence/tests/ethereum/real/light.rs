//! The light client follows mainnet: two periods of July 2024 from their roots, and June 2026 under Fulu.

use evidence::ethereum::api::{Answered, LightBootstrap, LightHeader, LightUpdate};
use evidence::ethereum::{
    ContradictionRefused, Execution, Finalized, Fork, Hash, LightClient, Opening, Progress, Update,
    UpdateRefused,
};
use serde_json::{Value, json};

use super::{MAINNET, accepted, hash, hex, read};

pub(super) const CHANGE_BOOTSTRAP: &str = "lc-mainnet-deneb-2024/committee-change/BootstrapDeneb.json";
pub(super) const CHANGE_UPDATE: &str = "lc-mainnet-deneb-2024/committee-change/UpdateDeneb.json";
pub(super) const CHANGE_NEW_PERIOD: &str = "lc-mainnet-deneb-2024/committee-change/UpdateNewPeriodDeneb.json";
pub(super) const INCLUSION_BOOTSTRAP: &str = "lc-mainnet-deneb-2024/inclusion/BootstrapDeneb.json";
pub(super) const INCLUSION_UPDATE: &str = "lc-mainnet-deneb-2024/inclusion/UpdateDeneb.json";
pub(super) const INCLUSION_FINALITY: &str = "lc-mainnet-deneb-2024/inclusion/FinalityUpdateDeneb.json";
pub(super) const FULU: &str = "lc-mainnet-fulu-2026-06/proof_inputs.json";
pub(super) const PECTRA: &str = "lc-mainnet-pectra-fork-header/pectra_light_client_header.yaml";

/// Roots that are trusted.
pub(super) const CHANGE_ROOT: &str = "0xefb4338d596b9d335b2da176dc85ee97469fc80c7e2d35b9b9c1558b4602077a";
pub(super) const INCLUSION_ROOT: &str = "0xf783c545d2dd90cee6c4cb92a9324323ef397f6ec85e1a3d61c48cf6cfc979e2";

/// An update as a client answered it, alone or in a list.
pub(super) fn told(path: &str) -> Option<LightUpdate> {
    let answer: Value = super::json(path)?;
    let answer = answer.get(0).unwrap_or(&answer);
    Some(read::<Answered<LightUpdate>>(answer).data)
}

pub(super) fn bootstrap(path: &str, root: &str) -> Option<(LightBootstrap, LightClient)> {
    let answer: Answered<LightBootstrap> = super::json(path)?;
    let client = LightClient::new(&MAINNET, &hash(root), answer.data.clone().bootstrap().unwrap()).unwrap();
    Some((answer.data, client))
}

/// Takes an update at the slot of its signatures.
pub(super) fn take(client: &mut LightClient, told: LightUpdate) -> Result<Progress, UpdateRefused> {
    let update = told.update().unwrap();
    client.update(&MAINNET, &update, update.signature_slot)
}

fn news(finalized: Option<u64>, committee: Option<u64>) -> Progress {
    Progress { finalized, committee, is_best: false }
}

/// What the README says of an update: both slots, the finalized root and how many signed.
fn check(told: &LightUpdate, slots: (u64, u64), root: &str, signers: usize) -> Update {
    let update = told.clone().update().unwrap();
    assert_eq!((update.attested.slot, update.finalized.slot), slots);
    assert_eq!(update.finalized.root(), hash(root), "slot {}", slots.1);
    assert_eq!(update.participation.count(), signers, "slot {}", slots.1);
    // Of the attested block nothing is kept; but what it says of its execution block is true as well.
    let attested = &told.attested_header;
    attested.claim().unwrap().verify(forked(slots.0), &attested.beacon.body_root).unwrap();
    update
}

fn forked(slot: u64) -> Fork {
    MAINNET.schedule().at_slot(slot).unwrap()
}

/// Opens the execution block that a header names by its payload, and compares with what the payload says.
pub(super) fn open(header: &Finalized, light: &LightHeader) -> Execution {
    let opening = light.opening().unwrap();
    let Opening::Payload { payload, .. } = &opening else { panic!("a payload") };
    let execution = header.open(&opening).unwrap();
    let found = (execution.hash(), execution.state_root(), execution.receipts_root());
    assert_eq!(found, (&payload.block_hash, &payload.state_root, &payload.receipts_root));
    assert_eq!((execution.number(), execution.timestamp()), (payload.block_number, payload.timestamp));
    assert_eq!((header.block_hash(), execution.parent_hash()), (&payload.block_hash, &payload.parent_hash));
    // Twelve seconds a slot, since the chain began.
    assert_eq!(execution.timestamp(), MAINNET.genesis_time() + 12 * header.header().slot);
    execution
}

#[test]
fn a_change_of_committees_is_followed_in_july_2024() {
    let Some((trusted, mut client)) = bootstrap(CHANGE_BOOTSTRAP, CHANGE_ROOT) else { return };
    assert_eq!((client.period(), client.newest().header().slot), (1150, 9_425_184));
    assert_eq!(client.newest().root(), &hash(CHANGE_ROOT));
    open(client.newest(), &trusted.header);

    let root = "0x832b68ab805185c0f34ef1ec212f788cc95ede901af6ea824ec6e70b4a75d554";
    let first = told(CHANGE_UPDATE).unwrap();
    check(&first, (9_420_873, 9_420_800), root, 511);
    assert_eq!(take(&mut client, first), Ok(news(None, Some(1151))), "its block is older than the root");

    let root = "0x04883763d888e7d9629d064a114c81b1e7c515494b77e2718490e9741f1cb810";
    let second = told(CHANGE_NEW_PERIOD).unwrap();
    check(&second, (9_430_576, 9_430_496), root, 511);
    let light = second.finalized_header.clone();
    assert_eq!(take(&mut client, second), Ok(news(Some(9_430_496), Some(1152))));
    assert_eq!((client.period(), client.newest().root()), (1151, &hash(root)));
    open(client.newest(), &light);
    assert_eq!(client.finalized().len(), 2);
}

/// A client that has accepted another header instead, as a ledger's state would hold it.
pub(super) fn with_header(client: &LightClient, finalized: &LightHeader) -> LightClient {
    let mut text = serde_json::to_value(client).unwrap();
    let block_hash = hex(&finalized.claim().unwrap().block_hash);
    let fork = forked(finalized.beacon.slot);
    let header = json!({ "header": finalized.beacon, "fork": fork, "block_hash": block_hash });
    text["finalized"] = json!([header]);
    serde_json::from_value(text).unwrap()
}

/// Root, committee, finality, execution block: the chain up to which accounts are proven in `state`. The last update makes
/// the trusted block itself final, so it is taken by a client that knows the one before only.
pub(super) fn inclusion() -> Option<(LightClient, Execution)> {
    let (trusted, mut client) = bootstrap(INCLUSION_BOOTSTRAP, INCLUSION_ROOT)?;
    assert_eq!((client.period(), client.newest().header().slot), (1167, 9_567_456));

    let root = "0x4642eef92e30777b45f1a41d771a05b63073e8672b4e574a8eb6746aceacd0f6";
    let first = told(INCLUSION_UPDATE)?;
    check(&first, (9_566_271, 9_566_176), root, 511);
    let earlier = with_header(&client, &first.finalized_header);
    assert_eq!(earlier.newest().root(), &hash(root));
    assert_eq!(take(&mut client, first.clone()), Ok(news(None, Some(1168))));

    let second = told(INCLUSION_FINALITY)?;
    let update = check(&second, (9_567_542, 9_567_456), INCLUSION_ROOT, 507);
    let refused = take(&mut client.clone(), second.clone());
    assert_eq!(refused, Err(UpdateRefused::NotNewer { finalized: 9_567_456, known: 9_567_456 }));
    let agreed = client.contradiction(&MAINNET, &update, update.signature_slot, None);
    assert_eq!(agreed, Err(ContradictionRefused::Agrees), "every proof and the signature are right");

    let mut earlier = earlier;
    assert_eq!(take(&mut earlier, first), Ok(news(None, Some(1168))));
    assert_eq!(take(&mut earlier, second.clone()), Ok(news(Some(9_567_456), None)));
    assert_eq!(earlier.newest(), client.newest(), "the block that was trusted is the one that is final");
    let execution = open(earlier.newest(), &second.finalized_header);
    assert_eq!(open(client.newest(), &trusted.header), execution);
    Some((earlier, execution))
}

#[test]
fn finality_leads_to_the_state_of_the_execution_layer() {
    let Some((_, execution)) = inclusion() else { return };
    let expected = "0xc51ad191ded785644e792e03583a54dcd4329d605560734c93f6cd9b5eaa9315";
    assert_eq!((hex(execution.state_root()).as_str(), execution.number()), (expected, 20_360_596));
}

/// The client of June 2026, as a ledger's state would hold it: the data has no branch for its committee. And the header.
pub(super) fn fulu() -> Option<(Value, LightClient, LightHeader)> {
    let data: Value = super::json(FULU)?;
    let header: LightHeader = read(&data["store"]["finalized_header"]);
    let claim = header.claim().unwrap();
    claim.verify(Fork::Fulu, &header.beacon.body_root).unwrap();
    let newest = accepted(&data["store"]["finalized_header"]["beacon"], Fork::Fulu, &claim.block_hash);
    let client = json!({
        "period": 1777, "current": data["store"]["current_sync_committee"], "next": null, "best": null,
        "finalized": [newest],
    });
    let client = read(&client);
    Some((data, client, header))
}

#[test]
fn fulu_is_followed_in_june_2026() {
    let Some((data, mut client, header)) = fulu() else { return };
    assert_eq!(read::<String>(&data["genesis_root"]), hex(MAINNET.genesis_validators_root()));
    for fork in MAINNET.schedule().forks() {
        let expected = &data["forks"][&fork.name];
        assert_eq!(read::<String>(&expected["epoch"]), fork.epoch.to_string(), "{}", fork.name);
        assert_eq!(read::<String>(&expected["fork_version"]), hex(&fork.version), "{}", fork.name);
    }
    let root = "0xf3df9306017ad2b4bf95d44600d6d114f2e85ba8a33fcd8b7e55ae1bbe84c0cc";
    assert_eq!((client.newest().header().slot, client.newest().root()), (14_561_440, &hash(root)));
    open(client.newest(), &header);
    let current: Hash = hash("0xafc7bbf4402cc3ffda3aa76d62d6d0cbba6da6684ccd36a2c2bb6634ab24394d");
    assert_eq!(client.current().root(), &current);

    let first: LightUpdate = read(&data["updates"][0]);
    let finalized = hex(&first.finalized_header.beacon.root());
    let update = check(&first, (14_557_249, 14_557_184), &finalized, 509);
    let next = update.next.as_ref().unwrap();
    assert_eq!(next.branch.siblings()[0], current, "the state that was signed holds both committees");
    assert_eq!((update.finality_branch.siblings().len(), next.branch.siblings().len()), (7, 6));
    let light = first.finalized_header.clone();
    open(&accepted(&json!(light.beacon), Fork::Fulu, &update.execution.block_hash), &light);
    assert_eq!(take(&mut client, first), Ok(news(None, Some(1778))));
    let expected = hash("0x75d9cad6d7f1c2d0a01224104ac9ff8c8a93795f69dfb84ccd0968a6397fb1cb");
    assert_eq!(client.next().unwrap().root(), &expected);

    let root = "0x9e0baf2f5ee5093c4f3c40ffc3fe8202f3ef56df3f0b9e681e23d61319e3e57e";
    let second: LightUpdate = read(&data["finality_update"]);
    assert_eq!(check(&second, (14_562_031, 14_561_952), root, 509).signature_slot, 14_562_032);
    let light = second.finalized_header.clone();
    assert_eq!(take(&mut client, second), Ok(news(Some(14_561_952), None)));
    assert_eq!((client.newest().fork(), client.newest().root()), (Fork::Fulu, &hash(root)));
    open(client.newest(), &light);
}

/// A header in the form of a configuration: names and values, with indentation.
fn pectra() -> Option<LightHeader> {
    let text = String::from_utf8(super::bytes(PECTRA)?).unwrap();
    let mut header = json!({ "beacon": {}, "execution": {}, "execution_branch": [] });
    let mut section = "";
    for line in text.lines() {
        match line.trim().split_once(':') {
            Some((name, "")) => section = name,
            Some((name, value)) => header[section][name] = json!(value.trim().trim_matches(['"', '\''])),
            None => {
                let sibling = line.trim().trim_start_matches("- ").trim_matches('"');
                header[section].as_array_mut().unwrap().push(json!(sibling));
            }
        }
    }
    Some(read(&header))
}

/// The first block of Electra: the first epoch of a fork has its layout, and its execution header is at hand in RLP.
#[test]
fn the_first_block_of_electra_is_opened_by_its_header_and_by_its_payload() {
    let Some(light) = pectra() else { return };
    let beacon = &light.beacon;
    assert_eq!(
        (beacon.slot, forked(beacon.slot), forked(beacon.slot - 1)),
        (11_649_024, Fork::Electra, Fork::Deneb)
    );
    assert_eq!(beacon.root(), hash("0x9c30624f15e4df4e8f819f89db8b930f36b561b7f70905688ea208d22fb0b822"));
    let claim = light.claim().unwrap();
    claim.verify(Fork::Electra, &beacon.body_root).unwrap();
    super::refuses_other_claims(&claim, Fork::Electra, &beacon.body_root);

    let header = accepted(&json!(beacon), Fork::Electra, &claim.block_hash);
    let execution = open(&header, &light);
    let block = super::blocks::block(22_431_084).unwrap();
    assert_eq!(header.open(&block.opening()), Ok(execution.clone()));
    assert_eq!(execution.hash(), &hash("0x50c8cab760b2948349c590461b166773c45d8f4858cccf5a43025ab2960152e8"));
    assert_eq!(block.parent_beacon_root(), Some(beacon.parent_root));
    let Some(Opening::Payload { payload, branch }) = light.opening() else { panic!("a payload") };
    let opening = Opening::Payload { payload, branch };
    crate::mutation::refuses_changes("payload", &opening, 1, |opening| header.open(opening).is_err());
}
