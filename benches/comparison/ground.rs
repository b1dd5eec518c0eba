//! What every measurement stands on: a directory for the run, certificates, the running upstreams, the CPUs, how long to
//! measure. It ends and removes all of it.

use std::env;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use super::authority::Files;
use super::peers;
use super::peers::Peer;
use super::processes::Cpus;
use super::upstream::Upstream;

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

impl Drop for Ground {
    fn drop(&mut self) {
        // A directory that stays behind harms nothing but tidiness.
        let _ = fs::remove_dir_all(&self.directory);
    }
}
