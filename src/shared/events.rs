//! What is told of a block: a closed type without free text, and the ring that carries it from a core to the thread that writes.
//!
//! An event holds codes, numbers and hashes. There is no field that could take a byte of a body, a URL or a header value, so none
//! can get out this way. Each core has a bounded ring of its own; where it is full the event is dropped and counted, and nobody waits.

use std::fmt::Write;
use std::time::Duration;

use rtrb::Consumer;
use rtrb::Producer;
use rtrb::RingBuffer;

use crate::extract::Layer;
use crate::extract::Part;
use crate::inspect::detector::Severity;
use crate::limits;
use crate::policy::Scope;
use crate::policy::Uuid;
use crate::policy::code::Code;
use crate::policy::time;

/// What was done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// The request was refused.
    Block,
    /// The request was sent on with something replaced.
    Redact,
    /// Nothing; the rule only tells.
    Warn,
    /// A policy was refused, and the last good one stayed.
    Keep,
}

/// The method of a request, as far as it is worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the method of that name")]
pub enum Method {
    Delete,
    Get,
    Head,
    Options,
    Patch,
    Post,
    Put,
    Other,
}

/// Where in a request something was matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matched {
    /// In the request or in the answer.
    pub scope: Scope,
    /// In which part of it.
    pub part: Part,
    /// In what kind of text.
    pub layer: Layer,
    /// The method of the request.
    pub method: Method,
    /// The request's path without its query, as a keyed hash (HMAC-SHA-256, the first 128 bits).
    pub path_hash: u128,
}

/// One event, as `docs` describe it to the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// By which a receiver knows it again when it is sent twice.
    pub uuid: Uuid,
    /// The rule; nil where no rule but a bound or the policy itself is the reason.
    pub rule: Uuid,
    /// The reason code.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// What was done.
    pub done: Done,
    /// Where; none for an event of the policy itself.
    pub matched: Option<Matched>,
    /// Matches of this rule at this place of the request; at least one.
    pub count: u32,
    /// When, since the Unix epoch.
    pub occurred_at: Duration,
    /// The version of the policy that was in force.
    pub policy_version: u64,
}

/// The writing end of a ring; belongs to one thread.
pub type Sender = Producer<Event>;

/// The reading end of a ring.
pub type Receiver = Consumer<Event>;

/// A ring of `limits::EVENTS_MAX` events.
#[must_use]
pub fn ring() -> (Sender, Receiver) {
    RingBuffer::new(limits::EVENTS_MAX)
}

impl Event {
    /// Appends the event as one line of JSON, the line feed included. All parts are numbers and words of closed sets: nothing needs
    /// escaping.
    pub fn write_json(&self, out: &mut String) {
        let Self { uuid, rule, code, policy_version, count, .. } = self;
        let occurred_at = time::write_milliseconds(self.occurred_at);
        let severity = self.severity.label();
        let action = self.done.label();
        let retry = self.done == Done::Redact;
        // Writing to a string cannot fail.
        let _ = write!(out, r#"{{"uuid":"{uuid}","agent_id":null,"rule_id":"{rule}","#);
        let _ = match &self.matched {
            Some(Matched { scope, part, layer, method, path_hash }) => write!(
                out,
                r#""scope":"{}","matched_in":"{}","request_method":"{}","layer":"{}","path_hash":"{path_hash:032x}","#,
                scope.label(),
                part.label(),
                method.label(),
                layer.label()
            ),
            None => {
                write!(out, r#""scope":null,"matched_in":null,"request_method":null,"layer":null,"path_hash":null,"#)
            }
        };
        let _ = writeln!(
            out,
            r#""occurred_at":"{occurred_at}","reason_code":"{code}","severity":"{severity}","retry":{retry},"action":"{action}","count":{count},"policy_version":{policy_version}}}"#
        );
    }
}

impl Done {
    /// The word on the wire.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Redact => "redact",
            Self::Warn => "warn",
            Self::Keep => "keep",
        }
    }
}

impl Method {
    /// The method of that name.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        match name {
            b"DELETE" => Self::Delete,
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"OPTIONS" => Self::Options,
            b"PATCH" => Self::Patch,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            _ => Self::Other,
        }
    }

    /// The word on the wire.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Other => "OTHER",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            uuid: Uuid(0x0123_4567_89ab_8def_8123_4567_89ab_cdef),
            rule: Uuid(1),
            code: Code::new("DLP.PII.IBAN").unwrap(),
            severity: Severity::High,
            done: Done::Redact,
            matched: Some(Matched {
                scope: Scope::Request,
                part: Part::Tools,
                layer: Layer::ToolCall,
                method: Method::of(b"POST"),
                path_hash: 0xff,
            }),
            count: 2,
            occurred_at: Duration::from_millis(1_794_998_400_250),
            policy_version: 7,
        }
    }

    #[test]
    fn an_event_is_one_line_with_the_fields_of_the_contract() {
        let mut out = String::new();
        event().write_json(&mut out);
        Event { matched: None, done: Done::Keep, ..event() }.write_json(&mut out);
        let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [full, bare] = &lines[..] else { panic!("{out}") };
        let expected = serde_json::json!({
            "uuid": "01234567-89ab-8def-8123-456789abcdef", "agent_id": null,
            "rule_id": "00000000-0000-0000-0000-000000000001", "scope": "request", "matched_in": "tools",
            "request_method": "POST", "layer": "tool-call", "path_hash": "000000000000000000000000000000ff",
            "occurred_at": "2026-11-18T10:40:00.250Z", "reason_code": "DLP.PII.IBAN", "severity": "high", "retry": true,
            "action": "redact", "count": 2, "policy_version": 7,
        });
        assert_eq!(*full, expected);
        assert!(bare["matched_in"].is_null() && bare["retry"] == false && bare["action"] == "keep", "{bare}");
    }

    #[test]
    fn a_full_ring_takes_no_more_and_loses_nothing_that_it_took() {
        let (mut sender, mut receiver) = ring();
        for index in 0..limits::EVENTS_MAX {
            let count = u32::try_from(index).unwrap();
            assert!(sender.push(Event { count, ..event() }).is_ok());
        }
        assert!(sender.push(event()).is_err());
        let taken: Vec<u32> = std::iter::from_fn(|| receiver.pop().ok()).map(|event| event.count).collect();
        assert_eq!(taken.len(), limits::EVENTS_MAX);
        assert!(taken.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
