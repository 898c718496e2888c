use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use evidence::SecretKey;
use protocol::units::Address;
use protocol::{Operation, ops::revoke::Revoke};
use sha3::{Digest as _, Keccak256};

use super::*;

/// What was asked: method and path, and the body.
type Asked = (String, String);

/// A service on this machine that answers one request after the other by a function, so many times.
fn serve(
    requests: usize,
    answer: impl Fn(&Asked) -> String + Send + 'static,
) -> (String, JoinHandle<Vec<Asked>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let service = thread::spawn(move || {
        (0..requests)
            .map(|_| {
                let (mut stream, _) = listener.accept().unwrap();
                let asked = read_request(&stream);
                stream.write_all(answer(&asked).as_bytes()).ok();
                asked
            })
            .collect()
    });
    (url, service)
}

fn read_request(stream: &TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let path = first.trim().trim_end_matches(" HTTP/1.1").to_owned();
    (path, String::from_utf8(body).unwrap())
}

fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn secret(number: u8) -> SecretKey {
    SecretKey::from_seed(Scheme::Secp256k1, [number; 32])
}

/// `x || y` of a key, as Web3Signer lists it. Of `y` only the parity is read, so the rest of it is nothing here.
fn uncompressed(key: &PublicKey) -> String {
    let [sign, x @ ..] = key.as_bytes() else { panic!("a key has bytes") };
    format!("0x{}{}{:02x}", hex::encode(x), "00".repeat(31), sign & 1)
}

fn draft() -> (Domain, Draft) {
    let domain = Domain { chain_id: 1, custody: Address([0xc5; 20]), ledger: "main:0a1b2c3d".to_owned() };
    let operation = Operation::Revoke(Revoke { delegate: Address([2; 20]) });
    (domain, Draft { account: Address([1; 20]), delegate: None, expires: 5, operation })
}

/// A service that has the keys 1 and 2, and signs with number `signer` what it is given, as `form` puts it.
fn signing_service(signer: u8, form: fn([u8; 65]) -> String) -> impl Fn(&Asked) -> String + Send + 'static {
    move |(path, body)| {
        if path == "GET /api/v1/eth1/publicKeys" {
            let keys = [1, 2].map(|number| uncompressed(&secret(number).public_key()));
            return http("200 OK", &serde_json::to_string(&keys).unwrap());
        }
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        let data = hex::decode(body["data"].as_str().unwrap().trim_start_matches("0x")).unwrap();
        let hash = Keccak256::digest(data).into();
        http("200 OK", &form(secret(signer).sign_recoverable(&hash).unwrap()))
    }
}

fn plain(signature: [u8; 65]) -> String {
    format!("0x{}", hex::encode(signature))
}

#[test]
fn a_service_seals_with_the_key_that_was_asked_for() {
    let (domain, draft) = draft();
    let key = secret(2).public_key();
    let address = Who::Address(Address(evidence::address_of(&key).unwrap()));
    let forms: [fn([u8; 65]) -> String; 3] = [
        plain,
        // Quoted as JSON, or with v from 0.
        |signature| format!("\"{}\"\n", plain(signature)),
        |mut signature| {
            signature[64] -= 27;
            plain(signature)
        },
    ];
    for form in forms {
        for who in [&Who::Key(key.clone()), &address] {
            let (url, service) = serve(2, signing_service(2, form));
            let signer = RemoteSigner::connect(&format!("{url}/"), who).unwrap();
            assert_eq!((signer.public_key(), signer.url()), (&key, url.as_str()));
            let seal = signer.seal(&domain, &draft, 3).unwrap();
            assert_eq!(key_of(&domain, &draft, &seal), Ok(key.clone()));
            let asked = service.join().unwrap();
            assert_eq!(asked[1].0, format!("POST /api/v1/eth1/sign/{}", uncompressed(&key)));
            assert!(asked[1].1.starts_with(r#"{"data":"0x1901"#), "{}", asked[1].1);
        }
    }
}

#[test]
fn what_a_service_answers_wrongly_is_no_seal() {
    let (domain, draft) = draft();
    let who = Who::Key(secret(2).public_key());
    let sign = |answer: Box<dyn Fn(&Asked) -> String + Send>| {
        let listed = signing_service(2, plain);
        let (url, service) =
            serve(2, move |asked| if asked.0.starts_with("GET") { listed(asked) } else { answer(asked) });
        let error = RemoteSigner::connect(&url, &who).unwrap().seal(&domain, &draft, 3).unwrap_err();
        service.join().unwrap();
        error.to_string()
    };
    let other = signing_service(1, plain);
    let cases = [
        (sign(Box::new(other)), "instead of"),
        (sign(Box::new(|_| http("200 OK", "0x1234"))), "65 bytes"),
        (sign(Box::new(|_| http("200 OK", &format!("0x{}", "ff".repeat(65))))), "not valid"),
        (sign(Box::new(|_| http("404 Not Found", "no such key\u{1b}[2J"))), "status 404: no such key[2J"),
        (sign(Box::new(|_| http("412 Precondition Failed", "slashable"))), "status 412: slashable"),
        (sign(Box::new(|_| "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n\r\n".to_owned())), "302"),
        (sign(Box::new(|_| http("200 OK", &"x".repeat(2 * 1024 * 1024)))), "does not answer"),
        (sign(Box::new(|_| "what?".to_owned())), "does not answer"),
        (sign(Box::new(|_| String::new())), "does not answer"),
    ];
    for (text, expected) in cases {
        assert!(text.contains(expected), "{expected} is not in: {text}");
        assert!(text.len() < 600 && !text.contains('\u{1b}'), "{text}");
    }
}

#[test]
fn a_service_that_can_not_be_had_says_why() {
    let who = Who::Key(secret(9).public_key());
    let connect = |answer: String| {
        let (url, service) = serve(1, move |_| answer.clone());
        let error = RemoteSigner::connect(&url, &who).unwrap_err().to_string();
        service.join().unwrap();
        error
    };
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let cases = [
        (RemoteSigner::connect("https://127.0.0.1:1", &who).unwrap_err().to_string(), "through a tunnel"),
        (RemoteSigner::connect("127.0.0.1:1", &who).unwrap_err().to_string(), "http://"),
        (RemoteSigner::connect(&gone, &who).unwrap_err().to_string(), "is it running"),
        (connect(http("200 OK", r#"["0x00", "nonsense"]"#)), "has 2 keys"),
        (connect(http("200 OK", "{}")), "no list of texts"),
        (connect(http("500 Internal Server Error", "")), "status 500"),
    ];
    for (text, expected) in cases {
        assert!(text.contains(expected), "{expected} is not in: {text}");
    }
}

#[test]
fn a_silent_service_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let who = Who::Key(secret(1).public_key());
    let error = RemoteSigner::connect_within(&url, &who, Duration::from_millis(50)).unwrap_err();
    assert!(matches!(error, RemoteError::Unreachable { .. }), "{error}");
}

#[test]
fn keys_are_read_in_every_form_that_services_use() {
    let key: PublicKey =
        "secp256k1:0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798".parse().unwrap();
    let x = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    let y = "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
    for text in [format!("0x{x}{y}"), format!("{x}{y}"), format!("0x04{x}{y}"), format!("0x02{x}")] {
        assert_eq!(parse_key(&text).as_ref(), Some(&key), "{text}");
    }
    for text in ["", "0x", "zz", "0x02", &format!("0x05{x}"), &format!("0x03{x}{y}"), &format!("0x{y}")] {
        assert_eq!(parse_key(text), None, "{text}");
    }
}
