//! Unfinished runs of base64 or hexadecimal: what they say is known only when they are over.
//!
//! A word is no run. What tells them apart is case and digits: a run of base64 changes between both within a few characters. So the
//! first characters of an encoded value may pass before it looks like one; they say nothing on their own.

use super::row;
use crate::inspect::decode;
use crate::inspect::decode::is_alphabet;
use crate::limits::ENCODED_CHARACTERS_MIN;

/// Characters from which a row that looks encoded is held.
const ROW_BYTES_MIN: usize = 4;

/// Bytes at the end of a text in which a run must begin: a longer one is released, and read in what is kept of it.
const RUN_BYTES_MAX: usize = 2048;

/// Bytes from which on a run must say something to be held.
const PROBED_BYTES_MIN: usize = 44;

/// Where the run begins that the text ends with.
pub(super) fn earliest(text: &[u8]) -> Option<usize> {
    let alphabet = |byte: u8| is_alphabet(&byte) || byte == b'=';
    let length = row(text, RUN_BYTES_MAX, alphabet);
    let start = lines(text).unwrap_or(text.len() - length);
    let run = text.get(start..)?;
    if run.len() < ROW_BYTES_MIN || run.len() >= RUN_BYTES_MAX || !looks_encoded(run) {
        return None;
    }
    if run.len() < PROBED_BYTES_MIN || decode::says_something(run) { Some(start) } else { None }
}

/// The beginning of a run of several lines at the end.
fn lines(text: &[u8]) -> Option<usize> {
    let mut start = None;
    let mut rest = text.get(text.len().saturating_sub(RUN_BYTES_MAX)..)?;
    let cut = text.len() - rest.len();
    let mut is_last = true;
    loop {
        let length = row(rest, RUN_BYTES_MAX, |byte| is_alphabet(&byte) || (is_last && byte == b'='));
        if !is_last && length < ENCODED_CHARACTERS_MIN - 1 {
            return start;
        }
        let front = rest.get(..rest.len() - length)?;
        start = Some(cut + front.len()).filter(|_| !is_last).or(start);
        is_last = false;
        rest = match front {
            [front @ .., b'\r', b'\n'] | [front @ .., b'\n'] => front,
            _ => return start,
        };
    }
}

/// Whether letters change their case inside, or digits stand among them: prose hardly does.
fn looks_encoded(run: &[u8]) -> bool {
    let inside = run.get(1..).unwrap_or_default();
    let lower = run.iter().any(u8::is_ascii_lowercase);
    let upper = inside.iter().any(u8::is_ascii_uppercase);
    let digit = run.iter().any(u8::is_ascii_digit);
    let letter = run.iter().any(u8::is_ascii_alphabetic);
    // Hexadecimal may be all digits: numbers of that length are held as such.
    (lower && upper) || (digit && letter) || (digit && run.len() >= ENCODED_CHARACTERS_MIN)
}
