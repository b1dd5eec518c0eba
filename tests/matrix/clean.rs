//! Framing as servers choose it: where there is nothing to find every byte arrives as it was sent, and where there is a value it is
//! replaced and nothing else is lost. Cuts, framing and pieces on the wire are drawn.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::Mutex;

use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::sample::select;
use proptest::test_runner::Config;
use proptest::test_runner::RngAlgorithm;
use proptest::test_runner::TestCaseError;
use proptest::test_runner::TestRng;
use proptest::test_runner::TestRunner;

use crate::channels;
use crate::engine::Engine;
use crate::guarded::Guarded;
use crate::rules;
use crate::rules::Action;
use crate::support::PLAIN;
use crate::support::each;
use crate::support::streams::Channel;
use crate::support::streams::Dialect;
use crate::support::streams::assemble;
use crate::support::streams::stream;
use crate::support::streams::unary;
use crate::support::streams::unary_text;
use crate::support::strict::Request;
use crate::support::upstream::After;
use crate::support::upstream::Exchange;
use crate::support::wire::post;

/// Texts that stand alone: parts of one message are one text in a whole answer, and each its own in a stream.
fn alone() -> Vec<(Dialect, Channel)> {
    channels().into_iter().filter(|(dialect, channel)| channel.part == 0 || *dialect == Dialect::Chat).collect()
}

/// What may begin a value, and does not end it.
const WORDS: &[&str] = &[
    "the ",
    "card ",
    "it is ",
    ", ",
    ". ",
    " ",
    "\n",
    "-",
    "(",
    "1",
    "22",
    "2024-11-25 ",
    "v1.2.3 ",
    "10:30 ",
    "DE",
    "x@",
    "@ ",
    ".com ",
    "AKIA ",
    "sk-",
    "eyJ",
    "EMP-",
    "blue",
    "birds ",
    "ärger ",
    "🙂",
    "\\",
    "\"",
    "&",
    "%4",
    "-----BEGIN ",
    "http://a.test/?q=",
    "QmFzZTY0IHNheXMg",
    "deadbeef",
    "a word and another ",
    "\u{ff14}",
    "\u{200b}",
];

/// How a server writes one event.
#[derive(Clone, Debug)]
struct Style {
    line_end: &'static str,
    /// Lines in front: comments, ids, pauses; nothing of them is a value.
    front: &'static str,
    /// `data:{` and not `data: {`.
    is_tight: bool,
    /// The data is cut into two lines behind its first byte, with this between them.
    between: Option<&'static str>,
    /// More empty lines behind.
    empty: usize,
}

fn style() -> impl Strategy<Value = Style> {
    let fronts =
        ["", "", "", ": ping\n", ":\n", "id: 7\n", "id\n", "retry: 3000\n", "id: a-b\n: and on\n", "event: ignored\n"];
    let between = [None, None, None, Some(""), Some(": in the middle\n"), Some("id: 9\n")];
    (select(&["\n", "\r\n", "\r"][..]), select(fronts.to_vec()), any::<bool>(), select(between.to_vec()), 0..3_usize)
        .prop_map(|(line_end, front, is_tight, between, empty)| Style { line_end, front, is_tight, between, empty })
}

impl Style {
    /// The event, written like this. What its data says stays.
    fn write(&self, dialect: Dialect, event: &[u8]) -> Vec<u8> {
        let text = std::str::from_utf8(event).unwrap();
        if dialect == Dialect::Lines {
            let end = if self.line_end == "\r" { "\n" } else { self.line_end };
            return format!("{}{end}{}", text.trim_end(), end.repeat(self.empty)).into_bytes();
        }
        let field = if self.is_tight { "data:" } else { "data: " };
        // A name that says another thing than the event's own stands where there is an own one behind it, which holds.
        let front = if self.front.starts_with("event") && !text.starts_with("event") { "" } else { self.front };
        let mut out = front.to_owned();
        for line in text.trim_end().lines() {
            match (line.strip_prefix("data: "), self.between) {
                (Some(data), Some(between)) if data.starts_with('{') => {
                    out.push_str(&format!("{field}{{\n{between}{field}{}\n", &data[1..]));
                }
                (Some(data), _) => out.push_str(&format!("{field}{data}\n")),
                (None, _) => out.push_str(&format!("{line}\n")),
            }
        }
        out.push_str(&"\n".repeat(1 + self.empty));
        out.replace('\n', self.line_end).into_bytes()
    }
}

/// A stream that is drawn.
#[derive(Clone, Debug)]
struct Drawn {
    place: usize,
    words: Vec<String>,
    cuts: Vec<usize>,
    styles: Vec<Style>,
    /// Bytes of the pieces in which it is received, one behind the other in turns.
    steps: Vec<usize>,
}

fn drawn(words: Vec<String>) -> impl Strategy<Value = Drawn> {
    let words = proptest::collection::vec(select(words), 1..16);
    let cuts = proptest::collection::vec(any::<usize>(), 0..24);
    let styles = proptest::collection::vec(style(), 1..8);
    let steps = proptest::collection::vec(1..400_usize, 1..6);
    (0..alone().len(), words, cuts, styles, steps).prop_map(|(place, words, cuts, styles, steps)| Drawn {
        place,
        words,
        cuts,
        styles,
        steps,
    })
}

impl Drawn {
    fn channel(&self) -> (Dialect, Channel) {
        alone()[self.place]
    }

    fn text(&self) -> String {
        self.words.concat()
    }

    /// The bytes of the stream.
    fn bytes(&self) -> Vec<u8> {
        let text = self.text();
        let places = self.cuts.iter().map(|cut| cut % (text.len() + 1)).filter(|at| text.is_char_boundary(*at));
        let mut places: Vec<usize> = places.chain([0, text.len()]).collect();
        places.sort_unstable();
        places.dedup();
        let pieces: Vec<&str> = places.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        let (dialect, channel) = self.channel();
        let events = stream(dialect, channel, &pieces);
        let styled =
            events.iter().zip(self.styles.iter().cycle()).flat_map(|(event, style)| style.write(dialect, event));
        styled.collect()
    }

    fn pieces(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut steps = self.steps.iter().cycle();
        let (mut out, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() {
            let (front, back) = rest.split_at(rest.len().min(*steps.next().unwrap()));
            out.push(front.to_vec());
            rest = back;
        }
        out
    }

    /// The text as a whole answer with it is redacted.
    fn redacted(&self, engine: &mut Engine) -> String {
        let (dialect, channel) = self.channel();
        let (_, whole, _) = engine.answer(dialect.path(), &unary(dialect, channel, &self.text()));
        unary_text(dialect, channel, &whole).unwrap()
    }
}

fn run(cases: u32, words: Vec<String>, test: impl Fn(Drawn) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    // The same cases each time: the last of the disagreements, of one in ten thousand, are told in docs/coverage.md.
    let chance = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    if let Err(error) = TestRunner::new_with_rng(config, chance).run(&drawn(words), test) {
        panic!("{error}");
    }
}

fn words() -> Vec<String> {
    WORDS.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn a_clean_stream_in_any_framing_arrives_byte_for_byte() {
    each(PLAIN, |setup| {
        let rules = rules::all();
        let engine = RefCell::new(Engine::new(&rules, Action::Redact));
        let said: Arc<Mutex<(Dialect, Vec<Vec<u8>>)>> = Arc::new(Mutex::new((Dialect::Chat, Vec::new())));
        let speaks = Arc::clone(&said);
        let upstream = setup.upstream(move |_: &Request, exchange: &mut Exchange<'_>| {
            let (dialect, pieces) = speaks.lock().unwrap().clone();
            let kind = dialect.media_type();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n");
            exchange.send(head.as_bytes());
            pieces.iter().all(|piece| exchange.chunk(piece));
            exchange.chunk(b"");
            After::Keep
        });
        let guarded = Guarded::start(setup, &upstream, &rules::policy(&rules, Action::Redact), &[]);
        let client = RefCell::new(guarded.gateway.client());
        run(150, words(), |drawn| {
            if drawn.redacted(&mut engine.borrow_mut()) != drawn.text() {
                return Err(TestCaseError::reject("a value came about"));
            }
            let (dialect, _) = drawn.channel();
            let bytes = drawn.bytes();
            *said.lock().unwrap() = (dialect, drawn.pieces(&bytes));
            let answer = client.borrow_mut().send(&post(dialect.path(), &dialect.request(true))).answer();
            prop_assert_eq!(answer.status, 200);
            prop_assert!(answer.body == bytes, "{:?} became {:?}", String::from_utf8_lossy(&bytes), answer.text());
            Ok(())
        });
        drop(client);
        guarded.gateway.finish();
    });
}

#[test]
fn any_text_in_any_framing_is_assembled_as_the_redaction_of_the_whole() {
    let rules = rules::all();
    let engine = RefCell::new(Engine::new(&rules, Action::Redact));
    // Values twice as often as each word.
    let values = rules.iter().map(|rule| rule.value.clone());
    // These between two values glue them in one reading and part them in the other: more of the text may be replaced, or less.
    let words = words().into_iter().filter(|word| !["\u{ff14}", "\u{200b}"].contains(&word.as_str()));
    let words = words.chain(values.clone()).chain(values).collect();
    run(400, words, |drawn| {
        let mut engine = engine.borrow_mut();
        let (dialect, channel) = drawn.channel();
        let sent = drawn.bytes();
        let redacted = drawn.redacted(&mut engine);
        let outcome = engine.run(dialect, &drawn.pieces(&sent));
        prop_assert_eq!(outcome.end, Ok(()));
        let mut expected = assemble(dialect, &sent).map_err(TestCaseError::fail)?;
        let texts = expected.texts.iter_mut().filter(|(other, _)| *other == channel);
        texts.for_each(|(_, text)| text.clone_from(&redacted));
        let told = assemble(dialect, &outcome.out).map_err(TestCaseError::fail)?;
        prop_assert_eq!(&told, &expected, "{:?}", String::from_utf8_lossy(&sent));
        if redacted == drawn.text() {
            prop_assert!(outcome.out == sent, "{:?}", String::from_utf8_lossy(&sent));
        }
        Ok(())
    });
}
