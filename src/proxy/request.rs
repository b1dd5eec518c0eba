//! The way to the upstream: a connection, the request on it, and the head of the answer.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use crate::client::h1::Client;
use crate::client::h1::Content;
use crate::client::h1::Request;
use crate::clock;
use crate::error::Error;
use crate::error::Kind;
use crate::error::Side;
use crate::extract::Part;
use crate::http::encode;
use crate::http::encode::Onward;
use crate::http::forward;
use crate::http::head::Scan;
use crate::http::target;
use crate::limits;
use crate::net::buffer::Buffer;
use crate::net::stream::Stream;
use crate::policy::Policy;
use crate::policy::Scope;
use crate::upstream::connect;
use crate::upstream::connect::Target;
use crate::upstream::h1;
use crate::upstream::h1::Response;

use super::Caller;
use super::Core;
use super::Exchange;
use super::unless_gone;
use super::write_client;

/// A path must not leave the prefix of the upstream.
pub(super) fn check_path(core: &Core, client: &Client, request: &Request) -> Result<(), Error> {
    let path = request.head.path.of(client.stream.received.as_slice());
    if !core.route.prefix.is_empty() && target::has_dot_segment(path) {
        return Err(Error::client(Kind::DotSegment));
    }
    Ok(())
}

/// What is written upstream: a new head, and the body unless it was small enough to stand behind the head already.
struct Message {
    head: Buffer,
    /// A long body, and where it stands.
    body: Option<(Buffer, Range<usize>)>,
}

/// Sends a request on an idle connection or on a new one, and returns the connection with the time this took the gateway
/// itself. Tries again only where an idle connection failed before the kernel took a byte.
pub(super) async fn send(
    core: &Core,
    client: &mut Client,
    caller: &Caller,
    request: Request,
    exchange: &mut Exchange,
) -> Result<(Stream, Duration), Error> {
    let started = client.now;
    let mut message = compose(core, client, caller, request, exchange)?;
    exchange.in_step = true;
    let mut waited = Duration::ZERO;
    loop {
        let taken = core.pool.take();
        core.counters().upstream_stale.add(taken.stale);
        let reused = taken.stream.is_some();
        let mut upstream = match taken.stream {
            Some(stream) => stream,
            None => {
                let before = clock::now();
                // Boxed, so that the many exchanges that find an idle connection do not hold the memory of a handshake.
                let stream = Box::pin(dial(core, client, exchange)).await?;
                client.now = clock::now();
                waited += client.now.saturating_duration_since(before);
                stream
            }
        };
        let before = upstream.bytes_out();
        let result = write(core, client, &mut upstream, &mut message, exchange).await;
        client.now = clock::now();
        let spent = client.now.saturating_duration_since(started + waited);
        match result {
            Ok(()) => {
                if reused {
                    core.counters().upstream_reuses.increment();
                }
                return Ok((upstream, spent));
            }
            Err(error) if error.side != Side::Upstream => return Err(error),
            Err(_) if reused && upstream.bytes_out() == before && !message.head.is_empty() => {}
            // A server may answer and close before it has read everything: its answer, if there is one, is what counts.
            Err(_) => return Ok((upstream, spent)),
        }
    }
}

/// Writes the new head, and takes the request out of what was received.
fn compose(
    core: &Core,
    client: &mut Client,
    caller: &Caller,
    request: Request,
    exchange: &Exchange,
) -> Result<Message, Error> {
    let full = |_| Error::client(Kind::Memory);
    let mut head = Buffer::new(&core.blocks);
    let margin = core.route.prefix.len() + core.route.authority.len() + 1024;
    head.reserve(request.head_length + margin).map_err(full)?;
    let content_length = request.content_length();
    let onward = Onward {
        authority: &core.route.authority,
        prefix: &core.route.prefix,
        content_length,
        changed: exchange.changed,
        identity: exchange.asked.is_some(),
        request_id: request.head.request_id.is_none().then_some(exchange.request_id.as_str()),
        via: core.settings.via,
        forwarded: core.settings.forwarded.then_some((caller.address, caller.secure)),
    };
    let received = &mut client.stream.received;
    let bytes = received.as_slice().get(..request.head_length).unwrap_or_default();
    encode::request(&request.head, bytes, &onward, head.end());
    let range = request.received_body();
    let fits = |length: usize, head: &Buffer| head.len() + length <= limits::BLOCK_BYTES;
    let body = match request.body {
        Content::Decoded(buffer) if fits(buffer.len(), &head) => {
            head.extend(buffer.as_slice()).map_err(full)?;
            received.consume(range.end);
            None
        }
        Content::Decoded(buffer) => {
            received.consume(range.end);
            let whole = 0..buffer.len();
            Some((buffer, whole))
        }
        Content::Received(length) if !fits(length, &head) => {
            let mut rest = Buffer::new(&core.blocks);
            rest.extend(received.as_slice().get(range.end..).unwrap_or_default()).map_err(full)?;
            Some((std::mem::replace(received, rest), range))
        }
        Content::Empty | Content::Received(_) => {
            head.extend(received.as_slice().get(range.clone()).unwrap_or_default()).map_err(full)?;
            received.consume(range.end);
            None
        }
    };
    Ok(Message { head, body })
}

async fn dial(core: &Core, client: &mut Client, exchange: &Exchange) -> Result<Stream, Error> {
    let addresses: Vec<SocketAddr> = core.shared.addresses.load().to_vec();
    let first = core.dials.get();
    core.dials.set(first.wrapping_add(1));
    let Client { stream, deadline, .. } = client;
    let timeouts = &core.settings.timeouts;
    let target = Target { route: &core.route, addresses: &addresses, first, tls: &core.tls };
    let connecting = connect::connect(&target, timeouts, exchange.until, deadline, &core.blocks);
    let result = unless_gone(stream, connecting).await?;
    match &result {
        Ok(_) => core.counters().upstream_connects.increment(),
        Err(_) => core.counters().upstream_connect_failures.increment(),
    }
    result
}

async fn write(
    core: &Core,
    client: &mut Client,
    upstream: &mut Stream,
    message: &mut Message,
    exchange: &Exchange,
) -> Result<(), Error> {
    let head = 0..message.head.len();
    write_piece(core, client, upstream, &mut message.head, head, exchange).await?;
    if let Some((body, range)) = &mut message.body {
        let mut at = range.start;
        while at < range.end {
            let end = range.end.min(at + limits::UPLOAD_PIECE_BYTES);
            write_piece(core, client, upstream, body, at..end, exchange).await?;
            client.now = clock::now();
            at = end;
            if at < range.end && upstream.has_answer() {
                // It answers before it has read everything, most likely to refuse: the rest is not sent.
                return Err(Error::upstream(Kind::Closed));
            }
        }
    }
    Ok(())
}

async fn write_piece(
    core: &Core,
    client: &mut Client,
    upstream: &mut Stream,
    from: &mut Buffer,
    range: Range<usize>,
    exchange: &Exchange,
) -> Result<(), Error> {
    let until = exchange.until.min(client.now + core.settings.timeouts.idle);
    let Client { stream, deadline, .. } = client;
    match deadline.within(until, unless_gone(stream, upstream.write(from, range))).await {
        Err(_) => Err(Error::upstream(Kind::Timeout)),
        Ok(result) => result?.map_err(Error::upstream),
    }
}

/// Waits for the final head of the answer. Interim ones are passed on, but for 100, which answers an expectation that never
/// crossed, and 101, which nobody asked for (RFC 9110 section 15.2).
pub(super) async fn await_head(
    core: &Core,
    client: &mut Client,
    upstream: &mut Stream,
    exchange: &Exchange,
    policy: &Policy,
) -> Result<Response, Error> {
    let until = exchange.until.min(client.now + core.settings.timeouts.first_byte);
    // Their fields are not inspected, and no client needs them.
    let hides_fields = policy.looks_at(Scope::Response, Part::Headers);
    let mut scan = Scan::default();
    let mut interim = 0;
    loop {
        if let Some(response) = h1::find_head(&mut scan, &upstream.received, exchange.to_head)? {
            match response.head.status {
                101 => return Err(Error::upstream(Kind::Protocol)),
                100..=199 if interim == limits::INTERIM_RESPONSES_MAX => return Err(Error::upstream(Kind::Protocol)),
                status @ 100..=199 => {
                    interim += 1;
                    if status != 100 && exchange.modern && !hides_fields {
                        pass_interim(core, client, upstream, &response).await?;
                    }
                    upstream.received.consume(response.head_length);
                    continue;
                }
                _ => return Ok(response),
            }
        }
        let Client { stream, deadline, .. } = client;
        match deadline.within(until, unless_gone(stream, upstream.read())).await {
            Err(_) => return Err(Error::upstream(Kind::Timeout)),
            Ok(Err(gone)) => return Err(gone),
            Ok(Ok(Ok(0))) => return Err(Error::upstream(Kind::Closed)),
            Ok(Ok(result)) => result.map_err(Error::upstream)?,
        };
    }
}

async fn pass_interim(core: &Core, client: &mut Client, upstream: &Stream, response: &Response) -> Result<(), Error> {
    let bytes = upstream.received.as_slice();
    let mut out = Buffer::new(&core.blocks);
    out.reserve(response.head_length + 64).map_err(|_| Error::upstream(Kind::Memory))?;
    encode::status_line(response.head.status, response.head.reason.of(bytes), out.end());
    for field in forward::crossing(bytes, &response.head.fields) {
        encode::line(out.end(), &[field.spelling.of(bytes), b": ", field.value.of(bytes)]);
    }
    out.end().extend_from_slice(b"\r\n");
    write_client(client, &mut out, core.settings.timeouts.idle).await
}
