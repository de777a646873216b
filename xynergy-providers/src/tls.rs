//! TLS by rustls. What does the arithmetic is chosen here and not for the whole process, so that a host may have another.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// What does the arithmetic: ring where the feature is on, else AWS-LC, else what the host has installed.
pub(crate) fn provider() -> Option<Arc<CryptoProvider>> {
    #[cfg(feature = "ring")]
    return Some(Arc::new(rustls::crypto::ring::default_provider()));
    #[cfg(all(feature = "rustls", not(feature = "ring")))]
    return Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    #[cfg(not(any(feature = "rustls", feature = "ring")))]
    return CryptoProvider::get_default().cloned();
}

/// TLS of a client of the web that trusts whom the operating system trusts.
#[cfg(feature = "ring")]
pub(crate) fn of_the_web() -> Result<rustls::ClientConfig, rustls::Error> {
    use rustls_platform_verifier::BuilderVerifierExt;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = versions.with_platform_verifier()?.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
