//! Bytes to typed values, in one pass, driven by the declared types.
//!
//! A value of the wrong shape is noted with its pointer and reading goes on, so that one run names
//! every fault of an event. Only what is not JSON ends the pass at once.

use std::borrow::Cow;
use std::rc::Rc;

use rust_decimal::Decimal;

use crate::diagnostic::suggest;
use crate::json::{Fault, Read, Reader, all_distinct};
use crate::limits::Limits;
use crate::refinement::{Refinement, broken};
use crate::reject::{Outcome, Reject, RejectCode, escaped};
use crate::types::{Field, Record, Type, Types};
use crate::value::{Entry, RecordValue, Text, Value};

/// Decodes an event of the given type.
pub(crate) fn decode<'a>(
    bytes: &'a [u8],
    types: &'a Types,
    ty: &'a Type,
    limits: &Limits,
) -> Result<Value<'a>, Outcome> {
    let not_json = |fault: Fault| Outcome::NotJson(fault.into_reject());
    let reader = Reader::new(bytes, limits.max_depth).map_err(not_json)?;
    let mut decoder = Decoder { reader, types, limits, failures: Vec::new(), path: Vec::new() };
    let value = decoder.plain_value(ty).and_then(|value| decoder.reader.finish().map(|()| value));
    match value {
        Ok(value) => {
            decoder.note_duplicate();
            if decoder.failures.is_empty() { Ok(value) } else { Err(Outcome::Rejected(decoder.failures)) }
        }
        Err(fault) if fault.is_too_deep() => {
            let pointer = decoder.pointer();
            Err(Outcome::Rejected(vec![Reject::new(RejectCode::TooDeep, pointer, fault.message())]))
        }
        Err(fault) => Err(not_json(fault)),
    }
}

enum Step<'a> {
    Field(Cow<'a, str>),
    Item(usize),
}

struct Decoder<'a, 'l> {
    reader: Reader<'a>,
    types: &'a Types,
    limits: &'l Limits,
    failures: Vec<Reject>,
    /// The way from the root to the value at the cursor.
    path: Vec<Step<'a>>,
}

impl<'a> Decoder<'a, '_> {
    // --- failures ---

    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in &self.path {
            pointer.push('/');
            match step {
                Step::Field(name) => pointer.push_str(&escaped(name)),
                Step::Item(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }

    fn fail(&mut self, code: RejectCode, message: String) {
        if self.failures.len() < self.limits.max_failures.max(1) {
            self.failures.push(Reject::new(code, self.pointer(), message));
        }
    }

    fn fail_at(&mut self, name: Cow<'a, str>, code: RejectCode, message: String) {
        self.path.push(Step::Field(name));
        self.fail(code, message);
        self.path.pop();
    }

    /// Skips a value of the wrong type and notes what it was.
    fn mismatch(&mut self, ty: &Type) -> Read<Value<'a>> {
        let raw = self.reader.skip_value()?;
        let message = format!("expected {}, found {}", expectation(self.types, ty), describe(raw));
        self.fail(RejectCode::TypeMismatch, message);
        Ok(Value::Absent)
    }

    /// Keys that stand twice inside skipped values are noted at the field that was skipped.
    fn note_duplicate(&mut self) {
        if let Some(key) = self.reader.duplicate.take() {
            self.fail(RejectCode::DuplicateKey, format!("the key \"{}\" stands twice", shorten(&key)));
        }
    }

    // --- values ---

    fn value(&mut self, ty: &'a Type, refinements: &'a [Refinement]) -> Read<Value<'a>> {
        if let Type::Optional(inner) = ty {
            return if self.reader.null()? { Ok(Value::Absent) } else { self.value(inner, refinements) };
        }
        let failures = self.failures.len();
        let start = self.reader.offset();
        let value = self.plain_value(ty)?;
        if !refinements.is_empty()
            && self.failures.len() == failures
            && let Some((code, expected)) = broken(refinements, &value)
        {
            let found = describe(self.reader.since(start));
            self.fail(code, format!("expected {expected}, found {found}"));
        }
        Ok(value)
    }

    fn plain_value(&mut self, ty: &'a Type) -> Read<Value<'a>> {
        match (ty, self.reader.peek()) {
            (Type::Int, b'-' | b'0'..=b'9') => self.int(ty),
            (Type::Decimal, b'-' | b'0'..=b'9') => self.decimal(),
            (Type::Float, b'-' | b'0'..=b'9') => self.float(),
            (Type::Bool, b't' | b'f') => self.reader.boolean().map(Value::Bool),
            (Type::String, b'"') => self.text().map(Value::Text),
            (Type::Currency, b'"') => self.currency(),
            (Type::Union(id), b'"') => self.member(&self.types.unions[*id].members),
            (Type::List(item), b'[') => self.list(item),
            (Type::Map(value), b'{') => self.map(value),
            (Type::Record(id), b'{') => self.record(*id),
            (Type::Choice(id), b'{') => self.choice(*id),
            (Type::Json, _) => {
                let raw = self.reader.skip_value()?;
                self.note_duplicate();
                Ok(Value::Raw(raw))
            }
            _ => self.mismatch(ty),
        }
    }

    fn int(&mut self, ty: &Type) -> Read<Value<'a>> {
        let text = self.reader.number()?;
        if let Ok(value) = text.parse() {
            return Ok(Value::Int(value));
        }
        if text.contains(['.', 'e', 'E']) {
            let message = format!("expected {}, found {}", expectation(self.types, ty), describe(text));
            self.fail(RejectCode::TypeMismatch, message);
        } else {
            let message = format!("expected an integer of 64 bits, found {}", describe(text));
            self.fail(RejectCode::OutOfRange, message);
        }
        Ok(Value::Absent)
    }

    fn decimal(&mut self) -> Read<Value<'a>> {
        let text = self.reader.number()?;
        match exact_decimal(text) {
            Some(value) => Ok(Value::Decimal(value)),
            None => {
                let message = format!("expected a number of at most 28 digits, found {}", describe(text));
                self.fail(RejectCode::OutOfRange, message);
                Ok(Value::Absent)
            }
        }
    }

    fn float(&mut self) -> Read<Value<'a>> {
        let text = self.reader.number()?;
        let value = text.parse::<f64>().unwrap_or(f64::INFINITY);
        if !value.is_finite() {
            let message = format!("expected a number that fits a Float, found {}", describe(text));
            self.fail(RejectCode::OutOfRange, message);
        }
        Ok(Value::Float(value))
    }

    fn text(&mut self) -> Read<Text<'a>> {
        let text = self.reader.string()?;
        let limit = self.limits.max_string_bytes;
        if text.len() > limit {
            let message = format!("expected at most {limit} bytes, found a string of {} bytes", text.len());
            self.fail(RejectCode::Length, message);
        }
        Ok(text_of(text))
    }

    fn currency(&mut self) -> Read<Value<'a>> {
        let start = self.reader.offset();
        let text = self.text()?;
        if !is_currency(text.as_str()) {
            let found = describe(self.reader.since(start));
            let message = format!("expected a currency of three capital letters, found {found}");
            self.fail(RejectCode::Pattern, message);
        }
        Ok(Value::Text(text))
    }

    fn member(&mut self, members: &'a [String]) -> Read<Value<'a>> {
        let start = self.reader.offset();
        let text = self.reader.string()?;
        if let Some(member) = members.iter().find(|member| **member == text) {
            return Ok(Value::Text(Text::Borrowed(member)));
        }
        let found = describe(self.reader.since(start));
        let shown: Vec<String> = members.iter().take(8).map(|member| format!("\"{member}\"")).collect();
        let more = if members.len() > 8 { ", ..." } else { "" };
        let mut message = format!("expected one of {}{more}, found {found}", shown.join(", "));
        if let Some(meant) = suggest(shorten(&text), members.iter().map(String::as_str)) {
            message.push_str(&format!("; did you mean \"{meant}\"?"));
        }
        self.fail(RejectCode::NotInUnion, message);
        Ok(Value::Absent)
    }

    fn list(&mut self, item: &'a Type) -> Read<Value<'a>> {
        self.reader.open()?;
        let mut items = Vec::new();
        let mut count = 0;
        let mut first = true;
        while self.reader.next_item(&mut first)? {
            self.path.push(Step::Item(count));
            // Items beyond the limit are still checked to be JSON, but no longer kept.
            if count < self.limits.max_list_items {
                items.push(self.value(item, &[])?);
            } else {
                self.reader.skip_value()?;
            }
            self.path.pop();
            count += 1;
        }
        if count > self.limits.max_list_items {
            let limit = self.limits.max_list_items;
            self.fail(RejectCode::Length, format!("expected at most {limit} items, found {count}"));
        }
        Ok(Value::List(Rc::new(items)))
    }

    fn map(&mut self, value: &'a Type) -> Read<Value<'a>> {
        self.reader.open()?;
        let mut entries: Vec<Entry<'a>> = Vec::new();
        let mut count = 0;
        let mut first = true;
        while let Some(key) = self.reader.next_key(&mut first)? {
            self.path.push(Step::Field(key.clone()));
            // Entries beyond the limit are still checked to be JSON, but no longer kept.
            if count < self.limits.max_list_items {
                let value = self.value(value, &[])?;
                entries.push((text_of(key), value));
            } else {
                self.reader.skip_value()?;
            }
            self.path.pop();
            count += 1;
        }
        if count > self.limits.max_list_items {
            let limit = self.limits.max_list_items;
            self.fail(RejectCode::Length, format!("expected at most {limit} entries, found {count}"));
        }
        self.repeated(entries.iter().map(|(key, _)| key.as_str()));
        Ok(Value::Map(Rc::new(entries)))
    }

    // --- records ---

    /// Reads a record of which a field tells the case. The field may stand anywhere, so it is looked
    /// for first. Where it is missing or unknown, what all cases share is read, and the fault noted.
    fn choice(&mut self, id: usize) -> Read<Value<'a>> {
        let choice = &self.types.choices[id];
        let tag = self.types.records[choice.shared].fields.first().map_or("", |field| field.name.as_str());
        let tag = self.reader.text_field(tag);
        let case = tag.and_then(|tag| choice.cases.iter().find(|case| case.tags.iter().any(|t| *t == tag)));
        self.record(case.map_or(choice.shared, |case| case.record))
    }

    fn record(&mut self, id: usize) -> Read<Value<'a>> {
        let record = &self.types.records[id];
        self.reader.open()?;
        let mut fields = vec![Value::Absent; record.fields.len()];
        let mut rest = Vec::new();
        let mut seen = 0_u128;
        let mut expected = 0;
        let mut first = true;
        while let Some(key) = self.reader.next_key(&mut first)? {
            if let Some(index) = find(&record.fields, &key, expected) {
                expected = index + 1;
                self.field(&record.fields[index], &mut fields[index], &mut seen, index)?;
            } else {
                let raw = self.other_field(record, &key)?;
                rest.push((key, raw));
            }
        }
        self.repeated(rest.iter().map(|(key, _)| key.as_ref()));
        self.missing_fields(record, seen);
        if !record.keeps_rest {
            rest.clear();
        }
        Ok(Value::Record(Rc::new(RecordValue { record: id, fields, rest })))
    }

    fn field(&mut self, field: &'a Field, slot: &mut Value<'a>, seen: &mut u128, index: usize) -> Read<()> {
        self.path.push(Step::Field(Cow::Borrowed(&field.name)));
        if *seen & (1 << index) != 0 {
            self.fail(RejectCode::DuplicateKey, format!("the key \"{}\" stands twice", field.name));
        }
        *seen |= 1 << index;
        *slot = self.value(&field.ty, &field.refinements)?;
        self.path.pop();
        Ok(())
    }

    fn other_field(&mut self, record: &'a Record, key: &Cow<'a, str>) -> Read<&'a str> {
        self.path.push(Step::Field(key.clone()));
        if !record.open {
            let names = record.fields.iter().map(|field| field.name.as_str());
            let mut message = "this field is not declared".to_string();
            if let Some(meant) = suggest(shorten(key), names) {
                message.push_str(&format!("; did you mean \"{meant}\"?"));
            }
            self.fail(RejectCode::UnknownField, message);
        }
        let raw = self.reader.skip_value()?;
        self.note_duplicate();
        self.path.pop();
        Ok(raw)
    }

    fn repeated<'k>(&mut self, keys: impl Iterator<Item = &'k str> + Clone) {
        if all_distinct(keys.clone()) {
            return;
        }
        let mut keys: Vec<&str> = keys.collect();
        keys.sort_unstable();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            let message = format!("the key \"{}\" stands twice", shorten(pair[0]));
            self.fail_at(Cow::Owned(pair[0].to_string()), RejectCode::DuplicateKey, message);
        }
    }

    fn missing_fields(&mut self, record: &'a Record, seen: u128) {
        for (index, field) in record.fields.iter().enumerate() {
            if seen & (1 << index) == 0 && !matches!(field.ty, Type::Optional(_)) {
                let message = format!("expected {}, found no such field", expectation(self.types, &field.ty));
                self.fail_at(Cow::Borrowed(&field.name), RejectCode::MissingField, message);
            }
        }
    }
}

fn text_of(text: Cow<'_, str>) -> Text<'_> {
    match text {
        Cow::Borrowed(text) => Text::Borrowed(text),
        Cow::Owned(text) => text.into(),
    }
}

/// The field of that name; the one at `expected` is tried first, as events keep an order.
fn find(fields: &[Field], key: &str, expected: usize) -> Option<usize> {
    if fields.get(expected).is_some_and(|field| field.name == key) {
        return Some(expected);
    }
    fields.iter().position(|field| field.name == key)
}

/// Three capital letters, as in ISO 4217.
pub(crate) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The number as a Decimal, or nothing when it cannot be held digit for digit.
pub(crate) fn exact_decimal(text: &str) -> Option<Decimal> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return Decimal::from_str_exact(text).ok();
    };
    let exponent: i32 = exponent.parse().ok()?;
    let base = Decimal::from_str_exact(mantissa).ok()?.normalize();
    let scale = i64::from(base.scale()) - i64::from(exponent);
    if base.is_zero() {
        return Some(Decimal::ZERO);
    }
    if scale >= 0 {
        let scale = u32::try_from(scale).ok().filter(|scale| *scale <= Decimal::MAX_SCALE)?;
        return Decimal::try_from_i128_with_scale(base.mantissa(), scale).ok();
    }
    let power = u32::try_from(-scale).ok().filter(|power| *power <= 28)?;
    let mantissa = base.mantissa().checked_mul(10_i128.checked_pow(power)?)?;
    Decimal::try_from_i128_with_scale(mantissa, 0).ok()
}

fn expectation(types: &Types, ty: &Type) -> String {
    match ty.present() {
        Type::Int => "an integer".into(),
        Type::Decimal | Type::Float => "a number".into(),
        Type::Bool => "true or false".into(),
        Type::String => "a string".into(),
        Type::Currency => "a currency of three capital letters".into(),
        Type::Union(id) => format!("one of {} known strings", types.unions[*id].members.len()),
        Type::Record(_) | Type::Choice(_) | Type::Map(_) => "an object".into(),
        Type::List(_) => "an array".into(),
        _ => "a value".into(),
    }
}

/// What a piece of JSON is, with its beginning.
fn describe(raw: &str) -> String {
    let kind = match raw.as_bytes().first() {
        Some(b'"') => "the string ",
        Some(b'{') => return "an object".into(),
        Some(b'[') => return "an array".into(),
        Some(b'-' | b'0'..=b'9') => "the number ",
        _ => "",
    };
    let short = shorten(raw);
    let dots = if short.len() < raw.len() { "..." } else { "" };
    format!("{kind}{short}{dots}")
}

/// The first characters, as many as a message may quote.
fn shorten(text: &str) -> &str {
    &text[..text.floor_char_boundary(48)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_or_refused() {
        let shown = |text| exact_decimal(text).map(|value| value.to_string());
        assert_eq!(shown("12.50").as_deref(), Some("12.50"));
        assert_eq!(shown("1.25e1").as_deref(), Some("12.5"));
        assert_eq!(shown("125e-2").as_deref(), Some("1.25"));
        assert_eq!(shown("1e28").as_deref(), Some("10000000000000000000000000000"));
        assert_eq!(shown("1e29"), None);
        assert_eq!(shown("1e-29"), None);
        assert_eq!(shown("0.12345678901234567890123456789"), None);
    }
}
