//! Several upstreams, each with a behaviour that chance has chosen.

use ethereum::Follower;
use fixtures::{Answers, Mood, Server, chance};

use super::lies::lies;
use super::{Ledger, answers, assert_followed, assert_true, hasty, plan_with, run};

fn number(seed: u64, what: u64, below: usize) -> usize {
    let bytes = chance("mix", &[seed, what])[..8].try_into().unwrap();
    usize::try_from(u64::from_be_bytes(bytes) % u64::try_from(below).unwrap()).unwrap()
}

/// A server that is not honest.
fn bad(seed: u64, place: u64, lies: &[(&str, Answers)]) -> (String, Server) {
    let moods = [
        Mood::Stalls,
        Mood::Drops,
        Mood::Breaks,
        Mood::Status(500),
        Mood::WrongType,
        Mood::Endless,
        Mood::Garbage,
        Mood::Mutates(seed * 100 + place),
        Mood::Mutates(seed * 200 + place),
        Mood::OtherPeriod,
    ];
    let chosen = number(seed, place, moods.len() + lies.len());
    match moods.get(chosen) {
        Some(mood) => (format!("{mood:?}"), Server::start(answers(), *mood)),
        None => {
            let (name, answers) = &lies[chosen - moods.len()];
            ((*name).into(), Server::start(answers.clone(), Mood::Honest))
        }
    }
}

/// How many mixes of each kind.
fn mixes() -> u64 {
    if std::env::var_os("SURETY_EXHAUSTIVE").is_some() { 200 } else { 15 }
}

#[test]
fn with_one_honest_among_them_the_right_head_is_reached() {
    let lies = lies();
    for seed in 0..mixes() {
        let others = 1 + number(seed, 1000, 4);
        let mut mix: Vec<(String, Server)> =
            (0..u64::try_from(others).unwrap()).map(|place| bad(seed, place, &lies)).collect();
        let honest = if number(seed, 1001, 3) == 0 { Mood::Flaky } else { Mood::Honest };
        let place = number(seed, 1002, others + 1);
        mix.insert(place, (format!("{honest:?}"), Server::start(answers(), honest)));
        let names: Vec<&String> = mix.iter().map(|(name, _)| name).collect();
        let servers: Vec<&Server> = mix.iter().map(|(_, server)| server).collect();
        let mut follower = Follower::new(plan_with(hasty(), &servers, &servers)).unwrap();
        let mut ledger = Ledger::default();
        for _ in 0..12 {
            run(&mut follower, &mut ledger, 12).unwrap();
            if follower.head() == Some(super::HEAD) && !ledger.opened().is_empty() {
                break;
            }
        }
        assert_eq!(follower.head(), Some(super::HEAD), "seed {seed}: {names:?}");
        assert_followed(&follower, &ledger);
        assert_true(&follower);
    }
}

#[test]
fn with_none_honest_nothing_wrong_is_accepted() {
    let lies = lies();
    for seed in 0..mixes() {
        let mix: Vec<(String, Server)> = (0..3).map(|place| bad(seed + 5000, place, &lies)).collect();
        let servers: Vec<&Server> = mix.iter().map(|(_, server)| server).collect();
        let mut follower = Follower::new(plan_with(hasty(), &servers, &servers)).unwrap();
        let mut ledger = Ledger::default();
        let complaints = run(&mut follower, &mut ledger, 6).unwrap();
        assert_true(&follower);
        ledger.replayed(super::WORLD.chain(), &super::MADE.1);
        if follower.head() != Some(super::HEAD) {
            assert!(!complaints.is_empty(), "seed {seed}: it says why not");
        }
    }
}
