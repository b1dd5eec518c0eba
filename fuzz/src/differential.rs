//! One request, four readers: ours, httparse, monoio-http and the strict one of the tests. Where ours accepts, it must say what
//! they say. That ours refuses what another accepts is never a failure: it is stricter by design.
//!
//! Divergences that are left out, each because ours is stricter or because the other reads less:
//! - httparse alone has no framing and no body: only the lines are compared.
//! - monoio-http knows 96 fields, ours 128; its `http::Uri` refuses bytes that the URL standard leaves in paths. It refuses then,
//!   so there is nothing to compare.
//! - `http::Uri` gives `/` for a target without a path; ours keeps it empty, and writes `/` (or `*`) when it forwards.
//! - monoio-http takes the first of several `Host`, `Content-Length` and `Transfer-Encoding`, a length beside a coding, a coding
//!   in HTTP/1.0, and no `Host` at all. Ours refuses, so no such request is compared.
//! - monoio-http reads no chunk extension and no trailer, and takes an empty chunk size for zero; a body is compared where both
//!   read it to its end.
//! - The strict reader wants `Host` and an absolute target to be equal to the letter case; ours also knows that port 80 (443) is
//!   the default. It refuses a comma in `Host`, which is in the grammar of a host; ours lets it pass, since the upstream never
//!   sees the client's `Host`. These two faults of the strict reader are not held against ours.

use bytes::BytesMut;
use monoio_codec::Decoded;
use monoio_codec::Decoder;
use monoio_http::h1::codec::decoder::ChunkedBodyDecoder;
use monoio_http::h1::codec::decoder::DirectWrapper;
use monoio_http::h1::codec::decoder::GenericHeadDecoder;
use monoio_http::h1::codec::decoder::PayloadDecoder;
use monoio_http::h1::codec::decoder::RequestHeadDecoder;
use penaxtra_gateway::http::chunked;
use penaxtra_gateway::http::framing::Body;
use penaxtra_gateway::http::head::RequestHead;
use penaxtra_gateway::http::head::Scan;
use penaxtra_gateway::http::head::Version;
use penaxtra_gateway::limits;

use crate::strict;

/// What ours has read.
struct Ours<'a> {
    head: RequestHead,
    /// What the head's spans point into.
    bytes: &'a [u8],
    /// What follows the head.
    rest: &'a [u8],
    /// Bytes of the whole input up to the end of the head.
    end: usize,
}

/// Reads `bytes` with all four and compares.
///
/// # Panics
/// Two of them accept and disagree.
pub fn request(bytes: &[u8]) {
    let Some(ours) = read(bytes) else { return };
    httparse_agrees(&ours, bytes);
    monoio_agrees(&ours, bytes);
    strict_agrees(&ours, bytes);
}

fn read(bytes: &[u8]) -> Option<Ours<'_>> {
    let found = Scan::default().find(bytes).ok()??;
    let head_bytes = &bytes[found.skip..found.end];
    let head = RequestHead::parse(head_bytes).ok()?;
    Some(Ours { head, bytes: head_bytes, rest: &bytes[found.end..], end: found.end })
}

fn httparse_agrees(ours: &Ours<'_>, bytes: &[u8]) {
    let mut headers = [httparse::EMPTY_HEADER; limits::HEAD_FIELDS_MAX];
    let mut theirs = httparse::Request::new(&mut headers);
    assert_eq!(theirs.parse(bytes), Ok(httparse::Status::Complete(ours.end)));
    assert_eq!(theirs.method.map(str::as_bytes), Some(ours.head.method_text.of(ours.bytes)));
    assert!(theirs.path.is_some_and(|path| path.as_bytes().ends_with(ours.head.path.of(ours.bytes))));
    assert_eq!(theirs.version, Some(u8::from(ours.head.version == Version::Http11)));
    assert_eq!(theirs.headers.len(), ours.head.fields.len());
}

fn monoio_agrees(ours: &Ours<'_>, bytes: &[u8]) {
    let mut rest = BytesMut::from(bytes);
    let decoded = GenericHeadDecoder::<(), RequestHeadDecoder, DirectWrapper>::default().decode(&mut rest);
    let Ok(Decoded::Some((theirs, payload))) = decoded else { return };
    let (head, bytes) = (&ours.head, ours.bytes);
    assert_eq!(&rest[..], ours.rest, "the head ends at the same place");
    assert_eq!(theirs.method.as_str().as_bytes(), head.method_text.of(bytes));
    assert_eq!(theirs.version == http::Version::HTTP_11, head.version == Version::Http11);
    assert_eq!(theirs.headers.len(), head.fields.len());
    let path = theirs.uri.path_and_query().map_or("", |path| path.as_str()).as_bytes();
    match head.path.of(bytes) {
        b"" => assert!(matches!(path, b"/" | b"*" | b"")),
        [b'?', ..] => assert!(path == head.path.of(bytes) || path.strip_prefix(b"/") == Some(head.path.of(bytes))),
        ours => assert_eq!(path, ours),
    }
    match (head.body, payload) {
        (Body::Empty | Body::Length(0), PayloadDecoder::None) => {}
        (Body::Length(length), PayloadDecoder::Fixed(mut decoder)) => {
            if let Ok(Decoded::Some(body)) = decoder.decode(&mut rest) {
                assert_eq!(body.len() as u64, length);
            }
        }
        (Body::Chunked, PayloadDecoder::Streamed(decoder)) => bodies_agree(ours.rest, decoder, rest),
        (body, payload) => panic!("{body:?} here, {:?} there", payload.hint()),
    }
}

fn bodies_agree(bytes: &[u8], mut decoder: ChunkedBodyDecoder, mut rest: BytesMut) {
    let Ok((data, consumed, true)) = chunked::decode_pieces([bytes]) else { return };
    let mut theirs = Vec::new();
    loop {
        match decoder.decode(&mut rest) {
            Ok(Decoded::Some(Some(chunk))) => theirs.extend_from_slice(&chunk),
            Ok(Decoded::Some(None)) => break,
            _ => return,
        }
    }
    assert!(data == theirs, "the data is another");
    assert_eq!(&rest[..], &bytes[consumed..]);
}

/// Ours reads a whole request with its body, so the strict reader must read the same one.
fn strict_agrees(ours: &Ours<'_>, bytes: &[u8]) {
    let (body, length) = match ours.head.body {
        Body::Empty => (Vec::new(), 0),
        Body::Length(length) => {
            let body = usize::try_from(length).ok().and_then(|length| ours.rest.get(..length));
            let Some(body) = body else { return };
            (body.to_vec(), body.len())
        }
        Body::Chunked => {
            let Ok((data, consumed, true)) = chunked::decode_pieces([ours.rest]) else { return };
            (data, consumed)
        }
        Body::UntilClose => panic!("no request is framed by its end"),
    };
    let theirs = match strict::request(bytes) {
        Ok(theirs) => theirs,
        Err("Host disagrees with the target") => return,
        Err("Host is malformed") if host_has_comma(ours) => return,
        Err(fault) => panic!("accepted here, refused by the strict reader: {fault}"),
    };
    let (theirs, end) = theirs.expect("complete here, so complete there");
    assert_eq!(end, ours.end + length);
    assert!(theirs.body == body, "the body is another");
    assert_eq!(theirs.method.as_bytes(), ours.head.method_text.of(ours.bytes));
    assert!(theirs.target.as_bytes().ends_with(ours.head.path.of(ours.bytes)));
    assert_eq!(theirs.minor == 1, ours.head.version == Version::Http11);
    let fields = ours.head.fields.iter().map(|field| (field.spelling.of(ours.bytes), field.value.of(ours.bytes)));
    assert!(fields.eq(theirs.fields.0.iter().map(|(name, value)| (name.as_bytes(), value.as_slice()))));
}

fn host_has_comma(ours: &Ours<'_>) -> bool {
    let mut hosts = ours.head.fields.iter().filter(|field| field.spelling.of(ours.bytes).eq_ignore_ascii_case(b"host"));
    hosts.any(|host| host.value.of(ours.bytes).contains(&b','))
}
