//! Base64, base64url and hexadecimal runs in a text, and what they say when they say something readable.
//!
//! ```text
//!  text ─► runs of 16 and more of the alphabet ─► first 24 bytes decoded ─┬─ readable ─► the readable front of the whole run
//!          (lines of equal length are one run)    at each alignment       └─ not ──────► nothing
//! ```
//! Nearly all runs are identifiers, paths, hashes or pictures; the first look drops them. Padding may be there or not, both
//! alphabets may be mixed, and what stands in front of the encoded text in the same run may shift it by up to three characters or
//! end in one of `/ - _ +`. What is found in a decoded text stands for the whole run: a part of it cannot be replaced without
//! changing what the rest decodes to.

use std::ops::Range;

use crate::limits::ENCODED_CHARACTERS_MIN;

/// Characters of the shortest run without its padding.
const RUN_BYTES_MIN: usize = ENCODED_CHARACTERS_MIN - 1;

/// Bytes that are looked at together, and bytes of them in a lane.
const BLOCK_BYTES: usize = 64;
const LANE_BYTES: usize = 8;

/// A lane of nothing but bytes of the alphabet.
const FULL: [u8; LANE_BYTES] = [u8::MAX; LANE_BYTES];

/// Characters of padding at the end of a run.
const PADDING_MAX: usize = 2;

/// Characters of a run that decide whether it is decoded: 24 bytes of base64, 16 of hexadecimal.
const PROBE_CHARACTERS: usize = 32;

/// Readable bytes that are worth a look.
const READ_BYTES_MIN: usize = 8;

/// Places behind a separator that are tried as the beginning of the encoded text.
const SEPARATORS_MAX: usize = 4;

/// Of so many decoded bytes one may be unreadable.
const READABLE_OF: usize = 10;

/// In the table of values: not of the alphabet.
const NONE: u8 = 0xff;

/// The six bits of each character, of both alphabets (RFC 4648 sections 4 and 5).
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut index = 0u8;
    while index < 64 {
        #[expect(clippy::indexing_slicing, reason = "at compile time")]
        {
            values[alphabet[index as usize] as usize] = index;
        }
        index += 1;
    }
    #[expect(clippy::indexing_slicing, reason = "at compile time")]
    {
        values[b'-' as usize] = 62;
        values[b'_' as usize] = 63;
    }
    values
};

fn value(byte: u8) -> u8 {
    VALUES.get(usize::from(byte)).copied().unwrap_or(NONE)
}

pub(super) fn is_alphabet(byte: &u8) -> bool {
    value(*byte) != NONE
}

/// The next run at or behind `from`: its lines and its padding with it.
pub(super) fn next_run(text: &[u8], from: usize) -> Option<Range<usize>> {
    let mut from = from;
    loop {
        let start = next_start(text, from)?;
        let mut end = line_end(text, start);
        let width = end - start;
        // Lines of one length, broken where a mail or a PEM file breaks them; the last may be shorter.
        while let Some(next) = next_line(text, end) {
            let next_end = line_end(text, next);
            if next_end == next || next_end - next > width {
                break;
            }
            end = next_end;
            if next_end - next < width {
                break;
            }
        }
        end += text.get(end..).unwrap_or_default().iter().take(PADDING_MAX).take_while(|byte| **byte == b'=').count();
        if end - start >= ENCODED_CHARACTERS_MIN {
            return Some(start..end);
        }
        from = end;
    }
}

/// Where the next run of the least length begins.
///
/// A run of 15 covers one of any lanes of eight bytes that are counted off from anywhere. So blocks without such a lane are passed
/// over, and only around the lanes of the others single bytes are looked at.
fn next_start(text: &[u8], from: usize) -> Option<usize> {
    let (blocks, rest) = text.get(from..)?.as_chunks::<BLOCK_BYTES>();
    let mut at = from;
    for block in blocks {
        let members = block.map(member);
        if has_lane(&members)
            && let Some(start) = around_lanes(text, from, at, &members)
        {
            return Some(start);
        }
        at += BLOCK_BYTES;
    }
    let mut members = [0; BLOCK_BYTES];
    members.iter_mut().zip(rest).for_each(|(member, byte)| *member = self::member(*byte));
    around_lanes(text, from, at, &members)
}

/// The first run of the least length around one of the lanes of a block at `at`. None begins before `from`.
fn around_lanes(text: &[u8], from: usize, at: usize, members: &[u8; BLOCK_BYTES]) -> Option<usize> {
    let (lanes, _) = members.as_chunks::<LANE_BYTES>();
    let full = lanes.iter().enumerate().filter(|(_, lane)| **lane == FULL).map(|(index, _)| at + index * LANE_BYTES);
    full.filter_map(|lane| {
        let before = text.get(from..lane).unwrap_or_default().iter().rev();
        let after = text.get(lane + LANE_BYTES..).unwrap_or_default().iter();
        let start = lane - before.take_while(|byte| is_alphabet(byte)).count();
        let more = after.take(RUN_BYTES_MIN).take_while(|byte| is_alphabet(byte)).count();
        (lane + LANE_BYTES + more - start >= RUN_BYTES_MIN).then_some(start)
    })
    .next()
}

/// All bits for a byte of the alphabet, none for another. Without branches and tables: the compiler does 16 bytes at a time.
fn member(byte: u8) -> u8 {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    if letter | digit | (byte == b'+') | (byte == b'/') | (byte == b'-') | (byte == b'_') { u8::MAX } else { 0 }
}

fn has_lane(members: &[u8; BLOCK_BYTES]) -> bool {
    let (lanes, _) = members.as_chunks::<LANE_BYTES>();
    lanes.iter().fold(false, |any, lane| any | (u64::from_ne_bytes(*lane) == u64::MAX))
}

fn line_end(text: &[u8], start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    start + rest.iter().position(|byte| !is_alphabet(byte)).unwrap_or(rest.len())
}

/// Where the next line begins, if the one before ends at `end`.
fn next_line(text: &[u8], end: usize) -> Option<usize> {
    match text.get(end..)? {
        [b'\n', ..] => Some(end + 1),
        [b'\r', b'\n', ..] => Some(end + 2),
        _ => None,
    }
}

/// Appends what a run says to `out`, for each way of reading it that makes sense, and calls `each` with where that is in `out`.
pub(super) fn decode(run: &[u8], out: &mut Vec<u8>, mut each: impl FnMut(Range<usize>)) {
    hexadecimal(run, out, &mut each);
    if from_base64(run, out, &mut each) || !run.contains(&b'\n') {
        return;
    }
    // Lines that may have been encoded one by one.
    for line in run.split(|byte| *byte == b'\n') {
        from_base64(line, out, &mut each);
    }
}

/// Whether a run, or the beginning of one, may say something: whether its first characters are readable.
pub(super) fn says_something(run: &[u8]) -> bool {
    let digits = run.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    digits >= ENCODED_CHARACTERS_MIN
        || begin(run).is_some()
        || run.split(|byte| *byte == b'\n').any(|line| begin(line).is_some())
}

/// Whether all of the run could be read as base64.
fn from_base64(run: &[u8], out: &mut Vec<u8>, each: &mut impl FnMut(Range<usize>)) -> bool {
    let Some(encoded) = begin(run).and_then(|start| run.get(start..)) else { return false };
    let found = out.len();
    base64(encoded, out);
    let decoded = out.len();
    keep_readable(out, found, each);
    out.len() == decoded
}

/// Where in the run the encoded text begins.
fn begin(run: &[u8]) -> Option<usize> {
    if run.len() < ENCODED_CHARACTERS_MIN {
        return None;
    }
    if let Some(start) = (0..4).find(|start| begins(run, *start)) {
        return Some(start);
    }
    let separators = run.iter().enumerate().filter(|(_, byte)| matches!(byte, b'/' | b'-' | b'_' | b'+'));
    separators.take(SEPARATORS_MAX).map(|(index, _)| index + 1).find(|start| begins(run, *start))
}

/// Whether the first [`PROBE_CHARACTERS`] characters from there on are readable, one byte of them aside.
fn begins(run: &[u8], start: usize) -> bool {
    let head = run.get(start..).unwrap_or_default();
    let (groups, _) = head.as_chunks::<4>();
    let mut probe = Probe::default();
    let mut read = 0;
    for group in groups.iter().take(PROBE_CHARACTERS / 4) {
        let [a, b, c, d] = group.map(value);
        if (a | b | c | d) == NONE {
            break;
        }
        read += 3;
        for byte in [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d] {
            probe.read(byte);
        }
        if probe.unreadable > 1 {
            return false;
        }
    }
    read >= READ_BYTES_MIN
}

/// Whether bytes look like UTF-8 without controls, one after the other: enough to drop nearly all that is not text early.
#[derive(Default)]
struct Probe {
    /// Bytes of the character that are still to come.
    continues: u8,
    unreadable: usize,
}

impl Probe {
    fn read(&mut self, byte: u8) {
        if self.continues > 0 && (0x80..=0xbf).contains(&byte) {
            self.continues -= 1;
            return;
        }
        self.unreadable += usize::from(self.continues > 0);
        self.continues = match byte {
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            _ => 0,
        };
        let is_text = matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0xc2..=0xf4);
        self.unreadable += usize::from(!is_text);
    }
}

/// Appends all that a run of base64 decodes to; line breaks and padding are passed over, bits that fill no byte are dropped.
fn base64(run: &[u8], out: &mut Vec<u8>) {
    out.reserve(run.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0u32, 0);
    let mut rest = run;
    while let [first, behind @ ..] = rest {
        if count == 0
            && let Some((group, behind)) = rest.split_first_chunk::<4>()
        {
            let [a, b, c, d] = group.map(value);
            if (a | b | c | d) != NONE {
                out.extend_from_slice(&[a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
                rest = behind;
                continue;
            }
        }
        rest = behind;
        let value = value(*first);
        if value == NONE {
            continue;
        }
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(((bits >> count) & 0xff) as u8);
        }
    }
}

/// Every run of 16 and more hexadecimal digits in a run.
fn hexadecimal(run: &[u8], out: &mut Vec<u8>, each: &mut impl FnMut(Range<usize>)) {
    let is_break = |byte: &u8| !byte.is_ascii_hexdigit() && !matches!(byte, b'\r' | b'\n');
    for digits in run.split(is_break).filter(|digits| digits.len() >= ENCODED_CHARACTERS_MIN) {
        let found = out.len();
        let mut values = digits.iter().filter_map(|digit| char::from(*digit).to_digit(16));
        let mut pairs = std::iter::from_fn(|| Some(((values.next()? << 4 | values.next()?) & 0xff) as u8));
        out.extend(pairs.by_ref().take(PROBE_CHARACTERS / 2));
        let mut probe = Probe::default();
        out.get(found..).unwrap_or_default().iter().for_each(|byte| probe.read(*byte));
        if probe.unreadable <= 1 {
            out.extend(pairs);
            keep_readable(out, found, each);
        } else {
            out.truncate(found);
        }
    }
}

/// Drops the unreadable end of what has been appended since `found`, or all of it.
fn keep_readable(out: &mut Vec<u8>, found: usize, each: &mut impl FnMut(Range<usize>)) {
    let length = readable(out.get(found..).unwrap_or_default());
    out.truncate(found + length);
    if length >= READ_BYTES_MIN {
        each(found..out.len());
    } else {
        out.truncate(found);
    }
}

/// Bytes of the longest front that is readable: of UTF-8 without controls but tab and line breaks, one byte of ten aside.
fn readable(bytes: &[u8]) -> usize {
    let (mut at, mut unreadable, mut kept) = (0, 0, 0);
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            at += character.len_utf8();
            if character.is_control() && !matches!(character, '\t' | '\n' | '\r') {
                unreadable += 1;
            } else if unreadable * READABLE_OF <= at {
                kept = at;
            }
        }
        at += chunk.invalid().len();
        unreadable += chunk.invalid().len();
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::ProptestConfig;
    use proptest::prop_assert_eq;
    use proptest::proptest;

    use super::*;

    fn starts(text: &[u8]) -> Vec<usize> {
        let mut all = Vec::new();
        let mut from = 0;
        while let Some(start) = next_start(text, from) {
            all.push(start);
            from = line_end(text, start);
        }
        all
    }

    fn naive_starts(text: &[u8]) -> Vec<usize> {
        let mut all = Vec::new();
        let mut at = 0;
        for part in text.split(|byte| !is_alphabet(byte)) {
            if part.len() >= RUN_BYTES_MIN {
                all.push(at);
            }
            at += part.len() + 1;
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn runs_begin_where_the_naive_twin_says(lengths in proptest::collection::vec((0usize..24, 1usize..4), 0..24)) {
            let text: Vec<u8> = lengths.iter().flat_map(|(run, gap)| [b"aZ9+/-_".repeat(4)[..*run].to_vec(), b" .@="[..*gap].to_vec()].concat()).collect();
            prop_assert_eq!(starts(&text), naive_starts(&text));
        }

        #[test]
        fn runs_of_any_bytes_begin_where_the_naive_twin_says(text in "[a-c.]{0,300}|[a-z0-9+/_-]{0,100}\\PC{0,20}[A-Z ]{0,100}") {
            prop_assert_eq!(starts(text.as_bytes()), naive_starts(text.as_bytes()));
        }
    }

    #[test]
    fn every_byte_of_the_alphabet_is_one() {
        for byte in 0..=u8::MAX {
            assert_eq!(member(byte) == u8::MAX, is_alphabet(&byte), "{byte}");
            assert_eq!(has_lane(&[member(byte); BLOCK_BYTES]), is_alphabet(&byte), "{byte}");
        }
    }
}
