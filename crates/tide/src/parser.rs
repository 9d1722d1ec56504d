//! Tokens to tree.
//!
//! The parser goes on after a mistake: inside a block at the next line, else at the next
//! declaration, so that one run reports several mistakes. Nesting is bounded here, once, and every
//! later stage may walk the tree by recursion.

mod declarations;
mod expressions;
mod statements;
mod test_blocks;

use crate::diagnostic::Diagnostic;
use crate::lexer::{Token, TokenKind, lex};
use crate::limits::{MAX_DIAGNOSTICS, MAX_NESTING};
use crate::source::Span;
use crate::syntax::{File, Name};

/// Says that a part could not be parsed; the mistake has been reported.
#[derive(Debug)]
struct Abort;

type Parsed<T> = Result<T, Abort>;

/// Words that open a declaration when they stand at the start of a line.
const DECLARATIONS: [&str; 7] = ["event", "record", "type", "const", "fn", "rule", "test"];

/// Words that cannot name a value. Any of them can still name a field.
const RESERVED: [&str; 16] = [
    "if", "else", "for", "return", "reject", "match", "and", "or", "not", "in", "is", "true", "false",
    "null", "mut", "_",
];

/// Parses a text. The tree holds whatever could be understood.
pub(crate) fn parse(text: &str) -> (File, Vec<Diagnostic>) {
    let (tokens, lexical) = lex(text);
    let mut parser = Parser {
        text,
        tokens,
        at: 0,
        nesting: 0,
        brackets: 0,
        records_allowed: true,
        json: Vec::new(),
        diagnostics: Vec::new(),
    };
    let file = parser.file();
    // JSON has its own tokens: what the lexer held against them does not count.
    let inside_json = |diagnostic: &Diagnostic| {
        let start = diagnostic.labels.first().map_or(0, |label| label.span.start);
        parser.json.iter().any(|span| (span.start..span.end).contains(&start))
    };
    let mut diagnostics: Vec<Diagnostic> =
        lexical.into_iter().filter(|diagnostic| !inside_json(diagnostic)).collect();
    // Around a character that means nothing, whatever else seems odd on the line follows from it.
    let line = |diagnostic: &Diagnostic| {
        let start = diagnostic.labels.first().map_or(0, |label| label.span.start);
        text[..start].matches('\n').count()
    };
    let strange: Vec<usize> = diagnostics.iter().filter(|found| found.code == "E0001").map(line).collect();
    parser.diagnostics.retain(|found| strange.is_empty() || !strange.contains(&line(found)));
    diagnostics.append(&mut parser.diagnostics);
    (file, diagnostics)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    /// Blocks, brackets and types that are open, to keep the recursion bounded.
    nesting: usize,
    /// Parentheses and brackets that are open; inside of them a line break means nothing.
    brackets: usize,
    /// False between `if` or `match` and its brace, which would else open a record.
    records_allowed: bool,
    /// The places of JSON text.
    json: Vec<Span>,
    diagnostics: Vec<Diagnostic>,
}

impl Parser<'_> {
    fn file(&mut self) -> File {
        let mut file = File::default();
        while self.peek().kind != TokenKind::End {
            let before = self.at;
            if self.declaration(&mut file).is_err() {
                self.nesting = 0;
                self.brackets = 0;
                self.records_allowed = true;
                // Something is always taken, or the loop would not end.
                if self.at == before {
                    self.advance();
                }
                self.skip_to_declaration();
            }
        }
        file
    }

    fn skip_to_declaration(&mut self) {
        while self.peek().kind != TokenKind::End {
            let token = self.peek();
            let in_first_column =
                token.span.start == 0 || self.text.as_bytes().get(token.span.start - 1) == Some(&b'\n');
            if in_first_column && DECLARATIONS.iter().any(|word| self.at_word(word)) {
                return;
            }
            self.advance();
        }
    }

    // --- the cursor ---

    fn peek(&self) -> &Token {
        self.ahead(0)
    }

    /// The token so many places on; the last token, `End`, repeats for ever.
    fn ahead(&self, distance: usize) -> &Token {
        let index = (self.at + distance).min(self.tokens.len() - 1);
        &self.tokens[index]
    }

    fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn previous_span(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].span
    }

    fn slice(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    fn is_word(&self, token: &Token, word: &str) -> bool {
        token.kind == TokenKind::Word && self.slice(token.span) == word
    }

    fn at_word(&self, word: &str) -> bool {
        self.is_word(self.peek(), word)
    }

    fn at_symbol(&self, symbol: &'static str) -> bool {
        self.peek().kind == TokenKind::Symbol(symbol)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.advance();
        }
        found
    }

    fn take_symbol(&mut self, symbol: &'static str) -> bool {
        let found = self.at_symbol(symbol);
        if found {
            self.advance();
        }
        found
    }

    /// Takes a symbol that must stand here; `after` completes "expected `x` ...".
    fn expect_symbol(&mut self, symbol: &'static str, after: &str) -> Parsed<Span> {
        if self.at_symbol(symbol) {
            return Ok(self.advance().span);
        }
        Err(self.unexpected(&format!("`{symbol}` {after}"), None))
    }

    /// Takes any word, as fields may be called anything.
    fn word(&mut self, what: &str) -> Parsed<Name> {
        if self.peek().kind != TokenKind::Word {
            return Err(self.unexpected(what, None));
        }
        let span = self.advance().span;
        Ok(Name { text: self.slice(span).to_string(), span })
    }

    /// Takes a word that may name a value, a type or a rule.
    fn name(&mut self, what: &str) -> Parsed<Name> {
        let token = self.peek().clone();
        let reserved = RESERVED.iter().any(|word| self.is_word(&token, word));
        if reserved {
            let text = self.slice(token.span).to_string();
            let help = format!("`{text}` is a word of the language; only a field may be called so");
            return Err(self.unexpected(what, Some(help)));
        }
        self.word(what)
    }

    // --- mistakes ---

    /// Reports that something else was expected at the next token.
    fn unexpected(&mut self, what: &str, help: Option<String>) -> Abort {
        let token = self.peek().clone();
        let found = match &token.kind {
            TokenKind::End => "the end of the file".to_string(),
            TokenKind::Text(_) | TokenKind::Raw(_) | TokenKind::Template(_) => "a string".to_string(),
            _ => format!("`{}`", self.slice(token.span)),
        };
        // At the end of the file the mistake is shown where the text stops.
        let span = if token.kind == TokenKind::End { self.previous_span() } else { token.span };
        let mut diagnostic = Diagnostic::error("E0004", format!("expected {what}, found {found}"))
            .label(span, format!("expected {what}"));
        diagnostic.help = help;
        self.report(diagnostic);
        Abort
    }

    /// Reports a mistake, unless one was reported at the same place before: it would be its echo.
    fn report(&mut self, diagnostic: Diagnostic) {
        let place = diagnostic.labels.first().map(|label| label.span);
        let known = self.diagnostics.iter().any(|d| d.labels.first().map(|label| label.span) == place);
        if !known && self.diagnostics.len() < MAX_DIAGNOSTICS {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Runs a parser one level deeper, or reports that the text is nested too deeply.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting >= MAX_NESTING {
            return Err(self.too_deep(self.peek().span));
        }
        self.nesting += 1;
        let result = parse(self);
        self.nesting = self.nesting.saturating_sub(1);
        result
    }

    fn too_deep(&mut self, span: Span) -> Abort {
        self.report(
            Diagnostic::error("E0005", "this is nested too deeply")
                .label(span, "too many levels")
                .help("give parts of it names of their own"),
        );
        Abort
    }

    // --- lists ---

    /// Parses items up to `close`, parted by commas or line breaks, and goes on after a bad item.
    fn items<T>(
        &mut self,
        close: &'static str,
        what: &str,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<(Vec<T>, Span)> {
        let mut items = Vec::new();
        loop {
            if self.at_symbol(close) {
                return Ok((items, self.advance().span));
            }
            let start = self.at;
            match item(self) {
                Ok(item) => items.push(item),
                Err(Abort) => self.skip_item(close, start)?,
            }
            if self.at_symbol(close) || self.take_symbol(",") || self.peek().starts_line {
                if self.peek().kind == TokenKind::End {
                    return Err(self.unexpected(&format!("`{close}` to close {what}"), None));
                }
                continue;
            }
            let wanted = format!("`,`, a new line or `{close}`");
            self.unexpected(&wanted, None);
            self.skip_item(close, start)?;
            self.take_symbol(",");
        }
    }

    /// Moves on to the next item or to the closing bracket. Brackets are counted from where the item
    /// began, as the mistake may lie inside of some.
    fn skip_item(&mut self, close: &'static str, start: usize) -> Parsed<()> {
        let mistake = self.at.max(start + 1);
        self.at = start;
        let mut depth = 0_usize;
        loop {
            let token = self.peek();
            let behind = depth == 0 && self.at >= mistake;
            match token.kind {
                TokenKind::End => return Err(Abort),
                TokenKind::Symbol(symbol) if depth == 0 && symbol == close => return Ok(()),
                TokenKind::Symbol(",") if behind => return Ok(()),
                _ if behind && token.starts_line => return Ok(()),
                TokenKind::Symbol("{" | "(" | "[") => depth += 1,
                TokenKind::Symbol("}" | ")" | "]") => match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None => return Err(Abort),
                },
                _ => {}
            }
            self.advance();
        }
    }
}
