//! `text/event-stream`: where its events end, what they say, and how one is written (WHATWG HTML, section 9.2).
//!
//! The caller owns the bytes and lets them grow; the splitter keeps only places in them. It goes over each byte once, whatever
//! the pieces in which they come, copies nothing, and waits for nothing that could still belong to an event which is complete.
//!
//! ```text
//!   : comment CRLF  event: delta CRLF  data: {"a": CRLF  data: 1} CRLF  CRLF   data: …
//!                          └───┘             └─────────────────┘             │
//!                          name              data, of two lines              end
//! ```
//!
//! A line ends in LF, CR LF or CR, and an event in an empty line, so that every empty line ends an event, if only one that says
//! nothing. That settles a CR at the end of what has come, whose LF may be on its way: where that CR ends an event, the event is
//! given at once, and the LF when it comes is an event of one empty line. A reader that has seen the CR takes it for nothing, as
//! the standard wants; one that waits for both gets it without delay. No byte is lost, and none is in two events.

use std::ops::Range;

use memchr::memchr2;

use crate::limits::SSE_EVENT_BYTES_MAX;

/// U+FEFF, which may stand at the beginning of a stream and says nothing.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// One event of a stream. Places count from the first byte of the event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Bytes of the event, with the empty line that ends it; at least 1.
    pub end: usize,
    /// What it says: the value of its data line, or all from the first value's first byte to the last value's end where there are
    /// several ([`joined`]).
    pub data: Range<usize>,
    /// How many data lines it has. With none it says nothing: a comment, a name alone, an empty line.
    pub lines: u32,
    /// The value of the last `event` field; empty where there is none, which means `message`.
    pub name: Range<usize>,
}

/// An event is longer than `SSE_EVENT_BYTES_MAX`. The side that sent it is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// Finds events at the front of bytes that grow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Splitter {
    /// The mark at the beginning of the stream has been looked for.
    begun: bool,
    /// The line before this one ended in CR: an LF at `line` belongs to that end.
    after_return: bool,
    /// Where the line begins that is being read.
    line: usize,
    /// No line end stands in `line..scanned`. `line <= scanned`, and `scanned` is at most the length of the bytes.
    scanned: usize,
    fields: Fields,
}

/// What the lines so far have said. `data_start <= data_end`, `name_start <= name_end`.
#[derive(Clone, Copy, Debug, Default)]
struct Fields {
    lines: u32,
    data_start: usize,
    data_end: usize,
    name_start: usize,
    name_end: usize,
}

impl Splitter {
    /// The event at the front of `bytes`. `None`: it is not all there; call again with the same bytes and more behind them. After
    /// an event take its `end` bytes off the front and call again: there may be another.
    ///
    /// # Errors
    /// The event is longer than the bound, whether or not its end is there.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Option<Event>, TooLong> {
        if !self.begin(bytes) {
            return Ok(None);
        }
        while let Some(line) = self.next_line(bytes) {
            if !line.is_empty() {
                self.fields.read(bytes, line);
            } else if self.line > SSE_EVENT_BYTES_MAX {
                return Err(TooLong);
            } else {
                return Ok(Some(self.finish(bytes)));
            }
        }
        if bytes.len() > SSE_EVENT_BYTES_MAX { Err(TooLong) } else { Ok(None) }
    }

    /// What is left when the stream has ended, after [`Splitter::next`] gave `None`: an event without its empty line. The
    /// standard drops it; readers that dispatch it exist, so it says what it says. `None`: nothing is left.
    pub fn rest(&mut self, bytes: &[u8]) -> Option<Event> {
        if bytes.is_empty() {
            return None;
        }
        self.begin(bytes);
        while let Some(line) = self.next_line(bytes) {
            self.fields.read(bytes, line);
        }
        self.fields.read(bytes, self.line..bytes.len());
        let fields = self.fields;
        *self = Self { begun: true, ..Self::default() };
        Some(fields.event(bytes.len()))
    }

    /// Steps over the mark; false where the bytes are too few to tell.
    fn begin(&mut self, bytes: &[u8]) -> bool {
        if self.begun {
            return true;
        }
        let has_mark = bytes.starts_with(MARK);
        if !has_mark && MARK.starts_with(bytes) {
            return false;
        }
        self.begun = true;
        self.line = if has_mark { MARK.len() } else { 0 };
        self.scanned = self.line;
        true
    }

    /// The next line without its end; `None`: its end is not there.
    fn next_line(&mut self, bytes: &[u8]) -> Option<Range<usize>> {
        debug_assert!(self.line <= self.scanned && self.scanned <= bytes.len(), "bytes were taken without an event");
        if self.after_return {
            let feed = usize::from(*bytes.get(self.line)? == b'\n');
            self.after_return = false;
            self.line += feed;
            self.scanned += feed;
        }
        let Some(found) = memchr2(b'\r', b'\n', bytes.get(self.scanned..)?) else {
            self.scanned = bytes.len();
            return None;
        };
        let line = self.line..self.scanned + found;
        self.after_return = bytes.get(line.end) == Some(&b'\r');
        self.line = line.end + 1;
        self.scanned = self.line;
        Some(line)
    }

    /// The event that ends at `line`, with the LF of its last CR LF where that is there already.
    fn finish(&mut self, bytes: &[u8]) -> Event {
        let has_feed = self.after_return && bytes.get(self.line) == Some(&b'\n');
        let event = self.fields.event(self.line + usize::from(has_feed));
        *self = Self { begun: true, ..Self::default() };
        event
    }
}

impl Fields {
    /// Takes what one line says: comments, `id`, `retry` and unknown fields say nothing here.
    fn read(&mut self, bytes: &[u8], line: Range<usize>) {
        let text = bytes.get(line.clone()).unwrap_or_default();
        if let Some(value) = value_of(text, b"data") {
            if self.lines == 0 {
                self.data_start = line.start + value;
            }
            self.data_end = line.end;
            self.lines = self.lines.saturating_add(1);
        } else if let Some(value) = value_of(text, b"event") {
            (self.name_start, self.name_end) = (line.start + value, line.end);
        }
    }

    fn event(self, end: usize) -> Event {
        let Self { lines, data_start, data_end, name_start, name_end } = self;
        Event { end, data: data_start..data_end, lines, name: name_start..name_end }
    }
}

/// Where the value begins in a line of this field; `None`: another field, or a comment. Without a colon the value is empty, and
/// one space behind the colon is not part of it.
fn value_of(line: &[u8], field: &[u8]) -> Option<usize> {
    match line.strip_prefix(field)? {
        [] => Some(field.len()),
        [b':', b' ', ..] => Some(field.len() + 2),
        [b':', ..] => Some(field.len() + 1),
        _ => None,
    }
}

/// Writes the data of an event of several lines into `out`, which is emptied first, with every byte at its place in `event.data`.
///
/// Between two values the first byte is LF and all others are spaces: the field names, line ends and other fields that stand
/// there. That is the standard's text with spaces behind each LF, and in JSON an LF can only stand where spaces may. Data of one
/// line, as all of [`lines`](super::lines) are, is written as it is.
///
/// ```
/// use penaxtra_gateway::http::sse;
/// let stream = b"data: {\"a\":\r\nid: 7\r\ndata: 1}\n\n";
/// let event = sse::Splitter::default().next(stream).unwrap().unwrap();
/// let mut out = Vec::new();
/// sse::joined(stream, &event, &mut out);
/// assert_eq!(out, b"{\"a\":\n              1}");
/// ```
pub fn joined(bytes: &[u8], event: &Event, out: &mut Vec<u8>) {
    let data = bytes.get(event.data.clone()).unwrap_or_default();
    out.clear();
    out.extend_from_slice(data);
    if event.lines < 2 {
        return;
    }
    let line_end = |from: usize| {
        let rest = data.get(from..).unwrap_or_default();
        from + memchr2(b'\r', b'\n', rest).unwrap_or(rest.len())
    };
    let mut value_end = line_end(0);
    let mut line = value_end + 1;
    while line <= data.len() {
        let end = line_end(line);
        if let Some(value) = data.get(line..end).and_then(|text| value_of(text, b"data")) {
            if let Some([first, others @ ..]) = out.get_mut(value_end..line + value) {
                *first = b'\n';
                others.fill(b' ');
            }
            value_end = end;
        }
        line = end + 1;
    }
}

/// Appends an event to `out`. Data with line ends becomes several data lines; a name is cut at its first line end.
pub fn write_event(name: Option<&[u8]>, data: &[u8], out: &mut Vec<u8>) {
    if let Some(name) = name {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.split(|&byte| is_line_end(byte)).next().unwrap_or_default());
        out.push(b'\n');
    }
    write_lines(b"data: ", data, out);
}

/// Appends an event that says nothing to `out`: a comment, for the eyes of whoever reads the wire.
pub fn comment(text: &[u8], out: &mut Vec<u8>) {
    write_lines(b": ", text, out);
}

/// Each line of `text` behind `prefix`, then the empty line.
fn write_lines(prefix: &[u8], text: &[u8], out: &mut Vec<u8>) {
    let mut rest = Some(text);
    while let Some(text) = rest {
        let end = memchr2(b'\r', b'\n', text).unwrap_or(text.len());
        let (line, after) = text.split_at_checked(end).unwrap_or_default();
        out.extend_from_slice(prefix);
        out.extend_from_slice(line);
        out.push(b'\n');
        rest = after.strip_prefix(b"\r\n").or_else(|| after.get(1..));
    }
    out.push(b'\n');
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::fuzz::fuzz_sse;

    /// Name and data of an event.
    type Said<T> = (T, T);

    /// A stream, its events, and what is left at its end.
    type Case = (&'static str, &'static [Said<&'static str>], Option<Said<&'static str>>);

    /// What each event says, and what is left at the end.
    fn read(stream: &[u8]) -> (Vec<Said<String>>, Option<Said<String>>) {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let said = |bytes: &[u8], event: &Event| {
            let mut data = Vec::new();
            joined(bytes, event, &mut data);
            (text(&bytes[event.name.clone()]), text(&data))
        };
        let (mut splitter, mut events, mut at) = (Splitter::default(), Vec::new(), 0);
        while let Some(event) = splitter.next(&stream[at..]).unwrap() {
            events.push(said(&stream[at..], &event));
            at += event.end;
        }
        let rest = splitter.rest(&stream[at..]).map(|event| said(&stream[at..], &event));
        (events, rest)
    }

    #[test]
    fn events_say_what_the_standard_says() {
        let cases: &[Case] = &[
            ("", &[], None),
            ("data: a\n\ndata: b\r\n\r\ndata: c\r\r", &[("", "a"), ("", "b"), ("", "c")], None),
            ("data: a\r\n\ndata: b\n\r\n", &[("", "a"), ("", "b")], None),
            ("event: x\ndata:a\ndata:  b\n\n", &[("x", "a\n       b")], None),
            ("data: a\r\nid: 7\r\ndata: b\r\n\r\n", &[("", "a\n              b")], None),
            ("data\ndata\n\n", &[("", "\n    ")], None),
            ("data:a\ndata\nevent: y\n\n", &[("y", "a\n    ")], None),
            ("event: x\nevent\ndata: 1\n\n", &[("", "1")], None),
            (": data: a\n\n", &[("", "")], None),
            ("retry: 3\nid: 7\nDATA: a\n data: b\ndata : c\ndatax: d\n\n", &[("", "")], None),
            ("\u{feff}data: a\n\n", &[("", "a")], None),
            ("\u{feff}\u{feff}data: a\n\n", &[("", "")], None),
            ("data: a\n\n\u{feff}data: b\n\n", &[("", "a"), ("", "")], None),
            ("\n\r\n\rdata: a\n\n", &[("", ""), ("", ""), ("", ""), ("", "a")], None),
            ("data: {\"a\":\ndata: 1}", &[], Some(("", "{\"a\":\n      1}"))),
            ("event: x\ndata: a\r", &[], Some(("x", "a"))),
            (": ping", &[], Some(("", ""))),
        ];
        for (stream, events, rest) in cases {
            let owned = |said: &Said<&str>| (said.0.to_owned(), said.1.to_owned());
            let expected = (events.iter().map(owned).collect(), rest.as_ref().map(owned));
            assert_eq!(read(stream.as_bytes()), expected, "{stream:?}");
            for start in 0..=stream.len() {
                fuzz_sse(&stream.as_bytes()[start..]);
            }
        }
    }

    #[test]
    fn an_event_is_given_with_its_last_byte() {
        for stream in ["data: a\n\n", "data: a\r\r", "data: a\r\n\n", "data: a\n\r", ": a\n\n", "\n", "\r"] {
            let (mut splitter, stream) = (Splitter::default(), stream.as_bytes());
            for length in 0..stream.len() {
                assert_eq!(splitter.next(&stream[..length]), Ok(None), "{stream:?}");
            }
            assert_eq!(splitter.next(stream).unwrap().map(|event| event.end), Some(stream.len()), "{stream:?}");
        }
    }

    #[test]
    fn a_late_line_feed_says_nothing_and_waits_for_nothing() {
        let mut splitter = Splitter::default();
        assert_eq!(splitter.next(b"data: a\r\n\r").unwrap().map(|event| event.end), Some(10));
        assert_eq!(splitter.next(b"\n"), Ok(Some(Event { end: 1, ..Event::default() })));
        assert_eq!(splitter.next(b"data: a\r\n\r\n").unwrap().map(|event| event.end), Some(11));
    }

    #[test]
    fn an_event_over_the_bound_is_an_error_with_and_without_its_end() {
        let mut stream = b"data: ".to_vec();
        stream.resize(SSE_EVENT_BYTES_MAX - 2, b'x');
        for (end, fits) in [("\r\r\n", true), ("\n\n", true), ("x\n\n", false), ("x\r\r", false), ("xxx", false)] {
            let whole = [&stream, end.as_bytes()].concat();
            assert_eq!(Splitter::default().next(&whole).is_ok(), fits, "{end:?}");
            let mut splitter = Splitter::default();
            let cut = (stream.len()..=whole.len())
                .map(|length| splitter.next(&whole[..length]))
                .find(|next| *next != Ok(None));
            assert_eq!(cut.unwrap().is_ok(), fits, "{end:?}, byte by byte");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let cases = [("", ""), ("x", "a"), ("y", "a\nb"), ("z", "a\r\n\rb\n"), ("", " a"), ("", "data: a\n\ndata: b")];
        for (name, data) in cases {
            let mut out = Vec::new();
            comment(data.as_bytes(), &mut out);
            let comment_end = out.len();
            let given = (!name.is_empty()).then(|| format!("{name}\rdata: no"));
            write_event(given.as_ref().map(String::as_bytes), data.as_bytes(), &mut out);
            let mut splitter = Splitter::default();
            let event = splitter.next(&out).unwrap().unwrap();
            assert_eq!((event.end, event.lines), (comment_end, 0), "{data:?}");
            let (seen, rest) = read(&out[comment_end..]);
            let expected = data.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\n      ");
            assert_eq!((seen, rest), (vec![(name.to_owned(), expected)], None));
        }
    }

    proptest! {
        #[test]
        fn any_stream_is_read_as_a_naive_reader_reads_it(
            words in proptest::collection::vec(
                prop_oneof![
                    Just("\n"), Just("\r"), Just("\r\n"), Just("data"), Just("data:"), Just("data: "), Just("event"),
                    Just("event: "), Just(": "), Just(":"), Just(" "), Just("id: 1"), Just("{\"a\""), Just("\u{feff}"),
                ],
                0..24,
            ),
        ) {
            fuzz_sse(words.concat().as_bytes());
        }
    }
}
