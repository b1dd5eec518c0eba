//! A second reader of HTTP/1.1, written from RFC 9110 and 9112 alone, to judge what the gateway lets through.
//!
//! It reads byte by byte, allocates freely and knows no leniency. It exists so that the gateway's own codec is never
//! its own judge; it shares no line with `src/`, and it never tolerates what a recipient "MAY" tolerate, but for one
//! empty line before a request (RFC 9112, 2.2).

/// Why a message has no single reading.
pub type Fault = &'static str;

/// `Ok(None)`: the bytes so far are a proper prefix of something valid.
pub type Step<T> = Result<Option<(T, usize)>, Fault>;

/// Field lines in the order of arrival, names as sent.
#[derive(Clone, Debug, Default)]
pub struct Fields(pub Vec<(String, Vec<u8>)>);

impl Fields {
    /// Every value of the name, which is compared without case.
    pub fn all(&self, name: &str) -> Vec<&[u8]> {
        self.0.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_slice()).collect()
    }

    /// The only value of the name as text; `None` where it is absent or repeated.
    pub fn one(&self, name: &str) -> Option<String> {
        match self.all(name)[..] {
            [value] => Some(String::from_utf8_lossy(value).into_owned()),
            _ => None,
        }
    }

    pub fn has(&self, name: &str) -> bool {
        !self.all(name).is_empty()
    }
}

#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    /// 0 or 1.
    pub minor: u8,
    pub fields: Fields,
    pub trailers: Fields,
    pub body: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub minor: u8,
    pub fields: Fields,
    pub body: Vec<u8>,
    pub framing: Framing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No body by the status, or because it answers HEAD.
    Bare,
    Length,
    Chunked,
    /// The body ends where the connection does.
    Close,
}

/// How a byte stream ended, as far as its reader can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// FIN; on TLS behind a `close_notify`.
    Clean,
    /// TLS only: FIN without a `close_notify`.
    Truncated,
    Reset,
}

fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().copied().all(is_tchar)
}

fn is_field_byte(byte: u8) -> bool {
    byte == b'\t' || (b' '..=b'~').contains(&byte) || byte >= 0x80
}

fn trim(value: &[u8]) -> &[u8] {
    let blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let start = value.iter().position(|b| !blank(b)).unwrap_or(value.len());
    let end = value.iter().rposition(|b| !blank(b)).map_or(start, |last| last + 1);
    &value[start..end]
}

/// The line that begins at `from`, without its CRLF, and where the next one begins.
fn line(bytes: &[u8], from: usize) -> Result<Option<(&[u8], usize)>, Fault> {
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'\n' => return Err("bare LF"),
            b'\r' if at + 1 == bytes.len() => return Ok(None),
            b'\r' if bytes[at + 1] == b'\n' => return Ok(Some((&bytes[from..at], at + 2))),
            b'\r' => return Err("bare CR"),
            0 => return Err("NUL"),
            _ => at += 1,
        }
    }
    Ok(None)
}

/// Field lines up to and with the empty line.
fn fields(bytes: &[u8], from: usize) -> Step<Fields> {
    let mut found = Fields::default();
    let mut at = from;
    loop {
        let Some((text, next)) = line(bytes, at)? else { return Ok(None) };
        at = next;
        if text.is_empty() {
            return Ok(Some((found, at)));
        }
        let colon = text.iter().position(|b| *b == b':').ok_or("field line without a colon")?;
        let (name, value) = (&text[..colon], &text[colon + 1..]);
        if !is_token(name) {
            return Err("field name is no token");
        }
        if !value.iter().copied().all(is_field_byte) {
            return Err("control byte in a field value");
        }
        found.0.push((String::from_utf8_lossy(name).into_owned(), trim(value).to_vec()));
    }
}

/// `Some(n)` for a Content-Length that is one run of digits.
fn content_length(fields: &Fields) -> Result<Option<usize>, Fault> {
    match fields.all("content-length")[..] {
        [] => Ok(None),
        [value] if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
            let text = std::str::from_utf8(value).map_err(|_| "Content-Length")?;
            text.parse().map(Some).map_err(|_| "Content-Length overflows")
        }
        [_] => Err("Content-Length is not a number"),
        _ => Err("Content-Length is repeated"),
    }
}

fn chunked(fields: &Fields) -> Result<bool, Fault> {
    match fields.all("transfer-encoding")[..] {
        [] => Ok(false),
        [value] if value.eq_ignore_ascii_case(b"chunked") => Ok(true),
        _ => Err("Transfer-Encoding is not chunked alone"),
    }
}

/// RFC 9112, 7.1: the decoded body, the trailer fields, and where the message ends.
fn chunked_body(bytes: &[u8], from: usize) -> Step<(Vec<u8>, Fields)> {
    let mut body = Vec::new();
    let mut at = from;
    loop {
        let Some((text, next)) = line(bytes, at)? else { return Ok(None) };
        at = next;
        let digits = text.iter().position(|b| !b.is_ascii_hexdigit()).unwrap_or(text.len());
        let hex = std::str::from_utf8(&text[..digits]).map_err(|_| "chunk size")?;
        let size = usize::from_str_radix(hex, 16).map_err(|_| "chunk size")?;
        chunk_extensions(&text[digits..])?;
        if size == 0 {
            return Ok(fields(bytes, at)?.map(|(trailers, end)| ((body, trailers), end)));
        }
        let end = at.checked_add(size).ok_or("chunk size overflows")?;
        let Some(data) = bytes.get(at..end) else { return Ok(None) };
        body.extend_from_slice(data);
        match (bytes.get(end), bytes.get(end + 1)) {
            (Some(b'\r'), Some(b'\n')) => at = end + 2,
            (None, _) | (Some(b'\r'), None) => return Ok(None),
            _ => return Err("no CRLF behind the data of a chunk"),
        }
    }
}

/// `*( BWS ";" BWS name [ BWS "=" BWS value ] )`, nothing else.
fn chunk_extensions(mut rest: &[u8]) -> Result<(), Fault> {
    while !rest.is_empty() {
        rest = trim_start(rest).strip_prefix(b";").ok_or("junk behind a chunk size")?;
        rest = trim_start(rest);
        let name = rest.iter().position(|b| !is_tchar(*b)).unwrap_or(rest.len());
        if name == 0 {
            return Err("chunk extension without a name");
        }
        rest = &rest[name..];
        let Some(value) = trim_start(rest).strip_prefix(b"=") else { continue };
        let value = trim_start(value);
        let length = match value.first() {
            Some(b'"') => quoted_string(value).ok_or("chunk extension: quoted string")?,
            _ => value.iter().position(|b| !is_tchar(*b)).unwrap_or(value.len()),
        };
        if length == 0 {
            return Err("chunk extension without a value");
        }
        rest = &value[length..];
    }
    Ok(())
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|b| *b != b' ' && *b != b'\t').unwrap_or(bytes.len());
    &bytes[start..]
}

/// The length of the quoted string at the start, quotes included.
fn quoted_string(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' if is_field_byte(*bytes.get(at + 1)?) => at += 2,
            byte if is_field_byte(*byte) && *byte != b'\\' => at += 1,
            _ => return None,
        }
    }
}

/// RFC 3986: `host [ ":" port ]`, without userinfo; an empty host is the caller's concern.
fn is_authority(value: &[u8]) -> bool {
    let (host_ok, rest) = if value.first() == Some(&b'[') {
        let Some(close) = value.iter().position(|b| *b == b']') else { return false };
        let inside = String::from_utf8_lossy(&value[1..close]).into_owned();
        (inside.parse::<std::net::Ipv6Addr>().is_ok(), &value[close + 1..])
    } else {
        let colon = value.iter().position(|b| *b == b':').unwrap_or(value.len());
        (is_reg_name(&value[..colon]), &value[colon..])
    };
    let port_ok = match rest.split_first() {
        None => true,
        Some((b':', digits)) => digits.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    };
    host_ok && port_ok
}

fn is_reg_name(name: &[u8]) -> bool {
    let mut at = 0;
    while at < name.len() {
        match name[at] {
            b'%' => {
                let pair = name.get(at + 1..at + 3);
                if !pair.is_some_and(|p| p.iter().all(u8::is_ascii_hexdigit)) {
                    return false;
                }
                at += 3;
            }
            b if b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&b) => at += 1,
            _ => return false,
        }
    }
    true
}

/// The authority of an absolute-form target; `None` for the other forms.
fn check_target(method: &str, target: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
    if method == "CONNECT" {
        return Err("CONNECT");
    }
    if target.is_empty() || !target.iter().all(|b| (0x21..=0x7e).contains(b) && *b != b'#') {
        return Err("byte that no target may hold");
    }
    match target[0] {
        b'/' => Ok(None),
        b'*' if target.len() == 1 && method == "OPTIONS" => Ok(None),
        b'*' => Err("asterisk form"),
        _ => {
            let text = String::from_utf8_lossy(target).into_owned();
            let scheme = text.find("://").ok_or("no form of a target")?;
            let after = &text[scheme + 3..];
            if !["http", "https"].contains(&text[..scheme].to_ascii_lowercase().as_str()) {
                return Err("scheme");
            }
            let authority = &after[..after.find(['/', '?']).unwrap_or(after.len())];
            if authority.is_empty() || authority.starts_with(':') || !is_authority(authority.as_bytes()) {
                return Err("authority of the target");
            }
            Ok(Some(authority.as_bytes().to_vec()))
        }
    }
}

fn check_host(minor: u8, fields: &Fields, authority: Option<Vec<u8>>) -> Result<(), Fault> {
    let hosts = fields.all("host");
    match (hosts.len(), minor) {
        (0, 0) => return Ok(()),
        (0, _) => return Err("no Host"),
        (1, _) => {}
        _ => return Err("Host is repeated"),
    }
    // A comma is in the grammar of a host, and in no name that a list of two hosts could not be.
    if !is_authority(hosts[0]) || hosts[0].contains(&b',') {
        return Err("Host is malformed");
    }
    match authority {
        Some(target) if !target.eq_ignore_ascii_case(hosts[0]) => Err("Host disagrees with the target"),
        _ => Ok(()),
    }
}

fn version(text: &[u8]) -> Result<u8, Fault> {
    match text {
        b"HTTP/1.1" => Ok(1),
        b"HTTP/1.0" => Ok(0),
        _ => Err("version"),
    }
}

/// One request from the start of `bytes`, and how many of them it takes.
pub fn request(bytes: &[u8]) -> Step<Request> {
    let start = match bytes {
        [b'\r'] => return Ok(None),
        [b'\r', b'\n', ..] => 2,
        _ => 0,
    };
    let Some((text, at)) = line(bytes, start)? else { return Ok(None) };
    let parts: Vec<&[u8]> = text.split(|b| *b == b' ').collect();
    let [method, target, version_text] = parts[..] else { return Err("request line") };
    if !is_token(method) {
        return Err("method");
    }
    let method = String::from_utf8_lossy(method).into_owned();
    let minor = version(version_text)?;
    let authority = check_target(&method, target)?;
    let Some((fields, at)) = fields(bytes, at)? else { return Ok(None) };
    check_host(minor, &fields, authority)?;
    check_twins(&fields)?;
    let (length, chunked) = (content_length(&fields)?, chunked(&fields)?);
    if chunked && (length.is_some() || minor == 0) {
        return Err("Transfer-Encoding beside Content-Length or in HTTP/1.0");
    }
    let (body, trailers, end) = if chunked {
        let Some(((body, trailers), end)) = chunked_body(bytes, at)? else { return Ok(None) };
        (body, trailers, end)
    } else {
        let end = at.checked_add(length.unwrap_or(0)).ok_or("Content-Length overflows")?;
        let Some(body) = bytes.get(at..end) else { return Ok(None) };
        (body.to_vec(), Fields::default(), end)
    };
    let target = String::from_utf8_lossy(target).into_owned();
    Ok(Some((Request { method, target, minor, fields, trailers, body }, end)))
}

/// Names that become a framing field where `_` and `-` are one character, as in CGI.
fn check_twins(fields: &Fields) -> Result<(), Fault> {
    let is_twin = |name: &str| {
        let folded = name.to_ascii_lowercase().replace('_', "-");
        name.contains('_') && ["content-length", "transfer-encoding", "host"].contains(&folded.as_str())
    };
    if fields.0.iter().any(|(name, _)| is_twin(name)) { Err("underscored twin of a framing field") } else { Ok(()) }
}

/// One response, interim ones too. `ended` says how the connection ended, if it did: a close-delimited body needs it.
pub fn response(bytes: &[u8], to_head: bool, ended: Option<End>) -> Step<Response> {
    let Some((text, at)) = line(bytes, 0)? else { return Ok(None) };
    if text.len() < 13 || text[8] != b' ' || text[12] != b' ' || !text.iter().copied().all(is_field_byte) {
        return Err("status line");
    }
    let minor = version(&text[..8])?;
    let digits = &text[9..12];
    if !digits.iter().all(u8::is_ascii_digit) || digits[0] == b'0' {
        return Err("status");
    }
    let status = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    let Some((fields, at)) = fields(bytes, at)? else { return Ok(None) };
    let (length, chunked) = (content_length(&fields)?, chunked(&fields)?);
    if chunked && (length.is_some() || minor == 0) {
        return Err("Transfer-Encoding beside Content-Length or in HTTP/1.0");
    }
    if (status < 200 || status == 204) && (chunked || length.is_some()) {
        return Err("framing field in a response that has no body");
    }
    let bare = to_head || status < 200 || status == 204 || status == 304;
    let (body, end, framing) = if bare {
        (Vec::new(), at, Framing::Bare)
    } else if chunked {
        let Some(((body, _), end)) = chunked_body(bytes, at)? else { return Ok(None) };
        (body, end, Framing::Chunked)
    } else if let Some(length) = length {
        let end = at.checked_add(length).ok_or("Content-Length overflows")?;
        let Some(body) = bytes.get(at..end) else { return Ok(None) };
        (body.to_vec(), end, Framing::Length)
    } else {
        match ended {
            Some(End::Clean) => (bytes[at..].to_vec(), bytes.len(), Framing::Close),
            _ => return Ok(None),
        }
    };
    Ok(Some((Response { status, minor, fields, body, framing }, end)))
}

#[cfg(test)]
mod tests {
    use super::{End, Framing, request, response};

    #[test]
    fn strict_reader_reads_what_is_valid() {
        let cases: &[(&str, &[u8], &str, &[u8])] = &[
            ("plain", b"GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n", "/a?b", b""),
            ("empty line first", b"\r\nGET / HTTP/1.0\r\n\r\n", "/", b""),
            ("length", b"POST / HTTP/1.1\r\nhost:h\r\nContent-Length: 3\r\n\r\nabc", "/", b"abc"),
            ("chunked", b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b;\\\"\" ; c\r\nabc\r\n0\r\nT: v\r\n\r\n", "/", b"abc"),
            ("absolute", b"GET http://h:1/a HTTP/1.1\r\nHost: H:1\r\n\r\n", "http://h:1/a", b""),
            ("IPv6", b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "/", b""),
        ];
        for (name, bytes, target, body) in cases {
            let (found, used) = request(bytes).expect(name).expect(name);
            assert_eq!((found.target.as_str(), &found.body[..], used), (*target, *body, bytes.len()), "{name}");
            for cut in 0..bytes.len() {
                assert!(request(&bytes[..cut]).expect(name).is_none(), "{name} cut at {cut}");
            }
        }
    }

    #[test]
    fn strict_reader_refuses_what_has_two_readings() {
        let cases: &[&[u8]] = &[
            b"GET / HTTP/1.1\nHost: h\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc",
            b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"\r\n\"\r\nabc\r\n0\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
            b"GET /# HTTP/1.1\r\nHost: h\r\n\r\n",
            b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
        ];
        for bytes in cases {
            assert!(request(bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn strict_reader_knows_where_an_answer_ends() {
        type Case = (&'static [u8], bool, Option<End>, Option<Framing>);
        let cases: &[Case] = &[
            (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, None, Some(Framing::Length)),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", false, Some(End::Clean), None),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true, None, Some(Framing::Bare)),
            (b"HTTP/1.1 200 OK\r\n\r\nok", false, Some(End::Clean), Some(Framing::Close)),
            (b"HTTP/1.1 200 OK\r\n\r\nok", false, Some(End::Truncated), None),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", false, Some(End::Clean), None),
            (b"HTTP/1.1 204 No Content\r\n\r\n", false, None, Some(Framing::Bare)),
        ];
        for (bytes, to_head, ended, framing) in cases {
            let found = response(bytes, *to_head, *ended).expect("valid").map(|(answer, _)| answer.framing);
            assert_eq!(found, *framing, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
