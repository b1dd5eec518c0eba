//! `docs/coverage.md`: the tables of the matrix in words, so that the page says what is tested and nothing else.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::asked::PARTS;
use crate::asked::PLACES;
use crate::channels;
use crate::further::FURTHER;
use crate::rules;
use crate::support::streams::Dialect;
use crate::support::streams::Kind;

const HEAD: &str = "# What is inspected

This page is written from the tables of `tests/matrix`; a test compares the two. It holds no row that is not run: each rule below finds
its value in each text, and what arrives is what its action says, to the byte. A value of an answer that is streamed is cut over events
at every place, and letter by letter.

## Texts

One row is one kind of text of one API. A text that no table knows is inspected too, as a text of its own.

| API | kind of text | request | answer in one piece | streamed answer |
|---|---|---|---|---|
";

const ACTIONS: &str = "
## What is done

| action | request | answer in one piece | streamed answer |
|---|---|---|---|
| `redact` | the value is replaced; all other bytes stay | the same | what a client puts together is the redaction of the whole text; events, fields and framing stay |
| `block` | 403 in the API's own form; nothing reaches the provider | 403 in the API's own form; nothing of the answer reaches the client | nothing from the value on is sent; the API's own error event follows, or 403 where nothing had been sent |
| `warn` | no byte changes; an event tells | the same | the same, and nothing waits |
| `tokenise` | the value is replaced by a placeholder | placeholders of the request are put back | the same, however they are cut; see [the policy](policy.md) |

Where no rule finds anything, every byte arrives as it was sent, in every framing that a server may choose: line ends of all three
kinds, comments, ids, data over several lines, names that nobody knows.

## Rules

| rule | what it finds | cuts of its value in each text of a stream |
|---|---|---|
";

const LIMITS: &str = "
## Limits

What follows is known, and is not a promise.

- **Wrapped values in a stream.** Values are found in base64, hexadecimal, escapes and letters of other scripts as well. In a stream the
  first few characters of a run of base64 or hexadecimal may be sent before it looks like one; the rest of it is replaced or blocked.
- **Values that are longer than a stream holds.** `hold_bytes` and `hold_ms` of the policy bound what waits; what happens then is
  `at_hold_limit`. A private key or a token that is cut off there is replaced from its beginning to its end.
- **`warn` in a stream.** Nothing waits, and the last 448 bytes of a text are looked at again. Of a longer match the end is found, or
  nothing.
- **Context words.** In a stream, the words before a value count as far as 80 bytes back, and words behind it where they have come before
  it is decided about. The key of JSON that a fragment is the value of does not count.
- **Values without anything between them** in a stream: where two stand so close that in one reading they are two words and in another
  one (a digit of another script, a character that has no width), less or more may be replaced than in a whole answer.
- **Texts that belong together.** Parts of one message are one text, but in a stream each part or block is a text of its own: halves of a
  value in two of them are not found there. Nor are halves in two messages, choices or calls of tools. Of an API without a table in a
  stream, the strings at one place of all events are one text.
- **Arguments of a tool** in a stream are one text with their JSON around it. A value that begins in one string and ends in another is
  blocked where it would be replaced, since no placeholder can stand there.
- **Log probabilities** repeat the text in bytes. A stream that has them ends with an error once something in it is replaced.
- **Answers that are too large** are refused, or with `oversize = \"scan\"` inspected as they pass: matches are told of or end the
  answer, but are not replaced.
- **Media**: images, audio and files in base64 are not read, nor are bodies of other media types. The policy says whether they pass
  (`media`, `content`); they are counted, and `x-penaxtra-inspection` says so. In requests an encrypted or signed block of an earlier
  answer counts as media.
- **Words of an API** (ids, names of models, enumerations) of up to 128 letters, digits and a few signs are no texts.
- **Header fields and URLs** are inspected where a rule's `where` says so, never the caller's credentials.
";

/// What a row is called, in the order of the page.
const KINDS: [(Kind, &str); 4] =
    [(Kind::Text, "text"), (Kind::Refusal, "refusal"), (Kind::Reasoning, "reasoning"), (Kind::Tool, "tools")];

const APIS: [(&str, Option<Dialect>); 8] = [
    ("OpenAI chat", Some(Dialect::Chat)),
    ("OpenAI completions", Some(Dialect::Completions)),
    ("OpenAI Responses", Some(Dialect::Responses)),
    ("OpenAI embeddings", None),
    ("Anthropic messages", Some(Dialect::Messages)),
    ("MCP", Some(Dialect::Mcp)),
    ("Gemini", None),
    ("any other", Some(Dialect::Lines)),
];

/// What the generator of answers says of this kind, in words; none where it has no such text.
fn generated(dialect: Dialect, kind: Kind) -> Option<&'static str> {
    let channels = channels();
    if !channels.iter().any(|(other, channel)| *other == dialect && channel.kind == kind) {
        return None;
    }
    Some(match (dialect, kind) {
        (Dialect::Chat, Kind::Text) => "message, of each choice",
        (Dialect::Chat, Kind::Refusal) => "refusal, of each choice",
        (Dialect::Chat, Kind::Reasoning) => "`reasoning_content`, of each choice",
        (Dialect::Chat, _) => "arguments of each call",
        (Dialect::Completions, _) => "text, of each choice",
        (Dialect::Responses, Kind::Text) => "text of each item",
        (Dialect::Responses, Kind::Refusal) => "refusal of each item",
        (Dialect::Responses, Kind::Reasoning) => "summary of each item",
        (Dialect::Responses, Kind::Tool) => "arguments of each call",
        (Dialect::Messages, Kind::Reasoning) => "thinking of each block",
        (Dialect::Messages, Kind::Tool) => "input of each call",
        (Dialect::Messages, _) => "text of each block",
        (Dialect::Mcp, _) => "each part of a result, and its structured content",
        (Dialect::Lines, _) => "any string of JSON lines",
    })
}

fn cell(names: &[&str]) -> String {
    if names.is_empty() { "—".to_owned() } else { names.join("; ") }
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (api, dialect) in APIS {
        for (kind, word) in KINDS {
            let places = PLACES.iter().chain(PARTS).filter(|place| place.api == api && place.kind == kind);
            let asked: Vec<&str> = places.map(|place| place.name).collect();
            let generated = dialect.and_then(|dialect| generated(dialect, kind));
            let further = || FURTHER.iter().filter(|further| further.api == api && further.kind == kind);
            let whole = further().filter(|further| !further.whole.is_empty()).map(|further| further.name);
            let whole: Vec<&str> = generated.into_iter().chain(whole).collect();
            let streamed = further().filter(|further| further.is_streamed()).map(|further| further.name);
            let streamed: Vec<&str> = generated.into_iter().chain(streamed).collect();
            if !(asked.is_empty() && whole.is_empty() && streamed.is_empty()) {
                writeln!(page, "| {api} | {word} | {} | {} | {} |", cell(&asked), cell(&whole), cell(&streamed))
                    .unwrap();
            }
        }
    }
    page.push_str(ACTIONS);
    for rule in rules::all() {
        writeln!(page, "| `{}` | {} | {} |", rule.name, rule.finds, rule.splits().len()).unwrap();
    }
    page.push_str(LIMITS);
    page
}

#[test]
fn the_page_of_coverage_is_what_the_matrix_runs() {
    let known = |api: &str| APIS.iter().any(|(other, _)| *other == api);
    assert!(
        PLACES.iter().chain(PARTS).all(|place| known(place.api)) && FURTHER.iter().all(|further| known(further.api))
    );
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/coverage.md");
    let page = page();
    if fs::read_to_string(committed).is_ok_and(|committed| committed == page) {
        return;
    }
    let written = Path::new(env!("CARGO_TARGET_TMPDIR")).join("coverage.md");
    fs::write(&written, page).unwrap();
    panic!("docs/coverage.md is not what the matrix runs: copy {} there", written.display());
}
