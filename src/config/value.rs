//! One text to one typed value, and back.
//!
//! Exists so that flags, variables and keys are read by the same rules. Never knows which setting it reads; an error says what would be right.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::Events;
use crate::config::Expired;
use crate::config::Io;
use crate::config::LogFormat;
use crate::config::LogLevel;
use crate::config::Pin;
use crate::config::Plaintext;
use crate::config::Upstream;
use crate::config::UpstreamError;
use crate::config::mistake::Wrong;
use crate::config::upstream;
use crate::policy::bundle::PublicKey;
use crate::policy::document::is_tenant;

/// Longest wait that can be configured: past a day it is a mistake in the unit.
pub(super) const DURATION_MAX: Duration = Duration::from_hours(24);

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
/// Largest first: a value is shown in the largest unit that divides it.
const SIZE_UNITS: [(&str, u64); 3] = [("G", GIB), ("M", MIB), ("K", KIB)];
const DURATION_UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// An enum that is written as one word.
pub(super) trait Word: Copy + PartialEq + 'static {
    /// Every word and its value, the most likely first.
    const WORDS: &'static [(&'static str, Self)];
}

impl Word for bool {
    const WORDS: &'static [(&'static str, Self)] = &[("true", true), ("false", false)];
}

impl Word for Plaintext {
    const WORDS: &'static [(&'static str, Self)] =
        &[("loopback", Self::Loopback), ("allow", Self::Allow), ("deny", Self::Deny)];
}

impl Word for Pin {
    const WORDS: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("always", Self::Always), ("never", Self::Never)];
}

impl Word for Io {
    const WORDS: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("uring", Self::Uring), ("epoll", Self::Epoll)];
}

impl Word for Expired {
    const WORDS: &'static [(&'static str, Self)] = &[("refuse", Self::Refuse), ("serve", Self::Serve)];
}

impl Word for LogLevel {
    const WORDS: &'static [(&'static str, Self)] =
        &[("error", Self::Error), ("warn", Self::Warn), ("info", Self::Info), ("debug", Self::Debug)];
}

impl Word for LogFormat {
    const WORDS: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("human", Self::Human), ("json", Self::Json)];
}

/// One of the words of `T`.
pub(super) fn word<T: Word>(text: &str) -> Result<T, Wrong> {
    let found = T::WORDS.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<&str> = T::WORDS.iter().map(|(word, _)| *word).collect();
        Wrong::Show(format!("one of {}", words.join(", ")))
    })
}

/// The word for `value`.
pub(super) fn show_word<T: Word>(value: T) -> String {
    T::WORDS.iter().find(|(_, each)| *each == value).map_or(String::new(), |(word, _)| (*word).to_owned())
}

/// `IP:PORT`, IPv6 in brackets.
pub(super) fn address(text: &str) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| Wrong::Show("an address IP:PORT, such as 127.0.0.1:8443 or [::]:8443".to_owned()))
}

/// `absent` stands for no value.
pub(super) fn optional<T>(
    text: &str,
    absent: &str,
    read: impl FnOnce(&str) -> Result<T, Wrong>,
) -> Result<Option<T>, Wrong> {
    if text == absent {
        return Ok(None);
    }
    read(text).map(Some).map_err(|wrong| match wrong {
        Wrong::Show(want) => Wrong::Show(format!("{absent}, or {want}")),
        Wrong::Hide(want) => Wrong::Hide(format!("{absent}, or {want}")),
    })
}

/// A whole number in decimal digits.
pub(super) fn count<T: TryFrom<u64>>(text: &str, least: u64, most: u64) -> Result<T, Wrong> {
    let number = digits(text).filter(|number| (least..=most).contains(number));
    number.and_then(narrow).ok_or_else(|| Wrong::Show(format!("a whole number from {least} to {most}")))
}

/// Bytes, with K, M or G for powers of 1024; `Ki` and `KiB` (as Kubernetes and people write) are the same as `K`.
pub(super) fn size(text: &str, least: u64, most: u64) -> Result<usize, Wrong> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit = match unit.strip_suffix("iB").or_else(|| unit.strip_suffix('i')).unwrap_or(unit) {
        "" if number.len() == text.len() => Some(1),
        letter => SIZE_UNITS.iter().find(|(name, _)| *name == letter).map(|(_, bytes)| *bytes),
    };
    let bytes = unit.and_then(|unit| digits(number)?.checked_mul(unit));
    bytes.filter(|bytes| (least..=most).contains(bytes)).and_then(narrow).ok_or_else(|| {
        let (least, most) = (show_size(least), show_size(most));
        Wrong::Show(format!("a size in bytes, or with K, M or G (powers of 1024), from {least} to {most}"))
    })
}

/// The shortest text that `size` reads as `bytes`.
pub(super) fn show_size(bytes: u64) -> String {
    show_units(bytes, &SIZE_UNITS, "")
}

/// A number and `ms`, `s`, `m` or `h`; no bare number, since its unit would be a guess.
pub(super) fn duration(text: &str, least: Duration) -> Result<Duration, Wrong> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    if unit.is_empty() && !number.is_empty() {
        return Err(Wrong::Show(format!("a unit too: {number}s for seconds, or ms, m, h")));
    }
    let unit = DURATION_UNITS.iter().find(|(name, _)| *name == unit).map(|(_, milliseconds)| *milliseconds);
    let found = unit.and_then(|unit| digits(number)?.checked_mul(unit)).map(Duration::from_millis);
    found.filter(|found| (least..=DURATION_MAX).contains(found)).ok_or_else(|| {
        let (least, most) = (show_duration(least), show_duration(DURATION_MAX));
        Wrong::Show(format!("a duration such as 500ms, 10s, 5m or 1h, from {least} to {most}"))
    })
}

/// The shortest text that `duration` reads as `duration`, which is whole milliseconds.
pub(super) fn show_duration(duration: Duration) -> String {
    if duration.is_zero() {
        return "0s".to_owned();
    }
    show_units(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), &DURATION_UNITS, "ms")
}

/// A file or directory. A PEM text in its place is a likely mistake, and a secret.
pub(super) fn path(text: &str) -> Result<PathBuf, Wrong> {
    if text.contains("-----BEGIN") {
        return Err(Wrong::Hide("the path of a file, not its content".to_owned()));
    }
    if text.is_empty() || text.contains(|c: char| c.is_control()) {
        return Err(Wrong::Show("a path".to_owned()));
    }
    Ok(PathBuf::from(text))
}

/// A public key in hexadecimal digits, or the file that holds it.
pub(super) fn public_key(text: &str) -> Result<String, Wrong> {
    let is_key = PublicKey::parse(text).is_some();
    let is_path = text.contains(['/', '.']);
    if is_key || is_path {
        return if is_key { Ok(text.to_owned()) } else { path(text).map(|_| text.to_owned()) };
    }
    Err(Wrong::Hide("64 hexadecimal digits (lower case), or the path of a file that holds them".to_owned()))
}

/// The name of a tenant.
pub(super) fn tenant(text: &str) -> Result<String, Wrong> {
    if is_tenant(text) {
        return Ok(text.to_owned());
    }
    Err(Wrong::Show("1 to 64 of a-z, 0-9, `-`, `_` and `.`".to_owned()))
}

/// Where events go.
pub(super) fn events(text: &str) -> Result<Events, Wrong> {
    match text {
        "none" => Ok(Events::None),
        "stdout" => Ok(Events::Stdout),
        text if text.contains(['/', '.']) => path(text).map(Events::File),
        _ => Err(Wrong::Show("stdout, none, or a path with a `/` or `.` in it".to_owned())),
    }
}

/// The text that `events` reads as the same.
pub(super) fn show_events(events: &Events) -> String {
    match events {
        Events::None => "none".to_owned(),
        Events::Stdout => "stdout".to_owned(),
        Events::File(path) => path.display().to_string(),
    }
}

/// The path as `path` reads it; empty for none.
pub(super) fn show_path(path: Option<&Path>) -> String {
    path.map_or(String::new(), |path| path.display().to_string())
}

/// A name for a certificate: DNS, with `*` for the first label at most, or an IP address.
pub(super) fn certificate_name(text: &str) -> Result<String, Wrong> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    if text.parse::<IpAddr>().is_ok() || (upstream::is_name(name) && name.parse::<IpAddr>().is_err()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Wrong::Show("a DNS name or an IP address".to_owned()))
}

/// The upstream's URL.
pub(super) fn url(text: &str) -> Result<Upstream, Wrong> {
    Upstream::parse(text).map_err(|error| wrong_url(text, error))
}

/// Where a password, a token or a query could be, the URL is not shown.
pub(super) fn wrong_url(text: &str, error: UpstreamError) -> Wrong {
    let is_url = text.is_empty() || text.contains("://");
    if text.contains(['@', '?', '#', '=']) || !is_url {
        Wrong::Hide(error.to_string())
    } else {
        Wrong::Show(error.to_string())
    }
}

fn narrow<T: TryFrom<u64>>(number: u64) -> Option<T> {
    T::try_from(number).ok()
}

/// Digits only: `parse` alone would take a plus sign.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn show_units(number: u64, units: &[(&str, u64)], smallest: &str) -> String {
    let unit = units.iter().find(|(_, size)| number != 0 && number.is_multiple_of(*size));
    unit.map_or_else(|| format!("{number}{smallest}"), |(name, size)| format!("{}{name}", number / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        let cases: &[(&str, Option<usize>)] = &[
            ("1024", Some(1024)),
            ("1K", Some(1024)),
            ("1Ki", Some(1024)),
            ("1KiB", Some(1024)),
            ("32M", Some(32 << 20)),
            ("1G", Some(1 << 30)),
            ("1GiB", Some(1 << 30)),
            ("1025M", None),
            ("1023", None),
            ("", None),
            ("K", None),
            ("iB", None),
            ("1024i", None),
            ("1024iB", None),
            ("1k", None),
            ("1KB", None),
            ("1 K", None),
            ("+1K", None),
            ("-1K", None),
            ("1.5M", None),
            ("1MM", None),
            ("99999999999999999999", None),
            ("18446744073709551615G", None),
        ];
        for (text, bytes) in cases {
            assert_eq!(size(text, KIB, GIB).ok(), *bytes, "{text:?}");
        }
    }

    #[test]
    fn durations_need_a_unit() {
        let cases: &[(&str, Option<u64>)] = &[
            ("1ms", Some(1)),
            ("500ms", Some(500)),
            ("10s", Some(10_000)),
            ("5m", Some(300_000)),
            ("1h", Some(3_600_000)),
            ("24h", Some(86_400_000)),
            ("25h", None),
            ("0s", None),
            ("10", None),
            ("0", None),
            ("", None),
            ("s", None),
            ("1.5s", None),
            ("1h30m", None),
            ("-1s", None),
            ("+1s", None),
            ("1 s", None),
            ("1S", None),
            ("1µs", None),
            ("18446744073709551615h", None),
        ];
        for (text, milliseconds) in cases {
            let found = duration(text, Duration::from_millis(1));
            assert_eq!(found.ok(), milliseconds.map(Duration::from_millis), "{text:?}");
        }
        assert_eq!(duration("0s", Duration::ZERO), Ok(Duration::ZERO));
    }

    #[test]
    fn what_is_shown_reads_as_the_same() {
        for bytes in [1024, 1025, 1 << 20, 3 << 20, (1 << 20) + 1024, 1 << 30] {
            assert_eq!(size(&show_size(bytes), KIB, GIB).ok(), usize::try_from(bytes).ok());
        }
        for milliseconds in [0, 1, 999, 1_000, 1_500, 60_000, 90_000, 3_600_000, 86_400_000] {
            let each = Duration::from_millis(milliseconds);
            assert_eq!(duration(&show_duration(each), Duration::ZERO), Ok(each));
        }
    }

    #[test]
    fn certificate_names_are_names_or_addresses() {
        let cases: &[(&str, bool)] = &[
            ("gateway", true),
            ("Gateway.Example", true),
            ("*.example", true),
            ("10.0.0.1", true),
            ("::1", true),
            ("", false),
            ("*", false),
            ("*.10.0.0.1", false),
            ("a.*.example", false),
            ("https://a", false),
            ("a b", false),
            ("300.0.0.1", false),
        ];
        for (text, good) in cases {
            assert_eq!(certificate_name(text).is_ok(), *good, "{text:?}");
        }
    }

    #[test]
    fn a_url_that_may_hold_a_secret_is_not_shown() {
        let cases = [
            ("https://u:p@h", false),
            ("https://h/?key=k", false),
            ("sk-something", false),
            ("ftp://h", true),
            ("https://h:99999", true),
        ];
        for (text, show) in cases {
            assert_eq!(matches!(url(text), Err(Wrong::Show(_))), show, "{text}");
        }
    }
}
