//! An answer that is passed on piece by piece, as it comes.

use crate::client::h1::Client;
use crate::error::Error;
use crate::error::Kind;
use crate::http::chunked;
use crate::http::encode::Changed;
use crate::http::framing::Body;
use crate::net::buffer::Buffer;
use crate::proxy::Core;
use crate::proxy::Exchange;
use crate::proxy::Reuse;
use crate::proxy::write_client;
use crate::shared::counters::Coverage;
use crate::upstream::h1::Reader;

use super::Arrival;
use super::Shape;
use super::begin;
use super::count_verdict;
use super::framing;
use super::read_more;
use super::settle;
use super::write_head;

/// Passes it on unread.
pub(super) async fn relay(
    core: &Core,
    client: &mut Client,
    arrival: Arrival<'_>,
    exchange: &mut Exchange,
    coverage: Coverage,
) -> Result<Reuse, Error> {
    let body = framing(arrival.response.head.body, exchange.modern);
    let keep_alive = arrival.keep_alive && body != Body::UntilClose;
    let shape = Shape { body, keep_alive, coverage, changed: Changed::default() };
    let mut reader = Reader::new(arrival.response.head.body);
    let mut out = Buffer::new(&core.blocks);
    write_head(core, &arrival.response.head, arrival.head_bytes(), exchange, shape, &mut out)?;
    let Arrival { mut upstream, response, verdict, spent, at: arrived, .. } = arrival;
    if let Some(action) = verdict {
        count_verdict(core, action);
    }
    let (status, upstream_keep_alive) = (response.head.status, response.head.keep_alive);
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
                begin(core, client, exchange, status, shape);
                core.counters().count_answer(shape.coverage);
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
    settle(core, client, upstream, upstream_keep_alive);
    Ok(if keep_alive { Reuse::Keep } else { Reuse::Close })
}

/// Adds data to what is written next.
pub(super) fn put(body: Body, data: &[u8], out: &mut Buffer) -> Result<(), Kind> {
    if body != Body::Chunked {
        return out.extend(data).map_err(|_| Kind::Memory);
    }
    out.reserve(data.len() + 2 * size_of::<usize>() + 4).map_err(|_| Kind::Memory)?;
    chunked::encode(data, out.end());
    Ok(())
}

/// Adds the end of the body.
pub(super) fn end(body: Body, out: &mut Buffer) -> Result<(), Error> {
    if body == Body::Chunked {
        out.extend(chunked::END).map_err(|_| Error::upstream(Kind::Memory))?;
    }
    Ok(())
}
