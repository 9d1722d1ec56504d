//! Reading a TOML document key by key, so that every mistake is found and none stops the reading.
//!
//! A [`Section`] looks a key up in the overrides, then in the file, then in the defaults, checks
//! its type and range, and notes that somebody asked for it. What nobody asked for is unknown, and
//! [`Section::finish`] says so with the nearest known name.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use tide::{Diagnostic, Span};
use toml::de::{DeTable, DeValue};

use super::{Overrides, SecretLocation, SecretRef};

/// The code of text that is not TOML.
const SYNTAX: &str = "C0100";

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the file, at these bytes.
    Span(Span),
    /// In an environment variable or a flag of this name.
    Override(String),
}

impl Place {
    /// Adds this place to a diagnostic.
    pub(super) fn diagnose(&self, mut diagnostic: Diagnostic, label: &str) -> Diagnostic {
        match self {
            Self::Span(span) => diagnostic.label(*span, label),
            Self::Override(origin) => {
                diagnostic.message = format!("{origin}: {}", diagnostic.message);
                diagnostic
            }
        }
    }
}

/// A value with the place where it stands.
#[derive(Clone, Debug)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// Collects what is wrong while sections are read.
pub(super) struct Reader<'a> {
    overrides: &'a Overrides,
    diagnostics: RefCell<Vec<Diagnostic>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(overrides: &'a Overrides) -> Self {
        Self { overrides, diagnostics: RefCell::default() }
    }

    pub(super) fn syntax(&self, error: &toml::de::Error) {
        let span = error.span().unwrap_or(0..0);
        let diagnostic = Diagnostic::error(SYNTAX, format!("this is not TOML: {}", error.message()));
        self.push(diagnostic.label(Span { start: span.start, end: span.end }, "here"));
    }

    pub(super) fn push(&self, diagnostic: Diagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    /// Everything that was found, in the order of the text. What is said of a line that is not even
    /// TOML is left out, since it would only be about what the parser made of the wreck.
    pub(super) fn into_diagnostics(self, text: &tide::Source) -> Vec<Diagnostic> {
        let start = |d: &Diagnostic| d.labels.first().map_or(usize::MAX, |label| label.span.start);
        let line = |d: &Diagnostic| text.position(start(d)).0;
        let mut diagnostics = self.diagnostics.into_inner();
        let broken: Vec<usize> = diagnostics.iter().filter(|d| d.code == SYNTAX).map(line).collect();
        diagnostics.retain(|d| d.code == SYNTAX || !broken.contains(&line(d)));
        diagnostics.sort_by_key(start);
        diagnostics
            .dedup_by(|next, first| next.code == SYNTAX && first.code == SYNTAX && line(next) == line(first));
        diagnostics
    }

    pub(super) fn root(
        &'a self,
        table: &'a DeTable<'a>,
        defaults: &'a DeTable<'a>,
        length: usize,
    ) -> Section<'a> {
        Section::new(self, String::new(), Some(table), Some(defaults), Span { start: 0, end: length.min(1) })
    }
}

enum Raw<'a> {
    Toml(&'a DeValue<'a>),
    Text(&'a str),
}

/// One table of the document.
pub(super) struct Section<'a> {
    reader: &'a Reader<'a>,
    name: String,
    table: Option<&'a DeTable<'a>>,
    defaults: Option<&'a DeTable<'a>>,
    span: Span,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    fn new(
        reader: &'a Reader<'a>,
        name: String,
        table: Option<&'a DeTable<'a>>,
        defaults: Option<&'a DeTable<'a>>,
        span: Span,
    ) -> Self {
        Self { reader, name, table, defaults, span, asked: RefCell::default() }
    }

    /// The table `key` inside this one; an absent table reads as an empty one.
    pub(super) fn section(&self, key: &'static str) -> Section<'a> {
        self.optional_section(key).unwrap_or_else(|| {
            let defaults = self.defaults.and_then(|d| d.get(key)).and_then(|v| v.get_ref().as_table());
            Section::new(self.reader, self.path(key), None, defaults, self.span)
        })
    }

    /// The table `key` inside this one, if the file has it.
    pub(super) fn optional_section(&self, key: &'static str) -> Option<Section<'a>> {
        self.ask(key);
        let value = self.table?.get(key)?;
        let span = to_span(value.span());
        let defaults = self.defaults.and_then(|d| d.get(key)).and_then(|v| v.get_ref().as_table());
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(key, &Place::Span(span), "a table", value.get_ref().type_str());
            return None;
        };
        Some(Section::new(self.reader, self.path(key), Some(table), defaults, span))
    }

    /// The tables of the array `[[key]]`.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Section<'a>> {
        self.ask(key);
        let Some(value) = self.table.and_then(|t| t.get(key)) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(
                key,
                &Place::Span(to_span(value.span())),
                "a list of tables, written [[source]]",
                value.get_ref().type_str(),
            );
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in items.iter() {
            let span = to_span(item.span());
            match item.get_ref().as_table() {
                Some(table) => {
                    sections.push(Section::new(self.reader, self.path(key), Some(table), None, span));
                }
                None => self.wrong_type(key, &Place::Span(span), "a table", item.get_ref().type_str()),
            }
        }
        sections
    }

    /// A text; `None` when the key is absent or of another type.
    pub(super) fn string(&self, key: &'static str) -> Option<Located<String>> {
        let (raw, place) = self.find(key)?;
        match raw {
            Raw::Text(text) => Some(Located { value: text.to_owned(), place }),
            Raw::Toml(DeValue::String(text)) => Some(Located { value: text.clone().into_owned(), place }),
            Raw::Toml(other) => {
                self.wrong_type(key, &place, "a text in quotes", other.type_str());
                None
            }
        }
    }

    /// A text that must be there.
    pub(super) fn required_string(&self, key: &'static str, example: &str) -> Option<Located<String>> {
        if self.find(key).is_none() {
            self.missing(key, example);
        }
        self.string(key)
    }

    /// A text, converted; `expected` completes the sentence "expected …".
    pub(super) fn parsed<T>(
        &self,
        key: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Located<T>> {
        let text = self.string(key)?;
        match parse(&text.value) {
            Some(value) => Some(Located { value, place: text.place }),
            None => {
                self.invalid(
                    &text.place,
                    format!("`{}` is not a valid {}", text.value, self.path(key)),
                    expected,
                );
                None
            }
        }
    }

    /// One text or a list of texts.
    pub(super) fn strings(&self, key: &'static str) -> Vec<Located<String>> {
        let Some((raw, place)) = self.find(key) else { return Vec::new() };
        let Raw::Toml(DeValue::Array(items)) = raw else { return self.string(key).into_iter().collect() };
        let mut texts = Vec::new();
        for item in items.iter() {
            let place = match &place {
                Place::Span(_) => Place::Span(to_span(item.span())),
                Place::Override(_) => place.clone(),
            };
            match item.get_ref() {
                DeValue::String(text) => texts.push(Located { value: text.clone().into_owned(), place }),
                other => self.wrong_type(key, &place, "a text in quotes", other.type_str()),
            }
        }
        texts
    }

    /// A whole number within `range`.
    pub(super) fn integer(&self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let (raw, place) = self.find(key)?;
        let number = match raw {
            Raw::Text(text) => text.trim().parse::<i128>().ok(),
            Raw::Toml(DeValue::Integer(number)) => i128::from_str_radix(number.as_str(), number.radix()).ok(),
            Raw::Toml(other) => {
                self.wrong_type(key, &place, "a whole number", other.type_str());
                return None;
            }
        };
        let in_range = number.and_then(|n| u64::try_from(n).ok()).filter(|n| range.contains(n));
        if in_range.is_none() {
            let expected = format!("expected a whole number from {} to {}", range.start(), range.end());
            self.invalid(&place, format!("{} is out of range", self.path(key)), &expected);
        }
        in_range
    }

    /// One of a fixed set of words.
    pub(super) fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<Located<T>> {
        let text = self.string(key)?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text.value) {
            return Some(Located { value: *value, place: text.place });
        }
        let words = choices.iter().map(|(word, _)| *word);
        let help = match tide::suggest(&text.value, words.clone()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("write one of: {}", words.collect::<Vec<_>>().join(", ")),
        };
        self.invalid(&text.place, format!("`{}` is not a valid {}", text.value, self.path(key)), &help);
        None
    }

    /// A secret by reference.
    pub(super) fn secret(&self, key: &'static str) -> Option<SecretRef> {
        self.string(key).and_then(|text| self.secret_ref(text))
    }

    /// Secrets by reference.
    pub(super) fn secrets(&self, key: &'static str) -> Vec<SecretRef> {
        self.strings(key).into_iter().filter_map(|text| self.secret_ref(text)).collect()
    }

    fn secret_ref(&self, text: Located<String>) -> Option<SecretRef> {
        let location = match text.value.split_once(':') {
            Some(("env", name)) if !name.is_empty() => SecretLocation::Env(name.to_owned()),
            Some(("file", path)) if !path.is_empty() => SecretLocation::File(path.to_owned()),
            _ => {
                let diagnostic = Diagnostic::error("C0105", "a secret may not stand in the configuration")
                    .help("write \"env:NAME\" or \"file:PATH\", and treat the secret that stood here as known to others");
                self.reader.push(text.place.diagnose(diagnostic, "expected a reference"));
                return None;
            }
        };
        Some(SecretRef { location, place: text.place })
    }

    /// Reports a value that cannot be used.
    pub(super) fn invalid(&self, place: &Place, message: String, help: &str) {
        self.reader.push(place.diagnose(Diagnostic::error("C0104", message).help(help), "this value"));
    }

    /// Reports two keys, or two tables, that do not go together.
    pub(super) fn conflict(&self, place: &Place, message: String, help: &str) {
        self.reader.push(place.diagnose(Diagnostic::error("C0107", message).help(help), "here"));
    }

    /// Reports something doubtful that still works.
    pub(super) fn warn(&self, message: String, help: &str) {
        let place = Place::Span(self.header_span());
        self.reader.push(place.diagnose(Diagnostic::warning("C0111", message).help(help), "in this table"));
    }

    /// Reports a key that must be there.
    pub(super) fn missing(&self, key: &str, example: &str) {
        let diagnostic = Diagnostic::error("C0103", format!("{} is missing", self.path(key)))
            .help(format!("add {key} = {example}"));
        self.reader.push(diagnostic.label(self.header_span(), "in this table"));
    }

    /// Reports what nobody asked for. Every section that was opened must be finished.
    pub(super) fn finish(&self) {
        let asked = self.asked.borrow();
        for key in self.table.iter().flat_map(|table| table.keys()) {
            let name = key.get_ref().as_ref();
            if asked.contains(&name) {
                continue;
            }
            let help = match tide::suggest(name, asked.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", asked.join(", ")),
            };
            let diagnostic =
                Diagnostic::error("C0101", format!("unknown key `{}`", self.path(name))).help(help);
            self.reader.push(diagnostic.label(to_span(key.span()), "not a key of this table"));
        }
        self.finish_overrides(&asked);
    }

    fn finish_overrides(&self, asked: &[&'static str]) {
        let prefix = format!("{}.", self.name);
        for (path, over) in &self.reader.overrides.0 {
            let Some(key) = path.strip_prefix(&prefix) else { continue };
            if !asked.contains(&key) {
                let near = tide::suggest(key, asked.iter().copied()).unwrap_or_else(|| asked.join(", "));
                let message = format!("{} sets `{path}`, which does not exist", over.origin);
                self.reader.push(Diagnostic::error("C0101", message).help(format!("known: {near}")));
            }
        }
    }

    fn find(&self, key: &'static str) -> Option<(Raw<'a>, Place)> {
        self.ask(key);
        if let Some(over) = self.reader.overrides.0.get(&self.path(key)) {
            return Some((Raw::Text(&over.value), Place::Override(over.origin.clone())));
        }
        if let Some(value) = self.table.and_then(|t| t.get(key)) {
            return Some((Raw::Toml(value.get_ref()), Place::Span(to_span(value.span()))));
        }
        let value = self.defaults.and_then(|d| d.get(key))?;
        Some((Raw::Toml(value.get_ref()), Place::Override("built-in default".to_owned())))
    }

    fn ask(&self, key: &'static str) {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
    }

    fn wrong_type(&self, key: &str, place: &Place, expected: &str, found: &str) {
        let message = format!("{} must be {expected}, not {}", self.path(key), with_article(found));
        self.reader
            .push(place.diagnose(Diagnostic::error("C0102", message), &format!("expected {expected}")));
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// A table's span reaches over its whole text; one line of it is enough to find it.
    fn header_span(&self) -> Span {
        Span { start: self.span.start, end: self.span.end.min(self.span.start + self.name.len() + 4) }
    }

    /// Whether the file has `key`, whatever stands there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// Where the value of `key` stands, or this section when the key is absent.
    pub(super) fn place_of(&self, key: &str) -> Place {
        let value = self.table.and_then(|table| table.get(key));
        value.map_or_else(|| self.place(), |value| Place::Span(to_span(value.span())))
    }

    /// Where this section stands.
    pub(super) fn place(&self) -> Place {
        Place::Span(self.header_span())
    }
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {kind}")
}

fn to_span(range: std::ops::Range<usize>) -> Span {
    Span { start: range.start, end: range.end }
}
