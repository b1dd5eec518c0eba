//! Placeholders as a model writes them back: the form that is recognised, and what may still become one.
//!
//! ```text
//!  issued  [EMAIL_1]          recognised  [EMAIL_1]  [email_1]  [Email 1]  [EMAIL-1]  [ EMAIL_1 ]  [EMAIL\_1]  \[EMAIL\_1\]
//!                             not         [EMAIL_01]  [EMAIL1]  [EMAIL__1]  EMAIL_1  [EMAIL_1\]  (EMAIL_1)  [EMAIL_1
//! ```
//! The tolerance: letters in any case; a space, `-` or `_` for each `_`, the latter two also behind a backslash, as Markdown escapes
//! them; one space inside either bracket; a backslash before both brackets or before none. Nothing else; the number is exact.

use memchr::memchr;
use memchr::memrchr;

use crate::limits::PLACEHOLDER_NAME_BYTES_MAX;

/// What stands between the brackets, as it was issued: `EMAIL_1`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    bytes: [u8; PLACEHOLDER_NAME_BYTES_MAX],
    length: usize,
}

/// A text of the form of a placeholder, issued or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    /// Where it begins.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// Its name.
    pub(super) name: Name,
    /// The number at its end, 1 or more.
    pub(super) number: u32,
}

/// What the front of a text is.
enum Front {
    Whole(Candidate),
    /// It may become one: the name so far, and whether a separator or the end may follow it.
    Open(Name, bool),
    Other,
}

/// What a byte of a name is.
enum Part {
    Letter(u8),
    Separator,
    Space,
    Close,
    End,
    Other,
}

impl Name {
    /// What was read of it.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    const fn new() -> Self {
        Self { bytes: [0; PLACEHOLDER_NAME_BYTES_MAX], length: 0 }
    }

    /// False: it is longer than any that is issued.
    fn push(&mut self, byte: u8) -> bool {
        let place = self.bytes.get_mut(self.length);
        self.length += usize::from(place.is_some());
        place.map(|place| *place = byte).is_some()
    }

    /// The number at its end: 1 to 9 digits, the first of them no zero, behind a `_` and a word.
    fn number(&self) -> Option<u32> {
        let bytes = self.as_bytes();
        let at = memrchr(b'_', bytes).filter(|at| *at > 0)?;
        let digits =
            bytes.get(at + 1..).filter(|digits| (1..=9).contains(&digits.len()) && digits.first() != Some(&b'0'))?;
        let digit = |number: u32, byte: &u8| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0'));
        digits.iter().try_fold(0, digit)
    }
}

/// The first candidate that begins at `from` or behind it.
pub(super) fn next(text: &[u8], from: usize) -> Option<Candidate> {
    let mut at = from;
    while let Some(open) = memchr(b'[', text.get(at..)?).map(|found| at + found) {
        if let Front::Whole(candidate) = front(text, open, from) {
            return Some(candidate);
        }
        at = open + 1;
    }
    None
}

/// Where a placeholder may have begun that `text` does not end; `issued` says whether one that was issued has a name that begins so, or,
/// where that is asked, is that name or goes on with `_`.
pub(super) fn open_at_end(text: &[u8], issued: impl Fn(&[u8], bool) -> bool) -> Option<usize> {
    let escape = text.len().checked_sub(1).filter(|at| text.get(*at) == Some(&b'\\'));
    let Some(open) = memrchr(b'[', text) else { return escape };
    match front(text, open, 0) {
        Front::Open(name, ends) if issued(name.as_bytes(), ends) => Some(open - usize::from(is_escaped(text, open, 0))),
        _ => escape,
    }
}

fn is_escaped(text: &[u8], open: usize, from: usize) -> bool {
    open > from && open.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'\\')
}

/// What begins with the bracket at `open`.
fn front(text: &[u8], open: usize, from: usize) -> Front {
    let escaped = is_escaped(text, open, from);
    let mut name = Name::new();
    let mut at = open + 1;
    // A separator that was read and not yet written, and whether it may be the space before the closing bracket.
    let mut separator = None;
    if text.get(at) == Some(&b' ') {
        at += 1;
    }
    loop {
        let (part, length) = part(text.get(at..).unwrap_or_default());
        at += length;
        let closes_escaped = length == 2;
        let fits = match part {
            Part::Letter(letter) => (separator.take().is_none() || name.push(b'_')) && name.push(letter),
            Part::Separator => separator.replace(false).is_none() || name.push(b'_'),
            Part::Space => separator.replace(true).is_none() || name.push(b'_'),
            Part::End => return Front::Open(name, separator.is_some() || text.ends_with(b"\\")),
            Part::Close => {
                let number = name.number().filter(|_| separator != Some(false) && (escaped || !closes_escaped));
                let start = open.saturating_sub(usize::from(closes_escaped));
                return number.map_or(Front::Other, |number| Front::Whole(Candidate { start, end: at, name, number }));
            }
            Part::Other => false,
        };
        if !fits {
            return Front::Other;
        }
    }
}

/// What `text` begins with, and how many bytes that has. A backslash at its end is as if it was not there.
fn part(text: &[u8]) -> (Part, usize) {
    match text {
        [] | [b'\\'] => (Part::End, 0),
        [b'\\', b'_' | b'-', ..] => (Part::Separator, 2),
        [b'\\', b']', ..] => (Part::Close, 2),
        [b'_' | b'-', ..] => (Part::Separator, 1),
        [b' ', ..] => (Part::Space, 1),
        [b']', ..] => (Part::Close, 1),
        [letter, ..] if letter.is_ascii_alphanumeric() => (Part::Letter(letter.to_ascii_uppercase()), 1),
        _ => (Part::Other, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::next;
    use super::open_at_end;

    fn read(text: &str) -> Option<(usize, usize, String, u32)> {
        next(text.as_bytes(), 0).map(|found| {
            (found.start, found.end, String::from_utf8_lossy(found.name.as_bytes()).into_owned(), found.number)
        })
    }

    #[test]
    fn the_tolerance_is_what_the_table_says() {
        let cases = [
            // (text, what stands before the placeholder, its name)
            ("[EMAIL_1]", "", "EMAIL_1"),
            ("a [email_12] b", "a ", "EMAIL_12"),
            ("[Email 1]", "", "EMAIL_1"),
            ("[EMAIL-1]", "", "EMAIL_1"),
            ("[ EMAIL_1 ]", "", "EMAIL_1"),
            ("[EMAIL 1 ]", "", "EMAIL_1"),
            ("[EMAIL\\_1]", "", "EMAIL_1"),
            ("[EMAIL\\-1]", "", "EMAIL_1"),
            ("\\[EMAIL\\_1\\]", "", "EMAIL_1"),
            ("\\[EMAIL_1]", "\\", "EMAIL_1"),
            ("\\\\[EMAIL_1\\]", "\\", "EMAIL_1"),
            ("[[us-ssn 3]]", "[", "US_SSN_3"),
            ("[EMAIL_0] [A__B_1]", "[EMAIL_0] ", "A__B_1"),
            ("[__1]", "", "__1"),
        ];
        for (text, before, name) in cases {
            let (start, end, found, number) = read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((text.get(..start), found.as_str()), (Some(before), name), "{text}");
            assert_eq!(name.rsplit('_').next(), Some(number.to_string().as_str()), "{text}");
            assert_eq!(text.get(end..).map(|rest| rest.trim_end_matches([']', 'b', ' '])), Some(""), "{text}");
        }
        let long = format!("[{}_1]", "A".repeat(60));
        for text in [
            "",
            "[",
            "[]",
            "[1]",
            "[_1]",
            "[EMAIL]",
            "[EMAIL_]",
            "[EMAIL_1",
            "EMAIL_1]",
            "[EMAIL1]",
            "[EMAIL_01]",
            "[EMAIL_0]",
            "[EMAIL_1\\]",
            "[EMAIL_1_]",
            "[EMAIL_1 _]",
            "[EMAIL_1x]",
            "[EMAIL_+1]",
            "[EMAIL_1.0]",
            "(EMAIL_1)",
            "[EMAIL\n1]",
            "[EMAIL\u{a0}1]",
            "[EMAIL_1234567890]",
            "\u{ff3b}EMAIL_1\u{ff3d}",
            "[EMAIL\\\\_1]",
            &long,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        // Forms with a separator too many are placeholders, but none that is issued under that word.
        assert_eq!(read("[EMAIL__1]").map(|(_, _, name, _)| name).as_deref(), Some("EMAIL__1"));
        assert_eq!(read("[  EMAIL_1]").map(|(_, _, name, _)| name).as_deref(), Some("_EMAIL_1"));
    }

    #[test]
    fn what_is_cut_off_may_become_one_wherever_it_is_cut() {
        let names = ["EMAIL_1", "EMAIL_12", "US_SSN_3"];
        let issued = |name: &[u8], ends: bool| {
            names.iter().any(|known| {
                let rest = known.as_bytes().strip_prefix(name);
                rest.is_some_and(|rest| !ends || rest.is_empty() || rest.starts_with(b"_"))
            })
        };
        for text in ["[EMAIL_1]", "[ email 12 ]", "\\[EMAIL\\_1\\]", "[us-ssn-3]", "[US\\-SSN 3]"] {
            for begun in (1..text.len()).filter_map(|cut| text.get(..cut)) {
                let begun = format!("so [see] {begun}");
                assert_eq!(open_at_end(begun.as_bytes(), issued), Some(9), "{begun}");
            }
            assert_eq!(open_at_end(text.as_bytes(), issued), None, "{text}");
        }
        for text in [
            "",
            "a",
            "[x",
            "[EMAIL_2",
            "[EMAIL_13",
            "[EMAIL_1\n",
            "[see",
            "[EMAIL_1]",
            "[EMAIL__",
            "[1",
            "[EMAIL 1 2",
            "\\x",
        ] {
            assert_eq!(open_at_end(text.as_bytes(), issued), None, "{text}");
        }
        assert_eq!(open_at_end(b"[x\\", issued), Some(2));
    }
}
