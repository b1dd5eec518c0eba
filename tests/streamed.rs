//! Whole-gateway stories of answers that come in events: what goes on at once, what waits, what is replaced, what is cut.
//!
//! The upstream is conducted by the story: it sends the next event when it is told to, so that an event which has arrived has not
//! waited for the one behind it. No module of the library is used.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a panic is how a test says no; tests lock and read time"
)]
#![expect(unreachable_pub, reason = "a test crate exports nothing; `pub` is what a module shows to the others")]

mod guarded;
#[expect(dead_code, reason = "the harness is shared with the stories, which use the rest")]
mod support;

#[path = "streamed/blocks.rs"]
mod blocks;
#[path = "streamed/bounds.rs"]
mod bounds;
#[path = "streamed/calls.rs"]
mod calls;
#[path = "streamed/flow.rs"]
mod flow;
#[path = "streamed/holds.rs"]
mod holds;
#[path = "streamed/tokens.rs"]
mod tokens;

use std::sync::Mutex;
use std::sync::mpsc;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use serde_json::json;

use guarded::Guarded;
use support::ALL;
use support::Setup;
use support::streams::Channel;
use support::streams::Dialect;
use support::streams::Kind;
use support::upstream::After;
use support::upstream::Upstream;
use support::wire::Answer;
use support::wire::Client;
use support::wire::PATIENCE;
use support::wire::holds;
use support::wire::post;

const MAIL: &str = "anna.keller@nordwind-handel.de";
/// In two halves, so that this file holds no key.
const AWS_KEY: &str = concat!("AKIA", "Q7ZT2XV5JNLB3RWD");

const EMAIL: &str = "detector = \"email\"\naction = \"redact\"\nscope = [\"response\"]";
const CARD: &str = "detector = \"card\"\naction = \"redact\"\nscope = [\"response\"]";
const AWS: &str = "detector = \"aws_access_key\"\naction = \"block\"\nscope = [\"response\"]";
const WATCH: &str =
    "literals = [\"bluebird\"]\ncode = \"DLP.CUSTOM.PROJECT\"\naction = \"warn\"\nscope = [\"response\"]";

const TEXT: Channel = Channel::of(Kind::Text);

/// What the upstream does next.
enum Step {
    /// One chunk.
    Send(Vec<u8>),
    /// The end of the body; the connection stays.
    End,
    /// No end: the connection does this.
    Drop(After),
    /// It waits for the gateway to end the connection, and goes on sending nothing.
    Await,
}

/// An upstream whose streams the story conducts.
struct Conducted {
    upstream: Upstream,
    steps: Sender<Step>,
}

impl Conducted {
    /// Every answer has a head with these lines.
    fn with(setup: Setup, head: String) -> Self {
        let (steps, next) = mpsc::channel();
        let next = Mutex::new(next);
        let upstream = setup.upstream(move |_, exchange| {
            let next = next.lock().unwrap();
            // The head comes with what is sent first.
            let mut head = format!("HTTP/1.1 200 OK\r\n{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
            loop {
                match next.recv() {
                    Ok(Step::Send(bytes)) => {
                        head.extend_from_slice(format!("{:x}\r\n", bytes.len()).as_bytes());
                        head.extend_from_slice(&bytes);
                        head.extend_from_slice(b"\r\n");
                        exchange.send(&std::mem::take(&mut head));
                    }
                    Ok(Step::End) => {
                        exchange.send(b"0\r\n\r\n");
                        return After::Keep;
                    }
                    Ok(Step::Drop(after)) => return after,
                    Ok(Step::Await) => {
                        assert!(exchange.ended_within(PATIENCE), "the gateway keeps the connection");
                        return After::Close;
                    }
                    Err(_) => return After::Close,
                }
            }
        });
        Self { upstream, steps }
    }

    /// Streams of this dialect.
    fn of(setup: Setup, dialect: Dialect) -> Self {
        Self::with(setup, format!("Content-Type: {}\r\n", dialect.media_type()))
    }

    fn step(&self, step: Step) {
        self.steps.send(step).unwrap();
    }

    fn send(&self, bytes: impl AsRef<[u8]>) {
        self.step(Step::Send(bytes.as_ref().to_vec()));
    }

    /// Sends something, and waits until the client has all of it as it was.
    fn pass(&self, client: &mut Client, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.send(bytes);
        arrives(client, bytes);
    }

    /// The gateway has ended its first connection.
    fn is_left(&self) -> bool {
        self.upstream.wait(PATIENCE, |seen| seen.first().is_some_and(|seen| seen.ended.is_some()))
    }
}

/// Waits for bytes at the client.
fn arrives(client: &mut Client, bytes: impl AsRef<[u8]>) {
    let bytes = bytes.as_ref();
    assert!(
        client.wait_for(bytes, PATIENCE),
        "{:?} does not arrive: {:?}",
        String::from_utf8_lossy(bytes),
        String::from_utf8_lossy(&client.inbox)
    );
}

/// Asks for a stream.
fn ask(client: &mut Client, dialect: Dialect) {
    client.send(&post(dialect.path(), &dialect.request(true)));
}

fn inspection(answer: &Answer) -> String {
    answer.fields.one("x-penaxtra-inspection").unwrap()
}

/// One event of a chat that says this.
fn chat(content: &str) -> String {
    let delta = json!({"object": "chat.completion.chunk", "choices": [
        {"index": 0, "delta": {"content": content}, "finish_reason": null}]});
    format!("data: {delta}\n\n")
}

/// What the client has so far does not hold this.
fn lacks(client: &Client, text: &str) -> bool {
    !holds(&client.inbox, text.as_bytes())
}

/// Waits until the series has this value: some things are counted a moment after the last byte that tells of them.
fn comes_to(guarded: &mut Guarded, series: &str, value: f64) {
    let deadline = Instant::now() + PATIENCE;
    while guarded.metric(series) != value {
        assert!(Instant::now() < deadline, "{series} is {}, not {value}", guarded.metric(series));
        thread::sleep(Duration::from_millis(20));
    }
}
