//! Whole-gateway stories of inspection: a policy, a request, what reached the upstream, what the client and the events were told.
//!
//! Policies are written as files and taken unsigned, except where signatures are the subject. No module of the library is used.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a panic is how a test says no; tests lock and read time"
)]
#![expect(unreachable_pub, reason = "a test crate exports nothing; `pub` is what a module shows to the others")]

#[expect(dead_code, reason = "one story of answers waits for a figure to fall; none of these does")]
mod guarded;
#[expect(dead_code, reason = "the harness is shared with the stories, which use the rest")]
mod support;

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use serde_json::json;

use guarded::Folder;
use guarded::Guarded;
use guarded::document;
use guarded::id;
use support::ALL;
use support::Gateway;
use support::PLAIN;
use support::Setup;
use support::each;
use support::run;
use support::upstream::Upstream;
use support::wire::Answer;
use support::wire::Client;
use support::wire::PATIENCE;
use support::wire::gzip;
use support::wire::post;

const CHAT: &str = "/v1/chat/completions";
/// In two halves, so that this file holds no key.
const AWS_KEY: &str = concat!("AKIA", "Q7ZT2XV5JNLB3RWD");

const EMAIL: &str = "detector = \"email\"\naction = \"redact\"";
const AWS: &str = "detector = \"aws_access_key\"\naction = \"block\"";
const SHADOW: &str = "literals = [\"bluebird\"]\ncode = \"DLP.CUSTOM.PROJECT\"\nseverity = \"low\"\naction = \"block\"\nmode = \"shadow\"";

fn chat(content: &str) -> Vec<u8> {
    json!({"model": "m", "messages": [{"role": "user", "content": content}]}).to_string().into_bytes()
}

fn last_body(upstream: &Upstream) -> String {
    String::from_utf8(upstream.requests().last().unwrap().body.clone()).unwrap()
}

fn blocked(answer: &Answer, code: &str) -> Value {
    assert_eq!(answer.status, 403, "{}", answer.text());
    let body = answer.json();
    assert!(body.to_string().contains(code), "{body}");
    body
}

#[test]
fn a_redacted_value_is_all_that_changes() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let mut guarded = Guarded::start(setup, &upstream, &document(7, "", &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        let body = br#" { "model" : "m", "messages":[{"content": "Write to \u0061nna.keller@nordwind-handel.de, \"now\"\n", "role":"user"}], "n": 1.50 } "#;
        let answer = client.post(CHAT, body);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.fields.one("x-penaxtra-redacted").as_deref(), Some("1"));
        let expected =
            r#" { "model" : "m", "messages":[{"content": "Write to [EMAIL], \"now\"\n", "role":"user"}], "n": 1.50 } "#;
        assert_eq!(last_body(&upstream), expected);
        let events = guarded.events(1);
        let event = &events[0];
        for (field, expected) in [
            ("rule_id", json!(id(0))),
            ("scope", json!("request")),
            ("matched_in", json!("body")),
            ("request_method", json!("POST")),
            ("layer", json!("post-template")),
            ("reason_code", json!("DLP.PII.EMAIL")),
            ("retry", json!(true)),
            ("action", json!("redact")),
            ("count", json!(1)),
            ("policy_version", json!(7)),
        ] {
            assert_eq!(event[field], expected, "{field}: {event}");
        }
        assert_eq!(guarded.metric("pnx_redactions_total"), 1.0);
        assert_eq!(guarded.metric(r#"pnx_verdicts_total{verdict="redact"}"#), 1.0);
        assert_eq!(client.post(CHAT, &chat("nothing here")).fields.one("x-penaxtra-redacted"), None);
        guarded.gateway.finish();
    });
}

#[test]
fn a_blocked_request_reaches_nobody_and_says_why_in_each_dialect() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let guarded = Guarded::start(setup, &upstream, &document(3, "", &[AWS]), &[]);
        let mut client = guarded.gateway.client();
        let body = chat(&format!("my key is {AWS_KEY} ok"));
        let code = "DLP.SECRET.AWS_ACCESS_KEY";
        let openai = blocked(&client.post(CHAT, &body), code);
        assert_eq!(openai["error"]["type"], "permission_error");
        assert_eq!(openai["error"]["code"], code);
        assert_eq!(openai["error"]["policy_version"], 3);
        let answer = client.post("/v1/messages", &body);
        let anthropic = blocked(&answer, code);
        assert_eq!((&anthropic["type"], &anthropic["error"]["type"]), (&json!("error"), &json!("permission_error")));
        assert_eq!(anthropic["request_id"].as_str(), answer.fields.one("x-request-id").as_deref());
        let gemini = blocked(&client.post("/v1beta/models/g:generateContent", &body), code);
        assert_eq!((&gemini["error"]["code"], &gemini["error"]["status"]), (&json!(403), &json!("PERMISSION_DENIED")));
        let call = json!({"jsonrpc": "2.0", "id": "call-7", "method": "tools/call", "params": {"name": "x", "arguments": {"k": AWS_KEY}}});
        let rpc = blocked(&client.post("/mcp", call.to_string().as_bytes()), code);
        assert_eq!((&rpc["id"], &rpc["error"]["data"]["code"]), (&json!("call-7"), &json!(code)));
        assert_eq!(upstream.requests().len(), 0, "nothing of it was forwarded");
        assert_eq!(client.post(CHAT, &chat("and on the same connection")).status, 200);
        let events = guarded.events(4);
        assert_eq!(events[3]["layer"], "tool-call");
        assert_eq!(events[3]["matched_in"], "tools");
        assert!(events.iter().all(|event| event["retry"] == false && event["action"] == "block"));
        guarded.gateway.finish();
    });
}

#[test]
fn a_shadow_rule_tells_and_touches_nothing() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let mut guarded = Guarded::start(setup, &upstream, &document(1, "", &[SHADOW]), &[]);
        let mut client = guarded.gateway.client();
        let body = chat("About Bluebird and bluebird");
        let answer = client.post(CHAT, &body);
        assert_eq!((answer.status, answer.fields.one("x-penaxtra-redacted")), (200, None));
        assert_eq!(last_body(&upstream).as_bytes(), body);
        let events = guarded.events(1);
        assert_eq!((&events[0]["action"], &events[0]["count"]), (&json!("warn"), &json!(2)));
        assert_eq!(guarded.metric("pnx_matches_total"), 2.0);
        assert_eq!(guarded.metric(r#"pnx_verdicts_total{verdict="warn"}"#), 1.0);
        assert_eq!(guarded.metric(r#"pnx_events_total{code="DLP.CUSTOM.PROJECT"}"#), 1.0);
        guarded.gateway.finish();
    });
}

#[test]
fn a_value_split_over_parts_is_found_at_every_split() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let policy = document(1, "[defaults]\nmedia = \"forward\"", &[EMAIL, AWS]);
        let guarded = Guarded::start(setup, &upstream, &policy, &[]);
        let mut client = guarded.gateway.client();
        let address = "anna.keller@nordwind-handel.de";
        for at in 1..address.len() {
            let (left, right) = address.split_at(at);
            let parts = json!([{"type": "text", "text": format!("to {left}")}, {"type": "text", "text": format!("{right} now")}]);
            let body = json!({"messages": [{"role": "user", "content": parts}]});
            assert_eq!(client.post(CHAT, body.to_string().as_bytes()).status, 200);
            let sent: Value = serde_json::from_str(&last_body(&upstream)).unwrap();
            let texts: Vec<&str> = sent["messages"][0]["content"]
                .as_array()
                .unwrap()
                .iter()
                .map(|part| part["text"].as_str().unwrap())
                .collect();
            assert_eq!(texts.concat(), "to [EMAIL] now", "split at {at}: {texts:?}");
        }
        for at in 1..AWS_KEY.len() {
            let (left, right) = AWS_KEY.split_at(at);
            let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}});
            let parts = json!([{"type": "text", "text": left}, image, {"type": "text", "text": right}]);
            let body = json!({"messages": [{"role": "user", "content": parts}]});
            blocked(&client.post(CHAT, body.to_string().as_bytes()), "DLP.SECRET.AWS_ACCESS_KEY");
        }
        guarded.gateway.finish();
    });
}

#[test]
fn what_is_tokenised_leaves_under_a_number_of_its_own() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let rule = "detector = \"email\"\naction = \"tokenise\"";
        let mut guarded = Guarded::start(setup, &upstream, &document(1, "", &[rule]), &[]);
        let mut client = guarded.gateway.client();
        let body = chat("[EMAIL_2] anna.keller@nordwind-handel.de b@nordwind-handel.de anna.keller@nordwind-handel.de");
        let answer = client.post(CHAT, &body);
        assert_eq!((answer.status, answer.fields.one("x-penaxtra-redacted")), (200, Some("3".into())));
        let sent: Value = serde_json::from_str(&last_body(&upstream)).unwrap();
        assert_eq!(sent["messages"][0]["content"], "[EMAIL_2] [EMAIL_1] [EMAIL_3] [EMAIL_1]");
        let events = guarded.events(1);
        assert_eq!((&events[0]["action"], &events[0]["count"]), (&json!("redact"), &json!(3)));
        assert_eq!(guarded.metric("pnx_vault_values_total"), 2.0);
        assert_eq!(guarded.metric("pnx_vault_left_out_total"), 0.0);
        guarded.gateway.finish();
    });
}

#[test]
fn arguments_of_tool_calls_stay_valid_json() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        let inner = json!({"to": "anna.keller@nordwind-handel.de", "anna.keller@nordwind-handel.de": "x \"y\"", "n": [1, "b@nordwind-handel.de"]});
        let call = json!({"id": "c", "type": "function", "function": {"name": "mail", "arguments": inner.to_string()}});
        let body = json!({"messages": [{"role": "assistant", "tool_calls": [call]}]});
        assert_eq!(client.post(CHAT, body.to_string().as_bytes()).status, 200);
        let sent: Value = serde_json::from_str(&last_body(&upstream)).unwrap();
        let arguments = sent["messages"][0]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
        let arguments: Value = serde_json::from_str(arguments).unwrap();
        assert_eq!(arguments["to"], "[EMAIL]");
        assert_eq!(arguments["n"], json!([1, "[EMAIL]"]));
        assert_eq!(arguments["[EMAIL_1]"], "x \"y\"");
        let events = guarded.events(1);
        assert_eq!((&events[0]["matched_in"], &events[0]["layer"]), (&json!("tools"), &json!("tool-call")));
        guarded.gateway.finish();
    });
}

#[test]
fn a_coded_body_is_inspected_and_forwarded_decoded() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL, AWS]), &["--body-max=64KiB"]);
        let mut client = guarded.gateway.client();
        let send = |client: &mut Client, coding: &str, body: &[u8]| {
            let head = format!(
                "POST {CHAT} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Encoding: {coding}\r\n\
                 Content-Digest: sha-256=:AAAA:\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            client.send(&[head.as_bytes(), body].concat()).answer()
        };
        let clean = chat("hello");
        assert_eq!(send(&mut client, "gzip", &gzip(&clean)).status, 200);
        let request = upstream.requests().last().unwrap().clone();
        assert_eq!(request.body, clean);
        assert_eq!((request.fields.has("content-encoding"), request.fields.has("content-digest")), (false, false));
        assert_eq!(send(&mut client, "x-gzip", &gzip(&chat("to anna.keller@nordwind-handel.de"))).status, 200);
        assert!(last_body(&upstream).contains("to [EMAIL]"));
        blocked(&send(&mut client, "gzip", &gzip(&chat(AWS_KEY))), "DLP.SECRET.AWS_ACCESS_KEY");
        let seen = upstream.requests().len();
        let cases: [(&str, Vec<u8>, u16); 5] = [
            ("compress", clean.clone(), 415),
            ("gzip, gzip", gzip(&gzip(&clean)), 415),
            ("gzip", clean.clone(), 400),
            ("gzip", gzip(&clean)[..30].to_vec(), 400),
            ("gzip", gzip(&vec![b' '; 1024 * 1024]), 413),
        ];
        for (coding, body, status) in cases {
            assert_eq!(send(&mut client, coding, &body).status, status, "{coding}");
        }
        assert_eq!(upstream.requests().len(), seen);
        guarded.gateway.finish();
    });
}

#[test]
fn what_has_no_single_reading_is_refused() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let bodies: [&[u8]; 8] = [
            b"{",
            b"not json",
            b"{\"a\":1} x",
            b"{\"model\":\"a\",\"mod\\u0065l\":\"b\"}",
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":\"\xff\"}",
            b"\xef\xbb\xbf{}",
            deep.as_bytes(),
        ];
        for body in bodies {
            let answer = client.post(CHAT, body);
            assert_eq!(answer.status, 400, "{}", String::from_utf8_lossy(body));
            assert_eq!(answer.json()["error"]["type"], "invalid_request_error");
        }
        assert_eq!(upstream.requests().len(), 0);
        guarded.gateway.finish();
    });
}

#[test]
fn urls_and_header_values_are_inspected_where_a_rule_says_so() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let rule = "detector = \"email\"\naction = \"redact\"\nwhere = [\"url\", \"headers\"]";
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[rule]), &[]);
        let mut client = guarded.gateway.client();
        let ask = "GET /v1/x/anna%2ekeller@nordwind-handel.de?q=a+b&user=bert%40nordwind-handel.de HTTP/1.1\r\nHost: a\r\n\
            X-User: carl@nordwind-handel.de!\r\nAuthorization: Bearer dora@nordwind-handel.de\r\n\r\n";
        let answer = client.send(ask.as_bytes()).answer();
        assert_eq!((answer.status, answer.fields.one("x-penaxtra-redacted").as_deref()), (200, Some("3")));
        let request = upstream.requests().last().unwrap().clone();
        assert_eq!(request.target, "/v1/x/%5BEMAIL%5D?q=a+b&user=%5BEMAIL%5D");
        assert_eq!(request.fields.one("x-user").as_deref(), Some("[EMAIL]!"));
        assert_eq!(request.fields.one("authorization").as_deref(), Some("Bearer dora@nordwind-handel.de"));
        let body = chat("anna.keller@nordwind-handel.de");
        assert_eq!(client.post(CHAT, &body).status, 200);
        assert_eq!(last_body(&upstream).as_bytes(), body, "the rule does not hold in bodies");
        guarded.gateway.finish();
    });
}

#[test]
fn forms_are_read_and_other_content_is_up_to_the_policy() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let send = |client: &mut Client, kind: &str, body: &[u8]| {
            let head = format!(
                "POST /v1/other HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            client.send(&[head.as_bytes(), body].concat()).answer().status
        };
        let lenient = document(1, "[defaults]\ncontent = \"forward\"", &[EMAIL]);
        let mut guarded = Guarded::start(setup, &upstream, &lenient, &[]);
        let mut client = guarded.gateway.client();
        let form = b"a=1&to=anna.keller%40nordwind-handel.de&b=x+y";
        assert_eq!(send(&mut client, "application/x-www-form-urlencoded", form), 200);
        assert_eq!(last_body(&upstream), "a=1&to=%5BEMAIL%5D&b=x+y");
        let part = |text: &str| format!("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{text}\r\n--B--\r\n");
        assert_eq!(
            send(&mut client, "multipart/form-data; boundary=B", part("to anna@nordwind-handel.de").as_bytes()),
            200
        );
        assert_eq!(last_body(&upstream), part("to [EMAIL]"));
        assert_eq!(send(&mut client, "text/plain", b"to anna@nordwind-handel.de"), 200);
        assert_eq!(last_body(&upstream), "to [EMAIL]");
        let lines = b"{\"to\":\"anna@nordwind-handel.de\"}\n{\"to\":\"nobody\"}\n";
        assert_eq!(send(&mut client, "application/x-ndjson", lines), 200);
        assert_eq!(last_body(&upstream), "{\"to\":\"[EMAIL]\"}\n{\"to\":\"nobody\"}\n");
        assert_eq!(send(&mut client, "multipart/form-data; boundary=B", b"--B\r\nno"), 400);
        assert_eq!(send(&mut client, "application/octet-stream", b"\x00\x01 anna@nordwind-handel.de"), 200);
        assert_eq!(guarded.metric("pnx_uninspected_total"), 1.0);
        guarded.gateway.finish();
        let guarded = Guarded::start(setup, &upstream, &document(1, "", &[EMAIL]), &[]);
        let mut client = guarded.gateway.client();
        assert_eq!(send(&mut client, "application/octet-stream", b"\x00\x01"), 415);
        let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}});
        let body = json!({"messages": [{"role": "user", "content": [image]}]}).to_string();
        assert_eq!(client.post(CHAT, body.as_bytes()).status, 415);
        assert_eq!(guarded.events(2)[1]["reason_code"], "POLICY.UNSUPPORTED_CONTENT");
        guarded.gateway.finish();
    });
}

#[test]
fn a_new_policy_holds_for_the_next_request_and_no_request_fails() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let mut guarded = Guarded::start(setup, &upstream, &document(1, "", &[SHADOW]), &[]);
        let body = chat("About Bluebird");
        // Begun under the old policy, and sent to its end under the new one.
        let mut slow = guarded.gateway.client();
        let message = post(CHAT, &body);
        let (first, rest) = message.split_at(message.len() - 5);
        slow.send(first);
        let stop = AtomicBool::new(false);
        let gateway = &guarded.gateway;
        let counts = thread::scope(|scope| {
            let callers: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        let mut client = gateway.client();
                        let (mut passed, mut refused) = (0_u32, 0_u32);
                        while !stop.load(Relaxed) {
                            let answer = client.post(CHAT, &body);
                            match answer.status {
                                200 if refused == 0 => passed += 1,
                                403 => {
                                    assert_eq!(answer.json()["error"]["policy_version"], 2);
                                    refused += 1;
                                }
                                status => panic!("{status} after {passed} passed and {refused} refused"),
                            }
                        }
                        (passed, refused)
                    })
                })
                .collect();
            // The first request of this client is being read once others have been answered.
            thread::sleep(Duration::from_millis(300));
            let block = "literals = [\"bluebird\"]\ncode = \"DLP.CUSTOM.PROJECT\"\naction = \"block\"";
            guarded.folder.put("policy.toml", document(2, "", &[block]).as_bytes());
            assert!(gateway.says("\"version\":2"), "the new file is noticed");
            thread::sleep(Duration::from_millis(200));
            stop.store(true, Relaxed);
            callers.into_iter().map(|caller| caller.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(counts.iter().all(|(passed, refused)| *passed > 0 && *refused > 0), "{counts:?}");
        assert_eq!(slow.send(rest).answer().status, 200, "one policy from the first byte to the last");
        assert_eq!(slow.post(CHAT, &body).status, 403);
        assert_eq!(guarded.metric(r#"pnx_policy_reloads_total{result="ok"}"#), 1.0);
        assert_eq!(guarded.metric("pnx_policy_version"), 2.0);
        guarded.gateway.finish();
    });
}

#[test]
fn a_policy_that_is_refused_leaves_the_last_good_one() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let block = "literals = [\"bluebird\"]\ncode = \"DLP.CUSTOM.PROJECT\"\naction = \"block\"";
        let mut guarded = Guarded::start(setup, &upstream, &document(5, "", &[block]), &["--tenant=acme"]);
        let mut client = guarded.gateway.client();
        let older = document(4, "", &[SHADOW]);
        let other = document(6, "", &[SHADOW]).replace("acme", "umbrella");
        let broken = document(6, "surprise = 1", &[SHADOW]);
        for (round, file) in [older, other, broken, String::new()].into_iter().enumerate() {
            guarded.folder.put("policy.toml", file.as_bytes());
            let events = guarded.events(2 * round + 1);
            let event = events.last().unwrap();
            assert!(event["reason_code"].as_str().unwrap().starts_with("POLICY."), "{event}");
            assert_eq!((&event["action"], &event["policy_version"]), (&json!("keep"), &json!(5)));
            assert_eq!(client.post(CHAT, &chat("bluebird")).status, 403, "the last good one holds");
        }
        assert_eq!(guarded.metric(r#"pnx_policy_reloads_total{result="error"}"#), 4.0);
        guarded.folder.put("policy.toml", document(6, "", &[SHADOW]).as_bytes());
        assert!(guarded.gateway.says("\"version\":6"));
        assert_eq!(client.post(CHAT, &chat("bluebird")).status, 200);
        guarded.gateway.finish();
    });
}

#[test]
fn a_policy_out_of_its_time_serves_nothing_unless_told_to() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let over = document(1, "not_after = 2020-01-01T00:00:00Z", &[EMAIL]);
        let early = document(1, "not_before = 2999-01-01T00:00:00Z", &[EMAIL]);
        for (policy, flags, status) in
            [(&over, &[][..], 503), (&early, &[], 503), (&over, &["--policy-expired=serve"], 200)]
        {
            let guarded = Guarded::start(setup, &upstream, policy, flags);
            let answer = guarded.gateway.client().post(CHAT, &chat("hello"));
            assert_eq!(answer.status, status, "{}", answer.text());
            assert_eq!(guarded.gateway.client().get("/readyz").status, status);
            assert_eq!(guarded.gateway.client().get("/livez").status, 200);
            assert_eq!(guarded.events(1)[0]["reason_code"], "POLICY.NOT_IN_FORCE");
            guarded.gateway.finish();
        }
    });
}

/// Runs `penaxtra-gateway policy …` and wants it to go well.
fn policy(arguments: &[&str]) -> String {
    let (code, text) = run(&[&["policy"], arguments].concat());
    assert_eq!(code, Some(0), "{arguments:?}: {text}");
    text
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_bundle_is_believed_for_its_signature_alone() {
    let folder = Folder::new();
    let path = |name: &str| shown(&folder.path(name));
    let told = policy(&["keygen", "--out", &path("key")]);
    let key = told.lines().find_map(|line| line.strip_prefix("public key: ")).unwrap().to_owned();
    policy(&["keygen", "--out", &path("stranger")]);
    for (version, rule, key) in [(1, AWS, "key"), (2, EMAIL, "key"), (3, EMAIL, "stranger")] {
        let document = folder.put("document", document(version, "", &[rule]).as_bytes());
        policy(&["sign", "--key", &path(key), "--out", &path(&format!("bundle-{version}")), &shown(&document)]);
    }
    let bundle = |version: u64| fs::read(folder.path(&format!("bundle-{version}"))).unwrap();
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let files = Folder::new();
        files.put("bundle", &bundle(1));
        let flags = [
            format!("--policy={}", shown(&files.path("bundle"))),
            format!("--policy-key={key}"),
            "--tenant=acme".to_owned(),
        ];
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let gateway = setup.gateway(&upstream, &flags);
        let mut client = gateway.client();
        assert_eq!(client.post(CHAT, &chat(AWS_KEY)).status, 403);
        let mut flipped = bundle(2);
        // A byte of the document: in the header it could break the format instead.
        *flipped.last_mut().unwrap() ^= 1;
        for (file, log) in
            [(flipped, "signature"), (bundle(3), "key"), (document(9, "", &[EMAIL]).into_bytes(), "sign")]
        {
            files.put("bundle", &file);
            assert!(gateway.says(log), "{log}: {}", gateway.log());
            assert_eq!(client.post(CHAT, &chat(AWS_KEY)).status, 403, "the last good one holds");
        }
        files.put("bundle", &bundle(2));
        assert!(gateway.says("\"version\":2"));
        assert_eq!(client.post(CHAT, &chat(AWS_KEY)).status, 200);
        gateway.finish();
        // Nothing to fall back on: no start.
        files.put("bundle", &bundle(3));
        let refused = Gateway::start(
            setup,
            &[&[format!("--upstream={}", upstream.url()).as_str()], &flags[..]]
                .concat()
                .iter()
                .map(|flag| (*flag).to_owned())
                .collect::<Vec<_>>(),
        );
        assert!(refused.is_err());
    });
}

/// A gateway whose events go to `events`, and a client that has a request redacted.
fn told_to(setup: Setup, upstream: &Upstream, folder: &Folder, events: &str) -> Gateway {
    let path = shown(&folder.put("policy.toml", document(1, "", &[EMAIL]).as_bytes()));
    let flags = [
        format!("--policy={path}"),
        "--allow-unsigned-policy".to_owned(),
        format!("--events={events}"),
        "--admin=127.0.0.1:0".to_owned(),
    ];
    setup.gateway(upstream, &flags.each_ref().map(String::as_str))
}

/// The series of the metrics page, once it is more than `least`.
fn metric_above(gateway: &mut Gateway, series: &str, least: f64) -> f64 {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut admin = Client::new(support::wire::Wire::connect(gateway.admin(), None));
        let page = admin.get("/metrics").text();
        let value = page.lines().find_map(|line| line.strip_prefix(series)).map(|text| text.trim().parse().unwrap());
        match value {
            Some(value) if value > least => return value,
            _ => assert!(Instant::now() < deadline, "{series}: {page}"),
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_full_disk_loses_events_and_no_request() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let folder = Folder::new();
        let mut gateway = told_to(setup, &upstream, &folder, "/dev/full");
        let mut client = gateway.client();
        for _ in 0..3 {
            let answer = client.post(CHAT, &chat("to anna.keller@nordwind-handel.de"));
            assert_eq!((answer.status, answer.fields.one("x-penaxtra-redacted").as_deref()), (200, Some("1")));
        }
        metric_above(&mut gateway, r#"pnx_events_written_total{result="error"}"#, 2.0);
        metric_above(&mut gateway, r#"pnx_events_total{code="DLP.PII.EMAIL"}"#, 2.0);
        let log = gateway.finish();
        assert_eq!(log.matches("events could not be written").count(), 1, "said once: {log}");
    });
}

#[test]
fn a_reader_of_events_that_stalls_keeps_nobody_waiting() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let folder = Folder::new();
        let pipe = folder.path("events");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        // Open, and never read: a pipe holds 64 KiB, a ring 512 events.
        let _reader = fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
        let mut gateway = told_to(setup, &upstream, &folder, &shown(&pipe));
        let mut client = gateway.client();
        let body = chat("to anna.keller@nordwind-handel.de");
        let deadline = Instant::now() + PATIENCE;
        let mut dropped = 0.0;
        while dropped == 0.0 {
            assert!(Instant::now() < deadline, "nothing was dropped");
            for _ in 0..200 {
                assert_eq!(client.post(CHAT, &body).status, 200);
            }
            dropped = metric_above(&mut gateway, "pnx_events_dropped_total", -1.0);
        }
        gateway.finish();
    });
}

/// The verb opens no socket, so what it says is held against a gateway that does.
#[test]
fn policy_test_says_what_the_gateway_does() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let rules = [EMAIL, AWS, SHADOW];
        let guarded = Guarded::start(setup, &upstream, &document(5, "", &rules), &[]);
        let mut client = guarded.gateway.client();
        let image = json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}]}]});
        let bodies = [
            chat("nothing here"),
            chat("bluebird"),
            chat("\"anna.keller@nordwind-handel.de\" and anna.keller@nordwind-handel.de"),
            chat(&format!("to anna.keller@nordwind-handel.de: {AWS_KEY}")),
            br#"{"messages":[{"role":"user","content":"to \u0061nna.keller@nordwind-handel.de"}], "x":{"anna.keller@nordwind-handel.de":1}}"#.to_vec(),
            chat(&"bluebird ".repeat(9000)),
            image.to_string().into_bytes(),
            br#"{"messages":1,"messages":2}"#.to_vec(),
            br#"{"messages""#.to_vec(),
            "[".repeat(200).into_bytes(),
        ];
        for body in &bodies {
            let forwarded = upstream.requests().len();
            let answer = client.post(CHAT, body);
            let tried = guarded.folder.put("body.json", body);
            let policy = shown(&guarded.folder.path("policy.toml"));
            let (_, text) = run(&["policy", "test", "--policy", &policy, "--json", "--print-redacted", &shown(&tried)]);
            let told: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(told["status"].as_u64().unwrap_or(200), u64::from(answer.status), "{told}");
            let passed = matches!(told["verdict"].as_str(), Some("allow" | "warn" | "redact"));
            assert_eq!(upstream.requests().len() - forwarded, usize::from(passed), "{told}");
            if passed {
                let body = String::from_utf8(body.clone()).unwrap();
                assert_eq!(last_body(&upstream), told["redacted"].as_str().unwrap_or(&body));
                assert_eq!(answer.fields.has("x-penaxtra-redacted"), told["verdict"] == "redact", "{told}");
            } else {
                let error = &answer.json()["error"];
                assert_eq!(
                    &error["code"],
                    told.get("reason").filter(|_| answer.status == 403).unwrap_or(&told["error"])
                );
            }
        }
        guarded.gateway.finish();
    });
}
