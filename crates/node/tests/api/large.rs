//! The largest operation that is legal can be sent in, and nothing else may be as large.

use std::fmt::Write as _;
use std::net::SocketAddr;

use protocol::Kind;
use serde_json::{Value, json};
use signing::json as form;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::doors::{exchange, with_connections, with_public_connections};
use crate::world::{START, bytes_of, key, small};

/// A report of 8192 validators that is nearly as long as one may be. The ledger of the test follows nothing, and says so.
fn report() -> Value {
    let word = |byte: u8| format!("0x{}", hex::encode([byte; 32]));
    let validator = json!({
        "key_root": word(1), "withdrawal_credentials": word(2), "effective_balance": "32000000000", "slashed": false,
        "activation_eligibility_epoch": "400000", "activation_epoch": "400001",
        "exit_epoch": u64::MAX.to_string(), "withdrawable_epoch": u64::MAX.to_string(),
    });
    let claim = |index: u64| json!({ "index": (index * 300).to_string(), "validator": validator });
    json!({
        "op": "report_pod", "asset": 0, "slot": 14_000_000,
        "validators": {
            "validators": (0..8192).map(claim).collect::<Vec<_>>(),
            "balances": vec![word(3); 8192],
            "siblings": vec![word(4); 125_000],
        },
    })
}

fn request(path: &str, body: &str) -> String {
    let mut text = String::new();
    write!(
        text,
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .expect("text");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_report_is_prepared_sent_in_and_put_into_a_block() {
    let world = small();
    let operation = report();
    let length = crate::world::operation(operation.clone()).encode().len();
    let most = Kind::ReportPod.bytes_max();
    assert!(length <= most && length > most - (512 << 10), "{length} of {most} bytes");
    let asked = json!({ "account": crate::world::address(&key(1)), "operation": operation });
    let signed = world.signed(&key(1), START + 1_000, operation.clone());
    let again = world.signed(&key(2), START + 1_000, operation);
    with_connections(&world, async |address| {
        let prepared = exchange(address, &request("/v1/operations/prepare", &asked.to_string())).await;
        assert!(prepared.starts_with("HTTP/1.1 200"), "{}", &prepared[..300]);
        for body in [bytes_of(&signed), form::signed_to_json(&again)] {
            let answer = exchange(address, &request("/v1/operations", &body.to_string())).await;
            assert!(
                answer.starts_with("HTTP/1.1 422") && answer.contains("report_pod.NotFollowed"),
                "{answer}"
            );
        }
    })
    .await;
    let status = world.get("/v1/status").await.ok();
    assert_eq!(status["as_of"]["height"], 2, "each is in a block, with its refusal");
}

/// Begins a large body and does not go on.
async fn stall(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = "POST /v1/operations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("written");
    stream.write_all(" ".repeat(500_000).as_bytes()).await.expect("written");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_are_for_operations_only_and_few_at_once() {
    let world = small();
    let long = |path: &str| request(path, &format!("\"{}\"", "x".repeat(600_000)));
    with_public_connections(&world, async |address| {
        for path in ["/v1/webhooks", "/rpc"] {
            let answer = exchange(address, &long(path)).await;
            assert!(answer.starts_with("HTTP/1.1 413"), "{path}: {}", answer.get(..300).unwrap_or(&answer));
        }
        let beyond = request("/v1/operations", &format!("\"{}\"", "x".repeat(17 << 20)));
        let answer = exchange(address, &beyond).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{}", answer.get(..300).unwrap_or(&answer));
        let mut stalled = Vec::new();
        // More than there are places: the body of above may have its own for a moment still.
        for _ in 0..12 {
            stalled.push(stall(address).await);
        }
        // Whoever comes now is told to come again, and small ones are taken as ever.
        let busy = exchange_until(address, &long("/v1/operations"), "HTTP/1.1 503").await;
        assert!(busy.contains("retry-after"), "{busy}");
        let small = exchange(address, &request("/v1/operations", "{}")).await;
        assert!(small.starts_with("HTTP/1.1 400"), "{small}");
        drop(stalled);
        exchange_until(address, &long("/v1/operations"), "HTTP/1.1 400").await;
    })
    .await;
}

/// Asks until the answer begins like this: the node sees what others have begun or given up when it gets there.
async fn exchange_until(address: SocketAddr, request: &str, expected: &str) -> String {
    let mut answer = String::new();
    for _ in 0..200 {
        answer = exchange(address, request).await;
        if answer.starts_with(expected) {
            return answer;
        }
    }
    panic!("never {expected}, but {answer}");
}
