//! Lower-case hexadecimal digits, the one spelling of keys and signatures.

/// Reads exactly `N` bytes; none where a digit is upper-case, is none, or the length is another.
#[must_use]
pub fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

/// Writes two digits for each byte.
#[must_use]
pub fn write(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use super::write;

    #[test]
    fn bytes_have_one_spelling() {
        for byte in 0..=u8::MAX {
            let text = write(&[byte, 0xa5]);
            assert_eq!(read(&text), Some([byte, 0xa5]));
        }
        for wrong in ["", "0", "000", "0g", "A0", " 0", "+1", "é"] {
            assert_eq!(read::<1>(wrong), None, "{wrong}");
        }
    }
}
