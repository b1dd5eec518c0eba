//! Whom TLS trusts and what it speaks, on both sides: the rustls configurations of the listener and of the upstream's client.
//!
//! Both say every choice themselves: the provider (aws-lc-rs, the only one in the program), TLS 1.3 and 1.2, ALPN `http/1.1`,
//! how sessions are resumed. Nothing here does a handshake, and there is no way to switch the checking of a peer off.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::CWD;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::server::NoServerSessionStorage;
use rustls::server::WebPkiClientVerifier;

use super::certificate::Certificates;
use super::pem;
use super::pem::PemError;

use crate::limits;

/// The one protocol that both sides speak inside TLS.
const PROTOCOL: &[u8] = b"http/1.1";

/// Why TLS cannot be set up.
#[derive(Debug)]
pub enum TrustError {
    /// A bundle of authorities is not what it should be.
    File(PemError),
    /// A certificate of the bundle cannot be an authority's.
    BadAuthority(PathBuf),
    /// The machine has no authorities that TLS could trust.
    NoNativeRoots,
    /// rustls refused the configuration: a fault of this program.
    Setup(rustls::Error),
}

impl fmt::Display for TrustError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(out),
            Self::BadAuthority(path) => {
                write!(out, "{}: holds a certificate that cannot be an authority's; give X.509 in PEM", path.display())
            }
            Self::NoNativeRoots => write!(
                out,
                "this machine has no certificate authorities; mount some and name them by --upstream-ca or SSL_CERT_FILE"
            ),
            Self::Setup(error) => write!(out, "TLS cannot be set up: {error}"),
        }
    }
}

impl Error for TrustError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File(error) => error.source(),
            Self::Setup(error) => Some(error),
            Self::BadAuthority(_) | Self::NoNativeRoots => None,
        }
    }
}

impl From<PemError> for TrustError {
    fn from(error: PemError) -> Self {
        Self::File(error)
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// The listener's side: `certificates` as they stand at each handshake and, where `client_ca` is given, no client without a
/// certificate of one of its authorities. One for the process, so that a ticket is good on every core.
///
/// Sessions are resumed by tickets, which keep nothing here; their keys live in memory and are replaced every 6 h. With
/// `client_ca` there is no resumption: a ticket carries a client's certificate for hours past its end or its authority's removal,
/// since only a full handshake checks it.
///
/// # Errors
/// A bundle that cannot be used, or no random numbers for the ticket keys.
pub fn server_config(
    certificates: Arc<Certificates>,
    client_ca: Option<&Path>,
) -> Result<Arc<ServerConfig>, TrustError> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(TrustError::Setup)?;
    let mut config = match client_ca {
        None => builder.with_no_client_auth().with_cert_resolver(certificates),
        Some(path) => {
            let roots = Arc::new(authorities(path)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider())
                .build()
                .map_err(|_no_roots| TrustError::BadAuthority(path.to_owned()))?;
            builder.with_client_cert_verifier(verifier).with_cert_resolver(certificates)
        }
    };
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    // Data sent before the handshake is over can be replayed: never.
    config.max_early_data_size = 0;
    if client_ca.is_some() {
        config.send_tls13_tickets = 0;
    } else {
        // One ticket is one resumption; clients that open many connections at once do a full handshake for the others.
        config.send_tls13_tickets = 1;
        config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().map_err(TrustError::Setup)?;
    }
    Ok(Arc::new(config))
}

/// The authorities that may sign for the upstream: those in `upstream_ca` and no others, or without it the machine's. Reading
/// them takes milliseconds, so it is done once for all cores.
///
/// # Errors
/// A bundle that cannot be used; a machine without authorities.
pub fn upstream_roots(upstream_ca: Option<&Path>) -> Result<Arc<RootCertStore>, TrustError> {
    if let Some(path) = upstream_ca {
        return authorities(path).map(Arc::new);
    }
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    let (taken, ignored) = roots.add_parsable_certificates(native.certs);
    if taken == 0 {
        return Err(TrustError::NoNativeRoots);
    }
    tracing::debug!(taken, ignored, "authorities of this machine");
    Ok(Arc::new(roots))
}

/// The upstream's side, for one core: its sessions are remembered by that core alone.
///
/// # Errors
/// None that an operator could cause.
pub fn client_config(roots: &Arc<RootCertStore>) -> Result<Arc<ClientConfig>, TrustError> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(TrustError::Setup)?
        .with_root_certificates(Arc::clone(roots))
        .with_no_client_auth();
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.resumption = Resumption::in_memory_sessions(limits::RESUMED_SERVERS_MAX);
    config.enable_early_data = false;
    Ok(Arc::new(config))
}

/// All certificates of a bundle, each of which must be usable: one that is silently skipped would be looked for for hours.
fn authorities(path: &Path) -> Result<RootCertStore, TrustError> {
    let (bytes, _version) = pem::read(CWD, path, path)?;
    let mut roots = RootCertStore::empty();
    for certificate in pem::certificates(&bytes, path)? {
        roots.add(certificate).map_err(|_unusable| TrustError::BadAuthority(path.to_owned()))?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests;
