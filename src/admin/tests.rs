//! The admin listener over loopback sockets: what it answers, and what it does not wait for.

use std::time::Duration;

use std::io::Read;
use std::io::Write;

use crate::net::certificate::CertificateSource;
use crate::policy::Policy;
use crate::shared::lifecycle::Stage;

use super::*;

fn start() -> (Arc<Shared>, Admin) {
    let shared = Arc::new(Shared::new(1, crate::clock::now(), Duration::ZERO, Arc::new(Policy::built_in())));
    shared.policy.set_in_force(true);
    let certificates = Certificates::load(CertificateSource::SelfSigned { names: Vec::new() }).unwrap();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let admin = Admin::start(any, Arc::clone(&shared), Arc::new(certificates)).unwrap();
    (shared, admin)
}

/// Sends `request` in pieces and reads to the end.
fn ask(admin: &Admin, pieces: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(admin.address()).unwrap();
    stream.set_nodelay(true).unwrap();
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
        stream.write_all(piece).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn each_request_has_its_answer() {
    let (shared, admin) = start();
    shared.lifecycle.advance(Stage::Serving);
    let long = format!("GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(8192));
    let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(65));
    let cases: [(&str, &[&[u8]], &str); 14] = [
        ("metrics", &[b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"], "200 OK"),
        ("metrics, with a query", &[b"GET /metrics?x=y HTTP/1.1\r\nHost: a\r\n\r\n"], "200 OK"),
        ("HTTP/1.0", &[b"GET /metrics HTTP/1.0\r\n\r\n"], "200 OK"),
        ("in pieces", &[b"GET /read", b"yz HTTP/1.1\r\nHo", b"st: a\r\n\r", b"\n"], "200 OK"),
        ("livez", &[b"GET /livez HTTP/1.1\r\n\r\n"], "200 OK"),
        ("healthz", &[b"GET /healthz HTTP/1.1\r\n\r\n"], "200 OK"),
        ("HEAD", &[b"HEAD /readyz HTTP/1.1\r\n\r\n"], "200 OK"),
        ("unknown", &[b"GET / HTTP/1.1\r\n\r\n"], "404 Not Found"),
        ("POST", &[b"POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"], "405 Method Not Allowed"),
        ("not HTTP", &[b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], "400 Bad Request"),
        ("too long", &[long.as_bytes()], "431 Request Header Fields Too Large"),
        ("too many fields", &[many.as_bytes()], "431 Request Header Fields Too Large"),
        ("two at once", &[b"GET /livez HTTP/1.1\r\n\r\nGET /livez HTTP/1.1\r\n\r\n"], "200 OK"),
        ("a query alone", &[b"GET ?/metrics HTTP/1.1\r\n\r\n"], "404 Not Found"),
    ];
    for (name, pieces, expected) in cases {
        let answer = ask(&admin, pieces);
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected}\r\n")), "{name}: {answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{name}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{name}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if name == "HEAD" {
            assert_eq!((length, body), ("3", ""));
        } else {
            assert_eq!(length.parse(), Ok(body.len()), "{name}");
        }
    }
}

#[test]
fn probes_follow_the_life_cycle() {
    let (shared, admin) = start();
    for (stage, status) in [(Stage::Starting, "503"), (Stage::Serving, "200"), (Stage::NotReady, "503")] {
        shared.lifecycle.advance(stage);
        let answer = ask(&admin, &[b"GET /readyz HTTP/1.1\r\n\r\n"]);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{stage:?}: {answer}");
    }
    assert!(ask(&admin, &[b"GET /livez HTTP/1.1\r\n\r\n"]).starts_with("HTTP/1.1 200 "));
}

#[test]
fn silent_and_slow_clients_are_cut_and_keep_nobody_out_for_long() {
    let (shared, admin) = start();
    let began = crate::clock::now();
    let mut silent: Vec<TcpStream> =
        (0..limits::ADMIN_CONNECTIONS_MAX).map(|_| TcpStream::connect(admin.address()).unwrap()).collect();
    // The ninth is closed unanswered.
    let mut more = TcpStream::connect(admin.address()).unwrap();
    let mut answer = Vec::new();
    let _reset = more.read_to_end(&mut answer);
    assert!(answer.is_empty());
    assert_eq!(shared.control.admin_refused.value(), 1);
    for stream in &mut silent {
        let mut first = [0; 13];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 408 ");
    }
    assert!(crate::clock::now() - began < Duration::from_secs(4), "cut at the deadline");
    drop(silent);
    std::thread::sleep(Duration::from_millis(100));
    assert!(ask(&admin, &[b"GET /livez HTTP/1.1\r\n\r\n"]).starts_with("HTTP/1.1 200 "));
}

#[test]
fn dropping_it_closes_the_listener() {
    let (_shared, admin) = start();
    let address = admin.address();
    drop(admin);
    assert!(TcpStream::connect(address).is_err());
}
