//! What models answer, made and read back: a text in given pieces as the events of an API, and what a client of that API would put
//! together from them.
//!
//! Both sides are written from the providers' documentation and their SDKs, and share no line with `src/`. The reading side is
//! stricter than an SDK: what repeats a text must repeat it to the letter, items begin and end in order, numbers rise. So it sees
//! when a gateway has changed one of two places that say the same.
//!
//! ```text
//!  [(channel, pieces)] ─► stream ─► events ─► (the gateway) ─► assemble ─► Told { texts, error, ended }
//!  [(channel, text)]   ─► unary  ─► a body ─► (the gateway) ─► unary_text
//! ```

mod chat;
mod completions;
mod events;
mod generic;
mod messages;
mod responses;

use serde_json::{Value, json};

/// A way of speaking. Its requests go to [`Dialect::path`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI chat completions.
    Chat,
    /// OpenAI completions.
    Completions,
    /// OpenAI Responses.
    Responses,
    /// Anthropic messages.
    Messages,
    /// An MCP tool's result over streamable HTTP: JSON-RPC in server-sent events.
    Mcp,
    /// A model that answers in JSON lines, as Ollama does.
    Lines,
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Text,
    Refusal,
    Reasoning,
    /// The one argument of a tool's call: inside the JSON of the arguments, which is a string of the answer's JSON itself.
    Tool,
}

/// Texts of one channel belong behind one another; texts of two do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Channel {
    /// The choice, with `n > 1`; 0 where an API has none.
    pub choice: usize,
    /// The call of a choice (chat), the output item, the content block, the content part; otherwise 0.
    pub part: usize,
    pub kind: Kind,
}

impl Channel {
    pub const fn of(kind: Kind) -> Self {
        Self { choice: 0, part: 0, kind }
    }

    pub const fn choice(self, choice: usize) -> Self {
        Self { choice, ..self }
    }

    pub const fn part(self, part: usize) -> Self {
        Self { part, ..self }
    }
}

/// What a client put together from a stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// The texts by channel, in order. A call's argument is decoded where its JSON is whole, and as it came where it is not.
    pub texts: Vec<(Channel, String)>,
    /// The error that the stream ended with, in its dialect's form.
    pub error: Option<Value>,
    /// The stream came to the end that its dialect has.
    pub ended: bool,
}

impl Told {
    pub fn text(&self, channel: Channel) -> Option<&str> {
        self.texts.iter().find(|(other, _)| *other == channel).map(|(_, text)| text.as_str())
    }
}

/// A channel and its pieces.
type Said = (Channel, Vec<String>);

impl Dialect {
    pub const ALL: [Self; 6] = [Self::Chat, Self::Completions, Self::Responses, Self::Messages, Self::Mcp, Self::Lines];

    pub fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
            Self::Responses => "/v1/responses",
            Self::Messages => "/v1/messages",
            Self::Mcp => "/mcp",
            Self::Lines => "/api/generate",
        }
    }

    /// The media type of a stream.
    pub fn media_type(self) -> &'static str {
        if self == Self::Lines { "application/x-ndjson" } else { "text/event-stream" }
    }

    /// The kinds of text that it has.
    pub fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Chat | Self::Responses => &[Kind::Text, Kind::Refusal, Kind::Reasoning, Kind::Tool],
            Self::Messages => &[Kind::Text, Kind::Reasoning, Kind::Tool],
            Self::Completions | Self::Mcp | Self::Lines => &[Kind::Text],
        }
    }

    /// A second channel beside one, where it has more than one; the text of neither goes on in the other.
    pub fn beside(self, channel: Channel) -> Option<Channel> {
        match self {
            Self::Chat if channel.kind == Kind::Tool => Some(channel.part(channel.part + 1)),
            Self::Chat | Self::Completions => Some(channel.choice(channel.choice + 1)),
            Self::Responses | Self::Messages | Self::Mcp => Some(channel.part(channel.part + 1)),
            Self::Lines => None,
        }
    }

    /// A small request that this is an answer to.
    pub fn request(self, stream: bool) -> Vec<u8> {
        let hello = json!([{"role": "user", "content": "hello"}]);
        let body = match self {
            Self::Chat => json!({"model": "mock", "stream": stream, "messages": hello}),
            Self::Completions => json!({"model": "mock", "stream": stream, "prompt": "hello"}),
            Self::Responses => json!({"model": "mock", "stream": stream, "input": "hello"}),
            Self::Messages => json!({"model": "mock", "stream": stream, "max_tokens": 1000, "messages": hello}),
            Self::Mcp => json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                "params": {"name": "look", "arguments": {"q": "hello"}}}),
            Self::Lines => json!({"model": "mock", "stream": stream, "prompt": "hello"}),
        };
        body.to_string().into_bytes()
    }
}

/// The events of an answer that says `pieces`, one after the other, on one channel. Channels that must be there before it say a
/// word of their own.
pub fn stream(dialect: Dialect, channel: Channel, pieces: &[&str]) -> Vec<Vec<u8>> {
    interleaved(dialect, &[(channel, pieces)])
}

/// The events of an answer with several channels; in chat and completions they take turns, as models let them.
pub fn interleaved(dialect: Dialect, channels: &[(Channel, &[&str])]) -> Vec<Vec<u8>> {
    let owned = |&(channel, pieces): &(Channel, &[&str])| (channel, pieces.iter().map(|&p| p.to_owned()).collect());
    let said = filled(dialect, channels.iter().map(owned).collect());
    let events = match dialect {
        Dialect::Chat => chat::stream(&said),
        Dialect::Completions => completions::stream(&said),
        Dialect::Responses => responses::stream(&said),
        Dialect::Messages => messages::stream(&said),
        Dialect::Mcp => generic::mcp_stream(&said),
        Dialect::Lines => generic::lines_stream(&said),
    };
    events.into_iter().map(String::into_bytes).collect()
}

/// What a client makes of the whole stream.
///
/// # Errors
/// What a strict client cannot make sense of, in words.
pub fn assemble(dialect: Dialect, bytes: &[u8]) -> Result<Told, String> {
    match dialect {
        Dialect::Chat => chat::assemble(bytes),
        Dialect::Completions => completions::assemble(bytes),
        Dialect::Responses => responses::assemble(bytes),
        Dialect::Messages => messages::assemble(bytes),
        Dialect::Mcp => generic::mcp_assemble(bytes),
        Dialect::Lines => generic::lines_assemble(bytes),
    }
}

/// The body of an answer that says `text` on one channel, and a word on those that must be there before it.
pub fn unary(dialect: Dialect, channel: Channel, text: &str) -> Vec<u8> {
    unaries(dialect, &[(channel, text)])
}

/// The body of an answer with several channels.
pub fn unaries(dialect: Dialect, channels: &[(Channel, &str)]) -> Vec<u8> {
    let said = filled(dialect, channels.iter().map(|&(channel, text)| (channel, vec![text.to_owned()])).collect());
    let body = match dialect {
        Dialect::Chat => chat::unary(&said),
        Dialect::Completions => completions::unary(&said),
        Dialect::Responses => responses::unary(&said),
        Dialect::Messages => messages::unary(&said),
        Dialect::Mcp => generic::mcp_unary(&said),
        Dialect::Lines => generic::lines_unary(&said),
    };
    body.into_bytes()
}

/// The text of one channel in a body.
///
/// # Errors
/// The body is no answer of this dialect, or has no such channel.
pub fn unary_text(dialect: Dialect, channel: Channel, body: &[u8]) -> Result<String, String> {
    let texts = unary_texts(dialect, body)?;
    let found = texts.into_iter().find(|(other, _)| *other == channel);
    found.map(|(_, text)| text).ok_or_else(|| format!("no {channel:?}"))
}

/// The texts of all channels in a body.
///
/// # Errors
/// The body is no answer of this dialect.
pub fn unary_texts(dialect: Dialect, body: &[u8]) -> Result<Vec<(Channel, String)>, String> {
    let body = events::json(body)?;
    let mut texts = match dialect {
        Dialect::Chat => chat::unary_texts(&body),
        Dialect::Completions => completions::unary_texts(&body),
        Dialect::Responses => responses::unary_texts(&body),
        Dialect::Messages => messages::unary_texts(&body),
        Dialect::Mcp => generic::mcp_texts(&body),
        Dialect::Lines => generic::lines_texts(&body),
    }?;
    texts.sort();
    Ok(texts)
}

/// In order, with those channels that must be there before one that is: choices and parts are counted from 0.
fn filled(dialect: Dialect, mut said: Vec<Said>) -> Vec<Said> {
    let filler = |channel| (channel, vec!["well".to_owned()]);
    for (Channel { choice, part, kind }, _) in said.clone() {
        assert!(dialect.kinds().contains(&kind), "{dialect:?} has no {kind:?}");
        let lacks = |said: &[Said], choice, part: Option<usize>, kind: Option<Kind>| {
            let is = |c: &Channel| {
                c.choice == choice && part.is_none_or(|p| p == c.part) && kind.is_none_or(|k| k == c.kind)
            };
            !said.iter().any(|(channel, _)| is(channel))
        };
        for before in 0..choice {
            if lacks(&said, before, None, None) {
                said.push(filler(Channel::of(Kind::Text).choice(before)));
            }
        }
        // Only calls are counted on their own; in the other dialects a part has one kind.
        let counted = if dialect == Dialect::Chat { Kind::Tool } else { Kind::Text };
        for before in 0..part {
            if lacks(&said, choice, Some(before), (dialect == Dialect::Chat).then_some(Kind::Tool)) {
                said.push(filler(Channel::of(counted).choice(choice).part(before)));
            }
        }
    }
    said.sort_by_key(|(channel, _)| *channel);
    let mut places: Vec<_> = said.iter().map(|(channel, _)| *channel).collect();
    if dialect != Dialect::Chat {
        places.iter_mut().for_each(|channel| channel.kind = Kind::Text);
    }
    assert!(places.windows(2).all(|pair| pair[0] != pair[1]), "a channel twice, or two kinds in one part");
    said
}

/// `text` as a JSON string with its quotes.
fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

/// The pieces as they are streamed: a call's argument has its JSON around it.
fn fragments((channel, pieces): &Said) -> Vec<String> {
    if channel.kind != Kind::Tool {
        return pieces.clone();
    }
    let inside = |piece: &String| {
        let quoted = quote(piece);
        quoted[1..quoted.len() - 1].to_owned()
    };
    let inner = pieces.iter().map(inside).collect();
    [vec![r#"{"q":""#.to_owned()], inner, vec![r#""}"#.to_owned()]].concat()
}

/// All of them together.
fn whole(said: &Said) -> String {
    fragments(said).concat()
}

/// The argument in a call's JSON.
fn argument(arguments: &str) -> Result<String, String> {
    let value: Value = serde_json::from_str(arguments).map_err(|error| format!("arguments {arguments}: {error}"))?;
    text(&value, "/q").map(str::to_owned)
}

/// The string at a place that must have one.
fn text<'a>(value: &'a Value, pointer: &str) -> Result<&'a str, String> {
    value.pointer(pointer).and_then(Value::as_str).ok_or_else(|| format!("no text at {pointer}: {value}"))
}

/// The number at a place that must have one.
fn number(value: &Value, pointer: &str) -> Result<usize, String> {
    let number = value.pointer(pointer).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| format!("no number at {pointer}: {value}"))
}

/// The array at a place that must have one.
fn list<'a>(value: &'a Value, pointer: &str) -> Result<&'a [Value], String> {
    let list = value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice);
    list.ok_or_else(|| format!("no array at {pointer}: {value}"))
}

/// An error where the condition does not hold.
fn must(holds: bool, what: &str, about: &Value) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{what}: {about}")) }
}
