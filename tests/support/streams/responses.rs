//! OpenAI Responses: every item is added, told in deltas and done, and the last event repeats all of them. The reader compares each
//! place that says a text again with the deltas that said it first.

use serde_json::Value;

use super::{Channel, Kind, Said, Told};
use super::{argument, events, fragments, list, must, number, quote, text, whole};

/// How a kind of text is spelled.
struct Words {
    /// The first part of an item's id.
    prefix: &'static str,
    /// `response.….delta` and `response.….done`.
    event: &'static str,
    /// The field of `done` that holds the whole.
    field: &'static str,
    /// The event that adds and ends the part, and the part's number in it; a call has no parts.
    part: Option<(&'static str, &'static str)>,
    /// Where the text stands in the item.
    pointer: &'static str,
}

const fn words(kind: Kind) -> Words {
    let content = Some(("content_part", "content_index"));
    match kind {
        Kind::Text => {
            Words { prefix: "msg", event: "output_text", field: "text", part: content, pointer: "/content/0/text" }
        }
        Kind::Refusal => {
            Words { prefix: "msg", event: "refusal", field: "refusal", part: content, pointer: "/content/0/refusal" }
        }
        Kind::Reasoning => Words {
            prefix: "rs",
            event: "reasoning_summary_text",
            field: "text",
            part: Some(("reasoning_summary_part", "summary_index")),
            pointer: "/summary/0/text",
        },
        Kind::Tool => Words {
            prefix: "fc",
            event: "function_call_arguments",
            field: "arguments",
            part: None,
            pointer: "/arguments",
        },
    }
}

fn part(kind: Kind, said: &str) -> String {
    let said = quote(said);
    match kind {
        Kind::Text => format!(r#"{{"type":"output_text","annotations":[],"logprobs":[],"text":{said}}}"#),
        Kind::Refusal => format!(r#"{{"type":"refusal","refusal":{said}}}"#),
        Kind::Reasoning => format!(r#"{{"type":"summary_text","text":{said}}}"#),
        Kind::Tool => String::new(),
    }
}

/// An item with its text, or as it is added: without.
fn item(channel: Channel, said: Option<&str>) -> String {
    let (prefix, number) = (words(channel.kind).prefix, channel.part);
    let status = if said.is_some() { "completed" } else { "in_progress" };
    let content = said.map(|said| part(channel.kind, said)).unwrap_or_default();
    match channel.kind {
        Kind::Text | Kind::Refusal => format!(
            r#"{{"id":"{prefix}_{number}","type":"message","status":"{status}","content":[{content}],"role":"assistant"}}"#
        ),
        Kind::Reasoning => format!(r#"{{"id":"{prefix}_{number}","type":"reasoning","summary":[{content}]}}"#),
        Kind::Tool => format!(
            r#"{{"id":"{prefix}_{number}","type":"function_call","status":"{status}","arguments":{},"call_id":"call_{number}","name":"look"}}"#,
            quote(said.unwrap_or_default())
        ),
    }
}

fn response(status: &str, output: &str, usage: &str) -> String {
    format!(
        r#"{{"id":"resp_1","object":"response","created_at":1760000000,"status":"{status}","background":false,"error":null,"incomplete_details":null,"instructions":null,"max_output_tokens":null,"model":"mock","output":[{output}],"parallel_tool_calls":true,"previous_response_id":null,"store":true,"temperature":1.0,"text":{{"format":{{"type":"text"}}}},"tool_choice":"auto","tools":[],"top_p":1.0,"truncation":"disabled","usage":{usage},"user":null,"metadata":{{}}}}"#
    )
}

pub(super) fn unary(said: &[Said]) -> String {
    let output: Vec<String> = said.iter().map(|said| item(said.0, Some(&whole(said)))).collect();
    response(
        "completed",
        &output.join(","),
        r#"{"input_tokens":9,"input_tokens_details":{"cached_tokens":0},"output_tokens":12,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":21}"#,
    )
}

pub(super) fn stream(said: &[Said]) -> Vec<String> {
    let begun = format!(r#""response":{}"#, response("in_progress", "", "null"));
    let mut out = vec![("created".to_owned(), begun.clone()), ("in_progress".to_owned(), begun)];
    for said in said {
        item_events(said, &mut out);
    }
    out.push(("completed".to_owned(), format!(r#""response":{}"#, unary(said))));
    let numbered = out.into_iter().enumerate().map(|(number, (name, fields))| {
        let name = format!("response.{name}");
        events::named(&name, &format!(r#"{{"type":"{name}","sequence_number":{number},{fields}}}"#))
    });
    numbered.collect()
}

fn item_events(said: &Said, out: &mut Vec<(String, String)>) {
    let (channel, all) = (said.0, whole(said));
    let Words { prefix, event, field, part: parts, .. } = words(channel.kind);
    let index = channel.part;
    let place = format!(r#""item_id":"{prefix}_{index}","output_index":{index}"#);
    let place = match parts {
        Some((_, number)) => format!(r#"{place},"{number}":0"#),
        None => place,
    };
    let whole_item = |said| format!(r#""output_index":{index},"item":{}"#, item(channel, said));
    out.push(("output_item.added".to_owned(), whole_item(None)));
    if let Some((name, _)) = parts {
        out.push((format!("{name}.added"), format!(r#"{place},"part":{}"#, part(channel.kind, ""))));
    }
    for piece in fragments(said) {
        out.push((format!("{event}.delta"), format!(r#"{place},"delta":{}"#, quote(&piece))));
    }
    out.push((format!("{event}.done"), format!(r#"{place},"{field}":{}"#, quote(&all))));
    if let Some((name, _)) = parts {
        out.push((format!("{name}.done"), format!(r#"{place},"part":{}"#, part(channel.kind, &all))));
    }
    out.push(("output_item.done".to_owned(), whole_item(Some(&all))));
}

/// The items that have been told so far.
#[derive(Default)]
struct Items {
    items: Vec<(Channel, String)>,
    /// The last item is done.
    done: bool,
    sequence: Option<usize>,
}

pub(super) fn assemble(bytes: &[u8]) -> Result<Told, String> {
    let (mut items, mut told) = (Items::default(), Told::default());
    for event in events::read(bytes)? {
        let json = events::json(event.data.as_bytes())?;
        must(json["type"] == event.name.as_str(), "a name that is not the type", &json)?;
        must(!told.ended, "an event behind the end", &json)?;
        if event.name == "error" || event.name == "response.failed" {
            told.error = Some(json);
            break;
        }
        let sequence = number(&json, "/sequence_number")?;
        must(items.sequence.is_none_or(|last| last < sequence), "numbers do not rise", &json)?;
        items.sequence = Some(sequence);
        let name = event.name.strip_prefix("response.").ok_or("another event")?;
        match name {
            "created" | "in_progress" => must(items.items.is_empty(), "begun again", &json)?,
            "completed" | "incomplete" => {
                let texts = output(&json["response"])?;
                must(texts == items.items, "the end says another text than the deltas", &json)?;
                told.ended = true;
            }
            _ => items.take(name, &json)?,
        }
    }
    for (channel, said) in items.items {
        let is_whole = channel.kind == Kind::Tool && told.ended;
        told.texts.push((channel, if is_whole { argument(&said)? } else { said }));
    }
    Ok(told)
}

impl Items {
    fn take(&mut self, name: &str, json: &Value) -> Result<(), String> {
        let index = number(json, "/output_index")?;
        if name == "output_item.added" {
            must(index == self.items.len() && (self.done || index == 0), "an item that does not follow", json)?;
            self.items.push((Channel::of(kind_of(&json["item"])?).part(index), String::new()));
            self.done = false;
            return Ok(());
        }
        must(index + 1 == self.items.len() && !self.done, "an event of no open item", json)?;
        let (channel, said) = self.items.last_mut().ok_or("no item")?;
        if name == "content_part.added" && json["part"]["type"] == "refusal" {
            channel.kind = Kind::Refusal;
        }
        let words = words(channel.kind);
        if let Some(event) = name.strip_suffix(".delta") {
            must(event == words.event, "a delta of another kind", json)?;
            said.push_str(text(json, "/delta")?);
            return Ok(());
        }
        let again = match name.strip_suffix(".done") {
            Some("output_item") => {
                self.done = true;
                Some(text(&json["item"], words.pointer)?)
            }
            Some(event) if event == words.event => Some(text(json, &format!("/{}", words.field))?),
            Some("content_part" | "reasoning_summary_part") => Some(text(&json["part"], &format!("/{}", words.field))?),
            _ => None,
        };
        must(again.is_none_or(|again| again == said), "a text is repeated as another", json)?;
        must(again.is_some() || name.ends_with("_part.added"), "an unknown event", json)
    }
}

/// What an item says, by its type; a message that is still empty counts as text.
fn kind_of(item: &Value) -> Result<Kind, String> {
    match text(item, "/type")? {
        "message" if item["content"][0]["type"] == "refusal" => Ok(Kind::Refusal),
        "message" => Ok(Kind::Text),
        "reasoning" => Ok(Kind::Reasoning),
        "function_call" => Ok(Kind::Tool),
        other => Err(format!("an item of type {other}")),
    }
}

/// The texts of a response as they stand there.
fn output(response: &Value) -> Result<Vec<(Channel, String)>, String> {
    let read = |(index, item): (usize, &Value)| {
        let kind = kind_of(item)?;
        Ok((Channel::of(kind).part(index), text(item, words(kind).pointer)?.to_owned()))
    };
    list(response, "/output")?.iter().enumerate().map(read).collect()
}

pub(super) fn unary_texts(body: &Value) -> Result<Vec<(Channel, String)>, String> {
    let decoded = |(channel, said): (Channel, String)| {
        Ok((channel, if channel.kind == Kind::Tool { argument(&said)? } else { said }))
    };
    output(body)?.into_iter().map(decoded).collect()
}
