//! The rules of the matrix: each built-in detector, a list of literals and a pattern, each with a value that it must find.
//!
//! Values are put together here, so that no file holds a key. A policy has all of them under one action: so they stand in each other's
//! way as they do in real policies.

use crate::guarded::document;

/// What stands around a value.
pub const BEFORE: &str = "It is ";
pub const AFTER: &str = ", as I said.";

/// A rule, and what it must find.
pub struct Rule {
    pub name: &'static str,
    /// What it finds, in words.
    pub finds: &'static str,
    /// The lines of the rule that say what it looks for.
    finder: &'static str,
    /// What its matches are replaced by.
    pub placeholder: &'static str,
    pub value: String,
}

/// What a policy does about them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Redact,
    Block,
    Warn,
}

impl Action {
    pub const ALL: [Self; 3] = [Self::Redact, Self::Block, Self::Warn];

    pub fn word(self) -> &'static str {
        match self {
            Self::Redact => "redact",
            Self::Block => "block",
            Self::Warn => "warn",
        }
    }
}

impl Rule {
    /// The text with its value in it, and what becomes of it where that is replaced.
    pub fn text(&self) -> String {
        format!("{BEFORE}{}{AFTER}", self.value)
    }

    pub fn redacted(&self) -> String {
        format!("{BEFORE}{}{AFTER}", self.placeholder)
    }

    /// The text cut in two at each place in the value and at its ends, then letter by letter.
    pub fn splits(&self) -> Vec<Vec<String>> {
        let text = self.text();
        let inside = BEFORE.len()..=BEFORE.len() + self.value.len() + 1;
        let cuts = inside.filter(|at| text.is_char_boundary(*at)).map(|at| text.split_at(at));
        let mut all: Vec<Vec<String>> = cuts.map(|(front, back)| vec![front.to_owned(), back.to_owned()]).collect();
        all.push(text.chars().map(String::from).collect());
        all
    }
}

/// All rules under one action, for requests and answers.
pub fn policy(rules: &[Rule], action: Action) -> String {
    let lines = |rule: &Rule| format!("{}\naction = \"{}\"", rule.finder, action.word());
    let lines: Vec<String> = rules.iter().map(lines).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    document(1, "[defaults]\nscope = [\"request\", \"response\"]\nmedia = \"forward\"", &lines)
}

/// A rule: its name, what it finds in words, the lines that say what it looks for, its placeholder, and a value in parts.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const ROWS: &[Row] = &[
    ("email", "detector", "detector = \"email\"", "[EMAIL]", &["jane.doe@acme-corp.com"]),
    ("card", "detector", "detector = \"card\"", "[CARD]", &["4012 8888 8888 1881"]),
    ("iban", "detector", "detector = \"iban\"", "[IBAN]", &["DE89 3704 0044 0532 0130 00"]),
    ("us_ssn", "detector", "detector = \"us_ssn\"", "[SSN]", &["536-22-8341"]),
    ("phone", "detector", "detector = \"phone\"", "[PHONE]", &["+49 30 901820"]),
    ("ipv4", "detector", "detector = \"ipv4\"", "[IP]", &["8.8.4.4"]),
    (
        "aws_access_key",
        "detector",
        "detector = \"aws_access_key\"",
        "[AWS_ACCESS_KEY]",
        &["AKIA", "Q3EGTZ7XM2", "WPLJ5K"],
    ),
    (
        "github_token",
        "detector",
        "detector = \"github_token\"",
        "[GITHUB_TOKEN]",
        &["gho_", "Zk3vQ9wLx7Rt2Mn8Bp4Ys6HdaG5cJ1uVf0Ee"],
    ),
    (
        "openai_key",
        "detector",
        "detector = \"openai_key\"",
        "[OPENAI_KEY]",
        &["sk-", "proj-", "Zk3vQ9wLx7Rt2Mn8Bp4Ys6Hd", "T3Blb", "kFJ", "aG5cJ1uVf0Ee7Ki3Lo9Nq2Ws"],
    ),
    (
        "anthropic_key",
        "detector",
        "detector = \"anthropic_key\"",
        "[ANTHROPIC_KEY]",
        &["sk-", "ant-", "api03-", "Zk3vQ9wLx7Rt2Mn8Bp4Ys6HdaG5cJ1uVf0Ee7Ki3Lo9Nq2Ws", "AA"],
    ),
    (
        "private_key",
        "detector",
        "detector = \"private_key\"",
        "[PRIVATE_KEY]",
        &[
            "-----BEGIN ",
            "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n",
            "-----END ",
            "PRIVATE KEY-----",
        ],
    ),
    (
        "jwt",
        "detector",
        "detector = \"jwt\"",
        "[JWT]",
        &["eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiI0MiIsImZha2UiOnRydWV9", ".AbCdEfGh0123456789_-xyz"],
    ),
    (
        "literals",
        "any of some texts, in any case",
        "literals = [\"bluebird\", \"project ärger\"]\ncode = \"DLP.CUSTOM.WORD\"",
        "[WORD]",
        &["Project Ärger"],
    ),
    (
        "pattern",
        "a regular expression",
        "pattern = '\\bEMP-[0-9]{6}\\b'\ncode = \"DLP.CUSTOM.STAFF\"",
        "[STAFF]",
        &["EMP-204711"],
    ),
];

/// The rules, in the order of the policy.
pub fn all() -> Vec<Rule> {
    let rule = |&(name, finds, finder, placeholder, value): &Row| Rule {
        name,
        finds,
        finder,
        placeholder,
        value: value.concat(),
    };
    ROWS.iter().map(rule).collect()
}
