//! The control threads: what must happen beside the data path, and may block while it does.
//!
//! ```text
//!  signals ──► control: the end of the process in order, the certificate's reload
//!              resolver: the upstream's name into `shared::addresses`
//!              policy: its file, verified and compiled, into `shared::policy`
//!              events: the cores' rings, written as JSON lines
//! ```
//! They are ordinary threads that sleep nearly always, and meet the data path only in `shared` and behind the certificate's
//! atomic pointer. Nothing here reads a request.

use std::io;
use std::sync::Arc;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use crate::clock;
use crate::limits;
use crate::net::certificate::Certificates;
use crate::shared::Shared;
use crate::shared::lifecycle::Stage;

mod drain;
pub mod fetch;
mod renew;
pub mod report;
mod resolve;
mod signals;

use drain::Drain;
use fetch::Fetch;
use renew::Renewal;
use resolve::Resolver;
use signals::Signals;

/// What the control thread is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// End: not ready, the drain delay, then drain. SIGTERM. Asked again: exit at once.
    Stop,
    /// End without the drain delay, for somebody at a terminal. SIGINT. Asked again: exit at once.
    StopSoon,
    /// Read the certificate and the policy again. SIGHUP.
    Reload,
    /// The gateway is dropped, or did not start: the thread ends without a word.
    Abandon,
}

/// What the control threads need to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The upstream's name or address, without brackets.
    pub upstream_host: String,
    /// The upstream's port.
    pub upstream_port: u16,
    /// From SIGTERM to the closing of the listeners, while readiness already says no.
    pub drain_delay: Duration,
    /// From the closing of the listeners to the end, for streams to finish.
    pub drain_timeout: Duration,
    /// Whether SIGTERM, SIGINT and SIGHUP are taken over: yes in a process of its own, no for a gateway inside another program.
    pub signals: bool,
}

/// The control threads. Dropping it ends them (a name being looked up keeps its thread until the look-up is over).
#[derive(Debug)]
pub struct Control {
    asks: SyncSender<Ask>,
    thread: Option<JoinHandle<i32>>,
    _signals: Option<Signals>,
    _resolver: Resolver,
}

impl Control {
    /// Starts the threads. Returns at once: the upstream's name may not be known yet, unless it is an address.
    ///
    /// # Errors
    /// No thread could be made, or no signal handler.
    pub fn start(
        shared: &Arc<Shared>,
        certificates: Arc<Certificates>,
        fetch: Fetch,
        settings: &Settings,
    ) -> io::Result<Self> {
        let (asks, asked) = mpsc::sync_channel(limits::ASKS_MAX);
        // First, so that a signal during the start is not lost: PID 1 without a handler ignores SIGTERM for good.
        let signals = settings.signals.then(|| Signals::start(asks.clone())).transpose()?;
        let resolver = Resolver::start(&settings.upstream_host, settings.upstream_port, Arc::clone(shared))?;
        let turns = Turns {
            drain: Drain::new(settings.drain_delay, settings.drain_timeout),
            renewal: Renewal::new(certificates, clock::now()),
            fetch,
            shared: Arc::clone(shared),
        };
        let thread = std::thread::Builder::new().name("control".to_owned()).spawn(move || turns.run(&asked))?;
        Ok(Self { asks, thread: Some(thread), _signals: signals, _resolver: resolver })
    }

    /// Asks as a signal would; for a gateway inside another program. After the end it does nothing.
    pub fn ask(&self, ask: Ask) {
        let _ended = self.asks.send(ask);
    }

    /// Blocks until the process is to end, and says with which code: 0 after a drain, be it complete or timed out; 1 where the
    /// end was asked for twice or the control thread failed. At 0 `Stage::Stopped` is set and workers may be waited for; at 1 the
    /// process should exit at once. Signals are still taken until the value is dropped, so that a process whose workers do not
    /// return can be told to stop again. A second call returns 1.
    #[must_use]
    pub fn wait(&mut self) -> i32 {
        let Some(thread) = self.thread.take() else { return EXIT_AT_ONCE };
        thread.join().unwrap_or_else(|_panic| {
            tracing::error!("the control thread failed");
            EXIT_AT_ONCE
        })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.ask(Ask::Abandon);
            let _code = thread.join();
        }
    }
}

/// The exit code where streams were cut without their drain time.
const EXIT_AT_ONCE: i32 = 1;

struct Turns {
    drain: Drain,
    renewal: Renewal,
    fetch: Fetch,
    shared: Arc<Shared>,
}

impl Turns {
    fn run(mut self, asked: &mpsc::Receiver<Ask>) -> i32 {
        loop {
            let wait = if self.drain.stopping() { limits::DRAIN_TURN } else { self.renewal.wait(clock::now()) };
            match asked.recv_timeout(wait) {
                Ok(Ask::Reload) => {
                    self.fetch.reload();
                    self.renewal.reload(&self.shared.control);
                }
                Ok(Ask::Abandon) => {
                    self.shared.lifecycle.advance(Stage::Stopped);
                    return EXIT_AT_ONCE;
                }
                Ok(ask @ (Ask::Stop | Ask::StopSoon)) => {
                    if !self.drain.stop(ask == Ask::StopSoon) {
                        tracing::warn!("asked to stop again: exiting at once");
                        self.shared.lifecycle.advance(Stage::Stopped);
                        return EXIT_AT_ONCE;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                // `Control` and the signals' thread are both gone: nobody waits for anything any more.
                Err(RecvTimeoutError::Disconnected) => return EXIT_AT_ONCE,
            }
            let now = clock::now();
            self.renewal.turn(&self.shared.control, now);
            if self.drain_turn(now) {
                return 0;
            }
        }
    }

    /// `true` when the drain is over.
    fn drain_turn(&mut self, now: Instant) -> bool {
        let shared = &self.shared;
        let open = || shared.sum(|block| block.connections_open.value());
        let seen_since = |since| shared.lifecycle.all_beat_since(shared.milliseconds(since));
        // The heartbeat is read first: what a worker had counted before it is then visible.
        let Some(stage) = self.drain.turn(now, |since| seen_since(since) && open() == 0) else { return false };
        shared.lifecycle.advance(stage);
        match stage {
            Stage::NotReady => tracing::info!("stopping: not ready from now on, still serving"),
            Stage::Draining => tracing::info!(connections = open(), "stopping: no new connections"),
            _ => tracing::info!(connections_cut = open(), "stopped"),
        }
        stage == Stage::Stopped
    }
}

#[cfg(test)]
mod tests;
