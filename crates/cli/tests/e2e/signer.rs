//! A signer that another program keeps: the key is not here, and an operation is signed over HTTP.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use evidence::SecretKey;
use serde_json::Value;
use sha3::{Digest as _, Keccak256};

use crate::demo;

/// Answers as Web3Signer does, for as long as the test lives; its address.
fn serve(key: SecretKey) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("somebody asks");
            let body = answer(&key, &read(&stream));
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length";
            stream.write_all(format!("{head}: {}\r\n\r\n{body}", body.len()).as_bytes()).expect("an answer");
        }
    });
    url
}

/// The body of a request.
fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().expect("a length");
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    String::from_utf8(body).expect("text")
}

/// The list of its keys, or what it is given signed.
fn answer(key: &SecretKey, body: &str) -> String {
    if body.is_empty() {
        let public = key.public_key().to_string();
        let compressed = public.split_once("0x").expect("hex digits").1;
        // `x || y`, of which only the parity of `y` is looked at.
        let (parity, x) = compressed.split_at(2);
        let last = if parity == "03" { "01" } else { "00" };
        return format!("[\"0x{x}{}{last}\"]", "00".repeat(31));
    }
    let body: Value = serde_json::from_str(body).expect("JSON");
    let digits = body["data"].as_str().expect("data").trim_start_matches("0x");
    let byte = |place| u8::from_str_radix(&digits[place..place + 2], 16).expect("hex digits");
    let data: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
    let signature = key.sign_recoverable(&Keccak256::digest(data).into()).expect("a key of people");
    let digits: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"0x{digits}\"")
}

#[test]
fn a_signer_elsewhere_signs_what_no_key_here_could() {
    let folder = demo::folder();
    std::fs::create_dir(folder.path().join("no-keys")).expect("a folder");
    let key = |name: &str| story::keys().into_iter().find(|key| key.name == name).expect(name).secret();
    let delegate = ["stake", "delegate", "olga", "1eth", "--from", "alice", "--yes", "--signer"];
    let send = |signer: &str| {
        let keystore = ["--data", "surety-demo", "--keystore", "no-keys", "-o", "json"];
        demo::surety(folder.path(), &[&keystore[..], &delegate[..], &[signer]].concat())
    };
    let signed = send(&serve(key("alice")));
    assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
    let receipt: Value = serde_json::from_slice(&signed.stdout).expect("JSON");
    assert_eq!(receipt["receipt"]["outcome"]["outcome"], "applied");
    let other = send(&serve(key("bob")));
    assert_eq!(other.status.code(), Some(5), "bob's key is none of alice's");
    let nobody = send("http://127.0.0.1:1");
    assert_eq!(nobody.status.code(), Some(5), "{}", String::from_utf8_lossy(&nobody.stderr));
}

#[test]
fn who_signs_unasked_and_without_a_folder_is_told_the_ledger_and_may_name_the_only_one() {
    let folder = demo::folder();
    demo::run(
        folder.path(),
        &[
            "tx",
            "build",
            "--out",
            "x.json",
            "delegate",
            "--operator",
            "olga",
            "--amount",
            "1eth",
            "--from",
            "alice",
        ],
    );
    let built = std::fs::read(folder.path().join("x.json")).expect("a file");
    let ledger = serde_json::from_slice::<Value>(&built).expect("JSON")["domain"]["ledger"].clone();
    let ledger = ledger.as_str().expect("a ledger");
    let sign = |out: &str, only: &str| {
        let keys = ["--keystore", "surety-demo/keystore", "--password-file", "surety-demo/password.txt"];
        let sign = ["tx", "sign", "x.json", "--sign-with", "alice", "--yes", "--out", out];
        let mut command = demo::command(folder.path(), &[&keys[..], &sign[..]].concat());
        command.env("SURETY_LEDGER", only).output().expect("the binary starts")
    };
    let signed = sign("signed.json", ledger);
    let said = String::from_utf8_lossy(&signed.stderr).into_owned();
    assert!(signed.status.success(), "{said}");
    assert!(said.contains(&format!("signing for the ledger {ledger}, chain ")), "{said}");
    let refused = sign("other.json", "main:00000001");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(4), "{said}");
    assert!(said.contains(ledger) && said.contains("main:00000001"), "{said}");
    assert!(!folder.path().join("other.json").exists(), "nothing was signed");
}
