//! Where a follower can't go on, it says so and ends.

use ethereum::{Follower, News, Plan, Stop};
use evidence::ethereum::{Chain, Disputed, Schedule};
use fixtures::{Answers, Mood, Server, Told, forks};

use super::{HEAD, Ledger, NOW, WORLD, answers, honest, plan};

fn chain(schedule: Schedule) -> Chain {
    let chain = WORLD.chain();
    Chain::new(*chain.genesis_validators_root(), chain.genesis_time(), schedule, 8).unwrap()
}

/// The same committee signs two blocks for one slot.
#[test]
fn a_contradiction_is_handed_over_and_stops_it() {
    let server = honest();
    let mut follower = Follower::new(plan(&[&server], &[&server])).unwrap();
    let mut ledger = Ledger::default();
    follower.round(NOW, &mut ledger).unwrap();
    let mut other = Answers::default();
    // Another block at the slot, and a signature later than all before it.
    other.tell(&WORLD, Told { salt: 5, with_next: true, ..Told::finality(HEAD) });
    let mut update = other.updates.into_values().next().unwrap();
    update["data"].as_object_mut().unwrap().remove("next_sync_committee");
    let _ = update["data"].as_object_mut().unwrap().remove("next_sync_committee_branch");
    let mut lying = answers();
    lying.finality = Some(update);
    let liar = Server::start(lying, Mood::Honest);
    let mut follower = Follower::new(plan(&[&liar, &server], &[])).unwrap();
    let mut ledger = Ledger::default();
    let stopped = loop {
        match follower.round(NOW, &mut ledger) {
            Err(stop) => break stop,
            Ok(round) => assert!(round.news > 0, "{:?}", round.complaints),
        }
    };
    let Stop::Contradiction(found) = &stopped else { panic!("{stopped}") };
    assert_eq!(found.about(), Disputed::Block { slot: HEAD });
    assert!(stopped.to_string().contains("nothing they say counts until people have decided"), "{stopped}");
    assert!(matches!(ledger.news.last(), Some(News::ReportContradiction { .. })));
    ledger.replayed(WORLD.chain(), &super::MADE.1);
}

/// Up to the fork everything is followed; from there on nothing can be.
#[test]
fn a_fork_that_is_not_known_stops_it_at_the_last_block_before() {
    let schedules = [
        (Schedule::new(forks(), Some(1024)).unwrap(), "is not below 1024"),
        (
            Schedule::new(
                {
                    let mut forks = forks();
                    forks[4].name = "glamsterdam".into();
                    forks
                },
                None,
            )
            .unwrap(),
            "under fork glamsterdam, whose layout is not known",
        ),
    ];
    for (schedule, said) in schedules {
        let server = honest();
        let mut follower =
            Follower::new(Plan { chain: chain(schedule), ..plan(&[&server], &[&server]) }).unwrap();
        let mut ledger = Ledger::default();
        let mut now = NOW;
        let stopped = loop {
            match follower.round(now, &mut ledger) {
                Err(stop) => break stop,
                Ok(round) => {
                    assert!(now < NOW + 3_600_000, "it never stops");
                    now = round.next_ms;
                }
            }
        };
        assert!(matches!(stopped, Stop::Fork(_)) && stopped.to_string().contains(said), "{stopped}");
        assert_eq!(follower.head(), Some(3 * 8192 + 320));
    }
}

#[test]
fn a_clock_before_the_chain_and_nobody_to_ask_are_said() {
    let Err(stop) = Follower::new(plan(&[], &[])) else { panic!("nobody") };
    assert!(matches!(stop, Stop::Nobody));
    let server = honest();
    let early = Chain::new([1; 32], 1_000_000, Schedule::new(forks(), None).unwrap(), 8).unwrap();
    let mut follower = Follower::new(Plan { chain: early, ..plan(&[&server], &[]) }).unwrap();
    let stopped = follower.round(999_999_999, &mut Ledger::default()).unwrap_err();
    assert!(matches!(stopped, Stop::BeforeGenesis { .. }), "{stopped}");
    assert_eq!(server.asked(), 0);
}
