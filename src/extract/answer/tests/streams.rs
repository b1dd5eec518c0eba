//! Recorded streams, an event a line: which fragments go on which others.

use std::collections::HashMap;

use super::super::super::Api;
use super::super::super::fuzz::fuzz_walk;
use super::super::super::json::Walker;
use super::super::super::tests::line;

/// A row: what it shows, the events, their pieces with a letter for each channel behind `~`.
type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

fn check(api: Api, cases: &[Case]) {
    let mut walker = Walker::default();
    for (name, events, expected) in cases {
        let mut letters = HashMap::new();
        let mut found = Vec::new();
        for event in *events {
            fuzz_walk(event.as_bytes());
            walker.walk(event.as_bytes(), api.event_table()).unwrap_or_else(|error| panic!("{error:?}: {event}"));
            for piece in &walker.pieces {
                let next = char::from(b'A' + u8::try_from(letters.len()).unwrap());
                let line = line(event, piece);
                found.push(match piece.fragment {
                    true => line.replacen('~', &format!("~{}", letters.entry(piece.channel).or_insert(next)), 1),
                    false => line,
                });
            }
        }
        assert_eq!(found, *expected, "{name}");
    }
}

const CHAT: &[Case] = &[
    (
        "two choices, their index in front or behind",
        &[
            r#"{"id":"chatcmpl-123","object":"chat.completion.chunk","created":1694268190,"model":"gpt-4o-mini","system_fingerprint":"fp_44","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"obfuscation":"aT3"}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null},{"delta":{"content":"Bon"},"index":1}]}"#,
            r#"{"choices":[{"delta":{"content":"jour"},"index":1}]}"#,
            r#"{"choices":[{"delta":{"content":"lo","refusal":"r","reasoning_content":"t","reasoning":"u"},"index":0}]}"#,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29}}"#,
        ],
        &[
            "assistant ~A content: Hel",
            "assistant ~B content: Bon",
            "assistant ~B content: jour",
            "assistant ~A content: lo",
            "assistant ~C refusal: r",
            "assistant ~D reasoning_content: t",
            "assistant ~E reasoning: u",
        ],
    ),
    (
        "calls of tools",
        &[
            r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"weather","arguments":""}}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"ci"}}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"function":{"name":"time","arguments":"{"},"type":"function","index":1}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"ty\":1}"}}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":2,"type":"custom","custom":{"name":"sh","input":"ls"}}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"function_call":{"name":"old","arguments":"{}"}}}]}"#,
        ],
        &[
            "call * ~A name: weather",
            "call json ~B arguments: {\"ci",
            "call * ~C name: time",
            "call json ~D arguments: {",
            "call json ~B arguments: ty\":1}",
            "call * ~E name: sh",
            "call ~F input: ls",
            "call * ~G name: old",
            "call json ~H arguments: {}",
        ],
    ),
    (
        "without an index the position counts, and is the same as the index",
        &[
            r#"{"choices":[{"delta":{"content":"a","tool_calls":[{"function":{"arguments":"0"}},{"function":{"arguments":"1"}}]}},{"delta":{"content":"b"}}]}"#,
            r#"{"choices":[{"index":1,"delta":{"content":"c"}},{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"2"}}]}}]}"#,
        ],
        &[
            "assistant ~A content: a",
            "call json ~B arguments: 0",
            "call json ~C arguments: 1",
            "assistant ~D content: b",
            "assistant ~D content: c",
            "call json ~C arguments: 2",
        ],
    ),
    (
        "audio, tokens, new fields",
        &[
            r#"{"choices":[{"index":0,"delta":{"audio":{"id":"audio_1","transcript":"He"}}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"audio":{"data":"UklGRg=="}}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"41","mood":"g"},"logprobs":{"content":[{"token":"4","logprob":-0.1,"bytes":[52],"top_logprobs":[{"token":"4"},{"token":"5"}]},{"token":"1","top_logprobs":[{"token":"1"}]}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"audio":{"transcript":"llo"},"mood":"lad"}}]}"#,
        ],
        &[
            "assistant ~A transcript: He",
            "assistant ~B content: 41",
            "assistant key: mood",
            "assistant ~C mood: g",
            "assistant ~D token: 4",
            "assistant ~E token: 4",
            "assistant ~F token: 5",
            "assistant ~D token: 1",
            "assistant ~E token: 1",
            "assistant ~A transcript: llo",
            "assistant key: mood",
            "assistant ~C mood: lad",
        ],
    ),
    (
        "a key by escapes is the same key",
        &[
            r#"{"choices":[{"index":0,"delta":{"content":"a","mood":"b"}}]}"#,
            r#"{"ch\u006fices":[{"\u0069ndex":0,"d\u0065lta":{"content":"c","m\u006fod":"d"}}]}"#,
        ],
        &[
            "assistant ~A content: a",
            "assistant key: mood",
            "assistant ~B mood: b",
            "assistant ~A content: c",
            "assistant key: mood",
            "assistant ~B m\\u006fod: d",
        ],
    ),
];

const COMPLETIONS: &[Case] = &[(
    "two choices",
    &[
        r#"{"id":"cmpl-1","object":"text_completion","created":1690759702,"choices":[{"text":"T","index":0,"logprobs":{"tokens":["T"],"token_logprobs":[-0.1],"top_logprobs":[{"T":-0.1}],"text_offset":[3]},"finish_reason":null}],"model":"m"}"#,
        r#"{"choices":[{"text":"x","index":1},{"text":"his","index":0}]}"#,
    ],
    &[
        "assistant ~A text: T",
        "assistant ~B tokens: T",
        "assistant key: T",
        "assistant ~C text: x",
        "assistant ~A text: his",
    ],
)];

const RESPONSES: &[Case] = &[
    (
        "a message from its beginning to its end",
        &[
            r#"{"type":"response.created","response":{"id":"resp_1","object":"response","status":"in_progress","output":[],"usage":null},"sequence_number":0}"#,
            r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}}"#,
            r#"{"type":"response.content_part.added","item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}"#,
            r#"{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"Hi","obfuscation":"x9"}"#,
            r#"{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":1,"delta":"other"}"#,
            r#"{"content_index":0,"delta":" there","logprobs":[{"token":" there","logprob":-0.1,"top_logprobs":[]}],"item_id":"msg_changed","output_index":0,"type":"response.output_text.delta"}"#,
            r#"{"type":"response.output_text.done","item_id":"msg_1","output_index":0,"content_index":0,"text":"Hi there"}"#,
            r#"{"type":"response.content_part.done","item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"Hi there","annotations":[]}}"#,
            r#"{"type":"response.output_text.annotation.added","item_id":"msg_1","output_index":0,"content_index":0,"annotation_index":0,"annotation":{"type":"url_citation","title":"t"}}"#,
            r#"{"type":"response.output_item.done","output_index":0,"item":{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"output_text","text":"Hi there"}]}}"#,
            r#"{"type":"response.completed","response":{"id":"resp_1","output":[{"type":"message","content":[{"type":"output_text","text":"Hi"},{"type":"output_text","text":" there"}]}],"usage":{"input_tokens":3,"output_tokens":2}}}"#,
        ],
        &[
            "assistant ~A delta: Hi",
            "assistant ~B delta: other",
            "assistant ~A delta:  there",
            "assistant ~C token:  there",
            "assistant text: Hi there",
            "assistant text: Hi there",
            "assistant title: t",
            "assistant text: Hi there",
            "assistant text: Hi",
            "assistant + text:  there",
        ],
    ),
    (
        "deltas of every kind, told apart by their type",
        &[
            r#"{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":""}}"#,
            r#"{"type":"response.function_call_arguments.delta","item_id":"i","output_index":1,"delta":"{\"a\":"}"#,
            r#"{"delta":"1}","type":"response.function_call_arguments.delta","item_id":"i","output_index":1}"#,
            r#"{"type":"response.function_call_arguments.done","item_id":"i","output_index":1,"name":"f","arguments":"{\"a\":1}"}"#,
            r#"{"type":"response.mcp_call_arguments.delta","item_id":"i","output_index":1,"delta":"{}"}"#,
            r#"{"type":"response.custom_tool_call_input.delta","item_id":"i","output_index":1,"delta":"ls"}"#,
            r#"{"type":"response.custom_tool_call_input.done","item_id":"i","output_index":1,"input":"ls"}"#,
            r#"{"type":"response.code_interpreter_call_code.delta","item_id":"i","output_index":1,"delta":"pr"}"#,
            r#"{"type":"response.code_interpreter_call_code.done","item_id":"i","output_index":1,"code":"print()"}"#,
            r#"{"type":"response.refusal.delta","item_id":"i","output_index":1,"content_index":0,"delta":"no"}"#,
            r#"{"type":"response.refusal.done","item_id":"i","output_index":1,"content_index":0,"refusal":"no"}"#,
            r#"{"type":"response.reasoning_text.delta","item_id":"i","output_index":1,"content_index":0,"delta":"hm"}"#,
            r#"{"type":"response.reasoning_summary_text.delta","item_id":"i","output_index":1,"summary_index":0,"delta":"s"}"#,
            r#"{"type":"response.reasoning_summary_text.delta","item_id":"i","output_index":1,"summary_index":1,"delta":"t"}"#,
            r#"{"type":"response.reasoning_summary_part.done","item_id":"i","output_index":1,"summary_index":1,"part":{"type":"summary_text","text":"t"}}"#,
            r#"{"type":"response.audio.transcript.delta","response_id":"resp_1","delta":"sa"}"#,
        ],
        &[
            "call * name: f",
            "call json ~A delta: {\"a\":",
            "call json ~A delta: 1}",
            "call * name: f",
            "call json arguments: {\"a\":1}",
            "call json ~B delta: {}",
            "call ~C delta: ls",
            "call input: ls",
            "call ~D delta: pr",
            "call code: print()",
            "assistant ~E delta: no",
            "assistant refusal: no",
            "assistant ~F delta: hm",
            "assistant ~G delta: s",
            "assistant ~H delta: t",
            "assistant text: t",
            "assistant ~I delta: sa",
        ],
    ),
    (
        "media only where the type says so",
        &[
            r#"{"type":"response.audio.delta","delta":"UklGRg=="}"#,
            r#"{"delta":"UklGRg==","type":"response.audio.delta"}"#,
            r#"{"type":"response.audio.delta","delta":"a text"}"#,
            r#"{"type":"response.output_text.delta","delta":"UklGRg=="}"#,
            r#"{"type":"response.image_generation_call.partial_image","output_index":0,"partial_image_index":0,"partial_image_b64":"iVBO"}"#,
        ],
        &["assistant ~A delta: a text", "assistant ~B delta: UklGRg=="],
    ),
    (
        "an item's id where there is no index of it; an error",
        &[
            r#"{"type":"response.output_text.delta","item_id":"msg_1","content_index":0,"delta":"a"}"#,
            r#"{"type":"response.output_text.delta","item_id":"msg_2","content_index":0,"delta":"b"}"#,
            r#"{"item_id":"msg_1","type":"response.output_text.delta","content_index":0,"delta":"c"}"#,
            r#"{"type":"error","code":"server_error","message":"It broke.","param":null}"#,
        ],
        &[
            "assistant ~A delta: a",
            "assistant ~B delta: b",
            "assistant ~A delta: c",
            "call code: server_error",
            "assistant message: It broke.",
        ],
    ),
];

const ANTHROPIC: &[Case] = &[(
    "a message from its beginning to its end",
    &[
        r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"claude-opus-4-6","stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"output_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"h"}}"#,
        r#"{"type":"content_block_delta","delta":{"thinking":"m","type":"thinking_delta"},"index":0}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrk=="}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"A"}}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"B"}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{"type":"char_location","cited_text":"c"}}}"#,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"q\""}}"#,
        r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_2","name":"g","input":{"k":"v"}}}"#,
        r#"{"index":3,"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{"}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":":1}"}}"#,
        r#"{"type":"content_block_start","index":4,"content_block":{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","title":"t","url":"https://x.test","encrypted_content":"Eqgf"}]}}"#,
        r#"{"type":"content_block_delta","index":5,"delta":{"type":"new_delta","song":"la"}}"#,
        r#"{"type":"content_block_delta","index":5,"delta":{"type":"new_delta","song":"la"}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":"the end"},"usage":{"output_tokens":15}}"#,
        r#"{"type":"message_stop"}"#,
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded now"}}"#,
    ],
    &[
        "assistant ~A thinking: h",
        "assistant ~A thinking: m",
        "assistant ~B text: A",
        "assistant ~B text: B",
        "assistant cited_text: c",
        "call * name: f",
        "call json ~C partial_json: {\"q\"",
        "call * name: g",
        "call key: k",
        "call k: v",
        "call json ~D partial_json: {",
        "call json ~C partial_json: :1}",
        "tool title: t",
        "tool url: https://x.test",
        "assistant key: song",
        "assistant ~E song: la",
        "assistant key: song",
        "assistant ~E song: la",
        "assistant stop_sequence: the end",
        "assistant message: Overloaded now",
    ],
)];

const OTHER: &[Case] = &[
    (
        "messages of JSON-RPC are whole, its version in front or behind",
        &[
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"d"}}"#,
            r#"{"result":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"odd":"o"},"id":1,"jsonrpc":"2.0"}"#,
            r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32602,"message":"Unknown tool"}}"#,
        ],
        &[
            "none method: notifications/message",
            "assistant key: level",
            "assistant level: info",
            "assistant key: data",
            "assistant data: d",
            "tool text: a",
            "tool + text: b",
            "assistant key: odd",
            "assistant odd: o",
            "assistant key: id",
            "assistant key: id",
            "assistant key: error",
            "assistant key: code",
            "assistant key: message",
            "assistant message: Unknown tool",
        ],
    ),
    (
        "any other stream goes by path and index",
        &[
            r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"index":0},{"content":{"parts":[{"text":"b"}]},"index":1}]}"#,
            r#"{"candidates":[{"index":1,"content":{"parts":[{"text":"c"}]}}]}"#,
            r#"{"result":"x"}"#,
            r#"{"result":"y"}"#,
            r#""alone""#,
        ],
        &[
            "assistant key: candidates",
            "assistant key: content",
            "assistant key: parts",
            "assistant key: text",
            "assistant ~A text: a",
            "assistant key: content",
            "assistant key: parts",
            "assistant key: text",
            "assistant ~B text: b",
            "assistant key: candidates",
            "assistant key: content",
            "assistant key: parts",
            "assistant key: text",
            "assistant ~B text: c",
            "assistant ~C result: x",
            "assistant ~C result: y",
            "assistant ~D: alone",
        ],
    ),
];

#[test]
fn fragments_of_one_text_share_a_channel_and_others_do_not() {
    check(Api::OpenAiChat, CHAT);
    check(Api::OpenAiCompletions, COMPLETIONS);
    check(Api::OpenAiResponses, RESPONSES);
    check(Api::AnthropicMessages, ANTHROPIC);
    check(Api::Other, OTHER);
}
