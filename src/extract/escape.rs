//! JSON escapes undone (RFC 8259 section 7), and offsets of the text found again in the bytes it came from.
//!
//! ```text
//!   raw   a \u00e9 b \n c          text   a é b LF c
//!         0 1      7 8  10                0 1 3 4  5        offsets: 0→0, 1→1, 2→1, 3→7, 4→8, 5→10
//! ```
//! Both are total: what no reader of JSON would accept stands for itself, and a surrogate without its other half is U+FFFD. They
//! never check a document; the walker does that.

use memchr::memchr;

use super::offsets::Escapes;
use super::offsets::Known;
use super::offsets::Offsets;

/// Appends the text of a string's inside to `out`.
///
/// Of a valid string the text is the one of RFC 8259 section 7. A backslash that begins no escape is kept as it is.
pub fn unescape(raw: &[u8], out: &mut Vec<u8>) {
    out.reserve(raw.len());
    let mut rest = raw;
    while let Some((run, escaped)) = memchr(b'\\', rest).and_then(|at| rest.split_at_checked(at)) {
        out.extend_from_slice(run);
        let (length, character) = escape(escaped);
        match u8::try_from(character) {
            Ok(byte @ 0..0x80) => out.push(byte),
            _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = escaped.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Maps offsets of the text that [`unescape`] makes back to the bytes that it was made from.
#[must_use]
pub fn offsets(raw: &[u8]) -> Offsets<'_> {
    offsets_from(raw, None)
}

/// The same, going on where another over the same bytes had come.
#[must_use]
pub fn offsets_from(raw: &[u8], known: Option<Known>) -> Offsets<'_> {
    let lengths = |raw: &[u8]| {
        let (length, character) = escape(raw);
        (length, character.len_utf8())
    };
    Offsets::from_known(raw, Escapes { find: |raw| memchr(b'\\', raw), lengths }, known)
}

/// The length of the escape at the front of `raw`, which begins with a backslash, and the character that it stands for.
fn escape(raw: &[u8]) -> (usize, char) {
    let character = match raw.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(&byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
        Some(b'u') => return unicode(raw),
        _ => return (1, '\\'),
    };
    (2, character)
}

/// The same for `\uXXXX`, and for two of them that are the halves of one character.
fn unicode(raw: &[u8]) -> (usize, char) {
    let Some(unit) = raw.get(2..).and_then(unit) else { return (1, '\\') };
    if let Some(character) = char::from_u32(unit.into()) {
        return (6, character);
    }
    let low = raw.get(6..).and_then(|rest| rest.strip_prefix(b"\\u")).and_then(self::unit);
    match low.and_then(|low| char::decode_utf16([unit, low]).next()?.ok()) {
        Some(character) => (12, character),
        None => (6, char::REPLACEMENT_CHARACTER),
    }
}

/// The four hexadecimal digits at the front: a code unit of UTF-16.
pub(super) fn unit(digits: &[u8]) -> Option<u16> {
    let digits: &[u8; 4] = digits.first_chunk()?;
    let mut unit = 0;
    let mut wrong = 0;
    for &digit in digits {
        let value = value(digit);
        wrong |= value;
        unit = unit << 4 | u16::from(value);
    }
    (wrong < 16).then_some(unit)
}

/// The value of a hexadecimal digit; 0xff of anything else.
const fn value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0xff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_that_go_on_are_those_that_begin_anew() {
        for raw in [r"a\u00e9b\nc", r"\ud83d\ude42 plain \\\\ \u0041\", "no escape", ""] {
            let raw = raw.as_bytes();
            for first in 0..=raw.len() {
                let mut before = offsets(raw);
                before.to_raw(first);
                for second in 0..=raw.len() {
                    let on = offsets_from(raw, Some(before.known())).to_raw(second);
                    assert_eq!(on, offsets(raw).to_raw(second), "{first}, {second}");
                }
            }
        }
    }
}
