//! Envelopes in bytes, and who is found to have signed them.

use evidence::{Scheme, SecretKey};
use protocol::units::{Address, Digest};
use protocol::{KeyUse, Signer};
use signing::{
    DecodeError, Domain, Draft, Seal, SealError, Signature, SignedOperation, SigningError, seal_with,
    signing_hash, verify,
};

use crate::fixtures::{domain, draft, operations, seals, secret};

fn signed(draft: &Draft) -> SignedOperation {
    draft.clone().seal(seals(draft, 7).into_iter().map(|(_, seal)| seal).collect())
}

fn some_draft() -> Draft {
    draft(operations().into_iter().find(|operation| operation.kind() == protocol::Kind::Withdraw).unwrap())
}

#[test]
fn envelopes_have_one_form_in_bytes() {
    for operation in operations() {
        for delegate in [None, Some(Address([0x22; 20]))] {
            let mut draft = draft(operation.clone());
            draft.delegate = delegate;
            let signed = signed(&draft);
            let bytes = signed.encode();
            let decoded = SignedOperation::decode(&bytes).unwrap();
            assert_eq!(decoded.encode(), bytes);
            assert_eq!(decoded.id(), signed.id());
            assert_eq!(decoded.draft(), draft);
            assert_eq!(decoded.cost().bytes, bytes.len());
            assert_eq!(decoded.cost().signatures, 2);
        }
    }
}

#[test]
fn the_bytes_of_an_envelope_are_frozen() {
    let mut draft = some_draft();
    draft.delegate = Some(Address([0x22; 20]));
    let seals = vec![
        Seal { nonce: 2, signature: Signature::Ed25519 { key: [0xee; 32], signature: [0xed; 64] } },
        Seal { nonce: 1, signature: Signature::Secp256k1([0xec; 65]) },
    ];
    let signed = draft.seal(seals);
    let operation = signed.operation.encode();
    let expected = [
        "01".to_owned(),
        "11".repeat(20),
        "01".to_owned(),
        "22".repeat(20),
        "000001a13b860000".to_owned(),
        hex::encode(u32::try_from(operation.len()).unwrap().to_be_bytes()),
        hex::encode(operation),
        "02".to_owned(),
        // By nonce, whatever their order was.
        format!("{:016x}03{}", 1, "ec".repeat(65)),
        format!("{:016x}02{}{}", 2, "ee".repeat(32), "ed".repeat(64)),
    ];
    assert_eq!(hex::encode(signed.encode()), expected.concat());
}

#[test]
fn the_order_of_seals_means_nothing() {
    let signed = signed(&some_draft());
    let mut turned = signed.clone();
    turned.seals.reverse();
    assert_ne!(turned, signed);
    assert_eq!(turned.id(), signed.id());
}

#[test]
fn what_is_no_envelope_says_why() {
    let good = signed(&some_draft()).encode();
    let change = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        SignedOperation::decode(&bytes).unwrap_err()
    };
    let unsealed = some_draft().seal(Vec::new()).encode();
    let count = unsealed.len() - 1;
    // The seals have one nonce, so they are in the order of their schemes: ed25519, of 105 bytes, and secp256k1.
    let last = count + 1 + 105 + 9;
    let cases: [(DecodeError, DecodeError); 9] = [
        (
            change(&|bytes| bytes.resize(signing::SIGNED_BYTES_MAX + 1, 0)),
            DecodeError::TooLong { bytes: signing::SIGNED_BYTES_MAX + 1 },
        ),
        (change(&|bytes| bytes.clear()), DecodeError::CutOff { at: 0, needed: 1 }),
        (change(&|bytes| bytes[0] = 2), DecodeError::Unknown { what: "version", found: 2 }),
        (change(&|bytes| bytes[21] = 2), DecodeError::Unknown { what: "mark of a delegate", found: 2 }),
        (change(&|bytes| bytes[count] = 33), DecodeError::TooManySeals { seals: 33 }),
        (change(&|bytes| bytes.push(0)), DecodeError::LeftOver { bytes: 1 }),
        (change(&|bytes| bytes[count + 9] = 1), DecodeError::Unknown { what: "scheme of a seal", found: 1 }),
        (change(&|bytes| bytes.truncate(bytes.len() - 1)), DecodeError::CutOff { at: last, needed: 65 }),
        (
            change(&|bytes| bytes[30] = 0xff),
            DecodeError::CutOff { at: 34, needed: 0xff00_0000 | (count - 34) },
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
        assert!(!found.to_string().is_empty());
    }
    let operation = change(&|bytes| bytes[34] = 0xff);
    assert!(matches!(operation, DecodeError::Operation(_)), "{operation}");
}

#[test]
fn seals_stand_in_order_and_each_once() {
    let signed = signed(&some_draft());
    let unsealed = some_draft().seal(Vec::new()).encode();
    let head = &unsealed[..unsealed.len() - 1];
    let all = signed.encode();
    let (machine, person) = all[head.len() + 1..].split_at(105);
    for seals in [[person, machine].concat(), [person, person].concat()] {
        let bytes = [head, &[2], &seals].concat();
        assert_eq!(SignedOperation::decode(&bytes), Err(DecodeError::NotCanonical));
    }
    assert_eq!([head, &[2], machine, person].concat(), all);
}

#[test]
fn the_signers_are_found() {
    let secrets = [secret(Scheme::Secp256k1, 1), secret(Scheme::Ed25519, 2), secret(Scheme::Secp256k1, 3)];
    for operation in operations() {
        for delegate in [None, Some(Address([0x22; 20]))] {
            let mut draft = draft(operation.clone());
            draft.delegate = delegate;
            let nonces = [5, u64::MAX, 0];
            let seals = secrets
                .iter()
                .zip(nonces)
                .map(|(secret, nonce)| seal_with(secret, &domain(), &draft, nonce).unwrap());
            let authority = verify(&domain(), &draft.clone().seal(seals.collect())).unwrap();
            let keys: Vec<KeyUse> = secrets
                .iter()
                .zip(nonces)
                .map(|(secret, nonce)| KeyUse::new(secret.public_key(), nonce))
                .collect();
            let signer = match delegate {
                None => Signer::Keys(keys),
                Some(address) => Signer::Delegate { address, keys },
            };
            assert_eq!((authority.account, authority.expires), (draft.account, draft.expires));
            assert_eq!(authority.signer, signer);
        }
    }
}

#[test]
fn without_seals_the_sender_is_named_plainly() {
    let mut draft = some_draft();
    let plain = draft.clone().seal(Vec::new());
    assert!(plain.is_plain());
    assert_eq!(verify(&domain(), &plain).unwrap().signer, Signer::Plain);
    draft.delegate = Some(Address([0x22; 20]));
    let signer = Signer::Delegate { address: Address([0x22; 20]), keys: Vec::new() };
    assert_eq!(verify(&domain(), &draft.seal(Vec::new())).unwrap().signer, signer);
}

#[test]
fn each_bad_seal_has_its_refusal() {
    let draft = some_draft();
    let person = secret(Scheme::Secp256k1, 1);
    let machine = secret(Scheme::Ed25519, 1);
    let seal = |secret: &SecretKey, nonce| seal_with(secret, &domain(), &draft, nonce).unwrap();
    let refused = |seals: Vec<Seal>| verify(&domain(), &draft.clone().seal(seals)).unwrap_err();

    let many = vec![seal(&person, 1); 33];
    assert_eq!(refused(many), SigningError::TooManySeals { seals: 33 });
    for secret in [&person, &machine] {
        let twice = vec![seal(secret, 1), seal(secret, 2)];
        assert_eq!(refused(twice), SigningError::KeyTwice { key: secret.public_key() });
    }
    let Signature::Ed25519 { key, signature } = seal(&machine, 1).signature else { panic!("a machine's") };
    let bad = [
        Seal { nonce: 2, signature: Signature::Ed25519 { key, signature } },
        Seal { nonce: 1, signature: Signature::Ed25519 { key: [0; 32], signature } },
        Seal { nonce: 1, signature: Signature::Ed25519 { key: [2; 32], signature } },
        Seal { nonce: 1, signature: Signature::Ed25519 { key, signature: [0xff; 64] } },
        Seal { nonce: 1, signature: Signature::Secp256k1([0; 65]) },
        Seal { nonce: 1, signature: Signature::Secp256k1([0xff; 65]) },
    ];
    for bad in bad {
        let error = refused(vec![seal(&person, 1), bad]);
        assert!(matches!(error, SigningError::Seal { index: 1, .. }), "{error}");
        assert_eq!(error.code(), "signing.BadSeal");
    }
    let two = seal(&machine, 1);
    let other = Seal { nonce: 9, ..two };
    assert!(matches!(refused(vec![other]), SigningError::Seal { why: SealError::Signature(_), .. }));
    assert_eq!(seal_with(&secret(Scheme::Bls12381, 1), &domain(), &draft, 1), None);
}

#[test]
fn a_seal_is_for_one_chain_custody_and_ledger() {
    let draft = some_draft();
    let here = domain();
    let elsewhere = [
        Domain { chain_id: 2, ..here.clone() },
        Domain { custody: Address([0xc6; 20]), ..here.clone() },
        Domain { ledger: "main:0a1b2c3e".to_owned(), ..here.clone() },
    ];
    for other in elsewhere {
        for (key, seal) in seals(&draft, 7) {
            assert_eq!(signing::key_of(&here, &draft, &seal), Ok(key.clone()));
            assert_ne!(signing::key_of(&other, &draft, &seal), Ok(key), "{other:?}");
        }
    }
}

#[test]
fn ordered_and_other_numbers_are_never_the_same_to_a_wallet() {
    for operation in operations() {
        let kind = operation.kind();
        let data = signing::typed_data(&domain(), &draft(operation), 7);
        let fields = data["types"][signing::primary_type(kind)].as_array().unwrap();
        assert!(fields.len() <= 8, "{kind} has {} fields", fields.len());
        assert_eq!(fields[0]["name"], "action");
        let has = |name: &str| fields.iter().any(|field| field["name"] == name);
        assert_eq!((has("sequence"), has("nonce")), (kind.is_ordered(), !kind.is_ordered()), "{kind}");
    }
}

#[test]
fn contents_bind_the_delegate() {
    let mut draft = some_draft();
    let alone = (draft.contents(), signing_hash(&domain(), &draft, 7));
    draft.delegate = Some(Address([0; 20]));
    assert_ne!((draft.contents(), signing_hash(&domain(), &draft, 7)), alone);
    assert_ne!(alone.0, Digest([0; 32]));
}
