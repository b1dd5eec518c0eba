//! Streams cut in every way: what comes out is what the whole text comes to.
#![expect(clippy::string_slice, reason = "a panic is how a test says no")]

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use serde_json::json;

use super::*;
use crate::extract::Api;
use crate::inspect::Text;
use crate::inspect::Work;
use crate::inspect::inspector;
use crate::inspect::inspector::Views;
use crate::policy::Scope;
use crate::proxy::inspection::tests::policy;

/// Rules that replace all that is found, and two of the policy's own.
fn everything() -> Policy {
    let detectors = [
        "email",
        "card",
        "iban",
        "us_ssn",
        "phone",
        "ipv4",
        "aws_access_key",
        "github_token",
        "openai_key",
        "anthropic_key",
        "private_key",
        "jwt",
    ];
    let mut rules: Vec<String> =
        detectors.iter().map(|name| format!("detector = \"{name}\"\naction = \"redact\"")).collect();
    rules.push("literals = [\"bluebird\", \"Project Ärger\"]\ncode = \"DLP.CUSTOM.WORD\"\nplaceholder = \"WORD\"\naction = \"redact\"".to_owned());
    rules.push(
        "pattern = '\\bEMP-[0-9]{6}\\b'\ncode = \"DLP.CUSTOM.STAFF\"\nplaceholder = \"STAFF\"\naction = \"redact\""
            .to_owned(),
    );
    rules.push("literals = [\"stop right here\"]\ncode = \"DLP.CUSTOM.STOP\"\naction = \"block\"".to_owned());
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    policy("scope = [\"response\"]", &rules)
}

/// What a client is given, and how it ends.
struct Outcome {
    out: String,
    end: Result<(), Cut>,
    redacted: u32,
    told: usize,
}

struct Bench {
    policy: Policy,
    inspector: Inspector,
    views: Views,
}

impl Bench {
    fn new(policy: Policy) -> Self {
        Self { policy, inspector: Inspector::default(), views: Views::default() }
    }

    fn run(&mut self, framing: Framing, api: Api, pieces: &[impl AsRef<[u8]>]) -> Outcome {
        let mut stream = Stream::new(framing, api.event_table());
        let mut out = Vec::new();
        let mut told = 0;
        let mut end = Ok(());
        for piece in pieces {
            end = stream.push(call(&mut self.inspector, &self.policy), piece.as_ref(), &mut out);
            told += stream.told().len();
            if end.is_err() {
                break;
            }
        }
        if end.is_ok() {
            end = stream.finish(call(&mut self.inspector, &self.policy), &mut out);
            told += stream.told().len();
            assert!(end.is_err() || stream.waits().is_empty());
        }
        Outcome { out: String::from_utf8(out).expect("UTF-8"), end, redacted: stream.redacted(), told }
    }

    /// The whole text with placeholders, by the engine and nothing else; what comes before a match that blocks.
    fn whole(&mut self, text: &str) -> (String, bool) {
        let mut findings = Vec::new();
        let bytes = Text { bytes: text.as_bytes(), key: b"" };
        let scanner = self.policy.scanner();
        inspector::inspect(scanner, bytes, &mut Work::default(), &mut self.views, &mut findings).expect("little work");
        findings.sort_by_key(|found| (found.start, std::cmp::Reverse(found.end)));
        let (mut out, mut at) = (String::new(), 0);
        let place = reading::BODY;
        for found in findings {
            let rule = self.policy.rule_for(found.finder, Scope::Response, place).expect("a rule for each");
            let (start, end) = (found.start as usize, found.end as usize);
            if rule.action == Action::Block {
                out.push_str(&text[at.min(start)..start]);
                return (out, true);
            }
            if start >= at {
                out.push_str(&text[at..start]);
                out.push_str(&format!("[{}]", rule.placeholder.word));
            }
            at = at.max(end);
        }
        out.push_str(&text[at..]);
        (out, false)
    }
}

fn call<'a>(inspector: &'a mut Inspector, policy: &'a Policy) -> Call<'a> {
    Call { inspector, policy, vault: None }
}

fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}

fn chat(delta: &str) -> String {
    event(
        &json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": delta}}]}),
    )
}

/// The text that a client of chat puts together.
fn assembled(stream: &str) -> String {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    let text = |data: &str| {
        let value: Value = serde_json::from_str(data).expect(data);
        value["choices"][0]["delta"]["content"].as_str().unwrap_or_default().to_owned()
    };
    data.map(text).collect()
}

fn cut<'a>(text: &'a str, at: &[usize]) -> Vec<&'a str> {
    let mut places: Vec<usize> =
        at.iter().map(|place| place % (text.len() + 1)).filter(|place| text.is_char_boundary(*place)).collect();
    places.extend([0, text.len()]);
    places.sort_unstable();
    places.dedup();
    places.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

fn values() -> Vec<String> {
    let key = ["sk-", "ant-", "api03-", &"Zk3vQ9wLx7Rt2Mn8Bp4Ys6HdaG5cJ1u".repeat(3), "AA"].concat();
    let jwt = ["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", ".eyJzdWIiOiI0MiIsImZha2UiOnRydWV9", ".AbCdEfGh0123456789_-xyz"]
        .concat();
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\nZk3vQ9wLx7Rt2Mn8Bp4Ys6HdaG5cJ1u==\n";
    let pem = ["-----BEGIN ", "RSA PRIVATE KEY-----\n", body, "-----END ", "RSA PRIVATE KEY-----"].concat();
    let aws = ["AKIA", "Q3EGTZ7XM2", "WPLJ5K"].concat();
    [
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
    ]
    .into_iter()
    .map(str::to_owned)
    .chain([key, jwt, pem, aws])
    .collect()
}

#[test]
fn every_value_at_every_cut_is_replaced_as_in_the_whole() {
    let mut bench = Bench::new(everything());
    for value in values() {
        for (before, after) in [("", ""), ("It is ", ", as I said. More follows."), ("\"", "\"\n")] {
            let text = format!("{before}{value}{after}");
            let (whole, _) = bench.whole(&text);
            assert!(!whole.contains(&value), "{whole}");
            for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
                let outcome = bench.run(Framing::Events, Api::OpenAiChat, &[chat(&text[..at]), chat(&text[at..])]);
                assert_eq!(outcome.end, Ok(()));
                assert_eq!(assembled(&outcome.out), whole, "{:?} | {:?}", &text[..at], &text[at..]);
                assert_eq!(outcome.redacted, 1, "{value}");
            }
            let single: Vec<String> = text.chars().map(|letter| chat(letter.encode_utf8(&mut [0; 4]))).collect();
            let outcome = bench.run(Framing::Events, Api::OpenAiChat, &single);
            assert_eq!(assembled(&outcome.out), whole, "letter by letter");
        }
    }
}

#[test]
fn any_text_in_any_pieces_comes_out_as_the_whole() {
    let bench = RefCell::new(Bench::new(everything()));
    let words = [
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
        "sk-",
        "eyJ",
        "EMP-",
        "123456",
        "blue",
        "bird",
        "2024-11-25",
        "v1.2.3.4",
        "ä",
        "\\",
        "&",
        "%",
        "stop right ",
        "here",
        "http://",
        "word word word word word word word word word word word word word ",
    ];
    let part = prop_oneof![
        2 => prop::sample::select(values()),
        5 => prop::sample::select(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()),
    ];
    let strategy = (prop::collection::vec(part, 1..12), prop::collection::vec(any::<usize>(), 0..40), any::<u8>());
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    let result = TestRunner::new(config).run(&strategy, |(parts, cuts, wire)| {
        let mut bench = bench.borrow_mut();
        let text = parts.concat();
        let (whole, blocked) = bench.whole(&text);
        let events: String = cut(&text, &cuts).into_iter().map(chat).collect();
        let step = 1 + usize::from(wire);
        let wire: Vec<&[u8]> = events.as_bytes().chunks(step).collect();
        let outcome = bench.run(Framing::Events, Api::OpenAiChat, &wire);
        if blocked {
            prop_assert!(matches!(outcome.end, Err(Cut::Blocked(_))), "{:?}", outcome.end);
            let out = assembled(&outcome.out);
            prop_assert!(whole.starts_with(&out), "{out:?} of {whole:?}");
        } else {
            prop_assert_eq!(outcome.end, Ok(()));
            prop_assert_eq!(assembled(&outcome.out), whole, "{:?}", cut(&text, &cuts));
        }
        Ok(())
    });
    assert_eq!(result, Ok(()));
}

#[test]
fn a_clean_stream_is_the_same_to_the_byte_and_nothing_of_it_waits() {
    let mut bench = Bench::new(Policy::built_in());
    let text =
        "Sure, here is what you asked for: the quick brown fox jumps over the lazy dog. Nothing else? Then goodbye!";
    let mut stream = Stream::new(Framing::Events, Api::OpenAiChat.event_table());
    let (mut sent, mut out) = (String::from(": hello\n\n"), Vec::new());
    stream.push(call(&mut bench.inspector, &bench.policy), sent.as_bytes(), &mut out).expect("clean");
    let mut late = 0;
    for word in text.split_inclusive(' ') {
        let event = chat(word);
        stream.push(call(&mut bench.inspector, &bench.policy), event.as_bytes(), &mut out).expect("clean");
        sent.push_str(&event);
        late += usize::from(!stream.waits().is_empty());
    }
    assert_eq!(late, 0);
    for odd in
        ["event: x\r\nid: 7\r\ndata:{\"choices\":[]}\r\n\r\n", "retry: 5\n\n", "data: not JSON\n\n", "data: [DONE]\n\n"]
    {
        stream.push(call(&mut bench.inspector, &bench.policy), odd.as_bytes(), &mut out).expect("clean");
        sent.push_str(odd);
    }
    stream.finish(call(&mut bench.inspector, &bench.policy), &mut out).expect("clean");
    assert_eq!(String::from_utf8(out).expect("UTF-8"), sent);
    assert_eq!((stream.redacted(), stream.unparsed()), (0, 1));
}

#[test]
fn channels_never_mix() {
    let mut bench = Bench::new(everything());
    let choice = |index: u32, text: &str| event(&json!({"choices": [{"index": index, "delta": {"content": text}}]}));
    // One value in two choices, a piece of each in turn.
    let (a, b) = ("card 4111 1111 1111 1111 ok", "mail jane.doe@acme-corp.com ok");
    let events: Vec<String> = a
        .chars()
        .map(String::from)
        .map(Some)
        .chain(std::iter::repeat(None))
        .zip(b.chars())
        .flat_map(|(a, b)| [a.map(|a| choice(0, &a)), Some(choice(1, &b.to_string()))].into_iter().flatten())
        .collect();
    let outcome = bench.run(Framing::Events, Api::OpenAiChat, &events);
    let of = |index: u64| -> String {
        let data = outcome.out.lines().filter_map(|line| line.strip_prefix("data: "));
        let values = data.map(|data| serde_json::from_str::<Value>(data).expect(data));
        values
            .filter(|value| value["choices"][0]["index"] == index)
            .map(|value| value["choices"][0]["delta"]["content"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!((of(0).as_str(), of(1).as_str()), ("card [CARD] ok", "mail [EMAIL] ok"));
    // Halves of a value in two choices are none.
    let outcome =
        bench.run(Framing::Events, Api::OpenAiChat, &[choice(0, "4111 1111 "), choice(1, "1111 1111"), choice(0, "x")]);
    assert_eq!(outcome.redacted, 0);
}

#[test]
fn a_block_ends_the_stream_before_the_match() {
    let mut bench = Bench::new(everything());
    let events = [chat("fine. "), chat("now stop "), chat("right "), chat("here"), chat(" and more")];
    let outcome = bench.run(Framing::Events, Api::OpenAiChat, &events);
    assert!(matches!(outcome.end, Err(Cut::Blocked(code)) if code.as_str() == "DLP.CUSTOM.STOP"));
    assert_eq!(outcome.out, chat("fine. "));
    // In a text that stands whole in an event.
    let events = [chat("fine. "), event(&json!({"error": {"message": "stop right here"}})), chat("more")];
    let outcome = bench.run(Framing::Events, Api::OpenAiChat, &events);
    assert!(matches!(outcome.end, Err(Cut::Blocked(_))));
    assert_eq!(outcome.out, chat("fine. "));
}

#[test]
fn arguments_of_tools_stay_json_at_every_cut() {
    let mut bench = Bench::new(everything());
    let arguments = json!({"to": "jane.doe@acme-corp.com", "card": 4_012_888_888_881_881_u64, "note": "a\n4012888888881881\u{7}", "key": "\"bluebird\""});
    let arguments = arguments.to_string();
    let call = |delta: &str| {
        event(
            &json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": delta}}]}}]}),
        )
    };
    for at in 0..=arguments.len() {
        let outcome = bench.run(Framing::Events, Api::OpenAiChat, &[call(&arguments[..at]), call(&arguments[at..])]);
        assert_eq!(outcome.end, Ok(()));
        let data = outcome.out.lines().filter_map(|line| line.strip_prefix("data: "));
        let out: String = data
            .map(|data| serde_json::from_str::<Value>(data).expect(data))
            .map(|value| {
                value["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect();
        let value: Value = serde_json::from_str(&out).expect(&out);
        assert_eq!(value, json!({"to": "[EMAIL]", "card": 0, "note": "a\n[CARD]\u{7}", "key": "\"[WORD]\""}), "{at}");
    }
}

#[test]
fn what_repeats_the_text_says_what_was_released() {
    let mut bench = Bench::new(policy(
        "scope = [\"response\"]\nplaceholder = \"numbered\"",
        &["detector = \"card\"\naction = \"redact\"", "detector = \"email\"\naction = \"redact\""],
    ));
    let text = "a@acme.io, 4012888888881881, b@acme.io, a@acme.io.";
    let delta = |text: &str| {
        let value = json!({"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0, "delta": text});
        format!("event: response.output_text.delta\ndata: {value}\n\n")
    };
    let done = json!({"type": "response.output_text.done", "item_id": "m", "output_index": 0, "content_index": 0, "text": text});
    let done = format!("event: response.output_text.done\ndata: {done}\n\n");
    let mut events: Vec<String> = text.chars().map(|letter| delta(letter.encode_utf8(&mut [0; 4]))).collect();
    events.push(done);
    let outcome = bench.run(Framing::Events, Api::OpenAiResponses, &events);
    let values: Vec<Value> = outcome
        .out
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).expect(data))
        .collect();
    let streamed: String = values.iter().filter_map(|value| value["delta"].as_str()).collect();
    assert_eq!(streamed, "[EMAIL_1], [CARD_2], [EMAIL_3], [EMAIL_1].");
    assert_eq!(values.iter().find_map(|value| value["text"].as_str()), Some(streamed.as_str()));
}

#[test]
fn what_waits_too_long_is_replaced_or_let_go() {
    let mut bench = Bench::new(everything());
    let mut stream = Stream::new(Framing::Events, Api::OpenAiChat.event_table());
    let mut out = Vec::new();
    let push = |stream: &mut Stream, inspector: &mut Inspector, policy: &Policy, text: &str, out: &mut Vec<u8>| {
        stream.push(call(inspector, policy), chat(text).as_bytes(), out).expect("no block");
    };
    // A number that may go on is no match: it goes on its way.
    push(&mut stream, &mut bench.inspector, &bench.policy, "in 2024", &mut out);
    assert!(!stream.waits().is_empty());
    stream.overdue(call(&mut bench.inspector, &bench.policy), &mut out).expect("no block");
    assert!(stream.waits().is_empty());
    assert_eq!(assembled(str::from_utf8(&out).expect("UTF-8")), "in 2024");
    // A private key is one before its end; what goes on with it goes with it.
    let key = ["-----BEGIN ", "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n"].concat();
    push(&mut stream, &mut bench.inspector, &bench.policy, &format!(" and {key}"), &mut out);
    stream.overdue(call(&mut bench.inspector, &bench.policy), &mut out).expect("no block");
    for more in
        ["Zk3vQ9wLx7Rt2Mn8Bp4Ys6HdaG5cJ1u\n", "AAAA\n-----E", "ND PRIVATE KEY--", "---\nthat is it 4012888888881881 "]
    {
        push(&mut stream, &mut bench.inspector, &bench.policy, more, &mut out);
    }
    stream.finish(call(&mut bench.inspector, &bench.policy), &mut out).expect("no block");
    assert_eq!(assembled(str::from_utf8(&out).expect("UTF-8")), "in 2024 and [PRIVATE_KEY]\nthat is it [CARD] ");
}

#[test]
fn what_was_let_go_and_becomes_a_match_is_replaced_from_there_on() {
    let alone = policy("scope = [\"response\"]\naction = \"redact\"", &["detector = \"card\""]);
    for policy in [everything(), alone] {
        let_go_and_completed(&mut Bench::new(policy));
    }
}

fn let_go_and_completed(bench: &mut Bench) {
    let finds_mail = bench.policy.rules().len() > 1;
    for (first, second, expected) in [
        ("4012 88", "88 8888 1881 and", "4012 88[CARD] and"),
        ("4012 88", "88 8888 1881. And", "4012 88[CARD]. And"),
        ("4111 11", "11 1111 1111. ", "4111 11[CARD]. "),
        ("4111 11", "11 1111 1111.", "4111 11[CARD]."),
        ("pay 4111 1111 ", "1111 1111, ", "pay 4111 1111 [CARD], "),
        ("to anna.kel", "ler@nordwind-handel.de now", "to anna.kel[EMAIL] now"),
    ] {
        if expected.contains("EMAIL") && !finds_mail {
            continue;
        }
        let mut stream = Stream::new(Framing::Events, Api::OpenAiChat.event_table());
        let mut out = Vec::new();
        for text in ["It is ", first, second, "."] {
            stream.push(call(&mut bench.inspector, &bench.policy), chat(text).as_bytes(), &mut out).expect("no block");
            if text == first || text == second {
                stream.overdue(call(&mut bench.inspector, &bench.policy), &mut out).expect("no block");
                assert!(stream.waits().is_empty());
            }
        }
        stream.finish(call(&mut bench.inspector, &bench.policy), &mut out).expect("no block");
        assert_eq!(assembled(str::from_utf8(&out).expect("UTF-8")), format!("It is {expected}."), "{first}{second}");
    }
}

#[test]
fn a_long_key_passes_the_bound_of_bytes_as_one_placeholder() {
    let mut bench = Bench::new(everything());
    let body: String = (0..3000).map(|at| char::from(b"AbCdEfGh0123456789+/Zz"[(at * 7 + at / 13) % 22])).collect();
    let key = ["-----BEGIN ", "PRIVATE KEY-----\n", &body, "\n", &body, "\n-----END ", "PRIVATE KEY-----"].concat();
    let text = format!("see {key} there");
    let events: Vec<String> =
        text.as_bytes().chunks(17).map(|part| chat(str::from_utf8(part).expect("ASCII"))).collect();
    let outcome = bench.run(Framing::Events, Api::OpenAiChat, &events);
    assert_eq!(outcome.end, Ok(()));
    assert_eq!(assembled(&outcome.out), "see [PRIVATE_KEY] there");
    assert_eq!(outcome.redacted, 1);
    let claims = "eyJzdWIiOiI0MiIsImZha2UiOnRydWV9".repeat(200);
    let jwt = ["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.", &claims, ".AbCdEfGh0123456789_-xyz"].concat();
    let text = format!("see {jwt} there");
    let events: Vec<String> =
        text.as_bytes().chunks(17).map(|part| chat(str::from_utf8(part).expect("ASCII"))).collect();
    assert_eq!(assembled(&bench.run(Framing::Events, Api::OpenAiChat, &events).out), "see [JWT] there");
}

#[test]
fn what_is_only_told_of_is_told_once_and_holds_nothing() {
    let mut bench = Bench::new(policy("scope = [\"response\"]", &["detector = \"email\"\naction = \"warn\""]));
    let text = "write to jane.doe@acme-corp.com, or to jane.doe@acme-corp.com again, please";
    for step in 1..text.len() {
        let pieces: Vec<String> =
            text.as_bytes().chunks(step).map(|part| chat(str::from_utf8(part).expect("ASCII"))).collect();
        let outcome = bench.run(Framing::Events, Api::OpenAiChat, &pieces);
        assert_eq!((outcome.told, outcome.out), (2, pieces.concat()), "{step}");
    }
}

#[test]
fn texts_that_are_no_json_are_read_too() {
    let mut bench = Bench::new(everything());
    let outcome = bench.run(Framing::Text, Api::Other, &["plain 4012", "8888888", "81881 text"]);
    assert_eq!(outcome.out, "plain [CARD] text");
    let outcome = bench.run(Framing::Text, Api::Other, &["plain", " ", "4012888888881881", "\n", "text"]);
    assert_eq!(outcome.out, "plain [CARD]\ntext");
    let outcome = bench.run(Framing::Events, Api::OpenAiChat, &["data: plain 4012888888881881 text\n\n"]);
    assert_eq!(outcome.out, "data: plain [CARD] text\n\n");
    let line = |text: &str| json!({"response": text, "done": false}).to_string() + "\n";
    let outcome = bench.run(Framing::Lines(lines::Form::Lines), Api::Other, &[line("a 401288888"), line("8881881 b")]);
    assert_eq!(outcome.out, line("a [CARD]") + &line(" b"));
}

#[test]
fn what_stands_beside_the_data_is_read() {
    let mut bench = Bench::new(everything());
    let cases = [
        (": card 4012888888881881\n\n", ": card [CARD]\n\n"),
        ("id: 536-22-8341\ndata: {}\n\n", "id: [SSN]\ndata: {}\n\n"),
        ("event: bluebird\ndata: {}\n\n", "event: [WORD]\ndata: {}\n\n"),
        ("x: bluebird\ndata: {}\n\n", "x: [WORD]\ndata: {}\n\n"),
        ("data: {\nevent: a\ndata: }\n\n", "data: {\nevent: a\ndata: }\n\n"),
        ("data: {\n: bluebird\ndata: }\n\n", "data: {\n: [WORD]\ndata: }\n\n"),
        (": ping\n\n", ": ping\n\n"),
    ];
    for (sent, expected) in cases {
        let outcome = bench.run(Framing::Events, Api::OpenAiChat, &[sent]);
        assert_eq!((outcome.end, outcome.out.as_str()), (Ok(()), expected));
    }
}

#[test]
fn what_stands_behind_an_escaped_line_end_begins_a_word() {
    let mut bench = Bench::new(everything());
    let call = |delta: &str| {
        let call = json!({"index": 0, "function": {"arguments": delta}});
        event(&json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}))
    };
    for value in values() {
        let arguments = json!({"a": format!("x\n{value}\t{value}\r\n{value}")}).to_string();
        let expected = bench.whole(&format!("x\n{value}\t{value}\r\n{value}")).0;
        for at in (0..=arguments.len()).filter(|at| arguments.is_char_boundary(*at)) {
            let outcome =
                bench.run(Framing::Events, Api::OpenAiChat, &[call(&arguments[..at]), call(&arguments[at..])]);
            let data = outcome.out.lines().filter_map(|line| line.strip_prefix("data: "));
            let fragment = |data: &str| {
                let value: Value = serde_json::from_str(data).expect(data);
                value["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            let out: String = data.map(fragment).collect();
            let out: Value = serde_json::from_str(&out).expect(&out);
            assert_eq!(out["a"], *expected, "{value} {at}");
        }
    }
}

#[test]
fn a_match_is_found_behind_a_word_whose_beginning_is_forgotten() {
    let mut bench = Bench::new(everything());
    let token = ["gho_", "Zk3vQ9wLx7Rt2Mn8Bp4Ys6HdaG5cJ1uVf0Ee"].concat();
    let jwt = ["eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiI0MiIsImZha2UiOnRydWV9", ".AbCdEfGh0123456789_-xyz"].concat();
    // Behind a dash it is none; without the dash it would be one, and go on into the token.
    for before in ["-", "x-", "see x-"] {
        let text = format!("{before}{jwt}\u{ff14}{token}jane.doe@ and on");
        let (whole, _) = bench.whole(&text);
        assert!(whole.contains("[GITHUB_TOKEN]"), "{whole}");
        for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            let outcome = bench.run(Framing::Events, Api::OpenAiChat, &[chat(&text[..at]), chat(&text[at..])]);
            assert_eq!(assembled(&outcome.out), whole, "{at}");
        }
    }
}
