//! What is told of Ethereum, as far as its form goes: every length is right, and nothing is proven.

use protocol::Kind;
use serde_json::{Value, json};

fn bytes(length: usize) -> String {
    format!("0x{}", "ab".repeat(length))
}

fn header() -> Value {
    json!({
        "slot": "64", "proposer_index": "1", "parent_root": bytes(32), "state_root": bytes(32), "body_root": bytes(32)
    })
}

fn execution() -> Value {
    json!({ "block_hash": bytes(32), "branch": ["#digest"] })
}

fn update() -> Value {
    json!({
        "attested": header(), "finalized": header(), "finality_branch": ["#digest"], "execution": execution(), "next": null,
        "participation": bytes(64), "signature": bytes(96), "signature_slot": "65"
    })
}

fn validators() -> Value {
    let validator = json!({
        "key_root": bytes(32), "withdrawal_credentials": bytes(32), "effective_balance": "32000000000", "slashed": "#bool",
        "activation_eligibility_epoch": "1", "activation_epoch": "2", "exit_epoch": "3", "withdrawable_epoch": "4"
    });
    json!({
        "validators": [{ "index": "5", "validator": validator }], "balances": ["#digest"], "siblings": ["#digest"]
    })
}

/// An operation of a kind, with holes.
pub(crate) fn template(kind: Kind) -> Option<Value> {
    Some(match kind {
        Kind::BeginChain => {
            let committee = json!({ "pubkeys": vec![bytes(48); 512], "aggregate_pubkey": bytes(48) });
            let (header, execution) = (header(), execution());
            let branch = ["#digest"];
            json!({ "bootstrap": {
                "header": header, "execution": execution, "committee": committee, "committee_branch": branch
            } })
        }
        Kind::UpdateChain => json!({ "update": update() }),
        Kind::OpenBlock => json!({ "slot": "#many", "opening": { "header": bytes(9) } }),
        Kind::AttestHeader => json!({ "slot": "#many", "certificate": {
            "set": "#id", "epoch": "#epoch", "message": bytes(32), "signers": "0x03", "signature": bytes(96)
        } }),
        Kind::ReportContradiction => json!({ "update": update(), "?remembered": {
            "remembered_by": "7", "root": bytes(32), "branch": ["#digest"]
        } }),
        Kind::GovernChain => json!({
            "?schedule": { "forks": [{ "name": "fulu", "epoch": "0", "version": bytes(4) }], "until": null },
            "?trusted": "#digest", "?resume": "#bool"
        }),
        Kind::ReportPod => json!({
            "asset": "#id", "?account": "#address", "slot": "#many", "validators": validators(), "?nodes": ["#contract"],
            "?under_way": { "withdrawals": [], "branch": ["#digest"] }
        }),
        Kind::ReportSlashed => {
            json!({ "asset": "#id", "?account": "#address", "slot": "#many", "validators": validators() })
        }
        Kind::ReleasePod => json!({ "validator": "#id", "?amount": "#amount" }),
        Kind::TakeDeposits => json!({
            "asset": "#id", "slot": "#many", "nodes": ["#contract"],
            "deposits": [{ "from": "#address", "account": "#address", "amount": "#amount" }]
        }),
        Kind::SubmitFalseEvent => json!({ "slot": "#many", "evidence": {
            "key": "#key", "set": "#id", "epoch": "#epoch", "kind": "#u16", "slot": "#u64", "signature": bytes(64),
            "claim": { "number": "1", "transaction": "2", "log": "#many", "event": "#digest" },
            "receipt": { "index": 2, "nodes": ["#contract"] }
        } }),
        _ => return None,
    })
}
