//! Request and response heads: bytes in, typed head or [`Malformed`] out (RFC 9112 sections 2 to 5).
//!
//! A head is found first ([`Scan`], which resumes where it stopped, so that a head sent byte by byte costs one pass) and
//! parsed once, by httparse. All that a head holds are spans of the received bytes; nothing is copied or decoded. What
//! httparse lets through and RFC 9112 forbids, or leaves to two readings, is refused here.
//!
//! ```text
//!   received  ┌ CRLF? ┬ start line CRLF ┬ field CRLF ┬ … ┬ CRLF ┐ body …
//!             0 <= skipped < … line_start <= scanned …         length
//! ```

use std::mem::MaybeUninit;

use crate::limits;

use super::Malformed;
use super::framing;
use super::framing::Body;
use super::target;
use super::target::Target;

/// A range of the bytes that a head was parsed from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    // INVARIANT: start <= end <= HEAD_BYTES_MAX, which fits a u16.
    start: u16,
    end: u16,
}

impl Span {
    /// The bytes, if `bytes` is what the head was parsed from; empty if it is shorter.
    #[must_use]
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(usize::from(self.start)..usize::from(self.end)).unwrap_or_default()
    }

    /// Where the bytes are.
    #[must_use]
    pub fn range(self) -> std::ops::Range<usize> {
        usize::from(self.start)..usize::from(self.end)
    }

    fn new(start: usize, end: usize) -> Self {
        let bound = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        Self { start: bound(start), end: bound(end) }
    }

    /// Where `part`, a slice of `whole`, stands in it.
    fn within(whole: &[u8], part: &[u8]) -> Self {
        let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
        Self::new(start, start + part.len())
    }
}

/// The field names that this program gives a meaning to. `ContentDigest` is any field that vouches for the bytes of a body:
/// `content-digest` and `repr-digest` (RFC 9530), `digest` and `content-md5` before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the field of that name")]
pub enum Name {
    AcceptEncoding,
    Connection,
    ContentDigest,
    ContentEncoding,
    ContentLength,
    ContentType,
    Date,
    Expect,
    Forwarded,
    Host,
    Http2Settings,
    KeepAlive,
    ProxyAuthenticate,
    ProxyAuthorization,
    ProxyConnection,
    RequestId,
    Te,
    Trailer,
    TransferEncoding,
    Upgrade,
    Via,
    Other,
}

impl Name {
    fn of(name: &[u8]) -> Self {
        let known: &[(&[u8], Self)] = match name.len() {
            2 => &[(b"te", Self::Te)],
            3 => &[(b"via", Self::Via)],
            4 => &[(b"host", Self::Host), (b"date", Self::Date)],
            6 => &[(b"expect", Self::Expect), (b"digest", Self::ContentDigest)],
            7 => &[(b"trailer", Self::Trailer), (b"upgrade", Self::Upgrade)],
            9 => &[(b"forwarded", Self::Forwarded)],
            10 => &[(b"connection", Self::Connection), (b"keep-alive", Self::KeepAlive)],
            11 => &[(b"content-md5", Self::ContentDigest), (b"repr-digest", Self::ContentDigest)],
            12 => &[(b"x-request-id", Self::RequestId), (b"content-type", Self::ContentType)],
            14 => &[
                (b"content-length", Self::ContentLength),
                (b"content-digest", Self::ContentDigest),
                (b"http2-settings", Self::Http2Settings),
            ],
            15 => &[(b"accept-encoding", Self::AcceptEncoding)],
            16 => &[(b"content-encoding", Self::ContentEncoding), (b"proxy-connection", Self::ProxyConnection)],
            17 => &[(b"transfer-encoding", Self::TransferEncoding)],
            18 => &[(b"proxy-authenticate", Self::ProxyAuthenticate)],
            19 => &[(b"proxy-authorization", Self::ProxyAuthorization)],
            _ => &[],
        };
        known.iter().find(|(text, _)| name.eq_ignore_ascii_case(text)).map_or(Self::Other, |&(_, name)| name)
    }

    /// Whether the field speaks of one connection and never crosses a proxy (RFC 9110 section 7.6.1).
    #[must_use]
    pub fn is_hop_by_hop(self) -> bool {
        matches!(
            self,
            Self::Connection
                | Self::Http2Settings
                | Self::KeepAlive
                | Self::ProxyAuthenticate
                | Self::ProxyAuthorization
                | Self::ProxyConnection
                | Self::Te
                | Self::Trailer
                | Self::TransferEncoding
                | Self::Upgrade
        )
    }
}

/// One field line.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// What the name means here.
    pub name: Name,
    /// The name as it was written.
    pub spelling: Span,
    /// The value, without the white space around it.
    pub value: Span,
}

/// HTTP/1.0 or HTTP/1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the version of that name")]
pub enum Version {
    Http10,
    Http11,
}

/// Finds the end of a head in bytes that come in pieces.
#[derive(Debug, Default)]
pub struct Scan {
    // 0 <= skipped <= line_start <= scanned <= bytes.len()
    skipped: usize,
    line_start: usize,
    scanned: usize,
    lines: usize,
}

/// A head that is there as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Bytes of an empty line in front of it, which is not part of it (RFC 9112 section 2.2); 0 or 2.
    pub skip: usize,
    /// Bytes up to the end of its last line, those of `skip` included.
    pub end: usize,
}

impl Scan {
    /// Looks at what has come since the last call. `bytes` must start with the bytes of the last call. `Ok(None)`: not all is here yet.
    ///
    /// # Errors
    /// A line that does not end in CRLF, or a bound: the head can be refused before it is complete.
    pub fn find(&mut self, bytes: &[u8]) -> Result<Option<Found>, Malformed> {
        while let Some(found) = memchr::memchr(b'\n', bytes.get(self.scanned..).unwrap_or_default()) {
            let feed = self.scanned + found;
            let line = bytes.get(self.line_start..feed).unwrap_or_default();
            self.scanned = feed + 1;
            self.line_start = self.scanned;
            self.check_bounds(line.len(), self.scanned)?;
            match line {
                [b'\r'] if self.lines == 0 && self.skipped == 0 => self.skipped = self.scanned,
                [b'\r'] if self.lines == 0 => return Err(Malformed::StartLine),
                [b'\r'] => return Ok(Some(Found { skip: self.skipped, end: self.scanned })),
                [.., b'\r'] => self.count_line()?,
                _ => return Err(Malformed::LineEnd),
            }
        }
        self.scanned = bytes.len();
        self.check_bounds(bytes.len() - self.line_start, bytes.len())?;
        Ok(None)
    }

    /// Looked at before anything else of a line, so that the same bound is met for every split. `line` is the length of a line
    /// so far, without its LF; `end` is where it ends so far.
    fn check_bounds(&self, line: usize, end: usize) -> Result<(), Malformed> {
        if self.lines == 0 && line > limits::REQUEST_LINE_BYTES_MAX {
            return Err(Malformed::TargetTooLong);
        }
        if end - self.skipped > limits::HEAD_BYTES_MAX {
            return Err(Malformed::HeadTooLarge);
        }
        Ok(())
    }

    fn count_line(&mut self) -> Result<(), Malformed> {
        self.lines += 1;
        if self.lines > limits::HEAD_FIELDS_MAX + 1 {
            return Err(Malformed::TooManyFields);
        }
        Ok(())
    }
}

/// What a method means to a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// HEAD: its response has no body.
    Head,
    /// Any other; forwarded as it was written.
    Other,
}

/// The head of a request.
#[derive(Debug)]
pub struct RequestHead {
    /// What the method means here.
    pub method: Method,
    /// The method as it was written.
    pub method_text: Span,
    /// The part of the target that is forwarded: path and query, `*`, or empty where an absolute target has no path.
    pub path: Span,
    /// The version.
    pub version: Version,
    /// All fields, in their order.
    pub fields: Vec<Field>,
    /// How the body is framed.
    pub body: Body,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// Whether the client wants to use the connection again.
    pub keep_alive: bool,
    /// The client's own request id, if it is well-formed.
    pub request_id: Option<Span>,
}

impl RequestHead {
    /// Parses a whole head: `bytes` is what [`Scan`] found, without the skipped line and up to the end.
    ///
    /// # Errors
    /// Whatever RFC 9112 forbids, and what it lets a recipient read in two ways.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut storage = [const { MaybeUninit::uninit() }; limits::HEAD_FIELDS_MAX];
        let mut request = httparse::Request::new(&mut []);
        let config = httparse::ParserConfig::default();
        let status = config.parse_request_with_uninit_headers(&mut request, bytes, &mut storage).map_err(refuse)?;
        if status != httparse::Status::Complete(bytes.len()) {
            return Err(Malformed::LineEnd);
        }
        let (Some(method_text), Some(target_text), Some(version)) = (request.method, request.path, request.version)
        else {
            return Err(Malformed::StartLine);
        };
        let version = if version == 1 { Version::Http11 } else { Version::Http10 };
        let fields = fields(bytes, request.headers)?;
        let target = target::parse(method_text.as_bytes(), target_text.as_bytes())?;
        let path = check_host(bytes, &fields, version, target_text.as_bytes(), target)?;
        let body = framing::request_body(bytes, &fields, version)?;
        if method_text == "TRACE" && body != Body::Empty {
            return Err(Malformed::UnexpectedBody);
        }
        let connection = connection(bytes, &fields)?;
        let method = match method_text {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            _ => Method::Other,
        };
        Ok(Self {
            method,
            method_text: Span::within(bytes, method_text.as_bytes()),
            path,
            version,
            body,
            expects_continue: expects_continue(bytes, &fields, version)?,
            keep_alive: version == Version::Http11 && !connection.close,
            request_id: request_id(bytes, &fields),
            fields,
        })
    }
}

/// The head of a response.
#[derive(Debug)]
pub struct ResponseHead {
    /// The status, 100..=599.
    pub status: u16,
    /// The reason phrase as it was written; may be empty.
    pub reason: Span,
    /// The version.
    pub version: Version,
    /// All fields, in their order.
    pub fields: Vec<Field>,
    /// How the body is framed.
    pub body: Body,
    /// Whether the connection may be used again once the body has ended.
    pub keep_alive: bool,
    /// Whether the server sent a request id of its own.
    pub has_request_id: bool,
    /// Whether the server said when it answered.
    pub has_date: bool,
}

impl ResponseHead {
    /// Parses a whole head, as [`RequestHead::parse`]; `to_head` says that the request's method was HEAD.
    ///
    /// # Errors
    /// As for requests. There is no lenient mode for servers.
    pub fn parse(bytes: &[u8], to_head: bool) -> Result<Self, Malformed> {
        if bytes.first() != Some(&b'H') {
            return Err(Malformed::StartLine);
        }
        let mut storage = [const { MaybeUninit::uninit() }; limits::HEAD_FIELDS_MAX];
        let mut response = httparse::Response::new(&mut []);
        let config = httparse::ParserConfig::default();
        let status = config.parse_response_with_uninit_headers(&mut response, bytes, &mut storage).map_err(refuse)?;
        if status != httparse::Status::Complete(bytes.len()) {
            return Err(Malformed::LineEnd);
        }
        let (Some(version), Some(status)) = (response.version, response.code) else {
            return Err(Malformed::StartLine);
        };
        if !(100..=599).contains(&status) {
            return Err(Malformed::Status);
        }
        let version = if version == 1 { Version::Http11 } else { Version::Http10 };
        let fields = fields(bytes, response.headers)?;
        let connection = connection(bytes, &fields)?;
        let body = framing::response_body(bytes, &fields, version, status, to_head)?;
        Ok(Self {
            status,
            reason: response.reason.map_or_else(Span::default, |reason| Span::within(bytes, reason.as_bytes())),
            version,
            body,
            keep_alive: version == Version::Http11 && !connection.close && body != Body::UntilClose,
            has_request_id: crosses(bytes, &fields, Name::RequestId),
            has_date: crosses(bytes, &fields, Name::Date),
            fields,
        })
    }
}

fn refuse(error: httparse::Error) -> Malformed {
    match error {
        httparse::Error::HeaderName => Malformed::FieldName,
        httparse::Error::HeaderValue => Malformed::FieldValue,
        httparse::Error::NewLine => Malformed::LineEnd,
        httparse::Error::Status => Malformed::Status,
        httparse::Error::Token => Malformed::StartLine,
        httparse::Error::TooManyHeaders => Malformed::TooManyFields,
        httparse::Error::Version => Malformed::Version,
    }
}

fn fields(bytes: &[u8], headers: &[httparse::Header<'_>]) -> Result<Vec<Field>, Malformed> {
    let mut fields = Vec::with_capacity(headers.len());
    for header in headers {
        let name = Name::of(header.name.as_bytes());
        if name == Name::Other && is_framing_twin(header.name.as_bytes()) {
            return Err(Malformed::FieldName);
        }
        let value = header.value.trim_ascii();
        let spelling = Span::within(bytes, header.name.as_bytes());
        fields.push(Field { name, spelling, value: Span::within(bytes, value) });
    }
    Ok(fields)
}

/// `Content_Length` and the like: CGI-style servers fold `_` and `-` together and would read a second framing field.
fn is_framing_twin(name: &[u8]) -> bool {
    const FRAMING: [&[u8]; 2] = [b"content-length", b"transfer-encoding"];
    let folds_to = |framing: &[u8]| {
        let letters = name.iter().zip(framing);
        name.len() == framing.len()
            && letters
                .into_iter()
                .all(|(&byte, &expected)| byte.to_ascii_lowercase() == expected || (byte == b'_' && expected == b'-'))
    };
    name.contains(&b'_') && FRAMING.into_iter().any(folds_to)
}

/// RFC 9112 section 3.2: one `Host`, an authority, and the same one as an absolute target's. Gives the forwarded path.
fn check_host(
    bytes: &[u8],
    fields: &[Field],
    version: Version,
    target_text: &[u8],
    target: Target,
) -> Result<Span, Malformed> {
    let mut hosts = fields.iter().filter(|field| field.name == Name::Host);
    let host = hosts.next().map(|field| field.value.of(bytes));
    if hosts.next().is_some() || host.is_some_and(|host| !target::is_authority(host)) {
        return Err(Malformed::Host);
    }
    if host.is_none() && version == Version::Http11 {
        return Err(Malformed::Host);
    }
    let whole = Span::within(bytes, target_text);
    match target {
        Target::Origin | Target::Asterisk => Ok(whole),
        Target::Absolute { authority, path, default_port } => {
            let authority = target_text.get(authority).unwrap_or_default();
            if host.is_some_and(|host| !target::same_authority(host, authority, default_port)) {
                return Err(Malformed::Host);
            }
            let start = usize::from(whole.start);
            Ok(Span::new(start + path.start, start + path.end))
        }
    }
}

struct Connection {
    close: bool,
}

/// Reads the `Connection` options, a bounded number. One that names a field which frames or routes the message is an attack
/// (CVE-2026-26365): a proxy that obeyed it would forward a message without its framing.
fn connection(bytes: &[u8], fields: &[Field]) -> Result<Connection, Malformed> {
    let mut close = false;
    let lists = fields.iter().filter(|field| field.name == Name::Connection);
    let members: usize = lists.map(|field| 1 + memchr::memchr_iter(b',', field.value.of(bytes)).count()).sum();
    if members > limits::CONNECTION_OPTIONS_MAX {
        return Err(Malformed::Nominated);
    }
    for option in nominated(bytes, fields) {
        if !option.iter().all(|&byte| is_token_byte(byte)) {
            return Err(Malformed::FieldValue);
        }
        match Name::of(option) {
            Name::ContentLength | Name::TransferEncoding | Name::Host | Name::Expect => {
                return Err(Malformed::Nominated);
            }
            _ => close = close || option.eq_ignore_ascii_case(b"close"),
        }
    }
    Ok(Connection { close })
}

/// The options of all `Connection` fields: `close`, `keep-alive`, and the names of fields that go no further than this hop.
pub(super) fn nominated<'a>(bytes: &'a [u8], fields: &'a [Field]) -> impl Iterator<Item = &'a [u8]> + Clone {
    let values = fields.iter().filter(|field| field.name == Name::Connection).map(|field| field.value.of(bytes));
    values
        .flat_map(|value| value.split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|option| !option.is_empty())
}

/// RFC 9110 section 10.1.1; an HTTP/1.0 client cannot wait for an interim response, so its expectation is ignored.
fn expects_continue(bytes: &[u8], fields: &[Field], version: Version) -> Result<bool, Malformed> {
    let mut expects = false;
    for field in fields.iter().filter(|field| field.name == Name::Expect) {
        if !field.value.of(bytes).eq_ignore_ascii_case(b"100-continue") {
            return Err(Malformed::Expectation);
        }
        expects = version == Version::Http11;
    }
    Ok(expects)
}

/// Whether a field of that name crosses: there is one, and `Connection` does not name it.
fn crosses(bytes: &[u8], fields: &[Field], name: Name) -> bool {
    let is_named = || nominated(bytes, fields).any(|option| Name::of(option) == name);
    fields.iter().any(|field| field.name == name) && !is_named()
}

fn request_id(bytes: &[u8], fields: &[Field]) -> Option<Span> {
    if !crosses(bytes, fields, Name::RequestId) {
        return None;
    }
    let mut ids = fields.iter().filter(|field| field.name == Name::RequestId);
    let value = ids.next()?.value;
    let text = value.of(bytes);
    let is_valid = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let well_formed = (1..=limits::REQUEST_ID_BYTES_MAX).contains(&text.len()) && text.iter().all(is_valid);
    (well_formed && ids.next().is_none()).then_some(value)
}

/// `tchar` of RFC 9110 section 5.6.2.
#[must_use]
pub fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Result<RequestHead, Malformed> {
        let mut scan = Scan::default();
        let found = scan.find(text.as_bytes())?.ok_or(Malformed::LineEnd)?;
        RequestHead::parse(&text.as_bytes()[found.skip..found.end])
    }

    #[test]
    fn a_head_is_found_at_the_same_place_for_every_split() {
        let texts: &[&[u8]] = &[
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\nbody",
            b"\r\nPOST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
            b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
            b"\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        ];
        for text in texts {
            let whole = Scan::default().find(text);
            for split in 0..=text.len() {
                let mut scan = Scan::default();
                let mut result = scan.find(&text[..split]);
                if result == Ok(None) {
                    result = scan.find(text);
                }
                assert_eq!(result, whole, "split at {split} of {}", String::from_utf8_lossy(text));
            }
            let mut scan = Scan::default();
            let each = (0..=text.len()).map(|end| scan.find(&text[..end])).find(|result| *result != Ok(None));
            assert_eq!(each.unwrap_or(Ok(None)), whole, "byte by byte");
        }
    }

    #[test]
    fn heads_over_a_bound_are_refused_before_they_end() {
        let long_target = format!("GET /{} HTTP/1.1\r\n", "a".repeat(limits::REQUEST_LINE_BYTES_MAX));
        assert_eq!(Scan::default().find(long_target.as_bytes()), Err(Malformed::TargetTooLong));
        let unfinished = vec![b'a'; limits::REQUEST_LINE_BYTES_MAX + 1];
        assert_eq!(Scan::default().find(&unfinished), Err(Malformed::TargetTooLong));
        let long_field = format!("GET / HTTP/1.1\r\nx: {}", "a".repeat(limits::HEAD_BYTES_MAX));
        assert_eq!(Scan::default().find(long_field.as_bytes()), Err(Malformed::HeadTooLarge));
        let many = format!("GET / HTTP/1.1\r\n{}", "a: b\r\n".repeat(limits::HEAD_FIELDS_MAX + 1));
        assert_eq!(Scan::default().find(many.as_bytes()), Err(Malformed::TooManyFields));
    }

    #[test]
    fn which_bound_is_met_does_not_depend_on_the_split() {
        let start = "GET / HTTP/1.1\r\n";
        let cases: &[(&str, String, Malformed)] = &[
            ("long line, bare LF", format!("GET /{}\n", "a".repeat(9000)), Malformed::TargetTooLong),
            ("long field, bare LF", format!("{start}a: {}\n", "a".repeat(40_000)), Malformed::HeadTooLarge),
            (
                "long and many fields",
                format!("{start}a: {}\r\n{}", "a".repeat(40_000), "a: b\r\n".repeat(200)),
                Malformed::HeadTooLarge,
            ),
        ];
        for (name, text, expected) in cases {
            let mut scan = Scan::default();
            let each =
                (0..=text.len()).map(|end| scan.find(&text.as_bytes()[..end])).find(|result| *result != Ok(None));
            assert_eq!(each, Some(Err(*expected)), "{name}, byte by byte");
            assert_eq!(Scan::default().find(text.as_bytes()), Err(*expected), "{name}, whole");
        }
    }

    #[test]
    fn request_heads_with_two_readings_are_refused() {
        let cases: &[(&str, Malformed)] = &[
            ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Malformed::StartLine),
            ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Malformed::LineEnd),
            ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", Malformed::Version),
            ("GET / http/1.1\r\nHost: a\r\n\r\n", Malformed::Version),
            ("GET /\r\nHost: a\r\n\r\n", Malformed::StartLine),
            ("GET / HTTP/1.1\r\n\r\n", Malformed::Host),
            ("GET / HTTP/1.1\r\nHost:\r\n\r\n", Malformed::Host),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Malformed::Host),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", Malformed::Host),
            ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", Malformed::Host),
            ("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", Malformed::Host),
            ("GET / HTTP/1.1\r\nHost: a\r\nx : y\r\n\r\n", Malformed::FieldName),
            ("GET / HTTP/1.1\r\nHost: a\r\n x: y\r\n\r\n", Malformed::FieldName),
            ("GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n", Malformed::FieldName),
            ("GET / HTTP/1.1\r\nHost: a\r\nx: a\rb\r\n\r\n", Malformed::FieldValue),
            ("GET / HTTP/1.1\r\nHost: a\r\nx: a\0b\r\n\r\n", Malformed::FieldValue),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent_Length: 1\r\n\r\n", Malformed::FieldName),
            ("GET / HTTP/1.1\r\nHost: a\r\nTransfer_encoding: chunked\r\n\r\n", Malformed::FieldName),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: Transfer-Encoding\r\n\r\n", Malformed::Nominated),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: ,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,a\r\n\r\n",
                Malformed::Nominated,
            ),
            ("GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", Malformed::Expectation),
            ("TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", Malformed::UnexpectedBody),
            ("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", Malformed::Method),
        ];
        for (text, expected) in cases {
            assert_eq!(request(text).err(), Some(*expected), "{text}");
        }
    }

    #[test]
    fn unusual_and_valid_heads_pass() {
        let cases: &[(&str, &str)] = &[
            ("GET / HTTP/1.1\r\nhOsT:a\r\n\r\n", "/"),
            ("\r\nGET /x HTTP/1.1\r\nHost: \t a \t\r\n\r\n", "/x"),
            ("GET http://A/y?z HTTP/1.1\r\nHost: a:80\r\nEmpty:\r\n\r\n", "/y?z"),
            ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "*"),
            ("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", ""),
            ("GET / HTTP/1.0\r\n\r\n", "/"),
            ("M-SEARCH! /x HTTP/1.1\r\nHost: [::1]:8443\r\nx_y: z\r\n\r\n", "/x"),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close, ,x\r\n\r\n", "/"),
        ];
        for (text, path) in cases {
            let head = request(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            let bytes = text.strip_prefix("\r\n").unwrap_or(text).as_bytes();
            assert_eq!(head.path.of(bytes), path.as_bytes(), "{text}");
        }
    }

    #[test]
    fn only_a_well_formed_request_id_is_taken() {
        let id = |value: &str| {
            let text = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: {value}\r\n\r\n");
            request(&text).unwrap().request_id.map(|span| String::from_utf8(span.of(text.as_bytes()).to_vec()).unwrap())
        };
        assert_eq!(id("abc-1.2_3").as_deref(), Some("abc-1.2_3"));
        assert_eq!(id("a b"), None);
        assert_eq!(id(""), None);
        assert_eq!(id(&"a".repeat(129)), None);
        assert_eq!(id("a\r\nConnection: x-request-id"), None, "it goes no further than this hop");
        let answer = b"HTTP/1.1 200 OK\r\nX-Request-Id: a\r\nDate: b\r\nConnection: X-Request-ID, date\r\n\r\n";
        let head = ResponseHead::parse(answer, false).unwrap();
        assert_eq!((head.has_request_id, head.has_date), (false, false), "the gateway writes its own");
    }
}
