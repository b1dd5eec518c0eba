//! Any bytes as a form; the properties stand beside the code, in `src/extract/form/fuzz.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

use penaxtra_gateway::extract::form::fuzz::fuzz_form;

fuzz_target!(|bytes: &[u8]| fuzz_form(bytes));
