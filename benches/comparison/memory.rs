//! Resident memory of the proxy by connection: idle ones that have had a request, and streams under way, TLS on both legs.
//! Memory of the kernel (socket buffers, rings) is in nobody's figure.

use std::io;
use std::thread;
use std::time::Duration;

use penaxtra_gateway::clock;

use super::figures;
use super::figures::Spread;
use super::ground::Ground;
use super::link::Link;
use super::load::Streams;
use super::message;
use super::peers::Peer;
use super::peers::Running;
use super::processes;
use super::record::Case;
use super::record::Record;
use super::record::say;
use super::upstream::Kind;

/// Connections and streams before the baseline is taken: what is made once is then made.
const WARM_CONNECTIONS: usize = 8;

/// A stream says a token each second, as many as it takes for the last one opened.
const TOKEN_DELAY_MS: u32 = 1000;

/// Events of every stream before its memory counts as steady.
const STEADY_EVENTS: u64 = 4;

/// How long that may take once all are open.
const STEADY_TIME_MAX: Duration = Duration::from_secs(15);

/// Readings of the memory, and the time between two.
const READINGS: usize = 20;
const READING_INTERVAL: Duration = Duration::from_millis(100);

/// What the connections do.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Held {
    Idle,
    Streaming,
}

/// Every count, every proxy, idle and streaming; a new process for each.
pub(crate) fn measure(ground: &Ground, record: &mut Record) -> io::Result<()> {
    say(format_args!("\nmemory: resident memory of the proxy, TLS on both legs"));
    say(format_args!(
        "  {:<11}{:>6}  {:<15}{:>13}{:>12}{:>12}{:>15}",
        "what", "count", "peer", "KiB each", "start KiB", "end KiB", "of HAProxy"
    ));
    for &count in ground.effort.held {
        for held in [Held::Idle, Held::Streaming] {
            let mut figures = Vec::new();
            for peer in ground.proxies() {
                match figure(ground, peer, held, count) {
                    Ok((before, after)) => figures.push((peer, before, after)),
                    Err(error) => say(format_args!("  {} {} is left out: {error}", peer.name(), peer.driver())),
                }
            }
            summarise(record, held, count, &figures);
        }
    }
    Ok(())
}

/// Resident bytes after the warming and with `count` connections held.
fn figure(ground: &Ground, peer: Peer, held: Held, count: usize) -> io::Result<(f64, f64)> {
    let running = Running::start(ground, peer, Kind::Mock, true)?;
    let unary = message::request("fixed-400", false, None);
    let brief = message::request("tokens-3", true, None);
    let long = message::request("tokens-1000", true, Some(TOKEN_DELAY_MS));
    let warm: Vec<Link> = (0..WARM_CONNECTIONS).map(|_| used(ground, &running, &unary)).collect::<io::Result<_>>()?;
    let mut warm_streams = Streams::new()?;
    for _ in 0..WARM_CONNECTIONS {
        warm_streams.open(running.address, ground.client(true), &brief)?;
    }
    drop((warm, warm_streams));
    thread::sleep(Duration::from_millis(500));
    let id = running.id()?;
    let before = readings(id, rest)?;
    match held {
        Held::Idle => {
            let links: Vec<Link> = (0..count).map(|_| used(ground, &running, &unary)).collect::<io::Result<_>>()?;
            let after = readings(id, rest)?;
            drop(links);
            Ok((before, after))
        }
        Held::Streaming => {
            let mut streams = Streams::new()?;
            for _ in 0..count {
                streams.open(running.address, ground.client(true), &long)?;
            }
            let end = clock::now() + STEADY_TIME_MAX;
            while streams.fewest() < STEADY_EVENTS {
                streams.run(READING_INTERVAL)?;
                if clock::now() > end {
                    return Err(io::Error::other("some streams stand still"));
                }
            }
            let after = readings(id, || streams.run(READING_INTERVAL))?;
            Ok((before, after))
        }
    }
}

fn rest() -> io::Result<()> {
    thread::sleep(READING_INTERVAL);
    Ok(())
}

/// A connection that has had one answer.
fn used(ground: &Ground, running: &Running, request: &[u8]) -> io::Result<Link> {
    let mut link = Link::connect(running.address, ground.client(true))?;
    link.write(request)?;
    loop {
        link.read()?;
        if message::answer_bytes(&link.input)?.is_some() {
            link.input = Vec::new();
            return Ok(link);
        }
    }
}

/// The middle one of many readings, with `pause` before each.
fn readings(id: u32, mut pause: impl FnMut() -> io::Result<()>) -> io::Result<f64> {
    let mut values = Vec::with_capacity(READINGS);
    for _ in 0..READINGS {
        pause()?;
        values.push(figures::real(processes::resident(id)?));
    }
    Ok(Spread::of(values).median)
}

fn summarise(record: &mut Record, held: Held, count: usize, figures: &[(Peer, f64, f64)]) {
    let name = if held == Held::Idle { "idle" } else { "streaming" };
    let connections = figures::real(u64::try_from(count).unwrap_or(u64::MAX));
    let each = |(_, before, after): &(Peer, f64, f64)| (after - before) / connections / 1024.0;
    let reference = figures.iter().find(|figure| figure.0 == Peer::Haproxy).map(each);
    for figure in figures {
        let (peer, before, after) = figure;
        let case = Case { what: "memory", peer: *peer, tls: true, connections: count };
        let ratio = reference.filter(|_| *peer != Peer::Haproxy).map(|reference| each(figure) / reference);
        record.add(&case, &format!("{name}_rss_each"), each(figure), "KiB", ratio);
        record.add(&case, &format!("{name}_rss_start"), before / 1024.0, "KiB", None);
        record.add(&case, &format!("{name}_rss_end"), after / 1024.0, "KiB", None);
        say(format_args!(
            "  {name:<11}{count:>6}  {:<15}{:>13.1}{:>12.0}{:>12.0}{:>15}",
            format!("{} {}", peer.name(), peer.driver()),
            each(figure),
            before / 1024.0,
            after / 1024.0,
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
        ));
    }
}
