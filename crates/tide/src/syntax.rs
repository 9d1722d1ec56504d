//! The tree of a source text, as written: names are not resolved and types are not known yet.

use rust_decimal::Decimal;

use crate::source::Span;

/// A word with its place.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// A whole source text.
#[derive(Debug, Default)]
pub(crate) struct File {
    pub(crate) events: Vec<RecordDeclaration>,
    pub(crate) records: Vec<RecordDeclaration>,
    pub(crate) types: Vec<TypeDeclaration>,
    pub(crate) constants: Vec<ConstDeclaration>,
    pub(crate) functions: Vec<FunctionDeclaration>,
    pub(crate) rules: Vec<RuleDeclaration>,
    pub(crate) tests: Vec<TestDeclaration>,
}

/// `event Name { ... }` or `record Name { ... }`, with `by field` before the brace if it has cases.
#[derive(Debug)]
pub(crate) struct RecordDeclaration {
    pub(crate) name: Name,
    pub(crate) body: RecordBody,
    pub(crate) choice: Option<ChoiceDeclaration>,
}

/// The field by which the cases of a record are told apart, and the cases.
#[derive(Debug)]
pub(crate) struct ChoiceDeclaration {
    pub(crate) by: Name,
    pub(crate) cases: Vec<CaseDeclaration>,
}

/// `"tag" | "tag" => { fields }`, or the name of a record behind the arrow.
#[derive(Debug)]
pub(crate) struct CaseDeclaration {
    pub(crate) tags: Vec<Name>,
    pub(crate) fields: TypeExpression,
}

/// `{ field: Type, ... }`.
#[derive(Debug)]
pub(crate) struct RecordBody {
    pub(crate) fields: Vec<FieldDeclaration>,
    pub(crate) open: bool,
    pub(crate) span: Span,
}

/// `name: Type refinements`.
#[derive(Debug)]
pub(crate) struct FieldDeclaration {
    pub(crate) name: Name,
    pub(crate) ty: TypeExpression,
    pub(crate) refinements: Vec<RefinementClause>,
}

/// `type Name = Type`.
#[derive(Debug)]
pub(crate) struct TypeDeclaration {
    pub(crate) name: Name,
    pub(crate) ty: TypeExpression,
}

/// A type as written.
#[derive(Debug)]
pub(crate) struct TypeExpression {
    pub(crate) kind: TypeKind,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum TypeKind {
    Named(Name),
    List(Box<TypeExpression>),
    Map(Box<TypeExpression>),
    Record(RecordBody),
    Union(Vec<Name>),
    Optional(Box<TypeExpression>),
}

/// A condition on the values of a field.
#[derive(Debug)]
pub(crate) struct RefinementClause {
    pub(crate) kind: RefinementKind,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum RefinementKind {
    Range(RangeBounds),
    Matching(Name),
    Length(RangeBounds),
}

/// `low ..< high`, `low ..= high` or `low ..`; the bounds are literals.
#[derive(Debug)]
pub(crate) struct RangeBounds {
    pub(crate) low: Expr,
    pub(crate) high: Option<(Expr, bool)>,
}

/// `const NAME = value`.
#[derive(Debug)]
pub(crate) struct ConstDeclaration {
    pub(crate) name: Name,
    pub(crate) value: Expr,
}

/// `fn name(parameter: Type, ...) -> Type { ... }`.
#[derive(Debug)]
pub(crate) struct FunctionDeclaration {
    pub(crate) name: Name,
    pub(crate) parameters: Vec<(Name, TypeExpression)>,
    pub(crate) result: TypeExpression,
    pub(crate) body: Block,
}

/// `rule name(parameter: Type) -> Record { ... }`.
#[derive(Debug)]
pub(crate) struct RuleDeclaration {
    pub(crate) name: Name,
    pub(crate) parameter: Name,
    pub(crate) parameter_type: Name,
    pub(crate) result: Name,
    pub(crate) body: Block,
}

/// `{ statements }`; `end` is the closing brace.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) statements: Vec<Statement>,
    pub(crate) end: Span,
}

#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) kind: StatementKind,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum StatementKind {
    Assign { name: Name, mutable: bool, value: Expr },
    AssignPair { first: Name, second: Name, value: Expr },
    If { branches: Vec<(Expr, Block)>, otherwise: Option<Block> },
    For { names: Vec<Name>, values: Expr, body: Block },
    Return(Expr),
    Reject { message: Expr, at: Option<Expr> },
}

/// `test "name" { given {...} expect ... }`.
#[derive(Debug)]
pub(crate) struct TestDeclaration {
    pub(crate) name: Name,
    pub(crate) given: Option<Span>,
    pub(crate) expectations: Vec<Expectation>,
}

#[derive(Debug)]
pub(crate) struct Expectation {
    pub(crate) kind: ExpectationKind,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum ExpectationKind {
    Holds(Expr),
    Reject { at: Option<Name> },
}

/// An expression with the height of its tree, which the parser keeps bounded.
#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) span: Span,
    pub(crate) height: u16,
}

#[derive(Debug)]
pub(crate) enum ExprKind {
    /// Stands for what could not be parsed; it has been reported.
    Error,
    Null,
    Bool(bool),
    Int(i128),
    Decimal(Decimal),
    Text(String),
    /// `f"... {value} ..."`.
    Template(Vec<TemplatePart>),
    Name(String),
    List(Vec<Expr>),
    Pair(Box<Expr>, Box<Expr>),
    Record {
        name: Option<Name>,
        fields: Vec<(Name, Expr)>,
    },
    Field {
        base: Box<Expr>,
        field: Name,
        optional: bool,
    },
    Index {
        base: Box<Expr>,
        index: Box<Expr>,
    },
    Call {
        function: Name,
        arguments: Vec<Expr>,
    },
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary {
        operator: Operator,
        operator_span: Span,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Is {
        value: Box<Expr>,
        present: bool,
    },
    Match {
        value: Box<Expr>,
        arms: Vec<Arm>,
    },
}

/// A part of an interpolated string.
#[derive(Debug)]
pub(crate) enum TemplatePart {
    Text(String),
    Value(Expr),
}

/// `pattern | pattern if condition => value`.
#[derive(Debug)]
pub(crate) struct Arm {
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) guard: Option<Expr>,
    pub(crate) value: Expr,
}

#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) kind: PatternKind,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum PatternKind {
    Any,
    Null,
    Text(String),
    Int(i128),
    /// `low ..< high`, `low ..= high` or `low ..`.
    Range {
        low: i128,
        high: Option<(i128, bool)>,
    },
    Bool(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Coalesce,
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Operator {
    /// The operator as it is written.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Operator::Or => "or",
            Operator::And => "and",
            Operator::Equal => "==",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::In => "in",
            Operator::NotIn => "not in",
            Operator::Coalesce => "??",
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
        }
    }
}

impl Expr {
    /// Makes an expression and measures the height of its tree.
    pub(crate) fn new(kind: ExprKind, span: Span) -> Self {
        let tallest =
            |items: &mut dyn Iterator<Item = &Expr>| items.map(|item| item.height).max().unwrap_or(0);
        let below = match &kind {
            ExprKind::List(items) | ExprKind::Call { arguments: items, .. } => tallest(&mut items.iter()),
            ExprKind::Record { fields, .. } => tallest(&mut fields.iter().map(|(_, value)| value)),
            ExprKind::Match { value, arms } => {
                let inside = arms.iter().flat_map(|arm| arm.guard.iter().chain([&arm.value]));
                value.height.max(tallest(&mut inside.into_iter()))
            }
            ExprKind::Template(parts) => tallest(&mut parts.iter().filter_map(|part| match part {
                TemplatePart::Text(_) => None,
                TemplatePart::Value(value) => Some(value),
            })),
            ExprKind::Index { base, index } => base.height.max(index.height),
            ExprKind::Pair(left, right) | ExprKind::Binary { left, right, .. } => {
                left.height.max(right.height)
            }
            ExprKind::Field { base: inner, .. }
            | ExprKind::Not(inner)
            | ExprKind::Negate(inner)
            | ExprKind::Is { value: inner, .. } => inner.height,
            ExprKind::Error
            | ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Decimal(_)
            | ExprKind::Text(_)
            | ExprKind::Name(_) => 0,
        };
        Expr { kind, span, height: below + 1 }
    }
}
