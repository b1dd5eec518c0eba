//! What is counted: one block per core, added up when somebody asks.
//!
//! A counter that all cores wrote would be one cache line that travels between them on every request. Here each core owns
//! a block on cache lines of its own and writes it with a plain load and store; a scrape reads all blocks, and may see one
//! request counted in one figure and not yet in the next. No lock, no locked instruction, no text from a request.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::extract::Api;

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

/// How often a time fell between two fixed bounds, and the sum of all times. Its bounds are `BOUNDS_MICROSECONDS`, each `SCALE` times.
#[derive(Debug, Default)]
pub struct Histogram<const SCALE: u64 = 1> {
    buckets: [Counter; BOUNDS_MICROSECONDS.len() + 1],
    sum_nanoseconds: Counter,
}

impl<const SCALE: u64> Histogram<SCALE> {
    /// The upper bound of bucket `index` in nanoseconds; none for the one above all bounds.
    #[must_use]
    pub fn bound_nanoseconds(index: usize) -> Option<u64> {
        BOUNDS_MICROSECONDS.get(index).map(|bound| bound * 1000 * SCALE)
    }

    /// Counts one time. Only the thread that owns the block may call this.
    #[inline]
    pub fn observe(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_MICROSECONDS.iter().position(|bound| nanoseconds <= bound * 1000 * SCALE);
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
    /// 403, or the status of the provider's own error: an answer that cannot be inspected, or is too long for it.
    AnswerRefused,
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
    pub const ALL: [Self; 15] = [
        Self::BadRequest,
        Self::RequestTimeout,
        Self::PayloadTooLarge,
        Self::UriTooLong,
        Self::Misdirected,
        Self::HeaderFieldsTooLarge,
        Self::ExpectationFailed,
        Self::UnsupportedMediaType,
        Self::Blocked,
        Self::AnswerRefused,
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
            Self::AnswerRefused => "answer_refused",
            Self::NotImplemented => "not_implemented",
            Self::BadGateway => "bad_gateway",
            Self::Unavailable => "unavailable",
            Self::GatewayTimeout => "gateway_timeout",
            Self::VersionNotSupported => "version_not_supported",
        }
    }
}

/// What inspection said of a request or an answer. The number is the place in `Counters::verdicts` and
/// `Counters::answer_verdicts`.
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

/// How much of an answer was inspected, and why not more. The number is the place in `Counters::answers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Coverage {
    /// All of it, an empty one too.
    Full,
    /// All but images, audio or files in it.
    PartialMedia,
    /// It is longer than what is inspected whole, and was inspected in pieces.
    PartialOversize,
    /// Nothing: it is of a media type that the policy lets through unread.
    NoneContentType,
    /// Nothing: the policy has no rule for answers.
    NoneNoRules,
}

impl Coverage {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::Full, Self::PartialMedia, Self::PartialOversize, Self::NoneContentType, Self::NoneNoRules];

    /// The values of the metric's labels `inspection` and `reason`.
    #[must_use]
    pub const fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::Full => ("full", "none"),
            Self::PartialMedia => ("partial", "media"),
            Self::PartialOversize => ("partial", "oversize"),
            Self::NoneContentType => ("none", "content-type"),
            Self::NoneNoRules => ("none", "no-rules"),
        }
    }

    /// The value of the field `x-penaxtra-inspection`.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::PartialMedia => "partial;reason=media",
            Self::PartialOversize => "partial;reason=oversize",
            Self::NoneContentType => "none;reason=content-type",
            Self::NoneNoRules => "none;reason=no-rules",
        }
    }
}

/// The APIs that figures tell apart, and the value of their label `api`; the last stands for every other.
pub const APIS: [(Api, &str); 6] = [
    (Api::OpenAiChat, "openai_chat"),
    (Api::OpenAiResponses, "openai_responses"),
    (Api::OpenAiCompletions, "openai_completions"),
    (Api::OpenAiEmbeddings, "openai_embeddings"),
    (Api::AnthropicMessages, "anthropic_messages"),
    (Api::Other, "other"),
];

/// What is counted for each API.
#[derive(Debug, Default)]
pub struct OfApi {
    /// From the last byte of a request sent upstream to the first of its answer.
    pub first_byte: Histogram<1000>,
    /// Tokens of prompts, as providers count them in their answers.
    pub input_tokens: Counter,
    /// Tokens of answers, as providers count them.
    pub output_tokens: Counter,
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
    /// Answers that were inspected, by `Verdict`. See `count_answer_verdict`.
    pub answer_verdicts: [Counter; Verdict::ALL.len()],
    /// Answers that were sent on, by `Coverage`. See `count_answer`.
    pub answers: [Counter; Coverage::ALL.len()],
    /// Figures of each API, in the order of `APIS`. See `of_api`.
    pub apis: [OfApi; APIS.len()],
    /// Bytes of streamed answers that waited because a match that began in them could still have been completed.
    pub answers_held_bytes: Counter,
    /// How long such bytes waited.
    pub answers_held_time: Histogram<10>,
    /// Bytes of bodies, URLs and header values that were handed to inspection.
    pub inspected_bytes: Counter,
    /// Matches of rules, whatever their action.
    pub matches: Counter,
    /// Places that were redacted.
    pub redactions: Counter,
    /// Different values of requests that were replaced by placeholders to be put back.
    pub vault_values: Counter,
    /// Matches that were to be and are redacted for good: there was no room for them, or they were not UTF-8.
    pub vault_left_out: Counter,
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
    /// What the gateway added to each exchange up to the first bytes that it wrote of the answer, waiting for the client and the
    /// upstream left out.
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

    /// Counts what inspection said of one answer.
    #[inline]
    pub fn count_answer_verdict(&self, verdict: Verdict) {
        self.answer_verdicts[verdict as usize].increment();
    }

    /// Counts one answer that is sent on.
    #[inline]
    pub fn count_answer(&self, coverage: Coverage) {
        self.answers[coverage as usize].increment();
    }

    /// The figures of one API.
    #[inline]
    #[must_use]
    pub fn of_api(&self, api: Api) -> &OfApi {
        let other = APIS.len() - 1;
        &self.apis[APIS.iter().position(|(each, _)| *each == api).unwrap_or(other)]
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
            let histogram = Histogram::<1>::default();
            histogram.observe(Duration::from_nanos(nanoseconds));
            for index in 0..=last + 1 {
                assert_eq!(histogram.bucket(index), u64::from(index == expected), "{nanoseconds} ns in bucket {index}");
            }
            assert_eq!(histogram.sum_nanoseconds(), nanoseconds);
        }
    }

    #[test]
    fn a_scale_moves_all_bounds() {
        let histogram = Histogram::<1000>::default();
        for (milliseconds, bucket) in
            [(5, 0), (6, 1), (50_000, BOUNDS_MICROSECONDS.len() - 1), (50_001, BOUNDS_MICROSECONDS.len())]
        {
            let before = histogram.bucket(bucket);
            histogram.observe(Duration::from_millis(milliseconds));
            assert_eq!(histogram.bucket(bucket), before + 1, "{milliseconds} ms");
        }
        assert_eq!(Histogram::<1000>::bound_nanoseconds(0), Some(5_000_000));
        assert_eq!(Histogram::<1000>::bound_nanoseconds(BOUNDS_MICROSECONDS.len()), None);
    }

    #[test]
    fn an_answer_counts_in_its_own_place() {
        for (index, coverage) in Coverage::ALL.into_iter().enumerate() {
            assert_eq!(coverage as usize, index);
            let (inspection, reason) = coverage.labels();
            let field = if reason == "none" { inspection.to_owned() } else { format!("{inspection};reason={reason}") };
            assert_eq!(coverage.field(), field);
        }
        let block = Counters::default();
        for (index, (api, label)) in APIS.into_iter().enumerate() {
            block.of_api(api).input_tokens.add(1);
            assert_eq!(block.apis[index].input_tokens.value(), 1, "{label}");
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
