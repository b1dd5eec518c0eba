//! One TCP connection, plain or TLS, of the load generator or of the fixed upstream; blocking or not, as its socket is.
//! It keeps what was received until its owner has read it, and has no timers.

use std::io;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::ClientConnection;
use rustls::Connection;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::pki_types::ServerName;

/// One read takes at most this: an answer and its head, many times over.
const READ_BYTES: usize = 16 * 1024;

/// How long a blocking connection waits for its peer before the measurement fails.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// A connection and what came in by it.
pub(crate) struct Link {
    socket: TcpStream,
    tls: Option<Box<Connection>>,
    /// Received, decrypted, not yet taken.
    pub(crate) input: Vec<u8>,
}

impl Link {
    /// Connects and, with `tls`, ends the handshake; blocking.
    pub(crate) fn connect(address: SocketAddr, tls: Option<&Arc<ClientConfig>>) -> io::Result<Self> {
        let mut socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(SILENCE_MAX))?;
        let tls = match tls {
            None => None,
            Some(config) => {
                let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
                let client = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
                let mut connection = Connection::Client(client);
                while connection.is_handshaking() {
                    connection.complete_io(&mut socket)?;
                }
                Some(Box::new(connection))
            }
        };
        Ok(Self { socket, tls, input: Vec::new() })
    }

    /// Takes over an accepted connection and makes it non-blocking.
    pub(crate) fn accept(socket: TcpStream, tls: Option<&Arc<ServerConfig>>) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let tls = match tls {
            None => None,
            Some(config) => {
                let server = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                Some(Box::new(Connection::Server(server)))
            }
        };
        Ok(Self { socket, tls, input: Vec::new() })
    }

    /// From now on `read` returns at once.
    pub(crate) fn set_nonblocking(&self) -> io::Result<()> {
        self.socket.set_nonblocking(true)
    }

    /// One read of the socket, appended to `input`. `UnexpectedEof` when the peer has closed, `WouldBlock` when there was
    /// nothing; a TLS record that is not complete yet, or a handshake's, adds nothing and is no error.
    pub(crate) fn read(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            let mut room = [0; READ_BYTES];
            let count = self.socket.read(&mut room)?;
            self.input.extend_from_slice(room.get(..count).unwrap_or_default());
            return if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) };
        };
        if tls.read_tls(&mut self.socket)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let state = tls.process_new_packets().map_err(io::Error::other)?;
        let before = self.input.len();
        self.input.resize(before + state.plaintext_bytes_to_read(), 0);
        tls.reader().read_exact(self.input.get_mut(before..).unwrap_or_default())?;
        while tls.wants_write() {
            tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }

    /// Writes `bytes` whole. A message here is far smaller than an empty socket buffer, so `WouldBlock` is a failure.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return self.socket.write_all(bytes) };
        tls.writer().write_all(bytes)?;
        while tls.wants_write() {
            tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
