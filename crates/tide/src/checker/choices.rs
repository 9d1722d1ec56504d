//! Unions of records that a string field tells apart: `event Name by field { "a" => { ... } }`.

use super::Checker;
use super::narrowing::Fact;
use crate::diagnostic::Diagnostic;
use crate::limits::MAX_ITEMS;
use crate::plan::Node;
use crate::syntax::{CaseDeclaration, ChoiceDeclaration, Name, RecordBody, TypeKind};
use crate::types::{Case, Choice, Field, Type};
use crate::value::Constant;

/// The field that tells the cases apart stands first in each of them.
pub(super) const TAG: usize = 0;

impl<'a> Checker<'a> {
    // --- declarations ---

    pub(super) fn choice(&mut self, body: &'a RecordBody, choice: &'a ChoiceDeclaration, name: &str) -> Type {
        let mut tags: Vec<&Name> = Vec::new();
        choice.cases.iter().for_each(|case| self.distinct_tags(case, &mut tags));
        let tag = self.tag(choice, tags.iter().map(|tag| tag.text.clone()).collect());
        let shared = body.fields.iter().map(|field| self.field(field)).collect();
        let shared = self.distinct_fields(vec![tag], shared);
        let mut cases = Vec::new();
        for case in &choice.cases {
            // Each case has a copy of what all of them share, so their number is bounded in the whole file.
            self.cases += 1;
            if self.cases > MAX_ITEMS {
                self.too_many(case.fields.span, "cases in this file", MAX_ITEMS);
                break;
            }
            let record = self.case(case, choice, &shared, body.open, name);
            let tags = case.tags.iter().map(|tag| tag.text.clone()).collect();
            cases.push(Case { tags, record });
        }
        let shared = self.add_record(Some(name.to_string()), shared, true, body.span);
        self.plan.types.choices.push(Choice { name: name.to_string(), cases, shared });
        Type::Choice(self.plan.types.choices.len() - 1)
    }

    fn distinct_tags(&mut self, case: &'a CaseDeclaration, tags: &mut Vec<&'a Name>) {
        for tag in &case.tags {
            if tags.len() == MAX_ITEMS {
                self.too_many(tag.span, "cases in this union", MAX_ITEMS);
                return;
            }
            match tags.iter().find(|other| other.text == tag.text) {
                Some(first) => {
                    let shown = Name { text: format!("\"{}\"", tag.text), span: tag.span };
                    self.declared_twice(&shown, first.span);
                }
                None => tags.push(tag),
            }
        }
    }

    fn tag(&mut self, choice: &ChoiceDeclaration, tags: Vec<String>) -> Field {
        let ty = self.add_union(tags, None);
        Field::new(choice.by.text.clone(), ty, Vec::new(), choice.by.span)
    }

    /// The record of one case: the tag, what all cases share, and what is its own.
    fn case(
        &mut self,
        case: &'a CaseDeclaration,
        choice: &ChoiceDeclaration,
        shared: &[Field],
        open: bool,
        name: &str,
    ) -> usize {
        let (own, own_open) = self.own_fields(case);
        let tag = self.tag(choice, case.tags.iter().map(|tag| tag.text.clone()).collect());
        let mut fields = shared.to_vec();
        fields[TAG] = tag;
        let fields = self.distinct_fields(fields, own);
        let first = case.tags.first().map_or("", |tag| tag.text.as_str());
        let more = if case.tags.len() > 1 { " | ..." } else { "" };
        self.add_record(Some(format!("{name} \"{first}\"{more}")), fields, open || own_open, case.fields.span)
    }

    fn own_fields(&mut self, case: &'a CaseDeclaration) -> (Vec<Field>, bool) {
        if let TypeKind::Record(body) = &case.fields.kind {
            let fields = body.fields.iter().map(|field| self.field(field)).collect();
            return (fields, body.open);
        }
        match self.ty(&case.fields) {
            Type::Record(id) => {
                let record = &self.plan.types.records[id];
                (record.fields.clone(), record.open)
            }
            other => {
                if other != Type::Error {
                    let shown = self.show(&other);
                    self.report(
                        Diagnostic::error("E0103", format!("{shown} is not a record"))
                            .label(case.fields.span, "a case has the fields of a record")
                            .help("write the fields between braces, or the name of a record"),
                    );
                }
                (Vec::new(), true)
            }
        }
    }

    fn distinct_fields(&mut self, mut fields: Vec<Field>, more: Vec<Field>) -> Vec<Field> {
        for field in more {
            match fields.iter().find(|other| other.name == field.name) {
                Some(first) => {
                    let name = Name { text: field.name.clone(), span: field.span };
                    let first = first.span;
                    self.declared_twice(&name, first);
                }
                None => fields.push(field),
            }
        }
        fields
    }

    // --- what is known of a case ---

    /// The record that a value is, as far as its fields can be read: of a choice, the case that is
    /// known, or else what all cases share.
    pub(super) fn record_of(&self, ty: &Type, slot: usize, way: &[usize]) -> Option<usize> {
        match ty.present() {
            Type::Record(id) => Some(*id),
            Type::Choice(id) => {
                Some(self.known_case(slot, way).unwrap_or(self.plan.types.choices[*id].shared))
            }
            _ => None,
        }
    }

    /// That a value is of one case, if all these tags belong to it.
    pub(super) fn case_fact(&self, tag: &Node, texts: &[&Constant]) -> Option<Fact> {
        let (slot, fields) = self.followed(tag)?;
        let (last, way) = fields.split_last()?;
        let Type::Choice(choice) = self.type_at(slot, way)? else { return None };
        let has = |case: &Case, text: &&Constant| match text {
            Constant::Text(text) => case.tags.contains(text),
            _ => false,
        };
        let cases = &self.plan.types.choices[choice].cases;
        let case = cases.iter().find(|case| texts.iter().all(|text| has(case, text)))?;
        (*last == TAG).then(|| Fact::Case { slot, fields: way.to_vec(), record: case.record })
    }

    fn type_at(&self, slot: usize, way: &[usize]) -> Option<Type> {
        let mut ty = self.frame.slots.get(slot)?.ty.clone();
        for (depth, &index) in way.iter().enumerate() {
            let record = self.record_of(&ty, slot, &way[..depth])?;
            ty = self.plan.types.records.get(record)?.fields.get(index)?.ty.clone();
        }
        Some(ty.present().clone())
    }

    /// Whether a field is not shared by all cases, but some have it.
    pub(super) fn is_of_some_cases(&self, choice: usize, field: &str) -> bool {
        let shared = self.plan.types.choices[choice].shared;
        self.plan.types.records[shared].position(field).is_none()
            && !self.cases_with(choice, field).is_empty()
    }

    /// The cases that have a field, each as the pattern that asks for it.
    pub(super) fn cases_with(&self, choice: usize, field: &str) -> Vec<String> {
        let has = |case: &&Case| self.plan.types.records[case.record].position(field).is_some();
        let shown = |tag: &String| format!("\"{tag}\"");
        let cases = self.plan.types.choices[choice].cases.iter().filter(has);
        cases.map(|case| case.tags.iter().map(shown).collect::<Vec<_>>().join(" | ")).collect()
    }
}
