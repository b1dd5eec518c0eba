//! Each mistake that a document can have, its line and its words.

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
use crate::policy::compile::compile;

const HEAD: &str = "version = 7\ntenant = \"acme\"\n";
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

#[test]
fn every_mistake_has_its_line() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["line 1: version: missing", "line 1: tenant: missing"]),
        ("version = 0\ntenant = 'A'", &["line 1: version: found \"0\"", "line 2: tenant: found \"A\", want 1 to 64"]),
        ("version = \n[[rule]\n", &["line 1: not TOML: ", "line 2: not TOML: unclosed array table, expected `]`"]),
    ];
    for (text, expected) in cases {
        let found = mistakes(text);
        assert_eq!(found.len(), expected.len(), "{text:?}: {found:#?}");
        for (found, expected) in found.iter().zip(*expected) {
            assert!(found.starts_with(expected), "{text:?}: {found:?} is not {expected:?}");
        }
    }
}
