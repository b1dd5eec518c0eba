//! Where a value was found, and what is wrong with it.
//!
//! Exists so that every mistake is one line of one shape: place, what was found, what would be right. Never shows a value that may be a secret,
//! and never more than [`SHOWN_CHARACTERS_MAX`] of one that is not.

use std::fmt;
use std::sync::Arc;

use crate::config::setting;

/// Enough to recognise a path or an address, too little to flood a log.
const SHOWN_CHARACTERS_MAX: usize = 80;

/// Where a value was found; the order is the order of the report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// The table of settings.
    Default,
    /// The command line, at no flag of ours.
    CommandLine,
    /// `--name`.
    Flag(&'static str),
    /// The variable of the setting or of `config`.
    Variable(&'static str),
    /// A place in the file; line and column count from one, columns in characters.
    File { line: usize, column: usize, path: Arc<str> },
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::CommandLine => formatter.write_str("command line"),
            Self::Flag(name) => write!(formatter, "flag --{name}"),
            Self::Variable(name) => write!(formatter, "variable {}", setting::variable(name)),
            Self::File { line, column, path } => write!(formatter, "{}:{line}:{column}", path.escape_debug()),
        }
    }
}

/// One setting's value in one layer, as text. A list has one item for each piece that has its own place.
#[derive(Debug)]
pub(super) struct Found {
    /// 0 <= setting < SETTINGS.len()
    pub(super) setting: usize,
    /// Where the value as a whole stands.
    pub(super) origin: Origin,
    /// The texts; exactly one unless it came as a list.
    pub(super) items: Vec<(Origin, String)>,
}

/// Why a text is not a value of its setting: what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The text may be shown.
    Show(String),
    /// The text may hold a secret.
    Hide(String),
}

/// One line of the report.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mistake {
    origin: Origin,
    text: String,
}

impl Mistake {
    /// Whether a flag or a variable named `name` made it.
    pub(super) fn is_about(&self, name: &str) -> bool {
        matches!(self.origin, Origin::Flag(each) | Origin::Variable(each) if each == name)
    }

    /// A mistake in free words.
    pub(super) fn new(origin: Origin, text: String) -> Self {
        Self { origin, text }
    }

    /// `found` at `origin` is not a value of `key`; the key is empty where the place already names it.
    pub(super) fn wrong(origin: Origin, key: &str, found: &str, wrong: Wrong) -> Self {
        let key = if key.is_empty() { String::new() } else { format!("{key}: ") };
        let text = match wrong {
            Wrong::Show(want) => format!("{key}found {}, want {want}", shown(found)),
            Wrong::Hide(want) => format!("{key}found a value that is not shown here, want {want}"),
        };
        Self { origin, text }
    }
}

/// Quoted, escaped and cut, so that one value stays on one line.
fn shown(text: &str) -> String {
    if text.is_empty() {
        return "nothing".to_owned();
    }
    let cut: String = text.chars().take(SHOWN_CHARACTERS_MAX).collect();
    let dots = if cut.len() < text.len() { "..." } else { "" };
    format!("{cut:?}{dots}")
}

/// All of them, one a line: flags, variables, then the file from top to bottom.
pub(super) fn report(mut mistakes: Vec<Mistake>) -> String {
    mistakes.sort();
    mistakes.iter().map(|mistake| format!("{}: {}\n", mistake.origin, mistake.text)).collect()
}

/// The candidate that `word` was likely meant to be, as the end of a sentence, or nothing.
pub(super) fn suggestion(word: &str, candidates: impl Iterator<Item = String>) -> String {
    candidates
        .map(|candidate| (distance(word, &candidate), candidate))
        .min()
        .filter(|(edits, candidate)| *edits <= (candidate.len() / 3).max(1))
        .map_or(String::new(), |(_, candidate)| format!(", did you mean `{candidate}`?"))
}

/// Levenshtein's distance in bytes, one row at a time.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(right.bytes()) {
            let above = *cell;
            before = (diagonal + usize::from(a != b)).min(above + 1).min(before + 1);
            diagonal = above;
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        for (left, right, edits) in [("", "", 0), ("a", "", 1), ("", "ab", 2), ("lisen", "listen", 1), ("io", "oi", 2)]
        {
            assert_eq!(distance(left, right), edits, "{left} {right}");
        }
    }

    #[test]
    fn only_near_words_are_suggested() {
        let words = || ["listen", "log", "body_max"].into_iter().map(str::to_owned);
        assert_eq!(suggestion("lisen", words()), ", did you mean `listen`?");
        assert_eq!(suggestion("bodymax", words()), ", did you mean `body_max`?");
        assert_eq!(suggestion("temperature", words()), "");
    }

    #[test]
    fn a_shown_value_stays_on_one_short_line() {
        assert_eq!(shown(""), "nothing");
        assert_eq!(shown("a\nb"), r#""a\nb""#);
        assert_eq!(shown(&"x".repeat(100)), format!("\"{}\"...", "x".repeat(80)));
    }
}
