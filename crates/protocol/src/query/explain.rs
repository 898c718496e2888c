//! How a figure comes about: a tree of inputs and formulas, down to what is stored.
//!
//! A formula is text for people that a machine can evaluate as well, exactly: numbers, names of inputs, `+ - * / ^`, parentheses, and
//!
//! | Function | Meaning |
//! |---|---|
//! | `floor(x)`, `ceil(x)` | to a whole number, down or up |
//! | `floor18(x)` | down to 18 decimal places |
//! | `min(x, ..)`, `max(x, ..)` | the least, the largest |
//! | `sum(name)`, `min(name)` | of all inputs of that name |
//! | `product18(name)` | of all inputs of that name, from the first on, each product cut to 18 places; 1 of none |
//!
//! The names are those of the direct inputs. What has no formula is stored; then its source is the key of the entry that it stands in.
//! The value of every node is exactly what its formula gives for the values of its inputs: a test holds that against random ledgers.

mod rewards;
mod sets;
mod stake;

use super::positions::entries;
use crate::entries::Key;
use crate::state::State;
use crate::state::positions::Position;
use crate::units::{AccountId, Address, AssetId, PoolId, SetId};

answer! {
    /// A figure, and what it was computed from.
    pub struct Explained {
        /// What its formula's reader calls it; the name of the figure at the top.
        pub name: String,
        /// The value, exactly.
        pub value: String,
        /// In what.
        pub unit: String,
        /// How it follows from the inputs; none for what is stored.
        pub formula: Option<String>,
        /// What it follows from.
        pub inputs: Vec<Self>,
        /// The page that defines it, or the key of the entry in which it is stored.
        pub source: String,
    }
}

answer! {
    /// A figure that can be explained.
    #[derive(Copy)]
    #[serde(tag = "figure")]
    pub enum Figure {
        /// What an entry of stake is worth.
        PositionWorth {
            /// Whose.
            account: Address,
            /// The entry.
            position: u32,
        },
        /// What is lost of an entry of stake if every set takes its window cap.
        PositionWorstCase {
            /// Whose.
            account: Address,
            /// The entry.
            position: u32,
        },
        /// What one set's window cap would take of an entry of stake.
        SetExposure {
            /// Whose.
            account: Address,
            /// The entry.
            position: u32,
            /// The set.
            set: SetId,
        },
        /// When an entry of stake is free, or would be if it were asked back now.
        FreeAt {
            /// Whose.
            account: Address,
            /// The entry.
            position: u32,
        },
        /// What an entry of stake has earned of a token and not settled.
        Unsettled {
            /// Whose.
            account: Address,
            /// The entry.
            position: u32,
            /// The token.
            token: AssetId,
        },
        /// What an account can claim of a token.
        Claimable {
            /// Whose.
            account: Address,
            /// The token.
            token: AssetId,
        },
        /// The worst case that a delegation to a pool signs.
        PoolWorstCase {
            /// The pool.
            pool: PoolId,
        },
        /// What a set secures by its certificate.
        Secured {
            /// The set.
            set: SetId,
        },
        /// What a set would have to secure to declare its profit.
        Needed {
            /// The set.
            set: SetId,
        },
        /// `1 + gamma`: what a set secures of its profit.
        Slack {
            /// The set.
            set: SetId,
        },
    }
}

/// Every figure that can be explained, by its name.
pub const FIGURES: &[&str] = &[
    "position_worth",
    "position_worst_case",
    "set_exposure",
    "free_at",
    "unsettled",
    "claimable",
    "pool_worst_case",
    "secured",
    "needed",
    "slack",
];

/// How a figure comes about; none if what it is asked of does not exist, or has no such figure. Costs as the figure itself and, for a
/// position, as its pool has slices.
pub fn explain(state: &State, figure: &Figure) -> Option<Explained> {
    match *figure {
        Figure::PositionWorth { account, position } => {
            Some(stake::worth(state, &Entry::find(state, account, position)?))
        }
        Figure::PositionWorstCase { account, position } => {
            Some(stake::worst_case(state, &Entry::find(state, account, position)?))
        }
        Figure::SetExposure { account, position, set } => {
            stake::set_exposure(state, &Entry::find(state, account, position)?, set)
        }
        Figure::FreeAt { account, position } => {
            Some(stake::free_at(state, &Entry::find(state, account, position)?))
        }
        Figure::Unsettled { account, position, token } => {
            rewards::unsettled(state, &Entry::find(state, account, position)?, token)
        }
        Figure::Claimable { account, token } => {
            rewards::claimable(state, account, state.accounts.find(account)?, token)
        }
        Figure::PoolWorstCase { pool } => stake::pool_worst_case(state, pool),
        Figure::Secured { set } => Some(sets::secured(state, set, state.set(set)?)),
        Figure::Needed { set } => Some(sets::needed(state, set, state.set(set)?)),
        Figure::Slack { set } => sets::slack(state, set, state.set(set)?),
    }
}

/// An entry of stake and whose it is.
struct Entry {
    id: u32,
    account: Address,
    owner: AccountId,
    position: Position,
}

impl Entry {
    fn find(state: &State, account: Address, id: u32) -> Option<Self> {
        let owner = state.accounts.find(account)?;
        let (_, position) = entries(state, owner).into_iter().find(|(known, _)| *known == id)?;
        Some(Self { id, account, owner, position })
    }

    fn key(&self) -> Key {
        Key::Position { account: self.account, pool: self.position.pool, slot: self.id }
    }
}

/// Base units of an asset.
fn units_of(asset: AssetId) -> String {
    format!("base units of asset {asset}")
}

impl Explained {
    /// What is stored.
    fn stored(name: &str, value: impl ToString, unit: &str, at: Key) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_string(),
            unit: unit.to_owned(),
            formula: None,
            inputs: Vec::new(),
            source: at.to_string(),
        }
    }

    /// What follows from inputs.
    fn computed(name: &str, value: impl ToString, unit: &str, formula: &str, inputs: Vec<Self>) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_string(),
            unit: unit.to_owned(),
            formula: Some(formula.to_owned()),
            inputs,
            source: "docs/reference/figures.md".to_owned(),
        }
    }

    /// The same as the answer to a question of its own.
    fn titled(mut self, name: &str) -> Self {
        self.source = format!("docs/reference/figures.md#{name}");
        name.clone_into(&mut self.name);
        self
    }
}
