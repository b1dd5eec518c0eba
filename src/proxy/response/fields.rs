//! The fields of an answer's head, where a rule holds for them.

use crate::error::Error;
use crate::error::Kind;
use crate::extract::Part;
use crate::http::head::ResponseHead;
use crate::net::buffer::Buffer;
use crate::policy::Action;
use crate::policy::Scope;
use crate::proxy::Asked;
use crate::proxy::Core;
use crate::proxy::Exchange;
use crate::proxy::inspection::Target;
use crate::proxy::inspection::redact::Redaction;
use crate::proxy::refusal::Reasoned;
use crate::proxy::report;

use super::Arrival;

/// Inspects them, and puts placeholders in where a rule says so.
///
/// # Errors
/// The answer is refused.
pub(super) fn inspect(core: &Core, arrival: &mut Arrival<'_>, exchange: &mut Exchange) -> Result<(), Error> {
    let policy = arrival.policy;
    if !policy.looks_at(Scope::Response, Part::Headers) {
        return Ok(());
    }
    let mut inspector = core.inspector.borrow_mut();
    let result = inspector.inspect_fields(policy, &arrival.response.head.fields, arrival.head_bytes());
    core.counters().inspected_bytes.add(inspector.bytes());
    let action = result.map_err(|stop| Error::upstream(Kind::from(stop)))?;
    arrival.verdict = Some(action);
    if action == Action::Allow {
        return Ok(());
    }
    core.counters().matches.add(inspector.hits().len() as u64);
    report::hits(core, policy, &Asked::answer(exchange.asked.as_ref()), inspector.hits(), action);
    if action == Action::Block {
        exchange.reasoned = inspector.reason(policy).map(|rule| Reasoned::of(policy, rule.code));
        return Err(Error::upstream(Kind::Blocked));
    }
    let redaction = Redaction::new(policy, inspector.hits(), Target::Head);
    if !redaction.is_empty() {
        let count = redact(core, arrival, &redaction, exchange.to_head)?;
        exchange.redacted += count;
        core.counters().redactions.add(u64::from(count));
    }
    Ok(())
}

/// Changes the head where it was received.
fn redact(core: &Core, arrival: &mut Arrival<'_>, redaction: &Redaction<'_>, to_head: bool) -> Result<u32, Error> {
    let full = |_| Error::upstream(Kind::Memory);
    let mut changed = Buffer::new(&core.blocks);
    let received = arrival.upstream.received.as_slice();
    let (bytes, rest) = received.split_at_checked(arrival.response.head_length).unwrap_or_default();
    let count = redaction.write(bytes, |bytes| changed.extend(bytes)).map_err(full)?;
    let head_length = changed.len();
    let head = ResponseHead::parse(changed.as_slice(), to_head).map_err(Error::upstream)?;
    changed.extend(rest).map_err(full)?;
    (arrival.response.head, arrival.response.head_length) = (head, head_length);
    arrival.upstream.received = changed;
    Ok(count)
}
