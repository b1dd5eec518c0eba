//! Classes of places in a document, as static tables: which string there is what.
//!
//! ```text
//!   CHAT ── "messages" ──► MESSAGE ── "content" ──► CONTENT ── "text" ──► PART_TEXT
//!     └──── any other ───► ANY ──┐     └─ "role" ──► ROLE       └─ any other ─► ANY
//!                           ▲────┘
//! ```
//! An array is transparent: its elements have the node of the array. A table never makes a text disappear: what it does not name
//! is inspected where it stands, keys included; what it names as an enumeration or as media is left out only where the bytes are such.

use super::Layer;
use super::Part;
use super::Place;
use super::Role;

/// The class of a value: of a string there, or of what stands in an object there.
pub struct Node {
    /// The keys of an object that have a node of their own, at most 64. Their names are no text.
    pub keys: &'static [Key],
    /// The node of the values under every other key. Those keys are texts themselves.
    pub other: &'static Self,
    /// Where the texts stand.
    pub place: Place,
    /// What a string is.
    pub strings: Strings,
    /// Whether an array here is one text in parts: the parts of one message.
    pub parts: bool,
    /// Whether a string here goes on in the same place of the next event of a stream.
    pub fragment: bool,
    /// Whether a string here is the name of a tool.
    pub tool_name: bool,
    /// Whether an object of an array here that has no [`Strings::Index`] is told from others by where it stands in the array.
    pub counted: bool,
}

/// What the strings of a node are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strings {
    /// Texts.
    Text,
    /// Texts that go on where the last one of the same message ended.
    PartText,
    /// JSON documents.
    Json,
    /// Words of an API: an enumeration, an identifier. No text if short and made of letters, digits and a few signs.
    Word,
    /// The same, and it says who speaks in the object that it stands in.
    Role,
    /// The same, and where it is `base64` the [`Strings::Source`] beside it is media.
    Kind,
    /// A JSON-RPC method: a text that says what the object that it stands in is about.
    Method,
    /// Media in base64.
    Base64,
    /// Media in base64, or a text: the [`Strings::Kind`] or [`Strings::Event`] beside it says which.
    Source,
    /// What nobody reads, in base64 or in numbers: a signature, a ciphertext, a vector. A text if it is neither.
    Opaque,
    /// A word or a number that tells the fragments of the object that it stands in from those of another one.
    Mark,
    /// The same, and it is what counts such objects: nothing else need tell them apart.
    Index,
    /// The same, and it only counts where there is no [`Strings::Index`].
    Id,
    /// A [`Strings::Mark`] that says what an event of the Responses API is about.
    Event,
    /// The version of JSON-RPC: the object that it stands in is a message of its own and nothing in it is a fragment.
    Whole,
    /// Numbers beside a token: where they are, an answer's text is there once more, token by token.
    Likelihood,
    /// Tokens that a model has read, in number.
    InputTokens,
    /// Tokens that a model has written, in number.
    OutputTokens,
    /// A URL, or media in base64 in a `data:` URL (RFC 2397).
    Url,
}

impl Strings {
    /// Whether a long number at such a place is a text.
    pub(super) const fn holds_numbers(self) -> bool {
        !matches!(
            self,
            Self::Word
                | Self::Role
                | Self::Kind
                | Self::Opaque
                | Self::Event
                | Self::Likelihood
                | Self::InputTokens
                | Self::OutputTokens
        )
    }

    /// Whether a number there says something of the object that it stands in, or of the answer.
    pub(super) const fn is_noted(self) -> bool {
        matches!(self, Self::Mark | Self::Index | Self::Id | Self::Likelihood | Self::InputTokens | Self::OutputTokens)
    }
}

/// A key and the node of its value.
pub struct Key {
    ends: Ends,
    pub(super) name: &'static [u8],
    pub(super) node: &'static Node,
    /// What it adds to a path.
    pub(super) step: u32,
}

/// A row of [`Node::keys`].
#[must_use]
pub const fn key(name: &'static str, node: &'static Node) -> Key {
    alias(name, name, node)
}

/// A row of [`Node::keys`] whose fragments go on those below the key `of` beside it.
#[must_use]
pub const fn alias(name: &'static str, of: &'static str, node: &'static Node) -> Key {
    Key { ends: Ends::of(name.as_bytes()), name: name.as_bytes(), node, step: step(hash(of.as_bytes())) }
}

/// What a key of this hash adds to a path.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "a part of a hash")]
pub(super) const fn step(hash: u64) -> u32 {
    hash as u32
}

impl Node {
    /// A node of texts, whatever they stand under; `itself` is the static that it makes.
    #[must_use]
    pub const fn free(itself: &'static Self, place: Place) -> Self {
        Self::of(Strings::Text, itself, place)
    }

    /// A node of strings of one kind; objects there are free text.
    #[must_use]
    pub const fn strings(strings: Strings, free: &'static Self) -> Self {
        Self::of(strings, free, free.place)
    }

    /// A node of strings of one kind and one place; objects there are of another.
    #[must_use]
    pub const fn of(strings: Strings, other: &'static Self, place: Place) -> Self {
        Self { keys: &[], other, place, strings, parts: false, fragment: false, tool_name: false, counted: false }
    }

    /// The same, and its strings go on in the next event of a stream.
    #[must_use]
    pub const fn in_stream(self) -> Self {
        Self { fragment: true, ..self }
    }

    /// The same, and its strings are names of tools.
    #[must_use]
    pub const fn names_tool(self) -> Self {
        Self { tool_name: true, ..self }
    }

    /// The row of a key.
    #[inline]
    pub(super) fn find(&self, name: &[u8]) -> Option<(usize, &'static Key)> {
        let ends = Ends::of(name);
        // Two words are all of a short key.
        let is_it = |key: &Key| {
            key.ends.first == ends.first
                && key.ends.last == ends.last
                && key.name.len() == name.len()
                && (name.len() <= 2 * size_of::<u64>() || key.name == name)
        };
        let index = self.keys.iter().position(is_it)?;
        Some((index, self.keys.get(index)?))
    }
}

/// The first and the last bytes of a key, up to eight of each; they overlap in a short one.
struct Ends {
    first: u64,
    last: u64,
}

impl Ends {
    #[inline]
    const fn of(bytes: &[u8]) -> Self {
        if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            return Self { first: u64::from_le_bytes(*first), last: u64::from_le_bytes(*last) };
        }
        if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            return Self { first: u32::from_le_bytes(*first) as u64, last: u32::from_le_bytes(*last) as u64 };
        }
        let (first, last) = match *bytes {
            [a, b, c] => (u16::from_le_bytes([a, b]) as u64, c as u64),
            [a, b] => (a as u64, b as u64),
            [a] => (a as u64, 0),
            _ => (0, 0),
        };
        Self { first, last }
    }
}

/// A hash of a key. It need not withstand an attack: whoever compares hashes compares the bytes where they are the same.
#[inline]
pub(super) const fn hash(bytes: &[u8]) -> u64 {
    let mut state = bytes.len() as u64;
    let mut rest = bytes;
    while rest.len() > 16 {
        let Some((word, after)) = rest.split_first_chunk::<8>() else { break };
        state = mix(state, u64::from_le_bytes(*word));
        rest = after;
    }
    let Ends { first, last } = Ends::of(rest);
    mix(state ^ last.rotate_left(32), first)
}

/// Both halves of a product.
#[expect(clippy::cast_possible_truncation, reason = "the halves of a product")]
pub(super) const fn mix(state: u64, word: u64) -> u64 {
    let product = (state ^ word ^ 0x2545_f491_4f6c_dd1d) as u128 * 0xd6e8_feb8_6659_fd93;
    product as u64 ^ (product >> 64) as u64
}

/// Texts of nobody in particular.
pub const BODY: Place = Place { part: Part::Body, layer: Layer::PostTemplate, role: Role::None };
/// Texts of the operator.
pub const SYSTEM: Place = Place { role: Role::System, ..BODY };
/// Texts of the user.
pub const USER: Place = Place { role: Role::User, ..BODY };
/// Texts of the model, in an earlier turn.
pub const ASSISTANT: Place = Place { role: Role::Assistant, ..BODY };
/// Values that are put into a stored prompt.
pub const VARIABLES: Place = Place { layer: Layer::PreTemplate, ..USER };
/// What the model asks of a tool.
pub const CALL: Place = Place { part: Part::Tools, layer: Layer::ToolCall, role: Role::Assistant };
/// What a tool is, and what it answers.
pub const TOOL: Place = Place { role: Role::Tool, ..CALL };

/// Any JSON: all strings and keys, of nobody in particular.
pub static ANY: Node = Node::free(&ANY, BODY);
/// Any JSON that the model hands to a tool.
pub static ARGUMENTS: Node = Node::free(&ARGUMENTS, CALL);
/// Any JSON of the operator.
pub static ANY_SYSTEM: Node = Node::free(&ANY_SYSTEM, SYSTEM);
/// Any JSON of the user.
pub static ANY_USER: Node = Node::free(&ANY_USER, USER);
/// Any JSON of the model.
pub static ANY_ASSISTANT: Node = Node::free(&ANY_ASSISTANT, ASSISTANT);
/// Any JSON that is put into a stored prompt.
pub static ANY_VARIABLE: Node = Node::free(&ANY_VARIABLE, VARIABLES);
/// Any JSON of a tool.
pub static ANY_TOOL: Node = Node::free(&ANY_TOOL, TOOL);

/// Words of an API.
pub static WORD: Node = Node::strings(Strings::Word, &ANY);
/// Who speaks in a message.
pub static ROLE: Node = Node::strings(Strings::Role, &ANY);
/// A part of a message's text.
pub static PART_TEXT: Node = Node::strings(Strings::PartText, &ANY);
/// A part of a tool's answer.
pub static TOOL_TEXT: Node = Node::strings(Strings::PartText, &ANY_TOOL);
/// The name of a tool that is called.
pub static CALLED_NAME: Node = Node::strings(Strings::Text, &ARGUMENTS).names_tool();
/// The name of a tool that is defined.
pub static DEFINED_NAME: Node = Node::strings(Strings::Text, &ANY_TOOL).names_tool();
/// Arguments of a tool as JSON in a string.
pub static ARGUMENTS_JSON: Node = Node::strings(Strings::Json, &ARGUMENTS);
/// Media in base64.
pub static BASE64: Node = Node::strings(Strings::Base64, &ANY);
/// Media by URL.
pub static URL: Node = Node::strings(Strings::Url, &ANY);
/// Media in base64 from a tool.
pub static TOOL_BASE64: Node = Node::strings(Strings::Base64, &ANY_TOOL);
/// Media by URL from a tool.
pub static TOOL_URL: Node = Node::strings(Strings::Url, &ANY_TOOL);

/// A JSON Schema of a tool: the words of the language are no texts, names and descriptions are. The most frequent first.
pub static SCHEMA: Node = Node {
    keys: &[
        key("type", &WORD),
        key("description", &ANY_TOOL),
        key("properties", &SCHEMA_NAMES),
        key("required", &ANY_TOOL),
        key("items", &SCHEMA),
        key("enum", &ANY_TOOL),
        key("additionalProperties", &SCHEMA),
        key("default", &ANY_TOOL),
        key("$defs", &SCHEMA_NAMES),
        key("$ref", &ANY_TOOL),
        key("$schema", &ANY_TOOL),
        key("allOf", &SCHEMA),
        key("anyOf", &SCHEMA),
        key("definitions", &SCHEMA_NAMES),
        key("format", &ANY_TOOL),
        key("maxItems", &WORD),
        key("maxLength", &WORD),
        key("maximum", &WORD),
        key("minItems", &WORD),
        key("minLength", &WORD),
        key("minimum", &WORD),
        key("oneOf", &SCHEMA),
        key("pattern", &ANY_TOOL),
        key("title", &ANY_TOOL),
    ],
    ..Node::free(&ANY_TOOL, TOOL)
};

/// Schemas under names of the tool's choice.
pub static SCHEMA_NAMES: Node = Node::free(&SCHEMA, TOOL);
