//! A document to the policy that a core asks.
//!
//! Rules that look for the same thing share one finder; which of them decides about a match is looked up by its place, in a slice
//! that holds the finder's rules in the order of the document. Takes as long as the expressions take to compile: not for a core.
//!
//! ```text
//!  rules:    0 email, body    1 email, url    2 card, body
//!  finders:  0 email: [(body, 0), (url, 1)]   1 card: [(body, 2)]        rule_for(0, url) = 1
//! ```

use std::collections::HashMap;

use super::Action;
use super::Origin;
use super::Policy;
use super::Rule;
use super::Scope;
use super::document;
use super::document::Document;
use super::document::Mistake;
use super::places;
use super::places::Places;
use crate::extract::Part;
use crate::inspect::opening::Openings;
use crate::inspect::scan::Find;
use crate::inspect::scan::Finder;
use crate::inspect::scan::FinderError;
use crate::inspect::scan::Scanner;
use crate::limits;

/// Which rule decides about a finder's matches: the first whose places hold the match's.
pub(super) type Deciders = Box<[(Places, u32)]>;

const _: () = assert!(places::SCOPES.len() * places::PARTS.len() <= u8::BITS as usize);

/// Where a finder's matches are acted on: a bit for each scope and part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Acts(u8);

/// For each scope, the parts that any rule does something about.
pub(super) type Looks = [[bool; places::PARTS.len()]; places::SCOPES.len()];

/// Compiles a document whose bytes have the SHA-256 `digest`.
///
/// # Errors
/// The finders that cannot be built, each with the line of the first rule that has it.
pub fn compile(document: &Document, origin: Origin, digest: [u8; 32]) -> Result<Policy, Vec<Mistake>> {
    let (finders, deciders) = finders(document);
    let scanner = match Scanner::new(&finders) {
        Ok(scanner) => scanner,
        Err((first, error)) => return Err(mistakes(document, &finders, &deciders, first, &error)),
    };
    let rules = document.rules.iter().map(|rule| Rule {
        id: rule.id,
        code: rule.code,
        severity: rule.severity,
        action: if rule.shadow { Action::Warn } else { rule.action },
        placeholder: rule.placeholder.clone(),
    });
    let acts: Box<[Acts]> = deciders.iter().map(|deciders| Acts::of(document, deciders)).collect();
    let holds = |part| Openings::new(&finders, |at| acts.get(at).is_some_and(|acts| acts.at(Scope::Response, part)));
    let answers = Places::new(&[Scope::Response], &places::PARTS, &places::LAYERS, &places::ROLES);
    let watched =
        |at: usize| deciders.get(at).is_some_and(|deciders| deciders.iter().any(|(places, _)| places.meets(answers)));
    Ok(Policy {
        version: document.version,
        tenant: document.tenant.clone(),
        not_before: document.not_before,
        not_after: document.not_after,
        origin,
        path_key: document.path_key,
        content: document.content,
        media: document.media,
        tools: document.tools.clone(),
        answers: document.answers,
        scanner,
        rules: rules.collect(),
        holding: [holds(Part::Body), holds(Part::Tools)],
        watching: Openings::new(&finders, watched),
        acts,
        deciders,
        looks: looks(document),
        tokenises: document.rules.iter().any(|rule| rule.action == Action::Tokenise && !rule.shadow),
        digest,
    })
}

/// What makes two finders the same: all that they say. `Debug` escapes texts, so two different ones never look alike.
#[must_use]
pub(super) fn identity(finder: &Finder) -> String {
    format!("{finder:?}")
}

/// Each different finder once, in the order of the document, and the rules that share it.
pub(super) fn finders(document: &Document) -> (Vec<Finder>, Box<[Deciders]>) {
    let mut known = HashMap::with_capacity(document.rules.len());
    let mut finders = Vec::new();
    let mut deciders: Vec<Vec<(Places, u32)>> = Vec::new();
    for (index, rule) in (0..).zip(&document.rules) {
        let at = *known.entry(identity(&rule.finder)).or_insert(finders.len());
        if at == finders.len() {
            finders.push(rule.finder.clone());
            deciders.push(Vec::new());
        }
        if let Some(deciders) = deciders.get_mut(at) {
            deciders.push((rule.places, index));
        }
    }
    (finders, deciders.into_iter().map(Vec::into_boxed_slice).collect())
}

impl Acts {
    /// Of several rules only the first that holds at a place decides there, so that each is left what those before it have not taken.
    fn of(document: &Document, deciders: &Deciders) -> Self {
        let mut left = Places::possible();
        let mut held = Places::NONE;
        for (places, index) in deciders {
            let acting =
                |rule: &&document::Rule| !rule.shadow && (rule.action.replaces() || rule.action == Action::Block);
            if document.rules.get(*index as usize).filter(acting).is_some() {
                held = held.with(places.and(left));
            }
            left = left.without(*places);
        }
        let mut acts = Self::default();
        for (scope, part) in places::SCOPES.into_iter().flat_map(|scope| places::PARTS.map(|part| (scope, part))) {
            if held.meets(Places::new(&[scope], &[part], &places::LAYERS, &places::ROLES)) {
                acts.0 |= Self::bit(scope, part);
            }
        }
        acts
    }

    pub(super) const fn at(self, scope: Scope, part: Part) -> bool {
        self.0 & Self::bit(scope, part) != 0
    }

    const fn bit(scope: Scope, part: Part) -> u8 {
        1 << (scope as usize * places::PARTS.len() + part as usize)
    }
}

/// A part where every rule allows need not be read.
fn looks(document: &Document) -> Looks {
    let acting = document.rules.iter().filter(|rule| rule.shadow || rule.action != Action::Allow);
    let held = acting.fold(Places::NONE, |held, rule| held.with(rule.places));
    let part = |scope, part: Part| held.meets(Places::new(&[scope], &[part], &places::LAYERS, &places::ROLES));
    places::SCOPES.map(|scope| places::PARTS.map(|each| part(scope, each)))
}

/// The scanner names one finder only; those behind it are tried alone, so that all mistakes are told at once.
fn mistakes(
    document: &Document,
    finders: &[Finder],
    deciders: &[Deciders],
    first: usize,
    error: &FinderError,
) -> Vec<Mistake> {
    let mistake = |at: usize, error: &FinderError| {
        let rule = deciders.get(at)?.first().and_then(|(_, rule)| document.rules.get(*rule as usize))?;
        Some(Mistake { line: rule.finder_line, rule: Some(rule.id), text: explain(&rule.finder, error) })
    };
    let mut mistakes: Vec<Mistake> = mistake(first, error).into_iter().collect();
    for (at, finder) in finders.iter().enumerate().skip(first + 1) {
        if mistakes.len() >= limits::POLICY_MISTAKES_MAX {
            break;
        }
        // Detectors are known to be good; only what the policy brings along is worth the time.
        if let (Find::Pattern(_), Err((_, error))) = (&finder.find, Scanner::new(std::slice::from_ref(finder))) {
            mistakes.extend(mistake(at, &error));
        }
    }
    mistakes
}

/// One line.
fn explain(finder: &Finder, error: &FinderError) -> String {
    let key = match finder.find {
        Find::Detector(_) => "detector",
        Find::Pattern(_) => "pattern",
        Find::Literals { .. } => "literals",
    };
    match error {
        FinderError::UnknownDetector => format!("{key}: this program has none of that name"),
        FinderError::Pattern(why) => {
            // The expression is drawn above the last line, which says what is wrong with it.
            let last = why.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
            format!("{key}: {}", last.strip_prefix("error: ").unwrap_or(last))
        }
        FinderError::PatternTooLarge => {
            format!("{key}: its automaton is larger than {} bytes; use shorter repetitions", limits::PATTERN_BYTES_MAX)
        }
        FinderError::MatchesNothing => format!("{key}: matches the empty text"),
        FinderError::Literal => format!("{key}: a text is too short or too long"),
    }
}
