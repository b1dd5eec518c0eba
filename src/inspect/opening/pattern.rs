//! Unfinished matches of a policy's own expressions: one automaton for the beginnings of all of them, read backward.
//!
//! ```text
//!  EMP-[0-9]{6}   its beginnings: E EM EMP EMP- EMP-1 EMP-12 …      from the end of the text back, the furthest place wins
//! ```
//! Long repetitions count as endless ones here: that keeps the automaton small, and holds a little more than must be.

use regex_automata::Anchored;
use regex_automata::MatchKind;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;
use regex_syntax::hir::HirKind;
use regex_syntax::hir::Repetition;

use crate::inspect::pattern::Dfa;
use crate::inspect::pattern::NESTING_MAX;
use crate::inspect::pattern::backward;
use crate::inspect::pattern::build;

/// Repetitions up to which a bound is kept.
const REPETITIONS_MAX: u32 = 16;

/// Expressions that share an automaton, if they fit.
const TOGETHER_MAX: usize = 32;

/// Bytes of a word that is held where an expression has no automaton of its beginnings.
const WORD_BYTES_MAX: usize = 256;

/// The beginnings of some expressions.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    automata: Vec<Dfa>,
    /// Whether an expression is too large for one: then the last word may be the beginning of its match.
    words: bool,
}

impl Patterns {
    pub(super) fn new(expressions: &[&str]) -> Self {
        let mut patterns = Self::default();
        let parse = |expression: &&str| {
            ParserBuilder::new().unicode(false).utf8(false).nest_limit(NESTING_MAX).build().parse(expression).ok()
        };
        let beginnings: Vec<Hir> = expressions.iter().filter_map(parse).map(|hir| beginnings(&hir)).collect();
        for together in beginnings.chunks(TOGETHER_MAX) {
            patterns.add(together);
        }
        patterns
    }

    /// One automaton for all of them, or for each half, and so on.
    fn add(&mut self, together: &[Hir]) {
        match build(&Hir::alternation(together.to_vec()), true, Anchored::Yes, MatchKind::All) {
            Ok(automaton) => self.automata.push(automaton),
            Err(_) if together.len() > 1 => {
                let (left, right) = together.split_at(together.len() / 2);
                self.add(left);
                self.add(right);
            }
            Err(_) => self.words = true,
        }
    }

    /// Where the longest suffix of `text` begins that is the beginning of a match.
    pub(super) fn earliest(&self, text: &[u8]) -> Option<usize> {
        let starts = self.automata.iter().filter_map(|automaton| backward(automaton, text, text.len()).0);
        let found = starts.filter(|start| *start < text.len()).min();
        let word =
            self.words.then(|| text.len() - super::row(text, WORD_BYTES_MAX, |byte| !byte.is_ascii_whitespace()));
        super::earlier(found, word.filter(|start| *start < text.len()))
    }
}

/// Everything that a match of `hir` can begin with, the empty text and whole matches among it.
fn beginnings(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(literal) => {
            let bytes = literal.0.iter().rev();
            bytes.fold(Hir::empty(), |rest, byte| optional(Hir::concat(vec![Hir::literal([*byte]), rest])))
        }
        HirKind::Class(class) => optional(Hir::class(class.clone())),
        HirKind::Capture(capture) => beginnings(&capture.sub),
        HirKind::Alternation(branches) => Hir::alternation(branches.iter().map(beginnings).collect()),
        HirKind::Concat(parts) => {
            // From the last part on: what it may begin with, or a whole part and what the rest may begin with.
            let mut rest = Hir::empty();
            for part in parts.iter().rev() {
                let whole = Hir::concat(vec![relaxed(part), rest]);
                rest = Hir::alternation(vec![beginnings(part), whole]);
            }
            rest
        }
        HirKind::Repetition(repetition) => {
            let before = match repetition.max {
                Some(0) => return Hir::empty(),
                Some(max) if max <= REPETITIONS_MAX => Some(max - 1),
                _ => None,
            };
            let sub = relaxed(&repetition.sub);
            let before = Hir::repetition(Repetition { min: 0, max: before, greedy: true, sub: Box::new(sub) });
            Hir::concat(vec![before, beginnings(&repetition.sub)])
        }
    }
}

/// The same with every long repetition endless and from its bound down to none: a part that was passed was passed as it should be.
fn relaxed(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => hir.clone(),
        HirKind::Capture(capture) => relaxed(&capture.sub),
        HirKind::Alternation(branches) => Hir::alternation(branches.iter().map(relaxed).collect()),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(relaxed).collect()),
        HirKind::Repetition(repetition) => {
            let long = |bound: &u32| *bound > REPETITIONS_MAX;
            let min = if long(&repetition.min) { 1 } else { repetition.min };
            let max = repetition.max.filter(|max| !long(max));
            let sub = Box::new(relaxed(&repetition.sub));
            Hir::repetition(Repetition { min, max, greedy: true, sub })
        }
    }
}

fn optional(hir: Hir) -> Hir {
    Hir::repetition(Repetition { min: 0, max: Some(1), greedy: true, sub: Box::new(hir) })
}
