//! Properties of the splitter of server-sent events: no byte lost, and the events that a naive reader finds.

use crate::http::sse::Event;
use crate::http::sse::split_pieces;

use super::ways;

/// The bytes as a stream of events.
///
/// # Panics
/// A property does not hold.
pub fn fuzz_sse(bytes: &[u8]) {
    let expected = read_naively(bytes);
    for pieces in ways(bytes) {
        let (events, open) = split_pieces(pieces.iter().copied());
        assert!([events.concat(), open.clone()].concat() == bytes, "a byte was lost");
        assert!(events.iter().all(|event| !event.is_empty()));
        let parsed: Vec<Event> = events.iter().map(|event| Event::parse(event)).collect();
        assert_eq!((parsed, Event::parse(&open)), expected, "in {} pieces", pieces.len());
    }
}

/// The events of a whole stream and the one that is still open: line ends made equal, then line by line.
fn read_naively(stream: &[u8]) -> (Vec<Event>, Event) {
    let mut text = Vec::with_capacity(stream.len());
    let mut previous = 0;
    for &byte in stream {
        match (previous, byte) {
            (b'\r', b'\n') => {}
            (_, b'\r') => text.push(b'\n'),
            _ => text.push(byte),
        }
        previous = byte;
    }
    let (mut events, mut lines) = (Vec::new(), Vec::new());
    let mut rest = &text[..];
    while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
        let (line, after) = rest.split_at(end);
        rest = after.strip_prefix(b"\n").unwrap_or_default();
        if !line.is_empty() {
            lines.push(line);
        } else if !lines.is_empty() {
            events.push(event(&lines));
            lines.clear();
        }
    }
    lines.push(rest);
    (events, event(&lines))
}

fn event(lines: &[&[u8]]) -> Event {
    let mut name = Vec::new();
    let mut data = Vec::new();
    for line in lines {
        let (field, value) = match line.iter().position(|&byte| byte == b':') {
            Some(colon) => (line.get(..colon), line.get(colon + 1..)),
            None => (Some(*line), None),
        };
        let value = value.unwrap_or_default();
        let value = if value.first() == Some(&b' ') { value.get(1..).unwrap_or_default() } else { value };
        match field {
            Some(b"event") => name = value.to_vec(),
            Some(b"data") => data.push(value),
            _ => {}
        }
    }
    Event { name, data: data.join(&b'\n') }
}
