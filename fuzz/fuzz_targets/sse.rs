//! Any bytes as server-sent events; the properties stand beside the code, in `src/http/fuzz/stream.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

use penaxtra_gateway::http::fuzz::fuzz_sse;

fuzz_target!(|bytes: &[u8]| fuzz_sse(bytes));
