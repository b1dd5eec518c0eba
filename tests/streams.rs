//! The generator of answers and its reader, on which the tests of inspected answers stand: what is made reads back, in every dialect
//! and channel, and the reader sees what must not pass.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a panic is how a test says no; tests lock and read time"
)]
#![expect(unreachable_pub, reason = "a test crate exports nothing; `pub` is what a module shows to the others")]

#[expect(dead_code, reason = "the harness is shared with the stories, which use the rest")]
mod support;

use serde_json::{Value, json};

use support::streams::{Channel, Dialect, Kind, Told};
use support::streams::{assemble, interleaved, stream, unaries, unary, unary_text, unary_texts};
use support::{PLAIN, each, model};

/// What is hard to write and to cut: quotes, backslashes, line ends, an emoji, what looks like an escape.
const TEXT: &str = "a \"quoted\" \\ back\\slash\nline\r\n\tZürich 🙂 \\u0041 {\"x\":[1]}";

/// Every dialect with every channel of it, the first and a later one.
fn channels() -> Vec<(Dialect, Channel)> {
    let of = |dialect: Dialect| {
        let first = dialect.kinds().iter().map(|kind| Channel::of(*kind));
        first.flat_map(move |channel| [Some(channel), dialect.beside(channel)]).flatten().map(move |c| (dialect, c))
    };
    Dialect::ALL.into_iter().flat_map(of).collect()
}

fn told(dialect: Dialect, events: &[Vec<u8>]) -> Told {
    assemble(dialect, &events.concat()).unwrap_or_else(|wrong| panic!("{dialect:?}: {wrong}"))
}

#[test]
fn what_is_streamed_in_any_pieces_is_assembled() {
    for (dialect, channel) in channels() {
        for (at, _) in TEXT.char_indices() {
            let events = stream(dialect, channel, &[&TEXT[..at], &TEXT[at..]]);
            let told = told(dialect, &events);
            assert_eq!(told.text(channel), Some(TEXT), "{dialect:?} {channel:?} cut at {at}");
            assert!(told.ended && told.error.is_none());
        }
        let characters: Vec<String> = TEXT.chars().map(String::from).collect();
        let pieces: Vec<&str> = characters.iter().map(String::as_str).collect();
        assert_eq!(told(dialect, &stream(dialect, channel, &pieces)).text(channel), Some(TEXT));
    }
}

#[test]
fn what_is_said_whole_is_read() {
    for (dialect, channel) in channels() {
        let body = unary(dialect, channel, TEXT);
        assert_eq!(unary_text(dialect, channel, &body).as_deref(), Ok(TEXT), "{dialect:?} {channel:?}");
    }
}

#[test]
fn channels_beside_one_another_keep_their_texts() {
    for (dialect, channel) in channels() {
        let Some(other) = dialect.beside(channel) else { continue };
        let events = interleaved(dialect, &[(other, &["4", "5", "6"]), (channel, &["1", "2"])]);
        let told = told(dialect, &events);
        assert_eq!((told.text(channel), told.text(other)), (Some("12"), Some("456")), "{dialect:?} {channel:?}");
        let texts = unary_texts(dialect, &unaries(dialect, &[(other, "456"), (channel, "12")])).unwrap();
        assert!(texts.contains(&(channel, "12".to_owned())) && texts.contains(&(other, "456".to_owned())));
        assert_eq!(texts, told.texts, "a stream and a body say the same");
    }
}

#[test]
fn choices_take_turns() {
    for dialect in [Dialect::Chat, Dialect::Completions] {
        let first = Channel::of(Kind::Text);
        let events = interleaved(dialect, &[(first, &["one", "two"]), (first.choice(1), &["ONE", "TWO"])]);
        let whole = String::from_utf8(events.concat()).unwrap();
        let places: Vec<usize> = ["one", "ONE", "two", "TWO"].iter().map(|word| whole.find(word).unwrap()).collect();
        assert!(places.is_sorted(), "{dialect:?}: {places:?}");
    }
}

#[test]
fn every_event_of_a_stream_is_one_event() {
    for (dialect, channel) in channels() {
        for event in stream(dialect, channel, &["a\n\nb", "c"]) {
            let end = if dialect == Dialect::Lines { "\n" } else { "\n\n" };
            let text = String::from_utf8(event).unwrap();
            assert_eq!(text.find(end), Some(text.len() - end.len()), "{dialect:?}: {text}");
        }
    }
}

#[test]
fn a_stream_that_ends_early_is_not_whole() {
    for (dialect, channel) in channels() {
        let events = stream(dialect, channel, &["a", "b"]);
        for count in 0..events.len() {
            let told = told(dialect, &events[..count]);
            assert!(!told.ended && told.error.is_none(), "{dialect:?} {channel:?}: {count} of {}", events.len());
        }
        let last = events.concat();
        let cut = assemble(dialect, &last[..last.len() - 2]);
        assert!(cut.is_err() || cut.is_ok_and(|told| !told.ended), "{dialect:?} {channel:?}: half an event");
    }
}

/// The stream with the last place that matches replaced.
fn with(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let at = text.rfind(from).unwrap_or_else(|| panic!("no {from} in {text}"));
    format!("{}{to}{}", &text[..at], &text[at + from.len()..]).into_bytes()
}

#[test]
fn a_text_that_is_repeated_otherwise_is_seen() {
    let text = Channel::of(Kind::Text);
    for kind in Dialect::Responses.kinds() {
        let whole = stream(Dialect::Responses, Channel::of(*kind), &["sec", "ret"]).concat();
        let all = String::from_utf8(whole).unwrap();
        // Each place that says it again: done, the part where there is one, the item, the response.
        let places: Vec<usize> = all.match_indices("secret").map(|(at, _)| at).collect();
        assert_eq!(places.len(), if *kind == Kind::Tool { 3 } else { 4 });
        for at in places {
            let changed = format!("{}hidden{}", &all[..at], &all[at + 6..]);
            assert!(assemble(Dialect::Responses, changed.as_bytes()).is_err(), "{kind:?} at {at}");
        }
    }
    let whole = stream(Dialect::Mcp, text, &["sec", "ret"]).concat();
    assert!(assemble(Dialect::Mcp, &with(&whole, "secret", "hidden")).is_err());
}

#[test]
fn what_no_client_understands_is_seen() {
    let text = Channel::of(Kind::Text);
    let tool = Channel::of(Kind::Tool);
    let cases: &[(Dialect, Channel, &str, &str)] = &[
        (Dialect::Chat, text, "data: {", "data: "),
        (Dialect::Chat, text, "data: [DONE]", "data: [DONE]\n\ndata: {}"),
        (Dialect::Chat, text, r#""finish_reason":"stop""#, r#""finish_reason":null"#),
        (Dialect::Chat, tool, r#"\"}"#, r#"\""#),
        (Dialect::Completions, text, r#""finish_reason":"stop""#, r#""finish_reason":null"#),
        (Dialect::Responses, text, "event: response.completed", "event: response.done"),
        (Dialect::Responses, text, r#""sequence_number":2"#, r#""sequence_number":1"#),
        (Dialect::Responses, tool, r#""output_index":0,"delta""#, r#""output_index":1,"delta""#),
        (Dialect::Messages, text, "event: message_stop\n", ""),
        (Dialect::Messages, text, r#""index":0}"#, r#""index":1}"#),
        (Dialect::Messages, tool, "input_json_delta", "text_delta"),
        (Dialect::Messages, tool, r#"\"}"#, r#"\""#),
        (Dialect::Mcp, text, r#""id":1"#, r#""id":2"#),
        (Dialect::Lines, text, "}\n", "\n"),
    ];
    for (dialect, channel, from, to) in cases {
        let whole = stream(*dialect, *channel, &["a", "b"]).concat();
        let changed = with(&whole, from, to);
        assert!(assemble(*dialect, &changed).is_err(), "{dialect:?}: {from} to {to}");
    }
}

#[test]
fn an_error_in_the_middle_is_told_with_what_came_before() {
    let cases = [
        (Dialect::Chat, "data: {\"error\":{\"message\":\"m\",\"code\":\"c\"}}\n\n"),
        (Dialect::Completions, "data: {\"error\":{\"message\":\"m\",\"code\":\"c\"}}\n\n"),
        (Dialect::Responses, "event: error\ndata: {\"type\":\"error\",\"message\":\"m\",\"code\":\"c\"}\n\n"),
        (Dialect::Messages, "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"t\"}}\n\n"),
        (Dialect::Mcp, "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-1,\"message\":\"m\"}}\n\n"),
        (Dialect::Lines, "{\"error\":\"m\"}\n"),
    ];
    for (dialect, error) in cases {
        let channel = Channel::of(Kind::Text);
        let events = stream(dialect, channel, &["before", "behind"]);
        let first = |event: &Vec<u8>| String::from_utf8_lossy(event).contains("before");
        let place = events.iter().position(first).map_or(0, |at| if dialect == Dialect::Mcp { at } else { at + 1 });
        let told = told(dialect, &[&events[..place], &[error.as_bytes().to_vec()]].concat());
        assert!(told.error.is_some_and(|error: Value| error.is_object()) && !told.ended, "{dialect:?}");
        if dialect != Dialect::Mcp {
            assert_eq!(told.texts, [(channel, "before".to_owned())], "{dialect:?}");
        }
    }
}

#[test]
fn a_model_says_what_it_is_asked_to() {
    each(PLAIN, |setup| {
        let upstream = setup.upstream(model::speak);
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        for (dialect, channel) in channels() {
            let kind = format!("{:?}", channel.kind).to_lowercase();
            let (n, part) = (channel.choice + 1, channel.part);
            for is_streamed in [true, false] {
                let prompt = format!("split=2 kind={kind} n={n} part={part} say: Zürich, 12 o'clock");
                let body = with(&dialect.request(is_streamed), "hello", &prompt);
                let accept = if is_streamed { "text/event-stream" } else { "application/json" };
                let head = format!(
                    "POST {} HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nAccept: {accept}\r\nContent-Length: {}\r\n\r\n",
                    dialect.path(),
                    body.len()
                );
                let answer = client.send(&[head.as_bytes(), &body].concat()).answer();
                assert_eq!(answer.status, 200, "{dialect:?}: {}", answer.text());
                let said = if is_streamed {
                    let told = assemble(dialect, &answer.body).unwrap();
                    assert!(told.ended);
                    told.text(channel).map(str::to_owned)
                } else {
                    unary_text(dialect, channel, &answer.body).ok()
                };
                assert_eq!(said.as_deref(), Some("Zürich, 12 o'clock"), "{dialect:?} {channel:?} {is_streamed}");
            }
        }
        let nothing = client.post(Dialect::Chat.path(), json!({"messages": []}).to_string().as_bytes());
        assert_eq!(nothing.status, 400);
        gateway.finish();
    });
}
