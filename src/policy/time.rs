//! RFC 3339 to Unix seconds and back, for the times of a policy and of events.
//!
//! Of the years 1970 to 9999; a policy's in whole seconds. Never asks what time it is.

use std::time::Duration;

use toml::value::Datetime;
use toml::value::Offset;

/// Seconds of a day; leap seconds do not count in Unix time.
const DAY_SECONDS: u64 = 86_400;
/// Days before each month of a common year.
const MONTH_DAYS: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// Unix seconds of a date-time with an offset; none where the offset, the date or the time is missing, where it has a fraction of a
/// second, or where it is before 1970.
#[must_use]
pub fn unix(time: &Datetime) -> Option<u64> {
    let (date, clock, offset) = (time.date?, time.time?, time.offset?);
    if clock.nanosecond.is_some_and(|nanoseconds| nanoseconds != 0) || date.year < 1970 {
        return None;
    }
    let (year, month, day) = (u64::from(date.year), usize::from(date.month), u64::from(date.day));
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let before = year - 1;
    let year_days = before * 365 + before / 4 - before / 100 + before / 400 - 719_162;
    let month_days = MONTH_DAYS.get(month.checked_sub(1)?)? + u64::from(leap && month > 2);
    let days = year_days + month_days + day.checked_sub(1)?;
    // A leap second is the second after it.
    let second = u64::from(clock.second.unwrap_or(0));
    let seconds = days * DAY_SECONDS + u64::from(clock.hour) * 3600 + u64::from(clock.minute) * 60 + second;
    let east = match offset {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes) * 60,
    };
    seconds.checked_add_signed(-east)
}

/// Reads the one spelling that [`write()`] has.
#[must_use]
pub fn read(text: &str) -> Option<u64> {
    let seconds = unix(&text.parse().ok()?)?;
    (write(seconds) == text).then_some(seconds)
}

/// `2026-11-25T04:20:00Z`.
#[must_use]
pub fn write(unix: u64) -> String {
    let (days, seconds) = (unix / DAY_SECONDS, unix % DAY_SECONDS);
    // Years that begin in March put the leap day last, and 400 of them have 146,097 days (the Gregorian calendar's period).
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The same with milliseconds, of a time since the Unix epoch: `2026-11-25T04:20:00.250Z`.
#[must_use]
pub fn write_milliseconds(unix: Duration) -> String {
    let seconds = write(unix.as_secs());
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), unix.subsec_millis())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;
    use std::time::UNIX_EPOCH;

    use super::read;
    use super::unix;
    use super::write;
    use super::write_milliseconds;

    #[test]
    fn every_day_is_read_as_it_is_written() {
        for day in (0..60_000).chain((60_000..2_932_897_u64).step_by(97)) {
            let seconds = day * 86_400 + day % 86_400;
            assert_eq!(read(&write(seconds)), Some(seconds));
        }
        assert_eq!(write(0), "1970-01-01T00:00:00Z");
        assert_eq!(write(1_795_580_400), "2026-11-25T04:20:00Z");
        assert_eq!(write(2_932_897 * 86_400 - 1), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn every_day_agrees_with_its_http_date() {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        for day in 0..60_000_u64 {
            let unix = Duration::from_secs(day * 86_400 + day % 86_400);
            let http = httpdate::fmt_http_date(UNIX_EPOCH + unix);
            let [date, month, year, clock] = [5..7, 8..11, 12..16, 17..25].map(|range| http.get(range).unwrap());
            let month = MONTHS.iter().position(|name| *name == month).unwrap() + 1;
            let expected = format!("{year}-{month:02}-{date}T{clock}.000Z");
            assert_eq!(write_milliseconds(unix), expected);
        }
        assert_eq!(write_milliseconds(Duration::from_millis(1_795_580_400_250)), "2026-11-25T04:20:00.250Z");
    }

    #[test]
    fn a_time_has_one_meaning_or_none() {
        let cases: &[(&str, Option<u64>)] = &[
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T01:00:00+01:00", Some(0)),
            ("1969-12-31T23:00:00-01:00", None),
            ("1970-01-01T00:00:00+00:01", None),
            ("2000-02-29T00:00:00-00:30", Some(951_784_200)),
            ("2026-11-25T05:00:00", None),
            ("2026-11-25", None),
            ("05:00:00", None),
            ("2026-11-25T05:00:00.5Z", None),
        ];
        for (text, expected) in cases {
            assert_eq!(unix(&text.parse().unwrap()), *expected, "{text}");
        }
    }

    #[test]
    fn only_one_spelling_is_read_back() {
        for text in [
            "",
            "none",
            "2026-11-25 05:00:00Z",
            "2026-11-25t05:00:00z",
            "2026-11-25T05:00:00+00:00",
            "2026-11-25T05:00:00.0Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
