//! From the trusted block through every fork.

use ethereum::{Beacon, Follower, News, State, Wanted};
use evidence::ethereum::Fork;

use super::{HEAD, Ledger, MADE, NOW, WORLD, assert_followed, assert_true, honest, patience, plan, run};

#[test]
fn one_honest_upstream_leads_through_every_fork() {
    let server = honest();
    let mut follower = Follower::new(plan(&[&server], &[&server])).unwrap();
    let mut ledger = Ledger::default();
    let complaints = run(&mut follower, &mut ledger, 5).unwrap();
    assert_eq!(complaints, []);
    assert_followed(&follower, &ledger);
    assert_true(&follower);
    assert_eq!(ledger.opened(), [HEAD]);
    let forks: Vec<Fork> =
        follower.client().unwrap().finalized().iter().map(|header| header.fork()).collect();
    assert_eq!(forks.first().zip(forks.last()), Some((&Fork::Capella, &Fork::Gloas)));
    // The trusted block, five committees, what is final, and its execution block.
    assert_eq!(ledger.news.len(), 8);
    assert_eq!((follower.counters().updates, follower.counters().openings), (6, 1));
}

/// Until Fulu the light client's own data shows the execution block.
#[test]
fn blocks_are_opened_without_an_execution_client_where_they_can_be() {
    let server = honest();
    let mut follower = Follower::new(plan(&[&server], &[])).unwrap();
    let mut ledger = Ledger::default();
    run(&mut follower, &mut ledger, 5).unwrap();
    assert_followed(&follower, &ledger);
    assert!(ledger.opened().is_empty(), "nothing but a header opens a block of Gloas");

    let (mut answers, told) = (super::answers(), fixtures::Told::finality(3 * 8192 + 640));
    answers.updates.retain(|period, _| *period < 4);
    answers.tell(&WORLD, told);
    server.set_answers(answers);
    let mut follower = Follower::new(plan(&[&server], &[])).unwrap();
    let mut ledger = Ledger::default();
    let now = (told.finalized + 100) * 12_000;
    follower.round(now, &mut ledger).unwrap();
    assert_eq!(ledger.opened(), [told.finalized]);
    ledger.replayed(WORLD.chain(), &MADE.1).unwrap();
}

/// What several say alike is handed over once.
#[test]
fn three_honest_upstreams_tell_no_more_than_one() {
    let servers = [honest(), honest(), honest()];
    let mut follower = Follower::new(plan(&servers.each_ref(), &[&servers[0]])).unwrap();
    let mut ledger = Ledger::default();
    assert_eq!(run(&mut follower, &mut ledger, 5).unwrap(), []);
    assert_followed(&follower, &ledger);
    assert_eq!(ledger.news.len(), 8);
    assert!(servers.iter().all(|server| server.asked() >= 3));
}

#[test]
fn news_are_lines_that_an_operation_is_made_of() {
    let server = honest();
    let mut follower = Follower::new(plan(&[&server], &[&server])).unwrap();
    let mut lines = ethereum::Lines(Vec::new());
    follower.round(NOW, &mut lines).unwrap();
    let text = String::from_utf8(lines.0).unwrap();
    let kinds: Vec<String> = text
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["op"].as_str().unwrap().to_owned()
        })
        .collect();
    let mut expected = vec!["begin_chain"];
    expected.extend(["update_chain"; 6]);
    expected.push("open_block");
    assert_eq!(kinds, expected);
    let opened: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(opened["slot"], HEAD);
    assert!(matches!(
        News::OpenBlock { slot: 1, opening: MADE.2.opening() },
        News::OpenBlock { slot: 1, .. }
    ));
}

/// The state of the newest final block is fetched, and proves its validators against the header that was followed.
#[test]
fn a_state_that_was_fetched_proves_validators_against_what_was_followed() {
    let server = honest();
    let mut follower = Follower::new(plan(&[&server], &[&server])).unwrap();
    follower.round(NOW, &mut Ledger::default()).unwrap();
    let newest = follower.client().unwrap().newest();
    let beacon = Beacon::new(&server.url(), patience()).unwrap();
    let (root, header) = beacon.header("finalized").unwrap();
    assert_eq!((&root, &header), (newest.root(), newest.header()));
    let mut bytes = Vec::new();
    let length = beacon.state(&HEAD.to_string(), &mut bytes, &mut |_| {}).unwrap();
    let wanted = Wanted { indices: [3, 200].into(), ..Wanted::default() };
    let schedule = WORLD.chain().schedule();
    let state = State::read(&mut bytes.as_slice(), length, schedule, &wanted, &mut |_| {}).unwrap();
    let proven = newest.validators(&state.prove().unwrap().validators).unwrap();
    assert_eq!(proven.iter().map(|one| one.index()).collect::<Vec<_>>(), [3, 200]);
}

#[test]
fn metrics_name_what_was_counted() {
    let server = honest();
    let mut follower = Follower::new(plan(&[&server], &[&server])).unwrap();
    follower.round(NOW, &mut Ledger::default()).unwrap();
    let text = follower.metrics(NOW);
    let host = server.url().replace("http://", "");
    for line in [
        "surety_follow_rounds_total 1".to_owned(),
        "surety_follow_updates_total 6".to_owned(),
        format!("surety_follow_slot {HEAD}"),
        "surety_follow_age_seconds 1200".to_owned(),
        format!("surety_follow_upstream_failures{{upstream=\"{host}\"}} 0"),
        "# EOF".to_owned(),
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in\n{text}");
    }
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/follower-metrics.md");
    let page = std::fs::read_to_string(page).unwrap();
    let listed: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let served: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    assert_eq!(listed, served, "docs/reference/follower-metrics.md lists what is written");
}
