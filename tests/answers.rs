//! Whole-gateway stories of answers: a policy, what the provider says, what the client and the events were told.
//!
//! Policies are written as files and taken unsigned. No module of the library is used.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a panic is how a test says no; tests lock and read time"
)]
#![expect(unreachable_pub, reason = "a test crate exports nothing; `pub` is what a module shows to the others")]

mod guarded;
#[expect(dead_code, reason = "the harness is shared with the stories, which use the rest")]
mod support;

use std::io::Write;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use guarded::Guarded;
use guarded::document;
use guarded::id;
use support::ALL;
use support::PLAIN;
use support::Setup;
use support::each;
use support::strict::Framing;
use support::strict::Request;
use support::upstream::After;
use support::upstream::Exchange;
use support::upstream::Upstream;
use support::wire::Answer;
use support::wire::Client;
use support::wire::PATIENCE;
use support::wire::gzip;

const CHAT: &str = "/v1/chat/completions";
const MAIL: &str = "anna.keller@nordwind-handel.de";
/// In two halves, so that this file holds no key.
const AWS_KEY: &str = concat!("AKIA", "Q7ZT2XV5JNLB3RWD");

const EMAIL: &str = "detector = \"email\"\naction = \"redact\"\nscope = [\"response\"]";
const AWS: &str = "detector = \"aws_access_key\"\naction = \"block\"\nscope = [\"response\"]";
const WATCH: &str =
    "literals = [\"bluebird\"]\ncode = \"DLP.CUSTOM.PROJECT\"\naction = \"warn\"\nscope = [\"response\"]";
const BOTH_WAYS: &str = "detector = \"email\"\naction = \"redact\"\nscope = [\"request\", \"response\"]";

/// An upstream that answers with a head and a body that the test chooses for each request, by its number.
fn scripted(setup: Setup, answers: Vec<Vec<u8>>, after: After) -> Upstream {
    let next = std::sync::atomic::AtomicUsize::new(0);
    setup.upstream(move |_: &Request, exchange: &mut Exchange<'_>| {
        let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        exchange.send(&answers[at % answers.len()]);
        after
    })
}

/// An answer with a length.
fn answer(status: &str, fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn json_answer(body: impl AsRef<[u8]>) -> Vec<u8> {
    answer("200 OK", "Content-Type: application/json\r\n", body)
}

/// What a model said.
fn said(content: &str) -> String {
    json!({"id": "c-1", "object": "chat.completion", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}]})
    .to_string()
}

fn post(client: &mut Client) -> Answer {
    client.post(CHAT, br#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#)
}

fn inspection(answer: &Answer) -> String {
    answer.fields.one("x-penaxtra-inspection").unwrap()
}

#[test]
fn a_clean_answer_arrives_byte_for_byte_and_says_that_it_was_read() {
    each(ALL, |setup| {
        let body = format!(" {{ \"a\" : \"\\u0062\", \"n\":1.50, \"long\": \"{}\" }} ", "x y ".repeat(60_000));
        let fields = "Content-Type: application/json\r\nX-Own: 1\r\nx-penaxtra-redacted: 9\r\nDigest: d\r\n";
        let upstream = scripted(setup, vec![answer("200 OK", fields, &body)], After::Keep);
        let mut guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL, AWS]), &[]);
        let mut client = guarded.gateway.client();
        for _ in 0..2 {
            let answer = post(&mut client);
            assert_eq!((answer.status, answer.text()), (200, body.clone()));
            assert_eq!((inspection(&answer).as_str(), answer.framing), ("full", Framing::Length));
            assert_eq!(answer.fields.one("x-own").as_deref(), Some("1"));
            assert_eq!(answer.fields.one("digest").as_deref(), Some("d"));
            assert!(!answer.fields.has("x-penaxtra-redacted"), "nobody but the gateway says so");
        }
        assert_eq!(upstream.connections().len(), 1, "the connection is used again");
        assert_eq!(guarded.metric(r#"pnx_answer_verdicts_total{verdict="allow"}"#), 2.0);
        assert_eq!(guarded.metric(r#"pnx_answers_total{inspection="full",reason="none"}"#), 2.0);
        assert_eq!(guarded.metric(r#"pnx_upstream_first_byte_seconds_count{api="openai_chat"}"#), 2.0);
        assert_eq!(guarded.metric("pnx_added_time_seconds_count"), 2.0);
        guarded.gateway.finish();
    });
}

#[test]
fn a_redacted_value_is_all_that_changes_in_an_answer() {
    each(ALL, |setup| {
        let body = format!(
            r#" {{ "choices" :[{{"message":{{"content": "\u0061{} \n \"{MAIL}\""}}}}], "n": 1.50 }} "#,
            &MAIL[1..]
        );
        let fields = "Content-Type: application/json; charset=utf-8\r\nContent-Digest: sha-256=:AAAA:\r\n";
        let upstream = scripted(setup, vec![answer("200 OK", fields, &body)], After::Keep);
        let mut guarded = Guarded::start(setup, &upstream, &document(7, "", &[BOTH_WAYS]), &[]);
        let mut client = guarded.gateway.client();
        let asked = json!({"messages": [{"role": "user", "content": format!("to {MAIL}")}]}).to_string();
        let answer = client.post("/v1/chat/completions?q=1", asked.as_bytes());
        let expected = r#" { "choices" :[{"message":{"content": "[EMAIL] \n \"[EMAIL]\""}}], "n": 1.50 } "#;
        assert_eq!((answer.status, answer.text().as_str()), (200, expected));
        assert_eq!(
            answer.fields.one("x-penaxtra-redacted").as_deref(),
            Some("3"),
            "one in the request, two in the answer"
        );
        assert!(!answer.fields.has("content-digest"));
        let events = guarded.events(2);
        for (field, expected) in [
            ("rule_id", json!(id(0))),
            ("scope", json!("response")),
            ("matched_in", json!("body")),
            ("request_method", json!("POST")),
            ("reason_code", json!("DLP.PII.EMAIL")),
            ("action", json!("redact")),
            ("count", json!(2)),
            ("policy_version", json!(7)),
            ("path_hash", events[0]["path_hash"].clone()),
        ] {
            assert_eq!(events[1][field], expected, "{field}: {}", events[1]);
        }
        assert_eq!(events[0]["scope"], "request");
        assert_eq!(guarded.metric("pnx_redactions_total"), 3.0);
        assert_eq!(guarded.metric(r#"pnx_answer_verdicts_total{verdict="redact"}"#), 1.0);
        guarded.gateway.finish();
    });
}

#[test]
fn a_blocked_answer_reaches_nobody_and_says_why_in_each_dialect() {
    each(ALL, |setup| {
        let secret = json_answer(said(&format!("it is {AWS_KEY}.")));
        let upstream = scripted(setup, vec![secret], After::Keep);
        let mut guarded = Guarded::start(setup, &upstream, &document(3, "", &[AWS]), &[]);
        let mut client = guarded.gateway.client();
        let code = "DLP.SECRET.AWS_ACCESS_KEY";
        let mut refused = |target: &str, body: Value| {
            let answer = client.post(target, body.to_string().as_bytes());
            assert_eq!(answer.status, 403, "{}", answer.text());
            assert!(!answer.text().contains(AWS_KEY) && !answer.fields.has("x-penaxtra-inspection"));
            assert!(!answer.fields.has("retry-after"));
            answer.json()
        };
        let hello = json!({"messages": [{"role": "user", "content": "hello"}]});
        let openai = refused(CHAT, hello.clone());
        assert_eq!((&openai["error"]["type"], &openai["error"]["code"]), (&json!("permission_error"), &json!(code)));
        assert_eq!(openai["error"]["policy_version"], 3);
        let anthropic = refused("/v1/messages", hello.clone());
        assert_eq!((&anthropic["type"], &anthropic["error"]["type"]), (&json!("error"), &json!("permission_error")));
        let gemini = refused("/v1beta/models/g:generateContent", hello);
        assert_eq!(gemini["error"]["status"], "PERMISSION_DENIED");
        let rpc = refused("/mcp", json!({"jsonrpc": "2.0", "id": "call-7", "method": "tools/list"}));
        assert_eq!((&rpc["id"], &rpc["error"]["data"]["code"]), (&json!("call-7"), &json!(code)));
        assert_eq!(upstream.connections().len(), 1, "an answer that was read to its end leaves its connection usable");
        let events = guarded.events(4);
        assert!(events.iter().all(|event| event["scope"] == "response" && event["action"] == "block"));
        assert_eq!(guarded.metric(r#"pnx_answer_verdicts_total{verdict="block"}"#), 4.0);
        assert_eq!(guarded.metric(r#"pnx_refusals_total{reason="blocked"}"#), 4.0);
        guarded.gateway.finish();
    });
}

#[test]
fn tokens_are_counted_as_the_provider_counts_them() {
    each(PLAIN, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            let usage = if request.target == "/v1/messages" {
                json!({"input_tokens": 100, "output_tokens": 7})
            } else {
                json!({"prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23})
            };
            exchange.send(&json_answer(json!({"choices": [], "content": [], "usage": usage}).to_string()));
            After::Keep
        });
        let mut guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        for target in [CHAT, CHAT, "/v1/messages", "/v1/other"] {
            assert_eq!(client.post(target, b"{}").status, 200);
        }
        for (api, direction, count) in [
            ("openai_chat", "input", 40.0),
            ("openai_chat", "output", 6.0),
            ("anthropic_messages", "input", 100.0),
            ("anthropic_messages", "output", 7.0),
            ("openai_embeddings", "input", 0.0),
        ] {
            let series = format!(r#"pnx_tokens_total{{api="{api}",direction="{direction}"}}"#);
            assert_eq!(guarded.metric(&series), count, "{series}");
        }
        guarded.gateway.finish();
    });
}

#[test]
fn a_warning_tells_and_touches_nothing() {
    each(PLAIN, |setup| {
        let body = said("About Bluebird and bluebird");
        let upstream = scripted(setup, vec![json_answer(&body)], After::Keep);
        let mut guarded = Guarded::start(setup, &upstream, &document(1, "", &[WATCH]), &[]);
        let answer = post(&mut guarded.gateway.client());
        assert_eq!((answer.status, answer.text()), (200, body));
        assert!(!answer.fields.has("x-penaxtra-redacted"));
        let events = guarded.events(1);
        assert_eq!((&events[0]["action"], &events[0]["count"]), (&json!("warn"), &json!(2)));
        assert_eq!(guarded.metric(r#"pnx_answer_verdicts_total{verdict="warn"}"#), 1.0);
        guarded.gateway.finish();
    });
}

#[test]
fn every_framing_is_gathered_and_answered_with_a_length() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            let body = said(&format!("write to {MAIL} soon"));
            let kind = "Content-Type: application/json\r\n";
            let at = body.find(MAIL).unwrap() + 5;
            match request.target.as_str() {
                "/length" => exchange.send(&answer("200 OK", kind, &body)),
                "/chunked" => {
                    exchange.send(format!("HTTP/1.1 200 OK\r\n{kind}Transfer-Encoding: chunked\r\n\r\n").as_bytes());
                    exchange.chunk(&body.as_bytes()[..at]);
                    thread::sleep(Duration::from_millis(30));
                    exchange.chunk(&body.as_bytes()[at..]);
                    exchange.send(b"0\r\nX-Trailer: t\r\n\r\n")
                }
                _ => {
                    exchange.send(format!("HTTP/1.1 200 OK\r\n{kind}\r\n").as_bytes());
                    exchange.send(&body.as_bytes()[..at]);
                    thread::sleep(Duration::from_millis(30));
                    exchange.send(&body.as_bytes()[at..]);
                    return After::Close;
                }
            };
            After::Keep
        });
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        let expected = said("write to [EMAIL] soon");
        for target in ["/length", "/chunked", "/close", "/chunked", "/length"] {
            let answer = client.post(target, b"{}");
            assert_eq!((answer.status, answer.text()), (200, expected.clone()), "{target}");
            assert_eq!((answer.framing, inspection(&answer).as_str()), (Framing::Length, "full"), "{target}");
        }
        // An old client, whose connection ends with the answer.
        let mut old = guarded.gateway.client();
        let answer = old.send(b"GET /chunked HTTP/1.0\r\n\r\n").answer();
        assert_eq!((answer.text(), answer.framing), (expected, Framing::Length));
        guarded.gateway.finish();
    });
}

#[test]
fn an_answer_without_a_body_stays_one() {
    each(PLAIN, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            let head = match request.target.as_str() {
                "/204" => "HTTP/1.1 204 No Content\r\nContent-Type: application/json\r\n\r\n",
                "/304" => "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n",
                "/empty" => "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n",
                _ => "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 77\r\n\r\n",
            };
            exchange.send(head.as_bytes());
            After::Keep
        });
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        for (target, status) in [("/204", 204), ("/304", 304), ("/empty", 200)] {
            let answer = client.get(target);
            assert_eq!(
                (answer.status, answer.body.len(), inspection(&answer).as_str()),
                (status, 0, "full"),
                "{target}"
            );
        }
        client.send(b"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = client.try_answer(true, PATIENCE).unwrap();
        assert_eq!((answer.status, answer.fields.one("content-length").as_deref()), (200, Some("77")));
        assert_eq!(client.get("/empty").status, 200, "and the connection goes on");
        guarded.gateway.finish();
    });
}

/// What cannot be inspected is refused with a status that no SDK repeats, and never passed on.
fn unreadable(answer: &Answer, status: u16, code: &str, sent: &str) {
    assert_eq!(answer.status, status, "{sent}: {}", answer.text());
    let body = answer.json();
    let told = body["error"]["data"].get("code").unwrap_or(&body["error"]["code"]);
    assert_eq!(told, code, "{sent}: {body}");
    assert!(!answer.fields.has("x-penaxtra-inspection"), "{sent}");
}

#[test]
fn an_answer_that_has_no_single_reading_is_refused() {
    each(PLAIN, |setup| {
        let json = "Content-Type: application/json\r\n";
        let unreadable_code = "POLICY.ANSWER_UNREADABLE";
        let cases: Vec<(Vec<u8>, u16, &str)> = vec![
            (json_answer("{"), 403, unreadable_code),
            (json_answer("<html>"), 403, unreadable_code),
            (json_answer("{\"a\":1}{\"a\":2}"), 403, unreadable_code),
            (json_answer("{\"a\":1,\"\\u0061\":2}"), 403, unreadable_code),
            (json_answer(b"\"\xff\""), 403, unreadable_code),
            (json_answer("[".repeat(200) + &"]".repeat(200)), 403, unreadable_code),
            (answer("500 Internal Server Error", json, "{"), 500, unreadable_code),
            (answer("429 Too Many Requests", json, "nope"), 429, unreadable_code),
            (answer("301 Moved", json, "nope"), 403, unreadable_code),
            (
                answer("200 OK", "Content-Type: application/json\r\nContent-Type: text/plain\r\n", "{}"),
                403,
                "POLICY.UNSUPPORTED_CONTENT",
            ),
            (answer("200 OK", "Content-Type: json\r\n", "{}"), 403, "POLICY.UNSUPPORTED_CONTENT"),
            (
                answer("200 OK", "Content-Type: application/json; charset=utf-16\r\n", "{}"),
                403,
                "POLICY.UNSUPPORTED_CONTENT",
            ),
            (
                answer("206 Partial Content", "Content-Type: text/plain\r\nContent-Range: bytes 0-1/9\r\n", "ab"),
                403,
                "POLICY.UNSUPPORTED_CONTENT",
            ),
            (answer("200 OK", "Content-Type: audio/mpeg\r\n", "\u{1}"), 403, "POLICY.UNSUPPORTED_CONTENT"),
        ];
        let upstream = scripted(setup, cases.iter().map(|case| case.0.clone()).collect(), After::Keep);
        let mut guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        for (answer, status, code) in &cases {
            let told = String::from_utf8_lossy(&answer[..answer.len().min(120)]).into_owned();
            unreadable(&post(&mut client), *status, code, &told);
        }
        let events = guarded.events(cases.len());
        assert!(events.iter().all(|event| event["scope"] == "response" && event["action"] == "block"));
        assert_eq!(guarded.metric(r#"pnx_answer_verdicts_total{verdict="refuse"}"#), cases.len() as f64);
        assert_eq!(guarded.metric(r#"pnx_refusals_total{reason="answer_refused"}"#), cases.len() as f64);
        guarded.gateway.finish();
    });
}

#[test]
fn an_error_of_the_provider_is_inspected_and_keeps_its_status() {
    each(PLAIN, |setup| {
        let json = "Content-Type: application/json\r\nRetry-After: 7\r\n";
        let body = json!({"error": {"message": format!("no account for {MAIL}"), "type": "x"}}).to_string();
        let answers = vec![
            answer("429 Too Many Requests", json, &body),
            answer("503 Service Unavailable", "Content-Type: text/html\r\n", format!("<p>{MAIL}</p>")),
            answer("400 Bad Request", "", "plain and simple"),
            answer("400 Bad Request", json, json!({"error": AWS_KEY}).to_string()),
        ];
        let upstream = scripted(setup, answers, After::Keep);
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL, AWS]), &[]);
        let mut client = guarded.gateway.client();
        let answer = post(&mut client);
        assert_eq!((answer.status, answer.text()), (429, body.replace(MAIL, "[EMAIL]")));
        assert_eq!(answer.fields.one("retry-after").as_deref(), Some("7"));
        let answer = post(&mut client);
        assert_eq!((answer.status, answer.text().as_str()), (503, "<p>[EMAIL]</p>"));
        let answer = post(&mut client);
        assert_eq!((answer.status, answer.text().as_str()), (400, "plain and simple"));
        unreadable(&post(&mut client), 403, "DLP.SECRET.AWS_ACCESS_KEY", "");
        guarded.gateway.finish();
    });
}

#[test]
fn a_coding_that_nobody_asked_for_is_taken_off() {
    each(PLAIN, |setup| {
        let text = |coding: &str, body: &[u8]| {
            let fields = format!("Content-Type: text/plain\r\nContent-Encoding: {coding}\r\nContent-Digest: x\r\n");
            answer("200 OK", &fields, body)
        };
        let short = |name: &str| {
            std::fs::read(format!("{}/tests/fixtures/coding/short.{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
        };
        let plain = gzip(b"nothing to see");
        let mail = gzip(format!("to {MAIL}.").as_bytes());
        // (answer, status, what it says or its code)
        let cases: Vec<(Vec<u8>, u16, &str)> = vec![
            (text("gzip", &plain), 200, "nothing to see"),
            (text("x-gzip", &mail), 200, "to [EMAIL]."),
            (text("br", &short("br")), 200, "\"text\":\"[WORD], \u{e4}\""),
            (text("zstd", &short("zst")), 200, "\"text\":\"[WORD], \u{e4}\""),
            (text("identity", b"as it is"), 200, "as it is"),
            (text("compress", b"?"), 403, "POLICY.UNSUPPORTED_CONTENT"),
            (text("gzip, gzip", &gzip(&plain)), 403, "POLICY.UNSUPPORTED_CONTENT"),
            (text("gzip", b"no gzip"), 403, "POLICY.ANSWER_UNREADABLE"),
            (text("gzip", &plain[..plain.len() - 3]), 403, "POLICY.ANSWER_UNREADABLE"),
            (text("gzip", &gzip(&vec![b' '; 4 << 20])), 403, "POLICY.DECODE_LIMIT"),
        ];
        let word =
            "literals = [\"line 919 of 1\"]\ncode = \"DLP.CUSTOM.WORD\"\naction = \"redact\"\nscope = [\"response\"]";
        let upstream = scripted(setup, cases.iter().map(|case| case.0.clone()).collect(), After::Keep);
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL, word]), &["--answer-max=64K"]);
        let mut client = guarded.gateway.client();
        for (sent, status, expected) in &cases {
            let head = format!("GET {CHAT} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip, br;q=0.5\r\n\r\n");
            let answer = client.send(head.as_bytes()).answer();
            let told = String::from_utf8_lossy(&sent[..80]).into_owned();
            assert_eq!(answer.status, *status, "{told}");
            assert!(answer.text().contains(expected), "{told}: {}", answer.text());
            assert!(!answer.fields.has("content-encoding"), "{told}");
            assert_eq!(answer.fields.has("content-digest"), *expected == "as it is", "{told}");
        }
        for request in upstream.requests() {
            assert_eq!(request.fields.all("accept-encoding"), [b"identity"]);
        }
        guarded.gateway.finish();
    });
}

#[test]
fn an_answer_that_is_too_long_is_refused_and_its_connection_ended() {
    each(PLAIN, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            let body = said(&"x ".repeat(40_000));
            match request.target.as_str() {
                "/length" => exchange.send(&json_answer(&body)),
                "/fits" => exchange.send(&json_answer(said("short"))),
                _ => {
                    exchange.send(
                        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
                    );
                    body.as_bytes().chunks(1000).all(|piece| exchange.chunk(piece))
                }
            };
            After::Keep
        });
        let mut guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL]), &["--answer-max=64K"]);
        let mut client = guarded.gateway.client();
        for target in ["/length", "/chunked"] {
            unreadable(&client.post(target, b"{}"), 403, "POLICY.ANSWER_TOO_LARGE", "");
            assert_eq!(client.post("/fits", b"{}").status, 200, "the client's connection goes on");
        }
        assert_eq!(upstream.connections().len(), 3, "what was not read to its end is not used again");
        assert!(guarded.events(2).iter().all(|event| event["reason_code"] == "POLICY.ANSWER_TOO_LARGE"));
        guarded.metric_falls_to("pnx_buffer_bytes", 0.0);
        guarded.gateway.finish();
    });
}

#[test]
fn what_inspection_does_not_read_is_passed_on_and_said_to_be() {
    each(PLAIN, |setup| {
        let sound = format!("\u{0}\u{1} {MAIL}");
        let image = json!({"type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png"});
        let image = json!({"jsonrpc": "2.0", "id": 1, "result": {"content": [image]}});
        let answers = vec![
            answer("200 OK", "Content-Type: audio/mpeg\r\nContent-Encoding: br\r\n", &sound),
            answer("200 OK", "Content-Type: application/octet-stream\r\n", &sound),
            answer("200 OK", "", &sound),
            json_answer(image.to_string()),
        ];
        let upstream = scripted(setup, answers, After::Keep);
        let call = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#;
        let lenient = document(1, "[defaults]\ncontent = \"forward\"\nmedia = \"forward\"", &[EMAIL]);
        let mut guarded = Guarded::start(setup, &upstream, &lenient, &[]);
        let mut client = guarded.gateway.client();
        for at in 0..3 {
            let answer = client.post("/mcp", call);
            assert_eq!((answer.status, answer.text()), (200, sound.clone()), "{at}");
            assert_eq!(inspection(&answer), "none;reason=content-type", "{at}");
            assert_eq!(answer.fields.has("content-encoding"), at == 0, "{at}");
        }
        let answer = client.post("/mcp", call);
        assert_eq!((answer.text(), inspection(&answer).as_str()), (image.to_string(), "partial;reason=media"));
        assert_eq!(guarded.metric(r#"pnx_answers_total{inspection="none",reason="content-type"}"#), 3.0);
        assert_eq!(guarded.metric(r#"pnx_answers_total{inspection="partial",reason="media"}"#), 1.0);
        assert_eq!(guarded.metric("pnx_uninspected_total"), 4.0);
        guarded.gateway.finish();
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        for _ in 0..4 {
            unreadable(&client.post("/mcp", call), 403, "POLICY.UNSUPPORTED_CONTENT", "");
        }
        guarded.gateway.finish();
    });
}

#[test]
fn a_stream_comes_event_by_event_whatever_its_coding() {
    each(PLAIN, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            let coded = request.target == "/gzip";
            let coding = if coded { "Content-Encoding: gzip\r\n" } else { "" };
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked";
            exchange.send(format!("{head}\r\n{coding}\r\n").as_bytes());
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            for number in 0..3 {
                let event = format!("data: {{\"n\":{number}}}\n\n");
                if coded {
                    encoder.write_all(event.as_bytes()).unwrap();
                    encoder.flush().unwrap();
                    let piece = std::mem::take(encoder.get_mut());
                    exchange.chunk(&piece);
                } else {
                    exchange.chunk(event.as_bytes());
                }
                thread::sleep(Duration::from_millis(50));
            }
            if coded {
                let rest = encoder.finish().unwrap();
                exchange.chunk(&rest);
            }
            exchange.send(b"0\r\n\r\n");
            After::Keep
        });
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        for target in ["/plain", "/gzip", "/plain"] {
            client.send(&support::wire::post(target, b"{}"));
            assert!(client.wait_for(b"\"n\":0", PATIENCE));
            assert!(
                !support::wire::holds(&client.inbox, b"\"n\":2"),
                "{target}: the first event does not wait for the last"
            );
            let answer = client.answer();
            let expected: String = (0..3).map(|number| format!("data: {{\"n\":{number}}}\n\n")).collect();
            assert_eq!((answer.text(), answer.framing), (expected, Framing::Chunked), "{target}");
            assert!(!answer.fields.has("content-encoding"), "{target}");
        }
        assert_eq!(upstream.connections().len(), 1);
        guarded.gateway.finish();
    });
}

#[test]
fn without_a_rule_for_answers_nothing_is_held_or_changed() {
    each(PLAIN, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            assert_eq!(request.fields.all("accept-encoding"), [b"gzip"]);
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n");
            exchange.chunk(b"{not json");
            // The end comes once the client has the beginning.
            thread::sleep(Duration::from_millis(100));
            exchange.chunk(b" at all");
            exchange.send(b"0\r\n\r\n");
            After::Keep
        });
        let request_only = "detector = \"email\"\naction = \"redact\"";
        let mut guarded = Guarded::start(setup, &upstream, &document(1, "", &[request_only]), &[]);
        let mut client = guarded.gateway.client();
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
        assert!(client.wait_for(b"{not json", PATIENCE));
        let answer = client.answer();
        assert_eq!(
            (answer.text().as_str(), inspection(&answer).as_str()),
            ("{not json at all", "none;reason=no-rules")
        );
        assert_eq!(answer.fields.one("content-encoding").as_deref(), Some("x"));
        assert_eq!(guarded.metric(r#"pnx_answers_total{inspection="none",reason="no-rules"}"#), 1.0);
        assert_eq!(guarded.metric(r#"pnx_answer_verdicts_total{verdict="allow"}"#), 0.0);
        guarded.gateway.finish();
    });
}

#[test]
fn fields_of_an_answer_are_inspected_where_a_rule_says_so() {
    each(PLAIN, |setup| {
        let fields = format!("Content-Type: audio/mpeg\r\nX-User: {MAIL}!\r\nSet-Cookie: {MAIL}\r\n");
        let answers =
            vec![answer("200 OK", &fields, "sound"), answer("200 OK", &format!("X-Key: {AWS_KEY}\r\n"), "text")];
        let upstream = scripted(setup, answers, After::Keep);
        let rule = |detector: &str, action: &str| {
            format!("detector = \"{detector}\"\naction = \"{action}\"\nscope = [\"response\"]\nwhere = [\"headers\"]")
        };
        let (mail, key) = (rule("email", "redact"), rule("aws_access_key", "block"));
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[&mail, &key]), &[]);
        let mut client = guarded.gateway.client();
        let answer = post(&mut client);
        assert_eq!((answer.status, answer.text().as_str()), (200, "sound"));
        assert_eq!(answer.fields.one("x-user").as_deref(), Some("[EMAIL]!"));
        assert_eq!(answer.fields.one("set-cookie").as_deref(), Some(MAIL));
        assert_eq!(answer.fields.one("x-penaxtra-redacted").as_deref(), Some("1"));
        unreadable(&post(&mut client), 403, "DLP.SECRET.AWS_ACCESS_KEY", "");
        let events = guarded.events(2);
        assert!(events.iter().all(|event| event["matched_in"] == "headers" && event["scope"] == "response"));
        guarded.gateway.finish();
    });
}

#[test]
fn an_answer_that_is_cut_is_a_bad_gateway_and_nothing_of_it_is_told() {
    each(ALL, |setup| {
        let body = json_answer(said(&"words ".repeat(1000)));
        let upstream = scripted(setup, vec![body[..3000].to_vec()], After::Truncate);
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        let answer = post(&mut client);
        assert_eq!((answer.status, answer.json()["error"]["code"].as_str()), (502, Some("upstream_closed")));
        assert!(!answer.text().contains("words"));
        assert_eq!(post(&mut client).status, 502, "the client's connection goes on");
        guarded.gateway.finish();
    });
}

#[test]
fn gathered_answers_are_within_the_memory_budget() {
    each(PLAIN, |setup| {
        let upstream = setup.upstream(|_, exchange| {
            let body = said(&"x ".repeat(500_000));
            exchange.send(&json_answer(&body)[..900_000]);
            if !exchange.ended_within(Duration::from_secs(2)) {
                exchange.send(&json_answer(&body)[900_000..]);
            }
            After::Close
        });
        let flags = ["--memory-max=4M", "--body-max=64K", "--answer-max=2M"];
        let mut guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL]), &flags);
        let clients: Vec<Client> = (0..8)
            .map(|_| {
                let mut client = guarded.gateway.client();
                client.send(&support::wire::post(CHAT, b"{}"));
                client
            })
            .collect();
        let statuses: Vec<u16> = clients
            .into_iter()
            .map(|mut client| {
                let answer = client.answer();
                assert_eq!(answer.fields.has("retry-after"), answer.status == 503);
                answer.status
            })
            .collect();
        assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
        assert!(statuses.contains(&200) && statuses.contains(&503), "{statuses:?}");
        guarded.metric_falls_to("pnx_buffer_bytes", 0.0);
        guarded.gateway.finish();
    });
}

#[test]
fn a_policy_holds_for_the_answer_to_a_request_that_it_served() {
    each(PLAIN, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            if request.target == "/slow" {
                thread::sleep(Duration::from_millis(3000));
            }
            exchange.send(&json_answer(said(MAIL)));
            After::Keep
        });
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL]), &[]);
        let mut slow = guarded.gateway.client();
        slow.send(&support::wire::post("/slow", b"{}"));
        assert!(upstream.wait(PATIENCE, |seen| seen.iter().any(|seen| !seen.requests.is_empty())));
        guarded.folder.put("policy.toml", document(2, "", &[AWS]).as_bytes());
        assert!(guarded.gateway.says("\"version\":2"), "the new file is noticed");
        let mut client = guarded.gateway.client();
        assert_eq!(client.post("/now", b"{}").text(), said(MAIL));
        assert_eq!(slow.answer().text(), said("[EMAIL]"));
        guarded.gateway.finish();
    });
}

#[test]
fn nothing_of_an_answer_is_in_the_log() {
    each(PLAIN, |setup| {
        let answers =
            vec![json_answer(said(AWS_KEY)), json_answer("{\"sesame\""), json_answer(said(&format!("sesame {MAIL}")))];
        let upstream = scripted(setup, answers, After::Keep);
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL, AWS]), &["--log=debug"]);
        let mut client = guarded.gateway.client();
        for _ in 0..3 {
            post(&mut client);
        }
        let told = format!("{:?}", guarded.events(3));
        let log = guarded.gateway.finish();
        for secret in [AWS_KEY, "sesame", MAIL] {
            assert!(!log.contains(secret) && !told.contains(secret), "{secret}");
        }
    });
}
