//! The light client follows the chain.

use evidence::ethereum::{Branch, OpeningError, PayloadError};
use evidence::ethereum::{
    Contradiction, ContradictionRefused, Disputed, Fork, LightClient, PATIENCE, Progress, RememberedRoot,
    Update, UpdateRefused,
};
use fixtures::{Block, Told};

use super::{LATE, PERIOD, WORLD, client};

fn take(client: &mut LightClient, told: Told) -> Result<Progress, UpdateRefused> {
    client.update(WORLD.chain(), &WORLD.update(told), LATE)
}

fn news(finalized: Option<u64>, committee: Option<u64>) -> Progress {
    Progress { finalized, committee, is_best: false }
}

/// Bootstrap in Capella, then a committee and a later block in each period; the committee of the next period signs what
/// makes the client go on to it.
#[test]
fn a_client_follows_through_every_fork() {
    let mut client = client(64);
    for (period, fork) in (0..6).zip(Fork::ALL.into_iter().chain([Fork::Gloas])) {
        let start = period * PERIOD;
        let told = Told::committee(start + 128);
        assert_eq!(take(&mut client, told), Ok(news(Some(start + 128), Some(period + 1))), "{fork}");
        assert_eq!(take(&mut client, Told::finality(start + 640)), Ok(news(Some(start + 640), None)));
        assert_eq!((client.period(), client.newest().fork()), (period, fork));
        assert_eq!(client.newest().root(), &WORLD.block(start + 640, 0).root());
        assert_eq!(client.next(), Some(WORLD.committee(period + 1).public()));
        // Signed by the next committee, about a block of this period.
        let last = Told { finalized: start + 8000, attested: start + 8191, ..Told::finality(0) };
        let last = Told { signed: start + 8192, ..last };
        if period < 5 {
            assert_eq!(take(&mut client, last), Ok(news(Some(start + 8000), None)), "{fork}");
        }
        assert_eq!(client.period(), period, "a block of the period does not end it");
    }
}

#[test]
fn a_fork_whose_layout_nobody_knows_is_refused_by_name() {
    let mut client = client(5 * PERIOD + 64);
    take(&mut client, Told::committee(5 * PERIOD + 128)).unwrap();
    let mut update = WORLD.update(Told::finality(5 * PERIOD + 640));
    update.signature_slot = 6 * PERIOD + 1;
    let refused = client.update(WORLD.chain(), &update, LATE).unwrap_err();
    assert_eq!(refused.to_string(), "epoch 1536 is under fork heze, whose layout is not known");
    update.signature_slot = 6 * PERIOD;
    let refused = client.update(WORLD.chain(), &update, LATE).unwrap_err();
    assert!(
        matches!(refused, UpdateRefused::Signature(_)),
        "signed over the slot before, by another committee"
    );
}

#[test]
fn an_execution_block_is_opened_by_its_header_in_every_fork_and_by_its_payload_until_fulu() {
    for slot in super::SLOTS {
        let block = WORLD.block(slot, 0);
        let newest = client(slot).newest().clone();
        let execution = newest.open(&block.opening()).unwrap();
        assert_eq!(
            (execution.number(), execution.timestamp(), execution.state_root()),
            (slot, slot * 12, &WORLD.accounts().root())
        );
        assert_eq!(execution.receipts_root(), &WORLD.receipts().root());
        let other = WORLD.block(slot, 1);
        assert!(matches!(newest.open(&other.opening()), Err(OpeningError::Hash { .. })));
        match block.payload_opening() {
            Some(opening) => {
                assert_eq!(newest.open(&opening).unwrap(), execution);
                assert!(newest.open(&other.payload_opening().unwrap()).is_err());
            }
            None => assert_eq!(newest.fork(), Fork::Gloas),
        }
        // A payload of another fork has other fields, or no place.
        if newest.fork() == Fork::Gloas {
            let fulu = WORLD.block(3 * PERIOD + 640, 0).payload_opening().unwrap();
            let refused = newest.open(&fulu).unwrap_err();
            assert_eq!(refused, OpeningError::Payload(PayloadError::Fields { fork: Fork::Gloas }));
        }
    }
}

#[test]
fn a_committee_is_learned_from_an_older_block_than_the_newest() {
    let mut client = client(4000);
    assert_eq!(take(&mut client, Told::committee(128)), Ok(news(None, Some(1))));
    assert_eq!(client.newest().header().slot, 4000);
    // The same once more tells nothing.
    assert_eq!(
        take(&mut client, Told::committee(128)),
        Err(UpdateRefused::NotNewer { finalized: 128, known: 4000 })
    );
}

#[test]
fn only_so_many_headers_are_kept() {
    let mut client = client(64);
    for place in 1..20 {
        take(&mut client, Told::finality(64 + 32 * place)).unwrap();
    }
    let slots: Vec<u64> = client.finalized().iter().map(|header| header.header().slot).collect();
    assert_eq!(slots, (12..20).map(|place| 64 + 32 * place).collect::<Vec<_>>());
    assert_eq!(client.at_slot(64 + 32 * 13).map(|header| header.header().slot), Some(64 + 32 * 13));
    assert_eq!(client.at_slot(64), None);
}

/// Nothing becomes final for more than two periods.
#[test]
fn without_finality_committees_go_on_by_the_best_update_and_nothing_becomes_final() {
    let mut client = client(7000);
    let stalled = |attested: u64, signers: usize| Told {
        finalized: 7000,
        attested,
        signed: attested + 1,
        signers,
        with_next: true,
        salt: 0,
    };
    // The finalized block is of the attested one's period, so this committee is for good.
    assert_eq!(take(&mut client, stalled(7100, 400)), Ok(news(None, Some(1))));
    let best = Progress { is_best: true, ..Progress::default() };
    // From the next period on it is not.
    assert_eq!(take(&mut client, stalled(PERIOD + 50, 400)), Ok(best));
    let known = UpdateRefused::NotNewer { finalized: 7000, known: 7000 };
    assert_eq!(take(&mut client, stalled(PERIOD + 60, 400)), Err(known.clone()), "older ones are better");
    assert_eq!(take(&mut client, stalled(PERIOD + 60, 399)), Err(known.clone()), "more signers are better");
    assert_eq!(take(&mut client, stalled(PERIOD + 60, 401)), Ok(best));
    assert_eq!(client.period(), 0);

    assert_eq!(client.advance(7000 + PATIENCE), None, "patience");
    assert_eq!(client.advance(2 * PERIOD - 1), None, "the period is not over");
    assert_eq!(client.advance(2 * PERIOD), Some(2));
    assert_eq!((client.period(), client.next()), (1, Some(WORLD.committee(2).public())));
    assert_eq!(client.advance(LATE), None, "nothing is left to do");
    assert_eq!(client.newest().header().slot, 7000, "nothing became final");

    assert_eq!(take(&mut client, stalled(2 * PERIOD + 50, 342)), Ok(best));
    assert_eq!(client.advance(3 * PERIOD), Some(3));
    // Finality comes back.
    let back = Told::committee(2 * PERIOD + 500);
    assert_eq!(take(&mut client, back), Ok(news(Some(2 * PERIOD + 500), None)));
    assert_eq!(client.period(), 2);
}

/// A candidate that tells the missing committee gives way to one that is for good.
#[test]
fn finality_is_better_than_the_best_update() {
    let mut client = client(64);
    take(&mut client, Told::committee(128)).unwrap();
    let unsettled =
        Told { finalized: 8000, attested: PERIOD + 40, signed: PERIOD + 41, ..Told::committee(0) };
    let expected = Progress { finalized: Some(8000), committee: None, is_best: true };
    assert_eq!(take(&mut client, unsettled), Ok(expected));
    assert_eq!(take(&mut client, Told::finality(PERIOD + 64)), Ok(news(Some(PERIOD + 64), None)));
    assert_eq!((client.period(), client.next()), (1, None));
    assert_eq!(take(&mut client.clone(), Told::committee(PERIOD + 32)), Ok(news(None, Some(2))));
    // Or it is used, if nothing better comes.
    assert_eq!(client.advance(3 * PERIOD), Some(2));
    assert_eq!(client.next(), Some(WORLD.committee(2).public()));
}

fn contradiction(client: &LightClient, update: &Update) -> Result<Contradiction, ContradictionRefused> {
    client.contradiction(WORLD.chain(), update, LATE, None)
}

#[test]
fn a_second_block_at_a_slot_is_a_contradiction() {
    let mut client = client(64);
    take(&mut client, Told::finality(640)).unwrap();
    let update = WORLD.update(Told { salt: 1, ..Told::finality(640) });
    let found = contradiction(&client, &update).unwrap();
    assert_eq!(found.about(), Disputed::Block { slot: 640 });
    assert_eq!(
        (found.accepted(), found.claimed()),
        (&WORLD.block(640, 0).root(), &WORLD.block(640, 1).root())
    );
    let same = WORLD.update(Told::finality(640));
    assert_eq!(contradiction(&client, &same), Err(ContradictionRefused::Agrees));
    let mut forged = update;
    forged.signature = WORLD.update(Told::finality(640)).signature;
    assert!(matches!(
        contradiction(&client, &forged),
        Err(ContradictionRefused::Update(UpdateRefused::Signature(_)))
    ));
}

#[test]
fn a_second_committee_of_a_period_is_a_contradiction() {
    let mut client = client(64);
    take(&mut client, Told::committee(128)).unwrap();
    let mut contents = WORLD.contents(704, WORLD.block(640, 1).root(), 1);
    contents.committees[1] = *WORLD.committee(5).public().root();
    let attested = Block::new(&contents);
    let mut update = WORLD.update(Told { salt: 1, ..Told::committee(640) });
    let branch = |index: u64| Branch::new(attested.state.branch(index)).unwrap();
    let next = update.next.as_mut().unwrap();
    next.committee = WORLD.committee(5).public().clone();
    (next.branch, update.finality_branch) = (branch(55), branch(105));
    update.attested = attested.header.clone();
    let message = WORLD.signing_root(&attested.root(), update.signature_slot);
    (update.participation, update.signature) = WORLD.committee(0).sign(500, &message);
    let refused = client.update(WORLD.chain(), &update, LATE).unwrap_err();
    let found = contradiction(&client, &update).unwrap();
    assert_eq!(refused, UpdateRefused::Contradicts(found));
    assert_eq!(found.about(), Disputed::Committee { period: 1 });
    assert_eq!(found.claimed(), WORLD.committee(5).public().root());
}

/// The next committee hangs on the blocks before the period. Who signs a head that is given up later has not lied.
#[test]
fn another_next_committee_that_nothing_of_its_period_makes_final_is_no_contradiction() {
    let mut client = client(PERIOD + 64);
    take(&mut client, Told::committee(PERIOD + 128)).unwrap();
    let slot = PERIOD - 32;
    let mut contents = WORLD.contents(slot + 64, WORLD.block(slot, 0).root(), 1);
    contents.committees[1] = *WORLD.committee(5).public().root();
    let attested = Block::new(&contents);
    let mut update = WORLD.update(Told { salt: 1, ..Told::committee(PERIOD + 640) });
    let branch = |index: u64| Branch::new(attested.state.branch(index)).unwrap();
    let next = update.next.as_mut().unwrap();
    next.committee = WORLD.committee(5).public().clone();
    (next.branch, update.finality_branch) = (branch(55), branch(105));
    let finalized = WORLD.block(slot, 0);
    (update.execution, update.finalized) = (finalized.claim(), finalized.header);
    (update.attested, update.signature_slot) = (attested.header.clone(), slot + 65);
    let message = WORLD.signing_root(&attested.root(), update.signature_slot);
    (update.participation, update.signature) = WORLD.committee(1).sign(500, &message);
    assert_eq!(contradiction(&client, &update), Err(ContradictionRefused::Agrees));
    let refused = client.update(WORLD.chain(), &update, LATE).unwrap_err();
    assert_eq!(refused, UpdateRefused::NotNewer { finalized: slot, known: PERIOD + 128 });
}

/// Slot 600 was never accepted itself, but a later state remembers its block.
#[test]
fn a_block_that_a_later_state_remembers_otherwise_is_a_contradiction() {
    for fork in 0..5_u64 {
        let start = fork * PERIOD;
        let mut contents = WORLD.contents(start + 900, [0; 32], 0);
        contents.earlier.insert(start + 600, WORLD.block(start + 600, 0).root());
        let later = Block::new(&contents);
        let text = serde_json::to_string(&client(start + 64)).unwrap();
        let (before, after) = text.split_once("\"finalized\":[").unwrap();
        let text = format!("{before}\"finalized\":[{}]{}", later.finalized_text(), &after[after.len() - 1..]);
        let client: LightClient = serde_json::from_str(&text).unwrap();

        let index = later.fork.block_root(start + 600).get();
        let remembered = RememberedRoot {
            remembered_by: start + 900,
            root: WORLD.block(start + 600, 0).root(),
            branch: Branch::new(later.state.branch(index)).unwrap(),
        };
        let ask = |salt: u64, remembered: &RememberedRoot, slot: u64| {
            let update = WORLD.update(Told { salt, ..Told::finality(start + slot) });
            client.contradiction(WORLD.chain(), &update, LATE, Some(remembered))
        };
        let found = ask(1, &remembered, 600).unwrap();
        assert_eq!(found.about(), Disputed::Block { slot: start + 600 });
        assert_eq!(ask(0, &remembered, 600), Err(ContradictionRefused::Agrees));
        assert!(matches!(ask(1, &remembered, 601), Err(ContradictionRefused::Remembered(_))));
        let none = RememberedRoot { remembered_by: start + 901, ..remembered.clone() };
        assert_eq!(ask(1, &none, 600), Err(ContradictionRefused::UnknownHeader { slot: start + 901 }));
        assert_eq!(
            ask(1, &remembered, 1000),
            Err(ContradictionRefused::NotRemembered { slot: start + 1000, remembered_by: start + 900 })
        );
    }
}
