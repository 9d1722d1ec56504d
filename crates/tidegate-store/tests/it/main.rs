//! Tests of the crate's public face, in one binary so that it is linked once.
#![allow(clippy::unwrap_used, reason = "in a test, an unexpected error should stop it on the spot")]

mod conformance;
mod crash;
mod damage;
mod file;
mod lock;
mod opening;
mod pages;
mod queries;
mod queue;
mod write_lock;
