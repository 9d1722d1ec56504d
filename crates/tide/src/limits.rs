//! Every bound in one place, with its default.

/// Largest source text that is compiled, in bytes.
pub const MAX_SOURCE_BYTES: usize = 1 << 20;

/// Deepest nesting of blocks, brackets and types in a source text.
pub(crate) const MAX_NESTING: usize = 64;

/// Tallest expression tree; a sum of many terms grows one level per term.
pub(crate) const MAX_EXPRESSION_HEIGHT: u16 = 128;

/// Most that blocks and expressions nest through a chain of calls, so that no chain exhausts the stack.
pub(crate) const MAX_CALL_HEIGHT: usize = 256;

/// Deepest nesting of declared types, through names too.
pub(crate) const MAX_TYPE_DEPTH: usize = 64;

/// Most members of a union, cases of a match, constants and functions of a file and names of a rule: they are
/// compared one by one.
pub(crate) const MAX_ITEMS: usize = 1024;

/// Most patterns in a file; each may take memory of its own.
pub(crate) const MAX_PATTERNS: usize = 256;

/// Most diagnostics that one stage reports; whoever has more will not read them all.
pub(crate) const MAX_DIAGNOSTICS: usize = 100;

/// Most fields in one record; it keeps the set of fields already seen in one machine word pair.
pub(crate) const MAX_FIELDS: usize = 128;

/// Deepest nesting of JSON whatever the limits say, so that no setting can exhaust the stack.
pub(crate) const MAX_JSON_DEPTH: usize = 256;

/// What one event may cost. Whatever passes a bound is rejected, with the place and a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps of evaluation: one per statement and expression, more for long strings. Default 100,000.
    pub fuel: u64,
    /// Nesting of arrays and objects in the event. Default 64; values above 256 count as 256.
    pub max_depth: usize,
    /// Field failures reported for one event; further ones are dropped. Default 32.
    pub max_failures: usize,
    /// Bytes in one string, read or made. Default 1 MiB.
    pub max_string_bytes: usize,
    /// Bytes of the record that a rule returns. Default 4 MiB.
    pub max_output_bytes: usize,
    /// Items in one list that the event type declares. Default 100,000.
    pub max_list_items: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            fuel: 100_000,
            max_depth: 64,
            max_failures: 32,
            max_string_bytes: 1 << 20,
            max_output_bytes: 4 << 20,
            max_list_items: 100_000,
        }
    }
}
