//! Mistakes as values, and how they are drawn for a human reader.
//!
//! Nothing here knows Tide: the configuration loader reports its mistakes through the same types.

use ariadne::{CharSet, Color, Config, IndexType, Report, ReportKind};

use crate::source::{Source, Span};

/// How grave a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The program is refused.
    Error,
    /// The program runs, but something in it is probably not meant.
    Warning,
}

/// A place in the source with a remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What there is to say about it.
    pub text: String,
}

/// One mistake, with a stable code, the places concerned and, where it can be given, a way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code such as `E0102`; scripts may rely on it.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// One sentence that says what is wrong.
    pub message: String,
    /// The places concerned; the first one is where the mistake is.
    pub labels: Vec<Label>,
    /// What to write instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Starts an error.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message.into())
    }

    /// Starts a warning.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message.into())
    }

    /// Adds a place; the first one added is the primary one.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Sets what to write instead.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    fn new(code: &'static str, severity: Severity, message: String) -> Self {
        Diagnostic { code, severity, message, labels: Vec::new(), help: None }
    }
}

/// Draws diagnostics with the lines of source they speak of, in the order given.
///
/// Spans that do not fit the source are moved to the nearest character, so that no diagnostic can
/// make this panic.
pub fn render(source: &Source, diagnostics: &[Diagnostic], color: bool) -> String {
    let mut out = Vec::new();
    for diagnostic in diagnostics {
        draw(source, diagnostic, color, &mut out);
        out.push(b'\n');
    }
    let text = String::from_utf8_lossy(&out);
    // Trailing blanks carry nothing and would make golden files fragile.
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

type Place<'a> = (&'a str, std::ops::Range<usize>);

fn draw(source: &Source, diagnostic: &Diagnostic, color: bool, out: &mut Vec<u8>) {
    let (kind, word, tint) = match diagnostic.severity {
        Severity::Error => (ReportKind::Error, "error", Color::Red),
        Severity::Warning => (ReportKind::Warning, "warning", Color::Yellow),
    };
    let (on, off) = match (color, diagnostic.severity) {
        (false, _) => ("", ""),
        (true, Severity::Error) => ("\u{1b}[31m", "\u{1b}[0m"),
        (true, Severity::Warning) => ("\u{1b}[33m", "\u{1b}[0m"),
    };
    let heading =
        format!("{on}{word}[{}]{off}: {}\n", diagnostic.code, diagnostic.message.replace('\n', " "));
    out.extend_from_slice(heading.as_bytes());

    let Some(primary) = diagnostic.labels.first().map(|label| label.span) else {
        // Without a place there is no frame to draw.
        let help = diagnostic.help.iter().map(|help| format!("  help: {help}\n"));
        out.extend(help.flat_map(String::into_bytes));
        return;
    };
    let config =
        Config::default().with_color(color).with_index_type(IndexType::Byte).with_char_set(CharSet::Unicode);
    let mut report = Report::build(kind, place(source, primary)).with_config(config);
    // In the order of their places, labels are drawn in one frame.
    let mut labels: Vec<(usize, &Label)> = diagnostic.labels.iter().enumerate().collect();
    labels.sort_by_key(|(_, label)| label.span.start);
    for (index, label) in labels {
        let tint = if index == 0 { tint } else { Color::Blue };
        let mut drawn = ariadne::Label::new(place(source, label.span)).with_color(tint);
        if !label.text.is_empty() {
            drawn = drawn.with_message(&label.text);
        }
        report = report.with_label(drawn);
    }
    if let Some(help) = &diagnostic.help {
        report = report.with_help(help);
    }
    let mut frame = Vec::new();
    let text = ariadne::Source::from(source.text.as_str());
    // Writing into a vector cannot fail.
    let written = report.finish().write((source.name.as_str(), text), &mut frame);
    debug_assert!(written.is_ok(), "a vector takes every byte");
    // The library's own heading, the first line, is replaced by the one above.
    let body = frame.iter().position(|byte| *byte == b'\n').map_or(frame.len(), |end| end + 1);
    out.extend_from_slice(&frame[body..]);
}

/// The span as a range of whole characters inside the source.
fn place<'a>(source: &'a Source, span: Span) -> Place<'a> {
    let text = &source.text;
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.min(text.len())).max(start);
    (&source.name, start..end)
}

/// The candidate that a mistyped word was probably meant to be, if one is near enough.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // Words of three letters may differ in one place, longer ones in about a third of theirs; any
    // two shorter words are near each other, so for these only the case may differ.
    let allowed = (word.chars().count() / 3).min(4);
    let lower = word.to_lowercase();
    // A word of some length that only lacks its end, or has one too many, is near in any case.
    let begins = |a: &str, b: &str| a.len() >= 4 && b.starts_with(a);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| (candidate.to_lowercase(), candidate))
        .map(|(folded, candidate)| (strsim::damerau_levenshtein(&lower, &folded), folded, candidate))
        .filter(|(distance, folded, _)| {
            *distance <= allowed || begins(&lower, folded) || begins(folded, &lower)
        })
        .min()
        .map(|(_, _, candidate)| candidate.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_span_makes_rendering_panic() {
        let source = Source::new("a.tide", "één\nregel");
        for start in 0..20 {
            for end in 0..20 {
                let diagnostic = Diagnostic::error("E0000", "x").label(Span { start, end }, "y").help("z");
                assert!(render(&source, &[diagnostic], false).contains("E0000"));
            }
        }
        let bare = Diagnostic::warning("W0000", "no label");
        assert!(render(&Source::new("empty", ""), &[bare], true).contains("no label"));
    }

    #[test]
    fn the_nearest_word_is_suggested() {
        let words = ["amount_cents", "currency", "object_id"];
        assert_eq!(suggest("curency", words).as_deref(), Some("currency"));
        assert_eq!(suggest("amount_cent", words).as_deref(), Some("amount_cents"));
        assert_eq!(suggest("amount", words).as_deref(), Some("amount_cents"));
        assert_eq!(suggest("weather", words), None);
    }
}
