//! What policies are tried on: files, all files of a folder, or standard input; within bounds, in one order.

use std::fmt;
use std::fs;
use std::io;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;

use crate::control::fetch;
use crate::control::fetch::PolicyError;
use crate::limits;

/// The name of standard input.
const STANDARD: &str = "-";

/// Why something cannot be tried.
#[derive(Debug)]
pub(in crate::command) enum Unfit {
    /// A file cannot be read.
    File(PolicyError),
    /// A folder, or standard input, cannot be read.
    Read(PathBuf, io::Error),
    /// A file is longer than `limits::TRIED_BYTES_MAX`.
    Long(PathBuf),
    /// There are more than `limits::TRIED_FILES_MAX` of them.
    Many,
    /// A text is not UTF-8: the first byte that is wrong.
    Utf8(PathBuf, usize),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Read(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Long(path) => write!(f, "{}: longer than {} bytes", path.display(), limits::TRIED_BYTES_MAX),
            Self::Many => write!(f, "more than {} files and folders", limits::TRIED_FILES_MAX),
            Self::Utf8(path, at) => write!(f, "{}: not UTF-8 at byte {at}", path.display()),
        }
    }
}

/// The files that are meant, in the order given; those of a folder, at any depth, in the order of their paths. A link to a folder is
/// not followed inside another, so there are no circles.
///
/// # Errors
/// A folder cannot be read, or there are too many files.
pub(in crate::command) fn gather(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Unfit> {
    let mut files = Vec::new();
    let mut seen = 0;
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            seen += 1;
            continue;
        }
        let first = files.len();
        let mut folders = vec![path.clone()];
        while let Some(folder) = folders.pop() {
            let unfit = |error| Unfit::Read(folder.clone(), error);
            for entry in fs::read_dir(&folder).map_err(unfit)? {
                seen += 1;
                if seen > limits::TRIED_FILES_MAX {
                    return Err(Unfit::Many);
                }
                let entry = entry.map_err(unfit)?;
                if entry.file_type().map_err(unfit)?.is_dir() {
                    folders.push(entry.path());
                } else if entry.path().is_file() {
                    files.push(entry.path());
                }
            }
        }
        if let Some(of_folder) = files.get_mut(first..) {
            of_folder.sort();
        }
    }
    if seen > limits::TRIED_FILES_MAX { Err(Unfit::Many) } else { Ok(files) }
}

/// The bytes of a file, or of standard input.
///
/// # Errors
/// It cannot be read, or is too long.
pub(in crate::command) fn read(path: &Path) -> Result<Vec<u8>, Unfit> {
    let bytes = if path.as_os_str() == STANDARD {
        let mut bytes = Vec::new();
        let most = limits::TRIED_BYTES_MAX as u64 + 1;
        let result = io::stdin().lock().take(most).read_to_end(&mut bytes);
        result.map(|_| bytes).map_err(|error| Unfit::Read(path.to_owned(), error))?
    } else {
        fetch::read(path, limits::TRIED_BYTES_MAX).map_err(Unfit::File)?
    };
    if bytes.len() > limits::TRIED_BYTES_MAX { Err(Unfit::Long(path.to_owned())) } else { Ok(bytes) }
}

/// The same as a text.
///
/// # Errors
/// It cannot be read, is too long, or is not UTF-8.
pub(in crate::command) fn read_text(path: &Path) -> Result<String, Unfit> {
    String::from_utf8(read(path)?).map_err(|error| Unfit::Utf8(path.to_owned(), error.utf8_error().valid_up_to()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_or_too_long_files_are_not_tried() {
        let paths = vec![PathBuf::from(STANDARD); limits::TRIED_FILES_MAX + 1];
        assert!(matches!(gather(&paths), Err(Unfit::Many)));
        assert_eq!(gather(paths.get(1..).unwrap()).unwrap().len(), limits::TRIED_FILES_MAX);
        let path = std::env::temp_dir().join(format!("penaxtra-gateway-tried-{}", std::process::id()));
        let file = fs::File::create(&path).unwrap();
        for (bytes, fits) in [(limits::TRIED_BYTES_MAX, true), (limits::TRIED_BYTES_MAX + 1, false)] {
            file.set_len(bytes as u64).unwrap();
            match read(&path) {
                Ok(read) => assert!(fits && read.len() == bytes),
                Err(unfit) => assert!(!fits && matches!(unfit, Unfit::Long(_)), "{unfit}"),
            }
        }
        fs::remove_file(path).unwrap();
    }
}
