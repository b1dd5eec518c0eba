//! What a proxy adds to the time that a caller waits, at low load: to the first event and the first token of a stream, and to a
//! whole answer. Each is taken directly as well, in turns with the peers, and the difference of the percentiles is the figure.

use std::io;
use std::thread;
use std::time::Duration;

use memchr::memmem;
use penaxtra_gateway::clock;

use super::figures;
use super::ground::Ground;
use super::link::Link;
use super::message;
use super::peers::Peer;
use super::peers::Running;
use super::record::Case;
use super::record::Record;
use super::record::say;
use super::upstream::Kind;

/// The mock's time before each token, milliseconds.
const TOKEN_DELAY_MS: u32 = 5;

/// The time between two unary requests: 200 a second.
const UNARY_INTERVAL: Duration = Duration::from_millis(5);

/// Unary requests to one peer before it is the next one's turn: one second.
const UNARY_BLOCK: usize = 200;

/// Requests on a new connection that are not counted.
const WARM_REQUESTS: usize = 20;

/// The first event of any kind, and the first that carries text.
const EVENT: &[u8] = b"data: ";
const TOKEN: &[u8] = br#""delta":{"content""#;

/// The last chunk, which ends a stream.
const END: &[u8] = b"\r\n0\r\n\r\n";

/// One peer, its connection, and what was taken by it.
struct Probe {
    running: Running,
    link: Link,
    event: Vec<Duration>,
    token: Vec<Duration>,
    unary: Vec<Duration>,
}

/// Plain and TLS.
pub(crate) fn measure(ground: &Ground, record: &mut Record) -> io::Result<()> {
    say(format_args!(
        "\nttft: time that a caller waits, one connection; in brackets what the proxy adds to direct; us"
    ));
    say(format_args!(
        "  {:<5}{:<15}{:<13}{:>10}{:>12}{:>10}{:>12}",
        "tls", "peer", "until", "p50", "(added)", "p99", "(added)"
    ));
    for tls in [false, true] {
        let mut probes = Vec::new();
        for peer in [Peer::Direct].into_iter().chain(ground.proxies()) {
            match probe(ground, peer, tls) {
                Ok(probe) => probes.push(probe),
                Err(error) => say(format_args!("  {} {} is left out: {error}", peer.name(), peer.driver())),
            }
        }
        streams(ground, &mut probes)?;
        unary(ground, &mut probes)?;
        summarise(record, &mut probes, tls);
    }
    Ok(())
}

fn probe(ground: &Ground, peer: Peer, tls: bool) -> io::Result<Probe> {
    let running = Running::start(ground, peer, Kind::Mock, tls)?;
    let link = Link::connect(running.address, ground.client(tls))?;
    Ok(Probe { running, link, event: Vec::new(), token: Vec::new(), unary: Vec::new() })
}

/// Streams of a few tokens, one after the other, the peers in turns.
fn streams(ground: &Ground, probes: &mut [Probe]) -> io::Result<()> {
    let request = message::request("tokens-3", true, Some(TOKEN_DELAY_MS));
    for index in 0..ground.effort.streams + WARM_REQUESTS {
        for probe in &mut *probes {
            let (event, token) = stream(&mut probe.link, &request)?;
            if index >= WARM_REQUESTS {
                probe.event.push(event);
                probe.token.push(token);
            }
        }
    }
    Ok(())
}

/// The times from the request's sending to the first event and to the first token.
fn stream(link: &mut Link, request: &[u8]) -> io::Result<(Duration, Duration)> {
    let (mut event, mut token) = (None, None);
    let start = clock::now();
    link.write(request)?;
    while !link.input.ends_with(END) {
        link.read()?;
        let passed = clock::now() - start;
        if event.is_none() {
            event = memmem::find(&link.input, EVENT).map(|_| passed);
        }
        if token.is_none() {
            token = memmem::find(&link.input, TOKEN).map(|_| passed);
        }
    }
    link.input.clear();
    event.zip(token).ok_or_else(|| io::Error::other("a stream without a token"))
}

/// Whole answers at a fixed rate. Where an answer took until after the next request was due, the next one's time counts from
/// then: a delay is not left out because a request had to wait for it.
fn unary(ground: &Ground, probes: &mut [Probe]) -> io::Result<()> {
    let request = message::request("fixed-400", false, None);
    for _ in 0..ground.effort.rounds {
        for probe in &mut *probes {
            let mut due = clock::now();
            for index in 0..UNARY_BLOCK + WARM_REQUESTS {
                due += UNARY_INTERVAL;
                let early = due.saturating_duration_since(clock::now());
                thread::sleep(early);
                // By how much a sleep was too long is this process's matter; that the answer before came late is the proxy's.
                let start = if early.is_zero() { due } else { clock::now() };
                probe.link.write(&request)?;
                let length = loop {
                    probe.link.read()?;
                    if let Some(length) = message::answer_bytes(&probe.link.input)? {
                        break length;
                    }
                };
                let passed = clock::now() - start;
                probe.link.input.drain(..length);
                if index >= WARM_REQUESTS {
                    probe.unary.push(passed);
                }
            }
        }
    }
    Ok(())
}

fn summarise(record: &mut Record, probes: &mut [Probe], tls: bool) {
    for metric in ["first_event", "first_token", "whole_answer"] {
        let mut direct = [f64::NAN; 2];
        for probe in &mut *probes {
            let peer = probe.running.peer;
            let case = Case { what: "ttft", peer, tls, connections: 1 };
            let times = match metric {
                "first_event" => &mut probe.event,
                "first_token" => &mut probe.token,
                _ => &mut probe.unary,
            };
            let percentiles = [50, 99].map(|hundredths| figures::percentile(times, hundredths));
            let mut added = [String::new(), String::new()];
            if peer == Peer::Direct {
                direct = percentiles;
            }
            let figures = percentiles.iter().zip(direct).zip(["p50", "p99"]).zip(&mut added);
            for (((value, direct), name), text) in figures {
                record.add(&case, &format!("{metric}_{name}"), *value, "us", None);
                if peer != Peer::Direct {
                    record.add(&case, &format!("{metric}_added_{name}"), value - direct, "us", None);
                    *text = format!("({:+.0})", value - direct);
                }
            }
            let [p50, p99] = percentiles;
            let [p50_added, p99_added] = added;
            say(format_args!(
                "  {:<5}{:<15}{:<13}{p50:>10.0}{p50_added:>12}{p99:>10.0}{p99_added:>12}",
                if tls { "both" } else { "none" },
                format!("{} {}", peer.name(), peer.driver()),
                metric.replace('_', " "),
            ));
        }
    }
}
