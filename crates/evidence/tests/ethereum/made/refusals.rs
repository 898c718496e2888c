//! Whatever a light client must not believe.

use evidence::ethereum::{
    BootstrapRefused, CommitteeError, LightClient, ProofError, SyncCommittee, Update, UpdateRefused,
};
use evidence::{KeyError, Scheme, SignatureError};
use fixtures::Told;

use super::{LATE, PERIOD, WORLD, client};
use crate::mutation::refuses_changes;

/// A client of period 0 that knows the next committee.
fn informed() -> LightClient {
    let mut client = client(64);
    client.update(WORLD.chain(), &WORLD.update(Told::committee(128)), LATE).unwrap();
    client
}

/// A name, what is changed, and whether it is refused as expected.
type Case = (&'static str, fn(&mut Update), fn(&UpdateRefused) -> bool);

#[test]
fn each_refusal_alone_and_the_first_of_two() {
    let cases: [Case; 13] = [
        (
            "one signer short of two thirds",
            |update| *update = WORLD.update(Told { signers: 341, ..Told::finality(640) }),
            |refused| *refused == UpdateRefused::Signers { signers: 341, least: 342 },
        ),
        (
            "signed in the slot of the block",
            |update| update.signature_slot = 704,
            |refused| *refused == UpdateRefused::Slots { finalized: 640, attested: 704, signature: 704 },
        ),
        (
            "attested before finalized",
            |update| update.attested.slot = 639,
            |refused| *refused == UpdateRefused::Slots { finalized: 640, attested: 639, signature: 705 },
        ),
        (
            "signed in the future",
            |update| update.signature_slot = 1001,
            |refused| *refused == UpdateRefused::Future { signature: 1001, now: 1000 },
        ),
        (
            "nothing new",
            |update| *update = WORLD.update(Told::finality(128)),
            |refused| *refused == UpdateRefused::NotNewer { finalized: 128, known: 128 },
        ),
        (
            "another finalized block",
            |update| update.finalized = WORLD.block(640, 1).header,
            |refused| matches!(refused, UpdateRefused::Finality(ProofError::Root { .. })),
        ),
        (
            "a branch of another shape",
            |update| update.finality_branch = WORLD.update(Told::finality(4 * PERIOD + 64)).finality_branch,
            |refused| *refused == UpdateRefused::Finality(ProofError::Siblings { expected: 6, actual: 9 }),
        ),
        (
            "another execution block",
            |update| update.execution = WORLD.block(640, 1).claim(),
            |refused| matches!(refused, UpdateRefused::Execution(ProofError::Root { .. })),
        ),
        (
            "another next committee",
            |update| {
                *update = WORLD.update(Told::committee(640));
                update.next.as_mut().unwrap().committee = WORLD.committee(3).public().clone();
            },
            |refused| matches!(refused, UpdateRefused::Committee(ProofError::Root { .. })),
        ),
        (
            "signed by another committee",
            |update| {
                let message = WORLD.signing_root(&update.attested.root(), 705);
                (update.participation, update.signature) = WORLD.committee(1).sign(500, &message);
            },
            |refused| {
                let mismatch = SignatureError::Mismatch { scheme: Scheme::Bls12381 };
                *refused == UpdateRefused::Signature(CommitteeError::Signature(mismatch))
            },
        ),
        (
            "signed for another fork",
            |update| {
                let message = WORLD.signing_root(&update.attested.root(), PERIOD + 5);
                (update.participation, update.signature) = WORLD.committee(0).sign(500, &message);
            },
            |refused| matches!(refused, UpdateRefused::Signature(_)),
        ),
        (
            "a second block where one was accepted, and too few signers",
            |update| *update = WORLD.update(Told { signers: 7, salt: 1, ..Told::finality(128) }),
            |refused| *refused == UpdateRefused::Signers { signers: 7, least: 342 },
        ),
        (
            "another finalized block, and another execution block",
            |update| {
                update.finalized = WORLD.block(640, 1).header;
                update.execution = WORLD.block(640, 2).claim();
            },
            |refused| matches!(refused, UpdateRefused::Finality(_)),
        ),
    ];
    let client = informed();
    let good = WORLD.update(Told::finality(640));
    assert!(client.clone().update(WORLD.chain(), &good, 1000).is_ok());
    for (name, change, is_expected) in cases {
        let (mut update, mut asked) = (good.clone(), client.clone());
        change(&mut update);
        let refused = asked.update(WORLD.chain(), &update, 1000).expect_err(name);
        assert!(is_expected(&refused), "{name}: {refused}");
        assert_eq!(asked, client, "{name}: a refusal changes nothing");
    }
}

#[test]
fn a_period_whose_committee_is_not_known_is_refused() {
    let late = WORLD.update(Told::finality(PERIOD + 64));
    let refused = client(64).update(WORLD.chain(), &late, LATE);
    assert_eq!(refused, Err(UpdateRefused::Period { period: 1, first: 0, last: 0 }));
    assert!(informed().update(WORLD.chain(), &late, LATE).is_ok());
    let later = WORLD.update(Told::finality(2 * PERIOD + 64));
    let refused = informed().update(WORLD.chain(), &later, LATE);
    assert_eq!(refused, Err(UpdateRefused::Period { period: 2, first: 0, last: 1 }));
    let early = WORLD.update(Told::finality(640));
    let refused = client(PERIOD + 64).update(WORLD.chain(), &early, LATE);
    assert_eq!(refused, Err(UpdateRefused::Period { period: 0, first: 1, last: 1 }));
}

#[test]
fn a_bootstrap_is_bound_to_its_root() {
    let (trusted, good) = WORLD.bootstrap(4 * PERIOD + 64);
    let refused = |change: fn(&mut evidence::ethereum::Bootstrap)| {
        let mut bootstrap = good.clone();
        change(&mut bootstrap);
        LightClient::new(WORLD.chain(), &trusted, bootstrap).unwrap_err()
    };
    assert!(matches!(refused(|bad| bad.header.slot += 1), BootstrapRefused::Root { .. }));
    let other = |bad: &mut evidence::ethereum::Bootstrap| {
        bad.committee = WORLD.committee(3).public().clone();
    };
    assert!(matches!(refused(other), BootstrapRefused::Committee(ProofError::Root { .. })));
    let other = |bad: &mut evidence::ethereum::Bootstrap| bad.execution.block_hash[3] ^= 1;
    assert!(matches!(refused(other), BootstrapRefused::Execution(ProofError::Root { .. })));
    assert!(LightClient::new(WORLD.chain(), &[1; 32], good).is_err());
}

/// A trusted block whose committee has a seat without a key: nobody could tell who signed.
#[test]
fn a_committee_with_a_seat_that_is_no_key_is_refused() {
    let mut keys = WORLD.committee(0).public().public_keys().to_vec();
    keys[7] = [0; 48];
    let committee = SyncCommittee::new(keys, [0; 48]).unwrap();
    let mut contents = WORLD.contents(64, [0; 32], 0);
    contents.committees[0] = *committee.root();
    let block = fixtures::Block::new(&contents);
    let (_, mut bootstrap) = WORLD.bootstrap(64);
    bootstrap.committee_branch = evidence::ethereum::Branch::new(block.state.branch(54)).unwrap();
    (bootstrap.header, bootstrap.execution) = (block.header.clone(), block.claim());
    bootstrap.committee = committee;
    let refused = LightClient::new(WORLD.chain(), &block.root(), bootstrap).unwrap_err();
    let BootstrapRefused::Key(bad) = refused else { panic!("{refused}") };
    assert_eq!((bad.seat, bad.error), (7, KeyError::NotAPoint { scheme: Scheme::Bls12381 }));
    assert_eq!(SyncCommittee::new(vec![[0; 48]; 511], [0; 48]), None);
}

/// The slot of the signatures is not signed, and nothing is made of it but the committee and the fork. So a change there is
/// either refused or changes nothing.
#[test]
fn every_changed_byte_of_an_update_is_refused() {
    for slot in super::SLOTS {
        let before = client(slot - 64);
        let told = WORLD.update(Told { signers: 342, ..Told::finality(slot) });
        let mut after = before.clone();
        after.update(WORLD.chain(), &told, LATE).unwrap();
        // Those that reach the signature take 2 ms each.
        refuses_changes("update", &told, 5, |update| {
            let mut client = before.clone();
            let taken = client.update(WORLD.chain(), update, LATE);
            let is_other_slot = update.signature_slot != told.signature_slot;
            taken.is_err() || (is_other_slot && client == after)
        });
    }
}

#[test]
fn every_changed_byte_of_a_committee_update_or_a_bootstrap_is_refused() {
    let slot = 3 * PERIOD + 640;
    let before = client(slot - 64);
    let told = WORLD.update(Told::committee(slot));
    let mut after = before.clone();
    after.update(WORLD.chain(), &told, LATE).unwrap();
    refuses_changes("committee update", &told, 211, |update| {
        let mut client = before.clone();
        let taken = client.update(WORLD.chain(), update, LATE);
        taken.is_err() || (update.signature_slot != told.signature_slot && client == after)
    });
    let (trusted, bootstrap) = WORLD.bootstrap(slot);
    refuses_changes("bootstrap", &bootstrap, 211, |bootstrap| {
        LightClient::new(WORLD.chain(), &trusted, bootstrap.clone()).is_err()
    });
}
