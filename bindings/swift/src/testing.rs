//! What tests of a host need.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::engine::seated;
use crate::failure::NativeError;
use crate::host::HostObject;

/// Runs a behaviour suite against an object of the host's.
///
/// # Errors
/// What the object does differently.
#[uniffi::export]
pub async fn check(suite: String, object: Arc<dyn HostObject>, options: String) -> Result<(), NativeError> {
    Ok(xynergy_bindings::testing::check(&suite, seated(object), &options).await?)
}

/// A JSON text in the form that is the same in every language.
///
/// # Errors
/// It is no JSON.
#[uniffi::export]
pub fn canonical_json(text: &str) -> Result<String, NativeError> {
    Ok(xynergy_bindings::canonical_json(text)?)
}

/// The SHA-256 of bytes, in hex: Foundation has none outside of Apple's platforms.
///
/// # Errors
/// None by itself; a panic would be one.
#[uniffi::export]
pub fn sha256(bytes: &[u8]) -> Result<String, NativeError> {
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}
