//! As much of Ethereum's JSON-RPC as a wallet asks before it adds a chain and signs typed data. It sends no transaction and runs no contract.

use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::response::IntoResponse;
use ledger::Header;
use protocol::query;
use protocol::units::{Address, AssetId, Digest};
use serde_json::{Map, Value, json};

use super::{Reply, Shared, json as answer};
use crate::app::{App, VERSION};
use crate::http::extract::{BodyLimit, cut, read_body};

/// The most calls of one request.
const BATCH_MAX: usize = 50;
/// Decimals of the coin that wallets take every chain to have.
const COIN_DECIMALS: u32 = 18;
/// What a plain transfer costs elsewhere; nothing costs gas here.
const GAS: &str = "0x5208";
/// The most blocks of a fee history.
const FEE_BLOCKS_MAX: u64 = 1_024;

/// The methods that are answered.
pub(crate) const METHODS: [&str; 12] = [
    "eth_chainId",
    "net_version",
    "eth_blockNumber",
    "eth_getBlockByNumber",
    "eth_getBalance",
    "eth_call",
    "eth_gasPrice",
    "eth_estimateGas",
    "eth_getTransactionCount",
    "eth_getCode",
    "web3_clientVersion",
    "eth_feeHistory",
];

/// Answers one call or a batch.
pub(crate) async fn rpc(State(app): Shared, request: Request) -> Reply {
    let limit = BodyLimit::of(&request);
    let (bytes, _) = read_body(request.into_body(), &limit).await?;
    app.read(move |app| {
        let answered = match serde_json::from_slice::<Value>(&bytes) {
            Err(_) => failed(&Value::Null, -32700, "the body is no JSON"),
            Ok(Value::Array(calls)) if calls.is_empty() || calls.len() > BATCH_MAX => {
                failed(&Value::Null, -32600, "a batch has 1 to 50 calls")
            }
            Ok(Value::Array(calls)) => {
                let mut budget = Budget::new();
                let answers: Vec<Value> =
                    calls.iter().filter_map(|call| app.call(call, &mut budget)).collect();
                if answers.is_empty() {
                    return Ok(axum::http::StatusCode::NO_CONTENT.into_response());
                }
                Value::Array(answers)
            }
            Ok(call) => match app.call(&call, &mut Budget::new()) {
                Some(answered) => answered,
                None => return Ok(axum::http::StatusCode::NO_CONTENT.into_response()),
            },
        };
        Ok(answer(&answered))
    })
    .await
}

fn failed(id: &Value, code: i32, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}

type Outcome = Result<Value, (i32, String)>;

/// What one request may cost, however many calls it has.
struct Budget {
    started: Instant,
    /// How many more ids of operations may be listed.
    ids: usize,
}

impl Budget {
    const TIME: Duration = Duration::from_secs(1);
    const IDS: usize = 10_000;

    fn new() -> Self {
        Self { started: Instant::now(), ids: Self::IDS }
    }

    /// The call that exceeds it is answered; those after it are not.
    fn check(&self) -> Result<(), (i32, String)> {
        if self.ids > 0 && self.started.elapsed() < Self::TIME {
            return Ok(());
        }
        Err((
            -32005,
            "the calls before this one took as much as one request may: send fewer at once".to_owned(),
        ))
    }
}

impl App {
    /// The answer to one call; none to a notification.
    fn call(&self, call: &Value, budget: &mut Budget) -> Option<Value> {
        let invalid = || Some(failed(&Value::Null, -32600, "this is no call of JSON-RPC 2.0"));
        let Some(fields) = call.as_object() else { return invalid() };
        let Some(method) = fields.get("method").and_then(Value::as_str) else { return invalid() };
        let id = fields.get("id")?;
        if !(id.is_null() || id.is_string() || id.is_number()) || id.as_str().is_some_and(|id| id.len() > 128)
        {
            return invalid();
        }
        let none = Vec::new();
        let parameters = fields.get("params").and_then(Value::as_array).unwrap_or(&none);
        Some(match self.method(method, parameters, budget) {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err((code, message)) => failed(id, code, &message),
        })
    }

    fn method(&self, method: &str, parameters: &[Value], budget: &mut Budget) -> Outcome {
        budget.check()?;
        match method {
            "eth_chainId" => Ok(quantity(u128::from(self.genesis.chain_id))),
            "net_version" => Ok(self.genesis.chain_id.to_string().into()),
            "eth_blockNumber" => Ok(quantity(u128::from(self.heads.newest().header.height))),
            "eth_getBlockByNumber" => self.block_by_number(parameters, budget),
            "eth_getBalance" => Ok(quantity(self.coins(address(parameters)?))),
            "eth_gasPrice" => Ok(quantity(0)),
            "eth_estimateGas" => Ok(GAS.into()),
            "eth_getTransactionCount" => {
                let state = &self.heads.newest().state;
                let view = query::account(state, address(parameters)?);
                let next = view.and_then(|view| view.nonces.iter().map(|nonces| nonces.next).max());
                Ok(quantity(u128::from(next.unwrap_or(0))))
            }
            "eth_call" | "eth_getCode" => Ok("0x".into()),
            "web3_clientVersion" => Ok(format!("surety/{VERSION}").into()),
            "eth_feeHistory" => self.fee_history(parameters),
            "eth_sendTransaction" | "eth_sendRawTransaction" => {
                let message = "there are no transactions here: sign the typed data of /v1/operations/prepare and send it to /v1/operations";
                Err((-32601, message.to_owned()))
            }
            _ => Err((-32601, format!("the methods are {}", METHODS.join(", ")))),
        }
    }

    /// What an address has free of the asset of deposits, as wallets count coins.
    fn coins(&self, account: Address) -> u128 {
        let head = self.heads.newest();
        let asset: AssetId = head.state.genesis().deposit_asset;
        let decimals =
            query::asset(&head.state, asset).map_or(COIN_DECIMALS, |asset| u32::from(asset.decimals));
        let balances = query::balances(&head.state, account);
        let found = balances.iter().find(|balance| balance.asset == asset);
        let free = found.map_or(0, |balance| balance.free.units());
        if decimals <= COIN_DECIMALS {
            free.saturating_mul(10_u128.saturating_pow(COIN_DECIMALS.saturating_sub(decimals)))
        } else {
            free.checked_div(10_u128.saturating_pow(decimals.saturating_sub(COIN_DECIMALS))).unwrap_or(0)
        }
    }

    fn height(&self, tag: Option<&Value>) -> Result<u64, (i32, String)> {
        let newest = self.heads.newest().header.height;
        match tag.and_then(Value::as_str) {
            None | Some("latest" | "pending" | "safe" | "finalized") => Ok(newest),
            Some("earliest") => Ok(0),
            Some(text) => {
                let digits = text.strip_prefix("0x").unwrap_or("x");
                u64::from_str_radix(digits, 16)
                    .map_err(|_| (-32602, "a block is a tag or a hex number".to_owned()))
            }
        }
    }

    fn block_by_number(&self, parameters: &[Value], budget: &mut Budget) -> Outcome {
        let height = self.height(parameters.first())?;
        let read = |error: ledger::Fault| (-32603, cut(&error.to_string()));
        let Some(block) = self.reader.executed(height).map_err(read)? else { return Ok(Value::Null) };
        budget.ids = budget.ids.saturating_sub(block.receipts.len());
        let ids: Vec<Digest> = block.receipts.iter().map(|receipt| receipt.id).collect();
        Ok(Value::Object(show(&block.header, block.digest, &ids)))
    }

    fn fee_history(&self, parameters: &[Value]) -> Outcome {
        let count = match parameters.first() {
            Some(Value::String(text)) => u64::from_str_radix(text.strip_prefix("0x").unwrap_or("x"), 16).ok(),
            Some(Value::Number(number)) => number.as_u64(),
            _ => None,
        };
        let count = count.filter(|count| (1..=FEE_BLOCKS_MAX).contains(count));
        let count = count.ok_or((-32602, format!("the number of blocks is from 1 to {FEE_BLOCKS_MAX}")))?;
        let newest = self.height(parameters.get(1))?;
        let count = count.min(newest.saturating_add(1));
        let length = usize::try_from(count).unwrap_or(0);
        Ok(json!({
            "oldestBlock": quantity(u128::from(newest.saturating_add(1).saturating_sub(count))),
            "baseFeePerGas": vec!["0x0"; length.saturating_add(1)],
            "gasUsedRatio": vec![0; length],
            "reward": vec![Vec::<&str>::new(); length],
        }))
    }
}

fn quantity(number: u128) -> Value {
    format!("0x{number:x}").into()
}

fn address(parameters: &[Value]) -> Result<Address, (i32, String)> {
    let text = parameters.first().and_then(Value::as_str).unwrap_or_default();
    let parsed = text.to_ascii_lowercase().parse();
    parsed.map_err(|_| (-32602, "the first parameter is an address: 0x and 40 hex digits".to_owned()))
}

/// A block as wallets expect one. What has no meaning here is zero or empty.
fn show(header: &Header, digest: Digest, ids: &[Digest]) -> Map<String, Value> {
    let zeros = |bytes: usize| Value::from(format!("0x{}", "00".repeat(bytes)));
    let mut block = Map::new();
    let mut put = |name: &str, value: Value| block.insert(name.to_owned(), value);
    put("number", quantity(u128::from(header.height)));
    put("hash", digest.to_string().into());
    put("parentHash", header.parent.to_string().into());
    put("timestamp", quantity(u128::from(header.time_ms / 1_000)));
    put("stateRoot", header.state_root.to_string().into());
    put("transactionsRoot", header.operations_root.to_string().into());
    put("receiptsRoot", header.operations_root.to_string().into());
    put("transactions", super::value(&ids));
    put("miner", zeros(20));
    put("sha3Uncles", zeros(32));
    put("mixHash", zeros(32));
    put("logsBloom", zeros(256));
    put("nonce", zeros(8));
    put("extraData", "0x".into());
    put("difficulty", quantity(0));
    put("totalDifficulty", quantity(0));
    put("size", quantity(0));
    put("gasLimit", quantity(30_000_000));
    put("gasUsed", quantity(0));
    put("baseFeePerGas", quantity(0));
    put("uncles", Value::Array(Vec::new()));
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_many_calls_has_one_budget() {
        let mut budget = Budget::new();
        assert_eq!(budget.check(), Ok(()));
        budget.ids = 0;
        assert!(
            budget.check().is_err_and(|(code, _)| code == -32005),
            "as many ids as a block may have were listed"
        );
        let late = Budget { started: Instant::now() - Budget::TIME, ids: 1 };
        assert!(late.check().is_err(), "the time is over");
    }
}
