//! Wrappings in ASCII: HTML entities, percent-encoding, backslash escapes.
//!
//! ```text
//!  &#64;  &#x40;  &commat;     %40  %u0040     \u0040  \u{40}  \U00000040  \x40  \@  \n
//! ```
//! Backslashes before punctuation count inside words only (`\@`, `\_`), those for line breaks before words only: programs and expressions
//! are full of the others. What does not decode to a character stays as it is: `100 %`, `AT&T`, `%E9`, half a surrogate pair. One layer is taken off at a time,
//! the result is never longer than the source, and no more than [`NAME_BYTES_MAX`] bytes are looked at for one wrapping.

use memchr::memchr3;

use super::map::Rewrite;

/// Bytes of the longest entity that is looked for, between `&` and `;`: more than `NonBreakingSpace`, and zeros before a number.
const NAME_BYTES_MAX: usize = 18;

/// Backslashes in a row that count as one.
const BACKSLASHES_MAX: usize = 8;

/// Bytes of a word behind `\n`, `\r` or `\t` that make the escape worth a look: a key or an address, not the end of a message.
const TOKEN_BYTES_MIN: usize = 4;

/// Takes one layer off.
pub(super) fn unwrap(rewrite: &mut Rewrite<'_>) {
    let source = rewrite.source();
    let mut at = 0;
    while let Some(rest) = source.get(at..) {
        let Some(found) = next_sign(rest) else { return };
        at += found;
        let rest = source.get(at..).unwrap_or_default();
        let before = at.checked_sub(1).and_then(|last| source.get(last)).copied().unwrap_or(b' ');
        if let Some((length, character)) = unwrapped(rest, before) {
            rewrite.replace(at, at + length, character.encode_utf8(&mut [0; 4]).as_bytes());
            at += length;
        } else {
            at += 1;
        }
    }
}

/// Where the next wrapping could begin. Where they stand close together, asking for the next byte alone is faster.
fn next_sign(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'&' | b'%' | b'\\', ..] => Some(0),
        _ => memchr3(b'&', b'%', b'\\', rest),
    }
}

/// The length of the wrapping at the front, and the character in it.
fn unwrapped(rest: &[u8], before: u8) -> Option<(usize, char)> {
    match rest {
        [b'&', b'#', rest @ ..] => numeric(rest),
        [b'&', rest @ ..] => named(rest),
        [b'%', b'u' | b'U', rest @ ..] => utf16(rest, |rest| matches!(rest, [b'%', b'u' | b'U', ..])),
        [b'%', digit, ..] if digit.is_ascii_hexdigit() => utf8(rest, |rest| matches!(rest, [b'%', ..]), 1),
        [b'\\', ..] => {
            // `\\u0040` was escaped twice; however often, it is one escape.
            let run = rest.iter().take(BACKSLASHES_MAX).take_while(|byte| **byte == b'\\').count();
            let (length, character) = escape(rest.get(run..)?, before)?;
            Some((run + length, character))
        }
        _ => None,
    }
}

/// The length of an escape, and its character. `rest` begins behind the backslash.
fn escape(rest: &[u8], before: u8) -> Option<(usize, char)> {
    match rest {
        [b'x' | b'X', digits @ ..] => {
            let each = |rest: &[u8]| matches!(rest, [b'\\', b'x' | b'X', ..]);
            bytes(hexadecimal(digits.get(..2)?)?, digits.get(2..)?, each, 2)
                .map(|(length, character)| (length - 1, character))
        }
        [b'u', b'{', rest @ ..] => {
            let digits = rest.iter().take(7).position(|byte| *byte == b'}')?;
            Some((digits + 3, char::from_u32(hexadecimal(rest.get(..digits)?)?)?))
        }
        [b'u', rest @ ..] => {
            let unit = utf16(rest, |rest| matches!(rest, [b'\\', b'u', ..]));
            unit.map(|(length, character)| (length - 1, character))
        }
        [b'U', rest @ ..] => Some((9, char::from_u32(hexadecimal(rest.get(..8)?)?)?)),
        [b'n', rest @ ..] if begins_token(rest) => Some((1, '\n')),
        [b'r', rest @ ..] if begins_token(rest) => Some((1, '\r')),
        [b't', rest @ ..] if begins_token(rest) => Some((1, '\t')),
        [byte @ (b'@' | b'.' | b'_' | b'-' | b'+' | b'/' | b':' | b'=' | b'#' | b'&' | b'%'), next, ..]
            if before.is_ascii_alphanumeric() && next.is_ascii_alphanumeric() =>
        {
            Some((1, char::from(*byte)))
        }
        _ => None,
    }
}

/// Whether a word begins here that is longer than those that stand behind a line break in the strings of programs.
fn begins_token(rest: &[u8]) -> bool {
    let is_token = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'.' | b'_' | b'-' | b'+');
    rest.iter().take(TOKEN_BYTES_MIN).take_while(is_token).count() == TOKEN_BYTES_MIN
}

/// The number that all of these digits are. None for none, and for more than eight.
fn hexadecimal(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    digits.iter().try_fold(0, |value: u32, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}

/// `&#64;`, `&#x40;`, the semicolon may be missing. `rest` begins behind the `#`.
fn numeric(rest: &[u8]) -> Option<(usize, char)> {
    let (radix, sign) = if matches!(rest, [b'x' | b'X', ..]) { (16, 1) } else { (10, 0) };
    let digits = rest.get(sign..)?;
    let count = digits.iter().take(NAME_BYTES_MAX).take_while(|digit| char::from(**digit).is_digit(radix)).count();
    if count == 0 || count == NAME_BYTES_MAX {
        return None;
    }
    let add = |value: u32, digit: &u8| value.checked_mul(radix)?.checked_add(char::from(*digit).to_digit(radix)?);
    let value = digits.get(..count)?.iter().try_fold(0, add)?;
    let semicolon = usize::from(digits.get(count) == Some(&b';'));
    let character = char::from_u32(value).filter(|character| *character != '\0')?;
    Some((2 + sign + count + semicolon, character))
}

/// `&commat;`. `rest` begins behind the `&`.
fn named(rest: &[u8]) -> Option<(usize, char)> {
    let length = rest.iter().take(NAME_BYTES_MAX).position(|byte| !byte.is_ascii_alphabetic())?;
    let (name, rest) = rest.split_at_checked(length)?;
    if rest.first() != Some(&b';') {
        return None;
    }
    Some((length + 2, entity(name)?))
}

/// The named entities that stand for ASCII, for spaces or for nothing: those that could hide something. HTML section 13.5.
fn entity(name: &[u8]) -> Option<char> {
    let character = match name {
        b"amp" | b"AMP" => '&',
        b"lt" | b"LT" => '<',
        b"gt" | b"GT" => '>',
        b"quot" | b"QUOT" => '"',
        b"apos" => '\'',
        b"nbsp" | b"NonBreakingSpace" => '\u{a0}',
        b"commat" => '@',
        b"period" => '.',
        b"colon" => ':',
        b"semi" => ';',
        b"comma" => ',',
        b"lowbar" | b"UnderBar" => '_',
        b"hyphen" | b"dash" => '\u{2010}',
        b"ndash" => '\u{2013}',
        b"mdash" => '\u{2014}',
        b"minus" => '\u{2212}',
        b"sol" => '/',
        b"bsol" => '\\',
        b"plus" => '+',
        b"equals" => '=',
        b"num" => '#',
        b"percnt" => '%',
        b"dollar" => '$',
        b"excl" => '!',
        b"quest" => '?',
        b"ast" | b"midast" => '*',
        b"lpar" => '(',
        b"rpar" => ')',
        b"lsqb" | b"lbrack" => '[',
        b"rsqb" | b"rbrack" => ']',
        b"lcub" | b"lbrace" => '{',
        b"rcub" | b"rbrace" => '}',
        b"vert" | b"verbar" => '|',
        b"grave" => '`',
        b"Hat" => '^',
        b"Tab" => '\t',
        b"NewLine" => '\n',
        b"ensp" => '\u{2002}',
        b"emsp" => '\u{2003}',
        b"thinsp" => '\u{2009}',
        b"shy" => '\u{ad}',
        b"zwj" => '\u{200d}',
        b"zwnj" => '\u{200c}',
        b"lrm" => '\u{200e}',
        b"rlm" => '\u{200f}',
        b"ZeroWidthSpace" => '\u{200b}',
        b"NoBreak" => '\u{2060}',
        _ => return None,
    };
    Some(character)
}

/// A character as one UTF-8 byte after the other, each a prefix and two digits; controls are left alone (`%02d`).
fn utf8(rest: &[u8], is_next: impl Fn(&[u8]) -> bool, prefix: usize) -> Option<(usize, char)> {
    let first = hexadecimal(rest.get(prefix..prefix + 2)?)?;
    bytes(first, rest.get(prefix + 2..)?, is_next, prefix)
}

/// The same, the first byte being known already. `rest` begins behind it.
fn bytes(first: u32, rest: &[u8], is_next: impl Fn(&[u8]) -> bool, prefix: usize) -> Option<(usize, char)> {
    let size = prefix + 2;
    let (count, mut value, least) = match first {
        0x09 | 0x0a | 0x0d | 0x20..=0x7e => return Some((size, char::from_u32(first)?)),
        0xc2..=0xdf => (2, first & 0x1f, 0x80),
        0xe0..=0xef => (3, first & 0x0f, 0x800),
        0xf0..=0xf4 => (4, first & 0x07, 0x1_0000),
        _ => return None,
    };
    for index in 0..count - 1 {
        let next = rest.get(index * size..).filter(|rest| is_next(rest))?;
        let byte = hexadecimal(next.get(prefix..size)?)?;
        if byte & 0xc0 != 0x80 {
            return None;
        }
        value = value << 6 | byte & 0x3f;
    }
    char::from_u32(value).filter(|_| value >= least).map(|character| (count * size, character))
}

/// A character as one UTF-16 unit of four digits, or two; both with a prefix of two bytes. `rest` begins behind the first prefix.
fn utf16(rest: &[u8], is_next: impl Fn(&[u8]) -> bool) -> Option<(usize, char)> {
    let unit = |digits: &[u8]| u16::try_from(hexadecimal(digits)?).ok();
    let first = unit(rest.get(..4)?)?;
    let second = rest.get(4..).filter(|rest| is_next(rest)).and_then(|rest| unit(rest.get(2..6)?));
    let character = char::decode_utf16([first, second.unwrap_or(0)]).next()?.ok()?;
    Some((6 * character.len_utf16(), character))
}
