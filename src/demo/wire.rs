//! The mock's side of a connection: a socket that is plain or TLS, requests read from it, answers written to it, all
//! blocking; and the chunked reader, which the story's client shares. Strict enough that a request which two readers could read in two ways is refused; never lenient, never a
//! second copy of the gateway's codec.

use std::io;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpStream;
use std::time::Duration;

use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::event::Timespec;
use rustls::ServerConnection;
use rustls::StreamOwned;

/// The largest head: past it the request is refused. Providers take 32 to 64 KiB.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// The most fields of a head.
const FIELDS_MAX: usize = 128;

/// The largest body: past it the request is refused. Bodies with images reach 20 MB.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The longest line of a chunk's size or of a trailer.
const LINE_BYTES_MAX: usize = 8 * 1024;

/// One read's room, small because ten thousand connections each have one.
const READ_BYTES: usize = 4 * 1024;

/// How long, and for how many reads, a peer's last bytes are read off before a close.
const GOODBYE_WAIT: Duration = Duration::from_millis(200);
const GOODBYE_READS_MAX: usize = 256;

/// A client's connection.
pub(super) enum Socket {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Socket {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }

    /// Waits `delay`; says early, and with `false`, that the client has gone.
    pub(super) fn wait(&self, delay: Duration) -> bool {
        if delay.is_zero() {
            return true;
        }
        let Ok(timeout) = Timespec::try_from(delay) else { return true };
        // Data that waits to be read (a pipelined request) must not end the wait, so `IN` is not asked for.
        let mut waited = [PollFd::new(self.tcp(), PollFlags::RDHUP)];
        matches!(rustix::event::poll(&mut waited, Some(&timeout)), Ok(0))
    }

    /// Ends the connection as agreed: what is still under way from the peer is read off for a moment, because a close
    /// over unread bytes is a reset, and a reset may overtake the last answer.
    pub(super) fn goodbye(mut self) {
        if let Self::Tls(stream) = &mut self {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        let mut tcp = self.tcp();
        let ended = tcp.shutdown(Shutdown::Write).and_then(|()| tcp.set_read_timeout(Some(GOODBYE_WAIT)));
        let mut room = [0; READ_BYTES];
        let read = |_: &usize| matches!(tcp.read(&mut room), Ok(1..));
        if ended.is_ok() {
            let _ = (0..GOODBYE_READS_MAX).take_while(read).count();
        }
    }

    /// Ends the connection without a word: no `close_notify`, no last chunk. With `reset`, by RST in place of FIN.
    pub(super) fn cut(&self, reset: bool) {
        if reset {
            // Linger zero discards what is unsent and makes the close a reset; a failure leaves a FIN, as good a cut.
            let _ = rustix::net::sockopt::set_socket_linger(self.tcp(), Some(Duration::ZERO));
        } else {
            let _ = self.tcp().shutdown(Shutdown::Both);
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// Why no request came out of a connection.
#[derive(Debug)]
pub(super) enum Fault {
    /// The peer is gone or silent: nothing to say to it.
    Gone,
    /// The request has no single reading, or is past a bound: this status, then close.
    Refuse(u16),
}

impl From<io::Error> for Fault {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// A request as read.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) body: Vec<u8>,
    pub(super) keep_alive: bool,
    /// `anthropic-version` was there.
    pub(super) anthropic: bool,
    /// `x-mock-delay-ms`.
    pub(super) delay: Option<Duration>,
    /// `x-mock-first-byte-ms`.
    pub(super) first_byte: Duration,
    expects_continue: bool,
    length: Option<usize>,
    chunked: bool,
}

/// A connection and what was read ahead of it: the mock's [`Socket`], or the story's `TcpStream`.
pub(super) struct Wire<S> {
    pub(super) socket: S,
    ahead: Vec<u8>,
}

impl Wire<Socket> {
    /// The next request with its body.
    pub(super) fn request(&mut self) -> Result<Request, Fault> {
        let mut request = loop {
            if let Some((request, bytes)) = parse(&self.ahead)? {
                self.ahead.drain(..bytes);
                break request;
            }
            if self.ahead.len() >= HEAD_BYTES_MAX {
                return Err(Fault::Refuse(431));
            }
            self.fill()?;
        };
        if request.expects_continue {
            self.socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            self.socket.flush()?;
        }
        request.body = match request.length {
            _ if request.chunked => self.chunks()?,
            Some(length) if length > BODY_BYTES_MAX => return Err(Fault::Refuse(413)),
            Some(length) => self.take(length)?,
            None => Vec::new(),
        };
        if self.ahead.is_empty() {
            // An idle connection keeps no buffer.
            self.ahead = Vec::new();
        }
        Ok(request)
    }

    /// A body in the chunked coding; trailers are read and dropped.
    fn chunks(&mut self) -> Result<Vec<u8>, Fault> {
        let mut body = Vec::new();
        while let Some(mut chunk) = self.chunk(BODY_BYTES_MAX - body.len())? {
            body.append(&mut chunk);
        }
        Ok(body)
    }
}

impl<S: Read> Wire<S> {
    pub(super) fn new(socket: S) -> Self {
        Self { socket, ahead: Vec::new() }
    }

    /// The bytes up to and with the empty line that ends a head; none read past it are lost.
    pub(super) fn head(&mut self) -> Result<Vec<u8>, Fault> {
        loop {
            if let Some(end) = self.ahead.windows(4).position(|four| four == b"\r\n\r\n") {
                return self.take(end + 4);
            }
            if self.ahead.len() >= HEAD_BYTES_MAX {
                return Err(Fault::Refuse(431));
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Result<(), Fault> {
        let mut room = [0; READ_BYTES];
        match self.socket.read(&mut room)? {
            0 => Err(Fault::Gone),
            count => {
                self.ahead.extend(room.iter().take(count));
                Ok(())
            }
        }
    }

    pub(super) fn take(&mut self, length: usize) -> Result<Vec<u8>, Fault> {
        while self.ahead.len() < length {
            self.fill()?;
        }
        let rest = self.ahead.split_off(length);
        Ok(std::mem::replace(&mut self.ahead, rest))
    }

    /// The next chunk (RFC 9112, section 7.1), of at most `bytes_max`; none after the last, whose trailers are dropped.
    pub(super) fn chunk(&mut self, bytes_max: usize) -> Result<Option<Vec<u8>>, Fault> {
        let line = self.line()?;
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
        let hexadecimal = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
        let size = std::str::from_utf8(digits).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let chunk = match size.filter(|_| hexadecimal) {
            None => return Err(Fault::Refuse(400)),
            Some(0) => {
                while !self.line()?.is_empty() {}
                return Ok(None);
            }
            Some(size) if size > bytes_max => return Err(Fault::Refuse(413)),
            Some(size) => self.take(size)?,
        };
        if self.line()?.is_empty() { Ok(Some(chunk)) } else { Err(Fault::Refuse(400)) }
    }

    /// A line without its CRLF; a bare LF is refused.
    fn line(&mut self) -> Result<Vec<u8>, Fault> {
        loop {
            if let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n') {
                let line = self.take(end + 1)?;
                return line.strip_suffix(b"\r\n").map(<[u8]>::to_vec).ok_or(Fault::Refuse(400));
            }
            if self.ahead.len() > LINE_BYTES_MAX {
                return Err(Fault::Refuse(400));
            }
            self.fill()?;
        }
    }
}

/// A request's head and its length; none when it is not complete.
fn parse(bytes: &[u8]) -> Result<Option<(Request, usize)>, Fault> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut head = httparse::Request::new(&mut fields);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Fault::Refuse(431)),
        Err(_) => return Err(Fault::Refuse(400)),
    };
    let mut request = Request {
        method: head.method.unwrap_or_default().to_owned(),
        target: head.path.unwrap_or_default().to_owned(),
        keep_alive: head.version == Some(1),
        ..Request::default()
    };
    let mut hosts = 0;
    for field in head.headers.iter() {
        hosts += usize::from(field.name.eq_ignore_ascii_case("host"));
        request.read(field)?;
    }
    // RFC 9112, section 3.2 (one Host) and section 6.3 (never both framings).
    if hosts != 1 || (request.chunked && request.length.is_some()) {
        return Err(Fault::Refuse(400));
    }
    Ok(Some((request, length)))
}

impl Request {
    fn read(&mut self, field: &httparse::Header<'_>) -> Result<(), Fault> {
        let value = std::str::from_utf8(field.value).unwrap_or_default().trim();
        let milliseconds = || value.parse().map(Duration::from_millis).map_err(|_| Fault::Refuse(400));
        match field.name.to_ascii_lowercase().as_str() {
            "content-length" => {
                let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
                let length = value.parse().ok().filter(|_| digits && self.length.is_none());
                self.length = Some(length.ok_or(Fault::Refuse(400))?);
            }
            "transfer-encoding" if value.eq_ignore_ascii_case("chunked") && !self.chunked => self.chunked = true,
            "transfer-encoding" => return Err(Fault::Refuse(400)),
            "connection" => {
                self.keep_alive &= !value.split(',').any(|token| token.trim().eq_ignore_ascii_case("close"))
            }
            "expect" => self.expects_continue = value.eq_ignore_ascii_case("100-continue"),
            "anthropic-version" => self.anthropic = true,
            "x-mock-delay-ms" => self.delay = Some(milliseconds()?),
            "x-mock-first-byte-ms" => self.first_byte = milliseconds()?,
            _ => {}
        }
        Ok(())
    }
}
