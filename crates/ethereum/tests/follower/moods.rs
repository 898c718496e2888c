//! Every way of not answering, alone and beside somebody who does.

use ethereum::{Follower, Patience};
use fixtures::{Mood, Server};

use super::{
    Ledger, NOW, answers, assert_followed, assert_true, hasty, honest, patience, plan, plan_with, run,
};

/// Each with what the follower says of it.
const MOODS: [(Mood, &str); 13] = [
    (Mood::Stalls, "did not answer in time"),
    (Mood::Drips, "did not answer in time"),
    (Mood::Drops, "cannot be asked"),
    (Mood::Breaks, "cannot be asked"),
    (Mood::Status(503), "answered with status 503"),
    (Mood::Status(404), "answered with status 404"),
    (Mood::Redirects, "answered with status 302"),
    (Mood::WrongType, "answered with \"text/html\" instead of \"application/json\""),
    (Mood::Endless, "answered with more than 262144 bytes"),
    (Mood::Garbage, "answer has another form"),
    (Mood::OtherForm, "answer has another form"),
    (Mood::Mutates(7), ""),
    (Mood::OtherPeriod, ""),
];

/// Who never ends is waited for a short while.
fn patience_for(mood: Mood) -> Patience {
    if matches!(mood, Mood::Stalls | Mood::Drips) { hasty() } else { patience() }
}

#[test]
fn who_does_not_answer_is_named_with_the_reason_and_nothing_is_accepted() {
    for (mood, said) in MOODS {
        let server = Server::start(answers(), mood);
        let plan = plan_with(patience_for(mood), &[&server], &[&server]);
        let mut follower = Follower::new(plan).unwrap();
        let mut ledger = Ledger::default();
        let round = follower.round(NOW, &mut ledger).unwrap();
        assert_true(&follower);
        let why: Vec<String> = round.complaints.iter().map(ToString::to_string).collect();
        assert!(!why.is_empty() && why.iter().any(|why| why.contains(said)), "{mood:?}: {why:?}");
        assert!(why[0].starts_with(&server.url()["http://".len()..]), "{mood:?}: {why:?}");
        if !said.is_empty() {
            assert_eq!((follower.head(), ledger.news.len()), (None, 0), "{mood:?}");
        }
        assert!(round.next_ms > NOW);
        // It is left alone for a while.
        let asked = server.asked();
        follower.round(NOW, &mut ledger).unwrap();
        if follower.head().is_none() {
            assert_eq!(server.asked(), asked, "{mood:?}");
        }
    }
}

#[test]
fn one_honest_upstream_beside_any_other_is_enough() {
    for (mood, _) in MOODS {
        for is_first in [true, false] {
            let (bad, good) = (Server::start(answers(), mood), honest());
            let both = if is_first { [&bad, &good] } else { [&good, &bad] };
            let mut follower = Follower::new(plan_with(patience_for(mood), &both, &both)).unwrap();
            let mut ledger = Ledger::default();
            // Who is honest may be late, too.
            for _ in 0..5 {
                run(&mut follower, &mut ledger, 6).unwrap();
            }
            assert_followed(&follower, &ledger);
            assert_true(&follower);
            assert_eq!(ledger.opened(), [super::HEAD], "{mood:?}");
        }
    }
}

#[test]
fn who_answers_every_second_time_is_followed_all_the_same() {
    let server = Server::start(answers(), Mood::Flaky);
    let mut follower = Follower::new(plan(&[&server], &[&server])).unwrap();
    let mut ledger = Ledger::default();
    let complaints = run(&mut follower, &mut ledger, 60).unwrap();
    assert!(!complaints.is_empty());
    assert_followed(&follower, &ledger);
}

/// An upstream that comes to its senses is asked again.
#[test]
fn who_gets_better_is_followed() {
    let server = Server::start(answers(), Mood::Status(500));
    let mut follower = Follower::new(plan(&[&server], &[&server])).unwrap();
    let mut ledger = Ledger::default();
    let round = follower.round(NOW, &mut ledger).unwrap();
    assert_eq!(follower.head(), None);
    server.set_mood(Mood::Honest);
    let asked = server.asked();
    follower.round(round.next_ms - 1, &mut ledger).unwrap();
    assert_eq!(server.asked(), asked, "not before its time");
    follower.round(round.next_ms, &mut ledger).unwrap();
    assert_followed(&follower, &ledger);
    assert_eq!(follower.upstreams().next().map(|(_, health)| health.failures), Some(0));
}

#[test]
fn nobody_at_the_address_is_said() {
    let url = honest().url();
    let beacon = ethereum::Beacon::new(&url, super::patience()).unwrap();
    let mut follower = Follower::new(ethereum::Plan { beacons: vec![beacon], ..plan(&[], &[]) }).unwrap();
    let round = follower.round(NOW, &mut Ledger::default()).unwrap();
    let said = round.complaints[0].to_string();
    assert!(said.contains("cannot be asked"), "{said}");
}
