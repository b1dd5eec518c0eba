//! The demonstration room: a mock LLM that answers as the providers do, and a story of a few calls through the gateway.
//! It serves `penaxtra-gateway demo`, the tests and the benches from one source. It is an independent twin of the
//! gateway's own HTTP code and never uses it: what both get wrong in the same way would stay unseen.

mod call;
pub mod model;
pub mod server;
mod story;
mod wire;

pub use story::tell;
