//! Who may sign for an account before it has named keys, and how often a signature counts.

use evidence::{Scheme, SecretKey, address_of};
use protocol::genesis::Genesis;
use protocol::ops::{
    claim::Claim, deposit::Deposit, list_asset::ListAsset, set_keys::SetKeys, withdraw::Withdraw,
};
use protocol::units::{Address, Amount, AssetId};
use protocol::{AssetKind, Authority, KeyUse, Operation, Origin, RateSource, Refusal, Signer, State, apply};

const DAY: u64 = 24 * 60 * 60 * 1000;
const NOW: u64 = 1_800_000_000_000;
const ETH: AssetId = AssetId::new(0);

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(Scheme::Secp256k1, [number; 32])
}

fn own_address(key: &SecretKey) -> Address {
    Address(address_of(&key.public_key()).expect("a key of people"))
}

/// A ledger at `NOW`, with an asset, and 1000 of it for the account of key 1.
fn ledger() -> State {
    let mut state = State::new(Genesis::development()).expect("the development genesis");
    state.begin_block(NOW);
    let origin = Origin { chain: 1, contract: String::new() };
    let list = ListAsset { origin, decimals: 18, kind: AssetKind::Token, rate: RateSource::One };
    let governor = state.genesis().governor;
    let plain = |account| Authority { account, signer: Signer::Plain, expires: u64::MAX };
    apply(&mut state, &plain(governor), &Operation::ListAsset(list)).expect("the first asset");
    let deposit = Deposit {
        account: Some(own_address(&key(1))),
        asset: ETH,
        amount: Amount::new(1_000),
        index: None,
        proof: Default::default(),
    };
    apply(&mut state, &plain(governor), &Operation::Deposit(deposit)).expect("a deposit");
    state
}

fn signed(account: Address, key: &SecretKey, nonce: u64, expires: u64) -> Authority {
    let used = vec![KeyUse { key: key.public_key(), nonce }];
    Authority { account, signer: Signer::Keys(used), expires }
}

fn code(outcome: Result<Vec<protocol::Event>, Refusal>) -> String {
    outcome.map_or_else(|refusal| refusal.code(), |_| "ok".to_owned())
}

/// An operation of the windowed class that is refused for want of anything to claim: its nonce counts all the same.
fn windowed() -> Operation {
    Operation::Claim(Claim { account: None, operator: None, asset: None, token: Some(ETH), to: None })
}

fn ordered() -> Operation {
    Operation::Withdraw(Withdraw { asset: ETH, amount: Amount::new(1), to: "0xab".to_owned() })
}

#[test]
fn an_account_is_its_own_key_until_it_names_others() {
    let (mut state, own, other) = (ledger(), key(1), key(2));
    let account = own_address(&own);
    let by_other = signed(account, &other, 0, u64::MAX);
    assert_eq!(code(apply(&mut state, &by_other, &ordered())), "authority.NoKeySet");
    assert_eq!(code(apply(&mut state, &signed(account, &own, 0, u64::MAX), &ordered())), "ok");

    let keys = SetKeys { keys: vec![other.public_key()], threshold: 1 };
    let set = signed(account, &own, 1, u64::MAX);
    assert_eq!(code(apply(&mut state, &set, &Operation::SetKeys(keys))), "ok");
    let by_own = signed(account, &own, 2, u64::MAX);
    assert_eq!(code(apply(&mut state, &by_own, &ordered())), "authority.KeyNotOfAccount");
    assert_eq!(code(apply(&mut state, &by_other, &ordered())), "ok");
}

#[test]
fn keys_of_duties_own_no_account() {
    let duty = SecretKey::from_seed(Scheme::Bls12381, [1; 32]).public_key();
    assert_eq!(address_of(&duty), None);
    let (mut state, own) = (ledger(), key(1));
    let keys = Operation::SetKeys(SetKeys { keys: vec![duty], threshold: 1 });
    let set = signed(own_address(&own), &own, 0, u64::MAX);
    assert_eq!(code(apply(&mut state, &set, &keys)), "set_keys.WrongScheme");
}

#[test]
fn whoever_the_ledger_never_heard_of_leaves_nothing_behind() {
    let (mut state, stranger) = (ledger(), key(7));
    let account = own_address(&stranger);
    let before = state.keys();
    for _ in 0..3 {
        let outcome = apply(&mut state, &signed(account, &stranger, NOW, u64::MAX), &windowed());
        assert!(outcome.is_err());
    }
    assert_eq!(state.keys(), before);
}

#[test]
fn ordered_operations_happen_in_the_order_in_which_they_were_signed() {
    let (mut state, own) = (ledger(), key(1));
    let account = own_address(&own);
    let cases = [
        (1, "authority.WrongNonce"),
        (0, "ok"),
        (0, "authority.WrongNonce"),
        (NOW, "authority.WrongNonce"),
        (1, "ok"),
    ];
    for (nonce, expected) in cases {
        let outcome = apply(&mut state, &signed(account, &own, nonce, u64::MAX), &ordered());
        assert_eq!(code(outcome), expected, "nonce {nonce}");
    }
}

#[test]
fn a_windowed_nonce_counts_once_near_its_time_and_above_the_least_of_64() {
    let (mut state, own) = (ledger(), key(1));
    let account = own_address(&own);
    let mut run = |nonce: u64| code(apply(&mut state, &signed(account, &own, nonce, u64::MAX), &windowed()));
    let counted = run(NOW);
    assert!(!counted.starts_with("authority."), "{counted}");
    assert_eq!(run(NOW), "authority.NonceUsed");
    assert_eq!(run(NOW - DAY - 1), "authority.NonceOutsideWindow");
    assert_eq!(run(NOW + DAY + 1), "authority.NonceOutsideWindow");
    assert_eq!(run(NOW - DAY), counted);
    for nonce in 1..=63 {
        assert_eq!(run(NOW + nonce), counted, "nonce {nonce}");
    }
    // 64 are kept: NOW ..= NOW + 63.
    assert_eq!(run(NOW - 1), "authority.NonceTooLow");
    assert_eq!(run(NOW), "authority.NonceUsed");
    assert_eq!(run(NOW + DAY), counted);
    assert_eq!(run(NOW), "authority.NonceTooLow");
}

#[test]
fn a_nonce_that_was_forgotten_can_not_come_again() {
    let (mut state, own) = (ledger(), key(1));
    let account = own_address(&own);
    let use_nonce = |state: &mut State, nonce: u64| {
        code(apply(state, &signed(account, &own, nonce, u64::MAX), &windowed()))
    };
    let counted = use_nonce(&mut state, NOW);
    state.begin_block(NOW + DAY);
    assert_eq!(use_nonce(&mut state, NOW), "authority.NonceUsed");
    state.begin_block(NOW + DAY + 1);
    assert_eq!(use_nonce(&mut state, NOW + DAY), counted);
    assert_eq!(use_nonce(&mut state, NOW), "authority.NonceOutsideWindow");
    // Times never go back, so neither does the window.
    state.begin_block(NOW);
    assert_eq!(state.time(), NOW + DAY + 1);
}

#[test]
fn what_has_expired_is_no_operation() {
    let (mut state, own) = (ledger(), key(1));
    let account = own_address(&own);
    for (expires, expected) in [(NOW - 1, "authority.Expired"), (NOW, "ok")] {
        let outcome = apply(&mut state, &signed(account, &own, 0, expires), &ordered());
        assert_eq!(code(outcome), expected, "expires {expires}");
    }
}

#[test]
fn who_keeps_operations_until_their_turn_takes_later_numbers_and_no_strangers() {
    let (state, own, other) = (ledger(), key(1), key(2));
    let account = own_address(&own);
    let screened = |authority: &Authority, operation: &Operation| {
        protocol::authority::screen(&state, authority, operation)
            .map_or_else(|refused| refused.name(), |()| "ok")
    };
    let cases = [
        (signed(account, &own, 0, u64::MAX), ordered(), "ok"),
        (signed(account, &own, 7, u64::MAX), ordered(), "ok"),
        (signed(account, &own, NOW, u64::MAX), windowed(), "ok"),
        (signed(account, &own, NOW + 2 * DAY, u64::MAX), windowed(), "NonceOutsideWindow"),
        (signed(account, &own, 0, NOW - 1), ordered(), "Expired"),
        (signed(account, &other, 0, u64::MAX), ordered(), "NoKeySet"),
    ];
    for (authority, operation, expected) in cases {
        assert_eq!(screened(&authority, &operation), expected, "{authority:?}");
    }
    assert!(state.knows(account) && !state.knows(own_address(&other)));
}

#[test]
fn readers_see_what_the_next_signature_must_carry() {
    let (mut state, own) = (ledger(), key(1));
    let account = own_address(&own);
    for (nonce, operation) in [(0, ordered()), (NOW + 5, windowed()), (NOW + 2, windowed()), (1, ordered())] {
        let _counted = apply(&mut state, &signed(account, &own, nonce, u64::MAX), &operation);
    }
    let nonces = protocol::query::account(&state, account).expect("an account with funds").nonces;
    let [view] = nonces.try_into().expect("one key has signed");
    let expected = (own.public_key(), 2, 2, Some(NOW + 2), Some(NOW + 5));
    assert_eq!((view.key, view.next, view.used, view.lowest_used, view.highest_used), expected);
}

#[test]
fn a_rehearsal_does_what_the_operation_does_and_asks_nobody_for_keys() {
    let (state, own) = (ledger(), key(1));
    let account = own_address(&own);
    let rehearsed = protocol::rehearse(&mut state.clone(), account, None, &ordered());
    let applied = apply(&mut state.clone(), &signed(account, &own, 0, u64::MAX), &ordered());
    assert_eq!(rehearsed, applied);
    assert!(rehearsed.is_ok());
    let by_delegate = protocol::rehearse(&mut state.clone(), account, Some(own_address(&key(2))), &ordered());
    assert_eq!(code(by_delegate), "authority.NotADelegate");
}
