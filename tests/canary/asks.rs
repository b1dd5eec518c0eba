//! Requests from a seeded generator, each with the canary in it: as a client could send them, and as none should.
//!
//! The same seed makes the same requests. What is drawn apart is how a request is sent, its target, fields, body, framing and fault,
//! so that ten thousand of them are hardly ever the same.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use flate2::write::ZlibEncoder;

use super::traces::CANARY;
use super::traces::base64;
use super::traces::hexadecimal;

/// How it reaches the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In one piece; the answer is read.
    Whole,
    /// In two pieces; the answer is read.
    Pieces,
    /// So many bytes of it, and then nothing: the gateway's patience ends it.
    Stall(usize),
    /// So many bytes of it; then the client is gone.
    Leave(usize),
    /// All of it; the client is gone before the answer.
    LeaveAtOnce,
    /// No HTTP: bytes to a connection of their own.
    Bare,
    /// A TLS handshake that asks for a server of the canary's name.
    Named,
}

/// To which of the gateways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// With an upstream that plays what it is asked to.
    Serving,
    /// With an upstream that refuses every connection.
    Deserted,
    /// That does not take plain HTTP; and this is plain.
    Shut,
}

/// One request.
#[derive(Debug)]
pub struct Ask {
    pub bytes: Vec<u8>,
    pub way: Way,
    pub to: To,
    /// It is a HEAD request.
    pub to_head: bool,
    /// It has an id that the gateway's own answer repeats.
    pub repeated: bool,
    /// Nothing is wrong with it, so the connection is good for another.
    pub sound: bool,
}

/// `SplitMix64`.
pub struct Chance(pub u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Less than `bound`.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    /// The canary in some spelling, without a space, a quote or a control.
    fn canary(&mut self) -> String {
        let each = |write: fn(u8) -> String| CANARY.bytes().map(write).collect::<String>();
        match self.below(10) {
            0 => CANARY.to_lowercase(),
            1 => each(|byte| format!("%{byte:02x}")),
            2 => base64(&format!("to {CANARY} and on")),
            3 => hexadecimal(CANARY.as_bytes()),
            4 => format!("AKIA{CANARY}"),
            5 => format!("{CANARY}@nordwind-handel.de"),
            _ => CANARY.to_owned(),
        }
    }
}

/// Targets; `~` stands for the canary.
const TARGETS: &[&str] = &[
    "/v1/chat/completions",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1/messages?beta=~",
    "/v1/embeddings",
    "/v1beta/models/~:generateContent?key=~",
    "/mcp",
    "/mcp/~",
    "/~",
    "/v1/~/files/~?q=a+b&user=~",
    "/v1/x/~%40nordwind-handel.de?to=~%40nordwind-handel.de",
    "/%zz~",
    "/v1/../~",
    "/v1/%2e%2e/~",
    "/readyz?verbose=~",
    "/livez/~",
    "http://~.test/v1/~",
    "*",
    "~",
];

/// Fields; `~` stands for the canary.
const FIELDS: &[&str] = &[
    "Authorization: Bearer ~",
    "Authorization: Basic ~",
    "Cookie: session=~; ~=1",
    "X-~: ~",
    "X-User: ~@nordwind-handel.de",
    "X-Api-Key: AKIA~",
    "User-Agent: ~/1.0",
    "Traceparent: 00-~-~-01",
    "Forwarded: for=~;host=~",
    "X-Forwarded-For: ~",
    "Referer: https://~.test/~",
    "Accept-Encoding: ~",
    "Connection: keep-alive, ~",
    "Via: 1.1 ~",
    "X-Order: order ~",
    "X-Word: bluebird ~",
];

/// What the upstream is asked to do, by a field that is forwarded.
const PLAYS: &[&str] = &["garbage", "status", "length", "cut", "reset", "leave", "stream", "head", "interim", "error"];

/// One request. Seeds make it, and nothing else.
pub fn ask(chance: &mut Chance) -> Ask {
    let mut ask = match chance.below(30) {
        0 => bare(chance),
        1..4 => handmade(chance),
        _ => composed(chance),
    };
    if ask.way == Way::Whole {
        let length = ask.bytes.len();
        ask.way = match chance.below(400) {
            0..20 => Way::Leave(1 + chance.below(length)),
            20..36 => Way::LeaveAtOnce,
            36..40 if ask.sound => Way::Stall(length - 1),
            40..90 => Way::Pieces,
            _ => Way::Whole,
        };
    }
    if matches!(ask.way, Way::Whole | Way::Pieces) {
        ask.to = match chance.below(60) {
            0..3 => To::Deserted,
            3 => To::Shut,
            _ => To::Serving,
        };
    }
    ask
}

/// Bytes that are no HTTP, or a handshake.
fn bare(chance: &mut Chance) -> Ask {
    let canary = chance.canary();
    let text = canary.as_bytes();
    let length = u8::try_from(text.len()).unwrap();
    let (way, bytes) = match chance.below(6) {
        0 | 1 => (Way::Named, format!("GET /{canary} HTTP/1.1\r\nHost: {CANARY}.test\r\n\r\n").into_bytes()),
        2 => (Way::Bare, [&[0x16, 3, 1, 0, length], text].concat()),
        3 => (Way::Bare, [&[0x16, 3, 1, 0, length + 4, 1, 0, 0, length], text].concat()),
        4 => (Way::Bare, [&[0x16], text, &[0; 600]].concat()),
        _ => (Way::Bare, [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", text, &[0, 0xff]].concat()),
    };
    Ask { bytes, way, to: To::Serving, to_head: false, repeated: false, sound: false }
}

/// Heads that nobody would compose; `~` stands for the canary.
const HANDMADE: &[&str] = &[
    "~ /~ HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT ~.test:443 HTTP/1.1\r\nHost: ~.test:443\r\n\r\n",
    "GET /~ HTTP/~\r\nHost: a\r\n\r\n",
    "GET /~ HTTP/2.0\r\nHost: a\r\n\r\n",
    "GET /~ HTTP/1.1\r\n\r\n",
    "GET /~ HTTP/1.1\r\nHost: a\r\nHost: ~\r\n\r\n",
    "GET /~ HTTP/1.1\r\nHost: ~@~/~\r\n\r\n",
    "GET /~ HTTP/1.1\nHost: a\nX: ~\n\n",
    "GET /~ HTTP/1.1\r\nHost: a\r\n X: ~\r\n\r\n",
    "GET /~ HTTP/1.1\r\nHost: a\r\nX ~: ~\r\n\r\n",
    "GET /~ HTTP/1.1\r\nHost: a\r\nX: \0~\r\n\r\n",
    "GET /~ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n~",
    "POST /~ HTTP/1.1\r\nHost: a\r\nContent-Length: ~\r\n\r\n~",
    "POST /~ HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\nContent-Length: 17\r\n\r\n~",
    "POST /~ HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /~ HTTP/1.1\r\n\r\n",
    "POST /~ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ~, chunked\r\n\r\n0\r\n\r\n",
    "POST /~ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n~\r\n~\r\n0\r\n\r\n",
    "POST /~ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n~\r\n0\r\n\r\n",
    "POST /~ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n~\r\n0\r\n\r\n",
    "POST /~ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n~\r\n\r\n",
    "POST /~ HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999\r\nExpect: 100-continue\r\n\r\n",
    "POST /~ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: ~\r\n\r\n",
    "GET /~ HTTP/1.1\r\nHost: a\r\nUpgrade: ~\r\nConnection: upgrade, content-length\r\n\r\n",
    "GET /~ HTTP/1.1\r\nHost: a\r\nX: ~\r",
    "~ ~ ~ ~\r\n\r\n",
];

fn handmade(chance: &mut Chance) -> Ask {
    let canary = chance.canary();
    let at = chance.below(HANDMADE.len() + 4);
    let bytes = match at.checked_sub(HANDMADE.len()) {
        None => HANDMADE[at].replace('~', &canary),
        Some(0) => format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", canary.repeat(1000)),
        Some(1) => format!("GET /v1 HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", canary.repeat(3000)),
        Some(2) => format!("GET /v1 HTTP/1.1\r\nHost: a\r\n{}\r\n", format!("X-{canary}: {canary}\r\n").repeat(150)),
        Some(_) => format!("POST /v1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n{}", canary.repeat(100)),
    };
    // The one that stops in the middle of a head is answered when its time is up.
    let way = if bytes.ends_with("\r\n\r") || bytes.ends_with("\r") { Way::Stall(bytes.len()) } else { Way::Whole };
    Ask { bytes: bytes.into_bytes(), way, to: To::Serving, to_head: false, repeated: false, sound: false }
}

/// A request whose head and framing are right; its body may be anything.
fn composed(chance: &mut Chance) -> Ask {
    let method =
        chance.of(&["POST", "POST", "POST", "POST", "POST", "PUT", "PATCH", "GET", "DELETE", "HEAD", "OPTIONS"]);
    let canary = chance.canary();
    let mut target = TARGETS[chance.below(TARGETS.len())].replace('~', &canary);
    if !chance.one_in(3) {
        target = format!("/v1/chat/completions?at={}", chance.next() % 1000);
    }
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: a.test\r\n");
    for _ in 0..chance.below(6) {
        let canary = chance.canary();
        head.push_str(&FIELDS[chance.below(FIELDS.len())].replace('~', &canary));
        head.push_str("\r\n");
    }
    let mut repeated = chance.one_in(20);
    if repeated {
        head.push_str(&format!("X-Request-Id: {canary}\r\n"));
    }
    if chance.one_in(5) {
        head.push_str(&format!("X-Play: {}\r\n", PLAYS[chance.below(PLAYS.len())]));
    } else if chance.one_in(150) {
        head.push_str("X-Play: slow\r\n");
    }
    let mut body = Vec::new();
    if !matches!(method, "GET" | "DELETE" | "HEAD" | "OPTIONS") {
        let (kind, text) = content(chance, &mut repeated);
        if !kind.is_empty() {
            head.push_str(&format!("Content-Type: {kind}\r\n"));
        }
        let text = coded(chance, text, &mut head);
        body = framed(chance, &text, &mut head);
    }
    let bytes = [head.as_bytes(), b"\r\n", &body].concat();
    Ask { bytes, way: Way::Whole, to: To::Serving, to_head: method == "HEAD", repeated, sound: true }
}

/// Bodies and their media types; `~` stands for the canary.
const CONTENTS: &[(&str, &str)] = &[
    ("application/json", r#"{"model":"m","messages":[{"role":"user","content":"say ~ now"}]}"#),
    (
        "application/json",
        r#"{"model":"~","stream":true,"messages":[{"role":"system","content":"~"},{"role":"user","content":"to ~ ok"}]}"#,
    ),
    ("application/json", r#"{"~":"~","messages":[{"role":"~","content":{"~":["~",1,null]}}]}"#),
    ("application/json", r#"{"messages":[{"role":"user","content":"my key is AKIAQXCANARY7ZVTWLKM ok"}]}"#),
    (
        "application/json",
        r#"{"messages":[{"role":"user","content":"order QXCANARY7ZVTWLKM of qxcanary7zvtwlkm@nordwind-handel.de"}]}"#,
    ),
    (
        "application/json",
        r#"{"messages":[{"role":"user","content":"about bluebird and ~"},{"role":"user","content":"and orion, ~"}]}"#,
    ),
    (
        "application/json",
        r#"{"messages":[{"role":"user","content":[{"type":"text","text":"order QXCANA"},{"type":"text","text":"RY7ZVTWLKM"}]}]}"#,
    ),
    (
        "application/json",
        r#"{"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,UVhDQU5BUlk3WlZUV0xLTQ=="}}]}]}"#,
    ),
    (
        "application/json",
        r#"{"tools":[{"type":"function","function":{"name":"~","parameters":{"~":"AKIAQXCANARY7ZVTWLKM"}}}]}"#,
    ),
    (
        "application/json",
        r#"{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"~","arguments":"{\"~\":\"order QXCANARY7ZVTWLKM\"}"}}]}]}"#,
    ),
    (
        "application/json",
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"~","arguments":{"~":"AKIAQXCANARY7ZVTWLKM"}}}"#,
    ),
    (
        "application/json",
        r#"{"jsonrpc":"2.0","id":"~","method":"tools/call","params":{"name":"~","arguments":"AKIAQXCANARY7ZVTWLKM"}}"#,
    ),
    (
        "application/json",
        r#"{"input":"\u0051\u0058\u0043\u0041\u004e\u0041\u0052\u0059\u0037\u005a\u0056\u0054\u0057\u004c\u004b\u004d"}"#,
    ),
    ("application/json", r#"{"~":1,"~":2}"#),
    ("application/json", r#"{"~":"~"#),
    ("application/json", r#"{"~":"\ud800 ~"}"#),
    ("application/json", r#"{"a":"~"} ~"#),
    ("application/json", "~"),
    ("application/json", "\"~\u{0}\""),
    ("application/json; charset=~", r#"{"a":"~"}"#),
    ("application/x-www-form-urlencoded", "a=1&to=~%40nordwind-handel.de&~=x+order+QXCANARY7ZVTWLKM"),
    ("application/x-www-form-urlencoded", "~=%zz&~"),
    (
        "multipart/form-data; boundary=B",
        "--B\r\nContent-Disposition: form-data; name=\"~\"\r\n\r\nto ~ order QXCANARY7ZVTWLKM\r\n--B--\r\n",
    ),
    (
        "multipart/form-data; boundary=B",
        "--B\r\nContent-Disposition: form-data; name=\"~\"; filename=\"~\"\r\n\r\n~\r\n--B",
    ),
    ("multipart/form-data; boundary=~", "--~\r\n~: ~\r\n\r\n~\r\n--~--\r\n"),
    ("text/plain", "order QXCANARY7ZVTWLKM, bluebird and ~"),
    ("text/event-stream", "data: ~\n\n"),
    ("application/octet-stream", "\u{0}\u{1}~"),
    ("application/~", "~"),
    ("~", "~"),
    ("", "~"),
];

/// The first so many are JSON without a fault: half of all bodies, so that enough of them come to be inspected.
const CONTENTS_READABLE: usize = 12;

fn content(chance: &mut Chance, repeated: &mut bool) -> (String, Vec<u8>) {
    let canary = chance.canary();
    let choices = if chance.one_in(2) { CONTENTS_READABLE } else { CONTENTS.len() };
    let (kind, text) = CONTENTS[chance.below(choices)];
    *repeated |= text.contains(r#""id":"~""#);
    let mut body = text.replace('~', &canary).into_bytes();
    match chance.below(24) {
        // Cut, or damaged, or no UTF-8 any more, or nested too deep.
        0 => body.truncate(chance.below(body.len())),
        1 => {
            let at = chance.below(body.len());
            body[at] ^= 1 << chance.below(8);
        }
        2 => body.extend_from_slice(b"\xff\xc0"),
        3 => body = [b"[".repeat(200), body, b"]".repeat(200)].concat(),
        4 => {
            body =
                format!("{{\"messages\":[{{\"content\":\"{}\"}}]}}", "order QXCANARY7ZVTWLKM ".repeat(400)).into_bytes()
        }
        _ => {}
    }
    (kind.replace('~', &canary), body)
}

/// The body in some content coding, well or badly.
fn coded(chance: &mut Chance, body: Vec<u8>, head: &mut String) -> Vec<u8> {
    let (name, mut coded) = match chance.below(20) {
        0 | 1 => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&body).unwrap();
            ("gzip".to_owned(), encoder.finish().unwrap())
        }
        2 => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::none());
            encoder.write_all(&body).unwrap();
            ("deflate".to_owned(), encoder.finish().unwrap())
        }
        3 => (chance.of(&["br", "zstd", "gzip", "deflate, gzip"]).to_owned(), body),
        4 => (chance.canary(), body),
        _ => return body,
    };
    head.push_str(&format!("Content-Encoding: {name}\r\n"));
    if chance.one_in(5) {
        coded.truncate(coded.len() / 2);
    }
    coded
}

/// The body as it goes on the wire, with the field that says how.
fn framed(chance: &mut Chance, body: &[u8], head: &mut String) -> Vec<u8> {
    if !chance.one_in(4) {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        return body.to_vec();
    }
    head.push_str("Transfer-Encoding: chunked\r\n");
    let canary = chance.canary();
    let extension = if chance.one_in(3) { format!(";{CANARY}=\"{canary}\"") } else { String::new() };
    let size = 1 + chance.below(200);
    let mut out = Vec::new();
    for piece in body.chunks(size) {
        out.extend_from_slice(format!("{:x}{extension}\r\n", piece.len()).as_bytes());
        out.extend_from_slice(piece);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n");
    if chance.one_in(3) {
        out.extend_from_slice(format!("X-Trailer: {canary}\r\n").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out
}
