//! Where the process stands between its start and its end, and whether its workers still turn.
//!
//! ```text
//!  Starting ──► Serving ──SIGTERM──► NotReady ──drain delay──► Draining ──no connection left, or drain timeout──► Stopped
//!      │            └──────SIGINT───────────────────────────────▲
//!      └──────────── a signal may come at any stage; no stage ever comes back
//! ```
//! The control thread advances it (and `main`, once, from `Starting` to `Serving`); workers poll it. Nobody is woken: a worker
//! that looks every 50 ms costs less than a channel into each ring. It never reads the clock.

use std::sync::atomic::AtomicU8;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Acquire;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::Ordering::Release;

use crate::limits;

/// A heartbeat that has not come yet.
const NEVER: u64 = u64::MAX;

/// How far the process is. Later stages are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Stage {
    /// Workers are coming up; not ready.
    Starting,
    /// All listeners are open; ready.
    Serving,
    /// Told to stop: readiness says no, everything else goes on, so that load balancers can look away first.
    NotReady,
    /// Listeners are closed, idle connections are closed, exchanges that run are finished.
    Draining,
    /// Nothing is waited for any more: workers return from their loops now.
    Stopped,
}

/// The stage of the process and the heartbeats of its workers.
#[derive(Debug)]
pub struct Lifecycle {
    /// INVARIANT: only ever grows.
    stage: AtomicU8,
    beats: Box<[Beat]>,
}

/// On a cache line of its own, since each core writes its own.
#[derive(Debug)]
#[repr(align(128))]
struct Beat(AtomicU64);

impl Lifecycle {
    /// `Stage::Starting`, and no heartbeat yet of any of so many workers.
    #[must_use]
    pub fn new(workers: usize) -> Self {
        Self {
            stage: AtomicU8::new(Stage::Starting as u8),
            beats: (0..workers).map(|_| Beat(AtomicU64::new(NEVER))).collect(),
        }
    }

    /// The stage now. One load: cheap enough for every request.
    #[inline]
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self.stage.load(Acquire) {
            0 => Stage::Starting,
            1 => Stage::Serving,
            2 => Stage::NotReady,
            3 => Stage::Draining,
            _ => Stage::Stopped,
        }
    }

    /// Goes on to `stage`, or stays where it is if that is further; so a late `Serving` cannot undo a stop.
    pub fn advance(&self, stage: Stage) {
        self.stage.fetch_max(stage as u8, Release);
    }

    /// Worker `worker` turns at `now_milliseconds` after the start. To be called by that worker alone, after it has acted on
    /// the stage that it read in the same turn: the drain takes a heartbeat as the proof that a worker has seen it.
    pub fn beat(&self, worker: usize, now_milliseconds: u64) {
        debug_assert!(worker < self.beats.len(), "there is no such worker");
        if let Some(beat) = self.beats.get(worker) {
            beat.0.store(now_milliseconds, Release);
        }
    }

    /// Whether every worker has turned lately: within 2 s, or within 10 s of the start for its first turn.
    #[must_use]
    pub fn healthy(&self, now_milliseconds: u64) -> bool {
        self.beats.iter().all(|beat| match beat.0.load(Relaxed) {
            NEVER => now_milliseconds <= limits::FIRST_HEARTBEAT_MILLISECONDS_MAX,
            last => now_milliseconds.saturating_sub(last) <= limits::HEARTBEAT_MILLISECONDS_MAX,
        })
    }

    /// Whether every worker has turned at `since_milliseconds` after the start or later.
    #[must_use]
    pub fn all_beat_since(&self, since_milliseconds: u64) -> bool {
        self.beats.iter().all(|beat| match beat.0.load(Acquire) {
            NEVER => false,
            last => last >= since_milliseconds,
        })
    }

    /// Whether new requests are welcome: all listeners are open and nobody asked for the end. It does not look at the
    /// upstream: if it did, one outage of the provider would take every replica out of its Service at once.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.stage() == Stage::Serving
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGES: [Stage; 5] = [Stage::Starting, Stage::Serving, Stage::NotReady, Stage::Draining, Stage::Stopped];

    #[test]
    fn the_stage_never_goes_back() {
        for from in STAGES {
            for to in STAGES {
                let lifecycle = Lifecycle::new(1);
                lifecycle.advance(from);
                assert_eq!(lifecycle.stage(), from);
                lifecycle.advance(to);
                assert_eq!(lifecycle.stage(), from.max(to), "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn only_serving_is_ready() {
        for stage in STAGES {
            let lifecycle = Lifecycle::new(1);
            lifecycle.advance(stage);
            assert_eq!(lifecycle.ready(), stage == Stage::Serving, "{stage:?}");
        }
    }

    #[test]
    fn one_silent_worker_is_unhealthy() {
        let cases = [
            ("none has beaten, just started", [None, None], 0, true),
            ("none has beaten, at the bound", [None, None], 10_000, true),
            ("none has beaten, past the bound", [None, None], 10_001, false),
            ("both beat", [Some(5_000), Some(5_040)], 5_050, true),
            ("at the bound", [Some(5_000), Some(7_000)], 7_000, true),
            ("one past the bound", [Some(5_000), Some(7_000)], 7_001, false),
            ("one never beat", [Some(20_000), None], 20_000, false),
            ("a beat from the future", [Some(9_000), Some(8_000)], 8_000, true),
        ];
        for (name, beats, now, expected) in cases {
            let lifecycle = Lifecycle::new(2);
            for (worker, beat) in beats.into_iter().enumerate() {
                if let Some(beat) = beat {
                    lifecycle.beat(worker, beat);
                }
            }
            assert_eq!(lifecycle.healthy(now), expected, "{name}");
        }
    }

    #[test]
    fn a_worker_that_has_not_turned_since_is_found() {
        let lifecycle = Lifecycle::new(2);
        assert!(!lifecycle.all_beat_since(0), "none has turned at all");
        lifecycle.beat(0, 100);
        lifecycle.beat(1, 90);
        assert!(lifecycle.all_beat_since(90));
        assert!(!lifecycle.all_beat_since(91));
    }
}
