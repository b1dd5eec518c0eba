//! Which fragments of a stream's events are one text: those with the same keys on the way and the same marks on the objects there.
//!
//! ```text
//!   {"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a"}}]}}]}
//!                     │                                  │                 └ path: choices delta tool_calls function arguments
//!                     │                                  └ mixed in when the call's object closes
//!                     └ mixed in when the choice's object closes
//! ```
//! A mark may stand before what it marks or behind it, so it is mixed in only when its object closes: the order of keys tells nothing.

use super::Piece;
use super::node::hash;
use super::node::mix;

/// The path of what stands below a key of an object whose path is known.
///
/// It runs for every member of every request as well, so it is one product: a step is a hash already, and needs no more than that the
/// order of steps counts.
#[inline]
pub(super) const fn path(above: u32, step: u32) -> u32 {
    (above.rotate_left(5) ^ step).wrapping_mul(0x9e37_79b1)
}

/// What tells the fragments of one object from those of others at the same path.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    /// The sum of all marks, so that their order does not count. 0: there is none.
    sum: u32,
    /// The mark of an identifier, which counts only where there is no index. 0: there is none.
    id: u32,
    has_index: bool,
    is_whole: bool,
    /// Whether any of these says something.
    is_any: bool,
    /// Of an array: how many of its objects have been closed.
    closed: u32,
}

impl Marks {
    /// A word or number under a key of the object. `path` is the key's.
    pub(super) fn mark(&mut self, path: u32, value: &[u8]) {
        self.add(mark(path, number(value)));
    }

    /// What counts objects like this one. `path` is the object's.
    pub(super) fn index(&mut self, path: u32, value: &[u8]) {
        self.has_index = true;
        self.add(mark(path, number(value)));
    }

    /// What names this object. `path` is the key's.
    pub(super) fn id(&mut self, path: u32, value: &[u8]) {
        self.id = mark(path, number(value));
        self.is_any = true;
    }

    /// Nothing in the object is a fragment.
    pub(super) const fn whole(&mut self) {
        self.is_whole = true;
        self.is_any = true;
    }

    /// Where the object stands in its array, which holds if nothing else counts it.
    pub(super) fn position(&mut self, path: u32, position: u32) {
        if !self.has_index && self.id == 0 {
            self.add(mark(path, position.into()));
        }
    }

    /// Counts an object of this array, from 0.
    pub(super) const fn count(&mut self) -> u32 {
        let position = self.closed;
        self.closed = position.saturating_add(1);
        position
    }

    pub(super) const fn is_any(&self) -> bool {
        self.is_any
    }

    /// Mixes the marks of an object into the channels of the fragments in it.
    pub(super) fn tell_apart(mut self, pieces: &mut [Piece]) {
        if !self.has_index {
            self.add(self.id);
        }
        for piece in pieces.iter_mut().filter(|piece| piece.fragment) {
            piece.fragment = !self.is_whole;
            piece.channel = if self.is_whole { 0 } else { fold(piece.channel, self.sum.into()) };
        }
    }

    const fn add(&mut self, mark: u32) {
        self.sum = self.sum.wrapping_add(mark);
        self.is_any = true;
    }
}

/// Never 0.
const fn mark(at: u32, value: u64) -> u32 {
    fold(at, value) | 1
}

#[expect(clippy::cast_possible_truncation, reason = "a part of a hash")]
const fn fold(state: u32, word: u64) -> u32 {
    mix(mix(state as u64, word), 0) as u32
}

/// The number that the digits say, so that a position is like an index; of other words a hash.
fn number(value: &[u8]) -> u64 {
    super::usage::count(value).unwrap_or_else(|| hash(value))
}
