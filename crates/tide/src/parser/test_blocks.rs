//! `test` blocks: an event in JSON and what is expected of it.

use super::{Abort, Parsed, Parser};
use crate::diagnostic::Diagnostic;
use crate::lexer::TokenKind;
use crate::source::Span;
use crate::syntax::{Expectation, ExpectationKind, TestDeclaration};

impl Parser<'_> {
    pub(super) fn test_declaration(&mut self) -> Parsed<TestDeclaration> {
        let name = self.string("the name of the test in quotes")?;
        self.expect_symbol("{", "before the parts of the test")?;
        let mut test = TestDeclaration { name, given: None, expectations: Vec::new() };
        loop {
            let start = self.peek().span;
            if self.take_symbol("}") {
                return Ok(test);
            } else if self.take_word("given") {
                let json = self.json_text()?;
                if test.given.replace(json).is_some() {
                    self.report(
                        Diagnostic::error("E0004", "a test has one `given`")
                            .label(start, "the second one")
                            .help("write a second test"),
                    );
                }
            } else if self.take_word("expect") {
                let kind = self.expectation()?;
                test.expectations.push(Expectation { kind, span: start.to(self.previous_span()) });
            } else {
                return Err(self.unexpected("`given`, `expect` or `}`", None));
            }
        }
    }

    fn expectation(&mut self) -> Parsed<ExpectationKind> {
        if !self.take_word("reject") {
            return Ok(ExpectationKind::Holds(self.expression()?));
        }
        let at = if self.take_word("at") {
            Some(self.string("a JSON pointer such as \"/amount\"")?)
        } else {
            None
        };
        Ok(ExpectationKind::Reject { at })
    }

    /// Takes the text between two braces as it stands; it is JSON, not Tide.
    fn json_text(&mut self) -> Parsed<Span> {
        let start = self.peek().span.start;
        if !self.at_symbol("{") {
            return Err(self.unexpected("an event in JSON after `given`", None));
        }
        let Some(end) = closing_brace(self.text, start) else {
            self.report(
                Diagnostic::error("E0401", "this JSON object is never closed")
                    .label(Span::new(start, start + 1), "opened here"),
            );
            self.at = self.tokens.len() - 1;
            return Err(Abort);
        };
        let span = Span::new(start, end);
        self.json.push(span);
        while self.peek().kind != TokenKind::End && self.peek().span.start < end {
            self.advance();
        }
        Ok(span)
    }
}

/// The offset behind the brace that closes the one at `start`.
fn closing_brace(text: &str, start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut bytes = text.bytes().enumerate().skip(start);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if in_string => {
                bytes.next();
            }
            b'"' => in_string = !in_string,
            b'\n' => in_string = false,
            b'{' if !in_string => depth += 1,
            b'}' if !in_string => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}
