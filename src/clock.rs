//! The only reader of time in the program.
//!
//! Deadlines use the monotonic clock; log lines and certificates use wall time. Keeping the two reads here lets a lint
//! refuse every other one, so that no pure room can depend on time by accident. It never sleeps and never formats.

use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

/// The monotonic clock, for deadlines and durations.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// Wall time since the Unix epoch; zero if the machine's clock stands before 1970.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
#[must_use]
pub fn unix() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Wall time as RFC 9110 section 5.6.7 writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
#[must_use]
pub fn http_date() -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + unix())
}

/// A wall time as RFC 3339 writes it, in UTC with milliseconds: `2026-11-18T10:00:00.250Z`.
#[must_use]
pub fn rfc3339(unix: Duration) -> String {
    let (days, seconds) = (unix.as_secs() / 86_400, unix.as_secs() % 86_400);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    // Years that begin in March put the leap day last, and 400 of them have 146,097 days (the Gregorian calendar's period).
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let millis = unix.subsec_millis();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_agrees_with_the_http_date_of_every_day() {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        for day in 0..60_000_u64 {
            let unix = Duration::from_secs(day * 86_400 + day % 86_400);
            let ours = rfc3339(unix);
            let http = httpdate::fmt_http_date(UNIX_EPOCH + unix);
            let month = MONTHS.iter().position(|name| *name == &http[8..11]).unwrap() + 1;
            let expected = format!("{}-{month:02}-{}T{}.000Z", &http[12..16], &http[5..7], &http[17..25]);
            assert_eq!(ours, expected);
        }
    }
}
