//! The pure middle of Tidegate: values in, decisions out.
//!
//! This crate decides what an event is, who may send it, what a configuration means and how fast
//! a source may speak. It knows no tokio, no SQL, no socket and no clock: the time, randomness and
//! the contents of files are arguments, and what should happen is a return value. That is why the
//! same code can run in the server, in a batch job, under Lambda, inside Python and in a seeded
//! simulation, and why its tests need no fakes.
//!
//! | room | decides |
//! |---|---|
//! | [`config`] | what a `tidegate.toml` means, with every mistake located |
//! | [`event`] | what is kept of a webhook, and when two of them are the same one |
//! | [`verify`] | whether a request really comes from its provider |
//! | [`rate`] | whether a source may send now |
//! | [`field`] | where in a JSON body an id or a type stands |
//! | [`trace`] | how a W3C trace context is read and continued |

pub mod config;
pub mod event;
pub mod field;
pub mod rate;
pub mod secret;
pub mod trace;
pub mod verify;
