//! The regular expressions of a policy: dense automata, anchored by a literal that every match must have.
//!
//! ```text
//!  prefix   \bEMP-[0-9]{6}        EMP-  begins a match: run forward from it
//!  inside   [a-z]+@acme\.org      @acme.org is behind P = [a-z]+: run P backward from it, then all forward from where P begins
//!  none     [A-Z]{2}[0-9]{6}      the slow lane: over every byte
//! ```
//! Matches are leftmost, then longest (a redaction must not leave the end of a longer match behind), and do not overlap each other. An
//! anchor inside finds the longest match around it; two such matches may overlap. Every step counts the bytes that it reads.
//! Classes are ASCII (`(?-u)`); text beyond ASCII is written `(?u:…)`. Nothing here allocates once it is built.

use regex_automata::Anchored;
use regex_automata::Input;
use regex_automata::MatchKind;
use regex_automata::dfa::Automaton;
use regex_automata::dfa::StartKind;
use regex_automata::dfa::dense;
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;
use regex_syntax::hir::HirKind;
use regex_syntax::hir::literal::ExtractKind;
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::literal::Seq;

use crate::limits::PATTERN_BYTES_MAX;
use crate::limits::POLICY_LITERAL_BYTES_MIN;

use super::scan::FinderError;

/// Anchors of one pattern: more of them would be found everywhere. Past it: the slow lane.
const ANCHORS_MAX: usize = 64;

/// Levels of groups in an expression.
pub(super) const NESTING_MAX: u32 = 64;

pub(super) type Dfa = dense::DFA<Vec<u32>>;

/// How the matches of a pattern are found.
#[derive(Debug)]
enum Lane {
    /// An anchor begins a match.
    Prefix,
    /// An anchor stands behind this part of it, which is read backward.
    Inside(Box<Dfa>),
    /// No anchor: ends are found by the first, and begin where the second says, read backward.
    Slow(Box<Dfa>, Box<Dfa>),
}

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Pattern {
    /// The whole, anchored, all matches: the last one is the longest.
    whole: Box<Dfa>,
    lane: Lane,
    /// The literals of which every match has one; ASCII letters in any case. None in the slow lane.
    pub(super) anchors: Vec<Box<[u8]>>,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Pattern {
    pub(super) fn new(expression: &str) -> Result<Self, FinderError> {
        let mut parser = ParserBuilder::new().unicode(false).utf8(false).nest_limit(NESTING_MAX).build();
        let hir = parser.parse(expression).map_err(|error| FinderError::Pattern(error.to_string()))?;
        match hir.properties().minimum_len() {
            Some(0) => return Err(FinderError::MatchesNothing),
            Some(_) => {}
            None => return Err(FinderError::Pattern("the expression can never match".to_owned())),
        }
        let whole = Box::new(build(&hir, false, Anchored::Yes, MatchKind::All)?);
        let parts = match hir.kind() {
            HirKind::Capture(capture) => concatenation(&capture.sub),
            _ => concatenation(&hir),
        };
        let (lane, anchors) = match best_anchor(&parts) {
            Some((0, anchors)) => (Lane::Prefix, anchors),
            Some((behind, anchors)) => {
                let front = Hir::concat(parts.into_iter().take(behind).collect());
                (Lane::Inside(Box::new(build(&front, true, Anchored::Yes, MatchKind::All)?)), anchors)
            }
            None => {
                let ends = build(&hir, false, Anchored::No, MatchKind::LeftmostFirst)?;
                let starts = build(&hir, true, Anchored::Yes, MatchKind::All)?;
                (Lane::Slow(Box::new(ends), Box::new(starts)), Vec::new())
            }
        };
        Ok(Self { whole, lane, anchors })
    }

    pub(super) fn is_slow(&self) -> bool {
        matches!(self.lane, Lane::Slow(..))
    }

    /// Whether a match begins where its anchor does.
    pub(super) fn is_prefixed(&self) -> bool {
        matches!(self.lane, Lane::Prefix)
    }

    /// The match with an anchor at `anchor`, and how many bytes were read.
    pub(super) fn at_anchor(&self, text: &[u8], anchor: usize) -> (Option<Span>, u64) {
        let (start, back) = match &self.lane {
            Lane::Inside(front) => backward(front, text, anchor),
            _ => (Some(anchor), 0),
        };
        let Some(start) = start else { return (None, back) };
        let (end, forth) = forward(&self.whole, text, start, Anchored::Yes);
        (end.map(|end| Span { start, end }), back + forth)
    }

    /// The first match from `from` on, without an anchor, and how many bytes were read.
    pub(super) fn next(&self, text: &[u8], from: usize) -> (Option<Span>, u64) {
        let Lane::Slow(ends, starts) = &self.lane else { return (None, 0) };
        let (end, first) = forward(ends, text, from, Anchored::No);
        let Some(end) = end else { return (None, first) };
        let (start, second) = backward_to(starts, text, from, end);
        let Some(start) = start else { return (None, first + second) };
        let (end, third) = forward(&self.whole, text, start, Anchored::Yes);
        (end.map(|end| Span { start, end }), first + second + third)
    }
}

/// The parts of an expression that follow each other; groups are opened.
fn concatenation(hir: &Hir) -> Vec<Hir> {
    let HirKind::Concat(parts) = hir.kind() else { return vec![hir.clone()] };
    let mut flat = Vec::new();
    for part in parts {
        match part.kind() {
            HirKind::Capture(capture) => match capture.sub.kind() {
                HirKind::Concat(inner) => flat.extend(inner.iter().cloned()),
                _ => flat.push((*capture.sub).clone()),
            },
            _ => flat.push(part.clone()),
        }
    }
    flat
}

/// How many parts stand before the best anchors, and the anchors. The front is best unless what stands inside is clearly rarer.
fn best_anchor(parts: &[Hir]) -> Option<(usize, Vec<Box<[u8]>>)> {
    let mut best: Option<(usize, Vec<Box<[u8]>>)> = None;
    let weight = |anchors: &[Box<[u8]>]| anchors.iter().map(|anchor| anchor.len().min(8)).min().unwrap_or(0);
    // Each try reads the rest of the expression: a long one is looked at where it begins.
    for behind in 0..parts.len().min(ANCHORS_MAX) {
        let Some(rest) = parts.get(behind..) else { break };
        let Some(anchors) = prefixes(&Hir::concat(rest.to_vec())) else { continue };
        let better = match &best {
            None => true,
            Some((0, known)) => weight(known) < 4 && weight(&anchors) > weight(known),
            Some((_, known)) => weight(&anchors) > weight(known),
        };
        if better {
            best = Some((behind, anchors));
        }
    }
    best
}

/// The literals that a match of this begins with; nothing where there are too many or too short ones.
fn prefixes(hir: &Hir) -> Option<Vec<Box<[u8]>>> {
    let mut extractor = Extractor::new();
    extractor.kind(ExtractKind::Prefix).limit_class(26).limit_repeat(8).limit_literal_len(16).limit_total(1024);
    let seq: Seq = extractor.extract(hir);
    let mut found: Vec<Box<[u8]>> =
        seq.literals()?.iter().map(|literal| literal.as_bytes().to_ascii_lowercase().into()).collect();
    if found.iter().map(|literal| literal.len()).min()? < POLICY_LITERAL_BYTES_MIN {
        return None;
    }
    dedup(&mut found);
    // Shorter ones until they are few: four bytes are enough for the filter.
    for keep in [8, 6, 5, 4, 3] {
        if found.len() <= ANCHORS_MAX {
            break;
        }
        found.iter_mut().for_each(|literal| *literal = literal.iter().copied().take(keep).collect());
        dedup(&mut found);
    }
    (found.len() <= ANCHORS_MAX).then_some(found)
}

fn dedup(literals: &mut Vec<Box<[u8]>>) {
    literals.sort();
    literals.dedup();
}

pub(super) fn build(hir: &Hir, reverse: bool, anchored: Anchored, kind: MatchKind) -> Result<Dfa, FinderError> {
    let config = thompson::Config::new()
        .reverse(reverse)
        .utf8(false)
        .shrink(false)
        .which_captures(thompson::WhichCaptures::None)
        .nfa_size_limit(Some(PATTERN_BYTES_MAX));
    let nfa = thompson::Compiler::new().configure(config).build_from_hir(hir).map_err(|error| {
        if error.size_limit().is_some() {
            FinderError::PatternTooLarge
        } else {
            FinderError::Pattern(error.to_string())
        }
    })?;
    let start = if anchored == Anchored::No { StartKind::Unanchored } else { StartKind::Anchored };
    let config = dense::Config::new()
        .accelerate(false)
        .minimize(false)
        .match_kind(kind)
        .start_kind(start)
        .dfa_size_limit(Some(PATTERN_BYTES_MAX))
        .determinize_size_limit(Some(PATTERN_BYTES_MAX));
    dense::Builder::new().configure(config).build_from_nfa(&nfa).map_err(|error| {
        if error.is_size_limit_exceeded() {
            FinderError::PatternTooLarge
        } else {
            FinderError::Pattern(error.to_string())
        }
    })
}

/// The end of the last match that `dfa` sees from `start` on, and how many bytes it read.
fn forward(dfa: &Dfa, text: &[u8], start: usize, anchored: Anchored) -> (Option<usize>, u64) {
    let input = Input::new(text).span(start..text.len()).anchored(anchored);
    let Ok(mut state) = dfa.start_state_forward(&input) else { return (None, 0) };
    let mut last = None;
    for (read, byte) in text.get(start..).unwrap_or_default().iter().enumerate() {
        state = dfa.next_state(state, *byte);
        if dfa.is_special_state(state) {
            // A match is seen one byte late.
            if dfa.is_match_state(state) {
                last = Some(start + read);
            } else if stops(dfa, state) {
                return (last, read as u64 + 1);
            }
        }
    }
    if dfa.is_match_state(dfa.next_eoi_state(state)) {
        last = Some(text.len());
    }
    (last, (text.len() - start.min(text.len())) as u64 + 1)
}

/// The first place from which `dfa`, a reverse one, leads to `end`, and how many bytes it read.
pub(super) fn backward(dfa: &Dfa, text: &[u8], end: usize) -> (Option<usize>, u64) {
    backward_to(dfa, text, 0, end)
}

/// The same, not before `from`.
fn backward_to(dfa: &Dfa, text: &[u8], from: usize, end: usize) -> (Option<usize>, u64) {
    let input = Input::new(text).span(from..end).anchored(Anchored::Yes);
    let Ok(mut state) = dfa.start_state_reverse(&input) else { return (None, 0) };
    let mut last = None;
    for (read, byte) in text.get(from..end).unwrap_or_default().iter().rev().enumerate() {
        state = dfa.next_state(state, *byte);
        if dfa.is_special_state(state) {
            if dfa.is_match_state(state) {
                last = Some(end - read);
            } else if stops(dfa, state) {
                return (last, read as u64 + 1);
            }
        }
    }
    // What stands before `from` is context (for `\b` and `^`), and no part of a match.
    let state = match from.checked_sub(1).and_then(|before| text.get(before)) {
        Some(byte) => dfa.next_state(state, *byte),
        None => dfa.next_eoi_state(state),
    };
    if dfa.is_match_state(state) {
        last = Some(from);
    }
    (last, (end - from) as u64 + 1)
}

fn stops(dfa: &Dfa, state: StateID) -> bool {
    dfa.is_dead_state(state) || dfa.is_quit_state(state)
}
