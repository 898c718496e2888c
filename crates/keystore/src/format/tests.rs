use super::*;

/// The password of the examples of EIP-2335.
const PASSWORD_2335: &str = "𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑";
const SECRET_2335: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
const SECRET_WEB3: &str = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";

fn password(text: &str) -> Password {
    Password::new(text.to_owned())
}

fn web3(kdf: &str, params: &Value, iv: &str, ciphertext: &str, mac: &str) -> Value {
    json!({
        "version": 3,
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
        "crypto": {
            "cipher": "aes-128-ctr", "cipherparams": { "iv": iv }, "ciphertext": ciphertext,
            "kdf": kdf, "kdfparams": params, "mac": mac,
        },
    })
}

fn eip2335(kdf: &str, params: &Value, checksum: &str, message: &str) -> Value {
    json!({
        "crypto": {
            "kdf": { "function": kdf, "params": params, "message": "" },
            "checksum": { "function": "sha256", "params": {}, "message": checksum },
            "cipher": {
                "function": "aes-128-ctr",
                "params": { "iv": "264daa3f303d7259501c93d997d84fe6" },
                "message": message,
            },
        },
        "description": "An example of the standard",
        "pubkey": concat!(
            "9612d7a727c9d0a22e185a1c768478dfe919cada9266988cb32359c11f2b7b27",
            "f4ae4040902382ae2910c15e2b420d07"
        ),
        "uuid": "1d85ae20-35c5-4611-98e8-aa14a633906f",
        "path": "",
        "version": 4,
    })
}

/// The four examples of the two standards.
fn published() -> [(Value, &'static str, &'static str); 4] {
    let salt = "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3";
    [
        (
            web3(
                "pbkdf2",
                &json!({
                    "c": 262144, "dklen": 32, "prf": "hmac-sha256",
                    "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
                }),
                "6087dab2f9fdbbfaddc31a909735c1e6",
                "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
                "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
            ),
            "testpassword",
            SECRET_WEB3,
        ),
        (
            web3(
                "scrypt",
                &json!({
                    "dklen": 32, "n": 262144, "r": 1, "p": 8,
                    "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
                }),
                "83dbcc02d8ccb40e466191a123791e0e",
                "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
                "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
            ),
            "testpassword",
            SECRET_WEB3,
        ),
        (
            eip2335(
                "scrypt",
                &json!({ "dklen": 32, "n": 262144, "p": 1, "r": 8, "salt": salt }),
                "d2217fe5f3e9a1e34581ef8a78f7c9928e436d36dacc5e846690a5581e8ea484",
                "06ae90d55fe0a6e9c5c3bc5b170827b2e5cce3929ed3f116c2811e6366dfe20f",
            ),
            PASSWORD_2335,
            SECRET_2335,
        ),
        (
            eip2335(
                "pbkdf2",
                &json!({ "dklen": 32, "c": 262144, "prf": "hmac-sha256", "salt": salt }),
                "8a9f5d9912ed7e75ea794bc5a89bca5f193721d30868ade6f73043c6ea6febf1",
                "cee03fde2af33149775b7223e7845e4fb2c8ae1792e5f99fe9ecf474cc8c16ad",
            ),
            PASSWORD_2335,
            SECRET_2335,
        ),
    ]
}

#[test]
fn the_examples_of_both_standards_open() {
    for (file, phrase, secret) in published() {
        let opened = KeyFile::parse(&file.to_string()).unwrap().open("example", &password(phrase)).unwrap();
        assert_eq!(hex::encode(opened.expose()), secret, "{file:#}");
    }
    // The same password as other keyboards write it.
    let (file, ..) = &published()[3];
    assert!(KeyFile::parse(&file.to_string()).unwrap().open("example", &password("testpassword🔑")).is_ok());
}

fn secrets() -> [Secret; 3] {
    [Scheme::Bls12381, Scheme::Ed25519, Scheme::Secp256k1].map(|scheme| Secret::generate(scheme).unwrap())
}

#[test]
fn what_is_written_opens_with_its_password_only() {
    for secret in secrets() {
        for ours in [None, Some(Ours { role: Role::Node, public_key: secret.public_key() })] {
            let text = write(&secret, &password("correct horse"), ours.as_ref(), Work::Light).unwrap();
            assert!(!text.contains(&hex::encode(secret.expose())) && !text.contains("horse"), "{text}");
            let file = KeyFile::parse(&text).unwrap();
            assert_eq!((file.scheme, &file.ours), (secret.scheme(), &ours));
            assert_eq!(file.open("it", &password("correct horse")).unwrap().expose(), secret.expose());
            let wrong = file.open("it", &password("correct house")).unwrap_err();
            assert!(matches!(&wrong, KeystoreError::WrongPassword { name } if name == "it"), "{wrong}");
            assert!(!wrong.to_string().contains("house"));
        }
    }
}

#[test]
fn salts_vectors_and_ids_are_new_each_time() {
    let secret = Secret::generate(Scheme::Secp256k1).unwrap();
    let write = || {
        let text = write(&secret, &password("correct horse"), None, Work::Light).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let (one, other) = (write(), write());
    for pointer in ["/id", "/crypto/kdfparams/salt", "/crypto/cipherparams/iv", "/crypto/ciphertext"] {
        assert_ne!(one.pointer(pointer), other.pointer(pointer), "{pointer}");
    }
    let id = one["id"].as_str().unwrap();
    assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    assert_eq!(id.as_bytes()[14], b'4', "{id}");
    assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{id}");
}

#[test]
fn a_file_that_was_changed_does_not_open() {
    for secret in secrets() {
        let ours = Ours { role: Role::Node, public_key: secret.public_key() };
        let text = write(&secret, &password("correct horse"), Some(&ours), Work::Light).unwrap();
        let other = Secret::generate(secret.scheme()).unwrap().public_key();
        let changed = |pointer: &str, value: Value| {
            let mut file: Value = serde_json::from_str(&text).unwrap();
            *file.pointer_mut(pointer)? = value;
            let opened = KeyFile::parse(&file.to_string())
                .and_then(|file| file.open("it", &password("correct horse")));
            Some(opened.map(|_| ()).unwrap_err().to_string())
        };
        let zeros = json!("00".repeat(32));
        let iv = json!("00".repeat(16));
        let cases = [
            ("/crypto/ciphertext", zeros.clone(), "wrong password"),
            ("/crypto/cipher/message", zeros.clone(), "wrong password"),
            ("/crypto/mac", zeros.clone(), "wrong password"),
            ("/crypto/checksum/message", zeros, "wrong password"),
            // Another vector gives another secret: the check covers only what is encrypted.
            ("/crypto/cipherparams/iv", iv.clone(), ""),
            ("/crypto/cipher/params/iv", iv, ""),
            ("/surety/public_key", json!(other), "its secret is that of"),
            ("/crypto/kdf", json!("argon2"), ""),
            ("/crypto/kdf/function", json!("argon2"), "argon2"),
            ("/crypto/cipher", json!("aes-256-gcm"), ""),
            ("/crypto/cipher/function", json!("aes-256-gcm"), "aes-256-gcm"),
            ("/crypto/checksum/function", json!("md5"), "md5"),
            ("/version", json!(5), "version 5"),
            ("/crypto/ciphertext", json!("00"), "1 bytes instead of 32"),
            ("/crypto/cipher/message", json!("zz"), "not hex"),
        ];
        let mut tried = 0;
        for (pointer, value, expected) in cases {
            if let Some(text) = changed(pointer, value) {
                assert!(text.contains(expected), "{pointer}: {expected} is not in: {text}");
                tried += 1;
            }
        }
        assert!(tried >= 7, "{tried} changes were tried");
    }
}

#[test]
fn a_file_says_whose_it_is_and_is_held_to_it() {
    let (mut file, phrase, _) = published()[0].clone();
    file["address"] = json!("008aeeda4d805471df9b2a5b0f38a0c3bcba786b");
    let open = |file: &Value| KeyFile::parse(&file.to_string()).unwrap().open("it", &password(phrase));
    assert!(open(&file).is_ok());
    file["address"] = json!("0x108aeeda4d805471df9b2a5b0f38a0c3bcba786b");
    let text = open(&file).unwrap_err().to_string();
    assert!(text.contains("0x108aeeda") && text.contains("secp256k1:0x"), "{text}");
}

#[test]
fn what_is_no_key_file_says_why() {
    let cases = [
        ("", "no key file"),
        ("[]", "version none"),
        ("{}", "version none"),
        (r#"{"version":3}"#, "crypto"),
        (r#"{"version":4,"crypto":{}}"#, "kdf"),
        (r#"{"version":"3"}"#, "version \"3\""),
    ];
    for (text, expected) in cases {
        let error = KeyFile::parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected} is not in: {error}");
    }
}
