//! A connection that is plain or TLS, with the bytes that came in on it: what the HTTP rooms of both sides read and write.
//!
//! Received bytes are appended to `received` and consumed there by whoever parses them; what is not consumed waits, so bytes
//! that a client sent ahead are never lost. Reading is cancel-safe. Writing is not: after a write that failed or was dropped
//! every later write fails, while what the peer has sent can still be read. An end without `close_notify` on TLS is an error, never an end.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::task::ready;

use monoio::net::TcpStream;
use rustls::ClientConfig;
use rustls::ServerConfig;
use rustls::pki_types::ServerName;

use crate::error::Kind;
use crate::limits;

use super::buffer::Blocks;
use super::buffer::Buffer;
use super::socket::Socket;
use super::tls::Session;
use super::tls::TlsError;

/// Why a stream cannot be read or written any more.
#[derive(Debug)]
pub enum StreamError {
    /// The operating system says so: reset, timed out, no route.
    Io(io::Error),
    /// TLS failed. The alert has been sent if the socket took it.
    Tls(rustls::Error),
    /// A TLS connection that ended without `close_notify`: what came last may be cut (RFC 8446 section 6.1).
    Truncated,
    /// A peer that sends more than it may before it is listened to.
    TooLarge,
    /// The core's budget for buffers is spent.
    Full,
    /// An earlier write failed or was given up, or TLS failed before.
    Broken,
}

impl From<io::Error> for StreamError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::OutOfMemory { Self::Full } else { Self::Io(error) }
    }
}

impl From<TlsError> for StreamError {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::Protocol(error) => Self::Tls(error),
            TlsError::TooLarge => Self::TooLarge,
            TlsError::Full => Self::Full,
        }
    }
}

impl From<StreamError> for Kind {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Io(_) | StreamError::Broken => Self::Closed,
            StreamError::Tls(_) => Self::Tls,
            StreamError::Truncated => Self::Truncated,
            StreamError::TooLarge => Self::Protocol,
            StreamError::Full => Self::Memory,
        }
    }
}

/// One connection.
pub struct Stream {
    socket: Socket,
    session: Option<Box<Session>>,
    /// What came in and was not consumed yet.
    pub received: Buffer,
    /// The peer has ended its side, cleanly.
    ended: bool,
    /// A write failed or was given up: nothing more can be written.
    broken: bool,
    /// The session failed: nothing more can be read either.
    failed: bool,
    /// The connection is to end in a reset, or has.
    reset: bool,
    /// Our side has been ended.
    closed: bool,
    /// What is being written ends with the connection: dropped before its end, it must not look complete.
    open_ended: bool,
    /// Bytes of TLS records since the last application data.
    quiet: usize,
    bytes_in: u64,
    bytes_out: u64,
}

impl Stream {
    /// A plain connection.
    #[must_use]
    pub fn plain(stream: TcpStream, blocks: &Rc<Blocks>) -> Self {
        let socket = Socket::new(stream);
        Self {
            socket,
            session: None,
            received: Buffer::new(blocks),
            ended: false,
            broken: false,
            failed: false,
            reset: false,
            closed: false,
            open_ended: false,
            quiet: 0,
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    /// Makes this connection a TLS one that its peer opens. Waits for the handshake; dropping the future breaks the stream.
    ///
    /// # Errors
    /// The handshake failed; an alert was sent if the socket took it.
    pub async fn accept_tls(&mut self, config: &Arc<ServerConfig>, blocks: &Rc<Blocks>) -> Result<(), StreamError> {
        self.handshake(Box::new(Session::server(config, blocks)?)).await
    }

    /// Makes this connection a TLS one to a server named `name`. Waits for the handshake; dropping the future breaks the stream.
    ///
    /// # Errors
    /// The handshake failed; an alert was sent if the socket took it.
    pub async fn connect_tls(
        &mut self,
        config: &Arc<ClientConfig>,
        name: ServerName<'static>,
        blocks: &Rc<Blocks>,
    ) -> Result<(), StreamError> {
        self.handshake(Box::new(Session::client(config, name, blocks)?)).await
    }

    /// What was sniffed so far is the start of the handshake.
    async fn handshake(&mut self, mut session: Box<Session>) -> Result<(), StreamError> {
        session.incoming.extend(self.received.as_slice()).map_err(|_| StreamError::Full)?;
        self.received.clear();
        self.session = Some(session);
        loop {
            let Some(session) = &mut self.session else { return Err(StreamError::Broken) };
            let result = session.process(&mut self.received);
            let handshaking = session.is_handshaking();
            self.ended = session.is_closed();
            self.check(result)?;
            self.flush().await?;
            if !handshaking {
                return Ok(());
            }
            if self.ended {
                return Err(StreamError::Truncated);
            }
            let count = poll_fn(|context| self.poll_incoming(context)).await?;
            if count == 0 {
                return Err(StreamError::Truncated);
            }
        }
    }

    /// Whether a write failed or was given up.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether the connection is a TLS one.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.session.is_some()
    }

    /// Waits for bytes and appends them to `received`. `Ok(0)`: the peer has ended its side, cleanly. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The connection failed, or ended in the middle of TLS.
    pub async fn read(&mut self) -> Result<usize, StreamError> {
        poll_fn(|context| self.poll_read(context)).await
    }

    /// As [`Stream::read`].
    pub fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Result<usize, StreamError>> {
        if self.failed {
            return Poll::Ready(Err(StreamError::Broken));
        }
        if self.ended {
            return Poll::Ready(Ok(0));
        }
        if self.session.is_none() {
            let count = ready!(self.socket.poll_read(context, &mut self.received))?;
            self.ended = count == 0;
            self.bytes_in += count as u64;
            return Poll::Ready(Ok(count));
        }
        let before = self.received.len();
        loop {
            let count = ready!(self.poll_incoming(context))?;
            let Some(session) = &mut self.session else { return Poll::Ready(Err(StreamError::Broken)) };
            let result = session.process(&mut self.received);
            self.ended = session.is_closed();
            self.check(result)?;
            self.try_flush();
            let plain = self.received.len() - before;
            if plain > 0 || self.ended {
                self.quiet = 0;
                return Poll::Ready(Ok(plain));
            }
            if count == 0 {
                return Poll::Ready(Err(StreamError::Truncated));
            }
            self.quiet += count;
            if self.quiet > limits::TLS_QUIET_BYTES_MAX {
                self.failed = true;
                return Poll::Ready(Err(StreamError::TooLarge));
            }
            // There may be more behind the housekeeping, an end for one.
            self.socket.expect_more();
        }
    }

    /// Waits until the peer has gone. What it sends meanwhile is kept, up to `PIPELINE_BYTES_MAX`; past that it is not watched.
    pub fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.received.len() < limits::PIPELINE_BYTES_MAX {
            match ready!(self.poll_read(context)) {
                // No memory for what it sent: it is there, but can be watched no further.
                Err(StreamError::Full) => return Poll::Pending,
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(_) => {}
            }
        }
        Poll::Pending
    }

    /// Whether a connection that waits in the pool can be used for a new exchange: it is not broken, and nothing came in but TLS
    /// housekeeping. Asks the kernel, and leaves the poll armed that the answer will be waited for with.
    #[must_use]
    pub fn is_idle(&mut self) -> bool {
        if self.broken || self.ended || !self.received.is_empty() {
            return false;
        }
        self.socket.expect_bytes();
        self.poll_read(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    /// Whether the peer has sent something, looked at without waiting. If so nothing more can be written.
    pub fn has_answer(&mut self) -> bool {
        self.socket.expect_bytes();
        let came = self.poll_read(&mut Context::from_waker(Waker::noop())).is_ready();
        self.broken = self.broken || came;
        came
    }

    /// Lets the next read ask the kernel before it waits.
    pub fn expect_bytes(&mut self) {
        self.socket.expect_bytes();
    }

    fn poll_incoming(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Some(session) = &mut self.session else { return Poll::Ready(Ok(0)) };
        let count = ready!(self.socket.poll_read(context, &mut session.incoming))?;
        self.bytes_in += count as u64;
        Poll::Ready(Ok(count))
    }

    /// Writes `range` of the bytes of `from`, which keeps them. Dropping the future breaks the stream.
    ///
    /// # Errors
    /// The connection failed; the stream is broken.
    pub async fn write(&mut self, from: &mut Buffer, range: Range<usize>) -> Result<(), StreamError> {
        if self.broken {
            return Err(StreamError::Broken);
        }
        if self.session.is_none() {
            self.broken = true;
            self.socket.write(from, range, &mut self.bytes_out).await?;
            self.broken = false;
            return Ok(());
        }
        let mut at = range.start;
        while at < range.end {
            let end = range.end.min(at + limits::RECORD_PLAIN_BYTES_MAX);
            let text = from.as_slice().get(at..end).unwrap_or_default();
            let Some(session) = &mut self.session else { return Err(StreamError::Broken) };
            let result = session.encrypt(text, &mut self.received);
            let ready = session.outgoing.len() >= limits::TLS_FLUSH_BYTES || end == range.end;
            self.check(result)?;
            if ready {
                self.flush().await?;
            }
            at = end;
        }
        Ok(())
    }

    /// Writes all of `from` and returns its memory.
    ///
    /// # Errors
    /// As [`Stream::write`].
    pub async fn write_out(&mut self, from: &mut Buffer) -> Result<(), StreamError> {
        let range = 0..from.len();
        let result = self.write(from, range).await;
        from.clear();
        result
    }

    /// Sends what TLS wants sent.
    async fn flush(&mut self) -> Result<(), StreamError> {
        let Some(session) = &mut self.session else { return Ok(()) };
        let range = 0..session.outgoing.len();
        if range.is_empty() {
            return Ok(());
        }
        self.broken = true;
        self.socket.write(&mut session.outgoing, range, &mut self.bytes_out).await?;
        session.outgoing.clear();
        self.broken = false;
        Ok(())
    }

    /// Sends what the socket takes at once; the rest waits for the next write.
    fn try_flush(&mut self) {
        let Some(session) = &mut self.session else { return };
        while !session.outgoing.is_empty() {
            match self.socket.try_write(session.outgoing.as_slice()) {
                Ok(count) if count > 0 => {
                    session.outgoing.consume(count);
                    self.bytes_out += count as u64;
                }
                _ => break,
            }
        }
    }

    /// On a failure of TLS: sends the alert and breaks the stream.
    fn check(&mut self, result: Result<(), TlsError>) -> Result<(), StreamError> {
        if result.is_err() {
            self.try_flush();
            // Without memory nothing more can be read, but a refusal can still be written.
            self.broken = !matches!(result, Err(TlsError::Full));
            self.failed = true;
        }
        result.map_err(StreamError::from)
    }

    /// Ends our side: `close_notify` on TLS, then FIN. The peer may still send. Waits until the socket takes it; dropping the
    /// future leaves the connection without a proper end.
    pub async fn finish(&mut self) {
        if !self.broken {
            self.queue_close();
            let _ = self.flush().await;
        }
        self.close();
    }

    /// As [`Stream::finish`], as far as the socket takes it at once. Does nothing the second time, or after [`Stream::cut`].
    pub fn close(&mut self) {
        if self.closed {
            return;
        }
        self.closed = true;
        if !self.broken {
            self.queue_close();
            self.try_flush();
        }
        self.broken = true;
        self.socket.shutdown();
    }

    fn queue_close(&mut self) {
        if let Some(session) = &mut self.session {
            session.close(&mut self.received);
        }
    }

    /// Ends the connection in the middle of a message, so that no peer can take it for complete: without `close_notify`, and by a
    /// reset where only the end of the connection ends the message. Elsewhere its framing shows the cut, and a FIN lets the peer
    /// read all that came before.
    pub fn cut(&mut self) {
        self.broken = true;
        self.closed = true;
        if self.open_ended {
            self.reset = true;
            self.socket.reset();
        } else {
            self.socket.shutdown();
        }
    }

    /// What is written from now on ends with the connection: until [`Stream::complete`] every other end is a reset.
    pub fn begin_open_ended(&mut self) {
        self.open_ended = true;
        self.socket.end_in_reset(true);
    }

    /// What was written is complete.
    pub fn complete(&mut self) {
        if self.open_ended {
            self.open_ended = false;
            self.socket.end_in_reset(false);
        }
    }

    /// Reads and drops what the peer still sends after [`Stream::close`], so that what we wrote last is not lost to a reset
    /// (RFC 9112 section 9.6). Ends at the peer's end or at `LINGER_BYTES_MAX`; the caller sets the deadline.
    pub async fn drain(&mut self) {
        if self.reset || self.ended {
            return;
        }
        let mut left = limits::LINGER_BYTES_MAX;
        self.received.clear();
        if let Some(session) = &mut self.session {
            session.incoming.clear();
        }
        loop {
            let count = poll_fn(|context| self.socket.poll_read(context, &mut self.received)).await;
            self.received.clear();
            match count {
                Ok(count) if count > 0 && count < left => left -= count,
                _ => return,
            }
        }
    }

    /// Bytes that the kernel took from us so far, TLS included.
    #[must_use]
    pub fn bytes_out(&self) -> u64 {
        self.bytes_out
    }

    /// Bytes that came in and went out since the last call, TLS included.
    pub fn take_traffic(&mut self) -> (u64, u64) {
        (std::mem::take(&mut self.bytes_in), std::mem::take(&mut self.bytes_out))
    }

    /// The peer's address.
    ///
    /// # Errors
    /// The socket is not connected any more.
    pub fn peer(&self) -> io::Result<SocketAddr> {
        self.socket.peer()
    }

    /// The local address.
    ///
    /// # Errors
    /// The socket is not connected any more.
    pub fn local(&self) -> io::Result<SocketAddr> {
        self.socket.local()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.open_ended {
            self.socket.reset();
        }
    }
}
