//! One request and its answer on the admin listener, on a blocking socket with one deadline for all of it.

use std::io;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpStream;
use std::time::Duration;
use std::time::Instant;

use crate::clock;
use crate::limits;
use crate::shared::health;

use super::View;
use super::metrics;

const TEXT: &str = "text/plain; charset=utf-8";

struct Answer {
    status: u16,
    content_type: &'static str,
    body: String,
    /// Whether the body is sent, or its length alone.
    with_body: bool,
}

impl Answer {
    fn plain(status: u16, body: &str) -> Self {
        Self { status, content_type: TEXT, body: body.to_owned(), with_body: true }
    }
}

/// Reads one request, answers it, and closes.
pub(super) fn run(stream: &TcpStream, view: &View) -> io::Result<()> {
    let start = clock::now();
    let deadline = start + limits::ADMIN_TIME_MAX;
    let answer = read_and_answer(stream, view, start + limits::ADMIN_REQUEST_TIME_MAX)?;
    write(stream, &render(&answer), deadline)?;
    stream.shutdown(Shutdown::Write)?;
    let mut ignored = [0; 1024];
    for _ in 0..limits::ADMIN_LINGER_BYTES_MAX / ignored.len() {
        if read(stream, &mut ignored, deadline)? == 0 {
            break;
        }
    }
    Ok(())
}

fn read_and_answer(stream: &TcpStream, view: &View, deadline: Instant) -> io::Result<Answer> {
    let mut head = [0; limits::ADMIN_HEAD_BYTES_MAX];
    let mut filled = 0;
    loop {
        let count = match read(stream, &mut head[filled..], deadline) {
            Ok(0) => return Ok(Answer::plain(400, "the request is cut\n")),
            Ok(count) => count,
            Err(error) if is_timeout(&error) => return Ok(Answer::plain(408, "the request is late\n")),
            Err(error) => return Err(error),
        };
        filled += count;
        if let Some(answer) = answer(&head[..filled], view) {
            return Ok(answer);
        }
        if filled == head.len() {
            return Ok(Answer::plain(431, "the head is larger than 4 KiB\n"));
        }
    }
}

/// The answer to the request whose head `bytes` begin with; `None` where they do not hold all of it yet.
fn answer(bytes: &[u8], view: &View) -> Option<Answer> {
    let mut fields = [httparse::EMPTY_HEADER; limits::ADMIN_FIELDS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(_bytes)) => {}
        Ok(httparse::Status::Partial) => return None,
        Err(httparse::Error::TooManyHeaders) => return Some(Answer::plain(431, "more than 64 fields\n")),
        Err(_malformed) => return Some(Answer::plain(400, "not HTTP/1.1\n")),
    }
    let (method, target) = (request.method?, request.path?);
    if !matches!(method, "GET" | "HEAD") {
        return Some(Answer::plain(405, "GET or HEAD\n"));
    }
    let with_body = method == "GET";
    Some(Answer { with_body, ..answer_to(target, view) })
}

fn answer_to(target: &str, view: &View) -> Answer {
    if target.split('?').next() == Some("/metrics") {
        let body = metrics::text(&view.shared, &view.certificates);
        return Answer { status: 200, content_type: metrics::CONTENT_TYPE, body, with_body: true };
    }
    let now = view.shared.milliseconds(clock::now());
    match health::answer(target, &view.shared, now) {
        Some((status, body)) => Answer::plain(status, body),
        None => Answer::plain(404, "/metrics, /healthz, /readyz or /livez\n"),
    }
}

fn render(answer: &Answer) -> Vec<u8> {
    let reason = match answer.status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        431 => "Request Header Fields Too Large",
        _ => "Service Unavailable",
    };
    // RFC 9110 section 15.5.6: a 405 names what is allowed.
    let allow = if answer.status == 405 { "allow: GET, HEAD\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: {}\r\ncontent-length: {}\r\ncache-control: no-store\r\n{allow}connection: close\r\n\r\n",
        answer.status,
        answer.content_type,
        answer.body.len(),
    );
    let mut bytes = head.into_bytes();
    if answer.with_body {
        bytes.extend_from_slice(answer.body.as_bytes());
    }
    bytes
}

/// One read that ends at the deadline.
fn read(mut stream: &TcpStream, bytes: &mut [u8], deadline: Instant) -> io::Result<usize> {
    stream.set_read_timeout(Some(left(deadline)?))?;
    stream.read(bytes)
}

/// Writes all bytes; each write has only what is left of the time.
fn write(mut stream: &TcpStream, mut bytes: &[u8], deadline: Instant) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.set_write_timeout(Some(left(deadline)?))?;
        let count = stream.write(bytes)?;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[count..];
    }
    Ok(())
}

/// What is left until the deadline; never zero, which a socket takes for "for ever".
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(clock::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
