//! Values to JSON, on one line and within a bound.

use std::borrow::Cow;
use std::fmt::Write;

use crate::json::write_string;
use crate::types::{Field, Types};
use crate::value::Value;

/// The text would be longer than the limit allows.
#[derive(Debug)]
pub(crate) struct TooLong;

/// Writes a value as JSON of at most `limit` bytes.
///
/// The bound is kept while writing: a small value that shares its parts can be a text of any length.
pub(crate) fn write_value(types: &Types, value: &Value<'_>, limit: usize) -> Result<String, TooLong> {
    let mut writer = Writer { out: String::with_capacity(256), types, limit };
    writer.value(value)?;
    writer.within_limit()?;
    Ok(writer.out)
}

struct Writer<'t> {
    out: String,
    types: &'t Types,
    limit: usize,
}

impl Writer<'_> {
    fn within_limit(&self) -> Result<(), TooLong> {
        if self.out.len() > self.limit { Err(TooLong) } else { Ok(()) }
    }

    /// Writes a record: its declared fields and then the undeclared ones with their raw values.
    fn record(
        &mut self,
        record: usize,
        fields: &[Value<'_>],
        rest: &[(Cow<'_, str>, &str)],
    ) -> Result<(), TooLong> {
        let types = self.types;
        self.out.push('{');
        let mut separator = "";
        for (Field { key, .. }, value) in types.records[record].fields.iter().zip(fields) {
            self.out.push_str(separator);
            self.out.push_str(key);
            self.value(value)?;
            separator = ",";
        }
        for (key, value) in rest {
            self.within_limit()?;
            self.out.push_str(separator);
            write_string(&mut self.out, key);
            self.out.push(':');
            self.raw(value);
            separator = ",";
        }
        self.out.push('}');
        Ok(())
    }

    fn value(&mut self, value: &Value<'_>) -> Result<(), TooLong> {
        self.within_limit()?;
        match value {
            Value::Absent => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) => self.shown(value),
            Value::Decimal(value) => self.shown(value),
            // The debug form is the shortest that reads back as the same number, and it is JSON.
            Value::Float(value) => self.shown(&format_args!("{value:?}")),
            Value::Text(text) => write_string(&mut self.out, text.as_str()),
            Value::Raw(raw) => self.raw(raw),
            Value::List(items) => self.list(items)?,
            Value::Map(entries) => {
                self.out.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    write_string(&mut self.out, key.as_str());
                    self.out.push(':');
                    self.value(value)?;
                }
                self.out.push('}');
            }
            Value::Record(record) => self.record(record.record, &record.fields, &record.rest)?,
        }
        Ok(())
    }

    fn list(&mut self, items: &[Value<'_>]) -> Result<(), TooLong> {
        self.out.push('[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.value(item)?;
        }
        self.out.push(']');
        Ok(())
    }

    /// Writes JSON as it came, but on one line, so that no event can forge a line of its own in the
    /// output. Line breaks stand only between tokens: the reader refuses them inside of strings.
    fn raw(&mut self, raw: &str) {
        for line in raw.split(['\n', '\r']) {
            self.out.push_str(line);
        }
    }

    fn shown(&mut self, value: &dyn std::fmt::Display) {
        // Writing into a string cannot fail.
        let written = write!(self.out, "{value}");
        debug_assert!(written.is_ok(), "a string takes every character");
    }
}
