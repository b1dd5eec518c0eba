//! A configuration while it is being put together.
//!
//! Exists so that each layer can be laid over the one below and the checks between settings run once, at the end. Never stops at the first
//! mistake, and never checks a setting against one that could not be read: that would be a second report of the same mistake.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::Config;
use crate::config::Events;
use crate::config::Expired;
use crate::config::Io;
use crate::config::LogFormat;
use crate::config::LogLevel;
use crate::config::Pin;
use crate::config::Plaintext;
use crate::config::TlsSource;
use crate::config::Upstream;
use crate::config::mistake::Found;
use crate::config::mistake::Mistake;
use crate::config::mistake::Origin;
use crate::config::setting;
use crate::config::setting::SETTINGS;
use crate::limits::Timeouts;

/// The settings so far.
pub(super) struct Draft {
    /// All but `tls`, which `finish` makes from the three paths below.
    pub(super) config: Config,
    /// `tls-cert`
    pub(super) certificate: Option<PathBuf>,
    /// `tls-key`
    pub(super) key: Option<PathBuf>,
    /// `tls-dir`
    pub(super) directory: Option<PathBuf>,
    /// Names whose value could not be read in some layer.
    unreadable: BTreeSet<&'static str>,
}

impl Draft {
    /// The defaults of the table; the upstream is still missing.
    pub(super) fn defaults() -> Self {
        let mut draft =
            Self { config: blank(), certificate: None, key: None, directory: None, unreadable: BTreeSet::new() };
        for setting in SETTINGS.iter().filter(|setting| !setting.default.is_empty()) {
            let written = (setting.write)(&mut draft, setting.default);
            debug_assert!(written.is_ok(), "the default of {} is a value of it", setting.name);
        }
        draft
    }

    /// Lays `found` over what is there.
    pub(super) fn set(&mut self, found: Found, mistakes: &mut Vec<Mistake>) {
        let setting = &SETTINGS[found.setting];
        // A flag and a variable name their setting; a place in a file does not.
        let name = |origin: &Origin| if matches!(origin, Origin::File { .. }) { setting.key() } else { String::new() };
        if let Some(clear) = setting.clear {
            clear(self);
            if found.items.is_empty() && !setting.default.is_empty() {
                let text = format!("{}: found an empty list, want at least one", setting.key());
                mistakes.push(Mistake::new(found.origin.clone(), text));
                self.unreadable.insert(setting.name);
            }
        }
        for (origin, item) in &found.items {
            let pieces = if setting.clear.is_some() { item.split(',').map(str::trim).collect() } else { vec![&**item] };
            for piece in pieces {
                if let Err(wrong) = (setting.write)(self, piece) {
                    mistakes.push(Mistake::wrong(origin.clone(), &name(origin), piece, wrong));
                    self.unreadable.insert(setting.name);
                }
            }
        }
        self.config.sources[found.setting] = found.origin;
    }

    /// The checks between settings. `None` only together with a mistake.
    pub(super) fn finish(mut self, mistakes: &mut Vec<Mistake>, warnings: &mut Vec<String>) -> Option<Config> {
        let before = mistakes.len();
        let upstream_is_missing = self.config.upstream.host.is_empty();
        // It may stand in the file that could not be read.
        let is_explained = mistakes.iter().any(|mistake| mistake.is_about("upstream") || mistake.is_about("config"));
        if upstream_is_missing && !is_explained && self.readable(&["upstream"]) {
            let text = "missing, want --upstream=https://HOST, or PNX_UPSTREAM, or `upstream` in the file".to_owned();
            mistakes.push(Mistake::new(Origin::Flag("upstream"), text));
        }
        if self.readable(&["tls-cert", "tls-key", "tls-dir"]) {
            self.choose_tls(mistakes);
        }
        self.check_addresses(mistakes);
        let (body, memory) = (self.config.body_bytes_max, self.config.memory_bytes_max);
        if memory.is_some_and(|memory| memory < body) && self.readable(&["body-max", "memory-max"]) {
            mistakes.push(
                self.mistake("memory-max", "less than body-max, want at least as much, or the longest body never fits"),
            );
        }
        let unsigned = self.config.policy_keys.is_empty() && !self.config.allow_unsigned_policy;
        if self.config.policy.is_some() && unsigned && self.readable(&["policy-key", "allow-unsigned-policy"]) {
            mistakes.push(
                self.mistake("policy", "nothing says who may sign it, want policy-key (or allow-unsigned-policy)"),
            );
        }
        self.warn(warnings);
        (mistakes.len() == before && self.unreadable.is_empty() && !upstream_is_missing).then_some(self.config)
    }

    fn choose_tls(&mut self, mistakes: &mut Vec<Mistake>) {
        match (self.certificate.take(), self.key.take(), self.directory.take()) {
            (None, None, None) if self.config.require_tls_cert => {
                mistakes.push(
                    self.mistake("require-tls-cert", "there is no certificate, want tls-cert and tls-key, or tls-dir"),
                );
            }
            (None, None, None) => {}
            (Some(certificate), Some(key), None) => self.config.tls = TlsSource::Pair { certificate, key },
            (None, None, Some(directory)) => self.config.tls = TlsSource::Directory(directory),
            (Some(_), None, None) => {
                mistakes.push(self.mistake("tls-cert", "given without tls-key, want both or neither"))
            }
            (None, Some(_), None) => {
                mistakes.push(self.mistake("tls-key", "given without tls-cert, want both or neither"))
            }
            (_, _, Some(_)) => {
                mistakes.push(self.mistake("tls-dir", "given beside tls-cert or tls-key, want one of the two"))
            }
        }
    }

    fn check_addresses(&self, mistakes: &mut Vec<Mistake>) {
        // Port 0 is a fresh port each time.
        let fixed = |address: &SocketAddr| address.port() != 0;
        let mut seen = BTreeSet::new();
        for address in self.config.listen.iter().filter(|address| fixed(address)) {
            if !seen.insert(address) {
                mistakes.push(self.mistake("listen", &format!("{address} is there twice, want it once")));
            }
        }
        let overlap = |admin: SocketAddr, listen: &SocketAddr| {
            admin.port() == listen.port()
                && (admin.ip() == listen.ip() || admin.ip().is_unspecified() || listen.ip().is_unspecified())
        };
        if let Some(admin) = self.config.admin.filter(fixed)
            && self.readable(&["admin", "listen"])
            && self.config.listen.iter().any(|listen| overlap(admin, listen))
        {
            mistakes.push(self.mistake("admin", &format!("{admin} is taken by listen, want another port")));
        }
    }

    /// What works but is likely not meant.
    fn warn(&self, warnings: &mut Vec<String>) {
        let config = &self.config;
        if !config.tls_san.is_empty() && config.tls != TlsSource::SelfSigned {
            warnings.push("tls-san has no effect: it is for the self-signed certificate".to_owned());
        }
        if config.upstream_ca.is_some() && !config.upstream.tls {
            warnings.push("upstream-ca has no effect: the upstream is not https".to_owned());
        }
        if config.allow_unsigned_policy {
            warnings.push(
                "allow-unsigned-policy: whoever can write the policy file decides what this gateway lets through"
                    .to_owned(),
            );
        }
        if config.policy.is_none() && !config.policy_keys.is_empty() {
            warnings.push("policy-key has no effect: there is no policy to verify, the built-in one holds".to_owned());
        }
        if config.tls_client_ca.is_some() && config.plaintext == Plaintext::Allow {
            warnings
                .push("plaintext=allow lets clients in without the certificate that tls-client-ca asks for".to_owned());
        }
    }

    fn readable(&self, names: &[&str]) -> bool {
        names.iter().all(|name| !self.unreadable.contains(name))
    }

    /// A mistake at the place that gave `name` its value.
    fn mistake(&self, name: &'static str, text: &str) -> Mistake {
        let source = setting::position(name).and_then(|index| self.config.sources.get(index));
        match source {
            None | Some(Origin::Default) => Mistake::new(Origin::Flag(name), text.to_owned()),
            Some(origin @ Origin::File { .. }) => {
                Mistake::new(origin.clone(), format!("{}: {text}", name.replace('-', "_")))
            }
            Some(origin) => Mistake::new(origin.clone(), text.to_owned()),
        }
    }
}

/// Zeros, over which the table's defaults are written.
fn blank() -> Config {
    let zero = Duration::ZERO;
    Config {
        listen: Vec::new(),
        upstream: Upstream::missing(),
        upstream_ca: None,
        tls: TlsSource::SelfSigned,
        tls_client_ca: None,
        tls_san: Vec::new(),
        require_tls_cert: false,
        plaintext: Plaintext::Deny,
        workers: None,
        pin: Pin::Never,
        io: Io::Auto,
        admin: None,
        policy: None,
        policy_keys: Vec::new(),
        tenant: None,
        allow_unsigned_policy: false,
        policy_expired: Expired::Refuse,
        events: Events::None,
        body_bytes_max: 0,
        answer_bytes_max: 0,
        memory_bytes_max: None,
        connections_max: None,
        pool_connections_max: 0,
        timeouts: Timeouts {
            head: zero,
            body: zero,
            tls: zero,
            connect: zero,
            first_byte: zero,
            idle: zero,
            total: zero,
            keep_alive: zero,
            pool_idle: zero,
            drain_delay: zero,
            drain: zero,
        },
        via: false,
        forwarded: false,
        log: LogLevel::Error,
        log_format: LogFormat::Json,
        sources: vec![Origin::Default; SETTINGS.len()],
    }
}
