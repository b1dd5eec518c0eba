//! The scanner: candidates in one pass, then shapes, then validators and context.

use super::Exceeded;
use super::Finding;
use super::Text;
use super::Work;

/// What to look for. A scanner is made from a list of these, and a finding names its place in that list.
#[derive(Clone, Debug)]
pub struct Finder {
    /// The matcher.
    pub find: Find,
    /// Words of which one must stand near a match (or in its key), whole and in any case; empty: none needed.
    /// For a built-in detector they come on top of its own.
    pub context: Vec<String>,
    /// A further check of each match.
    pub validator: Option<Validator>,
    /// Least Shannon entropy of a match, bits a byte.
    pub entropy_min: Option<f32>,
}

/// The matcher of a [`Finder`].
#[derive(Clone, Debug)]
pub enum Find {
    /// A row of `detector::DETECTORS`, by its name.
    Detector(String),
    /// A regular expression of the policy; ASCII classes (`(?-u)`), no look-around but `\b`, `^`, `$`.
    Pattern(String),
    /// Literal texts, in any case unless `case_sensitive`.
    Literals {
        /// The texts, each of 3 to 256 bytes.
        texts: Vec<String>,
        /// Whether case counts.
        case_sensitive: bool,
        /// Whether a match must not be part of a longer word.
        whole_words: bool,
    },
}

/// Checks that a policy may name for a pattern of its own. They look at the digits (and letters) of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validator {
    /// ISO/IEC 7812-1 annex B.
    Luhn,
    /// ISO 7064 mod 97-10 over an IBAN, with the length of its country.
    Iban,
}

/// Why a finder cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinderError {
    /// No built-in detector has that name.
    UnknownDetector,
    /// The expression is not valid; the text says why (it quotes the policy, never a prompt).
    Pattern(String),
    /// Its automaton is larger than `limits::PATTERN_BYTES_MAX`.
    PatternTooLarge,
    /// It matches the empty text.
    MatchesNothing,
    /// A literal that is too short or too long.
    Literal,
}

/// All finders of a policy, compiled: immutable, shared by all cores.
#[derive(Debug)]
pub struct Scanner {}

impl Scanner {
    /// Compiles. Takes milliseconds: not for a core.
    ///
    /// # Errors
    /// The place of the first finder that cannot be built, and why.
    pub fn new(_finders: &[Finder]) -> Result<Self, (usize, FinderError)> {
        Ok(Self {})
    }

    /// Whether a finder has no anchor and runs in the slow lane: over every byte of a text, up to `limits::SLOW_LANE_BYTES_MAX` a request.
    #[must_use]
    pub fn is_slow(&self, _finder: usize) -> bool {
        false
    }

    /// Whether a finder's findings may give way to those of others, and displace them (`overlap`): those of built-in detectors.
    #[must_use]
    pub fn yields(&self, _finder: u16) -> bool {
        true
    }

    /// Adds every match in `text` as it stands (nothing is normalised or decoded here) to `findings`, overlaps resolved.
    ///
    /// # Errors
    /// The request has caused more work than it may.
    pub fn scan(&self, text: Text<'_>, work: &mut Work, findings: &mut Vec<Finding>) -> Result<(), Exceeded> {
        let _ = (text, work, findings);
        Ok(())
    }
}
