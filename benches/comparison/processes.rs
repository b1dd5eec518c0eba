//! Child processes and what the kernel says about them: started on one CPU, ended with the bench, read in /proc.
//! It ends nothing that it did not start.

use std::convert::Infallible;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use rustix::thread::CpuSet;

/// The first argument by which the bench starts itself to become another program: `--launch CPU PROGRAM [ARGUMENT]..`.
pub(crate) const LAUNCH: &str = "--launch";

/// The CPUs of a run. Where there are only two, the upstream shares that of the load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpus {
    pub(crate) proxy: usize,
    pub(crate) load: usize,
    pub(crate) upstream: usize,
}

impl Cpus {
    /// The first ones that this process may use; with one only, everything is on it.
    pub(crate) fn choose() -> io::Result<Self> {
        let set = rustix::thread::sched_getaffinity(None)?;
        let mut usable = (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu));
        let proxy = usable.next().unwrap_or_default();
        let load = usable.next().unwrap_or(proxy);
        Ok(Self { proxy, load, upstream: usable.next().unwrap_or(load) })
    }
}

/// Binds this thread, and what it starts from now on, to one CPU.
pub(crate) fn stay_on(cpu: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    Ok(rustix::thread::sched_setaffinity(None, &set)?)
}

/// A child, killed and waited for when dropped.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either fails only where the child has ended and been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `program` on `cpu`; it also ends where the bench is killed. The caller sets streams and spawns.
pub(crate) fn command(program: impl AsRef<Path>, cpu: usize) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(LAUNCH).arg(cpu.to_string()).arg(program.as_ref());
    Ok(command)
}

/// Becomes the program that [`command`] named: the process keeps its number, so what is read in /proc is the program's.
pub(crate) fn launch(mut arguments: impl Iterator<Item = OsString>) -> io::Result<Infallible> {
    let cpu = arguments.next().and_then(|cpu| cpu.to_str()?.parse().ok());
    let (Some(cpu), Some(program)) = (cpu, arguments.next()) else { return Err(io::ErrorKind::InvalidInput.into()) };
    stay_on(cpu)?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    Err(Command::new(program).args(arguments).exec())
}

/// Processor time of all threads so far, to the nanosecond; threads that have ended are not in it.
pub(crate) fn processor_time(process: u32) -> io::Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += text.split(' ').next().and_then(|time| time.parse::<u64>().ok()).unwrap_or_default();
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Clock ticks in user and in kernel mode so far: coarse, for their proportion only.
pub(crate) fn user_and_system(process: u32) -> io::Result<(u64, u64)> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in brackets, may hold spaces; utime and stime are the 12th and 13th field after it.
    let after = text.rsplit(')').next().unwrap_or_default();
    let mut fields = after.split_ascii_whitespace().skip(11).map(|field| field.parse().unwrap_or_default());
    Ok((fields.next().unwrap_or_default(), fields.next().unwrap_or_default()))
}

/// Resident memory in bytes.
pub(crate) fn resident(process: u32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|count| count.parse::<u64>().ok());
    kibibytes.map(|count| count * 1024).ok_or_else(|| io::Error::other("no VmRSS"))
}

/// The thread of that name.
pub(crate) fn thread(process: u32, name: &str) -> io::Result<u32> {
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let thread = thread?;
        if fs::read_to_string(thread.path().join("comm"))?.trim() == name {
            return thread.file_name().to_string_lossy().parse().map_err(io::Error::other);
        }
    }
    Err(io::ErrorKind::NotFound.into())
}
