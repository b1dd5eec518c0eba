//! An answer that comes in events: inspected as it comes, held back where it must be, cut where a rule blocks it.
//!
//! ```text
//!  upstream ─► source ─► Stream::push ─► what is decided ─► client
//!                           │ waits: at most as long as the policy says, then Stream::overdue
//!                           └ blocked ─► the dialect's own error event, the body's right end; the upstream is closed
//! ```
//! What arrived in one read goes out in one write, but for what waits. The next read waits until the client has taken it.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;
use std::time::Instant;

use crate::client::h1::Client;
use crate::error::Error;
use crate::error::Kind;
use crate::http::coding::Coding;
use crate::http::encode::Changed;
use crate::http::framing::Body;
use crate::http::sse;
use crate::limits;
use crate::net::buffer::Buffer;
use crate::net::buffer::Full;
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
use crate::proxy::report::Told;
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
use super::read_more;
use super::read_until;
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
    shape: Shape,
    /// Where in the stream the events that wait end, and when they came. Ascending; `limits::STREAM_ARRIVALS_MAX` at most.
    arrivals: VecDeque<(u64, Instant)>,
    /// Up to where in the stream what waits has been counted.
    held_counted: u64,
    /// When all that waited was last overdue.
    overdue_at: Option<Instant>,
    /// The strongest action so far.
    action: Action,
    /// What has been told of it.
    told: Told,
    /// Placeholders that have been counted.
    redacted: u32,
    /// What it takes of the core's memory.
    charged: Lease,
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
    let head_bytes = arrival.take_head(core)?;
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
    let Begun { head_bytes, body: first, reader } = begun;
    let source = Source::plain(reader, coding, &core.blocks)?;
    let is_document = matches!(cut, Framing::Document);
    let coverage = if is_document { Coverage::PartialOversize } else { Coverage::Full };
    let head = &arrival.response.head;
    // It may have another length when it leaves.
    let body = framing(Body::UntilClose, exchange.modern);
    let changed = Changed { decoded: enforce::is_coded(&head.fields), bytes: coding != Coding::Identity };
    let keep_alive = arrival.keep_alive && body != Body::UntilClose;
    let shape = Shape { body, keep_alive, coverage, changed };
    let mut relay = Relay::new(core, &arrival, exchange, cut, shape)?;
    write_head(core, head, head_bytes.as_slice(), exchange, shape, &mut relay.out)?;
    drop(head_bytes);
    let (status, upstream_keep_alive) = (head.status, head.keep_alive);
    let Arrival { upstream, response, spent, at: arrived, .. } = arrival;
    drop(response);
    let mut way = Way { upstream, source, status, spent: Some(spent), arrived };
    let result = relay.flow(client, exchange, &mut way, first).await;
    relay.count(exchange);
    let is_whole = result?;
    client.stream.complete();
    settle(core, client, way.upstream, upstream_keep_alive && is_whole);
    Ok(if keep_alive { Reuse::Keep } else { Reuse::Close })
}

/// Where a stream comes from.
struct Way {
    upstream: Connection,
    source: Source,
    status: u16,
    /// What the gateway itself took for the request; none once it has been counted.
    spent: Option<Duration>,
    /// When the head of the answer was complete.
    arrived: Instant,
}

impl<'a> Relay<'a> {
    fn new(
        core: &'a Core,
        arrival: &Arrival<'a>,
        exchange: &Exchange,
        framing: Framing,
        shape: Shape,
    ) -> Result<Self, Error> {
        let charged = Lease::new(&core.blocks, limits::STREAM_BYTES).map_err(|_| Error::upstream(Kind::Memory))?;
        Ok(Self {
            core,
            policy: arrival.policy,
            stream: Stream::new(framing, exchange.api.event_table()),
            framing,
            shape,
            out: Buffer::new(&core.blocks),
            arrivals: VecDeque::new(),
            held_counted: 0,
            overdue_at: None,
            action: arrival.verdict.unwrap_or(Action::Allow),
            told: Told::default(),
            redacted: 0,
            charged,
        })
    }

    /// Moves it, from `first`, which has come of it already. Whether it came to its end, or was cut here.
    async fn flow(
        &mut self,
        client: &mut Client,
        exchange: &mut Exchange,
        way: &mut Way,
        mut first: Buffer,
    ) -> Result<bool, Error> {
        let mut result = self.receive(exchange, |sink| way.source.unwrap(&mut first, sink))?;
        drop(first);
        loop {
            if result.is_ok() {
                let Way { upstream, source, .. } = &mut *way;
                result = self.receive(exchange, |sink| source.take(&mut upstream.received, sink))?;
            }
            let done = result.is_ok() && way.source.is_done();
            if done {
                way.source.finish()?;
                result = self.finish(exchange);
            }
            if let Err(cut) = result {
                // What it still says costs, and nobody will read it.
                way.upstream.close();
                self.cut(exchange, way.status, cut)?;
            }
            let over = done || result.is_err();
            if over {
                end(self.shape.body, &mut self.out)?;
            }
            self.write(client, exchange, way).await?;
            self.note_held(client.now);
            if over {
                return Ok(result.is_ok());
            }
            match self.wait(client, &mut way.upstream, exchange, &way.source.reader).await? {
                Waited::Overdue => {
                    result = self.take(exchange, |stream, call, ready| stream.overdue(call, ready));
                }
                Waited::Read(0) => {
                    way.source.finish()?;
                    // A reader until the connection's end is done now.
                    way.source.end();
                }
                Waited::Read(_) => {}
            }
        }
    }

    /// Writes what may go on.
    async fn write(&mut self, client: &mut Client, exchange: &mut Exchange, way: &mut Way) -> Result<(), Error> {
        if self.out.is_empty() {
            return Ok(());
        }
        if !exchange.answered {
            begin(self.core, client, exchange, way.status, self.shape);
        }
        let left = exchange.until.saturating_duration_since(client.now);
        write_client(client, &mut self.out, self.core.settings.timeouts.idle.min(left)).await?;
        if let Some(spent) = way.spent.take() {
            let back = client.now.saturating_duration_since(way.arrived);
            self.core.counters().added_time.observe(spent + back);
        }
        Ok(())
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
        let room = put(self.shape.body, &ready, &mut self.out).is_ok() && self.charge().is_ok();
        if result.is_ok() && !room {
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

    /// Has the core's budget say what the stream takes.
    fn charge(&mut self) -> Result<(), Full> {
        let memory = self.stream.memory().max(limits::STREAM_BYTES);
        if memory == self.charged.bytes() { Ok(()) } else { self.charged.change(memory) }
    }

    /// The end of it. The head said how much of it would be inspected; where it was less, a comment says so, which no client reads as
    /// part of the answer.
    fn finish(&mut self, exchange: &mut Exchange) -> Result<(), Cut> {
        self.take(exchange, |stream, call, ready| stream.finish(call, ready))?;
        let coverage = self.coverage();
        if coverage == self.shape.coverage || self.framing != Framing::Events || !self.stream.is_whole() {
            return Ok(());
        }
        let mut said = Vec::new();
        sse::comment(format!("x-penaxtra-inspection: {}", coverage.field()).as_bytes(), &mut said);
        put(self.shape.body, &said, &mut self.out).map_err(|_| Cut::Memory)
    }

    fn coverage(&self) -> Coverage {
        if self.stream.unread() > 0 { Coverage::PartialMedia } else { self.shape.coverage }
    }

    /// Tells of what the last call has found.
    fn tell(&mut self, exchange: &Exchange) {
        let Self { core, policy, stream, action, told, .. } = self;
        let (hits, denied) = (stream.told(), stream.denied());
        if hits.is_empty() && denied == 0 {
            return;
        }
        let counters = core.counters();
        let subject = Asked::answer(exchange.asked.as_ref());
        counters.matches.add(hits.len() as u64);
        let strongest = hits.iter().filter_map(|hit| hit.rule(policy)).map(|rule| rule.action).max();
        *action = strongest.unwrap_or(Action::Warn).max(*action);
        told.hits(core, policy, &subject, hits, strongest.unwrap_or(Action::Warn));
        if denied > 0 {
            told.tools(core, policy, &subject, denied, Action::Warn);
        }
        counters.redactions.add(u64::from(stream.redacted() - self.redacted));
        self.redacted = stream.redacted();
    }

    /// Ends the stream with the dialect's error, or says that nothing has been answered yet.
    fn cut(&mut self, exchange: &mut Exchange, status: u16, cut: Cut) -> Result<(), Error> {
        let Self { core, policy, told, .. } = self;
        let error = Error::upstream(match cut {
            Cut::Stopped(stop) => Kind::from(stop),
            Cut::Memory => Kind::Memory,
            Cut::Blocked(_) | Cut::Tool => Kind::Blocked,
        });
        if cut == Cut::Tool {
            told.tools(core, policy, &Asked::answer(exchange.asked.as_ref()), 1, Action::Block);
        }
        exchange.reasoned = cut.code().map(|code| Reasoned::of(policy, code));
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
        put(self.shape.body, &event, &mut self.out).map_err(Error::upstream)
    }

    /// Counts what waits, and how long it did.
    fn note_held(&mut self, now: Instant) {
        let counters = self.core.counters();
        let Range { start, end } = self.stream.waits();
        while let Some((_, since)) = self.arrivals.pop_front_if(|(end, _)| *end <= start) {
            counters.answers_held_time.observe(now.saturating_duration_since(since));
        }
        let known = self.held_counted.max(start);
        if known < end {
            counters.answers_held_bytes.add(end - known);
            self.held_counted = end;
            let is_full = self.arrivals.len() == limits::STREAM_ARRIVALS_MAX;
            match self.arrivals.back_mut().filter(|_| is_full) {
                Some(last) => last.0 = end,
                None => self.arrivals.push_back((end, now)),
            }
        }
    }

    /// When the first of what waits has waited as long as it may.
    fn overdue(&self) -> Option<Instant> {
        let (_, since) = self.arrivals.front()?;
        let since = self.overdue_at.map_or(*since, |before| before.max(*since));
        Some(since + self.policy.answers().hold_time)
    }

    /// Waits for more of the answer, or until what waits is overdue.
    async fn wait(
        &mut self,
        client: &mut Client,
        upstream: &mut Connection,
        exchange: &Exchange,
        reader: &Reader,
    ) -> Result<Waited, Error> {
        let until = exchange.until.min(client.now + self.core.settings.timeouts.idle);
        let Some(overdue) = self.overdue().filter(|overdue| *overdue < until) else {
            return read_more(self.core, client, upstream, exchange, reader).await.map(Waited::Read);
        };
        Ok(match read_until(client, upstream, reader, overdue).await? {
            Some(count) => Waited::Read(count),
            None => {
                self.overdue_at = Some(client.now);
                Waited::Overdue
            }
        })
    }

    /// Counts the stream as a whole, also where it was cut or its client went away.
    fn count(&mut self, exchange: &mut Exchange) {
        self.told.finish(self.core);
        let Self { core, stream, .. } = &*self;
        let counters = core.counters();
        counters.inspected_bytes.add(stream.bytes());
        counters.uninspected.add(u64::from(stream.unread()));
        count_usage(core, exchange.api, stream.usage());
        exchange.redacted += stream.redacted();
        // Where nothing was sent on, or it was cut by policy, `refuse` counts.
        if exchange.answered {
            counters.count_answer(self.coverage());
            if self.action != Action::Block {
                count_verdict(core, self.action);
            }
        }
    }
}
