//! Numbers: payment cards, US SSNs, phone numbers, IPv4 addresses, IBANs.
//!
//! ```text
//!  run     +49 30 1234567, 4111 1111 1111 1111      digits, and at most two separators between two of them
//!  groups   49|30|1234567  4111|1111|1111|1111      each group is a head once; a head looks at the few groups behind it
//! ```
//! So each group is read a bounded number of times, however long the run is. A number never begins or ends inside a word, a longer row
//! of digits or a decimal fraction, and never crosses a line.

use super::Exceeded;
use super::check;
use super::check::Card;
use super::detector::Kind;
use super::scan::Pass;

/// Least digits of a run that is worth reading: an SSN or a national phone number.
pub(super) const DIGITS_MIN: u32 = 9;

/// Groups that a head looks at: `+33 1 23 45 67 89` has six.
const GROUPS: usize = 8;

/// Digits of the longest card number, and of the longest phone number (ITU-T E.164) with some room.
const NUMBER_DIGITS_MAX: usize = 19;

/// A row of digits. `start < end`.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    start: usize,
    end: usize,
}

impl Group {
    fn len(self) -> usize {
        self.end - self.start
    }
}

/// The groups from a head on, and the one before it.
struct Row<'a> {
    text: &'a [u8],
    before: Option<Group>,
    groups: [Group; GROUPS],
    /// Groups that there are. `count <= GROUPS`
    count: usize,
    /// Bytes read so far.
    read: u64,
}

impl<'a> Row<'a> {
    fn new(text: &'a [u8], start: usize) -> Self {
        let mut row = Self { text, before: None, groups: [Group::default(); GROUPS], count: 0, read: 0 };
        // A run may begin with a separator or two.
        let head = text.get(start..).unwrap_or_default().iter().take(3).position(u8::is_ascii_digit);
        if let Some(skip) = head {
            row.push(start + skip);
        }
        row.fill();
        row
    }

    fn push(&mut self, start: usize) {
        let digits = self.text.get(start..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if let Some(place) = self.groups.get_mut(self.count) {
            *place = Group { start, end: start + digits };
            self.count += 1;
            self.read += digits as u64 + 1;
        }
    }

    fn fill(&mut self) {
        while self.count < GROUPS {
            let Some(last) = self.group(self.count.wrapping_sub(1)) else { return };
            let rest = self.text.get(last.end..).unwrap_or_default();
            let separators =
                rest.iter().take(3).take_while(|byte| matches!(byte, b' ' | b'(' | b')' | b'-' | b'.' | b'/')).count();
            if separators == 0 || separators > 2 || !rest.get(separators).is_some_and(u8::is_ascii_digit) {
                return;
            }
            self.push(last.end + separators);
        }
    }

    fn group(&self, index: usize) -> Option<Group> {
        self.groups.get(index).copied().filter(|_| index < self.count)
    }

    /// Makes the next group the head.
    fn advance(&mut self) {
        self.before = self.group(0);
        let [_, second, third, fourth, fifth, sixth, seventh, eighth] = self.groups;
        self.groups = [second, third, fourth, fifth, sixth, seventh, eighth, Group::default()];
        self.count = self.count.saturating_sub(1);
        self.fill();
    }

    /// What stands between a group and the next one.
    fn between(&self, index: usize) -> &'a [u8] {
        match (self.group(index), self.group(index + 1)) {
            (Some(left), Some(right)) => self.text.get(left.end..right.start).unwrap_or_default(),
            _ => &[],
        }
    }

    fn byte_before(&self, at: usize) -> Option<u8> {
        at.checked_sub(1).and_then(|before| self.text.get(before)).copied()
    }

    /// What stands between the head and the group before it, where there is one.
    fn joined_before(&self) -> &'a [u8] {
        match (self.before, self.group(0)) {
            (Some(left), Some(head)) => self.text.get(left.end..head.start).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Whether a number may begin at the head.
    fn opens(&self) -> bool {
        let Some(head) = self.group(0) else { return false };
        match self.byte_before(head.start) {
            Some(b'.') => !head.start.checked_sub(2).and_then(|at| self.text.get(at)).is_some_and(u8::is_ascii_digit),
            Some(byte) => !byte.is_ascii_alphanumeric() && byte != b'_',
            None => true,
        }
    }

    /// Whether no word goes on at `start`.
    fn stands_apart(&self, start: usize) -> bool {
        !self.byte_before(start).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    /// Whether a number may end with a group.
    fn closes(&self, index: usize) -> bool {
        let Some(group) = self.group(index) else { return false };
        match self.text.get(group.end) {
            Some(b'.') => !self.text.get(group.end + 1).is_some_and(u8::is_ascii_digit),
            Some(byte) => !byte.is_ascii_alphanumeric() && *byte != b'_',
            None => true,
        }
    }

    /// Whether the first groups have these lengths, with one and the same separator out of `allowed` between them.
    fn has(&self, lengths: &[usize], allowed: &[u8]) -> Option<u8> {
        let mut separator = None;
        for (index, length) in lengths.iter().enumerate() {
            if self.group(index)?.len() != *length {
                return None;
            }
            if index + 1 < lengths.len() {
                let &[byte] = self.between(index) else { return None };
                if !allowed.contains(&byte) || separator.is_some_and(|known| known != byte) {
                    return None;
                }
                separator = Some(byte);
            }
        }
        separator
    }

    /// The digits of the first groups, one after the other; nothing where there are too many.
    fn digits(&self, groups: usize) -> Option<([u8; NUMBER_DIGITS_MAX], usize)> {
        let mut digits = [0; NUMBER_DIGITS_MAX];
        let mut count = 0;
        for index in 0..groups {
            let group = self.group(index)?;
            let from = self.text.get(group.start..group.end)?;
            digits.get_mut(count..count + from.len())?.copy_from_slice(from);
            count += from.len();
        }
        Some((digits, count))
    }
}

/// Reads the run of digits and separators that begins at `start`.
pub(super) fn run(pass: &mut Pass<'_>, start: usize) -> Result<(), Exceeded> {
    let mut row = Row::new(pass.text, start);
    let first = row.group(0);
    let (mut groups, mut digits, mut known) = (0_usize, 0_usize, false);
    let mut end = start;
    let mut counted = 0;
    while let Some(head) = row.group(0) {
        pass.read(row.read - counted)?;
        counted = row.read;
        if row.opens() {
            known |= card(pass, &row)?;
            known |= us_ssn(pass, &row)?;
            known |= phone(pass, &row)?;
        }
        groups += 1;
        digits += head.len();
        end = head.end;
        if groups == 1 && !known {
            known = is_date(&row) || is_quad(&row);
        }
        row.advance();
    }
    let Some(first) = first else { return Ok(()) };
    if !known && groups <= 5 && (9..=12).contains(&digits) {
        bare_phone(pass, first.start, end)?;
    }
    Ok(())
}

/// A card number at the head.
fn card(pass: &mut Pass<'_>, row: &Row<'_>) -> Result<bool, Exceeded> {
    const SHAPES: &[&[usize]] = &[&[4, 4, 4, 4, 3], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 1], &[6, 13]];
    let Some(head) = row.group(0).filter(|head| head.len() >= 4) else { return Ok(false) };
    // Most groups are told by their first digits to begin no card, before any shape is tried.
    if !pass.wants(Kind::Card) || !row.text.get(head.start..head.end).is_some_and(check::is_issued) {
        return Ok(false);
    }
    let mut found = false;
    if (13..=NUMBER_DIGITS_MAX).contains(&head.len()) {
        let apart = row.joined_before() != b"." && row.closes(0);
        found |= apart && card_of(pass, row, 1)?;
    }
    for shape in SHAPES {
        let Some(separator) = row.has(shape, b" -") else { continue };
        let last = shape.len() - 1;
        // Groups that go on with dashes are a longer number.
        let longer = separator == b'-' && (row.joined_before() == b"-" || row.between(last) == b"-");
        if !longer && row.closes(last) && card_of(pass, row, shape.len())? {
            found = true;
            break;
        }
    }
    Ok(found)
}

fn card_of(pass: &mut Pass<'_>, row: &Row<'_>, groups: usize) -> Result<bool, Exceeded> {
    let (Some((digits, count)), Some(head), Some(last)) = (row.digits(groups), row.group(0), row.group(groups - 1))
    else {
        return Ok(false);
    };
    pass.read(count as u64)?;
    let Some(card) = digits.get(..count).and_then(check::card) else { return Ok(false) };
    // Other numbers have these lengths too: article numbers, times in milliseconds.
    let doubtful = matches!(count, 13 | 14 | NUMBER_DIGITS_MAX);
    pass.found(Kind::Card, head.start..last.end, card == Card::Confirmed, doubtful)?;
    Ok(true)
}

/// A US SSN at the head.
fn us_ssn(pass: &mut Pass<'_>, row: &Row<'_>) -> Result<bool, Exceeded> {
    let Some(head) = row.group(0).filter(|head| matches!(head.len(), 3 | 9)) else { return Ok(false) };
    if !pass.wants(Kind::UsSsn) {
        return Ok(false);
    }
    let (groups, doubtful) = if head.len() == 9 {
        (1, true)
    } else {
        match row.has(&[3, 2, 4], b"- ") {
            Some(separator) => (3, separator == b' '),
            None => return Ok(false),
        }
    };
    let Some(last) = row.group(groups - 1).filter(|_| row.closes(groups - 1)) else { return Ok(false) };
    let joined = |between: &[u8]| !matches!(between, [] | b" ");
    let led = groups == 1 && matches!(row.byte_before(head.start), Some(b'-' | b'.' | b'/' | b'+'));
    if joined(row.joined_before())
        || joined(row.between(groups - 1))
        || led
        || row.byte_before(head.start) == Some(b'-')
    {
        return Ok(false);
    }
    let Some((digits, _)) = row.digits(groups) else { return Ok(false) };
    if !digits.first_chunk::<9>().is_some_and(check::us_ssn) {
        return Ok(false);
    }
    pass.found(Kind::UsSsn, head.start..last.end, false, doubtful)?;
    Ok(!doubtful)
}

/// A phone number at the head that needs no context: with `+`, or as North America writes it.
fn phone(pass: &mut Pass<'_>, row: &Row<'_>) -> Result<bool, Exceeded> {
    let Some(head) = row.group(0).filter(|head| head.len() <= 15) else { return Ok(false) };
    if !pass.wants(Kind::Phone) {
        return Ok(false);
    }
    match row.byte_before(head.start) {
        Some(b'+') => international(pass, row, head),
        _ if head.len() == 3 => north_american(pass, row, head),
        _ => Ok(false),
    }
}

fn international(pass: &mut Pass<'_>, row: &Row<'_>, head: Group) -> Result<bool, Exceeded> {
    let plus = head.start - 1;
    if row.byte_before(plus).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'+') {
        return Ok(false);
    }
    let mut best = None;
    for groups in 1..=row.count {
        let Some((digits, count)) = row.digits(groups) else { break };
        let Some((min, max)) = check::phone_lengths(digits.get(..count).unwrap_or_default()) else { break };
        if count > max.min(15) {
            break;
        }
        if count >= min && row.closes(groups - 1) {
            best = row.group(groups - 1);
        }
    }
    let Some(last) = best else { return Ok(false) };
    pass.found(Kind::Phone, plus..last.end, true, false)?;
    Ok(true)
}

/// `(212) 555-0123`, `212-555-0123`, `212.555.0123`, each with `1` before it or not; with spaces only where a context word is near.
fn north_american(pass: &mut Pass<'_>, row: &Row<'_>, head: Group) -> Result<bool, Exceeded> {
    let lengths = [0, 1, 2].map(|index| row.group(index).map(Group::len));
    let Some(last) = row.group(2).filter(|_| lengths == [Some(3), Some(3), Some(4)] && row.closes(2)) else {
        return Ok(false);
    };
    let Some((digits, _)) = row.digits(3) else { return Ok(false) };
    let leads = |at: usize| digits.get(at).is_some_and(|digit| (b'2'..=b'9').contains(digit));
    if !leads(0) || !leads(3) {
        return Ok(false);
    }
    let open = row.byte_before(head.start) == Some(b'(') && row.between(0).first() == Some(&b')');
    let doubtful = match (row.between(0), row.between(1)) {
        (b")" | b") " | b")-", b"-" | b"." | b" ") if open => false,
        (b"-", b"-") | (b".", b".") | (b" ", b"-") => false,
        (b" ", b" ") => true,
        _ => return Ok(false),
    };
    let opening = head.start - usize::from(open);
    let start = match row.before {
        Some(one) if row.text.get(one.start..one.end) == Some(b"1") && row.stands_apart(one.start) => one.start,
        _ if matches!(row.joined_before(), b"-" | b"." | b"/") => return Ok(false),
        _ if matches!(row.byte_before(opening), Some(b'-' | b'/')) => return Ok(false),
        _ => opening,
    };
    if matches!(row.between(2), b"-" | b"." | b"/") {
        return Ok(false);
    }
    pass.found(Kind::Phone, start..last.end, false, doubtful)?;
    Ok(!doubtful)
}

/// `2026-11-25`, `25.11.2026`: a date, and what follows it is a time.
fn is_date(row: &Row<'_>) -> bool {
    let lengths = [0, 1, 2].map(|index| row.group(index).map_or(0, Group::len));
    let between = row.between(0);
    matches!(lengths, [4, 1 | 2, 1 | 2] | [1 | 2, 1 | 2, 4])
        && between == row.between(1)
        && matches!(between, b"-" | b"." | b"/")
}

/// `10.0.0.1`: an address or a version.
fn is_quad(row: &Row<'_>) -> bool {
    [0, 1, 2].iter().all(|index| row.between(*index) == b"." && row.group(*index).is_some_and(|group| group.len() <= 3))
}

/// A whole run that is a phone number where a context word is near.
fn bare_phone(pass: &mut Pass<'_>, start: usize, end: usize) -> Result<(), Exceeded> {
    let text = pass.text;
    let (front, back) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
    let opens = match front {
        [.., left, b'-' | b'.' | b'/' | b','] => !left.is_ascii_alphanumeric(),
        [.., b':'] => true,
        [.., left] => !left.is_ascii_alphanumeric() && *left != b'_' && *left != b'$',
        [] => true,
    };
    let closes = match back {
        [b'-' | b'.' | b'/' | b':' | b',', right, ..] => !right.is_ascii_alphanumeric(),
        [right, ..] => !right.is_ascii_alphanumeric() && *right != b'_' && *right != b'%',
        [] => true,
    };
    if !opens || !closes || !pass.wants(Kind::Phone) {
        return Ok(());
    }
    let open = usize::from(front.last() == Some(&b'(') && text.get(start..end).is_some_and(|run| run.contains(&b')')));
    pass.found(Kind::Phone, start - open..end, false, true)
}

/// The address whose last dot is at `dot`; the scan has seen three dots and some digits.
pub(super) fn ipv4(pass: &mut Pass<'_>, dot: usize) -> Result<(), Exceeded> {
    let text = pass.text;
    let Some((front, back)) = text.split_at_checked(dot) else { return Ok(()) };
    let back = back.get(1..).unwrap_or_default();
    let tail = back.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    pass.read(tail as u64 + 2)?;
    let closes = match back.get(tail..).unwrap_or_default() {
        [b'.' | b'-', right, ..] => !right.is_ascii_alphanumeric(),
        [right, ..] => !right.is_ascii_alphanumeric() && *right != b'_',
        [] => true,
    };
    let mut address = [0_u8; 4];
    let [first @ .., last] = &mut address;
    let Some(octet) = octet(back.get(..tail).unwrap_or_default()).filter(|_| closes) else { return Ok(()) };
    *last = octet;
    let mut rest = front;
    for (index, place) in first.iter_mut().rev().enumerate() {
        if index > 0 {
            let Some((b'.', front)) = rest.split_last() else { return Ok(()) };
            rest = front;
        }
        let digits = rest.iter().rev().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        let Some((front, found)) = rest.split_at_checked(rest.len() - digits) else { return Ok(()) };
        let Some(found) = self::octet(found) else { return Ok(()) };
        *place = found;
        rest = front;
    }
    pass.read((dot - rest.len()) as u64)?;
    if !check::global_ipv4(address) || is_version(rest) {
        return Ok(());
    }
    pass.found(Kind::Ipv4, rest.len()..dot + 1 + tail, false, false)
}

/// A decimal octet without leading zeros.
fn octet(digits: &[u8]) -> Option<u8> {
    if digits.is_empty() || digits.len() > 3 || (digits.len() > 1 && digits.first() == Some(&b'0')) {
        return None;
    }
    u8::try_from(digits.iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'))).ok()
}

/// Whether what stands before makes four numbers a version or a section: `v`, `Chrome/`, `version `, `§ `; or part of something longer.
fn is_version(front: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"v",
        b"ver",
        b"version",
        b"versions",
        b"section",
        b"sections",
        b"sec",
        b"chapter",
        b"release",
        b"build",
        b"rev",
        b"clause",
        b"firmware",
        b"rfc",
        b"step",
    ];
    match front {
        [.., left, b'/'] if left.is_ascii_alphanumeric() => return true,
        [.., left, b'.' | b'-'] if left.is_ascii_alphanumeric() => return true,
        [.., b'.'] => return true,
        [.., byte] if byte.is_ascii_alphanumeric() || *byte == b'_' => return true,
        _ => {}
    }
    let near = front.get(front.len().saturating_sub(16)..).unwrap_or_default();
    let trimmed = near.trim_ascii_end();
    let trimmed = trimmed.strip_suffix(b":").or_else(|| trimmed.strip_suffix(b"=")).unwrap_or(trimmed).trim_ascii_end();
    let trimmed = trimmed.strip_suffix(b"\"").unwrap_or(trimmed);
    if trimmed.ends_with("§".as_bytes()) {
        return true;
    }
    let letters = trimmed.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = trimmed.get(trimmed.len() - letters..).unwrap_or_default();
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// The IBAN that may begin at `start`: the scan has seen two letters and two digits, and no word before them.
pub(super) fn iban(pass: &mut Pass<'_>, start: usize) -> Result<(), Exceeded> {
    let text = pass.text;
    let rest = text.get(start..).unwrap_or_default();
    let Some(country) = rest.first_chunk::<2>() else { return Ok(()) };
    let Some(length) = check::iban_length(*country) else { return Ok(()) };
    let mut kept = [0_u8; check::IBAN_LENGTH_MAX];
    let mut count = 0;
    let mut used = 0;
    let mut separator = None;
    for byte in rest.iter().take(2 * check::IBAN_LENGTH_MAX) {
        if count == length {
            break;
        }
        used += 1;
        match byte {
            // Groups of four, all with the same separator or with none.
            b' ' | b'-' if count == 4 && separator.is_none() => separator = Some(*byte),
            b' ' | b'-' if count % 4 == 0 && separator == Some(*byte) && rest.get(used - 2) != Some(byte) => {}
            _ if !byte.is_ascii_alphanumeric() => break,
            _ => {
                if let Some(place) = kept.get_mut(count) {
                    *place = *byte;
                }
                count += 1;
            }
        }
    }
    pass.read(used as u64)?;
    let goes_on = rest.get(used).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if count != length || goes_on || start.checked_sub(1).and_then(|at| text.get(at)) == Some(&b'_') {
        return Ok(());
    }
    pass.read(count as u64)?;
    if kept.get(..count).is_some_and(check::iban) {
        pass.found(Kind::Iban, start..start + used, true, false)?;
    }
    Ok(())
}
