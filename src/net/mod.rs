//! Sockets, TLS and what they need: the layer under both protocols' sides.
pub mod certificate;
pub mod descriptors;
mod pem;
pub mod trust;
mod validity;
