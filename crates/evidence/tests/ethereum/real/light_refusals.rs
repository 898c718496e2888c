//! What the light client refuses of mainnet's own updates, once anything in them is changed.

use evidence::ethereum::api::LightUpdate;
use evidence::ethereum::{
    Chain, CommitteeError, LightClient, ProofError, Schedule, ScheduledFork, Update, UpdateRefused,
};
use serde_json::json;

use super::light::{
    CHANGE_BOOTSTRAP, CHANGE_NEW_PERIOD, CHANGE_ROOT, CHANGE_UPDATE, INCLUSION_BOOTSTRAP, INCLUSION_FINALITY,
    INCLUSION_ROOT, INCLUSION_UPDATE, bootstrap, fulu, inclusion, take, told, with_header,
};
use super::{MAINNET, hash, read};
use crate::mutation::refuses_changes;

/// Each update, and a client that takes it.
fn updates() -> Option<Vec<(&'static str, LightClient, Update)>> {
    let (_, begun) = bootstrap(CHANGE_BOOTSTRAP, CHANGE_ROOT)?;
    let mut informed = begun.clone();
    take(&mut informed, told(CHANGE_UPDATE)?).unwrap();
    let (_, included) = bootstrap(INCLUSION_BOOTSTRAP, INCLUSION_ROOT)?;
    let earlier = with_header(&included, &told(INCLUSION_UPDATE)?.finalized_header);
    let (data, fulu, _) = fulu()?;
    let updates = [
        ("July 2024, committee", begun, told(CHANGE_UPDATE)?),
        ("July 2024, new period", informed, told(CHANGE_NEW_PERIOD)?),
        ("July 2024, committee of 1168", included, told(INCLUSION_UPDATE)?),
        ("July 2024, finality", earlier, told(INCLUSION_FINALITY)?),
        ("June 2026, committee", fulu.clone(), read::<LightUpdate>(&data["updates"][0])),
        ("June 2026, finality", fulu, read(&data["finality_update"])),
    ];
    Some(updates.map(|(name, client, told)| (name, client, told.update().unwrap())).into())
}

/// The slot of the signatures is not signed: a change there is refused, or changes nothing.
#[test]
fn every_changed_byte_of_every_update_is_refused() {
    for (name, before, good) in updates().unwrap_or_default() {
        let mut after = before.clone();
        after.update(&MAINNET, &good, u64::MAX).unwrap();
        let step = if good.next.is_some() { 211 } else { 7 };
        refuses_changes(name, &good, step, |update| {
            let mut client = before.clone();
            let taken = client.update(&MAINNET, update, u64::MAX);
            let is_other_slot = update.signature_slot != good.signature_slot;
            taken.is_err() && client == before || (is_other_slot && client == after)
        });
    }
}

#[test]
fn every_changed_byte_of_every_bootstrap_is_refused() {
    for (path, root) in [(CHANGE_BOOTSTRAP, CHANGE_ROOT), (INCLUSION_BOOTSTRAP, INCLUSION_ROOT)] {
        let Some((light, _)) = bootstrap(path, root) else { return };
        let good = light.bootstrap().unwrap();
        refuses_changes(path, &good, 211, |bootstrap| {
            LightClient::new(&MAINNET, &hash(root), bootstrap.clone()).is_err()
        });
        let other = if root == CHANGE_ROOT { INCLUSION_ROOT } else { CHANGE_ROOT };
        assert!(
            LightClient::new(&MAINNET, &hash(other), good).is_err(),
            "a block that is not the trusted one"
        );
    }
}

#[test]
fn any_other_field_of_the_finalized_header_fails_its_branch() {
    for (name, client, good) in updates().unwrap_or_default() {
        let changes: [fn(&mut Update); 5] = [
            |update| update.finalized.slot += 1,
            |update| update.finalized.proposer_index += 1,
            |update| update.finalized.parent_root[31] ^= 1,
            |update| update.finalized.state_root[0] ^= 0x80,
            |update| update.finalized.body_root[7] ^= 1,
        ];
        for (field, change) in changes.into_iter().enumerate() {
            let (mut update, mut asked) = (good.clone(), client.clone());
            change(&mut update);
            // Whatever the client knows: the header that it has would be refused for its age first.
            let refused = asked.update(&MAINNET, &update, u64::MAX).unwrap_err();
            let is_expected = matches!(refused, UpdateRefused::Finality(ProofError::Root { .. }));
            assert!(is_expected, "{name}, field {field}: {refused}");
        }
    }
}

#[test]
fn another_committee_another_fork_and_another_chain_have_not_signed() {
    for (name, client, good) in updates().unwrap_or_default() {
        let is_refused = |chain: &Chain, client: &LightClient| {
            let refused = client.clone().update(chain, &good, u64::MAX).unwrap_err();
            assert!(
                matches!(refused, UpdateRefused::Signature(CommitteeError::Signature(_))),
                "{name}: {refused}"
            );
        };
        let mut root = *MAINNET.genesis_validators_root();
        root[31] ^= 1;
        is_refused(&Chain::new(root, 0, Schedule::mainnet(None), 8).unwrap(), &client);
        let forks = MAINNET.schedule().forks().iter();
        let forks =
            forks.map(|fork| ScheduledFork { version: [fork.version[0] + 1, 0, 0, 0], ..fork.clone() });
        let schedule = Schedule::new(forks.collect(), None).unwrap();
        is_refused(&Chain::mainnet(schedule, 8).unwrap(), &client);

        // The other committee of mainnet at hand, in the same seats.
        let (_, other) = bootstrap(INCLUSION_BOOTSTRAP, INCLUSION_ROOT).unwrap();
        let (_, another) = bootstrap(CHANGE_BOOTSTRAP, CHANGE_ROOT).unwrap();
        let is_other = client.period() == other.period();
        let committee = if is_other { another.current().clone() } else { other.current().clone() };
        let mut text = serde_json::to_value(&client).unwrap();
        let seat = if client.next().is_some() { "next" } else { "current" };
        text[seat] = json!(committee);
        is_refused(&MAINNET, &read(&text));
    }
}

#[test]
fn updates_out_of_order_or_of_the_future_are_refused() {
    let Some((_, begun)) = bootstrap(CHANGE_BOOTSTRAP, CHANGE_ROOT) else { return };
    let early = take(&mut begun.clone(), told(CHANGE_NEW_PERIOD).unwrap());
    assert_eq!(early, Err(UpdateRefused::Period { period: 1151, first: 1150, last: 1150 }));
    let update = told(CHANGE_UPDATE).unwrap().update().unwrap();
    let now = update.signature_slot - 1;
    let future = begun.clone().update(&MAINNET, &update, now);
    assert_eq!(future, Err(UpdateRefused::Future { signature: update.signature_slot, now }));
    let (mut client, _) = inclusion().unwrap();
    let again = take(&mut client, told(INCLUSION_FINALITY).unwrap());
    assert_eq!(again, Err(UpdateRefused::NotNewer { finalized: 9_567_456, known: 9_567_456 }));

    // A ledger that has been told that it knows nothing from Fulu on.
    let (data, fulu, _) = fulu().unwrap();
    let update = read::<LightUpdate>(&data["finality_update"]).update().unwrap();
    let known = Chain::mainnet(Schedule::mainnet(Some(411_392)), 8).unwrap();
    let refused = fulu.clone().update(&known, &update, u64::MAX).unwrap_err();
    assert!(matches!(refused, UpdateRefused::Fork(_)), "{refused}");
    let few: Vec<u8> = (0..64).map(|byte| if byte < 42 { 0xff } else { 0 }).collect();
    let mut lonely = update;
    lonely.participation = evidence::ethereum::Participation::new(few.try_into().unwrap());
    let refused = fulu.clone().update(&MAINNET, &lonely, u64::MAX).unwrap_err();
    assert_eq!(refused, UpdateRefused::Signers { signers: 336, least: 342 });
}
