//! The metrics page, read by a parser that knows the text format and nothing of the code that writes it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::net::certificate::CertificateSource;
use crate::policy::Policy;

use super::*;

/// Samples by their name and labels as written; panics where the page breaks a rule of the format.
fn parse(page: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    let mut families: BTreeMap<&str, &str> = BTreeMap::new();
    let mut helped = BTreeSet::new();
    let mut current = "";
    assert!(page.ends_with('\n'), "the last line is ended");
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, text) = rest.split_once(' ').unwrap();
            assert!(!text.is_empty() && helped.insert(name), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(helped.contains(name), "help comes first: {line}");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(families.insert(name, kind).is_none(), "opened twice: {line}");
            current = name;
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            let family = match families[current] {
                "histogram" => ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap(),
                _ => name,
            };
            assert_eq!(family, current, "a sample stands in its family");
            assert!(
                name.starts_with("pnx_") && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                "{line}"
            );
            if let Some(labels) = series.strip_prefix(name).filter(|labels| !labels.is_empty()) {
                let inner = labels.strip_prefix('{').and_then(|labels| labels.strip_suffix('}')).unwrap();
                for label in inner.split(',') {
                    let (key, text) = label.split_once('=').unwrap();
                    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap();
                    assert!(!key.is_empty() && !text.is_empty() && !text.contains(['"', '\\']), "{line}");
                }
            }
            assert!(samples.insert(series.to_owned(), value.parse().unwrap()).is_none(), "twice: {line}");
        }
    }
    samples
}

fn shared() -> Shared {
    let shared =
        Shared::new(2, crate::clock::now(), Duration::from_millis(1_795_392_000_250), Arc::new(Policy::built_in()));
    shared.decide_driver("uring");
    shared
}

fn certificates() -> Certificates {
    Certificates::load(CertificateSource::SelfSigned { names: Vec::new() }).unwrap()
}

#[test]
fn figures_of_all_cores_are_on_the_page() {
    let shared = shared();
    for block in &shared.counters {
        block.connections_accepted.add(3);
        block.requests.add(5);
        block.requests_in_flight.increment();
        block.count_response(200);
        block.count_response(503);
        block.count_refusal(Refusal::Unavailable);
        block.upstream_bytes_out.add(1 << 40);
        block.count_answer(Coverage::PartialMedia);
        block.count_answer_verdict(Verdict::Block);
        block.apis[4].output_tokens.add(11);
        block.apis[5].first_byte.observe(Duration::from_millis(7));
        block.answers_held_bytes.add(5);
        block.answers_held_time.observe(Duration::from_micros(60));
    }
    shared.control.certificate_reload_failures.increment();
    shared.addresses.publish(vec!["192.0.2.1:443".parse().unwrap()]);
    let samples = parse(&text(&shared, &certificates()));
    for (series, expected) in [
        ("pnx_connections_accepted_total", 6.0),
        ("pnx_requests_total", 10.0),
        ("pnx_requests_in_flight", 2.0),
        ("pnx_responses_total{class=\"2xx\"}", 2.0),
        ("pnx_responses_total{class=\"5xx\"}", 2.0),
        ("pnx_responses_total{class=\"4xx\"}", 0.0),
        ("pnx_refusals_total{reason=\"unavailable\"}", 2.0),
        ("pnx_refusals_total{reason=\"bad_request\"}", 0.0),
        ("pnx_upstream_sent_bytes_total", (1_u64 << 41) as f64),
        ("pnx_io_driver{driver=\"uring\"}", 1.0),
        ("pnx_answers_total{inspection=\"partial\",reason=\"media\"}", 2.0),
        ("pnx_answers_total{inspection=\"full\",reason=\"none\"}", 0.0),
        ("pnx_answer_verdicts_total{verdict=\"block\"}", 2.0),
        ("pnx_tokens_total{api=\"anthropic_messages\",direction=\"output\"}", 22.0),
        ("pnx_tokens_total{api=\"anthropic_messages\",direction=\"input\"}", 0.0),
        ("pnx_upstream_first_byte_seconds_bucket{api=\"other\",le=\"0.005\"}", 0.0),
        ("pnx_upstream_first_byte_seconds_bucket{api=\"other\",le=\"0.01\"}", 2.0),
        ("pnx_upstream_first_byte_seconds_sum{api=\"other\"}", 0.014),
        ("pnx_answers_held_bytes_total", 10.0),
        ("pnx_answers_held_seconds_bucket{le=\"0.00005\"}", 0.0),
        ("pnx_answers_held_seconds_bucket{le=\"0.0001\"}", 2.0),
        ("pnx_workers", 2.0),
        ("pnx_start_time_seconds", 1_795_392_000.25),
        ("pnx_tls_self_signed", 1.0),
        ("pnx_tls_certificate_reloads_total{result=\"ok\"}", 0.0),
        ("pnx_tls_certificate_reloads_total{result=\"error\"}", 1.0),
        ("pnx_upstream_addresses", 1.0),
        ("pnx_ready", 0.0),
    ] {
        assert_eq!(samples.get(series), Some(&expected), "{series}");
    }
    assert!(samples.keys().any(|series| series.starts_with("pnx_build_info{version=\"")));
}

#[test]
fn the_histogram_adds_up() {
    let shared = shared();
    let times = [1, 5, 6, 99, 100, 1000, 49_999, 50_000, 50_001, 9_000_000];
    for (index, microseconds) in times.into_iter().enumerate() {
        shared.counters[index % 2].added_time.observe(Duration::from_micros(microseconds));
    }
    let samples = parse(&text(&shared, &certificates()));
    let bucket = |bound: &str| samples[&format!("pnx_added_time_seconds_bucket{{le=\"{bound}\"}}")];
    for bound in BOUNDS_MICROSECONDS {
        let expected = times.into_iter().filter(|time| *time <= bound).count();
        assert_eq!(bucket(&Seconds(bound * 1000).to_string()), expected as f64, "{bound} us");
    }
    assert_eq!(bucket("+Inf"), times.len() as f64);
    assert_eq!(samples["pnx_added_time_seconds_count"], times.len() as f64);
    let sum = times.into_iter().sum::<u64>() as f64 / 1e6;
    assert!((samples["pnx_added_time_seconds_sum"] - sum).abs() < 1e-9);
}

#[test]
fn what_is_not_decided_is_not_on_the_page() {
    let shared = Shared::new(0, crate::clock::now(), Duration::ZERO, Arc::new(Policy::built_in()));
    let samples = parse(&text(&shared, &certificates()));
    assert!(!samples.keys().any(|series| series.starts_with("pnx_io_driver")));
    assert_eq!(samples["pnx_workers"], 0.0);
}

#[test]
fn seconds_are_written_exactly() {
    let cases = [
        (0, "0"),
        (1, "0.000000001"),
        (5_000, "0.000005"),
        (50_000_000, "0.05"),
        (1_000_000_000, "1"),
        (10_000_000_000, "10"),
        (u64::MAX, "18446744073.709551615"),
    ];
    for (nanoseconds, expected) in cases {
        assert_eq!(Seconds(nanoseconds).to_string(), expected);
    }
}
