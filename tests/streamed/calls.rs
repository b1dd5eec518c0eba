//! Which tools an answer may call.

use serde_json::Value;
use serde_json::json;

use super::*;
use crate::guarded::document;
use crate::support::PLAIN;
use crate::support::each;
use crate::support::streams::assemble;
use crate::support::streams::stream;
use crate::support::streams::unary;

const TOOL: Channel = Channel::of(Kind::Tool);
const CALLING: [Dialect; 3] = [Dialect::Chat, Dialect::Responses, Dialect::Messages];
/// A policy without a rule: only lists of tools.
fn policy(tools: &str) -> String {
    document(1, &format!("[tools]\n{tools}"), &[])
}

/// One event of a chat with this in its first call.
fn call(function: &Value) -> String {
    let call = json!({"index": 0, "type": "function", "function": function});
    let delta = json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": null}]});
    format!("data: {delta}\n\n")
}

#[test]
fn a_denied_call_is_cut_before_any_of_its_arguments() {
    each(PLAIN, |setup| {
        for dialect in CALLING {
            for tools in ["deny = [\"look\"]", "deny = [\"lo*\"]", "allow = [\"get_*\", \"looks\"]"] {
                let conducted = Conducted::of(setup, dialect);
                let mut guarded = Guarded::start(setup, &conducted.upstream, &policy(tools), &[]);
                let mut client = guarded.gateway.client();
                ask(&mut client, dialect);
                for event in stream(dialect, TOOL, &["sesame", " street"]) {
                    conducted.send(event);
                }
                conducted.step(Step::Await);
                let answer = client.answer();
                assert!(conducted.is_left() && !answer.text().contains("sesame"), "{dialect:?} {tools}");
                assert!(answer.text().contains("POLICY.TOOL_DENIED"), "{dialect:?} {tools}: {}", answer.text());
                if answer.status == 200 {
                    let told = assemble(dialect, &answer.body).unwrap();
                    assert!(told.error.is_some() && !told.ended, "{dialect:?} {tools}");
                }
                let events = guarded.events(1);
                assert_eq!((&events[0]["action"], &events[0]["matched_in"]), (&json!("block"), &json!("tools")));
                assert_eq!(events[0]["reason_code"], "POLICY.TOOL_DENIED");
                comes_to(&mut guarded, r#"pnx_answer_verdicts_total{verdict="block"}"#, 1.0);
                guarded.gateway.finish();
            }
        }
    });
}

#[test]
fn a_call_that_is_allowed_or_only_told_of_passes_as_it_is() {
    each(PLAIN, |setup| {
        for dialect in CALLING {
            let cases = [
                ("allow = [\"look\"]", 0),
                ("allow = [\"lo*\"]\ndeny = [\"lock\"]", 0),
                ("deny = [\"look\"]\naction = \"warn\"", 1),
            ];
            for (tools, told) in cases {
                let conducted = Conducted::of(setup, dialect);
                let mut guarded = Guarded::start(setup, &conducted.upstream, &policy(tools), &[]);
                let mut client = guarded.gateway.client();
                ask(&mut client, dialect);
                let events = stream(dialect, TOOL, &["sesame", " street"]);
                events.iter().for_each(|event| conducted.send(event));
                conducted.step(Step::End);
                let answer = client.answer();
                assert!(answer.body == events.concat(), "{dialect:?} {tools}: {}", answer.text());
                assert_eq!(inspection(&answer), "full");
                let verdict = if told == 0 { "allow" } else { "warn" };
                comes_to(&mut guarded, &format!("pnx_answer_verdicts_total{{verdict=\"{verdict}\"}}"), 1.0);
                if told > 0 {
                    // Responses names the tool where the call begins, and again where it is repeated whole.
                    let count = if dialect == Dialect::Responses { 2 } else { 1 };
                    let events = guarded.events(count);
                    assert!(events.iter().all(|event| event["reason_code"] == "POLICY.TOOL_DENIED"));
                }
                guarded.gateway.finish();
            }
        }
    });
}

#[test]
fn a_name_in_pieces_is_one_name() {
    each(PLAIN, |setup| {
        // Pieces of a name; whether it may be called.
        let cases = [(&["lo", "ok"][..], false), (&["lo", "ok", "_up"], true), (&["l", "o", "c", "k"], true)];
        for (pieces, passes) in cases {
            let conducted = Conducted::of(setup, Dialect::Chat);
            let guarded = Guarded::start(setup, &conducted.upstream, &policy("deny = [\"look\"]"), &[]);
            let mut client = guarded.gateway.client();
            ask(&mut client, Dialect::Chat);
            conducted.pass(&mut client, chat("well"));
            for piece in pieces {
                conducted.send(call(&json!({"name": piece, "arguments": ""})));
            }
            conducted.send(call(&json!({"arguments": "{\"q\":\"sesame\"}"})));
            if passes {
                arrives(&mut client, "sesame");
                conducted.step(Step::End);
                client.answer();
            } else {
                conducted.step(Step::Await);
                let answer = client.answer();
                assert!(!answer.text().contains("sesame") && answer.text().contains("POLICY.TOOL_DENIED"));
            }
            guarded.gateway.finish();
        }
    });
}

#[test]
fn a_name_that_waits_too_long_is_decided_as_it_stands() {
    each(PLAIN, |setup| {
        for limit in ["redact", "release"] {
            for (name, passes) in [("exec", false), ("exe", true)] {
                let conducted = Conducted::of(setup, Dialect::Chat);
                let head = format!("[answers]\nhold_ms = 100\nat_hold_limit = \"{limit}\"\n[tools]\ndeny = [\"exec\"]");
                let guarded = Guarded::start(setup, &conducted.upstream, &document(1, &head, &[]), &[]);
                let mut client = guarded.gateway.client();
                ask(&mut client, Dialect::Chat);
                conducted.pass(&mut client, chat("well"));
                conducted.send(call(&json!({"name": name})));
                if passes {
                    arrives(&mut client, "\"exe\"");
                    // The rest of it makes it another.
                    conducted.send(call(&json!({"name": "c"})));
                    conducted.send(call(&json!({"arguments": "sesame"})));
                }
                conducted.step(Step::Await);
                let answer = client.answer();
                assert!(answer.text().contains("POLICY.TOOL_DENIED"), "{limit} {name}: {}", answer.text());
                assert!(!answer.text().contains("sesame"), "{limit} {name}");
                guarded.gateway.finish();
            }
        }
    });
}

#[test]
fn calls_of_a_whole_answer_are_checked_and_those_of_the_request_are_not() {
    each(PLAIN, |setup| {
        for dialect in CALLING {
            let upstream = setup.upstream(move |request, exchange| {
                let channel = if request.target.contains("text") { TEXT } else { TOOL };
                let body = unary(dialect, channel, "sesame");
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
                exchange.send(&[format!("{head}{}\r\n\r\n", body.len()).as_bytes(), &body].concat());
                After::Keep
            });
            let path = dialect.path();
            let called = json!({"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}});
            let history = json!({"messages": [{"role": "assistant", "tool_calls": [called]}]}).to_string();
            for (tools, status) in [("deny = [\"look\"]", 403), ("deny = [\"look\"]\naction = \"warn\"", 200)] {
                let mut guarded = Guarded::start(setup, &upstream, &policy(tools), &[]);
                let mut client = guarded.gateway.client();
                let answer = client.post(path, b"{}");
                assert_eq!(answer.status, status, "{dialect:?} {tools}");
                assert_eq!(answer.text().contains("sesame"), status == 200);
                assert_eq!(answer.text().contains("POLICY.TOOL_DENIED"), status == 403);
                let events = guarded.events(1);
                let action = if status == 200 { "warn" } else { "block" };
                assert_eq!(
                    (&events[0]["action"], &events[0]["reason_code"]),
                    (&json!(action), &json!("POLICY.TOOL_DENIED"))
                );
                comes_to(&mut guarded, &format!("pnx_answer_verdicts_total{{verdict=\"{action}\"}}"), 1.0);
                assert_eq!(client.post(&format!("{path}?text"), history.as_bytes()).status, 200);
                guarded.events(1);
                guarded.gateway.finish();
            }
        }
    });
}
