//! Types, records, the event and constants.

use regex::RegexBuilder;
use rust_decimal::Decimal;

use super::{Checker, NamedConstant};
use crate::diagnostic::{Diagnostic, suggest};
use crate::limits::{MAX_FIELDS, MAX_ITEMS, MAX_PATTERNS, MAX_TYPE_DEPTH};
use crate::plan::Node;
use crate::refinement::{Range, Refinement};
use crate::source::Span;
use crate::syntax::{
    ChoiceDeclaration, Expr, ExprKind, FieldDeclaration, Name, RangeBounds, RecordBody, RecordDeclaration,
    RefinementClause, RefinementKind, TypeExpression, TypeKind,
};
use crate::types::{Field, Record, Type, Union};
use crate::value::Constant;

const PLAIN_TYPES: [&str; 9] =
    ["Int", "Decimal", "Float", "Bool", "String", "Currency", "Json", "List", "Map"];

/// Largest compiled form of a pattern, in bytes; keeps `(((a{999}){999}){999})` from filling the memory.
const MAX_PATTERN_BYTES: usize = 1 << 18;

/// A declared type.
pub(super) struct Named<'a> {
    span: Span,
    declaration: Declaration<'a>,
    state: State,
    /// Whether something refers to it.
    pub(super) used: bool,
}

#[derive(Clone, Copy)]
enum Declaration<'a> {
    Type(&'a TypeExpression),
    Record(&'a RecordBody),
    Choice(&'a RecordBody, &'a ChoiceDeclaration),
}

enum State {
    Waiting,
    /// Its own declaration is being resolved: whoever asks now closes a circle.
    Busy,
    Done(Type),
}

fn record_or_choice(declaration: &RecordDeclaration) -> Declaration<'_> {
    match &declaration.choice {
        Some(choice) => Declaration::Choice(&declaration.body, choice),
        None => Declaration::Record(&declaration.body),
    }
}

impl<'a> Checker<'a> {
    // --- names ---

    pub(super) fn name_declarations(&mut self) {
        let file = self.file;
        for event in &file.events {
            self.declare(&event.name, record_or_choice(event));
        }
        for record in &file.records {
            self.declare(&record.name, record_or_choice(record));
        }
        for ty in &file.types {
            self.declare(&ty.name, Declaration::Type(&ty.ty));
        }
        self.exactly_one("event", &file.events.iter().map(|event| &event.name).collect::<Vec<_>>());
        self.exactly_one("rule", &file.rules.iter().map(|rule| &rule.name).collect::<Vec<_>>());
    }

    fn declare(&mut self, name: &'a Name, declaration: Declaration<'a>) {
        if PLAIN_TYPES.contains(&name.text.as_str()) {
            let diagnostic = Diagnostic::error("E0105", format!("`{}` is a type of the language", name.text))
                .label(name.span, "choose another name");
            self.report(diagnostic);
            return;
        }
        let first = self.named.get(name.text.as_str()).map(|named| named.span);
        if let Some(first) = first {
            self.declared_twice(name, first);
            return;
        }
        let named = Named { span: name.span, declaration, state: State::Waiting, used: false };
        self.named.insert(&name.text, named);
    }

    pub(super) fn declared_twice(&mut self, name: &Name, first: Span) {
        let diagnostic = Diagnostic::error("E0105", format!("`{}` is declared twice", name.text))
            .label(name.span, "declared again")
            .label(first, "first declared here")
            .help("rename one of them or remove it");
        self.report(diagnostic);
    }

    fn exactly_one(&mut self, what: &str, found: &[&Name]) {
        let text = self.source.text.trim_end();
        let last = text.char_indices().next_back().map_or(0, |(start, _)| start);
        match found {
            [_] => {}
            [] => {
                let help = match what {
                    "event" => "declare the fields that come in: `event Name { field: Type }`",
                    _ => "write `rule name(event: Name) -> Record { ... }`",
                };
                let diagnostic = Diagnostic::error("E0106", format!("the file has no `{what}`"))
                    .label(Span::new(last, text.len()), format!("a file needs one `{what}`"))
                    .help(help);
                self.report(diagnostic);
            }
            [first, second, ..] => {
                let diagnostic = Diagnostic::error("E0106", format!("the file has more than one `{what}`"))
                    .label(second.span, "the second one")
                    .label(first.span, "the first one")
                    .help("write a second file");
                self.report(diagnostic);
            }
        }
    }

    pub(super) fn resolve_declarations(&mut self) {
        let names: Vec<&'a str> = self.named.keys().copied().collect();
        for name in names {
            self.resolve(name);
        }
        if let Some(event) = self.file.events.first()
            && let Some(ty) = self.resolve(&event.name.text)
        {
            self.plan.event = ty;
        }
    }

    /// The type of that name, if it is declared.
    pub(super) fn resolve(&mut self, name: &'a str) -> Option<Type> {
        let named = self.named.get_mut(name)?;
        match &named.state {
            State::Done(ty) => return Some(ty.clone()),
            State::Busy => {
                let span = named.span;
                named.state = State::Done(Type::Error);
                self.report(
                    Diagnostic::error("E0109", format!("`{name}` contains itself"))
                        .label(span, "this type has no end")
                        .help("a part that is carried through unread can be `Json`"),
                );
                return Some(Type::Error);
            }
            State::Waiting => named.state = State::Busy,
        }
        let (declaration, span) = (named.declaration, named.span);
        self.resolving += 1;
        let mut ty = match declaration {
            _ if self.resolving > MAX_TYPE_DEPTH => self.too_deep(span),
            Declaration::Record(body) => Type::Record(self.record(body, Some(name))),
            Declaration::Choice(body, choice) => self.choice(body, choice, name),
            Declaration::Type(expression) => self.named_type(expression, name),
        };
        self.resolving -= 1;
        if self.plan.types.depth(&ty) > MAX_TYPE_DEPTH {
            ty = self.too_deep(span);
        }
        if let Some(named) = self.named.get_mut(name) {
            if matches!(named.state, State::Done(_)) {
                return Some(Type::Error);
            }
            named.state = State::Done(ty.clone());
        }
        Some(ty)
    }

    fn too_deep(&mut self, span: Span) -> Type {
        self.report(
            Diagnostic::error("E0005", "this type is nested too deeply")
                .label(span, format!("more than {MAX_TYPE_DEPTH} levels"))
                .help("a part that is carried through unread can be `Json`"),
        );
        Type::Error
    }

    // --- types ---

    fn named_type(&mut self, expression: &'a TypeExpression, name: &str) -> Type {
        match &expression.kind {
            TypeKind::Union(members) => self.union(members, Some(name)),
            TypeKind::Record(body) => Type::Record(self.record(body, Some(name))),
            _ => self.ty(expression),
        }
    }

    pub(super) fn ty(&mut self, expression: &'a TypeExpression) -> Type {
        match &expression.kind {
            TypeKind::Named(name) => self.type_of_name(name),
            TypeKind::List(item) => Type::List(Box::new(self.ty(item))),
            TypeKind::Map(value) => Type::Map(Box::new(self.ty(value))),
            TypeKind::Record(body) => Type::Record(self.record(body, None)),
            TypeKind::Union(members) => self.union(members, None),
            TypeKind::Optional(inner) => self.ty(inner).optional(),
        }
    }

    fn type_of_name(&mut self, name: &'a Name) -> Type {
        match name.text.as_str() {
            "Int" => Type::Int,
            "Decimal" => Type::Decimal,
            "Float" => Type::Float,
            "Bool" => Type::Bool,
            "String" => Type::String,
            "Currency" => Type::Currency,
            "Json" => Type::Json,
            _ => self.named_or_unknown(name),
        }
    }

    /// The type of a name that something refers to.
    pub(super) fn named_or_unknown(&mut self, name: &'a Name) -> Type {
        self.use_type(&name.text);
        match self.resolve(&name.text) {
            Some(ty) => ty,
            None => self.unknown_type(name),
        }
    }

    pub(super) fn unknown_type(&mut self, name: &Name) -> Type {
        let foreign = match name.text.to_lowercase().as_str() {
            "str" | "text" | "varchar" => Some("String"),
            "integer" | "i64" | "long" | "number" => Some("Int"),
            "boolean" => Some("Bool"),
            "double" | "f64" => Some("Float"),
            "array" => Some("List<...>"),
            "dict" | "hashmap" | "object" => Some("Map<...>"),
            "any" => Some("Json"),
            _ => None,
        };
        let candidates = PLAIN_TYPES.iter().chain(self.named.keys()).copied();
        let meant = foreign.map(str::to_string).or_else(|| suggest(&name.text, candidates));
        let help = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the plain types are {}", PLAIN_TYPES.join(", ")),
        };
        let diagnostic = Diagnostic::error("E0103", format!("there is no type `{}`", name.text))
            .label(name.span, "unknown type")
            .help(help);
        self.report(diagnostic);
        Type::Error
    }

    fn union(&mut self, members: &[Name], name: Option<&str>) -> Type {
        if let Some(first) = members.get(MAX_ITEMS) {
            self.too_many(first.span, "members in this union", MAX_ITEMS);
            return Type::Error;
        }
        for (index, member) in members.iter().enumerate() {
            if let Some(first) = members[..index].iter().find(|other| other.text == member.text) {
                self.declared_twice(
                    &Name { text: format!("\"{}\"", member.text), span: member.span },
                    first.span,
                );
            }
        }
        let members = members.iter().map(|member| member.text.clone()).collect();
        self.add_union(members, name)
    }

    /// Adds a union of these members.
    pub(super) fn add_union(&mut self, members: Vec<String>, name: Option<&str>) -> Type {
        self.plan.types.unions.push(Union { name: name.map(str::to_string), members });
        Type::Union(self.plan.types.unions.len() - 1)
    }

    fn record(&mut self, body: &'a RecordBody, name: Option<&str>) -> usize {
        let mut fields: Vec<Field> = Vec::new();
        for declaration in &body.fields {
            let field = self.field(declaration);
            match fields.iter().find(|other| other.name == field.name) {
                Some(first) => self.declared_twice(&declaration.name, first.span),
                None => fields.push(field),
            }
        }
        self.add_record(name.map(str::to_string), fields, body.open, body.span)
    }

    pub(super) fn add_record(
        &mut self,
        name: Option<String>,
        mut fields: Vec<Field>,
        open: bool,
        span: Span,
    ) -> usize {
        if fields.len() > MAX_FIELDS {
            self.too_many(span, "fields in this record", MAX_FIELDS);
            fields.truncate(MAX_FIELDS);
        }
        let depth = 1 + fields.iter().map(|field| self.plan.types.depth(&field.ty)).max().unwrap_or(0);
        self.plan.types.records.push(Record { name, fields, open, keeps_rest: false, depth });
        self.plan.types.records.len() - 1
    }

    pub(super) fn field(&mut self, declaration: &'a FieldDeclaration) -> Field {
        let ty = self.ty(&declaration.ty);
        let refinements =
            declaration.refinements.iter().filter_map(|clause| self.refinement(clause, &ty)).collect();
        Field::new(declaration.name.text.clone(), ty, refinements, declaration.name.span)
    }

    // --- refinements ---

    fn refinement(&mut self, clause: &RefinementClause, ty: &Type) -> Option<Refinement> {
        let plain = ty.present();
        let (suits, what) = match clause.kind {
            RefinementKind::Range(_) => (plain.is_number(), "a range needs a number"),
            RefinementKind::Matching(_) => (*plain == Type::String, "a pattern needs a String"),
            RefinementKind::Length(_) => (
                matches!(plain, Type::String | Type::List(_) | Type::Map(_)),
                "a length needs a String, a List or a Map",
            ),
        };
        if *plain == Type::Error {
            return None;
        }
        if !suits {
            let message = format!("this condition does not suit the type {}", self.show(ty));
            self.report(Diagnostic::error("E0207", message).label(clause.span, what));
            return None;
        }
        match &clause.kind {
            RefinementKind::Range(bounds) => self.range(bounds, plain, clause.span).map(Refinement::Range),
            RefinementKind::Length(bounds) => self.length(bounds, clause.span),
            RefinementKind::Matching(pattern) => self.pattern(pattern),
        }
    }

    fn range(&mut self, bounds: &RangeBounds, ty: &Type, span: Span) -> Option<Range> {
        let low = self.bound(&bounds.low, ty)?;
        let high = match &bounds.high {
            Some((high, inclusive)) => Some((self.bound(high, ty)?, *inclusive)),
            None => None,
        };
        let empty = high.is_some_and(|(high, inclusive)| if inclusive { high < low } else { high <= low });
        if empty {
            self.report(
                Diagnostic::error("E0207", "this range is empty")
                    .label(span, "no value is in it")
                    .help("the lower bound stands first"),
            );
            return None;
        }
        Some(Range::new(low, high))
    }

    fn bound(&mut self, bound: &Expr, ty: &Type) -> Option<Decimal> {
        let value = match bound.kind {
            ExprKind::Int(value) => i64::try_from(value).ok().map(Decimal::from),
            ExprKind::Decimal(value) if *ty != Type::Int => Some(value),
            _ => None,
        };
        if value.is_none() {
            let message = format!("this bound is no {}", self.show(ty));
            self.report(Diagnostic::error("E0207", message).label(bound.span, "does not fit the type"));
        }
        value
    }

    fn length(&mut self, bounds: &RangeBounds, span: Span) -> Option<Refinement> {
        let range = self.range(bounds, &Type::Int, span)?;
        let whole = |value: Decimal| usize::try_from(value).ok();
        let max = match range.high {
            Some((high, inclusive)) => Some(whole(high)?.saturating_sub(usize::from(!inclusive))),
            None => None,
        };
        match whole(range.low) {
            Some(min) => Some(Refinement::Length { min, max }),
            None => {
                let diagnostic = Diagnostic::error("E0207", "a length is never negative")
                    .label(bounds.low.span, "below zero");
                self.report(diagnostic);
                None
            }
        }
    }

    fn pattern(&mut self, pattern: &Name) -> Option<Refinement> {
        self.patterns += 1;
        if self.patterns > MAX_PATTERNS {
            self.too_many(pattern.span, "patterns in this file", MAX_PATTERNS);
            return None;
        }
        match RegexBuilder::new(&pattern.text).size_limit(MAX_PATTERN_BYTES).build() {
            Ok(regex) => Some(Refinement::Matching(regex)),
            Err(error) => {
                let text = error.to_string();
                let reason =
                    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_string();
                self.report(
                    Diagnostic::error("E0208", "this pattern is not a regular expression")
                        .label(pattern.span, reason)
                        .help("the syntax is that of the regex crate: no look-around, no back-references"),
                );
                None
            }
        }
    }

    // --- constants ---

    pub(super) fn constants(&mut self) {
        let file = self.file;
        if let Some(first) = file.constants.get(MAX_ITEMS) {
            self.too_many(first.name.span, "constants in this file", MAX_ITEMS);
        }
        for declaration in file.constants.iter().take(MAX_ITEMS) {
            let name = &declaration.name;
            let first = file.constants.iter().find(|other| other.name.text == name.text);
            if let Some(first) = first.filter(|first| first.name.span != name.span) {
                self.declared_twice(name, first.name.span);
            }
            let (ty, value) = self.constant(&declaration.value);
            self.constants.push(NamedConstant { name: name.text.clone(), ty, value, used: false });
        }
    }

    fn constant(&mut self, value: &'a Expr) -> (Type, Constant) {
        let typed = self.expression(value, None);
        if let Node::Constant(value) = typed.node {
            return (typed.ty, value);
        }
        self.report(
            Diagnostic::error("E0111", "a constant is a literal or a list of literals")
                .label(typed.span, "must be known before anything runs"),
        );
        (Type::Error, Constant::Absent)
    }
}
