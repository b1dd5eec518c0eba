//! The map between a text and what it was rewritten to: sparse, a row for each place where they differ.
//!
//! ```text
//!  original   a d m i n % 4 0 e x . c o m        edit: view 5..6  <->  original 5..8
//!  view       a d m i n   @   e x . c o m        everything else is the same text, shifted
//! ```
//! Rows stand in the order of both texts and never overlap in either. Maps of rewritings done one after the other are composed into
//! one; nothing is allocated but the rows themselves.

use std::ops::Range;

use super::place;

/// One place where the two texts differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// Where it begins in the view. `from <= to`; equal where something was removed.
    pub(super) from: u32,
    /// Where it ends in the view.
    pub(super) to: u32,
    /// Where it begins in the original. `start < end`.
    pub(super) start: u32,
    /// Where it ends in the original.
    pub(super) end: u32,
}

/// The span of the original that a span of the view came from: all of every edit that it touches, and what was removed within it.
pub(super) fn original(edits: &[Edit], span: Range<u32>) -> Range<u32> {
    let start = match edits.split_at_checked(edits.partition_point(|edit| edit.to <= span.start)) {
        Some((_, [next, ..])) if next.from <= span.start => next.start,
        Some(([.., last], _)) => span.start.wrapping_add(last.end.wrapping_sub(last.to)),
        _ => span.start,
    };
    let end = match edits.split_at_checked(edits.partition_point(|edit| edit.from < span.end)) {
        Some(([.., last], _)) if last.to >= span.end => last.end,
        Some(([.., last], _)) => span.end.wrapping_add(last.end.wrapping_sub(last.to)),
        _ => span.end,
    };
    start..end.max(start)
}

/// The map of two rewritings in a row: `first` made the middle text from the original, `second` the view from the middle text.
/// Edits that touch the same bytes of the middle text become one.
pub(super) fn compose(first: &[Edit], second: &[Edit], composed: &mut Vec<Edit>) {
    composed.clear();
    let mut walk = Walk { first, second, to_original: 0, to_view: 0 };
    loop {
        let edit = match (walk.first, walk.second) {
            ([], []) => return,
            ([a, ..], [b, ..]) if a.to > b.start && b.end > a.from => walk.group(a, b),
            ([a, ..], rest) if rest.first().is_none_or(|b| a.to <= b.start) => {
                walk.skip_first();
                let (from, to) = (a.from.wrapping_add(walk.to_view), a.to.wrapping_add(walk.to_view));
                Edit { from, to, start: a.start, end: a.end }
            }
            (_, [b, ..]) => {
                walk.skip_second();
                let (start, end) = (b.start.wrapping_add(walk.to_original), b.end.wrapping_add(walk.to_original));
                Edit { from: b.from, to: b.to, start, end }
            }
            (_, []) => return,
        };
        composed.push(edit);
    }
}

/// Both lists from here on, and how far a place in the middle text, outside all edits, is shifted in the other texts (modulo 2^32).
struct Walk<'a> {
    first: &'a [Edit],
    second: &'a [Edit],
    to_original: u32,
    to_view: u32,
}

impl Walk<'_> {
    fn skip_first(&mut self) {
        if let [edit, rest @ ..] = self.first {
            self.to_original = edit.end.wrapping_sub(edit.to);
            self.first = rest;
        }
    }

    fn skip_second(&mut self) {
        if let [edit, rest @ ..] = self.second {
            self.to_view = edit.to.wrapping_sub(edit.end);
            self.second = rest;
        }
    }

    /// One edit out of all that hang together from these two on.
    fn group(&mut self, a: &Edit, b: &Edit) -> Edit {
        let start = if a.from <= b.start { a.start } else { b.start.wrapping_add(self.to_original) };
        let from = if b.start <= a.from { b.from } else { a.from.wrapping_add(self.to_view) };
        let mut end = a.to.max(b.end);
        self.skip_first();
        self.skip_second();
        loop {
            if let [a, ..] = self.first
                && a.from < end
            {
                end = end.max(a.to);
                self.skip_first();
            } else if let [b, ..] = self.second
                && b.start < end
            {
                end = end.max(b.end);
                self.skip_second();
            } else {
                return Edit {
                    from,
                    to: end.wrapping_add(self.to_view),
                    start,
                    end: end.wrapping_add(self.to_original),
                };
            }
        }
    }
}

/// A rewriting under way: edits come in the order of the source, and what lies between them is copied.
pub(super) struct Rewrite<'a> {
    source: &'a [u8],
    text: &'a mut Vec<u8>,
    edits: &'a mut Vec<Edit>,
    /// How much of the source `text` stands for. 0 <= copied <= source.len()
    copied: usize,
}

impl<'a> Rewrite<'a> {
    /// Begins; what `text` and `edits` hold is thrown away.
    pub(super) fn new(source: &'a [u8], text: &'a mut Vec<u8>, edits: &'a mut Vec<Edit>) -> Self {
        text.clear();
        edits.clear();
        Self { source, text, edits, copied: 0 }
    }

    pub(super) fn source(&self) -> &'a [u8] {
        self.source
    }

    /// Puts `with` where `start..end` of the source stands; nothing happens where that is the same.
    pub(super) fn replace(&mut self, start: usize, end: usize, with: &[u8]) {
        debug_assert!(self.copied <= start && start < end && end <= self.source.len());
        if self.source.get(start..end) == Some(with) {
            return;
        }
        if self.edits.is_empty() {
            // Once, where the text first differs: what follows fits, short of expansions.
            self.text.reserve(self.source.len());
        }
        if self.copied < start {
            self.text.extend_from_slice(self.source.get(self.copied..start).unwrap_or_default());
        }
        self.copied = end;
        let from = place(self.text.len());
        match with {
            [byte] => self.text.push(*byte),
            _ => self.text.extend_from_slice(with),
        }
        let edit = Edit { from, to: place(self.text.len()), start: place(start), end: place(end) };
        match self.edits.last_mut() {
            // A run of removed characters is one edit.
            Some(last) if last.to == last.from && last.end == edit.start && edit.to == edit.from => last.end = edit.end,
            _ => self.edits.push(edit),
        }
    }

    /// The byte before `at` as it is now; 0 at the beginning.
    pub(super) fn last_byte(&self, at: usize) -> u8 {
        let last = if self.copied < at { self.source.get(at - 1) } else { self.text.last() };
        last.copied().unwrap_or(0)
    }

    /// Takes back what was done from `start` on, which lies in no edit, so that it can be done in another way.
    pub(super) fn reopen(&mut self, start: usize) {
        let first = self.edits.partition_point(|edit| edit.start < place(start));
        if let Some(edit) = self.edits.get(first) {
            let same = edit.start as usize - start;
            self.text.truncate((edit.from as usize).saturating_sub(same));
            self.copied = start;
            self.edits.truncate(first);
        }
    }

    /// Whether anything was replaced; if so, the text is complete now.
    pub(super) fn finish(self) -> bool {
        if self.edits.is_empty() {
            return false;
        }
        self.text.extend_from_slice(self.source.get(self.copied..).unwrap_or_default());
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::ProptestConfig;
    use proptest::prelude::any;
    use proptest::prop_assert;
    use proptest::prop_assert_eq;
    use proptest::proptest;

    use super::*;

    fn rewritten(source: &[u8], changes: &[(usize, usize, &[u8])]) -> (Vec<u8>, Vec<Edit>) {
        let (mut text, mut edits) = (Vec::new(), Vec::new());
        let mut rewrite = Rewrite::new(source, &mut text, &mut edits);
        for &(start, end, with) in changes {
            rewrite.replace(start, end, with);
        }
        if !rewrite.finish() {
            text.extend_from_slice(source);
        }
        (text, edits)
    }

    #[test]
    fn spans_map_to_all_that_they_came_from() {
        let (text, edits) = rewritten(b"admin%40e--x.com..", &[(5, 8, b"@"), (9, 11, b""), (16, 18, b"")]);
        assert_eq!(text, b"admin@ex.com");
        let cases: &[(Range<u32>, Range<u32>)] = &[
            (0..12, 0..16),
            (0..5, 0..5),
            (5..6, 5..8),
            (4..6, 4..8),
            (6..7, 8..9),
            (7..8, 11..12),
            (6..8, 8..12),
            (12..12, 18..18),
        ];
        for (view, expected) in cases {
            assert_eq!(original(&edits, view.clone()), *expected, "{view:?}");
        }
    }

    #[test]
    fn what_is_reopened_is_as_if_it_had_not_been() {
        let (mut text, mut edits) = (Vec::new(), Vec::new());
        let mut rewrite = Rewrite::new(b"ab-c-d-", &mut text, &mut edits);
        rewrite.replace(2, 3, b"");
        rewrite.replace(4, 5, b"");
        rewrite.replace(6, 7, b"");
        rewrite.reopen(3);
        rewrite.replace(3, 7, b"X");
        assert!(rewrite.finish());
        assert_eq!((text.as_slice(), edits.len()), (&b"abX"[..], 2));
    }

    /// The same text with each byte's own span of the original beside it.
    fn traced(traces: &[Range<u32>], edits: &[Edit], length: usize) -> Vec<Range<u32>> {
        let wide = |start: u32, end: u32| traces[start as usize].start..traces[end as usize - 1].end;
        let mut out = Vec::new();
        let mut at = 0;
        for edit in edits {
            out.extend_from_slice(&traces[at..edit.start as usize]);
            out.extend((edit.from..edit.to).map(|_| wide(edit.start, edit.end)));
            at = edit.end as usize;
        }
        out.extend_from_slice(&traces[at..length]);
        out
    }

    fn changes(length: usize, raw: &[(usize, usize, usize)]) -> Vec<(usize, usize, &'static [u8])> {
        let mut at = 0;
        let mut all = Vec::new();
        for &(gap, taken, put) in raw {
            let (start, end) = (at + gap, at + gap + taken);
            if end <= length {
                all.push((start, end, &b"XYZ"[..put]));
                at = end;
            }
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_composed_map_covers_what_both_maps_say(
            source in proptest::collection::vec(any::<u8>(), 0..40),
            one in proptest::collection::vec((0usize..4, 1usize..4, 0usize..4), 0..12),
            two in proptest::collection::vec((0usize..4, 1usize..4, 0usize..4), 0..12),
        ) {
            let (middle, first) = rewritten(&source, &changes(source.len(), &one));
            let (view, second) = rewritten(&middle, &changes(middle.len(), &two));
            let mut composed = Vec::new();
            compose(&first, &second, &mut composed);
            let own: Vec<_> = (0..place(source.len())).map(|at| at..at + 1).collect();
            let traces = traced(&traced(&own, &first, source.len()), &second, middle.len());
            prop_assert_eq!(traces.len(), view.len());
            for start in 0..view.len() {
                for end in start + 1..=view.len() {
                    let span = original(&composed, place(start)..place(end));
                    prop_assert!(span.start <= traces[start].start && traces[end - 1].end <= span.end);
                    prop_assert!(span.end as usize <= source.len());
                }
            }
            for pair in composed.windows(2) {
                prop_assert!(pair[0].to <= pair[1].from && pair[0].end <= pair[1].start);
            }
            // Nothing is taken in that both maps leave alone.
            for edit in &composed {
                let mid = |range: Range<u32>| first.iter().any(|e| e.start < range.end && range.start < e.end);
                let touched = mid(edit.start..edit.end) || second.iter().any(|e| e.from < edit.to.max(edit.from + 1) && edit.from <= e.to);
                prop_assert!(touched);
            }
        }
    }
}
