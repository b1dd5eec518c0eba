//! Whether the bytes at a place for media are media: base64 (RFC 4648) and nothing else.
//!
//! A place alone proves nothing: a text that is put there must be read. It never decodes.

use memchr::memchr;

use crate::limits;

/// Whether the inside of a string is media as APIs take them: base64, or a `data:` URL with it.
pub(super) fn is_media(raw: &[u8]) -> bool {
    is_base64(raw) || is_data_url(raw)
}

/// Whether the inside of a string is base64, of either alphabet, on one line or more.
pub(super) fn is_base64(raw: &[u8]) -> bool {
    let mut rest = raw;
    let mut letters = 0;
    loop {
        let length = memchr(b'\\', rest).unwrap_or(rest.len());
        let Some((line, escape)) = rest.split_at_checked(length) else { return false };
        // The ends of lines, and the slash as some encoders write it.
        rest = match escape {
            [] => return letters + unpadded(line).len() > 0 && is_alphabet(unpadded(line)),
            [b'\\', b'n' | b'r' | b'/', after @ ..] => after,
            _ => return false,
        };
        // Padding ends base64; only ends of lines may follow it.
        let is_over = matches!(rest, [] | [b'\\', b'n' | b'r', ..]);
        let line = if is_over { unpadded(line) } else { line };
        if !is_alphabet(line) {
            return false;
        }
        letters += line.len();
    }
}

/// Whether it is a `data:` URL (RFC 2397) with base64 in it.
pub(super) fn is_data_url(raw: &[u8]) -> bool {
    let Some((scheme, rest)) = raw.split_first_chunk::<5>() else { return false };
    let Some(comma) = rest.iter().take(limits::WORD_BYTES_MAX).position(|&byte| byte == b',') else { return false };
    let Some((head, data)) = rest.split_at_checked(comma) else { return false };
    let is_head = |byte: &u8| byte.is_ascii_alphanumeric() || b"/+-.;=_\\".contains(byte);
    scheme.eq_ignore_ascii_case(b"data:")
        && head.last_chunk::<7>().is_some_and(|end| end.eq_ignore_ascii_case(b";base64"))
        && head.iter().all(is_head)
        && is_base64(data.get(1..).unwrap_or_default())
}

/// Without up to two signs of padding.
fn unpadded(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"=").unwrap_or(line);
    line.strip_suffix(b"=").unwrap_or(line)
}

/// Whether all bytes are of an alphabet of RFC 4648. Written so that the compiler makes vectors of it: images are megabytes.
fn is_alphabet(bytes: &[u8]) -> bool {
    let is_in = |byte: u8| {
        (byte | 0x20).wrapping_sub(b'a') < 26
            || byte.wrapping_sub(b'0') < 10
            || byte == b'+'
            || byte == b'/'
            || byte == b'-'
            || byte == b'_'
    };
    bytes.chunks(4096).all(|block| block.iter().fold(true, |all, &byte| all & is_in(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_told_from_text() {
        let cases: &[(&str, bool)] = &[
            ("", false),
            ("=", false),
            ("\\n", false),
            ("iVBORw0KGgo=", true),
            ("iVBORw0KGg==", true),
            ("iVBORw0KGg===", false),
            ("iVBO=Rw0", false),
            ("+/-_09azAZ", true),
            ("iVBO\\/Rw0", true),
            ("iVBO\\nRw0K\\r\\nGgo=\\n", true),
            ("iVBO\\u0041", false),
            ("iVBO\\tRw0", false),
            ("iVBO\\\\Rw0", false),
            ("iVBO=\\/Rw0", false),
            ("two words", false),
            ("a@b", false),
            ("a.b", false),
            ("é", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_base64(text.as_bytes()), *expected, "{text}");
        }
        for byte in 0..=u8::MAX {
            let is_letter = byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
            let mut block = [b'A'; 5000];
            for at in [0, 63, 4095, 4096, 4999] {
                block[at] = byte;
                assert_eq!(is_alphabet(&block), is_letter, "{byte}");
                block[at] = b'A';
            }
        }
    }

    #[test]
    fn data_urls_are_told_from_others() {
        let cases: &[(&str, bool)] = &[
            ("data:image/png;base64,iVBO", true),
            ("DATA:image\\/png;charset=x;BASE64,iVBO", true),
            ("data:;base64,iVBO", true),
            ("data:image/png;base64,", false),
            ("data:image/png,iVBO", false),
            ("data:image/png;base64", false),
            ("data:a text;base64,iVBO", false),
            ("data:image/png;base64,a text", false),
            ("https://x.test/;base64,iVBO", false),
            ("data:", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_data_url(text.as_bytes()), *expected, "{text}");
        }
        let long = format!("data:{};base64,iVBO", "a".repeat(limits::WORD_BYTES_MAX));
        assert!(!is_data_url(long.as_bytes()));
    }
}
