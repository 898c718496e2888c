//! Compares figures as they are shown with what explains them. It takes any ledger: the story's tests use it as well.

use std::collections::{BTreeMap, BTreeSet};

use protocol::State;
use protocol::entries::Key;
use protocol::query::{self, Explained, Figure, explain};
use protocol::units::Address;

use crate::formulas::check;
use crate::shown::{Shown, of_account, of_ledger};

/// What was seen: how often each figure was more than nothing, and every formula.
#[derive(Default)]
pub(crate) struct Seen {
    counts: BTreeMap<String, u64>,
    formulas: BTreeSet<String>,
}

impl Seen {
    /// How often a figure was more than nothing.
    pub(crate) fn often(&self, figure: &str) -> u64 {
        self.counts.get(figure).copied().unwrap_or(0)
    }
}

/// Explains figures at one moment, each once.
struct Moment<'a> {
    state: &'a State,
    at: &'a str,
    seen: &'a mut Seen,
    asked: BTreeMap<String, String>,
}

impl Moment<'_> {
    /// Explains a figure and what it refers to, and evaluates all of it; its value.
    fn value(&mut self, question: &str) -> String {
        if let Some(known) = self.asked.get(question) {
            return known.clone();
        }
        let (state, at) = (self.state, self.at);
        let figure: Figure = question.parse().unwrap_or_else(|why| panic!("{at}: {question}: {why}"));
        assert_eq!(figure.to_string(), question, "{at}");
        let explained =
            explain(state, &figure).unwrap_or_else(|| panic!("{at}: {question} can be explained"));
        check(&explained).unwrap_or_else(|why| panic!("{at}: {question}: {why}\n{explained:#?}"));
        let name = question.split('?').next().unwrap_or_default();
        assert_eq!(explained.name, name, "{at}: {question}");
        assert_eq!(explained.source, format!("docs/reference/figures.md#{name}"));
        *self.seen.counts.entry(explained.name.clone()).or_default() += u64::from(explained.value != "0");
        self.asked.insert(question.to_owned(), explained.value.clone());
        self.look_into(&explained);
        explained.value
    }

    /// What stands at the ends of a tree is stored in an entry, or a figure of its own that says the same.
    fn look_into(&mut self, node: &Explained) {
        self.seen.formulas.extend(node.formula.clone());
        for input in &node.inputs {
            self.look_into(input);
        }
        if node.formula.is_some() {
            assert!(node.source.starts_with("docs/reference/figures.md"), "{}: {}", self.at, node.source);
        } else if let Some(question) = node.source.strip_prefix("explain/") {
            assert_eq!(self.value(question), node.value, "{}: {question}", self.at);
        } else {
            let key: Key = node.source.parse().unwrap_or_else(|why| panic!("{}: {why}", self.at));
            assert!(self.state.entry(&key).is_some(), "{}: {} stands in {key}", self.at, node.name);
        }
    }

    fn compare(&mut self, shown: Shown) {
        for (figure, shown) in shown {
            assert_eq!(self.value(&figure.to_string()), shown, "{}: {figure}", self.at);
        }
    }
}

/// Compares every figure that is shown of a ledger and some of its accounts with what explains it.
pub(crate) fn compare_all(state: &State, accounts: &[Address], at: &str, seen: &mut Seen) {
    let mut moment = Moment { state, at, seen, asked: BTreeMap::new() };
    moment.compare(of_ledger(state));
    for account in accounts {
        moment.compare(of_account(state, *account));
    }
}

/// The page has every formula that was seen, and a section for every figure that was asked for. Those that are seen elsewhere need not have been.
pub(crate) fn check_page(seen: &Seen, often: u64, elsewhere: &[&str]) {
    let page = include_str!("../../../../docs/reference/figures.md");
    for formula in &seen.formulas {
        assert!(page.contains(formula.as_str()), "the page does not have {formula}");
    }
    let known = query::FIGURES.iter().map(|known| known.figure).filter(|figure| !elsewhere.contains(figure));
    let missing: Vec<&str> = known.filter(|figure| seen.often(figure) < often).collect();
    assert_eq!(
        missing,
        Vec::<&str>::new(),
        "figures that are hardly ever more than nothing: {:?}",
        seen.counts
    );
    for known in query::FIGURES {
        assert!(
            page.contains(&format!("\n## {}\n", known.figure)),
            "{} has no section on the page",
            known.figure
        );
    }
}
