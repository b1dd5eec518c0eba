//! Who calls us: reading requests from a client's connection.

pub mod h1;
