use protocol::units::Address;
use protocol::{Operation, ops::revoke::Revoke};
use signing::key_of;

use super::*;

fn draft() -> (Domain, Draft) {
    let domain = Domain { chain_id: 1, custody: Address([0xc5; 20]), ledger: "main:0a1b2c3d".to_owned() };
    let operation = Operation::Revoke(Revoke { delegate: Address([2; 20]) });
    (domain, Draft { account: Address([1; 20]), delegate: None, expires: 5, operation })
}

#[test]
fn unlocked_keys_seal() {
    let (domain, draft) = draft();
    for scheme in [Scheme::Secp256k1, Scheme::Ed25519] {
        let signer = LocalSigner::of("alice", &Secret::generate(scheme).unwrap());
        let seal = signer.seal(&domain, &draft, 3).unwrap();
        assert_eq!(key_of(&domain, &draft, &seal).as_ref(), Ok(signer.public_key()));
    }
}

#[test]
fn a_bls_key_signs_on_duty_and_seals_nothing() {
    let (domain, draft) = draft();
    let signer = LocalSigner::of("olga", &Secret::generate(Scheme::Bls12381).unwrap());
    let refused = signer.seal(&domain, &draft, 3).unwrap_err().to_string();
    assert!(refused.contains("bls12381 key seals no operations"), "{refused}");
    let key = signer.public_key();
    assert_eq!(evidence::verify(key, b"duty", &signer.sign(b"duty")), Ok(()));
    let proof = signer.prove_possession(&[7; 32], 1, 2);
    assert_eq!(evidence::verify_possession(key, &[7; 32], 1, 2, &proof), Ok(()));
}

#[test]
fn a_signer_shows_its_public_key_only() {
    let secret = Secret::generate(Scheme::Ed25519).unwrap();
    let shown = format!("{:?}", LocalSigner::of("alice", &secret));
    assert!(shown.contains("alice") && shown.contains(&secret.public_key().to_string()), "{shown}");
    assert!(!shown.contains(&hex::encode(secret.expose())), "{shown}");
}
