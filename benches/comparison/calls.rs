//! System calls of the gateway under keep-alive load, counted by strace: of the whole process, and of its worker alone.
//! Only counts are taken; under strace every time is wrong.

use std::fs;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Pid;
use rustix::process::Signal;

use super::figures;
use super::ground::Ground;
use super::load::Load;
use super::message;
use super::peers::Peer;
use super::peers::Running;
use super::processes;
use super::processes::Process;
use super::record::Case;
use super::record::Record;
use super::record::say;
use super::upstream::Kind;

const CONNECTIONS: usize = 32;

/// How long calls are counted.
const TIME: Duration = Duration::from_secs(2);

/// What a worker on io_uring should not call in the steady state: locks, the other driver, memory from the kernel.
const UNWANTED: [&str; 11] = [
    "futex",
    "epoll_wait",
    "epoll_pwait",
    "epoll_ctl",
    "mmap",
    "munmap",
    "mremap",
    "brk",
    "madvise",
    "mprotect",
    "sched_yield",
];

/// Plain and TLS, on io_uring.
pub(crate) fn measure(ground: &Ground, record: &mut Record) -> io::Result<()> {
    say(format_args!("\nstrace: system calls of the gateway on io_uring, {CONNECTIONS} connections, after warming"));
    if Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        say(format_args!("  strace is not installed: left out"));
        return Ok(());
    }
    for tls in [false, true] {
        let running = Running::start(ground, Peer::Uring, Kind::Fixed, tls)?;
        let request = message::request("fixed-400", false, None);
        let mut load = Load::connect(running.address, ground.client(tls), CONNECTIONS, &request)?;
        load.run(ground.effort.warm_time)?;
        let id = running.id()?;
        let case = Case { what: "strace", peer: Peer::Uring, tls, connections: CONNECTIONS };
        let (table, answers) = count(ground, &mut load, &["-f"], id)?;
        report(record, &case, "process", &table, answers);
        for line in table.lines() {
            say(format_args!("    {line}"));
        }
        let worker = processes::thread(id, "worker-0")?;
        let (table, answers) = count(ground, &mut load, &[], worker)?;
        report(record, &case, "worker", &table, answers);
    }
    Ok(())
}

/// The table of strace, and the answers while it counted. No request is answered before it has attached.
fn count(ground: &Ground, load: &mut Load, options: &[&str], id: u32) -> io::Result<(String, u64)> {
    let path = ground.directory.join("strace.txt");
    let mut command = processes::command("strace", ground.cpus.load)?;
    command.args(options).arg("-c").arg("-o").arg(&path).arg("-p").arg(id.to_string());
    let mut process = Process(command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?);
    let mut said = String::new();
    if let Some(errors) = process.0.stderr.take() {
        BufReader::new(errors).read_line(&mut said)?;
    }
    if !said.contains("attached") {
        return Err(io::Error::other(format!("strace could not attach: {}", said.trim())));
    }
    let answers = load.run(TIME)?;
    rustix::process::kill_process(Pid::from_child(&process.0), Signal::INT)?;
    process.0.wait()?;
    Ok((fs::read_to_string(path)?, answers))
}

/// Rows of a table: the call and how often it was made.
fn rows(table: &str) -> impl Iterator<Item = (&str, u64)> {
    table.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        // Share, seconds, microseconds a call, calls, errors if any, name.
        let calls = words.nth(3)?.parse().ok()?;
        words.last().filter(|name| *name != "total").map(|name| (name, calls))
    })
}

fn report(record: &mut Record, case: &Case, whose: &str, table: &str, answers: u64) {
    let requests = figures::real(answers.max(1));
    let all: u64 = rows(table).map(|(_, calls)| calls).sum();
    let found: Vec<String> = rows(table)
        .filter(|(name, _)| UNWANTED.contains(name))
        .map(|(name, calls)| format!("{name} {calls}"))
        .collect();
    let found = if found.is_empty() { "no futex, epoll or memory calls".to_owned() } else { found.join(", ") };
    say(format_args!(
        "  tls {}: the {whose}: {:.3} calls a request ({all} in {answers}); {found}",
        if case.tls { "both" } else { "none" },
        figures::real(all) / requests,
    ));
    record.add(case, &format!("{whose}_calls_per_request"), figures::real(all) / requests, "1", None);
    for (name, calls) in rows(table) {
        record.add(case, &format!("{whose}_{name}_per_1000"), figures::real(calls) * 1000.0 / requests, "1", None);
    }
}
