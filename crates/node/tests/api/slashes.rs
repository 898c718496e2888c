//! Slashes and requests to slash, from their beginning to their end, for ever.

use evidence::SecretKey;
use serde_json::{Value, json};

use crate::world::{World, story, story_files, story_on};

fn key_of(name: &str) -> SecretKey {
    story::keys().into_iter().find(|key| key.name == name).expect("somebody of the story").secret()
}

/// Sends an operation of somebody in the story.
async fn ask(world: &World, name: &str, operation: Value) -> Value {
    let nonce = world.node.clock().now_ms() + 1;
    world.submit(&world.signed(&key_of(name), nonce, operation)).await.ok()
}

async fn list(world: &World, query: &str) -> Vec<Value> {
    world.get(&format!("/v1/slashes{query}")).await.ok()["items"].as_array().expect("items").clone()
}

fn topics(case: &Value) -> Vec<String> {
    let life = case["life"].as_array().expect("a life").iter();
    life.map(|told| told["topic"].as_str().expect("a topic").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_slashes_of_the_story_are_there_with_their_lives() {
    let world = story();
    let all = list(&world, "").await;
    let cases: Vec<u64> = all.iter().map(|case| case["case"].as_u64().expect("a number")).collect();
    assert!(cases.is_sorted_by(|newer, older| newer > older), "the newest first: {cases:?}");
    let executed = list(&world, "?status=executed").await;
    assert_eq!(executed.len(), 1, "one contradiction");
    let slash = &executed[0];
    assert_eq!((&slash["operator"], &slash["set"], &slash["slash"]), (&json!(2), &json!(0), &json!(0)));
    assert!(slash["evidence"].is_string() && slash["request"].is_null(), "{slash}");
    assert_eq!(topics(slash)[0], "slashed");
    assert_eq!(slash["pools"], slash["life"][0]["event"]["pools"]);
    assert_eq!((&slash["began"], &slash["taken"]), (&slash["ended"], &slash["life"][0]["event"]["taken"]));
    let vetoed = list(&world, "?status=vetoed").await;
    assert_eq!(vetoed.len(), 1, "one accusation");
    assert_eq!(topics(&vetoed[0]), ["slash_requested", "veto_counted", "veto_counted", "slash_vetoed"]);
    assert!(vetoed[0]["slash"].is_null() && vetoed[0]["ended"]["height"].is_u64(), "{}", vetoed[0]);
    assert_eq!(list(&world, "?operator=hugo").await, vetoed);
    assert_eq!(list(&world, "?set=relay").await, Vec::<Value>::new());
    assert_eq!(list(&world, "?set=prices&operator=petra").await, executed);
    let one = world.get("/v1/slashes/0").await.ok();
    for (field, value) in slash.as_object().expect("an object") {
        assert_eq!(&one[field], value, "{field}");
    }
    assert_eq!(world.get("/v1/slashes/7").await.problem(), (404, "not_found".to_owned()));
    assert_eq!(world.get("/v1/slashes?status=lost").await.problem(), (400, "malformed_parameter".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_slashes_as_of_a_height_tells_nothing_later() {
    let world = story();
    let vetoed = list(&world, "?status=vetoed").await[0].clone();
    let (began, ended) = (&vetoed["began"]["height"], &vetoed["ended"]["height"]);
    let then = list(&world, &format!("?as_of={began}")).await;
    assert_eq!(then.len(), 1, "{then:?}");
    assert_eq!((&then[0]["status"], topics(&then[0]).len()), (&json!("open"), 1));
    let then = list(&world, &format!("?as_of={ended}&status=vetoed")).await;
    assert_eq!(then[0]["life"], vetoed["life"]);
    assert_eq!(list(&world, "?as_of=0").await, Vec::<Value>::new());
    let ahead = world.get("/v1/slashes?as_of=1000000").await;
    assert_eq!(ahead.problem(), (404, "not_found".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_slashes_neither_skip_nor_repeat_while_new_ones_come() {
    let world = story();
    let whole = list(&world, "").await;
    let mut seen = Vec::new();
    let mut path = "/v1/slashes?limit=1".to_owned();
    loop {
        let page = world.get(&path).await.ok();
        seen.extend(page["items"].as_array().expect("items").clone());
        let capture = 29 - u32::try_from(seen.len()).expect("few");
        let request = json!({ "op": "request_slash", "set": 0, "operator": 3, "capture": capture, "fraction": "0.01", "reason": "late" });
        let _perhaps_too_many = world
            .submit(&world.signed(
                &key_of("meridian"),
                world.node.clock().now_ms() + 7 + u64::from(capture),
                request,
            ))
            .await;
        let Value::String(after) = &page["next"] else { break };
        path = format!("/v1/slashes?limit=1&after={after}");
    }
    let numbers = |cases: &[Value]| cases.iter().map(|case| case["case"].clone()).collect::<Vec<Value>>();
    assert_eq!(numbers(&seen), numbers(&whole));
    assert!(list(&world, "").await.len() > whole.len(), "new ones have come meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_followed_to_its_execution_and_another_until_it_lapses_also_after_a_restart() {
    let files = story_files();
    let world = story_on(files.clone());
    for (name, set, operator) in [("meridian", 0, 3), ("stratum", 2, 4)] {
        let request = json!({ "op": "request_slash", "set": set, "operator": operator, "capture": 29, "fraction": "0.01", "reason": "late" });
        ask(&world, name, request).await;
    }
    let open = list(&world, "?status=open").await;
    assert_eq!(open.len(), 3, "one of the story, and two: {open:?}");
    let (lapsing, executing) = (&open[0], &open[1]);
    assert_eq!(executing["operator"], 3, "the newest first");
    let from = executing["executable_from"].as_u64().expect("an epoch");
    world.go_to_epoch(from).await;
    ask(&world, "wanda", json!({ "op": "execute_slash", "request": executing["request"] })).await;
    let done = list(&world, "?status=executed").await[0].clone();
    assert_eq!((&done["case"], &done["request"]), (&executing["case"], &executing["request"]), "one case");
    assert_eq!(topics(&done), ["slash_requested", "slashed"]);
    let slash = done["slash"].as_u64().expect("a slash");
    assert_eq!(world.get(&format!("/v1/slashes/{slash}")).await.ok()["case"], done["case"]);
    world.go_to_epoch(lapsing["lapses_after"].as_u64().expect("an epoch") + 1).await;
    let lapsed = list(&world, "?status=lapsed").await;
    assert_eq!(lapsed.len(), 2, "that of the story as well: {lapsed:?}");
    assert_eq!(lapsed[0]["case"], lapsing["case"]);
    assert_eq!(topics(&lapsed[0]), ["slash_requested", "slash_lapsed"]);
    let before = list(&world, "").await;
    tokio::task::block_in_place(|| drop(world));
    let again = story_on(files);
    assert_eq!(list(&again, "").await, before, "the index is built from the receipts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slash_is_in_the_feed_of_whoever_has_stake_with_the_operator() {
    let world = story();
    let of = async |name: &str| world.get(&format!("/v1/accounts/{name}/notices.rss")).await.text();
    let exposure = world.get("/v1/accounts/alice/exposure").await.ok();
    let with_petra =
        exposure["positions"].as_array().expect("positions").iter().any(|entry| entry["operator"] == 2);
    assert!(with_petra, "alice has stake with petra");
    let feed = of("alice").await;
    assert!(feed.contains("<title>Slash 0: set 0 took"), "{feed}");
    let item = feed.split("<item>").find(|item| item.contains("Slash 0")).expect("an item");
    assert!(item.contains("<pubDate>") && item.contains("slash-0@demo"), "{item}");
    assert!(!of("erin").await.contains("Slash 0"), "erin has left before");
}
