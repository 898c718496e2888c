//! What an operation would do: applied to a copy of the newest state by the same code that will execute it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use ledger::Head;
use protocol::ops::undelegate::Undelegate;
use protocol::query;
use protocol::units::{Address, Epoch};
use protocol::{Event, FollowUp, Operation, State as Ledger, advance_epoch, rehearse};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::account::whole_exposure;
use super::prepare::{complete, read_operation};
use super::when::When;
use super::{Reply, Shared};
use crate::app::App;
use crate::http::extract::Json;
use crate::http::problem::{Code, Problem};

/// An operation that nobody has signed.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Unsigned {
    /// For whom it acts: an address or a label.
    #[cfg_attr(test, schemars(length(min = 1, max = 64)))]
    account: String,
    /// Who acts, where that is not the account itself.
    #[serde(default)]
    delegate: Option<String>,
    /// `{"op": "delegate", ..fields}`. Digests of mandates and terms may be left out; those of the moment are filled in.
    #[cfg_attr(test, schemars(with = "crate::openapi::Wish"))]
    operation: Value,
}

/// What an operation would do.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Preview {
    /// Whether it would be applied.
    ok: bool,
    /// Otherwise the refusal, such as `delegate.ExceedsFree`.
    refused: Option<String>,
    /// And why, in words.
    why: Option<String>,
    /// What would happen.
    #[cfg_attr(test, schemars(with = "Vec<Event>"))]
    events: Vec<Event>,
    /// Figures of the account that would change.
    changes: Vec<Change>,
    /// By set and asset, what it could take of the account at worst afterwards, where that changes.
    losses: Vec<PossibleLoss>,
    /// When what leaves would be free; of stake that is delegated: when it would be, asked back at once.
    free: Option<When>,
}

/// A figure that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Change {
    /// `free`, `claimable`, `joining`, `bonded`, `unbonding` or `worst_case`.
    figure: String,
    /// Of which asset.
    asset: u32,
    /// With which operator; none for what is in no pool.
    operator: Option<u32>,
    /// Base units before.
    before: String,
    /// Base units after.
    after: String,
    /// What the figure counts.
    unit: String,
}

/// What a set could take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct PossibleLoss {
    /// Which set.
    set: u32,
    /// Of which service.
    service: u32,
    /// Of which asset.
    asset: u32,
    /// Base units that its window cap would take before.
    before: String,
    /// And after.
    at_worst: String,
}

/// What the operation would do.
pub(crate) async fn simulate(State(app): Shared, Json(unsigned): Json<Unsigned>) -> Reply {
    app.read(move |app| {
        let head = app.heads.newest();
        let account = app.address(&unsigned.account)?;
        let delegate = unsigned.delegate.as_deref().map(|text| app.address(text)).transpose()?;
        let operation = read_operation(complete(&head.state, unsigned.operation))?;
        app.answer(&head, &app.preview(&head, account, delegate, &operation))
    })
    .await
}

impl App {
    /// The state in which the next block executes its operations.
    fn next_state(&self, head: &Head) -> Ledger {
        let mut state = head.state.clone();
        let latest = self.genesis.latest_after(head.header.time_ms);
        let time_ms = self.clock.now_ms().clamp(head.header.time_ms, latest);
        state.begin_block(time_ms);
        let due = self.genesis.epoch_at(time_ms);
        while u64::from(state.epoch().number()) < due {
            advance_epoch(&mut state);
        }
        state
    }

    /// What an operation would do in the next block.
    pub(crate) fn preview(
        &self,
        head: &Arc<Head>,
        account: Address,
        delegate: Option<Address>,
        operation: &Operation,
    ) -> Preview {
        let before = self.next_state(head);
        let mut after = before.clone();
        match rehearse(&mut after, account, delegate, operation) {
            Ok(events) => Preview {
                ok: true,
                refused: None,
                why: None,
                changes: changes(&before, &after, account),
                losses: losses(&before, &after, account),
                free: free_at(&events)
                    .or_else(|| asked_back(&after, account, operation))
                    .map(|epoch| self.when(head, epoch)),
                events,
            },
            Err(refusal) => Preview {
                ok: false,
                refused: Some(refusal.code()),
                why: Some(refusal.to_string()),
                events: Vec::new(),
                changes: Vec::new(),
                losses: Vec::new(),
                free: None,
            },
        }
    }
}

/// The epoch at whose start what leaves is free.
fn free_at(events: &[Event]) -> Option<Epoch> {
    events.iter().find_map(|event| match event {
        Event::Undelegated { free_at, .. } | Event::BondLowered { free_at, .. } => Some(*free_at),
        _ => None,
    })
}

/// The epoch at whose start a delegation would be free, asked back in the moment after it.
fn asked_back(after: &Ledger, account: Address, operation: &Operation) -> Option<Epoch> {
    let Operation::Delegate(delegate) = operation else { return None };
    let back = Operation::Undelegate(Undelegate {
        operator: delegate.operator,
        asset: delegate.asset,
        amount: Some(delegate.amount),
        validator: delegate.validator,
        follow_up: FollowUp::Free,
    });
    free_at(&rehearse(&mut after.clone(), account, None, &back).ok()?)
}

type Figure = (&'static str, u32, Option<u32>);

fn figures(state: &Ledger, account: Address) -> BTreeMap<Figure, u128> {
    let mut figures: BTreeMap<Figure, u128> = BTreeMap::new();
    let mut add = |figure: Figure, amount: protocol::units::Amount| {
        let sum = figures.entry(figure).or_default();
        *sum = sum.saturating_add(amount.units());
    };
    if let Some(view) = query::account(state, account) {
        for balance in &view.balances {
            add(("free", balance.asset.number(), None), balance.free);
            add(("claimable", balance.asset.number(), None), balance.claimable);
        }
        for stake in &view.stakes {
            let (asset, operator) = (stake.asset.number(), Some(stake.operator.number()));
            add(("joining", asset, operator), stake.joining);
            add(("bonded", asset, operator), stake.bonded);
            for leaving in &stake.unbonding {
                add(("unbonding", asset, operator), leaving.amount);
            }
        }
    }
    for total in query::exposure(state, account).totals {
        add(("worst_case", total.asset.number(), None), total.worst_case.amount);
    }
    figures
}

fn changes(before: &Ledger, after: &Ledger, account: Address) -> Vec<Change> {
    let (before, after) = (figures(before, account), figures(after, account));
    let mut all: Vec<Figure> = before.keys().chain(after.keys()).copied().collect();
    all.sort_unstable();
    all.dedup();
    let of =
        |figures: &BTreeMap<Figure, u128>, figure: &Figure| figures.get(figure).copied().unwrap_or_default();
    let changed = all.iter().filter(|figure| of(&before, figure) != of(&after, figure));
    let show = |figure: &Figure| Change {
        figure: figure.0.to_owned(),
        asset: figure.1,
        operator: figure.2,
        before: of(&before, figure).to_string(),
        after: of(&after, figure).to_string(),
        unit: "base units".to_owned(),
    };
    changed.map(show).collect()
}

type ByShare = BTreeMap<(u32, u32, u32), u128>;

fn at_worst(state: &Ledger, account: Address) -> ByShare {
    let mut losses = ByShare::new();
    for position in whole_exposure(state, account) {
        for set in &position.sets {
            let key = (set.set.number(), set.service.number(), position.asset.number());
            let sum = losses.entry(key).or_default();
            *sum = sum.saturating_add(set.worst_case.amount.units());
        }
    }
    losses
}

fn losses(before: &Ledger, after: &Ledger, account: Address) -> Vec<PossibleLoss> {
    let (before, after) = (at_worst(before, account), at_worst(after, account));
    let mut all: Vec<_> = before.keys().chain(after.keys()).copied().collect();
    all.sort_unstable();
    all.dedup();
    let of = |losses: &ByShare, key: &(u32, u32, u32)| losses.get(key).copied().unwrap_or_default();
    let changed = all.iter().filter(|key| of(&before, key) != of(&after, key));
    changed
        .map(|key| PossibleLoss {
            set: key.0,
            service: key.1,
            asset: key.2,
            before: of(&before, key).to_string(),
            at_worst: of(&after, key).to_string(),
        })
        .collect()
}

/// What a body names that can't be used.
pub(crate) fn malformed(detail: &str, cause: impl Into<String>) -> Problem {
    Problem::new(Code::MalformedJson, detail, cause)
}
