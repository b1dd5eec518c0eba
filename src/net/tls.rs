//! One TLS session over owned buffers, for both roles, on rustls' unbuffered API.
//!
//! The session owns no socket and never waits: bytes from the network are put into `incoming`, plain text comes out into the
//! caller's buffer, records to send stand in `outgoing`. Both buffers are empty, and so without memory, whenever no record is
//! half there. A failure leaves its alert in `outgoing`, to be sent before the connection ends.
//!
//! ```text
//!   socket ─► incoming ─► process ─► plain          plain text ─► encrypt ─► outgoing ─► socket
//!                            └────► outgoing (handshake, tickets, key updates, alerts)
//! ```

use std::rc::Rc;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::ServerConfig;
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::ConnectionState;
use rustls::unbuffered::EncodeError;
use rustls::unbuffered::EncryptError;
use rustls::unbuffered::InsufficientSizeError;
use rustls::unbuffered::UnbufferedStatus;

use crate::limits;

use super::buffer::Blocks;
use super::buffer::Buffer;
use super::buffer::Full;

/// Why a session ended.
#[derive(Debug)]
pub enum TlsError {
    /// The peer broke the protocol, or its certificate is not trusted, or it sent a fatal alert.
    Protocol(rustls::Error),
    /// A handshake message over `TLS_INCOMING_BYTES_MAX`.
    TooLarge,
    /// The core's budget for buffers is spent.
    Full,
}

impl From<Full> for TlsError {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::Protocol(error)
    }
}

enum Role {
    Client(UnbufferedClientConnection),
    Server(UnbufferedServerConnection),
}

/// A TLS session.
pub struct Session {
    role: Role,
    /// Records as they came; empty unless one is half there.
    pub(super) incoming: Buffer,
    /// Records to send; empty unless the socket would not take them at once.
    pub(super) outgoing: Buffer,
    /// The peer said that it sends no more.
    closed: bool,
}

/// What one step of the session asks for.
enum Step {
    /// There may be more to do.
    Continue,
    /// Nothing to do until more bytes come.
    Wait,
    /// The plain text stands encrypted in `outgoing`.
    Encrypted,
}

impl Session {
    /// A session that a client opens.
    ///
    /// # Errors
    /// The configuration is not fit for a server.
    pub fn server(config: &Arc<ServerConfig>, blocks: &Rc<Blocks>) -> Result<Self, TlsError> {
        let connection = UnbufferedServerConnection::new(Arc::clone(config))?;
        Ok(Self::new(Role::Server(connection), blocks))
    }

    /// A session that we open to a server named `name`.
    ///
    /// # Errors
    /// The configuration is not fit for a client.
    pub fn client(
        config: &Arc<ClientConfig>,
        name: ServerName<'static>,
        blocks: &Rc<Blocks>,
    ) -> Result<Self, TlsError> {
        let connection = UnbufferedClientConnection::new(Arc::clone(config), name)?;
        Ok(Self::new(Role::Client(connection), blocks))
    }

    fn new(role: Role, blocks: &Rc<Blocks>) -> Self {
        Self { role, incoming: Buffer::new(blocks), outgoing: Buffer::new(blocks), closed: false }
    }

    /// Whether the handshake is still going on.
    #[must_use]
    pub fn is_handshaking(&self) -> bool {
        match &self.role {
            Role::Client(connection) => connection.is_handshaking(),
            Role::Server(connection) => connection.is_handshaking(),
        }
    }

    /// Whether the peer has sent `close_notify`: everything before it has been read.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Works through `incoming`: plain text is appended to `plain`, answers to `outgoing`.
    ///
    /// # Errors
    /// The session is over; an alert may stand in `outgoing`.
    pub fn process(&mut self, plain: &mut Buffer) -> Result<(), TlsError> {
        while let Step::Continue = self.step(plain, None)? {}
        if self.incoming.len() > limits::TLS_INCOMING_BYTES_MAX {
            return Err(TlsError::TooLarge);
        }
        Ok(())
    }

    /// Encrypts `text` (at most `RECORD_PLAIN_BYTES_MAX`) into `outgoing`. Plain text that is met on the way goes to `plain`.
    ///
    /// # Errors
    /// The session is over, or not open yet.
    pub fn encrypt(&mut self, text: &[u8], plain: &mut Buffer) -> Result<(), TlsError> {
        loop {
            match self.step(plain, Some(text))? {
                Step::Encrypted => return Ok(()),
                Step::Continue => {}
                Step::Wait => return Err(rustls::Error::HandshakeNotComplete.into()),
            }
        }
    }

    /// Puts `close_notify` into `outgoing`, if the session is open.
    pub fn close(&mut self, plain: &mut Buffer) {
        let _ = self.process(plain);
        let Self { role, incoming, outgoing, .. } = self;
        match role {
            Role::Client(connection) => close(connection.process_tls_records(incoming.as_mut_slice()), outgoing),
            Role::Server(connection) => close(connection.process_tls_records(incoming.as_mut_slice()), outgoing),
        }
    }

    fn step(&mut self, plain: &mut Buffer, text: Option<&[u8]>) -> Result<Step, TlsError> {
        let Self { role, incoming, outgoing, closed } = self;
        let mut ends = Ends { plain, outgoing, closed };
        let (discard, step) = match role {
            Role::Client(connection) => ends.take(connection.process_tls_records(incoming.as_mut_slice()), text),
            Role::Server(connection) => ends.take(connection.process_tls_records(incoming.as_mut_slice()), text),
        };
        incoming.consume(discard);
        if step.is_err() {
            self.encode_alert();
        }
        step
    }

    /// After a failure rustls offers the alert that says so.
    fn encode_alert(&mut self) {
        let Self { role, incoming, outgoing, .. } = self;
        match role {
            Role::Client(connection) => encode(connection.process_tls_records(incoming.as_mut_slice()), outgoing),
            Role::Server(connection) => encode(connection.process_tls_records(incoming.as_mut_slice()), outgoing),
        }
    }
}

/// Where the results of a step go.
struct Ends<'a> {
    plain: &'a mut Buffer,
    outgoing: &'a mut Buffer,
    closed: &'a mut bool,
}

impl Ends<'_> {
    fn take<Data>(
        &mut self,
        status: UnbufferedStatus<'_, '_, Data>,
        text: Option<&[u8]>,
    ) -> (usize, Result<Step, TlsError>) {
        let mut discard = status.discard;
        let step = match status.state {
            Err(error) => Err(error.into()),
            Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                let mut result = Ok(Step::Continue);
                while let Some(record) = traffic.next_record() {
                    result = match record {
                        Err(error) => Err(error.into()),
                        Ok(record) => {
                            discard += record.discard;
                            self.plain.extend(record.payload).map(|()| Step::Continue).map_err(TlsError::from)
                        }
                    };
                    if result.is_err() {
                        break;
                    }
                }
                result
            }
            Ok(ConnectionState::EncodeTlsData(mut data)) => {
                append(self.outgoing, 0, |space| data.encode(space).map_err(encode_size)).map(|()| Step::Continue)
            }
            Ok(ConnectionState::TransmitTlsData(data)) => {
                data.done();
                Ok(Step::Continue)
            }
            Ok(ConnectionState::PeerClosed) => {
                *self.closed = true;
                Ok(Step::Continue)
            }
            Ok(ConnectionState::WriteTraffic(mut traffic)) => match text {
                None => Ok(Step::Wait),
                Some(text) => {
                    let size = text.len() + limits::RECORD_OVERHEAD_BYTES;
                    append(self.outgoing, size, |space| traffic.encrypt(text, space).map_err(encrypt_size))
                        .map(|()| Step::Encrypted)
                }
            },
            Ok(_) => Ok(Step::Wait),
        };
        (discard, step)
    }
}

/// Appends what `write` makes, first with `size` bytes of room, then with as many as it asks for.
fn append(
    outgoing: &mut Buffer,
    size: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<usize>>,
) -> Result<(), TlsError> {
    let mut size = size;
    for _ in 0..2 {
        outgoing.reserve(size)?;
        let end = outgoing.end();
        let before = end.len();
        end.resize(before + size, 0);
        let result = write(end.get_mut(before..).unwrap_or_default());
        end.truncate(before + result.unwrap_or(0));
        match result {
            Ok(_) => return Ok(()),
            Err(Some(required)) => size = required,
            Err(None) => return Err(rustls::Error::EncryptError.into()),
        }
    }
    Err(rustls::Error::EncryptError.into())
}

fn encode_size(error: EncodeError) -> Option<usize> {
    match error {
        EncodeError::InsufficientSize(InsufficientSizeError { required_size }) => Some(required_size),
        EncodeError::AlreadyEncoded => None,
    }
}

fn encrypt_size(error: EncryptError) -> Option<usize> {
    match error {
        EncryptError::InsufficientSize(InsufficientSizeError { required_size }) => Some(required_size),
        EncryptError::EncryptExhausted => None,
    }
}

fn encode<Data>(status: UnbufferedStatus<'_, '_, Data>, outgoing: &mut Buffer) {
    if let Ok(ConnectionState::EncodeTlsData(mut data)) = status.state {
        let _ = append(outgoing, 0, |space| data.encode(space).map_err(encode_size));
    }
}

fn close<Data>(status: UnbufferedStatus<'_, '_, Data>, outgoing: &mut Buffer) {
    if let Ok(ConnectionState::WriteTraffic(mut traffic)) = status.state {
        let size = limits::RECORD_OVERHEAD_BYTES;
        let _ = append(outgoing, size, |space| traffic.queue_close_notify(space).map_err(encrypt_size));
    }
}
