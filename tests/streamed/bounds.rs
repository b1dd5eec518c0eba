//! Streams, and answers inspected like streams, that meet a bound.

use serde_json::json;

use super::*;
use crate::guarded::document;
use crate::support::PLAIN;
use crate::support::each;
use crate::support::streams::assemble;

/// An upstream that answers with this body at once.
fn answering(setup: Setup, body: String) -> Upstream {
    setup.upstream(move |_, exchange| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
        exchange.send(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes());
        After::Close
    })
}

#[test]
fn an_answer_too_large_to_be_held_is_inspected_while_it_passes_where_the_policy_says_so() {
    each(PLAIN, |setup| {
        let filler = "x y ".repeat(50_000);
        let body = |said: &str| json!({"id": "c", "said": format!("{filler} {said} {filler}"), "n": 1.5}).to_string();
        let scan = "[answers]\noversize = \"scan\"";
        let flags = ["--answer-max=64K"];
        let upstream = answering(setup, body(MAIL));
        let mut guarded = Guarded::start(setup, &upstream, &document(1, scan, &[EMAIL]), &flags);
        let answer = guarded.gateway.client().post("/v1/chat/completions", b"{}");
        assert_eq!((answer.status, inspection(&answer).as_str()), (200, "partial;reason=oversize"));
        assert!(answer.text() == body("[EMAIL]"), "the address alone is replaced");
        comes_to(&mut guarded, r#"pnx_answers_total{inspection="partial",reason="oversize"}"#, 1.0);
        assert_eq!(guarded.events(1)[0]["action"], "redact");
        guarded.gateway.finish();

        let upstream = answering(setup, body(AWS_KEY));
        let guarded = Guarded::start(setup, &upstream, &document(1, scan, &[AWS]), &flags);
        let mut client = guarded.gateway.client();
        client.send(&post("/v1/chat/completions", b"{}"));
        assert!(client.try_answer(false, PATIENCE).is_err(), "it is cut: there is no error to be written into it");
        assert!(lacks(&client, AWS_KEY) && !holds(&client.inbox, b"0\r\n\r\n"));
        guarded.gateway.finish();

        // Which tools it calls is not known, nor what it says where the policy does not say so.
        for head in [format!("{scan}\n[tools]\ndeny = [\"rm\"]"), String::new()] {
            let guarded = Guarded::start(setup, &upstream, &document(1, &head, &[EMAIL]), &flags);
            let answer = guarded.gateway.client().post("/v1/chat/completions", b"{}");
            assert_eq!((answer.status, &answer.json()["error"]["code"]), (403, &json!("POLICY.ANSWER_TOO_LARGE")));
            guarded.gateway.finish();
        }
    });
}

#[test]
fn an_event_over_the_bound_ends_the_stream() {
    each(PLAIN, |setup| {
        let conducted = Conducted::of(setup, Dialect::Chat);
        let mut guarded = Guarded::start(setup, &conducted.upstream, &document(1, "", &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        ask(&mut client, Dialect::Chat);
        conducted.pass(&mut client, chat("well. "));
        conducted.send("data: \"");
        for _ in 0..9 {
            conducted.send("x".repeat(1024 * 1024));
        }
        conducted.step(Step::Await);
        let answer = client.answer();
        let told = assemble(Dialect::Chat, &answer.body).unwrap();
        assert_eq!(told.error.unwrap()["error"]["code"], "POLICY.SCAN_LIMIT");
        assert!(conducted.is_left());
        guarded.metric_falls_to("pnx_buffer_bytes", 0.0);
        guarded.gateway.finish();
    });
}

#[test]
fn what_waits_is_within_the_memory_budget() {
    each(PLAIN, |setup| {
        let conducted = Conducted::of(setup, Dialect::Chat);
        let flags = ["--memory-max=4M", "--body-max=64K", "--answer-max=1M"];
        let mut guarded = Guarded::start(setup, &conducted.upstream, &document(1, "", &[EMAIL]), &flags);
        let mut client = guarded.gateway.client();
        ask(&mut client, Dialect::Chat);
        conducted.pass(&mut client, chat("well. "));
        conducted.send("data: \"");
        for _ in 0..6 {
            conducted.send("x".repeat(1024 * 1024));
        }
        conducted.step(Step::Await);
        let answer = client.answer();
        let told = assemble(Dialect::Chat, &answer.body).unwrap();
        assert_eq!(told.error.unwrap()["error"]["code"], "gateway_busy", "{}", answer.text());
        assert!(conducted.is_left());
        guarded.metric_falls_to("pnx_buffer_bytes", 0.0);
        guarded.gateway.finish();
    });
}

#[test]
fn more_texts_than_are_told_apart_end_the_stream() {
    each(PLAIN, |setup| {
        let conducted = Conducted::of(setup, Dialect::Chat);
        let guarded = Guarded::start(setup, &conducted.upstream, &document(1, "", &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        ask(&mut client, Dialect::Chat);
        for index in 0..300 {
            let delta = json!({"object": "chat.completion.chunk", "choices": [
                {"index": index, "delta": {"content": "so. "}, "finish_reason": null}]});
            conducted.send(format!("data: {delta}\n\n"));
        }
        conducted.step(Step::Await);
        let answer = client.answer();
        let told = assemble(Dialect::Chat, &answer.body).unwrap();
        assert_eq!((told.texts.len(), &told.error.unwrap()["error"]["code"]), (256, &json!("POLICY.SCAN_LIMIT")));
        assert!(conducted.is_left());
        guarded.gateway.finish();
    });
}
