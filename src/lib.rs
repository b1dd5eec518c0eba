//! The Runtime AI Gateway.
pub mod admin;
pub mod clock;
pub mod control;
pub mod memory;
pub mod net;
pub mod shared;
