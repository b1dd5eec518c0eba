//! The subcommand `policy`, run as a program: keys, signatures, checks and explanations, with their exit codes.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says no")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use penaxtra_gateway::policy::document::Document;
use penaxtra_gateway::policy::reference::reference;

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

    fn write(&self, name: &str, text: &str) -> String {
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
    let text = folder.write("policy.toml", &document(3));
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
    let text = folder.write("policy.toml", &document(3).replace("\"block\"", "\"drop\""));
    let bundle = folder.at("policy.pnx");
    let (code, out, err) = policy(&["sign", "--key", &private, "--out", &bundle, &text]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(
        err.contains("policy.toml: line 7: rule 5a1e7c0d-0000-4000-8000-00000000000a: action: found \"drop\""),
        "{err}"
    );
    assert!(!Path::new(&bundle).exists());
    let text = folder.write("policy.toml", &document(3));
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
    let good = folder.write("good.toml", &document(3));
    let (code, out, err) = policy(&["check", &good]);
    assert_eq!((code, out, err), (0, format!("{good}: no mistake in version 3, 1 rules\n"), String::new()));
    let rest = "mode = \"shadow\"\n[[rule]]\nid = \"5a1e7c0d-0000-4000-8000-00000000000b\"\ncode = \"A.B\"\n\
                pattern = '[0-9]{4}[a-f]+'\naction = \"warn\"\n";
    let odd = folder.write("odd.toml", &format!("{}{rest}", document(3)));
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
        folder.write("bad.toml", &format!("verison = 1\ntenant = \"acme\"\n{}", RULE.replace("literals", "literal")));
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
    let text = folder.write("policy.toml", &document(3));
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
