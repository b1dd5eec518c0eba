//! The vault: which values of a request a placeholder stands for, so that they can be put back in its answer.
//!
//! One for an exchange, made when a rule tokenises something, dropped with the exchange; its copies of the values are overwritten then.
//! Equal values share a placeholder. Numbers are given in the order in which values stand in the request, so that a conversation that
//! goes on says the same to a provider's cache of prompts; those that the request itself holds in brackets are left out, so that what
//! an answer repeats from there is never taken for one of ours.

use std::fmt;

use zeroize::ZeroizeOnDrop;
use zeroize::Zeroizing;

use super::placeholder;
use super::placeholder::Candidate;
use crate::limits;

/// The values of one exchange.
#[derive(Default)]
pub struct Vault {
    /// Ascending by number.
    kept: Vec<Kept>,
    bytes: usize,
    left_out: u32,
    /// Numbers of placeholders that the request itself holds, in no order.
    taken: Vec<u32>,
}

struct Kept {
    /// Not the same for any two.
    number: u32,
    word: Box<str>,
    value: Zeroizing<Box<[u8]>>,
}

/// A placeholder in a text, and what it stands for.
#[derive(Clone, Copy)]
pub struct Found<'v> {
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// The value; UTF-8.
    pub value: &'v [u8],
}

/// The values are overwritten by their own type.
impl ZeroizeOnDrop for Vault {}

const _: () = {
    const fn is_overwritten<T: ZeroizeOnDrop>() {}
    is_overwritten::<Zeroizing<Box<[u8]>>>();
};

impl Vault {
    /// Keeps a value under a word and the number that it has among the values of the request. False: another value has this number.
    ///
    /// What it has no room for, and what is not UTF-8 and so cannot be put into an answer, is left out and counted.
    pub(super) fn keep(&mut self, word: &str, number: u32, value: &[u8]) -> bool {
        match self.kept.binary_search_by_key(&number, |kept| kept.number) {
            Ok(at) => self.kept.get(at).is_some_and(|kept| &**kept.value == value),
            Err(at) => {
                let bytes = self.bytes + value.len();
                let fits = self.kept.len() < limits::VAULT_VALUES_MAX && bytes <= limits::VAULT_BYTES_MAX;
                if fits && str::from_utf8(value).is_ok() {
                    self.bytes = bytes;
                    self.kept.insert(at, Kept { number, word: word.into(), value: Zeroizing::new(value.into()) });
                } else {
                    self.left_out = self.left_out.saturating_add(1);
                }
                true
            }
        }
    }

    /// Notes the numbers of all that has the form of a placeholder in a text of the request.
    pub(super) fn take(&mut self, text: &[u8]) {
        let mut from = 0;
        while let Some(Candidate { end, number, .. }) = placeholder::next(text, from) {
            from = end;
            if self.taken.len() > limits::PLACEHOLDERS_TAKEN_MAX {
                return;
            }
            // Past what numbers can get to nothing is mistaken.
            if number <= NUMBER_MAX && !self.taken.contains(&number) {
                self.taken.push(number);
            }
        }
    }

    /// Gives out the numbers: the returned function says which one stands for the one that a value was kept under. Where the request
    /// holds more placeholders than are noted, nothing is kept.
    pub(super) fn settle(&mut self) -> impl Fn(u32) -> u32 + use<> {
        if self.taken.len() > limits::PLACEHOLDERS_TAKEN_MAX {
            let kept = u32::try_from(self.kept.len()).unwrap_or(u32::MAX);
            self.left_out = self.left_out.saturating_add(kept);
            self.kept.clear();
            self.taken.clear();
        }
        let mut taken = std::mem::take(&mut self.taken);
        taken.sort_unstable();
        // The n-th number that is not taken: each taken one below it moves it up by one.
        let given = move |number: u32| taken.iter().fold(number, |number, taken| number + u32::from(*taken <= number));
        for kept in &mut self.kept {
            kept.number = given(kept.number);
        }
        given
    }

    /// Whether there is nothing to put back.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many values it keeps.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.kept.len()
    }

    /// Matches that were to be put back and are plainly redacted: there was no room for them, or they are not UTF-8.
    #[must_use]
    pub const fn left_out(&self) -> u32 {
        self.left_out
    }

    /// The first issued placeholder that begins at `from` or behind it, in whatever form the tolerance of [`super::placeholder`] allows.
    /// What was not issued is never found.
    #[must_use]
    pub fn find(&self, text: &[u8], from: usize) -> Option<Found<'_>> {
        let mut at = from;
        while let Some(Candidate { start, end, name, number }) = placeholder::next(text, at) {
            at = end;
            let kept = self.kept.binary_search_by_key(&number, |kept| kept.number);
            let kept = kept.ok().and_then(|at| self.kept.get(at));
            if let Some(kept) = kept.filter(|kept| kept.is_named(name.as_bytes())) {
                return Some(Found { start, end, value: &kept.value });
            }
        }
        None
    }

    /// Where in a text that goes on an issued placeholder may have begun that is not complete yet; the text from there on is held back.
    /// At most [`Self::longest`] bytes before its end.
    #[must_use]
    pub fn open_at_end(&self, text: &[u8]) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        let near = text.len().saturating_sub(self.longest());
        let open = placeholder::open_at_end(text.get(near..)?, |begun, ends| {
            self.kept.iter().any(|kept| {
                let rest = kept.after(begun);
                rest.is_some_and(|mut rest| !ends || rest.next().is_none_or(|next| next == b'_'))
            })
        });
        open.map(|open| near + open)
    }

    /// Bytes of the longest form in which a placeholder is recognised.
    #[must_use]
    pub fn longest(&self) -> usize {
        // Each byte of a name may be a backslash and a separator; two brackets with their backslashes and spaces.
        self.kept.iter().map(|kept| 2 * kept.name().count() + 6).max().unwrap_or(0)
    }
}

/// Numbers of values end here, those that are moved up included.
#[expect(clippy::cast_possible_truncation, reason = "both are thousands")]
const NUMBER_MAX: u32 = (limits::FINDINGS_MAX + limits::PLACEHOLDERS_TAKEN_MAX + 1) as u32;

impl Kept {
    /// The bytes of its placeholder's name.
    fn name(&self) -> impl Iterator<Item = u8> {
        let mut digits = [0; 10];
        let mut length = 0;
        let mut rest = self.number;
        for digit in &mut digits {
            if length == 0 || rest > 0 {
                *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
                rest /= 10;
                length += 1;
            }
        }
        self.word.bytes().chain([b'_']).chain(digits.into_iter().take(length).rev())
    }

    fn is_named(&self, name: &[u8]) -> bool {
        self.after(name).is_some_and(|mut rest| rest.next().is_none())
    }

    /// What follows `begun` in its name, if it begins so.
    fn after(&self, begun: &[u8]) -> Option<impl Iterator<Item = u8>> {
        let mut name = self.name();
        begun.iter().all(|byte| name.next() == Some(*byte)).then_some(name)
    }
}

/// Never a value.
impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("values", &self.kept.len())
            .field("left_out", &self.left_out)
            .finish_non_exhaustive()
    }
}

/// Never a value.
impl fmt::Debug for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").field("start", &self.start).field("end", &self.end).finish_non_exhaustive()
    }
}
