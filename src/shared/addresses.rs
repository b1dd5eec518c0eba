//! Where the upstream is: the addresses that its name had when it was last looked up.
//!
//! Looking a name up can block for seconds, so it happens on a thread of its own, which puts the answer here; a core takes
//! what is there when it needs a connection. An empty list means that no look-up has succeeded yet. It never looks anything up.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use arc_swap::Guard;

/// The addresses of the one upstream.
#[derive(Debug, Default)]
pub struct Addresses(ArcSwap<Vec<SocketAddr>>);

impl Addresses {
    /// What the name last resolved to, in the resolver's order; empty if it never did. Drop the guard before waiting for anything.
    #[must_use]
    pub fn load(&self) -> Guard<Arc<Vec<SocketAddr>>> {
        self.0.load()
    }

    /// Puts a new list in place. An empty one is ignored: the last good addresses are better than none.
    pub fn publish(&self, addresses: Vec<SocketAddr>) {
        if !addresses.is_empty() {
            self.0.store(Arc::new(addresses));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_does_not_replace_a_good_one() {
        let addresses = Addresses::default();
        assert!(addresses.load().is_empty());
        let good: Vec<SocketAddr> = vec!["192.0.2.1:443".parse().unwrap(), "[2001:db8::1]:443".parse().unwrap()];
        addresses.publish(good.clone());
        addresses.publish(Vec::new());
        assert_eq!(**addresses.load(), good);
    }
}
