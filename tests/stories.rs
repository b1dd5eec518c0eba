//! Whole-gateway stories: an upstream, a gateway, an ask, an expectation; plain and TLS, on both drivers.
//!
//! Each story starts its own gateway and drives it over sockets alone. A story never sleeps to make something true:
//! it waits for what must happen, and sleeps only where time itself is the subject.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a panic is how a test says no; tests lock and read time"
)]
#![expect(unreachable_pub, reason = "a test crate exports nothing; `pub` is what a module shows to the others")]

#[expect(dead_code, reason = "the harness is shared with the tables, which use the rest")]
mod support;

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use support::certificates::{self, Authority, shared};
use support::strict::{End, Framing};
use support::upstream::{After, Upstream};
use support::wire::{Answer, Client, Lack, PATIENCE, holds, post, upload};
use support::{ALL, Gateway, PLAIN, Setup, TLS, each, run};

const MIB: usize = 1024 * 1024;

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// An answer of the gateway's own, in the words of the API that the path belongs to.
fn in_dialect(answer: &Answer, target: &str) {
    let body = answer.json();
    let error = &body["error"];
    assert!(error["message"].is_string() && error["type"].is_string(), "{target}: {body}");
    if target.starts_with("/v1/messages") {
        assert_eq!(body["type"], "error", "{target}: {body}");
        assert_eq!(body["request_id"].as_str(), answer.fields.one("x-request-id").as_deref(), "{target}: {body}");
    } else {
        assert!(error.get("param").is_some_and(serde_json::Value::is_null), "{target}: {body}");
        assert!(error.get("code").is_some(), "{target}: {body}");
    }
    assert_eq!(answer.fields.one("content-type").as_deref(), Some("application/json"), "{target}");
    assert!(answer.fields.has("x-request-id"), "{target}");
}

fn is_cut(got: Result<Answer, Lack>) -> bool {
    matches!(got, Err(Lack::Cut(..)))
}

// ---- connections and the pool ------------------------------------------------------------------------------------

#[test]
fn keep_alive_serves_many_requests_on_one_connection() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        for index in 0..20 {
            let target = format!("/v1/{index}");
            assert_eq!(client.get(&target).text(), format!("GET {target}"));
            assert_eq!(client.post(&target, b"{}").text(), format!("POST {target}"));
        }
        assert_eq!(upstream.connections().len(), 1, "the pooled connection is used again");
        gateway.finish();
    });
}

#[test]
fn connections_of_several_clients_share_the_pool() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &[]);
        for index in 0..5 {
            assert_eq!(gateway.client().get(&format!("/v1/{index}")).status, 200);
            // The answer is here before its connection is back in the pool.
            thread::sleep(millis(20));
        }
        assert_eq!(upstream.connections().len(), 1);
        gateway.finish();
    });
}

#[test]
fn pipelined_answers_keep_their_order() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            if request.target.ends_with("slow") {
                thread::sleep(millis(100));
            }
            exchange.ok(request.target.as_bytes())
        });
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        let targets = ["/v1/slow", "/v1/fast", "/v1/2/slow", "/v1/last"];
        let all: String = targets.iter().map(|target| format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")).collect();
        client.send(all.as_bytes());
        for target in targets {
            assert_eq!(client.answer().text(), target);
        }
        gateway.finish();
    });
}

#[test]
fn stale_pooled_connection_is_replaced() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            exchange.ok(request.target.as_bytes());
            After::Close
        });
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        for index in 0..3 {
            let target = format!("/v1/{index}");
            assert_eq!(client.post(&target, b"{}").text(), target);
            thread::sleep(millis(50));
        }
        assert_eq!(upstream.requests().len(), 3);
        assert_eq!(upstream.connections().len(), 3);
        gateway.finish();
    });
}

#[test]
fn reset_pooled_connection_is_replaced() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            exchange.ok(request.target.as_bytes());
            thread::sleep(millis(30));
            After::Reset
        });
        let gateway = setup.gateway(&upstream, &[]);
        for index in 0..3 {
            let target = format!("/v1/{index}");
            assert_eq!(gateway.client().post(&target, b"{}").text(), target);
            thread::sleep(millis(80));
        }
        assert_eq!(upstream.requests().len(), 3);
        gateway.finish();
    });
}

#[test]
fn request_that_the_upstream_read_is_never_sent_again() {
    each(ALL, |setup| {
        let upstream = setup.upstream(
            |request, exchange| {
                if request.target == "/v1/die" { After::Close } else { exchange.ok(b"ok") }
            },
        );
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        assert_eq!(client.post("/v1/first", b"{}").status, 200);
        let answer = client.post("/v1/die", b"{}");
        assert_eq!(answer.status, 502);
        in_dialect(&answer, "/v1/die");
        assert_eq!(upstream.requests_where(|request| request.target == "/v1/die").len(), 1, "sent once");
        gateway.finish();
    });
}

#[test]
fn unasked_data_on_a_pooled_connection_reaches_nobody() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            exchange.ok(request.target.as_bytes());
            thread::sleep(millis(50));
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
            After::Keep
        });
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        for index in 0..4 {
            let target = format!("/v1/{index}");
            assert_eq!(client.get(&target).text(), target);
            thread::sleep(millis(120));
        }
        gateway.finish();
    });
}

#[test]
fn idle_upstream_connection_is_closed_after_its_time() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &["--pool-idle=300ms"]);
        assert_eq!(gateway.client().get("/v1/a").status, 200);
        assert!(upstream.wait(Duration::from_secs(4), |seen| seen[0].ended.is_some()), "the idle connection stays");
        assert_eq!(gateway.client().get("/v1/b").status, 200);
        gateway.finish();
    });
}

#[test]
fn idle_client_is_closed_after_its_time() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &["--keep-alive=300ms"]);
        let mut client = gateway.client();
        assert_eq!(client.get("/v1/a").status, 200);
        assert_eq!(client.end(Duration::from_secs(4)), Some(End::Clean));
        assert!(client.inbox.is_empty(), "nothing is said to an idle client: {:?}", client.inbox);
        gateway.finish();
    });
}

// ---- answers that end badly or slowly ----------------------------------------------------------------------------

#[test]
fn upstream_killed_mid_stream_breaks_the_framing() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            if request.target.contains("length") {
                exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 1000\r\n\r\n");
                exchange.send(b"data: 1\n\n");
            } else {
                exchange.stream();
                exchange.chunk(b"data: 1\n\n");
            }
            thread::sleep(millis(100));
            if request.target.ends_with("reset") { After::Reset } else { After::Close }
        });
        let gateway = setup.gateway(&upstream, &[]);
        for target in ["/v1/length/reset", "/v1/length/close", "/v1/chunks/reset", "/v1/chunks/close"] {
            let mut client = gateway.client();
            client.send(format!("GET {target} HTTP/1.1\r\nHost: a.test\r\n\r\n").as_bytes());
            assert!(client.wait_for(b"data: 1\n\n", PATIENCE), "{target}: the event comes before the cut");
            let got = client.try_answer(false, PATIENCE);
            assert!(is_cut(got), "{target}: a cut answer was relayed as complete, or not ended");
        }
        assert_eq!(gateway.client().get("/healthz").status, 200);
        gateway.finish();
    });
}

#[test]
fn cut_answer_is_visible_to_an_old_client_too() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|_, exchange| {
            exchange.stream();
            exchange.chunk(b"data: 1\n\n");
            thread::sleep(millis(100));
            After::Close
        });
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        client.send(b"GET /v1/a HTTP/1.0\r\n\r\n");
        let end = client.end(PATIENCE).expect("the connection ends");
        assert_ne!(end, End::Clean, "without a length, only a reset says that the answer was cut");
        gateway.finish();
    });
}

#[test]
fn old_client_reads_a_chunked_answer_until_the_end() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|_, exchange| {
            exchange.stream();
            exchange.chunk(b"data: 1\n\n");
            exchange.chunk(b"data: 2\n\n");
            exchange.send(b"0\r\n\r\n");
            After::Keep
        });
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        client.send(b"GET /v1/a HTTP/1.0\r\n\r\n");
        let answer = client.answer();
        assert!(!answer.fields.has("transfer-encoding"), "HTTP/1.0 knows no chunks");
        assert_eq!(answer.text(), "data: 1\n\ndata: 2\n\n");
        gateway.finish();
    });
}

#[test]
fn tls_upstream_that_ends_without_close_notify_is_cut() {
    each(TLS, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhalf the truth");
            if request.target == "/v1/whole" { After::Close } else { After::Truncate }
        });
        let gateway = setup.gateway(&upstream, &[]);
        assert_eq!(gateway.client().get("/v1/whole").text(), "half the truth");
        let mut client = gateway.client();
        client.send(b"GET /v1/half HTTP/1.1\r\nHost: a.test\r\n\r\n");
        match client.try_answer(false, PATIENCE) {
            Ok(answer) => assert_eq!(answer.status, 502, "truncated, but relayed as complete"),
            Err(Lack::Cut(..)) => {}
            Err(other) => panic!("{other:?}"),
        }
        gateway.finish();
    });
}

#[test]
fn slow_upstream_is_504_in_the_dialect_of_the_path() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|_, exchange| {
            exchange.ended_within(PATIENCE);
            After::Close
        });
        let gateway = setup.gateway(&upstream, &["--timeout-first-byte=300ms"]);
        for target in ["/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens"] {
            let started = Instant::now();
            let answer = gateway.client().post(target, b"{}");
            assert_eq!(answer.status, 504, "{target}");
            in_dialect(&answer, target);
            assert!(started.elapsed() >= millis(290), "{target}: too early");
        }
        let ended = |seen: &[support::upstream::Seen]| seen.iter().all(|connection| connection.ended.is_some());
        assert!(upstream.wait(Duration::from_secs(2), ended), "the upstream is left before its answer is");
        gateway.finish();
    });
}

#[test]
fn stream_that_falls_silent_is_cut() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|_, exchange| {
            exchange.stream();
            for _ in 0..5 {
                exchange.chunk(b"data: 1\n\n");
                thread::sleep(millis(150));
            }
            exchange.ended_within(PATIENCE);
            After::Close
        });
        let gateway = setup.gateway(&upstream, &["--timeout-idle=500ms"]);
        let mut client = gateway.client();
        client.send(b"GET /v1/a HTTP/1.1\r\nHost: a.test\r\n\r\n");
        assert!(is_cut(client.try_answer(false, Duration::from_secs(6))), "silence ends the answer");
        assert_eq!(client.inbox.windows(8).filter(|window| window == b"data: 1\n").count(), 5, "slow is not silent");
        gateway.finish();
    });
}

#[test]
fn stream_over_its_total_time_is_cut() {
    each(PLAIN, |setup| {
        let upstream = setup.upstream(|_, exchange| {
            exchange.stream();
            while exchange.chunk(b"data: 1\n\n") {
                thread::sleep(millis(30));
            }
            After::Close
        });
        let gateway = setup.gateway(&upstream, &["--timeout-total=700ms"]);
        let mut client = gateway.client();
        let started = Instant::now();
        client.send(b"GET /v1/a HTTP/1.1\r\nHost: a.test\r\n\r\n");
        assert!(is_cut(client.try_answer(false, Duration::from_secs(6))));
        assert!(started.elapsed() > millis(650), "too early");
        gateway.finish();
    });
}

#[test]
fn unreachable_upstream_is_502_in_the_dialect_of_the_path() {
    each(ALL, |setup| {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let scheme = if setup.tls { "https" } else { "http" };
        let gateway = setup.gateway_to(&format!("{scheme}://{free}"), &[]);
        let mut client = gateway.client();
        for target in ["/v1/chat/completions", "/v1/messages"] {
            let answer = client.post(target, b"{}");
            assert_eq!(answer.status, 502, "{target}");
            in_dialect(&answer, target);
        }
        client.send(b"HEAD /v1/models HTTP/1.1\r\nHost: a.test\r\n\r\n");
        assert_eq!(client.try_answer(true, PATIENCE).expect("an answer to HEAD").status, 502);
        client.end(millis(200));
        assert!(client.inbox.is_empty(), "an answer to HEAD has no body");
        gateway.finish();
    });
}

#[test]
fn upstream_with_a_wrong_certificate_is_502() {
    each(TLS, |setup| {
        let stranger = Authority::new("stranger").sign("upstream", certificates::NAMES);
        let misnamed = shared().authority.sign("upstream", &["elsewhere.test"]);
        for leaf in [stranger, misnamed] {
            let upstream = Upstream::start(Some(certificates::server(&leaf)), |_, exchange| exchange.ok(b"secret"));
            let gateway = setup.gateway(&upstream, &[]);
            let answer = gateway.client().post("/v1/chat/completions", b"{\"secret\":1}");
            assert_eq!(answer.status, 502);
            in_dialect(&answer, "/v1/chat/completions");
            assert!(upstream.requests().is_empty(), "nothing is said to a stranger");
            gateway.finish();
        }
    });
}

#[test]
fn plain_upstream_behind_an_https_url_is_502() {
    each(TLS, |setup| {
        let upstream = Upstream::start(None, |_, exchange| exchange.ok(b"plain"));
        let gateway = setup.gateway_to(&format!("https://{}", upstream.address), &["--timeout-tls=1s"]);
        assert_eq!(gateway.client().post("/v1/a", b"{}").status, 502);
        gateway.finish();
    });
}

// ---- streams -----------------------------------------------------------------------------------------------------

#[test]
fn each_event_is_written_on_before_the_next_one_comes() {
    each(ALL, |setup| {
        let (go, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let upstream = setup.upstream(move |_, exchange| {
            exchange.stream();
            for index in 0..20 {
                exchange.chunk(format!("data: {{\"delta\":\"{index}\"}}\n\n").as_bytes());
                if wait.lock().unwrap().recv_timeout(PATIENCE).is_err() {
                    return After::Reset;
                }
            }
            exchange.send(b"0\r\n\r\n");
            After::Keep
        });
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        client.send(&post("/v1/chat/completions", b"{\"stream\":true}"));
        for index in 0..20 {
            let event = format!("data: {{\"delta\":\"{index}\"}}\n\n");
            assert!(client.wait_for(event.as_bytes(), Duration::from_secs(3)), "event {index} is held back");
            go.send(()).unwrap();
        }
        let answer = client.answer();
        assert_eq!(answer.framing, Framing::Chunked);
        assert!(answer.text().ends_with("data: {\"delta\":\"19\"}\n\n"));
        gateway.finish();
    });
}

#[test]
fn head_of_a_stream_is_not_held_back() {
    each(ALL, |setup| {
        let (go, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let upstream = setup.upstream(move |_, exchange| {
            exchange.stream();
            let _ = wait.lock().unwrap().recv_timeout(PATIENCE);
            exchange.chunk(b"data: {}\n\nhalf an ev");
            let _ = wait.lock().unwrap().recv_timeout(PATIENCE);
            exchange.send(b"0\r\n\r\n");
            After::Keep
        });
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        client.send(&post("/v1/chat/completions", b"{}"));
        assert!(client.wait_for(b"\r\n\r\n", Duration::from_secs(3)), "the head waits for the first event");
        go.send(()).unwrap();
        // An event is inspected as a whole: what is there of the next one waits for the rest, or the end.
        assert!(client.wait_for(b"data: {}\n\n", Duration::from_secs(3)), "an event is held back");
        go.send(()).unwrap();
        assert_eq!(client.answer().text(), "data: {}\n\nhalf an ev");
        gateway.finish();
    });
}

#[test]
fn slow_client_bounds_the_upstream_and_the_memory() {
    const TOTAL: usize = 64 * MIB;
    each(ALL, |setup| {
        let sent = Arc::new(Mutex::new(0));
        let count = Arc::clone(&sent);
        let upstream = setup.upstream(move |_, exchange| {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream";
            exchange.send(format!("{head}\r\nContent-Length: {TOTAL}\r\n\r\n").as_bytes());
            let piece = vec![b'x'; 256 * 1024];
            for _ in 0..TOTAL / piece.len() {
                if !exchange.send(&piece) {
                    return After::Reset;
                }
                *count.lock().unwrap() += piece.len();
            }
            After::Keep
        });
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        client.wire.bound_receive_buffer(16 * 1024);
        assert_eq!(gateway.client().get("/healthz").status, 200);
        let before = gateway.resident_bytes();
        client.send(b"GET /v1/a HTTP/1.1\r\nHost: a.test\r\n\r\n");
        assert!(client.wait_for(b"\r\n\r\n", PATIENCE));
        thread::sleep(millis(1500));
        let grown = gateway.resident_bytes().saturating_sub(before);
        assert!(grown < 8 * MIB as u64, "the gateway grew by {grown} bytes");
        assert!(*sent.lock().unwrap() < TOTAL / 2, "no back-pressure: {} bytes went out", *sent.lock().unwrap());
        client.wire.bound_receive_buffer(MIB);
        assert_eq!(drain(&mut client), TOTAL, "the rest arrives once the client reads");
        let grown = gateway.resident_bytes().saturating_sub(before);
        assert!(grown < 8 * MIB as u64, "the gateway grew by {grown} bytes");
        gateway.finish();
    });
}

/// Reads a body of known length to its end without keeping it; the bytes of the body.
fn drain(client: &mut Client) -> usize {
    let head = client.inbox.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let text = String::from_utf8_lossy(&client.inbox[..head]).to_ascii_lowercase();
    let at = text.find("content-length: ").unwrap() + 16;
    let total: usize = text[at..].split("\r\n").next().unwrap().trim().parse().unwrap();
    let mut count = client.inbox.len() - head;
    let deadline = Instant::now() + 6 * PATIENCE;
    while count < total && client.ended.is_none() {
        client.inbox.clear();
        assert!(client.fill(deadline), "the body stops after {count} bytes");
        count += client.inbox.len();
    }
    client.inbox.clear();
    count
}

#[test]
fn large_bodies_cross_unchanged_both_ways() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream";
            exchange.send(format!("{head}\r\nContent-Length: {}\r\n\r\n", request.body.len()).as_bytes());
            exchange.send(&request.body);
            After::Keep
        });
        let gateway = setup.gateway(&upstream, &["--body-max=32M", "--memory-max=128M"]);
        // A period that no buffer size divides: a piece that is lost, doubled or moved shows.
        let period: Vec<u8> =
            (0..65_521_u32).flat_map(|index| index.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        let body: Vec<u8> = period.iter().copied().cycle().take(20 * MIB).collect();
        let mut client = gateway.client();
        let mut sender = upload("/v1/large", &body);
        let tail = sender.split_off(sender.len() / 2);
        client.send(&sender).send(&tail);
        let answer = client.try_answer(false, 6 * PATIENCE).expect("the body comes back");
        assert!(answer.body == body, "the body has changed");
        gateway.finish();
    });
}

// ---- clients that go away ----------------------------------------------------------------------------------------

#[derive(Clone, Copy, Debug)]
enum Leave {
    Drop,
    Finish,
    Reset,
}

fn leave(mut client: Client, how: Leave) {
    match how {
        Leave::Drop => {}
        Leave::Finish => {
            client.wire.finish();
            let _ = client.wire.tcp().shutdown(Shutdown::Both);
        }
        Leave::Reset => client.wire.reset(),
    }
}

/// The upstream must see its end within a second; its script reports on the channel.
fn vanishing(setup: Setup, streams: bool) {
    for how in [Leave::Drop, Leave::Finish, Leave::Reset] {
        let (report, reports) = mpsc::channel::<bool>();
        let upstream = setup.upstream(move |_, exchange| {
            if streams {
                exchange.stream();
                exchange.chunk(b"data: 1\n\n");
            }
            let _ = report.send(true);
            let _ = report.send(exchange.ended_within(Duration::from_secs(5)));
            After::Reset
        });
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        client.send(&post("/v1/chat/completions", b"{}"));
        assert!(reports.recv_timeout(PATIENCE).unwrap());
        if streams {
            assert!(client.wait_for(b"data: 1\n\n", PATIENCE));
        }
        let left = Instant::now();
        leave(client, how);
        let ended = reports.recv_timeout(PATIENCE).unwrap();
        assert!(
            ended && left.elapsed() < Duration::from_secs(1),
            "{how:?}: noticed {ended} after {:?}",
            left.elapsed()
        );
        assert_eq!(gateway.client().get("/healthz").status, 200);
        gateway.finish();
    }
}

#[test]
fn client_that_vanishes_before_the_first_byte_ends_the_upstream() {
    each(ALL, |setup| vanishing(setup, false));
}

#[test]
fn client_that_vanishes_mid_stream_ends_the_upstream() {
    each(ALL, |setup| vanishing(setup, true));
}

#[test]
fn client_that_vanishes_under_a_running_stream_ends_the_upstream() {
    each(ALL, |setup| {
        let (report, reports) = mpsc::channel::<()>();
        let upstream = setup.upstream(move |_, exchange| {
            exchange.stream();
            while exchange.chunk(b"data: {\"delta\":\"a\"}\n\n") {
                thread::sleep(millis(10));
            }
            let _ = report.send(());
            After::Reset
        });
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        client.send(&post("/v1/chat/completions", b"{}"));
        assert!(client.wait_for(b"data: ", PATIENCE));
        drop(client);
        reports.recv_timeout(Duration::from_secs(1)).expect("the upstream is told within a second");
        gateway.finish();
    });
}

#[test]
fn body_cut_by_the_client_never_reaches_the_upstream() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &["--timeout-body=1s"]);
        let heads = ["Content-Length: 10\r\n\r\nhalf!", "Transfer-Encoding: chunked\r\n\r\n5\r\nhalf!\r\n"];
        for head in heads {
            for clean in [true, false] {
                let mut client = gateway.client();
                client.send(format!("POST /v1/half HTTP/1.1\r\nHost: a.test\r\n{head}").as_bytes());
                if clean {
                    client.wire.finish()
                } else {
                    client.wire.truncate()
                }
                assert!(client.end(PATIENCE).is_some(), "{head:?}: the connection stays");
            }
        }
        assert!(!upstream.saw("/v1/half"), "half a request was forwarded");
        gateway.finish();
    });
}

// ---- time limits of the client's side ----------------------------------------------------------------------------

#[test]
fn slow_head_is_408() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &["--timeout-head=500ms"]);
        let mut client = gateway.client();
        let started = Instant::now();
        client.send(b"GET /v1/a HTTP/1.1\r\n");
        for _ in 0..20 {
            client.try_send(b"X-A: b\r\n");
            if client.end(millis(100)).is_some() {
                break;
            }
        }
        let answer = client.answer();
        assert_eq!(answer.status, 408);
        in_dialect(&answer, "/v1/a");
        assert!(started.elapsed() < Duration::from_secs(2), "bytes that drip in buy no time: {:?}", started.elapsed());
        assert!(client.end(PATIENCE).is_some());
        assert!(upstream.connections().is_empty());
        gateway.finish();
    });
}

#[test]
fn slow_body_is_408() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &["--timeout-body=500ms"]);
        let mut client = gateway.client();
        client.send(b"POST /v1/messages HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100\r\n\r\nhello");
        let answer = client.answer();
        assert_eq!(answer.status, 408);
        in_dialect(&answer, "/v1/messages");
        assert!(client.end(PATIENCE).is_some());
        assert!(upstream.connections().is_empty());
        gateway.finish();
    });
}

#[test]
fn silent_connection_is_closed() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &["--timeout-head=500ms", "--timeout-tls=500ms", "--keep-alive=500ms"]);
        let mut silent = gateway.plain_client();
        let mut half = gateway.plain_client();
        half.send(b"\x16\x03\x01\x02\x00\x01");
        assert!(silent.end(Duration::from_secs(5)).is_some(), "a connection without a byte");
        assert!(half.end(Duration::from_secs(5)).is_some(), "half a ClientHello");
        gateway.finish();
    });
}

// ---- bounds ------------------------------------------------------------------------------------------------------

#[test]
fn body_over_the_limit_is_413_while_it_is_still_sent() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &["--body-max=64K"]);
        let coded = [&format!("{:x}\r\n", MIB).into_bytes()[..], &vec![b'a'; MIB], b"\r\n"].concat();
        let bodies = [
            (format!("Content-Length: {}\r\n\r\n", 20 * MIB), vec![b'a'; MIB]),
            ("Transfer-Encoding: chunked\r\n\r\n".to_owned(), coded),
        ];
        for (fields, piece) in bodies {
            let mut client = gateway.client();
            client.send(format!("POST /v1/messages HTTP/1.1\r\nHost: a.test\r\n{fields}").as_bytes());
            for _ in 0..20 {
                if client.wire.send(&piece).is_err() || client.end(Duration::from_millis(2)).is_some() {
                    break;
                }
            }
            let answer = client.answer();
            assert_eq!(answer.status, 413, "{fields:?}");
            in_dialect(&answer, "/v1/messages");
            assert!(client.end(PATIENCE).is_some(), "the stream is out of step: the connection ends");
        }
        assert!(upstream.connections().is_empty());
        assert_eq!(gateway.client().post("/v1/a", &vec![b'a'; 60 * 1024]).status, 200);
        gateway.finish();
    });
}

#[test]
fn body_over_the_limit_is_413_instead_of_100() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &["--body-max=64K"]);
        let mut client = gateway.client();
        client.send(b"POST /v1/a HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n");
        let answer = client.answer();
        assert_eq!((answer.status, answer.interim), (413, vec![]));
        gateway.finish();
    });
}

#[test]
fn expectation_is_met_by_the_gateway() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| exchange.ok(&request.body));
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        for _ in 0..2 {
            client.send(b"POST /v1/a HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
            assert!(client.wait_for(b"\r\n\r\n", PATIENCE), "no 100");
            assert!(client.inbox.starts_with(b"HTTP/1.1 100 "), "{:?}", String::from_utf8_lossy(&client.inbox));
            let answer = client.send(b"hello").answer();
            assert_eq!((answer.status, answer.text(), answer.interim), (200, "hello".to_owned(), vec![100]));
        }
        gateway.finish();
    });
}

#[test]
fn connection_cap_holds_and_recovers() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &["--connections-max=4"]);
        let mut held: Vec<Client> = (0..4).map(|_| gateway.client()).collect();
        for client in &mut held {
            assert_eq!(client.get("/v1/held").status, 200);
        }
        let mut over = gateway.client();
        over.try_send(b"GET /v1/over HTTP/1.1\r\nHost: a.test\r\n\r\n");
        // Refused in words, refused by the kernel, or left waiting in the backlog: anything but served.
        match over.try_answer(false, Duration::from_secs(1)) {
            Ok(answer) => assert_eq!(answer.status, 503),
            Err(Lack::Malformed(fault, _)) => panic!("{fault}"),
            Err(_) => {}
        }
        assert!(!upstream.saw("/v1/over"));
        drop(over);
        for client in &mut held {
            assert_eq!(client.get("/v1/again").status, 200, "who was first is still served");
        }
        drop(held);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut client = gateway.client();
            client.try_send(b"GET /v1/later HTTP/1.1\r\nHost: a.test\r\n\r\n");
            if client.try_answer(false, Duration::from_secs(1)).is_ok_and(|answer| answer.status == 200) {
                break;
            }
            assert!(Instant::now() < deadline, "it does not recover");
        }
        gateway.finish();
    });
}

#[test]
fn body_budget_holds_and_recovers() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| exchange.ok(request.body.len().to_string().as_bytes()));
        let gateway = setup.gateway(&upstream, &["--memory-max=8M", "--body-max=2M"]);
        let whole = post("/v1/chat/completions", format!("\"{}\"", "a".repeat(1_999_998)).as_bytes());
        let (most, rest) = whole.split_at(whole.len() - 10);
        let mut clients: Vec<Client> = (0..12).map(|_| gateway.client()).collect();
        for client in &mut clients {
            client.try_send(most);
        }
        thread::sleep(millis(200));
        let mut statuses = Vec::new();
        for client in &mut clients {
            client.try_send(rest);
            let Ok(answer) = client.try_answer(false, PATIENCE) else { continue };
            statuses.push(answer.status);
            if answer.status == 503 {
                in_dialect(&answer, "/v1/chat/completions");
                let seconds = answer.fields.one("retry-after").and_then(|value| value.parse::<u64>().ok());
                assert!(seconds.is_some(), "503 says when to come back");
            } else {
                assert_eq!((answer.status, answer.text()), (200, "2000000".to_owned()));
            }
        }
        assert!(statuses.contains(&503) && statuses.contains(&200), "{statuses:?}");
        drop(clients);
        thread::sleep(millis(200));
        let answer = gateway.client().send(&whole).answer();
        assert_eq!(answer.status, 200, "the budget comes back");
        gateway.finish();
    });
}

// ---- identity, paths, health, metrics ----------------------------------------------------------------------------

#[test]
fn request_id_is_accepted_if_well_formed() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &[]);
        let mut client = gateway.client();
        let long = "a".repeat(128);
        let cases = [("abc-1._Z", true), (long.as_str(), true), ("a b", false), ("", false), ("a\"b", false)];
        for (id, accepted) in cases {
            let fields = format!("Host: a.test\r\nX-Request-Id: {id}\r\n\r\n");
            client.send(format!("GET /v1/a HTTP/1.1\r\n{fields}").as_bytes());
            let answer = client.answer().fields.one("x-request-id").expect("an id");
            assert_eq!(answer == id, accepted, "{id:?} became {answer:?}");
        }
        let (first, second) = (client.get("/v1/a").fields, client.get("/v1/a").fields);
        assert_ne!(first.one("x-request-id"), second.one("x-request-id"), "ids that are made differ");
        gateway.finish();
    });
}

#[test]
fn path_prefix_of_the_upstream_is_honoured() {
    each(PLAIN, |setup| {
        let upstream = setup.echo();
        for prefix in ["/base", "/base/"] {
            let gateway = setup.gateway_to(&format!("{}{prefix}", upstream.url()), &[]);
            assert_eq!(gateway.client().get("/v1/a?b").text(), "GET /base/v1/a?b", "{prefix}");
            gateway.finish();
        }
    });
}

#[test]
fn health_is_answered_by_the_gateway_itself() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &[]);
        for mut client in [gateway.client(), gateway.plain_client()] {
            for path in ["/healthz", "/readyz", "/livez"] {
                assert_eq!(client.get(path).status, 200, "{path}");
                client.send(format!("HEAD {path} HTTP/1.1\r\nHost: a.test\r\n\r\n").as_bytes());
                assert_eq!(client.try_answer(true, PATIENCE).expect("HEAD").status, 200, "{path}");
            }
            assert_eq!(client.get("/healthz/x").text(), "GET /healthz/x", "only these paths are ours");
        }
        assert_eq!(upstream.requests_where(|request| request.target != "/healthz/x").len(), 0);
        gateway.finish();
    });
}

#[test]
fn plaintext_that_is_denied_gets_health_alone() {
    each(TLS, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &["--plaintext=deny"]);
        assert_eq!(gateway.plain_client().get("/healthz").status, 200);
        let answer = gateway.plain_client().post("/v1/messages", b"{}");
        assert_eq!(answer.status, 421);
        in_dialect(&answer, "/v1/messages");
        assert!(upstream.connections().is_empty());
        assert_eq!(gateway.client().post("/v1/messages", b"{}").status, 200, "TLS is served");
        gateway.finish();
    });
}

#[test]
fn metrics_count_what_happened() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let mut gateway = setup.gateway(&upstream, &["--admin=127.0.0.1:0"]);
        let admin = gateway.admin();
        assert_eq!(gateway.client().get("/v1/a").status, 200);
        let mut bad = gateway.client();
        bad.send(b"GET /v1/a HTTP/1.1\r\n\r\n");
        assert_eq!(bad.answer().status, 400);
        let scrape = || Client::new(support::wire::Wire::connect(admin, None)).get("/metrics");
        let answer = scrape();
        assert_eq!(answer.status, 200);
        assert!(answer.fields.one("content-type").is_some_and(|value| value.starts_with("text/plain")));
        let text = answer.text();
        let samples: Vec<&str> = text.lines().filter(|line| line.starts_with("pnx_")).collect();
        assert!(samples.len() >= 10, "{text}");
        for sample in &samples {
            let value = sample.rsplit(' ').next().unwrap();
            assert!(value.parse::<f64>().is_ok(), "{sample}");
        }
        assert!(samples.iter().any(|line| line.contains(setup.driver)), "the driver in use is shown:\n{text}");
        assert_eq!(gateway.client().get("/v1/b").status, 200);
        assert!(scrape().text() != text, "another request, other numbers");
        gateway.finish();
    });
}

#[test]
fn nothing_of_a_request_is_in_the_log() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            if request.target.contains("fail") {
                exchange.send(b"HTTP/1.1 200 OK\r\nX-Word: canary-answer\r\nBroken canary-answer\r\n\r\ncanary-answer");
                return After::Close;
            }
            exchange.ok(b"canary-answer")
        });
        let gateway = setup.gateway(&upstream, &["--timeout-head=300ms"]);
        let fields =
            "Host: canary-host.test\r\nAuthorization: Bearer canary-key\r\nContent-Length: 11\r\n\r\ncanary-body";
        for target in ["/v1/canary-path?canary-query", "/v1/canary-path/fail"] {
            gateway.client().send(format!("POST {target} HTTP/1.1\r\n{fields}").as_bytes()).answer();
        }
        for raw in [
            "GET /canary-path# HTTP/1.1\r\n\r\n",
            "canary-junk\r\n\r\n",
            "GET / HTTP/1.1\r\ncanary-name : canary-value\r\n\r\n",
            "GET /canary-slow",
        ] {
            gateway.client().send(raw.as_bytes()).answer();
        }
        let log = gateway.finish();
        assert!(!log.contains("canary"), "{log}");
    });
}

// ---- TLS ---------------------------------------------------------------------------------------------------------

#[test]
fn certificates_are_swapped_under_load() {
    each(TLS, |setup| {
        let folder = certificates::folder();
        let (first, second) = (Authority::new("first"), Authority::new("second"));
        let (certificate, key) = first.sign("gateway", certificates::NAMES).write(&folder);
        let upstream = setup.echo();
        let flags = [format!("--tls-cert={}", certificate.display()), format!("--tls-key={}", key.display())];
        let mut gateway = setup.gateway(&upstream, &[&flags[0], &flags[1]]);
        let mut old = gateway.tls_client(first.client(None));
        assert_eq!(old.get("/v1/a").status, 200);

        let leaf = second.sign("gateway", certificates::NAMES);
        fs::write(&certificate, &leaf.certificate).unwrap();
        gateway.signal(Signal::HUP);
        thread::sleep(millis(300));
        assert_eq!(gateway.tls_client(first.client(None)).get("/v1/b").status, 200, "half a pair keeps the old one");

        fs::write(&key, &leaf.key).unwrap();
        gateway.signal(Signal::HUP);
        let serves = |authority: &Authority| {
            let mut client = gateway.tls_client(authority.client(None));
            client.try_send(b"GET /v1/c HTTP/1.1\r\nHost: a.test\r\n\r\n");
            client.try_answer(false, PATIENCE).is_ok()
        };
        let deadline = Instant::now() + PATIENCE;
        while !serves(&second) {
            assert!(Instant::now() < deadline, "the new certificate is not served");
            assert_eq!(old.get("/v1/d").status, 200, "an old connection goes on");
        }
        assert!(!serves(&first), "the old certificate is gone");
        assert_eq!(old.get("/v1/e").status, 200, "an old connection goes on");
        assert!(gateway.wait(Duration::ZERO).is_none());
        gateway.finish();
    });
}

#[test]
fn half_broken_pair_is_a_start_up_error() {
    each(TLS, |setup| {
        let folder = certificates::folder();
        let (certificate, key) = shared().authority.sign("gateway", certificates::NAMES).write(&folder);
        let other = shared().authority.sign("gateway", certificates::NAMES);
        let broken: [(&str, &str); 3] = [("another key", &other.key), ("no key", "junk\n"), ("empty", "")];
        for (name, text) in broken {
            fs::write(&key, text).unwrap();
            let flags = [
                "--upstream=http://127.0.0.1:9".to_owned(),
                format!("--tls-cert={}", certificate.display()),
                format!("--tls-key={}", key.display()),
            ];
            let Err((status, log)) = Gateway::start(setup, &flags) else { panic!("{name}: it started") };
            assert!(status.is_some_and(|status| !status.success()), "{name}: {status:?}\n{log}");
        }
    });
}

#[test]
fn client_certificate_is_asked_for_and_checked() {
    each(TLS, |setup| {
        let folder = certificates::folder();
        let own = Authority::new("clients");
        let file = folder.join("clients.crt");
        fs::write(&file, &own.certificate).unwrap();
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &[&format!("--tls-client-ca={}", file.display())]);
        let friend = own.sign("friend", &["friend.test"]);
        let stranger = Authority::new("strangers").sign("stranger", &["friend.test"]);
        let trusted = shared();
        let ask = |leaf| {
            let mut client = gateway.tls_client(trusted.authority.client(leaf));
            client.try_send(b"GET /v1/a HTTP/1.1\r\nHost: a.test\r\n\r\n");
            client.try_answer(false, PATIENCE).is_ok_and(|answer| answer.status == 200)
        };
        assert!(ask(Some(&friend)), "a certificate of the authority");
        assert!(!ask(Some(&stranger)), "a certificate of another authority");
        assert!(!ask(None), "no certificate");
        assert_eq!(upstream.requests().len(), 1);
        gateway.finish();
    });
}

#[test]
fn tls_junk_ends_its_connection_alone() {
    each(TLS, |setup| {
        let upstream = setup.echo();
        let gateway = setup.gateway(&upstream, &[]);
        let mut good = gateway.client();
        assert_eq!(good.get("/v1/a").status, 200);
        for junk in
            [&b"\x16\x03\x01\x00\x05junk!"[..], b"\x16\x03\x01\xff\xff", &[0x16; 4096], b"\x16GET / HTTP/1.1\r\n\r\n"]
        {
            let mut client = gateway.plain_client();
            client.try_send(junk);
            client.wire.truncate();
            assert!(client.end(PATIENCE).is_some(), "{junk:?}");
        }
        assert_eq!(good.get("/v1/a").status, 200);
        gateway.finish();
    });
}

// ---- life cycle --------------------------------------------------------------------------------------------------

#[test]
fn streams_finish_while_the_gateway_drains() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            if request.target != "/v1/stream" {
                return exchange.ok(b"ok");
            }
            exchange.stream();
            for index in 0..20 {
                exchange.chunk(format!("data: {index}\n\n").as_bytes());
                thread::sleep(millis(50));
            }
            exchange.send(b"0\r\n\r\n");
            After::Keep
        });
        let mut gateway = setup.gateway(&upstream, &["--drain-timeout=20s"]);
        let mut idle = gateway.client();
        assert_eq!(idle.get("/v1/a").status, 200);
        let mut streams: Vec<Client> = (0..4).map(|_| gateway.client()).collect();
        for client in &mut streams {
            client.send(b"GET /v1/stream HTTP/1.1\r\nHost: a.test\r\n\r\n");
            assert!(client.wait_for(b"data: 1\n\n", PATIENCE));
        }
        gateway.signal(Signal::TERM);
        assert_eq!(idle.end(Duration::from_secs(3)), Some(End::Clean), "idle connections are closed");
        for client in &mut streams {
            assert!(client.answer().text().ends_with("data: 19\n\n"), "the stream finishes");
            assert!(client.end(PATIENCE).is_some(), "and its connection ends");
        }
        let status = gateway.wait(PATIENCE).expect("it ends when the last stream does");
        assert_eq!(status.code(), Some(0));
        gateway.finish();
    });
}

#[test]
fn nothing_new_is_accepted_while_the_gateway_drains() {
    each(PLAIN, |setup| {
        let upstream = setup.upstream(|_, exchange| {
            exchange.stream();
            exchange.chunk(b"data: 1\n\n");
            thread::sleep(millis(1500));
            exchange.send(b"0\r\n\r\n");
            After::Keep
        });
        let mut gateway = setup.gateway(&upstream, &["--drain-timeout=20s"]);
        let mut stream = gateway.client();
        stream.send(b"GET /v1/stream HTTP/1.1\r\nHost: a.test\r\n\r\n");
        assert!(stream.wait_for(b"data: 1\n\n", PATIENCE));
        gateway.signal(Signal::TERM);
        let deadline = Instant::now() + Duration::from_secs(1);
        while let Ok(tcp) = TcpStream::connect(gateway.address) {
            drop(tcp);
            assert!(Instant::now() < deadline, "new connections are still accepted");
            thread::sleep(millis(20));
        }
        assert_eq!(stream.answer().text(), "data: 1\n\n");
        assert_eq!(gateway.wait(PATIENCE).and_then(|status| status.code()), Some(0));
        gateway.finish();
    });
}

#[test]
fn readiness_falls_before_the_gateway_stops_to_accept() {
    each(ALL, |setup| {
        let upstream = setup.echo();
        let mut gateway = setup.gateway(&upstream, &["--drain-delay=1500ms"]);
        assert_eq!(gateway.client().get("/readyz").status, 200);
        gateway.signal(Signal::TERM);
        thread::sleep(millis(300));
        assert_eq!(gateway.client().get("/readyz").status, 503, "not ready");
        assert_eq!(gateway.client().get("/livez").status, 200, "but alive");
        assert_eq!(gateway.client().get("/v1/late").status, 200, "and who still comes is served");
        assert_eq!(gateway.wait(PATIENCE).and_then(|status| status.code()), Some(0));
        gateway.finish();
    });
}

#[test]
fn drain_ends_at_its_limit() {
    each(PLAIN, |setup| {
        let upstream = setup.upstream(|_, exchange| {
            exchange.stream();
            while exchange.chunk(b"data: 1\n\n") {
                thread::sleep(millis(50));
            }
            After::Reset
        });
        let mut gateway = setup.gateway(&upstream, &["--drain-timeout=500ms"]);
        let mut client = gateway.client();
        client.send(b"GET /v1/stream HTTP/1.1\r\nHost: a.test\r\n\r\n");
        assert!(client.wait_for(b"data: 1\n\n", PATIENCE));
        gateway.signal(Signal::TERM);
        let started = Instant::now();
        assert!(gateway.wait(Duration::from_secs(5)).is_some(), "it outlives --drain-timeout");
        assert!(started.elapsed() >= millis(400), "the stream had its time");
        assert!(is_cut(client.try_answer(false, PATIENCE)), "what was cut looks cut");
    });
}

#[test]
fn second_signal_ends_it_at_once() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|_, exchange| {
            exchange.stream();
            exchange.chunk(b"data: 1\n\n");
            exchange.ended_within(PATIENCE);
            After::Reset
        });
        let mut gateway = setup.gateway(&upstream, &["--drain-timeout=60s"]);
        let mut client = gateway.client();
        client.send(b"GET /v1/stream HTTP/1.1\r\nHost: a.test\r\n\r\n");
        assert!(client.wait_for(b"data: 1\n\n", PATIENCE));
        gateway.signal(Signal::TERM);
        assert!(gateway.wait(millis(500)).is_none(), "the first signal waits for the stream");
        gateway.signal(Signal::TERM);
        assert!(gateway.wait(Duration::from_secs(2)).is_some(), "the second does not");
    });
}

#[test]
fn answers_under_drain_say_close() {
    each(PLAIN, |setup| {
        let (go, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let upstream = setup.upstream(move |_, exchange| {
            let _ = wait.lock().unwrap().recv_timeout(PATIENCE);
            exchange.ok(b"late")
        });
        let mut gateway = setup.gateway(&upstream, &["--drain-timeout=20s"]);
        let mut client = gateway.client();
        client.send(b"GET /v1/a HTTP/1.1\r\nHost: a.test\r\n\r\n");
        assert!(upstream.wait(PATIENCE, |seen| seen.iter().any(|connection| !connection.requests.is_empty())));
        gateway.signal(Signal::TERM);
        thread::sleep(millis(200));
        go.send(()).unwrap();
        let answer = client.answer();
        assert_eq!(answer.text(), "late");
        assert_eq!(answer.fields.one("connection").map(|value| value.to_ascii_lowercase()).as_deref(), Some("close"));
        assert_eq!(gateway.wait(PATIENCE).and_then(|status| status.code()), Some(0));
        gateway.finish();
    });
}

// ---- the command line --------------------------------------------------------------------------------------------

#[test]
fn every_mistake_of_the_configuration_is_told_at_once() {
    let file = certificates::folder().join("gateway.toml");
    let mut written = fs::File::create(&file).unwrap();
    written.write_all(b"upstream = \"ftp://a.test\"\nno-such-key = 1\nbody-max = \"much\"\n").unwrap();
    let (code, text) = run(&["--config", file.to_str().unwrap()]);
    assert_eq!(code, Some(2), "{text}");
    for word in ["ftp", "no-such-key", "body-max"] {
        assert!(text.contains(word), "{word} is not named:\n{text}");
    }
    assert_eq!(run(&["--no-such-flag"]).0, Some(2));
    let (code, help) = run(&["--help"]);
    assert_eq!(code, Some(0));
    assert!(holds(help.as_bytes(), b"--upstream"), "{help}");
}
