//! Any bytes as a coded body; the properties stand beside the code, in `src/http/fuzz/coding.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

use penaxtra_gateway::http::fuzz::fuzz_coding;

fuzz_target!(|bytes: &[u8]| fuzz_coding(bytes));
