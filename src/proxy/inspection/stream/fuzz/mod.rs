//! What must hold for every stream that is inspected: driven by the target `stream` of `fuzz/`, replayed from its corpus by `cargo test`.
//!
//! The first byte chooses how the rest is cut into events and whose they are, or that the rest tells a story from which a stream is
//! written (`texts`); the second chooses the policy, the third how the stream is cut into pieces, the fourth when text has waited too
//! long. The gateway itself never calls into this file.

mod texts;

use std::sync::LazyLock;

use super::Call;
use super::Cut;
use super::Framing;
use super::Stream;
use crate::extract::Api;
use crate::http::lines;
use crate::http::sse;
use crate::limits;
use crate::policy::Policy;
use crate::policy::load::Trust;
use crate::proxy::inspection::Inspector;

/// How the rest is read, chosen by the first byte; behind these come the stories.
const SHAPES: [(Framing, Api); 9] = [
    (Framing::Events, Api::OpenAiChat),
    (Framing::Events, Api::OpenAiResponses),
    (Framing::Events, Api::AnthropicMessages),
    (Framing::Events, Api::OpenAiCompletions),
    (Framing::Events, Api::Other),
    (Framing::Lines(lines::Form::Lines), Api::Other),
    (Framing::Lines(lines::Form::Sequence), Api::Other),
    (Framing::Text, Api::Other),
    (Framing::Document, Api::Other),
];

/// What all policies but the built-in one look for.
const FINDERS: [&str; 14] = [
    "detector = \"email\"",
    "detector = \"card\"",
    "detector = \"iban\"",
    "detector = \"us_ssn\"",
    "detector = \"phone\"",
    "detector = \"ipv4\"",
    "detector = \"aws_access_key\"",
    "detector = \"github_token\"",
    "detector = \"openai_key\"",
    "detector = \"anthropic_key\"",
    "detector = \"private_key\"",
    "detector = \"jwt\"",
    "literals = [\"bluebird\", \"Project Ärger\"]\ncode = \"DLP.CUSTOM.WORD\"",
    "pattern = '\\bEMP-[0-9]{6}\\b'\ncode = \"DLP.CUSTOM.STAFF\"",
];

/// The built-in one; one that replaces all; one that also blocks; one that warns of some, and holds little.
static POLICIES: LazyLock<[Policy; 4]> = LazyLock::new(|| {
    let block = "literals = [\"stop right here\"]\ncode = \"DLP.CUSTOM.STOP\"\naction = \"block\"";
    [
        Policy::built_in(),
        policy("", |_| "redact", ""),
        policy("[tools]\ndeny = [\"delete_*\"]\n[answers]\nat_hold_limit = \"release\"\n", |_| "redact", block),
        policy(
            "[answers]\nhold_bytes = 512\nat_hold_limit = \"block\"\n",
            |at| if at % 2 == 0 { "warn" } else { "redact" },
            block,
        ),
    ]
});

fn policy(settings: &str, action: impl Fn(usize) -> &'static str, more: &str) -> Policy {
    let rules = FINDERS.iter().enumerate().map(|(at, find)| format!("{find}\naction = \"{}\"", action(at)));
    let rules = rules.chain((!more.is_empty()).then(|| more.to_owned())).enumerate();
    let rules = rules.map(|(at, rule)| format!("[[rule]]\nid = \"00000000-0000-4000-8000-{at:012x}\"\n{rule}\n"));
    let head = "version = 1\ntenant = \"fuzz\"\n[defaults]\nscope = [\"response\"]\n";
    let text = format!("{head}{settings}{}", rules.collect::<String>());
    let trust = Trust { keys: &[], tenant: None, allow_unsigned: true };
    Policy::load(text.as_bytes(), &trust, None).unwrap_or_else(|error| panic!("{error}: {:?}", error.details()))
}

/// A stream; its first four bytes say what it is and what happens to it.
///
/// # Panics
/// A property does not hold.
pub fn fuzz_stream(bytes: &[u8]) {
    let [shape, rules, cuts, late, rest @ ..] = bytes else { return };
    let policy = POLICIES.get(usize::from(rules % 4)).unwrap_or_else(|| panic!("four policies"));
    let (cuts, late) = (Steps::new(*cuts), late % 8);
    match SHAPES.get(usize::from(shape % 16)) {
        Some((framing, api)) => any(Way { framing: *framing, api: *api, policy, cuts, late }, rest),
        None => texts::told(*shape % 16, policy, cuts, rest),
    }
}

/// What happens to a stream.
#[derive(Clone)]
struct Way {
    framing: Framing,
    api: Api,
    policy: &'static Policy,
    /// How it is cut.
    cuts: Steps,
    /// After how many pieces what waits has waited too long, again and again; 0: never.
    late: u8,
}

/// Lengths of pieces, the same for the same seed.
#[derive(Clone, Copy)]
struct Steps {
    state: u32,
    bits: u32,
}

impl Steps {
    fn new(seed: u8) -> Self {
        Self { state: u32::from(seed) + 1, bits: u32::from(seed % 10) }
    }

    /// All at once.
    const WHOLE: Self = Self { state: 0, bits: u32::MAX };
}

impl Iterator for Steps {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.bits == u32::MAX {
            return Some(usize::MAX);
        }
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some(1 + (self.state >> 16) as usize % (1 << self.bits))
    }
}

/// What a client is given, and how it ends.
struct Outcome {
    out: Vec<u8>,
    end: Result<(), Cut>,
    told: usize,
    redacted: u32,
}

impl Way {
    fn run(&self, stream: &[u8]) -> Outcome {
        let mut inspector = Inspector::default();
        let mut engine = Stream::new(self.framing, self.api.event_table());
        let mut call = |late: bool, piece: Option<&[u8]>, out: &mut Vec<u8>| {
            let call = Call { inspector: &mut inspector, policy: self.policy, vault: None };
            let before = out.len();
            let end = match piece {
                _ if late => engine.overdue(call, out),
                Some(piece) => engine.push(call, piece, out),
                None => engine.finish(call, out),
            };
            assert!(engine.has_begun() || out.len() == before, "what is given out has begun");
            if end.is_ok() {
                check_bounds(&engine);
                assert!(piece.is_some() || late || engine.waits().is_empty(), "nothing is left at the end");
                assert!(!late || engine.waits().is_empty(), "what is overdue does not wait");
            }
            (end, engine.told().len(), engine.redacted())
        };
        let mut outcome = Outcome { out: Vec::new(), end: Ok(()), told: 0, redacted: 0 };
        let mut rest = stream;
        let mut steps = self.cuts;
        let mut count = 0_u8;
        while outcome.end.is_ok() && !rest.is_empty() {
            let (piece, after) = rest.split_at(steps.next().unwrap_or(1).min(rest.len()));
            rest = after;
            count = (count + 1) % self.late.max(1);
            for is_late in [false, true] {
                if outcome.end.is_ok() && (!is_late || (self.late > 0 && count == 0)) {
                    let (end, told, redacted) = call(is_late, Some(piece), &mut outcome.out);
                    (outcome.end, outcome.redacted) = (end, redacted);
                    outcome.told += told;
                }
            }
        }
        if outcome.end.is_ok() {
            let (end, told, redacted) = call(false, None, &mut outcome.out);
            (outcome.end, outcome.redacted) = (end, redacted);
            outcome.told += told;
        }
        outcome
    }
}

/// A stream keeps no more than it may.
fn check_bounds(stream: &Stream) {
    assert!(
        (stream.waits().end - stream.waits().start) <= limits::STREAM_HELD_BYTES_MAX as u64,
        "what waits is bounded"
    );
    assert!(stream.channels.len() <= limits::STREAM_CHANNELS_MAX, "channels are bounded");
    assert!(stream.input.len() <= limits::SSE_EVENT_BYTES_MAX, "half an event is bounded");
    let room = |channel: &super::Channel| channel.capacity();
    if stream.waits().is_empty() {
        let most = stream.channels.iter().map(room).max().unwrap_or_default();
        assert!(most <= 2 * limits::CHANNEL_BYTES_KEPT, "a text that waits for nothing keeps {most} bytes");
        assert!(stream.queue.memory() <= 4 * limits::STREAM_INPUT_BYTES_KEPT, "nor does an empty queue");
    }
}

/// Any bytes as a stream.
fn any(way: Way, stream: &[u8]) {
    let cut = way.run(stream);
    if way.late == 0 {
        let whole = Way { cuts: Steps::WHOLE, ..way.clone() }.run(stream);
        same(&way, &cut, &whole);
        if stream.len() <= 256 {
            let single = Way { cuts: Steps { state: 1, bits: 0 }, ..way.clone() }.run(stream);
            same(&way, &single, &whole);
        }
    }
    if cut.redacted == 0 {
        assert!(stream.starts_with(&cut.out), "what is clean stays");
        assert!(cut.end.is_err() || stream.len() == cut.out.len(), "and all of it");
    }
    assert!(cut.told > 0 || cut.redacted == 0, "what is replaced is told of");
    if let Framing::Events = way.framing {
        events(stream, &cut);
    }
}

/// However it was cut, the same comes of it.
fn same(way: &Way, one: &Outcome, other: &Outcome) {
    let is_text = matches!(way.framing, Framing::Text | Framing::Document);
    if is_text && (one.end.is_err() || other.end.is_err()) {
        // What comes at once is one event: how much of it comes before a cut depends on how much came.
        return;
    }
    assert_eq!(one.end, other.end, "the same end");
    let text = |outcome: &Outcome| String::from_utf8_lossy(&outcome.out).trim_end_matches('\n').to_owned();
    // A line feed that comes late is an event of its own.
    assert_eq!(text(one), text(other), "the same bytes");
    assert_eq!(one.redacted, other.redacted, "as many placeholders");
}

/// An event stream is one when it comes out: event for event, and what was JSON still is.
fn events(stream: &[u8], outcome: &Outcome) {
    let (sent, left) = said(stream);
    let (given, rest) = said(&outcome.out);
    assert!(given.len() <= sent.len() + usize::from(left.is_some()), "no event more");
    if outcome.end.is_ok() {
        assert_eq!(given.len(), sent.len(), "every event");
        assert_eq!(rest.is_some(), left.is_some(), "and what is left");
    }
    let is_json = |data: &[u8]| serde_json::from_slice::<serde_json::Value>(data).is_ok();
    for (before, after) in sent.iter().chain(&left).zip(given.iter().chain(&rest)) {
        assert!(!is_json(before) || is_json(after), "what parsed parses");
        assert!(outcome.redacted > 0 || before == after);
    }
}

/// The data of each event, and of what is left.
fn said(stream: &[u8]) -> (Vec<Vec<u8>>, Option<Vec<u8>>) {
    let (mut splitter, mut all, mut rest) = (sse::Splitter::default(), Vec::new(), stream);
    let data = |bytes: &[u8], event: &sse::Event| {
        let mut out = Vec::new();
        sse::joined(bytes, event, &mut out);
        out
    };
    while let Ok(Some(event)) = splitter.next(rest) {
        all.push(data(rest, &event));
        rest = rest.get(event.end..).unwrap_or_default();
    }
    let left = splitter.rest(rest).map(|event| data(rest, &event));
    (all, left)
}
