//! Answers of one JSON text after the other: JSON Lines, also called NDJSON, and JSON text sequences (RFC 7464).
//!
//! The same as [`sse`](super::sse) for streams without field names: the caller owns the bytes and lets them grow, the splitter goes
//! over each byte once and keeps places. One text is one event, without a name; an empty line is one that says nothing.
//!
//! A line ends in LF and nothing else: a CR before it, like every blank around a text, is left out of the data. A text of a
//! sequence begins with RS and ends with an LF, but may have more of them inside, so there an event ends at the first LF that
//! stands outside strings and brackets; a text that never gets there ends at the next RS (section 2.3), and is then no JSON.

use memchr::memchr;

use super::sse::Event;
use super::sse::TooLong;
use crate::limits::SSE_EVENT_BYTES_MAX;

/// RS, which begins each text of a sequence.
const SEPARATOR: u8 = 0x1e;

/// How texts are told from one another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// One text on each line.
    #[default]
    Lines,
    /// RFC 7464.
    Sequence,
}

/// Finds events at the front of bytes that grow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Splitter {
    form: Form,
    /// No event ends before this; at most the length of the bytes.
    scanned: usize,
    /// Separators at the front, of a sequence. `head <= scanned`.
    head: usize,
    nesting: Nesting,
}

/// Where in a JSON text a sequence is.
#[derive(Clone, Copy, Debug, Default)]
struct Nesting {
    /// Brackets that are open.
    depth: usize,
    in_string: bool,
    /// The byte before was a backslash that escapes.
    after_escape: bool,
}

impl Splitter {
    /// A splitter for this form.
    #[must_use]
    pub fn new(form: Form) -> Self {
        Self { form, ..Self::default() }
    }

    /// The event at the front of `bytes`. `None`: it is not all there; call again with the same bytes and more behind them. After
    /// an event take its `end` bytes off the front and call again: there may be another.
    ///
    /// # Errors
    /// The event is longer than the bound, whether or not its end is there.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Option<Event>, TooLong> {
        let end = match self.form {
            Form::Lines => self.line_end(bytes),
            Form::Sequence => self.text_end(bytes),
        };
        if end.unwrap_or(bytes.len()) > SSE_EVENT_BYTES_MAX {
            return Err(TooLong);
        }
        Ok(end.map(|end| self.finish(bytes, end)))
    }

    /// What is left when the stream has ended, after [`Splitter::next`] gave `None`: readers take it for a text like any other.
    /// `None`: nothing is left.
    pub fn rest(&mut self, bytes: &[u8]) -> Option<Event> {
        (!bytes.is_empty()).then(|| self.finish(bytes, bytes.len()))
    }

    fn line_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let found = memchr(b'\n', bytes.get(self.scanned..)?);
        let end = found.map(|found| self.scanned + found + 1);
        self.scanned = end.unwrap_or(bytes.len());
        end
    }

    fn text_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let from = self.scanned;
        for (at, &byte) in bytes.iter().enumerate().skip(from) {
            match byte {
                SEPARATOR if at == self.head => self.head += 1,
                SEPARATOR => return Some(at),
                b'\n' if self.nesting.is_outside() => return Some(at + 1),
                _ => self.nesting.step(byte),
            }
        }
        self.scanned = bytes.len();
        None
    }

    fn finish(&mut self, bytes: &[u8], end: usize) -> Event {
        let text = bytes.get(self.head..end).unwrap_or_default();
        let blanks = |byte: &&u8| matches!(**byte, b' ' | b'\t' | b'\r' | b'\n');
        let before = text.iter().take_while(blanks).count();
        let after = text.iter().skip(before).rev().take_while(blanks).count();
        let data = self.head + before..end - after;
        *self = Self::new(self.form);
        let lines = u32::from(!data.is_empty());
        Event { end, data: if lines == 0 { 0..0 } else { data }, lines, name: 0..0 }
    }
}

impl Nesting {
    fn is_outside(self) -> bool {
        self.depth == 0 && !self.in_string
    }

    fn step(&mut self, byte: u8) {
        match byte {
            _ if self.after_escape => self.after_escape = false,
            b'\\' if self.in_string => self.after_escape = true,
            b'"' => self.in_string = !self.in_string,
            _ if self.in_string => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::fuzz::fuzz_lines;

    fn read(form: Form, stream: &[u8]) -> (Vec<&str>, Option<&str>) {
        let text = |at: usize, event: &Event| std::str::from_utf8(&stream[at..][event.data.clone()]).unwrap();
        let (mut splitter, mut events, mut at) = (Splitter::new(form), Vec::new(), 0);
        while let Some(event) = splitter.next(&stream[at..]).unwrap() {
            events.push(text(at, &event));
            at += event.end;
        }
        let rest = splitter.rest(&stream[at..]).map(|event| text(at, &event));
        (events, rest)
    }

    #[test]
    fn a_line_is_an_event() {
        let cases: &[(&str, &[&str], Option<&str>)] = &[
            ("", &[], None),
            ("{}\n[1]\r\n", &["{}", "[1]"], None),
            (" \t{} \r\n\n\r\n{\"a\": 1}", &["{}", "", ""], Some("{\"a\": 1}")),
            ("1\r2\n", &["1\r2"], None),
            ("{\n}\n", &["{", "}"], None),
            ("\u{1e}{}\n \r", &["\u{1e}{}"], Some("")),
        ];
        for (stream, events, rest) in cases {
            assert_eq!(read(Form::Lines, stream.as_bytes()), (events.to_vec(), *rest), "{stream:?}");
            fuzz_lines(stream.as_bytes());
        }
    }

    #[test]
    fn a_text_of_a_sequence_is_an_event_whatever_lines_it_has() {
        let cases: &[(&str, &[&str], Option<&str>)] = &[
            ("", &[], None),
            ("\u{1e}{}\n\u{1e}[\n1\n]\n", &["{}", "[\n1\n]"], None),
            ("\u{1e}\u{1e}{\"a\": \"}\\\"\n\"}\r\n\u{1e}1", &["{\"a\": \"}\\\"\n\"}"], Some("1")),
            ("\u{1e}{\u{1e}{}\n\n2\n", &["{", "{}", "", "2"], None),
            ("{}\n\u{1e}]\n}\u{1e}", &["{}", "]", "}"], Some("")),
            ("\u{1e}\"\u{1e}3\n", &["\"", "3"], None),
        ];
        for (stream, events, rest) in cases {
            assert_eq!(read(Form::Sequence, stream.as_bytes()), (events.to_vec(), *rest), "{stream:?}");
            fuzz_lines(stream.as_bytes());
        }
    }

    #[test]
    fn an_event_over_the_bound_is_an_error_with_and_without_its_end() {
        let mut stream = vec![b'1'; SSE_EVENT_BYTES_MAX - 1];
        for form in [Form::Lines, Form::Sequence] {
            for (end, fits) in [("\n", true), ("1\n", false), ("11", false)] {
                stream.truncate(SSE_EVENT_BYTES_MAX - 1);
                stream.extend_from_slice(end.as_bytes());
                assert_eq!(Splitter::new(form).next(&stream).is_ok(), fits, "{form:?} {end:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_stream_is_read_as_a_naive_reader_reads_it(
            words in proptest::collection::vec(
                prop_oneof![
                    Just("\n"), Just("\r\n"), Just("\u{1e}"), Just("{"), Just("}"), Just("["), Just("]"), Just("\""), Just("\\"),
                    Just("1"), Just(" "),
                ],
                0..24,
            ),
        ) {
            fuzz_lines(words.concat().as_bytes());
        }
    }
}
