//! `policy check`: every mistake, and what is likely not meant.

use std::path::Path;
use std::path::PathBuf;

use super::EXIT_NO;
use super::EXIT_USAGE;
use super::Said;
use crate::clock;
use crate::control::fetch;
use crate::limits;
use crate::policy::Origin;
use crate::policy::Policy;
use crate::policy::Validity;
use crate::policy::advice::advice;
use crate::policy::bundle;
use crate::policy::bundle::Bundle;
use crate::policy::compile::compile;
use crate::policy::document::Document;
use crate::policy::document::Mistake;

/// Each file in turn.
pub(super) fn check(paths: &[PathBuf]) -> Said {
    let mut said = Said::default();
    for path in paths {
        let bytes = match fetch::read(path, limits::POLICY_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(error) => {
                said = said.no(EXIT_USAGE, error);
                continue;
            }
        };
        match compiled(path, &bytes, &mut said) {
            Some((_, policy)) => {
                let count = policy.rules().len();
                let line = format!("{}: no mistake in version {}, {count} rules\n", path.display(), policy.version());
                said.out.push_str(&line);
            }
            None => said.code = said.code.max(EXIT_NO),
        }
    }
    said
}

/// The document in a file and what it compiles to; mistakes and warnings are said. None only together with a mistake.
pub(super) fn compiled(path: &Path, bytes: &[u8], said: &mut Said) -> Option<(String, Policy)> {
    let result = document(bytes).and_then(|(text, document)| {
        let policy = compile(&document, Origin::Unsigned, [0; 32])?;
        Ok((text, document, policy))
    });
    match result {
        Ok((text, document, policy)) => {
            said.list(path, "warning: ", &advice(&document, &policy, clock::unix().as_secs()));
            Some((text, policy))
        }
        Err(mistakes) => {
            said.list(path, "", &mistakes);
            None
        }
    }
}

/// The policy that requests are to be tried under: the built-in one if `path` is none. Advice is not given.
pub(super) fn policy(path: Option<&Path>, said: &mut Said) -> Option<Policy> {
    let Some(path) = path else { return Some(Policy::built_in()) };
    let result = fetch::read(path, limits::POLICY_BYTES_MAX).map_err(|error| format!("{error}\n"));
    let policy = result.map_err(|error| said.err.push_str(&error)).ok().and_then(|bytes| {
        let compiled = document(&bytes).and_then(|(_, document)| compile(&document, Origin::Unsigned, [0; 32]));
        compiled.map_err(|mistakes| said.list(path, "", &mistakes)).ok()
    });
    match policy.as_ref().map(|policy| policy.validity(clock::unix().as_secs())) {
        Some(Validity::Valid) => {}
        Some(Validity::NotYet) => said.tell(format_args!("{}: warning: it does not hold yet", path.display())),
        Some(Validity::Over) => said.tell(format_args!("{}: warning: its time is over", path.display())),
        None => said.code = EXIT_USAGE,
    }
    policy
}

/// The document in the bytes of a file, of a bundle too; nothing is verified.
pub(super) fn document(bytes: &[u8]) -> Result<(String, Document), Vec<Mistake>> {
    let mistake = |line, text: &str| vec![Mistake { line, rule: None, text: text.to_owned() }];
    let bytes = if bundle::is_bundle(bytes) {
        Bundle::parse(bytes)
            .ok_or_else(|| mistake(1, "the header of the bundle is broken, or its length is another"))?
            .document
    } else {
        bytes
    };
    let text = str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        mistake(before.iter().filter(|byte| **byte == b'\n').count() + 1, "not UTF-8")
    })?;
    Ok((text.to_owned(), Document::parse(text)?))
}
