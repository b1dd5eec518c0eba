//! Unfinished tokens: e-mail addresses, keys with a known beginning, tokens in parts, private keys in their armour.

use memchr::memchr;
use memchr::memmem;

use super::earlier;
use super::row;
use crate::inspect::detector::Kind;
use crate::inspect::email::DOMAIN_BYTES_MAX;
use crate::inspect::email::LOCAL_BYTES_MAX;
use crate::inspect::email::in_domain;
use crate::inspect::email::in_local;
use crate::inspect::token::NEEDLES;
use crate::inspect::token::TOKEN_BYTES_MAX;
use crate::inspect::token::in_armour;
use crate::inspect::token::in_token;
use crate::inspect::token::in_word;

/// An address: the last word may be a local part, or what is before the last `@` is one.
pub(super) fn email(text: &[u8]) -> Option<usize> {
    let local = |text: &[u8]| {
        let length = row(text, LOCAL_BYTES_MAX + 1, in_local);
        let start = text.len() - length;
        let begins = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let skipped = text.get(start..)?.iter().position(begins)?;
        (length <= LOCAL_BYTES_MAX).then_some(start + skipped)
    };
    let domain = row(text, DOMAIN_BYTES_MAX + 1, in_domain);
    let front = text.get(..text.len() - domain).unwrap_or_default();
    let behind = front.strip_suffix(b"@").filter(|_| domain <= DOMAIN_BYTES_MAX).and_then(local);
    earlier(local(text), behind)
}

/// Keys that begin with a needle, and JSON Web Tokens.
pub(super) fn tokens(text: &[u8], wants: &impl Fn(Kind) -> bool) -> Option<usize> {
    let begins = |kind: Kind, row: &[u8]| {
        let mut needles = NEEDLES.iter().filter(|(_, of)| *of == kind);
        needles.any(|(needle, _)| row.starts_with(needle.as_bytes()) || needle.as_bytes().starts_with(row))
    };
    let mut earliest = None;
    let word = row(text, TOKEN_BYTES_MAX + 1, in_word);
    if (1..=TOKEN_BYTES_MAX).contains(&word) {
        let start = text.len() - word;
        let row = text.get(start..).unwrap_or_default();
        let aws = wants(Kind::AwsAccessKey) && word <= 20 && begins(Kind::AwsAccessKey, row);
        if aws || (wants(Kind::GithubToken) && begins(Kind::GithubToken, row)) {
            earliest = Some(start);
        }
    }
    let token = row(text, TOKEN_BYTES_MAX + 1, in_token);
    if (1..=TOKEN_BYTES_MAX).contains(&token) {
        let start = text.len() - token;
        let row = text.get(start..).unwrap_or_default();
        let openai = wants(Kind::OpenaiKey) && (row.starts_with(b"sk-") || b"sk-".starts_with(row));
        if openai || (wants(Kind::AnthropicKey) && begins(Kind::AnthropicKey, row)) {
            earliest = earlier(earliest, Some(start));
        }
    }
    if wants(Kind::Jwt) { earlier(earliest, jwt(text)) } else { earliest }
}

/// A JSON Web Token: three parts with dots between them, the first of which begins with `eyJ`.
fn jwt(text: &[u8]) -> Option<usize> {
    let mut rest = text;
    let mut earliest = None;
    for parts in 0..3 {
        let part = row(rest, usize::MAX, in_token);
        let (front, part) = rest.split_at_checked(rest.len() - part)?;
        if part.starts_with(b"eyJ") || (parts == 0 && !part.is_empty() && b"eyJ".starts_with(part)) {
            earliest = Some(front.len());
        }
        let Some(before) = front.strip_suffix(b".") else { break };
        rest = before;
    }
    earliest
}

/// A private key whose armour is not closed, or dashes that may begin one.
pub(super) fn armour(text: &[u8]) -> Option<usize> {
    const HEAD: &[u8] = b"-----BEGIN ";
    const LABEL_BYTES_MAX: usize = 64;
    // No dash, no armour: to search for one byte takes no preparation.
    memchr(b'-', text)?;
    let open = memmem::rfind(text, HEAD).filter(|start| {
        let rest = text.get(start + HEAD.len()..).unwrap_or_default();
        let is_label = |byte: &&u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || **byte == b' ';
        let label = rest.iter().take(LABEL_BYTES_MAX).take_while(is_label).count();
        let (label, rest) = rest.split_at_checked(label).unwrap_or_default();
        if rest.is_empty() {
            return true;
        }
        let private = label.ends_with(b"PRIVATE KEY") || label.ends_with(b"PRIVATE KEY BLOCK");
        private && (b"-----".starts_with(rest) || rest.strip_prefix(b"-----").is_some_and(body_goes_on))
    });
    let length = (1..HEAD.len()).rev().find(|length| text.ends_with(HEAD.get(..*length).unwrap_or_default()));
    earlier(open, length.map(|length| text.len() - length))
}

/// Whether the body of a key may go on behind this.
fn body_goes_on(body: &[u8]) -> bool {
    let mut dashes = 0;
    for (at, byte) in body.iter().enumerate() {
        if !in_armour(*byte) {
            return false;
        }
        dashes = if *byte == b'-' { dashes + 1 } else { 0 };
        if dashes == 5 {
            let foot = body.get(at + 1..).unwrap_or_default();
            let Some(label) = foot.strip_prefix(b"END ") else { return b"END ".starts_with(foot) };
            let end = label.iter().take_while(|byte| byte.is_ascii_uppercase() || **byte == b' ').count();
            let rest = label.get(end..).unwrap_or_default();
            return rest.len() < 5 && b"-----".starts_with(rest) && foot.len() <= 64 + 5;
        }
    }
    true
}
