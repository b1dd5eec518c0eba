//! Percent-encoding undone and done (WHATWG URL, section 5.1), and offsets of the text found again in the bytes it came from.
//!
//! ```text
//!   raw   a + b %C3 %A9 c          text   a SP b C3 A9 c
//!         0 1 2 3   6   9                 0 1  2 3  4  5        offsets: 3→3, 4→6, 5→9, 6→10
//! ```
//! All are total: a `%` without two hexadecimal digits stands for itself.

use memchr::memchr2;

use super::super::offsets::Escapes;
use super::super::offsets::Offsets;

/// Appends the text that `raw` stands for to `out`: `+` is a space, `%XX` a byte.
pub fn unescape(raw: &[u8], out: &mut Vec<u8>) {
    out.reserve(raw.len());
    let mut rest = raw;
    while let Some((run, escaped)) = memchr2(b'%', b'+', rest).and_then(|at| rest.split_at_checked(at)) {
        out.extend_from_slice(run);
        let (length, byte) = escape_at(escaped);
        out.push(byte);
        rest = escaped.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Appends `text` to `out`, encoded so that it is the same text in every place of a form, and in a `filename*` (RFC 8187), as long as
/// it holds no space there.
pub fn escape(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' => out.push(byte),
            b' ' => out.push(b'+'),
            _ => out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]),
        }
    }
}

/// Whether every `%` has its two hexadecimal digits.
pub(super) fn is_well_formed(raw: &[u8]) -> bool {
    let mut rest = raw;
    while let Some(after) = memchr::memchr(b'%', rest).and_then(|at| rest.get(at + 1..)) {
        let digits = after.first_chunk::<2>();
        if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return false;
        }
        rest = after;
    }
    true
}

/// Maps offsets of the text that [`unescape`] makes back to the bytes that it was made from.
#[must_use]
pub fn offsets(raw: &[u8]) -> Offsets<'_> {
    Offsets::new(raw, Escapes { find: |raw| memchr2(b'%', b'+', raw), lengths: |raw| (escape_at(raw).0, 1) })
}

/// The length of what stands at the front of `raw`, a `%` or a `+`, and the byte that it stands for.
fn escape_at(raw: &[u8]) -> (usize, u8) {
    match raw {
        [b'+', ..] => (1, b' '),
        [_, high, low, ..] => match (value(*high), value(*low)) {
            (Some(high), Some(low)) => (3, high << 4 | low),
            _ => (1, b'%'),
        },
        _ => (1, b'%'),
    }
}

/// The value of a hexadecimal digit.
fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// The digit of a value below 16.
fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'A' - 10 + value }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::any;
    use proptest::prop_assert_eq;
    use proptest::proptest;

    use super::*;

    fn unescaped(raw: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        unescape(raw, &mut out);
        out
    }

    /// The text byte by byte, each with where it begins.
    fn naive(raw: &[u8]) -> Vec<(u8, usize)> {
        let mut out = Vec::new();
        let mut at = 0;
        while at < raw.len() {
            let hex = raw.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
            let hex = hex.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let (byte, length) = match (raw[at], hex) {
                (b'%', Some(digits)) => (u8::from_str_radix(digits, 16).unwrap(), 3),
                (b'+', _) => (b' ', 1),
                (byte, _) => (byte, 1),
            };
            out.push((byte, at));
            at += length;
        }
        out
    }

    #[test]
    fn texts_are_decoded_as_the_url_standard_does() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"", b""),
            (b"abc", b"abc"),
            (b"a+b%20c%2Bd", b"a b c+d"),
            (b"%c3%A9", "é".as_bytes()),
            (b"%", b"%"),
            (b"%4", b"%4"),
            (b"%4g%%41", b"%4g%A"),
        ];
        for (raw, text) in cases {
            assert_eq!(unescaped(raw), *text, "{}", raw.escape_ascii());
        }
        let mut out = Vec::new();
        escape("[IBAN] é*".as_bytes(), &mut out);
        assert_eq!(out, b"%5BIBAN%5D+%C3%A9%2A");
    }

    proptest! {
        #[test]
        fn decoding_and_offsets_are_those_of_a_naive_reader(raw in "[%+0-9a-gA-G&é ]{0,40}", extra in any::<usize>()) {
            let raw = raw.as_bytes();
            let naive = naive(raw);
            let text: Vec<u8> = naive.iter().map(|(byte, _)| *byte).collect();
            prop_assert_eq!(&unescaped(raw), &text);
            let mut offsets = offsets(raw);
            for (at, (_, begin)) in naive.iter().enumerate() {
                prop_assert_eq!(offsets.to_raw(at), *begin);
            }
            prop_assert_eq!(offsets.to_raw(text.len()), raw.len());
            let back = extra % (text.len() + 1);
            prop_assert_eq!(offsets.to_raw(back), naive.get(back).map_or(raw.len(), |(_, begin)| *begin));
            prop_assert_eq!(offsets.to_raw(text.len().saturating_add(extra)), raw.len());
        }

        #[test]
        fn what_is_encoded_decodes_to_itself(text: Vec<u8>) {
            let mut raw = Vec::new();
            escape(&text, &mut raw);
            prop_assert_eq!(unescaped(&raw), text);
            proptest::prop_assert!(is_well_formed(&raw));
        }
    }
}
