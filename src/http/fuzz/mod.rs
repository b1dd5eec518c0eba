//! What must hold for every input of this room: driven by the targets of `fuzz/`, replayed from its corpora by `cargo test`.
//!
//! Each function takes bytes as a peer could send them and panics where a property does not hold. The twins in here are naive
//! on purpose: they read a whole message at once, allocate freely, and share with the readers that they judge nothing but the
//! table of token bytes. The gateway itself never calls into this room.

mod chunked;
mod coding;
mod head;
mod stream;

pub use chunked::fuzz_chunked;
pub use coding::fuzz_coding;
pub use head::fuzz_request_head;
pub use head::fuzz_response_head;
pub use stream::fuzz_lines;
pub use stream::fuzz_sse;

/// The input whole, in two pieces and byte by byte. The cut may be anywhere, but is always the same for the same input, so that
/// a failure can be replayed.
fn ways(bytes: &[u8]) -> [Vec<&[u8]>; 3] {
    let mix = |sum: usize, &byte: &u8| sum.wrapping_mul(31).wrapping_add(usize::from(byte));
    let cut = bytes.iter().fold(bytes.len(), mix) % (bytes.len() + 1);
    let (front, back) = bytes.split_at(cut);
    [vec![bytes], vec![front, back], bytes.chunks(1).collect()]
}
