//! What keeps prompt bytes inside the process when it fails: no core dump, no payload of a panic.
//!
//! A panic's message may hold what it was about; only its place in the source is logged. A core dump would hold every buffer.

use std::panic;

use rustix::process::DumpableBehavior;
use rustix::process::Resource;
use rustix::process::Rlimit;

/// To be called first thing in `main`.
pub fn start() {
    // Each may be forbidden where the other already holds; neither is worth not starting for.
    let _ = rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    panic::set_hook(Box::new(|info| match info.location() {
        Some(at) => tracing::error!(file = at.file(), line = at.line(), "panic: a connection or a thread has ended"),
        None => tracing::error!("panic: a connection or a thread has ended"),
    }));
}
