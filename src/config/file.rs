//! The TOML file to found values, each with its line and column.
//!
//! Exists so that a mistake in the file can be jumped to. Never interprets a value beyond its TOML type: texts go the way of flags and variables.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::io::Read as _;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;

use crate::config::mistake;
use crate::config::mistake::Found;
use crate::config::mistake::Mistake;
use crate::config::mistake::Origin;
use crate::config::setting::SETTINGS;

/// A file that sets every key with a comment on each is 4 KiB; past this it is not a configuration.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads the file at `path`, which `origin` named.
pub(super) fn read(origin: &Origin, path: &str, mistakes: &mut Vec<Mistake>) -> Vec<Found> {
    match text(path) {
        Ok(text) => parse(path, &text, mistakes),
        Err(error) => {
            // The system's words only: they hold nothing of the file.
            mistakes.push(Mistake::new(origin.clone(), format!("cannot read {path:?}: {error}")));
            Vec::new()
        }
    }
}

fn text(path: &str) -> io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if length as u64 > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "longer than 1 MiB"));
    }
    Ok(text)
}

/// Every key that is a setting, in any order; everything else is a mistake.
pub(super) fn parse(path: &str, text: &str, mistakes: &mut Vec<Mistake>) -> Vec<Found> {
    let path: Arc<str> = Arc::from(path);
    let origin = |span: Range<usize>| {
        let (line, column) = place(text, span.start);
        Origin::File { line, column, path: Arc::clone(&path) }
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut broken = BTreeSet::new();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        // One line has one mistake: what follows the first is a consequence.
        if broken.insert(place(text, span.start).0) {
            mistakes.push(Mistake::new(origin(span), format!("not TOML: {}", error.message().replace('\n', " "))));
        }
    }
    let mut found = Vec::new();
    for (key, value) in table.get_ref().iter() {
        if broken.contains(&place(text, key.span().start).0) {
            continue;
        }
        let Some(setting) = SETTINGS.iter().position(|setting| setting.key() == **key.get_ref()) else {
            let suggestion = mistake::suggestion(key.get_ref(), SETTINGS.iter().map(|setting| setting.key()));
            let text = format!("unknown key `{}`{suggestion}", key.get_ref().escape_debug());
            mistakes.push(Mistake::new(origin(key.span()), text));
            continue;
        };
        match items(setting, value, &origin) {
            Ok(items) if items.iter().any(|(_, text)| text.is_empty()) && !value.get_ref().is_array() => {}
            Ok(items) => found.push(Found { setting, origin: origin(value.span()), items }),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    found
}

/// The texts of a value: one, or those of an array where the setting is a list.
fn items(
    setting: usize,
    value: &Spanned<DeValue<'_>>,
    origin: &impl Fn(Range<usize>) -> Origin,
) -> Result<Vec<(Origin, String)>, Mistake> {
    let setting = &SETTINGS[setting];
    let want = |span: Range<usize>, found: &str| {
        let want = if setting.clear.is_some() { "a string or an array of strings" } else { "one value" };
        Mistake::new(origin(span), format!("{}: found {found}, want {want}", setting.key()))
    };
    let text = |value: &Spanned<DeValue<'_>>| {
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| number.to_string(), |number| number.to_string()),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(truth) => truth.to_string(),
            DeValue::Datetime(time) => time.to_string(),
            DeValue::Array(_) => return Err(want(value.span(), "an array")),
            DeValue::Table(_) => return Err(want(value.span(), "a table")),
        };
        Ok((origin(value.span()), text))
    };
    match value.get_ref() {
        DeValue::Array(array) if setting.clear.is_some() => array.iter().map(text).collect(),
        _ => Ok(vec![text(value)?]),
    }
}

/// Line and column of the byte at `offset`, both from one, the column in characters.
fn place(text: &str, offset: usize) -> (usize, usize) {
    // A byte order mark is not a character that an editor shows.
    let before = text.get(..offset).unwrap_or(text).trim_start_matches('\u{feff}');
    let line_start = before.rfind('\n').map_or(0, |index| index + 1);
    (before.matches('\n').count() + 1, before.get(line_start..).map_or(1, |line| line.chars().count() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        assert_eq!(place("\u{feff}a = 1", 3), (1, 1));
        let text = "a\r\n\u{e9}\u{e9} = 1\n";
        for (offset, expected) in [(0, (1, 1)), (3, (2, 1)), (7, (2, 3)), (10, (2, 6)), (12, (3, 1)), (99, (3, 1))] {
            assert_eq!(place(text, offset), expected, "{offset}");
        }
    }

    #[test]
    fn every_kind_of_toml_value_has_its_place() {
        let text =
            "body_max = 0x400\nvia = true\nlisten = [\n  \"127.0.0.1:1\",\n  \"127.0.0.1:2\",\n]\ntls_cert = \"\"\n";
        let mut mistakes = Vec::new();
        let mut found = parse("g.toml", text, &mut mistakes);
        assert_eq!(mistakes, []);
        found.sort_by_key(|found| found.origin.to_string());
        let lines: Vec<String> =
            found.iter().flat_map(|found| &found.items).map(|(origin, text)| format!("{origin} {text}")).collect();
        let expected = ["g.toml:1:12 1024", "g.toml:2:7 true", "g.toml:4:3 127.0.0.1:1", "g.toml:5:3 127.0.0.1:2"];
        assert_eq!(lines, expected);
    }
}
