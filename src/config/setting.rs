//! The table of settings: the only place that lists them.
//!
//! Exists so that flag, key, variable, help and default of a setting cannot drift apart: all are read off its row. Never parses: the rules of
//! each kind of value are in `value.rs`.

use std::path::Path;
use std::time::Duration;

use crate::config::Config;
use crate::config::TlsSource;
use crate::config::draft::Draft;
use crate::config::mistake::Wrong;
use crate::config::value;

/// One setting.
pub(super) struct Setting {
    /// The flag without its dashes.
    pub(super) name: &'static str,
    /// What stands for the value in the help; empty for a switch, whose flag may stand alone.
    pub(super) placeholder: &'static str,
    /// One line.
    pub(super) help: &'static str,
    /// As text, read like any other; empty for none.
    pub(super) default: &'static str,
    /// Reads one text into the draft; for a list, adds to it.
    pub(super) write: fn(&mut Draft, &str) -> Result<(), Wrong>,
    /// The value as a text that `write` reads as the same; empty for none.
    pub(super) show: fn(&Config) -> String,
    /// Empties a list; none for a setting of one value.
    pub(super) clear: Option<fn(&mut Draft)>,
}

impl Setting {
    /// The key in the file.
    pub(super) fn key(&self) -> String {
        self.name.replace('-', "_")
    }

    /// The help line with the default.
    pub(super) fn help_line(&self) -> String {
        if self.default.is_empty() { self.help.to_owned() } else { format!("{} [{}]", self.help, self.default) }
    }
}

/// The variable of the flag `name`.
pub(super) fn variable(name: &str) -> String {
    format!("PNX_{}", name.to_ascii_uppercase().replace('-', "_"))
}

/// The row of `name`.
pub(super) fn position(name: &str) -> Option<usize> {
    SETTINGS.iter().position(|setting| setting.name == name)
}

/// More workers than this is a typing mistake on any machine we know of.
const WORKERS_MAX: u64 = 1024;
/// A body smaller than the smallest chat request would refuse everything; a larger one than 1 GiB would not fit a pod.
const BODY_BYTES: (u64, u64) = (1 << 10, 1 << 30);
/// From one small body's worth to 1 TiB.
const MEMORY_BYTES: (u64, u64) = (1 << 20, 1 << 40);
/// A process has at most this many file descriptors (Linux's `nr_open` by default).
const CONNECTIONS_MAX: u64 = 1 << 20;
/// One address of the upstream offers no more ports than this.
const POOL_CONNECTIONS_MAX: u64 = 65_536;
/// Below a millisecond every wait ends before it began.
const DURATION_MIN: Duration = Duration::from_millis(1);

type Write = fn(&mut Draft, &str) -> Result<(), Wrong>;
type Show = fn(&Config) -> String;

/// Every setting, in the order of the help.
#[rustfmt::skip]
pub(super) const SETTINGS: &[Setting] = &[
    list("listen", "ADDRESSES", "where clients connect: IP:PORT[,IP:PORT...]", "127.0.0.1:8443",
        |draft, text| value::address(text).map(|address| draft.config.listen.push(address)),
        |config| joined(&config.listen), |draft| draft.config.listen.clear()),
    one("upstream", "URL", "required: where requests go, http(s)://host[:port][/prefix]", "",
        |draft, text| put(&mut draft.config.upstream, value::url(text)), |config| config.upstream.url()),
    one("upstream-ca", "FILE", "PEM authorities to trust upstream, not the system's", "",
        |draft, text| put(&mut draft.config.upstream_ca, value::path(text).map(Some)),
        |config| value::show_path(config.upstream_ca.as_deref())),
    one("tls-cert", "FILE", "PEM certificate chain; none: self-signed, in memory", "",
        |draft, text| put(&mut draft.certificate, value::path(text).map(Some)), |config| show_tls(config, "tls-cert")),
    one("tls-key", "FILE", "PEM key of that certificate", "",
        |draft, text| put(&mut draft.key, value::path(text).map(Some)), |config| show_tls(config, "tls-key")),
    one("tls-dir", "DIRECTORY", "instead of the pair: holds tls.crt and tls.key", "",
        |draft, text| put(&mut draft.directory, value::path(text).map(Some)), |config| show_tls(config, "tls-dir")),
    one("tls-client-ca", "FILE", "PEM authorities; clients must present a certificate", "",
        |draft, text| put(&mut draft.config.tls_client_ca, value::path(text).map(Some)),
        |config| value::show_path(config.tls_client_ca.as_deref())),
    list("tls-san", "NAMES", "more names for the self-signed certificate", "",
        |draft, text| value::certificate_name(text).map(|name| draft.config.tls_san.push(name)),
        |config| joined(&config.tls_san), |draft| draft.config.tls_san.clear()),
    one("require-tls-cert", "", "refuse to start self-signed", "false",
        |draft, text| put(&mut draft.config.require_tls_cert, value::word(text)),
        |config| value::show_word(config.require_tls_cert)),
    one("plaintext", "WHERE", "proxy plain HTTP: loopback, allow, deny", "loopback",
        |draft, text| put(&mut draft.config.plaintext, value::word(text)), |config| value::show_word(config.plaintext)),
    one("workers", "N", "threads, 1 to 1024; auto: one for each usable CPU", "auto",
        |draft, text| put(&mut draft.config.workers, value::optional(text, "auto", |text| value::count(text, 1, WORKERS_MAX))),
        |config| shown(config.workers, "auto")),
    one("pin", "WHEN", "pin workers to CPUs: auto, always, never", "auto",
        |draft, text| put(&mut draft.config.pin, value::word(text)), |config| value::show_word(config.pin)),
    one("io", "DRIVER", "auto, uring, epoll", "auto",
        |draft, text| put(&mut draft.config.io, value::word(text)), |config| value::show_word(config.io)),
    one("admin", "ADDRESS", "where metrics are served: IP:PORT or none", "none",
        |draft, text| put(&mut draft.config.admin, value::optional(text, "none", value::address)),
        |config| shown(config.admin, "none")),
    one("policy", "FILE", "signed policy bundle; none: the built-in policy", "",
        |draft, text| put(&mut draft.config.policy, value::path(text).map(Some)),
        |config| value::show_path(config.policy.as_deref())),
    list("policy-key", "KEYS", "public keys that may sign it: 64 hex digits or a file", "",
        |draft, text| value::public_key(text).map(|key| draft.config.policy_keys.push(key)),
        |config| joined(&config.policy_keys), |draft| draft.config.policy_keys.clear()),
    one("tenant", "NAME", "the tenant that the policy must be for", "",
        |draft, text| put(&mut draft.config.tenant, value::tenant(text).map(Some)),
        |config| config.tenant.clone().unwrap_or_default()),
    one("allow-unsigned-policy", "", "take a policy that nobody signed", "false",
        |draft, text| put(&mut draft.config.allow_unsigned_policy, value::word(text)),
        |config| value::show_word(config.allow_unsigned_policy)),
    one("policy-expired", "WHAT", "once a policy's time is over: refuse, serve", "refuse",
        |draft, text| put(&mut draft.config.policy_expired, value::word(text)),
        |config| value::show_word(config.policy_expired)),
    one("events", "WHERE", "JSON lines: stdout, none, or a file's path", "stdout",
        |draft, text| put(&mut draft.config.events, value::events(text)), |config| value::show_events(&config.events)),
    one("body-max", "SIZE", "longest request body, 1K to 1G", "32M",
        |draft, text| put(&mut draft.config.body_bytes_max, value::size(text, BODY_BYTES.0, BODY_BYTES.1)),
        |config| value::show_size(config.body_bytes_max as u64)),
    one("answer-max", "SIZE", "longest answer that is inspected whole, 1K to 1G", "32M",
        |draft, text| put(&mut draft.config.answer_bytes_max, value::size(text, BODY_BYTES.0, BODY_BYTES.1)),
        |config| value::show_size(config.answer_bytes_max as u64)),
    one("memory-max", "SIZE", "memory for held bodies; auto: from the cgroup's limit", "auto",
        |draft, text| put(&mut draft.config.memory_bytes_max,
            value::optional(text, "auto", |text| value::size(text, MEMORY_BYTES.0, MEMORY_BYTES.1))),
        |config| shown(config.memory_bytes_max.map(|bytes| value::show_size(bytes as u64)), "auto")),
    one("connections-max", "N", "client connections of the process", "auto",
        |draft, text| put(&mut draft.config.connections_max,
            value::optional(text, "auto", |text| value::count(text, 1, CONNECTIONS_MAX))),
        |config| shown(config.connections_max, "auto")),
    one("pool-max", "N", "idle upstream connections per core, up to 65536", "256",
        |draft, text| put(&mut draft.config.pool_connections_max, value::count(text, 0, POOL_CONNECTIONS_MAX)),
        |config| config.pool_connections_max.to_string()),
    one("timeout-head", "TIME", "for the whole head of a request", "10s",
        |draft, text| put(&mut draft.config.timeouts.head, value::duration(text, DURATION_MIN)),
        |config| value::show_duration(config.timeouts.head)),
    one("timeout-body", "TIME", "between two reads of a request body", "30s",
        |draft, text| put(&mut draft.config.timeouts.body, value::duration(text, DURATION_MIN)),
        |config| value::show_duration(config.timeouts.body)),
    one("timeout-tls", "TIME", "for a TLS handshake, either side", "10s",
        |draft, text| put(&mut draft.config.timeouts.tls, value::duration(text, DURATION_MIN)),
        |config| value::show_duration(config.timeouts.tls)),
    one("timeout-connect", "TIME", "for a connection to one address of the upstream", "5s",
        |draft, text| put(&mut draft.config.timeouts.connect, value::duration(text, DURATION_MIN)),
        |config| value::show_duration(config.timeouts.connect)),
    one("timeout-first-byte", "TIME", "until the answer begins", "600s",
        |draft, text| put(&mut draft.config.timeouts.first_byte, value::duration(text, DURATION_MIN)),
        |config| value::show_duration(config.timeouts.first_byte)),
    one("timeout-idle", "TIME", "between two pieces of an answer, either side", "300s",
        |draft, text| put(&mut draft.config.timeouts.idle, value::duration(text, DURATION_MIN)),
        |config| value::show_duration(config.timeouts.idle)),
    one("timeout-total", "TIME", "for a request and its answer", "3600s",
        |draft, text| put(&mut draft.config.timeouts.total, value::duration(text, DURATION_MIN)),
        |config| value::show_duration(config.timeouts.total)),
    one("keep-alive", "TIME", "for the next request on a client connection", "75s",
        |draft, text| put(&mut draft.config.timeouts.keep_alive, value::duration(text, DURATION_MIN)),
        |config| value::show_duration(config.timeouts.keep_alive)),
    one("pool-idle", "TIME", "for which an idle upstream connection is kept", "55s",
        |draft, text| put(&mut draft.config.timeouts.pool_idle, value::duration(text, DURATION_MIN)),
        |config| value::show_duration(config.timeouts.pool_idle)),
    one("drain-delay", "TIME", "from SIGTERM to the end of accepting; 0s for none", "5s",
        |draft, text| put(&mut draft.config.timeouts.drain_delay, value::duration(text, Duration::ZERO)),
        |config| value::show_duration(config.timeouts.drain_delay)),
    one("drain-timeout", "TIME", "after that, for the exchanges in flight", "30s",
        |draft, text| put(&mut draft.config.timeouts.drain, value::duration(text, DURATION_MIN)),
        |config| value::show_duration(config.timeouts.drain)),
    one("via", "", "add Via to what is forwarded", "false",
        |draft, text| put(&mut draft.config.via, value::word(text)), |config| value::show_word(config.via)),
    one("forwarded", "", "add Forwarded (RFC 7239) to requests", "false",
        |draft, text| put(&mut draft.config.forwarded, value::word(text)), |config| value::show_word(config.forwarded)),
    one("log", "LEVEL", "error, warn, info, debug", "info",
        |draft, text| put(&mut draft.config.log, value::word(text)), |config| value::show_word(config.log)),
    one("log-format", "FORMAT", "human, json; auto: human on a terminal", "auto",
        |draft, text| put(&mut draft.config.log_format, value::word(text)),
        |config| value::show_word(config.log_format)),
];

const fn one(
    name: &'static str,
    placeholder: &'static str,
    help: &'static str,
    default: &'static str,
    write: Write,
    show: Show,
) -> Setting {
    Setting { name, placeholder, help, default, write, show, clear: None }
}

const fn list(
    name: &'static str,
    placeholder: &'static str,
    help: &'static str,
    default: &'static str,
    write: Write,
    show: Show,
    clear: fn(&mut Draft),
) -> Setting {
    Setting { name, placeholder, help, default, write, show, clear: Some(clear) }
}

fn put<T>(slot: &mut T, value: Result<T, Wrong>) -> Result<(), Wrong> {
    *slot = value?;
    Ok(())
}

fn shown<T: ToString>(value: Option<T>, absent: &str) -> String {
    value.map_or(absent.to_owned(), |value| value.to_string())
}

fn joined<T: ToString>(values: &[T]) -> String {
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    texts.join(",")
}

fn show_tls(config: &Config, name: &str) -> String {
    let path: Option<&Path> = match (&config.tls, name) {
        (TlsSource::Pair { certificate, .. }, "tls-cert") => Some(certificate),
        (TlsSource::Pair { key, .. }, "tls-key") => Some(key),
        (TlsSource::Directory(directory), "tls-dir") => Some(directory),
        _ => None,
    };
    value::show_path(path)
}
