//! A whole text, inspected in every form that it has: as it stands, folded, and decoded, and decoded again.
//!
//! ```text
//!  text ──► scan ─────────────────────────────────────────────────────► findings of a text
//!    ├────► fold ─► scan ─► map back ────────────────────────────────┐     │ resolve
//!    ├────► hidden ─► scan ─► map back ──────────────────────────────┤     ▼
//!    └────► runs (of the text, and of the view where it differs) ─┐  └► of all texts ─► merge
//!                                              decode ◄───────────┘
//!                                                └─► a text again, at most DECODING_DEPTH_MAX times; its findings stand for the whole run
//! ```
//! Texts are taken off a list one after the other, a generation at a time; nothing calls itself. Bytes of views and of decoded texts
//! count as verified bytes, so that the bound of [`Work`] holds for all of it together.

use std::mem::swap;

use crate::limits;

use super::Awaited;
use super::Exceeded;
use super::Finding;
use super::Text;
use super::Work;
use super::decode;
use super::normalise;
use super::normalise::View;
use super::overlap;
use super::scan::Scanner;

/// The scratch of inspection: one for a core, reused for every text. It allocates only when it has to grow.
#[derive(Debug, Default)]
pub struct Views {
    view: View,
    texts: Generation,
    next: Generation,
    scanned: Vec<Finding>,
    level: Vec<Finding>,
}

impl Views {
    /// Empties it, and gives back what each of its buffers holds beyond `bytes`: for after a large request.
    pub fn shrink(&mut self, bytes: usize) {
        self.view.shrink(bytes);
        for generation in [&mut self.texts, &mut self.next] {
            generation.clear();
            generation.bytes.shrink_to(bytes);
            generation.nodes.shrink_to(bytes / size_of::<Node>());
        }
        for findings in [&mut self.scanned, &mut self.level] {
            findings.clear();
            findings.shrink_to(bytes / size_of::<Finding>());
        }
    }
}

/// The texts decoded from those of the generation before.
#[derive(Debug, Default)]
struct Generation {
    bytes: Vec<u8>,
    nodes: Vec<Node>,
}

impl Generation {
    fn clear(&mut self) {
        self.bytes.clear();
        self.nodes.clear();
    }
}

/// A decoded text: where its bytes are, and the run in the original that stands for all of it.
#[derive(Clone, Copy, Debug)]
struct Node {
    start: usize,
    end: usize,
    run_start: u32,
    run_end: u32,
}

/// [`Scanner::scan`], or what stands for it in a test.
type Scan<'a> = dyn FnMut(Text<'_>, &mut Work, &mut Vec<Finding>) -> Result<(), Exceeded> + 'a;

/// What is looked for, so that the tests can look for something simple.
struct Search<'a> {
    scan: &'a mut Scan<'a>,
    yields: &'a dyn Fn(u16) -> bool,
}

/// Finds every match in `text`, whatever it is wrapped in. What `findings` held is thrown away; afterwards they stand in the order of
/// their start, overlaps resolved, with their spans in `text.bytes`.
///
/// # Errors
/// The request has caused more work than it may, or more findings; or the text is of 4 GiB or more.
pub fn inspect(
    scanner: &Scanner,
    text: Text<'_>,
    work: &mut Work,
    views: &mut Views,
    findings: &mut Vec<Finding>,
) -> Result<(), Exceeded> {
    let mut scan = |text: Text<'_>, work: &mut Work, found: &mut Vec<Finding>| scanner.scan(text, work, found);
    search(&mut Search { scan: &mut scan, yields: &|finder| scanner.yields(finder) }, text, work, views, findings)
}

fn search(
    search: &mut Search<'_>,
    text: Text<'_>,
    work: &mut Work,
    views: &mut Views,
    findings: &mut Vec<Finding>,
) -> Result<(), Exceeded> {
    findings.clear();
    views.texts.clear();
    views.next.clear();
    if u32::try_from(text.bytes.len()).is_err() {
        return Err(Exceeded);
    }
    work.input += text.bytes.len() as u64;
    work.awaited = Awaited::default();
    one(search, text, None, true, work, views)?;
    findings.append(&mut views.level);
    for depth in 1..=limits::DECODING_DEPTH_MAX {
        swap(&mut views.texts, &mut views.next);
        views.next.clear();
        if views.texts.nodes.is_empty() {
            break;
        }
        let generation = std::mem::take(&mut views.texts);
        let done = decoded(search, &generation, text.key, depth < limits::DECODING_DEPTH_MAX, work, views, findings);
        views.texts = generation;
        done?;
    }
    if findings.is_empty() {
        return Ok(());
    }
    overlap::merge(findings);
    bounded(findings)
}

/// Inspects a generation of decoded texts.
fn decoded(
    search: &mut Search<'_>,
    generation: &Generation,
    key: &[u8],
    decodes: bool,
    work: &mut Work,
    views: &mut Views,
    findings: &mut Vec<Finding>,
) -> Result<(), Exceeded> {
    for node in &generation.nodes {
        let bytes = generation.bytes.get(node.start..node.end).unwrap_or_default();
        spend(work, bytes.len())?;
        let awaited = work.awaited;
        one(search, Text { bytes, key }, Some(node), decodes, work, views)?;
        // A decoded text is over: nothing follows it.
        work.awaited = awaited;
        let whole = |finding: Finding| Finding { start: node.run_start, end: node.run_end, ..finding };
        findings.extend(views.level.drain(..).map(whole));
        // Many findings of one run are one. Twice the bound before they are merged: that it is not done too often.
        if findings.len() > 2 * limits::FINDINGS_MAX {
            overlap::merge(findings);
            bounded(findings)?;
        }
    }
    Ok(())
}

/// Inspects one text: as it stands, folded, and for what is hidden in it. Its findings are in `views.level`; what can be decoded in
/// it is in `views.next`.
fn one(
    search: &mut Search<'_>,
    text: Text<'_>,
    node: Option<&Node>,
    decodes: bool,
    work: &mut Work,
    views: &mut Views,
) -> Result<(), Exceeded> {
    let Views { view, next, scanned, level, .. } = views;
    level.clear();
    (search.scan)(text, work, level)?;
    if decodes {
        runs(text.bytes, node, None, next);
    }
    let folds: &[fn(&[u8], &mut View) -> bool] =
        if normalise::may_fold(text.bytes) { &[normalise::fold, normalise::hidden] } else { &[] };
    for fold in folds {
        if !fold(text.bytes, view) {
            continue;
        }
        spend(work, view.text.len())?;
        scanned.clear();
        let before = work.awaited.count;
        (search.scan)(Text { bytes: &view.text, key: text.key }, work, scanned)?;
        for (_, start) in work.awaited.entries.iter_mut().take(work.awaited.count.into()).skip(before.into()) {
            *start = normalise::place(view.to_original(*start as usize..view.text.len()).start);
        }
        level.extend(scanned.iter().map(|finding| {
            let span = view.to_original(finding.start as usize..finding.end as usize);
            Finding { start: normalise::place(span.start), end: normalise::place(span.end), ..*finding }
        }));
        if decodes {
            runs(&view.text, node, Some(view), next);
        }
    }
    if level.is_empty() {
        return Ok(());
    }
    overlap::resolve(level, search.yields);
    bounded(level)
}

/// Adds what the runs of a text say. Those of a view that stand in its original as well were added with it.
fn runs(text: &[u8], node: Option<&Node>, view: Option<&View>, next: &mut Generation) {
    let mut from = 0;
    while let Some(run) = decode::next_run(text, from) {
        from = run.end;
        if view.is_some_and(|view| view.is_same(run.clone())) {
            continue;
        }
        let span = view.map_or(run.clone(), |view| view.to_original(run.clone()));
        let own = (normalise::place(span.start), normalise::place(span.end));
        let (run_start, run_end) = node.map_or(own, |node| (node.run_start, node.run_end));
        let Generation { bytes, nodes } = next;
        let bytes_of_run = text.get(run).unwrap_or_default();
        decode::decode(bytes_of_run, bytes, |part| {
            nodes.push(Node { start: part.start, end: part.end, run_start, run_end });
        });
    }
}

fn spend(work: &mut Work, bytes: usize) -> Result<(), Exceeded> {
    work.verified += bytes as u64;
    let most = work.input.saturating_mul(limits::VERIFIED_BYTES_FACTOR).saturating_add(limits::VERIFIED_BYTES_SLACK);
    if work.verified > most { Err(Exceeded) } else { Ok(()) }
}

fn bounded(findings: &[Finding]) -> Result<(), Exceeded> {
    if findings.len() > limits::FINDINGS_MAX { Err(Exceeded) } else { Ok(()) }
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a panic is how a test says no")]
mod tests {
    use proptest::prelude::ProptestConfig;
    use proptest::prop_assert;
    use proptest::proptest;

    use super::*;

    /// Finds every `needle@x.io`, as finder 0; and every run of five digits, as finder 1.
    fn found(text: &str) -> Vec<(u16, String)> {
        let bytes = text.as_bytes();
        spans(bytes)
            .into_iter()
            .map(|f| (f.finder, text.get(f.start as usize..f.end as usize).expect("whole characters").to_owned()))
            .collect()
    }

    fn spans(bytes: &[u8]) -> Vec<Finding> {
        let (mut work, mut views, mut findings) = (Work::default(), Views::default(), Vec::new());
        let mut scan = scan;
        let mut search_for = Search { scan: &mut scan, yields: &|_| true };
        search(&mut search_for, Text { bytes, key: b"" }, &mut work, &mut views, &mut findings).expect("little work");
        findings
    }

    fn scan(text: Text<'_>, _: &mut Work, findings: &mut Vec<Finding>) -> Result<(), Exceeded> {
        let mut find = |finder, start: usize, end: usize| {
            let (start, end) = (normalise::place(start), normalise::place(end));
            findings.push(Finding { finder, start, end, validated: finder == 0 });
        };
        for start in 0..text.bytes.len() {
            let rest = &text.bytes[start..];
            if rest.starts_with(b"needle@x.io") {
                find(0, start, start + 11);
            }
            if rest.len() >= 5 && rest[..5].iter().all(u8::is_ascii_digit) {
                find(1, start, start + 5);
            }
        }
        Ok(())
    }

    #[test]
    fn whatever_it_is_wrapped_in() {
        // Text, what is found (the bytes of the text).
        let cases: &[(&str, &str)] = &[
            ("a needle@x.io b", "needle@x.io"),
            ("a needle%40x.io b", "needle%40x.io"),
            ("a needle%2540x.io b", "needle%2540x.io"),
            ("a needle&amp;#64;x.io b", "needle&amp;#64;x.io"),
            ("a n\u{200b}eed\u{ad}le@x.io\u{200b} b", "n\u{200b}eed\u{ad}le@x.io"),
            ("a \u{ff4e}eedle\u{ff20}x.io b", "\u{ff4e}eedle\u{ff20}x.io"),
            ("a n\u{435}\u{435}dle@x.io b", "n\u{435}\u{435}dle@x.io"),
            ("see bmVlZGxlQHguaW8gYWJj.", "bmVlZGxlQHguaW8gYWJj"),
            ("see xbmVlZGxlQHguaW8gYWJj.", "xbmVlZGxlQHguaW8gYWJj"),
            ("see path/bmVlZGxlQHguaW8gYWJj.", "path/bmVlZGxlQHguaW8gYWJj"),
            ("see bmVl\u{200b}ZGxlQHguaW8gYWJj.", "bmVl\u{200b}ZGxlQHguaW8gYWJj"),
            ("Basic bmVlZGxlQHguaW8=", "bmVlZGxlQHguaW8="),
            ("see 6e6565646c6540782e696f", "6e6565646c6540782e696f"),
            ("see 0x6e6565646c6540782e696f", "0x6e6565646c6540782e696f"),
            ("see f6e6565646c6540782e696f", "f6e6565646c6540782e696f"),
        ];
        for (text, expected) in cases {
            let needles: Vec<_> = found(text).into_iter().filter(|(finder, _)| *finder == 0).collect();
            assert_eq!(needles, [(0, (*expected).to_owned())], "{text}");
        }
    }

    fn encoded(text: &[u8]) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut out = String::new();
        for group in text.chunks(3) {
            let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            for place in 0..4 {
                let sextet = (bits >> (18 - 6 * place)) & 63;
                out.push(if place > group.len() { '=' } else { char::from(ALPHABET[sextet as usize]) });
            }
        }
        out
    }

    fn wrapped(text: &str, width: usize, end: &str) -> String {
        text.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into_owned() + end).collect()
    }

    #[test]
    fn base64_of_every_length_shift_and_shape() {
        for extra in 0..9 {
            let inner = format!("see needle@x.io {}", &"and more"[..extra.min(8)]);
            let plain = encoded(inner.as_bytes());
            let bare = plain.trim_end_matches('=').to_owned();
            let url = bare.replace('+', "-").replace('/', "_");
            for run in
                [plain.clone(), bare.clone(), url, format!("x{bare}"), format!("xyz{bare}"), format!("data-{bare}")]
            {
                assert_eq!(found(&format!("a {run}, b")), [(0, run)]);
            }
        }
    }

    #[test]
    fn base64_over_several_lines_is_one_text() {
        let text = "Dear all, the address that you asked for is needle@x.io, and nothing else is in here but words.";
        for (width, end) in [(76, "\n"), (64, "\r\n"), (20, "\n"), (17, "\n")] {
            let lines = wrapped(&encoded(text.as_bytes()), width, end);
            let run = lines.trim_end().to_owned();
            assert_eq!(found(&format!("a\n\n{lines}\n\nb")), [(0, run)], "{width}");
        }
        // Lines that were encoded one by one.
        let (one, two) = (encoded(b"just some words, ok?"), encoded(b"then a needle@x.io"));
        let both = format!("{}\n{}", one.trim_end_matches('='), two.trim_end_matches('='));
        assert!(found(&format!("a {both} b")).iter().any(|(_, run)| run.contains(two.trim_end_matches('='))));
    }

    #[test]
    fn what_is_wrapped_again_and_again_is_found_to_the_bound() {
        let mut run = "a needle@x.io".to_owned();
        for _ in 0..limits::DECODING_DEPTH_MAX {
            run = encoded(run.as_bytes());
            assert_eq!(found(&run), [(0, run.clone())]);
        }
        assert_eq!(found(&encoded(run.as_bytes())), []);
        // Wrappings of different kinds in each other.
        let hex: String = "n%65edle&commat;x.io".bytes().map(|byte| format!("{byte:02x}")).collect();
        let run = encoded(format!("see {hex}").as_bytes());
        assert!(found(&run).contains(&(0, run.clone())));
    }

    #[test]
    fn what_says_nothing_is_not_decoded() {
        let hashes = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 550e8400-e29b-41d4-a716-446655440000 \
            getElementsByClassNameAndMore /usr/share/doc/packages/readme sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let mut next = Generation::default();
        runs(hashes.as_bytes(), None, None, &mut next);
        assert!(next.nodes.is_empty(), "{:?}", String::from_utf8_lossy(&next.bytes));
    }

    #[test]
    fn the_same_thing_found_twice_is_one_finding() {
        let text = "needle@x.io %41 bmVlZGxlQHguaW8gYWJj needle@x.io";
        assert_eq!(found(text).len(), 3);
    }

    #[test]
    fn all_findings_of_a_run_are_one() {
        let run = encoded("needle@x.io 12345 ".repeat(100).as_bytes());
        assert_eq!(found(&run), [(0, run.clone()), (1, run.clone())]);
    }

    #[test]
    fn work_and_findings_are_bounded() {
        let (mut work, mut views, mut findings) = (Work::default(), Views::default(), Vec::new());
        let mut scan = scan;
        let mut run = |bytes: &[u8], work: &mut Work| {
            let mut search_for = Search { scan: &mut scan, yields: &|_| true };
            search(&mut search_for, Text { bytes, key: b"" }, work, &mut views, &mut findings).map(|()| findings.len())
        };
        assert_eq!(run("needle@x.io ".repeat(limits::FINDINGS_MAX).as_bytes(), &mut work), Ok(limits::FINDINGS_MAX));
        assert_eq!(run("needle@x.io ".repeat(limits::FINDINGS_MAX + 1).as_bytes(), &mut work), Err(Exceeded));
        assert_eq!(run(b"needle@x.io", &mut work), Ok(1));
        let text = format!("{} {}", encoded("hello there ".repeat(500).as_bytes()), "%41 ".repeat(3000));
        let mut work = Work::default();
        assert_eq!(run(text.as_bytes(), &mut work), Ok(0));
        assert_eq!(work.input, text.len() as u64);
        assert!(work.verified > 6000 && work.verified < 4 * work.input, "{work:?}");
        work.verified = limits::VERIFIED_BYTES_FACTOR * (work.input + text.len() as u64) + limits::VERIFIED_BYTES_SLACK;
        assert_eq!(run(text.as_bytes(), &mut work), Err(Exceeded));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn findings_are_ordered_whole_and_inside(
            text in "(needle@x\\.io|n\u{200b}eedle%40x\\.io|12345|\u{661}234\u{ff15}|bmVlZGxlQHguaW8gYWJj|6e6565646c6540782e696f|%|\u{e9}| |=|a|\n){0,12}",
        ) {
            let findings = spans(text.as_bytes());
            for finding in &findings {
                prop_assert!(finding.start < finding.end);
                prop_assert!(text.get(finding.start as usize..finding.end as usize).is_some());
            }
            prop_assert!(findings.is_sorted_by_key(|finding| (finding.start, finding.end)));
            // What stands in the text as it is, is found in any case.
            for (at, needle) in text.match_indices("needle@x.io") {
                let (start, end) = (normalise::place(at), normalise::place(at + needle.len()));
                prop_assert!(findings.iter().any(|f| f.finder == 0 && f.start <= start && end <= f.end));
            }
        }
    }
}
