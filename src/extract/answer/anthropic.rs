//! Anthropic's answers: the message, and the events of its streams (as of November 2026).

use super::super::anthropic::RESULT;
use super::super::node::ANY_ASSISTANT;
use super::super::node::ARGUMENTS;
use super::super::node::ASSISTANT;
use super::super::node::CALLED_NAME;
use super::super::node::Node;
use super::super::node::alias;
use super::super::node::key;
use super::CALL_JSON;
use super::ERROR;
use super::FRAGMENT;
use super::INDEX;
use super::INPUT_TOKENS;
use super::OPAQUE;
use super::TEXT;
use super::USAGE;
use super::WORD;

/// `message`, and the count that `/messages/count_tokens` answers.
pub static MESSAGE: Node = Node {
    keys: &[
        key("id", &WORD),
        key("type", &WORD),
        key("role", &WORD),
        key("model", &WORD),
        key("content", &BLOCK),
        key("stop_reason", &WORD),
        key("stop_sequence", &ANY_ASSISTANT),
        key("usage", &USAGE),
        key("input_tokens", &INPUT_TOKENS),
        key("container", &CONTAINER),
        key("request_id", &WORD),
        key("error", &ERROR),
    ],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

static CONTAINER: Node =
    Node { keys: &[key("id", &WORD), key("expires_at", &WORD)], ..Node::free(&ANY_ASSISTANT, ASSISTANT) };

/// The blocks of a message.
static BLOCK: Node = Node {
    keys: &[
        key("type", &WORD),
        key("text", &TEXT),
        key("citations", &CITATION),
        key("thinking", &ANY_ASSISTANT),
        key("signature", &OPAQUE),
        key("data", &OPAQUE),
        key("id", &WORD),
        key("name", &CALLED_NAME),
        key("input", &ARGUMENTS),
        key("server_name", &ARGUMENTS),
        key("tool_use_id", &WORD),
        key("content", &RESULT),
        key("file_id", &WORD),
    ],
    parts: true,
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

/// Where a text took something from.
static CITATION: Node = Node {
    keys: &[
        key("type", &WORD),
        key("cited_text", &ANY_ASSISTANT),
        key("document_title", &ANY_ASSISTANT),
        key("document_index", &WORD),
        key("title", &ANY_ASSISTANT),
        key("url", &ANY_ASSISTANT),
        key("file_id", &WORD),
        key("encrypted_index", &OPAQUE),
    ],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

/// One event. What a block begins with, deltas go on.
pub static EVENT: Node = Node {
    keys: &[
        key("type", &WORD),
        key("message", &MESSAGE),
        key("index", &INDEX),
        alias("content_block", "delta", &BLOCK_EVENT),
        key("delta", &BLOCK_EVENT),
        key("usage", &USAGE),
        key("request_id", &WORD),
        key("error", &ERROR),
    ],
    ..Node::free(&FRAGMENT, ASSISTANT)
}
.in_stream();

/// The beginning of a block, or what is added to it; or, at the end, why the message ends.
static BLOCK_EVENT: Node = Node {
    keys: &[
        key("type", &WORD),
        key("text", &FRAGMENT),
        key("thinking", &FRAGMENT),
        key("partial_json", &CALL_JSON),
        key("citation", &CITATION),
        key("citations", &CITATION),
        key("signature", &OPAQUE),
        key("data", &OPAQUE),
        key("id", &WORD),
        key("name", &CALLED_NAME),
        key("input", &ARGUMENTS),
        key("server_name", &ARGUMENTS),
        key("tool_use_id", &WORD),
        key("content", &RESULT),
        key("file_id", &WORD),
        key("stop_reason", &WORD),
        key("stop_sequence", &ANY_ASSISTANT),
        key("container", &CONTAINER),
    ],
    ..Node::free(&FRAGMENT, ASSISTANT)
}
.in_stream();
