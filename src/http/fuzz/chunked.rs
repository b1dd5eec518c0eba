//! Properties of the chunked coding: one answer for every cut, the one that a naive decoder gives.

use crate::http::Malformed;
use crate::http::chunked;
use crate::http::chunked::decode_pieces;
use crate::http::head::is_token_byte;

use super::ways;

/// The bytes as a chunked body, and as data to be sent in one.
///
/// # Panics
/// A property does not hold.
pub fn fuzz_chunked(bytes: &[u8]) {
    let whole = decode_pieces([bytes]);
    for pieces in ways(bytes) {
        let count = pieces.len();
        assert_eq!(decode_pieces(pieces.iter().copied()), whole, "in {count} pieces");
        round_trip(bytes, &pieces);
    }
    let naive = decode_naively(bytes);
    match whole {
        Ok((data, consumed, true)) => assert_eq!(naive, Some((data, consumed))),
        Ok((_, consumed, false)) => {
            assert_eq!(consumed, bytes.len(), "an unfinished body leaves nothing behind");
            assert_eq!(naive, None);
        }
        // The naive decoder has no bounds.
        Err(Malformed::ChunkTooLarge) => {}
        Err(Malformed::Chunk | Malformed::Trailer) => assert_eq!(naive, None),
        Err(other) => panic!("{other:?} is no fault of a body"),
    }
}

/// Data that was sent as these chunks is read back, and what follows the body is left.
fn round_trip(data: &[u8], chunks: &[&[u8]]) {
    let mut wire = Vec::new();
    for chunk in chunks {
        chunked::encode(chunk, &mut wire);
    }
    wire.extend_from_slice(chunked::END);
    let length = wire.len();
    assert_eq!(decode_naively(&wire), Some((data.to_vec(), length)));
    wire.extend_from_slice(b"\r\nGET / HTTP/1.1\r\n");
    let mut decoded = decode_pieces([&wire[..]]).expect("an encoded body is valid");
    assert!(decoded.0 == data, "the data is another");
    decoded.0.clear();
    assert_eq!(decoded, (Vec::new(), length, true));
}

/// RFC 9112 section 7.1 over a whole body: its data and its length. `None`: it is not valid, or not complete.
fn decode_naively(input: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut data = Vec::new();
    let mut rest = input;
    loop {
        let (line, after) = line(rest)?;
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (size, extensions) = line.split_at(digits);
        let size = usize::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        if !is_extensions(extensions) {
            return None;
        }
        if size == 0 {
            rest = trailers(after)?;
            return Some((data, input.len() - rest.len()));
        }
        let (chunk, after) = after.split_at_checked(size)?;
        data.extend_from_slice(chunk);
        rest = after.strip_prefix(b"\r\n")?;
    }
}

/// The line at the front, and what follows its CRLF.
fn line(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
    let (line, rest) = rest.split_at(end);
    Some((line, rest.strip_prefix(b"\r\n")?))
}

/// What follows a trailer section.
fn trailers(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let (line, after) = line(rest)?;
        rest = after;
        if line.is_empty() {
            return Some(rest);
        }
        let (name, value) = token(line)?;
        let value = value.strip_prefix(b":")?;
        if name.is_empty() || !value.iter().all(is_text) {
            return None;
        }
    }
}

fn is_text(byte: &u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// A run of token bytes, which may be empty, and what follows it.
fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    text.split_at_checked(text.iter().take_while(|&&byte| is_token_byte(byte)).count())
}

/// `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`, by taking one extension after another off the front.
fn is_extensions(mut text: &[u8]) -> bool {
    while !text.is_empty() {
        match after_extension(text) {
            Some(rest) => text = rest,
            None => return false,
        }
    }
    true
}

/// What follows white space, which is SP and HTAB alone: `trim_ascii` takes form feeds too.
fn after_blanks(text: &[u8]) -> &[u8] {
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    text.get(text.iter().take_while(is_blank).count()..).unwrap_or_default()
}

fn after_extension(text: &[u8]) -> Option<&[u8]> {
    let text = after_blanks(text).strip_prefix(b";")?;
    let (name, text) = token(after_blanks(text))?;
    if name.is_empty() {
        return None;
    }
    let Some(value) = after_blanks(text).strip_prefix(b"=") else { return Some(text) };
    let value = after_blanks(value);
    let rest = if value.starts_with(b"\"") { after_quoted(value)? } else { token(value)?.1 };
    (rest.len() < value.len()).then_some(rest)
}

/// What follows the quoted string at the front (RFC 9110 section 5.6.4).
fn after_quoted(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text.strip_prefix(b"\"")?;
    loop {
        rest = match rest {
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', byte, rest @ ..] if is_text(byte) => rest,
            [byte, rest @ ..] if is_text(byte) && *byte != b'\\' => rest,
            _ => return None,
        };
    }
}
