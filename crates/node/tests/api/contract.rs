//! Every answer is what `openapi.json` says, and every metric that a dashboard or an alert names is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::world::{Answer, World, bytes_of, story};

/// The description, with a validator for each answer.
struct Contract {
    document: Value,
    /// Routes that were asked.
    asked: BTreeSet<String>,
}

impl Contract {
    fn read() -> Self {
        let document = serde_json::from_str(include_str!("../../openapi.json")).expect("JSON");
        Self { document, asked: BTreeSet::new() }
    }

    /// Holds an answer against the schema for its status.
    fn hold(&mut self, method: &str, path: &str, answer: &Answer) {
        let route = &self.document["paths"][path][method];
        assert!(route.is_object(), "{method} {path} is not described");
        let status = answer.status.as_u16().to_string();
        let responses = &route["responses"];
        let response = responses.get(&status).unwrap_or(&responses["default"]);
        let response = match response["$ref"].as_str() {
            Some(reference) => self.document.pointer(&reference[1..]).expect("a response"),
            None => response,
        };
        self.asked
            .insert(format!("{method} {path} {}", if answer.status.is_success() { "ok" } else { "problem" }));
        let Some(content) = response["content"].as_object() else {
            assert!(answer.bytes.is_empty(), "{method} {path}: {status} has no body");
            return;
        };
        let kind = answer.header("content-type").split(';').next().unwrap_or_default().to_owned();
        let schema = content.get(&kind).unwrap_or_else(|| panic!("{method} {path}: {kind} is not described"));
        let is_json = kind.ends_with("json");
        let body = if is_json { answer.json() } else { Value::String(answer.text()) };
        let schema = closed(&schema["schema"], &self.document);
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let errors: Vec<String> = validator
            .iter_errors(&body)
            .take(5)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{method} {path}: {status}: {}\n{body}", errors.join("\n"));
    }
}

/// A schema with everything that it refers to, which takes no field at its top that it does not describe.
fn closed(schema: &Value, document: &Value) -> Value {
    let mut schema = schema.clone();
    if schema.get("allOf").is_some() {
        schema["unevaluatedProperties"] = json!(false);
    }
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["components"] = json!({ "schemas": document["components"]["schemas"] });
    schema
}

/// Paths with something in the place of each brace.
fn filled(path: &str) -> Vec<String> {
    let things: BTreeMap<&str, Vec<&str>> = BTreeMap::from([
        ("{account}", vec!["alice", "carol", "treasury", "petra", "dave", "governor", "nobody"]),
        ("{id}", vec!["0", "1", "2", "3", "99"]),
        ("{height}", vec!["0", "1", "30", "100000"]),
        ("{key}", vec!["pool/0", "pool/99", "genesis"]),
        ("{figure}", vec!["pool_worst_case", "secured", "claimable", "position_worth", "nothing"]),
    ]);
    let found = things.iter().find(|(brace, _)| path.contains(**brace));
    let filled = found.map_or(vec![path.to_owned()], |(brace, values)| {
        values.iter().map(|value| path.replace(brace, value)).collect()
    });
    // What was held back of nora, and her exit that waits.
    let of_ticket = |path: String| ["1", "3"].map(|ticket| path.replace("{ticket}", ticket));
    let has_ticket = path.contains("{ticket}");
    if has_ticket { filled.into_iter().flat_map(of_ticket).collect() } else { filled }
}

async fn ask_every_get(world: &World, contract: &mut Contract) {
    let paths = contract.document["paths"].as_object().expect("paths").clone();
    for path in paths.iter().filter(|(_, methods)| methods.get("get").is_some()).map(|(path, _)| path) {
        if path == "/v1/events" {
            continue; // A stream does not end; its tests are elsewhere.
        }
        let extra = match path.as_str() {
            "/v1/explain/{figure}" => "?account=alice&position=0&set=0&token=0&pool=0",
            "/v1/vaults/{id}/convert" | "/v1/vaults/{id}/exit-time" => "?shares=1000000000000000000000",
            "/v1/vaults/{id}/preview" => "?instant=1000000000000000000&account=nora",
            "/v1/vaults/{id}/limits" => "?account=nora",
            _ => "",
        };
        for filled in filled(path) {
            contract.hold("get", path, &world.get(&format!("{filled}{extra}")).await);
        }
        contract.hold("get", path, &world.get(&format!("{}?nonsense=1", filled(path)[0])).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_what_the_description_says() {
    let world = story();
    let mut contract = Contract::read();
    ask_every_get(&world, &mut contract).await;
    let delegate = json!({ "op": "delegate", "operator": 0, "asset": 0, "amount": "1000" });
    let asked = json!({ "account": "alice", "operation": delegate });
    let prepared = world.post("/v1/operations/prepare", &asked).await;
    contract.hold("post", "/v1/operations/prepare", &prepared);
    contract.hold("post", "/v1/operations/prepare", &world.post("/v1/operations/prepare", &json!({})).await);
    contract.hold("post", "/v1/simulate", &world.post("/v1/simulate", &asked).await);
    let too_much = json!({ "account": "alice", "operation": { "op": "delegate", "operator": 0, "asset": 0, "amount": "1000000000000000000000000000" } });
    contract.hold("post", "/v1/simulate", &world.post("/v1/simulate", &too_much).await);
    contract.hold("post", "/v1/simulate", &world.post("/v1/simulate", &json!([])).await);
    let alice = story::keys().into_iter().find(|key| key.name == "alice").expect("alice").secret();
    let nonce = crate::world::START + 31 * crate::world::EPOCH_MS;
    let signed = world.signed(&alice, nonce, prepared.json()["draft"]["operation"].clone());
    let submitted = world.submit(&signed).await;
    assert_eq!(submitted.status, 200, "{}", submitted.text());
    contract.hold("post", "/v1/operations", &submitted);
    let later = world.signed(&alice, nonce + 1, prepared.json()["draft"]["operation"].clone());
    contract.hold("post", "/v1/operations", &world.post("/v1/operations?wait=none", &bytes_of(&later)).await);
    contract.hold("post", "/v1/operations", &world.post("/v1/operations", &json!({ "bytes": "0x" })).await);
    let found = world.get(&format!("/v1/operations/{}?proof=1", signed.id())).await;
    contract.hold("get", "/v1/operations/{id}", &found);
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": [] });
    contract.hold("post", "/rpc", &world.post("/rpc", &call).await);
    let hook = json!({ "url": "http://127.0.0.1:9/", "secret": "0123456789abcdef" });
    contract.hold("post", "/v1/webhooks", &world.post("/v1/webhooks", &hook).await);
    contract.hold("get", "/v1/webhooks", &world.get("/v1/webhooks").await);
    contract.hold("post", "/v1/webhooks", &world.post("/v1/webhooks", &json!({})).await);
    contract.hold("delete", "/v1/webhooks/{id}", &world.delete("/v1/webhooks/1").await);
    contract.hold("delete", "/v1/webhooks/{id}", &world.delete("/v1/webhooks/1").await);
    let mut missing: Vec<String> = routes(&contract.document)
        .into_iter()
        .filter(|route| !contract.asked.contains(&format!("{route} ok")))
        .collect();
    missing.sort_unstable();
    // The story follows no chain; the test of the main job on real data asks what is known of one.
    // Nor has it a basket.
    let elsewhere = [
        "get /v1/baskets/{id}",
        "get /v1/baskets/{id}/in-kind",
        "get /v1/ethereum",
        "get /v1/events",
        "get /v1/pods/{id}",
    ];
    assert_eq!(missing, elsewhere, "every route was asked and has answered");
}

fn routes(document: &Value) -> Vec<String> {
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        routes.extend(methods.as_object().expect("methods").keys().map(|method| format!("{method} {path}")));
    }
    routes
}

#[tokio::test(flavor = "multi_thread")]
async fn all_listed_routes_are_served() {
    let world = story();
    for route in routes(&Contract::read().document) {
        let (method, path) = route.split_once(' ').expect("a method and a path");
        let path = filled(path)[0].clone();
        let request = Request::builder().method(method.to_uppercase().as_str()).uri(&path);
        if path == "/v1/events" {
            continue;
        }
        let answer = world.send(request.body(Body::empty()).expect("a request")).await;
        assert!(!matches!(answer.status.as_u16(), 405 | 500..), "{route}: {}", answer.status);
        assert!(answer.status != 404 || answer.problem().1 != "unknown_route", "{route}");
    }
}

/// The names of metrics in a text of PromQL.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.split(|character| !is_part(character))
        .filter(|word| word.starts_with("surety_"))
        .map(str::to_owned)
        .collect()
}

/// A name of a series without what is added to the name of its metric.
fn metric_of(series: &str) -> &str {
    ["_total", "_bucket", "_sum", "_count"].iter().find_map(|end| series.strip_suffix(end)).unwrap_or(series)
}

/// The label matchers of a text of PromQL that ask for certain values, each as metric, label and value.
fn matchers_in(text: &str) -> BTreeSet<(String, String, String)> {
    let mut found = BTreeSet::new();
    let text = text.replace("\\\"", "\"");
    for (start, _) in text.match_indices("surety_") {
        let rest = &text[start..];
        let end = rest.find(|character: char| !(character.is_ascii_alphanumeric() || character == '_'));
        let (metric, after) = rest.split_at(end.unwrap_or(rest.len()));
        let Some(matchers) = after.strip_prefix('{').and_then(|after| after.split('}').next()) else {
            continue;
        };
        for matcher in matchers.split(',') {
            let (label, value) = matcher.split_once('=').expect("a matcher");
            let values = value.trim_start_matches('~').trim_matches('"');
            for value in values.split('|').filter(|value| !value.starts_with('$')) {
                found.insert((metric.to_owned(), label.to_owned(), value.to_owned()));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_label_that_an_alert_waits_for_is_there_before_it_happens() {
    let world = story();
    let text = world.get("/metrics").await.text();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut waited = 0;
    for path in ["ops/prometheus/alerts.yml", "ops/grafana/surety.json"] {
        let rules = std::fs::read_to_string(root.join(path)).expect("the file is there");
        for (metric, label, value) in matchers_in(&rules) {
            waited += 1;
            let wanted = format!("{label}=\"{value}\"");
            let is_there =
                text.lines().any(|line| line.starts_with(&format!("{metric}{{")) && line.contains(&wanted));
            assert!(is_there, "{path} waits for {metric} with {wanted}, and /metrics has none");
        }
    }
    assert!(waited >= 5, "the alerts wait for {waited} values of labels");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_alerts_wait_for_moves_when_it_happens() {
    let world = story();
    let alarms = async |topic: &str| -> u64 {
        let text = world.get("/metrics").await.text();
        let line = format!("surety_alarms_total{{topic=\"{topic}\"}} ");
        let count = text.lines().find_map(|found| found.strip_prefix(&line)).expect("a count");
        count.parse().expect("a number")
    };
    assert_eq!(alarms("slash_requested").await, 0, "what is past was told to whoever ran then");
    let request = json!({ "op": "request_slash", "set": 0, "operator": 0, "capture": 29, "fraction": "0.01", "reason": "late prices" });
    let slasher = story::keys().into_iter().find(|key| key.name == "meridian").expect("the service").secret();
    let asked = world.signed(&slasher, crate::world::START + 31 * crate::world::EPOCH_MS, request);
    world.submit(&asked).await.ok();
    assert_eq!(alarms("slash_requested").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_of_dashboards_alerts_and_the_catalogue_is_there() {
    let world = story();
    let alice = story::keys().into_iter().find(|key| key.name == "alice").expect("alice").secret();
    let claim =
        json!({ "op": "claim", "account": null, "operator": null, "asset": null, "token": 0, "to": null });
    world.submit(&world.signed(&alice, crate::world::START + 31 * crate::world::EPOCH_MS, claim)).await;
    let text = world.get("/metrics").await.text();
    assert!(text.ends_with("# EOF\n"));
    let live: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| {
        std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let dashboard = read("ops/grafana/surety.json");
    let _is_json: Value = serde_json::from_str(&dashboard).expect("the dashboard is JSON");
    for (path, used) in
        [("dashboard", metrics_in(&dashboard)), ("alerts", metrics_in(&read("ops/prometheus/alerts.yml")))]
    {
        assert!(used.len() > 5, "the {path} name {used:?}");
        for series in used {
            assert!(live.contains_key(metric_of(&series)), "the {path} name {series}, and /metrics does not");
        }
    }
    let catalogue = read("docs/reference/metrics.md");
    let listed: BTreeSet<&str> =
        catalogue.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let served: BTreeSet<&str> = live.keys().copied().collect();
    assert_eq!(listed, served, "docs/reference/metrics.md lists what /metrics serves");
}
