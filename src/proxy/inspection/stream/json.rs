//! Where in a JSON document that comes in fragments a text stands, so that what replaces it leaves the document one.

use std::ops::Range;

use memchr::memchr;

use super::Spelling;

/// What a reader of JSON knows at a place: enough to tell strings from what is around them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lexer {
    in_string: bool,
    /// Bytes of an escape that are still to come; `BEGUN`: only its backslash has.
    escape: u8,
}

const BEGUN: u8 = u8::MAX;

/// A reader on its way through a text: it is asked about places in their order, and goes over the text once for all of them.
pub(super) struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    lexer: Lexer,
    /// The last place before `at` that is no part of an escape or a number, and what was known there.
    safe: (usize, Lexer),
    begin: Lexer,
}

impl<'a> Reader<'a> {
    /// `lexer` is what is known at the beginning of `text`.
    pub(super) fn new(text: &'a [u8], lexer: Lexer) -> Self {
        Self { text, at: 0, lexer, safe: (0, lexer), begin: lexer }
    }

    /// Goes to a place; to one before the last it goes anew.
    fn go(&mut self, to: usize) {
        if to < self.at {
            *self = Self::new(self.text, self.begin);
        }
        for byte in self.text.get(self.at..to).unwrap_or_default() {
            if self.lexer.escape == 0 && !in_number(byte) {
                self.safe = (self.at, self.lexer);
            }
            self.lexer.step(*byte);
            self.at += 1;
        }
    }

    /// Whether the place is inside a string.
    pub(super) fn is_inside(&mut self, at: usize) -> bool {
        self.go(at);
        self.lexer.in_string
    }

    /// See [`Lexer::replaceable`].
    pub(super) fn replaceable(&mut self, span: Range<usize>) -> Option<(Range<usize>, Spelling)> {
        self.go(span.start);
        let (from, lexer) = self.safe;
        let text = self.text.get(from..)?;
        let inside = span.start.checked_sub(from)?..span.end.checked_sub(from)?;
        let (found, spelling) = lexer.replaceable(text, inside)?;
        Some((found.start + from..found.end + from, spelling))
    }
}

fn in_number(byte: &u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

impl Lexer {
    pub(super) fn step(&mut self, byte: u8) {
        match (self.in_string, self.escape) {
            (false, _) => self.in_string = byte == b'"',
            (true, BEGUN) => self.escape = if byte == b'u' { 4 } else { 0 },
            (true, 1..) => self.escape -= 1,
            (true, 0) if byte == b'\\' => self.escape = BEGUN,
            (true, 0) => self.in_string = byte != b'"',
        }
    }

    pub(super) fn read(&mut self, text: &[u8]) {
        text.iter().for_each(|byte| self.step(*byte));
    }

    /// Writes `text` to `out` with the escapes of line ends and blanks as what they stand for, byte for byte, so that places stay: what
    /// stands behind one begins a word. `self` is what is known at the beginning of `text`. Whether there was one.
    pub(super) fn open_blanks(mut self, text: &[u8], out: &mut Vec<u8>) -> bool {
        if memchr(b'\\', text).is_none() && self.escape != BEGUN {
            return false;
        }
        out.clear();
        out.extend_from_slice(text);
        let mut any = false;
        for (at, byte) in text.iter().enumerate() {
            if let (true, BEGUN, Some(blank)) = (self.in_string, self.escape, blank(*byte)) {
                any = true;
                // Its backslash may be gone.
                let from = at.saturating_sub(1);
                if let (Some(place), Some(blank)) = (out.get_mut(from..=at), blank.get(usize::from(at == 0)..)) {
                    place.copy_from_slice(blank);
                }
            }
            self.step(*byte);
        }
        any
    }

    /// What of `span` in `text` can be replaced, and how, where `self` is what is known at the beginning of `text`. `None`: nothing.
    pub(super) fn replaceable(mut self, text: &[u8], span: Range<usize>) -> Option<(Range<usize>, Spelling)> {
        let mut unit = 0;
        for (at, byte) in text.iter().enumerate().take(span.start) {
            if self.escape == 0 {
                unit = at;
            }
            self.step(*byte);
        }
        if !self.in_string {
            return self.outside(text, span);
        }
        let mut start = span.start;
        if self.escape != 0 {
            // In the middle of an escape: one for a character is part of the match, one for a line break stands before it.
            if self.escape != BEGUN || text.get(start) == Some(&b'u') {
                start = unit;
            } else {
                self.step(text.get(start).copied()?);
                start += 1;
            }
        }
        Some((start..self.end_inside(text, span.start.max(start), span.end), Spelling::Plain))
    }

    /// The end of a span that does not leave its string, nor ends in an escape.
    fn end_inside(mut self, text: &[u8], from: usize, end: usize) -> usize {
        for (at, byte) in text.iter().enumerate().skip(from) {
            if self.escape == 0 && (at >= end || *byte == b'"') {
                return at;
            }
            self.step(*byte);
        }
        text.len()
    }

    /// The same for a span that begins outside a string: a number, or a string behind that.
    fn outside(mut self, text: &[u8], span: Range<usize>) -> Option<(Range<usize>, Spelling)> {
        if text.get(span.start).is_some_and(in_number) {
            let before = text.get(..span.start)?.iter().rev().take_while(|byte| in_number(byte)).count();
            let length = text.get(span.start..)?.iter().take_while(|byte| in_number(byte)).count();
            return Some((span.start - before..span.start + length, Spelling::Number));
        }
        let quote = text.get(span.clone())?.iter().position(|byte| *byte == b'"')? + span.start;
        self.in_string = true;
        let end = self.end_inside(text, quote + 1, span.end);
        (quote + 1 < end).then_some((quote + 1..end, Spelling::Plain))
    }
}

/// What an escape of two bytes stands for, in two bytes: a line's end is one line's end.
const fn blank(escape: u8) -> Option<&'static [u8; 2]> {
    Some(match escape {
        b'n' => b"\r\n",
        b'r' => b"\r\r",
        b't' => b"\t\t",
        b'f' => b"\x0c\x0c",
        b'b' => b"\x08\x08",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_replaced_leaves_a_document() {
        // Document, match, what is replaced of it.
        let cases = [
            (r#"{"a":"see 4111 x"}"#, "4111", "4111"),
            (r#"{"a":4111,"b":1}"#, "4111", "4111"),
            (r#"{"a":-4111.5}"#, "4111", "-4111.5"),
            (r#"{"a":"b\n4111"}"#, "n4111", "4111"),
            (r#"{"a":"b\u00344111"}"#, "u00344111", r"\u00344111"),
            (r#"{"a":"b\u00344111"}"#, "344111", r"\u00344111"),
            (r#"{"a":"4111\u0034\n"}"#, r"4111\u00", r"4111\u0034"),
            (r#"{"a":"x","b":"y"}"#, r#"x","b"#, "x"),
            (r#"{"a":"x","b":"y"}"#, r#":"x"#, "x"),
            (r#"{"a":"say \"4111\""}"#, "4111", "4111"),
        ];
        for (document, found, expected) in cases {
            let at = document.find(found).expect("there");
            let (span, spelling) =
                Lexer::default().replaceable(document.as_bytes(), at..at + found.len()).expect("replaceable");
            assert_eq!(document.get(span.clone()), Some(expected), "{document} {found}");
            let with = if spelling == Spelling::Number { "0" } else { "[X]" };
            let mut changed = document.to_owned();
            changed.replace_range(span, with);
            assert!(serde_json::from_str::<serde_json::Value>(&changed).is_ok(), "{changed}");
        }
        assert_eq!(Lexer::default().replaceable(br#"{"a":[true]}"#, 5..9), None);
    }

    #[test]
    fn a_reader_that_goes_on_says_what_one_that_begins_anew_does() {
        let documents =
            [r#"{"a":"b\n4111","b":-4111.5e3,"c":["\u00344\"111",12345,""]}"#, r#"4111 "4111" {"x\\":4,"y":"4\t1"}"#];
        let places = |document: &str| {
            let length = document.len();
            (0..length).flat_map(move |start| (start + 1..=length.min(start + 12)).map(move |end| start..end))
        };
        for document in documents {
            let text = document.as_bytes();
            let mut reader = Reader::new(text, Lexer::default());
            // In their order, and then from the last one back.
            let spans: Vec<_> = places(document).collect();
            for span in spans.iter().chain(spans.iter().rev()) {
                let expected = Lexer::default().replaceable(text, span.clone());
                assert_eq!(reader.replaceable(span.clone()), expected, "{document} {span:?}");
            }
        }
    }

    #[test]
    fn blanks_are_opened_in_their_places_and_nothing_else_is() {
        let cases = [
            (r#"{"a":"b\n4111\t5"}"#, "{\"a\":\"b\r\n4111\t\t5\"}"),
            (r#"{"a":"b\\n4111"}"#, r#"{"a":"b\\n4111"}"#),
            (r#"{"a":"b\\\n4111"}"#, "{\"a\":\"b\\\\\r\n4111\"}"),
            (r#"{"a":"\"n\u006e"}"#, r#"{"a":"\"n\u006e"}"#),
        ];
        for (document, expected) in cases {
            // Whatever of it is known already.
            for cut in 0..document.len() {
                let (front, back) = document.as_bytes().split_at(cut);
                let mut lexer = Lexer::default();
                lexer.read(front);
                let mut opened = Vec::new();
                let any = lexer.open_blanks(back, &mut opened);
                let expected = expected.as_bytes().get(cut..).expect("as long");
                assert_eq!(if any { opened.as_slice() } else { back }, expected, "{document} from {cut}");
            }
        }
    }
}
