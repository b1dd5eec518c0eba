//! The provider behind us: where it is, this core's idle connections to it, and HTTP/1.1 as its client.

pub mod connect;
pub mod h1;
pub mod pool;
pub mod route;
