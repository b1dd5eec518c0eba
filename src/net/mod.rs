//! Connections: sockets on this core's ring, TLS over owned buffers, deadlines, and the memory they borrow.
//!
//! Everything here belongs to one core and knows no HTTP. Nothing here is `Send`.

pub mod buffer;
pub mod deadline;
pub mod listen;
pub mod socket;
pub mod stream;
pub mod tls;
