//! Streams that are written from a story: what a client puts together from them is what redaction of its whole texts gives.
//!
//! Each byte of the story adds words to a text, ends a fragment, goes over to another text, or puts something between the events. The
//! words are values of every kind, whole and in parts, and what may stand around them.

use serde_json::Value;
use serde_json::json;

use super::Outcome;
use super::Steps;
use super::Way;
use crate::extract::Api;
use crate::http::lines;
use crate::inspect::Text;
use crate::inspect::Work;
use crate::inspect::inspector;
use crate::inspect::inspector::Views;
use crate::policy::Action;
use crate::policy::Policy;
use crate::policy::Scope;
use crate::proxy::inspection::reading;
use crate::proxy::inspection::stream::Cut;
use crate::proxy::inspection::stream::Framing;

/// Bytes of one text before words of three bytes or more are left out: less than may wait, so that nothing is decided before its time.
const TEXT_BYTES_MAX: usize = 3_000;

/// Texts that are written side by side.
const TEXTS: usize = 4;

const WORDS: [&str; 64] = [
    "jane.doe@acme-corp.com",
    "4111 1111 1111 1111",
    "4012888888881881",
    "DE89 3704 0044 0532 0130 00",
    "536-22-8341",
    "+49 30 901820",
    "(212) 555-0187",
    "8.8.4.4",
    "bluebird",
    "Project Ärger",
    "EMP-204711",
    "\u{ff14}\u{ff10}12888888881881",
    "4012&#56;88888881881",
    "40128888%388881881",
    "delete_all",
    "stop right here",
    "the ",
    "card ",
    "my phone is ",
    "ssn ",
    "is ",
    ", ",
    ". ",
    " ",
    "\n",
    "-",
    "(",
    ")",
    "1",
    "22",
    "4444",
    "DE",
    "x@",
    "@",
    ".com",
    "AKIA",
    "Q3EGTZ7XM2WPLJ5K",
    "sk-",
    "ant-api03-",
    "Zk3vQ9wLx7Rt2Mn8Bp4Ys6HdaG5cJ1uZk3vQ9wLx7Rt2Mn8Bp4Ys6HdaG5cJ1uZk3vQ9wLx7Rt2Mn8Bp4Ys6HdaG5cJ1uAA",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
    ".eyJzdWIiOiI0MiIsImZha2UiOnRydWV9",
    ".AbCdEfGh0123456789_-xyz",
    "-----BEGIN ",
    "RSA PRIVATE KEY-----",
    "\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n",
    "-----END ",
    "EMP-",
    "123456",
    "blue",
    "bird",
    "Project ",
    "Är",
    "ger",
    "2024-11-25",
    "v1.2.3.4",
    "\\",
    "\"",
    "&",
    "%",
    "stop ",
    "right ",
    "here",
    "+49",
];

/// How a stream of an API is written and read.
#[derive(Clone, Copy)]
enum Dialect {
    Chat,
    Completions,
    Responses,
    Messages,
    Lines,
    ChatArguments,
    MessagesArguments,
}

impl Dialect {
    fn of(which: u8) -> Self {
        match which {
            9 => Self::Chat,
            10 => Self::Completions,
            11 => Self::Responses,
            12 => Self::Messages,
            13 => Self::Lines,
            14 => Self::ChatArguments,
            _ => Self::MessagesArguments,
        }
    }

    fn api(self) -> Api {
        match self {
            Self::Chat | Self::ChatArguments => Api::OpenAiChat,
            Self::Completions => Api::OpenAiCompletions,
            Self::Responses => Api::OpenAiResponses,
            Self::Messages | Self::MessagesArguments => Api::AnthropicMessages,
            Self::Lines => Api::Other,
        }
    }

    /// The event that adds `text` to the text of this number.
    fn delta(self, number: usize, text: &str) -> String {
        let (name, value) = match self {
            Self::Chat => ("", json!({"choices": [{"index": number, "delta": {"content": text}}]})),
            Self::Completions => ("", json!({"choices": [{"index": number, "text": text}]})),
            Self::Responses => (
                "response.output_text.delta",
                json!({"type": "response.output_text.delta", "output_index": number, "content_index": 0, "delta": text}),
            ),
            Self::Messages => (
                "content_block_delta",
                json!({"type": "content_block_delta", "index": number, "delta": {"type": "text_delta", "text": text}}),
            ),
            Self::Lines => return json!({"index": number, "response": text}).to_string() + "\n",
            Self::ChatArguments => {
                let call = json!([{"index": number, "function": {"arguments": text}}]);
                ("", json!({"choices": [{"index": 0, "delta": {"tool_calls": call}}]}))
            }
            Self::MessagesArguments => (
                "content_block_delta",
                json!({"type": "content_block_delta", "index": number, "delta": {"type": "input_json_delta", "partial_json": text}}),
            ),
        };
        if name.is_empty() { format!("data: {value}\n\n") } else { format!("event: {name}\ndata: {value}\n\n") }
    }

    /// What an event adds, and to which text.
    fn read(self, event: &Value) -> Option<(usize, &str)> {
        let (number, text) = match self {
            Self::Chat => ("/choices/0/index", "/choices/0/delta/content"),
            Self::Completions => ("/choices/0/index", "/choices/0/text"),
            Self::Responses => ("/output_index", "/delta"),
            Self::Messages => ("/index", "/delta/text"),
            Self::Lines => ("/index", "/response"),
            Self::ChatArguments => {
                ("/choices/0/delta/tool_calls/0/index", "/choices/0/delta/tool_calls/0/function/arguments")
            }
            Self::MessagesArguments => ("/index", "/delta/partial_json"),
        };
        let number = event.pointer(number)?.as_u64().and_then(|number| usize::try_from(number).ok())?;
        Some((number, event.pointer(text)?.as_str()?))
    }

    /// The event that repeats a text at its end.
    fn done(self, number: usize, text: &str) -> Option<String> {
        let Self::Responses = self else { return None };
        let name = "response.output_text.done";
        let value = json!({"type": name, "output_index": number, "content_index": 0, "text": text});
        Some(format!("event: {name}\ndata: {value}\n\n"))
    }
}

/// What may stand between two events that add to a text.
const BETWEEN: [&str; 4] = [": ping\n\n", "event: ping\ndata: {\"type\": \"ping\"}\n\n", "id: 7\nretry: 3\n\n", "\n"];

/// The stream of a story, and its texts.
struct Story {
    texts: Vec<String>,
    stream: String,
}

impl Story {
    /// Arguments are a document around the words, which are cut where they are written as JSON.
    fn tell(dialect: Dialect, story: &[u8]) -> Self {
        let is_arguments = matches!(dialect, Dialect::ChatArguments | Dialect::MessagesArguments);
        let (mut texts, mut open) = (vec![String::new(); TEXTS], vec![String::new(); TEXTS]);
        let (mut stream, mut number) = (String::new(), 0);
        let mut rest = story;
        let mut add = |number: usize, words: &str, open: &mut [String]| {
            let (Some(text), Some(fragment)) = (texts.get_mut(number), open.get_mut(number)) else { return };
            if words.len() < 3 || text.len() + words.len() <= TEXT_BYTES_MAX {
                text.push_str(words);
                fragment.push_str(words);
            }
        };
        let written = |words: &str| {
            let quoted = Value::from(words).to_string();
            if is_arguments { quoted.trim_matches('"').to_owned() } else { words.to_owned() }
        };
        let quoted = |words: &str| if words == "\"" { "\\\"".to_owned() } else { written(words) };
        if is_arguments {
            (0..TEXTS).for_each(|number| add(number, "{\"q\":\"", &mut open));
        }
        while let [step, after @ ..] = rest {
            rest = after;
            let ends = match step {
                0..=127 => {
                    let word = WORDS.get(usize::from(step % 64)).copied().unwrap_or_default();
                    add(number, &quoted(word), &mut open);
                    // Half of them fragment by fragment, as models write.
                    *step >= 64
                }
                128..=175 => {
                    let length = usize::from(step % 8 + 1).min(rest.len());
                    let (letters, after) = rest.split_at(length);
                    rest = after;
                    let letters: String = String::from_utf8_lossy(letters)
                        .chars()
                        .filter(|letter| !matches!(letter, '"' | '\\'))
                        .collect();
                    add(number, &written(&letters), &mut open);
                    true
                }
                176..=239 => {
                    number = usize::from(step % 4);
                    false
                }
                _ => {
                    let between = BETWEEN.get(usize::from(step % 4)).copied().unwrap_or_default();
                    stream.push_str(if matches!(dialect, Dialect::Lines) { "\n" } else { between });
                    false
                }
            };
            if let Some(fragment) = open.get_mut(number).filter(|fragment| ends && !fragment.is_empty()) {
                let fragment = std::mem::take(fragment);
                // A long word is cut, so that there is a cut in each kind of match.
                let (front, back) = fragment.split_at_checked(usize::from(step % 13)).unwrap_or((&fragment, ""));
                [front, back].iter().for_each(|part| stream.push_str(&dialect.delta(number, part)));
            }
        }
        for number in 0..TEXTS {
            if is_arguments {
                add(number, "\"}", &mut open);
            }
            let fragment = open.get(number).cloned().unwrap_or_default();
            stream.push_str(&dialect.delta(number, &fragment));
        }
        let done = texts.iter().enumerate().filter_map(|(number, text)| dialect.done(number, text));
        let done: String = done.collect();
        stream.push_str(&done);
        Self { texts, stream }
    }
}

/// A story as a stream, as it is told and cut.
pub(super) fn told(which: u8, policy: &'static Policy, cuts: Steps, story: &[u8]) {
    let dialect = Dialect::of(which);
    let Story { texts, stream } = Story::tell(dialect, story);
    let framing = if matches!(dialect, Dialect::Lines) { Framing::Lines(lines::Form::Lines) } else { Framing::Events };
    let way = Way { framing, api: dialect.api(), policy, cuts, late: 0 };
    let outcome = way.run(stream.as_bytes());
    if matches!(outcome.end, Err(Cut::Stopped(_))) {
        assert!(policy.answers().hold_bytes < TEXT_BYTES_MAX, "nothing of a story is over a bound");
        return;
    }
    let given = assembled(dialect, &outcome);
    if matches!(dialect, Dialect::ChatArguments | Dialect::MessagesArguments) {
        arguments(&texts, &given, &outcome);
        return;
    }
    let mut blocks = false;
    for (number, text) in texts.iter().enumerate() {
        let (expected, blocked) = whole(policy, text);
        blocks |= blocked;
        let (given, expected) = (unnumbered(given.get(number).map_or("", String::as_str)), unnumbered(&expected));
        if outcome.end.is_ok() {
            assert_eq!(given, expected, "of {text:?}");
        } else {
            assert!(expected.starts_with(&given), "{given:?} is no beginning of {expected:?}");
        }
    }
    assert_eq!(outcome.end.is_err(), blocks, "what blocks ends it");
}

/// Placeholders without their numbers, which follow the order of the events.
fn unnumbered(text: &str) -> String {
    let mut out = String::new();
    for part in text.split_inclusive(']') {
        let digits = part.trim_end_matches(']').trim_end_matches(|byte: char| byte.is_ascii_digit());
        let is_numbered = part.ends_with(']') && digits.len() + 1 < part.len() && digits.ends_with('_');
        let (text, end) = if is_numbered { (digits.trim_end_matches('_'), "]") } else { (part, "") };
        out.extend([text, end]);
    }
    out
}

/// Arguments stay a document, and without the word.
fn arguments(texts: &[String], given: &[String], outcome: &Outcome) {
    for (text, given) in texts.iter().zip(given).filter(|_| outcome.end.is_ok()) {
        let value: Value = serde_json::from_str(given).unwrap_or_else(|error| panic!("{error}: {given:?} of {text:?}"));
        assert!(value.get("q").is_some_and(Value::is_string), "{given:?}");
        assert!(outcome.redacted > 0 || text == given);
    }
}

/// The texts that a client puts together; what repeats one is it.
fn assembled(dialect: Dialect, outcome: &Outcome) -> Vec<String> {
    let mut texts = vec![String::new(); TEXTS];
    let out = String::from_utf8_lossy(&outcome.out);
    for line in out.lines() {
        let Ok(event) = serde_json::from_str::<Value>(line.strip_prefix("data: ").unwrap_or(line)) else { continue };
        if let Some((number, delta)) = dialect.read(&event) {
            texts.get_mut(number).unwrap_or_else(|| panic!("one of the texts")).push_str(delta);
        } else if let (Some(number), Some(text)) =
            (event.pointer("/output_index").and_then(Value::as_u64), event.pointer("/text").and_then(Value::as_str))
        {
            let streamed = usize::try_from(number).ok().and_then(|number| texts.get(number));
            assert_eq!(Some(text), streamed.map(String::as_str), "what repeats a text says what was streamed");
        }
    }
    texts
}

/// The whole text with placeholders, by the engine and nothing else; what comes before a match that blocks.
fn whole(policy: &Policy, text: &str) -> (String, bool) {
    let mut findings = Vec::new();
    let bytes = Text { bytes: text.as_bytes(), key: b"" };
    let (mut work, mut views) = (Work::default(), Views::default());
    let inspected = inspector::inspect(policy.scanner(), bytes, &mut work, &mut views, &mut findings);
    assert!(inspected.is_ok(), "little work");
    findings.sort_by_key(|found| (found.start, std::cmp::Reverse(found.end)));
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_else(|| panic!("whole characters"));
    let (mut out, mut at) = (String::new(), 0);
    for found in findings {
        let Some(rule) = policy.rule_for(found.finder, Scope::Response, reading::BODY) else { continue };
        let (start, end) = (found.start as usize, found.end as usize);
        if rule.action == Action::Block {
            out.push_str(part(at.min(start), start));
            return (out, true);
        }
        if rule.action.replaces() {
            if start >= at {
                out.push_str(part(at, start));
                out.push_str(&format!("[{}]", rule.placeholder.word));
            }
            at = at.max(end);
        }
    }
    out.push_str(part(at, text.len()));
    (out, false)
}
