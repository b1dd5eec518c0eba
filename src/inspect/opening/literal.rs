//! Unfinished literals: the end of a text that is the beginning of one of a list.

use crate::limits::POLICY_LITERAL_BYTES_MAX;

/// A list of literals, compared without regard to the case of ASCII letters.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    /// Sorted, in lower case.
    literals: Vec<Box<[u8]>>,
    /// A bit for each two bytes that a literal begins with; empty where there are no literals.
    pairs: Vec<u64>,
    bytes_max: usize,
}

fn bit(pair: [u8; 2]) -> (usize, u64) {
    let number = usize::from(u16::from_le_bytes(pair));
    (number / 64, 1 << (number % 64))
}

impl Prefixes {
    pub(super) fn new(texts: &[&str]) -> Self {
        let mut list = Self::default();
        for text in texts {
            // As a scanner looks for them: ASCII letters fold, others are written out in each case.
            for spelling in [(*text).to_owned(), text.to_lowercase(), text.to_uppercase()] {
                list.literals.push(spelling.to_ascii_lowercase().into_bytes().into());
            }
        }
        list.literals.sort();
        list.literals.dedup();
        if !list.literals.is_empty() {
            list.pairs = vec![0; 1 << 10];
        }
        for literal in &list.literals {
            list.bytes_max = list.bytes_max.max(literal.len());
            if let Some(pair) = literal.first_chunk::<2>() {
                let (word, bit) = bit(*pair);
                if let Some(word) = list.pairs.get_mut(word) {
                    *word |= bit;
                }
            }
        }
        list
    }

    /// Where the first suffix of `text` begins that is the beginning of a literal; of a whole one too where `whole_words`: whether it
    /// is a word, the next byte says.
    pub(super) fn earliest(&self, text: &[u8], whole_words: bool) -> Option<usize> {
        if self.literals.is_empty() {
            return None;
        }
        let mut lower = [0; POLICY_LITERAL_BYTES_MAX];
        let length = text.len().min(self.bytes_max).min(lower.len());
        let tail = text.get(text.len() - length..)?;
        lower.iter_mut().zip(tail).for_each(|(to, from)| *to = from.to_ascii_lowercase());
        let tail = lower.get(..length)?;
        let found = (0..length).find(|start| {
            let rest = tail.get(*start..).unwrap_or_default();
            let begins = match rest.first_chunk::<2>() {
                Some(pair) => {
                    let (word, bit) = bit(*pair);
                    self.pairs.get(word).is_some_and(|word| word & bit != 0)
                }
                None => true,
            };
            begins && self.begins(rest, whole_words)
        })?;
        Some(text.len() - length + found)
    }

    fn begins(&self, rest: &[u8], whole: bool) -> bool {
        let at = self.literals.partition_point(|literal| **literal < *rest);
        let mut from_there = self.literals.get(at..).unwrap_or_default().iter();
        let mut next = || from_there.next().filter(|literal| literal.starts_with(rest));
        // Sorted: behind a literal that is all there come those that go on.
        next().is_some_and(|literal| whole || literal.len() > rest.len()) || next().is_some()
    }
}
