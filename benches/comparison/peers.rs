//! What is compared: no proxy, the gateway on each of its drivers, HAProxy. Each is started anew for a measurement, one thread
//! on one CPU, with the same certificates. It measures nothing itself.

use std::fs;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use super::ground::Ground;
use super::processes;
use super::processes::Process;
use super::upstream::Kind;

/// How long a peer may take to listen, and how often that is tried.
const START_TIME_MAX: Duration = Duration::from_secs(5);
const START_TRY: Duration = Duration::from_millis(20);

/// HAProxy's configuration before its words are filled in.
const HAPROXY: &str = include_str!("haproxy.cfg");

/// What the requests go through.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Peer {
    /// Nothing: straight to the upstream.
    Direct,
    /// The gateway on io_uring.
    Uring,
    /// The gateway on epoll.
    Epoll,
    /// HAProxy, as installed.
    Haproxy,
}

impl Peer {
    /// The peer, for the record.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Uring | Self::Epoll => "gateway",
            Self::Haproxy => "haproxy",
        }
    }

    /// Its I/O driver, for the record; empty where there is no proxy.
    pub(crate) fn driver(self) -> &'static str {
        match self {
            Self::Direct => "",
            Self::Uring => "uring",
            Self::Epoll | Self::Haproxy => "epoll",
        }
    }
}

/// A peer that answers.
pub(crate) struct Running {
    pub(crate) peer: Peer,
    /// Where clients connect.
    pub(crate) address: SocketAddr,
    process: Option<Process>,
}

impl Running {
    /// The proxy's process.
    pub(crate) fn id(&self) -> io::Result<u32> {
        self.process.as_ref().map(Process::id).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Starts `peer` before the upstream of that kind, TLS on both legs or on none.
    pub(crate) fn start(ground: &Ground, peer: Peer, kind: Kind, tls: bool) -> io::Result<Self> {
        let upstream = ground.upstream.address(kind, tls)?;
        let mut command = match peer {
            Peer::Direct => return Ok(Self { peer, address: upstream, process: None }),
            Peer::Uring | Peer::Epoll => processes::command(env!("CARGO_BIN_EXE_penaxtra-gateway"), ground.cpus.proxy)?,
            Peer::Haproxy => processes::command("haproxy", ground.cpus.proxy)?,
        };
        let address = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?.local_addr()?;
        match peer {
            Peer::Haproxy => haproxy(&mut command, ground, kind, tls, address, upstream)?,
            _ => gateway(&mut command, ground, peer, tls, address, upstream),
        }
        let said = ground.directory.join(format!("{}-{}.log", peer.name(), peer.driver()));
        let log = File::create(&said)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut process = Process(command.spawn()?);
        for _ in 0..START_TIME_MAX.as_millis() / START_TRY.as_millis() {
            thread::sleep(START_TRY);
            if let Some(status) = process.0.try_wait()? {
                let said = fs::read_to_string(&said).unwrap_or_default();
                return Err(io::Error::other(format!("{} {} ended ({status}): {said}", peer.name(), peer.driver())));
            }
            if TcpStream::connect(address).is_ok() {
                return Ok(Self { peer, address, process: Some(process) });
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }
}

fn gateway(command: &mut Command, ground: &Ground, peer: Peer, tls: bool, address: SocketAddr, upstream: SocketAddr) {
    // A PNX_ variable of the terminal must not change what is measured.
    command.env_clear().args(["--workers=1", "--pin=never", "--log=error"]);
    command.arg(if peer == Peer::Uring { "--io=uring" } else { "--io=epoll" });
    command.arg(format!("--listen={address}"));
    if tls {
        command.arg(format!("--upstream=https://localhost:{}", upstream.port()));
        command.arg(format!("--upstream-ca={}", ground.files.authority.display()));
        command.arg(format!("--tls-cert={}", ground.files.certificate.display()));
        command.arg(format!("--tls-key={}", ground.files.key.display()));
    } else {
        command.arg(format!("--upstream=http://{upstream}"));
    }
}

fn haproxy(
    command: &mut Command,
    ground: &Ground,
    kind: Kind,
    tls: bool,
    address: SocketAddr,
    upstream: SocketAddr,
) -> io::Result<()> {
    // Without this option it may hold chunks of a stream back for more to come; whoever streams through it sets it.
    let options = if kind == Kind::Mock { "option http-no-delay" } else { "" };
    let (listen_tls, upstream_tls) = if tls {
        let ca = ground.files.authority.display();
        let server = format!("ssl verify required ca-file {ca} sni str(localhost) alpn http/1.1");
        (format!("ssl crt {} alpn http/1.1", ground.files.both.display()), server)
    } else {
        (String::new(), String::new())
    };
    let text = HAPROXY
        .replace("@OPTIONS@", options)
        .replace("@LISTEN@", &address.to_string())
        .replace("@LISTEN_TLS@", &listen_tls)
        .replace("@UPSTREAM@", &upstream.to_string())
        .replace("@UPSTREAM_TLS@", &upstream_tls);
    let path = ground.directory.join("haproxy.cfg");
    fs::write(&path, text)?;
    command.arg("-db").arg("-f").arg(path);
    Ok(())
}

/// The version of the installed HAProxy, such as `2.6.12`; none where there is none.
pub(crate) fn haproxy_version() -> Option<String> {
    let output = Command::new("haproxy").arg("-v").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_ascii_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    Some(version.split('-').next().unwrap_or_default().to_owned())
}
