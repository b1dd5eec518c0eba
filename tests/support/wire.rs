//! Raw connections, plain or TLS, on either side of the gateway, and a client that reads answers strictly.
//!
//! Everything blocks and everything has a time limit. A `Client` never repairs what it reads: a cut answer stays
//! cut, and it can tell a clean end from a truncation and from a reset. It never half-closes on its own: to the
//! gateway that may mean a client that is gone.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, StreamOwned};

use super::strict::{self, End, Response};

/// Long enough for a debug build on a busy machine; only failures wait for it.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub enum Wire {
    Plain(TcpStream),
    Client(Box<StreamOwned<ClientConnection, TcpStream>>),
    Server(Box<StreamOwned<ServerConnection, TcpStream>>),
}

/// What one read brought.
#[derive(Debug)]
pub enum Received {
    Bytes(usize),
    Ended(End),
    /// The time was up.
    Nothing,
}

impl Wire {
    pub fn plain(tcp: TcpStream) -> Self {
        prepare(&tcp);
        Self::Plain(tcp)
    }

    pub fn accept(tcp: TcpStream, config: Option<Arc<ServerConfig>>) -> Self {
        let Some(config) = config else { return Self::plain(tcp) };
        prepare(&tcp);
        Self::Server(Box::new(StreamOwned::new(ServerConnection::new(config).unwrap(), tcp)))
    }

    pub fn connect(address: SocketAddr, config: Option<Arc<ClientConfig>>) -> Self {
        Self::connect_as(address, config, "localhost")
    }

    /// A TLS client looks for the server by this name.
    pub fn connect_as(address: SocketAddr, config: Option<Arc<ClientConfig>>, name: &str) -> Self {
        Self::client(TcpStream::connect_timeout(&address, PATIENCE).expect("the gateway accepts"), config, name)
    }

    pub fn client(tcp: TcpStream, config: Option<Arc<ClientConfig>>, name: &str) -> Self {
        let Some(config) = config else { return Self::plain(tcp) };
        prepare(&tcp);
        let name = ServerName::try_from(name.to_owned()).unwrap();
        Self::Client(Box::new(StreamOwned::new(ClientConnection::new(config, name).unwrap(), tcp)))
    }

    pub fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Client(tls) => &tls.sock,
            Self::Server(tls) => &tls.sock,
        }
    }

    /// The client's TLS session, where there is one.
    pub fn session(&mut self) -> &mut ClientConnection {
        let Self::Client(tls) = self else { panic!("not a TLS client") };
        &mut tls.conn
    }

    pub fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.write_all(bytes),
            Self::Client(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
            Self::Server(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
        }
    }

    pub fn receive(&mut self, into: &mut [u8], patience: Duration) -> Received {
        let floor = Duration::from_millis(1);
        self.tcp().set_read_timeout(Some(patience.max(floor))).unwrap();
        let result = match self {
            Self::Plain(tcp) => tcp.read(into),
            Self::Client(tls) => tls.read(into),
            Self::Server(tls) => tls.read(into),
        };
        match result {
            Ok(0) => Received::Ended(End::Clean),
            Ok(count) => Received::Bytes(count),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Received::Nothing,
                ErrorKind::UnexpectedEof => Received::Ended(End::Truncated),
                _ => Received::Ended(End::Reset),
            },
        }
    }

    /// The orderly end: `close_notify` on TLS, then FIN.
    pub fn finish(&mut self) {
        match self {
            Self::Plain(_) => {}
            Self::Client(tls) => {
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
            Self::Server(tls) => {
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        }
        let _ = self.tcp().shutdown(Shutdown::Write);
    }

    /// FIN and nothing before it: on TLS this is a truncation.
    pub fn truncate(&mut self) {
        let _ = self.tcp().shutdown(Shutdown::Write);
    }

    pub fn reset(self) {
        let _ = rustix::net::sockopt::set_socket_linger(self.tcp(), Some(Duration::ZERO));
    }

    /// How much the kernel takes for us: little, so that back-pressure shows soon; much, to make up for it. Bytes.
    pub fn bound_receive_buffer(&self, bytes: usize) {
        rustix::net::sockopt::set_socket_recv_buffer_size(self.tcp(), bytes).unwrap();
    }
}

/// One final answer with what preceded it.
#[derive(Debug)]
pub struct Answer {
    /// The statuses of the 1xx answers before it.
    pub interim: Vec<u16>,
    pub status: u16,
    pub fields: strict::Fields,
    pub body: Vec<u8>,
    pub framing: strict::Framing,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("the body is no JSON: {:?}", self.text()))
    }
}

/// Why there is no complete answer.
#[derive(Debug)]
pub enum Lack {
    /// The connection ended first; what had arrived.
    Cut(End, Vec<u8>),
    /// The time was up first; what had arrived.
    Late(Vec<u8>),
    /// The bytes are no HTTP.
    Malformed(strict::Fault, Vec<u8>),
}

pub struct Client {
    pub wire: Wire,
    pub inbox: Vec<u8>,
    pub ended: Option<End>,
}

impl Client {
    pub fn new(wire: Wire) -> Self {
        Self { wire, inbox: Vec::new(), ended: None }
    }

    pub fn send(&mut self, bytes: &[u8]) -> &mut Self {
        self.wire.send(bytes).expect("the gateway reads");
        self
    }

    /// Sends what the gateway may well refuse before it has read all of it.
    pub fn try_send(&mut self, bytes: &[u8]) {
        let _ = self.wire.send(bytes);
    }

    pub fn get(&mut self, target: &str) -> Answer {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: a.test\r\n\r\n").as_bytes()).answer()
    }

    pub fn post(&mut self, target: &str, body: &[u8]) -> Answer {
        self.send(&post(target, body)).answer()
    }

    /// The next complete final answer.
    pub fn answer(&mut self) -> Answer {
        self.try_answer(false, PATIENCE).unwrap_or_else(|lack| panic!("no complete answer: {}", show(&lack)))
    }

    pub fn try_answer(&mut self, to_head: bool, patience: Duration) -> Result<Answer, Lack> {
        let mut interim = Vec::new();
        let deadline = Instant::now() + patience;
        loop {
            match strict::response(&self.inbox, to_head, self.ended) {
                Err(fault) => return Err(Lack::Malformed(fault, self.inbox.clone())),
                Ok(Some((found, used))) => {
                    self.inbox.drain(..used);
                    if found.status >= 200 {
                        let Response { status, fields, body, framing, .. } = found;
                        return Ok(Answer { interim, status, fields, body, framing });
                    }
                    interim.push(found.status);
                }
                Ok(None) => {
                    if let Some(end) = self.ended {
                        return Err(Lack::Cut(end, self.inbox.clone()));
                    }
                    if !self.fill(deadline) {
                        return Err(Lack::Late(self.inbox.clone()));
                    }
                }
            }
        }
    }

    /// Reads once; false where the time was up.
    pub fn fill(&mut self, deadline: Instant) -> bool {
        let mut piece = vec![0; 256 * 1024];
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        match self.wire.receive(&mut piece, left) {
            Received::Bytes(count) => self.inbox.extend_from_slice(&piece[..count]),
            Received::Ended(end) => self.ended = Some(end),
            Received::Nothing => return false,
        }
        true
    }

    /// Waits until the bytes so far hold the text.
    pub fn wait_for(&mut self, text: &[u8], patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while !holds(&self.inbox, text) {
            if self.ended.is_some() || !self.fill(deadline) {
                return false;
            }
        }
        true
    }

    /// How the gateway ended the connection; `None` where it did not.
    pub fn end(&mut self, patience: Duration) -> Option<End> {
        let deadline = Instant::now() + patience;
        while self.ended.is_none() && self.fill(deadline) {}
        self.ended
    }
}

fn prepare(tcp: &TcpStream) {
    tcp.set_nodelay(true).unwrap();
    tcp.set_write_timeout(Some(PATIENCE)).unwrap();
    // A handshake reads inside of a write.
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
}

pub fn show(lack: &Lack) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(400)]).into_owned();
    match lack {
        Lack::Cut(end, bytes) => format!("cut ({end:?}) after {:?}", text(bytes)),
        Lack::Late(bytes) => format!("time is up after {:?}", text(bytes)),
        Lack::Malformed(fault, bytes) => format!("malformed ({fault}): {:?}", text(bytes)),
    }
}

pub fn holds(bytes: &[u8], part: &[u8]) -> bool {
    part.is_empty() || bytes.windows(part.len()).any(|window| window == part)
}

/// A request with the body, which says what it is by how it begins: JSON where that can be, else text.
pub fn post(target: &str, body: &[u8]) -> Vec<u8> {
    post_as(if body.starts_with(b"{") { "application/json" } else { "text/plain" }, target, body)
}

/// The same with a body that the built-in policy lets through unread: for what is about moving bytes.
pub fn upload(target: &str, body: &[u8]) -> Vec<u8> {
    post_as("application/octet-stream", target, body)
}

fn post_as(kind: &str, target: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: a.test\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Bytes in the content coding `gzip`.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
