//! A policy in sentences: what each rule looks for, where, and what it does.

use std::fmt::Write as _;

use super::Action;
use super::Scope;
use super::Unread;
use super::answers::Answers;
use super::answers::Overdue;
use super::answers::Oversize;
use super::document::Document;
use super::document::Rule;
use super::places;
use super::time;
use super::tools::ToolVerdict;
use super::tools::Tools;
use crate::inspect::scan::Find;
use crate::inspect::scan::Validator;

/// Literals that are shown; the rest is counted.
const LITERALS_SHOWN_MAX: usize = 5;

/// The whole policy, without its rules.
#[must_use]
pub fn explain(document: &Document) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = match &*document.tenant {
        "" => writeln!(out, "the built-in policy"),
        tenant => writeln!(out, "policy of {tenant}, version {}", document.version),
    };
    let holds = match (document.not_before.map(time::write), document.not_after.map(time::write)) {
        (None, None) => "always".to_owned(),
        (Some(from), None) => format!("from {from} on"),
        (None, Some(until)) => format!("until {until}"),
        (Some(from), Some(until)) => format!("from {from} until {until}"),
    };
    let unread = |unread| if unread == Unread::Forward { "sent on uninspected" } else { "refused" };
    let _ = writeln!(out, "  holds {holds}");
    let _ = writeln!(out, "  bodies of media types that are not inspected: {}", unread(document.content));
    let _ = writeln!(out, "  images, audio and files inside a body: {}", unread(document.media));
    let _ = writeln!(
        out,
        "  paths in events are hashed with {} key",
        if document.path_key.is_some() { "its own" } else { "the gateway's" }
    );
    tools(&mut out, &document.tools);
    answers(&mut out, &document.answers);
    let _ = writeln!(out, "  rules: {}", document.rules.len());
    out
}

fn tools(out: &mut String, tools: &Tools) {
    let denied = list(tools.denies().map(|name| format!("{name:?}")));
    let may = match (tools.allowed(), denied.is_empty()) {
        (None, true) => "every one".to_owned(),
        (None, false) => format!("every one but {denied}"),
        (Some(names), true) => format!("{}, and no other", list(names.map(|name| format!("{name:?}")))),
        (Some(names), false) => {
            format!("{}, and no other; never {denied}", list(names.map(|name| format!("{name:?}"))))
        }
    };
    // Writing to a string cannot fail.
    let _ = write!(out, "  tools that an answer may call: {may}");
    let _ = match tools.otherwise() {
        _ if tools.is_empty() => writeln!(out),
        ToolVerdict::Block => writeln!(out, "; a call of another blocks the answer"),
        ToolVerdict::Warn | ToolVerdict::Allow => writeln!(out, "; a call of another is told of"),
    };
}

fn answers(out: &mut String, answers: &Answers) {
    let oversize = match answers.oversize {
        Oversize::Refuse => "refused",
        Oversize::Scan => "inspected while they pass",
    };
    let overdue = match answers.at_hold_limit {
        Overdue::Redact => "what is a match so far is redacted and the rest is sent on",
        Overdue::Release => "it is sent on",
        Overdue::Block => "the answer is cut",
    };
    let (bytes, milliseconds) = (answers.hold_bytes, answers.hold_time.as_millis());
    // Writing to a string cannot fail.
    let _ = writeln!(out, "  answers too large to be held: {oversize}");
    let _ = writeln!(
        out,
        "  text with an open match waits for {bytes} bytes and {milliseconds} ms at most, then {overdue}"
    );
}

/// One rule.
#[must_use]
pub fn explain_rule(rule: &Rule) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "rule {} {} ({})", rule.id, rule.code, rule.severity.label());
    let _ = writeln!(out, "  looks for  {}", looks_for(rule));
    let scopes = list(rule.places.scopes().map(|scope| format!("{}s", scope.label())));
    let parts = list(rule.places.parts().map(|part| part.label().to_owned()));
    let _ = write!(out, "  in         {parts} of {scopes}");
    let roles: Vec<_> = rule.places.roles().map(|role| places::role_label(role).to_owned()).collect();
    if roles.len() < places::ROLES.len() {
        let _ = write!(out, ", where the role is {}", list(roles.into_iter()));
    }
    let layers: Vec<_> = rule.places.layers().map(|layer| layer.label().to_owned()).collect();
    if layers.len() < places::LAYERS.len() {
        let _ = write!(out, ", in text that is {}", list(layers.into_iter()));
    }
    let _ = writeln!(out, "\n  then       {}", does(rule));
    out
}

fn looks_for(rule: &Rule) -> String {
    let finder = &rule.finder;
    let mut text = match &finder.find {
        Find::Detector(name) => format!("what the detector `{name}` finds"),
        Find::Pattern(pattern) => format!("the pattern {pattern:?}"),
        Find::Literals { texts, case_sensitive, whole_words } => {
            let shown = list(texts.iter().take(LITERALS_SHOWN_MAX).map(|text| format!("{text:?}")));
            let more = texts.len().saturating_sub(LITERALS_SHOWN_MAX);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let case = if *case_sensitive { "in this case" } else { "in any case" };
            let whole = if *whole_words { ", as whole words" } else { "" };
            format!("{shown}{more}, {case}{whole}")
        }
    };
    // Writing to a string cannot fail.
    let _ = match finder.validator {
        Some(Validator::Luhn) => write!(text, ", with a right check digit (Luhn)"),
        Some(Validator::Iban) => write!(text, ", with right check digits (IBAN)"),
        None => Ok(()),
    };
    if let Some(bits) = finder.entropy_min {
        let _ = write!(text, ", of at least {bits} bits a byte");
    }
    if !finder.context.is_empty() {
        let _ = write!(text, ", near one of {}", finder.context.join(", "));
    }
    text
}

fn does(rule: &Rule) -> String {
    let word = &rule.placeholder.word;
    let scopes: Vec<_> = rule.places.scopes().collect();
    // What is said of both is said of "the message".
    let message = match scopes.as_slice() {
        [Scope::Request] => "request",
        [Scope::Response] => "answer",
        _ => "message",
    };
    let does = match rule.action {
        Action::Allow => "lets it pass; the rules below that look for the same do not decide there".to_owned(),
        Action::Warn => format!("tells of it, and sends the {message} on"),
        Action::Redact if rule.placeholder.numbered => {
            format!("replaces it by [{word}_1], [{word}_2] and so on, and sends the {message} on")
        }
        Action::Redact => format!("replaces it by [{word}], and sends the {message} on"),
        Action::Tokenise => {
            format!(
                "replaces it by [{word}_1], [{word}_2] and so on, sends the request on, and puts it back in the answer"
            )
        }
        Action::Block => format!("refuses the {message}"),
    };
    if rule.shadow { format!("tells of it, in shadow mode; enforced, it {does}") } else { does }
}

/// `a`, `a and b`, `a, b and c`.
fn list(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = words.collect();
    match (words.pop(), words.is_empty()) {
        (None, _) => String::new(),
        (Some(last), true) => last,
        (Some(last), false) => format!("{} and {last}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::explain;
    use super::explain_rule;
    use crate::policy::document::Document;

    #[test]
    fn a_policy_is_told_in_sentences() {
        let text = "version = 4\ntenant = 'acme'\nnot_after = 2027-01-01T00:00:00Z\n\
            [[rule]]\nid = '00000000-0000-0000-0000-000000000001'\ncode = 'DLP.CARD'\npattern = '[0-9]{16}'\nvalidator = 'luhn'\n\
            context = ['card']\nentropy = 1.5\naction = 'redact'\nnumbered = true\nroles = ['user', 'tool']\n\
            [[rule]]\nid = '00000000-0000-0000-0000-000000000002'\ncode = 'DLP.NAME'\nliterals = ['orion', 'lyra']\nwhole_words = true\n\
            action = 'block'\nmode = 'shadow'\nwhere = ['url', 'headers', 'body']\nlayers = ['post-template']\n\
            [[rule]]\nid = '00000000-0000-0000-0000-000000000003'\ndetector = 'email'\naction = 'tokenise'\n\
            [tools]\nallow = ['get_*']\ndeny = ['get_secret']\naction = 'warn'\n\
            [answers]\noversize = 'scan'\nhold_ms = 500\nat_hold_limit = 'release'\n";
        let document = Document::parse(text).unwrap();
        let told = [explain(&document), document.rules.iter().map(explain_rule).collect()].concat();
        let expected = "\
policy of acme, version 4
  holds until 2027-01-01T00:00:00Z
  bodies of media types that are not inspected: refused
  images, audio and files inside a body: refused
  paths in events are hashed with the gateway's key
  tools that an answer may call: \"get_*\", and no other; never \"get_secret\"; a call of another is told of
  answers too large to be held: inspected while they pass
  text with an open match waits for 4096 bytes and 500 ms at most, then it is sent on
  rules: 3
rule 00000000-0000-0000-0000-000000000001 DLP.CARD (medium)
  looks for  the pattern \"[0-9]{16}\", with a right check digit (Luhn), of at least 1.5 bits a byte, near one of card
  in         body and tools of requests, where the role is user and tool
  then       replaces it by [CARD_1], [CARD_2] and so on, and sends the request on
rule 00000000-0000-0000-0000-000000000002 DLP.NAME (medium)
  looks for  \"orion\" and \"lyra\", in any case, as whole words
  in         headers, body and url of requests, in text that is post-template
  then       tells of it, in shadow mode; enforced, it refuses the request
rule 00000000-0000-0000-0000-000000000003 DLP.PII.EMAIL (low)
  looks for  what the detector `email` finds
  in         body and tools of requests
  then       replaces it by [EMAIL_1], [EMAIL_2] and so on, sends the request on, and puts it back in the answer
";
        assert_eq!(told, expected);
    }
}
