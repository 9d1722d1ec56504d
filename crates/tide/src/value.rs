//! Values at run time. Strings and raw JSON are slices of the event or of the program where they can be.

use std::borrow::Cow;
use std::rc::Rc;

use rust_decimal::Decimal;

/// A value. Which variants can occur where is settled by the checker.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    /// An optional value that is not there.
    Absent,
    Bool(bool),
    Int(i64),
    Decimal(Decimal),
    Float(f64),
    Text(Text<'a>),
    /// JSON as it came.
    Raw(&'a str),
    List(Rc<Vec<Value<'a>>>),
    Map(Rc<Vec<Entry<'a>>>),
    Record(Rc<RecordValue<'a>>),
}

/// A key of a map with its value.
pub(crate) type Entry<'a> = (Text<'a>, Value<'a>);

/// A record: its declared fields by position, and the others as key and raw JSON.
#[derive(Debug)]
pub(crate) struct RecordValue<'a> {
    pub(crate) record: usize,
    pub(crate) fields: Vec<Value<'a>>,
    pub(crate) rest: Vec<(Cow<'a, str>, &'a str)>,
}

/// A string.
#[derive(Clone, Debug)]
pub(crate) enum Text<'a> {
    Borrowed(&'a str),
    Owned(Rc<str>),
}

impl<'a> Text<'a> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Text::Borrowed(text) => text,
            Text::Owned(text) => text,
        }
    }

    /// What it costs to read the string once, in steps: nothing but for a long one.
    pub(crate) fn weight(&self) -> u64 {
        self.as_str().len() as u64 / 64
    }

    /// A part of the string; shares the event's bytes where the whole does.
    pub(crate) fn slice(&self, range: std::ops::Range<usize>) -> Text<'a> {
        match self {
            Text::Borrowed(text) => Text::Borrowed(&text[range]),
            Text::Owned(text) => Text::Owned(text[range].into()),
        }
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Text::Owned(text.into())
    }
}

/// The Float that is nearest to a Decimal. It goes through the text, as the library's own way rounds twice.
pub(crate) fn nearest_float(value: Decimal) -> f64 {
    // Every Decimal is written as a number that Rust reads.
    value.to_string().parse().unwrap_or(f64::NAN)
}

/// A value known at compile time. Unlike [`Value`] it can be shared between threads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constant {
    Absent,
    Bool(bool),
    Int(i64),
    Decimal(Decimal),
    Float(f64),
    Text(String),
    List(Vec<Constant>),
}

impl Constant {
    /// The constant as a value of a run.
    pub(crate) fn value(&self) -> Value<'_> {
        match self {
            Constant::Absent => Value::Absent,
            Constant::Bool(value) => Value::Bool(*value),
            Constant::Int(value) => Value::Int(*value),
            Constant::Decimal(value) => Value::Decimal(*value),
            Constant::Float(value) => Value::Float(*value),
            Constant::Text(text) => Value::Text(Text::Borrowed(text)),
            Constant::List(items) => Value::List(Rc::new(items.iter().map(Constant::value).collect())),
        }
    }

    /// What it costs to read the constant once, in steps.
    pub(crate) fn weight(&self) -> u64 {
        match self {
            Constant::Text(text) => text.len() as u64 / 64,
            _ => 0,
        }
    }

    /// Whether a value equals the constant.
    pub(crate) fn equals(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Constant::Text(a), Value::Text(b)) => a == b.as_str(),
            (Constant::Int(a), Value::Int(b)) => a == b,
            (Constant::Bool(a), Value::Bool(b)) => a == b,
            (Constant::Decimal(a), Value::Decimal(b)) => a == b,
            (Constant::Float(a), Value::Float(b)) => a == b,
            _ => false,
        }
    }
}

impl Value<'_> {
    /// What it costs to read the value once, in steps: nothing but for long strings.
    pub(crate) fn weight(&self) -> u64 {
        match self {
            Value::Text(text) => text.weight(),
            _ => 0,
        }
    }

    /// Whether two values of one scalar type are equal.
    pub(crate) fn equals(&self, other: &Value<'_>) -> bool {
        self.compare(other) == Some(std::cmp::Ordering::Equal)
    }

    /// The order of two values of one scalar type; strings go by their code points.
    pub(crate) fn compare(&self, other: &Value<'_>) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
            (Value::Decimal(a), Value::Decimal(b)) => Some(a.cmp(b)),
            (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
            (Value::Text(a), Value::Text(b)) => Some(a.as_str().cmp(b.as_str())),
            _ => None,
        }
    }
}
