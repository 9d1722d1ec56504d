//! Tidegate: webhooks in, proven, checked, transformed and committed before they are answered.
//!
//! This crate is the rim around the pure middle: sockets, signals, files and the terminal. Follow
//! a webhook through it in this order:
//!
//! 1. [`server`] opens the store, binds both listeners and drains them at the end;
//! 2. `http` gives every request an id, a trace, a size and a time limit;
//! 3. `ingest` walks the event from its bytes to its commit;
//! 4. `query` answers questions about what was committed;
//! 5. [`cli`] is the same for people at a terminal.

pub mod cli;
pub mod client;
pub mod clock;
pub mod logging;
pub mod server;
pub mod surroundings;

mod http;
mod ingest;
mod metrics;
mod query;
