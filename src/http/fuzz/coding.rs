//! Properties of the decoders of content codings: one answer for every cut, never more than the caps, and what the crates' own
//! readers make of a whole body.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use flate2::read::ZlibDecoder;

use crate::http::coding::Coding;
use crate::http::coding::CodingError;
use crate::http::coding::Decoder;

use super::ways;

/// Bytes that a body may decode to: small, so that many bodies are tried.
const DECODED_MAX: usize = 128 * 1024;

/// A body: its first byte says which coding, its second how large the pieces of output are, the rest is coded.
///
/// # Panics
/// A property does not hold.
pub fn fuzz_coding(bytes: &[u8]) {
    let [which, room, encoded @ ..] = bytes else { return };
    let coding = match which % 4 {
        0 => Coding::Gzip,
        1 => Coding::Deflate,
        2 => Coding::Brotli,
        _ => Coding::Zstd,
    };
    let (expected, result) = decode(coding, &[encoded], encoded.len(), DECODED_MAX);
    for pieces in ways(encoded) {
        let (out, other) = decode(coding, &pieces, encoded.len(), usize::from(*room) * 4 + 1);
        // Of a body that is malformed and too large either is said first, as it is cut.
        let is_same = other == result || (is_past_a_cap(other) && result.is_err()) || is_past_a_cap(result);
        assert!(is_same && other.is_ok() == result.is_ok(), "{coding:?} in {} pieces: {other:?}", pieces.len());
        assert!(result.is_err() || out == expected, "{coding:?} in {} pieces", pieces.len());
    }
    if result.is_ok() {
        assert!(read_naively(coding, encoded, expected.len()) == expected, "{coding:?} read whole");
    }
}

fn is_past_a_cap(result: Result<(), CodingError>) -> bool {
    matches!(result, Err(CodingError::TooLarge | CodingError::Ratio))
}

/// What pieces decode to.
fn decode(coding: Coding, pieces: &[&[u8]], length: usize, room: usize) -> (Vec<u8>, Result<(), CodingError>) {
    let mut decoder = Decoder::new(coding, length, DECODED_MAX);
    let (mut out, mut slice) = (Vec::new(), vec![0; room]);
    for mut piece in pieces.iter().copied() {
        loop {
            let step = match decoder.decode(piece, &mut slice) {
                Ok(step) => step,
                Err(error) => return (out, Err(error)),
            };
            piece = piece.get(step.read..).unwrap_or_default();
            out.extend_from_slice(slice.get(..step.written).unwrap_or_default());
            assert!(out.len() <= DECODED_MAX && out.len() == decoder.produced());
            if step.is_idle() {
                assert!(piece.is_empty(), "a step that is idle has taken all");
                break;
            }
        }
    }
    (out, decoder.finish())
}

/// What the crates' own readers of a whole body make of it.
fn read_naively(coding: Coding, encoded: &[u8], length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length + 1);
    match coding {
        Coding::Identity => out.extend_from_slice(encoded),
        Coding::Gzip => assert!(MultiGzDecoder::new(encoded).read_to_end(&mut out).is_ok()),
        Coding::Deflate => assert!(ZlibDecoder::new(encoded).read_to_end(&mut out).is_ok()),
        Coding::Brotli => {
            assert!(brotli_decompressor::Decompressor::new(encoded, 4096).read_to_end(&mut out).is_ok());
        }
        Coding::Zstd => {
            assert!(ruzstd::decoding::FrameDecoder::new().decode_all_to_vec(encoded, &mut out).is_ok());
        }
    }
    out
}
