//! What every measurement stands on: a directory for the run, certificates, the running upstreams, the CPUs, how long to
//! measure. It ends and removes all of it.

use std::env;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::ClientConfig;
use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

use super::authority::Files;
use super::peers;
use super::peers::Peer;
use super::processes::Cpus;
use super::upstream::Upstream;

/// The exit code after a signal, as shells have it for SIGINT.
const EXIT_INTERRUPTED: i32 = 130;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Rounds, in each of which every peer has its turn.
    pub(crate) rounds: usize,
    /// Load before each measurement, and load measured.
    pub(crate) warm_time: Duration,
    pub(crate) time: Duration,
    /// Streams in sequence, over all rounds, to each peer.
    pub(crate) streams: usize,
    /// How many connections, or streams, are held open for their memory.
    pub(crate) held: &'static [usize],
}

impl Effort {
    /// The effort for the figures, or that for a look; `long` holds more connections open.
    pub(crate) fn of(quick: bool, long: bool) -> Self {
        let held: &[usize] = if long { &[1000, 5000] } else { &[1000] };
        let seconds = Duration::from_secs;
        if quick {
            Self { rounds: 2, warm_time: Duration::from_millis(500), time: seconds(2), streams: 60, held }
        } else {
            Self { rounds: 5, warm_time: seconds(1), time: seconds(3), streams: 200, held }
        }
    }
}

/// The stand of a run.
pub(crate) struct Ground {
    pub(crate) directory: PathBuf,
    pub(crate) files: Files,
    pub(crate) upstream: Upstream,
    pub(crate) cpus: Cpus,
    pub(crate) effort: Effort,
    /// The version of HAProxy, if it is installed.
    pub(crate) haproxy: Option<String>,
    client: Arc<ClientConfig>,
}

impl Ground {
    /// Makes the certificates and starts the upstreams.
    pub(crate) fn prepare(cpus: Cpus, effort: Effort) -> io::Result<Self> {
        let directory = env::temp_dir().join(format!("penaxtra-comparison-{}", process::id()));
        fs::create_dir(&directory)?;
        remove_on_signal(&directory)?;
        let prepared = Files::make(&directory).and_then(|files| {
            let client = files.client()?;
            Ok((files, client, Upstream::start(&directory, cpus.upstream)?))
        });
        match prepared {
            Ok((files, client, upstream)) => {
                Ok(Self { directory, files, upstream, cpus, effort, haproxy: peers::haproxy_version(), client })
            }
            Err(error) => {
                let _ = fs::remove_dir_all(&directory);
                Err(error)
            }
        }
    }

    /// The proxies that can be measured here.
    pub(crate) fn proxies(&self) -> Vec<Peer> {
        let haproxy = self.haproxy.is_some().then_some(Peer::Haproxy);
        [Peer::Uring, Peer::Epoll].into_iter().chain(haproxy).collect()
    }

    /// The TLS of the load, where there is to be any.
    pub(crate) fn client(&self, tls: bool) -> Option<&Arc<ClientConfig>> {
        tls.then_some(&self.client)
    }
}

/// Ctrl-C skips every drop: the directory is removed here then, and the kernel ends the children with this process.
fn remove_on_signal(directory: &Path) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let directory = directory.to_owned();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if signals.forever().next().is_some() {
            let _ = fs::remove_dir_all(&directory);
            process::exit(EXIT_INTERRUPTED);
        }
    })?;
    Ok(())
}

impl Drop for Ground {
    fn drop(&mut self) {
        // A directory that stays behind harms nothing but tidiness.
        let _ = fs::remove_dir_all(&self.directory);
    }
}
