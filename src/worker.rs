//! One worker per core: a thread with its own ring, listeners, connections, upstream pool and memory.
//!
//! ```text
//!  listener ─► accept ─► first byte ─┬─ 0x16 ─► TLS ─┐
//!                                    └─ other ───────┴─► proxy::serve ─► end
//!  tick (50 ms): heartbeat, gauges, old pooled connections, life cycle
//! ```
//! Workers share nothing with each other. Which driver they run on is decided once for all of them, before the first
//! connection: if one cannot build its ring, all use epoll. A panic in a connection's task ends that connection alone.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;
use std::task::Poll;
use std::task::Waker;
use std::thread;
use std::time::Duration;

use monoio::IoUringDriver;
use monoio::LegacyDriver;
use monoio::Runtime;
use monoio::RuntimeBuilder;
use monoio::io::Canceller;
use monoio::net::TcpStream;
use monoio::time::TimeDriver;
use rustls::ClientConfig;
use rustls::ServerConfig;

use crate::client::h1::Client;
use crate::client::h1::Idle;
use crate::clock;
use crate::config::Io;
use crate::limits;
use crate::net::buffer::Blocks;
use crate::net::deadline::Deadline;
use crate::net::stream::Stream;
use crate::proxy;
use crate::proxy::Caller;
use crate::proxy::Core;
use crate::proxy::Settings;
use crate::shared::Shared;
use crate::shared::events::Sender;
use crate::shared::lifecycle::Stage;
use crate::shared::snapshot::Reader;
use crate::upstream::pool::Pool;
use crate::upstream::route::Route;

/// The first byte of a TLS record that opens a handshake (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// A listening socket of one worker.
pub struct Door {
    /// Bound and listening.
    pub listener: TcpListener,
    /// Whether plain HTTP that comes in here is proxied.
    pub plaintext: bool,
}

/// What one worker is started with.
pub struct Plan {
    /// Its number, from zero.
    pub index: usize,
    /// The CPU it is pinned to, if any.
    pub cpu: Option<usize>,
    /// Its listening sockets.
    pub doors: Vec<Door>,
    /// How exchanges are run.
    pub settings: Settings,
    /// Where requests go.
    pub route: Route,
    /// TLS towards clients; shared, its certificate is swapped inside.
    pub server_tls: Arc<ServerConfig>,
    /// TLS towards the upstream; this worker's own.
    pub client_tls: Arc<ClientConfig>,
    /// What the process shares.
    pub shared: Arc<Shared>,
    /// Client connections at once. Past it: 503.
    pub connections_max: usize,
    /// Bytes of buffers. Past it: 503.
    pub memory_bytes_max: usize,
    /// Idle upstream connections.
    pub pool_connections_max: usize,
    /// Random bits for request ids.
    pub seed: u64,
    /// The writing end of this worker's ring of events.
    pub events: Sender,
    /// What paths are hashed with in events; the same on all workers.
    pub path_key: [u8; 32],
}

/// The runtimes that a worker can have.
enum Driver {
    Uring(Box<Runtime<TimeDriver<IoUringDriver>>>),
    Epoll(Box<Runtime<TimeDriver<LegacyDriver>>>),
}

/// Which driver the process runs on, and why.
#[derive(Debug)]
pub struct Decision {
    /// `uring` or `epoll`.
    pub driver: &'static str,
    /// Why a ring could not be built, if that was tried.
    pub cause: Option<io::Error>,
}

/// Starts all workers and waits until they have decided on the driver together.
///
/// # Errors
/// A thread could not be started, or `io` is `uring` and a ring could not be built.
pub fn start(plans: Vec<Plan>, io: Io) -> io::Result<(Decision, Vec<thread::JoinHandle<()>>)> {
    let (report, reports) = mpsc::channel();
    let mut workers = Vec::new();
    for plan in plans {
        let (decide, decision) = mpsc::channel();
        let report = report.clone();
        let name = format!("worker-{}", plan.index);
        let thread = thread::Builder::new().name(name).spawn(move || work(plan, io, &report, &decision))?;
        workers.push((thread, decide));
    }
    drop(report);
    let failure = reports.iter().take(workers.len()).find_map(Result::err);
    let failure = match failure {
        Some(error) if io == Io::Uring => return Err(error),
        failure => failure,
    };
    let uring = io != Io::Epoll && failure.is_none();
    let mut threads = Vec::new();
    for (thread, decide) in workers {
        let _ = decide.send(uring);
        threads.push(thread);
    }
    Ok((Decision { driver: if uring { "uring" } else { "epoll" }, cause: failure }, threads))
}

/// The life of a worker's thread.
fn work(plan: Plan, io: Io, report: &mpsc::Sender<io::Result<()>>, decision: &mpsc::Receiver<bool>) {
    if let Some(cpu) = plan.cpu {
        pin(cpu);
    }
    let ring = if io == Io::Epoll { None } else { Some(build_ring()) };
    let (ring, result) = match ring {
        None => (None, Ok(())),
        Some(Ok(runtime)) => (Some(runtime), Ok(())),
        Some(Err(error)) => (None, Err(error)),
    };
    let _ = report.send(result);
    let driver = match (decision.recv(), ring) {
        (Ok(true), Some(ring)) => Ok(Driver::Uring(Box::new(ring))),
        (Ok(_), _) => {
            RuntimeBuilder::<LegacyDriver>::new().enable_timer().build().map(|runtime| Driver::Epoll(Box::new(runtime)))
        }
        (Err(_), _) => return,
    };
    match driver {
        Ok(Driver::Uring(mut runtime)) => runtime.block_on(run(plan)),
        Ok(Driver::Epoll(mut runtime)) => runtime.block_on(run(plan)),
        Err(error) => tracing::error!(worker = plan.index, %error, "epoll could not be set up"),
    }
}

fn pin(cpu: usize) {
    let mut set = rustix::thread::CpuSet::new();
    set.set(cpu);
    if let Err(error) = rustix::thread::sched_setaffinity(None, &set) {
        tracing::warn!(cpu, %error, "the worker could not be pinned");
    }
}

/// Builds a ring, smaller once if the kernel has no memory for it. The flags are those that cost the least CPU a request
/// (`docs/decisions/001-reads-by-readiness.md`); kernels before 6.1 do not know them and get the ones they know.
fn build_ring() -> io::Result<Runtime<TimeDriver<IoUringDriver>>> {
    let mut entries = limits::RING_ENTRIES;
    loop {
        match build_ring_with(entries) {
            Err(error) if error.kind() == io::ErrorKind::OutOfMemory && entries == limits::RING_ENTRIES => {
                // The memory of a ring that was just closed is given back with a delay.
                thread::sleep(Duration::from_millis(100));
                entries /= 2;
            }
            result => return result,
        }
    }
}

fn build_ring_with(entries: u32) -> io::Result<Runtime<TimeDriver<IoUringDriver>>> {
    let mut flags = io_uring::IoUring::builder();
    flags.setup_single_issuer().setup_defer_taskrun();
    let first =
        RuntimeBuilder::<IoUringDriver>::new().uring_builder(flags).with_entries(entries).enable_timer().build();
    match first {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            RuntimeBuilder::<IoUringDriver>::new().with_entries(entries).enable_timer().build()
        }
        result => result,
    }
}

/// What an operator can do about a ring that could not be built, by the kernel's answer.
#[must_use]
pub fn explain_no_ring(error: &io::Error) -> &'static str {
    match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::PERM) => "denied by seccomp or by the sysctl kernel.io_uring_disabled",
        Some(rustix::io::Errno::NOSYS) => "unknown to this kernel or denied by seccomp",
        Some(rustix::io::Errno::NOMEM) => {
            "no locked memory left for this user (RLIMIT_MEMLOCK counts all its rings on the node)"
        }
        _ => "not available",
    }
}

/// What the tasks of one worker share.
struct Worker {
    core: Core,
    server_tls: Arc<ServerConfig>,
    connections_max: usize,
    /// The connections that are being served, by number.
    connections: RefCell<HashMap<u64, Rc<Idle>>>,
    next_connection: Cell<u64>,
    refusing: Cell<usize>,
    closing: Closing,
}

/// Tells the accepting tasks that the listeners are closed now.
#[derive(Default)]
struct Closing {
    now: Cell<bool>,
    wakers: RefCell<Vec<Waker>>,
}

impl Closing {
    fn start(&self) {
        self.now.set(true);
        for waker in self.wakers.borrow_mut().drain(..) {
            waker.wake();
        }
    }

    /// The result of `future`, or `None` once the listeners are closed.
    async fn unless<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|context| {
            if self.now.get() {
                return Poll::Ready(None);
            }
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            let mut wakers = self.wakers.borrow_mut();
            if !wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                wakers.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await
    }
}

async fn run(plan: Plan) {
    let timeouts = plan.settings.timeouts;
    let core = Core {
        settings: plan.settings,
        route: plan.route,
        tls: plan.client_tls,
        blocks: Blocks::new(plan.memory_bytes_max),
        pool: Pool::new(plan.pool_connections_max, timeouts.pool_idle),
        policy: Reader::new(&plan.shared.policy),
        inspector: RefCell::default(),
        events: RefCell::new(plan.events),
        path_key: plan.path_key,
        event_sequence: Cell::new(0),
        shared: plan.shared,
        worker: plan.index,
        seed: plan.seed,
        sequence: Cell::new(0),
        date: RefCell::new(clock::http_date()),
        dials: Cell::new(plan.index),
    };
    let worker = Rc::new(Worker {
        core,
        server_tls: plan.server_tls,
        connections_max: plan.connections_max,
        connections: RefCell::default(),
        next_connection: Cell::new(0),
        refusing: Cell::new(0),
        closing: Closing::default(),
    });
    for door in plan.doors {
        let _detached = monoio::spawn(accept(Rc::clone(&worker), door));
    }
    tick(&worker).await;
}

/// Turns every 50 ms until the process has stopped.
async fn tick(worker: &Worker) {
    let core = &worker.core;
    loop {
        let stage = core.shared.lifecycle.stage();
        if stage >= Stage::Draining {
            worker.closing.start();
            for idle in worker.connections.borrow().values() {
                idle.close();
            }
        }
        let now = clock::now();
        core.pool.sweep(now);
        core.date.replace(clock::http_date());
        // So that an old policy is not held by a core without requests.
        drop(core.policy.policy());
        let counters = core.counters();
        counters.pool_idle.set(core.pool.len() as u64);
        counters.buffer_bytes.set(core.blocks.lent() as u64);
        core.shared.lifecycle.beat(core.worker, core.shared.milliseconds(now));
        if stage == Stage::Stopped {
            return;
        }
        monoio::time::sleep(limits::TICK).await;
    }
}

/// Accepts on one listener until the drain closes it. What the kernel has queued by then is still served.
async fn accept(worker: Rc<Worker>, door: Door) {
    let Door { listener, plaintext } = door;
    let last = listener.try_clone();
    let listener = match monoio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "a listener could not be used");
            return;
        }
    };
    let canceller = Canceller::new();
    loop {
        let mut accepting = pin!(listener.cancelable_accept(canceller.handle()));
        let accepted = match worker.closing.unless(accepting.as_mut()).await {
            Some(accepted) => accepted,
            None => {
                // Not dropped: the kernel may have accepted already, and that connection would be lost.
                let _cancelled = canceller.cancel();
                let accepted = accepting.await;
                if let Ok((stream, address)) = accepted {
                    admit(&worker, stream, address, plaintext);
                }
                break;
            }
        };
        match accepted {
            Ok((stream, address)) => admit(&worker, stream, address, plaintext),
            // EMFILE and the like: the table is full, and asking again at once would only spin.
            Err(_) => monoio::time::sleep(limits::ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    while let Ok(Ok((stream, address))) = last.as_ref().map(TcpListener::accept) {
        // The ring waits for a blocking socket by itself and fails on one that is not; epoll needs the opposite.
        if stream.set_nonblocking(monoio::utils::is_legacy()).is_ok()
            && let Ok(stream) = TcpStream::from_std(stream)
        {
            admit(&worker, stream, address, plaintext);
        }
    }
}

/// Starts the task of a connection, or refuses it where the core has as many as it may.
fn admit(worker: &Rc<Worker>, stream: TcpStream, address: SocketAddr, plaintext: bool) {
    let counters = worker.core.counters();
    counters.connections_accepted.increment();
    let stream = Stream::plain(stream, &worker.core.blocks);
    let caller = Caller { address, secure: false, proxied: plaintext };
    if worker.connections.borrow().len() >= worker.connections_max {
        counters.connections_refused.increment();
        if worker.refusing.get() < limits::REFUSING_MAX {
            worker.refusing.set(worker.refusing.get() + 1);
            let worker = Rc::clone(worker);
            let _detached = monoio::spawn(async move {
                if contain(Box::pin(refuse(&worker, stream))).await.is_err() {
                    worker.core.counters().panics.increment();
                }
                worker.refusing.set(worker.refusing.get() - 1);
            });
        }
        return;
    }
    let number = worker.next_connection.get();
    worker.next_connection.set(number + 1);
    let idle = Rc::new(Idle::default());
    worker.connections.borrow_mut().insert(number, Rc::clone(&idle));
    counters.connections_open.increment();
    let worker = Rc::clone(worker);
    let _detached = monoio::spawn(async move {
        let client = Client { stream, deadline: Deadline::new(), idle, now: clock::now() };
        if contain(Box::pin(connection(&worker, client, caller))).await.is_err() {
            worker.core.counters().panics.increment();
        }
        worker.connections.borrow_mut().remove(&number);
        worker.core.counters().connections_open.decrement();
    });
}

/// Serves one connection: TLS if its first byte says so.
async fn connection(worker: &Worker, mut client: Client, mut caller: Caller) {
    let core = &worker.core;
    let timeouts = &core.settings.timeouts;
    let waiting = client.idle.wait(&mut client.stream);
    let first = client.deadline.within(client.now + timeouts.keep_alive, waiting).await;
    if !matches!(first, Ok(Some(Ok(count))) if count > 0) {
        return;
    }
    client.now = clock::now();
    if client.stream.received.as_slice().first() == Some(&TLS_HANDSHAKE) {
        let handshake = Box::pin(client.stream.accept_tls(&worker.server_tls, &core.blocks));
        let result = client.deadline.within(client.now + timeouts.tls, handshake).await;
        client.now = clock::now();
        match result {
            Ok(Ok(())) => core.counters().tls_handshakes.increment(),
            _ => {
                core.counters().tls_handshake_failures.increment();
                client.stream.close();
                return;
            }
        }
        caller.secure = true;
        caller.proxied = true;
    }
    proxy::serve(core, &mut client, &caller).await;
}

/// Tells a connection that is one too many so, if it speaks plain HTTP; a TLS client sees an end before the handshake.
async fn refuse(worker: &Worker, mut stream: Stream) {
    let mut deadline = Deadline::new();
    let until = clock::now() + limits::REFUSE_TIME_MAX;
    let first = deadline.within(until, stream.read()).await;
    let plain = stream.received.as_slice().first().is_some_and(|&byte| byte != TLS_HANDSHAKE);
    if matches!(first, Ok(Ok(_))) && plain {
        let _ = deadline.within(until, proxy::turn_away(&worker.core, &mut stream)).await;
    }
}

/// A panic.
struct Panicked;

/// Runs a connection's future; a panic in it becomes an error, and all that it owned is dropped.
async fn contain<F: Future>(mut future: Pin<Box<F>>) -> Result<F::Output, Panicked> {
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_its_connection_alone() {
        let mut runtime = RuntimeBuilder::<LegacyDriver>::new().enable_timer().build().unwrap();
        runtime.block_on(async {
            let bad = monoio::spawn(contain(Box::pin(async {
                monoio::time::sleep(Duration::from_millis(1)).await;
                panic!("on purpose");
            })));
            let good = monoio::spawn(contain(Box::pin(async {
                monoio::time::sleep(Duration::from_millis(5)).await;
                7
            })));
            let ended: Result<(), Panicked> = bad.await;
            assert!(ended.is_err());
            assert!(matches!(good.await, Ok(7)));
        });
    }

    #[test]
    fn closing_wakes_whoever_waits() {
        let mut runtime = RuntimeBuilder::<LegacyDriver>::new().enable_timer().build().unwrap();
        runtime.block_on(async {
            let closing = Rc::new(Closing::default());
            let waits = Rc::clone(&closing);
            let waiter = monoio::spawn(async move { waits.unless(std::future::pending::<()>()).await });
            monoio::time::sleep(Duration::from_millis(1)).await;
            closing.start();
            assert_eq!(waiter.await, None);
        });
    }
}
