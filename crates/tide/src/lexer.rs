//! Source text to tokens.
//!
//! Every word is a `Word`, whatever it means elsewhere: whether `type` opens a declaration or names
//! a field is for the parser to say, which is why any word can be a field name.

use crate::diagnostic::Diagnostic;
use crate::limits::MAX_DIAGNOSTICS;
use crate::source::Span;

/// A token with its place, and whether it is the first on its line.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
    pub(crate) starts_line: bool,
}

/// The kinds of tokens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// A name or a word of the language.
    Word,
    /// A whole number.
    Int(u64),
    /// A number with a fraction, without its underscores.
    Decimal(String),
    /// A string with its escapes resolved.
    Text(String),
    /// A raw string, `r"..."`.
    Raw(String),
    /// An interpolated string, `f"..."`.
    Template(Vec<Piece>),
    /// An operator or a bracket.
    Symbol(&'static str),
    /// The end of the text.
    End,
}

/// A piece of an interpolated string.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    /// Text with its escapes resolved.
    Text(String),
    /// The place of an expression, without its braces.
    Code(Span),
}

/// Longer symbols stand before those they begin with.
const SYMBOLS: [&str; 30] = [
    "...", "..<", "..=", "..", "??", "?.", "==", "!=", "<=", ">=", "->", "=>", "{", "}", "(", ")", "[", "]",
    ",", ":", ".", "?", "|", "=", "<", ">", "+", "-", "*", "/",
];

/// What other languages write, and what Tide writes instead.
const FOREIGN: [(&str, &str); 6] = [
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("!", "write `not`, or `!=` to compare"),
    (";", "a statement ends with its line; leave the semicolon out"),
    ("'", "strings stand in double quotes"),
    ("%", "there is no remainder operator"),
];

/// Splits a text into tokens; the last one is always `End`.
pub(crate) fn lex(text: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    lex_part(text, Span::new(0, text.len()))
}

/// Splits a part of a text into tokens, with their places in the whole.
pub(crate) fn lex_part(text: &str, part: Span) -> (Vec<Token>, Vec<Diagnostic>) {
    let text = &text[..part.end];
    let (tokens, diagnostics) = (Vec::new(), Vec::new());
    let mut lexer = Lexer { text, at: part.start, starts_line: part.start == 0, tokens, diagnostics };
    while lexer.next() {}
    let end = Span::new(text.len(), text.len());
    lexer.tokens.push(Token { kind: TokenKind::End, span: end, starts_line: true });
    (lexer.tokens, lexer.diagnostics)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    starts_line: bool,
    tokens: Vec<Token>,
    diagnostics: Vec<Diagnostic>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Takes one token or one piece of blank; false at the end.
    fn next(&mut self) -> bool {
        let Some(first) = self.rest().chars().next() else { return false };
        if first == '\n' {
            self.starts_line = true;
            self.at += 1;
        } else if first.is_whitespace() {
            self.at += first.len_utf8();
        } else if self.rest().starts_with("//") {
            self.skip_line();
        } else if self.rest().starts_with("r\"") {
            self.raw_string();
        } else if self.rest().starts_with("f\"") {
            self.template();
        } else if first == '"' {
            self.string();
        } else if first.is_ascii_digit() {
            self.number();
        } else if first == '_' || first.is_alphabetic() {
            let length = length_while(self.rest(), |c| c == '_' || c.is_alphanumeric());
            self.push(TokenKind::Word, length);
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| self.rest().starts_with(**symbol)) {
            self.push(TokenKind::Symbol(symbol), symbol.len());
        } else {
            self.unknown(first);
        }
        true
    }

    fn push(&mut self, kind: TokenKind, length: usize) {
        let span = Span::new(self.at, self.at + length);
        self.tokens.push(Token { kind, span, starts_line: self.starts_line });
        self.starts_line = false;
        self.at = span.end;
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < MAX_DIAGNOSTICS {
            self.diagnostics.push(diagnostic);
        }
    }

    fn skip_line(&mut self) {
        self.at += length_while(self.rest(), |c| c != '\n');
    }

    fn unknown(&mut self, first: char) {
        let foreign = FOREIGN.iter().find(|(text, _)| self.rest().starts_with(text));
        let length = foreign.map_or(first.len_utf8(), |(text, _)| text.len());
        let span = Span::new(self.at, self.at + length);
        let found = &self.text[span.start..span.end];
        let shown = if first.is_control() { found.escape_default().to_string() } else { found.to_string() };
        let mut diagnostic = Diagnostic::error("E0001", format!("`{shown}` means nothing here"))
            .label(span, "not part of the language");
        if first == '#' {
            diagnostic = diagnostic.help("a comment begins with `//`");
            self.skip_line();
        } else {
            self.at = span.end;
        }
        if let Some((_, instead)) = foreign {
            diagnostic = diagnostic.help(*instead);
        }
        // A run of strange characters is one mistake.
        let follows = self.diagnostics.last().is_some_and(|last| {
            last.code == "E0001" && last.labels.first().is_some_and(|label| label.span.end == span.start)
        });
        if !follows {
            self.report(diagnostic);
        } else if let Some(label) = self.diagnostics.last_mut().and_then(|last| last.labels.first_mut()) {
            label.span.end = span.end;
        }
    }

    fn number(&mut self) {
        let digits = |text: &str| length_while(text, |c| c.is_ascii_digit() || c == '_');
        let mut length = digits(self.rest());
        let fraction = &self.rest()[length..];
        let has_fraction =
            fraction.starts_with('.') && fraction[1..].starts_with(|c: char| c.is_ascii_digit());
        if has_fraction {
            length += 1 + digits(&fraction[1..]);
        }
        let tail = length_while(&self.rest()[length..], |c| c == '_' || c.is_alphanumeric());
        let span = Span::new(self.at, self.at + length + tail);
        let plain = self.rest()[..length].replace('_', "");
        if tail > 0 {
            let found = self.text[span.start..span.end].to_string();
            self.report(
                Diagnostic::error("E0007", format!("`{found}` is not a number"))
                    .label(span, "letters follow the digits")
                    .help("numbers are written like `1_000` or `12.50`, without exponent or unit"),
            );
        }
        let kind = if has_fraction {
            TokenKind::Decimal(plain)
        } else if let Ok(value) = plain.parse() {
            TokenKind::Int(value)
        } else {
            self.report(
                Diagnostic::error("E0008", "this number is too large for Int")
                    .label(span, "does not fit into 64 bits")
                    .help(format!("the largest Int is {}", i64::MAX)),
            );
            TokenKind::Int(0)
        };
        self.push(kind, length + tail);
    }

    fn raw_string(&mut self) {
        let body = &self.rest()[2..];
        let length = length_while(body, |c| c != '"' && c != '\n');
        let value = body[..length].to_string();
        let closed = body[length..].starts_with('"');
        self.close_string(TokenKind::Raw(value), 2 + length, closed);
    }

    fn string(&mut self) {
        let mut value = String::new();
        let mut length = 1;
        let mut closed = false;
        while let Some(next) = self.rest()[length..].chars().next() {
            match next {
                '"' => {
                    closed = true;
                    break;
                }
                '\n' => break,
                '\\' => length += self.escape(length, &mut value),
                other => {
                    value.push(other);
                    length += other.len_utf8();
                }
            }
        }
        self.close_string(TokenKind::Text(value), length, closed);
    }

    /// Takes an interpolated string; what stands between its braces is lexed when it is parsed.
    fn template(&mut self) {
        let mut pieces = Vec::new();
        let mut value = String::new();
        let mut length = 2;
        let mut closed = false;
        while let Some(next) = self.rest()[length..].chars().next() {
            let twice = self.rest()[length + next.len_utf8()..].starts_with(next);
            match next {
                '"' => {
                    closed = true;
                    break;
                }
                '\n' => break,
                '\\' => length += self.escape(length, &mut value),
                '{' | '}' if twice => {
                    value.push(next);
                    length += 2;
                }
                '{' => {
                    let code = length_of_code(&self.rest()[length + 1..]);
                    let start = self.at + length + 1;
                    pieces.push(Piece::Text(std::mem::take(&mut value)));
                    pieces.push(Piece::Code(Span::new(start, start + code)));
                    // The closing brace is not there if the line ends first; then the string is open too.
                    length += 1 + code + usize::from(self.rest()[length + 1 + code..].starts_with('}'));
                }
                other => {
                    if other == '}' {
                        self.lone_brace(length);
                    }
                    value.push(other);
                    length += other.len_utf8();
                }
            }
        }
        pieces.push(Piece::Text(value));
        self.close_string(TokenKind::Template(pieces), length, closed);
    }

    fn lone_brace(&mut self, offset: usize) {
        let start = self.at + offset;
        self.report(
            Diagnostic::error("E0003", "this brace closes nothing")
                .label(Span::new(start, start + 1), "no value begins before it")
                .help("in an interpolated string, a brace as text is written twice: `}}`"),
        );
    }

    fn close_string(&mut self, kind: TokenKind, length: usize, closed: bool) {
        if !closed {
            let span = Span::new(self.at, self.at + length);
            self.report(
                Diagnostic::error("E0002", "this string is never closed")
                    .label(span, "a string ends on the line where it begins")
                    .help("add the closing `\"`; a line break inside a string is written `\\n`"),
            );
        }
        self.push(kind, length + usize::from(closed));
    }

    /// Resolves the escape at `offset` from the current token; returns how many bytes it takes.
    fn escape(&mut self, offset: usize, value: &mut String) -> usize {
        let text = &self.rest()[offset + 1..];
        let Some(letter) = text.chars().next() else { return 1 };
        let plain = match letter {
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            '"' => Some('"'),
            '\\' => Some('\\'),
            _ => None,
        };
        if let Some(plain) = plain {
            value.push(plain);
            return 2;
        }
        if let Some(hex) = text.strip_prefix("u{").and_then(|rest| rest.split_once('}')).map(|(hex, _)| hex)
            && let Some(character) = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32)
        {
            value.push(character);
            return 1 + "u{}".len() + hex.len();
        }
        // A line break ends the string; it is not part of the escape.
        let length = 1 + if letter == '\n' { 0 } else { letter.len_utf8() };
        let start = self.at + offset;
        self.report(
            Diagnostic::error("E0003", "this escape is unknown")
                .label(Span::new(start, start + length), "not an escape")
                .help(r#"known are \n \t \r \" \\ and \u{1F600}; r"..." takes every character as it is"#),
        );
        length
    }
}

/// How many bytes of code stand before the brace that ends it, or before the end of the line.
fn length_of_code(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\n' => return at,
            b'\\' if in_string && !text[at + 1..].starts_with('\n') => {
                bytes.next();
            }
            b'"' => in_string = !in_string,
            b'{' if !in_string => depth += 1,
            b'}' if !in_string => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return at,
            },
            _ => {}
        }
    }
    text.len()
}

fn length_while(text: &str, mut wanted: impl FnMut(char) -> bool) -> usize {
    text.find(|c| !wanted(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        let (tokens, diagnostics) = lex(text);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        tokens.into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn ranges_are_not_decimals() {
        use TokenKind::{End, Int, Symbol};
        assert_eq!(kinds("1..=64"), [Int(1), Symbol("..="), Int(64), End]);
        assert_eq!(kinds("0 ..< 1_000"), [Int(0), Symbol("..<"), Int(1000), End]);
    }

    #[test]
    fn strings_resolve_their_escapes() {
        assert_eq!(kinds(r#""a\n\u{e9}""#), [TokenKind::Text("a\né".into()), TokenKind::End]);
        assert_eq!(kinds(r#"r"\d+""#), [TokenKind::Raw(r"\d+".into()), TokenKind::End]);
    }

    #[test]
    fn a_new_line_is_remembered() {
        let (tokens, _) = lex("a b\nc");
        let starts: Vec<bool> = tokens.iter().map(|token| token.starts_line).collect();
        assert_eq!(starts, [true, false, true, true]);
    }
}
