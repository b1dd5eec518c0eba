//! Dialling the upstream: each address in turn, then TLS.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

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

/// Opens a connection to the first of `addresses` that takes one, starting at `first` (taken modulo their number).
///
/// # Errors
/// No address is known, none answered within its deadline, or the one that did has no valid TLS.
pub async fn connect(
    route: &Route,
    addresses: &[SocketAddr],
    first: usize,
    tls: &Arc<ClientConfig>,
    timeouts: &Timeouts,
    deadline: &mut Deadline,
    blocks: &Rc<Blocks>,
) -> Result<Stream, Error> {
    if addresses.is_empty() {
        return Err(Error::upstream(Kind::Unresolved));
    }
    let mut failure = Error::upstream(Kind::Connect);
    for attempt in 0..addresses.len().min(limits::CONNECT_ADDRESSES_MAX) {
        let Some(&address) = addresses.get((first + attempt) % addresses.len()) else { break };
        match deadline.within(clock::now() + timeouts.connect, TcpStream::connect_addr(address)).await {
            Ok(Ok(stream)) => {
                let mut stream = Stream::plain(stream, blocks);
                let Some(name) = &route.server_name else { return Ok(stream) };
                let handshake = stream.connect_tls(tls, name.clone(), blocks);
                match deadline.within(clock::now() + timeouts.tls, handshake).await {
                    Ok(Ok(())) => return Ok(stream),
                    Ok(Err(error)) => failure = Error::upstream(error),
                    Err(_) => failure = Error::upstream(Kind::Tls),
                }
            }
            Ok(Err(_)) | Err(_) => failure = Error::upstream(Kind::Connect),
        }
    }
    Err(failure)
}
