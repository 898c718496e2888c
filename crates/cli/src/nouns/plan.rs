//! Plans of a vault's curator: what the ledger's own allocator would move, and handing in a plan.

use clap::Args;
use serde_json::{Map, Value, json};

use super::path_of;
use super::vault::with_asset;
use crate::context::Context;
use crate::failure::Failure;
use crate::op::plan::KIND;
use crate::output::{Answer, Column, Section, Shape};
use crate::replay::Thing;
use crate::write::{Wanted, Writing};

const FIELDS: [Column; 9] = [
    Column::thing(Thing::Vault, "vault", "/vault"),
    Column::thing(Thing::Asset, "asset", "/asset"),
    Column::account("curator", "/curator"),
    Column::plain("epoch", "/epoch"),
    Column::plain("tick done", "/is_ticked"),
    Column::amount("a plan may ask back", "/turnover_left", "/asset"),
    Column::amount("left to delegate after it", "/left_idle", "/asset"),
    Column::plain("would be refused", "/refused"),
    Column::words("next", "/next"),
];

const SECTIONS: [Section; 3] = [
    Section {
        title: "The plan",
        at: "/moves",
        columns: &[
            Column::thing(Thing::Operator, "operator", "/operator"),
            Column::tag("way", "/way"),
            Column::amount("amount", "/amount", "/asset"),
        ],
        empty: "nothing to move: every operator that may be given more has its target, or nobody has more than its own",
    },
    Section {
        title: "What the rest of the tick does by itself",
        at: "/by_tick",
        columns: &[
            Column::thing(Thing::Operator, "operator", "/operator"),
            Column::tag("way", "/way"),
            Column::amount("amount", "/amount", "/asset"),
            Column::tag("why", "/why"),
        ],
        empty: "nothing",
    },
    Section {
        title: "With whom",
        at: "/places",
        columns: &[
            Column::thing(Thing::Operator, "operator", "/operator"),
            Column::amount("before", "/before", "/asset"),
            Column::amount("after", "/after", "/asset"),
            Column::amount("lower end", "/min", "/asset"),
            Column::amount("target", "/target", "/asset"),
            Column::amount("upper end", "/max", "/asset"),
            Column::plain("closed", "/closed"),
        ],
        empty: "the council has set no bands",
    },
];

/// What a plan has beside the vault and its moves, as the node writes it.
const BESIDE: [&str; 10] = [
    "asset",
    "decimals",
    "curator",
    "epoch",
    "is_ticked",
    "by_tick",
    "places",
    "left_idle",
    "turnover_left",
    "refused",
];
const WAYS: [&str; 2] = ["ask_back", "delegate"];

/// What the ledger's own allocator would move.
///
/// # Errors
/// If no vault is named, or the name is not known; what the node says.
pub(crate) fn show(context: &Context, vault: Option<&str>) -> Result<Answer, Failure> {
    let vault = vault.ok_or_else(|| {
        Failure::usage("field.missing", "it is not said which vault is planned for")
            .help("name it: surety vault allocate VAULT --plan")
    })?;
    let document = context.get(&format!("{}/plan", path_of(context, Thing::Vault, vault)?))?;
    let mut view = with_asset(&document, &["/moves", "/by_tick", "/places"]);
    view["next"] = next(&document, vault);
    Ok(Answer::viewed(document, view, Shape::Page(&FIELDS, &SECTIONS)))
}

/// What to do with it.
fn next(plan: &Value, vault: &str) -> Value {
    let is_empty = plan["moves"].as_array().is_none_or(Vec::is_empty);
    match (plan["is_ticked"].as_bool(), is_empty) {
        (Some(false), _) => {
            json!([format!("surety vault tick {vault}, and plan again: a plan is taken after the tick")])
        }
        (_, true) => json!([]),
        _ => json!([format!(
            "surety vault allocate {vault} --plan -o json > plan.json, then surety vault apply plan.json --from CURATOR"
        )]),
    }
}

/// A plan that is handed in.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The plan, as surety vault allocate VAULT --plan -o json writes it; - is standard input.
    #[arg(value_name = "PLAN")]
    file: String,
    #[command(flatten)]
    writing: Writing,
}

impl Apply {
    /// Previews, signs and sends it.
    ///
    /// # Errors
    /// What is wrong with the file; what sending says.
    pub(crate) fn run(&self, context: &Context) -> Result<Answer, Failure> {
        let mut fields = read(&crate::input::read_text(&self.file)?, &self.file)?;
        context.reader()?.resolve_fields(KIND, &mut fields)?;
        self.writing.send(context, Wanted::new(KIND, fields))
    }
}

fn bad(file: &str, what: &str) -> Failure {
    Failure::usage("plan.misfit", format!("{file} is no plan: {what}"))
        .help("surety vault allocate VAULT --plan -o json writes one")
        .docs("docs/how-to/vaults.md")
}

/// The fields of the operation, out of a plan.
fn read(text: &str, file: &str) -> Result<Map<String, Value>, Failure> {
    let plan =
        serde_json::from_str::<Map<String, Value>>(text).map_err(|error| bad(file, &error.to_string()))?;
    for name in plan.keys().filter(|name| *name != "as_of") {
        let known = ["vault", "moves"].into_iter().chain(BESIDE);
        check_name(file, "a plan", name, known)?;
    }
    let vault = plan.get("vault").ok_or_else(|| bad(file, "it does not say of which vault"))?;
    if !vault.is_string() && vault.as_u64().is_none_or(|number| u32::try_from(number).is_err()) {
        return Err(bad(file, &format!("{vault} is no number or name of a vault")));
    }
    let moves = plan.get("moves").and_then(Value::as_array);
    let moves = moves.ok_or_else(|| bad(file, "it has no list of moves"))?;
    if moves.is_empty() {
        return Err(Failure::usage("plan.empty", format!("{file} moves nothing")).help(
            "there is nothing to hand in; plan again in a later epoch, or write moves of your own into it",
        ));
    }
    let moves = moves.iter().map(|part| read_move(part, file)).collect::<Result<Vec<_>, _>>()?;
    Ok(Map::from_iter([("vault".to_owned(), vault.clone()), ("moves".to_owned(), Value::Array(moves))]))
}

/// A move: who, which way, how much.
fn read_move(part: &Value, file: &str) -> Result<Value, Failure> {
    let fields = part.as_object().ok_or_else(|| bad(file, &format!("{part} is no move")))?;
    for name in fields.keys() {
        check_name(file, "a move", name, ["operator", "way", "amount"])?;
    }
    let get =
        |name: &str| fields.get(name).ok_or_else(|| bad(file, &format!("a move has no {name}: {part}")));
    let (operator, way, amount) = (get("operator")?, get("way")?, get("amount")?);
    if !way.as_str().is_some_and(|way| WAYS.contains(&way)) {
        let word = way.as_str().unwrap_or_default();
        let help = crate::spelling::proposal(word, WAYS, || format!("it is {}", WAYS.join(" or ")));
        return Err(bad(file, &format!("{way} is no way of a move")).help(help));
    }
    if !amount.as_str().is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Err(bad(file, &format!("{amount} is no amount of a move"))
            .help("amounts are texts of base units, as \"1000\""));
    }
    Ok(json!({ "operator": operator, "way": way, "amount": amount }))
}

fn check_name<'a>(
    file: &str,
    of: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Result<(), Failure> {
    let known: Vec<&str> = known.into_iter().collect();
    if known.contains(&name) {
        return Ok(());
    }
    let all = || format!("{of} has {}", known.join(", "));
    let help = crate::spelling::proposal(name, known.iter().copied(), all);
    Err(bad(file, &format!("{of} has no {name:?}")).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(plan: &Value) -> Result<Value, String> {
        read(&plan.to_string(), "plan.json").map(Value::Object).map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn a_plan_as_it_is_written_is_what_the_operation_takes() {
        let moves = json!([{ "operator": 1, "way": "ask_back", "amount": "25" }]);
        let mut plan = json!({ "vault": 0, "moves": moves, "as_of": { "height": 9 } });
        for name in BESIDE {
            plan[name] = json!(null);
        }
        assert_eq!(of(&plan), Ok(json!({ "vault": 0, "moves": moves })));
        let named =
            json!({ "vault": "calm", "moves": [{ "operator": "olga", "way": "delegate", "amount": "1" }] });
        assert_eq!(of(&named), Ok(named));
    }

    #[test]
    fn what_is_no_plan_is_refused_with_a_remedy() {
        let good = json!({ "operator": 1, "way": "ask_back", "amount": "25" });
        let with = |name: &str, value: Value| {
            let mut part = good.clone();
            part[name] = value;
            json!({ "vault": 0, "moves": [part] })
        };
        let cases = [
            (json!([]), "is no plan"),
            (json!({ "moves": [good] }), "of which vault"),
            (json!({ "vault": -1, "moves": [good] }), "no number or name"),
            (json!({ "vault": 0 }), "no list of moves"),
            (json!({ "vault": 0, "moves": [] }), "moves nothing"),
            (json!({ "vault": 0, "moves": [7] }), "7 is no move"),
            (json!({ "vault": 0, "moves": [good], "movse": 1 }), "did you mean \\\"moves\\\"?"),
            (with("way", json!("delegat")), "did you mean \\\"delegate\\\"?"),
            (with("way", json!(1)), "it is ask_back or delegate"),
            (with("amount", json!(25)), "texts of base units"),
            (with("amount", json!("-25")), "no amount of a move"),
            (with("amuont", json!("25")), "did you mean \\\"amount\\\"?"),
        ];
        for (plan, said) in cases {
            let refused = of(&plan).expect_err("it is no plan");
            assert!(refused.contains(said), "{plan}: {refused}");
        }
    }

    #[test]
    fn what_to_do_next_follows_from_the_plan() {
        let plan = |is_ticked: bool, moves: Value| json!({ "is_ticked": is_ticked, "moves": moves });
        assert!(next(&plan(false, json!([])), "calm").to_string().contains("surety vault tick calm"));
        assert_eq!(next(&plan(true, json!([])), "calm"), json!([]));
        assert!(next(&plan(true, json!([1])), "calm").to_string().contains("vault apply plan.json"));
    }
}
