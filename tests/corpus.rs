//! Every seed of the fuzz targets, replayed through their properties: what a fuzzer once found stays found.
//!
//! `fuzz/README.md` says what the targets check. The comparison with other readers (`differential`) is not replayed here, since
//! those readers are no dependencies of this crate.

use std::fs;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::Path;

use penaxtra_gateway::extract::form::fuzz::fuzz_form;
use penaxtra_gateway::extract::fuzz::fuzz_walk;
use penaxtra_gateway::http::fuzz;
use penaxtra_gateway::inspect::fuzz::fuzz_scan;
use penaxtra_gateway::inspect::normalise::fuzz::fuzz_normalise;
use penaxtra_gateway::policy::fuzz::fuzz_bundle;
use penaxtra_gateway::policy::fuzz::fuzz_policy_document;
use penaxtra_gateway::proxy::inspection::fuzz::fuzz_redactor;
use penaxtra_gateway::proxy::inspection::stream::fuzz::fuzz_stream;

#[expect(unreachable_pub, reason = "a module of the fuzz crate, where it is public")]
#[path = "../fuzz/src/connection.rs"]
mod connection;

#[expect(dead_code, unreachable_pub, reason = "shared with the tests and the fuzz crate, which use all of it")]
#[path = "support/strict.rs"]
mod strict;

/// Hands every file of one corpus to `property`, and names those that break it.
fn replay(target: &str, mut property: impl FnMut(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("a corpus").map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    assert!(paths.len() > 10, "the corpus has its seeds");
    let breaks = |path: &std::path::PathBuf| {
        let bytes = fs::read(path).expect("a readable file");
        catch_unwind(AssertUnwindSafe(|| property(&bytes))).is_err()
    };
    let broken: Vec<_> = paths.into_iter().filter(breaks).collect();
    assert!(broken.is_empty(), "{broken:?}");
}

#[test]
fn request_heads_hold_their_properties() {
    replay("request_head", fuzz::fuzz_request_head);
    replay("differential", fuzz::fuzz_request_head);
    replay("connection", fuzz::fuzz_request_head);
}

#[test]
fn response_heads_hold_their_properties() {
    replay("response_head", fuzz::fuzz_response_head);
}

#[test]
fn chunked_bodies_hold_their_properties() {
    replay("chunked", fuzz::fuzz_chunked);
}

#[test]
fn coded_bodies_hold_their_properties() {
    replay("coding", fuzz::fuzz_coding);
}

#[test]
fn forms_hold_their_properties() {
    replay("form", fuzz_form);
}

#[test]
fn event_streams_hold_their_properties() {
    replay("sse", fuzz::fuzz_sse);
    replay("lines", fuzz::fuzz_lines);
}

#[test]
fn bodies_hold_their_properties() {
    replay("walk", fuzz_walk);
}

#[test]
fn folded_texts_hold_their_properties() {
    replay("normalise", fuzz_normalise);
}

#[test]
fn policies_hold_their_properties() {
    replay("bundle", fuzz_bundle);
    replay("policy_document", fuzz_policy_document);
}

#[test]
fn texts_are_scanned_as_their_twins_say() {
    replay("scan", fuzz_scan);
}

#[test]
fn redacted_bodies_hold_their_properties() {
    replay("redactor", fuzz_redactor);
}

#[test]
fn inspected_streams_hold_their_properties() {
    replay("stream", fuzz_stream);
}

#[test]
fn what_a_gateway_forwards_is_what_was_sent() {
    let mut gateway = connection::Gateway::start();
    for target in ["connection", "request_head", "differential"] {
        replay(target, |bytes| gateway.check(bytes, false));
        replay(target, |bytes| gateway.check(bytes, true));
    }
}
