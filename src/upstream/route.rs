//! Where requests go: the one upstream of this gateway, as requests and TLS name it.

use rustls::pki_types::ServerName;

/// The upstream.
#[derive(Clone, Debug)]
pub struct Route {
    /// The `Host` of every forwarded request.
    pub authority: String,
    /// The path that stands before every request path: empty, or `/…` without a slash at its end.
    pub prefix: String,
    /// The name that its certificate must be for; none for plain HTTP.
    pub server_name: Option<ServerName<'static>>,
}
