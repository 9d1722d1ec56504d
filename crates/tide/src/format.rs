//! A source text in its one canonical layout.
//!
//! Lines stay as they were broken, since a line break can part two statements; what changes is what
//! stands between the tokens of a line, its indentation, blank lines and the columns of types and
//! comments. So the tokens, and with them the meaning, are those of the text.

mod align;
mod indent;
mod lines;
mod spacing;

use crate::diagnostic::Diagnostic;
use crate::limits::MAX_SOURCE_BYTES;
use crate::parser;
use crate::source::Source;

/// Lays a source text out: four blanks of indentation, one blank between tokens, at most one blank
/// line in a row, the types of fields in one column. Comments and line breaks stay where they are.
/// Laying out the result once more changes nothing.
///
/// # Errors
/// The mistakes of a text that cannot be parsed. Mistakes in names and types do not matter.
///
/// ```
/// let source = tide::Source::new("orders.tide", "event  Order {\nid:String\n  count : Int\n}");
/// assert_eq!(tide::format(&source).unwrap(), "event Order {\n    id:    String\n    count: Int\n}\n");
/// ```
pub fn format(source: &Source) -> Result<String, Vec<Diagnostic>> {
    if source.text.len() > MAX_SOURCE_BYTES {
        return Err(vec![crate::too_large()]);
    }
    let (file, diagnostics) = parser::parse(&source.text);
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let json: Vec<_> = file.tests.iter().filter_map(|test| test.given).collect();
    let mut lines = lines::split(&source.text, &json);
    indent::indent(&mut lines);
    align::align_fields(&mut lines);
    align::align_comments(&mut lines);
    Ok(write(&lines))
}

fn write(lines: &[lines::Line<'_>]) -> String {
    let mut out = String::new();
    for line in lines {
        if line.blank_before {
            out.push('\n');
        }
        out.push_str(&" ".repeat(line.indent));
        out.push_str(&line.text());
        if let Some(comment) = line.comment {
            out.push_str(&" ".repeat(line.comment_gap));
            out.push_str(comment);
        }
        out.push('\n');
    }
    out
}
