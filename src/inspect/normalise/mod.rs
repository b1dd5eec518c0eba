//! Folding: what a text says once its wrapping is taken off, with a map back to the original bytes.
//!
//! ```text
//!  text ─► characters ─► lookalikes ─► wrapping ─┬─ nothing unwrapped ──► view
//!               ▲                                └─ something was ─┐
//!               └──────────────────────────────────────────────────┘   at most WRAPPING_LAYERS_MAX times
//! ```
//! Most texts need none of it: [`fold`] says so after one look at the bytes, and copies nothing. The text itself is never changed;
//! wrapping as such is no finding, only what stands in it. Bytes that are not UTF-8 are left as they are.

mod characters;
pub mod fuzz;
mod lookalike;
mod map;
mod special;
mod wrapping;

use std::mem::swap;
use std::ops::Range;

use memchr::memchr_iter;

use crate::limits::WRAPPING_LAYERS_MAX;

use map::Edit;
use map::Rewrite;

/// Tag characters that make a hidden text. Fewer say nothing, and flags (of Scotland, say) have some.
const HIDDEN_MIN: usize = 8;

/// The first bytes of every tag character in UTF-8.
const TAGS: &[u8; 2] = b"\xf3\xa0";

/// A text in its folded form, and where each byte of it came from. To be kept and reused: it allocates only when it has to grow.
#[derive(Debug, Default)]
pub struct View {
    /// The folded text; at most three times as long as the original.
    pub text: Vec<u8>,
    edits: Vec<Edit>,
    // Where the next rewriting goes, and the composed map.
    next_text: Vec<u8>,
    next_edits: Vec<Edit>,
    composed: Vec<Edit>,
}

impl View {
    /// The span of the original that a span of `text` came from: all that produced it, what was removed within it, and no half of
    /// a character. Spans in the order of the view map to spans in the order of the original.
    #[must_use]
    pub fn to_original(&self, span: Range<usize>) -> Range<usize> {
        let span = map::original(&self.edits, place(span.start)..place(span.end));
        span.start as usize..span.end as usize
    }

    /// Whether `span` of `text`, and the bytes next to it, are those of the original, shifted.
    pub(super) fn is_same(&self, span: Range<usize>) -> bool {
        let (start, end) = (place(span.start), place(span.end));
        let after = self.edits.get(self.edits.partition_point(|edit| edit.to < start)..).unwrap_or_default();
        after.first().is_none_or(|edit| edit.from > end)
    }

    /// Empties it, and gives back what each of its buffers holds beyond `bytes`.
    pub fn shrink(&mut self, bytes: usize) {
        for text in [&mut self.text, &mut self.next_text] {
            text.clear();
            text.shrink_to(bytes);
        }
        for edits in [&mut self.edits, &mut self.next_edits, &mut self.composed] {
            edits.clear();
            edits.shrink_to(bytes / size_of::<Edit>());
        }
    }

    /// One rewriting, of the original or of what `text` is already. Whether it changed anything.
    fn rewrite(&mut self, original: &[u8], is_first: bool, by: fn(&mut Rewrite<'_>)) -> bool {
        let source = if is_first { original } else { &self.text };
        let mut rewrite = Rewrite::new(source, &mut self.next_text, &mut self.next_edits);
        by(&mut rewrite);
        if !rewrite.finish() {
            return false;
        }
        if is_first {
            swap(&mut self.edits, &mut self.next_edits);
        } else {
            map::compose(&self.edits, &self.next_edits, &mut self.composed);
            swap(&mut self.edits, &mut self.composed);
        }
        swap(&mut self.text, &mut self.next_text);
        true
    }
}

/// A place in a text; texts are shorter than 4 GiB (the inspector sees to it).
pub(super) fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Folds `input` into `view`. False: there is nothing to fold, and `view` is empty.
pub fn fold(input: &[u8], view: &mut View) -> bool {
    view.text.clear();
    view.edits.clear();
    if !may_fold(input) {
        return false;
    }
    let mut changed = false;
    for layer in 0..=WRAPPING_LAYERS_MAX {
        let text = if changed { &view.text } else { input };
        if !text.is_ascii() {
            changed |= view.rewrite(input, !changed, characters::fold);
            changed |= view.rewrite(input, !changed, lookalike::fold);
        }
        if layer == WRAPPING_LAYERS_MAX || !view.rewrite(input, !changed, wrapping::unwrap) {
            break;
        }
        changed = true;
    }
    changed
}

/// Reads text that is hidden in tag characters (U+E0020 to U+E007E), which a model may read and nobody sees: all of them, joined. A
/// view of its own, since they may stand between the letters of what is seen. False: there are fewer than `HIDDEN_MIN`.
pub fn hidden(input: &[u8], view: &mut View) -> bool {
    view.text.clear();
    view.edits.clear();
    let [lead, second] = TAGS;
    let is_tag = |at: &usize| input.get(at + 1) == Some(second);
    let count = memchr_iter(*lead, input).filter(is_tag).take(HIDDEN_MIN).count();
    count >= HIDDEN_MIN && view.rewrite(input, true, characters::reveal)
}

/// Whether a character has no shape of its own: zero-width and bidi controls, fillers, variation selectors, tags, enclosing marks.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    characters::is_invisible(character)
}

/// A look at every byte, a block at a time: whether any could begin something to fold. Where none does, nothing is hidden either.
pub(super) fn may_fold(input: &[u8]) -> bool {
    let (blocks, rest) = input.as_chunks::<64>();
    blocks.iter().any(|block| begins_any(block)) || begins_any(rest)
}

fn begins_any(block: &[u8]) -> bool {
    let begins = |byte: &u8| !byte.is_ascii() | (*byte == b'&') | (*byte == b'%') | (*byte == b'\\');
    block.iter().fold(false, |any, byte| any | begins(byte))
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a panic is how a test says no")]
mod tests;
