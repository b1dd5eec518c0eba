//! E-mail addresses: read from their `@` in both directions.
//!
//! Only the characters that mailboxes use in practice begin or go on with a local part; quoted local parts (RFC 5321 section 4.1.2) are
//! not looked for.

use super::Exceeded;
use super::check::TopLevel;
use super::check::top_level;
use super::detector::Kind;
use super::scan::Pass;

/// Octets of a local part (RFC 5321 section 4.5.3.1.1).
pub(super) const LOCAL_BYTES_MAX: usize = 64;

/// Octets of a domain (RFC 5321 section 4.5.3.1.2).
pub(super) const DOMAIN_BYTES_MAX: usize = 255;

/// Bytes before a local part that are searched for the `//` of a URL with a password.
const USERINFO_BYTES_MAX: usize = 64;

pub(super) fn in_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-')
}

pub(super) fn in_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')
}

/// Reads the address around the `@` at `at`.
pub(super) fn at(pass: &mut Pass<'_>, at: usize) -> Result<(), Exceeded> {
    let text = pass.text;
    let Some((front, back)) = text.split_at_checked(at) else { return Ok(()) };
    let back = back.get(1..).unwrap_or_default();
    // The domain first: without one nothing else is read.
    let run = back.iter().take(DOMAIN_BYTES_MAX).take_while(|byte| in_domain(**byte)).count();
    pass.read(run as u64 + 1)?;
    let Some((domain, known)) = back.get(..run).and_then(domain) else { return Ok(()) };
    let local = front.iter().rev().take(LOCAL_BYTES_MAX + 1).take_while(|byte| in_local(**byte)).count();
    pass.read(local as u64)?;
    let Some(local) = front.get(at.saturating_sub(local)..).filter(|local| local.len() <= LOCAL_BYTES_MAX) else {
        return Ok(());
    };
    // What begins a mailbox is a letter, a digit or `_`; what stands before that is the text's.
    let skipped = local.iter().take_while(|byte| !byte.is_ascii_alphanumeric() && **byte != b'_').count();
    let local = local.get(skipped..).unwrap_or_default();
    if local.is_empty() || local.last() == Some(&b'.') {
        return Ok(());
    }
    let start = at - local.len();
    let after = back.get(domain.len()).copied();
    let remote = matches!(local, b"git" | b"hg" | b"svn") || after == Some(b'@');
    if remote || is_userinfo(pass, start)? {
        return Ok(());
    }
    pass.found(Kind::Email, start..at + 1 + domain.len(), known == TopLevel::Known, false)
}

/// The domain at the front of a run of domain characters, and what its last label is.
fn domain(run: &[u8]) -> Option<(&[u8], TopLevel)> {
    // A full stop or a dash behind a domain is the sentence's.
    let len = run.iter().rposition(u8::is_ascii_alphanumeric)? + 1;
    let domain = run.get(..len)?;
    let mut labels = 0;
    let mut last: &[u8] = &[];
    let mut name: &[u8] = &[];
    for label in domain.split(|byte| *byte == b'.') {
        if label.is_empty() || label.len() > 63 || label.first() == Some(&b'-') || label.last() == Some(&b'-') {
            return None;
        }
        labels += 1;
        name = last;
        last = label;
    }
    let reserved = ["example", "test", "invalid", "localhost"];
    let is = |label: &[u8], names: &[&str]| names.iter().any(|name| label.eq_ignore_ascii_case(name.as_bytes()));
    // RFC 2606.
    if labels < 2 || is(last, &reserved) || (is(name, &["example"]) && is(last, &["com", "org", "net", "edu"])) {
        return None;
    }
    match top_level(last) {
        TopLevel::Unknown => None,
        known => Some((domain, known)),
    }
}

/// Whether what stands before `start` makes this the user (and password) of a URL: `//user:` with no `/` behind.
fn is_userinfo(pass: &mut Pass<'_>, start: usize) -> Result<bool, Exceeded> {
    let front = pass.text.get(..start).unwrap_or_default();
    let Some(b':' | b'/') = front.last() else { return Ok(false) };
    let mut read = 0;
    let mut slash = false;
    let mut found = false;
    for byte in front.iter().rev().take(USERINFO_BYTES_MAX) {
        read += 1;
        match byte {
            b'/' if slash => {
                found = true;
                break;
            }
            b'/' => slash = true,
            // A slash that stands alone begins a path: the authority ended before it.
            _ if slash => break,
            b' ' | b'\n' | b'\t' | b'"' | b'\'' | b'<' | b'>' | b'@' => break,
            _ => {}
        }
    }
    pass.read(read)?;
    Ok(found)
}
