//! Any bytes to four readers of requests, which must agree where they accept.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzz::differential::request(bytes));
