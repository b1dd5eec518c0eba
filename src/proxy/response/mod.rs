//! The way back: by its head, an answer is passed on unread, gathered and inspected, or inspected as it streams.
//!
//! ```text
//!  head ─► fields ─► course ─┬─► passed     nothing of it is to be inspected: piece by piece, never gathered
//!                            ├─► gathered   a whole document: held to its end, inspected, sent on or refused
//!                            └─► streamed   events: inspected one by one
//! ```
//! Nothing of an answer reaches the client before it was decided about; until then every error becomes a refusal. What arrived in one
//! read of a passed answer goes out in one write, and the next read waits until the client has taken it: so a token is passed on at
//! once, and a slow client slows the upstream down instead of filling memory. An answer that is cut is passed on as cut.

use std::time::Duration;
use std::time::Instant;

use crate::client::h1::Client;
use crate::clock;
use crate::error::Error;
use crate::error::Kind;
use crate::extract::Api;
use crate::extract::usage::Usage;
use crate::http::encode;
use crate::http::encode::Back;
use crate::http::encode::Changed;
use crate::http::framing::Body;
use crate::http::head::ResponseHead;
use crate::limits;
use crate::net::buffer::Buffer;
use crate::net::stream::Stream;
use crate::policy::Action;
use crate::policy::Policy;
use crate::policy::Scope;
use crate::shared::counters::Coverage;
use crate::shared::counters::Verdict;
use crate::shared::lifecycle::Stage;
use crate::upstream::h1::Reader;
use crate::upstream::h1::Response;

use super::Asked;
use super::Core;
use super::Exchange;
use super::Reuse;
use super::report;
use super::unless_gone;

mod course;
mod fields;
mod gathered;
mod passed;
mod source;
mod streamed;

use course::Course;

/// An answer whose head has come.
struct Arrival<'a> {
    /// The policy that served the request.
    policy: &'a Policy,
    /// The connection that it comes on; what was received begins with the head.
    upstream: Stream,
    /// The head.
    response: Response,
    /// What a rule about its fields asks for; none where there is no such rule.
    verdict: Option<Action>,
    /// What the gateway itself took for the request.
    spent: Duration,
    /// When the head was complete.
    at: Instant,
    /// Whether the client's connection may be used again, if the answer is framed so.
    keep_alive: bool,
}

impl Arrival<'_> {
    /// The bytes of the head.
    fn head_bytes(&self) -> &[u8] {
        self.upstream.received.as_slice().get(..self.response.head_length).unwrap_or_default()
    }

    /// Takes them out of what was received, for an answer whose body is read before its head is written.
    fn take_head(&mut self, core: &Core) -> Result<Buffer, Error> {
        let mut head = Buffer::new(&core.blocks);
        head.extend(self.head_bytes()).map_err(|_| Error::upstream(Kind::Memory))?;
        self.upstream.received.consume(self.response.head_length);
        Ok(head)
    }
}

/// How an answer goes on to the client.
#[derive(Clone, Copy)]
struct Shape {
    /// How its body is framed.
    body: Body,
    /// Whether the connection is used again.
    keep_alive: bool,
    /// How much of it was inspected.
    coverage: Coverage,
    /// What was done to its body.
    changed: Changed,
}

/// Relays an answer whose head has come, under the policy that served its request. `spent` is what the gateway itself took for that.
pub(super) async fn relay(
    core: &Core,
    client: &mut Client,
    upstream: Stream,
    response: Response,
    exchange: &mut Exchange,
    policy: &Policy,
    spent: Duration,
) -> Result<Reuse, Error> {
    let at = clock::now();
    client.now = at;
    let draining = core.shared.lifecycle.stage() >= Stage::Draining;
    let keep_alive = exchange.keep_alive && !draining;
    let status = response.head.status;
    let mut arrival = Arrival { policy, upstream, response, verdict: None, spent, at, keep_alive };
    let decided = fields::inspect(core, &mut arrival, exchange).and_then(|()| course::of(core, &arrival, exchange));
    match decided {
        Err(error) => Err(refuse(core, policy, exchange, status, error)),
        Ok(Course::Pass(coverage)) => passed::relay(core, client, arrival, exchange, coverage).await,
        // Boxed, so that the many exchanges that go another way do not hold its memory.
        Ok(Course::Gather(coding)) => Box::pin(gathered::relay(core, client, arrival, exchange, coding)).await,
        Ok(Course::Stream(coding, framing)) => {
            Box::pin(streamed::relay(core, client, arrival, exchange, coding, framing)).await
        }
    }
}

/// An answer that is not sent on: tells why, and gives the refusal its reason. A provider's own error keeps its status, by which clients
/// know whether to try again, unless a rule blocks it.
fn refuse(core: &Core, policy: &Policy, exchange: &mut Exchange, status: u16, error: Error) -> Error {
    let Exchange { asked, reasoned, .. } = exchange;
    report::refused(core, policy, &Asked::answer(asked.as_ref()), reasoned, error);
    if status >= 400 && reasoned.is_some() && error.kind != Kind::Blocked {
        exchange.status = Some(status);
    }
    error
}

/// Counts what inspection said of an answer that is sent on.
fn count_verdict(core: &Core, action: Action) {
    let verdict = match action {
        Action::Allow => Verdict::Allow,
        Action::Warn => Verdict::Warn,
        Action::Redact | Action::Tokenise => Verdict::Redact,
        Action::Block => Verdict::Block,
    };
    report::count_verdict(core, Scope::Response, verdict);
}

/// Counts the tokens that an answer names, once for each answer: what was counted is what the provider bills.
fn count_usage(core: &Core, api: Api, usage: Usage) {
    let figures = core.counters().of_api(api);
    figures.input_tokens.add(usage.input.unwrap_or(0));
    figures.output_tokens.add(usage.output.unwrap_or(0));
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

/// Writes the head of an answer; `bytes` is what it was parsed from.
fn write_head(
    core: &Core,
    head: &ResponseHead,
    bytes: &[u8],
    exchange: &Exchange,
    shape: Shape,
    out: &mut Buffer,
) -> Result<(), Error> {
    let margin = exchange.request_id.len() + 256;
    out.reserve(bytes.len() + margin).map_err(|_| Error::upstream(Kind::Memory))?;
    let date = core.date.borrow();
    let back = Back {
        body: shape.body,
        keep_alive: shape.keep_alive,
        request_id: &exchange.request_id,
        date: &date,
        redacted: exchange.redacted,
        inspection: shape.coverage.field(),
        changed: shape.changed,
        via: core.settings.via,
    };
    encode::response(head, bytes, &back, out.end());
    Ok(())
}

/// From here on a byte of the answer may have gone to the client.
fn begin(core: &Core, client: &mut Client, exchange: &mut Exchange, status: u16, shape: Shape) {
    exchange.answered = true;
    core.counters().count_response(status);
    if shape.body == Body::UntilClose {
        client.stream.begin_open_ended();
    }
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
    let read = read_until(client, upstream, reader, until).await?;
    read.ok_or(Error::upstream(Kind::Timeout))
}

/// The same until a time. `None`: nothing has come by then, and nothing is lost.
async fn read_until(
    client: &mut Client,
    upstream: &mut Stream,
    reader: &Reader,
    until: Instant,
) -> Result<Option<usize>, Error> {
    let waiting = unless_gone(&mut client.stream, upstream.read());
    let result = client.deadline.within(until, waiting).await;
    client.now = clock::now();
    let count = match result {
        Err(_) => return Ok(None),
        Ok(read) => read?.map_err(Error::upstream)?,
    };
    if count == 0 && !reader.ends_with_connection() {
        return Err(Error::upstream(Kind::Closed));
    }
    debug_assert!(
        upstream.received.len() <= limits::TLS_INCOMING_BYTES_MAX + limits::BLOCK_BYTES,
        "an answer is gathered"
    );
    Ok(Some(count))
}

/// Lets go of a connection whose answer was read to its end: into the pool if it may be used again.
fn settle(core: &Core, client: &Client, mut upstream: Stream, keep_alive: bool) {
    let (bytes_in, bytes_out) = upstream.take_traffic();
    core.counters().upstream_bytes_in.add(bytes_in);
    core.counters().upstream_bytes_out.add(bytes_out);
    if keep_alive && upstream.received.is_empty() && !upstream.is_broken() {
        core.pool.put(upstream, client.now);
    } else {
        upstream.close();
    }
}
