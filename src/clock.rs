//! The only reader of time. Everything else takes `now` as a value, so that tests can choose it.
//! It never sleeps and never formats.

use std::time::Instant;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

/// The monotonic time, for intervals.
#[expect(clippy::disallowed_methods, reason = "clock.rs is the only reader of time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Seconds since 1970 by the wall clock; 0 when the clock stands before 1970.
#[expect(clippy::disallowed_methods, reason = "clock.rs is the only reader of time")]
pub fn unix() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
