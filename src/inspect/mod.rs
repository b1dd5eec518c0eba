//! What stands in a text: every match of every rule, whatever the text is wrapped in.
//!
//! ```text
//!  Text ─► scan ───────────────────────────────────────────────────────────────► Finding (span in the text)
//!    ├──► normalise (only where something is to be folded) ─► scan ─► map back ──┤
//!    └──► decode (base64, hex, only where candidates stand) ─► both again ───────┘   depth <= 3
//! ```
//! Linear in the text for every input: what verification reads is counted, and past a bound [`Exceeded`] is the answer. It never
//! allocates in the steady state, never does I/O, and never keeps a byte of a text.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

pub mod check;
pub mod detector;
pub mod inspector;
pub mod normalise;
pub mod overlap;
pub mod scan;

mod context;
mod decode;
mod email;
pub mod fuzz;
mod literal;
mod number;
pub mod opening;
mod pattern;
#[cfg(test)]
mod scan_tests;
mod token;

use crate::limits;

/// A text to be inspected.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// UTF-8 (JSON strings are; a header value or a URL may be any bytes).
    pub bytes: &'a [u8],
    /// The JSON key (or field name) that it is the value of; counts as context. May be empty.
    pub key: &'a [u8],
}

/// One match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which of the scanner's finders: its place in the list that the scanner was made from.
    pub finder: u16,
    /// Where it begins in the text. `start < end`, both on boundaries of characters where the text is UTF-8.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// Whether a validator (checksum, structure) has confirmed it.
    pub validated: bool,
}

/// The work that one request has caused so far. Made anew for each request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Work {
    /// Bytes of text that were to be inspected.
    pub input: u64,
    /// Bytes that verification has read: shapes, validators, context. Bounded by `limits::VERIFIED_BYTES_FACTOR` × `input`.
    pub verified: u64,
    /// Bytes that finders without an anchor have read (the slow lane).
    pub slow: u64,
    /// What would have been matches of the last text, were there a context word; one may still come.
    pub awaited: Awaited,
}

/// Matches so near to the end of a text that a context word may follow it: for texts that go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Awaited {
    /// Finder and start of each. `count <= entries.len()`
    entries: [(u16, u32); limits::AWAITED_MAX],
    count: u8,
    /// Whether there were more than are kept; then everything from the first of them on is awaited.
    overflown: bool,
}

impl Awaited {
    fn add(&mut self, finder: u16, start: u32) {
        match self.entries.get_mut(usize::from(self.count)) {
            Some(place) => {
                *place = (finder, start);
                self.count += 1;
            }
            None => self.overflown = true,
        }
    }

    fn entries(&self) -> &[(u16, u32)] {
        self.entries.get(..usize::from(self.count)).unwrap_or_default()
    }

    /// The first place from which a match of one of the `chosen` finders may begin, if a context word follows.
    #[must_use]
    pub fn earliest(&self, chosen: impl Fn(u16) -> bool) -> Option<u32> {
        let all = self.overflown;
        self.entries().iter().filter(|(finder, _)| all || chosen(*finder)).map(|(_, start)| *start).min()
    }
}

/// A bound of [`Work`] is met: what was not inspected must be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded;
