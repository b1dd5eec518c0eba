//! Where a run of plain bytes in a JSON string ends: the first quote, backslash or control byte (RFC 8259 section 7).
//!
//! Strings are most of a body, so the walker spends its time here. The first 16 bytes are looked at in place, since most strings
//! are short; a longer run goes to AVX2 where the CPU has it, asked for at run time. It never reads outside the slice, and never
//! says whether a string is valid. AVX-512 is left out: on the CPU where both were measured it was slower here than AVX2.

/// Bytes below this are control characters, which a string must escape.
const CONTROL_END: u8 = 0x20;

/// Where the first `"`, `\` or control byte at or behind `from` stands; the length of `bytes` where there is none.
#[must_use]
#[inline(always)]
pub fn string_end(bytes: &[u8], from: usize) -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        x86::string_end(bytes, from)
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        by_words(bytes, from)
    }
}

/// What [`string_end`] says, a byte at a time.
#[must_use]
pub fn string_end_scalar(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.iter().position(|&byte| is_end(byte)).map_or(bytes.len(), |at| from + at)
}

const fn is_end(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\') || byte < CONTROL_END
}

/// Eight bytes at a time in a `u64`.
fn by_words(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let ends = ends_of_word(u64::from_le_bytes(*word));
        if ends != 0 {
            return at + (ends.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    string_end_scalar(bytes, at)
}

/// The high bit of each byte that ends a run. Those above the lowest such byte may be set wrongly (a borrow), the lowest is right.
const fn ends_of_word(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let is_quote = quote.wrapping_sub(ONES) & !quote;
    let is_backslash = backslash.wrapping_sub(ONES) & !backslash;
    let is_control = word.wrapping_sub(ONES * CONTROL_END as u64) & !word;
    (is_quote | is_backslash | is_control) & HIGH
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "loads of vectors from a slice, and a call of a function for a CPU that was asked for")]
mod x86 {
    use std::arch::x86_64::__m128i;
    use std::arch::x86_64::__m256i;
    use std::arch::x86_64::_mm_cmpeq_epi8;
    use std::arch::x86_64::_mm_loadu_si128;
    use std::arch::x86_64::_mm_min_epu8;
    use std::arch::x86_64::_mm_movemask_epi8;
    use std::arch::x86_64::_mm_or_si128;
    use std::arch::x86_64::_mm_set1_epi8;
    use std::arch::x86_64::_mm256_cmpeq_epi8;
    use std::arch::x86_64::_mm256_loadu_si256;
    use std::arch::x86_64::_mm256_min_epu8;
    use std::arch::x86_64::_mm256_movemask_epi8;
    use std::arch::x86_64::_mm256_or_si256;
    use std::arch::x86_64::_mm256_set1_epi8;

    const QUOTE: i8 = b'"'.cast_signed();
    const BACKSLASH: i8 = b'\\'.cast_signed();
    const CONTROL_LAST: i8 = (super::CONTROL_END - 1).cast_signed();

    #[inline(always)]
    pub(super) fn string_end(bytes: &[u8], from: usize) -> usize {
        let Some(first) = bytes.get(from..).and_then(<[u8]>::first_chunk) else {
            return super::by_words(bytes, from);
        };
        let ends = ends16(first);
        if ends != 0 {
            return from + ends.trailing_zeros() as usize;
        }
        long(bytes, from + 16)
    }

    /// The rest of a run of which 16 bytes are done.
    #[inline(never)]
    fn long(bytes: &[u8], from: usize) -> usize {
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the CPU has AVX2, as was just asked.
            return unsafe { avx2(bytes, from) };
        }
        sse2(bytes, from)
    }

    pub(super) fn sse2(bytes: &[u8], from: usize) -> usize {
        let mut at = from;
        while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            let ends = ends16(block);
            if ends != 0 {
                return at + ends.trailing_zeros() as usize;
            }
            at += 16;
        }
        super::by_words(bytes, at)
    }

    /// A bit for each byte that ends a run.
    #[inline]
    fn ends16(block: &[u8; 16]) -> u32 {
        // SAFETY: SSE2 is part of x86-64; 16 bytes can be read at the address of an array of 16, at any alignment.
        unsafe {
            let block = _mm_loadu_si128(block.as_ptr().cast::<__m128i>());
            let is_quote = _mm_cmpeq_epi8(block, _mm_set1_epi8(QUOTE));
            let is_backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8(BACKSLASH));
            let is_control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(CONTROL_LAST)), block);
            let ends = _mm_or_si128(_mm_or_si128(is_quote, is_backslash), is_control);
            _mm_movemask_epi8(ends).cast_unsigned()
        }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn avx2(bytes: &[u8], from: usize) -> usize {
        let mut at = from;
        while let Some([low, high]) = bytes.get(at..).and_then(two_blocks) {
            let (low, high) = (ends32(low), ends32(high));
            let either = _mm256_movemask_epi8(_mm256_or_si256(low, high));
            if either != 0 {
                let low = u64::from(_mm256_movemask_epi8(low).cast_unsigned());
                let high = u64::from(_mm256_movemask_epi8(high).cast_unsigned());
                return at + (low | high << 32).trailing_zeros() as usize;
            }
            at += 64;
        }
        sse2(bytes, at)
    }

    #[inline]
    fn two_blocks(bytes: &[u8]) -> Option<[&[u8; 32]; 2]> {
        let (low, rest) = bytes.split_first_chunk()?;
        Some([low, rest.first_chunk()?])
    }

    /// All bits of each byte that ends a run.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn ends32(block: &[u8; 32]) -> __m256i {
        // SAFETY: 32 bytes can be read at the address of an array of 32, at any alignment.
        let block = unsafe { _mm256_loadu_si256(block.as_ptr().cast::<__m256i>()) };
        let is_quote = _mm256_cmpeq_epi8(block, _mm256_set1_epi8(QUOTE));
        let is_backslash = _mm256_cmpeq_epi8(block, _mm256_set1_epi8(BACKSLASH));
        let is_control = _mm256_cmpeq_epi8(_mm256_min_epu8(block, _mm256_set1_epi8(CONTROL_LAST)), block);
        _mm256_or_si256(_mm256_or_si256(is_quote, is_backslash), is_control)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every way that this CPU has.
    fn all(bytes: &[u8], from: usize) -> Vec<usize> {
        let mut found = vec![string_end(bytes, from), by_words(bytes, from)];
        #[cfg(target_arch = "x86_64")]
        {
            found.push(x86::sse2(bytes, from));
            if is_x86_feature_detected!("avx2") {
                #[expect(unsafe_code, reason = "the one call of a function for a CPU that was asked for")]
                // SAFETY: the CPU has AVX2, as was just asked.
                found.push(unsafe { x86::avx2(bytes, from) });
            }
        }
        found
    }

    fn agree(bytes: &[u8], from: usize) {
        let expected = string_end_scalar(bytes, from);
        for (way, found) in all(bytes, from).into_iter().enumerate() {
            assert_eq!(found, expected, "way {way}, from {from} of {}", bytes.len());
        }
    }

    #[test]
    fn every_byte_at_every_place_of_every_length() {
        for length in 0..200 {
            for from in [0, 1, 7, length / 2, length] {
                agree(&vec![b'a'; length], from.min(length));
            }
        }
        let mut bytes = [b'a'; 150];
        for byte in 0..=u8::MAX {
            for at in [0, 1, 7, 8, 15, 16, 17, 31, 32, 47, 48, 63, 64, 79, 80, 81, 112, 143, 144, 149] {
                bytes[at] = byte;
                agree(&bytes, 0);
                agree(&bytes, at);
                agree(&bytes[..=at], 0);
                bytes[at] = b'a';
            }
        }
    }

    #[test]
    fn behind_the_end_there_is_nothing() {
        assert_eq!(string_end(b"", 0), 0);
        assert_eq!(string_end(b"abc", 3), 3);
    }

    proptest! {
        #[test]
        fn all_ways_agree(bytes in prop::collection::vec(any::<u8>(), 0..300), from in 0_usize..300) {
            agree(&bytes, from.min(bytes.len()));
        }

        #[test]
        fn all_ways_agree_on_text(text in "[a-z\\x80-\\xff]{0,200}[\"\\\\\\x00-\\x21\\x7f]{0,3}[a-z]{0,100}", from in 0_usize..8) {
            agree(text.as_bytes(), from.min(text.len()));
        }
    }
}
