//! A model behind the gateway that says what its prompt asks for, in the dialect of the path that was called.
//!
//! The prompt is any string of the request's body that holds `say: `; the text is what follows it, and options stand before it:
//! `split=3 kind=tool n=2 part=1 pause=20 say: hello`. Unlike the demo's model it repeats what it is told, so that a test can have an
//! answer with any text in it, cut anywhere.

use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::streams::{Channel, Dialect, Kind, interleaved, unaries};
use super::strict::Request;
use super::upstream::{After, Exchange};

/// What a prompt asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub dialect: Dialect,
    /// In events; the body's `stream`, or what an MCP client accepts.
    pub stream: bool,
    /// `kind=text|refusal|reasoning|tool`, `part=N`; `n=N` says the text in N choices.
    pub channels: Vec<Channel>,
    /// `split=N`: characters of one piece; all in one without it.
    pub split: usize,
    /// `pause=N`: milliseconds between two events.
    pub pause: Duration,
    pub text: String,
}

impl Wish {
    /// `None`: the request goes to no known path, or asks for nothing.
    pub fn of(request: &Request) -> Option<Self> {
        let dialect = Dialect::ALL.into_iter().find(|dialect| request.target.starts_with(dialect.path()))?;
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        let accepts = request.fields.one("accept").is_some_and(|types| types.contains("text/event-stream"));
        let stream = body["stream"] == true || (dialect == Dialect::Mcp && accepts);
        let prompt = prompt(&body)?;
        let (options, text) = prompt.split_once("say: ")?;
        let option =
            |name: &str| options.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        let count = |name: &str, default: usize| option(name).map_or(default, |count| count.parse().unwrap());
        let kind = match option("kind") {
            Some("refusal") => Kind::Refusal,
            Some("reasoning") => Kind::Reasoning,
            Some("tool") => Kind::Tool,
            _ => Kind::Text,
        };
        let channel = Channel::of(kind).part(count("part", 0));
        let choices = count("n", body["n"].as_u64().map_or(1, |n| usize::try_from(n).unwrap()));
        Some(Self {
            dialect,
            stream,
            channels: (0..choices).map(|choice| channel.choice(choice)).collect(),
            split: count("split", usize::MAX).max(1),
            pause: Duration::from_millis(u64::try_from(count("pause", 0)).unwrap()),
            text: text.to_owned(),
        })
    }

    /// The text in pieces of so many characters.
    pub fn pieces(&self) -> Vec<&str> {
        let mut pieces = Vec::new();
        let mut rest = self.text.as_str();
        while !rest.is_empty() {
            let end = rest.char_indices().nth(self.split).map_or(rest.len(), |(at, _)| at);
            let (piece, after) = rest.split_at(end);
            pieces.push(piece);
            rest = after;
        }
        pieces
    }

    /// The events of the answer where it is streamed, else its body alone.
    pub fn answer(&self) -> Vec<Vec<u8>> {
        if self.stream {
            let pieces = self.pieces();
            let said: Vec<_> = self.channels.iter().map(|&channel| (channel, pieces.as_slice())).collect();
            return interleaved(self.dialect, &said);
        }
        let said: Vec<_> = self.channels.iter().map(|&channel| (channel, self.text.as_str())).collect();
        vec![unaries(self.dialect, &said)]
    }
}

/// The first string in the body that asks for something.
fn prompt(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => text.contains("say: ").then_some(text),
        Value::Array(items) => items.iter().find_map(prompt),
        Value::Object(fields) => fields.values().find_map(prompt),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The script of an upstream that is a model.
pub fn speak(request: &Request, exchange: &mut Exchange<'_>) -> After {
    let Some(wish) = Wish::of(request) else {
        exchange.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        return After::Keep;
    };
    let parts = wish.answer();
    if wish.stream {
        return serve(exchange, wish.dialect, &parts, wish.pause);
    }
    let body = parts.concat();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    exchange.send(&[head.as_bytes(), &body].concat());
    After::Keep
}

/// Sends events, each in a chunk of its own.
pub fn serve(exchange: &mut Exchange<'_>, dialect: Dialect, events: &[Vec<u8>], pause: Duration) -> After {
    let kind = dialect.media_type();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n");
    exchange.send(head.as_bytes());
    for event in events {
        thread::sleep(pause);
        if !exchange.chunk(event) {
            return After::Close;
        }
    }
    exchange.chunk(b"");
    After::Keep
}
