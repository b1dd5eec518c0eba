//! Redaction: the bytes of a request with placeholders where hits were. Every byte outside a hit stays as it was.
//!
//! A placeholder is made of `[A-Z0-9_]` in brackets, so it needs no escape inside a JSON string, at whatever depth of JSON inside
//! JSON; a number becomes `0`, and in a URL or a form the brackets are percent-encoded.

use std::ops::Range;

use super::Hit;
use super::Spelling;
use super::Target;
use crate::policy::Action;
use crate::policy::Policy;
use crate::policy::Rule;

/// What redaction does to one target, piece by piece: bytes that stay, and what stands between them.
#[derive(Clone, Debug)]
pub struct Redaction<'a> {
    policy: &'a Policy,
    /// The hits to be replaced, in the order of their beginnings.
    hits: Vec<Hit>,
}

impl<'a> Redaction<'a> {
    /// Of all hits those that the policy redacts in `target`. It allocates: clean requests never come here.
    #[must_use]
    pub fn new(policy: &'a Policy, hits: &[Hit], target: Target) -> Self {
        let redacted = |hit: &&Hit| hit.target == target && hit.rule(policy).is_some_and(|rule| rule.action.replaces());
        let mut hits: Vec<Hit> = hits.iter().filter(redacted).copied().collect();
        hits.sort_unstable_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
        Self { policy, hits }
    }

    /// Whether nothing is to be replaced.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hits.is_empty()
    }

    /// Writes the redacted `bytes` by calls of `write`, and says how many placeholders stand in them.
    ///
    /// # Errors
    /// That of `write`.
    pub fn write<E>(&self, bytes: &[u8], mut write: impl FnMut(&[u8]) -> Result<(), E>) -> Result<u32, E> {
        let mut at = 0;
        let mut count = 0;
        let mut hits = self.hits.as_slice();
        while let Some((first, rest)) = hits.split_first() {
            let span = Range { start: first.start as usize, end: first.end as usize };
            // What overlaps is replaced as one: two placeholders for one text would say more than there was.
            let mut end = span.end;
            let overlapping = rest.iter().take_while(|hit| {
                let overlaps = (hit.start as usize) < end;
                end = if overlaps { end.max(hit.end as usize) } else { end };
                overlaps
            });
            let (group, others) = hits.split_at_checked(1 + overlapping.count()).unwrap_or_default();
            hits = others;
            write(bytes.get(at..span.start).unwrap_or_default())?;
            if !first.continued {
                let speaker = self.speaker(*first, group, end);
                placeholder(speaker.rule(self.policy), speaker.spelling, speaker.number, &mut write)?;
                count += 1;
            }
            at = end;
        }
        write(bytes.get(at..).unwrap_or_default())?;
        Ok(count)
    }

    /// The hit whose placeholder stands for hits that overlap and end at `end`: one that is tokenised and covers them all, so that all of
    /// it can be put back; else the first. A value that is only part of what is replaced is not put back, so it gets no number.
    fn speaker(&self, first: Hit, group: &[Hit], end: usize) -> Hit {
        let is_tokenised = |hit: &Hit| hit.rule(self.policy).is_some_and(|rule| rule.action == Action::Tokenise);
        let covers = |hit: &&Hit| hit.start == first.start && hit.end as usize == end && !hit.continued;
        match group.iter().filter(covers).find(|hit| is_tokenised(hit)) {
            Some(hit) => *hit,
            None if is_tokenised(&first) => Hit { number: 0, ..first },
            None => first,
        }
    }
}

/// Writes what stands in the place of a match that `rule` is about.
///
/// # Errors
/// That of `write`.
pub(super) fn placeholder<E>(
    rule: Option<&Rule>,
    spelling: Spelling,
    number: u32,
    write: &mut impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let (open, close): (&[u8], &[u8]) = match spelling {
        Spelling::Number => return write(b"0"),
        Spelling::Percent => (b"%5B", b"%5D"),
        Spelling::Plain | Spelling::Key => (b"[", b"]"),
    };
    write(open)?;
    write(rule.map_or("REDACTED", |rule| &rule.placeholder.word).as_bytes())?;
    if number > 0 {
        write(b"_")?;
        write(number.to_string().as_bytes())?;
    }
    write(close)
}
