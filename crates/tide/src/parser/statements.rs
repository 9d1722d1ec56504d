//! Statements and blocks.

use super::{Abort, Parsed, Parser};
use crate::diagnostic::{Diagnostic, Label};
use crate::lexer::TokenKind;
use crate::source::Span;
use crate::syntax::{Block, Statement, StatementKind};

impl Parser<'_> {
    pub(super) fn block(&mut self, what: &str) -> Parsed<Block> {
        let open = self.expect_symbol("{", &format!("before {what}"))?;
        self.nested(|parser| {
            // A block stands for itself: brackets around it are closed for the time being.
            let outer = (std::mem::take(&mut parser.brackets), parser.records_allowed);
            parser.records_allowed = true;
            let block = parser.block_statements(what, open);
            (parser.brackets, parser.records_allowed) = outer;
            block
        })
    }

    fn block_statements(&mut self, what: &str, open: Span) -> Parsed<Block> {
        let mut statements = Vec::new();
        loop {
            if self.at_symbol("}") {
                return Ok(Block { statements, end: self.advance().span });
            }
            if self.peek().kind == TokenKind::End {
                return Err(self.unclosed(what, open));
            }
            let start = self.at;
            match self.statement() {
                Ok(statement) => statements.push(statement),
                Err(Abort) => {
                    self.brackets = 0;
                    self.records_allowed = true;
                    self.skip_statement(start)?;
                    continue;
                }
            }
            if !self.peek().starts_line && !self.at_symbol("}") {
                self.unexpected("a new line after the statement", None);
                self.skip_statement(start)?;
            }
        }
    }

    fn unclosed(&mut self, what: &str, open: Span) -> Abort {
        let before = self.diagnostics.len();
        let abort = self.unexpected(&format!("`}}` after {what}"), None);
        if let Some(diagnostic) = self.diagnostics.get_mut(before) {
            diagnostic.labels.push(Label { span: open, text: "this brace is never closed".into() });
        }
        abort
    }

    /// Moves on to the next line of this block or to its end. Braces are counted from where the
    /// statement began, as the mistake may lie inside of some.
    fn skip_statement(&mut self, start: usize) -> Parsed<()> {
        let mistake = self.at.max(start + 1);
        self.at = start;
        let mut depth = 0_usize;
        loop {
            let token = self.peek();
            match token.kind {
                TokenKind::End => return Err(Abort),
                TokenKind::Symbol("}") if depth == 0 => return Ok(()),
                _ if depth == 0 && self.at >= mistake && token.starts_line => return Ok(()),
                TokenKind::Symbol("{") => depth += 1,
                TokenKind::Symbol("}") => depth -= 1,
                _ => {}
            }
            self.advance();
        }
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let start = self.peek().span;
        let assigns = self.ahead(1).kind == TokenKind::Symbol("=");
        let kind = if self.at_word("if") && !assigns {
            self.conditional()?
        } else if self.at_word("for") && !assigns {
            self.iteration()?
        } else if self.at_word("return") && !assigns {
            self.advance();
            StatementKind::Return(self.expression()?)
        } else if self.at_word("reject") && !assigns {
            self.reject()?
        } else if self.at_symbol("(") {
            self.pair_assignment()?
        } else if self.peek().kind == TokenKind::Word {
            self.assignment()?
        } else {
            return Err(self.unexpected("a statement", None));
        };
        Ok(Statement { kind, span: start.to(self.previous_span()) })
    }

    fn conditional(&mut self) -> Parsed<StatementKind> {
        let mut branches = Vec::new();
        loop {
            self.advance();
            let condition = self.without_records(Self::expression)?;
            branches.push((condition, self.block("the statements of `if`")?));
            if !self.take_word("else") {
                return Ok(StatementKind::If { branches, otherwise: None });
            }
            if !self.at_word("if") {
                let otherwise = Some(self.block("the statements of `else`")?);
                return Ok(StatementKind::If { branches, otherwise });
            }
        }
    }

    fn iteration(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let names = if self.take_symbol("(") {
            let first = self.name("a name for the key")?;
            self.expect_symbol(",", "and a name for the value")?;
            let second = self.name("a name for the value")?;
            self.expect_symbol(")", "after the second name")?;
            vec![first, second]
        } else {
            vec![self.name("a name for the item")?]
        };
        if !self.take_word("in") {
            let help = "a loop is written `for item in list { ... }`".to_string();
            return Err(self.unexpected("`in` after the name", Some(help)));
        }
        let values = self.without_records(Self::expression)?;
        let body = self.block("the statements of `for`")?;
        Ok(StatementKind::For { names, values, body })
    }

    fn reject(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let message = self.expression()?;
        let at = if self.take_word("at") { Some(self.expression()?) } else { None };
        Ok(StatementKind::Reject { message, at })
    }

    fn pair_assignment(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let first = self.name("a name")?;
        self.expect_symbol(",", "and a second name")?;
        let second = self.name("a name")?;
        self.expect_symbol(")", "after the second name")?;
        self.expect_symbol("=", "after the two names")?;
        let value = self.expression()?;
        Ok(StatementKind::AssignPair { first, second, value })
    }

    fn assignment(&mut self) -> Parsed<StatementKind> {
        let mutable =
            self.at_word("mut") && self.ahead(1).kind == TokenKind::Word && !self.ahead(1).starts_line;
        if mutable {
            self.advance();
        }
        let name = self.name("a statement")?;
        if !self.at_symbol("=") {
            return Err(self.not_a_statement(&name.text));
        }
        self.advance();
        let value = self.expression()?;
        Ok(StatementKind::Assign { name, mutable, value })
    }

    fn not_a_statement(&mut self, word: &str) -> Abort {
        if self.at_symbol("==") {
            let span = self.peek().span;
            self.report(
                Diagnostic::error("E0004", "a comparison is not a statement")
                    .label(span, "this compares")
                    .help("`=` assigns, `==` compares"),
            );
            return Abort;
        }
        let help = match word {
            "let" | "var" | "def" | "const" => "a name is assigned with `name = value`, without a keyword",
            "while" | "loop" => "the one loop of Tide is `for item in list { ... }`",
            "raise" | "throw" => "write `reject \"message\"`",
            "elif" => "write `else if`",
            _ => "a statement is `name = value`, `if`, `for`, `return` or `reject`",
        };
        self.unexpected(&format!("`=` after `{word}`"), Some(help.to_string()))
    }
}
