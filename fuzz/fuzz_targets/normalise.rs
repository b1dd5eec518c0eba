//! Any bytes as a text to be folded; the properties stand beside the code, in `src/inspect/normalise/fuzz.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

use penaxtra_gateway::inspect::normalise::fuzz::fuzz_normalise;

fuzz_target!(|bytes: &[u8]| fuzz_normalise(bytes));
