//! The lines of a text with their tokens and comments.

use super::spacing::{Class, classify, parted};
use crate::lexer::{TokenKind, lex};
use crate::source::Span;

/// A line of the text.
pub(super) struct Line<'a> {
    pub(super) items: Vec<Item<'a>>,
    pub(super) comment: Option<&'a str>,
    /// Whether a blank line stands before it.
    pub(super) blank_before: bool,
    pub(super) indent: usize,
    /// Blanks between the tokens and the comment.
    pub(super) comment_gap: usize,
}

/// A token, or a piece of JSON.
pub(super) struct Item<'a> {
    pub(super) text: &'a str,
    pub(super) class: Class,
    /// Blanks before it that put it into a column, beyond the one that may part it from the last.
    pub(super) padding: usize,
    /// How many columns the further lines of JSON move to the right.
    pub(super) shift: isize,
    /// The column in which it stood, counted from zero.
    pub(super) column: usize,
}

impl Line<'_> {
    /// The tokens as they are laid out; without indentation and comment.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let mut previous: Option<&Item<'_>> = None;
        for item in &self.items {
            if previous.is_some_and(|previous| parted(previous, item)) {
                out.push(' ');
            }
            out.push_str(&" ".repeat(item.padding));
            item.write(&mut out);
            previous = Some(item);
        }
        out
    }

    /// How many columns the tokens take; nothing for JSON of several lines.
    pub(super) fn width(&self) -> Option<usize> {
        let text = self.text();
        (!text.contains('\n')).then(|| self.indent + text.chars().count())
    }

    /// Whether it consists of a comment alone.
    pub(super) fn is_comment(&self) -> bool {
        self.items.is_empty()
    }
}

impl Item<'_> {
    fn write(&self, out: &mut String) {
        let mut lines = self.text.lines();
        out.push_str(lines.next().unwrap_or_default().trim_end());
        for line in lines {
            let body = line.trim();
            out.push('\n');
            if !body.is_empty() {
                let column = leading_columns(line).saturating_add_signed(self.shift);
                out.push_str(&" ".repeat(column));
                out.push_str(body);
            }
        }
    }
}

fn leading_columns(line: &str) -> usize {
    let blank = line.chars().take_while(|c| c.is_whitespace());
    blank.map(|c| if c == '\t' { 4 } else { 1 }).sum()
}

/// A piece of the text: its place, and what it is; a comment if that is nothing.
struct Piece {
    span: Span,
    class: Option<Class>,
}

/// Splits a text that has no mistakes into lines; `json` are the places of JSON text.
pub(super) fn split<'a>(text: &'a str, json: &[Span]) -> Vec<Line<'a>> {
    let mut lines: Vec<Line<'a>> = Vec::new();
    let mut end = 0;
    for piece in pieces(text, json) {
        let breaks = text[end..piece.span.start].matches('\n').count();
        if lines.is_empty() || breaks > 0 {
            let blank_before = breaks > 1 && !lines.is_empty();
            lines.push(Line { items: Vec::new(), comment: None, blank_before, indent: 0, comment_gap: 0 });
        }
        end = piece.span.end;
        let Some(line) = lines.last_mut() else { continue };
        let shown = &text[piece.span.start..piece.span.end];
        match piece.class {
            None => line.comment = Some(shown),
            Some(class) => {
                let start = text[..piece.span.start].rfind('\n').map_or(0, |at| at + 1);
                let column =
                    text[start..piece.span.start].chars().map(|c| if c == '\t' { 4 } else { 1 }).sum();
                line.items.push(Item { text: shown, class, padding: 0, shift: 0, column });
            }
        }
    }
    classify(&mut lines);
    lines
}

/// Tokens, JSON and comments in their order.
fn pieces(text: &str, json: &[Span]) -> Vec<Piece> {
    let (tokens, _) = lex(text);
    let mut pieces = Vec::new();
    let mut end = 0;
    for token in &tokens {
        // The tokens inside of JSON mean nothing; the whole stands for them.
        if token.span.start < end {
            continue;
        }
        comments(text, Span::new(end, token.span.start), &mut pieces);
        let whole = json.iter().find(|span| span.start == token.span.start);
        let (span, class) = match (whole, &token.kind) {
            (_, TokenKind::End) => return pieces,
            (Some(span), _) => (*span, Class::Literal),
            (None, TokenKind::Word) => (token.span, Class::Word),
            (None, TokenKind::Symbol(_)) => (token.span, Class::Operator),
            (None, _) => (token.span, Class::Literal),
        };
        pieces.push(Piece { span, class: Some(class) });
        end = span.end;
    }
    pieces
}

/// The comments between two tokens.
fn comments(text: &str, gap: Span, pieces: &mut Vec<Piece>) {
    let mut at = gap.start;
    while let Some(found) = text[at..gap.end].find("//") {
        let start = at + found;
        let length = text[start..gap.end].find('\n').unwrap_or(gap.end - start);
        let comment = text[start..start + length].trim_end();
        pieces.push(Piece { span: Span::new(start, start + comment.len()), class: None });
        at = start + length;
    }
}
