//! The values of a TOML table, each of one kind, with a mistake where it is of another.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;
use toml::value::Datetime;

use super::Mistake;
use crate::limits;
use crate::policy::Uuid;
use crate::policy::key::Key;

/// Characters of a value that a mistake repeats: enough to recognise it, too few to flood a log.
const SHOWN_CHARACTERS_MAX: usize = 60;

/// A value and where it stands.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// Collects mistakes while a document is read.
pub(super) struct Reader {
    /// Where each line but the first begins. Ascending.
    line_starts: Vec<usize>,
    /// The rule that is being read, once its id is known.
    pub(super) rule: Option<Uuid>,
    mistakes: Vec<Mistake>,
    /// Mistakes past `limits::POLICY_MISTAKES_MAX`.
    more: usize,
}

impl Reader {
    pub(super) fn new(text: &str) -> Self {
        let line_starts = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1).collect();
        Self { line_starts, rule: None, mistakes: Vec::new(), more: 0 }
    }

    /// The line that a span begins on, from one.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.line_starts.partition_point(|start| *start <= span.start) + 1
    }

    /// Notes a mistake at a span.
    pub(super) fn fault(&mut self, span: &Range<usize>, text: impl Into<String>) {
        self.fault_at(self.line(span), text);
    }

    /// Notes a mistake at a line.
    pub(super) fn fault_at(&mut self, line: usize, text: impl Into<String>) {
        if self.mistakes.len() < limits::POLICY_MISTAKES_MAX {
            self.mistakes.push(Mistake { line, rule: self.rule, text: text.into() });
        } else {
            self.more += 1;
        }
    }

    /// All mistakes, by line; none if there is none.
    pub(super) fn finish(mut self) -> Option<Vec<Mistake>> {
        self.mistakes.sort_by_key(|mistake| mistake.line);
        if self.more > 0 {
            let line = self.mistakes.last().map_or(1, |mistake| mistake.line);
            let text = format!("and {} more mistakes that are not shown", self.more);
            self.mistakes.push(Mistake { line, rule: None, text });
        }
        (!self.mistakes.is_empty()).then_some(self.mistakes)
    }

    /// Notes every key that is not in `known`.
    pub(super) fn know(&mut self, table: &DeTable<'_>, known: &[Key]) {
        for (key, _) in table.iter() {
            if !known.iter().any(|each| *each.name == **key.get_ref()) {
                self.fault(&key.span(), format!("unknown key {}", shown(key.get_ref())));
            }
        }
    }

    /// A value that is not what it should be. Its text is not repeated where it may be a key.
    pub(super) fn want<T>(&mut self, key: &str, value: &Value<'_>, want: &str) -> Option<T> {
        let found = match value.get_ref() {
            DeValue::String(_) if key == "path_key" => "another text".to_owned(),
            DeValue::String(text) => shown(text),
            DeValue::Integer(number) => shown(number.as_str()),
            DeValue::Float(number) => shown(number.as_str()),
            DeValue::Datetime(time) => time.to_string(),
            DeValue::Boolean(truth) => truth.to_string(),
            DeValue::Array(_) => "an array".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        };
        self.fault(&value.span(), format!("{key}: found {found}, want {want}"));
        None
    }

    pub(super) fn table<'v, 't>(&mut self, key: &str, value: &'v Value<'t>) -> Option<&'v DeTable<'t>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => self.want(key, value, "a table"),
        }
    }

    pub(super) fn array<'v, 't>(&mut self, key: &str, value: &'v Value<'t>, want: &str) -> Option<&'v [Value<'t>]> {
        match value.get_ref() {
            DeValue::Array(array) => Some(array),
            _ => self.want(key, value, want),
        }
    }

    pub(super) fn text<'v>(&mut self, key: &str, value: &'v Value<'_>, want: &str) -> Option<&'v str> {
        match value.get_ref() {
            DeValue::String(text) => Some(text),
            _ => self.want(key, value, want),
        }
    }

    pub(super) fn boolean(&mut self, key: &str, value: &Value<'_>) -> Option<bool> {
        match value.get_ref() {
            DeValue::Boolean(truth) => Some(*truth),
            _ => self.want(key, value, "true or false"),
        }
    }

    pub(super) fn integer(&mut self, key: &str, value: &Value<'_>, want: &str) -> Option<u64> {
        let number = match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        number.or_else(|| self.want(key, value, want))
    }

    pub(super) fn number(&mut self, key: &str, value: &Value<'_>, want: &str) -> Option<f32> {
        let number = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        };
        number.or_else(|| self.want(key, value, want))
    }

    pub(super) fn time<'v>(&mut self, key: &str, value: &'v Value<'_>, want: &str) -> Option<&'v Datetime> {
        match value.get_ref() {
            DeValue::Datetime(time) => Some(time),
            _ => self.want(key, value, want),
        }
    }

    /// One word of a closed set.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &str,
        value: &Value<'_>,
        all: &[T],
        label: fn(T) -> &'static str,
    ) -> Option<T> {
        let found = match value.get_ref() {
            DeValue::String(text) => all.iter().copied().find(|each| label(*each) == text),
            _ => None,
        };
        found.or_else(|| self.want(key, value, &alternatives(all.iter().map(|each| label(*each)))))
    }

    /// A list of different words of a closed set, at least one.
    pub(super) fn words<T: Copy>(
        &mut self,
        key: &str,
        value: &Value<'_>,
        all: &[T],
        label: fn(T) -> &'static str,
    ) -> Option<Vec<T>> {
        let want = format!("a list of {}", alternatives(all.iter().map(|each| label(*each))));
        let values = self.array(key, value, &want)?;
        if values.is_empty() {
            self.fault(&value.span(), format!("{key}: found an empty list, want at least one, or no such key"));
            return None;
        }
        let mut seen = BTreeSet::new();
        let mut words = Vec::with_capacity(values.len().min(all.len()));
        for each in values {
            let word = self.word(key, each, all, label)?;
            if !seen.insert(label(word)) {
                self.fault(&each.span(), format!("{key}: `{}` is there twice", label(word)));
            }
            words.push(word);
        }
        Some(words)
    }

    /// A list of texts, 1 to `count_max`, each of `least` to `most` bytes.
    pub(super) fn texts(
        &mut self,
        key: &str,
        value: &Value<'_>,
        count_max: usize,
        least: usize,
        most: usize,
    ) -> Option<Vec<String>> {
        let values = self.array(key, value, "a list of texts")?;
        if values.is_empty() || values.len() > count_max {
            self.fault(&value.span(), format!("{key}: found {} texts, want 1 to {count_max}", values.len()));
            return None;
        }
        let want = format!("a text of {least} to {most} bytes");
        let mut texts = Vec::with_capacity(values.len());
        for each in values {
            match self.text(key, each, &want) {
                Some(text) if (least..=most).contains(&text.len()) => texts.push(text.to_owned()),
                Some(_) => self.want(key, each, &want)?,
                None => {}
            }
        }
        (texts.len() == values.len()).then_some(texts)
    }
}

/// `a, b or c`.
fn alternatives<'a>(words: impl ExactSizeIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    let last = words.len().saturating_sub(1);
    for (index, word) in words.enumerate() {
        let before = if index == 0 {
            ""
        } else if index == last {
            " or "
        } else {
            ", "
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "{before}`{word}`");
    }
    text
}

/// Quoted, escaped and cut, so that a value stays on one line.
pub(super) fn shown(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN_CHARACTERS_MAX).collect();
    let dots = if cut.len() < text.len() { "..." } else { "" };
    format!("{cut:?}{dots}")
}
