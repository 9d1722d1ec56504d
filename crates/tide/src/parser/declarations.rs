//! Events, records, types, constants and rules.

use super::{Abort, DECLARATIONS, Parsed, Parser};
use crate::diagnostic::{Diagnostic, suggest};
use crate::lexer::TokenKind;
use crate::syntax::{
    CaseDeclaration, ChoiceDeclaration, ConstDeclaration, Expr, ExprKind, FieldDeclaration, File,
    FunctionDeclaration, Name, RangeBounds, RecordBody, RecordDeclaration, RefinementClause, RefinementKind,
    RuleDeclaration, TypeDeclaration, TypeExpression, TypeKind,
};

impl Parser<'_> {
    pub(super) fn declaration(&mut self, file: &mut File) -> Parsed<()> {
        if self.take_word("event") {
            file.events.push(self.record_declaration("the event")?);
        } else if self.take_word("record") {
            file.records.push(self.record_declaration("the record")?);
        } else if self.take_word("type") {
            file.types.push(self.type_declaration()?);
        } else if self.take_word("const") {
            file.constants.push(self.const_declaration()?);
        } else if self.take_word("fn") {
            file.functions.push(self.function_declaration()?);
        } else if self.take_word("rule") {
            file.rules.push(self.rule_declaration()?);
        } else if self.take_word("test") {
            file.tests.push(self.test_declaration()?);
        } else {
            return Err(self.no_declaration());
        }
        Ok(())
    }

    fn no_declaration(&mut self) -> Abort {
        let word = self.slice(self.peek().span).to_string();
        let help = suggest(&word, DECLARATIONS).map(|meant| format!("did you mean `{meant}`?"));
        self.unexpected("`event`, `record`, `type`, `const`, `fn`, `rule` or `test`", help)
    }

    fn record_declaration(&mut self, what: &str) -> Parsed<RecordDeclaration> {
        let name = self.name(&format!("the name of {what}"))?;
        if !self.take_word("by") {
            return Ok(RecordDeclaration { name, body: self.record_body()?, choice: None });
        }
        let by = self.word("the name of the field that tells the cases apart")?;
        let (body, choice) = self.choice_body(by)?;
        Ok(RecordDeclaration { name, body, choice: Some(choice) })
    }

    /// Parses fields that all cases share, and the cases.
    fn choice_body(&mut self, by: Name) -> Parsed<(RecordBody, ChoiceDeclaration)> {
        let start = self.expect_symbol("{", "before the fields and cases")?;
        let mut open = false;
        let mut cases = Vec::new();
        let (fields, end) = self.items("}", "the fields and cases", |parser| {
            if parser.take_symbol("...") {
                open = true;
                return Ok(None);
            }
            if !matches!(parser.peek().kind, TokenKind::Text(_) | TokenKind::Raw(_) | TokenKind::Symbol("|"))
            {
                return parser.field_declaration().map(Some);
            }
            let tags = parser.members()?;
            parser.expect_symbol("=>", "and the fields of this case")?;
            cases.push(CaseDeclaration { tags, fields: parser.type_expression()? });
            Ok(None)
        })?;
        let span = start.to(end);
        if cases.is_empty() {
            self.report(
                Diagnostic::error("E0004", "expected a case such as `\"name\" => { field: Type }`")
                    .label(span, "there is no case")
                    .help("without cases, leave `by` out"),
            );
        }
        let fields = fields.into_iter().flatten().collect();
        Ok((RecordBody { fields, open, span }, ChoiceDeclaration { by, cases }))
    }

    fn record_body(&mut self) -> Parsed<RecordBody> {
        let start = self.expect_symbol("{", "before the fields")?;
        let mut open = false;
        let (fields, end) = self.items("}", "the fields", |parser| {
            if parser.take_symbol("...") {
                open = true;
                return Ok(None);
            }
            parser.field_declaration().map(Some)
        })?;
        Ok(RecordBody { fields: fields.into_iter().flatten().collect(), open, span: start.to(end) })
    }

    fn field_declaration(&mut self) -> Parsed<FieldDeclaration> {
        let name = self.word("the name of a field")?;
        self.expect_symbol(":", "and a type after the name of a field")?;
        let ty = self.type_expression()?;
        let mut refinements = Vec::new();
        while let Some(clause) = self.refinement()? {
            refinements.push(clause);
        }
        Ok(FieldDeclaration { name, ty, refinements })
    }

    fn refinement(&mut self) -> Parsed<Option<RefinementClause>> {
        let start = self.peek().span;
        // A field of this name may begin on the next line.
        if self.ahead(1).kind == TokenKind::Symbol(":") {
            return Ok(None);
        }
        let kind = if self.take_word("in") {
            RefinementKind::Range(self.range()?)
        } else if self.take_word("length") {
            RefinementKind::Length(self.range()?)
        } else if self.take_word("matching") {
            RefinementKind::Matching(self.string("a pattern such as r\"^[a-z]+$\"")?)
        } else {
            return Ok(None);
        };
        Ok(Some(RefinementClause { kind, span: start.to(self.previous_span()) }))
    }

    fn range(&mut self) -> Parsed<RangeBounds> {
        let low = self.bound()?;
        if self.take_symbol("..<") {
            return Ok(RangeBounds { low, high: Some((self.bound()?, false)) });
        }
        if self.take_symbol("..=") {
            return Ok(RangeBounds { low, high: Some((self.bound()?, true)) });
        }
        if self.take_symbol("..") {
            return Ok(RangeBounds { low, high: None });
        }
        let help = "`0 ..< 10` leaves 10 out, `0 ..= 10` takes it in, `0 ..` has no upper end".to_string();
        Err(self.unexpected("`..<`, `..=` or `..` after the lower bound", Some(help)))
    }

    fn bound(&mut self) -> Parsed<Expr> {
        let start = self.peek().span;
        let negative = self.take_symbol("-");
        let kind = match self.peek().kind.clone() {
            TokenKind::Int(value) => {
                let value = i128::from(value);
                ExprKind::Int(if negative { -value } else { value })
            }
            TokenKind::Decimal(text) => match text.parse::<rust_decimal::Decimal>() {
                Ok(value) => ExprKind::Decimal(if negative { -value } else { value }),
                Err(_) => return Err(self.unexpected("a number of at most 28 digits", None)),
            },
            _ => return Err(self.unexpected("a number as bound", None)),
        };
        self.advance();
        Ok(Expr::new(kind, start.to(self.previous_span())))
    }

    fn type_declaration(&mut self) -> Parsed<TypeDeclaration> {
        let name = self.name("the name of the type")?;
        self.expect_symbol("=", "after the name of the type")?;
        let ty = self.type_expression()?;
        Ok(TypeDeclaration { name, ty })
    }

    pub(super) fn type_expression(&mut self) -> Parsed<TypeExpression> {
        self.nested(|parser| {
            let mut ty = parser.plain_type()?;
            while parser.at_symbol("?") || parser.at_symbol("??") {
                let mark = parser.advance();
                if mark.kind == TokenKind::Symbol("??") || matches!(ty.kind, TypeKind::Optional(_)) {
                    parser.report(
                        Diagnostic::error("E0004", "a type is optional or it is not")
                            .label(mark.span, "one `?` is enough"),
                    );
                }
                let span = ty.span.to(mark.span);
                if !matches!(ty.kind, TypeKind::Optional(_)) {
                    ty = TypeExpression { kind: TypeKind::Optional(Box::new(ty)), span };
                }
            }
            Ok(ty)
        })
    }

    fn plain_type(&mut self) -> Parsed<TypeExpression> {
        let start = self.peek().span;
        let kind = match self.peek().kind {
            TokenKind::Symbol("{") => TypeKind::Record(self.record_body()?),
            TokenKind::Symbol("(") => {
                self.advance();
                let inner = self.type_expression()?;
                self.expect_symbol(")", "after the type")?;
                return Ok(inner);
            }
            TokenKind::Text(_) | TokenKind::Raw(_) | TokenKind::Symbol("|") => {
                TypeKind::Union(self.members()?)
            }
            TokenKind::Word => self.word_type()?,
            _ => return Err(self.unexpected("a type", None)),
        };
        Ok(TypeExpression { kind, span: start.to(self.previous_span()) })
    }

    fn word_type(&mut self) -> Parsed<TypeKind> {
        let name = self.word("a type")?;
        let (kind, of): (fn(Box<TypeExpression>) -> TypeKind, &str) = match name.text.as_str() {
            "List" => (TypeKind::List, "items"),
            "Map" => (TypeKind::Map, "values"),
            _ => return Ok(TypeKind::Named(name)),
        };
        self.expect_symbol("<", &format!("and the type of the {of} after `{}`", name.text))?;
        let inner = self.type_expression()?;
        self.expect_symbol(">", &format!("after the type of the {of}"))?;
        Ok(kind(Box::new(inner)))
    }

    fn members(&mut self) -> Parsed<Vec<Name>> {
        // A leading bar lets every member stand on a line of its own.
        self.take_symbol("|");
        let mut members = vec![self.string("a string as member of the union")?];
        while self.take_symbol("|") {
            members.push(self.string("a string as member of the union")?);
        }
        Ok(members)
    }

    /// Takes a string literal.
    pub(super) fn string(&mut self, what: &str) -> Parsed<Name> {
        match self.peek().kind.clone() {
            TokenKind::Text(text) | TokenKind::Raw(text) => {
                let span = self.advance().span;
                Ok(Name { text, span })
            }
            _ => Err(self.unexpected(what, None)),
        }
    }

    fn const_declaration(&mut self) -> Parsed<ConstDeclaration> {
        let name = self.name("the name of the constant")?;
        self.expect_symbol("=", "after the name of the constant")?;
        let value = self.expression()?;
        Ok(ConstDeclaration { name, value })
    }

    fn function_declaration(&mut self) -> Parsed<FunctionDeclaration> {
        let name = self.name("the name of the function")?;
        self.expect_symbol("(", "after the name of the function")?;
        let (parameters, _) = self.items(")", "the parameters", |parser| {
            let name = parser.name("the name of a parameter")?;
            parser.expect_symbol(":", "and a type after the name of a parameter")?;
            Ok((name, parser.type_expression()?))
        })?;
        self.expect_symbol("->", "and the type of the result")?;
        let result = self.type_expression()?;
        let body = self.block("the body of the function")?;
        Ok(FunctionDeclaration { name, parameters, result, body })
    }

    fn rule_declaration(&mut self) -> Parsed<RuleDeclaration> {
        let name = self.name("the name of the rule")?;
        self.expect_symbol("(", "after the name of the rule")?;
        let parameter = self.name("the name of the event")?;
        self.expect_symbol(":", "and the event's type after its name")?;
        let parameter_type = self.name("the type of the event")?;
        self.expect_symbol(")", "after the event's type")?;
        self.expect_symbol("->", "and the name of the record that the rule returns")?;
        let result = self.name("the name of a record")?;
        let body = self.block("the body of the rule")?;
        Ok(RuleDeclaration { name, parameter, parameter_type, result, body })
    }
}
