//! Flags, environment and file to one typed [`Config`].
//!
//! Exists so that the rest of the program never sees a text that still has to be understood, and so that an operator learns of every mistake in
//! one go. The table in `setting.rs` is the only list of settings; flags, variables and keys are read off it. Never prints a value that could
//! hold a secret, never opens a certificate, never guesses: what is not understood is a mistake with its place.
//!
//! ```text
//!  defaults ──► file ──► variables ──► flags ──► finish ──► Command
//!  (table)     file.rs   environment.rs flags.rs  (cross-checks)
//!                 └───────────┴───────────┴──── mistakes ──► Exit, code 2
//! ```

use std::ffi::OsString;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

mod draft;
mod environment;
mod file;
mod flags;
mod mistake;
mod setting;
#[cfg(test)]
mod tests;
mod upstream;
mod value;

pub use crate::config::upstream::Upstream;
pub use crate::config::upstream::UpstreamError;

use crate::config::draft::Draft;
use crate::config::flags::Chosen;
use crate::config::flags::Flags;
use crate::config::mistake::Found;
use crate::config::mistake::Mistake;
use crate::config::mistake::Origin;
use crate::config::setting::SETTINGS;
use crate::limits::Timeouts;

/// Where the demo listens unless told otherwise.
const DEMO_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8443);
/// Time between two tokens of the demo's model: the pace at which a person sees a stream as a stream.
const DEMO_DELAY_MS: u64 = 30;
/// Longest time between two tokens, so that a demo always ends.
const DEMO_DELAY_MS_MAX: u64 = 60_000;

/// Everything that the gateway can be told, in its own types. Each field is a row of the table of settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Addresses to accept clients on; at least one, no two equal.
    pub listen: Vec<SocketAddr>,
    /// The one place that requests go to.
    pub upstream: Upstream,
    /// PEM file of the authorities to trust for the upstream, instead of the system's.
    pub upstream_ca: Option<PathBuf>,
    /// Where the listener's certificate comes from.
    pub tls: TlsSource,
    /// PEM file of authorities; when given, a client must present a certificate of theirs.
    pub tls_client_ca: Option<PathBuf>,
    /// Extra names, DNS or IP, for the self-signed certificate.
    pub tls_san: Vec<String>,
    /// Refuse to start with a self-signed certificate. When true, `tls` is not `SelfSigned`.
    pub require_tls_cert: bool,
    /// On which listeners plain HTTP is proxied.
    pub plaintext: Plaintext,
    /// Worker threads, 1 to 1024; none: one for each usable CPU.
    pub workers: Option<usize>,
    /// Whether workers are pinned to CPUs.
    pub pin: Pin,
    /// Which driver does the I/O.
    pub io: Io,
    /// Address of the metrics listener; none: no such listener.
    pub admin: Option<SocketAddr>,
    /// The policy: a signed bundle, or a TOML document where unsigned ones are allowed; none: the built-in one.
    pub policy: Option<PathBuf>,
    /// Public keys that may sign it: 64 hexadecimal digits each, or a file that holds them.
    pub policy_keys: Vec<String>,
    /// The tenant that it must be for; none: whichever it names first, from then on.
    pub tenant: Option<String>,
    /// Take a policy without a signature.
    pub allow_unsigned_policy: bool,
    /// What to do once the policy's time is over.
    pub policy_expired: Expired,
    /// Where events are written.
    pub events: Events,
    /// Longest request body that is held, bytes, 1 KiB to 1 GiB.
    pub body_bytes_max: usize,
    /// Longest answer that is gathered to be inspected whole, bytes, 1 KiB to 1 GiB.
    pub answer_bytes_max: usize,
    /// Memory for held bodies, bytes, for the process; none: from the cgroup's limit. Not below `body_bytes_max`.
    pub memory_bytes_max: Option<usize>,
    /// Client connections of the process; none: derived at start.
    pub connections_max: Option<usize>,
    /// Idle upstream connections that each core keeps, 0 to 65536.
    pub pool_connections_max: usize,
    /// Every wait and its bound.
    pub timeouts: Timeouts,
    /// Add `Via` to what is forwarded (RFC 9110 section 7.6.3).
    pub via: bool,
    /// Add `Forwarded` to requests (RFC 7239).
    pub forwarded: bool,
    /// The least severe level that is logged.
    pub log: LogLevel,
    /// How a log line looks.
    pub log_format: LogFormat,
    /// INVARIANT: as long as `SETTINGS`; where the value of that row came from.
    sources: Vec<Origin>,
}

/// Where the listener's certificate and key come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsSource {
    /// Made in memory at start.
    SelfSigned,
    /// Two PEM files.
    Pair {
        /// The chain, leaf first.
        certificate: PathBuf,
        /// The private key of the leaf.
        key: PathBuf,
    },
    /// A directory that holds `tls.crt` and `tls.key`, as a mounted Secret does.
    Directory(PathBuf),
}

/// On which listeners plain HTTP is proxied; health paths are not its concern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plaintext {
    /// On loopback addresses only.
    Loopback,
    /// On all.
    Allow,
    /// On none.
    Deny,
}

/// What to do once the policy's time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// Answer 503 and say that the gateway is not ready.
    Refuse,
    /// Go on with it.
    Serve,
}

/// Where events are written, as JSON lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Events {
    /// Nowhere; they are counted.
    None,
    /// On standard output.
    Stdout,
    /// At the end of a file.
    File(PathBuf),
}

/// Whether each worker is pinned to a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    /// Where the CPU set belongs to this process alone.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Which driver does the I/O.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Io {
    /// io_uring where the kernel lets us, else epoll.
    Auto,
    /// io_uring or no start.
    Uring,
    /// epoll.
    Epoll,
}

/// The least severe level that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// What needs a person.
    Error,
    /// What may need one.
    Warn,
    /// What an operator wants to know of.
    Info,
    /// What a developer wants to know of.
    Debug,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `Human` on a terminal, else `Json`.
    Auto,
    /// One line of text.
    Human,
    /// One JSON object a line.
    Json,
}

/// What the command line asks for.
#[derive(Clone, Debug)]
pub enum Command {
    /// Serve until told to stop.
    Run(Box<Config>),
    /// Show the gateway in front of a mock model.
    Demo(Demo),
    /// Ask a running gateway for its health, for container probes.
    Healthcheck {
        /// An `http://` or `https://` URL.
        url: String,
    },
    /// Print `Config::explain` and end.
    CheckConfig(Box<Config>),
}

/// How to run the demo. It takes nothing from the environment or a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demo {
    /// End after the calls.
    pub once: bool,
    /// Time between two tokens of the mock model, 0 to 60 s.
    pub delay: Duration,
    /// Where the gateway listens.
    pub listen: SocketAddr,
}

/// The program ends before it starts: help, version, or mistakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// 0 for help and version, 2 for mistakes.
    pub code: i32,
    /// What to print; it ends in a line feed. For mistakes: one line each.
    pub text: String,
    /// Print to standard output, not standard error.
    pub to_stdout: bool,
}

impl Config {
    /// All defaults in front of `upstream`; for the demo and for tests.
    pub fn for_upstream(upstream: Upstream) -> Self {
        let mut config = Draft::defaults().config;
        config.upstream = upstream;
        config
    }

    /// Every setting, one a line: name, effective value (`-` for none), and where it came from.
    pub fn explain(&self) -> String {
        let mut text = String::new();
        for (setting, source) in SETTINGS.iter().zip(&self.sources) {
            let mut value = (setting.show)(self);
            if value.is_empty() {
                value.push('-');
            }
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{:<20} {value:<28} {source}", setting.name);
        }
        text
    }
}

/// Reads the command line (`arguments`, the program's name first), the variables and the file that one of them names. The second half of an
/// answer are warnings, one line each, for the log.
///
/// # Errors
/// [`Exit`] with code 0 for `--help` and `--version`; with code 2 and one line for every mistake found anywhere.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(Command, Vec<String>), Exit> {
    let mut mistakes = Vec::new();
    let flags = flags::read(arguments.into_iter().collect(), &mut mistakes)?;
    let command = match flags.chosen {
        Chosen::Demo => Some((Command::Demo(demo(flags, &mut mistakes)), Vec::new())),
        Chosen::Healthcheck => healthcheck(flags, environment, &mut mistakes).map(|command| (command, Vec::new())),
        Chosen::Run | Chosen::CheckConfig => {
            let check_only = matches!(flags.chosen, Chosen::CheckConfig);
            configure(flags, environment, &mut mistakes).map(|(config, warnings)| {
                let config = Box::new(config);
                (if check_only { Command::CheckConfig(config) } else { Command::Run(config) }, warnings)
            })
        }
    };
    match command {
        Some(command) if mistakes.is_empty() => Ok(command),
        _ => Err(Exit { code: 2, text: mistake::report(mistakes), to_stdout: false }),
    }
}

/// The three layers over the defaults. `None` only together with a mistake.
fn configure(
    flags: Flags,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    mistakes: &mut Vec<Mistake>,
) -> Option<(Config, Vec<String>)> {
    let (draft, mut warnings) = layer(flags, environment, mistakes);
    let config = draft.finish(mistakes, &mut warnings)?;
    Some((config, warnings))
}

/// File, then variables, then flags: the later wins, and mistakes of all three are kept, also of values that are overridden.
fn layer(
    flags: Flags,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    mistakes: &mut Vec<Mistake>,
) -> (Draft, Vec<String>) {
    let variables = environment::read(environment, mistakes);
    let mut draft = Draft::defaults();
    let from_file = match flags.file.or(variables.file) {
        Some((origin, path)) => file::read(&origin, &path, mistakes),
        None => Vec::new(),
    };
    for found in from_file.into_iter().chain(variables.found).chain(flags.found) {
        draft.set(found, mistakes);
    }
    (draft, variables.warnings)
}

/// The demo takes three flags; any other setting would silently do nothing, so it is a mistake.
fn demo(flags: Flags, mistakes: &mut Vec<Mistake>) -> Demo {
    let mut demo = Demo { once: flags.once, delay: Duration::from_millis(DEMO_DELAY_MS), listen: DEMO_LISTEN };
    if let Some((origin, text)) = flags.delay_ms {
        match value::count(&text, 0, DEMO_DELAY_MS_MAX) {
            Ok(delay) => demo.delay = Duration::from_millis(delay),
            Err(wrong) => mistakes.push(Mistake::wrong(origin, "", &text, wrong)),
        }
    }
    if let Some((origin, _)) = flags.file {
        mistakes.push(Mistake::new(origin, "the demo takes no file".to_owned()));
    }
    for Found { setting, origin, mut items } in flags.found {
        if SETTINGS[setting].name != "listen" {
            mistakes.push(Mistake::new(origin, "the demo takes only --once, --delay-ms and --listen".to_owned()));
            continue;
        }
        match items.pop().map(|(_, text)| (value::address(&text), text)) {
            Some((Ok(listen), _)) if items.is_empty() => demo.listen = listen,
            Some((Err(wrong), text)) => mistakes.push(Mistake::wrong(origin, "", &text, wrong)),
            _ => mistakes.push(Mistake::new(origin, "the demo takes one address".to_owned())),
        }
    }
    demo
}

/// A probe must not fail for a mistake that does not concern it, so only the flags and what `listen` needs count.
fn healthcheck(
    flags: Flags,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    mistakes: &mut Vec<Mistake>,
) -> Option<Command> {
    if let Some((origin, url)) = flags.url {
        return match Upstream::parse(&url) {
            Ok(_) => Some(Command::Healthcheck { url }),
            Err(error) => {
                mistakes.push(Mistake::wrong(origin, "", &url, value::wrong_url(&url, error)));
                None
            }
        };
    }
    let (draft, _) = layer(flags, environment, &mut Vec::new());
    let Some(&listen) = draft.config.listen.first() else {
        let origin = Origin::Flag("url");
        mistakes.push(Mistake::new(origin, "missing, and `listen` gives no address to derive it from".to_owned()));
        return None;
    };
    let mut address = listen;
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        IpAddr::V4(_) | IpAddr::V6(_) => {}
    }
    Some(Command::Healthcheck { url: format!("http://{address}/healthz") })
}
