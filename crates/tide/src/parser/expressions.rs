//! Expressions, by precedence: `or`, `and`, `not`, comparison, `??`, `+ -`, `* /`, `-x`, `.field`.

use super::{Abort, Parsed, Parser, RESERVED};
use crate::diagnostic::Diagnostic;
use crate::lexer::{Piece, TokenKind, lex_part};
use crate::limits::MAX_EXPRESSION_HEIGHT;
use crate::source::Span;
use crate::syntax::{Arm, Expr, ExprKind, Name, Operator, Pattern, PatternKind, TemplatePart};

/// Binding strengths from weak to strong; comparisons do not chain.
const LEVELS: [&[Operator]; 6] = [
    &[Operator::Or],
    &[Operator::And],
    &[
        Operator::Equal,
        Operator::NotEqual,
        Operator::LessOrEqual,
        Operator::GreaterOrEqual,
        Operator::Less,
        Operator::Greater,
        Operator::In,
        Operator::NotIn,
    ],
    &[Operator::Coalesce],
    &[Operator::Add, Operator::Subtract],
    &[Operator::Multiply, Operator::Divide],
];
const NOT_LEVEL: usize = 2;
const COMPARISON: usize = 2;

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.nested(|parser| parser.level(0))
    }

    /// Parses with `{` left to the statement that follows, as after `if`.
    pub(super) fn without_records<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let outer = std::mem::replace(&mut self.records_allowed, false);
        let result = parse(self);
        self.records_allowed = outer;
        result
    }

    /// Parses inside brackets, where line breaks mean nothing and records are allowed.
    fn bracketed<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let outer = (self.brackets, self.records_allowed);
        self.brackets += 1;
        self.records_allowed = true;
        let result = parse(self);
        (self.brackets, self.records_allowed) = outer;
        result
    }

    fn build(&mut self, kind: ExprKind, span: Span) -> Parsed<Expr> {
        let expr = Expr::new(kind, span);
        if expr.height > MAX_EXPRESSION_HEIGHT { Err(self.too_deep(span)) } else { Ok(expr) }
    }

    fn level(&mut self, level: usize) -> Parsed<Expr> {
        if level == NOT_LEVEL && self.at_word("not") {
            let start = self.advance().span;
            let inner = self.nested(|parser| parser.level(NOT_LEVEL))?;
            let span = start.to(inner.span);
            return self.build(ExprKind::Not(Box::new(inner)), span);
        }
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        let mut compared = false;
        loop {
            if level == COMPARISON && self.at_word("is") && !self.at_statement_start() {
                left = self.is_test(left)?;
                continue;
            }
            let Some((operator, words)) = self.operator(operators) else { return Ok(left) };
            let operator_span = self.peek().span;
            for _ in 0..words {
                self.advance();
            }
            let operator_span = operator_span.to(self.previous_span());
            if level == COMPARISON && std::mem::replace(&mut compared, true) {
                self.chained_comparison(operator_span);
            }
            if self.at_statement_start() && self.ahead(1).kind == TokenKind::Symbol("=") {
                return Err(self.nothing_follows(operator, operator_span));
            }
            let right = self.level(level + 1)?;
            let span = left.span.to(right.span);
            let (left_box, right) = (Box::new(left), Box::new(right));
            left = self.build(ExprKind::Binary { operator, operator_span, left: left_box, right }, span)?;
        }
    }

    /// The operator at the cursor, if it is one of these, and how many tokens it takes.
    fn operator(&self, among: &[Operator]) -> Option<(Operator, usize)> {
        let token = self.peek();
        // A line that begins with a minus is a new line, not the rest of the one before.
        if self.at_statement_start() && token.kind == TokenKind::Symbol("-") {
            return None;
        }
        among.iter().copied().find_map(|operator| {
            let words = match operator {
                Operator::NotIn => {
                    return (self.at_word("not") && self.is_word(self.ahead(1), "in"))
                        .then_some((operator, 2));
                }
                Operator::Or | Operator::And | Operator::In => self.at_word(operator.text()),
                _ => token.kind == TokenKind::Symbol(operator.text()),
            };
            // `in = 1` on a new line would be an assignment to a reserved word, never an operator.
            words.then_some((operator, 1))
        })
    }

    fn at_statement_start(&self) -> bool {
        self.brackets == 0 && self.peek().starts_line
    }

    /// Reports an operator at the end of a line where the next line assigns.
    fn nothing_follows(&mut self, operator: Operator, span: Span) -> Abort {
        let message = format!("expected a value after `{}`", operator.text());
        self.report(Diagnostic::error("E0004", message).label(span, "nothing follows"));
        Abort
    }

    fn chained_comparison(&mut self, span: Span) {
        self.report(
            Diagnostic::error("E0004", "comparisons cannot be chained")
                .label(span, "the second comparison")
                .help("write `a < b and b < c`"),
        );
    }

    fn is_test(&mut self, value: Expr) -> Parsed<Expr> {
        self.advance();
        let present = if self.take_word("present") {
            true
        } else if self.take_word("absent") {
            false
        } else {
            let help = "`x is present` asks whether an optional value is there; `==` compares".to_string();
            return Err(self.unexpected("`present` or `absent` after `is`", Some(help)));
        };
        let span = value.span.to(self.previous_span());
        self.build(ExprKind::Is { value: Box::new(value), present }, span)
    }

    fn unary(&mut self) -> Parsed<Expr> {
        if !self.at_symbol("-") {
            return self.postfix();
        }
        let start = self.advance().span;
        let inner = self.nested(Self::unary)?;
        let span = start.to(inner.span);
        match inner.kind {
            ExprKind::Int(value) if value >= 0 => self.build(ExprKind::Int(-value), span),
            ExprKind::Decimal(value) if value.is_sign_positive() => {
                self.build(ExprKind::Decimal(-value), span)
            }
            _ => self.build(ExprKind::Negate(Box::new(inner)), span),
        }
    }

    fn postfix(&mut self) -> Parsed<Expr> {
        let mut expr = self.primary()?;
        loop {
            let optional = self.at_symbol("?.");
            if optional || self.at_symbol(".") {
                self.advance();
                let field = self.word("the name of a field after the dot")?;
                let span = expr.span.to(field.span);
                expr = self.build(ExprKind::Field { base: Box::new(expr), field, optional }, span)?;
            } else if self.at_symbol("(") && !self.at_statement_start() {
                expr = self.call(expr)?;
            } else if self.at_symbol("[") && !self.peek().starts_line {
                expr = self.index(expr)?;
            } else {
                return Ok(expr);
            }
        }
    }

    fn index(&mut self, base: Expr) -> Parsed<Expr> {
        self.advance();
        let index = self.bracketed(Self::expression)?;
        let end = self.expect_symbol("]", "after the index")?;
        let span = base.span.to(end);
        self.build(ExprKind::Index { base: Box::new(base), index: Box::new(index) }, span)
    }

    fn call(&mut self, callee: Expr) -> Parsed<Expr> {
        let (base, function) = match callee.kind {
            ExprKind::Name(text) => (None, Name { text, span: callee.span }),
            ExprKind::Field { base, field, .. } => (Some(*base), field),
            _ => {
                let help = "a call is the name of a function with its arguments: `lower(x)`".to_string();
                return Err(self.unexpected("an operator", Some(help)));
            }
        };
        let open = self.advance().span;
        let (arguments, end) =
            self.bracketed(|parser| parser.items(")", "the arguments", Parser::expression))?;
        if let Some(base) = base {
            let (inside, object) = (self.slice(open.to(end)), self.slice(base.span));
            let rest = if arguments.is_empty() { ")".to_string() } else { format!(", {}", &inside[1..]) };
            let help = format!("write `{}({object}{rest}`", function.text);
            self.report(
                Diagnostic::error("E0004", "values have no methods")
                    .label(function.span, "called like a method")
                    .help(help),
            );
            return self.build(ExprKind::Error, base.span.to(end));
        }
        let span = function.span.to(end);
        self.build(ExprKind::Call { function, arguments }, span)
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let token = self.peek().clone();
        let kind = match token.kind {
            TokenKind::Int(value) => ExprKind::Int(i128::from(value)),
            TokenKind::Decimal(text) => self.decimal(&text, token.span),
            TokenKind::Text(text) | TokenKind::Raw(text) => ExprKind::Text(text),
            TokenKind::Template(pieces) => return self.template(pieces),
            TokenKind::Symbol("(") => return self.parenthesised(),
            TokenKind::Symbol("[") => return self.list(),
            TokenKind::Symbol("{") if self.records_allowed => return self.record(None),
            TokenKind::Word => return self.word_expression(),
            _ => return Err(self.unexpected("a value", None)),
        };
        self.advance();
        self.build(kind, token.span)
    }

    fn template(&mut self, pieces: Vec<Piece>) -> Parsed<Expr> {
        let span = self.advance().span;
        let mut parts = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) if text.is_empty() => {}
                Piece::Text(text) => parts.push(TemplatePart::Text(text)),
                Piece::Code(code) => parts.push(TemplatePart::Value(self.template_value(code)?)),
            }
        }
        self.build(ExprKind::Template(parts), span)
    }

    /// Parses the code between the braces of an interpolated string, with tokens of its own.
    fn template_value(&mut self, code: Span) -> Parsed<Expr> {
        let (tokens, lexical) = lex_part(self.text, code);
        lexical.into_iter().for_each(|diagnostic| self.report(diagnostic));
        let outer = (std::mem::replace(&mut self.tokens, tokens), std::mem::take(&mut self.at));
        let value = self.bracketed(|parser| {
            if parser.tokens.iter().any(|token| matches!(token.kind, TokenKind::Template(_))) {
                return Err(parser.template_in_template(code));
            }
            if parser.peek().kind == TokenKind::End {
                return Err(parser.no_template_value(code, "no value stands here"));
            }
            let value = parser.expression()?;
            if parser.peek().kind != TokenKind::End {
                return Err(parser.no_template_value(parser.peek().span, "one value is enough"));
            }
            Ok(value)
        });
        (self.tokens, self.at) = outer;
        value
    }

    fn template_in_template(&mut self, code: Span) -> Abort {
        self.report(
            Diagnostic::error("E0004", "an interpolated string stands in another one")
                .label(code, "holds a string of its own")
                .help("give the inner string a name first"),
        );
        Abort
    }

    fn no_template_value(&mut self, span: Span, what: &str) -> Abort {
        self.report(
            Diagnostic::error("E0004", "expected a value between the braces")
                .label(span, what)
                .help("a value is written `{name}`; a brace as text is written twice: `{{`"),
        );
        Abort
    }

    fn decimal(&mut self, text: &str, span: Span) -> ExprKind {
        match rust_decimal::Decimal::from_str_exact(text) {
            Ok(value) => ExprKind::Decimal(value),
            Err(_) => {
                self.report(
                    Diagnostic::error("E0008", "this number has too many digits")
                        .label(span, "cannot be held exactly")
                        .help("a Decimal holds 28 digits"),
                );
                ExprKind::Error
            }
        }
    }

    fn word_expression(&mut self) -> Parsed<Expr> {
        let token = self.peek().clone();
        let kind = match self.slice(token.span) {
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "null" => ExprKind::Null,
            "match" => return self.match_expression(),
            "None" | "nil" | "undefined" => {
                return Err(self.unexpected("a value", Some("an absent value is written `null`".to_string())));
            }
            "True" | "False" => {
                let help = "the truth values are written `true` and `false`".to_string();
                return Err(self.unexpected("a value", Some(help)));
            }
            word if RESERVED.contains(&word) => return Err(self.unexpected("a value", None)),
            word => ExprKind::Name(word.to_string()),
        };
        self.advance();
        if let ExprKind::Name(text) = &kind
            && self.records_allowed
            && self.at_symbol("{")
            && !self.at_statement_start()
        {
            return self.record(Some(Name { text: text.clone(), span: token.span }));
        }
        self.build(kind, token.span)
    }

    fn parenthesised(&mut self) -> Parsed<Expr> {
        let start = self.advance().span;
        self.bracketed(|parser| {
            let first = parser.expression()?;
            if parser.take_symbol(",") {
                let second = parser.expression()?;
                let end = parser.expect_symbol(")", "after the second value")?;
                return parser.build(ExprKind::Pair(Box::new(first), Box::new(second)), start.to(end));
            }
            let end = parser.expect_symbol(")", "after the expression")?;
            Ok(Expr { span: start.to(end), ..first })
        })
    }

    fn list(&mut self) -> Parsed<Expr> {
        let start = self.advance().span;
        let (items, end) = self.bracketed(|parser| parser.items("]", "the list", Parser::expression))?;
        self.build(ExprKind::List(items), start.to(end))
    }

    fn record(&mut self, name: Option<Name>) -> Parsed<Expr> {
        let brace = self.advance().span;
        let start = name.as_ref().map_or(brace, |name| name.span);
        // A line break parts fields here, so brackets around the record do not count inside of it.
        let outer = std::mem::take(&mut self.brackets);
        let result = self.items("}", "the record", |parser| {
            let field = parser.word("the name of a field")?;
            let value = if parser.take_symbol(":") {
                parser.expression()?
            } else if parser.at_symbol("=") {
                let help = format!("write `{}: value`", field.text);
                return Err(parser.unexpected("`:` after the name of the field", Some(help)));
            } else {
                parser.build(ExprKind::Name(field.text.clone()), field.span)?
            };
            Ok((field, value))
        });
        self.brackets = outer;
        let (fields, end) = result?;
        self.build(ExprKind::Record { name, fields }, start.to(end))
    }

    fn match_expression(&mut self) -> Parsed<Expr> {
        let start = self.advance().span;
        let value = self.without_records(Self::expression)?;
        self.expect_symbol("{", "before the cases")?;
        let outer = (std::mem::take(&mut self.brackets), self.records_allowed);
        self.records_allowed = true;
        let result = self.items("}", "the cases", Self::arm);
        (self.brackets, self.records_allowed) = outer;
        let (arms, end) = result?;
        self.build(ExprKind::Match { value: Box::new(value), arms }, start.to(end))
    }

    fn arm(&mut self) -> Parsed<Arm> {
        let mut patterns = vec![self.pattern()?];
        while self.take_symbol("|") {
            patterns.push(self.pattern()?);
        }
        let guard = if self.take_word("if") { Some(self.expression()?) } else { None };
        self.expect_symbol("=>", "after the pattern")?;
        let value = self.expression()?;
        Ok(Arm { patterns, guard, value })
    }

    fn pattern(&mut self) -> Parsed<Pattern> {
        let start = self.peek().span;
        let kind = match self.peek().kind.clone() {
            TokenKind::Int(_) | TokenKind::Symbol("-") => self.number_pattern()?,
            TokenKind::Text(text) | TokenKind::Raw(text) => self.took(PatternKind::Text(text)),
            TokenKind::Word if self.at_word("_") => self.took(PatternKind::Any),
            TokenKind::Word if self.at_word("null") => self.took(PatternKind::Null),
            TokenKind::Word if self.at_word("true") => self.took(PatternKind::Bool(true)),
            TokenKind::Word if self.at_word("false") => self.took(PatternKind::Bool(false)),
            _ => return Err(self.no_pattern()),
        };
        Ok(Pattern { kind, span: start.to(self.previous_span()) })
    }

    fn took(&mut self, kind: PatternKind) -> PatternKind {
        self.advance();
        kind
    }

    fn no_pattern(&mut self) -> Abort {
        let help = "a pattern is a string, an integer, a range of integers, `true`, `false`, `null`, \
                    or `_` for all the rest";
        self.unexpected("a pattern", Some(help.to_string()))
    }

    fn number_pattern(&mut self) -> Parsed<PatternKind> {
        let low = self.pattern_int()?;
        let inclusive = self.at_symbol("..=");
        if inclusive || self.at_symbol("..<") {
            self.advance();
            return Ok(PatternKind::Range { low, high: Some((self.pattern_int()?, inclusive)) });
        }
        let open = self.take_symbol("..");
        Ok(if open { PatternKind::Range { low, high: None } } else { PatternKind::Int(low) })
    }

    fn pattern_int(&mut self) -> Parsed<i128> {
        let negative = self.take_symbol("-");
        let TokenKind::Int(value) = self.peek().kind else { return Err(self.no_pattern()) };
        self.advance();
        Ok(if negative { -i128::from(value) } else { i128::from(value) })
    }
}
