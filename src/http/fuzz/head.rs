//! Properties of heads: where they end, what they say, and that what is written anew says the same.

use crate::http::encode;
use crate::http::encode::Back;
use crate::http::encode::Changed;
use crate::http::encode::Onward;
use crate::http::forward;
use crate::http::framing::Body;
use crate::http::head::Field;
use crate::http::head::Found;
use crate::http::head::Name;
use crate::http::head::RequestHead;
use crate::http::head::ResponseHead;
use crate::http::head::Scan;
use crate::http::head::Version;
use crate::http::head::is_token_byte;
use crate::limits;

use super::ways;

/// A name and a value.
type Pair<'a> = (&'a [u8], &'a [u8]);

const REQUEST_ID: &str = "pnx-1";

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// A request head: found at the same place for every cut, read as a naive reader and httparse read it, free of every byte
/// that could end a line elsewhere, and the same request again after it was forwarded.
///
/// # Panics
/// A property does not hold.
pub fn fuzz_request_head(bytes: &[u8]) {
    let Some((found, bytes)) = find(bytes) else { return };
    let bytes = bytes.get(found.skip..).expect("what is skipped stands before the end");
    let Ok(head) = RequestHead::parse(bytes) else { return };
    let (start, fields) = read_naively(bytes);
    let parts: Vec<&[u8]> = start.split(|&byte| byte == b' ').collect();
    let [method, target, version] = parts[..] else { panic!("a request line has three parts") };
    assert_eq!(method, head.method_text.of(bytes));
    assert!(target.ends_with(head.path.of(bytes)));
    assert_eq!(version, version_text(head.version));
    assert_eq!(pairs(bytes, head.fields.iter()), fields);
    let mut headers = [httparse::EMPTY_HEADER; limits::HEAD_FIELDS_MAX];
    let status = httparse::Request::new(&mut headers).parse(bytes);
    assert_eq!(status, Ok(httparse::Status::Complete(bytes.len())), "httparse reads what is accepted here");
    for prefix in ["", "/prefix"] {
        forward_request(&head, bytes, prefix);
    }
}

/// The head of an answer, as [`fuzz_request_head`]; an answer to HEAD and to others, for clients of both versions.
///
/// # Panics
/// A property does not hold.
pub fn fuzz_response_head(bytes: &[u8]) {
    let Some((_, bytes)) = find(bytes) else { return };
    for to_head in [false, true] {
        let Ok(head) = ResponseHead::parse(bytes, to_head) else { continue };
        let (start, fields) = read_naively(bytes);
        let front = [version_text(head.version), format!(" {}", head.status).as_bytes()].concat();
        let reason = start.strip_prefix(&front[..]).expect("a status line begins with version and status");
        let reason = reason.strip_prefix(b" ").unwrap_or(reason);
        // httparse gives no reason where one has a byte above 127; it means nothing to anybody.
        assert!(head.reason.of(bytes) == reason || head.reason.of(bytes).is_empty() && !reason.is_ascii());
        assert_eq!(pairs(bytes, head.fields.iter()), fields);
        let mut headers = [httparse::EMPTY_HEADER; limits::HEAD_FIELDS_MAX];
        let status = httparse::Response::new(&mut headers).parse(bytes);
        assert_eq!(status, Ok(httparse::Status::Complete(bytes.len())), "httparse reads what is accepted here");
        // Interim answers are passed on by other means, and never have a body.
        assert!(head.status >= 200 || head.body == Body::Empty);
        for modern in [false, true] {
            if head.status >= 200 {
                relay_response(&head, bytes, to_head, modern);
            }
        }
    }
}

/// The head at the front of `bytes` and all bytes up to its end; the answer is the same for every cut.
fn find(bytes: &[u8]) -> Option<(Found, &[u8])> {
    let whole = Scan::default().find(bytes);
    for pieces in ways(bytes) {
        let (mut scan, mut end, mut result) = (Scan::default(), 0, Ok(None));
        for piece in &pieces {
            end += piece.len();
            result = scan.find(bytes.get(..end).unwrap_or_default());
            if result != Ok(None) {
                break;
            }
        }
        assert_eq!(result, whole, "in {} pieces", pieces.len());
    }
    let found = whole.ok()??;
    Some((found, bytes.get(..found.end).expect("a head ends within the bytes")))
}

/// The start line and the fields of an accepted head: cut at its line ends, and each field at its first colon.
fn read_naively(head: &[u8]) -> (&[u8], Vec<Pair<'_>>) {
    let text = head.strip_suffix(b"\r\n\r\n").expect("a head ends in an empty line");
    let mut lines = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        lines.push(line.strip_suffix(b"\r").unwrap_or(line));
    }
    let length: usize = lines.iter().map(|line| line.len() + 2).sum();
    assert_eq!(length, text.len() + 2, "every line ends in CRLF");
    let is_text = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
    assert!(lines.iter().all(|line| line.iter().all(is_text)), "a control byte was accepted");
    let (start, rest) = lines.split_first().expect("a head has a start line");
    let mut fields = Vec::new();
    for line in rest {
        let colon = line.iter().position(|&byte| byte == b':').expect("a field line has a colon");
        let (name, value) = line.split_at(colon);
        assert!(!name.is_empty() && name.iter().all(|&byte| is_token_byte(byte)), "a field name is a token");
        fields.push((name, value.strip_prefix(b":").unwrap_or_default().trim_ascii()));
    }
    (start, fields)
}

fn version_text(version: Version) -> &'static [u8] {
    match version {
        Version::Http10 => b"HTTP/1.0",
        Version::Http11 => b"HTTP/1.1",
    }
}

fn pairs<'a>(bytes: &'a [u8], fields: impl Iterator<Item = &'a Field>) -> Vec<Pair<'a>> {
    fields.map(|field| (field.spelling.of(bytes), field.value.of(bytes))).collect()
}

/// The fields that must arrive unchanged: those that cross, less those that the gateway sees to itself.
fn unchanged<'a>(bytes: &'a [u8], fields: &'a [Field]) -> Vec<Pair<'a>> {
    pairs(bytes, forward::crossing(bytes, fields).filter(|field| field.name != Name::RequestId))
}

/// Whether a head that was written is still within the bounds for one that is read. If it is, it must be found whole.
fn is_readable(written: &[u8]) -> bool {
    match Scan::default().find(written) {
        Ok(found) => {
            assert_eq!(found, Some(Found { skip: 0, end: written.len() }), "a head is written whole");
            true
        }
        Err(bound) => {
            let lines = written.iter().filter(|&&byte| byte == b'\n').count();
            let at_bound = written.len() > limits::REQUEST_LINE_BYTES_MAX || lines > limits::HEAD_FIELDS_MAX;
            assert!(at_bound, "{bound:?}");
            false
        }
    }
}

fn forward_request(head: &RequestHead, bytes: &[u8], prefix: &str) {
    let content_length = match head.body {
        Body::Empty => None,
        Body::Length(length) => Some(length),
        Body::Chunked => Some(7),
        Body::UntilClose => panic!("no request is framed by its end"),
    };
    let request_id = head.request_id.is_none().then_some(REQUEST_ID);
    let onward = Onward {
        authority: "upstream.example",
        prefix,
        content_length,
        request_id,
        changed: Changed::default(),
        via: false,
        identity: false,
        forwarded: None,
    };
    let mut out = Vec::new();
    encode::request(head, bytes, &onward, &mut out);
    if !is_readable(&out) {
        return;
    }
    let again = RequestHead::parse(&out).expect("a forwarded head is valid");
    assert_eq!(again.method_text.of(&out), head.method_text.of(bytes));
    assert_eq!(again.path.of(&out), forwarded_path(head, bytes, prefix));
    assert_eq!(again.body, content_length.map_or(Body::Empty, Body::Length));
    assert_eq!((again.version, again.keep_alive, again.expects_continue), (Version::Http11, true, false));
    assert!(again.request_id.is_some(), "a forwarded request has one well-formed id");
    assert!(!again.fields.iter().any(|field| field.name.is_hop_by_hop()));
    let mut expected = vec![(&b"host"[..], onward.authority.as_bytes())];
    expected.extend(unchanged(bytes, &head.fields));
    let kept = again.fields.iter().filter(|field| !matches!(field.name, Name::RequestId | Name::ContentLength));
    assert_eq!(pairs(&out, kept), expected);
    let mut twice = Vec::new();
    encode::request(&again, &out, &Onward { prefix: "", request_id: None, ..onward }, &mut twice);
    assert_eq!(twice, out, "forwarding a forwarded head changes nothing");
}

fn forwarded_path(head: &RequestHead, bytes: &[u8], prefix: &str) -> Vec<u8> {
    let path = head.path.of(bytes);
    match path {
        b"*" => path.to_vec(),
        b"" if head.method_text.of(bytes) == b"OPTIONS" => b"*".to_vec(),
        [b'/', ..] => [prefix.as_bytes(), path].concat(),
        _ => [prefix.as_bytes(), b"/", path].concat(),
    }
}

fn relay_response(head: &ResponseHead, bytes: &[u8], to_head: bool, modern: bool) {
    let body = match head.body {
        Body::Empty | Body::Length(_) => head.body,
        Body::Chunked | Body::UntilClose if modern => Body::Chunked,
        Body::Chunked | Body::UntilClose => Body::UntilClose,
    };
    let keep_alive = body != Body::UntilClose;
    let back = Back {
        body,
        keep_alive,
        request_id: REQUEST_ID,
        date: DATE,
        redacted: 0,
        inspection: "full",
        changed: Changed::default(),
        via: false,
    };
    let mut out = Vec::new();
    encode::response(head, bytes, &back, &mut out);
    if !is_readable(&out) {
        return;
    }
    let again = ResponseHead::parse(&out, to_head).expect("a relayed head is valid");
    assert_eq!((again.status, again.version), (head.status, Version::Http11));
    assert_eq!(again.reason.of(&out), head.reason.of(bytes));
    assert_eq!((again.body, again.keep_alive), (body, keep_alive));
    assert!(again.has_request_id && again.has_date, "an answer has a request id and a date");
    let is_ours = |name: Name| {
        let frames = matches!(name, Name::ContentLength | Name::TransferEncoding | Name::Connection);
        frames || name == Name::RequestId
    };
    let kept = again.fields.iter().filter(|field| !is_ours(field.name));
    let mut expected = unchanged(bytes, &head.fields);
    expected.retain(|(name, _)| !name.to_ascii_lowercase().starts_with(b"x-penaxtra-"));
    if !head.has_date {
        expected.push((b"date", DATE.as_bytes()));
    }
    expected.push((b"x-penaxtra-inspection", b"full"));
    assert_eq!(pairs(&out, kept), expected);
}
