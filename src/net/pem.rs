//! PEM files: bounded reads of certificates and keys, with errors that say which file and what would be right.
//!
//! Certificates, keys and bundles of authorities all come through here. The errors carry paths and the system's word on
//! them, never a byte of what a file holds.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;

use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

use crate::limits;

/// Why a PEM file could not be used.
#[derive(Debug)]
pub enum PemError {
    /// The file could not be opened or read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is a directory, a pipe or a device.
    NotAFile(PathBuf),
    /// It is larger than 1 MiB.
    TooLarge(PathBuf),
    /// It is not PEM, or was cut.
    Malformed(PathBuf),
    /// It holds no certificate.
    NoCertificate(PathBuf),
    /// It holds no private key, or an encrypted one.
    NoKey(PathBuf),
}

impl PemError {
    /// Whether the file, or a directory above it, was not there.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

impl fmt::Display for PemError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, source } => write!(out, "{}: cannot be read: {source}", path.display()),
            Self::NotAFile(path) => write!(out, "{}: is not a regular file; give a PEM file", path.display()),
            Self::TooLarge(path) => {
                write!(out, "{}: is larger than {} bytes; is this a PEM file?", path.display(), limits::PEM_BYTES_MAX)
            }
            Self::Malformed(path) => {
                write!(out, "{}: is not well-formed PEM; give `-----BEGIN …-----` blocks, each whole", path.display())
            }
            Self::NoCertificate(path) => {
                write!(out, "{}: holds no certificate; give `-----BEGIN CERTIFICATE-----` blocks", path.display())
            }
            Self::NoKey(path) => write!(
                out,
                "{}: holds no private key; give one unencrypted PKCS#8, PKCS#1 or SEC1 key in PEM",
                path.display()
            ),
        }
    }
}

impl Error for PemError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Which version of a file was seen: another file in its place, or a write to it, changes one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Mark {
    fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    /// The version that stands at `name` now, without reading it. `path` is what an error calls it.
    pub(super) fn look(directory: impl rustix::fd::AsFd, name: &Path, path: &Path) -> Result<Self, PemError> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let file = rustix::fs::openat(directory, name, flags, Mode::empty()).map_err(|error| refused(path, error))?;
        Self::of(&File::from(file)).map_err(|source| PemError::Read { path: path.to_owned(), source })
    }
}

fn refused(path: &Path, error: rustix::io::Errno) -> PemError {
    PemError::Read { path: path.to_owned(), source: error.into() }
}

/// The bytes of the file `name` in `directory` and the version they are of. `path` is what an error calls it.
///
/// It never hangs on a pipe and reads no more than the bound.
pub(super) fn read(directory: impl rustix::fd::AsFd, name: &Path, path: &Path) -> Result<(Vec<u8>, Mark), PemError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::openat(directory, name, flags, Mode::empty()).map_err(|error| refused(path, error))?;
    let mut file = File::from(file);
    let failed = |source| PemError::Read { path: path.to_owned(), source };
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(PemError::NotAFile(path.to_owned()));
    }
    let mark = Mark::of(&file).map_err(failed)?;
    let mut bytes = Vec::new();
    (&mut file).take(limits::PEM_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limits::PEM_BYTES_MAX {
        return Err(PemError::TooLarge(path.to_owned()));
    }
    Ok((bytes, mark))
}

/// The certificates in `bytes`, in their order; at least one.
pub(super) fn certificates(bytes: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    // The parser's own error quotes the file.
    let all = all.map_err(|_quotes| PemError::Malformed(path.to_owned()))?;
    if all.is_empty() {
        return Err(PemError::NoCertificate(path.to_owned()));
    }
    Ok(all)
}

/// The first private key in `bytes`.
pub(super) fn key(bytes: &[u8], path: &Path) -> Result<PrivateKeyDer<'static>, PemError> {
    PrivateKeyDer::from_pem_slice(bytes).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => PemError::NoKey(path.to_owned()),
        _quotes => PemError::Malformed(path.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    #[test]
    fn what_is_not_a_chain_is_refused() {
        let path = Path::new("chain.pem");
        let cases = [
            ("nothing", "", false),
            ("text", "hello", false),
            ("one", CERTIFICATE, true),
            ("text around it", &format!("# ours\n{CERTIFICATE}\nend"), true),
            ("cut before its end", "-----BEGIN CERTIFICATE-----\nAAAA\n", false),
            ("not base64", "-----BEGIN CERTIFICATE-----\nsecret!\n-----END CERTIFICATE-----\n", false),
            ("the second one is broken", &format!("{CERTIFICATE}-----BEGIN CERTIFICATE-----\nAAAA\n"), false),
            ("a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", false),
        ];
        for (name, text, good) in cases {
            let read = certificates(text.as_bytes(), path);
            assert_eq!(read.is_ok(), good, "{name}");
            if let Err(error) = read {
                let message = error.to_string();
                assert!(message.starts_with("chain.pem: ") && !message.contains("secret"), "{name}: {message}");
            }
        }
    }

    #[test]
    fn what_is_not_a_key_is_refused_without_quoting_it() {
        let path = Path::new("key.pem");
        let cases = [
            ("nothing", ""),
            ("a certificate", CERTIFICATE),
            ("an encrypted key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"),
            ("cut", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n"),
            ("not base64", "-----BEGIN PRIVATE KEY-----\nsecret!\n-----END PRIVATE KEY-----\n"),
        ];
        for (name, text) in cases {
            let error = key(text.as_bytes(), path).unwrap_err();
            for said in [error.to_string(), format!("{error:?}")] {
                assert!(
                    said.contains("key.pem") && !said.contains("secret") && !said.contains("c2Vj"),
                    "{name}: {said}"
                );
            }
        }
    }

    #[test]
    fn a_directory_a_pipe_and_a_huge_file_are_refused() {
        let directory = std::env::temp_dir().join(format!("penaxtra-gateway-pem-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let (huge, pipe) = (directory.join("huge.pem"), directory.join("pipe.pem"));
        File::create(&huge).unwrap().set_len(limits::PEM_BYTES_MAX + 1).unwrap();
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let read = |path: &Path| read(rustix::fs::CWD, path, path).map(|_| ());
        assert!(matches!(read(&huge), Err(PemError::TooLarge(_))));
        assert!(matches!(read(&pipe), Err(PemError::NotAFile(_))));
        assert!(matches!(read(&directory), Err(PemError::NotAFile(_))));
        assert!(read(&directory.join("absent.pem")).unwrap_err().is_not_found());
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
