//! The upstream's name, looked up off the cores and kept fresh.
//!
//! `getaddrinfo` blocks, for seconds where a name server is silent, so it has a thread of its own. The answer goes to
//! `shared::addresses`; a failure leaves what is there, since an address that worked is the best guess while DNS is down. It
//! looks up one name, and never one that a client sent.

use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use crate::limits;
use crate::shared::Shared;

/// The thread that looks up. Dropping it ends the thread at its next turn, and does not wait for one.
#[derive(Debug)]
pub(super) struct Resolver {
    /// Nothing is ever sent: the thread sees it going away.
    _alive: Option<SyncSender<()>>,
}

impl Resolver {
    /// Publishes an address at once, without a thread; starts one for a name.
    pub(super) fn start(host: &str, port: u16, shared: Arc<Shared>) -> io::Result<Self> {
        if let Ok(address) = host.parse::<IpAddr>() {
            shared.addresses.publish(vec![SocketAddr::new(address, port)]);
            return Ok(Self { _alive: None });
        }
        let host = host.to_owned();
        let (alive, ended) = mpsc::sync_channel(0);
        std::thread::Builder::new().name("resolver".to_owned()).spawn(move || {
            let mut lookups = Lookups::new(|| Ok((host.as_str(), port).to_socket_addrs()?.collect()));
            loop {
                let pause = lookups.turn(&shared);
                if ended.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
        })?;
        Ok(Self { _alive: Some(alive) })
    }
}

/// Look-ups in a row, and how many of the last ones failed.
struct Lookups<F> {
    look_up: F,
    failures: u32,
}

impl<F: FnMut() -> io::Result<Vec<SocketAddr>>> Lookups<F> {
    fn new(look_up: F) -> Self {
        Self { look_up, failures: 0 }
    }

    /// One look-up: publishes a good answer, and says how long to wait before the next.
    fn turn(&mut self, shared: &Shared) -> Duration {
        let answer = (self.look_up)().map(distinct);
        match answer {
            Ok(found) if !found.is_empty() => {
                if self.failures > 0 || shared.addresses.load().is_empty() {
                    tracing::info!(addresses = found.len(), "the upstream's name is resolved");
                }
                shared.control.resolutions.increment();
                shared.addresses.publish(found);
                self.failures = 0;
                limits::RESOLVE_REFRESH
            }
            failed => {
                shared.control.resolution_failures.increment();
                if self.failures == 0 {
                    let reason = failed.err().map_or_else(|| "no address".to_owned(), |error| error.to_string());
                    let kept = shared.addresses.load().len();
                    tracing::warn!(%reason, kept, "the upstream's name is not resolved");
                }
                let pause =
                    limits::RESOLVE_RETRY_FIRST.saturating_mul(1 << self.failures.min(10)).min(limits::RESOLVE_REFRESH);
                self.failures = self.failures.saturating_add(1);
                pause
            }
        }
    }
}

/// Each address once, in the order of the answer (RFC 6724), up to the bound.
fn distinct(answer: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    for address in answer {
        if found.len() == limits::ADDRESSES_MAX {
            break;
        }
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::policy::Policy;
    use crate::shared::addresses::Addresses;

    use super::*;

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 443))
    }

    fn shared() -> Arc<Shared> {
        Arc::new(Shared::new(1, crate::clock::now(), Duration::ZERO, Arc::new(Policy::built_in())))
    }

    fn kept(addresses: &Addresses) -> Vec<SocketAddr> {
        addresses.load().to_vec()
    }

    #[test]
    fn the_last_good_addresses_stay_while_the_pauses_grow() {
        let shared = shared();
        let failed = || Err(io::Error::other("no name server"));
        let story = [
            ("down at the start", failed(), 1, vec![]),
            ("still down", failed(), 2, vec![]),
            ("up", Ok(vec![address(1), address(2)]), 30, vec![address(1), address(2)]),
            ("down", failed(), 1, vec![address(1), address(2)]),
            ("an empty answer", Ok(vec![]), 2, vec![address(1), address(2)]),
            ("down", failed(), 4, vec![address(1), address(2)]),
            ("down", failed(), 8, vec![address(1), address(2)]),
            ("down", failed(), 16, vec![address(1), address(2)]),
            ("down", failed(), 30, vec![address(1), address(2)]),
            ("down", failed(), 30, vec![address(1), address(2)]),
            ("up, elsewhere", Ok(vec![address(3)]), 30, vec![address(3)]),
            ("down again", failed(), 1, vec![address(3)]),
        ];
        let mut answers: Vec<io::Result<Vec<SocketAddr>>> = Vec::new();
        let mut expected = Vec::new();
        for (name, answer, pause, addresses) in story {
            answers.push(answer);
            expected.push((name, pause, addresses));
        }
        let mut answers = answers.into_iter();
        let mut lookups = Lookups::new(|| answers.next().unwrap());
        for (name, pause, addresses) in expected {
            assert_eq!(lookups.turn(&shared), Duration::from_secs(pause), "{name}");
            assert_eq!(kept(&shared.addresses), addresses, "{name}");
        }
        assert_eq!((shared.control.resolutions.value(), shared.control.resolution_failures.value()), (2, 10));
    }

    #[test]
    fn an_answer_is_kept_in_order_once_and_within_the_bound() {
        assert_eq!(distinct(vec![address(2), address(1), address(2)]), [address(2), address(1)]);
        let many: Vec<SocketAddr> = (0..100).flat_map(|last| [address(last), address(last)]).collect();
        assert_eq!(distinct(many), (0..32).map(address).collect::<Vec<_>>());
        assert_eq!(distinct(Vec::new()), []);
    }

    #[test]
    fn an_address_needs_no_look_up() {
        for (host, expected) in [("192.0.2.1", address(1)), ("2001:db8::1", "[2001:db8::1]:443".parse().unwrap())] {
            let shared = shared();
            let _resolver = Resolver::start(host, 443, Arc::clone(&shared)).unwrap();
            assert_eq!(kept(&shared.addresses), [expected]);
        }
    }

    #[test]
    fn a_name_is_looked_up_on_its_own_thread_which_ends_with_the_resolver() {
        let shared = shared();
        let resolver = Resolver::start("localhost", 443, Arc::clone(&shared)).unwrap();
        let until = crate::clock::now() + Duration::from_secs(10);
        while shared.addresses.load().is_empty() && crate::clock::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(kept(&shared.addresses).iter().all(|address| address.ip().is_loopback() && address.port() == 443));
        assert!(!shared.addresses.load().is_empty());
        drop(resolver);
        while Arc::strong_count(&shared) > 1 && crate::clock::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(Arc::strong_count(&shared), 1, "the thread is gone");
    }
}
