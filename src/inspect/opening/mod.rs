//! Where a match that is not finished may have begun: what a stream holds back, and nothing else.
//!
//! ```text
//!  text so far:  … the card is 4111 1111 11       a number may go on          held from the 4
//!                … as you said, task-oriented     nothing begins here          nothing held
//! ```
//! Every answer errs on one side: from an opening on a match may still begin, before it none can. What begins earlier and is not
//! finished is found here, whatever comes next. Known bounds of it: of a value that is wrapped (base64, letters of other scripts)
//! the first few characters may not look like the beginning of anything. It keeps no state: the text is what has come so far.

mod encoded;
mod literal;
mod number;
mod pattern;
#[cfg(test)]
mod tests;
mod token;
mod wrapped;

use super::detector::KINDS;
use super::detector::Kind;
use super::detector::named;
use super::normalise;
use super::normalise::View;
use super::scan::Find;
use super::scan::Finder;

use literal::Prefixes;
use pattern::Patterns;

/// What the unfinished matches of some finders look like.
#[derive(Debug, Default)]
pub struct Openings {
    kinds: [bool; KINDS],
    /// Literals that may stand anywhere, and those that are whole words.
    literals: Prefixes,
    words: Prefixes,
    patterns: Patterns,
    any: bool,
}

impl Openings {
    /// For those of `finders` whose place in the list is `chosen`. Takes as long as their expressions take to compile: not for a core.
    ///
    /// The finders must be such that a scanner can be made from them; one that cannot is passed over.
    #[must_use]
    pub fn new(finders: &[Finder], chosen: impl Fn(usize) -> bool) -> Self {
        let mut openings = Self::default();
        let (mut anywhere, mut words, mut expressions) = (Vec::new(), Vec::new(), Vec::new());
        for (_, finder) in finders.iter().enumerate().filter(|(at, _)| chosen(*at)) {
            openings.any = true;
            match &finder.find {
                Find::Detector(name) => {
                    let place = named(name).and_then(|detector| openings.kinds.get_mut(detector.kind as usize));
                    if let Some(wanted) = place {
                        *wanted = true;
                    }
                }
                Find::Pattern(expression) => expressions.push(expression.as_str()),
                Find::Literals { texts, whole_words: true, .. } => words.extend(texts.iter().map(String::as_str)),
                Find::Literals { texts, .. } => anywhere.extend(texts.iter().map(String::as_str)),
            }
        }
        openings.literals = Prefixes::new(&anywhere);
        openings.words = Prefixes::new(&words);
        openings.patterns = Patterns::new(&expressions);
        openings
    }

    /// Whether no finder was chosen: there are no openings then.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        !self.any
    }

    /// The first place of `text` from which a match that goes on beyond its end may begin. `view` is scratch.
    ///
    /// What stands before the text does not count but for what `text` begins with: give it a few bytes more than are of interest.
    #[must_use]
    pub fn earliest(&self, text: &[u8], view: &mut View) -> Option<usize> {
        if !self.any {
            return None;
        }
        let mut earliest = earlier(self.plain(text), encoded::earliest(text));
        if normalise::may_fold(text) {
            let whole = text.len();
            let escape = wrapped::unfinished(text);
            for end in [Some(whole), escape].into_iter().flatten() {
                let front = text.get(..end).unwrap_or_default();
                let folded = if normalise::fold(front, view) { self.viewed(view) } else { self.plain(front) };
                earliest = earlier(earliest, folded);
            }
            earliest = earlier(earliest, escape);
            if normalise::hidden(text, view) {
                earliest = earlier(earliest, self.viewed(view));
            }
        }
        earliest
    }

    /// The same for a folded text, with the place in its original.
    fn viewed(&self, view: &View) -> Option<usize> {
        self.plain(&view.text).map(|start| view.to_original(start..view.text.len()).start)
    }

    /// The same for a text as it stands.
    fn plain(&self, text: &[u8]) -> Option<usize> {
        let wants = |kind: Kind| self.kinds.get(kind as usize).is_some_and(|wanted| *wanted);
        let mut earliest = None;
        let mut consider = |start: Option<usize>| earliest = earlier(earliest, start);
        if wants(Kind::Email) {
            consider(token::email(text));
        }
        if wants(Kind::Card) || wants(Kind::UsSsn) || wants(Kind::Phone) || wants(Kind::Ipv4) {
            consider(number::digits(text, wants(Kind::Phone)));
        }
        if wants(Kind::Iban) {
            consider(number::iban(text));
        }
        consider(token::tokens(text, &wants));
        if wants(Kind::PrivateKey) {
            consider(token::armour(text));
        }
        consider(self.literals.earliest(text, false));
        consider(self.words.earliest(text, true));
        consider(self.patterns.earliest(text));
        earliest
    }
}

/// The smaller of two places.
fn earlier(one: Option<usize>, other: Option<usize>) -> Option<usize> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// How many bytes at the end of `text` are of a kind; at most `max`.
fn row(text: &[u8], max: usize, is: impl Fn(u8) -> bool) -> usize {
    text.iter().rev().take(max).take_while(|byte| is(**byte)).count()
}
