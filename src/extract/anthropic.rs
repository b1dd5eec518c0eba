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
        key("name", &ARGUMENTS),
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
    keys: &[key("type", &WORD), key("text", &PART_TEXT), key("source", &SOURCE), key("cache_control", &CACHE_CONTROL)],
    parts: true,
    ..Node::free(&ANY, BODY)
};

/// Where an earlier answer of the model took something from.
static CITATION: Node = Node {
    keys: &[key("type", &WORD), key("file_id", &WORD), key("encrypted_index", &BASE64), key("enabled", &WORD)],
    ..Node::free(&ANY, BODY)
};

/// What a tool or a search answered: a text, or blocks, which may hold blocks again.
static RESULT: Node = Node { keys: RESULT_KEYS, parts: true, ..Node::free(&ANY_TOOL, TOOL) };

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
        key("content", &RESULT_INSIDE),
    ],
    ..Node::free(&ANY_TOOL, TOOL)
};

static RESULT_KIND: Node = Node::strings(Strings::Kind, &ANY_TOOL);

static RESULT_DATA: Node = Node::strings(Strings::Source, &ANY_TOOL);
