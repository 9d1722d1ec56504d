//! What both listeners share: connections with limits, request ids and traces, capped bodies, and
//! the one place where errors become answers.

pub(crate) mod body;
pub(crate) mod context;
pub(crate) mod listener;
pub(crate) mod problem;
