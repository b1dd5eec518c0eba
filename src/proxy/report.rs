//! What is told of a message: one event for each rule and place, never a byte of it.
//!
//! Events go into this core's ring. Where it is full they are counted and dropped; nobody waits for a reader.

use aws_lc_rs::hmac;

use crate::clock;
use crate::error::Error;
use crate::error::Kind;
use crate::extract::Layer;
use crate::extract::Part;
use crate::extract::Unreadable;
use crate::inspect::detector::Severity;
use crate::limits;
use crate::policy::Action;
use crate::policy::Policy;
use crate::policy::Scope;
use crate::policy::Uuid;
use crate::policy::code::Code;
use crate::policy::tools;
use crate::shared::counters::Verdict;
use crate::shared::events::Done;
use crate::shared::events::Event;
use crate::shared::events::Matched;
use crate::shared::events::Method;

use super::Core;
use super::inspection::Hit;
use super::inspection::Message;
use super::refusal;
use super::refusal::Reasoned;

/// What is told of: a request, or the answer to it.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    /// Which of the two.
    pub scope: Scope,
    /// The method of the request.
    pub method: Method,
    /// The path of the request, with or without its query.
    pub path: &'a [u8],
}

impl<'a> Subject<'a> {
    /// A request.
    pub(super) fn of(message: &Message<'a>) -> Self {
        let Message { head, bytes, .. } = *message;
        Self { scope: Scope::Request, method: Method::of(head.method_text.of(bytes)), path: head.path.of(bytes) }
    }
}

/// Tells of the hits in a message that was decided by `action`. It allocates: clean messages never come here.
pub(super) fn hits(core: &Core, policy: &Policy, subject: &Subject<'_>, hits: &[Hit], action: Action) {
    for event in events(core, policy, subject, hits, action) {
        send(core, event);
    }
}

/// One event for each rule and place.
fn events(core: &Core, policy: &Policy, subject: &Subject<'_>, hits: &[Hit], action: Action) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::with_capacity(limits::EVENTS_PER_REQUEST_MAX);
    let whole = matched(core, policy, subject);
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
    events
}

/// Tells of so many calls of tools that the policy speaks against.
pub(super) fn tools(core: &Core, policy: &Policy, subject: &Subject<'_>, count: u32, action: Action) {
    if let Some(event) = tools_event(core, policy, subject, count, action) {
        send(core, event);
    }
}

fn tools_event(core: &Core, policy: &Policy, subject: &Subject<'_>, count: u32, action: Action) -> Option<Event> {
    let code = Code::new(tools::DENIED)?;
    let matched = Matched { part: Part::Tools, layer: Layer::ToolCall, ..matched(core, policy, subject) };
    let done = if action == Action::Block { Done::Block } else { Done::Warn };
    Some(Event { done, count, ..event(core, policy, code, matched) })
}

/// What is told of an answer that comes bit by bit: of each rule and place at once where it is first met, and at the end how often it
/// was after that. So a stream has no more than twice the events of an answer in one piece.
#[derive(Default)]
pub(super) struct Told {
    /// What has been told of; `count` is what has not been yet. `limits::EVENTS_PER_REQUEST_MAX` at most, and those of
    /// a block, which is the last.
    events: Vec<Event>,
}

impl Told {
    /// Tells of hits as [`hits`] does.
    pub(super) fn hits(&mut self, core: &Core, policy: &Policy, subject: &Subject<'_>, hits: &[Hit], action: Action) {
        for event in events(core, policy, subject, hits, action) {
            self.add(core, event);
        }
    }

    /// Tells of calls as [`tools()`] does.
    pub(super) fn tools(&mut self, core: &Core, policy: &Policy, subject: &Subject<'_>, count: u32, action: Action) {
        if let Some(event) = tools_event(core, policy, subject, count, action) {
            self.add(core, event);
        }
    }

    fn add(&mut self, core: &Core, event: Event) {
        let key = |event: &Event| (event.rule, event.code, event.done, event.matched);
        if let Some(same) = self.events.iter_mut().find(|same| key(same) == key(&event)) {
            same.count += event.count;
        } else if self.events.len() < limits::EVENTS_PER_REQUEST_MAX || event.done == Done::Block {
            send(core, event);
            self.events.push(Event { count: 0, ..event });
        }
    }

    /// The end of the answer.
    pub(super) fn finish(&mut self, core: &Core) {
        for told in self.events.drain(..).filter(|told| told.count > 0) {
            send(core, Event { uuid: uuid(core), occurred_at: clock::unix(), ..told });
        }
    }
}

/// Tells of a message that was refused for a bound or for what it is, and gives the refusal its reason unless a rule has given it. An
/// error that is none of inspection's is not told of.
pub(super) fn refused(
    core: &Core,
    policy: &Policy,
    subject: &Subject<'_>,
    reasoned: &mut Option<Reasoned>,
    error: Error,
) {
    if reasoned.is_some() {
        count_verdict(core, subject.scope, Verdict::Block);
        return;
    }
    let is_answer = subject.scope == Scope::Response;
    let code = if is_answer { answer_code_of(error.kind) } else { refusal::bound_code(error.kind) };
    let Some(code) = code.and_then(Code::new) else {
        if !is_answer && matches!(error.kind, Kind::Unreadable(_) | Kind::Encoding) {
            count_verdict(core, subject.scope, Verdict::Refuse);
        }
        return;
    };
    count_verdict(core, subject.scope, Verdict::Refuse);
    if is_answer || error.kind == Kind::Blocked {
        *reasoned = Some(Reasoned::of(policy, code));
    }
    send(core, event(core, policy, code, matched(core, policy, subject)));
}

/// Counts what was said of a message.
pub(super) fn count_verdict(core: &Core, scope: Scope, verdict: Verdict) {
    match scope {
        Scope::Request => core.counters().count_verdict(verdict),
        Scope::Response => core.counters().count_answer_verdict(verdict),
    }
}

/// The reason codes of answers that cannot be inspected. All of them are told to the caller: whatever the reason, asking again gets no further.
const fn answer_code_of(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Blocked => Some("POLICY.SCAN_LIMIT"),
        Kind::BodyTooLarge => Some("POLICY.ANSWER_TOO_LARGE"),
        Kind::UnsupportedContent => Some("POLICY.UNSUPPORTED_CONTENT"),
        Kind::DecodeLimit | Kind::Unreadable(Unreadable::Pieces) => Some("POLICY.DECODE_LIMIT"),
        Kind::Unreadable(_) | Kind::Encoding => Some("POLICY.ANSWER_UNREADABLE"),
        _ => None,
    }
}

/// The body of a message: where a match is that has no narrower place.
fn matched(core: &Core, policy: &Policy, subject: &Subject<'_>) -> Matched {
    let Subject { scope, method, path } = *subject;
    let path = path.split(|&byte| byte == b'?').next().unwrap_or_default();
    let key = policy.path_key().unwrap_or(&core.path_key);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), path);
    let path_hash = tag.as_ref().first_chunk().map_or(0, |half: &[u8; 16]| u128::from_be_bytes(*half));
    Matched { scope, part: Part::Body, layer: Layer::PostTemplate, method, path_hash }
}

/// An event without a rule.
fn event(core: &Core, policy: &Policy, code: Code, matched: Matched) -> Event {
    Event {
        uuid: uuid(core),
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

fn uuid(core: &Core) -> Uuid {
    let sequence = core.event_sequence.get();
    core.event_sequence.set(sequence.wrapping_add(1));
    Uuid::custom(core.seed, sequence)
}

fn send(core: &Core, event: Event) {
    if core.events.borrow_mut().push(event).is_err() {
        core.counters().events_dropped.increment();
    }
}
