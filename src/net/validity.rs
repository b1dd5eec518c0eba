//! When a certificate ends: the one date of an X.509 certificate that an operator wants to see in a metric.
//!
//! rustls checks the peers' certificates and does not look at our own, nor does it give out its fields. This reads just as
//! much DER (X.690, RFC 5280 section 4.1) as leads to `notAfter`. It checks nothing, and any other shape is `None`.

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Seconds from the Unix epoch to the end of the certificate in `der`; zero if it ended before 1970.
pub(super) fn not_after(der: &[u8]) -> Option<u64> {
    let certificate = Element::read(der)?.content_of(SEQUENCE)?;
    let body = Element::read(certificate)?.content_of(SEQUENCE)?;
    let first = Element::read(body)?;
    // Version is absent in version 1 certificates (RFC 5280 section 4.1.2.1).
    let serial = if first.tag == VERSION { Element::read(first.rest)? } else { first };
    let algorithm = Element::read(serial.rest)?;
    let issuer = Element::read(algorithm.rest)?;
    let validity = Element::read(issuer.rest)?.content_of(SEQUENCE)?;
    let not_before = Element::read(validity)?;
    let not_after = Element::read(not_before.rest)?;
    match not_after.tag {
        // RFC 5280 section 4.1.2.5.1: years 50 to 99 are in the 20th century.
        UTC_TIME => {
            let (year, rest) = not_after.content.split_at_checked(2)?;
            let year = digits(year)?;
            seconds(if year >= 50 { 1900 + year } else { 2000 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = not_after.content.split_at_checked(4)?;
            seconds(digits(year)?, rest)
        }
        _ => None,
    }
}

struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Element<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let (&tag, der) = der.split_first()?;
        let (&short, der) = der.split_first()?;
        let (length, der) = match short {
            0..=0x7f => (usize::from(short), der),
            // The long form: so many bytes of length follow; four of them are far above any certificate.
            0x81..=0x84 => {
                let (bytes, der) = der.split_at_checked(usize::from(short & 0x7f))?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), der)
            }
            _ => return None,
        };
        let (content, rest) = der.split_at_checked(length)?;
        Some(Self { tag, content, rest })
    }

    fn content_of(&self, tag: u8) -> Option<&'a [u8]> {
        (self.tag == tag).then_some(self.content)
    }
}

/// `MMDDHHMMSSZ` of `year`.
fn seconds(year: u64, rest: &[u8]) -> Option<u64> {
    let [month, day, hour, minute, second] = rest.strip_suffix(b"Z")?.as_chunks::<2>().0 else { return None };
    if rest.len() != 11 {
        return None;
    }
    let (month, day) = (digits(month)?, digits(day)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year < 1970 {
        return (year < 1970).then_some(0);
    }
    // Days before the year and before the month, by the Gregorian rule; 1970 has 719,162 days before it since year 1.
    let before = year - 1;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let months: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let month_days = months.get(usize::try_from(month - 1).ok()?)? + u64::from(leap && month > 2);
    let days = before * 365 + before / 4 - before / 100 + before / 400 - 719_162 + month_days + day - 1;
    Some(((days * 24 + digits(hour)?) * 60 + digits(minute)?) * 60 + digits(second)?)
}

fn digits(bytes: &[u8]) -> Option<u64> {
    bytes.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let cases = [
            (1969, 12, 31, 0),
            (1970, 1, 1, 0),
            (1970, 3, 1, 5_097_600),
            (1999, 12, 31, 946_598_400),
            (2000, 2, 29, 951_782_400),
            (2024, 2, 29, 1_709_164_800),
            (2026, 11, 23, 1_795_392_000),
            (2049, 12, 31, 2_524_521_600),
            (2050, 1, 1, 2_524_608_000),
            (2100, 3, 1, 4_107_542_400),
            (4096, 1, 1, 67_090_118_400),
        ];
        let key = rcgen::KeyPair::generate().unwrap();
        for (year, month, day, expected) in cases {
            let mut parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            parameters.not_after = rcgen::date_time_ymd(year, month, day);
            let certificate = parameters.self_signed(&key).unwrap();
            assert_eq!(not_after(certificate.der()), Some(expected), "{year}-{month}-{day}");
        }
    }

    #[test]
    fn cut_or_changed_bytes_never_panic() {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let der = parameters.self_signed(&key).unwrap().der().to_vec();
        for end in 0..der.len() {
            assert_eq!(not_after(&der[..end]), None, "cut at {end}");
            for byte in [0x00, 0x7f, 0x80, 0x84, 0xff] {
                let mut changed = der.clone();
                changed[end] = byte;
                let _any = not_after(&changed);
            }
        }
    }
}
