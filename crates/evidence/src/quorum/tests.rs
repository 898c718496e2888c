use super::*;
use crate::{
    encoding::HexError,
    signing::{SecretKey, aggregate},
    statement::Statement,
};

const LEDGER: [u8; 32] = [1; 32];

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(Scheme::Bls12381, [seed; 32])
}

/// A table of five keys, of which the one at place 3 does not aggregate.
fn table() -> Vec<PublicKey> {
    let mut keys: Vec<PublicKey> = (0..5).map(|seed| secret(seed).public_key()).collect();
    keys[3] = SecretKey::from_seed(Scheme::Ed25519, [3; 32]).public_key();
    keys
}

/// A certificate that the keys at `signers` signed, and that claims so.
fn certificate(signers: &[u8]) -> Certificate {
    let mut certificate = Certificate {
        set: 2,
        epoch: 3,
        message: [4; 32],
        signers: Bitmap::from_indexes(signers.iter().copied().map(usize::from)).unwrap(),
        signature: [0; 96].into(),
    };
    let bytes = certificate.signing_bytes(&LEDGER);
    let signatures: Vec<Signature> = signers.iter().map(|seed| secret(*seed).sign(&bytes)).collect();
    if let Ok(signature) = aggregate(&signatures) {
        certificate.signature = signature;
    }
    certificate
}

fn claiming(signers: &[usize], certificate: Certificate) -> Certificate {
    Certificate { signers: Bitmap::from_indexes(signers.iter().copied()).unwrap(), ..certificate }
}

#[test]
fn a_certificate_tells_what_was_signed_and_by_whom() {
    let verified = verify_certificate(&certificate(&[4, 0, 2]), &LEDGER, &table()).unwrap();
    assert_eq!((verified.set(), verified.epoch(), verified.message()), (2, 3, &[4; 32]));
    assert_eq!(verified.signers().collect::<Vec<_>>(), [0, 2, 4]);
}

#[test]
fn each_refusal_alone_and_in_order() {
    let scheme = Scheme::Bls12381;
    let valid = certificate(&[0, 2]);
    let short = Certificate { signature: [1; 64].into(), ..valid.clone() };
    let mismatch = CertificateRefused::Signature(SignatureError::Mismatch { scheme });
    let past = |index| CertificateRefused::SignerPastTable { index, keys: 5 };
    let foreign = CertificateRefused::SignerScheme { index: 3, scheme: Scheme::Ed25519 };
    let length = SignatureError::Length { scheme, expected: 96, actual: 64 };
    let cases = [
        (claiming(&[], valid.clone()), CertificateRefused::NoSigners),
        (claiming(&[0, 5], valid.clone()), past(5)),
        (claiming(&[0, 1023, 700], valid.clone()), past(700)),
        (claiming(&[0, 3], valid.clone()), foreign),
        (short.clone(), CertificateRefused::Signature(length)),
        (claiming(&[0], valid.clone()), mismatch),
        (claiming(&[0, 1], valid.clone()), mismatch),
        (claiming(&[0, 1, 2], valid.clone()), mismatch),
        (Certificate { set: 9, ..valid.clone() }, mismatch),
        (Certificate { epoch: 9, ..valid.clone() }, mismatch),
        (Certificate { message: [9; 32], ..valid.clone() }, mismatch),
        // Two at once: the earlier check speaks.
        (claiming(&[], short.clone()), CertificateRefused::NoSigners),
        (claiming(&[3, 6], valid.clone()), past(6)),
        (claiming(&[0, 5], short.clone()), past(5)),
        (claiming(&[0, 3], short), foreign),
    ];
    for (certificate, refused) in cases {
        assert_eq!(verify_certificate(&certificate, &LEDGER, &table()), Err(refused));
    }
    assert_eq!(verify_certificate(&valid, &[2; 32], &table()), Err(mismatch));
    assert_eq!(
        verify_certificate(&valid, &LEDGER, &[]),
        Err(CertificateRefused::SignerPastTable { index: 0, keys: 0 })
    );
    let mut other_order = table();
    other_order.swap(0, 1);
    assert_eq!(verify_certificate(&valid, &LEDGER, &other_order), Err(mismatch));
}

/// A statement with the same fields, signed by the same key, certifies nothing.
#[test]
fn a_statement_is_no_certificate() {
    let statement = Statement { ledger: LEDGER, set: 2, epoch: 3, kind: 0, slot: 0, content: [4; 32] };
    let signature = secret(0).sign(&statement.signing_bytes());
    let certificate = Certificate { signature, ..certificate(&[0]) };
    assert_eq!(
        verify_certificate(&certificate, &LEDGER, &table()),
        Err(CertificateRefused::Signature(SignatureError::Mismatch { scheme: Scheme::Bls12381 }))
    );
}

#[test]
fn the_largest_certificate_verifies() {
    let keys = vec![secret(0).public_key(); 1024];
    let mut certificate = claiming(&(0..1024).collect::<Vec<_>>(), certificate(&[0]));
    let signature = secret(0).sign(&certificate.signing_bytes(&LEDGER));
    certificate.signature = aggregate(&vec![signature; 1024]).unwrap();
    let verified = verify_certificate(&certificate, &LEDGER, &keys).unwrap();
    assert_eq!(verified.signers().count(), 1024);
}

#[test]
fn the_signing_bytes_are_frozen() {
    let certificate = Certificate { set: 0x0102_0304, epoch: 0x0506_0708, ..certificate(&[0]) };
    assert_eq!(
        hex::encode(certificate.signing_bytes(&LEDGER)),
        [
            "7375726574792f63657274696669636174652f7631",
            "0101010101010101010101010101010101010101010101010101010101010101",
            "01020304",
            "05060708",
            "0404040404040404040404040404040404040404040404040404040404040404",
        ]
        .concat()
    );
}

#[test]
fn the_json_of_a_certificate_is_frozen() {
    let certificate = Certificate { signature: [5; 64].into(), ..claiming(&[0, 9], certificate(&[0])) };
    let json = format!(
        r#"{{"set":2,"epoch":3,"message":"0x{}","signers":"0x0102","signature":"0x{}"}}"#,
        "04".repeat(32),
        "05".repeat(64)
    );
    assert_eq!(serde_json::to_string(&certificate).unwrap(), json);
    assert_eq!(serde_json::from_str::<Certificate>(&json).unwrap(), certificate);
    let extended = json.replacen("\"set\"", "\"note\":1,\"set\"", 1);
    assert!(serde_json::from_str::<Certificate>(&extended).unwrap_err().to_string().contains("note"));
}

#[test]
fn a_set_of_places_has_one_text() {
    let cases: [(&[usize], &str); 7] = [
        (&[], "0x"),
        (&[0], "0x01"),
        (&[7], "0x80"),
        (&[8], "0x0001"),
        (&[0, 1, 9], "0x0302"),
        (&[9, 1, 0, 9], "0x0302"),
        (&[23], "0x000080"),
    ];
    for (indexes, text) in cases {
        let bitmap = Bitmap::from_indexes(indexes.iter().copied()).unwrap();
        assert_eq!(bitmap.to_string(), text);
        assert_eq!(text.parse::<Bitmap>(), Ok(bitmap));
    }
    for index in 0..1024 {
        let bitmap = Bitmap::from_indexes([index]).unwrap();
        assert_eq!(bitmap.indexes().collect::<Vec<_>>(), [index]);
        assert_eq!(bitmap.to_string().parse::<Bitmap>(), Ok(bitmap));
    }
}

#[test]
fn each_malformed_bitmap_has_its_refusal() {
    let long = format!("0x{}01", "00".repeat(128));
    let long_and_zero = format!("0x{}", "00".repeat(129));
    let cases = [
        ("01", BitmapError::Hex(HexError::Prefix)),
        ("0xFF", BitmapError::Hex(HexError::Digit { position: 0 })),
        ("0x1", BitmapError::Hex(HexError::OddDigits { digits: 1 })),
        ("0x00", BitmapError::TrailingZero { bytes: 1 }),
        ("0x0100", BitmapError::TrailingZero { bytes: 2 }),
        (&long, BitmapError::Length { limit: 128, actual: 129 }),
        // Two at once: the earlier check speaks.
        (&long_and_zero, BitmapError::Length { limit: 128, actual: 129 }),
    ];
    for (text, refused) in cases {
        assert_eq!(text.parse::<Bitmap>(), Err(refused), "{text}");
    }
    for index in [1024, 1025, usize::MAX] {
        assert_eq!(Bitmap::from_indexes([index]), Err(BitmapError::Index { limit: 1024, index }));
    }
}
