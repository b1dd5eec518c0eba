//! Nothing of a request leaves the gateway but to its upstream: ten thousand requests with a canary, and then a look at all that was told.
//!
//! A request may be anything (`asks.rs`); the log at its finest, standard output, the events, every page of the admin listener and the
//! gateway's own answers must hold no trace of the canary (`traces.rs`). A gateway that dies leaves no core. What a panic tells is
//! tested beside the code, where one can be made: `gateway.rs`.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a panic is how a test says no; tests lock and read time"
)]
#![expect(unreachable_pub, reason = "a test crate exports nothing; `pub` is what a module shows to the others")]

mod asks;
mod dumps;
#[expect(dead_code, reason = "the harness is shared with the stories, which use the rest")]
#[path = "../support/mod.rs"]
mod support;
mod traces;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use asks::Ask;
use asks::Chance;
use asks::To;
use asks::Way;
use support::ALL;
use support::Gateway;
use support::PROGRAM;
use support::Setup;
use support::certificates;
use support::certificates::shared;
use support::each;
use support::strict::Request;
use support::upstream::After;
use support::upstream::Exchange;
use support::upstream::Upstream;
use support::wire::Answer;
use support::wire::Client;
use support::wire::Lack;
use support::wire::PATIENCE;
use support::wire::Wire;
use support::wire::show;
use traces::CANARY;
use traces::trace;

/// Over all setups.
const REQUESTS: usize = 10_000;

/// Clients that send at once, in each setup.
const CALLERS: usize = 2;

/// The seed of the first caller; the others count on from it.
const SEED: u64 = 20_261_125;

/// After how many requests a caller looks at the admin listener.
const ASKS_BETWEEN_LOOKS: usize = 250;

/// So that what stalls is soon answered.
const IMPATIENT: [&str; 4] =
    ["--timeout-head=400ms", "--timeout-body=400ms", "--timeout-first-byte=400ms", "--timeout-tls=2s"];

const POLICY: &str = r#"
version = 3
tenant = "acme"

[defaults]
action = "redact"

[[rule]]
id = "00000000-0000-4000-8000-000000000001"
detector = "aws_access_key"
action = "block"
where = ["body", "tools"]

[[rule]]
id = "00000000-0000-4000-8000-000000000002"
detector = "email"
where = ["body", "tools", "url", "headers"]

[[rule]]
id = "00000000-0000-4000-8000-000000000003"
code = "DLP.CUSTOM.ORDER"
pattern = 'order [A-Za-z0-9]{16}'
where = ["body", "tools", "url", "headers"]
numbered = true

[[rule]]
id = "00000000-0000-4000-8000-000000000004"
code = "DLP.CUSTOM.WORD"
literals = ["bluebird"]
action = "warn"
where = ["body", "tools", "url", "headers"]

[[rule]]
id = "00000000-0000-4000-8000-000000000005"
code = "DLP.CUSTOM.PROJECT"
literals = ["orion"]
action = "block"
mode = "shadow"

[[rule]]
id = "00000000-0000-4000-8000-000000000006"
detector = "jwt"
action = "block"
"#;

/// A gateway, and the folder with what it writes: its standard output, its events, and a core if it left one.
struct Watched {
    gateway: Gateway,
    folder: PathBuf,
    admin: SocketAddr,
}

impl Watched {
    fn start(setup: Setup, upstream: &str, flags: &[&str]) -> Self {
        Self::start_as(
            setup,
            Command::new("sh"),
            Path::new(PROGRAM),
            certificates::folder(),
            &setup.flags_to(upstream, flags),
        )
    }

    /// The shell becomes the program, in the folder, with no bound on the size of a core that it could have lifted.
    fn start_as(setup: Setup, mut shell: Command, program: &Path, folder: PathBuf, flags: &[String]) -> Self {
        const BECOME: &str = r#"cd "$1" && shift && ulimit -c "$(ulimit -H -c)" && exec "$@" >stdout"#;
        fs::write(folder.join("policy.toml"), POLICY).unwrap();
        shell.args(["-c", BECOME, "sh"]).arg(&folder).arg(program);
        shell.args(["--policy=./policy.toml", "--allow-unsigned-policy", "--events=./events", "--admin=127.0.0.1:0"]);
        shell.args(["--log=debug", "--log-format=json", "--via", "--forwarded", "--body-max=64K"]);
        let mut gateway = Gateway::launch(setup, shell, flags)
            .unwrap_or_else(|(status, log)| panic!("no start ({status:?}):\n{log}"));
        let admin = gateway.admin();
        Self { gateway, folder, admin }
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    /// All that the admin listener says, to questions that hold the canary too.
    fn look(&self) -> String {
        let asks = [
            "GET /metrics".to_owned(),
            "GET /readyz?verbose".to_owned(),
            "GET /livez".to_owned(),
            "GET /healthz".to_owned(),
            format!("GET /{CANARY}?{CANARY}"),
            format!("{CANARY} /metrics"),
            format!("GET /{}", CANARY.repeat(400)),
        ];
        let page = |ask: &String| {
            let mut client = Client::new(Wire::connect(self.admin, None));
            client.try_send(format!("{ask} HTTP/1.1\r\nHost: {CANARY}\r\nCookie: {CANARY}\r\n\r\n").as_bytes());
            client.end(PATIENCE);
            assert_eq!(trace(&client.inbox), None, "an admin page tells of the request");
            String::from_utf8(client.inbox).unwrap()
        };
        asks.iter().map(page).collect()
    }

    /// Ends it; everything that it told by then, by name.
    fn finish(self) -> Told {
        let page = self.look();
        let Self { gateway, folder, .. } = self;
        let log = gateway.finish();
        let file = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let told = Told { log, page, events: file("events"), stdout: file("stdout") };
        fs::remove_dir_all(&folder).unwrap();
        told
    }
}

struct Told {
    log: String,
    page: String,
    events: String,
    stdout: String,
}

/// What the callers of a setup saw.
#[derive(Default)]
struct Tally {
    sent: usize,
    /// Of the gateway's own answers.
    own: BTreeMap<u16, usize>,
    passed: usize,
    unanswered: usize,
}

/// The gateways of one setup.
struct Gateways {
    serving: Watched,
    deserted: Watched,
    shut: Watched,
}

impl Gateways {
    fn of(&self, to: To) -> &Gateway {
        let watched = match to {
            To::Serving => &self.serving,
            To::Deserted => &self.deserted,
            To::Shut => &self.shut,
        };
        &watched.gateway
    }
}

/// The upstream: it does what the request asks it to, and says the canary wherever an answer has room for it.
fn play(request: &Request, exchange: &mut Exchange<'_>) -> After {
    let whole = format!(
        "HTTP/1.1 200 OK\r\nX-Made-By: upstream\r\nX-{CANARY}: {CANARY}\r\nContent-Length: {}\r\n\r\n",
        CANARY.len()
    );
    let play = request.fields.one("x-play").unwrap_or_default();
    let (bytes, after) = match play.as_str() {
        "garbage" => (format!("{CANARY} {CANARY}\r\n\r\n"), After::Close),
        "status" => (format!("HTTP/1.1 {CANARY} OK\r\n\r\n"), After::Close),
        "length" => (format!("HTTP/1.1 200 OK\r\nContent-Length: {CANARY}\r\n\r\n"), After::Close),
        "head" => (format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", CANARY.repeat(3000)), After::Close),
        "cut" => (format!("{whole}{}", &CANARY[..8]), After::Close),
        "reset" => (format!("{whole}{}", &CANARY[..8]), After::Reset),
        "leave" => (String::new(), After::Reset),
        "interim" if request.method != "HEAD" => {
            (format!("HTTP/1.1 103 {CANARY}\r\nLink: <{CANARY}>\r\n\r\n{whole}{CANARY}"), After::Keep)
        }
        "error" => (
            format!("HTTP/1.1 529 {CANARY}\r\nX-Made-By: upstream\r\nX: {CANARY}\r\nContent-Length: 0\r\n\r\n"),
            After::Keep,
        ),
        "stream" if request.method != "HEAD" => {
            exchange.send(b"HTTP/1.1 200 OK\r\nX-Made-By: upstream\r\nTransfer-Encoding: chunked\r\n\r\n");
            exchange.chunk(format!("data: {CANARY}\n\n").as_bytes());
            (format!("{CANARY}\r\n"), After::Close)
        }
        "slow" => {
            exchange.ended_within(PATIENCE);
            return After::Close;
        }
        _ if request.method == "HEAD" => (whole, After::Keep),
        _ => (format!("{whole}{CANARY}"), After::Keep),
    };
    exchange.send(bytes.as_bytes());
    after
}

/// A caller's connections, kept while they are good.
#[derive(Default)]
struct Kept(Option<Client>);

/// Sends one, and judges what comes back.
fn send(gateways: &Gateways, kept: &mut Kept, ask: &Ask, tally: &mut Tally) {
    let gateway = gateways.of(ask.to);
    let bytes = ask.bytes.as_slice();
    tally.sent += 1;
    if ask.way == Way::Named {
        let name = format!("{}.test", CANARY.to_lowercase());
        let mut wire = Wire::connect_as(gateway.address, Some(shared().authority.client(None)), &name);
        let _ = wire.send(bytes);
        tally.unanswered += 1;
        return;
    }
    let mut client = match ask {
        Ask { way: Way::Bare, .. } | Ask { to: To::Shut, .. } => gateway.plain_client(),
        Ask { to: To::Serving, .. } => kept.0.take().unwrap_or_else(|| gateway.client()),
        _ => gateway.client(),
    };
    match ask.way {
        Way::Whole | Way::Named => client.try_send(bytes),
        Way::Pieces => {
            let (first, last) = bytes.split_at(bytes.len() / 2);
            client.try_send(first);
            thread::sleep(Duration::from_millis(2));
            client.try_send(last);
        }
        Way::Stall(length) => client.try_send(&bytes[..length]),
        Way::Leave(length) => {
            client.try_send(&bytes[..length]);
            tally.unanswered += 1;
            return;
        }
        Way::LeaveAtOnce => {
            client.try_send(bytes);
            tally.unanswered += 1;
            return client.wire.reset();
        }
        Way::Bare => {
            client.try_send(bytes);
            client.end(Duration::from_millis(50));
            assert_eq!(trace(&client.inbox), None, "an answer tells of what was no request");
            tally.unanswered += 1;
            return;
        }
    }
    match client.try_answer(ask.to_head, PATIENCE) {
        Ok(answer) => {
            judge(ask, &answer, tally);
            let open = answer.fields.one("connection").is_none_or(|value| !value.contains("close"));
            if open && ask.sound && ask.to == To::Serving {
                kept.0 = Some(client);
            }
        }
        Err(Lack::Cut(..)) => tally.unanswered += 1,
        Err(lack) => panic!("{}: {:?}", show(&lack), String::from_utf8_lossy(bytes)),
    }
}

fn judge(ask: &Ask, answer: &Answer, tally: &mut Tally) {
    if answer.fields.has("x-made-by") {
        tally.passed += 1;
        return;
    }
    *tally.own.entry(answer.status).or_default() += 1;
    if ask.repeated {
        return;
    }
    let fields = answer.fields.0.iter().flat_map(|(name, value)| [name.as_bytes(), b": ", value, b"\n"].concat());
    let told = fields.chain(answer.body.iter().copied()).collect::<Vec<u8>>();
    assert_eq!(trace(&told), None, "an answer of the gateway's own, to {:?}", String::from_utf8_lossy(&ask.bytes));
}

fn call(gateways: &Gateways, seed: u64, count: usize) -> Tally {
    let (mut chance, mut kept, mut tally) = (Chance(seed), Kept::default(), Tally::default());
    for number in 0..count {
        if number % ASKS_BETWEEN_LOOKS == 0 {
            gateways.serving.look();
        }
        send(gateways, &mut kept, &asks::ask(&mut chance), &mut tally);
    }
    tally
}

fn add(mut sum: Tally, one: Tally) -> Tally {
    for (status, count) in one.own {
        *sum.own.entry(status).or_default() += count;
    }
    Tally {
        sent: sum.sent + one.sent,
        passed: sum.passed + one.passed,
        unanswered: sum.unanswered + one.unanswered,
        own: sum.own,
    }
}

/// The gateway was asked much, and told much: else there would be nothing to find a trace in.
fn told_enough(tally: &Tally, told: &Told, upstream: &Upstream) {
    let Tally { own, passed, .. } = tally;
    // Of its own with 200 are the answers to probes.
    for status in [200, 400, 403, 408, 413, 414, 415, 417, 431, 501, 502, 504, 505] {
        assert!(own.contains_key(&status), "no {status}: {own:?}");
    }
    assert!(*passed > tally.sent / 10, "only {passed} of {} passed", tally.sent);
    assert!(upstream.saw(CANARY), "the canary itself went upstream");
    let events: Vec<Value> = told.events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told_as = |field: &str| {
        let values = events.iter().filter_map(|event| event[field].as_str());
        values.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let codes = told_as("reason_code");
    for code in [
        "DLP.SECRET.AWS_ACCESS_KEY",
        "DLP.PII.EMAIL",
        "DLP.CUSTOM.ORDER",
        "DLP.CUSTOM.WORD",
        "DLP.CUSTOM.PROJECT",
        "POLICY.UNSUPPORTED_CONTENT",
    ] {
        assert!(codes.contains(code), "{code}: {codes:?}");
    }
    assert_eq!(told_as("action"), ["block", "redact", "warn"].map(str::to_owned).into());
    assert_eq!(told_as("matched_in"), ["body", "headers", "tools", "url"].map(str::to_owned).into());
    assert!(told.page.contains("pnx_events_total{code=\"DLP.CUSTOM.ORDER\"}"), "{}", told.page);
    assert!(told.log.contains("\"level\":\"DEBUG\"") && told.log.contains("listening"), "{}", told.log);
}

#[test]
fn ten_thousand_requests_leave_no_trace_in_what_is_told() {
    each(ALL, |setup| {
        let upstream = setup.upstream(play);
        let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let deserted = format!("{}://{nobody}", if setup.tls { "https" } else { "http" });
        let gateways = Gateways {
            serving: Watched::start(setup, &upstream.url(), &IMPATIENT),
            deserted: Watched::start(setup, &deserted, &IMPATIENT),
            shut: Watched::start(setup, &upstream.url(), &["--plaintext=deny"]),
        };
        let first =
            SEED + 100 * ALL.iter().position(|other| format!("{other:?}") == format!("{setup:?}")).unwrap() as u64;
        let tally = thread::scope(|scope| {
            let start = |caller| {
                let gateways = &gateways;
                scope.spawn(move || call(gateways, first + caller, REQUESTS / ALL.len() / CALLERS))
            };
            let callers: Vec<_> = (0..CALLERS as u64).map(start).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).fold(Tally::default(), add)
        });
        assert_eq!(tally.sent, REQUESTS / ALL.len());
        let Gateways { serving, deserted, shut } = gateways;
        for (name, watched) in [("serving", serving), ("deserted", deserted), ("shut", shut)] {
            let told = watched.finish();
            for (what, text) in
                [("log", &told.log), ("page", &told.page), ("events", &told.events), ("stdout", &told.stdout)]
            {
                assert_eq!(trace(text.as_bytes()), None, "{what} of the {name} gateway");
            }
            if name == "serving" {
                told_enough(&tally, &told, &upstream);
            }
        }
    });
}
