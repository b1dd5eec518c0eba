//! Deadlines of one connection, on one timer.
//!
//! A connection waits for many things in turn, each with its own deadline. Setting a timer for each would cost more than the
//! waits themselves, so there is one that fires no later than the next deadline and is moved only when it fires early or must
//! fire sooner. It never drops what it waits for: the caller decides what a missed deadline means.

use std::future::Future;
use std::future::poll_fn;
use std::pin::Pin;
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;

use monoio::time::Sleep;

use crate::clock;

/// The deadline passed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

/// One timer.
pub struct Deadline {
    sleep: Option<Pin<Box<Sleep>>>,
    /// When `sleep` fires. INVARIANT while waiting: no later than the deadline.
    fires: Instant,
}

impl Deadline {
    /// A timer that is not set.
    #[must_use]
    pub fn new() -> Self {
        Self { sleep: None, fires: clock::now() }
    }

    /// Waits for `future` until `deadline`.
    ///
    /// # Errors
    /// [`Elapsed`]; the future was dropped.
    pub async fn within<F: Future>(&mut self, deadline: Instant, future: F) -> Result<F::Output, Elapsed> {
        let mut future = pin!(future);
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            loop {
                let late = self.sleep.is_some() && self.fires > deadline;
                if late || self.sleep.is_none() {
                    self.set(deadline);
                }
                let Some(sleep) = &mut self.sleep else { return Poll::Pending };
                if sleep.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                if clock::now() >= deadline {
                    self.sleep = None;
                    return Poll::Ready(Err(Elapsed));
                }
                self.set(deadline);
            }
        })
        .await
    }

    fn set(&mut self, deadline: Instant) {
        self.fires = deadline;
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(deadline.into()),
            None => self.sleep = Some(Box::pin(monoio::time::sleep_until(deadline.into()))),
        }
    }
}

impl Default for Deadline {
    fn default() -> Self {
        Self::new()
    }
}
