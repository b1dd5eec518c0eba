//! Every text of every dialect's requests: a body with one hole in it, to be filled with a text and read back.
//!
//! The templates are written from the providers' documentation and share no line with `src/`.

use serde_json::Value;

use crate::holes::fill;
use crate::holes::read;
use crate::support::streams::Kind;

/// A text of a request. In its template `"@"` is the text, `"@json"` a JSON document in a string that holds it as an argument, and
/// `"@1"` and `"@2"` are the halves of one that is cut.
pub struct Place {
    pub api: &'static str,
    pub path: &'static str,
    pub media_type: &'static str,
    pub name: &'static str,
    pub kind: Kind,
    template: &'static str,
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const TEXT: &str = "text/plain";
const MULTIPART: &str = "multipart/form-data; boundary=b0";

const CHAT: (&str, &str) = ("OpenAI chat", "/v1/chat/completions");
const COMPLETIONS: (&str, &str) = ("OpenAI completions", "/v1/completions");
const RESPONSES: (&str, &str) = ("OpenAI Responses", "/v1/responses");
const EMBEDDINGS: (&str, &str) = ("OpenAI embeddings", "/v1/embeddings");
const MESSAGES: (&str, &str) = ("Anthropic messages", "/v1/messages");
const MCP: (&str, &str) = ("MCP", "/mcp");
const OTHER: (&str, &str) = ("any other", "/v1/other");

const fn json(api: (&'static str, &'static str), kind: Kind, name: &'static str, template: &'static str) -> Place {
    Place { api: api.0, path: api.1, media_type: JSON, name, kind, template }
}

pub const PLACES: &[Place] = &[
    json(CHAT, Kind::Text, "system message", r#"{"messages":[{"role":"system","content":"@"}]}"#),
    json(CHAT, Kind::Text, "user message", r#"{"messages":[{"role":"user","content":"@"}]}"#),
    json(
        CHAT,
        Kind::Text,
        "part of a message",
        r#"{"messages":[{"role":"user","content":[{"type":"text","text":"@"}]}]}"#,
    ),
    json(CHAT, Kind::Text, "earlier answer", r#"{"messages":[{"role":"assistant","content":"@"}]}"#),
    json(CHAT, Kind::Refusal, "earlier refusal", r#"{"messages":[{"role":"assistant","content":null,"refusal":"@"}]}"#),
    json(
        CHAT,
        Kind::Reasoning,
        "earlier reasoning",
        r#"{"messages":[{"role":"assistant","content":"","reasoning_content":"@"}]}"#,
    ),
    json(
        CHAT,
        Kind::Tool,
        "arguments of a tool call",
        r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"@json"}}]}]}"#,
    ),
    json(CHAT, Kind::Tool, "result of a tool", r#"{"messages":[{"role":"tool","tool_call_id":"c","content":"@"}]}"#),
    json(
        CHAT,
        Kind::Tool,
        "definition of a tool",
        r#"{"messages":[],"tools":[{"type":"function","function":{"name":"look","description":"@"}}]}"#,
    ),
    json(
        CHAT,
        Kind::Tool,
        "schema of a tool",
        r#"{"messages":[],"tools":[{"type":"function","function":{"name":"look","parameters":{"type":"object","properties":{"q":{"type":"string","description":"@"}}}}}]}"#,
    ),
    json(CHAT, Kind::Text, "a field that no table knows", r#"{"messages":[],"new_field":{"deep":["@"]}}"#),
    json(COMPLETIONS, Kind::Text, "prompt", r#"{"prompt":"@"}"#),
    json(COMPLETIONS, Kind::Text, "one of several prompts", r#"{"prompt":["one","@"]}"#),
    json(COMPLETIONS, Kind::Text, "suffix", r#"{"prompt":"p","suffix":"@"}"#),
    json(RESPONSES, Kind::Text, "input", r#"{"input":"@"}"#),
    json(RESPONSES, Kind::Text, "instructions", r#"{"input":"i","instructions":"@"}"#),
    json(
        RESPONSES,
        Kind::Text,
        "part of a message",
        r#"{"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"@"}]}]}"#,
    ),
    json(
        RESPONSES,
        Kind::Text,
        "earlier answer",
        r#"{"input":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"@"}]}]}"#,
    ),
    json(
        RESPONSES,
        Kind::Reasoning,
        "earlier reasoning",
        r#"{"input":[{"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"@"}]}]}"#,
    ),
    json(
        RESPONSES,
        Kind::Tool,
        "arguments of a tool call",
        r#"{"input":[{"type":"function_call","call_id":"c","name":"look","arguments":"@json"}]}"#,
    ),
    json(
        RESPONSES,
        Kind::Tool,
        "result of a tool",
        r#"{"input":[{"type":"function_call_output","call_id":"c","output":"@"}]}"#,
    ),
    json(
        RESPONSES,
        Kind::Tool,
        "definition of a tool",
        r#"{"input":"i","tools":[{"type":"function","name":"look","description":"@"}]}"#,
    ),
    json(RESPONSES, Kind::Text, "variable of a stored prompt", r#"{"prompt":{"id":"p","variables":{"name":"@"}}}"#),
    json(EMBEDDINGS, Kind::Text, "input", r#"{"input":"@"}"#),
    json(EMBEDDINGS, Kind::Text, "one of several inputs", r#"{"input":["one","@"]}"#),
    json(MESSAGES, Kind::Text, "system", r#"{"system":"@","messages":[]}"#),
    json(MESSAGES, Kind::Text, "system in blocks", r#"{"system":[{"type":"text","text":"@"}],"messages":[]}"#),
    json(MESSAGES, Kind::Text, "user message", r#"{"messages":[{"role":"user","content":"@"}]}"#),
    json(
        MESSAGES,
        Kind::Text,
        "block of a message",
        r#"{"messages":[{"role":"user","content":[{"type":"text","text":"@"}]}]}"#,
    ),
    json(
        MESSAGES,
        Kind::Reasoning,
        "earlier thinking",
        r#"{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"@","signature":"EqQB"}]}]}"#,
    ),
    json(
        MESSAGES,
        Kind::Tool,
        "input of a tool",
        r#"{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"look","input":{"q":"@"}}]}]}"#,
    ),
    json(
        MESSAGES,
        Kind::Tool,
        "result of a tool",
        r#"{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"@"}]}]}"#,
    ),
    json(
        MESSAGES,
        Kind::Tool,
        "result of a tool in blocks",
        r#"{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"@"}]}]}]}"#,
    ),
    json(
        MESSAGES,
        Kind::Text,
        "document in text",
        r#"{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"@"}}]}]}"#,
    ),
    json(
        MESSAGES,
        Kind::Tool,
        "definition of a tool",
        r#"{"messages":[],"tools":[{"name":"look","description":"@"}]}"#,
    ),
    json(
        MCP,
        Kind::Tool,
        "arguments of a tool call",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"look","arguments":{"q":"@"}}}"#,
    ),
    json(
        MCP,
        Kind::Text,
        "system prompt of a sampling",
        r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"systemPrompt":"@","messages":[]}}"#,
    ),
    json(
        MCP,
        Kind::Text,
        "message of a sampling",
        r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"messages":[{"role":"user","content":{"type":"text","text":"@"}}]}}"#,
    ),
    json(
        MCP,
        Kind::Tool,
        "result that a client sends",
        r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"@"}],"isError":false}}"#,
    ),
    json(
        ("Gemini", "/v1beta/models/g:generateContent"),
        Kind::Text,
        "part of a content",
        r#"{"contents":[{"role":"user","parts":[{"text":"@"}]}]}"#,
    ),
    json(OTHER, Kind::Text, "any string of JSON", r#"{"a":[{"b":"@"}]}"#),
    Place {
        api: OTHER.0,
        path: OTHER.1,
        media_type: FORM,
        name: "field of a form",
        kind: Kind::Text,
        template: "a=b&text=@&c=d",
    },
    Place {
        api: OTHER.0,
        path: OTHER.1,
        media_type: MULTIPART,
        name: "field of a form in parts",
        kind: Kind::Text,
        template: "--b0\r\ncontent-disposition: form-data; name=\"text\"\r\n\r\n@\r\n--b0--\r\n",
    },
    Place { api: OTHER.0, path: OTHER.1, media_type: TEXT, name: "plain text", kind: Kind::Text, template: "@" },
];

/// Texts that come in parts, which a model reads as one.
pub const PARTS: &[Place] = &[
    json(
        CHAT,
        Kind::Text,
        "two parts",
        r#"{"messages":[{"role":"user","content":[{"type":"text","text":"@1"},{"type":"text","text":"@2"}]}]}"#,
    ),
    json(
        RESPONSES,
        Kind::Text,
        "two parts",
        r#"{"input":[{"role":"user","content":[{"type":"input_text","text":"@1"},{"type":"input_text","text":"@2"}]}]}"#,
    ),
    json(
        RESPONSES,
        Kind::Reasoning,
        "two parts of a summary",
        r#"{"input":[{"type":"reasoning","summary":[{"type":"summary_text","text":"@1"},{"type":"summary_text","text":"@2"}]}]}"#,
    ),
    json(
        MESSAGES,
        Kind::Text,
        "two blocks",
        r#"{"messages":[{"role":"user","content":[{"type":"text","text":"@1"},{"type":"text","text":"@2"}]}]}"#,
    ),
    json(
        MESSAGES,
        Kind::Text,
        "two blocks of system",
        r#"{"system":[{"type":"text","text":"@1"},{"type":"text","text":"@2"}],"messages":[]}"#,
    ),
    json(
        MESSAGES,
        Kind::Tool,
        "two blocks of a result",
        r#"{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"@1"},{"type":"text","text":"@2"}]}]}]}"#,
    ),
    json(
        MCP,
        Kind::Tool,
        "two parts of a result",
        r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"@1"},{"type":"text","text":"@2"}]}}"#,
    ),
];

impl Place {
    /// A body with the text in it.
    pub fn body(&self, text: &str) -> Vec<u8> {
        match self.media_type {
            JSON => self.filled(&[("@", text)]),
            FORM => self.template.replace('@', &escaped(text)).into_bytes(),
            _ => self.template.replace('@', text).into_bytes(),
        }
    }

    /// A body with the text in two parts.
    pub fn parts(&self, front: &str, back: &str) -> Vec<u8> {
        self.filled(&[("@1", front), ("@2", back)])
    }

    fn filled(&self, texts: &[(&str, &str)]) -> Vec<u8> {
        let mut value: Value = serde_json::from_str(self.template).unwrap();
        fill(&mut value, texts);
        value.to_string().into_bytes()
    }

    /// The text of a body; its parts one behind the other.
    pub fn text(&self, body: &[u8]) -> String {
        let text = std::str::from_utf8(body).unwrap();
        if self.media_type != JSON {
            let (front, back) = self.template.split_once('@').unwrap();
            let inside = text.strip_prefix(front).and_then(|rest| rest.strip_suffix(back));
            let inside = inside.unwrap_or_else(|| panic!("what stands around the text is another: {text}"));
            return if self.media_type == FORM { unescaped(inside) } else { inside.to_owned() };
        }
        let template: Value = serde_json::from_str(self.template).unwrap();
        let value: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"));
        let mut out = String::new();
        read(&template, &value, &mut out);
        out
    }
}

/// As a form writes it: every byte that is no letter or digit is escaped.
fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn unescaped(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        match (first, rest) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, behind @ ..]) => {
                let digits = [*high, *low];
                out.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
                rest = behind;
            }
            _ => out.push(*first),
        }
    }
    String::from_utf8(out).unwrap()
}
