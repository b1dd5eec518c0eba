//! One pass over a text that says where something may begin: a bit a byte for classes of bytes and for four-byte grams.
//!
//! ```text
//!  text  c a l l   5 5 5   g h p _ x x       a bit for each byte, 64 bytes a word
//!  digit . . . . . 1 1 1 . . . . . . .
//!  gram  . . . . . . . . . 1 . . . . . .     the bytes from here on look like one of the grams
//! ```
//! Both are table look-ups by nibble: a byte belongs to class (or bucket) `k` when bit `k` is set in `low[byte & 15]` and in
//! `high[byte >> 4]`. A gram needs that at four bytes in a row, for one bucket of eight; that is a filter with false hits and no false
//! misses. The idea is Hyperscan's (Wang et al., NSDI 2019, section 5.1). What a hit means is looked up by the caller.
//!
//! The widest registers that this CPU has are found once, when a [`Classifier`] is made; the scalar twin gives the same bits.

/// Bytes that one word of a mask covers.
pub const WORD_BYTES: usize = 64;

/// Bytes of a gram.
pub const GRAM_BYTES: usize = 4;

/// What a word's mask is computed from: its own bytes, and those that a gram at its last byte reaches into.
const WINDOW_BYTES: usize = WORD_BYTES + GRAM_BYTES;

/// A bit for each of 64 bytes, the first in the lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    /// `0-9`.
    pub digit: u64,
    /// `A-Z a-z`.
    pub letter: u64,
    /// What stands inside written numbers: space `( ) - . /`.
    pub separator: u64,
    /// `.`
    pub dot: u64,
    /// `@`
    pub at: u64,
    /// Where a gram may begin.
    pub gram: u64,
}

/// Two look-ups by nibble.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Nibbles {
    low: [u8; 16],
    high: [u8; 16],
}

impl Nibbles {
    const fn empty() -> Self {
        Self { low: [0; 16], high: [0; 16] }
    }

    fn add(&mut self, bits: u8, byte: u8) {
        if let Some(low) = self.low.get_mut(usize::from(byte & 15)) {
            *low |= bits;
        }
        if let Some(high) = self.high.get_mut(usize::from(byte >> 4)) {
            *high |= bits;
        }
    }

    fn of(&self, byte: u8) -> u8 {
        let low = self.low.get(usize::from(byte & 15)).copied().unwrap_or(0);
        let high = self.high.get(usize::from(byte >> 4)).copied().unwrap_or(0);
        low & high
    }
}

const DIGIT: u8 = 1;
const SEPARATOR: u8 = 2;
const DOT: u8 = 4;
const AT: u8 = 8;
/// `A-O a-o` and `P-Z p-z`: a class is one rectangle of nibbles, and the letters are two.
const LETTER_FRONT: u8 = 16;
const LETTER_BACK: u8 = 32;

fn classes() -> Nibbles {
    let mut table = Nibbles::empty();
    (b'0'..=b'9').for_each(|byte| table.add(DIGIT, byte));
    b" ()-./".iter().for_each(|byte| table.add(SEPARATOR, *byte));
    table.add(DOT, b'.');
    table.add(AT, b'@');
    (b'A'..=b'O').chain(b'a'..=b'o').for_each(|byte| table.add(LETTER_FRONT, byte));
    (b'P'..=b'Z').chain(b'p'..=b'z').for_each(|byte| table.add(LETTER_BACK, byte));
    table
}

/// Eight buckets of grams.
#[derive(Clone, Debug, Default)]
pub struct Buckets {
    places: [Nibbles; GRAM_BYTES],
}

impl Buckets {
    /// Adds a gram to a bucket. `None` at a place: any byte. With `fold`, a letter stands for both of its cases.
    pub fn add(&mut self, bucket: usize, gram: [Option<u8>; GRAM_BYTES], fold: bool) {
        let bit = 1_u8 << (bucket % 8);
        for (place, byte) in self.places.iter_mut().zip(gram) {
            match byte {
                Some(byte) if fold => {
                    place.add(bit, byte.to_ascii_lowercase());
                    place.add(bit, byte.to_ascii_uppercase());
                }
                Some(byte) => place.add(bit, byte),
                None => {
                    place.low.iter_mut().for_each(|entry| *entry |= bit);
                    place.high.iter_mut().for_each(|entry| *entry |= bit);
                }
            }
        }
    }
}

/// Which twin runs. The wide ones exist only as answers of [`Level::detect`]: that is what makes calling them sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx512bw") && std::arch::is_x86_feature_detected!("avx512f") {
                return Self::Avx512;
            }
            if std::arch::is_x86_feature_detected!("avx2") {
                return Self::Avx2;
            }
        }
        Self::Portable
    }
}

/// The tables of one set of grams.
#[derive(Debug)]
pub struct Classifier {
    /// INVARIANT: this CPU has what the level needs.
    level: Level,
    classes: Nibbles,
    sets: Vec<Buckets>,
    /// For the portable twin, by byte: the class bits; and for each set its buckets at the four places, the first in the lowest byte.
    bytes: Box<[u8; 256]>,
    grams: Vec<[u32; 256]>,
}

impl Classifier {
    /// Takes the sets as they are filled; a word is looked up in each. The wide twin is used where it gives the bits of the scalar one
    /// on a probe: a filter that misses something would do so in silence.
    #[must_use]
    pub fn new(sets: Vec<Buckets>) -> Self {
        let wide = Self::at_level(Level::detect(), sets);
        if wide.gives_the_bits_of(&Self::portable(wide.sets.clone())) { wide } else { Self::portable(wide.sets) }
    }

    /// Whether every byte is classified as `twin` does it, at places that move through a word, and whether every gram is seen.
    fn gives_the_bits_of(&self, twin: &Self) -> bool {
        let mut probe: Vec<u8> = (0..=u8::MAX).collect();
        for set in &self.sets {
            for bucket in 0..8 {
                let byte = |place: &Nibbles| (0..=u8::MAX).find(|byte| place.of(*byte) >> bucket & 1 == 1).unwrap_or(0);
                probe.extend(set.places.each_ref().map(byte));
                probe.push(bucket);
            }
        }
        let (mut own, mut other) = ([Masks::default(); 8], [Masks::default(); 8]);
        (0..probe.len()).step_by(61).all(|skip| {
            let text = probe.get(skip..).unwrap_or_default();
            self.classify(text, &mut own);
            twin.classify(text, &mut other);
            own == other
        })
    }

    /// The same without the CPU's vectors: the twin for tests and benches.
    #[must_use]
    pub fn portable(sets: Vec<Buckets>) -> Self {
        Self::at_level(Level::Portable, sets)
    }

    fn at_level(level: Level, sets: Vec<Buckets>) -> Self {
        let classes = classes();
        let bytes = Box::new(std::array::from_fn(|byte| classes.of(u8::try_from(byte).unwrap_or(0))));
        let packed = |set: &Buckets, byte: usize| {
            u32::from_le_bytes(set.places.each_ref().map(|place| place.of(u8::try_from(byte).unwrap_or(0))))
        };
        let grams = sets.iter().map(|set| std::array::from_fn(|byte| packed(set, byte))).collect();
        Self { level, classes, sets, bytes, grams }
    }

    /// Fills a mask for each word of `text`, as many as `out` takes; what lies behind the text has no bits. A gram may begin at the
    /// last bytes of a word only where `text` goes on, so hand over all that is left of it.
    #[inline]
    pub fn classify(&self, text: &[u8], out: &mut [Masks]) {
        match self.level {
            Level::Portable => each_word(text, out, |window, _, masks| self.word_portable(window, masks)),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the level says that this CPU has AVX2 (invariant of `level`).
            #[expect(unsafe_code, reason = "the CPU has the feature")]
            Level::Avx2 => unsafe { wide::classify_avx2(text, out, &self.classes, &self.sets) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the level says that this CPU has AVX-512 F and BW (invariant of `level`).
            #[expect(unsafe_code, reason = "the CPU has the feature")]
            Level::Avx512 => unsafe { wide::classify_avx512(text, out, &self.classes, &self.sets) },
        }
    }

    fn word_portable(&self, window: &[u8; WINDOW_BYTES], masks: &mut Masks) {
        let (eights, _) = window.as_chunks::<8>();
        for (place, eight) in eights.iter().take(WORD_BYTES / 8).enumerate() {
            let classes = u64::from_le_bytes(eight.map(|byte| self.bytes.get(usize::from(byte)).copied().unwrap_or(0)));
            let at = place * 8;
            masks.digit |= bit_of_each(classes) << at;
            masks.separator |= bit_of_each(classes >> 1) << at;
            masks.dot |= bit_of_each(classes >> 2) << at;
            masks.at |= bit_of_each(classes >> 3) << at;
            masks.letter |= bit_of_each(classes >> 4 | classes >> 5) << at;
        }
        for set in &self.grams {
            // Shift-And (Baeza-Yates and Gonnet 1992) with eight buckets a step: byte `k` holds the buckets that have seen the first
            // `k + 1` bytes of a gram.
            let mut seen = 0_u32;
            let mut ended = 0_u64;
            for (place, byte) in window.iter().take(WORD_BYTES + GRAM_BYTES - 1).enumerate() {
                seen = (seen << 8 | 0xFF) & set.get(usize::from(*byte)).copied().unwrap_or(0);
                let begun = place.wrapping_sub(GRAM_BYTES - 1);
                if begun < WORD_BYTES {
                    ended |= u64::from(seen >> 24 != 0) << begun;
                }
            }
            masks.gram |= ended;
        }
    }
}

/// Hands each word's bytes to `word`, with the number of them that are the text's, and the masks to be filled.
#[inline(always)]
fn each_word(text: &[u8], out: &mut [Masks], word: impl Fn(&[u8; WINDOW_BYTES], usize, &mut Masks)) {
    let mut rest = text;
    for masks in out {
        *masks = Masks::default();
        if let Some(window) = rest.first_chunk() {
            word(window, WINDOW_BYTES, masks);
        } else if !rest.is_empty() {
            let mut window = [0; WINDOW_BYTES];
            if let Some(front) = window.get_mut(..rest.len()) {
                front.copy_from_slice(rest);
            }
            word(&window, rest.len(), masks);
            // A gram of three bytes and any fourth may seem to begin in what is no text.
            if rest.len() < WORD_BYTES {
                masks.gram &= (1_u64 << rest.len()) - 1;
            }
        }
        rest = rest.get(WORD_BYTES..).unwrap_or_default();
    }
}

/// The lowest bit of each of eight bytes, the first in the lowest.
fn bit_of_each(bytes: u64) -> u64 {
    (bytes & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// The twins for x86-64.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "loads from arrays of known size into registers")]
mod wide {
    use std::arch::x86_64::__m256i;
    use std::arch::x86_64::__m512i;
    use std::arch::x86_64::_mm_loadu_si128;
    use std::arch::x86_64::_mm256_and_si256;
    use std::arch::x86_64::_mm256_broadcastsi128_si256;
    use std::arch::x86_64::_mm256_cmpeq_epi8;
    use std::arch::x86_64::_mm256_loadu_si256;
    use std::arch::x86_64::_mm256_movemask_epi8;
    use std::arch::x86_64::_mm256_set1_epi8;
    use std::arch::x86_64::_mm256_setzero_si256;
    use std::arch::x86_64::_mm256_shuffle_epi8;
    use std::arch::x86_64::_mm256_slli_epi16;
    use std::arch::x86_64::_mm256_srli_epi16;
    use std::arch::x86_64::_mm512_and_si512;
    use std::arch::x86_64::_mm512_broadcast_i32x4;
    use std::arch::x86_64::_mm512_loadu_si512;
    use std::arch::x86_64::_mm512_set1_epi8;
    use std::arch::x86_64::_mm512_shuffle_epi8;
    use std::arch::x86_64::_mm512_srli_epi16;
    use std::arch::x86_64::_mm512_test_epi8_mask;

    use super::AT;
    use super::Buckets;
    use super::DIGIT;
    use super::DOT;
    use super::LETTER_BACK;
    use super::LETTER_FRONT;
    use super::Masks;
    use super::Nibbles;
    use super::SEPARATOR;
    use super::WINDOW_BYTES;
    use super::each_word;

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load_256(window: &[u8; WINDOW_BYTES], from: usize) -> __m256i {
        debug_assert!(from + 32 <= WINDOW_BYTES);
        // SAFETY: every caller passes `from <= 36`, so 32 bytes from there lie in the array; the load is unaligned.
        unsafe { _mm256_loadu_si256(window.as_ptr().add(from).cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn table_256(table: &[u8; 16]) -> __m256i {
        // SAFETY: the array has the 16 bytes that are loaded; the load is unaligned.
        _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(table.as_ptr().cast()) })
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn look_256(table: &Nibbles, bytes: __m256i) -> __m256i {
        let nibble = _mm256_set1_epi8(15);
        let low = _mm256_shuffle_epi8(table_256(&table.low), _mm256_and_si256(bytes, nibble));
        let high = _mm256_shuffle_epi8(table_256(&table.high), _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble));
        _mm256_and_si256(low, high)
    }

    /// The bytes that are zero, a bit each.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn zero_256(bytes: __m256i) -> u64 {
        let equal = _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256()));
        u64::from(equal.cast_unsigned())
    }

    /// Bit `7 - LEFT` of each byte.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn bit_256<const LEFT: i32>(bytes: __m256i) -> u64 {
        u64::from(_mm256_movemask_epi8(_mm256_slli_epi16::<LEFT>(bytes)).cast_unsigned())
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn classify_avx2(text: &[u8], out: &mut [Masks], classes: &Nibbles, sets: &[Buckets]) {
        each_word(text, out, |window, len, masks| {
            half_avx2(window, 0, classes, sets, masks);
            // Short texts end in the first half: nothing stands in the second.
            if len > 32 {
                half_avx2(window, 32, classes, sets, masks);
            }
        });
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn half_avx2(window: &[u8; WINDOW_BYTES], half: usize, classes: &Nibbles, sets: &[Buckets], masks: &mut Masks) {
        let class = look_256(classes, load_256(window, half));
        masks.digit |= bit_256::<7>(class) << half;
        masks.separator |= bit_256::<6>(class) << half;
        masks.dot |= bit_256::<5>(class) << half;
        masks.at |= bit_256::<4>(class) << half;
        masks.letter |= (bit_256::<3>(class) | bit_256::<2>(class)) << half;
        for set in sets {
            let [first, second, third, fourth] = &set.places;
            let front =
                _mm256_and_si256(look_256(first, load_256(window, half)), look_256(second, load_256(window, half + 1)));
            let back = _mm256_and_si256(
                look_256(third, load_256(window, half + 2)),
                look_256(fourth, load_256(window, half + 3)),
            );
            masks.gram |= (zero_256(_mm256_and_si256(front, back)) ^ 0xFFFF_FFFF) << half;
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn load_512(window: &[u8; WINDOW_BYTES], from: usize) -> __m512i {
        debug_assert!(from + 64 <= WINDOW_BYTES);
        // SAFETY: every caller passes `from <= 4`, so 64 bytes from there lie in the array; the load is unaligned.
        unsafe { _mm512_loadu_si512(window.as_ptr().add(from).cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn table_512(table: &[u8; 16]) -> __m512i {
        // SAFETY: the array has the 16 bytes that are loaded; the load is unaligned.
        _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(table.as_ptr().cast()) })
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn look_512(table: &Nibbles, bytes: __m512i) -> __m512i {
        let nibble = _mm512_set1_epi8(15);
        let low = _mm512_shuffle_epi8(table_512(&table.low), _mm512_and_si512(bytes, nibble));
        let high = _mm512_shuffle_epi8(table_512(&table.high), _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), nibble));
        _mm512_and_si512(low, high)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn any_512(bytes: __m512i, bits: u8) -> u64 {
        _mm512_test_epi8_mask(bytes, _mm512_set1_epi8(bits.cast_signed()))
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn classify_avx512(text: &[u8], out: &mut [Masks], classes: &Nibbles, sets: &[Buckets]) {
        each_word(text, out, |window, _, masks| word_avx512(window, classes, sets, masks));
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn word_avx512(window: &[u8; WINDOW_BYTES], classes: &Nibbles, sets: &[Buckets], masks: &mut Masks) {
        let class = look_512(classes, load_512(window, 0));
        masks.digit = any_512(class, DIGIT);
        masks.letter = any_512(class, LETTER_FRONT | LETTER_BACK);
        masks.separator = any_512(class, SEPARATOR);
        masks.dot = any_512(class, DOT);
        masks.at = any_512(class, AT);
        for set in sets {
            let [first, second, third, fourth] = &set.places;
            let front = _mm512_and_si512(look_512(first, load_512(window, 0)), look_512(second, load_512(window, 1)));
            let back = _mm512_and_si512(look_512(third, load_512(window, 2)), look_512(fourth, load_512(window, 3)));
            masks.gram |= any_512(_mm512_and_si512(front, back), u8::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One byte at a time, without tables.
    fn naive(text: &[u8], words: usize) -> Vec<Masks> {
        let mut out = vec![Masks::default(); words];
        for (at, byte) in text.iter().enumerate().take(words * WORD_BYTES) {
            let (masks, bit) = (&mut out[at / WORD_BYTES], 1_u64 << (at % WORD_BYTES));
            masks.digit |= if byte.is_ascii_digit() { bit } else { 0 };
            masks.letter |= if byte.is_ascii_alphabetic() { bit } else { 0 };
            masks.separator |= if b" ()-./".contains(byte) { bit } else { 0 };
            masks.dot |= if *byte == b'.' { bit } else { 0 };
            masks.at |= if *byte == b'@' { bit } else { 0 };
        }
        out
    }

    /// Which bytes a bucket takes at each place: the product of the nibbles that were put into it.
    fn naive_gram(text: &[u8], sets: &[Buckets], at: usize) -> bool {
        let byte = |place: usize| text.get(at + place).copied().unwrap_or(0);
        sets.iter().any(|set| {
            (0..8).any(|bucket| (0..GRAM_BYTES).all(|place| set.places[place].of(byte(place)) >> bucket & 1 == 1))
        })
    }

    fn sets() -> Vec<Buckets> {
        let mut sets = vec![Buckets::default(), Buckets::default()];
        for (index, gram) in
            [*b"ghp_", *b"eyJh", *b"AKIA", *b"----", *b"T3Bl", [0xE5, 0xAF, 0x86, 0xE7]].iter().enumerate()
        {
            sets[index % 2].add(index, gram.map(Some), index % 3 == 0);
        }
        sets[1].add(7, [Some(b's'), Some(b'k'), Some(b'-'), None], false);
        sets
    }

    fn check(text: &[u8], words: usize) {
        let mut expected = naive(text, words);
        let sets = sets();
        for at in 0..text.len().min(words * WORD_BYTES) {
            expected[at / WORD_BYTES].gram |= u64::from(naive_gram(text, &sets, at)) << (at % WORD_BYTES);
        }
        for classifier in [Classifier::portable(sets.clone()), Classifier::new(sets.clone())] {
            let mut out = vec![Masks { digit: 1, ..Masks::default() }; words];
            classifier.classify(text, &mut out);
            assert_eq!(out, expected, "{:?} {text:?}", classifier.level);
        }
    }

    #[test]
    fn every_byte_at_every_place_of_a_word() {
        for byte in 0..=u8::MAX {
            check(&[byte; 70], 2);
            for place in 0..WORD_BYTES + 6 {
                let mut text = [b'~'; WORD_BYTES + 6];
                text[place] = byte;
                check(&text, 2);
            }
        }
    }

    #[test]
    fn a_gram_is_found_at_every_place_of_every_length() {
        for len in 4..150 {
            for at in 0..=len - 4 {
                let mut text = vec![b'.'; len];
                text[at..at + 4].copy_from_slice(b"ghp_");
                check(&text, 3);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn twins_agree(
            text in prop::collection::vec(
                prop_oneof![any::<u8>(), prop::sample::select(b"ghp_eyJAKI-T3Bl09 .@()/sk".to_vec())], 0..200),
            skip in 0_usize..64,
        ) {
            check(text.get(skip..).unwrap_or(&text), 4);
        }
    }
}
