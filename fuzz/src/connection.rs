//! A whole gateway between one client and an upstream that records: bytes in, and whatever was forwarded is judged.
//!
//! ```text
//!   check ──bytes──► worker (epoll, no idle upstream connections) ──► upstream thread ──► records
//!         ◄─answers──                                             ◄── one fixed answer
//! ```
//! The strict reader reads the same bytes first, and so says what may be forwarded: each request that it reads, in order, one
//! to a connection, with the fields that may cross, and nothing else. Nothing that it refuses, nothing cut, and nothing that the
//! gateway has refused may reach the upstream; and a request is refused only if the gateway's parser refuses it alone.

use std::collections::BTreeSet;
use std::io;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use penaxtra_gateway::clock;
use penaxtra_gateway::config::Io;
use penaxtra_gateway::http::chunked::decode_pieces;
use penaxtra_gateway::http::coding::Coding;
use penaxtra_gateway::http::coding::Decoder;
use penaxtra_gateway::http::framing::Body;
use penaxtra_gateway::http::head::RequestHead;
use penaxtra_gateway::http::head::Scan;
use penaxtra_gateway::http::target::has_dot_segment;
use penaxtra_gateway::limits::Timeouts;
use penaxtra_gateway::net::listen;
use penaxtra_gateway::policy::Policy;
use penaxtra_gateway::policy::load::Trust;
use penaxtra_gateway::proxy::Settings;
use penaxtra_gateway::proxy::inspection::Inspector;
use penaxtra_gateway::proxy::inspection::Message;
use penaxtra_gateway::shared::Shared;
use penaxtra_gateway::shared::events;
use penaxtra_gateway::shared::lifecycle::Stage;
use penaxtra_gateway::upstream::route::Route;
use penaxtra_gateway::worker;
use penaxtra_gateway::worker::Door;
use penaxtra_gateway::worker::Plan;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::server::ResolvesServerCertUsingSni;

use super::strict;
use super::strict::End;
use super::strict::Fields;
use super::strict::Request;
use super::strict::Response;

/// Longest request body; small, so that an input can be over it.
const BODY_BYTES_MAX: usize = 1024;

/// How long anything may take on loopback before it counts as a hang. Far below every timeout of the gateway.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the upstream answers; the field tells its answers from the gateway's own.
const ANSWER: &str = "HTTP/1.1 200 OK\r\nx-upstream: 1\r\ncontent-length: 2\r\n\r\n";

/// What the harness itself sends to the upstream, to know that everything before it was recorded.
const BARRIER: &[u8] = b"barrier\n";

/// A running gateway and its upstream. It runs until the process ends.
pub struct Gateway {
    address: SocketAddr,
    upstream: SocketAddr,
    records: mpsc::Receiver<Vec<u8>>,
    shared: Arc<Shared>,
}

impl Gateway {
    /// Starts both on loopback ports of the kernel's choice.
    ///
    /// # Panics
    /// The machine has no loopback, or no threads.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let upstream = listener.local_addr().expect("a bound port");
        let (sender, records) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if sender.send(record(stream)).is_err() {
                    return;
                }
            }
        });
        let listeners = listen::bind(SocketAddr::from(([127, 0, 0, 1], 0)), 1).expect("a loopback port");
        let address = listeners[0].local_addr().expect("a bound port");
        let shared = Arc::new(Shared::new(1, clock::now(), clock::unix(), Arc::new(policy())));
        shared.policy.set_in_force(true);
        shared.addresses.publish(vec![upstream]);
        let doors = listeners.into_iter().map(|listener| Door { listener, plaintext: true }).collect();
        worker::start(vec![plan(doors, &shared)], Io::Epoll).expect("threads");
        shared.lifecycle.advance(Stage::Serving);
        Self { address, upstream, records, shared }
    }

    /// Sends `input` as a client would, cut where it says, and judges what reached the upstream and what came back. A `hasty`
    /// client ends its side at once, which may cut an exchange anywhere.
    ///
    /// # Panics
    /// Something was forwarded, or answered, that must not be; or the gateway hangs.
    pub fn check(&mut self, input: &[u8], hasty: bool) {
        let expected = Expected::of(input);
        let (answers, broken) = self.talk(input, (!hasty).then_some(&expected));
        self.await_idle();
        let records = self.records();
        let forwarded = judge_records(&records, &expected, hasty || broken);
        // A TLS client gets an alert: there is no certificate.
        let plain = input.first() != Some(&0x16);
        if plain && !hasty && !broken {
            judge_answers(&answers, &expected, &forwarded);
        }
        assert_eq!(self.shared.sum(|counters| counters.panics.value()), 0, "a task has panicked");
    }

    /// Writes in pieces and reads until the gateway ends the connection. `patient`: what to wait for before ending this side.
    /// Gives all bytes that came, and whether the connection was reset.
    fn talk(&self, input: &[u8], patient: Option<&Expected>) -> (Vec<u8>, bool) {
        let mut client = TcpStream::connect(self.address).expect("the gateway accepts");
        reset_on_drop(&client);
        client.set_nodelay(true).and_then(|()| client.set_read_timeout(Some(PATIENCE))).expect("an open socket");
        let seed = seed(input);
        let mut cuts = [seed, seed >> 8, seed >> 16].map(|at| usize::try_from(at).unwrap_or(0) % (input.len() + 1));
        cuts.sort_unstable();
        let mut broken = false;
        for (from, to) in [(0, cuts[0]), (cuts[0], cuts[1]), (cuts[1], cuts[2]), (cuts[2], input.len())] {
            broken = broken || client.write_all(&input[from..to]).is_err();
            thread::yield_now();
        }
        let mut answers = Vec::new();
        let mut buffer = [0; 4096];
        let mut open = true;
        loop {
            let all_are_there = |expected: &Expected| {
                expected.requests.is_empty() || self::answers(&answers, expected).len() >= expected.requests.len()
            };
            if open && patient.is_none_or(all_are_there) {
                open = false;
                let _ = client.shutdown(Shutdown::Write);
            }
            match client.read(&mut buffer) {
                Ok(0) => return (answers, broken),
                Ok(count) => answers.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return (answers, true),
                // libFuzzer's alarm.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => panic!("the gateway hangs: {error}"),
            }
        }
    }

    /// Waits until the connection's task is gone.
    fn await_idle(&self) {
        let until = clock::now() + PATIENCE;
        while self.shared.sum(|counters| counters.connections_open.value()) != 0 {
            assert!(clock::now() < until, "a connection is left open");
            thread::yield_now();
        }
    }

    /// What reached the upstream, by connection. The gateway is idle: what it has sent stands before the barrier.
    fn records(&self) -> Vec<Vec<u8>> {
        let mut stream = TcpStream::connect(self.upstream).expect("the upstream accepts");
        stream.write_all(BARRIER).and_then(|()| stream.shutdown(Shutdown::Write)).expect("an open socket");
        let mut records = Vec::new();
        loop {
            match self.records.recv_timeout(PATIENCE) {
                Ok(record) if record == BARRIER => return records,
                Ok(record) if record.is_empty() => {}
                Ok(record) => records.push(record),
                Err(error) => panic!("the upstream hangs: {error}"),
            }
        }
    }
}

fn plan(doors: Vec<Door>, shared: &Arc<Shared>) -> Plan {
    let timeouts = Timeouts {
        head: Duration::from_secs(60),
        body: Duration::from_secs(60),
        tls: Duration::from_secs(60),
        connect: Duration::from_secs(60),
        first_byte: Duration::from_secs(60),
        idle: Duration::from_secs(60),
        total: Duration::from_secs(60),
        keep_alive: Duration::from_secs(60),
        pool_idle: Duration::from_secs(60),
        drain_delay: Duration::ZERO,
        drain: Duration::ZERO,
    };
    let settings = Settings {
        timeouts,
        body_bytes_max: BODY_BYTES_MAX,
        answer_bytes_max: BODY_BYTES_MAX,
        via: true,
        forwarded: true,
    };
    let server = ServerConfig::builder().with_no_client_auth();
    let client = ClientConfig::builder().with_root_certificates(RootCertStore::empty());
    Plan {
        index: 0,
        cpu: None,
        doors,
        settings,
        route: Route { authority: "upstream.example".to_owned(), prefix: "/prefix".to_owned(), server_name: None },
        // No certificate: a TLS handshake fails here.
        server_tls: Arc::new(server.with_cert_resolver(Arc::new(ResolvesServerCertUsingSni::new()))),
        client_tls: Arc::new(client.with_no_client_auth()),
        shared: Arc::clone(shared),
        connections_max: 16,
        memory_bytes_max: 64 << 20,
        pool_connections_max: 0,
        seed: 7,
        events: events::ring().0,
        path_key: [7; 32],
    }
}

/// A policy without rules: bodies are read, and forwarded as they are.
fn policy() -> Policy {
    let trust = Trust { keys: &[], tenant: None, allow_unsigned: true };
    Policy::load(b"version = 1\ntenant = \"fuzz\"\n", &trust, None).expect("a valid policy")
}

/// Bits that are the same for the same input.
fn seed(input: &[u8]) -> u64 {
    let mix = |sum: u64, &byte: &u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    input.iter().fold(0xcbf2_9ce4_8422_2325, mix)
}

/// Closes without TIME_WAIT: thousands of connections a second would use up all ports.
fn reset_on_drop(stream: &TcpStream) {
    rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO)).expect("an open socket");
}

/// All bytes of one connection to the upstream, answered once there is a request.
fn record(mut stream: TcpStream) -> Vec<u8> {
    reset_on_drop(&stream);
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let _ = stream.set_nodelay(true);
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let mut answered = false;
    loop {
        let count = match stream.read(&mut buffer) {
            Ok(count @ 1..) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Ok(_) | Err(_) => return bytes,
        };
        bytes.extend_from_slice(&buffer[..count]);
        if !answered && let Ok(Some((request, _))) = strict::request(&bytes) {
            answered = true;
            let body = if request.method == "HEAD" { "" } else { "ok" };
            let _ = stream.write_all(format!("{ANSWER}{body}").as_bytes());
        }
    }
}

/// What the strict reader says of the client's bytes.
struct Expected {
    /// Whole requests, in order.
    requests: Vec<Request>,
    /// The bytes of each, as they were sent.
    sent: Vec<Vec<u8>>,
    /// What follows them is refused by the strict reader alone (`differential` says why), or is answered in any case.
    open: bool,
}

impl Expected {
    fn of(input: &[u8]) -> Self {
        let mut expected = Self { requests: Vec::new(), sent: Vec::new(), open: false };
        let mut rest = input;
        loop {
            match strict::request(rest) {
                Ok(Some((request, length))) => {
                    expected.requests.push(request);
                    expected.sent.push(rest[..length].to_vec());
                    rest = &rest[length..];
                }
                Ok(None) => return expected,
                Err(fault) => {
                    expected.open = matches!(fault, "Host disagrees with the target" | "Host is malformed");
                    return expected;
                }
            }
        }
    }

    /// Whether the gateway refuses the request by its own rules, wherever it stands: stricter is allowed, out of step is not.
    fn is_refused_by_framing(&self, index: usize) -> bool {
        let (request, bytes) = (&self.requests[index], &self.sent[index]);
        let Ok(Some(found)) = Scan::default().find(bytes) else { return true };
        match RequestHead::parse(&bytes[found.skip..found.end]).map(|head| head.body) {
            Ok(Body::Chunked) if decode_pieces([&bytes[found.end..]]).is_err() => true,
            // The gateway has a prefix here, which no path may leave.
            Ok(_) => request.body.len() > BODY_BYTES_MAX || has_dot_segment(path(request).as_bytes()),
            Err(_) => true,
        }
    }

    /// Whether the request is well-formed, and refused for its body alone: the connection goes on.
    fn is_refused_by_inspection(&self, index: usize) -> bool {
        let (request, bytes) = (&self.requests[index], &self.sent[index]);
        if self.is_refused_by_framing(index) || is_probe(request) {
            return false;
        }
        let Ok(Some(found)) = Scan::default().find(bytes) else { return false };
        let bytes = &bytes[found.skip..found.end];
        let Ok(head) = RequestHead::parse(bytes) else { return false };
        let Some(body) = decoded(request) else { return true };
        Inspector::default().inspect(&policy(), &Message { head: &head, bytes, body: &body }).is_err()
    }

    /// Whether the connection ends with the answer to this request.
    fn is_last_wish(&self, index: usize) -> bool {
        let request = &self.requests[index];
        let options = request.fields.all("connection").join(&b","[..]);
        let mut options = options.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        request.minor == 0 || options.any(|option| option.eq_ignore_ascii_case(b"close"))
    }
}

/// Final answers at the front of `bytes`, with the method that each answers as far as it is known.
fn answers(bytes: &[u8], expected: &Expected) -> Vec<Response> {
    let (mut found, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let to_head = expected.requests.get(found.len()).is_some_and(|request| request.method == "HEAD");
        match strict::response(rest, to_head, Some(End::Clean)) {
            Ok(Some((answer, length))) => {
                rest = &rest[length..];
                if answer.status >= 200 {
                    found.push(answer);
                }
            }
            // The answer to a HEAD that the strict reader has not read.
            Ok(None) if found.len() >= expected.requests.len() => {
                let Ok(Some((answer, length))) = strict::response(rest, true, Some(End::Clean)) else { return found };
                rest = &rest[length..];
                found.push(answer);
            }
            Ok(None) => return found,
            Err(fault) => panic!("the gateway's answer is not valid: {fault}"),
        }
    }
    found
}

/// Every record is one request, the next of those that were sent. `cut`: the client may have vanished in the middle.
fn judge_records(records: &[Vec<u8>], expected: &Expected, cut: bool) -> Vec<Request> {
    let forwarded_at_best =
        |index: &usize| !is_probe(&expected.requests[*index]) && !expected.is_refused_by_inspection(*index);
    let mut sent = (0..expected.requests.len()).filter(forwarded_at_best).map(|index| &expected.requests[index]);
    let mut forwarded = Vec::new();
    for record in records {
        match strict::request(record) {
            Err(fault) => panic!("forwarded, and refused by the strict reader: {fault}"),
            Ok(None) => assert!(cut, "half a request was forwarded"),
            Ok(Some((request, length))) => {
                assert_eq!(length, record.len(), "more than one request was forwarded");
                // A request that is refused for its framing ends the connection, so none of those is skipped between two.
                match sent.next() {
                    Some(sent) => compare(sent, &request),
                    None => assert!(expected.open, "something was forwarded that was never sent"),
                }
                forwarded.push(request);
            }
        }
    }
    forwarded
}

/// Each request has one answer, the upstream's if and only if the request was forwarded; a refusal is the last.
fn judge_answers(bytes: &[u8], expected: &Expected, forwarded: &[Request]) {
    let answers = answers(bytes, expected);
    let from_upstream = answers.iter().filter(|answer| answer.fields.has("x-upstream")).count();
    if !expected.open {
        assert_eq!(from_upstream, forwarded.len(), "forwarded and not answered, or refused and forwarded");
        assert!(answers.len() <= expected.requests.len() + 1, "more answers than requests");
    }
    for (index, answer) in answers.iter().enumerate() {
        assert!(answer.fields.one("x-request-id").is_some(), "an answer has one request id");
        let is_last = index + 1 == answers.len();
        let request = expected.requests.get(index);
        match answer.status {
            200 if answer.fields.has("x-upstream") => {}
            200 => assert!(request.is_none_or(is_probe), "an answer from nowhere"),
            400 | 413 | 415 if request.is_some() && expected.is_refused_by_inspection(index) => {}
            400..=499 | 501 | 505 => {
                assert!(is_last, "the connection goes on after a refusal");
                assert!(
                    request.is_none() || expected.is_refused_by_framing(index),
                    "a good request is refused out of step"
                );
            }
            status => panic!("a healthy gateway has answered {status}"),
        }
    }
    if answers.len() < expected.requests.len() {
        let last = answers.len().checked_sub(1).expect("the first request has an answer");
        assert!(answers[last].status >= 400 || expected.is_last_wish(last), "a request has no answer");
    }
}

/// Whether the gateway answers it itself.
fn is_probe(request: &Request) -> bool {
    let path = path(request);
    let path = path.split('?').next().unwrap_or_default();
    matches!(request.method.as_str(), "GET" | "HEAD") && matches!(path, "/livez" | "/readyz" | "/healthz")
}

/// The path and query of a target of any form.
fn path(request: &Request) -> String {
    let Some((_, rest)) = request.target.split_once("://").filter(|_| !request.target.starts_with('/')) else {
        return request.target.clone();
    };
    let path = rest.find(['/', '?']).map_or("", |at| &rest[at..]);
    match path.chars().next() {
        None if request.method == "OPTIONS" => "*".to_owned(),
        Some('/') => path.to_owned(),
        _ => format!("/{path}"),
    }
}

/// The body without its content coding; none where it is refused for it.
fn decoded(request: &Request) -> Option<Vec<u8>> {
    let coding = Coding::of(request.fields.all("content-encoding")).ok()?;
    if coding == Coding::Identity || request.body.is_empty() {
        return Some(request.body.clone());
    }
    let mut decoder = Decoder::new(coding, request.body.len(), BODY_BYTES_MAX);
    let (mut rest, mut body, mut step) = (request.body.as_slice(), Vec::new(), [0; 1024]);
    loop {
        let moved = decoder.decode(rest, &mut step).ok()?;
        body.extend_from_slice(&step[..moved.written]);
        rest = &rest[moved.read..];
        if moved.is_idle() {
            return decoder.finish().ok().map(|()| body);
        }
    }
}

/// What was forwarded is what was sent, less what may not cross, and with what the gateway adds.
fn compare(sent: &Request, forwarded: &Request) {
    assert_eq!(forwarded.method, sent.method);
    assert!(sent.body.len() <= BODY_BYTES_MAX, "a body over its bound was forwarded");
    let path = path(sent);
    assert_eq!(forwarded.target, if path == "*" { path } else { format!("/prefix{path}") });
    assert_eq!(forwarded.minor, 1);
    assert!(Some(&forwarded.body) == decoded(sent).as_ref(), "the body is another");
    assert!(forwarded.trailers.0.is_empty(), "a trailer has crossed");
    assert_eq!(forwarded.fields.one("host").as_deref(), Some("upstream.example"));
    assert!(forwarded.fields.one("x-request-id").is_some(), "a forwarded request has one id");
    let has_body = sent.fields.has("content-length") || sent.fields.has("transfer-encoding");
    let length = has_body.then(|| forwarded.body.len().to_string());
    assert_eq!(forwarded.fields.one("content-length"), length);
    let ours = |(name, _): &&(String, Vec<u8>)| {
        !["host", "x-request-id", "content-length", "content-encoding"].iter().any(|our| name.eq_ignore_ascii_case(our))
    };
    let recoded = forwarded.body != sent.body;
    assert!(!forwarded.fields.has("content-encoding"), "a content coding that was taken off is named");
    let mut arrived = forwarded.fields.0.iter().filter(ours);
    let is_digest = |name: &str| {
        ["content-digest", "repr-digest", "digest", "content-md5"]
            .iter()
            .any(|digest| name.eq_ignore_ascii_case(digest))
    };
    for field in crossing(&sent.fields).filter(ours).filter(|(name, _)| !(recoded && is_digest(name))) {
        assert_eq!(arrived.next(), Some(field));
    }
    let added: Vec<&str> = arrived.map(|(name, _)| name.as_str()).collect();
    assert_eq!(added, ["via", "forwarded"], "what the gateway adds");
}

/// The fields that may cross (RFC 9110 section 7.6.1).
fn crossing(fields: &Fields) -> impl Iterator<Item = &(String, Vec<u8>)> {
    let mut dropped = BTreeSet::new();
    for value in fields.all("connection") {
        let text = String::from_utf8_lossy(value).to_ascii_lowercase();
        dropped.extend(text.split(',').map(|option| option.trim().to_owned()));
    }
    // As options these are no names of fields.
    dropped.remove("close");
    dropped.remove("keep-alive");
    for name in
        ["connection", "expect", "http2-settings", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"]
    {
        dropped.insert(name.to_owned());
    }
    for name in ["proxy-authenticate", "proxy-authorization", "proxy-connection"] {
        dropped.insert(name.to_owned());
    }
    fields.0.iter().filter(move |(name, _)| !dropped.contains(&name.to_ascii_lowercase()))
}
