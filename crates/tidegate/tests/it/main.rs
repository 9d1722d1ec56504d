//! Tests through the public face: the real binary, real sockets, a real store.
#![allow(clippy::unwrap_used, reason = "in a test, an unexpected error should stop it on the spot")]

mod admin;
mod answers;
mod burst;
mod cli;
mod crash;
mod faults;
mod limits;
mod readme;
mod shutdown;
mod support;
