//! Heads to bytes, in the one form that this gateway writes.
//!
//! Fields that cross are copied as they were received; the start line, `host` and the framing are written anew from what
//! was parsed, never from what was sent. So a message has the same single reading behind the gateway as in it.

use std::net::SocketAddr;

use super::forward;
use super::framing::Body;
use super::head::Name;
use super::head::RequestHead;
use super::head::ResponseHead;
use super::head::Version;

/// The name that this gateway uses in `Via` (RFC 9110 section 7.6.3).
pub const PSEUDONYM: &str = "penaxtra-gateway";

/// What a forwarded request head says beside what it was received with.
#[derive(Clone, Copy, Debug)]
pub struct Onward<'a> {
    /// The `Host` of the upstream.
    pub authority: &'a str,
    /// The path that stands before every request path; empty or `/…` without a slash at its end.
    pub prefix: &'a str,
    /// Bytes of the body, or none if the request has no body.
    pub content_length: Option<u64>,
    /// The request id that the gateway made; none if the client's own crosses.
    pub request_id: Option<&'a str>,
    /// Whether the body is no longer the one that was received: what describes or vouches for its bytes stays behind.
    pub changed: Changed,
    /// Whether to add a `Via` member.
    pub via: bool,
    /// Whether the answer is to come without a content coding, whatever the client takes: it will be read on its way.
    pub identity: bool,
    /// What to say in `Forwarded` (RFC 7239): the client's address, and whether it spoke TLS.
    pub forwarded: Option<(SocketAddr, bool)>,
}

/// What the gateway has done to a message's body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Its content coding was taken off: `content-encoding` stays behind.
    pub decoded: bool,
    /// Its bytes are others: digests of them stay behind (RFC 9530).
    pub bytes: bool,
}

impl Changed {
    fn drops(self, name: Name) -> bool {
        self.decoded && name == Name::ContentEncoding || self.bytes && name == Name::ContentDigest
    }
}

/// Writes the head of a request for the upstream. `bytes` is what `head` was parsed from.
pub fn request(head: &RequestHead, bytes: &[u8], onward: &Onward<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(head.method_text.of(bytes));
    out.push(b' ');
    request_path(head, bytes, onward.prefix, out);
    line(out, &[b" HTTP/1.1"]);
    line(out, &[b"host: ", onward.authority.as_bytes()]);
    for field in forward::crossing(bytes, &head.fields) {
        let replaced = field.name == Name::RequestId && onward.request_id.is_some()
            || field.name == Name::AcceptEncoding && onward.identity;
        if !replaced && !onward.changed.drops(field.name) {
            line(out, &[field.spelling.of(bytes), b": ", field.value.of(bytes)]);
        }
    }
    if let Some(id) = onward.request_id {
        line(out, &[b"x-request-id: ", id.as_bytes()]);
    }
    if onward.identity {
        line(out, &[b"accept-encoding: identity"]);
    }
    if onward.via {
        via(head.version, out);
    }
    if let Some((client, tls)) = onward.forwarded {
        forwarded(client, tls, out);
    }
    if let Some(length) = onward.content_length {
        content_length(length, out);
    }
    out.extend_from_slice(b"\r\n");
}

fn request_path(head: &RequestHead, bytes: &[u8], prefix: &str, out: &mut Vec<u8>) {
    let path = head.path.of(bytes);
    match path.first() {
        None if head.method_text.of(bytes) == b"OPTIONS" => out.push(b'*'),
        Some(b'*') => out.push(b'*'),
        Some(b'/') => {
            out.extend_from_slice(prefix.as_bytes());
            out.extend_from_slice(path);
        }
        _ => {
            out.extend_from_slice(prefix.as_bytes());
            out.push(b'/');
            out.extend_from_slice(path);
        }
    }
}

fn via(version: Version, out: &mut Vec<u8>) {
    let version: &[u8] = if version == Version::Http11 { b"1.1 " } else { b"1.0 " };
    line(out, &[b"via: ", version, PSEUDONYM.as_bytes()]);
}

fn forwarded(client: SocketAddr, tls: bool, out: &mut Vec<u8>) {
    let proto: &[u8] = if tls { b";proto=https" } else { b";proto=http" };
    let client = match client {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("\"[{}]\"", address.ip()),
    };
    line(out, &[b"forwarded: for=", client.as_bytes(), proto]);
}

/// What a response head to the client says beside what it was received with.
#[derive(Clone, Copy, Debug)]
pub struct Back<'a> {
    /// How the body is framed towards the client.
    pub body: Body,
    /// Whether the connection is used again.
    pub keep_alive: bool,
    /// The request id; written where the upstream sent none of its own.
    pub request_id: &'a str,
    /// The time, written where the upstream did not say it (RFC 9110 section 6.6.1).
    pub date: &'a str,
    /// How many places of the request and the answer were redacted; zero is not written.
    pub redacted: u32,
    /// How much of the answer was inspected, as `x-penaxtra-inspection` says it.
    pub inspection: &'a str,
    /// Whether the body is no longer the one that was received: what describes or vouches for its bytes stays behind.
    pub changed: Changed,
    /// Whether to add a `Via` member.
    pub via: bool,
}

/// Writes the head of a response for the client. `bytes` is what `head` was parsed from.
pub fn response(head: &ResponseHead, bytes: &[u8], back: &Back<'_>, out: &mut Vec<u8>) {
    status_line(head.status, head.reason.of(bytes), out);
    for field in forward::crossing(bytes, &head.fields) {
        if !back.changed.drops(field.name) && !is_ours(field.spelling.of(bytes)) {
            line(out, &[field.spelling.of(bytes), b": ", field.value.of(bytes)]);
        }
    }
    if !head.has_request_id {
        line(out, &[b"x-request-id: ", back.request_id.as_bytes()]);
    }
    if !head.has_date {
        line(out, &[b"date: ", back.date.as_bytes()]);
    }
    if back.redacted > 0 {
        out.extend_from_slice(b"x-penaxtra-redacted: ");
        decimal(u64::from(back.redacted), out);
        out.extend_from_slice(b"\r\n");
    }
    line(out, &[b"x-penaxtra-inspection: ", back.inspection.as_bytes()]);
    if back.via {
        via(head.version, out);
    }
    match back.body {
        Body::Length(length) => content_length(length, out),
        Body::Chunked => line(out, &[b"transfer-encoding: chunked"]),
        Body::UntilClose => {}
        Body::Empty => length_without_body(head, bytes, out),
    }
    if !back.keep_alive {
        line(out, &[b"connection: close"]);
    }
    out.extend_from_slice(b"\r\n");
}

/// Fields that only this gateway may write: an upstream must not say that it inspected something.
fn is_ours(name: &[u8]) -> bool {
    const PREFIX: &[u8] = b"x-penaxtra-";
    name.get(..PREFIX.len()).is_some_and(|front| front.eq_ignore_ascii_case(PREFIX))
}

/// The answer to HEAD and a 304 say how long the body would be; a 204 must not (RFC 9110 section 8.6).
fn length_without_body(head: &ResponseHead, bytes: &[u8], out: &mut Vec<u8>) {
    if head.status == 204 {
        return;
    }
    for field in head.fields.iter().filter(|field| field.name == Name::ContentLength) {
        line(out, &[b"content-length: ", field.value.of(bytes)]);
    }
}

/// Writes the status line.
pub fn status_line(status: u16, reason: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 ");
    decimal(u64::from(status), out);
    line(out, &[b" ", reason]);
}

/// Writes `content-length` with its line end.
pub fn content_length(length: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"content-length: ");
    decimal(length, out);
    out.extend_from_slice(b"\r\n");
}

/// Writes the parts and CRLF.
pub fn line(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes a number in decimal, without allocating.
pub fn decimal(mut value: u64, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut length = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
        length += 1;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - length..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONWARD: Onward<'_> = Onward {
        authority: "api.example",
        prefix: "/p",
        content_length: Some(4),
        request_id: Some("id-1"),
        changed: Changed { decoded: false, bytes: false },
        via: true,
        identity: false,
        forwarded: None,
    };

    #[test]
    fn a_request_is_written_in_one_form() {
        let cases: &[(&str, &str)] = &[
            ("/x?y", "POST /p/x?y HTTP/1.1"),
            ("http://a", "POST /p/ HTTP/1.1"),
            ("http://a?q", "POST /p/?q HTTP/1.1"),
        ];
        for (target, expected) in cases {
            let text = format!("POST {target} HTTP/1.1\r\nHOST: a\r\nX-A:  b \r\nTransfer-Encoding: chunked\r\n\r\n");
            let head = RequestHead::parse(text.as_bytes()).unwrap();
            let mut out = Vec::new();
            request(&head, text.as_bytes(), &ONWARD, &mut out);
            let fields =
                "host: api.example\r\nX-A: b\r\nx-request-id: id-1\r\nvia: 1.1 penaxtra-gateway\r\ncontent-length: 4";
            assert_eq!(String::from_utf8(out).unwrap(), format!("{expected}\r\n{fields}\r\n\r\n"));
        }
    }

    #[test]
    fn a_forwarded_request_parses_to_itself() {
        let text = b"OPTIONS * HTTP/1.0\r\nx: \xff\r\n\r\n";
        let head = RequestHead::parse(text).unwrap();
        let mut out = Vec::new();
        let client = "[::1]:7".parse().unwrap();
        let onward = Onward { content_length: None, forwarded: Some((client, true)), ..ONWARD };
        request(&head, text, &onward, &mut out);
        let again = RequestHead::parse(&out).unwrap();
        assert_eq!(again.path.of(&out), b"*");
        assert_eq!(again.body, Body::Empty);
        let text = String::from_utf8_lossy(&out);
        assert!(text.contains("via: 1.0 penaxtra-gateway\r\nforwarded: for=\"[::1]\";proto=https\r\n"), "{text}");
    }

    #[test]
    fn what_describes_bytes_that_are_gone_stays_behind() {
        let text = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Digest: d\r\nDigest: e\r\nContent-MD5: f\r\n\
            Repr-Digest: g\r\nContent-Type: t\r\n\r\n";
        let cases = [
            (false, false, "Content-Encoding Content-Digest Digest Content-MD5 Repr-Digest Content-Type"),
            (true, false, "Content-Digest Digest Content-MD5 Repr-Digest Content-Type"),
            (true, true, "Content-Type"),
            (false, true, "Content-Encoding Content-Type"),
        ];
        for (decoded, bytes, expected) in cases {
            let head = RequestHead::parse(text).unwrap();
            let mut out = Vec::new();
            request(&head, text, &Onward { changed: Changed { decoded, bytes }, ..ONWARD }, &mut out);
            let again = RequestHead::parse(&out).unwrap();
            let names = again.fields.iter().map(|field| String::from_utf8_lossy(field.spelling.of(&out)).into_owned());
            let names: Vec<_> = names.filter(|name| name.starts_with(['C', 'D', 'R'])).collect();
            assert_eq!(names.join(" "), expected);
        }
    }

    #[test]
    fn an_answer_that_will_be_read_is_asked_for_without_a_coding() {
        let text = b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, br\r\nACCEPT-ENCODING: zstd\r\nx: y\r\n\r\n";
        let head = RequestHead::parse(text).unwrap();
        for (identity, expected) in [
            (true, vec!["accept-encoding: identity"]),
            (false, vec!["Accept-Encoding: gzip, br", "ACCEPT-ENCODING: zstd"]),
        ] {
            let mut out = Vec::new();
            request(&head, text, &Onward { identity, ..ONWARD }, &mut out);
            let text = String::from_utf8(out).unwrap();
            let lines = text.lines().filter(|line| line.to_ascii_lowercase().starts_with("accept-encoding"));
            assert_eq!(lines.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn an_answer_says_what_was_done_to_it_and_nobody_else_does() {
        let text = b"HTTP/1.1 200 OK\r\nX-Penaxtra-Inspection: full\r\nx-PENAXTRA-new: 1\r\nX-Penaxtr: 2\r\nContent-Encoding: gzip\r\n\
            Digest: d\r\nContent-Length: 9\r\n\r\n";
        let head = ResponseHead::parse(text, false).unwrap();
        let back = Back {
            body: Body::Length(4),
            keep_alive: true,
            request_id: "id-1",
            date: "now",
            redacted: 2,
            inspection: "partial;reason=media",
            changed: Changed { decoded: true, bytes: true },
            via: false,
        };
        let mut out = Vec::new();
        response(&head, text, &back, &mut out);
        let expected = "HTTP/1.1 200 OK\r\nX-Penaxtr: 2\r\nx-request-id: id-1\r\ndate: now\r\nx-penaxtra-redacted: 2\r\n\
            x-penaxtra-inspection: partial;reason=media\r\ncontent-length: 4\r\n\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn decimals() {
        for value in [0, 7, 10, 999, 65_536, u64::MAX] {
            let mut out = Vec::new();
            decimal(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }
}
