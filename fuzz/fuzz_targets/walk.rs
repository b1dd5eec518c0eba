//! Any bytes as a body of JSON; the properties stand beside the code, in `src/extract/fuzz.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

use penaxtra_gateway::extract::fuzz::fuzz_walk;

fuzz_target!(|bytes: &[u8]| fuzz_walk(bytes));
