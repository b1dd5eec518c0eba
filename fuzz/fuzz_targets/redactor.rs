//! Any bytes as a body to be redacted; the properties stand beside the code, in `src/proxy/inspection/fuzz.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

use penaxtra_gateway::proxy::inspection::fuzz::fuzz_redactor;

fuzz_target!(|bytes: &[u8]| fuzz_redactor(bytes));
