//! Medians and percentiles of what was measured. Pure: it neither measures nor prints.

use std::time::Duration;

/// Smallest, middle and largest of some values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// Of at least one value; of none, all three are NaN.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let (below, above) = (values.len().saturating_sub(1) / 2, values.len() / 2);
        Self { low: at(0), median: f64::midpoint(at(below), at(above)), high: at(values.len().saturating_sub(1)) }
    }
}

/// The value that `hundredths` of all do not exceed (nearest rank), in microseconds; NaN of none.
pub(crate) fn percentile(times: &mut [Duration], hundredths: usize) -> f64 {
    times.sort_unstable();
    let rank = (times.len() * hundredths).div_ceil(100).max(1);
    times.get(rank - 1).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
}

/// A count as a number to calculate with; exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^53")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}
