//! How far lines stand in.

use super::lines::Line;
use super::spacing::Class;

const STEP: usize = 4;

/// An open bracket: how far the statement stands in on whose line it was opened.
struct Open {
    indent: usize,
}

/// Indents lines by their brackets, and the rest of a broken expression by one step more.
pub(super) fn indent(lines: &mut [Line<'_>]) {
    let mut open: Vec<Open> = Vec::new();
    let mut last: Option<(Class, String)> = None;
    // The column of `=` in a `type`, where the bars of the lines below stand.
    let mut bars = None;
    let mut after_open = true;
    for line in lines {
        let closes = starts_with_close(line);
        let inner = open.last().map_or(0, |bracket| bracket.indent + STEP);
        let mut further = 0;
        line.indent = if closes {
            open.last().map_or(0, |bracket| bracket.indent)
        } else if open.is_empty() && starts_with_bar(line) && bars.is_some() {
            bars.unwrap_or_default()
        } else if continues(line, last.as_ref()) {
            further = STEP;
            inner + STEP
        } else {
            inner
        };
        // No blank line stands just inside of a bracket.
        line.blank_before &= !closes && !after_open;
        if line.is_comment() {
            after_open = false;
            continue;
        }
        shift_json(line);
        track(line, further, &mut open);
        if open.is_empty() && !starts_with_bar(line) {
            bars = column_of_equals(line);
        }
        last = line.items.last().map(|item| (item.class, item.text.to_string()));
        after_open = matches!(last, Some((Class::Open | Class::OpenBrace, _)));
    }
}

fn starts_with_close(line: &Line<'_>) -> bool {
    line.items.first().is_some_and(|item| matches!(item.class, Class::Close | Class::CloseBrace))
}

fn starts_with_bar(line: &Line<'_>) -> bool {
    line.items.first().is_some_and(|item| item.text == "|")
}

/// Whether a line goes on with the expression of the line before.
fn continues(line: &Line<'_>, last: Option<&(Class, String)>) -> bool {
    let Some(first) = line.items.first() else { return false };
    let second = line.items.get(1).map(|item| item.text);
    let begins_with_operator = match (first.class, first.text) {
        (Class::Operator, text) => text != "...",
        (Class::Dot, _) => true,
        (Class::Keyword, "not") => second == Some("in"),
        (Class::Keyword, text) => matches!(text, "and" | "or" | "in" | "is"),
        _ => false,
    };
    let after_operator = last.is_some_and(|(class, text)| match class {
        Class::Operator => !matches!(text.as_str(), "..." | ".."),
        Class::Keyword => matches!(text.as_str(), "and" | "or" | "not" | "in" | "is"),
        Class::Colon => true,
        _ => false,
    });
    begins_with_operator || after_operator
}

/// Opens and closes brackets. A brace at the end of a condition of several lines belongs to the
/// statement, not to its last line.
fn track(line: &Line<'_>, further: usize, open: &mut Vec<Open>) {
    let end = line.items.len().saturating_sub(1);
    for (index, item) in line.items.iter().enumerate() {
        match item.class {
            Class::OpenBrace if index == end => open.push(Open { indent: line.indent - further }),
            Class::Open | Class::OpenBrace => open.push(Open { indent: line.indent }),
            Class::Close | Class::CloseBrace => drop(open.pop()),
            _ => {}
        }
    }
}

/// JSON keeps its own layout; its further lines move with its first one.
fn shift_json(line: &mut Line<'_>) {
    let texts: Vec<usize> = (0..line.items.len()).filter(|&at| line.items[at].text.contains('\n')).collect();
    for at in texts {
        let before = Line {
            items: line.items.drain(..at).collect(),
            comment: None,
            blank_before: false,
            indent: 0,
            comment_gap: 0,
        };
        let column = line.indent + before.text().chars().count() + usize::from(at > 0);
        line.items.splice(0..0, before.items);
        let item = &mut line.items[at];
        item.shift = column.cast_signed() - item.column.cast_signed();
    }
}

fn column_of_equals(line: &Line<'_>) -> Option<usize> {
    let is_type = line.items.first().is_some_and(|item| item.text == "type");
    let at = line.items.iter().position(|item| item.text == "=")?;
    let behind = line.items.get(at + 1).is_some();
    // `type Name =`: one blank stands between each two of the three.
    let column = line.items[..at].iter().map(|item| item.text.chars().count() + 1).sum();
    (is_type && behind).then_some(column)
}
