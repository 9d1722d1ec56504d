//! Declarations that nobody uses.

use super::Checker;
use crate::diagnostic::{Diagnostic, Severity};
use crate::syntax::Name;

impl<'a> Checker<'a> {
    /// Warns of declarations that nothing refers to. Where something was refused, a use may be
    /// among what was not looked at, so nothing is said.
    pub(super) fn unused_declarations(&mut self) {
        if self.diagnostics.iter().any(|found| found.severity == Severity::Error) {
            return;
        }
        let file = self.file;
        for record in &file.records {
            self.unused_type("record", &record.name);
        }
        for ty in &file.types {
            self.unused_type("type", &ty.name);
        }
        for (index, constant) in file.constants.iter().enumerate() {
            if self.constants.get(index).is_some_and(|constant| !constant.used) {
                self.unused("constant", &constant.name);
            }
        }
        for (index, function) in file.functions.iter().enumerate() {
            if self.functions.get(index).is_some_and(|function| !function.used) {
                self.unused("function", &function.name);
            }
        }
    }

    fn unused_type(&mut self, what: &str, name: &'a Name) {
        if self.named.get(name.text.as_str()).is_some_and(|named| !named.used) {
            self.unused(what, name);
        }
    }

    fn unused(&mut self, what: &str, name: &Name) {
        if name.text.starts_with('_') {
            return;
        }
        self.report(
            Diagnostic::warning("W0503", format!("the {what} `{}` is never used", name.text))
                .label(name.span, "declared here, used nowhere")
                .help("remove it, or use it"),
        );
    }

    /// Notes that something refers to a type.
    pub(super) fn use_type(&mut self, name: &str) {
        if let Some(named) = self.named.get_mut(name) {
            named.used = true;
        }
    }
}
