//! The tokens of JSON by the letter of RFC 8259: where a string or a number ends, or why it is none.
//!
//! It looks at one token at a time and keeps nothing: nesting and meaning are the walker's. The bytes are UTF-8 already.

use crate::simd::json::string_end;

use super::Unreadable;
use super::escape::unit;

/// A range of a body, which is no longer than `u32::MAX`. `start <= end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub(super) const NONE: Self = Self { start: 0, end: 0 };

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "a body is no longer than u32::MAX")]
    pub(super) const fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// The bytes there.
    #[inline]
    pub(super) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    pub(super) const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inside {
    /// What stands between its quotes.
    pub span: Span,
    /// Whether it holds no escape.
    pub plain: bool,
}

/// The first byte at or behind `at` that is no white space (RFC 8259 section 2).
#[inline]
pub(super) fn blanks(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b'\0'..=b' ') => many_blanks(bytes, at),
        _ => at,
    }
}

#[inline(never)]
fn many_blanks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The string whose opening quote stands before `start` (RFC 8259 section 7). `None`: it is none, and [`string_fault`] says why.
///
/// The reason is not in the answer, so that the answer fits registers: this runs for each string.
#[inline(always)]
pub(super) fn string(bytes: &[u8], start: usize) -> Option<Inside> {
    let end = string_end(bytes, start);
    match bytes.get(end) {
        Some(b'"') => Some(Inside { span: Span::new(start, end), plain: true }),
        Some(b'\\') => Some(Inside { span: Span::new(start, escaped_string_end(bytes, end).ok()?), plain: false }),
        _ => None,
    }
}

/// Why there is no string at `start`.
#[cold]
pub(super) fn string_fault(bytes: &[u8], start: usize) -> Unreadable {
    escaped_string_end(bytes, string_end(bytes, start)).err().unwrap_or(Unreadable::Syntax)
}

/// Where the closing quote of a string is whose first escape is at `at`.
#[inline(never)]
fn escaped_string_end(bytes: &[u8], mut at: usize) -> Result<usize, Unreadable> {
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at),
            Some(b'\\') => at = escape(bytes, at)?,
            _ => return Err(Unreadable::Syntax),
        }
        // Escapes come in rows in texts that are not in Latin letters.
        if bytes.get(at) != Some(&b'\\') {
            at = string_end(bytes, at);
        }
    }
}

/// Behind the escape whose backslash stands at `at`.
#[inline]
fn escape(bytes: &[u8], at: usize) -> Result<usize, Unreadable> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => unicode(bytes, at),
        _ => Err(Unreadable::Syntax),
    }
}

/// Behind `\uXXXX`, or behind both halves of a pair (RFC 8259 section 8.2: one half alone has no meaning that readers agree on).
fn unicode(bytes: &[u8], at: usize) -> Result<usize, Unreadable> {
    let digits = |at: usize| bytes.get(at..).and_then(unit);
    match digits(at + 2).ok_or(Unreadable::Syntax)? {
        0xd800..0xdc00 => {
            if bytes.get(at + 6..at + 8) != Some(b"\\u") {
                return Err(Unreadable::Surrogate);
            }
            match digits(at + 8).ok_or(Unreadable::Syntax)? {
                0xdc00..0xe000 => Ok(at + 12),
                _ => Err(Unreadable::Surrogate),
            }
        }
        0xdc00..0xe000 => Err(Unreadable::Surrogate),
        _ => Ok(at + 6),
    }
}

/// Behind the number that begins at `at` (RFC 8259 section 6). What may follow a number is not its concern.
pub(super) fn number(bytes: &[u8], mut at: usize) -> Result<usize, Unreadable> {
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        _ => digits(bytes, at)?,
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits(bytes, at)?;
    }
    Ok(at)
}

/// Behind the digits at `at`, of which there must be one.
fn digits(bytes: &[u8], at: usize) -> Result<usize, Unreadable> {
    let count = bytes.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 { Err(Unreadable::Syntax) } else { Ok(at + count) }
}

/// Behind `true`, `false` or `null` at `at`.
pub(super) fn literal(bytes: &[u8], at: usize) -> Result<usize, Unreadable> {
    let rest = bytes.get(at..).unwrap_or_default();
    let is_here = |word: &&[u8]| rest.starts_with(word);
    let words: [&[u8]; 3] = [b"true", b"false", b"null"];
    words.iter().find(|word| is_here(word)).map(|word| at + word.len()).ok_or(Unreadable::Syntax)
}
