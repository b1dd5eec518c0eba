//! What a gateway would decide about a request, found out by the code that decides there.
//!
//! ```text
//!  file ─► input ─► Shape (a head around it) ─► proxy::inspection ─► Outcome ─► told as lines or as JSON
//! ```
//! A trial opens no socket. It keeps no byte of what it was tried on but what was asked for: a redacted body, or the matches.

pub(super) mod finding;
pub(super) mod input;
pub(super) mod shape;
pub(super) mod text;

use std::fmt;

use serde::Serialize;

use crate::error::Error;
use crate::error::Kind;
use crate::http::head::RequestHead;
use crate::policy::Action;
use crate::policy::Policy;
use crate::proxy::inspection::Inspector;
use crate::proxy::inspection::Message;
use crate::proxy::inspection::Target;
use crate::proxy::inspection::redact::Redaction;
use crate::proxy::refusal;
use crate::proxy::refusal::Refusal;

use finding::Finding;
use shape::Shape;

/// What a gateway would do. Ascending by how much it hinders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// Sends it on as it is, and says nothing.
    Allow,
    /// Sends it on as it is, and tells.
    Warn,
    /// Sends it on with placeholders.
    Redact,
    /// Refuses it: a rule says so.
    Block,
    /// Refuses it: it cannot be inspected.
    Refuse,
}

/// All, ascending.
pub(super) const VERDICTS: [Verdict; 5] =
    [Verdict::Allow, Verdict::Warn, Verdict::Redact, Verdict::Block, Verdict::Refuse];

impl Verdict {
    /// The word for it.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Redact => "redact",
            Self::Block => "block",
            Self::Refuse => "refuse",
        }
    }
}

/// A verdict, and what the caller would read where it is a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Decision {
    pub(super) verdict: Verdict,
    /// The reason code of a refusal; some have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) answer: Option<Answer>,
}

/// What a refusal looks like to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Answer {
    status: u16,
    error: &'static str,
    message: &'static str,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verdict.label())?;
        let Some(answer) = &self.answer else { return Ok(()) };
        match (self.verdict, &self.reason) {
            (Verdict::Block, Some(reason)) => write!(f, " {} {reason}", answer.status),
            (_, Some(reason)) => write!(f, " {} {reason}: {}", answer.status, answer.message),
            (_, None) => write!(f, " {} {}: {}", answer.status, answer.error, answer.message),
        }
    }
}

impl Decision {
    const fn pass(verdict: Verdict) -> Self {
        Self { verdict, reason: None, answer: None }
    }

    fn refuse(verdict: Verdict, kind: Kind, reason: Option<String>) -> Self {
        let answer = |Refusal { status, code, message, .. }| Answer { status, error: code, message };
        Self { verdict, reason, answer: Refusal::of(Error::client(kind)).map(answer) }
    }

    /// What the gateway answers where inspection could not be done or not finished.
    fn unfinished(kind: Kind) -> Self {
        Self::refuse(Verdict::Refuse, kind, refusal::bound_code(kind).map(str::to_owned))
    }
}

/// What came of one body.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) decision: Decision,
    /// By where they stand. None where inspection did not come to its end.
    pub(super) findings: Vec<Finding>,
    /// The body as it would be sent on, where it is another than the one received.
    pub(super) redacted: Option<Vec<u8>>,
    /// Parts that are sent on unread.
    pub(super) unread: u32,
}

/// A policy, and what it is tried with.
pub(super) struct Trial<'p> {
    policy: &'p Policy,
    inspector: Inspector,
}

impl<'p> Trial<'p> {
    pub(super) fn new(policy: &'p Policy) -> Self {
        Self { policy, inspector: Inspector::default() }
    }

    /// Decides about a body in a request of this shape. `matches`: whether findings quote what matched.
    pub(super) fn run(&mut self, shape: &Shape, body: &[u8], matches: bool) -> Outcome {
        let refused =
            |kind| Outcome { decision: Decision::unfinished(kind), findings: Vec::new(), redacted: None, unread: 0 };
        let bytes = shape.head(body.len());
        let head = match RequestHead::parse(&bytes) {
            Ok(head) => head,
            Err(malformed) => return refused(malformed.into()),
        };
        let message = Message { head: &head, bytes: &bytes, body };
        let action = match self.inspector.inspect(self.policy, &message) {
            Ok(action) => action,
            Err(stop) => return refused(stop.into()),
        };
        let findings = finding::findings(self.policy, self.inspector.hits(), &message, matches);
        let unread = self.inspector.unread();
        let (decision, redacted) = match action {
            Action::Allow => (Decision::pass(Verdict::Allow), None),
            Action::Warn => (Decision::pass(Verdict::Warn), None),
            Action::Block => {
                let reason = self.inspector.reason(self.policy).map(|rule| rule.code.to_string());
                (Decision::refuse(Verdict::Block, Kind::Blocked, reason), None)
            }
            Action::Redact | Action::Tokenise => match self.redact(&message) {
                Ok(body) => (Decision::pass(Verdict::Redact), Some(body)),
                Err(kind) => (Decision::unfinished(kind), None),
            },
        };
        Outcome { decision, findings, redacted, unread }
    }

    /// The body as it would be sent on. Like a gateway it looks again at what came out, which must have one reading still.
    fn redact(&mut self, message: &Message<'_>) -> Result<Vec<u8>, Kind> {
        let written = |target, bytes: &[u8]| {
            let mut out = Vec::with_capacity(bytes.len());
            let redaction = Redaction::new(self.policy, self.inspector.hits(), target);
            // A vector takes every write, or the process ends.
            let _ = redaction.write(bytes, |part| {
                out.extend_from_slice(part);
                Ok::<(), fmt::Error>(())
            });
            out
        };
        let (bytes, body) = (written(Target::Head, message.bytes), written(Target::Body, message.body));
        let head = RequestHead::parse(&bytes)?;
        if self.inspector.reads(&Message { head: &head, bytes: &bytes, body: &body }) {
            Ok(body)
        } else {
            Err(Kind::Blocked)
        }
    }
}
