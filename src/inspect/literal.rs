//! Literal anchors: the texts that a match must have, each known by its rarest four bytes.
//!
//! ```text
//!  needle  github_pat_      gram  b_pa      offset 5
//!  text    ... github_pat_11AB...           the classifier marks b_pa; the table says which needles have it, and where in them
//! ```
//! Grams are looked up with all letters as if in lower case; the needle is then compared byte by byte. It never searches a text itself.

use crate::simd::literal::Buckets;
use crate::simd::literal::Classifier;
use crate::simd::literal::GRAM_BYTES;

/// What stands behind a needle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// A reader of built-in detectors, by the place of its kind.
    Token(super::detector::Kind),
    /// A literal of this finder.
    Literal(u16),
    /// The pattern of this finder.
    Pattern(u16),
}

/// A text to be found.
#[derive(Clone, Debug)]
pub(super) struct Needle {
    /// At least `limits::POLICY_LITERAL_BYTES_MIN` bytes.
    pub(super) text: Box<[u8]>,
    /// Whether ASCII letters match in any case.
    pub(super) fold: bool,
    /// What it stands for.
    pub(super) action: Action,
    /// Where its gram begins; `None`: where it is rarest.
    pub(super) gram_at: Option<usize>,
}

/// A needle that may stand where a gram was seen.
#[derive(Clone, Copy, Debug)]
struct Entry {
    needle: u32,
    /// From the needle's first byte to its gram's.
    offset: u32,
}

/// The needles with one gram: `entries[first..first + count]`; `count` is 0 where the slot is empty.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    key: u32,
    first: u32,
    count: u32,
}

/// All needles, and the filter for their grams.
#[derive(Debug)]
pub(super) struct Anchors {
    pub(super) classifier: Classifier,
    needles: Vec<Needle>,
    entries: Vec<Entry>,
    /// A power of two of them, at most half full: open addressing.
    slots: Vec<Slot>,
    /// Whether some needle has three bytes only.
    short: bool,
}

/// Marks the key of a gram of three bytes.
const SHORT: u32 = 0xFF00_0000;

fn long_key(gram: [u8; 4]) -> u32 {
    u32::from_le_bytes(gram) | 0x2020_2020
}

fn short_key(gram: [u8; 4]) -> u32 {
    long_key(gram) | SHORT
}

fn hash(key: u32) -> usize {
    (key.wrapping_mul(0x9E37_79B1) >> 15) as usize
}

impl Anchors {
    pub(super) fn new(needles: Vec<Needle>, portable: bool) -> Self {
        let mut grams: Vec<(u32, [Option<u8>; GRAM_BYTES], bool, Entry)> = Vec::new();
        for (index, needle) in needles.iter().enumerate() {
            let offset = needle.gram_at.unwrap_or_else(|| rarest(&[needle]));
            let gram: [Option<u8>; GRAM_BYTES] = std::array::from_fn(|place| needle.text.get(offset + place).copied());
            let bytes = gram.map(|byte| byte.unwrap_or(0));
            let key = if gram.contains(&None) { short_key(bytes) } else { long_key(bytes) };
            let entry = Entry { needle: as_u32(index), offset: as_u32(offset) };
            grams.push((key, gram, needle.fold, entry));
        }
        grams.sort_by_key(|(key, ..)| *key);
        let distinct = grams.chunk_by(|(a, ..), (b, ..)| a == b).count();
        let sets = match distinct {
            0 => 0,
            1..=24 => 1,
            25..=96 => 2,
            _ => 4,
        };
        let mut buckets = vec![Buckets::default(); sets];
        let mut slots = vec![Slot::default(); (distinct * 2).next_power_of_two().max(2)];
        let mut entries = Vec::new();
        for (rank, same) in grams.chunk_by(|(a, ..), (b, ..)| a == b).enumerate() {
            // Neighbours in the order of their bytes share a bucket: they share nibbles too.
            let bucket = rank * sets * 8 / distinct;
            let first = as_u32(entries.len());
            for (key, gram, fold, entry) in same {
                if let Some(set) = buckets.get_mut(bucket / 8) {
                    set.add(bucket % 8, *gram, *fold);
                }
                entries.push(*entry);
                place(&mut slots, Slot { key: *key, first, count: as_u32(entries.len()) - first });
            }
        }
        let short = grams.iter().any(|(_, gram, ..)| gram.contains(&None));
        let classifier = if portable { Classifier::portable(buckets) } else { Classifier::new(buckets) };
        Self { classifier, needles, entries, slots, short }
    }

    /// Hands over each needle that stands in `text` with its gram at `at`, and where it begins; and the number of bytes compared.
    pub(super) fn verify<E>(
        &self,
        text: &[u8],
        at: usize,
        mut found: impl FnMut(&Needle, usize) -> Result<(), E>,
    ) -> Result<u64, E> {
        let rest = text.get(at..).unwrap_or_default();
        let gram: [u8; 4] = std::array::from_fn(|place| rest.get(place).copied().unwrap_or(0));
        let mut read = 0;
        let keys = [Some(long_key(gram)), self.short.then(|| short_key(gram))];
        for slot in keys.into_iter().flatten().filter_map(|key| self.slot(key)) {
            let from = slot.first as usize;
            for entry in self.entries.get(from..from + slot.count as usize).unwrap_or_default() {
                let Some(needle) = self.needles.get(entry.needle as usize) else { continue };
                let Some(start) = at.checked_sub(entry.offset as usize) else { continue };
                read += needle.text.len() as u64;
                let Some(there) = text.get(start..start + needle.text.len()) else { continue };
                let same = if needle.fold { there.eq_ignore_ascii_case(&needle.text) } else { there == &*needle.text };
                if same {
                    found(needle, start)?;
                }
            }
        }
        Ok(read)
    }

    fn slot(&self, key: u32) -> Option<Slot> {
        let mask = self.slots.len() - 1;
        let mut index = hash(key) & mask;
        loop {
            let slot = self.slots.get(index)?;
            if slot.count == 0 {
                return None;
            }
            if slot.key == key {
                return Some(*slot);
            }
            index = (index + 1) & mask;
        }
    }
}

/// Puts a slot into the table, or over the one with its key.
fn place(slots: &mut [Slot], new: Slot) {
    let mask = slots.len() - 1;
    let mut index = hash(new.key) & mask;
    while let Some(slot) = slots.get_mut(index) {
        if slot.count == 0 || slot.key == new.key {
            *slot = new;
            return;
        }
        index = (index + 1) & mask;
    }
}

fn as_u32(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Where in all of these needles the gram begins that is rarest at worst.
pub(super) fn rarest(needles: &[&Needle]) -> usize {
    let len = needles.iter().map(|needle| needle.text.len()).min().unwrap_or(0);
    let score = |offset: usize| {
        needles.iter().map(|needle| commonness(needle.text.get(offset..).unwrap_or_default(), needle.fold)).max()
    };
    (0..=len.saturating_sub(GRAM_BYTES)).min_by_key(|offset| score(*offset)).unwrap_or(0)
}

/// How often a gram is to be expected, on a scale of logarithms. Chat, code and JSON together.
fn commonness(gram: &[u8], fold: bool) -> u32 {
    gram.iter().take(GRAM_BYTES).map(|byte| if fold { byte.to_ascii_lowercase() } else { *byte }).map(byte_rank).sum()
}

fn byte_rank(byte: u8) -> u32 {
    match byte {
        b' ' => 14,
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 12,
        b'h' | b'l' | b'd' | b'c' | b'u' | b'm' => 10,
        b'f' | b'p' | b'g' | b'w' | b'y' | b'b' | b'.' | b',' | b'-' | b'_' | b'"' => 8,
        b'v' | b'k' | b'0'..=b'9' | b'/' | b':' | b'(' | b')' | b'=' | b'\n' => 6,
        b'x' | b'j' | b'q' | b'z' | b'A'..=b'Z' => 4,
        _ => 3,
    }
}
