//! The gateway's own certificate and key: loaded as a pair that matches, and swapped as a pair while connections go on.
//!
//! A mounted Secret is swapped by moving the link `..data` from one directory to the next. Who opens the two files by path can
//! get the certificate of one version and the key of the other; so one descriptor of the directory behind `..data` is opened,
//! and both files through it. Other files have no such anchor: they are read again until nothing moved while they were read.
//! Whatever goes wrong in a reload, the pair in use stays. Errors name files and never hold a byte of a key.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::pki_types::CertificateDer;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;

use super::pem::Mark;
use super::pem::PemError;
use super::validity;

mod files;
mod self_signed;

use files::Place;

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateSource {
    /// Made in memory at the start, never written down.
    SelfSigned {
        /// Names and addresses that it is good for besides those that the machine has.
        names: Vec<String>,
    },
    /// Two PEM files: the chain, leaf first, and its key.
    Pair {
        /// The chain.
        certificate: PathBuf,
        /// The leaf's key.
        key: PathBuf,
    },
    /// A directory with `tls.crt` and `tls.key`, as Kubernetes mounts a Secret of type `kubernetes.io/tls`.
    Directory(PathBuf),
}

/// Why there is no certificate, or no new one.
#[derive(Debug)]
pub enum CertificateError {
    /// One of the files is not what it should be.
    File(PemError),
    /// The first certificate of the file is not X.509.
    BadCertificate(PathBuf),
    /// The key is of a kind that TLS does not use, or damaged.
    BadKey(PathBuf),
    /// The key is not the certificate's.
    Mismatch {
        /// The chain.
        certificate: PathBuf,
        /// The key that is not its leaf's.
        key: PathBuf,
    },
    /// The files were replaced each time while they were read.
    Unstable(PathBuf),
    /// A name for a self-signed certificate is no DNS name and no address.
    BadName(String),
    /// A self-signed certificate could not be made.
    SelfSigned,
}

impl fmt::Display for CertificateError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(out),
            Self::BadCertificate(path) => {
                write!(out, "{}: the first certificate is not X.509; put the leaf first, in PEM", path.display())
            }
            Self::BadKey(path) => {
                write!(out, "{}: not a usable key; give an ECDSA P-256/P-384/P-521, Ed25519 or RSA key", path.display())
            }
            Self::Mismatch { certificate, key } => write!(
                out,
                "{} is not the key of the first certificate in {}; give a pair, leaf certificate first",
                key.display(),
                certificate.display()
            ),
            Self::Unstable(path) => write!(out, "{}: was replaced again and again while it was read", path.display()),
            Self::BadName(name) => write!(out, "{name:?}: neither a DNS name nor an address for a certificate"),
            Self::SelfSigned => write!(out, "a self-signed certificate could not be made; give one by --tls-cert"),
        }
    }
}

impl Error for CertificateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::File(error) => error.source(),
            _ => None,
        }
    }
}

impl From<PemError> for CertificateError {
    fn from(error: PemError) -> Self {
        Self::File(error)
    }
}

/// The pair in use, behind one atomic pointer: a handshake takes the pair that stands when its ClientHello is read.
#[derive(Debug)]
pub struct Certificates {
    source: CertificateSource,
    current: ArcSwap<Current>,
}

#[derive(Debug)]
struct Current {
    certified: Arc<CertifiedKey>,
    /// Which versions of the two files these are; `None` for a self-signed pair.
    marks: Option<[Mark; 2]>,
    fingerprint: String,
    not_after: Option<u64>,
}

impl Certificates {
    /// Loads the pair from `source`, or makes one. It reads files and may take 100 ms where they keep changing.
    ///
    /// # Errors
    /// Where the pair is not whole: a half-mounted Secret must not turn into a self-signed certificate.
    pub fn load(source: CertificateSource) -> Result<Self, CertificateError> {
        let current = ArcSwap::from_pointee(Current::load(&source)?);
        Ok(Self { source, current })
    }

    /// Reads the files again and puts their pair in place, for new handshakes; `true` if it is another one. A self-signed
    /// pair stays as it is.
    ///
    /// # Errors
    /// As for `load`; the pair in use stays.
    pub fn reload(&self) -> Result<bool, CertificateError> {
        if self.self_signed() {
            return Ok(false);
        }
        let next = Current::load(&self.source)?;
        let changed = next.certified.cert != self.current.load().certified.cert;
        self.current.store(Arc::new(next));
        Ok(changed)
    }

    /// Whether `reload` has something to read: the files are not those in use, or are gone. It opens both and reads neither.
    #[must_use]
    pub fn changed_on_disk(&self) -> bool {
        let found = match &self.source {
            CertificateSource::SelfSigned { .. } => return false,
            CertificateSource::Pair { certificate, key } => Place::of_pair(certificate, key).look(),
            CertificateSource::Directory(path) => Place::of_directory(path).and_then(|place| place.look()),
        };
        // What cannot be looked at counts as changed, so that the reload says what is wrong.
        found.ok() != self.current.load().marks
    }

    /// Whether the pair was made here, so that no client can know it.
    #[must_use]
    pub fn self_signed(&self) -> bool {
        matches!(self.source, CertificateSource::SelfSigned { .. })
    }

    /// SHA-256 of the leaf in use, 64 hexadecimal digits: what `openssl x509 -fingerprint -sha256` shows, without the colons.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.current.load().fingerprint.clone()
    }

    /// When the leaf in use ends, in seconds since the Unix epoch; `None` where its date cannot be read.
    #[must_use]
    pub fn not_after(&self) -> Option<u64> {
        self.current.load().not_after
    }

    /// The leaf in use in DER, for a client in the same process that is to trust it (`demo`, tests).
    #[must_use]
    pub fn leaf(&self) -> Option<CertificateDer<'static>> {
        self.current.load().certified.cert.first().cloned()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.load().certified))
    }
}

impl Current {
    fn load(source: &CertificateSource) -> Result<Self, CertificateError> {
        let (certified, marks) = match source {
            CertificateSource::SelfSigned { names } => (self_signed::make(names)?, None),
            CertificateSource::Pair { certificate, key } => files::load(|| Ok(Place::of_pair(certificate, key)))?,
            CertificateSource::Directory(path) => files::load(|| Place::of_directory(path))?,
        };
        Ok(Self::new(certified, marks))
    }

    fn new(certified: CertifiedKey, marks: Option<[Mark; 2]>) -> Self {
        let leaf = certified.cert.first();
        let not_after = leaf.and_then(|leaf| validity::not_after(leaf));
        let fingerprint = leaf.map(|leaf| fingerprint(leaf)).unwrap_or_default();
        Self { certified: Arc::new(certified), marks, fingerprint, not_after }
    }
}

fn fingerprint(leaf: &[u8]) -> String {
    use fmt::Write as _;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, leaf);
    digest.as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ok = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
