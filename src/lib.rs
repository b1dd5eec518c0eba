//! The Runtime AI Gateway: a reverse proxy between applications and an LLM provider.
//!
//! It terminates TLS, reads every request and every answer, and forwards them as fast as a plain proxy would. One pinned core runs
//! one ring with its own listeners, upstream connections and memory; cores share atomic pointers, counters and nothing else.
//!
//! The modules stand in the order in which a request travels:
//!
//! ```text
//!            ┌──────────────────────────── one core, one thread, one ring ────────────────────────────┐
//!  client ──►│ worker ─► net ─► client ─► http ─► extract ─► inspect ─► policy ─► upstream ─► net      │──► upstream
//!            │                                    └──────── proxy ────────┘                           │
//!  client ◄──│ net ◄─ proxy::response ◄────────────────────────────── http ◄─ upstream                 │◄── upstream
//!            └───────────────▲─────────────────────────────────────────────────────▲───────────────────┘
//!                            │ shared: life cycle, addresses, policy               │ shared: counters, events
//!               ┌────────────┴─── control threads: signals, resolver, certificates, policy, events, admin ──┐
//! ```
//!
//! - A connection is accepted by one [`worker`] and stays on it; its first byte decides between TLS and plain HTTP ([`net`]).
//! - [`client`] reads a request until it is complete, by the rules of [`http`], which refuse everything that can be read in two ways.
//! - Before a byte of it goes on, [`extract`] finds the texts of a request and their places, [`inspect`] what stands in them, and
//!   [`policy`] what is done about it. They never see each other's work but in `proxy::inspection`; `proxy::enforce` acts on it.
//! - [`proxy`] runs the exchange, top to bottom; [`simd`] holds the vector loops of two of the rooms above.
//! - [`upstream`] lends a connection. By its head, an answer is passed on unread, gathered and inspected, or inspected event by event as
//!   it comes (`proxy::response`, `proxy::inspection::stream`); [`inspect::opening`] says what of a stream must wait.
//! - [`gateway`] puts the parts together for `main`; [`control`] and [`admin`] run beside the cores and meet them in [`shared`].
//! - [`command`] makes, signs, checks and tries policies on the command line.

pub mod config;
pub mod gateway;
pub mod hardening;
pub mod log;

pub mod clock;
pub mod cpu;
pub mod error;
pub mod limits;
pub mod memory;
pub mod simd;

pub mod client;
pub mod extract;
pub mod http;
pub mod inspect;
pub mod net;
pub mod policy;
pub mod proxy;
pub mod upstream;
pub mod worker;

pub mod admin;
pub mod control;
pub mod shared;

pub mod command;
pub mod demo;
pub mod healthcheck;
