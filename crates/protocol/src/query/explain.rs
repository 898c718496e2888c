//! How a figure comes about: a tree of inputs and formulas, down to what is stored.
//!
//! A formula is text for people that a machine can evaluate as well, exactly: numbers, names of inputs, `+ - * / ^`, parentheses, and
//!
//! | Function | Meaning |
//! |---|---|
//! | `floor(x)`, `ceil(x)` | to a whole number, down or up |
//! | `floor18(x)` | down to 18 decimal places |
//! | `min(x, ..)`, `max(x, ..)` | the least, the largest |
//! | `sum(name)`, `min(name)`, `max(name)` | of all inputs of that name |
//! | `product18(name)` | of all inputs of that name, from the first on, each product cut to 18 places; 1 of none |
//!
//! The names are those of the direct inputs. What has no formula is stored, and its source is the key of the entry that it stands in; or
//! it is a figure of its own, and its source is the [question](Figure) that explains it.
//! The value of every node is exactly what its formula gives for the values of its inputs: a test holds that against random ledgers.

mod baskets;
mod expected;
mod exposure;
mod figure;
mod network;
mod pools;
mod rewards;
mod sets;
mod slashes;
mod stake;
mod times;
mod vaults;

use std::collections::BTreeSet;

use super::positions::entries;
use crate::entries::Key;
use crate::state::State;
use crate::state::positions::Position;
use crate::units::{AccountId, Address, AssetId};

pub use figure::{FIGURES, Figure, FigureName};

/// The page that defines every figure.
const PAGE: &str = "docs/reference/figures.md";
/// Before the question that explains an input.
const QUESTION: &str = "explain/";

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
        /// The page that defines it; the key of the entry in which it is stored; or, behind `explain/`, the question that explains it.
        pub source: String,
    }
}

/// How a figure comes about; none if what it is asked of does not exist, or has no such figure. Costs as the figure itself and, for a
/// position, as its pool has slices: what a sum is over are inputs that name their own figures and are not explained again.
pub fn explain(state: &State, figure: &Figure) -> Option<Explained> {
    let explained = stake::of(state, figure)
        .or_else(|| exposure::of(state, figure))
        .or_else(|| times::of(state, figure))
        .or_else(|| rewards::of(state, figure))
        .or_else(|| expected::of(state, figure))
        .or_else(|| pools::of(state, figure))
        .or_else(|| sets::of(state, figure))
        .or_else(|| slashes::of(state, figure))
        .or_else(|| network::of(state, figure))
        .or_else(|| vaults::of(state, figure))
        .or_else(|| baskets::of(state, figure))?;
    let name = explained.name.clone();
    Some(Explained { source: format!("{PAGE}#{name}"), ..explained })
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
    /// The entries in which its inputs are stored, ascending, each once; without those of the figures that it refers to.
    pub fn entries(&self) -> Vec<Key> {
        let (mut keys, mut rest) = (BTreeSet::new(), vec![self]);
        while let Some(node) = rest.pop() {
            let own = node.source.parse().ok().filter(|_| node.formula.is_none());
            keys.extend::<Option<Key>>(own);
            rest.extend(&node.inputs);
        }
        keys.into_iter().collect()
    }

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
            source: PAGE.to_owned(),
        }
    }

    /// What another figure says.
    fn said(name: &str, value: impl ToString, unit: &str, by: &Figure) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_string(),
            unit: unit.to_owned(),
            formula: None,
            inputs: Vec::new(),
            source: format!("{QUESTION}{by}"),
        }
    }

    /// The same as an input of that name, with the section that defines it.
    fn under(self, name: &str) -> Self {
        Self { source: format!("{PAGE}#{}", self.name), name: name.to_owned(), ..self }
    }
}
