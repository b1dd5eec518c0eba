//! Anthropic messages, whole and as the full sequence of named events, and the list of models in that provider's form.

use std::iter;

use super::Answer;
use super::Event;
use super::MODELS;
use super::prompt::Call;
use super::prompt::Prompt;
use super::quote;
use super::stream as answer_stream;
use super::tokens::Tokens;

/// What a model says before it calls a tool.
const BEFORE_CALLS: &str = "I will look that up.";

/// One block of the content.
enum Block {
    Text(Tokens),
    Call(Call),
}

fn blocks(prompt: &Prompt) -> Vec<Block> {
    if prompt.calls.is_empty() {
        return vec![Block::Text(prompt.talk(0).tokens)];
    }
    let before = Block::Text(Tokens::cut(BEFORE_CALLS.to_owned()));
    iter::once(before).chain(prompt.calls.iter().cloned().map(Block::Call)).collect()
}

impl Block {
    /// As `content_block_start` has it: empty.
    fn start(&self) -> String {
        match self {
            Self::Text(_) => r#"{"type":"text","text":""}"#.to_owned(),
            Self::Call(call) => tool_use(call, "{}"),
        }
    }

    fn whole(&self) -> String {
        match self {
            Self::Text(tokens) => format!(r#"{{"type":"text","text":{}}}"#, quote(tokens.text())),
            Self::Call(call) => tool_use(call, &call.arguments),
        }
    }

    /// The deltas; a call's arguments begin with an empty fragment, as the provider's do.
    fn into_deltas(self) -> Box<dyn Iterator<Item = String>> {
        match self {
            Self::Text(tokens) => Box::new(
                tokens.into_pieces().map(|piece| format!(r#"{{"type":"text_delta","text":{}}}"#, quote(&piece))),
            ),
            Self::Call(call) => {
                let fragments = iter::once(String::new()).chain(call.fragments().into_pieces());
                Box::new(
                    fragments.map(|piece| format!(r#"{{"type":"input_json_delta","partial_json":{}}}"#, quote(&piece))),
                )
            }
        }
    }
}

fn tool_use(call: &Call, input: &str) -> String {
    format!(r#"{{"type":"tool_use","id":"toolu_{}","name":{},"input":{input}}}"#, call.id, quote(&call.name))
}

pub(super) fn unary(prompt: &Prompt) -> String {
    let content: Vec<String> = blocks(prompt).iter().map(Block::whole).collect();
    message(prompt, &content.join(","), &quote(reason(prompt)), prompt.answer_tokens())
}

fn message(prompt: &Prompt, content: &str, reason: &str, output: usize) -> String {
    format!(
        r#"{{"id":"msg_{}","type":"message","role":"assistant","model":{},"content":[{content}],"stop_reason":{reason},"stop_sequence":null,"usage":{{"input_tokens":{},"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":{output},"service_tier":"standard"}}}}"#,
        prompt.id,
        prompt.model_json(),
        prompt.tokens,
    )
}

fn reason(prompt: &Prompt) -> &'static str {
    match (prompt.calls.is_empty(), prompt.talk(0).cut) {
        (false, _) => "tool_use",
        (true, true) => "max_tokens",
        (true, false) => "end_turn",
    }
}

/// message_start, each block (a ping after the first has begun), message_delta, message_stop.
pub(super) fn stream(prompt: Prompt) -> Answer {
    let start = event("message_start", &format!(r#","message":{}"#, message(&prompt, "", "null", 1)), false);
    let content = blocks(&prompt).into_iter().enumerate().flat_map(|(index, block)| {
        let place = format!(r#","index":{index}"#);
        let opening = event("content_block_start", &format!(r#"{place},"content_block":{}"#, block.start()), false);
        let ping = (index == 0).then(|| event("ping", "", false));
        let stop = event("content_block_stop", &place, false);
        let deltas = block
            .into_deltas()
            .map(move |delta| event("content_block_delta", &format!(r#"{place},"delta":{delta}"#), true));
        iter::once(opening).chain(ping).chain(deltas).chain([stop])
    });
    let end = iter::once_with(move || {
        let (reason, output) = (reason(&prompt), prompt.answer_tokens());
        let fields = format!(
            r#","delta":{{"stop_reason":"{reason}","stop_sequence":null}},"usage":{{"output_tokens":{output}}}"#
        );
        event("message_delta", &fields, false)
    });
    answer_stream(iter::once(start).chain(content).chain(end).chain([event("message_stop", "", false)]))
}

/// One event; `fields` begin with their comma.
fn event(name: &str, fields: &str, token: bool) -> Event {
    Event::named(name, &format!(r#"{{"type":"{name}"{fields}}}"#), token)
}

pub(super) fn models() -> String {
    let models: Vec<String> = MODELS.iter().map(|name| model(name)).collect();
    let (first, last) = (MODELS.first().unwrap_or(&""), MODELS.last().unwrap_or(&""));
    format!(r#"{{"data":[{}],"has_more":false,"first_id":"{first}","last_id":"{last}"}}"#, models.join(","))
}

pub(super) fn model(name: &str) -> String {
    format!(r#"{{"type":"model","id":"{name}","display_name":"{name}","created_at":"2025-10-09T08:53:20Z"}}"#)
}
