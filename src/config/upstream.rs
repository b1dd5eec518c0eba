//! The upstream's URL, taken apart once.
//!
//! Exists so that the dialler, the TLS client and the encoder each find their part ready. Never accepts what could be read in two ways:
//! userinfo, a query, a fragment, dot segments, a number that is nearly an address. An error holds no byte of the URL, which may be a secret.

use std::fmt;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

/// Longest host name and longest label of one (RFC 1035 section 2.3.4).
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;
/// Longest path prefix, bytes: far above any in use, far below the bound of a request line.
const PREFIX_BYTES_MAX: usize = 1024;

/// Where requests go: `http(s)://host[:port][/prefix]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Speak TLS.
    pub tls: bool,
    /// A name or an address in lower case, IPv6 without brackets. A name may end in a dot, which tells the resolver that it is complete.
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
    /// The value of the Host field: brackets around IPv6, no dot at the end, the port left out where it is the scheme's own.
    pub authority: String,
    /// What goes before the path of every request: empty, or segments that each begin with a slash; no slash at the end.
    pub prefix: String,
}

/// Why a text is not an upstream's URL; the operator is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamError {
    /// It does not begin with `http://` or `https://`.
    Scheme,
    /// It has a user or a password.
    Userinfo,
    /// It has a query.
    Query,
    /// It has a fragment.
    Fragment,
    /// The host is neither a DNS name nor an address.
    Host,
    /// The port is not 1 to 65535.
    Port,
    /// The prefix is not a plain path.
    Prefix,
}

impl Upstream {
    /// Reads `http(s)://host[:port][/prefix]`; scheme and host in any case, slashes at the end dropped.
    ///
    /// # Errors
    /// The first rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, UpstreamError> {
        let (scheme, rest) = text.split_once("://").ok_or(UpstreamError::Scheme)?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(UpstreamError::Scheme),
        };
        if rest.contains('#') {
            return Err(UpstreamError::Fragment);
        }
        if rest.contains('?') {
            return Err(UpstreamError::Query);
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(UpstreamError::Userinfo);
        }
        let port_default = if tls { 443 } else { 80 };
        let (host, bracketed, port) = host_and_port(authority)?;
        let port = port.unwrap_or(port_default);
        let authority = if port == port_default { bracketed } else { format!("{bracketed}:{port}") };
        Ok(Self { tls, host, port, authority, prefix: prefix(path)? })
    }

    /// The name that the upstream's certificate must be for: the host without a dot at its end.
    pub fn server_name(&self) -> &str {
        self.host.strip_suffix('.').unwrap_or(&self.host)
    }

    /// As a URL that `parse` reads as the same; an upstream without a host is empty.
    pub(super) fn url(&self) -> String {
        if self.host.is_empty() {
            return String::new();
        }
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority, self.prefix)
    }

    /// No upstream yet; never leaves the configuration.
    pub(super) fn missing() -> Self {
        Self { tls: false, host: String::new(), port: 0, authority: String::new(), prefix: String::new() }
    }
}

/// The host, the host as the Host field writes it, and the port if there is one.
fn host_and_port(authority: &str) -> Result<(String, String, Option<u16>), UpstreamError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, after) = rest.split_once(']').ok_or(UpstreamError::Host)?;
        let address: Ipv6Addr = address.parse().map_err(|_| UpstreamError::Host)?;
        let digits = if after.is_empty() { None } else { Some(after.strip_prefix(':').ok_or(UpstreamError::Host)?) };
        return Ok((address.to_string(), format!("[{address}]"), digits.map(port).transpose()?));
    }
    let (host, digits) = match authority.split_once(':') {
        Some((host, digits)) => (host, Some(digits)),
        None => (authority, None),
    };
    let host = host.to_ascii_lowercase();
    let bare = host.strip_suffix('.').unwrap_or(&host);
    if !is_name(bare) {
        return Err(UpstreamError::Host);
    }
    let bare = bare.to_owned();
    // A dot at the end completes a name; after an address it means nothing.
    let host = if bare.parse::<Ipv4Addr>().is_ok() { bare.clone() } else { host };
    Ok((host, bare, digits.map(port).transpose()?))
}

fn port(digits: &str) -> Result<u16, UpstreamError> {
    // `parse` alone would take a plus sign.
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
    number.filter(|port| *port != 0).ok_or(UpstreamError::Port)
}

/// A DNS name or an IPv4 address. A last label that looks like a number makes the whole an address for some resolvers (`127.1`, `0x7f000001`),
/// so then it must be one in the usual form.
pub(super) fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or(text);
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if is_number {
        return text.parse::<Ipv4Addr>().is_ok();
    }
    text.len() <= NAME_BYTES_MAX && text.split('.').all(is_label)
}

/// The path without slashes at its end. Empty and dot segments are refused: what the upstream makes of them is its own affair.
fn prefix(path: &str) -> Result<String, UpstreamError> {
    let path = path.trim_end_matches('/');
    if path.is_empty() {
        return Ok(String::new());
    }
    // RFC 3986 section 3.3, pchar; percent signs are checked apart.
    let is_path_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%".contains(&byte);
    let is_segment = |segment: &str| {
        !segment.is_empty()
            && segment != "."
            && segment != ".."
            && segment.bytes().all(is_path_byte)
            && segment.split('%').skip(1).all(|after| {
                after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit())
            })
            // An encoded dot, slash or control byte would be a second reading of the same path.
            && !["%2e", "%2f", "%5c", "%00"].iter().any(|hidden| segment.to_ascii_lowercase().contains(hidden))
    };
    if path.len() <= PREFIX_BYTES_MAX && path.split('/').skip(1).all(is_segment) {
        Ok(path.to_owned())
    } else {
        Err(UpstreamError::Prefix)
    }
}

impl fmt::Display for UpstreamError {
    /// What would be right.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Scheme => "a URL that begins with https:// or http://",
            Self::Userinfo => "a URL without user and password (clients send their own credentials)",
            Self::Query => "a URL without a query (?)",
            Self::Fragment => "a URL without a fragment (#)",
            Self::Host => "a host that is a DNS name, an IPv4 address or an IPv6 address in brackets",
            Self::Port => "a port from 1 to 65535",
            Self::Prefix => "a path of plain segments, such as /v1, without . or .. or empty ones",
        })
    }
}

impl std::error::Error for UpstreamError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_url_is_taken_apart() {
        // text, tls, host, port, authority, prefix
        let cases: &[(&str, bool, &str, u16, &str, &str)] = &[
            ("https://api.example", true, "api.example", 443, "api.example", ""),
            ("HTTPS://API.Example/", true, "api.example", 443, "api.example", ""),
            ("https://api.example:443", true, "api.example", 443, "api.example", ""),
            ("https://api.example:80", true, "api.example", 80, "api.example:80", ""),
            ("http://api.example:443", false, "api.example", 443, "api.example:443", ""),
            ("http://localhost:9000/v1/", false, "localhost", 9000, "localhost:9000", "/v1"),
            ("http://mock_llm", false, "mock_llm", 80, "mock_llm", ""),
            ("http://h/a/b%20c//", false, "h", 80, "h", "/a/b%20c"),
            ("https://[2001:DB8::1]", true, "2001:db8::1", 443, "[2001:db8::1]", ""),
            ("https://[::1]:8443/x", true, "::1", 8443, "[::1]:8443", "/x"),
            ("http://127.0.0.1:1", false, "127.0.0.1", 1, "127.0.0.1:1", ""),
            ("http://127.0.0.1./", false, "127.0.0.1", 80, "127.0.0.1", ""),
            ("https://api.example./v1", true, "api.example.", 443, "api.example", "/v1"),
        ];
        for &(text, tls, host, port, authority, prefix) in cases {
            let upstream = Upstream::parse(text).expect(text);
            let found = (upstream.tls, &*upstream.host, upstream.port, &*upstream.authority, &*upstream.prefix);
            assert_eq!(found, (tls, host, port, authority, prefix), "{text}");
            let mut again = Upstream::parse(&upstream.url()).expect(text);
            again.host.clone_from(&upstream.host);
            assert_eq!(again, upstream, "{text}");
            assert!(!upstream.server_name().ends_with('.'));
        }
    }

    #[test]
    fn a_bad_url_names_the_rule_it_breaks() {
        use UpstreamError::{Fragment, Host, Port, Prefix, Query, Scheme, Userinfo};
        let long = format!("https://{}.example", "a".repeat(64));
        let longer = format!("https://{}example", "a.".repeat(130));
        let cases: &[(&str, UpstreamError)] = &[
            ("", Scheme),
            ("api.example", Scheme),
            ("ftp://api.example", Scheme),
            (" https://api.example", Scheme),
            ("https://user:secret@api.example", Userinfo),
            ("https://@api.example", Userinfo),
            ("https://api.example?key=1", Query),
            ("https://api.example/v1?", Query),
            ("https://api.example#a", Fragment),
            ("https://", Host),
            ("https:///v1", Host),
            ("https://:443", Host),
            ("https://.", Host),
            ("https://a..b", Host),
            ("https://a..", Host),
            ("https://-a.example", Host),
            ("https://a b", Host),
            ("https://api.example ", Host),
            ("https://bücher.example", Host),
            ("https://a\\b", Host),
            ("https://1.2.3", Host),
            ("https://256.1.1.1", Host),
            ("https://0x7f000001", Host),
            ("https://2130706433", Host),
            ("https://::1", Host),
            ("https://[::1", Host),
            ("https://[::1]x", Host),
            ("https://[127.0.0.1]", Host),
            ("https://[fe80::1%eth0]", Host),
            (&long, Host),
            (&longer, Host),
            ("https://api.example:", Port),
            ("https://api.example:0", Port),
            ("https://api.example:65536", Port),
            ("https://api.example:+80", Port),
            ("https://api.example:80:80", Port),
            ("https://[::1]:", Port),
            ("https://api.example/a//b", Prefix),
            ("https://api.example/./b", Prefix),
            ("https://api.example/a/..", Prefix),
            ("https://api.example/%2e%2E", Prefix),
            ("https://api.example/a%2Fb", Prefix),
            ("https://api.example/a%2", Prefix),
            ("https://api.example/a b", Prefix),
            ("https://api.example/é", Prefix),
            ("https://api.example/a\r\nb", Prefix),
        ];
        for (text, error) in cases {
            assert_eq!(Upstream::parse(text), Err(*error), "{text:?}");
        }
    }
}
