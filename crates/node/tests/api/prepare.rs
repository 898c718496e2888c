//! From a wish to a signature: prepare, simulate, sign, send.

use evidence::Scheme;
use serde_json::{Value, json};
use signing::{Seal, Signature, json as form};

use crate::world::{World, address, key, small, story};

/// Signs what was prepared, as a wallet does: the hash of the typed data.
fn seal(prepared: &Value, secret: &evidence::SecretKey) -> Value {
    let signer = &prepared["signers"][0];
    let digits = signer["signing_hash"].as_str().expect("a hash").trim_start_matches("0x").to_owned();
    let hash: [u8; 32] = hex::decode(digits).expect("hex").try_into().expect("32 bytes");
    let nonce = signer["nonce"].as_str().expect("a text").parse().expect("a number");
    let signature = Signature::Secp256k1(secret.sign_recoverable(&hash).expect("a secp256k1 key"));
    let mut signed = prepared["draft"].clone();
    signed["seals"] = json!([form::seal_to_json(&Seal { nonce, signature })]);
    signed
}

async fn prepare(world: &World, account: Value, operation: Value) -> Value {
    world.post("/v1/operations/prepare", &json!({ "account": account, "operation": operation })).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_prepared_and_signed_by_a_wallet_is_executed_with_the_effects_of_the_preview() {
    let world = small();
    let alice = json!(address(&key(1)));
    let delegate = json!({ "op": "delegate", "operator": 0, "asset": 0, "amount": "250" });
    let prepared = prepare(&world, alice.clone(), delegate.clone()).await;
    assert_eq!(prepared["signers"][0]["typed_data"]["domain"]["chainId"], 31_337);
    assert!(
        prepared["action"].as_str().expect("words").starts_with("Delegate 250"),
        "{}",
        prepared["action"]
    );
    let simulated =
        world.post("/v1/simulate", &json!({ "account": alice, "operation": delegate })).await.ok();
    assert_eq!(simulated["events"], prepared["preview"]["events"]);
    let receipt = world.post("/v1/operations", &seal(&prepared, &key(1))).await.ok()["receipt"].clone();
    assert_eq!(receipt["outcome"]["events"], prepared["preview"]["events"]);
    let changes = prepared["preview"]["changes"].as_array().expect("changes");
    let free = changes.iter().find(|change| change["figure"] == "free").expect("less is free");
    assert_eq!((&free["before"], &free["after"]), (&json!("1000"), &json!("750")));
    let account = world.get(&format!("/v1/accounts/{}", address(&key(1)))).await.ok();
    assert_eq!(account["balances"][0]["free"], free["after"]);
    assert_eq!(account["decimals"], json!({ "0": 2 }));

    // When it would be free is what asking it back says.
    let back = json!({ "op": "undelegate", "operator": 0, "asset": 0, "follow_up": "free" });
    let asked = world.post("/v1/simulate", &json!({ "account": alice, "operation": back })).await.ok();
    assert!(asked["free"]["epoch"].is_u64());
    assert_eq!(prepared["preview"]["free"]["epoch"], asked["free"]["epoch"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_of_what_is_refused_says_what_the_block_would() {
    let world = small();
    let alice = json!(address(&key(1)));
    let delegate = json!({ "op": "delegate", "operator": 0, "asset": 0, "amount": "1001" });
    let prepared = prepare(&world, alice, delegate).await;
    let preview = &prepared["preview"];
    assert_eq!((&preview["ok"], &preview["refused"]), (&json!(false), &json!("delegate.ExceedsFree")));
    let refused = world.post("/v1/operations", &seal(&prepared, &key(1))).await;
    assert_eq!(refused.json()["receipt"]["outcome"]["text"], preview["why"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_many_keys_is_asked_for_each_of_them() {
    let world = story();
    let withdraw = json!({ "op": "withdraw", "asset": 0, "amount": "1", "to": "0xab" });
    let prepared = prepare(&world, json!("treasury"), withdraw).await;
    assert_eq!(prepared["threshold"], json!(story::people::TREASURY_THRESHOLD));
    assert_eq!(prepared["signers"].as_array().expect("signers").len(), 5);
    assert_eq!(prepared["bundle"]["threshold"], prepared["threshold"]);
    let text = prepared["bundle"].to_string();
    let bundle = signing::bundle::Bundle::from_json(&text).expect("a bundle");
    assert_eq!(bundle.missing(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegate_is_asked_with_its_own_key_and_held_to_its_grant() {
    let world = story();
    let asked = json!({
        "account": "treasury",
        "delegate": "robot",
        "operation": { "op": "withdraw", "asset": 0, "amount": "1", "to": "0xab" },
    });
    let prepared = world.post("/v1/operations/prepare", &asked).await.ok();
    assert_eq!(prepared["threshold"], 1);
    assert_eq!(prepared["preview"]["refused"], "authority.KindNotGranted");
    let robot = story::address("robot");
    let who = prepared["signers"][0]["who"].as_str().expect("a signer");
    let is_robot =
        who == robot.to_string() || who.parse().is_ok_and(|key| evidence::address_of(&key) == Some(robot.0));
    assert!(is_robot, "{who}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_says_when_stake_that_leaves_is_free() {
    let world = story();
    let exits = world.get("/v1/accounts/alice/exits").await.ok();
    let bonded = exits["positions"]
        .as_array()
        .expect("positions")
        .iter()
        .find(|exit| exit["exit"]["bonded"].is_object());
    let bonded = bonded.expect("alice has bonded stake");
    let operation = json!({ "op": "undelegate", "operator": bonded["operator"], "asset": bonded["asset"], "follow_up": "free" });
    let simulated =
        world.post("/v1/simulate", &json!({ "account": "alice", "operation": operation })).await.ok();
    assert_eq!(simulated["ok"], true, "{simulated}");
    assert_eq!(simulated["free"]["epoch"], bonded["free"]["epoch"], "as the exits have said");
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_that_can_t_be_read_say_where() {
    let world = small();
    let alice = json!(address(&key(1)));
    let bls = evidence::SecretKey::from_seed(Scheme::Bls12381, [1; 32]).public_key().to_string();
    for (asked, place) in [
        (
            json!({ "account": alice, "operation": { "op": "delegate", "operator": "x", "asset": 0, "amount": "1" } }),
            "operation.operator",
        ),
        (json!({ "account": alice, "operation": { "op": "fly" } }), "operation.op"),
        (json!({ "account": alice, "operation": 3 }), "operation"),
        (json!({ "account": alice, "operation": {}, "extra": 1 }), "extra"),
        (json!({ "account": alice, "expires": "soon", "operation": {} }), "expires"),
        (json!({ "account": alice, "keys": ["nobody"], "operation": { "op": "retire_operator" } }), "signer"),
        (
            json!({ "account": alice, "keys": vec![bls; 40], "operation": { "op": "retire_operator" } }),
            "keys",
        ),
    ] {
        let answer = world.post("/v1/operations/prepare", &asked).await;
        assert_eq!(answer.problem(), (400, "malformed_json".to_owned()), "{asked}");
        let body = answer.json();
        let said = format!("{} {}", body["detail"], body["cause"]);
        assert!(said.contains(place), "{place} is not in {said}");
    }
    let nobody = world.post("/v1/operations/prepare", &json!({ "account": "nobody", "operation": {} })).await;
    assert_eq!(nobody.problem(), (404, "unknown_name".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_that_are_prepared_at_once_do_not_get_in_each_other_s_way() {
    let world = small();
    let alice = json!(address(&key(1)));
    let delegate =
        |amount: u64| json!({ "op": "delegate", "operator": 0, "asset": 0, "amount": amount.to_string() });
    // The clock stands: both are prepared in the same millisecond, before either is sent.
    let first = prepare(&world, alice.clone(), delegate(1)).await;
    let second = prepare(&world, alice, delegate(2)).await;
    assert_ne!(first["signers"][0]["nonce"], second["signers"][0]["nonce"]);
    for prepared in [second, first] {
        world.post("/v1/operations", &seal(&prepared, &key(1))).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_counts_the_ordered_operations_that_wait() {
    let world = small();
    let alice = json!(address(&key(1)));
    let withdraw =
        |amount: u64| json!({ "op": "withdraw", "asset": 0, "amount": amount.to_string(), "to": "0xab" });
    for number in 0..8 {
        let prepared = prepare(&world, alice.clone(), withdraw(number + 1)).await;
        assert_eq!(prepared["signers"][0]["nonce"], number.to_string());
        let sent = world.post("/v1/operations?wait=none", &seal(&prepared, &key(1))).await;
        assert!(sent.status.is_success(), "{}", sent.text());
        // Until it waits, nobody can count it.
        let id = sent.json()["id"].as_str().expect("an id").to_owned();
        while world.get(&format!("/v1/operations/{id}")).await.status == 404 {
            tokio::task::yield_now().await;
        }
    }
}
