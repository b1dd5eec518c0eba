//! The numbers of tokens that an answer names, for metering: what the model's server counted, not what we would.

/// Tokens of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens that the model has read, those of a cache left out where the API counts them apart.
    pub input: Option<u64>,
    /// Tokens that the model has written.
    pub output: Option<u64>,
}

impl Usage {
    /// Takes over what a later event of the same stream says: it counts anew, from the beginning of the stream.
    pub fn update(&mut self, later: Self) {
        self.input = later.input.or(self.input);
        self.output = later.output.or(self.output);
    }
}

/// A JSON number as a count. `None`: it is negative, has a fraction or an exponent, or is past `u64::MAX`.
pub(super) fn count(number: &[u8]) -> Option<u64> {
    number.iter().try_fold(0_u64, |value, byte| {
        let digit = char::from(*byte).to_digit(10)?;
        value.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_are_counts() {
        let cases = [
            ("0", Some(0)),
            ("12", Some(12)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("99999999999999999999999", None),
            ("-1", None),
            ("1.5", None),
            ("1e3", None),
        ];
        for (number, expected) in cases {
            assert_eq!(count(number.as_bytes()), expected, "{number}");
        }
    }

    #[test]
    fn a_later_event_counts_anew_and_takes_nothing_back() {
        let mut usage = Usage { input: Some(7), output: Some(1) };
        usage.update(Usage { input: None, output: Some(20) });
        assert_eq!(usage, Usage { input: Some(7), output: Some(20) });
    }
}
