//! Fuzzing under plain `cargo test`: hostile bytes never panic the decoder, hostile operations never panic the rules, and after any of
//! them every invariant holds. Bounded here; `SURETY_FUZZ_ROUNDS=N` runs N times as long.

#![allow(clippy::print_stdout, reason = "a long run says what it did")]

mod chain;
mod templates;
mod vaults;

use std::collections::BTreeSet;

use protocol::genesis::Genesis;
use protocol::units::{AssetId, OperatorId, SetId};
use protocol::{Authority, Kind, Operation, Signer, State, advance_epoch, apply, invariants};
use serde_json::Value;
use templates::{Dice, FREQUENT, address, fill, template};

fn rounds() -> u64 {
    std::env::var("SURETY_FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

fn decode(kind: Kind, value: &Value) -> Option<Operation> {
    Operation::deserialize_body(kind, value).ok()
}

#[test]
fn every_kind_has_a_template_that_decodes() {
    let mut dice = Dice::new(1);
    for kind in Kind::ALL {
        let decoded = (0..50).any(|_| decode(*kind, &fill(&template(*kind), &mut dice)).is_some());
        assert!(decoded, "no filling of the template of {kind} decodes");
    }
}

#[test]
fn what_is_written_reads_back_the_same() {
    let mut dice = Dice::new(2);
    for round in 0..400 * rounds() {
        let kind = Kind::ALL[usize::try_from(round).expect("small") % Kind::ALL.len()];
        let Some(operation) = decode(kind, &fill(&template(kind), &mut dice)) else { continue };
        let text = serde_json::to_value(Body(&operation)).expect("an operation can be written");
        assert_eq!(decode(kind, &text).as_ref(), Some(&operation), "{text}");
    }
}

struct Body<'a>(&'a Operation);

impl serde::Serialize for Body<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_body(serializer)
    }
}

#[test]
fn broken_bytes_are_errors_and_never_panics() {
    let mut dice = Dice::new(3);
    for round in 0..20_000 * rounds() {
        let kind = Kind::ALL[usize::try_from(round).expect("small") % Kind::ALL.len()];
        let mut bytes = fill(&template(kind), &mut dice).to_string().into_bytes();
        for _ in 0..=dice.below(4) {
            if bytes.is_empty() {
                break;
            }
            let at = usize::try_from(dice.below(bytes.len() as u64)).expect("an index");
            match dice.below(4) {
                0 => bytes[at] = u8::try_from(dice.below(256)).expect("a byte"),
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"0\"{}[],:9-e."[usize::try_from(dice.below(12)).expect("an index")]),
                _ => bytes.truncate(at + 1),
            }
        }
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        drop(Operation::deserialize_body(kind, &mut reader));
    }
}

/// A ledger with a few of everything, so that hostile operations find something to break.
fn world(dice: &mut Dice) -> State {
    let mut genesis = Genesis::development();
    genesis.parameters.unbonding = 6;
    genesis.parameters.slash_window = 2;
    genesis.parameters.veto = 2;
    genesis.parameters.execution = 1;
    genesis.parameters.notice = 1 + u32::try_from(dice.below(3)).expect("small");
    genesis.governor = address(0);
    genesis.guardian = address(1);
    genesis.limits.positions_per_account = 24;
    genesis.limits.tracks_per_pool = 6;
    let mut state = State::new(genesis).expect("a genesis");
    for (sender, kind, body) in templates::setup().into_iter().chain(vaults::setup()) {
        must(&mut state, sender, kind, body);
    }
    // Long enough for what the governor has announced.
    (0..=state.parameters().notice).for_each(|_| drop(advance_epoch(&mut state)));
    for (sender, kind, body) in vaults::later() {
        must(&mut state, sender, kind, body);
    }
    state
}

/// Applies what nothing here refuses.
fn must(state: &mut State, sender: u64, kind: Kind, body: Value) {
    let operation = decode(kind, &with_digests(state, body, true)).expect("the setup decodes");
    let authority = Authority { account: address(sender), signer: Signer::Plain, expires: u64::MAX };
    apply(state, &authority, &operation).unwrap_or_else(|refusal| panic!("{kind}: {refusal}"));
}

/// Puts the digests of the state where an operation signs one.
fn with_digests(state: &State, mut body: Value, wanted: bool) -> Value {
    let id = |value: &Value| u32::try_from(value.as_u64()?).ok();
    let operator = body.get("operator").and_then(id).map(OperatorId::new);
    let asset = body.get("asset").and_then(id).map(AssetId::new);
    if let (true, Some(operator), Some(asset), Some(Value::String(_))) =
        (wanted, operator, asset, body.get("mandate"))
        && let Some(digest) = state.mandate_digest(operator, asset)
    {
        body["mandate"] = Value::String(digest.to_string());
    }
    let set = body.get("set").and_then(id).map(SetId::new);
    if let (true, Some(set), Some(Value::String(_))) = (wanted, set, body.get("terms"))
        && let Some(digest) = state.terms_digest(set)
    {
        body["terms"] = Value::String(digest.to_string());
    }
    if let (true, Some(operator), Some(asset)) = (wanted, operator, asset)
        && body.get("order").is_some_and(Value::is_object)
        && let Some(digest) = state.mandate_digest(operator, asset)
    {
        body["order"]["mandate"] = Value::String(digest.to_string());
    }
    body
}

/// Applies a random operation of a kind; the digests are mostly those of the state.
fn attempt(state: &mut State, kind: Kind, dice: &mut Dice) -> Option<bool> {
    dice.now = state.epoch().number();
    let body = fill(&template(kind), dice);
    let body = with_digests(state, body, dice.below(10) > 0);
    let operation = decode(kind, &body)?;
    let account = address(dice.below(6));
    let signer = match dice.below(12) {
        0 => Signer::Delegate { address: address(dice.below(6)), keys: Vec::new() },
        1 => Signer::Keys(Vec::new()),
        _ => Signer::Plain,
    };
    Some(apply(state, &Authority { account, signer, expires: u64::MAX }, &operation).is_ok())
}

/// Storms of one seed.
fn storm(seed: u64, operations: u32, reached: &mut BTreeSet<Kind>) -> (u32, u32) {
    let mut dice = Dice::new(seed);
    let mut state = world(&mut dice);
    let (mut applied, mut refused) = (0, 0);
    for step in 0..operations {
        if dice.below(8) == 0 {
            advance_epoch(&mut state);
            // Until somebody advances a vault, most of what concerns it is refused.
            if dice.below(3) > 0 {
                for (_, kind, body) in vaults::ticks() {
                    let operation = decode(kind, &body).expect("it decodes");
                    let sender = Authority { account: address(5), signer: Signer::Plain, expires: u64::MAX };
                    drop(apply(&mut state, &sender, &operation));
                }
            }
        } else {
            let kinds = match dice.below(12) {
                0..=4 => &FREQUENT[..],
                5..=7 => &vaults::FREQUENT[..],
                _ => Kind::ALL,
            };
            let mut kind = kinds[usize::try_from(dice.below(kinds.len() as u64)).expect("an index")];
            // What is refused in any case comes seldom.
            while OF_CHAIN.contains(&kind) && dice.below(20) > 0 {
                kind = kinds[usize::try_from(dice.below(kinds.len() as u64)).expect("an index")];
            }
            // What ends something for good comes seldom, or the rest of the storm would find nothing to do.
            let is_final = [
                Kind::RetireOperator,
                Kind::CloseSet,
                Kind::Guard,
                Kind::LeaveSet,
                Kind::Eject,
                Kind::ChangeTerms,
                Kind::VaultGuard,
                Kind::ChangeVault,
                Kind::SetBands,
                Kind::ChangeBasket,
            ]
            .contains(&kind);
            if is_final && dice.below(10) > 0 {
                continue;
            }
            match attempt(&mut state, kind, &mut dice) {
                Some(true) => {
                    applied += 1;
                    reached.insert(kind);
                    // What was announced can be taken back for a few epochs only: somebody tries at once.
                    if kind == Kind::ChangeTerms
                        && (0..24).any(|_| attempt(&mut state, Kind::WithdrawTerms, &mut dice) == Some(true))
                    {
                        applied += 1;
                        reached.insert(Kind::WithdrawTerms);
                    }
                }
                Some(false) => refused += 1,
                None => {}
            }
        }
        if step % 8 == 0 {
            invariants::check(&state)
                .unwrap_or_else(|violation| panic!("seed {seed}, step {step}: {violation}"));
        }
    }
    invariants::check(&state).unwrap_or_else(|violation| panic!("seed {seed}, end: {violation}"));
    (applied, refused)
}

/// What needs several others in the right order, in too few epochs or too much time for a storm: histories of the naive model, the attack tests and
/// those of vaults do it.
const RARE: [Kind; 4] = [Kind::Consent, Kind::Correlate, Kind::DeclareStale, Kind::BasketSettle];

/// What is told of Ethereum is refused here, since no chain is followed: `tests/ethereum` does that.
const OF_CHAIN: [Kind; 11] = [
    Kind::BeginChain,
    Kind::UpdateChain,
    Kind::OpenBlock,
    Kind::AttestHeader,
    Kind::ReportContradiction,
    Kind::GovernChain,
    Kind::ReportPod,
    Kind::ReportSlashed,
    Kind::ReleasePod,
    Kind::TakeDeposits,
    Kind::SubmitFalseEvent,
];

#[test]
fn storms_of_hostile_operations_break_no_invariant() {
    let (mut applied, mut refused) = (0, 0);
    let mut reached = BTreeSet::new();
    for seed in 0..400 * rounds() {
        let (more_applied, more_refused) = storm(seed, 3000, &mut reached);
        applied += more_applied;
        refused += more_refused;
    }
    println!("{applied} operations applied, {refused} refused");
    let may_miss = |kind: &Kind| RARE.contains(kind) || OF_CHAIN.contains(kind);
    let missed: Vec<&Kind> =
        Kind::ALL.iter().filter(|kind| !reached.contains(kind) && !may_miss(kind)).collect();
    assert!(missed.is_empty(), "no storm has applied {missed:?}");
    assert!(applied > 1000 && refused > 1000, "{applied} applied and {refused} refused say too little");
}
