//! The scripted peer behind the gateway: it records every byte of every connection and answers what it is told to.
//!
//! Each connection has a thread. What arrives is read by the strict reader; bytes that it refuses are recorded as a
//! fault and the connection is closed: a gateway under test must never cause one.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustls::ServerConfig;

use super::strict::{self, End, Request};
use super::wire::{Received, Wire, holds};

/// What happens to the connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    Keep,
    /// `close_notify` on TLS, then FIN.
    Close,
    /// FIN alone.
    Truncate,
    Reset,
}

/// One connection as the upstream saw it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub bytes: Vec<u8>,
    pub requests: Vec<Request>,
    pub fault: Option<strict::Fault>,
    /// The gateway ended it, and how; not set where the script did.
    pub ended: Option<End>,
}

struct Record {
    connections: Mutex<Vec<Seen>>,
    changed: Condvar,
}

/// The script's hold on the connection while it answers.
pub struct Exchange<'a> {
    pub wire: &'a mut Wire,
    /// Index of the connection, from 0 in the order of accept.
    pub connection: usize,
    record: &'a Record,
}

impl Exchange<'_> {
    /// False where the gateway is gone.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.wire.send(bytes).is_ok()
    }

    /// An answer of status 200 with a Content-Length.
    pub fn ok(&mut self, body: &[u8]) -> After {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", body.len());
        self.send(&[head.as_bytes(), body].concat());
        After::Keep
    }

    /// The head of an event stream.
    pub fn stream(&mut self) {
        self.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    }

    /// One chunk of the chunked coding; false where the gateway is gone.
    pub fn chunk(&mut self, data: &[u8]) -> bool {
        self.send(&[format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat())
    }

    /// Waits for the gateway to end the connection; false where it did not in time.
    pub fn ended_within(&mut self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut piece = [0; 4096];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            match self.wire.receive(&mut piece, left) {
                Received::Bytes(count) => self.record.note(self.connection, |c| c.bytes.extend(&piece[..count])),
                Received::Ended(end) => {
                    self.record.note(self.connection, |c| c.ended = Some(end));
                    return true;
                }
                Received::Nothing => {}
            }
        }
    }
}

impl Record {
    fn note(&self, connection: usize, change: impl FnOnce(&mut Seen)) {
        change(&mut self.connections.lock().unwrap()[connection]);
        self.changed.notify_all();
    }
}

type Script = dyn Fn(&Request, &mut Exchange<'_>) -> After + Send + Sync;

pub struct Upstream {
    pub address: SocketAddr,
    pub tls: bool,
    record: Arc<Record>,
}

impl Upstream {
    /// Lives until the test process ends: its threads wait on sockets that close with the gateway.
    pub fn start(
        tls: Option<Arc<ServerConfig>>,
        script: impl Fn(&Request, &mut Exchange<'_>) -> After + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let record = Arc::new(Record { connections: Mutex::new(Vec::new()), changed: Condvar::new() });
        let upstream = Self { address, tls: tls.is_some(), record: Arc::clone(&record) };
        let script: Arc<Script> = Arc::new(script);
        thread::spawn(move || {
            for tcp in listener.incoming() {
                let Ok(tcp) = tcp else { return };
                let connection = {
                    let mut connections = record.connections.lock().unwrap();
                    connections.push(Seen::default());
                    connections.len() - 1
                };
                record.changed.notify_all();
                let (record, script, tls) = (Arc::clone(&record), Arc::clone(&script), tls.clone());
                thread::spawn(move || speak(Wire::accept(tcp, tls), connection, &record, &*script));
            }
        });
        upstream
    }

    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.address)
    }

    pub fn connections(&self) -> Vec<Seen> {
        self.record.connections.lock().unwrap().clone()
    }

    /// All requests of all connections.
    pub fn requests(&self) -> Vec<Request> {
        self.connections().into_iter().flat_map(|connection| connection.requests).collect()
    }

    pub fn requests_where(&self, condition: impl Fn(&Request) -> bool) -> Vec<Request> {
        let connections = self.record.connections.lock().unwrap();
        connections.iter().flat_map(|c| &c.requests).filter(|request| condition(request)).cloned().collect()
    }

    /// Whether the bytes arrived, anywhere.
    pub fn saw(&self, marker: &str) -> bool {
        self.record.connections.lock().unwrap().iter().any(|c| holds(&c.bytes, marker.as_bytes()))
    }

    /// Bytes that the strict reader refused.
    pub fn faults(&self) -> Vec<String> {
        let faulty = |c: Seen| c.fault.map(|fault| format!("{fault}: {:?}", String::from_utf8_lossy(&c.bytes)));
        self.connections().into_iter().filter_map(faulty).collect()
    }

    /// Waits until the record satisfies the condition.
    pub fn wait(&self, patience: Duration, condition: impl Fn(&[Seen]) -> bool) -> bool {
        let deadline = Instant::now() + patience;
        let mut connections = self.record.connections.lock().unwrap();
        while !condition(&connections) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            connections = self.record.changed.wait_timeout(connections, left).unwrap().0;
        }
        true
    }
}

fn speak(mut wire: Wire, connection: usize, record: &Record, script: &Script) {
    let mut inbox = Vec::new();
    let mut piece = vec![0; 256 * 1024];
    loop {
        match strict::request(&inbox) {
            Ok(Some((request, used))) => {
                inbox.drain(..used);
                record.note(connection, |c| c.requests.push(request.clone()));
                let mut exchange = Exchange { wire: &mut wire, connection, record };
                match script(&request, &mut exchange) {
                    After::Keep => {}
                    After::Close => return wire.finish(),
                    After::Truncate => return wire.truncate(),
                    After::Reset => return wire.reset(),
                }
            }
            Err(fault) => return record.note(connection, |c| c.fault = Some(fault)),
            Ok(None) => match wire.receive(&mut piece, Duration::from_secs(60)) {
                Received::Bytes(count) => {
                    inbox.extend_from_slice(&piece[..count]);
                    record.note(connection, |c| c.bytes.extend_from_slice(&piece[..count]));
                }
                Received::Ended(end) => return record.note(connection, |c| c.ended = Some(end)),
                Received::Nothing => return,
            },
        }
    }
}
