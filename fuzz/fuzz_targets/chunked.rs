//! Any bytes as the chunked coding; the properties stand beside the code, in `src/http/fuzz.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

use penaxtra_gateway::http::fuzz::fuzz_chunked;

fuzz_target!(|bytes: &[u8]| fuzz_chunked(bytes));
