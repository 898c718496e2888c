//! Tables as Apache Parquet, for notebooks and warehouses; only in builds with the feature `parquet`.
//!
//! [`Lines`] takes the lines of an NDJSON export and writes them as columns: what is a number there is a 64-bit integer, all else is text (amounts
//! and fractions are exact so), and every column may be empty. It computes nothing.

use std::io::{self, Write};
use std::sync::Arc;

use ledger::export::Table;
use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use serde_json::{Map, Value};

/// Rows that are written together.
const GROUP_ROWS: usize = 50_000;

/// Columns that hold numbers; the others hold text.
const NUMBERS: [&str; 18] = [
    "asset",
    "bonded_from",
    "bonded_through",
    "capture",
    "decimals",
    "epoch",
    "free_at",
    "height",
    "operator",
    "pool",
    "position",
    "request",
    "service",
    "set",
    "slash",
    "stream",
    "time_ms",
    "token",
];

/// The columns of a table: the fields of its rows, in their order.
fn columns(table: Table) -> &'static [&'static str] {
    match table {
        Table::Accounts => &["account", "operator", "service", "asset", "decimals", "free", "claimable"],
        Table::Positions => &[
            "account",
            "position",
            "operator",
            "pool",
            "asset",
            "decimals",
            "state",
            "principal",
            "worth",
            "bonded_from",
            "bonded_through",
            "free_at",
        ],
        Table::Rewards => &[
            "height", "time_ms", "event", "epoch", "stream", "set", "account", "to", "token", "decimals",
            "amount", "unspent", "burnt",
        ],
        Table::Slashes => &[
            "height", "time_ms", "event", "request", "slash", "set", "operator", "capture", "asked", "taken",
            "asset", "decimals", "amount", "bond", "to", "reason",
        ],
    }
}

/// The values of a column that are not written yet, and which rows have one.
enum Values {
    Numbers(Vec<i64>),
    Texts(Vec<ByteArray>),
}

struct Column {
    name: &'static str,
    values: Values,
    /// 1 for a row with a value, 0 for one without.
    levels: Vec<i16>,
}

impl Column {
    fn new(name: &'static str) -> Self {
        let is_number = NUMBERS.contains(&name);
        let values = if is_number { Values::Numbers(Vec::new()) } else { Values::Texts(Vec::new()) };
        Self { name, values, levels: Vec::new() }
    }

    fn put(&mut self, value: Option<Value>) -> io::Result<()> {
        let value = value.filter(|value| !value.is_null());
        self.levels.push(i16::from(value.is_some()));
        let Some(value) = value else { return Ok(()) };
        match (&mut self.values, &value) {
            (Values::Numbers(numbers), Value::Number(number)) => {
                numbers.push(number.as_i64().ok_or_else(|| unfit(self.name, &value))?);
            }
            (Values::Texts(texts), Value::String(text)) => texts.push(ByteArray::from(text.as_str())),
            _ => return Err(unfit(self.name, &value)),
        }
        Ok(())
    }
}

fn unfit(name: &str, value: &Value) -> io::Error {
    io::Error::other(format!("column {name} can't hold {value}"))
}

/// Writes the lines of an export to a Parquet file.
pub(crate) struct Lines<W: Write + Send> {
    file: SerializedFileWriter<W>,
    columns: Vec<Column>,
    /// What has come of a line that has not ended.
    line: Vec<u8>,
}

impl<W: Write + Send> Lines<W> {
    /// A file for a table.
    ///
    /// # Errors
    /// If its beginning can't be written.
    pub(crate) fn new(table: Table, output: W) -> io::Result<Self> {
        let field = |name: &&str| {
            let is_number = NUMBERS.contains(name);
            let physical = if is_number { Physical::INT64 } else { Physical::BYTE_ARRAY };
            let converted = if is_number { ConvertedType::NONE } else { ConvertedType::UTF8 };
            let built = Type::primitive_type_builder(name, physical)
                .with_repetition(Repetition::OPTIONAL)
                .with_converted_type(converted)
                .build();
            built.map(Arc::new)
        };
        let fields: Result<Vec<_>, ParquetError> = columns(table).iter().map(field).collect();
        let schema = Type::group_type_builder(table.name())
            .with_fields(fields.map_err(told)?)
            .build()
            .map_err(told)?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let file = SerializedFileWriter::new(output, Arc::new(schema), Arc::new(properties)).map_err(told)?;
        let columns = columns(table).iter().map(|name| Column::new(name)).collect();
        Ok(Self { file, columns, line: Vec::new() })
    }

    /// Ends the file.
    ///
    /// # Errors
    /// If the rest can't be written.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.write_group()?;
        self.file.close().map_err(told)?;
        Ok(())
    }

    fn take_line(&mut self) -> io::Result<()> {
        let mut row: Map<String, Value> = serde_json::from_slice(&self.line)?;
        self.line.clear();
        for column in &mut self.columns {
            column.put(row.remove(column.name))?;
        }
        if let Some(name) = row.keys().next() {
            return Err(io::Error::other(format!("no column holds {name}")));
        }
        if self.columns.first().is_some_and(|column| column.levels.len() >= GROUP_ROWS) {
            self.write_group()?;
        }
        Ok(())
    }

    fn write_group(&mut self) -> io::Result<()> {
        let mut group = self.file.next_row_group().map_err(told)?;
        for column in &mut self.columns {
            let Column { name, values, levels } = std::mem::replace(column, Column::new(column.name));
            let Some(mut writer) = group.next_column().map_err(told)? else {
                return Err(io::Error::other(format!("the file has no column {name}")));
            };
            match values {
                Values::Numbers(numbers) => {
                    writer.typed::<Int64Type>().write_batch(&numbers, Some(&levels), None)
                }
                Values::Texts(texts) => {
                    writer.typed::<ByteArrayType>().write_batch(&texts, Some(&levels), None)
                }
            }
            .map_err(told)?;
            writer.close().map_err(told)?;
        }
        group.close().map_err(told)?;
        Ok(())
    }
}

impl<W: Write + Send> Write for Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.take_line()?;
            }
        }
        Ok(bytes.len())
    }

    /// Rows are written in groups, whenever there are enough.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn told(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(cause) => io::Error::other(cause),
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    use super::*;

    fn file(table: Table, lines: &str) -> SerializedFileReader<bytes::Bytes> {
        let mut bytes = Vec::new();
        let mut writer = Lines::new(table, &mut bytes).unwrap();
        // As it comes: in pieces that end anywhere.
        for piece in lines.as_bytes().chunks(7) {
            writer.write_all(piece).unwrap();
        }
        writer.finish().unwrap();
        SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap()
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let lines = concat!(
            r#"{"account":"0x01","operator":null,"service":7,"asset":2,"decimals":6,"free":"340282366920938463463374607431768211455","claimable":"0"}"#,
            "\n",
            r#"{"account":"0x02","operator":null,"service":null,"asset":null,"decimals":null,"free":"0","claimable":"0"}"#,
            "\n"
        );
        let reader = file(Table::Accounts, lines);
        let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].get_string(0).unwrap().as_str(), rows[0].get_long(2).unwrap()), ("0x01", 7));
        assert_eq!(rows[0].get_string(5).unwrap(), "340282366920938463463374607431768211455");
        assert!(rows[0].get_long(1).is_err() && rows[1].get_long(2).is_err());
    }

    #[test]
    fn a_table_without_rows_has_its_columns() {
        for table in Table::ALL {
            let reader = file(table, "");
            let schema = reader.metadata().file_metadata().schema_descr();
            let names: Vec<_> = schema.columns().iter().map(|column| column.name().to_owned()).collect();
            assert_eq!(names, columns(table));
            assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
        }
    }

    #[test]
    fn what_no_column_holds_is_an_error_and_not_left_out() {
        let mut bytes = Vec::new();
        for line in [r#"{"account":1}"#, r#"{"free":"1","new":"2"}"#, r#"{"asset":"x"}"#, "no json"] {
            let mut writer = Lines::new(Table::Accounts, &mut bytes).unwrap();
            assert!(writer.write_all(format!("{line}\n").as_bytes()).is_err(), "{line}");
        }
    }
}
