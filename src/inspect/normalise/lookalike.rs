//! Letters of other scripts that look like Latin ones, in words that mix scripts.
//!
//! `раypal` with a Cyrillic `ра` is a disguise; `пароль` is a word. So a letter is folded only in a token that also has Latin
//! letters, or in one of digits and nothing but lookalikes (a country code in an IBAN). After Unicode UTS #39, the letters of
//! Cyrillic, Greek and Armenian that most fonts draw as Latin ones.

use super::characters;
use super::map::Rewrite;

/// Folds them.
pub(super) fn fold(rewrite: &mut Rewrite<'_>) {
    let source = rewrite.source();
    // Where the last token ended.
    let mut done = 0;
    loop {
        let at = done + next_foreign(source.get(done..).unwrap_or_default());
        if at >= source.len() {
            return;
        }
        let before = source.get(done..at).unwrap_or_default();
        let letters = before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        done = at + foreign_bytes(source.get(at..).unwrap_or_default());
        // A word of one script, as nearly all are, is passed over without a closer look.
        if letters == 0 && !source.get(done).is_some_and(|byte| byte.is_ascii_alphanumeric() || is_latin_lead(*byte)) {
            continue;
        }
        let token = Token::read(source, at - letters);
        if token.is_disguised() {
            token.replace(rewrite);
        }
        done = token.end.max(done);
    }
}

/// Where the first letter of the three scripts begins, or the length.
fn next_foreign(rest: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at = characters::next_non_ascii(rest, at);
        match rest.get(at) {
            Some(byte) if is_foreign_lead(*byte) => return at,
            Some(_) => at += 1,
            None => return rest.len(),
        }
    }
}

/// How many bytes at the front are letters of the three scripts.
fn foreign_bytes(rest: &[u8]) -> usize {
    let (pairs, _) = rest.as_chunks::<2>();
    let is_letter = |pair: &&[u8; 2]| is_foreign_lead(pair[0]) && pair[1] & 0xc0 == 0x80;
    // A lead byte without its other half is no letter, and is passed over.
    pairs.iter().take_while(is_letter).count().max(1) * 2
}

/// The first bytes of U+0340 to U+05BF in UTF-8; marks at both ends among them, which are no letters.
fn is_foreign_lead(byte: u8) -> bool {
    matches!(byte, 0xcd..=0xd6)
}

/// The first bytes of U+00C0 to U+027F in UTF-8.
fn is_latin_lead(byte: u8) -> bool {
    matches!(byte, 0xc3..=0xc9)
}

/// Letters of the three scripts (Greek, Cyrillic, Armenian), which stand next to each other.
fn is_foreign(character: char) -> bool {
    matches!(character, '\u{370}'..='\u{58f}')
}

/// A run of ASCII letters and digits, letters of Latin blocks, and letters of the three scripts.
struct Token {
    start: usize,
    end: usize,
    latin: bool,
    digits: bool,
    /// A letter of the three scripts that looks like no Latin one.
    distinct: bool,
}

impl Token {
    fn read(source: &[u8], start: usize) -> Self {
        let mut token = Self { start, end: start, latin: false, digits: false, distinct: false };
        while let Some((character, length)) = characters::decode(source, token.end) {
            match character {
                '0'..='9' => token.digits = true,
                'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' => token.latin = true,
                _ if is_foreign(character) => token.distinct |= latin(character).is_none(),
                _ => break,
            }
            token.end += length;
        }
        token
    }

    fn is_disguised(&self) -> bool {
        self.latin || (self.digits && !self.distinct)
    }

    fn replace(&self, rewrite: &mut Rewrite<'_>) {
        let source = rewrite.source();
        let mut at = self.start;
        while at < self.end
            && let Some((character, length)) = characters::decode(source, at)
        {
            if let Some(letter) = latin(character) {
                rewrite.replace(at, at + length, &[letter]);
            }
            at += length;
        }
    }
}

/// The ASCII character that a letter of the three scripts looks like.
fn latin(character: char) -> Option<u8> {
    let letter = match character {
        'а' | 'α' => b'a',
        'ь' => b'b',
        'с' | 'ϲ' => b'c',
        'ԁ' => b'd',
        'е' => b'e',
        'ց' => b'g',
        'һ' | 'հ' | 'н' => b'h',
        'і' | 'ι' => b'i',
        'ј' | 'ϳ' => b'j',
        'к' | 'κ' => b'k',
        'ӏ' => b'l',
        'м' => b'm',
        'ո' | 'η' | 'п' => b'n',
        'о' | 'ο' | 'օ' | 'σ' => b'o',
        'р' | 'ρ' => b'p',
        'ԛ' => b'q',
        'г' => b'r',
        'ѕ' => b's',
        'т' | 'τ' => b't',
        'υ' | 'ս' => b'u',
        'ν' | 'ѵ' => b'v',
        'ԝ' | 'ω' => b'w',
        'х' | 'χ' => b'x',
        'у' | 'γ' | 'ү' => b'y',
        'А' | 'Α' => b'A',
        'В' | 'Β' | 'в' => b'B',
        'С' | 'Ϲ' => b'C',
        'Е' | 'Ε' => b'E',
        'Ԍ' => b'G',
        'Н' | 'Η' => b'H',
        'І' | 'Ι' | 'Ӏ' => b'I',
        'Ј' | 'Ϳ' => b'J',
        'К' | 'Κ' => b'K',
        'М' | 'Μ' => b'M',
        'Ν' => b'N',
        'О' | 'Ο' | 'Օ' => b'O',
        'Р' | 'Ρ' => b'P',
        'Ԛ' => b'Q',
        'Ѕ' | 'Տ' => b'S',
        'Т' | 'Τ' => b'T',
        'Ս' => b'U',
        'Ѵ' => b'V',
        'Ԝ' => b'W',
        'Х' | 'Χ' => b'X',
        'У' | 'Υ' | 'Ү' => b'Y',
        'Ζ' => b'Z',
        'З' | 'з' => b'3',
        'б' => b'6',
        _ => return None,
    };
    Some(letter)
}
