//! Texts of answers that the generator of answers does not make: what few models say, older forms, fields that no table knows, APIs
//! that have no table. Each is an event with a hole for a fragment, and a whole answer with a hole for the text.

use serde_json::Value;

use crate::holes::fill;
use crate::holes::read;
use crate::support::streams::Kind;

/// A text of an answer. In its templates `"@"` is a fragment or the text, `"@json"` an argument in a document in a string.
pub struct Further {
    pub api: &'static str,
    pub path: &'static str,
    pub kind: Kind,
    pub name: &'static str,
    /// Empty where there is none.
    event: &'static str,
    pub whole: &'static str,
}

const CHAT: (&str, &str) = ("OpenAI chat", "/v1/chat/completions");
const RESPONSES: (&str, &str) = ("OpenAI Responses", "/v1/responses");
const MESSAGES: (&str, &str) = ("Anthropic messages", "/v1/messages");
const GEMINI: (&str, &str) = ("Gemini", "/v1beta/models/g:streamGenerateContent");
const OTHER: (&str, &str) = ("any other", "/v1/other");

const fn further(
    (api, path): (&'static str, &'static str),
    kind: Kind,
    name: &'static str,
    event: &'static str,
    whole: &'static str,
) -> Further {
    Further { api, path, kind, name, event, whole }
}

pub const FURTHER: &[Further] = &[
    further(
        CHAT,
        Kind::Text,
        "parts of a message",
        r#"{"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"@"}]}}]}"#,
        r#"{"choices":[{"index":0,"message":{"role":"assistant","content":[{"type":"text","text":"@"}]}}]}"#,
    ),
    further(
        CHAT,
        Kind::Text,
        "transcript of audio",
        r#"{"choices":[{"index":0,"delta":{"audio":{"id":"a","transcript":"@"}}}]}"#,
        r#"{"choices":[{"index":0,"message":{"role":"assistant","audio":{"id":"a","transcript":"@"}}}]}"#,
    ),
    further(
        CHAT,
        Kind::Reasoning,
        "`reasoning`",
        r#"{"choices":[{"index":1,"delta":{"reasoning":"@"}}]}"#,
        r#"{"choices":[{"index":0,"message":{"role":"assistant","reasoning":"@"}}]}"#,
    ),
    further(
        CHAT,
        Kind::Reasoning,
        "`reasoning_details`",
        r#"{"choices":[{"index":0,"delta":{"reasoning_details":[{"type":"reasoning.text","index":1,"text":"@"}]}}]}"#,
        r#"{"choices":[{"index":0,"message":{"reasoning_details":[{"type":"reasoning.text","index":0,"text":"@"}]}}]}"#,
    ),
    further(
        CHAT,
        Kind::Tool,
        "arguments of a function call (the older form)",
        r#"{"choices":[{"index":0,"delta":{"function_call":{"arguments":"@json"}}}]}"#,
        r#"{"choices":[{"index":0,"message":{"function_call":{"name":"look","arguments":"@json"}}}]}"#,
    ),
    further(
        CHAT,
        Kind::Tool,
        "input of a custom tool",
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"custom":{"input":"@"}}]}}]}"#,
        r#"{"choices":[{"index":0,"message":{"tool_calls":[{"id":"c","type":"custom","custom":{"name":"n","input":"@"}}]}}]}"#,
    ),
    further(
        CHAT,
        Kind::Text,
        "a field that no table knows",
        r#"{"choices":[{"index":0,"delta":{"new_field":{"deep":"@"}}}]}"#,
        r#"{"choices":[{"index":0,"message":{"new_field":{"deep":"@"}}}]}"#,
    ),
    further(
        RESPONSES,
        Kind::Text,
        "transcript of audio",
        r#"{"type":"response.audio.transcript.delta","response_id":"r","delta":"@"}"#,
        "",
    ),
    further(
        RESPONSES,
        Kind::Reasoning,
        "reasoning text",
        r#"{"type":"response.reasoning_text.delta","item_id":"r","output_index":0,"content_index":0,"delta":"@"}"#,
        r#"{"output":[{"type":"reasoning","id":"r","content":[{"type":"reasoning_text","text":"@"}]}]}"#,
    ),
    further(
        RESPONSES,
        Kind::Tool,
        "arguments of an MCP call",
        r#"{"type":"response.mcp_call_arguments.delta","item_id":"m","output_index":0,"delta":"@json"}"#,
        r#"{"output":[{"type":"mcp_call","id":"m","name":"look","arguments":"@json"}]}"#,
    ),
    further(
        RESPONSES,
        Kind::Tool,
        "input of a custom tool",
        r#"{"type":"response.custom_tool_call_input.delta","item_id":"c","output_index":0,"delta":"@"}"#,
        r#"{"output":[{"type":"custom_tool_call","call_id":"c","name":"look","input":"@"}]}"#,
    ),
    further(
        RESPONSES,
        Kind::Tool,
        "code for an interpreter",
        r#"{"type":"response.code_interpreter_call_code.delta","item_id":"c","output_index":0,"delta":"@"}"#,
        r#"{"output":[{"type":"code_interpreter_call","id":"c","code":"@"}]}"#,
    ),
    further(
        RESPONSES,
        Kind::Tool,
        "result of a tool that the provider runs",
        "",
        r#"{"output":[{"type":"mcp_call","id":"m","name":"look","arguments":"{}","output":"@"}]}"#,
    ),
    further(
        RESPONSES,
        Kind::Text,
        "an event that no table knows",
        r#"{"type":"response.new_thing.delta","item_id":"n","output_index":0,"delta":"@"}"#,
        r#"{"output":[{"type":"new_thing","new_field":{"deep":"@"}}]}"#,
    ),
    further(
        MESSAGES,
        Kind::Text,
        "a block that begins with its text",
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"@"}}"#,
        r#"{"content":[{"type":"text","text":"a"},{"type":"text","text":"@"}]}"#,
    ),
    further(
        MESSAGES,
        Kind::Text,
        "a field that no table knows",
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"new_delta","new_field":"@"}}"#,
        r#"{"content":[{"type":"new_block","new_field":{"deep":"@"}}]}"#,
    ),
    further(
        MESSAGES,
        Kind::Tool,
        "result of a tool that the provider runs",
        "",
        r#"{"content":[{"type":"mcp_tool_result","tool_use_id":"t","content":[{"type":"text","text":"@"}]}]}"#,
    ),
    further(
        GEMINI,
        Kind::Text,
        "part of a content",
        r#"{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"@"}]}}]}"#,
        r#"{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"@"}]}}]}"#,
    ),
    further(OTHER, Kind::Text, "any string of JSON", r#"{"a":[{"b":"@"}]}"#, r#"{"a":[{"b":"@"}]}"#),
];

impl Further {
    /// Whether it comes in events.
    pub fn is_streamed(&self) -> bool {
        !self.event.is_empty()
    }

    /// One event for each piece, and two around them where the pieces are of an argument.
    pub fn events(&self, pieces: &[String]) -> Vec<Vec<u8>> {
        let event = |fragment: &str| {
            let mut value: Value = serde_json::from_str(&self.event.replace("@json", "@")).unwrap();
            fill(&mut value, &[("@", fragment)]);
            let name = value["type"].as_str().map_or(String::new(), |name| format!("event: {name}\n"));
            format!("{name}data: {value}\n\n").into_bytes()
        };
        if !self.is_argument() {
            return pieces.iter().map(|piece| event(piece)).collect();
        }
        let inside = |piece: &String| {
            let quoted = Value::from(piece.as_str()).to_string();
            event(&quoted[1..quoted.len() - 1])
        };
        let inside = pieces.iter().map(inside);
        std::iter::once(event("{\"q\":\"")).chain(inside).chain([event("\"}")]).collect()
    }

    /// What a client puts together from events.
    pub fn assembled(&self, stream: &[u8]) -> String {
        let template: Value = serde_json::from_str(&self.event.replace("@json", "@")).unwrap();
        let mut out = String::new();
        for data in std::str::from_utf8(stream).unwrap().lines().filter_map(|line| line.strip_prefix("data: ")) {
            read(&template, &serde_json::from_str(data).unwrap_or_else(|_| panic!("no JSON: {data}")), &mut out);
        }
        out
    }

    /// A text as it stands in the events.
    pub fn written(&self, text: &str) -> String {
        if self.is_argument() { serde_json::json!({"q": text}).to_string() } else { text.to_owned() }
    }

    fn is_argument(&self) -> bool {
        self.event.contains("@json")
    }

    /// A whole answer with the text.
    pub fn body(&self, text: &str) -> Vec<u8> {
        let mut value: Value = serde_json::from_str(self.whole).unwrap();
        fill(&mut value, &[("@", text)]);
        value.to_string().into_bytes()
    }

    /// The text of a whole answer.
    pub fn text(&self, body: &[u8]) -> String {
        let mut out = String::new();
        read(&serde_json::from_str(self.whole).unwrap(), &serde_json::from_slice(body).unwrap(), &mut out);
        out
    }
}
