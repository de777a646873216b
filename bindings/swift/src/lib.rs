//! The native library behind the Swift package: a thin skin over `xynergy-bindings`.
//!
//! Values cross as JSON text, and the Swift side turns them into its own types. Everything that is exported either throws, so that a
//! panic is an error in Swift, or cannot panic.

mod clock;
mod engine;
mod failure;
mod host;
mod outbox;
mod sandbox;
mod testing;

uniffi::setup_scaffolding!();
