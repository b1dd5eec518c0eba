//! `text/event-stream`: where its events end and what they say (WHATWG HTML, section "Server-sent events").
//!
//! An event ends at an empty line; a line ends at CR LF, LF or CR. The splitter keeps the little state that this needs over
//! pieces cut anywhere, so that the same events come out for every cut. It never buffers: the caller keeps the bytes.

/// Finds the ends of events in a stream that comes in pieces.
#[derive(Clone, Copy, Debug)]
pub struct Splitter {
    /// Nothing but a line end has come since the last line end.
    at_line_start: bool,
    /// The last byte was CR: an LF that follows belongs to it.
    after_return: bool,
    /// The event has a line that is not empty.
    has_line: bool,
}

impl Default for Splitter {
    fn default() -> Self {
        Self { at_line_start: true, after_return: false, has_line: false }
    }
}

impl Splitter {
    /// The bytes of `piece` up to the end of the next event, its empty line included; `None`: the event goes on in the next
    /// piece. Call again with what follows. An LF that comes after an event which ended in CR opens the next event's bytes.
    pub fn next_end(&mut self, piece: &[u8]) -> Option<usize> {
        for (at, &byte) in piece.iter().enumerate() {
            let second_half = byte == b'\n' && self.after_return;
            self.after_return = byte == b'\r';
            if second_half {
                continue;
            }
            if !matches!(byte, b'\r' | b'\n') {
                self.at_line_start = false;
                self.has_line = true;
            } else if self.at_line_start && self.has_line {
                self.has_line = false;
                return Some(self.swallow_feed(piece, at + 1));
            } else {
                self.at_line_start = true;
            }
        }
        None
    }

    /// Takes the LF of a final CR LF into the event, if it is there already.
    fn swallow_feed(&mut self, piece: &[u8], end: usize) -> usize {
        if self.after_return && piece.get(end) == Some(&b'\n') {
            self.after_return = false;
            return end + 1;
        }
        end
    }
}

/// The `event` and `data` of one event, comments and other fields left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The last `event` field; empty means `message`.
    pub name: Vec<u8>,
    /// The `data` fields, joined by LF.
    pub data: Vec<u8>,
}

impl Event {
    /// Parses the bytes of one event.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let mut event = Self::default();
        let mut has_data = false;
        for line in bytes.split(|byte| matches!(byte, b'\r' | b'\n')) {
            let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
            let (name, value) = line.split_at_checked(colon).unwrap_or_default();
            let value = value.strip_prefix(b":").unwrap_or_default();
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match name {
                b"event" => event.name = value.to_vec(),
                b"data" => {
                    if has_data {
                        event.data.push(b'\n');
                    }
                    event.data.extend_from_slice(value);
                    has_data = true;
                }
                _ => {}
            }
        }
        event
    }
}

/// The events of a stream given in pieces, and the bytes that belong to none yet; for tests and fuzzing.
#[must_use]
pub fn split_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Vec<u8>) {
    let mut splitter = Splitter::default();
    let (mut events, mut open) = (Vec::new(), Vec::new());
    for mut piece in pieces {
        while let Some(end) = splitter.next_end(piece) {
            let (event, rest) = piece.split_at_checked(end).unwrap_or_default();
            open.extend_from_slice(event);
            events.push(std::mem::take(&mut open));
            piece = rest;
        }
        open.extend_from_slice(piece);
    }
    (events, open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pieces: &[&[u8]]) -> (Vec<Event>, Event) {
        let (events, open) = split_pieces(pieces.iter().copied());
        (events.iter().map(|bytes| Event::parse(bytes)).collect(), Event::parse(&open))
    }

    #[test]
    fn events_are_the_same_for_every_split() {
        let streams: &[&[u8]] = &[
            b"data: a\n\ndata: b\n\n",
            b"event: x\r\ndata: a\r\ndata:b\r\n\r\n: comment\r\n\r\ndata: [DONE]\r\n\r\n",
            b"data: a\r\rdata: b\r\r",
            b"\n\n\ndata: a\n\n\n\ndata",
            b"data\ndata\n\nid: 7\nretry: 3\n\n",
            b"data: a\r\n\ndata: b\n\r\n",
        ];
        for stream in streams {
            let whole = parsed(&[stream]);
            for split in 0..=stream.len() {
                assert_eq!(parsed(&[&stream[..split], &stream[split..]]), whole, "split at {split}");
            }
            let each: Vec<_> = stream.chunks(1).collect();
            assert_eq!(parsed(&each), whole, "byte by byte");
        }
    }

    #[test]
    fn events_say_what_the_standard_says() {
        let (events, open) = parsed(&[b"event: x\r\ndata: a\r\ndata:b\r\n\r\ndata:  c\n\ndata: open"]);
        let event = |name: &[u8], data: &[u8]| Event { name: name.to_vec(), data: data.to_vec() };
        assert_eq!(events, [event(b"x", b"a\nb"), event(b"", b" c")]);
        assert_eq!(open, event(b"", b"open"));
    }
}
