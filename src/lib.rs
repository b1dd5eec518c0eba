//! The Runtime AI Gateway.
pub mod clock;
pub mod http;
pub mod limits;
pub mod net;
