//! The places of JSON-RPC as MCP uses it (revision 2025-11-25), and of every JSON that no other table is for.
//!
//! Of a document that is neither, all strings and keys are texts: only below `params` and `result` does this table know more. A batch
//! is an array of such documents, and so has the same places.

use super::node::ANY;
use super::node::ANY_SYSTEM;
use super::node::ANY_TOOL;
use super::node::BASE64;
use super::node::BODY;
use super::node::Node;
use super::node::PART_TEXT;
use super::node::ROLE;
use super::node::Strings;
use super::node::TOOL;
use super::node::TOOL_BASE64;
use super::node::TOOL_TEXT;
use super::node::WORD;
use super::node::key;
use super::openai::TOOL_DEFINITION;

/// A request, a notification or an answer; or any other JSON.
pub static OTHER: Node = Node {
    keys: &[key("jsonrpc", &WORD), key("method", &METHOD), key("params", &PARAMS), key("result", &RESULT)],
    ..Node::free(&ANY, BODY)
};

/// `tools/call` makes everything in the request that nobody else says a call of the model.
static METHOD: Node = Node::strings(Strings::Method, &ANY);

/// What is asked: arguments of a tool, a prompt or a resource; or a sampling of the client's model, with messages.
static PARAMS: Node = Node {
    keys: &[key("messages", &MESSAGE), key("systemPrompt", &ANY_SYSTEM), key("tools", &TOOL_DEFINITION)],
    ..Node::free(&ANY, BODY)
};

/// What is answered: a tool's result, the list of tools, a prompt's messages, a resource's contents.
static RESULT: Node = Node {
    keys: &[
        key("content", &CONTENT),
        key("structuredContent", &ANY_TOOL),
        key("isError", &WORD),
        key("tools", &TOOL_DEFINITION),
        key("messages", &MESSAGE),
        key("contents", &RESOURCE),
    ],
    ..Node::free(&ANY, BODY)
};

static MESSAGE: Node = Node { keys: &[key("role", &ROLE), key("content", &MESSAGE_CONTENT)], ..Node::free(&ANY, BODY) };

static MESSAGE_CONTENT: Node = Node {
    keys: &[
        key("type", &WORD),
        key("text", &PART_TEXT),
        key("data", &BASE64),
        key("mimeType", &WORD),
        key("resource", &RESOURCE),
        key("content", &CONTENT),
    ],
    parts: true,
    ..Node::free(&ANY, BODY)
};

/// A tool's result in parts.
static CONTENT: Node = Node {
    keys: &[
        key("type", &WORD),
        key("text", &TOOL_TEXT),
        key("data", &TOOL_BASE64),
        key("mimeType", &WORD),
        key("resource", &RESOURCE),
    ],
    parts: true,
    ..Node::free(&ANY_TOOL, TOOL)
};

/// A resource: a tool's, since it comes from outside.
static RESOURCE: Node = Node {
    keys: &[key("uri", &ANY_TOOL), key("mimeType", &WORD), key("text", &ANY_TOOL), key("blob", &TOOL_BASE64)],
    ..Node::free(&ANY_TOOL, TOOL)
};
