//! How much memory the process may use, and the defaults that follow from it.
//!
//! A container is killed at its cgroup's limit, not refused memory, so the bounds that keep the process below it must know it.
//! This reads the limit once, at the start; it never measures what is used and never changes a limit.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use crate::limits;

/// Where cgroup file systems are mounted by every container runtime and by systemd.
const CGROUP_ROOT: &str = "/sys/fs/cgroup";

/// A limit at or above this is none: cgroup v1 says "unlimited" with the largest number of whole pages.
const UNLIMITED_BYTES: u64 = 1 << 60;

/// Bytes of memory that one connection is counted with: the design's bound for an active TLS-to-TLS stream.
const CONNECTION_BYTES: u64 = 16 * 1024;

/// The fewest and the most connections that a default allows: below, a small pod would refuse its own probes; above, no
/// default should go, since one address of an upstream has 65,535 ports' worth of connections to give.
const CONNECTIONS_MIN: u64 = 64;
const CONNECTIONS_MAX: u64 = 65_535;

/// Descriptors that are not connections: listeners, rings, files, the admin listener's eight.
const DESCRIPTORS_RESERVED: u64 = 64;

/// The least and the most memory that a default gives to request bodies.
const BODY_BYTES_MIN: u64 = 16 * 1024 * 1024;
const BODY_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// The memory limit of the process's cgroup or of one above it, in bytes; `None` where there is none or none can be read.
#[must_use]
pub fn limit() -> Option<u64> {
    let cgroups = read(Path::new("/proc/self/cgroup"))?;
    limit_files(&cgroups).iter().filter_map(|file| parse(&read(file)?)).min()
}

/// The machine's memory, in bytes.
#[must_use]
pub fn total() -> u64 {
    let system = rustix::system::sysinfo();
    system.totalram.saturating_mul(u64::from(system.mem_unit))
}

/// Bytes of all request bodies that the process holds at once, by default: a quarter of the limit, or where there is none an
/// eighth of the machine, which others use too. Bodies are what grows most: three quarters stay for connections and code.
#[must_use]
pub fn body_memory_default(limit: Option<u64>, total: u64) -> u64 {
    let share = match limit {
        Some(limit) => limit.min(total) / 4,
        None => total / 8,
    };
    share.clamp(BODY_BYTES_MIN, BODY_BYTES_MAX)
}

/// Client connections that the process takes at once, by default: as many as fit in five eighths of the limit at 16 KiB each
/// (a quarter is for bodies, an eighth for the program), and in the open files, of which each uses two. 10,240 in 256 MiB.
#[must_use]
pub fn connections_default(limit: Option<u64>, descriptors: u64) -> u64 {
    let by_memory = limit.map_or(u64::MAX, |limit| limit / 8 * 5 / CONNECTION_BYTES);
    let by_descriptors = descriptors.saturating_sub(DESCRIPTORS_RESERVED) / 2;
    by_memory.min(by_descriptors).clamp(CONNECTIONS_MIN, CONNECTIONS_MAX)
}

/// The files that could hold a limit for a process with these lines in its `/proc/self/cgroup`: for its cgroup and for each
/// above it, since the lowest of them holds. In a container the lines may name the host's directories while only the
/// container's own are mounted; the walk to the root ends there.
fn limit_files(cgroups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in cgroups.lines() {
        // hierarchy-ID:controllers:path, cgroups(7).
        let mut parts = line.splitn(3, ':');
        let (Some(hierarchy), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let (mount, name) = if hierarchy == "0" && controllers.is_empty() {
            (PathBuf::from(CGROUP_ROOT), "memory.max")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            (Path::new(CGROUP_ROOT).join("memory"), "memory.limit_in_bytes")
        } else {
            continue;
        };
        let below = Path::new(path.trim_start_matches('/'));
        // A path outside the process's cgroup namespace begins with `..`: nothing of it is mounted here.
        let below = if below.starts_with("..") { Path::new("") } else { below };
        files.extend(below.ancestors().map(|above| mount.join(above).join(name)));
    }
    files
}

/// The limit in a kernel's file: a number of bytes, or `max`.
fn parse(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| (1..UNLIMITED_BYTES).contains(bytes))
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(limits::KERNEL_FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn the_files_of_a_cgroup_and_of_all_above_it_are_asked() {
        let cases: [(&str, &str, &[&str]); 7] = [
            ("v2 in a container", "0::/\n", &["/memory.max"]),
            (
                "v2 below",
                "0::/a.slice/b.scope\n",
                &["/a.slice/b.scope/memory.max", "/a.slice/memory.max", "/memory.max"],
            ),
            ("v2 outside the namespace", "0::/../../other\n", &["/memory.max"]),
            (
                "v1",
                "5:cpu,cpuacct:/x\n4:memory:/docker/1\n1:name=systemd:/x\n",
                &[
                    "/memory/docker/1/memory.limit_in_bytes",
                    "/memory/docker/memory.limit_in_bytes",
                    "/memory/memory.limit_in_bytes",
                ],
            ),
            ("hybrid", "4:memory:/\n0::/\n", &["/memory/memory.limit_in_bytes", "/memory.max"]),
            ("a colon in the path", "0::/a:b\n", &["/a:b/memory.max", "/memory.max"]),
            ("nothing usable", "\n::\nx\n9:cpuset:/\n", &[]),
        ];
        for (name, text, expected) in cases {
            let expected: Vec<PathBuf> =
                expected.iter().map(|file| PathBuf::from(format!("{CGROUP_ROOT}{file}"))).collect();
            assert_eq!(limit_files(text), expected, "{name}");
        }
    }

    #[test]
    fn a_limit_is_a_number_below_the_unlimited_ones() {
        let cases = [
            ("268435456\n", Some(256 * MIB)),
            ("max\n", None),
            ("9223372036854771712\n", None),
            ("0\n", None),
            ("", None),
            ("-1\n", None),
            ("99999999999999999999\n", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn defaults_follow_the_limit() {
        let cases = [
            ("the 256 MiB pod", Some(256 * MIB), 64 * 1024 * MIB, 524_288, 64 * MIB, 10_240),
            ("few descriptors", Some(256 * MIB), 64 * 1024 * MIB, 1024, 64 * MIB, 480),
            ("a tiny pod", Some(8 * MIB), 1024 * MIB, 1024, 16 * MIB, 320),
            ("no room at all", Some(MIB), 1024 * MIB, 0, 16 * MIB, 64),
            ("no limit", None, 8 * 1024 * MIB, 1 << 20, 1024 * MIB, 65_535),
            ("no limit, a large machine", None, 1024 * 1024 * MIB, 1 << 20, 4096 * MIB, 65_535),
            ("a limit above the machine", Some(1024 * 1024 * MIB), 2048 * MIB, 1 << 20, 512 * MIB, 65_535),
        ];
        for (name, limit, total, descriptors, body, connections) in cases {
            assert_eq!(body_memory_default(limit, total), body, "{name}");
            assert_eq!(connections_default(limit, descriptors), connections, "{name}");
        }
    }

    #[test]
    fn this_machine_has_memory() {
        assert!(total() > 64 * MIB);
        assert!(limit().is_none_or(|limit| limit > MIB));
    }
}
