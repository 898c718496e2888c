//! Events without a gap: streams that are cut and go on, filters, webhooks.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use hmac::{Hmac, Mac};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::ServiceExt;

use crate::world::{START, World, address, delegation, key, small, small_with, story, story_files, story_on};

/// An event of a stream.
#[derive(Clone, Debug, PartialEq)]
struct Sent {
    id: String,
    topic: String,
    data: Value,
}

/// Reads so many events, the one that says where the stream begins included, and then hangs up.
async fn read(world: &World, path: &str, last: Option<&str>, count: usize) -> Vec<Sent> {
    let mut request = Request::get(path);
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = world.router.clone().oneshot(request.body(Body::empty()).expect("a request")).await;
    let mut body = response.expect("an answer").into_body();
    let (mut text, mut sent) = (String::new(), Vec::new());
    while sent.len() < count {
        let frame = tokio::time::timeout(Duration::from_secs(20), body.frame()).await;
        let frame = frame.expect("an event comes").expect("the stream goes on").expect("no error");
        text.push_str(std::str::from_utf8(frame.data_ref().expect("data")).expect("text"));
        while let Some(end) = text.find("\n\n") {
            let event: String = text.drain(..end + 2).collect();
            let field =
                |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            let data = serde_json::from_str(field("data: ")).unwrap_or(Value::Null);
            sent.push(Sent { id: field("id: ").to_owned(), topic: field("event: ").to_owned(), data });
        }
    }
    sent.truncate(count);
    sent
}

/// How many events there are after the first block.
fn events_above_genesis(world: &World) -> usize {
    let reader = world.node.reader();
    (1..=reader.height())
        .map(|height| reader.executed(height).expect("readable").expect("a block").events().count())
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_anywhere_goes_on_without_a_gap_or_a_repetition() {
    let world = story();
    let count = events_above_genesis(&world);
    let whole = read(&world, "/v1/events?after=0.4294967295", None, count + 1).await;
    assert_eq!(whole[0].topic, "begun");
    let mut pieces: Vec<Sent> = Vec::new();
    let mut last = whole[0].id.clone();
    while pieces.len() < count {
        let size = (pieces.len() % 7 + 2).min(count - pieces.len() + 1);
        let piece = read(&world, "/v1/events", Some(&last), size).await;
        pieces.extend(piece.into_iter().skip(1));
        last = pieces.last().map_or(last, |sent| sent.id.clone());
    }
    assert_eq!(pieces, whole[1..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_on_after_the_node_was_started_again() {
    let files = story_files();
    let world = story_on(files.clone());
    let count = events_above_genesis(&world);
    let whole = read(&world, "/v1/events?after=0.4294967295", None, count + 1).await;
    let half = read(&world, "/v1/events?after=0.4294967295", None, count / 2).await;
    let last = half.last().expect("some").id.clone();
    tokio::task::block_in_place(|| drop(world));
    let again = story_on(files);
    let rest = read(&again, "/v1/events", Some(&last), count + 2 - half.len()).await;
    assert_eq!(rest[1..], whole[half.len()..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_what_happens_after_it_was_opened() {
    let world = small();
    let operation = delegation(&world, &key(1), 5).await;
    let signed = world.signed(&key(1), START + 1_000, operation);
    let events = read(&world, "/v1/events", None, 2);
    let (events, answer) = tokio::join!(events, async {
        while !world.get("/metrics").await.text().contains("surety_streams 1") {
            tokio::task::yield_now().await;
        }
        world.submit(&signed).await.ok()
    });
    assert_eq!((events[1].topic.as_str(), events[1].id.as_str()), ("delegated", "1.0"));
    assert_eq!(events[1].data["operation"]["id"], answer["id"]);
    assert_eq!(events[1].data["event"], answer["receipt"]["outcome"]["events"][0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_filtered_by_topic_and_by_whom_it_concerns() {
    let world = story();
    let slashed = read(&world, "/v1/events?after=0.0&topic=slashed", None, 2).await;
    assert_eq!(slashed[1].topic, "slashed");
    let alice = story::address("alice").to_string();
    let own = read(&world, "/v1/events?after=0.0&topic=deposited,delegated&account=alice", None, 3).await;
    assert!(own[1..].iter().all(|sent| sent.data.to_string().contains(&alice)), "{own:?}");
    for (path, code) in [
        ("/v1/events?topic=%3Cb%3E", "malformed_parameter"),
        ("/v1/events?after=x", "malformed_parameter"),
        ("/v1/events?after=99999999.0", "not_found"),
        ("/v1/events?account=nobody", "unknown_name"),
    ] {
        assert_eq!(world.get(path).await.problem().1, code, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_so_many_streams_are_open_at_once() {
    let world = small_with(|config| config.http.streams_max = 1);
    let open = |path: &'static str| {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        world.router.clone().oneshot(request)
    };
    let first = open("/v1/events").await.expect("an answer");
    assert_eq!(first.status(), 200);
    let second = open("/v1/events").await.expect("an answer");
    assert_eq!((second.status().as_u16(), second.headers()["retry-after"].as_bytes()), (503, &b"5"[..]));
    drop(first);
    assert_eq!(open("/v1/events").await.expect("an answer").status(), 200);
}

/// Takes one delivery, refuses the first so many.
async fn receive(listener: &tokio::net::TcpListener, refuse: usize) -> (String, String) {
    for attempt in 0.. {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut bytes = Vec::new();
        let (head, body) = loop {
            let mut part = [0; 4096];
            let read = stream.read(&mut part).await.expect("bytes");
            bytes.extend_from_slice(&part[..read]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            if length.and_then(|length| length.parse().ok()) == Some(body.len()) {
                break (head.to_owned(), body.to_owned());
            }
        };
        let status = if attempt < refuse { "500 Sorry" } else { "204 Thanks" };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.expect("written");
        if attempt == refuse {
            return (head, body);
        }
    }
    unreachable!("attempts never end")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_told_signed_and_again_when_it_fails() {
    let world = small();
    let serving = world.node.serve(std::net::TcpListener::bind("127.0.0.1:0").expect("a port"));
    let telling = async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook?x=1", listener.local_addr().expect("an address"));
        let hook = json!({ "url": url, "secret": "0123456789abcdef", "account": address(&key(1)), "topics": ["delegated"] });
        let added = world.post("/v1/webhooks", &hook).await;
        assert_eq!(added.status, 201, "{}", added.text());
        assert!(!added.text().contains("0123456789abcdef"), "the secret is told to nobody");
        let operation = delegation(&world, &key(1), 5).await;
        world.submit(&world.signed(&key(1), START + 1_000, operation)).await.ok();
        let (head, raw) = receive(&listener, 1).await;
        assert!(head.starts_with("POST /hook?x=1 HTTP/1.1"), "{head}");
        let line =
            head.lines().find_map(|line| line.strip_prefix("surety-signature: t=")).expect("a signature");
        let (seconds, digest) = line.split_once(",v1=").expect("a time and a digest");
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"0123456789abcdef").expect("any length");
        mac.update(format!("{seconds}.{raw}").as_bytes());
        mac.verify_slice(&hex::decode(digest).expect("hex")).expect("signed with the secret");
        let body: Value = serde_json::from_str(&raw).expect("JSON");
        assert_eq!(body["events"][0]["topic"], "delegated");
        let id = added.json()["id"].clone();
        assert_eq!(world.delete(&format!("/v1/webhooks/{id}")).await.status, 204);
        assert_eq!(world.get("/v1/webhooks").await.ok(), json!({ "items": [] }));
        let node = &world.node;
        tokio::task::block_in_place(|| node.stop());
    };
    let (served, ()) = tokio::join!(serving, telling);
    served.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_to_elsewhere_and_with_weak_secrets_are_refused() {
    let world = small();
    for (url, secret) in [
        ("http://169.254.169.254/latest", "0123456789abcdef"),
        ("https://127.0.0.1/", "0123456789abcdef"),
        ("http://127.0.0.1/", "short"),
    ] {
        let answer = world.post("/v1/webhooks", &json!({ "url": url, "secret": secret })).await;
        assert_eq!(answer.problem(), (400, "malformed_json".to_owned()), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_stake_is_told_of_slashes_and_of_worse_terms() {
    let world = story();
    let serving = world.node.serve(std::net::TcpListener::bind("127.0.0.1:0").expect("a port"));
    let telling = async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let topics = ["slash_requested", "slashed", "terms_announced"];
        let hook = json!({ "url": url, "secret": "0123456789abcdef", "account": "alice", "topics": topics });
        assert_eq!(world.post("/v1/webhooks", &hook).await.status, 201);
        let slasher =
            story::keys().into_iter().find(|key| key.name == "meridian").expect("the service").secret();
        let now = world.node.clock().now_ms();
        let request = json!({ "op": "request_slash", "set": 0, "operator": 0, "capture": 29, "fraction": "0.01", "reason": "late" });
        world.submit(&world.signed(&slasher, now, request)).await.ok();
        let (_, raw) = receive(&listener, 0).await;
        let told: Value = serde_json::from_str(&raw).expect("JSON");
        assert_eq!(told["events"][0]["topic"], "slash_requested", "{told}");
        assert_eq!(told["events"][0]["event"]["operator"], 0, "alice has stake with olga");
        let mut terms = story::world::terms(story::world::PRICES);
        terms.window_cap = protocol::units::Fraction::ONE;
        let change = json!({ "op": "change_terms", "set": 0, "terms": terms });
        world.submit(&world.signed(&slasher, now + 1, change)).await.ok();
        let (_, raw) = receive(&listener, 0).await;
        let told: Value = serde_json::from_str(&raw).expect("JSON");
        assert_eq!(
            (&told["events"][0]["topic"], &told["events"][0]["event"]["set"]),
            (&json!("terms_announced"), &json!(0))
        );
        let feed = world.get("/v1/accounts/alice/notices.rss").await.text();
        let notices = world.get("/v1/accounts/alice/notices").await.ok();
        for kind in ["slash_requested", "terms_announced"] {
            let notice =
                notices["items"].as_array().expect("items").iter().find(|notice| notice["kind"] == kind);
            let text = notice.expect("a notice")["text"].as_str().expect("a sentence");
            assert!(feed.contains(&text.replace('\'', "&#39;")), "{kind} is in the feed: {text}");
        }
        let node = &world.node;
        tokio::task::block_in_place(|| node.stop());
    };
    let (served, ()) = tokio::join!(serving, telling);
    served.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_never_takes_the_number_of_one_that_was_removed() {
    let world = small();
    let hook = json!({ "url": "http://127.0.0.1:9/", "secret": "0123456789abcdef" });
    let first = world.post("/v1/webhooks", &hook).await.ok()["id"].as_u64().expect("a number");
    assert_eq!(world.delete(&format!("/v1/webhooks/{first}")).await.status, 204);
    let second = world.post("/v1/webhooks", &hook).await.ok()["id"].as_u64().expect("a number");
    assert!(second > first, "who is told in whose place is never in doubt");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_do_with_the_same_operator_concerns_nobody_else() {
    let world = story();
    let alice = story::address("alice").to_string();
    let all = read(&world, "/v1/events?after=0.0&account=alice", None, 12).await;
    for sent in &all[1..] {
        let names_somebody_else =
            sent.data["event"]["account"].as_str().is_some_and(|account| account != alice);
        let is_own =
            sent.data["operation"]["account"] == json!(alice) || sent.data.to_string().contains(&alice);
        assert!(is_own || !names_somebody_else, "{sent:?}");
    }
}
