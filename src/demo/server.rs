//! Serves the mock LLM over plain HTTP/1.1 or TLS: one thread accepts, one small blocking thread per connection answers.
//! Blocking on purpose: it shares neither runtime nor codec with the gateway that it is tested against. It never logs
//! and keeps nothing of a request unless it is told to keep the last.
//!
//! `GET /mock/stats` tells the counters as JSON; it is not counted itself.

use std::io;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::StreamOwned;

use super::model;
use super::model::Answer;
use super::model::Ask;
use super::model::Ending;
use super::model::Stream;
use super::model::Whole;
use super::wire::Fault;
use super::wire::Request;
use super::wire::Socket;
use super::wire::Wire;

/// The most connections at a time: above the 10,000 streams that are measured. One more is closed at once.
const CONNECTIONS_MAX: u64 = 12_000;

/// The stack of a connection's thread: enough for a TLS handshake in a debug build. Only touched pages count.
const STACK_BYTES: usize = 256 * 1024;

/// How long a client may leave an answer unread before its connection is given up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(120);

/// After how many events a stream that is to be cut ends, in the middle of the next.
const EVENTS_BEFORE_CUT: usize = 8;

/// How long accepting pauses where the process has no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// How the mock behaves.
#[derive(Clone, Default)]
pub struct Options {
    /// The time before each token of a stream; `x-mock-delay-ms` overrides it for one request.
    pub delay_per_token: Duration,
    /// Given, the listener speaks TLS only.
    pub tls: Option<Arc<ServerConfig>>,
    /// Given, the body of the last request is put there: the demo shows what a model got to see.
    pub last_body: Option<Arc<ArcSwap<Vec<u8>>>>,
}

/// A running mock LLM. Dropping it stops accepting; connections that are open end when their clients close them.
pub struct MockLlm {
    /// Where it listens: the port is known even if 0 was asked for.
    pub address: SocketAddr,
    counters: Arc<Counters>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Counters {
    requests: AtomicU64,
    aborted_streams: AtomicU64,
    connections: AtomicU64,
    stopping: AtomicBool,
}

impl MockLlm {
    /// Listens on `listen` and answers from threads of its own. Fails where the address cannot be bound.
    pub fn start(listen: SocketAddr, options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        // The standard library asks for a backlog of 128: a burst of clients would wait out SYN retries.
        rustix::net::listen(&listener, 4096)?;
        let counters = Arc::new(Counters::default());
        let shared = Arc::clone(&counters);
        let acceptor = thread::Builder::new().name("mock-accept".to_owned()).spawn(move || {
            accept(&listener, &options, &shared);
        })?;
        Ok(Self { address, counters, acceptor: Some(acceptor) })
    }

    /// Requests answered or begun to be answered so far, refusals included.
    pub fn requests(&self) -> u64 {
        self.counters.requests.load(Ordering::Relaxed)
    }

    /// Streams whose client went away before the end.
    pub fn aborted_streams(&self) -> u64 {
        self.counters.aborted_streams.load(Ordering::Relaxed)
    }

    /// Connections open now.
    pub fn connections(&self) -> u64 {
        self.counters.connections.load(Ordering::Relaxed)
    }
}

impl Drop for MockLlm {
    fn drop(&mut self) {
        self.counters.stopping.store(true, Ordering::Release);
        // A connection of our own wakes the acceptor; where it fails, the acceptor ends with the process.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken) {
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, options: &Options, counters: &Arc<Counters>) {
    loop {
        let accepted = listener.accept();
        if counters.stopping.load(Ordering::Acquire) {
            return;
        }
        let Ok((stream, _)) = accepted else {
            thread::sleep(ACCEPT_PAUSE);
            continue;
        };
        let place = Place::take(counters);
        if counters.connections.load(Ordering::Relaxed) > CONNECTIONS_MAX {
            continue;
        }
        let options = options.clone();
        // Where no thread can be had, the closure is dropped, and with it the connection.
        let _ = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || serve(stream, &options, &place.0));
    }
}

/// A counted connection.
struct Place(Arc<Counters>);

impl Place {
    fn take(counters: &Arc<Counters>) -> Self {
        counters.connections.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counters))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One connection, request after request.
fn serve(stream: TcpStream, options: &Options, counters: &Counters) {
    let prepared = stream.set_nodelay(true).and_then(|()| stream.set_write_timeout(Some(WRITE_TIMEOUT)));
    let socket = match &options.tls {
        None => Socket::Plain(stream),
        Some(config) => match ServerConnection::new(Arc::clone(config)) {
            Ok(connection) => Socket::Tls(Box::new(StreamOwned::new(connection, stream))),
            Err(_) => return,
        },
    };
    let mut wire = Wire::new(socket);
    if prepared.is_ok() && converse(&mut wire, options, counters).is_ok() {
        wire.socket.goodbye();
    }
}

/// Request after request; an error where the connection is not to be closed politely.
fn converse(wire: &mut Wire<Socket>, options: &Options, counters: &Counters) -> io::Result<()> {
    loop {
        match wire.request() {
            Ok(request) => {
                exchange(&mut wire.socket, &request, options, counters)?;
                if !request.keep_alive {
                    return Ok(());
                }
            }
            Err(Fault::Gone) => return Ok(()),
            Err(Fault::Refuse(status)) => {
                counters.requests.fetch_add(1, Ordering::Relaxed);
                let whole = Whole { status, retry_after: None, body: UNREADABLE.to_owned(), ending: Ending::Finish };
                return send(&mut wire.socket, &whole, false);
            }
        }
    }
}

/// One request's answer. An error ends the connection.
fn exchange(socket: &mut Socket, request: &Request, options: &Options, counters: &Counters) -> io::Result<()> {
    if request.target == "/mock/stats" {
        return send(socket, &stats(counters), request.keep_alive);
    }
    counters.requests.fetch_add(1, Ordering::Relaxed);
    if let Some(last) = &options.last_body {
        last.store(Arc::new(request.body.clone()));
    }
    let ask =
        Ask { method: &request.method, target: &request.target, anthropic: request.anthropic, body: &request.body };
    let answer = model::answer(&ask);
    let stayed = socket.wait(request.first_byte);
    match answer {
        Answer::Whole(whole) => send(socket, &whole, request.keep_alive),
        Answer::Stream(stream) => {
            let delay = request.delay.unwrap_or(options.delay_per_token);
            let ending = stream.ending;
            let told = if stayed { tell(socket, stream, delay, request.keep_alive) } else { Err(gone()) };
            if told.is_err() && ending == Ending::Finish {
                counters.aborted_streams.fetch_add(1, Ordering::Relaxed);
            }
            told
        }
    }
}

fn stats(counters: &Counters) -> Whole {
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let body = format!(
        r#"{{"requests":{},"aborted_streams":{},"connections":{}}}"#,
        load(&counters.requests),
        load(&counters.aborted_streams),
        load(&counters.connections),
    );
    Whole { status: 200, retry_after: None, body, ending: Ending::Finish }
}

/// Writes a whole answer in one piece.
fn send(socket: &mut Socket, whole: &Whole, keep_alive: bool) -> io::Result<()> {
    let retry = whole.retry_after.map_or_else(String::new, |seconds| format!("retry-after: {seconds}\r\n"));
    let mut message = format!(
        "HTTP/1.1 {} {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{retry}{FIELDS}{}\r\n",
        whole.status,
        reason(whole.status),
        whole.body.len(),
        connection(keep_alive),
    )
    .into_bytes();
    let sent = if whole.ending == Ending::Finish { whole.body.len() } else { whole.body.len() / 2 };
    message.extend(whole.body.bytes().take(sent));
    socket.write_all(&message)?;
    socket.flush()?;
    finish(socket, whole.ending)
}

/// Writes a stream: the head, then each event in its own chunk by its own write.
fn tell(socket: &mut Socket, stream: Stream, delay: Duration, keep_alive: bool) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n\
         transfer-encoding: chunked\r\n{FIELDS}{}\r\n",
        connection(keep_alive),
    );
    socket.write_all(head.as_bytes())?;
    socket.flush()?;
    for (index, event) in stream.events.enumerate() {
        if event.token && !socket.wait(delay) {
            return Err(gone());
        }
        let chunk = format!("{:x}\r\n{}\r\n", event.text.len(), event.text);
        if index == EVENTS_BEFORE_CUT && stream.ending != Ending::Finish {
            socket.write_all(chunk.as_bytes().get(..chunk.len() / 2).unwrap_or_default())?;
            socket.flush()?;
            return finish(socket, stream.ending);
        }
        socket.write_all(chunk.as_bytes())?;
        socket.flush()?;
    }
    socket.write_all(b"0\r\n\r\n")?;
    socket.flush()?;
    finish(socket, stream.ending)
}

/// Leaves the connection open, or ends it as the answer wants.
fn finish(socket: &Socket, ending: Ending) -> io::Result<()> {
    if ending == Ending::Finish {
        return Ok(());
    }
    socket.cut(ending == Ending::Reset);
    Err(gone())
}

fn gone() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

/// Fields of every answer, as providers send them for tracing; fixed, since answers are deterministic.
const FIELDS: &str = "server: mock-llm\r\nx-request-id: req_mock\r\nrequest-id: req_011CMockMockMockMockMock\r\n";

/// The body of a refusal by the reader.
const UNREADABLE: &str = r#"{"error":{"message":"The mock cannot read this request.","type":"invalid_request_error","param":null,"code":null}}"#;

fn connection(keep_alive: bool) -> &'static str {
    if keep_alive { "" } else { "connection: close\r\n" }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Unknown",
    }
}
