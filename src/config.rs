//! Stand-in until the real one is merged.
#![allow(missing_docs, clippy::allow_attributes, clippy::allow_attributes_without_reason)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Io { Auto, Uring, Epoll }
