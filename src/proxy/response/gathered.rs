//! An answer that is a whole document: held to its end, inspected, and sent on with its own length, or refused.
//!
//! Between its last byte and the first that is sent on there is no wait, as for a request. The connection to the upstream is let go of
//! before: whatever becomes of the answer, it was read to its end.

use crate::client::h1::Client;
use crate::clock;
use crate::error::Error;
use crate::error::Kind;
use crate::http::coding::Coding;
use crate::http::encode::Changed;
use crate::http::framing::Body;
use crate::http::head::ResponseHead;
use crate::limits;
use crate::net::buffer::Buffer;
use crate::net::buffer::Full;
use crate::policy::Action;
use crate::policy::Policy;
use crate::policy::answers::Oversize;
use crate::policy::code::Code;
use crate::policy::tools;
use crate::policy::tools::ToolVerdict;
use crate::proxy::Asked;
use crate::proxy::Core;
use crate::proxy::Exchange;
use crate::proxy::Reuse;
use crate::proxy::enforce;
use crate::proxy::inspection::Answer;
use crate::proxy::inspection::Inspector;
use crate::proxy::inspection::Target;
use crate::proxy::inspection::redact::Redaction;
use crate::proxy::inspection::restore;
use crate::proxy::inspection::stream::Framing;
use crate::proxy::inspection::vault::Vault;
use crate::proxy::refusal::Reasoned;
use crate::proxy::report;
use crate::proxy::write_client;
use crate::shared::counters::Coverage;
use crate::upstream::h1::Reader;

use super::Arrival;
use super::Shape;
use super::begin;
use super::count_usage;
use super::count_verdict;
use super::read_more;
use super::refuse;
use super::settle;
use super::streamed;
use super::streamed::Begun;
use super::write_head;

fn full(_: Full) -> Error {
    Error::upstream(Kind::Memory)
}

/// A whole answer.
struct Document<'a> {
    policy: &'a Policy,
    head: ResponseHead,
    /// What the head was parsed from.
    head_bytes: Buffer,
    body: Buffer,
    changed: Changed,
}

impl Document<'_> {
    fn answer(&self, exchange: &Exchange) -> Answer<'_> {
        let Self { head, head_bytes, body, .. } = self;
        Answer { api: exchange.api, head, bytes: head_bytes.as_slice(), body: body.as_slice() }
    }
}

/// Gathers it, has it inspected, and sends it on.
pub(super) async fn relay(
    core: &Core,
    client: &mut Client,
    mut arrival: Arrival<'_>,
    exchange: &mut Exchange,
    coding: Coding,
) -> Result<Reuse, Error> {
    let head_bytes = arrival.take_head(core)?;
    let gathered = match gather(core, client, &mut arrival, exchange).await {
        Ok(Gathered::Oversize(body, reader)) if may_scan(arrival.policy) => {
            let begun = Begun { head_bytes, body, reader };
            return streamed::go_on(core, client, arrival, exchange, (begun, coding, Framing::Document)).await;
        }
        Ok(Gathered::Oversize(..)) => Err(Error::upstream(Kind::BodyTooLarge)),
        Ok(Gathered::Whole(body)) => Ok(body),
        Err(error) => Err(error),
    };
    let Arrival { policy, upstream, response, verdict, spent, keep_alive, .. } = arrival;
    let head = response.head;
    let status = head.status;
    let body = match gathered {
        Ok(body) => body,
        Err(error) => return Err(refuse(core, policy, exchange, status, error)),
    };
    let complete = client.now;
    settle(core, client, upstream, head.keep_alive);
    let mut document = Document { policy, head, head_bytes, body, changed: Changed::default() };
    let decided = decode(core, &mut document, coding).and_then(|()| decide(core, &mut document, exchange, verdict));
    let coverage = match decided {
        Ok(coverage) => coverage,
        Err(error) => return Err(refuse(core, policy, exchange, status, error)),
    };
    let Document { head, head_bytes, mut body, changed, .. } = document;
    let shape = Shape { body: Body::Length(body.len() as u64), keep_alive, coverage, changed };
    let mut out = Buffer::new(&core.blocks);
    write_head(core, &head, head_bytes.as_slice(), exchange, shape, &mut out)?;
    drop((head, head_bytes));
    if out.len() + body.len() <= limits::BLOCK_BYTES {
        out.extend(body.as_slice()).map_err(full)?;
        body.clear();
    }
    begin(core, client, exchange, status, shape);
    core.counters().count_answer(shape.coverage);
    write_client(client, &mut out, core.settings.timeouts.idle).await?;
    core.counters().added_time.observe(spent + client.now.saturating_duration_since(complete));
    write_body(core, client, &mut body, exchange).await?;
    client.stream.complete();
    Ok(if keep_alive { Reuse::Keep } else { Reuse::Close })
}

/// Whether an answer that is too large to be held is inspected while it passes. What is not read as JSON does not say which tools it calls.
fn may_scan(policy: &Policy) -> bool {
    policy.answers().oversize == Oversize::Scan && policy.tools().is_empty()
}

/// What has come of an answer.
enum Gathered {
    /// All of it.
    Whole(Buffer),
    /// More than is held.
    Oversize(Buffer, Reader),
}

/// Reads the whole body unless it is too large, and takes it out of what was received.
async fn gather(
    core: &Core,
    client: &mut Client,
    arrival: &mut Arrival<'_>,
    exchange: &Exchange,
) -> Result<Gathered, Error> {
    let bytes_max = core.settings.answer_bytes_max;
    let Arrival { upstream, response, .. } = arrival;
    let length = match response.head.body {
        Body::Length(length) => usize::try_from(length).unwrap_or(usize::MAX),
        Body::Empty | Body::Chunked | Body::UntilClose => 0,
    };
    let mut reader = Reader::new(response.head.body);
    let mut body = Buffer::new(&core.blocks);
    if length > bytes_max {
        return Ok(Gathered::Oversize(body, reader));
    }
    loop {
        let bound = if length > 0 { length } else { usize::MAX };
        reader.read(&mut upstream.received, |data| {
            body.reserve_within(data.len(), bound).and_then(|()| body.extend(data)).map_err(|_| Kind::Memory)
        })?;
        if body.len() > bytes_max {
            return Ok(Gathered::Oversize(body, reader));
        }
        if reader.is_done() || read_more(core, client, upstream, exchange, &reader).await? == 0 {
            return Ok(Gathered::Whole(body));
        }
    }
}

/// Takes the content coding off: what is inspected is what is sent on.
fn decode(core: &Core, document: &mut Document<'_>, coding: Coding) -> Result<(), Error> {
    document.changed.decoded = enforce::is_coded(&document.head.fields);
    if coding != Coding::Identity && !document.body.is_empty() {
        let decoded = enforce::decoded(core, coding, document.body.as_slice(), core.settings.answer_bytes_max);
        document.body = decoded.map_err(Error::upstream)?;
        document.changed.bytes = true;
    }
    Ok(())
}

/// Has it inspected, and does what the policy says. `verdict` is what it says of the head.
fn decide(
    core: &Core,
    document: &mut Document<'_>,
    exchange: &mut Exchange,
    verdict: Option<Action>,
) -> Result<Coverage, Error> {
    let policy = document.policy;
    let mut inspector = core.inspector.borrow_mut();
    let result = inspector.inspect_answer(policy, &document.answer(exchange));
    let counters = core.counters();
    counters.inspected_bytes.add(inspector.bytes());
    counters.uninspected.add(u64::from(inspector.unread()));
    let action = result.map_err(|stop| Error::upstream(Kind::from(stop)))?;
    count_usage(core, exchange.api, inspector.usage());
    let coverage = match inspector.unread() {
        0 => Coverage::Full,
        _ if inspector.skipped() => Coverage::NoneContentType,
        _ => Coverage::PartialMedia,
    };
    let action = tell(core, policy, exchange, &inspector, action);
    match action {
        Action::Block => {
            let code = inspector.reason(policy).map(|rule| rule.code).or_else(|| Code::new(tools::DENIED));
            exchange.reasoned = code.map(|code| Reasoned::of(policy, code));
            return Err(Error::upstream(Kind::Blocked));
        }
        Action::Redact | Action::Tokenise => redact(core, document, exchange, &mut inspector)?,
        Action::Warn | Action::Allow => {}
    }
    if let Some(vault) = &exchange.vault {
        restore(core, document, exchange, vault, &mut inspector)?;
    }
    count_verdict(core, action.max(verdict.unwrap_or(Action::Allow)));
    Ok(coverage)
}

/// Tells of what was found, by rules and in calls of tools. Returns what is done about all of it.
fn tell(core: &Core, policy: &Policy, exchange: &Exchange, inspector: &Inspector, action: Action) -> Action {
    let denied = inspector.denied();
    let about_tools = match policy.tools().otherwise() {
        _ if denied == 0 => Action::Allow,
        ToolVerdict::Block => Action::Block,
        ToolVerdict::Warn | ToolVerdict::Allow => Action::Warn,
    };
    let all = action.max(about_tools);
    let subject = Asked::answer(exchange.asked.as_ref());
    if action > Action::Allow {
        core.counters().matches.add(inspector.hits().len() as u64);
        report::hits(core, policy, &subject, inspector.hits(), all);
    }
    if denied > 0 {
        report::tools(core, policy, &subject, denied, about_tools);
    }
    all
}

/// Puts placeholders in. What comes out must have the one reading that the rules were applied to.
fn redact(
    core: &Core,
    document: &mut Document<'_>,
    exchange: &mut Exchange,
    inspector: &mut Inspector,
) -> Result<(), Error> {
    if inspector.likelihoods() {
        // They repeat the text token by token, in bytes as well: nothing of them can be replaced.
        return Err(Error::upstream(Kind::UnsupportedContent));
    }
    let redaction = Redaction::new(document.policy, inspector.hits(), Target::Body);
    let mut changed = Buffer::new(&core.blocks);
    let count = redaction.write(document.body.as_slice(), |bytes| changed.extend(bytes)).map_err(full)?;
    document.body = changed;
    document.changed.bytes = true;
    exchange.redacted += count;
    core.counters().redactions.add(u64::from(count));
    if inspector.reads_answer(&document.answer(exchange)) { Ok(()) } else { Err(Error::upstream(Kind::Blocked)) }
}

/// Puts values back where the answer repeats their placeholders. All that is redacted in it stays redacted: this comes behind.
fn restore(
    core: &Core,
    document: &mut Document<'_>,
    exchange: &Exchange,
    vault: &Vault,
    inspector: &mut Inspector,
) -> Result<(), Error> {
    let edits = inspector.restorations(vault, &document.answer(exchange));
    if edits.is_empty() {
        return Ok(());
    }
    let mut changed = Buffer::new(&core.blocks);
    restore::splice(document.body.as_slice(), &edits, |bytes| changed.extend(bytes)).map_err(full)?;
    document.body = changed;
    document.changed.bytes = true;
    Ok(())
}

/// Writes a long body in pieces, each of which the client must take within the time for one.
async fn write_body(core: &Core, client: &mut Client, body: &mut Buffer, exchange: &Exchange) -> Result<(), Error> {
    let mut at = 0;
    while at < body.len() {
        let end = body.len().min(at + limits::UPLOAD_PIECE_BYTES);
        let until = exchange.until.min(client.now + core.settings.timeouts.idle);
        let result = client.deadline.within(until, client.stream.write(body, at..end)).await;
        client.now = clock::now();
        match result {
            Ok(result) => result.map_err(Error::client)?,
            Err(_) => return Err(Error::client(Kind::Closed)),
        }
        at = end;
    }
    Ok(())
}
