//! Offsets of a text found again in the bytes that it was unescaped from, whatever the escapes are.

/// Maps offsets of a text back to the bytes that it was made from.
///
/// Made by `escape::offsets` for JSON strings, and by `form::percent::offsets` for percent-encoded texts.
#[derive(Clone, Debug)]
pub struct Offsets<'a> {
    raw: &'a [u8],
    escapes: Escapes,
    /// An offset of the text and the offset of the raw bytes that it stands for; between two characters.
    text_at: usize,
    /// `raw_at <= run_end <= raw.len()`.
    raw_at: usize,
    /// Where the first escape at or behind `raw_at` begins, or the end: up to here both count alike.
    run_end: usize,
}

/// How far offsets have been mapped: what a later call goes on from.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    text_at: usize,
    raw_at: usize,
    run_end: usize,
}

/// How escapes are found, and what they come to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Escapes {
    /// Where the first one begins.
    pub(super) find: fn(&[u8]) -> Option<usize>,
    /// Bytes of the one at the front, which are at least one, and bytes of the text that it stands for.
    pub(super) lengths: fn(&[u8]) -> (usize, usize),
}

impl<'a> Offsets<'a> {
    pub(super) fn new(raw: &'a [u8], escapes: Escapes) -> Self {
        Self::from_known(raw, escapes, None)
    }

    /// One over `raw` that goes on where another over the same bytes had come.
    pub(super) fn from_known(raw: &'a [u8], escapes: Escapes, known: Option<Known>) -> Self {
        let begin = || Known { text_at: 0, raw_at: 0, run_end: (escapes.find)(raw).unwrap_or(raw.len()) };
        let Known { text_at, raw_at, run_end } = known.unwrap_or_else(begin);
        Self { raw, escapes, text_at, raw_at, run_end }
    }

    /// How far it has come.
    #[must_use]
    pub const fn known(&self) -> Known {
        let Self { text_at, raw_at, run_end, .. } = *self;
        Known { text_at, raw_at, run_end }
    }

    /// Where the byte at `text_offset` of the text begins in the raw bytes; inside of an escaped character: where its escape begins.
    ///
    /// The end of the text is the end of the raw bytes, and so is everything behind it. Linear in the raw bytes for all calls
    /// together as long as the offsets ascend; one that goes back starts anew.
    pub fn to_raw(&mut self, text_offset: usize) -> usize {
        if text_offset < self.text_at {
            *self = Self::new(self.raw, self.escapes);
        }
        loop {
            let into = text_offset - self.text_at;
            let run = self.run_end - self.raw_at;
            if into <= run {
                return self.raw_at + into;
            }
            let escaped = self.raw.get(self.run_end..).unwrap_or_default();
            if escaped.is_empty() {
                return self.raw.len();
            }
            let (raw_length, text_length) = (self.escapes.lengths)(escaped);
            if into < run + text_length {
                return self.run_end;
            }
            self.text_at += run + text_length;
            self.raw_at = self.run_end + raw_length;
            let rest = self.raw.get(self.raw_at..).unwrap_or_default();
            self.run_end = (self.escapes.find)(rest).map_or(self.raw.len(), |at| self.raw_at + at);
        }
    }
}
