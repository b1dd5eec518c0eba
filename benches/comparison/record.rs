//! What was measured, as lines on the terminal and as rows of a CSV file that is committed. It computes nothing.

use std::fmt;
use std::fs;
use std::fs::OpenOptions;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use penaxtra_gateway::clock;

use super::peers::Peer;

const SECONDS_PER_DAY: u64 = 86_400;

/// The first line of each file.
const COLUMNS: &str = "date,commit,what,peer,driver,tls,connections,metric,value,unit,ratio";

/// Of what a figure is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    /// The measurement: `cpu`, `ttft`, `memory`, `strace`.
    pub(crate) what: &'static str,
    pub(crate) peer: Peer,
    /// On both legs, or on none.
    pub(crate) tls: bool,
    pub(crate) connections: usize,
}

/// The rows of a run.
pub(crate) struct Record {
    date: String,
    commit: String,
    rows: Vec<String>,
}

impl Record {
    pub(crate) fn begin() -> Self {
        Self { date: date(clock::unix().as_secs()), commit: commit(), rows: Vec::new() }
    }

    /// One figure; `ratio` is to HAProxy in the same rounds.
    pub(crate) fn add(&mut self, case: &Case, metric: &str, value: f64, unit: &str, ratio: Option<f64>) {
        let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}"));
        let Case { what, peer, tls, connections } = case;
        let (name, driver) = (peer.name(), peer.driver());
        let tls = if *tls { "both" } else { "none" };
        let start = format!("{},{},{what},{name},{driver}", self.date, self.commit);
        self.rows.push(format!("{start},{tls},{connections},{metric},{value:.3},{unit},{ratio}"));
    }

    /// Something about the run that is no figure of a peer.
    pub(crate) fn note(&mut self, metric: &str, value: &str) {
        let value = value.replace([',', '\n', '"'], " ");
        self.rows.push(format!("{},{},run,,,,,{metric},{value},,", self.date, self.commit));
    }

    /// Appends the rows to the file of this CPU and day. A quick run has a file of its own: its figures are not for citing.
    pub(crate) fn write(&self, quick: bool) -> io::Result<PathBuf> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/record").join(slug(&processor()));
        fs::create_dir_all(&directory)?;
        let path = directory.join(format!("{}{}.csv", self.date, if quick { "-quick" } else { "" }));
        let mut text = self.rows.join("\n") + "\n";
        if !path.exists() {
            text.insert_str(0, &format!("{COLUMNS}\n"));
        }
        OpenOptions::new().append(true).create(true).open(&path)?.write_all(text.as_bytes())?;
        Ok(path)
    }
}

/// A line on the terminal; a terminal that is gone is no reason to stop.
pub(crate) fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// The processor's name, as the kernel has it.
pub(crate) fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim());
    name.unwrap_or(std::env::consts::ARCH).to_owned()
}

/// Small letters, digits and single hyphens.
fn slug(name: &str) -> String {
    let words = name.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

/// The commit measured, with a plus sign where files differ from it; `unknown` outside of git.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(env!("CARGO_MANIFEST_DIR")).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(head) = git(&["rev-parse", "--short=12", "HEAD"]) else { return "unknown".to_owned() };
    let changed = git(&["status", "--porcelain", "--", "src", "Cargo.toml", "Cargo.lock", "benches/comparison"]);
    if changed.is_some_and(|changed| changed.is_empty()) { head } else { head + "+" }
}

/// The day of a time in seconds since 1970, in UTC, as `YYYY-MM-DD`.
fn date(seconds: u64) -> String {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut day = seconds / SECONDS_PER_DAY;
    let mut year = 1970;
    while day >= 365 + u64::from(leap(year)) {
        day -= 365 + u64::from(leap(year));
        year += 1;
    }
    let months = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in months {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", day + 1)
}
