//! The policy's file: loaded at the start, looked at every second, and put in force for the cores.
//!
//! A thread of its own, since a policy of 10,000 rules takes a while to compile and must keep neither a core nor the end of the process
//! waiting. A policy that is refused changes nothing: the last good one stays, a counter counts, an event tells, and the log says it once
//! for each new reason. Old policies are freed here, when the last exchange that began with one has ended.

use std::fmt;
use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::SyncSender;
use std::time::SystemTime;

use crate::clock;
use crate::config::Expired;
use crate::inspect::detector::Severity;
use crate::limits;
use crate::policy::Origin;
use crate::policy::Policy;
use crate::policy::Uuid;
use crate::policy::Validity;
use crate::policy::bundle::PublicKey;
use crate::policy::load::Rejected;
use crate::policy::load::Trust;
use crate::shared::Shared;
use crate::shared::events::Done;
use crate::shared::events::Event;
use crate::shared::events::Sender;
use crate::shared::snapshot::Publisher;

/// Where the policy comes from, and whom to believe.
#[derive(Clone, Debug)]
pub struct Source {
    path: Option<PathBuf>,
    keys: Vec<PublicKey>,
    tenant: Option<String>,
    allow_unsigned: bool,
    expired: Expired,
    /// What the file was like when it was read last.
    mark: Option<Mark>,
}

/// What changes when a file does, be it written anew or renamed into its place: its time, length and inode.
type Mark = (SystemTime, u64, u64);

/// Why a policy could not be had from its file.
#[derive(Debug)]
pub enum PolicyError {
    /// The file, or that of a key, cannot be read.
    Read(PathBuf, io::Error),
    /// A file of a key holds none.
    Key(PathBuf),
    /// The policy is refused.
    Rejected(PathBuf, Rejected),
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Key(path) => write!(f, "{}: no public key of 64 hexadecimal digits", path.display()),
            Self::Rejected(path, rejected) => {
                write!(f, "{}: {rejected}", path.display())?;
                rejected.details().iter().try_for_each(|detail| write!(f, "\n  {detail}"))
            }
        }
    }
}

impl std::error::Error for PolicyError {}

impl Source {
    /// Reads the keys.
    ///
    /// # Errors
    /// A file of a key cannot be read, or holds none.
    pub fn new(config: &crate::config::Config) -> Result<Self, PolicyError> {
        let keys = config.policy_keys.iter().map(|key| public_key(key)).collect::<Result<_, _>>()?;
        Ok(Self {
            path: config.policy.clone(),
            keys,
            tenant: config.tenant.clone(),
            allow_unsigned: config.allow_unsigned_policy,
            expired: config.policy_expired,
            mark: None,
        })
    }

    /// The policy as the file has it now; the built-in one where there is no file.
    ///
    /// # Errors
    /// It cannot be read or is refused.
    pub fn load(&mut self, in_force: Option<&Policy>) -> Result<Policy, PolicyError> {
        // Before it is read: a change while it is read is then a change.
        self.mark = self.look();
        let Some(path) = &self.path else { return Ok(Policy::built_in()) };
        let bytes = read(path, limits::POLICY_BYTES_MAX)?;
        let trust = Trust { keys: &self.keys, tenant: self.tenant.as_deref(), allow_unsigned: self.allow_unsigned };
        let policy = Policy::load(&bytes, &trust, in_force);
        policy.map_err(|rejected| PolicyError::Rejected(path.clone(), rejected))
    }

    /// Whether requests may be served by `policy` now.
    fn serves(&self, policy: &Policy) -> bool {
        match policy.validity(clock::unix().as_secs()) {
            Validity::Valid => true,
            Validity::NotYet => false,
            Validity::Over => self.expired == Expired::Serve,
        }
    }

    fn has_changed(&self) -> bool {
        self.look() != self.mark
    }

    fn look(&self) -> Option<Mark> {
        let metadata = std::fs::metadata(self.path.as_ref()?).ok()?;
        Some((metadata.modified().ok()?, metadata.len(), std::os::unix::fs::MetadataExt::ino(&metadata)))
    }
}

/// A key as the configuration has it: the digits, or a file with them.
///
/// # Errors
/// The file cannot be read, or holds no key.
pub fn public_key(text: &str) -> Result<PublicKey, PolicyError> {
    if let Some(key) = PublicKey::parse(text) {
        return Ok(key);
    }
    let path = PathBuf::from(text);
    let bytes = read(&path, limits::POLICY_KEY_BYTES_MAX)?;
    let key = str::from_utf8(&bytes).ok().and_then(|text| PublicKey::parse(text.trim()));
    key.ok_or(PolicyError::Key(path))
}

/// A file, up to one byte more than it may have: what is longer is then refused for its size.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, PolicyError> {
    let mut bytes = Vec::new();
    let result = File::open(path).and_then(|file| file.take(bytes_max as u64 + 1).read_to_end(&mut bytes));
    result.map_err(|error| PolicyError::Read(path.to_owned(), error))?;
    Ok(bytes)
}

/// The thread. Dropping it ends it.
#[derive(Debug)]
pub struct Fetch {
    asks: Option<SyncSender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Fetch {
    /// Puts the policy that [`Shared`] was made with in force if its time has come, and starts to look at the file. `events` is a ring of its own.
    ///
    /// # Errors
    /// No thread could be made.
    pub fn start(source: Source, shared: Arc<Shared>, events: Sender) -> io::Result<Self> {
        let (asks, asked) = mpsc::sync_channel(1);
        let mut watch = Watch {
            source,
            shared,
            events,
            publisher: Publisher::default(),
            failure: None,
            sequence: 0,
            unserved: None,
        };
        watch.begin();
        let thread = std::thread::Builder::new().name("policy".to_owned()).spawn(move || {
            loop {
                match asked.recv_timeout(limits::POLICY_LOOK_PAUSE) {
                    Ok(()) => watch.reload(),
                    Err(RecvTimeoutError::Timeout) => watch.look(),
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        })?;
        Ok(Self { asks: Some(asks), thread: Some(thread) })
    }

    /// Asks for a reload whether the file has changed or not. One that waits already is enough.
    pub fn reload(&self) {
        if let Some(asks) = &self.asks {
            let _waits_already = asks.try_send(());
        }
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        drop(self.asks.take());
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

fn say(policy: &Policy) {
    let (version, tenant, origin) = (policy.version(), policy.tenant(), policy.origin().label());
    tracing::info!(version, tenant, origin, "policy loaded");
}

struct Watch {
    source: Source,
    shared: Arc<Shared>,
    events: Sender,
    publisher: Publisher,
    /// What was logged last, so that a file that stays broken is one line and not one a second.
    failure: Option<String>,
    sequence: u64,
    /// Whether it was said that the policy is not in force, and why.
    unserved: Option<Validity>,
}

impl Watch {
    fn begin(&mut self) {
        let policy = self.shared.policy.load();
        if policy.origin() == Origin::Unsigned {
            tracing::warn!(
                "the policy is not signed: whoever can write its file decides what this gateway lets through"
            );
        }
        say(&policy);
        self.look_at_time(&policy);
    }

    /// Looks at the file and at the time.
    fn look(&mut self) {
        if self.source.has_changed() {
            self.reload();
        }
        self.look_at_time(&self.shared.policy.load());
        self.publisher.free();
    }

    fn look_at_time(&mut self, policy: &Policy) {
        let serves = self.source.serves(policy);
        self.shared.policy.set_in_force(serves);
        let validity = policy.validity(clock::unix().as_secs());
        let unserved = (validity != Validity::Valid).then_some(validity);
        if unserved != self.unserved {
            self.unserved = unserved;
            match unserved {
                None => tracing::info!(version = policy.version(), "the policy is in force"),
                Some(Validity::Over) => {
                    tracing::error!(version = policy.version(), serves, "the policy's time is over")
                }
                Some(_) => tracing::error!(version = policy.version(), serves, "the policy's time has not come"),
            }
            if unserved.is_some() {
                self.tell("POLICY.NOT_IN_FORCE", policy.version());
            }
        }
    }

    /// Loads the file and puts it in force, or says why not.
    fn reload(&mut self) {
        let before = self.shared.policy.load();
        match self.source.load(Some(&before)) {
            Ok(policy) => {
                self.failure = None;
                let policy = Arc::new(policy);
                drop(before);
                self.publisher.publish(&self.shared.policy, Arc::clone(&policy));
                self.look_at_time(&policy);
                self.shared.control.policy_reloads.increment();
                say(&policy);
            }
            Err(error) => {
                self.shared.control.policy_reload_failures.increment();
                let reason = error.to_string();
                if self.failure.as_ref() != Some(&reason) {
                    tracing::error!(%reason, "the policy was not reloaded; the last good one stays in force");
                    self.failure = Some(reason);
                    let code = match &error {
                        PolicyError::Rejected(_, rejected) => rejected.code(),
                        PolicyError::Read(..) | PolicyError::Key(_) => "POLICY.UNREADABLE",
                    };
                    self.tell(code, before.version());
                }
            }
        }
    }

    fn tell(&mut self, code: &str, policy_version: u64) {
        let Some(code) = crate::policy::code::Code::new(code) else { return };
        self.sequence += 1;
        let occurred_at = clock::unix();
        let event = Event {
            // The start of the process tells it from another run's, the top bit from the cores' own.
            uuid: Uuid::custom(self.shared.started_unix.as_secs() << 20 | 1 << 63, self.sequence),
            rule: Uuid::default(),
            code,
            severity: Severity::High,
            done: Done::Keep,
            matched: None,
            count: 1,
            occurred_at,
            policy_version,
        };
        // The ring is emptied ten times a second, and holds hundreds.
        let _full = self.events.push(event);
    }
}
