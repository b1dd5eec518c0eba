//! The policy document: TOML to rules with everything said, or the list of all that is wrong with it.
//!
//! Nothing is guessed: an unknown key, a value of another kind, and rules that contradict each other are mistakes, each with its line.
//! It never compiles an expression; that is the next room.
//!
//! ```text
//!  text ─► TOML (syntax) ─► tables (kinds, words, bounds) ─► rule by rule (contradictions) ─► Document
//!                 └──────────────────┴───────────────────────────┴──► all mistakes at once
//! ```

mod answers;
mod rule;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeSet;
use std::fmt;

use toml::de::DeTable;

use self::value::Reader;
use super::Action;
use super::Placeholder;
use super::Scope;
use super::Unread;
use super::Uuid;
use super::answers::Answers;
use super::code::Code;
use super::key;
use super::places::Places;
use super::time;
use super::tools::Tools;
use crate::extract::Part;
use crate::inspect::detector::Severity;
use crate::inspect::scan::Finder;
use crate::limits;

/// A document that has no mistake in it, before anything is compiled.
#[derive(Clone, Debug)]
pub struct Document {
    /// 1 or more; 0 for the built-in one only.
    pub version: u64,
    /// Whose it is; empty for the built-in one only.
    pub tenant: Box<str>,
    /// Unix seconds. Where both are there, `not_before < not_after`.
    pub not_before: Option<u64>,
    /// Unix seconds, the last in which it holds.
    pub not_after: Option<u64>,
    /// The key for paths in events.
    pub path_key: Option<[u8; 32]>,
    /// What happens to a body that is not inspected.
    pub content: Unread,
    /// What happens to media inside a body.
    pub media: Unread,
    /// Which tools an answer may call.
    pub tools: Tools,
    /// What it says about answers as such.
    pub answers: Answers,
    /// At most `limits::POLICY_RULES_MAX`, in the order in which they stand.
    pub rules: Vec<Rule>,
}

/// A rule, with everything that `[defaults]` and its detector say.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Where it stands.
    pub line: usize,
    /// Where its detector, pattern or literals stand.
    pub finder_line: usize,
    /// Unique in the document.
    pub id: Uuid,
    /// The reason that it gives.
    pub code: Code,
    /// How bad a match is.
    pub severity: Severity,
    /// What the document says, also in shadow mode.
    pub action: Action,
    /// Whether it only tells.
    pub shadow: bool,
    /// What it looks for. Its context words are in lower case and sorted.
    pub finder: Finder,
    /// Where it holds.
    pub places: Places,
    /// What a match is replaced by.
    pub placeholder: Placeholder,
}

/// Something that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where, from one.
    pub line: usize,
    /// In which rule, as far as that is known.
    pub rule: Option<Uuid>,
    /// What; one line.
    pub text: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if let Some(rule) = self.rule {
            write!(f, "rule {rule}: ")?;
        }
        f.write_str(&self.text)
    }
}

/// What holds for rules that do not say otherwise.
struct Defaults {
    action: Option<Action>,
    shadow: bool,
    severity: Option<Severity>,
    scopes: Vec<Scope>,
    parts: Vec<Part>,
    numbered: bool,
    content: Unread,
    media: Unread,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// All mistakes that it has, by line; where it is not TOML, those of the syntax only. At most `limits::POLICY_MISTAKES_MAX` and
    /// one line that counts the others.
    pub fn parse(text: &str) -> Result<Self, Vec<Mistake>> {
        parse(text, false)
    }

    /// Reads the document that the program brings along, which has version 0 and is nobody's.
    pub(super) fn parse_built_in(text: &str) -> Result<Self, Vec<Mistake>> {
        parse(text, true)
    }
}

fn parse(text: &str, built_in: bool) -> Result<Document, Vec<Mistake>> {
    if text.len() > limits::POLICY_BYTES_MAX {
        let text = format!("the document has {} bytes, want {} at most", text.len(), limits::POLICY_BYTES_MAX);
        return Err(vec![Mistake { line: 1, rule: None, text }]);
    }
    let mut reader = Reader::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut broken = BTreeSet::new();
    for error in &errors {
        let span = error.span().unwrap_or_default();
        // One line has one mistake: what follows the first is a consequence.
        if broken.insert(reader.line(&span)) {
            reader.fault(&span, format!("not TOML: {}", error.message().replace('\n', " ")));
        }
    }
    let document = if errors.is_empty() { document(&mut reader, table.get_ref(), built_in) } else { None };
    match (reader.finish(), document) {
        (None, Some(document)) => Ok(document),
        (mistakes, _) => Err(mistakes.unwrap_or_default()),
    }
}

/// None only together with a mistake.
fn document(reader: &mut Reader, table: &DeTable<'_>, built_in: bool) -> Option<Document> {
    reader.know(table, key::DOCUMENT);
    let version = version(reader, table, built_in);
    let tenant = tenant(reader, table, built_in);
    let not_before = table.get("not_before").map(|value| unix(reader, "not_before", value));
    let not_after = table.get("not_after").map(|value| unix(reader, "not_after", value));
    if let (Some(Some(from)), Some(Some(until)), Some(value)) = (not_before, not_after, table.get("not_after"))
        && until <= from
    {
        reader.fault(&value.span(), "not_after: is not later than not_before");
    }
    let path_key = table.get("path_key").map(|value| {
        let want = "64 hexadecimal digits (lower case)";
        let text = reader.text("path_key", value, want)?;
        super::hex::read(text).or_else(|| reader.want("path_key", value, want))
    });
    let defaults = defaults(reader, table);
    let tools = answers::tools(reader, table);
    let answers = answers::answers(reader, table);
    let rules = rules(reader, table, &defaults);
    Some(Document {
        version: version?,
        tenant: tenant?,
        not_before: not_before.flatten(),
        not_after: not_after.flatten(),
        path_key: path_key.flatten(),
        content: defaults.content,
        media: defaults.media,
        tools,
        answers,
        rules,
    })
}

fn version(reader: &mut Reader, table: &DeTable<'_>, built_in: bool) -> Option<u64> {
    let want = "an integer, 1 or more";
    match table.get("version") {
        None if built_in => Some(0),
        None => {
            reader.fault_at(1, format!("version: missing, want {want}"));
            None
        }
        Some(value) => match reader.integer("version", value, want)? {
            0 => reader.want("version", value, want),
            version => Some(version),
        },
    }
}

fn tenant(reader: &mut Reader, table: &DeTable<'_>, built_in: bool) -> Option<Box<str>> {
    let want = "1 to 64 of a-z, 0-9, `-`, `_` and `.`";
    match table.get("tenant") {
        None if built_in => Some("".into()),
        None => {
            reader.fault_at(1, format!("tenant: missing, want {want}"));
            None
        }
        Some(value) => match reader.text("tenant", value, want)? {
            text if is_tenant(text) => Some(text.into()),
            _ => reader.want("tenant", value, want),
        },
    }
}

/// Whether a text can be the name of a tenant.
#[must_use]
pub fn is_tenant(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

fn unix(reader: &mut Reader, key: &str, value: &value::Value<'_>) -> Option<u64> {
    let want = "a date-time with an offset in whole seconds, such as 2026-11-25T00:00:00Z, without quotes";
    let time = reader.time(key, value, want)?;
    time::unix(time).or_else(|| reader.want(key, value, want))
}

fn defaults(reader: &mut Reader, document: &DeTable<'_>) -> Defaults {
    let empty = DeTable::new();
    let table = document.get("defaults").and_then(|value| reader.table("defaults", value)).unwrap_or(&empty);
    reader.know(table, key::DEFAULTS);
    let mut unread = |name: &str| {
        let value = table.get(name)?;
        reader.word(name, value, &[Unread::Forward, Unread::Refuse], rule::unread_label)
    };
    let (content, media) = (unread("content"), unread("media"));
    let mode = table.get("mode").and_then(|value| reader.word("mode", value, &[false, true], rule::mode_label));
    let numbered = table
        .get("placeholder")
        .and_then(|value| reader.word("placeholder", value, &[false, true], rule::numbered_label));
    Defaults {
        action: rule::action(reader, table),
        shadow: mode.unwrap_or(false),
        severity: rule::severity(reader, table),
        scopes: rule::scopes(reader, table).unwrap_or_else(|| vec![Scope::Request]),
        parts: rule::parts(reader, table).unwrap_or_else(|| vec![Part::Body, Part::Tools]),
        numbered: numbered.unwrap_or(false),
        content: content.unwrap_or(Unread::Refuse),
        media: media.unwrap_or(Unread::Refuse),
    }
}

fn rules(reader: &mut Reader, document: &DeTable<'_>, defaults: &Defaults) -> Vec<Rule> {
    let Some(value) = document.get("rule") else { return Vec::new() };
    let Some(values) = reader.array("rule", value, "tables, each under [[rule]]") else { return Vec::new() };
    if values.len() > limits::POLICY_RULES_MAX {
        let text = format!("rule: found {} rules, want {} at most", values.len(), limits::POLICY_RULES_MAX);
        reader.fault(&value.span(), text);
        return Vec::new();
    }
    let mut rules = Vec::with_capacity(values.len());
    for value in values {
        reader.rule = None;
        rules.extend(rule::read(reader, value, defaults));
        reader.rule = None;
    }
    rule::contradictions(reader, &rules);
    rules
}
