//! Any bytes as a text to be scanned; the properties stand beside the code, in `src/inspect/fuzz/`.
#![no_main]

use libfuzzer_sys::fuzz_target;

use penaxtra_gateway::inspect::fuzz::fuzz_scan;

fuzz_target!(|bytes: &[u8]| fuzz_scan(bytes));
