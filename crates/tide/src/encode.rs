//! Values to JSON.

use std::borrow::Cow;
use std::fmt::Write;

use crate::json::write_string;
use crate::types::{Field, Types};
use crate::value::Value;

/// Writes the fields of a record; `rest` are the undeclared ones with their raw values.
pub(crate) fn write_record(
    out: &mut String,
    types: &Types,
    record: usize,
    fields: &[Value<'_>],
    rest: &[(Cow<'_, str>, &str)],
) {
    out.push('{');
    let mut separator = "";
    for (Field { key, .. }, value) in types.records[record].fields.iter().zip(fields) {
        out.push_str(separator);
        out.push_str(key);
        write_value(out, types, value);
        separator = ",";
    }
    for (key, value) in rest {
        out.push_str(separator);
        write_string(out, key);
        out.push(':');
        out.push_str(value);
        separator = ",";
    }
    out.push('}');
}

/// Writes a value.
pub(crate) fn write_value(out: &mut String, types: &Types, value: &Value<'_>) {
    match value {
        Value::Absent => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => write_shown(out, value),
        Value::Decimal(value) => write_shown(out, value),
        // The debug form is the shortest that reads back as the same number, and it is JSON.
        Value::Float(value) => write_shown(out, &format_args!("{value:?}")),
        Value::Text(text) => write_string(out, text.as_str()),
        Value::Raw(raw) => out.push_str(raw),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(out, types, item);
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(out, key.as_str());
                out.push(':');
                write_value(out, types, value);
            }
            out.push('}');
        }
        Value::Record(record) => write_record(out, types, record.record, &record.fields, &record.rest),
    }
}

fn write_shown(out: &mut String, value: &dyn std::fmt::Display) {
    // Writing into a string cannot fail.
    let written = write!(out, "{value}");
    debug_assert!(written.is_ok(), "a string takes every character");
}
