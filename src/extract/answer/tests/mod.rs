//! Recorded answers of every API, whole and streamed; channels that never collide; usage.

mod streams;
mod whole;

use std::collections::HashMap;

use super::super::Api;
use super::super::json::Walker;
use super::super::usage::Usage;

/// The channels of an event's fragments.
fn channels(api: Api, event: &str) -> Vec<u32> {
    let mut walker = Walker::default();
    walker.walk(event.as_bytes(), api.event_table()).unwrap();
    walker.pieces.iter().filter(|piece| piece.fragment).map(|piece| piece.channel).collect()
}

/// Each event has one fragment, and no two of them are one text.
fn all_differ(api: Api, events: impl Iterator<Item = String>) {
    let mut seen = HashMap::new();
    for event in events {
        let [channel] = channels(api, &event)[..] else { panic!("not one fragment: {event}") };
        if let Some(other) = seen.insert(channel, event.clone()) {
            panic!("{event} and {other} share a channel");
        }
    }
    assert!(seen.len() > 100, "the grid is there");
}

#[test]
fn no_two_texts_of_a_chat_share_a_channel() {
    let deltas = (0..40).flat_map(|call| {
        ["name", "arguments"].map(|field| format!(r#""tool_calls":[{{"index":{call},"function":{{"{field}":"x"}}}}]"#))
    });
    let custom = (0..40).map(|call| format!(r#""tool_calls":[{{"index":{call},"custom":{{"input":"x"}}}}]"#));
    let fields = ["content", "refusal", "reasoning", "reasoning_content", "mood", "index", "0", "1"]
        .map(|field| format!(r#""{field}":"x y""#));
    let old = ["name", "arguments"].map(|field| format!(r#""function_call":{{"{field}":"x"}}"#));
    let spoken = [r#""audio":{"transcript":"x"}"#.to_owned()];
    // An unknown key is a text too, but no fragment.
    let deltas: Vec<String> = deltas.chain(custom).chain(fields).chain(old).chain(spoken).collect();
    let events = (0..20).flat_map(|choice| {
        deltas.iter().map(move |delta| format!(r#"{{"choices":[{{"index":{choice},"delta":{{{delta}}}}}]}}"#))
    });
    all_differ(Api::OpenAiChat, events);
}

#[test]
fn no_two_texts_of_a_response_share_a_channel() {
    let types = [
        "output_text",
        "refusal",
        "reasoning_text",
        "reasoning_summary_text",
        "function_call_arguments",
        "mcp_call_arguments",
        "custom_tool_call_input",
        "code_interpreter_call_code",
        "audio.transcript",
    ];
    let events = types.iter().flat_map(|kind| {
        ["output_index", "item_id"].into_iter().flat_map(move |count| {
            (0..12).flat_map(move |item| {
                ["content_index", "summary_index"].into_iter().flat_map(move |part| {
                    (0..12).map(move |index| {
                        format!(
                            r#"{{"type":"response.{kind}.delta","{count}":"{item}_","{part}":{index},"delta":"x"}}"#
                        )
                    })
                })
            })
        })
    });
    all_differ(Api::OpenAiResponses, events);
}

#[test]
fn no_two_texts_of_a_message_share_a_channel() {
    let fields = ["text", "thinking", "partial_json", "song", "delta"];
    let events = (0..200).flat_map(|index| {
        fields.iter().map(move |field| {
            format!(r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"a_delta","{field}":"x"}}}}"#)
        })
    });
    all_differ(Api::AnthropicMessages, events);
}

/// The same index on another object is another mark, and swapped indexes are others.
#[test]
fn no_two_texts_of_any_stream_share_a_channel() {
    let index =
        |name: &str, index: Option<u32>| index.map_or_else(String::new, |index| format!(r#","{name}":{index}"#));
    let levels = || [None].into_iter().chain((0..12).map(Some));
    let events = levels().flat_map(|outer| {
        levels().flat_map(move |inner| {
            ["a", "b"].into_iter().map(move |key| {
                let (outer, inner) = (index("index", outer), index("index", inner));
                format!(r#"{{"{key}":{{"c":["x"]{inner}}}{outer}}}"#)
            })
        })
    });
    all_differ(Api::Other, events);
}

#[test]
fn usage_is_found_and_what_is_no_count_is_not() {
    let cases = [
        (
            Api::OpenAiChat,
            r#"{"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29}}"#,
            Some(19),
            Some(10),
        ),
        (Api::OpenAiCompletions, r#"{"usage":{"completion_tokens":7}}"#, None, Some(7)),
        (Api::OpenAiResponses, r#"{"response":{"usage":{"input_tokens":3,"output_tokens":2}}}"#, Some(3), Some(2)),
        (Api::AnthropicMessages, r#"{"message":{"usage":{"input_tokens":25,"output_tokens":1}}}"#, Some(25), Some(1)),
        (Api::AnthropicMessages, r#"{"type":"message_delta","usage":{"output_tokens":15}}"#, None, Some(15)),
        (Api::OpenAiChat, r#"{"usage":{"prompt_tokens":-1,"completion_tokens":1.5}}"#, None, None),
        (Api::OpenAiChat, r#"{"usage":{"prompt_tokens":"19","completion_tokens":99999999999999999999}}"#, None, None),
        (Api::OpenAiChat, r#"{"prompt_tokens":19,"usage":null}"#, None, None),
    ];
    let mut walker = Walker::default();
    for (api, event, input, output) in cases {
        walker.walk(event.as_bytes(), api.event_table()).unwrap();
        assert_eq!(walker.usage, Usage { input, output }, "{event}");
        if !event.contains("response") && !event.contains("\"message\":") {
            walker.walk(event.as_bytes(), api.answer_table()).unwrap();
            assert_eq!(walker.usage, Usage { input, output }, "{event}");
        }
    }
    let embeddings = br#"{"data":[],"usage":{"prompt_tokens":8,"total_tokens":8}}"#;
    walker.walk(embeddings, Api::OpenAiEmbeddings.answer_table()).unwrap();
    assert_eq!(walker.usage, Usage { input: Some(8), output: None });
    walker.walk(b"{}", Api::OpenAiChat.answer_table()).unwrap();
    assert_eq!(walker.usage, Usage::default(), "of the last body only");
}

#[test]
fn log_probabilities_are_noticed() {
    let cases = [
        (Api::OpenAiChat, r#"{"choices":[{"logprobs":{"content":[{"token":"a","logprob":-0.1}]}}]}"#, true),
        (Api::OpenAiChat, r#"{"choices":[{"logprobs":{"content":[{"token":"a","bytes":[97]}]}}]}"#, true),
        (Api::OpenAiChat, r#"{"choices":[{"logprobs":null}]}"#, false),
        (Api::OpenAiChat, r#"{"choices":[{"logprobs":{"content":[]}}]}"#, false),
        (Api::OpenAiCompletions, r#"{"choices":[{"logprobs":{"top_logprobs":[{"a":-1}]}}]}"#, true),
        (Api::OpenAiResponses, r#"{"type":"x","logprobs":[{"token":"a","logprob":-1}]}"#, true),
        (Api::OpenAiResponses, r#"{"response":{"output":[{"content":[{"logprobs":[{"logprob":-1}]}]}]}}"#, true),
        (Api::OpenAiResponses, r#"{"type":"x","logprobs":[]}"#, false),
    ];
    let mut walker = Walker::default();
    for (api, event, expected) in cases {
        walker.walk(event.as_bytes(), api.event_table()).unwrap();
        assert_eq!(walker.logprobs, expected, "{event}");
    }
}
