//! Texts and bytes.

use evidence::ethereum::{Bootstrap, LightClient, Update};
use fixtures::Told;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{LATE, PERIOD, WORLD, client};

/// Both forms read back as what they were written from.
fn survives<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) -> (String, Vec<u8>) {
    let text = serde_json::to_string(value).unwrap();
    let bytes = postcard::to_stdvec(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value);
    assert_eq!(&postcard::from_bytes::<T>(&bytes).unwrap(), value);
    (text, bytes)
}

#[test]
fn what_is_told_survives_both_forms_and_is_as_short_as_it_can_be() {
    let (_, bootstrap) = WORLD.bootstrap(4 * PERIOD + 64);
    // Header 102 (slot and proposer take 3 bytes each), hash and 12 siblings, 513 keys of 48 bytes and their number, 11 siblings.
    let (text, bytes) = survives(&bootstrap);
    assert_eq!(bytes.len(), 102 + 32 + 1 + 11 * 32 + 2 + 513 * 48 + 1 + 11 * 32);
    assert!(text.contains("\"pubkeys\":[\"0x") && text.contains("\"slot\":\"32832\""), "{}", &text[..200]);
    let strict = text.replacen("\"slot\"", "\"more\":1,\"slot\"", 1);
    assert!(serde_json::from_str::<Bootstrap>(&strict).is_err(), "unknown fields");
    let strict = text.replacen("\"32832\"", "32832", 1);
    assert!(serde_json::from_str::<Bootstrap>(&strict).is_err(), "numbers are texts");
    let strict = text.replacen("\"32832\"", "\"032832\"", 1);
    assert!(serde_json::from_str::<Bootstrap>(&strict).is_err(), "with one form");
    let strict = text.replacen("\"pubkeys\":[", "\"pubkeys\":[\"0x00\",", 1);
    assert!(serde_json::from_str::<Bootstrap>(&strict).is_err(), "keys have 48 bytes");

    let (_, bytes) = survives(&WORLD.update(Told::finality(640)));
    assert!(bytes.len() < 1200, "{}", bytes.len());
    for place in 0..bytes.len() {
        assert!(postcard::from_bytes::<Update>(&bytes[..place]).is_err(), "cut at {place}");
    }
}

#[test]
fn a_light_client_survives_both_forms_at_any_moment() {
    let mut client = client(64);
    survives(&client);
    let stalled = Told { finalized: 64, attested: PERIOD + 50, signed: PERIOD + 51, ..Told::committee(0) };
    for told in [Told::committee(128), Told::finality(640), stalled, Told::finality(PERIOD + 64)] {
        // Whatever comes next gives the same, from the one that was read back as well.
        let update = WORLD.update(told);
        let (text, _) = survives(&client);
        let mut again: LightClient = serde_json::from_str(&text).unwrap();
        let results = [&mut client, &mut again].map(|client| client.update(WORLD.chain(), &update, LATE));
        assert_eq!(results[0], results[1]);
        assert_eq!(client, again);
    }
    let (text, _) = survives(&client);
    let none = text.split_once("\"finalized\":[").unwrap().0.to_owned() + "\"finalized\":[]}";
    let refused = serde_json::from_str::<LightClient>(&none).unwrap_err().to_string();
    assert!(refused.contains("not in strictly ascending order"), "{refused}");
    let wrong = text.replacen("\"period\":1", "\"period\":2", 1);
    let refused = serde_json::from_str::<LightClient>(&wrong).map(|client| client.period());
    assert!(refused.is_err() || !text.contains("\"best\":{"), "best of another period");
}
