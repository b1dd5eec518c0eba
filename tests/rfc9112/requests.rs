//! The requests: raw bytes, and what must become of them.
//!
//! Rows are grouped by the part of RFC 9110 and 9112 that they try. `{M}` stands for the row's own marker, which is
//! how a row finds out what of it reached the upstream. Rows never depend on each other.

/// What the upstream must have seen of one forwarded request.
#[derive(Clone, Debug)]
pub struct Forwarded {
    pub method: &'static str,
    pub target: Vec<u8>,
    pub body: Vec<u8>,
    /// Fields with exactly these values, in this order among those of the same name.
    pub has: Vec<(&'static str, Vec<u8>)>,
    pub lacks: Vec<&'static str>,
}

impl Forwarded {
    fn has(mut self, name: &'static str, value: &[u8]) -> Self {
        self.has.push((name, value.to_vec()));
        self
    }

    fn lacks(mut self, name: &'static str) -> Self {
        self.lacks.push(name);
        self
    }

    fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }
}

#[derive(Clone, Debug)]
pub enum Expect {
    /// Each is forwarded and answered with 200, in order; the connection goes on.
    Pass(Vec<Forwarded>),
    /// As `Pass`, but the connection ends behind the last answer.
    PassAndClose(Vec<Forwarded>),
    /// The first are forwarded; then a refusal with one of these statuses ends the connection.
    Refuse(Vec<Forwarded>, &'static [u16]),
    /// As `Refuse`, but the request is cut short, so that the gateway may also wait until its time is up (408).
    Hang(&'static [u16]),
    /// The RFCs leave it open.
    Either(Vec<Forwarded>, &'static [u16]),
}

pub struct Row {
    pub name: &'static str,
    pub raw: Vec<u8>,
    pub expect: Expect,
    /// Refused by a limit or a choice of the gateway, not by the grammar: the strict reader takes it.
    pub by_choice: bool,
}

/// The statuses of a refusal by grammar.
pub const BAD: &[u16] = &[400];
const VERSION: &[u16] = &[400, 505];
const CODING: &[u16] = &[400, 501];
const LARGE: &[u16] = &[400, 413];
const HEAD: &[u16] = &[400, 414, 431];
/// For what may be refused or passed, any word that says "your fault" or "not here".
const SOME: &[u16] = &[400, 404, 405, 413, 414, 417, 421, 431, 501, 505];

fn row(name: &'static str, raw: impl AsRef<[u8]>, expect: Expect) -> Row {
    Row { name, raw: raw.as_ref().to_vec(), expect, by_choice: false }
}

fn by_choice(name: &'static str, raw: impl AsRef<[u8]>, expect: Expect) -> Row {
    Row { by_choice: true, ..row(name, raw, expect) }
}

fn seen(method: &'static str, target: &[u8], body: &[u8]) -> Forwarded {
    Forwarded { method, target: target.to_vec(), body: body.to_vec(), has: Vec::new(), lacks: Vec::new() }
}

fn get() -> Forwarded {
    seen("GET", b"/v1/{M}", b"")
}

fn post(body: &[u8]) -> Forwarded {
    seen("POST", b"/v1/{M}", body)
}

fn pass(one: Forwarded) -> Expect {
    Expect::Pass(vec![one])
}

fn refuse() -> Expect {
    Expect::Refuse(Vec::new(), BAD)
}

fn refuse_as(statuses: &'static [u16]) -> Expect {
    Expect::Refuse(Vec::new(), statuses)
}

fn either(one: Forwarded) -> Expect {
    Expect::Either(vec![one], SOME)
}

/// A GET whose head ends in these field lines, Host apart.
fn with(fields: &[u8]) -> Vec<u8> {
    [b"GET /v1/{M} HTTP/1.1\r\nHost: a.test\r\n", fields, b"\r\n"].concat()
}

/// A POST with these field lines and what follows the head.
fn sends(fields: &[u8], body: &[u8]) -> Vec<u8> {
    [b"POST /v1/{M} HTTP/1.1\r\nHost: a.test\r\n", fields, b"\r\n", body].concat()
}

/// A chunked POST with this coded body.
fn coded(body: &[u8]) -> Vec<u8> {
    sends(b"Transfer-Encoding: chunked\r\n", body)
}

/// A GET with this request line, without its CRLF.
fn starts(line: &[u8]) -> Vec<u8> {
    [line, b"\r\nHost: a.test\r\nX-Marker: {M}\r\n\r\n"].concat()
}

/// A GET with these lines in place of Host.
fn host(lines: &[u8]) -> Vec<u8> {
    [b"GET /v1/{M} HTTP/1.1\r\n", lines, b"\r\n"].concat()
}

pub fn all() -> Vec<Row> {
    let groups = [
        request_lines(),
        targets(),
        versions(),
        hosts(),
        field_lines(),
        field_values(),
        content_lengths(),
        transfer_codings(),
        both_lengths(),
        chunk_sizes(),
        chunk_extensions(),
        chunk_ends(),
        trailers(),
        connection_fields(),
        expectations(),
        sequences(),
        old_clients(),
        other_protocols(),
        bounds(),
    ];
    groups.into_iter().flatten().collect()
}

fn request_lines() -> Vec<Row> {
    let method = |method: &'static str, raw: &[u8]| pass(seen(method, raw, b""));
    vec![
        row("plain GET", with(b""), pass(get())),
        row("one empty line first", [b"\r\n".as_slice(), &with(b"")].concat(), pass(get())),
        row("three empty lines first", [b"\r\n\r\n\r\n".as_slice(), &with(b"")].concat(), either(get())),
        row("bare LF first", [b"\n".as_slice(), &with(b"")].concat(), either(get())),
        row("bare CR first", [b"\r".as_slice(), &with(b"")].concat(), refuse()),
        row("space first", [b" ".as_slice(), &with(b"")].concat(), refuse()),
        row("tab first", [b"\t".as_slice(), &with(b"")].concat(), refuse()),
        row("NUL first", [b"\0".as_slice(), &with(b"")].concat(), refuse()),
        row("byte order mark first", [b"\xef\xbb\xbf".as_slice(), &with(b"")].concat(), refuse()),
        row("PATCH", starts(b"PATCH /v1/{M} HTTP/1.1"), method("PATCH", b"/v1/{M}")),
        row("DELETE", starts(b"DELETE /v1/{M} HTTP/1.1"), method("DELETE", b"/v1/{M}")),
        row("unknown method", starts(b"PURGE /v1/{M} HTTP/1.1"), method("PURGE", b"/v1/{M}")),
        row("method with a hyphen", starts(b"M-SEARCH /v1/{M} HTTP/1.1"), method("M-SEARCH", b"/v1/{M}")),
        row("every mark in a method", starts(b"!#$%&'*+-.^_`|~9 /v1/{M} HTTP/1.1"), method("!#$%&'*+-.^_`|~9", b"/v1/{M}")),
        row("method keeps its case", starts(b"get /v1/{M} HTTP/1.1"), method("get", b"/v1/{M}")),
        row("HEAD", starts(b"HEAD /v1/{M} HTTP/1.1"), method("HEAD", b"/v1/{M}")),
        row("OPTIONS of a path", starts(b"OPTIONS /v1/{M} HTTP/1.1"), method("OPTIONS", b"/v1/{M}")),
        row("TRACE", starts(b"TRACE /v1/{M} HTTP/1.1"), either(seen("TRACE", b"/v1/{M}", b""))),
        row("parenthesis in the method", starts(b"GE(T /v1/{M} HTTP/1.1"), refuse_as(CODING)),
        row("colon in the method", starts(b"GET: /v1/{M} HTTP/1.1"), refuse_as(CODING)),
        row("control byte in the method", starts(b"G\x01ET /v1/{M} HTTP/1.1"), refuse_as(CODING)),
        row("non-ASCII method", starts(b"G\xc3\x8bT /v1/{M} HTTP/1.1"), refuse_as(CODING)),
        row("no method", starts(b" /v1/{M} HTTP/1.1"), refuse()),
        row("two spaces before the target", starts(b"GET  /v1/{M} HTTP/1.1"), refuse()),
        row("two spaces before the version", starts(b"GET /v1/{M}  HTTP/1.1"), refuse_as(VERSION)),
        row("space behind the version", starts(b"GET /v1/{M} HTTP/1.1 "), refuse_as(VERSION)),
        row("tab for a space", starts(b"GET\t/v1/{M}\tHTTP/1.1"), refuse()),
        row("tab before the version", starts(b"GET /v1/{M}\tHTTP/1.1"), refuse_as(VERSION)),
        row("vertical tab for a space", starts(b"GET\x0b/v1/{M} HTTP/1.1"), refuse()),
        row("space in the target", starts(b"GET /v1/{M} x HTTP/1.1"), refuse_as(VERSION)),
        row("request line ends in LF", b"GET /v1/{M} HTTP/1.1\nHost: a.test\r\n\r\n", refuse()),
        row("request line ends in CR", b"GET /v1/{M} HTTP/1.1\rHost: a.test\r\n\r\n", refuse()),
        row("request line ends in CR CR LF", b"GET /v1/{M} HTTP/1.1\r\r\nHost: a.test\r\n\r\n", refuse()),
        row("all lines end in LF", b"GET /v1/{M} HTTP/1.1\nHost: a.test\n\n", refuse()),
        row("head ends in LF LF", b"GET /v1/{M} HTTP/1.1\r\nHost: a.test\n\n", refuse()),
        row("head ends in CRLF LF", b"GET /v1/{M} HTTP/1.1\r\nHost: a.test\r\n\n", refuse()),
        row("head ends in CRLF CR", b"GET /v1/{M} HTTP/1.1\r\nHost: a.test\r\n\rX", refuse()),
        row("nothing behind the request line", b"GET /v1/{M} HTTP/1.1\r\n", Expect::Hang(BAD)),
        row("half a request line", b"GET /v1/{M}", Expect::Hang(BAD)),
        row("half a field line", b"GET /v1/{M} HTTP/1.1\r\nHost: a.te", Expect::Hang(BAD)),
        row("CR and then nothing", b"GET /v1/{M} HTTP/1.1\r\nHost: a.test\r\n\r", Expect::Hang(BAD)),
    ]
}

fn targets() -> Vec<Row> {
    let to = |target: &[u8]| starts(&[b"GET ", target, b" HTTP/1.1"].concat());
    let as_sent = |target: &[u8]| pass(seen("GET", target, b""));
    let absolute = |target: &[u8], host: &[u8]| [b"GET ", target, b" HTTP/1.1\r\nHost: ", host, b"\r\nX-Marker: {M}\r\n\r\n"].concat();
    vec![
        row("query", to(b"/v1/{M}?a=b&c=/d?e"), as_sent(b"/v1/{M}?a=b&c=/d?e")),
        row("empty query", to(b"/v1/{M}?"), as_sent(b"/v1/{M}?")),
        row("path parameters", to(b"/v1/{M};a=b/c;d"), as_sent(b"/v1/{M};a=b/c;d")),
        row("percent-encoding stays", to(b"/v1/{M}/%2f%41%00%0d%0a"), either(seen("GET", b"/v1/{M}/%2f%41%00%0d%0a", b""))),
        row("percent-encoded letters stay", to(b"/v1/{M}/%7e%41"), as_sent(b"/v1/{M}/%7e%41")),
        row("every mark of a path", to(b"/v1/{M}/-._~!$&'()*+,;=:@"), as_sent(b"/v1/{M}/-._~!$&'()*+,;=:@")),
        row("two slashes are a path", to(b"//v1/{M}"), as_sent(b"//v1/{M}")),
        row("dot segments", to(b"/v1/x/../{M}/./y"), either(seen("GET", b"/v1/x/../{M}/./y", b""))),
        row("bad percent-encoding", to(b"/v1/{M}/%zz"), either(seen("GET", b"/v1/{M}/%zz", b""))),
        row("marks that no URI may hold", to(b"/v1/{M}/\"<>\\^`{|}"), either(seen("GET", b"/v1/{M}/\"<>\\^`{|}", b""))),
        row("fragment", to(b"/v1/{M}#top"), refuse()),
        row("fragment behind a query", to(b"/v1/{M}?a#b"), refuse()),
        row("empty fragment", to(b"/v1/{M}#"), refuse()),
        row("UTF-8 in the target", to(b"/v1/{M}/\xc3\xa9"), refuse()),
        row("Latin-1 in the target", to(b"/v1/{M}/\xe9"), refuse()),
        row("control byte in the target", to(b"/v1/{M}/\x01"), refuse()),
        row("NUL in the target", to(b"/v1/{M}/\0"), refuse()),
        row("DEL in the target", to(b"/v1/{M}/\x7f"), refuse()),
        row("tab in the target", to(b"/v1/{M}/\ta"), refuse()),
        row("CR in the target", to(b"/v1/{M}/\ra"), refuse()),
        row("LF in the target", to(b"/v1/{M}/\na"), refuse()),
        row("target without a slash", to(b"v1/{M}"), refuse()),
        row("target is a query", to(b"?{M}"), refuse()),
        row("target is a backslash path", to(b"\\v1\\{M}"), refuse()),
        row("GET of an asterisk", to(b"*"), refuse()),
        row("OPTIONS of an asterisk", starts(b"OPTIONS * HTTP/1.1"), pass(seen("OPTIONS", b"*", b""))),
        row("OPTIONS of asterisk and more", starts(b"OPTIONS *x HTTP/1.1"), refuse()),
        row("asterisk path", to(b"/*{M}"), as_sent(b"/*{M}")),
        row("absolute form", absolute(b"http://a.test/v1/{M}?q", b"a.test"), as_sent(b"/v1/{M}?q")),
        row("absolute form with a port", absolute(b"http://a.test:81/v1/{M}", b"a.test:81"), as_sent(b"/v1/{M}")),
        row("absolute form in another case", absolute(b"HTTP://A.Test/v1/{M}", b"a.test"), as_sent(b"/v1/{M}")),
        row("absolute form, scheme https", absolute(b"https://a.test/v1/{M}", b"a.test"), either(seen("GET", b"/v1/{M}", b""))),
        row("absolute form without a path", absolute(b"http://a.test", b"a.test"), as_sent(b"/")),
        row("absolute form, query alone", absolute(b"http://a.test?{M}", b"a.test"), as_sent(b"/?{M}")),
        row("absolute form, default port", absolute(b"http://a.test:80/v1/{M}", b"a.test"), either(seen("GET", b"/v1/{M}", b""))),
        row("absolute form disagrees with Host", absolute(b"http://b.test/v1/{M}", b"a.test"), refuse()),
        row("absolute form disagrees in the port", absolute(b"http://a.test:81/v1/{M}", b"a.test:82"), refuse()),
        row("absolute form with userinfo", absolute(b"http://u:p@a.test/v1/{M}", b"a.test"), refuse()),
        row("absolute form with empty userinfo", absolute(b"http://@a.test/v1/{M}", b"a.test"), refuse()),
        row("absolute form with a fragment", absolute(b"http://a.test/v1/{M}#x", b"a.test"), refuse()),
        row("absolute form, no authority", absolute(b"http:///v1/{M}", b"a.test"), refuse()),
        row("absolute form, one slash", absolute(b"http:/v1/{M}", b"a.test"), refuse()),
        row("absolute form, port only", absolute(b"http://:80/v1/{M}", b"a.test"), refuse()),
        row("absolute form, port of letters", absolute(b"http://a.test:x/v1/{M}", b"a.test:x"), refuse()),
        row("absolute form, another scheme", absolute(b"ftp://a.test/v1/{M}", b"a.test"), refuse_as(SOME)),
        row("absolute form, backslash host", absolute(b"http://a.test\\@b.test/v1/{M}", b"a.test"), refuse()),
        row("absolute form without Host", b"GET http://a.test/v1/{M} HTTP/1.1\r\n\r\n", refuse()),
        row("authority form for GET", to(b"a.test:80"), refuse()),
        row("CONNECT", b"CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\nX-Marker: {M}\r\n\r\n", refuse_as(&[400, 405, 501])),
        row("CONNECT of a path", starts(b"CONNECT /v1/{M} HTTP/1.1"), refuse_as(&[400, 405, 501])),
        row("CONNECT with a body", b"CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\nContent-Length: 5\r\nX-Marker: {M}\r\n\r\nhello", refuse_as(&[400, 405, 501])),
    ]
}

fn versions() -> Vec<Row> {
    let speaks = |version: &[u8]| starts(&[b"GET /v1/{M} ", version].concat());
    let refuse = || refuse_as(VERSION);
    vec![
        row("HTTP/1.2", speaks(b"HTTP/1.2"), either(get())),
        row("HTTP/1.9", speaks(b"HTTP/1.9"), either(get())),
        row("HTTP/2.0", speaks(b"HTTP/2.0"), refuse()),
        row("HTTP/2", speaks(b"HTTP/2"), refuse()),
        row("HTTP/3.0", speaks(b"HTTP/3.0"), refuse()),
        row("HTTP/0.9 with fields", speaks(b"HTTP/0.9"), refuse()),
        row("HTTP/1", speaks(b"HTTP/1"), refuse()),
        row("HTTP/1.", speaks(b"HTTP/1."), refuse()),
        row("HTTP/.1", speaks(b"HTTP/.1"), refuse()),
        row("HTTP/1.10", speaks(b"HTTP/1.10"), refuse()),
        row("HTTP/01.1", speaks(b"HTTP/01.1"), refuse()),
        row("HTTP/11", speaks(b"HTTP/11"), refuse()),
        row("HTTP/1,1", speaks(b"HTTP/1,1"), refuse()),
        row("HTTP/1.1x", speaks(b"HTTP/1.1x"), refuse()),
        row("HTTP/+1.1", speaks(b"HTTP/+1.1"), refuse()),
        row("HTTP/1.1 with NUL", speaks(b"HTTP/1.1\0"), refuse()),
        row("http/1.1", speaks(b"http/1.1"), refuse()),
        row("HTTPS/1.1", speaks(b"HTTPS/1.1"), refuse()),
        row("HTTP 1.1", speaks(b"HTTP 1.1"), refuse()),
        row("no version", starts(b"GET /v1/{M}"), refuse()),
        row("HTTP/0.9", b"GET /v1/{M}\r\n\r\n", refuse()),
        row("no version but a space", starts(b"GET /v1/{M} "), refuse()),
    ]
}

fn hosts() -> Vec<Row> {
    vec![
        row("no Host", host(b""), refuse()),
        row("no Host but others", host(b"X-Host: a.test\r\nForwarded: host=a.test\r\n"), refuse()),
        row("Host twice, the same", host(b"Host: a.test\r\nHost: a.test\r\n"), refuse()),
        row("Host twice, not the same", host(b"Host: a.test\r\nHost: b.test\r\n"), refuse()),
        row("Host twice in two cases", host(b"Host: a.test\r\nhOST: a.test\r\n"), refuse()),
        row("empty Host", host(b"Host:\r\n"), either(get())),
        row("Host in capitals", host(b"HOST: a.test\r\n"), pass(get())),
        row("Host without a space", host(b"Host:a.test\r\n"), pass(get())),
        row("Host amid OWS", host(b"Host: \t a.test \t \r\n"), pass(get())),
        row("Host with a port", host(b"Host: a.test:8443\r\n"), pass(get())),
        row("Host with an empty port", host(b"Host: a.test:\r\n"), either(get())),
        row("Host is IPv4", host(b"Host: 127.0.0.1\r\n"), pass(get())),
        row("Host is IPv6", host(b"Host: [::1]\r\n"), pass(get())),
        row("Host is IPv6 with a port", host(b"Host: [2001:db8::1]:8443\r\n"), pass(get())),
        row("Host with an underscore", host(b"Host: a_b.test\r\n"), pass(get())),
        row("Host with an end dot", host(b"Host: a.test.\r\n"), pass(get())),
        row("Host with percent-encoding", host(b"Host: a%2eb\r\n"), either(get())),
        row("Host with a huge port", host(b"Host: a.test:99999\r\n"), either(get())),
        row("Host with a list", host(b"Host: a.test, b.test\r\n"), refuse()),
        row("Host with a space", host(b"Host: a test\r\n"), refuse()),
        row("Host with a tab", host(b"Host: a\ttest\r\n"), refuse()),
        row("Host with a slash", host(b"Host: a.test/x\r\n"), refuse()),
        row("Host is a URI", host(b"Host: http://a.test\r\n"), refuse()),
        row("Host with userinfo", host(b"Host: u@a.test\r\n"), refuse()),
        row("Host with userinfo and port", host(b"Host: a.test:80@b.test\r\n"), refuse()),
        row("Host with a query", host(b"Host: a.test?x\r\n"), refuse()),
        row("Host with a fragment", host(b"Host: a.test#x\r\n"), refuse()),
        row("Host with a backslash", host(b"Host: a\\test\r\n"), refuse()),
        row("Host with a port of letters", host(b"Host: a.test:http\r\n"), refuse()),
        row("Host with a signed port", host(b"Host: a.test:+80\r\n"), refuse()),
        row("Host with two ports", host(b"Host: a.test:80:80\r\n"), refuse()),
        row("Host is IPv6 without brackets", host(b"Host: ::1\r\n"), refuse()),
        row("Host with an open bracket", host(b"Host: [::1\r\n"), refuse()),
        row("Host with junk behind a bracket", host(b"Host: [::1]x\r\n"), refuse()),
        row("Host with junk in brackets", host(b"Host: [zz]\r\n"), refuse()),
        row("Host with bad percent-encoding", host(b"Host: a%zz\r\n"), refuse()),
        row("non-ASCII Host", host(b"Host: \xc3\xa9.test\r\n"), refuse()),
        row("Host with NUL", host(b"Host: a\0test\r\n"), refuse()),
        row("Host with a control byte", host(b"Host: a\x01test\r\n"), refuse()),
        row("space behind the name Host", host(b"Host : a.test\r\n"), refuse()),
        row("Host folded", host(b"Host:\r\n a.test\r\n"), refuse()),
    ]
}

fn field_lines() -> Vec<Row> {
    vec![
        row("no space behind the colon", with(b"X-A:b\r\n"), pass(get().has("x-a", b"b"))),
        row("names in mixed case", with(b"x-ONE: 1\r\nX-two: 2\r\n"), pass(get().has("x-one", b"1").has("x-two", b"2"))),
        row("every mark in a name", with(b"X!#$%&'*+-.^`|~9: v\r\n"), pass(get().has("X!#$%&'*+-.^`|~9", b"v"))),
        row("underscore in a name", with(b"X_Custom: v\r\n"), either(get())),
        row("a name of one letter", with(b"a: v\r\n"), pass(get().has("a", b"v"))),
        row("the same name thrice keeps its order", with(b"X-A: 1\r\nx-a: 2\r\nX-A: 3\r\n"), pass(get().has("x-a", b"1").has("x-a", b"2").has("x-a", b"3"))),
        row("cookies apart", with(b"Cookie: a=b\r\nCookie: c=d\r\n"), pass(get())),
        row("space before the colon", with(b"X-A : b\r\n"), refuse()),
        row("tab before the colon", with(b"X-A\t: b\r\n"), refuse()),
        row("space in a name", with(b"X A: b\r\n"), refuse()),
        row("no colon", with(b"X-A b\r\n"), refuse()),
        row("name alone", with(b"X-A\r\n"), refuse()),
        row("empty name", with(b": b\r\n"), refuse()),
        row("parenthesis in a name", with(b"X(A): b\r\n"), refuse()),
        row("slash in a name", with(b"X/A: b\r\n"), refuse()),
        row("quote in a name", with(b"X\"A\": b\r\n"), refuse()),
        row("comma in a name", with(b"X,A: b\r\n"), refuse()),
        row("braces in a name", with(b"X{A}: b\r\n"), refuse()),
        row("NUL in a name", with(b"X\0A: b\r\n"), refuse()),
        row("control byte in a name", with(b"X\x01A: b\r\n"), refuse()),
        row("DEL in a name", with(b"X\x7fA: b\r\n"), refuse()),
        row("non-ASCII name", with(b"X\xc3\xa9: b\r\n"), refuse()),
        row("no-break space before the colon", with(b"X-A\xa0: b\r\n"), refuse()),
        row("fold with a space", with(b"X-A: b\r\n c\r\n"), refuse()),
        row("fold with a tab", with(b"X-A: b\r\n\tc\r\n"), refuse()),
        row("fold of nothing", with(b"X-A: b\r\n \r\n"), refuse()),
        row("fold behind the request line", b"GET /v1/{M} HTTP/1.1\r\n Host: a.test\r\n\r\n", refuse()),
        row("fold first, then Host", b"GET /v1/{M} HTTP/1.1\r\n X: y\r\nHost: a.test\r\n\r\n", refuse()),
        row("field line ends in LF", with(b"X-A: b\nX-B: c\r\n"), refuse()),
        row("field line ends in CR", with(b"X-A: b\rX-B: c\r\n"), refuse()),
        row("field line ends in CR CR LF", with(b"X-A: b\r\r\n"), refuse()),
        row("field line ends in LF CR", with(b"X-A: b\n\rX-B: c\r\n"), refuse()),
    ]
}

fn field_values() -> Vec<Row> {
    vec![
        row("empty value", with(b"X-A:\r\n"), pass(get().has("x-a", b""))),
        row("value of blanks", with(b"X-A: \t \r\n"), pass(get().has("x-a", b""))),
        row("OWS on both sides", with(b"X-A: \t b c\t \r\n"), pass(get().has("x-a", b"b c"))),
        row("tab inside a value", with(b"X-A: b\tc\r\n"), pass(get().has("x-a", b"b\tc"))),
        row("obs-text in a value", with(b"X-A: \xff\x80\xe9\r\n"), pass(get().has("x-a", b"\xff\x80\xe9"))),
        row("UTF-8 in a value", with(b"X-A: \xe2\x82\xac\r\n"), pass(get().has("x-a", b"\xe2\x82\xac"))),
        row("colons in a value", with(b"X-A: b: c:\r\n"), pass(get().has("x-a", b"b: c:"))),
        row("quotes in a value", with(b"X-A: \"b\\\"\r\n"), pass(get().has("x-a", b"\"b\\\""))),
        row("Authorization crosses", with(b"Authorization: Bearer abc\r\n"), pass(get().has("authorization", b"Bearer abc"))),
        row("identity is no coding to name", sends(b"Content-Encoding: identity\r\nContent-Length: 5\r\n", b"hello"), pass(post(b"hello"))),
        row("NUL in a value", with(b"X-A: b\0c\r\n"), refuse()),
        row("control byte in a value", with(b"X-A: b\x01c\r\n"), refuse()),
        row("backspace in a value", with(b"X-A: b\x08c\r\n"), refuse()),
        row("vertical tab in a value", with(b"X-A: b\x0bc\r\n"), refuse()),
        row("escape in a value", with(b"X-A: \x1b[2J\r\n"), refuse()),
        row("DEL in a value", with(b"X-A: b\x7fc\r\n"), refuse()),
        row("CR in a value", with(b"X-A: b\rc\r\n"), refuse()),
        row("CR at the start of a value", with(b"X-A:\rb\r\n"), refuse()),
        row("LF hides Content-Length", sends(b"X-A: b\nContent-Length: 5\r\n", b"hello"), refuse()),
        row("CR hides Transfer-Encoding", sends(b"X-A: b\rTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), refuse()),
    ]
}

fn content_lengths() -> Vec<Row> {
    let length = |value: &[u8], body: &[u8]| sends(&[b"Content-Length: ", value, b"\r\n"].concat(), body);
    let all_bytes: Vec<u8> = (0..=255).collect();
    vec![
        row("a body", length(b"5", b"hello"), pass(post(b"hello"))),
        row("a body of every byte", length(b"256", &all_bytes), pass(post(&all_bytes))),
        row("a body that looks like a request", length(b"27", b"GET /x HTTP/1.1\r\nHost: a\r\n\r"), pass(post(b"GET /x HTTP/1.1\r\nHost: a\r\n\r"))),
        row("Content-Length: 0", length(b"0", b""), pass(post(b""))),
        row("POST without a length", sends(b"", b""), pass(post(b""))),
        row("GET with a body", b"GET /v1/{M} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc", pass(seen("GET", b"/v1/{M}", b"abc"))),
        row("GET with Content-Length: 0", with(b"Content-Length: 0\r\n"), pass(get())),
        row("DELETE with a body", b"DELETE /v1/{M} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\n{}", pass(seen("DELETE", b"/v1/{M}", b"{}"))),
        row("OPTIONS with a body", b"OPTIONS /v1/{M} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\n{}", pass(seen("OPTIONS", b"/v1/{M}", b"{}"))),
        row("leading zeros", length(b"0005", b"hello"), pass(post(b"hello"))),
        row("two hundred leading zeros", length(&[[b'0'; 200].as_slice(), b"5"].concat(), b"hello"), either(post(b"hello"))),
        row("length amid OWS", length(b" \t5\t ", b"hello"), pass(post(b"hello"))),
        row("length in lower case", sends(b"content-length:5\r\n", b"hello"), pass(post(b"hello"))),
        row("length twice, the same", sends(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"), refuse()),
        row("length twice, not the same", sends(b"Content-Length: 5\r\nContent-Length: 0\r\n", b"hello"), refuse()),
        row("length twice in two cases", sends(b"Content-Length: 0\r\ncontent-length: 5\r\n", b"hello"), refuse()),
        row("length twice, one empty", sends(b"Content-Length:\r\nContent-Length: 5\r\n", b"hello"), refuse()),
        row("list of the same", length(b"5, 5", b"hello"), refuse()),
        row("list of two", length(b"5, 0", b"hello"), refuse()),
        row("list with an empty end", length(b"5,", b"hello"), refuse()),
        row("list with an empty start", length(b",5", b"hello"), refuse()),
        row("empty length", length(b"", b""), refuse()),
        row("blank length", length(b" ", b""), refuse()),
        row("plus sign", length(b"+5", b"hello"), refuse()),
        row("minus sign", length(b"-5", b"hello"), refuse()),
        row("minus zero", length(b"-0", b""), refuse()),
        row("hexadecimal", length(b"0x5", b"hello"), refuse()),
        row("hexadecimal digit", length(b"a", b"0123456789"), refuse()),
        row("octal prefix", length(b"0o5", b"hello"), refuse()),
        row("exponent", length(b"5e0", b"hello"), refuse()),
        row("fraction", length(b"5.0", b"hello"), refuse()),
        row("underscore in the number", length(b"1_0", b"0123456789"), refuse()),
        row("space in the number", length(b"5 0", b"hello"), refuse()),
        row("semicolon behind the number", length(b"5;", b"hello"), refuse()),
        row("quoted number", length(b"\"5\"", b"hello"), refuse()),
        row("letter behind the number", length(b"5a", b"hello"), refuse()),
        row("NUL behind the number", length(b"5\0", b"hello"), refuse()),
        row("vertical tab before the number", length(b"\x0b5", b"hello"), refuse()),
        row("full-width digit", length(b"\xef\xbc\x95", b"hello"), refuse()),
        row("superscript digit", length(b"\xb2", b"he"), refuse()),
        row("length of 2^64", length(b"18446744073709551616", b"hello"), refuse_as(LARGE)),
        row("length of 2^64 + 5", length(b"18446744073709551621", b"hello"), refuse_as(LARGE)),
        by_choice("length of 2^64 - 1", length(b"18446744073709551615", b"hello"), refuse_as(LARGE)),
        by_choice("length of 2^63", length(b"9223372036854775808", b"hello"), refuse_as(LARGE)),
        row("length of forty digits", length(&[b'9'; 40], b"hello"), refuse_as(LARGE)),
        row("length of 2^32 + 5", length(b"4294967301", b"hello"), Expect::Hang(LARGE)),
        row("length folded", sends(b"Content-Length:\r\n 5\r\n", b"hello"), refuse()),
        row("length continued by a fold", sends(b"Content-Length: 1\r\n 0\r\n", b"0123456789"), refuse()),
        row("space before the colon of length", sends(b"Content-Length : 5\r\n", b"hello"), refuse()),
        row("tab before the colon of length", sends(b"Content-Length\t: 5\r\n", b"hello"), refuse()),
        row("space for the hyphen", sends(b"Content Length: 5\r\n", b"hello"), refuse()),
        row("space before the name", sends(b" Content-Length: 5\r\n", b"hello"), refuse()),
        row("underscored twin of length", sends(b"Content_Length: 5\r\n", b"hello"), refuse()),
        row("underscored twin beside length", sends(b"Content_Length: 0\r\nContent-Length: 5\r\n", b"hello"), refuse()),
        row("underscored twin in capitals", sends(b"CONTENT_LENGTH: 5\r\n", b"hello"), refuse()),
        row("short body", length(b"50", b"hello"), Expect::Hang(BAD)),
    ]
}

fn transfer_codings() -> Vec<Row> {
    const BODY: &[u8] = b"5\r\nhello\r\n0\r\n\r\n";
    let coding = |value: &[u8]| sends(&[b"Transfer-Encoding:", value, b"\r\n"].concat(), BODY);
    let decoded = || post(b"hello").lacks("transfer-encoding").has("content-length", b"5");
    let refuse = || refuse_as(CODING);
    vec![
        row("chunked", coding(b" chunked"), pass(decoded())),
        row("chunked without a space", coding(b"chunked"), pass(decoded())),
        row("chunked amid OWS", coding(b"\t chunked \t"), pass(decoded())),
        row("name in mixed case", sends(b"tRANSFER-eNCODING: chunked\r\n", BODY), pass(decoded())),
        row("coding in capitals", coding(b" CHUNKED"), either(decoded())),
        row("coding in mixed case", coding(b" Chunked"), either(decoded())),
        row("chunked GET", [b"GET /v1/{M} HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n", BODY].concat(), pass(seen("GET", b"/v1/{M}", b"hello"))),
        row("empty coding", coding(b""), refuse()),
        row("blank coding", coding(b" \t "), refuse()),
        row("identity", coding(b" identity"), refuse()),
        row("gzip alone", coding(b" gzip"), refuse()),
        row("gzip, chunked", coding(b" gzip, chunked"), refuse()),
        row("chunked, gzip", coding(b" chunked, gzip"), refuse()),
        row("chunked, identity", coding(b" chunked, identity"), refuse()),
        row("identity, chunked", coding(b" identity, chunked"), refuse()),
        row("chunked, chunked", coding(b" chunked, chunked"), refuse()),
        row("chunked and a comma", coding(b" chunked,"), refuse()),
        row("comma and chunked", coding(b" ,chunked"), refuse()),
        row("chunked with a parameter", coding(b" chunked;q=1"), refuse()),
        row("chunked and a semicolon", coding(b" chunked;"), refuse()),
        row("quoted coding", coding(b" \"chunked\""), refuse()),
        row("single-quoted coding", coding(b" 'chunked'"), refuse()),
        row("xchunked", coding(b" xchunked"), refuse()),
        row("chunkedx", coding(b" chunkedx"), refuse()),
        row("chunk", coding(b" chunk"), refuse()),
        row("two words", coding(b" chunked chunked"), refuse()),
        row("colon before the coding", coding(b": chunked"), refuse()),
        row("vertical tab before the coding", coding(b"\x0bchunked"), refuse()),
        row("vertical tab behind the coding", coding(b" chunked\x0b"), refuse()),
        row("form feed behind the coding", coding(b" chunked\x0c"), refuse()),
        row("NUL behind the coding", coding(b" chunked\0"), refuse()),
        row("CR before the coding", coding(b"\rchunked"), refuse()),
        row("no-break space before the coding", coding(b"\xa0chunked"), refuse()),
        row("Kelvin sign in the coding", coding(b" chun\xe2\x84\xaaed"), refuse()),
        row("coding twice", sends(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", BODY), refuse()),
        row("coding twice, identity last", sends(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", BODY), refuse()),
        row("coding twice, identity first", sends(b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", BODY), refuse()),
        row("coding twice, one empty", sends(b"Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n", BODY), refuse()),
        row("coding folded", sends(b"Transfer-Encoding:\r\n chunked\r\n", BODY), refuse()),
        row("coding continued by a fold", sends(b"Transfer-Encoding: chunked\r\n , identity\r\n", BODY), refuse()),
        row("coding inside a fold", sends(b"X-A: b\r\n\tTransfer-Encoding: chunked\r\n", BODY), refuse()),
        row("space before the colon of coding", sends(b"Transfer-Encoding : chunked\r\n", BODY), refuse()),
        row("tab before the colon of coding", sends(b"Transfer-Encoding\t: chunked\r\n", BODY), refuse()),
        row("space before the name of coding", sends(b" Transfer-Encoding: chunked\r\n", BODY), refuse()),
        row("underscored twin of coding", sends(b"Transfer_Encoding: chunked\r\n", BODY), refuse()),
        row("non-ASCII hyphen", sends(b"Transfer\xe2\x80\x90Encoding: chunked\r\n", BODY), refuse()),
        row("LF before the coding's line", sends(b"X-A: b\nTransfer-Encoding: chunked\r\n", BODY), refuse()),
        row("coding in HTTP/1.0", [b"POST /v1/{M} HTTP/1.0\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n", BODY].concat(), refuse()),
        row("coding in HTTP/1.0, kept alive", [b"POST /v1/{M} HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n", BODY].concat(), refuse()),
    ]
}

fn both_lengths() -> Vec<Row> {
    const EMPTY: &[u8] = b"0\r\n\r\n";
    let both = |fields: &[u8]| sends(fields, EMPTY);
    let refuse = || refuse_as(CODING);
    vec![
        row("length, then coding", both(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), refuse()),
        row("coding, then length", both(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), refuse()),
        row("zero length and coding", both(b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"), refuse()),
        row("length and capital coding", both(b"Content-Length: 5\r\nTransfer-Encoding: CHUNKED\r\n"), refuse()),
        row("length and identity", both(b"Content-Length: 5\r\nTransfer-Encoding: identity\r\n"), refuse()),
        row("length and an empty coding", both(b"Content-Length: 5\r\nTransfer-Encoding:\r\n"), refuse()),
        row("length and a coding with a comma", both(b"Content-Length: 5\r\nTransfer-Encoding: chunked,\r\n"), refuse()),
        row("length and a bad coding", both(b"Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n"), refuse()),
        row("length and the twin of coding", both(b"Content-Length: 5\r\nTransfer_Encoding: chunked\r\n"), refuse()),
        row("coding and the twin of length", both(b"Transfer-Encoding: chunked\r\nContent_Length: 5\r\n"), refuse()),
        row("bad length and coding", both(b"Content-Length: x\r\nTransfer-Encoding: chunked\r\n"), refuse()),
        row("both, coding nominated", both(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: Transfer-Encoding\r\n"), refuse()),
        row("both, length nominated", both(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: Content-Length\r\n"), refuse()),
        row("both on GET", b"GET /v1/{M} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", refuse()),
    ]
}

fn chunk_sizes() -> Vec<Row> {
    let size = |size: &[u8]| coded(&[size, b"\r\nhello\r\n0\r\n\r\n"].concat());
    let hello = || pass(post(b"hello"));
    vec![
        row("two chunks", coded(b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"), hello()),
        row("chunks of one byte", coded(b"1\r\nh\r\n1\r\ne\r\n1\r\nl\r\n1\r\nl\r\n1\r\no\r\n0\r\n\r\n"), hello()),
        row("no chunk but the last", coded(b"0\r\n\r\n"), pass(post(b""))),
        row("small hexadecimal letter", coded(b"a\r\n0123456789\r\n0\r\n\r\n"), pass(post(b"0123456789"))),
        row("capital hexadecimal letter", coded(b"A\r\n0123456789\r\n0\r\n\r\n"), pass(post(b"0123456789"))),
        row("leading zero in the size", size(b"05"), hello()),
        row("sixteen digits of size", size(b"0000000000000005"), either(post(b"hello"))),
        row("two hundred zeros in the size", size(&[[b'0'; 200].as_slice(), b"5"].concat()), either(post(b"hello"))),
        row("several zeros end", coded(b"5\r\nhello\r\n000\r\n\r\n"), hello()),
        row("chunk data that looks like framing", coded(b"9\r\n0\r\n\r\n0\r\n\r\r\n0\r\n\r\n"), pass(post(b"0\r\n\r\n0\r\n\r"))),
        row("prefix 0x", size(b"0x5"), refuse()),
        row("prefix 0X", size(b"0X5"), refuse()),
        row("prefix h", size(b"h5"), refuse()),
        row("plus sign in the size", size(b"+5"), refuse()),
        row("minus sign in the size", size(b"-5"), refuse()),
        row("minus sign before zero", coded(b"-0\r\n\r\n"), refuse()),
        row("underscore in the size", size(b"0_5"), refuse()),
        row("underscore behind the size", size(b"5_"), refuse()),
        row("space before the size", size(b" 5"), refuse()),
        row("tab before the size", size(b"\t5"), refuse()),
        row("space behind the size", size(b"5 "), refuse()),
        row("tab behind the size", size(b"5\t"), refuse()),
        row("space in the size", size(b"0 5"), refuse()),
        row("vertical tab before the size", size(b"\x0b5"), refuse()),
        row("letter behind the size", size(b"5g"), refuse()),
        row("comma in the size", size(b"5,5"), refuse()),
        row("fraction of a size", size(b"5.0"), refuse()),
        row("quoted size", size(b"\"5\""), refuse()),
        row("NUL behind the size", size(b"5\0"), refuse()),
        row("non-ASCII digit in the size", size(b"\xef\xbc\x95"), refuse()),
        row("empty size", size(b""), refuse()),
        row("extension without a size", size(b";a=b"), refuse()),
        row("size of 2^64 + 5", size(b"10000000000000005"), refuse_as(LARGE)),
        row("size of 2^68 - 1", size(b"fffffffffffffffff"), refuse_as(LARGE)),
        row("size of forty digits", size(&[b'f'; 40]), refuse_as(LARGE)),
        row("size of 2^64 - 1", size(b"ffffffffffffffff"), refuse_as(LARGE)),
        row("size of 2^63", size(b"8000000000000000"), Expect::Hang(LARGE)),
        row("size of 2^32 + 5", size(b"100000005"), Expect::Hang(LARGE)),
        row("size of 2^64 + 5 as a second chunk", coded(b"1\r\nh\r\n10000000000000004\r\nello\r\n0\r\n\r\n"), refuse_as(LARGE)),
        row("size too small by one", coded(b"4\r\nhello\r\n0\r\n\r\n"), refuse()),
        row("size too large by one", coded(b"6\r\nhello\r\n0\r\n\r\n"), refuse()),
        row("size too large by two", coded(b"7\r\nhello\r\n0\r\n\r\n"), refuse()),
    ]
}

fn chunk_extensions() -> Vec<Row> {
    let extended = |extension: &[u8]| coded(&[b"5", extension, b"\r\nhello\r\n0\r\n\r\n"].concat());
    let hello = || pass(post(b"hello"));
    vec![
        row("extension name", extended(b";a"), hello()),
        row("extension name and value", extended(b";a=b"), hello()),
        row("several extensions", extended(b";a=b;c;d=e"), hello()),
        row("blanks around the extension's parts", extended(b" ; a = b"), either(post(b"hello"))),
        row("blank before the semicolon", extended(b" ;a"), either(post(b"hello"))),
        row("quoted extension", extended(b";a=\"b c\""), hello()),
        row("quoted extension with a semicolon", extended(b";a=\"b;c=d\""), hello()),
        row("quoted extension with an escaped quote", extended(b";a=\"b\\\"c\""), hello()),
        row("extension of the last chunk", coded(b"5\r\nhello\r\n0;a=b\r\n\r\n"), hello()),
        row("obs-text in a quoted extension", extended(b";a=\"\xc3\xa9\""), either(post(b"hello"))),
        row("obs-text in an extension", extended(b";a=\xc3\xa9"), either(post(b"hello"))),
        row("extension without a name", extended(b";"), either(post(b"hello"))),
        row("extension without a value", extended(b";a="), either(post(b"hello"))),
        row("CRLF in a quoted extension", extended(b";a=\"\r\n\""), refuse()),
        row("CRLF and a chunk in a quoted extension", coded(b"5;a=\"\r\nhello\r\n0\r\n\r\n\"\r\nhello\r\n0\r\n\r\n"), refuse()),
        row("open quote", extended(b";a=\"b"), refuse()),
        row("open quote behind a backslash", extended(b";a=\"b\\\""), refuse()),
        row("junk behind a quote", extended(b";a=\"b\"c"), either(post(b"hello"))),
        row("LF ends the extension", coded(b"5;a\nhello\r\n0\r\n\r\n"), refuse()),
        row("LF inside the extension", coded(b"5;\nxxx\r\nhello\r\n0\r\n\r\n"), refuse()),
        row("CR inside the extension", extended(b";a\rb"), refuse()),
        row("CR behind the size, then extension", extended(b"\r;a"), refuse()),
        row("CR CR LF behind the extension", extended(b";a\r"), refuse()),
        row("NUL in the extension", extended(b";a=\0"), refuse()),
        row("control byte in the extension", extended(b";a=\x01"), refuse()),
        row("DEL in the extension", extended(b";a=\x7f"), refuse()),
        row("LF in a quoted extension", extended(b";a=\"\n\""), refuse()),
        row("extension without a semicolon", extended(b"a=b"), refuse()),
        row("extension behind a space", extended(b" a=b"), refuse()),
        by_choice("extension of 64 KiB", extended(&[b";a=".as_slice(), &[b'b'; 65536]].concat()), refuse_as(&[400, 413, 431])),
        row("hundred chunks with extensions", coded(&[b"1;a=bcdefghijk\r\nh\r\n".repeat(100).as_slice(), b"0\r\n\r\n"].concat()), either(post(&[b'h'; 100]))),
    ]
}

fn chunk_ends() -> Vec<Row> {
    vec![
        row("LF behind the size", coded(b"5\nhello\r\n0\r\n\r\n"), refuse()),
        row("CR behind the size", coded(b"5\rhello\r\n0\r\n\r\n"), refuse()),
        row("CR CR LF behind the size", coded(b"5\r\r\nhello\r\n0\r\n\r\n"), refuse()),
        row("LF CR behind the size", coded(b"5\n\rhello\r\n0\r\n\r\n"), refuse()),
        row("LF behind the data", coded(b"5\r\nhello\n0\r\n\r\n"), refuse()),
        row("CR behind the data", coded(b"5\r\nhello\r0\r\n\r\n"), refuse()),
        row("nothing behind the data", coded(b"5\r\nhello0\r\n\r\n"), refuse()),
        row("two letters behind the data", coded(b"5\r\nhelloXX0\r\n\r\n"), refuse()),
        row("letter and LF behind the data", coded(b"5\r\nhelloX\n0\r\n\r\n"), refuse()),
        row("CR and a letter behind the data", coded(b"5\r\nhello\rX0\r\n\r\n"), refuse()),
        row("CR CR LF behind the data", coded(b"5\r\nhello\r\r\n0\r\n\r\n"), refuse()),
        row("two CRLF behind the data", coded(b"5\r\nhello\r\n\r\n0\r\n\r\n"), refuse()),
        row("LF behind the last size", coded(b"5\r\nhello\r\n0\n\r\n"), refuse()),
        row("LF ends the body", coded(b"5\r\nhello\r\n0\r\n\n"), refuse()),
        row("CR CR LF ends the body", coded(b"5\r\nhello\r\n0\r\n\r\r\n"), refuse()),
        row("CR and a letter end the body", coded(b"5\r\nhello\r\n0\r\n\rX"), refuse()),
        row("no last chunk", coded(b"5\r\nhello\r\n"), Expect::Hang(BAD)),
        row("half a chunk", coded(b"5\r\nhel"), Expect::Hang(BAD)),
        row("last chunk without its end", coded(b"5\r\nhello\r\n0\r\n"), Expect::Hang(BAD)),
        row("half a size", coded(b"5\r\nhello\r\n1"), Expect::Hang(BAD)),
    ]
}

fn trailers() -> Vec<Row> {
    let trailed = |lines: &[u8]| coded(&[b"5\r\nhello\r\n0\r\n", lines, b"\r\n"].concat());
    let dropped = |name| post(b"hello").lacks(name);
    let many: Vec<u8> = (0..2000).flat_map(|index| format!("X-T{index}: v\r\n").into_bytes()).collect();
    vec![
        row("trailer", trailed(b"X-T: v\r\n"), pass(dropped("x-t"))),
        row("announced trailer", sends(b"Transfer-Encoding: chunked\r\nTrailer: X-T\r\n", b"0\r\nX-T: v\r\n\r\n"), pass(post(b"").lacks("x-t").lacks("trailer"))),
        row("two trailers", trailed(b"X-T: v\r\nX-U:\r\n"), pass(dropped("x-t").lacks("x-u"))),
        row("trailer Content-Length", trailed(b"Content-Length: 50\r\n"), either(post(b"hello").has("content-length", b"5"))),
        row("trailer Transfer-Encoding", trailed(b"Transfer-Encoding: chunked\r\n"), either(dropped("transfer-encoding"))),
        row("trailer Host", trailed(b"Host: evil.test\r\n"), either(post(b"hello"))),
        row("trailer Authorization", trailed(b"Authorization: x\r\n"), either(dropped("authorization"))),
        row("trailer Cookie", trailed(b"Cookie: x\r\n"), either(dropped("cookie"))),
        row("trailer Connection", trailed(b"Connection: close\r\n"), either(post(b"hello"))),
        row("trailer with a space before the colon", trailed(b"X-T : v\r\n"), refuse()),
        row("trailer without a colon", trailed(b"X-T v\r\n"), refuse()),
        row("trailer without a name", trailed(b": v\r\n"), refuse()),
        row("trailer with a bad name", trailed(b"X(T): v\r\n"), refuse()),
        row("trailer folded", trailed(b"X-T: v\r\n w\r\n"), refuse()),
        row("trailer starts with a space", trailed(b" X-T: v\r\n"), refuse()),
        row("trailer ends in LF", trailed(b"X-T: v\nX-U: w\r\n"), refuse()),
        row("trailer with CR", trailed(b"X-T: v\rw\r\n"), refuse()),
        row("trailer with NUL", trailed(b"X-T: v\0\r\n"), refuse()),
        row("request line as a trailer", coded(b"0\r\nGET /smuggled/{M} HTTP/1.1\r\n\r\n"), refuse()),
        by_choice("two thousand trailers", trailed(&many), refuse_as(&[400, 413, 431])),
        by_choice("trailer of 256 KiB", trailed(&[b"X-T: ".as_slice(), &[b'v'; 262_144], b"\r\n"].concat()), refuse_as(&[400, 413, 431])),
        row("trailer without the end", coded(b"0\r\nX-T: v\r\n"), Expect::Hang(BAD)),
    ]
}

fn connection_fields() -> Vec<Row> {
    const BODY: &[u8] = b"5\r\nhello\r\n0\r\n\r\n";
    vec![
        row("Connection: keep-alive", with(b"Connection: keep-alive\r\n"), pass(get())),
        row("Connection: close", with(b"Connection: close\r\n"), Expect::PassAndClose(vec![get()])),
        row("Connection: CLOSE in a list", with(b"Connection: x-a, CLOSE\r\n"), Expect::PassAndClose(vec![get()])),
        row("Connection twice, close second", with(b"Connection: x-a\r\nConnection: close\r\n"), Expect::PassAndClose(vec![get()])),
        row("empty Connection", with(b"Connection:\r\n"), pass(get())),
        row("commas in Connection", with(b"Connection: , ,x-a,, \r\nX-A: b\r\n"), pass(get().lacks("x-a"))),
        row("nominated field", with(b"Connection: X-A\r\nX-A: b\r\nX-B: c\r\n"), pass(get().lacks("x-a").has("x-b", b"c"))),
        row("nominated in two lines", with(b"Connection: x-a\r\nX-A: b\r\nX-B: c\r\nConnection: X-B\r\n"), pass(get().lacks("x-a").lacks("x-b"))),
        row("nominated before it comes", with(b"X-A: b\r\nConnection: keep-alive , x-a\r\n"), pass(get().lacks("x-a"))),
        row("prefix of a nominated name", with(b"Connection: x-a\r\nX-A-B: c\r\nX: d\r\n"), pass(get().has("x-a-b", b"c").has("x", b"d"))),
        row("Content-Length nominated", sends(b"Connection: Content-Length\r\nContent-Length: 5\r\n", b"hello"), either(post(b"hello").has("content-length", b"5"))),
        row("Content-Length nominated beside close", sends(b"Connection: close, content-length\r\nContent-Length: 5\r\n", b"hello"), either(post(b"hello").has("content-length", b"5"))),
        row("Transfer-Encoding nominated", sends(b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", BODY), either(post(b"hello").has("content-length", b"5"))),
        row("Host nominated", with(b"Connection: Host\r\n"), either(get())),
        row("Authorization nominated", with(b"Connection: Authorization\r\nAuthorization: b\r\n"), either(get())),
        row("Connection nominates itself", with(b"Connection: connection\r\n"), pass(get())),
        row("Connection with a bad token", with(b"Connection: x a\r\n"), either(get())),
        row("Keep-Alive", with(b"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n"), pass(get().lacks("keep-alive"))),
        row("Keep-Alive not nominated", with(b"Keep-Alive: timeout=5\r\n"), pass(get().lacks("keep-alive"))),
        row("Proxy-Connection", with(b"Proxy-Connection: keep-alive\r\n"), pass(get().lacks("proxy-connection"))),
        row("Proxy-Authorization", with(b"Proxy-Authorization: Basic eA==\r\n"), pass(get().lacks("proxy-authorization"))),
        row("TE: trailers", with(b"Connection: TE\r\nTE: trailers\r\n"), pass(get().lacks("te"))),
        row("TE: gzip", with(b"TE: gzip;q=1\r\n"), pass(get().lacks("te"))),
        row("Upgrade to h2c", with(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"), pass(get().lacks("upgrade").lacks("http2-settings"))),
        row("Upgrade not nominated", with(b"Upgrade: h2c\r\n"), pass(get().lacks("upgrade"))),
        row("Upgrade to websocket", with(b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"), either(get().lacks("upgrade"))),
        row("Upgrade with a body", sends(b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n", b"hello"), either(post(b"hello").lacks("upgrade"))),
    ]
}

fn expectations() -> Vec<Row> {
    const ONLY: &[u16] = &[417];
    vec![
        row("100-continue, body at once", sends(b"Expect: 100-continue\r\nContent-Length: 5\r\n", b"hello"), pass(post(b"hello").lacks("expect"))),
        row("100-continue in mixed case", sends(b"expect: 100-Continue\r\nContent-Length: 5\r\n", b"hello"), pass(post(b"hello").lacks("expect"))),
        row("100-continue, chunked", sends(b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"), pass(post(b"hello").lacks("expect"))),
        row("100-continue without a body", with(b"Expect: 100-continue\r\n"), pass(get())),
        by_choice("another expectation", sends(b"Expect: 200-ok\r\nContent-Length: 5\r\n", b"hello"), refuse_as(ONLY)),
        by_choice("another expectation without a body", with(b"Expect: magic\r\n"), refuse_as(ONLY)),
        row("two expectations", sends(b"Expect: 100-continue, magic\r\nContent-Length: 5\r\n", b"hello"), either(post(b"hello"))),
        row("expectation folded", sends(b"Expect:\r\n 100-continue\r\nContent-Length: 5\r\n", b"hello"), refuse()),
        row("expectation of HTTP/1.0", b"POST /v1/{M} HTTP/1.0\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", Expect::PassAndClose(vec![post(b"hello")])),
    ]
}

/// Several requests in one write.
fn sequences() -> Vec<Row> {
    let numbered = |number: &str| format!("GET /v1/{{M}}/{number} HTTP/1.1\r\nHost: a.test\r\n\r\n").into_bytes();
    let first = || seen("GET", b"/v1/{M}/1", b"");
    let second = || seen("GET", b"/v1/{M}/2", b"");
    let third = || seen("GET", b"/v1/{M}/3", b"");
    let bodied = b"POST /v1/{M}/2 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello";
    let coded = b"POST /v1/{M}/2 HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: v\r\n\r\n";
    let join = |parts: &[&[u8]]| parts.concat();
    let between = || Expect::Pass(vec![first(), seen("POST", b"/v1/{M}/2", b"hello"), third()]);
    vec![
        row("two requests", join(&[&numbered("1"), &numbered("2")]), Expect::Pass(vec![first(), second()])),
        row("three requests", join(&[&numbered("1"), &numbered("2"), &numbered("3")]), Expect::Pass(vec![first(), second(), third()])),
        row("a body between two", join(&[&numbered("1"), bodied, &numbered("3")]), between()),
        row("chunks between two", join(&[&numbered("1"), coded, &numbered("3")]), between()),
        row("HEAD between two", join(&[&numbered("1"), b"HEAD /v1/{M}/2 HTTP/1.1\r\nHost: a.test\r\n\r\n", &numbered("3")]), Expect::Pass(vec![first(), second().method("HEAD"), third()])),
        row("empty line between two", join(&[bodied, b"\r\n", &numbered("3")]), Expect::Pass(vec![seen("POST", b"/v1/{M}/2", b"hello"), third()])),
        row("close, then another", join(&[b"GET /v1/{M}/1 HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n", &numbered("2")]), Expect::PassAndClose(vec![first()])),
        row("good, then malformed", join(&[&numbered("1"), b"GET /v1/{M}/2 HTTP/1.1\r\nHost : a.test\r\n\r\n"]), Expect::Refuse(vec![first()], BAD)),
        row("good, then junk", join(&[&numbered("1"), b"\x01\x02\x03 {M}/2\r\n\r\n"]), Expect::Refuse(vec![first()], BAD)),
        row("body longer than its length", join(&[bodied, b"XX{M}\r\n\r\n"]), Expect::Refuse(vec![seen("POST", b"/v1/{M}/2", b"hello")], BAD)),
        row("good, then both lengths", join(&[&numbered("1"), b"POST /v1/{M}/2 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]), Expect::Refuse(vec![first()], CODING)),
        row("twenty requests", (0..20).flat_map(|index| numbered(&index.to_string())).collect::<Vec<u8>>(), Expect::Pass((0..20).map(|index| seen("GET", format!("/v1/{{M}}/{index}").as_bytes(), b"")).collect())),
    ]
}

fn old_clients() -> Vec<Row> {
    let closed = |one| Expect::PassAndClose(vec![one]);
    vec![
        row("HTTP/1.0 without Host", b"GET /v1/{M} HTTP/1.0\r\n\r\n", closed(get())),
        row("HTTP/1.0 with Host", b"GET /v1/{M} HTTP/1.0\r\nHost: a.test\r\n\r\n", closed(get())),
        row("HTTP/1.0 with a body", b"POST /v1/{M} HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", closed(post(b"hello"))),
        row("HTTP/1.0 POST without a length", b"POST /v1/{M} HTTP/1.0\r\n\r\n", Expect::Either(vec![post(b"")], &[400, 411])),
        row("HTTP/1.0, Connection: close", b"GET /v1/{M} HTTP/1.0\r\nConnection: close\r\n\r\n", closed(get())),
        row("HTTP/1.0 with Host twice", b"GET /v1/{M} HTTP/1.0\r\nHost: a.test\r\nHost: a.test\r\n\r\n", refuse()),
        row("HTTP/1.0 with length twice", b"POST /v1/{M} HTTP/1.0\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", refuse()),
        row("HTTP/1.0, then another", b"GET /v1/{M} HTTP/1.0\r\n\r\nGET /smuggled/{M} HTTP/1.1\r\nHost: a.test\r\n\r\n", closed(get())),
    ]
}

fn other_protocols() -> Vec<Row> {
    vec![
        row("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{M}", refuse_as(&[400, 405, 421, 501, 505])),
        row("SSH", b"SSH-2.0-OpenSSH_9.2 {M}\r\n\r\n", refuse()),
        row("PROXY protocol", [b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n".as_slice(), &with(b"")].concat(), refuse_as(VERSION)),
        row("SMTP", b"EHLO {M}\r\n\r\n", refuse_as(VERSION)),
        row("RTSP", starts(b"DESCRIBE rtsp://a.test/{M} RTSP/1.0"), refuse_as(VERSION)),
        row("SIP", starts(b"INVITE sip:{M}@a.test SIP/2.0"), refuse_as(VERSION)),
        row("JSON without HTTP", b"{\"a\":\"{M}\"}\r\n\r\n", refuse_as(VERSION)),
        row("SOCKS 5", b"\x05\x01\x00", Expect::Hang(BAD)),
        row("a response", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Marker: {M}\r\n\r\n", refuse_as(VERSION)),
    ]
}

fn bounds() -> Vec<Row> {
    let filler = |count: usize| vec![b'a'; count];
    let lines = |count: usize| (0..count).flat_map(|index| format!("X-N{index}: v{index}\r\n").into_bytes()).collect::<Vec<u8>>();
    vec![
        row("ninety fields", with(&lines(88)), pass(get().has("x-n0", b"v0").has("x-n87", b"v87"))),
        row("target of 4 KiB", starts(&[b"GET /v1/{M}/", &filler(4096)[..], b" HTTP/1.1"].concat()), pass(seen("GET", &[b"/v1/{M}/", &filler(4096)[..]].concat(), b""))),
        row("value of 4 KiB", with(&[b"X-A: ", &filler(4096)[..], b"\r\n"].concat()), pass(get().has("x-a", &filler(4096)))),
        row("name of 200 bytes", with(&[b"X-", &filler(200)[..], b": b\r\n"].concat()), either(get())),
        row("body of 100 KB", sends(b"Content-Length: 100000\r\n", &filler(100_000)), pass(post(&filler(100_000)))),
        row("method of 32 letters", starts(&[&[b'M'; 32][..], b" /v1/{M} HTTP/1.1"].concat()), either(seen("MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM", b"/v1/{M}", b""))),
        by_choice("two thousand fields", with(&lines(2000)), refuse_as(HEAD)),
        by_choice("target of 256 KiB", starts(&[b"GET /v1/{M}/", &filler(262_144)[..], b" HTTP/1.1"].concat()), refuse_as(HEAD)),
        by_choice("value of 256 KiB", with(&[b"X-A: ", &filler(262_144)[..], b"\r\n"].concat()), refuse_as(HEAD)),
        by_choice("name of 256 KiB", with(&[b"X-", &filler(262_144)[..], b": b\r\n"].concat()), refuse_as(HEAD)),
        by_choice("method of 256 KiB", starts(&[&filler(262_144)[..], b" /v1/{M} HTTP/1.1"].concat()), refuse_as(&[400, 414, 431, 501])),
        by_choice("a line without an end, 256 KiB", filler(262_144), refuse_as(&[400, 414, 431, 501])),
        by_choice("blanks before a value, 256 KiB", with(&[b"X-A: ", &[b' '; 262_144][..], b"b\r\n"].concat()), refuse_as(HEAD)),
        row("empty lines without end", b"\r\n".repeat(40_000), Expect::Hang(&[400, 431])),
    ]
}
