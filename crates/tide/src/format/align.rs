//! Columns: the types of fields, and the comments behind lines.

use super::lines::Line;
use super::spacing::Class;

/// Puts the types of the fields of a declaration into one column, as far as their lines follow each
/// other without a blank line and without a field of several lines.
pub(super) fn align_fields(lines: &mut [Line<'_>]) {
    let fields = field_lines(lines);
    let mut group: Vec<usize> = Vec::new();
    for index in 0..lines.len() {
        if lines[index].blank_before {
            align_group(lines, &mut group);
        }
        if lines[index].is_comment() {
            continue;
        }
        if !fields[index] {
            align_group(lines, &mut group);
            continue;
        }
        group.push(index);
    }
    align_group(lines, &mut group);
}

fn align_group(lines: &mut [Line<'_>], group: &mut Vec<usize>) {
    let width = |line: &Line<'_>| line.items[0].text.chars().count();
    let widest = group.iter().map(|&index| width(&lines[index])).max().unwrap_or(0);
    for index in group.drain(..) {
        let padding = widest - width(&lines[index]);
        lines[index].items[2].padding = padding;
    }
}

/// Which lines are one whole field of a declaration.
fn field_lines(lines: &[Line<'_>]) -> Vec<bool> {
    let mut depth = 0_usize;
    let mut declares = false;
    let mut fields = Vec::with_capacity(lines.len());
    for line in lines {
        if depth == 0 {
            let word = line.items.first().map(|item| item.text);
            declares = matches!(word, Some("event" | "record" | "type")) || (declares && line.is_comment());
        }
        fields.push(declares && depth > 0 && is_field(line));
        for item in &line.items {
            match item.class {
                Class::Open | Class::OpenBrace => depth += 1,
                Class::Close | Class::CloseBrace => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
    fields
}

/// Whether a line is `name: Type ...`, with every bracket closed and nothing behind its comma.
fn is_field(line: &Line<'_>) -> bool {
    let [name, colon, rest @ ..] = line.items.as_slice() else { return false };
    if !matches!(name.class, Class::Word | Class::Keyword) || colon.class != Class::Colon {
        return false;
    }
    let mut depth = 0_isize;
    for (index, item) in rest.iter().enumerate() {
        match item.class {
            Class::Open | Class::OpenBrace => depth += 1,
            Class::Close | Class::CloseBrace => depth -= 1,
            Class::Comma if depth == 0 && index + 1 < rest.len() => return false,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0 && !rest.is_empty()
}

/// Puts the comments behind lines that follow each other into one column.
pub(super) fn align_comments(lines: &mut [Line<'_>]) {
    let mut group: Vec<usize> = Vec::new();
    for index in 0..lines.len() {
        let line = &lines[index];
        let trails = line.comment.is_some() && !line.is_comment();
        if !trails || line.blank_before || line.width().is_none() {
            align_comment_group(lines, &mut group);
        }
        if trails {
            group.push(index);
        }
    }
    align_comment_group(lines, &mut group);
}

fn align_comment_group(lines: &mut [Line<'_>], group: &mut Vec<usize>) {
    let widest = group.iter().filter_map(|&index| lines[index].width()).max().unwrap_or(0);
    for index in group.drain(..) {
        let width = lines[index].width().unwrap_or(widest);
        lines[index].comment_gap = widest.saturating_sub(width) + 2;
    }
}
