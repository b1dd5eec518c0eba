//! Any bytes as a policy's file; the properties stand beside the code, in `src/policy/fuzz.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

use penaxtra_gateway::policy::fuzz::fuzz_bundle;

fuzz_target!(|bytes: &[u8]| fuzz_bundle(bytes));
