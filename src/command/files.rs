//! Writes that leave either the old file or the whole new one.

use std::fmt;
use std::fs;
use std::fs::OpenOptions;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::path::PathBuf;

/// A file that cannot be written.
#[derive(Debug)]
pub(super) struct Unusable {
    path: PathBuf,
    source: io::Error,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.source)
    }
}

/// Makes a file that only its owner reads. It must not be there yet.
pub(super) fn create_private(path: &Path, bytes: &[u8]) -> Result<(), Unusable> {
    let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    open.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(|source| unusable(path, source))
}

/// Puts a file in place of another at once, so that a gateway that looks at it never reads half of it.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Unusable> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(name);
    let open = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&beside);
    let written = open.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    let moved = written.and_then(|()| fs::rename(&beside, path));
    moved.map_err(|source| {
        // Nothing is left behind; what went wrong first is what is told.
        let _ = fs::remove_file(&beside);
        unusable(path, source)
    })
}

fn unusable(path: &Path, source: io::Error) -> Unusable {
    Unusable { path: path.to_owned(), source }
}
