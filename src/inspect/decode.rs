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
use crate::simd::alphabet::LANE_BYTES;
use crate::simd::alphabet::full_lane;
use crate::simd::alphabet::member;

/// Characters of the shortest run without its padding.
const RUN_BYTES_MIN: usize = ENCODED_CHARACTERS_MIN - 1;

/// Bytes of a text that is looked at as one block.
const SHORT_BYTES: usize = 64;

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

/// The bits of a value that is.
const SIX_BITS: u8 = 0x3f;

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
/// A run of 15 covers one of any lanes of eight bytes that are counted off from anywhere. So what has no such lane is passed over, and
/// only around the lanes of the rest single bytes are looked at.
fn next_start(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..).filter(|rest| rest.len() >= RUN_BYTES_MIN)?;
    let mut block = [0; SHORT_BYTES];
    if let Some(front) = block.get_mut(..rest.len()) {
        // Many texts are short: all of it at once, without asking for the CPU's vectors.
        front.copy_from_slice(rest);
        let members = block.map(member);
        let (lanes, _) = members.as_chunks::<LANE_BYTES>();
        let full = lanes.iter().enumerate().filter(|(_, lane)| u64::from_ne_bytes(**lane) == u64::MAX);
        return full.filter_map(|(lane, _)| around_lane(text, from, from + lane * LANE_BYTES)).next();
    }
    let mut at = from;
    loop {
        let lane = full_lane(text, at)?;
        if let Some(start) = around_lane(text, from, lane) {
            return Some(start);
        }
        at = lane + LANE_BYTES;
    }
}

/// The run of the least length around a lane of the alphabet. It does not begin before `from`.
fn around_lane(text: &[u8], from: usize, lane: usize) -> Option<usize> {
    let before = text.get(from..lane).unwrap_or_default().iter().rev();
    let after = text.get(lane + LANE_BYTES..).unwrap_or_default().iter();
    let start = lane - before.take_while(|byte| is_alphabet(byte)).count();
    let more = after.take(RUN_BYTES_MIN).take_while(|byte| is_alphabet(byte)).count();
    (lane + LANE_BYTES + more - start >= RUN_BYTES_MIN).then_some(start)
}

fn line_end(text: &[u8], start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let (blocks, _) = rest.as_chunks::<16>();
    let is_whole = |block: &&[u8; 16]| block.iter().fold(u8::MAX, |all, byte| all & member(*byte)) != 0;
    let whole = blocks.iter().take_while(is_whole).count() * 16;
    let tail = rest.get(whole..).unwrap_or_default();
    start + whole + tail.iter().position(|byte| !is_alphabet(byte)).unwrap_or(tail.len())
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
    if groups.first_chunk().is_some_and(is_plain_text) {
        return true;
    }
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

/// The quick answer for nearly all that is text: whether all of these groups decode to printable ASCII.
fn is_plain_text(groups: &[[u8; 4]; PROBE_CHARACTERS / 4]) -> bool {
    let is_printable = |byte: &u8| byte.wrapping_sub(b' ') <= b'~' - b' ';
    groups.iter().all(|group| {
        let [a, b, c, d] = group.map(value);
        let bytes = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        (a | b | c | d) & !SIX_BITS == 0 && bytes.iter().fold(true, |all, byte| all & is_printable(byte))
    })
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
    let mut rest = run.get(whole_groups(run, out)..).unwrap_or_default();
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

/// Decodes the groups of four at the front that are all of the alphabet, and returns how many characters those are.
fn whole_groups(run: &[u8], out: &mut Vec<u8>) -> usize {
    let (groups, _) = run.as_chunks::<4>();
    let found = out.len();
    out.resize(found + groups.len() * 3, 0);
    let (places, _) = out.get_mut(found..).unwrap_or_default().as_chunks_mut::<3>();
    let mut whole = 0;
    for (group, place) in groups.iter().zip(places) {
        let [a, b, c, d] = group.map(value);
        if (a | b | c | d) & !SIX_BITS != 0 {
            break;
        }
        *place = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        whole += 1;
    }
    out.truncate(found + whole * 3);
    whole * 4
}

/// Every run of 16 and more hexadecimal digits in a run. A digit before the encoded text may shift it by half a byte.
fn hexadecimal(run: &[u8], out: &mut Vec<u8>, each: &mut impl FnMut(Range<usize>)) {
    let mut from = 0;
    while let Some(digits) = next_digits(run, from) {
        from = digits.end;
        let digits = run.get(digits).unwrap_or_default();
        for shift in 0..2 {
            let found = out.len();
            let mut values = digits.iter().filter_map(|digit| char::from(*digit).to_digit(16)).skip(shift);
            let mut pairs = std::iter::from_fn(|| Some(((values.next()? << 4 | values.next()?) & 0xff) as u8));
            out.extend(pairs.by_ref().take(PROBE_CHARACTERS / 2));
            let mut probe = Probe::default();
            out.get(found..).unwrap_or_default().iter().for_each(|byte| probe.read(*byte));
            if probe.unreadable <= 1 {
                out.extend(pairs);
                keep_readable(out, found, each);
                break;
            }
            out.truncate(found);
        }
    }
}

/// The next run of [`ENCODED_CHARACTERS_MIN`] and more digits and line breaks at or behind `from`, where no such run begins before.
///
/// It covers one of the places that are counted off by its least length, so only those are looked at, and what is around them.
fn next_digits(run: &[u8], from: usize) -> Option<Range<usize>> {
    let is_digit = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b'\r' | b'\n');
    let mut at = from + ENCODED_CHARACTERS_MIN - 1;
    while let Some((front, back)) = run.split_at_checked(at).filter(|(_, back)| !back.is_empty()) {
        if !back.first().is_some_and(is_digit) {
            at += ENCODED_CHARACTERS_MIN;
            continue;
        }
        let before = front.get(from..).unwrap_or_default().iter().rev().take_while(|byte| is_digit(byte)).count();
        let after = back.iter().take_while(|byte| is_digit(byte)).count();
        if before + after >= ENCODED_CHARACTERS_MIN {
            return Some(at - before..at + after);
        }
        at += after + ENCODED_CHARACTERS_MIN;
    }
    None
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
    // Nearly all that is text is ASCII, and there is no more to it.
    let plain = printable(bytes);
    if plain == bytes.len() {
        return plain;
    }
    let (mut at, mut unreadable, mut kept) = (plain, 0, plain);
    for chunk in bytes.get(plain..).unwrap_or_default().utf8_chunks() {
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

/// Bytes of printable ASCII, tabs and line breaks at the front; of whole blocks, so that it may be a few less.
fn printable(bytes: &[u8]) -> usize {
    let is_text = |byte: u8| (byte.wrapping_sub(b' ') <= b'~' - b' ') | matches!(byte, b'\t' | b'\n' | b'\r');
    let (blocks, rest) = bytes.as_chunks::<16>();
    let all = |block: &[u8]| block.iter().fold(true, |all, byte| all & is_text(*byte));
    let whole = blocks.iter().take_while(|block| all(*block)).count();
    whole * 16 + if whole == blocks.len() && all(rest) { rest.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::ProptestConfig;
    use proptest::prop_assert_eq;
    use proptest::proptest;

    use super::*;

    /// What the run says, by readers that go a character at a time, one alignment after the other.
    fn naive_base64(run: &[u8]) -> Vec<u8> {
        let bits: Vec<bool> = run
            .iter()
            .filter(|byte| is_alphabet(byte))
            .flat_map(|byte| (0..6).rev().map(|bit| value(*byte) >> bit & 1 == 1))
            .collect();
        bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | u8::from(*bit))).collect()
    }

    fn naive_readable(bytes: &[u8]) -> usize {
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

    fn naive_begins(run: &[u8], start: usize) -> bool {
        let head = run.get(start..).unwrap_or_default();
        let whole = head.iter().take(PROBE_CHARACTERS).take_while(|byte| is_alphabet(byte)).count() / 4 * 4;
        let decoded = naive_base64(&head[..whole]);
        let mut probe = Probe::default();
        decoded.iter().for_each(|byte| probe.read(*byte));
        probe.unreadable <= 1 && decoded.len() >= READ_BYTES_MIN
    }

    fn naive_digits(run: &[u8]) -> Vec<Range<usize>> {
        let mut all = Vec::new();
        let mut at = 0;
        for part in run.split(|byte| !byte.is_ascii_hexdigit() && !matches!(byte, b'\r' | b'\n')) {
            if part.len() >= ENCODED_CHARACTERS_MIN {
                all.push(at..at + part.len());
            }
            at += part.len() + 1;
        }
        all
    }

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

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn decoded_runs_are_those_of_the_naive_twin(run in "[A-Za-z0-9+/_-]{0,80}|[A-Za-z0-9=\r\n]{0,80}|([QRSTUVWXYZ][FGUVWXY][BDEFGHIJ][a-z0-9]){0,20}") {
            let mut out = b"kept".to_vec();
            base64(run.as_bytes(), &mut out);
            prop_assert_eq!(out.strip_prefix(b"kept"), Some(&naive_base64(run.as_bytes())[..]));
            for start in 0..4 {
                prop_assert_eq!(begins(run.as_bytes(), start), naive_begins(run.as_bytes(), start));
            }
        }

        #[test]
        fn readable_fronts_are_those_of_the_naive_twin(bytes in "[ -~]{0,80}(\\PC|[\x00-\x7f]|\u{80}){0,8}[ -~\t\n\r\x01]{0,80}", cut in 0_usize..4) {
            let bytes = bytes.as_bytes();
            let bytes = &bytes[..bytes.len().saturating_sub(cut)];
            prop_assert_eq!(readable(bytes), naive_readable(bytes));
        }

        #[test]
        fn runs_of_digits_are_those_of_the_naive_twin(run in "([0-9a-fA-F\r\n]{0,40}[g-z_]){0,5}[0-9a-f]{0,20}") {
            let run = run.as_bytes();
            let mut from = 0;
            let found: Vec<_> = std::iter::from_fn(|| next_digits(run, from).inspect(|digits| from = digits.end)).collect();
            prop_assert_eq!(found, naive_digits(run));
        }
    }

    #[test]
    fn every_byte_of_the_alphabet_is_one() {
        for byte in 0..=u8::MAX {
            assert_eq!(member(byte) == u8::MAX, is_alphabet(&byte), "{byte}");
        }
    }
}
