//! Wrappings in ASCII: HTML entities, percent-encoding, backslash escapes.
//!
//! ```text
//!  &#64;  &#x40;  &commat;     %40  %u0040     \u0040  \u{40}  \U00000040  \x40  \@  \n
//! ```
//! What does not decode to a character stays as it is: `100 %`, `AT&T`, `%E9`, half a surrogate pair. One layer is taken off at a time,
//! the result is never longer than the source, and no more than [`NAME_BYTES_MAX`] bytes are looked at for one wrapping.

use memchr::memchr3;

use super::map::Rewrite;

/// Bytes of the longest entity that is looked for, between `&` and `;`: more than `NonBreakingSpace`, and zeros before a number.
const NAME_BYTES_MAX: usize = 18;

/// Takes one layer off.
pub(super) fn unwrap(rewrite: &mut Rewrite<'_>) {
    let source = rewrite.source();
    let mut at = 0;
    while let Some(found) = source.get(at..).and_then(|rest| memchr3(b'&', b'%', b'\\', rest)) {
        at += found;
        let rest = source.get(at..).unwrap_or_default();
        let Some((length, character)) = unwrapped(rest) else {
            at += 1;
            continue;
        };
        rewrite.replace(at, at + length, character.encode_utf8(&mut [0; 4]).as_bytes());
        at += length;
    }
}

/// The length of the wrapping at the front, and the character in it.
fn unwrapped(rest: &[u8]) -> Option<(usize, char)> {
    match rest {
        [b'&', b'#', rest @ ..] => numeric(rest),
        [b'&', rest @ ..] => named(rest),
        [b'%', b'u' | b'U', rest @ ..] => utf16(rest, 4, |rest| matches!(rest, [b'%', b'u' | b'U', ..])),
        [b'%', ..] => utf8(rest, |rest| matches!(rest, [b'%', ..]), 1),
        [b'\\', b'x' | b'X', ..] => {
            let each = |rest: &[u8]| matches!(rest, [b'\\', b'x' | b'X', ..]);
            utf8(rest, each, 2).or_else(|| Some((4, char::from(u8::try_from(hexadecimal(rest.get(2..4)?)?).ok()?))))
        }
        [b'\\', b'u', b'{', rest @ ..] => {
            let digits = rest.iter().take(7).position(|byte| *byte == b'}')?;
            Some((digits + 4, char::from_u32(hexadecimal(rest.get(..digits)?)?)?))
        }
        [b'\\', b'u', rest @ ..] => utf16(rest, 4, |rest| matches!(rest, [b'\\', b'u', ..])),
        [b'\\', b'U', rest @ ..] => Some((10, char::from_u32(hexadecimal(rest.get(..8)?)?)?)),
        [b'\\', b'n', ..] => Some((2, '\n')),
        [b'\\', b'r', ..] => Some((2, '\r')),
        [b'\\', b't', ..] => Some((2, '\t')),
        [b'\\', byte, ..] if byte.is_ascii_punctuation() => Some((2, char::from(*byte))),
        _ => None,
    }
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

/// A character as one UTF-8 byte after the other, each as a prefix of `prefix` bytes and two digits.
fn utf8(rest: &[u8], is_prefixed: impl Fn(&[u8]) -> bool, prefix: usize) -> Option<(usize, char)> {
    let size = prefix + 2;
    let byte = |index: usize| {
        let rest = rest.get(index * size..)?;
        if !is_prefixed(rest) {
            return None;
        }
        u8::try_from(hexadecimal(rest.get(prefix..size)?)?).ok()
    };
    let first = byte(0)?;
    let count = match first {
        0..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let mut bytes = [first; 4];
    for (index, place) in bytes.iter_mut().enumerate().take(count) {
        *place = byte(index)?;
    }
    let character = std::str::from_utf8(bytes.get(..count)?).ok()?.chars().next()?;
    Some((count * size, character))
}

/// A character as one UTF-16 unit of four digits, or two; both with a prefix of two bytes. `rest` begins behind the first prefix.
fn utf16(rest: &[u8], digits: usize, is_prefixed: impl Fn(&[u8]) -> bool) -> Option<(usize, char)> {
    let unit = |digits: &[u8]| u16::try_from(hexadecimal(digits)?).ok();
    let first = unit(rest.get(..digits)?)?;
    let second = rest.get(digits..).filter(|rest| is_prefixed(rest)).and_then(|rest| unit(rest.get(2..6)?));
    let pair = [first, second.unwrap_or(0)];
    let character = char::decode_utf16(pair).next()?.ok()?;
    Some((6 * character.len_utf16(), character))
}
