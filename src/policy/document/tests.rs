//! Each mistake that a document can have, its line and its words.

use std::time::Duration;

use proptest::proptest;

use super::Document;
use crate::extract::Layer;
use crate::extract::Part;
use crate::extract::Place;
use crate::extract::Role;
use crate::inspect::detector::Severity;
use crate::policy::Action;
use crate::policy::Origin;
use crate::policy::Policy;
use crate::policy::Scope;
use crate::policy::Unread;
use crate::policy::answers::Answers;
use crate::policy::answers::Overdue;
use crate::policy::answers::Oversize;
use crate::policy::compile::compile;
use crate::policy::key;
use crate::policy::tools::ToolVerdict;

const HEAD: &str = "version = 7\ntenant = \"acme\"\n";
const B: &str = "id = \"00000000-0000-0000-0000-00000000000b\"\n";
const A: &str = "id = \"00000000-0000-0000-0000-00000000000a\"\n";

/// A rule that begins on line 3 of a document with `HEAD`; what is given begins on line 5.
fn with(rule: &str) -> String {
    format!("{HEAD}[[rule]]\n{A}{rule}")
}

fn mistakes(text: &str) -> Vec<String> {
    let mistakes = match Document::parse(text) {
        Ok(document) => compile(&document, Origin::Unsigned, [0; 32]).map(|_| ()).unwrap_err(),
        Err(mistakes) => mistakes,
    };
    mistakes.iter().map(ToString::to_string).collect()
}

#[test]
fn a_rule_decides_where_it_holds() {
    let document = Document::parse(&with("code = \"A.B\"\npattern = \"[a-z]{4}\"\naction = \"block\"\n")).unwrap();
    let policy = compile(&document, Origin::Unsigned, [0; 32]).unwrap();
    let place = |part| Place { part, layer: Layer::PostTemplate, role: Role::User };
    let rule = policy.rule_for(0, Scope::Request, place(Part::Body)).unwrap();
    assert_eq!((rule.action, rule.severity, &*rule.placeholder.word), (Action::Block, Severity::Medium, "B"));
    assert!(policy.rule_for(0, Scope::Response, place(Part::Body)).is_none());
    assert!(policy.looks_at(Scope::Request, Part::Body) && !policy.looks_at(Scope::Request, Part::Url));
    assert_eq!(Policy::built_in().version(), 0);
}

fn check(text: &str, expected: &[&str]) {
    let found = mistakes(text);
    assert_eq!(found.len(), expected.len(), "{text:?}: {found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{text:?}: {found:?} is not {expected:?}");
        assert!(!found.contains('\n'), "{found:?}");
    }
}

#[test]
fn every_mistake_of_a_document_has_its_line() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["line 1: version: missing, want an integer", "line 1: tenant: missing, want 1 to 64"]),
        ("version = 0\ntenant = 'A'", &["line 1: version: found \"0\"", "line 2: tenant: found \"A\", want 1 to 64"]),
        ("version = -1\ntenant = ''", &["line 1: version: found \"-1\"", "line 2: tenant: found \"\""]),
        ("version = 1.0\ntenant = 1", &["line 1: version: found \"1.0\"", "line 2: tenant: found \"1\""]),
        ("version = '1'\ntenant = 'a/b'", &["line 1: version: found \"1\"", "line 2: tenant: found \"a/b\""]),
        ("version = 99999999999999999999\ntenant = 'a'", &["line 1: version: found "]),
        ("version = \n[[rule]\n", &["line 1: not TOML: ", "line 2: not TOML: unclosed array table, expected `]`"]),
        ("version = 1\nversion = 2", &["line 2: not TOML: duplicate key"]),
        (
            "tenant = 'a'\nversion = 1\nvresion = 2\n[other]\n",
            &["line 3: unknown key \"vresion\"", "line 4: unknown key \"other\""],
        ),
    ];
    for (text, expected) in cases {
        check(text, expected);
    }
    let cases: &[(&str, &[&str])] = &[
        (
            "not_before = '2026-11-25T00:00:00Z'",
            &["line 3: not_before: found \"2026-11-25T00:00:00Z\", want a date-time"],
        ),
        ("not_before = 2026-11-25", &["line 3: not_before: found 2026-11-25, want"]),
        ("not_before = 2026-11-25T00:00:00", &["line 3: not_before: found 2026-11-25T00:00:00, want"]),
        ("not_after = 2026-11-25T00:00:00.5Z", &["line 3: not_after: found"]),
        ("not_after = 1969-12-31T00:00:00Z", &["line 3: not_after: found"]),
        (
            "not_before = 2026-11-25T00:00:00Z\nnot_after = 2026-11-25T01:00:00+01:00",
            &["line 4: not_after: is not later than not_before"],
        ),
        ("path_key = 'deadbeef'", &["line 3: path_key: found another text, want 64"]),
        ("path_key = 5", &["line 3: path_key: found \"5\", want 64"]),
        ("rule = 5", &["line 3: rule: found \"5\", want tables"]),
        ("rule = [5]", &["line 3: rule: found \"5\", want a table"]),
        ("defaults = 5", &["line 3: defaults: found \"5\", want a table"]),
        (
            "[defaults]\naction = 'drop'\nmode = 'dry'\nseverity = 'bad'\nscope = []\nwhere = ['body', 'body']\n\
             placeholder = 'X'\ncontent = true\nmedia = 'block'\nkind = 1",
            &[
                "line 4: action: found \"drop\", want `allow`, `warn`, `redact`, `tokenise` or `block`",
                "line 5: mode: found \"dry\", want `enforce` or `shadow`",
                "line 6: severity: found \"bad\", want `info`",
                "line 7: scope: found an empty list",
                "line 8: where: `body` is there twice",
                "line 9: placeholder: found \"X\", want `fixed` or `numbered`",
                "line 10: content: found true, want `forward` or `refuse`",
                "line 11: media: found \"block\", want",
                "line 12: unknown key \"kind\"",
            ],
        ),
    ];
    for (text, expected) in cases {
        check(&format!("{HEAD}{text}"), expected);
    }
}

#[test]
fn every_mistake_of_a_rule_has_its_line_and_its_rule() {
    // What stands behind the id of a rule at line 3, and the mistakes, each at a line and of this rule.
    let cases: &[(&str, &[(usize, &str)])] = &[
        ("", &[(3, "found none, want exactly one of detector"), (3, "action: missing")]),
        ("action = 'warn'\ncode = 'A.B'", &[(3, "found none, want exactly one")]),
        ("action = 'warn'\npattern = 'abc'", &[(3, "code: missing, want two to four words")]),
        ("action = 'warn'\npattern = 'abc'\ncode = 'a.b'", &[(7, "code: found \"a.b\", want")]),
        (
            "action = 'warn'\npattern = 'abc'\nliterals = ['abc']\ncode = 'A.B'",
            &[(3, "found pattern and literals, want exactly one")],
        ),
        ("action = 'drop'\npattern = 'abc'\ncode = 'A.B'", &[(5, "action: found \"drop\", want")]),
        ("action = 'warn'\ndetector = 'e-mail'", &[(6, "detector: found \"e-mail\", want one of ")]),
        ("action = 'warn'\ndetector = 1", &[(6, "detector: found \"1\", want the name")]),
        ("action = 'warn'\ncode = 'A.B'\npattern = ''", &[(7, "pattern: found \"\", want a regular expression")]),
        ("action = 'warn'\ncode = 'A.B'\npattern = '(a'", &[(7, "pattern: unclosed group")]),
        ("action = 'warn'\ncode = 'A.B'\npattern = 'a*'", &[(7, "pattern: matches the empty text")]),
        ("action = 'warn'\ncode = 'A.B'\nliterals = []", &[(7, "literals: found 0 texts")]),
        ("action = 'warn'\ncode = 'A.B'\nliterals = 'abc'", &[(7, "literals: found \"abc\", want a list of texts")]),
        (
            "action = 'warn'\ncode = 'A.B'\nliterals = [\n'abc',\n'ab',\n5]",
            &[(9, "literals: found \"ab\", want a text of 3 to 256")],
        ),
        (
            "action = 'warn'\ncode = 'A.B'\nliterals = ['abc']\nwhole_words = 1",
            &[(8, "whole_words: found \"1\", want true or false")],
        ),
        ("action = 'warn'\ncase_sensitive = true\nwhole_words = true\n", &[(3, "found none, want exactly one")]),
    ];
    for (text, expected) in cases {
        let expected: Vec<String> = expected
            .iter()
            .map(|(line, text)| format!("line {line}: rule 00000000-0000-0000-0000-00000000000a: {text}"))
            .collect();
        check(&with(text), &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn what_may_not_stand_beside_a_pattern_has_its_line() {
    const P: &str = "code = 'A.B'\npattern = '[a-z]{4}'\n";
    // What stands behind a pattern, from line 8 on.
    let cases: &[(&str, &[(usize, &str)])] = &[
        ("kind = 1", &[(8, "unknown key \"kind\"")]),
        (
            "case_sensitive = true\nwhole_words = true",
            &[(8, "case_sensitive: is for literals"), (9, "whole_words: is for literals")],
        ),
        ("validator = 'mod97'", &[(8, "validator: found \"mod97\", want `luhn` or `iban`")]),
        ("validator = 'luhn'", &[(8, "validator: the pattern matches no digit")]),
        ("context = []", &[(8, "context: found 0 texts, want 1 to 64")]),
        ("context = ['a']", &[(8, "context: found \"a\", want a text of 2 to 64")]),
        ("context = 'card'", &[(8, "context: found \"card\", want a list")]),
        ("entropy = 8.5", &[(8, "entropy: found \"8.5\", want a number from 0 to 8")]),
        ("entropy = -1", &[(8, "entropy: found \"-1\", want")]),
        ("entropy = nan", &[(8, "entropy: found \"nan\", want")]),
        ("entropy = '3'", &[(8, "entropy: found \"3\", want")]),
        ("scope = ['answer']", &[(8, "scope: found \"answer\", want `request` or `response`")]),
        ("scope = 'request'", &[(8, "scope: found \"request\", want a list of `request` or `response`")]),
        ("where = []", &[(8, "where: found an empty list")]),
        ("where = ['headers']\nroles = ['user']", &[(8, "where: nothing in `headers` has these roles and layers")]),
        ("where = ['body', 'url']\nroles = ['user']", &[(8, "where: nothing in `url` has these")]),
        ("where = ['tools']\nlayers = ['pre-template']", &[(8, "where: nothing in `tools` has these")]),
        ("layers = ['template']", &[(8, "layers: found \"template\", want `pre-template`")]),
        ("roles = ['developer']", &[(8, "roles: found \"developer\", want `system`, `user`, `assistant` or `tool`")]),
        ("severity = 1", &[(8, "severity: found \"1\", want")]),
        ("mode = 'off'", &[(8, "mode: found \"off\", want")]),
        ("placeholder = 'X'", &[(8, "placeholder: has no effect, since the action is not `redact` or `tokenise`")]),
        ("numbered = true", &[(8, "numbered: has no effect")]),
    ];
    for (text, expected) in cases {
        let expected: Vec<String> = expected
            .iter()
            .map(|(line, text)| format!("line {line}: rule 00000000-0000-0000-0000-00000000000a: {text}"))
            .collect();
        check(&with(&format!("action = 'warn'\n{P}{text}")), &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
    check(
        &with(&format!("{P}action = 'allow'\nmode = 'shadow'")),
        &["line 8: rule 00000000-0000-0000-0000-00000000000a: mode: "],
    );
    for wrong in ["''", "'[X]'", "'x'", "'ABCDEFGHIJKLMNOPQRSTUVWXYZ1234567'", "5"] {
        let text = with(&format!("{P}action = 'redact'\nplaceholder = {wrong}"));
        check(&text, &["line 8: rule 00000000-0000-0000-0000-00000000000a: placeholder: found "]);
    }
    for wrong in ["''", "5", "'00000000-0000-0000-0000-000000000000'", "'0000000000000000000000000000000a'"] {
        check(&format!("{HEAD}[[rule]]\nid = {wrong}\naction = 'warn'\n{P}"), &["line 4: id: found "]);
    }
    check(&format!("{HEAD}[[rule]]\naction = 'warn'\n{P}"), &["line 3: id: missing, want a UUID"]);
}

#[test]
fn what_is_tokenised_is_of_requests_and_numbered() {
    const P: &str = "code = 'A.B'\npattern = '[a-z]{4}'\n";
    const ID: &str = "rule 00000000-0000-0000-0000-00000000000a: ";
    let contradictory = format!("{ID}action: contradictory rule, `tokenise` is for requests only");
    let no_effect = format!("{ID}numbered: has no effect, since what is tokenised is always numbered");
    // What stands behind a pattern, from line 7 on, and the mistakes.
    let cases: &[(&str, &[(usize, &str)])] = &[
        ("scope = ['response']\naction = 'tokenise'", &[(7, &contradictory)]),
        ("action = 'tokenise'\nscope = ['request', 'response']", &[(8, &contradictory)]),
        ("action = 'tokenise'\nnumbered = true", &[(8, &no_effect)]),
        ("action = 'tokenise'\nnumbered = false\nscope = ['response']", &[(8, &no_effect), (9, &contradictory)]),
    ];
    for (text, expected) in cases {
        let expected: Vec<String> = expected.iter().map(|(line, text)| format!("line {line}: {text}")).collect();
        check(&with(&format!("{P}{text}")), &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
    // Neither key stands in the rule itself: its action is the defaults', and so is its scope.
    let inherited = |scope: &str| format!("{HEAD}[defaults]\naction = 'tokenise'\nscope = {scope}\n[[rule]]\n{A}{P}");
    check(&inherited("['response']"), &[&format!("line 6: {contradictory}")]);
    let policy = compile(&Document::parse(&inherited("['request']")).unwrap(), Origin::Unsigned, [0; 32]).unwrap();
    let [rule] = policy.rules() else { panic!("one rule") };
    assert_eq!((rule.action, rule.placeholder.numbered, &*rule.placeholder.word), (Action::Tokenise, true, "B"));
    let named = with(&format!("{P}action = 'tokenise'\nplaceholder = 'NAME'\nmode = 'shadow'"));
    let policy = compile(&Document::parse(&named).unwrap(), Origin::Unsigned, [0; 32]).unwrap();
    assert_eq!(policy.rules().first().map(|rule| (rule.action, &*rule.placeholder.word)), Some((Action::Warn, "NAME")));
    assert!(Action::Redact < Action::Tokenise && Action::Tokenise < Action::Block);
}

#[test]
fn every_mistake_about_tools_and_answers_has_its_line() {
    let want = "want a name of 1 to 256 bytes in NFKC";
    let wants = |found: &str| format!("line 4: deny: found {found}, {want}");
    let many = format!("[tools]\ndeny = [{}]", "'a',".repeat(1001));
    let cases: &[(&str, &[&str])] = &[
        ("tools = 5", &["line 3: tools: found \"5\", want a table"]),
        ("[tools]\naction = 'block'", &["line 3: tools: found neither allow nor deny, want one or both"]),
        ("[tools]\ndeny = []", &["line 4: deny: found 0 names, want 1 to 1000"]),
        (&many, &["line 4: deny: found 1001 names, want 1 to 1000"]),
        ("[tools]\nallow = 'get'", &["line 4: allow: found \"get\", want a list of names of tools"]),
        ("[tools]\ndeny = ['']", &[&wants("\"\"")]),
        ("[tools]\ndeny = ['a b']", &[&wants("\"a b\"")]),
        ("[tools]\ndeny = ['a*b']", &[&wants("\"a*b\"")]),
        ("[tools]\ndeny = ['a\u{200b}']", &[&wants("\"a\\u{200b}\"")]),
        ("[tools]\ndeny = [5]", &[&wants("\"5\"")]),
        ("[tools]\ndeny = ['a']\naction = 'redact'", &["line 5: action: found \"redact\", want `block` or `warn`"]),
        ("[tools]\ndeny = ['a']\nmode = 'shadow'", &["line 5: unknown key \"mode\""]),
        ("[tools]\nallow = [\n'ab*',\n'abc']", &["line 6: allow: \"abc\" is there already: \"ab*\" at line 5"]),
        (
            "[tools]\nallow = ['ab*', 'abc',\n'x']\ndeny = ['x', 'a*']",
            &[
                "line 4: allow: \"abc\" is there already: \"ab*\" at line 4",
                "line 4: allow: \"ab*\" is never allowed: line 6 denies \"a*\"",
                "line 5: allow: \"x\" is never allowed: line 6 denies \"x\"",
            ],
        ),
        ("answers = true", &["line 3: answers: found true, want a table"]),
        (
            "[answers]\noversize = 'pass'\nhold_bytes = 511\nhold_ms = 0\nat_hold_limit = 'warn'\nhold = 1",
            &[
                "line 4: oversize: found \"pass\", want `refuse` or `scan`",
                "line 5: hold_bytes: found \"511\", want an integer, 512 to 65536",
                "line 6: hold_ms: found \"0\", want an integer, 1 to 30000",
                "line 7: at_hold_limit: found \"warn\", want `redact`, `release` or `block`",
                "line 8: unknown key \"hold\"",
            ],
        ),
        (
            "[answers]\nhold_bytes = 65537\nhold_ms = 30001",
            &["line 4: hold_bytes: found \"65537\"", "line 5: hold_ms: found \"30001\""],
        ),
        ("[answers]\nhold_ms = 1.5", &["line 4: hold_ms: found \"1.5\", want an integer, 1 to 30000"]),
    ];
    for (text, expected) in cases {
        check(&format!("{HEAD}{text}"), expected);
    }
}

#[test]
fn tools_and_answers_are_as_the_document_says() {
    let read =
        |text: &str| compile(&Document::parse(&format!("{HEAD}{text}")).unwrap(), Origin::Unsigned, [0; 32]).unwrap();
    let plain = read("");
    assert!(plain.tools().is_empty());
    let expected = Answers {
        oversize: Oversize::Refuse,
        hold_bytes: 4096,
        hold_time: Duration::from_secs(2),
        at_hold_limit: Overdue::Redact,
    };
    assert_eq!(*plain.answers(), expected);
    let said = read(
        "[answers]\noversize = 'scan'\nhold_bytes = 512\nhold_ms = 30_000\nat_hold_limit = 'block'\n\
         [tools]\nallow = ['get_*']\ndeny = ['get_secret']\naction = 'warn'",
    );
    let expected = Answers {
        oversize: Oversize::Scan,
        hold_bytes: 512,
        hold_time: Duration::from_secs(30),
        at_hold_limit: Overdue::Block,
    };
    assert_eq!(*said.answers(), expected);
    let verdicts = ["get_a", "get_secret", "set_a"].map(|name| said.tools().decide(name.as_bytes()));
    assert_eq!(verdicts, [ToolVerdict::Allow, ToolVerdict::Warn, ToolVerdict::Warn]);
    // What the reference page says is what the reader takes.
    let value = |name: &str| key::ANSWERS.iter().find(|key| key.name == name).map(|key| (key.value, key.default));
    assert_eq!(value("hold_bytes"), Some(("integer, 512 to 65536", "4096")));
    assert_eq!(value("hold_ms"), Some(("integer, 1 to 30000", "2000")));
    assert!(key::TOOLS.iter().take(2).all(|key| key.value == "list of names, 1 to 1000"));
}

#[test]
fn a_finder_acts_where_a_rule_that_decides_does_something() {
    let rule = |id: &str, rest: &str| format!("[[rule]]\n{id}code = 'A.B'\npattern = 'abcd'\n{rest}\n");
    let acts = |rules: &[String]| {
        let policy =
            compile(&Document::parse(&format!("{HEAD}{}", rules.concat())).unwrap(), Origin::Unsigned, [0; 32])
                .unwrap();
        let scopes = [Scope::Request, Scope::Response];
        let parts = [Part::Headers, Part::Body, Part::Url, Part::Tools];
        assert!(scopes.iter().all(|scope| parts.iter().all(|part| !policy.acts(1, *scope, *part))));
        scopes.map(|scope| parts.map(|part| u8::from(policy.acts(0, scope, part))))
    };
    let cases: &[(&[String], [[u8; 4]; 2])] = &[
        (&[rule(A, "action = 'block'")], [[0, 1, 0, 1], [0; 4]]),
        (&[rule(A, "action = 'redact'\nscope = ['response']\nwhere = ['body']")], [[0; 4], [0, 1, 0, 0]]),
        (&[rule(A, "action = 'tokenise'\nwhere = ['url']")], [[0, 0, 1, 0], [0; 4]]),
        (&[rule(A, "action = 'warn'")], [[0; 4]; 2]),
        (&[rule(A, "action = 'block'\nmode = 'shadow'")], [[0; 4]; 2]),
        (&[rule(A, "action = 'allow'\nroles = ['user']"), rule(B, "action = 'block'")], [[0, 1, 0, 1], [0; 4]]),
        (&[rule(A, "action = 'allow'\nwhere = ['tools']"), rule(B, "action = 'block'")], [[0, 1, 0, 0], [0; 4]]),
        // Roles of tools: all that there are, and nobody's.
        (&[rule(A, "action = 'allow'\nlayers = ['tool-call']"), rule(B, "action = 'block'")], [[0, 1, 0, 0], [0; 4]]),
    ];
    for (rules, expected) in cases {
        assert_eq!(acts(rules), *expected, "{rules:?}");
    }
}

#[test]
fn rules_that_contradict_each_other_are_refused() {
    let two = |first: &str, second: &str| {
        format!(
            "{HEAD}[[rule]]\n{A}code = 'A.B'\naction = 'warn'\n{first}\n[[rule]]\n{B}code = 'A.B'\naction = 'block'\n{second}\n"
        )
    };
    let never = "rule 00000000-0000-0000-0000-00000000000b: can never decide: the rule at line 3 looks for the same";
    let cases: &[(&str, &str, &[&str])] = &[
        ("pattern = 'abcd'", "pattern = 'abcd'", &[never]),
        ("literals = ['abcd']", "literals = ['abcd']", &[never]),
        ("pattern = 'abcd'", "literals = ['abcd']", &[]),
        ("pattern = 'abcd'", "pattern = 'abce'", &[]),
        ("pattern = 'abcd'", "pattern = 'abcd'\nentropy = 1", &[]),
        ("literals = ['abcd']", "literals = ['abcd']\ncase_sensitive = true", &[]),
        (
            "pattern = 'abcd'\ncontext = ['Card', 'pan']",
            "pattern = 'abcd'\ncontext = ['pan', 'CARD', 'card']",
            &[never],
        ),
        ("pattern = 'abcd'\nwhere = ['body']", "pattern = 'abcd'\nwhere = ['body']\nroles = ['user']", &[never]),
        ("pattern = 'abcd'\nwhere = ['body']\nroles = ['user']", "pattern = 'abcd'\nwhere = ['body']", &[]),
        ("pattern = 'abcd'\nwhere = ['body']", "pattern = 'abcd'\nwhere = ['url']", &[]),
        ("pattern = 'abcd'\nscope = ['request']", "pattern = 'abcd'\nscope = ['request', 'response']", &[]),
        // Nobody speaks in a URL, so that all its text is held by the first.
        (
            "pattern = 'abcd'\nwhere = ['url']",
            "pattern = 'abcd'\nwhere = ['url']\nlayers = ['post-template']",
            &[never],
        ),
    ];
    for (first, second, expected) in cases {
        let line = 8 + first.matches('\n').count();
        let expected: Vec<String> = expected.iter().map(|text| format!("line {line}: {text}")).collect();
        check_or_none(&two(first, second), &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let same = two("pattern = 'abcd'", "pattern = 'abce'").replace(B, A);
    check(&same, &["line 8: rule 00000000-0000-0000-0000-00000000000a: id: the rule at line 3 has it too"]);
}

/// As `check`, for texts that may have no mistake.
fn check_or_none(text: &str, expected: &[&str]) {
    if expected.is_empty() {
        assert_eq!(Document::parse(text).err(), None, "{text:?}");
    } else {
        check(text, expected);
    }
}

#[test]
fn two_rules_together_can_leave_nothing_to_a_third() {
    let rule =
        |id: &str, rest: &str| format!("[[rule]]\n{id}code = 'A.B'\naction = 'warn'\npattern = 'abcd'\n{rest}\n");
    let third = "id = '00000000-0000-0000-0000-00000000000c'\n";
    let text = format!(
        "{HEAD}{}{}{}",
        rule(A, "where = ['body']"),
        rule(B, "where = ['url', 'tools']"),
        rule(third, "where = ['tools', 'body']")
    );
    check(
        &text,
        &["line 15: rule 00000000-0000-0000-0000-00000000000c: can never decide: the rule at line 3 looks for"],
    );
}

#[test]
fn many_mistakes_are_told_up_to_a_bound() {
    let text = format!("{HEAD}{}", "[[rule]]\n".repeat(200));
    let found = mistakes(&text);
    assert_eq!(found.len(), 101);
    assert_eq!(found.last().unwrap(), "line 36: and 500 more mistakes that are not shown");
    let text = format!("{HEAD}{}", "[[rule]]\n".repeat(10_001));
    check(&text, &["line 3: rule: found 10001 rules, want 10000 at most"]);
    check(&format!("{HEAD}#{}", "#".repeat(5 << 20)), &["line 1: the document has"]);
    let nested = format!("{HEAD}tenant = {}", "[".repeat(100_000));
    assert!(Document::parse(&nested).is_err());
}

#[test]
fn what_a_rule_does_not_say_its_defaults_say() {
    let rules = "[[rule]]\nid = '00000000-0000-0000-0000-00000000000a'\ncode = 'DLP.CUSTOM.ORION'\nliterals = ['orion']\n\
                 [[rule]]\nid = '00000000-0000-0000-0000-00000000000b'\ncode = 'DLP.CUSTOM.LYRA'\nliterals = ['lyra']\n\
                 action = 'allow'\nseverity = 'info'\nscope = ['response']\nwhere = ['headers']\nmode = 'enforce'\n";
    let defaults = "[defaults]\naction = 'redact'\nmode = 'shadow'\nseverity = 'critical'\nscope = ['request', 'response']\n\
                    where = ['url']\nplaceholder = 'numbered'\ncontent = 'forward'\nmedia = 'forward'\n";
    let document = Document::parse(&format!("{HEAD}{defaults}{rules}")).unwrap();
    assert_eq!((document.content, document.media), (Unread::Forward, Unread::Forward));
    let policy = compile(&document, Origin::Unsigned, [0; 32]).unwrap();
    let [first, second] = policy.rules() else { panic!("two rules") };
    assert_eq!((first.action, first.severity), (Action::Warn, Severity::Critical));
    assert_eq!((&*first.placeholder.word, first.placeholder.numbered), ("ORION", true));
    assert_eq!((second.action, second.severity), (Action::Allow, Severity::Info));
    assert!(policy.looks_at(Scope::Response, Part::Url) && policy.looks_at(Scope::Request, Part::Url));
    // Only a rule that allows holds there.
    assert!(!policy.looks_at(Scope::Response, Part::Headers));
    let strict = Document::parse(HEAD).unwrap();
    assert_eq!((strict.content, strict.media), (Unread::Refuse, Unread::Refuse));
}

#[test]
fn the_first_rule_that_holds_at_a_place_decides() {
    let rule = |id: &str, rest: &str| format!("[[rule]]\n{id}code = 'A.B'\npattern = 'abcd'\n{rest}\n");
    let text = format!(
        "{HEAD}{}{}",
        rule(A, "action = 'allow'\nroles = ['system']"),
        rule(B, "action = 'block'\nwhere = ['body', 'url']")
    );
    let policy = compile(&Document::parse(&text).unwrap(), Origin::Unsigned, [0; 32]).unwrap();
    let at =
        |part, layer, role| policy.rule_for(0, Scope::Request, Place { part, layer, role }).map(|rule| rule.action);
    assert_eq!(at(Part::Body, Layer::PostTemplate, Role::System), Some(Action::Allow));
    assert_eq!(at(Part::Body, Layer::PostTemplate, Role::User), Some(Action::Block));
    assert_eq!(at(Part::Url, Layer::PostTemplate, Role::None), Some(Action::Block));
    assert_eq!(at(Part::Tools, Layer::ToolCall, Role::System), Some(Action::Allow));
    assert_eq!(at(Part::Tools, Layer::ToolCall, Role::Tool), None);
    assert_eq!(
        policy
            .rule_for(1, Scope::Request, Place { part: Part::Body, layer: Layer::ToolCall, role: Role::None })
            .map(|_| ()),
        None
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(?s).{0,200}", cut in 0..400_usize) {
        let _ = Document::parse(&text);
        let whole = with("code = 'A.B'\naction = 'redact'\npattern = '[0-9]{4}'\nvalidator = 'luhn'\ncontext = ['card']\nentropy = 1.5\n");
        if let Some(cut) = whole.get(..cut) {
            let _ = Document::parse(cut);
            let _ = Document::parse(&format!("{cut}{text}"));
        }
    }
}
