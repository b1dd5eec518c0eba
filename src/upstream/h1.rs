//! HTTP/1.1 to the upstream: finding the head of a response, and its body piece by piece.
//!
//! What a server sends is held to the same strictness as what a client sends. These are functions over received bytes; who
//! waits for more, and what happens meanwhile, is decided in `proxy`.

use crate::error::Error;
use crate::error::Kind;
use crate::http::chunked;
use crate::http::framing::Body;
use crate::http::head::ResponseHead;
use crate::http::head::Scan;
use crate::net::buffer::Buffer;

/// A response head at the front of the received bytes.
pub struct Response {
    /// The head; its spans point into `received`.
    pub head: ResponseHead,
    /// Bytes of the head in `received`.
    pub head_length: usize,
}

/// Looks for a whole head at the front of `received`. `None`: not all is here yet.
///
/// # Errors
/// The head is malformed or over a bound.
pub fn find_head(scan: &mut Scan, received: &Buffer, to_head: bool) -> Result<Option<Response>, Error> {
    let Some(found) = scan.find(received.as_slice()).map_err(Error::upstream)? else { return Ok(None) };
    let head = received.as_slice().get(..found.end).unwrap_or_default();
    let head = ResponseHead::parse(head, to_head).map_err(Error::upstream)?;
    *scan = Scan::default();
    Ok(Some(Response { head, head_length: found.end }))
}

/// Reads a response body from received bytes.
pub enum Reader {
    /// So many bytes are still to come.
    Length(u64),
    /// The chunked coding.
    Chunked(chunked::Decoder),
    /// Everything until the end of the connection.
    UntilClose,
}

impl Reader {
    /// A reader for a body framed as `body`.
    #[must_use]
    pub fn new(body: Body) -> Self {
        match body {
            Body::Empty => Self::Length(0),
            Body::Length(length) => Self::Length(length),
            Body::Chunked => Self::Chunked(chunked::Decoder::default()),
            Body::UntilClose => Self::UntilClose,
        }
    }

    /// Hands all data that `received` holds to `sink`, run by run, and consumes it.
    ///
    /// # Errors
    /// The chunked coding is broken, or the sink's memory is spent.
    pub fn read(
        &mut self,
        received: &mut Buffer,
        mut sink: impl FnMut(&[u8]) -> Result<(), Kind>,
    ) -> Result<(), Error> {
        while !received.is_empty() {
            let bytes = received.as_slice();
            let consumed = match self {
                Self::Length(0) => break,
                Self::Length(left) => {
                    let count = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    sink(bytes.get(..count).unwrap_or_default()).map_err(Error::upstream)?;
                    *left -= count as u64;
                    count
                }
                Self::Chunked(decoder) => {
                    let decoded = decoder.decode(bytes).map_err(Error::upstream)?;
                    sink(bytes.get(decoded.data).unwrap_or_default()).map_err(Error::upstream)?;
                    decoded.consumed
                }
                Self::UntilClose => {
                    sink(bytes).map_err(Error::upstream)?;
                    bytes.len()
                }
            };
            if consumed == 0 {
                break;
            }
            received.consume(consumed);
        }
        Ok(())
    }

    /// Whether the body is complete, the connection being still open.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(decoder) => decoder.is_done(),
            Self::UntilClose => false,
        }
    }

    /// Whether a clean end of the connection completes the body.
    #[must_use]
    pub fn ends_with_connection(&self) -> bool {
        matches!(self, Self::UntilClose)
    }
}
