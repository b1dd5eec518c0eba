//! How long text may wait, how much of it, and what becomes of it then.

use super::*;
use crate::guarded::document;
use crate::support::PLAIN;
use crate::support::each;
use crate::support::streams::assemble;

/// A private key that has begun.
const KEY: &str = concat!("-----BEGIN PRIV", "ATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ");
const PRIVATE: &str = "detector = \"private_key\"\naction = \"redact\"\nscope = [\"response\"]";

fn policy(answers: &str, rules: &[&str]) -> String {
    document(1, &format!("[answers]\n{answers}"), rules)
}

#[test]
fn text_that_has_waited_as_long_as_it_may_is_decided() {
    const HOLD: Duration = Duration::from_millis(150);
    each(PLAIN, |setup| {
        // At the limit; the rule; what waits; what of it arrives; what comes then; what of that arrives.
        let cases = [
            ("redact", CARD, "4111 1111 1111 1111", "[CARD]", " or so. ", " or so. "),
            ("release", CARD, "4111 1111 1111 1111", "4111 1111 1111 1111", " or so. ", " or so. "),
            ("redact", PRIVATE, KEY, "[PRIVATE_KEY]", "KcwggSjAgEAAo\n-----END PRIVATE KEY----- ok", " ok"),
            // It is no match so far, and would be none; what of it was not sent on is replaced.
            ("redact", CARD, "4111 11", "4111 11", "11 1111 1111 so. ", "[CARD] so. "),
            ("release", CARD, "4111 11", "4111 11", "11 1111 1111 so. ", "[CARD] so. "),
        ];
        for (limit, rule, waits, arrives_first, then, arrives_then) in cases {
            let conducted = Conducted::of(setup, Dialect::Chat);
            let answers = format!("hold_ms = {}\nat_hold_limit = \"{limit}\"", HOLD.as_millis());
            let mut guarded = Guarded::start(setup, &conducted.upstream, &policy(&answers, &[rule]), &[]);
            let mut client = guarded.gateway.client();
            ask(&mut client, Dialect::Chat);
            conducted.pass(&mut client, chat("It is "));
            let since = Instant::now();
            conducted.send(chat(waits));
            arrives(&mut client, chat(arrives_first));
            assert!(since.elapsed() >= HOLD, "{limit} {waits}: it arrived after {:?}", since.elapsed());
            conducted.send(chat(then));
            arrives(&mut client, chat(arrives_then));
            conducted.step(Step::End);
            let text = client.answer().text();
            assert_eq!(text, [chat("It is "), chat(arrives_first), chat(arrives_then)].concat(), "{limit} {waits}");
            assert_eq!(guarded.events(1)[0]["action"], "redact", "{limit} {waits}");
            assert!(guarded.metric("pnx_answers_held_seconds_sum") >= HOLD.as_secs_f64());
            assert!(guarded.metric("pnx_answers_held_bytes_total") >= chat(waits).len() as f64);
            guarded.gateway.finish();
        }
    });
}

#[test]
fn a_policy_may_cut_what_has_waited_too_long() {
    each(PLAIN, |setup| {
        let conducted = Conducted::of(setup, Dialect::Chat);
        let answers = "hold_ms = 100\nat_hold_limit = \"block\"";
        let mut guarded = Guarded::start(setup, &conducted.upstream, &policy(answers, &[CARD]), &[]);
        let mut client = guarded.gateway.client();
        ask(&mut client, Dialect::Chat);
        conducted.pass(&mut client, chat("It is "));
        conducted.send(chat("4111 11"));
        conducted.step(Step::Await);
        let answer = client.answer();
        assert!(conducted.is_left());
        let told = assemble(Dialect::Chat, &answer.body).unwrap();
        assert_eq!(told.text(TEXT), Some("It is "));
        assert_eq!(told.error.unwrap()["error"]["code"], "POLICY.SCAN_LIMIT");
        assert_eq!(guarded.events(1)[0]["reason_code"], "POLICY.SCAN_LIMIT");
        comes_to(&mut guarded, r#"pnx_answer_verdicts_total{verdict="refuse"}"#, 1.0);
        guarded.gateway.finish();
    });
}

#[test]
fn text_of_which_always_the_end_waits_is_never_overdue() {
    each(PLAIN, |setup| {
        let conducted = Conducted::of(setup, Dialect::Chat);
        let answers = "hold_ms = 1500\nat_hold_limit = \"block\"";
        let guarded = Guarded::start(setup, &conducted.upstream, &policy(answers, &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        ask(&mut client, Dialect::Chat);
        let words: Vec<String> = (0..14).map(|number| chat(&format!(" word{number}"))).collect();
        for word in &words {
            conducted.send(word);
            thread::sleep(Duration::from_millis(150));
        }
        conducted.step(Step::End);
        assert_eq!(client.answer().text(), words.concat(), "a word waits for the next, and no longer");
        guarded.gateway.finish();
    });
}

#[test]
fn more_text_than_may_wait_is_decided_at_once() {
    each(PLAIN, |setup| {
        for (limit, first) in [("redact", "[PRIVATE_KEY]"), ("release", KEY), ("block", "")] {
            let conducted = Conducted::of(setup, Dialect::Chat);
            let answers = format!("hold_ms = 30000\nhold_bytes = 512\nat_hold_limit = \"{limit}\"");
            let guarded = Guarded::start(setup, &conducted.upstream, &policy(&answers, &[PRIVATE]), &[]);
            let mut client = guarded.gateway.client();
            ask(&mut client, Dialect::Chat);
            conducted.pass(&mut client, chat("It is "));
            conducted.send(chat(KEY));
            for _ in 0..16 {
                conducted.send(chat("\nKcwggSjAgEAAoIBAQC7VJTUt9Us8cKjMzEfYyjiWA4R4"));
            }
            if limit == "block" {
                conducted.step(Step::Await);
                let answer = client.answer();
                assert!(answer.text().contains("POLICY.SCAN_LIMIT") && !answer.text().contains("BEGIN"));
                assert!(conducted.is_left());
            } else {
                arrives(&mut client, chat(first));
                conducted.step(Step::End);
                let text = client.answer().text();
                assert_eq!(text.contains("VJTUt9Us8c"), limit == "release", "{limit}: {text}");
            }
            guarded.gateway.finish();
        }
    });
}
