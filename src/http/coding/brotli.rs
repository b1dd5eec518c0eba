//! The brotli format (RFC 7932), which is the coding `br`.

use brotli_decompressor::BrotliDecompressStream;
use brotli_decompressor::BrotliResult;
use brotli_decompressor::BrotliState;
use brotli_decompressor::StandardAlloc;

use crate::limits;

use super::CodingError;
use super::Step;

/// The coding `br`.
pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    /// Bytes that may come out.
    produced_max: usize,
    begun: bool,
    ended: bool,
}

impl Brotli {
    pub(super) fn new(produced_max: usize) -> Self {
        let allocate = StandardAlloc::default;
        // Strict: the large windows of up to 1 GiB, which are no part of the RFC, are malformed.
        let state = BrotliState::new_strict(allocate(), allocate(), allocate());
        Self { state, produced_max, begun: false, ended: false }
    }

    pub(super) fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, CodingError> {
        if self.ended {
            return if input.is_empty() { Ok(Step::default()) } else { Err(CodingError::Malformed) };
        }
        let (false, Some(&first)) = (self.begun, input.first()) else { return self.run(input, output) };
        self.begun = true;
        let front = [limit_window(first, self.produced_max)?];
        self.run(&front, output)
    }

    fn run(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, CodingError> {
        let (mut available_in, mut read) = (input.len(), 0);
        let (mut available_out, mut written) = (output.len(), 0);
        let result = BrotliDecompressStream(
            &mut available_in,
            &mut read,
            input,
            &mut available_out,
            &mut written,
            output,
            &mut 0,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultFailure => return Err(CodingError::Malformed),
            BrotliResult::ResultSuccess => self.ended = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
        Ok(Step { read, written })
    }

    pub(super) fn is_complete(&self) -> bool {
        self.ended
    }
}

/// The first byte of a body, with the smallest window that is enough for `produced_max` bytes in place of a larger one.
///
/// Its low bits say how long the window is (RFC 7932 section 9.1): a one and three bits that are not zero are 2^(17 + bits) - 16
/// bytes. The decoder fills a window before anything comes out of it, and twenty bytes can fill 8 MiB. No distance in a body that
/// passes is longer than the body, so a window of that length decodes it all the same; one that is longer is refused as soon as
/// its window is full.
fn limit_window(first: u8, produced_max: usize) -> Result<u8, CodingError> {
    let bits = first >> 1 & 7;
    if first & 1 == 0 || bits == 0 {
        return Ok(first);
    }
    if 1 << (17 + bits) > limits::CODING_WINDOW_BYTES_MAX {
        return Err(CodingError::Unsupported);
    }
    let enough = (1..bits).find(|bits| (1 << (17 + bits)) - 16 >= produced_max);
    Ok(first & !0b1110 | enough.unwrap_or(bits) << 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_no_longer_than_what_may_come_out() {
        let cases = [
            // 16 bits, 17 bits, 10 to 15 bits: left alone.
            (0b0000_0010, 1, Ok(0b0000_0010)),
            (0b0000_0001, 1, Ok(0b0000_0001)),
            (0b0101_0001, 1, Ok(0b0101_0001)),
            (0b1010_1101, (1 << 23) - 16, Ok(0b1010_1101)),
            (0b1010_1101, (1 << 22) - 16, Ok(0b1010_1011)),
            (0b1010_1101, (1 << 22) - 15, Ok(0b1010_1101)),
            (0b1010_1101, 0, Ok(0b1010_0011)),
            (0b0000_0011, 0, Ok(0b0000_0011)),
            (0b0000_1111, 0, Err(CodingError::Unsupported)),
        ];
        for (first, produced_max, expected) in cases {
            assert_eq!(limit_window(first, produced_max), expected, "{first:#b} for {produced_max}");
        }
    }
}
