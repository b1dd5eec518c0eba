//! Answers of JSON-RPC (MCP, revision 2025-11-25) and of every API that no other table is for.
//!
//! A message of JSON-RPC is whole, in a stream as well. Of any other stream every string is a fragment: whether an API sends deltas or
//! the whole text again, nothing tells.

use super::super::mcp::METHOD;
use super::super::mcp::PARAMS_KEYS;
use super::super::mcp::RESULT_KEYS;
use super::super::node::ANY;
use super::super::node::ANY_ASSISTANT;
use super::super::node::ASSISTANT;
use super::super::node::Node;
use super::super::node::Strings;
use super::super::node::key;
use super::FRAGMENT;
use super::INDEX;
use super::WORD;

/// A whole answer.
pub static ANSWER: Node = Node {
    keys: &[key("jsonrpc", &WORD), key("method", &METHOD), key("params", &PARAMS), key("result", &RESULT)],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

/// One event of a stream.
pub static EVENT: Node = Node {
    keys: &[
        key("jsonrpc", &WHOLE),
        key("index", &INDEX),
        key("method", &METHOD),
        key("params", &PARAMS_EVENT),
        key("result", &RESULT_EVENT),
    ],
    ..Node::free(&LEVEL_2, ASSISTANT)
}
.in_stream();

/// What a client is asked, or told of the progress of a call.
static PARAMS: Node = Node { keys: PARAMS_KEYS, ..Node::free(&ANY_ASSISTANT, ASSISTANT) };

/// What a server answered; other APIs say under this key what a model did.
static RESULT: Node = Node { keys: RESULT_KEYS, ..Node::free(&ANY_ASSISTANT, ASSISTANT) };

static PARAMS_EVENT: Node = Node { keys: PARAMS_KEYS, ..Node::free(&LEVEL_3, ASSISTANT) }.in_stream();

static RESULT_EVENT: Node = Node { keys: RESULT_KEYS, ..Node::free(&LEVEL_3, ASSISTANT) }.in_stream();

static WHOLE: Node = Node::strings(Strings::Whole, &ANY);

/// Objects in which an index tells fragments apart. Deeper ones do without, so that the work stays linear.
static LEVEL_2: Node = Node { keys: &[key("index", &INDEX)], ..Node::free(&LEVEL_3, ASSISTANT) }.in_stream();
static LEVEL_3: Node = Node { keys: &[key("index", &INDEX)], ..Node::free(&LEVEL_4, ASSISTANT) }.in_stream();
static LEVEL_4: Node = Node { keys: &[key("index", &INDEX)], ..Node::free(&LEVEL_5, ASSISTANT) }.in_stream();
static LEVEL_5: Node = Node { keys: &[key("index", &INDEX)], ..Node::free(&LEVEL_6, ASSISTANT) }.in_stream();
static LEVEL_6: Node = Node { keys: &[key("index", &INDEX)], ..Node::free(&FRAGMENT, ASSISTANT) }.in_stream();
