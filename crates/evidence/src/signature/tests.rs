use super::*;
use crate::signing::{SecretKey, aggregate};

const SCHEMES: [Scheme; 3] = [Scheme::Bls12381, Scheme::Ed25519, Scheme::Secp256k1];
const LEDGER: [u8; 32] = [7; 32];

fn secret(scheme: Scheme, seed: u8) -> SecretKey {
    SecretKey::from_seed(scheme, [seed; 32])
}

fn bytes(digits: &str) -> Vec<u8> {
    hex::decode(digits).unwrap()
}

fn key_length(scheme: Scheme) -> usize {
    match scheme {
        Scheme::Bls12381 => 48,
        Scheme::Ed25519 => 32,
        Scheme::Secp256k1 => 33,
    }
}

/// The compressed point that stands for infinity in a group of BLS12-381.
fn infinity(length: usize) -> Vec<u8> {
    let mut point = vec![0; length];
    point[0] = 0xc0;
    point
}

/// A compressed point on the curve but, the cofactor being huge, not in the subgroup.
fn outside_subgroup(length: usize, is_point: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let candidates = (1..=255).map(|x| {
        let mut point = vec![0; length];
        point[0] = 0x80;
        point[length - 1] = x;
        point
    });
    candidates.into_iter().find(|point| is_point(point)).expect("every second x has a y")
}

/// Published vectors: RFC 8032 7.1 test 1, the Ethereum consensus `sign` vector, RFC 6979 with the scalar 1.
#[test]
fn published_signatures_verify() {
    let cases: [(Scheme, &str, &[u8], &str); 3] = [
        (
            Scheme::Ed25519,
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            b"",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b\
             d25bf5f0595bbe24655141438e7a100b",
        ),
        (
            Scheme::Bls12381,
            "a491d1b0ecd9bb917989f0e74f0dea0422eac4a873e5e2644f368dffb9a6e20fd6e10c1b77654d067c0618f6e5a7f79a",
            &[0; 32],
            "b6ed936746e01f8ecf281f020953fbf1f01debd5657c4a383940b020b26507f6076334f91e2366c96e9ab279fb515809\
             0352ea1c5b0c9274504f4f0e7053af24802e51e4568d164fe986834f41e55c8e850ce1f98458c0cfc9ab380b55285a55",
        ),
        (
            Scheme::Secp256k1,
            "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            b"Satoshi Nakamoto",
            "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec3\
             6b49743e2ffa1c4496f01a512aafd9e5",
        ),
    ];
    for (scheme, key, message, signature) in cases {
        let key = PublicKey::new(scheme, &bytes(key)).unwrap();
        let signature = Signature::new(&bytes(signature)).unwrap();
        assert_eq!(verify(&key, message, &signature), Ok(()), "{scheme}");
    }
}

#[test]
fn a_signature_is_of_its_message_and_key_only() {
    for scheme in SCHEMES {
        let signature = secret(scheme, 1).sign(b"message");
        let mismatch = Err(SignatureError::Mismatch { scheme });
        assert_eq!(verify(&secret(scheme, 1).public_key(), b"message", &signature), Ok(()));
        assert_eq!(verify(&secret(scheme, 1).public_key(), b"messagf", &signature), mismatch);
        assert_eq!(verify(&secret(scheme, 1).public_key(), b"", &signature), mismatch);
        assert_eq!(verify(&secret(scheme, 2).public_key(), b"message", &signature), mismatch);
        assert_eq!(secret(scheme, 1).sign(b"message"), signature, "signing is deterministic");
    }
}

#[test]
fn a_key_of_any_other_length_is_refused() {
    for scheme in SCHEMES {
        let key = secret(scheme, 1).public_key();
        let expected = key_length(scheme);
        let padded: Vec<u8> = key.as_bytes().iter().copied().chain([0; 80]).collect();
        for actual in (0..=padded.len()).filter(|length| *length != expected) {
            let refused = KeyError::Length { scheme, expected, actual };
            assert_eq!(PublicKey::new(scheme, &padded[..actual]), Err(refused));
        }
        assert_eq!(PublicKey::new(scheme, key.as_bytes()), Ok(key));
    }
}

#[test]
fn a_flipped_bit_never_gives_a_second_encoding() {
    for scheme in SCHEMES {
        let key = secret(scheme, 1).public_key();
        let signature = secret(scheme, 1).sign(b"message");
        for bit in 0..8 {
            for byte in 0..key.as_bytes().len() {
                let mut flipped = key.as_bytes().to_vec();
                flipped[byte] ^= 1 << bit;
                let Ok(other) = PublicKey::new(scheme, &flipped) else { continue };
                assert_ne!(other, key);
                assert!(verify(&other, b"message", &signature).is_err(), "{scheme} key {byte}.{bit}");
            }
        }
        for byte in 0..signature.as_bytes().len() {
            let mut flipped = signature.as_bytes().to_vec();
            flipped[byte] ^= 1 << (byte % 8);
            let flipped = Signature::new(&flipped).unwrap();
            assert!(verify(&key, b"message", &flipped).is_err(), "{scheme} signature {byte}");
        }
    }
}

#[test]
fn each_bad_point_of_bls12381_has_its_refusal() {
    let scheme = Scheme::Bls12381;
    let valid = secret(scheme, 1).public_key().as_bytes().to_vec();
    let changed = |change: fn(&mut Vec<u8>)| {
        let mut bytes = valid.clone();
        change(&mut bytes);
        bytes
    };
    let stray = outside_subgroup(48, |point| {
        blst::min_pk::PublicKey::uncompress(point).is_ok_and(|point| point.validate().is_err())
    });
    let not_a_point = KeyError::NotAPoint { scheme };
    let cases = [
        (infinity(48), KeyError::SmallOrder { scheme }),
        (stray, KeyError::NotInSubgroup { scheme }),
        // Infinity with the sign bit, and with a stray bit.
        (infinity(48).iter().map(|byte| byte | (byte & 0x40) >> 1).collect(), not_a_point),
        (infinity(48).iter().map(|byte| byte | 1).collect(), not_a_point),
        // The flag of uncompressed points on 48 bytes.
        (changed(|bytes| bytes[0] &= 0x1f), not_a_point),
        // x = p and x = 2^381 - 1.
        (
            bytes(
                "9a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
            ),
            not_a_point,
        ),
        ([vec![0x9f], vec![0xff; 47]].concat(), not_a_point),
    ];
    for (bytes, refused) in cases {
        assert_eq!(PublicKey::new(scheme, &bytes), Err(refused), "{}", hex::encode(bytes));
    }
}

/// The eight points of small order, with every encoding that decompression accepts for them.
#[test]
fn weak_keys_of_ed25519_are_refused() {
    let scheme = Scheme::Ed25519;
    let small = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ];
    for point in small {
        assert_eq!(PublicKey::new(scheme, &bytes(point)), Err(KeyError::SmallOrder { scheme }), "{point}");
    }
    let signed_zero = [
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];
    for point in signed_zero {
        assert_eq!(PublicKey::new(scheme, &bytes(point)), Err(KeyError::NotAPoint { scheme }), "{point}");
    }
    // y = p .. p + 18, with both signs: other encodings of y = 0 .. 18.
    for last in [0x7f, 0xff] {
        for first in 0xed..=0xff {
            let mut point = [0xff; 32];
            point[0] = first;
            point[31] = last;
            assert_eq!(PublicKey::new(scheme, &point), Err(KeyError::NotAPoint { scheme }), "{first:x}");
        }
    }
}

#[test]
fn a_key_of_ed25519_with_torsion_is_refused() {
    let scheme = Scheme::Ed25519;
    let point = |bytes: &[u8]| {
        ed25519_dalek::VerifyingKey::from_bytes(bytes.try_into().unwrap()).unwrap().to_edwards()
    };
    let order_two = bytes("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
    let mixed = point(secret(scheme, 1).public_key().as_bytes()) + point(&order_two);
    assert_eq!(PublicKey::new(scheme, mixed.compress().as_bytes()), Err(KeyError::NotInSubgroup { scheme }));
}

#[test]
fn bad_points_of_secp256k1_are_refused() {
    let scheme = Scheme::Secp256k1;
    let x = secret(scheme, 1).public_key().as_bytes()[1..].to_vec();
    let p = bytes("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f");
    let cases = [
        [vec![4], x.clone()].concat(),
        [vec![0], x.clone()].concat(),
        [vec![6], x].concat(),
        [vec![2], p.clone()].concat(),
        // x = p + 1 would be x = 1, which is on the curve.
        [vec![2], p[..31].to_vec(), vec![0x30]].concat(),
        // x = 5 has no y.
        [vec![2], vec![0; 31], vec![5]].concat(),
        vec![0; 33],
        vec![0xff; 33],
    ];
    for bytes in cases {
        assert_eq!(PublicKey::new(scheme, &bytes), Err(KeyError::NotAPoint { scheme }));
    }
}

#[test]
fn each_bad_signature_has_its_refusal() {
    let message = b"message";
    let signed = |scheme| secret(scheme, 1).sign(message).as_bytes().to_vec();
    let (bls, ed, secp) = (Scheme::Bls12381, Scheme::Ed25519, Scheme::Secp256k1);
    let stray = outside_subgroup(96, |point| {
        blst::min_pk::Signature::uncompress(point).is_ok_and(|point| point.validate(true).is_err())
    });
    // The same r with n - s, and then with an r above n: the encoding is judged first.
    let high = secp256k1_high_s(&signed(secp));
    let high_past_order = [vec![0xff; 32], high[32..].to_vec()].concat();
    // R of small order with s = 0.
    let small_r = [vec![1], vec![0; 63]].concat();
    let cases = [
        (bls, signed(ed), SignatureError::Length { scheme: bls, expected: 96, actual: 64 }),
        (ed, signed(bls), SignatureError::Length { scheme: ed, expected: 64, actual: 96 }),
        (secp, signed(bls), SignatureError::Length { scheme: secp, expected: 64, actual: 96 }),
        (bls, vec![0; 96], SignatureError::NotCanonical { scheme: bls }),
        (bls, vec![0xff; 96], SignatureError::NotCanonical { scheme: bls }),
        (bls, infinity(96), SignatureError::Infinity { scheme: bls }),
        (bls, stray, SignatureError::NotInSubgroup { scheme: bls }),
        (ed, signed(secp), SignatureError::Mismatch { scheme: ed }),
        (ed, ed25519_plus_order(&signed(ed)), SignatureError::Mismatch { scheme: ed }),
        (ed, small_r, SignatureError::Mismatch { scheme: ed }),
        (ed, vec![0xff; 64], SignatureError::Mismatch { scheme: ed }),
        (secp, high, SignatureError::HighS),
        (secp, high_past_order, SignatureError::NotCanonical { scheme: secp }),
        (secp, vec![0xff; 64], SignatureError::NotCanonical { scheme: secp }),
        (secp, vec![0; 64], SignatureError::Mismatch { scheme: secp }),
    ];
    for (scheme, bytes, refused) in cases {
        let key = secret(scheme, 1).public_key();
        let signature = Signature::new(&bytes).unwrap();
        assert_eq!(verify(&key, message, &signature), Err(refused));
    }
}

/// The second valid ECDSA signature of the same message: `n - s` in the place of `s`.
fn secp256k1_high_s(signature: &[u8]) -> Vec<u8> {
    let s = ::secp256k1::SecretKey::from_byte_array(signature[32..].try_into().unwrap()).unwrap();
    [&signature[..32], &s.negate().secret_bytes()].concat()
}

/// The same ed25519 signature with `s + L` in the place of `s`, which satisfies the equation too.
fn ed25519_plus_order(signature: &[u8]) -> Vec<u8> {
    let order = bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut carry = 0;
    let s = signature[32..].iter().zip(order).map(|(s, order)| {
        let total = u16::from(*s) + u16::from(order) + carry;
        carry = total >> 8;
        total as u8
    });
    signature[..32].iter().copied().chain(s).collect()
}

#[test]
fn a_signature_has_64_or_96_bytes() {
    for actual in 0..=200 {
        let expected =
            if actual == 64 || actual == 96 { Ok(()) } else { Err(MalformedSignature::Length { actual }) };
        assert_eq!(Signature::new(&vec![1; actual]).map(|_| ()), expected);
    }
}

#[test]
fn each_malformed_text_has_its_refusal() {
    let scheme = Scheme::Ed25519;
    let text = secret(scheme, 1).public_key().to_string();
    let digits = text.strip_prefix("ed25519:0x").unwrap();
    let upper_case = digits.find(|digit: char| digit.is_ascii_alphabetic()).unwrap();
    let length = |actual| KeyError::Length { scheme, expected: 32, actual };
    let cases = [
        (String::new(), KeyError::UnknownScheme),
        (format!("0x{digits}"), KeyError::UnknownScheme),
        (format!("Ed25519:0x{digits}"), KeyError::UnknownScheme),
        (format!(" ed25519:0x{digits}"), KeyError::UnknownScheme),
        (format!("ed25519:{digits}"), KeyError::Hex(HexError::Prefix)),
        (format!("ed25519::0x{digits}"), KeyError::Hex(HexError::Prefix)),
        (
            format!("ed25519:0x{}", digits.to_uppercase()),
            KeyError::Hex(HexError::Digit { position: upper_case }),
        ),
        (format!("ed25519:0x{digits}\n"), KeyError::Hex(HexError::Digit { position: 64 })),
        (format!("ed25519:0x{}", &digits[1..]), KeyError::Hex(HexError::OddDigits { digits: 63 })),
        (format!("ed25519:0x{}", &digits[2..]), length(31)),
        (format!("ed25519:0x{digits}00"), length(33)),
        ("ed25519:0x".to_owned(), length(0)),
        // The key of one scheme under the name of another.
        (
            format!("bls12381:0x{digits}"),
            KeyError::Length { scheme: Scheme::Bls12381, expected: 48, actual: 32 },
        ),
        // Two at once: the earlier check speaks.
        ("rsa:AB".to_owned(), KeyError::UnknownScheme),
        ("ed25519:0xA".to_owned(), KeyError::Hex(HexError::Digit { position: 0 })),
    ];
    for (text, refused) in cases {
        assert_eq!(text.parse::<PublicKey>(), Err(refused), "{text}");
    }
    assert_eq!("0xA".parse::<Signature>(), Err(MalformedSignature::Hex(HexError::Digit { position: 0 })));
    assert_eq!("0xab".parse::<Signature>(), Err(MalformedSignature::Length { actual: 1 }));
}

#[test]
fn texts_survive_the_round_trip_and_are_frozen() {
    let keys = [
        (
            Scheme::Bls12381,
            "bls12381:0x95a254501b7733239ed3cec4d56737977bd09ede881d8a234560e83e5525017add3b1dcc3eabfb85e12a4131b19c253b",
        ),
        (Scheme::Ed25519, "ed25519:0x8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"),
        (Scheme::Secp256k1, "secp256k1:0x02abfb9b1e230040e10bb68f29f9e4023671fbace2dae20bc68d725c9421657a86"),
    ];
    for (scheme, text) in keys {
        let key = secret(scheme, 1).public_key();
        assert_eq!(key.to_string(), text);
        assert_eq!(serde_json::to_string(&key).unwrap(), format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<PublicKey>(&format!("\"{text}\"")).unwrap(), key);
        assert_eq!(serde_json::to_string(&scheme).unwrap(), format!("\"{scheme}\""));

        let signature = secret(scheme, 1).sign(b"message");
        let json = serde_json::to_string(&signature).unwrap();
        assert_eq!(json, format!("\"{signature}\""));
        assert_eq!(serde_json::from_str::<Signature>(&json).unwrap(), signature);
    }
}

#[test]
fn keys_are_ordered_by_scheme_then_bytes_and_small() {
    let mut keys: Vec<PublicKey> =
        (1..=4).flat_map(|seed| SCHEMES.map(|scheme| secret(scheme, seed).public_key())).collect();
    keys.sort();
    assert!(keys.is_sorted_by_key(|key| (key.scheme(), key.as_bytes().to_vec())));
    assert_eq!(size_of::<PublicKey>(), 49);
}

#[test]
fn possession_is_proved_for_one_ledger_set_operator_and_key() {
    for scheme in SCHEMES {
        let key = secret(scheme, 1).public_key();
        let proof = secret(scheme, 1).prove_possession(&LEDGER, 2, 3);
        let mismatch = Err(SignatureError::Mismatch { scheme });
        assert_eq!(verify_possession(&key, &LEDGER, 2, 3, &proof), Ok(()));
        assert_eq!(verify_possession(&key, &[8; 32], 2, 3, &proof), mismatch);
        assert_eq!(verify_possession(&key, &LEDGER, 3, 2, &proof), mismatch);
        assert_eq!(verify_possession(&key, &LEDGER, 2, 4, &proof), mismatch);
        let stranger = secret(scheme, 2);
        assert_eq!(verify_possession(&stranger.public_key(), &LEDGER, 2, 3, &proof), mismatch);
        assert_eq!(
            verify_possession(&key, &LEDGER, 2, 3, &stranger.prove_possession(&LEDGER, 2, 3)),
            mismatch
        );
    }
}

#[test]
fn a_signed_message_proves_no_possession_of_a_bls12381_key() {
    let secret = secret(Scheme::Bls12381, 1);
    let key = secret.public_key();
    let message = possession_bytes(&key, &LEDGER, 2, 3);
    let mismatch = Err(SignatureError::Mismatch { scheme: Scheme::Bls12381 });
    assert_eq!(verify_possession(&key, &LEDGER, 2, 3, &secret.sign(&message)), mismatch);
    assert_eq!(verify(&key, &message, &secret.prove_possession(&LEDGER, 2, 3)), mismatch);
}

#[test]
fn possession_bytes_are_frozen() {
    let key = secret(Scheme::Ed25519, 1).public_key();
    assert_eq!(
        hex::encode(possession_bytes(&key, &LEDGER, 0x0102_0304, 0x0506_0708)),
        [
            "7375726574792f706f7373657373696f6e2f7631",
            "0707070707070707070707070707070707070707070707070707070707070707",
            "01020304",
            "05060708",
            "02",
            "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
        ]
        .concat()
    );
}

#[test]
fn an_aggregate_needs_all_its_signers_and_no_other() {
    let scheme = Scheme::Bls12381;
    let secrets: Vec<SecretKey> = (1..=4).map(|seed| secret(scheme, seed)).collect();
    let keys: Vec<PublicKey> = secrets.iter().map(SecretKey::public_key).collect();
    let signatures: Vec<Signature> = secrets.iter().map(|secret| secret.sign(b"message")).collect();
    let total = aggregate(&signatures[..3]).unwrap();
    let check = |keys: &[PublicKey], message: &[u8]| verify_aggregate(keys.iter(), message, &total);
    let mismatch = Err(SignatureError::Mismatch { scheme });

    assert_eq!(check(&keys[..3], b"message"), Ok(()));
    assert_eq!(verify_aggregate(keys[..3].iter().rev(), b"message", &total), Ok(()));
    assert_eq!(verify_aggregate(keys[..1].iter(), b"message", &signatures[0]), Ok(()));
    assert_eq!(check(&keys[..2], b"message"), mismatch);
    assert_eq!(check(&keys, b"message"), mismatch);
    assert_eq!(check(&keys[1..], b"message"), mismatch);
    assert_eq!(check(&keys[..3], b"messagf"), mismatch);
    assert_eq!(aggregate(&[]), Err(SignatureError::NoKeys));
}

#[test]
fn each_bad_aggregate_has_its_refusal() {
    let (bls, ed) = (Scheme::Bls12381, Scheme::Ed25519);
    let (first, second) = (secret(bls, 1), secret(bls, 2));
    let keys = [first.public_key(), second.public_key(), secret(ed, 1).public_key()];
    let (one, two, foreign) = (&keys[0], &keys[1], &keys[2]);
    let total = aggregate(&[first.sign(b"m"), second.sign(b"m")]).unwrap();
    let short = secret(ed, 1).sign(b"m");
    let check =
        |keys: &[&PublicKey], signature: &Signature| verify_aggregate(keys.iter().copied(), b"m", signature);
    let crowd = vec![one; AGGREGATE_KEYS_MAX + 1];
    let too_many = Err(SignatureError::TooManyKeys { limit: 1024 });
    let foreign_at = |index| Err(SignatureError::SchemeDoesNotAggregate { index, scheme: ed });

    assert_eq!(check(&[one, two], &total), Ok(()));
    assert_eq!(check(&crowd, &total), too_many);
    assert_eq!(check(&[foreign], &total), foreign_at(0));
    assert_eq!(check(&[], &total), Err(SignatureError::NoKeys));
    assert_eq!(
        check(&[one, two], &short),
        Err(SignatureError::Length { scheme: bls, expected: 96, actual: 64 })
    );
    // Two at once: the earlier check speaks.
    assert_eq!(check(&[one, foreign], &short), foreign_at(1));
    assert_eq!(check(&[], &short), Err(SignatureError::NoKeys));
    assert_eq!(check(&[vec![foreign], crowd.clone()].concat(), &total), foreign_at(0));
    assert_eq!(check(&[crowd, vec![foreign]].concat(), &total), too_many);
    // As many keys as there may be.
    let full = vec![one; AGGREGATE_KEYS_MAX];
    assert_eq!(check(&full, &aggregate(&vec![first.sign(b"m"); AGGREGATE_KEYS_MAX]).unwrap()), Ok(()));
}

/// Keys `A` and `-A` add up to nothing. They prove nothing alone, but hang on to what others signed: the reason why
/// an aggregate is no evidence against a single key.
#[test]
fn keys_that_cancel_out_sign_nothing_alone() {
    let scheme = Scheme::Bls12381;
    let key = secret(scheme, 1).public_key();
    let mut negated = key.as_bytes().to_vec();
    negated[0] ^= 0x20;
    let negated = PublicKey::new(scheme, &negated).unwrap();
    let honest = secret(scheme, 2);
    let signature = honest.sign(b"m");

    let pair = [key.clone(), negated.clone()];
    assert_eq!(
        verify_aggregate(pair.iter(), b"m", &Signature::new(&infinity(96)).unwrap()),
        Err(SignatureError::Infinity { scheme })
    );
    assert_eq!(verify_aggregate(pair.iter(), b"m", &signature), Err(SignatureError::Mismatch { scheme }));
    assert_eq!(verify_aggregate([honest.public_key(), key, negated].iter(), b"m", &signature), Ok(()));
}

/// The attack that [`verify_possession`] closes: a key made from another's, whose aggregate with it has a known secret.
#[test]
fn a_rogue_key_proves_no_possession() {
    let scheme = Scheme::Bls12381;
    let victim = secret(scheme, 1).public_key();
    let attacker = secret(scheme, 2);
    let point = |key: &PublicKey| blst::min_pk::PublicKey::uncompress(key.as_bytes()).unwrap();
    let mut rogue = blst::min_pk::AggregatePublicKey::from_public_key(&point(&attacker.public_key()));
    rogue.sub_aggregate(&blst::min_pk::AggregatePublicKey::from_public_key(&point(&victim)));
    let rogue = PublicKey::new(scheme, &rogue.to_public_key().compress()).unwrap();

    let forged = attacker.sign(b"m");
    assert_eq!(verify_aggregate([victim, rogue.clone()].iter(), b"m", &forged), Ok(()));
    assert_eq!(
        verify_possession(&rogue, &LEDGER, 1, 1, &attacker.prove_possession(&LEDGER, 1, 1)),
        Err(SignatureError::Mismatch { scheme })
    );
}
