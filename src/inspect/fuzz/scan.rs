//! The scanner against its twins: without vectors, one finder at a time, moved by some bytes, and each pattern by trying every span.

use std::sync::LazyLock;

use regex_automata::Anchored;
use regex_automata::Input;
use regex_automata::MatchKind;
use regex_automata::dfa::Automaton;
use regex_automata::dfa::dense;
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;

use crate::inspect::Exceeded;
use crate::inspect::Finding;
use crate::inspect::Text;
use crate::inspect::Work;
use crate::inspect::detector::DETECTORS;
use crate::inspect::scan::Find;
use crate::inspect::scan::Finder;
use crate::inspect::scan::Scanner;
use crate::limits::FINDINGS_MAX;
use crate::limits::VERIFIED_BYTES_FACTOR;
use crate::limits::VERIFIED_BYTES_SLACK;

/// Bytes that every span is tried of: trying is quadratic.
const SPANS_BYTES_MAX: usize = 256;

/// Expressions, and whether an anchor stands in front of their matches or none at all: then the matches are exactly those of a
/// leftmost-longest search. With an anchor inside they cover them.
const EXPRESSIONS: &[(&str, bool)] = &[
    (r"\bEMP-[0-9]{2,4}\b", true),
    (r"(?i)emp[ -]?[a-z]*", true),
    (r"ghp_[a-z]|AKI[A-Z]{1,4}", true),
    (r"(?:abab)+", true),
    (r"[0-9]{2}[a-z ]?", true),
    (r"(?:x|-)$", true),
    (r"[a-z0-9]+@acme\.org", false),
    (r"[a-z-]*abab[a-z]", false),
];

type Dfa = dense::DFA<Vec<u32>>;

struct Twins {
    whole: Scanner,
    portable: Scanner,
    alone: Vec<Scanner>,
    patterns: Vec<(Scanner, Dfa, bool)>,
}

fn build<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    match result {
        Ok(built) => built,
        Err(error) => panic!("it builds: {error:?}"),
    }
}

static TWINS: LazyLock<Twins> = LazyLock::new(|| {
    let finder = |find| Finder { find, context: Vec::new(), validator: None, entropy_min: None };
    let mut finders: Vec<Finder> = DETECTORS.iter().map(|row| finder(Find::Detector(row.name.to_owned()))).collect();
    let texts = ["falcon", "falconry", "密码", "ghp"].map(str::to_owned).to_vec();
    finders.push(finder(Find::Literals { texts, case_sensitive: false, whole_words: false }));
    finders.extend(EXPRESSIONS.iter().map(|(expression, _)| finder(Find::Pattern((*expression).to_owned()))));
    let dfa = |expression: &str| {
        dense::Builder::new()
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .thompson(thompson::Config::new().utf8(false))
            .configure(dense::Config::new().match_kind(MatchKind::All))
            .build(expression)
            .map_err(Box::new)
    };
    let pattern = |(expression, exact): &(&str, bool)| {
        let scanner = Scanner::new(&[finder(Find::Pattern((*expression).to_owned()))]);
        (build(scanner), build(dfa(expression)), *exact)
    };
    Twins {
        whole: build(Scanner::new(&finders)),
        portable: build(Scanner::portable(&finders)),
        alone: finders.iter().map(|finder| build(Scanner::new(std::slice::from_ref(finder)))).collect(),
        patterns: EXPRESSIONS.iter().map(pattern).collect(),
    }
});

/// Any bytes as a text; the first one says how long the key is that stands before it.
///
/// # Panics
/// Where a property does not hold.
pub fn fuzz_scan(bytes: &[u8]) {
    let (key, text) = match bytes.split_first() {
        Some((first, rest)) => rest.split_at(usize::from(first % 16).min(rest.len())),
        None => (&[][..], bytes),
    };
    let twins = &*TWINS;
    let (found, work) = run(&twins.whole, key, text);
    let (other, count) = run(&twins.portable, key, text);
    assert_eq!(found, other, "the twins agree");
    assert_eq!(work.map(|work| work.verified), count.map(|work| work.verified), "and read as much");
    let Ok(work) = work else { return };
    spans_are_good(&found, text);
    let bound = VERIFIED_BYTES_FACTOR * text.len() as u64 + VERIFIED_BYTES_SLACK;
    assert!(work.verified <= bound, "the bound holds");
    for (number, scanner) in twins.alone.iter().enumerate() {
        let (alone, _) = run(scanner, key, text);
        let alone: Vec<_> = alone.iter().map(|found| (found.start, found.end, found.validated)).collect();
        let same = found.iter().filter(|found| usize::from(found.finder) == number);
        let same: Vec<_> = same.map(|found| (found.start, found.end, found.validated)).collect();
        assert_eq!(alone, same, "a finder finds the same alone");
    }
    moved(&twins.whole, key, text, &found);
    let short = text.get(..text.len().min(SPANS_BYTES_MAX)).unwrap_or_default();
    twins.patterns.iter().for_each(|(scanner, dfa, exact)| every_span(scanner, dfa, *exact, short));
}

fn run(scanner: &Scanner, key: &[u8], text: &[u8]) -> (Vec<Finding>, Result<Work, Exceeded>) {
    let mut work = Work { input: text.len() as u64, ..Work::default() };
    let mut found = Vec::new();
    let result = scanner.scan(Text { bytes: text, key }, &mut work, &mut found);
    found.sort_by_key(|finding| (finding.start, finding.end, finding.finder));
    (found, result.map(|()| work))
}

fn spans_are_good(found: &[Finding], text: &[u8]) {
    assert!(found.len() <= FINDINGS_MAX);
    let utf8 = std::str::from_utf8(text);
    for finding in found {
        let (start, end) = (finding.start as usize, finding.end as usize);
        assert!(start < end && end <= text.len(), "a span in the text");
        if let Ok(text) = utf8 {
            assert!(text.is_char_boundary(start) && text.is_char_boundary(end), "whole characters");
        }
    }
}

/// Where the text begins does not matter: with spaces and a line before it, the same stands as much later.
fn moved(scanner: &Scanner, key: &[u8], text: &[u8], found: &[Finding]) {
    let by = 67 + text.len() % 64;
    let mut longer = vec![b' '; by];
    longer.push(b'\n');
    longer.extend_from_slice(text);
    let (later, Ok(_)) = run(scanner, key, &longer) else { return };
    let by = u32::try_from(by + 1).unwrap_or(0);
    let back: Vec<_> = later.iter().map(|one| Finding { start: one.start - by, end: one.end - by, ..*one }).collect();
    assert_eq!(back, found, "a text says the same wherever it stands");
}

/// The longest match that begins at each place, by walking the automaton from there; the leftmost ones that do not overlap.
fn every_span(scanner: &Scanner, dfa: &Dfa, exact: bool, text: &[u8]) {
    let mut expected = Vec::new();
    let mut from = 0;
    for start in 0..text.len() {
        if start < from {
            continue;
        }
        if let Some(end) = longest(dfa, text, start) {
            expected.push(widened(text, start, end));
            from = end;
        }
    }
    let (found, Ok(_)) = run(scanner, b"", text) else { return };
    let found: Vec<_> = found.iter().map(|found| (found.start as usize, found.end as usize)).collect();
    if exact {
        assert_eq!(found, expected, "the matches of a leftmost-longest search");
        return;
    }
    for (start, end) in expected {
        let covered = |at: usize| found.iter().any(|(from, to)| (*from..*to).contains(&at));
        assert!((start..end).all(covered), "every match is covered");
    }
    for (start, end) in found {
        let is = (start..end).any(|from| longest(dfa, text, from).is_some_and(|to| widened(text, from, to).1 == end));
        assert!(is, "nothing but matches");
    }
}

fn longest(dfa: &Dfa, text: &[u8], start: usize) -> Option<usize> {
    let input = Input::new(text).span(start..text.len()).anchored(Anchored::Yes);
    let mut state = dfa.start_state_forward(&input).ok()?;
    let mut last = None;
    for (read, byte) in text.get(start..)?.iter().enumerate() {
        state = dfa.next_state(state, *byte);
        if dfa.is_match_state(state) {
            last = Some(start + read);
        }
    }
    if dfa.is_match_state(dfa.next_eoi_state(state)) { Some(text.len()) } else { last }
}

/// A span of bytes as a span of characters.
fn widened(text: &[u8], start: usize, end: usize) -> (usize, usize) {
    let inside = |at: usize| text.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    let start = (start.saturating_sub(3)..=start).rev().find(|at| !inside(*at)).unwrap_or(start.saturating_sub(3));
    let end = (end..=end + 3).find(|at| !inside(*at)).unwrap_or(end + 3);
    (start, end)
}
