//! OpenAI Responses, whole and as the full sequence of named events: every item is added, told in deltas and done, and
//! the last event carries the whole response again.

use std::iter;
use std::rc::Rc;

use super::Answer;
use super::CREATED;
use super::Event;
use super::prompt::Call;
use super::prompt::Prompt;
use super::quote;
use super::stream as answer_stream;

pub(super) fn unary(prompt: &Prompt) -> String {
    let output: Vec<String> = outputs(prompt).iter().map(Output::done).collect();
    response(prompt, end(prompt), &output.join(","), &usage(prompt))
}

/// One item of the output.
enum Output {
    Message { id: String, text: String, pieces: super::tokens::Tokens, cut: bool },
    Call { id: String, call: Call },
}

fn outputs(prompt: &Prompt) -> Vec<Output> {
    if prompt.calls.is_empty() {
        let talk = prompt.talk(0);
        let text = talk.tokens.text().to_owned();
        return vec![Output::Message { id: format!("msg_{}", prompt.id), text, pieces: talk.tokens, cut: talk.cut }];
    }
    prompt.calls.iter().map(|call| Output::Call { id: format!("fc_{}", call.id), call: call.clone() }).collect()
}

impl Output {
    fn id(&self) -> &str {
        match self {
            Self::Message { id, .. } | Self::Call { id, .. } => id,
        }
    }

    fn json(&self, status: &str, content: &str, arguments: &str) -> String {
        match self {
            Self::Message { id, .. } => format!(
                r#"{{"id":"{id}","type":"message","status":"{status}","content":[{content}],"role":"assistant"}}"#
            ),
            Self::Call { id, call } => format!(
                r#"{{"id":"{id}","type":"function_call","status":"{status}","arguments":{},"call_id":"call_{}","name":{}}}"#,
                quote(arguments),
                call.id,
                quote(&call.name)
            ),
        }
    }

    fn added(&self) -> String {
        self.json("in_progress", "", "")
    }

    fn done(&self) -> String {
        match self {
            Self::Message { text, cut, .. } => {
                self.json(if *cut { "incomplete" } else { "completed" }, &part(text), "")
            }
            Self::Call { call, .. } => self.json("completed", "", &call.arguments),
        }
    }

    /// The events between the item's `added` and `done`: name, fields after the item's place, whether a token.
    fn steps(&self) -> Box<dyn Iterator<Item = (&'static str, String, bool)>> {
        match self {
            Self::Message { text, pieces, .. } => {
                let part_json = |text: &str| format!(r#""content_index":0,"part":{}"#, part(text));
                let deltas = pieces.clone().into_pieces().map(|piece| {
                    let fields = format!(r#""content_index":0,"delta":{},"logprobs":[]"#, quote(&piece));
                    ("response.output_text.delta", fields, true)
                });
                let text_done = format!(r#""content_index":0,"text":{},"logprobs":[]"#, quote(text));
                Box::new(iter::once(("response.content_part.added", part_json(""), false)).chain(deltas).chain([
                    ("response.output_text.done", text_done, false),
                    ("response.content_part.done", part_json(text), false),
                ]))
            }
            Self::Call { call, .. } => {
                let deltas = call.fragments().into_pieces().map(|piece| {
                    ("response.function_call_arguments.delta", format!(r#""delta":{}"#, quote(&piece)), true)
                });
                let fields = format!(r#""arguments":{},"name":{}"#, quote(&call.arguments), quote(&call.name));
                Box::new(deltas.chain([("response.function_call_arguments.done", fields, false)]))
            }
        }
    }
}

/// created, in_progress, each item with its steps, completed or incomplete; numbered from 0.
pub(super) fn stream(prompt: Prompt) -> Answer {
    let outputs = Rc::new(outputs(&prompt));
    let begun = format!(r#""response":{}"#, response(&prompt, "in_progress", "", "null"));
    let head = [("response.created", begun.clone(), false), ("response.in_progress", begun, false)];
    let items = (0..outputs.len())
        .flat_map(move |index| outputs.get(index).map(|output| item(output, index)).into_iter().flatten());
    let tail = iter::once_with(move || {
        let end = end(&prompt);
        let name = if end == "completed" { "response.completed" } else { "response.incomplete" };
        (name, format!(r#""response":{}"#, unary(&prompt)), false)
    });
    let numbered = head.into_iter().chain(items).chain(tail).enumerate();
    answer_stream(numbered.map(|(number, (name, fields, token))| {
        Event::named(name, &format!(r#"{{"type":"{name}","sequence_number":{number},{fields}}}"#), token)
    }))
}

fn item(output: &Output, index: usize) -> impl Iterator<Item = (&'static str, String, bool)> + use<> {
    let place = format!(r#""item_id":"{}","output_index":{index},"#, output.id());
    let whole = |json: String| format!(r#""output_index":{index},"item":{json}"#);
    let added = ("response.output_item.added", whole(output.added()), false);
    let done = ("response.output_item.done", whole(output.done()), false);
    let steps = output.steps().map(move |(name, fields, token)| (name, format!("{place}{fields}"), token));
    iter::once(added).chain(steps).chain([done])
}

fn end(prompt: &Prompt) -> &'static str {
    if prompt.calls.is_empty() && prompt.talk(0).cut { "incomplete" } else { "completed" }
}

fn part(text: &str) -> String {
    format!(r#"{{"type":"output_text","annotations":[],"logprobs":[],"text":{}}}"#, quote(text))
}

fn response(prompt: &Prompt, status: &str, output: &str, usage: &str) -> String {
    let details = if status == "incomplete" { r#"{"reason":"max_output_tokens"}"# } else { "null" };
    format!(
        r#"{{"id":"resp_{}","object":"response","created_at":{CREATED},"status":"{status}","background":false,"error":null,"incomplete_details":{details},"instructions":{},"max_output_tokens":{},"model":{},"output":[{output}],"parallel_tool_calls":{},"previous_response_id":null,"reasoning":{{"effort":null,"summary":null}},"service_tier":"default","store":true,"temperature":1.0,"text":{{"format":{{"type":"text"}}}},"tool_choice":{},"tools":{},"top_p":1.0,"truncation":"disabled","usage":{usage},"user":null,"metadata":{}}}"#,
        prompt.id,
        prompt.echo("instructions", "null"),
        prompt.echo("max_output_tokens", "null"),
        prompt.model_json(),
        prompt.echo("parallel_tool_calls", "true"),
        prompt.echo("tool_choice", r#""auto""#),
        prompt.echo("tools", "[]"),
        prompt.echo("metadata", "{}"),
    )
}

fn usage(prompt: &Prompt) -> String {
    let (input, output) = (prompt.tokens, prompt.answer_tokens());
    let total = input + output;
    format!(
        r#"{{"input_tokens":{input},"input_tokens_details":{{"cached_tokens":0,"cache_write_tokens":0}},"output_tokens":{output},"output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":{total}}}"#
    )
}
