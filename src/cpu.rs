//! Which CPU each worker runs on.
//!
//! Pinning helps where a CPU belongs to this process alone and harms everywhere else: in a shared pool every pod of the node
//! would pin itself to the same first CPU. So by default it happens only where the affinity mask is a proper part of the
//! machine and has exactly as many CPUs as there are workers, which is what the kubelet's static policy gives.

use std::fs;
use std::thread;

use rustix::thread::CpuSet;

use crate::config::Pin;

/// Workers to start: as many as were asked for, or one for each CPU that the process may really use (affinity and CFS quota).
#[must_use]
pub fn workers(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)).max(1)
}

/// The CPU of each worker, or none; and why, for the log.
#[must_use]
pub fn assign(pin: Pin, workers: usize) -> (Vec<Option<usize>>, &'static str) {
    let usable = usable();
    let online = fs::read_to_string("/sys/devices/system/cpu/online").ok().and_then(|list| count(list.trim()));
    decide(pin, workers, &usable, online)
}

fn decide(pin: Pin, workers: usize, usable: &[usize], online: Option<usize>) -> (Vec<Option<usize>>, &'static str) {
    let exclusive = online.is_some_and(|online| usable.len() < online) && usable.len() == workers;
    let reason = match pin {
        Pin::Never => "never",
        Pin::Always if usable.is_empty() => "the CPUs are not known",
        Pin::Always => "always",
        Pin::Auto if exclusive => "the CPU set is exclusive",
        Pin::Auto => "the CPU set is shared",
    };
    let pins = !usable.is_empty() && (pin == Pin::Always || pin == Pin::Auto && exclusive);
    let cpus = (0..workers).map(|worker| if pins { usable.get(worker % usable.len()).copied() } else { None });
    (cpus.collect(), reason)
}

/// The CPUs of the affinity mask, by number.
fn usable() -> Vec<usize> {
    let Ok(set) = rustix::thread::sched_getaffinity(None) else { return Vec::new() };
    (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect()
}

/// How many numbers a list such as `0-3,8` holds.
fn count(list: &str) -> Option<usize> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        (last + 1).checked_sub(first)
    };
    list.split(',').map(range).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_exclusive_set_is_pinned_by_itself() {
        type Case = (Pin, usize, &'static [usize], Option<usize>, &'static [Option<usize>]);
        let cases: &[Case] = &[
            (Pin::Auto, 2, &[0, 1], Some(2), &[None, None]),
            (Pin::Auto, 2, &[4, 6], Some(8), &[Some(4), Some(6)]),
            (Pin::Auto, 1, &[4, 6], Some(8), &[None]),
            (Pin::Auto, 2, &[4, 6], None, &[None, None]),
            (Pin::Always, 3, &[0, 1], Some(2), &[Some(0), Some(1), Some(0)]),
            (Pin::Always, 1, &[], Some(2), &[None]),
            (Pin::Never, 2, &[4, 6], Some(8), &[None, None]),
        ];
        for (pin, workers, usable, online, expected) in cases {
            assert_eq!(decide(*pin, *workers, usable, *online).0, *expected, "{pin:?} {workers} {usable:?}");
        }
    }

    #[test]
    fn cpu_lists() {
        for (list, expected) in
            [("0", Some(1)), ("0-3", Some(4)), ("0-1,4,6-7", Some(5)), ("", None), ("3-1", None), ("x", None)]
        {
            assert_eq!(count(list), expected, "{list}");
        }
    }
}
