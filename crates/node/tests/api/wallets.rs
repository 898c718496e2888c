//! The part of Ethereum's JSON-RPC that wallets ask before they add a chain.

use serde_json::{Value, json};

use crate::world::{World, address, key, small};

async fn call(world: &World, method: &str, parameters: Value) -> Value {
    let call = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": parameters });
    world.post("/rpc", &call).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_is_told_what_it_asks_before_it_adds_a_chain() {
    let world = small();
    let alice = json!([address(&key(1)), "latest"]);
    for (method, parameters, expected) in [
        ("eth_chainId", json!([]), json!("0x7a69")),
        ("net_version", json!([]), json!("31337")),
        ("eth_blockNumber", json!([]), json!("0x0")),
        ("eth_getBalance", alice.clone(), json!("0x8ac7230489e80000")),
        ("eth_getTransactionCount", alice.clone(), json!("0x0")),
        ("eth_getCode", alice.clone(), json!("0x")),
        ("eth_call", json!([{ "to": address(&key(1)), "data": "0x" }, "latest"]), json!("0x")),
        ("eth_gasPrice", json!([]), json!("0x0")),
        ("eth_estimateGas", json!([{}]), json!("0x5208")),
        ("web3_clientVersion", json!([]), json!(format!("surety/{}", env!("CARGO_PKG_VERSION")))),
        (
            "eth_feeHistory",
            json!(["0x1", "latest", []]),
            json!({ "oldestBlock": "0x0", "baseFeePerGas": ["0x0", "0x0"], "gasUsedRatio": [0], "reward": [[]] }),
        ),
    ] {
        let answered = call(&world, method, parameters).await;
        assert_eq!((&answered["id"], &answered["result"]), (&json!(7), &expected), "{method}");
    }
    let block = call(&world, "eth_getBlockByNumber", json!(["latest", false])).await["result"].clone();
    let newest = world.get("/v1/status").await.ok();
    assert_eq!((&block["hash"], &block["number"]), (&newest["as_of"]["digest"], &json!("0x0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_none_are_errors_of_json_rpc() {
    let world = small();
    for (body, code) in [
        (json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": ["0x"] }), -32601),
        (json!({ "jsonrpc": "2.0", "id": 1, "method": "debug_everything" }), -32601),
        (json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": ["x"] }), -32602),
        (json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_feeHistory", "params": ["0xffffffff"] }), -32602),
        (json!({ "jsonrpc": "2.0", "id": {}, "method": "eth_chainId" }), -32600),
        (json!(3), -32600),
        (json!([]), -32600),
        (json!(vec![json!({}); 51]), -32600),
    ] {
        let answered = world.post("/rpc", &body).await.ok();
        assert_eq!(answered["error"]["code"], code, "{body}");
    }
    let batch = json!([
        { "jsonrpc": "2.0", "id": 1, "method": "eth_chainId" },
        { "jsonrpc": "2.0", "method": "eth_chainId" },
        { "jsonrpc": "2.0", "id": "b", "method": "net_version" },
    ]);
    let answered = world.post("/rpc", &batch).await.ok();
    assert_eq!(answered.as_array().map(Vec::len), Some(2), "a notification is not answered");
    let silent = world.post("/rpc", &json!({ "jsonrpc": "2.0", "method": "eth_chainId" })).await;
    assert_eq!((silent.status.as_u16(), silent.bytes.len()), (204, 0));
}
