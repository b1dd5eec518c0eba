//! Events that wait, in their order, and what is to be changed in them.
//!
//! Places are counted in bytes since the stream began, so that they hold while the front is given out.

use std::cmp::Reverse;
use std::convert::Infallible;

use crate::extract::Piece;
use crate::extract::json;
use crate::extract::json::Walker;
use crate::extract::offsets::Known;
use crate::limits;
use crate::policy::Rule;

use super::super::redact;
use super::super::restore;
use super::super::restore::Scratch;
use super::super::vault::Vault;
use super::Spelling;

/// The events that wait. `base + bytes.len()` is where the next one begins.
#[derive(Default)]
pub(super) struct Queue {
    bytes: Vec<u8>,
    base: u64,
    /// Where each event ends, and where its pieces end in `pieces`. Ascending.
    events: Vec<(u64, usize)>,
    pieces: Vec<Fragment>,
    edits: Vec<Edit>,
    /// Bytes that stand in `edits`.
    edited: usize,
    /// Where the last replacement was: its channel, its beginning, and the first of `pieces` that it was in. What is replaced in one
    /// channel comes in order, so that all of it together takes one pass.
    replaced: Option<(usize, u64, usize)>,
    stopped_at: Option<u64>,
    /// Events at the front that are decided about and not yet given out.
    settled: usize,
}

/// A string of an event that is part of a channel's text.
#[derive(Clone, Copy)]
pub(super) struct Fragment {
    /// Which channel.
    pub(super) channel: usize,
    /// Its place in the channel's text. `text_start <= text_end`
    pub(super) text_start: u64,
    pub(super) text_end: u64,
    /// Its place in the queue.
    pub(super) start: u64,
    pub(super) end: u64,
    /// Whether it holds no escape.
    pub(super) plain: bool,
    /// How far places of its text have been found in the queue.
    pub(super) known: Option<Known>,
}

/// Bytes that are replaced.
struct Edit {
    start: u64,
    end: u64,
    /// Bytes of all that is replaced by it: of two matches with one beginning the longer speaks.
    length: u64,
    with: Vec<u8>,
}

impl Queue {
    /// Adds an event; says where it begins.
    pub(super) fn push(&mut self, raw: &[u8]) -> u64 {
        let start = self.end();
        self.bytes.extend_from_slice(raw);
        self.events.push((start + raw.len() as u64, self.pieces.len()));
        start
    }

    /// Adds a piece of the last event.
    pub(super) fn piece(&mut self, piece: Fragment) {
        self.pieces.push(piece);
        if let Some((_, end)) = self.events.last_mut() {
            *end = self.pieces.len();
        }
    }

    pub(super) fn pieces_end(&self) -> usize {
        self.pieces.len()
    }

    pub(super) fn channel_of(&self, piece: usize) -> Option<usize> {
        self.pieces.get(piece).map(|piece| piece.channel)
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The last of the events at the front that are decided about: where it ends, and where its pieces do.
    fn last_settled(&self) -> Option<(u64, usize)> {
        self.settled.checked_sub(1).and_then(|last| self.events.get(last)).copied()
    }

    /// Bytes of events behind those that are decided about.
    pub(super) fn waiting(&self) -> usize {
        let decided = self.last_settled().map_or(self.base, |(end, _)| end);
        self.bytes.len().saturating_sub(usize::try_from(decided - self.base).unwrap_or(usize::MAX))
    }

    /// Nothing from the event at `place` on is given out.
    pub(super) fn stop_at(&mut self, place: u64) {
        self.stopped_at = Some(self.stopped_at.map_or(place, |before| before.min(place)));
    }

    /// Where the next event begins.
    pub(super) fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// Where the first event begins that waits.
    pub(super) const fn start(&self) -> u64 {
        self.base
    }

    /// Whether what is to be put in its place is more than is kept.
    pub(super) const fn is_full(&self) -> bool {
        self.edited > limits::STREAM_EDITED_BYTES_MAX
    }

    /// Bytes of memory that it takes.
    pub(super) const fn memory(&self) -> usize {
        let lists = self.pieces.capacity() * size_of::<Fragment>() + self.edits.capacity() * size_of::<Edit>();
        self.bytes.capacity() + self.edited + lists + self.events.capacity() * size_of::<(u64, usize)>()
    }

    pub(super) fn edit(&mut self, start: u64, end: u64, with: Vec<u8>) {
        self.edited += with.len();
        self.edits.push(Edit { start, end, length: end - start, with });
    }

    /// Puts values back into whole texts of an event whose data begins at `from`.
    pub(super) fn restore(
        &mut self,
        vault: &Vault,
        data: &[u8],
        texts: &[Piece],
        from: u64,
        text: &mut Vec<u8>,
        walker: &mut Walker,
    ) {
        for edit in restore::edits(vault, data, texts, &mut Scratch { text, walker }) {
            if self.is_full() {
                return;
            }
            let with = escaped(edit.found.value, edit.depth);
            self.edit(from + edit.found.start as u64, from + edit.found.end as u64, with);
        }
    }

    /// Replaces `start..end` of a channel's text by `with`, wherever its pieces are; what has been given out stays. Whether anything of
    /// it was still there.
    pub(super) fn replace(&mut self, channel: usize, start: u64, end: u64, with: &[u8]) -> bool {
        let Self { pieces, edits, edited, replaced, bytes, base, .. } = self;
        let mut with = Some(with);
        let length = end - start;
        let known = replaced.filter(|(same, before, _)| *same == channel && *before <= start);
        let first = known.map_or(0, |(.., first)| first);
        *replaced = None;
        for (at_piece, piece) in pieces.iter_mut().enumerate().skip(first) {
            if piece.channel != channel {
                continue;
            }
            if piece.text_start >= end {
                break;
            }
            let (from, to) = (start.max(piece.text_start), end.min(piece.text_end));
            if from >= to {
                continue;
            }
            replaced.get_or_insert((channel, start, at_piece));
            let at = |place: u64| usize::try_from(place - *base).unwrap_or(usize::MAX);
            let raw = bytes.get(at(piece.start)..at(piece.end)).unwrap_or_default();
            let (mut start, mut end) = (from - piece.text_start, to - piece.text_start);
            if !piece.plain {
                let mut offsets = json::offsets_from(raw, piece.known);
                start = offsets.to_raw(usize::try_from(start).unwrap_or(usize::MAX)) as u64;
                piece.known = Some(offsets.known());
                end = offsets.to_raw(usize::try_from(end).unwrap_or(usize::MAX)) as u64;
            }
            let (start, end) = (piece.start + start, piece.start + end);
            let with = with.take().unwrap_or_default().to_vec();
            *edited += with.len();
            edits.push(Edit { start, end, length, with });
        }
        with.is_none()
    }

    /// Counts the events at the front all of whose pieces are `decided`.
    pub(super) fn settle(&mut self, decided: impl Fn(&Fragment) -> bool) {
        while let Some((end, pieces_end)) = self.events.get(self.settled) {
            let before = self.last_settled().map_or(0, |(_, end)| end);
            let pieces = self.pieces.get(before..*pieces_end).unwrap_or_default();
            if self.stopped_at.is_some_and(|place| place < *end) || !pieces.iter().all(&decided) {
                return;
            }
            self.settled += 1;
        }
    }

    /// Appends to `out` the events at the front all of whose pieces are `decided`, with their edits made.
    pub(super) fn release(&mut self, out: &mut Vec<u8>, decided: impl Fn(&Fragment) -> bool) {
        self.settle(decided);
        let Some((end, pieces)) = self.last_settled() else { return };
        let length = usize::try_from(end - self.base).unwrap_or(usize::MAX);
        self.write(end, out);
        self.bytes.drain(..length.min(self.bytes.len()));
        self.base = end;
        self.events.drain(..self.settled);
        self.settled = 0;
        self.pieces.drain(..pieces);
        self.replaced = None;
        self.events.iter_mut().for_each(|(_, end)| *end -= pieces);
        if self.bytes.is_empty() {
            give_back(&mut self.bytes);
            give_back(&mut self.events);
            give_back(&mut self.pieces);
            give_back(&mut self.edits);
        }
    }

    fn write(&mut self, end: u64, out: &mut Vec<u8>) {
        let at = |place: u64| usize::try_from(place - self.base).unwrap_or(usize::MAX);
        let mut from = self.base;
        if !self.edits.is_empty() {
            // What overlaps is replaced once.
            self.edits.sort_by_key(|edit| (edit.start, Reverse(edit.length)));
            for edit in self.edits.iter().take_while(|edit| edit.start < end) {
                if edit.start >= from {
                    out.extend_from_slice(self.bytes.get(at(from)..at(edit.start)).unwrap_or_default());
                    out.extend_from_slice(&edit.with);
                }
                from = from.max(edit.end);
            }
            self.edits.retain(|edit| edit.start >= end);
            self.edited = self.edits.iter().map(|edit| edit.with.len()).sum();
        }
        out.extend_from_slice(self.bytes.get(at(from)..at(end)).unwrap_or_default());
    }
}

/// Frees the memory of an empty list that takes more than is kept.
fn give_back<T>(list: &mut Vec<T>) {
    if list.is_empty() && list.capacity() * size_of::<T>() > limits::STREAM_INPUT_BYTES_KEPT {
        *list = Vec::new();
    }
}

/// What stands in the place of a match.
pub(super) fn placeholder(rule: &Rule, spelling: Spelling, number: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let Ok(()) = redact::placeholder(Some(rule), spelling, number, &mut appender(&mut out));
    out
}

/// A value as it stands in a string at this depth.
pub(super) fn escaped(value: &[u8], depth: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let Ok(()) = restore::write_escaped(value, depth, &mut appender(&mut out));
    out
}

/// A vector takes every write.
fn appender(out: &mut Vec<u8>) -> impl FnMut(&[u8]) -> Result<(), Infallible> {
    |bytes| {
        out.extend_from_slice(bytes);
        Ok(())
    }
}
