//! Hostile clients: what is too large, too slow, too many or meant for somebody else.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{World, address, key, small, small_with};

/// Serves a node on the loopback while a test talks to it.
pub(crate) async fn with_connections(world: &World, test: impl AsyncFnOnce(SocketAddr)) {
    with_connections_to(world, "127.0.0.1:0", test).await;
}

/// Serves a node that others than this machine can connect to.
pub(crate) async fn with_public_connections(world: &World, test: impl AsyncFnOnce(SocketAddr)) {
    with_connections_to(world, "0.0.0.0:0", test).await;
}

async fn with_connections_to(world: &World, bound: &str, test: impl AsyncFnOnce(SocketAddr)) {
    let listener = std::net::TcpListener::bind(bound).expect("a port");
    let address = SocketAddr::from(([127, 0, 0, 1], listener.local_addr().expect("an address").port()));
    let talking = async {
        test(address).await;
        tokio::task::block_in_place(|| world.node.stop());
    };
    let (served, ()) = tokio::join!(world.node.serve(listener), talking);
    served.expect("a clean end");
}

/// Sends bytes and reads until the other side hangs up, or for at most a while.
pub(crate) async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    let _late = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_request_is_said_as_a_problem() {
    let world = small_with(|config| config.http.body_bytes_max = 2_048);
    let json_body = |path: &str, body: String| {
        Request::post(path)
            .header("content-type", "application/json")
            .body(Body::from(body))
            .expect("a request")
    };
    let get = |path: &str| Request::get(path).body(Body::empty()).expect("a request");
    let alice = address(&key(1));
    let cases = [
        (get("/nowhere"), 404, "unknown_route"),
        (get("/v1/operations"), 405, "method_not_allowed"),
        (Request::delete("/v1/status").body(Body::empty()).expect("a request"), 405, "method_not_allowed"),
        (get("/v1/status?colour=red"), 400, "malformed_parameter"),
        (get("/v1/accounts?limit=0"), 400, "malformed_parameter"),
        (get("/v1/accounts?limit=many"), 400, "malformed_parameter"),
        (get("/v1/accounts?after=xyz"), 400, "bad_cursor"),
        (get("/v1/accounts/0x12"), 400, "malformed_parameter"),
        (get("/v1/pools/99999999999999999999"), 400, "malformed_parameter"),
        (get("/v1/pools/77"), 404, "not_found"),
        (get("/v1/blocks/77"), 404, "not_found"),
        (get("/v1/blocks/-1"), 400, "malformed_parameter"),
        (get("/v1/operations/0x12"), 400, "malformed_parameter"),
        (get("/v1/entries/nonsense"), 400, "malformed_parameter"),
        (get("/v1/accounts/%ff%fe"), 400, "malformed_parameter"),
        (get(&format!("/v1/explain/claimable?account={alice}")), 400, "malformed_parameter"),
        (json_body("/v1/operations", "{".to_owned()), 400, "malformed_json"),
        (json_body("/v1/operations", "{} {}".to_owned()), 400, "malformed_json"),
        (json_body("/v1/webhooks", format!("\"{}\"", "x".repeat(3_000))), 413, "too_large"),
        (json_body("/v1/operations", "[".repeat(2_000)), 400, "malformed_json"),
        (json_body("/v1/operations?wait=forever", "{}".to_owned()), 400, "malformed_parameter"),
        (Request::post("/v1/operations").body(Body::from("{}")).expect("a request"), 415, "media_type"),
    ];
    for (request, status, code) in cases {
        let what = format!("{} {}", request.method(), request.uri());
        let answer = world.send(request).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{what}");
        let body = answer.json();
        for field in ["type", "title", "status", "detail", "cause", "remedy", "trace_id"] {
            assert!(!body[field].is_null(), "{what} lacks {field}");
        }
        assert_eq!(body["trace_id"], answer.header("x-trace-id"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_headers_of_security() {
    let world = small();
    for path in ["/", "/v1/status", "/nowhere", "/metrics", "/openapi.json"] {
        let answer = world.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{path}: {policy}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_runs_no_script_and_asks_nobody_else() {
    let world = crate::world::story();
    let page = world.get("/").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    let text = page.text();
    for word in ["<script", "javascript:", "http://", "https://", "src=", "onload"] {
        assert!(!text.contains(word), "{word}");
    }
    for word in [
        "olga",
        "prices",
        "Height",
        "Newest operations",
        "vetoed",
        "executed",
        "42.5 %",
        "what can slash me?",
    ] {
        assert!(text.contains(word), "{word} is missing");
    }
    let links: Vec<&str> = text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.len() > 20, "{links:?}");
    for link in links {
        assert_eq!(world.get(link).await.status, 200, "{link}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_client_sends_comes_back_as_markup() {
    let world = small();
    let evil = "<script>alert(1)</script>";
    let bodies: [Value; 3] = [
        json!({ "account": evil, "operation": {} }),
        json!({ "account": address(&key(1)), "operation": { "op": evil } }),
        json!({ "account": address(&key(1)), "operation": { "op": "withdraw", "asset": 0, "amount": evil, "to": "x" } }),
    ];
    for body in bodies {
        let answer = world.post("/v1/simulate", &body).await;
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let note = json!({ "op": "withdraw", "asset": 0, "amount": "1", "to": evil });
    let signed = world.signed(&key(1), 0, note);
    world.submit(&signed).await;
    assert!(!world.get("/").await.text().contains(evil));
    let feed = world.get(&format!("/v1/accounts/{}/notices.rss", address(&key(1)))).await;
    assert!(!feed.text().contains(evil));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_for_another_host_are_not_looked_at() {
    let world = small_with(|config| config.http.hosts = vec!["node.example".to_owned()]);
    with_connections(&world, async |address| {
        for (host, status) in [
            (address.to_string(), "200"),
            ("localhost".to_owned(), "200"),
            ("node.example:8710".to_owned(), "200"),
            ("evil.example".to_owned(), "403"),
            (String::new(), "403"),
        ] {
            let request = format!("GET /v1/status HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
            let answer = exchange(address, &request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{host}: {answer}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_dribbles_is_hung_up_on() {
    let world = small_with(|config| {
        config.http.header_timeout_ms = 100;
        config.http.request_timeout_ms = 200;
    });
    with_connections(&world, async |address| {
        let half_a_head = exchange(address, "GET /v1/status HTTP/1.1\r\nhost: localh").await;
        assert!(!half_a_head.contains("200 OK"), "{half_a_head}");
        let half_a_body = "POST /v1/operations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
        let answer = exchange(address, half_a_body).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_are_too_large_are_refused() {
    let world = small();
    with_connections(&world, async |address| {
        let long = format!("GET /v1/status HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "y".repeat(40_000));
        let many = format!("GET /v1/status HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x: y\r\n".repeat(200));
        let endless = format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "y".repeat(40_000));
        for request in [long, many, endless] {
            let answer = exchange(address, &request).await;
            assert!(answer.starts_with("HTTP/1.1 4") || answer.is_empty(), "{answer}");
        }
        let still =
            exchange(address, "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
        assert!(still.starts_with("HTTP/1.1 200"), "{still}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_are_closed_and_others_go_on() {
    let world = small_with(|config| config.http.connections_max = 2);
    with_connections(&world, async |address| {
        let request = "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";
        let mut open = Vec::new();
        for _ in 0..2 {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.write_all(request.as_bytes()).await.expect("written");
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await.expect("an answer");
            assert_eq!(&answer, b"HTTP/1.1 200");
            open.push(stream);
        }
        assert_eq!(exchange(address, request).await, "", "the third is closed");
        drop(open);
        let close = "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        let mut answer = String::new();
        for _ in 0..200 {
            answer = exchange(address, close).await;
            if !answer.is_empty() {
                break;
            }
        }
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    })
    .await;
}

/// A metric of a node.
async fn metric(world: &World, name: &str) -> u64 {
    let text = world.get("/metrics").await.text();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.expect("it is there").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_nothing_is_hung_up_on() {
    let world = small_with(|config| config.http.request_timeout_ms = 200);
    with_connections(&world, async |address| {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let request = "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(200);
        // More than any buffer between the two holds; the client never reads.
        let sent = stream.write_all(request.as_bytes());
        let _perhaps_cut = tokio::time::timeout(Duration::from_secs(10), sent).await;
        while metric(&world, "surety_http_connections").await > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_is_hung_up_on() {
    let world = small_with(|config| config.http.header_timeout_ms = 100);
    with_connections(&world, async |address| {
        assert_eq!(exchange(address, "").await, "", "nothing was asked");
        let idle = exchange(address, "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        assert_eq!(idle.matches("HTTP/1.1 200").count(), 1, "answered once, and then closed: {idle}");
        while metric(&world, "surety_http_connections").await > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_node_limits_the_requests_and_the_connections_of_an_address() {
    let world = small_with(|config| {
        config.http.requests_per_second = 1;
        config.http.requests_burst = 3;
        config.http.connections_max = 16;
    });
    with_public_connections(&world, async |address| {
        let close = "GET /livez HTTP/1.1\r\nhost: any.example\r\nconnection: close\r\n\r\n";
        let mut limited = String::new();
        for _ in 0..200 {
            limited = exchange(address, close).await;
            if limited.starts_with("HTTP/1.1 429") {
                break;
            }
        }
        assert!(limited.contains("retry-after: 1") && limited.contains("rate_limited"), "{limited}");
        let mut open = Vec::new();
        for _ in 0..3 {
            open.push(TcpStream::connect(address).await.expect("a connection"));
        }
        while metric(&world, "surety_http_connections_refused_total").await == 0 {
            tokio::task::yield_now().await;
        }
        assert!(metric(&world, "surety_http_connections").await <= 2, "an eighth of sixteen");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_managed_directly_and_under_the_node_s_own_name_only() {
    let world = small();
    with_public_connections(&world, async |address| {
        for (head, status) in [
            ("host: localhost\r\n", "200"),
            ("host: evil.example\r\n", "403"),
            ("host: localhost\r\nx-forwarded-for: 10.0.0.1\r\n", "403"),
            ("host: localhost\r\nvia: 1.1 proxy\r\n", "403"),
        ] {
            let request = format!("GET /v1/webhooks HTTP/1.1\r\n{head}connection: close\r\n\r\n");
            let answer = exchange(address, &request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{head}: {answer}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_leads_to_a_page_that_explains_its_code() {
    let world = small();
    let page = world.get("/docs/errors").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    for code in node::http::Code::ALL {
        assert!(page.text().contains(&format!("<tr id=\"{}\">", code.name())), "{}", code.name());
    }
    let problem = world.get("/v1/pools/77").await.json();
    let (path, anchor) = problem["type"].as_str().expect("a reference").split_once('#').expect("an anchor");
    assert_eq!(path, "/docs/errors");
    assert!(page.text().contains(&format!("id=\"{anchor}\"")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_can_neither_ask_nor_read() {
    let world = small();
    let from_elsewhere = |method: &str, path: &str, kind: &str| {
        let request = Request::builder().method(method).uri(path).header("origin", "https://evil.example");
        request.header("content-type", kind).body(Body::from("{}")).expect("a request")
    };
    let preflight = world.send(from_elsewhere("OPTIONS", "/v1/operations", "text/plain")).await;
    assert_eq!(preflight.status, 405);
    let simple = world.send(from_elsewhere("POST", "/v1/webhooks", "text/plain")).await;
    assert_eq!(simple.problem(), (415, "media_type".to_owned()), "what a form can send is not taken");
    for answer in [preflight, simple, world.send(from_elsewhere("GET", "/v1/status", "text/plain")).await] {
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
    }
}
