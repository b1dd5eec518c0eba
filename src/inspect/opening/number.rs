//! Unfinished numbers: rows of digits with what people put between them, and IBANs.

use crate::inspect::check;

/// What stands between two groups of digits; at most two of them in a row.
const SEPARATORS: &[u8] = b" ()-./";

/// Bytes from the end in which a number must begin that can still go on: more than the longest card with a separator after each digit.
const RUN_BYTES_MAX: usize = 80;

/// A run of digits at the end of the text, with whatever belongs to a number before the first digit.
pub(super) fn digits(text: &[u8], phone: bool) -> Option<usize> {
    let floor = text.len().saturating_sub(RUN_BYTES_MAX);
    // One sign behind a run is the sentence's unless a digit follows.
    let mut at = match text {
        [front @ .., b',' | b':'] => front.len(),
        _ => text.len(),
    };
    let mut start = None;
    loop {
        let separators = count_back(text, at, 3, |byte| SEPARATORS.contains(&byte));
        if separators > 2 || (separators == 0 && start.is_some()) {
            break;
        }
        let end = at - separators;
        let digits = count_back(text, end, usize::MAX, |byte| byte.is_ascii_digit());
        if digits == 0 {
            break;
        }
        at = end - digits;
        // A group inside a word begins no number; one behind it may.
        if !byte_before(text, at).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            start = Some(at);
        } else if start.is_none() {
            break;
        }
        if at <= floor {
            break;
        }
    }
    let from = match start {
        Some(start) => start,
        None if phone && matches!(text.last(), Some(b'+' | b'(')) => text.len(),
        None => return None,
    };
    Some(from - count_back(text, from, 2, |byte| matches!(byte, b'+' | b'(')))
}

/// An IBAN whose letters and digits have all been right so far.
pub(super) fn iban(text: &[u8]) -> Option<usize> {
    let floor = text.len().saturating_sub(2 * check::IBAN_LENGTH_MAX + 2);
    (floor..text.len()).find(|start| {
        let letter = text.get(*start).is_some_and(u8::is_ascii_alphabetic);
        letter
            && !byte_before(text, *start).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && goes_on(text.get(*start..).unwrap_or_default())
    })
}

/// Whether this is the beginning of an IBAN, and something must follow before it is decided.
fn goes_on(rest: &[u8]) -> bool {
    // The digits first: nearly every word has none there, and that is quickly seen.
    if !rest.iter().skip(2).take(2).all(u8::is_ascii_digit) {
        return false;
    }
    let length = match rest {
        [] => return false,
        [letter] => return (b'A'..=b'Z').any(|second| check::iban_length([*letter, second]).is_some()),
        [first, second, ..] => match check::iban_length([*first, *second]) {
            Some(length) => length,
            None => return false,
        },
    };
    let mut count = 0;
    let mut separator = None;
    let mut last = 0;
    for byte in rest {
        if count == length {
            return false;
        }
        match byte {
            b' ' | b'-' if count == 4 && separator.is_none() => separator = Some(*byte),
            b' ' | b'-' if count > 0 && count % 4 == 0 && separator == Some(*byte) && last != *byte => {}
            _ if byte.is_ascii_alphanumeric() => count += 1,
            _ => return false,
        }
        last = *byte;
    }
    true
}

fn count_back(text: &[u8], end: usize, max: usize, is: impl Fn(u8) -> bool) -> usize {
    super::row(text.get(..end).unwrap_or_default(), max, is)
}

fn byte_before(text: &[u8], at: usize) -> Option<u8> {
    at.checked_sub(1).and_then(|before| text.get(before)).copied()
}
