//! The gzip format (RFC 1952): members one behind the other, each a header, a deflate stream, a checksum and a length.
//!
//! ```text
//!  Fixed ─► ExtraLength ─► Extra ─► Name ─► Comment ─► HeaderSum ─► Data ─► Trailer ─► Fixed of the next member, or the end
//!        (each of the five in the middle only where a flag says so)
//! ```

use flate2::Crc;
use flate2::Decompress;

use crate::limits;

use super::CodingError;
use super::Step;
use super::inflate::inflate;

const HEADER_SUM: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
/// Bits of the flags that a reader must refuse (RFC 1952 section 2.3.1.2).
const RESERVED: u8 = 0b1110_0000;

/// What is awaited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The ten bytes that every header has.
    Fixed,
    /// The length of the extra field.
    ExtraLength,
    /// As many bytes of the extra field.
    Extra(usize),
    /// A file name, up to a NUL.
    Name,
    /// A comment, up to a NUL.
    Comment,
    /// The header's own checksum.
    HeaderSum,
    /// The deflate stream.
    Data,
    /// The checksum and the length of what it decodes to.
    Trailer,
}

/// The coding `gzip`.
pub(super) struct Gzip {
    part: Part,
    /// The flags of this member's header.
    flags: u8,
    /// The front of a part of fixed length that is not yet whole. `held_count < held.len()`.
    held: [u8; 10],
    held_count: usize,
    header_sum: Crc,
    data_sum: Crc,
    data: Decompress,
    /// Members that are complete.
    members: usize,
}

impl Default for Gzip {
    fn default() -> Self {
        Self {
            part: Part::Fixed,
            flags: 0,
            held: [0; 10],
            held_count: 0,
            header_sum: Crc::new(),
            data_sum: Crc::new(),
            data: Decompress::new(false),
            members: 0,
        }
    }
}

impl Gzip {
    pub(super) fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, CodingError> {
        let mut step = Step::default();
        loop {
            let rest = input.get(step.read..).unwrap_or_default();
            if self.part == Part::Data {
                let room = output.get_mut(step.written..).unwrap_or_default();
                if room.is_empty() {
                    return Ok(step);
                }
                let (moved, ended) = inflate(&mut self.data, rest, room)?;
                self.data_sum.update(room.get(..moved.written).unwrap_or_default());
                step.read += moved.read;
                step.written += moved.written;
                if ended {
                    self.part = Part::Trailer;
                } else if moved.is_idle() {
                    return Ok(step);
                }
            } else if rest.is_empty() {
                return Ok(step);
            } else {
                step.read += self.read_around(rest)?;
            }
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.part == Part::Fixed && self.held_count == 0 && self.members > 0
    }

    /// Takes bytes of a header or a trailer.
    fn read_around(&mut self, input: &[u8]) -> Result<usize, CodingError> {
        match self.part {
            Part::Fixed => self.gather::<10>(input, Self::open),
            Part::ExtraLength => self.gather::<2>(input, |gzip, bytes| {
                gzip.header_sum.update(&bytes);
                gzip.part = Part::Extra(usize::from(u16::from_le_bytes(bytes)));
                Ok(())
            }),
            Part::Extra(0) => {
                self.part = self.part_behind(EXTRA);
                Ok(0)
            }
            Part::Extra(left) => {
                let taken = input.get(..left).unwrap_or(input);
                self.header_sum.update(taken);
                self.part = Part::Extra(left - taken.len());
                Ok(taken.len())
            }
            Part::Name => Ok(self.skip_text(input, NAME)),
            Part::Comment => Ok(self.skip_text(input, COMMENT)),
            Part::HeaderSum => self.gather::<2>(input, |gzip, bytes| {
                let [low, high, ..] = gzip.header_sum.sum().to_le_bytes();
                gzip.part = Part::Data;
                if bytes == [low, high] { Ok(()) } else { Err(CodingError::Malformed) }
            }),
            Part::Trailer => self.gather::<8>(input, Self::close),
            Part::Data => Ok(0),
        }
    }

    /// Collects a part of `LENGTH` bytes, however it is cut, and hands it to `then`.
    fn gather<const LENGTH: usize>(
        &mut self,
        input: &[u8],
        then: impl FnOnce(&mut Self, [u8; LENGTH]) -> Result<(), CodingError>,
    ) -> Result<usize, CodingError> {
        let slots = self.held.get_mut(self.held_count..LENGTH).unwrap_or_default();
        let count = slots.len().min(input.len());
        for (slot, byte) in slots.iter_mut().zip(input) {
            *slot = *byte;
        }
        self.held_count += count;
        if self.held_count == LENGTH {
            self.held_count = 0;
            let whole = self.held.first_chunk().copied().ok_or(CodingError::Malformed)?;
            then(self, whole)?;
        }
        Ok(count)
    }

    /// Begins a member.
    fn open(&mut self, header: [u8; 10]) -> Result<(), CodingError> {
        let [0x1f, 0x8b, 8, flags, ..] = header else { return Err(CodingError::Malformed) };
        if flags & RESERVED != 0 || self.members >= limits::CODING_FRAMES_MAX {
            return Err(CodingError::Malformed);
        }
        if self.members > 0 {
            self.data.reset(false);
        }
        self.flags = flags;
        self.header_sum = Crc::new();
        self.header_sum.update(&header);
        self.data_sum = Crc::new();
        self.part = self.part_behind(0);
        Ok(())
    }

    /// The part behind the one that the flag stands for: its flags are in the order of the parts, but for the last.
    fn part_behind(&self, flag: u8) -> Part {
        let follows = |next: u8| flag < next && self.flags & next != 0;
        if follows(EXTRA) {
            Part::ExtraLength
        } else if follows(NAME) {
            Part::Name
        } else if follows(COMMENT) {
            Part::Comment
        } else if self.flags & HEADER_SUM != 0 {
            Part::HeaderSum
        } else {
            Part::Data
        }
    }

    /// Skips a text up to its NUL.
    fn skip_text(&mut self, input: &[u8], flag: u8) -> usize {
        let end = memchr::memchr(0, input);
        let taken = input.get(..end.map_or(input.len(), |at| at + 1)).unwrap_or(input);
        self.header_sum.update(taken);
        if end.is_some() {
            self.part = self.part_behind(flag);
        }
        taken.len()
    }

    /// Ends a member: its checksum and its length modulo 2^32 must be those of what came out.
    fn close(&mut self, trailer: [u8; 8]) -> Result<(), CodingError> {
        let sum = self.data_sum.sum().to_le_bytes();
        let length = self.data_sum.amount().to_le_bytes();
        if trailer.first_chunk() != Some(&sum) || trailer.last_chunk() != Some(&length) {
            return Err(CodingError::Malformed);
        }
        self.members += 1;
        self.part = Part::Fixed;
        Ok(())
    }
}
