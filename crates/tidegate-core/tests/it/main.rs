//! Tests of the crate's public face, in one binary so that it is linked once.
#![allow(clippy::unwrap_used, reason = "in a test, an unexpected error should stop it on the spot")]

mod config;
mod verify_properties;
mod verify_refusals;
mod verify_vectors;
