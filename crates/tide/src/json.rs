//! A strict one-pass reader of JSON (RFC 8259) over a slice; it builds no tree.
//!
//! The caller pulls what its schema asks for and skips the rest. Skipped parts are checked as
//! strictly as read ones: escapes, surrogates, numbers, nesting and duplicate keys.

use std::borrow::Cow;

use crate::limits::MAX_JSON_DEPTH;
use crate::reject::{Reject, RejectCode};

/// Checks that bytes are JSON by the rules that events are held to, without a schema.
///
/// # Errors
/// The first fault: `malformed` with the byte where it lies, `duplicate_key`, or `too_deep` when
/// arrays and objects are nested deeper than `max_depth` (at most 256).
pub fn is_valid_json(bytes: &[u8], max_depth: usize) -> Result<(), Reject> {
    let mut reader = Reader::new(bytes, max_depth).map_err(Fault::into_reject)?;
    reader.skip_value().and_then(|_| reader.finish()).map_err(Fault::into_reject)?;
    match reader.duplicate.take() {
        Some(key) => {
            Err(Reject::new(RejectCode::DuplicateKey, "", format!("the key \"{key}\" stands twice")))
        }
        None => Ok(()),
    }
}

/// Why reading cannot go on.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) offset: usize,
    message: &'static str,
    code: RejectCode,
}

impl Fault {
    pub(crate) fn into_reject(self) -> Reject {
        Reject::new(self.code, "", format!("{} at byte {}", self.message, self.offset))
    }

    /// Whether the bytes may still be JSON, only deeper than allowed.
    pub(crate) fn is_too_deep(&self) -> bool {
        self.code == RejectCode::TooDeep
    }

    pub(crate) fn message(&self) -> &'static str {
        self.message
    }
}

pub(crate) type Read<T> = Result<T, Fault>;

/// The reader. After a fault it must not be used again.
pub(crate) struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    max_depth: usize,
    /// Keys of the objects that are being skipped, the innermost last.
    keys: Vec<Cow<'a, str>>,
    /// The first duplicate key met while skipping.
    pub(crate) duplicate: Option<String>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], max_depth: usize) -> Read<Self> {
        let text = std::str::from_utf8(bytes).map_err(|error| Fault {
            offset: error.valid_up_to(),
            message: "not UTF-8",
            code: RejectCode::Malformed,
        })?;
        let max_depth = max_depth.min(MAX_JSON_DEPTH);
        Ok(Reader { text, bytes, at: 0, depth: 0, max_depth, keys: Vec::new(), duplicate: None })
    }

    /// The first byte of the next token; 0 at the end.
    pub(crate) fn peek(&mut self) -> u8 {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.byte()
    }

    fn byte(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn fault<T>(&self, message: &'static str) -> Read<T> {
        Err(Fault { offset: self.at, message, code: RejectCode::Malformed })
    }

    /// Looks for a string field of the object that comes next, without taking anything.
    /// What is not JSON is found again by whoever takes the object.
    pub(crate) fn text_field(&mut self, name: &str) -> Option<Cow<'a, str>> {
        let before = (self.at, self.depth, self.keys.len(), self.duplicate.take());
        let text = self.find_text(name).unwrap_or(None);
        self.keys.truncate(before.2);
        (self.at, self.depth, _, self.duplicate) = before;
        text
    }

    fn find_text(&mut self, name: &str) -> Read<Option<Cow<'a, str>>> {
        self.open()?;
        let mut first = true;
        while let Some(key) = self.next_key(&mut first)? {
            if key == name {
                return if self.peek() == b'"' { self.string().map(Some) } else { Ok(None) };
            }
            self.skip_value()?;
        }
        Ok(None)
    }

    /// Sees to it that nothing but blanks follows.
    pub(crate) fn finish(&mut self) -> Read<()> {
        self.peek();
        if self.at == self.bytes.len() { Ok(()) } else { self.fault("unexpected text after the value") }
    }

    /// Takes `null` if it comes next.
    pub(crate) fn null(&mut self) -> Read<bool> {
        if self.peek() != b'n' {
            return Ok(false);
        }
        self.word("null").map(|()| true)
    }

    /// Takes `true` or `false`.
    pub(crate) fn boolean(&mut self) -> Read<bool> {
        let value = self.peek() == b't';
        self.word(if value { "true" } else { "false" })?;
        Ok(value)
    }

    fn word(&mut self, word: &'static str) -> Read<()> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return self.fault("unexpected character");
        }
        self.at += word.len();
        Ok(())
    }

    /// Takes a number and returns its text.
    pub(crate) fn number(&mut self) -> Read<&'a str> {
        self.peek();
        let start = self.at;
        if self.byte() == b'-' {
            self.at += 1;
        }
        if self.byte() == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.byte(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Read<()> {
        if !self.byte().is_ascii_digit() {
            return self.fault("a digit is missing");
        }
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
        Ok(())
    }

    /// Takes a string and resolves its escapes; without escapes it is a slice of the input.
    pub(crate) fn string(&mut self) -> Read<Cow<'a, str>> {
        if self.peek() != b'"' {
            return self.fault("expected a string");
        }
        self.at += 1;
        let start = self.at;
        self.plain_run();
        if self.byte() == b'"' {
            let text = &self.text[start..self.at];
            self.at += 1;
            return Ok(Cow::Borrowed(text));
        }
        self.escaped_string(start).map(Cow::Owned)
    }

    /// Moves over characters that stand for themselves.
    fn plain_run(&mut self) {
        self.at += plain_length(&self.bytes[self.at..]);
    }

    fn escaped_string(&mut self, start: usize) -> Read<String> {
        let mut value = String::from(&self.text[start..self.at]);
        loop {
            match self.byte() {
                b'"' => {
                    self.at += 1;
                    return Ok(value);
                }
                b'\\' => value.push(self.escape()?),
                _ if self.at == self.bytes.len() => return self.fault("the string is never closed"),
                _ => return self.fault("control character in a string"),
            }
            let run = self.at;
            self.plain_run();
            value.push_str(&self.text[run..self.at]);
        }
    }

    fn escape(&mut self) -> Read<char> {
        self.at += 1;
        let letter = self.byte();
        let plain = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return self.fault("unknown escape"),
        };
        self.at += 1;
        Ok(plain)
    }

    fn unicode_escape(&mut self) -> Read<char> {
        let start = self.at - 1;
        let first = self.hex()?;
        let code = if (0xd800..0xdc00).contains(&first) && self.bytes[self.at..].starts_with(b"\\u") {
            self.at += 1;
            let second = self.hex()?;
            if !(0xdc00..0xe000).contains(&second) {
                self.at = start;
                return self.fault("lone surrogate");
            }
            0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        match char::from_u32(code) {
            Some(character) => Ok(character),
            None => {
                self.at = start;
                self.fault("lone surrogate")
            }
        }
    }

    /// Takes `u` and four hexadecimal digits.
    fn hex(&mut self) -> Read<u32> {
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = char::from(self.byte()).to_digit(16) else {
                return self.fault("four hexadecimal digits must follow \\u");
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    /// Takes the bracket that opens an array or object.
    pub(crate) fn open(&mut self) -> Read<()> {
        if self.depth >= self.max_depth {
            let message = "arrays and objects are nested too deeply";
            return Err(Fault { offset: self.at, message, code: RejectCode::TooDeep });
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// Takes the next key of an object and its colon, or the closing brace.
    pub(crate) fn next_key(&mut self, first: &mut bool) -> Read<Option<Cow<'a, str>>> {
        if !self.next_member(first, b'}')? {
            return Ok(None);
        }
        let key = self.string()?;
        if self.peek() != b':' {
            return self.fault("expected `:`");
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Moves to the next item of an array, or takes the closing bracket and returns false.
    pub(crate) fn next_item(&mut self, first: &mut bool) -> Read<bool> {
        self.next_member(first, b']')
    }

    fn next_member(&mut self, first: &mut bool, close: u8) -> Read<bool> {
        let next = self.peek();
        if next == close {
            self.at += 1;
            self.depth -= 1;
            return Ok(false);
        }
        if std::mem::replace(first, false) {
            return Ok(true);
        }
        if next != b',' {
            return self.fault("expected `,` or a closing bracket");
        }
        self.at += 1;
        if self.peek() == close { self.fault("a comma too many") } else { Ok(true) }
    }

    /// Where the next token begins.
    pub(crate) fn offset(&mut self) -> usize {
        self.peek();
        self.at
    }

    /// The text between an offset and the cursor.
    pub(crate) fn since(&self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    /// Checks the next value and returns its text.
    pub(crate) fn skip_value(&mut self) -> Read<&'a str> {
        let first = self.peek();
        let start = self.at;
        match first {
            b'"' => drop(self.string()?),
            b'{' => self.skip_object()?,
            b'[' => {
                self.open()?;
                let mut first = true;
                while self.next_item(&mut first)? {
                    self.skip_value()?;
                }
            }
            b't' | b'f' => drop(self.boolean()?),
            b'n' => self.word("null")?,
            b'-' | b'0'..=b'9' => drop(self.number()?),
            _ if self.at == self.bytes.len() => return self.fault("the text ends too soon"),
            _ => return self.fault("unexpected character"),
        }
        Ok(self.since(start))
    }

    fn skip_object(&mut self) -> Read<()> {
        self.open()?;
        let start = self.keys.len();
        let mut first = true;
        while let Some(key) = self.next_key(&mut first)? {
            self.keys.push(key);
            self.skip_value()?;
        }
        let keys = &mut self.keys[start..];
        if let Some(key) = repeated(keys) {
            self.duplicate.get_or_insert_with(|| key.to_string());
        }
        self.keys.truncate(start);
        Ok(())
    }
}

/// A key that stands twice, if there is one; reorders the keys.
fn repeated<'k>(keys: &'k mut [Cow<'_, str>]) -> Option<&'k str> {
    if all_distinct(keys.iter().map(AsRef::as_ref)) {
        return None;
    }
    // Few keys are compared pair by pair; sorting many keeps the cost of hostile objects down.
    if keys.len() > 12 {
        keys.sort_unstable();
        return keys.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| &*pair[0]);
    }
    (1..keys.len()).find(|&index| keys[..index].contains(&keys[index])).map(|index| &*keys[index])
}

/// Whether keys differ already by their lengths and a few of their bytes, which is cheap to see.
pub(crate) fn all_distinct<'k>(mut keys: impl Iterator<Item = &'k str>) -> bool {
    let mut seen = [0_u64; 4];
    keys.all(|key| {
        let bytes = key.as_bytes();
        let byte = |at: usize| bytes.get(at).map_or(0, |byte| usize::from(*byte));
        let length = bytes.len();
        let mark = byte(0) + 5 * byte(length / 2) + 17 * byte(length.saturating_sub(1)) + 41 * length;
        let (word, bit) = (&mut seen[mark >> 6 & 3], 1 << (mark & 63));
        let known = *word & bit != 0;
        *word |= bit;
        !known
    })
}

/// How many bytes stand for themselves in a string, up to a quote, a backslash or a control character.
fn plain_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    // Eight bytes at once; only the eight in which something is found are looked at one by one.
    while let Some(word) = bytes[at..].first_chunk::<8>() {
        if has_special(u64::from_le_bytes(*word)) {
            break;
        }
        at += 8;
    }
    let special = bytes[at..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
    special.map_or(bytes.len(), |found| at + found)
}

/// Whether one of eight bytes is a quote, a backslash or a control character.
fn has_special(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // A byte borrows into its highest bit when it is smaller than what is taken from it.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGH;
    let equals = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    below(word, 0x20) | equals(b'"') | equals(b'\\') != 0
}

/// Writes a string with its quotes.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    loop {
        let at = plain_length(rest.as_bytes());
        let Some(special) = rest.as_bytes().get(at) else { break };
        out.push_str(&rest[..at]);
        match special {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte => {
                out.push_str("\\u00");
                out.push(char::from(b'0' + (byte >> 4)));
                out.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_bytes_are_found_wherever_they_stand() {
        for special in (0..=255).map(char::from).filter(|c| c.is_ascii()) {
            for at in 0..20 {
                let text = format!("{}{special}{}", "é".repeat(at), "x".repeat(20));
                let wanted =
                    if matches!(special, '"' | '\\' | '\0'..='\u{1f}') { 2 * at } else { text.len() };
                assert_eq!(plain_length(text.as_bytes()), wanted, "{special:?} at {at}");
            }
        }
    }

    fn code(text: &[u8]) -> Option<RejectCode> {
        is_valid_json(text, 4).err().map(|reject| reject.code)
    }

    #[test]
    fn what_is_json_and_what_is_not() {
        for text in ["1", " [1, {\"a\": [null]}] ", "\"\\ud83d\\ude00\"", "-0.5e+3", "{}", "[]"] {
            assert_eq!(code(text.as_bytes()), None, "{text}");
        }
        for text in
            ["", "01", "1.", "[1,]", "{\"a\":1,}", "\"\\x\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "nul"]
        {
            assert_eq!(code(text.as_bytes()), Some(RejectCode::Malformed), "{text}");
        }
        assert_eq!(code(b"\"\xff\""), Some(RejectCode::Malformed));
        assert_eq!(code(b"1 2"), Some(RejectCode::Malformed));
        assert_eq!(code(b"[[[[[1]]]]]"), Some(RejectCode::TooDeep));
        assert_eq!(code(br#"{"a":1,"\u0061":2}"#), Some(RejectCode::DuplicateKey));
    }

    #[test]
    fn duplicate_keys_are_found_among_many() {
        let mut text: String = (0..100).map(|n| format!("\"k{n}\":1,")).collect();
        text = format!("{{{text}\"k50\":2}}");
        assert_eq!(code(text.as_bytes()), Some(RejectCode::DuplicateKey));
    }
}
