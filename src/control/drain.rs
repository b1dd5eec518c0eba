//! The end of the process in order: which stage comes when, as a machine without a clock or a thread.
//!
//! ```text
//!  Serve ──stop──► Delay ──its time──► Drain ──idle, or its time──► Over
//!     └──stop soon───────────────────────▲
//!  a second stop, anywhere: exit at once
//! ```

use std::time::Duration;
use std::time::Instant;

use crate::limits;
use crate::shared::lifecycle::Stage;

/// The way from serving to the end.
#[derive(Debug)]
pub(super) struct Drain {
    delay: Duration,
    timeout: Duration,
    state: State,
}

#[derive(Debug)]
enum State {
    Serve,
    /// Asked to stop, not yet said so; then for how long the delay is.
    Ask(Duration),
    Delay {
        until: Instant,
    },
    Drain {
        since: Instant,
        until: Instant,
    },
    Over,
}

impl Drain {
    pub(super) fn new(delay: Duration, timeout: Duration) -> Self {
        Self { delay, timeout, state: State::Serve }
    }

    /// Whether the way to the end has begun.
    pub(super) fn stopping(&self) -> bool {
        !matches!(self.state, State::Serve)
    }

    /// Begins the way to the end; `false` if it had begun already, which means at once.
    pub(super) fn stop(&mut self, soon: bool) -> bool {
        if self.stopping() {
            return false;
        }
        self.state = State::Ask(if soon { Duration::ZERO } else { self.delay });
        true
    }

    /// The stage that begins at `now`, if one does. `idle` says whether every worker has turned since the instant it is given
    /// and no connection is open.
    pub(super) fn turn(&mut self, now: Instant, idle: impl FnOnce(Instant) -> bool) -> Option<Stage> {
        match self.state {
            State::Serve | State::Over => None,
            State::Ask(delay) => {
                self.state = State::Delay { until: now + delay };
                Some(Stage::NotReady)
            }
            State::Delay { until } => {
                if now < until {
                    return None;
                }
                self.state = State::Drain { since: now, until: now + self.timeout };
                Some(Stage::Draining)
            }
            State::Drain { since, until } => {
                if now < until && !idle(since + limits::DRAIN_SETTLE) {
                    return None;
                }
                self.state = State::Over;
                Some(Stage::Stopped)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The stages of a run that is asked to stop at 0 and looked at every half second, with the half second of each.
    fn stages(soon: bool, idle_from: Duration) -> Vec<(u32, Stage)> {
        let start = crate::clock::now();
        let mut drain = Drain::new(2 * SECOND, 3 * SECOND);
        assert_eq!(drain.turn(start, |_| true), None, "nobody asked");
        assert!(drain.stop(soon));
        (0..20_u32)
            .filter_map(|half| {
                let now = start + half * SECOND / 2;
                Some((half, drain.turn(now, |since| now >= since && now >= start + idle_from)?))
            })
            .collect()
    }

    #[test]
    fn stages_come_in_order_and_in_time() {
        use Stage::Draining;
        use Stage::NotReady;
        use Stage::Stopped;
        let cases = [
            ("idle at once", false, Duration::ZERO, [(0, NotReady), (4, Draining), (5, Stopped)]),
            ("idle later", false, 3 * SECOND, [(0, NotReady), (4, Draining), (6, Stopped)]),
            ("never idle", false, 100 * SECOND, [(0, NotReady), (4, Draining), (10, Stopped)]),
            ("soon, idle at once", true, Duration::ZERO, [(0, NotReady), (1, Draining), (2, Stopped)]),
            ("soon, never idle", true, 100 * SECOND, [(0, NotReady), (1, Draining), (7, Stopped)]),
        ];
        for (name, soon, idle_from, expected) in cases {
            assert_eq!(stages(soon, idle_from), expected, "{name}");
        }
    }

    #[test]
    fn a_second_stop_is_told_apart_at_every_stage() {
        let start = crate::clock::now();
        for turns in 0..4 {
            let mut drain = Drain::new(Duration::ZERO, SECOND);
            assert!(!drain.stopping());
            assert!(drain.stop(false));
            for turn in 0..turns {
                drain.turn(start + turn * SECOND, |_| false);
            }
            assert!(drain.stopping() && !drain.stop(false), "after {turns} turns");
        }
    }
}
