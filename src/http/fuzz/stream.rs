//! Properties of the splitters of streams: no byte lost or doubled, the events of a naive reader for every cut, and none late.

use std::ops::Range;

use crate::http::lines;
use crate::http::lines::Form;
use crate::http::sse;
use crate::http::sse::Event;

use super::ways;

/// Bytes of an input that is cut at every place, which takes time that grows with the square.
const EVERY_CUT_BYTES_MAX: usize = 200;

/// Bytes of an input for the naive reader of texts, which looks back at every line end.
const LOOKED_BACK_BYTES_MAX: usize = 2048;

/// What an event says, and where in the whole stream it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    end: usize,
    name: Vec<u8>,
    data: Vec<u8>,
    lines: u32,
}

/// The bytes as server-sent events.
///
/// # Panics
/// A property does not hold.
pub fn fuzz_sse(bytes: &[u8]) {
    let expected = events_naively(bytes);
    for pieces in ways(bytes) {
        assert_eq!(events(&pieces), expected, "in {} pieces", pieces.len());
    }
    let (said, rest) = &expected;
    assert_eq!(rest.as_ref().or(said.last()).map_or(0, |last| last.end), bytes.len(), "a byte was lost");
    if bytes.len() <= EVERY_CUT_BYTES_MAX {
        for cut in 0..=bytes.len() {
            let (front, back) = bytes.split_at(cut);
            assert_eq!(events(&[front]).0, events_naively(front).0, "an event is late");
            assert_eq!(events(&[front, back]), expected, "cut at {cut}");
        }
    }
}

/// The events of a stream in these pieces, and what is left.
fn events(pieces: &[&[u8]]) -> (Vec<Said>, Option<Said>) {
    let mut splitter = sse::Splitter::default();
    let (events, buffer, at) = drive(pieces, |bytes| splitter.next(bytes).ok().flatten());
    let rest = splitter.rest(&buffer).map(|event| said(&buffer, at, &event));
    (events, rest)
}

/// The bytes as JSON lines and as a JSON text sequence.
///
/// # Panics
/// A property does not hold.
pub fn fuzz_lines(bytes: &[u8]) {
    let bytes = bytes.get(..LOOKED_BACK_BYTES_MAX).unwrap_or(bytes);
    for form in [Form::Lines, Form::Sequence] {
        let expected = texts_naively(form, bytes);
        assert_eq!(expected.last().map_or(0, |last| last.end), bytes.len(), "{form:?}: a byte was lost");
        for pieces in ways(bytes) {
            assert_eq!(texts(form, &pieces), expected, "{form:?} in {} pieces", pieces.len());
        }
        if bytes.len() <= EVERY_CUT_BYTES_MAX {
            for cut in 0..=bytes.len() {
                let (front, back) = bytes.split_at(cut);
                assert_eq!(texts(form, &[front, back]), expected, "{form:?} cut at {cut}");
            }
        }
    }
}

/// The texts of a stream in these pieces, with what is left.
fn texts(form: Form, pieces: &[&[u8]]) -> Vec<Said> {
    let mut splitter = lines::Splitter::new(form);
    let (mut texts, buffer, at) = drive(pieces, |bytes| splitter.next(bytes).ok().flatten());
    texts.extend(splitter.rest(&buffer).map(|event| said(&buffer, at, &event)));
    texts
}

/// The events of a stream in these pieces, what is left of it, and where that begins. An LF that came behind the CR of its line end
/// is put back to the event before.
fn drive(pieces: &[&[u8]], mut next: impl FnMut(&[u8]) -> Option<Event>) -> (Vec<Said>, Vec<u8>, usize) {
    let (mut events, mut buffer, mut at) = (Vec::<Said>::new(), Vec::new(), 0);
    let mut after_return = false;
    for piece in pieces {
        buffer.extend_from_slice(piece);
        while let Some(event) = next(&buffer) {
            let mut said = said(&buffer, at, &event);
            let gone: Vec<u8> = buffer.drain(..event.end).collect();
            at += event.end;
            if after_return && gone == b"\n" {
                said = Said { end: at, ..events.pop().unwrap_or_default() };
            }
            after_return = gone.ends_with(b"\r");
            events.push(said);
        }
    }
    (events, buffer, at)
}

/// Reads an event at the front of the buffer, which begins at `at` in the stream.
fn said(buffer: &[u8], at: usize, event: &Event) -> Said {
    assert!(event.end > 0 && event.data.end <= event.end && event.name.end <= event.end);
    let mut data = b"left over".to_vec();
    sse::joined(buffer, event, &mut data);
    assert!(event.lines != 1 || buffer.get(event.data.clone()) == Some(&data[..]));
    assert!(event.lines != 0 || event.data.is_empty());
    let name = buffer.get(event.name.clone()).expect("a name inside the event").to_vec();
    Said { end: at + event.end, name, data, lines: event.lines }
}

/// The events of a whole stream, and what is left: its lines first, then what each of them says, as the standard has it.
fn events_naively(stream: &[u8]) -> (Vec<Said>, Option<Said>) {
    let (mut events, mut lines, mut at) = (Vec::new(), Vec::new(), 0);
    let mark = if stream.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
    let mut start = mark;
    for (place, &byte) in stream.iter().enumerate().skip(mark) {
        if byte != b'\r' && byte != b'\n' || place < start {
            continue;
        }
        let pair = byte == b'\r' && stream.get(place + 1) == Some(&b'\n');
        let after = if pair { place + 2 } else { place + 1 };
        if place == start {
            events.push(event_naively(stream, &lines, after));
            lines.clear();
            at = after;
        } else {
            lines.push(start..place);
        }
        start = after;
    }
    lines.push(start..stream.len());
    let rest = (at < stream.len()).then(|| event_naively(stream, &lines, stream.len()));
    (events, rest)
}

fn event_naively(stream: &[u8], lines: &[Range<usize>], end: usize) -> Said {
    let (mut name, mut values) = (Vec::new(), Vec::new());
    for line in lines {
        let text = stream.get(line.clone()).unwrap_or_default();
        let colon = text.iter().position(|&byte| byte == b':');
        let field = text.get(..colon.unwrap_or(text.len())).unwrap_or_default();
        let mut value = line.start + colon.map_or(text.len(), |colon| colon + 1)..line.end;
        if colon.is_some() && stream.get(value.clone()).unwrap_or_default().first() == Some(&b' ') {
            value.start += 1;
        }
        match field {
            b"event" => name = stream.get(value).unwrap_or_default().to_vec(),
            b"data" => values.push(value),
            _ => {}
        }
    }
    let lines = u32::try_from(values.len()).unwrap_or(u32::MAX);
    let mut data: Vec<u8> = Vec::new();
    let first = values.first().map_or(0, |first| first.start);
    for (number, value) in values.into_iter().enumerate() {
        if number > 0 {
            data.push(b'\n');
        }
        data.resize(value.start - first, b' ');
        data.extend_from_slice(stream.get(value).unwrap_or_default());
    }
    Said { end, name, data, lines }
}

/// The texts of a whole stream: at each place it is asked anew whether one ends here.
fn texts_naively(form: Form, stream: &[u8]) -> Vec<Said> {
    let (mut texts, mut start) = (Vec::new(), 0);
    for end in 1..=stream.len() {
        let text = stream.get(start..end).unwrap_or_default();
        let begun = text.iter().any(|&byte| byte != 0x1e);
        let ends = match form {
            Form::Lines => text.ends_with(b"\n"),
            Form::Sequence => (text.ends_with(b"\n") && is_closed(text)) || (begun && stream.get(end) == Some(&0x1e)),
        };
        if ends || end == stream.len() {
            let bare = if form == Form::Sequence { text.split(|&byte| byte == 0x1e).next_back() } else { Some(text) };
            let data = trim(bare.unwrap_or_default()).to_vec();
            texts.push(Said { end, name: Vec::new(), lines: u32::from(!data.is_empty()), data });
            start = end;
        }
    }
    texts
}

/// The text without JSON's blanks around it.
fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] | [rest @ .., b' ' | b'\t' | b'\r' | b'\n'] = text {
        text = rest;
    }
    text
}

/// Whether no string and no bracket is open at the end.
fn is_closed(text: &[u8]) -> bool {
    let parts = without_escapes(text);
    let strings: Vec<&[u8]> = parts.split(|&byte| byte == b'"').collect();
    let outside = strings.iter().step_by(2).flat_map(|part| part.iter());
    let depth = outside.fold(0_usize, |depth, byte| match byte {
        b'{' | b'[' => depth + 1,
        b'}' | b']' => depth.saturating_sub(1),
        _ => depth,
    });
    strings.len() % 2 == 1 && depth == 0
}

/// The text with each backslash inside a string and the byte behind it left out.
fn without_escapes(text: &[u8]) -> Vec<u8> {
    let (mut kept, mut inside) = (Vec::new(), false);
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        if byte == b'\\' && inside {
            bytes.next();
        } else {
            inside ^= byte == b'"';
            kept.push(byte);
        }
    }
    kept
}
