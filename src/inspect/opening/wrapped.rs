//! Unfinished escapes: `&#6`, `%4`, `\u00`, and characters of which not all escaped bytes are there.

/// Bytes of the longest escape: more than a named entity has.
const ESCAPE_BYTES_MAX: usize = 20;

/// Signs that a backslash may stand before inside a word.
const ESCAPED: &[u8] = b"@._-+/:=#";

/// Where the escape begins that the text ends in the middle of, with those before it that belong to the same character.
pub(super) fn unfinished(text: &[u8]) -> Option<usize> {
    let floor = text.len().saturating_sub(ESCAPE_BYTES_MAX);
    let tail = text.get(floor..)?;
    let at = tail.iter().rposition(|byte| matches!(byte, b'&' | b'%' | b'\\'))?;
    let rest = tail.get(at + 1..)?;
    let hexadecimal = |digits: &[u8], max: usize| digits.len() < max && digits.iter().all(u8::is_ascii_hexdigit);
    let open = match tail.get(at)? {
        b'&' => rest.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'#'),
        b'%' => match rest {
            [b'u' | b'U', digits @ ..] => hexadecimal(digits, 4),
            digits => hexadecimal(digits, 2) || is_high(digits),
        },
        _ => match rest {
            [] => true,
            // It counts inside words: the next byte says.
            [byte] if ESCAPED.contains(byte) => true,
            [b'u', b'{', digits @ ..] => hexadecimal(digits, 7),
            [b'x' | b'X', digits @ ..] => hexadecimal(digits, 2) || is_high(digits),
            [b'u', digits @ ..] => hexadecimal(digits, 4) || matches!(digits, [b'd' | b'D', _, _, _]),
            [b'U', digits @ ..] => hexadecimal(digits, 8),
            _ => false,
        },
    };
    let mut start = floor + at;
    if !open {
        return None;
    }
    // Further bytes of the same character, and backslashes that were escaped themselves.
    while let Some(front) = text.get(..start) {
        start = match front {
            [before @ .., b'%', high, low] if is_high(&[*high, *low]) => before.len(),
            [before @ .., b'\\', b'x' | b'X', high, low] if is_high(&[*high, *low]) => before.len(),
            [before @ .., b'\\'] => before.len(),
            _ => break,
        };
    }
    Some(start)
}

/// Two digits of a byte beyond ASCII: of a character that has more.
fn is_high(digits: &[u8]) -> bool {
    matches!(digits, [b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', low] if low.is_ascii_hexdigit())
}
