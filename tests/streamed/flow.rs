//! What goes on at once, and what comes out changed.

use std::io::Write;

use serde_json::json;

use super::*;
use crate::guarded::document;
use crate::support::PLAIN;
use crate::support::each;
use crate::support::model;
use crate::support::streams::assemble;
use crate::support::streams::stream;
use crate::support::strict::Framing;

#[test]
fn a_clean_stream_arrives_event_by_event_before_the_next_is_sent() {
    each(ALL, |setup| {
        for dialect in Dialect::ALL {
            let conducted = Conducted::of(setup, dialect);
            let mut guarded = Guarded::start(setup, &conducted.upstream, &document(1, "", &[CARD, AWS]), &[]);
            let mut client = guarded.gateway.client();
            for kind in dialect.kinds() {
                let events = stream(dialect, Channel::of(*kind), &["Hello", " there", ", how are", " you? "]);
                ask(&mut client, dialect);
                for event in &events {
                    conducted.pass(&mut client, event);
                }
                conducted.step(Step::End);
                let answer = client.answer();
                assert_eq!((answer.status, answer.framing), (200, Framing::Chunked));
                assert_eq!(inspection(&answer), "full");
                assert!(answer.body == events.concat(), "{dialect:?} {kind:?}: {}", answer.text());
            }
            let count = dialect.kinds().len() as f64;
            assert_eq!(conducted.upstream.connections().len(), 1, "{dialect:?}: both connections are used again");
            comes_to(&mut guarded, r#"pnx_answers_total{inspection="full",reason="none"}"#, count);
            comes_to(&mut guarded, r#"pnx_answer_verdicts_total{verdict="allow"}"#, count);
            assert_eq!(guarded.metric("pnx_answers_held_bytes_total"), 0.0, "{dialect:?}");
            guarded.gateway.finish();
        }
    });
}

#[test]
fn a_card_split_over_events_is_replaced_and_what_is_around_it_does_not_wait() {
    each(PLAIN, |setup| {
        let conducted = Conducted::of(setup, Dialect::Chat);
        let mut guarded = Guarded::start(setup, &conducted.upstream, &document(1, "", &[CARD]), &[]);
        let mut client = guarded.gateway.client();
        ask(&mut client, Dialect::Chat);
        conducted.pass(&mut client, chat("pay "));
        conducted.pass(&mut client, chat("with "));
        for piece in ["4111 11", "11 1111", " 1111"] {
            conducted.send(chat(piece));
        }
        let held: usize = ["4111 11", "11 1111", " 1111"].map(|piece| chat(piece).len()).iter().sum();
        comes_to(&mut guarded, "pnx_answers_held_bytes_total", held as f64);
        conducted.send(chat(" today"));
        arrives(&mut client, chat(" today"));
        conducted.pass(&mut client, chat(", please"));
        conducted.pass(&mut client, "data: [DONE]\n\n");
        conducted.step(Step::End);
        let answer = client.answer();
        let told: Vec<_> = ["pay ", "with ", "[CARD]", "", "", " today", ", please"].map(chat).into();
        assert_eq!(answer.text(), told.concat() + "data: [DONE]\n\n");
        let events = guarded.events(1);
        assert_eq!((&events[0]["action"], &events[0]["scope"]), (&json!("redact"), &json!("response")));
        comes_to(&mut guarded, "pnx_redactions_total", 1.0);
        comes_to(&mut guarded, r#"pnx_answer_verdicts_total{verdict="redact"}"#, 1.0);
        assert!(guarded.metric("pnx_answers_held_seconds_count") >= 1.0);
        guarded.gateway.finish();
    });
}

#[test]
fn a_warning_touches_no_byte_of_a_stream_and_lets_nothing_wait() {
    each(PLAIN, |setup| {
        for dialect in Dialect::ALL {
            let conducted = Conducted::of(setup, dialect);
            let mut guarded = Guarded::start(setup, &conducted.upstream, &document(1, "", &[WATCH]), &[]);
            let mut client = guarded.gateway.client();
            let events = stream(dialect, TEXT, &["about Blue", "bird", " and bluebi", "rd"]);
            ask(&mut client, dialect);
            for event in &events {
                conducted.pass(&mut client, event);
            }
            conducted.step(Step::End);
            let answer = client.answer();
            assert!(answer.body == events.concat(), "{dialect:?}: {}", answer.text());
            comes_to(&mut guarded, r#"pnx_answer_verdicts_total{verdict="warn"}"#, 1.0);
            assert_eq!(guarded.metric("pnx_answers_held_bytes_total"), 0.0);
            assert!(guarded.metric("pnx_matches_total") >= 2.0, "{dialect:?}");
            // At the first match, and at the end for all others; an MCP tool says all at once.
            let count = if dialect == Dialect::Mcp { 1 } else { 2 };
            let counts = guarded.events(count).iter().map(|event| event["count"].as_u64().unwrap()).sum::<u64>();
            comes_to(&mut guarded, "pnx_matches_total", counts as f64);
            guarded.gateway.finish();
        }
    });
}

#[test]
fn a_coded_stream_is_decoded_inspected_and_sent_on_without_its_coding() {
    each(PLAIN, |setup| {
        let head = "Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n";
        let conducted = Conducted::with(setup, head.to_owned());
        let guarded = Guarded::start(setup, &conducted.upstream, &document(1, "", &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        ask(&mut client, Dialect::Chat);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        let (name, domain) = MAIL.split_at(8);
        for piece in ["write to ", name, domain, " soon."] {
            encoder.write_all(chat(piece).as_bytes()).unwrap();
            encoder.flush().unwrap();
            conducted.send(std::mem::take(encoder.get_mut()));
        }
        arrives(&mut client, chat("[EMAIL]"));
        conducted.send(encoder.finish().unwrap());
        conducted.step(Step::End);
        let answer = client.answer();
        assert_eq!(answer.text(), ["write to ", "[EMAIL]", "", " soon."].map(chat).concat());
        assert!(!answer.fields.has("content-encoding"));
        guarded.gateway.finish();
    });
}

#[test]
fn data_that_is_no_json_is_read_as_text() {
    each(PLAIN, |setup| {
        let conducted = Conducted::of(setup, Dialect::Chat);
        let guarded = Guarded::start(setup, &conducted.upstream, &document(1, "", &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        ask(&mut client, Dialect::Chat);
        let events = [format!("data: {{\"to\": \"{MAIL}\", oops\n\n"), format!(": {MAIL}\nid: {MAIL}\ndata: {{}}\n\n")];
        for event in &events {
            conducted.send(event);
        }
        conducted.step(Step::End);
        assert_eq!(client.answer().text(), events.concat().replace(MAIL, "[EMAIL]"));
        guarded.gateway.finish();
    });
}

#[test]
fn tokens_of_a_stream_are_counted_as_its_last_event_says_also_where_it_is_cut() {
    each(PLAIN, |setup| {
        let apis = [
            (Dialect::Chat, "openai_chat"),
            (Dialect::Completions, "openai_completions"),
            (Dialect::Responses, "openai_responses"),
            (Dialect::Messages, "anthropic_messages"),
        ];
        for (dialect, api) in apis {
            let conducted = Conducted::of(setup, dialect);
            let mut guarded = Guarded::start(setup, &conducted.upstream, &document(1, "", &[EMAIL]), &[]);
            for end in [Step::End, Step::Drop(After::Truncate)] {
                let mut client = guarded.gateway.client();
                ask(&mut client, dialect);
                let events = stream(dialect, TEXT, &["Hello", " there."]);
                events.iter().for_each(|event| conducted.send(event));
                arrives(&mut client, events.last().unwrap());
                conducted.step(end);
                client.end(Duration::from_millis(300));
            }
            let first_byte = format!(r#"pnx_upstream_first_byte_seconds_count{{api="{api}"}}"#);
            comes_to(&mut guarded, &first_byte, 2.0);
            for (direction, count) in [("input", 18.0), ("output", 24.0)] {
                let series = format!(r#"pnx_tokens_total{{api="{api}",direction="{direction}"}}"#);
                comes_to(&mut guarded, &series, count);
            }
            guarded.gateway.finish();
        }
    });
}

#[test]
fn media_in_a_stream_are_told_of_at_its_end() {
    each(PLAIN, |setup| {
        let image = json!({"type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png"});
        let result = json!({"jsonrpc": "2.0", "id": 1, "result": {"content": [image]}});
        let cases = [
            (Dialect::Mcp, format!("event: message\ndata: {result}\n\n"), true),
            // Where an event is not complete, nothing may follow.
            (Dialect::Mcp, format!("event: message\ndata: {result}\n\ndata: {{}}"), false),
            (Dialect::Lines, format!("{result}\n"), false),
        ];
        for (dialect, sent, told) in cases {
            let conducted = Conducted::of(setup, dialect);
            let lenient = document(1, "[defaults]\nmedia = \"forward\"", &[EMAIL]);
            let mut guarded = Guarded::start(setup, &conducted.upstream, &lenient, &[]);
            let mut client = guarded.gateway.client();
            ask(&mut client, dialect);
            conducted.send(&sent);
            conducted.step(Step::End);
            let answer = client.answer();
            assert_eq!(inspection(&answer), "full", "what its head said before anything was known");
            let comment = if told { ": x-penaxtra-inspection: partial;reason=media\n\n" } else { "" };
            assert_eq!(answer.text(), sent + comment);
            comes_to(&mut guarded, r#"pnx_answers_total{inspection="partial",reason="media"}"#, 1.0);
            assert_eq!(guarded.metric(r#"pnx_answers_total{inspection="full",reason="none"}"#), 0.0);
            comes_to(&mut guarded, "pnx_uninspected_total", 1.0);
            guarded.gateway.finish();
        }
    });
}

#[test]
fn a_stream_ends_under_the_policy_that_it_began_under() {
    each(PLAIN, |setup| {
        let conducted = Conducted::of(setup, Dialect::Chat);
        let guarded = Guarded::start(setup, &conducted.upstream, &document(1, "", &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        ask(&mut client, Dialect::Chat);
        conducted.pass(&mut client, chat("first. "));
        guarded.folder.put("policy.toml", document(2, "", &[AWS]).as_bytes());
        assert!(guarded.gateway.says("\"version\":2"), "the new file is noticed");
        conducted.send(chat(&format!("to {MAIL}.\n")));
        conducted.step(Step::End);
        assert_eq!(client.answer().text(), ["first. ", "to [EMAIL].\n"].map(chat).concat());
        ask(&mut client, Dialect::Chat);
        conducted.pass(&mut client, chat(&format!("to {MAIL}.\n")));
        conducted.step(Step::End);
        client.answer();
        guarded.gateway.finish();
    });
}

#[test]
fn every_text_of_every_dialect_is_inspected_through_the_gateway() {
    each(PLAIN, |setup| {
        for dialect in Dialect::ALL {
            let upstream = setup.upstream(model::speak);
            let guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL]), &[]);
            let mut client = guarded.gateway.client();
            for kind in dialect.kinds() {
                let name = format!("{kind:?}").to_lowercase();
                let said = format!("kind={name} split=7 say: \"write\" to {MAIL} soon");
                let answer = client.send(&tokens::request(dialect, true, &said)).answer();
                let told = assemble(dialect, &answer.body).unwrap();
                let channel = Channel::of(*kind);
                assert_eq!(told.text(channel), Some("\"write\" to [EMAIL] soon"), "{dialect:?} {kind:?}");
                assert!(told.ended && told.error.is_none());
            }
            guarded.gateway.finish();
        }
    });
}
