//! The demonstration room: a mock LLM that answers as the providers do, and a story of a few calls through the gateway.
//!
//! It serves `penaxtra-gateway demo`, the tests and the benches from one source. The model and the caller are independent twins of
//! the gateway's own HTTP code and never use it: what both get wrong in the same way would stay unseen. Only [`run`] knows the gateway.

use std::io;
use std::io::Write;
use std::sync::Arc;

use crate::config::Config;
use crate::config::Demo;
use crate::config::LogFormat;
use crate::config::LogLevel;
use crate::config::Upstream;
use crate::gateway::Gateway;
use crate::log;

mod answer;
mod call;
mod guard;
pub mod model;
pub mod server;
mod story;
mod wire;

pub use story::tell;

use guard::Ground;
use guard::Guard;
use server::MockLlm;
use server::Options;

/// Starts the mock LLM and a gateway in front of it, tells the story, and stays up until it is told to stop unless `demo.once`.
/// Returns whether every call ended as it should.
///
/// # Errors
/// The address is taken, or `out` cannot be written.
pub fn run(demo: Demo, out: &mut dyn Write) -> io::Result<bool> {
    log::start(LogLevel::Error, LogFormat::Auto);
    let any_port = "127.0.0.1:0".parse().map_err(io::Error::other)?;
    let guard = Guard::new()?;
    let last_body = Some(Arc::clone(&guard.last_body));
    let model = MockLlm::start(any_port, Options { delay_per_token: demo.delay, last_body, ..Options::default() })?;
    let upstream =
        Upstream::parse(&format!("http://{}", model.address)).map_err(|error| io::Error::other(error.to_string()))?;
    let mut config = Config::for_upstream(upstream);
    config.listen = vec![demo.listen];
    guard.configure(&mut config);
    let gateway = Gateway::start(&config, !demo.once).map_err(|error| io::Error::other(error.to_string()))?;
    let Some(address) = gateway.addresses.first() else { return Err(io::ErrorKind::AddrNotAvailable.into()) };
    let mut good = tell(&format!("http://{address}"), out)?;
    if let Some(admin) = gateway.admin {
        let ground = Ground { gateway: *address, admin, guard: &guard };
        let (ended_well, scenes) = guard::tell(&ground, out)?;
        writeln!(out, "\n{ended_well} of {scenes} scenes of the policy ended as they should.")?;
        good &= ended_well == scenes;
    }
    story::invite(&format!("http://{address}"), out)?;
    if demo.once {
        gateway.stop();
    } else {
        writeln!(out, "\nThe gateway stays up; Ctrl-C ends it.")?;
    }
    Ok(gateway.wait() == 0 && good)
}
