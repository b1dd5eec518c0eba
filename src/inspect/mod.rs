//! Inspection of requests: the room where findings will be made. A pass-through for now.
//!
//! The data path calls [`request`] with the whole head and the whole body before a byte goes upstream, so that the policy
//! engine finds its place already on the path. It never does I/O.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

/// What inspection says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send it on as it is.
    Forward,
}

/// Inspects a whole request: its head as received, and its body decoded from the transfer coding.
#[must_use]
pub fn request(_head: &[u8], body: &[u8]) -> Verdict {
    // A fault for the test that a panic stays in its connection; it exists in unit tests only.
    #[cfg(test)]
    assert_ne!(body, PANIC, "on purpose");
    let _ = body;
    Verdict::Forward
}

#[cfg(test)]
pub(crate) const PANIC: &[u8] = b"panic on purpose";
