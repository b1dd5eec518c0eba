//! Counts allocations: inspection of a request makes none once its memory has grown to what requests need.
//!
//! One test in this file and in its process, since the allocator counts for all threads.

#![expect(unsafe_code, reason = "an allocator is unsafe to write; this one counts and hands on")]

use std::alloc::GlobalAlloc;
use std::alloc::Layout;
use std::alloc::System;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use penaxtra_gateway::http::head::RequestHead;
use penaxtra_gateway::policy::Action;
use penaxtra_gateway::policy::Policy;
use penaxtra_gateway::proxy::inspection::Inspector;
use penaxtra_gateway::proxy::inspection::Message;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is the system allocator's own; counting touches no memory but an atomic.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn body(content: &str) -> Vec<u8> {
    let arguments = serde_json::json!({"query": content, "limit": 1_234_567_890_123_u64}).to_string();
    let call =
        serde_json::json!({"id": "call_1", "type": "function", "function": {"name": "find", "arguments": arguments}});
    let parts = serde_json::json!([{"type": "text", "text": content}, {"type": "text", "text": "and \"more\" of it"}]);
    serde_json::json!({"model": "m", "messages": [
        {"role": "user", "content": content}, {"role": "user", "content": parts}, {"role": "assistant", "tool_calls": [call]},
    ]})
    .to_string()
    .into_bytes()
}

#[test]
fn inspection_allocates_nothing_in_the_steady_state() {
    let contents = [
        "Plain words, nothing else.".repeat(40),
        "Ein Wort mit Umlauten: größer, schöner, caf\u{e9}. \u{201c}Quoted\u{201d} \u{1f469}\u{200d}\u{1f4bb}"
            .to_owned(),
        "Folded: \u{ff41}\u{ff42} p\u{430}ypal &amp; %41%42 \\u0041 and \u{fdfa}".to_owned(),
        "Encoded: aGVsbG8gd29ybGQsIHRoaXMgaXMgYSB0ZXh0 68656c6c6f20776f726c642c2074686973".to_owned(),
        "Found: anna.keller@nordwind-handel.de and 4539 5787 6362 1486 and DE89 3704 0044 0532 0130 00".to_owned(),
    ];
    let policy = Policy::built_in();
    let mut inspector = Inspector::default();
    let head =
        "POST /v1/chat/completions?user=a%20b HTTP/1.1\r\nhost: a\r\nx-user: somebody\r\ncontent-length: 1\r\n\r\n";
    let parsed = RequestHead::parse(head.as_bytes()).unwrap();
    let bodies: Vec<Vec<u8>> = contents.iter().map(|content| body(content)).collect();
    let mut run = || {
        let inspect = |body: &Vec<u8>| {
            inspector.inspect(&policy, &Message { head: &parsed, bytes: head.as_bytes(), body }).unwrap()
        };
        bodies.iter().map(inspect).max()
    };
    assert_eq!(run(), Some(Action::Redact), "the texts reach the rules");
    run();
    let before = ALLOCATIONS.load(Relaxed);
    for _ in 0..100 {
        run();
    }
    let made = ALLOCATIONS.load(Relaxed) - before;
    assert_eq!(made, 0, "{made} allocations in 100 rounds of {} requests", bodies.len());
}
