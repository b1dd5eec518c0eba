//! This core's idle connections to the upstream: last in, first out, so that the rest can grow old and go.
//!
//! A connection is looked at before it is used again: one that has ended, or on which anything came unasked, is closed. Never
//! shared with another core.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;
use std::time::Instant;

use crate::net::stream::Stream;

struct Idle {
    stream: Stream,
    until: Instant,
}

/// Idle connections, the oldest in front.
pub struct Pool {
    idle: RefCell<VecDeque<Idle>>,
    connections_max: usize,
    keep: Duration,
}

/// A connection from the pool, and how many were found dead on the way to it.
pub struct Taken {
    /// The connection, if there was a live one.
    pub stream: Option<Stream>,
    /// Connections that had ended, or on which something came unasked.
    pub stale: u64,
}

impl Pool {
    /// A pool of at most `connections_max` connections, each kept for `keep`.
    #[must_use]
    pub fn new(connections_max: usize, keep: Duration) -> Self {
        Self { idle: RefCell::new(VecDeque::new()), connections_max, keep }
    }

    /// The live connection that was used last.
    pub fn take(&self) -> Taken {
        let mut stale = 0;
        loop {
            let Some(mut idle) = self.idle.borrow_mut().pop_back() else { return Taken { stream: None, stale } };
            if idle.stream.is_idle() {
                return Taken { stream: Some(idle.stream), stale };
            }
            idle.stream.close();
            stale += 1;
        }
    }

    /// Keeps a connection that is in step for the next exchange; the oldest makes room.
    pub fn put(&self, stream: Stream, now: Instant) {
        let mut idle = self.idle.borrow_mut();
        if self.connections_max == 0 {
            return;
        }
        if idle.len() >= self.connections_max
            && let Some(mut oldest) = idle.pop_front()
        {
            oldest.stream.close();
        }
        idle.push_back(Idle { stream, until: now + self.keep });
    }

    /// Closes what has been idle for too long; called at every tick.
    pub fn sweep(&self, now: Instant) {
        let mut idle = self.idle.borrow_mut();
        while idle.front().is_some_and(|oldest| oldest.until <= now) {
            if let Some(mut oldest) = idle.pop_front() {
                oldest.stream.close();
            }
        }
    }

    /// How many connections are idle.
    #[must_use]
    pub fn len(&self) -> usize {
        self.idle.borrow().len()
    }

    /// Whether no connection is idle.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
