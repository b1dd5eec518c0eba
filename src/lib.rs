//! The Runtime AI Gateway.
pub mod clock;
pub mod net;
pub mod shared;
