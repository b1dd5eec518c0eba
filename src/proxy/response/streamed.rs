//! An answer that comes in events: inspected as it comes, held back where it must be, cut where a rule blocks it.
//!
//! ```text
//!  upstream ─► source ─► Stream::push ─► what is decided ─► client
//!                           │ waits: at most as long as the policy says, then Stream::overdue
//!                           └ blocked ─► the dialect's own error event, the body's right end; the upstream is closed
//! ```
//! What arrived in one read goes out in one write, but for what waits. The next read waits until the client has taken it.

use std::time::Instant;

use crate::client::h1::Client;
use crate::clock;
use crate::error::Error;
use crate::error::Kind;
use crate::http::coding::Coding;
use crate::http::encode::Changed;
use crate::http::framing::Body;
use crate::limits;
use crate::net::buffer::Buffer;
use crate::net::buffer::Lease;
use crate::net::stream::Stream as Connection;
use crate::policy::Action;
use crate::policy::Policy;
use crate::proxy::Asked;
use crate::proxy::Core;
use crate::proxy::Exchange;
use crate::proxy::Reuse;
use crate::proxy::enforce;
use crate::proxy::inspection::stream::Call;
use crate::proxy::inspection::stream::Cut;
use crate::proxy::inspection::stream::Framing;
use crate::proxy::inspection::stream::Stream;
use crate::proxy::refusal::Reasoned;
use crate::proxy::refusal::Refusal;
use crate::proxy::report;
use crate::proxy::unless_gone;
use crate::proxy::write_client;
use crate::shared::counters::Coverage;
use crate::upstream::h1::Reader;

use super::Arrival;
use super::Shape;
use super::begin;
use super::count_usage;
use super::count_verdict;
use super::framing;
use super::passed::end;
use super::passed::put;
use super::refuse;
use super::settle;
use super::source::Source;
use super::write_head;

/// A stream on its way to the client.
struct Relay<'a> {
    core: &'a Core,
    policy: &'a Policy,
    stream: Stream,
    framing: Framing,
    out: Buffer,
    body: Body,
    /// Since when something waits.
    held_since: Option<Instant>,
    /// Bytes of what waits that have been counted.
    held_counted: usize,
    /// The strongest action so far.
    action: Action,
    /// Placeholders that have been counted.
    redacted: u32,
    _charged: Lease,
}

/// What came of waiting.
enum Waited {
    /// More of the answer, or its end with its connection.
    Read(usize),
    /// Text has waited as long as it may.
    Overdue,
}

/// Relays it, its coding taken off.
pub(super) async fn relay(
    core: &Core,
    client: &mut Client,
    mut arrival: Arrival<'_>,
    exchange: &mut Exchange,
    coding: Coding,
    cut: Framing,
) -> Result<Reuse, Error> {
    let mut head_bytes = Buffer::new(&core.blocks);
    head_bytes.extend(arrival.head_bytes()).map_err(|_| Error::upstream(Kind::Memory))?;
    arrival.upstream.received.consume(arrival.response.head_length);
    let first = Begun { head_bytes, body: Buffer::new(&core.blocks), reader: Reader::new(arrival.response.head.body) };
    go_on(core, client, arrival, exchange, (first, coding, cut)).await
}

/// An answer of which something has been taken out of what was received.
pub(super) struct Begun {
    /// The bytes of its head.
    pub(super) head_bytes: Buffer,
    /// What has come of its body, in its coding.
    pub(super) body: Buffer,
    /// What takes the framing off the rest.
    pub(super) reader: Reader,
}

/// Relays an answer that has begun.
pub(super) async fn go_on(
    core: &Core,
    client: &mut Client,
    arrival: Arrival<'_>,
    exchange: &mut Exchange,
    begun: (Begun, Coding, Framing),
) -> Result<Reuse, Error> {
    let (policy, status) = (arrival.policy, arrival.response.head.status);
    let result = run(core, client, arrival, exchange, begun).await;
    result.map_err(|error| if exchange.answered { error } else { refuse(core, policy, exchange, status, error) })
}

async fn run(
    core: &Core,
    client: &mut Client,
    arrival: Arrival<'_>,
    exchange: &mut Exchange,
    (begun, coding, cut): (Begun, Coding, Framing),
) -> Result<Reuse, Error> {
    let Begun { head_bytes, body: mut first, reader } = begun;
    let mut source = Source::plain(reader, coding, &core.blocks)?;
    let is_document = matches!(cut, Framing::Document);
    let coverage = if is_document { Coverage::PartialOversize } else { Coverage::Full };
    let head = &arrival.response.head;
    // It may have another length when it leaves.
    let body = framing(Body::UntilClose, exchange.modern);
    let changed = Changed { decoded: enforce::is_coded(&head.fields), bytes: coding != Coding::Identity };
    let keep_alive = arrival.keep_alive && body != Body::UntilClose;
    let shape = Shape { body, keep_alive, coverage, changed };
    let mut relay = Relay::new(core, &arrival, exchange, cut, body)?;
    write_head(core, head, head_bytes.as_slice(), exchange, shape, &mut relay.out)?;
    drop(head_bytes);
    let (status, upstream_keep_alive) = (head.status, head.keep_alive);
    let Arrival { mut upstream, response, spent, at: arrived, .. } = arrival;
    drop(response);
    let mut spent = Some(spent);
    let mut result = relay.receive(exchange, |sink| source.unwrap(&mut first, sink))?;
    drop(first);
    loop {
        if result.is_ok() {
            result = relay.receive(exchange, |sink| source.take(&mut upstream.received, sink))?;
        }
        let done = result.is_ok() && source.is_done();
        if done {
            source.finish()?;
            result = relay.finish(exchange);
        }
        if let Err(cut) = result {
            relay.cut(exchange, status, cut)?;
        }
        let over = done || result.is_err();
        if over {
            end(body, &mut relay.out)?;
        }
        if !relay.out.is_empty() {
            if !exchange.answered {
                begin(core, client, exchange, status, shape);
            }
            let patience = core.settings.timeouts.idle.min(exchange.until.saturating_duration_since(client.now));
            write_client(client, &mut relay.out, patience).await?;
            if let Some(spent) = spent.take() {
                let back = client.now.saturating_duration_since(arrived);
                core.counters().added_time.observe(spent + back);
            }
        }
        relay.note_held(client.now);
        if over {
            break;
        }
        match relay.wait(client, &mut upstream, exchange, &source.reader).await? {
            Waited::Overdue => {
                result = relay.take(exchange, |stream, call, ready| stream.overdue(call, ready));
            }
            Waited::Read(0) => {
                source.finish()?;
                // A reader until the connection's end is done now.
                source.end();
            }
            Waited::Read(_) => {}
        }
    }
    relay.count(exchange, coverage);
    client.stream.complete();
    settle(core, client, upstream, upstream_keep_alive && result.is_ok());
    Ok(if keep_alive { Reuse::Keep } else { Reuse::Close })
}

impl<'a> Relay<'a> {
    fn new(
        core: &'a Core,
        arrival: &Arrival<'a>,
        exchange: &Exchange,
        cut: Framing,
        body: Body,
    ) -> Result<Self, Error> {
        let charged = Lease::new(&core.blocks, limits::STREAM_BYTES).map_err(|_| Error::upstream(Kind::Memory))?;
        Ok(Self {
            core,
            policy: arrival.policy,
            stream: Stream::new(cut, exchange.api.event_table()),
            framing: cut,
            out: Buffer::new(&core.blocks),
            body,
            held_since: None,
            held_counted: 0,
            action: arrival.verdict.unwrap_or(Action::Allow),
            redacted: 0,
            _charged: charged,
        })
    }

    /// Calls the stream, and adds what may go on to what is written next.
    fn take(
        &mut self,
        exchange: &mut Exchange,
        call: impl FnOnce(&mut Stream, Call<'_>, &mut Vec<u8>) -> Result<(), Cut>,
    ) -> Result<(), Cut> {
        let mut inspector = self.core.inspector.borrow_mut();
        let mut ready = inspector.take_ready();
        let with = Call { inspector: &mut inspector, policy: self.policy, vault: exchange.vault.as_deref() };
        let mut result = call(&mut self.stream, with, &mut ready);
        if !ready.is_empty() && put(self.body, &ready, &mut self.out).is_err() {
            result = Err(Cut::Memory);
        }
        inspector.put_ready(ready);
        self.tell(exchange);
        result
    }

    /// Takes what `give` hands out.
    fn receive(
        &mut self,
        exchange: &mut Exchange,
        give: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), Kind>) -> Result<(), Error>,
    ) -> Result<Result<(), Cut>, Error> {
        let mut cut = Ok(());
        let taken = give(&mut |data| {
            cut = self.take(exchange, |stream, call, ready| stream.push(call, data, ready));
            cut.map_err(|_| Kind::Blocked)
        });
        match cut {
            Err(cut) => Ok(Err(cut)),
            Ok(()) => taken.map(Ok),
        }
    }

    fn finish(&mut self, exchange: &mut Exchange) -> Result<(), Cut> {
        self.take(exchange, |stream, call, ready| stream.finish(call, ready))
    }

    /// Tells of what the last call has found.
    fn tell(&mut self, exchange: &Exchange) {
        let Self { core, policy, stream, action, .. } = self;
        let (hits, denied) = (stream.told(), stream.denied());
        if hits.is_empty() && denied == 0 {
            return;
        }
        let counters = core.counters();
        let subject = Asked::answer(exchange.asked.as_ref());
        counters.matches.add(hits.len() as u64);
        let strongest = hits.iter().filter_map(|hit| hit.rule(policy)).map(|rule| rule.action).max();
        *action = strongest.unwrap_or(Action::Warn).max(*action);
        report::hits(core, policy, &subject, hits, strongest.unwrap_or(Action::Warn));
        if denied > 0 {
            report::tool(core, policy, &subject, Action::Warn);
        }
        counters.redactions.add(u64::from(stream.redacted() - self.redacted));
        self.redacted = stream.redacted();
    }

    /// Ends the stream with the dialect's error, or says that nothing has been answered yet.
    fn cut(&mut self, exchange: &mut Exchange, status: u16, cut: Cut) -> Result<(), Error> {
        let Self { core, policy, .. } = self;
        let error = Error::upstream(match cut {
            Cut::Stopped(stop) => Kind::from(stop),
            Cut::Memory => Kind::Memory,
            Cut::Blocked(_) | Cut::Tool => Kind::Blocked,
        });
        if cut == Cut::Tool {
            report::tool(core, policy, &Asked::answer(exchange.asked.as_ref()), Action::Block);
        }
        exchange.reasoned = cut.code().map(|code| Reasoned { code, policy_version: policy.version() });
        if !exchange.answered && !self.stream.has_begun() {
            return Err(error);
        }
        let error = refuse(core, policy, exchange, status, error);
        self.action = Action::Block;
        let mut event = Vec::new();
        let refusal = Refusal::of(error);
        let written = refusal.is_some_and(|refusal| {
            refusal.write_event(
                self.framing,
                exchange.dialect,
                exchange.api,
                exchange.reasoned.as_ref(),
                &exchange.request_id,
                &mut event,
            )
        });
        if !written {
            return Err(error);
        }
        put(self.body, &event, &mut self.out).map_err(Error::upstream)
    }

    /// Counts what waits, and how long it has.
    fn note_held(&mut self, now: Instant) {
        let counters = self.core.counters();
        let held = self.stream.held_bytes();
        counters.answers_held_bytes.add(held.saturating_sub(self.held_counted) as u64);
        self.held_counted = held;
        match self.held_since {
            None if self.stream.is_holding() => self.held_since = Some(now),
            Some(since) if !self.stream.is_holding() => {
                counters.answers_held_time.observe(now.saturating_duration_since(since));
                self.held_since = None;
            }
            _ => {}
        }
    }

    /// Waits for more of the answer, or until what waits is overdue.
    async fn wait(
        &mut self,
        client: &mut Client,
        upstream: &mut Connection,
        exchange: &Exchange,
        reader: &Reader,
    ) -> Result<Waited, Error> {
        let Some(since) = self.held_since else {
            return super::read_more(self.core, client, upstream, exchange, reader).await.map(Waited::Read);
        };
        let overdue = since + self.policy.answers().hold_time;
        let until = exchange.until.min(client.now + self.core.settings.timeouts.idle);
        if overdue >= until {
            return super::read_more(self.core, client, upstream, exchange, reader).await.map(Waited::Read);
        }
        // Dropping a read loses nothing.
        let waiting = unless_gone(&mut client.stream, upstream.read());
        let result = client.deadline.within(overdue, waiting).await;
        client.now = clock::now();
        match result {
            Err(_) => {
                self.held_since = Some(client.now);
                Ok(Waited::Overdue)
            }
            Ok(read) => match read?.map_err(Error::upstream)? {
                0 if !reader.ends_with_connection() => Err(Error::upstream(Kind::Closed)),
                count => Ok(Waited::Read(count)),
            },
        }
    }

    /// Counts the stream as a whole.
    fn count(&self, exchange: &mut Exchange, coverage: Coverage) {
        let Self { core, stream, .. } = self;
        let counters = core.counters();
        counters.inspected_bytes.add(stream.bytes());
        counters.uninspected.add(u64::from(stream.unread()));
        count_usage(core, exchange.api, stream.usage());
        exchange.redacted += stream.redacted();
        let coverage = if stream.unread() > 0 { Coverage::PartialMedia } else { coverage };
        counters.count_answer(coverage);
        match self.action {
            // `refuse` has.
            Action::Block => {}
            action => count_verdict(core, action),
        }
    }
}
