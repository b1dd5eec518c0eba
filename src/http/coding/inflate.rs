//! The deflate algorithm (RFC 1951), and the zlib format around it (RFC 1950), which is the coding `deflate`.

use flate2::Decompress;
use flate2::FlushDecompress;
use flate2::Status;

use super::CodingError;
use super::Step;

/// Runs `state` over `input`; the second value is whether the stream has ended.
pub(super) fn inflate(state: &mut Decompress, input: &[u8], output: &mut [u8]) -> Result<(Step, bool), CodingError> {
    let (read, written) = (state.total_in(), state.total_out());
    let status = state.decompress(input, output, FlushDecompress::None).map_err(|_| CodingError::Malformed)?;
    // The differences are at most the lengths of the two slices.
    let moved = |now: u64, before: u64| usize::try_from(now - before).map_err(|_| CodingError::Malformed);
    let step = Step { read: moved(state.total_in(), read)?, written: moved(state.total_out(), written)? };
    Ok((step, status == Status::StreamEnd))
}

/// The coding `deflate`.
pub(super) struct Deflate {
    state: Decompress,
    ended: bool,
}

impl Default for Deflate {
    fn default() -> Self {
        Self { state: Decompress::new(true), ended: false }
    }
}

impl Deflate {
    pub(super) fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, CodingError> {
        if self.ended {
            return if input.is_empty() { Ok(Step::default()) } else { Err(CodingError::Malformed) };
        }
        let (step, ended) = inflate(&mut self.state, input, output)?;
        self.ended = ended;
        Ok(step)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.ended
    }
}
