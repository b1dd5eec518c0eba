//! What is told of a request: one event for each rule and place, never a byte of it.
//!
//! Events go into this core's ring. Where it is full they are counted and dropped; nobody waits for a reader.

use aws_lc_rs::hmac;

use crate::clock;
use crate::error::Error;
use crate::error::Kind;
use crate::extract::Layer;
use crate::extract::Part;
use crate::inspect::detector::Severity;
use crate::limits;
use crate::policy::Action;
use crate::policy::Policy;
use crate::policy::Scope;
use crate::policy::Uuid;
use crate::policy::code::Code;
use crate::shared::counters::Verdict;
use crate::shared::events::Done;
use crate::shared::events::Event;
use crate::shared::events::Matched;
use crate::shared::events::Method;

use super::Core;
use super::Exchange;
use super::inspection::Hit;
use super::inspection::Message;
use super::refusal;
use super::refusal::Reasoned;

/// Tells of the hits in a request that was decided by `action`. It allocates: clean requests never come here.
pub(super) fn hits(core: &Core, policy: &Policy, message: &Message<'_>, hits: &[Hit], action: Action) {
    let mut events: Vec<Event> = Vec::with_capacity(limits::EVENTS_PER_REQUEST_MAX);
    let whole = matched(core, policy, message);
    for hit in hits.iter().filter(|hit| !hit.continued) {
        let Some(rule) = hit.rule(policy) else { continue };
        let same = |event: &&mut Event| {
            event.rule == rule.id
                && event
                    .matched
                    .is_some_and(|matched| matched.part == hit.place.part && matched.layer == hit.place.layer)
        };
        if let Some(event) = events.iter_mut().find(same) {
            event.count += 1;
            continue;
        }
        if events.len() == limits::EVENTS_PER_REQUEST_MAX {
            continue;
        }
        let done = match (rule.action, action) {
            (Action::Allow | Action::Warn, _) => Done::Warn,
            (_, Action::Block) => Done::Block,
            _ => Done::Redact,
        };
        let matched = Matched { part: hit.place.part, layer: hit.place.layer, ..whole };
        let event = event(core, policy, rule.code, matched);
        events.push(Event { rule: rule.id, severity: rule.severity, done, ..event });
    }
    for event in events {
        send(core, event);
    }
}

/// Tells of a request that was refused for a bound or for what it is, and gives the refusal its reason.
pub(super) fn refused(core: &Core, policy: &Policy, message: &Message<'_>, exchange: &mut Exchange, error: Error) {
    let counters = core.counters();
    if exchange.reasoned.is_some() {
        counters.count_verdict(Verdict::Block);
        return;
    }
    let Some(code) = refusal::bound_code(error.kind).and_then(Code::new) else {
        if matches!(error.kind, Kind::Unreadable(_) | Kind::Encoding) {
            counters.count_verdict(Verdict::Refuse);
        }
        return;
    };
    counters.count_verdict(Verdict::Refuse);
    if error.kind == Kind::Blocked {
        exchange.reasoned = Some(Reasoned { code, policy_version: policy.version() });
    }
    send(core, event(core, policy, code, matched(core, policy, message)));
}

/// The body of a request: where a match is that has no narrower place.
fn matched(core: &Core, policy: &Policy, message: &Message<'_>) -> Matched {
    let Message { head, bytes, .. } = message;
    let path = head.path.of(bytes).split(|&byte| byte == b'?').next().unwrap_or_default();
    let key = policy.path_key().unwrap_or(&core.path_key);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), path);
    let path_hash = tag.as_ref().first_chunk().map_or(0, |half: &[u8; 16]| u128::from_be_bytes(*half));
    let method = Method::of(head.method_text.of(bytes));
    Matched { scope: Scope::Request, part: Part::Body, layer: Layer::PostTemplate, method, path_hash }
}

/// An event without a rule.
fn event(core: &Core, policy: &Policy, code: Code, matched: Matched) -> Event {
    let sequence = core.event_sequence.get();
    core.event_sequence.set(sequence.wrapping_add(1));
    Event {
        uuid: Uuid::custom(core.seed, sequence),
        rule: Uuid::default(),
        code,
        severity: Severity::Medium,
        done: Done::Block,
        matched: Some(matched),
        count: 1,
        occurred_at: clock::unix(),
        policy_version: policy.version(),
    }
}

fn send(core: &Core, event: Event) {
    if core.events.borrow_mut().push(event).is_err() {
        core.counters().events_dropped.increment();
    }
}
