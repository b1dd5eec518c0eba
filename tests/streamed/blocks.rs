//! Streams that are cut: what the client is told, and what becomes of both connections.

use serde_json::Value;
use serde_json::json;

use super::*;
use crate::guarded::document;
use crate::guarded::id;
use crate::support::PLAIN;
use crate::support::each;
use crate::support::streams::assemble;
use crate::support::streams::stream;
use crate::support::strict::Framing;
use crate::support::wire::Lack;

const CODE: &str = "DLP.SECRET.AWS_ACCESS_KEY";

/// Where the dialect's error says why.
fn code(dialect: Dialect, error: &Value) -> &Value {
    match dialect {
        Dialect::Chat | Dialect::Completions | Dialect::Lines => &error["error"]["code"],
        Dialect::Responses => &error["code"],
        Dialect::Messages => &error["error"]["reason_code"],
        Dialect::Mcp => &error["error"]["data"]["code"],
    }
}

#[test]
fn a_block_in_mid_stream_is_the_dialects_own_error_and_a_right_end() {
    each(ALL, |setup| {
        for dialect in Dialect::ALL {
            let conducted = Conducted::of(setup, dialect);
            let mut guarded = Guarded::start(setup, &conducted.upstream, &document(3, "", &[AWS]), &[]);
            let mut client = guarded.gateway.client();
            let (begun, rest) = AWS_KEY.split_at(9);
            let events = stream(dialect, TEXT, &["Here it is. ", "The key is ", begun, rest, " and that ", "was it."]);
            ask(&mut client, dialect);
            events.iter().for_each(|event| conducted.send(event));
            conducted.step(Step::Await);
            let answer = client.answer();
            assert!(conducted.is_left(), "{dialect:?}: the upstream is not listened to any more");
            assert_eq!((answer.status, answer.framing), (200, Framing::Chunked));
            assert!(!answer.text().contains("AKIA"), "{dialect:?}: {}", answer.text());
            let told = assemble(dialect, &answer.body).unwrap();
            let error = told.error.as_ref().unwrap_or_else(|| panic!("{dialect:?}: no error in {}", answer.text()));
            assert_eq!(code(dialect, error), CODE, "{dialect:?}: {error}");
            if dialect == Dialect::Mcp {
                assert_eq!((told.texts.len(), &error["id"]), (0, &json!(1)));
            } else {
                assert_eq!(told.text(TEXT), Some("Here it is. The key is "), "{dialect:?}");
            }
            assert!(!told.ended, "{dialect:?}");
            // The connection of the client goes on, on a new one to the upstream.
            ask(&mut client, dialect);
            conducted.pass(&mut client, &events[0]);
            conducted.step(Step::End);
            assert_eq!(client.answer().body, events[0]);
            assert_eq!(conducted.upstream.connections().len(), 2, "{dialect:?}");
            let events = guarded.events(1);
            for (field, expected) in [
                ("rule_id", json!(id(0))),
                ("scope", json!("response")),
                ("action", json!("block")),
                ("reason_code", json!(CODE)),
                ("policy_version", json!(3)),
                ("request_method", json!("POST")),
            ] {
                assert_eq!(events[0][field], expected, "{field}: {}", events[0]);
            }
            comes_to(&mut guarded, r#"pnx_answer_verdicts_total{verdict="block"}"#, 1.0);
            guarded.gateway.finish();
        }
    });
}

#[test]
fn a_block_before_anything_was_sent_on_is_a_refusal() {
    each(ALL, |setup| {
        for dialect in [Dialect::Chat, Dialect::Messages, Dialect::Mcp] {
            let conducted = Conducted::of(setup, dialect);
            let mut guarded = Guarded::start(setup, &conducted.upstream, &document(1, "", &[AWS]), &[]);
            let mut client = guarded.gateway.client();
            let events = stream(dialect, TEXT, &[&format!("{AWS_KEY} ")]);
            let first = events.iter().position(|event| holds(event, AWS_KEY.as_bytes())).unwrap();
            ask(&mut client, dialect);
            conducted.send(&events[first]);
            conducted.step(Step::Await);
            let answer = client.answer();
            assert_eq!((answer.status, answer.framing), (403, Framing::Length), "{dialect:?}");
            assert!(conducted.is_left() && !answer.text().contains(AWS_KEY));
            assert!(!answer.fields.has("x-penaxtra-inspection"));
            assert_eq!(code(dialect, &answer.json()), CODE);
            assert_eq!(guarded.events(1)[0]["action"], "block");
            comes_to(&mut guarded, r#"pnx_answer_verdicts_total{verdict="block"}"#, 1.0);
            assert_eq!(guarded.metric(r#"pnx_answer_verdicts_total{verdict="allow"}"#), 0.0);
            assert_eq!(guarded.metric(r#"pnx_answers_total{inspection="full",reason="none"}"#), 0.0);
            guarded.gateway.finish();
        }
    });
}

#[test]
fn an_upstream_that_is_cut_cuts_the_client_and_what_waited_is_not_released() {
    each(ALL, |setup| {
        let conducted = Conducted::of(setup, Dialect::Chat);
        let mut guarded = Guarded::start(setup, &conducted.upstream, &document(1, "", &[AWS, CARD]), &[]);
        for waiting in [&AWS_KEY[..14], "4111 1111 1111 1111"] {
            let mut client = guarded.gateway.client();
            ask(&mut client, Dialect::Chat);
            conducted.pass(&mut client, chat("It is "));
            conducted.send(chat(waiting));
            conducted.step(Step::Drop(After::Truncate));
            match client.try_answer(false, PATIENCE) {
                Err(Lack::Cut(_, bytes)) => {
                    assert!(!holds(&bytes, waiting.as_bytes()) && !holds(&bytes, b"0\r\n\r\n"));
                }
                other => panic!("{other:?}"),
            }
        }
        comes_to(&mut guarded, "pnx_upstream_cut_total", 2.0);
        comes_to(&mut guarded, r#"pnx_answers_total{inspection="full",reason="none"}"#, 2.0);
        guarded.gateway.finish();
    });
}

#[test]
fn a_client_that_goes_away_ends_the_upstream() {
    each(ALL, |setup| {
        for waits in [false, true] {
            let conducted = Conducted::of(setup, Dialect::Chat);
            let mut guarded = Guarded::start(setup, &conducted.upstream, &document(1, "", &[AWS]), &[]);
            let mut client = guarded.gateway.client();
            ask(&mut client, Dialect::Chat);
            conducted.pass(&mut client, chat("It is "));
            if waits {
                conducted.send(chat(&AWS_KEY[..9]));
            }
            conducted.step(Step::Await);
            client.wire.finish();
            assert!(conducted.is_left(), "waits: {waits}");
            comes_to(&mut guarded, "pnx_client_vanished_total", 1.0);
            guarded.metric_falls_to("pnx_buffer_bytes", 0.0);
            guarded.gateway.finish();
        }
    });
}

#[test]
fn log_probabilities_beside_what_is_redacted_are_refused() {
    each(PLAIN, |setup| {
        let token =
            |token: &str| json!({"token": token, "logprob": -0.1, "bytes": token.as_bytes(), "top_logprobs": []});
        let event = |content: &str| {
            let choice = json!({"index": 0, "delta": {"content": content}, "logprobs": {"content": [token(content)]}});
            format!("data: {}\n\n", json!({"choices": [choice]}))
        };
        let conducted = Conducted::of(setup, Dialect::Chat);
        let guarded = Guarded::start(setup, &conducted.upstream, &document(1, "", &[CARD]), &[]);
        let mut client = guarded.gateway.client();
        ask(&mut client, Dialect::Chat);
        conducted.pass(&mut client, event("It is "));
        for piece in ["4111 1111 ", "1111 1111", "."] {
            conducted.send(event(piece));
        }
        conducted.step(Step::Await);
        let answer = client.answer();
        assert!(conducted.is_left() && !answer.text().contains("1111") && !answer.text().contains("49,49,49,49"));
        let told =
            assemble(Dialect::Chat, answer.text().replace("\"delta\"", "\"finish_reason\":null,\"delta\"").as_bytes());
        assert!(answer.text().contains("POLICY.UNSUPPORTED_CONTENT"), "{told:?} {}", answer.text());
        guarded.gateway.finish();

        let unary = move |content: &str| {
            let message = json!({"role": "assistant", "content": content});
            let choice = json!({"index": 0, "message": message, "logprobs": {"content": [token(content)]}});
            json!({"choices": [choice]}).to_string()
        };
        let upstream = setup.upstream(move |request, exchange| {
            let body = unary(if request.target.ends_with("card") { "4111 1111 1111 1111" } else { "fine" });
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
            exchange.send((head + &body).as_bytes());
            After::Keep
        });
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[CARD]), &[]);
        let mut client = guarded.gateway.client();
        assert_eq!(client.post("/v1/chat/completions?q=fine", b"{}").status, 200);
        let answer = client.post("/v1/chat/completions?q=card", b"{}");
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (403, &json!("POLICY.UNSUPPORTED_CONTENT")));
        assert!(!answer.text().contains("4111"));
        guarded.gateway.finish();
    });
}
