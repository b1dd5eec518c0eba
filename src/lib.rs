//! The Runtime AI Gateway.
