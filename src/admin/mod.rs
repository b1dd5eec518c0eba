//! The admin listener: metrics and probes for the operator's tools, on a port of their own.
//!
//! It serves a scraper and a few probes, so it is plain: one thread that accepts, one short thread per connection, one request
//! on each. It is bounded like everything else (connections, bytes, time), since a port that is open will be talked to. It
//! shares nothing with the data path but `shared`, changes nothing, and says nothing that came from a request.

use std::io;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::AcqRel;
use std::thread::JoinHandle;

use crate::limits;
use crate::net::certificate::Certificates;
use crate::shared::Shared;

mod exchange;
pub mod metrics;

/// The listener and its thread. Dropping it closes the listener; a connection that is open is answered within its 2 s.
#[derive(Debug)]
pub struct Admin {
    listener: Arc<TcpListener>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

/// What the answers are made of.
#[derive(Clone, Debug)]
struct View {
    shared: Arc<Shared>,
    certificates: Arc<Certificates>,
}

impl Admin {
    /// Listens on `address` (port 0: any) and answers from now on.
    ///
    /// # Errors
    /// The address cannot be bound, or no thread be made.
    pub fn start(address: SocketAddr, shared: Arc<Shared>, certificates: Arc<Certificates>) -> io::Result<Self> {
        let listener = Arc::new(TcpListener::bind(address)?);
        let address = listener.local_addr()?;
        let accepting = Arc::clone(&listener);
        let view = View { shared, certificates };
        let thread = std::thread::Builder::new().name("admin".to_owned()).spawn(move || accept(&accepting, &view))?;
        Ok(Self { listener, address, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        // On Linux this ends a blocked accept, with EINVAL.
        let ended = rustix::net::shutdown(&*self.listener, rustix::net::Shutdown::Both);
        if let (Ok(()), Some(thread)) = (ended, self.thread.take()) {
            let _panic = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, view: &View) {
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let stream = match listener.accept() {
            Ok((stream, _peer)) => stream,
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return,
            Err(_passes) => {
                std::thread::sleep(limits::ADMIN_ACCEPT_PAUSE);
                continue;
            }
        };
        let slot = Slot::take(&open);
        if slot.is_none() || serve(stream, view.clone(), slot).is_err() {
            view.shared.control.admin_refused.increment();
        }
    }
}

/// Answers on a thread of its own, which gives the slot back when it ends, however it ends.
fn serve(stream: TcpStream, view: View, slot: Option<Slot>) -> io::Result<()> {
    std::thread::Builder::new().name("admin-exchange".to_owned()).spawn(move || {
        let _slot = slot;
        // A peer that does not take its answer is no event.
        let _gone = exchange::run(&stream, &view);
    })?;
    Ok(())
}

/// One of the connections that may be open at once.
#[derive(Debug)]
struct Slot(Arc<AtomicUsize>);

impl Slot {
    /// `None` where all are taken. Only the accepting thread takes, so the count never passes the bound.
    fn take(open: &Arc<AtomicUsize>) -> Option<Self> {
        let slot = (open.fetch_add(1, AcqRel) < limits::ADMIN_CONNECTIONS_MAX).then(|| Self(Arc::clone(open)));
        if slot.is_none() {
            open.fetch_sub(1, AcqRel);
        }
        slot
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, AcqRel);
    }
}

#[cfg(test)]
mod tests;
