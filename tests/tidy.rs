//! The house rules that a machine can watch: who may import whom, `//!` first, no line numbers in prose.
//!
//! It reads the sources as text, with no parser behind it: comments and string literals are blanked first, then paths
//! are picked out. Each check is a function of strings, and is itself tested on what it must find.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says no")]

use std::fs;
use std::path::{Path, PathBuf};

/// A room, and the rooms that it may import: the table of the style, section 2. A room that is not here may not exist.
const IMPORTS: &[(&str, &[&str])] = &[
    ("limits", &[]),
    ("clock", &[]),
    ("http", &["limits"]),
    // Not in the style's table: the loops that two pure rooms share, so that `unsafe` stands in one place.
    ("simd", &[]),
    ("extract", &["limits", "simd"]),
    ("inspect", &["limits", "simd"]),
    // `extract`: a rule says where it applies, in the extractor's words.
    ("policy", &["inspect", "extract", "limits"]),
    // `clock`: its unit tests make a start time. `inspect`, `extract`: an event says where and how bad, in their words.
    ("shared", &["policy", "inspect", "extract", "clock", "limits"]),
    // `policy`: what is a key, and what a tenant's name.
    ("config", &["limits", "policy"]),
    ("error", &["http", "extract", "policy"]),
    ("net", &["limits", "clock", "error"]),
    ("client", &["limits", "clock", "error", "net", "http"]),
    ("upstream", &["limits", "clock", "error", "net", "http"]),
    // `net`: the buffers and streams that both sides lend it.
    (
        "proxy",
        &["limits", "clock", "error", "net", "client", "upstream", "http", "extract", "inspect", "policy", "shared"],
    ),
    ("worker", &["limits", "clock", "error", "proxy", "client", "upstream", "net", "shared", "config"]),
    ("control", &["limits", "clock", "error", "inspect", "policy", "shared", "net", "http", "config"]),
    ("admin", &["limits", "clock", "error", "policy", "shared", "net", "http"]),
    // Not in the style's table: small rooms around `main`, none of them on the data path.
    ("cpu", &["config"]),
    ("memory", &["limits", "config"]),
    ("hardening", &[]),
    ("log", &["config"]),
    ("healthcheck", &["limits", "config", "clock"]),
    // Policies on the command line, beside any gateway. `control`: files are read as a gateway reads them.
    // `proxy`, and the words of its decisions: a policy is tried by the very code that enforces it.
    ("command", &["limits", "clock", "error", "http", "policy", "control", "proxy"]),
    // The demo plays main: it starts a gateway behind its own upstream.
    ("demo", &["policy", "limits", "clock", "error", "config", "log", "gateway", "shared", "net", "http"]),
];

/// These see the whole crate: the map, the program, and the room that puts the parts together for it.
const SEE_ALL: &[&str] = &["lib", "main", "gateway"];

/// Rooms without input, output, time or chance, and the words that would bring them in.
const PURE: &[&str] = &["http", "extract", "inspect", "policy", "simd", "limits"];
const IMPURE: &[&str] =
    &["async", "await", "TcpStream", "TcpListener", "UdpSocket", "UnixStream", "Instant::now", "SystemTime", "rand"];

const NAMES_NEVER: &[&str] =
    &["util", "utils", "common", "helpers", "manager", "handler", "service", "factory", "types"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below the folder whose name has the ending, in order; none where there is no such folder.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let below = |path: PathBuf| {
        if path.is_dir() {
            return files(&path, ending);
        }
        if path.to_string_lossy().ends_with(ending) { vec![path] } else { Vec::new() }
    };
    paths.into_iter().flat_map(below).collect()
}

/// The room that a path below `src/` belongs to: its folder, or the file where it has none.
fn room(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.strip_suffix(".rs").unwrap_or(&first).to_owned()
}

/// The source with comments and the insides of literals blanked.
fn code(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_string(rest) {
            let close = format!("\"{}", "#".repeat(hashes));
            let open = hashes + 2;
            rest[open..].find(&close).map_or(rest.len(), |end| open + end + close.len())
        } else if first == '"' {
            string(rest)
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
            rest[1..].find('\'').unwrap() + 2
        } else {
            0
        };
        if skip == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            // A raw string begins at an `r` that is no end of a word: take words whole.
            if first.is_alphanumeric() || first == '_' {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                out.push_str(&rest[..end]);
                rest = &rest[end..];
            }
        } else {
            out.extend(rest[..skip].chars().filter(|c| *c == '\n'));
            out.push(' ');
            rest = &rest[skip..];
        }
    }
    out
}

/// How many `#` the raw string that begins here has.
fn raw_string(text: &str) -> Option<usize> {
    let text = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = text.find(|c| c != '#')?;
    text[hashes..].starts_with('"').then_some(hashes)
}

/// The length of the string literal that begins here.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// The names right behind `crate::` and, where they are rooms, behind `super::`; groups in braces are opened.
fn imported(source: &str) -> Vec<String> {
    let code = code(source);
    let mut names = Vec::new();
    for root in ["crate::", "super::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = code[at + root.len()..].trim_start();
            let found = if let Some(group) = rest.strip_prefix('{') { group_heads(group) } else { vec![word(rest)] };
            let is_room =
                |name: &String| IMPORTS.iter().any(|(room, _)| room == name) || SEE_ALL.contains(&name.as_str());
            names.extend(found.into_iter().filter(|name| root == "crate::" || is_room(name)));
        }
    }
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first names of the paths in a group, whose opening brace is gone.
fn group_heads(text: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (index, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                heads.push(word(text[start..index].trim_start()));
                start = index + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    heads
}

/// What is wrong with the imports of one file of a room. Names that are no rooms are items of the crate's root.
fn import_faults(room: &str, source: &str) -> Vec<String> {
    if SEE_ALL.contains(&room) {
        return Vec::new();
    }
    let Some((_, allowed)) = IMPORTS.iter().find(|(name, _)| *name == room) else {
        return vec![format!("the room {room} is not in the table")];
    };
    let wrong = |name: &String| name != room && !allowed.contains(&name.as_str());
    imported(source).into_iter().filter(wrong).map(|name| format!("{room} may not import {name}")).collect()
}

fn purity_faults(room: &str, source: &str) -> Vec<String> {
    if !PURE.contains(&room) {
        return Vec::new();
    }
    let code = code(source);
    let edge = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let whole = |word: &str| {
        code.match_indices(word)
            .any(|(at, _)| edge(code[..at].chars().next_back()) && edge(code[at + word.len()..].chars().next()))
    };
    IMPURE.iter().filter(|word| whole(word)).map(|word| format!("{room} is pure, and holds {word}")).collect()
}

/// A line number that will be wrong after the next edit: `file.rs:123`.
fn cites_a_line(text: &str) -> bool {
    text.match_indices(".rs:").any(|(at, _)| text[at + 4..].starts_with(|c: char| c.is_ascii_digit()))
}

fn sources() -> Vec<(PathBuf, String)> {
    let folder = root().join("src");
    let read = |path: PathBuf| (path.strip_prefix(&folder).unwrap().to_owned(), fs::read_to_string(&path).unwrap());
    files(&folder, ".rs").into_iter().map(read).collect()
}

fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let faults = |(path, text): (PathBuf, String)| {
        let faults = import_faults(&room(&path), &text);
        faults.into_iter().map(move |fault| format!("src/{}: {fault}", path.display())).collect::<Vec<_>>()
    };
    none(sources().into_iter().flat_map(faults).collect());
}

#[test]
fn pure_rooms_hold_no_input_output_time_or_chance() {
    let faults = |(path, text): (PathBuf, String)| {
        let faults = purity_faults(&room(&path), &text);
        faults.into_iter().map(move |fault| format!("src/{}: {fault}", path.display())).collect::<Vec<_>>()
    };
    none(sources().into_iter().flat_map(faults).collect());
}

#[test]
fn every_file_opens_with_what_it_is() {
    let places = ["src", "tests", "benches", "fuzz/fuzz_targets"];
    let all = places.iter().flat_map(|place| files(&root().join(place), ".rs"));
    none(
        all.filter(|path| !fs::read_to_string(path).unwrap().starts_with("//!"))
            .map(|path| path.display().to_string())
            .collect(),
    );
}

#[test]
fn modules_have_plain_nouns_for_names() {
    let named = |path: &PathBuf| {
        let parts: Vec<String> =
            path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        parts.iter().any(|part| NAMES_NEVER.contains(&part.strip_suffix(".rs").unwrap_or(part)))
    };
    none(sources().into_iter().map(|(path, _)| path).filter(named).map(|path| path.display().to_string()).collect());
}

#[test]
fn prose_cites_symbols_and_never_lines() {
    let prose = ["docs", "src", "tests"].iter().flat_map(|place| {
        let folder = root().join(place);
        [files(&folder, ".md"), files(&folder, ".rs")].concat()
    });
    let all = prose.chain(["README.md", "CHANGELOG.md"].iter().map(|name| root().join(name)));
    let own = |path: &PathBuf| path.ends_with("tests/tidy.rs");
    let cites = |path: &PathBuf| fs::read_to_string(path).is_ok_and(|text| cites_a_line(&text));
    none(all.filter(|path| !own(path) && cites(path)).map(|path| path.display().to_string()).collect());
}

#[test]
fn every_fuzz_target_has_a_corpus() {
    let targets = files(&root().join("fuzz/fuzz_targets"), ".rs");
    let corpus = root().join("fuzz/corpus");
    let named = targets.iter().map(|path| corpus.join(path.file_stem().unwrap()));
    let kept = fs::read_dir(&corpus).into_iter().flatten().map(|entry| entry.unwrap().path());
    let empty = |path: &PathBuf| files(path, "").is_empty();
    none(named.chain(kept).filter(empty).map(|path| format!("{} is empty", path.display())).collect());
}

#[test]
fn checks_find_what_they_look_for() {
    let faulty: &[(&str, &str)] = &[
        ("http", "use crate::inspect::Scanner;"),
        ("http", "use crate::{limits, net::stream::Stream};"),
        ("http", "use crate::{limits::{A, B}, clock};"),
        ("http", "use super::clock;"),
        ("http", "fn f() { crate::clock::now(); }"),
        ("client", "use crate::upstream::Pool;"),
        ("control", "use crate::proxy;"),
        ("policy", "let a = \"//\"; use crate::http::head;"),
        ("limits", "use crate :: clock;\nuse crate::clock;"),
        ("attic", ""),
    ];
    for (room, source) in faulty {
        assert_eq!(import_faults(room, source).len(), 1, "{room}: {source}");
    }
    let clean: &[(&str, &str)] = &[
        ("http", "use crate::limits::HEAD_BYTES_MAX; use super::head; use crate::http::framing;"),
        (
            "http",
            "// crate::net\n/* crate::net */ let a = \"crate::net\"; let b = r#\"crate::net \" \"#; let c = '\"';",
        ),
        ("client", "use crate::{error::Error, http::{head, framing}, net::Stream};"),
        ("main", "use crate::proxy;"),
        ("worker", "my_crate::admin::x()"),
    ];
    for (room, source) in clean {
        assert_eq!(import_faults(room, source), Vec::<String>::new(), "{room}: {source}");
    }
    assert_eq!(purity_faults("http", "pub async fn f() {}").len(), 1);
    assert_eq!(purity_faults("policy", "std::time::Instant::now()").len(), 1);
    assert!(purity_faults("http", "// async\nlet operand = awaited;").is_empty());
    assert!(purity_faults("net", "pub async fn f() {}").is_empty());
    assert!(cites_a_line("see head.rs:12") && !cites_a_line("see head.rs: 12"));
    assert_eq!(room(Path::new("http/head.rs")), "http");
    assert_eq!(room(Path::new("clock.rs")), "clock");
}

#[test]
fn the_table_has_no_circle() {
    let reaches = |from: &str| {
        let mut seen: Vec<&str> = Vec::new();
        let mut next = vec![from.to_owned()];
        while let Some(room) = next.pop() {
            let allowed = IMPORTS.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, allowed)| allowed);
            for other in allowed {
                if !seen.contains(other) {
                    seen.push(other);
                    next.push((*other).to_owned());
                }
            }
        }
        seen.contains(&from)
    };
    none(IMPORTS.iter().map(|(room, _)| *room).filter(|room| reaches(room)).map(str::to_owned).collect());
}
