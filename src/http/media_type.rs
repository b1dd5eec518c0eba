//! `Content-Type`: what a body is, as far as inspection has to know (RFC 9110 section 8.3).
//!
//! A body is inspected as what its media type says, so a value with two readings is refused: a parameter given twice, a quoted
//! string that does not end, an escape in a boundary. It never copies and never looks at a body.

use super::head::is_token_byte;

/// What the body of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType<'a> {
    /// What to read it as.
    pub kind: Kind,
    /// How its text is encoded.
    pub charset: Charset,
    /// The delimiter of `multipart/form-data`, 1 to 70 bytes (RFC 2046 section 5.1.1); empty for every other kind.
    pub boundary: &'a [u8],
}

/// What to read a body as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `application/json`, `text/json`, and every subtype that ends in `+json` (RFC 6839 section 3.1).
    Json,
    /// `application/x-www-form-urlencoded`.
    Urlencoded,
    /// `multipart/form-data` (RFC 7578).
    Multipart,
    /// `text/event-stream`.
    EventStream,
    /// JSON Lines, one text on each line, which has no registered name: `application/x-ndjson`, `application/jsonl` and their like.
    JsonLines,
    /// `application/json-seq`, and every subtype that ends in `+json-seq` (RFC 7464, RFC 8091).
    JsonSequence,
    /// Any other `text/…`.
    Text,
    /// Anything else, other `multipart/…` among it.
    Other,
}

/// Subtypes of `application` that mean JSON Lines. None is registered; these are what servers send.
const JSON_LINES: [&[u8]; 7] =
    [b"x-ndjson", b"ndjson", b"jsonl", b"x-jsonl", b"jsonlines", b"x-jsonlines", b"json-lines"];

/// How text is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8: said, or nothing said, or its subset US-ASCII.
    Utf8,
    /// Anything else: inspection, which reads UTF-8, would not see what the receiver sees.
    Other,
}

/// The value is no media type, or has two readings. The sender is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

impl<'a> MediaType<'a> {
    /// Reads a field value.
    ///
    /// # Errors
    /// Not `type/subtype` with parameters (RFC 9110 section 8.3.1), `charset` or `boundary` twice, or a `multipart/form-data` whose
    /// boundary is missing or breaks RFC 2046 section 5.1.1.
    pub fn of(value: &'a [u8]) -> Result<Self, Invalid> {
        let (kind, mut rest) = essence(value.trim_ascii()).ok_or(Invalid)?;
        let mut charset = None;
        let mut boundary = None;
        while let Some((name, value, after)) = parameter(rest).ok_or(Invalid)? {
            rest = after;
            let slot = if name.eq_ignore_ascii_case(b"charset") {
                &mut charset
            } else if name.eq_ignore_ascii_case(b"boundary") {
                &mut boundary
            } else {
                continue;
            };
            if slot.replace(value).is_some() {
                return Err(Invalid);
            }
        }
        let boundary = if kind == Kind::Multipart { boundary.unwrap_or_default() } else { b"" };
        if kind == Kind::Multipart && !is_boundary(boundary) {
            return Err(Invalid);
        }
        Ok(Self { kind, charset: charset.map_or(Charset::Utf8, charset_of), boundary })
    }
}

fn charset_of(name: &[u8]) -> Charset {
    let known: [&[u8]; 4] = [b"utf-8", b"utf8", b"us-ascii", b"ascii"];
    if known.iter().any(|known| name.eq_ignore_ascii_case(known)) { Charset::Utf8 } else { Charset::Other }
}

/// `type "/" subtype`, and what follows it.
fn essence(value: &[u8]) -> Option<(Kind, &[u8])> {
    let (top, rest) = token(value)?;
    let (sub, rest) = token(rest.strip_prefix(b"/")?)?;
    let is = |name: &[u8]| sub.eq_ignore_ascii_case(name);
    let is_application = top.eq_ignore_ascii_case(b"application");
    let ends_in = |suffix: &[u8]| {
        sub.len()
            .checked_sub(suffix.len())
            .and_then(|at| sub.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
    };
    let kind = if ends_in(b"+json") || (is_application && is(b"json")) {
        Kind::Json
    } else if ends_in(b"+json-seq") || (is_application && is(b"json-seq")) {
        Kind::JsonSequence
    } else if is_application && JSON_LINES.iter().any(|name| is(name)) {
        Kind::JsonLines
    } else if is_application && is(b"x-www-form-urlencoded") {
        Kind::Urlencoded
    } else if top.eq_ignore_ascii_case(b"multipart") && is(b"form-data") {
        Kind::Multipart
    } else if top.eq_ignore_ascii_case(b"text") {
        text_kind(sub)
    } else {
        Kind::Other
    };
    Some((kind, rest))
}

fn text_kind(sub: &[u8]) -> Kind {
    if sub.eq_ignore_ascii_case(b"json") {
        Kind::Json
    } else if sub.eq_ignore_ascii_case(b"event-stream") {
        Kind::EventStream
    } else {
        Kind::Text
    }
}

/// A token that is not empty, and what follows it.
fn token(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| !is_token_byte(byte)).unwrap_or(bytes.len());
    if end == 0 { None } else { bytes.split_at_checked(end) }
}

/// A parameter's name, its value and what follows it.
type Parameter<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// The next of `*( OWS ";" OWS [ name "=" value ] )` (RFC 9110 section 5.6.6). The outer `None`: malformed; the inner: no more.
fn parameter(bytes: &[u8]) -> Option<Option<Parameter<'_>>> {
    let mut rest = trim_blanks(bytes);
    while !rest.is_empty() {
        rest = trim_blanks(rest.strip_prefix(b";")?);
        if rest.is_empty() || rest.starts_with(b";") {
            continue;
        }
        let (name, after) = token(rest)?;
        let after = after.strip_prefix(b"=")?;
        let (value, after) = match after.strip_prefix(b"\"") {
            Some(quoted) => quoted_string(quoted)?,
            None => token(after)?,
        };
        return Some(Some((name, value, trim_blanks(after))));
    }
    Some(None)
}

/// The inside of a quoted string behind its opening quote, and what follows it. Escapes are left as they are: a charset or a
/// boundary with one is refused for its backslash.
fn quoted_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut escaped = false;
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\0'..=b'\x08' | b'\x0a'..=b'\x1f' | b'\x7f' => return None,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some((bytes.get(..at)?, bytes.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}

fn trim_blanks(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

/// `boundary := 0*69<bchars> bcharsnospace` (RFC 2046 section 5.1.1).
fn is_boundary(bytes: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
    (1..=70).contains(&bytes.len()) && bytes.iter().all(allowed) && !bytes.ends_with(b" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(value: &str) -> Option<Kind> {
        MediaType::of(value.as_bytes()).ok().map(|media| media.kind)
    }

    #[test]
    fn kinds_are_read_in_any_case_and_with_parameters() {
        let cases = [
            ("application/json", Kind::Json),
            ("Application/JSON; charset=UTF-8", Kind::Json),
            ("application/vnd.api+JSON", Kind::Json),
            ("text/json", Kind::Json),
            ("application/json;", Kind::Json),
            (" application/json ; ; a=b;\tc=\"d;\\\"e\" ", Kind::Json),
            ("application/x-www-form-urlencoded", Kind::Urlencoded),
            ("multipart/form-data; boundary=x", Kind::Multipart),
            ("multipart/mixed; boundary=x", Kind::Other),
            ("text/event-stream", Kind::EventStream),
            ("text/plain", Kind::Text),
            ("text/x", Kind::Text),
            ("application/jsonl", Kind::JsonLines),
            ("Application/X-NDJSON; charset=utf-8", Kind::JsonLines),
            ("application/json-seq", Kind::JsonSequence),
            ("application/geo+json-seq", Kind::JsonSequence),
            ("application/json-seqs", Kind::Other),
            ("text/x-ndjson", Kind::Text),
            ("application/x-json", Kind::Other),
            ("json/application", Kind::Other),
            ("image/+json", Kind::Json),
            ("*/*", Kind::Other),
        ];
        for (value, expected) in cases {
            assert_eq!(kind(value), Some(expected), "{value}");
        }
    }

    #[test]
    fn what_has_no_reading_or_two_is_refused() {
        let cases = [
            "",
            "json",
            "/json",
            "application/",
            "application /json",
            "application/json, text/plain",
            "application/json charset=utf-8",
            "application/json; charset",
            "application/json; charset=",
            "application/json; charset =utf-8",
            "application/json; charset= utf-8",
            "application/json; charset=utf-8; Charset=utf-16",
            "application/json; a=\"b",
            "application/json; a=\"b\\\"",
            "application/json; a=\"b\"c",
            "application/json; a=\"\u{1}\"",
            "application/json; =b",
            "multipart/form-data",
            "multipart/form-data; boundary=\"\"",
            "multipart/form-data; boundary=a; boundary=a",
            "multipart/form-data; boundary=\"a \"",
            "multipart/form-data; boundary=\"a\\b\"",
            "multipart/form-data; boundary=a*b",
        ];
        for value in cases {
            assert_eq!(kind(value), None, "{value}");
        }
    }

    #[test]
    fn boundaries_have_seventy_bytes_at_most() {
        for (length, fits) in [(1, true), (70, true), (71, false)] {
            let boundary = "b".repeat(length);
            for value in [
                format!("multipart/form-data; boundary={boundary}"),
                format!("multipart/form-data;boundary=\"{boundary}\""),
            ] {
                let media = MediaType::of(value.as_bytes());
                assert_eq!(media.map(|media| media.boundary).ok(), fits.then_some(boundary.as_bytes()));
            }
        }
        let media = MediaType::of(b"multipart/form-data; BOUNDARY=\"a b:?\"; charset=utf-8").unwrap();
        assert_eq!((media.boundary, media.charset), (&b"a b:?"[..], Charset::Utf8));
        assert_eq!(MediaType::of(b"text/plain; boundary=x").unwrap().boundary, b"");
    }

    #[test]
    fn other_charsets_are_told_apart() {
        let cases = [
            ("text/plain", Charset::Utf8),
            ("text/plain; charset=\"utf-8\"", Charset::Utf8),
            ("text/plain; charset=US-ASCII", Charset::Utf8),
            ("text/plain; charset=utf-16", Charset::Other),
            ("application/json; charset=iso-8859-1", Charset::Other),
            ("text/plain; charset=\"utf\\-8\"", Charset::Other),
        ];
        for (value, expected) in cases {
            assert_eq!(MediaType::of(value.as_bytes()).map(|media| media.charset), Ok(expected), "{value}");
        }
    }
}
