//! What every part's configuration shares.

mod secret;

pub use secret::{EnvSecrets, Secret, SecretRef, SecretSource, StaticSecrets};
