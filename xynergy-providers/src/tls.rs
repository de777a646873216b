//! TLS by rustls on ring, for every connection: one implementation in the tree, chosen here and not for the whole process, so that a
//! host may have another.

use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::ring;
use rustls::{ClientConfig, ConfigBuilder, Error, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt;

/// What still has to be told whom to trust.
pub(crate) fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, Error> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
}

/// Trusts whom the operating system trusts.
pub(crate) fn trusting_the_system() -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Error> {
    builder()?.with_platform_verifier()
}
