//! What must hold for every body that is redacted: driven by the target `redactor` of `fuzz/`, replayed from its corpus by `cargo test`.
//!
//! The twin splits a body into tokens by itself, decodes them by serde_json, and redacts texts instead of bytes. What stands in one
//! text it asks the scanner, whose own targets are `scan` and `normalise`. The gateway itself never calls into this file.

use std::ops::Range;
use std::sync::LazyLock;

use super::Inspector;
use super::Message;
use super::Target;
use super::redact::Redaction;
use crate::extract::Api;
use crate::extract::Form;
use crate::extract::Part;
use crate::extract::Piece;
use crate::extract::form::FormReader;
use crate::extract::json::ANY;
use crate::extract::json::ARGUMENTS;
use crate::extract::json::Walker;
use crate::extract::node::Node;
use crate::http::head::RequestHead;
use crate::inspect::Finding;
use crate::inspect::Text;
use crate::inspect::Work;
use crate::inspect::inspector;
use crate::inspect::inspector::Views;
use crate::inspect::overlap;
use crate::limits;
use crate::policy::Policy;
use crate::policy::load::Trust;

/// A word that needs no neighbour to be found, and a detector that looks at what stands beside a match.
const POLICY: &str = r#"
version = 1
tenant = "fuzz"
[defaults]
media = "forward"
action = "redact"
[[rule]]
id = "00000000-0000-4000-8000-000000000000"
literals = ["bluebird"]
code = "DLP.CUSTOM.WORD"
placeholder = "WORD"
[[rule]]
id = "00000000-0000-4000-8000-000000000001"
detector = "card"
"#;

/// The finder of the word: its matches depend on nothing around them.
const WORD: u16 = 0;

/// Request line and media type, chosen by the first byte.
const REQUESTS: [(&str, &str); 6] = [
    ("/v1/other", "application/json"),
    ("/v1/chat/completions", "application/json"),
    ("/v1/messages", "application/json"),
    ("/v1/responses", "application/json"),
    ("/v1/other", "application/x-www-form-urlencoded"),
    ("/v1/other", "text/plain"),
];

static RULES: LazyLock<Policy> = LazyLock::new(|| {
    let trust = Trust { keys: &[], tenant: None, allow_unsigned: true };
    Policy::load(POLICY.as_bytes(), &trust, None).unwrap_or_else(|error| panic!("{error}: {:?}", error.details()))
});

/// A body; its first byte says where it is sent, and as what.
///
/// # Panics
/// A property does not hold.
pub fn fuzz_redactor(bytes: &[u8]) {
    let [which, body @ ..] = bytes else { return };
    if body.is_empty() {
        return;
    }
    let (path, media) = REQUESTS.get(usize::from(which % 6)).copied().unwrap_or_default();
    let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: {media}\r\ncontent-length: 1\r\n\r\n");
    let parsed = RequestHead::parse(head.as_bytes()).unwrap_or_else(|error| panic!("a head: {error:?}"));
    let message = |body| Message { head: &parsed, bytes: head.as_bytes(), body };
    let mut inspector = Inspector::default();
    if inspector.inspect(&RULES, &message(body)).is_err() {
        return;
    }
    let hits: Vec<_> = inspector.hits().iter().filter(|hit| hit.target == Target::Body).copied().collect();
    let mut sent = Vec::new();
    let redaction = Redaction::new(&RULES, &hits, Target::Body);
    let written = redaction.write(body, |part| {
        sent.extend_from_slice(part);
        Ok::<(), ()>(())
    });
    assert_eq!(redaction.is_empty(), hits.is_empty(), "all rules redact");
    assert!(written.is_ok_and(|count| (count > 0) != hits.is_empty()), "a placeholder where there is a hit");
    match media {
        "application/json" => documents(body, &sent, Api::of_path(path.as_bytes()).table(), 0),
        "text/plain" => passage(&[Side { text: body.to_vec(), sent: sent.clone() }], b"", Form::Text),
        _ => pairs(body, &sent),
    }
    again(&mut inspector, &message(&sent), &hits);
}

/// Inspected again, what was redacted is not there. A key that is there twice now is refused, as the gateway does.
///
/// Two things may be found that were not before, both in a text that a placeholder was put into. A card number that another match hid,
/// by standing right beside it or near it, is on its own now. And so is a run of base64 or hexadecimal: the match before it in the
/// same run was none of it, and what the two decoded to was not readable.
fn again(inspector: &mut Inspector, message: &Message<'_>, hits: &[super::Hit]) {
    if !inspector.reads(message) {
        assert!(hits.iter().any(|hit| hit.number > 0), "only placeholders of keys can clash");
        return;
    }
    assert!(inspector.inspect(&RULES, message).is_ok(), "redaction adds no work");
    let is_plain = |hit: &super::Hit| {
        let found = of(message.body, &(hit.start as usize..hit.end as usize));
        hit.finder == WORD && found.to_ascii_lowercase().windows(8).any(|window| window == b"bluebird")
    };
    assert!(!inspector.hits().iter().any(is_plain), "the word is gone");
    assert!(!hits.is_empty() || inspector.hits().is_empty(), "the same says the same");
}

/// A text before and after redaction, decoded.
struct Side {
    text: Vec<u8>,
    sent: Vec<u8>,
}

/// Two JSON documents, the second one the redacted form of the first.
fn documents(body: &[u8], sent: &[u8], root: &'static Node, depth: usize) {
    let is_json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).is_ok();
    assert!(is_json(sent) || !is_json(body), "what parsed parses");
    let mut walker = Walker::default();
    assert!(walker.walk(body, root).is_ok(), "it was inspected");
    let (received, redacted) = (tokens(body), tokens(sent));
    assert_eq!(received.len(), redacted.len(), "as many tokens");
    let mut changed = Vec::new();
    for (before, after) in received.iter().zip(&redacted) {
        let (old, new) = (of(body, before), of(sent, after));
        if old != new {
            assert!(old.starts_with(b"\"") && new.starts_with(b"\"") || new == b"0", "only strings and numbers change");
            changed.push(before.clone());
        }
    }
    let mut pieces = walker.pieces.as_slice();
    while let Some(first) = pieces.first() {
        let length = 1 + pieces.iter().skip(1).take_while(|piece| piece.joined).count();
        let (group, rest) = pieces.split_at(length);
        pieces = rest;
        let sides: Vec<Side> = group.iter().map(|piece| side(piece, (body, &received), (sent, &redacted))).collect();
        changed.retain(|token| !group.iter().any(|piece| token.contains(&piece.range().start)));
        match sides.as_slice() {
            [one] if first.form == Form::Json && depth < limits::JSON_NESTED_MAX && inside(one, first, depth) => {}
            sides => passage(sides, of(body, &first.key()), first.form),
        }
    }
    assert!(changed.is_empty(), "what is no text stays");
}

/// A string that is a document stays one; false where it was none.
fn inside(side: &Side, piece: &Piece, depth: usize) -> bool {
    let root = if piece.place.part == Part::Tools { &ARGUMENTS } else { &ANY };
    let is_document = Walker::default().walk(&side.text, root).is_ok();
    if is_document {
        documents(&side.text, &side.sent, root, depth + 1);
    }
    is_document
}

/// The text of a piece, and of the token in its place.
fn side(piece: &Piece, before: (&[u8], &[Range<usize>]), after: (&[u8], &[Range<usize>])) -> Side {
    let at = before.1.partition_point(|token| token.end < piece.end as usize || token.end <= piece.start as usize);
    let decoded = |(bytes, tokens): (&[u8], &[Range<usize>])| {
        let token = tokens.get(at).map(|token| of(bytes, token)).unwrap_or_default();
        if piece.form == Form::Number {
            return token.to_vec();
        }
        let text = serde_json::from_slice::<String>(token).unwrap_or_else(|error| panic!("a string: {error}"));
        text.into_bytes()
    };
    Side { text: decoded(before), sent: decoded(after) }
}

/// The tokens of a valid document: strings with their quotes, numbers and words, and each other byte.
fn tokens(body: &[u8]) -> Vec<Range<usize>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some((first, rest)) = body.get(at..).and_then(<[u8]>::split_first) {
        let mut is_escaped = false;
        let length = match first {
            b'"' => rest.iter().position(|&byte| {
                let is_end = byte == b'"' && !is_escaped;
                is_escaped = byte == b'\\' && !is_escaped;
                is_end
            }),
            b'0'..=b'9' | b'-' => rest.iter().position(|byte| !b"0123456789.eE+-".contains(byte)),
            _ => Some(0),
        };
        let length = length.map_or(rest.len(), |length| length + usize::from(*first == b'"'));
        tokens.push(at..at + 1 + length);
        at += 1 + length;
    }
    tokens
}

/// A form and what it was redacted to: the same names and values, but for those that hold a match.
fn pairs(body: &[u8], sent: &[u8]) {
    let sides = |bytes: &[u8]| {
        let is_sign = |byte: &u8| matches!(byte, b'&' | b'=');
        bytes.split_inclusive(is_sign).map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    assert_eq!(sides(body).len(), sides(sent).len(), "as many names and values");
    let (mut before, mut after) = (FormReader::default(), FormReader::default());
    assert!(before.urlencoded(body).is_ok() && after.urlencoded(sent).is_ok(), "forms");
    assert_eq!(before.pieces.len(), after.pieces.len());
    for (old, new) in before.pieces.iter().zip(&after.pieces) {
        let side =
            Side { text: percent_decoded(of(body, &old.range())), sent: percent_decoded(of(sent, &new.range())) };
        assert!(side.text != side.sent || of(body, &old.range()) == of(sent, &new.range()), "what is clean stays");
        passage(&[side], of(body, &old.key()), old.form);
    }
}

fn percent_decoded(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = raw;
    loop {
        rest = match rest {
            [] => return out,
            [b'%', high, low, after @ ..] => {
                let digits = String::from_utf8_lossy(&[*high, *low]).into_owned();
                out.push(u8::from_str_radix(&digits, 16).unwrap_or_else(|error| panic!("a digit: {error}")));
                after
            }
            [byte, after @ ..] => {
                out.push(if *byte == b'+' { b' ' } else { *byte });
                after
            }
        };
    }
}

/// Texts that are read as one: what stands in all of them together or in one alone is replaced where it begins, once.
fn passage(sides: &[Side], key: &[u8], form: Form) {
    let whole: Vec<u8> = sides.iter().flat_map(|side| side.text.iter().copied()).collect();
    let mut spans = found(&whole, key);
    let mut start = 0;
    if sides.len() > 1 {
        for side in sides {
            let moved = |one: Finding| Finding { start: one.start + start, end: one.end + start, ..one };
            spans.extend(found(&side.text, key).into_iter().map(moved));
            start += offset(side.text.len());
        }
        overlap::resolve(&mut spans, |finder| RULES.scanner().yields(finder));
    }
    let mut holes: Vec<Range<usize>> = Vec::new();
    for span in spans.iter().map(|one| one.start as usize..one.end as usize) {
        match holes.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => holes.push(span),
        }
    }
    let mut start = 0;
    for side in sides {
        let end = start + side.text.len();
        redacted(&whole, start..end, &holes, &side.sent, form);
        start = end;
    }
    if let [side] = sides
        && is_simple(&side.text)
        && form == Form::Text
        && !spans.iter().any(|span| span.finder != WORD)
    {
        let text = String::from_utf8_lossy(&side.text).replace("bluebird", "[WORD]");
        assert_eq!(String::from_utf8_lossy(&side.sent), text, "as a search and replace does it");
    }
}

/// Words in small letters: nothing to be folded or decoded, nothing that looks like a run of base64.
fn is_simple(text: &[u8]) -> bool {
    text.iter().all(|byte| byte.is_ascii_lowercase() || b" .,".contains(byte))
        && text.split(|byte| !byte.is_ascii_lowercase()).all(|word| word.len() < 12)
}

/// `sent` is the text of `range` with a placeholder at the beginning of each hole and nothing of the holes.
fn redacted(whole: &[u8], range: Range<usize>, holes: &[Range<usize>], sent: &[u8], form: Form) {
    if form == Form::Number {
        let expected = if holes.is_empty() { whole } else { b"0" };
        assert_eq!(sent, expected, "a number is kept or naught");
        return;
    }
    let mut rest = sent;
    let mut at = range.start;
    for hole in holes.iter().filter(|hole| hole.end > range.start && hole.start < range.end) {
        let clean = of(whole, &(at..hole.start.max(at)));
        rest = rest.strip_prefix(clean).unwrap_or_else(|| panic!("what is outside of a match stays"));
        if hole.start >= range.start {
            let end = rest.iter().position(|byte| *byte == b']').unwrap_or_else(|| panic!("a placeholder"));
            let (placeholder, after) = rest.split_at_checked(end + 1).unwrap_or_default();
            check_placeholder(placeholder, form);
            rest = after;
        }
        at = hole.end;
    }
    assert!(rest == of(whole, &(at.min(range.end)..range.end)), "what is behind the last match stays");
}

fn check_placeholder(placeholder: &[u8], form: Form) {
    let inner = placeholder.strip_prefix(b"[").and_then(|inner| inner.strip_suffix(b"]")).unwrap_or_default();
    let number = inner.strip_prefix(b"WORD").or_else(|| inner.strip_prefix(b"CARD"));
    let number = number.unwrap_or_else(|| panic!("a placeholder"));
    let is_number = number.strip_prefix(b"_").is_some_and(|digits| digits.iter().all(u8::is_ascii_digit));
    assert!(if form == Form::Key { is_number } else { number.is_empty() }, "keys alone are numbered");
}

fn found(bytes: &[u8], key: &[u8]) -> Vec<Finding> {
    let (mut work, mut views, mut findings) = (Work::default(), Views::default(), Vec::new());
    work.input = u64::from(u32::MAX);
    let inspected = inspector::inspect(RULES.scanner(), Text { bytes, key }, &mut work, &mut views, &mut findings);
    assert!(inspected.is_ok(), "it was inspected before");
    findings
}

fn of<'a>(bytes: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    bytes.get(range.clone()).unwrap_or_else(|| panic!("a range of the body"))
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
