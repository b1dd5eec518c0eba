//! The metrics page: Prometheus text format 0.0.4, made anew for each scrape.
//!
//! Every name begins with `pnx_`, says its unit, and counts in base units. Labels come from closed sets in this program, so
//! the page has the same lines whatever the traffic: no label ever holds a byte of a request, a name or an address.

use std::fmt::Display;
use std::fmt::Write;

use crate::net::certificate::Certificates;
use crate::policy::Origin;
use crate::shared::Shared;
use crate::shared::counters::APIS;
use crate::shared::counters::BOUNDS_MICROSECONDS;
use crate::shared::counters::Counters;
use crate::shared::counters::Coverage;
use crate::shared::counters::Histogram;
use crate::shared::counters::Refusal;
use crate::shared::counters::Verdict;

/// The page's content type.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// One figure of a core's block: its name, what it is, and where it stands. `_total` makes it a counter.
type Figure = (&'static str, &'static str, fn(&Counters) -> u64);

const FIGURES: [Figure; 29] = [
    ("pnx_connections_accepted_total", "Client connections accepted.", |block| block.connections_accepted.value()),
    ("pnx_connections_refused_total", "Client connections turned away at the cap.", |block| {
        block.connections_refused.value()
    }),
    ("pnx_connections_open", "Client connections open now.", |block| block.connections_open.value()),
    ("pnx_tls_handshakes_total", "TLS handshakes with clients completed.", |block| block.tls_handshakes.value()),
    ("pnx_tls_handshake_failures_total", "TLS handshakes with clients that failed.", |block| {
        block.tls_handshake_failures.value()
    }),
    ("pnx_requests_total", "Requests whose head was read, refused ones included.", |block| block.requests.value()),
    ("pnx_requests_in_flight", "Requests received, waited for or answered now.", |block| {
        block.requests_in_flight.value()
    }),
    ("pnx_client_received_bytes_total", "Bytes of HTTP read from clients.", |block| block.client_bytes_in.value()),
    ("pnx_client_sent_bytes_total", "Bytes of HTTP written to clients.", |block| block.client_bytes_out.value()),
    ("pnx_upstream_received_bytes_total", "Bytes of HTTP read from the upstream.", |block| {
        block.upstream_bytes_in.value()
    }),
    ("pnx_upstream_sent_bytes_total", "Bytes of HTTP written to the upstream.", |block| {
        block.upstream_bytes_out.value()
    }),
    ("pnx_upstream_connects_total", "Connections to the upstream made.", |block| block.upstream_connects.value()),
    ("pnx_upstream_connect_failures_total", "Attempts to connect to the upstream that failed.", |block| {
        block.upstream_connect_failures.value()
    }),
    ("pnx_upstream_reuses_total", "Requests sent on a pooled connection.", |block| block.upstream_reuses.value()),
    ("pnx_upstream_stale_total", "Pooled connections found closed when wanted.", |block| block.upstream_stale.value()),
    ("pnx_upstream_cut_total", "Answers that the upstream cut in the middle.", |block| block.upstream_cut.value()),
    ("pnx_upstream_connections_idle", "Upstream connections in the pools now.", |block| block.pool_idle.value()),
    ("pnx_client_vanished_total", "Clients gone before their answer was complete.", |block| {
        block.client_vanished.value()
    }),
    ("pnx_panics_total", "Panics that ended one connection.", |block| block.panics.value()),
    ("pnx_inspected_bytes_total", "Bytes of text that were inspected.", |block| block.inspected_bytes.value()),
    ("pnx_matches_total", "Matches of rules, whatever was done about them.", |block| block.matches.value()),
    ("pnx_redactions_total", "Placeholders put into requests and answers.", |block| block.redactions.value()),
    ("pnx_vault_values_total", "Values of requests kept to be put back in answers.", |block| {
        block.vault_values.value()
    }),
    ("pnx_vault_left_out_total", "Matches that were to be kept and were redacted for good.", |block| {
        block.vault_left_out.value()
    }),
    ("pnx_uninspected_total", "Bodies, files and media let through unread.", |block| block.uninspected.value()),
    ("pnx_answers_held_bytes_total", "Bytes of streams held back while a match could go on.", |block| {
        block.answers_held_bytes.value()
    }),
    ("pnx_events_dropped_total", "Events that found their ring full.", |block| block.events_dropped.value()),
    ("pnx_buffer_bytes", "Bytes of buffers lent out now.", |block| block.buffer_bytes.value()),
    ("pnx_workers", "Worker threads, one per core.", |_block| 1),
];

/// The page as it stands now.
#[must_use]
pub fn text(shared: &Shared, certificates: &Certificates) -> String {
    let mut page = Page(String::with_capacity(8 * 1024));
    process(&mut page, shared);
    for (name, help, figure) in FIGURES {
        page.family(name, if name.ends_with("_total") { "counter" } else { "gauge" }, help);
        page.sample(name, &[], shared.sum(figure));
    }
    answers(&mut page, shared);
    let added = "Time that the gateway added to an exchange, waiting left out.";
    page.family("pnx_added_time_seconds", "histogram", added);
    page.buckets("pnx_added_time_seconds", None, shared, &|block| Some(&block.added_time));
    inspected(&mut page, shared);
    apis(&mut page, shared);
    policy(&mut page, shared);
    certificate(&mut page, shared, certificates);
    control(&mut page, shared);
    page.0
}

fn process(page: &mut Page, shared: &Shared) {
    page.family("pnx_build_info", "gauge", "The version that runs.");
    page.sample("pnx_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    page.family("pnx_start_time_seconds", "gauge", "When the process started, since the Unix epoch.");
    page.sample(
        "pnx_start_time_seconds",
        &[],
        Seconds(u64::try_from(shared.started_unix.as_nanos()).unwrap_or(u64::MAX)),
    );
    if let Some(driver) = shared.driver() {
        page.family("pnx_io_driver", "gauge", "The I/O driver in use.");
        page.sample("pnx_io_driver", &[("driver", driver)], 1);
    }
    page.family("pnx_ready", "gauge", "1 while new requests are welcome.");
    page.sample("pnx_ready", &[], u64::from(shared.lifecycle.ready()));
}

fn answers(page: &mut Page, shared: &Shared) {
    page.family("pnx_responses_total", "counter", "Answers begun, by the class of their status.");
    for (index, class) in ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().enumerate() {
        let count = shared.sum(|block| block.responses_by_class.get(index).map_or(0, |counter| counter.value()));
        page.sample("pnx_responses_total", &[("class", class)], count);
    }
    page.family("pnx_refusals_total", "counter", "Requests that the gateway itself answered with an error, by reason.");
    for refusal in Refusal::ALL {
        let count = shared.sum(|block| block.refused(refusal).value());
        page.sample("pnx_refusals_total", &[("reason", refusal.label())], count);
    }
}

fn policy(page: &mut Page, shared: &Shared) {
    let policy = shared.policy.load();
    page.family("pnx_policy_version", "gauge", "The version of the policy; 0: the built-in one.");
    page.sample("pnx_policy_version", &[], policy.version());
    page.family("pnx_policy_in_force", "gauge", "1 while requests are served by the policy.");
    page.sample("pnx_policy_in_force", &[], u64::from(shared.policy.in_force()));
    page.family("pnx_policy_unsigned", "gauge", "1 while the policy is one that nobody signed.");
    page.sample("pnx_policy_unsigned", &[], u64::from(policy.origin() == Origin::Unsigned));
    page.family("pnx_policy_reloads_total", "counter", "Loads of a policy since the start, by result.");
    let (good, failed) = (&shared.control.policy_reloads, &shared.control.policy_reload_failures);
    for (result, counter) in [("ok", good), ("error", failed)] {
        page.sample("pnx_policy_reloads_total", &[("result", result)], counter.value());
    }
    page.family("pnx_verdicts_total", "counter", "Requests that were inspected, by verdict.");
    for verdict in Verdict::ALL {
        let count = shared.sum(|block| block.verdicts.get(verdict as usize).map_or(0, |counter| counter.value()));
        page.sample("pnx_verdicts_total", &[("verdict", verdict.label())], count);
    }
    page.family("pnx_events_total", "counter", "Events by reason code.");
    for (code, count) in shared.event_codes.load().iter() {
        page.sample("pnx_events_total", &[("code", code.as_str())], count);
    }
    page.family("pnx_events_written_total", "counter", "Events written, by result.");
    let (good, failed) = (&shared.control.events_written, &shared.control.events_failed);
    for (result, counter) in [("ok", good), ("error", failed)] {
        page.sample("pnx_events_written_total", &[("result", result)], counter.value());
    }
}

fn inspected(page: &mut Page, shared: &Shared) {
    page.family("pnx_answers_total", "counter", "Answers sent on, by how much of them was inspected and why not more.");
    for coverage in Coverage::ALL {
        let count = shared.sum(|block| block.answers.get(coverage as usize).map_or(0, |counter| counter.value()));
        let (inspection, reason) = coverage.labels();
        page.sample("pnx_answers_total", &[("inspection", inspection), ("reason", reason)], count);
    }
    page.family("pnx_answer_verdicts_total", "counter", "Answers that were inspected, by verdict.");
    for verdict in Verdict::ALL {
        let count =
            shared.sum(|block| block.answer_verdicts.get(verdict as usize).map_or(0, |counter| counter.value()));
        page.sample("pnx_answer_verdicts_total", &[("verdict", verdict.label())], count);
    }
    let held = "How long bytes of streams were held back while a match could go on.";
    page.family("pnx_answers_held_seconds", "histogram", held);
    page.buckets("pnx_answers_held_seconds", None, shared, &|block| Some(&block.answers_held_time));
}

fn apis(page: &mut Page, shared: &Shared) {
    page.family("pnx_tokens_total", "counter", "Tokens as providers counted them in answers that were inspected.");
    for (at, (_, api)) in APIS.into_iter().enumerate() {
        let input = shared.sum(|block| block.apis.get(at).map_or(0, |of| of.input_tokens.value()));
        let output = shared.sum(|block| block.apis.get(at).map_or(0, |of| of.output_tokens.value()));
        for (direction, count) in [("input", input), ("output", output)] {
            page.sample("pnx_tokens_total", &[("api", api), ("direction", direction)], count);
        }
    }
    const NAME: &str = "pnx_upstream_first_byte_seconds";
    page.family(NAME, "histogram", "From the end of a request sent upstream to the first byte of its answer.");
    for (at, (_, api)) in APIS.into_iter().enumerate() {
        page.buckets(NAME, Some(("api", api)), shared, &|block| block.apis.get(at).map(|of| &of.first_byte));
    }
}

fn certificate(page: &mut Page, shared: &Shared, certificates: &Certificates) {
    page.family("pnx_tls_self_signed", "gauge", "1 while the certificate is one that no client can know.");
    page.sample("pnx_tls_self_signed", &[], u64::from(certificates.self_signed()));
    if let Some(end) = certificates.not_after() {
        page.family(
            "pnx_tls_certificate_not_after_seconds",
            "gauge",
            "When the certificate ends, since the Unix epoch.",
        );
        page.sample("pnx_tls_certificate_not_after_seconds", &[], end);
    }
    page.family("pnx_tls_certificate_reloads_total", "counter", "Reloads of the certificate, by result.");
    let (good, failed) = (&shared.control.certificate_reloads, &shared.control.certificate_reload_failures);
    for (result, counter) in [("ok", good), ("error", failed)] {
        page.sample("pnx_tls_certificate_reloads_total", &[("result", result)], counter.value());
    }
}

fn control(page: &mut Page, shared: &Shared) {
    page.family("pnx_upstream_addresses", "gauge", "Addresses of the upstream that are known; 0: none yet.");
    page.sample("pnx_upstream_addresses", &[], shared.addresses.load().len());
    page.family("pnx_upstream_resolutions_total", "counter", "Look-ups of the upstream's name, by result.");
    let (good, failed) = (&shared.control.resolutions, &shared.control.resolution_failures);
    for (result, counter) in [("ok", good), ("error", failed)] {
        page.sample("pnx_upstream_resolutions_total", &[("result", result)], counter.value());
    }
    page.family("pnx_admin_refused_total", "counter", "Connections to the admin listener turned away at its cap.");
    page.sample("pnx_admin_refused_total", &[], shared.control.admin_refused.value());
}

/// The page so far. Writing to a string cannot fail, so the results are dropped.
struct Page(String);

impl Page {
    /// Opens a family: all its samples follow before the next.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        debug_assert!(!help.contains(['\\', '\n']), "help is written without escapes");
        let _ok = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// The samples of a histogram that [`Page::family`] opened, with a label or without.
    fn buckets<const SCALE: u64>(
        &mut self,
        name: &str,
        label: Option<(&str, &str)>,
        shared: &Shared,
        histogram: &dyn Fn(&Counters) -> Option<&Histogram<SCALE>>,
    ) {
        let label = label.as_slice();
        let mut count = 0;
        for index in 0..=BOUNDS_MICROSECONDS.len() {
            count += shared.sum(|block| histogram(block).map_or(0, |histogram| histogram.bucket(index)));
            let bound = Histogram::<SCALE>::bound_nanoseconds(index);
            let bound = bound.map_or("+Inf".to_owned(), |bound| Seconds(bound).to_string());
            self.sample(&format!("{name}_bucket"), &[label, &[("le", &bound)]].concat(), count);
        }
        let sum = shared.sum(|block| histogram(block).map_or(0, Histogram::sum_nanoseconds));
        self.sample(&format!("{name}_sum"), label, Seconds(sum));
        self.sample(&format!("{name}_count"), label, count);
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ok = self.0.write_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            debug_assert!(!text.contains(['\\', '"', '\n']), "labels are written without escapes");
            let _ok = write!(self.0, "{}{label}=\"{text}\"", if index == 0 { '{' } else { ',' });
        }
        let _ok = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }
}

/// Nanoseconds, written as seconds without the rounding of a float.
struct Seconds(u64);

impl Display for Seconds {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{}.{:09}", self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        out.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests;
