//! The places of Anthropic's messages (as of November 2026).
//!
//! Unknown fields are texts, so a field that is new is inspected before this table knows it. What comes from outside (results of
//! tools, of searches, fetched pages) is a tool's wherever it stands, since it carries other people's instructions.

use super::node::ANY;
use super::node::ANY_ASSISTANT;
use super::node::ANY_TOOL;
use super::node::ARGUMENTS;
use super::node::BASE64;
use super::node::BODY;
use super::node::CALLED_NAME;
use super::node::Key;
use super::node::Node;
use super::node::PART_TEXT;
use super::node::ROLE;
use super::node::SYSTEM;
use super::node::Strings;
use super::node::TOOL;
use super::node::TOOL_BASE64;
use super::node::TOOL_TEXT;
use super::node::TOOL_URL;
use super::node::URL;
use super::node::WORD;
use super::node::key;
use super::openai::CACHE_CONTROL;
use super::openai::TOOL_CHOICE;
use super::openai::TOOL_DEFINITION;

/// `POST /messages`, and `/messages/count_tokens`, which takes the same body.
pub static MESSAGES: Node = Node {
    keys: &[
        key("messages", &MESSAGE),
        key("system", &SYSTEM_BLOCK),
        key("tools", &TOOL_DEFINITION),
        key("model", &WORD),
        key("max_tokens", &WORD),
        key("stream", &WORD),
        key("temperature", &WORD),
        key("top_p", &WORD),
        key("top_k", &WORD),
        key("service_tier", &WORD),
        key("inference_geo", &WORD),
        key("anthropic_version", &WORD),
        key("anthropic_beta", &WORD),
        key("thinking", &THINKING),
        key("tool_choice", &TOOL_CHOICE),
        key("mcp_servers", &ANY_TOOL),
        key("metadata", &ANY),
        key("stop_sequences", &ANY),
        key("container", &ANY),
        key("context_management", &ANY),
        key("output_config", &ANY),
        key("output_format", &ANY),
    ],
    ..Node::free(&ANY, BODY)
};

static THINKING: Node =
    Node { keys: &[key("type", &WORD), key("budget_tokens", &WORD), key("display", &WORD)], ..Node::free(&ANY, BODY) };

/// A message: what it holds is claimed by its `role`.
static MESSAGE: Node = Node { keys: &[key("role", &ROLE), key("content", &BLOCK)], ..Node::free(&ANY, BODY) };

/// The instructions: a text, or blocks of it.
static SYSTEM_BLOCK: Node = Node {
    keys: &[key("type", &WORD), key("text", &SYSTEM_TEXT), key("cache_control", &CACHE_CONTROL)],
    parts: true,
    ..Node::free(&super::node::ANY_SYSTEM, SYSTEM)
};

static SYSTEM_TEXT: Node = Node::strings(Strings::PartText, &super::node::ANY_SYSTEM);

/// What a message says: a text, or blocks.
static BLOCK: Node = Node {
    keys: &[
        key("type", &WORD),
        key("text", &PART_TEXT),
        key("id", &WORD),
        key("name", &CALLED_NAME),
        key("input", &ARGUMENTS),
        key("tool_use_id", &WORD),
        key("content", &RESULT),
        key("is_error", &WORD),
        key("cache_control", &CACHE_CONTROL),
        key("source", &SOURCE),
        key("title", &ANY),
        key("context", &ANY),
        key("citations", &CITATION),
        key("thinking", &ANY_ASSISTANT),
        key("signature", &BASE64),
        key("data", &BASE64),
        key("server_name", &ARGUMENTS),
        key("file_id", &WORD),
    ],
    parts: true,
    ..Node::free(&ANY, BODY)
};

/// An image or a document: media, a URL, a text, or blocks of it. Of a search result it is a URL.
static SOURCE: Node = Node {
    keys: &[
        key("type", &KIND),
        key("media_type", &WORD),
        key("data", &SOURCE_DATA),
        key("url", &URL),
        key("file_id", &WORD),
        key("content", &DOCUMENT),
    ],
    ..Node::free(&ANY, BODY)
};

static KIND: Node = Node::strings(Strings::Kind, &ANY);

static SOURCE_DATA: Node = Node::strings(Strings::Source, &ANY);

/// The blocks of a document.
static DOCUMENT: Node = Node {
    keys: &[key("type", &WORD), key("text", &PART_TEXT), key("source", &MEDIA), key("cache_control", &CACHE_CONTROL)],
    parts: true,
    ..Node::free(&ANY, BODY)
};

/// An image in the blocks of a document. Nothing nests deeper, so the work for a body stays linear.
static MEDIA: Node = Node {
    keys: &[key("type", &KIND), key("media_type", &WORD), key("data", &SOURCE_DATA), key("url", &URL)],
    ..Node::free(&ANY, BODY)
};

/// Where an earlier answer of the model took something from.
static CITATION: Node = Node {
    keys: &[key("type", &WORD), key("file_id", &WORD), key("encrypted_index", &BASE64), key("enabled", &WORD)],
    ..Node::free(&ANY, BODY)
};

/// What a tool or a search answered: a text, or blocks, which may hold blocks again.
pub(super) static RESULT: Node = Node { keys: RESULT_KEYS, parts: true, ..Node::free(&ANY_TOOL, TOOL) };

static RESULT_INSIDE: Node = Node { keys: RESULT_KEYS, parts: true, ..Node::free(&ANY_TOOL, TOOL) };

static RESULT_KEYS: &[Key] = &[
    key("type", &WORD),
    key("text", &TOOL_TEXT),
    key("content", &RESULT_INSIDE),
    key("source", &RESULT_SOURCE),
    key("tool_use_id", &WORD),
    key("file_id", &WORD),
    key("cache_control", &CACHE_CONTROL),
    key("citations", &CITATION),
    key("encrypted_content", &TOOL_BASE64),
    key("encrypted_stdout", &TOOL_BASE64),
    key("title", &ANY_TOOL),
    key("url", &ANY_TOOL),
    key("stdout", &ANY_TOOL),
    key("stderr", &ANY_TOOL),
    key("return_code", &WORD),
];

static RESULT_SOURCE: Node = Node {
    keys: &[
        key("type", &RESULT_KIND),
        key("media_type", &WORD),
        key("data", &RESULT_DATA),
        key("url", &TOOL_URL),
        key("file_id", &WORD),
        key("content", &RESULT_DOCUMENT),
    ],
    ..Node::free(&ANY_TOOL, TOOL)
};

/// The blocks of a document.
static RESULT_DOCUMENT: Node = Node {
    keys: &[
        key("type", &WORD),
        key("text", &TOOL_TEXT),
        key("source", &RESULT_MEDIA),
        key("cache_control", &CACHE_CONTROL),
    ],
    parts: true,
    ..Node::free(&ANY_TOOL, TOOL)
};

/// An image in them.
static RESULT_MEDIA: Node = Node {
    keys: &[key("type", &RESULT_KIND), key("media_type", &WORD), key("data", &RESULT_DATA), key("url", &TOOL_URL)],
    ..Node::free(&ANY_TOOL, TOOL)
};

static RESULT_KIND: Node = Node::strings(Strings::Kind, &ANY_TOOL);

static RESULT_DATA: Node = Node::strings(Strings::Source, &ANY_TOOL);

#[cfg(test)]
mod tests {
    use super::super::tests::Case;
    use super::super::tests::check;
    use super::*;

    const MESSAGES_CASES: &[Case] = &[
        (
            "system and messages",
            r#"{"model":"claude-opus-4","max_tokens":9,"system":"s","messages":[{"role":"user","content":"u"},
                {"content":[{"type":"text","text":"a"},{"type":"thinking","thinking":"t","signature":"EqQBCg=="},{"type":"text","text":"b"}],
                "role":"assistant"}]}"#,
            &[
                "system system: s",
                "user content: u",
                "assistant text: a",
                "assistant + text: b",
                "assistant thinking: t",
            ],
            1,
        ),
        (
            "system in blocks",
            r#"{"system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"5m"}},{"type":"text","text":"b"}]}"#,
            &["system text: a", "system + text: b"],
            0,
        ),
        (
            "calls and results of tools",
            r#"{"messages":[{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"tool_use","id":"toolu_1","name":"f",
                "input":{"cmd":"rm","n":123456789,"deep":{"x":["y"]}}},{"type":"text","text":"b"}]},
                {"role":"user","content":[{"type":"text","text":"c"},{"type":"tool_result","tool_use_id":"toolu_1","is_error":false,
                "content":[{"type":"text","text":"r"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO"}},
                {"type":"text","text":"s"}]},{"type":"text","text":"d"},{"type":"tool_result","content":"whole"}]}]}"#,
            &[
                "assistant text: a",
                "assistant + text: b",
                "call * name: f",
                "call key: cmd",
                "call cmd: rm",
                "call key: n",
                "call number n: 123456789",
                "call key: deep",
                "call key: x",
                "call x: y",
                "user text: c",
                "user + text: d",
                "tool text: r",
                "tool + text: s",
                "tool content: whole",
            ],
            1,
        ),
        (
            "media only where the type says so, in front or behind",
            r#"{"messages":[{"role":"user","content":[{"type":"image","source":{"data":"iVBO","media_type":"image/png","type":"base64"}},
                {"type":"image","source":{"type":"b\u0061se64","data":"iVBO"}},
                {"type":"document","title":"t","source":{"type":"text","media_type":"text/plain","data":"secret"}},
                {"type":"document","source":{"data":"secret2"}},{"type":"document","source":{"type":"base64","data":"no base64"}},
                {"type":"image","source":{"type":"url","url":"https://x.test/"}},
                {"type":"document","source":{"type":"content","content":[{"type":"text","text":"p"},{"type":"text","text":"q"}]}}]}]}"#,
            &[
                "user type: base64",
                "user title: t",
                "user data: secret",
                "user data: secret2",
                "user data: no base64",
                "user url: https://x.test/",
                "user text: p",
                "user + text: q",
            ],
            2,
        ),
        (
            "searches and fetched pages are from outside",
            r#"{"messages":[{"role":"user","content":[{"type":"search_result","source":"https://x.test","title":"t",
                "content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"citations":{"enabled":true}},
                {"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"type":"web_search_result","url":"https://y.test",
                "title":"u","encrypted_content":"EqgfCioIAR=="}]},{"type":"web_fetch_tool_result","content":{"type":"web_fetch_result",
                "url":"https://z.test","content":{"type":"document","source":{"type":"text","media_type":"text/plain","data":"page"}}}}]}]}"#,
            &[
                "user source: https://x.test",
                "user title: t",
                "tool text: a",
                "tool + text: b",
                "tool url: https://y.test",
                "tool title: u",
                "tool url: https://z.test",
                "tool data: page",
            ],
            1,
        ),
        (
            "tools, servers, metadata",
            r#"{"tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{"p":{"type":"string"}}},
                "cache_control":{"type":"ephemeral"}},{"type":"bash_20250124","name":"bash"}],"tool_choice":{"type":"tool","name":"f"},
                "mcp_servers":[{"type":"url","authorization_token":"k"}],"metadata":{"user_id":"m"},"stop_sequences":["x"]}"#,
            &[
                "tool * name: f",
                "tool description: d",
                "tool key: p",
                "tool * name: bash",
                "tool name: f",
                "tool key: type",
                "tool type: url",
                "tool key: authorization_token",
                "tool authorization_token: k",
                "none key: user_id",
                "none user_id: m",
                "none stop_sequences: x",
            ],
            0,
        ),
    ];

    #[test]
    fn messages() {
        check(&MESSAGES, MESSAGES_CASES);
    }
}
