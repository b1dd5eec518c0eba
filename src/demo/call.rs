//! One HTTP call of the story: a blocking client that shows each event at the moment it arrives. A connection per call.
//! It never follows redirects, pools or retries.

use std::io;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use super::wire::Fault;
use super::wire::Wire;
use crate::clock;

/// How long the story waits for the next byte before it says that a call failed.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// The largest answer that the story reads: its own embeddings take 40 KB.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The most fields of an answer's head.
const FIELDS_MAX: usize = 64;

/// What came back.
pub(super) struct Reply {
    pub(super) status: u16,
    /// A whole answer's body; empty for a stream.
    pub(super) body: String,
    /// From the call to the first event that held text.
    pub(super) first: Option<Duration>,
    /// From the call to the last byte.
    pub(super) total: Duration,
}

/// How an answer's end is found.
#[derive(Clone, Copy)]
enum Length {
    Bytes(usize),
    Chunked,
}

/// Sends `request` as it stands to `authority` (host and port) and reads the answer; `each` gets every event's data and
/// says whether it was text. Fails where the peer cannot be reached, falls silent, or does not speak HTTP/1.1.
pub(super) fn call(
    authority: &str,
    request: &str,
    each: &mut dyn FnMut(&Value) -> io::Result<bool>,
) -> io::Result<Reply> {
    let begun = clock::now();
    let stream = TcpStream::connect(authority)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    let mut wire = Wire::new(stream);
    wire.socket.write_all(request.as_bytes())?;
    let head = wire.head().map_err(unreadable)?;
    let (status, length) = parse(&head).ok_or_else(|| unreadable(Fault::Refuse(502)))?;
    let mut reply = Reply { status, body: String::new(), first: None, total: Duration::ZERO };
    match length {
        Length::Bytes(bytes) if bytes > ANSWER_BYTES_MAX => return Err(unreadable(Fault::Refuse(502))),
        Length::Bytes(bytes) => {
            let body = wire.take(bytes).map_err(unreadable)?;
            reply.body = String::from_utf8_lossy(&body).into_owned();
        }
        Length::Chunked => reply.first = events(&mut wire, begun, &mut reply.body, each)?,
    }
    reply.total = begun.elapsed();
    Ok(reply)
}

/// Shows events as their chunks come in; what is not an event stays in `rest`. Returns when the first text came.
fn events(
    wire: &mut Wire<TcpStream>,
    begun: Instant,
    rest: &mut String,
    each: &mut dyn FnMut(&Value) -> io::Result<bool>,
) -> io::Result<Option<Duration>> {
    let mut first = None;
    // A character may be cut by a chunk, so what is not yet an event stays bytes.
    let mut waiting = Vec::new();
    while let Some(chunk) = wire.chunk(ANSWER_BYTES_MAX - waiting.len()).map_err(unreadable)? {
        waiting.extend_from_slice(&chunk);
        while let Some(end) = waiting.windows(2).position(|two| two == b"\n\n") {
            let event: Vec<u8> = waiting.drain(..end + 2).collect();
            let event = String::from_utf8_lossy(&event);
            let data = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap_or_default();
            // `[DONE]` is not JSON and says nothing.
            let Ok(data) = serde_json::from_str(data) else { continue };
            if each(&data)? && first.is_none() {
                first = Some(begun.elapsed());
            }
        }
    }
    rest.push_str(&String::from_utf8_lossy(&waiting));
    Ok(first)
}

fn parse(head: &[u8]) -> Option<(u16, Length)> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut response = httparse::Response::new(&mut fields);
    response.parse(head).ok()?;
    let value = |name: &str| {
        let field = response.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(field.value).ok()
    };
    let length = match value("transfer-encoding") {
        Some(coding) => coding.eq_ignore_ascii_case("chunked").then_some(Length::Chunked)?,
        None => Length::Bytes(value("content-length")?.parse().ok()?),
    };
    Some((response.code?, length))
}

fn unreadable(fault: Fault) -> io::Error {
    match fault {
        Fault::Gone => io::ErrorKind::UnexpectedEof.into(),
        Fault::Refuse(_) => io::ErrorKind::InvalidData.into(),
    }
}
