//! Any bytes as a streamed answer; the properties stand beside the code, in `src/proxy/inspection/stream/fuzz/`.
#![no_main]

use libfuzzer_sys::fuzz_target;

use penaxtra_gateway::proxy::inspection::stream::fuzz::fuzz_stream;

fuzz_target!(|bytes: &[u8]| fuzz_stream(bytes));
