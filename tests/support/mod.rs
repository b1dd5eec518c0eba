//! The harness of the whole-gateway tests: the built binary between a raw client and a scripted upstream.
//!
//! It knows the gateway by its command line, its sockets, its log lines and its exit code, and by nothing else: no
//! module of the library is used here. Every gateway that it starts is ended by it, by pid, whatever the test does.

pub mod certificates;
pub mod model;
pub mod streams;
pub mod strict;
pub mod upstream;
pub mod wire;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustls::ClientConfig;
use serde_json::Value;

use certificates::shared;
use strict::Request;
use upstream::{After, Exchange, Upstream};
use wire::{Client, PATIENCE, Wire};

/// The built binary.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_penaxtra-gateway");

/// Runs the program to its end: exit code, then what it said on both outputs.
pub fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(PROGRAM).args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

/// One way to run a story.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// `uring` or `epoll`.
    pub driver: &'static str,
    /// Both legs.
    pub tls: bool,
}

pub const ALL: &[Setup] = &[
    Setup { driver: "uring", tls: false },
    Setup { driver: "uring", tls: true },
    Setup { driver: "epoll", tls: false },
    Setup { driver: "epoll", tls: true },
];

pub const PLAIN: &[Setup] = &[ALL[0], ALL[2]];
pub const TLS: &[Setup] = &[ALL[1], ALL[3]];

/// Tells the same story in each setup, side by side, and says which of them failed.
pub fn each(setups: &[Setup], story: impl Fn(Setup) + Sync) {
    let failed: Vec<String> = thread::scope(|scope| {
        let started: Vec<_> = setups.iter().map(|setup| (setup, scope.spawn(|| story(*setup)))).collect();
        let result = |(setup, thread): (&Setup, thread::ScopedJoinHandle<'_, ()>)| {
            let panic = thread.join().err()?;
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Some(format!("{setup:?}: {}", text.unwrap_or_default()))
        };
        started.into_iter().filter_map(result).collect()
    });
    assert!(failed.is_empty(), "{} of {} setups failed:\n{}", failed.len(), setups.len(), failed.join("\n"));
}

impl Setup {
    pub fn upstream(self, script: impl Fn(&Request, &mut Exchange<'_>) -> After + Send + Sync + 'static) -> Upstream {
        Upstream::start(self.tls.then(|| certificates::server(&shared().leaf)), script)
    }

    /// An upstream that answers every request with its own request line.
    pub fn echo(self) -> Upstream {
        self.upstream(|request, exchange| exchange.ok(format!("{} {}", request.method, request.target).as_bytes()))
    }

    pub fn gateway(self, upstream: &Upstream, flags: &[&str]) -> Gateway {
        self.gateway_to(&upstream.url(), flags)
    }

    pub fn gateway_to(self, upstream: &str, flags: &[&str]) -> Gateway {
        let all = self.flags_to(upstream, flags);
        Gateway::start(self, &all).unwrap_or_else(|(status, log)| panic!("no start ({status:?}):\n{log}"))
    }

    /// All flags of a gateway to the upstream, with what the setup needs.
    pub fn flags_to(self, upstream: &str, flags: &[&str]) -> Vec<String> {
        let mut all = vec![format!("--upstream={upstream}")];
        if self.tls {
            let files = shared();
            all.push(format!("--upstream-ca={}", files.authority_file.display()));
            let own = flags.iter().any(|flag| flag.starts_with("--tls-cert") || flag.starts_with("--tls-dir"));
            if !own {
                all.push(format!("--tls-cert={}", files.certificate_file.display()));
                all.push(format!("--tls-key={}", files.key_file.display()));
            }
        }
        all.extend(flags.iter().map(|flag| (*flag).to_owned()));
        all
    }
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    changed: Condvar,
}

pub struct Gateway {
    child: Child,
    setup: Setup,
    pub address: SocketAddr,
    log: Arc<Log>,
    reader: Option<thread::JoinHandle<()>>,
    ended: Option<ExitStatus>,
}

impl Gateway {
    /// The exit status and the log where it did not come to listen.
    pub fn start(setup: Setup, flags: &[String]) -> Result<Self, (Option<ExitStatus>, String)> {
        Self::launch(setup, Command::new(PROGRAM), flags)
    }

    /// As [`Gateway::start`] where the command is the program, or something that becomes it, like `prlimit`.
    pub fn launch(setup: Setup, mut command: Command, flags: &[String]) -> Result<Self, (Option<ExitStatus>, String)> {
        let driver = format!("--io={}", setup.driver);
        for default in ["--listen=127.0.0.1:0", "--workers=1", "--drain-delay=0ms", &driver] {
            let name = default.split_inclusive('=').next().unwrap();
            if !flags.iter().any(|flag| flag.starts_with(name)) {
                command.arg(default);
            }
        }
        let mut child = command
            .args(flags)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Log::default());
        let (stderr, into) = (child.stderr.take().unwrap(), Arc::clone(&log));
        let reader = thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                into.lines.lock().unwrap().push(String::from_utf8_lossy(&line).into_owned());
                into.changed.notify_all();
            }
        });
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut gateway = Self { child, setup, address, log, reader: Some(reader), ended: None };
        match gateway.address_in("listening") {
            Some(address) => gateway.address = address,
            None => {
                let status = gateway.wait(Duration::from_millis(100));
                if status.is_none() {
                    gateway.kill();
                }
                return Err((status, gateway.log()));
            }
        }
        Ok(gateway)
    }

    /// The address in the line with the message, once it is there; `None` where the process ended first.
    fn address_in(&mut self, message: &str) -> Option<SocketAddr> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let ended = self.wait(Duration::ZERO).is_some();
            let lines = self.log.lines.lock().unwrap();
            let found = lines.iter().find_map(|line| address(line, message));
            if found.is_some() || ended {
                return found;
            }
            drop(self.log.changed.wait_timeout(lines, Duration::from_millis(20)).unwrap());
        }
        None
    }

    /// The addresses that it said it listens on.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let lines = self.log.lines.lock().unwrap();
        lines.iter().filter_map(|line| address(line, "listening")).collect()
    }

    /// The address of the admin listener, which the flags must have asked for.
    pub fn admin(&mut self) -> SocketAddr {
        self.address_in("admin listening").unwrap_or_else(|| panic!("no admin listener:\n{}", self.log()))
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// A connection as the setup says.
    pub fn client(&self) -> Client {
        if self.setup.tls { self.tls_client(shared().authority.client(None)) } else { self.plain_client() }
    }

    pub fn plain_client(&self) -> Client {
        Client::new(Wire::connect(self.address, None))
    }

    pub fn tls_client(&self, config: Arc<ClientConfig>) -> Client {
        Client::new(Wire::connect(self.address, Some(config)))
    }

    pub fn log(&self) -> String {
        self.log.lines.lock().unwrap().join("\n")
    }

    /// Waits until the log holds the text.
    pub fn says(&self, text: &str) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.log.lines.lock().unwrap();
        while !lines.iter().any(|line| line.contains(text)) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            lines = self.log.changed.wait_timeout(lines, left).unwrap().0;
        }
        true
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// The exit status once there is one.
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + patience;
        while self.ended.is_none() {
            self.ended = self.child.try_wait().unwrap();
            if self.ended.is_none() {
                if Instant::now() >= deadline {
                    return None;
                }
                thread::sleep(Duration::from_millis(5));
            }
        }
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.ended
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        self.wait(PATIENCE);
    }

    /// SIGTERM, and the end of every story: exit code 0, and a log without panics.
    pub fn finish(mut self) -> String {
        if self.wait(Duration::ZERO).is_none() {
            self.signal(Signal::TERM);
        }
        let status = self.wait(PATIENCE);
        let log = self.log();
        assert!(status.is_some_and(|status| status.success()), "exit on SIGTERM: {status:?}\n{log}");
        assert!(!log.contains("panick"), "the gateway panicked:\n{log}");
        log
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.kill();
        }
        if thread::panicking() {
            let log = self.log();
            let from = log.char_indices().rev().nth(4000).map_or(0, |(index, _)| index);
            eprintln!("--- gateway {:?}, {:?}\n{}", self.setup, self.ended, &log[from..]);
        }
    }
}

fn address(line: &str, message: &str) -> Option<SocketAddr> {
    let value: Value = serde_json::from_str(line).ok()?;
    let fields = value.get("fields").unwrap_or(&value);
    if fields.get("message")?.as_str()? != message {
        return None;
    }
    fields.get("address")?.as_str()?.parse().ok()
}
