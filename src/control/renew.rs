//! The certificate's reload: when somebody asks, and when the files have changed.
//!
//! A mounted Secret changes without a signal, so the files are looked at every 10 s; that opens them and reads nothing. A
//! failure is logged once for each new reason, counted each time, and changes nothing else.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use crate::clock;
use crate::limits;
use crate::net::certificate::Certificates;
use crate::shared::counters::ControlCounters;

/// The certificate and when to look at its files again.
#[derive(Debug)]
pub(super) struct Renewal {
    certificates: Arc<Certificates>,
    look_at: Instant,
    /// What was logged last, so that a Secret that stays broken is one line and not one every 10 s.
    failure: Option<String>,
}

impl Renewal {
    pub(super) fn new(certificates: Arc<Certificates>, now: Instant) -> Self {
        Self { certificates, look_at: now + limits::CERTIFICATE_LOOK_PAUSE, failure: None }
    }

    /// How long until the next look.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        self.look_at.saturating_duration_since(now)
    }

    /// Looks if it is time to, and reloads what has changed.
    pub(super) fn turn(&mut self, counters: &ControlCounters, now: Instant) {
        if now < self.look_at {
            return;
        }
        self.look_at = now + limits::CERTIFICATE_LOOK_PAUSE;
        if self.certificates.changed_on_disk() {
            self.reload(counters);
        } else {
            // Back to what is in use: the next failure is news again.
            self.failure = None;
        }
    }

    /// Reloads and says how it went.
    pub(super) fn reload(&mut self, counters: &ControlCounters) {
        match self.certificates.reload() {
            Ok(changed) => {
                self.failure = None;
                if changed {
                    counters.certificate_reloads.increment();
                }
                let fingerprint = self.certificates.fingerprint();
                tracing::info!(changed, %fingerprint, "certificate reloaded");
                self.warn_if_over();
            }
            Err(error) => {
                counters.certificate_reload_failures.increment();
                let reason = error.to_string();
                if self.failure.as_ref() != Some(&reason) {
                    tracing::error!(%reason, "the certificate was not reloaded; the old one stays in use");
                    self.failure = Some(reason);
                }
            }
        }
    }

    fn warn_if_over(&self) {
        if self.certificates.not_after().is_some_and(|end| end <= clock::unix().as_secs()) {
            tracing::warn!("the certificate is past its end; clients will refuse it");
        }
    }
}
