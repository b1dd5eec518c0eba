//! OpenAI chat completions, whole and streamed, and the list of models. Both forms are written from the same talk, so a
//! stream always assembles to the unary answer.

use std::iter;
use std::rc::Rc;

use super::Answer;
use super::CREATED;
use super::Event;
use super::MODELS;
use super::Whole;
use super::error::Dialect;
use super::prompt::Call;
use super::prompt::Prompt;
use super::quote;
use super::stream as answer_stream;
use super::whole;

/// What `fixed-N` pads its answer with.
const PADDING: &str = "x";

pub(super) fn unary(prompt: &Prompt) -> String {
    if let Some(bytes) = prompt.model.strip_prefix("fixed-").and_then(|bytes| bytes.parse::<usize>().ok()) {
        let empty = fixed(prompt, "").len();
        return fixed(prompt, &PADDING.repeat(bytes.saturating_sub(empty)));
    }
    let choices: Vec<String> = (0..prompt.choices).map(|index| choice(prompt, index)).collect();
    format!(
        r#"{{"id":"chatcmpl-{}","object":"chat.completion","created":{CREATED},"model":{},"choices":[{}],"usage":{},"service_tier":"default","system_fingerprint":"fp_mock"}}"#,
        prompt.id,
        prompt.model_json(),
        choices.join(","),
        usage(prompt),
    )
}

/// The smallest complete answer around `content`: what `fixed-N` fills up to N bytes.
fn fixed(prompt: &Prompt, content: &str) -> String {
    format!(
        r#"{{"id":"chatcmpl-{}","object":"chat.completion","created":{CREATED},"model":{},"choices":[{{"index":0,"message":{{"role":"assistant","content":"{content}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":9,"completion_tokens":9,"total_tokens":18}}}}"#,
        prompt.id,
        prompt.model_json(),
    )
}

fn choice(prompt: &Prompt, index: usize) -> String {
    let (content, calls, reason) = if prompt.calls.is_empty() {
        let talk = prompt.talk(index);
        (quote(talk.tokens.text()), String::new(), reason(talk.cut))
    } else {
        let calls: Vec<String> = prompt.calls.iter().map(call).collect();
        ("null".to_owned(), format!(r#","tool_calls":[{}]"#, calls.join(",")), "tool_calls")
    };
    format!(
        r#"{{"index":{index},"message":{{"role":"assistant","content":{content}{calls},"refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"{reason}"}}"#
    )
}

fn call(call: &Call) -> String {
    let arguments = quote(&call.arguments);
    let name = quote(&call.name);
    format!(r#"{{"id":"call_{}","type":"function","function":{{"name":{name},"arguments":{arguments}}}}}"#, call.id)
}

fn reason(cut: bool) -> &'static str {
    if cut { "length" } else { "stop" }
}

pub(super) fn usage(prompt: &Prompt) -> String {
    let (input, output) = (prompt.tokens, prompt.answer_tokens());
    let total = input + output;
    format!(
        r#"{{"prompt_tokens":{input},"completion_tokens":{output},"total_tokens":{total},"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}}"#
    )
}

/// The role of every choice, their pieces taking turns, their reasons, the usage if asked for, `[DONE]`.
pub(super) fn stream(prompt: Prompt) -> Answer {
    let prompt = Rc::new(prompt);
    let indexes = 0..prompt.choices;
    let role = if prompt.calls.is_empty() {
        r#"{"role":"assistant","content":"","refusal":null}"#
    } else {
        r#"{"role":"assistant","content":null,"refusal":null}"#
    };
    let roles: Vec<Event> = indexes.clone().map(|index| chunk(&prompt, index, role, "null", false)).collect();
    let deltas: Box<dyn Iterator<Item = Event>> =
        if prompt.calls.is_empty() { Box::new(words(&prompt)) } else { Box::new(calls(&prompt)) };
    let reasons = indexes.map({
        let prompt = Rc::clone(&prompt);
        move |index| {
            let reason = if prompt.calls.is_empty() { reason(prompt.talk(index).cut) } else { "tool_calls" };
            chunk(&prompt, index, "{}", &quote(reason), false)
        }
    });
    let usage = prompt.include_usage.then(|| frame(&prompt, "", &usage(&prompt), false));
    answer_stream(roles.into_iter().chain(deltas).chain(reasons).chain(usage).chain([Event::data("[DONE]", false)]))
}

/// Piece 0 of each choice, piece 1 of each choice, and so on.
fn words(prompt: &Rc<Prompt>) -> impl Iterator<Item = Event> + use<> {
    let prompt = Rc::clone(prompt);
    let talks: Rc<[_]> = (0..prompt.choices).map(|index| prompt.talk(index).tokens).collect();
    let longest = talks.iter().map(super::tokens::Tokens::len).max().unwrap_or(0);
    (0..longest).flat_map(move |at| {
        let (prompt, talks) = (Rc::clone(&prompt), Rc::clone(&talks));
        (0..talks.len()).filter_map(move |index| {
            let piece = talks.get(index)?.piece(at);
            let delta = format!(r#"{{"content":{}}}"#, quote(piece));
            (!piece.is_empty()).then(|| chunk(&prompt, index, &delta, "null", true))
        })
    })
}

/// For each choice, one call after the other: its name, then its arguments in fragments.
fn calls(prompt: &Rc<Prompt>) -> impl Iterator<Item = Event> + use<> {
    let prompt = Rc::clone(prompt);
    let places = (0..prompt.choices).flat_map({
        let count = prompt.calls.len();
        move |choice| (0..count).map(move |call| (choice, call))
    });
    places.flat_map(move |(choice, index)| {
        let fragments = prompt.calls.get(index).map(Call::fragments);
        let opening = prompt.calls.get(index).map_or_else(String::new, |call| {
            let name = quote(&call.name);
            format!(r#""id":"call_{}","type":"function","function":{{"name":{name},"arguments":""}}"#, call.id)
        });
        let pieces = fragments.into_iter().flat_map(super::tokens::Tokens::into_pieces);
        let rest = pieces.map(|piece| format!(r#""function":{{"arguments":{}}}"#, quote(&piece)));
        let prompt = Rc::clone(&prompt);
        iter::once(opening).chain(rest).map(move |fields| {
            let delta = format!(r#"{{"tool_calls":[{{"index":{index},{fields}}}]}}"#);
            chunk(&prompt, choice, &delta, "null", true)
        })
    })
}

fn chunk(prompt: &Prompt, index: usize, delta: &str, reason: &str, token: bool) -> Event {
    let choice = format!(r#"{{"index":{index},"delta":{delta},"logprobs":null,"finish_reason":{reason}}}"#);
    frame(prompt, &choice, "null", token)
}

/// One chunk; with `stream_options.include_usage` every chunk has a `usage`, null but in the last.
fn frame(prompt: &Prompt, choices: &str, usage: &str, token: bool) -> Event {
    let usage = if prompt.include_usage { format!(r#","usage":{usage}"#) } else { String::new() };
    let json = format!(
        r#"{{"id":"chatcmpl-{}","object":"chat.completion.chunk","created":{CREATED},"model":{},"service_tier":"default","system_fingerprint":"fp_mock","choices":[{choices}]{usage}}}"#,
        prompt.id,
        prompt.model_json(),
    );
    Event::data(&json, token)
}

pub(super) fn models() -> String {
    let models: Vec<String> = MODELS.iter().map(|name| model_body(name)).collect();
    format!(r#"{{"object":"list","data":[{}]}}"#, models.join(","))
}

pub(super) fn model(name: &str, dialect: Dialect) -> Whole {
    match MODELS.iter().find(|model| **model == name) {
        Some(name) if dialect == Dialect::Anthropic => whole(super::anthropic::model(name)),
        Some(name) => whole(model_body(name)),
        None => dialect.refuse(404, "There is no model of this name."),
    }
}

fn model_body(name: &str) -> String {
    format!(r#"{{"id":"{name}","object":"model","created":{CREATED},"owned_by":"mock"}}"#)
}
