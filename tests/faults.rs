//! Whole-gateway stories of faults: what a review once found broken, and what the plain stories leave out.
//!
//! As in `stories.rs`, each story starts its own gateway and drives it over sockets alone. A story that needs a
//! privilege or a tool that is not there says so on stderr and ends; none is skipped in silence.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a panic is how a test says no; tests lock and read time"
)]
#![expect(unreachable_pub, reason = "a test crate exports nothing; `pub` is what a module shows to the others")]

#[expect(dead_code, reason = "the harness is shared with the other stories, which use the rest")]
mod support;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, Signal};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{DigitallySignedStruct, HandshakeKind, ProtocolVersion, RootCertStore, SignatureScheme};

use support::certificates::{self, Leaf, shared};
use support::strict::End;
use support::upstream::After;
use support::wire::{Client, Lack, PATIENCE, Wire, holds, post, upload};
use support::{ALL, Gateway, PLAIN, PROGRAM, Setup, TLS, each, run};

const MIB: usize = 1024 * 1024;

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// The value of the series on a metrics page.
fn metric(admin: SocketAddr, series: &str) -> Option<f64> {
    let page = Client::new(Wire::connect(admin, None)).get("/metrics").text();
    let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    line.parse().ok()
}

/// A server that takes connections as they are, one thread each; for what the strict upstream would not do.
fn raw_upstream(setup: Setup, script: impl Fn(&mut Wire) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("{}://{}", if setup.tls { "https" } else { "http" }, listener.local_addr().unwrap());
    let tls = setup.tls.then(|| certificates::server(&shared().leaf));
    let script = Arc::new(script);
    thread::spawn(move || {
        for tcp in listener.incoming().map_while(Result::ok) {
            let (script, tls) = (Arc::clone(&script), tls.clone());
            thread::spawn(move || script(&mut Wire::accept(tcp, tls)));
        }
    });
    url
}

// ---- memory ------------------------------------------------------------------------------------------------------

/// Holds all the memory that long bodies may take: half-sent ones, ever smaller, until none is taken any more.
fn hold_the_memory(gateway: &Gateway) -> Vec<Client> {
    let mut held = Vec::new();
    for size in [2_000_000, 200_000, 40_000, 24_000] {
        let whole = post("/v1/held", &vec![b'a'; size]);
        loop {
            let mut client = gateway.client();
            client.try_send(&whole[..whole.len() - 10]);
            if client.end(millis(300)).is_some() {
                assert_eq!(client.answer().status, 503);
                break;
            }
            held.push(client);
            assert!(held.len() < 100, "the memory has no bound");
        }
    }
    held
}

#[test]
fn request_refused_for_memory_is_answered_once_and_ends_its_connection() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| exchange.ok(request.body.len().to_string().as_bytes()));
        let gateway = setup.gateway(&upstream, &["--memory-max=8M", "--body-max=3M"]);
        let held = hold_the_memory(&gateway);
        let big = "a".repeat(MIB);
        let pad = format!("X-A: {0}\r\nX-B: {0}\r\nX-C: {0}\r\n", "a".repeat(8 * 1024));
        let next = "POST /v1/second HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}";
        let start = "POST /v1/refused HTTP/1.1\r\nHost: a\r\n";
        let cases = [
            ("long head", format!("{start}{pad}Content-Length: 2\r\n\r\n{{}}")),
            ("long head, another behind", format!("{start}{pad}Content-Length: 2\r\n\r\n{{}}{next}{next}")),
            ("long body", format!("{start}Content-Length: {MIB}\r\n\r\n{big}")),
            ("long body, another behind", format!("{start}Content-Length: 24000\r\n\r\n{}{next}", &big[..24_000])),
            (
                "chunked",
                format!("{start}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{big}\r\n0\r\n\r\n{next}", big.len()),
            ),
        ];
        for (name, request) in cases {
            let mut client = gateway.client();
            client.try_send(request.as_bytes());
            let answer = client.answer();
            assert_eq!(answer.status, 503, "{name}");
            assert_eq!(answer.fields.one("connection").as_deref(), Some("close"), "{name}");
            assert!(client.end(PATIENCE).is_some(), "{name}: the connection stays");
            assert!(client.inbox.is_empty(), "{name}: a second answer: {:?}", String::from_utf8_lossy(&client.inbox));
        }
        drop(held);
        let whole = vec![b'a'; 2_000_000];
        let deadline = Instant::now() + PATIENCE;
        while gateway.client().post("/v1/later", &whole).status != 200 {
            assert!(Instant::now() < deadline, "the memory does not come back");
        }
        assert!(!upstream.saw("/v1/refused") && !upstream.saw("/v1/second"), "sent on after it was refused");
        gateway.finish();
    });
}

#[test]
fn half_a_request_sent_ahead_is_dropped_with_its_connection_or_not_at_all() {
    each(PLAIN, |setup| {
        let (go, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let upstream = setup.upstream(move |request, exchange| {
            if request.target == "/v1/slow" {
                let _ = wait.lock().unwrap().recv_timeout(PATIENCE);
            }
            exchange.ok(b"ok")
        });
        let gateway = setup.gateway(&upstream, &["--memory-max=1M", "--body-max=64K", "--timeout-head=60s"]);
        let smuggled = "GET /v1/smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
        let half = "x".repeat(12 * 1024);
        let mut client = gateway.client();
        client.send(b"GET /v1/slow HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(upstream.wait(PATIENCE, |seen| seen.iter().any(|connection| !connection.requests.is_empty())));
        let length = half.len() + smuggled.len();
        client.send(format!("POST /v1/half HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{half}").as_bytes());
        // Heads that never end, too long for a small buffer: each holds a block until none is left.
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX-A: {half}");
        let mut held = Vec::new();
        loop {
            let mut other = gateway.client();
            other.try_send(head.as_bytes());
            if other.end(millis(100)).is_some() {
                break;
            }
            held.push(other);
            assert!(held.len() < 100, "the memory has no bound");
        }
        go.send(()).unwrap();
        // Without memory it may be refused, or end without a word.
        match client.try_answer(false, PATIENCE) {
            Ok(answer) => assert!([200, 503].contains(&answer.status), "{}", answer.status),
            Err(Lack::Cut(_, bytes)) if bytes.is_empty() => {}
            Err(lack) => panic!("{}", support::wire::show(&lack)),
        }
        drop(held);
        thread::sleep(millis(200));
        client.try_send(smuggled.as_bytes());
        // Nothing, an end, or the answer to the whole of it: never one to its second half.
        let _ = client.try_answer(false, millis(500));
        assert!(!upstream.requests().iter().any(|request| request.target == "/v1/smuggled"), "a body became a request");
        gateway.finish();
    });
}

#[test]
fn two_thousand_waiting_bytes_cost_little_and_cut_nobody() {
    const COUNT: usize = 2000;
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    rustix::process::setrlimit(Resource::Nofile, raised).unwrap();
    for setup in PLAIN {
        let upstream = setup.upstream(|_, exchange| {
            exchange.stream();
            while exchange.chunk(b"data: 1\n\n") {
                thread::sleep(millis(20));
            }
            After::Reset
        });
        let flags = ["--memory-max=16M", "--body-max=1M", "--connections-max=4000", "--timeout-head=60s"];
        let mut gateway = setup.gateway(&upstream, &[&flags[..], &["--admin=127.0.0.1:0"]].concat());
        let admin = gateway.admin();
        let mut stream = gateway.client();
        stream.send(b"GET /v1/stream HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(stream.wait_for(b"data: 1\n\n", PATIENCE));
        let before = gateway.resident_bytes();
        let mut waiting: Vec<Client> = (0..COUNT).map(|_| gateway.client()).collect();
        for client in &mut waiting {
            client.send(b"G");
        }
        let deadline = Instant::now() + 2 * PATIENCE;
        while metric(admin, "pnx_connections_open").unwrap() < (COUNT + 1) as f64 {
            assert!(Instant::now() < deadline, "they are not accepted");
            thread::sleep(millis(20));
        }
        thread::sleep(millis(500));
        let each = gateway.resident_bytes().saturating_sub(before) / COUNT as u64;
        assert!(each < 12 * 1024, "{setup:?}: a waiting byte costs {each} bytes");
        stream.inbox.clear();
        assert!(stream.wait_for(b"data: 1\n\n", PATIENCE), "{setup:?}: the stream is cut");
        let mut last = waiting.pop().unwrap();
        assert_eq!(last.send(b"ET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").answer().status, 200, "{setup:?}");
        drop(stream);
        drop(waiting);
        gateway.finish();
    }
}

// ---- time --------------------------------------------------------------------------------------------------------

#[test]
fn dripping_body_ends_at_the_total_time() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &["--timeout-body=1s", "--timeout-total=1500ms"]);
        for framing in ["Content-Length: 1000", "Transfer-Encoding: chunked"] {
            let mut client = gateway.client();
            let started = Instant::now();
            client.send(format!("POST /v1/drip HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n").as_bytes());
            let piece: &[u8] = if framing.starts_with('C') { b"x" } else { b"1\r\nx\r\n" };
            while client.ended.is_none() && started.elapsed() < PATIENCE {
                client.try_send(piece);
                client.end(millis(50));
            }
            let took = started.elapsed();
            assert_eq!(client.answer().status, 408, "{framing}");
            assert!(took > millis(1400) && took < millis(4000), "{framing}: after {took:?}");
        }
        assert!(!upstream.saw("/v1/drip"));
        gateway.finish();
    });
}

#[test]
fn refusal_after_a_long_wait_is_still_delivered() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            exchange.ended_within(if request.target == "/v1/dies" { millis(2600) } else { PATIENCE });
            After::Close
        });
        let gateway = setup.gateway(&upstream, &["--timeout-first-byte=3s"]);
        let ask = |target: &str| gateway.client().post(target, b"{}").status;
        thread::scope(|scope| {
            let dies = scope.spawn(|| ask("/v1/dies"));
            let sleeps = scope.spawn(|| ask("/v1/sleeps"));
            assert_eq!(dies.join().unwrap_or(0), 502, "the upstream went after 2.6 s");
            assert_eq!(sleeps.join().unwrap_or(0), 504, "the upstream was silent for 3 s");
        });
        gateway.finish();
    });
}

#[test]
fn interim_answer_after_a_long_wait_is_passed_on() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|_, exchange| {
            thread::sleep(millis(900));
            exchange.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
            exchange.ok(b"ok")
        });
        let gateway = setup.gateway(&upstream, &["--timeout-idle=500ms", "--timeout-first-byte=5s"]);
        let answer = gateway.client().post("/v1/a", b"{}");
        assert_eq!((answer.status, answer.interim), (200, vec![103]));
        gateway.finish();
    });
}

#[test]
fn empty_line_behind_a_body_is_no_request() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &["--timeout-head=300ms"]);
        let mut client = gateway.client();
        for _ in 0..2 {
            assert_eq!(client.send(&[&post("/v1/a", b"{}")[..], b"\r\n"].concat()).answer().status, 200);
        }
        assert_ne!(client.end(millis(1500)), Some(End::Reset));
        assert!(client.inbox.is_empty(), "nobody asked: {:?}", String::from_utf8_lossy(&client.inbox));
        gateway.finish();
    });
}

// ---- floods ------------------------------------------------------------------------------------------------------

/// What goes on while the flood lasts: other connections are answered, and fast.
fn undisturbed(gateway: &Gateway, flood: impl FnOnce() -> bool + Send) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let flooding = scope.spawn(|| {
            let ended = flood();
            done.store(true, Ordering::Relaxed);
            ended
        });
        let mut client = gateway.client();
        let mut asked = 0;
        while asked < 20 || !done.load(Ordering::Relaxed) {
            let started = Instant::now();
            assert_eq!(client.get("/v1/a").status, 200);
            assert!(started.elapsed() < Duration::from_secs(1), "answered after {:?}", started.elapsed());
            asked += 1;
        }
        assert!(flooding.join().unwrap(), "the flood is borne for ever");
    });
}

#[test]
fn endless_key_updates_end_their_connection_alone() {
    each(TLS, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &[]);
        let mut flood = gateway.client();
        assert_eq!(flood.get("/v1/a").status, 200);
        undisturbed(&gateway, || {
            let deadline = Instant::now() + PATIENCE;
            while Instant::now() < deadline {
                if flood.wire.session().refresh_traffic_keys().is_err() || flood.wire.send(b"").is_err() {
                    return true;
                }
                if flood.end(Duration::ZERO).is_some() {
                    return true;
                }
            }
            false
        });
        gateway.finish();
    });
}

#[test]
fn endless_records_without_a_meaning_end_their_connection_alone() {
    each(TLS, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &["--timeout-tls=60s"]);
        // Bytes of a handshake one by one, change_cipher_spec again and again, and a long message that never ends.
        let floods =
            [&b"\x16\x03\x01\x00\x01\x01"[..], b"\x14\x03\x03\x00\x01\x01", b"\x16\x03\x03\x00\x04\x01\xff\xff\xff"];
        for record in floods {
            let mut flood = gateway.plain_client();
            flood.try_send(b"\x16\x03\x01\x00\x04\x01\x00\xff\xff");
            let piece = record.repeat(100);
            undisturbed(&gateway, || {
                let deadline = Instant::now() + PATIENCE;
                while Instant::now() < deadline {
                    if flood.wire.send(&piece).is_err() || flood.end(Duration::ZERO).is_some() {
                        return true;
                    }
                }
                false
            });
        }
        gateway.finish();
    });
}

#[test]
fn thousands_of_connection_options_are_refused_at_once() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &[]);
        let options = vec!["a"; 15_000].join(",");
        let fields: String = (0..100).map(|index| format!("x{index}:\r\n")).collect();
        let started = Instant::now();
        let mut client = gateway.client();
        client.send(format!("GET /v1/a HTTP/1.1\r\nHost: a\r\nConnection: {options}\r\n{fields}\r\n").as_bytes());
        assert_eq!(client.answer().status, 400);
        assert!(started.elapsed() < Duration::from_secs(1), "after {:?}", started.elapsed());
        assert!(client.end(PATIENCE).is_some());
        assert!(upstream.connections().is_empty());
        gateway.finish();
    });
}

#[test]
fn two_hundred_pipelined_requests_are_answered_in_order() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        let one = |index: usize| match index % 3 {
            0 => format!(
                "POST /v1/{index} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
            ),
            1 => format!("POST /v1/{index} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{{}}"),
            _ => format!("GET /v1/{index} HTTP/1.1\r\nHost: a\r\n\r\n"),
        };
        client.send((0..200).map(one).collect::<String>().as_bytes());
        for index in 0..200 {
            assert!(client.answer().text().ends_with(&format!(" /v1/{index}")), "{index}");
        }
        assert_eq!(upstream.requests().len(), 200);
        gateway.finish();
    });
}

#[test]
fn requests_sent_ahead_of_a_slow_answer_are_kept_whole() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            if request.target != "/v1/slow" {
                return exchange.ok(&request.body);
            }
            exchange.stream();
            for _ in 0..15 {
                exchange.chunk(b"data: 1\n\n");
                thread::sleep(millis(30));
            }
            exchange.send(b"0\r\n\r\n");
            After::Keep
        });
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        client.send(b"GET /v1/slow HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(client.wait_for(b"data: 1\n\n", PATIENCE));
        // More than is read ahead: the rest waits in the kernel.
        let bodies: Vec<String> = (0..100).map(|index| format!("{index:0>1000}")).collect();
        for body in &bodies {
            client.send(&post("/v1/next", body.as_bytes()));
        }
        assert_eq!(client.answer().text().matches("data: 1").count(), 15);
        for body in &bodies {
            assert_eq!(&client.answer().text(), body);
        }
        gateway.finish();
    });
}

// ---- the way to the upstream -------------------------------------------------------------------------------------

#[test]
fn paths_that_leave_the_prefix_are_refused() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway_to(&format!("{}/base", upstream.url()), &[]);
        let targets = [
            "/..%2f..%2fadmin",
            "/..;/x",
            "/a/%2e%2e/b",
            "/..",
            "/a/../b",
            "/%2e%2E/x",
            "/a/..%5cb",
            "/./a",
            "/a/.%2E",
        ];
        for target in targets {
            assert_eq!(gateway.client().get(target).status, 400, "{target}");
        }
        assert!(upstream.connections().is_empty());
        for target in ["/a/..b", "/v1/x?y=../z", "/.well-known/a", "/a...", "/%2e2"] {
            assert_eq!(gateway.client().get(target).text(), format!("GET /base{target}"));
        }
        gateway.finish();
    });
}

#[test]
fn answer_that_comes_before_the_upload_is_over_reaches_the_client() {
    each(ALL, |setup| {
        // The rest is not read; the socket stays a while so that the answer is not lost, or is closed at once.
        for stays in [millis(1500), Duration::ZERO] {
            let url = raw_upstream(setup, move |wire| {
                wire.receive(&mut [0; 64 * 1024], PATIENCE);
                let head = "HTTP/1.1 413 Payload Too Large\r\nConnection: close\r\nContent-Length: 9\r\n\r\n";
                let _ = wire.send(format!("{head}too large").as_bytes());
                wire.finish();
                thread::sleep(stays);
            });
            let gateway = setup.gateway_to(&url, &["--body-max=32M", "--memory-max=128M"]);
            let mut client = gateway.client();
            let answer = client.send(&upload("/v1/files", &vec![b'a'; 20 * MIB])).answer();
            assert_eq!((answer.status, answer.text().as_str()), (413, "too large"), "{stays:?}");
            assert_eq!(client.get("/healthz").status, 200, "and its connection goes on");
            gateway.finish();
        }
    });
}

#[test]
fn upstream_that_hangs_up_is_502_at_once() {
    each(ALL, |setup| {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let scheme = if setup.tls { "https" } else { "http" };
        let hangs_up = raw_upstream(Setup { tls: false, ..setup }, |_| {});
        let hangs_up = format!("{scheme}://{}", hangs_up.rsplit('/').next().unwrap());
        for url in [format!("{scheme}://{free}"), hangs_up] {
            let gateway = setup.gateway_to(&url, &[]);
            let mut client = gateway.client();
            for _ in 0..3 {
                let started = Instant::now();
                assert_eq!(client.post("/v1/a", b"{}").status, 502);
                assert!(started.elapsed() < Duration::from_secs(2), "after {:?}", started.elapsed());
            }
            gateway.finish();
        }
    });
}

#[test]
fn via_and_forwarded_say_what_the_upstream_may_know() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let quiet = setup.gateway(&upstream, &[]);
        let answer = quiet.client().get("/v1/quiet");
        assert!(!answer.fields.has("via"));
        quiet.finish();
        let gateway = setup.gateway(&upstream, &["--via", "--forwarded"]);
        let answer = gateway.client().get("/v1/told");
        assert_eq!(answer.fields.one("via").as_deref(), Some("1.1 penaxtra-gateway"));
        gateway.finish();
        let seen = |target: &str| upstream.requests_where(|request| request.target == target).remove(0).fields;
        assert!(!seen("/v1/quiet").has("via") && !seen("/v1/quiet").has("forwarded"));
        let told = seen("/v1/told");
        assert_eq!(told.one("via").as_deref(), Some("1.1 penaxtra-gateway"));
        let expected = if setup.tls { "for=127.0.0.1;proto=https" } else { "for=127.0.0.1;proto=http" };
        assert_eq!(told.one("forwarded").as_deref(), Some(expected));
    });
}

// ---- the end -----------------------------------------------------------------------------------------------------

#[test]
fn old_client_sees_every_cut_as_a_reset() {
    each(ALL, |setup| {
        for cause in ["upstream", "drain timeout", "second signal"] {
            let upstream = setup.upstream(move |_, exchange| {
                exchange.stream();
                exchange.chunk(b"data: 1\n\n");
                if cause == "upstream" {
                    thread::sleep(millis(200));
                    return After::Close;
                }
                exchange.ended_within(PATIENCE);
                After::Reset
            });
            let drain = if cause == "drain timeout" { "--drain-timeout=300ms" } else { "--drain-timeout=60s" };
            let mut gateway = setup.gateway(&upstream, &[drain]);
            let mut client = gateway.client();
            client.send(b"GET /v1/a HTTP/1.0\r\n\r\n");
            assert!(client.wait_for(b"data: 1\n\n", PATIENCE), "{cause}");
            if cause != "upstream" {
                gateway.signal(Signal::TERM);
            }
            if cause == "second signal" {
                assert!(gateway.wait(millis(300)).is_none());
                gateway.signal(Signal::TERM);
            }
            let end = client.end(PATIENCE).expect("the connection ends");
            assert_ne!(end, End::Clean, "{cause}: a cut answer looks whole");
            if cause == "upstream" {
                gateway.finish();
            }
        }
    });
}

#[test]
fn drain_under_load_answers_what_the_upstream_saw() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            thread::sleep(millis(if request.target.ends_with("7/") { 300 } else { 2 }));
            exchange.ok(request.target.as_bytes())
        });
        let mut gateway = setup.gateway(&upstream, &["--drain-timeout=20s"]);
        let (report, reports) = mpsc::channel();
        let lost: Vec<String> = thread::scope(|scope| {
            let work = |number: usize, report: mpsc::Sender<()>| {
                let mut client = gateway.client();
                for index in 0.. {
                    let target = format!("/v1/{number}/{index}/");
                    let sent = client.wire.send(&post(&target, b"{}"));
                    let got = client.try_answer(false, PATIENCE);
                    match got {
                        Ok(answer) => assert_eq!((answer.status, answer.text()), (200, target)),
                        Err(Lack::Cut(_, bytes)) if bytes.is_empty() => return Some(target),
                        Err(lack) => panic!("{target} ({sent:?}): {}", support::wire::show(&lack)),
                    }
                    let _ = report.send(());
                }
                None
            };
            let clients: Vec<_> = (0..32).map(|number| (number, report.clone())).collect();
            let clients: Vec<_> = clients.into_iter().map(|(n, report)| scope.spawn(move || work(n, report))).collect();
            for _ in 0..320 {
                reports.recv_timeout(PATIENCE).unwrap();
            }
            gateway.signal(Signal::TERM);
            clients.into_iter().filter_map(|client| client.join().unwrap()).collect()
        });
        assert_eq!(gateway.wait(PATIENCE).and_then(|status| status.code()), Some(0));
        gateway.finish();
        let seen: Vec<String> = upstream.requests().into_iter().map(|request| request.target).collect();
        let unanswered: Vec<&String> = lost.iter().filter(|target| seen.contains(target)).collect();
        assert!(unanswered.is_empty(), "the upstream saw them, their clients no answer: {unanswered:?}");
    });
}

/// False where the gateway was faster than the test, and nobody was in the queue when the listener closed.
fn queue_at_the_end(setup: Setup) -> bool {
    let upstream = setup.echo();
    let mut gateway = setup.gateway(&upstream, &["--drain-timeout=5s"]);
    let mut busy = gateway.client();
    assert_eq!(busy.get("/v1/a").status, 200);
    gateway.signal(Signal::TERM);
    assert!(gateway.says("no new connections"));
    // The workers are told, and have not turned yet: what connects now is in the queue when they close the listener.
    gateway.signal(Signal::STOP);
    let request = b"GET /v1/queued HTTP/1.1\r\nHost: a\r\n\r\n";
    let config = setup.tls.then(|| shared().authority.client(None));
    let mut clients = Vec::new();
    while clients.len() < 200
        && let Ok(tcp) = TcpStream::connect(gateway.address)
    {
        let mut client = Client::new(Wire::client(tcp, config.clone(), "localhost"));
        if !setup.tls {
            client.send(request);
        }
        clients.push(client);
    }
    gateway.signal(Signal::CONT);
    for (index, client) in clients.iter_mut().enumerate() {
        if setup.tls {
            client.try_send(request);
        }
        match client.try_answer(false, Duration::from_secs(8)) {
            Ok(answer) => assert_eq!(answer.status, 200),
            // Its handshake or its request came after the end of new requests; it may go elsewhere.
            Err(Lack::Cut(_, bytes)) if bytes.is_empty() && setup.tls => {}
            Err(lack) => panic!("{index}: {}", support::wire::show(&lack)),
        }
    }
    assert_eq!(gateway.wait(PATIENCE).and_then(|status| status.code()), Some(0));
    gateway.finish();
    clients.len() == 200
}

#[test]
fn connections_in_the_queue_when_the_listener_closes_are_not_lost() {
    each(ALL, |setup| assert!((0..5).any(|_| queue_at_the_end(setup)), "the queue was always empty"));
}

// ---- TLS ---------------------------------------------------------------------------------------------------------

/// What the kubelet does: a new version beside the old one, then one rename.
fn mount(folder: &Path, version: usize, leaf: &Leaf) {
    let name = format!("..version-{version}");
    fs::create_dir(folder.join(&name)).unwrap();
    leaf.write(&folder.join(&name));
    symlink(&name, folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    if version > 0 {
        fs::remove_dir_all(folder.join(format!("..version-{}", version - 1))).unwrap();
    }
}

#[test]
fn mounted_secret_is_swapped_under_load() {
    each(TLS, |setup| {
        let folder = certificates::folder();
        let leaves = [0, 1].map(|_| shared().authority.sign("gateway", certificates::NAMES));
        mount(&folder, 0, &leaves[0]);
        for name in ["tls.crt", "tls.key"] {
            symlink(format!("..data/{name}"), folder.join(name)).unwrap();
        }
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &[&format!("--tls-dir={}", folder.display())]);
        let ask = || {
            let mut client = gateway.client();
            assert_eq!(client.get("/v1/a").status, 200);
            client.wire.session().peer_certificates().unwrap()[0].clone()
        };
        let (stop, last) = (AtomicBool::new(false), Instant::now() + 3 * PATIENCE);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) && Instant::now() < last {
                        ask();
                    }
                });
            }
            for version in 1..8 {
                let leaf = &leaves[version % 2];
                mount(&folder, version, leaf);
                gateway.signal(Signal::HUP);
                let deadline = Instant::now() + PATIENCE;
                while ask() != leaf.chain()[0] {
                    assert!(Instant::now() < deadline, "version {version} is not served");
                }
            }
            stop.store(true, Ordering::Relaxed);
        });
        let log = gateway.finish();
        assert!(!log.contains("was not reloaded"), "{log}");
    });
}

#[test]
fn sessions_are_resumed_and_older_clients_served() {
    each(TLS, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &[]);
        for version in [&TLS13, &TLS12] {
            let mut roots = RootCertStore::empty();
            shared().authority.add_to(&mut roots);
            let config = certificates::client_of(roots, &[version]);
            for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
                let mut client = gateway.tls_client(Arc::clone(&config));
                assert_eq!(client.get("/v1/a").status, 200);
                assert_eq!(client.wire.session().protocol_version(), Some(version.version));
                assert_eq!(client.wire.session().handshake_kind(), Some(expected), "{:?}", version.version);
            }
        }
        assert_eq!(TLS13.version, ProtocolVersion::TLSv1_3);
        gateway.finish();
    });
}

/// Takes every certificate and remembers it.
#[derive(Debug)]
struct Witness(Mutex<Option<CertificateDer<'static>>>);

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.0.lock().unwrap() = Some(leaf.clone().into_owned());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::ED25519, SignatureScheme::RSA_PSS_SHA256]
    }
}

#[test]
fn self_signed_certificate_is_good_for_its_names() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &["--tls-san=gateway.test,192.0.2.7"]);
        let mut roots = RootCertStore::empty();
        let witness = Arc::new(Witness(Mutex::new(None)));
        let mut curious = (*certificates::client_of(RootCertStore::empty(), &[&TLS13])).clone();
        curious.dangerous().set_certificate_verifier(Arc::<Witness>::clone(&witness));
        assert_eq!(gateway.tls_client(Arc::new(curious)).get("/v1/a").status, 200);
        let leaf = witness.0.lock().unwrap().take().unwrap();
        roots.add(leaf).unwrap();
        let config = certificates::client_of(roots, &[&TLS13]);
        let serves = |name: &str| {
            let mut client = Client::new(Wire::connect_as(gateway.address, Some(Arc::clone(&config)), name));
            client.try_send(b"GET /v1/a HTTP/1.1\r\nHost: a\r\n\r\n");
            client.try_answer(false, PATIENCE).is_ok_and(|answer| answer.status == 200)
        };
        for name in ["localhost", "127.0.0.1", "::1", "gateway.test", "192.0.2.7"] {
            assert!(serves(name), "{name}");
        }
        assert!(!serves("elsewhere.test"));
        assert!(gateway.finish().contains("self-signed"), "it warns");
    });
}

// ---- the command line --------------------------------------------------------------------------------------------

#[test]
fn self_signed_start_can_be_forbidden() {
    let flags = ["--listen=127.0.0.1:0", "--upstream=http://127.0.0.1:9", "--require-tls-cert"];
    let (code, text) = run(&flags);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("require-tls-cert") && text.contains("tls-cert"), "{text}");
}

#[test]
fn plain_http_is_proxied_where_it_may_be() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let cases = [
            (&["--listen=127.0.0.1:0"][..], 200),
            (&["--listen=127.0.0.1:0", "--plaintext=deny"], 421),
            (&["--listen=0.0.0.0:0"], 421),
            (&["--listen=0.0.0.0:0", "--plaintext=allow"], 200),
        ];
        for (flags, expected) in cases {
            let gateway = setup.gateway(&upstream, flags);
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, gateway.address.port()));
            let client = || Client::new(Wire::connect(address, None));
            assert_eq!(client().post("/v1/a", b"{}").status, expected, "{flags:?}");
            assert_eq!(client().get("/healthz").status, 200, "{flags:?}");
            gateway.finish();
        }
    });
}

#[test]
fn every_address_and_every_worker_serves() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        // Two connections for each worker: who serves four has two workers at work.
        let flags = ["--listen=127.0.0.1:0,127.0.0.1:0", "--listen=[::1]:0", "--workers=2", "--connections-max=4"];
        let mut gateway = setup.gateway(&upstream, &[&flags[..], &["--admin=127.0.0.1:0"]].concat());
        let admin = gateway.admin();
        assert_eq!(metric(admin, "pnx_workers"), Some(2.0));
        let addresses = gateway.addresses();
        assert_eq!(addresses.len(), 3, "{addresses:?}");
        for address in addresses {
            let answered = |client: &mut Client| {
                client.try_send(b"GET /v1/a HTTP/1.1\r\nHost: a\r\n\r\n");
                client.try_answer(false, Duration::from_secs(2)).is_ok_and(|answer| answer.status == 200)
            };
            let mut clients: Vec<Client> = (0..40).map(|_| Client::new(Wire::connect(address, None))).collect();
            let served = clients.iter_mut().filter_map(|client| answered(client).then_some(())).count();
            assert_eq!(served, 4, "{address}");
            drop(clients);
            let deadline = Instant::now() + PATIENCE;
            while metric(admin, "pnx_connections_open") != Some(0.0) {
                assert!(Instant::now() < deadline, "they stay open");
                thread::sleep(millis(10));
            }
        }
        gateway.finish();
    });
}

#[test]
fn gateway_without_a_ring_serves_on_epoll_or_says_why_not() {
    let usable = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let command = |program: &str| {
        let mut command = Command::new("prlimit");
        command.args(["--memlock=0:0", "setpriv", "--reuid=65534", "--clear-groups", program]);
        command
    };
    // Where nobody but root may reach the build's folder, a copy is run.
    let copy = std::env::temp_dir().join(format!("penaxtra-gateway-{}", std::process::id()));
    if !rustix::process::getuid().is_root() || !usable("prlimit") || !usable("setpriv") {
        eprintln!("skipped: needs root, prlimit and setpriv to take the locked memory away");
        return;
    }
    fs::copy(PROGRAM, &copy).unwrap();
    let program = copy.to_str().unwrap();
    let upstream = PLAIN[0].echo();
    let flags = |more: &[&str]| {
        let url = format!("--upstream={}", upstream.url());
        [&[url.as_str()], more].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let auto = Setup { driver: "auto", tls: false };
    let mut gateway = Gateway::launch(auto, command(program), &flags(&["--admin=127.0.0.1:0"])).expect("it starts");
    let admin = gateway.admin();
    let epoll = metric(admin, "pnx_io_driver{driver=\"epoll\"}");
    assert_eq!(gateway.client().get("/v1/a").status, 200);
    let log = gateway.finish();
    if epoll.is_none() {
        eprintln!("skipped: this kernel builds a ring without locked memory");
    } else {
        assert_eq!(epoll, Some(1.0));
        assert!(log.contains("no io_uring here") && log.contains("RLIMIT_MEMLOCK"), "{log}");
        let hard = Setup { driver: "uring", tls: false };
        let Err((status, log)) = Gateway::launch(hard, command(program), &flags(&[])) else { panic!("it started") };
        assert_eq!(status.and_then(|status| status.code()), Some(2), "{log}");
        assert!(log.contains("io_uring"), "{log}");
    }
    let _ = fs::remove_file(copy);
}

#[test]
fn healthcheck_tells_by_its_exit_code() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let mut gateway = setup.gateway(&upstream, &["--drain-delay=4s"]);
        let scheme = if setup.tls { "https" } else { "http" };
        let ask = |path: &str| run(&["healthcheck", &format!("--url={scheme}://{}{path}", gateway.address)]);
        for path in ["", "/healthz", "/readyz", "/livez"] {
            assert_eq!(ask(path).0, Some(0), "{path:?}: {}", ask(path).1);
        }
        gateway.signal(Signal::TERM);
        thread::sleep(millis(300));
        for (path, code) in [("", 1), ("/readyz", 1), ("/livez", 0)] {
            assert_eq!(ask(path).0, Some(code), "draining, {path:?}: {}", ask(path).1);
        }
        assert!(gateway.wait(PATIENCE).is_some());
        let closed = format!("--url={scheme}://{}", gateway.address);
        assert_eq!(run(&["healthcheck", &closed]).0, Some(1), "nobody listens");
        gateway.finish();
    });
}

#[test]
fn configuration_is_checked_by_exit_code() {
    let (code, text) = run(&["check-config", "--upstream=https://a.test/base"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("https://a.test/base"), "{text}");
    assert_eq!(run(&["check-config"]).0, Some(2), "no upstream");
    assert_eq!(run(&["check-config", "--upstream=https://a.test", "--timeout-head=soon"]).0, Some(2));
}

#[test]
fn demo_tells_its_story_once() {
    let (code, text) = run(&["demo", "--once", "--delay-ms=0", "--listen=127.0.0.1:0"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("7 of 7 calls") && text.contains("7 of 7 scenes"), "{text}");
    assert!(text.contains("curl -N http://127.0.0.1:"), "{text}");
}

// ---- what is never told ------------------------------------------------------------------------------------------

#[test]
fn nothing_of_a_request_is_in_the_log_or_on_the_metrics_page() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            if request.target.contains("cut") {
                exchange.stream();
                exchange.chunk(b"data: canary\n\n");
                return After::Reset;
            }
            if request.target.contains("bad") {
                exchange.send(b"HTTP/1.1 200 OK\r\nX-A: canary\r\nContent-Length: canary\r\n\r\n");
                return After::Close;
            }
            exchange.ok(b"canary")
        });
        let flags = ["--log=debug", "--via", "--forwarded", "--timeout-body=300ms", "--admin=127.0.0.1:0"];
        let mut gateway = setup.gateway(&upstream, &flags);
        let admin = gateway.admin();
        let fields =
            "Host: canary.test\r\nAuthorization: Bearer canary\r\nX-Request-Id: canary\r\nCookie: canary=canary";
        let requests = [
            format!("POST /v1/canary?canary HTTP/1.1\r\n{fields}\r\nContent-Length: 6\r\n\r\ncanary"),
            format!("POST /v1/canary/cut HTTP/1.1\r\n{fields}\r\nContent-Length: 6\r\n\r\ncanary"),
            format!("POST /v1/canary/bad HTTP/1.1\r\n{fields}\r\nContent-Length: 6\r\n\r\ncanary"),
            format!("POST /v1/canary HTTP/1.1\r\n{fields}\r\nContent-Length: 60\r\n\r\ncanary"),
            format!("POST /v1/canary HTTP/1.1\r\n{fields}\r\nTransfer-Encoding: chunked\r\n\r\ncanary\r\n"),
            format!("POST /v1/canary HTTP/1.1\r\n{fields}\r\nTransfer-Encoding: canary\r\n\r\ncanary"),
            format!("CANARY /canary HTTP/1.1\r\n{fields}\r\nContent-Length: canary\r\n\r\n"),
            "canary canary canary canary\r\n\r\n".to_owned(),
            format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "canary".repeat(2000)),
        ];
        for request in requests {
            let mut client = gateway.client();
            client.try_send(request.as_bytes());
            let _ = client.try_answer(false, Duration::from_secs(3));
        }
        let mut named = Wire::connect_as(gateway.address, Some(shared().authority.client(None)), "canary.test");
        let _ = named.send(b"GET / HTTP/1.1\r\n\r\n");
        let page = Client::new(Wire::connect(admin, None)).get("/metrics").text();
        assert!(page.contains("pnx_refusals_total"), "{page}");
        let log = gateway.finish();
        for (name, text) in [("metrics", page), ("log", log)] {
            let text = text.to_ascii_lowercase();
            assert!(!holds(text.as_bytes(), b"canary"), "{name}: {text}");
        }
    });
}
