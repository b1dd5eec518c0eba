//! HTTP/1.1 from a client: the next head, then its whole body.
//!
//! A request is held until it is complete, because nothing of it may reach the upstream before it was inspected. The head, and a
//! body with a length, stay where they were received; a chunked body is decoded next to it. Every wait has a deadline, every
//! byte is charged to the core's budget.

use std::cell::Cell;
use std::cell::RefCell;
use std::future::poll_fn;
use std::ops::Range;
use std::rc::Rc;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;
use std::time::Instant;

use crate::clock;
use crate::error::Error;
use crate::error::Kind;
use crate::http::chunked;
use crate::http::framing::Body;
use crate::http::head::RequestHead;
use crate::http::head::Scan;
use crate::limits::Timeouts;
use crate::net::buffer::Blocks;
use crate::net::buffer::Buffer;
use crate::net::deadline::Deadline;
use crate::net::stream::Stream;
use crate::net::stream::StreamError;

/// Ends a connection between two requests, from elsewhere on its core. One that is busy goes on and sees it at its next wait.
#[derive(Debug, Default)]
pub struct Idle {
    closing: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Idle {
    /// Asks for the end, and wakes the connection if it waits for a request.
    pub fn close(&self) {
        self.closing.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Waits for bytes, or until the end is asked for and none have come (`None`). Dropping the future loses nothing.
    pub async fn wait(&self, stream: &mut Stream) -> Option<Result<usize, StreamError>> {
        poll_fn(|context| {
            if self.closing.get() {
                stream.expect_bytes();
            }
            match stream.poll_read(context) {
                Poll::Ready(result) => Poll::Ready(Some(result)),
                Poll::Pending if self.closing.get() => Poll::Ready(None),
                Poll::Pending => {
                    self.waker.replace(Some(context.waker().clone()));
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// One client connection.
pub struct Client {
    /// The connection; `received` starts with the request that is being served.
    pub stream: Stream,
    /// The timer of this connection, for both its legs.
    pub deadline: Deadline,
    /// For the drain: ends the connection when nothing of a request has come.
    pub idle: Rc<Idle>,
    /// When something last happened here. Deadlines count from it, so that the clock is read once an event and not once a wait.
    pub now: Instant,
}

/// A request whose head is known. Its bytes stand at the front of the client's `received`.
pub struct Request {
    /// The head; its spans point into `received`.
    pub head: RequestHead,
    /// Bytes of the head in `received`.
    pub head_length: usize,
    /// The body, once [`Client::read_body`] has returned.
    pub body: Content,
}

/// How long a body may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Between two reads.
    pub between_reads: Duration,
    /// As a whole.
    pub until: Instant,
}

/// A whole request body.
pub enum Content {
    /// There is none.
    Empty,
    /// Behind the head in `received`, so many bytes.
    Received(usize),
    /// Decoded from the chunked coding.
    Decoded(Buffer),
}

impl Request {
    /// Where the body stands in `received`, if it stands there.
    #[must_use]
    pub fn received_body(&self) -> Range<usize> {
        match self.body {
            Content::Received(length) => self.head_length..self.head_length + length,
            Content::Empty | Content::Decoded(_) => self.head_length..self.head_length,
        }
    }

    /// Bytes of the body, or none if the request has no body at all.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        match &self.body {
            Content::Empty => None,
            Content::Received(length) => Some(*length as u64),
            Content::Decoded(buffer) => Some(buffer.len() as u64),
        }
    }
}

impl Client {
    /// Waits for the next request's head. `None`: the client has ended the connection, or was idle for too long, between two requests.
    ///
    /// # Errors
    /// The head is malformed, over a bound or late, or the connection failed within it.
    pub async fn read_head(&mut self, timeouts: &Timeouts) -> Result<Option<Request>, Error> {
        if self.stream.received.is_empty() {
            let waiting = self.idle.wait(&mut self.stream);
            match self.deadline.within(self.now + timeouts.keep_alive, waiting).await {
                Ok(Some(Ok(count))) if count > 0 => {}
                _ => return Ok(None),
            }
        }
        self.now = clock::now();
        let until = self.now + timeouts.head;
        let mut scan = Scan::default();
        loop {
            let received = self.stream.received.as_slice();
            if let Some(found) = scan.find(received).map_err(Error::client)? {
                self.stream.received.consume(found.skip);
                let head_length = found.end - found.skip;
                let head = self.stream.received.as_slice().get(..head_length).unwrap_or_default();
                let head = RequestHead::parse(head).map_err(Error::client)?;
                return Ok(Some(Request { head, head_length, body: Content::Empty }));
            }
            let more = self.read_more(until).await;
            // An end, or nothing more, after nothing but an empty line is no request that was cut.
            let nothing = self.stream.received.as_slice().trim_ascii().is_empty();
            match more {
                Ok(0) | Err(Error { kind: Kind::Timeout, .. }) if nothing => return Ok(None),
                Ok(0) => return Err(Error::client(Kind::Closed)),
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits until the whole body is there, `until` at the latest. Between two reads no more than `timeouts.body` may pass.
    ///
    /// # Errors
    /// The body is malformed, over `bytes_max` or late, the budget is spent, or the connection failed within it.
    pub async fn read_body(
        &mut self,
        request: &mut Request,
        bytes_max: usize,
        limit: &Patience,
        blocks: &Rc<Blocks>,
    ) -> Result<(), Error> {
        match request.head.body {
            Body::Empty | Body::UntilClose => Ok(()),
            Body::Length(length) => {
                let length = usize::try_from(length).ok().filter(|length| *length <= bytes_max);
                let length = length.ok_or(Error::client(Kind::BodyTooLarge))?;
                request.body = Content::Received(length);
                self.read_length(request.head_length + length, limit).await
            }
            Body::Chunked => {
                let body = self.read_chunked(request.head_length, bytes_max, limit, blocks).await?;
                request.body = Content::Decoded(body);
                Ok(())
            }
        }
    }

    async fn read_length(&mut self, end: usize, limit: &Patience) -> Result<(), Error> {
        while self.stream.received.len() < end {
            let missing = end - self.stream.received.len();
            // Room for what is missing, as far as the buffer has grown already: memory follows the bytes that came.
            let ahead = missing.min(self.stream.received.len());
            self.stream.received.reserve_within(ahead, end).map_err(|_| Error::client(Kind::Memory))?;
            if self.read_more(limit.until.min(self.now + limit.between_reads)).await? == 0 {
                return Err(Error::client(Kind::Closed));
            }
        }
        Ok(())
    }

    async fn read_chunked(
        &mut self,
        head_length: usize,
        bytes_max: usize,
        limit: &Patience,
        blocks: &Rc<Blocks>,
    ) -> Result<Buffer, Error> {
        let mut decoder = chunked::Decoder::default();
        let mut body = Buffer::new(blocks);
        loop {
            self.decode(head_length, &mut decoder, &mut body, bytes_max)?;
            if decoder.is_done() {
                return Ok(body);
            }
            if self.read_more(limit.until.min(self.now + limit.between_reads)).await? == 0 {
                return Err(Error::client(Kind::Closed));
            }
        }
    }

    /// Decodes what has come behind the head, and removes it from `received`.
    fn decode(
        &mut self,
        head_length: usize,
        decoder: &mut chunked::Decoder,
        body: &mut Buffer,
        bytes_max: usize,
    ) -> Result<(), Error> {
        let received = self.stream.received.as_slice().get(head_length..).unwrap_or_default();
        let mut at = 0;
        while !decoder.is_done() {
            let rest = received.get(at..).unwrap_or_default();
            let decoded = decoder.decode(rest).map_err(Error::client)?;
            if decoded.consumed == 0 {
                break;
            }
            at += decoded.consumed;
            let data = rest.get(decoded.data).unwrap_or_default();
            if body.len() + data.len() > bytes_max {
                return Err(Error::client(Kind::BodyTooLarge));
            }
            body.extend(data).map_err(|_| Error::client(Kind::Memory))?;
        }
        self.stream.received.remove(head_length..head_length + at);
        Ok(())
    }

    async fn read_more(&mut self, until: Instant) -> Result<usize, Error> {
        let result = self.deadline.within(until, self.stream.read()).await;
        self.now = clock::now();
        match result {
            // Bytes that never stop coming must not outrun the deadline.
            Ok(Ok(count)) if count > 0 && self.now >= until => Err(Error::client(Kind::Timeout)),
            Ok(result) => result.map_err(Error::client),
            Err(_) => Err(Error::client(Kind::Timeout)),
        }
    }
}
