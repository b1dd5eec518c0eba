//! A text as the message of a chat: the body that carries it, and the way back from offsets in that body to the text and its lines.

use super::finding::Finding;
use super::finding::Line;

/// The path of the chat that carries texts.
pub(in crate::command) const PATH: &str = "/v1/chat/completions";

/// The end of the message, behind the text.
const END: &str = "\"}]}";

/// A body with one message.
#[derive(Debug)]
pub(in crate::command) struct Carrier {
    pub(in crate::command) body: Vec<u8>,
    /// Where the text begins in the body.
    begin: usize,
    /// For each escape where it ends in the body, and in the text. Ascending.
    escapes: Vec<(usize, usize)>,
}

impl Carrier {
    /// Puts a text into the message of `role`, escaping what RFC 8259 section 7 says must be.
    pub(in crate::command) fn new(role: &str, text: &str) -> Self {
        let mut body = format!("{{\"messages\":[{{\"role\":\"{role}\",\"content\":\"");
        body.reserve(text.len() + END.len());
        let begin = body.len();
        let mut escapes = Vec::new();
        for (at, char) in text.char_indices() {
            match char {
                '"' | '\\' => body.extend(['\\', char]),
                '\0'..='\u{1f}' => body.push_str(&format!("\\u{:04x}", u32::from(char))),
                _ => {
                    body.push(char);
                    continue;
                }
            }
            escapes.push((body.len(), at + 1));
        }
        body.push_str(END);
        Self { body: body.into_bytes(), begin, escapes }
    }

    /// Where in the text an offset of the body is.
    fn offset(&self, at: usize) -> usize {
        let before = self.escapes.partition_point(|(in_body, _)| *in_body <= at);
        let (in_body, in_text) = match before.checked_sub(1).and_then(|last| self.escapes.get(last)) {
            Some(escape) => *escape,
            None => (self.begin, 0),
        };
        in_text + at.saturating_sub(in_body)
    }

    /// Turns findings in the body into findings in `text`, whose first line has the number `line`. They must be in order.
    pub(in crate::command) fn locate(&self, text: &str, line: usize, findings: &mut [Finding], matches: bool) {
        let mut seen = 0;
        let mut at = Line { line, column: 1 };
        for finding in findings {
            "text".clone_into(&mut finding.target);
            for span in &mut finding.spans {
                (span.start, span.end) = (self.offset(span.start), self.offset(span.end));
                for char in text.get(seen..span.start).unwrap_or_default().chars() {
                    at = if char == '\n' {
                        Line { line: at.line + 1, column: 1 }
                    } else {
                        Line { column: at.column + 1, ..at }
                    };
                }
                seen = seen.max(span.start);
                span.line = Some(at);
            }
            if matches {
                let parts = finding.spans.iter().map(|span| text.get(span.start..span.end).unwrap_or_default());
                finding.matched = Some(parts.collect());
            }
        }
    }

    /// The text that a redacted body carries; none if it is no such body.
    pub(in crate::command) fn text(body: &[u8]) -> Option<String> {
        let mut value: serde_json::Value = serde_json::from_slice(body).ok()?;
        match value.pointer_mut("/messages/0/content")?.take() {
            serde_json::Value::String(text) => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_of_a_text_is_found_again() {
        for text in ["", "plain", "\"", "a\"b\\c\n\u{1}\u{1f}\u{7f}é😀\"", "\\\\\n\n", "\u{fffd}\u{2028}"] {
            let carrier = Carrier::new("user", text);
            assert_eq!(Carrier::text(&carrier.body).as_deref(), Some(text));
            for (at, _) in text.char_indices().chain([(text.len(), ' ')]) {
                // The body up to a character carries the text up to it.
                let before = Carrier::new("user", text.get(..at).unwrap_or_default());
                assert_eq!(carrier.offset(before.body.len() - END.len()), at, "{text:?} {at}");
            }
        }
    }
}
