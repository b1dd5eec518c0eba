//! A gateway that dies leaves no core: neither bound that forbids one leans on the other, so each is looked at by itself.
//!
//! A test that runs as root runs the gateway as somebody else, as it should be run, and because only then the owner of its files in
//! `/proc` tells whether it may be dumped.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::ExitStatus;
use std::time::Duration;
use std::time::Instant;

use rustix::process::Pid;
use rustix::process::Resource;
use rustix::process::Rlimit;
use rustix::process::Signal;
use rustix::process::getuid;
use rustix::process::kill_process;
use rustix::process::prlimit;

use super::Watched;
use super::play;
use super::support::ALL;
use super::support::Gateway;
use super::support::PROGRAM;
use super::support::wire::PATIENCE;
use super::support::wire::post;
use super::traces::CANARY;
use super::traces::trace;

/// The user that owns nothing.
const NOBODY: u32 = 65_534;

/// A folder that anybody can reach, with the program in it.
struct Place {
    folder: PathBuf,
    program: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("pnx-core-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let program = folder.join("program");
        if fs::hard_link(PROGRAM, &program).is_err() {
            fs::copy(PROGRAM, &program).unwrap();
        }
        Self { folder, program }
    }

    /// An empty folder that belongs to whom the command will run as.
    fn inner(&self, name: &str) -> PathBuf {
        let path = self.folder.join(name);
        fs::create_dir(&path).unwrap();
        if getuid().is_root() {
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        path
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A command of a user that is not root.
fn command(name: &str) -> Command {
    let mut command = Command::new(name);
    if getuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// Sends the signal until the process has ended: Rust's own handler of `SIGSEGV` takes the first for a stack overflow that was none.
fn kill(gateway: &mut Gateway, signal: Signal) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let _ = kill_process(gateway.pid(), signal);
        if let Some(status) = gateway.wait(Duration::from_millis(100)) {
            return status;
        }
        assert!(Instant::now() < deadline, "{signal:?} does not end it");
    }
}

fn process(pid: Pid, file: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{}/{file}", pid.as_raw_nonzero()))
}

/// Whether it may be dumped, by proc(5): what belongs to a process that may not is root's.
fn is_dumpable(pid: Pid) -> bool {
    fs::metadata(process(pid, "environ")).unwrap().uid() != 0
}

fn core_bytes_max(pid: Pid) -> String {
    let limits = fs::read_to_string(process(pid, "limits")).unwrap();
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    limit.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// Lifts the bound on the size of a core of another process. Where it is zero this takes a privilege that root may lack.
fn lift_bound(pid: Pid) -> bool {
    prlimit(Some(pid), Resource::Core, Rlimit { current: None, maximum: None }).is_ok()
}

/// A program that does nothing against it, treated in the same way: whether it leaves a core.
fn unhardened(place: &Place) -> bool {
    let shell = r#"ulimit -c "$(ulimit -H -c)"; exec sleep 60"#;
    let mut child: Child = command("sh").args(["-c", shell]).current_dir(place.inner("sleep")).spawn().unwrap();
    let pid = Pid::from_child(&child);
    let deadline = Instant::now() + PATIENCE;
    while !fs::read(process(pid, "cmdline")).unwrap().starts_with(b"sleep") && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(is_dumpable(pid), "what is looked at tells the two apart");
    kill_process(pid, Signal::SEGV).unwrap();
    child.wait().unwrap().core_dumped()
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_gateway_that_dies_in_the_middle_of_a_request_leaves_no_core() {
    let place = Place::new();
    if !unhardened(&place) {
        let _ = writeln!(
            std::io::stderr(),
            "this machine keeps no cores: what forbids them is looked at, and nothing more"
        );
    }
    // Any user may run it on epoll; what is in its memory is the same.
    let setup = ALL[2];
    let upstream = setup.upstream(play);
    for (name, signal) in [("segv", Signal::SEGV), ("abort", Signal::ABORT), ("bus", Signal::BUS)] {
        let flags = setup.flags_to(&upstream.url(), &[]);
        let mut watched = Watched::start_as(setup, command("sh"), &place.program, place.inner(name), &flags);
        let pid = watched.gateway.pid();
        let mut client = watched.gateway.client();
        assert_eq!(client.post("/v1/chat/completions", b"{}").status, 200);
        let message = post("/v1/chat/completions", format!(r#"{{"a":"{}"}}"#, CANARY.repeat(100)).as_bytes());
        client.send(&message[..message.len() - 5]);
        assert!(!is_dumpable(pid));
        assert_eq!(core_bytes_max(pid), "0 0");
        // With the one bound gone, the other must do.
        if lift_bound(pid) {
            assert_eq!(core_bytes_max(pid), "unlimited unlimited");
        }
        let before = names_in(&watched.folder);
        let status = kill(&mut watched.gateway, signal);
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status:?}");
        assert!(!status.core_dumped(), "{status:?}");
        assert_eq!(names_in(&watched.folder), before);
        for told in [watched.gateway.log(), watched.file("stdout"), watched.file("events")] {
            assert_eq!(trace(told.as_bytes()), None);
        }
    }
}
