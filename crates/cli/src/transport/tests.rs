use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::json;

use super::*;

/// A server that reads one request, answers these bytes and closes; its address, and the request when it is over.
fn serve(answer: &'static str) -> (Address, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).expect("a request");
        request.extend_from_slice(&buffer[..length]);
        stream.write_all(answer.as_bytes()).expect("an answer");
        String::from_utf8(request).expect("text")
    });
    (Address::parse(&address).expect("an address"), server)
}

#[test]
fn a_document_goes_there_and_back() {
    let (address, server) =
        serve("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 8\r\n\r\n{\"a\": 1}");
    let http = Http::new(address, 5_000);
    assert_eq!(get(&http, "/v1/x?limit=1").expect("a document"), json!({ "a": 1 }));
    let request = server.join().expect("no panic");
    assert!(request.starts_with("GET /v1/x?limit=1 HTTP/1.1\r\n"), "{request}");
}

#[test]
fn what_is_no_answer_is_a_failure_of_the_network() {
    let cases = [
        ("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhtml", "network.no-json"),
        ("HTTP/1.1 302 Found\r\nlocation: http://evil.example/\r\ncontent-length: 0\r\n\r\n", "http.302"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "network.unreachable"),
        ("", "network.unreachable"),
    ];
    for (answer, code) in cases {
        let (address, server) = serve(answer);
        let failure = get(&Http::new(address, 5_000), "/v1/status").expect_err(answer);
        assert_eq!((failure.exit(), failure.code()), (Exit::Network, code), "{answer}: {failure}");
        server.join().expect("no panic");
    }
}

#[test]
fn nobody_at_home_is_said_with_what_to_do() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let http = Http::new(Address::parse(&address).expect("an address"), 5_000);
    let failure = post(&http, "/v1/operations", &json!({})).expect_err("nobody listens");
    assert_eq!(failure.exit(), Exit::Network);
    assert!(failure.remedy().is_some_and(|help| help.contains("surety run")));
}

#[test]
fn who_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let http = Http::new(Address::parse(&address).expect("an address"), 100);
    let failure = get(&http, "/v1/status").expect_err("nobody answers");
    assert_eq!((failure.exit(), failure.code()), (Exit::Timeout, "timeout"));
    drop(listener);
}
