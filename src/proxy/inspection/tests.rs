//! Inspection from bytes to hits and redacted bytes, under policies of a few rules.

use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::prop_oneof;
use proptest::proptest;
use serde_json::Value;

use super::*;
use crate::policy::load::Trust;
use redact::Redaction;

const CHAT: &str = "POST /v1/chat/completions";
const OTHER: &str = "POST /v1/other";

/// A policy of rules, each `name = value` lines; their ids are made from their order.
pub(super) fn policy(defaults: &str, rules: &[&str]) -> Policy {
    let rules = rules.iter().enumerate();
    let rules = rules.map(|(at, rule)| format!("[[rule]]\nid = \"00000000-0000-4000-8000-{at:012x}\"\n{rule}\n"));
    let text = format!("version = 1\ntenant = \"test\"\n[defaults]\n{defaults}\n{}", rules.collect::<String>());
    let trust = Trust { keys: &[], tenant: None, allow_unsigned: true };
    Policy::load(text.as_bytes(), &trust, None).unwrap_or_else(|error| panic!("{error}: {:?}", error.details()))
}

const WORD: &str = "literals = [\"bluebird\"]\ncode = \"DLP.CUSTOM.WORD\"\nplaceholder = \"WORD\"\naction = \"redact\"";

/// What comes of a request: the verdict, and head and body as they would be sent on.
struct Outcome {
    verdict: Result<Action, Stop>,
    head: String,
    body: String,
    hits: Vec<Hit>,
    unread: u32,
}

fn inspect(policy: &Policy, line: &str, fields: &str, body: &[u8]) -> Outcome {
    let head = format!("{line} HTTP/1.1\r\nhost: a\r\n{fields}content-length: {}\r\n\r\n", body.len());
    let parsed = RequestHead::parse(head.as_bytes()).unwrap();
    let mut inspector = Inspector::default();
    let verdict = inspector.inspect(policy, &Message { head: &parsed, bytes: head.as_bytes(), body });
    let hits = inspector.hits().to_vec();
    let redacted = |target, bytes: &[u8]| {
        let mut out = Vec::new();
        let written = Redaction::new(policy, &hits, target).write(bytes, |part| {
            out.extend_from_slice(part);
            Ok::<(), ()>(())
        });
        assert!(written.is_ok());
        String::from_utf8(out).unwrap()
    };
    let (head, text) = (redacted(Target::Head, head.as_bytes()), redacted(Target::Body, body));
    if verdict.is_ok() {
        assert!(inspector.reads(&Message { head: &parsed, bytes: head.as_bytes(), body: text.as_bytes() }), "{text}");
    }
    Outcome { verdict, head, body: text, hits, unread: inspector.unread() }
}

fn chat(policy: &Policy, body: &str) -> Outcome {
    inspect(policy, CHAT, "content-type: application/json\r\n", body.as_bytes())
}

#[test]
fn a_word_is_replaced_wherever_it_stands() {
    let policy = policy("", &[WORD]);
    let cases = [
        // (received, sent on)
        (
            r#"{"messages":[{"role":"user","content":"a Bluebird b"}]}"#,
            r#"{"messages":[{"role":"user","content":"a [WORD] b"}]}"#,
        ),
        (r#"{"x":"bluebird","y":["\u0062luebird\n"]}"#, r#"{"x":"[WORD]","y":["[WORD]\n"]}"#),
        (r#"{"x":{"bluebird":1}}"#, r#"{"x":{"[WORD_1]":1}}"#),
        (r#"{"x":{"bluebird":1,"\u0042luebird 2":2}}"#, r#"{"x":{"[WORD_1]":1,"[WORD_2] 2":2}}"#),
        (r#"{"x":"\"bluebird\" \ud83d\ude00bluebird\\"}"#, r#"{"x":"\"[WORD]\" \ud83d\ude00[WORD]\\"}"#),
        (r#"{"x":"bluebirdbluebird"}"#, r#"{"x":"[WORD][WORD]"}"#),
        (r#""bluebird""#, r#""[WORD]""#),
    ];
    for (received, expected) in cases {
        let outcome = chat(&policy, received);
        assert_eq!(outcome.verdict, Ok(Action::Redact), "{received}");
        assert_eq!(outcome.body, expected, "{received}");
    }
    let clean = r#"{"messages":[{"role":"user","content":"a blue bird"}]}"#;
    assert_eq!(chat(&policy, clean).verdict, Ok(Action::Allow));
    assert!(chat(&policy, clean).hits.is_empty());
}

#[test]
fn arguments_are_redacted_at_every_depth_of_json_inside_json() {
    let policy = policy("", &[WORD]);
    let mut arguments = serde_json::json!({"q": "a \"bluebird\" \\ b", "list": ["bluebird"]}).to_string();
    for depth in 1..=5 {
        let body = serde_json::json!({"messages": [{"role": "assistant", "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}]}]});
        let outcome = chat(&policy, &body.to_string());
        assert_eq!(outcome.verdict, Ok(Action::Redact), "depth {depth}");
        let expected = body.to_string().replace("bluebird", "[WORD]");
        assert_eq!(outcome.body, expected, "depth {depth}");
        assert!(outcome.hits.iter().all(|hit| hit.place.part == Part::Tools), "depth {depth}");
        arguments = serde_json::json!({"inner": arguments}).to_string();
    }
}

#[test]
fn a_value_over_several_parts_is_one_value() {
    let policy = policy("", &[WORD]);
    let word = "bluebird";
    for first in 0..=word.len() {
        for second in first..=word.len() {
            let texts = [&word[..first], &word[first..second], &word[second..]];
            let parts: Vec<Value> =
                texts.iter().map(|text| serde_json::json!({"type": "text", "text": text})).collect();
            let body = serde_json::json!({"messages": [{"role": "user", "content": parts}]}).to_string();
            let outcome = chat(&policy, &body);
            assert_eq!(outcome.verdict, Ok(Action::Redact), "{texts:?}");
            let sent: Value = serde_json::from_str(&outcome.body).unwrap();
            let sent: String = (0..3).map(|at| sent["messages"][0]["content"][at]["text"].as_str().unwrap()).collect();
            assert_eq!(sent, "[WORD]", "{texts:?}");
        }
    }
}

#[test]
fn equal_values_get_equal_numbers() {
    let policy = policy(
        "",
        &[
            "pattern = \"id-[0-9]+\"\ncode = \"DLP.CUSTOM.ID\"\naction = \"redact\"\nnumbered = true\nplaceholder = \"ID\"",
        ],
    );
    let outcome = chat(&policy, r#"{"a":"id-7 id-8 id-7","b":["id-8","id-9"]}"#);
    assert_eq!(outcome.body, r#"{"a":"[ID_1] [ID_2] [ID_1]","b":["[ID_2]","[ID_3]"]}"#);
}

#[test]
fn the_strongest_action_decides_and_the_first_fitting_rule_speaks() {
    let rule = |word: &str, action: &str, more: &str| {
        format!("literals = [\"{word}\"]\ncode = \"DLP.CUSTOM.{}\"\naction = \"{action}\"\n{more}", word.to_uppercase())
    };
    let rules = [
        rule("alpha", "warn", ""),
        rule("bravo", "redact", ""),
        rule("charlie", "block", "severity = \"low\""),
        rule("delta", "block", "severity = \"critical\""),
        rule("echo", "block", "mode = \"shadow\""),
        rule("foxtrot", "allow", "roles = [\"system\"]"),
        rule("foxtrot", "block", "severity = \"high\""),
    ];
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let policy = policy("", &rules);
    let cases = [
        ("nothing", "user", Action::Allow, None),
        ("alpha", "user", Action::Warn, None),
        ("alpha bravo", "user", Action::Redact, None),
        ("bravo charlie", "user", Action::Block, Some("DLP.CUSTOM.CHARLIE")),
        ("charlie delta", "user", Action::Block, Some("DLP.CUSTOM.DELTA")),
        ("echo", "user", Action::Warn, None),
        ("foxtrot", "system", Action::Allow, None),
        ("foxtrot", "user", Action::Block, Some("DLP.CUSTOM.FOXTROT")),
    ];
    for (text, role, action, reason) in cases {
        let body = serde_json::json!({"messages": [{"content": text, "role": role}]}).to_string();
        let head = format!("{CHAT} HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len());
        let parsed = RequestHead::parse(head.as_bytes()).unwrap();
        let mut inspector = Inspector::default();
        let message = Message { head: &parsed, bytes: head.as_bytes(), body: body.as_bytes() };
        assert_eq!(inspector.inspect(&policy, &message), Ok(action), "{text}");
        assert_eq!(inspector.reason(&policy).map(|rule| rule.code.to_string()).as_deref(), reason, "{text}");
    }
}

#[test]
fn parts_of_a_request_are_looked_at_where_a_rule_holds() {
    let url = policy(
        "",
        &[
            "literals = [\"bluebird\"]\ncode = \"DLP.CUSTOM.WORD\"\naction = \"redact\"\nplaceholder = \"W\"\nwhere = [\"url\"]",
        ],
    );
    let outcome =
        inspect(&url, "GET /a/blue%62ird/c?x=1&bluebird=b%6cuebird+bluebird&y", "x-a: bluebird\r\n", b"bluebird");
    assert_eq!(outcome.verdict, Ok(Action::Redact));
    let line = outcome.head.lines().next().unwrap();
    assert_eq!(line, "GET /a/%5BW%5D/c?x=1&%5BW_1%5D=%5BW%5D+%5BW%5D&y HTTP/1.1");
    assert!(outcome.head.contains("x-a: bluebird\r\n"));
    assert_eq!(outcome.body, "bluebird");
    let headers = policy(
        "",
        &[
            "literals = [\"bluebird\"]\ncode = \"DLP.CUSTOM.WORD\"\naction = \"redact\"\nplaceholder = \"W\"\nwhere = [\"headers\"]",
        ],
    );
    let fields = "x-a: 1 bluebird\r\nX-Api-Key: bluebird\r\nauthorization: bluebird\r\ncookie: bluebird\r\n";
    let outcome = inspect(&headers, "GET /bluebird", fields, b"");
    assert!(outcome.head.contains(&fields.replacen("bluebird", "[W]", 1)), "{}", outcome.head);
    assert_eq!(outcome.hits.len(), 1);
}

#[test]
fn other_bodies_are_read_by_their_media_type() {
    let policy = policy("content = \"forward\"\nmedia = \"forward\"", &[WORD]);
    let kind = |kind: &str| format!("content-type: {kind}\r\n");
    let part = |head: &str, text: &str| {
        format!("--b\r\ncontent-disposition: form-data; name=\"n\"{head}\r\n\r\n{text}\r\n--b--\r\n")
    };
    let json = "\r\ncontent-type: application/json";
    let cases = [
        ("application/json", r#"{"a":"bluebird"}"#.to_owned(), r#"{"a":"[WORD]"}"#.to_owned()),
        ("application/vnd.x+json; charset=utf-8", r#"["bluebird"]"#.to_owned(), r#"["[WORD]"]"#.to_owned()),
        ("text/plain", "a bluebird\n".to_owned(), "a [WORD]\n".to_owned()),
        (
            "application/x-www-form-urlencoded",
            "a=b%6Cuebird&bluebird=1".to_owned(),
            "a=%5BWORD%5D&%5BWORD_1%5D=1".to_owned(),
        ),
        ("multipart/form-data; boundary=b", part("", "bluebird"), part("", "[WORD]")),
        ("multipart/form-data; boundary=b", part(json, r#"{"a":"b\u006cuebird"}"#), part(json, r#"{"a":"[WORD]"}"#)),
    ];
    for (media, received, expected) in cases {
        let outcome = inspect(&policy, OTHER, &kind(media), received.as_bytes());
        assert_eq!((outcome.verdict, outcome.unread), (Ok(Action::Redact), 0), "{media}: {received}");
        assert_eq!(outcome.body, expected, "{media}");
    }
    for (fields, received) in [("", "bluebird"), ("", r#"{"a":"bluebird"}"#)] {
        assert_eq!(
            inspect(&policy, OTHER, fields, received.as_bytes()).verdict,
            Ok(Action::Redact),
            "guessed: {received}"
        );
    }
    let unread = inspect(&policy, OTHER, &kind("application/octet-stream"), b"bluebird");
    assert_eq!((unread.verdict, unread.unread), (Ok(Action::Allow), 1));
    let twice = format!("{}{}", kind("text/plain"), kind("application/json"));
    for fields in [kind("application/json; charset=utf-16"), kind("nonsense"), twice] {
        assert_eq!(inspect(&policy, OTHER, &fields, b"{}").verdict, Err(Stop::Unsupported), "{fields}");
    }
}

#[test]
fn media_are_skipped_for_their_place_and_bytes() {
    let url = |data: &str| {
        serde_json::json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": data}}]}]}).to_string()
    };
    let (lenient, strict) = (policy("media = \"forward\"", &[WORD]), policy("", &[WORD]));
    let image = url("data:image/png;base64,bluebird");
    assert_eq!((chat(&lenient, &image).verdict, chat(&lenient, &image).unread), (Ok(Action::Allow), 1));
    assert_eq!(chat(&strict, &image).verdict, Err(Stop::Unsupported));
    let text = url("data:image/png;base64,a bluebird!");
    assert_eq!(chat(&strict, &text).verdict, Ok(Action::Redact), "what is no base64 is text");
}

/// What comes of an answer: the verdict, the scopes of its hits, and whether all of it was let through unread.
fn inspect_answer(policy: &Policy, api: Api, fields: &str, body: &[u8]) -> (Result<Action, Stop>, Vec<Hit>, bool) {
    let head = format!("HTTP/1.1 200 OK\r\n{fields}content-length: {}\r\n\r\n", body.len());
    let parsed = ResponseHead::parse(head.as_bytes(), false).unwrap();
    let mut inspector = Inspector::default();
    let verdict = inspector.inspect_answer(policy, &Answer { api, head: &parsed, bytes: head.as_bytes(), body });
    (verdict, inspector.hits().to_vec(), inspector.skipped())
}

#[test]
fn a_rule_holds_for_the_messages_of_its_scope_alone() {
    let rule = |scope: &str| format!("{WORD}\nscope = [{scope}]");
    let cases = [
        (rule("\"request\""), Action::Redact, Action::Allow),
        (rule("\"response\""), Action::Allow, Action::Redact),
        (rule("\"request\", \"response\""), Action::Redact, Action::Redact),
    ];
    let body = r#"{"x":"a bluebird b"}"#;
    for (rule, of_request, of_answer) in cases {
        let policy = policy("", &[&rule]);
        assert_eq!(chat(&policy, body).verdict, Ok(of_request), "{rule}");
        let json = "content-type: application/json\r\n";
        let (verdict, hits, _) = inspect_answer(&policy, Api::OpenAiChat, json, body.as_bytes());
        assert_eq!(verdict, Ok(of_answer), "{rule}");
        assert!(hits.iter().all(|hit| hit.scope == Scope::Response && hit.rule(&policy).is_some()));
    }
}

#[test]
fn an_answer_is_read_as_what_it_says_it_is() {
    let policy = policy("content = \"forward\"", &[&format!("{WORD}\nscope = [\"response\"]")]);
    let escaped = br#"{"a":"\u0062luebird"}"#;
    let syntax = Err(Stop::Unreadable(Unreadable::Syntax));
    type Case<'a> = (&'a str, &'a [u8], Result<Action, Stop>, bool);
    let cases: &[Case<'_>] = &[
        // (media type, body, verdict, unread)
        ("application/json", escaped, Ok(Action::Redact), false),
        ("application/problem+json", escaped, Ok(Action::Redact), false),
        ("text/plain", escaped, Ok(Action::Redact), false),
        ("text/plain", b"bluebird", Ok(Action::Redact), false),
        ("text/html; charset=utf-8", b"{ bluebird", Ok(Action::Redact), false),
        ("", escaped, Ok(Action::Redact), false),
        ("", b"bluebird", Ok(Action::Redact), false),
        ("", b"\0bluebird", Ok(Action::Allow), true),
        ("application/json", b"bluebird", syntax, false),
        ("application/json", b"", Ok(Action::Allow), false),
        ("application/json; charset=utf-16", escaped, Err(Stop::Unsupported), false),
        ("audio/mpeg", b"bluebird", Ok(Action::Allow), true),
        ("application/x-www-form-urlencoded", b"a=blue%62ird", Ok(Action::Redact), false),
        ("application/json, text/plain", b"{}", Err(Stop::Unsupported), false),
    ];
    for (media, body, expected, unread) in cases {
        let fields = if media.is_empty() { String::new() } else { format!("content-type: {media}\r\n") };
        for api in [Api::OpenAiChat, Api::AnthropicMessages, Api::Other] {
            let (verdict, _, skipped) = inspect_answer(&policy, api, &fields, body);
            assert_eq!((verdict, skipped), (*expected, *unread), "{media} {api:?}: {}", String::from_utf8_lossy(body));
        }
    }
}

#[test]
fn too_many_findings_are_refused() {
    let policy = policy("", &[WORD]);
    let body = |count: usize| format!("\"{}\"", "bluebird ".repeat(count));
    assert_eq!(chat(&policy, &body(limits::FINDINGS_MAX)).verdict, Ok(Action::Redact));
    assert_eq!(chat(&policy, &body(limits::FINDINGS_MAX + 1)).verdict, Err(Stop::Limit));
}

/// JSON with the word in it here and there, as text and as a value.
fn document() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        "[a-z\"\\\\ \u{e9}\u{1f600}]{0,12}",
        proptest::strategy::Just("bluebird".to_owned()),
        ("[a-z \"\\\\\n]{0,6}", "[ .,\"\u{e9}]{0,3}").prop_map(|(before, after)| format!("{before} bluebird {after}")),
    ];
    let leaf = prop_oneof![
        text.clone().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        proptest::strategy::Just(Value::Null),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((text.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// The naive twin of redaction: the document's strings with the word replaced, on values instead of bytes. Keys are left out.
fn replaced(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::from(text.replace("bluebird", "[WORD]")),
        Value::Array(items) => items.iter().map(replaced).collect(),
        Value::Object(pairs) => {
            Value::Object(pairs.iter().map(|(key, value)| (key.clone(), replaced(value))).collect())
        }
        other => other.clone(),
    }
}

/// Keys as redaction writes them, with their numbers taken off: `[WORD_12]` to `bluebird`.
fn with_plain_keys(value: &Value) -> Value {
    let plain = |key: &String| {
        let mut out = String::new();
        let mut rest = key.as_str();
        while let Some(at) = rest.find("[WORD_") {
            out.push_str(&rest[..at]);
            out.push_str("bluebird");
            rest = &rest[at..];
            rest = &rest[rest.find(']').unwrap() + 1..];
        }
        out + rest
    };
    match value {
        Value::Array(items) => items.iter().map(with_plain_keys).collect(),
        Value::Object(pairs) => {
            Value::Object(pairs.iter().map(|(key, value)| (plain(key), with_plain_keys(value))).collect())
        }
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn redaction_agrees_with_a_naive_twin(document in document()) {
        let policy = policy("", &["literals = [\"bluebird\"]\ncode = \"DLP.CUSTOM.WORD\"\nplaceholder = \"WORD\"\naction = \"redact\"\ncase_sensitive = true"]);
        let body = document.to_string();
        let outcome = inspect(&policy, OTHER, "content-type: application/json\r\n", body.as_bytes());
        prop_assert!(outcome.verdict.is_ok());
        let sent: Value = serde_json::from_str(&outcome.body).unwrap();
        prop_assert_eq!(with_plain_keys(&sent), replaced(&document));
    }

    #[test]
    fn any_bytes_have_a_verdict(body in proptest::collection::vec(any::<u8>(), 0..200), kind in 0_usize..5) {
        let policy = policy("content = \"forward\"", &[WORD]);
        let kinds = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain", "a/b"];
        let head = format!("{OTHER} HTTP/1.1\r\nhost: a\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n", kinds[kind], body.len());
        let parsed = RequestHead::parse(head.as_bytes()).unwrap();
        let message = Message { head: &parsed, bytes: head.as_bytes(), body: &body };
        let _ = Inspector::default().inspect(&policy, &message);
    }
}

#[test]
fn the_key_of_a_part_is_no_context_and_another_key_is() {
    let policy = policy("", &["detector = \"phone\"\naction = \"redact\""]);
    let cases = [
        (r#"{"messages":[{"role":"user","content":[{"type":"text","text":"order 415 555 2671"}]}]}"#, false),
        (r#"{"messages":[{"role":"user","content":[{"type":"text","text":"text me: 415 555 2671"}]}]}"#, true),
        (r#"{"messages":[],"metadata":{"text":"415 555 2671"}}"#, false),
        (r#"{"messages":[],"metadata":{"mobile":"415 555 2671"}}"#, true),
    ];
    for (body, found) in cases {
        assert_eq!(!chat(&policy, body).hits.is_empty(), found, "{body}");
    }
}
