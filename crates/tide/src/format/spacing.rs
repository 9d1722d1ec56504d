//! Which tokens stand apart.

use super::lines::{Item, Line};

/// What a token is to its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A name, or the name of a field.
    Word,
    /// A word after which a bracket is no call.
    Keyword,
    /// A number, a string, or JSON.
    Literal,
    /// `(` or `[`.
    Open,
    /// `)` or `]`.
    Close,
    OpenBrace,
    CloseBrace,
    Comma,
    Colon,
    /// `.` or `?.`.
    Dot,
    /// The `?` of a type.
    Question,
    /// `<` behind `List` or `Map`.
    OpenType,
    CloseType,
    /// The minus before a value.
    Sign,
    /// The dots of a length, which stand close: `1..=64`.
    Dots,
    Operator,
}

const KEYWORDS: [&str; 14] = [
    "if", "else", "for", "return", "reject", "match", "and", "or", "not", "in", "is", "expect", "given", "by",
];

/// Tells what the tokens are; words and symbols come in as words and operators.
pub(super) fn classify(lines: &mut [Line<'_>]) {
    let mut context = Context { before: [("", Class::Operator); 2], open: Vec::new(), types: 0 };
    for line in lines {
        for index in 0..line.items.len() {
            let next = line.items.get(index + 1).map_or("", |item| item.text);
            let item = &mut line.items[index];
            item.class = context.class(item, index == 0, next);
            context.take(item.text, item.class);
        }
    }
}

struct Context<'a> {
    /// The two tokens before, the nearest last.
    before: [(&'a str, Class); 2],
    /// The brackets that are open.
    open: Vec<Class>,
    /// How many `<` are open.
    types: usize,
}

impl<'a> Context<'a> {
    fn class(&self, item: &Item<'_>, starts_line: bool, next: &str) -> Class {
        let [(farther, farther_class), (nearest, nearest_class)] = self.before;
        match (item.class, item.text) {
            (Class::Word, text) => {
                let field = nearest_class == Class::Dot || next == ":";
                if KEYWORDS.contains(&text) && !field { Class::Keyword } else { Class::Word }
            }
            (Class::Operator, "(" | "[") => Class::Open,
            (Class::Operator, ")" | "]") => Class::Close,
            (Class::Operator, "{") => Class::OpenBrace,
            (Class::Operator, "}") => Class::CloseBrace,
            (Class::Operator, ",") => Class::Comma,
            (Class::Operator, ":") => Class::Colon,
            (Class::Operator, "." | "?.") => Class::Dot,
            (Class::Operator, "?") => Class::Question,
            (Class::Operator, "<") if matches!(nearest, "List" | "Map") && farther_class != Class::Dot => {
                Class::OpenType
            }
            (Class::Operator, ">") if self.types > 0 => Class::CloseType,
            (Class::Operator, "-") if self.is_sign(starts_line) => Class::Sign,
            (Class::Operator, ".." | "..<" | "..=") if farther == "length" => Class::Dots,
            (class, _) => class,
        }
    }

    /// Whether a minus stands before a value, not between two.
    fn is_sign(&self, starts_line: bool) -> bool {
        let inside = self.open.last() == Some(&Class::Open);
        let behind_value = matches!(
            self.before[1].1,
            Class::Word | Class::Literal | Class::Close | Class::CloseBrace | Class::Question
        );
        !behind_value || (starts_line && !inside)
    }

    fn take(&mut self, text: &'a str, class: Class) {
        match class {
            Class::Open | Class::OpenBrace => self.open.push(class),
            Class::Close | Class::CloseBrace => drop(self.open.pop()),
            Class::OpenType => self.types += 1,
            Class::CloseType => self.types -= 1,
            _ => {}
        }
        self.before = [self.before[1], (text, class)];
    }
}

/// Whether a blank stands between two tokens of a line.
pub(super) fn parted(left: &Item<'_>, right: &Item<'_>) -> bool {
    use Class::{
        Close, CloseBrace, CloseType, Colon, Comma, Dot, Dots, Literal, Open, OpenBrace, OpenType, Question,
        Sign, Word,
    };
    let close = matches!(
        (left.class, right.class),
        (Open | Dot | Sign | OpenType | Dots, _)
            | (_, Close | Comma | Colon | Question | Dot | OpenType | CloseType | Dots)
            | (OpenBrace, CloseBrace)
            | (Word | Literal | Close | CloseBrace, Open)
    );
    !close
}
