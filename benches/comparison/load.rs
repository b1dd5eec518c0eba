//! The load: many keep-alive connections in a closed loop, or many streams held open, driven by one thread that waits on
//! all of them at once. One thread, because a thread each would disturb what is measured more than the proxy itself does.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use memchr::memmem::Finder;
use rustls::ClientConfig;

use penaxtra_gateway::clock;

use super::link::Link;
use super::message;
use super::ready::Ready;

/// With nothing to read for this long the measurement fails: a proxy that stands still is no figure.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// Keep-alive connections, each with one request under way; the next is sent when its answer is complete.
pub(crate) struct Load {
    links: Vec<Link>,
    ready: Ready,
    request: Vec<u8>,
    started: bool,
}

impl Load {
    /// Connects all; sends nothing yet.
    pub(crate) fn connect(
        address: SocketAddr,
        tls: Option<&Arc<ClientConfig>>,
        connections: usize,
        request: &[u8],
    ) -> io::Result<Self> {
        let ready = Ready::new()?;
        let mut links = Vec::with_capacity(connections);
        for index in 0..connections {
            let link = Link::connect(address, tls)?;
            link.set_nonblocking()?;
            ready.add(&link, index)?;
            links.push(link);
        }
        Ok(Self { links, ready, request: request.to_vec(), started: false })
    }

    /// Keeps every connection busy for `time`; the answers completed in it. Requests under way stay so for the next call.
    pub(crate) fn run(&mut self, time: Duration) -> io::Result<u64> {
        let end = clock::now() + time;
        if !self.started {
            for link in &mut self.links {
                link.write(&self.request)?;
            }
            self.started = true;
        }
        let mut answers = 0;
        let mut indexes = Vec::new();
        let mut heard = clock::now();
        loop {
            let now = clock::now();
            if now >= end {
                return Ok(answers);
            }
            self.ready.wait(Some(end - now), &mut indexes)?;
            if indexes.is_empty() {
                if clock::now() - heard > SILENCE_MAX {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                continue;
            }
            heard = now;
            for &index in &indexes {
                let Some(link) = self.links.get_mut(index) else { continue };
                link.read()?;
                if let Some(length) = message::answer_bytes(&link.input)? {
                    link.input.drain(..length);
                    answers += 1;
                    link.write(&self.request)?;
                }
            }
        }
    }
}

/// Streams that are open at the same time.
pub(crate) struct Streams {
    links: Vec<Link>,
    /// Events received, by stream.
    events: Vec<u64>,
    ready: Ready,
    indexes: Vec<usize>,
    finder: Finder<'static>,
}

impl Streams {
    pub(crate) fn new() -> io::Result<Self> {
        let finder = Finder::new(b"data: ");
        Ok(Self { links: Vec::new(), events: Vec::new(), ready: Ready::new()?, indexes: Vec::new(), finder })
    }

    /// Opens one more and waits for its first event, while the others go on.
    pub(crate) fn open(
        &mut self,
        address: SocketAddr,
        tls: Option<&Arc<ClientConfig>>,
        request: &[u8],
    ) -> io::Result<()> {
        let mut link = Link::connect(address, tls)?;
        link.set_nonblocking()?;
        link.write(request)?;
        self.ready.add(&link, self.links.len())?;
        self.links.push(link);
        self.events.push(0);
        let end = clock::now() + SILENCE_MAX;
        while self.events.last() == Some(&0) {
            self.turn(Duration::from_millis(100))?;
            if clock::now() > end {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        Ok(())
    }

    /// The events of the stream that has had the fewest.
    pub(crate) fn fewest(&self) -> u64 {
        self.events.iter().copied().min().unwrap_or_default()
    }

    /// Takes what arrives for `time`.
    pub(crate) fn run(&mut self, time: Duration) -> io::Result<()> {
        let end = clock::now() + time;
        loop {
            let now = clock::now();
            if now >= end {
                return Ok(());
            }
            self.turn(end - now)?;
        }
    }

    /// One wait of at most `timeout`, and what it brought.
    fn turn(&mut self, timeout: Duration) -> io::Result<()> {
        self.ready.wait(Some(timeout), &mut self.indexes)?;
        for &index in &self.indexes {
            let (Some(link), Some(events)) = (self.links.get_mut(index), self.events.get_mut(index)) else { continue };
            link.read()?;
            // An event cut by a read is not counted: the count only has to grow.
            *events += u64::try_from(self.finder.find_iter(&link.input).count()).unwrap_or_default();
            link.input.clear();
        }
        Ok(())
    }
}
