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
