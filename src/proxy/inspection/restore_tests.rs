//! Values that are tokenised in a request and put back in its answer, whole and at every split.

use std::sync::LazyLock;

use proptest::prelude::ProptestConfig;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::proptest;
use regex::Regex;
use serde_json::Value;
use serde_json::json;

use super::tests::policy;
use super::*;
use crate::http::head::ResponseHead;
use redact::Redaction;
use restore::edits_of_text;
use restore::splice;
use restore::write_escaped;

/// `val<…>` is a value, whatever stands in it.
const VALUE: &str =
    "pattern = 'val<[^<>]{0,60}>'\ncode = \"DLP.CUSTOM.VALUE\"\nplaceholder = \"VALUE\"\naction = \"tokenise\"";

/// A chat request as it is sent on, and its vault.
fn sent(policy: &Policy, body: &Value) -> (String, Option<Box<Vault>>) {
    let body = body.to_string();
    let head = format!("POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len());
    let parsed = RequestHead::parse(head.as_bytes()).unwrap();
    let mut inspector = Inspector::default();
    let message = Message { head: &parsed, bytes: head.as_bytes(), body: body.as_bytes() };
    inspector.inspect(policy, &message).unwrap();
    let vault = inspector.take_vault();
    assert!(inspector.take_vault().is_none());
    let redaction = Redaction::new(policy, inspector.hits(), Target::Body);
    (text(|write| redaction.write(body.as_bytes(), write).map(|_| ())), vault)
}

fn text(written: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), ()>) -> Result<(), ()>) -> String {
    String::from_utf8(bytes(written)).unwrap()
}

fn bytes(written: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), ()>) -> Result<(), ()>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut write = |part: &[u8]| {
        out.extend_from_slice(part);
        Ok(())
    };
    assert!(written(&mut write).is_ok());
    out
}

/// A request with one message, and the message as it is sent on.
fn message(policy: &Policy, content: &str) -> (String, Option<Box<Vault>>) {
    let (body, vault) = sent(policy, &json!({"messages": [{"role": "user", "content": content}]}));
    let body: Value = serde_json::from_str(&body).unwrap();
    (body["messages"][0]["content"].as_str().unwrap().to_owned(), vault)
}

/// What a client gets of a text that comes in fragments; each releases what cannot become a placeholder any more.
fn streamed<'a>(vault: &Vault, fragments: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut held = Vec::new();
    let mut out = Vec::new();
    for fragment in fragments {
        held.extend_from_slice(fragment);
        let open = vault.open_at_end(&held).unwrap_or(held.len());
        assert!(held.len() - open <= vault.longest(), "it is never long");
        let rest = held.split_off(open);
        // A fragment here may end inside a character.
        out.extend(bytes(|write| splice(&held, &edits_of_text(vault, &held), write)));
        held = rest;
    }
    out.extend(restored(vault, &held).into_bytes());
    String::from_utf8(out).unwrap()
}

fn restored(vault: &Vault, text: &[u8]) -> String {
    String::from_utf8(bytes(|write| splice(text, &edits_of_text(vault, text), write))).unwrap()
}

#[test]
fn values_become_placeholders_by_their_order_and_equal_ones_share() {
    let numbered = VALUE.replace("tokenise\"", "redact\"\nnumbered = true").replace("val<", "old<");
    let policy = policy("", &[VALUE, &numbered]);
    let cases = [
        // (content, as it is sent on, how many values are kept)
        ("val<a> val<b> val<a>", "[VALUE_1] [VALUE_2] [VALUE_1]", 2),
        // What is redacted for good counts on, and is not kept.
        ("old<a> val<a> old<b> val<b>", "[VALUE_1] [VALUE_2] [VALUE_3] [VALUE_4]", 2),
        // What the request holds itself is left out, wherever it stands and in whatever form of the tolerance.
        ("[VALUE_1] val<a>", "[VALUE_1] [VALUE_2]", 1),
        ("val<a> val<b> [value 2] \\[X\\_1\\]", "[VALUE_3] [VALUE_4] [value 2] \\[X\\_1\\]", 2),
        ("val<a> old<b> [VALUE_1]", "[VALUE_2] [VALUE_3] [VALUE_1]", 1),
        ("val<a> [VALUE_01] [VALUE_999999999]", "[VALUE_1] [VALUE_01] [VALUE_999999999]", 1),
    ];
    for (content, expected, kept) in cases {
        let (sent, vault) = message(&policy, content);
        assert_eq!((sent.as_str(), vault.map(|vault| vault.len())), (expected, Some(kept)), "{content}");
    }
    for content in ["old<a>", "nothing", "[VALUE_1]"] {
        assert!(message(&policy, content).1.is_none(), "{content}");
    }
}

#[test]
fn a_value_is_tokenised_wherever_it_can_come_back() {
    let policy = policy("", &[VALUE]);
    let arguments = json!({"to": "val<\"a\">", "val<k>": 1}).to_string();
    let body = json!({"messages": [
        {"role": "user", "content": [{"type": "text", "text": "val<o"}, {"type": "text", "text": "ne>"}]},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}]},
    ]});
    let (sent, vault) = sent(&policy, &body);
    let sent: Value = serde_json::from_str(&sent).unwrap();
    assert_eq!(sent["messages"][0]["content"][0]["text"], "[VALUE_1]");
    assert_eq!(sent["messages"][0]["content"][1]["text"], "");
    assert_eq!(sent["messages"][1]["tool_calls"][0]["function"]["arguments"], r#"{"to":"[VALUE_2]","[VALUE_3]":1}"#);
    let vault = vault.unwrap();
    assert_eq!(restored(&vault, b"[VALUE_1] [VALUE_2] [VALUE_3] [VALUE_4]"), "val<one> val<\"a\"> val<k> [VALUE_4]");
    assert!(!format!("{vault:?}").contains("val<"));
}

#[test]
fn what_overlaps_comes_back_whole_or_not_at_all() {
    let other = |pattern: &str, action: &str| {
        format!("pattern = '{pattern}'\ncode = \"DLP.CUSTOM.OTHER\"\nplaceholder = \"OTHER\"\naction = \"{action}\"")
    };
    let cases = [
        // (another pattern and action, as it is sent on, what comes back)
        ("val<a", "redact", "[VALUE_1] b", "val<a> b"),
        ("val<a>", "redact", "[VALUE_1] b", "val<a> b"),
        ("val<a> b", "redact", "[OTHER]", "[OTHER]"),
        ("val<a> b", "tokenise", "[OTHER_2]", "val<a> b"),
        ("<a> b", "tokenise", "[VALUE]", "[VALUE]"),
    ];
    for (pattern, action, expected, back) in cases {
        let policy = policy("", &[VALUE, &other(pattern, action)]);
        let (sent, vault) = message(&policy, "val<a> b");
        assert_eq!(sent, expected, "{pattern} {action}");
        assert_eq!(restored(&vault.unwrap(), sent.as_bytes()), back, "{pattern} {action}");
    }
}

#[test]
fn what_there_is_no_room_for_is_redacted_for_good() {
    let mut vault = Vault::default();
    let most = u32::try_from(limits::VAULT_VALUES_MAX).unwrap();
    for number in 1..=most + 5 {
        assert!(vault.keep("N", number, &number.to_be_bytes().map(|byte| byte & 0x7f)));
    }
    assert_eq!((vault.len(), vault.left_out()), (limits::VAULT_VALUES_MAX, 5));
    let last = format!("[N_{most}] [N_{}]", most + 1);
    assert_eq!(vault.find(last.as_bytes(), 0).map(|found| found.start), Some(0));
    assert!(vault.find(last.as_bytes(), 1).is_none());
    let mut vault = Vault::default();
    assert!(
        vault.keep("N", 1, &vec![b'a'; limits::VAULT_BYTES_MAX])
            && vault.keep("N", 2, b"b")
            && vault.keep("N", 3, b"\xff")
    );
    assert_eq!((vault.len(), vault.left_out()), (1, 2));
    assert!(!vault.keep("N", 1, b"other"), "two values never have one number");
    let mut vault = Vault::default();
    for number in 1..=limits::PLACEHOLDERS_TAKEN_MAX + 1 {
        vault.take(format!("[X_{number}]").as_bytes());
    }
    assert!(vault.keep("N", 1, b"a"));
    let given = vault.settle();
    assert_eq!((given(7), vault.len(), vault.left_out()), (7, 0, 1));
}

#[test]
fn what_a_model_writes_is_put_back_at_every_split() {
    let policy = policy("", &[VALUE]);
    let (_, vault) = message(&policy, "val<one> val<two>");
    let vault = vault.unwrap();
    let cases = [
        ("to [VALUE_1], [VALUE_2].", "to val<one>, val<two>."),
        ("[value_1][Value-2]", "val<one>val<two>"),
        ("a \\[VALUE\\_1\\] \\[VALUE_2] b", "a val<one> \\val<two> b"),
        ("[ VALUE 1 ]\\", "val<one>\\"),
        ("[see [VALUE_1]](http) [VAL", "[see val<one>](http) [VAL"),
        ("[VALUE_3] [VALUE_11] [VALUES_1] [VALUE_1\\]", "[VALUE_3] [VALUE_11] [VALUES_1] [VALUE_1\\]"),
        ("[VALUE\n_1] VALUE_1 [VALUE_1", "[VALUE\n_1] VALUE_1 [VALUE_1"),
    ];
    for (written, expected) in cases {
        let bytes = written.as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let fragments = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(streamed(&vault, fragments), expected, "{written} at {first}, {second}");
            }
        }
        assert_eq!(streamed(&vault, bytes.chunks(1)), expected, "{written}");
    }
}

#[test]
fn an_answer_in_one_piece_is_restored_at_its_depth() {
    let policy = policy("", &[VALUE]);
    let (_, vault) = message(&policy, "val<a\"b\\c\nd\u{1}> val<é>");
    let vault = vault.unwrap();
    let value = "val<a\"b\\c\nd\u{1}>";
    let arguments = |value: &str| json!({"to": value, "list": [value]}).to_string();
    let answer = |text: &str, arguments: &str| {
        json!({"choices": [{"message": {"role": "assistant", "content": text, "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}]}}], "x": 1.50})
    };
    let cases = [
        (
            answer("\"[VALUE_1]\" \\ [value 2] [VALUE_3]", &arguments("[VALUE_1]")),
            answer(&format!("\"{value}\" \\ val<é> [VALUE_3]"), &arguments(value)),
        ),
        (
            answer("plain [VALUE_1]", "not JSON [VALUE_1]"),
            answer(&format!("plain {value}"), &format!("not JSON {value}")),
        ),
        // A text that is JSON is read as such by whoever asked for it.
        (answer(&arguments("[VALUE_1]"), "[]"), answer(&arguments(value), "[]")),
        (answer("[VALUE_2]", "[1]"), answer("val<é>", "[1]")),
        (answer("nothing", "{}"), answer("nothing", "{}")),
    ];
    let given = |fields: &str, body: &str| {
        let head = format!("HTTP/1.1 200 OK\r\n{fields}content-length: {}\r\n\r\n", body.len());
        let parsed = ResponseHead::parse(head.as_bytes(), false).unwrap();
        let answer = Answer { api: Api::OpenAiChat, head: &parsed, bytes: head.as_bytes(), body: body.as_bytes() };
        let mut inspector = Inspector::default();
        let edits = inspector.restorations(&vault, &answer);
        text(|write| splice(body.as_bytes(), &edits, write))
    };
    for (received, expected) in cases {
        let sent = given("content-type: application/json\r\n", &received.to_string());
        assert_eq!(serde_json::from_str::<Value>(&sent).unwrap(), expected, "{sent}");
    }
    assert_eq!(given("content-type: text/plain\r\n", "a [VALUE_1]"), format!("a {value}"));
    assert_eq!(given("", "[VALUE_2]"), "val<é>", "looks like JSON and is none");
    assert_eq!(given("content-type: image/png\r\n", "[VALUE_2]"), "[VALUE_2]");
}

#[test]
fn a_request_that_is_blocked_leaves_nothing_behind() {
    let block = "literals = ['secret']\ncode = \"DLP.CUSTOM.SECRET\"\naction = \"block\"";
    let policy = policy("", &[VALUE, block]);
    let mut inspector = Inspector::default();
    let body = r#"{"messages":[{"role":"user","content":"val<a> secret"}]}"#;
    let head = format!("POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len());
    let parsed = RequestHead::parse(head.as_bytes()).unwrap();
    let asked = |body| Message { head: &parsed, bytes: head.as_bytes(), body };
    assert_eq!(inspector.inspect(&policy, &asked(body.as_bytes())), Ok(Action::Block));
    assert_eq!(inspector.inspect(&policy, &asked(b"{}")), Ok(Action::Allow));
    assert!(inspector.take_vault().is_none());
}

/// The naive twin: the tolerance as a regular expression of each placeholder that was issued.
fn naive(names: &[(&str, &str)]) -> Regex {
    let forms = names.iter().map(|(word, number)| {
        let inner = format!(r" ?(?i:{word})(?:\\?[_-]| ){number} ?");
        format!(r"\\\[{inner}\\\]|\[{inner}\]")
    });
    Regex::new(&forms.collect::<Vec<_>>().join("|")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_put_back_is_what_was_taken_out(
        content in "(val<[a-c\"\\\\é ]{0,3}>|\\[|\\]|\\\\|\\[VALUE_[1-3]\\]|\\[value [1-3]|_1\\]|[a-zé \n]){0,14}",
        cuts in proptest::collection::vec(0..80_usize, 0..6),
    ) {
        static POLICY: LazyLock<Policy> = LazyLock::new(|| policy("", &[VALUE]));
        let (sent, vault) = message(&POLICY, &content);
        let vault = vault.unwrap_or_default();
        prop_assert!(vault.is_empty() || !sent.contains("val<"));
        prop_assert_eq!(&restored(&vault, sent.as_bytes()), &content);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(sent.len())).chain([0, sent.len()]).collect();
        cuts.sort_unstable();
        let fragments = cuts.windows(2).map(|cut| &sent.as_bytes()[cut[0]..cut[1]]);
        prop_assert_eq!(streamed(&vault, fragments), content);
    }

    #[test]
    fn nothing_is_expanded_but_what_was_issued(text in "([\\[\\]_ -]|\\\\|ab|AB_|A|B|b|1|12|2|\\[AB_1|\\[ab 12|x){0,12}") {
        let mut vault = Vault::default();
        prop_assert!(vault.keep("AB", 1, b"one") && vault.keep("B", 12, b"two"));
        let twin = naive(&[("AB", "1"), ("B", "12")]);
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(next) = vault.find(text.as_bytes(), from) {
            from = next.end;
            found.push((next.start, next.end));
        }
        let expected: Vec<_> = twin.find_iter(&text).map(|found| (found.start(), found.end())).collect();
        prop_assert_eq!(&found, &expected, "{}", text);
        // Cut anywhere inside, it is held back.
        for (start, end) in found {
            for cut in start + 1..end {
                prop_assert!(vault.open_at_end(&text.as_bytes()[..cut]).is_some_and(|open| open <= start), "{} {}", text, cut);
            }
        }
    }

    #[test]
    fn a_value_is_read_back_from_every_depth(value in any::<String>(), depth in 0..4_u8) {
        let mut inner = text(|mut write| write_escaped(value.as_bytes(), depth, &mut write));
        for _ in 0..depth {
            inner = serde_json::from_str(&format!("\"{inner}\"")).unwrap();
        }
        prop_assert_eq!(inner, value);
    }
}
