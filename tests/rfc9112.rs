//! Two tables of raw messages, requests and responses, each through the built gateway: plain and TLS, on both drivers.
//!
//! What may pass must pass unchanged, what has two readings must reach nobody. The tables say what is expected, this
//! file drives them; the judge of what was forwarded is the strict reader of `support`, never the gateway's codec.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a panic is how a test says no; tests lock and read time"
)]
#![expect(unreachable_pub, reason = "a test crate exports nothing; `pub` is what a module shows to the others")]

#[expect(dead_code, reason = "the harness is shared with the stories, which use the rest")]
mod support;

// Tables are read by column: one row, one line.
#[rustfmt::skip]
#[path = "rfc9112/requests.rs"]
mod requests;
#[rustfmt::skip]
#[path = "rfc9112/responses.rs"]
mod responses;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use requests::{Expect, Forwarded};
use support::strict::{self, End, Request};
use support::upstream::{After, Exchange, Upstream};
use support::wire::{Answer, Client, Lack, holds, post, show};
use support::{ALL, Gateway, each};

/// Rows that run at once against one gateway.
const THREADS: usize = 8;

/// How long a gateway in the tables waits for the rest of a message.
const WAIT: &[&str] = &["--timeout-head=2s", "--timeout-body=2s", "--timeout-first-byte=5s", "--timeout-idle=3s"];

/// Time for the refusal of what the gateway may have to wait for, and for its close.
const REFUSAL: Duration = Duration::from_secs(8);

type Verdict = Result<(), String>;

fn marker(index: usize) -> String {
    format!("mk{index:04}z")
}

fn marked(bytes: &[u8], marker: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(3).position(|window| window == b"{M}") {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(marker.as_bytes());
        rest = &rest[at + 3..];
    }
    out.extend_from_slice(rest);
    out
}

/// What a refused request would drag along, had the gateway lost the boundary.
fn smuggled(marker: &str) -> Vec<u8> {
    marked(b"GET /smuggled/{M} HTTP/1.1\r\nHost: a.test\r\n\r\n", marker)
}

/// Runs every row, some at once, and lists those that failed.
fn run<Row: Sync>(
    rows: &[Row],
    name: impl Fn(&Row) -> &str + Sync,
    judge: impl Fn(usize, &Row) -> Verdict + Sync,
) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(row) = rows.get(index) else { return };
                    if let Err(why) = judge(index, row) {
                        failed.lock().unwrap().push(format!("{index} {:?}: {why}", name(row)));
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap()
}

fn must(condition: bool, why: impl FnOnce() -> String) -> Verdict {
    if condition { Ok(()) } else { Err(why()) }
}

// ---- requests ----------------------------------------------------------------------------------------------------

#[test]
fn requests_pass_unchanged_or_are_refused() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            let body = format!("{} {}", request.method, request.target);
            if request.method == "HEAD" {
                exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
                return After::Keep;
            }
            exchange.ok(body.as_bytes())
        });
        let gateway = setup.gateway(&upstream, WAIT);
        let rows = requests::all();
        let mut failed =
            run(&rows, |row| row.name, |index, row| judge_request(&gateway, &upstream, &marker(index), row));
        failed.extend(upstream.faults());
        failed.extend(upstream.requests().iter().filter_map(|request| clean(&upstream, request).err()));
        failed.extend(leaked(&upstream, &rows));
        let log = gateway.log();
        failed.extend(
            log.lines().filter(|line| holds(line.as_bytes(), b"mk0")).map(|line| format!("in the log: {line}")),
        );
        assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
        gateway.finish();
    });
}

fn judge_request(gateway: &Gateway, upstream: &Upstream, marker: &str, row: &requests::Row) -> Verdict {
    let mut raw = marked(&row.raw, marker);
    if matches!(row.expect, Expect::Refuse(..)) {
        raw.extend(smuggled(marker));
    }
    let mut client = gateway.client();
    client.try_send(&raw);
    match &row.expect {
        Expect::Pass(seen) => {
            answered(&mut client, seen, marker)?;
            goes_on(&mut client, marker)?;
            forwarded(upstream, seen, marker)
        }
        Expect::PassAndClose(seen) => {
            answered(&mut client, seen, marker)?;
            must(client.end(REFUSAL) == Some(End::Clean), || format!("no clean close: {:?}", client.ended))?;
            must(client.inbox.is_empty(), || "bytes behind the last answer".to_owned())?;
            forwarded(upstream, seen, marker)
        }
        Expect::Refuse(seen, statuses) => {
            answered(&mut client, seen, marker)?;
            refused(&mut client, statuses)?;
            forwarded(upstream, seen, marker)
        }
        Expect::Hang(statuses) => {
            let statuses = [statuses, &[408][..]].concat();
            refused(&mut client, &statuses)?;
            forwarded(upstream, &[], marker)
        }
        Expect::Either(seen, statuses) => match answered(&mut client, seen, marker) {
            Ok(()) => forwarded(upstream, seen, marker),
            Err(other) => {
                let mut client = gateway.client();
                client.try_send(&raw);
                refused(&mut client, statuses)
                    .map_err(|why| format!("neither passed ({other}) nor refused ({why})"))?;
                forwarded(upstream, &[], marker)
            }
        },
    }
}

/// Each request has its answer, in order.
fn answered(client: &mut Client, seen: &[Forwarded], marker: &str) -> Verdict {
    for one in seen {
        let head = one.method == "HEAD";
        let answer = client.try_answer(head, REFUSAL).map_err(|lack| show(&lack))?;
        must(answer.status == 200, || format!("status {}: {}", answer.status, answer.text()))?;
        let expected = format!("{} {}", one.method, String::from_utf8_lossy(&marked(&one.target, marker)));
        must(head || answer.text() == expected, || format!("answered with {:?}, not {expected:?}", answer.text()))?;
        identified(&answer)?;
    }
    Ok(())
}

fn identified(answer: &Answer) -> Verdict {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let well_formed = |id: &[u8]| (1..=128).contains(&id.len()) && id.iter().copied().all(allowed);
    let ids = answer.fields.all("x-request-id");
    must(ids.len() == 1 && well_formed(ids[0]), || format!("status {}: x-request-id {ids:?}", answer.status))
}

fn goes_on(client: &mut Client, marker: &str) -> Verdict {
    client.try_send(format!("GET /after/{marker} HTTP/1.1\r\nHost: a.test\r\n\r\n").as_bytes());
    let answer = client.try_answer(false, REFUSAL).map_err(|lack| format!("then, {}", show(&lack)))?;
    must(answer.text() == format!("GET /after/{marker}"), || format!("then, {:?}", answer.text()))
}

/// An answer of the gateway's own, in full, and then the end of the connection.
fn refused(client: &mut Client, statuses: &[u16]) -> Verdict {
    let answer = client.try_answer(false, REFUSAL).map_err(|lack| show(&lack))?;
    must(statuses.contains(&answer.status), || {
        format!("status {}, not {statuses:?}: {}", answer.status, answer.text())
    })?;
    identified(&answer)?;
    let body: Result<serde_json::Value, _> = serde_json::from_slice(&answer.body);
    must(body.is_ok_and(|body| body.get("error").is_some()), || format!("no error object: {:?}", answer.text()))?;
    let end = client.end(REFUSAL);
    must(end.is_some(), || "the connection stays open".to_owned())?;
    must(client.inbox.is_empty(), || format!("behind the refusal: {:?}", String::from_utf8_lossy(&client.inbox)))
}

fn mentions(request: &Request, marker: &str) -> bool {
    let marker = marker.as_bytes();
    holds(request.target.as_bytes(), marker)
        || request.fields.0.iter().any(|(_, value)| holds(value, marker))
        || holds(&request.body, marker)
}

/// The upstream saw these requests of the row, and no other.
fn forwarded(upstream: &Upstream, seen: &[Forwarded], marker: &str) -> Verdict {
    let found = upstream.requests_where(|request| mentions(request, marker) && !request.target.starts_with("/after/"));
    // Requests of one client may only be told apart by their target: rows without a marker in it carry a field.
    let lines: Vec<String> = found.iter().map(|request| format!("{} {}", request.method, request.target)).collect();
    must(found.len() == seen.len(), || format!("the upstream saw {lines:?}"))?;
    for one in seen {
        let target = String::from_utf8_lossy(&marked(&one.target, marker)).into_owned();
        let request = found.iter().find(|request| request.method == one.method && request.target == target);
        let request = request.ok_or_else(|| format!("the upstream saw {lines:?}, not {} {target}", one.method))?;
        must(request.body == one.body, || format!("body {:?}", String::from_utf8_lossy(&request.body)))?;
        carries(&request.fields, &one.has, &one.lacks)?;
    }
    Ok(())
}

fn carries(fields: &strict::Fields, has: &[(&'static str, Vec<u8>)], lacks: &[&'static str]) -> Verdict {
    for (name, _) in has {
        let expected: Vec<&[u8]> = has.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_slice()).collect();
        must(fields.all(name) == expected, || format!("{name} is {:?}", fields.all(name)))?;
    }
    for name in lacks {
        must(!fields.has(name), || format!("{name} crossed"))?;
    }
    Ok(())
}

/// What holds for every request that is forwarded.
fn clean(upstream: &Upstream, request: &Request) -> Verdict {
    const NEVER: &[&str] = &[
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let line = format!("forwarded {} {}", request.method, request.target);
    must(request.minor == 1, || format!("{line} as HTTP/1.0"))?;
    let host = request.fields.one("host");
    must(host == Some(upstream.address.to_string()), || format!("{line} with Host {host:?}"))?;
    carries(&request.fields, &[], NEVER).map_err(|why| format!("{line}: {why}"))?;
    let connection = request.fields.all("connection");
    must(connection.iter().all(|value| value.eq_ignore_ascii_case(b"keep-alive")), || format!("{line} with Connection"))
}

/// The rows that must not reach the upstream at all, and did.
fn leaked(upstream: &Upstream, rows: &[requests::Row]) -> Vec<String> {
    let mut found = HashSet::new();
    for connection in upstream.connections() {
        for window in connection.bytes.windows(7).filter(|window| window.starts_with(b"mk") && window[6] == b'z') {
            found.insert(String::from_utf8_lossy(window).into_owned());
        }
    }
    let silent = |row: &requests::Row| match &row.expect {
        Expect::Refuse(seen, _) => seen.is_empty(),
        Expect::Hang(_) => true,
        _ => false,
    };
    let leaks = |(index, row): (usize, &requests::Row)| {
        (silent(row) && found.contains(&marker(index))).then(|| format!("{index} {:?} reached the upstream", row.name))
    };
    rows.iter().enumerate().filter_map(leaks).collect()
}

// ---- responses ---------------------------------------------------------------------------------------------------

#[test]
fn responses_are_relayed_whole_or_visibly_not() {
    each(ALL, |setup| {
        let rows = Arc::new(responses::all());
        let answers = Arc::clone(&rows);
        let upstream = setup.upstream(move |request, exchange| respond(request, exchange, &answers));
        let gateway = setup.gateway(&upstream, WAIT);
        let mut failed = run(&rows, |row| row.name, |index, row| judge_response(&gateway, index, row));
        failed.extend(upstream.faults());
        assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
        gateway.finish();
    });
}

fn respond(request: &Request, exchange: &mut Exchange<'_>, rows: &[responses::Row]) -> After {
    let Some(index) = request.target.strip_prefix("/v1/row/") else {
        return exchange.ok(format!("probe {}", request.target).as_bytes());
    };
    let row = &rows[index.parse::<usize>().unwrap()];
    exchange.send(&row.raw);
    if row.after == After::Reset {
        // Lets what was sent arrive: a reset overtakes what waits in the buffers.
        thread::sleep(Duration::from_millis(30));
    }
    row.after
}

fn judge_response(gateway: &Gateway, index: usize, row: &responses::Row) -> Verdict {
    let mut client = gateway.client();
    client.try_send(format!("{} /v1/row/{index} HTTP/1.1\r\nHost: a.test\r\n\r\n", row.method).as_bytes());
    let got = client.try_answer(row.method == "HEAD", REFUSAL);
    match (&row.expect, got) {
        (responses::Expect::Relay(whole), Ok(answer)) => relayed(whole, &answer)?,
        (responses::Expect::Either(whole), Ok(answer)) => {
            if answer.status != 502 {
                relayed(whole, &answer)?;
            }
        }
        (responses::Expect::Bad | responses::Expect::Cut, Ok(answer)) => {
            must(answer.status == 502, || format!("status {}, not 502: {:?}", answer.status, answer.text()))?;
            identified(&answer)?;
            must(row.method == "HEAD" || answer.json().get("error").is_some(), || "no error object".to_owned())?;
        }
        (responses::Expect::Cut, Err(Lack::Cut(..))) => return Ok(()),
        (_, Err(lack)) => return Err(show(&lack)),
    }
    let target = format!("/probe/{index}");
    if client.ended.is_none() {
        client.try_send(format!("GET {target} HTTP/1.1\r\nHost: a.test\r\n\r\n").as_bytes());
    }
    match client.try_answer(false, REFUSAL) {
        Ok(answer) => must(answer.text() == format!("probe {target}"), || format!("poisoned: {:?}", answer.text()))?,
        Err(Lack::Cut(_, rest)) if rest.is_empty() => {}
        Err(lack) => return Err(format!("then, {}", show(&lack))),
    }
    let probe = gateway.client().get(&target).text();
    must(probe == format!("probe {target}"), || format!("another client was poisoned: {probe:?}"))
}

fn relayed(whole: &responses::Relayed, answer: &Answer) -> Verdict {
    must(answer.status == whole.status, || {
        format!("status {}, not {}: {}", answer.status, whole.status, answer.text())
    })?;
    must(answer.body == whole.body, || format!("body {:?}", answer.text()))?;
    must(!answer.interim.contains(&101), || "101 crossed".to_owned())?;
    identified(answer)?;
    carries(&answer.fields, &whole.has, &whole.lacks)
}

// ---- every split -------------------------------------------------------------------------------------------------

#[rustfmt::skip]
const REQUESTS: &[(&[u8], &str)] = &[
    (b"GET /v1/a?b=c HTTP/1.1\r\nHost: a.test\r\nX-A: b\r\nX-Empty:\r\n\r\n", "GET /v1/a?b=c "),
    (b"POST /v1/b HTTP/1.1\r\nHost: a.test\r\nContent-Length: 13\r\n\r\n{\"a\":\"b\\n\"}\r\n", "POST /v1/b {\"a\":\"b\\n\"}\r\n"),
    (b"POST /v1/c HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b;\"\r\nhello\r\n0b\r\n\r\n0\r\n\r\n wor\r\n2\r\nld\r\n0\r\nX-T: v\r\n\r\n", "POST /v1/c hello\r\n0\r\n\r\n world"),
    (b"\r\nOPTIONS * HTTP/1.1\r\nhost:a.test:80\r\nConnection: x-a\r\nX-A: b\r\n\r\n", "OPTIONS * "),
    (b"GET http://a.test/v1/e HTTP/1.1\r\nHost: a.test\r\nCookie: \xff\r\n\r\n", "GET /v1/e "),
    (b"PUT /v1/f HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", "PUT /v1/f abc"),
];

#[test]
fn request_cut_at_every_byte_is_the_same_request() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            let head = format!("{} {} ", request.method, request.target);
            exchange.ok(&[head.as_bytes(), &request.body].concat())
        });
        let gateway = setup.gateway(&upstream, &[]);
        let failed = run(
            REQUESTS,
            |(_, expected)| expected,
            |_, (raw, expected)| {
                let mut client = gateway.client();
                for cut in 1..raw.len() {
                    client.try_send(&raw[..cut]);
                    thread::sleep(Duration::from_millis(2));
                    client.try_send(&raw[cut..]);
                    let answer =
                        client.try_answer(false, REFUSAL).map_err(|lack| format!("cut at {cut}: {}", show(&lack)))?;
                    must(answer.text() == *expected, || format!("cut at {cut}: {:?}", answer.text()))?;
                }
                for byte in *raw {
                    client.try_send(&[*byte]);
                }
                let answer =
                    client.try_answer(false, REFUSAL).map_err(|lack| format!("byte by byte: {}", show(&lack)))?;
                must(answer.text() == *expected, || format!("byte by byte: {:?}", answer.text()))
            },
        );
        assert!(failed.is_empty() && upstream.faults().is_empty(), "{failed:#?} {:#?}", upstream.faults());
        gateway.finish();
    });
}

#[rustfmt::skip]
const RESPONSES: &[(&[u8], u16, &[u8], After)] = &[
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello", 200, b"hello", After::Keep),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b;\"\r\nhello\r\n0b\r\n\r\n0\r\n\r\n wor\r\n0\r\nX-T: v\r\n\r\n", 200, b"hello\r\n0\r\n\r\n wor", After::Keep),
    (b"HTTP/1.0 200 Fine\r\nX-Empty:\r\n\r\nuntil the end", 200, b"until the end", After::Close),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 404 \r\nContent-Length: 2\r\n\r\nno", 404, b"no", After::Keep),
    (b"HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n", 204, b"", After::Keep),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", 200, b"hello", After::Close),
];

#[test]
fn response_cut_at_every_byte_is_the_same_response() {
    each(ALL, |setup| {
        let upstream = setup.upstream(|request, exchange| {
            let numbers: Vec<usize> = request.target.split('/').filter_map(|part| part.parse().ok()).collect();
            let (raw, _, _, after) = RESPONSES[numbers[0]];
            if numbers[1] == 0 {
                raw.iter().for_each(|byte| _ = exchange.send(&[*byte]));
            } else {
                exchange.send(&raw[..numbers[1]]);
                thread::sleep(Duration::from_millis(2));
                exchange.send(&raw[numbers[1]..]);
            }
            after
        });
        let gateway = setup.gateway(&upstream, &[]);
        let failed = run(
            RESPONSES,
            |_| "response",
            |index, (raw, status, body, _)| {
                for cut in 0..raw.len() {
                    let mut client = gateway.client();
                    client.try_send(format!("GET /v1/{index}/{cut} HTTP/1.1\r\nHost: a.test\r\n\r\n").as_bytes());
                    let answer =
                        client.try_answer(false, REFUSAL).map_err(|lack| format!("cut at {cut}: {}", show(&lack)))?;
                    must((answer.status, &answer.body[..]) == (*status, *body), || {
                        format!("cut at {cut}: {:?}", answer.text())
                    })?;
                }
                Ok(())
            },
        );
        assert!(failed.is_empty() && upstream.faults().is_empty(), "{failed:#?} {:#?}", upstream.faults());
        gateway.finish();
    });
}

// ---- the tables themselves ---------------------------------------------------------------------------------------

#[test]
fn request_rows_agree_with_the_strict_reader() {
    let rows = requests::all();
    assert!(rows.len() >= 170, "{} requests", rows.len());
    let names: HashSet<&str> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len(), "two rows of one name");
    for row in rows.iter().filter(|row| !row.by_choice) {
        let mut bytes = marked(&row.raw, "mk0000z");
        let take = |bytes: &mut Vec<u8>, seen: &[Forwarded]| {
            for one in seen {
                let (request, used) = strict::request(bytes).expect(row.name).expect(row.name);
                assert_eq!((request.method.as_str(), &request.body), (one.method, &one.body), "{}", row.name);
                bytes.drain(..used);
            }
        };
        match &row.expect {
            Expect::Pass(seen) => {
                take(&mut bytes, seen);
                assert!(bytes.is_empty(), "{}", row.name);
            }
            Expect::PassAndClose(seen) => take(&mut bytes, seen),
            Expect::Refuse(seen, _) => {
                take(&mut bytes, seen);
                bytes.extend(smuggled("mk0000z"));
                let found = strict::request(&bytes);
                assert!(found.is_err(), "{}: {found:?}", row.name);
            }
            Expect::Hang(_) => assert!(!matches!(strict::request(&bytes), Ok(Some(_))), "{}", row.name),
            Expect::Either(..) => {}
        }
    }
}

#[test]
fn response_rows_agree_with_the_strict_reader() {
    let rows = responses::all();
    assert!(rows.len() >= 70, "{} responses", rows.len());
    for row in rows.iter().filter(|row| !row.by_choice) {
        let mut bytes = row.raw.clone();
        let ended = match row.after {
            After::Keep => None,
            After::Close => Some(End::Clean),
            After::Truncate => Some(End::Truncated),
            After::Reset => Some(End::Reset),
        };
        let found = loop {
            match strict::response(&bytes, row.method == "HEAD", ended) {
                Ok(Some((interim, used))) if interim.status < 200 => _ = bytes.drain(..used),
                found => break found,
            }
        };
        match &row.expect {
            responses::Expect::Relay(whole) => {
                let (found, _) = found.expect(row.name).expect(row.name);
                assert_eq!((found.status, &found.body), (whole.status, &whole.body), "{}", row.name);
            }
            responses::Expect::Bad | responses::Expect::Cut => {
                assert!(!matches!(found, Ok(Some(_))), "{}: {found:?}", row.name);
            }
            responses::Expect::Either(_) => {}
        }
    }
}

#[test]
fn split_messages_agree_with_the_strict_reader() {
    let started = Instant::now();
    for (raw, expected) in REQUESTS {
        let (request, used) = strict::request(raw).expect(expected).expect(expected);
        assert_eq!(used, raw.len(), "{expected}");
        assert!(holds(expected.as_bytes(), &request.body), "{expected}");
        for cut in 0..raw.len() {
            assert!(strict::request(&raw[..cut]).expect(expected).is_none(), "{expected} cut at {cut}");
        }
    }
    assert_eq!(post("/", b"ab").len(), strict::request(&post("/", b"ab")).unwrap().unwrap().1);
    assert!(started.elapsed() < Duration::from_secs(10), "the strict reader is fast enough for its use");
}
