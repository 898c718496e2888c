//! How people see the curation of a vault.

use crate::output::{Column, Section};
use crate::replay::Thing;

/// Of the whole.
pub(super) const CURATION: [Column; 8] = [
    Column::thing(Thing::Vault, "vault", "/vault"),
    Column::plain("may be delegated", "/deployable"),
    Column::plain("a plan may still ask back", "/turnover_left"),
    Column::plain("pays before the holders", "/first_loss"),
    Column::plain("worst event", "/worst_event/event"),
    Column::plain("would cost", "/worst_event/loss"),
    Column::plain("worst two would cost", "/worst_two/loss"),
    Column::plain("new bands from epoch", "/announced/from"),
];

/// Its operators, and its caps.
pub(super) const PLACES: [Section; 2] = [
    Section {
        title: "With whom",
        at: "/places",
        columns: &[
            Column::thing(Thing::Operator, "operator", "/operator"),
            Column::plain("stake", "/stake"),
            Column::plain("slashable", "/slashable"),
            Column::plain("lower end", "/min"),
            Column::plain("target", "/target"),
            Column::plain("upper end", "/max"),
            Column::plain("closed", "/closed"),
        ],
        empty: "the council has set no bands",
    },
    Section {
        title: "Caps",
        at: "/limits",
        columns: &[
            Column::plain("cap", "/cap"),
            Column::plain("value", "/value"),
            Column::plain("most", "/most"),
        ],
        empty: "none",
    },
];
