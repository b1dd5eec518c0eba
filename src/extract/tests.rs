//! What tests of the tables share, and the tests of the walker itself.
#![expect(clippy::string_slice, reason = "a panic is how a test says no")]

use std::fmt::Write as _;

use proptest::prelude::*;

use super::Api;
use super::Form;
use super::Layer;
use super::Part;
use super::Piece;
use super::Place;
use super::Role;
use super::Unreadable;
use super::fuzz::APIS;
use super::fuzz::fuzz_walk;
use super::json::ANY;
use super::json::Node;
use super::json::Strings;
use super::json::Walker;
use super::json::unescape;
use crate::limits;

/// The pieces of a body, a line for each: whose, `json`, `key` or `number` where it is one, `*` where it is a tool's name, `+` where
/// it is joined, `~` where it is a fragment, its key, its text.
pub(super) fn lines(body: &str, table: &'static Node) -> (Vec<String>, u32) {
    let mut walker = Walker::default();
    walker.walk(body.as_bytes(), table).unwrap_or_else(|error| panic!("{error:?}: {body}"));
    (walker.pieces.iter().map(|piece| line(body, piece)).collect(), walker.media)
}

pub(super) fn line(body: &str, piece: &Piece) -> String {
    let whose = match piece.place {
        Place { part: Part::Body, layer: Layer::PreTemplate, role: Role::User } => "variable",
        Place { part: Part::Tools, layer: Layer::ToolCall, role: Role::Assistant } => "call",
        Place { part: Part::Tools, layer: Layer::ToolCall, role: Role::Tool } => "tool",
        Place { part: Part::Body, layer: Layer::PostTemplate, role } => match role {
            Role::None => "none",
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => panic!("a tool's text is no body"),
        },
        other => panic!("{other:?}"),
    };
    let form = match piece.form {
        Form::Text => "",
        Form::Json => " json",
        Form::Key => " key",
        Form::Number => " number",
    };
    let raw = &body[piece.range()];
    assert_eq!(piece.plain, !raw.contains('\\'), "{raw}");
    let mut text = Vec::new();
    unescape(raw.as_bytes(), &mut text);
    let mut line = format!("{whose}{form}");
    if piece.tool_name && piece.calls_tool() | piece.defines_tool() {
        line.push_str(" *");
    }
    if piece.joined {
        line.push_str(" +");
    }
    if piece.fragment {
        line.push_str(" ~");
    }
    assert!(piece.fragment || piece.channel == 0, "{line}");
    if piece.key_start < piece.key_end {
        write!(line, " {}", &body[piece.key()]).unwrap();
    }
    write!(line, ": {}", String::from_utf8(text).unwrap()).unwrap();
    line
}

/// A row of a table of tests: what it shows, the body, its pieces, its media.
pub(super) type Case = (&'static str, &'static str, &'static [&'static str], u32);

pub(super) fn check(table: &'static Node, cases: &[Case]) {
    for (name, body, expected, media) in cases {
        assert_eq!(lines(body, table), (expected.iter().map(ToString::to_string).collect(), *media), "{name}");
    }
}

#[test]
fn the_api_is_told_by_the_end_of_the_path() {
    let cases: &[(&str, Api)] = &[
        ("/v1/chat/completions", Api::OpenAiChat),
        ("/v1/chat/completions/", Api::OpenAiChat),
        ("/v1/chat/completions?api-version=/embeddings", Api::OpenAiChat),
        ("/openai/deployments/x/chat/completions?api-version=2024-10-21", Api::OpenAiChat),
        ("/v1/Chat/%63ompletions", Api::OpenAiChat),
        ("/v1/chat%2Fcompletions", Api::OpenAiChat),
        ("/v1/chat%252Fcompletions", Api::Other),
        ("/v1/completions", Api::OpenAiCompletions),
        ("/completions", Api::OpenAiCompletions),
        ("/v1/responses", Api::OpenAiResponses),
        ("/v1/responses/compact", Api::OpenAiResponses),
        ("/v1/responses/resp_1/cancel", Api::Other),
        ("/v1/embeddings", Api::OpenAiEmbeddings),
        ("/v1/messages", Api::AnthropicMessages),
        ("/v1/messages/count_tokens?beta=true", Api::AnthropicMessages),
        ("/v1/messagesx", Api::Other),
        ("/messagex", Api::Other),
        ("/mymessages", Api::Other),
        ("/v1beta/models/gemini-3:generateContent", Api::Other),
        ("/mcp", Api::Other),
        ("/", Api::Other),
        ("", Api::Other),
        ("%", Api::Other),
        ("/messages%2", Api::Other),
    ];
    for (path, api) in cases {
        assert_eq!(Api::of_path(path.as_bytes()), *api, "{path}");
    }
}

/// All nodes that a value below these can have, these included.
fn reached(mut nodes: Vec<&'static Node>) -> Vec<&'static Node> {
    let mut index = 0;
    while let Some(node) = nodes.get(index).copied() {
        for child in node.keys.iter().map(|key| key.node).chain([node.other]) {
            if !nodes.iter().any(|known| std::ptr::eq(*known, child)) {
                nodes.push(child);
            }
        }
        index += 1;
    }
    nodes
}

fn all_nodes() -> Vec<&'static Node> {
    reached(APIS.iter().flat_map(|api| [api.table(), api.answer_table(), api.event_table()]).collect())
}

#[test]
fn tables_have_no_key_twice_and_no_more_than_a_mask_holds() {
    let nodes = all_nodes();
    for node in &nodes {
        assert!(node.keys.len() <= 64);
        let mut names: Vec<_> = node.keys.iter().map(|key| key.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), node.keys.len());
    }
    assert!(nodes.len() > 50, "the tables were walked");
}

/// What is brought together, claimed or marked once more at each level would make the work grow with the depth.
#[test]
fn nothing_that_looks_at_all_pieces_in_it_stands_in_itself_by_way_of_another_node() {
    for node in all_nodes() {
        let claims = |strings: &[Strings]| node.keys.iter().any(|key| strings.contains(&key.node.strings));
        let marks = [Strings::Mark, Strings::Index, Strings::Id, Strings::Event, Strings::Whole];
        if !node.parts && !node.counted && !claims(&[Strings::Role, Strings::Method]) && !claims(&marks) {
            continue;
        }
        let children = node.keys.iter().map(|key| key.node).chain([node.other]);
        let others = reached(children.filter(|child| !std::ptr::eq(*child, node)).collect());
        assert!(!others.iter().any(|other| std::ptr::eq(*other, node)));
    }
}

#[test]
fn no_request_has_fragments() {
    assert!(reached(APIS.iter().map(|api| api.table()).collect()).iter().all(|node| !node.fragment && !node.counted));
    assert!(size_of::<Piece>() <= 28, "{} bytes", size_of::<Piece>());
}

const REFUSED: &[(&[u8], Unreadable)] = &[
    (b"", Unreadable::Syntax),
    (b" ", Unreadable::Syntax),
    (b"\xef\xbb\xbf{}", Unreadable::Syntax),
    (b"{} {}", Unreadable::Syntax),
    (b"{}x", Unreadable::Syntax),
    (b"{}\0", Unreadable::Syntax),
    (b"[1,]", Unreadable::Syntax),
    (b"[,1]", Unreadable::Syntax),
    (b"[1 2]", Unreadable::Syntax),
    (b"[1", Unreadable::Syntax),
    (b"[1}", Unreadable::Syntax),
    (b"{\"a\":1]", Unreadable::Syntax),
    (b"{\"a\":1,}", Unreadable::Syntax),
    (b"{,\"a\":1}", Unreadable::Syntax),
    (b"{\"a\"}", Unreadable::Syntax),
    (b"{\"a\" 1}", Unreadable::Syntax),
    (b"{a:1}", Unreadable::Syntax),
    (b"{'a':1}", Unreadable::Syntax),
    (b"{1:1}", Unreadable::Syntax),
    (b"]", Unreadable::Syntax),
    (b"01", Unreadable::Syntax),
    (b"-", Unreadable::Syntax),
    (b"-01", Unreadable::Syntax),
    (b"+1", Unreadable::Syntax),
    (b"1.", Unreadable::Syntax),
    (b".5", Unreadable::Syntax),
    (b"1e", Unreadable::Syntax),
    (b"1e+", Unreadable::Syntax),
    (b"1.e3", Unreadable::Syntax),
    (b"0x10", Unreadable::Syntax),
    (b"1_000", Unreadable::Syntax),
    (b"NaN", Unreadable::Syntax),
    (b"Infinity", Unreadable::Syntax),
    (b"tru", Unreadable::Syntax),
    (b"truey", Unreadable::Syntax),
    (b"True", Unreadable::Syntax),
    (b"\"a", Unreadable::Syntax),
    (b"\"a\\\"", Unreadable::Syntax),
    (b"\"a\nb\"", Unreadable::Syntax),
    (b"\"a\0b\"", Unreadable::Syntax),
    (b"\"a\x1fb\"", Unreadable::Syntax),
    (b"\"\\a\"", Unreadable::Syntax),
    (b"\"\\\n\"", Unreadable::Syntax),
    (b"\"\\u12\"", Unreadable::Syntax),
    (b"\"\\u12g4\"", Unreadable::Syntax),
    (b"\"\\U0041\"", Unreadable::Syntax),
    (b"\"\\u+041\"", Unreadable::Syntax),
    (b"\"\\ud800\"", Unreadable::Surrogate),
    (b"\"\\ud800x\"", Unreadable::Surrogate),
    (b"\"\\udc00\"", Unreadable::Surrogate),
    (b"\"\\udc00\\ud800\"", Unreadable::Surrogate),
    (b"\"\\ud800\\ud800\"", Unreadable::Surrogate),
    (b"\"\\ud800\\u0041\"", Unreadable::Surrogate),
    (b"{\"\\ud800\":1}", Unreadable::Surrogate),
    (b"\"\\ud800\\u00\"", Unreadable::Syntax),
    (b"\"\xff\"", Unreadable::Utf8),
    (b"\"\xc0\xaf\"", Unreadable::Utf8),
    (b"\"\xed\xa0\x80\"", Unreadable::Utf8),
    (b"\"\xf4\x90\x80\x80\"", Unreadable::Utf8),
    (b"{} \xff", Unreadable::Utf8),
    (b"{\"a\":1,\"a\":2}", Unreadable::DuplicateKey),
    (b"{\"a\":1,\"\\u0061\":2}", Unreadable::DuplicateKey),
    (b"{\"\":1,\"\":2}", Unreadable::DuplicateKey),
    (b"[{\"b\":{\"a\":1,\"a\":2}}]", Unreadable::DuplicateKey),
    (b"{\"a/\":1,\"a\\/\":2}", Unreadable::DuplicateKey),
];

#[test]
fn what_is_no_json_is_refused_with_its_reason() {
    let mut walker = Walker::default();
    for (body, error) in REFUSED {
        assert_eq!(walker.walk(body, &ANY), Err(*error), "{}", body.escape_ascii());
        assert!(walker.pieces.is_empty());
    }
}

#[test]
fn known_keys_twice_are_refused_however_they_are_written() {
    let mut walker = Walker::default();
    let table = Api::OpenAiChat.table();
    for body in [
        r#"{"model":"a","model":"b"}"#,
        r#"{"model":"a","mod\u0065l":"b"}"#,
        r#"{"messages":[{"content":"a","role":"user","c\u006fntent":"b"}]}"#,
    ] {
        assert_eq!(walker.walk(body.as_bytes(), table), Err(Unreadable::DuplicateKey), "{body}");
    }
    assert_eq!(walker.walk(br#"{"a":{"model":1},"model":2,"b":{"a":1}}"#, table), Ok(()));
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| [b"[".repeat(depth), b"]".repeat(depth)].concat();
    let mut walker = Walker::default();
    assert_eq!(walker.walk(&nested(limits::JSON_DEPTH_MAX), &ANY), Ok(()));
    assert_eq!(walker.walk(&nested(limits::JSON_DEPTH_MAX + 1), &ANY), Err(Unreadable::Depth));
    assert_eq!(walker.walk(&b"[".repeat(1_000_000), &ANY), Err(Unreadable::Depth));
    assert_eq!(walker.walk(&b"{\"a\":".repeat(100_000), &ANY), Err(Unreadable::Depth));
}

#[test]
fn pieces_are_bounded() {
    let strings = |count: usize| format!("[{}\"x\"]", "\"x\",".repeat(count - 1)).into_bytes();
    let mut walker = Walker::default();
    assert_eq!(walker.walk(&strings(limits::PIECES_MAX), &ANY), Ok(()));
    assert_eq!(walker.walk(&strings(limits::PIECES_MAX + 1), &ANY), Err(Unreadable::Pieces));
    let keys: String = (0..=limits::PIECES_MAX).map(|index| format!("\"{index}\":0,")).collect();
    assert_eq!(walker.walk(format!("{{{keys}\"z\":0}}").as_bytes(), &ANY), Err(Unreadable::Pieces));
}

#[test]
fn many_keys_are_told_apart() {
    let object = |keys: &mut dyn Iterator<Item = usize>| {
        let members: Vec<_> = keys.map(|key| format!("\"k{key}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    let mut walker = Walker::default();
    for count in [2, 15, 16, 17, 18, 100, 10_000] {
        assert_eq!(walker.walk(object(&mut (0..count)).as_bytes(), &ANY), Ok(()), "{count}");
        for twice in [0, 1, count / 2, count - 1] {
            let body = object(&mut (0..count).chain([twice]));
            assert_eq!(walker.walk(body.as_bytes(), &ANY), Err(Unreadable::DuplicateKey), "{twice} of {count}");
        }
    }
}

/// Compared each with each they would take minutes.
#[test]
fn an_object_of_very_many_keys_is_read_in_time() {
    let keys: String = (0..limits::PIECES_MAX - 1).map(|index| format!("\"{index}\":0,")).collect();
    assert_eq!(Walker::default().walk(format!("{{{keys}\"\":0}}").as_bytes(), &ANY), Ok(()));
}

#[test]
fn what_only_looks_like_a_key_or_a_word_of_a_table_is_a_text() {
    let word = "w".repeat(limits::WORD_BYTES_MAX);
    assert_eq!(lines(&format!(r#"{{"model":"{word}"}}"#), Api::OpenAiChat.table()).0.len(), 0);
    assert_eq!(lines(&format!(r#"{{"model":"{word}w"}}"#), Api::OpenAiChat.table()).0.len(), 1);
    // The first and the last eight bytes are those of a key.
    let (pieces, _) =
        lines(r#"{"functionion_call":"auto","max_completimpletion_tokens":"auto"}"#, Api::OpenAiChat.table());
    assert_eq!(pieces.len(), 4, "{pieces:?}");
    // A word of a table may be a key of another.
    let (pieces, _) = lines(r#"{"model":{"model":"m"},"n":["two words"]}"#, Api::OpenAiChat.table());
    assert_eq!(pieces, ["none key: model", "none model: m", "none n: two words"]);
}

#[test]
fn memory_is_given_back() {
    let mut walker = Walker::default();
    let body = format!("[{}0]", "{\"\\u0061\":\"x\"},".repeat(100_000));
    walker.walk(body.as_bytes(), &ANY).unwrap();
    assert!(walker.pieces.capacity() > 100_000);
    walker.shrink(limits::SCRATCH_BYTES_KEPT);
    assert!(walker.pieces.is_empty() && walker.pieces.capacity() * size_of::<Piece>() <= 64 * 1024);
    walker.walk(b"[\"again\"]", &ANY).unwrap();
    assert_eq!(walker.pieces.len(), 1);
}

#[test]
fn all_strings_keys_and_long_numbers_of_any_json_are_pieces() {
    check(
        &ANY,
        &[
            ("alone", r#""a""#, &["none: a"], 0),
            ("blanks", " \t\r\n{ \"a\" : [ \"b\" , \"c\" ] } \n", &["none key: a", "none a: b", "none a: c"], 0),
            (
                "nothing",
                r#"{"":"","a":{},"b":[],"c":null,"d":true}"#,
                &["none key: a", "none key: b", "none key: c", "none key: d"],
                0,
            ),
            (
                "array in array",
                r#"{"a":[["b"],{"c":["d"]}]}"#,
                &["none key: a", "none a: b", "none key: c", "none c: d"],
                0,
            ),
            ("escapes", r#"["\u0061\n\"\\\/\ud83d\ude00é"]"#, &["none: a\n\"\\/😀é"], 0),
            (
                "numbers",
                r#"{"card":4111111111111111,"x":[12345678,-123456789,1.23456789e5,0.1e10,1e99]}"#,
                &[
                    "none key: card",
                    "none number card: 4111111111111111",
                    "none key: x",
                    "none number x: -123456789",
                    "none number x: 1.23456789e5",
                ],
                0,
            ),
        ],
    );
}

const WORDS: &[&str] = &[
    "role",
    "content",
    "text",
    "type",
    "messages",
    "user",
    "tool",
    "system",
    "base64",
    "input",
    "output",
    "source",
    "data",
    "tools",
    "function",
    "arguments",
    "properties",
    "parameters",
    "name",
    "params",
    "result",
    "method",
    "tools/call",
    "image_url",
    "url",
    "data:image/png;base64,AAAA",
    "iVBO",
    "model",
    "prompt",
    "variables",
    "choices",
    "delta",
    "index",
    "tool_calls",
    "output_index",
    "content_index",
    "item_id",
    "item",
    "response",
    "response.audio.delta",
    "response.function_call_arguments.delta",
    "content_block",
    "partial_json",
    "jsonrpc",
    "logprobs",
    "token",
    "usage",
    "a text",
    "",
    "a",
];

/// Documents of the APIs' own keys and values that mean something to the tables, as text, with escapes and blanks.
fn document() -> impl Strategy<Value = String> {
    let escaped = |word: &'static str| {
        let mut text = String::new();
        for (index, letter) in word.chars().enumerate() {
            if index % 3 == 0 { write!(text, "\\u{:04X}", u32::from(letter)).unwrap() } else { text.push(letter) }
        }
        text
    };
    let string = prop_oneof![
        6 => prop::sample::select(WORDS).prop_map(str::to_owned),
        1 => prop::sample::select(WORDS).prop_map(escaped),
        1 => "([a-zé€😀/]|\\\\[\"\\\\/bfnrt]|\\\\u00[0-9a-fA-F]{2}|\\\\ud83d\\\\ude0[0-9]){0,40}",
    ]
    .prop_map(|inside| format!("\"{inside}\""));
    let leaf = prop_oneof![
        6 => string.clone(),
        1 => "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?",
        1 => prop::sample::select(&["true", "false", "null"][..]).prop_map(str::to_owned),
    ];
    let blank = "[ \t\r\n]{0,2}";
    leaf.prop_recursive(6, 64, 8, move |inner| {
        let member = (string.clone(), blank, inner.clone())
            .prop_map(|(key, blank, value)| format!("{key}{blank}:{blank}{value}"));
        prop_oneof![
            (prop::collection::vec(inner, 0..6), blank)
                .prop_map(|(list, blank)| format!("[{blank}{}{blank}]", list.join(","))),
            (prop::collection::vec(member, 0..8), blank)
                .prop_map(|(list, blank)| format!("{{{}}}{blank}", list.join(&format!(",{blank}")))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn documents_are_read_as_serde_json_reads_them(document in document()) {
        fuzz_walk(document.as_bytes());
    }

    #[test]
    fn changed_documents_are_read_or_refused_as_serde_json_does(
        document in document(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&b"\"\\{}[],:0-+.eu x\n\0\xff\xc3\xa9"[..]), 0..3), 1..4),
    ) {
        let mut bytes = document.into_bytes();
        for (at, byte, how) in changes {
            let at = at.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                _ => drop(bytes.drain(at..bytes.len().min(at + 2))),
            }
        }
        fuzz_walk(&bytes);
    }

    #[test]
    fn any_bytes_are_unescaped_as_a_naive_reader_does(bytes in prop::collection::vec(prop::sample::select(&b"\\\\\\uu0dD8cC9afnq\"\xe9"[..]), 0..60)) {
        fuzz_walk(&bytes);
        fuzz_walk(&[b"\"", &bytes[..], b"\""].concat());
    }
}
