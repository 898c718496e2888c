//! Operations with holes, and dice that fill them.

use evidence::signing::SecretKey;
use evidence::{Scheme, Statement};
use protocol::Kind;
use protocol::units::Address;
use serde_json::{Value, json};

use crate::vaults;

/// A small deterministic generator (SplitMix64).
pub(crate) struct Dice {
    state: u64,
    /// The epoch that epochs are thrown around.
    pub(crate) now: u32,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        // Not a multiple of the step: neighbouring seeds would walk the same path.
        Self { state: seed.wrapping_mul(0xD134_2543_DE82_EF95) ^ 0x5851_F42D_4C95_7F2D, now: 0 }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

pub(crate) fn address(number: u64) -> Address {
    Address([u8::try_from(number + 1).expect("few accounts"); 20])
}

/// Fills the holes of a template: strings that start with `#`. Optional fields (`?` before the name) are sometimes left out.
pub(crate) fn fill(template: &Value, dice: &mut Dice) -> Value {
    match template {
        Value::Object(fields) => {
            let mut filled = serde_json::Map::new();
            for (name, value) in fields {
                match name.strip_prefix('?') {
                    Some(_) if dice.below(2) == 0 => {}
                    Some(name) => drop(filled.insert(name.to_owned(), fill(value, dice))),
                    None => drop(filled.insert(name.clone(), fill(value, dice))),
                }
            }
            Value::Object(filled)
        }
        Value::Array(items) => {
            // A list of one hole has any number of items; a longer one is meant as it is.
            let [hole] = items.as_slice() else { return items.iter().map(|item| fill(item, dice)).collect() };
            (0..dice.below(3)).map(|_| fill(hole, dice)).collect()
        }
        Value::String(hole) if hole.starts_with('#') => hole_value(hole, dice),
        other => other.clone(),
    }
}

fn hole_value(hole: &str, dice: &mut Dice) -> Value {
    match hole {
        "#id" => {
            let bound = if dice.below(8) == 0 { 6 } else { 3 };
            json!(dice.below(bound))
        }
        "#many" => json!(dice.below(12)),
        "#epoch" => json!(epoch(dice)),
        "#past" => json!(dice.now.saturating_sub(3 + u32::try_from(dice.below(3)).expect("small"))),
        "#epochs" => json!(if dice.below(20) == 0 { u64::from(u32::MAX) } else { dice.below(4) }),
        "#parts" => json!(if dice.below(20) == 0 { 65_535 } else { dice.below(258) }),
        "#u16" => json!(dice.below(65_536) >> dice.below(16)),
        "#u64" => json!(dice.next() >> dice.below(64)),
        "#bool" => json!(dice.below(2) == 0),
        "#amount" => json!(amount(dice).to_string()),
        "#rate" => json!((u128::from(dice.next()) >> dice.below(8)).to_string()),
        "#fraction" => fraction(dice),
        "#address" => json!(address(dice.below(6)).to_string()),
        "#digest" => json!(format!("0x{:064x}", dice.next())),
        "#contract" => json!(format!("0x{:02x}", dice.below(6))),
        "#kind" => {
            json!(Kind::ALL[usize::try_from(dice.below(Kind::ALL.len() as u64)).expect("an index")].name())
        }
        "#key" => json!(secret(dice.below(6)).public_key().to_string()),
        "#text" => json!("x".repeat(usize::try_from(dice.below(600)).expect("short"))),
        "#possession" => {
            let proof = secret(dice.below(6)).prove_possession(&[0; 32], id(dice), id(dice));
            serde_json::to_value(proof).expect("a signature")
        }
        "#evidence" => equivocation(dice),
        "#basket" => json!(dice.below(8) / 7),
        "#ticket" => json!(dice.below(40)),
        "#message" => json!(dice.below(4) * dice.below(4)),
        "#parcel" => json!(if dice.below(3) == 0 { "2000" } else { "10" }),
        "#way" => json!(if dice.below(2) == 0 { "delegate" } else { "ask_back" }),
        "#shares" => vaults::shares(dice),
        "#price" => vaults::price(dice),
        "#guard" => vaults::guard(dice),
        other => panic!("unknown hole {other}"),
    }
}

fn id(dice: &mut Dice) -> u32 {
    u32::try_from(dice.below(3)).expect("small")
}

/// Mostly near the present.
fn epoch(dice: &mut Dice) -> u32 {
    match dice.below(20) {
        0 => u32::MAX,
        1 => dice.now.saturating_add(3),
        _ => dice.now.saturating_sub(u32::try_from(dice.below(4)).expect("small")),
    }
}

fn secret(number: u64) -> SecretKey {
    SecretKey::from_seed(Scheme::Ed25519, [u8::try_from(number + 1).expect("few"); 32])
}

fn amount(dice: &mut Dice) -> u128 {
    match dice.below(10) {
        0 => 0,
        1 => 1,
        2 => u128::MAX,
        3 => (1 << 104) - 1,
        4..=5 => (u128::from(dice.next()) << 32) >> dice.below(90),
        _ => u128::from(dice.below(1000)),
    }
}

fn fraction(dice: &mut Dice) -> Value {
    match dice.below(6) {
        0 => json!("0"),
        1 => json!("1"),
        2 => json!("0.000000000000000001"),
        3 => json!("0.5"),
        4 => json!("0.05"),
        _ => json!(format!("0.{:018}", dice.below(1_000_000_000_000_000_000))),
    }
}

fn equivocation(dice: &mut Dice) -> Value {
    let signer = secret(dice.below(6));
    let (set, epoch, slot) = (id(dice), epoch(dice), dice.below(3));
    let signed = |content: u8| {
        let content = [content; 32];
        let statement = Statement { ledger: [0; 32], set, epoch, kind: 0, slot, content };
        let signature = signer.sign(&statement.signing_bytes());
        serde_json::to_value(evidence::Signed { content, signature }).expect("a statement")
    };
    let key = signer.public_key().to_string();
    json!({"key": key, "set": set, "epoch": epoch, "kind": 0, "slot": slot, "first": signed(1), "second": signed(2)})
}

fn mandate() -> Value {
    json!({"worst_case": "#fraction", "elsewhere": "#fraction", "own_verifiers": "0", "uncertified": "#bool", "commission": "#fraction"})
}

fn terms() -> Value {
    json!({
        "assets": [{"asset": "#id", "weight": 1_000_000_000}, {"asset": "#id", "weight": "#u64"}],
        "admission": {"?list_only": "#bool", "operators_max": 4, "?stake_min": "#amount"},
        "?operator_share_max": "#fraction",
        "offences": {"?equivocation": "#fraction", "?subjective": "#fraction", "?correlation": {"multiplier": 3, "exponent": 1}},
        "window_cap": "#fraction",
        "slasher": "#address",
        "?resolvers": ["#address"],
        "?veto": "#epochs",
        "?destinations": [
            {"to": {"redistribute": "#address"}, "share": "0.5"}, {"to": "compensate", "share": "0.5"}
        ],
        "?reward_tokens": ["#id"],
        "?warm_up": "#epochs",
        "?jail": {"on_equivocation": "#bool", "period": 1},
        "?risk_weight": "0.5",
        "?corruption_share": "#fraction",
        "?mass_slash_max": "#fraction"
    })
}

fn parameters() -> Value {
    let parameters = protocol::Genesis::development().parameters;
    let mut value = serde_json::to_value(parameters).expect("parameters");
    for (name, hole) in
        [("unbonding", "#many"), ("slash_window", "#epochs"), ("veto", "#epochs"), ("execution", "#epochs")]
    {
        value[name] = json!(hole);
    }
    value["caps"]["operator"] = json!("#fraction");
    value
}

/// Terms that a set could really have.
fn sane_terms(weight: &str, assets: u64) -> Value {
    json!({
        "assets": (0..assets).map(|asset| json!({"asset": asset, "weight": 1_000_000_000})).collect::<Vec<_>>(),
        "admission": {"operators_max": 4},
        "offences": {"equivocation": "0.3", "subjective": "0.2", "correlation": {"multiplier": 1, "exponent": 1}},
        "window_cap": "0.9", "slasher": address(3).to_string(), "veto": 1,
        "resolvers": [address(4).to_string(), address(5).to_string()], "threshold": 1,
        "reward_tokens": [0, 1], "risk_weight": weight, "jail": {"on_equivocation": true, "period": 0}
    })
}

/// A change of terms that can be accepted, mostly.
fn changed_terms() -> Value {
    let mut terms = sane_terms("0.5", 3);
    terms["window_cap"] = json!("#fraction");
    json!({"set": 1, "terms": terms})
}

/// Kinds that only make sense soon after others, and so come more often.
pub(crate) const FREQUENT: [Kind; 14] = [
    Kind::Consent,
    Kind::WithdrawTerms,
    Kind::ReleaseProceeds,
    Kind::SubmitEquivocation,
    Kind::Undelegate,
    Kind::ReplaceFollowUp,
    Kind::OpenStream,
    Kind::EndStream,
    Kind::DeclareProfit,
    Kind::RequestSlash,
    Kind::VetoSlash,
    Kind::ApproveSlash,
    Kind::ExecuteSlash,
    Kind::Correlate,
];

/// A small world: three assets (a token, one with a proven rate, native stake), three operators with a pool of each, two services with
/// three sets (one alone on its slices that pays what it slashes, two that share), stakers with something to lose.
pub(crate) fn setup() -> Vec<(u64, Kind, Value)> {
    let mut setup = Vec::new();
    let all = json!({"worst_case": "1", "elsewhere": "1", "own_verifiers": "0", "uncertified": true, "commission": "1"});
    for (contract, kind, rate) in
        [("0xaa", "token", "one"), ("0xbb", "token", "proven"), ("", "native", "one")]
    {
        let origin = json!({"chain": 1, "contract": contract});
        setup.push((
            0,
            Kind::ListAsset,
            json!({"origin": origin, "decimals": 18, "kind": kind, "rate": rate}),
        ));
    }
    for service in [3, 4] {
        setup.push((service, Kind::CreateService, json!({})));
    }
    let paying = json!([{"to": {"redistribute": address(4).to_string()}, "share": "0.5"}, {"to": "compensate", "share": "0.5"}]);
    for (weight, destinations, assets) in
        [("1", paying, 2), ("0.5", Value::Null, 3), ("0.25", Value::Null, 3)]
    {
        let mut terms = sane_terms(weight, assets);
        if !destinations.is_null() {
            terms["destinations"] = destinations;
        }
        setup.push((3, Kind::CreateSet, json!({"terms": terms})));
    }
    setup.push((0, Kind::GovernAsset, json!({"asset": 0, "value": 1_000_000_000})));
    for account in 0..6 {
        for asset in 0..2 {
            setup.push((account, Kind::Deposit, json!({"asset": asset, "amount": "1000000"})));
        }
        setup.push((
            account,
            Kind::ReportValidator,
            json!({"asset": 2, "validator": account, "balance": "32000"}),
        ));
    }
    for operator in 0..3 {
        setup.push((operator, Kind::RegisterOperator, json!({})));
        for asset in 0..3 {
            setup.push((
                operator,
                Kind::OpenPool,
                json!({"asset": asset, "mandate": all, "commission": "0.1"}),
            ));
        }
        for set in 0..3 {
            let allocations: Vec<Value> =
                (0..if set == 0 { 2 } else { 3 }).map(|asset| json!({"asset": asset, "parts": 60})).collect();
            let join = json!({"set": set, "terms": "#digest", "allocations": allocations});
            setup.push((operator, Kind::JoinSet, join));
        }
    }
    for staker in 0..6 {
        let amount = json!({"operator": staker % 3, "asset": staker % 2, "amount": "5000", "mandate": "#digest", "worst_case": "1"});
        setup.push((staker, Kind::Delegate, amount));
    }
    setup
}

/// An operation of a kind, with holes.
pub(crate) fn template(kind: Kind) -> Value {
    staker_template(kind)
        .or_else(|| operator_template(kind))
        .or_else(|| service_template(kind))
        .or_else(|| crate::chain::template(kind))
        .or_else(|| vaults::template(kind))
        .unwrap_or_else(|| panic!("{kind} has no template"))
}

fn staker_template(kind: Kind) -> Option<Value> {
    let stake = json!({"operator": "#id", "asset": "#id"});
    Some(match kind {
        Kind::SetKeys => json!({"keys": ["#key"], "threshold": "#epochs"}),
        Kind::Grant => json!({
            "delegate": "#address", "kinds": ["#kind"], "?limits": [{"asset": "#id", "amount": "#amount"}], "expires": "#epoch"
        }),
        Kind::Revoke => json!({"delegate": "#address"}),
        Kind::SetClaimer => json!({"?claimer": "#address"}),
        Kind::ListAsset => json!({
            "origin": {"chain": 1, "contract": "#contract"}, "decimals": 18, "?kind": "native", "?rate": "proven"
        }),
        Kind::Deposit => json!({"?account": "#address", "asset": "#id", "amount": "#amount"}),
        Kind::ReportRate => json!({"asset": "#id", "rate": "#rate"}),
        Kind::ReportValidator => {
            json!({"asset": "#id", "validator": "#id", "?account": "#address", "balance": "#amount"})
        }
        Kind::DeclareStale => json!({"validator": "#id"}),
        Kind::Withdraw => json!({"asset": "#id", "amount": "#amount", "to": "0xab"}),
        Kind::Delegate => json!({
            "operator": "#id", "asset": "#id", "amount": "#amount", "?validator": 0, "mandate": "#digest", "worst_case": "1"
        }),
        Kind::Undelegate => json!({
            "operator": "#id", "asset": "#id", "?amount": "#amount", "?validator": "#id",
            "?follow_up": {"delegate": {"operator": "#id", "mandate": "#digest", "worst_case": "1"}}
        }),
        Kind::ReplaceFollowUp => json!({
            "operator": "#id", "asset": "#id", "bonded_through": "#epoch", "follow_up": {"withdraw": {"to": "0xab"}}
        }),
        Kind::Release => stake,
        Kind::Claim => {
            json!({"?operator": "#id", "?asset": "#id", "?token": "#id", "?to": "#address", "?account": "#address"})
        }
        Kind::SetCompounding => {
            json!({"operator": "#id", "asset": "#id", "?order": {"mandate": "#digest", "worst_case": "1"}})
        }
        Kind::Compound => json!({"?account": "#address", "operator": "#id", "asset": "#id"}),
        _ => return None,
    })
}

fn operator_template(kind: Kind) -> Option<Value> {
    Some(match kind {
        Kind::RegisterOperator => json!({"?groups": {"?client": "#text"}}),
        Kind::RetireOperator => json!({}),
        Kind::SetGroups => json!({"groups": {"?cloud": "#text"}}),
        Kind::OpenPool => json!({"asset": "#id", "mandate": mandate(), "?commission": "#fraction"}),
        Kind::ChangeMandate => json!({"asset": "#id", "mandate": mandate()}),
        Kind::SetCommission => json!({"asset": "#id", "commission": "#fraction"}),
        Kind::SetSplit => json!({"recipients": [{"account": "#address", "share": "#fraction"}]}),
        Kind::RaiseBond | Kind::LowerBond => json!({"asset": "#id", "amount": "#amount"}),
        Kind::ReleaseBond => json!({"operator": "#id", "asset": "#id"}),
        Kind::JoinSet => {
            json!({"set": "#id", "terms": "#digest", "?allocations": [{"asset": "#id", "parts": "#parts"}]})
        }
        Kind::LeaveSet | Kind::Unjail => json!({"set": "#id"}),
        Kind::Allocate => json!({
            "set": "#id", "asset": "#id", "parts": "#parts", "?expected_parts": "#parts", "?expected_slashes": "#epochs"
        }),
        Kind::Consent => json!({"set": "#id", "terms": "#digest"}),
        Kind::RegisterKey => json!({"set": "#id", "key": "#key", "possession": "#possession"}),
        _ => return None,
    })
}

fn service_template(kind: Kind) -> Option<Value> {
    Some(match kind {
        Kind::CreateService => json!({}),
        Kind::CreateSet => json!({"terms": terms()}),
        Kind::ChangeTerms => changed_terms(),
        Kind::WithdrawTerms | Kind::CloseSet => json!({"set": "#id"}),
        Kind::Admit => json!({"set": "#id", "operator": "#id", "admitted": "#bool"}),
        Kind::Eject | Kind::Jail => json!({"set": "#id", "operator": "#id"}),
        Kind::DeclareProfit => json!({"set": "#id", "profit": "#amount"}),
        Kind::ReportPerformance => json!({"set": "#id", "operator": "#id", "factor": "#fraction"}),
        Kind::OpenStream => {
            json!({"set": "#id", "token": "#id", "per_epoch": "#amount", "epochs": "#many"})
        }
        Kind::EndStream => json!({"stream": "#many"}),
        Kind::PayWork => json!({
            "set": "#id", "token": "#id", "epoch": "#epoch", "payments": [{"operator": "#id", "amount": "#amount"}]
        }),
        Kind::SubmitEquivocation => json!({"evidence": "#evidence"}),
        Kind::RequestSlash => json!({
            "set": "#id", "operator": "#id", "capture": "#epoch", "fraction": "#fraction", "reason": "late",
            "?victims": [{"account": "#address", "asset": "#id", "amount": "#amount"}]
        }),
        Kind::VetoSlash | Kind::ApproveSlash | Kind::ExecuteSlash => json!({"request": "#many"}),
        Kind::Correlate => json!({"set": "#id", "operator": "#id", "capture": "#past"}),
        Kind::ReleaseProceeds => json!({"slash": "#many"}),
        Kind::ProposeParameters => json!({"parameters": parameters()}),
        Kind::GovernAsset => {
            json!({"asset": "#id", "?value": "#u64", "?cap": "#amount", "?stake_min": "#amount"})
        }
        Kind::Guard => json!({"stop": "joins"}),
        _ => return None,
    })
}
