//! A whole text, inspected in every form that it has: as it stands, folded, and decoded, and decoded again.
//!
//! ```text
//!  text ──► scan ─────────────────────────────────────────────────────► findings of a text
//!    ├────► fold ─► scan ─► map back ────────────────────────────────┐     │ resolve
//!    ├────► hidden ─► scan ─► map back ──────────────────────────────┤     ▼
//!    └────► runs (of the text, and of the view where it differs) ─┐  └► of all texts ─► merge
//!                                              decode ◄───────────┘
//!                                                └─► a text again, at most DEPTH_MAX times; its findings stand for the whole run
//! ```
//! Texts are taken off a list one after the other, a generation at a time; nothing calls itself. Bytes of views and of decoded texts
//! count as verified bytes, so that the bound of [`Work`] holds for all of it together.

use std::mem::swap;

use crate::limits;

use super::Exceeded;
use super::Finding;
use super::Text;
use super::Work;
use super::decode;
use super::normalise;
use super::normalise::View;
use super::overlap;
use super::scan::Scanner;

/// How often a decoded text is decoded again. Past it what it says is not looked at; three wrappings are more than any tool makes.
const DEPTH_MAX: usize = 3;

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
    /// Gives back what is held beyond `bytes` in each buffer.
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
    one(search, text, None, true, work, views)?;
    findings.append(&mut views.level);
    for depth in 1..=DEPTH_MAX {
        swap(&mut views.texts, &mut views.next);
        views.next.clear();
        if views.texts.nodes.is_empty() {
            break;
        }
        let generation = std::mem::take(&mut views.texts);
        let done = decoded(search, &generation, text.key, depth < DEPTH_MAX, work, views, findings);
        views.texts = generation;
        done?;
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
        one(search, Text { bytes, key }, Some(node), decodes, work, views)?;
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
    for fold in [normalise::fold, normalise::hidden] {
        if !fold(text.bytes, view) {
            continue;
        }
        spend(work, view.text.len())?;
        scanned.clear();
        (search.scan)(Text { bytes: &view.text, key: text.key }, work, scanned)?;
        level.extend(scanned.iter().map(|finding| {
            let span = view.to_original(finding.start as usize..finding.end as usize);
            Finding { start: normalise::place(span.start), end: normalise::place(span.end), ..*finding }
        }));
        if decodes {
            runs(&view.text, node, Some(view), next);
        }
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
mod tests {
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
        ];
        for (text, expected) in cases {
            let needles: Vec<_> = found(text).into_iter().filter(|(finder, _)| *finder == 0).collect();
            assert_eq!(needles, [(0, (*expected).to_owned())], "{text}");
        }
    }
}
