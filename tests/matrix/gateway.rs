//! The matrix at the built gateway: one exchange a cell, over sockets, on both drivers; every cell has a path of its own, so that what
//! is told of it in events can be told from the others.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::asked::PLACES;
use crate::channels;
use crate::engine::before_the_match;
use crate::guarded::Guarded;
use crate::guarded::id;
use crate::rules;
use crate::rules::Action;
use crate::rules::Rule;
use crate::support::PLAIN;
use crate::support::Setup;
use crate::support::each;
use crate::support::model;
use crate::support::streams::Channel;
use crate::support::streams::Dialect;
use crate::support::streams::assemble;
use crate::support::streams::stream;
use crate::support::streams::unary;
use crate::support::streams::unary_texts;
use crate::support::strict::Request;
use crate::support::upstream::After;
use crate::support::upstream::Exchange;
use crate::support::upstream::Upstream;
use crate::support::wire::Answer;
use crate::support::wire::Client;

/// A cell of an answer, and what the upstream says in it.
struct Said {
    rule: usize,
    dialect: Dialect,
    channel: Channel,
    is_streamed: bool,
    parts: Vec<Vec<u8>>,
}

/// Every rule in every text of an answer, whole and streamed. In which way its value is cut goes on from cell to cell.
fn said(rules: &[Rule]) -> Vec<Said> {
    let mut all = Vec::new();
    for (dialect, channel) in channels() {
        for (rule, of) in rules.iter().enumerate() {
            let splits = of.splits();
            let pieces: Vec<&str> = splits[(all.len() * 7) % splits.len()].iter().map(String::as_str).collect();
            let streamed = stream(dialect, channel, &pieces);
            let whole = vec![unary(dialect, channel, &of.text())];
            all.push(Said { rule, dialect, channel, is_streamed: true, parts: streamed });
            all.push(Said { rule, dialect, channel, is_streamed: false, parts: whole });
        }
    }
    all
}

/// The number of the cell that a request is of.
fn number(request: &Request) -> usize {
    let digits = request.target.strip_prefix("/cell-").and_then(|rest| rest.split('/').next()).unwrap();
    digits.parse().unwrap()
}

/// An upstream that says in each cell what is said in it.
fn speaker(setup: Setup, rules: &[Rule]) -> (Upstream, Vec<Said>) {
    let cells = said(rules);
    let answers: Vec<_> = cells.iter().map(|said| (said.dialect, said.is_streamed, said.parts.clone())).collect();
    let upstream = setup.upstream(move |request: &Request, exchange: &mut Exchange<'_>| {
        let (dialect, is_streamed, parts) = &answers[number(request)];
        if *is_streamed {
            return model::serve(exchange, *dialect, parts, std::time::Duration::ZERO);
        }
        let body = parts.concat();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        exchange.send(&[head.as_bytes(), &body].concat());
        After::Keep
    });
    (upstream, cells)
}

fn post(path: &str, media_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: a.test\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// A connection that is used again as long as it may be.
struct Caller<'a> {
    guarded: &'a Guarded,
    client: Option<Client>,
}

impl Caller<'_> {
    fn ask(&mut self, request: &[u8]) -> Answer {
        let mut client = self.client.take().unwrap_or_else(|| self.guarded.gateway.client());
        let answer = client.send(request).answer();
        let ends = answer.fields.one("connection").is_some_and(|value| value.contains("close"));
        self.client = (!ends).then_some(client);
        answer
    }
}

#[test]
fn every_value_in_every_answer_is_acted_on_at_the_gateway() {
    let rules = rules::all();
    each(PLAIN, |setup| {
        for action in Action::ALL {
            let (upstream, cells) = speaker(setup, &rules);
            let guarded = Guarded::start(setup, &upstream, &rules::policy(&rules, action), &[]);
            let mut caller = Caller { guarded: &guarded, client: None };
            for (number, said) in cells.iter().enumerate() {
                let path = format!("/cell-{number}{}", said.dialect.path());
                let answer = caller.ask(&post(&path, "application/json", &said.dialect.request(said.is_streamed)));
                check(&rules, said, action, &answer);
            }
            told(&guarded, &rules, action, "response", cells.iter().map(|said| said.rule));
            assert_eq!(upstream.faults(), [""; 0]);
            guarded.gateway.finish();
        }
    });
}

/// What arrived of one cell is what the action says.
fn check(rules: &[Rule], said: &Said, action: Action, answer: &Answer) {
    let Said { rule, dialect, channel, is_streamed, parts } = said;
    let (rule, sent) = (&rules[*rule], parts.concat());
    let context = format!("{dialect:?} {channel:?} {} {action:?} streamed: {is_streamed}", rule.name);
    if action == Action::Block {
        // Nothing has been said yet where the first text is the match.
        if answer.status == 403 {
            assert!(answer.json()["error"].is_object(), "{context}: {}", answer.text());
        } else {
            assert!(*is_streamed && answer.status == 200, "{context}: {}", answer.status);
            before_the_match(*dialect, *channel, &answer.body, &context);
            let error = assemble(*dialect, &answer.body).unwrap().error;
            assert!(error.is_some_and(|error| error.to_string().contains("DLP.")), "{context}: {}", answer.text());
        }
        return;
    }
    assert_eq!(answer.status, 200, "{context}: {}", answer.text());
    assert_eq!(answer.fields.one("x-penaxtra-inspection").as_deref(), Some("full"), "{context}");
    if action == Action::Warn {
        assert!(answer.body == sent, "{context}: {}", answer.text());
        return;
    }
    let texts = |bytes: &[u8]| {
        if *is_streamed { assemble(*dialect, bytes).map(|told| told.texts) } else { unary_texts(*dialect, bytes) }
    };
    let mut expected = texts(&sent).unwrap();
    expected.iter_mut().filter(|(other, _)| other == channel).for_each(|(_, text)| *text = rule.redacted());
    assert_eq!(texts(&answer.body), Ok(expected), "{context}");
}

/// Every cell is told of by its rule and no other: of each rule so many paths as it has cells.
fn told(guarded: &Guarded, rules: &[Rule], action: Action, scope: &str, cells: impl Iterator<Item = usize>) {
    let mut expected = vec![0; rules.len()];
    cells.for_each(|rule| expected[rule] += 1);
    let count = |events: &[Value]| -> Vec<usize> {
        let paths = |rule: usize| {
            let of = events.iter().filter(|event| event["rule_id"] == id(rule));
            of.map(|event| event["path_hash"].to_string()).collect::<BTreeSet<_>>().len()
        };
        (0..rules.len()).map(paths).collect()
    };
    let events = guarded.events_until(|events| count(events) == expected);
    assert_eq!(count(&events), expected, "cells that were told of, by rule");
    let done = |event: &&Value| event["action"] == action.word() && event["scope"] == scope;
    assert_eq!(events.iter().find(|event| !done(event)), None);
}

#[test]
fn every_value_in_every_request_is_acted_on_at_the_gateway() {
    let rules = rules::all();
    each(PLAIN, |setup| {
        for action in Action::ALL {
            let upstream = setup.echo();
            let guarded = Guarded::start(setup, &upstream, &rules::policy(&rules, action), &[]);
            let mut caller = Caller { guarded: &guarded, client: None };
            let cells = PLACES.iter().flat_map(|place| (0..rules.len()).map(move |rule| (place, rule)));
            let cells: Vec<_> = cells.collect();
            for (number, (place, rule)) in cells.iter().enumerate() {
                let rule = &rules[*rule];
                let context = format!("{} {} {} {action:?}", place.api, place.name, rule.name);
                let sent = place.body(&rule.text());
                let path = format!("/cell-{number}{}", place.path);
                let answer = caller.ask(&post(&path, place.media_type, &sent));
                let arrived = upstream.requests_where(|request| request.target == path);
                match action {
                    Action::Block => assert_eq!((answer.status, arrived.len()), (403, 0), "{context}"),
                    Action::Warn => assert!(answer.status == 200 && arrived[0].body == sent, "{context}"),
                    Action::Redact => {
                        assert_eq!(answer.status, 200, "{context}: {}", answer.text());
                        assert_eq!(place.text(&arrived[0].body), rule.redacted(), "{context}");
                    }
                }
            }
            told(&guarded, &rules, action, "request", cells.iter().map(|(_, rule)| *rule));
            assert_eq!(upstream.faults(), [""; 0]);
            guarded.gateway.finish();
        }
    });
}
