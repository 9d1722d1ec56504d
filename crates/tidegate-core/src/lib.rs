//! The pure middle of Tidegate: values in, decisions out.

pub mod secret;
pub mod verify;
