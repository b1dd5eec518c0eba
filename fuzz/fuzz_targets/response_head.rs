//! Any bytes as the head of an answer; the properties stand beside the code, in `src/http/fuzz.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

use penaxtra_gateway::http::fuzz::fuzz_response_head;

fuzz_target!(|bytes: &[u8]| fuzz_response_head(bytes));
