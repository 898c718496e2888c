//! `surety vault import-snapshot`: published holdings of liquid tokens as a history that makes vaults with the same holdings.
//!
//! The snapshot says who delegated how much to whom, in exact base units, and nothing of services or terms. So does the history: each token is a
//! vault of one asset, each address that it delegates to an operator, all amounts to the unit. Strategies are added up one to one, as the snapshot
//! itself does.

use std::collections::BTreeSet;
use std::path::Path;

use protocol::units::{Address, Amount};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::{Answer, Shape};

/// The most tokens and operators of a snapshot.
const ITEMS_MAX: usize = 64;

/// A published snapshot, as far as it is used.
#[derive(Debug, Deserialize)]
struct Snapshot {
    graph: Graph,
}

#[derive(Debug, Deserialize)]
struct Graph {
    #[serde(default)]
    block: Option<u64>,
    lrts: Vec<Token>,
}

/// A liquid token.
#[derive(Debug, Deserialize)]
struct Token {
    #[serde(deserialize_with = "in_any_case")]
    address: Address,
    symbol: String,
    restaked: Amount,
    collateral: Vec<Collateral>,
    delegations: Vec<Delegation>,
}

#[derive(Debug, Deserialize)]
struct Collateral {
    amount: Amount,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Delegation {
    #[serde(deserialize_with = "in_any_case")]
    operator: Address,
    amount: Amount,
}

/// An address as explorers write it: capital letters are a checksum, which nothing here rests on.
fn in_any_case<'de, D: Deserializer<'de>>(from: D) -> Result<Address, D::Error> {
    let text = String::deserialize(from)?;
    text.to_ascii_lowercase().parse().map_err(D::Error::custom)
}

/// Writes the history of a snapshot into a file, or prints it.
///
/// # Errors
/// If the file can't be read or is no snapshot, if its sums do not agree, or if the other file can't be written.
pub(crate) fn run(file: &Path, out: Option<&Path>) -> Result<Answer, Failure> {
    let text = crate::input::read_text(&file.display().to_string())?;
    let snapshot: Snapshot = serde_json::from_str(&text).map_err(|error| {
        Failure::usage("snapshot.unreadable", format!("{} is no snapshot: {error}", file.display()))
    })?;
    let lines = history(&snapshot).map_err(|why| Failure::usage("snapshot.unfit", why))?;
    let mut text = String::new();
    for line in &lines {
        text += &format!("{line}\n");
    }
    let Some(out) = out else {
        return Ok(Answer::new(json!({ "text": text }), Shape::Text));
    };
    crate::files::write_new(out, &text)?;
    let (tokens, count) = (snapshot.graph.lrts.len(), lines.len());
    let said = format!(
        "wrote {count} lines that make {tokens} vaults into {}; surety replay reads them",
        out.display()
    );
    Ok(Answer::said(said).with("file", json!(out)))
}

/// The lines of the history.
fn history(snapshot: &Snapshot) -> Result<Vec<Value>, String> {
    let tokens = &snapshot.graph.lrts;
    if tokens.is_empty() || tokens.len() > ITEMS_MAX {
        return Err(format!("it has {} tokens; from 1 to {ITEMS_MAX} can be imported", tokens.len()));
    }
    for token in tokens {
        token.check()?;
    }
    let operators: BTreeSet<Address> = tokens
        .iter()
        .flat_map(|token| token.delegations.iter().map(|delegation| delegation.operator))
        .collect();
    let block = snapshot.graph.block.map_or(String::new(), |block| format!("; block {block}"));
    let origin = json!({ "chain": 1, "contract": "" });
    let mut lines = vec![
        json!({ "genesis": {} }),
        json!({ "op": "list_asset", "from": "importer", "origin": origin, "decimals": 18, "as": "eth", "expect": "ok",
                "note": format!("every strategy counts as one asset, one to one{block}") }),
    ];
    for operator in &operators {
        let from = operator.to_string();
        let mandate = json!({ "worst_case": "1", "elsewhere": "1", "own_verifiers": "1", "uncertified": true, "commission": "1" });
        lines
            .push(json!({ "op": "register_operator", "from": from, "as": named(*operator), "expect": "ok" }));
        lines.push(
            json!({ "op": "open_pool", "from": from, "asset": "eth", "mandate": mandate, "expect": "ok" }),
        );
    }
    for token in tokens {
        lines.extend(token.opening());
    }
    lines.push(json!({ "advance_epochs": 1 }));
    for token in tokens {
        lines.extend(token.allocation());
    }
    // Stake counts from the next epoch on.
    lines.push(json!({ "advance_epochs": 1 }));
    Ok(lines)
}

/// The name of an operator in the history.
fn named(operator: Address) -> String {
    let text = operator.to_string();
    format!("op.{}", text.trim_start_matches("0x"))
}

impl Token {
    /// Whether what it has is what it has delegated, and its name is one.
    fn check(&self) -> Result<(), String> {
        let symbol = &self.symbol;
        crate::replay::check_name(symbol).map_err(|why| format!("token {}: {why}", self.address))?;
        if self.delegations.is_empty() || self.delegations.len() > ITEMS_MAX {
            let count = self.delegations.len();
            return Err(format!("{symbol} has {count} delegations; from 1 to {ITEMS_MAX} can be imported"));
        }
        let sum = |amounts: &mut dyn Iterator<Item = Amount>| Amount::total(amounts);
        for (what, total) in [
            ("collateral", sum(&mut self.collateral.iter().map(|own| own.amount))),
            ("delegations", sum(&mut self.delegations.iter().map(|own| own.amount))),
        ] {
            let total = total.map_or("more than there can be".to_owned(), |total| total.to_string());
            if total != self.restaked.to_string() {
                return Err(format!(
                    "the {what} of {symbol} are {total}, and {} are restaked",
                    self.restaked
                ));
            }
        }
        let distinct: BTreeSet<Address> = self.delegations.iter().map(|own| own.operator).collect();
        if distinct.len() < self.delegations.len() {
            return Err(format!("{symbol} delegates to one operator in two rows"));
        }
        Ok(())
    }

    fn role(&self, role: &str) -> String {
        format!("{role}.{}", self.symbol)
    }

    /// A vault without fees and without instant exits, and one holder who puts everything in.
    fn opening(&self) -> Vec<Value> {
        let council = self.role("council");
        let holder = self.role("holders");
        let instant =
            json!({ "fee_low": "0", "fee_high": "0", "bucket": "0", "watermark": "0", "holdback": "0" });
        let terms = json!({
            "curator": self.role("curator"), "guardian": self.role("guardian"), "council": council,
            "fee": "0", "fee_to": council, "cap": self.restaked, "deposit_min": "1", "drip": 7, "fund_target": "0",
            "instant": instant,
        });
        let rung = json!({ "epochs": 0, "share": "1" });
        let caps = json!({
            "per_operator": "1", "per_owner": "1", "per_service": "1", "per_slasher": "1", "per_group": "1",
            "event": "1", "two_events": "1",
            "bond_multiples": [0, 0], "ramp": 0, "freeze": 0, "gamma": "0", "ladder": [], "slow": rung,
            "turnover": "1", "slack": "0",
        });
        let mandate = json!({ "worst_case": "1", "elsewhere": "1", "own_verifiers": "1", "uncertified": true, "commission": "1" });
        // No targets: what is idle stays so until the curator's plan says where it goes, to the unit.
        let band = |own: &Delegation| json!({ "operator": named(own.operator), "min": "0", "target": "0", "max": "1" });
        let bands: Vec<Value> = self.delegations.iter().map(band).collect();
        let policy =
            json!({ "mandate": mandate, "caps": caps, "bands": bands, "services": [], "move_min": "1" });
        vec![
            json!({ "op": "create_vault", "from": council, "asset": "eth", "terms": terms, "as": self.symbol, "expect": "ok",
                    "note": format!("token {}", self.address) }),
            json!({ "op": "set_bands", "from": council, "vault": self.symbol, "policy": policy, "expect": "ok" }),
            json!({ "op": "deposit", "from": holder, "asset": "eth", "amount": self.restaked, "expect": "ok" }),
            json!({ "op": "vault_deposit", "from": holder, "vault": self.symbol, "amount": self.restaked, "expect": "ok" }),
        ]
    }

    /// The deposit comes in, and the curator's plan delegates it.
    fn allocation(&self) -> Vec<Value> {
        let part = |own: &Delegation| json!({ "operator": named(own.operator), "way": "delegate", "amount": own.amount });
        let moves: Vec<Value> =
            self.delegations.iter().filter(|own| !own.amount.is_zero()).map(part).collect();
        vec![
            json!({ "op": "vault_tick", "from": "anyone", "vault": self.symbol, "expect": "ok" }),
            json!({ "op": "allocate_vault", "from": self.role("curator"), "vault": self.symbol, "moves": moves, "expect": "ok" }),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(restaked: &str, second: &str) -> Snapshot {
        let token = json!({
            "address": format!("0x{}", "11".repeat(20)), "symbol": "tokETH", "restaked": restaked,
            "collateral": [{ "token": "0x", "amount": "10" }],
            "delegations": [
                { "operator": format!("0x{}", "22".repeat(20)), "amount": "7" },
                { "operator": second, "amount": "3" },
            ],
        });
        serde_json::from_value(json!({ "graph": { "lrts": [token] } })).expect("a snapshot")
    }

    #[test]
    fn a_snapshot_whose_sums_differ_is_refused_with_both() {
        let other = format!("0x{}", "33".repeat(20));
        let why = history(&snapshot("11", &other)).expect_err("10 is not 11");
        assert_eq!(why, "the collateral of tokETH are 10, and 11 are restaked");
        let why =
            history(&snapshot("10", &format!("0x{}", "22".repeat(20)))).expect_err("one operator twice");
        assert_eq!(why, "tokETH delegates to one operator in two rows");
        assert_eq!(history(&snapshot("10", &other)).map(|lines| lines.len()), Ok(14));
    }
}
