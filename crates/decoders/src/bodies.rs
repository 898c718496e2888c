//! What is done with the bytes.

use ledger::{Block, Genesis, Header, Proof};
use protocol::entries::Key;
use protocol::{Operation, State};
use serde_json::Value;
use signing::bundle::Bundle;
use signing::{Domain, SignedOperation, json};

/// The canonical bytes of an operation.
pub fn operation(bytes: &[u8]) -> bool {
    let Ok(operation) = Operation::decode(bytes) else { return false };
    assert_eq!(operation.encode(), bytes, "an operation has one form");
    // What people are shown of it.
    let action = signing::action(&operation);
    assert!(!action.is_empty() && action.chars().all(|letter| !letter.is_control()), "{action:?}");
    let value = json::operation_to_json(&operation);
    assert_eq!(json::operation_from_json(&value).as_ref(), Ok(&operation), "{value}");
    true
}

fn value(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok()
}

/// An operation as JSON.
pub fn operation_json(bytes: &[u8]) -> bool {
    let Some(Ok(taken)) = value(bytes).map(|value| json::operation_from_json(&value)) else { return false };
    let again = json::operation_from_json(&json::operation_to_json(&taken));
    assert_eq!(again.as_ref(), Ok(&taken));
    true
}

/// The ledger that seeds are signed for.
pub(crate) fn domain() -> Domain {
    let custody = protocol::units::Address([0xcc; 20]);
    Domain { chain_id: 560_048, custody, ledger: "seeds:00000000".to_owned() }
}

/// The canonical bytes of a signed operation, as they come over the wire and stand in blocks.
pub fn signed_operation(bytes: &[u8]) -> bool {
    let Ok(signed) = SignedOperation::decode(bytes) else { return false };
    assert_eq!(signed.encode(), bytes, "an envelope has one form");
    // Whoever it is by: that is said without a panic.
    drop(signing::verify(&domain(), &signed));
    drop(ledger::Verified::check(&domain(), bytes.to_vec()));
    true
}

/// A signed operation as JSON.
pub fn signed_json(bytes: &[u8]) -> bool {
    let Some(Ok(taken)) = value(bytes).map(|value| json::signed_from_json(&value)) else { return false };
    assert_eq!(json::signed_from_json(&json::signed_to_json(&taken)).as_ref(), Ok(&taken));
    // JSON may name seals in any order, and twice; bytes may not.
    if let Ok(again) = SignedOperation::decode(&taken.encode()) {
        assert_eq!(again.encode(), taken.encode());
    }
    true
}

/// A draft with its seals as a file.
pub fn bundle(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(taken) = Bundle::from_json(text) else { return false };
    let value = taken.to_json();
    assert_eq!(Bundle::from_value(&value).as_ref(), Ok(&taken), "{value}");
    drop(taken.into_signed().encode());
    true
}

/// The header of a block.
pub fn header(bytes: &[u8]) -> bool {
    let Ok(taken) = Header::decode(bytes) else { return false };
    assert_eq!(taken.encode(), bytes, "a header has one form");
    true
}

/// A block from elsewhere.
pub fn block(bytes: &[u8]) -> bool {
    let Ok(taken) = Block::decode(bytes) else { return false };
    assert_eq!(taken.encode(), bytes, "a block has one form");
    std::hint::black_box(taken.operations_root());
    true
}

/// A genesis file.
pub fn genesis(bytes: &[u8]) -> bool {
    let Ok(taken) = Genesis::from_json(bytes) else { return false };
    assert_eq!(Genesis::from_json(taken.to_json().as_bytes()).as_ref(), Ok(&taken));
    std::hint::black_box(taken.digest());
    true
}

/// A proof file, checked against its own header.
pub fn proof(bytes: &[u8]) -> bool {
    let Ok(taken) = Proof::from_json(bytes) else { return false };
    assert_eq!(Proof::from_json(taken.to_json().as_bytes()).as_ref(), Ok(&taken));
    drop(taken.verify(&taken.header().digest(), store::verify_entry));
    true
}

/// A proof of an entry: root (32 bytes), key (32), a byte that says whether there is a value, its length (2) and bytes, and the proof. Whether it
/// holds.
pub fn entry_proof(bytes: &[u8]) -> bool {
    let Some((root, rest)) = bytes.split_first_chunk::<32>() else { return false };
    let Some((key, rest)) = rest.split_first_chunk::<32>() else { return false };
    let (value, proof) = match rest {
        [1, high, low, rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
            let (value, proof) = rest.split_at(length);
            (Some(value), proof)
        }
        [_, rest @ ..] => (None, rest),
        [] => return false,
    };
    store::verify(root, key, value, proof).is_ok()
}

/// The key of an entry: as text, or as its 32 bytes.
pub fn key(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<Key>().ok());
    let whole = bytes.try_into().ok().and_then(|bytes: &[u8; 32]| Key::from_bytes(bytes));
    for taken in text.iter().chain(&whole) {
        assert_eq!(taken.to_string().parse::<Key>().as_ref(), Ok(taken));
        assert_eq!(Key::from_bytes(&taken.to_bytes()).as_ref(), Some(taken));
    }
    if let Some(taken) = whole {
        assert_eq!(taken.to_bytes(), bytes, "a key has one form");
    }
    text.is_some() || whole.is_some()
}

/// The bytes of an entry: the key's text, a zero byte, and the record, in a state that has nothing else but the first entries of all.
pub fn entry(bytes: &[u8]) -> bool {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let (Some(key), Some(record)) = (parts.next(), parts.next()) else { return false };
    let Some(key) = std::str::from_utf8(key).ok().and_then(|text| text.parse::<Key>().ok()) else {
        return false;
    };
    let others = crate::seeds::state_entries().into_iter().filter(|(other, _)| *other != key);
    let restored = State::restore(others.chain([(key, record.to_vec())]));
    let Ok(state) = restored else { return false };
    // Entries stand under a root, so another form of one is nobody's to choose. What is taken can be written.
    state.entry(&key).is_some()
}

/// A key file of any tool, without its password.
pub fn key_file(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    keystore::look(text).is_ok()
}
