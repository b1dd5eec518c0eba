//! The two files of a pair, read so that they belong together, or not at all.

use std::path::Path;
use std::path::PathBuf;

use rustix::fs::CWD;
use rustix::fs::Mode;
use rustix::fs::OFlags;
use rustls::InconsistentKeys;
use rustls::sign::CertifiedKey;

use super::super::pem;
use super::super::pem::Mark;
use super::super::pem::PemError;
use super::CertificateError;

use crate::limits;

/// Where the two files stand: a directory that stays the same one while they are opened, and their names in it.
pub(super) struct Place {
    /// `None`: the names are paths of their own.
    directory: Option<rustix::fd::OwnedFd>,
    names: [PathBuf; 2],
    /// What errors call them.
    paths: [PathBuf; 2],
}

impl Place {
    /// Two paths, which may be links and may lead anywhere.
    pub(super) fn of_pair(certificate: &Path, key: &Path) -> Self {
        let names = [certificate.to_owned(), key.to_owned()];
        Self { directory: None, paths: names.clone(), names }
    }

    /// The directory that `..data` in `path` leads to now, or `path` itself where there is no such link.
    pub(super) fn of_directory(path: &Path) -> Result<Self, PemError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = match rustix::fs::open(path.join("..data"), flags, Mode::empty()) {
            Err(rustix::io::Errno::NOENT) => rustix::fs::open(path, flags, Mode::empty()),
            opened => opened,
        };
        let directory = directory.map_err(|error| PemError::Read { path: path.to_owned(), source: error.into() })?;
        let names = [PathBuf::from("tls.crt"), PathBuf::from("tls.key")];
        let paths = [path.join("tls.crt"), path.join("tls.key")];
        Ok(Self { directory: Some(directory), names, paths })
    }

    fn directory(&self) -> rustix::fd::BorrowedFd<'_> {
        self.directory.as_ref().map_or(CWD, rustix::fd::AsFd::as_fd)
    }

    /// Which versions of the two files are there now.
    pub(super) fn look(&self) -> Result<[Mark; 2], PemError> {
        let [certificate, key] = [0, 1].map(|at| Mark::look(self.directory(), &self.names[at], &self.paths[at]));
        Ok([certificate?, key?])
    }
}

/// The pair that stands at `place`, and the versions of its files; `place` is asked again each time that they have moved.
pub(super) fn load(
    place: impl Fn() -> Result<Place, PemError>,
) -> Result<(CertifiedKey, Option<[Mark; 2]>), CertificateError> {
    let mut failed = None;
    for _ in 0..limits::CERTIFICATE_READS_MAX {
        let place = place()?;
        match Pair::read(&place) {
            Ok(Some(pair)) => return pair.check(&place),
            Ok(None) => failed = Some(CertificateError::Unstable(place.paths[0].clone())),
            // The directory behind `..data` is removed right after the link has moved on.
            Err(error) if error.is_not_found() => failed = Some(error.into()),
            Err(error) => return Err(error.into()),
        }
        std::thread::sleep(limits::CERTIFICATE_READ_PAUSE);
    }
    Err(failed.expect("a loop of at least one turn either returned or noted why not"))
}

/// Both files, read while neither moved.
struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
    marks: [Mark; 2],
}

impl Pair {
    /// `None` if a file was replaced or written to meanwhile.
    fn read(place: &Place) -> Result<Option<Self>, PemError> {
        let [(certificate, certificate_mark), (key, key_mark)] = {
            let [certificate, key] = [0, 1].map(|at| pem::read(place.directory(), &place.names[at], &place.paths[at]));
            [certificate?, key?]
        };
        let marks = [certificate_mark, key_mark];
        let stable = place.look()? == marks;
        Ok(stable.then_some(Self { certificate, key, marks }))
    }

    fn check(self, place: &Place) -> Result<(CertifiedKey, Option<[Mark; 2]>), CertificateError> {
        let [certificate_path, key_path] = &place.paths;
        let chain = pem::certificates(&self.certificate, certificate_path)?;
        let key = pem::key(&self.key, key_path)?;
        let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key)
            .map_err(|_unusable| CertificateError::BadKey(key_path.clone()))?;
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            Ok(()) => Ok((certified, Some(self.marks))),
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch | InconsistentKeys::Unknown)) => {
                Err(CertificateError::Mismatch { certificate: certificate_path.clone(), key: key_path.clone() })
            }
            Err(_not_x509) => Err(CertificateError::BadCertificate(certificate_path.clone())),
        }
    }
}
