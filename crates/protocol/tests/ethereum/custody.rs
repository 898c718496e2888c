//! Deposits and rates read from contracts, the second source, and statements that receipts contradict.

use evidence::ethereum::{Limited, ReceiptProof, mapping_slot};
use evidence::fact::custody::{Custody, DepositClaim, RateLayout, Term};
use evidence::{Certificate, EventClaim, FalseEvent, Scheme, SecretKey, Statement, event_digest};
use protocol::ethereum::{ChainAsset, SecondSource};
use protocol::ops;
use protocol::units::{Amount, AssetId, Fraction, SetId};
use protocol::{AssetKind, Event, Operation, RateSource};

use crate::chain::{Held, NATIVE, PERIOD, Run, WORLD, address, word};
use crate::slashings;

const TOKEN: AssetId = AssetId::new(1);
const CUSTODY: [u8; 20] = [0xc0; 20];
pub(crate) const RATES: [u8; 20] = [0xc1; 20];
const E18: u128 = 1_000_000_000_000_000_000;

pub(crate) fn custody() -> Custody {
    Custody { contract: CUSTODY, count: word(3), deposits: word(4) }
}

/// `10^18 * (word 1 + 32 * (word 2 high - word 2 low)) / word 3`.
pub(crate) fn rate() -> RateLayout {
    let term = |slot, part, times, is_subtracted| Term {
        contract: RATES,
        slot: word(slot),
        part,
        times,
        is_subtracted,
    };
    use evidence::fact::custody::Part;
    RateLayout {
        numerator: vec![
            term(1, Part::Whole, 1, false),
            term(2, Part::High, 32, false),
            term(2, Part::Low, 32, true),
        ],
        denominator: vec![term(3, Part::Whole, 1, false)],
    }
}

pub(crate) fn run(change: impl FnOnce(&mut ChainAsset)) -> Run {
    let mut run = Run::with(3, |genesis| {
        let mut token = ChainAsset {
            contract: "0xaa".to_owned(),
            decimals: None,
            per_period: Amount::new(1000),
            attested_above: None,
            custody: Some(custody()),
            rate: Some(rate()),
        };
        change(&mut token);
        genesis.ethereum.as_mut().unwrap().assets.push(token);
        genesis.ethereum.as_mut().unwrap().second =
            Some(SecondSource { set: SetId::new(0), quorum: Fraction::from_percent(60) });
    });
    run.list("0xaa", AssetKind::Token, 18, RateSource::Proven);
    run
}

fn claim(who: &str, amount: u128) -> DepositClaim {
    DepositClaim { from: [1; 20], account: address(who).0, amount }
}

/// The contract holds these deposits.
fn hold(run: &mut Run, claims: &[DepositClaim]) {
    let mut storage = std::collections::BTreeMap::new();
    storage.insert(word(3), word(u128::try_from(claims.len()).unwrap()));
    for (number, claim) in (0..).zip(claims) {
        storage.insert(mapping_slot(&word(number), &word(4)), claim.word());
    }
    run.accounts.insert(CUSTODY, Held { wei: 0, storage });
}

fn take(run: &Run, slot: u64, first: u64, claims: &[DepositClaim]) -> Operation {
    let question = custody().question(first, claims.len());
    let nodes = run.blocks[&slot].nodes(&[(question.address, question.slots)]);
    let deposits = claims.to_vec();
    Operation::TakeDeposits(ops::take_deposits::TakeDeposits { asset: TOKEN, slot, deposits, nodes })
}

fn free(run: &Run, who: &str) -> u128 {
    let detail = protocol::query::account(&run.state, address(who));
    let held = detail.and_then(|detail| detail.balances.into_iter().find(|held| held.asset == TOKEN));
    held.map_or(0, |held| held.free.units())
}

#[test]
fn deposits_are_taken_in_order_each_once_and_as_the_contract_holds_them() {
    let mut run = run(|_| {});
    let claims = [claim("alice", 100), claim("bob", 200), claim("alice", 50)];
    let slot = 3 * PERIOD + 320;
    hold(&mut run, &[]);
    run.finalize(slot);
    assert_eq!(run.refused("anyone", take(&run, slot, 0, &[])), "take_deposits.NothingNew");
    let early = take(&run, slot, 0, &claims[..1]);
    assert_eq!(run.refused("anyone", early), "take_deposits.NotProven", "it is not there yet");
    hold(&mut run, &claims);
    run.finalize(slot + 64);
    let mut forged = claims.clone();
    forged[1].account = address("mallory").0;
    assert_eq!(run.refused("anyone", take(&run, slot + 64, 0, &forged)), "take_deposits.NotProven");
    let skipped = take(&run, slot + 64, 1, &claims[1..]);
    assert_eq!(run.refused("anyone", skipped), "take_deposits.NotProven", "deposit 0 comes first");
    run.must("anyone", take(&run, slot + 64, 0, &claims[..2]));
    assert_eq!((free(&run, "alice"), free(&run, "bob")), (100, 200));
    let again = take(&run, slot + 64, 0, &claims[..2]);
    assert_eq!(run.refused("anyone", again), "take_deposits.NotProven", "each once");
    run.state = run.restored();
    run.must("anyone", take(&run, slot + 64, 2, &claims[2..]));
    assert_eq!(free(&run, "alice"), 150);
    let plain = ops::deposit::Deposit {
        account: None,
        asset: TOKEN,
        amount: Amount::new(1),
        index: None,
        proof: evidence::Proof::Development,
    };
    assert_eq!(run.refused("alice", Operation::Deposit(plain)), "deposit.FollowedChain");
}

#[test]
fn a_deposit_above_the_cap_of_a_period_enters_in_parts() {
    let mut run = run(|_| {});
    run.state.begin_block(6 * PERIOD * 12_000);
    let claims = [claim("alice", 600), claim("bob", 900), claim("carol", 10)];
    let slot = 3 * PERIOD + 320;
    hold(&mut run, &claims);
    run.finalize(slot);
    run.must("anyone", take(&run, slot, 0, &claims));
    assert_eq!((free(&run, "alice"), free(&run, "bob"), free(&run, "carol")), (600, 400, 0));
    assert_eq!(run.refused("anyone", take(&run, slot, 1, &claims[1..])), "take_deposits.NothingMayEnter");
    // The next period, whose committee the present one tells.
    let told = fixtures::Told { salt: 0, ..fixtures::Told::committee(slot + 320) };
    let update = WORLD.update(told);
    run.must("anyone", Operation::UpdateChain(ops::update_chain::UpdateChain { update }));
    run.finalize(4 * PERIOD + 320);
    run.must("anyone", take(&run, 4 * PERIOD + 320, 1, &claims[1..]));
    assert_eq!((free(&run, "bob"), free(&run, "carol")), (900, 10));
}

#[test]
fn a_rate_is_what_the_words_of_its_contracts_make() {
    let mut run = run(|_| {});
    let slot = 3 * PERIOD + 320;
    let mut packed = word(6);
    packed[15] = 16;
    let storage = [(word(1), word(1000)), (word(2), packed), (word(3), word(1310))].into();
    run.accounts.insert(RATES, Held { wei: 0, storage });
    run.finalize(slot);
    // (1000 + 32 * 16 - 32 * 6) / 1310 = 1320 / 1310.
    let rate_of = 1320 * E18 / 1310;
    let questions: Vec<_> =
        rate().questions().into_iter().map(|asked| (asked.address, asked.slots)).collect();
    let report = |run: &Run, rate| {
        let proof = evidence::Proof::Storage { slot, nodes: run.blocks[&slot].nodes(&questions) };
        Operation::ReportRate(ops::report_rate::ReportRate { asset: TOKEN, rate: Amount::new(rate), proof })
    };
    run.advance(1);
    assert_eq!(run.refused("anyone", report(&run, rate_of + 1)), "report_rate.OtherRate");
    let events = run.must("anyone", report(&run, rate_of));
    assert!(
        matches!(events[..], [Event::RateChanged { rate, .. }] if rate == Amount::new(rate_of)),
        "{events:?}"
    );
}

/// The ledger's own validators sign what they see as final.
#[test]
fn much_at_once_needs_the_second_source() {
    let mut run = run(|token| token.attested_above = Some(Amount::new(500)));
    slashings::offer(&mut run, NATIVE, NATIVE);
    let secret = SecretKey::from_seed(Scheme::Bls12381, [7; 32]);
    let slot = 3 * PERIOD + 320;
    run.validator(5, run.pod("alice"), 32_000_000_000);
    run.finalize(slot);
    run.checkpoint("alice", slot);
    run.must("alice", slashings::delegation(&run, NATIVE, 32_000_000_000));
    slashings::join_set(&mut run, NATIVE);
    let ledger = run.state.genesis().ledger.0;
    let possession = secret.prove_possession(&ledger, 0, 0);
    let key = secret.public_key();
    let register = ops::register_key::RegisterKey { set: SetId::new(0), key, possession };
    run.must("op", Operation::RegisterKey(register));
    run.advance(1);
    let claims = [claim("alice", 300), claim("alice", 300)];
    hold(&mut run, &claims);
    run.finalize(slot + 64);
    assert_eq!(run.refused("anyone", take(&run, slot + 64, 0, &claims)), "take_deposits.NotAttested");
    // Many small steps are a large one.
    run.must("anyone", take(&run, slot + 64, 0, &claims[..1]));
    assert_eq!(run.refused("anyone", take(&run, slot + 64, 1, &claims[1..])), "take_deposits.NotAttested");
    let header: evidence::ethereum::Finalized =
        serde_json::from_str(&run.blocks[&(slot + 64)].block.finalized_text()).unwrap();
    let message = header.attestation(WORLD.chain());
    let bits = evidence::Bitmap::from_indexes([0]).unwrap();
    let mut certificate = Certificate {
        set: 0,
        epoch: run.state.epoch().number(),
        message,
        signers: bits,
        signature: secret.sign(b"nothing"),
    };
    let attest = |certificate: &Certificate, slot| {
        let certificate = certificate.clone();
        Operation::AttestHeader(ops::attest_header::AttestHeader { slot, certificate })
    };
    assert_eq!(run.refused("anyone", attest(&certificate, slot + 64)), "attest_header.NotProven");
    certificate.signature = secret.sign(&certificate.signing_bytes(&ledger));
    assert_eq!(run.refused("anyone", attest(&certificate, slot)), "attest_header.OtherMessage");
    run.must("anyone", attest(&certificate, slot + 64));
    assert_eq!(run.refused("anyone", attest(&certificate, slot + 64)), "attest_header.Attested");
    run.state = run.restored();
    run.must("anyone", take(&run, slot + 64, 1, &claims[1..]));
    assert_eq!(free(&run, "alice"), 600);
}

/// An operator signs that a log stands where another one does.
#[test]
fn a_statement_that_a_receipt_contradicts_is_slashed_and_a_true_one_is_not() {
    let mut run = run(|_| {});
    slashings::offer(&mut run, NATIVE, NATIVE);
    let secret = SecretKey::from_seed(Scheme::Ed25519, [8; 32]);
    let slot = 3 * PERIOD + 320;
    run.validator(5, run.pod("alice"), 32_000_000_000);
    run.finalize(slot);
    run.checkpoint("alice", slot);
    run.must("alice", slashings::delegation(&run, NATIVE, 32_000_000_000));
    slashings::join_set(&mut run, NATIVE);
    let ledger = run.state.genesis().ledger.0;
    let possession = secret.prove_possession(&ledger, 0, 0);
    let register =
        ops::register_key::RegisterKey { set: SetId::new(0), key: secret.public_key(), possession };
    run.must("op", Operation::RegisterKey(register));
    run.advance(1);

    let header: evidence::ethereum::Finalized =
        serde_json::from_str(&run.blocks[&slot].block.finalized_text()).unwrap();
    let block = header.open(&run.blocks[&slot].block.opening()).unwrap();
    let receipt = |index: u64| {
        let nodes = WORLD.receipts().proof(&fixtures::encode_number(u128::from(index)));
        let nodes = nodes.iter().map(|node| evidence::ethereum::Bytes::new(node).unwrap()).collect();
        ReceiptProof { index, nodes: Limited::new(nodes).unwrap() }
    };
    let logs = block.receipt(&receipt(3)).unwrap().logs().to_vec();
    assert!(!logs.is_empty());
    let accuse = |transaction: u64, log: u32, event: [u8; 32]| {
        let claim = EventClaim { number: block.number(), transaction, log, event };
        let content = claim.content(WORLD.chain());
        let statement = Statement { ledger, set: 0, epoch: 1, kind: 2, slot: 77, content };
        let signature = secret.sign(&statement.signing_bytes());
        let key = secret.public_key();
        let evidence = FalseEvent {
            key,
            set: 0,
            epoch: 1,
            kind: 2,
            slot: 77,
            claim,
            signature,
            receipt: receipt(transaction),
        };
        Operation::SubmitFalseEvent(ops::submit_false_event::SubmitFalseEvent {
            slot,
            evidence,
            earlier: None,
        })
    };
    let truth = event_digest(&logs[0]);
    assert_eq!(run.refused("anyone", accuse(3, 0, truth)), "submit_false_event.EvidenceRefused");
    let none = accuse(3, 99, [0; 32]);
    assert_eq!(run.refused("anyone", none), "submit_false_event.EvidenceRefused", "there is none, as stated");
    let absent = accuse(900, 0, [0; 32]);
    assert_eq!(
        run.refused("anyone", absent),
        "submit_false_event.EvidenceRefused",
        "no such transaction either"
    );
    let mut before = run.restored();
    for lie in [accuse(3, 0, [5; 32]), accuse(3, 0, [0; 32]), accuse(900, 0, truth), accuse(3, 99, truth)] {
        let mut other = before.clone();
        std::mem::swap(&mut run.state, &mut other);
        let events = run.must("anyone", lie);
        assert!(events.iter().any(|event| matches!(event, Event::Slashed { .. })), "{events:?}");
        let sum = protocol::invariants::conservation(&run.state, NATIVE);
        assert_eq!(sum.held.units(), 16_000_000_000, "half of what was bonded");
    }
    std::mem::swap(&mut run.state, &mut before);
}
