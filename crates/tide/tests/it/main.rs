//! The tests of the crate from outside, in one binary.

mod builtins;
mod docs;
mod explain;
mod format;
mod golden;
mod harness;
mod limits;
mod payloads;
mod properties;
mod regressions;
mod running;
