//! The brotli format (RFC 7932), which is the coding `br`.

use brotli_decompressor::BrotliDecompressStream;
use brotli_decompressor::BrotliResult;
use brotli_decompressor::BrotliState;
use brotli_decompressor::StandardAlloc;

use super::CodingError;
use super::Step;

/// The coding `br`.
pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    begun: bool,
    ended: bool,
}

impl Default for Brotli {
    fn default() -> Self {
        let allocate = StandardAlloc::default;
        // Strict: the large windows of up to 1 GiB, which are no part of the RFC, are malformed.
        Self { state: BrotliState::new_strict(allocate(), allocate(), allocate()), begun: false, ended: false }
    }
}

impl Brotli {
    pub(super) fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, CodingError> {
        if self.ended {
            return if input.is_empty() { Ok(Step::default()) } else { Err(CodingError::Malformed) };
        }
        if let (false, Some(first)) = (self.begun, input.first()) {
            check_window(*first)?;
            self.begun = true;
        }
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

/// The low bits of the first byte say how long the window is (RFC 7932 section 9.1): four ones are 2^24 - 16 bytes, the only value
/// above `limits::CODING_WINDOW_BYTES_MAX`.
fn check_window(first: u8) -> Result<(), CodingError> {
    if first & 0b1111 == 0b1111 { Err(CodingError::Unsupported) } else { Ok(()) }
}
