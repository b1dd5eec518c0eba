//! The mock LLM over sockets: what tests and benches lean on must itself stand. Raw sockets, no client library: a test
//! sees the very bytes.

use std::io;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::ClientConnection;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::StreamOwned;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::ServerName;

use penaxtra_gateway::clock;
use penaxtra_gateway::demo::server::MockLlm;
use penaxtra_gateway::demo::server::Options;

/// How long a test waits for what must happen soon.
const SOON: Duration = Duration::from_secs(5);

fn start(options: Options) -> MockLlm {
    MockLlm::start(SocketAddr::from(([127, 0, 0, 1], 0)), options).expect("a free port on loopback")
}

fn connect(mock: &MockLlm) -> TcpStream {
    let stream = TcpStream::connect(mock.address).expect("the mock listens");
    stream.set_read_timeout(Some(SOON)).expect("a timeout above zero");
    stream
}

fn post(target: &str, body: &str, fields: &str) -> String {
    format!("POST {target} HTTP/1.1\r\nhost: mock\r\ncontent-length: {}\r\n{fields}\r\n{body}", body.len())
}

fn chat(model: &str, stream: bool) -> String {
    format!(r#"{{"model":"{model}","stream":{stream},"messages":[{{"role":"user","content":"one two"}}]}}"#)
}

/// One answer: the head as text, the body decoded.
fn answer(stream: &mut impl Read) -> io::Result<(String, Vec<u8>)> {
    let head = until(stream, b"\r\n\r\n")?;
    let lower = head.to_ascii_lowercase();
    let mut body = Vec::new();
    if lower.contains("transfer-encoding: chunked") {
        loop {
            let line = until(stream, b"\r\n")?;
            let size = usize::from_str_radix(line.trim(), 16).expect("a chunk's size");
            let mut chunk = vec![0; size + 2];
            stream.read_exact(&mut chunk)?;
            assert!(chunk.ends_with(b"\r\n"));
            if size == 0 {
                return Ok((head, body));
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }
    let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()).expect("a length");
    body.resize(length.parse().expect("a number"), 0);
    stream.read_exact(&mut body)?;
    Ok((head, body))
}

fn until(stream: &mut impl Read, end: &[u8]) -> io::Result<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end) {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        bytes.push(byte[0]);
    }
    Ok(String::from_utf8(bytes).expect("a head is ASCII"))
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let begin = clock::now();
    while !holds() {
        assert!(begin.elapsed() < SOON, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn one_connection_answers_request_after_request() {
    let mock = start(Options::default());
    let mut client = connect(&mock);
    let cases = [
        (post("/v1/chat/completions", &chat("m", false), ""), "200 OK", "You sent 2 words"),
        (post("/v1/chat/completions", &chat("m", true), ""), "200 OK", "data: [DONE]"),
        (post("/v1/chat/completions", &chat("error-429", true), ""), "429 Too", "rate_limit_exceeded"),
        ("GET /v1/models HTTP/1.1\r\nHost: m\r\n\r\n".to_owned(), "200 OK", "mock-small"),
        ("GET /nothing HTTP/1.1\r\nHost: m\r\n\r\n".to_owned(), "404 Not", "error"),
    ];
    for (request, status, text) in &cases {
        client.write_all(request.as_bytes()).unwrap();
        let (head, body) = answer(&mut client).unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
        assert!(String::from_utf8(body).unwrap().contains(text), "{request}");
    }
    assert_eq!(mock.requests(), cases.len() as u64);
    assert_eq!(mock.aborted_streams(), 0);
}

#[test]
fn pipelined_and_chunked_requests_are_read() {
    let mock = start(Options::default());
    let mut client = connect(&mock);
    let body = chat("m", false);
    let (front, back) = body.split_at(11);
    let chunked = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n{:x};note=1\r\n{front}\r\n{:X}\r\n{back}\r\n0\r\nx-trailer: 1\r\n\r\n",
        front.len(),
        back.len(),
    );
    client.write_all(format!("{chunked}{chunked}").as_bytes()).unwrap();
    for _ in 0..2 {
        let (head, body) = answer(&mut client).unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(String::from_utf8(body).unwrap().contains("You sent 2 words"));
    }
}

#[test]
fn ambiguous_requests_are_refused_and_the_connection_closes() {
    let mock = start(Options::default());
    let cases = [
        "POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: m\r\nContent-Length: +1\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: m\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "POST / HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
        "GET / HTTP/1.1\r\n\r\n",
    ];
    for request in cases {
        let mut client = connect(&mock);
        client.write_all(request.as_bytes()).unwrap();
        let (head, _) = answer(&mut client).unwrap();
        assert!(head.starts_with("HTTP/1.1 400"), "{request}: {head}");
        assert!(!matches!(client.read(&mut [0]), Ok(1..)), "{request}: still open");
    }
}

#[test]
fn a_client_that_leaves_mid_stream_is_counted_before_the_next_token() {
    let mock = start(Options { delay_per_token: Duration::from_secs(60), tls: None, ..Options::default() });
    let mut client = connect(&mock);
    client.write_all(post("/v1/chat/completions", &chat("m", true), "").as_bytes()).unwrap();
    until(&mut client, b"\n\n").unwrap();
    drop(client);
    eventually("the stream ends long before its token is due", || mock.aborted_streams() == 1);
    eventually("and so does the connection", || mock.connections() == 0);
}

#[test]
fn a_client_that_leaves_before_the_first_byte_is_counted() {
    let mock = start(Options::default());
    let mut client = connect(&mock);
    let request = post("/v1/chat/completions", &chat("m", true), "x-mock-first-byte-ms: 60000\r\n");
    client.write_all(request.as_bytes()).unwrap();
    eventually("the request arrives", || mock.requests() == 1);
    drop(client);
    eventually("the wait ends early", || mock.aborted_streams() == 1);
}

#[test]
fn the_delay_header_overrides_the_delay() {
    let mock = start(Options { delay_per_token: Duration::from_secs(60), tls: None, ..Options::default() });
    let mut client = connect(&mock);
    client
        .write_all(post("/v1/chat/completions", &chat("tokens-5", true), "x-mock-delay-ms: 20\r\n").as_bytes())
        .unwrap();
    let begin = clock::now();
    answer(&mut client).unwrap();
    assert!((Duration::from_millis(100)..SOON).contains(&begin.elapsed()));
}

#[test]
fn cut_answers_never_look_complete() {
    let mock = start(Options::default());
    for (model, stream) in [("cut-stream", true), ("cut-stream", false), ("reset-stream", true)] {
        let mut client = connect(&mock);
        client.write_all(post("/v1/chat/completions", &chat(model, stream), "").as_bytes()).unwrap();
        let cut = answer(&mut client).unwrap_err().kind();
        let expected =
            if model == "cut-stream" { io::ErrorKind::UnexpectedEof } else { io::ErrorKind::ConnectionReset };
        assert_eq!(cut, expected, "{model} {stream}");
    }
    assert_eq!(mock.aborted_streams(), 0, "these were the mock's own doing");
}

#[test]
fn stopping_closes_the_port() {
    let mock = start(Options::default());
    let address = mock.address;
    drop(mock);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn tls_serves_the_same_and_a_cut_has_no_close_notify() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let server = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key);
    let mock =
        start(Options { delay_per_token: Duration::ZERO, tls: Some(Arc::new(server.unwrap())), ..Options::default() });
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
    let open = || {
        let name = ServerName::try_from("localhost").unwrap();
        StreamOwned::new(ClientConnection::new(Arc::clone(&config), name).unwrap(), connect(&mock))
    };
    let mut client = open();
    for stream in [false, true] {
        client.write_all(post("/v1/chat/completions", &chat("m", stream), "").as_bytes()).unwrap();
        let (head, body) = answer(&mut client).unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(String::from_utf8(body).unwrap().contains("You"));
    }
    client.write_all(post("/v1/chat/completions", &chat("cut-stream", true), "").as_bytes()).unwrap();
    assert_eq!(answer(&mut client).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    assert!(client.conn.process_new_packets().is_ok_and(|state| !state.peer_has_closed()));
}
