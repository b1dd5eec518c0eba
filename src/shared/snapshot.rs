//! The policy in force: one atomic pointer, and each core's own handle on what it points to.
//!
//! The thread `policy` compiles a policy and publishes it here. A core compares the pointer once a request ([`Reader::policy`])
//! and hands its exchange a handle that counts on this core alone, so no count travels between cores per request, and an exchange
//! keeps the policy that it began with. The publisher keeps every policy until nobody else holds it: none is ever freed on a core.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use arc_swap::ArcSwap;
use arc_swap::Cache;

use crate::policy::Policy;

/// What the publisher and the cores share.
#[derive(Debug)]
pub struct Snapshot {
    current: Arc<ArcSwap<Policy>>,
    /// Whether the policy may be served by: its time has come and is not over, or the operator serves it all the same.
    in_force: AtomicBool,
}

impl Snapshot {
    /// Starts with `policy`, not yet in force.
    #[must_use]
    pub fn new(policy: Arc<Policy>) -> Self {
        Self { current: Arc::new(ArcSwap::new(policy)), in_force: AtomicBool::new(false) }
    }

    /// The policy now; for threads that are no cores.
    #[must_use]
    pub fn load(&self) -> Arc<Policy> {
        self.current.load_full()
    }

    /// Whether requests may be served by it. One load: cheap enough for every request.
    #[inline]
    #[must_use]
    pub fn in_force(&self) -> bool {
        self.in_force.load(Relaxed)
    }

    /// Says whether requests may be served by it.
    pub fn set_in_force(&self, in_force: bool) {
        self.in_force.store(in_force, Relaxed);
    }
}

/// Puts policies in force, and frees the old ones. One for each snapshot, on one thread.
#[derive(Debug, Default)]
pub struct Publisher {
    /// Policies that a core or an exchange may still hold.
    retired: Vec<Arc<Policy>>,
}

impl Publisher {
    /// Puts `policy` in place for every exchange that begins from now on.
    pub fn publish(&mut self, snapshot: &Snapshot, policy: Arc<Policy>) {
        self.retired.push(snapshot.current.swap(policy));
    }

    /// Frees, here, what nobody holds any more. Returns how many old policies are still held.
    pub fn free(&mut self) -> usize {
        self.retired.retain(|policy| Arc::strong_count(policy) > 1);
        self.retired.len()
    }
}

/// A policy as an exchange holds it: cloning it touches this core's memory alone.
pub type Held = Rc<Arc<Policy>>;

/// One core's handle.
pub struct Reader {
    cache: RefCell<Cache<Arc<ArcSwap<Policy>>, Arc<Policy>>>,
    held: RefCell<Held>,
}

impl Reader {
    /// A handle for the core that calls this.
    #[must_use]
    pub fn new(snapshot: &Snapshot) -> Self {
        let mut cache = Cache::new(Arc::clone(&snapshot.current));
        let held = Rc::new(Arc::clone(cache.load()));
        Self { cache: RefCell::new(cache), held: RefCell::new(held) }
    }

    /// The policy for an exchange that begins now. To be called now and then by an idle core too, so that it lets go of an old one.
    #[must_use]
    pub fn policy(&self) -> Held {
        let mut cache = self.cache.borrow_mut();
        let current = cache.load();
        let mut held = self.held.borrow_mut();
        if !Arc::ptr_eq(current, &held) {
            *held = Rc::new(Arc::clone(current));
        }
        Rc::clone(&held)
    }
}
