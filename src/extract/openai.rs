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

static MEDIA_URL: Node = Node { keys: &[key("url", &URL), key("detail", &WORD)], ..Node::strings(Strings::Url, &ANY) };

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
static TOOL_CALL: Node = Node {
    keys: &[
        key("id", &WORD),
        key("index", &WORD),
        key("type", &WORD),
        key("function", &CALLED),
        key("custom", &CALLED),
        key("name", &ARGUMENTS),
        key("arguments", &ARGUMENTS_JSON),
    ],
    ..Node::free(&ARGUMENTS, CALL)
};

static CALLED: Node = Node {
    keys: &[key("name", &ARGUMENTS), key("arguments", &ARGUMENTS_JSON), key("input", &ARGUMENTS)],
    ..Node::free(&ARGUMENTS, CALL)
};

/// What a tool is, in every API: what a model reads before it chooses one. Servers' URLs, headers and tokens are texts as well.
pub(super) static TOOL_DEFINITION: Node = Node {
    keys: &[
        key("type", &WORD),
        key("function", &TOOL_FUNCTION),
        key("custom", &TOOL_FUNCTION),
        key("name", &ANY_TOOL),
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
    keys: &[key("name", &ANY_TOOL), key("description", &ANY_TOOL), key("parameters", &SCHEMA), key("strict", &WORD)],
    ..Node::free(&ANY_TOOL, TOOL)
};

/// Which tool the model is to call: a word, or a tool's name.
pub(super) static TOOL_CHOICE: Node = Node {
    keys: &[key("type", &WORD), key("mode", &WORD), key("name", &ANY_TOOL), key("disable_parallel_tool_use", &WORD)],
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

static ASSISTANT_TEXT: Node = Node::strings(Strings::PartText, &ANY_ASSISTANT);

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
        key("name", &ARGUMENTS),
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
static OUTPUT: Node = Node {
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
static SUMMARY: Node = Node {
    keys: &[key("type", &WORD), key("text", &ASSISTANT_TEXT)],
    parts: true,
    ..Node::free(&ANY_ASSISTANT, ASSISTANT)
};

/// A stored prompt, and the values to fill it with.
static PROMPT: Node = Node {
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

static CONVERSATION: Node = Node { keys: &[key("id", &WORD)], ..Node::strings(Strings::Word, &ANY) };

static REASONING_OPTIONS: Node = Node {
    keys: &[key("effort", &WORD), key("summary", &WORD), key("generate_summary", &WORD)],
    ..Node::free(&ANY, BODY)
};

static TEXT_OPTIONS: Node = Node { keys: &[key("format", &FORMAT), key("verbosity", &WORD)], ..Node::free(&ANY, BODY) };

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
