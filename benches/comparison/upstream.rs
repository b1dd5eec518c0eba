//! The upstreams of the comparison, in a child process of their own: the mock LLM, and a fixed answer that costs as little as
//! can be, so that the CPU beside the proxy's has room for the load. Both plain and TLS. It keeps nothing of a request.

use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use penaxtra_gateway::demo::server::MockLlm;
use penaxtra_gateway::demo::server::Options;
use penaxtra_gateway::net::descriptors;
use rustls::ServerConfig;

use super::authority::Files;
use super::link::Link;
use super::message;
use super::processes;
use super::processes::Process;
use super::ready::Ready;

/// The first argument by which the bench starts itself to be the upstreams: `--serve DIRECTORY`.
pub(crate) const SERVE: &str = "--serve";

/// Bytes of the body of the fixed answer.
const ANSWER_BODY_BYTES: usize = 400;

/// The numbers of the listeners among the watched sockets; connections have larger ones.
const PLAIN: usize = 0;
const TLS: usize = 1;

/// Which upstream a proxy stands before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// The answer of 400 bytes.
    Fixed,
    /// The mock LLM, one thread a connection.
    Mock,
}

/// The running child.
pub(crate) struct Upstream {
    /// Fixed plain, fixed TLS, mock plain, mock TLS.
    addresses: Vec<SocketAddr>,
    _process: Process,
}

impl Upstream {
    /// Starts it on `cpu` with the certificates in `directory`, and waits until it listens.
    pub(crate) fn start(directory: &Path, cpu: usize) -> io::Result<Self> {
        let mut command = processes::command(std::env::current_exe()?, cpu)?;
        command.arg(SERVE).arg(directory).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = Process(command.spawn()?);
        let mut line = String::new();
        if let Some(output) = process.0.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let addresses: Vec<SocketAddr> = line.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect();
        if addresses.len() == 4 {
            Ok(Self { addresses, _process: process })
        } else {
            Err(io::Error::other("the upstream did not start"))
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self, kind: Kind, tls: bool) -> io::Result<SocketAddr> {
        let index = if kind == Kind::Fixed { usize::from(tls) } else { 2 + usize::from(tls) };
        self.addresses.get(index).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// What the child does until it is killed.
pub(crate) fn serve(directory: &Path) -> io::Result<()> {
    descriptors::raise()?;
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Files::inside(directory).server()?;
    let mock = MockLlm::start(any_port, Options::default())?;
    let mock_tls = MockLlm::start(any_port, Options { tls: Some(Arc::clone(&server)), ..Options::default() })?;
    let mut fixed = Fixed::bind(server)?;
    let addresses = [fixed.plain.local_addr()?, fixed.tls.local_addr()?, mock.address, mock_tls.address];
    let words = addresses.map(|address| address.to_string());
    let mut output = io::stdout();
    writeln!(output, "{}", words.join(" "))?;
    output.flush()?;
    fixed.run()
}

/// The fixed upstream: one thread, all its connections.
struct Fixed {
    plain: TcpListener,
    tls: TcpListener,
    server: Arc<ServerConfig>,
    ready: Ready,
    /// By number, less the two of the listeners; none where the connection has ended.
    links: Vec<Option<Link>>,
    answer: Vec<u8>,
}

impl Fixed {
    fn bind(server: Arc<ServerConfig>) -> io::Result<Self> {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let (plain, tls) = (TcpListener::bind(any_port)?, TcpListener::bind(any_port)?);
        let ready = Ready::new()?;
        for (listener, index) in [(&plain, PLAIN), (&tls, TLS)] {
            // The standard library asks for a backlog of 128.
            rustix::net::listen(listener, 4096)?;
            listener.set_nonblocking(true)?;
            ready.add(listener, index)?;
        }
        let body = format!(r#"{{"id":"chatcmpl-0","object":"chat.completion","content":"{}"}}"#, "x".repeat(400));
        let body = format!("{}\"}}", body.get(..ANSWER_BODY_BYTES - 2).unwrap_or_default());
        let answer = format!(
            "HTTP/1.1 200 OK\r\ndate: Mon, 23 Nov 2026 08:00:00 GMT\r\ncontent-type: application/json\r\n\
             content-length: {ANSWER_BODY_BYTES}\r\nserver: fixed\r\nx-request-id: req_0123456789abcdef\r\n\r\n{body}",
        );
        Ok(Self { plain, tls, server, ready, links: Vec::new(), answer: answer.into_bytes() })
    }

    fn run(&mut self) -> io::Result<()> {
        let mut indexes = Vec::new();
        loop {
            self.ready.wait(None, &mut indexes)?;
            for &index in &indexes {
                match index {
                    PLAIN | TLS => self.accept(index == TLS),
                    _ => self.answer(index - 2),
                }
            }
        }
    }

    fn accept(&mut self, tls: bool) {
        let listener = if tls { &self.tls } else { &self.plain };
        let Ok((socket, _)) = listener.accept() else {
            // No descriptors left: without a pause the wait would return at once, again and again.
            thread::sleep(Duration::from_millis(1));
            return;
        };
        let Ok(link) = Link::accept(socket, tls.then_some(&self.server)) else { return };
        let free = self.links.iter().position(Option::is_none).unwrap_or_else(|| {
            self.links.push(None);
            self.links.len() - 1
        });
        if self.ready.add(&link, free + 2).is_ok()
            && let Some(place) = self.links.get_mut(free)
        {
            *place = Some(link);
        }
    }

    /// Answers what is complete; a connection that fails in any way ends.
    fn answer(&mut self, index: usize) {
        let Some(place) = self.links.get_mut(index) else { return };
        let Some(link) = place else { return };
        if let Err(error) = converse(link, &self.answer)
            && error.kind() != io::ErrorKind::WouldBlock
        {
            *place = None;
        }
    }
}

fn converse(link: &mut Link, answer: &[u8]) -> io::Result<()> {
    link.read()?;
    while let Some(length) = message::request_bytes(&link.input)? {
        link.input.drain(..length);
        link.write(answer)?;
    }
    Ok(())
}
