//! The Runtime AI Gateway.

pub mod config;
pub mod log;
