//! Answers in the right form that are not true, or not the newest.

use std::sync::LazyLock;

use ethereum::Follower;
use fixtures::{Answers, Mood, Server, Told, World, text};
use serde_json::{Value, json};

use super::{HEAD, Ledger, MADE, NOW, WORLD, answers, assert_followed, assert_true, honest, plan, run};

/// The chain as another one would be: no key of its committees is one of ours.
static OTHER: LazyLock<World> = LazyLock::new(|| World::new(8));

/// Every lie by a name.
pub(super) fn lies() -> Vec<(&'static str, Answers)> {
    let told = |change: &dyn Fn(&mut Answers)| {
        let mut answers = answers();
        change(&mut answers);
        answers
    };
    let zeros = text(&[0; 32]);
    // A block of our own at a later slot, with the signature of the true one below it.
    let forged = {
        let mut answers = Answers::default();
        answers.tell(&WORLD, Told { salt: 9, ..Told::finality(HEAD + 32) });
        let mut update = answers.finality.unwrap();
        update["data"]["sync_aggregate"] =
            MADE.0.finality.as_ref().unwrap()["data"]["sync_aggregate"].clone();
        update
    };
    // Signed by the committee of another period, which the liar may have bought.
    let by_others = {
        let mut answers = Answers::default();
        let message = WORLD.signing_root(
            &WORLD.block_after(HEAD + 96, WORLD.block(HEAD + 32, 3).root(), 3).root(),
            HEAD + 97,
        );
        answers.tell(&OTHER, Told { salt: 3, ..Told::finality(HEAD + 32) });
        let mut update = answers.finality.unwrap();
        let (bits, signature) = WORLD.committee(2).sign(512, &message);
        update["data"]["sync_aggregate"] =
            json!({ "sync_committee_bits": bits, "sync_committee_signature": text(&signature) });
        update
    };
    let few = {
        let mut answers = Answers::default();
        answers.tell(&WORLD, Told { signers: 341, salt: 4, ..Told::finality(HEAD + 32) });
        answers.finality.unwrap()
    };
    let future = {
        let mut answers = Answers::default();
        answers.tell(&WORLD, Told::finality(HEAD + 8000 - 640));
        answers.finality.unwrap()
    };
    let strange = |update: &mut Value| {
        let stranger = WORLD.committee(7).public();
        update["data"]["next_sync_committee"] = json!(stranger);
    };
    vec![
        (
            "wrong state root",
            told(&|answers| {
                for update in answers.updates.values_mut().chain(answers.finality.as_mut()) {
                    update["data"]["attested_header"]["beacon"]["state_root"] = json!(zeros);
                }
            }),
        ),
        (
            "wrong finalized header",
            told(&|answers| {
                for update in answers.updates.values_mut().chain(answers.finality.as_mut()) {
                    update["data"]["finalized_header"]["beacon"]["body_root"] = json!(zeros);
                }
            }),
        ),
        (
            "another bootstrap",
            told(&|answers| {
                let mut other = Answers::default();
                other.begin(&WORLD, 128);
                let other = other.bootstraps.into_values().next().unwrap();
                answers.bootstraps.values_mut().for_each(|known| *known = other.clone());
            }),
        ),
        ("a committee of strangers", told(&|answers| answers.updates.values_mut().for_each(strange))),
        (
            "strangers from the start",
            told(&|answers| {
                for known in answers.bootstraps.values_mut() {
                    known["data"]["current_sync_committee"] = json!(WORLD.committee(7).public());
                }
            }),
        ),
        ("a fork that nobody signed", told(&|answers| answers.finality = Some(forged.clone()))),
        ("a fork that others signed", told(&|answers| answers.finality = Some(by_others.clone()))),
        ("a fork that too few signed", told(&|answers| answers.finality = Some(few.clone()))),
        ("a block to come", told(&|answers| answers.finality = Some(future.clone()))),
        (
            "old updates",
            told(&|answers| {
                answers.updates.retain(|period, _| *period < 2);
                answers.finality = None;
            }),
        ),
        (
            "the first period for every other",
            told(&|answers| {
                let first = answers.updates[&0].clone();
                answers.updates.values_mut().for_each(|update| *update = first.clone());
            }),
        ),
        (
            "nothing of an execution block",
            told(&|answers| {
                for update in answers.finality.iter_mut() {
                    let header = update["data"]["finalized_header"].as_object_mut().unwrap();
                    header.remove("execution_block_hash");
                }
            }),
        ),
        (
            "another execution block",
            told(&|answers| {
                for block in answers.blocks.values_mut() {
                    block["stateRoot"] = json!(zeros);
                }
            }),
        ),
    ]
}

#[test]
fn no_lie_is_accepted_and_each_is_named() {
    for (name, answers) in lies() {
        let server = Server::start(answers, Mood::Honest);
        let mut follower = Follower::new(plan(&[&server], &[&server])).unwrap();
        let mut ledger = Ledger::default();
        let round = follower.round(NOW, &mut ledger).unwrap();
        assert_true(&follower);
        assert!(!round.complaints.is_empty(), "{name}");
        // What was opened on the way is true as well.
        ledger.replayed(WORLD.chain(), &MADE.1);
        assert!(ledger.opened().is_empty() || name != "another execution block");
    }
}

#[test]
fn the_truth_of_one_ends_every_lie_of_another() {
    for (name, answers) in lies() {
        for is_first in [true, false] {
            let (liar, good) = (Server::start(answers.clone(), Mood::Honest), honest());
            let both = if is_first { [&liar, &good] } else { [&good, &liar] };
            let mut follower = Follower::new(plan(&both, &both)).unwrap();
            let mut ledger = Ledger::default();
            run(&mut follower, &mut ledger, 6).unwrap();
            assert_followed(&follower, &ledger);
            assert_true(&follower);
            assert_eq!(ledger.opened().last(), Some(&HEAD), "{name}");
        }
    }
}

/// Old data is no lie, but who has nothing else is behind.
#[test]
fn who_is_behind_is_told_apart_from_who_lies() {
    let mut old = answers();
    old.tell(&WORLD, Told::finality(4 * 8192 + 400));
    let (behind, good) = (Server::start(old.clone(), Mood::Honest), honest());
    let mut follower = Follower::new(plan(&[&behind, &good], &[&good])).unwrap();
    let mut ledger = Ledger::default();
    let complaints = run(&mut follower, &mut ledger, 4).unwrap();
    assert_followed(&follower, &ledger);
    let host = behind.url().replace("http://", "");
    let expected =
        format!("{host} is behind: its newest final slot is {}, and {HEAD} is known", 4 * 8192 + 400);
    assert!(complaints.iter().any(|complaint| complaint.to_string() == expected), "{complaints:?}");
    let health = follower.upstreams().next().unwrap().1;
    assert_eq!((health.faults, health.refused), (0, 0));
}
