//! Which strings of a request or an answer a model or a person reads, and where each stands in the received bytes.
//!
//! ```text
//!  body ─► json::walk (validates all of it, one pass) ─► Pieces: place, form, raw range ─► the proxy unescapes and inspects them
//! ```
//! It never copies a body, never looks for anything in a text, never does I/O; what is refused here was not valid in the first place.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

pub mod answer;
pub mod anthropic;
pub mod form;
pub mod fuzz;
pub mod json;
pub mod mcp;
pub mod node;
pub mod offsets;
pub mod openai;
pub mod rpc;
pub mod usage;

mod channel;
mod escape;
mod media;
mod speaker;
mod syntax;

use std::ops::Range;

/// Which API a request speaks, by its path. It decides which table of places holds for the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// OpenAI chat completions.
    OpenAiChat,
    /// OpenAI Responses.
    OpenAiResponses,
    /// OpenAI completions (the older form).
    OpenAiCompletions,
    /// OpenAI embeddings.
    OpenAiEmbeddings,
    /// Anthropic messages.
    AnthropicMessages,
    /// Anything else, JSON-RPC (MCP) among it: all strings.
    Other,
}

impl Api {
    /// The API of a request, by the end of its path: providers and their proxies put it below different prefixes.
    ///
    /// `path` is a request target as received: a query is left out of account, `%` escapes are undone, case does not count.
    #[must_use]
    pub fn of_path(path: &[u8]) -> Self {
        let path = path.split(|&byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
        let mut tail = [0; TAIL_BYTES];
        let end = last_bytes(path, &mut tail);
        ENDS.iter().find(|(name, _)| end.ends_with(name)).map_or(Self::Other, |(_, api)| *api)
    }

    /// Where the texts of a request are.
    #[must_use]
    pub const fn table(self) -> &'static node::Node {
        match self {
            Self::OpenAiChat => &openai::CHAT,
            Self::OpenAiResponses => &openai::RESPONSES,
            Self::OpenAiCompletions => &openai::COMPLETIONS,
            Self::OpenAiEmbeddings => &openai::EMBEDDINGS,
            Self::AnthropicMessages => &anthropic::MESSAGES,
            Self::Other => &mcp::OTHER,
        }
    }

    /// Where the texts of a whole answer are.
    #[must_use]
    pub const fn answer_table(self) -> &'static node::Node {
        match self {
            Self::OpenAiChat => &answer::openai::CHAT,
            Self::OpenAiResponses => &answer::responses::RESPONSE,
            Self::OpenAiCompletions => &answer::openai::COMPLETION,
            Self::OpenAiEmbeddings => &answer::openai::EMBEDDINGS,
            Self::AnthropicMessages => &answer::anthropic::MESSAGE,
            Self::Other => &answer::other::ANSWER,
        }
    }

    /// Where the texts of one event of a streamed answer are, and which of them are fragments.
    #[must_use]
    pub const fn event_table(self) -> &'static node::Node {
        match self {
            Self::OpenAiChat => &answer::openai::CHAT_EVENT,
            Self::OpenAiResponses => &answer::responses::EVENT,
            Self::OpenAiCompletions => &answer::openai::COMPLETION_EVENT,
            // There are no such streams.
            Self::OpenAiEmbeddings | Self::Other => &answer::other::EVENT,
            Self::AnthropicMessages => &answer::anthropic::EVENT,
        }
    }
}

/// Ends of paths, in lower case; the first that fits holds.
const ENDS: &[(&[u8], Api)] = &[
    (b"/chat/completions", Api::OpenAiChat),
    (b"/responses", Api::OpenAiResponses),
    (b"/responses/compact", Api::OpenAiResponses),
    (b"/responses/input_tokens", Api::OpenAiResponses),
    (b"/completions", Api::OpenAiCompletions),
    (b"/embeddings", Api::OpenAiEmbeddings),
    (b"/messages", Api::AnthropicMessages),
    (b"/messages/count_tokens", Api::AnthropicMessages),
];

/// Bytes of a path's end that are looked at: more than the longest of `ENDS`.
const TAIL_BYTES: usize = 32;

/// The end of a path in lower case, with its escapes undone and without a slash behind it.
fn last_bytes<'a>(path: &[u8], tail: &'a mut [u8; TAIL_BYTES]) -> &'a [u8] {
    let mut rest = path;
    while let [front @ .., b'/'] = rest {
        rest = front;
    }
    let mut start = TAIL_BYTES;
    while let (Some(before), false) = (start.checked_sub(1), rest.is_empty()) {
        let byte;
        (byte, rest) = match rest {
            [front @ .., b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let value = |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
                (value(high).unwrap_or_default() << 4 | value(low).unwrap_or_default(), front)
            }
            [front @ .., byte] => (*byte, front),
            [] => break,
        };
        start = before;
        if let Some(place) = tail.get_mut(start) {
            *place = byte.to_ascii_lowercase();
        }
    }
    tail.get(start..).unwrap_or_default()
}

/// `layer` of an event: what kind of text it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Variables that a request hands to a stored prompt.
    PreTemplate,
    /// Rendered messages, instructions, input; everything that is nothing else.
    PostTemplate,
    /// Tool definitions, arguments of tool calls, results of tools, MCP.
    ToolCall,
}

/// `matched_in` of an event: which part of a request it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A value of a header field.
    Headers,
    /// The body, tools left out.
    Body,
    /// The path or the query.
    Url,
    /// Tool definitions, arguments and results in the body.
    Tools,
}

impl Layer {
    /// The word on the wire.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::PreTemplate => "pre-template",
            Self::PostTemplate => "post-template",
            Self::ToolCall => "tool-call",
        }
    }
}

impl Part {
    /// The word on the wire, and in a policy's `where`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Headers => "headers",
            Self::Body => "body",
            Self::Url => "url",
            Self::Tools => "tools",
        }
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nobody in particular.
    None,
    /// The operator: system and developer messages, instructions.
    System,
    /// The user.
    User,
    /// The model, in an earlier turn.
    Assistant,
    /// A tool: its results, and the definitions of tools.
    Tool,
}

/// Where a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which part of the request.
    pub part: Part,
    /// What kind of text.
    pub layer: Layer,
    /// Who speaks.
    pub role: Role,
}

/// What the bytes of a piece are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The inside of a JSON string, or bytes as they are (`plain`).
    Text,
    /// The inside of a JSON string that should itself be a JSON document: arguments of a tool call.
    Json,
    /// The inside of a JSON object's key.
    Key,
    /// A JSON number of many digits, which may hold what a string would.
    Number,
}

/// One string (or number, or key) to be inspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where its bytes begin in the document, behind the opening quote. `start <= end`.
    pub start: u32,
    /// Where they end, before the closing quote.
    pub end: u32,
    /// Where the key that it is the value of begins; `key_start == key_end` where there is none.
    pub key_start: u32,
    /// Where that key ends.
    pub key_end: u32,
    /// Where it stands.
    pub place: Place,
    /// What its bytes are.
    pub form: Form,
    /// Whether it goes on where the previous piece ended: parts of one message are one text to a model.
    pub joined: bool,
    /// Whether its text is its bytes: it holds no escape.
    pub plain: bool,
    /// Whether it goes on where the last one with its `channel` ended, in this event of a stream or in one before it. It is never
    /// `joined` as well.
    pub fragment: bool,
    /// Whether it stands where the name of a tool is: see [`Piece::calls_tool`].
    pub tool_name: bool,
    /// Of a fragment: which text of the stream it is part of. 0 of anything else.
    ///
    /// A mix of the keys on the way to it and of the indexes of what it stands in. It is the same in every event, and another one for
    /// another text; it need not withstand an attack, since who makes it could as well write two texts as one.
    pub channel: u32,
}

impl Piece {
    /// Where its bytes are.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Whether it is the name, or a fragment of the name, of a tool that the model calls.
    #[must_use]
    pub fn calls_tool(&self) -> bool {
        self.tool_name && self.place == node::CALL
    }

    /// Whether it is the name of a tool that is offered to the model.
    #[must_use]
    pub fn defines_tool(&self) -> bool {
        self.tool_name && self.place == node::TOOL
    }

    /// Where its key is.
    #[must_use]
    pub fn key(&self) -> Range<usize> {
        self.key_start as usize..self.key_end as usize
    }
}

/// Why a body cannot be read. The client is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Not JSON by RFC 8259: syntax, a control character in a string, bytes behind the document, a byte order mark.
    Syntax,
    /// Not UTF-8 (RFC 8259 section 8.1).
    Utf8,
    /// A `\uD800`…`\uDFFF` without its other half (RFC 8259 section 8.2).
    Surrogate,
    /// The same key twice in one object, after unescaping (RFC 8259 section 4): two readers could read two values.
    DuplicateKey,
    /// Nested deeper than `limits::JSON_DEPTH_MAX`.
    Depth,
    /// More strings than `limits::PIECES_MAX`.
    Pieces,
    /// `multipart/form-data` or `application/x-www-form-urlencoded` that breaks its rules.
    Form,
}

#[cfg(test)]
mod tests;
