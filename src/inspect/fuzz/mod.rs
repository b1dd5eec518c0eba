//! What must hold for every input of this room: driven by the targets of `fuzz/`, replayed from its corpora by `cargo test`.
//!
//! Each function takes any bytes and panics where a property does not hold. The gateway itself never calls into this room.

mod scan;

pub use scan::fuzz_scan;
