//! Answers of OpenAI's Responses API: the response, and the events of its streams (as of November 2026).
//!
//! Deltas of every kind have the key `delta`: what one is the event's `type` says. Everything else in an event is whole and repeats
//! what deltas said (`done`, `completed`), or is empty until they say it (`added`).

use super::super::node::ANY_ASSISTANT;
use super::super::node::ANY_SYSTEM;
use super::super::node::ANY_TOOL;
use super::super::node::ARGUMENTS;
use super::super::node::ARGUMENTS_JSON;
use super::super::node::ASSISTANT;
use super::super::node::BODY;
use super::super::node::CALLED_NAME;
use super::super::node::Node;
use super::super::node::Strings;
use super::super::node::TOOL_BASE64;
use super::super::node::key;
use super::super::openai::CONVERSATION;
use super::super::openai::OUTPUT;
use super::super::openai::PROMPT;
use super::super::openai::REASONING_OPTIONS;
use super::super::openai::SUMMARY;
use super::super::openai::TEXT_OPTIONS;
use super::super::openai::TOOL_CHOICE;
use super::super::openai::TOOL_DEFINITION;
use super::ANNOTATION;
use super::BASE64;
use super::ERROR;
use super::FRAGMENT;
use super::INDEX;
use super::INPUT_TOKENS;
use super::MARK;
use super::OPAQUE;
use super::TEXT;
use super::TOKEN;
use super::TOKEN_EVENT;
use super::USAGE;
use super::WORD;

/// `response`: what the model said, and most of the request once more.
pub static RESPONSE: Node = Node {
    keys: &[
        key("id", &WORD),
        key("object", &WORD),
        key("created_at", &WORD),
        key("completed_at", &WORD),
        key("status", &WORD),
        key("model", &WORD),
        key("output", &ITEM),
        key("output_text", &ANY_ASSISTANT),
        key("usage", &USAGE),
        key("input_tokens", &INPUT_TOKENS),
        key("error", &ERROR),
        key("incomplete_details", &INCOMPLETE),
        key("instructions", &ANY_SYSTEM),
        key("tools", &TOOL_DEFINITION),
        key("tool_choice", &TOOL_CHOICE),
        key("prompt", &PROMPT),
        key("text", &TEXT_OPTIONS),
        key("reasoning", &REASONING_OPTIONS),
        key("conversation", &CONVERSATION),
        key("previous_response_id", &WORD),
        key("parallel_tool_calls", &WORD),
        key("temperature", &WORD),
        key("top_p", &WORD),
        key("top_logprobs", &WORD),
        key("frequency_penalty", &WORD),
        key("presence_penalty", &WORD),
        key("max_output_tokens", &WORD),
        key("max_tool_calls", &WORD),
        key("background", &WORD),
        key("store", &WORD),
        key("service_tier", &WORD),
        key("truncation", &WORD),
        key("prompt_cache_retention", &WORD),
        key("billing", &BILLING),
        key("metadata", &ANY_ASSISTANT),
        key("user", &ANY_ASSISTANT),
        key("safety_identifier", &ANY_ASSISTANT),
        key("prompt_cache_key", &ANY_ASSISTANT),
    ],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

static INCOMPLETE: Node = Node { keys: &[key("reason", &WORD)], ..Node::free(&ANY_ASSISTANT, ASSISTANT) };

static BILLING: Node = Node { keys: &[key("payer", &WORD)], ..Node::free(&ANY_ASSISTANT, ASSISTANT) };

/// What the model said, asked of a tool, or thought; and what hosted tools answered.
static ITEM: Node = Node {
    keys: &[
        key("type", &WORD),
        key("id", &WORD),
        key("status", &WORD),
        key("role", &WORD),
        key("phase", &WORD),
        key("call_id", &WORD),
        key("approval_request_id", &WORD),
        key("container_id", &WORD),
        key("content", &CONTENT),
        key("summary", &SUMMARY),
        key("encrypted_content", &OPAQUE),
        key("name", &CALLED_NAME),
        key("arguments", &ARGUMENTS_JSON),
        key("input", &ARGUMENTS),
        key("action", &ARGUMENTS),
        key("actions", &ARGUMENTS),
        key("operation", &ARGUMENTS),
        key("code", &ARGUMENTS),
        key("queries", &ARGUMENTS),
        key("server_label", &ARGUMENTS),
        key("pending_safety_checks", &ANY_TOOL),
        key("output", &OUTPUT),
        key("outputs", &OUTPUT),
        key("results", &ANY_TOOL),
        key("error", &ANY_TOOL),
        key("tools", &TOOL_DEFINITION),
        key("result", &TOOL_BASE64),
        key("size", &WORD),
        key("quality", &WORD),
        key("background", &WORD),
        key("output_format", &WORD),
    ],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

/// The parts of a message.
static CONTENT: Node = Node {
    keys: &[
        key("type", &WORD),
        key("text", &TEXT),
        key("refusal", &ANY_ASSISTANT),
        key("transcript", &ANY_ASSISTANT),
        key("data", &BASE64),
        key("annotations", &ANNOTATION),
        key("logprobs", &TOKEN),
    ],
    parts: true,
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

/// One event.
pub static EVENT: Node = Node {
    keys: &[
        key("type", &TYPE),
        key("sequence_number", &WORD),
        key("delta", &DELTA),
        key("obfuscation", &WORD),
        key("output_index", &INDEX),
        key("content_index", &MARK),
        key("summary_index", &MARK),
        key("item_id", &ITEM_ID),
        key("response_id", &WORD),
        key("logprobs", &TOKEN_EVENT),
        key("text", &ANY_ASSISTANT),
        key("refusal", &ANY_ASSISTANT),
        key("transcript", &ANY_ASSISTANT),
        key("name", &CALLED_NAME),
        key("arguments", &ARGUMENTS_JSON),
        key("input", &ARGUMENTS),
        key("code", &ARGUMENTS),
        key("part", &CONTENT),
        key("item", &ITEM),
        key("response", &RESPONSE),
        key("annotation", &ANNOTATION),
        key("annotation_index", &WORD),
        key("partial_image_b64", &BASE64),
        key("partial_image_index", &WORD),
        key("size", &WORD),
        key("quality", &WORD),
        key("background", &WORD),
        key("output_format", &WORD),
        key("message", &ANY_ASSISTANT),
        key("param", &WORD),
        key("error", &ERROR),
    ],
    ..Node::free(&FRAGMENT, ASSISTANT)
}
.in_stream();

static TYPE: Node = Node::strings(Strings::Event, &ANY_ASSISTANT);

static ITEM_ID: Node = Node::strings(Strings::Id, &ANY_ASSISTANT);

/// Whose it is and whether it is media the event's type says.
static DELTA: Node = Node::strings(Strings::Source, &DELTA_FIELDS).in_stream();

static DELTA_FIELDS: Node = Node::free(&DELTA_FIELDS, BODY).in_stream();
