//! What a command prints: one answer in four forms.
//!
//! `json` is the whole answer as the node gave it; `ndjson` one line for each item; `csv` and `table` the columns that the command
//! declares. What programs read (`json`, `ndjson`, `csv`) carries addresses and numbers; a table, which people read, carries names
//! where there are names. The shapes are frozen by the tests of this crate.

mod cell;
mod table;

use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::Value;

use crate::exit::Exit;

pub(crate) use cell::{Cell, Column, Labels, Unlabelled};

/// In which form an answer is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people: aligned columns, with names.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line, one line for each item.
    Ndjson,
    /// Comma-separated values with a header.
    Csv,
}

impl Form {
    /// Whether programs read it, failures included.
    pub(crate) fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Ndjson)
    }

    /// What it is called on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

/// A list inside a page, with a title of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    /// Its title.
    pub(crate) title: &'static str,
    /// Where the list stands in the document, as a JSON pointer.
    pub(crate) at: &'static str,
    /// Its columns.
    pub(crate) columns: &'static [Column],
    /// What is said where the list is empty; nothing, where this is empty too.
    pub(crate) empty: &'static str,
}

/// How people and spreadsheets see a document.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// A list of things, under `items`.
    List(&'static [Column]),
    /// One thing: its fields, then lists inside it. In CSV the fields are one row; without fields, the first section is the table.
    Page(&'static [Column], &'static [Section]),
    /// A sentence, under `said`; there may be more in the document.
    Sentence,
    /// Lines of text as they are, under `text`.
    Text,
    /// Everything was printed already.
    Silent,
}

/// What a command has to say.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    document: Value,
    /// The same with its lists laid out for people and spreadsheets, where they are nested in the document.
    view: Option<Value>,
    shape: Shape,
    /// What people are told where the list is empty.
    empty: &'static str,
    exit: Exit,
}

impl Answer {
    /// A document and how it is seen.
    pub(crate) fn new(document: Value, shape: Shape) -> Self {
        Self { document, view: None, shape, empty: "nothing there", exit: Exit::Success }
    }

    /// A list of things.
    pub(crate) fn list(items: Vec<Value>, columns: &'static [Column]) -> Self {
        Self::new(serde_json::json!({ "items": items }), Shape::List(columns))
    }

    /// A sentence about what was done.
    pub(crate) fn said(sentence: impl Into<String>) -> Self {
        Self::new(serde_json::json!({ "said": sentence.into() }), Shape::Sentence)
    }

    /// A text that is the product of the command, the same in every form but JSON.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::new(serde_json::json!({ "text": text.into() }), Shape::Text)
    }

    /// Puts one more field into the document.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        if let Value::Object(fields) = &mut self.document {
            fields.insert(name.to_owned(), value);
        }
        self
    }

    /// A document whose lists are nested, and the same laid out for everything but JSON.
    pub(crate) fn viewed(document: Value, view: Value, shape: Shape) -> Self {
        Self { view: Some(view), ..Self::new(document, shape) }
    }

    /// Says what people are told where the list is empty.
    pub(crate) fn where_empty(self, empty: &'static str) -> Self {
        Self { empty, ..self }
    }

    fn seen(&self) -> &Value {
        self.view.as_ref().unwrap_or(&self.document)
    }

    /// Ends the process with this code, though there is an answer: what was looked for was found, and it is not good.
    pub(crate) fn ending(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// How the process ends.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The document.
    #[cfg(test)]
    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    /// Writes the answer.
    ///
    /// # Errors
    /// What the writer says.
    pub(crate) fn write(
        &self,
        form: Form,
        labels: &dyn Labels,
        width: Option<u16>,
        output: &mut dyn Write,
    ) -> io::Result<()> {
        match form {
            _ if matches!(self.shape, Shape::Silent) => Ok(()),
            Form::Json => {
                serde_json::to_writer_pretty(&mut *output, &self.document)?;
                output.write_all(b"\n")
            }
            Form::Ndjson => self.lines().into_iter().try_for_each(|line| {
                serde_json::to_writer(&mut *output, line)?;
                output.write_all(b"\n")
            }),
            Form::Csv => self.write_csv(output),
            Form::Table => self.write_table(labels, width, output),
        }
    }

    /// What has a line of its own.
    fn lines(&self) -> Vec<&Value> {
        match self.shape {
            Shape::List(_) => items(self.seen(), "/items"),
            Shape::Page([], [first, ..]) => items(self.seen(), first.at),
            _ => vec![self.seen()],
        }
    }

    /// The columns that CSV has.
    fn columns(&self) -> &'static [Column] {
        const SAID: [Column; 1] = [Column { title: "said", at: "/said", cell: Cell::Plain }];
        match self.shape {
            Shape::List(columns) => columns,
            Shape::Page([], [first, ..]) => first.columns,
            Shape::Page(fields, _) => fields,
            Shape::Sentence => &SAID,
            Shape::Text | Shape::Silent => &[],
        }
    }

    fn write_csv(&self, output: &mut dyn Write) -> io::Result<()> {
        if matches!(self.shape, Shape::Text) {
            return self.write_text("text", output);
        }
        let mut writer = csv::Writer::from_writer(&mut *output);
        writer.write_record(self.columns().iter().map(|column| column.title))?;
        writer.flush()?;
        drop(writer);
        self.write_rows(output)
    }

    /// The lines of the table in CSV, without their header.
    ///
    /// # Errors
    /// What the writer says.
    pub(crate) fn write_rows(&self, output: &mut dyn Write) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(output);
        for line in self.lines() {
            writer.write_record(self.columns().iter().map(|column| column.raw(line)))?;
        }
        writer.flush()
    }

    fn write_table(&self, labels: &dyn Labels, width: Option<u16>, output: &mut dyn Write) -> io::Result<()> {
        match self.shape {
            Shape::Sentence => self.write_text("said", output),
            Shape::Text => self.write_text("text", output),
            Shape::Silent => Ok(()),
            Shape::List(columns) => {
                let items = items(self.seen(), "/items");
                if items.is_empty() {
                    writeln!(output, "{}", self.empty)?;
                } else {
                    write!(output, "{}", table::columns(columns, &items, labels, width))?;
                }
                self.write_foot(output)
            }
            Shape::Page(fields, sections) => {
                if !fields.is_empty() {
                    write!(output, "{}", table::fields(fields, self.seen(), labels, width))?;
                }
                for section in sections {
                    let items = items(self.seen(), section.at);
                    match (items.is_empty(), section.empty) {
                        (true, "") => {}
                        (true, empty) => writeln!(output, "\n{}\n  {empty}", section.title)?,
                        (false, _) => {
                            let table = table::columns(section.columns, &items, labels, width);
                            write!(output, "\n{}\n{table}", section.title)?;
                        }
                    }
                }
                self.write_foot(output)
            }
        }
    }

    fn write_text(&self, field: &str, output: &mut dyn Write) -> io::Result<()> {
        let text = self.seen().get(field).and_then(Value::as_str).unwrap_or_default();
        output.write_all(text.as_bytes())?;
        if text.ends_with('\n') { Ok(()) } else { output.write_all(b"\n") }
    }

    /// At which height the figures hold, and whether there is more.
    fn write_foot(&self, output: &mut dyn Write) -> io::Result<()> {
        if let Some(as_of) = self.seen().get("as_of") {
            let number = |name| as_of.get(name).map_or_else(|| "?".to_owned(), cell::plain);
            writeln!(output, "as of height {}, epoch {}", number("height"), number("epoch"))?;
        }
        match self.seen().get("next").and_then(Value::as_str) {
            Some(next) => writeln!(output, "there is more: --after {}", crate::failure::shown(next)),
            None => Ok(()),
        }
    }
}

/// The elements of a list in a document; none where there is no list.
fn items<'a>(document: &'a Value, at: &str) -> Vec<&'a Value> {
    document.pointer(at).and_then(Value::as_array).into_iter().flatten().collect()
}

#[cfg(test)]
mod tests;
