//! What must hold for the view of every text: driven by the target `normalise`, replayed from its corpus by `cargo test`.
//!
//! The gateway itself never calls this.

use std::ops::Range;

use super::View;
use super::fold;
use super::hidden;
use super::map::Edit;

/// Spans of a view that are looked at one by one; the spans of a longer one are drawn from it evenly.
const SPANS_MAX: usize = 256;

/// Any bytes as a text: folded, and read for what is hidden.
///
/// # Panics
/// A property does not hold.
pub fn fuzz_normalise(bytes: &[u8]) {
    for unwrap in [fold, hidden] {
        let mut view = View::default();
        if !unwrap(bytes, &mut view) {
            assert!(view.text.is_empty() && view.edits.is_empty(), "nothing to fold, and something in the view");
            continue;
        }
        assert!(!view.edits.is_empty(), "something folded, and nothing that differs");
        assert!(view.text.len() <= 3 * bytes.len(), "a view of more than three times the text");
        ordered(&view.edits);
        same_between_edits(bytes, &view);
        spans(bytes, &view);
        let (text, edits) = (view.text.clone(), view.edits.clone());
        assert!(unwrap(bytes, &mut view) && view.text == text && view.edits == edits, "another view the second time");
    }
}

fn ordered(edits: &[Edit]) {
    for edit in edits {
        assert!(edit.from <= edit.to && edit.start < edit.end, "{edit:?}");
    }
    for pair in edits.windows(2) {
        if let [one, next] = pair {
            assert!(one.to <= next.from && one.end <= next.start, "{one:?} {next:?}");
        }
    }
}

/// What no edit covers is the same in both texts.
fn same_between_edits(bytes: &[u8], view: &View) {
    let (mut at, mut from) = (0, 0);
    let end = Edit { from: super::place(view.text.len()), to: 0, start: super::place(bytes.len()), end: 0 };
    for edit in view.edits.iter().chain([&end]) {
        let own = view.text.get(at..edit.from as usize).expect("inside the view");
        assert_eq!(bytes.get(from..edit.start as usize), Some(own), "before {edit:?}");
        (at, from) = (edit.to as usize, edit.end as usize);
    }
}

/// Spans map to whole characters, in order, and a wider one to no less.
fn spans(bytes: &[u8], view: &View) {
    let text = std::str::from_utf8(bytes).ok();
    let folded = std::str::from_utf8(&view.text).ok();
    assert_eq!(text.is_some(), folded.is_some() && text.is_some(), "a text of characters folds to one");
    let step = view.text.len() / SPANS_MAX + 1;
    let mut last = 0..0;
    for start in (0..view.text.len()).step_by(step) {
        let span = view.to_original(start..start + 1);
        assert!(span.start < span.end && span.end <= bytes.len(), "{start}: {span:?}");
        assert!(last.start <= span.start && last.end <= span.end, "{start}: {span:?} behind {last:?}");
        assert!(
            contains(&view.to_original(0..start + 1), &span)
                && contains(&view.to_original(start..view.text.len()), &span)
        );
        if let (Some(text), Some(folded)) = (text, folded)
            && folded.is_char_boundary(start)
            && folded.is_char_boundary(start + 1)
        {
            assert!(
                text.is_char_boundary(span.start) && text.is_char_boundary(span.end),
                "{start}: {span:?} cuts a character"
            );
        }
        last = span;
    }
}

fn contains(wide: &Range<usize>, span: &Range<usize>) -> bool {
    wide.start <= span.start && span.end <= wide.end
}
