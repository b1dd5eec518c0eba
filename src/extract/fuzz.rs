//! What must hold for every body: driven by the target `walk` of `fuzz/`, replayed from its corpus by `cargo test`.
//!
//! The walker is judged by serde_json and by naive readers that allocate freely and share nothing with it. The gateway itself never
//! calls into this file.

use std::collections::HashSet;
use std::fmt;

use serde::de::DeserializeSeed;
use serde::de::Deserializer;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;

use crate::limits;

use super::Api;
use super::Form;
use super::Piece;
use super::Unreadable;
use super::answer::fuzz::check_channels;
use super::json::ANY;
use super::json::Walker;
use super::json::offsets;
use super::json::unescape;

/// All of them.
pub(super) const APIS: [Api; 6] = [
    Api::OpenAiChat,
    Api::OpenAiResponses,
    Api::OpenAiCompletions,
    Api::OpenAiEmbeddings,
    Api::AnthropicMessages,
    Api::Other,
];

/// The bytes as a body, and as the inside of a string.
///
/// # Panics
/// A property does not hold.
pub fn fuzz_walk(bytes: &[u8]) {
    let mut walker = Walker::default();
    let walked = walker.walk(bytes, &ANY);
    let pieces = std::mem::take(&mut walker.pieces);
    judge(bytes, walked, &pieces);
    for table in APIS.iter().flat_map(|api| [api.table(), api.answer_table(), api.event_table()]) {
        // The walker that has read something else before gives the same answer. Of two faults either may be named, since a table
        // tells early that one of its keys is there twice, and a table has fewer pieces.
        let placed = walker.walk(bytes, table);
        let may_differ = |error| matches!(error, Err(Unreadable::DuplicateKey | Unreadable::Pieces));
        assert!(placed == walked || placed.is_err() && may_differ(placed) || may_differ(walked), "{placed:?}");
        assert!(placed.is_ok() == walked.is_ok() || walked == Err(Unreadable::Pieces));
        check_places(bytes, &pieces, &walker.pieces);
    }
    if walked.is_ok() {
        check_channels(bytes);
    }
    for piece in &pieces {
        check_escapes(bytes.get(piece.range()).expect("a piece lies in the body"));
    }
    check_escapes(bytes);
}

/// Accepted is what serde_json accepts, less what is refused on purpose; then all strings, keys and long numbers are pieces.
fn judge(bytes: &[u8], walked: Result<(), Unreadable>, pieces: &[Piece]) {
    let mut read = Read::default();
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let theirs = Collect(&mut read).deserialize(&mut source).and_then(|()| source.end());
    let depth = depth(bytes);
    let fault = theirs.err().map(|error| error.to_string()).unwrap_or_default();
    match walked {
        Ok(()) if fault.is_empty() => {
            assert!(!read.has_duplicate && depth <= limits::JSON_DEPTH_MAX);
            assert_eq!(strings(bytes, pieces), read.strings);
            let is_number = |piece: &&Piece| piece.form == Form::Number;
            let ours: Vec<_> =
                pieces.iter().filter(is_number).map(Piece::range).map(|range| bytes.get(range)).collect();
            assert_eq!(ours, numbers(bytes).into_iter().map(Some).collect::<Vec<_>>());
        }
        // serde_json stops one level earlier, and has no room for some numbers.
        Ok(()) if fault.starts_with("recursion limit") => assert_eq!(depth, limits::JSON_DEPTH_MAX),
        Ok(()) => assert!(fault.starts_with("number out of range"), "serde_json refuses: {fault}"),
        Err(Unreadable::Utf8) => assert!(std::str::from_utf8(bytes).is_err()),
        Err(Unreadable::Syntax | Unreadable::Surrogate) => assert!(!fault.is_empty(), "serde_json accepts"),
        Err(Unreadable::DuplicateKey) => assert!(!fault.is_empty() || read.has_duplicate),
        Err(Unreadable::Depth) => assert!(depth > limits::JSON_DEPTH_MAX),
        Err(Unreadable::Pieces) => assert!(bytes.len() > limits::PIECES_MAX),
        Err(Unreadable::Form) => panic!("no fault of JSON"),
    }
    assert!(walked.is_err() || std::str::from_utf8(bytes).is_ok());
}

/// Keys and other strings in the order of the document, unescaped.
fn strings(bytes: &[u8], pieces: &[Piece]) -> Vec<(bool, String)> {
    let string = |piece: &Piece| {
        let mut text = Vec::new();
        let raw = bytes.get(piece.range()).expect("a piece lies in the body");
        unescape(raw, &mut text);
        assert_eq!(piece.plain, !raw.contains(&b'\\'));
        assert!(!piece.joined, "nothing is joined where there are no messages");
        (piece.form == Form::Key, String::from_utf8(text).expect("a text is UTF-8"))
    };
    pieces.iter().filter(|piece| piece.form != Form::Number).map(string).collect()
}

/// A table leaves out only its own keys, words, media and numbers beside those; what it joins is joined rightly.
fn check_places(bytes: &[u8], all: &[Piece], placed: &[Piece]) {
    if all.is_empty() {
        return;
    }
    let starts: HashSet<_> = placed.iter().map(|piece| (piece.start, piece.end)).collect();
    assert_eq!(starts.len(), placed.len(), "no piece twice");
    let known: HashSet<_> = all.iter().map(|piece| (piece.start, piece.end, piece.key_start, piece.key_end)).collect();
    for piece in placed {
        assert!(known.contains(&(piece.start, piece.end, piece.key_start, piece.key_end)), "no piece of its own");
    }
    for piece in all.iter().filter(|piece| !starts.contains(&(piece.start, piece.end))) {
        let raw = bytes.get(piece.range()).expect("a piece lies in the body");
        let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:+=;,\\".contains(byte);
        assert!(matches!(piece.form, Form::Key | Form::Number) || raw.iter().all(harmless));
    }
    for piece in placed {
        assert!(piece.channel == 0 || piece.fragment);
        assert!(!piece.fragment || !piece.joined && matches!(piece.form, Form::Text | Form::Json));
    }
    assert!(placed.first().is_none_or(|piece| !piece.joined));
    for (before, piece) in placed.iter().zip(placed.iter().skip(1)).filter(|(_, piece)| piece.joined) {
        assert!(before.end < piece.start && before.place == piece.place);
        assert_eq!((before.form, piece.form), (Form::Text, Form::Text));
    }
}

/// [`unescape`] and [`offsets`] say what a reader says that goes a character at a time.
fn check_escapes(raw: &[u8]) {
    let (expected, origins) = unescape_naively(raw);
    let mut text = b"kept".to_vec();
    unescape(raw, &mut text);
    assert_eq!(text.strip_prefix(b"kept"), Some(&expected[..]));
    let mut offsets = offsets(raw);
    for (offset, origin) in origins.iter().enumerate() {
        assert_eq!(offsets.to_raw(offset), *origin, "at {offset}");
    }
    assert_eq!(offsets.to_raw(origins.len()), raw.len());
    assert_eq!(offsets.to_raw(origins.len() + 1), raw.len());
    // Back, and in leaps.
    for (offset, origin) in origins.iter().enumerate().step_by(origins.len() / 7 + 1) {
        assert_eq!(offsets.to_raw(offset), *origin, "at {offset}");
    }
}

/// The text, and where each of its bytes comes from.
fn unescape_naively(raw: &[u8]) -> (Vec<u8>, Vec<usize>) {
    let (mut text, mut origins) = (Vec::new(), Vec::new());
    let unit = |at: usize| {
        let digits = raw.get(at..at + 6)?.strip_prefix(b"\\u")?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        let simple = |index: usize| b"\"\\/\x08\x0c\n\r\t".get(index).copied();
        let next = raw.get(at + 1).and_then(|next| b"\"\\/bfnrt".iter().position(|byte| byte == next)).and_then(simple);
        let (length, character) = match (byte, next, unit(at), unit(at + 6)) {
            (b'\\', Some(simple), _, _) => (2, vec![simple]),
            (b'\\', None, Some(high @ 0xd800..0xdc00), Some(low @ 0xdc00..0xe000)) => {
                let character = 0x1_0000 + ((u32::from(high) & 0x3ff) << 10 | u32::from(low) & 0x3ff);
                (12, char::from_u32(character).expect("a pair").to_string().into_bytes())
            }
            (b'\\', None, Some(unit), _) => {
                (6, char::from_u32(unit.into()).unwrap_or('\u{fffd}').to_string().into_bytes())
            }
            _ => (1, vec![byte]),
        };
        origins.extend(character.iter().map(|_| at));
        text.extend(character);
        at += length;
    }
    (text, origins)
}

/// How deep it gets outside of strings.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for (byte, is_string) in outside(bytes) {
        match byte {
            b'[' | b'{' if !is_string => depth += 1,
            b']' | b'}' if !is_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The numbers of nine digits and more in a document that is valid.
fn numbers(bytes: &[u8]) -> Vec<&[u8]> {
    let is_in: Vec<bool> = outside(bytes)
        .map(|(byte, is_string)| !is_string && (byte.is_ascii_digit() || b"+-.eE".contains(&byte)))
        .collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = is_in.iter().skip(at).take_while(|is_in| **is_in).count();
        let run = bytes.get(at..at + length).unwrap_or_default();
        if run.iter().filter(|byte| byte.is_ascii_digit()).count() >= 9 {
            found.push(run);
        }
        at += length + 1;
    }
    found
}

/// Each byte, and whether it is part of a string.
fn outside(bytes: &[u8]) -> impl Iterator<Item = (u8, bool)> {
    let (mut is_string, mut is_escaped) = (false, false);
    bytes.iter().map(move |&byte| {
        let was = is_string;
        if is_escaped {
            is_escaped = false;
        } else if byte == b'"' {
            is_string = !is_string;
        } else {
            is_escaped = is_string && byte == b'\\';
        }
        (byte, was || is_string)
    })
}

/// What serde_json has read: keys (true) and other strings in their order, empty ones left out.
#[derive(Default)]
struct Read {
    strings: Vec<(bool, String)>,
    has_duplicate: bool,
}

struct Collect<'a>(&'a mut Read);

impl<'de> DeserializeSeed<'de> for Collect<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Collect<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if !text.is_empty() {
            self.0.strings.push((false, text.to_owned()));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Collect(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            self.0.has_duplicate |= !keys.insert(key.clone());
            if !key.is_empty() {
                self.0.strings.push((true, key));
            }
            map.next_value_seed(Collect(self.0))?;
        }
        Ok(())
    }
}
