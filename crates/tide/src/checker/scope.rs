//! Names that hold values, block by block.

use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::Name;
use crate::types::Type;

/// A name and what it holds.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) slot: usize,
    pub(super) ty: Type,
    pub(super) mutable: bool,
    used: bool,
}

/// The open blocks, the innermost last.
#[derive(Default)]
pub(super) struct Scopes {
    blocks: Vec<Vec<Binding>>,
    /// Names of blocks that are closed, to explain why they are unknown now.
    closed: Vec<(String, Span)>,
    pub(super) slots: usize,
}

impl Scopes {
    /// Begins a rule, a function or a test, which knows no names of others.
    pub(super) fn start(&mut self) {
        self.slots = 0;
        self.closed.clear();
    }

    /// How many blocks are open.
    pub(super) fn depth(&self) -> usize {
        self.blocks.len()
    }

    /// A slot without a name.
    pub(super) fn hidden(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    pub(super) fn open(&mut self) {
        self.blocks.push(Vec::new());
    }

    /// Closes the innermost block; warns of its values that nobody read.
    pub(super) fn close(&mut self) -> Vec<Diagnostic> {
        let block = self.blocks.pop().unwrap_or_default();
        self.closed.extend(block.iter().map(|binding| (binding.name.clone(), binding.span)));
        block.iter().filter(|binding| !binding.used && !binding.name.starts_with('_')).map(unused).collect()
    }

    /// Adds a name to the innermost block and returns its slot.
    pub(super) fn add(&mut self, name: &Name, ty: Type, mutable: bool) -> usize {
        let slot = self.slots;
        self.slots += 1;
        let binding = Binding { name: name.text.clone(), span: name.span, slot, ty, mutable, used: false };
        if let Some(block) = self.blocks.last_mut() {
            block.push(binding);
        }
        slot
    }

    /// Looks a name up, from the inside out, and marks it as read.
    pub(super) fn read(&mut self, name: &str) -> Option<Binding> {
        let binding = self.blocks.iter_mut().rev().flatten().find(|binding| binding.name == name)?;
        binding.used = true;
        Some(binding.clone())
    }

    /// Looks a name up without reading it; says whether it belongs to the innermost block.
    pub(super) fn find(&self, name: &str) -> Option<(Binding, bool)> {
        let innermost = self.blocks.len().saturating_sub(1);
        self.blocks.iter().enumerate().rev().find_map(|(depth, block)| {
            let binding = block.iter().find(|binding| binding.name == name)?;
            Some((binding.clone(), depth == innermost))
        })
    }

    /// Marks a name as read, as where its value was refused and reading it is no longer the question.
    pub(super) fn excuse(&mut self, name: &str) {
        self.read(name);
    }

    /// Where a name of that kind stood in a block that is closed.
    pub(super) fn closed(&self, name: &str) -> Option<Span> {
        self.closed.iter().rev().find(|(closed, _)| closed == name).map(|(_, span)| *span)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().flatten().map(|binding| binding.name.as_str())
    }
}

fn unused(binding: &Binding) -> Diagnostic {
    Diagnostic::warning("W0501", unused_message(&binding.name))
        .label(binding.span, "assigned here, read nowhere")
        .help(format!("remove it, or call it `_{}` to keep it", binding.name))
}

pub(super) fn unused_message(name: &str) -> String {
    format!("`{name}` is never read")
}
