//! What is allowed: the signed policy document, and its compiled form that a core asks.
//!
//! ```text
//!  bundle ─► verify ─► document ─► compile ─► Policy (immutable, shared by an atomic pointer) ─► decide
//! ```
//! It never does I/O and never reads a clock: whoever loads a policy says what time it is.

#![deny(clippy::indexing_slicing, clippy::string_slice)]
