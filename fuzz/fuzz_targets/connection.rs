//! Any bytes from a client, through a whole gateway, to an upstream that records.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;

use fuzz::connection::Gateway;

thread_local!(static GATEWAY: RefCell<Gateway> = RefCell::new(Gateway::start()));

// One client of eight is hasty.
fuzz_target!(|bytes: &[u8]| GATEWAY.with_borrow_mut(|gateway| gateway.check(bytes, bytes.len() % 8 == 0)));
