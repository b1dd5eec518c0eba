//! The matrix of inspection: every dialect, every text of it, both directions, whole and streamed, every kind of rule, every action.
//!
//! ```text
//!  rules × actions (rules.rs) ─┬─ texts of requests (asked.rs) ──┐
//!                              └─ texts of answers (streams) ────┼─► engine.rs: the library, every cut of every value over events
//!                                                                ├─► gateway.rs: the built gateway over sockets, one cut a cell
//!                                                                └─► page.rs: docs/coverage.md, the same tables in words
//! ```
//! A cell holds where the value is found and acted on: the right rule is told, and what arrives is what the action says, to the byte.
//! `clean.rs` is the other half: where there is nothing to find, nothing changes, however the stream is framed.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a panic is how a test says no; tests lock and read time"
)]
#![expect(unreachable_pub, reason = "a test crate exports nothing; `pub` is what a module shows to the others")]

mod asked;
mod clean;
mod engine;
mod further;
mod gateway;
#[expect(dead_code, reason = "the harness is shared with the stories, which use the rest")]
#[path = "../guarded/mod.rs"]
mod guarded;
mod holes;
mod page;
mod rules;
#[expect(dead_code, reason = "the harness is shared with the stories, which use the rest")]
#[path = "../support/mod.rs"]
mod support;

use support::streams::Channel;
use support::streams::Dialect;

/// Every text of every dialect's answers: the first of its kind, and one beside it.
fn channels() -> Vec<(Dialect, Channel)> {
    let of = |dialect: Dialect| {
        let first = dialect.kinds().iter().map(|kind| Channel::of(*kind));
        first.flat_map(move |channel| [Some(channel), dialect.beside(channel)]).flatten().map(move |c| (dialect, c))
    };
    Dialect::ALL.into_iter().flat_map(of).collect()
}
