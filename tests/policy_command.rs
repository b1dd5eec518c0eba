//! The subcommand `policy`, run as a program: keys, signatures, checks, explanations, trials and comparisons, with their exit codes.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says no")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use penaxtra_gateway::policy::document::Document;
use penaxtra_gateway::policy::reference::reference;
use serde_json::Value;
use serde_json::json;

const RULE: &str = "[[rule]]\nid = \"5a1e7c0d-0000-4000-8000-00000000000a\"\ncode = \"DLP.CUSTOM.ORION\"\n\
                    literals = [\"project orion\"]\naction = \"block\"\n";

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("penaxtra-gateway-policy-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A path in it, as an argument.
    fn at(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        fs::write(self.0.join(name), text).unwrap();
        self.at(name)
    }

    /// A key pair: the paths of its private and its public half.
    fn keys(&self, name: &str) -> (String, String) {
        let (private, public) = (self.at(&format!("{name}.pem")), self.at(&format!("{name}.pub")));
        let (code, ..) = policy(&["keygen", "--out", &private, "--public", &public]);
        assert_eq!(code, 0);
        (private, public)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Exit code, standard output, standard error.
fn program(arguments: &[&str]) -> (i32, String, String) {
    let program = env!("CARGO_BIN_EXE_penaxtra-gateway");
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn policy(arguments: &[&str]) -> (i32, String, String) {
    program(&[&["policy"], arguments].concat())
}

fn document(version: u64) -> String {
    format!("version = {version}\ntenant = \"acme\"\n{RULE}")
}

#[test]
fn a_private_key_is_in_a_file_of_its_owner_and_nowhere_else() {
    let folder = Folder::new("keygen");
    let path = folder.at("key.pem");
    let (code, out, err) = policy(&["keygen", "--out", &path]);
    assert_eq!((code, err.as_str()), (0, ""));
    let lines: Vec<&str> = out.lines().collect();
    let [public, id] = lines.as_slice() else { panic!("{out}") };
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    assert!(digits(public.strip_prefix("public key: ").unwrap(), 64), "{out}");
    assert!(digits(id.strip_prefix("key id: ").unwrap(), 16), "{out}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let pem = fs::read_to_string(&path).unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----") && !out.contains(pem.lines().nth(1).unwrap()));
    let (code, out, err) = policy(&["keygen", "--out", &path]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert_eq!(fs::read_to_string(&path).unwrap(), pem, "a key is never written over");
    let (code, out, err) = policy(&["keygen", "--out", "-"]);
    assert!(code == 0 && out.starts_with("-----BEGIN PRIVATE KEY-----") && err.starts_with("public key: "));
}

#[test]
fn what_is_signed_is_verified_by_its_key_and_for_its_tenant_only() {
    let folder = Folder::new("sign");
    let (private, public) = folder.keys("own");
    let (_, other) = folder.keys("other");
    let text = folder.write("policy.toml", document(3));
    let bundle = folder.at("policy.pnx");
    let (code, out, err) = policy(&["sign", "--key", &private, "--out", &bundle, &text]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("signed: tenant acme, version 3, 1 rules, key "), "{out}");
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 6, "nothing is left behind");

    let digits = fs::read_to_string(&public).unwrap();
    let keys = format!("{other},{public}");
    for keys in [digits.trim(), &public, &keys] {
        let (code, out, err) = policy(&["verify", "--policy-key", keys, "--tenant", "acme", &bundle]);
        assert_eq!((code, out.as_str(), err.as_str()), (0, "taken: tenant acme, version 3, 1 rules\n", ""));
    }
    let refused: &[(&[&str], i32, &str)] = &[
        (&["--policy-key", &other, &bundle], 1, "refused: unknown_key: "),
        (&["--policy-key", &public, "--tenant=other", &bundle], 1, "refused: tenant: "),
        (&["--policy-key", &public, &text], 1, "refused: unsigned: "),
        (&["--policy-key", &public, &folder.at("absent")], 2, &folder.at("absent")),
        (&["--policy-key", &private, &bundle], 2, &private),
        (&["--policy-key", "0f", &bundle], 2, "--policy-key: want 64"),
        (&["--policy-key", &public, "--tenant=A", &bundle], 2, "--tenant: want 1 to 64"),
        (&[&bundle], 2, "error: "),
    ];
    for (arguments, expected, reason) in refused {
        let (code, out, err) = policy(&[&["verify"], *arguments].concat());
        assert_eq!((code, out.as_str()), (*expected, ""), "{arguments:?}: {err}");
        assert!(err.starts_with(reason), "{arguments:?}: {err}");
    }
    let mut bytes = fs::read(&bundle).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    assert!(policy(&["verify", "--policy-key", &public, &bundle]).2.starts_with("refused: signature: "));
}

#[test]
fn a_document_with_a_mistake_is_not_signed() {
    let folder = Folder::new("unsigned");
    let (private, public) = folder.keys("own");
    let text = folder.write("policy.toml", document(3).replace("\"block\"", "\"drop\""));
    let bundle = folder.at("policy.pnx");
    let (code, out, err) = policy(&["sign", "--key", &private, "--out", &bundle, &text]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(
        err.contains("policy.toml: line 7: rule 5a1e7c0d-0000-4000-8000-00000000000a: action: found \"drop\""),
        "{err}"
    );
    assert!(!Path::new(&bundle).exists());
    let text = folder.write("policy.toml", document(3));
    for rollback_to in ["0", "3", "4"] {
        let (code, _, err) =
            policy(&["sign", "--key", &private, "--out", &bundle, "--rollback-to", rollback_to, &text]);
        assert!(code == 1 && err.ends_with("wants a version lower than the document's own\n"), "{err}");
    }
    let (code, ..) = policy(&["sign", "--key", &private, "--out", &bundle, "--rollback-to", "2", &text]);
    assert_eq!(code, 0);
    assert!(fs::read_to_string(&bundle).unwrap().contains("\nrollback-to: 2\n"));
    let (code, _, err) = policy(&["sign", "--key", &public, "--out", &bundle, &text]);
    assert!(code == 2 && err.contains("holds no Ed25519 private key"), "{err}");
}

#[test]
fn check_tells_all_mistakes_and_what_is_likely_not_meant() {
    let folder = Folder::new("check");
    let good = folder.write("good.toml", document(3));
    let (code, out, err) = policy(&["check", &good]);
    assert_eq!((code, out, err), (0, format!("{good}: no mistake in version 3, 1 rules\n"), String::new()));
    let rest = "mode = \"shadow\"\n[[rule]]\nid = \"5a1e7c0d-0000-4000-8000-00000000000b\"\ncode = \"A.B\"\n\
                pattern = '[0-9]{4}[a-f]+'\naction = \"warn\"\n";
    let odd = folder.write("odd.toml", format!("{}{rest}", document(3)));
    let (code, _, err) = policy(&["check", &odd]);
    assert_eq!(code, 0);
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines.len(), 2, "{err}");
    assert!(
        lines[0].contains("odd.toml: warning: line 3: rule 5a1e7c0d-0000-4000-8000-00000000000a: is in shadow mode"),
        "{err}"
    );
    assert!(
        lines[1].contains("odd.toml: warning: line 9: rule 5a1e7c0d-0000-4000-8000-00000000000b: pattern: is slow"),
        "{err}"
    );
    let bad =
        folder.write("bad.toml", format!("verison = 1\ntenant = \"acme\"\n{}", RULE.replace("literals", "literal")));
    let (code, out, err) = policy(&["check", &bad, &good]);
    assert_eq!(code, 1);
    assert!(out.starts_with(&good), "the other file is checked too: {out}");
    for expected in [
        "bad.toml: line 1: unknown key \"verison\"",
        "bad.toml: line 1: version: missing",
        "bad.toml: line 3: rule 5a1e7c0d-0000-4000-8000-00000000000a: found none, want exactly one of",
        "bad.toml: line 6: rule 5a1e7c0d-0000-4000-8000-00000000000a: unknown key \"literal\"",
    ] {
        assert!(err.contains(expected), "{expected}: {err}");
    }
    assert_eq!(policy(&["check", &folder.at("absent")]).0, 2);
}

#[test]
fn explain_tells_the_built_in_policy_a_document_and_a_bundle() {
    let folder = Folder::new("explain");
    let (code, out, _) = policy(&["explain"]);
    assert!(code == 0 && out.starts_with("the built-in policy\n  holds always\n"), "{out}");
    let (private, _) = folder.keys("own");
    let text = folder.write("policy.toml", document(3));
    let bundle = folder.at("policy.pnx");
    assert_eq!(policy(&["sign", "--key", &private, "--out", &bundle, &text]).0, 0);
    let (_, told, _) = policy(&["explain", &text]);
    assert!(
        told.contains("looks for  \"project orion\", in any case\n") && told.contains("refuses the request"),
        "{told}"
    );
    assert_eq!(policy(&["explain", &bundle]).1, told);
    for wanted in ["5A1E7C0D-0000-4000-8000-00000000000A", "DLP", "DLP.CUSTOM", "DLP.CUSTOM.ORION"] {
        let (code, out, _) = policy(&["explain", "--rule", wanted, &text]);
        assert!(code == 0 && out.starts_with("\nrule 5a1e7c0d-"), "{wanted}: {out}");
    }
    for wanted in ["DLP.CUST", "5a1e7c0d-0000-4000-8000-00000000000b", "X"] {
        assert_eq!(policy(&["explain", "--rule", wanted, &text]).0, 1, "{wanted}");
    }
}

#[test]
fn the_reference_page_is_what_the_program_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policy.md");
    let (code, out, _) = policy(&["reference"]);
    assert_eq!((code, &out), (0, &reference()));
    let page = fs::read_to_string(path).unwrap_or_default();
    assert!(page == out, "docs/policy.md is not what `penaxtra-gateway policy reference` prints: write it anew");
}

#[test]
fn the_policy_in_the_reference_page_has_no_mistake() {
    let page = reference();
    let (_, behind) = page.split_once("```toml\n").unwrap();
    let (text, _) = behind.split_once("```").unwrap();
    let document = Document::parse(text).unwrap();
    assert!(document.rules.len() > 3);
}

#[test]
fn usage_is_told() {
    let cases: &[(&[&str], i32)] = &[
        (&["policy"], 2),
        (&["policy", "--help"], 0),
        (&["policy", "sing"], 2),
        (&["--log=info", "policy", "check"], 2),
    ];
    for (arguments, expected) in cases {
        let (code, out, err) = program(arguments);
        assert_eq!(code, *expected, "{arguments:?}: {out}{err}");
        assert_ne!(out.is_empty(), err.is_empty(), "{arguments:?}");
    }
    assert!(program(&["--help"]).1.contains("\n  policy "));
}

/// In two halves, so that this file holds no key.
const AWS_KEY: &str = concat!("AKIA", "Q7ZT2XV5JNLB3RWD");
const ADDRESS: &str = "anna.keller@nordwind-handel.de";

/// A policy of rules for literals that are their own codes' last words: (word, lines).
fn words(rules: &[(&str, &str)]) -> String {
    let rule = |(at, (word, lines)): (usize, &(&str, &str))| {
        let (id, code) = (format!("00000000-0000-4000-8000-{at:012x}"), word.to_uppercase());
        format!("[[rule]]\nid = \"{id}\"\ncode = \"DLP.CUSTOM.{code}\"\nliterals = [\"{word}\"]\n{lines}\n")
    };
    format!("version = 1\ntenant = \"acme\"\n{}", rules.iter().enumerate().map(rule).collect::<String>())
}

fn chat(content: impl Into<Value>) -> String {
    json!({"messages": [{"role": "user", "content": content.into()}]}).to_string()
}

/// Exit code, the lines of JSON on standard output, standard error.
fn told(arguments: &[&str]) -> (i32, Vec<Value>, String) {
    let (code, out, err) = policy(arguments);
    (code, out.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), err)
}

fn spans(finding: &Value) -> Vec<(usize, usize)> {
    let offset = |span: &Value, end: &str| usize::try_from(span[end].as_u64().unwrap()).unwrap();
    finding["spans"].as_array().unwrap().iter().map(|span| (offset(span, "start"), offset(span, "end"))).collect()
}

#[test]
fn test_says_what_a_gateway_would_do_and_fails_as_asked() {
    let folder = Folder::new("test");
    let rules = words(&[
        ("alpha", "action = \"warn\""),
        ("bravo", "action = \"redact\""),
        ("charlie", "action = \"block\""),
        ("delta", "action = \"block\"\nmode = \"shadow\""),
    ]);
    let rules = folder.write("policy.toml", rules);
    // name, body, verdict, reason, status, exit codes with --fail-on warn, redact, block, never
    type Case<'a> = (&'a str, String, &'a str, Value, Value, [i32; 4]);
    let cases: &[Case<'_>] = &[
        ("allow", chat("nothing"), "allow", Value::Null, Value::Null, [0, 0, 0, 0]),
        ("empty", String::new(), "allow", Value::Null, Value::Null, [0, 0, 0, 0]),
        ("warn", chat("alpha"), "warn", Value::Null, Value::Null, [1, 0, 0, 0]),
        ("shadow", chat("delta"), "warn", Value::Null, Value::Null, [1, 0, 0, 0]),
        ("redact", chat("alpha bravo"), "redact", Value::Null, Value::Null, [1, 1, 0, 0]),
        ("block", chat("bravo charlie"), "block", json!("DLP.CUSTOM.CHARLIE"), json!(403), [1, 1, 1, 0]),
        ("no JSON", "{\"a\"".to_owned(), "refuse", Value::Null, json!(400), [1, 1, 1, 0]),
        ("two readings", "{\"a\":1,\"a\":2}".to_owned(), "refuse", Value::Null, json!(400), [1, 1, 1, 0]),
        ("too much", chat("alpha ".repeat(9000)), "refuse", json!("POLICY.SCAN_LIMIT"), json!(403), [1, 1, 1, 0]),
    ];
    for (name, body, verdict, reason, status, codes) in cases {
        let body = folder.write("body.json", body);
        for (fail_on, expected) in ["warn", "redact", "block", "never"].iter().zip(codes) {
            let (code, lines, err) = told(&["test", "--policy", &rules, "--json", "--fail-on", fail_on, &body]);
            let [line] = lines.as_slice() else { panic!("{name}: {lines:?} {err}") };
            assert_eq!(
                (line["verdict"].as_str(), &line["reason"], &line["status"]),
                (Some(*verdict), reason, status),
                "{name}"
            );
            assert_eq!((code, line["name"].as_str()), (*expected, Some(body.as_str())), "{name}, {fail_on}");
        }
    }
}

#[test]
fn findings_have_their_places_in_the_bytes_of_the_body() {
    let folder = Folder::new("findings");
    let (first, rest) = ADDRESS.split_at(9);
    let escaped = ADDRESS.replace('a', "\\u0061");
    let body = format!(
        r#"{{"messages":[{{"role":"user","content":[{{"type":"text","text":"to {first}"}},{{"type":"text","text":"{rest} {escaped}"}}]}},
            {{"role":"assistant","tool_calls":[{{"id":"c","type":"function","function":{{"name":"f","arguments":"{{\"to\":\"{ADDRESS}\"}}"}}}}]}}]}}"#
    );
    let path = folder.write("body.json", &body);
    let (code, lines, err) = told(&["test", "--json", "--show-matches", "--print-redacted", &path]);
    assert_eq!((code, err.as_str()), (0, ""));
    let findings = lines[0]["findings"].as_array().unwrap();
    let expected = [
        (vec![first, rest], "body", "post-template", "user", ADDRESS),
        (vec![escaped.as_str()], "body", "post-template", "user", escaped.as_str()),
        (vec![ADDRESS], "tools", "tool-call", "assistant", ADDRESS),
    ];
    assert_eq!(findings.len(), expected.len(), "{findings:?}");
    for (finding, (texts, part, layer, role, matched)) in findings.iter().zip(expected) {
        let found: Vec<&str> = spans(finding).into_iter().map(|(start, end)| &body[start..end]).collect();
        assert_eq!(found, texts);
        let of = ["in", "part", "layer", "role", "match", "code", "action", "severity"]
            .map(|name| finding[name].as_str().unwrap());
        assert_eq!(of, ["body", part, layer, role, matched, "DLP.PII.EMAIL", "redact", "low"]);
    }
    let redacted = body
        .replacen(first, "[EMAIL_1]", 1)
        .replacen(&format!("{rest} {escaped}"), " [EMAIL_1]", 1)
        .replacen(ADDRESS, "[EMAIL_1]", 1);
    assert_eq!(lines[0]["redacted"], redacted);
}

#[test]
fn paths_types_and_fields_decide_how_a_body_is_read() {
    let folder = Folder::new("around");
    let everywhere = "action = \"block\"\nwhere = [\"body\", \"tools\", \"url\", \"headers\"]";
    let rules = folder.write("policy.toml", words(&[("alpha", everywhere)]));
    type Case<'a> = (&'a [&'a str], &'a str, &'a str, &'a str, &'a [(usize, usize)]);
    let cases: &[Case<'_>] = &[
        // arguments, body, verdict, what the finding points into, spans
        (&[], r#"{"messages":[{"role":"user","content":"alpha"}]}"#, "block", "body", &[(39, 44)]),
        (&["--path=/v1/messages"], r#"{"system":"alpha"}"#, "block", "body", &[(11, 16)]),
        (&["--path=/x", "--content-type=text/plain"], "an alpha", "block", "body", &[(3, 8)]),
        (&["--path=/x", "--content-type="], "an alpha", "block", "body", &[(3, 8)]),
        (&["--path=/x", "--content-type=application/x-www-form-urlencoded"], "a=%61lpha", "block", "body", &[(2, 9)]),
        (&["--path=/x", "--content-type=image/png"], "alpha", "refuse", "", &[]),
        (&["--path=/v1/alpha?q=1"], "{}", "block", "url", &[(4, 9)]),
        (&["--path=/x?q=al%70ha"], "{}", "block", "url", &[(5, 12)]),
        (&["--header", "X-Note:  an alpha"], "{}", "block", "x-note", &[(3, 8)]),
        (&["--header", "authorization: alpha"], "{}", "allow", "", &[]),
    ];
    for (arguments, body, verdict, target, expected) in cases {
        let body = folder.write("body", body);
        let (_, lines, err) = told(&[&["test", "--json", "--policy", &rules], *arguments, &[&body]].concat());
        assert_eq!((lines.len(), lines[0]["verdict"].as_str()), (1, Some(*verdict)), "{arguments:?}: {err}");
        let findings = lines[0]["findings"].as_array().unwrap();
        assert_eq!(findings.len(), expected.len(), "{arguments:?}");
        for finding in findings {
            assert_eq!(
                (finding["in"].as_str(), spans(finding).as_slice()),
                (Some(*target), *expected),
                "{arguments:?}"
            );
        }
    }
}

#[test]
fn texts_have_lines_and_columns_and_a_speaker() {
    let folder = Folder::new("texts");
    let rules =
        [("alpha", "action = \"redact\"\nroles = [\"user\"]"), ("bravo", "action = \"block\"\nwhere = [\"tools\"]")];
    let rules = folder.write("policy.toml", words(&rules));
    let text = folder.write("notes.txt", "\"quoted\"\tand \\ é😀 alpha\r\n\nno\nbravo alpha\n");
    // arguments, then for each line of output: verdict, places of findings (line, column, bytes)
    type Places<'a> = &'a [(u64, u64, (usize, usize))];
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, Places<'a>)]);
    let cases: &[Case<'_>] = &[
        (&["--text"], &[("redact", &[(1, 19, (22, 27)), (4, 7, (39, 44))])]),
        (&["--text", "--role=system"], &[("allow", &[])]),
        (&["--text", "--role=tool"], &[("block", &[(4, 1, (33, 38))])]),
        (&["--lines"], &[("redact", &[(1, 19, (22, 27))]), ("allow", &[]), ("redact", &[(4, 7, (6, 11))])]),
    ];
    for (arguments, expected) in cases {
        let (_, lines, err) = told(&[&["test", "--json", "--policy", &rules], *arguments, &[&text]].concat());
        let found: Vec<_> = lines
            .iter()
            .map(|line| {
                let place = |finding: &Value| {
                    let span = &finding["spans"][0];
                    (span["line"].as_u64().unwrap(), span["column"].as_u64().unwrap(), spans(finding)[0])
                };
                assert!(line["findings"].as_array().unwrap().iter().all(|finding| finding["in"] == "text"));
                (
                    line["verdict"].as_str().unwrap(),
                    line["findings"].as_array().unwrap().iter().map(place).collect::<Vec<_>>(),
                )
            })
            .collect();
        let expected: Vec<_> = expected.iter().map(|(verdict, places)| (*verdict, places.to_vec())).collect();
        assert_eq!(found, expected, "{arguments:?}: {err}");
    }
    let (_, lines, _) = told(&["test", "--json", "--policy", &rules, "--lines", "--print-redacted", &text]);
    let names: Vec<&str> = lines.iter().map(|line| line["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["1", "3", "4"].map(|line| format!("{text}:{line}")));
    assert_eq!(
        (&lines[0]["redacted"], &lines[2]["redacted"]),
        (&json!("\"quoted\"\tand \\ é😀 [ALPHA]"), &json!("bravo [ALPHA]"))
    );
}

#[test]
fn no_byte_of_a_prompt_is_printed_unless_asked_for() {
    let folder = Folder::new("silent");
    let canary = "canary-7f31\u{1b}[2J";
    let rules = folder.write(
        "policy.toml",
        words(&[("canary-7f31\\u001b[2J", "action = \"redact\"\nplaceholder = \"C\"")])
            .replace("CANARY-7F31\\U001B[2J", "CANARY"),
    );
    let body = folder.write("body.json", chat(format!("secret {canary} prompt")));
    folder.write("broken.json", format!("{{\"secret {canary} prompt\""));
    let latin = folder.write("latin.txt", b"secret canary-7f31 \xe9");
    let at = folder.0.to_str().unwrap();
    for arguments in [
        &["test", "--policy", &rules, at][..],
        &["test", "--policy", &rules, "--json", at],
        &["test", "--policy", &rules, "--text", &body, &latin],
        &["test", "--policy", &rules, "--lines", "--json", &body],
        &["diff", "built-in", &rules, at],
        &["diff", "--json", "built-in", &rules, at],
    ] {
        let (code, out, err) = policy(arguments);
        assert!(code < 3 && !out.is_empty(), "{arguments:?}: {err}");
        for word in ["canary-7f31", "secret", "prompt"] {
            assert!(!out.contains(word) && !err.contains(word), "{arguments:?}: {out}{err}");
        }
    }
    let (_, out, _) =
        policy(&["test", "--policy", &rules, "--text", "--show-matches", &folder.write("plain.txt", canary)]);
    assert!(out.contains("\"canary-7f31\\u{1b}[2J\"") && !out.contains('\u{1b}'), "quoted for a terminal: {out}");
    let (_, out, _) = policy(&["test", "--policy", &rules, "--print-redacted", &body]);
    assert!(out.contains("secret [C] prompt") && !out.contains("canary"), "{out}");
}

#[test]
fn what_cannot_be_tried_is_told_and_the_rest_is_tried() {
    let folder = Folder::new("untried");
    let good = folder.write("good.json", chat(AWS_KEY));
    let (absent, latin) = (folder.at("absent"), folder.write("latin.txt", b"caf\xe9"));
    let bad = folder.write("bad.toml", document(3).replace("\"block\"", "\"drop\""));
    let text = folder.write("policy.toml", document(3));
    let over = folder.write("over.toml", format!("not_after = 2020-01-01T00:00:00Z\n{}", document(3)));
    let cases: &[(&[&str], i32, &str, &str)] = &[
        // arguments, exit code, begin of standard output, standard error holds
        (
            &["test", &absent, &good],
            2,
            &format!("{good}: block 403 DLP.SECRET.AWS_ACCESS_KEY\n"),
            "absent: No such file",
        ),
        (&["test", "--text", &latin, &good], 2, &format!("{good}: block"), "latin.txt: not UTF-8 at byte 3\n"),
        (&["test", &latin], 1, &format!("{latin}: refuse 400 invalid_json: "), ""),
        (&["test", "--policy", &bad, &good], 2, "", "bad.toml: line 7: rule "),
        (&["test", "--policy", &absent, &good], 2, "", "absent: No such file"),
        (
            &["test", "--policy", &over, &good],
            0,
            &format!("{good}: allow\n1 tried: 1 allow\n"),
            "warning: its time is over\n",
        ),
        (&["test"], 2, "", "error: "),
        (&["test", "--role=user", &good], 2, "", "--text"),
        (&["test", "--text", "--lines", &good], 2, "", "cannot be used with"),
        (&["test", "--text", "--path=/x", &good], 2, "", "cannot be used with"),
        (&["test", "--path=/a b", &good], 2, "", "--path"),
        (&["test", "--path=x", &good], 2, "", "(target)"),
        (&["test", "--header=a: b\r\nc: d", &good], 2, "", "no control characters"),
        (&["test", "--header=content-length: 3", &good], 2, "", "(framing)"),
        (&["test", "--header=content-encoding: gzip", &good], 2, "", "content coding"),
        (&["diff", &text, &text], 2, "", "error: "),
        (&["diff", &text, &bad, &good], 2, "", "bad.toml: line 7: rule "),
        (&["diff", &absent, &text, &good], 2, "", "absent: No such file"),
        (&["diff", "built-in", &text, &absent, &good], 2, &format!("{good}: block"), "absent: No such file"),
    ];
    for (arguments, expected, begin, reason) in cases {
        let (code, out, err) = policy(arguments);
        assert_eq!(code, *expected, "{arguments:?}: {out}{err}");
        assert!(out.starts_with(begin) && (out.is_empty() == begin.is_empty()), "{arguments:?}: {out}");
        assert!(err.contains(reason) && err.is_empty() == reason.is_empty(), "{arguments:?}: {err}");
    }
}

#[test]
fn standard_input_and_bundles_are_taken() {
    let folder = Folder::new("piped");
    let (private, _) = folder.keys("own");
    let (text, bundle) = (folder.write("policy.toml", document(3)), folder.at("policy.pnx"));
    assert_eq!(policy(&["sign", "--key", &private, "--out", &bundle, &text]).0, 0);
    for rules in [&text, &bundle] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_penaxtra-gateway"))
            .args(["policy", "test", "--text", "--policy", rules, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(b"about\nProject Orion").unwrap();
        let output = child.wait_with_output().unwrap();
        let expected = "-: block 403 DLP.CUSTOM.ORION\n  text 2:1 6..19  block  medium  DLP.CUSTOM.ORION  body/post-template/user  \
                        rule 5a1e7c0d-0000-4000-8000-00000000000a\n1 tried: 1 block\n";
        assert_eq!((output.status.code(), String::from_utf8(output.stdout).unwrap().as_str()), (Some(1), expected));
    }
}

#[test]
fn diff_tells_what_is_decided_differently_and_nothing_else() {
    let folder = Folder::new("diff");
    let old = [("alpha", "action = \"warn\""), ("bravo", "action = \"redact\""), ("charlie", "action = \"block\"")];
    // The same decisions by other rules, and then one change for each kind of difference.
    let moved = [old[2], old[0], old[1]];
    let harder = [("alpha", "action = \"redact\""), old[1], old[2]];
    let severe = [("alpha", "action = \"warn\"\nseverity = \"high\""), old[1], old[2]];
    let word = [old[0], ("bravo", "action = \"redact\"\nplaceholder = \"B\""), old[2]];
    let fewer = [old[0], old[1]];
    let more = [old[0], old[1], old[2], ("nothing", "action = \"warn\"")];
    let bodies = folder.at("bodies");
    fs::create_dir_all(folder.0.join("bodies/deep/er")).unwrap();
    // Written in another order than they are told in.
    for (name, text) in [
        ("z.json", "alpha"),
        ("deep/er/b.json", "nothing"),
        ("deep/a.json", "bravo charlie"),
        ("a.json", "alpha bravo"),
    ] {
        folder.write(&format!("bodies/{name}"), chat(text));
    }
    std::os::unix::fs::symlink(&bodies, folder.0.join("bodies/deep/circle")).unwrap();
    let old_path = folder.write("old.toml", words(&old));
    // new policy, then of each body that differs: name, verdicts, how many findings only the old has, only the new, and both otherwise
    type Told<'a> = (&'a str, &'a str, &'a str, [usize; 3]);
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [Told<'a>]);
    let cases: &[Case<'_>] = &[
        (&old, &[]),
        (&moved, &[]),
        (&harder, &[("a.json", "redact", "redact", [0, 0, 1]), ("z.json", "warn", "redact", [0, 0, 1])]),
        (&severe, &[("a.json", "redact", "redact", [0, 0, 1]), ("z.json", "warn", "warn", [0, 0, 1])]),
        (&word, &[("a.json", "redact", "redact", [0, 0, 1]), ("deep/a.json", "block", "block", [0, 0, 1])]),
        (&fewer, &[("deep/a.json", "block", "redact", [1, 0, 0])]),
        (&more, &[("deep/er/b.json", "allow", "warn", [0, 1, 0])]),
    ];
    for (rules, expected) in cases {
        let new_path = folder.write("new.toml", words(rules));
        let (code, mut lines, err) = told(&["diff", "--json", &old_path, &new_path, &bodies]);
        assert_eq!((code, err.as_str()), (i32::from(!expected.is_empty()), ""), "{rules:?}");
        assert_eq!(lines.pop().unwrap(), json!({"summary": {"bodies": 4, "different": expected.len()}}), "{rules:?}");
        let count = |line: &Value, name: &str| line[name].as_array().unwrap().len();
        let found: Vec<_> = lines
            .iter()
            .map(|line| {
                let name = line["name"].as_str().unwrap().strip_prefix(&bodies).unwrap().trim_start_matches('/');
                let verdict = |side: &str| line[side]["verdict"].as_str().unwrap();
                (
                    name,
                    verdict("old"),
                    verdict("new"),
                    ["only_old", "only_new", "changed"].map(|name| count(line, name)),
                )
            })
            .collect();
        assert_eq!(found, *expected, "{rules:?}");
    }
    let new_path = folder.write("new.toml", words(&fewer));
    let (code, out, _) = policy(&["diff", &old_path, &new_path, &bodies]);
    let expected = format!(
        "{bodies}/deep/a.json: block 403 DLP.CUSTOM.CHARLIE -> redact\n  - body 31..38  block  medium  DLP.CUSTOM.CHARLIE  \
         body/post-template/user  rule 00000000-0000-4000-8000-000000000002\n4 bodies, 1 decided differently\n"
    );
    assert_eq!((code, out), (1, expected));
    assert_eq!(policy(&["diff", "built-in", "built-in", &bodies]).0, 0);
}
