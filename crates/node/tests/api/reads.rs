//! Reads: pinned heights, pages that don't change, names, the three questions, proofs.

use ledger::Proof;
use protocol::query;
use serde_json::{Value, json};

use crate::world::{
    START, World, address, delegation, key, small, small_with, story, story_from, tell_story,
};

async fn make_blocks(world: &World, count: u64) {
    for number in 0..count {
        let operation = delegation(world, &key(1), 1).await;
        world.submit(&world.signed(&key(1), START + 1_000 + number, operation)).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_is_pinned_at_a_height_for_as_long_as_its_state_is_held() {
    let world = small_with(|config| config.http.heights_held = 3);
    make_blocks(&world, 4).await;
    let path = format!("/v1/accounts/{}", address(&key(1)));
    for (height, free) in [(2, "998"), (3, "997"), (4, "996")] {
        let answer = world.get(&format!("{path}?as_of={height}")).await.ok();
        assert_eq!(
            (&answer["balances"][0]["free"], &answer["as_of"]["height"]),
            (&json!(free), &json!(height))
        );
    }
    let gone = world.get(&format!("{path}?as_of=1")).await;
    assert_eq!(gone.problem(), (410, "not_held".to_owned()));
    assert_eq!(gone.json()["held"], json!({ "from": 2, "to": 4 }));
    assert_eq!(world.get(&format!("{path}?as_of=5")).await.problem(), (404, "not_found".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_does_not_change_while_it_is_read() {
    // Its state is held for whoever is reading it, however many blocks come meanwhile.
    let world = small_with(|config| config.http.heights_held = 1);
    let whole = world.get("/v1/accounts?limit=500").await.ok();
    let first = world.get("/v1/accounts?limit=4").await.ok();
    make_blocks(&world, 5).await;
    let mut seen: Vec<Value> = first["items"].as_array().expect("items").clone();
    let mut next = first["next"].clone();
    while let Value::String(after) = &next {
        let page = world.get(&format!("/v1/accounts?limit=4&after={after}")).await.ok();
        assert_eq!(page["as_of"]["height"], 0, "the cursor carries its height");
        seen.extend(page["items"].as_array().expect("items").clone());
        next = page["next"].clone();
    }
    assert_eq!(json!(seen), whole["items"]);
    assert_eq!(whole["next"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_is_read_at_any_height_and_does_not_change_while_it_is_read() {
    let world = small_with(|config| config.http.heights_held = 1);
    make_blocks(&world, 6).await;
    let account = address(&key(1));
    for list in [format!("/v1/accounts/{account}/history"), "/v1/blocks".to_owned()] {
        let whole = world.get(&format!("{list}?as_of=4&limit=100")).await.ok();
        assert_eq!(whole["as_of"]["height"], 4, "{list}");
        let digest = world.node.reader().header(4).expect("readable").expect("a header").digest();
        assert_eq!(whole["as_of"]["digest"], json!(digest), "{list}");
        let mut seen = Vec::new();
        let mut path = format!("{list}?as_of=4&limit=2");
        loop {
            let page = world.get(&path).await.ok();
            assert_eq!(page["as_of"]["height"], 4, "{list}");
            seen.extend(page["items"].as_array().expect("items").clone());
            let Value::String(after) = &page["next"] else { break };
            path = format!("{list}?limit=2&after={after}");
        }
        assert_eq!(json!(seen), whole["items"], "{list}");
        assert!(!seen.is_empty(), "{list}");
        let ahead = world.get(&format!("{list}?as_of=99")).await;
        assert_eq!(ahead.problem(), (404, "not_found".to_owned()), "{list}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_come_with_the_decimals_of_every_asset_that_is_named() {
    let world = story();
    for (path, asset, decimals) in [
        ("/v1/pools/0", "0", 18),
        ("/v1/accounts/alice", "2", 6),
        ("/v1/accounts/alice/rewards", "2", 6),
        ("/v1/slashes/0", "0", 18),
        ("/v1/assets", "4", 9),
    ] {
        let answer = world.get(path).await.ok();
        assert_eq!(answer["decimals"][asset], decimals, "{path}: {}", answer["decimals"]);
    }
    assert_eq!(world.get("/v1/assets/4").await.ok()["decimals"], 9, "an asset has its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_joins_says_until_when_it_can_be_taken_back_and_how() {
    let world = small();
    make_blocks(&world, 1).await;
    let account = address(&key(1));
    let exits = world.get(&format!("/v1/accounts/{account}/exits")).await.ok();
    let joining = &exits["positions"][0]["exit"]["joining"];
    assert_eq!((&joining["bonded_from"], &joining["take_back_until"]), (&json!(1), &json!(0)));
    assert_eq!(joining["cancel"]["operation"], "undelegate");
    let notices = world.get(&format!("/v1/accounts/{account}/notices")).await.ok();
    let notice =
        notices["items"].as_array().expect("items").iter().find(|notice| notice["kind"] == "joining");
    let notice = notice.expect("a notice of what joins");
    assert_eq!(notice["starts"]["epoch"], 1);
    assert_eq!(notice["starts"]["time_ms"], json!(world.genesis.epoch_start_ms(1)));
    assert_eq!(notice["ways"][0]["operation"], "undelegate");
    let back = json!({ "op": "undelegate", "operator": 0, "asset": 0, "amount": "1", "follow_up": "free" });
    world.submit(&world.signed(&key(1), 0, back)).await.ok();
    let view = world.get(&format!("/v1/accounts/{account}")).await.ok();
    assert_eq!(view["balances"][0]["free"], "1000", "and so it is: {view}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_three_questions_are_answered_as_the_query_layer_answers_them() {
    let world = story();
    let state = world.node.reader().head().state.clone();
    for (name, account) in story::people::everybody() {
        let path = |question: &str| format!("/v1/accounts/{name}/{question}");
        let asked = [
            ("rewards", serde_json::to_value(query::earnings(&state, account))),
            ("exposure", serde_json::to_value(query::exposure(&state, account))),
        ];
        for (question, expected) in asked {
            let answer = world.get(&path(question)).await.ok();
            for (field, value) in expected.expect("plain data").as_object().expect("an object") {
                assert_eq!(&answer[field], value, "{name} {question} {field}");
            }
        }
        let exits = world.get(&path("exits")).await.ok();
        let expected = query::exits(&state, account).positions;
        assert_eq!(exits["positions"].as_array().expect("positions").len(), expected.len(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rewards_and_exposure_come_in_pages_with_the_sums_of_all() {
    let world = story();
    for (question, sums) in [("rewards", "claimable"), ("exposure", "totals")] {
        let whole = world.get(&format!("/v1/accounts/alice/{question}")).await.ok();
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = world.get(&format!("/v1/accounts/alice/{question}?limit=1{after}")).await.ok();
            assert_eq!(page[sums], whole[sums], "{question}");
            let positions = page["positions"].as_array().expect("positions");
            assert!(positions.len() <= 1, "{question}");
            seen.extend(positions.clone());
            let Some(next) = page["next"].as_u64() else { break };
            after = format!("&after={next}");
        }
        assert!(seen.len() > 1, "{question}: alice has several entries");
        assert_eq!(json!(seen), whole["positions"], "{question}");
        let none = world.get(&format!("/v1/accounts/alice/{question}?limit=0")).await;
        assert_eq!(none.problem(), (400, "malformed_parameter".to_owned()), "{question}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_says_epoch_height_and_time() {
    let world = story();
    let exits = world.get("/v1/accounts/carol/exits").await.ok();
    let leaving = exits["positions"]
        .as_array()
        .expect("positions")
        .iter()
        .find(|exit| exit["exit"]["unbonding"].is_object());
    let leaving = leaving.expect("carol is on her way out");
    let (epoch, free) = (&leaving["exit"]["unbonding"]["free_at"], &leaving["free"]);
    assert_eq!(&free["epoch"], epoch);
    let epoch = epoch.as_u64().expect("a number");
    assert_eq!(free["time_ms"], json!(world.genesis.epoch_start_ms(epoch)));
    let (now, height) = (&exits["as_of"]["epoch"], &exits["as_of"]["height"]);
    let left = epoch - now.as_u64().expect("a number");
    assert_eq!(free["height_at_least"], json!(height.as_u64().expect("a number") + left));
    assert!(free["height_about"].as_u64() >= free["height_at_least"].as_u64());
    let calendar = world.get("/v1/accounts/carol/exits.ics").await;
    assert_eq!(calendar.header("content-type"), "text/calendar; charset=utf-8");
    let text = calendar.text();
    assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"), "{text}");
    let events = text.matches("BEGIN:VEVENT").count();
    let pending = exits["positions"].as_array().expect("positions").iter();
    let pending =
        pending.filter(|exit| exit["exit"]["unbonding"].is_object() || exit["exit"]["free"].is_object());
    assert_eq!(events, pending.count(), "{text}");
    let seconds = free["wall_ms"].as_u64().expect("a time") / 1_000;
    let stamp = format!("T{:02}{:02}{:02}Z", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let begins = text.lines().find(|line| line.starts_with("DTSTART:")).expect("a beginning");
    assert!(begins.ends_with(&stamp), "{begins} is {}", free["wall_ms"]);
    assert!(text.lines().all(|line| line.len() <= 75), "lines are folded");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_announced_says_when_it_counts_and_what_helps() {
    let world = story();
    let mut found = 0;
    for (name, _) in story::people::everybody() {
        let notices = world.get(&format!("/v1/accounts/{name}/notices")).await.ok();
        for notice in notices["items"].as_array().expect("items") {
            found += 1;
            assert_eq!(notice["starts"]["epoch"], notice["from"], "{notice}");
            assert!(notice["ways"].is_array() && notice["text"].is_string());
        }
        let feed = world.get(&format!("/v1/accounts/{name}/notices.rss")).await;
        let scheduled = notices["items"].as_array().expect("items").len();
        let slashes = feed.text().matches("slash-").count();
        assert_eq!(feed.text().matches("<item>").count(), scheduled + slashes, "{name}");
    }
    assert!(found > 5, "the story ends with something announced: {found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_stand_for_addresses_and_numbers() {
    let world = story();
    let by_name = world.get("/v1/accounts/alice").await.ok();
    let by_address = world.get(&format!("/v1/accounts/{}", story::address("alice"))).await.ok();
    assert_eq!(by_name, by_address);
    assert_eq!(world.get("/v1/operators/olga").await.ok()["operator"], 0);
    assert_eq!(world.get("/v1/sets/prices/table").await.ok()["set"], 0);
    assert_eq!(world.get("/v1/sets/alice").await.problem(), (404, "unknown_name".to_owned()));
    let labels = world.get("/v1/labels").await.ok();
    let olga = json!({ "key": "operator/0", "label": "olga" });
    assert!(labels["items"].as_array().expect("items").contains(&olga), "{labels}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_of_a_position_is_explained_and_the_explanation_has_its_value() {
    let world = story();
    let positions = world.get("/v1/accounts/alice/positions").await.ok();
    let position = &positions["items"][0];
    let path = format!("/v1/explain/position_worth?account=alice&position={}", position["position"]);
    let explained = world.get(&path).await.ok();
    assert_eq!(explained["value"], position["worth"]);
    assert!(explained["formula"].is_string() && !explained["inputs"].as_array().expect("inputs").is_empty());
    let figures = world.get("/v1/explain").await.ok();
    for known in figures["items"].as_array().expect("items") {
        let figure = known["figure"].as_str().expect("a name");
        let part = |name: &Value| {
            let name = name.as_str().expect("a name");
            let value = match name {
                "account" => "alice".to_owned(),
                "position" => position["position"].to_string(),
                "kind" => "equivocation".to_owned(),
                _ => "0".to_owned(),
            };
            format!("{name}={value}")
        };
        let parts: Vec<String> = known["of"].as_array().expect("a list").iter().map(part).collect();
        let answer = world.get(&format!("/v1/explain/{figure}?{}", parts.join("&"))).await;
        assert!(answer.status.is_success() || answer.status == 404, "{figure}: {}", answer.text());
        let bare = world.get(&format!("/v1/explain/{figure}")).await;
        if parts.is_empty() {
            assert_eq!(bare.status, answer.status, "{figure}");
        } else {
            assert_eq!(bare.problem(), (400, "malformed_parameter".to_owned()), "{figure}");
        }
    }
    // What an input refers to is a question that is asked as it stands there, and says the same.
    let worst = world.get("/v1/explain/exposure_worth?account=alice&asset=eth").await.ok();
    for input in worst["inputs"].as_array().expect("inputs") {
        let question = input["source"].as_str().expect("a source");
        assert!(question.starts_with("explain/position_worth?account=0x"), "{question}");
        assert_eq!(world.get(&format!("/v1/{question}")).await.ok()["value"], input["value"]);
    }
    assert!(!worst["inputs"].as_array().expect("inputs").is_empty());
    assert_eq!(world.get("/v1/explain/luck").await.problem(), (404, "not_found".to_owned()));
}

/// The value of a figure, explained.
async fn explained(world: &World, figure: &str, query: &str) -> Value {
    world.get(&format!("/v1/explain/{figure}?{query}")).await.ok()["value"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_of_the_three_questions_are_those_of_their_explanations() {
    let world = story();
    let mut held = 0;
    for name in ["alice", "bob", "carol", "dave", "treasury"] {
        let ask = async |question: &str| world.get(&format!("/v1/accounts/{name}/{question}")).await.ok();
        let (exposure, rewards, exits) = (ask("exposure").await, ask("rewards").await, ask("exits").await);
        for entry in exposure["positions"].as_array().expect("positions") {
            let of = format!("account={name}&position={}", entry["position"]);
            let worst = explained(&world, "position_worst_case", &of).await;
            assert_eq!(worst, entry["worst_case"]["amount"], "{name} {entry}");
            assert_eq!(explained(&world, "position_worth", &of).await, entry["worth"], "{name} {entry}");
            for set in entry["sets"].as_array().expect("sets").iter().filter(|set| set["when"] == "now") {
                let worst = explained(&world, "set_exposure", &format!("{of}&set={}", set["set"])).await;
                assert_eq!(worst, set["worst_case"]["amount"], "{name} {set}");
                held += 1;
            }
        }
        for entry in rewards["positions"].as_array().expect("positions") {
            for earned in entry["unsettled"].as_array().expect("amounts") {
                let of = format!("account={name}&position={}&token={}", entry["position"], earned["token"]);
                assert_eq!(explained(&world, "unsettled", &of).await, earned["amount"], "{name} {entry}");
                held += 1;
            }
        }
        for claimable in rewards["claimable"].as_array().expect("amounts") {
            let of = format!("account={name}&token={}", claimable["token"]);
            assert_eq!(explained(&world, "claimable", &of).await, claimable["total"], "{name} {claimable}");
        }
        for entry in
            exits["positions"].as_array().expect("positions").iter().filter(|entry| !entry["free"].is_null())
        {
            let of = format!("account={name}&position={}", entry["position"]);
            let free = explained(&world, "free_at", &of).await;
            assert_eq!(free, entry["free"]["epoch"].to_string(), "{name} {entry}");
            held += 1;
        }
    }
    assert!(held > 20, "{held} figures were held against their explanations");
    for set in world.get("/v1/sets").await.ok()["items"].as_array().expect("sets") {
        let secured = explained(&world, "secured", &format!("set={}", set["set"])).await;
        assert_eq!(secured, set["secured"], "{}", set["set"]);
    }
    for pool in world.get("/v1/pools").await.ok()["items"].as_array().expect("pools") {
        let worst = explained(&world, "pool_worst_case", &format!("pool={}", pool["pool"])).await;
        assert_eq!(worst, pool["worst_case"], "{}", pool["pool"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_s_history_is_whole_and_in_pages() {
    let world = story();
    let alice = story::address("alice").to_string();
    let mut items = Vec::new();
    let mut path = "/v1/accounts/alice/history?limit=3".to_owned();
    loop {
        let page = world.get(&path).await.ok();
        items.extend(page["items"].as_array().expect("items").clone());
        let Value::String(after) = &page["next"] else { break };
        path = format!("/v1/accounts/alice/history?limit=3&after={after}");
    }
    let own = items.iter().filter(|item| item["receipt"]["account"] == json!(alice)).count();
    let told =
        story::steps(&world.genesis.protocol.ledger).iter().filter(|step| step.account == "alice").count();
    assert_eq!(own, told);
    assert!(items.iter().all(|item| item.to_string().contains(&alice)));
    let heights: Vec<u64> = items.iter().map(|item| item["height"].as_u64().expect("a height")).collect();
    assert!(heights.is_sorted_by(|newer, older| newer >= older), "{heights:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_and_operations_are_proven_to_whoever_trusts_a_header() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = || store::QmdbStore::open(folder.path(), store::Options::default()).expect("a store");
    let files = tell_story(store());
    let world = story_from(files, store());
    let alice = format!("account/{}", story::address("alice"));
    for (key, is_there) in [(alice.as_str(), true), ("pool/0", true), ("pool/4000", false)] {
        let plain = world.get(&format!("/v1/entries/{key}")).await.ok();
        assert_eq!(plain["value"].is_string(), is_there, "{key}");
        let proof = world.get(&format!("/v1/entries/{key}?proof=1")).await;
        let proof_bytes = proof.ok().to_string();
        let proof = Proof::from_json(proof_bytes.as_bytes()).expect("a proof file");
        let Proof::Entry(statement) = &proof else { panic!("{proof:?}") };
        let trusted =
            world.node.reader().header(statement.header.height).expect("readable").expect("a header");
        proof.verify(&trusted.digest(), store::verify_entry).expect("it holds");
        assert_eq!(statement.value.is_some(), is_there, "{key}");
    }
    let block = world.get("/v1/blocks/20").await.ok();
    let id = block["items"][0]["id"].as_str().expect("an operation").to_owned();
    let found = world.get(&format!("/v1/operations/{id}?proof=1")).await.ok();
    let proof = Proof::from_json(found["proof"].to_string().as_bytes()).expect("a proof file");
    let trusted = world.node.reader().header(20).expect("readable").expect("a header").digest();
    proof.verify(&trusted, store::verify_entry).expect("it holds");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_with_proofs_of_the_entries_that_it_is_made_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = || store::QmdbStore::open(folder.path(), store::Options::default()).expect("a store");
    let files = tell_story(store());
    let world = story_from(files, store());
    let positions = world.get("/v1/accounts/alice/positions").await.ok();
    let worth =
        format!("/v1/explain/position_worth?account=alice&position={}", positions["items"][0]["position"]);
    let reads = [
        ("/v1/accounts/alice", format!("account/{}", story::address("alice"))),
        ("/v1/accounts/alice/positions", "network".to_owned()),
        ("/v1/assets/eth", "asset/0".to_owned()),
        ("/v1/operators/olga", "operator/0".to_owned()),
        ("/v1/pools/0", "pool/0".to_owned()),
        ("/v1/services/meridian", "service/0".to_owned()),
        ("/v1/sets/prices", "set/0".to_owned()),
        ("/v1/sets/prices/table", "set/0".to_owned()),
        ("/v1/requests/1", "request/1".to_owned()),
        (&worth, "pool/0".to_owned()),
    ];
    for (path, key) in reads {
        let sign = if path.contains('?') { '&' } else { '?' };
        let mut proven = world.get(&format!("{path}{sign}proof=1")).await.ok();
        let fields = proven.as_object_mut().expect("an object");
        let proofs = fields.remove("proofs").expect("proofs");
        let moment = fields["as_of"]["height"].as_u64().expect("a height");
        let plain = world.get(&format!("{path}{sign}as_of={moment}")).await.ok();
        assert_eq!(proven, plain, "{path} says the same with proofs and without");
        let mut keys = Vec::new();
        for proof in proofs.as_array().expect("a list") {
            let proof = Proof::from_json(proof.to_string().as_bytes()).expect("a proof file");
            let Proof::Entry(statement) = &proof else { panic!("{proof:?}") };
            assert_eq!(statement.header.executed_height, moment, "{path} is of the state that is proven");
            let header = world.node.reader().header(statement.header.height).expect("readable");
            proof.verify(&header.expect("a header").digest(), store::verify_entry).expect("it holds");
            keys.push(statement.key.to_string());
        }
        assert!(keys.contains(&key), "{path}: {keys:?}");
        let both = world.get(&format!("{path}{sign}proof=1&as_of={moment}")).await;
        assert_eq!(both.problem(), (400, "malformed_parameter".to_owned()), "{path}");
        let two = world.get(&format!("{path}{sign}proof=2")).await;
        assert_eq!(two.problem(), (400, "malformed_parameter".to_owned()), "{path}");
    }
    assert_eq!(world.get("/v1/pools/77?proof=1").await.problem(), (404, "not_found".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_listed_from_the_newest_to_the_first() {
    let world = story();
    let newest = world.node.reader().height();
    let mut heights = Vec::new();
    let mut path = "/v1/blocks?limit=50".to_owned();
    loop {
        let page = world.get(&path).await.ok();
        let items = page["items"].as_array().expect("items");
        heights.extend(items.iter().map(|item| item["header"]["height"].as_u64().expect("a height")));
        let Value::String(after) = &page["next"] else { break };
        path = format!("/v1/blocks?limit=50&after={after}");
    }
    assert!(heights.iter().copied().eq((0..=newest).rev()), "{heights:?}");
    let block = world.get("/v1/blocks/7").await;
    let again = axum::http::Request::get("/v1/blocks/7")
        .header("if-none-match", block.header("etag"))
        .body(axum::body::Body::empty())
        .expect("a request");
    assert_eq!(world.send(again).await.status, 304);
}
