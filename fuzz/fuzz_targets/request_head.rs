//! Any bytes as the head of a request; the properties stand beside the code, in `src/http/fuzz.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

use penaxtra_gateway::http::fuzz::fuzz_request_head;

fuzz_target!(|bytes: &[u8]| fuzz_request_head(bytes));
