//! The Runtime AI Gateway.

pub mod clock;
pub mod demo;
