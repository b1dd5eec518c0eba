//! The matrix at the library: each value, at every cut of it over events, in every channel of every dialect, under every action.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use penaxtra_gateway::extract::Api;
use penaxtra_gateway::http::head::RequestHead;
use penaxtra_gateway::http::head::ResponseHead;
use penaxtra_gateway::http::lines;
use penaxtra_gateway::policy;
use penaxtra_gateway::policy::Policy;
use penaxtra_gateway::policy::load::Trust;
use penaxtra_gateway::proxy::inspection::Answer;
use penaxtra_gateway::proxy::inspection::Hit;
use penaxtra_gateway::proxy::inspection::Inspector;
use penaxtra_gateway::proxy::inspection::Message;
use penaxtra_gateway::proxy::inspection::Target;
use penaxtra_gateway::proxy::inspection::redact::Redaction;
use penaxtra_gateway::proxy::inspection::stream::Call;
use penaxtra_gateway::proxy::inspection::stream::Cut;
use penaxtra_gateway::proxy::inspection::stream::Framing;
use penaxtra_gateway::proxy::inspection::stream::Stream;

use crate::asked;
use crate::asked::Place;
use crate::channels;
use crate::further::FURTHER;
use crate::further::Further;
use crate::rules;
use crate::rules::Action;
use crate::rules::BEFORE;
use crate::rules::Rule;
use crate::support::streams::Channel;
use crate::support::streams::Dialect;
use crate::support::streams::Kind;
use crate::support::streams::assemble;
use crate::support::streams::interleaved;
use crate::support::streams::stream;
use crate::support::streams::unary;
use crate::support::streams::unary_text;
use crate::support::streams::unary_texts;

pub fn load(text: &str) -> Policy {
    let trust = Trust { keys: &[], tenant: None, allow_unsigned: true };
    Policy::load(text.as_bytes(), &trust, None).unwrap_or_else(|error| panic!("{error}: {:?}", error.details()))
}

/// The engine under one action.
pub struct Engine {
    pub policy: Policy,
    action: Action,
    inspector: Inspector,
}

/// What comes of a stream.
pub struct Outcome {
    pub out: Vec<u8>,
    pub end: Result<(), Cut>,
    /// The words of the rules that were told.
    pub told: Vec<String>,
}

impl Engine {
    pub fn new(rules: &[Rule], action: Action) -> Self {
        Self { policy: load(&rules::policy(rules, action)), action, inspector: Inspector::default() }
    }

    /// Each piece is received on its own.
    pub fn run(&mut self, dialect: Dialect, pieces: &[Vec<u8>]) -> Outcome {
        let framing = if dialect == Dialect::Lines { Framing::Lines(lines::Form::Lines) } else { Framing::Events };
        self.run_framed(framing, dialect.path(), pieces)
    }

    fn run_framed(&mut self, framing: Framing, path: &str, pieces: &[Vec<u8>]) -> Outcome {
        let Self { policy, inspector, .. } = self;
        let mut stream = Stream::new(framing, Api::of_path(path.as_bytes()).event_table());
        let (mut out, mut told, mut end) = (Vec::new(), Vec::new(), Ok(()));
        for piece in pieces.iter().map(Some).chain([None]) {
            let call = Call { inspector, policy, vault: None };
            end = match piece {
                Some(piece) => stream.push(call, piece, &mut out),
                None => stream.finish(call, &mut out),
            };
            told.extend(stream.told().iter().map(|hit| word(policy, hit)));
            if end.is_err() {
                break;
            }
        }
        assert!(end.is_err() || stream.waits().is_empty(), "nothing waits at the end");
        Outcome { out, end, told }
    }

    /// A whole answer: what it becomes, and the words of the rules that were told.
    pub fn answer(&mut self, path: &str, body: &[u8]) -> (policy::Action, Vec<u8>, Vec<String>) {
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        let parsed = ResponseHead::parse(head.as_bytes(), false).unwrap();
        let api = Api::of_path(path.as_bytes());
        let answer = Answer { api, head: &parsed, bytes: head.as_bytes(), body };
        let action = self.inspector.inspect_answer(&self.policy, &answer).unwrap();
        let (out, told) = self.outcome(body);
        (action, out, told)
    }

    /// A request: the same.
    fn request(&mut self, place: &Place, body: &[u8]) -> (policy::Action, Vec<u8>, Vec<String>) {
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: a\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
            place.path,
            place.media_type,
            body.len()
        );
        let parsed = RequestHead::parse(head.as_bytes()).unwrap();
        let message = Message { head: &parsed, bytes: head.as_bytes(), body };
        let action = self.inspector.inspect(&self.policy, &message).unwrap();
        let (out, told) = self.outcome(body);
        (action, out, told)
    }

    fn outcome(&self, body: &[u8]) -> (Vec<u8>, Vec<String>) {
        let hits = self.inspector.hits();
        let mut out = Vec::new();
        let written = Redaction::new(&self.policy, hits, Target::Body).write(body, |part| {
            out.extend_from_slice(part);
            Ok::<(), ()>(())
        });
        assert!(written.is_ok());
        (out, hits.iter().map(|hit| word(&self.policy, hit)).collect())
    }

    fn expected(&self) -> policy::Action {
        match self.action {
            Action::Redact => policy::Action::Redact,
            Action::Block => policy::Action::Block,
            Action::Warn => policy::Action::Warn,
        }
    }

    /// What is told is the rule and no other; the verdict is its action; and what remains is what the action says.
    fn check_whole(
        &self,
        rule: &Rule,
        sent: &[u8],
        (action, out, told): &(policy::Action, Vec<u8>, Vec<String>),
        text: impl Fn(&[u8]) -> String,
        context: &str,
    ) {
        let context = format!("{context} {} {:?}", rule.name, self.action);
        assert_eq!(*action, self.expected(), "{context}");
        check_told(rule, told, &context);
        match self.action {
            Action::Redact => assert_eq!(text(out), rule.redacted(), "{context}"),
            Action::Warn | Action::Block => assert!(out == sent, "{context}"),
        }
    }

    /// One cell: the value of `rule` on `channel`, in these pieces.
    fn check(&mut self, rule: &Rule, (dialect, channel): (Dialect, Channel), events: &[Vec<u8>], context: &str) {
        let context = format!("{context}, {dialect:?} {channel:?} {} {:?}", rule.name, self.action);
        let sent = events.concat();
        let Outcome { out, end, told } = self.run(dialect, events);
        check_told(rule, &told, &context);
        match self.action {
            Action::Warn => {
                assert_eq!(end, Ok(()), "{context}");
                assert!(out == sent, "{context}: {}", String::from_utf8_lossy(&out));
            }
            Action::Redact => {
                assert_eq!(end, Ok(()), "{context}");
                let mut expected = assemble(dialect, &sent).unwrap();
                for (_, text) in expected.texts.iter_mut().filter(|(other, _)| *other == channel) {
                    *text = rule.redacted();
                }
                let told = assemble(dialect, &out).unwrap_or_else(|wrong| panic!("{context}: {wrong}"));
                assert_eq!(told, expected, "{context}");
            }
            Action::Block => {
                assert!(matches!(end, Err(Cut::Blocked(_))), "{context}: {end:?}");
                assert!(sent.starts_with(&out), "{context}: what is released is what came");
                before_the_match(dialect, channel, &out, &context);
            }
        }
    }
}

/// The word that a rule's matches are replaced by.
fn word(policy: &Policy, hit: &Hit) -> String {
    hit.rule(policy).unwrap().placeholder.word.to_string()
}

/// It is this rule that is told of, and no other.
fn check_told(rule: &Rule, told: &[String], context: &str) {
    let word = rule.placeholder.trim_matches(['[', ']']);
    assert!(!told.is_empty() && told.iter().all(|told| told == word), "{context}: told {told:?}");
}

/// Of the channel nothing is there but what stands before the value.
pub fn before_the_match(dialect: Dialect, channel: Channel, out: &[u8], context: &str) {
    let told = assemble(dialect, out).unwrap_or_else(|wrong| panic!("{context}: {wrong}"));
    let front = if channel.kind == Kind::Tool { format!("{{\"q\":\"{BEFORE}") } else { BEFORE.to_owned() };
    let text = told.text(channel).unwrap_or_default();
    assert!(front.starts_with(text), "{context}: {text:?} is released");
    assert!(!told.ended, "{context}: a stream that is cut has not come to its end");
}

/// Does the work of all cells on all cores.
fn side_by_side<T: Sync>(cells: &[T], work: impl Fn(&mut [Engine], &T) + Sync) {
    let next = AtomicUsize::new(0);
    let rules = rules::all();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let mut engines = Action::ALL.map(|action| Engine::new(&rules, action));
                while let Some(cell) = cells.get(next.fetch_add(1, Relaxed)) {
                    work(&mut engines, cell);
                }
            });
        }
    });
}

#[test]
fn every_value_in_every_channel_is_acted_on_at_every_cut() {
    let rules = rules::all();
    side_by_side(&channels(), |engines, cell| {
        let (dialect, channel) = *cell;
        for rule in &rules {
            for pieces in rule.splits() {
                let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
                let events = stream(dialect, channel, &pieces);
                for engine in engines.iter_mut() {
                    engine.check(rule, *cell, &events, &format!("{:?}", pieces.first()));
                }
            }
        }
    });
}

#[test]
fn a_value_is_found_while_another_channel_takes_turns_with_it() {
    let rules = rules::all();
    let cells: Vec<_> =
        channels().into_iter().filter(|(dialect, channel)| dialect.beside(*channel).is_some()).collect();
    side_by_side(&cells, |engines, cell| {
        let (dialect, channel) = *cell;
        let other = dialect.beside(channel).unwrap();
        for rule in &rules {
            let letters: Vec<String> = rule.text().chars().map(String::from).collect();
            let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
            let words: Vec<&str> = ["an ", "other ", "text, "].into_iter().cycle().take(letters.len() + 3).collect();
            let events = interleaved(dialect, &[(channel, &letters), (other, &words)]);
            for engine in engines.iter_mut() {
                engine.check(rule, *cell, &events, "in turns");
            }
        }
    });
}

#[test]
fn every_value_in_every_text_of_a_whole_answer_is_acted_on() {
    let rules = rules::all();
    side_by_side(&channels(), |engines, &(dialect, channel)| {
        for rule in &rules {
            let body = unary(dialect, channel, &rule.text());
            let others = |bytes: &[u8]| -> Vec<_> {
                let texts = unary_texts(dialect, bytes).unwrap();
                texts.into_iter().filter(|(other, _)| *other != channel).collect()
            };
            for engine in engines.iter_mut() {
                let outcome = engine.answer(dialect.path(), &body);
                assert_eq!(others(&outcome.1), others(&body));
                let text = |out: &[u8]| unary_text(dialect, channel, out).unwrap();
                engine.check_whole(rule, &body, &outcome, text, &format!("{dialect:?} {channel:?}"));
            }
        }
    });
}

#[test]
fn every_value_in_every_text_of_a_request_is_acted_on() {
    let rules = rules::all();
    side_by_side(asked::PLACES, |engines, place| {
        for rule in &rules {
            let body = place.body(&rule.text());
            for engine in engines.iter_mut() {
                let outcome = engine.request(place, &body);
                engine.check_whole(
                    rule,
                    &body,
                    &outcome,
                    |out| place.text(out),
                    &format!("{} {}", place.api, place.name),
                );
            }
        }
    });
}

#[test]
fn a_value_at_every_cut_over_two_parts_of_a_request_is_acted_on() {
    let rules = rules::all();
    side_by_side(asked::PARTS, |engines, place| {
        for rule in &rules {
            let splits = rule.splits();
            for pair in splits.iter().filter(|pieces| pieces.len() == 2) {
                let body = place.parts(&pair[0], &pair[1]);
                for engine in engines.iter_mut() {
                    let outcome = engine.request(place, &body);
                    let context = format!("{} {} {pair:?}", place.api, place.name);
                    engine.check_whole(rule, &body, &outcome, |out| place.text(out), &context);
                }
            }
        }
    });
}

#[test]
fn every_value_in_further_texts_of_answers_is_acted_on() {
    let rules = rules::all();
    side_by_side(FURTHER, |engines, further| {
        for rule in &rules {
            for engine in engines.iter_mut() {
                let context = format!("{} {}", further.api, further.name);
                if !further.whole.is_empty() {
                    let body = further.body(&rule.text());
                    let outcome = engine.answer(further.path, &body);
                    engine.check_whole(rule, &body, &outcome, |out| further.text(out), &context);
                }
                for pieces in rule.splits().iter().filter(|_| further.is_streamed()) {
                    check_further(engine, rule, further, pieces, &context);
                }
            }
        }
    });
}

/// The value in these pieces.
fn check_further(engine: &mut Engine, rule: &Rule, further: &Further, pieces: &[String], context: &str) {
    let context = format!("{context} {} {:?} {:?}", rule.name, engine.action, pieces.first());
    let events = further.events(pieces);
    let sent = events.concat();
    let Outcome { out, end, told } = engine.run_framed(Framing::Events, further.path, &events);
    check_told(rule, &told, &context);
    match engine.action {
        Action::Warn => assert!(end == Ok(()) && out == sent, "{context}"),
        Action::Redact => {
            assert_eq!(end, Ok(()), "{context}");
            assert_eq!(further.assembled(&out), further.written(&rule.redacted()), "{context}");
        }
        Action::Block => {
            assert!(matches!(end, Err(Cut::Blocked(_))), "{context}: {end:?}");
            let text = further.written(BEFORE);
            let front = text.strip_suffix("\"}").unwrap_or(&text);
            assert!(sent.starts_with(&out) && front.starts_with(&further.assembled(&out)), "{context}");
        }
    }
}
