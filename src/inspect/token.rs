//! Secrets with a literal in them: cloud and provider keys, tokens, private keys.
//!
//! A token is the whole row of its characters around the literal, so that a row is read once whatever literals it is full of.

use super::Exceeded;
use super::check;
use super::detector::Kind;
use super::literal::Action;
use super::literal::Needle;
use super::scan::Pass;

/// Literals that begin a token or stand in it, and their readers. A row of `detector::DETECTORS` names them in `anchors`.
pub(super) const NEEDLES: &[(&str, Kind)] = &[
    ("AKIA", Kind::AwsAccessKey),
    ("ASIA", Kind::AwsAccessKey),
    ("ghp_", Kind::GithubToken),
    ("gho_", Kind::GithubToken),
    ("ghu_", Kind::GithubToken),
    ("ghs_", Kind::GithubToken),
    ("ghr_", Kind::GithubToken),
    ("github_pat_", Kind::GithubToken),
    ("T3BlbkFJ", Kind::OpenaiKey),
    ("sk-ant-", Kind::AnthropicKey),
    ("-----BEGIN ", Kind::PrivateKey),
    ("eyJ", Kind::Jwt),
];

/// Bytes of the longest token but a JWT: a provider's key has about 200.
pub(super) const TOKEN_BYTES_MAX: usize = 512;

/// Bytes of a JWT's header that are decoded.
const HEADER_BYTES_MAX: usize = 1024;

/// Adds the needles of the kinds that are wanted.
pub(super) fn needles(wanted: impl Fn(Kind) -> bool, needles: &mut Vec<Needle>) {
    let rows = NEEDLES.iter().filter(|(_, kind)| wanted(*kind));
    needles.extend(rows.map(|(text, kind)| Needle {
        text: text.as_bytes().into(),
        fold: false,
        action: Action::Token(*kind),
        gram_at: None,
    }));
}

/// Reads the token with a needle of this kind at `start`.
pub(super) fn at(pass: &mut Pass<'_>, kind: Kind, start: usize) -> Result<(), Exceeded> {
    let place = kind as usize;
    if pass.done.get(place).is_some_and(|done| start < *done) {
        return Ok(());
    }
    let done = match kind {
        Kind::AwsAccessKey => aws_access_key(pass, start)?,
        Kind::GithubToken => github_token(pass, start)?,
        Kind::OpenaiKey => openai_key(pass, start)?,
        Kind::AnthropicKey => anthropic_key(pass, start)?,
        Kind::PrivateKey => private_key(pass, start)?,
        Kind::Jwt => jwt(pass, start)?,
        Kind::Email | Kind::Card | Kind::Iban | Kind::UsSsn | Kind::Phone | Kind::Ipv4 => start,
    };
    if let Some(mark) = pass.done.get_mut(place) {
        *mark = done;
    }
    Ok(())
}

pub(super) fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

pub(super) fn in_token(byte: u8) -> bool {
    in_word(byte) || byte == b'-'
}

/// How many bytes from `start` on are of a kind; at most `max`.
fn row(pass: &mut Pass<'_>, start: usize, max: usize, is: fn(u8) -> bool) -> Result<usize, Exceeded> {
    let row = pass.text.get(start..).unwrap_or_default().iter().take(max).take_while(|byte| is(**byte)).count();
    pass.read(row as u64 + 1)?;
    Ok(row)
}

fn byte_before(pass: &Pass<'_>, at: usize) -> Option<u8> {
    at.checked_sub(1).and_then(|before| pass.text.get(before)).copied()
}

/// An access key id: prefix and 16 characters of base32.
fn aws_access_key(pass: &mut Pass<'_>, start: usize) -> Result<usize, Exceeded> {
    const BYTES: usize = 20;
    if byte_before(pass, start).is_some_and(in_word) {
        return Ok(start);
    }
    let len = row(pass, start, BYTES + 1, in_word)?;
    let end = start + len;
    let Some(random) = pass.text.get(start + 4..end).filter(|_| len == BYTES) else { return Ok(end) };
    let base32 = random.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'));
    if base32 && !check::placeholder(random) {
        pass.found(Kind::AwsAccessKey, start..end, true, false)?;
    }
    Ok(end)
}

/// A token of GitHub: `ghp_` and 36 characters, the last six a checksum; or a fine-grained one.
fn github_token(pass: &mut Pass<'_>, start: usize) -> Result<usize, Exceeded> {
    if byte_before(pass, start).is_some_and(in_word) {
        return Ok(start);
    }
    let len = row(pass, start, TOKEN_BYTES_MAX, in_word)?;
    let end = start + len;
    let Some(token) = pass.text.get(start..end) else { return Ok(end) };
    if let Some(random) = token.strip_prefix(b"github_pat_") {
        let exact = random.len() == 82
            && random.get(22) == Some(&b'_')
            && random.iter().filter(|byte| **byte == b'_').count() == 1;
        if exact && !check::placeholder(random) {
            pass.found(Kind::GithubToken, start..end, true, false)?;
        }
        return Ok(end);
    }
    let Some(random) = token.get(4..) else { return Ok(end) };
    if (36..=251).contains(&random.len()) && random.iter().all(u8::is_ascii_alphanumeric) && !check::placeholder(random)
    {
        pass.read(random.len() as u64)?;
        pass.found(Kind::GithubToken, start..end, has_checksum(random), false)?;
    }
    Ok(end)
}

/// Whether the last six characters are the CRC-32 of those before, in base 62.
pub(super) fn has_checksum(random: &[u8]) -> bool {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some((random, tail)) = random.split_last_chunk::<6>() else { return false };
    let mut rest = check::crc32(random) as usize;
    let mut expected = [0_u8; 6];
    for place in expected.iter_mut().rev() {
        *place = ALPHABET.get(rest % 62).copied().unwrap_or(0);
        rest /= 62;
    }
    expected == *tail
}

/// A key of OpenAI: `sk-`, a kind or none, and the marker between two random parts.
fn openai_key(pass: &mut Pass<'_>, marker: usize) -> Result<usize, Exceeded> {
    let behind = row(pass, marker, TOKEN_BYTES_MAX, in_token)?;
    let front = pass.text.get(..marker).unwrap_or_default();
    let before = front.iter().rev().take(TOKEN_BYTES_MAX / 2).take_while(|byte| in_token(**byte)).count();
    pass.read(before as u64)?;
    let (start, end) = (marker - before, marker + behind);
    let Some(token) = pass.text.get(start..end) else { return Ok(end) };
    // The row may go on before the key: `key_sk-…` is rare, `name-sk-…` is not one.
    let Some(random) = token.strip_prefix(b"sk-") else { return Ok(end) };
    let parts = (before.saturating_sub(3), behind.saturating_sub(8));
    let long = |part: usize| (20..=200).contains(&part);
    if long(parts.0) && long(parts.1) && !check::placeholder(random) {
        pass.found(Kind::OpenaiKey, start..end, true, false)?;
    }
    Ok(end)
}

/// A key of Anthropic: its kind, then 93 characters and `AA`.
fn anthropic_key(pass: &mut Pass<'_>, start: usize) -> Result<usize, Exceeded> {
    if byte_before(pass, start).is_some_and(in_token) {
        return Ok(start);
    }
    let len = row(pass, start, TOKEN_BYTES_MAX, in_token)?;
    let end = start + len;
    let rest = pass.text.get(start + 7..end).unwrap_or_default();
    let kind = rest.iter().take_while(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()).count();
    let Some((b'-', random)) = rest.get(kind..).and_then(<[u8]>::split_first) else { return Ok(end) };
    if (2..=12).contains(&kind) && (40..=200).contains(&random.len()) && !check::placeholder(random) {
        let exact = random.len() == 95 && random.ends_with(b"AA");
        pass.found(Kind::AnthropicKey, start..end, exact, false)?;
    }
    Ok(end)
}

/// A private key in its armour. The end line may be missing: what was cut off is no reason to let the rest pass.
fn private_key(pass: &mut Pass<'_>, start: usize) -> Result<usize, Exceeded> {
    const HEAD_BYTES_MAX: usize = 64;
    let begin = start + b"-----BEGIN ".len();
    let label =
        row(pass, begin, HEAD_BYTES_MAX, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ')?;
    let rest = pass.text.get(begin..).unwrap_or_default();
    let private =
        rest.get(..label).is_some_and(|label| label.ends_with(b"PRIVATE KEY") || label.ends_with(b"PRIVATE KEY BLOCK"));
    let body = begin + label + 5;
    if !private || !rest.get(label..).is_some_and(|rest| rest.starts_with(b"-----")) {
        return Ok(begin + label);
    }
    // Base64, the lines before it (RFC 1421 section 4.4, RFC 9580 section 6.2.2), and what source code puts between lines.
    let text = pass.text.get(body..).unwrap_or_default();
    let mut encoded = 0_usize;
    let mut dashes = 0;
    let mut len = 0;
    for byte in text {
        if !in_armour(*byte) {
            break;
        }
        encoded += usize::from(in_base64(*byte));
        len += 1;
        dashes = if *byte == b'-' { dashes + 1 } else { 0 };
        if dashes == 5 {
            break;
        }
    }
    pass.read(len as u64)?;
    let mut end = body + len;
    let closed = dashes == 5;
    if closed {
        let tail = text.get(len..).unwrap_or_default();
        let foot =
            tail.iter().take(HEAD_BYTES_MAX).take_while(|byte| byte.is_ascii_uppercase() || **byte == b' ').count();
        pass.read(foot as u64)?;
        if tail.starts_with(b"END ") && tail.get(foot..).is_some_and(|rest| rest.starts_with(b"-----")) {
            end += foot + 5;
        } else {
            end -= 5;
        }
    }
    if encoded >= 40 && !is_mask(text.get(..len).unwrap_or_default()) {
        pass.found(Kind::PrivateKey, start..end, true, false)?;
    }
    Ok(end)
}

fn in_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Bytes of an armour's body: base64, the lines before it, and what source code puts between lines.
pub(super) fn in_armour(byte: u8) -> bool {
    in_base64(byte)
        || matches!(byte, b'-' | b' ' | b'\t' | b'\r' | b'\n' | b'\\' | b':' | b',' | b'.' | b'"' | b'\'')
        || matches!(byte, b'(' | b')' | b'<' | b'>' | b'@')
}

/// Whether the body of a key is a mask: one byte over and over.
fn is_mask(body: &[u8]) -> bool {
    check::entropy(body.get(..body.len().min(512)).unwrap_or_default()) < 2.5
}

/// A JSON Web Token in the compact form: three parts, the first of which decodes to a JSON object with `alg`.
fn jwt(pass: &mut Pass<'_>, start: usize) -> Result<usize, Exceeded> {
    const SAMPLE: &[u8] = b"SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
    if byte_before(pass, start).is_some_and(in_token) {
        return Ok(start);
    }
    let head = row(pass, start, usize::MAX, in_token)?;
    let dot = |at: usize, pass: &Pass<'_>| pass.text.get(at) == Some(&b'.');
    let first = start + head;
    if !dot(first, pass) || !pass.text.get(start..first).is_some_and(is_header) {
        pass.read(head.min(HEADER_BYTES_MAX) as u64)?;
        return Ok(first);
    }
    pass.read(head.min(HEADER_BYTES_MAX) as u64)?;
    let claims = row(pass, first + 1, usize::MAX, in_token)?;
    let second = first + 1 + claims;
    if claims < 4 || !dot(second, pass) {
        return Ok(second);
    }
    let signature = row(pass, second + 1, usize::MAX, in_token)?;
    let end = second + 1 + signature;
    let sample = pass.text.get(second + 1..end) == Some(SAMPLE);
    pass.found(Kind::Jwt, start..end, !sample, false)?;
    Ok(end)
}

/// Whether base64url text decodes to `{…}` with `"alg"` in it. What is longer than a header is none.
fn is_header(text: &[u8]) -> bool {
    let mut decoded = [0_u8; HEADER_BYTES_MAX / 4 * 3];
    let Some(len) = decode(text, &mut decoded) else { return false };
    let object = decoded.get(..len).unwrap_or_default().trim_ascii();
    object.starts_with(b"{")
        && object.ends_with(b"}")
        && std::str::from_utf8(object).is_ok()
        && object.windows(5).enumerate().any(|(at, name)| {
            let behind = object.get(at + 5..).unwrap_or_default().trim_ascii_start();
            name == b"\"alg\"" && behind.starts_with(b":")
        })
}

/// Base64url without padding (RFC 4648 section 5); the number of bytes, or nothing where the text is none or does not fit.
fn decode(text: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut len = 0;
    let (mut held, mut bits) = (0_u32, 0);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            *out.get_mut(len)? = u8::try_from(held >> bits & 0xFF).ok()?;
            len += 1;
        }
    }
    Some(len)
}
