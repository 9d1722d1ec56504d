//! What tests of more than one crate need. A dev-dependency, never part of the product.
//!
//! | room | holds |
//! |---|---|
//! | [`conformance`] | what every store must guarantee, as a list of checks |
//! | [`events`] | a builder for events |
//! | [`golden`] | comparing a text with a file, and rewriting the file |
//! | [`payloads`] | real webhook bodies, where the checkout has them |
//! | [`store`] | a store in a folder of its own, removed with it |
//! | [`wait`] | waiting for a condition instead of for a time |
//!
//! Everything here panics with a message when it cannot do its work: in a test that is the report.

pub mod conformance;
pub mod events;
pub mod golden;
pub mod payloads;
pub mod store;
pub mod wait;
