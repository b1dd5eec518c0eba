//! OpenAI chat completions: several choices, each with a text, a refusal, its reasoning and calls of tools.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Channel, Kind, Said, Told};
use super::{argument, events, fragments, list, must, number, quote, text, whole};

const TOOL: &str = "look";

fn chunk(choices: &str, usage: &str) -> String {
    events::unnamed(&format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1760000000,"model":"mock","service_tier":"default","system_fingerprint":"fp_1","choices":[{choices}],"usage":{usage},"obfuscation":"k2Vx"}}"#
    ))
}

fn delta(choice: usize, fields: &str, reason: &str) -> String {
    let choice = format!(r#"{{"index":{choice},"delta":{{{fields}}},"logprobs":null,"finish_reason":{reason}}}"#);
    chunk(&choice, "null")
}

/// The field of a delta or a message that holds a kind of text.
fn field(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "content",
        Kind::Refusal => "refusal",
        Kind::Reasoning => "reasoning_content",
        Kind::Tool => "tool_calls",
    }
}

fn choices(said: &[Said]) -> usize {
    said.iter().map(|(channel, _)| channel.choice + 1).max().unwrap_or(0)
}

fn reason(said: &[Said], choice: usize) -> &'static str {
    let calls = said.iter().any(|(channel, _)| channel.choice == choice && channel.kind == Kind::Tool);
    if calls { r#""tool_calls""# } else { r#""stop""# }
}

pub(super) fn stream(said: &[Said]) -> Vec<String> {
    let mut out = Vec::new();
    for choice in 0..choices(said) {
        out.push(delta(choice, r#""role":"assistant","content":"","refusal":null"#, "null"));
    }
    for (channel, _) in said.iter().filter(|(channel, _)| channel.kind == Kind::Tool) {
        let Channel { choice, part, .. } = *channel;
        let call = format!(
            r#""tool_calls":[{{"index":{part},"id":"call_{choice}{part}","type":"function","function":{{"name":"{TOOL}","arguments":""}}}}]"#
        );
        out.push(delta(choice, &call, "null"));
    }
    let pieces: Vec<(Channel, Vec<String>)> = said.iter().map(|said| (said.0, fragments(said))).collect();
    let longest = pieces.iter().map(|(_, pieces)| pieces.len()).max().unwrap_or(0);
    for turn in 0..longest {
        for (channel, piece) in pieces.iter().filter_map(|(channel, pieces)| Some((channel, pieces.get(turn)?))) {
            let piece = quote(piece);
            let fields = match channel.kind {
                Kind::Tool => {
                    format!(r#""tool_calls":[{{"index":{},"function":{{"arguments":{piece}}}}}]"#, channel.part)
                }
                kind => format!(r#""{}":{piece}"#, field(kind)),
            };
            out.push(delta(channel.choice, &fields, "null"));
        }
    }
    out.extend((0..choices(said)).map(|choice| delta(choice, "", reason(said, choice))));
    out.push(chunk("", r#"{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}"#));
    out.push(events::unnamed("[DONE]"));
    out
}

/// What one choice has told.
#[derive(Default)]
struct Choice {
    texts: BTreeMap<Channel, String>,
    calls: usize,
    finished: bool,
}

/// Reads a stream whose events are objects of this kind with choices in them, up to `[DONE]` or an error; the texts are left to `take`.
pub(super) fn chunks(
    bytes: &[u8],
    object: &str,
    mut take: impl FnMut(&Value) -> Result<(), String>,
) -> Result<Told, String> {
    let mut told = Told::default();
    for event in events::read(bytes)? {
        if told.ended {
            return Err("an event behind the end".to_owned());
        }
        if event.data == "[DONE]" {
            told.ended = true;
            continue;
        }
        let json = events::json(event.data.as_bytes())?;
        if json.get("error").is_some_and(|error| !error.is_null()) {
            told.error = Some(json);
            break;
        }
        must(json["object"] == object, "another object", &json)?;
        list(&json, "/choices")?.iter().try_for_each(&mut take)?;
    }
    Ok(told)
}

pub(super) fn assemble(bytes: &[u8]) -> Result<Told, String> {
    let mut choices: BTreeMap<usize, Choice> = BTreeMap::new();
    let mut told = chunks(bytes, "chat.completion.chunk", |choice| {
        let index = number(choice, "/index")?;
        take(choices.entry(index).or_default(), index, choice)
    })?;
    let whole = told.ended && told.error.is_none();
    for (index, choice) in choices {
        must(choice.finished || !whole, "a choice without its end", &index.into())?;
        for (channel, said) in choice.texts {
            let said = if channel.kind == Kind::Tool && choice.finished { argument(&said)? } else { said };
            told.texts.push((channel, said));
        }
    }
    told.texts.sort();
    Ok(told)
}

fn take(told: &mut Choice, index: usize, choice: &Value) -> Result<(), String> {
    must(!told.finished, "a choice goes on behind its end", choice)?;
    told.finished = !choice["finish_reason"].is_null();
    for kind in [Kind::Text, Kind::Refusal, Kind::Reasoning] {
        if let Some(piece) = choice["delta"].get(field(kind)).and_then(Value::as_str).filter(|piece| !piece.is_empty())
        {
            told.texts.entry(Channel::of(kind).choice(index)).or_default().push_str(piece);
        }
    }
    for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
        let part = number(call, "/index")?;
        if call.get("id").is_some() {
            must(part == told.calls && call["function"]["name"] == TOOL, "a call that does not follow", call)?;
            told.calls += 1;
        }
        must(part < told.calls, "a fragment of no call", call)?;
        let channel = Channel::of(Kind::Tool).choice(index).part(part);
        told.texts.entry(channel).or_default().push_str(text(call, "/function/arguments")?);
    }
    Ok(())
}

pub(super) fn unary(said: &[Said]) -> String {
    let choice = |choice: usize| {
        let mine = |kind: Kind| said.iter().filter(move |(c, _)| c.choice == choice && c.kind == kind);
        let text = |kind: Kind| mine(kind).next().map_or_else(|| "null".to_owned(), |said| quote(&whole(said)));
        let calls: Vec<String> = mine(Kind::Tool)
            .map(|said| {
                let arguments = quote(&whole(said));
                let id = format!("call_{choice}{}", said.0.part);
                format!(r#"{{"id":"{id}","type":"function","function":{{"name":"{TOOL}","arguments":{arguments}}}}}"#)
            })
            .collect();
        let calls = if calls.is_empty() { String::new() } else { format!(r#","tool_calls":[{}]"#, calls.join(",")) };
        format!(
            r#"{{"index":{choice},"message":{{"role":"assistant","content":{},"reasoning_content":{},"refusal":{},"annotations":[]{calls}}},"logprobs":null,"finish_reason":{}}}"#,
            text(Kind::Text),
            text(Kind::Reasoning),
            text(Kind::Refusal),
            reason(said, choice),
        )
    };
    let choices: Vec<String> = (0..choices(said)).map(choice).collect();
    format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1760000000,"model":"mock","choices":[{}],"usage":{{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}},"service_tier":"default","system_fingerprint":"fp_1"}}"#,
        choices.join(",")
    )
}

pub(super) fn unary_texts(body: &Value) -> Result<Vec<(Channel, String)>, String> {
    let mut texts = Vec::new();
    for (index, choice) in list(body, "/choices")?.iter().enumerate() {
        must(number(choice, "/index")? == index, "choices out of order", body)?;
        for kind in [Kind::Text, Kind::Refusal, Kind::Reasoning] {
            if let Some(said) = choice["message"][field(kind)].as_str() {
                texts.push((Channel::of(kind).choice(index), said.to_owned()));
            }
        }
        for (part, call) in choice["message"]["tool_calls"].as_array().into_iter().flatten().enumerate() {
            let channel = Channel::of(Kind::Tool).choice(index).part(part);
            texts.push((channel, argument(text(call, "/function/arguments")?)?));
        }
    }
    Ok(texts)
}
