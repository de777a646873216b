use std::path::Path;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres_rustls::MakeRustlsConnect;
use xynergy_core::{Error, ErrorKind, Result};

use crate::tls;

/// TLS that checks the server's certificate and name, against the given authorities or those of the operating system.
pub(super) fn connector(ca_file: Option<&Path>) -> Result<MakeRustlsConnect> {
    let Some(provider) = tls::provider() else {
        let message = "the stores in PostgreSQL need the feature rustls or ring, for TLS";
        return Err(Error::new(ErrorKind::ConfigInvalid, "store.open", message));
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| refused("TLS cannot be set up", e))?;
    let Some(path) = ca_file else {
        let verified = builder.with_platform_verifier().map_err(|e| {
            refused("the operating system's certificate authorities cannot be read: set tls_ca_file", e)
        })?;
        return Ok(MakeRustlsConnect::new(verified.with_no_client_auth()));
    };
    let mut roots = rustls::RootCertStore::empty();
    let unreadable = |e| refused("tls_ca_file: not a readable file of certificates (PEM)", e);
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        let certificate = certificate.map_err(unreadable)?;
        roots.add(certificate).map_err(|e| refused("tls_ca_file: a certificate in it cannot be used", e))?;
    }
    if roots.is_empty() {
        return Err(Error::new(
            ErrorKind::ConfigInvalid,
            "store.open",
            "tls_ca_file: it holds no certificate",
        ));
    }
    Ok(MakeRustlsConnect::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

fn refused(message: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::ConfigInvalid, "store.open", message).with_source(source)
}
