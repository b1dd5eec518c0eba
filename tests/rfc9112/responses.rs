//! The responses: what an upstream writes, and what of it a client may see.
//!
//! An answer with one reading is relayed; one with none is 502, or, where its head has already gone out, an answer
//! that any client can tell to be cut. Rows never depend on each other, and none may reach the client of another.

use crate::support::upstream::After;

/// What the client must see of a relayed answer.
#[derive(Clone, Debug)]
pub struct Relayed {
    pub status: u16,
    pub body: Vec<u8>,
    /// Fields with exactly these values, in this order among those of the same name.
    pub has: Vec<(&'static str, Vec<u8>)>,
    pub lacks: Vec<&'static str>,
}

impl Relayed {
    fn has(mut self, name: &'static str, value: &[u8]) -> Self {
        self.has.push((name, value.to_vec()));
        self
    }

    fn lacks(mut self, name: &'static str) -> Self {
        self.lacks.push(name);
        self
    }
}

#[derive(Clone, Debug)]
pub enum Expect {
    Relay(Relayed),
    /// 502 in full.
    Bad,
    /// 502, or an answer that is visibly incomplete.
    Cut,
    /// The RFCs leave it open.
    Either(Relayed),
}

pub struct Row {
    pub name: &'static str,
    pub method: &'static str,
    pub raw: Vec<u8>,
    pub after: After,
    pub expect: Expect,
    /// Refused by a limit or a choice of the gateway, not by the grammar: the strict reader takes it.
    pub by_choice: bool,
}

fn row(name: &'static str, raw: impl AsRef<[u8]>, after: After, expect: Expect) -> Row {
    Row { name, method: "GET", raw: raw.as_ref().to_vec(), after, expect, by_choice: false }
}

fn by_choice(name: &'static str, raw: impl AsRef<[u8]>, after: After, expect: Expect) -> Row {
    Row { by_choice: true, ..row(name, raw, after, expect) }
}

fn head(name: &'static str, raw: impl AsRef<[u8]>, after: After, expect: Expect) -> Row {
    Row { method: "HEAD", ..row(name, raw, after, expect) }
}

fn seen(status: u16, body: &[u8]) -> Relayed {
    Relayed { status, body: body.to_vec(), has: Vec::new(), lacks: Vec::new() }
}

fn relay(status: u16, body: &[u8]) -> Expect {
    Expect::Relay(seen(status, body))
}

fn hello() -> Relayed {
    seen(200, b"hello")
}

/// Status 200 with these field lines and what follows the head.
fn ok(fields: &[u8], body: &[u8]) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\n", fields, b"\r\n", body].concat()
}

fn coded(body: &[u8]) -> Vec<u8> {
    ok(b"Transfer-Encoding: chunked\r\n", body)
}

/// A whole answer of five bytes with these further field lines.
fn with(fields: &[u8]) -> Vec<u8> {
    ok(&[b"Content-Length: 5\r\n", fields].concat(), b"hello")
}

/// A whole answer of five bytes with this status line, without its CRLF.
fn starts(line: &[u8]) -> Vec<u8> {
    [line, b"\r\nContent-Length: 5\r\n\r\nhello"].concat()
}

pub fn all() -> Vec<Row> {
    let groups =
        [bodies(), bodiless(), interim(), status_lines(), fields(), lengths(), codings(), chunks(), cuts(), excess(), hops()];
    groups.into_iter().flatten().collect()
}

fn bodies() -> Vec<Row> {
    use After::{Close, Keep};
    let all_bytes: Vec<u8> = (0..=255).collect();
    vec![
        row("length", with(b""), Keep, relay(200, b"hello")),
        row("length zero", ok(b"Content-Length: 0\r\n", b""), Keep, relay(200, b"")),
        row("every byte", ok(b"Content-Length: 256\r\n", &all_bytes), Keep, relay(200, &all_bytes)),
        row("length with leading zeros", ok(b"Content-Length: 0005\r\n", b"hello"), Keep, Expect::Either(hello())),
        row("length amid OWS", ok(b"content-length: \t5 \t\r\n", b"hello"), Keep, relay(200, b"hello")),
        row("chunks", coded(b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"), Keep, relay(200, b"hello")),
        row("no chunk but the last", coded(b"0\r\n\r\n"), Keep, relay(200, b"")),
        row("chunks with extensions", coded(b"5;a=\"b;c\";d\r\nhello\r\n0;e\r\n\r\n"), Keep, relay(200, b"hello")),
        row("capital size, leading zeros", coded(b"00A\r\n0123456789\r\n00\r\n\r\n"), Keep, relay(200, b"0123456789")),
        row("coding in capitals", ok(b"Transfer-Encoding: CHUNKED\r\n", b"5\r\nhello\r\n0\r\n\r\n"), Keep, Expect::Either(hello())),
        row("chunks with trailers", coded(b"5\r\nhello\r\n0\r\nX-T: v\r\n\r\n"), Keep, relay(200, b"hello")),
        row("trailer with a length", coded(b"5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n"), Keep, Expect::Either(hello())),
        row("until the end", ok(b"", b"hello"), Close, relay(200, b"hello")),
        row("until the end, empty", ok(b"", b""), Close, relay(200, b"")),
        row("until the end, HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\nhello", Close, relay(200, b"hello")),
        row("length, HTTP/1.0", b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", Close, relay(200, b"hello")),
        row("kept alive, HTTP/1.0", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello", Keep, relay(200, b"hello")),
        row("length, then end", with(b"Connection: close\r\n"), Close, relay(200, b"hello")),
        row("length and an end unannounced", with(b""), Close, relay(200, b"hello")),
        row("chunks, then end", coded(b"5\r\nhello\r\n0\r\n\r\n"), Close, relay(200, b"hello")),
        row("body that looks like a response", ok(b"Content-Length: 19\r\n", b"HTTP/1.1 200 OK\r\n\r\n"), Keep, relay(200, b"HTTP/1.1 200 OK\r\n\r\n")),
        row("status 404", starts(b"HTTP/1.1 404 Not Found"), Keep, relay(404, b"hello")),
        row("status 429", starts(b"HTTP/1.1 429 Too Many"), Keep, relay(429, b"hello")),
        row("status 500", starts(b"HTTP/1.1 500 Oops"), Keep, relay(500, b"hello")),
        row("status 302", with(b"Location: /x\r\n"), Keep, Expect::Relay(hello().has("location", b"/x"))),
        row("status 299", starts(b"HTTP/1.1 299 Odd"), Keep, relay(299, b"hello")),
    ]
}

fn bodiless() -> Vec<Row> {
    use After::Keep;
    vec![
        head("HEAD with a length", ok(b"Content-Length: 5\r\n", b""), Keep, Expect::Relay(seen(200, b"").has("content-length", b"5"))),
        head("HEAD with a coding", ok(b"Transfer-Encoding: chunked\r\n", b""), Keep, relay(200, b"")),
        head("HEAD with neither", ok(b"", b""), Keep, relay(200, b"")),
        head("HEAD of 404", b"HTTP/1.1 404 No\r\nContent-Length: 50\r\n\r\n", Keep, relay(404, b"")),
        row("204", b"HTTP/1.1 204 No Content\r\n\r\n", Keep, Expect::Relay(seen(204, b"").lacks("content-length").lacks("transfer-encoding"))),
        row("204 with length zero", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", Keep, Expect::Either(seen(204, b"").lacks("content-length"))),
        row("204 with a length", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", Keep, Expect::Either(seen(204, b"").lacks("content-length"))),
        row("204 with a coding", b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", Keep, Expect::Either(seen(204, b"").lacks("transfer-encoding"))),
        row("304", b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", Keep, Expect::Relay(seen(304, b"").has("etag", b"\"a\""))),
        row("304 with a length", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", Keep, relay(304, b"")),
        row("205 with length zero", b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", Keep, relay(205, b"")),
    ]
}

fn interim() -> Vec<Row> {
    use After::{Close, Keep};
    let before = |interim: &[u8]| [interim, &with(b"")].concat();
    vec![
        row("100 first", before(b"HTTP/1.1 100 Continue\r\n\r\n"), Keep, relay(200, b"hello")),
        row("102 first", before(b"HTTP/1.1 102 Processing\r\n\r\n"), Keep, relay(200, b"hello")),
        row("103 with fields first", before(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"), Keep, relay(200, b"hello")),
        row("three interim answers first", before(&b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(3)), Keep, relay(200, b"hello")),
        row("unknown interim answer", before(b"HTTP/1.1 150 Odd\r\n\r\n"), Keep, Expect::Either(hello())),
        row("interim answer with a length", before(b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n"), Keep, Expect::Either(hello())),
        by_choice("interim answers without end", b"HTTP/1.1 100 Continue\r\n\r\n".repeat(20_000), Close, Expect::Bad),
        row("interim answer alone", b"HTTP/1.1 100 Continue\r\n\r\n", Close, Expect::Bad),
        by_choice("unasked 101", b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", Keep, Expect::Bad),
        by_choice("unasked 101, then bytes", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Keep, Expect::Bad),
        row("malformed interim answer", before(b"HTTP/1.1 100 Continue\r\nX-A : b\r\n\r\n"), Keep, Expect::Either(hello())),
    ]
}

fn status_lines() -> Vec<Row> {
    use After::{Close, Keep};
    vec![
        row("empty reason", starts(b"HTTP/1.1 200 "), Keep, relay(200, b"hello")),
        row("no reason", starts(b"HTTP/1.1 200"), Keep, Expect::Either(hello())),
        row("long reason", starts(b"HTTP/1.1 200 It is all quite all right, thank you"), Keep, relay(200, b"hello")),
        row("obs-text in the reason", starts(b"HTTP/1.1 200 \xe9\xff"), Keep, relay(200, b"hello")),
        row("status of two digits", starts(b"HTTP/1.1 20 OK"), Keep, Expect::Bad),
        row("status of four digits", starts(b"HTTP/1.1 2000 OK"), Keep, Expect::Bad),
        row("status of letters", starts(b"HTTP/1.1 2xx OK"), Keep, Expect::Bad),
        row("no status", starts(b"HTTP/1.1 OK"), Keep, Expect::Bad),
        row("signed status", starts(b"HTTP/1.1 +20 OK"), Keep, Expect::Bad),
        row("status 000", starts(b"HTTP/1.1 000 OK"), Keep, Expect::Bad),
        row("status 099", starts(b"HTTP/1.1 099 OK"), Keep, Expect::Bad),
        row("status 600", starts(b"HTTP/1.1 600 Odd"), Keep, Expect::Either(seen(600, b"hello"))),
        row("two spaces before the status", starts(b"HTTP/1.1  200 OK"), Keep, Expect::Bad),
        row("tab before the status", starts(b"HTTP/1.1\t200 OK"), Keep, Expect::Bad),
        row("HTTP/2.0", starts(b"HTTP/2.0 200 OK"), Keep, Expect::Bad),
        row("HTTP/1.2", starts(b"HTTP/1.2 200 OK"), Keep, Expect::Either(hello())),
        row("HTTP/1.10", starts(b"HTTP/1.10 200 OK"), Keep, Expect::Bad),
        row("http/1.1", starts(b"http/1.1 200 OK"), Keep, Expect::Bad),
        row("ICY", starts(b"ICY 200 OK"), Keep, Expect::Bad),
        row("space before the version", starts(b" HTTP/1.1 200 OK"), Keep, Expect::Bad),
        row("empty line first", starts(b"\r\nHTTP/1.1 200 OK"), Keep, Expect::Either(hello())),
        row("NUL in the reason", starts(b"HTTP/1.1 200 O\0K"), Keep, Expect::Bad),
        row("CR in the reason", starts(b"HTTP/1.1 200 O\rX-Injected: 1"), Keep, Expect::Bad),
        row("status line ends in LF", b"HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello", Keep, Expect::Bad),
        row("all lines end in LF", b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", Keep, Expect::Bad),
        row("body without a head", b"hello", Close, Expect::Bad),
        row("SSH", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Close, Expect::Bad),
        row("a request", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Close, Expect::Bad),
        row("nothing", b"", Close, Expect::Bad),
        row("nothing, reset", b"", After::Reset, Expect::Bad),
        row("half a head", b"HTTP/1.1 200 OK\r\nContent-Le", Close, Expect::Bad),
        row("head without its end", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", Close, Expect::Bad),
        row("half a head, reset", b"HTTP/1.1 200 OK\r\nContent-Le", After::Reset, Expect::Bad),
        row("an empty line alone", b"\r\n", Close, Expect::Bad),
    ]
}

fn fields() -> Vec<Row> {
    use After::Keep;
    let lines = |count: usize| (0..count).flat_map(|index| format!("X-N{index}: v\r\n").into_bytes()).collect::<Vec<u8>>();
    vec![
        row("obs-text in a value", with(b"X-A: \xe9\xff\r\n"), Keep, Expect::Relay(hello().has("x-a", b"\xe9\xff"))),
        row("empty value", with(b"X-A:\r\n"), Keep, Expect::Relay(hello().has("x-a", b""))),
        row("OWS around a value", with(b"X-A: \t b \t\r\n"), Keep, Expect::Relay(hello().has("x-a", b"b"))),
        row("cookies keep their order", with(b"Set-Cookie: a=1\r\nset-cookie: b=2\r\n"), Keep, Expect::Relay(hello().has("set-cookie", b"a=1").has("set-cookie", b"b=2"))),
        row("encoding crosses", with(b"Content-Type: audio/mpeg\r\nContent-Encoding: gzip\r\n"), Keep, Expect::Relay(hello().has("content-encoding", b"gzip"))),
        row("ninety fields", with(&lines(88)), Keep, Expect::Relay(hello().has("x-n87", b"v"))),
        row("value of 4 KiB", with(&[b"X-A: ", &[b'a'; 4096][..], b"\r\n"].concat()), Keep, Expect::Relay(hello().has("x-a", &[b'a'; 4096]))),
        by_choice("five thousand fields", with(&lines(5000)), Keep, Expect::Bad),
        by_choice("value of 1 MiB", with(&[b"X-A: ", &[b'a'; 1_048_576][..], b"\r\n"].concat()), Keep, Expect::Bad),
        row("fold", with(b"X-A: b\r\n c\r\n"), Keep, Expect::Either(hello().has("x-a", b"b c"))),
        row("fold of Content-Length", ok(b"Content-Length:\r\n 5\r\n", b"hello"), Keep, Expect::Either(hello())),
        row("fold behind the status line", b"HTTP/1.1 200 OK\r\n X: y\r\nContent-Length: 5\r\n\r\nhello", Keep, Expect::Bad),
        row("space before a colon", with(b"X-A : b\r\n"), Keep, Expect::Either(hello())),
        row("space before the colon of length", ok(b"Content-Length : 5\r\n", b"hello"), Keep, Expect::Either(hello())),
        row("space in a name", with(b"X A: b\r\n"), Keep, Expect::Bad),
        row("no colon", with(b"X-A b\r\n"), Keep, Expect::Bad),
        row("empty name", with(b": b\r\n"), Keep, Expect::Bad),
        row("non-ASCII name", with(b"X\xe9: b\r\n"), Keep, Expect::Bad),
        row("NUL in a name", with(b"X\0: b\r\n"), Keep, Expect::Bad),
        row("NUL in a value", with(b"X-A: b\0c\r\n"), Keep, Expect::Bad),
        row("CR in a value", with(b"X-A: b\rc\r\n"), Keep, Expect::Bad),
        row("LF ends a line", with(b"X-A: b\nX-B: c\r\n"), Keep, Expect::Bad),
        row("control byte in a value", with(b"X-A: b\x01c\r\n"), Keep, Expect::Either(hello())),
    ]
}

fn lengths() -> Vec<Row> {
    use After::Close;
    let length = |value: &[u8]| ok(&[b"Content-Length:", value, b"\r\n"].concat(), b"hello");
    vec![
        row("length twice, not the same", ok(b"Content-Length: 5\r\nContent-Length: 3\r\n", b"hello"), Close, Expect::Bad),
        row("length twice, the same", ok(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"), Close, Expect::Either(hello())),
        row("list of two", length(b" 5, 3"), Close, Expect::Bad),
        row("list of the same", length(b" 5, 5"), Close, Expect::Either(hello())),
        row("empty", length(b""), Close, Expect::Bad),
        row("plus sign", length(b" +5"), Close, Expect::Bad),
        row("minus sign", length(b" -1"), Close, Expect::Bad),
        row("hexadecimal", length(b" 0x5"), Close, Expect::Bad),
        row("letters", length(b" five"), Close, Expect::Bad),
        row("semicolon", length(b" 5;"), Close, Expect::Bad),
        row("two numbers", length(b" 5 5"), Close, Expect::Bad),
        row("fraction", length(b" 5.0"), Close, Expect::Bad),
        row("2^64 + 5", length(b" 18446744073709551621"), Close, Expect::Bad),
        row("2^64 - 1", length(b" 18446744073709551615"), Close, Expect::Cut),
        row("length and coding", ok(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"), Close, Expect::Bad),
        row("coding and length", ok(b"Transfer-Encoding: chunked\r\nContent-Length: 15\r\n", b"5\r\nhello\r\n0\r\n\r\n"), Close, Expect::Bad),
        head("HEAD with a bad length", length(b" x"), Close, Expect::Bad),
    ]
}

fn codings() -> Vec<Row> {
    use After::Close;
    let coding = |value: &[u8]| ok(&[b"Transfer-Encoding:", value, b"\r\n"].concat(), b"5\r\nhello\r\n0\r\n\r\n");
    vec![
        row("gzip alone", coding(b" gzip"), Close, Expect::Bad),
        row("gzip, chunked", coding(b" gzip, chunked"), Close, Expect::Bad),
        row("chunked, gzip", coding(b" chunked, gzip"), Close, Expect::Bad),
        row("chunked, chunked", coding(b" chunked, chunked"), Close, Expect::Bad),
        row("identity", coding(b" identity"), Close, Expect::Bad),
        row("xchunked", coding(b" xchunked"), Close, Expect::Bad),
        row("chunked and a comma", coding(b" chunked,"), Close, Expect::Either(hello())),
        row("quoted", coding(b" \"chunked\""), Close, Expect::Bad),
        row("empty coding", coding(b""), Close, Expect::Bad),
        row("vertical tab", coding(b"\x0bchunked"), Close, Expect::Bad),
        row("coding twice", ok(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"), Close, Expect::Bad),
        row("coding in HTTP/1.0", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", Close, Expect::Bad),
    ]
}

fn chunks() -> Vec<Row> {
    use After::Close;
    let size = |size: &[u8]| coded(&[size, b"\r\nhello\r\n0\r\n\r\n"].concat());
    vec![
        row("prefix 0x", size(b"0x5"), Close, Expect::Cut),
        row("plus sign in a size", size(b"+5"), Close, Expect::Cut),
        row("minus sign in a size", size(b"-5"), Close, Expect::Cut),
        row("underscore in a size", size(b"0_5"), Close, Expect::Cut),
        row("space before a size", size(b" 5"), Close, Expect::Cut),
        row("letter behind a size", size(b"5g"), Close, Expect::Cut),
        row("empty size", size(b""), Close, Expect::Cut),
        row("size of 2^64 + 5", size(b"10000000000000005"), Close, Expect::Cut),
        row("size of 2^64 - 1", size(b"ffffffffffffffff"), Close, Expect::Cut),
        row("LF behind a size", coded(b"5\nhello\r\n0\r\n\r\n"), Close, Expect::Cut),
        row("LF behind the data", coded(b"5\r\nhello\n0\r\n\r\n"), Close, Expect::Cut),
        row("nothing behind the data", coded(b"5\r\nhello0\r\n\r\n"), Close, Expect::Cut),
        row("letters behind the data", coded(b"5\r\nhelloXX0\r\n\r\n"), Close, Expect::Cut),
        row("size too small", coded(b"4\r\nhello\r\n0\r\n\r\n"), Close, Expect::Cut),
        row("size too large", coded(b"6\r\nhello\r\n0\r\n\r\n"), Close, Expect::Cut),
        row("LF ends the body", coded(b"5\r\nhello\r\n0\r\n\n"), Close, Expect::Cut),
        row("CRLF in a quoted extension", coded(b"5;a=\"\r\nhello\r\n0\r\n\r\n"), Close, Expect::Cut),
        row("LF in an extension", coded(b"5;a\nhello\r\n0\r\n\r\n"), Close, Expect::Cut),
        by_choice("extension of 256 KiB", coded(&[b"5;a=", &[b'b'; 262_144][..], b"\r\nhello\r\n0\r\n\r\n"].concat()), Close, Expect::Cut),
        row("malformed trailer", coded(b"5\r\nhello\r\n0\r\nX T: v\r\n\r\n"), Close, Expect::Cut),
        by_choice("trailer of 1 MiB", coded(&[b"5\r\nhello\r\n0\r\nX-T: ", &[b'v'; 1_048_576][..], b"\r\n\r\n"].concat()), Close, Expect::Cut),
        row("bare bytes", coded(b"hello"), Close, Expect::Cut),
    ]
}

fn cuts() -> Vec<Row> {
    use After::{Close, Reset, Truncate};
    vec![
        row("length cut", ok(b"Content-Length: 50\r\n", b"hello"), Close, Expect::Cut),
        row("length cut by one", ok(b"Content-Length: 6\r\n", b"hello"), Close, Expect::Cut),
        row("length cut at once", ok(b"Content-Length: 5\r\n", b""), Close, Expect::Cut),
        row("length cut by a reset", ok(b"Content-Length: 50\r\n", b"hello"), Reset, Expect::Cut),
        row("length cut by FIN alone", ok(b"Content-Length: 50\r\n", b"hello"), Truncate, Expect::Cut),
        row("chunks cut at once", coded(b""), Close, Expect::Cut),
        row("chunks cut in a size", coded(b"5"), Close, Expect::Cut),
        row("chunks cut in the data", coded(b"5\r\nhel"), Close, Expect::Cut),
        row("chunks cut behind the data", coded(b"5\r\nhello"), Close, Expect::Cut),
        row("chunks cut between chunks", coded(b"5\r\nhello\r\n"), Close, Expect::Cut),
        row("chunks cut in the last size", coded(b"5\r\nhello\r\n0"), Close, Expect::Cut),
        row("chunks cut behind the last size", coded(b"5\r\nhello\r\n0\r\n"), Close, Expect::Cut),
        row("chunks cut by one", coded(b"5\r\nhello\r\n0\r\n\r"), Close, Expect::Cut),
        row("chunks cut in a trailer", coded(b"5\r\nhello\r\n0\r\nX-T: v\r\n"), Close, Expect::Cut),
        row("chunks cut by a reset", coded(b"5\r\nhello\r\n"), Reset, Expect::Cut),
        row("chunks cut by FIN alone", coded(b"5\r\nhello\r\n"), Truncate, Expect::Cut),
        row("until a reset", ok(b"", b"hello"), Reset, Expect::Cut),
    ]
}

/// The answer itself is whole; what follows it must reach nobody.
fn excess() -> Vec<Row> {
    use After::Keep;
    const POISON: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
    let then = |first: &[u8]| [first, POISON].concat();
    vec![
        row("junk behind a length", [&with(b"")[..], b"junk"].concat(), Keep, relay(200, b"hello")),
        row("one byte behind a length", [&with(b"")[..], b"\n"].concat(), Keep, relay(200, b"hello")),
        row("an answer behind a length", then(&with(b"")), Keep, relay(200, b"hello")),
        row("an answer behind chunks", then(&coded(b"5\r\nhello\r\n0\r\n\r\n")), Keep, relay(200, b"hello")),
        row("an answer behind 204", then(b"HTTP/1.1 204 No Content\r\n\r\n"), Keep, relay(204, b"")),
        row("an answer behind 304", then(b"HTTP/1.1 304 Not Modified\r\n\r\n"), Keep, relay(304, b"")),
        row("an answer behind length zero", then(&ok(b"Content-Length: 0\r\n", b"")), Keep, relay(200, b"")),
        head("an answer behind HEAD", then(&ok(b"Content-Length: 5\r\n", b"")), Keep, relay(200, b"")),
        head("a body behind HEAD", ok(b"Content-Length: 5\r\n", b"hello"), Keep, relay(200, b"")),
        row("a body behind 304", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello", Keep, relay(304, b"")),
        row("a body behind 204", b"HTTP/1.1 204 No Content\r\n\r\nhello", Keep, relay(204, b"")),
    ]
}

fn hops() -> Vec<Row> {
    use After::{Close, Keep};
    vec![
        row("nominated field", with(b"Connection: X-A\r\nX-A: b\r\nX-B: c\r\n"), Keep, Expect::Relay(hello().lacks("x-a").has("x-b", b"c"))),
        row("Keep-Alive", with(b"Connection: keep-alive\r\nKeep-Alive: timeout=9\r\n"), Keep, Expect::Relay(hello().lacks("keep-alive"))),
        row("Proxy-Connection", with(b"Proxy-Connection: keep-alive\r\n"), Keep, Expect::Relay(hello().lacks("proxy-connection"))),
        row("Upgrade", with(b"Upgrade: h2c\r\n"), Keep, Expect::Relay(hello().lacks("upgrade"))),
        row("TE", with(b"TE: trailers\r\n"), Keep, Expect::Relay(hello().lacks("te"))),
        row("Trailer", ok(b"Transfer-Encoding: chunked\r\nTrailer: X-T\r\n", b"5\r\nhello\r\n0\r\nX-T: v\r\n\r\n"), Keep, Expect::Either(hello().lacks("trailer"))),
        row("Content-Length nominated", with(b"Connection: Content-Length\r\n"), Keep, Expect::Either(hello())),
        row("Transfer-Encoding nominated", ok(b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"), Keep, Expect::Either(hello())),
        row("Connection: close stays on its leg", with(b"Connection: close\r\n"), Close, relay(200, b"hello")),
    ]
}
