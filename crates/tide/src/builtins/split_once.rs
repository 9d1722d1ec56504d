//! `split_once`: a string taken apart at a separator.

use super::{Builtin, Example, Failure, Kind, Overload};
use crate::value::Value;

pub(super) const BUILTIN: Builtin = Builtin {
    name: "split_once",
    signature: "(before, after) = split_once(text: String, separator: String)",
    doc: "Takes the text apart at the first separator. Where every string the text can be has the separator, the split always succeeds; else the pair is optional and needs `?? (a, b)`.",
    example: Example {
        expression: "(domain, action) = split_once(\"charge.failed\", \".\")\ndomain + \"/\" + action",
        ty: "String",
        value: "\"charge/failed\"",
    },
    overloads: &[Overload {
        parameters: &[Kind::String, Kind::String],
        result: Kind::OptionalPair,
        run: absent,
    }],
};

/// The plan has a node of its own for this function, as its pair is no value.
fn absent<'a>(_: &[Value<'a>], _: usize) -> Result<Value<'a>, Failure> {
    Ok(Value::Absent)
}
