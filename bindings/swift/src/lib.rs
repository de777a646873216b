//! The native library behind the Swift package: a thin skin over `xynergy-bindings`.
//!
//! Values cross as JSON text, and the Swift side turns them into its own types. Everything that is exported either throws, so that a
//! panic is an error in Swift, or cannot panic.

pub mod clock;
pub mod engine;
pub mod failure;
pub mod host;
pub mod outbox;
pub mod sandbox;
pub mod testing;

uniffi::setup_scaffolding!();
