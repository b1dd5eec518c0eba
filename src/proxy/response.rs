//! The way back: the answer goes to the client as it comes, piece by piece, never gathered.
//!
//! What arrived in one read goes out in one write; the next read waits until the client has taken it. So a token is passed on
//! at once, and a slow client slows the upstream down instead of filling memory. An answer that is cut is passed on as cut.

use std::time::Duration;

use crate::client::h1::Client;
use crate::clock;
use crate::error::Error;
use crate::error::Kind;
use crate::http::chunked;
use crate::http::encode;
use crate::http::encode::Back;
use crate::http::framing::Body;
use crate::limits;
use crate::net::buffer::Buffer;
use crate::net::stream::Stream;
use crate::shared::lifecycle::Stage;
use crate::upstream::h1::Reader;
use crate::upstream::h1::Response;

use super::Core;
use super::Exchange;
use super::Reuse;
use super::unless_gone;
use super::write_client;

/// Relays an answer whose head has come. `spent` is what the gateway itself took for the request.
pub(super) async fn relay(
    core: &Core,
    client: &mut Client,
    mut upstream: Stream,
    response: Response,
    exchange: &mut Exchange,
    spent: Duration,
) -> Result<Reuse, Error> {
    let arrived = clock::now();
    client.now = arrived;
    let draining = core.shared.lifecycle.stage() >= Stage::Draining;
    let body = framing(response.head.body, exchange.modern);
    let keep_alive = exchange.keep_alive && !draining && body != Body::UntilClose;
    let upstream_keep_alive = response.head.keep_alive;
    let status = response.head.status;
    let mut reader = Reader::new(response.head.body);
    let mut out = Buffer::new(&core.blocks);
    write_head(core, &upstream, &response, exchange, body, keep_alive, &mut out)?;
    upstream.received.consume(response.head_length);
    drop(response);
    let mut spent = Some(spent);
    loop {
        reader.read(&mut upstream.received, |data| put(body, data, &mut out))?;
        let done = reader.is_done();
        if done {
            end(body, &mut out)?;
        }
        if !out.is_empty() {
            if !exchange.answered {
                exchange.answered = true;
                core.counters().count_response(status);
                if body == Body::UntilClose {
                    client.stream.begin_open_ended();
                }
            }
            let patience = core.settings.timeouts.idle.min(exchange.until.saturating_duration_since(client.now));
            write_client(client, &mut out, patience).await?;
            if let Some(spent) = spent.take() {
                let back = client.now.saturating_duration_since(arrived);
                core.counters().added_time.observe(spent + back);
            }
        }
        if done {
            break;
        }
        if read_more(core, client, &mut upstream, exchange, &reader).await? == 0 {
            end(body, &mut out)?;
            write_client(client, &mut out, core.settings.timeouts.idle).await?;
            break;
        }
    }
    client.stream.complete();
    let (bytes_in, bytes_out) = upstream.take_traffic();
    core.counters().upstream_bytes_in.add(bytes_in);
    core.counters().upstream_bytes_out.add(bytes_out);
    if upstream_keep_alive && upstream.received.is_empty() && !upstream.is_broken() {
        core.pool.put(upstream, client.now);
    } else {
        upstream.close();
    }
    Ok(if keep_alive { Reuse::Keep } else { Reuse::Close })
}

/// How a body is framed towards the client: a length stays one; what has none is chunked for HTTP/1.1 and ends with the
/// connection for HTTP/1.0.
fn framing(body: Body, modern: bool) -> Body {
    match body {
        Body::Empty | Body::Length(_) => body,
        Body::Chunked | Body::UntilClose if modern => Body::Chunked,
        Body::Chunked | Body::UntilClose => Body::UntilClose,
    }
}

fn write_head(
    core: &Core,
    upstream: &Stream,
    response: &Response,
    exchange: &Exchange,
    body: Body,
    keep_alive: bool,
    out: &mut Buffer,
) -> Result<(), Error> {
    let bytes = upstream.received.as_slice().get(..response.head_length).unwrap_or_default();
    let margin = exchange.request_id.len() + 256;
    out.reserve(response.head_length + margin).map_err(|_| Error::upstream(Kind::Memory))?;
    let date = core.date.borrow();
    let back = Back {
        body,
        keep_alive,
        request_id: &exchange.request_id,
        date: &date,
        redacted: exchange.redacted,
        via: core.settings.via,
    };
    encode::response(&response.head, bytes, &back, out.end());
    Ok(())
}

/// Adds data to what is written next.
fn put(body: Body, data: &[u8], out: &mut Buffer) -> Result<(), Kind> {
    if body != Body::Chunked {
        return out.extend(data).map_err(|_| Kind::Memory);
    }
    out.reserve(data.len() + 2 * size_of::<usize>() + 4).map_err(|_| Kind::Memory)?;
    chunked::encode(data, out.end());
    Ok(())
}

fn end(body: Body, out: &mut Buffer) -> Result<(), Error> {
    if body == Body::Chunked {
        out.extend(chunked::END).map_err(|_| Error::upstream(Kind::Memory))?;
    }
    Ok(())
}

/// Waits for more of the answer. `Ok(0)`: it ended with its connection, as it was framed to.
async fn read_more(
    core: &Core,
    client: &mut Client,
    upstream: &mut Stream,
    exchange: &Exchange,
    reader: &Reader,
) -> Result<usize, Error> {
    let until = exchange.until.min(client.now + core.settings.timeouts.idle);
    let waiting = unless_gone(&mut client.stream, upstream.read());
    let result = client.deadline.within(until, waiting).await;
    client.now = clock::now();
    let count = match result {
        Err(_) => return Err(Error::upstream(Kind::Timeout)),
        Ok(read) => read?.map_err(Error::upstream)?,
    };
    if count == 0 && !reader.ends_with_connection() {
        return Err(Error::upstream(Kind::Closed));
    }
    debug_assert!(
        upstream.received.len() <= limits::TLS_INCOMING_BYTES_MAX + limits::BLOCK_BYTES,
        "an answer is gathered"
    );
    Ok(count)
}
