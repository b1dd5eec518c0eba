//! A gateway under a policy of a few rules, and what it tells: events and metrics. For the stories of inspection.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

use crate::support::Gateway;
use crate::support::Setup;
use crate::support::upstream::Upstream;
use crate::support::wire::Client;
use crate::support::wire::PATIENCE;
use crate::support::wire::Wire;

/// A folder of its own for a story's files, removed at its end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("pnx-inspection-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Puts a file in place as a whole, as a mounted volume does.
    pub fn put(&self, name: &str, text: &[u8]) -> PathBuf {
        let (aside, path) = (self.path("aside"), self.path(name));
        fs::write(&aside, text).unwrap();
        fs::rename(aside, &path).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A policy document of rules, each given by its lines; ids are made from their order.
pub fn document(version: u64, head: &str, rules: &[&str]) -> String {
    let rules = rules.iter().enumerate();
    let rules = rules.map(|(at, rule)| format!("[[rule]]\nid = \"{}\"\n{rule}\n", id(at)));
    format!("version = {version}\ntenant = \"acme\"\n{head}\n{}", rules.collect::<String>())
}

pub fn id(rule: usize) -> String {
    format!("00000000-0000-4000-8000-{rule:012x}")
}

/// A gateway with a policy, and what it tells.
pub struct Guarded {
    pub gateway: Gateway,
    pub folder: Folder,
}

impl Guarded {
    pub fn start(setup: Setup, upstream: &Upstream, policy: &str, flags: &[&str]) -> Self {
        let folder = Folder::new();
        folder.put("policy.toml", policy.as_bytes());
        let path = |name: &str| folder.path(name).display().to_string();
        let mut all = vec![
            format!("--policy={}", path("policy.toml")),
            "--allow-unsigned-policy".to_owned(),
            format!("--events={}", path("events")),
            "--admin=127.0.0.1:0".to_owned(),
        ];
        all.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let gateway = setup.gateway(upstream, &all);
        Self { gateway, folder }
    }

    /// The events, once there are so many of them.
    pub fn events(&self, count: usize) -> Vec<Value> {
        let events = self.events_until(|events| events.len() >= count);
        assert_eq!(events.len(), count, "events: {events:?}");
        events
    }

    /// The events, once they are as wanted or the time is up.
    pub fn events_until(&self, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = fs::read_to_string(self.folder.path("events")).unwrap_or_default();
            let events: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            if wanted(&events) || Instant::now() > deadline {
                return events;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn metrics(&mut self) -> String {
        let mut admin = Client::new(Wire::connect(self.gateway.admin(), None));
        admin.get("/metrics").text()
    }

    pub fn metric(&mut self, series: &str) -> f64 {
        let page = self.metrics();
        let line =
            page.lines().find_map(|line| line.strip_prefix(series)).unwrap_or_else(|| panic!("{series}: {page}"));
        line.trim().parse().unwrap()
    }

    /// Waits until the series, which workers bring up to date once a turn, has this value.
    pub fn metric_falls_to(&mut self, series: &str, value: f64) {
        let deadline = Instant::now() + PATIENCE;
        while self.metric(series) > value {
            assert!(Instant::now() < deadline, "{series} stays above {value}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}
