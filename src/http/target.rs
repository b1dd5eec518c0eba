//! Request targets and authorities: which are well-formed, and what of them is forwarded (RFC 9112 section 3.2, RFC 3986).
//!
//! Stricter than httparse, which lets every visible byte and every byte above 127 into a target. Never decodes: a target
//! is forwarded as it came.

use std::ops::Range;

use super::Malformed;

/// Bytes of a path or query that pass unescaped: those of RFC 3986, and `[ ] | ^ { }` and the grave accent, which the URL
/// standard of browsers and Node leaves as they are. `" < > \ #`, controls, space and non-ASCII do not pass.
const TARGET_BYTE: [bool; 256] = table(b"-._~!$&'()*+,;=:@/?%[]|^{}`");

/// Bytes of a registered name: unreserved, sub-delims, percent (RFC 3986 section 3.2.2).
const NAME_BYTE: [bool; 256] = table(b"-._~!$&'()*+,;=%");

const fn table(punctuation: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "byte < 256")]
        let value = byte as u8;
        let mut found = value.is_ascii_alphanumeric();
        let mut index = 0;
        while index < punctuation.len() {
            #[expect(clippy::indexing_slicing, reason = "index < punctuation.len(), evaluated at compile time")]
            let listed = punctuation[index];
            found = found || listed == value;
            index += 1;
        }
        #[expect(clippy::indexing_slicing, reason = "byte < 256, evaluated at compile time")]
        {
            table[byte] = found;
        }
        byte += 1;
    }
    table
}

fn allowed(table: &[bool; 256], byte: u8) -> bool {
    table.get(usize::from(byte)).copied().unwrap_or(false)
}

/// The form of a request target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `/path?query`: all of it is forwarded.
    Origin,
    /// `http://authority/path?query`: `authority` must agree with `Host`, `path` is forwarded (empty: `/`, or `*` for OPTIONS).
    Absolute {
        /// Where the authority stands in the target.
        authority: Range<usize>,
        /// Where the path and query stand in the target.
        path: Range<usize>,
        /// The port that the scheme stands for.
        default_port: u16,
    },
    /// `*`, for OPTIONS alone.
    Asterisk,
}

/// Which form `target` has for `method`.
///
/// # Errors
/// [`Malformed::Method`] for CONNECT, [`Malformed::Target`] for everything that is not well-formed.
pub fn parse(method: &[u8], target: &[u8]) -> Result<Target, Malformed> {
    if method == b"CONNECT" {
        return Err(Malformed::Method);
    }
    if target == b"*" {
        return if method == b"OPTIONS" { Ok(Target::Asterisk) } else { Err(Malformed::Target) };
    }
    if target.first() == Some(&b'/') {
        check_path(target)?;
        return Ok(Target::Origin);
    }
    let (scheme_length, default_port) = if starts_with(target, b"http://") {
        (7, 80)
    } else if starts_with(target, b"https://") {
        (8, 443)
    } else {
        return Err(Malformed::Target);
    };
    let rest = target.get(scheme_length..).unwrap_or_default();
    let length = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    if !is_authority(rest.get(..length).unwrap_or_default()) {
        return Err(Malformed::Target);
    }
    let path = scheme_length + length..target.len();
    check_path(target.get(path.clone()).unwrap_or_default())?;
    Ok(Target::Absolute { authority: scheme_length..scheme_length + length, path, default_port })
}

fn starts_with(target: &[u8], scheme: &[u8]) -> bool {
    target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

fn check_path(path: &[u8]) -> Result<(), Malformed> {
    if path.iter().all(|&byte| allowed(&TARGET_BYTE, byte)) && percent_escapes_are_whole(path) {
        Ok(())
    } else {
        Err(Malformed::Target)
    }
}

fn percent_escapes_are_whole(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'%', bytes).all(|at| {
        let escape = bytes.get(at + 1..at + 3);
        escape.is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Whether `path` has a `.` or `..` segment for any reader: plain or percent-encoded, with encoded slashes as separators too,
/// and with parameters behind it. Such a path could leave the prefix of the upstream.
#[must_use]
pub fn has_dot_segment(path: &[u8]) -> bool {
    let mut rest = path.split(|&byte| byte == b'?').next().unwrap_or_default();
    let (mut dots, mut other, mut parameters) = (0, false, false);
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = match (byte, after) {
            (b'%', [b'2', b'e' | b'E', after @ ..]) => (b'.', after),
            (b'%', [b'2', b'f' | b'F', after @ ..] | [b'5', b'c' | b'C', after @ ..]) => (b'/', after),
            (b'%', [b'3', b'b' | b'B', after @ ..]) => (b';', after),
            other => other,
        };
        match byte {
            b'/' if !other && (dots == 1 || dots == 2) => return true,
            b'/' => (dots, other, parameters) = (0, false, false),
            b';' => parameters = true,
            _ if parameters => {}
            b'.' => dots += 1,
            _ => other = true,
        }
        rest = after;
    }
    !other && (dots == 1 || dots == 2)
}

/// Whether `text` is `uri-host [":" port]` with a host that is not empty (RFC 9110 section 7.2). User information is refused.
#[must_use]
pub fn is_authority(text: &[u8]) -> bool {
    let (host, port) = split_port(text);
    let host_is_valid = match host {
        [b'[', address @ .., b']'] => {
            std::str::from_utf8(address).is_ok_and(|it| it.parse::<std::net::Ipv6Addr>().is_ok())
        }
        _ => !host.is_empty() && host.iter().all(|&byte| allowed(&NAME_BYTE, byte)) && percent_escapes_are_whole(host),
    };
    let port_is_valid = port.is_none_or(|port| {
        port.len() <= 5
            && port.iter().all(u8::is_ascii_digit)
            && (port.is_empty() || decimal(port) <= u32::from(u16::MAX))
    });
    host_is_valid && port_is_valid
}

fn decimal(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'))
}

fn split_port(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let after_bracket = text.iter().rposition(|&byte| byte == b']').map_or(0, |at| at + 1);
    match text.iter().rposition(|&byte| byte == b':') {
        Some(at) if at >= after_bracket => {
            (text.get(..at).unwrap_or_default(), Some(text.get(at + 1..).unwrap_or_default()))
        }
        _ => (text, None),
    }
}

/// Whether two authorities name the same host and port, `default_port` standing in for a missing one.
#[must_use]
pub fn same_authority(left: &[u8], right: &[u8], default_port: u16) -> bool {
    let port = |port: Option<&[u8]>| match port {
        None | Some([]) => u32::from(default_port),
        Some(digits) => decimal(digits),
    };
    let ((left_host, left_port), (right_host, right_port)) = (split_port(left), split_port(right));
    left_host.eq_ignore_ascii_case(right_host) && port(left_port) == port(right_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_by_form() {
        type Case = (&'static [u8], &'static [u8], Result<(), Malformed>);
        let cases: &[Case] = &[
            (b"GET", b"/", Ok(())),
            (b"GET", b"/v1/models?limit=2&x=%20", Ok(())),
            (b"GET", b"/a[b]|c{d}^`", Ok(())),
            (b"OPTIONS", b"*", Ok(())),
            (b"GET", b"*", Err(Malformed::Target)),
            (b"GET", b"http://a.example:80/x", Ok(())),
            (b"GET", b"HTTPS://a.example", Ok(())),
            (b"GET", b"http://user@a.example/", Err(Malformed::Target)),
            (b"GET", b"http:///x", Err(Malformed::Target)),
            (b"GET", b"ftp://a.example/", Err(Malformed::Target)),
            (b"GET", b"a.example:80", Err(Malformed::Target)),
            (b"CONNECT", b"a.example:80", Err(Malformed::Method)),
            (b"GET", b"/a#b", Err(Malformed::Target)),
            (b"GET", b"/a\x80", Err(Malformed::Target)),
            (b"GET", b"/a\\b", Err(Malformed::Target)),
            (b"GET", b"/a<b>", Err(Malformed::Target)),
            (b"GET", b"/%", Err(Malformed::Target)),
            (b"GET", b"/%4", Err(Malformed::Target)),
            (b"GET", b"/%zz", Err(Malformed::Target)),
            (b"GET", b"x", Err(Malformed::Target)),
        ];
        for (method, target, expected) in cases {
            assert_eq!(parse(method, target).map(|_| ()), *expected, "{}", String::from_utf8_lossy(target));
        }
    }

    #[test]
    fn authorities() {
        for good in ["a", "a.example", "a:1", "a:", "127.0.0.1:65535", "[::1]", "[::1]:80", "a-b_c~", "%41"] {
            assert!(is_authority(good.as_bytes()), "{good}");
        }
        for bad in
            ["", ":80", "a:65536", "a:x", "a:000001", "u@a", "[::1", "::1", "[x]", "a b", "a/b", "a,b:80:80", "%4"]
        {
            assert!(!is_authority(bad.as_bytes()), "{bad}");
        }
        assert!(same_authority(b"A.example", b"a.example:80", 80));
        assert!(same_authority(b"[::1]:443", b"[::1]", 443));
        assert!(!same_authority(b"a.example", b"a.example:81", 80));
        assert!(!same_authority(b"a.example", b"b.example", 80));
    }

    #[test]
    fn dot_segments_are_seen_in_every_spelling() {
        for dotted in [
            "/..",
            "/a/../b",
            "/%2e%2E/x",
            "/.%2e",
            "/./a",
            "/a/%2e",
            "/..%2f..%2fb",
            "/a%5C..",
            "/..;x=y/b",
            "/..%3bx",
        ] {
            assert!(has_dot_segment(dotted.as_bytes()), "{dotted}");
        }
        for plain in ["/", "/...", "/a.b", "/.well-known", "/a?x=../b", "/v1/%2e2", "/a;../b", "/;/"] {
            assert!(!has_dot_segment(plain.as_bytes()), "{plain}");
        }
    }
}
