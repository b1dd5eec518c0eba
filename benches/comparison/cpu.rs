//! CPU time of the proxy per request under a closed loop, the peers taking turns, compared within each round.
//! The figure is of the proxy's process alone; what load and upstream spend is not in it.

use std::io;
use std::time::Duration;

use super::figures;
use super::figures::Spread;
use super::ground::Ground;
use super::load::Load;
use super::message;
use super::peers::Peer;
use super::peers::Running;
use super::processes;
use super::record::Case;
use super::record::Record;
use super::record::say;
use super::upstream::Kind;

/// Connections of the two loads: a little and a lot for one core.
const CONNECTIONS: [usize; 2] = [32, 256];

/// One peer's turn.
#[derive(Clone, Copy)]
struct Turn {
    /// Microseconds of CPU a request.
    cost: f64,
    requests_per_second: f64,
    /// How much of the time the proxy's CPU was in use by it, 0 to 1.
    busy: f64,
    /// How much of the proxy's CPU time was in user mode, 0 to 1.
    user: f64,
}

/// All loads, plain and TLS.
pub(crate) fn measure(ground: &Ground, record: &mut Record) -> io::Result<()> {
    say(format_args!("\ncpu: CPU time of the proxy a request; POST of 1 KiB, answer of 400 B, closed loop"));
    say(format_args!(
        "  {:<5}{:>5}  {:<14}{:>10}{:>18}{:>7}{:>11}{:>7}{:>22}",
        "tls", "conn", "peer", "us/req", "(low - high)", "user", "req/s", "busy", "of HAProxy (low-high)"
    ));
    for tls in [false, true] {
        let mut peers = Vec::new();
        for peer in ground.proxies() {
            match Running::start(ground, peer, Kind::Fixed, tls) {
                Ok(running) => peers.push(running),
                Err(error) => say(format_args!("  {} {} is left out: {error}", peer.name(), peer.driver())),
            }
        }
        for connections in CONNECTIONS {
            compare(ground, record, &peers, tls, connections)?;
        }
    }
    Ok(())
}

/// One load: every peer once a round, each round beginning with another one.
fn compare(ground: &Ground, record: &mut Record, peers: &[Running], tls: bool, connections: usize) -> io::Result<()> {
    let mut turns: Vec<Vec<Turn>> = peers.iter().map(|_| Vec::new()).collect();
    for round in 0..ground.effort.rounds {
        for place in 0..peers.len() {
            let index = (round + place) % peers.len();
            if let (Some(running), Some(turns)) = (peers.get(index), turns.get_mut(index)) {
                turns.push(turn(ground, running, tls, connections)?);
            }
        }
    }
    let reference = peers.iter().position(|running| running.peer == Peer::Haproxy);
    let reference = reference.and_then(|index| turns.get(index)).cloned();
    for (running, turns) in peers.iter().zip(&turns) {
        let case = Case { what: "cpu", peer: running.peer, tls, connections };
        summarise(record, &case, turns, reference.as_deref());
    }
    Ok(())
}

fn turn(ground: &Ground, running: &Running, tls: bool, connections: usize) -> io::Result<Turn> {
    let request = message::request("fixed-400", false, None);
    let mut load = Load::connect(running.address, ground.client(tls), connections, &request)?;
    load.run(ground.effort.warm_time)?;
    let id = running.id()?;
    let (user_before, system_before) = processes::user_and_system(id)?;
    let before = processes::processor_time(id)?;
    let answers = figures::real(load.run(ground.effort.time)?.max(1));
    let spent: Duration = processes::processor_time(id)?.saturating_sub(before);
    let (user_after, system_after) = processes::user_and_system(id)?;
    let user = figures::real(user_after - user_before);
    let all = user + figures::real(system_after - system_before);
    let time = ground.effort.time.as_secs_f64();
    Ok(Turn {
        cost: spent.as_secs_f64() * 1e6 / answers,
        requests_per_second: answers / time,
        busy: spent.as_secs_f64() / time,
        user: user / all.max(1.0),
    })
}

fn summarise(record: &mut Record, case: &Case, turns: &[Turn], reference: Option<&[Turn]>) {
    let cost = Spread::of(turns.iter().map(|turn| turn.cost));
    let rate = Spread::of(turns.iter().map(|turn| turn.requests_per_second)).median;
    let busy = Spread::of(turns.iter().map(|turn| turn.busy)).median;
    let user = Spread::of(turns.iter().map(|turn| turn.user)).median;
    let ratio = reference
        .filter(|_| case.peer != Peer::Haproxy)
        .map(|reference| Spread::of(turns.iter().zip(reference).map(|(turn, reference)| turn.cost / reference.cost)));
    let compared =
        ratio.map_or_else(String::new, |ratio| format!("{:.2} ({:.2}-{:.2})", ratio.median, ratio.low, ratio.high));
    say(format_args!(
        "  {:<5}{:>5}  {:<14}{:>10.1}{:>18}{:>6.0}%{rate:>11.0}{:>6.0}%{compared:>22}",
        if case.tls { "both" } else { "none" },
        case.connections,
        format!("{} {}", case.peer.name(), case.peer.driver()),
        cost.median,
        format!("({:.1} - {:.1})", cost.low, cost.high),
        user * 100.0,
        busy * 100.0,
    ));
    record.add(case, "cpu_per_request", cost.median, "us", ratio.map(|ratio| ratio.median));
    record.add(case, "cpu_per_request_low", cost.low, "us", ratio.map(|ratio| ratio.low));
    record.add(case, "cpu_per_request_high", cost.high, "us", ratio.map(|ratio| ratio.high));
    record.add(case, "cpu_in_user_mode", user, "share", None);
    record.add(case, "requests_per_second", rate, "1/s", None);
    record.add(case, "cpu_in_use", busy, "share", None);
}
