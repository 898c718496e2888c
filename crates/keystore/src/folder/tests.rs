use zeroize::Zeroizing;

use super::*;
use crate::signer::Signer as _;

fn password(text: &str) -> Password {
    Password::new(text.to_owned())
}

fn keystore() -> (tempfile::TempDir, Keystore) {
    let parent = tempfile::tempdir().unwrap();
    let keystore = Keystore::open_with(&parent.path().join("keys"), Work::Light).unwrap();
    (parent, keystore)
}

fn names(keystore: &Keystore) -> Vec<String> {
    keystore.list().unwrap().into_iter().map(|entry| entry.name).collect()
}

#[test]
fn keys_are_made_listed_and_unlocked() {
    let (_parent, keystore) = keystore();
    let made = [
        keystore.create("olga", Role::Operator, Scheme::Secp256k1, &password("correct horse")).unwrap(),
        keystore.create("alice", Role::Account, Scheme::Ed25519, &password("correct horse")).unwrap(),
        keystore.create("olga-bls", Role::SetKey, Scheme::Bls12381, &password("correct horse")).unwrap(),
        keystore.create("node_1.a", Role::Node, Scheme::Ed25519, &password("correct horse")).unwrap(),
    ];
    assert_eq!(names(&keystore), ["alice", "node_1.a", "olga", "olga-bls"]);
    assert!(keystore.check().unwrap().is_empty());
    for entry in made {
        assert_eq!(keystore.entry(&entry.name).unwrap(), entry);
        let signer = keystore.unlock(&entry.name, &password("correct horse")).unwrap();
        assert_eq!(signer.public_key(), &entry.public_key);
        assert_eq!(entry.address.is_some(), entry.scheme != Scheme::Bls12381);
        assert_eq!(entry.path, keystore.folder().join(format!("{}.json", entry.name)));
        let wrong = keystore.unlock(&entry.name, &password("wrong horse")).unwrap_err();
        assert!(matches!(wrong, KeystoreError::WrongPassword { .. }), "{wrong}");
    }
    // Another keystore of the same folder, as another run of the program has.
    let again = Keystore::open(keystore.folder()).unwrap();
    assert_eq!(again.list().unwrap(), keystore.list().unwrap());
}

#[test]
fn each_bad_request_has_its_refusal() {
    let (_parent, keystore) = keystore();
    let good = password("correct horse");
    keystore.create("alice", Role::Account, Scheme::Secp256k1, &good).unwrap();
    let long = "a".repeat(65);
    for name in ["", "1a", ".a", "-a", "a/b", "../a", "a b", "ä", "a\n", long.as_str()] {
        let refused = keystore.create(name, Role::Account, Scheme::Secp256k1, &good).unwrap_err();
        assert!(matches!(refused, KeystoreError::BadName { .. }), "{name:?}: {refused}");
        assert!(keystore.unlock(name, &good).is_err());
    }
    let create = |name: &str, role, scheme, text: &str| {
        keystore.create(name, role, scheme, &password(text)).unwrap_err().to_string()
    };
    let cases = [
        (create("alice", Role::Account, Scheme::Secp256k1, "correct horse"), "rotate it"),
        (
            create("bob", Role::Account, Scheme::Bls12381, "correct horse"),
            "bls12381 key can't be for account",
        ),
        (create("bob", Role::Operator, Scheme::Bls12381, "correct horse"), "can't be for operator"),
        (create("bob", Role::Account, Scheme::Secp256k1, "horse"), "5 characters"),
        (keystore.unlock("alcie", &good).unwrap_err().to_string(), "there are: alice"),
        (keystore.export("alice", &good, &password("x")).unwrap_err().to_string(), "1 characters"),
        (keystore.rotate("alice", &good, &password("x")).unwrap_err().to_string(), "1 characters"),
        (keystore.change_password("alice", &good, &password("x")).unwrap_err().to_string(), "1 characters"),
    ];
    for (text, expected) in cases {
        assert!(text.contains(expected), "{expected} is not in: {text}");
    }
    assert_eq!(names(&keystore), ["alice"]);
}

#[test]
fn a_rotated_key_is_kept_and_still_signs() {
    let (_parent, keystore) = keystore();
    let (first, second) = (password("first password"), password("second password"));
    let one = keystore.create("alice", Role::Operator, Scheme::Secp256k1, &first).unwrap();
    let wrong = keystore.rotate("alice", &second, &second).unwrap_err();
    assert!(matches!(wrong, KeystoreError::WrongPassword { .. }));
    assert_eq!(names(&keystore), ["alice"]);

    let (two, kept) = keystore.rotate("alice", &first, &second).unwrap();
    assert_ne!(two.public_key, one.public_key);
    assert_eq!((two.role, two.scheme), (Role::Operator, Scheme::Secp256k1));
    assert_eq!((kept.name.as_str(), &kept.public_key), ("alice.1", &one.public_key));
    let (three, kept) = keystore.rotate("alice", &second, &first).unwrap();
    assert_eq!((kept.name.as_str(), &kept.public_key), ("alice.2", &two.public_key));
    assert_eq!(names(&keystore), ["alice", "alice.1", "alice.2"]);
    let unlock = |name: &str, password| keystore.unlock(name, password).unwrap().public_key().clone();
    assert_eq!(unlock("alice", &first), three.public_key);
    assert_eq!(unlock("alice.1", &first), one.public_key);
    assert_eq!(unlock("alice.2", &second), two.public_key);
}

#[test]
fn a_password_is_changed_and_the_old_one_is_worth_nothing() {
    let (_parent, keystore) = keystore();
    let (old, new) = (password("old password"), password("new password"));
    let entry = keystore.create("alice", Role::Account, Scheme::Ed25519, &old).unwrap();
    assert!(keystore.change_password("alice", &new, &new).is_err());
    keystore.change_password("alice", &old, &new).unwrap();
    assert!(keystore.unlock("alice", &old).is_err());
    assert_eq!(keystore.unlock("alice", &new).unwrap().public_key(), &entry.public_key);
    assert_eq!(keystore.entry("alice").unwrap(), entry);
}

#[test]
fn keys_move_from_one_keystore_to_another() {
    let (_one, here) = keystore();
    let (_other, there) = keystore();
    let (ours, carried, theirs) =
        (password("our password"), password("for the way"), password("their password"));
    for (scheme, role) in
        [(Scheme::Secp256k1, Role::Account), (Scheme::Bls12381, Role::SetKey), (Scheme::Ed25519, Role::Node)]
    {
        let name = scheme.to_string();
        let entry = here.create(&name, role, scheme, &ours).unwrap();
        let text = here.export(&name, &ours, &carried).unwrap();
        let wrong = there.import(&name, role, &text, &ours, &theirs).unwrap_err();
        assert!(matches!(wrong, KeystoreError::WrongPassword { .. }));
        let imported = there.import(&name, role, &text, &carried, &theirs).unwrap();
        assert_eq!(imported.public_key, entry.public_key);
        assert_eq!(there.unlock(&name, &theirs).unwrap().public_key(), &entry.public_key);
        let taken = there.import(&name, role, &text, &carried, &theirs).unwrap_err();
        assert!(matches!(taken, KeystoreError::Exists { .. }));
        let secret = here.expose(&name, &ours).unwrap();
        let copy = there.import_secret("copy", role, &secret, &theirs).unwrap();
        assert_eq!(copy.public_key, entry.public_key);
        fs::remove_file(copy.path).unwrap();
    }
    let long = " ".repeat(64 * 1024 + 1);
    let refused = there.import("long", Role::Node, &long, &carried, &theirs).unwrap_err();
    assert!(matches!(refused, KeystoreError::TooLong { .. }));
}

#[test]
fn a_file_that_can_t_be_read_is_named_whatever_is_wrong_with_it() {
    let (_parent, keystore) = keystore();
    let password = password("correct horse");
    let entry = keystore.create("alice", Role::Account, Scheme::Secp256k1, &password).unwrap();
    let path = entry.path.display().to_string();
    let text = fs::read_to_string(&entry.path).unwrap();
    let spoilt = [
        text.replace("\"version\": 3", "\"version\": 7"),
        text.replace("scrypt", "bcrypt"),
        "nothing".to_owned(),
        " ".repeat(64 * 1024 + 1),
    ];
    for spoilt in spoilt {
        assert_ne!(spoilt, text, "the file is not written as this test thinks");
        fs::write(&entry.path, &spoilt).unwrap();
        let refused = keystore.unlock("alice", &password).unwrap_err().to_string();
        assert!(refused.contains(&path), "{refused}");
        let found: Vec<String> = keystore.check().unwrap().iter().map(ToString::to_string).collect();
        assert!(found.iter().any(|finding| finding.contains(&path)), "{found:?}");
    }
}

/// The first account of the well-known test mnemonic.
#[test]
fn an_imported_wallet_has_its_address() {
    let (_parent, keystore) = keystore();
    let bytes = hex::decode("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80").unwrap();
    let secret = Secret::new(Scheme::Secp256k1, Zeroizing::new(bytes.try_into().unwrap())).unwrap();
    let entry = keystore.import_secret("alice", Role::Account, &secret, &password("correct horse")).unwrap();
    assert_eq!(entry.address.unwrap().to_string(), "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
    let text = fs::read_to_string(entry.path).unwrap();
    assert!(text.contains("f39fd6e51aad88f6f4ce6ab8827279cfffb92266") && !text.contains("ac0974be"));
}

#[test]
fn what_is_wrong_in_the_folder_is_said_and_the_rest_is_listed() {
    let (_parent, keystore) = keystore();
    let good = password("correct horse");
    keystore.create("alice", Role::Account, Scheme::Secp256k1, &good).unwrap();
    let foreign = keystore.export("alice", &good, &good).unwrap();
    let write = |name: &str, text: &str| {
        write_private(&keystore.folder().join(name), text, Place::Free).unwrap();
    };
    write("broken.json", "{");
    write("foreign.json", &foreign);
    write("notes.txt", "");
    write("2bad.json", &foreign);
    write(".unfinished-00", "{");
    assert_eq!(names(&keystore), ["alice"]);
    let faults: Vec<String> = keystore.check().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 5, "{faults:#?}");
    for (file, expected) in [
        ("broken.json", "no key file"),
        ("foreign.json", "import it"),
        ("notes.txt", "move it away"),
        ("2bad.json", "move it away"),
        (".unfinished-00", "delete it"),
    ] {
        let fault = faults.iter().find(|fault| fault.contains(file)).unwrap();
        assert!(fault.contains(expected), "{expected} is not in: {fault}");
    }
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_parent, keystore) = keystore();
    let good = password("correct horse");
    let entry = keystore.create("alice", Role::Account, Scheme::Secp256k1, &good).unwrap();
    fs::set_permissions(&entry.path, fs::Permissions::from_mode(0o644)).unwrap();
    let text = keystore.unlock("alice", &good).unwrap_err().to_string();
    assert!(text.contains("chmod 600") && text.contains("alice.json"), "{text}");
    assert!(keystore.list().unwrap().is_empty());
    assert_eq!(keystore.check().unwrap().len(), 1);
}
