//! The Runtime AI Gateway.
pub mod client;
pub mod clock;
pub mod error;
pub mod http;
pub mod inspect;
pub mod limits;
pub mod net;
pub mod proxy;
pub mod shared;
pub mod upstream;
pub mod config;
pub mod worker;
pub mod demo;
