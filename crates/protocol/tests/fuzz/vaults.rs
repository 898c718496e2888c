//! Vaults of two assets, a basket of their shares, and routes for them.

use protocol::Kind;
use serde_json::{Value, json};

use crate::templates::{Dice, address};

/// Who does what in the world of a storm: council, curator, guardian, reporter, acceptor.
const ROLES: [u64; 5] = [0, 1, 2, 3, 4];

/// Kinds of vaults that only make sense soon after others, and so come more often.
pub(crate) const FREQUENT: [Kind; 17] = [
    Kind::VaultDeposit,
    Kind::VaultRequest,
    Kind::VaultCancel,
    Kind::VaultClaim,
    Kind::VaultInstant,
    Kind::VaultTick,
    Kind::VaultHarvest,
    Kind::AllocateVault,
    Kind::VaultJuniorJoin,
    Kind::VaultJuniorLeave,
    Kind::BasketMint,
    Kind::BasketEnter,
    Kind::BasketLeave,
    Kind::BasketReport,
    Kind::SendShares,
    Kind::VouchShares,
    Kind::ReceiveShares,
];

fn role(number: usize) -> String {
    address(ROLES[number]).to_string()
}

fn mandate() -> Value {
    json!({"worst_case": "1", "elsewhere": "1", "own_verifiers": "1", "uncertified": true, "commission": "1"})
}

fn vault_terms() -> Value {
    json!({
        "curator": role(1), "guardian": role(2), "council": role(0), "fee": "0.1", "fee_to": role(0),
        "cap": "1000000000000", "deposit_min": "10", "drip": 7, "fund_target": "0.01",
        "instant": {"fee_low": "0.001", "fee_high": "0.02", "bucket": "0.2", "watermark": "0.01", "holdback": "0.05"},
        "junior": {"share": "0.2", "target": "0.1"}
    })
}

/// Terms with holes, of people who exist.
fn other_vault_terms() -> Value {
    let mut terms = vault_terms();
    for (name, hole) in
        [("fee", "#fraction"), ("fund_target", "#fraction"), ("cap", "#amount"), ("drip", "#many")]
    {
        terms[name] = json!(hole);
    }
    terms["deposit_min"] = json!("#amount");
    terms["instant"]["holdback"] = json!("#fraction");
    terms["instant"]["bucket"] = json!("#fraction");
    terms
}

fn policy() -> Value {
    let bands: Vec<Value> = (0..3)
        .map(|operator| json!({"operator": operator, "min": "0", "target": "0.3", "max": "0.6"}))
        .collect();
    json!({
        "mandate": mandate(), "bands": bands, "services": [], "move_min": "1",
        "caps": {
            "per_operator": "1", "per_owner": "1", "per_service": "1", "per_slasher": "1", "per_group": "1", "event": "1",
            "two_events": "1", "bond_multiples": [0, 0], "ramp": 0, "freeze": 0, "gamma": "0", "ladder": [],
            "slow": {"epochs": 0, "share": "1"}, "turnover": "1", "slack": "0"
        }
    })
}

/// A policy that mostly says something else, and not always something that can be.
fn other_policy() -> Value {
    let mut policy = policy();
    for name in ["per_operator", "per_service", "per_slasher", "event", "turnover", "slack"] {
        policy["caps"][name] = json!("#fraction");
    }
    policy["caps"]["freeze"] = json!("#epochs");
    policy["caps"]["ladder"] = json!([{"epochs": "#many", "share": "#fraction"}]);
    policy["bands"][0]["max"] = json!("#fraction");
    policy["bands"][1]["target"] = json!("#fraction");
    policy["bands"][2] =
        json!({"operator": "#id", "?owner": "#u16", "min": "0", "target": "0.1", "max": "1"});
    policy["services"] = json!([{"service": "#id", "min": "0", "target": "0.5", "max": "1"}]);
    policy["move_min"] = json!("#amount");
    policy
}

fn basket_terms() -> Value {
    let caps = json!({"shares_max": "1000000000000000", "share_max": "0.9", "shares_a_day": "1000000000000"});
    json!({
        "council": role(0), "reporter": role(3), "acceptor": role(4), "caps": [caps, caps],
        "doors": {
            "heartbeat": 1000, "age_max": 2000, "change_max": "0.02", "divergence_max": "0.5", "spread": "0.05"
        }
    })
}

fn other_basket_terms() -> Value {
    let mut terms = basket_terms();
    terms["doors"]["divergence_max"] = json!("#fraction");
    terms["doors"]["spread"] = json!("#fraction");
    terms["caps"][0]["share_max"] = json!("#fraction");
    terms["caps"][1]["shares_a_day"] = json!("#amount");
    terms
}

fn legs() -> Value {
    json!([{"vault": 0, "per_unit": "1000000000000000000"}, {"vault": 1, "per_unit": "2000000000000000000"}])
}

fn route_terms() -> Value {
    let verifiers: Vec<String> = (0..3).map(|number| address(number).to_string()).collect();
    json!({
        "chain": 8453, "cap": "5000", "window": 3, "verifiers": verifiers, "threshold": 2, "waits_above": "1000", "wait": 1
    })
}

/// What a guardian may do; to wind down comes seldom.
pub(crate) fn guard(dice: &mut Dice) -> Value {
    match dice.below(16) {
        0 => json!("wind_down"),
        1..=3 => json!("stop_deposits"),
        4..=6 => json!({"cut_cap": {"cap": (1_000_000 + dice.below(1_000_000)).to_string()}}),
        7..=9 => json!({"undelegate": {"operator": dice.below(3), "amount": dice.below(1000).to_string()}}),
        10 => json!({"undelegate": {"operator": dice.below(3)}}),
        11..=13 => json!({"cut_bands": {"operator": dice.below(3), "most": "0.2"}}),
        _ => json!({"cut_route": {"route": dice.below(2), "cap": (1000 + dice.below(4000)).to_string()}}),
    }
}

/// Around what `10^18` shares of a vault are worth that nobody has slashed.
pub(crate) fn price(dice: &mut Dice) -> Value {
    let percent = [0, 50, 90, 100, 100, 100, 101, 200];
    let percent = percent[usize::try_from(dice.below(8)).expect("an index")];
    json!((10_u64.pow(13) * percent).to_string())
}

/// Shares: a vault's base unit is a thousand of them.
pub(crate) fn shares(dice: &mut Dice) -> Value {
    let shares = match dice.below(10) {
        0 => 0,
        1 => u128::MAX,
        2 => u128::from(dice.next()) << dice.below(64),
        3..=5 => u128::from(dice.below(3000)),
        _ => u128::from(dice.below(40_000_000)),
    };
    json!(shares.to_string())
}

/// Two vaults with their bands and with deposits that wait.
pub(crate) fn setup() -> Vec<(u64, Kind, Value)> {
    let mut setup = Vec::new();
    for vault in 0..2 {
        setup.push((5, Kind::CreateVault, json!({"asset": vault, "terms": vault_terms()})));
        setup.push((0, Kind::SetBands, json!({"vault": vault, "policy": policy()})));
        for account in 0..6 {
            setup.push((account, Kind::VaultDeposit, json!({"vault": vault, "amount": "100000"})));
        }
    }
    setup
}

/// Advances the vaults.
pub(crate) fn ticks() -> Vec<(u64, Kind, Value)> {
    (0..2).map(|vault| (5, Kind::VaultTick, json!({"vault": vault}))).collect()
}

/// Once there are shares: a basket of them, with prices, and a route for each.
pub(crate) fn later() -> Vec<(u64, Kind, Value)> {
    let mut later = ticks();
    later.push((5, Kind::CreateBasket, json!({"legs": legs(), "terms": basket_terms()})));
    for account in 0..6 {
        later.push((account, Kind::BasketMint, json!({"basket": 0, "shares": "10000000"})));
    }
    for vault in 0..2 {
        let price = json!({"basket": 0, "vault": vault, "price": "1000000000000000"});
        later.push((3, Kind::BasketReport, price.clone()));
        later.push((4, Kind::BasketAccept, price));
        later.push((0, Kind::OpenRoute, json!({"share": vault, "terms": route_terms()})));
    }
    later
}

/// An operation of a kind, with holes.
pub(crate) fn template(kind: Kind) -> Option<Value> {
    Some(match kind {
        Kind::CreateVault => json!({"asset": "#id", "terms": other_vault_terms()}),
        Kind::ChangeVault => json!({"vault": "#id", "terms": other_vault_terms()}),
        Kind::VaultDeposit => {
            json!({"vault": "#id", "amount": "#amount", "?shares_min": "#shares", "?deadline": "#epoch"})
        }
        Kind::VaultRequest => json!({"vault": "#id", "?shares": "#shares"}),
        Kind::VaultCancel | Kind::VaultClaim => json!({"vault": "#id", "ticket": "#ticket"}),
        Kind::VaultInstant => json!({"vault": "#id", "shares": "#shares", "?amount_min": "#amount"}),
        Kind::VaultTick => json!({"vault": "#id", "?steps": "#many"}),
        Kind::VaultHarvest => json!({"vault": "#id", "?operator": "#id"}),
        Kind::VaultFund => json!({"vault": "#id", "amount": "#amount"}),
        Kind::VaultJuniorJoin => json!({"vault": "#id", "amount": "#amount", "?shares_min": "#shares"}),
        Kind::VaultJuniorLeave => json!({"vault": "#id", "?shares": "#shares"}),
        Kind::TransferTicket => json!({"vault": "#id", "ticket": "#ticket", "to": "#address"}),
        Kind::VaultGuard => json!({"vault": "#id", "action": "#guard"}),
        Kind::TransferShares => {
            json!({"share": "#id", "?owner": "#address", "to": "#address", "shares": "#shares"})
        }
        Kind::ApproveShares => json!({"share": "#id", "spender": "#address", "shares": "#shares"}),
        Kind::SetBands => json!({"vault": "#id", "policy": other_policy()}),
        Kind::AllocateVault => json!({"vault": "#id", "moves": [
            {"operator": "#id", "way": "#way", "amount": "#amount"}
        ]}),
        Kind::CreateBasket => json!({"legs": legs(), "terms": other_basket_terms()}),
        Kind::ChangeBasket => json!({"basket": "#basket", "terms": other_basket_terms()}),
        Kind::BasketMint => json!({"basket": "#basket", "shares": "#shares", "?legs_max": ["#shares"]}),
        Kind::BasketRedeem => json!({"basket": "#basket", "shares": "#shares", "?legs_min": ["#shares"]}),
        Kind::BasketEnter | Kind::BasketLeave => json!({
            "basket": "#basket", "vault": "#id", "shares": "#shares", "?shares_min": "#amount"
        }),
        Kind::BasketReport | Kind::BasketAccept => {
            json!({"basket": "#basket", "vault": "#id", "price": "#price"})
        }
        Kind::BasketSettle => json!({"basket": "#basket", "ticket": "#ticket"}),
        Kind::OpenRoute => json!({"share": "#id", "terms": route_terms()}),
        Kind::SendShares => json!({"route": "#id", "shares": "#shares", "to": address(7).to_string()}),
        Kind::VouchShares => json!({
            "route": "#id", "message": "#message", "to": address(5).to_string(), "shares": "#parcel"
        }),
        Kind::ReceiveShares => json!({"route": "#id"}),
        _ => return None,
    })
}
