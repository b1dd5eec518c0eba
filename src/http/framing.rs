//! Which rule gives the length of a body (RFC 9112 section 6.3), with every ambiguity refused.
//!
//! A proxy and the server behind it must agree where a message ends; where two readings are possible one of them
//! is an attack (request smuggling). So this file never picks between two readings: it refuses.

use crate::limits;

use super::Malformed;
use super::head::Field;
use super::head::Name;
use super::head::Version;

/// How a body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// There is none.
    Empty,
    /// So many bytes.
    Length(u64),
    /// The chunked transfer coding.
    Chunked,
    /// All bytes until the connection ends; responses only.
    UntilClose,
}

/// The framing of a request. `bytes` is what the fields' spans point into.
///
/// # Errors
/// Every form that RFC 9112 section 6 leaves open or forbids.
pub fn request_body(bytes: &[u8], fields: &[Field], version: Version) -> Result<Body, Malformed> {
    Ok(match declared(bytes, fields, version)? {
        Declared::Nothing => Body::Empty,
        Declared::Length(length) => Body::Length(length),
        Declared::Chunked => Body::Chunked,
    })
}

/// The framing of a response with `status` to a request whose method was HEAD or not.
///
/// # Errors
/// As for requests: a response with two readings is refused, even where it has no body.
pub fn response_body(
    bytes: &[u8],
    fields: &[Field],
    version: Version,
    status: u16,
    to_head: bool,
) -> Result<Body, Malformed> {
    let declared = declared(bytes, fields, version)?;
    if to_head || matches!(status, 100..=199 | 204 | 304) {
        return Ok(Body::Empty);
    }
    Ok(match declared {
        Declared::Nothing => Body::UntilClose,
        Declared::Length(length) => Body::Length(length),
        Declared::Chunked => Body::Chunked,
    })
}

enum Declared {
    Nothing,
    Length(u64),
    Chunked,
}

fn declared(bytes: &[u8], fields: &[Field], version: Version) -> Result<Declared, Malformed> {
    let mut length = None;
    let mut chunked = false;
    for field in fields {
        match field.name {
            Name::ContentLength if length.is_some() => return Err(Malformed::ContentLength),
            Name::ContentLength => length = Some(content_length(field.value.of(bytes))?),
            Name::TransferEncoding if chunked => return Err(Malformed::TransferEncoding),
            Name::TransferEncoding => {
                transfer_encoding(field.value.of(bytes), version)?;
                chunked = true;
            }
            _ => {}
        }
    }
    match (length, chunked) {
        (Some(_), true) => Err(Malformed::LengthAndCoding),
        (Some(length), false) => Ok(Declared::Length(length)),
        (None, true) => Ok(Declared::Chunked),
        (None, false) => Ok(Declared::Nothing),
    }
}

/// `1*DIGIT`: no sign, no list, no white space, no other base (RFC 9110 section 8.6).
fn content_length(value: &[u8]) -> Result<u64, Malformed> {
    if value.is_empty() || value.len() > limits::CONTENT_LENGTH_DIGITS_MAX || !value.iter().all(u8::is_ascii_digit) {
        return Err(Malformed::ContentLength);
    }
    Ok(value.iter().fold(0, |length, digit| length * 10 + u64::from(digit - b'0')))
}

/// Exactly `chunked`, in HTTP/1.1 (RFC 9112 section 6.1; HTTP/1.0 has no transfer codings).
fn transfer_encoding(value: &[u8], version: Version) -> Result<(), Malformed> {
    if version == Version::Http10 {
        return Err(Malformed::TransferEncoding);
    }
    if value.eq_ignore_ascii_case(b"chunked") {
        return Ok(());
    }
    let is_token = |part: &[u8]| !part.is_empty() && part.iter().all(|&byte| super::head::is_token_byte(byte));
    let mut codings = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    let last_is_chunked = value.rsplit(|&byte| byte == b',').next().map(<[u8]>::trim_ascii) == Some(b"chunked");
    let lists_chunked_once = codings.clone().filter(|coding| coding.eq_ignore_ascii_case(b"chunked")).count() == 1;
    if codings.all(is_token) && last_is_chunked && lists_chunked_once {
        return Err(Malformed::TransferCoding);
    }
    Err(Malformed::TransferEncoding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::head::ResponseHead;

    #[test]
    fn content_lengths() {
        let cases: &[(&str, Option<u64>)] = &[
            ("0", Some(0)),
            ("42", Some(42)),
            ("007", Some(7)),
            ("999999999999999999", Some(999_999_999_999_999_999)),
            ("", None),
            ("+1", None),
            ("-1", None),
            ("0x10", None),
            ("1,1", None),
            ("1 1", None),
            ("1_000", None),
            ("1.0", None),
            ("18446744073709551616", None),
            ("99999999999999999999999", None),
        ];
        for (text, expected) in cases {
            assert_eq!(content_length(text.as_bytes()).ok(), *expected, "{text}");
        }
    }

    #[test]
    fn responses_by_status() {
        let cases: &[(&str, bool, Result<Body, Malformed>)] = &[
            ("HTTP/1.1 200 OK\r\n\r\n", false, Ok(Body::UntilClose)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", false, Ok(Body::Length(3))),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true, Ok(Body::Empty)),
            ("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", false, Ok(Body::Empty)),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", false, Ok(Body::Empty)),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, Ok(Body::Chunked)),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, Err(Malformed::TransferEncoding)),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", false, Err(Malformed::TransferCoding)),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", false, Err(Malformed::TransferEncoding)),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", false, Err(Malformed::TransferEncoding)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", true, Err(Malformed::ContentLength)),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                false,
                Err(Malformed::LengthAndCoding),
            ),
        ];
        for (text, to_head, expected) in cases {
            let body = ResponseHead::parse(text.as_bytes(), *to_head).map(|head| head.body);
            assert_eq!(body, *expected, "{text}");
        }
    }
}
