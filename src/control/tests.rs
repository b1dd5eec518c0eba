//! The control threads beside workers that are played by the test.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use crate::config::Config;
use crate::config::Upstream;
use crate::net::certificate::CertificateSource;
use crate::shared::events;

use super::*;

fn start(settings: &Settings) -> (Arc<Shared>, Control) {
    let config = Config::for_upstream(Upstream::parse("http://127.0.0.1:9").unwrap());
    let mut source = fetch::Source::new(&config).unwrap();
    let policy = source.load(None).unwrap();
    let shared = Arc::new(Shared::new(2, clock::now(), Duration::ZERO, Arc::new(policy)));
    let fetch = Fetch::start(source, Arc::clone(&shared), events::ring().0).unwrap();
    let certificates = Certificates::load(CertificateSource::SelfSigned { names: Vec::new() }).unwrap();
    let control = Control::start(&shared, Arc::new(certificates), fetch, settings).unwrap();
    shared.lifecycle.advance(Stage::Serving);
    (shared, control)
}

fn settings(drain_delay: u64, drain_timeout: u64) -> Settings {
    Settings {
        upstream_host: "127.0.0.1".to_owned(),
        upstream_port: 9,
        drain_delay: Duration::from_millis(drain_delay),
        drain_timeout: Duration::from_millis(drain_timeout),
        signals: false,
    }
}

/// Beats for both workers while `story` goes on.
fn beside_workers<T>(shared: &Shared, story: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Relaxed) {
                for worker in 0..2 {
                    shared.lifecycle.beat(worker, shared.milliseconds(clock::now()));
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let told = story();
        over.store(true, Relaxed);
        told
    })
}

fn wait_for(shared: &Shared, stage: Stage) {
    let until = clock::now() + Duration::from_secs(10);
    while shared.lifecycle.stage() != stage {
        assert!(clock::now() < until, "{stage:?} did not come");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_stop_waits_for_the_last_connection() {
    let (shared, mut control) = start(&settings(100, 60_000));
    assert_eq!(shared.addresses.load().len(), 1);
    shared.counters[1].connections_open.increment();
    beside_workers(&shared, || {
        control.ask(Ask::Stop);
        wait_for(&shared, Stage::NotReady);
        wait_for(&shared, Stage::Draining);
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(shared.lifecycle.stage(), Stage::Draining, "a connection is open");
        shared.counters[1].connections_open.decrement();
        assert_eq!(control.wait(), 0);
        assert_eq!(shared.lifecycle.stage(), Stage::Stopped);
    });
}

#[test]
fn a_connection_that_does_not_end_is_waited_for_until_the_timeout() {
    let (shared, mut control) = start(&settings(60_000, 300));
    shared.counters[0].connections_open.increment();
    let began = clock::now();
    beside_workers(&shared, || {
        control.ask(Ask::StopSoon);
        assert_eq!(control.wait(), 0);
    });
    assert!(clock::now() - began >= Duration::from_millis(300));
}

#[test]
fn a_worker_that_does_not_turn_is_not_taken_for_idle() {
    let (shared, mut control) = start(&settings(0, 400));
    let began = clock::now();
    control.ask(Ask::Stop);
    assert_eq!(control.wait(), 0);
    assert!(clock::now() - began >= Duration::from_millis(400));
    assert_eq!(shared.lifecycle.stage(), Stage::Stopped);
}

#[test]
fn a_second_stop_ends_at_once_with_code_1() {
    let (shared, mut control) = start(&settings(60_000, 60_000));
    control.ask(Ask::Stop);
    wait_for(&shared, Stage::NotReady);
    control.ask(Ask::Reload);
    control.ask(Ask::Stop);
    assert_eq!(control.wait(), 1);
    assert_eq!(shared.lifecycle.stage(), Stage::Stopped);
}

#[test]
fn dropping_the_control_ends_its_thread() {
    let (shared, control) = start(&settings(60_000, 60_000));
    drop(control);
    assert_eq!(Arc::strong_count(&shared), 1);
}

#[test]
fn a_signal_to_the_process_is_a_request() {
    let (shared, mut control) = start(&Settings { signals: true, ..settings(0, 0) });
    let send = |signal| rustix::process::kill_process(rustix::process::getpid(), signal).unwrap();
    send(rustix::process::Signal::HUP);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(shared.lifecycle.stage(), Stage::Serving, "SIGHUP ends nothing");
    send(rustix::process::Signal::TERM);
    assert_eq!(control.wait(), 0);
    assert_eq!(shared.lifecycle.stage(), Stage::Stopped);
}

#[test]
fn a_broken_certificate_is_counted_and_a_whole_one_is_taken() {
    let directory = std::env::temp_dir().join(format!("penaxtra-gateway-renew-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let write = || {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(directory.join("tls.crt"), made.cert.pem()).unwrap();
        std::fs::write(directory.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
    };
    write();
    let certificates = Arc::new(Certificates::load(CertificateSource::Directory(directory.clone())).unwrap());
    let start = clock::now();
    let counters = crate::shared::counters::ControlCounters::default();
    let counted = || (counters.certificate_reloads.value(), counters.certificate_reload_failures.value());
    let mut renewal = Renewal::new(Arc::clone(&certificates), start);
    let first = certificates.fingerprint();
    let looks = Duration::from_secs(10);
    assert_eq!(renewal.wait(start), looks);

    std::fs::write(directory.join("tls.key"), "broken").unwrap();
    renewal.turn(&counters, start + looks / 2);
    assert_eq!(counted(), (0, 0), "not yet looked at");
    renewal.turn(&counters, start + looks);
    renewal.turn(&counters, start + looks * 2);
    assert_eq!((counted(), certificates.fingerprint()), ((0, 2), first.clone()));

    write();
    renewal.turn(&counters, start + looks * 3);
    assert_eq!(counted(), (1, 2));
    assert_ne!(certificates.fingerprint(), first);
    renewal.turn(&counters, start + looks * 4);
    assert_eq!(counted(), (1, 2), "nothing has changed");
    std::fs::remove_dir_all(&directory).unwrap();
}
