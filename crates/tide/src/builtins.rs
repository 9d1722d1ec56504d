//! The functions of the language: one file each, one table of all.
//!
//! To add one, write its file with a [`Builtin`] in it and name it in [`builtins`]. Its example runs
//! as a test.

mod abs;
mod contains;
mod decimal;
mod ends_with;
mod float;
mod int;
mod length;
mod lower;
mod max;
mod min;
mod replace;
mod round;
mod slice;
mod split_once;
mod starts_with;
mod string;
mod trim;
mod upper;

use rust_decimal::Decimal;

use crate::types::Type;
use crate::value::{Text, Value};

/// Most arguments that a function takes.
pub(crate) const MAX_ARGUMENTS: usize = 3;

/// A function of the language.
#[derive(Debug)]
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// How it is called, with the types of its arguments and of its result.
    pub signature: &'static str,
    /// What it does, in one or two sentences.
    pub doc: &'static str,
    /// A call, the type of its value, and the value in JSON.
    pub example: Example,
    pub(crate) overloads: &'static [Overload],
}

/// An example of a call.
#[derive(Debug)]
pub struct Example {
    /// The expression; statements that it needs stand on lines before it.
    pub expression: &'static str,
    /// The type of its value.
    pub ty: &'static str,
    /// Its value, in JSON.
    pub value: &'static str,
}

/// The types for which a function is defined, and its code for them.
#[derive(Debug)]
pub(crate) struct Overload {
    pub(crate) parameters: &'static [Kind],
    pub(crate) result: Kind,
    pub(crate) run: Run,
}

/// The code of a function: arguments and the longest string it may make, in bytes.
pub(crate) type Run = for<'a> fn(&[Value<'a>], usize) -> Result<Value<'a>, Failure>;

/// Why a function cannot yield a value.
#[derive(Debug)]
pub(crate) enum Failure {
    Overflow,
    TooLong,
}

/// The types that functions are declared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Int,
    Decimal,
    Float,
    String,
    /// A list of anything.
    List,
    /// A map of anything.
    Map,
    OptionalInt,
    OptionalDecimal,
    /// Two strings; see `split_once`.
    OptionalPair,
}

impl Kind {
    /// Whether a value of the type can be the argument.
    pub(crate) fn takes(self, ty: &Type) -> bool {
        match self {
            Kind::String => ty.is_text(),
            Kind::List => matches!(ty, Type::List(_)),
            Kind::Map => matches!(ty, Type::Map(_)),
            other => other.ty() == *ty,
        }
    }

    /// The type of a result of this kind.
    pub(crate) fn ty(self) -> Type {
        match self {
            Kind::Bool => Type::Bool,
            Kind::Int => Type::Int,
            Kind::Decimal => Type::Decimal,
            Kind::Float => Type::Float,
            Kind::String => Type::String,
            Kind::List => Type::List(Box::new(Type::Error)),
            Kind::Map => Type::Map(Box::new(Type::Error)),
            Kind::OptionalInt => Type::Int.optional(),
            Kind::OptionalDecimal => Type::Decimal.optional(),
            Kind::OptionalPair => Type::Pair(Box::new((Type::String, Type::String))).optional(),
        }
    }
}

static BUILTINS: [Builtin; 18] = [
    abs::BUILTIN,
    contains::BUILTIN,
    decimal::BUILTIN,
    ends_with::BUILTIN,
    float::BUILTIN,
    int::BUILTIN,
    length::BUILTIN,
    lower::BUILTIN,
    max::BUILTIN,
    min::BUILTIN,
    replace::BUILTIN,
    round::BUILTIN,
    slice::BUILTIN,
    split_once::BUILTIN,
    starts_with::BUILTIN,
    string::BUILTIN,
    trim::BUILTIN,
    upper::BUILTIN,
];

/// All functions, by name.
pub fn builtins() -> &'static [Builtin] {
    &BUILTINS
}

/// The function of that name.
pub(crate) fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

// The checker has matched the arguments with an overload; a value of another type cannot come here,
// and the defaults below only spare every function the case.

fn text<'v>(arguments: &'v [Value<'_>], index: usize) -> &'v str {
    match arguments.get(index) {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    }
}

fn int(arguments: &[Value<'_>], index: usize) -> i64 {
    match arguments.get(index) {
        Some(Value::Int(value)) => *value,
        _ => 0,
    }
}

fn decimal(arguments: &[Value<'_>], index: usize) -> Decimal {
    match arguments.get(index) {
        Some(Value::Decimal(value)) => *value,
        _ => Decimal::ZERO,
    }
}

fn float(arguments: &[Value<'_>], index: usize) -> f64 {
    match arguments.get(index) {
        Some(Value::Float(value)) => *value,
        _ => 0.0,
    }
}

/// A string made by a function, if it is not too long.
fn made<'a>(text: String, max_bytes: usize) -> Result<Value<'a>, Failure> {
    if text.len() > max_bytes { Err(Failure::TooLong) } else { Ok(Value::Text(Text::from(text))) }
}

/// A part of the first argument, given as a part of its text.
fn part<'a>(arguments: &[Value<'a>], start: usize, end: usize) -> Value<'a> {
    match arguments.first() {
        Some(Value::Text(text)) => Value::Text(text.slice(start..end)),
        _ => Value::Absent,
    }
}
