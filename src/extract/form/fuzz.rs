//! What must hold for every form: driven by the target `form` of `fuzz/`, replayed from its corpus by `cargo test`.

use super::FormReader;
use super::percent;

/// A form: its first byte is even for a multipart one, whose boundary is `b`, and odd for an urlencoded one.
///
/// # Panics
/// A property does not hold.
pub fn fuzz_form(bytes: &[u8]) {
    let [which, body @ ..] = bytes else { return };
    let mut reader = FormReader::default();
    if which % 2 == 0 {
        if reader.multipart(body, b"b").is_ok() {
            check_pieces(&reader, body);
            check_parts(body, &reader);
        }
    } else if reader.urlencoded(body).is_ok() {
        check_pieces(&reader, body);
        check_pairs(body, &reader);
    }
}

/// Each piece is a text, in the order of the body, and every offset of it can be found in the body again.
fn check_pieces(reader: &FormReader, body: &[u8]) {
    let (mut last, mut text) = (0, Vec::new());
    for piece in &reader.pieces {
        assert!(last <= piece.start && piece.start < piece.end && body.get(piece.key()).is_some());
        last = piece.end;
        let raw = body.get(piece.range()).unwrap_or_default();
        text.clear();
        if piece.plain {
            text.extend_from_slice(raw);
        } else {
            percent::unescape(raw, &mut text);
            let mut offsets = percent::offsets(raw);
            let mut before = 0;
            for at in 0..=text.len() {
                let now = offsets.to_raw(at);
                assert!(before <= now && now <= raw.len());
                let mut front = Vec::new();
                percent::unescape(raw.get(..now).unwrap_or_default(), &mut front);
                assert!(text.starts_with(&front) && front.len() == at, "an offset is lost");
                before = now;
                if at > 200 {
                    break;
                }
            }
        }
        assert!(std::str::from_utf8(&text).is_ok());
    }
}

/// The pairs are those of a reader that splits and decodes the whole body.
fn check_pairs(body: &[u8], reader: &FormReader) {
    let sides = body.split(|&byte| byte == b'&').flat_map(|pair| {
        let mut sides = pair.splitn(2, |&byte| byte == b'=');
        [sides.next().unwrap_or_default(), sides.next().unwrap_or_default()]
    });
    let expected: Vec<&[u8]> = sides.filter(|side| !side.is_empty()).collect();
    let found: Vec<&[u8]> = reader.pieces.iter().map(|piece| body.get(piece.range()).unwrap_or_default()).collect();
    assert!(found == expected);
}

/// A lenient receiver, which takes every line that begins with a delimiter for one and ends lines anywhere, finds as many parts.
fn check_parts(body: &[u8], reader: &FormReader) {
    let lines = body.split(|&byte| matches!(byte, b'\r' | b'\n'));
    let delimiters = lines.filter(|line| line.starts_with(b"--b")).count();
    let names = reader.pieces.iter().filter(|piece| piece.form == super::Form::Key).count();
    let empty_names = body.windows(7).filter(|window| window.eq_ignore_ascii_case(b"name=\"\"")).count();
    assert!(names < delimiters && delimiters <= names + empty_names + 1, "{names} names, {delimiters} delimiters");
}
