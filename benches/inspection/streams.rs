//! One event of a stream: a delta of 20 bytes of text with the JSON around it, as each API writes it. A run is one event of a long
//! stream, so that each meets the state that the ones before it have left.

use std::hint::black_box;

use penaxtra_gateway::extract::Api;
use penaxtra_gateway::extract::json::Walker;
use penaxtra_gateway::http::sse;
use penaxtra_gateway::policy::Policy;
use penaxtra_gateway::proxy::inspection::Inspector;
use penaxtra_gateway::proxy::inspection::stream::Call;
use penaxtra_gateway::proxy::inspection::stream::Framing;
use penaxtra_gateway::proxy::inspection::stream::Stream;

use super::Case;
use super::text;

/// Bytes of text in a delta.
const DELTA_BYTES: usize = 20;

/// Events that come again and again.
const EVENTS: usize = 512;

/// What an event is of, by its size; the last is the delta's text without an event around it.
const SIZES: [&str; 4] = ["chat", "responses", "messages", "20 B"];

pub(super) fn cases() -> Vec<Case> {
    let prose = text::prose(EVENTS * DELTA_BYTES);
    let letters: Vec<char> = prose.chars().collect();
    let deltas: Vec<String> = letters.chunks(DELTA_BYTES).map(|delta| delta.iter().collect()).take(EVENTS).collect();
    let [chat, responses, messages, bare] = SIZES;
    let events =
        |write: fn(&str) -> String| deltas.iter().map(|delta| write(&escaped(delta)).into_bytes()).collect::<Vec<_>>();
    let mut cases = Vec::new();
    for (size, api, events) in [
        (chat, Api::OpenAiChat, events(of_chat)),
        (responses, Api::OpenAiResponses, events(of_responses)),
        (messages, Api::AnthropicMessages, events(of_messages)),
    ] {
        add(&mut cases, size, &events, stages(api));
        add(&mut cases, size, &events, vec![("stream", inspected(Framing::Events, api))]);
    }
    let texts: Vec<Vec<u8>> = deltas.iter().map(|delta| delta.as_bytes().to_vec()).collect();
    add(&mut cases, bare, &texts, vec![("stream: text alone", inspected(Framing::Text, Api::Other))]);
    cases
}

/// What is done to one event.
type Step = Box<dyn FnMut(&[u8])>;

fn add(cases: &mut Vec<Case>, size: &'static str, events: &[Vec<u8>], steps: Vec<(&str, Step)>) {
    let bytes = events.iter().map(Vec::len).sum::<usize>() / events.len();
    let first = !cases.iter().any(|case| case.size == size);
    let check: Step = Box::new(|event| assert!(simdutf8::basic::from_utf8(event).is_ok()));
    let steps = first.then_some(("simdutf8", check)).into_iter().chain(steps);
    for (name, mut step) in steps {
        let events = events.to_vec();
        let mut next = 0;
        let run = Box::new(move || {
            step(black_box(&events[next]));
            next = (next + 1) % events.len();
        });
        cases.push(Case { name: name.to_owned(), size, bytes, run, times: Vec::new() });
    }
}

/// Parts of the work, alone.
fn stages(api: Api) -> Vec<(&'static str, Step)> {
    let mut splitter = sse::Splitter::default();
    let mut walker = Walker::default();
    let table = api.event_table();
    let data = |event: &[u8]| sse::Splitter::default().next(event).unwrap().unwrap().data;
    vec![
        ("stream: split", Box::new(move |event| assert!(black_box(splitter.next(event)).is_ok()))),
        ("stream: walk", Box::new(move |event| walker.walk(&event[data(event)], table).unwrap())),
    ]
}

/// All of it, under the built-in policy.
fn inspected(framing: Framing, api: Api) -> Step {
    let (policy, mut inspector, mut out) = (Policy::built_in(), Inspector::default(), Vec::new());
    let mut stream = Stream::new(framing, api.event_table());
    Box::new(move |event| {
        out.clear();
        let call = Call { inspector: &mut inspector, policy: &policy, vault: None };
        stream.push(call, event, &mut out).unwrap();
        black_box(&out);
    })
}

/// As it stands between quotes.
fn escaped(delta: &str) -> String {
    serde_json::Value::from(delta).to_string().trim_matches('"').to_owned()
}

fn of_chat(delta: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-BxT2Yq0Vn3\",\"object\":\"chat.completion.chunk\",\"created\":1795600000,\"model\":\"gpt-5\",\
         \"system_fingerprint\":null,\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{delta}\"}},\"finish_reason\":null}}]}}\n\n"
    )
}

fn of_responses(delta: &str) -> String {
    format!(
        "event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\"sequence_number\":9,\
         \"item_id\":\"msg_68af2c\",\"output_index\":0,\"content_index\":0,\"delta\":\"{delta}\"}}\n\n"
    )
}

fn of_messages(delta: &str) -> String {
    format!(
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\
         \"delta\":{{\"type\":\"text_delta\",\"text\":\"{delta}\"}}}}\n\n"
    )
}
