//! Lanes of eight bytes that are all of the alphabets of base64 and base64url: where a run of encoded text may be.
//!
//! Nearly every lane of a prompt has a space or a sign in it, so this is read once for every byte of it and must cost next to nothing. With AVX2,
//! asked for at run time, a byte is looked up by its two nibbles; without, the compiler does 16 bytes at a time. It never reads outside
//! the slice.

/// Bytes of a lane.
pub const LANE_BYTES: usize = 8;

/// Bytes that are looked at together.
#[cfg(any(test, target_arch = "x86_64"))]
const BLOCK_BYTES: usize = 64;

/// Where the first lane of the alphabet begins, in `bytes` from `from` on, lanes being counted off from there.
#[must_use]
#[inline]
pub fn full_lane(bytes: &[u8], from: usize) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        #[expect(unsafe_code, reason = "a call of a function for a CPU that was asked for")]
        // SAFETY: the CPU has AVX2, as was just asked.
        return unsafe { x86::full_lane(bytes, from) };
    }
    full_lane_portable(bytes, from)
}

/// What [`full_lane`] says, without the CPU's vectors: its twin.
#[must_use]
pub fn full_lane_portable(bytes: &[u8], from: usize) -> Option<usize> {
    let (lanes, _) = bytes.get(from..)?.as_chunks::<LANE_BYTES>();
    let is_full = |lane: &[u8; LANE_BYTES]| u64::from_ne_bytes(lane.map(member)) == u64::MAX;
    lanes.iter().position(is_full).map(|lane| from + lane * LANE_BYTES)
}

/// The last bytes, fewer than a block, with what is of no alphabet behind them.
#[cfg(target_arch = "x86_64")]
#[inline]
fn padded(rest: &[u8]) -> [u8; BLOCK_BYTES] {
    let mut block = [0; BLOCK_BYTES];
    if let Some(front) = block.get_mut(..rest.len()) {
        front.copy_from_slice(rest);
    }
    block
}

/// All bits for a byte of the alphabet, none for another. Without branches and tables, so that it can be done to many at once.
#[must_use]
#[inline]
pub fn member(byte: u8) -> u8 {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    if letter | digit | (byte == b'+') | (byte == b'/') | (byte == b'-') | (byte == b'_') { u8::MAX } else { 0 }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "loads of vectors from a slice")]
mod x86 {
    use std::arch::x86_64::__m256i;
    use std::arch::x86_64::_mm256_and_si256;
    use std::arch::x86_64::_mm256_castsi256_pd;
    use std::arch::x86_64::_mm256_cmpeq_epi8;
    use std::arch::x86_64::_mm256_cmpeq_epi64;
    use std::arch::x86_64::_mm256_loadu_si256;
    use std::arch::x86_64::_mm256_movemask_pd;
    use std::arch::x86_64::_mm256_set1_epi8;
    use std::arch::x86_64::_mm256_setr_epi8;
    use std::arch::x86_64::_mm256_setzero_si256;
    use std::arch::x86_64::_mm256_shuffle_epi8;
    use std::arch::x86_64::_mm256_srli_epi16;

    use super::BLOCK_BYTES;
    use super::LANE_BYTES;
    use super::padded;

    // A byte is a member where its nibbles share a bit: 1 for `+ - /`, 2 for digits, 4 and 8 for the letters of both cases, in two
    // rectangles of nibbles, 16 for `_`.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn low_table() -> __m256i {
        _mm256_setr_epi8(
            10, 14, 14, 14, 14, 14, 14, 14, 14, 14, 12, 5, 4, 5, 4, 21, 10, 14, 14, 14, 14, 14, 14, 14, 14, 14, 12, 5,
            4, 5, 4, 21,
        )
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn high_table() -> __m256i {
        _mm256_setr_epi8(
            0, 0, 1, 2, 4, 24, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 24, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0,
        )
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn full_lane(bytes: &[u8], from: usize) -> Option<usize> {
        let (low, high) = (low_table(), high_table());
        let (blocks, rest) = bytes.get(from..)?.as_chunks::<BLOCK_BYTES>();
        let mut at = from;
        for block in blocks {
            let lanes = lanes_of_block(block, low, high);
            if lanes != 0 {
                return Some(at + lanes.trailing_zeros() as usize * LANE_BYTES);
            }
            at += BLOCK_BYTES;
        }
        let lanes = if rest.is_empty() { 0 } else { lanes_of_block(&padded(rest), low, high) };
        (lanes != 0).then(|| at + lanes.trailing_zeros() as usize * LANE_BYTES)
    }

    /// A bit for each lane of a block.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn lanes_of_block(block: &[u8; BLOCK_BYTES], low: __m256i, high: __m256i) -> u32 {
        let (halves, _) = block.as_chunks::<32>();
        halves.iter().rev().fold(0, |lanes_behind, half| lanes_behind << 4 | lanes(half, low, high))
    }

    /// A bit for each of four lanes that is all of the alphabet.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn lanes(block: &[u8; 32], low: __m256i, high: __m256i) -> u32 {
        // SAFETY: 32 bytes can be read at the address of an array of 32, at any alignment.
        let block = unsafe { _mm256_loadu_si256(block.as_ptr().cast::<__m256i>()) };
        let nibble = _mm256_set1_epi8(15);
        let low = _mm256_shuffle_epi8(low, _mm256_and_si256(block, nibble));
        let high = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16::<4>(block), nibble));
        let none = _mm256_setzero_si256();
        let others = _mm256_cmpeq_epi8(_mm256_and_si256(low, high), none);
        _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(others, none))).cast_unsigned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_byte_at_every_place_of_a_block() {
        for byte in 0..=u8::MAX {
            for place in 0..BLOCK_BYTES {
                let mut bytes = [b'.'; BLOCK_BYTES];
                let lane = place / LANE_BYTES * LANE_BYTES;
                bytes[lane..lane + LANE_BYTES].fill(b'a');
                bytes[place] = byte;
                let expected = (member(byte) != 0).then_some(lane);
                assert_eq!(full_lane(&bytes, 0), expected, "{byte} at {place}");
                assert_eq!(full_lane_portable(&bytes, 0), expected, "{byte} at {place}");
            }
        }
    }

    #[test]
    fn members_are_the_letters_digits_and_signs_of_both_alphabets() {
        for byte in 0..=u8::MAX {
            assert_eq!(member(byte) == u8::MAX, byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte), "{byte}");
        }
    }

    proptest! {
        #[test]
        fn twins_agree(text in "([a-zA-Z0-9+/_-]{0,12}[ .@\\PC]{0,2}){0,30}", from in 0_usize..20) {
            let (bytes, from) = (text.as_bytes(), from.min(text.len()));
            prop_assert_eq!(full_lane(bytes, from), full_lane_portable(bytes, from));
        }
    }
}
