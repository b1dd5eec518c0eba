//! The certificates of a run: an authority and a leaf for localhost, made anew, and the TLS of the bench's own two ends.
//! Both ends speak TLS 1.3 with one cipher and one group only, so that every peer does the same cryptography.

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

/// The files, in the run's directory.
pub(crate) struct Files {
    /// The authority's certificate.
    pub(crate) authority: PathBuf,
    /// The leaf's certificate.
    pub(crate) certificate: PathBuf,
    /// The leaf's key.
    pub(crate) key: PathBuf,
    /// The leaf's certificate and key in one, as HAProxy wants them.
    pub(crate) both: PathBuf,
}

impl Files {
    /// Where they are, or will be.
    pub(crate) fn inside(directory: &Path) -> Self {
        let file = |name| directory.join(name);
        Self { authority: file("ca.pem"), certificate: file("leaf.pem"), key: file("leaf.key"), both: file("both.pem") }
    }

    /// Makes and writes them.
    pub(crate) fn make(directory: &Path) -> io::Result<Self> {
        let files = Self::inside(directory);
        let (authority, certificate, key) = issue().map_err(io::Error::other)?;
        fs::write(&files.authority, authority)?;
        fs::write(&files.certificate, &certificate)?;
        fs::write(&files.key, &key)?;
        fs::write(&files.both, certificate + &key)?;
        Ok(files)
    }

    /// For the load: trusts the authority alone.
    pub(crate) fn client(&self) -> io::Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(&self.authority).map_err(io::Error::other)? {
            roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(io::Error::other)?;
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        // Peers keep sessions in different ways; every connection of the load is a new caller.
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }

    /// For the upstreams: serves the leaf.
    pub(crate) fn server(&self) -> io::Result<Arc<ServerConfig>> {
        let certificates: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(&self.certificate).map_err(io::Error::other)?.collect();
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(io::Error::other)?;
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(io::Error::other)?;
        let config = builder.with_no_client_auth().with_single_cert(certificates.map_err(io::Error::other)?, key);
        Ok(Arc::new(config.map_err(io::Error::other)?))
    }
}

fn provider() -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites = vec![aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384];
    provider.kx_groups = vec![aws_lc_rs::kx_group::X25519];
    Arc::new(provider)
}

/// PEM of the authority, of the leaf, and of the leaf's key.
fn issue() -> Result<(String, String, String), rcgen::Error> {
    let mut authority = rcgen::CertificateParams::new(Vec::new())?;
    authority.distinguished_name.push(rcgen::DnType::CommonName, "comparison authority");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let mut leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    leaf.distinguished_name.push(rcgen::DnType::CommonName, "localhost");
    leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let leaf_key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let leaf_certificate = leaf.signed_by(&leaf_key, &issuer)?;
    Ok((authority_certificate.pem(), leaf_certificate.pem(), leaf_key.serialize_pem()))
}
