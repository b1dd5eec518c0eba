//! The comparison: the gateway beside HAProxy on the same CPU, with the same load, in the same minutes. `cargo bench --bench
//! comparison` runs all of it; benches/README.md says what each figure means. Everything stays on loopback, and only processes
//! that it started itself are ended.
//!
//! ```text
//!   CPU 1: load ──► CPU 0: gateway or HAProxy ──► CPU 1, or 2 if there is one: upstream (a child of this process)
//! ```

mod authority;
mod calls;
mod cpu;
mod figures;
mod ground;
mod latency;
mod link;
mod load;
mod memory;
mod message;
mod peers;
mod processes;
mod ready;
mod record;
mod upstream;

use std::env;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use clap::ValueEnum;

use penaxtra_gateway::clock;
use penaxtra_gateway::net::descriptors;

use ground::Effort;
use ground::Ground;
use processes::Cpus;
use record::Record;
use record::say;

/// Measures the gateway beside HAProxy (if it is installed), on this machine, and appends to benches/record/.
#[derive(Debug, Parser)]
struct Arguments {
    /// Fewer and shorter rounds: to see that it works, not to cite
    #[arg(long)]
    quick: bool,
    /// Memory with 5,000 connections as well
    #[arg(long)]
    long: bool,
    /// Only these, separated by commas
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Write no file
    #[arg(long)]
    no_record: bool,
    /// Cargo passes it to benches; without it nothing is measured
    #[arg(long, hide = true)]
    bench: bool,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Part {
    /// CPU time a request
    Cpu,
    /// Time to the first token, and latency
    Ttft,
    /// Memory by connection
    Memory,
    /// System calls
    Strace,
}

impl Part {
    fn measure(self, ground: &Ground, record: &mut Record) -> io::Result<()> {
        match self {
            Self::Cpu => cpu::measure(ground, record),
            Self::Ttft => latency::measure(ground, record),
            Self::Memory => memory::measure(ground, record),
            Self::Strace => calls::measure(ground, record),
        }
    }
}

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let first = arguments.next().unwrap_or_default();
    let ended = if first == processes::LAUNCH {
        processes::launch(arguments).map(|never| match never {})
    } else if first == upstream::SERVE {
        let directory = arguments.next().unwrap_or_default();
        upstream::serve(Path::new(&directory))
    } else {
        compare(&Arguments::parse())
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("comparison: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Every part that was asked for; one that fails does not keep the others from their turn, but makes the whole fail.
fn compare(arguments: &Arguments) -> io::Result<()> {
    if !arguments.bench {
        // `cargo test --all-targets` runs this program as well, and without an argument: that must not take minutes.
        say(format_args!("nothing measured; use: cargo bench --bench comparison"));
        return Ok(());
    }
    let start = clock::now();
    let cpus = Cpus::choose()?;
    descriptors::raise()?;
    processes::stay_on(cpus.load)?;
    let ground = Ground::prepare(cpus, Effort::of(arguments.quick, arguments.long))?;
    let mut record = Record::begin();
    introduce(&ground, &mut record);
    let mut failed = Vec::new();
    for part in Part::value_variants() {
        if !arguments.only.is_empty() && !arguments.only.contains(part) {
            continue;
        }
        if let Err(error) = part.measure(&ground, &mut record) {
            say(format_args!("  {part:?} failed: {error}"));
            failed.push(format!("{part:?}"));
        }
    }
    if arguments.no_record {
        say(format_args!("\nnot recorded; {:.0} s", (clock::now() - start).as_secs_f64()));
    } else {
        let path = record.write(arguments.quick)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        say(format_args!("\nrecorded in {name}; {:.0} s", (clock::now() - start).as_secs_f64()));
    }
    if failed.is_empty() { Ok(()) } else { Err(io::Error::other(format!("failed: {}", failed.join(", ")))) }
}

/// Says and records on what the figures were taken.
fn introduce(ground: &Ground, record: &mut Record) {
    let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
    let kernel = kernel.split('-').next().unwrap_or_default().to_owned();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    let haproxy = ground.haproxy.as_deref().unwrap_or("not installed: no ratios");
    let Cpus { proxy, load: client, upstream } = ground.cpus;
    say(format_args!("{}; Linux {kernel}; HAProxy {haproxy}; load before {load}", record::processor()));
    say(format_args!("CPUs: proxy {proxy}, load {client}, upstream {upstream}"));
    record.note("processor", &record::processor());
    record.note("kernel", &kernel);
    record.note("haproxy", haproxy);
    record.note("load_before", &load);
    record.note("cpus", &format!("proxy {proxy} load {client} upstream {upstream}"));
}
