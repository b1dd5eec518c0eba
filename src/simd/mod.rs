//! The few loops over bytes that are written for the CPU's vectors, and their scalar twins.
//!
//! The only room beside `net` that may hold `unsafe`: a feature of the CPU is asked for once, at run time, and each fast loop has a
//! twin in plain Rust that gives the same answer for every input (tested against each other). It never allocates and knows nothing
//! of what the bytes mean.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

pub mod alphabet;
pub mod json;
pub mod literal;
