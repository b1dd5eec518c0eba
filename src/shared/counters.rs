//! What is counted: one block per core, added up when somebody asks.
//!
//! A counter that all cores wrote would be one cache line that travels between them on every request. Here each core owns
//! a block on cache lines of its own and writes it with a plain load and store; a scrape reads all blocks, and may see one
//! request counted in one figure and not yet in the next. No lock, no locked instruction, no text from a request.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Upper bounds of the buckets of a `Histogram`, in microseconds; one more bucket takes what is above the last.
///
/// The goal is 20 us at the median, so the buckets are fine around it; 50 ms and more is a stall, how long does not matter.
pub const BOUNDS_MICROSECONDS: [u64; 17] =
    [5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 2500, 5000, 10_000, 50_000];

/// A figure that only grows, until it wraps at 2^64. One thread writes it, any thread reads it.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `count`. Only the thread that owns the block may call this: two writers would lose counts (and nothing else).
    #[inline]
    pub fn add(&self, count: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(count), Relaxed);
    }

    /// Adds one, under the rule of `add`.
    #[inline]
    pub fn increment(&self) {
        self.add(1);
    }

    /// What was counted so far.
    #[inline]
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A figure that grows and shrinks and never goes below zero. One thread writes it, any thread reads it.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Adds `count`. Only the thread that owns the block may call this.
    #[inline]
    pub fn add(&self, count: u64) {
        self.0.store(self.0.load(Relaxed).saturating_add(count), Relaxed);
    }

    /// Takes `count` away, which must have been added before. Only the thread that owns the block may call this.
    #[inline]
    pub fn subtract(&self, count: u64) {
        let value = self.0.load(Relaxed);
        debug_assert!(count <= value, "a gauge fell below zero");
        self.0.store(value.saturating_sub(count), Relaxed);
    }

    /// Puts `value` in place of what stood. Only the thread that owns the block may call this.
    #[inline]
    pub fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    /// Adds one, under the rule of `add`.
    #[inline]
    pub fn increment(&self) {
        self.add(1);
    }

    /// Takes one away, under the rule of `subtract`.
    #[inline]
    pub fn decrement(&self) {
        self.subtract(1);
    }

    /// What stands now.
    #[inline]
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// How often a time fell between two fixed bounds, and the sum of all times.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [Counter; BOUNDS_MICROSECONDS.len() + 1],
    sum_nanoseconds: Counter,
}

impl Histogram {
    /// Counts one time. Only the thread that owns the block may call this.
    #[inline]
    pub fn observe(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_MICROSECONDS.iter().position(|bound| nanoseconds <= bound * 1000);
        if let Some(counter) = self.buckets.get(bucket.unwrap_or(BOUNDS_MICROSECONDS.len())) {
            counter.increment();
        }
        self.sum_nanoseconds.add(nanoseconds);
    }

    /// Times in bucket `index` alone (not cumulative); `BOUNDS_MICROSECONDS.len()` is the bucket above all bounds, and
    /// anything past it holds nothing.
    #[must_use]
    pub fn bucket(&self, index: usize) -> u64 {
        self.buckets.get(index).map_or(0, Counter::value)
    }

    /// The sum of all times, in nanoseconds: 2^64 of them are 584 years.
    #[must_use]
    pub fn sum_nanoseconds(&self) -> u64 {
        self.sum_nanoseconds.value()
    }
}

/// Why the gateway itself answered a request with an error. The number is the place in `Counters::refusals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Refusal {
    /// 400: no single reading of the request.
    BadRequest,
    /// 408: the request did not arrive in time.
    RequestTimeout,
    /// 413: the body is larger than allowed.
    PayloadTooLarge,
    /// 414: the request line is longer than allowed.
    UriTooLong,
    /// 421: plain HTTP where it is not proxied.
    Misdirected,
    /// 431: the head is larger than allowed.
    HeaderFieldsTooLarge,
    /// 417: an expectation other than `100-continue`.
    ExpectationFailed,
    /// 415: a content type or content coding that is not inspected.
    UnsupportedMediaType,
    /// 403: the policy forbids the request.
    Blocked,
    /// 501: a transfer coding or a method that is not implemented.
    NotImplemented,
    /// 502: the upstream could not be reached or answered with something that is not HTTP.
    BadGateway,
    /// 503: a bound of the gateway is reached, or it is not ready.
    Unavailable,
    /// 504: the upstream did not answer in time.
    GatewayTimeout,
    /// 505: a version other than HTTP/1.0 and HTTP/1.1.
    VersionNotSupported,
}

impl Refusal {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::BadRequest,
        Self::RequestTimeout,
        Self::PayloadTooLarge,
        Self::UriTooLong,
        Self::Misdirected,
        Self::HeaderFieldsTooLarge,
        Self::ExpectationFailed,
        Self::UnsupportedMediaType,
        Self::Blocked,
        Self::NotImplemented,
        Self::BadGateway,
        Self::Unavailable,
        Self::GatewayTimeout,
        Self::VersionNotSupported,
    ];

    /// The value of the metric's `reason` label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::RequestTimeout => "request_timeout",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UriTooLong => "uri_too_long",
            Self::Misdirected => "misdirected",
            Self::HeaderFieldsTooLarge => "header_fields_too_large",
            Self::ExpectationFailed => "expectation_failed",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::Blocked => "blocked",
            Self::NotImplemented => "not_implemented",
            Self::BadGateway => "bad_gateway",
            Self::Unavailable => "unavailable",
            Self::GatewayTimeout => "gateway_timeout",
            Self::VersionNotSupported => "version_not_supported",
        }
    }
}

/// What inspection said of a request. The number is the place in `Counters::verdicts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// Nothing was found, or only what the policy allows.
    Allow,
    /// Something was found, told of, and let through.
    Warn,
    /// Something was replaced.
    Redact,
    /// The policy forbids it.
    Block,
    /// It could not be inspected: not readable, of an unknown kind, or past a bound.
    Refuse,
}

impl Verdict {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::Allow, Self::Warn, Self::Redact, Self::Block, Self::Refuse];

    /// The value of the metric's `verdict` label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Redact => "redact",
            Self::Block => "block",
            Self::Refuse => "refuse",
        }
    }
}

/// What one core counts. The alignment keeps two blocks off one cache line, and off the line that the CPU fetches with it.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Counters {
    /// Client connections accepted, those refused at the cap included.
    pub connections_accepted: Counter,
    /// Client connections turned away because the cap was reached.
    pub connections_refused: Counter,
    /// Client connections open now.
    pub connections_open: Gauge,
    /// TLS handshakes with clients that were completed.
    pub tls_handshakes: Counter,
    /// TLS handshakes with clients that failed or ran out of time.
    pub tls_handshake_failures: Counter,
    /// Requests whose head was read whole, refused ones included.
    pub requests: Counter,
    /// Requests that are being received, waited for or answered now.
    pub requests_in_flight: Gauge,
    /// Answers begun, by the first digit of their status: 1xx at index 0 to 5xx at index 4. See `count_response`.
    pub responses_by_class: [Counter; 5],
    /// Bytes read from clients, TLS included.
    pub client_bytes_in: Counter,
    /// Bytes written to clients, TLS included.
    pub client_bytes_out: Counter,
    /// Bytes read from the upstream, TLS included.
    pub upstream_bytes_in: Counter,
    /// Bytes written to the upstream, TLS included.
    pub upstream_bytes_out: Counter,
    /// Requests that the gateway itself answered with an error, by `Refusal`. See `count_refusal`.
    pub refusals: [Counter; Refusal::ALL.len()],
    /// Requests that were inspected, by `Verdict`. See `count_verdict`.
    pub verdicts: [Counter; Verdict::ALL.len()],
    /// Bytes of request bodies, URLs and header values that were handed to inspection.
    pub inspected_bytes: Counter,
    /// Matches of rules, whatever their action.
    pub matches: Counter,
    /// Places that were redacted.
    pub redactions: Counter,
    /// Bodies, parts and media that the policy let through without inspection.
    pub uninspected: Counter,
    /// Events that found the ring full.
    pub events_dropped: Counter,
    /// Connections to the upstream that were made, TLS included.
    pub upstream_connects: Counter,
    /// Attempts to connect to the upstream that failed, one per address.
    pub upstream_connect_failures: Counter,
    /// Requests sent on a connection from the pool.
    pub upstream_reuses: Counter,
    /// Pooled connections found closed when they were wanted.
    pub upstream_stale: Counter,
    /// Answers that the upstream cut in the middle.
    pub upstream_cut: Counter,
    /// Clients that went away before their answer was complete.
    pub client_vanished: Counter,
    /// Panics that ended a connection's task.
    pub panics: Counter,
    /// Bytes of buffers that are lent out now.
    pub buffer_bytes: Gauge,
    /// Upstream connections that wait in the pool now.
    pub pool_idle: Gauge,
    /// What the gateway added to each exchange: the time in it that was not waiting for the client or the upstream.
    pub added_time: Histogram,
}

impl Counters {
    /// Counts one answer by its status; a status outside 100..=599 is not counted.
    #[inline]
    pub fn count_response(&self, status: u16) {
        if let Some(counter) = usize::from(status / 100).checked_sub(1).and_then(|at| self.responses_by_class.get(at)) {
            counter.increment();
        }
    }

    /// Counts one refusal.
    #[inline]
    pub fn count_refusal(&self, refusal: Refusal) {
        self.refused(refusal).increment();
    }

    /// Counts what inspection said of one request.
    #[inline]
    pub fn count_verdict(&self, verdict: Verdict) {
        self.verdicts[verdict as usize].increment();
    }

    /// The counter of one kind of refusal.
    #[inline]
    #[must_use]
    pub fn refused(&self, refusal: Refusal) -> &Counter {
        &self.refusals[refusal as usize]
    }
}

/// What the control threads count; each field has one writing thread.
#[derive(Debug, Default)]
pub struct ControlCounters {
    /// Reloads that took a new certificate. Written by the thread `control`.
    pub certificate_reloads: Counter,
    /// Reloads that failed, so that the old certificate stayed. Written by the thread `control`.
    pub certificate_reload_failures: Counter,
    /// Look-ups of the upstream's name that gave an address. Written by the thread `resolver`.
    pub resolutions: Counter,
    /// Look-ups of the upstream's name that failed. Written by the thread `resolver`.
    pub resolution_failures: Counter,
    /// Connections to the admin listener that were turned away at its cap. Written by the thread `admin`.
    pub admin_refused: Counter,
    /// Policies that were put in force after the first. Written by the thread `policy`.
    pub policy_reloads: Counter,
    /// Policies that were refused, so that the last good one stayed. Written by the thread `policy`.
    pub policy_reload_failures: Counter,
    /// Events that were written out. Written by the thread `events`.
    pub events_written: Counter,
    /// Events that could not be written. Written by the thread `events`.
    pub events_failed: Counter,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_do_not_share_a_cache_line() {
        assert_eq!(align_of::<Counters>(), 128);
        assert_eq!(size_of::<Counters>() % 128, 0);
    }

    #[test]
    fn a_refusal_counts_in_its_own_place() {
        for (index, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(refusal as usize, index);
            let block = Counters::default();
            block.count_refusal(refusal);
            let counted: Vec<u64> = block.refusals.iter().map(Counter::value).collect();
            assert_eq!(counted.iter().sum::<u64>(), 1, "{}", refusal.label());
            assert_eq!(counted[index], 1, "{}", refusal.label());
        }
    }

    #[test]
    fn labels_differ() {
        let labels: std::collections::BTreeSet<&str> = Refusal::ALL.iter().map(|refusal| refusal.label()).collect();
        assert_eq!(labels.len(), Refusal::ALL.len());
    }

    #[test]
    fn a_status_counts_in_its_class() {
        let cases: [(u16, [u64; 5]); 8] = [
            (0, [0; 5]),
            (99, [0; 5]),
            (100, [1, 0, 0, 0, 0]),
            (200, [0, 1, 0, 0, 0]),
            (399, [0, 0, 1, 0, 0]),
            (404, [0, 0, 0, 1, 0]),
            (599, [0, 0, 0, 0, 1]),
            (600, [0; 5]),
        ];
        for (status, expected) in cases {
            let block = Counters::default();
            block.count_response(status);
            assert_eq!(block.responses_by_class.each_ref().map(Counter::value), expected, "{status}");
        }
    }

    #[test]
    fn a_time_falls_into_the_bucket_whose_bound_it_reaches() {
        let last = BOUNDS_MICROSECONDS.len();
        let cases = [(0, 0), (5_000, 0), (5_001, 1), (20_000, 2), (50_000_000, last - 1), (50_000_001, last)];
        for (nanoseconds, expected) in cases {
            let histogram = Histogram::default();
            histogram.observe(Duration::from_nanos(nanoseconds));
            for index in 0..=last + 1 {
                assert_eq!(histogram.bucket(index), u64::from(index == expected), "{nanoseconds} ns in bucket {index}");
            }
            assert_eq!(histogram.sum_nanoseconds(), nanoseconds);
        }
    }

    #[test]
    fn a_gauge_falls_as_it_rose() {
        let gauge = Gauge::default();
        gauge.add(7);
        gauge.increment();
        gauge.subtract(3);
        gauge.decrement();
        assert_eq!(gauge.value(), 4);
    }
}
