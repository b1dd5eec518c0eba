//! Bytes a second of inspection, stage by stage and as a whole, beside the fastest UTF-8 check there is, in one run.
//!
//! ```text
//!  cargo bench --bench inspection               all cases, about a minute
//!  cargo bench --bench inspection -- walk       the cases whose name holds `walk`
//!  cargo bench --bench inspection -- stream     one event of a stream, for each API
//! ```
//! All cases take turns, round by round, and each figure is the median of its rounds, so that what slows the machine slows all of them.
//! What counts is the ratio to `simdutf8` of the same size: a machine's own speed is in both.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on says where")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

mod streams;
mod text;

use std::hint::black_box;
use std::time::Duration;
use std::time::Instant;

use penaxtra_gateway::extract::Api;
use penaxtra_gateway::extract::json::Walker;
use penaxtra_gateway::http::head::RequestHead;
use penaxtra_gateway::inspect::Text;
use penaxtra_gateway::inspect::Work;
use penaxtra_gateway::inspect::normalise;
use penaxtra_gateway::inspect::normalise::View;
use penaxtra_gateway::policy::Policy;
use penaxtra_gateway::proxy::inspection::Inspector;
use penaxtra_gateway::proxy::inspection::Message;

/// Rounds over all cases; the figure is the median.
const ROUNDS: usize = 15;

/// What one turn of a case takes at least.
const TURN: Duration = Duration::from_millis(4);

const SIZES: [(&str, usize); 4] = [("1 KB", 1_000), ("10 KB", 10_000), ("100 KB", 100_000), ("1 MB", 1_000_000)];

/// A stage over one body.
struct Case {
    name: String,
    size: &'static str,
    bytes: usize,
    run: Box<dyn FnMut()>,
    /// Nanoseconds a run, round by round.
    times: Vec<f64>,
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let mut cases = cases();
    cases.extend(streams::cases());
    let is_wanted = |case: &Case| wanted.is_empty() || wanted.iter().any(|part| case.name.contains(part));
    let sizes: Vec<&str> = cases.iter().filter(|case| is_wanted(case)).map(|case| case.size).collect();
    cases.retain(|case| is_wanted(case) || (case.name == "simdutf8" && sizes.contains(&case.size)));
    for round in 0..=ROUNDS {
        for case in &mut cases {
            let time = turn(&mut case.run);
            // The first round is for the caches and the clock of the CPU.
            if round > 0 {
                case.times.push(time);
            }
        }
    }
    report(&mut cases);
}

/// The time of one run, in nanoseconds.
fn turn(run: &mut dyn FnMut()) -> f64 {
    let begun = Instant::now();
    let mut runs = 0_u32;
    while begun.elapsed() < TURN {
        run();
        runs += 1;
    }
    begun.elapsed().as_nanos() as f64 / f64::from(runs)
}

fn report(cases: &mut [Case]) {
    for case in cases.iter_mut() {
        case.times.sort_by(f64::total_cmp);
    }
    let median = |case: &Case| case.times[case.times.len() / 2];
    println!("{:<26} {:>9} {:>12} {:>9} {:>9}", "stage", "size", "time", "GB/s", "of utf8");
    for case in &*cases {
        let speed = case.bytes as f64 / median(case);
        let base = cases
            .iter()
            .find(|base| base.name == "simdutf8" && base.size == case.size)
            .map(|base| base.bytes as f64 / median(base));
        let ratio = base.map_or_else(String::new, |base| format!("{:.4}", speed / base));
        println!("{:<26} {:>9} {:>9.3} us {speed:>9.3} {ratio:>9}", case.name, case.size, median(case) / 1_000.0);
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (size, bytes) in SIZES {
        let clean = text::chat(&text::prose(bytes));
        let matching = text::chat(&text::matching(bytes));
        let mut add = |name: &str, bytes: usize, run: Box<dyn FnMut()>| {
            cases.push(Case { name: name.to_owned(), size, bytes, run, times: Vec::new() });
        };
        let body = clean.clone();
        add("simdutf8", clean.len(), Box::new(move || assert!(simdutf8::basic::from_utf8(black_box(&body)).is_ok())));
        let mut walker = Walker::default();
        let body = clean.clone();
        let table = Api::OpenAiChat.table();
        add("walk", clean.len(), Box::new(move || walker.walk(black_box(&body), table).unwrap()));
        let prose = text::prose(bytes).into_bytes();
        let (mut view, folded) = (View::default(), prose.clone());
        add("normalise", prose.len(), Box::new(move || _ = black_box(normalise::fold(black_box(&folded), &mut view))));
        let (policy, mut findings) = (Policy::built_in(), Vec::new());
        let scanned = prose.clone();
        add(
            "scan",
            prose.len(),
            Box::new(move || {
                findings.clear();
                let mut work = Work { input: scanned.len() as u64, ..Work::default() };
                policy.scanner().scan(Text { bytes: black_box(&scanned), key: b"" }, &mut work, &mut findings).unwrap();
            }),
        );
        add("whole, clean", clean.len(), whole(clean));
        add("whole, 1 % matches", matching.len(), whole(matching));
        let tools = text::tools(bytes);
        add("whole, tools", tools.len(), whole(tools));
        if bytes == 100_000 {
            for (name, hostile) in text::hostile(bytes) {
                let hostile = text::chat(&hostile);
                add(&format!("hostile: {name}"), hostile.len(), whole(hostile));
            }
        }
    }
    cases
}

/// The inspection of a whole request under the built-in policy. A request that is refused for its work counts too: as fast as that.
fn whole(body: Vec<u8>) -> Box<dyn FnMut()> {
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: api.example\r\ncontent-type: application/json\r\nuser-agent: bench\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let parsed = RequestHead::parse(head.as_bytes()).unwrap();
    let policy = Policy::built_in();
    let mut inspector = Inspector::default();
    Box::new(move || {
        let message = Message { head: &parsed, bytes: head.as_bytes(), body: black_box(&body) };
        let _ = black_box(inspector.inspect(&policy, &message));
    })
}
