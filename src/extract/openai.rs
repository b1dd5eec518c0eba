//! The places of OpenAI's bodies: chat completions, Responses, completions, embeddings (as of November 2026).
//!
//! Unknown fields are texts, so a field that is new is inspected before this table knows it; naming it here only tells whose it is.

use super::node::ANY;
use super::node::ANY_ASSISTANT;
use super::node::ANY_SYSTEM;
use super::node::ANY_TOOL;
use super::node::ANY_USER;
use super::node::ANY_VARIABLE;
use super::node::ARGUMENTS;
use super::node::ARGUMENTS_JSON;
use super::node::ASSISTANT;
use super::node::BASE64;
use super::node::BODY;
use super::node::CALL;
use super::node::CALLED_NAME;
use super::node::DEFINED_NAME;
use super::node::Node;
use super::node::PART_TEXT;
use super::node::ROLE;
use super::node::SCHEMA;
use super::node::Strings;
use super::node::TOOL;
use super::node::TOOL_BASE64;
use super::node::TOOL_TEXT;
use super::node::TOOL_URL;
use super::node::URL;
use super::node::USER;
use super::node::VARIABLES;
use super::node::WORD;
use super::node::key;

/// `POST /chat/completions`.
pub static CHAT: Node = Node {
    keys: &[
        key("messages", &MESSAGE),
        key("tools", &TOOL_DEFINITION),
        key("model", &WORD),
        key("stream", &WORD),
        key("stream_options", &STREAM_OPTIONS),
        key("temperature", &WORD),
        key("top_p", &WORD),
        key("max_tokens", &WORD),
        key("max_completion_tokens", &WORD),
        key("n", &WORD),
        key("seed", &WORD),
        key("frequency_penalty", &WORD),
        key("presence_penalty", &WORD),
        key("logprobs", &WORD),
        key("top_logprobs", &WORD),
        key("parallel_tool_calls", &WORD),
        key("reasoning_effort", &WORD),
        key("verbosity", &WORD),
        key("service_tier", &WORD),
        key("modalities", &WORD),
        key("store", &WORD),
        key("prompt_cache_retention", &WORD),
        key("tool_choice", &TOOL_CHOICE),
        key("function_call", &TOOL_CHOICE),
        key("functions", &TOOL_DEFINITION),
        key("response_format", &FORMAT),
        key("prediction", &PREDICTION),
        key("stop", &ANY),
        key("user", &ANY),
        key("safety_identifier", &ANY),
        key("prompt_cache_key", &ANY),
        key("metadata", &ANY),
        key("logit_bias", &ANY),
        key("audio", &AUDIO_OPTIONS),
        key("web_search_options", &ANY),
    ],
    ..Node::free(&ANY, BODY)
};

/// A message: what it holds is claimed by its `role`.
static MESSAGE: Node = Node {
    keys: &[
        key("role", &ROLE),
        key("content", &CONTENT),
        key("name", &ANY),
        key("refusal", &ANY),
        key("tool_calls", &TOOL_CALL),
        key("function_call", &TOOL_CALL),
        key("tool_call_id", &WORD),
        key("audio", &AUDIO_OPTIONS),
        key("annotations", &ANY),
        key("reasoning", &ANY),
        key("reasoning_content", &ANY),
    ],
    ..Node::free(&ANY, BODY)
};

/// What a message says: a text, or parts. The parts of chat and of Responses share no name with another meaning.
static CONTENT: Node = Node {
    keys: &[
        key("type", &WORD),
        key("text", &PART_TEXT),
        key("refusal", &ANY),
        key("image_url", &MEDIA_URL),
        key("video_url", &MEDIA_URL),
        key("input_audio", &MEDIA),
        key("file", &MEDIA),
        key("file_id", &WORD),
        key("file_data", &BASE64),
        key("file_url", &URL),
        key("filename", &ANY),
        key("detail", &WORD),
        key("annotations", &ANY),
        key("logprobs", &ANY),
        key("cache_control", &CACHE_CONTROL),
    ],
    parts: true,
    ..Node::free(&ANY, BODY)
};

pub(super) static MEDIA_URL: Node =
    Node { keys: &[key("url", &URL), key("detail", &WORD)], ..Node::strings(Strings::Url, &ANY) };

static MEDIA: Node = Node {
    keys: &[
        key("data", &BASE64),
        key("format", &WORD),
        key("file_data", &BASE64),
        key("file_id", &WORD),
        key("filename", &ANY),
    ],
    ..Node::free(&ANY, BODY)
};

/// A mark of other providers that their clients send here as well.
pub(super) static CACHE_CONTROL: Node =
    Node { keys: &[key("type", &WORD), key("ttl", &WORD)], ..Node::free(&ANY, BODY) };

/// What the model asked of a tool. `arguments` is JSON in a string; `input` is the free text of a custom tool.
pub(super) static TOOL_CALL: Node = Node {
    keys: &[
        key("id", &WORD),
        key("index", &WORD),
        key("type", &WORD),
        key("function", &CALLED),
        key("custom", &CALLED),
        key("name", &CALLED_NAME),
        key("arguments", &ARGUMENTS_JSON),
    ],
    ..Node::free(&ARGUMENTS, CALL)
};

static CALLED: Node = Node {
    keys: &[key("name", &CALLED_NAME), key("arguments", &ARGUMENTS_JSON), key("input", &ARGUMENTS)],
    ..Node::free(&ARGUMENTS, CALL)
};

/// What a tool is, in every API: what a model reads before it chooses one. Servers' URLs, headers and tokens are texts as well.
pub(super) static TOOL_DEFINITION: Node = Node {
    keys: &[
        key("type", &WORD),
        key("function", &TOOL_FUNCTION),
        key("custom", &TOOL_FUNCTION),
        key("name", &DEFINED_NAME),
        key("description", &ANY_TOOL),
        key("parameters", &SCHEMA),
        key("input_schema", &SCHEMA),
        key("inputSchema", &SCHEMA),
        key("outputSchema", &SCHEMA),
        key("strict", &WORD),
        key("cache_control", &CACHE_CONTROL),
    ],
    ..Node::free(&ANY_TOOL, TOOL)
};

static TOOL_FUNCTION: Node = Node {
    keys: &[
        key("name", &DEFINED_NAME),
        key("description", &ANY_TOOL),
        key("parameters", &SCHEMA),
        key("strict", &WORD),
    ],
    ..Node::free(&ANY_TOOL, TOOL)
};

/// Which tool the model is to call: a word, or a tool's name.
pub(super) static TOOL_CHOICE: Node = Node {
    keys: &[
        key("type", &WORD),
        key("mode", &WORD),
        key("name", &ANY_TOOL),
        key("function", &TOOL_FUNCTION),
        key("disable_parallel_tool_use", &WORD),
    ],
    ..Node::strings(Strings::Word, &ANY_TOOL)
};

static STREAM_OPTIONS: Node =
    Node { keys: &[key("include_usage", &WORD), key("include_obfuscation", &WORD)], ..Node::free(&ANY, BODY) };

static AUDIO_OPTIONS: Node =
    Node { keys: &[key("id", &WORD), key("voice", &WORD), key("format", &WORD)], ..Node::free(&ANY, BODY) };

/// The form that an answer must have: a schema that the model reads.
static FORMAT: Node = Node { keys: &[key("type", &WORD), key("strict", &WORD)], ..Node::free(&ANY, BODY) };

/// A text that the answer is expected to be near to.
static PREDICTION: Node =
    Node { keys: &[key("type", &WORD), key("content", &PREDICTED)], ..Node::free(&ANY_ASSISTANT, ASSISTANT) };

static PREDICTED: Node = Node {
    keys: &[key("type", &WORD), key("text", &ASSISTANT_TEXT)],
    parts: true,
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

pub(super) static ASSISTANT_TEXT: Node = Node::strings(Strings::PartText, &ANY_ASSISTANT);

/// `POST /responses`.
pub static RESPONSES: Node = Node {
    keys: &[
        key("input", &ITEM),
        key("instructions", &ANY_SYSTEM),
        key("tools", &TOOL_DEFINITION),
        key("model", &WORD),
        key("stream", &WORD),
        key("stream_options", &STREAM_OPTIONS),
        key("temperature", &WORD),
        key("top_p", &WORD),
        key("top_logprobs", &WORD),
        key("max_output_tokens", &WORD),
        key("max_tool_calls", &WORD),
        key("parallel_tool_calls", &WORD),
        key("background", &WORD),
        key("store", &WORD),
        key("include", &WORD),
        key("truncation", &WORD),
        key("service_tier", &WORD),
        key("prompt_cache_retention", &WORD),
        key("previous_response_id", &WORD),
        key("conversation", &CONVERSATION),
        key("reasoning", &REASONING_OPTIONS),
        key("tool_choice", &TOOL_CHOICE),
        key("prompt", &PROMPT),
        key("text", &TEXT_OPTIONS),
        key("user", &ANY),
        key("safety_identifier", &ANY),
        key("prompt_cache_key", &ANY),
        key("metadata", &ANY),
    ],
    ..Node::free(&ANY, BODY)
};

/// A text of the user, or items: messages, calls of tools, what they answered, reasoning.
static ITEM: Node = Node {
    keys: &[
        key("type", &WORD),
        key("id", &WORD),
        key("status", &WORD),
        key("call_id", &WORD),
        key("approval_request_id", &WORD),
        key("role", &ROLE),
        key("content", &CONTENT),
        key("phase", &WORD),
        key("name", &CALLED_NAME),
        key("arguments", &ARGUMENTS_JSON),
        key("input", &ARGUMENTS),
        key("action", &ARGUMENTS),
        key("actions", &ARGUMENTS),
        key("operation", &ARGUMENTS),
        key("code", &ARGUMENTS),
        key("queries", &ARGUMENTS),
        key("server_label", &ARGUMENTS),
        key("container_id", &WORD),
        key("output", &OUTPUT),
        key("outputs", &OUTPUT),
        key("results", &ANY_TOOL),
        key("error", &ANY_TOOL),
        key("result", &TOOL_BASE64),
        key("tools", &TOOL_DEFINITION),
        key("summary", &SUMMARY),
        key("encrypted_content", &BASE64),
    ],
    place: USER,
    ..Node::free(&ANY, BODY)
};

/// What a tool answered: a text, parts, or fields of its own (`stdout`, `logs`).
pub(super) static OUTPUT: Node = Node {
    keys: &[
        key("type", &WORD),
        key("text", &TOOL_TEXT),
        key("image_url", &TOOL_URL),
        key("file_url", &TOOL_URL),
        key("file_data", &TOOL_BASE64),
        key("file_id", &WORD),
        key("filename", &ANY_TOOL),
        key("detail", &WORD),
    ],
    parts: true,
    ..Node::free(&ANY_TOOL, TOOL)
};

/// What the model said of its reasoning.
pub(super) static SUMMARY: Node = Node {
    keys: &[key("type", &WORD), key("text", &ASSISTANT_TEXT)],
    parts: true,
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

/// A stored prompt, and the values to fill it with.
pub(super) static PROMPT: Node = Node {
    keys: &[key("id", &WORD), key("version", &WORD), key("variables", &VARIABLE_NAMES)],
    ..Node::free(&ANY_VARIABLE, VARIABLES)
};

static VARIABLE_NAMES: Node = Node::free(&VARIABLE, VARIABLES);

/// A value: a text, or a part as a message has it.
static VARIABLE: Node = Node {
    keys: &[
        key("type", &WORD),
        key("text", &ANY_VARIABLE),
        key("image_url", &VARIABLE_URL),
        key("file_url", &VARIABLE_URL),
        key("file_data", &VARIABLE_BASE64),
        key("file_id", &WORD),
        key("filename", &ANY_VARIABLE),
        key("detail", &WORD),
    ],
    ..Node::free(&ANY_VARIABLE, VARIABLES)
};

static VARIABLE_URL: Node = Node::strings(Strings::Url, &ANY_VARIABLE);

static VARIABLE_BASE64: Node = Node::strings(Strings::Base64, &ANY_VARIABLE);

pub(super) static CONVERSATION: Node = Node { keys: &[key("id", &WORD)], ..Node::strings(Strings::Word, &ANY) };

pub(super) static REASONING_OPTIONS: Node = Node {
    keys: &[key("effort", &WORD), key("summary", &WORD), key("generate_summary", &WORD)],
    ..Node::free(&ANY, BODY)
};

pub(super) static TEXT_OPTIONS: Node =
    Node { keys: &[key("format", &FORMAT), key("verbosity", &WORD)], ..Node::free(&ANY, BODY) };

/// `POST /completions`.
pub static COMPLETIONS: Node = Node {
    keys: &[
        key("prompt", &ANY_USER),
        key("suffix", &ANY_USER),
        key("model", &WORD),
        key("stream", &WORD),
        key("stream_options", &STREAM_OPTIONS),
        key("max_tokens", &WORD),
        key("temperature", &WORD),
        key("top_p", &WORD),
        key("n", &WORD),
        key("best_of", &WORD),
        key("echo", &WORD),
        key("seed", &WORD),
        key("logprobs", &WORD),
        key("frequency_penalty", &WORD),
        key("presence_penalty", &WORD),
        key("stop", &ANY),
        key("user", &ANY),
        key("logit_bias", &ANY),
    ],
    ..Node::free(&ANY, BODY)
};

/// `POST /embeddings`. The texts of a list are texts of their own.
pub static EMBEDDINGS: Node = Node {
    keys: &[
        key("input", &ANY_USER),
        key("model", &WORD),
        key("encoding_format", &WORD),
        key("dimensions", &WORD),
        key("user", &ANY),
    ],
    ..Node::free(&ANY, BODY)
};

#[cfg(test)]
mod tests {
    use super::super::tests::Case;
    use super::super::tests::check;
    use super::*;

    const CHAT_CASES: &[Case] = &[
        (
            "roles, in front of the content and behind it",
            r#"{"model":"gpt-5","messages":[{"role":"system","content":"s"},{"content":"d","role":"developer"},
                {"role":"user","content":"u","name":"n"},{"content":"a","role":"assistant","refusal":"r"},{"content":"x","role":"robot"},
                {"content":"y"}],"temperature":0.7,"stream":true}"#,
            &[
                "system content: s",
                "system content: d",
                "user content: u",
                "user name: n",
                "assistant content: a",
                "assistant refusal: r",
                "none content: x",
                "none content: y",
            ],
            0,
        ),
        (
            "a role by escapes is the same role",
            r#"{"messages":[{"r\u006fle":"\u0075ser","content":"u"}]}"#,
            &["user r\\u006fle: user", "user content: u"],
            0,
        ),
        (
            "parts are one text, whatever stands between them",
            r#"{"messages":[{"content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","note":"n"}},
                {"type":"image_url","image_url":{"url":"https://x.test/i.png"}},{"text":"b","type":"text"},{"type":"text","text":""},
                {"type":"text","text":"c","odd":"o"}],"role":"user","tail":"t"},{"role":"user","content":[{"type":"text","text":"d"}]}]}"#,
            &[
                "user text: a",
                "user + text: b",
                "user + text: c",
                "user key: note",
                "user note: n",
                "user url: https://x.test/i.png",
                "user key: odd",
                "user odd: o",
                "user key: tail",
                "user tail: t",
                "user text: d",
            ],
            0,
        ),
        (
            "a list of strings is one text as well",
            r#"{"messages":[{"content":["a","b"]}]}"#,
            &["none content: a", "none + content: b"],
            0,
        ),
        (
            "calls and answers of tools",
            r#"{"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f",
                "arguments":"{\"a\":1}"}},{"id":"call_2","type":"custom","custom":{"name":"g","input":"free"}}]},
                {"role":"tool","tool_call_id":"call_1","content":[{"type":"text","text":"r"},{"type":"text","text":"s"}]},
                {"role":"function","name":"f","content":"old"},{"function_call":{"name":"h","arguments":"{}"},"role":"assistant"}]}"#,
            &[
                "call * name: f",
                "call json arguments: {\"a\":1}",
                "call * name: g",
                "call input: free",
                "tool text: r",
                "tool + text: s",
                "tool name: f",
                "tool content: old",
                "call * name: h",
                "call json arguments: {}",
            ],
            0,
        ),
        (
            "media by place",
            r#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}},
                {"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}},
                {"type":"file","file":{"filename":"f.pdf","file_data":"data:application/pdf;base64,JVBERi0x"}},
                {"type":"image_url","image_url":{"url":"data:text/plain;base64,not base64"}},
                {"type":"image_url","image_url":{"url":"data:text/plain,iVBORw0KGgo="}},
                {"type":"input_audio","input_audio":{"data":"mail me@example.org","format":"a text that is no word"}}]}]}"#,
            &[
                "user filename: f.pdf",
                "user url: data:text/plain;base64,not base64",
                "user url: data:text/plain,iVBORw0KGgo=",
                "user data: mail me@example.org",
                "user format: a text that is no word",
            ],
            3,
        ),
        (
            "definitions of tools: names of the schema's language are no texts, names of its properties are",
            r#"{"tools":[{"type":"function","function":{"name":"f","description":"d","strict":true,"parameters":{"type":"object",
                "properties":{"type":{"type":"string","description":"p","enum":["e"]},"q":{"type":["string","null"],"default":"v"}},"required":["q"],
                "x-odd":{"k":"w"}}}}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#,
            &[
                "tool * name: f",
                "tool description: d",
                "tool key: type",
                "tool description: p",
                "tool enum: e",
                "tool key: q",
                "tool default: v",
                "tool required: q",
                "tool key: x-odd",
                "tool key: k",
                "tool k: w",
                "tool * name: f",
            ],
            0,
        ),
        (
            "what is said beside the messages",
            r#"{"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"description":"d"}}},"metadata":{"k":"v"},"user":"u",
                "prediction":{"type":"content","content":[{"type":"text","text":"p"},{"type":"text","text":"q"}]},
                "web_search_options":{"user_location":{"approximate":{"city":"Bern"}}},"stop":["s"],"new_field":{"deep":["w"]},"seed":123456789012,
                "tool_choice":"auto","logit_bias":{"50256":-100},"model":"a model of many words"}"#,
            &[
                "none key: json_schema",
                "none key: name",
                "none name: n",
                "none key: schema",
                "none key: description",
                "none description: d",
                "none key: k",
                "none k: v",
                "none user: u",
                "assistant text: p",
                "assistant + text: q",
                "none key: user_location",
                "none key: approximate",
                "none key: city",
                "none city: Bern",
                "none stop: s",
                "none key: new_field",
                "none key: deep",
                "none deep: w",
                "none key: 50256",
                "none model: a model of many words",
            ],
            0,
        ),
        (
            "long numbers in a message",
            r#"{"messages":[{"content":4111111111111111,"role":"user"}]}"#,
            &["user number content: 4111111111111111"],
            0,
        ),
    ];

    #[test]
    fn chat() {
        check(&CHAT, CHAT_CASES);
    }

    const RESPONSES_CASES: &[Case] = &[
        (
            "texts",
            r#"{"model":"gpt-5","instructions":"i","input":"u"}"#,
            &["system instructions: i", "user input: u"],
            0,
        ),
        (
            "messages",
            r#"{"input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","detail":"auto",
                "image_url":"data:image/png;base64,iVBO"},{"type":"input_text","text":"b"},{"type":"input_file","file_id":"file-1","filename":"f"}]},
                {"role":"assistant","id":"msg_1","status":"completed","content":[{"type":"output_text","text":"c","annotations":[]},
                {"type":"refusal","refusal":"no"},{"type":"output_text","text":"d"}]},{"role":"developer","content":"s"}]}"#,
            &[
                "user text: a",
                "user + text: b",
                "user filename: f",
                "assistant text: c",
                "assistant + text: d",
                "assistant refusal: no",
                "system content: s",
            ],
            1,
        ),
        (
            "calls, outputs, reasoning",
            r#"{"input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{\"x\":\"y\"}"},
                {"type":"function_call_output","call_id":"c","output":"o"},
                {"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"p"},{"type":"input_text","text":"q"}]},
                {"type":"shell_call","action":{"commands":["ls -l"]}},{"type":"shell_call_output","output":[{"stdout":"s","stderr":"e"}]},
                {"type":"custom_tool_call","name":"g","input":"free"},{"type":"image_generation_call","result":"iVBO"},
                {"type":"computer_call_output","output":{"type":"computer_screenshot","image_url":"data:image/png;base64,iVBO"}},
                {"type":"reasoning","summary":[{"type":"summary_text","text":"t"}],"encrypted_content":"gAAAAAB_-=="},
                {"type":"mcp_list_tools","server_label":"l","tools":[{"name":"m","description":"d","input_schema":{"type":"object"}}]}]}"#,
            &[
                "call * name: f",
                "call json arguments: {\"x\":\"y\"}",
                "tool output: o",
                "tool text: p",
                "tool + text: q",
                "call key: commands",
                "call commands: ls -l",
                "tool key: stdout",
                "tool stdout: s",
                "tool key: stderr",
                "tool stderr: e",
                "call * name: g",
                "call input: free",
                "assistant text: t",
                "call server_label: l",
                "tool * name: m",
                "tool description: d",
            ],
            3,
        ),
        (
            "stored prompts, tools, formats",
            r#"{"prompt":{"id":"pmpt_1","version":"2","variables":{"name":"Ada","doc":{"type":"input_text","text":"t"},
                "pic":{"type":"input_image","image_url":"data:image/png;base64,iVBO"}}},
                "tools":[{"type":"mcp","server_label":"l","server_url":"https://m.test","headers":{"Authorization":"Bearer b"},"require_approval":"never"}],
                "text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"}},"verbosity":"low"},"reasoning":{"effort":"high"}}"#,
            &[
                "variable key: name",
                "variable name: Ada",
                "variable key: doc",
                "variable text: t",
                "variable key: pic",
                "tool key: server_label",
                "tool server_label: l",
                "tool key: server_url",
                "tool server_url: https://m.test",
                "tool key: headers",
                "tool key: Authorization",
                "tool Authorization: Bearer b",
                "tool key: require_approval",
                "tool require_approval: never",
                "none key: name",
                "none name: n",
                "none key: schema",
                "none key: type",
                "none type: object",
            ],
            1,
        ),
    ];

    #[test]
    fn responses() {
        check(&RESPONSES, RESPONSES_CASES);
    }

    #[test]
    fn completions_and_embeddings() {
        let cases: &[Case] = &[
            (
                "text",
                r#"{"model":"m","prompt":"p","suffix":"s","max_tokens":5}"#,
                &["user prompt: p", "user suffix: s"],
                0,
            ),
            ("list", r#"{"prompt":["p","q"],"stop":"x"}"#, &["user prompt: p", "user prompt: q", "none stop: x"], 0),
            ("tokens", r#"{"prompt":[[1,2],[3]]}"#, &[], 0),
        ];
        check(&COMPLETIONS, cases);
        let cases: &[Case] = &[
            (
                "text",
                r#"{"model":"m","input":"i","encoding_format":"float","user":"u"}"#,
                &["user input: i", "none user: u"],
                0,
            ),
            ("list", r#"{"input":["i","j"]}"#, &["user input: i", "user input: j"], 0),
            ("tokens", r#"{"input":[1,20000,3]}"#, &[], 0),
        ];
        check(&EMBEDDINGS, cases);
    }
}
