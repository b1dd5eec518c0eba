//! `policy explain`.

use std::path::Path;

use super::EXIT_NO;
use super::EXIT_USAGE;
use super::Said;
use super::check;
use crate::control::fetch;
use crate::limits;
use crate::policy;
use crate::policy::Uuid;
use crate::policy::document::Document;
use crate::policy::explain;

/// The whole policy, or the rules that are wanted: those with this id, or whose code begins so.
pub(super) fn explain(file: Option<&Path>, wanted: Option<&str>) -> Said {
    let mut said = Said::default();
    let document = match file {
        None => Ok(policy::built_in_document()),
        Some(path) => match fetch::read(path, limits::POLICY_BYTES_MAX) {
            Ok(bytes) => check::document(&bytes).map(|(_, document)| document).map_err(|mistakes| (path, mistakes)),
            Err(error) => return said.no(EXIT_USAGE, error),
        },
    };
    let document = match document {
        Ok(document) => document,
        Err((path, mistakes)) => {
            said.list(path, "", &mistakes);
            said.code = EXIT_NO;
            return said;
        }
    };
    let Some(wanted) = wanted else {
        said.out = explain::explain(&document);
        tell(&document, |_| true, &mut said);
        return said;
    };
    let id = Uuid::parse(wanted);
    tell(&document, |rule| id.map_or_else(|| begins(rule.code.as_str(), wanted), |id| rule.id == id), &mut said);
    if said.out.is_empty() {
        return said.no(EXIT_NO, "no rule has this id, and no code begins so");
    }
    said
}

fn tell(document: &Document, wanted: impl Fn(&policy::document::Rule) -> bool, said: &mut Said) {
    for rule in document.rules.iter().filter(|rule| wanted(rule)) {
        said.out.push('\n');
        said.out.push_str(&explain::explain_rule(rule));
    }
}

/// Whether the first words of a code are these.
fn begins(code: &str, words: &str) -> bool {
    code.strip_prefix(words).is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || words.ends_with('.'))
}
