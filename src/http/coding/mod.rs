//! `Content-Encoding`: the bodies that clients compress, decoded step by step (RFC 9110 section 8.4).
//!
//! What is inspected and forwarded is the decoded body, so a coded one must have exactly one decoding: checksums are verified,
//! bytes behind the end are refused, one coding is taken and no chain of them. A few coded bytes can stand for gigabytes, so every
//! decoder runs under three caps: bytes that come out, bytes that come out for each that went in, and the window it may hold.
//!
//! ```text
//!            ┌──────────── Decoder ────────────┐
//!  input ───►│ gzip │ inflate │ brotli │ zstd  │───► output, never more than the caller's slice
//!            └─ a bounded piece of work a step ┘
//! ```
//! A step does a bounded piece of work and returns; between two steps the caller may let others run. Nothing here does I/O.

mod brotli;
mod gzip;
mod inflate;
mod zstd;

use crate::limits;

use self::brotli::Brotli;
use self::gzip::Gzip;
use self::inflate::Deflate;
use self::zstd::Zstd;

/// How a body is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Not at all.
    Identity,
    /// `gzip` or `x-gzip`: RFC 1952, all its members.
    Gzip,
    /// `deflate`: the zlib format, RFC 1950. Raw deflate, which some send under that name, is refused.
    Deflate,
    /// `br`: RFC 7932.
    Brotli,
    /// `zstd`: RFC 8878, all its frames.
    Zstd,
}

/// A coding that is unknown here, or more than one. Status 415 (RFC 9110 section 15.5.16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsupported;

impl Coding {
    /// What the values of all `Content-Encoding` fields of a message say together (RFC 9110 section 8.4).
    ///
    /// # Errors
    /// An unknown coding, or two that are not `identity`.
    pub fn of<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, Unsupported> {
        let mut coding = Self::Identity;
        for name in values.into_iter().flat_map(|value| value.split(|&byte| byte == b',')) {
            let named = Self::named(name.trim_ascii())?;
            match (coding, named) {
                (_, Self::Identity) => {}
                (Self::Identity, _) => coding = named,
                _ => return Err(Unsupported),
            }
        }
        Ok(coding)
    }

    fn named(name: &[u8]) -> Result<Self, Unsupported> {
        let names: [(&[u8], Self); 7] = [
            (b"", Self::Identity),
            (b"identity", Self::Identity),
            (b"gzip", Self::Gzip),
            (b"x-gzip", Self::Gzip),
            (b"deflate", Self::Deflate),
            (b"br", Self::Brotli),
            (b"zstd", Self::Zstd),
        ];
        let found = names.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        found.map(|(_, coding)| *coding).ok_or(Unsupported)
    }
}

/// Why a body cannot be decoded. The client is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodingError {
    /// It breaks the format, its checksum is wrong, it ends too early, or bytes follow its end. Status 400.
    Malformed,
    /// It needs more than is given here: a window above `limits::CODING_WINDOW_BYTES_MAX`, a dictionary, a skippable frame. Status 415.
    Unsupported,
    /// It decodes to more bytes than a body may have. Status 413.
    TooLarge,
    /// It decodes to more than `limits::CODING_RATIO_MAX` times its own length. Status 413.
    Ratio,
}

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Bytes that were taken from the front of the input.
    pub read: usize,
    /// Bytes that were written to the front of the output.
    pub written: usize,
}

impl Step {
    /// Whether nothing moved: all input is taken, and nothing is held back that could come out without more of it.
    #[must_use]
    pub fn is_idle(self) -> bool {
        self == Self::default()
    }
}

/// One body being decoded.
pub struct Decoder {
    format: Format,
    /// Bytes that have come out. `produced <= produced_max` unless `failed`.
    produced: usize,
    produced_max: usize,
    /// What to say past `produced_max`.
    past_max: CodingError,
    /// Bytes that were taken, for a body whose length nobody knows: its ratio holds at every step. None: `produced_max` sees to it.
    consumed: Option<usize>,
    /// The first error; every later step repeats it.
    failed: Option<CodingError>,
}

enum Format {
    Identity,
    Gzip(Box<Gzip>),
    Deflate(Box<Deflate>),
    Brotli(Box<Brotli>),
    Zstd(Box<Zstd>),
}

impl Decoder {
    /// A decoder for one body of `encoded_length` bytes, which may decode to `decoded_max` bytes at most.
    ///
    /// It holds 43 KiB for gzip and deflate. For br and zstd it holds what it has decoded, up to the body's window, rounded up to a
    /// power of two, and while that grows half as much again; on top about 0.5 MiB of tables. No window is longer than `decoded_max` and the
    /// ratio allow, or than `limits::CODING_WINDOW_BYTES_MAX`.
    #[must_use]
    pub fn new(coding: Coding, encoded_length: usize, decoded_max: usize) -> Self {
        let by_ratio =
            encoded_length.saturating_mul(limits::CODING_RATIO_MAX).saturating_add(limits::CODING_RATIO_SLACK_BYTES);
        let by_ratio = if coding == Coding::Identity { usize::MAX } else { by_ratio };
        let produced_max = decoded_max.min(by_ratio);
        let past_max = if decoded_max <= by_ratio { CodingError::TooLarge } else { CodingError::Ratio };
        let format = match coding {
            Coding::Identity => Format::Identity,
            Coding::Gzip => Format::Gzip(Box::default()),
            Coding::Deflate => Format::Deflate(Box::default()),
            Coding::Brotli => Format::Brotli(Box::new(Brotli::new(produced_max))),
            Coding::Zstd => Format::Zstd(Box::new(Zstd::new(produced_max))),
        };
        Self { format, produced: 0, produced_max, past_max, consumed: None, failed: None }
    }

    /// A decoder for a body of unknown length, such as a stream. The ratio holds for what has come so far, at every step; how much
    /// comes out is the caller's to bound. It holds up to [`Decoder::memory_max`].
    #[must_use]
    pub fn endless(coding: Coding) -> Self {
        Self { consumed: Some(0), ..Self::new(coding, usize::MAX, usize::MAX) }
    }

    /// Bytes that an endless decoder of `coding` may hold: its window, rounded up and growing, and its tables.
    #[must_use]
    pub const fn memory_max(coding: Coding) -> usize {
        match coding {
            Coding::Identity => 0,
            Coding::Gzip | Coding::Deflate => limits::CODING_SMALL_BYTES,
            Coding::Brotli | Coding::Zstd => limits::CODING_LARGE_BYTES,
        }
    }

    /// Bytes that have come out so far.
    #[must_use]
    pub fn produced(&self) -> usize {
        self.produced
    }

    /// Takes some of `input` and writes some of what it decodes to into `output`, which must not be empty. Call it again with what
    /// was not taken until the step is idle; then give it more input, or call [`Decoder::finish`].
    ///
    /// # Errors
    /// The body is refused; what this step has written does not count.
    pub fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, CodingError> {
        debug_assert!(!output.is_empty(), "a step without room cannot move");
        if let Some(error) = self.failed {
            return Err(error);
        }
        let result = self.step(input, output);
        self.failed = result.err();
        result
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, CodingError> {
        // A block of zstd, which is the piece of work there, is best taken as it lies.
        let piece = input.get(..limits::CODING_STEP_BYTES).unwrap_or(input);
        // One byte more than may come out shows that there is more.
        let room = output.len().min(self.produced_max.saturating_sub(self.produced).saturating_add(1));
        let output = output.get_mut(..room).unwrap_or_default();
        let result = match &mut self.format {
            Format::Identity => Ok(copy(input, output)),
            Format::Gzip(gzip) => gzip.decode(piece, output),
            Format::Deflate(deflate) => deflate.decode(piece, output),
            Format::Brotli(brotli) => brotli.decode(piece, output),
            Format::Zstd(zstd) => zstd.decode(input, output),
        };
        let step = result.map_err(|error| if error == CodingError::TooLarge { self.past_max } else { error })?;
        if step.written > self.produced_max.saturating_sub(self.produced) {
            return Err(self.past_max);
        }
        self.produced = self.produced.saturating_add(step.written);
        if let Some(consumed) = &mut self.consumed {
            *consumed = consumed.saturating_add(step.read);
            let most =
                consumed.saturating_mul(limits::CODING_RATIO_MAX).saturating_add(limits::CODING_RATIO_SLACK_BYTES);
            if self.produced > most && !matches!(self.format, Format::Identity) {
                return Err(CodingError::Ratio);
            }
        }
        Ok(step)
    }

    /// Says that there is no more input. Call it after an idle step.
    ///
    /// # Errors
    /// The body ends in the middle, or has failed before.
    pub fn finish(&self) -> Result<(), CodingError> {
        let complete = match &self.format {
            Format::Identity => true,
            Format::Gzip(gzip) => gzip.is_complete(),
            Format::Deflate(deflate) => deflate.is_complete(),
            Format::Brotli(brotli) => brotli.is_complete(),
            Format::Zstd(zstd) => zstd.is_complete(),
        };
        match self.failed {
            Some(error) => Err(error),
            None if complete => Ok(()),
            None => Err(CodingError::Malformed),
        }
    }
}

fn copy(input: &[u8], output: &mut [u8]) -> Step {
    let count = input.len().min(output.len());
    if let (Some(from), Some(to)) = (input.get(..count), output.get_mut(..count)) {
        to.copy_from_slice(from);
    }
    Step { read: count, written: count }
}

#[cfg(test)]
mod tests;
