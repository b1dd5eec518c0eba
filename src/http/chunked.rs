//! The chunked transfer coding, decoded and encoded anew (RFC 9112 section 7.1).
//!
//! Every byte of the framing is checked: sizes are bounded, lines end in exactly CRLF, extensions and trailers are parsed
//! by their grammar and dropped. Whatever this decoder accepts, the encoder writes in one canonical form, so that nothing
//! that hides in an extension or a trailer crosses the gateway. It copies nothing: it says where the data stands.
//!
//! ```text
//!  Size ─► (Blank ─►) Extension… ─► SizeFeed ─► Data ─► DataReturn ─► DataFeed ─► Size
//!                                      └─ size 0 ─► TrailerStart ─► Trailer… ─┘ ─► EndFeed ─► Done
//! ```

use std::ops::Range;

use crate::limits;

use super::Malformed;
use super::head::is_token_byte;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Hexadecimal digits of the size.
    Size,
    /// White space after the size or an extension: only `;` may follow.
    Blank,
    /// After `;`, before the first byte of the name.
    NameStart,
    Name,
    /// White space after the name: `;` or `=` may follow.
    NameBlank,
    /// After `=`.
    ValueStart,
    Value,
    Quoted,
    QuotedPair,
    /// Behind a closing quote.
    QuotedEnd,
    /// The LF of the size line.
    SizeFeed,
    Data,
    DataReturn,
    DataFeed,
    /// First byte of a trailer line, or the CR of the end.
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerFeed,
    EndFeed,
    Done,
}

/// What one call of [`Decoder::decode`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Bytes of the input that are done with, `data` included.
    pub consumed: usize,
    /// Where the data stands in the input; empty if there is none.
    pub data: Range<usize>,
}

/// Decodes one chunked body that comes in pieces.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    /// Bytes of data left in this chunk; while `Size`: the size so far.
    remaining: u64,
    /// Digits of this size so far.
    digits: usize,
    /// Bytes of this size line or of the trailers so far.
    line: usize,
    /// Bytes of extensions so far, less those of data.
    extensions: u64,
}

impl Default for Decoder {
    fn default() -> Self {
        let extensions = limits::CHUNK_EXTENSION_BYTES_SLACK;
        Self { state: State::Size, remaining: 0, digits: 0, line: 0, extensions }
    }
}

impl Decoder {
    /// Whether the last chunk and the trailers have been read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Reads framing until data or the end of the input; gives at most one run of data. Call again with the rest until
    /// `consumed` is zero (more input is needed) or [`Decoder::is_done`].
    ///
    /// # Errors
    /// [`Malformed::Chunk`], [`Malformed::ChunkTooLarge`] or [`Malformed::Trailer`]; the body has no end that can be trusted then.
    pub fn decode(&mut self, input: &[u8]) -> Result<Decoded, Malformed> {
        let mut at = 0;
        while self.state != State::Done {
            if self.state == State::Data {
                return Ok(self.take_data(input, at));
            }
            let Some(&byte) = input.get(at) else { break };
            self.state = self.step(byte)?;
            at += 1;
        }
        Ok(Decoded { consumed: at, data: at..at })
    }

    fn take_data(&mut self, input: &[u8], at: usize) -> Decoded {
        let available = input.len() - at;
        let length = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(available);
        self.remaining -= length as u64;
        self.extensions = self.extensions.saturating_add(length as u64);
        if self.remaining == 0 {
            self.state = State::DataReturn;
        }
        Decoded { consumed: at + length, data: at..at + length }
    }

    fn step(&mut self, byte: u8) -> Result<State, Malformed> {
        match self.state {
            State::Size => self.size(byte),
            State::Blank | State::NameStart | State::Name | State::NameBlank | State::ValueStart | State::Value => {
                self.extension(byte)
            }
            State::Quoted | State::QuotedPair | State::QuotedEnd => self.extension(byte),
            State::SizeFeed => self.size_feed(byte),
            State::DataReturn if byte == b'\r' => Ok(State::DataFeed),
            State::DataFeed if byte == b'\n' => Ok(State::Size),
            State::TrailerStart | State::TrailerName | State::TrailerValue | State::TrailerFeed => self.trailer(byte),
            State::EndFeed if byte == b'\n' => Ok(State::Done),
            State::EndFeed => Err(Malformed::Trailer),
            State::Data | State::Done | State::DataReturn | State::DataFeed => Err(Malformed::Chunk),
        }
    }

    fn size(&mut self, byte: u8) -> Result<State, Malformed> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ if self.digits == 0 => return Err(Malformed::Chunk),
            b'\r' => return Ok(State::SizeFeed),
            b';' => return Ok(State::NameStart),
            b' ' | b'\t' => return Ok(State::Blank),
            _ => return Err(Malformed::Chunk),
        };
        self.digits += 1;
        if self.digits > limits::CHUNK_SIZE_DIGITS_MAX {
            return Err(Malformed::ChunkTooLarge);
        }
        self.remaining = self.remaining << 4 | u64::from(digit);
        Ok(State::Size)
    }

    /// `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`, RFC 9112 section 7.1.1.
    fn extension(&mut self, byte: u8) -> Result<State, Malformed> {
        self.line += 1;
        self.extensions = self.extensions.checked_sub(1).ok_or(Malformed::ChunkTooLarge)?;
        if self.line > limits::CHUNK_LINE_BYTES_MAX {
            return Err(Malformed::ChunkTooLarge);
        }
        let blank = matches!(byte, b' ' | b'\t');
        Ok(match (self.state, byte) {
            (State::Blank | State::NameStart | State::NameBlank | State::ValueStart, _) if blank => self.state,
            (State::Name, _) if blank => State::NameBlank,
            (State::Value | State::QuotedEnd, _) if blank => State::Blank,
            (State::NameStart | State::Name, _) if is_token_byte(byte) => State::Name,
            (State::ValueStart | State::Value, _) if is_token_byte(byte) => State::Value,
            (State::ValueStart, b'"') => State::Quoted,
            (State::Name | State::NameBlank, b'=') => State::ValueStart,
            (State::Blank | State::Name | State::NameBlank | State::Value | State::QuotedEnd, b';') => State::NameStart,
            (State::Name | State::Value | State::QuotedEnd, b'\r') => State::SizeFeed,
            (State::Quoted, b'"') => State::QuotedEnd,
            (State::Quoted, b'\\') => State::QuotedPair,
            (State::Quoted | State::QuotedPair, b'\t' | b' '..=b'~' | 0x80..) => State::Quoted,
            _ => return Err(Malformed::Chunk),
        })
    }

    fn size_feed(&mut self, byte: u8) -> Result<State, Malformed> {
        if byte != b'\n' {
            return Err(Malformed::Chunk);
        }
        self.digits = 0;
        self.line = 0;
        Ok(if self.remaining == 0 { State::TrailerStart } else { State::Data })
    }

    fn trailer(&mut self, byte: u8) -> Result<State, Malformed> {
        self.line += 1;
        if self.line > limits::TRAILER_BYTES_MAX {
            return Err(Malformed::ChunkTooLarge);
        }
        Ok(match (self.state, byte) {
            (State::TrailerStart, b'\r') => State::EndFeed,
            (State::TrailerStart | State::TrailerName, _) if is_token_byte(byte) => State::TrailerName,
            (State::TrailerName, b':') => State::TrailerValue,
            (State::TrailerValue, b'\r') => State::TrailerFeed,
            (State::TrailerValue, b'\t' | b' '..=b'~' | 0x80..) => State::TrailerValue,
            (State::TrailerFeed, b'\n') => State::TrailerStart,
            _ => return Err(Malformed::Trailer),
        })
    }
}

/// Writes `data` as one chunk. Empty data writes nothing: an empty chunk would end the body.
pub fn encode(data: &[u8], out: &mut Vec<u8>) {
    if data.is_empty() {
        return;
    }
    encode_size(data.len(), out);
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// The last chunk and an empty trailer section.
pub const END: &[u8] = b"0\r\n\r\n";

fn encode_size(size: usize, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut started = false;
    for shift in (0..usize::BITS / 4).rev() {
        let digit = size >> (4 * shift) & 15;
        started = started || digit != 0;
        if started {
            out.push(DIGITS.get(digit).copied().unwrap_or(b'0'));
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Decodes everything that `input` holds, for tests and fuzzing: the data, the bytes consumed, and whether the body ended.
///
/// # Errors
/// As [`Decoder::decode`].
pub fn decode_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<(Vec<u8>, usize, bool), Malformed> {
    let mut decoder = Decoder::default();
    let (mut data, mut consumed, mut pending) = (Vec::new(), 0, Vec::new());
    for piece in pieces {
        pending.extend_from_slice(piece);
        loop {
            let decoded = decoder.decode(&pending)?;
            data.extend_from_slice(pending.get(decoded.data).unwrap_or_default());
            consumed += decoded.consumed;
            pending.drain(..decoded.consumed);
            if decoded.consumed == 0 || decoder.is_done() {
                break;
            }
        }
    }
    Ok((data, consumed, decoder.is_done()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: &[(&str, Result<&str, Malformed>)] = &[
        ("5\r\nhello\r\n0\r\n\r\n", Ok("hello")),
        ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", Ok("hello world")),
        ("0\r\n\r\n", Ok("")),
        ("A\r\n0123456789\r\n0\r\n\r\n", Ok("0123456789")),
        ("00005\r\nhello\r\n000\r\n\r\n", Ok("hello")),
        ("5;a\r\nhello\r\n0;b=c\r\n\r\n", Ok("hello")),
        ("5 ; a = \"q;\\\"\r\nhello\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("5 ; a = \"q;\\\"\" ; b\r\nhello\r\n0\r\n\r\n", Ok("hello")),
        ("5\r\nhello\r\n0\r\nTrailer: x\r\nContent-Length: 9\r\n\r\n", Ok("hello")),
        ("0\r\nEmpty:\r\n\r\n", Ok("")),
        ("5\nhello\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("5\r\nhello\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("5\r\nhello!\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("5\r\nhello\r\r0\r\n\r\n", Err(Malformed::Chunk)),
        ("5 \r\nhello\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        (" 5\r\nhello\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("+5\r\nhello\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("-5\r\nhello\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("0x5\r\nhello\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("5_0\r\nhello\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("\r\nhello\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("g\r\nhello\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("5;\r\nhello\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("5;a=\r\nhello\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("5;a\nhello\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("5;a=\"b\nc\"\r\nhello\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("5;a\rb\r\nhello\r\n0\r\n\r\n", Err(Malformed::Chunk)),
        ("1000000000000000\r\n", Err(Malformed::ChunkTooLarge)),
        ("ffffffffffffffffff\r\n", Err(Malformed::ChunkTooLarge)),
        ("0\r\nno colon\r\n\r\n", Err(Malformed::Trailer)),
        ("0\r\nname : x\r\n\r\n", Err(Malformed::Trailer)),
        ("0\r\n folded: x\r\n\r\n", Err(Malformed::Trailer)),
        ("0\r\na: b\nc: d\r\n\r\n", Err(Malformed::Trailer)),
        ("0\r\na: \0\r\n\r\n", Err(Malformed::Trailer)),
        ("0\r\n\rX", Err(Malformed::Trailer)),
        ("0\r\n\n", Err(Malformed::Trailer)),
    ];

    #[test]
    fn bodies_decode_to_the_same_for_every_split() {
        for (text, expected) in CASES {
            let bytes = text.as_bytes();
            let expected = expected.map(|data| (data.as_bytes().to_vec(), bytes.len(), true));
            assert_eq!(decode_pieces([bytes]), expected, "{text:?}");
            for split in 0..=bytes.len() {
                assert_eq!(decode_pieces([&bytes[..split], &bytes[split..]]), expected, "{text:?} split at {split}");
            }
            assert_eq!(decode_pieces(bytes.chunks(1)), expected, "{text:?} byte by byte");
        }
    }

    #[test]
    fn what_follows_the_body_is_left() {
        let text = b"3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1";
        assert_eq!(decode_pieces([&text[..]]), Ok((b"abc".to_vec(), text.len() - 14, true)));
    }

    #[test]
    fn encoded_bodies_decode_to_themselves() {
        for size in [0, 1, 15, 16, 17, 255, 256, 4095, 4096, 70_000] {
            let data = vec![b'x'; size];
            let mut wire = Vec::new();
            encode(&data, &mut wire);
            wire.extend_from_slice(END);
            assert_eq!(decode_pieces([&wire[..]]), Ok((data, wire.len(), true)));
        }
    }

    #[test]
    fn extensions_and_trailers_are_bounded() {
        let long = format!("1;{}\r\n", "a".repeat(limits::CHUNK_LINE_BYTES_MAX));
        assert_eq!(decode_pieces([long.as_bytes()]), Err(Malformed::ChunkTooLarge));
        let many = format!("1;{}\r\nx\r\n", "a".repeat(500)).repeat(40);
        assert_eq!(decode_pieces([many.as_bytes()]), Err(Malformed::ChunkTooLarge));
        let trailers = format!("0\r\n{}", "a: b\r\n".repeat(limits::TRAILER_BYTES_MAX / 6 + 1));
        assert_eq!(decode_pieces([trailers.as_bytes()]), Err(Malformed::ChunkTooLarge));
    }
}
