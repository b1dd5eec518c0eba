//! Any bytes as a policy document; the properties stand beside the code, in `src/policy/fuzz.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

use penaxtra_gateway::policy::fuzz::fuzz_policy_document;

fuzz_target!(|bytes: &[u8]| fuzz_policy_document(bytes));
