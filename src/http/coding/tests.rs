//! Every coding whole, cut everywhere, truncated, damaged and as a bomb. The coded files are made by `tests/fixtures/coding/make.py`.

use std::io::Write;

use flate2::Compression;
use flate2::GzBuilder;
use flate2::write::DeflateEncoder;
use flate2::write::GzEncoder;
use flate2::write::ZlibEncoder;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::proptest;

use super::Coding;
use super::CodingError;
use super::Decoder;
use super::Unsupported;
use crate::limits;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/coding/", $name)).to_vec()
    };
}

const BODY_MAX: usize = 32 << 20;

/// The text that `make.py` codes.
fn text(lines: u32) -> Vec<u8> {
    let line = |i: u32| format!("{{\"id\":{i},\"text\":\"line {} of {}, ä\"}}\n", i * 7919 % 1000, i * i % 97);
    (0..lines).map(line).collect::<String>().into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A gzip member with every part that a header may have.
fn gzip_of_all_parts(bytes: &[u8]) -> Vec<u8> {
    let builder = GzBuilder::new().extra(vec![7; 300]).filename("name").comment("a comment").mtime(1);
    let mut encoder = builder.write(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    let plain = encoder.finish().unwrap();
    let end = 10 + 2 + 300 + 5 + 10;
    let mut header = plain[..end].to_vec();
    header[3] |= 2;
    let mut sum = flate2::Crc::new();
    sum.update(&header);
    [&header[..], &sum.sum().to_le_bytes()[..2], &plain[end..]].concat()
}

/// Zstandard's raw and run-length blocks by hand: `(text, how often)`, each a block.
fn zstd_blocks(window: u8, blocks: &[(&[u8], u32)]) -> Vec<u8> {
    let mut out = [&super::zstd::MAGIC[..], &[0, window]].concat();
    for (at, (bytes, count)) in blocks.iter().enumerate() {
        let kind = u32::from(*count > 1);
        let size = if *count > 1 { *count } else { u32::try_from(bytes.len()).unwrap() };
        let header = u32::from(at + 1 == blocks.len()) | kind << 1 | size << 3;
        out.extend_from_slice(&header.to_le_bytes()[..3]);
        out.extend_from_slice(bytes);
    }
    out
}

/// Decodes `pieces` through an output of `room` bytes.
fn decode_pieces<'a>(
    coding: Coding,
    decoded_max: usize,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    encoded_length: usize,
    room: usize,
) -> (Vec<u8>, Result<(), CodingError>) {
    let mut decoder = Decoder::new(coding, encoded_length, decoded_max);
    let mut out = Vec::new();
    let mut slice = vec![0; room];
    for mut piece in pieces {
        loop {
            let step = match decoder.decode(piece, &mut slice) {
                Ok(step) => step,
                Err(error) => {
                    assert_eq!(decoder.decode(b"", &mut slice), Err(error), "an error is final");
                    assert_eq!(decoder.finish(), Err(error));
                    return (out, Err(error));
                }
            };
            out.extend_from_slice(&slice[..step.written]);
            assert_eq!(out.len(), decoder.produced());
            assert!(out.len() <= decoded_max);
            piece = &piece[step.read..];
            if step.is_idle() {
                assert!(piece.is_empty(), "an idle step has taken all");
                break;
            }
        }
    }
    (out, decoder.finish())
}

fn decode(coding: Coding, encoded: &[u8]) -> Result<Vec<u8>, CodingError> {
    let (out, result) = decode_pieces(coding, BODY_MAX, [encoded], encoded.len(), 64 * 1024);
    result.map(|()| out)
}

/// Short bodies of every coding, and what they decode to.
fn short_bodies() -> Vec<(&'static str, Coding, Vec<u8>, Vec<u8>)> {
    let short = text(20);
    let twice = [&short[..], &short[..]].concat();
    let stored: Vec<u8> = (0..300_u32).map(|i| (i * i * 31 % 251).to_le_bytes()[0]).collect();
    let by_hand = zstd_blocks(0, &[(b"abc", 1), (b"x", 1000), (b"", 1)]);
    vec![
        ("identity", Coding::Identity, short.clone(), short.clone()),
        ("gzip", Coding::Gzip, gzip(&short), short.clone()),
        ("gzip, empty", Coding::Gzip, gzip(b""), Vec::new()),
        ("gzip, all parts", Coding::Gzip, gzip_of_all_parts(&short), short.clone()),
        ("gzip, members", Coding::Gzip, [gzip(&short), gzip(b""), gzip_of_all_parts(&short)].concat(), twice.clone()),
        ("zlib", Coding::Deflate, zlib(&short, 6), short.clone()),
        ("zlib, stored", Coding::Deflate, zlib(&short, 0), short.clone()),
        ("brotli", Coding::Brotli, fixture!("short.br"), short.clone()),
        ("brotli, stored", Coding::Brotli, fixture!("stored.br"), stored),
        ("brotli, empty", Coding::Brotli, vec![6], Vec::new()),
        ("zstd", Coding::Zstd, fixture!("short.zst"), short.clone()),
        ("zstd, frames", Coding::Zstd, fixture!("two_frames.zst"), twice),
        ("zstd, by hand", Coding::Zstd, by_hand, [&b"abc"[..], &[b'x'; 1000]].concat()),
    ]
}

fn long_bodies() -> Vec<(&'static str, Coding, Vec<u8>)> {
    let long = text(6000);
    vec![
        ("gzip", Coding::Gzip, gzip(&long)),
        ("zlib", Coding::Deflate, zlib(&long, 1)),
        ("brotli", Coding::Brotli, fixture!("long.br")),
        ("zstd", Coding::Zstd, fixture!("long.zst")),
        ("zstd, streamed", Coding::Zstd, fixture!("streamed.zst")),
    ]
}

#[test]
fn codings_are_named_as_the_registry_names_them() {
    let cases: &[(&[&str], Result<Coding, Unsupported>)] = &[
        (&[], Ok(Coding::Identity)),
        (&["", " , "], Ok(Coding::Identity)),
        (&["identity"], Ok(Coding::Identity)),
        (&["gzip"], Ok(Coding::Gzip)),
        (&["X-GZip"], Ok(Coding::Gzip)),
        (&["deflate"], Ok(Coding::Deflate)),
        (&["br"], Ok(Coding::Brotli)),
        (&["identity", "\tzstd ,"], Ok(Coding::Zstd)),
        (&["gzip, br"], Err(Unsupported)),
        (&["gzip", "gzip"], Err(Unsupported)),
        (&["compress"], Err(Unsupported)),
        (&["gzip;q=1"], Err(Unsupported)),
        (&["dcz"], Err(Unsupported)),
    ];
    for (values, expected) in cases {
        assert_eq!(Coding::of(values.iter().map(|value| value.as_bytes())), *expected, "{values:?}");
    }
}

#[test]
fn bodies_decode_to_the_same_for_every_cut_of_input_and_output() {
    for (name, coding, encoded, expected) in short_bodies() {
        let length = encoded.len();
        for cut in 0..=length {
            let (front, back) = encoded.split_at(cut);
            let result = decode_pieces(coding, BODY_MAX, [front, back], length, 1024);
            assert_eq!(result, (expected.clone(), Ok(())), "{name} cut at {cut}");
        }
        for room in 1..=64 {
            let result = decode_pieces(coding, BODY_MAX, [&encoded[..]], length, room);
            assert_eq!(result, (expected.clone(), Ok(())), "{name} into {room}");
        }
        let each = decode_pieces(coding, BODY_MAX, encoded.chunks(1), length, 1);
        assert_eq!(each, (expected, Ok(())), "{name} byte by byte");
    }
}

#[test]
fn long_bodies_decode_to_the_same_in_pieces_of_any_size() {
    let expected = text(6000);
    for (name, coding, encoded) in long_bodies() {
        for (piece, room) in [(usize::MAX, 1 << 20), (1, 4096), (97, 333), (8191, 65536), (usize::MAX, 1)] {
            let pieces = encoded.chunks(piece.min(encoded.len()));
            let (out, result) = decode_pieces(coding, BODY_MAX, pieces, encoded.len(), room);
            assert!(result.is_ok() && out == expected, "{name} in pieces of {piece} into {room}: {result:?}");
        }
    }
}

#[test]
fn a_truncated_body_is_malformed_at_every_cut_but_between_members() {
    for (name, coding, encoded, expected) in short_bodies() {
        if coding == Coding::Identity {
            continue;
        }
        for cut in 0..encoded.len() {
            match decode(coding, &encoded[..cut]) {
                Err(error) => assert_eq!(error, CodingError::Malformed, "{name} cut at {cut}"),
                Ok(front) => assert!(
                    matches!(name, "gzip, members" | "zstd, frames") && expected.starts_with(&front) && cut > 0,
                    "{name} cut at {cut}"
                ),
            }
        }
    }
}

#[test]
fn bytes_behind_the_end_are_malformed() {
    for (name, coding, encoded, _) in short_bodies() {
        for more in [&b"\0"[..], b"\x1f", b"{}", b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08\0"] {
            let whole = [&encoded[..], more].concat();
            let expected = if coding == Coding::Identity { Ok(whole.clone()) } else { Err(CodingError::Malformed) };
            assert_eq!(decode(coding, &whole), expected, "{name}");
        }
    }
}

#[test]
fn what_the_formats_forbid_or_need_too_much_for_is_refused() {
    use Coding::Brotli;
    use Coding::Deflate;
    use Coding::Gzip;
    use Coding::Zstd;
    use CodingError::Malformed;
    use CodingError::Unsupported;
    let changed = |mut bytes: Vec<u8>, at: usize, bits: u8| {
        let at = if at < bytes.len() { at } else { bytes.len() - (usize::MAX - at) - 1 };
        bytes[at] ^= bits;
        bytes
    };
    let last = |back: usize| usize::MAX - back;
    let short = text(20);
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
    raw.write_all(&short).unwrap();
    let literals_past_the_block = [&zstd_blocks(0x58, &[])[..], &[0x2d, 0, 0, 0x1d, 0, 0x80, b'x', 0][..]].concat();
    let cases = [
        ("gzip that is zlib", Gzip, zlib(&short, 6), Malformed),
        ("zlib that is gzip", Deflate, gzip(&short), Malformed),
        ("raw deflate", Deflate, raw.finish().unwrap(), Malformed),
        ("gzip, reserved flag", Gzip, changed(gzip(&short), 3, 0x20), Malformed),
        ("gzip, method", Gzip, changed(gzip(&short), 2, 1), Malformed),
        ("gzip, checksum", Gzip, changed(gzip(&short), last(7), 1), Malformed),
        ("gzip, length", Gzip, changed(gzip(&short), last(0), 1), Malformed),
        ("gzip, header checksum", Gzip, changed(gzip_of_all_parts(&short), 5, 1), Malformed),
        ("zlib, checksum", Deflate, changed(zlib(&short, 6), last(0), 1), Malformed),
        ("zlib, dictionary", Deflate, [&[0x78, 0xbb, 0, 0, 0, 1], &zlib(&short, 6)[2..]].concat(), Malformed),
        ("brotli, window", Brotli, fixture!("window.br"), Unsupported),
        ("brotli, large window", Brotli, vec![0x11, 0x1e, 0, 0, 0], Malformed),
        ("zstd, window", Zstd, fixture!("window.zst"), Unsupported),
        ("zstd, single segment of 16 MiB", Zstd, b"\x28\xb5\x2f\xfd\xa0\0\0\0\x01\x01\0\0".to_vec(), Unsupported),
        ("zstd, dictionary", Zstd, b"\x28\xb5\x2f\xfd\x01\0\x07\x01\0\0".to_vec(), Unsupported),
        ("zstd, skippable frame", Zstd, b"\x50\x2a\x4d\x18\x01\0\0\0x".to_vec(), Unsupported),
        ("zstd, reserved bit", Zstd, b"\x28\xb5\x2f\xfd\x08\0\x01\0\0".to_vec(), Malformed),
        ("zstd, reserved block", Zstd, b"\x28\xb5\x2f\xfd\0\0\x07\0\0".to_vec(), Malformed),
        ("zstd, block above 128 KiB", Zstd, zstd_blocks(0x58, &[(b"x", (128 << 10) + 1)]), Malformed),
        ("zstd, block above the window", Zstd, zstd_blocks(0, &[(b"x", 1025)]), Malformed),
        ("zstd, checksum", Zstd, changed(fixture!("long.zst"), last(0), 1), Malformed),
        ("zstd, content size", Zstd, changed(fixture!("short.zst"), 5, 1), Malformed),
        ("zstd, literals", Zstd, literals_past_the_block, Malformed),
    ];
    for (name, coding, encoded, expected) in cases {
        assert_eq!(decode(coding, &encoded).err(), Some(expected), "{name}");
    }
    assert_eq!(decode(Zstd, b"\x28\xb5\x2f\xfd\x01\0\0\x01\0\0"), Ok(Vec::new()), "no dictionary has the number 0");
}

#[test]
fn a_bomb_stops_at_the_caps() {
    let zeros = vec![0; 32 << 20];
    let empty_members = gzip(b"").repeat(limits::CODING_FRAMES_MAX + 1);
    let empty_frames = zstd_blocks(0, &[(b"", 1)]).repeat(limits::CODING_FRAMES_MAX + 1);
    let bombs = [
        (Coding::Gzip, gzip(&zeros)),
        (Coding::Deflate, zlib(&zeros, 9)),
        (Coding::Brotli, fixture!("zeros.br")),
        (Coding::Zstd, fixture!("zeros.zst")),
        (Coding::Zstd, zstd_blocks(0x68, &[(&b"x"[..], 128 << 10); 256])),
    ];
    for (coding, bomb) in bombs {
        let by_ratio = bomb.len() * limits::CODING_RATIO_MAX + limits::CODING_RATIO_SLACK_BYTES;
        let (out, result) = decode_pieces(coding, BODY_MAX, [&bomb[..]], bomb.len(), 4096);
        assert_eq!(result, Err(CodingError::Ratio), "{coding:?}");
        // A window that is longer than what may come out is refused before it is handed out.
        assert!(out.len() <= by_ratio && (out.len() + 4096 > by_ratio || coding == Coding::Zstd));
        let (out, result) = decode_pieces(coding, 10_000, [&bomb[..]], bomb.len(), 4096);
        assert_eq!(result, Err(CodingError::TooLarge), "{coding:?}");
        assert!(out.len() <= 8192);
    }
    for (coding, bomb) in [(Coding::Gzip, empty_members), (Coding::Zstd, empty_frames)] {
        assert_eq!(decode(coding, &bomb), Err(CodingError::Malformed));
    }
}

#[test]
fn a_body_of_exactly_the_bound_passes() {
    let long = long_bodies().into_iter().map(|(name, coding, encoded)| (name, coding, encoded, text(6000)));
    for (name, coding, encoded, expected) in short_bodies().into_iter().chain(long) {
        let (out, result) = decode_pieces(coding, expected.len(), [&encoded[..]], encoded.len(), 77);
        assert_eq!((out, result), (expected.clone(), Ok(())), "{name}");
        if let Some(less) = expected.len().checked_sub(1) {
            let (_, result) = decode_pieces(coding, less, [&encoded[..]], encoded.len(), 77);
            assert_eq!(result, Err(CodingError::TooLarge), "{name}");
        }
    }
}

proptest! {
    #[test]
    fn damaged_bodies_have_one_answer_and_never_panic(
        which in any::<proptest::sample::Index>(),
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<proptest::sample::Index>(),
        room in 1_usize..2000,
    ) {
        let bodies = short_bodies();
        let (name, coding, mut encoded, _) = bodies[which.index(bodies.len())].clone();
        for (at, bits) in flips {
            let at = at.index(encoded.len());
            encoded[at] ^= bits;
        }
        let length = encoded.len();
        let (front, back) = encoded.split_at(cut.index(length));
        let (whole, first) = decode_pieces(coding, 64 * 1024, [&encoded[..]], length, 64 * 1024);
        let (pieces, second) = decode_pieces(coding, 64 * 1024, [front, back], length, room);
        // Of a body that is malformed and too large either is said first, as it is cut.
        let is_past_a_cap = |result| matches!(result, Err(CodingError::TooLarge | CodingError::Ratio));
        let is_same = first == second || is_past_a_cap(first) || is_past_a_cap(second);
        prop_assert!(is_same && first.is_ok() == second.is_ok(), "{name}: {first:?}, {second:?}");
        prop_assert!(first.is_err() || whole == pieces);
    }

    #[test]
    fn any_bytes_have_an_answer(bytes: Vec<u8>, lead in 0_usize..4) {
        for (coding, lead) in [
            (Coding::Gzip, &b"\x1f\x8b\x08\0\0\0\0\0\0\0"[..]),
            (Coding::Deflate, b"\x78\x9c"),
            (Coding::Brotli, b"\x0b"),
            (Coding::Zstd, b"\x28\xb5\x2f\xfd\0\x40\x25\x01\0"),
        ].map(|(coding, whole)| (coding, if lead == 0 { b"" } else { whole })) {
            let encoded = [lead, &bytes[..]].concat();
            let (whole, first) = decode_pieces(coding, 64 * 1024, [&encoded[..]], encoded.len(), 64 * 1024);
            let (pieces, second) = decode_pieces(coding, 64 * 1024, encoded.chunks(1), encoded.len(), 7);
            prop_assert!(first.is_ok() == second.is_ok() && (first.is_err() || whole == pieces));
        }
    }

    #[test]
    fn what_is_coded_decodes_to_itself(bytes: Vec<u8>, level in 0_u32..10) {
        prop_assert!(decode(Coding::Deflate, &zlib(&bytes, level)) == Ok(bytes.clone()));
        prop_assert!(decode(Coding::Gzip, &gzip(&bytes)) == Ok(bytes));
    }
}

/// Decodes a body of unknown length in pieces of `piece` bytes.
fn decode_endless(coding: Coding, encoded: &[u8], piece: usize) -> Result<Vec<u8>, CodingError> {
    let mut decoder = Decoder::endless(coding);
    let mut out = Vec::new();
    let mut room = [0; 4096];
    for mut piece in encoded.chunks(piece) {
        loop {
            let step = decoder.decode(piece, &mut room)?;
            if step.is_idle() {
                break;
            }
            out.extend_from_slice(&room[..step.written]);
            piece = &piece[step.read..];
        }
    }
    decoder.finish().map(|()| out)
}

#[test]
fn a_body_of_unknown_length_decodes_to_the_same() {
    for (name, coding, encoded, expected) in short_bodies() {
        for piece in [1, 7, encoded.len()] {
            assert_eq!(decode_endless(coding, &encoded, piece), Ok(expected.clone()), "{name} by {piece}");
        }
    }
    for (name, coding, encoded) in long_bodies() {
        assert_eq!(decode_endless(coding, &encoded, 1000), Ok(text(6000)), "{name}");
        assert_eq!(decode_endless(coding, &encoded[..encoded.len() - 1], 1000), Err(CodingError::Malformed), "{name}");
    }
    assert_eq!(decode_endless(Coding::Identity, b"as it is", 3), Ok(b"as it is".to_vec()));
}

#[test]
fn a_body_of_unknown_length_keeps_its_ratio_at_every_step() {
    let zeros = vec![0; 8 << 20];
    let bombs = [
        (Coding::Gzip, gzip(&zeros)),
        (Coding::Deflate, zlib(&zeros, 9)),
        (Coding::Brotli, fixture!("zeros.br")),
        (Coding::Zstd, fixture!("zeros.zst")),
    ];
    for (coding, bomb) in bombs {
        for piece in [16, bomb.len()] {
            assert_eq!(decode_endless(coding, &bomb, piece), Err(CodingError::Ratio), "{coding:?} by {piece}");
        }
    }
}
