//! Context words: whole words near a match, or in the key that its text is the value of.
//!
//! A word is whole where no letter of its own kind goes on: `card` stands in `card_number`, `cardNumber` and `card2`, not in `discard`.
//! Beyond ASCII there is no telling words apart without a dictionary, so that any byte above 127 ends a word.

use super::check;

/// Bytes before and behind a match that are looked at for a context word.
pub(super) const CONTEXT_BYTES: usize = 64;

/// A list of words, in lower case.
#[derive(Debug)]
pub(super) struct Words {
    /// Sorted by first byte.
    words: Vec<Box<[u8]>>,
    /// Whether a word may begin with a byte, in either case.
    first: Box<[bool; 256]>,
    bytes_max: usize,
}

impl Words {
    pub(super) fn new<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut list = Self { words: Vec::new(), first: Box::new([false; 256]), bytes_max: 0 };
        for word in words.filter(|word| !word.is_empty()) {
            let lower = word.to_lowercase();
            let first = lower.as_bytes().first().copied().unwrap_or(0);
            for byte in [first, first.to_ascii_uppercase()] {
                if let Some(begins) = list.first.get_mut(usize::from(byte)) {
                    *begins = true;
                }
            }
            list.bytes_max = list.bytes_max.max(lower.len() + 1);
            list.words.push(lower.into_bytes().into());
        }
        list.words.sort();
        list.words.dedup();
        list
    }

    /// Bytes of the longest word, and of the byte behind it that ends it.
    pub(super) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Where the first word begins that begins at `from` or later, and before `to`.
    pub(super) fn find(&self, text: &[u8], from: usize, to: usize) -> Option<usize> {
        let mut before = from.checked_sub(1).and_then(|before| text.get(before)).copied().unwrap_or(0);
        for (at, byte) in (from..).zip(text.get(from..to)?) {
            let begins = self.first.get(usize::from(*byte)).is_some_and(|begins| *begins);
            if begins && edge(before, *byte) && self.stands_at(text.get(at..).unwrap_or_default()) {
                return Some(at);
            }
            before = *byte;
        }
        None
    }

    /// Whether one of the words, whole, is the beginning of this.
    fn stands_at(&self, text: &[u8]) -> bool {
        let Some(first) = text.first().map(u8::to_ascii_lowercase) else { return false };
        let start = self.words.partition_point(|word| word.first().is_some_and(|byte| *byte < first));
        let same = self.words.get(start..).unwrap_or_default().iter().take_while(|word| word.first() == Some(&first));
        same.into_iter().any(|word| {
            let Some((there, rest)) = text.split_at_checked(word.len()) else { return false };
            let ends = there.last().zip(rest.first()).is_none_or(|(left, right)| edge(*left, *right));
            ends && there.eq_ignore_ascii_case(word)
        })
    }
}

/// Whether a word may end between these two bytes.
fn edge(left: u8, right: u8) -> bool {
    !(left.is_ascii_alphabetic() && right.is_ascii_alphabetic())
        || (left.is_ascii_lowercase() && right.is_ascii_uppercase())
}

/// Whether a match has at least this entropy, in bits a byte.
pub(super) fn is_random(text: &[u8], entropy_min: Option<f32>) -> bool {
    entropy_min.is_none_or(|least| check::entropy(text) >= least)
}
