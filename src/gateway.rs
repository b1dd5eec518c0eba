//! A whole gateway: configuration in, running threads out. What `main`, the demo and whole-gateway tests start.
//!
//! It binds and loads everything before the first thread runs, so that what can be wrong with the machine or the files is said at
//! the start, at once and in one place. It holds no request.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use rustls::RootCertStore;
use rustls::pki_types::ServerName;

use crate::admin::Admin;
use crate::clock;
use crate::config::Config;
use crate::config::Events;
use crate::config::Plaintext;
use crate::config::TlsSource;
use crate::control;
use crate::control::Control;
use crate::control::fetch::Fetch;
use crate::control::fetch::PolicyError;
use crate::control::fetch::Source;
use crate::control::report::Output;
use crate::control::report::Report;
use crate::cpu;
use crate::memory;
use crate::net::certificate::CertificateError;
use crate::net::certificate::CertificateSource;
use crate::net::certificate::Certificates;
use crate::net::descriptors;
use crate::net::listen;
use crate::net::trust;
use crate::net::trust::TrustError;
use crate::proxy::Settings;
use crate::shared::Shared;
use crate::shared::events;
use crate::shared::events::Receiver;
use crate::shared::events::Sender;
use crate::shared::lifecycle::Stage;
use crate::upstream::route::Route;
use crate::worker;
use crate::worker::Door;
use crate::worker::Plan;

/// Why a gateway did not start.
#[derive(Debug)]
pub enum StartError {
    /// The certificate cannot be used.
    Certificate(CertificateError),
    /// A bundle of authorities cannot be used.
    Trust(TrustError),
    /// An address cannot be listened on.
    Listen(SocketAddr, io::Error),
    /// The upstream's host is no name that TLS can ask for.
    UpstreamName,
    /// A worker could not be started; with `--io=uring`, for want of a ring.
    Workers(io::Error),
    /// The policy cannot be had.
    Policy(PolicyError),
    /// The file for events cannot be opened.
    Events(PathBuf, io::Error),
    /// Threads, signals or random numbers.
    System(&'static str, io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(error) => error.fmt(f),
            Self::Trust(error) => error.fmt(f),
            Self::Listen(address, error) => write!(f, "cannot listen on {address}: {error}"),
            Self::UpstreamName => f.write_str("the upstream's host is no valid DNS name or address"),
            Self::Workers(error) => {
                write!(f, "cannot start the workers' io_uring or threads: {error} ({})", worker::explain_no_ring(error))
            }
            Self::Policy(error) => write!(f, "the policy cannot be used: {error}"),
            Self::Events(path, error) => write!(f, "cannot write events to {}: {error}", path.display()),
            Self::System(what, error) => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

/// A running gateway.
pub struct Gateway {
    /// Where it listens, in the order of the configuration, with the ports that were chosen.
    pub addresses: Vec<SocketAddr>,
    /// Where the admin listener is, if there is one.
    pub admin: Option<SocketAddr>,
    control: Control,
    workers: Vec<JoinHandle<()>>,
    _admin: Option<Admin>,
    /// Last, so that what the workers have told until their end is written.
    _report: Report,
}

impl Gateway {
    /// Starts a gateway. With `signals` it takes over SIGTERM, SIGINT and SIGHUP of this process.
    ///
    /// # Errors
    /// Whatever stands in the way, before a request is accepted.
    pub fn start(config: &Config, signals: bool) -> Result<Self, StartError> {
        raise_descriptors();
        let workers = cpu::workers(config.workers);
        let mut policies = Source::new(config).map_err(StartError::Policy)?;
        let policy = policies.load(None).map_err(StartError::Policy)?;
        let shared = Arc::new(Shared::new(workers, clock::now(), clock::unix(), Arc::new(policy)));
        let certificates = Arc::new(Certificates::load(source(config)).map_err(StartError::Certificate)?);
        if certificates.self_signed() {
            let sha256 = certificates.fingerprint();
            tracing::warn!(sha256, "no certificate given: serving a self-signed one that no client trusts");
        }
        let (mut senders, receivers): (Vec<_>, Vec<_>) = (0..=workers).map(|_| events::ring()).unzip();
        let report = report(config, receivers, &shared)?;
        let system = |error| StartError::System("cannot start the control threads", error);
        // The last ring is the policy thread's own.
        let own = senders.pop().unwrap_or_else(|| events::ring().0);
        let fetch = Fetch::start(policies, Arc::clone(&shared), own).map_err(system)?;
        let control = Control::start(&shared, Arc::clone(&certificates), fetch, &control_settings(config, signals));
        let control = control.map_err(system)?;
        let (addresses, doors) = bind(config, workers)?;
        let plans = plan(config, &shared, &certificates, doors.into_iter().zip(senders).collect())?;
        let (decision, threads) = worker::start(plans, config.io).map_err(StartError::Workers)?;
        shared.decide_driver(decision.driver);
        match &decision.cause {
            None => tracing::info!(driver = decision.driver, workers, "workers started"),
            Some(error) => {
                let cause = worker::explain_no_ring(error);
                tracing::warn!(driver = decision.driver, workers, %error, cause, "no io_uring here: workers use epoll");
            }
        }
        let admin = config.admin.map(|address| {
            let started = Admin::start(address, Arc::clone(&shared), Arc::clone(&certificates));
            started.map_err(|error| StartError::Listen(address, error))
        });
        let admin = admin.transpose()?;
        shared.lifecycle.advance(Stage::Serving);
        for address in &addresses {
            tracing::info!(%address, upstream = config.upstream.authority, "listening");
        }
        let admin_address = admin.as_ref().map(Admin::address);
        if let Some(address) = admin_address {
            tracing::info!(%address, "admin listening");
        }
        Ok(Self { addresses, admin: admin_address, control, workers: threads, _admin: admin, _report: report })
    }

    /// Ends it as SIGINT would: no new connections at once, streams may finish.
    pub fn stop(&self) {
        self.control.ask(control::Ask::StopSoon);
    }

    /// Waits for the end and gives the exit code.
    #[must_use]
    pub fn wait(mut self) -> i32 {
        let code = self.control.wait();
        if code == 0 {
            for worker in self.workers {
                if worker.join().is_err() {
                    tracing::error!("a worker failed");
                    return 1;
                }
            }
        }
        code
    }
}

fn raise_descriptors() {
    match descriptors::raise() {
        Ok(raised) => tracing::debug!(before = raised.before, after = raised.after, "open files"),
        Err(error) => tracing::warn!(%error, "the bound on open files could not be raised"),
    }
}

fn source(config: &Config) -> CertificateSource {
    match &config.tls {
        TlsSource::SelfSigned => CertificateSource::SelfSigned { names: config.tls_san.clone() },
        TlsSource::Pair { certificate, key } => {
            CertificateSource::Pair { certificate: certificate.clone(), key: key.clone() }
        }
        TlsSource::Directory(path) => CertificateSource::Directory(path.clone()),
    }
}

fn control_settings(config: &Config, signals: bool) -> control::Settings {
    control::Settings {
        upstream_host: config.upstream.host.clone(),
        upstream_port: config.upstream.port,
        drain_delay: config.timeouts.drain_delay,
        drain_timeout: config.timeouts.drain,
        signals,
    }
}

/// The sockets of all workers, by worker.
fn bind(config: &Config, workers: usize) -> Result<(Vec<SocketAddr>, Vec<Vec<Door>>), StartError> {
    let mut addresses = Vec::new();
    let mut doors: Vec<Vec<Door>> = (0..workers).map(|_| Vec::new()).collect();
    for &address in &config.listen {
        let fail = |error| StartError::Listen(address, error);
        let listeners = listen::bind(address, workers).map_err(fail)?;
        let plaintext = match config.plaintext {
            Plaintext::Loopback => address.ip().is_loopback(),
            Plaintext::Allow => true,
            Plaintext::Deny => false,
        };
        if let Some(first) = listeners.first() {
            addresses.push(first.local_addr().map_err(fail)?);
        }
        for (listener, doors) in listeners.into_iter().zip(&mut doors) {
            doors.push(Door { listener, plaintext });
        }
    }
    Ok((addresses, doors))
}

fn plan(
    config: &Config,
    shared: &Arc<Shared>,
    certificates: &Arc<Certificates>,
    ends: Vec<(Vec<Door>, Sender)>,
) -> Result<Vec<Plan>, StartError> {
    let workers = ends.len();
    let server_name = config.upstream.tls.then(|| ServerName::try_from(config.upstream.server_name().to_owned()));
    let route = Route {
        authority: config.upstream.authority.clone(),
        prefix: config.upstream.prefix.clone(),
        server_name: server_name.transpose().map_err(|_| StartError::UpstreamName)?,
    };
    let server_tls =
        trust::server_config(Arc::clone(certificates), config.tls_client_ca.as_deref()).map_err(StartError::Trust)?;
    let roots = if config.upstream.tls {
        trust::upstream_roots(config.upstream_ca.as_deref()).map_err(StartError::Trust)?
    } else {
        Arc::new(RootCertStore::empty())
    };
    let (cpus, reason) = cpu::assign(config.pin, workers);
    tracing::debug!(?cpus, reason, "pinning");
    let (memory_bytes_max, connections_max) = budgets(config);
    let settings = Settings {
        timeouts: config.timeouts,
        body_bytes_max: body_bytes_max(config.body_bytes_max, memory_bytes_max / workers),
        answer_bytes_max: answer_bytes_max(config.answer_bytes_max, memory_bytes_max / workers),
        via: config.via,
        forwarded: config.forwarded,
    };
    let mut plans = Vec::new();
    let path_key = random()?;
    for (index, ((doors, events), cpu)) in ends.into_iter().zip(cpus).enumerate() {
        plans.push(Plan {
            index,
            cpu,
            doors,
            settings,
            route: route.clone(),
            // A copy of its own: the count of a shared one would travel between cores with every handshake.
            server_tls: Arc::new(server_tls.as_ref().clone()),
            client_tls: trust::client_config(&roots).map_err(StartError::Trust)?,
            shared: Arc::clone(shared),
            connections_max: connections_max.div_ceil(workers),
            memory_bytes_max: memory_bytes_max / workers,
            pool_connections_max: config.pool_connections_max,
            seed: u64::from_ne_bytes(random()?),
            events,
            path_key,
        });
    }
    Ok(plans)
}

fn random<const N: usize>() -> Result<[u8; N], StartError> {
    let mut bytes = [0; N];
    let filled = aws_lc_rs::rand::fill(&mut bytes);
    filled.map_err(|_| StartError::System("no random numbers", io::ErrorKind::Unsupported.into()))?;
    Ok(bytes)
}

fn report(config: &Config, rings: Vec<Receiver>, shared: &Arc<Shared>) -> Result<Report, StartError> {
    let output = match &config.events {
        Events::None => Output::None,
        Events::Stdout => Output::Stdout,
        Events::File(path) => Output::file(path).map_err(|error| StartError::Events(path.clone(), error))?,
    };
    let started = Report::start(rings, output, Arc::clone(shared));
    started.map_err(|error| StartError::System("cannot start the events thread", error))
}

/// Bytes of buffers and connections, for the whole process: as configured, or from the memory that the process may have.
fn budgets(config: &Config) -> (usize, usize) {
    let limit = memory::limit();
    let bytes = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let memory = config.memory_bytes_max.unwrap_or_else(|| bytes(memory::body_memory_default(limit, memory::total())));
    let open_files = descriptors::raise().map_or(1024, |raised| raised.after);
    let connections = config.connections_max.unwrap_or_else(|| bytes(memory::connections_default(limit, open_files)));
    tracing::debug!(memory, connections, ?limit, "budgets");
    (memory, connections)
}

/// A body must fit the memory of one core with room for others, or it would be told to try again for ever: past this it is 413.
fn body_bytes_max(configured: usize, core_memory: usize) -> usize {
    let fits = core_memory / 2;
    if configured > fits {
        tracing::warn!(configured, fits, "body-max is more than a core's memory for bodies holds: lowered");
    }
    configured.min(fits)
}

/// The same for an answer: one that never fits would be called for again and again. No warning, since the default is for large machines.
fn answer_bytes_max(configured: usize, core_memory: usize) -> usize {
    let fits = core_memory / 2;
    if configured > fits {
        tracing::debug!(configured, fits, "answer-max is more than a core's memory for bodies holds: lowered");
    }
    configured.min(fits)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::io::Write;
    use std::net::TcpStream;
    use std::time::Duration;

    use super::*;
    use crate::config::Io;
    use crate::config::LogFormat;
    use crate::config::LogLevel;
    use crate::config::Upstream;
    use crate::demo::server::MockLlm;
    use crate::demo::server::Options;
    use crate::hardening;
    use crate::log;
    use crate::proxy;

    fn post(client: &mut TcpStream, body: &[u8]) {
        let head = format!("POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len());
        client.write_all(&[head.as_bytes(), body].concat()).unwrap();
    }

    fn answer(client: &mut TcpStream) -> String {
        let mut buffer = [0; 4096];
        let count = client.read(&mut buffer).unwrap_or(0);
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    }

    /// The metrics page, once it holds the line: an answer, or its end, is with the client before it is counted.
    fn metrics_with(address: SocketAddr, line: &str) -> String {
        let mut page = String::new();
        for _ in 0..100 {
            let mut admin = TcpStream::connect(address).unwrap();
            admin.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            admin.write_all(b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
            page.clear();
            admin.read_to_string(&mut page).unwrap();
            if page.contains(line) {
                break;
            }
        }
        page
    }

    fn panic_ends_one_connection(io: Io) {
        let any_port = "127.0.0.1:0".parse().unwrap();
        let model = MockLlm::start(any_port, Options::default()).unwrap();
        let mut config = Config::for_upstream(Upstream::parse(&format!("http://{}", model.address)).unwrap());
        config.listen = vec![any_port];
        config.admin = Some(any_port);
        config.workers = Some(1);
        config.io = io;
        let gateway = Gateway::start(&config, false).unwrap();
        let connect = |address: SocketAddr| {
            let client = TcpStream::connect(address).unwrap();
            client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            client
        };
        let (mut good, mut bad) = (connect(gateway.addresses[0]), connect(gateway.addresses[0]));
        let chat = br#"{"model":"mock","messages":[{"role":"user","content":"hello"}]}"#;
        post(&mut good, chat);
        assert!(answer(&mut good).starts_with("HTTP/1.1 200 "));
        post(&mut bad, proxy::PANIC);
        assert_eq!(answer(&mut bad), "", "the connection of the panic ends without an answer");
        post(&mut good, chat);
        assert!(answer(&mut good).starts_with("HTTP/1.1 200 "), "the worker and its other connection live");
        let metrics = metrics_with(gateway.admin.unwrap(), "pnx_requests_in_flight 0\n");
        assert!(metrics.contains("pnx_panics_total 1\n"), "{metrics}");
        assert!(metrics.contains("pnx_requests_in_flight 0\n"), "{metrics}");
        drop((good, bad));
        gateway.stop();
        assert_eq!(gateway.wait(), 0);
    }

    /// Plays the program, logger, hook and all, with what panics in it: an exchange on each driver, and a thread.
    fn panic_as_the_program(canary: &str) {
        hardening::start();
        log::start(LogLevel::Debug, LogFormat::Json);
        for io in [Io::Auto, Io::Epoll] {
            let any_port = "127.0.0.1:0".parse().unwrap();
            let model = MockLlm::start(any_port, Options::default()).unwrap();
            let mut config = Config::for_upstream(Upstream::parse(&format!("http://{}", model.address)).unwrap());
            config.listen = vec![any_port];
            config.admin = Some(any_port);
            config.io = io;
            let gateway = Gateway::start(&config, false).unwrap();
            let body = [proxy::PANIC, canary.as_bytes()].concat();
            let head =
                format!("POST /{canary}?{canary} HTTP/1.1\r\nhost: {canary}\r\nauthorization: Bearer {canary}\r\n");
            let length = format!("content-length: {}\r\n\r\n", body.len());
            let mut client = TcpStream::connect(gateway.addresses[0]).unwrap();
            client.write_all(&[head.as_bytes(), length.as_bytes(), &body].concat()).unwrap();
            assert_eq!(answer(&mut client), "");
            let page = metrics_with(gateway.admin.unwrap(), "pnx_panics_total 1\n");
            io::stderr().write_all(page.as_bytes()).unwrap();
            gateway.stop();
            assert_eq!(gateway.wait(), 0);
        }
        let text = canary.to_owned();
        assert!(std::thread::spawn(move || panic!("of {text}")).join().is_err());
    }

    #[test]
    fn a_panic_tells_its_place_and_nothing_of_the_request() {
        const CANARY: &str = "QXCANARY7ZVTWLKM";
        const PLAYS: &str = "PNX_TEST_PLAYS_THE_PROGRAM";
        if std::env::var_os(PLAYS).is_some() {
            return panic_as_the_program(CANARY);
        }
        let name = "gateway::tests::a_panic_tells_its_place_and_nothing_of_the_request";
        // In a process of its own, since a panic hook and a logger are the whole process's.
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .envs([(PLAYS, "1"), ("RUST_BACKTRACE", "full")])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{told}");
        let panics: Vec<&str> =
            told.lines().filter(|line| line.contains("a connection or a thread has ended")).collect();
        assert_eq!(panics.len(), 3, "{told}");
        for (line, file) in panics.iter().zip(["enforce.rs", "enforce.rs", "gateway.rs"]) {
            assert!(line.contains(file) && line.contains("\"line\":"), "{line}");
        }
        assert_eq!(told.matches("pnx_panics_total 1\n").count(), 2, "{told}");
        let list = |bytes: &[u8]| bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        let lower = told.to_lowercase();
        for trace in [&CANARY.to_lowercase()[..8], &list(&CANARY.as_bytes()[..8]), "on purpose"] {
            assert!(!lower.contains(trace), "{told}");
        }
    }

    #[test]
    fn a_panic_in_an_exchange_ends_its_connection_alone() {
        panic_ends_one_connection(Io::Auto);
        panic_ends_one_connection(Io::Epoll);
    }
}
