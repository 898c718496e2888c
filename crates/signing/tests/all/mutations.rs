//! Ten thousand random changes of signed operations: none is taken for something that its signer did not sign.

use evidence::{PublicKey, Scheme, address_of};
use protocol::units::Address;
use protocol::{Operation, Signer};
use signing::{Domain, Draft, Seal, Signature, SignedOperation, json, seal_with, verify};

use crate::fixtures::{Dice, altered, domain, draft, operations, secret};

const ROUNDS: usize = 10_000;

/// What a key signed.
struct Original {
    signed: SignedOperation,
    keys: Vec<(PublicKey, u64)>,
}

fn originals() -> Vec<Original> {
    let secrets = [secret(Scheme::Secp256k1, 1), secret(Scheme::Ed25519, 2), secret(Scheme::Secp256k1, 3)];
    let mut originals = Vec::new();
    for (number, operation) in operations().into_iter().enumerate() {
        let mut draft = draft(operation);
        draft.delegate = (number % 3 == 0).then_some(Address([0x22; 20]));
        let first = u64::try_from(number).expect("few") * 10;
        let sealed = secrets.iter().take(1 + number % 3).zip(first..);
        let seals =
            sealed.clone().map(|(secret, nonce)| seal_with(secret, &domain(), &draft, nonce).unwrap());
        let seals = seals.collect();
        let signed = draft.seal(seals);
        let keys = sealed.map(|(secret, nonce)| (secret.public_key(), nonce)).collect();
        originals.push(Original { signed, keys });
    }
    originals
}

#[test]
fn no_change_of_a_signed_operation_is_accepted() {
    let originals = originals();
    let honest: Vec<PublicKey> =
        originals.iter().flat_map(|original| &original.keys).map(|(key, _)| key.clone()).collect();
    let mut dice = Dice(20_261_121);
    let (mut undecoded, mut unverified, mut by_others, mut same) = (0, 0, 0, 0);
    for round in 0..ROUNDS {
        let original = &originals[dice.below(originals.len())];
        let mut here = domain();
        let changed = match dice.below(3) {
            0 => change_fields(&originals, original, &mut here, &mut dice),
            _ => {
                let mut bytes = original.signed.encode();
                for _ in 0..=dice.below(2) {
                    change_bytes(&mut bytes, &mut dice);
                }
                SignedOperation::decode(&bytes).ok()
            }
        };
        let Some(changed) = changed else {
            undecoded += 1;
            continue;
        };
        let Ok(authority) = verify(&here, &changed) else {
            unverified += 1;
            continue;
        };
        let keys = match &authority.signer {
            Signer::Plain => &Vec::new(),
            Signer::Keys(keys) | Signer::Delegate { keys, .. } => keys,
        };
        let accepted: Vec<_> = keys.iter().filter(|used| honest.contains(used.key())).collect();
        if accepted.is_empty() {
            // By keys that nobody has, and which belong to no account here.
            assert!(
                keys.iter().all(|used| address_of(used.key()) != Some(changed.account.0)),
                "round {round}"
            );
            by_others += 1;
            continue;
        }
        for used in accepted {
            let signed = (used.key().clone(), used.nonce);
            let meant = originals.iter().any(|original| {
                original.keys.contains(&signed)
                    && original.signed.draft() == changed.draft()
                    && here == domain()
            });
            assert!(
                meant,
                "round {round}: {} did not sign this with nonce {}: {changed:?}",
                used.key(),
                used.nonce
            );
        }
        same += 1;
    }
    // Dropping or repeating a seal and the like change nothing that was signed.
    assert_eq!(undecoded + unverified + by_others + same, ROUNDS);
    assert!(undecoded > 1000 && unverified > 500 && by_others > 1000, "{undecoded} {unverified} {by_others}");
    assert!(same < ROUNDS / 20, "{same} changes changed nothing");
}

fn change_bytes(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(bytes.len());
    match dice.below(6) {
        0 | 1 => bytes[at] ^= 1 << dice.below(8),
        2 => bytes[at] = u8::try_from(dice.below(256)).expect("a byte"),
        3 => drop(bytes.remove(at)),
        4 => bytes.insert(at, u8::try_from(dice.below(256)).expect("a byte")),
        _ => {
            let other = dice.below(bytes.len());
            bytes.swap(at, other);
        }
    }
}

/// The same seals under something else, or other seals under the same.
fn change_fields(
    originals: &[Original],
    original: &Original,
    here: &mut Domain,
    dice: &mut Dice,
) -> Option<SignedOperation> {
    let mut changed = original.signed.clone();
    let other = &originals[dice.below(originals.len())].signed;
    let one = usize::from(dice.below(2) == 0);
    match dice.below(12) {
        0 => changed.account.0[dice.below(20)] ^= 1 << dice.below(8),
        1 => changed.delegate = if changed.delegate.is_some() { None } else { Some(Address([0x33; 20])) },
        2 => changed.expires ^= 1 << dice.below(64),
        3 => changed.operation = other_operation(&changed.operation, dice)?,
        4 => changed.operation = other.operation.clone(),
        5 => changed.seals = other.seals.clone(),
        6 => changed.seals.iter_mut().for_each(|seal| seal.nonce ^= 1 << dice.below(64)),
        7 => changed.seals.iter_mut().for_each(|seal| change_signature(seal, dice)),
        8 => here.chain_id ^= 1 << dice.below(64),
        9 => here.custody.0[dice.below(20)] ^= 1 << dice.below(8),
        10 => here.ledger.push(if one == 0 { ' ' } else { '1' }),
        _ => changed.seals.extend(changed.seals.first().cloned()),
    }
    Some(changed)
}

/// One figure of the operation is another.
fn other_operation(operation: &Operation, dice: &mut Dice) -> Option<Operation> {
    let altered = altered(&json::operation_to_json(operation));
    let (_, value) = altered.get(dice.below(altered.len()))?;
    json::operation_from_json(value).ok()
}

fn change_signature(seal: &mut Seal, dice: &mut Dice) {
    match &mut seal.signature {
        Signature::Secp256k1(signature) => match dice.below(4) {
            // The other parity is another key; the mirrored s is not canonical.
            0 => signature[64] = 55 - signature[64],
            1 => signature[64] -= 27,
            _ => signature[dice.below(65)] ^= 1 << dice.below(8),
        },
        Signature::Ed25519 { key, signature } => match dice.below(2) {
            0 => key[dice.below(32)] ^= 1 << dice.below(8),
            _ => signature[dice.below(64)] ^= 1 << dice.below(8),
        },
    }
}

/// High s recovers the same key, so it must be refused by its form.
#[test]
fn the_mirrored_signature_is_refused() {
    let draft: Draft = draft(operations().remove(0));
    let secret = secret(Scheme::Secp256k1, 1);
    let mut seal = seal_with(&secret, &domain(), &draft, 1).unwrap();
    let Signature::Secp256k1(signature) = &mut seal.signature else { panic!("a person's") };
    // The order of the curve less s.
    let order = hex::decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141").unwrap();
    let mut borrow = 0;
    for place in (0..32).rev() {
        let difference = i32::from(order[place]) - i32::from(signature[32 + place]) - borrow;
        borrow = i32::from(difference < 0);
        signature[32 + place] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    signature[64] = 55 - signature[64];
    let error = verify(&domain(), &draft.seal(vec![seal])).unwrap_err();
    assert!(error.to_string().contains("upper half"), "{error}");
}
