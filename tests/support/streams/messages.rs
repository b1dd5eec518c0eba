//! Anthropic messages: blocks that begin, go on in deltas and stop, one after the other.

use serde_json::Value;

use super::{Channel, Kind, Said, Told};
use super::{argument, events, fragments, list, must, number, quote, text, whole};

/// The type of a block, the type of its deltas, and the field that holds their text.
fn words(kind: Kind) -> (&'static str, &'static str, &'static str) {
    match kind {
        Kind::Reasoning => ("thinking", "thinking_delta", "thinking"),
        Kind::Tool => ("tool_use", "input_json_delta", "partial_json"),
        Kind::Text | Kind::Refusal => ("text", "text_delta", "text"),
    }
}

/// A block with its text; a call's is JSON as it is.
fn block(channel: Channel, said: &str) -> String {
    match channel.kind {
        Kind::Tool => format!(r#"{{"type":"tool_use","id":"toolu_{}","name":"look","input":{said}}}"#, channel.part),
        Kind::Reasoning => format!(r#"{{"type":"thinking","thinking":{},"signature":"EqQB"}}"#, quote(said)),
        Kind::Text | Kind::Refusal => format!(r#"{{"type":"text","text":{}}}"#, quote(said)),
    }
}

fn message(content: &str, reason: &str) -> String {
    format!(
        r#"{{"id":"msg_1","type":"message","role":"assistant","model":"mock","content":[{content}],"stop_reason":{reason},"stop_sequence":null,"usage":{{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":12,"service_tier":"standard"}}}}"#
    )
}

fn reason(said: &[Said]) -> &'static str {
    let calls = said.iter().any(|(channel, _)| channel.kind == Kind::Tool);
    if calls { r#""tool_use""# } else { r#""end_turn""# }
}

/// An event; `fields` begin with their comma.
fn event(name: &str, fields: &str) -> String {
    events::named(name, &format!(r#"{{"type":"{name}"{fields}}}"#))
}

pub(super) fn unary(said: &[Said]) -> String {
    let content: Vec<String> = said.iter().map(|said| block(said.0, &whole(said))).collect();
    message(&content.join(","), reason(said))
}

pub(super) fn stream(said: &[Said]) -> Vec<String> {
    let mut out = vec![event("message_start", &format!(r#","message":{}"#, message("", "null")))];
    for said in said {
        let (channel, index) = (said.0, said.0.part);
        let (_, delta, field) = words(channel.kind);
        let empty = if channel.kind == Kind::Tool { "{}" } else { "" };
        let place = format!(r#","index":{index}"#);
        out.push(event("content_block_start", &format!(r#"{place},"content_block":{}"#, block(channel, empty))));
        if index == 0 {
            out.push(event("ping", ""));
        }
        for piece in fragments(said) {
            let json = format!(r#"{{"type":"{delta}","{field}":{}}}"#, quote(&piece));
            out.push(event("content_block_delta", &format!(r#"{place},"delta":{json}"#)));
        }
        if channel.kind == Kind::Reasoning {
            let json = r#"{"type":"signature_delta","signature":"EqQB"}"#;
            out.push(event("content_block_delta", &format!(r#"{place},"delta":{json}"#)));
        }
        out.push(event("content_block_stop", &place));
    }
    let end =
        format!(r#","delta":{{"stop_reason":{},"stop_sequence":null}},"usage":{{"output_tokens":12}}"#, reason(said));
    out.push(event("message_delta", &end));
    out.push(event("message_stop", ""));
    out
}

/// The blocks so far.
#[derive(Default)]
struct Blocks {
    begun: bool,
    blocks: Vec<(Channel, String)>,
    /// The last block has not stopped.
    open: bool,
    reason: bool,
}

pub(super) fn assemble(bytes: &[u8]) -> Result<Told, String> {
    let (mut blocks, mut told) = (Blocks::default(), Told::default());
    for event in events::read(bytes)? {
        let json = events::json(event.data.as_bytes())?;
        must(json["type"] == event.name.as_str(), "a name that is not the type", &json)?;
        must(!told.ended, "an event behind the end", &json)?;
        match event.name.as_str() {
            "ping" => {}
            "error" => {
                must(json["error"]["type"].is_string(), "an error without a type", &json)?;
                told.error = Some(json);
                break;
            }
            "message_stop" => {
                must(blocks.reason && !blocks.open, "stopped too early", &json)?;
                told.ended = true;
            }
            name => blocks.take(name, &json)?,
        }
    }
    let open = blocks.open.then_some(blocks.blocks.len());
    for (number, (channel, said)) in blocks.blocks.into_iter().enumerate() {
        let is_whole = channel.kind == Kind::Tool && open != Some(number + 1);
        told.texts.push((channel, if is_whole { argument(&said)? } else { said }));
    }
    Ok(told)
}

impl Blocks {
    fn take(&mut self, name: &str, json: &Value) -> Result<(), String> {
        must(self.begun != (name == "message_start") && !self.reason, "an event in the wrong place", json)?;
        match name {
            "message_start" => self.begun = true,
            "content_block_start" => {
                let index = number(json, "/index")?;
                must(index == self.blocks.len() && !self.open, "a block that does not follow", json)?;
                self.blocks.push((Channel::of(kind_of(&json["content_block"])?).part(index), String::new()));
                self.open = true;
            }
            "content_block_delta" | "content_block_stop" => {
                must(self.open && number(json, "/index")? + 1 == self.blocks.len(), "no open block", json)?;
                if name == "content_block_stop" {
                    self.open = false;
                } else if json["delta"]["type"] != "signature_delta" {
                    let (channel, said) = self.blocks.last_mut().ok_or("no block")?;
                    let (_, delta, field) = words(channel.kind);
                    must(json["delta"]["type"] == delta, "a delta of another kind", json)?;
                    said.push_str(text(&json["delta"], &format!("/{field}"))?);
                }
            }
            "message_delta" => {
                must(!self.open && json["delta"]["stop_reason"].is_string(), "an end inside a block", json)?;
                self.reason = true;
            }
            _ => return Err(format!("an unknown event: {json}")),
        }
        Ok(())
    }
}

fn kind_of(block: &Value) -> Result<Kind, String> {
    let name = text(block, "/type")?;
    let kinds = [Kind::Text, Kind::Reasoning, Kind::Tool];
    kinds.into_iter().find(|kind| words(*kind).0 == name).ok_or_else(|| format!("a block of type {name}"))
}

pub(super) fn unary_texts(body: &Value) -> Result<Vec<(Channel, String)>, String> {
    let read = |(index, block): (usize, &Value)| {
        let kind = kind_of(block)?;
        let said = match kind {
            Kind::Tool => text(block, "/input/q")?,
            kind => text(block, &format!("/{}", words(kind).2))?,
        };
        Ok((Channel::of(kind).part(index), said.to_owned()))
    };
    list(body, "/content")?.iter().enumerate().map(read).collect()
}
