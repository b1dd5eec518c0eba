//! OpenAI completions: choices that are text and nothing else.

use std::collections::BTreeMap;

use serde_json::Value;

use super::chat::chunks;
use super::{Channel, Kind, Said, Told};
use super::{events, list, must, number, quote, text, whole};

fn body(choices: &str, usage: &str) -> String {
    format!(
        r#"{{"id":"cmpl-1","object":"text_completion","created":1760000000,"model":"mock","choices":[{choices}],"usage":{usage}}}"#
    )
}

fn choice(index: usize, text: &str, reason: &str) -> String {
    format!(r#"{{"text":{},"index":{index},"logprobs":null,"finish_reason":{reason}}}"#, quote(text))
}

const USAGE: &str = r#"{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}"#;

pub(super) fn stream(said: &[Said]) -> Vec<String> {
    let longest = said.iter().map(|(_, pieces)| pieces.len()).max().unwrap_or(0);
    let mut out = Vec::new();
    for turn in 0..longest {
        for (channel, piece) in said.iter().filter_map(|(channel, pieces)| Some((channel, pieces.get(turn)?))) {
            out.push(events::unnamed(&body(&choice(channel.choice, piece, "null"), "null")));
        }
    }
    let ends = said.iter().map(|(channel, _)| events::unnamed(&body(&choice(channel.choice, "", r#""stop""#), "null")));
    out.extend(ends);
    out.push(events::unnamed(&body("", USAGE)));
    out.push(events::unnamed("[DONE]"));
    out
}

pub(super) fn assemble(bytes: &[u8]) -> Result<Told, String> {
    let mut choices: BTreeMap<usize, (String, bool)> = BTreeMap::new();
    let mut told = chunks(bytes, "text_completion", |choice| {
        let (said, finished) = choices.entry(number(choice, "/index")?).or_default();
        must(!*finished, "a choice goes on behind its end", choice)?;
        said.push_str(text(choice, "/text")?);
        *finished = !choice["finish_reason"].is_null();
        Ok(())
    })?;
    let unfinished = choices.values().any(|(_, finished)| !finished);
    must(!unfinished || !told.ended || told.error.is_some(), "a choice without its end", &Value::Null)?;
    told.texts = choices.into_iter().map(|(index, (said, _))| (Channel::of(Kind::Text).choice(index), said)).collect();
    Ok(told)
}

pub(super) fn unary(said: &[Said]) -> String {
    let choices: Vec<String> = said.iter().map(|said| choice(said.0.choice, &whole(said), r#""stop""#)).collect();
    body(&choices.join(","), USAGE)
}

pub(super) fn unary_texts(body: &Value) -> Result<Vec<(Channel, String)>, String> {
    let choices = list(body, "/choices")?.iter();
    choices
        .map(|choice| {
            Ok((Channel::of(Kind::Text).choice(number(choice, "/index")?), text(choice, "/text")?.to_owned()))
        })
        .collect()
}
