//! What the mock LLM says: from a request's method, path and body to the bytes of an answer, whole or as events.
//!
//! Deterministic on purpose: the same request always gets the same answer, down to ids and `created`, so that a test can
//! compare what arrives through the gateway with what arrives directly. It never reads a clock, a socket or a random
//! number, and never repeats a word of the prompt.
//!
//! The model's name steers it: `tokens-N` says exactly N tokens, `fixed-N` answers a unary chat in exactly N bytes,
//! `error-STATUS` refuses, `error-stream` fails in the middle of a stream, `cut-stream` ends the connection there without
//! a word (FIN), `reset-stream` by RST, `script-NAME` says a text of [`script`]. Any other name gives a friendly paragraph.

mod anthropic;
mod completions;
mod embeddings;
mod error;
mod openai;
mod prompt;
mod responses;
pub mod script;
#[cfg(test)]
mod tests;
mod tokens;

use serde_json::Value;

use error::Dialect;
use prompt::Prompt;

/// The `created` of every answer, in Unix seconds: fixed, so that two answers to one request are equal.
const CREATED: u64 = 1_760_000_000;

/// The models that `GET /v1/models` lists.
const MODELS: [&str; 3] = ["mock-large", "mock-small", "mock-embedding"];

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The request target; a query is ignored.
    pub target: &'a str,
    /// Whether the caller sent `anthropic-version`: two providers share `/v1/models`.
    pub anthropic: bool,
    /// The decoded body.
    pub body: &'a [u8],
}

/// What the mock says.
pub enum Answer {
    /// One JSON body.
    Whole(Whole),
    /// Server-sent events.
    Stream(Stream),
}

/// An answer in one piece.
#[derive(Debug, Eq, PartialEq)]
pub struct Whole {
    /// The HTTP status.
    pub status: u16,
    /// Seconds for `retry-after`, on 429 and 529.
    pub retry_after: Option<u32>,
    /// The JSON body.
    pub body: String,
    /// How the connection ends, when not after the whole body.
    pub ending: Ending,
}

/// An answer in events.
pub struct Stream {
    /// The events, made one by one as they are asked for: ten thousand streams must fit into little memory.
    pub events: Box<dyn Iterator<Item = Event>>,
    /// How the stream ends.
    pub ending: Ending,
}

/// One server-sent event.
#[derive(Debug, Eq, PartialEq)]
pub struct Event {
    /// The event's bytes with the empty line that ends it.
    pub text: String,
    /// Whether it carries a token, and so takes the model time.
    pub token: bool,
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// With its last byte, as it should.
    Finish,
    /// The connection closes in the middle, with the framing left open.
    Cut,
    /// The connection is reset in the middle.
    Reset,
}

impl Event {
    fn data(json: &str, token: bool) -> Self {
        Self { text: format!("data: {json}\n\n"), token }
    }

    fn named(name: &str, json: &str, token: bool) -> Self {
        Self { text: format!("event: {name}\ndata: {json}\n\n"), token }
    }
}

/// The answer to `ask`. Total: every input has one.
pub fn answer(ask: &Ask<'_>) -> Answer {
    let path = ask.target.split('?').next().unwrap_or_default();
    let dialect = if ask.anthropic || path.starts_with("/v1/messages") { Dialect::Anthropic } else { Dialect::OpenAi };
    let api = match Api::of(path) {
        Some(api) if api.method() == ask.method => api,
        Some(_) => return dialect.refuse(405, "This method is not allowed here.").into(),
        None => return dialect.refuse(404, "There is nothing at this address.").into(),
    };
    match api {
        Api::Models if ask.anthropic => return whole(anthropic::models()).into(),
        Api::Models => return whole(openai::models()).into(),
        Api::Model(name) => return openai::model(name, dialect).into(),
        _ => {}
    }
    let Ok(body) = serde_json::from_slice::<Value>(ask.body) else {
        return dialect.refuse(400, "The body is not valid JSON.").into();
    };
    if let Some(missing) = api.fields().iter().find(|field| body.get(**field).is_none()) {
        return dialect.refuse_parameter(missing).into();
    }
    let prompt = Prompt::read(body, ask.body);
    if let Some(status) = prompt.model.strip_prefix("error-").and_then(|status| status.parse().ok()) {
        return dialect.refuse(status, "The mock was asked to refuse this.").into();
    }
    let ending = match prompt.model.as_str() {
        "cut-stream" => Ending::Cut,
        "reset-stream" => Ending::Reset,
        _ => Ending::Finish,
    };
    let fails = prompt.model == "error-stream";
    let mut answer = api.render(prompt);
    match &mut answer {
        Answer::Whole(whole) => whole.ending = ending,
        Answer::Stream(stream) => stream.ending = ending,
    }
    if fails { fail(answer, dialect) } else { answer }
}

/// Replaces everything past the sixth event by the dialect's error.
fn fail(answer: Answer, dialect: Dialect) -> Answer {
    match answer {
        Answer::Whole(_) => dialect.refuse(500, "The mock was asked to fail.").into(),
        Answer::Stream(stream) => {
            let events = stream.events.take(6).chain([dialect.event("The mock was asked to fail.")]);
            Answer::Stream(Stream { events: Box::new(events), ending: stream.ending })
        }
    }
}

/// What can be asked for.
#[derive(Clone, Copy)]
enum Api<'a> {
    Chat,
    Responses,
    Completions,
    Embeddings,
    Models,
    Model(&'a str),
    Messages,
    CountTokens,
}

impl<'a> Api<'a> {
    fn of(path: &'a str) -> Option<Self> {
        Some(match path {
            "/v1/chat/completions" => Self::Chat,
            "/v1/responses" => Self::Responses,
            "/v1/completions" => Self::Completions,
            "/v1/embeddings" => Self::Embeddings,
            "/v1/models" => Self::Models,
            "/v1/messages" => Self::Messages,
            "/v1/messages/count_tokens" => Self::CountTokens,
            _ => Self::Model(path.strip_prefix("/v1/models/")?),
        })
    }

    fn method(self) -> &'static str {
        if matches!(self, Self::Models | Self::Model(_)) { "GET" } else { "POST" }
    }

    /// The fields that a body must have.
    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Chat | Self::CountTokens => &["model", "messages"],
            Self::Messages => &["model", "messages", "max_tokens"],
            Self::Completions => &["model", "prompt"],
            Self::Embeddings => &["model", "input"],
            Self::Responses => &["model"],
            Self::Models | Self::Model(_) => &[],
        }
    }

    fn render(self, prompt: Prompt) -> Answer {
        let stream = prompt.stream;
        match self {
            Self::Chat if stream => openai::stream(prompt),
            Self::Chat => whole(openai::unary(&prompt)).into(),
            Self::Responses if stream => responses::stream(prompt),
            Self::Responses => whole(responses::unary(&prompt)).into(),
            Self::Completions if stream => completions::stream(prompt),
            Self::Completions => whole(completions::unary(&prompt)).into(),
            Self::Embeddings => whole(embeddings::unary(&prompt)).into(),
            Self::Messages if stream => anthropic::stream(prompt),
            Self::Messages => whole(anthropic::unary(&prompt)).into(),
            Self::CountTokens => whole(format!(r#"{{"input_tokens":{}}}"#, prompt.tokens)).into(),
            Self::Models | Self::Model(_) => whole(openai::models()).into(),
        }
    }
}

impl From<Whole> for Answer {
    fn from(whole: Whole) -> Self {
        Self::Whole(whole)
    }
}

fn whole(body: String) -> Whole {
    Whole { status: 200, retry_after: None, body, ending: Ending::Finish }
}

fn stream(events: impl Iterator<Item = Event> + 'static) -> Answer {
    Answer::Stream(Stream { events: Box::new(events), ending: Ending::Finish })
}

/// `text` as a JSON string with its quotes.
fn quote(text: &str) -> String {
    Value::from(text).to_string()
}
