//! A curator by commands: the ledger's own allocator writes a plan, and it is handed in.

use serde_json::{Value, json};

use crate::binary::{Home, Node};

/// A development ledger with short epochs; a plan is handed in within one, or tried again in the next.
fn begin(home: &Home) {
    home.make_keys(&["gov", "alice", "olga", "petra", "vera"]);
    let genesis = home.run(&["init", "--print", "--epoch", "4s", "--governor", "gov"]);
    let mut genesis: Value = serde_json::from_str(&genesis).expect("a genesis");
    let parameters = &mut genesis["protocol"]["parameters"];
    for (name, epochs) in
        [("unbonding", 42), ("slash_window", 20), ("veto", 1), ("execution", 20), ("notice", 1)]
    {
        parameters[name] = json!(epochs);
    }
    std::fs::write(home.path("genesis.json"), genesis.to_string()).expect("a file");
    home.run(&["init", "--genesis", &home.path("genesis.json").display().to_string()]);
}

fn act(home: &Home, from: &str, arguments: &[&str]) -> Value {
    let receipt = home.json(&[arguments, &["--from", from, "--yes"]].concat());
    assert_eq!(receipt["receipt"]["outcome"]["outcome"], "applied", "{arguments:?}: {receipt}");
    receipt
}

fn address(home: &Home, name: &str) -> String {
    home.json(&["keys", "show", name])["address"].as_str().expect("an address").to_owned()
}

/// Bands of 0, 50 and 100 % for two operators, of whom one promises too much at first: so the other gets more than its target.
fn policy() -> String {
    let caps = json!({
        "per_operator": "1", "per_owner": "1", "per_service": "1", "per_slasher": "1", "per_group": "1", "event": "1",
        "two_events": "1", "bond_multiples": [0, 0], "ramp": 0, "freeze": 0, "gamma": "0", "ladder": [],
        "slow": { "epochs": 1000, "share": "1" }, "turnover": "0.1", "slack": "0",
    });
    let mandate = json!({
        "worst_case": "0.5", "elsewhere": "0", "own_verifiers": "0", "uncertified": false, "commission": "0.1",
    });
    let band = |operator: u32| json!({ "operator": operator, "min": "0", "target": "0.5", "max": "1" });
    json!({ "mandate": mandate, "caps": caps, "bands": [band(0), band(1)], "services": [], "move_min": "1" })
        .to_string()
}

fn open(home: &Home) {
    act(home, "gov", &["asset", "new", "--origin-chain", "1", "--origin-contract", "", "--decimals", "18"]);
    act(home, "alice", &["stake", "deposit", "100000base", "--asset", "asset/0"]);
    for (operator, commission) in [("olga", "10%"), ("petra", "50%")] {
        act(home, operator, &["operator", "register"]);
        let mandate = ["--mandate-worst-case", "25%", "--mandate-commission", commission];
        act(home, operator, &[&["operator", "open-pool", "asset/0"], &mandate[..]].concat());
    }
    let vera = address(home, "vera");
    let terms = json!({
        "curator": vera, "guardian": vera, "council": vera, "fee": "0", "fee_to": vera, "cap": "1000000",
        "deposit_min": "1", "drip": 7, "fund_target": "0",
        "instant": { "fee_low": "0", "fee_high": "0", "bucket": "0", "watermark": "0", "holdback": "0" },
    });
    act(home, "vera", &["vault", "create", "asset/0", "--terms", &terms.to_string()]);
    act(home, "vera", &["vault", "bands", "vault/0", "--policy", &policy()]);
    act(home, "alice", &["vault", "deposit", "vault/0", "80000base"]);
}

/// Sees to it that the tick of the epoch is done, by whomever.
fn tick(home: &Home) {
    let output = home.output(&["-o", "json", "vault", "tick", "vault/0", "--from", "alice", "--yes"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() || error.contains("vault_tick.IsTicked"), "{error}");
}

/// The plan that the ledger proposes in an epoch whose tick is done.
fn plan(home: &Home) -> Value {
    loop {
        tick(home);
        let plan = home.json(&["vault", "allocate", "vault/0", "--plan"]);
        if plan["is_ticked"] == true {
            return plan;
        }
    }
}

/// Ends what is refused with a code, and says so.
fn refused(home: &Home, arguments: &[&str], code: i32, said: &str) {
    let output = home.output(arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
    assert!(error.contains(said), "{arguments:?}: {error}");
}

/// Hands in what the ledger proposes, until a plan and its epoch agree.
fn hand_in(home: &Home) -> (Value, Value) {
    let mut last = String::new();
    for _ in 0..20 {
        let plan = plan(home);
        assert_eq!(plan["moves"][0]["way"], "ask_back", "{plan}");
        std::fs::write(home.path("plan.json"), plan.to_string()).expect("a file");
        let file = home.path("plan.json").display().to_string();
        let output = home.output(&["-o", "json", "vault", "apply", &file, "--from", "vera", "--yes"]);
        if output.status.success() {
            return (plan, serde_json::from_slice(&output.stdout).expect("a receipt"));
        }
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains("tick"), "only a new epoch is in the way: {error}");
        last = error;
    }
    panic!("no plan was handed in within its epoch: {last}");
}

/// Waits until the second operator can be given something, and the first has what it can't take.
fn drift(home: &Home, node: &Node) {
    for _ in 0..2 {
        node.wait_for_epoch(node.epoch() + 1);
        tick(home);
    }
    let stake = home.json(&["vault", "show", "vault/0"])["stakes"].clone();
    assert_eq!(stake[0]["worth"], "60000", "half, and half way from there to the upper end: {stake}");
    let mandate = ["--mandate-worst-case", "25%", "--mandate-commission", "10%"];
    act(home, "petra", &[&["operator", "mandate", "asset/0"], &mandate[..]].concat());
    node.wait_for_epoch(node.epoch() + 3);
}

#[test]
fn a_curator_plans_and_hands_the_plan_in() {
    let home = Home::new();
    begin(&home);
    let node = home.start();
    open(&home);
    drift(&home, &node);
    let (plan, receipt) = hand_in(&home);
    assert_eq!(
        plan["moves"],
        json!([{ "operator": 0, "way": "ask_back", "amount": "8000" }]),
        "the turnover: {plan}"
    );
    assert_eq!(
        (&plan["places"][0]["before"], &plan["places"][0]["after"]),
        (&json!("60000"), &json!("52000"))
    );
    assert_eq!(plan["refused"], Value::Null);
    assert_eq!(receipt["receipt"]["outcome"]["outcome"], "applied", "{receipt}");
    let shown = home.json(&["vault", "show", "vault/0"]);
    assert_eq!(shown["stakes"][0]["leaving"], "8000", "{shown}");
    let file = home.path("plan.json").display().to_string();
    refused(&home, &["vault", "apply", &file, "--from", "alice", "--yes"], 2, "curator");
    let table = home.run(&["vault", "allocate", "vault/0", "--plan"]);
    assert!(table.contains("With whom"), "{table}");
    mistakes(&home);
}

/// What is mistyped is refused with what to do.
fn mistakes(home: &Home) {
    let write = |plan: Value| {
        std::fs::write(home.path("bad.json"), plan.to_string()).expect("a file");
        home.path("bad.json").display().to_string()
    };
    let file = write(json!({ "vault": 0, "moves": [{ "operator": 0, "way": "ask_bakc", "amount": "1" }] }));
    refused(home, &["vault", "apply", &file, "--from", "vera", "--yes"], 1, "did you mean \"ask_back\"?");
    let file = write(json!({ "vault": 0, "moves": [] }));
    refused(home, &["vault", "apply", &file, "--from", "vera", "--yes"], 1, "moves nothing");
    refused(home, &["vault", "allocate", "--plan"], 1, "VAULT --plan");
    refused(home, &["vault", "allocate", "vault/0", "--plan", "--yes"], 1, "--yes");
}
