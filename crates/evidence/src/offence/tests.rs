use super::*;
use crate::{
    signature::{Scheme, Signature},
    signing::SecretKey,
};

const LEDGER: [u8; 32] = [1; 32];
const SCHEMES: [Scheme; 3] = [Scheme::Bls12381, Scheme::Ed25519, Scheme::Secp256k1];

fn secret(scheme: Scheme) -> SecretKey {
    SecretKey::from_seed(scheme, [9; 32])
}

fn statement(content: u8) -> Statement {
    Statement { ledger: LEDGER, set: 2, epoch: 3, kind: 4, slot: 5, content: [content; 32] }
}

fn signed(scheme: Scheme, statement: &Statement) -> Signed {
    Signed { content: statement.content, signature: secret(scheme).sign(&statement.signing_bytes()) }
}

fn equivocation(scheme: Scheme) -> Equivocation {
    Equivocation {
        key: secret(scheme).public_key(),
        set: 2,
        epoch: 3,
        kind: 4,
        slot: 5,
        first: signed(scheme, &statement(6)),
        second: signed(scheme, &statement(7)),
    }
}

#[test]
fn two_statements_for_one_slot_are_an_offence() {
    for scheme in SCHEMES {
        let offence = Offence::from_equivocation(&LEDGER, &equivocation(scheme)).unwrap();
        assert_eq!(offence.rule(), Rule::Equivocation);
        assert_eq!(offence.key(), &secret(scheme).public_key());
        assert_eq!((offence.set(), offence.epoch(), offence.kind(), offence.slot()), (2, 3, 4, 5));
    }
}

#[test]
fn whatever_the_evidence_the_offence_is_the_same() {
    for scheme in SCHEMES {
        let evidence = equivocation(scheme);
        let swapped = Equivocation {
            first: evidence.second.clone(),
            second: evidence.first.clone(),
            ..evidence.clone()
        };
        let third = Equivocation { second: signed(scheme, &statement(8)), ..evidence.clone() };
        let offence = Offence::from_equivocation(&LEDGER, &evidence).unwrap();
        for evidence in [swapped, third] {
            assert_eq!(Offence::from_equivocation(&LEDGER, &evidence), Ok(offence.clone()));
        }
    }
}

/// Signs both contents in the domain that `change` makes of the usual one, and submits them in that domain.
fn offence_in(change: impl Fn(&mut Statement), key: Scheme) -> Offence {
    let (mut first, mut second) = (statement(6), statement(7));
    change(&mut first);
    change(&mut second);
    let evidence = Equivocation {
        key: secret(key).public_key(),
        set: first.set,
        epoch: first.epoch,
        kind: first.kind,
        slot: first.slot,
        first: signed(key, &first),
        second: signed(key, &second),
    };
    Offence::from_equivocation(&first.ledger, &evidence).unwrap()
}

#[test]
fn another_ledger_set_epoch_kind_slot_or_key_is_another_offence() {
    let ed25519 = Scheme::Ed25519;
    let mut digests = vec![
        offence_in(|_| (), ed25519).digest(),
        offence_in(|statement| statement.ledger = [2; 32], ed25519).digest(),
        offence_in(|statement| statement.set = 9, ed25519).digest(),
        offence_in(|statement| statement.epoch = 9, ed25519).digest(),
        offence_in(|statement| statement.kind = 9, ed25519).digest(),
        offence_in(|statement| statement.slot = 9, ed25519).digest(),
        offence_in(|_| (), Scheme::Bls12381).digest(),
        offence_in(|_| (), Scheme::Secp256k1).digest(),
    ];
    let total = digests.len();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), total);
}

#[test]
fn each_refusal_alone_and_in_order() {
    let scheme = Scheme::Ed25519;
    let valid = equivocation(scheme);
    let mismatch = SignatureError::Mismatch { scheme };
    let spoiled = |signed: &Signed| Signed { signature: [3; 64].into(), ..signed.clone() };
    let first = Equivocation { first: spoiled(&valid.first), ..valid.clone() };
    let second = Equivocation { second: spoiled(&valid.second), ..valid.clone() };
    let equal = Equivocation { second: valid.first.clone(), ..valid.clone() };
    let contents_equal = EvidenceRefused::ContentsEqual { content: [6; 32] };
    let cases = [
        (equal.clone(), contents_equal),
        (first.clone(), EvidenceRefused::FirstSignature(mismatch)),
        (second.clone(), EvidenceRefused::SecondSignature(mismatch)),
        // Two at once: the earlier check speaks.
        (Equivocation { first: first.first.clone(), ..equal.clone() }, contents_equal),
        (Equivocation { second: spoiled(&equal.second), ..equal }, contents_equal),
        (Equivocation { second: second.second, ..first }, EvidenceRefused::FirstSignature(mismatch)),
    ];
    for (evidence, refused) in cases {
        assert_eq!(Offence::from_equivocation(&LEDGER, &evidence), Err(refused));
    }
}

/// One content signed twice, with two valid signatures of it, is still one statement.
#[test]
fn a_statement_signed_twice_is_no_offence() {
    let scheme = Scheme::Secp256k1;
    let first = signed(scheme, &statement(6));
    let mut bytes = first.signature.as_bytes().to_vec();
    bytes[40] ^= 1;
    let second = Signed { signature: Signature::new(&bytes).unwrap(), ..first.clone() };
    let evidence = Equivocation { first, second, ..equivocation(scheme) };
    assert_eq!(
        Offence::from_equivocation(&LEDGER, &evidence),
        Err(EvidenceRefused::ContentsEqual { content: [6; 32] })
    );
}

#[test]
fn statements_of_another_domain_are_no_evidence() {
    let changes: [fn(&mut Statement); 5] = [
        |statement| statement.ledger = [2; 32],
        |statement| statement.set = 9,
        |statement| statement.epoch = 9,
        |statement| statement.kind = 9,
        |statement| statement.slot = 9,
    ];
    for scheme in SCHEMES {
        let mismatch = SignatureError::Mismatch { scheme };
        for change in changes {
            let mut elsewhere = statement(7);
            change(&mut elsewhere);
            let foreign = signed(scheme, &elsewhere);
            let first = Equivocation {
                first: foreign.clone(),
                second: signed(scheme, &statement(6)),
                ..equivocation(scheme)
            };
            let second = Equivocation { second: foreign, ..equivocation(scheme) };
            assert_eq!(
                Offence::from_equivocation(&LEDGER, &first),
                Err(EvidenceRefused::FirstSignature(mismatch))
            );
            assert_eq!(
                Offence::from_equivocation(&LEDGER, &second),
                Err(EvidenceRefused::SecondSignature(mismatch))
            );
        }
        assert_eq!(
            Offence::from_equivocation(&[2; 32], &equivocation(scheme)),
            Err(EvidenceRefused::FirstSignature(mismatch))
        );
    }
}

#[test]
fn the_digest_is_frozen() {
    let offence = Offence::from_equivocation(&LEDGER, &equivocation(Scheme::Ed25519)).unwrap();
    let preimage = [
        "7375726574792f6f6666656e63652f7631",
        "01",
        "0101010101010101010101010101010101010101010101010101010101010101",
        "00000002",
        "00000003",
        "0004",
        "0000000000000005",
        "02",
        &hex::encode(secret(Scheme::Ed25519).public_key().as_bytes()),
    ]
    .concat();
    assert_eq!(offence.digest(), <[u8; 32]>::from(Sha256::digest(hex::decode(preimage).unwrap())));
    assert_eq!(
        hex::encode(offence.digest()),
        "bb3a12030cc06ea02b671a3cf2da4504942de6b9472f08dedcabc1c59b99d264"
    );
}

#[test]
fn evidence_survives_json_and_unknown_fields_do_not() {
    let evidence = equivocation(Scheme::Bls12381);
    let json = serde_json::to_string(&evidence).unwrap();
    assert_eq!(serde_json::from_str::<Equivocation>(&json).unwrap(), evidence);
    let extended = json.replacen("\"set\"", "\"note\":1,\"set\"", 1);
    assert!(serde_json::from_str::<Equivocation>(&extended).unwrap_err().to_string().contains("note"));
    let upper = json.replacen(&"06".repeat(32), &"0A".repeat(32), 1);
    assert!(serde_json::from_str::<Equivocation>(&upper).unwrap_err().to_string().contains("lower-case"));
    let short = json.replacen(&"06".repeat(32), &"06".repeat(31), 1);
    assert!(serde_json::from_str::<Equivocation>(&short).unwrap_err().to_string().contains("31 bytes"));
}

#[test]
fn refusals_name_both_values() {
    let refused = EvidenceRefused::ContentsEqual { content: [6; 32] };
    let content = format!("0x{}", "06".repeat(32));
    assert_eq!(
        refused.to_string(),
        format!("first statement says {content} and the second says {content} too")
    );
    let refused = EvidenceRefused::FirstSignature(SignatureError::Length {
        scheme: Scheme::Ed25519,
        expected: 64,
        actual: 96,
    });
    assert_eq!(refused.to_string(), "first statement: ed25519 signature has 96 bytes instead of 64");
}
