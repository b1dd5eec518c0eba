//! Where the data path and the control threads meet: counters, the life cycle and the upstream's addresses.
//!
//! Everything here is an atomic or an atomic pointer. A core writes its own block of counters and its own heartbeat and reads
//! the rest; the control threads do the reverse. Nothing here blocks, wakes a thread, reads a clock or opens a socket.

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;
use std::time::Instant;

use arc_swap::ArcSwap;

use crate::policy::Policy;
use crate::policy::code::Code;

pub mod addresses;
pub mod counters;
pub mod events;
pub mod health;
pub mod lifecycle;
pub mod snapshot;

use addresses::Addresses;
use counters::ControlCounters;
use counters::Counters;
use lifecycle::Lifecycle;
use snapshot::Snapshot;

/// What the whole process shares, behind one `Arc` that each thread clones once, when it starts.
#[derive(Debug)]
pub struct Shared {
    /// One block per worker, in the order of the workers; block `n` is written by worker `n` alone.
    pub counters: Box<[Counters]>,
    /// What the control threads count.
    pub control: ControlCounters,
    /// Where the process stands between its start and its end, and whether the workers still turn.
    pub lifecycle: Lifecycle,
    /// Where the upstream is.
    pub addresses: Addresses,
    /// The policy in force.
    pub policy: Snapshot,
    /// Events so far, by reason code; put in place by the thread `events`.
    pub event_codes: ArcSwap<Vec<(Code, u64)>>,
    /// When the process started, on the monotonic clock: the zero of every `now` in milliseconds that is kept here.
    pub started: Instant,
    /// When the process started, in wall time since the Unix epoch.
    pub started_unix: Duration,
    driver: OnceLock<&'static str>,
}

impl Shared {
    /// Nothing counted, no address known, `Stage::Starting`, `policy` not in force yet, for so many workers.
    #[must_use]
    pub fn new(workers: usize, started: Instant, started_unix: Duration, policy: Arc<Policy>) -> Self {
        Self {
            counters: (0..workers).map(|_| Counters::default()).collect(),
            control: ControlCounters::default(),
            lifecycle: Lifecycle::new(workers),
            addresses: Addresses::default(),
            policy: Snapshot::new(policy),
            event_codes: ArcSwap::default(),
            started,
            started_unix,
            driver: OnceLock::new(),
        }
    }

    /// Milliseconds from the start of the process to `now`; zero if `now` is earlier.
    #[must_use]
    pub fn milliseconds(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }

    /// One figure, added up over all workers. `figure` reads it from one block.
    #[must_use]
    pub fn sum(&self, figure: impl Fn(&Counters) -> u64) -> u64 {
        self.counters.iter().fold(0, |total, block| total.wrapping_add(figure(block)))
    }

    /// Notes which I/O driver the process decided for (`uring` or `epoll`). The first call holds; later ones change nothing.
    pub fn decide_driver(&self, driver: &'static str) {
        let _held = self.driver.set(driver);
    }

    /// The I/O driver in use; `None` until it is decided.
    #[must_use]
    pub fn driver(&self) -> Option<&'static str> {
        self.driver.get().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_reads_every_block() {
        let shared = Shared::new(3, crate::clock::now(), Duration::ZERO, Arc::new(Policy::built_in()));
        for (index, block) in shared.counters.iter().enumerate() {
            block.requests.add(10_u64.pow(u32::try_from(index).unwrap()));
        }
        assert_eq!(shared.sum(|block| block.requests.value()), 111);
        assert_eq!(
            Shared::new(0, crate::clock::now(), Duration::ZERO, Arc::new(Policy::built_in()))
                .sum(|block| block.requests.value()),
            0
        );
    }

    #[test]
    fn the_first_driver_holds() {
        let shared = Shared::new(1, crate::clock::now(), Duration::ZERO, Arc::new(Policy::built_in()));
        assert_eq!(shared.driver(), None);
        shared.decide_driver("epoll");
        shared.decide_driver("uring");
        assert_eq!(shared.driver(), Some("epoll"));
    }

    #[test]
    fn time_before_the_start_is_zero() {
        let now = crate::clock::now();
        let shared = Shared::new(1, now + Duration::from_secs(1), Duration::ZERO, Arc::new(Policy::built_in()));
        assert_eq!(shared.milliseconds(now), 0);
        assert_eq!(shared.milliseconds(now + Duration::from_millis(2500)), 1500);
    }
}
