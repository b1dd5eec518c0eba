//! The content's promises: streams assemble to the unary answer, every data line is JSON, limits and steering hold.

use serde_json::Value;
use serde_json::json;

use super::Answer;
use super::Ask;
use super::Ending;
use super::Event;
use super::answer;
use super::script;

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";
const COMPLETIONS: &str = "/v1/completions";
const MESSAGES: &str = "/v1/messages";

fn ask(target: &str, body: &Value) -> Answer {
    answer(&Ask { method: "POST", target, anthropic: false, body: body.to_string().as_bytes() })
}

fn whole(target: &str, body: &Value) -> (u16, Value) {
    match ask(target, body) {
        Answer::Whole(whole) => (whole.status, serde_json::from_str(&whole.body).expect("an answer is JSON")),
        Answer::Stream(_) => panic!("{target}: a stream where a body was asked for"),
    }
}

fn events(target: &str, body: &Value) -> Vec<Event> {
    let mut body = body.clone();
    body["stream"] = json!(true);
    match ask(target, &body) {
        Answer::Stream(stream) => stream.events.collect(),
        Answer::Whole(_) => panic!("{target}: a body where a stream was asked for"),
    }
}

/// The JSON of each event; checks the framing on the way.
fn data(target: &str, body: &Value) -> Vec<Value> {
    let parse = |event: &Event| {
        let lines: Vec<&str> = event.text.strip_suffix("\n\n").expect("an empty line ends an event").lines().collect();
        let data = lines.last().and_then(|line| line.strip_prefix("data: ")).expect("a data line");
        if data == "[DONE]" {
            return None;
        }
        let value: Value = serde_json::from_str(data).expect("every data line is JSON");
        if let [name, _] = lines.as_slice() {
            assert_eq!(name.strip_prefix("event: "), value["type"].as_str());
        }
        Some(value)
    };
    events(target, body).iter().filter_map(parse).collect()
}

/// The strings at `pointer`, of events for which `keep` holds, joined.
fn joined(events: &[Value], pointer: &str, keep: impl Fn(&Value) -> bool) -> String {
    events.iter().filter(|event| keep(event)).filter_map(|event| event.pointer(pointer)?.as_str()).collect()
}

fn talk() -> Value {
    json!({"model": "mock-small", "max_tokens": 500, "messages": [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "one two three"}]})
}

fn tools() -> Value {
    let parameters = json!({"type": "object", "properties": {
        "city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["celsius", "kelvin"]}}});
    let mut body = talk();
    body["tools"] = json!([
        {"type": "function", "name": "weather", "function": {"name": "weather", "parameters": parameters},
         "parameters": parameters, "input_schema": parameters},
        {"type": "function", "name": "clock", "function": {"name": "clock"}}]);
    body
}

#[test]
fn chat_stream_assembles_to_the_unary_answer() {
    let mut body = talk();
    body["n"] = json!(3);
    let unary = whole(CHAT, &body).1;
    let events = data(CHAT, &body);
    for choice in unary["choices"].as_array().unwrap() {
        let mine = |event: &Value| event.pointer("/choices/0/index") == Some(&choice["index"]);
        assert_eq!(joined(&events, "/choices/0/delta/content", mine), choice["message"]["content"].as_str().unwrap());
        assert_eq!(joined(&events, "/choices/0/finish_reason", mine), choice["finish_reason"].as_str().unwrap());
    }
    let order: Vec<u64> = events.iter().take(6).map(|event| event["choices"][0]["index"].as_u64().unwrap()).collect();
    assert_eq!(order, [0, 1, 2, 0, 1, 2], "choices take turns");
}

#[test]
fn chat_counts_words_and_usage_comes_last_when_asked_for() {
    let mut body = talk();
    let unary = whole(CHAT, &body).1;
    assert!(unary["choices"][0]["message"]["content"].as_str().unwrap().starts_with("You sent 3 words."));
    body["stream_options"] = json!({"include_usage": true});
    let events = data(CHAT, &body);
    let (last, before) = events.split_last().unwrap();
    assert_eq!(last["usage"], unary["usage"]);
    assert_eq!(last["choices"], json!([]));
    assert!(before.iter().all(|event| event.get("usage") == Some(&Value::Null)));
    assert!(before.len() >= 40, "{} events", before.len());
}

#[test]
fn chat_tool_calls_assemble_to_the_unary_ones() {
    let unary = whole(CHAT, &tools()).1;
    let events = data(CHAT, &tools());
    let calls = unary["choices"][0]["message"]["tool_calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2);
    for (index, call) in calls.iter().enumerate() {
        let mine = |event: &Value| event.pointer("/choices/0/delta/tool_calls/0/index") == Some(&json!(index));
        let path = "/choices/0/delta/tool_calls/0";
        let arguments = joined(&events, &format!("{path}/function/arguments"), mine);
        assert_eq!(arguments, call["function"]["arguments"].as_str().unwrap());
        assert!(serde_json::from_str::<Value>(&arguments).unwrap().is_object());
        assert_eq!(joined(&events, &format!("{path}/function/name"), mine), call["function"]["name"].as_str().unwrap());
        assert!(joined(&events, &format!("{path}/id"), mine).starts_with("call_"), "ids depend on the body");
    }
    assert_eq!(unary["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn a_tool_result_is_answered_with_words() {
    let result = [
        (CHAT, json!({"role": "tool", "tool_call_id": "call_1", "content": "sunny"})),
        (MESSAGES, json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]})),
    ];
    for (target, message) in result {
        let mut body = tools();
        body["messages"].as_array_mut().unwrap().push(message);
        let answer = whole(target, &body).1.to_string();
        assert!(answer.contains("You sent"), "{target}: {answer}");
    }
}

#[test]
fn completions_stream_assembles_to_the_unary_answer() {
    let body = json!({"model": "mock-small", "prompt": "one two", "n": 2});
    let unary = whole(COMPLETIONS, &body).1;
    let events = data(COMPLETIONS, &body);
    for choice in unary["choices"].as_array().unwrap() {
        let mine = |event: &Value| event.pointer("/choices/0/index") == Some(&choice["index"]);
        assert_eq!(joined(&events, "/choices/0/text", mine), choice["text"].as_str().unwrap());
        assert_eq!(joined(&events, "/choices/0/finish_reason", mine), "stop");
    }
}

#[test]
fn responses_stream_has_the_full_sequence_and_ends_with_the_unary_answer() {
    for (body, delta, done) in [
        (json!({"model": "m", "input": "one two"}), "response.output_text.delta", "response.output_text.done"),
        (
            json!({"model": "m", "input": [{"role": "user", "content": "hi"}], "tools": tools()["tools"]}),
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
        ),
        (
            json!({"model": "m", "input": "x", "max_output_tokens": 3}),
            "response.output_text.delta",
            "response.output_text.done",
        ),
    ] {
        let mut unary = whole(RESPONSES, &body).1;
        let events = data(RESPONSES, &body);
        let mut last = events.last().unwrap()["response"].clone();
        for id in ["id", "output"] {
            // Ids depend on the body, which differs by `stream`.
            assert_eq!(unary[id].as_array().map(Vec::len), last[id].as_array().map(Vec::len));
            unary.as_object_mut().unwrap().remove(id);
            last.as_object_mut().unwrap().remove(id);
        }
        assert_eq!(last, unary);
        assert!(events.iter().enumerate().all(|(number, event)| event["sequence_number"] == json!(number)));
        let finals = events.iter().filter(|event| event["type"] == done);
        for end in finals {
            let mine = |event: &Value| event["type"] == delta && event["item_id"] == end["item_id"];
            let whole = end.get("text").or(end.get("arguments")).and_then(Value::as_str).unwrap();
            assert_eq!(joined(&events, "/delta", mine), whole);
        }
        assert_eq!(events[0]["type"], "response.created");
        assert_eq!(events[1]["type"], "response.in_progress");
        assert_eq!(events[2]["type"], "response.output_item.added");
    }
}

#[test]
fn messages_stream_assembles_to_the_unary_answer() {
    for body in [talk(), tools()] {
        let unary = whole(MESSAGES, &body).1;
        let events = data(MESSAGES, &body);
        for (index, block) in unary["content"].as_array().unwrap().iter().enumerate() {
            let mine = |event: &Value| event.get("index") == Some(&json!(index));
            match block["type"].as_str().unwrap() {
                "text" => assert_eq!(joined(&events, "/delta/text", mine), block["text"].as_str().unwrap()),
                _ => {
                    let input: Value = serde_json::from_str(&joined(&events, "/delta/partial_json", mine)).unwrap();
                    assert_eq!(input, block["input"]);
                }
            }
        }
        assert_eq!(joined(&events, "/delta/stop_reason", |_| true), unary["stop_reason"].as_str().unwrap());
        assert_eq!(events.first().unwrap()["type"], "message_start");
        assert!(events.iter().any(|event| event["type"] == "ping"));
        assert_eq!(events.last().unwrap()["type"], "message_stop");
    }
}

#[test]
fn pieces_are_one_to_twenty_bytes() {
    for event in data(CHAT, &talk()) {
        let piece = event.pointer("/choices/0/delta/content").and_then(Value::as_str).unwrap_or_default();
        assert!(piece.len() <= 20, "{piece}");
    }
}

#[test]
fn steering_by_the_models_name_holds() {
    let mut body = talk();
    body["model"] = json!("tokens-200");
    let tokens = events(CHAT, &body).iter().filter(|event| event.token).count();
    assert_eq!(tokens, 200);
    assert_eq!(whole(CHAT, &body).1["usage"]["completion_tokens"], 200);
    body["max_tokens"] = json!(7);
    let limited = whole(CHAT, &body).1;
    assert_eq!(limited["usage"]["completion_tokens"], 7);
    assert_eq!(limited["choices"][0]["finish_reason"], "length");
    body["model"] = json!("fixed-400");
    match ask(CHAT, &body) {
        Answer::Whole(whole) => assert_eq!(whole.body.len(), 400),
        Answer::Stream(_) => panic!("not a stream"),
    }
    for (name, ending) in [("cut-stream", Ending::Cut), ("reset-stream", Ending::Reset), ("any", Ending::Finish)] {
        body["model"] = json!(name);
        body["stream"] = json!(true);
        match ask(CHAT, &body) {
            Answer::Stream(stream) => assert_eq!(stream.ending, ending),
            Answer::Whole(_) => panic!("not a body"),
        }
    }
}

#[test]
fn errors_have_the_dialects_form() {
    for status in [401, 403, 404, 429, 500, 529] {
        let body = json!({"model": format!("error-{status}"), "messages": [], "max_tokens": 1});
        let (answered, openai) = whole(CHAT, &body);
        assert_eq!(answered, status);
        assert!(openai["error"]["message"].is_string() && openai["error"]["type"].is_string());
        let (answered, anthropic) = whole(MESSAGES, &body);
        assert_eq!(answered, status);
        assert_eq!(anthropic["type"], "error");
        assert!(anthropic["error"]["type"].is_string());
    }
    let last = |target, body: &Value| data(target, body).pop().unwrap();
    let body = json!({"model": "error-stream", "messages": [], "max_tokens": 1000});
    assert!(last(CHAT, &body)["error"]["message"].is_string());
    assert_eq!(last(MESSAGES, &body)["type"], "error");
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let cases: [(&str, &str, &str, u16); 6] = [
        ("POST", CHAT, "{", 400),
        ("POST", CHAT, r#"{"model":"m"}"#, 400),
        ("POST", MESSAGES, r#"{"model":"m","messages":[]}"#, 400),
        ("POST", "/v1/nothing", "{}", 404),
        ("GET", CHAT, "", 405),
        ("GET", "/v1/models/none", "", 404),
    ];
    for (method, target, body, status) in cases {
        match answer(&Ask { method, target, anthropic: false, body: body.as_bytes() }) {
            Answer::Whole(whole) => assert_eq!(whole.status, status, "{method} {target} {body}"),
            Answer::Stream(_) => panic!("{target}: not a stream"),
        }
    }
}

#[test]
fn embeddings_are_equal_as_numbers_and_as_base64() {
    let body = json!({"model": "m", "input": ["a", "b"], "dimensions": 5});
    let numbers = whole("/v1/embeddings", &body).1;
    assert_eq!(numbers["data"].as_array().unwrap().len(), 2);
    assert_eq!(numbers["data"][1]["embedding"].as_array().unwrap().len(), 5);
    let mut coded = body;
    coded["encoding_format"] = json!("base64");
    let text = whole("/v1/embeddings", &coded).1;
    // 5 floats are 20 bytes, which are 28 letters with one of padding.
    let text = text["data"][0]["embedding"].as_str().unwrap();
    assert_eq!(text.len(), 28);
    assert!(text.ends_with('=') && !text.ends_with("=="));
}

#[test]
fn a_script_is_said_word_for_word_whatever_was_asked() {
    for name in ["card", "key", "letter"] {
        let text = script::named(name).unwrap();
        for prompt in ["one", "another prompt"] {
            let body = json!({"model": format!("script-{name}"), "messages": [{"role": "user", "content": prompt}]});
            assert_eq!(whole(CHAT, &body).1["choices"][0]["message"]["content"], text);
            assert_eq!(joined(&data(CHAT, &body), "/choices/0/delta/content", |_| true), text);
        }
    }
    assert!(script::named("key").unwrap().contains(script::KEY));
    assert_eq!(script::named("other"), None);
}
