//! A set's certificates: an aggregate signature and a bitmap, checked against the stake table of their epoch.

use evidence::signing::{SecretKey, aggregate};
use evidence::{Bitmap, Certificate, Scheme};
use protocol::genesis::Genesis;
use protocol::units::{Address, Amount, AssetId, Fraction, OperatorId, SetId};
use protocol::{Authority, Kind, Operation, Signer, State, advance_epoch, apply, invariants};
use serde_json::{Value, json};

const LEDGER: [u8; 32] = [0; 32];

fn address(number: u8) -> Address {
    Address([number; 20])
}

fn must(state: &mut State, sender: u8, kind: Kind, body: Value) {
    let operation = Operation::deserialize_body(kind, &body).expect("an operation");
    let authority = Authority { account: address(sender), signer: Signer::Plain, expires: u64::MAX };
    apply(state, &authority, &operation).unwrap_or_else(|refusal| panic!("{kind}: {refusal}"));
    invariants::check(state).expect("every invariant holds");
}

fn key(operator: u32) -> SecretKey {
    SecretKey::from_seed(Scheme::Bls12381, [u8::try_from(operator + 1).expect("few"); 32])
}

/// Three operators with stakes of 100, 200 and 300 in one set.
fn network() -> State {
    let mut state = State::new(Genesis::development()).expect("a genesis");
    must(&mut state, 9, Kind::ListAsset, json!({"origin": {"chain": 1, "contract": ""}, "decimals": 18}));
    must(&mut state, 9, Kind::CreateService, json!({}));
    let terms = json!({
        "assets": [{"asset": 0, "weight": 1_000_000_000}], "admission": {"operators_max": 10}, "window_cap": "1",
        "offences": {"equivocation": "1"}, "slasher": address(9).to_string(), "quorum": "0.75", "corruption_share": "0.5"
    });
    must(&mut state, 9, Kind::CreateSet, json!({"terms": terms}));
    for operator in 0..3_u32 {
        let sender = u8::try_from(operator + 1).expect("few");
        must(&mut state, sender, Kind::RegisterOperator, json!({}));
        must(&mut state, sender, Kind::OpenPool, json!({"asset": 0, "mandate": {"worst_case": "1"}}));
        let terms = state.terms_digest(SetId::new(0)).expect("a set").to_string();
        let join = json!({"set": 0, "terms": terms, "allocations": [{"asset": 0, "parts": 256}]});
        must(&mut state, sender, Kind::JoinSet, join);
        let possession = key(operator).prove_possession(&LEDGER, 0, operator);
        let register =
            json!({"set": 0, "key": key(operator).public_key().to_string(), "possession": possession});
        must(&mut state, sender, Kind::RegisterKey, register);
        let amount = (u128::from(operator) + 1) * 100;
        must(&mut state, sender, Kind::Deposit, json!({"asset": 0, "amount": amount.to_string()}));
        let mandate = state.mandate_digest(OperatorId::new(operator), AssetId::new(0)).expect("a pool");
        let delegate = json!({
            "operator": operator, "asset": 0, "amount": amount.to_string(), "mandate": mandate.to_string(), "worst_case": "1"
        });
        must(&mut state, sender, Kind::Delegate, delegate);
    }
    advance_epoch(&mut state);
    state
}

fn certificate(epoch: u32, message: u8, signers: &[u32]) -> Certificate {
    let mut certificate = Certificate {
        set: 0,
        epoch,
        message: [message; 32],
        signers: Bitmap::from_indexes(signers.iter().map(|index| *index as usize)).expect("few"),
        signature: aggregate(&[key(0).sign(b"")]).expect("one"),
    };
    let bytes = certificate.signing_bytes(&LEDGER);
    let signatures: Vec<_> = signers.iter().map(|signer| key(*signer).sign(&bytes)).collect();
    certificate.signature = aggregate(&signatures).expect("some");
    certificate
}

#[test]
fn a_certificate_tells_who_signed_and_what_they_weigh() {
    let state = network();
    let backing = state.check_certificate(&certificate(1, 7, &[0, 2])).expect("a certificate");
    assert_eq!(backing.signers, [OperatorId::new(0), OperatorId::new(2)]);
    assert_eq!(backing.weight, Amount::new(400));
    assert_eq!(backing.share, Fraction::from_steps(666_666_666_666_666_666).expect("a fraction"));
}

#[test]
fn a_changed_certificate_proves_nothing() {
    let state = network();
    let good = certificate(1, 7, &[0, 2]);
    let refused =
        |certificate: Certificate| state.check_certificate(&certificate).expect_err("refused").name();
    assert_eq!(refused(Certificate { message: [8; 32], ..good.clone() }), "SignatureRefused");
    let others = Bitmap::from_indexes([0, 1]).expect("few");
    assert_eq!(refused(Certificate { signers: others, ..good.clone() }), "SignatureRefused");
    assert_eq!(refused(Certificate { set: 1, ..good.clone() }), "SetNotFound");
    assert_eq!(refused(Certificate { epoch: 2, ..good.clone() }), "EpochInFuture");
    assert_eq!(refused(Certificate { epoch: 0, ..good }), "NoTable");
}

#[test]
fn a_certificate_is_valid_as_long_as_its_signers_can_be_punished() {
    let mut state = network();
    let window = state.parameters().slash_window;
    (0..window).for_each(|_| drop(advance_epoch(&mut state)));
    assert!(state.check_certificate(&certificate(1, 7, &[1])).is_ok());
    advance_epoch(&mut state);
    assert_eq!(state.check_certificate(&certificate(1, 7, &[1])).expect_err("refused").name(), "Expired");
}
