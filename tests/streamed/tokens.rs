//! What was tokenised in a request is put back in its answer, streamed or whole.

use serde_json::Value;
use serde_json::json;

use super::*;
use crate::guarded::document;
use crate::support::PLAIN;
use crate::support::each;
use crate::support::model;
use crate::support::streams::assemble;
use crate::support::streams::unary_text;

/// `val<…>` is a value, whatever stands in it. Nothing holds for answers.
const VALUE: &str =
    "pattern = 'val<[^<>]{0,60}>'\ncode = \"DLP.CUSTOM.VALUE\"\nplaceholder = \"VALUE\"\naction = \"tokenise\"";
/// What needs escapes in JSON.
const SECRET: &str = "val<O\"Hara\\\n>";

/// A request whose prompt is this.
pub fn request(dialect: Dialect, stream: bool, prompt: &str) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(&dialect.request(stream)).unwrap();
    match dialect {
        Dialect::Chat | Dialect::Messages => body["messages"][0]["content"] = json!(prompt),
        Dialect::Completions | Dialect::Lines => body["prompt"] = json!(prompt),
        Dialect::Responses => body["input"] = json!(prompt),
        Dialect::Mcp => body["params"]["arguments"]["q"] = json!(prompt),
    }
    let body = body.to_string();
    let accept = if stream { "text/event-stream" } else { "application/json" };
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nAccept: {accept}\r\nAccept-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        dialect.path(),
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

#[test]
fn what_was_tokenised_comes_back_whole_and_at_every_split() {
    each(PLAIN, |setup| {
        for dialect in Dialect::ALL {
            let upstream = setup.upstream(model::speak);
            let mut guarded = Guarded::start(setup, &upstream, &document(1, "", &[VALUE]), &[]);
            let mut client = guarded.gateway.client();
            let mut count = 0.0;
            for kind in dialect.kinds() {
                let channel = Channel::of(*kind);
                let name = format!("{kind:?}").to_lowercase();
                // The number in brackets was never given out, and the value is there twice.
                let said = format!("Dear {SECRET}, [VALUE_7] \"{SECRET}\"");
                for split in [1, 2, 3, 5, 100] {
                    let prompt = format!("kind={name} split={split} say: {said}");
                    let answer = client.send(&request(dialect, true, &prompt)).answer();
                    let told = assemble(dialect, &answer.body).unwrap();
                    assert_eq!(told.text(channel), Some(said.as_str()), "{dialect:?} {kind:?} {split}");
                    assert!(told.ended && inspection(&answer) == "full");
                    count += 1.0;
                }
                let answer = client.send(&request(dialect, false, &format!("kind={name} say: {said}"))).answer();
                let told = unary_text(dialect, channel, &answer.body);
                assert_eq!(told.as_deref(), Ok(said.as_str()), "{dialect:?} {kind:?}");
                assert_eq!(inspection(&answer), "full");
                count += 1.0;
            }
            assert!(upstream.saw("[VALUE_1]") && !upstream.saw("Hara"), "{dialect:?}");
            let requests = upstream.requests();
            assert!(requests.iter().all(|request| request.fields.all("accept-encoding") == [b"identity"]));
            comes_to(&mut guarded, "pnx_vault_values_total", count);
            guarded.gateway.finish();
        }
    });
}

#[test]
fn a_value_is_escaped_for_the_json_that_a_text_is() {
    each(PLAIN, |setup| {
        let upstream = setup.upstream(model::speak);
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[VALUE]), &[]);
        let mut client = guarded.gateway.client();
        // What the model says with the value in it; whether that is a document.
        let cases = [
            ("{\"to\":\"@\",\"n\":[1]}", true),
            (" [ {\"to\":\"@\"} ]", true),
            ("[\"@\", \"\\\"@\"]", true),
            ("@ said \"hi\"", false),
            ("[see](http://x) \"@\"", false),
            ("{braces} \"@\"", false),
        ];
        for (said, is_document) in cases {
            let escaped = json!(SECRET).to_string();
            let inside = &escaped[1..escaped.len() - 1];
            let expected = said.replace('@', if is_document { inside } else { SECRET });
            if is_document {
                assert!(serde_json::from_str::<Value>(&expected).is_ok());
            }
            for stream in [true, false] {
                for split in [1, 4, 100] {
                    let prompt = format!("split={split} say: {}", said.replace('@', SECRET));
                    let answer = client.send(&request(Dialect::Chat, stream, &prompt)).answer();
                    let told = if stream {
                        assemble(Dialect::Chat, &answer.body).unwrap().text(TEXT).unwrap().to_owned()
                    } else {
                        unary_text(Dialect::Chat, TEXT, &answer.body).unwrap()
                    };
                    assert_eq!(told, expected, "{said}, stream: {stream}, split {split}");
                }
            }
        }
        guarded.gateway.finish();
    });
}

#[test]
fn a_text_without_json_gets_the_value_as_it_is() {
    each(PLAIN, |setup| {
        let conducted = Conducted::with(setup, "Content-Type: text/plain\r\n".to_owned());
        let guarded = Guarded::start(setup, &conducted.upstream, &document(1, "", &[VALUE]), &[]);
        let mut client = guarded.gateway.client();
        client.send(&request(Dialect::Lines, true, SECRET));
        for piece in ["Dear [VAL", "UE_1", "], hello"] {
            conducted.send(piece);
        }
        conducted.step(Step::End);
        assert_eq!(client.answer().text(), format!("Dear {SECRET}, hello"));
        guarded.gateway.finish();
    });
}

#[test]
fn a_request_without_a_value_has_an_answer_that_nobody_reads() {
    each(PLAIN, |setup| {
        let upstream = setup.upstream(model::speak);
        let mut guarded = Guarded::start(setup, &upstream, &document(1, "", &[VALUE]), &[]);
        let mut client = guarded.gateway.client();
        for stream in [true, false] {
            let answer = client.send(&request(Dialect::Chat, stream, "say: [VALUE_1]")).answer();
            assert_eq!(inspection(&answer), "none;reason=no-rules");
            assert!(answer.text().contains("[VALUE_1]"));
        }
        assert!(upstream.requests().iter().all(|request| request.fields.all("accept-encoding") == [b"gzip"]));
        comes_to(&mut guarded, r#"pnx_answers_total{inspection="none",reason="no-rules"}"#, 2.0);
        guarded.gateway.finish();
    });
}

#[test]
fn a_value_is_not_put_back_where_a_rule_for_answers_redacts_around_it() {
    each(PLAIN, |setup| {
        let upstream = setup.upstream(model::speak);
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[VALUE, EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        for stream in [true, false] {
            let prompt = format!("split=4 say: {MAIL} for {SECRET}.");
            let answer = client.send(&request(Dialect::Chat, stream, &prompt)).answer();
            let told = if stream {
                assemble(Dialect::Chat, &answer.body).unwrap().text(TEXT).unwrap().to_owned()
            } else {
                unary_text(Dialect::Chat, TEXT, &answer.body).unwrap()
            };
            assert_eq!(told, format!("[EMAIL] for {SECRET}."), "stream: {stream}");
        }
        guarded.gateway.finish();
    });
}

#[test]
fn values_that_are_long_and_repeated_do_not_fill_the_memory() {
    each(PLAIN, |setup| {
        let conducted = Conducted::of(setup, Dialect::Chat);
        let rule = VALUE.replace("{0,60}", "{0,900}");
        let mut guarded = Guarded::start(setup, &conducted.upstream, &document(1, "", &[&rule]), &[]);
        let mut client = guarded.gateway.client();
        client.send(&request(Dialect::Chat, true, &format!("val<{}>", "x".repeat(800))));
        conducted.pass(&mut client, chat("well. "));
        // 20 MiB, if all of it was put back at once.
        conducted.send(chat(&"[VALUE_1]".repeat(25_000)));
        conducted.step(Step::Await);
        let answer = client.answer();
        assert!(answer.text().contains("POLICY.SCAN_LIMIT") && conducted.is_left());
        guarded.metric_falls_to("pnx_buffer_bytes", 0.0);
        guarded.gateway.finish();
    });
}
