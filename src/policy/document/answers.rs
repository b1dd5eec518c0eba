//! `[tools]` and `[answers]`: what a document says about answers beside its rules.

use std::time::Duration;

use toml::de::DeTable;

use super::value::Reader;
use super::value::Value;
use crate::limits;
use crate::policy::answers::Answers;
use crate::policy::answers::Overdue;
use crate::policy::answers::Oversize;
use crate::policy::key;
use crate::policy::tools::Name;
use crate::policy::tools::Tools;

/// A name and where it stands.
type Listed = (Name, usize);

/// `[answers]`; what is not understood is as it is by default, together with a mistake.
pub(super) fn answers(reader: &mut Reader, document: &DeTable<'_>) -> Answers {
    let mut answers = Answers::default();
    let Some(table) = document.get("answers").and_then(|value| reader.table("answers", value)) else { return answers };
    reader.know(table, key::ANSWERS);
    let mut number = |name: &str, least: u64, most: u64| {
        let want = format!("an integer, {least} to {most}");
        let value = table.get(name)?;
        let number = reader.integer(name, value, &want)?;
        if (least..=most).contains(&number) { Some(number) } else { reader.want(name, value, &want) }
    };
    let bytes = number("hold_bytes", limits::ANSWER_HOLD_BYTES_MIN as u64, limits::ANSWER_HOLD_BYTES_MAX as u64);
    let milliseconds = number("hold_ms", 1, limits::ANSWER_HOLD_MILLISECONDS_MAX);
    answers.hold_bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(answers.hold_bytes);
    answers.hold_time = milliseconds.map_or(answers.hold_time, Duration::from_millis);
    let oversize =
        table.get("oversize").and_then(|value| reader.word("oversize", value, &Oversize::ALL, Oversize::label));
    let overdue =
        table.get("at_hold_limit").and_then(|value| reader.word("at_hold_limit", value, &Overdue::ALL, Overdue::label));
    answers.oversize = oversize.unwrap_or(answers.oversize);
    answers.at_hold_limit = overdue.unwrap_or(answers.at_hold_limit);
    answers
}

/// `[tools]`.
pub(super) fn tools(reader: &mut Reader, document: &DeTable<'_>) -> Tools {
    let Some(value) = document.get("tools") else { return Tools::default() };
    let Some(table) = reader.table("tools", value) else { return Tools::default() };
    reader.know(table, key::TOOLS);
    if table.get("allow").is_none() && table.get("deny").is_none() {
        reader.fault(&value.span(), "tools: found neither allow nor deny, want one or both");
    }
    let allow = table.get("allow").map(|value| names(reader, "allow", value));
    let deny = table.get("deny").map(|value| names(reader, "deny", value)).unwrap_or_default();
    for (name, line) in allow.iter().flatten() {
        if let Some((denied, at)) = deny.iter().find(|(denied, _)| denied.covers(name)) {
            let text = format!("allow: {:?} is never allowed: line {at} denies {:?}", name.written(), denied.written());
            reader.fault_at(*line, text);
        }
    }
    let label = |blocks| if blocks { "block" } else { "warn" };
    let blocks = table.get("action").and_then(|value| reader.word("action", value, &[true, false], label));
    let bare = |names: Vec<Listed>| names.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    Tools::new(allow.map(bare), bare(deny), blocks.unwrap_or(true))
}

/// A list of different names.
fn names(reader: &mut Reader, key: &str, value: &Value<'_>) -> Vec<Listed> {
    let most = limits::POLICY_TOOLS_MAX;
    let Some(values) = reader.array(key, value, "a list of names of tools") else { return Vec::new() };
    if !(1..=most).contains(&values.len()) {
        reader.fault(&value.span(), format!("{key}: found {} names, want 1 to {most}", values.len()));
        return Vec::new();
    }
    let want = format!(
        "a name of 1 to {} bytes in NFKC, without spaces and invisible characters; `*` only at its end",
        limits::TOOL_NAME_BYTES_MAX
    );
    let mut names: Vec<Listed> = Vec::with_capacity(values.len());
    for each in values {
        let Some(text) = reader.text(key, each, &want) else { continue };
        let Some(name) = Name::new(text).or_else(|| reader.want(key, each, &want)) else { continue };
        if let Some((known, line)) = names.iter().find(|(known, _)| known.covers(&name)) {
            let text = format!("{key}: {:?} is there already: {:?} at line {line}", name.written(), known.written());
            reader.fault(&each.span(), text);
            continue;
        }
        let line = reader.line(&each.span());
        names.push((name, line));
    }
    names
}
