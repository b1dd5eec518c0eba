//! The places of answers: whole ones, and events of streams.
//!
//! What a table of events does not know is a fragment at its own path, since a field that is new may be a text that comes in deltas.
//! What comes from outside (results of tools, of searches) is a tool's here as well; everything else is the model's.

pub mod anthropic;
pub mod fuzz;
pub mod openai;
pub mod other;
pub mod responses;

#[cfg(test)]
mod tests;

use super::node::ANY_ASSISTANT;
use super::node::ASSISTANT;
use super::node::CALL;
use super::node::Node;
use super::node::Strings;
use super::node::key;

/// Any JSON of the model, its strings in fragments.
pub(super) static FRAGMENT: Node = Node::free(&FRAGMENT, ASSISTANT).in_stream();
/// Any JSON that the model hands to a tool, its strings in fragments.
pub(super) static CALL_FRAGMENT: Node = Node::free(&CALL_FRAGMENT, CALL).in_stream();
/// Arguments of a tool: fragments of one JSON document.
pub(super) static CALL_JSON: Node = Node::strings(Strings::Json, &CALL_FRAGMENT).in_stream();
/// The name of a tool that is called, in fragments: usually one.
pub(super) static CALL_NAME: Node = Node::strings(Strings::Text, &CALL_FRAGMENT).names_tool().in_stream();

/// Words of an API.
pub(super) static WORD: Node = Node::strings(Strings::Word, &ANY_ASSISTANT);
/// A part of what the model says.
pub(super) static TEXT: Node = Node::strings(Strings::PartText, &ANY_ASSISTANT);
/// Media in base64.
pub(super) static BASE64: Node = Node::strings(Strings::Base64, &ANY_ASSISTANT);
/// Media by URL.
pub(super) static URL: Node = Node::strings(Strings::Url, &ANY_ASSISTANT);
/// A signature, a ciphertext, a vector.
pub(super) static OPAQUE: Node = Node::strings(Strings::Opaque, &ANY_ASSISTANT);
/// What counts the objects of a list.
pub(super) static INDEX: Node = Node::strings(Strings::Index, &ANY_ASSISTANT);
/// What else tells objects apart.
pub(super) static MARK: Node = Node::strings(Strings::Mark, &ANY_ASSISTANT);
/// Numbers beside tokens.
pub(super) static LIKELIHOOD: Node = Node::strings(Strings::Likelihood, &ANY_ASSISTANT);

/// Tokens that were read and written, under the names of all APIs.
pub(super) static USAGE: Node = Node {
    keys: &[
        key("prompt_tokens", &INPUT_TOKENS),
        key("completion_tokens", &OUTPUT_TOKENS),
        key("input_tokens", &INPUT_TOKENS),
        key("output_tokens", &OUTPUT_TOKENS),
        key("total_tokens", &WORD),
        key("prompt_tokens_details", &COUNTS),
        key("completion_tokens_details", &COUNTS),
        key("input_tokens_details", &COUNTS),
        key("output_tokens_details", &COUNTS),
        key("cache_creation_input_tokens", &WORD),
        key("cache_read_input_tokens", &WORD),
        key("cache_creation", &COUNTS),
        key("server_tool_use", &COUNTS),
        key("service_tier", &WORD),
        key("inference_geo", &WORD),
        key("cost", &WORD),
    ],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

pub(super) static INPUT_TOKENS: Node = Node::strings(Strings::InputTokens, &ANY_ASSISTANT);

static OUTPUT_TOKENS: Node = Node::strings(Strings::OutputTokens, &ANY_ASSISTANT);

/// What the tokens were.
static COUNTS: Node = Node {
    keys: &[
        key("cached_tokens", &WORD),
        key("cache_write_tokens", &WORD),
        key("audio_tokens", &WORD),
        key("reasoning_tokens", &WORD),
        key("accepted_prediction_tokens", &WORD),
        key("rejected_prediction_tokens", &WORD),
        key("ephemeral_5m_input_tokens", &WORD),
        key("ephemeral_1h_input_tokens", &WORD),
        key("web_search_requests", &WORD),
        key("web_fetch_requests", &WORD),
    ],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

/// Why there is no answer. Its message may repeat what was asked.
pub(super) static ERROR: Node = Node {
    keys: &[key("type", &WORD), key("code", &WORD), key("param", &WORD), key("message", &ANY_ASSISTANT)],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

/// The tokens of a text and how likely each was: the same text once more, as one.
pub(super) static TOKEN: Node = Node {
    keys: &[
        key("token", &TEXT),
        key("logprob", &LIKELIHOOD),
        key("bytes", &LIKELIHOOD),
        key("top_logprobs", &TOP_TOKEN),
    ],
    parts: true,
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

/// What might have stood there instead: the first of them mostly stands there.
static TOP_TOKEN: Node = Node {
    keys: &[key("token", &ANY_ASSISTANT), key("logprob", &LIKELIHOOD), key("bytes", &LIKELIHOOD)],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

/// The same in an event: tokens are a text of their own beside the one that they repeat.
pub(super) static TOKEN_EVENT: Node = Node {
    keys: &[
        key("token", &FRAGMENT),
        key("logprob", &LIKELIHOOD),
        key("bytes", &LIKELIHOOD),
        key("top_logprobs", &TOP_TOKEN_EVENT),
    ],
    ..Node::free(&FRAGMENT, ASSISTANT)
};

/// The first of each, the second of each, and so on are texts.
static TOP_TOKEN_EVENT: Node = Node {
    keys: &[key("token", &FRAGMENT), key("logprob", &LIKELIHOOD), key("bytes", &LIKELIHOOD)],
    counted: true,
    ..Node::free(&FRAGMENT, ASSISTANT)
};

/// Where the model took something from.
pub(super) static ANNOTATION: Node = Node {
    keys: &[
        key("type", &WORD),
        key("index", &WORD),
        key("start_index", &WORD),
        key("end_index", &WORD),
        key("file_id", &WORD),
        key("container_id", &WORD),
        key("url", &ANY_ASSISTANT),
        key("title", &ANY_ASSISTANT),
        key("filename", &ANY_ASSISTANT),
        key("url_citation", &ANNOTATION),
    ],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};
