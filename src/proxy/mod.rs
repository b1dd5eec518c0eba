//! One request and its response, top to bottom: the only room where both sides of the gateway meet.
//!
//! ```text
//!  client ─► read_head ─► read_body ─► enforce ─► request::send ─► upstream
//!  client ◄────────────── response::relay ◄────── request::await_head ◄─┘
//! ```
//! Before the first byte of an answer has gone to the client, an error becomes a refusal in the caller's dialect; after that, it
//! cuts the connection so that no client takes the answer for complete.

use std::cell::Cell;
use std::cell::RefCell;
use std::future::Future;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use std::time::Instant;

use rustls::ClientConfig;

use crate::client::h1::Client;
use crate::client::h1::Patience;
use crate::client::h1::Request;
use crate::clock;
use crate::error::Error;
use crate::error::Kind;
use crate::error::Side;
use crate::extract::Api;
use crate::extract::Part;
use crate::http::encode::Changed;
use crate::http::framing::Body;
use crate::http::head::Method;
use crate::http::head::Version;
use crate::limits;
use crate::limits::Timeouts;
use crate::net::buffer::Blocks;
use crate::net::buffer::Buffer;
use crate::net::stream::Stream;
use crate::policy::Policy;
use crate::policy::Scope;
use crate::shared::Shared;
use crate::shared::counters::Counters;
use crate::shared::events;
use crate::shared::events::Sender;
use crate::shared::health;
use crate::shared::lifecycle::Stage;
use crate::shared::snapshot::Reader;
use crate::upstream::pool::Pool;
use crate::upstream::route::Route;

mod enforce;
pub mod inspection;
pub mod refusal;
mod report;
mod request;
mod response;

use inspection::Inspector;
use inspection::vault::Vault;
use refusal::Dialect;
use refusal::Own;
use refusal::Reasoned;
use refusal::Refusal;
use report::Subject;

/// What the exchanges of one core need to know, beside the core itself.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long each wait may last.
    pub timeouts: Timeouts,
    /// Bytes of a request body, decoded. Past it: 413.
    pub body_bytes_max: usize,
    /// Bytes of an answer that is gathered to be inspected, before and after its content coding is taken off. Past it: 403.
    pub answer_bytes_max: usize,
    /// Whether to add `Via` both ways.
    pub via: bool,
    /// Whether to add `Forwarded` upstream.
    pub forwarded: bool,
}

/// One core: everything that its exchanges use, and nobody else touches.
pub struct Core {
    /// How exchanges are run.
    pub settings: Settings,
    /// Where requests go.
    pub route: Route,
    /// TLS towards the upstream, with this core's own session tickets.
    pub tls: Arc<ClientConfig>,
    /// This core's buffers.
    pub blocks: Rc<Blocks>,
    /// This core's idle upstream connections.
    pub pool: Pool,
    /// What the whole process shares.
    pub shared: Arc<Shared>,
    /// This core's handle on the policy.
    pub policy: Reader,
    /// This core's inspection, with its memory.
    pub inspector: RefCell<Inspector>,
    /// The writing end of this core's ring of events.
    pub events: RefCell<Sender>,
    /// What paths are hashed with in events where the policy has no key of its own: random, the same on all cores.
    pub path_key: [u8; 32],
    /// Events made so far.
    pub event_sequence: Cell<u64>,
    /// The number of this worker.
    pub worker: usize,
    /// Random bits that make this core's request ids differ from others'.
    pub seed: u64,
    /// Request ids made so far.
    pub sequence: Cell<u64>,
    /// The time as answers write it; made anew at every tick.
    pub date: RefCell<String>,
    /// Connections to the upstream asked for so far, so that each starts at the next address.
    pub dials: Cell<usize>,
}

impl Core {
    /// This core's block of counters.
    ///
    /// # Panics
    /// Never: a core is made with a block of its own.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.shared.counters[self.worker]
    }

    /// A request id that no other request of this process has, and hardly one of another.
    fn request_id(&self) -> String {
        let sequence = self.sequence.get();
        self.sequence.set(sequence.wrapping_add(1));
        let mut id = String::with_capacity(28);
        id.push_str("pnx-");
        for shift in (0..16).rev() {
            id.push(hexadecimal(self.seed >> (4 * shift)));
        }
        for shift in (0..8).rev() {
            id.push(hexadecimal(sequence >> (4 * shift)));
        }
        id
    }
}

/// The lowest four bits as a digit.
fn hexadecimal(bits: u64) -> char {
    char::from_digit((bits & 15) as u32, 16).unwrap_or('0')
}

/// Who is connected, and how.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The client's address.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub secure: bool,
    /// Whether its requests are proxied; if not, only probes are answered.
    pub proxied: bool,
}

/// How a body begins that makes an exchange panic, with all of the body in the message: for the tests that a fault stays in its
/// connection, and what is told of it.
#[cfg(test)]
pub(crate) const PANIC: &[u8] = b"panic on purpose";

/// What is known of an exchange while it runs.
struct Exchange {
    dialect: Dialect,
    request_id: String,
    /// The request was HEAD: no answer has a body.
    to_head: bool,
    /// The client speaks HTTP/1.1.
    modern: bool,
    /// The client wants to use the connection again.
    keep_alive: bool,
    /// The whole request was read and taken out of what was received, so the connection is in step.
    in_step: bool,
    /// A byte of the answer may have gone to the client.
    answered: bool,
    /// What was done to the request's body.
    changed: Changed,
    /// Placeholders that stand in the request and its answer now.
    redacted: u32,
    /// Why the policy refuses it, if it does.
    reasoned: Option<Reasoned>,
    /// The API of the request's path.
    api: Api,
    /// What is kept of the request for its answer; none where no answer is inspected.
    asked: Option<Asked>,
    /// What of the request is to be put back in its answer; none where nothing is.
    vault: Option<Box<Vault>>,
    /// The status of an answer that was refused and is answered with this status all the same.
    status: Option<u16>,
    /// The exchange must end by then.
    until: Instant,
}

impl Exchange {
    fn new(core: &Core, request: &Request, client: &Client) -> Self {
        let received = client.stream.received.as_slice();
        let head = &request.head;
        let own_id = head.request_id.and_then(|span| std::str::from_utf8(span.of(received)).ok());
        Self {
            dialect: Dialect::of_path(head.path.of(received)),
            request_id: own_id.map_or_else(|| core.request_id(), str::to_owned),
            to_head: head.method == Method::Head,
            modern: head.version == Version::Http11,
            keep_alive: head.keep_alive,
            in_step: false,
            answered: false,
            changed: Changed::default(),
            redacted: 0,
            reasoned: None,
            api: Api::of_path(head.path.of(received)),
            asked: None,
            vault: None,
            status: None,
            until: client.now + core.settings.timeouts.total,
        }
    }

    /// For a request without a head.
    fn unknown(core: &Core, received: &[u8]) -> Self {
        Self {
            dialect: Dialect::of_bytes(received),
            request_id: core.request_id(),
            to_head: received.trim_ascii_start().starts_with(b"HEAD "),
            modern: true,
            keep_alive: false,
            in_step: false,
            answered: false,
            changed: Changed::default(),
            redacted: 0,
            reasoned: None,
            api: Api::Other,
            asked: None,
            vault: None,
            status: None,
            until: clock::now(),
        }
    }
}

/// What the events of an answer say of its request, which is gone by then.
struct Asked {
    method: events::Method,
    path: Box<[u8]>,
}

impl Asked {
    /// What is told of the answer to `asked`.
    fn answer(asked: Option<&Self>) -> Subject<'_> {
        let (method, path) = asked.map_or((events::Method::Other, &[][..]), |asked| (asked.method, &*asked.path));
        Subject { scope: Scope::Response, method, path }
    }
}

impl Exchange {
    /// Keeps what is needed of the request, if the policy looks at answers, or may have something to put back in this one.
    fn keep(&mut self, policy: &Policy, client: &Client, request: &Request) {
        if self.reads(policy) || policy.looks_at(Scope::Response, Part::Headers) || policy.tokenises() {
            let Subject { method, path, .. } = Subject::of(&enforce::message(client, request));
            let path = path.split(|&byte| byte == b'?').next().unwrap_or_default();
            let path = path.get(..limits::PATH_BYTES_KEPT).unwrap_or(path);
            self.asked = Some(Asked { method, path: path.into() });
        }
    }

    /// Lets go of that where nothing was tokenised and nothing else asks for it, so that the answer passes as if no rule did.
    fn forget_unless_read(&mut self, policy: &Policy) {
        if !self.reads(policy) && !policy.looks_at(Scope::Response, Part::Headers) {
            self.asked = None;
        }
    }

    /// Whether the body of the answer is read: for a rule, for the tools that it calls, or for what is to be put back.
    fn reads(&self, policy: &Policy) -> bool {
        let looks = [Part::Body, Part::Tools].map(|part| policy.looks_at(Scope::Response, part));
        looks.contains(&true) || !policy.tools().is_empty() || self.vault.is_some()
    }

    /// What an answer of the gateway's own says beside its body.
    fn own(&self, core: &Core, keep_alive: bool) -> Own {
        let date = core.date.borrow().clone();
        Own { request_id: self.request_id.clone(), date, keep_alive, with_body: !self.to_head }
    }
}

/// Whether a connection is used for another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reuse {
    Keep,
    Close,
}

/// Serves a connection until it ends. `client` has been decided on: it is plain or TLS.
pub async fn serve(core: &Core, client: &mut Client, caller: &Caller) {
    loop {
        if core.shared.lifecycle.stage() >= Stage::Draining && client.stream.received.is_empty() {
            break;
        }
        let (mut exchange, result) = match client.read_head(&core.settings.timeouts).await {
            Ok(None) => break,
            Err(error) => (Exchange::unknown(core, client.stream.received.as_slice()), Err(error)),
            Ok(Some(request)) => {
                core.counters().requests.increment();
                let _in_flight = InFlight::new(core.counters());
                let mut exchange = Exchange::new(core, &request, client);
                let result = self::exchange(core, client, caller, request, &mut exchange).await;
                (exchange, result)
            }
        };
        count_traffic(core, client);
        let reuse = match result {
            Ok(reuse) => reuse,
            Err(error) => fail(core, client, &mut exchange, error).await,
        };
        if reuse == Reuse::Close {
            // Bytes that nobody reads would turn the end into a reset, and it may overtake what was written last.
            linger(client).await;
            break;
        }
    }
    let _ = client.deadline.within(clock::now() + limits::CLOSE_TIME_MAX, client.stream.finish()).await;
    count_traffic(core, client);
}

/// Ends our side, and drops what the client still sends until it ends its own (RFC 9112 section 9.6).
async fn linger(client: &mut Client) {
    let lingering = async {
        client.stream.finish().await;
        client.stream.drain().await;
    };
    let _ = client.deadline.within(clock::now() + limits::LINGER_TIME_MAX, lingering).await;
}

/// Counts an exchange as running until it is dropped, by a panic too.
struct InFlight<'a>(&'a Counters);

impl<'a> InFlight<'a> {
    fn new(counters: &'a Counters) -> Self {
        counters.requests_in_flight.increment();
        Self(counters)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.requests_in_flight.decrement();
    }
}

fn count_traffic(core: &Core, client: &mut Client) {
    let (bytes_in, bytes_out) = client.stream.take_traffic();
    core.counters().client_bytes_in.add(bytes_in);
    core.counters().client_bytes_out.add(bytes_out);
}

/// One request and its response. The order of the lines is the order of events.
async fn exchange(
    core: &Core,
    client: &mut Client,
    caller: &Caller,
    mut request: Request,
    exchange: &mut Exchange,
) -> Result<Reuse, Error> {
    if let Some(answer) = probe(core, client, &request) {
        return answer_probe(core, client, request, exchange, answer).await;
    }
    if !caller.proxied {
        return Err(Error::client(Kind::Plaintext));
    }
    request::check_path(core, client, &request)?;
    if !core.shared.policy.in_force() {
        return Err(Error { side: Side::Gateway, kind: Kind::NoPolicy });
    }
    let policy = core.policy.policy();
    exchange.keep(&policy, client, &request);
    if let Err(error) = receive(core, client, &mut request, exchange).await {
        let message = enforce::message(client, &request);
        let subject = Subject::of(&message);
        report::refused(core, &policy, &subject, &mut exchange.reasoned, error);
        return Err(error);
    }
    if let Err(error) = enforce::enforce(core, client, &mut request, exchange, &policy) {
        let message = enforce::message(client, &request);
        report::refused(core, &policy, &Subject::of(&message), &mut exchange.reasoned, error);
        exchange.dialect = exchange.dialect.of_body(message.body);
        // It was read to its end, so the connection may go on.
        client.stream.received.consume(request.received_body().end);
        exchange.in_step = true;
        return Err(error);
    }
    exchange.forget_unless_read(&policy);
    if exchange.asked.is_some() && exchange.api == Api::Other {
        // The id of a JSON-RPC request is in the answer to it, whoever answers.
        exchange.dialect = exchange.dialect.of_body(enforce::message(client, &request).body);
    }
    let (mut upstream, spent) = request::send(core, client, caller, request, exchange).await?;
    let sent = client.now;
    let response = request::await_head(core, client, &mut upstream, exchange, &policy).await?;
    core.counters().of_api(exchange.api).first_byte.observe(clock::now().saturating_duration_since(sent));
    response::relay(core, client, upstream, response, exchange, &policy, spent).await
}

/// Reads the whole body, after `100 Continue` if the client waits for it (RFC 9110 section 10.1.1).
async fn receive(core: &Core, client: &mut Client, request: &mut Request, exchange: &Exchange) -> Result<(), Error> {
    let settings = &core.settings;
    if let Body::Length(length) = request.head.body
        && length > settings.body_bytes_max as u64
    {
        return Err(Error::client(Kind::BodyTooLarge));
    }
    let waits = request.head.expects_continue && client.stream.received.len() == request.head_length;
    if waits && request.head.body != Body::Empty {
        let mut out = Buffer::new(&core.blocks);
        out.extend(b"HTTP/1.1 100 Continue\r\n\r\n").map_err(|_| Error::client(Kind::Memory))?;
        write_client(client, &mut out, settings.timeouts.body).await?;
    }
    let patience = Patience { between_reads: settings.timeouts.body, until: exchange.until };
    client.read_body(request, settings.body_bytes_max, &patience, &core.blocks).await
}

fn probe(core: &Core, client: &Client, request: &Request) -> Option<(u16, &'static str)> {
    if !matches!(request.head.method, Method::Get | Method::Head) {
        return None;
    }
    let target = std::str::from_utf8(request.head.path.of(client.stream.received.as_slice())).ok()?;
    health::answer(target, &core.shared, core.shared.milliseconds(client.now))
}

async fn answer_probe(
    core: &Core,
    client: &mut Client,
    mut request: Request,
    exchange: &mut Exchange,
    (status, body): (u16, &'static str),
) -> Result<Reuse, Error> {
    receive(core, client, &mut request, exchange).await?;
    client.stream.received.consume(request.received_body().end);
    exchange.in_step = true;
    let mut out = Buffer::new(&core.blocks);
    out.reserve(limits::BLOCK_BYTES).map_err(|_| Error::client(Kind::Memory))?;
    let own = exchange.own(core, exchange.keep_alive);
    refusal::write_probe(status, body, &own, out.end());
    exchange.answered = true;
    core.counters().count_response(status);
    write_client(client, &mut out, core.settings.timeouts.idle).await?;
    Ok(if exchange.keep_alive { Reuse::Keep } else { Reuse::Close })
}

/// Writes all of `out`; a client that does not take it within `patience` is given up.
async fn write_client(client: &mut Client, out: &mut Buffer, patience: Duration) -> Result<(), Error> {
    // The last event may be long ago: what is written now may be the end of a long wait for the upstream.
    let until = clock::now() + patience;
    let result = client.deadline.within(until, client.stream.write_out(out)).await;
    client.now = clock::now();
    match result {
        Ok(result) => result.map_err(Error::client),
        Err(_) => Err(Error::client(Kind::Closed)),
    }
}

/// Waits for `future` unless the client goes away first.
async fn unless_gone<F: Future>(client: &mut Stream, future: F) -> Result<F::Output, Error> {
    let mut future = pin!(future);
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        client.poll_gone(context).map(|()| Err(Error::client(Kind::Closed)))
    })
    .await
}

/// An exchange that did not end as it should: refuses it if nothing was answered yet, cuts the connection otherwise.
async fn fail(core: &Core, client: &mut Client, exchange: &mut Exchange, error: Error) -> Reuse {
    let counters = core.counters();
    if error == Error::client(Kind::Closed) || error == Error::client(Kind::Truncated) {
        counters.client_vanished.increment();
    }
    if exchange.answered {
        if error.side != Side::Client {
            counters.upstream_cut.increment();
        }
        client.stream.cut();
        return Reuse::Close;
    }
    let Some(refusal) = Refusal::of(error) else { return Reuse::Close };
    let refusal = Refusal { status: exchange.status.unwrap_or(refusal.status), ..refusal };
    counters.count_refusal(refusal.reason);
    counters.count_response(refusal.status);
    let draining = core.shared.lifecycle.stage() >= Stage::Draining;
    let mut out = Buffer::new(&core.blocks);
    let mut keep_alive = exchange.in_step && exchange.keep_alive && !draining;
    if out.reserve(limits::BLOCK_BYTES).is_err() {
        // The budget is spent to the last block: what this client sent is let go, and so its connection cannot go on.
        client.stream.received.clear();
        keep_alive = false;
        if out.reserve(limits::BLOCK_BYTES).is_err() {
            return Reuse::Close;
        }
    }
    refusal.write(exchange.dialect, exchange.reasoned.as_ref(), &exchange.own(core, keep_alive), out.end());
    if write_client(client, &mut out, limits::LINGER_TIME_MAX).await.is_err() {
        return Reuse::Close;
    }
    if keep_alive { Reuse::Keep } else { Reuse::Close }
}

/// Answers a plain connection that is one too many, whatever it asks for, and ends it.
pub async fn turn_away(core: &Core, stream: &mut Stream) {
    let Some(refusal) = Refusal::of(Error { side: Side::Gateway, kind: Kind::Memory }) else { return };
    core.counters().count_refusal(refusal.reason);
    core.counters().count_response(refusal.status);
    let exchange = Exchange::unknown(core, stream.received.as_slice());
    stream.received.clear();
    let mut out = Buffer::new(&core.blocks);
    if out.reserve(limits::BLOCK_BYTES).is_err() {
        return;
    }
    refusal.write(exchange.dialect, None, &exchange.own(core, false), out.end());
    if stream.write_out(&mut out).await.is_ok() {
        stream.close();
        stream.drain().await;
    }
}
