//! What a rule found in a request: its code, its place, and where it stands, without a byte of it unless that is asked for.

use std::fmt;

use serde::Serialize;

use crate::policy::Action;
use crate::policy::Policy;
use crate::policy::places::role_label;
use crate::proxy::inspection::Hit;
use crate::proxy::inspection::Message;
use crate::proxy::inspection::Target;

/// A match. The order of the fields is that of the JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::command) struct Finding {
    pub(in crate::command) code: String,
    rule: String,
    severity: &'static str,
    /// What the rule does.
    action: &'static str,
    /// Which bytes the spans point into: `body`, `text`, `url`, or the name of a header field.
    #[serde(rename = "in")]
    pub(in crate::command) target: String,
    part: &'static str,
    layer: &'static str,
    role: &'static str,
    /// Where: more than one where a value goes on in another string.
    pub(in crate::command) spans: Vec<Span>,
    /// Whether a checksum or structure confirms it.
    validated: bool,
    /// What it is replaced by, without its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    placeholder: Option<Placeholder>,
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub(in crate::command) matched: Option<String>,
}

/// A rule's placeholder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Placeholder {
    word: String,
    numbered: bool,
}

/// A range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(in crate::command) struct Span {
    /// The first.
    pub(in crate::command) start: usize,
    /// The one behind the last.
    pub(in crate::command) end: usize,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(in crate::command) line: Option<Line>,
}

/// A place in a text; both count from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(in crate::command) struct Line {
    pub(in crate::command) line: usize,
    pub(in crate::command) column: usize,
}

impl Finding {
    /// By where it stands and what it is: equal for two policies that find the same.
    pub(in crate::command) fn key(&self) -> (&str, &[Span], &str) {
        (&self.target, &self.spans, &self.code)
    }

    /// What is done about it and told of it. Which rule does it is no part of that.
    pub(in crate::command) fn effect(&self) -> impl PartialEq + '_ {
        (self.action, self.severity, &self.placeholder)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.target)?;
        if let Some(Line { line, column }) = self.spans.first().and_then(|span| span.line) {
            write!(f, "{line}:{column} ")?;
        }
        for (index, Span { start, end, .. }) in self.spans.iter().enumerate() {
            write!(f, "{}{start}..{end}", if index == 0 { "" } else { "+" })?;
        }
        let Self { action, severity, code, part, layer, role, rule, .. } = self;
        write!(f, "  {action}  {severity}  {code}  {part}/{layer}/{role}  rule {rule}")?;
        match &self.matched {
            // Quoted and escaped: a terminal must not obey a prompt.
            Some(matched) => write!(f, "  {matched:?}"),
            None => Ok(()),
        }
    }
}

/// The hits of a request in the order of their places, those that belong together as one.
pub(super) fn findings(policy: &Policy, hits: &[Hit], message: &Message<'_>, matches: bool) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for hit in hits {
        let (target, bytes, begin) = target(hit, message);
        let range = (hit.start as usize, hit.end as usize);
        let span = Span { start: range.0.saturating_sub(begin), end: range.1.saturating_sub(begin), line: None };
        let found = matches.then(|| String::from_utf8_lossy(bytes.get(range.0..range.1).unwrap_or_default()));
        if hit.continued
            && let Some(last) = findings.last_mut()
        {
            last.spans.push(span);
            last.matched = last.matched.take().zip(found).map(|(first, rest)| first + &rest);
            continue;
        }
        let Some(rule) = hit.rule(policy) else { continue };
        let placeholder =
            || Placeholder { word: rule.placeholder.word.to_string(), numbered: rule.placeholder.numbered };
        findings.push(Finding {
            code: rule.code.to_string(),
            rule: rule.id.to_string(),
            severity: rule.severity.label(),
            action: rule.action.label(),
            target,
            part: hit.place.part.label(),
            layer: hit.place.layer.label(),
            role: role_label(hit.place.role),
            spans: vec![span],
            validated: hit.validated,
            placeholder: (rule.action == Action::Redact).then(placeholder),
            matched: found.map(String::from),
        });
    }
    findings.sort_by(|one, other| one.key().cmp(&other.key()));
    findings
}

/// What a hit points into: its name, all of its bytes, and where it begins in them.
fn target<'a>(hit: &Hit, message: &Message<'a>) -> (String, &'a [u8], usize) {
    let Message { head, bytes, body } = *message;
    if hit.target == Target::Body {
        return ("body".to_owned(), body, 0);
    }
    let holds = |range: std::ops::Range<usize>| range.contains(&(hit.start as usize));
    match head.fields.iter().find(|field| holds(field.value.range())) {
        Some(field) => {
            let name = String::from_utf8_lossy(field.spelling.of(bytes)).to_ascii_lowercase();
            (name, bytes, field.value.range().start)
        }
        None => ("url".to_owned(), bytes, head.path.range().start),
    }
}
