//! Unicode: what is invisible goes, what looks like ASCII becomes ASCII, the rest becomes NFKC.
//!
//! ```text
//!  next character ─┬─ plain (most letters of most scripts) ───────────────► stays; what follows may combine with it
//!                  ├─ invisible ──────────────────────────────────────────► removed
//!                  └─ anything else: it and all that combines with it ────► decompose, order, compose, fold each
//! ```
//! The decomposition and composition are those of UAX #15, with three differences, all on purpose: no more than [`COMBINED_CHARACTERS_MAX`]
//! characters are combined at a time (as in its Stream-Safe Text Format), a character that would become more than three times as
//! long stays (41 of them: Arabic phrases and squared katakana words), and marks that are left on an ASCII letter or digit go.

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;
use icu_normalizer::properties::CanonicalCompositionBorrowed;
use icu_normalizer::properties::CanonicalDecompositionBorrowed;
use icu_normalizer::properties::Decomposed;
use memchr::memchr;

use crate::limits::COMBINED_CHARACTERS_MAX;
use crate::limits::FOLDED_GROWTH_MAX;

use super::map::Rewrite;
use super::special::is_plain;

const NFKD: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizerBorrowed::new_nfkd();
const CLASSES: CanonicalCombiningClassMapBorrowed<'static> = CanonicalCombiningClassMapBorrowed::new();
const DECOMPOSITION: CanonicalDecompositionBorrowed<'static> = CanonicalDecompositionBorrowed::new();
const COMPOSITION: CanonicalCompositionBorrowed<'static> = CanonicalCompositionBorrowed::new();

/// Folds all characters that are not ASCII.
pub(super) fn fold(rewrite: &mut Rewrite<'_>) {
    let source = rewrite.source();
    let mut at = 0;
    // What a mark at `at` combines with, removed characters aside.
    let mut base = None;
    let mut before = '\0';
    loop {
        let next = next_non_ascii(source, at);
        if next > at {
            base = Some(next - 1);
            before = '\0';
        }
        at = next;
        let Some((character, length)) = decode(source, at) else {
            if at >= source.len() {
                return;
            }
            at += 1;
            base = None;
            continue;
        };
        if is_plain(character) {
            base = Some(at);
            before = character;
            at += length;
        } else if !stands_alone(character) && is_invisible(character) {
            if !is_pictograph(before) {
                rewrite.replace(at, at + length, b"");
            }
            at += length;
        } else {
            at = special(rewrite, at, character, length, base.take());
            before = '\0';
        }
    }
}

/// Folds a character that is neither plain nor invisible, and returns where the next one begins.
fn special(rewrite: &mut Rewrite<'_>, at: usize, character: char, length: usize, base: Option<usize>) -> usize {
    if character == '\u{2026}' || is_phrase(character) {
        // Three dots hide nothing, and stand in too many texts.
        return at + length;
    }
    if let Some(byte) = ascii(character)
        && let Some(next) = next_visible(rewrite.source(), at + length)
    {
        // A separator counts where it stands between words: not the punctuation of prose.
        if byte.is_ascii_alphanumeric() || separates(rewrite.last_byte(at), character, next) {
            rewrite.replace(at, at + length, &[byte]);
        }
        return at + length;
    }
    match base {
        Some(base) if combines(character) => {
            if let Some(end) = settled(rewrite.source(), base, at) {
                return end;
            }
            rewrite.reopen(base);
            sequence(rewrite, base)
        }
        _ => sequence(rewrite, at),
    }
}

/// The end of the marks at `at`, if they stay as they are behind their base: vowels of Arabic and Hebrew, signs of Indic and Thai.
fn settled(source: &[u8], base: usize, at: usize) -> Option<usize> {
    let is_whole = |character| DECOMPOSITION.decompose(character) == Decomposed::Default;
    let (first, length) = decode(source, base)?;
    if first.is_ascii() || base + length != at || !is_whole(first) {
        return None;
    }
    let (mut at, mut last) = (at, 0);
    for _ in 0..COMBINED_CHARACTERS_MAX / 2 {
        let Some((character, length)) = decode(source, at) else { return Some(at) };
        if is_plain(character) {
            return Some(at);
        }
        let class = CLASSES.get_u8(character);
        if class == 0 {
            return (!combines(character) && !is_invisible(character)).then_some(at);
        }
        if class < last || composes(character) || !is_whole(character) {
            return None;
        }
        last = class;
        at += length;
    }
    None
}

/// The character that comes into view next (NUL at the end, and for what is not UTF-8). None: it combines with what stands here.
fn next_visible(source: &[u8], at: usize) -> Option<char> {
    let mut at = at;
    loop {
        match decode(source, at) {
            Some((character, _)) if is_plain(character) || stands_alone(character) => return Some(character),
            Some((character, length)) if is_invisible(character) => at += length,
            Some((character, _)) if combines(character) => return None,
            Some((character, _)) => return Some(character),
            None => return Some('\0'),
        }
    }
}

/// Whether what looks like an ASCII separator could be part of a number, an address or a key.
fn separates(before: u8, separator: char, after: char) -> bool {
    let after = ascii(after).unwrap_or(0);
    let digit = before.is_ascii_digit() || after.is_ascii_digit();
    let words = before.is_ascii_alphanumeric() && after.is_ascii_alphanumeric();
    match separator {
        '\u{2014}' | '\u{2015}' => digit,
        '\u{2012}' | '\u{2013}' => digit || words,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            (before.is_ascii_alphanumeric() || matches!(before, b')' | b',' | b':'))
                && (after.is_ascii_alphanumeric() || matches!(after, b'(' | b'+'))
        }
        '\u{3002}' | '\u{6d4}' | '\u{ff61}' => words,
        _ => before.is_ascii_alphanumeric() || after.is_ascii_alphanumeric(),
    }
}

/// Leaves nothing but what tag characters stand for.
pub(super) fn reveal(rewrite: &mut Rewrite<'_>) {
    let source = rewrite.source();
    let (mut at, mut seen) = (0, 0);
    while let Some(found) = memchr(0xf3, source.get(at..).unwrap_or_default()) {
        at += found;
        let Some((character, length)) = decode(source, at) else {
            at += 1;
            continue;
        };
        if let '\u{e0020}'..='\u{e007e}' = character
            && let Ok(byte) = u8::try_from(u32::from(character) - 0xe0000)
        {
            if at > seen {
                rewrite.replace(seen, at, b"");
            }
            rewrite.replace(at, at + length, &[byte]);
            seen = at + length;
        }
        at += length;
    }
    if seen < source.len() {
        rewrite.replace(seen, source.len(), b"");
    }
}

/// Folds the character at `start` with all that combines with it, and returns where the next one begins.
fn sequence(rewrite: &mut Rewrite<'_>, start: usize) -> usize {
    let source = rewrite.source();
    let mut sequence = Sequence { characters: [('\0', 0); COMBINED_CHARACTERS_MAX], length: 0 };
    let (mut at, mut end, mut first) = (start, start, start);
    while let Some((character, length)) = decode(source, at) {
        at += length;
        if end > start {
            if is_invisible(character) {
                continue;
            }
            if is_plain(character) || !combines(character) {
                break;
            }
        }
        if !sequence.push(character) {
            break;
        }
        if end == start {
            first = at;
        }
        end = at;
    }
    let mut bytes = [0; COMBINED_CHARACTERS_MAX * 4];
    let length = sequence.fold(&mut bytes);
    if length > (end - start) * FOLDED_GROWTH_MAX {
        return first;
    }
    rewrite.replace(start, end, bytes.get(..length).unwrap_or_default());
    end
}

/// A base and its marks, decomposed, each with its combining class.
struct Sequence {
    characters: [(char, u8); COMBINED_CHARACTERS_MAX],
    /// length <= COMBINED_CHARACTERS_MAX
    length: usize,
}

impl Sequence {
    /// Adds the decomposition of a character. Whether there was room for it; there always is for the first one.
    fn push(&mut self, character: char) -> bool {
        let before = self.length;
        if let Some(byte) = ascii(character) {
            return self.put(char::from(byte), 0);
        }
        let class = CLASSES.get_u8(character);
        if (class != 0 || is_plain(character)) && DECOMPOSITION.decompose(character) == Decomposed::Default {
            return self.put(character, class);
        }
        for part in NFKD.normalize_iter(std::iter::once(character)) {
            if !self.put(part, CLASSES.get_u8(part)) {
                self.length = before;
                return false;
            }
        }
        true
    }

    fn put(&mut self, character: char, class: u8) -> bool {
        let Some(place) = self.characters.get_mut(self.length) else { return false };
        *place = (character, class);
        self.length += 1;
        true
    }

    /// Orders, composes, folds, and writes; returns how many bytes.
    fn fold(&mut self, bytes: &mut [u8; COMBINED_CHARACTERS_MAX * 4]) -> usize {
        let characters = self.characters.get_mut(..self.length).unwrap_or_default();
        let mut count = characters.len();
        if count > 1 {
            order(characters);
            count = compose(characters);
        }
        let mut length = 0;
        let mut is_ascii = false;
        for &(character, class) in characters.get(..count).unwrap_or_default() {
            if is_ascii && class != 0 {
                continue;
            }
            let folded = ascii(character).map_or(character, char::from);
            is_ascii = folded.is_ascii_alphanumeric();
            if let Some(place) = bytes.get_mut(length..length + folded.len_utf8()) {
                length += folded.encode_utf8(place).len();
            }
        }
        length
    }
}

/// The canonical ordering of UAX #15: marks by their class, where no starter stands between them.
fn order(characters: &mut [(char, u8)]) {
    for index in 1..characters.len() {
        let Some((ordered, [(_, class), ..])) = characters.split_at_checked(index) else { return };
        let behind = ordered.iter().rev().take_while(|(_, before)| *class != 0 && before > class).count();
        if behind > 0
            && let Some(moved) = characters.get_mut(index - behind..=index)
        {
            moved.rotate_right(1);
        }
    }
}

/// The canonical composition of UAX #15, in place; returns how many characters are left.
fn compose(characters: &mut [(char, u8)]) -> usize {
    let mut starter: Option<usize> = None;
    let mut written = 0usize;
    for index in 0..characters.len() {
        let Some(&(character, class)) = characters.get(index) else { break };
        if let Some(place) = starter
            && let Some(&(first, _)) = characters.get(place)
        {
            let before = written.checked_sub(1).and_then(|last| characters.get(last));
            let adjacent = written == place + 1;
            let blocked = !adjacent && before.is_some_and(|(_, before)| *before == 0 || *before >= class);
            if !blocked
                && composes(character)
                && let Some(whole) = COMPOSITION.compose(first, character)
                && let Some(place) = characters.get_mut(place)
            {
                *place = (whole, 0);
                continue;
            }
        }
        if class == 0 {
            starter = Some(written);
        }
        if let Some(place) = characters.get_mut(written) {
            *place = (character, class);
        }
        written += 1;
    }
    written
}

/// The highest bit of each byte: set where it is not ASCII.
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Where the first byte at or behind `from` stands that is not ASCII, or the end.
pub(super) fn next_non_ascii(source: &[u8], from: usize) -> usize {
    let rest = source.get(from..).unwrap_or_default();
    if rest.first().is_some_and(|byte| !byte.is_ascii()) {
        return from;
    }
    let (blocks, _) = rest.as_chunks::<32>();
    let at = blocks.iter().take_while(|block| block.is_ascii()).count() * 32;
    let (words, _) = rest.get(at..).unwrap_or_default().as_chunks::<8>();
    let ascii = |word: &&[u8; 8]| u64::from_le_bytes(**word) & HIGH_BITS == 0;
    let at = at + words.iter().take_while(ascii).count() * 8;
    let tail = rest.get(at..).unwrap_or_default();
    if let Some(word) = tail.first_chunk() {
        return from + at + ((u64::from_le_bytes(*word) & HIGH_BITS).trailing_zeros() / 8) as usize;
    }
    from + at + tail.iter().position(|byte| !byte.is_ascii()).unwrap_or(tail.len())
}

/// The character at a place and its length. None at the end, and where it is not UTF-8 (RFC 3629 section 4).
pub(super) fn decode(source: &[u8], at: usize) -> Option<(char, usize)> {
    let part = |byte: u8| u32::from(byte & 0x3f);
    let (value, least, length) = match source.get(at..)? {
        [a @ 0..=0x7f, ..] => return Some((char::from(*a), 1)),
        [a @ 0xc2..=0xdf, b @ 0x80..=0xbf, ..] => (u32::from(a & 0x1f) << 6 | part(*b), 0x80, 2),
        [a @ 0xe0..=0xef, b @ 0x80..=0xbf, c @ 0x80..=0xbf, ..] => {
            (u32::from(a & 0x0f) << 12 | part(*b) << 6 | part(*c), 0x800, 3)
        }
        [a @ 0xf0..=0xf4, b @ 0x80..=0xbf, c @ 0x80..=0xbf, d @ 0x80..=0xbf, ..] => {
            (u32::from(a & 0x07) << 18 | part(*b) << 12 | part(*c) << 6 | part(*d), 0x1_0000, 4)
        }
        _ => return None,
    };
    char::from_u32(value).filter(|_| value >= least).map(|character| (character, length))
}

/// Whether a character combines with the one before it: a mark, a vowel or final of Hangul, half of an Indic vowel.
fn combines(character: char) -> bool {
    let decomposes = matches!(character,
        '\u{f73}' | '\u{f75}' | '\u{f81}' | '\u{ff9e}' | '\u{ff9f}'
        | '\u{3133}' | '\u{3135}'..='\u{3136}' | '\u{313a}'..='\u{313f}' | '\u{314f}'..='\u{3163}' | '\u{ffa3}' | '\u{ffa5}'..='\u{ffa6}' | '\u{ffaa}'..='\u{ffaf}' | '\u{ffc2}'..='\u{ffc7}' | '\u{ffca}'..='\u{ffcf}' | '\u{ffd2}'..='\u{ffd7}' | '\u{ffda}'..='\u{ffdc}' | '\u{16121}'..='\u{16128}' | '\u{16d68}');
    CLASSES.get_u8(character) != 0 || decomposes || is_half(character)
}

/// Whether any character composes with this one behind it: without it most marks would be looked up for nothing.
fn composes(character: char) -> bool {
    let mark = matches!(character,
        '\u{300}'..='\u{304}' | '\u{306}'..='\u{30c}' | '\u{30f}' | '\u{311}' | '\u{313}' | '\u{314}' | '\u{31b}'
        | '\u{323}'..='\u{328}' | '\u{32d}' | '\u{32e}' | '\u{330}' | '\u{331}' | '\u{338}' | '\u{342}' | '\u{345}'
        | '\u{653}'..='\u{655}' | '\u{93c}' | '\u{c56}' | '\u{dca}' | '\u{3099}' | '\u{309a}' | '\u{110ba}');
    mark || is_half(character)
}

/// Starters that compose with what stands before them.
fn is_half(character: char) -> bool {
    matches!(character,
        '\u{1161}'..='\u{1175}' | '\u{11a8}'..='\u{11c2}'
        | '\u{9be}' | '\u{9d7}' | '\u{b3e}' | '\u{b56}' | '\u{b57}' | '\u{bbe}' | '\u{bd7}'
        | '\u{cc2}' | '\u{cd5}' | '\u{cd6}' | '\u{d3e}' | '\u{d57}' | '\u{dcf}' | '\u{ddf}' | '\u{102e}' | '\u{1b35}'
        | '\u{11127}' | '\u{1133e}' | '\u{11357}' | '\u{114b0}' | '\u{114ba}' | '\u{114bd}' | '\u{115af}' | '\u{11930}'
        | '\u{113b8}' | '\u{113bb}' | '\u{113c2}' | '\u{113c5}' | '\u{113c7}'..='\u{113c9}'
        | '\u{1611e}'..='\u{16120}' | '\u{16129}' | '\u{16d67}')
}

/// Special characters that are neither invisible nor combine with anything: most of those that stand for another one. A look at them
/// saves two in the tables of Unicode.
fn stands_alone(character: char) -> bool {
    matches!(character,
        '\u{2100}'..='\u{218b}' | '\u{2460}'..='\u{24ea}' | '\u{3200}'..='\u{33ff}' | '\u{f900}'..='\u{fad9}' | '\u{fb50}'..='\u{fdff}'
        | '\u{ff01}'..='\u{ff9d}' | '\u{1d400}'..='\u{1d7ff}')
}

/// Characters that would become more than `FOLDED_GROWTH_MAX` times as long: Arabic phrases, squared words, four primes and integrals.
fn is_phrase(character: char) -> bool {
    matches!(character,
        '\u{2057}' | '\u{2a0c}' | '\u{3300}'..='\u{3302}' | '\u{3304}' | '\u{3307}' | '\u{3308}' | '\u{330c}' | '\u{330d}' | '\u{3312}'
        | '\u{3313}' | '\u{3315}'..='\u{3317}' | '\u{3319}'..='\u{331b}' | '\u{331f}'..='\u{3321}' | '\u{332b}'
        | '\u{332d}' | '\u{332e}' | '\u{3332}'..='\u{3334}' | '\u{3336}' | '\u{333d}' | '\u{3343}' | '\u{3347}'
        | '\u{3348}' | '\u{334a}' | '\u{334c}' | '\u{334d}' | '\u{3351}' | '\u{3354}' | '\u{3356}' | '\u{337f}'
        | '\u{fdfa}' | '\u{fdfb}')
}

/// Symbols and pictures, of which emoji are made: what is invisible behind them belongs to them.
fn is_pictograph(character: char) -> bool {
    matches!(character, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// Characters without a shape of their own: zero-width and bidi controls, fillers, variation selectors, tags, enclosing marks.
pub(super) fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{ffa0}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}'
        | '\u{488}' | '\u{489}' | '\u{20dd}'..='\u{20e0}' | '\u{20e2}'..='\u{20e4}')
}

/// The ASCII character that a character is, or stands for: digits of all scripts, full-width forms, spaces, dashes, dots.
fn ascii(character: char) -> Option<u8> {
    let value = u32::from(character);
    match character {
        '\u{ff01}'..='\u{ff5e}' => u8::try_from(value - 0xfee0).ok(),
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Some(b' '),
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' => Some(b'-'),
        '\u{3002}' | '\u{ff61}' | '\u{6d4}' | '\u{2024}' => Some(b'.'),
        '\u{2044}' | '\u{2215}' | '\u{29f8}' => Some(b'/'),
        '\u{2236}' | '\u{a789}' => Some(b':'),
        '\0'..='\u{7f}' => u8::try_from(value).ok(),
        '\u{80}'..='\u{5ff}' => None,
        _ => digit(value),
    }
}

/// The ASCII digit for a decimal digit of any script (general category Nd).
fn digit(value: u32) -> Option<u8> {
    let row = ROWS.get(value as usize / 1024)?;
    if row >> (value / 16 % 64) & 1 == 0 {
        return None;
    }
    let zero = ZEROS.get(ZEROS.partition_point(|zero| *zero <= value).checked_sub(1)?)?;
    u8::try_from(value - zero).ok().filter(|digit| *digit < 10).map(|digit| digit + b'0')
}

/// A bit for each row of 16 characters that has digits, so that other characters are told apart at once.
static ROWS: [u64; 128] = {
    let mut rows = [0; 128];
    let mut index = 0;
    while index < ZEROS.len() {
        #[expect(clippy::indexing_slicing, reason = "at compile time")]
        {
            let (zero, nine) = (ZEROS[index] as usize, ZEROS[index] as usize + 9);
            rows[zero / 1024] |= 1 << (zero / 16 % 64);
            rows[nine / 1024] |= 1 << (nine / 16 % 64);
        }
        index += 1;
    }
    rows
};

/// The zero of each script that has decimal digits and no full-width or mathematical form of them (those are NFKC's), ascending.
const ZEROS: &[u32] = &[
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20,
    0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0,
    0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0,
    0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50,
    0x11da0, 0x11de0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1,
    0x1e950,
];

#[cfg(test)]
mod tests {
    use icu_normalizer::ComposingNormalizerBorrowed;
    use proptest::prelude::ProptestConfig;
    use proptest::prop_assert_eq;
    use proptest::proptest;

    use super::*;

    const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

    fn all() -> impl Iterator<Item = char> {
        '\0'..=char::MAX
    }

    fn folded(text: &str) -> String {
        let (mut out, mut edits) = (Vec::new(), Vec::new());
        let mut rewrite = Rewrite::new(text.as_bytes(), &mut out, &mut edits);
        fold(&mut rewrite);
        if rewrite.finish() { String::from_utf8(out).expect("characters stay whole") } else { text.to_owned() }
    }

    /// What depends on the characters around it, and has tests of its own.
    fn is_separator(character: char) -> bool {
        let separates = ascii(character).is_some_and(|byte| !byte.is_ascii_alphanumeric());
        !character.is_ascii() && (separates || character == '\u{2026}')
    }

    /// Whole texts at once, by ICU's own composition.
    fn naive(text: &str) -> String {
        let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
        let mut out = String::new();
        for character in NFKC.normalize(&visible).chars() {
            let is_mark = CLASSES.get_u8(character) != 0;
            if !(is_mark && out.ends_with(|c: char| c.is_ascii_alphanumeric())) {
                out.push(ascii(character).map_or(character, char::from));
            }
        }
        out
    }

    #[test]
    fn plain_characters_are_those_that_nothing_happens_to() {
        for character in all().filter(|c| is_plain(*c)) {
            let text = character.to_string();
            assert_eq!(NFKC.normalize(&text), text, "{character:x?}");
            assert!(!is_invisible(character) && !combines(character), "{character:x?}");
            assert!(character.is_ascii() || ascii(character).is_none(), "{character:x?}");
        }
    }

    #[test]
    fn halves_are_the_starters_that_combine_with_what_stands_before_them() {
        let decomposition = CanonicalDecompositionBorrowed::new();
        for character in all() {
            if let Decomposed::Expansion(first, second) = decomposition.decompose(character)
                && COMPOSITION.compose(first, second) == Some(character)
            {
                assert!(composes(second), "{second:x?}");
                assert!(CLASSES.get_u8(second) != 0 || is_half(second), "{second:x?}");
            }
        }
    }

    #[test]
    fn every_character_alone_is_as_the_naive_twin_says() {
        let mut kept = 0;
        for character in all().filter(|c| !is_invisible(*c) && !is_separator(*c)) {
            let text = character.to_string();
            if NFKC.normalize(&text).len() > text.len() * FOLDED_GROWTH_MAX {
                assert!(is_phrase(character) && folded(&text) == text, "{character:x?}");
                kept += 1;
            } else {
                assert!(!is_phrase(character), "{character:x?}");
                assert_eq!(folded(&text), naive(&text), "{character:x?}");
            }
        }
        assert_eq!(kept, 41);
    }

    #[test]
    fn what_stands_alone_is_seen_and_combines_with_nothing() {
        for character in all().filter(|c| stands_alone(*c)) {
            assert!(!is_invisible(character) && !combines(character), "{character:x?}");
        }
    }

    #[test]
    fn what_combines_is_what_decomposes_to_something_that_does() {
        let first = |c: char| NFKD.normalize_iter(std::iter::once(c)).next().expect("a character");
        let wrong = |c: &char| combines(*c) != (CLASSES.get_u8(first(*c)) != 0 || is_half(first(*c)));
        assert_eq!(all().filter(wrong).collect::<String>(), "");
    }

    #[test]
    fn separators_count_between_words() {
        let cases: &[(&str, &str)] = &[
            ("4111\u{a0}1111\u{2013}1111\u{2014}1111\u{2011}1", "4111 1111-1111-1111-1"),
            ("sk\u{2011}ant\u{2010}x", "sk-ant-x"),
            ("a\u{ff20}b\u{ff0e}io, a\u{3002}b", "a@b.io, a.b"),
            ("\u{ff11}\u{ff0d}\u{ff11}", "1-1"),
            ("1\u{200b}\u{2013}\u{200b}1", "1-1"),
            // Prose stays.
            ("one\u{2014}two \u{2013} three\u{2026}", "one\u{2014}two \u{2013} three\u{2026}"),
            ("\u{4f60}\u{ff0c}\u{597d}\u{3002}", "\u{4f60}\u{ff0c}\u{597d}\u{3002}"),
            ("Bonjour\u{a0}!", "Bonjour\u{a0}!"),
            ("\u{3000}\u{4f60}", "\u{3000}\u{4f60}"),
        ];
        for (text, expected) in cases {
            assert_eq!(folded(text), *expected, "{text}");
        }
    }

    #[test]
    fn digits_of_every_script_are_ascii_digits() {
        let digit = regex::Regex::new(r"^\p{Nd}$").expect("a class");
        for character in all() {
            let is_digit = folded(&character.to_string()).bytes().all(|byte| byte.is_ascii_digit());
            if digit.is_match(&character.to_string()) {
                assert!(is_digit, "{character:x?}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn texts_are_as_the_naive_twin_says(
            text in "[a-eA1 \u{300}-\u{330}\u{5b0}-\u{5b9}\u{915}-\u{94d}\u{9be}\u{9c7}\u{1100}-\u{1112}\u{1161}-\u{1175}\u{11a8}-\u{11b0}\u{ac00}-\u{ac20}\u{200b}\u{ad}\u{e9}\u{ff10}-\u{ff19}\u{660}-\u{669}\u{1d400}-\u{1d420}\u{3099}\u{304b}\u{ff76}\u{ff9e}\u{3131}-\u{3163}\u{fb1d}-\u{fb4f}\u{20ac}\u{fe0f}]{0,24}",
        ) {
            prop_assert_eq!(folded(&text), naive(&text));
        }

        #[test]
        fn any_characters_are_as_the_naive_twin_says(text in proptest::collection::vec(proptest::char::any(), 0..12)) {
            let small = |c: &char| NFKC.normalize(&c.to_string()).len() <= 3 * c.len_utf8() && !is_separator(*c) && !is_pictograph(*c);
            let text: String = text.into_iter().filter(small).collect();
            prop_assert_eq!(folded(&text), naive(&text));
        }

        #[test]
        fn the_next_byte_beyond_ascii_is_where_the_naive_twin_says(text in "([ -~]{0,90}\\PC?){0,3}", from in 0_usize..80) {
            let (bytes, from) = (text.as_bytes(), from.min(text.len()));
            let naive = (from..bytes.len()).find(|at| bytes[*at] >= 0x80).unwrap_or(bytes.len());
            prop_assert_eq!(next_non_ascii(bytes, from), naive);
        }

        #[test]
        fn a_decoded_character_is_what_the_library_decodes(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..6)) {
            let expected = (1..=bytes.len().min(4)).find_map(|end| std::str::from_utf8(bytes.get(..end)?).ok()).and_then(|s| s.chars().next());
            prop_assert_eq!(decode(&bytes, 0), expected.map(|c| (c, c.len_utf8())));
        }
    }
}
