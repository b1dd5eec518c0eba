//! The Zstandard format (RFC 8878): frames one behind the other, each a header and blocks of at most 128 KiB.
//!
//! The decoder of frames takes whole blocks, so a block that is cut is held until its rest is there. The header is read here
//! first: what it asks for in memory is refused before anything is allocated.
//!
//! ```text
//!  Header ─► Block ─► Block … ─► last Block with the checksum ─► all drained: checksum, length ─► Header of the next frame, or the end
//! ```

use std::io::Read;

use ruzstd::decoding::BlockDecodingStrategy;
use ruzstd::decoding::FrameDecoder;

use crate::limits;

use super::CodingError;
use super::Step;

/// `Magic_Number` of a frame.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Bytes of a block at most, decoded or not (RFC 8878 section 3.1.1.2.4).
const BLOCK_BYTES_MAX: usize = 128 * 1024;
/// Bytes that say how long a frame header is: the magic number and the descriptor.
const FRAME_LEAD: usize = 5;
/// The bit of the descriptor that says that a checksum ends the frame.
const SUM: u8 = 4;
/// Bytes of a block header.
const BLOCK_LEAD: usize = 3;

/// What is awaited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A frame header.
    Header,
    /// A block, with the checksum behind the last one.
    Block,
    /// The last block is decoded; its bytes are still to be drained.
    Rest,
}

/// The coding `zstd`.
pub(super) struct Zstd {
    frame: FrameDecoder,
    /// Bytes that may come out.
    produced_max: usize,
    /// Whether the frame's window is cut: what does not fit in it is more than may come out.
    is_cut: bool,
    part: Part,
    /// The front of a header or block that is not yet whole; at most a block and seven bytes.
    held: Vec<u8>,
    /// Whether this frame ends in a checksum.
    has_sum: bool,
    /// What this frame's header says that it decodes to, bytes.
    declared: Option<u64>,
    /// What this frame has decoded to, bytes.
    drained: u64,
    /// Frames that are complete.
    frames: usize,
}

impl Zstd {
    pub(super) fn new(produced_max: usize) -> Self {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(limits::CODING_WINDOW_BYTES_MAX);
        Self {
            frame,
            produced_max,
            is_cut: false,
            part: Part::Header,
            held: Vec::new(),
            has_sum: false,
            declared: None,
            drained: 0,
            frames: 0,
        }
    }

    /// Decodes one block at most: a few bytes may stand for 128 KiB that stay in the window.
    pub(super) fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, CodingError> {
        let mut step = Step::default();
        let mut block_done = false;
        loop {
            step.written += self.drain(output.get_mut(step.written..).unwrap_or_default())?;
            if step.written == output.len() {
                return Ok(step);
            }
            if self.part == Part::Rest {
                self.close()?;
            }
            let rest = input.get(step.read..).unwrap_or_default();
            if rest.is_empty() || block_done {
                return Ok(step);
            }
            let (read, was_block) = self.take(rest)?;
            step.read += read;
            block_done = was_block;
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.part == Part::Header && self.held.is_empty() && self.frames > 0
    }

    /// Moves out what the window need no longer hold. What stands in the decoder before a block is never more than the window, so
    /// that how the caller cuts input and output makes no difference to which distances a block may use.
    fn drain(&mut self, output: &mut [u8]) -> Result<usize, CodingError> {
        let count = self.frame.read(output).map_err(|_| CodingError::Malformed)?;
        self.drained += count as u64;
        Ok(count)
    }

    /// Takes bytes of a header or a block; where that makes it whole, decodes it. Says how many, and whether a block was decoded.
    fn take(&mut self, input: &[u8]) -> Result<(usize, bool), CodingError> {
        if self.held.is_empty()
            && let Some(unit) = self.length_of_unit(input)?.and_then(|length| input.get(..length))
        {
            return Ok((unit.len(), self.run(unit)?));
        }
        let lead = if self.part == Part::Header { FRAME_LEAD } else { BLOCK_LEAD };
        let wanted = self.length_of_unit(&self.held)?.unwrap_or(lead) - self.held.len();
        let taken = input.get(..wanted).unwrap_or(input);
        self.held.extend_from_slice(taken);
        if self.length_of_unit(&self.held)? != Some(self.held.len()) {
            return Ok((taken.len(), false));
        }
        let unit = std::mem::take(&mut self.held);
        let was_block = self.run(&unit)?;
        self.held = unit;
        self.held.clear();
        Ok((taken.len(), was_block))
    }

    /// How long the header or block that begins here is; `None`: it takes more bytes to say.
    fn length_of_unit(&self, bytes: &[u8]) -> Result<Option<usize>, CodingError> {
        if self.part == Part::Header {
            let Some(lead) = bytes.first_chunk::<FRAME_LEAD>() else { return Ok(None) };
            return Descriptor::of(*lead).map(|descriptor| Some(descriptor.header_length()));
        }
        let Some(&[low, middle, high]) = bytes.first_chunk::<BLOCK_LEAD>() else { return Ok(None) };
        let header = u32::from_le_bytes([low, middle, high, 0]);
        let size = (header >> 3) as usize;
        // Block_Type: raw, run-length (one byte stands for `size`), compressed, reserved.
        let length = match header >> 1 & 3 {
            1 => 1,
            0 | 2 => size,
            _ => return Err(CodingError::Malformed),
        };
        if size > BLOCK_BYTES_MAX {
            return Err(CodingError::Malformed);
        }
        let sum = if header & 1 == 1 && self.has_sum { 4 } else { 0 };
        Ok(Some(BLOCK_LEAD + length + sum))
    }

    /// Decodes a whole header or block; says whether it was a block.
    fn run(&mut self, unit: &[u8]) -> Result<bool, CodingError> {
        if self.part == Part::Header {
            return self.open(unit).map(|()| false);
        }
        check_literals(unit)?;
        let blocks = BlockDecodingStrategy::UptoBlocks(1);
        let result = self.frame.decode_blocks(unit, blocks);
        if let Ok(true) = result {
            self.part = Part::Rest;
        } else if self.is_cut && self.frame.can_collect() > 0 {
            return Err(CodingError::TooLarge);
        }
        result.map(|_| true).map_err(|_| CodingError::Malformed)
    }

    /// Begins a frame.
    fn open(&mut self, header: &[u8]) -> Result<(), CodingError> {
        let lead = header.first_chunk().ok_or(CodingError::Malformed)?;
        let descriptor = Descriptor::of(*lead)?;
        let rest = header.get(FRAME_LEAD..).unwrap_or_default();
        let (window, rest) = rest.split_at_checked(descriptor.window_bytes()).ok_or(CodingError::Malformed)?;
        let (dictionary, size) = rest.split_at_checked(descriptor.dictionary_bytes()).ok_or(CodingError::Malformed)?;
        if self.frames >= limits::CODING_FRAMES_MAX {
            return Err(CodingError::Malformed);
        }
        // 256 is added to a size of two bytes (RFC 8878 section 3.1.1.1.4).
        let base = if size.len() == 2 { 256 } else { 0 };
        self.declared = (!size.is_empty()).then(|| little_endian(size) + base);
        // In a single segment the window is the content (section 3.1.1.1.2).
        let window = match window.first() {
            Some(byte) => window_of(*byte),
            None => self.declared.unwrap_or(0),
        };
        if window > limits::CODING_WINDOW_BYTES_MAX || little_endian(dictionary) != 0 {
            return Err(CodingError::Unsupported);
        }
        self.has_sum = descriptor.has_sum();
        self.drained = 0;
        self.part = Part::Block;
        // The frame decoder reads a header of ours: no dictionary, no size, a window that is no longer than what may come out. It
        // fills a window before anything comes out of it, and a few bytes can fill 8 MiB. No distance in a body that passes is
        // longer than the body.
        let limit = self.produced_max.max(BLOCK_BYTES_MAX) as u64;
        self.is_cut = limit < window;
        let enough =
            (0..=u8::MAX).find(|byte| window_of(*byte) >= window.min(limit)).ok_or(CodingError::Unsupported)?;
        let [first, second, third, fourth] = MAGIC;
        let header = [first, second, third, fourth, descriptor.0 & SUM, enough];
        self.frame.reset(&header[..]).map_err(|_| CodingError::Malformed)
    }

    /// Ends a frame: its checksum and its length must be those of what came out.
    fn close(&mut self) -> Result<(), CodingError> {
        let sum_is_right = !self.has_sum || self.frame.get_checksum_from_data() == self.frame.get_calculated_checksum();
        let length_is_right = self.declared.is_none_or(|declared| declared == self.drained);
        if !(sum_is_right && length_is_right) {
            return Err(CodingError::Malformed);
        }
        self.frames += 1;
        self.part = Part::Header;
        Ok(())
    }
}

/// The literals of a block are no longer than a block may be (RFC 8878 section 3.1.1.3.1.1). The decoder of frames would take 1 MiB
/// of them, from eight bytes.
fn check_literals(block: &[u8]) -> Result<(), CodingError> {
    let Some(&[header, _, _, first, second, third]) = block.first_chunk() else { return Ok(()) };
    let is_compressed = header >> 1 & 3 == 2;
    // Size_Format 3: the only one with a size that can be too large, of 20 bits, or of 18 where the literals are compressed.
    if !is_compressed || first & 0b1100 != 0b1100 {
        return Ok(());
    }
    let third = if first & 0b10 == 0 { third } else { third & 0x3f };
    let size = u32::from_le_bytes([first, second, third, 0]) >> 4;
    if size as usize > BLOCK_BYTES_MAX { Err(CodingError::Malformed) } else { Ok(()) }
}

/// `Frame_Header_Descriptor` (RFC 8878 section 3.1.1.1.1).
#[derive(Clone, Copy)]
struct Descriptor(u8);

impl Descriptor {
    /// Reads the front of a frame.
    fn of(lead: [u8; FRAME_LEAD]) -> Result<Self, CodingError> {
        let [first, second, third, fourth, descriptor] = lead;
        match [first, second, third, fourth] {
            // The reserved bit must be zero.
            MAGIC if descriptor & 8 == 0 => Ok(Self(descriptor)),
            // A skippable frame (section 3.1.2): bytes that mean nothing, or something to somebody else.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Err(CodingError::Unsupported),
            _ => Err(CodingError::Malformed),
        }
    }

    fn header_length(self) -> usize {
        FRAME_LEAD + self.window_bytes() + self.dictionary_bytes() + self.size_bytes()
    }

    fn is_single_segment(self) -> bool {
        self.0 & 0x20 != 0
    }

    fn has_sum(self) -> bool {
        self.0 & SUM != 0
    }

    fn window_bytes(self) -> usize {
        usize::from(!self.is_single_segment())
    }

    fn dictionary_bytes(self) -> usize {
        match self.0 & 3 {
            3 => 4,
            bytes => usize::from(bytes),
        }
    }

    fn size_bytes(self) -> usize {
        match self.0 >> 6 {
            0 => usize::from(self.is_single_segment()),
            log => 1 << log,
        }
    }
}

/// `Window_Descriptor`: exponent and mantissa (RFC 8878 section 3.1.1.1.2).
fn window_of(byte: u8) -> u64 {
    (1 << (10 + (byte >> 3))) / 8 * (8 + u64::from(byte & 7))
}

/// A number of at most eight bytes.
fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
