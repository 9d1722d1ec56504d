//! The types of Tide, and the records and unions of one program.

use std::collections::BTreeSet;

use crate::json::write_string;
use crate::refinement::Refinement;
use crate::source::Span;

/// A type. Records and unions are numbers into [`Types`], so that types are cheap to copy around.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    /// The type of what was refused already; it fits everywhere, so that one mistake is reported once.
    Error,
    /// The type of `null`.
    Null,
    Bool,
    Int,
    Decimal,
    Float,
    String,
    /// Three capital letters.
    Currency,
    /// Any JSON, carried through unread.
    Json,
    Union(usize),
    Record(usize),
    /// One of several records, told apart by a string field.
    Choice(usize),
    List(Box<Type>),
    /// Values by name, in the order of the event.
    Map(Box<Type>),
    Optional(Box<Type>),
    /// Two values, as `split_once` yields them; exists only until it is taken apart.
    Pair(Box<(Type, Type)>),
}

/// A union of string literals.
#[derive(Debug)]
pub(crate) struct Union {
    pub(crate) name: Option<String>,
    pub(crate) members: Vec<String>,
}

/// A record type.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) name: Option<String>,
    pub(crate) fields: Vec<Field>,
    pub(crate) open: bool,
    /// Whether undeclared fields must be kept because the record may be written out whole.
    pub(crate) keeps_rest: bool,
    /// How many records and lists are nested in it, itself included.
    pub(crate) depth: usize,
}

/// A union of records that the first field of each tells apart.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) name: String,
    pub(crate) cases: Vec<Case>,
    /// The record of what all cases share, in the same positions; it takes every tag and is open.
    pub(crate) shared: usize,
}

/// A case of a union of records.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) tags: Vec<String>,
    pub(crate) record: usize,
}

/// A field of a record.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// The name as it is written before a value: in quotes, with a colon.
    pub(crate) key: String,
    pub(crate) ty: Type,
    pub(crate) refinements: Vec<Refinement>,
    pub(crate) span: Span,
}

/// The records and unions of one program.
#[derive(Debug, Default)]
pub(crate) struct Types {
    pub(crate) records: Vec<Record>,
    pub(crate) unions: Vec<Union>,
    pub(crate) choices: Vec<Choice>,
}

impl Type {
    /// The type without its `?`.
    pub(crate) fn present(&self) -> &Type {
        match self {
            Type::Optional(inner) => inner,
            other => other,
        }
    }

    /// The type with a `?`, unless it has one.
    pub(crate) fn optional(self) -> Type {
        match self {
            Type::Optional(_) | Type::Error | Type::Null => self,
            other => Type::Optional(Box::new(other)),
        }
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Type::Int | Type::Decimal | Type::Float)
    }

    /// Whether values of the type are strings at run time.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Type::String | Type::Currency | Type::Union(_))
    }
}

impl Field {
    pub(crate) fn new(name: String, ty: Type, refinements: Vec<Refinement>, span: Span) -> Self {
        let mut key = String::new();
        write_string(&mut key, &name);
        key.push(':');
        Field { name, key, ty, refinements, span }
    }
}

impl Record {
    /// The place of a field in the record.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

impl Types {
    /// The type as it is written in a program, shortened where it is long.
    pub(crate) fn show(&self, ty: &Type) -> String {
        match ty {
            Type::Error => "an unknown type".into(),
            Type::Null => "null".into(),
            Type::Bool => "Bool".into(),
            Type::Int => "Int".into(),
            Type::Decimal => "Decimal".into(),
            Type::Float => "Float".into(),
            Type::String => "String".into(),
            Type::Currency => "Currency".into(),
            Type::Json => "Json".into(),
            Type::Union(id) => self.show_union(&self.unions[*id]),
            Type::Record(id) => self.show_record(&self.records[*id]),
            Type::Choice(id) => self.choices[*id].name.clone(),
            Type::List(item) => format!("List<{}>", self.show(item)),
            Type::Map(value) => format!("Map<{}>", self.show(value)),
            Type::Optional(inner) => match (&**inner, self.show(inner)) {
                (Type::Union(id), shown) if self.unions[*id].name.is_none() => format!("({shown})?"),
                (_, shown) => format!("{shown}?"),
            },
            Type::Pair(pair) => format!("({}, {})", self.show(&pair.0), self.show(&pair.1)),
        }
    }

    fn show_union(&self, union: &Union) -> String {
        if let Some(name) = &union.name {
            return name.clone();
        }
        let mut shown: Vec<String> =
            union.members.iter().take(4).map(|member| format!("\"{member}\"")).collect();
        if union.members.len() > 4 {
            shown.push("...".into());
        }
        shown.join(" | ")
    }

    fn show_record(&self, record: &Record) -> String {
        if let Some(name) = &record.name {
            return name.clone();
        }
        let names: Vec<&str> = record.fields.iter().take(3).map(|field| field.name.as_str()).collect();
        let more = if record.open || record.fields.len() > 3 { ", ..." } else { "" };
        format!("{{ {}{more} }}", names.join(", "))
    }

    /// Whether a value of one type may stand where another is wanted, without any conversion.
    pub(crate) fn fits(&self, given: &Type, wanted: &Type) -> bool {
        self.fits_beside(given, wanted, &mut BTreeSet::new())
    }

    /// The same, beside pairs of records that are being compared already: one answer for each is enough.
    fn fits_beside(&self, given: &Type, wanted: &Type, known: &mut BTreeSet<(usize, usize)>) -> bool {
        match (given, wanted) {
            (Type::Error, _) | (_, Type::Error) => true,
            (Type::Null, Type::Optional(_)) => true,
            (Type::Optional(given), Type::Optional(wanted)) => self.fits_beside(given, wanted, known),
            (given, Type::Optional(wanted)) => self.fits_beside(given, wanted, known),
            (Type::Currency | Type::Union(_), Type::String) => true,
            (Type::Union(given), Type::Union(wanted)) => {
                let wanted = &self.unions[*wanted].members;
                self.unions[*given].members.iter().all(|member| wanted.contains(member))
            }
            (Type::List(given), Type::List(wanted)) | (Type::Map(given), Type::Map(wanted)) => {
                self.fits_beside(given, wanted, known)
            }
            (Type::Record(given), Type::Record(wanted)) => self.same_shape(*given, *wanted, known),
            (Type::Pair(given), Type::Pair(wanted)) => {
                self.fits_beside(&given.0, &wanted.0, known) && self.fits_beside(&given.1, &wanted.1, known)
            }
            (Type::Record(given), Type::Choice(wanted)) => {
                self.choices[*wanted].cases.iter().any(|case| case.record == *given)
            }
            (given, wanted) => given == wanted,
        }
    }

    /// Records fit when they list the same fields in the same order, whatever they are called.
    fn same_shape(&self, given: usize, wanted: usize, known: &mut BTreeSet<(usize, usize)>) -> bool {
        let (a, b) = (&self.records[given], &self.records[wanted]);
        given == wanted
            || !known.insert((given, wanted))
            || (a.open == b.open
                && a.fields.len() == b.fields.len()
                && a.fields.iter().zip(&b.fields).all(|(a, b)| {
                    a.name == b.name && b.refinements.is_empty() && self.fits_beside(&a.ty, &b.ty, known)
                }))
    }

    /// How many records, lists and question marks are nested in a type.
    pub(crate) fn depth(&self, ty: &Type) -> usize {
        match ty {
            Type::Record(id) => self.records[*id].depth,
            Type::Choice(id) => {
                let cases = self.choices[*id].cases.iter();
                cases.map(|case| self.records[case.record].depth).max().unwrap_or(1)
            }
            Type::List(inner) | Type::Map(inner) | Type::Optional(inner) => 1 + self.depth(inner),
            _ => 0,
        }
    }

    /// Notes that values of the type are written out whole, with the undeclared fields of open records.
    pub(crate) fn keep_rest(&mut self, ty: &Type) {
        match ty {
            Type::List(inner) | Type::Map(inner) | Type::Optional(inner) => self.keep_rest(inner),
            Type::Record(id) if !self.records[*id].keeps_rest => {
                self.records[*id].keeps_rest = true;
                let inner: Vec<Type> =
                    self.records[*id].fields.iter().map(|field| field.ty.clone()).collect();
                inner.iter().for_each(|ty| self.keep_rest(ty));
            }
            Type::Choice(id) => {
                let cases: Vec<usize> = self.choices[*id].cases.iter().map(|case| case.record).collect();
                cases.into_iter().for_each(|record| self.keep_rest(&Type::Record(record)));
            }
            _ => {}
        }
    }
}
