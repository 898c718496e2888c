//! Aligned columns for people.

use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde_json::Value;

use super::cell::{Cell, Column, Labels};

/// A table of items, with a line of titles and an end of line.
pub(super) fn columns(
    columns: &[Column],
    items: &[&Value],
    labels: &dyn Labels,
    width: Option<u16>,
) -> String {
    // Where nobody has a figure, its column says nothing.
    let has_figure = |column: &&Column| {
        items.iter().any(|item| item.pointer(column.at).is_some_and(|value| !value.is_null()))
    };
    let columns: Vec<&Column> = columns.iter().filter(has_figure).collect();
    let mut table = plain(width);
    table.set_header(columns.iter().map(|column| column.title));
    for item in items {
        table.add_row(columns.iter().map(|column| column.shown(item, labels)));
    }
    for (index, column) in columns.iter().enumerate() {
        let is_figure = items.iter().all(|item| is_figure(column.cell, item.pointer(column.at)));
        if let Some(column) = table.column_mut(index).filter(|_| is_figure) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    trimmed(&table)
}

/// Names of fields and their figures, one a line.
pub(super) fn fields(
    columns: &[Column],
    document: &Value,
    labels: &dyn Labels,
    width: Option<u16>,
) -> String {
    let mut table = plain(width);
    for column in columns.iter().filter(|column| document.pointer(column.at).is_some()) {
        table.add_row([column.title.to_owned(), column.shown(document, labels)]);
    }
    trimmed(&table)
}

fn plain(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    match width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table
}

/// Whether it is a quantity, and so stands at the right: digits below digits.
fn is_figure(cell: Cell, value: Option<&Value>) -> bool {
    let is_digits =
        |text: &str| text.starts_with(|first: char| first.is_ascii_digit()) && !text.starts_with("0x");
    match (cell, value) {
        (
            Cell::Amount(_) | Cell::Shares | Cell::Share | Cell::Plain,
            None | Some(Value::Null | Value::Number(_)),
        ) => true,
        (Cell::Amount(_) | Cell::Shares | Cell::Share | Cell::Plain, Some(Value::String(text))) => {
            is_digits(text)
        }
        _ => false,
    }
}

/// Without blanks at the ends of lines.
fn trimmed(table: &Table) -> String {
    table.lines().fold(String::new(), |text, line| text + line.trim_end() + "\n")
}
