//! Build, sign, combine, send, without a network.

use evidence::{Scheme, SecretKey, address_of};
use protocol::Signer;
use protocol::units::Address;
use serde_json::{Value, json};
use signing::bundle::{BUNDLE_BYTES_MAX, Bundle, BundleError, Who};
use signing::{Domain, Draft, Seal, seal_with, verify};

use crate::fixtures::{domain, draft, operations, secret};

fn secrets() -> [SecretKey; 3] {
    [secret(Scheme::Secp256k1, 1), secret(Scheme::Ed25519, 2), secret(Scheme::Secp256k1, 3)]
}

fn some_draft() -> Draft {
    draft(operations().into_iter().find(|operation| operation.kind() == protocol::Kind::Withdraw).unwrap())
}

/// Two of the first three keys; the third is known by its address only.
fn bundle() -> Bundle {
    let [one, two, three] = secrets();
    let third = Address(address_of(&three.public_key()).unwrap());
    let asked = [(Who::Key(one.public_key()), 4), (Who::Key(two.public_key()), 0), (Who::Address(third), 9)];
    Bundle::new(domain(), some_draft(), 2, asked)
}

fn seal(secret: &SecretKey, bundle: &Bundle) -> Seal {
    let nonce = bundle.nonce_of(&secret.public_key()).unwrap();
    seal_with(secret, bundle.domain(), bundle.draft(), nonce).unwrap()
}

/// What another machine makes of a file.
fn carried(bundle: &Bundle) -> Bundle {
    Bundle::from_json(&bundle.to_json().to_string()).unwrap()
}

#[test]
fn copies_that_were_sealed_apart_are_combined_and_sent() {
    let [one, _, three] = secrets();
    let built = bundle();
    let (mut first, mut second) = (carried(&built), carried(&built));
    assert_eq!(first.add(seal(&one, &first)), Ok(one.public_key()));
    assert_eq!(second.add(seal(&three, &second)), Ok(three.public_key()));
    assert_eq!((built.missing(), first.missing()), (2, 1));
    let mut combined = carried(&first);
    assert_eq!(combined.combine(carried(&second)), Ok(1));
    assert_eq!(combined.combine(carried(&first)), Ok(0), "the same again changes nothing");
    assert_eq!(combined.missing(), 0);
    assert_eq!(carried(&combined), combined);

    let authority = verify(&domain(), &combined.into_signed()).unwrap();
    let Signer::Keys(keys) = authority.signer else { panic!("keys signed") };
    let mut signed: Vec<_> = keys.into_iter().map(|used| (used.key().clone(), used.nonce)).collect();
    signed.sort();
    let mut expected = vec![(one.public_key(), 4), (three.public_key(), 9)];
    expected.sort();
    assert_eq!(signed, expected);
}

#[test]
fn what_a_wallet_gets_is_what_is_verified() {
    let bundle = bundle();
    let data = bundle.typed_data(4);
    assert_eq!(data["message"]["sequence"], "4");
    assert_eq!(data["message"]["account"], some_draft().account.to_string());
    assert_eq!(bundle.signing_hash(4), signing::signing_hash(&domain(), &some_draft(), 4));
}

#[test]
fn bundles_of_other_drafts_are_not_combined_and_both_are_named() {
    let ours = bundle();
    let mut later = some_draft();
    later.expires += 1;
    let elsewhere = Domain { ledger: "main:00000000".to_owned(), ..domain() };
    for theirs in [Bundle::new(domain(), later, 2, []), Bundle::new(elsewhere, some_draft(), 2, [])] {
        let mut combined = ours.clone();
        let error = combined.combine(theirs.clone()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&ours.id().to_string()) && text.contains(&theirs.id().to_string()), "{text}");
        assert_eq!(combined, ours);
    }
}

#[test]
fn each_bad_seal_or_copy_has_its_refusal() {
    let [one, two, _] = secrets();
    let stranger = secret(Scheme::Secp256k1, 9);
    let bundle = bundle();
    let at = |secret: &SecretKey, nonce| seal_with(secret, &domain(), &some_draft(), nonce).unwrap();
    let refused = |seal: Seal| bundle.clone().add(seal).unwrap_err();
    assert_eq!(refused(at(&stranger, 4)), BundleError::NotAsked { key: stranger.public_key() });
    assert_eq!(
        refused(at(&one, 5)),
        BundleError::OtherNonce { who: Who::Key(one.public_key()), asked: 4, given: 5 }
    );
    assert!(matches!(refused(Seal { nonce: 1, ..at(&two, 0) }), BundleError::Seal(_)));

    let other_threshold = Bundle::new(domain(), some_draft(), 3, []);
    let error = bundle.clone().combine(other_threshold).unwrap_err();
    assert_eq!(error, BundleError::OtherThreshold { ours: 2, theirs: 3 });
    let other_nonce = Bundle::new(domain(), some_draft(), 2, [(Who::Key(one.public_key()), 5)]);
    let error = bundle.clone().combine(other_nonce).unwrap_err();
    assert!(matches!(error, BundleError::OtherNonce { asked: 4, given: 5, .. }), "{error}");

    let mut open = Bundle::new(domain(), some_draft(), 1, []);
    for number in 0..32 {
        open.add(at(&secret(Scheme::Ed25519, 100 + number), 1)).unwrap();
    }
    assert_eq!(open.add(at(&stranger, 1)), Err(BundleError::TooManySeals));
}

#[test]
fn a_file_that_was_changed_is_refused() {
    let [one, ..] = secrets();
    let mut bundle = bundle();
    bundle.add(seal(&one, &bundle)).unwrap();
    let good = bundle.to_json();
    let with = |pointer: &str, value: Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        Bundle::from_json(&changed.to_string()).unwrap_err().to_string()
    };
    let other = format!("0x{}", "0".repeat(64));
    let cases = [
        (with("/format", json!("surety/bundle/2")), "surety/bundle/2"),
        (with("/id", json!(other)), "different drafts"),
        (with("/action", json!("Withdraw nothing")), "Withdraw 39000 base units"),
        (with("/draft/expires", json!("5")), "different drafts"),
        (with("/draft/operation/amount", json!("5")), "different drafts"),
        (with("/draft/operation/amount", json!(5)), "draft.operation"),
        (with("/domain/chain_id", json!(2)), "different drafts"),
        (with("/domain/custody", json!(5)), "domain.custody"),
        (with("/asked/0/who", json!("alice")), "asked"),
        (with("/asked/0/nonce", json!("x")), "asked[0].nonce"),
        (with("/seals/0/nonce", json!("5")), "not asked"),
        (with("/seals/0/secp256k1", json!("0x00")), "seals[0]"),
    ];
    for (text, expected) in cases {
        assert!(text.contains(expected), "{expected} is not in: {text}");
    }
    let mut longer = good.clone();
    longer["note"] = json!(1);
    assert!(Bundle::from_value(&longer).unwrap_err().to_string().contains("note"));
    assert!(Bundle::from_json("{").is_err());
    let long = " ".repeat(BUNDLE_BYTES_MAX + 1);
    assert_eq!(Bundle::from_json(&long), Err(BundleError::TooLong { bytes: long.len() }));
}
