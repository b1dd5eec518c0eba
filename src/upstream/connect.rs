//! Dialling the upstream: each address in turn, then TLS.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use monoio::net::TcpStream;
use rustls::ClientConfig;

use crate::clock;
use crate::error::Error;
use crate::error::Kind;
use crate::limits;
use crate::limits::Timeouts;
use crate::net::buffer::Blocks;
use crate::net::deadline::Deadline;
use crate::net::stream::Stream;

use super::route::Route;

/// Where to connect to, and in which order.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The upstream.
    pub route: &'a Route,
    /// Its addresses.
    pub addresses: &'a [SocketAddr],
    /// The one to try first, modulo their number.
    pub first: usize,
    /// TLS towards it.
    pub tls: &'a Arc<ClientConfig>,
}

/// Opens a connection to the first address that takes one, `until` at the latest.
///
/// # Errors
/// No address is known, none answered within its deadline, or none that did has valid TLS.
pub async fn connect(
    target: &Target<'_>,
    timeouts: &Timeouts,
    until: Instant,
    deadline: &mut Deadline,
    blocks: &Rc<Blocks>,
) -> Result<Stream, Error> {
    let mut failure = Error::upstream(Kind::Unresolved);
    for attempt in 0..target.addresses.len().min(limits::CONNECT_ADDRESSES_MAX) {
        let index = target.first.wrapping_add(attempt) % target.addresses.len();
        let Some(&address) = target.addresses.get(index) else { break };
        let connecting = TcpStream::connect_addr(address);
        let Ok(Ok(stream)) = deadline.within(until.min(clock::now() + timeouts.connect), connecting).await else {
            failure = Error::upstream(Kind::Connect);
            continue;
        };
        let mut stream = Stream::plain(stream, blocks);
        let Some(name) = &target.route.server_name else { return Ok(stream) };
        let handshake = stream.connect_tls(target.tls, name.clone(), blocks);
        match deadline.within(until.min(clock::now() + timeouts.tls), handshake).await {
            Ok(Ok(())) => return Ok(stream),
            Ok(Err(error)) => failure = Error::upstream(error),
            Err(_) => failure = Error::upstream(Kind::Tls),
        }
    }
    Err(failure)
}
