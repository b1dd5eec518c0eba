//! Connections: sockets on this core's ring, TLS over owned buffers, deadlines, and the memory they borrow.
//!
//! What waits belongs to one core and knows no HTTP. Certificates and what TLS trusts are loaded on ordinary threads, before the
//! cores start or beside them, and reach the cores behind an atomic pointer.

pub mod buffer;
pub mod certificate;
pub mod deadline;
pub mod descriptors;
pub mod listen;
mod pem;
pub mod socket;
pub mod stream;
pub mod tls;
pub mod trust;
mod validity;
