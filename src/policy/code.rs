//! Reason codes: `DLP.PII.EMAIL`. A closed alphabet and a bounded length, so that a code can stand in an event, a metric and an answer.

use std::fmt;

/// Bytes of the longest code.
pub const CODE_BYTES_MAX: usize = 48;

/// A reason code: two to four words of `[A-Z0-9_]`, joined by dots.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    bytes: [u8; CODE_BYTES_MAX],
    length: u8,
}

impl Code {
    /// Reads a code; none where `text` is not one.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let words = text.split('.');
        let shaped = (2..=4).contains(&words.clone().count()) && words.into_iter().all(is_word);
        let mut bytes = [0; CODE_BYTES_MAX];
        bytes.get_mut(..text.len()).filter(|_| shaped)?.copy_from_slice(text.as_bytes());
        Some(Self { bytes, length: u8::try_from(text.len()).ok()? })
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes.get(..usize::from(self.length)).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

fn is_word(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_ascii_uppercase())
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn a_code_is_upper_case_words_and_dots() {
        for text in ["DLP.PII.EMAIL", "POLICY.RATE", "DLP.PII.EU_NATIONAL_ID.DE_TAX_ID", "A.B2"] {
            assert_eq!(Code::new(text).map(|code| code.to_string()).as_deref(), Some(text));
        }
        let long = format!("DLP.{}", "A".repeat(45));
        for text in
            ["", "DLP", "DLP.", ".DLP", "dlp.pii", "DLP..X", "DLP.PII EMAIL", "DLP.É", "A.B.C.D.E", "DLP.1A", &long]
        {
            assert_eq!(Code::new(text), None, "{text}");
        }
    }
}
