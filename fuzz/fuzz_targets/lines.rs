//! Any bytes as JSON lines and as a JSON text sequence; the properties stand beside the code, in `src/http/fuzz/stream.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

use penaxtra_gateway::http::fuzz::fuzz_lines;

fuzz_target!(|bytes: &[u8]| fuzz_lines(bytes));
