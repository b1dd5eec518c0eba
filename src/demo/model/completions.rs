//! OpenAI's older text completions, whole and streamed.

use std::rc::Rc;

use super::Answer;
use super::CREATED;
use super::Event;
use super::openai;
use super::prompt::Prompt;
use super::quote;
use super::stream as answer_stream;

pub(super) fn unary(prompt: &Prompt) -> String {
    let choices: Vec<String> = (0..prompt.choices)
        .map(|index| {
            let talk = prompt.talk(index);
            choice(index, talk.tokens.text(), reason(talk.cut))
        })
        .collect();
    body(prompt, &choices.join(","), &format!(r#","usage":{}"#, openai::usage(prompt)))
}

/// One choice after the other: chat shows them taking turns.
pub(super) fn stream(prompt: Prompt) -> Answer {
    let prompt = Rc::new(prompt);
    let null = if prompt.include_usage { r#","usage":null"# } else { "" };
    let texts = (0..prompt.choices).flat_map({
        let prompt = Rc::clone(&prompt);
        move |index| {
            let prompt = Rc::clone(&prompt);
            let talk = prompt.talk(index);
            let last = Rc::clone(&prompt);
            let pieces = talk
                .tokens
                .into_pieces()
                .map(move |piece| Event::data(&body(&prompt, &choice(index, &piece, "null"), null), true));
            let end = choice(index, "", reason(talk.cut));
            pieces.chain([Event::data(&body(&last, &end, null), false)])
        }
    });
    let usage = prompt
        .include_usage
        .then(|| Event::data(&body(&prompt, "", &format!(r#","usage":{}"#, openai::usage(&prompt))), false));
    answer_stream(texts.chain(usage).chain([Event::data("[DONE]", false)]))
}

fn choice(index: usize, text: &str, reason: &str) -> String {
    format!(r#"{{"text":{},"index":{index},"logprobs":null,"finish_reason":{reason}}}"#, quote(text))
}

/// The reason as JSON.
fn reason(cut: bool) -> &'static str {
    if cut { r#""length""# } else { r#""stop""# }
}

fn body(prompt: &Prompt, choices: &str, usage: &str) -> String {
    format!(
        r#"{{"id":"cmpl-{}","object":"text_completion","created":{CREATED},"model":{},"choices":[{choices}]{usage}}}"#,
        prompt.id,
        prompt.model_json(),
    )
}
