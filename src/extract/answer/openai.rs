//! OpenAI's answers: chat completions, completions, embeddings (as of November 2026).

use super::super::node::ANY_ASSISTANT;
use super::super::node::ASSISTANT;
use super::super::node::CALL;
use super::super::node::Key;
use super::super::node::Node;
use super::super::node::key;
use super::super::openai::TOOL_CALL;
use super::ANNOTATION;
use super::BASE64;
use super::CALL_FRAGMENT;
use super::CALL_JSON;
use super::CALL_NAME;
use super::ERROR;
use super::FRAGMENT;
use super::INDEX;
use super::LIKELIHOOD;
use super::OPAQUE;
use super::TEXT;
use super::TOKEN;
use super::TOKEN_EVENT;
use super::URL;
use super::USAGE;
use super::WORD;

/// `chat.completion`.
pub static CHAT: Node = Node { keys: &envelope(&CHOICE), ..Node::free(&ANY_ASSISTANT, ASSISTANT) };

/// `chat.completion.chunk`.
pub static CHAT_EVENT: Node = Node { keys: &envelope(&CHOICE_EVENT), ..Node::free(&FRAGMENT, ASSISTANT) }.in_stream();

/// `text_completion`.
pub static COMPLETION: Node = Node { keys: &envelope(&TEXT_CHOICE), ..Node::free(&ANY_ASSISTANT, ASSISTANT) };

/// `text_completion` in a stream.
pub static COMPLETION_EVENT: Node =
    Node { keys: &envelope(&TEXT_CHOICE_EVENT), ..Node::free(&FRAGMENT, ASSISTANT) }.in_stream();

/// A `list` of `embedding`s.
pub static EMBEDDINGS: Node = Node {
    keys: &[
        key("object", &WORD),
        key("data", &EMBEDDING),
        key("model", &WORD),
        key("usage", &USAGE),
        key("id", &WORD),
        key("created", &WORD),
        key("error", &ERROR),
    ],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

static EMBEDDING: Node = Node {
    keys: &[key("object", &WORD), key("index", &WORD), key("embedding", &OPAQUE)],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

/// What stands around the choices.
const fn envelope(choice: &'static Node) -> [Key; 10] {
    [
        key("id", &WORD),
        key("object", &WORD),
        key("created", &WORD),
        key("model", &WORD),
        key("system_fingerprint", &WORD),
        key("service_tier", &WORD),
        key("obfuscation", &WORD),
        key("choices", choice),
        key("usage", &USAGE),
        key("error", &ERROR),
    ]
}

static CHOICE: Node = Node {
    keys: &[
        key("index", &WORD),
        key("message", &MESSAGE),
        key("finish_reason", &WORD),
        key("native_finish_reason", &WORD),
        key("logprobs", &LOGPROBS),
    ],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

static MESSAGE: Node = Node {
    keys: &[
        key("role", &WORD),
        key("content", &CONTENT),
        key("refusal", &ANY_ASSISTANT),
        key("reasoning", &ANY_ASSISTANT),
        key("reasoning_content", &ANY_ASSISTANT),
        key("tool_calls", &TOOL_CALL),
        key("function_call", &TOOL_CALL),
        key("audio", &AUDIO),
        key("images", &IMAGE),
        key("annotations", &ANNOTATION),
        key("reasoning_details", &REASONING),
    ],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

/// A text, or parts as some providers have them.
static CONTENT: Node = Node {
    keys: &[key("type", &WORD), key("text", &TEXT), key("image_url", &IMAGE_URL)],
    parts: true,
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

static AUDIO: Node = Node {
    keys: &[key("id", &WORD), key("data", &BASE64), key("expires_at", &WORD), key("transcript", &ANY_ASSISTANT)],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

/// What some providers answer beside a text.
static IMAGE: Node = Node {
    keys: &[key("type", &WORD), key("index", &WORD), key("image_url", &IMAGE_URL)],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

static IMAGE_URL: Node = Node { keys: &[key("url", &URL)], ..Node::strings(super::Strings::Url, &ANY_ASSISTANT) };

/// Steps of a reasoning, as some providers have them.
static REASONING: Node = Node {
    keys: &[
        key("type", &WORD),
        key("format", &WORD),
        key("id", &WORD),
        key("index", &WORD),
        key("data", &OPAQUE),
        key("signature", &OPAQUE),
    ],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

static LOGPROBS: Node =
    Node { keys: &[key("content", &TOKEN), key("refusal", &TOKEN)], ..Node::free(&ANY_ASSISTANT, ASSISTANT) };

static CHOICE_EVENT: Node = Node {
    keys: &[
        key("index", &INDEX),
        key("delta", &DELTA),
        key("message", &MESSAGE),
        key("finish_reason", &WORD),
        key("native_finish_reason", &WORD),
        key("logprobs", &LOGPROBS_EVENT),
    ],
    counted: true,
    ..Node::free(&FRAGMENT, ASSISTANT)
};

static DELTA: Node = Node {
    keys: &[
        key("role", &WORD),
        key("content", &CONTENT_EVENT),
        key("refusal", &FRAGMENT),
        key("reasoning", &FRAGMENT),
        key("reasoning_content", &FRAGMENT),
        key("tool_calls", &TOOL_CALL_EVENT),
        key("function_call", &TOOL_CALL_EVENT),
        key("audio", &AUDIO_EVENT),
        key("images", &IMAGE),
        key("annotations", &ANNOTATION),
        key("reasoning_details", &REASONING_EVENT),
    ],
    ..Node::free(&FRAGMENT, ASSISTANT)
}
.in_stream();

static CONTENT_EVENT: Node = Node {
    keys: &[key("type", &WORD), key("text", &FRAGMENT), key("image_url", &IMAGE_URL)],
    ..Node::free(&FRAGMENT, ASSISTANT)
}
.in_stream();

static AUDIO_EVENT: Node = Node {
    keys: &[key("id", &WORD), key("data", &BASE64), key("expires_at", &WORD), key("transcript", &FRAGMENT)],
    ..Node::free(&FRAGMENT, ASSISTANT)
};

static REASONING_EVENT: Node = Node {
    keys: &[
        key("type", &WORD),
        key("format", &WORD),
        key("id", &WORD),
        key("index", &INDEX),
        key("data", &OPAQUE),
        key("signature", &OPAQUE),
    ],
    counted: true,
    ..Node::free(&FRAGMENT, ASSISTANT)
};

/// A call: its `id` and `type` come once, its arguments in fragments.
static TOOL_CALL_EVENT: Node = Node {
    keys: &[
        key("index", &INDEX),
        key("id", &WORD),
        key("type", &WORD),
        key("function", &CALLED_EVENT),
        key("custom", &CALLED_EVENT),
        key("name", &CALL_NAME),
        key("arguments", &CALL_JSON),
    ],
    counted: true,
    ..Node::free(&CALL_FRAGMENT, CALL)
};

static CALLED_EVENT: Node = Node {
    keys: &[key("name", &CALL_NAME), key("arguments", &CALL_JSON), key("input", &CALL_FRAGMENT)],
    ..Node::free(&CALL_FRAGMENT, CALL)
};

static LOGPROBS_EVENT: Node =
    Node { keys: &[key("content", &TOKEN_EVENT), key("refusal", &TOKEN_EVENT)], ..Node::free(&FRAGMENT, ASSISTANT) };

static TEXT_CHOICE: Node = Node {
    keys: &[key("index", &WORD), key("text", &ANY_ASSISTANT), key("finish_reason", &WORD), key("logprobs", &TOKENS)],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

static TEXT_CHOICE_EVENT: Node = Node {
    keys: &[key("index", &INDEX), key("text", &FRAGMENT), key("finish_reason", &WORD), key("logprobs", &TOKENS_EVENT)],
    counted: true,
    ..Node::free(&FRAGMENT, ASSISTANT)
};

/// The older form of log probabilities: a list of tokens, a list of numbers, and objects whose keys are tokens.
static TOKENS: Node = Node {
    keys: &[
        key("tokens", &TOKEN_TEXT),
        key("token_logprobs", &LIKELIHOOD),
        key("top_logprobs", &TOKEN_KEYS),
        key("text_offset", &WORD),
    ],
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

static TOKENS_EVENT: Node = Node {
    keys: &[
        key("tokens", &FRAGMENT),
        key("token_logprobs", &LIKELIHOOD),
        key("top_logprobs", &TOKEN_KEYS),
        key("text_offset", &WORD),
    ],
    ..Node::free(&FRAGMENT, ASSISTANT)
};

static TOKEN_TEXT: Node = Node { parts: true, ..Node::free(&ANY_ASSISTANT, ASSISTANT) };

static TOKEN_KEYS: Node = Node::free(&LIKELIHOOD, ASSISTANT);
